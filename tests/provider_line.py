"""One connection of the fake provider: it reads a request, writes the answer, and breaks it where a fault says so."""

import email.utils
import gzip
import itertools
import json
import re
import select
import socket
import struct
import time
import urllib.parse
import zlib
from http import HTTPStatus

import provider_frames
import provider_rest
import provider_shapes
import provider_socket
import provider_words
from provider_checks import denied
from provider_replies import Fault, Reply

# What is asked for, by path: (pattern, shape, what).
ROUTES = [
    (re.compile(pattern), shape, what)
    for pattern, shape, what in (
        (r".*/v1/messages/count_tokens", "anthropic", "count"),
        (r".*/v1/messages", "anthropic", "answer"),
        (r".*/api/v1/chat/completions", "openrouter", "answer"),
        (r".*/chat/completions", "chat", "answer"),
        (r".*/responses", "responses", "answer"),
        (r".*/(?:model|deployments)/([^/]+)/invoke", "bedrock", "answer"),
        (r".*/(?:model|deployments)/([^/]+)/invoke-with-response-stream", "bedrock", "answer"),
        (r".*/oauth/token", "oauth", "token"),
        (r".*/models", "models", "models"),
    )
]
READ_MOST = 1 << 16
MEANWHILE_MOST = 1 << 20
NO_FAULT = Fault("open")  # without effect on an answer that is not made by it


def http_date(seconds):
    """Return the time in so many seconds, as ``retry-after`` may hold it."""
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


class ClientGoneError(Exception):
    """The client closed the connection."""


class BrokenOffError(Exception):
    """A fault ended the connection, or the provider is closing."""


class Record:
    """One request as it came. ``headers`` are pairs in their order and spelling."""

    def __init__(self, number, method, path, headers):
        self.number = number
        self.method = method
        self.path = path
        self.headers = headers
        self.body = b""
        self.shape = ""
        self.what = ""
        self.model = ""
        self.time = time.monotonic()

    def header(self, name, default=None):
        """Return the value of a header, several joined by a comma."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(found) if found else default

    @property
    def json(self):
        """The body as a JSON value, decompressed where its encoding says so; None for anything else."""
        data = self.body
        encoding = self.header("content-encoding", "")
        if encoding == "gzip":
            data = gzip.decompress(data)
        elif encoding == "deflate":
            data = zlib.decompress(data)
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return None

    def message(self, data):
        """Return the record of a message that came through the WebSocket that this request opened."""
        made = Record(-1, "MESSAGE", self.path, self.headers)
        made.body, made.shape, made.what = bytes(data), "responses", "answer"
        return made

    @property
    def query(self):
        """The part of the path behind the question mark."""
        return self.path.partition("?")[2]


class Gone:
    """A client that closed its connection: during which request, in which phase, and when.

    number   of the request, -1 where none had come
    phase    "connect", "request" (it had not sent all), "head" (nothing was answered yet), "body", or "after" (all was)
    seconds  since the last bytes of the answer, or since the request came
    events   how many events of the answer were out
    """

    def __init__(self, number, phase, seconds, events):
        self.number = number
        self.phase = phase
        self.seconds = seconds
        self.events = events

    def __repr__(self):
        return f"Gone({self.number}, {self.phase!r}, {self.seconds:.3f}, {self.events})"


class Line:
    """One connection: what was read ahead, and how far the answer is."""

    def __init__(self, provider, connection):
        self.provider = provider
        self.connection = connection
        self.buffer = b""
        self.phase = "idle"
        self.record = None
        self.last = time.monotonic()
        self.events = 0

    def answer_one(self):
        """Read one request and answer it; return whether the connection is still good."""
        head = self._read_head()
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        record = self.record = Record(-1, method, path, headers)
        self._route(record)
        if provider_socket.wanted(record):
            provider_socket.serve(self, record, head)
            return False
        expected = (record.header("expect") or "").lower() == "100-continue"
        if record.what == "answer" and self.provider.breaks_at("request"):
            self.provider.take(record)
            self.end(self.provider.next_reply(record).fault.kind)
        if expected:
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        record.body = self._read_body(record)
        self.phase, self.last = "head", time.monotonic()
        self.provider.take(record)
        reply = denied(self.provider, record) or self._reply(record)
        self.answer(record, reply)
        self.phase = "after"
        return (record.header("connection") or "").lower() != "close"

    # Reading

    def fill(self):
        """Read on; raise when the client or the provider has gone."""
        ready, _, _ = select.select([self.connection, self.provider.stopped], [], [])
        if self.provider.stopped in ready:
            raise BrokenOffError
        data = self.connection.recv(READ_MOST)
        if not data:
            raise ClientGoneError
        self.buffer += data

    def _read_head(self):
        """Return a request's head without its blank line."""
        while b"\r\n\r\n" not in self.buffer:
            if self.buffer:
                self._begin()
            self.fill()
        self._begin()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head

    def _begin(self):
        """Note that a request is coming."""
        self.phase, self.events, self.last = "request", 0, time.monotonic()

    def _read_body(self, record):
        """Return a request's body, by its length or in chunks."""
        if (record.header("transfer-encoding") or "").lower() == "chunked":
            body = []
            while True:
                size = int(self._until(b"\r\n").split(b";")[0], 16)
                data = self._exactly(size + 2)[:-2]
                if not size:
                    return b"".join(body)
                body.append(data)
        return self._exactly(int(record.header("content-length") or 0))

    def _until(self, end):
        while end not in self.buffer:
            self.fill()
        data, _, self.buffer = self.buffer.partition(end)
        return data

    def _exactly(self, size):
        held = [self.buffer]
        length = len(self.buffer)
        while length < size:
            self.buffer = b""
            self.fill()
            held.append(self.buffer)
            length += len(self.buffer)
        data = b"".join(held)
        self.buffer = data[size:]
        return data[:size]

    # Answering

    def _route(self, record):
        """Find what a request asks for."""
        path = record.path.partition("?")[0]
        for pattern, shape, what in ROUTES:
            if found := pattern.fullmatch(path):
                record.shape, record.what = shape, what
                record.model = urllib.parse.unquote(found[1]) if found.groups() else ""
                return

    def _reply(self, record):
        """Return the script's reply, or the fixed one of what is not an answer."""
        if record.what == "answer" and record.method == "POST":
            return self.provider.next_reply(record)
        if record.what == "token":
            token = f"token-{len(self.provider.tokens)}"
            self.provider.tokens.append(token)
            made = {"access_token": token, "token_type": "bearer", "expires_in": 43199, "scope": "uaa.resource"}
        elif record.what == "count":
            made = {"input_tokens": max(1, len(record.body) // 4)}
        elif record.what == "models":
            model = {"id": "fake-1", "object": "model", "created": provider_words.CREATED, "owned_by": "fake"}
            more = {"type": "model", "display_name": "Fake", "created_at": "2026-01-01T00:00:00Z"}
            ends = {"first_id": "fake-1", "last_id": "fake-1", "has_more": False}
            made = {"object": "list", "data": [{**model, **more}], **ends}
        elif record.method == "HEAD":
            return Reply(body=b"")  # some clients ask so whether anyone is there
        else:
            return provider_rest.rest(record) or Reply(status=404)
        return Reply(body=provider_frames.compact(made).encode())

    def answer(self, record, reply):
        """Send the reply in the shape of the request."""
        self.pause(reply.wait)
        if reply.fault and reply.fault.at:
            self.end(reply.fault.kind)
        request = record.json if isinstance(record.json, dict) else {}
        stream = bool(request.get("stream")) or record.path.partition("?")[0].endswith("-stream")
        number = record.number
        shape = "anthropic" if record.shape == "bedrock" else record.shape
        model = request.get("model") or record.model or "fake-1"
        kind = reply.kind
        if reply.body is not None:
            pieces, stream = [reply.body], False
        elif reply.status >= 400:
            value = provider_shapes.error_body(record.shape, reply, number)
            pieces, stream = [provider_frames.compact(value).encode()], False
        elif not stream:
            value = provider_shapes.body(shape, request, reply, model, number)
            pieces = [provider_frames.compact(value).encode("utf-8", "surrogatepass")]
        else:
            pieces, kind = self._stream(record, request, reply, model)
        Sending(self, record, reply, kind, stream=stream).send(pieces)

    def _stream(self, record, request, reply, model):
        """Return the pieces of a stream, and its content type."""
        shape = "anthropic" if record.shape == "bedrock" else record.shape
        fault = reply.fault
        events = provider_shapes.events(shape, request, reply, model, record.number)
        if fault and fault.kind == "error":
            events = _with_error(events, shape, reply, fault.events)
        elif fault and fault.kind == "open":
            events = _without_end(events) if fault.events is None else itertools.islice(events, fault.events)
        if record.shape != "bedrock":
            return (provider_frames.sse(*event) for event in events), "text/event-stream; charset=utf-8"
        exception = provider_words.error_of(reply, 529 if reply.status < 400 else 0)[3]
        return provider_frames.bedrock(events, reply, exception), "application/vnd.amazon.eventstream"

    def pause(self, seconds):
        """Wait, and notice a client that goes meanwhile; None: wait for that alone."""
        end = None if seconds is None else time.monotonic() + seconds
        watched = [self.connection, self.provider.stopped]
        while end is None or end > time.monotonic():
            left = None if end is None else end - time.monotonic()
            ready, _, _ = select.select(watched, [], [], left)
            if self.provider.stopped in ready:
                raise BrokenOffError
            if self.connection in ready:
                # What it sends meanwhile is kept; one that sends on and on is no longer watched.
                data = self.connection.recv(READ_MOST)
                if not data:
                    raise ClientGoneError
                self.buffer += data
                if len(self.buffer) > MEANWHILE_MOST:
                    watched.remove(self.connection)

    def end(self, kind):
        """End or hold the connection."""
        if kind == "stall":
            self.pause(None)
        if kind == "reset":
            # To linger for no time makes the kernel send RST instead of FIN.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise BrokenOffError


class Sending:
    """One answer on its way: encoding, framing, and the place where it breaks."""

    def __init__(self, line, record, reply, kind, *, stream):
        self.line = line
        self.record = record
        self.reply = reply
        self.kind = kind
        self.stream = stream
        self.fault = reply.fault or NO_FAULT
        self.sent = 0
        self.packer = None
        if reply.encoding:
            self.packer = zlib.compressobj(wbits=31 if reply.encoding == "gzip" else 15)

    def send(self, pieces):
        """Send head and body."""
        if not self.stream:
            pieces = [self._pack(b"".join(pieces), last=True)]
            if self.fault.kind == "gzip":
                pieces = [pieces[0][: len(pieces[0]) // 2]]
        self._head(None if self.stream else len(pieces[0]))
        self.line.phase = "body"
        self._fault_at(0)
        for piece in pieces:
            self.line.pause(self.reply.delay)
            broken = self._broken()
            data = provider_frames.break_sum(piece) if broken == "crc" else piece
            self._body(self._pack(data) if self.stream else data, wrong=broken == "chunk")
            self.line.events += 1
            self._fault_at(self.line.events)
        if self.stream:
            if self.packer and self.fault.kind != "gzip":
                self._body(self.packer.flush())
            self._write(b"0\r\n\r\n")

    def _pack(self, data, *, last=False):
        """Compress where the reply says so."""
        if not self.packer:
            return data
        packed = self.packer.compress(data)
        return packed + (self.packer.flush() if last else self.packer.flush(zlib.Z_SYNC_FLUSH))

    def _broken(self):
        """Return the fault that the coming event has in itself, "" for none."""
        here = self.fault.kind in ("crc", "chunk") and self.fault.events == self.line.events
        return self.fault.kind if here else ""

    def _fault_at(self, events):
        """Break off where so many events are out."""
        if self.fault.kind in ("reset", "close", "stall") and self.fault.events == events:
            self.line.end(self.fault.kind)

    def _body(self, data, *, wrong=False):
        """Send bytes of the body, in drips where the reply says so, as far as the fault lets them."""
        step = self.reply.drip or len(data) or 1
        for start in range(0, len(data), step):
            part = data[start : start + step]
            left = len(part) if self.fault.size is None else self.fault.size - self.sent
            if left < len(part) or (left == len(part) and self.fault.size is not None):
                # A broken chunk keeps the size it was to have, as when a connection is lost within it.
                self._write((b"%x\r\n" % len(part) if self.stream else b"") + part[:left])
                self.line.end(self.fault.kind)
            size = b"%x\r\n" % (len(part) - 1 if wrong else len(part))
            self._write(size + part + b"\r\n" if self.stream else part)
            self.sent += len(part)
            if self.reply.drip_delay:
                self.line.pause(self.reply.drip_delay)

    def _write(self, data):
        """Send bytes."""
        self.line.connection.sendall(data)
        self.line.last = time.monotonic()

    def _head(self, length):
        """Send the status and the headers of the API."""
        reply, number, shape = self.reply, self.record.number, self.record.shape
        headers = {"date": http_date(0), "content-type": self.kind}
        if shape == "bedrock":
            headers["x-amzn-requestid"] = f"00000000-0000-4000-8000-{number:012d}"
            if reply.status >= 400:
                headers["x-amzn-errortype"] = provider_words.error_of(reply)[3]
            elif self.stream:
                headers["x-amzn-bedrock-content-type"] = "application/json"
        elif shape == "anthropic":
            headers["request-id"] = f"req_{number:04d}"
            headers["anthropic-organization-id"] = "org-fake"
        else:
            headers["x-request-id"] = f"req_{number:04d}"
        if reply.encoding:
            headers["content-encoding"] = reply.encoding
        if length is None:
            headers["transfer-encoding"] = "chunked"
        else:
            headers["content-length"] = str(length)
        for name, value in reply.headers:
            if value is None:
                headers.pop(name, None)
            else:
                headers[name] = str(value)
        try:
            phrase = HTTPStatus(reply.status).phrase
        except ValueError:
            phrase = "Overloaded"
        lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        self._write("\r\n".join([*lines, "", ""]).encode("latin-1"))


def _with_error(events, shape, reply, place):
    """Yield so many events, then an error, and end."""
    for number, event in enumerate(events):
        if number == place:
            yield provider_words.error_inside(shape, reply, place)
            return
        yield event


def _without_end(events):
    """Leave out the events by which a client knows that an answer is whole."""
    for kind, name, value in events:
        choices = (value or {}).get("choices")
        ends = name in ("message_delta", "message_stop", "response.completed", "response.incomplete")
        if kind == "done" or ends or (choices is not None and (not choices or choices[0].get("finish_reason"))):
            return
        yield kind, name, value
