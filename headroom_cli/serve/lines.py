"""A connection's two directions: when we read, how the application's side writes and closes, and the last answer."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from headroom_cli.serve.replies import error_body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from headroom_cli.serve.replies import Pairs, RefusedError


def answer(error: RefusedError, headers: Pairs) -> bytes:
    """Return the last answer of a connection: the error, with ``headers`` before our own."""
    body = error_body("", error.status, error.sentence)
    fields = [
        *headers,
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"x-headroom-error", error.sentence.encode("ascii")),
        (b"connection", b"close"),
    ]
    return STATUS_LINE[error.status] + b"".join(b"%s: %s\r\n" % field for field in fields) + b"\r\n" + body


class Flow(FlowControl):
    """uvicorn's, with a clock that stands while we do not read."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Start to read."""
        super().__init__(transport)
        self._loop = loop
        self._paused_at = 0.0
        self._paused_for = 0.0

    def time(self) -> float:
        """Return seconds that only pass while we read."""
        return (self._paused_at if self.read_paused else self._loop.time()) - self._paused_for

    def pause_reading(self) -> None:
        """Stop the clock."""
        if not self.read_paused:
            self._paused_at = self._loop.time()
        super().pause_reading()

    def resume_reading(self) -> None:
        """Let it run."""
        if self.read_paused:
            self._paused_for += self._loop.time() - self._paused_at
        super().resume_reading()


class Line(asyncio.Transport):
    """A transport as one request's application sees it: the connection's owner hears of writes, and closes."""

    def __init__(self, transport: asyncio.Transport, writes: Callable[[], None], closes: Callable[[], None]) -> None:
        """Call ``writes`` before bytes are written, and ``closes`` instead of closing."""
        super().__init__()
        self._transport = transport
        self._writes = writes
        self._closes = closes

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Write on."""
        self._writes()
        self._transport.write(data)

    def is_closing(self) -> bool:
        """Tell whether it has been closed."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Let the owner close it."""
        self._closes()
