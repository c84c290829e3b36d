"""How many bytes of requests may be in memory together, whoever sends them.

Each body has its own limit; this one is for all at once. A large body that does not fit waits, unread, until others
have been answered: its client's own buffers hold it meanwhile. Small ones never wait.
"""

from __future__ import annotations

import asyncio
from collections import deque

from headroom_cli.serve.replies import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.serve.options import Limits

SMALL = 1 << 20  # bytes of a body that is not counted


class Room:
    """The bytes that all requests of a serving process share. They are taken in the order they were asked for."""

    __slots__ = ("_most", "_seconds", "_waiting", "held")

    def __init__(self, limits: Limits) -> None:
        """Start with nothing taken."""
        self._most = limits.together
        self._seconds = limits.together_seconds
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self.held = 0

    async def take(self, size: int) -> None:
        """Return when there is room for so many bytes; they are taken then. Raise RefusedError (503) if it takes long.

        What is more than there is at all gets everything.
        """
        if not self._waiting and self._fits(size):
            self.held += size
            return
        place = size, asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        heard = False
        try:
            async with asyncio.timeout(self._seconds):
                await place[1]
            heard = True
        except TimeoutError:
            raise RefusedError(503, "too many large requests at once; send this one again", close=True) from None
        finally:
            if not heard:
                self._leave(place)

    def give(self, size: int) -> None:
        """Give bytes back."""
        self.held -= size
        self._next()

    def _leave(self, place: tuple[int, asyncio.Future[None]]) -> None:
        """Forget one who waited and waits no longer."""
        if place in self._waiting:
            self._waiting.remove(place)
            self._next()
        elif not place[1].cancelled():  # it got what it wanted in the moment in which it gave up
            self.give(place[0])

    def _fits(self, size: int) -> bool:
        return not self.held or self.held + size <= self._most

    def _next(self) -> None:
        while self._waiting and self._fits(self._waiting[0][0]):
            size, waiter = self._waiting.popleft()
            self.held += size
            if waiter.done():  # it has given up
                self.held -= size
            else:
                waiter.set_result(None)


class Share:
    """What one request has of the room. It waits for it once at most, so that no two can wait for each other."""

    __slots__ = ("_room", "size")

    def __init__(self, room: Room) -> None:
        """Have nothing yet."""
        self._room = room
        self.size = 0

    async def take(self, size: int) -> None:
        """Wait for so many bytes, unless something was taken before. Raise RefusedError."""
        if not self.size and size > SMALL:
            await self._room.take(size)
            self.size = size

    def shrink(self, size: int) -> None:
        """Give back what is more than so many bytes."""
        if size < self.size:
            more, self.size = self.size - size, size
            self._room.give(more)
