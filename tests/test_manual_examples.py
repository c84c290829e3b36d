"""The examples of the manual run: those of every verb, and those of headroom-store(5) and headroom-config(5).

Programs of others that an example names (pytest, kubectl, claude) stand in a folder of their own, as scripts that say
what those would. A server counts as run when it listens, and then ends by SIGTERM.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import pictures
import pyarrow as pa
import pytest
from conftest import ROOT, clean_environment
from provider import Provider
from pyarrow import parquet
from talks import environment
from test_manual import needs

from headroom_cli import settings
from headroom_cli.cli import manual_files
from headroom_cli.cli.app import build
from headroom_cli.cli.options import VERBS, load
from headroom_cli.store import Entry, Store

HANDLE = "k3f5a2m7qx4c"  # the handle that every example names
EXAMPLES = [(name, command) for name in VERBS for command, _ in load(name).examples]

# What needs a network that no test has; its command line is read as typer reads it, all the same.
ELSEWHERE = (
    "headroom models pull ", "headroom crush --kompress kompress-v2-base ", "headroom proxy --backend bedrock",
    "headroom store copy redis:", "headroom batch --store s3:", "headroom batch --engine ray",
)  # fmt: skip
# Those that stay until they are ended: what they say when they are ready.
STAYS = {
    "headroom proxy": "listening on", "headroom mcp --http": "listening on",
    "headroom stats --follow": "waiting for more",
}  # fmt: skip
PORT = re.compile(r"--port \d+")
CALL = re.compile(r"""(?<![\w/.-])headroom (?:'[^']*'|[^|<>;&)"'])+""")
OTHERS = {
    "pytest": f"cat {ROOT}/examples/pytest.txt", "make": f"cat {ROOT}/examples/pytest.txt",
    "kubectl": f"cat {ROOT}/examples/pods.json", "rg": f"cat {ROOT}/examples/retry.txt",
    "curl": "cat > sent.json; test -s sent.json", "npx": "exec cat", "claude": 'test -n "$ANTHROPIC_BASE_URL"',
    "codex": 'case "$*" in *"exec fix the tests") ;; *) exit 1 ;; esac', "edit": 'test -n "$1"',
    "cargo": "echo built", "git": f"cat {ROOT}/examples/fix.diff", "less": "cat",
    "python": f'exec {sys.executable} "$@"',
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Make a home with the files that examples name, an original with their handle, and the programs of others."""
    home = tmp_path_factory.mktemp("home")
    trace = (ROOT / "examples/trace.json").read_bytes()
    for name in ("trace.json", "request.json", "previous.json", "next.json"):
        (home / name).write_bytes(trace)
    (home / "notes.md").write_bytes((ROOT / "README.md").read_bytes())
    (home / "AGENTS.md").write_text("Run the tests.\n")
    (home / "agent.py").write_text("import os\nassert os.environ['OPENAI_BASE_URL']\n")
    for name in ("programs", "src", "docs", "traces"):
        (home / name).mkdir()
    line = json.dumps(json.loads(trace))
    (home / "traces/today.jsonl").write_text(f"{line}\n")
    parquet.write_table(pa.table({"messages": [line]}), home / "train.parquet")
    (home / "docs/notes.md").write_bytes((ROOT / "README.md").read_bytes())
    programs = home / "programs"
    for name, does in {**OTHERS, "headroom": f'exec {sys.executable} -m headroom_cli "$@"'}.items():
        (programs / name).write_text(f"#!/bin/sh\n{does}\n")
        (programs / name).chmod(0o755)
    with Provider() as provider:
        yield home, {
            **clean_environment(home, **environment(provider)), "PATH": f"{programs}:{os.environ['PATH']}",
            "EDITOR": "edit", "CHATGPT_TARGET_API_URL": provider.url,
        }  # fmt: skip


def shell(place, command, **more):
    home, known = place
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=home, env={**known, **more}, capture_output=True, timeout=60
    )


@pytest.fixture(scope="module")
def handles(place):
    """Keep a long text and a picture; return their handles."""
    first = shell(place, "pytest 2>&1 | headroom crush")
    found = re.search(rb"<<headroom:(\w+) ", first.stdout)[1].decode()
    store = Store(shell(place, "headroom store where").stdout.decode().strip())
    return {"text": found, "picture": store.put([Entry(pictures.screenshot(), "image")])[0]}


@pytest.mark.parametrize(("verb", "command"), EXAMPLES, ids=[f"{verb}-{n}" for n, (verb, _) in enumerate(EXAMPLES)])
def test_an_example_of_a_verb_is_understood(verb, command):
    commands = build().commands
    calls = [shlex.split(call) for call in CALL.findall(command)]
    assert calls or verb == "proxy"
    for _, name, *words in calls:
        commands[name].make_context(name, list(words))


@pytest.mark.parametrize(("verb", "command"), EXAMPLES, ids=[f"{verb}-{n}" for n, (verb, _) in enumerate(EXAMPLES)])
def test_an_example_of_a_verb_runs(place, handles, verb, command):
    if command.startswith(ELSEWHERE):
        return None  # the test above read it
    handle = handles["picture" if "--area" in command else "text"]
    line = PORT.sub("--port 0", command.replace(HANDLE, handle)).replace("-d @- ...", "-d @- address")
    ready = next((says for start, says in STAYS.items() if line.startswith(start)), "")
    if ready and "--dry-run" not in line:
        return stays(place, line, ready)
    if "install --client" in line:
        line += " --yes"
    if "< small.json" in line:
        shell(place, "headroom crush trace.json > small.json")
    done = shell(place, line)
    assert done.returncode == 0, (line, done.stderr.decode())
    assert b"Traceback" not in done.stderr
    return None


def stays(place, line, ready):
    """Start what serves until it is ended, wait until it is ready, and end it."""
    home, known = place
    with open(home / "said", "w+b") as said, open(os.devnull) as nothing:
        running = subprocess.Popen(shlex.split(line), cwd=home, env=known, stdin=nothing, stdout=said, stderr=said)
        try:
            end = time.monotonic() + 50
            while ready not in (home / "said").read_text() and running.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            assert ready in (home / "said").read_text()
            running.send_signal(signal.SIGINT if "--follow" in line else signal.SIGTERM)
            assert running.wait(30) in {0, 130}
        finally:
            if running.poll() is None:
                running.kill()
                running.wait()


def test_the_commands_of_the_store_page_read_a_real_store(place, handles):
    for program in ("zstd", "jq"):
        needs(program)
    commands = dict(manual_files.STORE_COMMANDS)
    by_start = {start: next(c for does, c in commands.items() if does.startswith(start)) for start in (
        "Name", "Print an original", "Find", "Check", "List", "Print the checksum", "Sum up",
    )}  # fmt: skip
    assert len(by_start) == len(commands)
    store = shell(place, by_start["Name"] + '; echo "$store"').stdout.decode().strip()
    known = {"store": store, "handle": handles["text"]}
    digest = shell(place, by_start["Find"], **known).stdout.decode().strip()
    assert re.fullmatch("[0-9a-f]{64}", digest)
    original = shell(place, by_start["Print an original"], **known, digest=digest).stdout
    assert original == (ROOT / "examples/pytest.txt").read_bytes()
    assert shell(place, by_start["Check"], **known).stdout == b""
    listed = shell(place, by_start["List"], **known).stdout.decode()
    assert re.search(rf"^{handles['text']} test-log", listed, re.MULTILINE)
    grants = shell(place, f"cat {shlex.quote(store)}/grants/owner-*.log").stdout.decode().splitlines()
    assert shell(place, by_start["Print the checksum"], **known).stdout.decode().strip() == grants[-1][:8]
    saved = int(shell(place, by_start["Sum up"], **known).stdout)
    told = json.loads(shell(place, "headroom stats --json").stdout)
    assert 0 < saved == told["all"]["before"] - told["all"]["after"]
    # A damaged copy is what the check prints.
    damaged = f"{place[0]}/damaged"
    shell(place, f'cp -r "{store}" "{damaged}"; printf x >> "{damaged}/objects/{digest}"')
    assert shell(place, by_start["Check"], store=damaged).stdout.decode().strip() == f"{damaged}/objects/{digest}"


def test_the_store_page_names_what_stands_in_a_store(place, handles):
    store = shell(place, "headroom store where").stdout.decode().strip()
    names = {re.sub(r"[/ ,].*", "", name) for name, _ in manual_files.STORE_FILES} | {"gate"}
    assert set(os.listdir(store)) <= names
    assert (place[0] / ".local/share/headroom/store/version").read_text() == "headroom store 1\n"
    for folder, _, files in os.walk(store):
        assert os.stat(folder).st_mode & 0o777 == 0o700
        assert all(os.stat(os.path.join(folder, name)).st_mode & 0o777 == 0o600 for name in files)


def test_a_frame_is_as_the_store_page_says(place, handles):
    needs("zstd")
    store = shell(place, "headroom store where").stdout.decode().strip()
    for name in os.listdir(f"{store}/objects"):
        shown = shell(place, f"zstd -lv {shlex.quote(store)}/objects/{name}").stdout.decode()
        assert "Check: XXH64" in shown
        assert "Decompressed Size:" in shown
        window = re.search(r"Window Size: [^(]*\((\d+) B\)", shown)
        assert int(window[1]) <= 8 << 20


def test_the_example_of_config_toml_holds(tmp_path):
    folder = tmp_path / "headroom"
    folder.mkdir()
    (folder / "config.toml").write_text(manual_files.CONFIG_EXAMPLE)
    known = {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    found = settings.resolve({}, known)
    assert (found.level, found.protect_tool, found.store) == ("balanced", ("Read", "Grep*"), "/var/tmp/headroom")
    assert (found.timeout, found.quiet) == (120, True)
    assert settings.resolve({"level": "max"}, {**known, "HEADROOM_LEVEL": "safe"}).level == "max"
    assert settings.resolve({}, {**known, "HEADROOM_LEVEL": "safe"}).level == "safe"
    assert settings.resolve({}, {**known, "HEADROOM_LEVEL": ""}).level == "balanced"


def test_the_page_of_config_toml_names_every_key_and_variable():
    page = (ROOT / "man/headroom-config.5").read_text()
    for row in settings.TABLE:
        assert f"Ev {row.variable}" in page
        if row.flags:
            assert f".It Ic {row.key} Pq" in page
