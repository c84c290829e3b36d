"""Two agents, as make clients installs them, each with a home of its own: whole conversations without a network.

agent = Claude(tmp_path)
run(agent, "why?", url)                      # what it printed
run(agent, "and then?", url, resumed=True)
"""

import itertools
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT
from provider import Reply, call, text

CONFIG = """
model = "gpt-5.5"
model_provider = "fake"
[model_providers.fake]
name = "fake"
base_url = "{url}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""
QUIET = {
    "DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_TELEMETRY": "1",
    "TZ": "UTC", "LC_ALL": "C.UTF-8", "NO_PROXY": "*",
}  # fmt: skip


def packages():
    """Return the folder with node_modules, or skip the test."""
    place = Path(os.environ.get("HEADROOM_TEST_CLIENTS") or ROOT / ".venv-clients") / "npm"
    if not (place / "node_modules").exists():
        pytest.skip("no packages from npm: make clients installs them")
    return place


def program(name):
    """Return the path of an agent's own program for this machine, or skip the test."""
    found = sorted(packages().glob(f"node_modules/@*/{name}*/**/{name.partition('-')[0]}"))
    runs = [path for path in found if path.is_file() and os.access(path, os.X_OK) and path.stat().st_size > 1 << 20]
    if not runs:
        pytest.skip(f"no {name} for this machine: make clients installs it")
    return str(runs[0])


class Claude:
    """Claude Code."""

    items = "messages"

    def __init__(self, home):
        self.home = home
        self.program = program("claude-code")

    def command(self, prompt, url, *, resumed):
        more = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "sk-ant-test"}
        flags = ["--model", "claude-opus-4-8", "--allowedTools", "Bash,Read", *(["--continue"] if resumed else [])]
        return [self.program, "-p", prompt, *flags], more

    def shell(self, number, command):
        return call(f"toolu_{number}", "Bash", {"command": command, "description": "look"})

    def read(self, number, path):
        return call(f"toolu_{number}", "Read", {"file_path": str(path)})


class Bedrock(Claude):
    """Claude Code, with its models from Bedrock."""

    def command(self, prompt, url, *, resumed):
        command, _ = super().command(prompt, url, resumed=resumed)
        more = {"CLAUDE_CODE_USE_BEDROCK": "1", "AWS_BEARER_TOKEN_BEDROCK": "token", "AWS_REGION": "us-east-1"}
        command[command.index("claude-opus-4-8")] = "us.anthropic.claude-opus-4-8"
        return command, {"ANTHROPIC_BEDROCK_BASE_URL": url, **more}


class Codex:
    """Codex."""

    items = "input"

    def __init__(self, home):
        self.home = home
        self.program = program("codex")

    def command(self, prompt, url, *, resumed):
        place = self.home / ".codex"
        place.mkdir(exist_ok=True)
        (place / "config.toml").write_text(CONFIG.format(url=url))
        flags = ["--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
        words = ["exec", "resume", "--last", *flags, prompt] if resumed else ["exec", *flags, prompt]
        return [self.program, *words], {"CODEX_HOME": str(place), "OPENAI_API_KEY": "sk-test"}

    def shell(self, number, command):
        return call(f"call_{number}", "exec_command", {"cmd": command})

    def read(self, number, path):
        return self.shell(number, f"cat {path}")


class Socket(Codex):
    """Codex over a WebSocket: the provider holds the conversation, each message has only what is new."""

    def command(self, prompt, url, *, resumed):
        made = super().command(prompt, url, resumed=resumed)
        with (self.home / ".codex" / "config.toml").open("a") as file:
            file.write("supports_websockets = true\n")
        return made


AGENTS = {"claude": Claude, "bedrock": Bedrock, "codex": Codex}


def run(agent, prompt, url, *, resumed=False, seconds=100):
    """Let an agent answer one prompt; return what it printed, or fail with what it said."""
    command, more = agent.command(prompt, url, resumed=resumed)
    work = agent.home / "work"
    work.mkdir(exist_ok=True)
    environment = {"HOME": str(agent.home), "PATH": os.environ["PATH"], **QUIET, **more}
    done = subprocess.run(
        command, env=environment, cwd=work, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, text=True
    )
    assert done.returncode == 0, f"{done.returncode}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


def of_the_conversation(record):
    """Return whether a request belongs to the conversation: agents ask for titles and the like as well."""
    request = record.json
    return record.what == "answer" and isinstance(request, dict) and len(request.get("tools") or ()) > 3


def script(*replies):
    """Return a script that gives these replies to the conversation's requests, and a word to others.

    One may be a function of the Record.
    """
    left = iter(replies)

    def reply(record):
        if not of_the_conversation(record):
            return Reply([text("ok")])
        made = next(left, None) or Reply([text("There is no more in the script.")])
        return made(record) if callable(made) else made

    return reply


def members(body):
    """Return the members of a JSON object as (name, bytes of its value as they stand)."""
    decoder = json.JSONDecoder()
    whole = body.decode()
    found = []
    at = _skip(whole, 0) + 1
    while whole[_skip(whole, at)] != "}":
        name, at = decoder.raw_decode(whole, _skip(whole, at))
        start = _skip(whole, _skip(whole, at) + 1)
        _, at = decoder.raw_decode(whole, start)
        found.append((name, whole[start:at]))
        at = _skip(whole, at)
        at += whole[at] == ","
    return found


def elements(array):
    """Return the elements of a JSON array as they stand."""
    decoder = json.JSONDecoder()
    found = []
    at = _skip(array, 1)
    while array[at] != "]":
        _, end = decoder.raw_decode(array, at)
        found.append(array[at:end])
        at = _skip(array, end)
        at = _skip(array, at + (array[at] == ","))
    return found


def _skip(whole, at):
    return re.compile(r"[ \t\r\n]*").match(whole, at).end()


# What an agent moves from one request to the next, and what a cache's key does not have; a text of a user that had one
# is written in a shorter form afterwards.
BREAKPOINT = re.compile(r',"cache_control":\{[^{}]*\}')
ALONE = re.compile(r'"content":\[\{"type":"text","text":("(?:[^"\\]|\\.)*")\}\]\}$')


def prefix(record, items):
    """Return (what stands before the conversation, the conversation's elements) of a request, as bytes of its JSON."""
    found = dict(members(record.body))
    head = [BREAKPOINT.sub("", found.get(name, "")) for name in ("system", "tools", "instructions")]
    return head, [ALONE.sub(r'"content":\1}', BREAKPOINT.sub("", element)) for element in elements(found[items])]


def assert_prefixes(records, items, *, ours=()):
    """Assert that each request begins with all that the one before it had, in the same bytes.

    ``ours`` are the numbers of those that the proxy made itself: they hold turns of the model as the provider said
    them, and the next one what the agent made of these: the same, but maybe with its members in another order.
    """
    made = [prefix(record, items) for record in records]
    pairs = [(made[index], made[index + 1], json.loads if index in ours else str) for index in range(len(made) - 1)]
    theirs = [each for index, each in enumerate(made) if index not in ours]
    pairs += [(one, other, str) for one, other in itertools.pairwise(theirs)]
    for (head, earlier), (next_head, later), read in pairs:
        assert next_head == head
        assert len(later) > len(earlier)
        for one, other in zip(earlier, later, strict=False):
            assert read(other) == read(one)
