"""The writing half of a shared store: one batch of originals, acknowledged when the store has all of it.

Order: which originals are there; those that this process has not seen sound are read; those that are missing or damaged
are written and read back; then the handles are noted, each by whoever is first; then they are returned.
"""

from __future__ import annotations

import time

from headroom_cli.errors import StoreError
from headroom_cli.hashing import sha256
from headroom_cli.store import AGAIN, clock, frames, grants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.store import Entry
    from headroom_cli.store.shared import Shared

VERSION = b"headroom shared store 1"
MANY = 100_000  # originals that a process remembers having seen sound
LOOK = 3_600.0  # seconds for which an original that was seen sound is taken to be sound


def put(store: Shared, entries: list[Entry]) -> list[str]:
    """Keep originals; return one handle each once the shared store has all. Raise StoreError: then none is."""
    if not entries:
        return []
    digests = [sha256(entry.data) for entry in entries]
    batch = dict(zip(digests, entries, strict=True))
    for entry in batch.values():
        if len(entry.data) > frames.MAX_ORIGINAL:
            size = len(entry.data)
            raise StoreError(f"an original of {size} bytes is over the store's limit; pass it on unchanged")
    there = store.call(lambda: store.backend.known([f"objects/{digest}" for digest in batch]))
    fresh = {digest for digest in batch if f"objects/{digest}" not in there}
    fresh |= _unsound(store, {digest: batch[digest].data for digest in batch if digest not in fresh})
    if fresh:
        packed = {digest: frames.pack(batch[digest].data) for digest in fresh}
        for digest, frame in packed.items():
            if frames.unpack(frame) != batch[digest].data:
                raise StoreError("what was packed for the store does not unpack to the same; report it")
        store.call(lambda: store.backend.write({f"objects/{digest}": frame for digest, frame in packed.items()}))
        store.see(fresh)
        store.front.keep(packed)
    handles = _grant(store, batch, fresh)
    store.front.handles({handle: digest for digest, handle in handles.items()})
    return [handles[digest] for digest in digests]


def _unsound(store: Shared, batch: dict[str, bytes]) -> set[str]:
    """Return which of the originals that are there do not hold these bytes: each is read once by every process."""
    now = time.monotonic()
    unseen = [digest for digest in batch if now - store.sound.get(digest, now - 2 * LOOK) > LOOK]
    if not unseen:
        return set()
    held = store.call(lambda: store.backend.read([f"objects/{digest}" for digest in unseen]))
    sound = {
        digest: frame
        for digest, frame in zip(unseen, held, strict=True)
        if frame is not None and content(frame) == batch[digest]
    }
    store.see(set(sound))
    store.front.keep(sound)
    return set(unseen) - set(sound)


def _grant(store: Shared, batch: dict[str, Entry], fresh: set[str]) -> dict[str, str]:
    """Note which handle was given for which original: whoever notes it first has it; return digest -> handle."""
    now = clock.plausible(store.clock())
    handles: dict[str, str] = {}
    waiting: dict[str, int] = {}
    for digest in batch:
        handle, noted = store.noted.get(digest, ("", grants.NEVER))
        if digest in fresh or not 0 <= now - noted < AGAIN / 2:
            waiting[digest] = store.handle_length
        else:
            handles[digest] = handle
    while waiting:
        asked: dict[str, str] = {}
        for digest, length in waiting.items():
            while (handle := grants.head(digest, length)) in asked.values() and length < grants.LONGEST:
                length += 4  # noqa: PLW2901 - two of one batch may begin alike
            waiting[digest], asked[digest] = length, handle
        records = {f"grants/{handle}": _record(handle, digest, batch[digest], now) for digest, handle in asked.items()}
        if not store.versioned:
            records["version"] = VERSION
        standing = store.call(lambda records=records: store.backend.create(records))  # type: ignore[misc]
        store.versioned = True
        renewed = {}
        for digest, handle in asked.items():
            held = standing.get(f"grants/{handle}")
            grant = grants.parse(held) if held is not None else None
            if held is not None and grant is not None and grant.digest != digest:
                waiting[digest] = min(waiting[digest] + 4, grants.LONGEST)
                continue
            if held is not None and (grant is None or abs(now - grant.used) > AGAIN):
                renewed[f"grants/{handle}"] = records[f"grants/{handle}"]
            handles[digest] = handle
            store.noted[digest] = handle, now
            del waiting[digest]
        if renewed:
            store.call(lambda renewed=renewed: store.backend.write(renewed))  # type: ignore[misc]
    if len(store.noted) > MANY:
        store.noted.clear()
    return handles


def content(frame: bytes) -> bytes | None:
    """Return what a frame holds, None for a damaged one."""
    try:
        return frames.unpack(frame)
    except frames.FrameError:
        return None


def _record(handle: str, digest: str, entry: Entry, now: float) -> bytes:
    return grants.Grant(
        handle, digest, used=now, when=now, size=len(entry.data), kind=entry.kind, command=entry.command
    ).payload()
