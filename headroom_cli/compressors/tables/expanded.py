"""Read expanded results of psql and mysql: a record per block, a line per column."""

from __future__ import annotations

from headroom_cli.compressors.tables.grid import Grid
from headroom_cli.lazy import pattern

# psql draws a plus into the heading where the bar between key and value begins.
_HEADING = pattern(r"-\[ RECORD (\d{1,9}) \][-+]*|\*{5,40} (\d{1,9})\. row \*{5,40}")
_LEAST = 3  # records


def heading(line: str) -> int:
    """Return the number of the record that a line opens, 0 for another line."""
    if line[:2] not in ("-[", "**"):
        return 0
    found = _HEADING.fullmatch(line.rstrip())
    return int(found[1] or found[2]) if found is not None else 0


def read(lines: list[str]) -> tuple[Grid, int] | None:
    """Return the records as rows and the line after them; None unless they count from 1 and hold the same columns."""
    if not lines or heading(lines[0]) != 1:
        return None
    mark = " | " if lines[0][0] == "-" else ": "
    names: list[str] = []
    rows: list[list[str]] = []
    at = 0
    while at < len(lines) and (number := heading(lines[at])):
        if number != len(rows) + 1:
            return None
        at += 1
        keys: list[str] = []
        row: list[str] = []
        while at < len(lines) and lines[at].strip() and not heading(lines[at]):
            if mark == ": " and " rows in set" in lines[at]:
                break
            key, sign, value = f"{lines[at]} ".partition(mark)
            if not sign or not key.strip() or (mark == " | " and value.rstrip().endswith("+")):
                return None  # a value of several lines
            keys.append(key.strip())
            row.append(value.strip())
            at += 1
        names = names or keys
        if keys != names:
            return None
        rows.append(row)
    if len(rows) < _LEAST or len(names) < 2 or len(set(names)) < len(names):
        return None
    if any("=" in name or "]" in name for name in names):
        return None
    return Grid(names, list(map(list, zip(*rows, strict=True)))), at
