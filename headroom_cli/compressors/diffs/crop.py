"""Shorten lines that nobody reads to their end, without hiding where an old and a new line differ."""

from __future__ import annotations

# Characters shown of a line's beginning, and of what stands around the first difference.
HEAD = 160
_BEFORE, _AFTER = 40, 160


def crop(lines: list[str], longest: int) -> int:
    """Shorten the body of a hunk in place; return how many lines were shortened."""
    long = [at for at, line in enumerate(lines) if len(line) > longest]
    differs = _differences(lines) if long else {}
    for at in long:
        lines[at] = _cropped(lines[at], differs.get(at, 0))
    return len(long)


def _differences(lines: list[str]) -> dict[int, int]:
    """Return line -> first character that differs from its counterpart, for as many removed as added lines in a row."""
    found: dict[int, int] = {}
    at, total = 0, len(lines)
    while at < total:
        start = at
        while at < total and lines[at][:1] == "-":
            at += 1
        middle = at
        while at < total and lines[at][:1] == "+":
            at += 1
        if middle - start == at - middle:
            for old, new in zip(range(start, middle), range(middle, at), strict=True):
                found[old] = found[new] = 1 + _common(lines[old][1:], lines[new][1:])
        if at == start:
            at += 1
    return found


def _common(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _cropped(line: str, differs: int) -> str:
    if differs <= HEAD - _BEFORE:
        return f"{line[:HEAD]}[... {len(line) - HEAD} more characters]"
    begin, start, end = HEAD // 2, differs - _BEFORE, differs + _AFTER
    shown = f"{line[:begin]}[... {start - begin} more characters]{line[start:end]}"
    return f"{shown}[... {len(line) - end} more characters]" if end < len(line) else shown
