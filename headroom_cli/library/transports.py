"""What stands between an SDK's HTTP client and its connections, for threads and for event loops.

A transport is the lowest part of an httpx client (or of httpx2, which newer SDKs use and which has the same parts):
retries, authentication, redirects, hooks and every helper of the SDK lie above it and go on as they did. A request that
is no conversation, or that nothing can be done with, goes to the client's own transport as the object that it is.
"""

from __future__ import annotations

import sys

from headroom_cli.errors import UpstreamError
from headroom_cli.formats._edits import EditError
from headroom_cli.library.going import sent_headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Any

    from headroom_cli.library.going import Going, Wrapping
    from headroom_cli.library.turns import Turn

# Of an answer's head: they tell of bytes that are decoded here.
_OF_BYTES = frozenset((b"content-length", b"content-encoding", b"transfer-encoding"))


class _Around:
    """A client's own transport, with a wrapping in front of it; whatever else it can do, it can still."""

    def __init__(self, own: Any, wrapping: Wrapping, client: Any) -> None:
        """``client`` is the HTTP client that was replaced: kept, because it closes its connections when it goes."""
        self.own = own
        self.wrapping = wrapping
        self.client = client

    def __getattr__(self, name: str) -> Any:
        """Return what the client's own transport has."""
        return getattr(self.own, name)

    def _row(self, request: Any) -> tuple[str, str, bool] | None:
        return self.wrapping.row(request.method, request.url.path, request.headers.raw)


class Transport(_Around):
    """For clients of threads."""

    def handle_request(self, request: Any) -> Any:
        """Send a request, made smaller where it is a conversation; return its answer."""
        row = self._row(request)
        if row is None:
            return self.own.handle_request(request)
        going = self.wrapping.prepared(row, request.read(), request.headers.raw)
        if going is None:
            return self.own.handle_request(request)
        response = self.own.handle_request(_first(request, going))
        turn = going.turn
        if turn is None or response.status_code >= 300:
            return response
        turn.begin(response.headers.get("content-type", ""))
        if going.stream:
            return _answer(request, response, _of(request, _Stream)(self, request, going, turn, response))
        return self._whole(request, going, turn, response)

    def _whole(self, request: Any, going: Going, turn: Turn, response: Any) -> Any:
        """Return an answer in one piece, after as many hops as it takes."""
        first = response
        try:
            while True:
                data = b"".join(response.iter_bytes())
                response.close()
                try:
                    turn.feed(data)
                    body = turn.end()
                except UpstreamError as error:
                    body = _unread(request, turn, data, error)
                    break
                if not turn.more:
                    break
                response = self.own.handle_request(_next(request, going, turn))
                if response.status_code >= 300:
                    turn.broke()
                    return response
                turn.begin(response.headers.get("content-type", ""))
        except BaseException:
            turn.broke()
            raise
        return _answer(request, first, _of(request, _Once)(body), len(body))

    def close(self) -> None:
        """Close the client's own transport."""
        self.own.close()

    def __enter__(self) -> Transport:  # noqa: PYI034 - Self would be known to type checkers alone
        """Enter the client's own transport."""
        self.own.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        """Leave it."""
        self.own.__exit__(*error)


class AsyncTransport(_Around):
    """For clients of event loops: what reads and shortens runs in threads."""

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request, made smaller where it is a conversation; return its answer."""
        row = self._row(request)
        if row is None:
            return await self.own.handle_async_request(request)
        body = await request.aread()
        going: Going | None = await _in_thread(self.wrapping.prepared, row, body, request.headers.raw)
        if going is None:
            return await self.own.handle_async_request(request)
        response = await self.own.handle_async_request(_first(request, going))
        turn = going.turn
        if turn is None or response.status_code >= 300:
            return response
        turn.begin(response.headers.get("content-type", ""))
        if going.stream:
            return _answer(request, response, _of(request, _AsyncStream)(self, request, going, turn, response))
        return await self._whole(request, going, turn, response)

    async def _whole(self, request: Any, going: Going, turn: Turn, response: Any) -> Any:
        """Return an answer in one piece, after as many hops as it takes."""
        first = response
        try:
            while True:
                data = b"".join([piece async for piece in response.aiter_bytes()])
                await response.aclose()
                try:
                    turn.feed(data)
                    body = await _in_thread(turn.end)
                except UpstreamError as error:
                    body = _unread(request, turn, data, error)
                    break
                if not turn.more:
                    break
                response = await self.own.handle_async_request(await _in_thread(_next, request, going, turn))
                if response.status_code >= 300:
                    turn.broke()
                    return response
                turn.begin(response.headers.get("content-type", ""))
        except BaseException:
            turn.broke()
            raise
        return _answer(request, first, _of(request, _Once)(body), len(body))

    async def aclose(self) -> None:
        """Close the client's own transport."""
        await self.own.aclose()

    async def __aenter__(self) -> AsyncTransport:  # noqa: PYI034 - Self would be known to type checkers alone
        """Enter the client's own transport."""
        await self.own.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Leave it."""
        await self.own.__aexit__(*error)


class _Stream:
    """The bytes of a stream as the client sees them."""

    def __init__(self, transport: Transport, request: Any, going: Going, turn: Turn, response: Any) -> None:
        self._own = transport.own
        self._request = request
        self._going = going
        self._turn = turn
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        turn = self._turn
        try:
            while True:
                pieces = self._response.iter_bytes()
                last = b""
                for data in pieces:
                    shown = turn.feed(data)
                    if turn.ended:  # what the next request needs comes first
                        last = shown
                        break
                    if turn.due:
                        turn.note()
                    if shown:
                        yield shown
                if last := last + turn.end():
                    yield last
                if not turn.more:
                    for _ in pieces:  # whoever reads on to the end gets there: the connection can be used again
                        pass
                    return
                self._response.close()
                self._response = self._own.handle_request(_next(self._request, self._going, turn))
                if self._response.status_code >= 300:
                    yield turn.refused(self._response.status_code, self._response.read())
                    return
                turn.begin(self._response.headers.get("content-type", ""))
        except UpstreamError as error:
            yield _cut(turn, error)
        except GeneratorExit:
            turn.broke(stopped=True)
            raise
        except BaseException:
            turn.broke()
            raise

    def close(self) -> None:
        """Close the answer that is being read."""
        self._turn.broke(stopped=True)
        self._response.close()


class _AsyncStream:
    """The same for event loops."""

    def __init__(self, transport: AsyncTransport, request: Any, going: Going, turn: Turn, response: Any) -> None:
        self._own = transport.own
        self._request = request
        self._going = going
        self._turn = turn
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        turn = self._turn
        try:
            while True:
                pieces = self._response.aiter_bytes()
                last = b""
                async for data in pieces:
                    shown = turn.feed(data)
                    if turn.ended:  # what the next request needs comes first
                        last = shown
                        break
                    if turn.due:
                        await _in_thread(turn.note)
                    if shown:
                        yield shown
                if last := last + await _in_thread(turn.end):
                    yield last
                if not turn.more:
                    async for _ in pieces:
                        pass
                    return
                await self._response.aclose()
                request = await _in_thread(_next, self._request, self._going, turn)
                self._response = await self._own.handle_async_request(request)
                if self._response.status_code >= 300:
                    yield turn.refused(self._response.status_code, await self._response.aread())
                    return
                turn.begin(self._response.headers.get("content-type", ""))
        except UpstreamError as error:
            yield _cut(turn, error)
        except GeneratorExit:
            turn.broke(stopped=True)
            raise
        except BaseException:
            turn.broke()
            raise

    async def aclose(self) -> None:
        """Close the answer that is being read."""
        self._turn.broke(stopped=True)
        await self._response.aclose()


class _Once:
    """A body in one piece, for both."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __iter__(self) -> Iterator[bytes]:
        yield self._data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._data


def _library(request: Any) -> Any:
    """Return the module that a request is of: httpx or httpx2."""
    return sys.modules[type(request).__module__.partition(".")[0]]


_streams: dict[tuple[str, type], Any] = {}


def _of(request: Any, kind: type) -> Any:
    """Return a stream's class as the HTTP library of a request wants it: it looks at what a class is derived from."""
    library = _library(request)
    key = library.__name__, kind
    if key not in _streams:
        bases = [library.SyncByteStream] * (kind is not _AsyncStream) + [library.AsyncByteStream] * (
            kind is not _Stream
        )
        _streams[key] = type(kind.__name__, (kind, *bases), {})
    return _streams[key]


def _first(request: Any, going: Going) -> Any:
    """Return the request that goes out: the client's own object where nothing changed."""
    if going.headers is None and going.body == request.content:
        return request
    return _request(request, going, going.body, again=False)


def _next(request: Any, going: Going, turn: Turn) -> Any:
    """Return the request of the next hop. Raise the library's error for one that has no place for an original."""
    try:
        return _request(request, going, turn.body(), again=True)
    except EditError as error:
        sentence = "an original that the model asked for has no place in this request"
        raise _library(request).RemoteProtocolError(sentence, request=request) from error


def _request(request: Any, going: Going, body: bytes, *, again: bool) -> Any:
    headers = sent_headers(request.headers.raw, body, going.headers, again=again)
    made: Any = type(request)
    return made(request.method, request.url, headers=headers, content=body, extensions=request.extensions)


def _answer(request: Any, first: Any, stream: Any, length: int | None = None) -> Any:
    """Return an answer with the head of the first hop's and another body."""
    headers = [(name, value) for name, value in first.headers.raw if name.lower() not in _OF_BYTES]
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    made: Any = type(first)
    return made(first.status_code, headers=headers, stream=stream, request=request, extensions=first.extensions)


def _unread(request: Any, turn: Turn, data: bytes, error: UpstreamError) -> bytes:
    """Return an answer that is none: the client sees a first one as it came. Raise the library's error for others."""
    turn.broke(error)
    if turn.hops == 1:
        return data
    raise _library(request).RemoteProtocolError(str(error), request=request) from error


def _cut(turn: Turn, error: UpstreamError) -> bytes:
    """Return the end of a stream that has none of its own.

    A first answer that stops in the middle reaches the client as it came, and what is no stream at all does, too.
    """
    if turn.hops == 1:
        turn.broke(error)
        return error.body
    return turn.broken(error)


async def _in_thread(function: Any, *arguments: Any) -> Any:
    """Call a function in a thread, whichever event loop runs: the SDKs run on both that anyio knows."""
    from anyio import to_thread

    return await to_thread.run_sync(function, *arguments)
