"""What README and docs say is run: the commands of the first five minutes, the library example, every link."""

import json
import re
import subprocess
import sys

import pytest
from conftest import ROOT, clean_environment
from provider import Provider
from talks import environment

from headroom_cli import compress, retrieve

README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
MADE_BY = {
    "kubectl get pods -o json": "cat examples/pods.json",
    "pytest 2>&1": "cat examples/pytest.txt",
    "> request.json": "> /dev/null",
    "--save sent.json request.json": "--save /dev/null examples/trace.json",
    "cat request.json": "cat examples/trace.json",
    "make 2>&1": "cat examples/pytest.txt",
    " trace.json": " examples/trace.json",
    "rg -n retry": "cat examples/retry.txt",
    "git show": "cat examples/fix.diff",
    "charge.py": "examples/charge.py",
    "curl -s https://example.com": "cat examples/status.html",
    "> small.json": "> /dev/null",
}
COMMANDS = [
    line.split("  #")[0].strip()
    for block in re.findall(r"```\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if re.match(r"(?:cat|kubectl|make|pytest|rg|git|curl|headroom)\b.*\bheadroom|headroom ", line)
]


def shell(line, home, **more):
    for said, run in MADE_BY.items():
        line = line.replace(said, run)
    line = re.sub(r"\bheadroom (?=[a-z])", f"{sys.executable} -m headroom_cli ", line)
    environment = clean_environment(home, PYTHONPATH=str(ROOT), **more)
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], capture_output=True, cwd=ROOT, env=environment, timeout=60
    )


def test_the_commands_of_the_first_five_minutes_run(tmp_path):
    assert len(COMMANDS) >= 11
    first = shell("cat examples/pytest.txt | headroom crush", tmp_path).stdout.decode()
    handle = re.search(r"<<headroom:(\w+) ", first)[1]
    with Provider() as provider:
        for line in COMMANDS:
            done = shell(line.replace("k3f5a2m7qx4c", handle), tmp_path, **environment(provider))
            assert done.returncode == 0, (line, done.stderr.decode())
            assert b"Traceback" not in done.stderr
    assert len(provider.asked) == sum("headroom send" in line and "--dry-run" not in line for line in COMMANDS)


def test_the_example_output_is_real(tmp_path):
    real = shell("headroom crush examples/pytest.txt", tmp_path).stdout.decode().splitlines()
    shown = re.search(r"What is left of a failing run.*?```\n(.*?)```", README, re.DOTALL)[1]
    for line in shown.splitlines():
        assert line == "..." or line in real


def test_the_library_example_runs(tmp_path):
    messages = json.loads((ROOT / "examples/trace.json").read_text())["messages"]
    result = compress(messages, model="claude-sonnet-4-5", store=str(tmp_path / "s"))
    assert result.tokens_saved > 0
    assert retrieve(result.handles[0], lines="40:80", store=str(tmp_path / "s")).count(b"\n") == 41


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_every_path_that_the_design_names_exists():
    layout = (ROOT / "docs/design.md").read_text().split("## 4. Layout")[1].split("```")[1]
    for name in re.findall(r"^  ([a-z_]+(?:\.py|/))", layout, re.MULTILINE):
        assert (ROOT / "headroom_cli" / name).exists(), name
