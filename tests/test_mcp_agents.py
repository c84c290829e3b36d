"""Agents from npm with our server in their own configuration, put there by our own verb: they call it and go on."""

import json
import os
import subprocess
import sys

import pytest
from agents import Claude, Codex, of_the_conversation, run, script
from conftest import ROOT, clean_environment
from mcp_servers import LOG, handle_in
from provider import Provider, Reply, call, text

CHILD = [sys.executable, str(ROOT / "tests" / "mcp_child.py")]


class Mcp(Claude):
    """Claude Code that may use the tools of MCP servers unasked."""

    def command(self, prompt, url, *, resumed):
        command, more = super().command(prompt, url, resumed=resumed)
        allowed = ["WaitForMcpServers", *(f"mcp__{server}__{tool}" for server, tool in self.tools)]
        command[command.index("Bash,Read")] = ",".join(allowed)
        return command, more


def talk(agent, *replies):
    """Hold a conversation; return its requests."""
    with Provider() as provider:
        # It begins before its servers are there, and has a tool to wait for them.
        provider.script(script(Reply([call("toolu_0", "WaitForMcpServers", {})]), *replies, Reply([text("done")])))
        assert "done" in run(agent, "look at the log", provider.url)
        return [record for record in provider.requests if of_the_conversation(record)]


def result_in(record):
    """Return the result that a request carries for the newest call."""
    parts = [part for turn in record.json["messages"] if turn["role"] == "user" for part in turn["content"]]
    content = [part["content"] for part in parts if isinstance(part, dict) and part.get("type") == "tool_result"][-1]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


@pytest.mark.long
def test_claude_code_shortens_and_retrieves(tmp_path, headroom):
    agent = Mcp(tmp_path)
    agent.tools = [("headroom", "headroom_compress"), ("headroom", "headroom_retrieve")]
    assert headroom("mcp", "install", "--client", "claude", "--yes").returncode == 0

    def second(record):
        agent.first = json.loads(result_in(record))  # it shows the model the structured result
        assert agent.first["shortened"]
        assert "no space left on device" in agent.first["text"]
        handle = handle_in(agent.first["text"])
        return Reply([call("toolu_2", "mcp__headroom__headroom_retrieve", {"handle": handle, "grep": "worker 44 "})])

    records = talk(agent, Reply([call("toolu_1", "mcp__headroom__headroom_compress", {"content": LOG})]), second)
    assert result_in(records[-1]).strip() == next(line for line in LOG.splitlines() if "worker 44 " in line)
    names = [tool["name"] for tool in records[-1].json["tools"] if tool["name"].startswith("mcp__")]
    assert sorted(names) == [f"mcp__headroom__headroom_{verb}" for verb in ("compress", "retrieve", "stats")]
    assert headroom("mcp", "uninstall", "--client", "claude", "--yes").returncode == 0
    assert "headroom" not in json.loads((tmp_path / ".claude.json").read_text()).get("mcpServers", {})


@pytest.mark.long
@pytest.mark.parametrize("tool", ["log", "told"])
def test_claude_code_with_a_wrapped_server(tmp_path, tool):
    agent = Mcp(tmp_path)
    agent.tools = [("theirs", tool), ("theirs", "headroom_retrieve")]
    wrap = ["-m", "headroom_cli", "mcp", "wrap", "--", *CHILD]
    server = {"type": "stdio", "command": sys.executable, "args": wrap, "env": {"PYTHONPATH": str(ROOT)}}
    (tmp_path / ".claude.json").write_text(json.dumps({"mcpServers": {"theirs": server}}))

    def second(record):
        shown = result_in(record)
        assert "no space left on device" in shown
        assert len(shown) < len(LOG) / 5
        return Reply([call("toolu_2", "mcp__theirs__headroom_retrieve", {"handle": handle_in(shown)})])

    records = talk(agent, Reply([call("toolu_1", f"mcp__theirs__{tool}", {})]), second)
    assert result_in(records[-1]) == LOG


class Installed(Codex):
    """Codex whose configuration our verb has changed."""

    def command(self, prompt, url, *, resumed):
        made = super().command(prompt, url, resumed=resumed)
        assert self.headroom("mcp", "install", "--client", "codex", "--yes").returncode == 0
        return made


@pytest.mark.long
def test_codex_shortens(tmp_path, headroom):
    agent = Installed(tmp_path)
    agent.headroom = headroom
    answers = []

    def reply(record):
        if not of_the_conversation(record):
            return Reply([text("ok")])
        outputs = {item["call_id"]: item["output"] for item in record.json["input"] if "output" in item}
        if "the_call" in outputs:
            answers.append(outputs["the_call"])
            return Reply([text("done")])
        if b"mcp__headroom" not in record.body:  # its servers start while it works
            return Reply([agent.shell(len(outputs), "sleep 0.5")])
        return Reply([call("the_call", "headroom_compress", {"content": LOG}, namespace="mcp__headroom")])

    with Provider() as provider:
        provider.script(reply)
        assert "done" in run(agent, "look at the log", provider.url)
    assert "no space left on device" in answers[0]
    assert len(answers[0]) < len(LOG) / 5
    assert handle_in(answers[0])


@pytest.mark.parametrize("client", ["claude", "codex"])
@pytest.mark.long
def test_clients_read_what_install_wrote(tmp_path, headroom, client):
    program = (Claude if client == "claude" else Codex)(tmp_path).program
    assert headroom("mcp", "install", "--client", client, "--yes").returncode == 0
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    command = [program, "mcp", "get", "headroom"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "headroom" in done.stdout
    assert "mcp" in done.stdout
    if client == "claude":  # it starts the server to see whether it answers
        assert "onnected" in done.stdout, done.stdout
    assert clean_environment(tmp_path)["HOME"] == str(tmp_path)
