"""`headroom send` as a user meets it: what goes out, what comes back in each way of writing it, keys, misuse."""

import json
import re
import subprocess
import sys

import pytest
from conftest import ROOT, clean_environment
from provider import Provider, Reply, call, text, thinking
from talks import LOG, MODEL, NAMES, OURS, Talk, environment, handle_of

KEYS = ("sk-ant-canary", "sk-canary", "sk-or-canary", "bedrock-canary")


@pytest.fixture
def provider():
    with Provider() as made:
        yield made


@pytest.fixture
def send(forked, provider):
    def run(data, *flags, env=None):
        stdin = data if isinstance(data, bytes) else json.dumps(data).encode()
        return forked("send", *flags, stdin=stdin, env={**environment(provider), **(env or {})})

    return run


def backend(name):
    return {"responses": "openai"}.get(name, name)


# --- what goes out


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_do_means_the_clients_bytes(send, provider, name):
    key = "input" if name == "responses" else "messages"
    max_tokens = '"max_tokens":10,' if name in {"anthropic", "bedrock"} else ""
    body = (
        f'{{ "model":"{MODEL}" ,{max_tokens}\n "{key}":[{{"role":"user","content":"caf\\u00e9 \\/ \U0001f600"}}],\t'
        '"unknown":{"b":1.10,"a":1E400,"n":123456789012345678901234567890}, "stream":false}'
    ).encode()
    done = send(body, "--backend", backend(name))
    assert done.returncode == 0, done.stderr.decode()
    sent = provider.requests[-1].body
    if name != "bedrock":
        assert sent == body
        return
    # The model is in the address, and what streams is another address: the rest is the client's.
    assert provider.requests[-1].path == f"/model/{MODEL}/invoke"
    assert sent == body.replace(f'"model":"{MODEL}" ,'.encode(), b"").replace(
        b', "stream":false}', b',"anthropic_version":"bedrock-2023-05-31"}'
    )


def test_the_answer_is_the_providers_bytes(send, provider):
    answer = b'{ "id":"msg_1","type":"message","role":"assistant","content":[], "usage":{"input_tokens":1.0}}\r\n'
    provider.script(Reply(body=answer))
    assert send(Talk("anthropic").says("hi").request).stdout == answer
    events = b'event: odd\r\ndata: {"type":"odd"}\r\n\r\n: comment\n\n'
    events += b'event: message_stop\ndata: {"type": "message_stop"}\n\n'
    provider.script(Reply(body=events, kind="text/event-stream; charset=utf-8"))
    assert send(Talk("anthropic", streaming=True).says("hi").request).stdout == events


def test_a_provider_that_answers_whole_to_a_stream_is_understood(send, provider):
    answer = b'{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"ok"}],"usage":{}}'
    provider.script(Reply(body=answer))
    done = send(Talk("anthropic", streaming=True).says("hi").request, "--text")
    assert (done.returncode, done.stdout) == (0, b"ok\n")


@pytest.mark.parametrize("kind", ["text/event-stream", "text/plain", "application/octet-stream", ""])
@pytest.mark.parametrize("lead", [b"", b"\n "])
def test_a_whole_answer_is_one_whatever_it_is_called(send, provider, kind, lead):
    answer = b'{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"ok"}],"usage":{}}'
    provider.script(Reply(body=lead + answer, kind=kind))
    done = send(Talk("anthropic", streaming=True).says("hi").request, "--text")
    assert (done.returncode, done.stdout) == (0, b"ok\n")
    provider.script(Reply(body=b"<html><body>Bad gateway</body></html>", kind=kind))
    done = send(Talk("anthropic", streaming=True).says("hi").request)
    assert done.returncode == 76
    assert b"Bad gateway" in done.stdout


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("streaming", [True, False], ids=["stream", "whole"])
def test_three_ways_to_write_an_answer(send, provider, name, streaming):
    said = "Grüße aus der Küche, \U0001f600."
    provider.script(Reply([thinking("hm"), text(said), call("c1", "Bash", {"command": "ls"})]))
    talk = Talk(name, streaming=streaming).says("hi")
    plain = send(talk.request, "--backend", backend(name))
    assert plain.returncode == 0, plain.stderr.decode()
    assert plain.stdout.startswith(b"{") != streaming
    words = send(talk.request, "--backend", backend(name), "--text")
    assert words.stdout.decode() == said + "\n"
    message = json.loads(send(talk.request, "--backend", backend(name), "--message").stdout)
    assert talk.texts(message) == words.stdout.decode().rstrip("\n")
    assert talk.calls(message) == [("c1", "Bash")]
    if not streaming:
        assert message == json.loads(plain.stdout) or message["id"] != json.loads(plain.stdout)["id"]


def test_a_text_becomes_a_question_about_it(send, provider):
    done = send(LOG.encode(), "--model", MODEL, "--prompt", "what went wrong?", "--text")
    assert done.stdout == b"ok\n", done.stderr.decode()
    sent = provider.requests[-1].json
    assert sent["model"] == MODEL
    assert sent["max_tokens"] == 8192
    asked, log = sent["messages"][0]["content"]
    assert asked["text"] == "what went wrong?"
    assert "no space left on device" in log["text"]
    assert len(log["text"]) < len(LOG) / 4
    assert [tool["name"] for tool in sent["tools"]] == [OURS]
    assert f"<<headroom:{handle_of(LOG)} " in log["text"]


def test_the_model_may_ask_for_the_original_of_a_text(send, provider):
    provider.script(
        Reply([call("r1", OURS, {"handle": handle_of(LOG), "grep": "worker 77 "})]), Reply([text("batch 2849")])
    )
    assert send(LOG.encode(), "--model", MODEL, "--backend", "openai", "--text").stdout == b"batch 2849\n"
    assert provider.requests[-1].json["messages"][-1]["content"].endswith("worker 77 took batch 2849\n")


def test_a_short_text_goes_as_it_is(send, provider):
    assert send(b"hello\n", "--model", MODEL).returncode == 0
    sent = provider.requests[-1].json
    assert sent["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hello\n"}]}]
    assert "tools" not in sent


@pytest.mark.parametrize("name", ["anthropic", "openai", "responses"])
def test_a_list_of_messages_gets_a_request_around_it(send, provider, name):
    talk = Talk(name).says("hi")
    talk.items[0]["n"] = 1
    assert send(talk.items, "--backend", backend(name), "--model", MODEL).returncode == 0
    sent = provider.requests[-1].json
    assert sent["input" if name == "responses" else "messages"] == talk.items
    lines = "".join(json.dumps(item) + "\n" for item in talk.says("more").items).encode()
    if name != "anthropic":
        assert send(lines, "--backend", backend(name), "--model", MODEL).returncode == 0


def test_a_first_request_of_one_text_gets_the_tool_as_well(send, provider):
    request = {"model": MODEL, "input": "why?", "tools": Talk("responses").tools}
    assert send(request).returncode == 0
    sent = provider.requests[-1].json
    assert sent["input"] == [{"type": "message", "role": "user", "content": "why?"}]
    assert Talk("responses").declared(sent) == ["Bash", OURS]
    del request["tools"]
    send(request)
    assert provider.requests[-1].json == request


def test_a_dry_run_writes_the_request_and_what_it_saves(send, provider):
    talk = Talk("anthropic").says("why?")
    provider.script(Reply([call("c1", "Bash", {"command": "make"})]))
    talk.heard(json.loads(send(talk.request, "--message").stdout)).result("c1", LOG)
    done = send(talk.request, "--dry-run")
    assert len(provider.requests) == 1
    assert talk.declared(json.loads(done.stdout)) == ["Bash", OURS]
    assert re.search(rb"headroom send: \d+ blocks, 2\d,\d{3} -> \d{3} tokens", done.stderr)
    report = json.loads(send(talk.request, "--dry-run", "--json").stderr)
    assert report["tokens_after"] < report["tokens_before"] / 10
    assert send(talk.request, "--dry-run", "-q").stderr == b""
    provider.script(Reply())
    send(talk.request)
    assert provider.requests[-1].body == done.stdout


def test_headers_of_the_client_pass(send, provider):
    done = send(
        Talk("anthropic").says("hi").request, "--header", "anthropic-beta: context-1m-2025-08-07,other",
        "-H", "anthropic-version: 2026-10-21", "-H", "X-Odd: a: b",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    got = provider.requests[-1]
    assert got.header("anthropic-beta") == "context-1m-2025-08-07,other"
    assert got.header("anthropic-version") == "2026-10-21"
    assert got.header("x-odd") == "a: b"
    # The newer version wants keys as bearers; never both.
    assert got.header("authorization") == "Bearer sk-ant-test"
    assert got.header("x-api-key") is None


def test_stream_and_model_are_what_the_flags_say(send, provider):
    done = send(Talk("anthropic").says("hi").request, "--stream", "--model", "claude-other")
    assert done.stdout.startswith(b"event: message_start")
    assert provider.requests[-1].json["stream"] is True
    assert provider.requests[-1].json["model"] == "claude-other"


# --- another provider's backend

CROSSED = [("anthropic", "openai"), ("anthropic", "openrouter"), ("openai", "anthropic"), ("openai", "bedrock"),
           ("responses", "anthropic"), ("responses", "bedrock"), ("responses", "openrouter")]  # fmt: skip


@pytest.mark.parametrize(("name", "to"), CROSSED)
@pytest.mark.parametrize("streaming", [True, False], ids=["stream", "whole"])
def test_a_conversation_through_another_providers_backend(send, provider, name, to, streaming):
    talk = Talk(name, streaming=streaming).says("why?")
    provider.script(Reply([text("I look. "), call("toolu_1", "Bash", {"command": "make"})]))
    done = send(talk.request, "--backend", to, "--message")
    assert done.returncode == 0, done.stderr.decode()
    message = json.loads(done.stdout)
    assert talk.calls(message) == [("toolu_1", "Bash")]
    assert talk.texts(message) == "I look. "
    talk.heard(message).result("toolu_1", LOG)
    provider.script(
        Reply([text("Hm. "), call("r1", OURS, {"handle": handle_of(LOG), "grep": "worker 77 "})]),
        Reply([text("Batch 2849.")]),
    )
    done = send(talk.request, "--backend", to, "--message")
    assert done.returncode == 0, done.stderr.decode()
    message = json.loads(done.stdout)
    assert talk.texts(message) == "Hm. Batch 2849."
    assert talk.calls(message) == []
    assert "worker 77 took batch 2849" in provider.requests[-1].body.decode()
    before = provider.requests[-1].json["messages"]
    talk.heard(message).says("thanks")
    provider.script(Reply([text("Welcome.")]))
    assert send(talk.request, "--backend", to, "--text").stdout == b"Welcome.\n"
    assert _bare(provider.requests[-1].json["messages"])[: len(before)] == _bare(before)


def _bare(value):
    if isinstance(value, dict):
        return {key: _bare(item) for key, item in value.items() if key != "cache_control"}
    return [_bare(item) for item in value] if isinstance(value, list) else value


def test_errors_come_in_the_shape_of_the_request(send, provider):
    provider.script(Reply(status=400, error=("invalid_request_error", "no such thing")))
    done = send(Talk("openai").says("hi").request, "--backend", "anthropic", "--from", "openai")
    assert done.returncode == 76
    assert json.loads(done.stdout)["error"]["message"] == "no such thing"
    assert "type" not in json.loads(done.stdout)


def test_what_cannot_be_carried_is_refused_by_name(send, provider):
    request = Talk("anthropic").says("hi").request
    request["messages"][0]["content"] = [
        {"type": "text", "text": "x"}, {"type": "container_upload", "file_id": "file_1"},
    ]  # fmt: skip
    done = send(request, "--backend", "openai")
    assert done.returncode == 65
    assert b"messages.0.content.1" in done.stderr
    assert b"container_upload" in done.stderr
    assert provider.requests == []


# --- keys


@pytest.mark.parametrize("name", ["anthropic", "openai", "openrouter"])
def test_without_a_key_nothing_is_sent(send, provider, name):
    missing = {
        f"{name.upper()}_{what}": "" for name in ("anthropic", "openai", "openrouter")
        for what in ("API_KEY", "TARGET_API_URL")
    }  # fmt: skip
    done = send(Talk("openai").says("hi").request, "--backend", name, "--from", "openai", env=missing)
    assert done.returncode == 77
    assert f"{name.upper()}_API_KEY" in done.stderr.decode()
    assert provider.requests == []


def test_a_key_comes_from_a_file_that_nobody_else_can_read(send, provider, tmp_path):
    file = tmp_path / "key"
    file.write_text("# mine\nANTHROPIC_API_KEY='sk-ant-of-the-file'\nOPENAI_API_KEY=x\n")
    file.chmod(0o644)
    done = send(Talk("anthropic").says("hi").request, "--key-file", str(file))
    assert done.returncode == 78
    assert b"chmod 600" in done.stderr
    file.chmod(0o600)
    for content, key in [(None, "sk-ant-of-the-file"), ("sk-ant-alone==\n", "sk-ant-alone==")]:
        if content:
            file.write_text(content)
        assert send(Talk("anthropic").says("hi").request, "--key-file", str(file)).returncode == 0
        assert provider.requests[-1].header("x-api-key") == key
    assert send(b"{}", "--key-file", str(tmp_path / "none")).returncode == 78


def test_what_else_stands_in_a_key_file_is_no_key(send, provider, tmp_path):
    file = tmp_path / "key"
    file.touch(0o600)
    file.write_text("OPENAI_API_KEY=sk-of-the-file\nOPENAI_ORG_ID=org-1\nHTTPS_PROXY=http://u:p@h\n")
    talk = Talk("openai").says("hi").request
    assert send(talk, "--backend", "openai", "--key-file", str(file)).returncode == 0
    assert provider.requests[-1].header("authorization") == "Bearer sk-of-the-file"
    assert provider.requests[-1].header("openai-organization") == "org-1"
    for other in ("HTTPS_PROXY=http://u:p@h", "ANTHROPIC_API_KEY=sk-ant", "OPENAI_API_KEY=", ""):
        file.write_text(other + "\n")
        done = send(talk, "--backend", "openai", "--key-file", str(file))
        assert done.returncode == 78
        assert b"sk-ant" not in done.stderr
        assert b"u:p" not in done.stderr
    assert len(provider.requests) == 1


@pytest.mark.parametrize("name", [*NAMES, "openrouter"])
def test_no_key_is_ever_written(send, provider, tmp_path, name):
    canaries = {
        "ANTHROPIC_API_KEY": KEYS[0], "OPENAI_API_KEY": KEYS[1], "OPENROUTER_API_KEY": KEYS[2],
        "AWS_BEARER_TOKEN_BEDROCK": KEYS[3],
    }  # fmt: skip
    talk = Talk("openai" if name == "openrouter" else name).says("hi")
    for flags in (("-v", "--save", "saved.json"), ("-v", "--json"), ("-v", "--base-url", "http://127.0.0.1:1")):
        done = send(talk.request, "--backend", backend(name), *flags, env={**canaries, "HEADROOM_DEBUG": "1"})
        said = (done.stdout + done.stderr).decode()
        assert not any(key in said for key in KEYS)
    assert any(key in str(provider.requests[0].headers) for key in KEYS)
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert not any(key.encode() in path.read_bytes() for key in KEYS), path


@pytest.mark.parametrize("header", ["Authorization: B x", "x-api-key: y", "Host: z", "Cookie: a=b", "nothing", ": x",
                                    "bad n: x"])  # fmt: skip
def test_keys_and_framing_are_no_headers_of_the_user(send, provider, header):
    done = send(Talk("anthropic").says("hi").request, "--header", header)
    assert done.returncode == 2
    assert provider.requests == []


@pytest.mark.parametrize(
    ("address", "warned"),
    [("http://no-such-host.invalid", True), ("http://localhost:1", False), ("http://[::1]:1", False),
     ("https://no-such-host.invalid", False)],
)  # fmt: skip
def test_a_key_in_the_clear_is_warned_of(send, address, warned):
    done = send(Talk("anthropic").says("hi").request, "--base-url", address)
    assert done.returncode == 69
    assert (b"not encrypted" in done.stderr) == warned


# --- misuse


@pytest.mark.parametrize(
    ("data", "flags", "status"),
    [
        (b'{"model": "m", "messages": [{"role": "user", "content": "cut off', (), 65),
        (b'{"model":"m","messages":[{"role":"user","content":"a"}]}\n' * 2, (), 65),
        (b"\xff\xfe\x00", ("--model", "m"), 65),
        (b"some text", (), 2),
        (b'[{"role": "user", "content": "x"}]', (), 2),
        (b"some text", ("--model", "m", "--max-tokens", "x"), 2),
        (b"some text", ("--model", "m", "--text", "--message"), 2),
        (b"some text", ("--model", "m", "--backend", "nobody"), 78),
        (b"some text", ("--model", "m", "--backend", "anthropic-x"), 78),
        (b"some text", ("--model", "m", "--base-url", "ftp://x"), 78),
        (b"some text", ("--model", "m", "--base-url", "http://u:p@127.0.0.1/"), 78),
        (b"some text", ("--model", "m", "--timeout", "0"), 2),
        (b"some text", ("--model", "m", "--save", "/no/such/folder/x"), 74),
        (b'{"role": "user"}', ("--from", "anthropic"), 65),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_before_anything_is_sent(send, provider, data, flags, status):
    done = send(data, *flags)
    assert done.returncode == status, done.stderr.decode()
    assert done.stdout == b""
    assert re.match(rb"headroom: .+; .+\n", done.stderr) or status == 2
    assert b"Traceback" not in done.stderr
    assert provider.requests == []


def test_a_dry_run_needs_no_key_and_no_network_module(provider, tmp_path):
    program = """
import sys
from headroom_cli.cli.main import main
status = main(sys.argv[1:])
print(sorted({"httpx", "ssl", "asyncio", "typer", "botocore"}.intersection(sys.modules)), file=sys.stderr)
sys.exit(status)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, "send", "--dry-run", "-q"], cwd=tmp_path, capture_output=True, timeout=60,
        input=json.dumps(Talk("anthropic").says("hi").request).encode(),
        env=clean_environment(tmp_path, PYTHONPATH=str(ROOT)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == b"[]\n"


@pytest.mark.parametrize(
    "odd",
    [b"[" * 5_000 + b"]" * 5_000, b'[{"role":"user","content":"\xff"}]', b'[{"role":"user","n":%b}]' % (b"9" * 5_000)],
    ids=["deep", "no UTF-8", "a long number"],
)
def test_what_the_stages_cannot_open_goes_as_it_came(send, provider, odd):
    provider.script(Reply())
    body = b'{"model":"m","max_tokens":9,"messages":%b}' % odd
    done = send(body)
    assert done.returncode in {0, 76}
    assert provider.requests[-1].body == body
    assert b"cannot be opened" in done.stderr
    assert b"Traceback" not in done.stderr
