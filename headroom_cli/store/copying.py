"""One store copied into another, of whatever kind: originals, handles, renderings and the key.

Every original is read with its hash checked and acknowledged by the other store before the next ones are read. What is
there already is not written again, so a copy that was cut off goes on when it is started again.
"""

from __future__ import annotations

from headroom_cli.errors import CorruptError, NotFoundError
from headroom_cli.store import Entry, secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from headroom_cli.store import Grant, Store

_SEVERAL = 64  # originals at a time
_MANY = 16 << 20  # bytes of them


class Copied:
    """What copy did. ``troubles`` are (handle, why it is not in the other store as it was)."""

    __slots__ = ("bytes", "originals", "records", "troubles")

    def __init__(self) -> None:
        """Nothing copied yet."""
        self.originals = 0
        self.bytes = 0
        self.records = 0
        self.troubles: list[tuple[str, str]] = []


def copy(source: Store, target: Store, tell: Callable[[int], None] = lambda _: None) -> Copied:
    """Copy all of a store; ``tell`` is called with how many originals are done. Raise StoreError, NotFoundError."""
    report = Copied()
    given = sorted(source.grants(), key=lambda grant: grant.when)
    key = secret.key(source)
    if secret.copy(target, key) != key:
        report.troubles.append(("-", "the other store has a key of its own: who was given what is not known there"))
    waiting: list[tuple[Grant, Entry]] = []
    for grant in given:
        try:
            waiting.append((grant, Entry(source.get(grant.digest), grant.kind, grant.command)))
        except (NotFoundError, CorruptError) as error:
            report.troubles.append((grant.handle, str(error)))
        if len(waiting) >= _SEVERAL or sum(len(entry.data) for _, entry in waiting) > _MANY:
            _put(target, waiting, report)
            tell(report.originals)
            waiting = []
    _put(target, waiting, report)
    tell(report.originals)
    for shard, records in source.records():
        target.remember(shard, list(records.items()))
        report.records += len(records)
    return report


def _put(target: Store, waiting: list[tuple[Grant, Entry]], report: Copied) -> None:
    handles = target.put([entry for _, entry in waiting])
    for (grant, entry), handle in zip(waiting, handles, strict=True):
        report.originals += 1
        report.bytes += len(entry.data)
        if handle != grant.handle and target.owners({grant.handle}).get(grant.handle) != grant.digest:
            report.troubles.append((grant.handle, f"another original has this handle there; this one got {handle}"))
