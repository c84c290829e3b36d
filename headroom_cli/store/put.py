"""The writing half of the store: one durable batch.

Order, which strace can check: write tmp files, read each back and decode it, sync them together, rename them to their
names, append the grants in one write, sync the names and the grants together, return the handles. A crash leaves
tmp files, or objects that no grant names; upkeep removes both. A grant may reach the disk before its object's name
does: nobody was given that handle.

Renaming may replace an object that another process put meanwhile: it holds the same content, and a damaged one is
healed.
"""

from __future__ import annotations

import os

from headroom_cli import store as _store
from headroom_cli.errors import StoreError, StoreFullError, StoreRefusedError
from headroom_cli.hashing import sha256
from headroom_cli.store import clock as store_clock
from headroom_cli.store import files, frames, grants, journal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.store import Entry, Store
    from headroom_cli.store.place import Place

_GROUP = 64  # originals written before one round of barriers: as many descriptors are open at once
_MANY = 1 << 20  # bytes of originals in a group
_FEW = 4  # handles looked up one by one; more are first narrowed down in one pass over the journals
_USAGE_MAX = 32_768  # bytes of the usage file before its lines are summed up


def put(store: Store, place: Place, entries: list[Entry]) -> list[str]:
    """Keep the entries and return their handles. Raise StoreError or OSError: then none is acknowledged."""
    digests = [sha256(entry.data) for entry in entries]
    batch = dict(zip(digests, entries, strict=True))  # equal bytes are one original
    for entry in batch.values():
        if len(entry.data) > frames.MAX_ORIGINAL:
            raise StoreError(f"an original of {len(entry.data)} bytes is over the store's limit; pass it on unchanged")
    store.writing(place)
    now = store.now(place)
    objects = place.directory("objects", create=True)
    fresh = {digest: entry for digest, entry in batch.items() if not _holds(place, digest, entry.data, now)}
    if fresh:
        _write(store, place, fresh, now)
    handles = _grant(store, place, batch, now, objects)
    if fresh:
        _sum_up_usage(place)
    return [handles[digest] for digest in digests]


def _holds(place: Place, digest: str, data: bytes, now: float) -> bool:
    """Return whether the store holds this content already, and note its use; set a damaged object aside."""
    try:
        fd = os.open(digest, files.READ, dir_fd=place.directory("objects"))
    except FileNotFoundError:
        return False
    except OSError as error:
        if not isinstance(files.failure(error, ""), StoreRefusedError):
            raise
        _store.set_aside(place, digest, None)
        return False
    try:
        same = _same(fd, data)
        if same:
            _store.touch(fd, now)
        else:
            _store.set_aside(place, digest, fd)
    finally:
        os.close(fd)
    return same


def _same(fd: int, data: bytes) -> bool:
    try:
        return _store.content(fd, len(data)) == data
    except frames.FrameError:
        return False


def _write(store: Store, place: Place, fresh: dict[str, Entry], now: float) -> None:
    """Write new objects under tmp/, synced and read back, then give them their names."""
    tmp = place.directory("tmp", create=True)
    names: dict[str, str] = {}
    used = usage(place)
    added = 0
    try:
        waiting = list(fresh)
        for start in range(0, len(waiting), _GROUP):
            group = {digest: fresh[digest] for digest in waiting[start : start + _GROUP]}
            names.update((digest, place.temporary()) for digest in group)
            added += _write_group(group, names, tmp, now, room=store.budget - used - added)
        objects = place.directory("objects")
        for digest in waiting:
            os.rename(names[digest], digest, src_dir_fd=tmp, dst_dir_fd=objects)
            del names[digest]
    except _NoRoomError as error:
        raise StoreFullError(
            f"the store {files.shown(store.root)} is at its {store.budget >> 20} MiB; "
            "run `headroom store gc`, or raise the limit"
        ) from error
    finally:
        for name in names.values():  # only after a failure
            _unlink(name, tmp)
    add_usage(place, added)


class _NoRoomError(Exception):
    """The byte budget would be passed."""


def _write_group(group: dict[str, Entry], names: dict[str, str], tmp: int, now: float, *, room: int) -> int:
    """Write, read back and sync one group of objects under tmp/; return their bytes. Raise _NoRoomError, StoreError."""
    fds: list[int] = []
    sizes: list[int] = []
    stamp = int(now * 1e9)

    def write(digest: str) -> None:
        data = group[digest].data
        frame = frames.pack(data)
        sizes.append(len(frame))
        if sum(sizes) > room:
            raise _NoRoomError
        fd = files.create_file(names[digest], tmp)
        fds.append(fd)
        files.write_all(fd, frame)
        os.utime(fd, ns=(stamp, stamp))
        if frames.unpack(files.read_all(fd, len(frame) + 1)) != data:
            raise StoreError("what was written to the store reads back otherwise; check the disk")

    # Compressing and decoding run outside the interpreter's lock: many bytes are worth a thread for every core.
    many = sum(len(entry.data) for entry in group.values()) > _MANY
    try:
        files.in_threads(write, list(group), workers=min(os.cpu_count() or 1, 4) if many else 1)
        files.barriers(fds)
    except frames.FrameError as error:
        raise StoreError("what was written to the store does not read back; check the disk") from error
    finally:
        for fd in fds:
            os.close(fd)
    return sum(sizes)


def _unlink(name: str, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:  # the failure that led here is the one to report; gc removes the file
        return


def _grant(store: Store, place: Place, batch: dict[str, Entry], now: float, objects: int) -> dict[str, str]:
    """Note which handle was given for which original; return digest -> handle once that and the objects' names last.

    A handle belongs to the first record that names it. Two processes may note the same handle for two originals at the
    same time: whoever finds another's record before his own takes a longer handle.
    """
    handles: dict[str, str] = {}
    taken: set[str] = set()
    lost: set[str] = set()
    folder = place.directory("grants", create=True)
    segments = dict(store.segments(place))
    while True:
        journals = b"".join(segments.values())
        records: list[bytes] = []
        heads = {digest: grants.head(digest, store.handle_length) for digest in batch}
        lines = grants.sharing(journals, set(heads.values())) if len(batch) > _FEW else None
        for digest, entry in batch.items():
            if digest in handles and digest not in lost:
                continue
            text = journals if lines is None else lines[heads[digest]]
            handle, noted = grants.choose(text, digest, store.handle_length, taken)
            handles[digest] = handle
            taken.add(handle)
            if now - noted > _store.AGAIN or digest in lost:
                grant = grants.Grant(
                    handle,
                    digest,
                    used=now,
                    when=store_clock.plausible(store.clock()),
                    size=len(entry.data),
                    kind=entry.kind,
                    command=entry.command,
                )
                records.append(grant.payload())
        if not records:
            _rely(objects, folder, segments)
            return handles
        segment = max([f"owner-{store_clock.month(now)}.log", *segments])
        block = journal.block(records)
        fd, made = journal.open_for_append(segment, folder, f"{store.root}/grants/{segment}")
        try:
            journal.append(fd, block)
            files.barriers([objects, fd, folder] if made else [objects, fd])
        finally:
            os.close(fd)
        seen = {name: len(text) for name, text in segments.items()}
        added = b"".join(text for _, text in store.segments(place, seen))
        if added == block:
            return handles
        segments = dict(store.segments(place))
        lost = {
            digest for digest, handle in handles.items() if grants.first_owner(added, handle)[0] not in ("", digest)
        }
        if not lost:
            return handles


def _rely(objects: int, folder: int, segments: dict[str, bytes]) -> None:
    """Pass barriers for what another process may have named and noted just now; next to free when that is long ago."""
    fds = [os.open(name, files.READ, dir_fd=folder) for name in sorted(segments)[-2:]]
    try:
        files.barriers([objects, *fds], workers=1)
    finally:
        for fd in fds:
            os.close(fd)


def usage(place: Place) -> int:
    """Return about how many bytes are under objects/: the usage file's sum, or a count where that cannot be read."""
    try:
        changes = files.read_file("usage", place.root).split()
        return max(sum(map(int, changes)), 0)
    except (FileNotFoundError, ValueError):
        total = _measure(place)
        set_usage(place, total)
        return total


def _measure(place: Place) -> int:
    total = 0
    with os.scandir(place.directory("objects")) as entries:
        for entry in entries:
            try:
                total += entry.stat(follow_symlinks=False).st_size
            except FileNotFoundError:
                continue
    return total


def set_usage(place: Place, total: int) -> None:
    """Write the usage file anew."""
    tmp = place.directory("tmp", create=True)
    name = place.temporary()
    fd = files.create_file(name, tmp)
    try:
        files.write_all(fd, b"%d\n" % total)
    finally:
        os.close(fd)
    os.rename(name, "usage", src_dir_fd=tmp, dst_dir_fd=place.root)


def add_usage(place: Place, added: int) -> None:
    """Append a change to the usage file: one write, no sync; being a little off is corrected by gc."""
    try:
        fd = files.open_private("usage", place.root, files.APPEND, f"{place.path}/usage")
    except FileNotFoundError:
        return  # the next put measures
    try:
        os.write(fd, b"%d\n" % added)
    finally:
        os.close(fd)


def _sum_up_usage(place: Place) -> None:
    """Shorten a long usage file when nobody else is writing. Gives the shared lock up: the batch must be done."""
    try:
        long = os.stat("usage", dir_fd=place.root, follow_symlinks=False).st_size > _USAGE_MAX
    except FileNotFoundError:
        return
    if long and place.lock(exclusive=True, patience=0):
        set_usage(place, usage(place))
