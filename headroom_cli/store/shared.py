"""A store that several machines share, behind the interface of the one in a directory.

``put`` returns only when the shared store has every original and every grant (what "has" means: backends/). What is at
hand on this machine (front.py) saves round trips and answers while the shared store is away; nothing is acknowledged
because of it. When the store is slow or gone every call fails soon (patience.py), and whoever meets that sends the
request as it came.

Renderings are first come, first kept: two machines that render one new block at the same time agree afterwards. The
later one's ``remember`` fails, its request is gone through again, and what the first recorded is sent.
"""

from __future__ import annotations

import threading
import time

from headroom_cli.errors import CorruptError, NotFoundError, StoreError, StoreVersionError
from headroom_cli.hashing import sha256
from headroom_cli.store import AGAIN, BUDGET, Entry, Store, backends, checked_pairs, clock, files, grants, shared_put
from headroom_cli.store.front import Front
from headroom_cli.store.patience import AloneError, AwayError, Patience
from headroom_cli.store.shared_records import Asking, ConflictError, Values, alone, fresh_of

__all__ = ["ConflictError", "Shared"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator
    from types import ModuleType
    from typing import TypeVar

    from headroom_cli.store import Doubt
    from headroom_cli.store.backends import Backend
    from headroom_cli.store.url import Url

    _T = TypeVar("_T")

FORGOTTEN = "forgotten"  # the shard that names originals which other machines are to drop
_CONVERSATION = 16  # characters of the name of a shard that is read whole; the records of others are kept one by one
_USUAL = 5.0  # seconds that a call may take where no request waits for it
_AT_ONCE = 8  # records of their own shard written at a time
_SEVERAL = 500  # grants read at a time
_MOST_DOUBTFUL = 1_000


class Shared(Store):
    """A store named by a URL. ``root`` is the directory in front of it; nothing is opened before the first use."""

    __slots__ = (
        "_doubtful", "_greeted", "_patience", "backend", "front", "noted", "sound", "url", "versioned",
    )  # fmt: skip

    def __init__(
        self,
        url: Url,
        *,
        backend: Backend | None = None,
        clock: Callable[[], float] = time.time,
        budget: int = BUDGET,
        handle_length: int = grants.LENGTH,
    ) -> None:
        """``budget`` is in bytes of originals as stored, for gc. Raise ConfigError when the backend cannot be used."""
        super().__init__(url.folder, clock=clock, budget=budget, handle_length=handle_length)
        self.url = url
        self.backend = backend or backends.opened(url)
        self.front = Front(Store(url.folder), url.cache)
        self._patience = Patience(url.shown, max(_USUAL, url.number("wait", 0)))
        self._greeted = float("-inf")
        self.versioned = False
        self.sound: dict[str, float] = {}  # original -> when its bytes there were last seen whole (monotonic)
        self.noted: dict[str, tuple[str, float]] = {}  # original -> its handle, when it was last granted
        # What was asked for and may have been done, though nobody heard of it: shard, key -> digest of the value.
        self._doubtful: list[Doubt] = []

    @property
    def name(self) -> str:
        """The URL, with its secrets: what another process opens this store by."""
        return self.url.text

    def where(self) -> str:
        """Return the URL without its secrets."""
        return self.url.shown

    def hurry(self, seconds: float = -1.0, *, insist: bool = False) -> None:
        """Let the calls of this thread from now on wait ``seconds`` in all: by default what the URL says; 0: no end."""
        self._patience.begin(self.url.number("wait", self.backend.WAIT) if seconds < 0 else seconds, insist=insist)

    @property
    def missed(self) -> bool:
        """Tell whether a call of this thread found nobody since ``hurry``, whatever was done without an answer."""
        return self._patience.missed

    def ping(self) -> None:
        """Raise StoreError when the shared store is away or must not be used."""
        self.call(self.backend.check)

    def about(self) -> str:
        """Return what the shared store keeps through a power cut, in a few words."""
        return self.call(self.backend.about)

    def upkeep(self) -> ModuleType:
        """Return the module with verify, gc and forget for this kind of store."""
        from headroom_cli.store import shared_upkeep

        return shared_upkeep

    def call(self, work: Callable[[], _T], seconds: float = 0.0) -> _T:
        """Do the work in the time there is. Raise StoreError."""
        if self._doubtful:
            self._patience.call(self._withdraw, seconds)
        if time.monotonic() - self._greeted > shared_put.LOOK:
            self._patience.call(self._greet, seconds)
        return self._patience.call(work, seconds)

    def let_go(self, digests: set[str]) -> None:
        """Remember nothing of these originals: they are gone."""
        for digest in digests:
            self.sound.pop(digest, None)
            self.noted.pop(digest, None)

    def _greet(self) -> None:
        """At the first call, and every hour: look at the version, and at what was forgotten on other machines."""
        version, held = self.backend.read(["version", "secret"])  # which keeps both alive
        if version is not None and version.strip() != shared_put.VERSION:
            raise StoreVersionError(f"the store {self.url.shown} is of another version; upgrade headroom")
        if held is None:  # lost there: whoever comes next is to get the same one
            from headroom_cli.store import shared_key

            if kept := shared_key.at_hand(self):
                self.backend.create({"secret": kept.hex().encode()})
        forgotten = {
            digest: held.partition(b" ")[0].decode("ascii", "replace")
            for digest, held in self.backend.fields(FORGOTTEN).items()
            if grants.is_digest(digest)
        }
        self._greeted = time.monotonic()
        # Nobody waits for that; a process that ends meanwhile leaves it to the next one.
        threading.Thread(target=self.front.tidy, args=(forgotten,), daemon=True).start()

    def _withdraw(self) -> None:
        """Take back records that may have been written after their request had gone out without them."""
        while self._doubtful:
            try:
                doubt = self._doubtful.pop()
            except IndexError:  # another thread was faster
                return
            try:
                self._take_back(*doubt)
            except AwayError:
                self._doubtful.append(doubt)
                raise

    def _take_back(self, shard: str, written: dict[str, str]) -> None:
        held = self.backend.fields(shard, use=False)
        self.backend.drop(shard, [key for key, name in written.items() if key in held and sha256(held[key]) == name])

    def doubts(self, given: list[Doubt] | None = None) -> list[Doubt]:
        """Give up what is to be taken back, to whoever sees to it, or take it on before anything else is done."""
        given, self._doubtful = self._doubtful, list(given or ())
        return given

    # Originals.

    def put(self, entries: list[Entry]) -> list[str]:
        """Keep originals; return one handle each once the shared store has all. Raise StoreError: then none is."""
        return shared_put.put(self, entries)

    def see(self, digests: set[str]) -> None:
        """Remember that these originals were there and sound just now."""
        if len(self.sound) > shared_put.MANY:
            self.sound.clear()
        now = time.monotonic()
        self.sound.update(dict.fromkeys(digests, now))

    def get(self, digest: str) -> bytes:
        """Return the original with this SHA-256 (hex). Raise NotFoundError, CorruptError for one damaged there."""
        if not grants.is_digest(digest):
            raise NotFoundError("that is not the name of an original; it has 64 hex digits")
        data = self.front.get(digest)
        if data is not None:
            self._use(digest)
            return data
        (frame,) = self.call(lambda: self.backend.read([f"objects/{digest}"]))
        if frame is None:
            raise NotFoundError(f"the original {digest[:12]}... is not in the store; it was removed or lost")
        data = shared_put.content(frame)
        if data is None or sha256(data) != digest:
            self.sound.pop(digest, None)
            raise CorruptError(f"the original {digest[:12]}... is damaged in the store; run `headroom store verify`")
        self.see({digest})
        self.front.keep({digest: frame})
        return data

    def _use(self, digest: str) -> None:
        """Note in the shared store that a copy at hand was used, once an hour; when it is away that can wait."""
        if time.monotonic() - self.sound.get(digest, float("-inf")) < shared_put.LOOK or self._patience.is_away:
            return
        try:
            self.call(lambda: self.backend.known([f"objects/{digest}"]))
        except StoreError as error:
            self.front.trouble = str(error)
            return
        self.see({digest})

    def has(self, digest: str) -> bool:
        """Return whether an original of this SHA-256 (hex) is there; its content is not looked at."""
        return not self.missing({digest})

    def missing(self, digests: set[str]) -> set[str]:
        """Return those whose originals are not there: at hand, while the shared store is away or refuses."""
        valid = {digest for digest in digests if grants.is_digest(digest)}
        if not valid:
            return set(digests)
        try:
            there = self.call(lambda: self.backend.known([f"objects/{digest}" for digest in valid], now=False))
        except StoreVersionError:
            raise
        except StoreError:
            return (digests - valid) | self.front.missing(valid)
        return {digest for digest in digests if f"objects/{digest}" not in there}

    def resolve(self, handle: str) -> str:
        """Return the SHA-256 (hex) that a handle was given for, by its record. Raise NotFoundError."""
        if not grants.is_handle(handle, self.handle_length):
            raise NotFoundError("that is not a handle; one has 12 to 52 of a-z and 2-7")
        found = self.owners({handle}).get(handle)
        if not found:
            raise NotFoundError(f"no original has the handle {handle}; see `headroom store list`")
        return found

    def owners(self, handles: set[str]) -> dict[str, str]:
        """Return handle -> the SHA-256 (hex) that it was given for; unknown ones are left out. Raise StoreError."""
        asked = [handle for handle in handles if grants.is_handle(handle, self.handle_length)]
        if not asked:
            return {}
        try:
            held = self.call(lambda: self.backend.read([f"grants/{handle}" for handle in asked]))
        except AwayError:
            found = {handle: digest for handle in asked if (digest := self.front.resolve(handle))}
            if len(found) == len(asked):
                return found
            raise
        return {
            handle: grant.digest
            for handle, record in zip(asked, held, strict=True)
            if record is not None
            and (grant := grants.parse(record)) is not None
            and grants.head(grant.digest, len(handle)) == grant.handle == handle  # whoever wrote the record
        }

    def grants(self) -> Iterator[grants.Grant]:
        """Yield the grant of every handle, those first that were given first."""
        found = []
        names = self.call(lambda: [item.name for item in self.backend.scan("grants")], 600.0)
        for start in range(0, len(names), _SEVERAL):
            some = names[start : start + _SEVERAL]
            records = self.call(lambda some=some: self.backend.read(some, use=False), 60.0)  # type: ignore[misc]
            found += [grant for record in records if record is not None and (grant := grants.parse(record)) is not None]
        yield from sorted(found, key=lambda grant: grant.when)

    # Renderings.

    def remember(
        self, shard: str, pairs: list[tuple[str, str]], *, durable: bool = True, settled: Container[str] = ()
    ) -> None:
        """Keep key -> value records in a shard; the newest of a key wins, of a ``settled`` key the first.

        Raise ConflictError when the first is another than the one given. ``durable`` makes no difference here.
        """
        del durable
        checked_pairs(shard, pairs)
        if not pairs:
            return
        now = clock.plausible(self.clock())
        written = {key: b"%d %b" % (now, value.encode("ascii")) for key, value in dict(pairs).items()}
        whole = {shard: written}
        if len(shard) != _CONVERSATION:
            whole = {alone(shard, key): {key: record} for key, record in written.items()}

        late = threading.Event()  # the request has gone out without these records

        def decide(mine: dict[str, bytes]) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
            def fresh(held: dict[str, bytes]) -> dict[str, bytes]:
                return {} if late.is_set() else fresh_of(held, mine, settled, now)

            return fresh

        def write() -> None:
            files.in_threads(lambda name: self.backend.update(name, decide(whole[name])), list(whole), workers=_AT_ONCE)

        try:
            self.call(write)
        except AloneError:
            raise
        except AwayError:
            late.set()
            doubts = [(name, {key: sha256(value) for key, value in mine.items()}) for name, mine in whole.items()]
            self._doubtful += doubts
            del self._doubtful[:-_MOST_DOUBTFUL]
            raise
        self.front.note(shard, pairs)

    def recall(self, shard: str) -> dict[str, str]:
        """Return the records of a conversation's shard; of others a mapping that asks for one when it is looked up."""
        records = self.recall_dated(shard)
        return Values(records) if isinstance(records, Asking) else {key: value for key, (value, _) in records.items()}

    def recall_dated(self, shard: str) -> dict[str, tuple[str, bool]]:
        """Return every record of a shard and whether it was last noted more than a day ago, or ahead.

        While the shared store is away or refuses: those at hand, so that what was sent is sent again.
        """
        checked_pairs(shard, [])
        return self._records(shard) if len(shard) == _CONVERSATION else Asking(shard, self._records)

    def _records(self, shard: str, key: str = "") -> dict[str, tuple[str, bool]]:
        """Return a whole shard, or the record of one key that is kept by itself."""
        try:
            fields = self.call(lambda: self.backend.fields(alone(shard, key) if key else shard))
        except StoreVersionError:
            raise
        except StoreError:
            return self.front.records(shard)
        now = clock.plausible(self.clock())
        records = {}
        for name, held in fields.items():
            noted, _, value = held.partition(b" ")
            if noted.isdigit():
                records[name] = value.decode("latin-1"), abs(now - float(noted)) >= AGAIN
        self.front.note(shard, [(name, value) for name, (value, _) in records.items()])
        return records

    def records(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield every shard of renderings with its records; one shard may come in several parts."""
        for name in self.call(lambda: [item.name for item in self.backend.scan("renderings")], 600.0):
            shard = name.rpartition("/")[2]
            if shard == FORGOTTEN:
                continue
            fields = self.call(lambda shard=shard: self.backend.fields(shard, use=False), 60.0)  # type: ignore[misc]
            yield (
                shard.partition("-")[0],
                {key: held.partition(b" ")[2].decode("latin-1") for key, held in fields.items()},
            )

    # What belongs to the store itself.

    def key(self, offered: bytes = b"") -> bytes:
        """Return the key that all machines of this store share, made of ``offered`` or by chance. Raise StoreError."""
        from headroom_cli.store import shared_key

        return shared_key.agreed(self, offered)
