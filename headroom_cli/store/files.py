"""Files and directories of the store: opened one name at a time, never through a link, private whatever the umask.

Every path below the root is reached by ``openat`` from an open directory, so that no planted link can lead outside.
"""

from __future__ import annotations

import _thread
import errno
import fcntl
import os
import stat

from headroom_cli.errors import StoreError, StoreFullError, StoreRefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    _T = TypeVar("_T")

# O_NONBLOCK: opening a planted FIFO must fail or return, not wait; it means nothing for regular files.
_SAFE = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
READ = os.O_RDONLY | _SAFE
CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | _SAFE
APPEND = os.O_RDWR | os.O_APPEND | _SAFE
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
_NOT_OURS = (errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.EISDIR, errno.EMLINK)

WORKERS = 8  # fsyncs in flight: measured best of 1, 2, 4, 8, 16, 32 for 100 small files (docs/decisions/0002)


def shown(path: str) -> str:
    """Return a path for a message: no control characters, one line."""
    return "".join(char if char.isprintable() else "?" for char in path)


def failure(error: OSError, root: str) -> StoreError:
    """Return the store's error for one of the system's, with what to do."""
    where = shown(root)
    reason = os.strerror(error.errno) if error.errno else "unknown error"
    if error.errno in _FULL:
        return StoreFullError(f"no space left for the store {where}; free some, or name another with --store")
    if error.errno in _DENIED:
        return StoreError(f"the store {where} cannot be written ({reason}); name another with --store")
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return StoreError(f"too many open files for the store {where}; raise the limit with ulimit -n")
    if error.errno in _NOT_OURS:
        return StoreRefusedError(f"something in {where} is not a plain file of the store; remove it, or use --store")
    return StoreError(f"the store {where} failed ({reason}); check the disk, or name another with --store")


def check_owned(status: os.stat_result, what: str) -> None:
    """Raise StoreRefusedError for a file or directory of another user, or one that others may write."""
    if status.st_uid != os.geteuid():
        raise StoreRefusedError(f"{shown(what)} belongs to another user; name your own with --store")
    if status.st_mode & 0o022:
        raise StoreRefusedError(f"{shown(what)} can be written by others; chmod go-w it, or name another with --store")


def open_directory(name: str, parent: int | None, what: str, *, create: bool) -> int:
    """Return a descriptor of a directory that is ours alone to write; make it with mode 0700 when asked.

    The root (``parent`` None) may be reached through a link that its owner or root made; nothing below it may be.
    Raise FileNotFoundError when it is missing, StoreRefusedError when it is unsafe, OSError otherwise.
    """
    made = False
    flags = _DIRECTORY if parent is None else _DIRECTORY | os.O_NOFOLLOW
    try:
        fd = os.open(name, flags, dir_fd=parent)
    except FileNotFoundError:
        if not create:
            raise
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
            made = True
        except FileExistsError:
            pass  # another process was faster, or a link leads nowhere: the open below tells
        try:
            fd = os.open(name, flags, dir_fd=parent)
        except PermissionError:
            if not made:
                raise
            os.chmod(name, 0o700, dir_fd=parent)  # the umask took our own bits away
            fd = os.open(name, flags, dir_fd=parent)
    try:
        status = os.fstat(fd)
        check_owned(status, what)
        if made and stat.S_IMODE(status.st_mode) != 0o700:
            os.fchmod(fd, 0o700)  # the umask took bits away
        if parent is None and os.lstat(name).st_uid not in (0, os.geteuid()):
            check_owned(os.lstat(name), what)
    except BaseException:
        os.close(fd)
        raise
    return fd


def create_file(name: str, parent: int) -> int:
    """Create a file with mode 0600 that must not exist yet; return its descriptor."""
    fd = os.open(name, CREATE, 0o600, dir_fd=parent)
    os.fchmod(fd, 0o600)
    return fd


def open_private(name: str, parent: int, flags: int, what: str) -> int:
    """Open a file that we will write: regular, ours, under one name only, or StoreRefusedError."""
    fd = os.open(name, flags, 0o600, dir_fd=parent)
    try:
        status = os.fstat(fd)
        _check_plain(status, what)
        check_owned(status, what)
        if stat.S_IMODE(status.st_mode) != 0o600:
            os.fchmod(fd, 0o600)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _check_plain(status: os.stat_result, what: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise StoreRefusedError(f"{shown(what)} is not a plain file; remove it")
    if status.st_nlink > 1:  # writing would change the file under its other name too
        raise StoreRefusedError(f"{shown(what)} has a second hard link; replace it with a copy of its own")


def write_all(fd: int, data: bytes) -> None:
    """Write every byte, whatever the kernel takes at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def read_all(fd: int, size: int, offset: int = 0) -> bytes:
    """Return up to ``size`` bytes from ``offset``; fewer at the end of the file."""
    parts: list[bytes] = []
    while size > 0:
        part = os.pread(fd, min(size, 1 << 30), offset)
        if not part:
            break
        parts.append(part)
        size -= len(part)
        offset += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def read_file(name: str, parent: int, offset: int = 0) -> bytes:
    """Return a plain file from an offset on; raise FileNotFoundError when it is missing or not a plain file."""
    fd = open_plain(name, parent)
    try:
        return read_all(fd, os.fstat(fd).st_size - offset, offset)
    finally:
        os.close(fd)


def open_plain(name: str, parent: int) -> int:
    """Open a plain file to be read; raise FileNotFoundError when it is missing or not a plain file."""
    try:
        fd = os.open(name, READ, dir_fd=parent)
    except OSError as error:
        if error.errno in _NOT_OURS:
            raise FileNotFoundError(errno.ENOENT, "not a plain file", name) from error
        raise
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise FileNotFoundError(errno.ENOENT, "not a plain file", name)


def barrier(fd: int) -> None:
    """Return when a file's content, or a directory's names, are on the disk itself."""
    full = getattr(fcntl, "F_FULLFSYNC", 0)  # macOS: fsync stops at the drive's cache there
    if full:
        try:
            fcntl.fcntl(fd, full)
        except OSError:  # not every file system has it
            os.fsync(fd)
        return
    os.fsync(fd)


def barriers(fds: Sequence[int], workers: int = WORKERS) -> None:
    """Pass a barrier for every descriptor, several at a time: the file system's journal commits them together."""
    in_threads(barrier, fds, workers=workers)


def in_threads(work: Callable[[_T], None], items: Sequence[_T], *, workers: int) -> None:
    """Do the work for every item, this thread being one of the workers; raise the first failure once all have ended.

    After a failure the items that nobody has begun are left undone.
    """
    queue = list(reversed(items))
    failures: list[Exception] = []

    def drain() -> None:
        while not failures:
            try:
                item = queue.pop()
            except IndexError:
                return
            try:
                work(item)
            except Exception as error:  # noqa: BLE001 - raised again in the calling thread
                failures.append(error)

    def run(done: _thread.LockType) -> None:
        try:
            drain()
        finally:
            done.release()

    running: list[_thread.LockType] = []
    try:
        for _ in range(min(workers, len(queue)) - 1):
            done = _thread.allocate_lock()
            done.acquire()
            try:
                _thread.start_new_thread(run, (done,))
            except RuntimeError:  # no more threads: those there are do the work
                break
            running.append(done)
        drain()
    finally:
        queue.clear()
        for done in running:
            done.acquire()
    if failures:
        raise failures[0]
