"""WebSockets: the Responses API of OpenAI, and whatever else speaks so. Messages pass in order, both ways, unchanged.

But for those of the client that begin a response: they hold conversations, and are shortened like any other request.
Each of them is counted as one. Pings are answered on either side by itself; compression of messages is each side's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time

import aiohttp
from yarl import URL

from headroom_cli.serve import messages, routes, upstream
from headroom_cli.serve.engines import EngineError
from headroom_cli.serve.exchange import Exchange
from headroom_cli.serve.jobs import Ask, Made
from headroom_cli.serve.replies import RefusedError, error_body
from headroom_cli.serve.signs import Signs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.serve.app import App
    from headroom_cli.serve.replies import Receive, Scope, Send
    from headroom_cli.serve.routes import Route

    Closing = tuple[int, str]

_BEGINS = re.compile(r'"type"\s*:\s*"response\.create"')
_HANDSHAKE_SECONDS = 60.0
_CLOSE_SECONDS = 1.0  # for the other side to say that it closes as well
_REFUSAL_MOST = 65_536  # bytes of what a provider says when it refuses
# Codes that may stand in a close frame (RFC 6455, section 7.4, and IANA's registry), besides 3000 to 4999.
_CODES = frozenset((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014))
_NO_CODE, _ABNORMAL, _TOO_BIG, _FAULT = 1005, 1006, 1009, 1011


class _AnsweredError(Exception):
    """The provider answered, but opened nothing."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.body = body


async def relay(app: App, scope: Scope, receive: Receive, send: Send, refused: RefusedError | None = None) -> None:
    """Answer one handshake, and carry messages until one side closes. ``refused``: it is not to come in."""
    await receive()  # that it wants to connect
    route = routes.find("POST", scope["raw_path"].decode("latin-1"), scope["headers"])
    if refused is None and (route is None or route.what == routes.OWN):
        refused = RefusedError(404, "no provider has this path")
    if refused is None and app.serving.backend:
        refused = RefusedError(404, f"{app.serving.backend} is not reached by a WebSocket")
    if refused is not None or route is None:
        await _refuse(scope, send, refused or RefusedError(404, "no provider has this path"))
        return
    talk = _Talk(app, route, scope, receive, send)
    try:
        await talk.run()
    except RefusedError as error:
        talk.account(error.status, error.sentence)
        await _refuse(scope, send, error)
    except _AnsweredError as answer:
        talk.account(answer.status, "")
        await _deny(scope, send, answer.status, answer.headers, answer.body)
    finally:
        talk.account(101, "the connection ended")


async def _refuse(scope: Scope, send: Send, error: RefusedError) -> None:
    """Refuse a handshake in our own words."""
    said = error.sentence.encode("ascii", "replace")
    headers = [(b"content-type", b"application/json"), (b"x-headroom-error", said)]
    await _deny(scope, send, error.status, headers, error_body("", error.status, error.sentence))


async def _deny(scope: Scope, send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Refuse a handshake with an HTTP answer, where the server can; the client may be gone by now."""
    with contextlib.suppress(OSError):  # uvicorn's ClientDisconnected is one
        if "websocket.http.response" in (scope.get("extensions") or {}):
            fields = [(name.lower(), value) for name, value in headers]
            await send({"type": "websocket.http.response.start", "status": status, "headers": fields})
            await send({"type": "websocket.http.response.body", "body": body})
        else:
            await send({"type": "websocket.close", "code": _FAULT})


class _Talk:
    """One client's connection and ours to the provider."""

    def __init__(self, app: App, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        self._app = app
        self._route = route
        self._scope = {**scope, "method": "GET"}
        self._receive = receive
        self._send = send
        self._limits = app.serving.limits
        self._waiting: asyncio.Future[Any] | None = None  # the client's next message
        self._now: Exchange | None = self._exchange()  # the response that is being made; at first, the handshake
        self._signs = Signs("responses")
        self._last_word: Closing | None = None  # to the client, where it is ours
        self._head: list[tuple[bytes, bytes]] = []  # of the provider's answer to the handshake

    def _exchange(self) -> Exchange:
        return Exchange(self._app, self._route, self._scope, self._receive, self._send)

    def account(self, status: int, error: str) -> None:
        """Count what is at hand, once."""
        exchange, self._now = self._now, None
        if exchange is not None:
            exchange.done.status = status
            exchange.done.error = error
            exchange.done.usage = self._signs.usage
            self._app.account(exchange)

    async def run(self) -> None:
        """Connect, and carry messages until one side closes."""
        session = self._session()
        self._waiting = asyncio.ensure_future(self._receive())
        try:
            opening = asyncio.ensure_future(self._open(session))
            await asyncio.wait((opening, self._waiting), return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():  # it did not wait for us
                opening.cancel()
                await asyncio.wait((opening,))
                if not opening.cancelled() and opening.exception() is None:
                    await _close(opening.result(), (1001, ""))
                return
            socket = opening.result()
            try:
                await self._carry(socket)
            finally:
                await _close(socket, (1001, ""))
        finally:
            self._waiting.cancel()
            await session.close()

    def _session(self) -> aiohttp.ClientSession:
        """Return a session of this connection alone, on the connector of all."""
        heard = aiohttp.TraceConfig()
        heard.on_request_redirect.append(self._refused)  # the client decides whether it follows
        heard.on_request_end.append(self._answered)
        return aiohttp.ClientSession(
            connector=self._app.upstream.session.connector, connector_owner=False, auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[heard],
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=_HANDSHAKE_SECONDS),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )  # fmt: skip

    async def _answered(self, session: aiohttp.ClientSession, context: Any, parameters: Any) -> None:
        self._head = [
            (name, value) for name, value in upstream.passed(parameters.response.raw_headers)
            if not name.lower().startswith((b"sec-websocket-", b"content-length", b"x-headroom-"))
        ]  # fmt: skip
        if parameters.response.status != 101:
            await self._refused(session, context, parameters)

    async def _refused(self, _session: aiohttp.ClientSession, _context: Any, parameters: Any) -> None:
        response = parameters.response
        head = [
            (name, value) for name, value in upstream.passed(response.raw_headers) if name.lower() != b"content-length"
        ]
        body = b""
        try:
            while len(body) < _REFUSAL_MOST and (piece := await response.content.readany()):
                body += piece
        except upstream.READ_ERRORS:
            body = b""
        response.close()
        raise _AnsweredError(response.status, head, body)

    async def _open(self, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        """Connect to the provider. Raise RefusedError, _AnsweredError."""
        exchange = self._now or self._exchange()
        headers = [
            (name.decode("latin-1"), upstream.text(value))
            for name, value in exchange.headers(decoded=False, identity=False) if not name.startswith(b"sec-websocket-")
        ]  # fmt: skip
        where = URL(exchange.address(), encoded=True)
        try:
            return await session.ws_connect(
                where, headers=headers, protocols=self._scope.get("subprotocols") or (), autoclose=False,
                max_msg_size=self._limits.body + 1, proxy=self._app.upstream.proxy_for(where),
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS),
            )  # fmt: skip
        except aiohttp.WSServerHandshakeError as error:
            raise RefusedError(502, "the provider does not open a WebSocket here") from error
        except TimeoutError as error:
            raise RefusedError(504, "the provider did not answer in time") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise RefusedError(502, f"the provider cannot be reached ({type(error).__name__})") from error

    async def _carry(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Carry messages both ways; hand on why it ended."""
        accepted = {"type": "websocket.accept", "subprotocol": socket.protocol, "headers": self._head}
        with contextlib.suppress(OSError):  # the client has gone: its disconnect is the next that is received
            await self._send(accepted)
        self.account(101, "")
        up = asyncio.ensure_future(self._up(socket))
        down = asyncio.ensure_future(self._down(socket))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            # Where the provider's side is gone while we write, what it said last is still to be read.
            if up.done() and up.result() is None:
                await asyncio.wait((down,), timeout=_CLOSE_SECONDS)
            if down.done():
                await self._say_goodbye(down.result())
            elif up.done():
                down.cancel()
                await asyncio.wait((down,))
                if self._last_word is not None:
                    await self._say_goodbye(self._last_word)
                await _close(socket, up.result() or (_FAULT, ""))
        finally:
            up.cancel()
            down.cancel()
            await asyncio.wait((up, down))

    async def _say_goodbye(self, closing: Closing) -> None:
        with contextlib.suppress(OSError):
            await self._send({"type": "websocket.close", "code": closing[0], "reason": closing[1]})

    async def _up(self, socket: aiohttp.ClientWebSocketResponse) -> Closing | None:
        """Carry the client's messages. Return its close code and reason, None when the provider takes no more."""
        while True:
            message = await self._next()
            if message["type"] == "websocket.disconnect":
                return _to_send(message.get("code", _NO_CODE)), message.get("reason") or ""
            text = message.get("text")
            data = text.encode() if text is not None else message["bytes"]
            if len(data) > self._limits.body:
                self._last_word = _TOO_BIG, "the message is too large"
                return 1001, ""
            if text is not None and self._route.shape == "responses" and _BEGINS.search(text):
                self.account(200, "")  # one whose end was not seen
                self._now = exchange = self._exchange()
                self._signs = Signs("responses")
                shortened = await self._shortened(exchange, data)
                if shortened is None:
                    continue  # the client has gone, and that is what comes next
                data = shortened
            kind = aiohttp.WSMsgType.TEXT if text is not None else aiohttp.WSMsgType.BINARY
            try:
                await socket.send_frame(data, kind)
            except (aiohttp.ClientError, OSError):
                return None

    async def _next(self) -> Any:
        """Return the client's next message. One more is received meanwhile, so that its going is noticed."""
        waiting = self._waiting or asyncio.ensure_future(self._receive())
        message = await waiting
        gone = message["type"] == "websocket.disconnect"
        self._waiting = waiting if gone else asyncio.ensure_future(self._receive())
        return message

    async def _shortened(self, exchange: Exchange, data: bytes) -> bytes | None:
        """Return the message to send: its own bytes where nothing came of it; None when the client has gone."""
        policy, why = messages.asked(exchange)
        made = Made("responses", data, why=why)
        if not why:
            ask = Ask(
                "responses", data, what="socket", scope=self._app.identity.scope(exchange.given), policy=policy,
                model=self._route.model,
            )  # fmt: skip
            work = asyncio.ensure_future(self._app.holding.do("prepare", ask))
            waiting: Any = self._waiting
            try:
                seconds = 2 * self._limits.job_seconds + 1  # the engines have their own clock; this is the last guard
                await asyncio.wait((work, waiting), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
                if not work.done() and waiting.done() and waiting.result()["type"] == "websocket.disconnect":
                    return None
                made = await asyncio.wait_for(work, seconds)
                made.body = made.body or data
            except EngineError as error:
                made.why = f"the worker {error.reason}"
            except TimeoutError:
                made.why = "the worker took too long"
            finally:
                work.cancel()
            if made.why.startswith("the worker"):
                self._app.told(f"a message was not shortened: {made.why}")
        exchange.made = made
        exchange.tell(made)
        return made.body

    async def _down(self, socket: aiohttp.ClientWebSocketResponse) -> Closing:
        """Carry the provider's messages. Return its close code and reason."""
        while True:
            message = await socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                sent: dict[str, Any] = {"type": "websocket.send", "text": message.data}
            elif message.type is aiohttp.WSMsgType.BINARY:
                sent = {"type": "websocket.send", "bytes": message.data}
            elif message.type is aiohttp.WSMsgType.CLOSE:
                return _to_send(message.data or _NO_CODE), message.extra or ""
            elif message.type is aiohttp.WSMsgType.ERROR:
                code = getattr(message.data, "code", _FAULT)
                return (_TOO_BIG, "an answer is too large") if code == _TOO_BIG else (_FAULT, "the provider broke off")
            else:
                return _FAULT, "the provider broke off"
            try:
                await self._send(sent)
            except OSError:  # the client has gone, as it will say
                await asyncio.Event().wait()
            if self._now is not None and message.type is aiohttp.WSMsgType.TEXT:
                self._see(self._now, message.data.encode())

    def _see(self, exchange: Exchange, data: bytes) -> None:
        """Read along: what a response cost, and when it is over."""
        if not exchange.started:
            exchange.started = True
            exchange.done.first_ms = (time.perf_counter() - exchange.began) * 1000
            exchange.done.hops = 1
        self._signs.read_message(data)
        if self._signs.ended:
            self.account(200, "an error came inside the answer" if self._signs.failed else "")


def _to_send(code: int) -> int:
    """Return a code that may be sent for one that was received; some only say what happened."""
    if code in _CODES or 3000 <= code < 5000:
        return code
    return {_NO_CODE: 1000, _ABNORMAL: 1001}.get(code, _FAULT)


async def _close(socket: aiohttp.ClientWebSocketResponse, closing: Closing) -> None:
    """Close the provider's side; what it does about it is its own business."""
    with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, RuntimeError):
        await asyncio.wait_for(socket.close(code=closing[0], message=closing[1].encode()), 2 * _CLOSE_SECONDS)
