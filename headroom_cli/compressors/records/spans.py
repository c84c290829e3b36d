"""Find the JSON in a text and parse it without losing anything: number text, key order, duplicate keys, depth.

``json.loads`` rewrites floats, lets the last of two equal keys win, accepts NaN and recurses. Here floats stay text,
and whatever cannot be given back exactly is refused by raising ``UnfitError``, so that the text passes through.
"""

from __future__ import annotations

from json import JSONDecoder

from headroom_cli.lazy import pattern
from headroom_cli.nesting import depth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_DEPTH = 200  # the C scanner takes about 400 bytes of stack per level; a small thread has 256 KiB


class Number(str):
    """A number whose text an int would not give back: every fraction and exponent, and minus zero."""

    __slots__ = ()


class Missing:
    """The value of a key that an object does not have."""

    __slots__ = ()


MISSING = Missing()


class UnfitError(Exception):
    """This text is not JSON, or is JSON that cannot be re-encoded exactly."""


class Part:
    """A stretch of a text that holds JSON: ``values`` is one value, or several that only blanks separate."""

    __slots__ = ("depth", "end", "start", "values")

    def __init__(self, start: int, end: int, values: list[Any], depth: int) -> None:
        """Hold the span without surrounding blanks."""
        self.start = start
        self.end = end
        self.values = values
        self.depth = depth


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnfitError("an object has the same key twice")
    return found


def _constant(name: str) -> None:
    raise UnfitError(f"{name} is not JSON")


def _whole(text: str) -> int | Number:
    return Number(text) if text == "-0" else int(text)


_DECODER = JSONDecoder(parse_float=Number, parse_constant=_constant, object_pairs_hook=_pairs)
_DECODER_ZERO = JSONDecoder(
    parse_float=Number, parse_int=_whole, parse_constant=_constant, object_pairs_hook=_pairs
)  # ten times slower on integers: only where the text holds a "-0"

_MINUS_ZERO = pattern(r"-0(?![.0-9])")
_BLANK = pattern(r"[ \t\r\n]*")
# A high surrogate escape without its low one, or a low one alone (an escaped backslash before it is read as one too:
# that only means passing through).
_LONE = pattern(r"(?<!\\u[dD][89aAbB][0-9a-fA-F]{2})\\u[dD][c-fC-F]|\\u[dD][89aAbB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])")


def _encodable(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise UnfitError("a lone surrogate") from error


def _decoder(text: str) -> JSONDecoder:
    if "\\u" in text and _LONE.search(text):
        raise UnfitError("a lone surrogate")
    return _DECODER_ZERO if "-0" in text and _MINUS_ZERO.search(text) else _DECODER


def parse(text: str) -> Part:
    """Return the values of a text that is JSON from end to end. Raise UnfitError when it is anything else."""
    deep = depth(_encodable(text))
    if deep > MAX_DEPTH:
        raise UnfitError("nested too deep")
    read = _decoder(text).raw_decode
    at = start = _BLANK.match(text).end()  # type: ignore[union-attr]
    values: list[Any] = []
    end = start
    size = len(text)
    try:
        while at < size:
            value, end = read(text, at)
            values.append(value)
            at = _BLANK.match(text, end).end()  # type: ignore[union-attr]
            if at == end < size and text[end] not in "{[":
                raise UnfitError("values that run into each other")
    except ValueError as error:  # also an integer of more than 4,300 digits
        raise UnfitError("not JSON") from error
    if not values:
        raise UnfitError("blank")
    return Part(start, end, values, deep)


_OPENING = pattern(r'\{(?=[ \t\r\n]{0,200}["}])|\[(?=[ \t\r\n]{0,200}["{\[])')
_TOKEN = pattern(r'"(?:[^"\\\n]++|\\.)*+"?|[\[\]{}]')
_MIXED_DEPTH = 64
_TRIES = 2000  # starts that turn out not to be JSON, in one text
_LEAST = 120  # characters; shorter JSON inside a text is left alone


def _close(text: str, start: int) -> int:
    """Return where the bracket at ``start`` is closed, minus the place where that became impossible, 0 when never."""
    level = 0
    for token in _TOKEN.finditer(text, start):
        mark = token[0]
        if mark in "[{":
            level += 1
            if level > _MIXED_DEPTH:
                return -token.end()
        elif mark in "]}":
            level -= 1
            if level == 0:
                return token.end()
        elif len(mark) < 2 or mark[-1] != '"':
            return -token.end()
    return 0


def find(text: str) -> list[Part]:
    """Return the JSON parts of a text that holds other lines too, in order; values with only blanks between join.

    The work is bounded by a few times the length of the text, however many false starts it has.
    """
    parts: list[Part] = []
    budget = 4 * len(text) + 10_000
    tries = at = 0
    decoder = _decoder(text)
    _encodable(text)
    while budget > 0 and tries < _TRIES:
        opening = _OPENING.search(text, at)
        if not opening:
            break
        start = opening.start()
        end = _close(text, start)
        if not end:
            break  # cut off: parts of it are not what its reader takes them for
        budget -= abs(end) - start
        at = start + 1
        if end > 0:
            try:
                value, stop = decoder.raw_decode(text, start)
            except (ValueError, UnfitError):
                stop = -1
            if stop == end:
                at = end
                tries += end - start < _LEAST  # so many small ones are not what we are looking for
                last = parts[-1] if parts else None
                if last and _BLANK.match(text, last.end).end() == start:  # type: ignore[union-attr]
                    last.values.append(value)
                    last.end = end
                    last.depth = max(last.depth, _MIXED_DEPTH)
                else:
                    parts.append(Part(start, end, [value], _MIXED_DEPTH))
                continue
            at = end
        tries += 1
    return [part for part in parts if part.end - part.start >= _LEAST]
