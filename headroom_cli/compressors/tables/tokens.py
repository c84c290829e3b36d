"""Read lists without a header: rows whose first words keep to columns, what follows as it stands."""

from __future__ import annotations

from headroom_cli.compressors.tables.grid import Grid
from headroom_cli.lazy import pattern

# "wc: src: Is a directory" between the rows of wc: the tool speaks, in its own name.
_MESSAGE = pattern(r"[a-z][\w.-]{1,20}: \S.{0,400}: [A-Z][a-z]+(?: [\w/-]+){0,8}$")
_SAMPLE = 200
_MOST = 24  # leading words that are looked at
_ODD = 0.15  # of the rows may be without those words


def read(lines: list[str]) -> Grid | None:
    """Return the lines as a table without names, None when their blanks could mean something else."""
    told = [line for line in lines if _MESSAGE.match(line) is not None]
    if told:
        everything, lines = lines, [line for line in lines if _MESSAGE.match(line) is None]
        grid = read(lines) if lines and len(told) <= _ODD * len(lines) + 1 else None
        return None if grid is None else _with(grid, everything)
    flush = [line for line in lines if line[:1] not in (" ", "\t")]
    apart = len(flush) < len(lines) and len(flush) * 10 >= len(lines) * 6
    among = flush if apart else lines  # what is indented goes on from the line above
    if not apart and len(flush) < len(lines) and not _right_aligned(lines):
        return None
    sample = among[:: max(1, len(among) // _SAMPLE)][:_SAMPLE]
    split = [line.split(None, _MOST) for line in sample]
    width = _common(split)
    if width < 2:
        return None
    fits = [(line, words) for line, words in zip(sample, split, strict=True) if len(words) >= width]
    words = _aligned(fits, width)
    if words < 1:
        return None
    rows: list[list[str]] = []
    odd: list[tuple[int, str]] = []
    for line in lines:
        cells = line.split(None, words)
        if len(cells) <= words or (apart and line[0] in " \t"):
            odd.append((len(rows), "= " + line.rstrip(" \t")))
            continue
        cells[words] = cells[words].rstrip(" \t")
        rows.append(cells)
    if len(rows) < 3 or len(odd) > _ODD * len(lines) + 1 + (len(lines) - len(flush) if apart else 0):
        return None
    return Grid(None, [list(column) for column in zip(*rows, strict=True)], odd, last=True)


def _with(grid: Grid, lines: list[str]) -> Grid:
    """Put the messages of a tool back between the rows that stood around them."""
    stays = iter(grid.odd)
    before, line = next(stays, (-1, ""))
    odd: list[tuple[int, str]] = []
    row = 0
    for one in lines:
        if _MESSAGE.match(one) is not None:
            odd.append((row, "= " + one.rstrip(" \t")))
        elif before == row and line == "= " + one.rstrip(" \t"):
            odd.append((row, line))
            before, line = next(stays, (-1, ""))
        else:
            row += 1
    grid.odd = odd
    return grid


def _common(split: list[list[str]]) -> int:
    """Return the number of words that nearly all rows have."""
    lengths = sorted(map(len, split))
    return lengths[len(lengths) // 20] if lengths else 0


def _right_aligned(lines: list[str]) -> bool:
    """Return whether all lines are indented alike, or their first words end in the same column: padding."""
    indents = {len(line) - len(line.lstrip(" \t")) for line in lines}
    if len(indents) == 1:
        return True
    ends = {len(line) - len(line.lstrip(" \t")) + len(line.split(None, 1)[0]) for line in lines}
    return len(ends) == 1 and "\t" not in "".join([line[:20] for line in lines])


def _aligned(rows: list[tuple[str, list[str]]], width: int) -> int:
    """Return how many leading words stand in columns, or one blank apart from each other."""
    starts: list[list[int]] = []
    for line, words in rows:
        at = 0
        found = []
        for word in words[:width]:
            at = line.index(word, at)
            found.append(at)
            at += len(word)
        starts.append(found)
    few = len(rows) // 20
    for column in range(1, width):
        begin = [found[column] for found in starts]
        end = [found[column] + len(words[column]) for found, (_, words) in zip(starts, rows, strict=True)]
        apart = [
            found[column] - found[column - 1] - len(words[column - 1])
            for found, (_, words) in zip(starts, rows, strict=True)
        ]
        single = sum([gap == 1 for gap in apart])
        if len(rows) - single <= few or _agree(begin, few) or (column < _MOST and _agree(end, few)):
            continue
        return column
    return width - 1


def _agree(values: list[int], few: int) -> bool:
    first = max(set(values), key=values.count) if len(set(values)) < 20 else -1
    return first >= 0 and len(values) - values.count(first) <= few
