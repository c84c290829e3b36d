"""Read comma, tab, semicolon and pipe separated values."""

from __future__ import annotations

from headroom_cli.compressors.tables.grid import Grid
from headroom_cli.lazy import pattern

_ODD = 0.05  # of the lines may have another number of cells
_NUMBER = pattern(r"[-+]?[\d.,:/ %$\u20ac-]*\d[\d.,:/ %$\u20acA-Za-z-]{0,6}")
# Behind each sign: a cell in quotes that close, with what follows them; one whose quote does not; one without. What may
# not follow keeps `re` from going back to an earlier pair of a cell that does not close.
_CELLS = {
    sign: pattern(rf'(?s){mark}((?:"[^"]*")+(?!")[^{mark}]*|".*|[^{mark}]*)')
    for sign, mark in (("\t", "\\t"), (",", ","), (";", ";"), ("|", "\\|"))
}
_OPEN_FOR = 200  # lines that one quoted cell may run over


def cells_of(line: str, sign: str) -> list[str]:
    """Return the raw cells of a line, quotes and all; a quote that does not close runs to the end."""
    if '"' not in line:
        return line.split(sign)
    return _CELLS[sign].findall(f"{sign}{line}")


def delimiter(lines: list[str]) -> str:
    """Return the sign between the cells of nearly all lines, "" when there is none."""
    return _sign_of(lines[:50]) or ('"' in "".join(lines[:50]) and _sign_of(_closed(lines[:60]))) or ""


def _closed(lines: list[str]) -> list[str]:
    """Return lines joined where a quote is open at the end; what stays open at last is left out."""
    out: list[str] = []
    held = ""
    for line in lines:
        held = f"{held}\n{line}" if held else line
        if held.count('"') % 2 == 0:
            out.append(held)
            held = ""
    return out


def _sign_of(sample: list[str]) -> str:
    """Return the sign between the cells of nearly all lines of a sample, "" when there is none."""
    if len(sample) < 3:
        return ""
    for sign in "\t,;|":
        if sign == "," and any(line.startswith(("#!", "import ", "def ")) for line in sample[:3]):
            continue
        widths = [len(cells_of(line, sign)) for line in sample]
        width = max(set(widths), key=widths.count)
        least = 2 if sign == "\t" else 3
        if width >= least and widths.count(width) >= len(widths) * 0.95 and widths[0] == width:
            if sign in ",;|" and _is_prose(sample, sign):
                continue
            return sign
    return ""


def _is_prose(lines: list[str], sign: str) -> bool:
    """Return whether commas are followed by blanks as in sentences, or the lines are code."""
    signs = sum(line.count(sign) for line in lines)
    spaced = sum(line.count(sign + " ") for line in lines)
    closed = sum(line.rstrip().endswith((",", ";", "{", "}", ":", ").", "):", ");")) for line in lines)
    return spaced * 2 > signs or closed * 3 > len(lines)


def read(lines: list[str], sign: str) -> Grid | None:
    """Return the lines as a table; with names when the first line holds some."""
    rows: list[list[str]] = []
    odd: list[tuple[int, str]] = []
    quoted = '"' in "".join(lines)
    width = len(cells_of(lines[0], sign))
    if not quoted:
        split = [line.split(sign) for line in lines]
        if set(map(len, split)) == {width}:
            if sign == "\t" and any("  " in line for line in lines[:3]):  # helm pads its cells, too
                split = [[cell.strip(" ") for cell in cells] for cells in split]
            return _headed(split, [], sign)
    elif _are_simple(split := [line.split(sign) for line in lines], width):
        return _headed(split, [], sign)
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        cells = cells_of(line, sign)
        taken = 0
        while quoted and cells[-1].startswith('"') and _is_open(cells[-1]) and at < len(lines) and taken < _OPEN_FOR:
            line = f"{line}\n{lines[at]}"
            at += 1
            taken += 1
            cells = cells_of(line, sign)
        if len(cells) == width:
            rows.append(cells)
        elif "\n" in line:
            return None
        else:
            odd.append((max(0, len(rows) - 1), "= " + line))
    if len(odd) > _ODD * len(rows):
        return None
    return _headed(rows, odd, sign)


def _are_simple(rows: list[list[str]], width: int) -> bool:
    """Return whether lines split at each sign have one width, and no quoted cell holds a sign or a quote.

    Column by column, so that most of it is done by counting in one long text.
    """
    if set(map(len, rows)) != {width}:
        return False
    for column in zip(*rows, strict=True):
        joined = "\n".join(column)
        if joined[:1] != '"' and '\n"' not in joined:
            continue  # a quote inside a bare cell means nothing
        if joined.count('"') == 2 * len(rows) and joined.count('"\n"') == len(rows) - 1 and joined[-1] == '"':
            continue  # all are in quotes
        if not all(cell[:1] != '"' or (cell[-1] == '"' and cell.count('"') == 2) for cell in column):
            return False
    return True


def _is_open(cell: str) -> bool:
    return cell.count('"') % 2 == 1


def _headed(rows: list[list[str]], odd: list[tuple[int, str]], sign: str) -> Grid | None:
    """Return the table with its first row as names when they are: distinct, no numbers."""
    if len(rows) < 3:
        return None
    first = rows[0]
    named = len(set(first)) == len(first) and all(
        cell and len(cell) < 60 and not _NUMBER.fullmatch(cell.strip('"')) for cell in first
    )
    named = named and not any("=" in cell or "]" in cell for cell in first)
    columns = list(map(list, zip(*(rows[1:] if named else rows), strict=True)))
    if not named:
        odd = [(before + 1 if before or not odd else before, line) for before, line in odd]
    return Grid(first if named else None, columns, odd, joint=sign)
