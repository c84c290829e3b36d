"""What reaches a provider, byte by byte, of requests that are written to mean two things."""

import contextlib
import re
import socket
import threading

import pytest
from proxies import Running
from raw_http import everything, statuses
from test_proxy_protocol import EVIL, REFUSED, TAKEN, get

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Logger:
    """A provider that writes down what it is sent, in its bytes, and finds requests in it by the simplest reading."""

    def __init__(self):
        self.requests = []  # (head, body), as they came
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, connection):
        answered, got = 0, b""
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(1 << 20):
                got += data
                for request in whole(got)[answered:]:
                    answered += 1
                    self.requests.append(request)
                    connection.sendall(ANSWER)


def whole(data):
    """Cut bytes into requests. Whatever is not framed by one plain Content-Length, or is left over, fails."""
    found = []
    while b"\r\n\r\n" in data:
        head, _, data = data.partition(b"\r\n\r\n")
        lengths = re.findall(rb"(?im)^content-length:[ ]?([0-9]+)\r?$", head)
        assert len(lengths) <= 1, head
        assert not re.search(rb"(?im)^(transfer-encoding|connection|upgrade|te|trailer):", head), head
        size = int(lengths[0]) if lengths else 0
        if len(data) < size:
            return found
        found.append((head, data[:size]))
        data = data[size:]
    return found


@pytest.fixture(scope="module")
def logger():
    with Logger() as made:
        yield made


@pytest.fixture(scope="module")
def proxy(logger, tmp_path_factory):
    with Running(tmp_path_factory.mktemp("wire") / "store", logger.url) as running:
        yield running


def meant(raw):
    """Return a request for the proxy that is wrong, or right, as one for the host x and the path /a is."""

    def here(part):
        part = re.sub(rb"(?i)(host: )x", rb"\1localhost", part)
        return re.sub(rb"//[xX](?=[/? ])", b"//localhost", part).replace(b"/a", b"/v1/a")

    return EVIL.join(here(part) for part in raw.split(EVIL))  # which may be a body, with its length


def say(proxy, raw):
    with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), timeout=20) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(raw)
        return everything(connection)


def test_nothing_that_is_wrong_reaches_a_provider(proxy, logger):
    logger.requests.clear()
    smuggled = get(b"Host: localhost", line=b"GET /v1/evil HTTP/1.1")
    for name, raw in REFUSED.items():
        assert statuses(say(proxy, meant(raw) + smuggled)) == [400], name
    assert logger.requests == []


def test_one_request_in_is_one_out_and_framed_anew(proxy, logger):
    last = get(b"Host: localhost", b"Connection: close", line=b"GET /v1/last HTTP/1.1")
    for name, (raw, (method, path, query, body)) in TAKEN.items():
        logger.requests.clear()
        assert len(statuses(say(proxy, meant(raw) + last))) == 2, name
        first, *others = [(head.split(b"\r\n")[0], got) for head, got in logger.requests]
        if name == "two slashes":  # a path of nobody
            assert (first[0], others) == (b"GET /v1/last HTTP/1.1", [])
            continue
        target = path.replace("/a", "/v1/a").encode() + (b"?" + query if query else b"")
        assert first == (b"%b %b HTTP/1.1" % (method.encode(), target), body), name
        assert others == [(b"GET /v1/last HTTP/1.1", b"")], name


def test_what_is_about_one_connection_or_ours_goes_no_further(proxy, logger):
    logger.requests.clear()
    kept = (b"Cookie: a=b", b"X-Api-Key: k", b"Forwarded: for=1", b"X-Original-Url: /x")
    dropped = (
        b"X-Named: 1", b"X-Headroom-Base-Url: http://evil.example", b"X-HEADROOM-TOKEN: t", b"X-Headroom-Key: k",
        b"Proxy-Authorization: Basic x", b"Proxy-Connection: keep-alive", b"Proxy-Anything: 1", b"TE: trailers",
        b"Trailer: x", b"Keep-Alive: timeout=1", b"HTTP2-Settings: x", b"Expect: 100-continue",
    )  # fmt: skip
    for path in (b"/v1/messages", b"/v1/models"):
        line = b"POST %b HTTP/1.1" % path
        fields = (b"Host: localhost", b"Connection: close, X-Named", b"Content-Length: 2", *kept, *dropped)
        say(proxy, get(*fields, line=line) + b"{}")
    for head, body in logger.requests:
        named = {field.partition(b":")[0].lower() for field in head.split(b"\r\n")[1:]}
        assert {field.partition(b":")[0].lower() for field in kept} <= named
        assert not {field.partition(b":")[0].lower() for field in dropped} & named
        assert body == b"{}"
    assert len(logger.requests) == 2


@pytest.mark.parametrize(
    "target",
    [
        b"//evil.example/v1/x", b"/@evil.example/x", b"/\\\\evil.example/x", b"/v1/%2e%2e/x", b"/v1\\..\\x", b"/v1/./x",
        b"/v1/compress/../messages", b"/model/..%2f..%2fx/invoke", b"/anthropic/%2E%2E/livez", b"/nowhere", b"/v1",
        b"/%6civez", b"/%76%31/%63ompress", b"/v1//compress", b"//livez", b"/v1/retrieve/..%2f..%2fetc", b"/stats%2fx",
    ],
)  # fmt: skip
def test_a_path_that_is_nobodys_or_ours_goes_nowhere(proxy, logger, target):
    logger.requests.clear()
    for method in (b"GET", b"POST"):
        fields = (b"Host: localhost", b"Connection: close", b"Content-Type: application/json", b"Content-Length: 2")
        answer = say(proxy, get(*fields, line=b"%b %b HTTP/1.1" % (method, target)) + b"{}")
        assert len(statuses(answer)) == 1
        assert statuses(answer)[0] < 500
    assert logger.requests == []


def test_a_path_stays_behind_the_address_it_belongs_to(proxy, logger):
    logger.requests.clear()
    targets = (
        b"/v1/x%0d%0aX-Evil:%201?y=%0d%0aZ:1", b"/v1/@evil.example/x", b"/anthropic//evil.example/x",
        b"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.a/invoke", b"/v1/a..b", b'/v1/"<>^`{|}',
    )  # fmt: skip
    for target in targets:
        say(proxy, get(b"Host: localhost", b"Connection: close", line=b"GET %b HTTP/1.1" % target))
    seen = [head.split(b"\r\n") for head, _ in logger.requests]
    assert [lines[0].split(b" ")[1] for lines in seen] == [target.removeprefix(b"/anthropic") for target in targets]
    assert {lines[1].lower() for lines in seen} == {b"host: " + logger.url.encode().partition(b"//")[2]}


def test_a_large_body_goes_out_in_pieces_as_one(proxy, logger):
    logger.requests.clear()
    body = bytes(range(256)) * 3000
    for path in (b"/v1/messages", b"/v1/files"):
        fields = (b"Host: localhost", b"Connection: close", b"Content-Length: %d" % len(body))
        say(proxy, get(*fields, line=b"POST %b HTTP/1.1" % path) + body)
    assert [sent == body for _, sent in logger.requests] == [True, True]
