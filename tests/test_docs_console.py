"""What README and docs show of a run is what the program writes: console blocks are run and compared, sh blocks run.

In the former a line that begins with "$ " is a command; what follows it is all that it writes, standard error too. The
latter are scripts, in which programs that need a cluster, a network or a project are stood in for by an example file.
"""

import re
import subprocess
import sys

import pytest
from conftest import ROOT, clean_environment
from provider import Provider
from talks import environment

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"^```console\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE))
]
SCRIPTS = [
    pytest.param(line, id=f"{page.name}-{number}")
    for page in PAGES
    for number, line in enumerate(re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE))
]
# program -> the example that it writes
STAND_INS = {
    "cargo": "pytest.txt", "curl": "status.html", "docker": "app.log", "git": "fix.diff", "journalctl": "app.log",
    "kubectl": "pods.txt", "npm": "pytest.txt", "psql": "pods.txt", "pytest": "pytest.txt", "rg": "retry.txt",
    "terraform": "fix.diff",
}  # fmt: skip


def steps(block):
    """Return (command, what it is said to write) of a block."""
    found = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)
    assert found[0] == "", "a block begins with a command"
    return list(zip(found[1::2], found[2::2], strict=True))


@pytest.mark.parametrize("block", BLOCKS)
def test_what_is_shown_is_what_is_written(block, tmp_path, program):
    environment = clean_environment(tmp_path, PATH=f"{program}:/usr/bin:/bin", LC_ALL="C.UTF-8")
    for command, shown in steps(block):
        done = subprocess.run(
            ["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, env=environment,
            timeout=60,
        )  # fmt: skip
        assert done.stdout.decode() == shown, command


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_run(script, tmp_path, program):
    for name, example in STAND_INS.items():
        text = f'#!/bin/sh\n[ -t 0 ] || cat > /dev/null\ncase "$*" in *json*) cat "{ROOT}/examples/pods.json" ;;'
        (program / name).write_text(f'{text} *) cat "{ROOT}/examples/{example}" ;; esac\n')
        (program / name).chmod(0o755)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    script = f"headroom crush -q examples/app.log > /dev/null\n{script}"  # nobody reads docs with an empty store
    with Provider() as provider:
        more = {"PATH": f"{program}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", **environment(provider)}
        done = subprocess.run(
            ["bash", "-e", "-u", "-o", "pipefail", "-c", script], stdin=subprocess.DEVNULL, capture_output=True,
            cwd=tmp_path, env=clean_environment(tmp_path, **more), timeout=120,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert b"Traceback" not in done.stderr


@pytest.fixture
def program(tmp_path):
    """Return a folder with a `headroom` that is this checkout."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "headroom").write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m headroom_cli "$@"\n')
    (folder / "headroom").chmod(0o755)
    return folder
