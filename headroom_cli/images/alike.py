"""Whether two pictures show the same, and where they differ: screenshots that an agent takes again and again.

A picture is cut into 32 x 32 cells and each cell's decoded pixels are hashed, so a fingerprint of 6 KB says later,
without the picture, which cells changed. Means of cells and perceptual hashes do not do: a changed digit moves the
mean of its cell by about one of 255. Equal cells mean equal pixels, whatever the file's encoding; what a camera sees
twice is never alike.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import pairwise

from headroom_cli.images import head

CELLS = 32  # on each side
_BYTES = 6  # of each cell's hash
_BEGIN = b"c1"  # the form of the fingerprint: others are not compared
_HEAD = len(_BEGIN) + 8
MOST_CHANGED = 0.5  # of the picture's area may be in the box of what differs


class Difference:
    """Where two pictures of one size differ.

    ``cells`` how many of ``of`` cells differ; ``box`` the smallest box of cells around them as (x, y, width, height) in
    pixels of the upright picture, (0, 0, 0, 0) when none does; ``width`` and ``height`` the size of both.
    """

    __slots__ = ("box", "cells", "height", "of", "width")

    def __init__(self, cells: int, of: int, box: tuple[int, int, int, int], width: int, height: int) -> None:
        """Keep what the names say."""
        self.cells = cells
        self.of = of
        self.box = box
        self.width = width
        self.height = height


def fingerprint(data: bytes) -> bytes | None:
    """Return what ``alike`` compares, None for a picture that cannot be read, moves, is too large or without Pillow."""
    told = head.read(data)
    if told is None or told.frames > 1 or head.too_large(told):
        return None
    try:
        from headroom_cli.images import pixels
    except ImportError:
        return None
    picture = pixels.decode(data, told, told.upright)
    if picture is None or picture.size != told.upright:
        return None
    wide, high = picture.size
    across, down = _lines(wide), _lines(high)
    cells = [
        blake2b(picture.crop((left, top, right, bottom)).tobytes(), digest_size=_BYTES).digest()
        for top, bottom in pairwise(down)
        for left, right in pairwise(across)
    ]
    return _BEGIN + wide.to_bytes(4, "big") + high.to_bytes(4, "big") + b"".join(cells)


def alike(one: bytes, other: bytes) -> Difference | None:
    """Return where the pictures behind two fingerprints differ, None when they are not the same picture but for a part.

    Not the same are pictures of other sizes, and those of which the box around all that differs covers more than half.
    """
    if len(one) <= _HEAD or one[:_HEAD] != other[:_HEAD] or one[: len(_BEGIN)] != _BEGIN or len(one) != len(other):
        return None
    wide, high = int.from_bytes(one[2:6], "big"), int.from_bytes(one[6:10], "big")
    across, down = _lines(wide), _lines(high)
    columns = len(across) - 1
    count = columns * (len(down) - 1)
    if len(one) != _HEAD + count * _BYTES:
        return None
    changed = [
        divmod(i, columns)
        for i in range(count)
        if one[_HEAD + i * _BYTES : _HEAD + (i + 1) * _BYTES] != other[_HEAD + i * _BYTES : _HEAD + (i + 1) * _BYTES]
    ]
    if not changed:
        return Difference(0, count, (0, 0, 0, 0), wide, high)
    top, bottom = down[changed[0][0]], down[changed[-1][0] + 1]
    left, right = across[min(column for _, column in changed)], across[max(column for _, column in changed) + 1]
    if (right - left) * (bottom - top) > MOST_CHANGED * wide * high:
        return None
    return Difference(len(changed), count, (left, top, right - left, bottom - top), wide, high)


def _lines(size: int) -> list[int]:
    """Return the borders of the cells along a side."""
    cells = max(1, min(CELLS, size))
    return [i * size // cells for i in range(cells + 1)]
