"""An agent behind ``headroom wrap``: a proxy of its own, its own settings, nothing left behind."""

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from agents import QUIET, Claude, Codex, of_the_conversation, script
from conftest import clean_environment
from provider import Provider, Reply, text

from headroom_cli.cli import _child, clients
from headroom_cli.errors import ConfigError

PYTHON = sys.executable
URL = "http://127.0.0.1:1"
TO_COME = 30  # seconds that what must happen may take on a busy machine
LOG = "".join(f"2026-01-01T00:{i // 60:02d}:{i % 60:02d}Z INFO worker {i} took batch {i * 37}\n" for i in range(450))
LOG += "2026-01-01T00:15:00Z ERROR worker 31: no space left on device\n"
ANSWER = "The disk is full."
HANDLE = re.compile(r"<<headroom:([a-z2-7]{12,}) ")


def until(holds, what):
    end = time.monotonic() + TO_COME
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            return stream.read().rpartition(b")")[2].split()[0] not in {b"Z", b"X"}
    except FileNotFoundError:
        return False


def wrapped(*words):
    return [PYTHON, "-m", "headroom_cli", "wrap", *words]


def tree(place):
    """Return all files below a folder, with what they hold."""
    return {path: path.read_bytes() if path.is_file() else None for path in sorted(Path(place).rglob("*"))}


# --- what is changed for whom


def test_claude_code_gets_an_address_and_tool_search():
    plan = clients.CLIENTS["claude"].plan(["-p", "hi"], URL, {}, "headroom")
    assert plan.environment == {
        "ANTHROPIC_BASE_URL": URL, "ANTHROPIC_BEDROCK_BASE_URL": URL, "ENABLE_TOOL_SEARCH": "true",
    }  # fmt: skip
    assert plan.words == ["claude", "--append-system-prompt", clients.TOLD.format("headroom"), "-p", "hi"]
    assert plan.can_redeem
    assert plan.upstream == {}
    given = {"ENABLE_TOOL_SEARCH": "auto:5", "ANTHROPIC_BASE_URL": "https://gateway.test/"}
    plan = clients.CLIENTS["claude"].plan(["--append-system-prompt", "mine"], URL, given, "headroom")
    assert "ENABLE_TOOL_SEARCH" not in plan.environment
    assert plan.words == ["claude", "--append-system-prompt", "mine"]
    assert not plan.can_redeem
    assert plan.upstream == {"ANTHROPIC_TARGET_API_URL": "https://gateway.test"}


def test_an_address_that_is_set_becomes_the_proxys():
    plan = clients.CLIENTS["aider"].plan([], URL, {"OPENAI_API_BASE": "https://gateway.test/v1"})
    assert plan.environment["OPENAI_API_BASE"] == plan.environment["OPENAI_BASE_URL"] == f"{URL}/v1"
    assert plan.upstream == {"OPENAI_TARGET_API_URL": "https://gateway.test"}
    # What the user told the proxy counts more, an address without a version cannot be taken over.
    given = {"OPENAI_BASE_URL": "https://gateway.test/v1", "OPENAI_TARGET_API_URL": "https://other.test"}
    assert clients.CLIENTS["aider"].plan([], URL, given).upstream == {}
    plan = clients.CLIENTS["aider"].plan([], URL, {"OPENAI_BASE_URL": "https://gateway.test/openai"})
    assert "OPENAI_BASE_URL" not in plan.environment
    assert "https://gateway.test/openai" in plan.notes[0]
    with pytest.raises(ConfigError, match="two addresses"):
        clients.CLIENTS["aider"].plan([], URL, {"OPENAI_BASE_URL": "http://a/v1", "OPENAI_API_BASE": "http://b/v1"})


def overrides(plan):
    """Return what the command line of Codex sets."""
    return [value for flag, value in zip(plan.words, plan.words[1:], strict=False) if flag == "-c"]


def test_codex_is_told_on_its_command_line(tmp_path):
    given = {"CODEX_HOME": str(tmp_path)}
    codex = clients.CLIENTS["codex"]
    plan = codex.plan(["exec", "hi"], URL, given, "/opt/headroom")
    told = clients.TOLD.format("/opt/headroom")
    assert overrides(plan) == [f'openai_base_url="{URL}/v1"', f'developer_instructions="{told}"']
    assert plan.words[-2:] == ["exec", "hi"]
    assert overrides(codex.plan(["exec", "hi"], URL, given)) == [f'openai_base_url="{URL}/v1"']
    (tmp_path / "auth.json").write_text(json.dumps({"OPENAI_API_KEY": None, "tokens": {"access_token": "x"}}))
    assert f'openai_base_url="{URL}/backend-api/codex"' in overrides(codex.plan([], URL, given))
    (tmp_path / "config.toml").write_text(
        'model_provider = "mine"\n[model_providers.mine]\nbase_url = "https://gateway.test/v1"\n'
        '[model_providers.odd]\nbase_url = "https://gateway.test/openai"\n[profiles.o]\nmodel_provider = "odd"\n'
    )
    plan = codex.plan([], URL, given)
    assert f'model_providers.mine.base_url="{URL}/v1"' in overrides(plan)
    assert plan.upstream == {"OPENAI_TARGET_API_URL": "https://gateway.test"}
    for words in (["-p", "o"], ["-c", "model_provider=odd"]):
        plan = codex.plan(words, URL, given)
        assert plan.upstream == {}
        assert "gateway.test/openai" in plan.notes[0]
    (tmp_path / "config.toml").write_text("= nothing")
    with pytest.raises(ConfigError, match="Codex cannot read it"):
        codex.plan([], URL, given)


def test_opencode_keeps_what_it_was_configured_with():
    mine = {"model": "x", "provider": {"openai": {"options": {"baseURL": "https://gateway.test/v1", "timeout": 5}}}}
    plan = clients.CLIENTS["opencode"].plan([], URL, {"OPENCODE_CONFIG_CONTENT": json.dumps(mine)})
    config = json.loads(plan.environment["OPENCODE_CONFIG_CONTENT"])
    assert config["model"] == "x"
    assert config["provider"]["openai"]["options"] == {"baseURL": f"{URL}/v1", "timeout": 5}
    assert config["provider"]["anthropic"]["options"] == {"baseURL": f"{URL}/v1"}
    assert plan.upstream == {"OPENAI_TARGET_API_URL": "https://gateway.test"}
    for wrong in ("{", "[]", '{"provider": 5}'):
        with pytest.raises(ConfigError, match="OPENCODE_CONFIG_CONTENT"):
            clients.CLIENTS["opencode"].plan([], URL, {"OPENCODE_CONFIG_CONTENT": wrong})


# --- how it starts and ends

ASK = """
import json, os, urllib.request
request = {"model": "claude-opus-4-8", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
asked = urllib.request.Request(
    os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", json.dumps(request).encode(),
    {"content-type": "application/json", "x-api-key": "k", "anthropic-version": "2023-06-01"},
)
print(json.load(urllib.request.urlopen(asked))["content"][0]["text"])
"""


@pytest.fixture
def home(tmp_path):
    """Make a home with settings of clients in it."""
    for name in (".claude/settings.json", ".codex/config.toml", ".config/opencode/opencode.json"):
        (tmp_path / "home" / name).parent.mkdir(parents=True)
        (tmp_path / "home" / name).write_text("")
    return tmp_path / "home"


def test_a_request_goes_through_and_nothing_is_written_but_the_store(home, tmp_path):
    before = tree(home)
    with Provider() as provider:
        provider.script(lambda _record: Reply([text("Hello.")]))
        environment = clean_environment(
            home, HEADROOM_STORE=str(tmp_path / "store"), ANTHROPIC_BASE_URL=provider.url, NO_PROXY="*",
            PYTHONDONTWRITEBYTECODE="1",
        )  # fmt: skip
        done = subprocess.run(
            wrapped("-v", "--", PYTHON, "-c", ASK), env=environment, cwd=home, capture_output=True, timeout=TO_COME
        )
        assert len(provider.requests) == 1
    assert (done.returncode, done.stdout) == (0, b"Hello.\n"), done.stderr
    assert re.fullmatch(rb"headroom wrap: \S+, 1 request, \d+ -> \d+ tokens.*\n", done.stderr)
    assert tree(home) == before
    lines = [
        json.loads(line) for path in (tmp_path / "store").rglob("ledger/*") for line in path.read_text().splitlines()
    ]
    assert [line["verb"] for line in lines] == ["proxy"]


@pytest.fixture
def client(tmp_path):
    """Start a client that says where its proxy is and goes on; give it, and the ids of the proxy's processes."""
    started = []

    def start(program="sleep 600", **options):
        line = f'echo "$ANTHROPIC_BASE_URL" > url.new; mv url.new url; exec {program}'
        process = subprocess.Popen(
            wrapped("--", "sh", "-c", line), env=clean_environment(tmp_path), cwd=tmp_path, **options
        )
        started.append(process)
        until((tmp_path / "url").exists, "no proxy")
        return process, below(process.pid)

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def below(pid):
    """Return the ids of the processes below one, and what they run."""
    found = {}
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path("/proc", entry, "stat").read_bytes().rpartition(b")")[2].split()
                parents[int(entry)] = int(stat[1])
            except OSError:
                continue
    for one in parents:
        above = one
        while above in parents and above != pid:
            above = parents[above]
        if above == pid and one != pid:
            with contextlib.suppress(OSError):  # it has ended
                found[one] = Path("/proc", str(one), "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def the(words, processes):
    return next(pid for pid, command in processes.items() if words in command)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_all_ends_when_we_are_killed(client):
    process, processes = client()
    assert the("headroom_cli proxy", processes)
    assert the("sleep 600", processes)
    process.kill()
    until(lambda: not any(is_running(pid) for pid in processes), f"left: {processes}")


def test_a_guard_ends_a_process_when_its_pipe_closes(tmp_path):
    """This is what stands in where the system has no signal for the death of a parent."""
    sleeping = subprocess.Popen(["sleep", "600"])
    pid, writer = _child.guard(sleeping.pid, clean_environment(tmp_path))
    assert sleeping.poll() is None
    os.close(writer)
    assert sleeping.wait(TO_COME) == -signal.SIGTERM
    os.waitpid(pid, 0)


def test_the_proxy_ends_with_the_client(client):
    process, processes = client()
    os.kill(the("sleep 600", processes), signal.SIGKILL)
    assert process.wait(TO_COME) == -signal.SIGKILL
    until(lambda: not any(is_running(pid) for pid in processes), f"left: {processes}")


def test_a_signal_is_passed_on_and_the_proxy_stays_until_the_client_ends(client, tmp_path):
    program = f"{PYTHON} -c " + shlex.quote(
        "import os, signal, time, urllib.request\n"
        "def told(*_):\n"
        " open('answer', 'wb').write(urllib.request.urlopen(os.environ['ANTHROPIC_BASE_URL'] + '/livez').read())\n"
        " os._exit(6)\n"
        "signal.signal(signal.SIGTERM, told)\nopen('ready', 'w')\nwhile True: time.sleep(1)"
    )
    process, processes = client(program)
    until((tmp_path / "ready").exists, "not ready")
    process.terminate()
    assert process.wait(TO_COME) == 6
    assert (tmp_path / "answer").read_bytes()
    until(lambda: not any(is_running(pid) for pid in processes), f"left: {processes}")


def test_what_keeps_a_proxy_from_starting_is_said(tmp_path, home):
    (tmp_path / "file").write_text("")
    ran = tmp_path / "ran"
    for flags in (["--backend", "nobody"], ["--port", "1"]) if os.getuid() else (["--backend", "nobody"],):
        done = subprocess.run(
            wrapped(*flags, "--", "touch", str(ran)), env=clean_environment(home), capture_output=True, timeout=TO_COME
        )
        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (78, b"", 1), done.stderr
        assert not ran.exists()


def test_settings_reach_the_proxy(tmp_path):
    done = subprocess.run(
        wrapped("--quiet", "--level", "max", "--only", "log,json", "--protect-tool=Read,Grep*", "--", "ps", "-efww"),
        env=clean_environment(tmp_path), cwd=tmp_path, capture_output=True, timeout=TO_COME,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    line = next(
        line for line in done.stdout.decode().splitlines() if "headroom_cli proxy" in line and "--level=max" in line
    )
    for flag in ("--quiet", "--level=max", "--only=json,log", "--protect-tool=Read,Grep*", "--redeem=tool", "--port 0"):
        assert flag in line


# --- real agents


class OpenAI(Codex):
    """Codex without a provider of its own in its settings."""

    def command(self, prompt, url, *, resumed):
        words, more = super().command(prompt, url, resumed=resumed)
        (self.home / ".codex" / "config.toml").write_text('model = "gpt-5.5"\n')
        return words, {**more, "OPENAI_BASE_URL": f"{url}/v1"}


@pytest.mark.parametrize(
    ("kind", "way"),
    [(Claude, "shell"), (Codex, "shell"), pytest.param(Claude, "tool", marks=pytest.mark.long), (OpenAI, "shell")],
)
def test_a_whole_conversation(kind, way, tmp_path):
    """The log is shortened; the original is asked for, and given, on the way that was chosen.

    Codex speaks to OpenAI over a WebSocket: what it sends is what is new, and no tool of ours can be in it.
    """
    home = tmp_path / "home"
    (home / "work").mkdir(parents=True)
    (home / "work" / "build.log").write_text(LOG)
    agent = kind(home)
    seen = []

    def ask(record):
        body = record.body.decode().replace("\\u003c", "<")
        seen.append(HANDLE.search(body)[1])
        began = "".join(one.body.decode() for one in provider.requests)
        told = re.search(r"`(\S*headroom) retrieve HANDLE`", began)[1]
        return Reply([agent.shell(2, f"{told} retrieve {seen[0]} --grep 'worker 200 '")])

    with Provider() as provider:
        first = Reply([text("I look."), agent.shell(1, "cat build.log")])
        whole = script(first, *([ask] if way == "shell" else []), Reply([text(ANSWER)]))
        # Codex opens its WebSocket with a request that asks for no answer.
        provider.script(lambda record: Reply([]) if record.json.get("generate") is False else whole(record))
        words, more = agent.command("Why does the build fail?", provider.url, resumed=False)
        before = tree(home / ".codex") if kind is not Claude else {}
        path = os.pathsep.join((str(Path(words[0]).parent), os.environ["PATH"]))
        environment = {**clean_environment(home), "PATH": path, **QUIET, **more, "HEADROOM_STORE": str(tmp_path / "s")}
        flags = ["--redeem", "tool"] if way == "tool" else []
        done = subprocess.run(
            wrapped("-v", *flags, Path(words[0]).name, "--", *words[1:]), env=environment, cwd=home / "work",
            stdin=subprocess.DEVNULL, capture_output=True, timeout=100, text=True,
        )  # fmt: skip
        requests = [record for record in provider.requests if of_the_conversation(record)]
        assert provider.accepted == len(provider.asked)
    assert done.returncode == 0, done.stderr[-3000:]
    assert ANSWER in done.stdout
    assert f"headroom wrap: {clients.CLIENTS[Path(words[0]).name].title}, " in done.stderr
    sent = "".join(record.body.decode() for record in requests[: -1 if way == "shell" else None])
    assert "no space left on device" in sent
    assert LOG.splitlines()[200] not in sent
    tools = [tool.get("name") for tool in requests[-1].json["tools"]]
    assert ("retrieve_original_content" in tools) is (way == "tool")
    if way == "shell":
        assert seen
        assert LOG.splitlines()[200] in requests[-1].body.decode()  # what the agent's own shell printed
    began = "".join(record.body.decode() for record in requests[:2])
    assert ("headroom retrieve HANDLE" in began) is (way != "tool")
    after = tree(home / ".codex") if kind is not Claude else {}
    assert {path: data for path, data in after.items() if path.name == "config.toml"} == {
        path: data for path, data in before.items() if path.name == "config.toml"
    }
