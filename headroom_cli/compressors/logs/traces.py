"""Stack traces: where they stand, which are told twice, and recursion inside one."""

from __future__ import annotations

from headroom_cli.compressors.logs.lines import ERROR, FRAME, GLUE, PASSED

_CYCLE = 8  # frames; the longest recursion cycle that is recognised


def _indent(text: str) -> int:
    """Return the number of leading white-space characters."""
    return len(text) - len(text.lstrip())


def extend(texts: list[str], classes: bytearray | list[int]) -> list[tuple[int, int]]:
    """Make the source lines below a frame part of its trace (in ``classes``); return the traces as [start, end)."""
    runs: list[tuple[int, int]] = []
    total = len(texts)
    at = 0
    frames = [row for row, kind in enumerate(classes) if kind == FRAME]
    for row in frames:
        if row < at:
            continue
        at = row
        depth = 0
        while at < total:
            kind = classes[at]
            if kind == FRAME:
                depth = _indent(texts[at])
            elif kind != PASSED and texts[at] and _indent(texts[at]) > max(depth, 1):
                classes[at] = FRAME if kind in {GLUE, FRAME} or kind != ERROR else ERROR
            else:
                break
            at += 1
        runs.append((row, at))
    return runs


def cycles(texts: list[str], start: int, end: int) -> list[tuple[int, int]]:
    """Return (first dropped row, row behind the last) for each stretch of identical recursion frames.

    The first two rounds of a cycle stay; only three or more further rounds are worth a note.
    """
    found: list[tuple[int, int]] = []
    for length in range(1, _CYCLE + 1):
        if end - start < length * 5:
            break
        row = start
        same = 0
        while row + length < end:
            if texts[row] == texts[row + length]:
                same += 1
            else:
                if same >= 4 * length:
                    rounds = same // length - 1
                    first = row - same + 2 * length
                    found.append((first, first + rounds * length))
                same = 0
            row += 1
        if same >= 4 * length:
            rounds = same // length - 1
            first = row - same + 2 * length
            found.append((first, first + rounds * length))
        if found:
            break
    return found
