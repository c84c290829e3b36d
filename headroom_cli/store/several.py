"""Records of many conversations at once: what was there first stays, and the barriers are shared.

``Store.remember`` waits for the disk once for every shard, and a conversation is a shard: for thousands of them that
is most of the time. Here all are appended first and then passed through their barriers together.
"""

from __future__ import annotations

import os

from headroom_cli import store as _store
from headroom_cli.store import files, journal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.store import Store
    from headroom_cli.store.place import Place

    Records = dict[str, dict[str, str]]  # shard -> key -> value

_GROUP = 64  # journals that are open at once
_CONVERSATION = 16  # characters of the name of a conversation's shard
# A journal that all raw blobs share grows without end; above this what it holds is not looked at, and the newest of a
# key wins, as it does for `remember`.
_LOOKED_AT = 1 << 18


def remember(store: Store, records: Records) -> set[tuple[str, str]]:
    """Keep records that are not there yet, durably; return (shard, key) of those that stood with another value.

    These stay as they are. Raise StoreError: then nobody may rely on any of them.
    """
    for shard, pairs in records.items():
        _store.checked_pairs(shard, list(pairs.items()))
    if not records:
        return set()
    if "://" in store.name:
        return _one_by_one(store, records)
    try:
        with store.open(create=True) as place:
            store.writing(place)
            return _together(store, place, records)
    except OSError as error:
        raise files.failure(error, store.root) from error


def _together(store: Store, place: Place, records: Records) -> set[tuple[str, str]]:
    now = store.now(place)
    folder = place.directory("renderings", create=True)
    others: set[tuple[str, str]] = set()
    waiting = list(records)
    some_made = False
    for start in range(0, len(waiting), _GROUP):
        fds: list[int] = []
        try:
            for shard in waiting[start : start + _GROUP]:
                fresh = _fresh(shard, records[shard], folder, now, others)
                if not fresh:
                    continue
                name = f"{shard}.log"
                fd, made = journal.open_for_append(name, folder, f"{store.root}/renderings/{name}")
                fds.append(fd)
                some_made = some_made or made
                journal.append(fd, journal.block(fresh))
            files.barriers(fds)
        finally:
            for fd in fds:
                os.close(fd)
    if some_made:
        files.barrier(folder)
    return others


def _fresh(shard: str, pairs: dict[str, str], folder: int, now: float, others: set[tuple[str, str]]) -> list[bytes]:
    """Return the payloads that a shard lacks, or that were not noted for a day; add to ``others``."""
    known: dict[str, tuple[str, float]] = {}
    try:
        size = os.stat(f"{shard}.log", dir_fd=folder, follow_symlinks=False).st_size
    except FileNotFoundError:
        size = 0
    if size and (size <= _LOOKED_AT or len(shard) == _CONVERSATION):
        known = _store._renderings(files.read_file(f"{shard}.log", folder))  # noqa: SLF001 - the store's other half
    fresh = []
    for key, value in pairs.items():
        held = known.get(key)
        if held is not None and held[0] != value:
            others.add((shard, key))
        elif held is None or now - held[1] > _store.AGAIN:
            fresh.append(b"%d %b %b" % (now, key.encode("ascii"), value.encode("ascii")))
    return fresh


def _one_by_one(store: Store, records: Records) -> set[tuple[str, str]]:
    """Do the same in a shared store, several at a time."""
    others: set[tuple[str, str]] = set()

    def remember_one(shard: str) -> None:
        known = store.recall_dated(shard)
        fresh = []
        for key, value in records[shard].items():
            held = known.get(key)
            if held is not None and held[0] != value:
                others.add((shard, key))
            elif held is None or held[1]:
                fresh.append((key, value))
        store.remember(shard, fresh)

    files.in_threads(remember_one, list(records), workers=files.WORKERS)
    return others
