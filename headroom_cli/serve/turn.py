"""One turn of a model on its way to the client: hops in, events out, and what is to be remembered of it."""

from __future__ import annotations

import asyncio
import contextlib
import json

from headroom_cli.errors import KeyMissingError
from headroom_cli.serve import body as bodies
from headroom_cli.serve import frames, passing, routes, upstream
from headroom_cli.serve.engines import EngineError
from headroom_cli.serve.replies import RefusedError, error_body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from headroom_cli.errors import UpstreamError
    from headroom_cli.relay import Relay
    from headroom_cli.serve.app import App
    from headroom_cli.serve.exchange import Exchange
    from headroom_cli.serve.jobs import Ask, Made
    from headroom_cli.wire._events import Call, Event, Image


class Served:
    """Answers to calls of our tool that a worker process has found, where a relay expects a desk."""

    def __init__(self) -> None:
        """Start before the first call."""
        self._texts: list[str | Image] = []
        self.spent = 0
        self.unknown: frozenset[str] = frozenset()
        self.stubborn = False
        self.served = 0

    def answer(self, _call: Call) -> str | Image:
        """Return the result of the next of the calls that were looked up: they come in the same order."""
        return self._texts.pop(0) if self._texts else "This cannot be read now. Go on with what the conversation shows."

    async def look_up(self, app: App, ask: Ask, calls: list[Call]) -> None:
        """Have calls answered; what fails is left to ``answer``."""
        self._texts = []
        try:
            texts, self.spent, self.unknown, self.stubborn, served = await app.holding.do(
                "answer", ask, calls, self.spent, self.unknown
            )
        except EngineError as error:
            app.told(f"an original was not given: the worker {error.reason}")
            return
        self.served += served
        self._texts = list(texts)


class Turn:
    """One turn on its way to the client."""

    def __init__(
        self, exchange: Exchange, ask: Ask, made: Made, relay: Relay, served: Served, *, foreign: bool
    ) -> None:
        """``made`` is the request that went out, ``served`` the desk of ``relay``.

        ``foreign``: errors have another form than the client's, though the shape may be one. Bedrock's answers are
        Anthropic's, but its errors are not.
        """
        self._exchange = exchange
        self._app = exchange.app
        self._ask = ask
        self._made = made
        self._relay = relay
        self._served = served
        self._begins: asyncio.Task[Any] | None = None
        self._kept = False  # what was hidden before this hop is on disk
        self._head: list[tuple[bytes, bytes]] = []
        self._status = 200
        self._framed = exchange.route.what == routes.BEDROCK
        self._foreign = foreign
        self._kind = b"application/vnd.amazon.eventstream" if self._framed else b"text/event-stream"

    async def hop(self, response: Any) -> None:
        """Take one answer of the provider."""
        relay = self._relay
        kind = response.headers.get("content-type", "")
        if relay.hops == 0:
            self._status = response.status
            if self._made.shape == self._exchange.route.shape and "event-stream" in kind and not self._framed:
                self._kind = kind.encode("latin-1", "replace")
            self._head = [
                (name, value) for name, value in upstream.passed(response.raw_headers)
                if name.lower() not in {b"content-length", b"content-encoding", b"content-type"}
            ]  # fmt: skip
        relay.begin(kind)
        self._kept = False
        last: list[Event] = []
        async for data in _decoded(response):
            events = relay.feed(data)
            if relay.ended:
                last = events
                break
            if relay.stopped and not self._kept:
                await self._keep()
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
        if self._made.shape == exchange.route.shape and not self._foreign:
            await passing.back(exchange, response)
            return
        body = await _error_body(response)
        error = self._relay.refused(response.status, {}, body)
        if self._framed or self._made.shape == exchange.route.shape:
            error.body = error_body(exchange.error_shape, response.status, _message(body), "")
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
        # 200 is that of an answer that broke off, before anything of it could be shown.
        code = error.code if error.code >= 400 else 401 if isinstance(error, KeyMissingError) else 502
        if not error.body:
            raise RefusedError(code, str(error)) from error
        body = self._relay.told(error).body
        head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        if error.wait:
            head.append((b"retry-after", error.wait.encode()))
        await exchange.start(code, head)
        await exchange.write(body)
        await exchange.end()

    async def breaks(self, kind: str, sentence: str) -> None:
        """Tell the client that its answer broke off, so that nobody takes it for whole."""
        if not self._exchange.started:
            raise RefusedError(502, sentence)
        events = self._relay.broken(kind, sentence)
        with contextlib.suppress(Exception):
            await self._remember()
        await self._exchange.breaks(self._written(events), sentence)

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
        if data := self._written(events):
            await self._exchange.write(data)

    def _written(self, events: list[Event]) -> bytes:
        """Return events as the client reads them: Bedrock's in frames."""
        if not self._framed:
            return b"".join(event.raw for event in events)
        return b"".join(_framed(event) for event in events if event.data is not None)

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

    async def _keep(self) -> None:
        """Note what was hidden, before the client sees why the turn ends: many close their connection at that."""
        self._kept = True
        turned = self._relay.turned()
        if turned.hidden()[1] is not None:
            await self._noted("remember", self._ask, turned)

    async def _noted(self, job: str, *arguments: Any) -> None:
        try:
            failed = await self._app.holding.do(job, *arguments)
        except EngineError as error:
            failed = f"the worker {error.reason}"
        if failed:
            self._app.told(f"a turn is not remembered: {failed}")


def _framed(event: Event) -> bytes:
    """Return an event as a frame of AWS."""
    error = event.value.get("error")
    if event.name == "error" and isinstance(error, dict):
        return frames.exception(str(error.get("type")), str(error.get("message")))
    return frames.chunk((event.data or "").encode("utf-8", "surrogatepass"))


async def _decoded(response: Any) -> AsyncIterator[bytes]:
    """Give the bytes of an answer; who was asked for none encoded and did it all the same is understood."""
    decoder = bodies.Decoder(response.headers.get("content-encoding", ""))
    async for data in response.content.iter_chunked(upstream.PIECE):
        if piece := decoder.feed(data):
            yield piece
    if rest := decoder.end():
        yield rest


def _message(body: bytes) -> str:
    """Return what an error says, in Bedrock's form or another."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    inner = value.get("error") if isinstance(value, dict) else None
    value = inner if isinstance(inner, dict) else value
    said = (value.get("message") or value.get("Message")) if isinstance(value, dict) else None
    return said if isinstance(said, str) else body[:2000].decode("utf-8", "replace")


async def _error_body(response: Any) -> bytes:
    """Return the body of an error, as far as it comes."""
    data = b""
    with contextlib.suppress(*upstream.READ_ERRORS):
        async for piece in _decoded(response):
            data += piece
            if len(data) > 1 << 20:
                break
    return data
