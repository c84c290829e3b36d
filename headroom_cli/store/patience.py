"""How long anybody waits for a store that is not on this machine.

Every call runs in a thread of its own and is waited for no longer than is left: whatever a client library does, nobody
waits for it longer. After a call that did not come back, or found nobody, the store is left alone for a while: the next
ones fail at once instead of waiting each for itself.
"""

from __future__ import annotations

import os
import queue
import threading
import time

from headroom_cli.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    _T = TypeVar("_T")

_ALONE = 0.5  # seconds after the first failure, twice as many after each further one
_ALONE_MOST = 15.0
_LEAST = 0.002  # seconds: with less left nothing is begun
_FAIR = 0.1  # seconds: who had less to answer in has not failed for all


class AwayError(StoreError):
    """The shared store cannot be reached, or does not answer in time."""


class AloneError(AwayError):
    """Nothing was asked: the store is being left alone, or the request has no time left."""


class Patience:
    """Waits for one store. ``usual`` is how many seconds a call may take where nobody has set a limit for several."""

    __slots__ = ("_failures", "_idle", "_limits", "_process", "_until", "_where", "usual")

    def __init__(self, where: str, usual: float) -> None:
        """``where`` names the store in messages."""
        self.usual = usual
        self._where = where
        self._limits = threading.local()
        self._idle: list[_Hand] = []
        self._process = os.getpid()
        self._failures = 0
        self._until = 0.0

    def begin(self, seconds: float, *, insist: bool = False) -> None:
        """Let all calls of this thread from now on take ``seconds`` in all; 0 lifts the limit.

        Who insists asks a store, too, that is being left alone.
        """
        self._limits.end = time.monotonic() + seconds if seconds else 0.0
        self._limits.insist = insist
        self._limits.missed = False

    @property
    def missed(self) -> bool:
        """Tell whether a call of this thread found nobody since ``begin``."""
        return getattr(self._limits, "missed", False)

    @property
    def is_away(self) -> bool:
        """Tell whether the store is being left alone."""
        return time.monotonic() < self._until

    def call(self, work: Callable[[], _T], seconds: float = 0.0) -> _T:
        """Do the work and return its answer. Raise AwayError when it is not there in time, and what the work raises.

        ``seconds`` is the limit of this call where it is to have one of its own.
        """
        try:
            return self._called(work, seconds)
        except AwayError:
            self._limits.missed = True
            raise

    def _called(self, work: Callable[[], _T], seconds: float) -> _T:
        if self.is_away and not getattr(self._limits, "insist", False):
            raise AloneError(f"the store {self._where} did not answer and is left alone for a moment; check the server")
        left = seconds or self.usual
        end = getattr(self._limits, "end", 0.0)
        if end:
            left = min(left, end - time.monotonic())
            if left < _LEAST:
                raise AloneError(f"the store {self._where} took too long for one request; check the server, or wait=")
        if self._process != os.getpid():  # a fork took no thread along
            self._process, self._idle = os.getpid(), []
        try:
            hand = self._idle.pop()
        except IndexError:  # none, or another thread was faster
            hand = _Hand()
        answer = _Answer()
        hand.jobs.put((work, answer))
        if not answer.done.wait(left):
            hand.jobs.put(None)  # it ends when its client gives up
            if left >= _FAIR:
                self._failed()
            raise AwayError(f"the store {self._where} did not answer within {left:.2f} s; check the server")
        self._idle.append(hand)
        if answer.error is not None:
            if isinstance(answer.error, AwayError):
                self._failed()
            else:
                self._failures = 0
            raise answer.error
        self._failures, self._until = 0, 0.0
        result: _T = answer.value
        return result

    def _failed(self) -> None:
        self._failures += 1
        self._until = time.monotonic() + min(_ALONE * 2 ** min(self._failures - 1, 10), _ALONE_MOST)


class _Answer:
    __slots__ = ("done", "error", "value")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.error: Exception | None = None
        self.value: Any = None


class _Hand:
    """A thread that does one piece of work at a time; it keeps nobody from ending."""

    __slots__ = ("jobs",)

    def __init__(self) -> None:
        self.jobs: queue.SimpleQueue[tuple[Callable[[], Any], _Answer] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="headroom store", daemon=True).start()

    def _run(self) -> None:
        while (job := self.jobs.get()) is not None:
            work, answer = job
            try:
                answer.value = work()
            except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
                answer.error = error
            answer.done.set()
            del work, answer, job
