"""Read tables drawn with bars: markdown, psql, mysql, and frames of line-drawing characters."""

from __future__ import annotations

from itertools import pairwise

from headroom_cli.compressors.tables.grid import Grid

_BARS = "|\u2502\u2503\u2551"
_CORNERS = (
    *map(chr, range(0x250C, 0x254C)),
    *map(chr, range(0x2552, 0x256D)),
    *"\u256d\u256e\u256f\u2570\u2574\u2576\u2578\u257a",
)
_RULES = frozenset(("-", "=", "+", ":", "|", " ", "\u2500", "\u2501", "\u2550", *_BARS, *_CORNERS))
_DRAWN = frozenset("-=\u2500\u2501\u2550\u2508\u2509\u254c\u254d")


def is_rule(line: str) -> bool:
    """Return whether a line is a rule or a border between rows."""
    text = line.strip()
    if len(text) < 3 or not frozenset(text[:6]) <= _RULES:
        return False
    ink = frozenset(text)
    return ink <= _RULES and not ink.isdisjoint(_DRAWN)


def is_table(lines: list[str]) -> bool:
    """Return whether most lines are rows with bars, and a rule is among the first."""
    if not any(
        is_rule(line) and any(c in line for c in "|+\u253c\u256a\u2502\u252f\u2501\u2550\u2500") for line in lines[:4]
    ):
        return False
    bar = _bar(lines)
    return bool(bar) and sum([bar in line or is_rule(line) for line in lines]) >= 0.9 * len(lines)


def extent(lines: list[str]) -> tuple[int, int]:
    """Return the first and the end of the lines that hold bars or rules; what stands around them is text."""
    bar = _bar(lines)
    drawn = [at for at, line in enumerate(lines) if bar and (bar in line or is_rule(line))]
    return (drawn[0], drawn[-1] + 1) if drawn else (0, 0)


def _bar(lines: list[str]) -> str:
    """Return the bar that parts the cells of most rows that are no rules."""
    rows = [line for line in lines[:60] if not is_rule(line)]
    counts = {bar: sum([bar in line for line in rows]) for bar in _BARS}
    best = max(_BARS, key=counts.__getitem__)
    return best if rows and counts[best] * 10 >= len(rows) * 6 else ""


def _crossings(lines: list[str]) -> tuple[list[int], bool]:
    """Return where the first rule is crossed by bars, and whether it has a frame; psql and mysql draw such rules."""
    rule = next((line for line in lines[:6] if is_rule(line)), "").rstrip()
    if "+" not in rule:
        return [], False
    cuts = [at for at, char in enumerate(rule) if char in "+|"]
    closed = rule.lstrip()[0] in "+|" and rule[-1] in "+|"
    return (cuts, closed) if closed or (rule[0] == "-" and cuts[-1] < len(rule) - 1) else ([], False)


def _cut(line: str, cuts: list[int], *, closed: bool) -> list[str] | None:
    """Return the cells between bars that stand where the rule is crossed, with blanks around; None for other lines.

    A bar elsewhere is part of a cell.
    """
    last = cuts[-1]
    if len(line) <= last:
        return None
    for at in cuts:
        if line[at] != "|" or (at != last and line[at + 1] != " ") or (at > cuts[0] and line[at - 1] not in " +"):
            return None
    if closed:
        if line[last + 1 :].strip() or line[: cuts[0]].strip():
            return None
        return [line[start + 1 : end] for start, end in pairwise(cuts)]
    if line[last + 1 : last + 2] not in ("", " "):
        return None
    return [line[: cuts[0]], *(line[start + 1 : end] for start, end in pairwise(cuts)), line[last + 1 :]]


def read(lines: list[str]) -> Grid | None:
    """Return the table that the lines draw, None when a row does not have the cells of the header."""
    bars = [bar for bar in _BARS if any(bar in line for line in lines[:8])]
    cuts, closed = _crossings(lines)
    rows: list[list[str]] = []
    rules: list[int] = []  # number of rows before each rule
    for line in lines:
        if is_rule(line):
            rules.append(len(rows))
            continue
        cells = _cut(line, cuts, closed=closed) if cuts else None
        if cells is not None:
            rows.append(cells)
            continue
        bar = next((bar for bar in bars if bar in line), "")
        if not bar:
            return None
        text = line.strip()
        # psql has no frame; an empty first or last cell leaves a bar at the end there.
        framed = text.startswith(bar) and (closed or not cuts)
        inside = text[1 : -1 if text.endswith(bar) and len(text) > 1 else None] if framed else line
        if "\\" + bar in inside:
            return None  # an escaped bar is part of a cell
        rows.append(inside.split(bar))
    between = [count for count in rules if 0 < count < len(rows)]
    if len(rows) < 3 or not between or between[0] > 2:
        return None
    heads = [[name.strip() for name in row] for row in rows[: between[0]]]
    names = heads[0] if len(heads) == 1 else [" ".join(filter(None, pair)) for pair in zip(*heads, strict=False)]
    body = rows[between[0] :]
    if any(len(row) != len(names) for row in rows) or len(set(names)) < len(names) or len(names) < 2:
        return None
    if not all(names[1:]) or any("=" in name or "]" in name for name in names):
        return None
    names = [names[0] or "(label)", *names[1:]]
    inner = between[1:]
    if inner and inner != list(range(between[0] + 1, len(rows))) and len(inner) > 1:
        return None  # rules between groups of lines say what belongs together
    odd = [(len(body) - 1, "= --")] if len(inner) == 1 and inner[0] == len(rows) - 1 and len(body) > 2 else []
    if inner and not odd and inner != list(range(between[0] + 1, len(rows))):
        return None
    return Grid(names, [list(map(str.strip, column)) for column in zip(*body, strict=True)], odd)
