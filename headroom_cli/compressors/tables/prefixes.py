"""Say a common beginning of paths and dotted names once, above the rows that share it."""

from __future__ import annotations

_HEADING = 30  # characters that a heading costs besides the beginning
_AHEAD = 200  # rows looked at for how long a beginning lasts
_TRIAL = 500  # rows on which long columns are tried
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
    common = _common(cells, sign)
    if len(cells) > 3 * _TRIAL and not _varies_slowly(cells, sign, common):
        if not common:
            return None
        short, headings = [cell[len(common) :] for cell in cells], [(0, common)]
        saved = len(common) * (len(cells) - 1) - _HEADING
    else:
        short, headings, saved = _shared(cells, sign, common)
    total = sum(map(len, cells))
    return (short, headings) if saved > max(40, total // 12) else None


def _common(cells: list[str], sign: str) -> str:
    """Return the beginning that all cells have, up to a separator, each with more behind it."""
    low, high = min(cells), max(cells)
    size = 0
    while size < min(len(low), len(high)) and low[size] == high[size]:
        size += 1
    if sign == ".":
        for mark in ":= ":
            at = low.find(mark)
            size = min(size, at) if at >= 0 else size
    size = min(size, len(low) - 1)
    return low[: low.rfind(sign, 0, size) + 1]


def _varies_slowly(cells: list[str], sign: str, common: str) -> bool:
    """Tell from three places whether cells beside each other share more than all do."""
    saved = size = 0
    for start in (0, len(cells) // 2, len(cells) - _TRIAL):
        part = cells[start : start + _TRIAL]
        saved += _shared(part, sign, common)[2] - len(common) * len(part)
        size += sum(map(len, part))
    return saved * 10 > size


def _shared(cells: list[str], sign: str, current: str) -> tuple[list[str], list[tuple[int, str]], int]:
    """Return short cells, headings and the characters saved, beginning with one that all cells have."""
    short: list[str] = []
    headings = [(0, current)] if current else []
    saved = -(_HEADING + len(current)) if current else 0
    seen = ""
    for row, cell in enumerate(cells):
        holds = cell.startswith(current) and len(cell) > len(current)
        near = cell[: cell.rfind(sign) + 1]
        if not holds or near != seen:
            seen = near
            best, gain = (current, 0) if holds else ("", -(_HEADING if current else 0))
            for start in _parents(cell, sign):
                if start == current:
                    break
                lasting = _lasts(cells, row, start)
                more = len(start) - (len(current) if holds and start.startswith(current) else 0)
                # Whoever goes deeper has to come back, at the cost of one more heading.
                worth = lasting * more - len(start) - _HEADING * (2 if holds and current else 1)
                if worth > gain:
                    best, gain = start, worth
            if best != current:
                if headings and headings[-1][0] == row:
                    headings.pop()
                headings.append((row, best))
                saved -= _HEADING + len(best)
                current = best
        short.append(cell[len(current) :])
        saved += len(current)
    return short, headings, saved
