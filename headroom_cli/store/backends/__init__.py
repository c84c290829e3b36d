"""What keeps a shared store's bytes: one file per backend, all behind these few calls.

Names are ``objects/DIGEST``, ``grants/HANDLE``, ``renderings/SHARD`` and some single ones; none
comes from outside unchecked. Every call raises AwayError when the server cannot be reached, StoreFullError when it has
no room, StoreRefusedError when it must not be used, StoreError for the rest; no message names a credential.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from headroom_cli.store.url import Url

KEEP = 30 * 86_400  # seconds after its last use for which everything stays
TRIES = 16  # rounds that a change makes when others change the same record


class Item:
    """One thing that is kept: its name, its bytes as stored, and when it was last used (the server's Unix seconds)."""

    __slots__ = ("name", "size", "used")

    def __init__(self, name: str, size: int, used: float) -> None:
        """Say what a listing says."""
        self.name = name
        self.size = size
        self.used = used


class Backend:
    """The calls. ``WAIT`` is how many seconds one request may wait in all, where the URL does not say."""

    WAIT = 0.25
    GRACE = True  # gc waits for those who have not seen its mark

    def check(self) -> None:
        """Look whether the server is there and may be used."""
        raise NotImplementedError

    def now(self) -> float:
        """Return the server's time in Unix seconds."""
        raise NotImplementedError

    def read(self, names: list[str], *, use: bool = True) -> list[bytes | None]:
        """Return what is kept under each name, None for nothing; it counts as used, unless it is only looked at.

        What is there is returned also where its use cannot be noted.
        """
        raise NotImplementedError

    def known(self, names: list[str], *, now: bool = True) -> set[str]:
        """Return which of these originals are kept; they count as used.

        Without ``now`` one that was there within the hour may be taken to be there still.
        """
        raise NotImplementedError

    def write(self, items: dict[str, bytes]) -> None:
        """Keep items in the place of what stood there; return once each was read back equal."""
        raise NotImplementedError

    def create(self, items: dict[str, bytes]) -> dict[str, bytes]:
        """Keep items where nothing stands, each at once or not at all; return what else stands there already.

        That counts as used, where the backend notes a use without writing anew.
        """
        raise NotImplementedError

    def fields(self, shard: str, *, use: bool = True) -> dict[str, bytes]:
        """Return the records of a shard of renderings; ``use`` as in ``read``."""
        raise NotImplementedError

    def update(self, shard: str, decide: Callable[[dict[str, bytes]], dict[str, bytes]]) -> None:
        """Add the records that ``decide`` returns when it is shown all that are there; nobody's change is lost.

        It may be asked several times, and leaves everything as it is when it raises.
        """
        raise NotImplementedError

    def drop(self, shard: str, keys: Iterable[str]) -> None:
        """Remove records of a shard."""
        raise NotImplementedError

    def scan(self, folder: str) -> Iterator[Item]:
        """Yield what is kept in a folder, each once, in any order."""
        raise NotImplementedError

    def remove(self, names: Iterable[str]) -> None:
        """Remove what is there under these names."""
        raise NotImplementedError

    def remove_unused(self, name: str, before: float) -> bool:
        """Remove what was not used since ``before`` (the server's time), looking again; return whether it was."""
        raise NotImplementedError

    def about(self) -> str:
        """Return in a few words what a power cut of the server would leave."""
        raise NotImplementedError


def opened(url: Url) -> Backend:
    """Return the backend of a URL; nothing is connected yet. Raise ConfigError when its library is missing."""
    if url.scheme in {"redis", "rediss"}:
        from headroom_cli.store.backends.redis import Redis

        return Redis(url)
    from headroom_cli.store.backends.objects import Objects
    from headroom_cli.store.backends.objects_client import client

    return Objects(client(url), url.shown, conditions=url.options.get("conditions") != "no")
