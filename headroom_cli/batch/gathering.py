"""A store that holds what it is given until ``commit``, which writes all of it with shared barriers.

It knows nothing from before, so that a row is rendered as if it were alone, and tells nothing to later runs but what
leads back: originals, grants, and the records from a rendering, or from a document's edits, to what was there.
Renderings are not replayed from it: a proxy that serves one of these conversations has promised bytes of its own
(law 2), and a batch must not change what it sends next.

A handle is the head of the original's digest unless that is taken; ``commit`` finds out. Whoever gathered renders
again then with the handles that were given, and nothing was written out before.
"""

from __future__ import annotations

import json

from headroom_cli.errors import NotFoundError
from headroom_cli.hashing import sha256
from headroom_cli.store import Store, grants, several

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

    from headroom_cli.store import Entry

# Of one `put` to a store that several machines share: it answers within seconds or counts as away.
_AT_ONCE = 64
_BYTES_AT_ONCE = 2 << 20
_PATIENCE = 600.0  # seconds that a commit may wait for such a store


class Gathering(Store):
    """What the rows of one table want to be kept, before it is."""

    __slots__ = ("_entries", "_handles", "_records", "_row", "_rows", "_under", "double")

    def __init__(self, under: Store) -> None:
        """``under`` is where it goes in the end; nothing of it is read."""
        self._under = under
        self.root, self.clock, self.uptime = under.root, under.clock, under.uptime
        self.budget, self.handle_length = under.budget, under.handle_length
        self._entries: dict[str, Entry] = {}
        self._handles: dict[str, str] = {}  # those that are no head of a digest
        self._records: dict[str, dict[str, str]] = {}
        self._rows: dict[tuple[str, str], int] = {}
        self._row = -1
        self.double: set[int] = set()  # rows whose output another row's records lead back from

    def begin(self, row: int) -> None:
        """Count what comes now to this row."""
        self._row = row

    @property
    def name(self) -> str:
        """What another process opens the store by."""
        return self._under.name

    def put(self, entries: list[Entry]) -> list[str]:
        """Take originals; return the handles that they will have."""
        return [self._take(entry) for entry in entries]

    def _take(self, entry: Entry) -> str:
        digest = sha256(entry.data)
        self._entries.setdefault(digest, entry)
        return self._handles.get(digest) or grants.head(digest, self.handle_length)

    def get(self, digest: str) -> bytes:
        """Return an original that was taken. Raise NotFoundError."""
        entry = self._entries.get(digest)
        if entry is None:
            raise NotFoundError("that original is not of this table")
        return entry.data

    def missing(self, digests: set[str]) -> set[str]:
        """Return those of these originals that were not taken."""
        return digests - set(self._entries)

    def has(self, digest: str) -> bool:
        """Return whether an original was taken."""
        return digest in self._entries

    def remember(
        self, shard: str, pairs: list[tuple[str, str]], *, durable: bool = True, settled: Container[str] = ()
    ) -> None:
        """Take the records that lead back, of one key the first; others are dropped."""
        del durable, settled
        for key, value in pairs:
            if _leads_back(value) and self._records.setdefault(shard, {}).setdefault(key, value) != value:
                self.double.add(self._row)
            self._rows.setdefault((shard, key), self._row)

    def recall(self, shard: str) -> dict[str, str]:
        """Return nothing: a row knows of no other."""
        del shard
        return {}

    def recall_dated(self, shard: str) -> dict[str, tuple[str, bool]]:
        """Return nothing: a row knows of no other."""
        del shard
        return {}

    def commit(self) -> bool:
        """Keep all that was taken; return whether every handle is the one that was given out.

        Where not, nothing that was rendered may be used: render again, and commit that. Raise StoreError.
        """
        under = self._under
        under.hurry(_PATIENCE)
        entries = list(self._entries.items())
        same = True
        for start, end in self._groups():
            some = entries[start:end]
            handles = under.put([entry for _, entry in some])
            for (digest, _), handle in zip(some, handles, strict=True):
                if handle != self._handles.get(digest, grants.head(digest, self.handle_length)):
                    self._handles[digest] = handle
                    same = False
        if same:
            self.double |= {self._rows[name] for name in several.remember(under, self._records)}
        self._entries.clear()
        self._records.clear()
        self._rows.clear()
        return same

    def _groups(self) -> list[tuple[int, int]]:
        """Return which entries are put together: all of them, a few at a time where the store is on a network."""
        if "://" not in self._under.name:
            return [(0, len(self._entries))]
        groups: list[tuple[int, int]] = []
        start = size = 0
        for number, entry in enumerate(self._entries.values()):
            if number > start and (number - start >= _AT_ONCE or size + len(entry.data) > _BYTES_AT_ONCE):
                groups.append((start, number))
                start, size = number, 0
            size += len(entry.data)
        return [*groups, (start, len(self._entries))]


def _leads_back(value: str) -> bool:
    """Tell a record from a rendering to its original, or of what undoes edits, from notes and renderings to replay."""
    record = json.loads(value)
    if not isinstance(record, dict):
        return False
    undoes = "p" in record and ("e" in record or "u" in record)
    return undoes or ("o" in record and "s" in record and "n" not in record)
