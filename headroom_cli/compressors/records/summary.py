"""Say in a few words what a whole array held, so that totals can be answered though most of its rows were left out."""

from __future__ import annotations

from headroom_cli.compressors.records.spans import MISSING, Number
from headroom_cli.compressors.records.text import atom, quote
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.compressors.records.select import Column

_ITEMS = 12  # columns told of
_VALUES = 8  # values told of per category
_LONG = 60  # characters; longer values are no category
_WORDS = pattern(r"(?![-+.]?\d+(?:[.eE][-+.\deE]*)?\Z)[\w.+/@#%-](?:[^\x00-\x1f,;:\"\[\]]*[^\x00-\x20,;:\"\[\]])?")
_NAMES = frozenset(("id", "number", "pid", "uid", "timestamp", "time", "ts", "epoch"))
_DATE = pattern(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d[0-9:.+Z-]{0,20})?")


def _rounded(number: float) -> str:
    if number == int(number) and abs(number) < 1e15:
        return f"~{int(number)}"
    return f"~{number:.4g}" if abs(number) < 1e4 else f"~{number:.1f}"


def _numeric(column: Column, count: int) -> str:
    rows, numbers = column.numbers()
    if len(numbers) < count // 2 or not numbers:
        return ""
    low, high = min(numbers), max(numbers)
    if low == high:
        return ""
    # As they stand in the source: a float would round long ids and fractions.
    ends = [_plain(column.values[rows[numbers.index(end)]]) for end in (low, high)]
    rest = _rest(column, numbers=False)
    if len(set(numbers)) == len(numbers) and column.words & _NAMES:
        return f"{column.name} {ends[0]} to {ends[1]}{rest}".strip()
    total = sum(numbers)
    whole = type(total) is int
    mean = str(int(total) // len(numbers)) if whole and total % len(numbers) == 0 else _rounded(total / len(numbers))
    said = f"min {ends[0]} mean {mean} max {ends[1]} sum {total if whole else _rounded(total)}"
    return f"{column.name} {said}{rest}".strip()


def _rest(column: Column, *, numbers: bool) -> str:
    """Say how many values a description leaves out: null, absent, and of another type."""
    usual = {str, bool} if numbers else {int, Number}
    if set(map(type, column.values)) <= usual:
        return ""
    found = {"null": 0, "absent": 0, "number": 0, "text": 0, "object": 0}
    for value in column.values:
        if value is None:
            found["null"] += 1
        elif value is MISSING:
            found["absent"] += 1
        elif type(value) is int or type(value) is Number:
            found["number"] += numbers
        elif isinstance(value, (dict, list)):
            found["object"] += 1
        elif not numbers:
            found["text"] += 1
    names = {"number": "numbers", "text": "not numbers", "object": "objects or lists"}
    return "".join([f", {names.get(name, name)} {n}" for name, n in found.items() if n])


def _category(column: Column, count: int) -> str:
    kinds = column.kinds()
    told = sum(kinds.values())
    if told < count // 2 or len(kinds) < 2:
        return ""
    if len(kinds) > min(30, count // 5) or any(type(value) is str and len(value) > _LONG for value in kinds):
        first = next(iter(kinds))
        if type(first) is str and _DATE.fullmatch(first):
            dates = [text for text in kinds if type(text) is str and _DATE.fullmatch(text)]
            if len(dates) <= len(kinds) // 2:
                return ""
            others = told - sum(kinds[text] for text in dates)
            rest = f", others {others}" if others else ""
            return f"{column.name} {min(dates)} to {max(dates)}{rest}{_rest(column, numbers=True)}"
        return ""
    said = [f"{_plain(value)} {n}" for value, n in kinds.most_common(_VALUES)]
    more = len(kinds) - len(said)
    if more > 0:
        said.append(f"{more} others {told - sum(n for _, n in kinds.most_common(_VALUES))}")
    return f"{column.name}: {', '.join(said)}{_rest(column, numbers=True)}".removeprefix(": ")


def _plain(value: Any) -> str:
    """Return a value so that a text never looks like a number, true, null or several values."""
    if type(value) is not str:
        return atom(value)
    return value if _WORDS.fullmatch(value) and value not in ("true", "false", "null") else quote(value)


def summarize(columns: list[Column], count: int, unit: str) -> list[str]:
    """Return the summary as at most one line: counts per category, ranges and sums per number."""
    said = [text for column in columns if (text := _category(column, count) or _numeric(column, count))]
    return [f"[all {count} {unit}: {'; '.join(said[:_ITEMS])}]"] if said else []
