"""The fake provider breaks where it is told to, tells what its clients did, and stays small under a huge answer."""

import contextlib
import gzip
import json
import re
import select
import socket
import subprocess
import sys
import time
import zlib

import httpx
import pytest
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from conftest import ROOT
from provider import Fault, Provider, Reply, call, http_date, text

ASK = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
SAY = [text("one two three four"), call("c1", "look", {"a": "b" * 30})]
PATHS = {
    "anthropic": ("/v1/messages", {**ASK, "stream": True}),
    "chat": ("/v1/chat/completions", {**ASK, "stream": True}),
    "openrouter": ("/api/v1/chat/completions", {**ASK, "stream": True}),
    "responses": ("/v1/responses", {"model": "m", "input": "hi", "stream": True}),
    "bedrock": (
        "/model/m/invoke-with-response-stream",
        {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": ASK["messages"]},
    ),
}
VERSION = {"anthropic-version": "2023-06-01"}
every_path = pytest.mark.parametrize(("path", "body"), PATHS.values(), ids=PATHS.keys())


@pytest.fixture
def provider():
    with Provider() as made:
        yield made


@pytest.fixture(scope="module")
def client():
    with httpx.Client(headers=VERSION, timeout=20, trust_env=False) as made:
        yield made


def request_of(path, body, *headers):
    """Return the bytes of a request."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "host: localhost", f"content-length: {len(data)}", *headers]
    return "\r\n".join([*lines, "anthropic-version: 2023-06-01", "", ""]).encode() + data


def talk(provider, path, body, *headers):
    """Send one request by hand; return all that came, and how it ended: "end" or "reset"."""
    came = b""
    try:
        with socket.create_connection(("127.0.0.1", provider.port), timeout=20) as connection:
            connection.sendall(request_of(path, body, "connection: close", *headers))
            while data := connection.recv(65536):
                came += data
    except ConnectionError:
        return came, "reset"
    return came, "end"


def body_of(came):
    """Return a chunked body's data, and whether its last chunk came."""
    rest = came.partition(b"\r\n\r\n")[2]
    data = b""
    while b"\r\n" in rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return data, True
        data += rest[:length]
        rest = rest[length + 2 :]
    return data, False


def plain(data):
    """Take the numbers out of ids: no two answers have the same."""
    return re.sub(rb"(?<=[-_])000\d+", b"N", data)


def whole(provider, path, body):
    """Return the data of a sound answer."""
    data, ended = body_of(talk(provider, path, body)[0])
    assert ended
    return data


@pytest.mark.parametrize(
    "place",
    [{"at": "connect"}, {"at": "request"}, {"at": "head"}, {"at": "body"}, {"size": 50}, {"events": 1}, {"events": 3}],
    ids=str,
)
@pytest.mark.parametrize("kind", ["reset", "close"])
def test_an_answer_breaks_off_in_its_place(provider, client, kind, place):
    path, body = PATHS["anthropic"]
    sound = whole(provider, path, body)
    provider.script(Reply([text("ok")], fault=Fault(kind, **place)))
    before = provider.accepted
    came, end = talk(provider, path, body)
    assert end == "reset" or kind == "close"
    if place.get("at") in ("connect", "request", "head"):
        assert came == b""
    elif end == "end":
        data, ended = body_of(came)
        assert not ended
        assert plain(sound).startswith(plain(data))
        assert data.count(b"\n\n") == place.get("events", 0) or "size" in place
        assert len(data) == place.get("size", len(data))
    assert provider.accepted == before + (place.get("at") not in ("connect", "request"))
    with pytest.raises(httpx.TransportError):
        client.post(provider.url + path, json=body)
    assert [gone for gone in provider.gone if gone.phase != "after"] == []


@pytest.mark.parametrize(
    ("place", "phase", "events"),
    [
        ({"at": "connect"}, "connect", 0),
        ({"at": "request"}, "request", 0),
        ({"at": "head"}, "head", 0),
        ({"at": "body"}, "body", 0),
        ({"size": 50}, "body", 0),
        ({"events": 2}, "body", 2),
    ],
    ids=str,
)
def test_a_stall_lasts_until_the_client_goes(provider, place, phase, events):
    path, body = PATHS["anthropic"]
    provider.script(Reply(SAY, fault=Fault("stall", **place)))
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            provider.url + path, json=body, headers=VERSION, timeout=httpx.Timeout(20, read=0.1), trust_env=False
        )
    gone = provider.wait_gone()
    assert (gone.number, gone.phase, gone.events) == (-1 if phase == "connect" else 0, phase, events)
    assert 0.05 < gone.seconds < 15


def test_closing_the_provider_ends_a_stall(provider):
    provider.script(Reply(SAY, fault=Fault("stall", events=1)))
    with socket.create_connection(("127.0.0.1", provider.port), timeout=20) as connection:
        connection.sendall(request_of(*PATHS["anthropic"]))
        provider.wait_requests()
        started = time.monotonic()
        provider.close()
        assert time.monotonic() - started < 8
    assert provider.gone == []


def test_it_is_noted_when_a_client_leaves_a_slow_answer(provider):
    provider.script(Reply([text("x" * 10_000)], pieces=1, delay=0.02))
    with contextlib.closing(socket.create_connection(("127.0.0.1", provider.port), timeout=20)) as connection:
        connection.sendall(request_of(*PATHS["anthropic"]))
        came = b""
        while b"text_delta" not in came:
            came += connection.recv(4096)
    gone = provider.wait_gone()
    assert gone.phase == "body"
    assert gone.events >= 3
    assert "body" in repr(gone)


def test_a_client_that_leaves_before_the_answer_or_after_it_is_noted(provider):
    provider.script(Reply(wait=20))
    with socket.create_connection(("127.0.0.1", provider.port), timeout=20) as connection:
        connection.sendall(request_of(*PATHS["chat"]))
        provider.wait_requests()
    assert provider.wait_gone().phase == "head"
    provider.script(Reply([text("ok")]))
    with socket.create_connection(("127.0.0.1", provider.port), timeout=20) as connection:
        connection.sendall(request_of("/v1/chat/completions", ASK))
        assert b"HTTP/1.1 200" in connection.recv(65536)
    assert provider.wait_gone(count=2).phase == "after"


@every_path
def test_an_error_comes_in_its_place(provider, path, body):
    sound = whole(provider, path, body)
    provider.script(Reply([text("ok")], error=("overloaded_error", "Overloaded now"), fault=Fault("error", events=2)))
    data = whole(provider, path, body)
    assert b"Overloaded now" in data
    assert b"Overloaded now" not in sound
    assert b"message_stop" not in data
    assert b"response.completed" not in data


@pytest.mark.parametrize("name", PATHS)
def test_a_stream_can_end_without_an_end(provider, name):
    path, body = PATHS[name]
    provider.script(Reply(SAY))
    sound = whole(provider, path, body)
    for events in (None, 3):
        provider.script(Reply(SAY, fault=Fault("open", events=events)))
        data = whole(provider, path, body)
        assert plain(sound).startswith(plain(data)) or name == "bedrock"
        assert len(data) < len(sound)
        for end in (b"message_stop", b"[DONE]", b"response.completed", b'"finish_reason":"tool_calls"'):
            assert end not in data


def test_a_wrong_chunk_size_is_an_error_to_its_reader(provider, client):
    path, body = PATHS["chat"]
    provider.script(Reply(SAY, fault=Fault("chunk", events=1)))
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(provider.url + path, json=body)


@pytest.mark.parametrize("events", [0, 2])
def test_a_wrong_sum_is_in_its_frame(provider, events):
    provider.script(Reply(SAY, fault=Fault("crc", events=events)))
    frames = EventStreamBuffer()
    frames.add_data(whole(provider, *PATHS["bedrock"]))
    for _ in range(events):
        assert next(frames).to_response_dict()["status_code"] == 200
    with pytest.raises(ChecksumMismatch):
        next(frames)


@pytest.mark.parametrize("stream", [True, False])
def test_answers_come_compressed_and_cut(provider, client, stream):
    body = {**ASK, "stream": stream}
    sound = client.post(f"{provider.url}/v1/chat/completions", json=body).content
    for encoding in ("gzip", "deflate"):
        provider.script(Reply([text("ok")], encoding=encoding))
        answer = client.post(f"{provider.url}/v1/chat/completions", json=body)
        assert answer.headers["content-encoding"] == encoding
        assert plain(answer.content) == plain(sound)
    provider.script(Reply([text("ok")], encoding="gzip", fault=Fault("gzip")))
    came, end = talk(provider, "/v1/chat/completions", body)
    data = body_of(came)[0] if stream else came.partition(b"\r\n\r\n")[2]
    assert end == "end"
    with pytest.raises((EOFError, zlib.error)):
        gzip.decompress(data)


@every_path
def test_single_bytes_make_the_same_answer(provider, path, body):
    sound = whole(provider, path, body)
    provider.script(Reply([text("ok")], drip=1))
    came, _ = talk(provider, path, body)
    assert plain(body_of(came)[0]) == plain(sound) or path.startswith("/model/")
    assert came.count(b"\r\n1\r\n") > 50


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 429, 500, 502, 503, 529])
@every_path
def test_errors_have_the_apis_form(provider, client, path, body, status):
    provider.script(Reply(status=status, error=("kind_of_error", "What is wrong"), headers={"retry-after": "3"}))
    answer = client.post(provider.url + path, json=body)
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "3")
    value = answer.json()
    if "/model/" in path:
        assert value == {"message": "What is wrong"}
        assert answer.headers["x-amzn-errortype"].endswith("Exception")
    else:
        assert value["error"]["message"] == "What is wrong"
    assert provider.accepted == 0


def test_a_gateways_own_page_goes_out_as_it_is(provider, client):
    page = b"<html><h1>502 Bad Gateway</h1></html>"
    provider.script(Reply(status=502, body=page, kind="text/html", headers=[("server", "nginx"), ("date", None)]))
    answer = client.post(f"{provider.url}/v1/messages", json=ASK)
    assert answer.content == page
    assert answer.headers["content-type"] == "text/html"
    assert "date" not in answer.headers


def test_scripts_go_in_order_and_can_look_at_the_request(provider, client):
    provider.script(Reply([text("first")]), lambda record: Reply([text(record.json["messages"][0]["content"])]))
    said = [client.post(f"{provider.url}/v1/messages", json=ASK).json()["content"][0]["text"] for _ in range(3)]
    assert said == ["first", "hi", "hi"]
    assert [record.number for record in provider.asked] == [0, 1, 2]
    assert provider.ports == 1


def test_requests_are_kept_as_they_came(provider, client):
    packed = gzip.compress(json.dumps(ASK).encode())
    answer = client.post(
        f"{provider.url}/v1/messages?beta=true", content=packed, headers={"Content-Encoding": "gzip", "X-Own": "1"}
    )
    record = provider.requests[0]
    assert answer.status_code == 200
    assert (record.body, record.json, record.query) == (packed, ASK, "beta=true")
    assert (b"X-Own", "1") in [(name.encode(), value) for name, value in record.headers]
    chunked = client.post(
        f"{provider.url}/v1/messages", content=iter([json.dumps(ASK).encode()[:9], json.dumps(ASK).encode()[9:]])
    )
    assert chunked.status_code == 200
    assert provider.requests[1].json == ASK


def test_a_client_may_ask_before_it_sends_its_body(provider):
    with socket.create_connection(("127.0.0.1", provider.port), timeout=20) as connection:
        head, _, body = request_of(*PATHS["chat"], "expect: 100-continue").partition(b"\r\n\r\n")
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_other_paths_are_answered_too(provider, client):
    assert client.head(provider.url).status_code == 200
    assert client.get(f"{provider.url}/nothing").status_code == 404
    assert client.get(f"{provider.url}/v1/models").json()["data"][0]["id"] == "fake-1"
    assert provider.accepted == 0


def test_many_clients_are_served_at_once(provider):
    provider.script(Reply([text("ok")], wait=0.2))
    sockets = [socket.create_connection(("127.0.0.1", provider.port), timeout=20) for _ in range(40)]
    for connection in sockets:
        connection.sendall(request_of(*PATHS["chat"]))
    provider.wait_requests(40)
    for connection in sockets:
        assert select.select([connection], [], [], 20)[0]
        connection.close()
    assert provider.accepted == 40


@pytest.mark.parametrize(
    "make",
    [
        lambda: Fault("explode", at="head"),
        lambda: Fault("reset"),
        lambda: Fault("reset", at="head", events=1),
        lambda: Fault("reset", at="nowhere"),
    ],
)
def test_a_fault_has_one_kind_and_one_place(make):
    with pytest.raises(ValueError, match=r"no such|one place"):
        make()


def test_a_date_to_retry_at_is_one():
    assert http_date(60).endswith(" GMT")


@contextlib.contextmanager
def program(tmp_path, script):
    """Run the provider as a process; yield its address and its id."""
    (tmp_path / "script.json").write_text(json.dumps(script))
    arguments = ["--script", tmp_path / "script.json", "--log", tmp_path / "log"]
    with subprocess.Popen(
        [sys.executable, ROOT / "tests" / "provider.py", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield process.stdout.readline().decode().strip(), process.pid
        finally:
            process.stdin.close()
            assert process.wait(20) == 0


def test_as_a_program_it_follows_a_script_and_keeps_a_log(tmp_path, client):
    parts = [
        {"thinking": "hm", "signature": "s"},
        {"text": "hello"},
        {"call": ["c1", "look", {"a": 1}]},
        {"redacted": "d"},
    ]
    script = [{"parts": parts, "stop": "length"}, {"status": 529}, {"fault": {"kind": "reset", "at": "head"}}]
    with program(tmp_path, script) as (url, _):
        answer = client.post(f"{url}/v1/messages", json=ASK).json()
        assert [block["type"] for block in answer["content"]] == ["thinking", "text", "tool_use", "redacted_thinking"]
        assert answer["stop_reason"] == "max_tokens"
        assert client.post(f"{url}/v1/messages", json=ASK).status_code == 529
        with pytest.raises(httpx.TransportError):
            client.post(f"{url}/v1/messages", json=ASK)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["path"] for line in lines] == ["/v1/messages"] * 3


@pytest.mark.parametrize("name", ["anthropic", "chat", "bedrock"])
def test_a_huge_answer_is_never_held(tmp_path, client, name):
    path, body = PATHS[name]
    with program(tmp_path, [{"parts": [{"text": "x" * 8192, "times": 5_000}], "pieces": 8192}]) as (url, pid):
        client.post(f"{url}{path.replace('-with-response-stream', '')}", content=b"{}")
        small = memory_of(pid)
        came = 0
        with client.stream("POST", url + path, json=body) as answer:
            for data in answer.iter_raw():
                came += len(data)
        assert came > 40_000_000
        assert memory_of(pid) - small < 16_000


def memory_of(pid):
    """Return a process's resident memory in KiB."""
    return int(subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True).stdout)
