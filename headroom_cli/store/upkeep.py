"""Upkeep of the store: verify, gc, forget. No filter imports this.

gc and forget hold the lock alone, gc for a few milliseconds at a time, and look again under it: an original that was
used while gc was deciding stays. Nothing that a live grant names is ever removed, whatever the clock or budget says.
"""

from __future__ import annotations

import os
import re
import stat

from headroom_cli import store as _store
from headroom_cli.errors import StoreError
from headroom_cli.store import files, frames, grants, journal, put
from headroom_cli.store.clock import DAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from headroom_cli.store import Store
    from headroom_cli.store.place import Place

_SLICE = 64  # removals under one hold of the lock: about a millisecond
_TMP_KEEP = (
    DAY  # seconds; the lock already shows that no put is going on, this is for file systems whose locks do nothing
)
# The digest of an object that holds the edits of a whole document, in a record (renderings.py).
EDITS = re.compile(rb'"u":"([0-9a-f]{64})"')
_WORTH = 4  # rewrite a journal when at least one line in four can go


class Verification:
    """What verify found. ``damaged`` and ``missing`` are (name, reason); ``clean`` when there is neither."""

    __slots__ = ("bytes", "damaged", "depth", "leftovers", "missing", "objects", "quarantined", "torn")

    def __init__(self, depth: int) -> None:
        """Nothing found yet."""
        self.depth = depth
        self.objects = 0
        self.bytes = 0  # of originals at depths 2 and 3, else as stored
        self.damaged: list[tuple[str, str]] = []
        self.missing: list[tuple[str, str]] = []
        self.torn = 0  # damaged lines in grants and renderings; gc drops them
        self.quarantined = 0
        self.leftovers = 0  # files in tmp/

    @property
    def clean(self) -> bool:
        """Return whether every original that can be named is there and undamaged, as far as the depth looked."""
        return not (self.damaged or self.missing or self.torn)


class Collection:
    """What gc removed, and what is left: counts and bytes as stored."""

    __slots__ = ("bytes", "kept", "kept_bytes", "leftovers", "records", "removed")

    def __init__(self) -> None:
        """Nothing removed yet."""
        self.removed = 0
        self.bytes = 0
        self.kept = 0
        self.kept_bytes = 0
        self.records = 0  # lines dropped from grants and renderings
        self.leftovers = 0  # files removed from tmp/


class Forgotten:
    """What forget removed: every handle of the original, and its records."""

    __slots__ = ("bytes", "digest", "files", "handles", "records")

    def __init__(self, digest: str) -> None:
        """Nothing removed yet."""
        self.digest = digest
        self.handles: list[str] = []
        self.files = 0
        self.bytes = 0
        self.records = 0


def verify(store: Store, depth: int = 3) -> Verification:
    """Check the store and change nothing: 1 names and records, 2 also sizes and headers, 3 also every byte.

    Raise NotFoundError when there is no store, StoreError when it cannot be read.
    """
    report = Verification(depth)
    try:
        with store.open() as place:
            journals = b"".join(text for _, text in store.segments(place))
            granted = grants.newest(journals)
            report.torn = journal.damaged(journals) + sum(journal.damaged(text) for _, text in shards(place))
            present = _verify_objects(place, report)
            now = store.peek(place)
            for handle, grant in granted.items():
                size = present.get(grant.digest)
                if size is None and now - grant.used <= _store.KEEP_DAYS * DAY:
                    report.missing.append((handle, "its original is not there"))
                elif size is not None and 0 <= size != grant.size:
                    report.damaged.append((grant.digest, "not as long as its grant says"))
            report.quarantined = len(_list(place, "quarantine"))
            report.leftovers = len(_list(place, "tmp"))
    except OSError as error:
        raise files.failure(error, store.root) from error
    return report


def _verify_objects(place: Place, report: Verification) -> dict[str, int]:
    """Check every object; return digest -> size of the original in bytes (-1 where it was not looked at)."""
    present: dict[str, int] = {}
    objects = place.existing("objects")
    if objects is None:
        return present

    def check(name: str) -> None:
        try:
            present[name] = _check_object(objects, name, report)
        except FileNotFoundError:
            return  # gc was faster
        except frames.FrameError as error:
            present[name] = -1
            report.damaged.append((name, str(error)))

    names = os.listdir(objects)
    # Hashing and decoding run outside the interpreter's lock, so threads use every core.
    files.in_threads(check, names, workers=min(os.cpu_count() or 1, 8) if report.depth > 2 else 1)
    report.objects = len(present)
    report.damaged.sort()
    return present


def _check_object(objects: int, name: str, report: Verification) -> int:
    if not grants.is_digest(name):
        raise frames.FrameError("not the name of an object")
    status = os.stat(name, dir_fd=objects, follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode):
        raise frames.FrameError("not a plain file")
    if report.depth < 2:
        report.bytes += status.st_size
        return -1
    fd = os.open(name, files.READ, dir_fd=objects)
    try:
        size = frames.stated_size(files.read_all(fd, 18), status.st_size)
        if report.depth > 2 and frames.hash_content(fd, status.st_size) != name:
            raise frames.FrameError("the content does not hash to its name")
    finally:
        os.close(fd)
    report.bytes += size
    return size


def gc(
    store: Store, *, days: float = _store.KEEP_DAYS, budget: int | None = None, patience: float = 10.0
) -> Collection:
    """Remove what was not used for ``days``, then what no live grant names until ``budget`` bytes are left.

    Raise NotFoundError when there is no store, StoreError when a writer holds it for longer than ``patience`` seconds.
    """
    report = Collection()
    keep = days * DAY
    limit = store.budget if budget is None else budget
    try:
        with store.open() as place, _Alone(store, place, patience) as alone:
            alone.take()
            now = store.now(place)
            usage = put.usage(place)
            alone.release()
            uses = _Uses(store, place)
            objects = sorted(_scan(place), key=lambda file: file[1])
            total = sum(size for _, _, size in objects)

            def unused(digest: str, touched: float) -> bool:
                return now - max(touched, uses.last(digest)) > keep

            def orphaned(digest: str, touched: float) -> bool:
                return uses.last(digest) == grants.NEVER and now - touched > DAY

            _remove(
                place, alone, uses, [file for file in objects if unused(file[0], file[1])], dead=unused, report=report
            )
            if total - report.bytes > limit:
                # Left by writers that were killed before anybody got a handle.
                over = [file for file in objects if orphaned(file[0], file[1])]
                room = total - report.bytes - limit
                chosen = []
                for file in over:
                    if room <= 0:
                        break
                    chosen.append(file)
                    room -= file[2]
                _remove(place, alone, uses, chosen, dead=orphaned, report=report)
            report.kept, report.kept_bytes = len(objects) - report.removed, total - report.bytes
            _compact(store, place, alone, now - keep, report)
            alone.take()
            report.leftovers = _clear_tmp(store, place)
            if put.usage(place) == usage:  # nobody put anything meanwhile: the count is exact
                put.set_usage(place, report.kept_bytes)
            else:
                put.add_usage(place, -report.bytes)
    except OSError as error:
        raise files.failure(error, store.root) from error
    return report


class _Alone:
    """The lock held alone, taken and released as gc goes; a context manager that releases it in the end."""

    __slots__ = ("_patience", "_place", "_store")

    def __init__(self, store: Store, place: Place, patience: float) -> None:
        self._store = store
        self._place = place
        self._patience = patience

    def __enter__(self) -> _Alone:  # noqa: PYI034 - Self is in typing, which this project does not import
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def take(self) -> None:
        """Take the lock alone or raise StoreError."""
        if not self._place.lock(exclusive=True, patience=self._patience):
            raise StoreError(f"the store {files.shown(self._store.root)} is being written; try again later")

    def release(self) -> None:
        """Let writers in."""
        self._place.unlock()


class _Uses:
    """When each original was last granted, in store time; reads what was appended since on request."""

    __slots__ = ("_place", "_seen", "_store", "_used")

    def __init__(self, store: Store, place: Place) -> None:
        self._store = store
        self._place = place
        self._seen: dict[str, tuple[int, int]] = {}  # segment -> its inode and the bytes that were read
        self._used: dict[str, float] = {}
        self.refresh()

    def last(self, digest: str) -> float:
        return self._used.get(digest, grants.NEVER)

    def refresh(self) -> None:
        """Take in every record appended since the last look. Complete only while the lock is held alone."""
        folder = self._place.existing("grants")
        if folder is None:
            return
        offsets: dict[str, int] = {}
        inodes: dict[str, int] = {}
        for name in os.listdir(folder):
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            inodes[name] = status.st_ino
            inode, read = self._seen.get(name, (0, 0))
            # Another gc may have rewritten a segment: then it is read again from its beginning.
            offsets[name] = read if inode == status.st_ino and read <= status.st_size else 0
        for name, text in self._store.segments(self._place, offsets):
            for payload in journal.payloads(text):
                grant = grants.parse(payload)
                if grant is not None:
                    self._used[grant.digest] = max(self._used.get(grant.digest, grant.used), grant.used)
            self._seen[name] = inodes.get(name, 0), offsets.get(name, 0) + len(text)


def _scan(place: Place) -> Iterator[tuple[str, float, int]]:
    """Yield digest, time of last use (store time) and stored bytes of every object."""
    objects = place.existing("objects")
    if objects is None:
        return
    with os.scandir(objects) as entries:
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if grants.is_digest(entry.name) and stat.S_ISREG(status.st_mode):
                yield entry.name, status.st_mtime, status.st_size


def _remove(
    place: Place,
    alone: _Alone,
    uses: _Uses,
    doomed: list[tuple[str, float, int]],
    *,
    dead: Callable[[str, float], bool],
    report: Collection,
) -> None:
    """Remove the files that are still dead when looked at under the lock."""
    objects = place.existing("objects")
    for start in range(0, len(doomed), _SLICE):
        alone.take()
        uses.refresh()
        for digest, _, _ in doomed[start : start + _SLICE]:
            try:
                status = os.stat(digest, dir_fd=objects, follow_symlinks=False)
                if dead(digest, status.st_mtime):
                    os.unlink(digest, dir_fd=objects)
                    report.removed += 1
                    report.bytes += status.st_size
            except FileNotFoundError:
                continue
        alone.release()


def _compact(store: Store, place: Place, alone: _Alone, since: float, report: Collection) -> None:
    """Drop records that nothing needs: damaged, superseded, or not used since (store time)."""
    journals = b"".join(text for _, text in store.segments(place))
    if _worth(journals, _kept_grants(place, journals, since)):
        alone.take()
        segments = store.segments(place)
        kept = _kept_grants(place, b"".join(text for _, text in segments), since)
        for name, text in segments:
            report.records += _rewrite(place, "grants", name, text, kept.__contains__)
            kept -= set(text.split(b"\n"))  # the same line in a later segment is a repetition
        alone.release()
    for name, text in shards(place):
        if _worth(text, _kept_renderings(text, since)):
            alone.take()
            text = files.read_file(name, place.directory("renderings"))  # noqa: PLW2901 - again, now that it stands still
            kept = _kept_renderings(text, since)
            report.records += _rewrite(place, "renderings", name, text, kept.__contains__)
            alone.release()


def _worth(text: bytes, kept: set[bytes]) -> bool:
    lines = sum(1 for line in text.split(b"\n") if line)
    return lines > 0 and (len(kept) * _WORTH <= lines * (_WORTH - 1) or journal.damaged(text) > 0)


def _kept_grants(place: Place, journals: bytes, since: float) -> set[bytes]:
    """Return the lines to keep: the newest of each handle whose original was granted or read since."""
    objects = place.existing("objects")
    kept = set()
    for grant in grants.newest(journals).values():
        used = grant.used
        if used < since and objects is not None:
            used = max(used, _touched(objects, grant.digest))
        if used >= since:
            kept.add(journal.line(grant.payload()).rstrip(b"\n"))
    return kept


def _touched(objects: int, digest: str) -> float:
    try:
        return os.stat(digest, dir_fd=objects, follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return grants.NEVER


def _kept_renderings(text: bytes, since: float) -> set[bytes]:
    """Return the lines to keep: the newest of each key, noted since."""
    newest: dict[bytes, tuple[float, bytes]] = {}
    for payload in journal.payloads(text):
        used, _, rest = payload.partition(b" ")
        key, space, _ = rest.partition(b" ")
        if space and used.isdigit():
            newest[key] = (float(used), payload)
    return {journal.line(payload).rstrip(b"\n") for used, payload in newest.values() if used >= since}


def _rewrite(place: Place, folder: str, name: str, text: bytes, keep: Callable[[bytes], bool]) -> int:
    """Replace a journal by the lines to keep, in their order; return how many lines went. Needs the lock alone."""
    lines = [line for line in text.split(b"\n") if line]
    kept = [line for line in lines if keep(line)]
    if len(kept) == len(lines):
        return 0
    directory = place.directory(folder)
    if not kept:
        os.unlink(name, dir_fd=directory)
    else:
        tmp = place.directory("tmp", create=True)
        temporary = place.temporary()
        fd = files.create_file(temporary, tmp)
        try:
            files.write_all(fd, b"\n".join(kept) + b"\n")
            files.barrier(fd)
        finally:
            os.close(fd)
        os.rename(temporary, name, src_dir_fd=tmp, dst_dir_fd=directory)
    files.barrier(directory)
    return len(lines) - len(kept)


def _clear_tmp(store: Store, place: Place) -> int:
    """Remove what killed writers left more than a day ago. Needs the lock alone."""
    removed = 0
    for name in _list(place, "tmp"):
        tmp = place.directory("tmp")
        status = os.stat(name, dir_fd=tmp, follow_symlinks=False)
        if abs(store.clock() - status.st_ctime) > _TMP_KEEP and not stat.S_ISDIR(status.st_mode):
            os.unlink(name, dir_fd=tmp)
            removed += 1
    return removed


def forget(store: Store, handle: str, *, patience: float = 10.0) -> Forgotten:
    """Remove an original and every record that names it, also from tmp/ and quarantine/.

    Raise NotFoundError for an unknown handle, StoreError when a writer holds the store for longer than ``patience``.
    """
    report = Forgotten(store.resolve(handle))
    try:
        with store.open() as place, _Alone(store, place, patience) as alone:
            alone.take()
            granted = grants.newest(b"".join(text for _, text in store.segments(place)))
            report.handles = [name for name, grant in granted.items() if grant.digest == report.digest]
            for folder in ("objects", "quarantine", "tmp"):
                for name in _list(place, folder):
                    # Alone, nothing in tmp/ is in use, and what is there may be a copy.
                    if folder == "tmp" or name.startswith(report.digest):
                        _forget_file(place, folder, name, report)
            # Whole words only: a lengthened handle of another original may begin with one of ours.
            words = "|".join((report.digest, *report.handles)).encode("ascii")
            named = re.compile(rb"(?<![a-z0-9])(?:" + words + rb")(?![a-z0-9])")
            edits: set[bytes] = set()
            for _, text in shards(place):
                for line in text.split(b"\n"):
                    if named.search(line) is not None:
                        edits.update(EDITS.findall(line))  # objects that hold the original among other things
            for digest in sorted(edits):
                _forget_file(place, "objects", digest.decode("ascii"), report)
            for name, text in shards(place):
                report.records += _rewrite(place, "renderings", name, text, lambda line: named.search(line) is None)
            gone = {report.digest.encode("ascii"), *edits}
            for name, text in store.segments(place):  # last: until then forget can be run again
                report.records += _rewrite(
                    place, "grants", name, text, lambda line: not any(digest in line for digest in gone)
                )
    except OSError as error:
        raise files.failure(error, store.root) from error
    return report


def _forget_file(place: Place, folder: str, name: str, report: Forgotten) -> None:
    directory = place.directory(folder)
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return  # gc was faster
    if stat.S_ISDIR(status.st_mode):
        return  # not made by a store
    size = status.st_size
    os.unlink(name, dir_fd=directory)
    files.barrier(directory)
    report.files += 1
    report.bytes += size
    if folder == "objects":
        put.add_usage(place, -size)


def shards(place: Place) -> Iterator[tuple[str, bytes]]:
    """Yield name and text of every shard of renderings, one at a time: together they may be large."""
    folder = place.existing("renderings")
    if folder is None:
        return
    for name in sorted(_list(place, "renderings")):
        if name.endswith(".log") and grants.is_shard(name.removesuffix(".log")):
            try:
                text = files.read_file(name, folder)
            except FileNotFoundError:
                continue  # another gc was faster
            yield name, text


def _list(place: Place, folder: str) -> list[str]:
    fd = place.existing(folder)
    return [] if fd is None else os.listdir(fd)
