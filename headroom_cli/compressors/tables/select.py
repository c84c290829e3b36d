"""Choose which rows of a large table stay: ends, errors, outliers, rare values, what was asked about, and a spread."""

from __future__ import annotations

from collections import Counter

from headroom_cli.compressors.tables.grid import Grid
from headroom_cli.lazy import pattern

ENDS = 5  # rows kept at the top and at the bottom, where totals stand
_SIGMA = 3.0
_STRONG = 40  # outliers kept of a table, the widest first
_ASKED = 15  # rows kept because the question names what is in them
_CATEGORIES = 40  # distinct values up to which a column is a category
_KINDS = 400  # kinds of errors kept; beyond, the table is a list of errors
_TOLD = 12  # columns told of in the summary
_VALUES = 8  # values told of per category
_SHORT = 40  # characters; longer values are no category
_ERROR = pattern(
    r"error|fail|fatal|exception|critical|panic|timed?[ _-]?out|denied|refused|reject|killed|crash|abort|unavailable"
    r"|corrupt|invalid|unhealthy|unreachable",
    2,
)
_STEMS = (
    "error", "fail", "fatal", "exception", "critical", "panic", "out", "denied", "refused", "reject", "killed", "crash",
    "abort", "unavailable", "corrupt", "invalid", "unhealthy", "unreachable",
)  # fmt: skip
_NUMBER = pattern(r'"?[-+]?\d{1,18}(?:\.\d{1,12})?%?"?')
_DIGITS = pattern(r"[0-9a-f]{8,}|\d+")
_BAD_STATUS = pattern(r'"?[45]\d\d"?')
_STATUS_NAME = pattern(r"status|code|http", 2)


def select(grid: Grid, places: int, question: str, most: int = 0) -> tuple[Grid, str] | None:
    """Return a table with its most telling rows and gap notes, and what is missing; None when most rows stay.

    ``most`` is how many rows may stay at most, 0 for as many as tell something.
    """
    rows = grid.rows
    names = grid.names or [f"column {at + 1}" for at in range(len(grid.columns))]
    kept = set(range(min(ENDS, rows))) | set(range(max(0, rows - ENDS), rows))
    figures = list(map(_numbers, grid.columns))
    # No number speaks of an error, unless it is a status.
    wordy = [
        (name, column)
        for name, column, numbers in zip(names, grid.columns, figures, strict=True)
        if not numbers or _STATUS_NAME.search(name)
    ]
    errors = _errors(wordy)
    kept |= errors
    said: list[str] = []
    strong: dict[int, float] = {}
    for name, column, numbers in zip(names, grid.columns, figures, strict=True):
        if numbers:
            said.append(_range(name, column, numbers))
            _outliers(numbers, strong)
            continue
        sample = column[:: max(1, rows // 500)]
        if len(set(sample)) > _CATEGORIES:
            continue
        values = Counter(column)
        if len(values) > _CATEGORIES or any(len(value) > _SHORT for value in values):
            continue
        told = ", ".join(f"{value or '(empty)'} {count}" for value, count in values.most_common(_VALUES))
        rest = len(values) - _VALUES
        said.append(f"{name} {told}" + (f" and {rest} more values" if rest > 0 else ""))
        few = max(1, rows // 100)
        for value, count in values.items():
            if count <= few:
                at = -1
                for _ in range(min(count, 3)):
                    at = column.index(value, at + 1)
                    kept.add(at)
    wide = sorted(strong, key=lambda row: (-strong[row], row))[:_STRONG]
    kept |= set(wide)
    asked = _asked(grid, question) if question.strip() else set()
    kept |= asked
    if most:
        kept = _best([*sorted(asked), 0, rows - 1, *sorted(errors), *wide, *sorted(kept), *range(0, rows, 7)], most)
        said = said[: max(2, most // 4)]
    if not most:
        spread = max(ENDS, round(places * max(1.0, rows / 1000) ** 0.5) - len(kept))
        kept |= {(2 * at + 1) * rows // (2 * spread) for at in range(spread)}
    # A note costs what a row does.
    kept |= {row + 1 for row in kept if row + 1 not in kept and row + 2 in kept}
    order = sorted(row for row in kept if row < rows)
    if len(order) * 10 > rows * 8:
        return None
    summary = f"[all {rows} rows: {'; '.join(said[:_TOLD])}]" if said else ""
    return _with_gaps(grid, order, summary), f"{rows - len(order)} of {rows} rows"


def _best(order: list[int], most: int) -> set[int]:
    """Return the first of the rows of an order, as many as there are places for; a gap between them takes one too."""
    kept: set[int] = set()
    for row in order:
        if row in kept:
            continue
        most -= 1 if row - 1 in kept or row + 1 in kept else 2
        if most < 0 and kept:
            break
        kept.add(row)
    return kept


def speaks_of_error(texts: list[str]) -> list[int]:
    """Return which texts speak of an error."""
    if not any(stem in text for text in map(str.lower, texts) for stem in _STEMS):
        return []
    return [at for at, text in enumerate(texts) if _ERROR.search(text) is not None]


def _with_gaps(grid: Grid, order: list[int], summary: str) -> Grid:
    """Return the table of the kept rows with a note in each gap."""
    odd: list[tuple[int, str]] = [(0, summary)] if summary else []
    last = -1
    stays = iter(grid.odd)
    before, line = next(stays, (-1, ""))
    for at, row in enumerate(order):
        gap = row - last - 1
        if gap:
            span = f"{last + 2}-{row}" if gap > 1 else f"{row}"
            odd.append((at, f"[... {gap} row{'s' if gap > 1 else ''} {span}]"))
        while 0 <= before <= row:
            odd.append((at, line))
            before, line = next(stays, (-1, ""))
        last = row
    while before >= 0:
        odd.append((len(order), line))
        before, line = next(stays, (-1, ""))
    columns = [[column[row] for row in order] for column in grid.columns]
    return Grid(grid.names, columns, odd, joint=grid.joint, last=grid.last)


def _errors(columns: list[tuple[str, list[str]]]) -> set[int]:
    """Return the first two rows and the last of each kind of error that cells speak of."""
    kept: set[int] = set()
    for name, column in columns:
        said: dict[str, list[int]] = {}
        memo: dict[str, str] = {}
        status = _STATUS_NAME.search(name) is not None
        if not status:
            joined = "\n".join(column).lower()
            if not any(stem in joined for stem in _STEMS):
                continue
        for row, cell in enumerate(column):
            kind = memo.get(cell)
            if kind is None:
                bad = _ERROR.search(cell) is not None or (status and _BAD_STATUS.fullmatch(cell) is not None)
                kind = "" if not bad else cell if status else _DIGITS.sub("#", cell)
                if len(memo) < 50_000:
                    memo[cell] = kind
            if kind:
                said.setdefault(kind, []).append(row)
        if len(said) > _KINDS:
            said = dict(list(said.items())[:_KINDS])
        for rows in said.values():
            kept.update((*rows[:2], rows[-1]))
    return kept


def _numbers(column: list[str]) -> list[float] | None:
    """Return the numbers of a column that holds nothing else, None when it does."""
    sample = column[:: max(1, len(column) // 50)]
    if not all(_NUMBER.fullmatch(cell) for cell in sample):
        return None
    try:
        return list(map(float, column))
    except ValueError:
        if not all(map(_NUMBER.fullmatch, column)):
            return None
        return [float(cell.strip('"%')) for cell in column]


def _range(name: str, column: list[str], numbers: list[float]) -> str:
    """Say the least and the greatest number as they stand in the table."""
    low, high = min(numbers), max(numbers)
    return f"{name} {column[numbers.index(low)]} to {column[numbers.index(high)]}"


def _outliers(numbers: list[float], strong: dict[int, float]) -> None:
    """Note the rows with the extremes of a column and those far from its mean."""
    count = len(numbers)
    mean = sum(numbers) / count
    spread = (sum([(number - mean) ** 2 for number in numbers]) / count) ** 0.5
    if not spread or not spread < 1e300:
        return
    low, high = mean - _SIGMA * spread, mean + _SIGMA * spread
    for end in (min(numbers), max(numbers)):
        row = numbers.index(end)
        strong[row] = max(strong.get(row, 0.0), abs(end - mean) / spread)
    if min(numbers) < low or max(numbers) > high:
        for row, number in enumerate(numbers):
            if number < low or number > high:
                strong[row] = max(strong.get(row, 0.0), abs(number - mean) / spread)


def _asked(grid: Grid, question: str) -> set[int]:
    """Return the rows that hold words of the question which few other rows hold."""
    from headroom_cli.rank import bm25, terms

    asked = sorted({term for term in terms(question) if len(term) > 2})
    if not asked:
        return set()
    texts = [" ".join(cells).lower() for cells in zip(*grid.columns, strict=True)]
    rows: set[int] = set()
    for term in asked:
        found = [row for row, text in enumerate(texts) if term in text]
        if len(found) <= max(_ASKED, len(texts) // 50):
            rows.update(found)
    if not rows:
        return set()
    order = sorted(rows)
    scores = bm25(question, [texts[row] for row in order])
    ranked = sorted(zip(scores, order, strict=True), key=lambda pair: (-pair[0], pair[1]))
    return {row for _, row in ranked[:_ASKED]}
