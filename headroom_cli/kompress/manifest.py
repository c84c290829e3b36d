"""What was pulled: the models' folder, and models.json in it with the digest of every file since its first pull."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat

from headroom_cli.errors import BusyError, ConfigError, CorruptError, StoreError, StoreFullError
from headroom_cli.kompress.find import models_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_NAME = "models.json"
_LARGEST = 4 << 20  # bytes


def trouble(error: OSError, folder: str) -> StoreError:
    """Return the error for one of the system's, with what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StoreFullError(
            f"no space left for models in {folder}; free some and run it again: it goes on from there"
        )
    return StoreError(f"models cannot be kept in {folder}: {error.strerror or error}; check its owner and modes")


def private_folder(path: str) -> None:
    """Make a folder, and what leads to it, for its owner alone. Raise OSError, ConfigError if others may write it."""
    missing = [path]
    while not os.path.isdir(parent := os.path.dirname(missing[-1])):
        missing.append(parent)
    for folder in reversed(missing):  # whatever the umask, which os.makedirs leaves to all but the last
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
            os.chmod(folder, 0o700)  # the umask may take our own bits away
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise ConfigError(f"{path} is no folder of yours alone; remove it, or make it private with chmod go-w")


@contextlib.contextmanager
def alone() -> Iterator[str]:
    """Give the models' folder while nobody else changes it. Raise BusyError, StoreError, ConfigError."""
    folder = models_folder()
    try:
        private_folder(folder)
        lock = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise trouble(error, folder) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BusyError("another headroom models is at work there; wait until it is done") from error
        yield folder
    finally:
        os.close(lock)


def read() -> dict[str, dict[str, Any]]:
    """Return what was pulled, by folder; {} when nothing was. Raise StoreError, CorruptError."""
    path = os.path.join(models_folder(), _NAME)
    try:
        with open(path, "rb") as stream:
            data = stream.read(_LARGEST)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise trouble(error, models_folder()) from error
    try:
        models = json.loads(data)["models"]
        sound = all(
            all(isinstance(file["sha256"], str) and isinstance(file["size"], int) for file in row["files"].values())
            for row in models.values()
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CorruptError(f"{path} is damaged; remove it and pull the models again") from error
    if not sound:
        raise CorruptError(f"{path} is damaged; remove it and pull the models again")
    return dict(models)


def write(models: dict[str, dict[str, Any]]) -> None:
    """Write what was pulled, whole or not at all; only within ``alone``. Raise StoreError."""
    folder = models_folder()
    path = os.path.join(folder, _NAME)
    temporary = f"{path}.tmp"  # one name for all: whoever writes is alone, and leaves at most one behind
    data = json.dumps({"v": 1, "models": models}, indent=1, sort_keys=True).encode() + b"\n"
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(fd, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(fd)
        os.rename(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise trouble(error, folder) from error


def digests(path: str) -> tuple[int, str, str]:
    """Return the size of a file, its SHA-256, and the SHA-1 that git gives it as a blob. Raise OSError."""
    with open(path, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        plain = hashlib.sha256()
        blob = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        while piece := stream.read(1 << 20):
            plain.update(piece)
            blob.update(piece)
    return size, plain.hexdigest(), blob.hexdigest()


def damaged(folder: str, row: dict[str, Any]) -> list[str]:
    """Return the files of a model that are missing or not what was pulled."""
    found = []
    for name, file in sorted(row["files"].items()):
        try:
            size, digest, _ = digests(os.path.join(folder, name))
        except OSError:
            found.append(name)
            continue
        if (size, digest) != (file["size"], file["sha256"]):
            found.append(name)
    return found


def remove(name: str) -> None:
    """Remove a model's folder and what is known of it. Raise StoreError."""
    models = read()
    models.pop(name, None)
    write(models)
    try:
        shutil.rmtree(os.path.join(models_folder(), name))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise trouble(error, models_folder()) from error
