"""Read fixed-width tables: where a blank column runs through header and rows, two columns part.

A table is read by its header only when every word of the header stands over cells of its own: a value under a wrong
name is worse than a wide table. Rows that do not keep to the columns stay whole.
"""

from __future__ import annotations

import re
from itertools import pairwise

from headroom_cli.compressors.tables.grid import Grid
from headroom_cli.lazy import pattern

_SAMPLE = 300  # rows in which columns are looked for
_STRAY = 12  # one in so many rows may write into a gap between columns: it stays whole
_ODD = 0.1  # of the rows may stay whole
_WIDEST = 2000  # characters of a row in which columns are looked for
_WORD = pattern(r"\S+")
_RULE = frozenset("-=+|_~ \u2500\u2501\u2550\u2504\u253c\u253f\u2542\u254b\u256a\u256b\u256c")
_APART = 3  # blanks between columns, at least, where one blank belongs to a name
_JOINT = "\0"  # stands for that blank
_GAP = pattern(r" +")
_SINGLE = pattern(r"(?<! ) (?! )")
_DIGIT = pattern(r"[0-9]")
_NUMBER = pattern(r"[-+]?[.,:/]?\d[\d.,:/]*[%A-Za-z]{0,3}")
_RUNS = tuple(char * 3 for char in "\u2500\u2501\u2550-=~_")  # a row of dashes is no rule


def is_rule(line: str) -> bool:
    """Return whether a line only draws a rule."""
    text = line.strip()
    return text[:1] in _RULE and len(text) > 2 and frozenset(text) <= _RULE and any(run in text for run in _RUNS)


def read(lines: list[str]) -> tuple[int, int, Grid] | None:
    """Return the number of lines before the header, where the table ends, and the table; None when none is certain."""
    for at in range(min(5, len(lines) - 2)):
        body = at + 1
        ruled = is_rule(lines[body])
        if not _is_header(lines[at], lines[body + 1 : body + 60] if ruled else lines[body : body + 60], ruled=ruled):
            continue
        while body < len(lines) and is_rule(lines[body]):
            body += 1
        end = next_header(lines, at, body)
        if end - body < 2:
            return None
        grid = _table(lines[at], lines[body:end], lines[at + 1] if ruled else "")
        return None if grid is None else (at, end, grid)
    return None


def next_header(lines: list[str], header: int, start: int) -> int:
    """Return where the rows of a header end: at the same header, or at a title with another one below."""
    digit = _DIGIT.search
    same = lines[header]
    for at in range(start + 1, len(lines)):
        line = lines[at]
        if digit(line):
            continue
        if line == same:
            return at
        if "  " in line.strip() or line.count(" ") < 2 or at + 3 > len(lines) or digit(lines[at + 1]):
            continue
        words = frozenset(lines[at + 1].split())
        # Rows share words with each other, titles and headers with no row.
        if len(words) < 4 or not words.isdisjoint((*lines[at - 1].split(), *lines[at + 2].split(), *line.split())):
            continue
        if _is_header(lines[at + 1], lines[at + 2 : at + 20], ruled=False):
            return at
    return len(lines)


def header_of(lines: list[str]) -> int:
    """Return which of the first lines names the columns of those below, -1 for none."""
    for at in range(min(5, len(lines) - 2)):
        if _is_header(lines[at], lines[at + 1 : at + 60], ruled=is_rule(lines[at + 1])):
            return at
    return -1


def _is_header(header: str, rows: list[str], *, ruled: bool) -> bool:
    """Return whether a line holds names: capitals, a rule below, or words over numbers."""
    words = [match.group() for match in _WORD.finditer(header[:_WIDEST])]
    if len(words) < 2 or "\t" in header or not rows:
        return False
    if sum([_NUMBER.fullmatch(word) is not None for word in words]) or header.rstrip().endswith((".", ":", ",")):
        return False
    if ruled:
        return True
    letters = [word for word in words if any(char.isalpha() for char in word)]
    capitals = sum([word.upper() == word for word in letters])
    if len(letters) * 2 < len(words):
        return False
    if capitals * 10 >= len(letters) * 7 and len(letters) >= 2:
        return True
    # Words over columns of numbers, most of them apart by two blanks or more.
    if not ("  " in header.strip() or len(words) > 5) or any(len(word) > 24 for word in words):
        return False
    edges = {match.start(): at for at, match in enumerate(_WORD.finditer(header))}
    edges.update({match.end(): at for at, match in enumerate(_WORD.finditer(header))})
    over = [0] * len(words)
    for row in rows[:20]:
        for match in _WORD.finditer(row[:_WIDEST]):
            if _NUMBER.fullmatch(match.group()):
                at = edges.get(match.start(), edges.get(match.end(), -1))
                if at >= 0:
                    over[at] += 1
    columns = sum([count * 10 >= min(20, len(rows)) * 8 for count in over])
    return columns > 1 or (columns == 1 and all(word[0].isupper() for word in words))


def _table(header: str, rows: list[str], rule: str) -> Grid | None:
    """Return the table under a header, None when a cell could stand under two names; a rule draws its columns."""
    if header.startswith("# "):
        header = " " + header[1:]
    sample = [row for row in rows[:: max(1, len(rows) // _SAMPLE)][:_SAMPLE] if not is_rule(row)]
    if len(sample) < 2 or _JOINT in header or any("\t" in row for row in sample):
        return None
    header = _whole(header, sample)
    spans, inked = _spans(header, rule if "- -" in rule or "= =" in rule or "-  -" in rule else "", sample)
    # systemctl: a mark before some rows
    marked = header[:2] == "  " and all(row[1:2] == " " and not row[0].isalnum() for row in sample)
    edge = len(header) - len(header.lstrip(" "))
    labelled = edge > 0 and all(row[0] != " " for row in sample)
    columns = _named(header, spans, inked, marked=marked, labelled=labelled)
    if columns is None or len(columns) < 2:
        return None
    table, odd = _cells(header, rows, columns)
    if len(table[0]) < 2 or len(odd) > max(1, _ODD * len(table[0])) or not _is_certain(table):
        return None
    names, table = _whole_names(header, columns, table)
    names = [name.replace(_JOINT, " ") for name in names]
    if len(set(names)) < len(names):
        return None
    return Grid(names, table, odd)


def _whole(header: str, sample: list[str]) -> str:
    """Return a header with the blank inside names of several words marked, where all columns are wider apart.

    kubectl: three blanks between "NOMINATED NODE" and "READINESS GATES", and each row has a cell under each name.
    """
    gaps = [match.end() - match.start() for match in _GAP.finditer(header.strip(" "))]
    if 1 not in gaps or len(gaps) - gaps.count(1) < 2 or any(1 < gap < _APART for gap in gaps):
        return header
    starts = [match.end() for match in _GAP.finditer(header) if match.end() - match.start() > 1]
    if all(row[at : at + 1] not in ("", " ") and row[at - 2 : at] == "  " for row in sample for at in starts):
        return _SINGLE.sub(_JOINT, header)
    return header


def _spans(header: str, rule: str, sample: list[str]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the stretches where header or rows have ink, and those where rows alone have it; few rows may stray."""
    lines = [line[:_WIDEST] for line in (header, *sample)]
    width = max(map(len, lines))
    padded = [line.ljust(width) for line in lines]
    few = max(len(sample) >= 6, len(sample) // _STRAY)
    inks = [len(column) - column.count(" ") - (column[0] != " ") for column in zip(*padded, strict=True)]
    named = [char != " " or other != " " for char, other in zip(padded[0], rule.ljust(width), strict=False)]
    both = _narrowed([ink > few or name for ink, name in zip(inks, named, strict=True)], inks)
    return _stretches(both), _stretches(_narrowed([ink > few for ink in inks], inks))


def _narrowed(marks: list[bool], inks: list[int]) -> list[bool]:
    """Return the marks with each gap cut down to where it has least ink; what borders on it belongs to a cell.

    An island of ink within what is left stands between two columns: its row stays whole.
    """
    out = list(marks)
    for start, end in _stretches([not mark for mark in marks]):
        if not start:
            continue  # the first column begins at the left edge
        least = min(inks[start:end])
        clear = [at for at in range(start, end) if inks[at] == least]
        out[start : clear[0]] = [True] * (clear[0] - start)
        out[clear[-1] + 1 : end] = [True] * (end - clear[-1] - 1)
    return out


def _stretches(inks: list[bool]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    start = -1
    for at, ink in enumerate([*inks, False]):
        if ink and start < 0:
            start = at
        elif not ink and start >= 0:
            spans.append((start, at))
            start = -1
    return spans


def _named(
    header: str, spans: list[tuple[int, int]], inked: list[tuple[int, int]], *, marked: bool, labelled: bool
) -> list[tuple[int, int, str]] | None:
    """Return (start, end, name) of each column, None when a name or a stretch of cells cannot be placed."""
    words = [(match.start(), match.end(), match.group()) for match in _WORD.finditer(header)]
    last = words[-1][0]
    columns: list[tuple[int, int, str]] = []
    for at, (start, end) in enumerate(spans):
        inside = [word for word in words if start <= word[0] < end]
        if not inside:
            if not columns:
                if not marked and (spans[at + 1][0] - end < 2 or not labelled):
                    return None  # it may belong to the first name
                columns.append((start, end, "(label)"))  # free, systemctl: the first column has no name
                continue
            before = columns[-1]
            if start > last:
                columns[-1] = (before[0], end, before[2])  # the last column holds what it likes
                continue
            left = start - before[1]
            right = spans[at + 1][0] - end if at + 1 < len(spans) else 99
            if left == 1 < right:
                columns[-1] = (before[0], end, before[2])
                continue
            return None
        if all(word[0] - other[1] == 1 for other, word in pairwise(inside)):
            columns.append((start, end, " ".join([word[2] for word in inside])))
            continue
        parts = _apart(inside, [ink for ink in inked if start <= ink[0] < end], final=inside[-1][0] == last)
        if parts is None:
            return None
        columns += parts
    return columns


def _apart(
    words: list[tuple[int, int, str]], inked: list[tuple[int, int]], *, final: bool
) -> list[tuple[int, int, str]] | None:
    """Part names that overhang each other's cells: each stretch of cells must lie under one name alone."""
    owners: list[list[tuple[int, int, str]]] = [[] for _ in inked]
    for word in words:
        shares = [min(word[1], end) - max(word[0], start) for start, end in inked]
        best = max(shares, default=0)
        if best <= 0 or shares.count(best) > 1:
            return None
        owners[shares.index(best)].append(word)
    columns: list[tuple[int, int, str]] = []
    for at, ((start, end), inside) in enumerate(zip(inked, owners, strict=True)):
        if not inside:
            if final and columns and at == len(inked) - 1 and start > words[-1][0]:
                columns[-1] = (columns[-1][0], end, columns[-1][2])
                continue
            return None
        if any(word[0] - other[1] > 1 for other, word in pairwise(inside)):
            return None  # two names over cells that touch
        columns.append((start, end, " ".join([word[2] for word in inside])))
    return columns


def _cells(
    header: str, rows: list[str], columns: list[tuple[int, int, str]]
) -> tuple[list[list[str]], list[tuple[int, str]]]:
    """Return the cells of each column, and the rows that write into a gap between two."""
    # One match per row slices it and sees that the gaps are blank.
    parts = [f"(.{{{columns[0][1]}}})"]
    for before, column in pairwise(columns):
        parts.append(f" {{{column[0] - before[1]}}}(.{{{column[1] - column[0]}}})")
    parts[-1] = parts[-1].rpartition("(")[0] + "(.*)"
    match = re.compile("".join(parts)).match
    width = columns[-1][0]
    close = _close(header, columns)
    cells: list[tuple[str, ...]] = []
    odd: list[tuple[int, str]] = []
    for row in rows:
        found = match(row.ljust(width))
        if found is None or is_rule(row) or (close and _slips(found.groups(), columns, close)):
            odd.append((len(cells), "= " + row.rstrip(" ")))
        else:
            cells.append(found.groups())
    if not cells:
        return [[]], odd
    return [list(map(str.strip, column)) for column in zip(*cells, strict=True)], odd


def _close(header: str, columns: list[tuple[int, int, str]]) -> list[tuple[int, int]]:
    """Return the columns one blank behind the cells before them whose name begins elsewhere, with the name's end."""
    found: list[tuple[int, int]] = []
    for at in range(1, len(columns)):
        start, end, _ = columns[at]
        word = _WORD.search(header, start)
        if start - columns[at - 1][1] == 1 and word is not None and word.start() != start:
            found.append((at, start + len(header[start:end].rstrip())))
    return found


def _slips(cells: tuple[str, ...], columns: list[tuple[int, int, str]], close: list[tuple[int, int]]) -> bool:
    """Return whether a cell may be the last word of the one before it, which is too long for its column."""
    for at, end in close:
        if cells[at][:1] not in ("", " ") and cells[at - 1][-1:] not in ("", " "):
            text = cells[at].rstrip()
            if columns[at][0] + len(text) != end and not _NUMBER.fullmatch(text):
                return True
    return False


def _is_certain(table: list[list[str]]) -> bool:
    """Return whether no column is empty beside one whose cells are of several words: they may have slipped."""
    empty = [at for at, column in enumerate(table) if not any(column)]
    for at in empty:
        for beside in (at - 1, at + 1):
            if 0 <= beside < len(table) and any("  " in cell for cell in table[beside]):
                return False
    return True


def _whole_names(
    header: str, columns: list[tuple[int, int, str]], table: list[list[str]]
) -> tuple[list[str], list[list[str]]]:
    """Join names of two words ("Mounted on"): one blank apart, and one of them over nothing."""
    places = {match.group(): (match.start(), match.end()) for match in _WORD.finditer(header)}
    out: list[tuple[int, int, str]] = []
    cells: list[list[str]] = []
    for column, body in zip(columns, table, strict=True):
        if out:
            before = out[-1]
            ends = places.get(before[2].rpartition(" ")[2], (0, 0))[1]
            starts = places.get(column[2].partition(" ")[0], (0, 0))[0]
            # Two names in capitals one blank apart are two columns, one of them empty.
            if starts - ends == 1 and column[2][:1].islower() and not (any(body) and any(cells[-1])):
                out[-1] = (before[0], column[1], f"{before[2]} {column[2]}")
                cells[-1] = body if any(body) else cells[-1]
                continue
        out.append(column)
        cells.append(body)
    return [name for _, _, name in out], cells
