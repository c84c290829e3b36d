"""The pool of engines on the loop's side: who does the next job, for how long, and what happens when one dies.

    engine.do("prepare", ask) -> a Job waits -> a free engine gets it -> its answer, or EngineError
                                                 |
                    too long, too much memory, died: killed, and another is started at once

An engine is starting, free, busy, or gone. Nothing of it outlives ``close``, and no engine outlives this process: see
engine.py.
"""

from __future__ import annotations

import asyncio
from collections import deque

from headroom_cli.serve.engine import pack
from headroom_cli.serve.engine_process import GoneError, Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from headroom_cli.serve.options import Serving

GRACE = 0.3  # seconds that a job may still run when nobody waits for it any longer
START_SECONDS = 30.0  # until a process must be ready
_FIRST_PAUSE = 0.2  # seconds before another try when processes die at their start; doubled each time
_LONGEST_PAUSE = 30.0
_ONCE = frozenset(("told",))  # jobs that are not done again when their process went: what they tell is told
_HOPELESS = 2  # starts that failed one after the other: until one succeeds, nobody waits for an engine


class EngineError(Exception):
    """A job that came to nothing.

    ``reason``  in short words: "took too long", "needed too much memory", "crashed", "failed", "busy" (no engine became
                free in time), "stopped" (the pool is closed)
    ``detail``  the name of the exception's type when it "failed", else ""
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        """Say why."""
        super().__init__(f"{reason} ({detail})" if detail else reason)
        self.reason = reason
        self.detail = detail


class _Job:
    """One thing to do, from when it is asked for until its ``future`` is done."""

    __slots__ = ("again", "arguments", "future", "left", "limit", "name", "patience", "seconds")

    def __init__(self, name: str, arguments: tuple[Any, ...], seconds: float) -> None:
        self.name = name
        self.arguments = arguments
        self.seconds = seconds
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.patience: asyncio.TimerHandle | None = None  # rings when it has waited too long
        self.limit: asyncio.Timeout | None = None  # while it runs
        self.left = False  # nobody waits for it any longer
        self.again = False  # it is done once more, because its process went

    def leave(self) -> None:
        """Note that nobody waits any longer."""
        self.left = True
        limit = self.limit
        if limit is not None and not limit.expired():
            soon = asyncio.get_running_loop().time() + GRACE
            limit.reschedule(min(soon, limit.when() or soon))

    def end(self, outcome: Any) -> None:
        """Give the waiting caller, if there is one, a value or an EngineError."""
        if self.patience is not None:
            self.patience.cancel()
        if self.future.done():
            return
        if isinstance(outcome, EngineError):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class Engines:
    """Processes that do jobs.

    ``counters``  {"done": jobs, "failed": {reason: jobs}, "left": jobs whose caller went away, "restarts": processes
                  started in place of others}
    """

    def __init__(self, serving: Serving, *, jobs: str = "headroom_cli.serve.work") -> None:
        """Hold ``serving.engines`` processes, once started, that do the jobs of the module ``jobs``."""
        self._serving = serving
        self._jobs = jobs
        self._wanted = max(1, serving.engines)
        self._processes: list[Process] = []  # those that are not gone, the oldest first
        self._waiting: deque[_Job] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures = 0  # processes that died before they did a job, since the last one that did one
        self._pause: asyncio.TimerHandle | None = None
        self._open = False
        self._failed: dict[str, int] = {}
        self._done = self._left = self._started = 0

    @property
    def counters(self) -> dict[str, Any]:
        """What happened so far."""
        restarts = max(0, self._started - self._wanted)
        return {"done": self._done, "failed": dict(self._failed), "left": self._left, "restarts": restarts}

    @property
    def ready(self) -> bool:
        """Whether some process can do, or is doing, a job."""
        return any(process.state in {"free", "busy"} for process in self._processes)

    async def start(self) -> None:
        """Start the processes; return before they are warm. Jobs that are asked for until then wait."""
        self._open = True
        self._fill()

    async def close(self) -> None:
        """End all processes, also in the middle of jobs, and wait until nothing is left of them."""
        self._open = False
        if self._pause is not None:
            self._pause.cancel()
        for process in self._processes:
            process.kill()
        while self._waiting:
            self._fail(self._waiting.popleft(), "stopped")
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def do(self, job: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Return what the job of that name returns for these arguments.

        ``seconds`` (``Limits.job_seconds`` unless given) limits how long it may run, and also how long it may wait for
        an engine. Jobs begin in the order in which they were asked for. Raise EngineError when it comes to nothing.
        When the caller is cancelled, a job that has not begun never will, and one that runs has GRACE seconds more.
        """
        seconds = self._serving.limits.job_seconds if seconds is None else seconds
        waiting = _Job(job, arguments, seconds)
        if not self._open:
            self._fail(waiting, "stopped")
        elif self._hopeless():
            self._fail(waiting, "crashed")
        else:
            waiting.patience = asyncio.get_running_loop().call_later(seconds, self._impatient, waiting)
            self._waiting.append(waiting)
            self._dispatch()
        try:
            return await waiting.future
        except asyncio.CancelledError:
            self._left += 1
            waiting.leave()
            if waiting in self._waiting:
                self._waiting.remove(waiting)
                waiting.end(None)
            if waiting.future.done() and not waiting.future.cancelled():
                waiting.future.exception()  # it came in the same moment; asked for, else the loop complains
            raise
        finally:
            # An error holds its traceback, that this frame, this frame the job, the job its error: in such a ring
            # the bodies of requests would stay until a collector comes by.
            del waiting, arguments

    # --- jobs

    def _dispatch(self) -> None:
        """Give waiting jobs to free processes."""
        while self._waiting:
            # The first that is free: its memory of earlier conversations is the warmest.
            process = next((process for process in self._processes if process.state == "free"), None)
            if process is None:
                return
            job = self._waiting.popleft()
            process.state = "busy"
            self._task(self._run(process, job))

    async def _run(self, process: Process, job: _Job) -> None:
        """Have a process do a job; then free or replace it."""
        if job.patience is not None:
            job.patience.cancel()
        if job.left or not self._open:
            self._fail(job, "stopped")
            self._freed(process)
            return
        try:
            frame = pack((job.name, job.arguments))
        except Exception as error:  # noqa: BLE001 - arguments that cannot travel; the process knows nothing of them
            self._fail(job, "failed", type(error).__name__)
            self._freed(process)
            return
        reason, detail, usable, again = "failed", "", False, False
        try:
            async with asyncio.timeout(job.seconds) as job.limit:
                word, value, process.worn = await process.ask(frame)
            self._failures = 0
            process.proven = True
            if word == "ok":
                reason, usable = "", True
            elif value == "MemoryError":
                reason = "needed too much memory"
            else:
                detail, usable = str(value), True
        except TimeoutError:
            reason = "took too long"
        except GoneError:
            reason = "crashed" if self._open else "stopped"
            # Processes are killed for what others do, too: for want of memory first. A request that went as it came
            # because of that would change what the provider has cached.
            again = self._open and not (job.left or job.again or job.name in _ONCE)
        except asyncio.CancelledError:
            reason = "stopped"  # the loop ends
            raise
        except Exception as error:  # noqa: BLE001 - an answer that is none
            detail = type(error).__name__
        finally:
            job.limit = None
            if not usable:
                process.kill()
            if again:
                job.again = True
                self._waiting.appendleft(job)
            elif not reason:
                self._done += not job.left
                job.end(value)
            elif not job.left:
                self._fail(job, reason, detail)
            self._freed(process)

    def _fail(self, job: _Job, reason: str, detail: str = "") -> None:
        if not job.left:
            self._failed[reason] = self._failed.get(reason, 0) + 1
        job.end(EngineError(reason, detail))

    def _impatient(self, job: _Job) -> None:
        """Give up on a job that has waited too long."""
        if job in self._waiting:
            self._waiting.remove(job)
            self._fail(job, "busy")

    # --- processes

    def _fill(self) -> None:
        """Start as many processes as are missing: the wanted number of those that are not worn."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        missing = self._wanted - sum(not process.worn for process in self._processes)
        if not self._open or missing <= 0:
            return
        if self._failures:
            missing = 1  # one is enough to find out whether they live again
        for _ in range(missing):
            self._started += 1
            try:
                process = Process(self._serving, self._jobs)
            except OSError:  # no more processes or files for us
                self._useless()
                return
            self._processes.append(process)
            self._task(self._live(process))

    async def _live(self, process: Process) -> None:
        """Make a process ready, and stay until it is gone."""
        try:
            try:
                async with asyncio.timeout(START_SECONDS):
                    await process.begin()
            except Exception:  # noqa: BLE001 - gone, too slow, or no answer of an engine: one that cannot be used
                process.kill()
            else:
                self._freed(process)
                self._fill()
            await process.gone()
        finally:
            # What dies in a job, or after one, costs no more than that job did.
            useless = process.state in {"starting", "free"} and not process.proven
            process.state = "gone"
            self._processes.remove(process)
            process.kill()
            # Its place is filled before its end is waited for.
            if self._open:
                if useless:
                    self._useless()
                else:
                    self._fill()
            await process.ended()

    def _freed(self, process: Process) -> None:
        """Give a process its next job, or end it when it is worn and another has taken its place."""
        if process.killed:
            return
        process.state = "free"
        if process.worn:
            self._fill()
        fresh = sum(process.state in {"free", "busy"} and not process.worn for process in self._processes)
        for worn in self._processes:
            if worn.worn and worn.state == "free" and fresh >= self._wanted:
                worn.state = "gone"
                worn.kill()
        self._dispatch()

    def _useless(self) -> None:
        """Try again later: a process that lives no longer than its start would else be started for ever."""
        self._failures += 1
        if self._failures == 1:
            self._fill()
            return
        if self._pause is None:
            pause = min(_FIRST_PAUSE * 2 ** (self._failures - 2), _LONGEST_PAUSE)
            self._pause = asyncio.get_running_loop().call_later(pause, self._fill)
        while self._hopeless() and self._waiting:
            self._fail(self._waiting.popleft(), "crashed")

    def _hopeless(self) -> bool:
        return self._failures >= _HOPELESS and not self.ready

    def _task(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
