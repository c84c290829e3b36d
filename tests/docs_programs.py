"""The programs that examples of README and docs name, and that no test has: each stands in a folder as a script.

Those that only write something write a file of examples/. Servers of ours go on in the background until the test ends,
on a free port. What would need a network (a store in Redis, a hub of models) is read as typer reads it, and not run.

    python docs_programs.py serve ARGUMENTS        start a server of ours, and return when it listens
    python docs_programs.py understand ARGUMENTS   read a command line of ours
    python docs_programs.py curl ARGUMENTS         ask a server of ours, as curl would
    python docs_programs.py extras WORDS           check that headroom-cli has the extras that are named
"""

import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
PORTS = ("8787", "8788")  # those that examples name: of the proxy, of the server of MCP
PIDS = "DOCS_PIDS"  # the variable with the file in which servers are noted
HANDLE = "k3f5a2m7qx4c"  # the handle that examples name

# program -> the example that it writes
WRITES = {
    "cargo": "pytest.txt", "docker": "app.log", "git": "fix.diff", "journalctl": "app.log", "kubectl": "pods.txt",
    "npm": "pytest.txt", "psql": "pods.txt", "pytest": "pytest.txt", "rg": "retry.txt", "terraform": "fix.diff",
}  # fmt: skip
_WRITES = """[ -t 0 ] || cat > /dev/null
case "$*" in *json*) cat "{examples}/pods.json" ;; *) cat "{examples}/{name}" ;; esac"""
_OURS = """case "$HEADROOM_STORE $* " in *redis://*|*s3://*) exec {this} understand "$@" ;; esac
case "$1 $* " in
  *" --dry-run "*|*" --help "*) ;;
  "proxy "*|"mcp "*" --http "*|"stats "*" --follow "*) exec {this} serve "$@" ;;
  "models pull "*) exec {this} understand "$@" ;;
esac
exec {python} -m headroom_cli "$@" """
# program -> what its script does
_CURL = """case "$*" in
  *127.0.0.1*) exec {this} curl "$@" ;;
  *.json) cat "{examples}/pods.json" ;;
  *@-*) cat > /dev/null; echo '{"type": "message"}' ;;
  *) cat "{examples}/status.html" ;;
esac"""
_MAKE = """case "$*" in
  "") cat "{examples}/pytest.txt" ;;
  *) exec env PATH=/usr/bin:/bin make -n -C "{root}" "$@" > /dev/null ;;
esac"""
_DOES = {
    "headroom": _OURS,
    "curl": _CURL,
    "make": _MAKE,
    "pip": 'exec {this} extras "$@"', "pipx": 'exec {this} extras "$@"', "uv": 'exec {this} extras "$@"',
    "pre-commit": "exit 0", "npx": "exec cat", "less": "exec cat", "python": 'exec {python} "$@"',
    "edit": 'test -n "$1"',
    "claude": 'test -n "$ANTHROPIC_BASE_URL"', "aider": 'test -n "$OPENAI_API_BASE"',
    "goose": 'test -n "$ANTHROPIC_HOST"', "opencode": 'test -n "$OPENCODE_CONFIG_CONTENT"',
    "mini": 'test -n "$ANTHROPIC_API_BASE"', "codex": 'case "$OPENAI_BASE_URL $*" in *127.0.0.1*) ;; *) exit 1 ;; esac',
}  # fmt: skip


def install(folder: Path) -> None:
    """Write the scripts into a folder that is there."""
    known = {
        "this": f"{shlex.quote(sys.executable)} {shlex.quote(__file__)}", "python": shlex.quote(sys.executable),
        "examples": f"{ROOT}/examples", "root": str(ROOT),
    }  # fmt: skip
    scripts = {name: _WRITES.replace("{name}", example) for name, example in WRITES.items()} | _DOES
    for name, does in scripts.items():
        filled = re.sub(r"\{(\w+)\}", lambda word: known[word[1]], does)
        (folder / name).write_text(f"#!/bin/sh\n{filled}\n")
        (folder / name).chmod(0o755)


def plug_in(folder: Path, *names: str) -> None:
    """Lay out plugins of these names as pip would, each as the one of examples/plugin."""
    module = "headroom_request_log"
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / f"{module}.py").write_text((ROOT / f"examples/plugin/{module}.py").read_text())
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: headroom-request-log\nVersion: 1.0\n")
    lines = "".join(f"{name} = {module}:RequestLog\n" for name in names)
    (info / "entry_points.txt").write_text(f"[headroom.plugins.v1]\n{lines}")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def stop(pids: Path) -> None:
    """End the servers that were started, and wait for it."""
    left = [int(pid) for pid in pids.read_text().split()] if pids.exists() else []
    for pid in left:
        with contextlib.suppress(ProcessLookupError):  # it ended by itself
            os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + 40
    while left and time.monotonic() < end:
        left = [pid for pid in left if _runs(pid)]
        time.sleep(0.02)
    assert left == [], "a server does not end"


def _runs(pid: int) -> bool:
    """Tell whether a process that is nobody's child here is still there; a zombie has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def serve(words: list[str]) -> int:
    """Start a server of ours; return 0 when it says that it is ready."""
    said = Path(os.environ[PIDS] + f".{os.getpid()}")
    with said.open("w+b") as stream:
        running = subprocess.Popen(
            [sys.executable, "-m", "headroom_cli", *words], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
            start_new_session=True,
        )  # fmt: skip
    with open(os.environ[PIDS], "a") as stream:
        stream.write(f"{running.pid}\n")
    end = time.monotonic() + 60
    while running.poll() is None and time.monotonic() < end:
        if "listening on" in said.read_text() or "waiting for more" in said.read_text():
            return 0
        time.sleep(0.02)
    sys.stderr.write(said.read_text())
    return 1


def understand(words: list[str]) -> int:
    """Read a command line of ours as typer reads it; raise what it raises."""
    from headroom_cli.cli.app import build

    build().commands[words[0]].make_context(words[0], list(words[1:]))
    return 0


def curl(words: list[str]) -> int:
    """Ask a URL of this machine; knows -s, -i, -d and -H. What the server refuses is no failure, as with curl."""
    address, data, shows_head, headers = "", None, False, {}
    left = iter(words)
    for word in left:
        if word in {"-d", "--data-binary"}:
            named = next(left)
            data = (
                Path("/dev/stdin" if named == "@-" else named[1:]).read_bytes() if named[0] == "@" else named.encode()
            )
        elif word == "-H":
            name, _, value = next(left).partition(":")
            headers[name] = value.strip()
        elif re.fullmatch("-[is]+", word):
            shows_head = shows_head or "i" in word
        else:
            assert word.startswith("http://127.0.0.1:"), word
            address = word
    try:
        answer = urllib.request.urlopen(urllib.request.Request(address, data, headers), timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        if shows_head:
            sys.stdout.write(f"HTTP/1.1 {answer.status}\n{answer.headers}")
        sys.stdout.write(answer.read().decode())
    return 0


def extras(words: list[str]) -> int:
    """Check what is named of this package."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for word in words:
        named = re.fullmatch(r"headroom-cli\[([a-z,]+)\]", word)
        assert not word.startswith("headroom") or named or word == project["name"], word
        for extra in named[1].split(",") if named else ():
            assert extra in project["optional-dependencies"], extra
    return 0


if __name__ == "__main__":
    sys.exit({"serve": serve, "understand": understand, "curl": curl, "extras": extras}[sys.argv[1]](sys.argv[2:]))
