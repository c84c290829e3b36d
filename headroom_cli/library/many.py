"""Batches: many conversations in processes of their own, in order, whatever becomes of a process.

A worker is a new Python process that imports this package and nothing of the program that asked: it is no fork, which
threads do not survive, and it does not run that program's file again, so no ``if __name__ == "__main__"`` is needed.
One that dies costs the conversation that it had, which comes back as it was, with the reason; another takes its place.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
import weakref
from queue import SimpleQueue

from headroom_cli.library import calls, counting, worker
from headroom_cli.library.objects import Opened
from headroom_cli.library.result import Compressed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from headroom_cli.library.headroom import Allowed
    from headroom_cli.library.result import M
    from headroom_cli.model import Policy
    from headroom_cli.store import Store

    Progress = Callable[[int, int | None], object] | None

_BEGIN = "import sys; sys.path[:] = {!r}; from headroom_cli.library.worker import main; main()"
_PIECE = 64 << 10
_POLL_MOST = (1 << 31) - 1  # milliseconds


def compress_many(
    batch: Iterable[M],
    model: str = "",
    *,
    store: str | Store | None = None,
    policy: Allowed = None,
    plugins: Iterable[str] = (),
    workers: int | None = None,
    progress: Progress = None,
    seconds: float = 120.0,
) -> list[Compressed[M]]:
    """Shorten many conversations in processes of their own; return one result each, in the order of ``batch``.

    ``workers`` is the number of processes, None for one per core that this process may use, 0 for none: then all is
    done here. ``progress`` is called in this thread after each conversation with how many are done and how many there
    are (None where ``batch`` has no length). A conversation whose process dies, or takes longer than ``seconds``, comes
    back as it was, with the reason. Raise TypeError for what is no request or list of messages, ConfigError for what
    does not exist.
    """
    from headroom_cli.library.headroom import Headroom

    with Headroom(store=store, policy=policy, plugins=plugins) as headroom:
        return headroom.compress_many(batch, model, workers=workers, progress=progress, seconds=seconds)


def here(batch: Iterable[M], do: Callable[[M], Compressed[M]], progress: Progress) -> list[Compressed[M]]:
    """Do a batch in this thread."""
    total = _length(batch)
    made: list[Compressed[M]] = []
    for messages in batch:
        made.append(do(messages))
        if progress is not None:
            progress(len(made), total)
    return made


class Crew:
    """Workers that wait for batches, with one store and the same plugins."""

    __slots__ = ("__weakref__", "_being", "_idle", "_lock", "_root")

    def __init__(self, store: Store, named: tuple[str | object, ...]) -> None:
        """Start none yet."""
        self._being = (store.name, store.budget, store.handle_length, named)
        self._root = store.root
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()
        # Whoever forgets to close it leaves no process behind: one that is collected would hold its pipes open.
        weakref.finalize(self, _end, self._idle, os.getpid())

    def work(
        self, batch: Iterable[M], policy: Policy, model: str, *, workers: int | None, progress: Progress, seconds: float
    ) -> list[Compressed[M]]:  # fmt: skip
        """Do a batch. Conversations are taken from it in this thread, and not many more than the workers have."""
        total = _length(batch)
        most = _cores() if workers is None else max(1, workers)
        todo: SimpleQueue[tuple[int, Opened, M] | None] = SimpleQueue()
        done: SimpleQueue[tuple[int, Compressed[M]]] = SimpleQueue()
        found: dict[int, Compressed[M]] = {}
        busy: list[tuple[threading.Thread, _Worker]] = []
        stopped = threading.Event()

        def serve(one: _Worker) -> None:
            while (asked := todo.get()) is not None:
                number, opened, messages = asked
                if stopped.is_set():
                    return
                try:
                    made = one.ask(opened, messages, policy, model, seconds)
                except Exception as error:  # noqa: BLE001 - whoever waits for an answer gets one
                    one.kill()
                    made = Compressed.untouched(messages, calls.why(error))
                done.put((number, made))

        def begin() -> None:
            with self._lock:
                one = self._idle.pop() if self._idle else _Worker(self._being)
            thread = threading.Thread(target=serve, args=(one,), daemon=True)
            busy.append((thread, one))
            thread.start()

        def collect(waiting: int) -> None:
            while taken - len(found) > waiting:
                number, result = done.get()
                found[number] = result
                counting.compressed(self._root, model, result)
                if progress is not None:
                    progress(len(found), total)

        taken = 0
        try:
            for messages in batch:
                opened = Opened(messages)
                if not isinstance(opened.value, (dict, list)):
                    sentence = "compress_many() takes lists of messages and requests as dicts; number"
                    raise TypeError(f"{sentence} {taken} is neither")  # noqa: TRY301 - workers are stopped below
                todo.put((taken, opened, messages))
                taken += 1
                if len(busy) < most:
                    begin()
                collect(2 * most)
            collect(0)
        except BaseException:
            stopped.set()
            for _, one in busy:
                one.kill()
            raise
        finally:
            for _ in busy:
                todo.put(None)
            for thread, one in busy:
                thread.join()
                with self._lock:
                    self._idle.append(one)
        return [found[number] for number in range(taken)]

    def close(self) -> None:
        """End all workers that wait."""
        with self._lock:
            idle = self._idle[:]
            self._idle.clear()
        _end(idle, os.getpid())

    def forget(self) -> None:
        """Leave the workers to the process that this one was forked from."""
        self._lock = threading.Lock()
        for one in self._idle:
            one.forget()
        self._idle.clear()


def _end(idle: list[_Worker], owner: int) -> None:
    """End workers that wait; a process that was forked from their owner (a process id) leaves them alone."""
    if os.getpid() == owner:
        for one in idle:
            one.kill()
            one.forget()


class _Worker:
    """One process, and the next one when it dies. Used by one thread at a time."""

    __slots__ = ("_being", "_process")

    def __init__(self, being: tuple[Any, ...]) -> None:
        """Start no process yet."""
        self._being = being
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, opened: Opened, messages: M, policy: Policy, model: str, seconds: float) -> Compressed[M]:
        """Have a conversation shortened; whatever fails gives it back as it was, with the reason."""
        end = time.monotonic() + seconds
        try:
            question = worker.pack((opened.value, policy, model))
        except Exception as error:  # noqa: BLE001 - PicklingError, TypeError, and what an object of the caller's raises
            return Compressed.untouched(messages, f"it cannot be given to a worker ({type(error).__name__})")
        try:
            process = self._running(end)
            _send(process, question, end)
            why, made = worker.unpack(_receive(process, end), opened.by_number())
        except TimeoutError:
            self.kill()
            return Compressed.untouched(messages, f"shortening took longer than {seconds:g} s")
        except (OSError, EOFError):
            return Compressed.untouched(messages, f"the worker process ended ({self._ending()})")
        if made is None:
            return Compressed.untouched(messages, why)
        made.messages = opened.back(made.messages)
        found: Compressed[M] = made
        return found

    def _running(self, end: float) -> subprocess.Popen[bytes]:
        """Return the process, a new one where there is none. Raise OSError, TimeoutError."""
        process = self._process
        if process is None or process.poll() is not None:
            self.forget()
            process = self._process = subprocess.Popen(  # noqa: S603 - this very Python, with a text of ours
                [sys.executable, "-c", _BEGIN.format(sys.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                bufsize=0,
            )  # fmt: skip
            for stream in (process.stdin, process.stdout):
                assert stream is not None
                os.set_blocking(stream.fileno(), False)
            _send(process, worker.pack(self._being), end)
        return process

    def _ending(self) -> str:
        """Return how the process ended."""
        process = self._process
        if process is None:
            return "it could not be started"
        try:
            status = process.wait(1.0)
        except subprocess.TimeoutExpired:
            self.kill()
            return "it stopped answering"
        return f"signal {-status}" if status < 0 else f"status {status}"

    def kill(self) -> None:
        """End the process."""
        process = self._process
        if process is not None:
            process.kill()
            process.wait()

    def forget(self) -> None:
        """Close this end of the pipes; the process, if it is there, ends when nobody holds them."""
        process, self._process = self._process, None
        for stream in () if process is None else (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        if process is not None and process.returncode is None:
            process.returncode = 0  # not this process's child to wait for


def _send(process: subprocess.Popen[bytes], data: bytes, end: float) -> None:
    """Write a frame. Raise OSError when the process is gone, TimeoutError past ``end`` (monotonic seconds)."""
    assert process.stdin is not None
    fd, view = process.stdin.fileno(), memoryview(data)
    while view:
        _wait(fd, select.POLLOUT, end)
        view = view[os.write(fd, view[:_PIECE]) :]


def _receive(process: subprocess.Popen[bytes], end: float) -> bytes:
    """Return a frame without its length. Raise EOFError when the process is gone, TimeoutError past ``end``."""
    assert process.stdout is not None
    fd, pieces = process.stdout.fileno(), bytearray()
    missing, whole = worker.HEAD, False
    while missing or not whole:
        _wait(fd, select.POLLIN, end)
        piece = os.read(fd, min(missing, _PIECE))
        if not piece:
            raise EOFError
        pieces += piece
        missing -= len(piece)
        if not missing and not whole:
            missing, whole = worker.length(bytes(pieces)), True
            pieces.clear()
    return bytes(pieces)


def _wait(fd: int, event: int, end: float) -> None:
    waiting = select.poll()
    waiting.register(fd, event)
    # One poll counts 24 days at most; whoever allows more waits for as long as it takes.
    left = max(0.0, end - time.monotonic()) * 1000
    if not waiting.poll(left if left < _POLL_MOST else None):
        raise TimeoutError


def _length(batch: Iterable[object]) -> int | None:
    try:
        return len(batch)  # type: ignore[arg-type] # where it has one
    except TypeError:
        return None


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
