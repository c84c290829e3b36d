"""Conversations that do not go straight on: interrupted, rewound, cleared, with another provider, without a disk."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import clean_environment
from provider import Fault, Provider, Reply, call, text, thinking
from talks import LOG, OURS, Talk, environment, handle_of

HANDLE = handle_of(LOG)


@pytest.fixture
def provider():
    with Provider() as made:
        yield made


@pytest.fixture
def ask(forked, provider):
    def run(talk, *flags):
        name = {"responses": "openai"}.get(talk.name, talk.name)
        flags = flags if "--backend" in flags else ("--backend", name, *flags)
        run.done = forked(
            "send", "--message", *flags, stdin=json.dumps(talk.request).encode(), env=environment(provider)
        )
        assert run.done.returncode == 0, run.done.stderr.decode()
        return json.loads(run.done.stdout)

    return run


def begun(name, ask, provider, *, streaming=True, signature="sig1"):
    talk = Talk(name, streaming=streaming).says("why does the build fail?")
    provider.script(Reply([thinking("hm", signature=signature), call("toolu_1", "Bash", {"command": "make"})]))
    return talk.heard(ask(talk)).result("toolu_1", LOG)


def sent(provider, back=1):
    return provider.requests[-back].json


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_conversation_whose_first_answer_was_interrupted_keeps_the_tool(ask, provider, tmp_path, sign):
    talk = Talk("anthropic", streaming=True).says("why?")
    provider.script(Reply([text("I look at the log now. ", 3)], pieces=5, fault=Fault("stall", events=6)))
    process = subprocess.Popen(
        [sys.executable, "-m", "headroom_cli", "send"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path,
        env=clean_environment(tmp_path, **environment(provider)), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with process:
        process.stdin.write(json.dumps(talk.request).encode())
        process.stdin.close()
        os.read(process.stdout.fileno(), 10)
        time.sleep(0.5)
        process.send_signal(sign)
        process.stdout.read()
        assert process.wait(10) == (130 if sign == signal.SIGINT else -sign)
    talk.heard({"content": [{"type": "text", "text": "I look"}]}).says("go on")
    provider.script(Reply([text("ok")]))
    ask(talk)
    assert talk.declared(sent(provider)) == ["Bash", OURS]


def test_a_first_request_that_failed_begins_nothing(ask, provider, forked):
    talk = Talk("anthropic").says("why?")
    provider.script(Reply(status=500))
    for flags in ((), ("--dry-run",)):
        forked("send", *flags, stdin=json.dumps(talk.request).encode(), env=environment(provider))
    provider.script(Reply([text("ok")]))
    talk.heard({"content": [{"type": "text", "text": "said elsewhere"}]}).says("and?")
    ask(talk)
    assert talk.declared(sent(provider)) == ["Bash"]


def test_the_same_words_without_tools_do_not_take_the_tool_away(ask, provider):
    provider.script(Reply([text("It is the disk.")]))
    talk, other = Talk("anthropic").says("why?"), Talk("anthropic", tools=()).says("why?")
    talk.heard(ask(talk)).says("sure?")
    ask(other)
    ask(talk)
    assert talk.declared(sent(provider)) == ["Bash", OURS]
    other.heard({"content": [{"type": "text", "text": "It is the disk."}]}).says("sure?")
    ask(other)
    assert "tools" not in sent(provider)


@pytest.mark.parametrize("to", ["openai", "anthropic"])
def test_another_provider_gets_its_own_tools_alone(ask, provider, to):
    name = "anthropic" if to == "openai" else "openai"
    talk = Talk(name, streaming=False).says("why?")
    provider.script(Reply([call("toolu_1", "Bash", {"command": "make"})]))
    talk.heard(ask(talk)).result("toolu_1", LOG)
    provider.script(Reply([text("ok")]))
    ask(talk, "--backend", to, *(("--from", name) if name == "openai" else ()))
    shapes = {frozenset(tool) for tool in sent(provider)["tools"]}
    assert len(shapes) == 1


@pytest.mark.parametrize("name", ["anthropic", "openai", "responses"])
def test_a_rewound_conversation_gets_no_hidden_turn_of_the_other_branch(ask, provider, name):
    talk = begun(name, ask, provider)
    items = json.loads(json.dumps(talk.items))
    provider.script(Reply([call("r1", OURS, {"handle": HANDLE, "lines": "1"})]), Reply([text("Done.")]))
    talk.heard(ask(talk)).says("thanks")
    talk.items = items
    provider.script(Reply([text("Done.")]))
    talk.heard(ask(talk)).says("and now?")
    ask(talk)
    assert '"r1"' not in provider.requests[-1].body.decode()


def test_an_original_whose_output_the_client_cleared_can_still_be_asked_for(ask, provider):
    talk = begun("anthropic", ask, provider)
    provider.script(Reply([text("Seen.")]))
    talk.heard(ask(talk)).says("and worker 77?")
    talk.items[2]["content"][0]["content"] = "[cleared]"
    provider.script(Reply([call("r1", OURS, {"handle": HANDLE, "grep": "worker 77 "})]), Reply([text("ok")]))
    ask(talk)
    assert talk.results(sent(provider))["r1"].endswith("worker 77 took batch 2849\n")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="only root can write what it may not")
def test_a_store_that_cannot_be_written_any_more_still_says_what_was_said(ask, provider, tmp_path):
    talk = begun("anthropic", ask, provider)
    provider.script(Reply([text("Seen. "), call("toolu_2", "Bash", {"command": "df"})]))
    talk.heard(ask(talk)).result("toolu_2", LOG.replace("worker", "runner"))
    before = talk.turns(sent(provider))
    store = tmp_path / ".local/share/headroom/store"
    for path in [store, *(path for path in store.rglob("*") if path.is_dir())]:
        path.chmod(0o500)
    provider.script(Reply([text("ok")]))
    ask(talk)
    for path in [store, *(path for path in store.rglob("*") if path.is_dir())]:
        path.chmod(0o700)
    after = talk.turns(sent(provider))
    assert after[: len(before)] == before
    assert "runner 899 took" in json.dumps(after)
    assert talk.declared(sent(provider)) == ["Bash", OURS]
    assert b"nothing new was compressed" in ask.done.stderr


def test_a_store_that_fails_in_the_middle_still_says_what_was_said(tmp_path):
    from headroom_cli import engine
    from headroom_cli.errors import StoreError
    from headroom_cli.model import Policy
    from headroom_cli.stages import Prepared
    from headroom_cli.store import Store

    def sending(_document, _notes):
        return Prepared([], "shell")

    store = Store(str(tmp_path / "store"))
    turns = [
        {"role": "user", "content": "why?"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "a", "name": "Bash", "input": {"command": "make"}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": LOG}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "b", "name": "Bash", "input": {"command": "df"}}]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "b", "content": LOG.replace("worker", "w")}],
        },
    ]
    first = json.loads(engine.crush(json.dumps({"messages": turns[:3], "system": "x"}).encode(), Policy(), store).data)

    class Full(Store):
        def put(self, entries):
            raise StoreError("no space left")

        def remember(self, shard, pairs, *, durable=True):
            raise StoreError("no space left")

    store = Full(store.root)
    result = engine.crush(json.dumps({"messages": turns, "system": "x"}).encode(), Policy(), store, prepare=sending)
    second = json.loads(result.data)
    assert second["messages"][2]["content"][0]["content"] == first["messages"][2]["content"][0]["content"]
    assert second["messages"][4]["content"][0]["content"] == turns[4]["content"][0]["content"]
    assert isinstance(result.failure, StoreError)
    fresh = json.dumps({"messages": turns, "system": "y"}).replace("why?", "what?").encode()
    assert engine.crush(fresh, Policy(), store, prepare=sending).data == fresh
    # A filter's output must lead back to its input, also then.
    whole = json.dumps({"messages": turns, "system": "x"}).encode()
    assert engine.crush(whole, Policy(), store).data == whole


def test_a_saved_request_for_bedrock_expands_with_its_hidden_turns(ask, provider, forked, tmp_path):
    talk = begun("bedrock", ask, provider)
    provider.script(Reply([text("x "), call("r1", OURS, {"handle": HANDLE, "lines": "1"})]), Reply([text("y")]))
    talk.heard(ask(talk)).says("go on")
    provider.script(Reply([text("z")]))
    ask(talk, "--save", "sent.json")
    assert (tmp_path / "sent.json").read_bytes() == provider.requests[-1].body
    assert forked("retrieve", "--expand", "sent.json").stdout == json.dumps(talk.request).encode()


@pytest.mark.parametrize("change", [{"n": 2}, {"background": True}])
def test_where_nobody_could_answer_a_call_there_is_no_tool(forked, provider, change):
    talk = Talk("openai" if "n" in change else "responses").says("why?")
    forked(
        "send", "--backend", "openai", stdin=json.dumps({**talk.request, **change}).encode(), env=environment(provider)
    )
    assert talk.declared(sent(provider)) == ["Bash"]


def test_a_chat_client_of_claude_gets_its_usage(forked, provider):
    talk = Talk("openai", streaming=True).says("hi")
    done = forked(
        "send", "--backend", "anthropic", "--from", "openai", stdin=json.dumps(talk.request).encode(),
        env=environment(provider),
    )  # fmt: skip
    assert b'"prompt_tokens":12' in done.stdout


def test_our_tool_is_not_repeated_to_a_client_of_responses(ask, provider):
    for streaming in (True, False):
        talk = Talk("responses", streaming=streaming).says("why?")
        provider.script(Reply([text("ok")]))
        message = ask(talk)
        assert talk.declared(sent(provider)) == ["Bash", OURS]
        assert OURS not in json.dumps(message)
