"""Say a common beginning of paths and dotted names once, above the rows that share it."""

from __future__ import annotations

_HEADING = 30  # characters that a heading costs besides the beginning
_AHEAD = 200  # rows looked at for how long a beginning lasts
_LEVELS = 6  # parents of a name that are tried


def _parents(cell: str, sign: str) -> list[str]:
    """Return the beginnings of a name that end in a separator, the longest first."""
    found: list[str] = []
    end = len(cell.rstrip(sign + ":= "))
    # A dotted name ends where its value begins; a dot in a value parts nothing.
    if sign == ".":
        for mark in (":", "=", " "):
            at = cell.find(mark)
            if 0 < at < end:
                end = at
    while len(found) < _LEVELS:
        end = cell.rfind(sign, 0, end)
        if end <= 0:
            break
        found.append(cell[: end + 1])
    return found


def _lasts(cells: list[str], at: int, start: str) -> int:
    """Return how many cells from ``at`` on have a beginning and more behind it."""
    stop = min(len(cells), at + _AHEAD)
    row = at
    while row < stop and cells[row].startswith(start) and len(cells[row]) > len(start):
        row += 1
    return row - at


def share(cells: list[str], sign: str) -> tuple[list[str], list[tuple[int, str]]] | None:
    """Return the cells without their beginnings, and (row, beginning) where a new one starts; None without gain."""
    short: list[str] = []
    headings: list[tuple[int, str]] = []
    current = ""
    saved = 0
    again = 0  # the row from which on a deeper beginning is looked for
    seen = ""
    for row, cell in enumerate(cells):
        holds = cell.startswith(current) and len(cell) > len(current)
        if not holds or row >= again:
            parents = _parents(cell, sign)
            deepest = parents[0] if parents else ""
            if not holds or deepest != seen:
                seen = deepest
                best, gain = (current, 0) if holds else ("", -(_HEADING if current else 0))
                for start in parents:
                    if start == current:
                        break
                    lasting = _lasts(cells, row, start)
                    more = len(start) - (len(current) if holds and start.startswith(current) else 0)
                    # Whoever goes deeper has to come back, at the cost of one more heading.
                    worth = lasting * more - len(start) - _HEADING * (2 if holds and current else 1)
                    if worth > gain:
                        best, gain = start, worth
                if best != current:
                    headings.append((row, best))
                    saved -= _HEADING + len(best)
                    current = best
                again = row + 1
        short.append(cell[len(current) :])
        saved += len(current)
    total = sum(map(len, cells))
    return (short, headings) if saved > max(40, total // 12) else None
