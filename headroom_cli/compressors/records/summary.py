"""Say in a few words what a whole array held, so that totals can be answered though most of its rows were left out."""

from __future__ import annotations

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.records.select import Column

_ITEMS = 12  # columns told of
_VALUES = 8  # values told of per category
_LONG = 60  # characters; longer values are no category
_DATE = pattern(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d[0-9:.+Z-]{0,20})?")


def _short(number: float) -> str:
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    return f"{number:.4g}" if abs(number) < 1e4 else f"{number:.1f}"


def _numeric(column: Column, count: int) -> str:
    _, numbers = column.numbers()
    if len(numbers) < count // 2 or not numbers:
        return ""
    low, high = min(numbers), max(numbers)
    if low == high:
        return ""
    if len(set(numbers)) == len(numbers) and column.words & {
        "id",
        "number",
        "pid",
        "uid",
        "timestamp",
        "time",
        "ts",
        "epoch",
    }:
        return f"{column.name} {_short(low)} to {_short(high)}"
    total = sum(numbers)
    said = f"min {_short(low)} mean {_short(total / len(numbers))} max {_short(high)} sum {_short(total)}"
    return f"{column.name} {said}".strip()


def _category(column: Column, count: int) -> str:
    kinds = column.kinds()
    told = sum(kinds.values())
    if told < count // 2 or len(kinds) < 2:
        return ""
    if len(kinds) > min(30, count // 5) or any(type(value) is str and len(value) > _LONG for value in kinds):
        first = next(iter(kinds))
        if type(first) is str and _DATE.fullmatch(first):
            dates = [text for text in kinds if type(text) is str and _DATE.fullmatch(text)]
            return f"{column.name} {min(dates)} to {max(dates)}" if len(dates) > len(kinds) // 2 else ""
        return ""
    said = [f"{_plain(value)} {n}" for value, n in kinds.most_common(_VALUES)]
    rest = len(kinds) - len(said)
    if rest > 0:
        said.append(f"{rest} others {told - sum(n for _, n in kinds.most_common(_VALUES))}")
    return f"{column.name}: {', '.join(said)}".removeprefix(": ")


def _plain(value: str | bool) -> str:  # noqa: FBT001 # a JSON value, not a switch
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value and value.isprintable() else repr(value)


def summarize(columns: list[Column], count: int, unit: str) -> list[str]:
    """Return the summary as at most one line: counts per category, ranges and sums per number."""
    said = [text for column in columns if (text := _category(column, count) or _numeric(column, count))]
    return [f"[all {count} {unit}: {'; '.join(said[:_ITEMS])}]"] if said else []
