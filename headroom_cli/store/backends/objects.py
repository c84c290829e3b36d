"""Object stores: S3 and what speaks its protocol, Google Cloud Storage, Azure Blob Storage, through ``obstore``.

Originals, grants and single things are objects, a shard of renderings is one object that holds a journal (journal.py).
An object is changed only if it is still the version that was read (If-Match), and made only if none is there
(If-None-Match): a server that does not keep to that is refused, unless the URL says ``conditions=no``: then objects are
looked at and written in two steps, between which another machine may write. "The store has it" means that what was
written was read back equal. Credentials are found where obstore finds them: the environment, the machine's role.
"""

from __future__ import annotations

import contextlib
import threading
import time

from headroom_cli.errors import StoreError, StoreRefusedError
from headroom_cli.store import files, frames, journal
from headroom_cli.store.backends import TRIES, Backend, Item
from headroom_cli.store.patience import AwayError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, TypeVar

    _T = TypeVar("_T")

_AT_ONCE = 16  # requests in flight for one call
_TRUSTED = 3_600.0  # seconds for which an original that was seen there is taken to be there
_FRESH = 86_400.0  # seconds: an original used after that is written again, which is how its use is noted
_GC = "gc"  # while somebody removes what is old, nobody takes something old into use again
_GC_LEAVES = 900.0  # seconds after which whoever made that mark is taken to be dead
_LONGEST = frames.MAX_ORIGINAL + (frames.MAX_ORIGINAL >> 8) + 64  # bytes of a frame
_MOST_SEEN = 200_000  # names whose last sight is remembered


class Objects(Backend):
    """One bucket, or a prefix of it."""

    WAIT = 1.0

    def __init__(self, made: Any, shown: str, *, conditions: bool = True) -> None:
        """``made`` is a client of obstore, ``shown`` the store's name for people; ``conditions``: it keeps them."""
        import obstore

        self._conditions = conditions
        self._obstore = obstore
        self._client = made
        self._shown = shown
        self._tested = False
        self._clock: float | None = None
        self._asking = threading.Lock()
        self._seen: dict[str, float] = {}  # original -> when it was last seen there (monotonic)
        self._versions: dict[str, tuple[dict[str, str], dict[str, bytes]]] = {}

    def _do(self, work: Callable[[], _T]) -> _T:
        """Do the work; raise errors of the store for the library's, which may hold addresses."""
        from obstore import exceptions

        try:
            return work()
        except (FileNotFoundError, exceptions.AlreadyExistsError, exceptions.PreconditionError):
            raise
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
            raise StoreRefusedError(f"the store {self._shown} refused the credentials; check them") from error
        except (exceptions.BaseError, OSError, ValueError) as error:
            text = str(error)
            if "status code: 501" in text:
                raise StoreRefusedError(
                    f"the store {self._shown} cannot do what a shared store needs (conditional writes); use another, "
                    "or accept that with ?conditions=no"
                ) from error
            if any(f"status code: {code}" in text for code in range(400, 500)):
                raise StoreError(f"the store {self._shown} refused a request; check bucket and region") from error
            raise AwayError(f"the store {self._shown} cannot be reached; check the endpoint and the network") from error

    def _each(self, items: Iterable[str], work: Callable[[str], None]) -> None:
        """Do the work for several names at a time."""
        files.in_threads(work, list(items), workers=_AT_ONCE)

    def _get(self, name: str) -> tuple[bytes, dict[str, str], float] | None:
        """Return an object's bytes, its version, and when it was written (Unix seconds); None when it is not there."""
        try:
            found = self._do(lambda: self._obstore.get(self._client, name))
            # What is longer than all that is kept was put there by others: as good as damaged, and not loaded.
            data = b"" if found.meta["size"] > _LONGEST else self._do(lambda: bytes(found.bytes()))
        except FileNotFoundError:
            return None
        return data, _version(found.meta), found.meta["last_modified"].timestamp()

    def _put(self, name: str, data: bytes, mode: Any = "overwrite") -> dict[str, str]:
        if not self._conditions and mode != "overwrite":
            self._look(name, mode)
            mode = "overwrite"
        # use_multipart: one request is one version, and only one request can be made to depend on what is there.
        try:
            made = self._do(
                lambda: self._obstore.put(self._client, name, data, mode=mode, use_multipart=False, attributes=None)
            )
        except FileNotFoundError as error:  # what is written need not be there; where it is written must
            raise StoreRefusedError(f"there is no bucket {self._shown}; make it, or check its name") from error
        return _version(made)

    def _look(self, name: str, mode: Any) -> None:
        """Raise what a store with conditions would raise, as far as looking first tells."""
        from obstore import exceptions

        held = self._get(name)
        if mode == "create" and held is not None:
            raise exceptions.AlreadyExistsError(name)
        if mode != "create" and (held is None or held[1].get("e_tag") != mode.get("e_tag")):
            raise exceptions.PreconditionError(name)

    def check(self) -> None:
        """Look whether the store is there and keeps to conditions."""
        if not self._tested:
            self._test()
        elif self._get("conditions") is None:
            raise StoreError(f"what was written to {self._shown} is gone; check the store")

    def about(self) -> str:
        """Return what a power cut would leave."""
        return "kept as the object store keeps objects"

    def now(self) -> float:
        """Return the store's time: that of an object written now."""
        name = "clock"
        self._put(name, b"%d\n" % time.time())
        found = self._get(name)
        if found is None:
            raise StoreError(f"what was written to {self._shown} is gone; check the store")
        return found[2]

    def _now(self) -> float:
        """Return the store's time without asking again: by its own clock, whatever this machine's says."""
        with self._asking:
            if self._clock is None:
                self._clock = self.now() - time.monotonic()
            return self._clock + time.monotonic()

    def _test(self) -> None:
        """Raise StoreRefusedError for a store that ignores conditions: two machines would undo each other's records."""
        from obstore import exceptions

        if self._tested:
            return
        refused = StoreRefusedError(
            f"the store {self._shown} has no If-Match and If-None-Match: machines that share it would undo each "
            "other's records; use another, or accept that with ?conditions=no"
        )
        name = "conditions"
        with contextlib.suppress(exceptions.AlreadyExistsError):
            self._put(name, b"1", "create")
        try:
            self._put(name, b"2", "create")
        except exceptions.AlreadyExistsError:
            try:
                self._put(name, b"3", {"e_tag": '"0123456789abcdef0123456789abcdef"', "version": "1"})
            except exceptions.PreconditionError:
                self._tested = True
                return
        raise refused

    def read(self, names: list[str], *, use: bool = True) -> list[bytes | None]:
        """Return what is kept under each name; what is old is written again."""
        found: dict[str, bytes] = {}

        def get(name: str) -> None:
            held = self._get(name)
            if held is None:
                return
            found[name] = held[0]
            if use and self._is_old(held[2]):
                with contextlib.suppress(StoreError):  # it can be read all the same
                    self._again(name)

        self._each(dict.fromkeys(names), get)
        return [found.get(name) for name in names]

    def known(self, names: list[str], *, now: bool = True) -> set[str]:
        """Return which are there; those that are old are written again, which notes their use."""
        began = time.monotonic()
        seen = {} if now else self._seen
        there = {name for name in names if began - seen.get(name, began - 2 * _TRUSTED) < _TRUSTED}

        def look(name: str) -> None:
            try:
                meta = self._do(lambda: self._obstore.head(self._client, name))
            except FileNotFoundError:
                return
            if self._is_old(meta["last_modified"].timestamp()) and not self._again(name):
                return
            there.add(name)
            self._saw(name)

        self._each([name for name in dict.fromkeys(names) if name not in there], look)
        return there

    def _again(self, name: str) -> bool:
        """Write an object again so that it counts as used; return whether it was there."""
        self._heed_gc()
        held = self._get(name)
        if held is None:
            return False
        self._put(name, held[0])
        return True

    def _is_old(self, written: float) -> bool:
        """Tell whether something was written so long ago that its use is to be noted."""
        return self._now() - written > _FRESH

    def _heed_gc(self) -> None:
        """Raise StoreError while gc removes what is old."""
        mark = self._get(_GC)
        if mark is not None and self._now() - mark[2] < _GC_LEAVES:
            raise StoreError(f"the store {self._shown} is being cleaned up; try again")

    def _saw(self, name: str) -> None:
        if len(self._seen) > _MOST_SEEN:
            self._seen.clear()
        self._seen[name] = time.monotonic()

    def write(self, items: dict[str, bytes]) -> None:
        """Write each object and read it back."""
        self._test()
        if any(name.startswith("grants/") for name in items):  # one that stood there already, and is old
            self._heed_gc()

        def write(name: str) -> None:
            self._put(name, items[name])
            held = self._get(name)
            if held is None or held[0] != items[name]:
                raise StoreError(f"what was written to {self._shown} reads back otherwise; check the store")
            self._saw(name)

        self._each(items, write)

    def create(self, items: dict[str, bytes]) -> dict[str, bytes]:
        """Make objects where none is."""
        from obstore import exceptions

        self._test()
        standing: dict[str, bytes] = {}

        def make(name: str) -> None:
            with contextlib.suppress(exceptions.AlreadyExistsError):
                self._put(name, items[name], "create")
            held = self._get(name)
            if held is None:
                raise StoreError(f"what was written to {self._shown} is gone; check the store")
            if held[0] != items[name]:
                standing[name] = held[0]

        self._each(items, make)
        return standing

    def fields(self, shard: str, *, use: bool = True) -> dict[str, bytes]:
        """Return the records of a journal; its use is noted when a record is."""
        del use
        return self._journal(shard)[0]

    def _journal(self, shard: str) -> tuple[dict[str, bytes], dict[str, str] | None, float]:
        """Return the records of a shard, its version, None when there is none, and when it was written."""
        held = self._get(f"renderings/{shard}")
        if held is None:
            return {}, None, 0.0
        records = {}
        for payload in journal.payloads(held[0]):
            key, space, value = payload.partition(b" ")
            if space:
                records[key.decode("ascii", "replace")] = value
        return records, held[1], held[2]

    def update(self, shard: str, decide: Callable[[dict[str, bytes]], dict[str, bytes]]) -> None:
        """Write a journal anew if it is still the one that was read."""
        self._change(shard, lambda held: {**held, **fresh} if (fresh := decide(dict(held))) else None)

    def drop(self, shard: str, keys: Iterable[str]) -> None:
        """Write a journal anew without some records."""
        gone = set(keys)
        self._change(
            shard, lambda held: {key: held[key] for key in held if key not in gone} if gone & set(held) else None
        )

    def _change(self, shard: str, made_of: Callable[[dict[str, bytes]], dict[str, bytes] | None]) -> None:
        from obstore import exceptions

        self._test()
        for tried in range(TRIES):
            held, version, written = self._journal(shard)
            records = made_of(held)
            if records is None:
                return
            if version is not None and self._is_old(written):
                self._heed_gc()
            data = journal.block(b"%b %b" % (key.encode("ascii"), value) for key, value in records.items())
            try:
                self._put(f"renderings/{shard}", data, "create" if version is None else version)
            except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
                time.sleep(0.002 * tried)
            else:
                return
        raise StoreError(f"the store {self._shown} is busy; try again")

    def scan(self, folder: str) -> Iterator[Item]:
        """List a folder, a thousand objects a request."""
        pages = iter(self._obstore.list(self._client, f"{folder}/"))
        while (page := self._do(lambda: next(pages, None))) is not None:
            for meta in page:
                yield Item(meta["path"], int(meta["size"]), meta["last_modified"].timestamp())

    def remove(self, names: Iterable[str]) -> None:
        """Remove objects; one that is not there is as good as removed."""

        def remove(name: str) -> None:
            try:
                self._do(lambda: self._obstore.delete(self._client, name))
            except FileNotFoundError:
                return
            finally:
                self._seen.pop(name, None)

        self._each(names, remove)

    def remove_unused(self, name: str, before: float) -> bool:
        """Look again and remove. Whoever would take it into use again looks for the mark first."""
        try:
            meta = self._do(lambda: self._obstore.head(self._client, name))
        except FileNotFoundError:
            return False
        if meta["last_modified"].timestamp() >= before:
            return False
        self.remove([name])
        return True


def _version(meta: Mapping[str, Any]) -> dict[str, str]:
    return {name: meta[name] for name in ("e_tag", "version") if meta.get(name)}
