"""Simple measured features of a picture, and the kind of picture that they make it. Pillow alone, no numpy.

Text shows in the rows of narrow strips: where strokes stand, brightness changes many times from left to right, and
between lines it does not. The rows of a line in which it changes at least half as often as in its fullest row are its
x-height, or its digits' height.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from PIL.Image import Image

KINDS = ("photo", "screenshot", "diagram", "plot", "icon")

_STRIP = 48  # pixels: six letters of small text
_EDGE = 40  # of 255: a stroke against its ground, in the channel where it shows most
_SMOOTH = 2  # steps as small as this are no edge and no noise
_ROW = 0.06  # of a row's pixels at least are edges where text stands
_FULL = 0.15  # of the pixels of a line's fullest row
_LOW, _HIGH = 3, 64  # rows of an x-height
_ALONE = 0.3  # weight of a piece that no piece of the same height beside it goes on with: a label, or a texture
_CHAIN = 3  # pieces that go on on both sides: text, whatever is around it
_FEWEST = 2  # pieces: fewer are no text
_LEAST = 5  # rows of an x-height: what is lower was not readable before
_FOOTNOTE = 6  # pieces that go on on both sides: one line of text, however little of a page it is


class Features:
    """What is measured of a picture, of the size that it was measured at.

    ``colours``  distinct colours of a reduced copy, five bits for each channel
    ``top``      share of the most frequent of them
    ``edges``    share of the pixels that differ strongly from their left neighbour
    ``flat``     share that does not differ at all
    ``noise``    share that differs a little: grain and gradients
    ``lines``    pieces of lines of text, ``strips`` pixels wide each
    ``heights``  their x-heights in pixels: the 10th and the 50th percentile of the text's strokes, 0.0 without text
    ``least``    the lowest x-height of which a whole line is there, 0 without one: a footnote below large text
    ``aligned``  how many of them go on in the strip beside them: texture rarely does
    ``chained``  how many go on on both sides
    ``cover``    share of the picture that such pieces cover
    """

    __slots__ = (
        "aligned", "chained", "colours", "cover", "edges", "flat", "height", "heights", "least", "lines", "noise",
        "top", "width",
    )  # fmt: skip

    def __init__(self) -> None:
        """Begin with nothing measured."""
        self.width = self.height = self.colours = self.lines = self.aligned = self.chained = self.least = 0
        self.top = self.edges = self.flat = self.noise = self.cover = 0.0
        self.heights = (0.0, 0.0)


def features(picture: Image) -> Features:
    """Measure a picture in mode RGB; the time grows with its pixels, 10 ns for each."""
    found = Features()
    found.width, found.height = picture.size
    _colours(picture, found)
    if min(picture.size) < _LOW * 2:
        return found
    steps = edge_map(picture)
    histogram = steps.histogram()
    total = sum(histogram)
    found.flat = histogram[0] / total
    found.noise = sum(histogram[_SMOOTH + 1 : 24]) / total
    found.edges = sum(histogram[_EDGE:]) / total
    _lines(steps, found)
    return found


def edge_map(picture: Image) -> Image:
    """Return how much each pixel differs from its left neighbour, in the channel where it differs most (mode L)."""
    from PIL import ImageChops

    wide, high = picture.size
    steps = ImageChops.difference(picture.crop((1, 0, wide, high)), picture.crop((0, 0, wide - 1, high)))
    red, green, blue = steps.split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def strong(steps: Image) -> Image:
    """Return the mask of the strong edges of an edge map (mode L, 0 or 255)."""
    return steps.point([0] * _EDGE + [255] * (256 - _EDGE))


def _colours(picture: Image, found: Features) -> None:
    from PIL.Image import Resampling

    small = picture.resize((min(picture.width, 192), min(picture.height, 192)), Resampling.NEAREST)
    counted = small.point([value & 0xF8 for value in range(256)] * 3).getcolors(192 * 192) or []
    found.colours = len(counted)
    found.top = max(count for count, _ in counted) / (small.width * small.height) if counted else 0.0


def _lines(steps: Image, found: Features) -> None:
    """Find pieces of lines in strips, their x-heights and how much they cover."""
    from PIL.Image import Resampling

    strips = max(1, steps.width // _STRIP)
    mask = strong(steps.crop((0, 0, strips * min(_STRIP, steps.width), steps.height)))
    rows = mask.resize((strips, steps.height), Resampling.BOX).tobytes()
    columns = [_cores(rows[strip::strips]) for strip in range(strips)]
    pieces: list[tuple[int, float]] = []
    places = [{(y, height) for y, height, _ in column} for column in columns]
    near = [(down, more) for down in (-1, 0, 1) for more in (-1, 0, 1)]
    whole = [0] * (_HIGH + 1)
    for strip, column in enumerate(columns):
        beside = [places[other] for other in (strip - 1, strip + 1) if 0 <= other < strips]
        for y, height, strokes in column:
            sides = sum(any((y + down, height + more) in other for down, more in near) for other in beside)
            found.aligned += sides > 0
            found.chained += sides > 1
            whole[height] += sides > 1
            pieces.append((height, strokes if sides else strokes * _ALONE))
    if len(pieces) < _FEWEST:
        return
    pieces.sort()
    total = sum(weight for _, weight in pieces)
    found.lines = len(pieces)
    found.least = next(
        (height for height in range(_LEAST, _HIGH + 1) if sum(whole[_LEAST : height + 1]) >= _FOOTNOTE), 0
    )
    found.cover = sum(height for height, _ in pieces) * 2 / (strips * steps.height)
    found.heights = (_percentile(pieces, total * 0.10), _percentile(pieces, total * 0.50))


def _cores(column: bytes) -> list[tuple[int, int, int]]:
    """Return (row, rows, strokes) of the cores of the lines in one strip: the rows with half of a line's strokes."""
    low, full = round(_ROW * 255), round(_FULL * 255)
    found: list[tuple[int, int, int]] = []
    y, length = 0, len(column)
    while y < length:
        if column[y] < low:
            y += 1
            continue
        end = y
        while end < length and column[end] >= low:
            end += 1
        most = max(column[y:end])
        start = -1
        for at in range(y, end + 1 if most >= full else y):
            thick = at < end and column[at] * 2 >= most
            if thick and start < 0:
                start = at
            elif not thick and start >= 0:
                if _LOW <= at - start <= _HIGH:
                    found.append((start, at - start, sum(column[start:at])))
                start = -1
        y = end
    return found


def _percentile(pieces: list[tuple[int, float]], wanted: float) -> float:
    passed = 0.0
    for height, weight in pieces:
        passed += weight
        if passed >= wanted:
            return float(height)
    return 0.0


def has_text(found: Features) -> bool:
    """Tell whether the pieces are text: lines go on from strip to strip, or stand as labels on flat ground.

    In photos one piece in ten goes on in a strip beside it by chance, and next to none on both sides.
    """
    if found.chained >= _CHAIN or (found.aligned and found.aligned >= 0.15 * found.lines):
        return True
    return found.lines > 0 and found.flat >= 0.7 and found.top >= 0.5


def kind_of(found: Features) -> str:
    """Return which of KINDS a picture is.

    Text on flat ground makes a screenshot, a diagram or a plot: those by what covers the ground. Without text, grain
    makes a photo, and what is left is drawn: an icon, a logo, an illustration.
    """
    if not has_text(found):
        return "photo" if found.flat < 0.5 and found.noise > 0.2 else "icon"
    if found.top > 0.5 and found.cover < 0.15:
        return "plot" if found.colours > 100 else "diagram"
    return "screenshot"
