"""Answers of providers as bytes that HTTP has no place for, and clients of HTTP/1.0: none ends in silence."""

import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import threading

import pytest
from proxies import Running

BODY = json.dumps({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}).encode()
BEGUN = b'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":5}}}\n\n'
ENDED = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n"


class Scripted:
    """A provider that answers each request with ``said`` and closes."""

    def __init__(self, secure=None):
        self.said = b""
        self._secure = secure
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self._answer(connection)

    def _answer(self, connection):
        if self._secure is not None:
            connection = self._secure.wrap_socket(connection, server_side=True)
        with connection:
            data = b""
            while not data.endswith(BODY) and (more := connection.recv(65_536)):
                data += more
            connection.sendall(self.said)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture(scope="module")
def scripted():
    provider = Scripted()
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def proxy(scripted, tmp_path_factory):
    with Running(tmp_path_factory.mktemp("answers") / "store", scripted.url) as running:
        yield running


def asked(proxy, version="1.1"):
    """Return (head, body) of what a client gets, up to the end of its connection."""
    port = int(proxy.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(
            b"POST /v1/messages HTTP/%b\r\nhost: localhost\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b"
            % (version.encode(), len(BODY), BODY)
        )
        data = b""
        while more := connection.recv(65_536):
            data += more
    head, _, body = data.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize(
    ("length", "sent"),
    [(len(BEGUN + ENDED), BEGUN), (len(BEGUN + ENDED), (BEGUN + ENDED)[:-5]), (len(BEGUN), BEGUN)],
    ids=["after an event", "in the last line", "without a last event"],
)
def test_a_stream_with_a_length_that_breaks_off_says_so(scripted, proxy, length, sent):
    scripted.said = STREAM + b"content-length: %d\r\n\r\n" % length + sent
    _, body = asked(proxy)
    assert BEGUN in body
    assert b"event: error" in body
    assert not body.endswith(b"0\r\n\r\n")
    assert proxy.said == []


@pytest.mark.parametrize("status", [b"101 Switching Protocols", b"600 Odd", b"799 Odd"])
def test_a_status_that_ends_no_request_is_an_error(scripted, proxy, status):
    scripted.said = b"HTTP/1.1 " + status + b"\r\ncontent-length: 2\r\n\r\n{}"
    head, body = asked(proxy)
    assert head.startswith(b"HTTP/1.1 502 ")
    assert status[:3] in body


def test_what_is_no_http_is_an_error(scripted, proxy):
    scripted.said = b"SSH-2.0-OpenSSH_9.2\r\n"
    head, body = asked(proxy)
    assert head.startswith(b"HTTP/1.1 502 ")
    assert b"no HTTP" in body


def test_a_header_that_cannot_be_sent_is_left_out(scripted, proxy):
    scripted.said = WHOLE + b"x-bad: a\x01b\r\nx-good: \xc3\xa9\xff\r\n\r\n{}"
    head, body = asked(proxy)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"x-good: \xc3\xa9\xff" in head
    assert b"x-bad" not in head
    assert body == b"{}"


def test_a_long_list_of_headers_passes(scripted, proxy):
    scripted.said = WHOLE + b"".join(b"x-%d: v\r\n" % number for number in range(400)) + b"\r\n{}"
    head, body = asked(proxy)
    assert b"x-399: v" in head
    assert body == b"{}"


def test_an_answer_without_a_body_is_no_fault(scripted, proxy):
    scripted.said = b"HTTP/1.1 304 Not Modified\r\ncontent-length: 70\r\netag: a\r\n\r\n"
    head, body = asked(proxy)
    assert head.startswith(b"HTTP/1.1 304 ")
    assert body == b""
    assert proxy.said == []


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (STREAM + b"\r\n" + BEGUN + ENDED, BEGUN + ENDED),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"{}"),
        (WHOLE + b"\r\n{}", b"{}"),
    ],
    ids=["stream", "chunked", "whole"],
)
def test_a_client_of_1_0_gets_no_chunks(scripted, proxy, said, shown):
    scripted.said = said
    head, body = asked(proxy, "1.0")
    assert b"transfer-encoding" not in head.lower()
    assert body == shown
    assert proxy.said == []


@pytest.mark.parametrize(
    ("address", "environment", "said"),
    [
        ("http://no-such-name.invalid", {}, "its name is not known"),
        ("http://127.0.0.1:1", {}, "connection refused"),
        ("https://127.0.0.1:1", {"NO_PROXY": "", "HTTPS_PROXY": "http://127.0.0.1:1"}, "proxy does not answer"),
        ("https://127.0.0.1:1", {"NO_PROXY": "", "HTTPS_PROXY": "127.0.0.1:1"}, "is no address"),
    ],
    ids=["name", "port", "proxy", "odd proxy"],
)
def test_why_a_provider_cannot_be_reached_is_said(tmp_path, address, environment, said):
    with Running(tmp_path / "store", address, environment=environment) as running:
        head, body = asked(running)
    assert head.startswith(b"HTTP/1.1 502 ")
    assert said.encode() in body
    assert said.encode() in head


def test_a_certificate_that_nobody_signed_is_said(tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("makes a certificate with openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = f"req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -days 2 -subj /CN=localhost".split()
    named = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([openssl, *made, *named], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    provider = Scripted(context)
    provider.said = WHOLE + b"\r\n{}"
    address = provider.url.replace("http:", "https:")
    try:
        with Running(tmp_path / "store", address) as running:
            head, body = asked(running)
            assert head.startswith(b"HTTP/1.1 502 ")
            assert b"SSL_CERT_FILE" in body
        with Running(tmp_path / "store", address, environment={"SSL_CERT_FILE": str(certificate)}) as running:
            assert asked(running)[1] == b"{}"
    finally:
        provider.close()
