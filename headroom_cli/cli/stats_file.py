"""A file that a report is saved to: all of it or nothing, for its owner alone."""

from __future__ import annotations

import contextlib
import os
import stat

from headroom_cli.cli import io
from headroom_cli.errors import OutputError


def save(path: str, data: bytes) -> None:
    """Put ``data`` into a file of mode 0600 in one step: whoever opens it sees the old one or the whole new one.

    A link is followed to the plain file at its end. What is a directory, a device, a pipe, or a link to nothing is left
    alone. Raise OutputError.
    """
    place = _place(path)
    temporary = os.path.join(os.path.dirname(place), f".headroom-{os.getpid()}-{os.urandom(4).hex()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OutputError(f"{path}: {io.reason(error)}; name a file in a directory that you may write to") from error
    try:
        with open(descriptor, "wb") as stream:
            os.fchmod(descriptor, 0o600)  # the umask may have taken bits away
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)
        os.replace(temporary, place)
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise OutputError(f"{path}: {io.reason(error)}; make room or write elsewhere") from error
        raise


def _place(path: str) -> str:
    """Return where the file is to be. Raise OutputError for what must not be replaced."""
    if not path or path.endswith("/"):
        raise OutputError(f"{path or 'an empty name'}: this is no file; name one, or - for standard output")
    try:
        place = os.path.realpath(path, strict=os.path.islink(path))
        status = os.lstat(place)
    except FileNotFoundError:
        if os.path.islink(path):
            raise OutputError(f"{path}: this link leads to no file; name another, or - for standard output") from None
        return place
    except (OSError, ValueError) as error:
        told = io.reason(error) if isinstance(error, OSError) else str(error)
        raise OutputError(f"{path}: {told}; name another file") from error
    if stat.S_ISDIR(status.st_mode):
        raise OutputError(f"{path}: this is a directory; name a file in it")
    if not stat.S_ISREG(status.st_mode):
        raise OutputError(f"{path}: this is no plain file; name one, or - for standard output")
    return place
