"""HTTP/1.1 as bytes, both ends: a server that writes exactly what a test says, and a client that tells how it ended.

    async with Upstream(answer) as upstream:            # async def answer(asked, line): await line.write(b"...")
        got = await ask(url, request("POST", "/v1/messages", body))
        assert got.ended == "whole"

Nothing here knows an API. What tests/provider.py cannot do is here: many lines at once in one loop, bytes at chosen
moments, and an end at a chosen byte.
"""

import asyncio
import contextlib
import json
import socket
import struct
import time
import urllib.parse
import weakref
import zlib
from typing import ClassVar

PATIENCE = 30.0  # seconds until a test gives up; nothing waits so long where all is well


class Asked:
    """A request as it came to the server. ``headers`` are pairs of (small name, value)."""

    def __init__(self, head):
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = first.split(" ", 2)
        self.headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        self.body = b""

    def header(self, name, default=""):
        found = [value for key, value in self.headers if key == name]
        return ", ".join(found) if found else default

    @property
    def nonce(self):
        """What the test put into the body as its nonce, "" for none."""
        _, found, rest = self.body.partition(b"nonce-")
        return rest[: rest.find(b"-end")].decode("latin-1") if found else ""


class Line(asyncio.Protocol):
    """One connection to the server: requests in, what the test writes out."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.buffer = bytearray()
        self.gone = asyncio.Event()
        self.gone_at = None
        self.current = None
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.left = None  # bytes of the body that are still to come; None: a head is
        self.waiting = []
        self.task = None

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.upstream.lines.add(self)
        self.upstream.opened += 1

    def data_received(self, data):
        self.buffer += data
        while self._one():
            pass

    def _one(self):
        """Take one whole request from what came."""
        if self.current is None:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return False
            self.current = Asked(bytes(self.buffer[:end]))
            del self.buffer[: end + 4]
            chunked = self.current.header("transfer-encoding").lower() == "chunked"
            self.left = -1 if chunked else int(self.current.header("content-length") or 0)
            if self.current.header("expect").lower() == "100-continue":
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if self.upstream.on_head:
                self.upstream.on_head(self.current, self)
        if self.left < 0:
            found = dechunked(self.buffer)
            if found is None:
                return False
            body, used = found
        else:
            if len(self.buffer) < self.left:
                return False
            body, used = bytes(self.buffer[: self.left]), self.left
        del self.buffer[:used]
        asked, self.current = self.current, None
        asked.body = body
        self.upstream.asked.append(asked)
        self.waiting.append(asked)
        if self.task is None:
            self.task = asyncio.ensure_future(self._answer())
        return True

    async def _answer(self):
        try:
            while self.waiting and not self.transport.is_closing():
                await self.upstream.answer(self.waiting.pop(0), self)
        except (ConnectionError, asyncio.CancelledError):
            pass
        except Exception as error:  # noqa: BLE001 - the test wants to know
            self.upstream.errors.append(error)
            self.transport.abort()
        finally:
            self.task = None

    async def write(self, data):
        """Send bytes now; raise when nobody is there."""
        if self.transport.is_closing():
            raise ConnectionResetError
        self.transport.write(data)
        await self.flowing.wait()

    async def end(self, kind):
        """End the connection: "close" (FIN), "reset" (RST), or "stall" (wait until the other side has gone)."""
        if kind == "stall":
            await self.gone.wait()
        elif kind == "reset":
            given = self.transport.get_extra_info("socket")
            given.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
        else:
            self.transport.close()

    def pause_writing(self):
        self.flowing.clear()

    def resume_writing(self):
        self.flowing.set()

    def eof_received(self):
        self._note()
        return False

    def connection_lost(self, _error):
        self._note()
        self.upstream.lines.discard(self)
        self.flowing.set()
        if self.task is not None:
            self.task.cancel()

    def _note(self):
        if self.gone_at is None:
            self.gone_at = time.monotonic()
            self.gone.set()


class Upstream:
    """The server. ``asked`` holds every whole request, ``opened`` counts connections, ``errors`` those of a test."""

    def __init__(self, answer, listener=None):
        """Serve on ``listener``, a listening socket that is closed afterwards; on a port of its own without one."""
        self.answer = answer
        self.listener = listener
        self.on_head = None  # called with (asked, line) when a head has come, its body not yet
        self.asked = []
        self.lines = set()
        self.errors = []
        self.opened = 0

    async def __aenter__(self):
        loop = asyncio.get_running_loop()
        place = {"sock": self.listener} if self.listener else {"host": "127.0.0.1", "port": 0}
        self.server = await loop.create_server(lambda: Line(self), backlog=1024, **place)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, kind, *_):
        self.server.close()
        for line in list(self.lines):
            line.transport.abort()
        for client in list(Client.open_ones):  # a test that failed left them
            client.writer.transport.abort()
        await asyncio.sleep(0)
        await self.server.wait_closed()
        if self.errors and kind is None:
            raise self.errors[0]


def dechunked(data):
    """Return (body, bytes used) of a chunked body that is whole, else None."""
    pieces, at = [], 0
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return None
        size = int(bytes(data[at:end]).split(b";")[0], 16)
        if len(data) < end + 2 + size + 2:
            return None
        pieces.append(bytes(data[end + 2 : end + 2 + size]))
        at = end + 2 + size + 2
        if not size:
            return b"".join(pieces), at


class Got:
    """An answer: what came of it, and how it ended.

    ended  "whole" (its framing says so, or the server closed where no framing is), "cut" (FIN within it), "reset",
           "none" (not even a head)
    """

    def __init__(self):
        self.status = 0
        self.headers = []
        self.body = b""
        self.ended = "none"
        self.framing = ""

    def header(self, name, default=""):
        return next((value for key, value in self.headers if key == name), default)

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"Got({self.status}, {self.ended!r}, {self.framing!r}, {len(self.body)} bytes, ...{self.body[-120:]!r})"


class Client:
    """One connection to a server, for one request after another or several at once."""

    open_ones: ClassVar = weakref.WeakSet()

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer
        self.open_ones.add(self)

    @classmethod
    async def open(cls, url, limit=1 << 22):
        parts = urllib.parse.urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port, limit=limit))

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()

    @property
    def port(self):
        """Our end's port."""
        return self.writer.get_extra_info("sockname")[1]

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, got=None):
        """Read a head; raise IncompleteReadError where none comes."""
        got = got or Got()
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        got.status = int(first.split(" ", 2)[1])
        got.headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        if got.status == 100:
            return await self.head(got)
        if got.header("transfer-encoding"):
            got.framing = "chunked"
        else:
            got.framing = "length" if got.header("content-length") else "close"
        return got

    async def pieces(self, got, *, head=False):
        """Yield the body's bytes as they come; set ``got.ended``."""
        left = 0 if head or got.status in {204, 304} else int(got.header("content-length") or 0)
        if got.framing == "close" and not head and got.status not in {204, 304}:
            while data := await asyncio.wait_for(self.reader.read(65536), PATIENCE):
                yield data
        elif got.framing == "chunked" and not head:
            while True:
                size = int((await asyncio.wait_for(self.reader.readuntil(b"\r\n"), PATIENCE)).split(b";")[0], 16)
                # A chunk whose end is missing is shown as far as it came.
                async for data in self._counted(size):
                    yield data
                await asyncio.wait_for(self.reader.readexactly(2), PATIENCE)
                if not size:
                    break
        else:
            async for data in self._counted(left):
                yield data
        got.ended = "whole"

    async def _counted(self, left):
        while left:
            data = await asyncio.wait_for(self.reader.read(min(left, 65536)), PATIENCE)
            if not data:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(data)
            yield data

    async def receive(self, on_data=None, *, head=False):
        """Read one answer to its end, whatever that is; ``on_data(got)`` after each piece."""
        got = Got()
        pieces = []
        try:
            await self.head(got)
            got.ended = "cut"
            async for data in self.pieces(got, head=head):
                pieces.append(data)
                if on_data:
                    got.body = b"".join(pieces)
                    on_data(got)
        except (asyncio.IncompleteReadError, ValueError):
            pass  # an end, or a wrong size, within the framing
        except ConnectionError:
            got.ended = "reset" if got.status else "none"
        got.body = b"".join(pieces)
        return got

    async def ask(self, data, on_data=None, *, head=False):
        """Send a request and read its answer."""
        with contextlib.suppress(ConnectionError):  # an answer may have come nevertheless
            await self.send(data)
        return await self.receive(on_data, head=head)

    async def close(self):
        self.open_ones.discard(self)
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    def reset(self):
        """Go away with RST."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


async def ask(url, data, on_data=None, *, head=False):
    """Ask once, on a connection of its own."""
    async with await Client.open(url) as client:
        return await client.ask(data, on_data, head=head)


def request(method, path, body=None, headers=(), *, host="127.0.0.1"):
    """Return the bytes of a request; a body that is no bytes is written as JSON."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    if body is not None:
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.lower() for name, _ in headers}
        if "content-type" not in named:
            lines.append("Content-Type: application/json")
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def answer(body, kind="application/json", status=200, headers=()):
    """Return the bytes of a whole answer with its length."""
    lines = [f"HTTP/1.1 {status} Fine", f"content-type: {kind}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def stream_head(kind="text/event-stream; charset=utf-8", headers=()):
    """Return the head of an answer in chunks."""
    lines = ["HTTP/1.1 200 OK", f"content-type: {kind}", "transfer-encoding: chunked"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def chunk(data):
    """Return bytes as one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST = b"0\r\n\r\n"


def gzipped(data):
    """Return data as gzip."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()
