"""Upkeep of a store that several machines share: verify, gc, forget, with the reports of upkeep.py.

gc has no lock over other machines. What was used within two days is never removed, and what is older is taken into
use again only by being written anew: Redis does both in one step; in an object store a mark says that gc is at work,
whoever finds it waits, and gc looks at each object once more after all who could not see the mark have given up.
"""

from __future__ import annotations

import time

from headroom_cli import store as _store
from headroom_cli.errors import StoreError, UsageError
from headroom_cli.hashing import sha256
from headroom_cli.store import frames, grants
from headroom_cli.store.clock import DAY
from headroom_cli.store.shared import FORGOTTEN
from headroom_cli.store.upkeep import Collection, Forgotten, Verification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    from headroom_cli.store.backends import Item
    from headroom_cli.store.shared import Shared

    _T = TypeVar("_T")

_LONG = 600.0  # seconds that one call of upkeep may take
_SEVERAL = 200  # originals read at a time
_MANY = 32 << 20  # bytes of them as stored
_LEAST = 2  # days: what is younger may have been taken into use by somebody who only looked whether it is there
_GRACE = 12.0  # seconds: longer than anybody who has not seen the mark goes on (Redis needs none)


def verify(store: Shared, depth: int = 3) -> Verification:
    """Check every original and grant and change nothing; 1 looks at names alone, 2 and 3 at every byte.

    Raise StoreError when the store cannot be read.
    """
    report = Verification(depth)
    present: dict[str, int] = {}
    for some in _parts(_items(store, "objects")):
        digests = [item.name.rpartition("/")[2] for item in some]
        held = _look(store, [item.name for item in some]) if depth > 1 else []
        for number, digest in enumerate(digests):
            if depth < 2:
                present[digest] = -1
                report.bytes += some[number].size
            elif (frame := held[number]) is not None:
                try:
                    present[digest] = _size(digest, frame)
                    report.bytes += present[digest]
                except frames.FrameError as error:
                    present[digest] = -1
                    report.damaged.append((digest, str(error)))
    report.objects = len(present)
    for grant in store.grants():
        size = present.get(grant.digest)
        if size is None:
            # Put after the listing began, perhaps.
            if not _ask(store, store.backend.known, [f"objects/{grant.digest}"]):
                report.missing.append((grant.handle, "its original is not there"))
        elif 0 <= size != grant.size:
            report.damaged.append((grant.digest, "not as long as its grant says"))
    report.damaged.sort()
    return report


def _mark(store: Shared, digest: str) -> None:
    """Note that an original was forgotten; marks that every machine must have seen go."""
    now = time.time()
    mark = b"%d 1" % now
    _ask(store, store.backend.update, FORGOTTEN, lambda _: {digest: mark})
    held = _ask(store, store.backend.fields, FORGOTTEN)
    old = [name for name, noted in held.items() if float(noted.partition(b" ")[0] or 0) < now - _store.KEEP_DAYS * DAY]
    _ask(store, store.backend.drop, FORGOTTEN, old)


def _size(digest: str, frame: bytes) -> int:
    if not grants.is_digest(digest):
        raise frames.FrameError("not the name of an object")
    data = frames.unpack(frame)
    if sha256(data) != digest:
        raise frames.FrameError("the content does not hash to its name")
    return len(data)


def _ask(store: Shared, question: Callable[..., _T], *given: Any) -> _T:
    return store.call(lambda: question(*given), _LONG)


def _look(store: Shared, names: list[str]) -> list[bytes | None]:
    return store.call(lambda: store.backend.read(names, use=False), _LONG)


def _items(store: Shared, folder: str) -> list[Item]:
    return store.call(lambda: list(store.backend.scan(folder)), _LONG)


def _parts(items: list[Item]) -> Iterator[list[Item]]:
    """Yield the items a few at a time: few enough to be held in memory."""
    some: list[Item] = []
    size = 0
    for item in items:
        if some and (len(some) >= _SEVERAL or size + item.size > _MANY):
            yield some
            some, size = [], 0
        some.append(item)
        size += item.size
    if some:
        yield some


def gc(
    store: Shared, *, days: float = _store.KEEP_DAYS, budget: int | None = None, patience: float = _GRACE
) -> Collection:
    """Remove what was not used for ``days``, then what no grant names until ``budget`` bytes are left.

    ``patience`` is how many seconds others get to see that it goes on. Raise UsageError for less than two days,
    StoreError when the store cannot be reached.
    """
    if days < _LEAST:
        raise UsageError(f"a shared store keeps what was used within {_LEAST} days; use --days {_LEAST} or more")
    report = Collection()
    now = store.call(store.backend.now, _LONG)
    since = now - days * DAY
    limit = store.budget if budget is None else budget
    used: dict[str, float] = {}
    for grant in store.grants():
        used[grant.digest] = max(used.get(grant.digest, grants.NEVER), grant.used)
    objects = sorted(_items(store, "objects"), key=lambda item: item.used)
    total = sum(item.size for item in objects)
    doomed, room = [], total - limit
    for item in objects:
        granted = used.get(item.name.rpartition("/")[2], grants.NEVER)
        orphaned = granted == grants.NEVER and item.used < now - _LEAST * DAY and room > 0
        if max(item.used, granted) < since or orphaned:
            doomed.append((item, now - _LEAST * DAY if orphaned else since))
            room -= item.size
    old = [item for folder in ("grants", "renderings") for item in _items(store, folder) if item.used < since]
    if doomed or old:
        store.call(lambda: store.backend.write({"gc": b"%d" % time.time()}), _LONG)
        try:
            time.sleep(patience if store.backend.GRACE else 0)
            for item, before in doomed:
                if _ask(store, store.backend.remove_unused, item.name, before):
                    report.removed += 1
                    report.bytes += item.size
            for item in old:
                report.records += _ask(store, store.backend.remove_unused, item.name, since)
        finally:
            store.call(lambda: store.backend.remove(["gc"]), _LONG)
    report.kept, report.kept_bytes = len(objects) - report.removed, total - report.bytes
    return report


def forget(store: Shared, handle: str, *, patience: float = _LONG) -> Forgotten:
    """Remove an original and every record that names it, here and at hand on every machine within the hour.

    Raise NotFoundError for an unknown handle, StoreError when the store cannot be reached within ``patience`` seconds.
    """
    import re

    from headroom_cli.store.upkeep import EDITS

    report = Forgotten(store.resolve(handle))
    report.handles = [grant.handle for grant in store.grants() if grant.digest == report.digest]
    words = "|".join((report.digest, *report.handles)).encode("ascii")
    named = re.compile(rb"(?<![a-z0-9])(?:" + words + rb")(?![a-z0-9])")
    gone = {report.digest}
    # First the mark: machines that have a copy remove it when they see this.
    _mark(store, report.digest)
    for item in _items(store, "renderings"):
        shard = item.name.rpartition("/")[2]
        if shard == FORGOTTEN:
            continue
        fields = store.call(lambda shard=shard: store.backend.fields(shard, use=False), _LONG)  # type: ignore[misc]
        keys = [key for key, held in fields.items() if named.search(held) or named.search(key.encode())]
        for key in keys:
            gone.update(digest.decode("ascii") for digest in EDITS.findall(fields[key]))
        if keys:
            _ask(store, store.backend.drop, shard, keys)
            report.records += len(keys)
    names = [f"objects/{digest}" for digest in sorted(gone)]
    held = store.call(lambda: store.backend.read(names, use=False), patience)
    report.bytes = sum(len(frame) for frame in held if frame is not None)
    report.files = sum(frame is not None for frame in held)
    store.call(lambda: store.backend.remove(names), patience)
    handles = [grant.handle for grant in store.grants() if grant.digest in gone]
    store.call(lambda: store.backend.remove([f"grants/{name}" for name in handles]), patience)  # last: until then again
    for digest in gone - {report.digest}:
        _mark(store, digest)
    store.front.forget(gone, report.handles)
    store.let_go(gone)
    left = store.call(lambda: store.backend.known(names), patience)
    if left:
        raise StoreError(f"{len(left)} originals of {store.where()} came back meanwhile; run forget again")
    return report
