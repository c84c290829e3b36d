"""HTTP/1.1 as bytes: what may not come in is refused here, before any other part has seen it.

uvicorn's protocol does the work; this puts a door before it. The bytes of a connection are cut into messages here
(framing.py), one message is in the works at a time, and what comes behind it waits: so an error is never written into
the middle of an answer, and two parsers that disagree about where a message ends meet before the second message begins.

The life of a connection:

    head     waits for a whole head            -> 431 too large, 408 too slow, 400 wrong
    body     gives the body on as it comes     -> 408 too slow, 400 wrong
    waiting  the message is whole, its answer is not: what comes is held
    over     nothing more is read; what still comes is dropped until the other side has gone
"""

from __future__ import annotations

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from headroom_cli.serve.framing import Chunks, Head, bad, head_end
from headroom_cli.serve.lines import Flow, Line, answer
from headroom_cli.serve.replies import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from typing import Any

    from headroom_cli.serve.options import Limits

_UNSENT = 32 << 10  # bytes of an answer that wait for a client that does not read
_HELD = 64 << 10  # bytes that may come behind a message in the works; then we stop reading
_DROPPED = 1 << 20  # bytes of a body that nobody wants any more, and that are still read to keep the connection
_PARTING = 1.0  # seconds for the other side to read our last words: closing at once would take them away again
_NO_REQUEST = "this is no HTTP request, or has a method that HTTP does not know"
_GRACE = 0.02  # seconds; a loop that was held up looks at its clocks before it looks at its sockets


def protocol_for(limits: Limits) -> type[asyncio.Protocol]:
    """Return uvicorn's HTTP protocol with these limits."""
    return type("Protocol", (Door,), {"limits": limits})


class _Open(int):
    """How much is left of an answer whose end is that of the connection, as uvicorn counts it."""

    def __lt__(self, _size: int) -> bool:
        return False

    def __sub__(self, _size: int) -> _Open:
        return self

    def __ne__(self, _size: object) -> bool:
        return False

    __hash__ = int.__hash__


class Door(HttpToolsProtocol):
    """One connection."""

    limits: Limits  # set by protocol_for

    def __init__(self, *positional: Any, **named: Any) -> None:
        """Take what uvicorn gives a protocol."""
        super().__init__(*positional, **named)
        # uvicorn's own lets data follow a request that closes the connection; here such data never gets to a parser.
        self.parser = httptools.HttpRequestParser(self)
        self._state = "head"
        self._pending = bytearray()  # bytes that belong to no message yet
        self._seen = 0  # of these, the ones that head_end has looked at
        self._left = 0  # bytes of the body still to come, without chunks
        self._chunks: Chunks | None = None
        self._got = 0  # bytes of the body
        self._began = 0.0  # when the body began, on the clock that stands while we do not read
        self._until = 0  # bytes of it that are read at most, once it has been answered
        self._begun = False  # a byte of the next head has come
        self._socket = False  # the last head was a WebSocket's
        self._whole = False  # the parser's own opinion
        self._timer: asyncio.TimerHandle | None = None
        self._late = False
        self._clock: Flow

    # The transport's side

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Start to wait for a first head."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(_UNSENT)
        self.flow = self._clock = Flow(transport, self.loop)
        self._arm(self.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget everything that waits."""
        self._disarm()
        self._unset_keepalive_if_required()
        self._state = "over"
        self._pending.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if self._state == "over":
            return
        self._unset_keepalive_if_required()
        if self._state == "body" and not self._pending:
            self._guarded(data)
        else:
            self._pending += data
            self._guarded(b"")

    # Cutting

    def _guarded(self, data: bytes) -> None:
        """Go on with ``data`` or with what is pending, and refuse what is wrong."""
        try:
            if data:
                self._pending += data[self._body(data) :]
            self._advance()
        except RefusedError as error:
            self._refuse(error)
        except httptools.HttpParserError:
            self._refuse(bad(_NO_REQUEST))
        if self._state == "over":
            self._pending.clear()

    def _advance(self) -> None:
        """Go as far as the pending bytes reach."""
        if self._state == "body" and self._pending:
            taken = self._body(bytes(self._pending if self._chunks else self._pending[: self._left]))
            del self._pending[:taken]
        if self._state == "head" and self._pending:
            if not self._begun:
                self._begun = True
                self._unset_keepalive_if_required()
                self._arm(self.limits.head_seconds)
            while self._pending.startswith(b"\r\n"):  # RFC 9112 2.2 asks for patience with empty lines here
                del self._pending[:2]
                self._seen = 0
            self._head()
        if self._state == "waiting" and len(self._pending) > _HELD:
            self.flow.pause_reading()

    def _head(self) -> None:
        """Begin a message when its head is whole."""
        end = head_end(self._pending, self._seen, self.limits)
        if end < 0:
            self._seen = len(self._pending)
            return
        head = Head(bytes(self._pending[:end]), self.limits)
        del self._pending[:end]
        self._seen = 0
        self._disarm()
        self._socket = head.socket
        if head.socket:
            self._become_socket(head)
            return
        self._left = head.length
        self._chunks = Chunks(self.limits) if head.chunked else None
        self._got = 0
        self._began = self._clock.time()
        self._whole = False
        self.parser.feed_data(head.wire)
        if self.cycle is None or self.cycle.scope is not self.scope:
            raise bad(_NO_REQUEST)
        self._state = "body"
        if not head.length and not head.chunked:
            self._message_over()
            return
        self._arm(self.limits.head_seconds)
        self._advance()

    def _body(self, data: bytes) -> int:
        """Give on what of ``data`` belongs to the body; return how many bytes these were."""
        if self._chunks is not None:
            wire, taken = self._chunks.take(data)
            self._got = self._chunks.size
            over = self._chunks.over
        else:
            wire = data if len(data) <= self._left else data[: self._left]
            taken = len(wire)
            self._got += taken
            self._left -= taken
            over = not self._left
        if wire:
            self.parser.feed_data(wire)
        if self._whole and not over:
            raise bad(_NO_REQUEST)
        if over:
            self._message_over()
        elif self.cycle.response_complete and self._got > self._until:
            self._part()
        return taken

    def _message_over(self) -> None:
        """Wait for the answer, or for the next head where it has been given."""
        if not self._whole:
            raise bad(_NO_REQUEST)
        self._disarm()
        if not self.cycle.keep_alive:
            self._state = "over"
            self._pending.clear()
        elif self.cycle.response_complete:
            self._next()
        else:
            self._state = "waiting"

    def _next(self) -> None:
        """Wait for the next head."""
        self._state = "head"
        self._seen = 0
        self._begun = False
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _become_socket(self, head: Head) -> None:
        """Hand the connection over to uvicorn's WebSocket protocol."""
        if self._pending:
            raise bad("bytes behind a request for a WebSocket, before it was answered")  # RFC 6455 4.1 forbids them
        if not self._should_upgrade_to_ws():
            raise bad("no WebSocket is spoken here")
        self.flow.resume_reading()
        self._state = "over"
        try:
            self.parser.feed_data(head.wire)
        except httptools.HttpParserUpgrade:
            self.handle_websocket_upgrade()
        else:
            raise bad(_NO_REQUEST)

    # What the parser and uvicorn call

    def _should_upgrade(self) -> bool:
        return self._socket

    def on_headers_complete(self) -> None:
        """Start the application."""
        super().on_headers_complete()
        cycle = self.cycle
        if cycle is None or cycle.scope is not self.scope:
            return  # a WebSocket: there is none
        cycle.transport = Line(self.transport, self._writes, self._closes)
        if self.scope["http_version"] == "1.0":
            cycle.waiting_for_100_continue = False  # RFC 9110 10.1.1: not to a client of 1.0
            cycle.chunked_encoding = False  # RFC 9112 6.1: nor chunks; the connection's end is that of the answer
            cycle.expected_content_length = _Open()

    def on_message_complete(self) -> None:
        """Note that the parser has seen the end as well."""
        self._whole = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with what was held."""
        super().on_response_complete()
        if self._state == "over" or self.transport.is_closing():
            self._unset_keepalive_if_required()
            return
        if self._state == "body":
            self._unset_keepalive_if_required()
            self._until = self._got + _DROPPED
            # Who was not told to go on (100) may send the body or not: nobody knows what the next bytes are.
            if self._left > _DROPPED or (self.expect_100_continue and not self._got):
                self._part()
        elif self._state == "waiting":
            self._next()
            self._guarded(b"")

    def _writes(self) -> None:
        """Count the time of the body from the word to go on (100)."""
        if self.cycle.waiting_for_100_continue:
            self._began = self._clock.time()

    def _closes(self) -> None:
        """Close, or part where the answer is whole and the request has not been read to its end."""
        if self._state == "body" and self.cycle.response_complete:
            self._part()
        else:
            self.transport.close()

    # Clocks

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, self._tick)

    def _disarm(self) -> None:
        self._late = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        """Refuse who is too slow."""
        self._timer = None
        wait = self._overdue() if self._state == "body" else 0.0
        if wait > 0:
            self._late = False
            self._timer = self.loop.call_later(wait, self._tick)
        elif not self._late:
            self._late = True
            self._timer = self.loop.call_later(_GRACE, self._tick)
        elif self._state == "body":
            self._refuse(bad("the body of the request came too slowly", 408))
        elif self._pending:
            self._refuse(bad("the head of the request came too slowly", 408))
        else:
            self._part()

    def _overdue(self) -> float:
        """Return after how many seconds the body will be too slow if nothing more comes; 0 or less: it is."""
        # Nobody is late while we do not read, or before our word to go on: the clock begins with that (_writes).
        if self.flow.read_paused or (self.cycle.waiting_for_100_continue and not self._got):
            return self.limits.head_seconds
        # The first seconds are free; they are as many as a head may take.
        allowed = max(self.limits.head_seconds, self._got / self.limits.body_rate)
        return allowed - (self._clock.time() - self._began)

    # Ends

    def _refuse(self, error: RefusedError) -> None:
        """Answer with an error if nothing has been answered yet, and end the connection."""
        cycle = self.cycle
        running = self._state == "body" and cycle is not None
        quiet = running and cycle.response_started
        if running and not cycle.response_complete:
            cycle.disconnected = True  # what it sends from now on goes nowhere
            cycle.message_event.set()
        if quiet and not cycle.response_complete:
            self._state = "over"
            self.transport.close()
            return
        self._part(b"" if quiet else answer(error, self.server_state.default_headers))

    def _part(self, last: bytes = b"") -> None:
        """Say ``last``, say that nothing more comes, and close when the other side has gone or a second has passed."""
        self._disarm()
        self._unset_keepalive_if_required()
        self._state = "over"
        self._pending.clear()
        if self.transport.is_closing():
            return
        if last:
            self.transport.write(last)
        if self.transport.can_write_eof():
            self.flow.resume_reading()
            self.transport.write_eof()
            self._timer = self.loop.call_later(_PARTING, self.transport.close)
        else:
            self.transport.close()
