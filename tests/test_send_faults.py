"""What `headroom send` does when the provider breaks: a documented status, one paid call at most, never a clean end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from conftest import clean_environment
from provider import Fault, Provider, Reply, call, http_date, text
from talks import LOG, OURS, Talk, environment, handle_of

ENDS = {
    "anthropic": b"message_stop", "bedrock": b"message_stop", "openai": b"[DONE]", "responses": b"response.completed",
}  # fmt: skip
LONG = text("All work and no play makes Jack a dull boy. ", 40)


@pytest.fixture
def provider():
    with Provider() as made:
        yield made


def send(forked, provider, name, *flags, streaming=True, env=None, talk=None):
    request = (talk or Talk(name, streaming=streaming).says("hello")).request
    return forked(
        "send", "--backend", {"responses": "openai"}.get(name, name), *flags,
        stdin=json.dumps(request).encode(), env={**environment(provider), **(env or {})},
    )  # fmt: skip


def broken(kind, name="anthropic", streaming=True, **place):
    where = "-".join(f"{key}{value}" for key, value in place.items())
    return pytest.param(
        name, streaming, Reply([LONG], fault=Fault(kind, **place)),
        id=f"{kind}-{where or 'end'}-{name}-{'stream' if streaming else 'whole'}",
    )  # fmt: skip


BROKEN = [
    broken("reset", at="request"), broken("reset", at="head"), broken("reset", at="body"), broken("reset", events=1),
    broken("reset", events=4), broken("reset", size=700), broken("close", at="head"), broken("close", at="body"),
    broken("close", events=3), broken("close", size=333), broken("chunk", size=900), broken("open"),
    broken("stall", at="head"), broken("stall", at="body"), broken("stall", events=3),
    broken("open", "openai"), broken("open", "responses"), broken("open", "bedrock"),
    broken("crc", "bedrock", events=3),
    broken("reset", "openai", events=4), broken("close", "responses", events=4), broken("close", "bedrock", size=500),
    broken("stall", "openai", events=2), broken("stall", "bedrock", events=2),
    broken("reset", "openai", streaming=False, at="head"), broken("reset", streaming=False, size=100),
    broken("close", streaming=False, size=100), broken("close", "responses", streaming=False, at="body"),
    broken("chunk", streaming=False, size=100), broken("stall", streaming=False, at="head"),
    broken("stall", "bedrock", streaming=False, size=50),
]  # fmt: skip


def is_json(data):
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(("name", "streaming", "reply"), BROKEN)
def test_a_broken_answer_never_ends_clean(forked, provider, name, streaming, reply):
    provider.script(reply)
    done = send(forked, provider, name, "--timeout", "1", streaming=streaming)
    assert done.returncode == 69, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert provider.accepted <= 1
    assert len(provider.requests) <= 1
    assert ENDS[name] not in done.stdout
    if streaming and done.stdout:  # whoever reads the events learns it from them
        assert b"error" in done.stdout.rstrip().rsplit(b"\n\n", 1)[-1]
    if not streaming:
        assert not is_json(done.stdout)


def test_a_compressed_answer_that_was_cut_is_broken(forked, provider):
    provider.script(Reply([LONG], encoding="gzip", fault=Fault("gzip")))
    done = send(forked, provider, "anthropic", streaming=False)
    assert done.returncode == 69, done.stderr.decode()
    assert not is_json(done.stdout)


@pytest.mark.parametrize("streaming", [True, False])
def test_a_compressed_answer_is_written_plain(forked, provider, streaming):
    provider.script(Reply([LONG], encoding="gzip"))
    done = send(forked, provider, "anthropic", "--text", streaming=streaming)
    assert done.returncode == 0
    assert done.stdout.decode() == LONG.whole + "\n"


STATUSES = [
    (400, 76), (401, 77), (402, 76), (403, 77), (404, 76), (409, 76), (413, 76), (422, 76), (500, 76), (502, 76),
    (504, 76),
]  # fmt: skip


@pytest.mark.parametrize(("status", "expected"), STATUSES)
@pytest.mark.parametrize("name", ["anthropic", "openai"])
def test_an_error_stands_on_standard_output(forked, provider, name, status, expected):
    provider.script(Reply(status=status, error=("some_error", "that went wrong")))
    done = send(forked, provider, name)
    assert done.returncode == expected
    assert len(provider.requests) == 1
    assert json.loads(done.stdout)["error"]["message"] == "that went wrong"
    assert f"HTTP {status}" in done.stderr.decode()
    assert "that went wrong" in done.stderr.decode()
    assert send(forked, provider, name, "--text").stdout == b""


@pytest.mark.parametrize("status", [429, 503, 529])
def test_what_the_provider_did_not_begin_with_is_tried_again(forked, provider, status):
    provider.script(Reply(status=status, headers={"retry-after": "0"}), Reply([text("at last")]))
    done = send(forked, provider, "anthropic", "--text")
    assert (done.returncode, done.stdout) == (0, b"at last\n")
    assert (len(provider.requests), provider.accepted) == (2, 1)
    assert b"trying again" in done.stderr


def test_twice_and_no_more(forked, provider):
    provider.script(Reply(status=529, headers={"retry-after-ms": "5"}))
    done = send(forked, provider, "anthropic")
    assert done.returncode == 75
    assert (len(provider.requests), provider.accepted) == (3, 0)
    assert json.loads(done.stdout)["type"] == "error"


@pytest.mark.parametrize("wait", ["1", None])
def test_the_providers_own_word_on_when_is_kept(forked, provider, wait):
    provider.script(Reply(status=429, headers={"retry-after": wait or http_date(5)}), Reply())
    assert send(forked, provider, "openai").returncode == 0
    first, second = provider.requests
    assert second.time - first.time > (0.9 if wait else 0.5)


@pytest.mark.parametrize("headers", [{"retry-after": "3600"}, {"x-should-retry": "false", "retry-after": "0"}])
def test_who_should_not_wait_does_not(forked, provider, headers):
    provider.script(Reply(status=429, headers=headers), Reply())
    done = send(forked, provider, "anthropic")
    assert done.returncode == 75
    assert len(provider.requests) == 1
    assert ("3600" in headers.get("retry-after", "")) == (b"asks to wait 3600 s" in done.stderr)


INSIDE = [("anthropic", "overloaded_error", 75), ("anthropic", "api_error", 76), ("bedrock", "overloaded_error", 75),
          ("openai", "server_error", 76), ("responses", "server_error", 76)]  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "status"), INSIDE)
def test_an_error_inside_a_stream_passes_and_tells(forked, provider, name, kind, status):
    provider.script(Reply([LONG], error=(kind, "the model fell over")))
    done = send(forked, provider, name)
    assert done.returncode == status, done.stderr.decode()
    assert b"the model fell over" in done.stdout
    assert b"the model fell over" in done.stderr
    assert ENDS[name] not in done.stdout


def test_a_stream_of_one_event_without_its_blank_line_is_read(forked, provider):
    error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"full"}}'
    provider.script(Reply(body=error, kind="text/event-stream"))
    done = send(forked, provider, "anthropic")
    assert (done.returncode, done.stdout) == (75, error)
    chunk = b'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"hi"},'
    provider.script(Reply(body=chunk + b'"finish_reason":"stop"}]}', kind="text/event-stream"))
    assert send(forked, provider, "openai", "--text").stdout == b"hi\n"


def test_nobody_there(forked, provider):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    done = send(forked, provider, "anthropic", "--base-url", f"http://127.0.0.1:{port}")
    assert done.returncode == 69
    assert b"127.0.0.1 cannot be reached" in done.stderr
    done = send(forked, provider, "anthropic", "--base-url", "http://no-such-host.invalid")
    assert done.returncode == 69
    assert b"no-such-host.invalid" in done.stderr


def test_a_redirect_gets_no_key(forked, provider):
    with Provider() as other:
        provider.script(Reply(status=307, headers={"location": f"{other.url}/v1/messages"}, body=b""))
        assert send(forked, provider, "anthropic").returncode == 76
        assert other.requests == []


@pytest.mark.parametrize(
    ("second", "status"),
    [(Reply(status=500), 76), (Reply(status=429, headers={"retry-after": "9999"}), 75),
     (Reply([LONG], fault=Fault("reset", events=3)), 69), (Reply([LONG], fault=Fault("reset", at="head")), 69)],
    ids=["error", "busy", "cut", "gone"],
)  # fmt: skip
@pytest.mark.parametrize("streaming", [True, False], ids=["stream", "whole"])
def test_a_second_hop_that_fails_is_no_clean_end(forked, provider, second, status, streaming):
    talk = Talk("anthropic", streaming=streaming).says("why?")
    provider.script(Reply([call("toolu_1", "Bash", {"command": "make"})]))
    said = send(forked, provider, "anthropic", "--message", talk=talk)
    talk.heard(json.loads(said.stdout)).result("toolu_1", LOG)
    if second.fault and second.fault.events and not streaming:
        second = Reply([LONG], fault=Fault("reset", size=50))
    provider.script(Reply([text("wait. "), call("r1", OURS, {"handle": handle_of(LOG), "lines": "1"})]), second)
    done = send(forked, provider, "anthropic", talk=talk)
    assert done.returncode == status, done.stderr.decode()
    assert b"message_stop" not in done.stdout
    assert b"message_stop" not in send(forked, provider, "anthropic", "--text", talk=talk).stdout
    if streaming:
        assert b"wait. " in done.stdout
        assert b"event: error" in done.stdout


# --- who reads, who interrupts


@pytest.fixture
def start(provider, tmp_path):
    """Start the command on a request of its own; it is ended with the test."""
    running = []

    def begin(*flags, **options):
        running.append(_start(provider, tmp_path, *flags, **options))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        with process:  # closes its pipes
            pass


def _start(provider, tmp_path, *flags, **options):
    request = Talk("anthropic", streaming=True).says("hello").request
    process = subprocess.Popen(
        [sys.executable, "-m", "headroom_cli", "send", "--backend", "anthropic", *flags],
        stdin=subprocess.PIPE, env=clean_environment(tmp_path, **environment(provider)), cwd=tmp_path,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )  # fmt: skip
    process.stdin.write(json.dumps(request).encode())
    process.stdin.close()
    return process


@pytest.mark.parametrize("place", ["head", "body", 3])
def test_an_interrupt_closes_upstream(provider, start, place):
    fault = Fault("stall", at=place) if isinstance(place, str) else Fault("stall", events=place)
    provider.script(Reply([LONG], fault=fault))
    process = start()
    provider.wait_requests()
    if place == 3:
        assert process.stdout.read(10)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    assert provider.wait_gone(5)
    assert process.stderr.read() == b""


def test_a_reader_that_goes_away_closes_upstream(provider, start):
    provider.script(Reply([text("word " * 20, 5_000)], delay=0.001))
    process = start()
    assert process.stdout.read(200)
    process.stdout.close()
    assert process.wait(20) == 141
    assert provider.wait_gone(10)
    assert process.stderr.read() == b""


def test_a_full_disk_is_told(provider, start):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "wb") as full:
        process = start(stdout=full)
        assert process.wait(20) == 74
    assert b"no space left" in process.stderr.read()


def test_text_comes_as_it_is_made(provider, start):
    provider.script(Reply([text("first ", 1), text("x" * 2000, 1)], pieces=10, delay=0.02))
    process = start("--text")
    assert os.read(process.stdout.fileno(), 6) == b"first "
    assert process.poll() is None
    assert provider.accepted == 1


# --- converted streams: the provider's end is not the client's

CHUNK = b'data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":%b,"finish_reason":%b}]}\n\n'
SAID = CHUNK % (b'{"content":"Hi"}', b"null")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (SAID + b"data: [DONE]\n\n", 69),
        (b"data: [DONE]\n\n", 69),
        (SAID + b'data: {"id":"c1","cho\n\ndata: [DONE]\n\n', 76),
        (SAID + CHUNK % (b"{}", b'"stop"') + b"data: [DONE]\n\n", 0),
    ],
    ids=["no reason", "nothing", "unreadable", "whole"],
)
def test_a_converted_stream_ends_only_where_the_providers_does(forked, provider, body, status):
    provider.script(Reply(body=body, kind="text/event-stream"))
    request = json.dumps(Talk("anthropic", streaming=True).says("hello").request).encode()
    done = forked("send", "--backend", "openai", stdin=request, env=environment(provider))
    assert done.returncode == status, done.stderr.decode()
    assert (b"message_stop" in done.stdout) == (status == 0)


def test_a_tools_name_may_come_in_pieces(forked, provider):
    def piece(index, name, arguments=b""):
        call = b'{"index":%d,"id":"c%d","function":{"name":"%b","arguments":"%b"}}' % (index, index, name, arguments)
        return CHUNK % (b'{"tool_calls":[%b]}' % call, b"null")

    body = (
        piece(0, b"Ba")
        + piece(1, b"L")
        + piece(0, b"sh")
        + piece(1, b"s")
        + piece(0, b"", b"{}")
        + piece(1, b"", b"{}")
    )
    body += CHUNK % (b"{}", b'"tool_calls"') + b"data: [DONE]\n\n"
    provider.script(Reply(body=body, kind="text/event-stream"))
    talk = Talk("anthropic", streaming=True).says("hello")
    done = forked(
        "send", "--backend", "openai", "--message", stdin=json.dumps(talk.request).encode(), env=environment(provider)
    )
    assert [name for _, name in talk.calls(json.loads(done.stdout))] == ["Bash", "Ls"]


def test_a_stream_that_a_flag_asks_for_tells_its_usage(forked, provider):
    request = json.dumps(Talk("anthropic").says("hello").request).encode()
    done = forked("send", "--backend", "openai", "--stream", stdin=request, env=environment(provider))
    assert provider.requests[-1].json["stream_options"] == {"include_usage": True}
    assert b'"output_tokens":7' in done.stdout
