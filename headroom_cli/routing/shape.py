"""What a text is by its shape: a small trained classifier, asked where the signatures are unsure.

A linear model over hashed features of a bounded sample (how lines begin and end, words, runs of four bytes, shares of
letters and digits, and what the command promises). Weights are whole numbers, so a score is the same on every machine
and in every runtime. ``training/routing.py`` makes the weights; models/routing_weights.md is their card.
"""

from __future__ import annotations

from binascii import crc32
from itertools import pairwise
from operator import itemgetter
from struct import unpack_from

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# The kinds that a text alone can be; mixed texts are found by what divides them.
SHAPES = ("json", "log", "test-log", "search", "diff", "code", "table", "html", "prose", "listing")
BUCKETS = 1 << 14
_HINTS = 256  # buckets at the front for what the command and the signatures say, apart from those of the text
_WIDTH = 120  # characters of a line
_LINES = 36  # lines of a sample
_SMALL = 16_000  # characters that are split into lines as a whole
_GRAMS = 1500  # bytes whose runs of four are looked at
_PRIME = 16_001  # runs of four spread over as many buckets

_CLASSES = bytearray(range(256))
for _first, _last, _sign in ((0x30, 0x39, 0x30), (0x41, 0x5A, 0x41), (0x61, 0x7A, 0x61), (0x80, 0xFF, 0x80)):
    _CLASSES[_first : _last + 1] = bytes([_sign]) * (_last + 1 - _first)
_CLASSES[9] = 0x20
# A run of these stands for one of them, however long.
_RUNS = tuple((bytes((sign, sign)), bytes((sign,))) for sign in b"aA0\x80 ._=*#~+|-")
_PLACES = [[b"i%d %d" % (indent, width) for width in range(10)] for indent in range(10)]
_WORD = pattern(rb"[A-Za-z_]{2,20}|[^\sA-Za-z0-9_\x80-\xff]{1,3}")


def sample(text: str) -> list[bytes]:
    """Return up to 36 lines that are not blank: the first, some of the middle, the last; each cut to 120 characters."""
    if len(text) > _SMALL:
        half = len(text) // 2
        text = f"{text[:8000]}\n{text[half : half + 4000]}\n{text[-4000:]}"
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    if len(lines) > _LINES:
        third = _LINES // 3
        step = (len(lines) - 2 * third) // third or 1
        lines = lines[:third] + lines[third:-third:step][:third] + lines[-third:]
    return [line[:_WIDTH].rstrip("\r").encode("utf-8", "replace") for line in lines]


def features(text: str, told: str = "", trust: float = 0.0, signs: Mapping[str, float] | None = None) -> list[int]:
    """Return the distinct buckets of a text, of what its command promises and its signatures say, in ascending order.

    ``signs`` are the scores of signatures.py; None leaves them out.
    """
    return sorted({*of_text(text), *of_hints(told, trust, signs)})


def of_hints(told: str, trust: float, signs: Mapping[str, float] | None) -> list[int]:
    """Return the buckets of what is known besides the text."""
    found = [1]
    if told in SHAPES:
        at = 2 + SHAPES.index(told) * 3
        found += (at, at + 1 + (trust >= _TRUSTED))
    if signs is not None:
        found += _said(signs)
    return found


def of_text(text: str) -> set[int]:
    """Return the buckets of a text alone."""
    lines = sample(text)
    found: set[int] = set()
    joined = b"\n".join(lines)
    plain = joined.translate(_CLASSES)
    shapes = _without_runs(plain).split(b"\n") if lines else []
    keys: list[bytes] = []
    for line, shape in zip(lines, shapes, strict=True):
        word = (line.split(None, 1) or (b"",))[0]
        indent = len(line) - len(line.lstrip())
        keys += (
            b"s" + shape[:10], b"t" + shape[:5], b"e" + shape[-5:], b"w" + word[:14], b"l" + line[-2:],
            _PLACES[min(indent, 9)][min(len(line) // 12, 9)], b"f" + shape[:2] + shape[-2:],
        )  # fmt: skip
    starts = [shape[:3] for shape in shapes]
    keys += [b"n" + first + b"\n" + second for first, second in pairwise(starts)]
    counts: dict[bytes, int] = {}
    get = counts.get
    for key in keys:
        counts[key] = get(key, 0) + 1
    total = len(lines) or 1
    span = BUCKETS - _HINTS
    for key, count in counts.items():
        place = crc32(key) % span
        found.add(_HINTS + place)
        if 6 * count >= total:
            found.add(_HINTS + (place * 5 + 1) % span)
            if 2 * count >= total:
                found.add(_HINTS + (place * 7 + 2) % span)
    found.update([_HINTS + crc32(word) % span for word in set(_WORD.findall(joined))])
    head = joined[:_GRAMS]
    grams: set[int] = set()
    for offset in range(4):
        count = (len(head) - offset) // 4
        if count > 0:
            grams.update(unpack_from(f"<{count}I", head, offset))
    found.update([_HINTS + gram % _PRIME for gram in grams])
    found.update([_HINTS + crc32(key) % span for key in _whole(lines, shapes, plain)])
    return found


def _without_runs(plain: bytes) -> bytes:
    """Return classes of characters with each run as one character; each pass halves what is left of a run."""
    for twice, once in _RUNS:
        while twice in plain:
            plain = plain.replace(twice, once)
    return plain


_TRUSTED = 0.75
_LEVELS = 10


def _said(signs: Mapping[str, float]) -> list[int]:
    """Return the buckets of what the signatures say: how sure they are of each kind, and which comes first."""
    found = []
    best = max(signs, key=signs.__getitem__, default="")
    for number, kind in enumerate(SHAPES):
        score = signs.get(kind, 0.0)
        at = 32 + number * (_LEVELS + 2)
        found.append(at + min(int(score * _LEVELS), _LEVELS))
        if kind == best:
            found.append(at + _LEVELS + 1)
    return found


def _whole(lines: list[bytes], shapes: list[bytes], plain: bytes) -> list[bytes]:
    """Return what is said of the sample as a whole; ``plain`` are its characters' classes."""
    if not lines:
        return [b"none"]
    size = len(plain)
    keys = [
        b"A" + shapes[0][:14], b"B" + lines[0][:8], b"C" + shapes[-1][:10], b"D" + lines[-1][-3:],
        b"E%d" % min(len(lines), 12), b"F%d" % (size // len(lines) // 10),
    ]  # fmt: skip
    for mark in b'aA0 .:,;/|<>(){}[]"=-_#+':
        share = 40 * plain.count(mark) // size
        keys.append(b"G%c%d" % (mark, share if share < 4 else 4 + share // 4))
    widths = sorted(map(len, lines))
    keys.append(b"H%d %d" % (min(widths[len(widths) // 4] // 10, 9), min(widths[3 * len(widths) // 4] // 10, 14)))
    total = len(lines)
    keys.append(b"I%d" % (8 * len(set(shapes)) // total))
    keys.append(b"J%d" % (8 * sum(line[:1] in b" \t" for line in lines) // total))
    words = [line.count(b" ") for line in lines]
    keys.append(b"K%d" % (8 * max(map(words.count, set(words))) // total))
    return keys


def scores(buckets: list[int]) -> list[int]:
    """Return a whole number for each of SHAPES: higher is likelier; 1 is 1/UNIT of a natural logarithm."""
    from headroom_cli.models.routing_weights import load

    rows, bias = load()
    # Weights are bytes with 128 for zero.
    pick = itemgetter(*buckets, 0, 0)
    less = 128 * (len(buckets) + 2)
    return [sum(pick(row)) - less + start for row, start in zip(rows, bias, strict=True)]
