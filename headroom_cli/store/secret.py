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
    from headroom_cli.store import Store
    from headroom_cli.store.place import Place

SIZE = 32  # bytes
_NAME = "secret"


def key(store: Store) -> bytes:
    """Return the install's key, making it when there is none.

    Raise StoreError; ConfigError for one that others can read, or that is no key.
    """
    try:
        with store.open(create=True) as place:
            found = _read(place)
            return _made(store, place) if found is None else found
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


def _made(store: Store, place: Place) -> bytes:
    """Make the key, unless another process was faster. It appears whole: a name is given to what is on the disk."""
    if not place.lock(exclusive=True):
        raise StoreError(f"the store {files.shown(store.root)} is busy; try again")
    found = _read(place)
    if found is not None:
        return found
    made = os.urandom(SIZE)
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
