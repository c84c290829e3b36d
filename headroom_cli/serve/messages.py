"""Requests that hold conversations: read, shortened in a worker process, sent, answered.

An answer passes as bytes unless our tool is in the request or the provider speaks another API: then a relay stands in
between, which shows the client one turn over any number of hops. It has no sockets; they are here.
"""

from __future__ import annotations

import asyncio
import contextlib

from headroom_cli import backends
from headroom_cli.errors import UnreachableError, UpstreamError
from headroom_cli.relay import Relay, Request
from headroom_cli.serve import aws, library, passing, routes, upstream
from headroom_cli.serve import body as bodies
from headroom_cli.serve.engines import EngineError
from headroom_cli.serve.jobs import Ask, Made
from headroom_cli.serve.replies import RefusedError
from headroom_cli.wire._usage import flat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from headroom_cli.backends import Backend
    from headroom_cli.serve.app import App
    from headroom_cli.serve.exchange import Exchange
    from headroom_cli.wire._events import Call, Event

# Headers of a client that belong to its API, for a backend that has keys of its own.
_API_HEADERS = frozenset((b"anthropic-version", b"anthropic-beta", b"openai-beta", b"ai-resource-group"))
_MODES: dict[bytes, dict[str, Any]] = {
    b"safe": {"level": "safe"}, b"balanced": {"level": "balanced"}, b"max": {"level": "max"},
    b"lossless": {"lossless": True},
}  # fmt: skip
_OFF = frozenset((b"1", b"true", b"yes", b"on"))


async def handle(exchange: Exchange) -> None:
    """Answer one request of a conversation."""
    app, route, done = exchange.app, exchange.route, exchange.done
    raw = await exchange.read()
    policy, why = _asked(exchange)
    plain: bytes | None = raw
    encodings = exchange.encodings()
    if encodings:
        plain = await bodies.decoded(raw, encodings, app.serving.limits)
    if plain is None:
        why = "its encoding is unknown or broken"
    made = Made(route.shape, raw if plain is None else plain, why=why)
    ask = Ask(
        route.shape, made.body, what=_what(exchange), headers=exchange.api_headers(_API_HEADERS),
        scope=app.identity.scope(exchange.given), policy=policy, model=route.model,
    )  # fmt: skip
    if not why or (app.serving.backend and plain is not None):
        made = await _made(app, ask, made)
    exchange.made = made
    exchange.tell(made)
    if app.serving.backend:
        await _answered(exchange, ask, made)
    elif made.ours and route.what == routes.MESSAGES:
        await _relayed(exchange, ask, made, _Direct(exchange, ask, made))
    else:
        changed = made.body is not plain and made.body != plain
        body = made.body if changed else raw
        url, headers = exchange.address(), exchange.headers(decoded=changed, identity=route.what != routes.BEDROCK)
        await passing.through(exchange, url, await aws.signed(exchange, url, headers, body), body)
    done.model = done.model or made.model


def _asked(exchange: Exchange) -> tuple[dict[str, Any], str]:
    """Return what this request changes of the policy, and why it is not to be shortened at all ("" when it is)."""
    given = dict(exchange.given)
    mode = given.get(b"x-headroom-mode", b"").strip().lower()
    if given.get(b"x-headroom-bypass", b"").strip().lower() in _OFF or mode == b"off":
        return {}, "switched off for this request"
    return dict(_MODES.get(mode, {})), ""


def _what(exchange: Exchange) -> str:
    return {routes.MESSAGES: "messages", routes.COUNT: "count"}.get(exchange.route.what, "bedrock")


async def _made(app: App, ask: Ask, made: Made) -> Made:
    """Have a request shortened; the one that came, with the reason, where that fails."""
    try:
        found: Made = await app.engines.do("prepare", ask)
    except EngineError as error:
        app.told(f"a request was not shortened: the worker {error.reason}")
        if app.serving.backend:
            raise RefusedError(503, f"the request could not be prepared: the worker {error.reason}") from error
        made.why = f"the worker {error.reason}"
        return made
    return found


async def _answered(exchange: Exchange, ask: Ask, made: Made) -> None:
    """Answer by the backend that was asked for at start."""
    if exchange.route.what == routes.COUNT:
        raise RefusedError(404, f"{exchange.app.serving.backend} does not count tokens")
    backend, provider = backends.load(exchange.app.serving.backend, gateway=bool(exchange.app.serving.base_url))
    if backend.library is not None:
        await _relayed(exchange, ask, made, library.Library(exchange, made, backend, provider))
    else:
        await _relayed(exchange, ask, made, _Keyed(exchange, ask, made, backend))


class _Direct:
    """Hops to the provider that the client means, with the client's own headers."""

    def __init__(self, exchange: Exchange, ask: Ask, made: Made) -> None:
        self.backend: Backend = backends.load(routes.ROWS[ask.shape])[0]
        self._exchange = exchange
        self._ask = ask
        self._made = made

    async def hop(self, extra: list[Any]) -> Any:
        """Send a hop and return its answer's head."""
        exchange, body = self._exchange, self._made.body
        if extra:
            body, _ = await exchange.app.engines.do("hop", self._ask, body, extra)
        headers = exchange.headers(decoded=True, identity=True)
        return await exchange.app.upstream.send("POST", exchange.address(), headers, body)


class _Keyed:
    """Hops to a backend with keys of this proxy."""

    def __init__(self, exchange: Exchange, ask: Ask, made: Made, backend: Backend) -> None:
        self.backend = backend
        self._exchange = exchange
        self._ask = ask
        self._made = made

    async def hop(self, extra: list[Any]) -> Any:
        """Send a hop and return its answer's head."""
        body, call = self._made.body, self._made.call
        if extra:
            body, call = await self._exchange.app.engines.do("hop", self._ask, body, extra)
        if call is None:
            raise RefusedError(500, "this backend has no address")
        url, headers = call
        return await self._exchange.app.upstream.send(
            "POST", url, [(name.encode(), value.encode()) for name, value in headers], body
        )


class _Served:
    """Answers to calls of our tool that a worker process has found, where a relay expects a desk."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self.spent = 0
        self.unknown: frozenset[str] = frozenset()
        self.stubborn = False
        self.served = 0

    def answer(self, _call: Call) -> str:
        """Return the result of the next of the calls that were looked up: they come in the same order."""
        return self._texts.pop(0) if self._texts else "This cannot be read now. Go on with what the conversation shows."

    async def look_up(self, app: App, ask: Ask, calls: list[Call]) -> None:
        """Have calls answered; what fails is left to ``answer``."""
        self._texts = []
        try:
            texts, self.spent, self.unknown, self.stubborn, served = await app.engines.do(
                "answer", ask, calls, self.spent, self.unknown
            )
        except EngineError as error:
            app.told(f"an original was not given: the worker {error.reason}")
            return
        self.served += served
        self._texts = list(texts)


async def _relayed(exchange: Exchange, ask: Ask, made: Made, hops: Any) -> None:
    """Send a request and show the client one turn, however many hops it takes."""
    served = _Served()
    request = Request(
        made.shape, b"", model=made.model, seen_as=exchange.route.shape, ours=made.ours,
        include_usage=made.include_usage, value={"stream": made.stream, "conversation": made.conversation},
    )  # fmt: skip
    relay = Relay(request, hops.backend, backends.Target(), served)  # type: ignore[arg-type] # answers as a desk does
    turn = _Turn(exchange, ask, made, relay, served)
    try:
        while relay.more:
            response = await hops.hop(relay.extra)
            exchange.done.hops += 1
            try:
                if response.status >= 300:
                    await turn.refused(response)
                    return
                await turn.hop(response)
            finally:
                response.close()
        await turn.ends()
    except upstream.READ_ERRORS as error:
        broken = upstream.broken(error)
        await turn.breaks(broken.kind, broken.sentence)
    except UnreachableError as error:
        await turn.breaks("api_error", str(error))
    except RefusedError as error:
        if not exchange.started:
            raise
        await turn.breaks("api_error", error.sentence)
    except UpstreamError as error:
        await turn.fails(error)
    except EngineError as error:
        await turn.breaks("api_error", f"an original could not be fetched: the worker {error.reason}")
    finally:
        exchange.done.usage = flat(relay.usage)
        exchange.done.served = served.served


class _Turn:
    """One turn on its way to the client."""

    def __init__(self, exchange: Exchange, ask: Ask, made: Made, relay: Relay, served: _Served) -> None:
        self._exchange = exchange
        self._app = exchange.app
        self._ask = ask
        self._made = made
        self._relay = relay
        self._served = served
        self._begins: asyncio.Task[Any] | None = None
        self._head: list[tuple[bytes, bytes]] = []
        self._status = 200
        self._kind = b"text/event-stream"

    async def hop(self, response: Any) -> None:
        """Take one answer of the provider."""
        relay = self._relay
        kind = response.headers.get("content-type", "")
        if relay.hops == 0:
            self._status = response.status
            if self._made.shape == self._exchange.route.shape and "event-stream" in kind:
                self._kind = kind.encode("latin-1", "replace")
            self._head = [
                (name, value) for name, value in upstream.passed(response.raw_headers)
                if name.lower() not in {b"content-length", b"content-encoding", b"content-type"}
            ]  # fmt: skip
        relay.begin(kind)
        last: list[Event] = []
        async for data in _decoded(response):
            events = relay.feed(data)
            if relay.ended:
                last = events
                break
            await self._show(events)
        last += relay.arrived()
        if calls := relay.calls:
            await self._served.look_up(self._app, self._ask, calls)
        last += relay.close()
        if not relay.more:
            await self._remember()
        await self._show(last)

    async def ends(self) -> None:
        """Close the answer."""
        exchange, relay = self._exchange, self._relay
        if relay.streaming:
            await self._start(self._kind)
        else:
            body = relay.body()
            await self._start(b"application/json", length=len(body))
            await exchange.write(body)
        if (failure := relay.failure) is not None:
            exchange.done.error = type(failure).__name__
        await exchange.end()

    async def refused(self, response: Any) -> None:
        """Hand on what the provider answered instead."""
        exchange = self._exchange
        if exchange.started:  # a later hop
            body = await _error_body(response)
            error = self._relay.refused(response.status, {}, body)
            await self.breaks("api_error", str(error))
            return
        if self._made.shape == exchange.route.shape:
            await passing.back(exchange, response)
            return
        body = await _error_body(response)
        error = self._relay.refused(response.status, {}, body)
        head = [
            (name, value) for name, value in upstream.passed(response.raw_headers)
            if name.lower() not in {b"content-length", b"content-encoding"}
        ]  # fmt: skip
        await exchange.start(response.status, [*head, (b"content-length", b"%d" % len(error.body))])
        await exchange.write(error.body)
        await exchange.end()

    async def fails(self, error: UpstreamError) -> None:
        """Tell of an answer that is none, or an error of a library."""
        exchange = self._exchange
        if exchange.started:
            await self.breaks("api_error", str(error))
            return
        if not error.body:
            raise RefusedError(error.code or 502, str(error)) from error
        await exchange.start(
            error.code or 502, [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(error.body))]
        )
        await exchange.write(error.body)
        await exchange.end()

    async def breaks(self, kind: str, sentence: str) -> None:
        """Tell the client that its answer broke off, so that nobody takes it for whole."""
        if not self._exchange.started:
            raise RefusedError(502, sentence)
        events = self._relay.broken(kind, sentence)
        with contextlib.suppress(Exception):
            await self._remember()
        await self._exchange.breaks(b"".join(event.raw for event in events), sentence)

    async def _start(self, kind: bytes, length: int | None = None) -> None:
        if self._exchange.started:
            return
        own = [(b"content-type", kind)]
        if length is not None:
            own.append((b"content-length", b"%d" % length))
        await self._exchange.start(self._status, [*self._head, *own])

    async def _show(self, events: list[Event]) -> None:
        if not events:
            return
        if self._made.notes and self._begins is None and self._made.turns == 0:
            self._begins = asyncio.create_task(self._noted("begin", self._ask))
        await self._start(self._kind)
        await self._exchange.write(b"".join(event.raw for event in events))

    async def _remember(self) -> None:
        """Note what the next request needs to know, before the client can send it."""
        relay = self._relay
        if self._begins is not None:
            await self._begins
        if not relay.hops:
            return
        turned = relay.turned()
        if self._made.notes or turned.hops > 1 or turned.hidden()[1] is not None or (turned.held() and self._made.ours):
            await self._noted("remember", self._ask, turned)

    async def _noted(self, job: str, *arguments: Any) -> None:
        try:
            failed = await self._app.engines.do(job, *arguments)
        except EngineError as error:
            failed = f"the worker {error.reason}"
        if failed:
            self._app.told(f"a turn is not remembered: {failed}")


async def _decoded(response: Any) -> AsyncIterator[bytes]:
    """Give the bytes of an answer; who was asked for none encoded and did it all the same is understood."""
    decoder = bodies.Decoder(response.headers.get("content-encoding", ""))
    async for data in response.content.iter_any():
        if piece := decoder.feed(data):
            yield piece
    if rest := decoder.end():
        yield rest


async def _error_body(response: Any) -> bytes:
    """Return the body of an error, as far as it comes."""
    data = b""
    with contextlib.suppress(*upstream.READ_ERRORS):
        async for piece in _decoded(response):
            data += piece
            if len(data) > 1 << 20:
                break
    return data
