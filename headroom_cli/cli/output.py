"""``--output FILE``: the whole output in a file, or the file as it was.

What is written goes into a temporary file beside FILE, which takes FILE's name when all of it is on the disk: whoever
reads FILE sees the old content or the new, also when FILE is the input, the disk is full or the process is killed.
"""

from __future__ import annotations

import errno
import os
import stat

from headroom_cli.cli import io
from headroom_cli.errors import OutputError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_DONE = (0, 1)  # statuses with which a verb has given its answer: 1 is "no", as of a budget that cannot be met


def write(path: str, run: Callable[[], int]) -> int:
    """Run a verb with ``path`` as its standard output and return its status; "" is refused.

    A link is followed. What is no plain file (a pipe, a device) is written to as it is. Raise OutputError.
    """
    if not path:
        raise UsageError("--output: the name is empty; name a file, or - for standard output")
    old = _status(path)
    if old is not None and _is_output(old):
        return run()  # /dev/stdout and the like
    if old is not None and not stat.S_ISREG(old.st_mode):
        descriptor = _open(path, path, os.O_WRONLY)
        try:
            return _redirected(path, descriptor, run)
        finally:
            os.close(descriptor)
    return _replacing(path, old, run)


def _replacing(path: str, old: os.stat_result | None, run: Callable[[], int]) -> int:
    """Run with a temporary file as output, and give it the name when the verb has given its answer."""
    place = os.path.realpath(path)
    if old is not None and not os.access(place, os.W_OK):
        raise OutputError(f"{path}: this file may not be written; name another with --output")
    temporary = os.path.join(os.path.dirname(place), f".headroom-{os.getpid()}-{os.urandom(4).hex()}")
    # What replaces a file that others may not read is never readable to them; a new one gets what the umask says.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = _open(path, temporary, flags, 0o666 if old is None else 0o600)
    try:
        _clean_up_on_signals(temporary)
        status = _redirected(path, descriptor, run)
        if status in _DONE:
            _finish(path, descriptor, old)
            os.rename(temporary, place)
            temporary = ""
    except OSError as error:
        raise OutputError(f"{path}: {io.reason(error)}; make room or write elsewhere") from error
    finally:
        os.close(descriptor)
        if temporary:
            _remove(temporary)
    return status


def _redirected(path: str, descriptor: int, run: Callable[[], int]) -> int:
    """Run with the descriptor as standard output."""
    kept = os.dup(io.STDOUT)
    try:
        os.dup2(descriptor, io.STDOUT)
        io.name_output(path)
        return run()
    finally:
        os.dup2(kept, io.STDOUT)
        os.close(kept)
        io.name_output("standard output")


def _finish(path: str, descriptor: int, old: os.stat_result | None) -> None:
    """Give what was written the owner and the mode of the file that it replaces, and wait for the disk."""
    if old is not None:
        mine = os.fstat(descriptor)
        if (mine.st_uid, mine.st_gid) != (old.st_uid, old.st_gid):
            try:
                os.fchown(descriptor, old.st_uid, old.st_gid)
            except PermissionError:
                io.tell(f"headroom: {path}: the owner could not be kept, it is yours now")
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # a file system that has no such thing
            raise


def _status(path: str) -> os.stat_result | None:
    """Return the status of what is there, None for nothing. Raise OutputError for what cannot be a file."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        if path.endswith("/"):
            raise OutputError(f"{path}: this names a directory; name a file") from None
        return None
    except (OSError, ValueError) as error:
        told = io.reason(error) if isinstance(error, OSError) else str(error)
        raise OutputError(f"{path}: {told}; name a file that can be written") from error
    if stat.S_ISDIR(status.st_mode):
        raise OutputError(f"{path}: this is a directory; name a file")
    return status


def _is_output(status: os.stat_result) -> bool:
    """Tell whether this is what standard output is already."""
    try:
        return os.path.samestat(status, os.fstat(io.STDOUT))
    except OSError:
        return False


def _open(path: str, place: str, flags: int, mode: int = 0) -> int:
    """Open a file to write to. Raise OutputError that names ``path``."""
    try:
        return os.open(place, flags | os.O_CLOEXEC, mode)
    except OSError as error:
        where = "its folder: " if place != path and error.errno in {errno.EACCES, errno.EPERM, errno.EROFS} else ""
        raise OutputError(f"{path}: {where}{io.reason(error)}; name a file that can be written") from error


def _clean_up_on_signals(temporary: str) -> None:
    """Remove the temporary file when the process is told to end."""
    import signal

    def end(number: int, _frame: FrameType | None) -> None:
        _remove(temporary)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, end)


def _remove(temporary: str) -> None:
    """Remove what was not finished, if it is still there."""
    try:
        os.unlink(temporary)
    except FileNotFoundError:
        return
    except OSError as error:
        io.tell(f"headroom: {temporary}: {io.reason(error)}; remove it")
