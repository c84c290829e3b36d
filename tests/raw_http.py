"""A small real server behind our protocol, and a client that sends bytes as they are.

with Served(limits) as served:
    answer = served.say(b"GET / HTTP/1.1\\r\\n...")
    assert answer.startswith(b"HTTP/1.1 400")
    assert served.requests == []
"""

import asyncio
import contextlib
import os
import re
import socket
import threading
import time

import uvicorn

from headroom_cli.serve.gate import Gate
from headroom_cli.serve.options import Limits
from headroom_cli.serve.protocol import protocol_for
from headroom_cli.serve.replies import refuse


class Seen:
    """A request as the application got it."""

    def __init__(self, scope, body):
        self.method = scope.get("method", "")
        self.path = scope["path"]
        self.query = scope["query_string"]
        self.headers = list(scope["headers"])
        self.body = body
        self.client = scope["client"][1]

    def get(self, name):
        return [value for key, value in self.headers if key == name]


class Served:
    """The server, in a thread; ``requests`` are those that reached the application, ``whole`` those read to their end.

    An answer names the path and the body of its request. ``/unread`` does not read before ``release`` is set, ``/slow``
    begins to answer and waits for it before it ends, ``/watch`` waits for the client to go; ``/early`` and ``/refuse``
    answer before the body, the second to close.
    """

    def __init__(self, limits=None, app=None, listener=None, **config):
        self.requests = []
        self.whole = []
        self.sockets = []
        self.gone = []
        self.last = 0  # port of the client that spoke last
        self.release = threading.Event()
        self.listener = listener or socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        config = uvicorn.Config(
            app or self._app, http=protocol_for(limits or Limits()), ws="websockets-sansio", loop="uvloop",
            lifespan="off", interface="asgi3", proxy_headers=False, log_config=None, access_log=False, **config,
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],), daemon=True)

    def __enter__(self):
        self.thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started and time.monotonic() < deadline:
            time.sleep(0.005)
        assert self.server.started
        return self

    def __exit__(self, *_):
        self.release.set()
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(20)
        self.listener.close()
        assert not self.thread.is_alive()

    async def _app(self, scope, receive, send):
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        seen = Seen(scope, b"")
        self.requests.append(seen)
        path = scope["path"]
        if path == "/early":
            await _reply(send, 200, b"early")
            return
        if path == "/refuse":
            await _reply(send, 413, b"refused", [(b"connection", b"close")])
            return
        if path == "/unread":
            await self._released()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone.append(path)
                return
            seen.body += message["body"]
            if not message["more_body"]:
                break
        self.whole.append(seen)
        if path == "/watch":
            while (await receive())["type"] != "http.disconnect":
                pass
            self.gone.append(path)
            return
        if path == "/slow":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"begin ", "more_body": True})
            await self._released()
            await send({"type": "http.response.body", "body": b"end"})
            return
        await _reply(send, 200, b"%s %s" % (path.encode(), seen.body[:100]))

    async def _socket(self, scope, receive, send):
        self.sockets.append(Seen(scope, b""))
        await receive()
        if scope["path"] == "/refused":
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": "heard " + message["text"]})

    async def _released(self):
        while not self.release.is_set():  # noqa: ASYNC110 - another thread sets it
            await asyncio.sleep(0.005)

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def say(self, *pieces, until=None):
        """Send pieces, each in a write of its own, and return all that comes until the server closes."""
        with self.connect() as connection:
            self.last = connection.getsockname()[1]
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for piece in pieces:
                    connection.sendall(piece)
            return everything(connection, until)


@contextlib.contextmanager
def guarded(serving, listener=None):
    """Serve with a gate before an application that counts what came through."""
    gate = Gate(serving)
    through = []

    async def app(scope, receive, send):
        refused = gate.check(scope)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close" if refused else "websocket.accept"})
        elif refused is not None:
            await refuse(send, refused)
        else:
            through.append(scope["path"])
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"in"})

    with Served(app=app, listener=listener) as served:
        yield served, through


async def _reply(send, status, body, headers=()):
    fields = [(b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def everything(connection, until=None):
    """Read until the other side closes, or until ``until`` has come."""
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while until is None or until not in got:
            piece = connection.recv(65536)
            if not piece:
                break
            got += piece
    return got


def statuses(answer):
    """Return the status of each answer in what a connection gave."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", answer)]


def wait_for(condition, seconds=20):
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


def is_root():
    return os.geteuid() == 0
