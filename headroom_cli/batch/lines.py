"""JSON Lines read in tables of bounded size, from a range of a plain file or from the whole of a compressed one."""

from __future__ import annotations

from headroom_cli.batch.job import LARGEST_ROW, TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_PIECE = 1 << 20


def tables(
    stream: Any, start: int, end: int, *, most: int = TABLE, longest: int = LARGEST_ROW, piece: int = _PIECE
) -> Iterator[list[bytes] | bytes]:
    """Yield the lines that begin in ``start`` to ``end``, in lists of about ``most`` bytes, each with its line feed.

    ``stream`` is at ``start``, or one byte before it where that is not 0; ``end`` is -1 for all there is.
    ``piece`` bytes are read at a time. A line of more than about ``longest`` bytes comes as bytes instead, piece by
    piece, the last of which ends with a line feed or is the file's end.
    """
    at = start
    held = b""
    if start:
        # A line that begins before belongs to the part before: also where it ends right here.
        at, held, ended = _skip(stream, start - 1, piece)
        if ended:
            return
    lines: list[bytes] = []
    size = 0
    while end < 0 or at < end:
        feed = held.find(b"\n")
        if feed < 0:
            held, ended = _more(stream, held, longest, piece)
            if not ended and len(held) > longest and b"\n" not in held:
                if lines:
                    yield lines
                    lines, size = [], 0
                for some, rest in _long(stream, held, piece):
                    at += len(some)
                    held = rest
                    yield some
                continue
            if not held:
                break
            feed = held.find(b"\n")
            feed = len(held) - 1 if feed < 0 else feed
        # One pass over what is there: cutting off one line after the other would copy the rest each time.
        begin = 0
        while feed >= 0 and (end < 0 or at < end):
            lines.append(held[begin : feed + 1])
            at += feed + 1 - begin
            size += feed + 1 - begin
            begin = feed + 1
            if size >= most:
                yield lines
                lines, size = [], 0
            feed = held.find(b"\n", begin)
        held = held[begin:]
    if lines:
        yield lines


def _skip(stream: Any, at: int, piece: int) -> tuple[int, bytes, bool]:
    """Go behind the next line feed: return where that is, what was read behind it, and whether the file ended."""
    while some := stream.read(piece):
        feed = some.find(b"\n")
        if feed >= 0:
            return at + feed + 1, some[feed + 1 :], False
        at += len(some)
    return at, b"", True


def _more(stream: Any, held: bytes, longest: int, piece: int) -> tuple[bytes, bool]:
    """Read until there is a whole line, too much for one, or no more; return it and whether the file has ended."""
    pieces, size = [held], len(held)
    while size <= longest:
        some = stream.read(piece)
        if not some:
            return b"".join(pieces), True
        pieces.append(some)
        size += len(some)
        if b"\n" in some:
            return b"".join(pieces), False
    return b"".join(pieces), False


def _long(stream: Any, held: bytes, piece: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield a line that is too long in pieces, each with what was read behind it: nothing, but for the last."""
    yield held, b""
    while some := stream.read(piece):
        feed = some.find(b"\n")
        if feed >= 0:
            yield some[: feed + 1], some[feed + 1 :]
            return
        yield some, b""
