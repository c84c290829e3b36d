"""An opened store: its directories as descriptors, its version checked, its lock."""

from __future__ import annotations

import fcntl
import os
import time

from headroom_cli.errors import StoreRefusedError, StoreVersionError
from headroom_cli.store import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

VERSION = 1
_DIRECTORIES = ("objects", "grants", "renderings", "ledger", "tmp", "quarantine")
_NAMES = frozenset((*_DIRECTORIES, "version", "clock", "usage", "lock", "gate", "secret"))
_GATE = 0.25  # seconds
_PATIENCE = 5.0  # seconds to wait for gc to let writers in; it holds the lock for milliseconds

# What is open in this process now.
_opened: set[Place] = set()


def local(name: str) -> str:
    """Return the directory that a store has on this machine: its own, or the one in front of a URL.

    Raise ConfigError for a URL that cannot be one.
    """
    if "://" not in name:
        return os.path.abspath(name)
    from headroom_cli.store.url import Url

    return Url(name).folder


class Place:
    """An opened store: its directories as descriptors, and its lock. A context manager; holds nothing afterwards."""

    __slots__ = ("_fds", "path", "root")

    def __init__(self, path: str, *, create: bool) -> None:
        """Open the root and check owner, modes and version; raise FileNotFoundError when there is no store."""
        self.path = path
        self._fds: dict[str, int] = {}
        self.root = _open_root(path, create=create)
        _opened.add(self)
        try:
            self._check_version(create=create)
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __enter__(self) -> Place:  # noqa: PYI034 - Self is in typing, which costs 8 ms
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every descriptor, which also gives the lock back."""
        for fd in (*self._fds.values(), self.root):
            if fd >= 0:
                os.close(fd)
        self._fds.clear()
        self.root = -1
        _opened.discard(self)

    def directory(self, name: str, *, create: bool = False) -> int:
        """Return the descriptor of one of the store's directories; raise FileNotFoundError when it is missing."""
        if name not in self._fds:
            what = f"{self.path}/{name}"
            try:
                self._fds[name] = files.open_directory(name, self.root, what, create=False)
            except FileNotFoundError:
                if not create:
                    raise
                self._fds[name] = files.open_directory(name, self.root, what, create=True)
                files.barrier(self.root)  # what is kept in it lasts only if its own name does
        return self._fds[name]

    def existing(self, name: str) -> int | None:
        """Return the descriptor of a directory, or None when it is missing."""
        try:
            return self.directory(name)
        except FileNotFoundError:
            return None

    def lock(self, *, exclusive: bool = False, patience: float = _PATIENCE) -> bool:
        """Take the lock within ``patience`` seconds; return whether it was had.

        Whoever wants it alone closes the gate first, so that a stream of writers cannot keep him out, and opens it
        again soon, so that one stopped writer (Ctrl-Z) cannot keep the others out through him.
        """
        gate, lock = self._lock_file("gate"), self._lock_file("lock")
        end = time.monotonic() + patience
        if not exclusive:
            had = _flock(gate, fcntl.LOCK_SH, end) and _flock(lock, fcntl.LOCK_SH, end)
            fcntl.flock(gate, fcntl.LOCK_UN)
            return had
        while True:
            until = min(end, time.monotonic() + _GATE)
            had = _flock(gate, fcntl.LOCK_EX, until) and _flock(lock, fcntl.LOCK_EX, until)
            fcntl.flock(gate, fcntl.LOCK_UN)
            if had or time.monotonic() >= end:
                return had
            time.sleep(_GATE)

    def unlock(self) -> None:
        """Let others in."""
        if "lock" in self._fds:
            fcntl.flock(self._fds["lock"], fcntl.LOCK_UN)

    def _lock_file(self, name: str) -> int:
        if name not in self._fds:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            self._fds[name] = files.open_private(name, self.root, flags, f"{self.path}/{name}")
        return self._fds[name]

    def temporary(self) -> str:
        """Return a fresh name under tmp/: who made it, and a random part."""
        return f"{os.getpid()}-{os.urandom(8).hex()}"

    def _check_version(self, *, create: bool) -> None:
        try:
            text = files.read_file("version", self.root)
        except FileNotFoundError:
            # Originals without that file: it was damaged and removed, as we said, or a process was killed on its way.
            if not create and "objects" not in os.listdir(self.root):
                raise
            self._initialise()
            return
        name, _, number = text.decode("ascii", "replace").strip().rpartition(" ")
        if name != "headroom store" or not number.isdecimal():
            raise StoreVersionError(
                f"{files.shown(self.path)}/version is damaged; remove that file, or name another store with --store"
            )
        if int(number) != VERSION:
            raise StoreVersionError(
                f"the store {files.shown(self.path)} is of version {int(number)}, this program knows {VERSION}; "
                "upgrade headroom, or name another with --store"
            )

    def _initialise(self) -> None:
        """Make the directories, then the version file last: a root that has it is complete."""
        foreign = sorted(set(os.listdir(self.root)) - _NAMES)
        if foreign:
            raise StoreRefusedError(
                f"{files.shown(self.path)} holds other files ({files.shown(foreign[0])}); "
                "name an empty or a new directory with --store"
            )
        for name in _DIRECTORIES:
            self.directory(name, create=True)
        tmp = self.directory("tmp")
        name = self.temporary()
        fd = files.create_file(name, tmp)
        try:
            files.write_all(fd, b"headroom store %d\n" % VERSION)
            files.barrier(fd)
        finally:
            os.close(fd)
        os.rename(name, "version", src_dir_fd=tmp, dst_dir_fd=self.root)
        files.barrier(self.root)


def _flock(fd: int, mode: int, end: float) -> bool:
    """Take a lock before ``end`` (monotonic seconds); at least one attempt is made."""
    pause = 0.0005
    while True:
        try:
            fcntl.flock(fd, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(pause)
            pause = min(pause * 2, 0.01)
        else:
            return True


def _keep_name(folder: str) -> None:
    """Pass a barrier for the names in a directory above the store; one that may not be read is left to the system."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return
    try:
        files.barrier(fd)
    finally:
        os.close(fd)


def _open_root(path: str, *, create: bool) -> int:
    """Open the store's directory, making it and what leads to it with mode 0700 when asked."""
    try:
        return files.open_directory(path, None, path, create=False)
    except FileNotFoundError:
        if not create:
            raise
        missing = [path]
        while not os.path.isdir(parent := os.path.dirname(missing[-1])):
            missing.append(parent)
        for folder in reversed(missing):
            os.close(files.open_directory(folder, None, folder, create=True))
            _keep_name(os.path.dirname(folder))
        return files.open_directory(path, None, path, create=True)
    except NotADirectoryError as error:
        raise StoreRefusedError(f"{files.shown(path)} is not a directory; name one with --store") from error


def _close_all() -> None:
    """Close in a forked child what other threads had open: else it would hold their locks as long as it lives."""
    for place in tuple(_opened):
        place.__exit__(None, None, None)


os.register_at_fork(after_in_child=_close_all)
