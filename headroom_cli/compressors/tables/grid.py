"""Write a table: what all or most rows share is said once above them, the rest stays row by row.

Headings are lines of ours that start with "[rows ". A row that no heading fits stands whole behind "= ". With names:

    [rows below: NAMESPACE=default; STATUS=Running]
    NAME READY RESTARTS
    web-1 1/1 0
    web-2 0/1 7 [STATUS=Pending]

Without names the heading shows the row, and "_" is what each row below holds:

    [rows below: -rw-r--r-- 1 root root _ Nov 21 _]
    4096 notes.txt

Where several kinds of rows alternate, each kind has a letter and each row begins with the letter of its own.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from headroom_cli.compressors.tables.prefixes import share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

OPENING = "[rows "
_LETTERS = "abcdefgh"  # more kinds of rows are hard to keep in mind
_LARGE = 6000  # rows above which columns are chosen from a part of them
_SAMPLE = 200  # cells from which the cost of a column is told
_DISTINCT = 60  # values up to which a column may be said above the rows
_USUAL = 0.6  # of the rows hold a value that is said for all, unless values come in runs or are few
_HEADING = 6  # tokens of a heading besides its values
_TAG = 2  # tokens of a letter in front of a row
_EXCEPTION = 4  # tokens of a value in brackets behind its row, besides the value
_EMPTY = ("-", "_", "(none)", "(empty)")  # signs for an empty cell: the first that no cell is


class Grid:
    """A table as columns of cells, and the lines between its rows that are none.

    ``names``    the header's cells, or None
    ``columns``  for each column the cells of all rows
    ``odd``      lines that are no rows ("= " and the line), each with the number of the row it stands before
    ``joint``    what stands between cells; "" for blanks, where an empty cell needs a sign
    ``last``     the last column is a rest of line: it may hold anything
    """

    __slots__ = ("columns", "joint", "last", "names", "odd", "rows")

    def __init__(
        self,
        names: list[str] | None,
        columns: list[list[str]],
        odd: list[tuple[int, str]] | None = None,
        *,
        joint: str = "",
        last: bool = False,
    ) -> None:
        """All columns are equally long."""
        self.names = names
        self.columns = columns
        self.rows = len(columns[0])
        self.odd = odd or []
        self.joint = joint
        self.last = last


class _Shared:
    """Which columns go above the rows: their numbers, the classes of rows, and the tokens saved."""

    __slots__ = ("classes", "columns", "ids", "saved", "tagged")

    def __init__(self) -> None:
        self.columns: list[int] = []
        self.classes: list[int] = []  # ids of the classes that get a heading, the commonest first
        self.ids: list[int] = []  # the class of each row
        self.saved = 0.0
        self.tagged = False


def costs(columns: list[list[str]], count: Callable[[str], int]) -> list[float]:
    """Return about how many tokens a cell of each column takes."""
    found = []
    for column in columns:
        sample = column[:: max(1, len(column) // _SAMPLE)][: _SAMPLE + 1]
        found.append(max(0.0, count(" ".join(sample)) / len(sample)))
    return found


def _may_be_said(values: Counter[str], *, named: bool) -> bool:
    if named:
        return not any("; " in value or value.endswith("]") or " [" in value or "\n" in value for value in values)
    return not any(value == "_" or value.endswith("_") for value in values)


def _share(grid: Grid, count: Callable[[str], int]) -> _Shared:
    """Choose the columns to say above the rows: of those with few values, each that makes the whole cheaper."""
    if grid.rows > _LARGE:
        return _share_large(grid, count)
    best = _Shared()
    rows = grid.rows
    best.ids = [0] * rows
    cost = costs(grid.columns, count)
    named = grid.names is not None
    candidates: list[tuple[int, float, int]] = []
    usual: dict[int, float] = {}
    for at, column in enumerate(grid.columns):
        # A look at the head spares the long count of columns that never repeat.
        if rows > 400 and len(set(column[:200])) > _DISTINCT:
            continue
        values = Counter(column)
        often = sum([n for n in values.values() if n > 2])
        if len(values) > _DISTINCT or often * 2 < rows or not _may_be_said(values, named=named):
            continue
        most = values.most_common(1)[0][1] / rows
        if (
            most < _USUAL
            and len(values) > len(_LETTERS)
            and sum([one != other for one, other in pairwise(column)]) * 4 > rows
        ):
            continue
        usual[at] = most
        candidates.append((len(values), -cost[at], at))
    for _, _, at in sorted(candidates):
        if len(best.columns) + 1 >= len(grid.columns):
            break
        known: dict[tuple[int, str], int] = {}
        ids = [known.setdefault(pair, len(known)) for pair in zip(best.ids, grid.columns[at], strict=True)]
        tried = _priced(grid, ids, [*best.columns, at], cost, usual)
        if tried.saved > best.saved + 1:
            best = tried
    return best


def _share_large(grid: Grid, count: Callable[[str], int]) -> _Shared:
    """Choose the columns of a long table from three stretches of its rows; see them through on all of them."""
    third = _LARGE // 3
    middle = grid.rows // 2
    parts = [column[:third] + column[middle : middle + third] + column[-third:] for column in grid.columns]
    picked = _share(Grid(grid.names, parts, joint=grid.joint, last=grid.last), count).columns
    values = {at: Counter(grid.columns[at]) for at in picked}
    columns = [at for at in picked if _may_be_said(values[at], named=grid.names is not None)]
    best = _Shared()
    best.ids = [0] * grid.rows
    if not columns:
        return best
    usual = {at: values[at].most_common(1)[0][1] / grid.rows for at in columns}
    known: dict[tuple[str, ...], int] = {}
    rows = zip(*[grid.columns[at] for at in columns], strict=True)
    tried = _priced(
        grid, [known.setdefault(row, len(known)) for row in rows], columns, costs(grid.columns, count), usual
    )
    return tried if tried.saved > 1 else best


def _priced(grid: Grid, ids: list[int], columns: list[int], cost: list[float], usual: dict[int, float]) -> _Shared:
    """Return the best way to say these columns above the rows; ``usual`` is the share of a column's commonest value."""
    named = grid.names is not None
    told = sum([cost[at] for at in columns])
    heading = told + _HEADING + (2 * len(columns) if named else 0.3 * (len(cost) - len(columns)))
    # What a row costs that is of no class: with names what differs, in brackets behind it; without, all of the row.
    counts = Counter(ids).most_common()
    rare = max(1, len(ids) - counts[0][1])
    if named:
        differ = [min(1.0, (1 - usual[at]) * len(ids) / rare) * (cost[at] + _EXCEPTION) for at in columns]
        exception = sum(differ) + 2
    else:
        exception = told + _TAG
    mains = [(one, n) for one, n in counts if n >= 3 and n * (told - 1) > heading]
    best = _Shared()
    best.ids = ids
    best.columns = columns
    if not mains:
        return best
    most, n = mains[0]
    best.classes = [most]
    best.saved = n * told + (len(ids) - n) * (told - exception) - heading
    if len(mains) == 1:
        return best
    for tagged in (False, True):
        inside = mains[: len(_LETTERS)] if tagged else mains
        covered = sum(n for _, n in inside)
        price = len(inside) * heading + covered * _TAG if tagged else _runs(ids, inside) * heading
        saved = covered * told + (len(ids) - covered) * (told - exception) - price
        if saved > best.saved:
            best.saved = saved
            best.classes = [one for one, _ in inside]
            best.tagged = tagged
    return best


def _runs(ids: list[int], mains: list[tuple[int, int]]) -> int:
    """Return how often the class changes from one row to the next, rows of no class aside."""
    inside = {one for one, _ in mains}
    kept = [one for one in ids if one in inside]
    return 1 + sum([one != other for one, other in pairwise(kept)])


def write(grid: Grid, count: Callable[[str], int]) -> list[str] | None:
    """Return the lines of a table, None when they could be misread."""
    shared = _share(grid, count) if grid.rows > 2 else _Shared()
    if shared.saved < 4:
        shared = _Shared()
    kept = [at for at in range(len(grid.columns)) if at not in shared.columns]
    beginnings = _beginnings(grid, kept)
    joined = _joined(grid, kept)
    if joined is None:
        return None
    texts, header, sign = joined
    whole = "\n" + "\n".join(texts) + "\n"
    if "\n= " in whole or "\n=\n" in whole or f"\n{OPENING}" in whole or "\n[... " in whole:
        return None  # it would read as a line of ours
    if grid.names is not None and any(f" [{grid.names[at]}=" in whole for at in shared.columns):
        return None
    out: list[str] = []
    if sign:
        out.append(f"{OPENING}below: {sign} is an empty cell]")
    if shared.columns:
        shared.columns.sort()
        return [*out, *_with_headings(grid, shared, texts, header, _merged(beginnings, grid.odd))]
    if header:
        out.append(header)
    if not grid.odd and not beginnings:
        return [*out, *texts]
    return [*out, *_between(texts, _merged(beginnings, grid.odd))]


def _between(texts: list[str], odd: list[tuple[int, str]]) -> list[str]:
    """Return the rows with the odd lines in their places."""
    out: list[str] = []
    at = 0
    for before, line in odd:
        out += texts[at:before]
        at = before
        out.append(line)
    out += texts[at:]
    return out


def _merged(one: list[tuple[int, str]], other: list[tuple[int, str]]) -> list[tuple[int, str]]:
    return sorted([*one, *other], key=_place) if one and other else one or other


def _place(pair: tuple[int, str]) -> int:
    return pair[0]


def _beginnings(grid: Grid, kept: list[int]) -> list[tuple[int, str]]:
    """Take the common beginnings of paths or dotted names off a column; return the headings that say them."""
    best: tuple[int, list[str], list[tuple[int, str]]] | None = None
    # Without names a reader can only be told of the first or the last column.
    for at in kept if grid.names is not None else {kept[0]: 0, kept[-1]: 0}:
        column = grid.columns[at]
        sample = column[:: max(1, len(column) // _SAMPLE)]
        for sign in "/.":
            if sum([sign in cell.rstrip(sign) for cell in sample]) * 2 < len(sample) or (sign == "." and at != kept[0]):
                continue
            found = share(column, sign)
            if found is not None and (best is None or sum(map(len, found[0])) < sum(map(len, best[1]))):
                best = (at, *found)
    if best is None:
        return []
    at, cells, headings = best
    name = grid.names[at] if grid.names is not None else "first" if at == kept[0] else "last"
    if any(start.endswith("_") for _, start in headings):
        return []
    grid.columns[at] = cells
    return [(row, f"{OPENING}below, {name}: {start}_]") for row, start in headings]


def _joined(grid: Grid, kept: list[int]) -> tuple[list[str], str, str] | None:
    """Return each row as text, the header, and the sign for an empty cell ("" when there is none)."""
    columns = [grid.columns[at] for at in kept]
    if grid.joint:
        if len(columns) == 1 < len(grid.columns) and "" in columns[0]:
            return None  # an empty line would end what the heading says
        texts = list(map(grid.joint.join, zip(*columns, strict=True))) if len(columns) > 1 else list(columns[0])
        return texts, grid.joint.join([grid.names[at] for at in kept]) if grid.names else "", ""
    sign = ""
    for at, column in enumerate(columns):
        if "" in column:
            if at == len(columns) - 1 and at:
                continue  # the end of the line shows it
            sign = sign or _sign(columns)
            if not sign:
                return None
            columns[at] = [cell or sign for cell in column]
    names = [grid.names[at] for at in kept] if grid.names is not None else []
    spaced = [_is_spaced(column) for column in columns]
    if grid.last and len(columns) - 1 in range(len(spaced)) and kept[-1] == len(grid.columns) - 1:
        spaced[-1] = False
    if None in spaced:
        return None
    apart = [bool(one) or " " in name for one, name in zip(spaced, names or [""] * len(columns), strict=True)]
    if not any(apart[:-1]):
        apart[-1] = False  # what follows the last single word is the last cell
    # The header parts its names as the rows part their cells: two blanks around columns of several words.
    for at in range(len(columns) - 1):
        if apart[at] or apart[at + 1]:
            columns[at] = [f"{cell} " for cell in columns[at]]
            if names:
                names[at] += " "
    texts = [" ".join(cells) for cells in zip(*columns, strict=True)] if len(columns) > 1 else list(columns[0])
    if "" in columns[-1]:
        texts = [text.rstrip(" ") for text in texts]
    return texts, " ".join(names), sign


def _is_spaced(column: list[str]) -> bool | None:
    """Return whether a column has cells of several words, None when two blanks in one would be misread."""
    joined = "\n".join(column)
    if " " not in joined:
        return None if "\t" in joined else False
    return None if "  " in joined or "\t" in joined or joined.count("\n") != len(column) - 1 else True


def _sign(columns: list[list[str]]) -> str:
    """Return the first sign that no cell of the table is, "" when all are taken."""
    for sign in _EMPTY:
        if not any(sign in column for column in columns):
            return sign
    return ""


def _with_headings(
    grid: Grid, shared: _Shared, texts: list[str], header: str, between: list[tuple[int, str]]
) -> list[str]:
    """Return the rows under headings that say what they share."""
    first: dict[int, int] = {}
    for row, one in enumerate(shared.ids):
        first.setdefault(one, row)
    values = {one: [grid.columns[at][row] for at in shared.columns] for one, row in first.items()}
    letters = {one: _LETTERS[at] for at, one in enumerate(shared.classes)} if shared.tagged else {}
    out: list[str] = []
    if shared.tagged:
        out += [f"{OPENING}with {letters[one]}: {_said(grid, shared.columns, values[one])}]" for one in shared.classes]
    elif len(shared.classes) == 1:
        out.append(f"{OPENING}below: {_said(grid, shared.columns, values[shared.classes[0]])}]")
    if header:
        out.append(header)
    current = shared.classes[0] if len(shared.classes) == 1 or shared.tagged else -1
    said = list(values[shared.classes[0]]) if shared.tagged or len(shared.classes) == 1 else []
    if not said and grid.names is not None and shared.ids[0] not in shared.classes:
        current = shared.classes[0]
        said = values[current]
        out.append(f"{OPENING}below: {_said(grid, shared.columns, said)}]")
    headed = set(shared.classes)
    odd = iter(between)
    before, line = next(odd, (-1, ""))
    for row, one in enumerate(shared.ids):
        while before == row:
            out.append(line)
            before, line = next(odd, (-1, ""))
        text = texts[row]
        if shared.tagged:
            tag = letters.get(one)
            if not tag and grid.names is None:
                text = _exception(grid, shared, row, text, values=values[one], said=said)
            else:
                text = text if tag else _exception(grid, shared, row, text, values=values[one], said=said)
                text = f"{tag or _LETTERS[0]}{grid.joint or ' '}{text}"
        elif one != current:
            if one in headed and len(headed) > 1:
                current = one
                out.append(f"{OPENING}below: {_said(grid, shared.columns, values[one], said)}]")
                said = values[one]
            else:
                text = _exception(grid, shared, row, text, values=values[one], said=said)
        out.append(text)
    while before >= 0:
        out.append(line)
        before, line = next(odd, (-1, ""))
    return out


def _said(grid: Grid, columns: list[int], values: list[str], before: list[str] | None = None) -> str:
    """Return the values of a heading; with names, only those that change."""
    if grid.names is not None:
        pairs = [
            f"{grid.names[at]}={value}"
            for i, (at, value) in enumerate(zip(columns, values, strict=True))
            if not before or before[i] != value
        ]
        return "; ".join(pairs)
    shown = ["_"] * len(grid.columns)
    for at, value in zip(columns, values, strict=True):
        shown[at] = value
    return (grid.joint or " ").join(shown)


def _exception(grid: Grid, shared: _Shared, row: int, text: str, *, values: list[str], said: list[str]) -> str:
    """Return a row of no class: with names, what differs in brackets behind it; else the whole row behind "="."""
    if grid.names is not None:
        pairs = [
            f"{grid.names[at]}={value}"
            for at, value, usual in zip(shared.columns, values, said, strict=True)
            if value != usual
        ]
        return f"{text} [{'; '.join(pairs)}]"
    cells = [column[row] for column in grid.columns]
    return f"= {(grid.joint or ' ').join(cells)}"
