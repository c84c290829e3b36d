"""Requests that hold conversations: read, shortened in a worker process, sent, answered.

An answer passes as bytes unless our tool is in the request or the provider speaks another API: then a relay stands in
between, which shows the client one turn over any number of hops. It has no sockets; they are here.
"""

from __future__ import annotations

from headroom_cli import backends
from headroom_cli.errors import HeadroomError, UnreachableError, UpstreamError
from headroom_cli.model import KINDS
from headroom_cli.relay import Relay, Request
from headroom_cli.serve import aws, library, passing, routes, upstream
from headroom_cli.serve import body as bodies
from headroom_cli.serve.engines import EngineError
from headroom_cli.serve.jobs import Ask, Made
from headroom_cli.serve.replies import RefusedError
from headroom_cli.serve.turn import Served, Turn
from headroom_cli.wire._usage import flat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.backends import Backend
    from headroom_cli.serve.app import App
    from headroom_cli.serve.exchange import Exchange

_MODES: dict[bytes, dict[str, Any]] = {
    b"safe": {"level": "safe"}, b"balanced": {"level": "balanced"}, b"max": {"level": "max"},
    b"lossless": {"lossless": True},
}  # fmt: skip
_OFF = frozenset((b"1", b"true", b"yes", b"on"))


async def handle(exchange: Exchange) -> None:
    """Answer one request of a conversation."""
    app, route, done = exchange.app, exchange.route, exchange.done
    raw = await exchange.read()
    policy, why = asked(exchange)
    plain: bytes | None = raw
    encodings = exchange.encodings()
    if encodings:
        plain = await bodies.decoded(raw, encodings, app.serving.limits, exchange.share)
    if plain is None:
        why = "its encoding is unknown or broken"
    if plain is None and app.serving.backend:  # nobody there takes it as it came
        raise RefusedError(400, f"the body of the request: {why}")
    made = Made(route.shape, raw if plain is None else plain, why=why)
    ask = Ask(
        route.shape, made.body, what=_what(exchange), headers=exchange.api_headers(),
        scope=app.identity.scope(exchange.given), policy=policy, model=route.model,
        number=done.number, stream=route.what == routes.BEDROCK and route.path.endswith("-stream"),
    )  # fmt: skip
    if not why:
        made = await _made(app, ask, made)
    elif app.serving.backend:
        made = await _untouched(app, ask, why)
    exchange.made = made
    exchange.tell(made)
    if made.body is not ask.body:
        done.bodies = ask.body, made.body
    if app.serving.backend:
        await _answered(exchange, ask, made)
    elif made.ours and route.what != routes.COUNT:
        await _relayed(exchange, ask, made, _Direct(exchange, ask, made))
    else:
        changed = made.body is not plain and made.body != plain
        body = made.body if changed else raw
        url, headers = exchange.address(), exchange.headers(decoded=changed, identity=True)
        await passing.through(exchange, url, await aws.signed(exchange, url, headers, body), body)
    done.model = done.model or made.model


def asked(exchange: Exchange) -> tuple[dict[str, Any], str]:
    """Return what this request changes of the policy, and why it is not to be shortened at all ("" when it is)."""
    given = dict(exchange.given)
    mode = given.get(b"x-headroom-mode", b"").strip().lower()
    if given.get(b"x-headroom-bypass", b"").strip().lower() in _OFF or mode == b"off":
        return {}, "switched off for this request"
    return dict(_MODES.get(mode, {})), ""


def _what(exchange: Exchange) -> str:
    return "count" if exchange.route.what == routes.COUNT else "messages"


async def _made(app: App, ask: Ask, made: Made) -> Made:
    """Have a request shortened; the one that came, with the reason, where that fails."""
    try:
        found: Made = await app.holding.do("prepare", ask)
    except EngineError as error:
        app.told(f"a request was not shortened: the worker {error.reason}")
        if app.serving.backend:
            return await _untouched(app, ask, f"the worker {error.reason}")
        made.why = f"the worker {error.reason}"
        return made
    for warning in found.warnings:
        app.told(warning)  # a store that is full, a model that fails: the client is served, the operator has to know
    return _whole(found, ask)


async def _untouched(app: App, ask: Ask, why: str) -> Made:
    """Have a request written as the backend wants it, and nothing in it shortened. Raise RefusedError."""
    ask.what, ask.policy = "off", {"skip": frozenset(KINDS)}
    try:
        found: Made = await app.engines.do("prepare", ask)
    except EngineError as error:
        raise RefusedError(503, f"the request could not be prepared: the worker {error.reason}") from error
    found.why = why
    return _whole(found, ask)


def _whole(made: Made, ask: Ask) -> Made:
    """Return what a worker made, with the body that need not travel. Raise RefusedError for what cannot be sent."""
    made.body = made.body or ask.body
    if made.refused is not None:
        raise RefusedError(*made.refused)
    return made


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
            body, _ = await exchange.app.holding.do("hop", self._ask, body, extra)
        url = exchange.address()
        headers = await aws.signed(exchange, url, exchange.headers(decoded=True, identity=True), body)
        return await exchange.app.upstream.send("POST", url, headers, body)


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
            body, call = await self._exchange.app.holding.do("hop", self._ask, body, extra)
        if call is None:
            raise RefusedError(500, "this backend has no address")
        url, given = call
        headers = [(name.encode(), value.encode()) for name, value in given]
        connections, access = self._exchange.app.upstream, self._exchange.app.access
        if access is None:
            return await connections.send("POST", url, headers, body)
        token, authorised = await access.authorised(headers)
        response = await connections.send("POST", url, authorised, body)
        if response.status == 401:  # it may have been taken back before its time; a new one is as good as it gets
            response.close()
            _, authorised = await access.authorised(headers, refused=token)
            response = await connections.send("POST", url, authorised, body)
        return response


async def _relayed(exchange: Exchange, ask: Ask, made: Made, hops: Any) -> None:
    """Send a request and show the client one turn, however many hops it takes."""
    served = Served()
    request = Request(
        made.shape, b"", model=made.model, seen_as=exchange.route.shape, ours=made.ours,
        include_usage=made.include_usage,
        value={"stream": made.stream or exchange.route.path.endswith("-stream"), "conversation": made.conversation},
    )  # fmt: skip
    relay = Relay(request, hops.backend, backends.Target(), served)  # type: ignore[arg-type] # answers as a desk does
    framed = hops.backend.framing == "eventstream", exchange.route.what == routes.BEDROCK
    foreign = bool(exchange.app.serving.backend) and framed[0] != framed[1]
    turn = Turn(exchange, ask, made, relay, served, foreign=foreign)
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
    except HeadroomError as error:  # a library has no place for something, or is not there
        if not exchange.started:
            raise RefusedError(400, str(error)) from error
        await turn.breaks("api_error", str(error))
    except EngineError as error:
        await turn.breaks("api_error", f"an original could not be fetched: the worker {error.reason}")
    finally:
        exchange.done.usage = flat(relay.usage)
        if not relay.finished:
            exchange.done.cut()
        if later := relay.later():
            exchange.done.overhead["hops"] = later
        exchange.done.served = served.served
