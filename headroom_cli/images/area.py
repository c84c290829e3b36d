"""A rectangle cut out of a picture at its full size."""

from __future__ import annotations

from headroom_cli.images import head

TYPE_CHECKING = False
if TYPE_CHECKING:
    Box = tuple[int, int, int, int]  # left, top, width, height in pixels of the upright picture

_QUALITY = 90  # of a part of what was lossy already; of all else the very pixels are given


def crop(data: bytes, part: Box) -> tuple[bytes, str] | None:
    """Return a part of a picture and its media type; None when it lies outside, or the picture cannot be read.

    What reaches over an edge is cut there.
    """
    told = head.read(data)
    left, top, wide, high = part
    if told is None or head.too_large(told) or min(wide, high) < 1 or min(left, top) < 0:
        return None
    if left >= told.upright[0] or top >= told.upright[1]:
        return None
    try:
        from headroom_cli.images import pixels
    except ImportError:  # no Pillow
        return None
    picture = pixels.decode(data, told, told.upright)
    if picture is None:
        return None
    cut = picture.crop((left, top, min(left + wide, picture.width), min(top + high, picture.height)))
    return pixels.cut_out(cut, lossy=head.is_lossy(told, data), quality=_QUALITY)
