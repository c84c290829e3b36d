"""What README and docs show of a run is what the program writes: console blocks are run and compared, sh blocks run.

In the former a line that begins with "$ " is a command; what follows it is all that it writes, standard error too. The
latter are scripts. What they name and no test has stands in a folder of its own (docs_programs.py).
"""

import os
import re
import shutil
import subprocess

import docs_programs
import pytest
from conftest import ROOT, clean_environment
from provider import Provider
from talks import environment

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(info):
    """Return the fenced blocks of a kind as parameters of tests."""
    pattern = re.compile(rf"^```{info}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    return [
        pytest.param(block, id=f"{page.name}-{number}")
        for page in PAGES
        for number, block in enumerate(pattern.findall(page.read_text()))
    ]


def steps(block):
    """Return (command, what it is said to write) of a block."""
    found = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)
    assert found[0] == "", "a block begins with a command"
    return list(zip(found[1::2], found[2::2], strict=True))


@pytest.fixture
def place(tmp_path):
    """Make a folder with the files that examples name, a home, and programs; return the folder and the environment."""
    here, programs = tmp_path / "here", tmp_path / "programs"
    shutil.copytree(ROOT / "examples", here / "examples")
    (tmp_path / "home").mkdir()
    programs.mkdir()
    docs_programs.install(programs)
    trace = here / "examples/trace.json"
    for name in ("trace.json", "request.json", "previous.json", "next.json"):
        shutil.copy(trace, here / name)
    shutil.copy(here / "examples/charge.py", here)
    (here / "token").touch(0o600)
    (here / "token").write_text("a-token-for-the-tests\n")
    (here / "AGENTS.md").write_text("Run the tests.\n")
    (here / "agent.py").write_text("import os\nassert os.environ['OPENAI_BASE_URL']\n")
    docs_programs.plug_in(tmp_path / "site", "names", "request-log")
    more = {
        "PYTHONPATH": f"{ROOT}:{tmp_path}/site", "PATH": f"{programs}:{os.environ['PATH']}", "EDITOR": "edit",
        docs_programs.PIDS: str(tmp_path / "pids"),
    }  # fmt: skip
    yield here, clean_environment(tmp_path / "home", **more)
    docs_programs.stop(tmp_path / "pids")


@pytest.mark.parametrize("block", blocks("console"))
def test_what_is_shown_is_what_is_written(block, place):
    here, known = place
    needs(block)
    for command, shown in steps(block):
        done = subprocess.run(
            ["bash", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            cwd=here, env=known, timeout=60,
        )  # fmt: skip
        assert done.stdout.decode() == shown, command


@pytest.mark.parametrize("script", blocks("sh"))
def test_scripts_run(script, place):
    here, known = place
    run(script, here, known)


def needs(text):
    """Skip what names a program or a library that is missing here."""
    if re.search(r"\bjq\b", text) and not shutil.which("jq"):
        pytest.skip("jq is not installed")
    if "picture" in text:
        pytest.importorskip("PIL", reason="pillow is not installed")
    if "headroom proxy" in text or "headroom wrap" in text:
        pytest.importorskip("uvicorn", reason="headroom-cli[proxy] is not installed")
    if "headroom batch" in text:
        pytest.importorskip("pyarrow", reason="headroom-cli[batch] is not installed")
    if "headroom mcp --http" in text:
        pytest.importorskip("mcp", reason="headroom-cli[mcp] is not installed")


def run(script, here, known):
    """Run a script from the docs; fail where any command of it does."""
    needs(script)
    for port in docs_programs.PORTS:
        if port in script or (port == "8787" and "headroom proxy" in script):
            free = str(docs_programs.free_port())
            script = re.sub(
                r"^((?:\w+=\S+ )*headroom proxy)(?! --port)", rf"\1 --port {port}", script, flags=re.MULTILINE
            )
            script = script.replace(port, free)
    script = script.replace("headroom doctor", f"headroom doctor --port {docs_programs.free_port()}")
    # Nobody reads docs with an empty store.
    first = "marked=$(headroom crush -q examples/pytest.txt); marked=${marked##*<<headroom:}; marked=${marked%% *}\n"
    script = first + script.replace(docs_programs.HANDLE, "$marked")
    with Provider() as provider:
        script = script.replace("https://gateway.example.com", provider.url)
        done = subprocess.run(
            ["bash", "-e", "-u", "-o", "pipefail", "-c", script], stdin=subprocess.DEVNULL, capture_output=True,
            cwd=here, env={**known, **environment(provider)}, timeout=120,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    return done.stdout.decode(), provider
