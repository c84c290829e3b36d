"""Hops to a backend that is a library in this process: it blocks, so it runs in a thread, and its chunks come over."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading

from headroom_cli import backends, formats
from headroom_cli.errors import HeadroomError, UpstreamError
from headroom_cli.formats._edits import Edit
from headroom_cli.wire._events import Event, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from headroom_cli.backends import Backend
    from headroom_cli.serve.exchange import Exchange
    from headroom_cli.serve.jobs import Made

_AHEAD = 64  # chunks that may wait for a slow client


class Library:
    """Hops to a library."""

    def __init__(self, exchange: Exchange, made: Made, backend: Backend, provider: str) -> None:
        """``made.body`` is in a shape that the library takes."""
        self.backend = backend
        self._exchange = exchange
        self._made = made
        self._provider = provider

    async def hop(self, extra: list[Any]) -> _Answer:
        """Begin a hop; return what reads as the head of an answer. Raise HeadroomError."""
        made, serving = self._made, self._exchange.app.serving
        body = made.body
        if extra:
            # A worker process has no part in this: the list is short, and the library copies the whole of it anyway.
            body = await asyncio.to_thread(_with, body, extra)
        target = backends.Target(
            base=serving.base_url, provider=self._provider, secrets=serving.secrets, timeout=serving.limits.silence
        )
        outgoing = backends.Outgoing(made.shape, made.model, body, stream=made.stream)
        answer = _Answer(self.backend, outgoing, target)
        try:
            await answer.begin()
        except BaseException:  # the client went away: nobody will close it
            answer.close()
            raise
        return answer


def _with(body: bytes, extra: list[Any]) -> bytes:
    import json

    turns = json.loads(body).get("messages") or ()
    return formats.spliced(body, [Edit.insert(("messages",), len(turns), turn) for turn in extra])


class _Answer:
    """Chunks of a library as the bytes of a stream, with what an HTTP answer has."""

    def __init__(self, backend: Backend, outgoing: backends.Outgoing, target: backends.Target) -> None:
        self.status = 200
        self.raw_headers: tuple[tuple[bytes, bytes], ...] = ()
        self.headers = {"content-type": "text/event-stream" if outgoing.stream else "application/json"}
        self.content = self
        self._stream = outgoing.stream
        self._backend = backend
        self._outgoing = outgoing
        self._target = target
        self._queue: asyncio.Queue[Any] = asyncio.Queue(_AHEAD)
        self._loop = asyncio.get_running_loop()
        self._first: Any = None
        self._closed = False

    async def begin(self) -> None:
        """Start the thread and wait for the first chunk. Raise HeadroomError when there is none."""
        # One of its own: those that the loop shares are few, and an end of the program would wait for them.
        threading.Thread(target=self._run, daemon=True).start()
        self._first = await self._queue.get()
        if isinstance(self._first, BaseException):
            raise self._first

    def _run(self) -> None:
        """Read the library in a thread; a full queue holds it back."""
        try:
            if self._backend.library is None:
                return
            chunks = self._backend.library(self._outgoing, self._target)
            with contextlib.closing(chunks):  # type: ignore[type-var] # a generator
                for chunk in chunks:
                    if self._closed:
                        return
                    self._put(Event.of(chunk).raw if self._stream else written(chunk))
            if self._stream:
                self._put(b"data: [DONE]\n\n")
            self._put(None)
        except HeadroomError as error:
            self._put(error)
        except Exception as error:  # noqa: BLE001 - whatever a library raises, its client is told
            self._put(UpstreamError(f"{self._backend.name} failed ({type(error).__name__})"))

    def _put(self, chunk: Any) -> None:
        if self._closed:
            return
        waiting = self._queue.put(chunk)
        try:
            asyncio.run_coroutine_threadsafe(waiting, self._loop).result()
        except (RuntimeError, concurrent.futures.CancelledError):  # the loop is over, and with it whoever waited
            waiting.close()
            self._closed = True

    async def iter_chunked(self, _size: int) -> AsyncIterator[bytes]:
        """Give the chunks. Raise HeadroomError when the library broke off."""
        chunk = self._first
        while chunk is not None:
            if isinstance(chunk, BaseException):
                raise chunk
            yield chunk
            chunk = await self._queue.get()

    def close(self) -> None:
        """Let the thread end at its next chunk."""
        self._closed = True
        while not self._queue.empty():
            self._queue.get_nowait()
