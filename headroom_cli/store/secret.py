"""The install's key: 32 random bytes beside the store's other files, which only their owner can read.

It tells whoever asks apart without keeping what they show (``identity.py``). It is made once, by the first
process that needs it, and nothing ever shows it. Whoever removes it ends all grants that were given under it.
"""

from __future__ import annotations

import os
import stat

from headroom_cli.errors import ConfigError, StoreError
from headroom_cli.store import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from headroom_cli.store import Store
    from headroom_cli.store.place import Place

SIZE = 32  # bytes
_NAME = "secret"


def key(store: Store) -> bytes:
    """Return the install's key, making it when there is none.

    Raise StoreError; ConfigError for one that others can read, or that is no key.
    """
    shared: Callable[[], bytes] | None = getattr(store, "key", None)
    if shared is not None:  # all machines of a shared store have one key
        return shared()
    try:
        with store.open(create=True) as place:
            found = _read(place)
            return _made(store, place) if found is None else found
    except OSError as error:
        raise files.failure(error, store.root) from error


def copy(store: Store, key: bytes) -> bytes:
    """Give a store a key unless it has one; return the one it has. Raise StoreError, ConfigError."""
    shared: Callable[[bytes], bytes] | None = getattr(store, "key", None)
    if shared is not None:
        return shared(key)
    found = kept(store)
    if found is None:
        keep(store, key)
    return found or key


def kept(store: Store) -> bytes | None:
    """Return the key in a store's directory, None when there is none. Raise StoreError, ConfigError."""
    try:
        with store.open(create=True) as place:
            return _read(place)
    except OSError as error:
        raise files.failure(error, store.root) from error


def keep(store: Store, key: bytes) -> None:
    """Keep the key of a shared store in the directory in front of it. Raise StoreError."""
    try:
        with store.open(create=True) as place:
            if _read(place) != key:
                if _read(place) is not None:
                    os.unlink(_NAME, dir_fd=place.root)
                _made(store, place, key)
    except OSError as error:
        raise files.failure(error, store.root) from error


def _read(place: Place) -> bytes | None:
    """Return the key, None when there is none."""
    what = files.shown(f"{place.path}/{_NAME}")
    try:
        fd = os.open(_NAME, files.READ, dir_fd=place.root)
    except FileNotFoundError:
        return None
    try:
        status = os.fstat(fd)
        if status.st_mode & 0o077 or status.st_uid != os.geteuid():
            raise ConfigError(f"{what} can be read by others; remove it, which ends all grants")
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size != SIZE:
            raise ConfigError(f"{what} is not the key that was made; remove it, which ends all grants")
        return files.read_all(fd, SIZE)
    finally:
        os.close(fd)


def _made(store: Store, place: Place, made: bytes = b"") -> bytes:
    """Make the key, of ``made`` or by chance, unless another process was faster.

    It appears whole: a name is given to what is on the disk.
    """
    if not place.lock(exclusive=True):
        raise StoreError(f"the store {files.shown(store.root)} is busy; try again")
    found = _read(place)
    if found is not None:
        return found
    made = made or os.urandom(SIZE)
    tmp, name = place.directory("tmp", create=True), place.temporary()
    fd = files.create_file(name, tmp)
    try:
        files.write_all(fd, made)
        files.barrier(fd)
    finally:
        os.close(fd)
    os.rename(name, _NAME, src_dir_fd=tmp, dst_dir_fd=place.root)
    files.barrier(place.root)
    return made
