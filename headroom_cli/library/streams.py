"""The bytes of answers as an SDK's client reads them, over as many hops as a turn takes."""

from __future__ import annotations

from headroom_cli.errors import UpstreamError
from headroom_cli.library.exchanges import cut, in_thread, library_of, next_request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Any

    from headroom_cli.library.going import Going
    from headroom_cli.library.transports import AsyncTransport, Transport
    from headroom_cli.library.turns import Turn


class Stream:
    """The bytes of a stream as the client sees them."""

    def __init__(self, transport: Transport, request: Any, going: Going, turn: Turn, response: Any) -> None:
        """``response`` is the first hop's answer, of which only the head was read."""
        self._own = transport.own
        self._request = request
        self._going = going
        self._turn = turn
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes as they come. Raise what the client's own transport raises."""
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
                self._response = self._own.handle_request(next_request(self._request, self._going, turn))
                if self._response.status_code >= 300:
                    yield turn.refused(self._response.status_code, self._response.read())
                    return
                turn.begin(self._response.headers)
        except UpstreamError as error:
            yield cut(turn, error)
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


class AsyncStream:
    """The same for event loops."""

    def __init__(self, transport: AsyncTransport, request: Any, going: Going, turn: Turn, response: Any) -> None:
        """``response`` is the first hop's answer, of which only the head was read."""
        self._own = transport.own
        self._request = request
        self._going = going
        self._turn = turn
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the bytes as they come. Raise what the client's own transport raises."""
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
                        await in_thread(turn.note)
                    if shown:
                        yield shown
                if last := last + await in_thread(turn.end):
                    yield last
                if not turn.more:
                    async for _ in pieces:
                        pass
                    return
                await self._response.aclose()
                request = await in_thread(next_request, self._request, self._going, turn)
                self._response = await self._own.handle_async_request(request)
                if self._response.status_code >= 300:
                    yield turn.refused(self._response.status_code, await self._response.aread())
                    return
                turn.begin(self._response.headers)
        except UpstreamError as error:
            yield cut(turn, error)
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


class Once:
    """A body in one piece, for both."""

    def __init__(self, data: bytes) -> None:
        """Hold the body."""
        self._data = data

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body."""
        yield self._data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body."""
        yield self._data


_streams: dict[tuple[str, type], Any] = {}


def of(request: Any, kind: type) -> Any:
    """Return a stream's class as the HTTP library of a request wants it: it looks at what a class is derived from."""
    library = library_of(request)
    key = library.__name__, kind
    if key not in _streams:
        bases = [library.SyncByteStream] * (kind is not AsyncStream) + [library.AsyncByteStream] * (kind is not Stream)
        _streams[key] = type(kind.__name__, (kind, *bases), {})
    return _streams[key]
