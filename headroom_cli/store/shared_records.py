"""Records of renderings in a store that several machines share: which of them are written, and how they are read.

A conversation's records are one shard, read and changed as a whole. Those of other shards (raw blobs, the grants of a
scope) are kept one by one: many conversations write into them, and nobody reads them all.
"""

from __future__ import annotations

from headroom_cli.errors import StoreError
from headroom_cli.hashing import sha256
from headroom_cli.store import AGAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from typing import Any


class ConflictError(StoreError):
    """Another machine recorded another rendering of the same block in the same place first."""


class Asking(dict[str, "tuple[str, bool]"]):
    """Records that are kept one by one: each is read when it is asked for."""

    def __init__(self, shard: str, read: Callable[..., dict[str, tuple[str, bool]]]) -> None:
        """``read`` returns the records of a shard under one key."""
        super().__init__()
        self._shard = shard
        self._ask = read

    def get(self, key: str, default: Any = None) -> Any:
        """Return a record and whether it is stale. Raise StoreError."""
        if key not in self:
            self.update({name: held for name, held in self._ask(self._shard, key).items() if name == key})
        return super().get(key, default)


class Values(dict[str, str]):
    """The same without the dates."""

    def __init__(self, records: Asking) -> None:
        """Take what gives them with their dates."""
        super().__init__()
        self._records = records

    def get(self, key: str, default: Any = None) -> Any:
        """Return a record. Raise StoreError."""
        held = self._records.get(key)
        return default if held is None else held[0]


def alone(shard: str, key: str) -> str:
    """Return the name of the shard of one record: keys may hold anything printable, so they go in by their digest."""
    return f"{shard}-{sha256(key.encode('ascii'))[:40]}"


def fresh_of(held: dict[str, bytes], mine: dict[str, bytes], settled: Container[str], now: float) -> dict[str, bytes]:
    """Return which of my records are to be written, given those that are there. Raise ConflictError."""
    fresh = {}
    for key, record in mine.items():
        noted, _, value = held.get(key, b"").partition(b" ")
        same = value == record.partition(b" ")[2]
        if key in held and key in settled and not same:
            raise ConflictError("another machine rendered the same block at the same time; what it recorded is sent")
        if not same or not noted.isdigit() or abs(now - float(noted)) > AGAIN:  # or a clock was far ahead
            fresh[key] = record
    return fresh
