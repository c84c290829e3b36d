"""Append-only journals: one record a line, each with its own checksum.

A line is ``CRC SPACE PAYLOAD LF``: the CRC-32 of the payload in eight hex digits. A batch is one ``write`` on an
``O_APPEND`` descriptor and begins with LF: a line torn by a crash damages itself, never the record appended after it.
"""

from __future__ import annotations

import binascii
import os

from headroom_cli.errors import StoreFullError
from headroom_cli.store import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def line(payload: bytes) -> bytes:
    """Return the line of a payload, which holds no line feed."""
    return b"%08x %b\n" % (binascii.crc32(payload), payload)


def payload_of(text: bytes) -> bytes | None:
    """Return the payload of a line (without its line feed), or None when the line is damaged."""
    payload = text[9:]
    return payload if text[:9] == b"%08x " % binascii.crc32(payload) else None


def payloads(data: bytes) -> Iterator[bytes]:
    """Yield the payload of every undamaged line."""
    for text in data.split(b"\n"):
        if text:
            payload = payload_of(text)
            if payload is not None:
                yield payload


def damaged(data: bytes) -> int:
    """Return how many lines of a journal are damaged."""
    return sum(1 for text in data.split(b"\n") if text and payload_of(text) is None)


def block(records: Iterable[bytes]) -> bytes:
    """Return what one append writes for these payloads."""
    return b"\n" + b"".join(map(line, records))


def open_for_append(name: str, parent: int, what: str) -> tuple[int, bool]:
    """Return a journal's descriptor, and whether it was created (its directory then needs a barrier)."""
    try:
        return files.open_private(name, parent, files.APPEND, what), False
    except FileNotFoundError:
        # Another process may make it meanwhile; then too its name may not be on the disk yet.
        return files.open_private(name, parent, files.APPEND | os.O_CREAT, what), True


def append(fd: int, data: bytes) -> None:
    """Append one block in a single write; a part of it counts as no space left."""
    if os.write(fd, data) != len(data):
        raise StoreFullError("no space left for the store's journals; free some, or name another with --store")
