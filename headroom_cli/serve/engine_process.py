"""One engine as the loop sees it: a process, the socket to it, and the pipe whose end tells it that we are gone."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Mapping

from headroom_cli.serve import engine
from headroom_cli.serve.options import Serving
from headroom_cli.settings import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PIECE = 256 << 10  # bytes that are written before others get their turn
_JOIN_APART = 1 << 20  # longer answers are put together in a thread; joining bytes leaves the interpreter to others
_MOST_PARTS = 1 << 10
# What a process may answer with besides plain values. It parses what strangers wrote; what it sends must not be able to
# name anything else of this process.
_ANSWERS = frozenset({"headroom_cli.serve.jobs", "headroom_cli.wire._events"})

# Variables that an engine gets: where things are, and how text is written.
_PASSED = frozenset((
    "PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME",
    "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE", "HF_HOME", "HF_HUB_CACHE",
    # Where AWS credentials are to be found, for requests that are signed anew; none of these is one.
    "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_EC2_METADATA_DISABLED", "AWS_SDK_LOAD_CONFIG",
))  # fmt: skip
_PASSED_HEADS: tuple[str, ...] = ("LC_", "XDG_", "HEADROOM_")
# And when it makes the calls of a backend that has keys and ways of its own.
_BACKEND_PASSED = frozenset((
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
))  # fmt: skip
_BACKEND_HEADS = ("AWS_",)
# And when the store is an object store: its credentials.
_STORE_HEADS = {"s3": ("AWS_",), "gs": ("GOOGLE_",), "az": ("AZURE_",)}
_SECRET_TAILS = ("TOKEN", "KEY", "SECRET", "PASSWORD")


class GoneError(Exception):
    """The process is gone, or never came to be of use."""


class _Opener(engine.Opener):
    """Opens answers."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """Return a class that answers may be of; raise ValueError for anything else."""
        if module_name in _ANSWERS and global_name.isidentifier():
            found = super().find_class(module_name, global_name)
            if isinstance(found, type) and found.__module__ == module_name:
                return found
        raise ValueError("an engine answered with something that it may not name")


class _Line(asyncio.Protocol):
    """Both directions of the socket: frames out without copying, frames in piece by piece."""

    def __init__(self, most: int) -> None:
        """Read no frame of more than ``most`` bytes."""
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.transport: asyncio.Transport | None = None
        self.asking = False
        self._connecting = self._aborted = False
        self._most = most
        self._pieces: list[bytes] = []
        self._have = 0
        self._need = 0
        self._arrived: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None  # while the socket takes no more

    async def connect(self, ours: socket.socket) -> None:
        """Take the socket over; it is closed with this line."""
        self._connecting = True
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=ours)
        finally:
            self._connecting = False
            if self.transport is None:
                _wake(self.lost)
            elif self._aborted:
                self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Keep a piece of an answer."""
        self._pieces.append(data)
        self._have += len(data)
        if not self.asking or self._have > self._most:
            self.abort()
        elif self._have >= self._need:
            _wake(self._arrived)

    def pause_writing(self) -> None:
        """Note that the socket takes no more for now."""
        self._room = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Note that it does again."""
        _wake(self._room)
        self._room = None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how does not matter
        """Tell everyone who waits."""
        for waiting in (self.lost, self._arrived, self._room):
            _wake(waiting)
        self._pieces.clear()

    def abort(self) -> None:
        """Close now."""
        self._aborted = True
        if self.transport is not None:
            self.transport.abort()
        elif not self._connecting:
            _wake(self.lost)

    async def send(self, frame: list[bytes]) -> None:
        """Write a frame as fast as it is read."""
        for data in frame:
            view = memoryview(data)
            for start in range(0, len(view), _PIECE):
                if self.lost.done() or self.transport is None:
                    raise GoneError
                self.transport.write(view[start : start + _PIECE])
                if self._room is not None:
                    await self._room
                elif len(view) > _PIECE:
                    await asyncio.sleep(0)

    async def receive(self) -> Any:
        """Return the value of the next frame; raise GoneError at the end of all, others for what is no answer."""
        size, count = engine.HEAD.unpack(await self._take(engine.HEAD.size))
        if count > _MOST_PARTS or size > self._most:
            raise ValueError("an engine's answer is too long")
        lengths = engine.lengths_of(await self._take(8 * count))
        if size + sum(lengths) > self._most:
            raise ValueError("an engine's answer is too long")
        data = await self._take(size)
        return _Opener(data, [await self._take(length) for length in lengths]).load()

    async def _take(self, count: int) -> bytes:
        """Return the next ``count`` bytes."""
        while self._have < count:
            if self.lost.done():
                raise GoneError
            self._need = count
            self._arrived = asyncio.get_running_loop().create_future()
            await self._arrived
        if not count:
            return b""
        at, missing = 0, count
        while missing > 0:
            missing -= len(self._pieces[at])
            at += 1
        taken = self._pieces[:at]
        if missing:  # below 0: the last piece is also the beginning of what comes next
            self._pieces[:at] = [taken[-1][missing:]]
            taken[-1] = taken[-1][:missing]
        else:
            del self._pieces[:at]
        self._have -= count
        if len(taken) == 1:
            return taken[0]
        return await asyncio.to_thread(b"".join, taken) if count >= _JOIN_APART else b"".join(taken)


class Process:
    """One engine.

    ``state``    "starting", "free", "busy" or "gone"
    ``worn``     it has done so much that another should take its place
    ``proven``   it has answered a job
    ``killed``   it does nothing any more
    """

    __slots__ = ("_first", "_lifeline", "_line", "_popen", "_socket", "killed", "proven", "state", "worn")

    def __init__(self, serving: Serving, jobs: str) -> None:
        """Start the process; raise OSError when the machine has no room for one."""
        self.state = "starting"
        self.worn = self.proven = self.killed = False
        limits = serving.limits
        self._first = engine.pack({
            "memory": int(limits.job_memory), "model": int(limits.model_memory), "jobs": jobs,
            "serving": _plain(serving),
        })  # fmt: skip
        # An answer holds a request and little else; one that is far longer comes from a process gone mad.
        self._line = _Line(4 * int(limits.decoded) + (16 << 20))
        ours, theirs = socket.socketpair()
        try:
            reading, self._lifeline = os.pipe()
        except OSError:
            ours.close()
            theirs.close()
            raise
        try:
            # Not by fork alone: this process may have threads. -P: the working directory is not ours to import from.
            self._popen = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
                [sys.executable, "-P", "-m", "headroom_cli.serve.engine", str(theirs.fileno()), str(reading)],
                pass_fds=(theirs.fileno(), reading),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if serving.verbose else subprocess.DEVNULL,
                env=variables(serving),
            )
        except OSError:
            ours.close()
            os.close(self._lifeline)
            raise
        finally:
            theirs.close()
            os.close(reading)
        ours.setblocking(False)  # noqa: FBT003 - socket has it by position alone
        self._socket = ours

    @property
    def pid(self) -> int:
        """Its number."""
        return self._popen.pid

    async def begin(self) -> None:
        """Tell it what to be, and wait until it is ready; raise GoneError when it never will be, or OSError."""
        if self.killed:
            raise GoneError
        await self._line.connect(self._socket)
        word, _, _ = await self.ask(self._first)
        self._first = []
        if word != "ready":
            raise GoneError

    async def ask(self, frame: list[bytes]) -> Any:
        """Return its answer to a frame; raise GoneError when it died over that."""
        if self.killed:
            raise GoneError
        self._line.asking = True
        await self._line.send(frame)
        answer = await self._line.receive()
        self._line.asking = False
        return answer

    def kill(self) -> None:
        """End it, whatever it is doing."""
        if not self.killed:
            self.killed = True
            self._popen.kill()
            self._line.abort()

    async def gone(self) -> None:
        """Wait until its end of the socket is closed."""
        await asyncio.shield(self._line.lost)

    async def ended(self) -> None:
        """Wait until the system has forgotten it, and close what belonged to it."""
        os.close(self._lifeline)
        if self._line.transport is None:
            self._socket.close()
        pause = 0.001
        while self._popen.poll() is None:
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.05)


def variables(serving: Serving) -> dict[str, str]:
    """Return the environment of an engine: no keys but those that a backend's library reads there."""
    passed, heads = _PASSED, _PASSED_HEADS
    if serving.backend:
        passed |= _BACKEND_PASSED
        heads += _BACKEND_HEADS
    if scheme := serving.store.partition("://")[0] if "://" in serving.store else "":
        passed |= _BACKEND_PASSED
        heads += _STORE_HEADS.get(scheme, ())
    chosen = {
        name: value for name, value in environment().items()
        if name.upper() in passed or name.startswith(heads)
    }  # fmt: skip
    for name in [name for name in chosen if name.startswith("HEADROOM_") and name.endswith(_SECRET_TAILS)]:
        del chosen[name]
    # A library that starts a thread for each core takes address space for each, whether they do anything or not.
    chosen |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    # It imports what this process would, wherever that came from.
    root = os.path.abspath(__file__)
    for _ in ("engine_process.py", "serve", "headroom_cli"):
        root = os.path.dirname(root)
    path = [entry for entry in sys.path if entry]
    chosen["PYTHONPATH"] = os.pathsep.join(path if root in path else [*path, root])
    return chosen


def _plain(serving: Serving) -> Serving:
    """Return what was asked for as a value that can travel, without what engines have no use for."""
    values = {name: getattr(serving, name) for name in Serving.__slots__}
    values = {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}
    values["token"] = ""
    return Serving(values.pop("store"), **values)


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
