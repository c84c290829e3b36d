"""The store: a directory that keeps originals and renderings and loses none that it acknowledged.

::

    version      "headroom store 1"
    objects/     one zstd frame per original, named by the SHA-256 of its content: zstd -dc OBJECT | sha256sum
    grants/      owner-YYYYMM.log: which handle was given for which original, when, and what it was
    renderings/  SHARD.log: key -> value, the newest wins
    ledger/      YYYYMM.jsonl, one line per run (ledger.py)
    tmp/         objects on their way; nothing there was ever acknowledged
    quarantine/  objects that were found damaged, kept for whoever wants to look
    clock        the store's own time (clock.py)
    usage        changes of the bytes under objects/, a running estimate
    secret       the install's key, made by the first who needs it (secret.py)
    lock, gate   shared by writers, alone for gc and forget

``put`` returns only when every original was written, read back equal and synced, its name synced, and its grant synced;
a process killed anywhere before that leaves a valid store. Reads hash what they decode. Upkeep is in ``upkeep.py``.
"""

from __future__ import annotations

import errno
import os
import stat
import time

from headroom_cli.errors import CorruptError, NotFoundError, StoreError, StoreRefusedError
from headroom_cli.hashing import sha256
from headroom_cli.store import clock as store_clock
from headroom_cli.store import files, frames, grants, journal
from headroom_cli.store.grants import Grant
from headroom_cli.store.place import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator
    from types import ModuleType

    Doubt = tuple[str, dict[str, str]]  # a shard, and its records by the SHA-256 of their values

__all__ = ["BUDGET", "KEEP_DAYS", "Entry", "Grant", "Store", "named"]

KEEP_DAYS = 30  # a grant is live this long after its last use
BUDGET = 5 << 30  # bytes under objects/
_NOTE_AGAIN = 3_600.0  # seconds
_SHOWN = 12  # characters of a digest in messages
AGAIN = store_clock.DAY  # seconds: a handle used again within a day is not noted again


def named(name: str, *, budget: int = BUDGET, handle_length: int = grants.LENGTH) -> Store:
    """Return the store with this name: a directory, or a URL (see url.py). Raise StoreRefusedError, ConfigError."""
    if "://" not in name:
        return Store(name, budget=budget, handle_length=handle_length)
    from headroom_cli.store.shared import Shared
    from headroom_cli.store.url import Url

    return Shared(Url(name), budget=budget, handle_length=handle_length)


class Entry:
    """One original to keep: its bytes, what kind of text it is, and the command behind it (already redacted)."""

    __slots__ = ("command", "data", "kind")

    def __init__(self, data: bytes, kind: str = "", command: str = "") -> None:
        """Both labels may be empty."""
        self.data = data
        self.kind = kind
        self.command = command


class Store:
    """The store in one directory, for any number of processes. Opens and creates nothing until it is used."""

    __slots__ = ("budget", "clock", "handle_length", "root", "uptime")

    def __init__(
        self,
        root: str,
        *,
        clock: Callable[[], float] = time.time,
        uptime: Callable[[], tuple[str, float]] = store_clock.uptime,
        budget: int = BUDGET,
        handle_length: int = grants.LENGTH,
    ) -> None:
        """``clock`` gives Unix seconds, ``uptime`` the boot and the seconds since; ``budget`` is in bytes."""
        if not root or "\0" in root:
            raise StoreRefusedError("the store's path is empty or holds a NUL; name a directory with --store")
        if "://" in root:
            raise StoreRefusedError(
                "a store named by a URL is opened with store.named(); as a path it would be made here"
            )
        self.root = os.path.abspath(root)
        self.clock = clock
        self.uptime = uptime
        self.budget = budget
        self.handle_length = handle_length

    def put(self, entries: list[Entry]) -> list[str]:
        """Keep originals; return one handle each once all of them are on the disk. Raise StoreError: then none is."""
        if not entries:
            return []
        try:
            from headroom_cli.store import put

            with self.open(create=True) as place:
                return put.put(self, place, entries)
        except OSError as error:
            raise files.failure(error, self.root) from error

    def get(self, digest: str) -> bytes:
        """Return the original with this SHA-256 (hex) and note its use.

        Raise NotFoundError, or CorruptError after setting a damaged object aside.
        """
        if not grants.is_digest(digest):
            raise NotFoundError("that is not the name of an original; it has 64 hex digits")
        try:
            with self.open() as place:
                return self._read(place, digest)
        except OSError as error:
            raise files.failure(error, self.root) from error

    def has(self, digest: str) -> bool:
        """Return whether an original of this SHA-256 (hex) is there; its content is not looked at."""
        if not grants.is_digest(digest):
            return False
        try:
            with self.open() as place:
                return _is_object(place.existing("objects"), digest)
        except NotFoundError:
            return False
        except OSError as error:
            raise files.failure(error, self.root) from error

    def resolve(self, handle: str) -> str:
        """Return the SHA-256 (hex) that a handle was given for, by its record. Raise NotFoundError."""
        if not grants.is_handle(handle, self.handle_length):
            raise NotFoundError("that is not a handle; one has 12 to 52 of a-z and 2-7")
        try:
            with self.open() as place:
                return self._owner(place, handle)
        except OSError as error:
            raise files.failure(error, self.root) from error

    def owners(self, handles: set[str]) -> dict[str, str]:
        """Return handle -> the SHA-256 (hex) that it was given for; unknown ones are left out. Raise StoreError."""
        try:
            with self.open() as place:
                journals = b"".join(text for _, text in self.segments(place))
        except NotFoundError:
            return {}
        except OSError as error:
            raise files.failure(error, self.root) from error
        asked = (handle for handle in handles if grants.is_handle(handle, self.handle_length))
        found = {handle: grants.first_owner(journals, handle)[0] for handle in asked}
        return {handle: digest for handle, digest in found.items() if digest}

    def fetch(self, handle: str) -> bytes:
        """Return the original behind a handle. Raise NotFoundError, or CorruptError after setting it aside."""
        return self.get(self.resolve(handle))

    def missing(self, digests: set[str]) -> set[str]:
        """Return those of these SHA-256 (hex) whose originals are not there; no content is looked at."""
        if not any(map(grants.is_digest, digests)):
            return set(digests)
        try:
            with self.open() as place:
                objects = place.existing("objects")
                return {digest for digest in digests if not _is_object(objects, digest)}
        except NotFoundError:
            return set(digests)
        except OSError as error:
            raise files.failure(error, self.root) from error

    def remember(
        self, shard: str, pairs: list[tuple[str, str]], *, durable: bool = True, settled: Container[str] = ()
    ) -> None:
        """Keep key -> value records in a shard; the newest of a key wins. ``durable`` waits until they are on the disk.

        Keys are printable ASCII without spaces, values ASCII on one line (JSON text). A pair that the shard already
        holds is noted again after a day, which is what keeps a record alive. Keys in ``settled`` were not there when
        the caller looked: a store that several machines share (shared.py) lets the first of them win.
        """
        del settled
        checked_pairs(shard, pairs)
        name = f"{shard}.log"
        if not pairs:
            return
        try:
            with self.open(create=True) as place:
                self.writing(place)
                now = self.now(place)
                folder = place.directory("renderings", create=True)
                known = _renderings(_read_or_empty(name, folder))
                fresh = [
                    b"%d %b %b" % (now, key.encode("ascii"), value.encode("ascii"))
                    for key, value in dict(pairs).items()
                    if (held := known.get(key)) is None or held[0] != value or now - held[1] > AGAIN
                ]
                if fresh:
                    what = f"{self.root}/renderings/{name}"
                    _append(name, folder, what, journal.block(fresh), durable=durable)
        except OSError as error:
            raise files.failure(error, self.root) from error

    def recall(self, shard: str) -> dict[str, str]:
        """Return every record of a shard, the newest of each key; damaged lines are skipped."""
        return {key: value for key, (value, _) in self.recall_dated(shard).items()}

    def recall_dated(self, shard: str) -> dict[str, tuple[str, bool]]:
        """Return every record of a shard and whether it was last noted more than a day ago (or in no time known)."""
        name = _shard_name(shard)
        try:
            with self.open() as place:
                folder = place.existing("renderings")
                data = b"" if folder is None else _read_or_empty(name, folder)
                since = self.peek(place) - AGAIN if data else 0.0
        except NotFoundError:
            return {}
        except OSError as error:
            raise files.failure(error, self.root) from error
        return {key: (value, noted <= since) for key, (value, noted) in _renderings(data).items()}

    def grants(self) -> Iterator[Grant]:
        """Yield the newest grant of every handle, in the order in which the handles were first given."""
        try:
            with self.open() as place:
                journals = b"".join(text for _, text in self.segments(place))
        except NotFoundError:
            return
        except OSError as error:
            raise files.failure(error, self.root) from error
        yield from grants.newest(journals).values()

    def records(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield every shard of renderings with its records, the newest of each key."""
        from headroom_cli.store import upkeep

        try:
            with self.open() as place:
                for name, text in upkeep.shards(place):
                    yield name.removesuffix(".log"), {key: value for key, (value, _) in _renderings(text).items()}
        except NotFoundError:
            return
        except OSError as error:
            raise files.failure(error, self.root) from error

    def where(self) -> str:
        """Return the store's directory; nothing in it is secret."""
        return self.root

    @property
    def name(self) -> str:
        """What another process opens this store by, with :func:`named`; it may hold a password."""
        return self.root

    def hurry(self, seconds: float = -1.0, *, insist: bool = False) -> None:
        """Limit what the calls of this thread wait for others in all; a directory has nobody to wait for.

        Who insists asks somebody, too, who has just not answered.
        """

    @property
    def missed(self) -> bool:
        """Tell whether somebody did not answer since ``hurry``, so that what was found may not be all there is."""
        return False

    def doubts(self, given: list[Doubt] | None = None) -> list[Doubt]:  # noqa: ARG002 - a directory has none
        """Return the records that may have been written though nobody heard of it, and forget them; take on others."""
        return []

    def ping(self) -> None:
        """Raise StoreError when what keeps the store is away; a directory is looked at when it is used."""

    def about(self) -> str:
        """Return in a few words what a power cut would leave."""
        return "on the disk when it is acknowledged"

    def upkeep(self) -> ModuleType:
        """Return the module with verify, gc and forget for this kind of store."""
        from headroom_cli.store import upkeep

        return upkeep

    # What follows serves put.py and upkeep.py, the store's other halves.

    def open(self, *, create: bool = False) -> Place:
        """Open the store; raise NotFoundError when there is none and it shall not be made."""
        try:
            return Place(self.root, create=create)
        except FileNotFoundError as error:
            if create:
                raise StoreError(
                    f"the store {files.shown(self.root)} cannot be made; name a directory with --store"
                ) from error
            raise NotFoundError(f"there is no store in {files.shown(self.root)}; name one with --store") from error

    def writing(self, place: Place) -> None:
        """Take the writers' shared lock."""
        if not place.lock():
            raise StoreError(f"the store {files.shown(self.root)} is busy; try again")

    def now(self, place: Place) -> float:
        """Return the store's time, writing it down when that is due. Needs the lock."""
        wall, up = self.clock(), self.uptime()
        now, due = store_clock.now(place.root, place.existing("objects"), wall, up)
        if due:
            tmp = place.directory("tmp", create=True)
            store_clock.write(place.root, tmp, place.temporary(), now, wall=wall, up=up)
        return now

    def peek(self, place: Place) -> float:
        """Return the store's time without writing it down."""
        return store_clock.now(place.root, place.existing("objects"), self.clock(), self.uptime())[0]

    def segments(self, place: Place, seen: dict[str, int] | None = None) -> list[tuple[str, bytes]]:
        """Return the owner's grant journals, oldest first: name and text, each from the bytes ``seen`` of it on."""
        folder = place.existing("grants")
        if folder is None:
            return []
        names = sorted(name for name in os.listdir(folder) if name.startswith("owner-") and name.endswith(".log"))
        return [(name, _read_or_empty(name, folder, seen.get(name, 0) if seen else 0)) for name in names]

    def _owner(self, place: Place, handle: str) -> str:
        digest, _ = grants.first_owner(b"".join(text for _, text in self.segments(place)), handle)
        if not digest:
            raise NotFoundError(f"no original has the handle {handle}; see `headroom store list`")
        return digest

    def _read(self, place: Place, digest: str) -> bytes:
        """Return an object's content, checked; set a damaged one aside; note the use when that can be done."""
        objects = place.existing("objects")
        missing = NotFoundError(f"the original {digest[:_SHOWN]}... is not in the store; it was removed or lost")
        if objects is None:
            raise missing
        try:
            fd = os.open(digest, files.READ, dir_fd=objects)
        except FileNotFoundError as error:
            raise missing from error
        except OSError as error:
            if not isinstance(files.failure(error, ""), StoreRefusedError):
                raise  # it could not be read this time; that says nothing of what it is
            set_aside(place, digest, None)
            raise _corrupt(digest) from error
        try:
            data = content(fd)
            if sha256(data) != digest:
                raise frames.FrameError("another content")  # noqa: TRY301 - one way out for every damage
            # Where the store's time is far from the clock, touch finds out.
            if abs(self.clock() - os.fstat(fd).st_mtime) > _NOTE_AGAIN and _may_write(place):
                touch(fd, self.now(place))
        except frames.FrameError as error:
            set_aside(place, digest, fd)
            raise _corrupt(digest) from error
        finally:
            os.close(fd)
        return data


def content(fd: int, size: int = -1) -> bytes:
    """Return the content of an opened object; raise FrameError when it is damaged or not of ``size`` bytes."""
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        raise frames.FrameError("not a plain file")
    stated = frames.stated_size(files.read_all(fd, 18), status.st_size)  # before a file of any length is read
    if size not in {-1, stated}:
        raise frames.FrameError("another content")
    return frames.unpack(files.read_all(fd, status.st_size))


def touch(fd: int, now: float) -> None:
    """Note a use at store time ``now``, unless the file may not be changed or has another name outside the store.

    A use within the hour is not noted again: it would only dirty the inode.
    """
    status = os.fstat(fd)
    if status.st_nlink == 1 and abs(now - status.st_mtime) > _NOTE_AGAIN:
        try:
            os.utime(fd, ns=(int(now * 1e9), int(now * 1e9)))
        except PermissionError:
            pass  # somebody gave us a store to read
        except OSError as error:
            if error.errno != errno.EROFS:
                raise


def set_aside(place: Place, digest: str, damaged: int | None) -> None:
    """Move a damaged object (its descriptor; None for what is no plain file) to quarantine/.

    Another process may heal it at any moment: what stands there now is moved only if it is the very file that was found
    damaged, and put back if it was healed between the look and the move.
    """
    try:
        objects, quarantine = place.directory("objects"), place.directory("quarantine", create=True)
        moved = f"{digest}.{os.urandom(4).hex()}"
        if _is_damaged(os.stat(digest, dir_fd=objects, follow_symlinks=False), damaged):
            os.rename(digest, moved, src_dir_fd=objects, dst_dir_fd=quarantine)
            if not _is_damaged(os.stat(moved, dir_fd=quarantine, follow_symlinks=False), damaged):
                os.rename(moved, digest, src_dir_fd=quarantine, dst_dir_fd=objects)
    except (OSError, StoreError):
        return  # a store that cannot be written keeps it where it is; it is never served


def _is_damaged(status: os.stat_result, damaged: int | None) -> bool:
    if damaged is None:
        return not stat.S_ISREG(status.st_mode)
    return os.path.samestat(status, os.fstat(damaged))


def _may_write(place: Place) -> bool:
    try:
        return place.lock(patience=1.0)
    except (OSError, StoreError):
        return False


def _corrupt(digest: str) -> CorruptError:
    return CorruptError(f"the original {digest[:_SHOWN]}... is damaged and was set aside; run `headroom store verify`")


def checked_pairs(shard: str, pairs: list[tuple[str, str]]) -> None:
    """Raise ValueError for a shard, a key or a value that no store keeps."""
    _shard_name(shard)
    for key, value in pairs:
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("a key is printable ASCII without spaces")
        if not value.isascii() or "\n" in value:
            raise ValueError("a value is ASCII on one line")


def _shard_name(shard: str) -> str:
    if not grants.is_shard(shard):
        raise ValueError("a shard is 2 to 64 hex digits")
    return f"{shard}.log"


def _read_or_empty(name: str, folder: int, offset: int = 0) -> bytes:
    try:
        return files.read_file(name, folder, offset)
    except FileNotFoundError:
        return b""


def _renderings(data: bytes) -> dict[str, tuple[str, float]]:
    """Return key -> (value, store time) of a shard's journal, the newest of each key."""
    records: dict[str, tuple[str, float]] = {}
    for payload in journal.payloads(data):
        used, _, rest = payload.partition(b" ")
        key, space, value = rest.partition(b" ")
        if space and used.isdigit():
            records[key.decode("latin-1")] = (value.decode("latin-1"), float(used))
    return records


def _append(name: str, folder: int, what: str, block: bytes, *, durable: bool) -> None:
    fd, made = journal.open_for_append(name, folder, what)
    try:
        journal.append(fd, block)
        if durable:
            files.barriers([fd, folder] if made else [fd])
    finally:
        os.close(fd)


def _is_object(objects: int | None, digest: str) -> bool:
    if objects is None or not grants.is_digest(digest):  # no name from outside becomes a path
        return False
    try:
        return stat.S_ISREG(os.stat(digest, dir_fd=objects, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False
