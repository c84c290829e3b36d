"""An engine: one process that does jobs, one after the other, until its parent ends it or is gone.

    python -m headroom_cli.serve.engine SOCKET LIFELINE

Both are numbers of open files. SOCKET carries frames: first one from the parent with what the process is to be,
answered by ("ready", None, False); then (name, arguments) of a job, answered by (word, value, worn):

    "ok"      what the job returned
    "failed"  the name of the exception's type and no more: its message may quote a conversation

``worn`` says that the process should be replaced. The jobs are in a module that the parent names: ``JOBS``, a table
from names to functions of a state and of the job's arguments, and ``open(serving)``, which makes the state.

LIFELINE is the reading end of a pipe that only the parent holds open. The kernel ends this process when the parent is
gone, however that came about and whatever a job is doing.

Jobs run in the main thread, so they may use signal.setitimer. What they write to standard output goes nowhere.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import pickle
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WORN_JOBS = 2000  # what libraries leak, starts anew
WORN_BYTES = 400 << 20  # resident memory after a job

# Of a frame: bytes of its pickle, and how many parts follow that. Then comes the length of each part, the pickle, the
# parts. A part is a long bytes object: it travels beside the pickle, so that the loop of the parent copies no bodies.
HEAD = struct.Struct("<QQ")
_PART = 64 << 10
_PIECE = 256 << 10


class _Packer(pickle.Pickler):
    """Leaves long bytes objects out and lists them."""

    def __init__(self, file: io.BytesIO) -> None:
        """Write to ``file``."""
        super().__init__(file, protocol=5)
        self.parts: list[bytes] = []

    def persistent_id(self, value: Any) -> int | None:
        """Leave out a long bytes object and return its number; None for all else."""
        if type(value) is not bytes or len(value) < _PART:
            return None
        self.parts.append(value)
        return len(self.parts) - 1


class Opener(pickle.Unpickler):
    """Puts the parts back where they were left out."""

    def __init__(self, data: bytes, parts: list[bytes]) -> None:
        """Read a pickle."""
        super().__init__(io.BytesIO(data))
        self._parts = parts

    def persistent_load(self, pid: Any) -> bytes:
        """Return a part."""
        part: bytes = self._parts[pid]
        return part


def pack(value: Any) -> list[bytes]:
    """Return a frame in pieces: the head and the pickle, then each part as the object that it is."""
    file = io.BytesIO()
    packer = _Packer(file)
    packer.dump(value)
    data = file.getvalue()
    parts = packer.parts
    lengths = struct.pack(f"<{len(parts)}Q", *map(len, parts))
    return [HEAD.pack(len(data), len(parts)) + lengths + data, *parts]


def lengths_of(data: bytes) -> tuple[int, ...]:
    """Return the lengths of parts, as they stand behind a head."""
    return struct.unpack(f"<{len(data) // 8}Q", data)


def resident() -> int:
    """Return this process's resident memory in bytes; where /proc is missing, the most it ever was."""
    try:
        with open("/proc/self/statm", "rb") as stream:
            return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS, where this branch runs


def main(line: int, lifeline: int) -> None:
    """Be an engine; return when there is nothing more to do."""
    _tie(lifeline)
    no_memory = pack(("failed", "MemoryError", True))  # made now: later there may be no memory to make it
    try:
        being = _receive(line)
        model = being.get("model", 0)
        _confine(being["memory"] + model if being["memory"] else 0)
        module = _import(being["jobs"])
        if model:
            from headroom_cli.kompress import runtime

            runtime.allow(being["serving"].limits.job_seconds)
        state = module.open(being["serving"])
        jobs = module.JOBS
    except EOFError:
        return
    except BaseException as error:  # noqa: BLE001 - the parent decides what a process that cannot start means
        _send(line, pack(("failed", type(error).__name__, True)))
        return
    # What is loaded by now stays. Jobs are short and make few cycles: those are collected between jobs.
    gc.collect()
    gc.freeze()
    gc.disable()
    _send(line, pack(("ready", None, False)))
    done = 0
    while True:
        try:
            name, arguments = _receive(line)
        except EOFError:
            return
        except MemoryError:  # what is left of the frame is still in the socket: nothing more can be read from it
            _send(line, no_memory)
            return
        done += 1
        frame = _do(jobs, name, state, arguments, WORN_BYTES + model if done < WORN_JOBS else 0)
        del arguments
        _send(line, frame or no_memory)
        if not frame:
            return  # one that ran out of memory is not to be trusted; a worn one goes on until there is another
        del frame
        gc.collect(2 if done % 32 == 0 else 0)


def _do(jobs: Any, name: str, state: Any, arguments: tuple[Any, ...], most: int) -> list[bytes]:
    """Do a job; return its answer, [] when memory ran out. A process that holds more than ``most`` bytes is worn."""
    import signal

    try:
        value: Any = jobs[name](state, *arguments)
        word = "ok"
    except MemoryError:
        return []
    except BaseException as error:  # noqa: BLE001 - whatever it is, the request goes as it came
        word, value = "failed", type(error).__name__
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)  # a job's alarm must not ring in the next one
    del arguments
    worn = resident() > most
    try:
        return pack((word, value, worn))
    except MemoryError:
        return []
    except Exception as error:  # noqa: BLE001 - a value that cannot travel: TypeError, PicklingError, AttributeError...
        return pack(("failed", type(error).__name__, worn))


def _import(name: str) -> Any:
    from importlib import import_module

    return import_module(name)


def _tie(lifeline: int) -> None:
    """Have the kernel end this process when the other end of ``lifeline`` closes; leave other ends to the parent.

    No thread that watches could do that: while a C function holds the interpreter no thread of Python's runs.
    """
    import fcntl
    import signal

    # The terminal's Ctrl-C and a service manager's SIGTERM go to all processes: the parent still answers requests then.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGIO, signal.SIG_DFL)  # which is to end the process
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    # A parent that was gone before this has closed the socket too, and that is read next.


def _confine(memory: int) -> None:
    """Limit this process to ``memory`` bytes of address space, and keep its memory out of files and of debuggers.

    macOS counts neither address space nor data: there the parent's clock is the only limit.
    """
    import resource

    which = getattr(resource, "RLIMIT_AS", getattr(resource, "RLIMIT_DATA", None))
    if which is not None and memory:
        hard = resource.getrlimit(which)[1]
        if hard == resource.RLIM_INFINITY or hard > memory:
            # macOS refuses what is below the size that the process has.
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(which, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # When the machine runs out of memory, this process goes before the one that holds the connections.
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as stream:
            stream.write("500")
        import ctypes

        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: a core pattern that is a pipe ignores RLIMIT_CORE


def _receive(line: int) -> Any:
    """Return the next value from the parent; raise EOFError when none will come."""
    size, count = HEAD.unpack(_read(line, HEAD.size))
    lengths = lengths_of(_read(line, 8 * count))
    data = _read(line, size)
    return Opener(data, [_read(line, length) for length in lengths]).load()


def _read(line: int, count: int) -> bytes:
    pieces = []
    while count:
        try:
            piece = os.read(line, min(count, _PIECE))
        except ConnectionError:
            piece = b""
        if not piece:
            raise EOFError
        pieces.append(piece)
        count -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _send(line: int, frame: list[bytes]) -> None:
    for data in frame:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(line, view[:_PIECE]) :]
            except ConnectionError:
                return  # the parent is gone: the next read says so


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
    os._exit(0)  # nothing is left to be written, and a library's clean-up could hang
