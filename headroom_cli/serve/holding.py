"""Requests that wait for a shared store to come back, so that a conversation is not sent otherwise than it was before.

A store that is started anew is gone for a second or two. Without it a proxy knows what it sent by itself, not what the
others sent: the outputs that they shortened would go as they came, which undoes what the provider has cached and, where
turns of the model are signed, makes it refuse the request. So a request that the store did not answer is held for some
seconds (``hold`` of the store's URL) and gone through again; here, in the loop, where it keeps no worker from others.

The seconds count from when the store went away: once they are over, nobody waits any more until it is back.
"""

from __future__ import annotations

import asyncio
import time

from headroom_cli.serve.engines import EngineError
from headroom_cli.store.url import Url, is_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.serve.engines import Engines
    from headroom_cli.store import Doubt

SECONDS = 3.0  # where the URL says nothing
# Between looks at a store that is away, the last again and again: one that hangs keeps a worker for a second each time.
_PAUSES = (0.05, 0.1, 0.2, *(0.4,) * 8, 1.0, 2.0, 5.0)


class Holding:
    """What waits for one store. ``held`` counts the jobs that had to wait."""

    __slots__ = ("_back", "_doubts", "_engines", "_looking", "_seconds", "_since", "held")

    def __init__(self, store: str, engines: Engines) -> None:
        """``store`` is its name; for a directory nobody waits. Raise ConfigError for a URL that says no number."""
        self.held = 0
        self._seconds = Url(store).number("hold", SECONDS) if is_url(store) else 0.0
        self._engines = engines
        self._since = 0.0  # when it went away (monotonic), 0 while it is there
        self._doubts: list[Doubt] = []  # what may have been written of requests that went out without it
        self._back = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def do(self, job: str, *arguments: Any) -> Any:
        """Return what the job returns, after it was done again where the store did not answer. Raise EngineError."""
        if not self._seconds:
            return await self._engines.do(job, *arguments)
        value, missed, doubts = await self._engines.do("insisting", job, None, *arguments)
        if not missed:
            return value
        self.held += 1
        began = time.monotonic()
        while missed and (left := (self._since or began) + self._seconds - time.monotonic()) > 0:
            if not await self._returns(left):
                break
            try:
                value, missed, doubts = await self._engines.do("insisting", job, doubts, *arguments)
            except EngineError:
                break  # what was found without the store is better than nothing
        if doubts:
            self._doubts += doubts
            self._begin()
        return value

    async def back(self) -> None:
        """Wait for a store that was found to be away, no longer than a request would be held."""
        if (left := (self._since or time.monotonic()) + self._seconds - time.monotonic()) > 0:
            await self._returns(left)

    async def close(self) -> None:
        """End looking."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))

    async def _returns(self, seconds: float) -> bool:
        """Wait so long for the store; tell whether it is there."""
        self._begin()
        try:
            async with asyncio.timeout(seconds):
                await self._back.wait()
        except TimeoutError:
            return False
        return True

    def _begin(self) -> None:
        """Begin to look for the store, unless somebody does."""
        if self._looking is None or self._looking.done():
            self._since = time.monotonic()
            self._back.clear()
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        """Ask for the store until it answers: once for all who wait."""
        turn = 0
        while True:
            await asyncio.sleep(_PAUSES[min(turn, len(_PAUSES) - 1)])
            turn += 1
            try:
                trouble = await self._engines.do("usable")
                if not trouble and self._doubts:
                    doubts, self._doubts = self._doubts, []
                    self._doubts = await self._engines.do("withdraw", doubts) + self._doubts
                    trouble = "something is left to be taken back" if self._doubts else ""
            except EngineError as error:
                trouble = error.reason
                if trouble == "stopped":
                    return
            if not trouble:
                break
        self._since = 0.0
        self._back.set()
