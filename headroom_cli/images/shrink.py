"""The cheapest picture that still shows what the original shows.

Cost falls with the pixels, so the question is how few will do. Where there is text it must stay readable: its x-height
is measured (see ``measure``) and kept above a floor, and then its contrast is tested, not trusted: the small picture is
enlarged again, and its edges must stand where the edges of the text stood. Photos and drawings go to a modest size.
"""

from __future__ import annotations

from headroom_cli.images import cost, head, measure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from PIL.Image import Image

LEAST_GAIN = 0.97  # of the tokens at most, and fewer bytes
_SMALL = 100  # tokens: not worth a decoder
_SHORTEST = 200  # pixels: below it models see worse (Anthropic, "Vision")
# What each level keeps: the x-height of small text in pixels, that of the smallest line, however few there are, the
# share of the contrast at the edges, and the long edge of photos and of drawings without text. Measured with an OCR
# engine: docs/decisions/0018-images.md.
_LEVELS = {
    "safe": (7.5, 4.6, 0.68, 512, 384),
    "balanced": (7.5, 4.6, 0.68, 512, 384),  # at 7 pixels an OCR engine reads .961 of the words, at 7.5 .979
    "max": (6.0, 3.6, 0.60, 448, 320),
}
_STEP = 1.02  # the scale grows at least by this until the contrast is kept
_NEARLY = 0.985  # a scale this near to 1 gains nothing
_QUALITY = 85  # of JPEG; text in it at 90


class Shrunk:
    """A picture instead of another: its bytes and size, what both cost, what it is taken for and why this size."""

    __slots__ = ("data", "height", "kind", "media_type", "tokens_after", "tokens_before", "why", "width")

    def __init__(
        self,
        data: bytes,
        media_type: str,
        *,
        width: int,
        height: int,
        tokens_before: int,
        tokens_after: int,
        kind: str,
        why: str,
    ) -> None:
        """Keep what the names say; width and height in pixels, kind one of ``measure.KINDS``."""
        self.data = data
        self.media_type = media_type
        self.width = width
        self.height = height
        self.tokens_before = tokens_before
        self.tokens_after = tokens_after
        self.kind = kind
        self.why = why


def shrink(data: bytes, family: str, level: str) -> Shrunk | None:
    """Return a cheaper picture, None when there is none or the picture cannot be read, moves, or is too large.

    A pure function of its arguments and the version of Pillow. What comes back costs at most 97 % of the tokens, has
    fewer bytes, stands upright, is in sRGB, and carries no metadata. Raise ValueError for an unknown family or level.
    """
    if level not in _LEVELS:
        raise ValueError(f"unknown level: {level}")
    told = head.read(data)
    if told is None or told.frames > 1 or head.too_large(told):
        return None
    before = cost.tokens(*told.upright, family)
    if before <= _SMALL:
        return None
    try:
        from headroom_cli.images import pixels
    except ImportError:  # no Pillow
        return None
    wanted = cost.sent(*told.upright, family)
    picture = pixels.decode(data, told, wanted)
    if picture is None:
        return None
    return _smaller(picture, data, told, family, level)


def _smaller(picture: Image, data: bytes, told: head.Head, family: str, level: str) -> Shrunk | None:
    from headroom_cli.images import pixels

    size, before = cost.sent(*told.upright, family), cost.tokens(*told.upright, family)
    shown = pixels.opaque(pixels.resized(picture, size))
    found = measure.features(shown)
    kind = measure.kind_of(found)
    scale, why = _scale(found, kind, level)
    tested = measure.has_text(found)
    after: tuple[int, int] = size
    while scale < _NEARLY:
        after = _best_at(size, scale, family)
        wanted = _LEVELS[level][2]
        kept = pixels.contrast(shown, after) if tested else 1.0
        if kept >= wanted:
            break
        # Nearly a straight line from here to the whole size, which keeps all: two or three steps.
        scale = max(scale * _STEP, scale + (1.0 - scale) * (wanted - kept) / (1.0 - kept))
    if scale >= _NEARLY:
        return None
    cheaper = cost.tokens(*after, family)
    if cheaper > LEAST_GAIN * before:
        return None
    lossy = head.is_lossy(told, data) or kind == "photo"
    encoded = pixels.encode(pixels.resized(picture, after), len(data), lossy=lossy, quality=90 if tested else _QUALITY)
    if encoded is None:
        return None
    small, media_type = encoded
    wide, high = after
    return Shrunk(
        small, media_type, width=wide, height=high, tokens_before=before, tokens_after=cheaper, kind=kind, why=why
    )


def _scale(found: measure.Features, kind: str, level: str) -> tuple[float, str]:
    """Return how much of the size that the model is shown is enough, and why."""
    height, least, _, photo, drawing = _LEVELS[level]
    if measure.has_text(found):
        small = found.heights[0]
        if found.least and small and least / found.least > height / small:
            return min(1.0, least / found.least), f"a line of {found.least} pixels"
        return min(1.0, height / small if small else 1.0), f"text of {small:.0f} pixels"
    edge = photo if kind == "photo" else drawing
    long, short = max(found.width, found.height), min(found.width, found.height)
    return min(1.0, max(edge / long, _SHORTEST / short)), f"{kind} to {edge} pixels"


def _best_at(size: tuple[int, int], scale: float, family: str) -> tuple[int, int]:
    """Return the cheapest size from a scale upwards, of equally cheap ones the largest: tiles and patches are steps."""
    best = (0, (0, 0))
    for step in range(41):
        factor = scale + (1.0 - scale) * step / 40
        wide, high = max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
        price = cost.tokens(wide, high, family)
        if not step or price <= best[0]:
            best = (price, (wide, high))
    return best[1]
