"""The directory in front of a shared store: copies at hand, which every read checks, and nothing that is acknowledged.

It is an ordinary store (``Store``) whose objects are not synced and give way when there are too many. Renderings that
were read from the shared store or written there are kept too: while that is away, what was sent before is sent again.
The ledger and a copy of the key stand here as well.
"""

from __future__ import annotations

import os

from headroom_cli import store as _store
from headroom_cli.errors import CorruptError, NotFoundError, StoreError
from headroom_cli.hashing import sha256
from headroom_cli.lazy import pattern
from headroom_cli.store import files, grants, put, upkeep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from headroom_cli.store import Store

_HANDLES = "0a"  # the shards that hold handle -> original begin so, with a digit behind it
_SWEPT = "0c"  # the shard that says when it was last cleaned up
_DROPPED = "0d0"  # the shard that says what was forgotten elsewhere and is no longer here
_NAME = pattern(rb"(?<![a-z0-9])[a-z0-9]{12,64}(?![a-z0-9])")  # of an original, or a handle
_MOST_KNOWN = 100_000  # handles that a process remembers having noted
_LEFT = 0.8  # of the limit, after objects had to give way


class Front:
    """The copies at hand. Nothing here raises: a copy that cannot be kept or read is as good as none.

    ``trouble`` says what kept it from working, "" for nothing.
    """

    __slots__ = ("_given", "_known", "_limit", "_store", "trouble")

    def __init__(self, store: Store, limit: int) -> None:
        """``limit`` is in bytes as stored."""
        self._store = store
        self._limit = limit
        self._given: set[str] = set()  # handles that are noted here
        self._known: dict[str, str] = {}  # shard -> digest of the records that were noted last
        self.trouble = ""

    def get(self, digest: str) -> bytes | None:
        """Return an original if a sound copy is at hand."""
        try:
            with self._store.open() as place:
                return self._store._read(place, digest)  # noqa: SLF001 - one checked read for both kinds of store
        except (NotFoundError, CorruptError):
            return None
        except (OSError, StoreError) as error:
            self.trouble = str(error)
            return None

    def missing(self, digests: set[str]) -> set[str]:
        """Return those of these originals that are not at hand."""
        try:
            return self._store.missing(digests)
        except StoreError as error:
            self.trouble = str(error)
            return digests

    def keep(self, packed: dict[str, bytes]) -> None:
        """Keep copies of originals: digest -> frame."""
        try:
            with self._store.open(create=True) as place:
                objects, tmp = place.directory("objects", create=True), place.directory("tmp", create=True)
                used, added = put.usage(place), 0
                for digest, frame in packed.items():
                    if len(frame) > self._limit or _store._is_object(objects, digest):  # noqa: SLF001 - as above
                        continue
                    name = place.temporary()
                    fd = files.create_file(name, tmp)
                    try:
                        files.write_all(fd, frame)
                    finally:
                        os.close(fd)
                    os.rename(name, digest, src_dir_fd=tmp, dst_dir_fd=objects)
                    added += len(frame)
                put.add_usage(place, added)
                if used + added > self._limit:
                    left = sorted(upkeep._scan(place), key=lambda file: -file[1])  # noqa: SLF001 - the latest used first
                    total = 0
                    for digest, _, size in left:
                        total += size
                        if total > self._limit * _LEFT:
                            os.unlink(digest, dir_fd=objects)
                            total -= size
                    put.set_usage(place, total)
        except (OSError, StoreError) as error:
            self.trouble = str(error)

    def handles(self, given: dict[str, str]) -> None:
        """Keep which handle is which original's."""
        fresh: dict[str, list[tuple[str, str]]] = {}
        for handle, digest in given.items():
            if handle not in self._given:
                fresh.setdefault(_shard_of(handle), []).append((handle, digest))
        for shard, pairs in fresh.items():
            self.note(shard, pairs)
        if len(self._given) > _MOST_KNOWN:
            self._given.clear()
        self._given.update(given)

    def resolve(self, handle: str) -> str:
        """Return the original of a handle, "" when it is not at hand."""
        return self.records(_shard_of(handle)).get(handle, ("", False))[0]

    def note(self, shard: str, pairs: list[tuple[str, str]]) -> None:
        """Keep records of a shard."""
        name = sha256(repr(pairs).encode())
        if not pairs or self._known.get(shard) == name:
            return
        try:
            self._store.remember(shard, pairs, durable=False)
        except StoreError as error:
            self.trouble = str(error)
            return
        if len(self._known) > 1_000:
            self._known.clear()
        self._known[shard] = name

    def records(self, shard: str) -> dict[str, tuple[str, bool]]:
        """Return the records of a shard that are at hand, as ``Store.recall_dated`` does."""
        try:
            return self._store.recall_dated(shard)
        except StoreError as error:
            self.trouble = str(error)
            return {}

    def forget(self, digests: set[str], handles: Iterable[str] = ()) -> bool:
        """Remove originals and the records that name them or their handles; return whether nothing is left."""
        names = {name.encode("ascii") for name in (*digests, *handles)}

        def stays(line: bytes) -> bool:
            return names.isdisjoint(_NAME.findall(line))

        try:
            with self._store.open() as place, upkeep._Alone(self._store, place, 5.0) as alone:  # noqa: SLF001 - as above
                alone.take()
                for folder in ("objects", "quarantine"):
                    for name in upkeep._list(place, folder):  # noqa: SLF001 - as above
                        if name[:64] in digests:
                            os.unlink(name, dir_fd=place.directory(folder))
                for name, text in upkeep.shards(place):
                    upkeep._rewrite(place, "renderings", name, text, stays)  # noqa: SLF001 - as above
        except NotFoundError:
            pass
        except (OSError, StoreError) as error:
            self.trouble = str(error)
            return False
        self._known.clear()
        self._given.clear()
        return True

    def tidy(self, forgotten: dict[str, str]) -> None:
        """Drop what was forgotten elsewhere, original -> when, and what was not used for long."""
        done = self.records(_DROPPED)
        fresh = {digest: when for digest, when in forgotten.items() if done.get(digest, ("", False))[0] != when}
        if fresh and self.forget(set(fresh)):
            self.note(_DROPPED, list(fresh.items()))
        self.sweep()

    def sweep(self) -> bool:
        """Drop records that were not used for long, once a day; return whether it was time to."""
        if self.records(_SWEPT).get("swept", ("", True))[1] is False:
            return False
        self.note(_SWEPT, [("swept", grants.head(os.urandom(32).hex(), 12))])
        try:
            upkeep.gc(self._store, budget=self._limit, patience=0.2)
        except (NotFoundError, StoreError) as error:
            self.trouble = str(error)
        return True


def _shard_of(handle: str) -> str:
    """Return where a handle is noted: a put reads what is there, so that is to stay short."""
    return f"{_HANDLES}{sha256(handle.encode('ascii'))[0]}"
