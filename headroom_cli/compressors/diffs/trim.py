"""Cut surplus context out of a hunk and write the headers that are true of what stays."""

from __future__ import annotations

from headroom_cli.compressors.diffs.parse import BLANK, columns
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.diffs.parse import Hunk

# Lines of context that stay on each side of a change. With recomputed headers git takes 1 as surely as 3 (0 it does
# not: without --unidiff-zero such hunks are refused or land in the wrong place).
CONTEXT = 1
# Characters that a cut must drop before its header pays: the old numbers in a header cost about 10 tokens, a header of
# its own 14, and a token of code has 3 to 4 characters.
_EDGE = 34
_SPLIT = 50

_CHANGES = pattern(r"[+-][+\-\\]*")


def pieces(hunk: Hunk, lines: list[str], *, old_numbers: bool, context: int = CONTEXT) -> list[tuple[str, int, int]]:
    """Return (header, first line, line after) for what stays of a hunk; lines are numbers in the text.

    The first header carries the hunk's own old header behind the new numbers when ``old_numbers``, so that the ranges
    which other output speaks of are still found: ``@@ -18,3 +18,3 @@ -16,7 +16,7 @@ def f``.
    """
    kinds, base = hunk.kinds, hunk.start
    size = len(kinds)
    header = lines[hunk.head]
    if " " not in kinds and BLANK not in kinds:
        return [(header, base, hunk.end)]
    ranges: list[tuple[int, int]] = []
    for match in _CHANGES.finditer(kinds):
        start, end = max(0, match.start() - context), match.end() + context
        if ranges and (start <= ranges[-1][1] or _cost(lines, base + ranges[-1][1], base + start) < _SPLIT):
            start = ranges.pop()[0]
        if end >= size:
            end = size
        elif kinds[end] == "\\":
            end += 1
        ranges.append((start, end))
    first, last = ranges[0][0], ranges[-1][1]
    least = _EDGE if old_numbers else 1
    saved = _cost(lines, base, base + first) + _cost(lines, base + last, hunk.end)
    if len(ranges) == 1 and saved < least:
        return [(header, base, hunk.end)]
    found: list[tuple[str, int, int]] = []
    olds, new = hunk.olds, hunk.new
    at = 0
    marks = "@" * (len(olds) + 1)
    for start, end in ranges:
        # What goes is context: every side has it.
        skipped = start - at
        counts, count = columns(hunk, lines, start, end)
        if len(olds) == 1:
            old = olds[0] + skipped
            text = f"@@ -{_range(old, counts[0])} +{_range(new + skipped, count)} @@"
            olds = (old + counts[0],)
        else:
            olds = tuple([number + skipped for number in olds])
            numbers = "".join([f" -{_range(number, many)}" for number, many in zip(olds, counts, strict=True)])
            text = f"{marks}{numbers} +{_range(new + skipped, count)} {marks}"
            olds = tuple([number + many for number, many in zip(olds, counts, strict=True)])
        if not found:
            text += header[len(marks) :] if old_numbers else header[hunk.tail :]
        found.append((text, base + start, base + end))
        new += skipped + count
        at = end
    return found


def _range(start: int, count: int) -> str:
    return str(start) if count == 1 else f"{start},{count}"


def _cost(lines: list[str], start: int, end: int) -> int:
    """Return about how many characters lines cost: indentation is cheap, a line's end is not."""
    return sum(map(len, map(str.lstrip, lines[start:end]))) + 3 * (end - start)
