"""Parts of an original: line ranges, rows of its data, lines that match, passages that bear on a question.

All work on source bytes and give source bytes; numbers are 1-based and inclusive, an end may be left open.
"""

from __future__ import annotations

import re
import time

from headroom_cli.errors import UsageError
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

GREP_SECONDS = 2.0  # a pattern of the model's own making must not hold the run
QUERY_LINES = 60  # lines that --query gives at most
_AROUND = 2  # lines before and after each hit of --query
# How the four types of pictures begin.
_PICTURES = (b"\x89PN", b"\xff\xd8\xff", b"GIF", b"RIF")
_AREA = pattern(r"\s*(\d{1,6})\s*,\s*(\d{1,6})\s*,\s*(\d{1,6})\s*,\s*(\d{1,6})\s*\Z")
_RANGE = pattern(r"\s*(\d{0,12})\s*(?:(:)\s*(\d{0,12}))?\s*\Z")


def cut(data: bytes, *, lines: str = "", rows: str = "", grep: str = "", query: str = "", area: str = "") -> bytes:
    """Return the parts of ``data`` that were asked for; all of it when nothing was.

    Several asks narrow one after the other: rows, lines, grep, query. Of a picture there is the ``area``
    left,top,width,height in its upright pixels. Raise UsageError for a range, area or pattern that cannot be read.
    """
    if area or data[:3] in _PICTURES:
        from headroom_cli.images import head

        picture = head.of_original(data) is not None
        if picture and (lines or rows or grep or query):
            raise UsageError("this original is a picture: ask for all of it, or for an area")
        if area:
            return _area(data, area) if picture else _no_picture()
    if rows:
        data = b"".join(_taken(_rows(data), rows, "--rows"))
    if lines:
        data = b"".join(_taken(data.splitlines(keepends=True), lines, "--lines"))
    if grep:
        data = _grep(data, grep)
    if query:
        data = _passages(data, query)
    return data


def _no_picture() -> bytes:
    raise UsageError("this original is no picture: ask for lines, rows, grep or query")


def _area(data: bytes, area: str) -> bytes:
    found = _AREA.match(area)
    if found is None:
        raise UsageError(f"--area {area[:40]!r} is not left,top,width,height in pixels")
    left, top, wide, high = map(int, found.groups())
    from headroom_cli.images import area as areas

    made = areas.crop(data, (left, top, wide, high))
    if made is None:
        raise UsageError(f"--area {area[:40]!r} lies outside of the picture, or pictures cannot be read here")
    return made[0]


def _taken(parts: Sequence[bytes], asked: str, flag: str) -> Sequence[bytes]:
    found = _RANGE.match(asked)
    if found is None or not (found[1] or found[3] or found[2]):
        raise UsageError(f"{flag} {asked[:40]!r} is not a range; write A:B, A:, :B or A, counted from 1")
    first = int(found[1] or 1)
    last = int(found[3]) if found[3] else (len(parts) if found[2] else first)
    if first < 1:
        raise UsageError(f"{flag} {asked[:40]!r}: the first one is 1")
    return parts[first - 1 : last]


def _rows(data: bytes) -> list[bytes]:
    """Return the elements of the outermost array, each with a newline, or the lines of anything else."""
    elements = _elements(data)
    if elements is not None:
        return [element + b"\n" for element in elements]
    return data.splitlines(keepends=True)


def _elements(data: bytes) -> list[bytes] | None:
    """Split a JSON array, or the one array inside an object ({"items": [...]}), into its elements' source bytes."""
    from headroom_cli.formats._tree import scan_once, skip_space, too_deep

    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    at = skip_space(text, 0)
    if text[at : at + 1] not in ("{", "[") or too_deep(data):
        return None
    try:
        if text[at] == "{":
            at = _longest_array(text, at)
            if at < 0:
                return None
        found = []
        at = skip_space(text, at + 1)
        while text[at : at + 1] != "]":
            _, end = scan_once(text, at)
            found.append(text[at:end].encode("utf-8"))
            at = skip_space(text, end)
            if text[at : at + 1] == ",":
                at = skip_space(text, at + 1)
            elif text[at : at + 1] != "]":
                return None
    except (StopIteration, ValueError, RecursionError):
        return None
    return found


def _longest_array(text: str, at: int) -> int:
    """Return where the longest array among the members of the object at ``at`` begins, -1 when there is none."""
    from json.decoder import scanstring  # type: ignore[attr-defined]

    from headroom_cli.formats._tree import scan_once, skip_space

    best, length = -1, 0
    at = skip_space(text, at + 1)
    while text[at : at + 1] == '"':
        _, at = scanstring(text, at + 1, True)  # noqa: FBT003 - positional in the C function
        at = skip_space(text, skip_space(text, at) + 1)
        _, end = scan_once(text, at)
        if text[at] == "[" and end - at > length:
            best, length = at, end - at
        at = skip_space(text, end)
        if text[at : at + 1] == ",":
            at = skip_space(text, at + 1)
    return best


def _grep(data: bytes, pattern: str) -> bytes:
    """Return the lines that match; a pattern that runs too long is refused, on the main thread also inside a line."""
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = re.compile(pattern.encode("utf-8", "surrogateescape"))
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise UsageError(f"--grep {pattern[:60]!r}: {error}; write a Python regular expression") from None
    slow = UsageError(f"--grep {pattern[:60]!r} ran longer than {GREP_SECONDS:.0f} s; write a simpler pattern")
    deadline = time.monotonic() + GREP_SECONDS
    kept = []
    with _Alarm(slow):
        for line in data.splitlines(keepends=True):
            if found.search(line.rstrip(b"\r\n")):
                kept.append(line)
            if time.monotonic() > deadline:
                raise slow
    return b"".join(kept)


class _Alarm:
    """Raise an error on the main thread after GREP_SECONDS; do nothing elsewhere, where signals cannot be had."""

    __slots__ = ("_error", "_old")

    def __init__(self, error: Exception) -> None:
        self._error = error
        self._old: object = None

    def __enter__(self) -> None:
        import signal

        def ring(_number: int, _frame: object) -> None:
            raise self._error

        try:
            self._old = signal.signal(signal.SIGALRM, ring)
        except ValueError:
            return
        signal.setitimer(signal.ITIMER_REAL, GREP_SECONDS)

    def __exit__(self, *_: object) -> None:
        import signal

        if self._old is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._old)  # type: ignore[arg-type]


def _passages(data: bytes, query: str) -> bytes:
    """Return the lines that bear most on the question, with their neighbours, in source order."""
    from headroom_cli.rank import bm25

    lines = data.splitlines(keepends=True)
    scores = bm25(query, [line.decode("utf-8", "replace") for line in lines])
    hits = sorted((i for i, score in enumerate(scores) if score > 0), key=lambda i: (-scores[i], i))
    kept: set[int] = set()
    for i in hits:
        around = {k for k in range(i - _AROUND, i + _AROUND + 1) if 0 <= k < len(lines)}
        if len(kept | around) > QUERY_LINES:
            break
        kept |= around
    return b"".join(lines[i] for i in sorted(kept))
