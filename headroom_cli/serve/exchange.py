"""One request and its answer, as the handlers see it: what came, where it goes, and what is said back."""

from __future__ import annotations

import asyncio
import re
import time

from headroom_cli.events import OPEN_HEADERS
from headroom_cli.serve import body as bodies
from headroom_cli.serve import routes, upstream
from headroom_cli.serve.counts import Done
from headroom_cli.serve.gate import TOKEN_HEADERS
from headroom_cli.serve.replies import RefusedError
from headroom_cli.serve.room import Share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.backends import Headers
    from headroom_cli.serve.app import App
    from headroom_cli.serve.jobs import Made
    from headroom_cli.serve.replies import Pairs, Receive, Scope, Send
    from headroom_cli.serve.routes import Route

# Made anew for the next connection, or ours.
_NOT_SENT = frozenset((b"host", b"content-length", b"expect", *TOKEN_HEADERS))
# What no value of a header may hold (RFC 9110, section 5.5).
_UNSENDABLE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
# Those of a client that belong to its API: a backend with keys of its own gets them, and plugins may change them.
API_HEADERS = frozenset(name.encode() for name in OPEN_HEADERS)


class Exchange:
    """One request and its answer.

    ``given`` are its headers in lower case, ``done`` is what is counted in the end, ``made`` what came of shortening.
    """

    def __init__(self, app: App, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request that has passed the gate."""
        self.app = app
        self.route = route
        self.method: str = scope["method"]
        self.query: bytes = scope["query_string"]
        self.given: list[tuple[bytes, bytes]] = scope["headers"]
        self.send = send
        self.started = False
        self.began = time.perf_counter()
        self.made: Made | None = None
        self.done = Done(route.name, route.shape)
        self.done.when = time.time()
        self.done.number = app.counts.ticket()
        self.done.provider = route.provider
        self.done.project = scope.get("headroom.project", "")
        self.share = Share(app.room)
        self._receive = receive
        self._whole = asyncio.Event()
        self._head: list[tuple[bytes, bytes]] = [(b"x-headroom-request", b"%d" % self.done.number)]

    @property
    def error_shape(self) -> str:
        """The form that errors of ours take."""
        return "anthropic" if self.route.provider == routes.ANTHROPIC else self.route.provider

    async def read(self) -> bytes:
        """Return the request's body as it came. Raise RefusedError, GoneError."""
        data = await bodies.read(self._receive, self.given, self.app.serving.limits, self.share)
        self._whole.set()
        return data

    async def gone(self) -> None:
        """Return when the client has gone away."""
        await self._whole.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def encodings(self) -> list[str]:
        """Return how the body is encoded, outermost last."""
        return bodies.encodings(self.given)

    def address(self) -> str:
        """Return where this request goes. Raise RefusedError when there is no address for it."""
        base = self.app.serving.addresses.get(self.route.provider, "")
        if not base:
            raise RefusedError(404, f"no address is set for {self.route.provider}")
        path = self.route.path
        if path.startswith("/v1/") and base.endswith("/v1"):
            path = path[3:]
        query = "?" + self.query.decode("latin-1") if self.query else ""
        return base + path + query

    def headers(self, *, decoded: bool, identity: bool) -> list[tuple[bytes, bytes]]:
        """Return the headers to send: the client's but for those of one connection and ours.

        ``decoded``: the body goes without the encoding that it came in; ``identity``: the answer is to be readable.
        """
        left_out = set(_NOT_SENT)
        if decoded:
            left_out.add(b"content-encoding")
        if identity:
            left_out.add(b"accept-encoding")
        sent = [
            (name, value) for name, value in upstream.passed(self.given)
            if name not in left_out and not name.startswith(b"x-headroom-")
        ]  # fmt: skip
        if self.made is not None and self.made.headers is not None:
            sent = [(name, value) for name, value in sent if name not in API_HEADERS]
            sent += [(name.encode(), value.encode("latin-1", "replace")) for name, value in self.made.headers]
        return [*sent, (b"accept-encoding", b"identity")] if identity else sent

    def api_headers(self) -> Headers:
        """Return those of the client's headers that belong to its API."""
        return tuple((name.decode(), value.decode("latin-1")) for name, value in self.given if name in API_HEADERS)

    def tell(self, made: Made) -> None:
        """Take down what was saved, and put it into the head of the answer."""
        done = self.done
        done.before, done.after, done.why = made.before, made.after, made.why
        done.kinds, done.slow, done.marked = made.kinds, made.slow, made.marked
        done.engine_ms, done.model, done.conversation = made.ms, made.model, made.digest
        done.tools, done.trial, done.overhead = made.tools, made.trial, dict(made.overhead)
        own = {"before": made.before, "after": made.after, "saved": max(made.before - made.after, 0)}
        self._head += [(b"x-headroom-tokens-%b" % name.encode(), b"%d" % number) for name, number in own.items()]
        if made.why:
            why = made.why.encode("ascii", "replace")[:200]
            self._head.append((b"x-headroom-why-not", bytes(byte if 32 <= byte < 127 else 63 for byte in why)))

    async def start(self, status: int, headers: Pairs) -> None:
        """Send the head of the answer."""
        self.started = True
        self.done.status = status
        self.done.first_ms = (time.perf_counter() - self.began) * 1000
        fields = [
            (name, value) for name, value in headers
            if not name.lower().startswith(b"x-headroom-") and not _UNSENDABLE.search(value)
        ]  # fmt: skip
        await self.send({"type": "http.response.start", "status": status, "headers": [*fields, *self._head]})

    async def write(self, data: bytes) -> None:
        """Send bytes of the answer; waits while the client does not read."""
        await self.send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        """End the answer."""
        await self.send({"type": "http.response.body", "body": b""})

    async def breaks(self, data: bytes, sentence: str) -> None:
        """End the answer so that nobody takes it for whole: ``data``, and then the connection without its end."""
        self.done.error = sentence
        if data:
            await self.write(data)
        # An application that returns before its answer is complete: the server drops the connection.
