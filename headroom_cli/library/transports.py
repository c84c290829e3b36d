"""What stands between an SDK's HTTP client and its connections, for threads and for event loops.

A transport is the lowest part of an httpx client (or of httpx2, which newer SDKs use and which has the same parts):
retries, authentication, redirects, hooks and every helper of the SDK lie above it and go on as they did. A request that
is no conversation, or that nothing can be done with, goes to the client's own transport as the object that it is.
"""

from __future__ import annotations

from headroom_cli.library.exchanges import answer_of, bare, first_request, in_thread, next_request, unread
from headroom_cli.library.streams import AsyncStream, Once, Stream, of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.library.going import Going, Wrapping
    from headroom_cli.library.turns import Turn


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
            return self.own.handle_request(bare(request))
        going = self.wrapping.prepared(row, request.read(), request.headers.raw)
        if going is None:
            return self.own.handle_request(bare(request))
        response = self.own.handle_request(first_request(bare(request), going))
        turn = going.turn
        if turn is None:
            return response
        if response.status_code >= 300:
            turn.rejected(response.status_code)
            return response
        turn.begin(response.headers)
        if going.stream:
            return answer_of(request, response, of(request, Stream)(self, request, going, turn, response))
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
                except Exception as error:  # noqa: BLE001 - an answer that only its client can read
                    body = unread(request, turn, data, error)
                    break
                if not turn.more:
                    break
                response = self.own.handle_request(next_request(request, going, turn))
                if response.status_code >= 300:
                    turn.rejected(response.status_code)
                    return response
                turn.begin(response.headers)
        except BaseException:
            turn.broke()
            raise
        return answer_of(request, first, of(request, Once)(body), len(body))

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
            return await self.own.handle_async_request(bare(request))
        body = await request.aread()
        going: Going | None = await in_thread(self.wrapping.prepared, row, body, request.headers.raw)
        if going is None:
            return await self.own.handle_async_request(bare(request))
        response = await self.own.handle_async_request(first_request(bare(request), going))
        turn = going.turn
        if turn is None:
            return response
        if response.status_code >= 300:
            turn.rejected(response.status_code)
            return response
        turn.begin(response.headers)
        if going.stream:
            return answer_of(request, response, of(request, AsyncStream)(self, request, going, turn, response))
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
                    body = await in_thread(turn.end)
                except Exception as error:  # noqa: BLE001 - an answer that only its client can read
                    body = unread(request, turn, data, error)
                    break
                if not turn.more:
                    break
                response = await self.own.handle_async_request(await in_thread(next_request, request, going, turn))
                if response.status_code >= 300:
                    turn.rejected(response.status_code)
                    return response
                turn.begin(response.headers)
        except BaseException:
            turn.broke()
            raise
        return answer_of(request, first, of(request, Once)(body), len(body))

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
