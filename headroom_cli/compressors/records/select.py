"""Choose which items of a long array stay: ends, errors, anomalies, what the question is about, changes, then a spread.

Errors and strong anomalies always stay; everything else shares a number of places that grows with how much new
information the items bring.
"""

from __future__ import annotations

from collections import Counter
from itertools import accumulate
from operator import itemgetter, mul

from headroom_cli.compressors.records.faults import (
    ERROR_FIELDS,
    Field,
    errors_of,
    fields_of,
    scarce,
    varied,
    words_of,
)
from headroom_cli.compressors.records.spans import MISSING, Number
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FIRST, LAST = 5, 5
SIGMA = 2.0
SIGMA_STRONG = 2.9  # always kept; just under the usual three, whichever way the deviation was computed
MOST_STRONG = 400  # rows of one array kept as strong numeric outliers, widest first
MOST_WEAK = 40
MOST_ASKED = 15  # rows kept because the question names what is in them
CATEGORIES = 40  # distinct values up to which a column counts as a category
_FOLDS = 20  # kinds of errors whose counts are told one by one
ERRORS_WHOLE = 60  # error rows up to which none is folded
_COLUMNS = 80
_CELLS = 1_000_000  # looked at per array

_DIGITS = pattern(r"[0-9a-f]{7,}|\d+")
_NUMBER = pattern(r"-?\d{1,18}(?:\.\d{1,18})?")


class Column:
    """The values of one key over all items of an array (MISSING where an item lacks it); nested keys are dotted."""

    __slots__ = ("_kinds", "_numbers", "_rows", "name", "values", "words")

    def __init__(self, name: str, values: list[Any]) -> None:
        """Split the last part of the name into lower-case words."""
        self.name = name
        self.values = values
        self.words = words_of(name.rpartition(".")[2])
        self._numbers: list[float] | None = None
        self._rows: list[int] | range = range(0)
        self._kinds: Counter[str | bool] | None = None

    def numbers(self) -> tuple[list[int] | range, list[float]]:
        """Return the finite numbers of the column and the rows that they stand in."""
        if self._numbers is None:
            self._rows, self._numbers = _numbers_of(self.values)
        return self._rows, self._numbers

    def kinds(self) -> Counter[str | bool]:
        """Return how often each string, true and false occurs."""
        if self._kinds is None:
            types = set(map(type, self.values))
            if types <= {str, bool}:
                self._kinds = Counter(self.values)
            elif str in types or bool in types:
                self._kinds = Counter([value for value in self.values if type(value) is str or type(value) is bool])
            else:
                self._kinds = Counter()
        return self._kinds


def columns_of(items: list[Any]) -> list[Column]:
    """Return the columns of an array: one without a name for scalars, one per key for objects, two levels deep."""
    if type(items[0]) is not dict and sum([type(item) is dict for item in items]) * 2 < len(items):
        width = len(items[0]) if type(items[0]) is list else 0
        if 0 < width <= 40 and all(type(item) is list and len(item) == width for item in items):
            return [Column(f"[{at}]", list(values)) for at, values in enumerate(zip(*items, strict=True))]
        return [Column("", items)]
    shapes = Counter([tuple(item) for item in items if type(item) is dict])
    present: Counter[str] = Counter()
    for shape, count in shapes.items():
        for key in shape:
            present[key] += count
    # With many rows of many shapes the commonest keys have to do, but no field that names an error is passed over.
    keys = list(present)
    most = min(_COLUMNS, max(12, _CELLS // len(items)))
    if len(keys) > most:
        chosen = {key for key in keys if words_of(key) & ERROR_FIELDS}
        chosen = set(sorted(chosen)[:most]).union(key for key, _ in present.most_common(most))
        keys = [key for key in keys if key in chosen]
    columns: list[Column] = []
    whole = sum(shapes.values()) == len(items)
    for key in keys:
        if present[key] == len(items):
            values = list(map(itemgetter(key), items))
        elif whole:
            values = [item.get(key, MISSING) for item in items]
        else:
            values = [item.get(key, MISSING) if type(item) is dict else MISSING for item in items]
        columns.append(Column(key, values))
        if len(columns) < most and dict in set(map(type, values)):
            inner: dict[str, None] = {}
            for value in values[:: max(1, len(values) // 50)]:
                if type(value) is dict:
                    inner.update(dict.fromkeys(value))
            for name in list(inner)[:20]:
                try:
                    below = list(map(itemgetter(name), values))  # every one is an object with this key
                except (KeyError, TypeError):
                    below = [value.get(name, MISSING) if type(value) is dict else MISSING for value in values]
                columns.append(Column(f"{key}.{name}", below))
    return columns


def _numbers_of(values: list[Any]) -> tuple[list[int] | range, list[float]]:
    kinds = set(map(type, values))
    if kinds == {int} and min(values) > -_HUGE and max(values) < _HUGE:
        return range(len(values)), values
    if int not in kinds and Number not in kinds:
        return range(0), []
    if kinds == {Number}:
        all_found = list(map(float, values))
        if min(all_found) > -_HUGE and max(all_found) < _HUGE:
            return range(len(values)), all_found
    rows: list[int] = []
    found: list[float] = []
    for row, value in enumerate(values):
        if type(value) is int or type(value) is Number:
            number = float(value) if isinstance(value, str) else value
            if -_HUGE < number < _HUGE:
                rows.append(row)
                found.append(number)
    return (rows if len(rows) < len(values) else range(len(values))), found


def _numbers_in_strings(values: list[Any]) -> tuple[list[int] | range, list[float]]:
    """Return the numbers of a column whose strings nearly all are numbers: metrics are often written so."""
    sample = values[:: max(1, len(values) // 20)]
    if sum([type(value) is str and bool(_NUMBER.fullmatch(value)) for value in sample]) * 10 < len(sample) * 9:
        return range(0), []
    rows = [row for row, value in enumerate(values) if type(value) is str and _NUMBER.fullmatch(value)]
    return rows, [float(values[row]) for row in rows]


_HUGE = 1e150  # larger numbers take no part in statistics: their squares are not finite


def _deviation(numbers: list[float]) -> tuple[float, float]:
    count = len(numbers)
    mean = sum(numbers) / count
    apart = [x - mean for x in numbers]
    return mean, (sum(map(mul, apart, apart)) / count) ** 0.5


def _outliers(column: Column, strong: dict[int, float], weak: dict[int, float], turns: set[int]) -> None:
    """Note the numeric outliers of a column, and the rows where its level changes."""
    rows, numbers = column.numbers()
    if not numbers:
        rows, numbers = _numbers_in_strings(column.values)
    if len(numbers) < 10:
        return
    mean, sd = _deviation(numbers)
    if sd == 0:
        return
    low, high = mean - SIGMA * sd, mean + SIGMA * sd
    if min(numbers) < low or max(numbers) > high:
        for row, x in zip(rows, numbers, strict=True):
            if x < low or x > high:
                z = abs(x - mean) / sd
                target = strong if z >= SIGMA_STRONG else weak
                target[row] = max(target.get(row, 0.0), z)
    block = max(5, len(numbers) // 100)
    sums = list(accumulate(numbers, initial=0.0))
    means = [(sums[i + block] - sums[i]) / block for i in range(0, len(numbers) - block + 1, block)]
    jumps = [i for i in range(1, len(means)) if abs(means[i] - means[i - 1]) > 1.5 * sd]
    if len(jumps) <= 10:
        for i in jumps:
            turns.update((rows[i * block - 1], rows[i * block]))


def _rare(column: Column, strong: dict[int, float], weak: dict[int, float], turns: set[int]) -> None:
    """Note the rows with a rare value of a category, a rare key, a strange length, or where a category turns."""
    values = column.values
    count = len(values)
    present = count - values.count(MISSING)
    if 0 < present <= max(1, count // 50):
        rows = [row for row, value in enumerate(values) if value is not MISSING]
        weak.update(dict.fromkeys(rows[:3], 3.0))
        return
    kinds = column.kinds()
    if not kinds:
        return
    if len(kinds) <= min(CATEGORIES, count // 4):
        few = max(1, count // 100)
        wanted = {value: 2 if n <= few else 1 for value, n in kinds.items()}
        for row, value in enumerate(values):
            if (type(value) is str or type(value) is bool) and wanted.get(value):
                wanted[value] -= 1
                (strong if kinds[value] <= few else weak)[row] = 3.0
                if not any(wanted.values()):
                    break
        changes = [row for row in range(1, count) if values[row] != values[row - 1]] if len(kinds) > 1 else []
        if len(changes) <= min(10, count // 20):
            turns.update(changes)
        return
    lengths: list[float] = [len(value) if type(value) is str else 0 for value in values]
    mean, sd = _deviation(lengths)
    most = mean + 3 * sd
    if max(lengths) > most:
        wide = sorted([(-length, row) for row, length in enumerate(lengths) if length > most])[:3]
        weak.update({row: 2.0 for _, row in wide})


def _novelty(items: list[Any], columns: list[Column]) -> float:
    """Return 0 for items that are all alike to 1 for items that keep bringing new words, from an even sample."""
    step = max(1, len(items) // 200)
    seen: set[Any] = set()
    total = new = 0
    texts = [column.values for column in columns if any(type(value) is str for value in column.values[::step])][:30]
    for at, row in enumerate(range(0, len(items), step)):
        for i, values in enumerate(texts):
            value = values[row]
            if type(value) is str:
                key = (i, _DIGITS.sub("#", value[:80]))
                if at >= 20:
                    total += 1
                    new += key not in seen
                seen.add(key)
    return new / total if total else 0.0


def _asked(question: str, items: list[Any]) -> list[int]:
    """Return the items that the question is most about, best first."""
    from headroom_cli.rank import bm25, terms

    asked = {term for term in terms(question) if len(term) > 2}
    if not asked:
        return []
    texts = [str(item).lower() for item in items]
    rare: set[int] = set()
    for term in sorted(asked):
        rows = [row for row, text in enumerate(texts) if term in text]
        if len(rows) <= len(items) // 5:
            rare.update(rows)
    if not rare:
        return []
    # With an even sample of the others, so that a word's rarity is that in the whole array.
    rows = sorted(rare.union(range(0, len(items), max(1, len(items) // max(500, 3 * len(rare))))))
    scores = bm25(question, [texts[row] for row in rows])
    best = max(scores)
    ranked = sorted(zip(scores, rows, strict=True), key=lambda pair: (-pair[0], pair[1]))
    return [row for score, row in ranked if score > 0 and score >= best / 3][:MOST_ASKED]


def _folded(errors: dict[int, str], fold: int) -> tuple[set[int], list[str]]:
    """Return the error rows that stay, and what to tell of the others.

    Up to ERRORS_WHOLE (or ``fold``, when less) all stay; above, every distinct error; above ``fold`` (0: never) those
    that differ only in numbers count as one kind. Of each kind the first two rows and the last stay.
    """
    if len(errors) <= (min(fold, ERRORS_WHOLE) if fold else ERRORS_WHOLE):
        return set(errors), []
    kinds: dict[str, list[int]] = {}
    numbers: dict[str, list[list[str]]] = {}
    loose = bool(fold) and len(errors) > fold
    for row in sorted(errors):
        kind = errors[row]
        if loose:
            kind, its = varied(kind)
            numbers.setdefault(kind, []).append(its)
        kinds.setdefault(kind, []).append(row)
    many = sorted([(rows, kind) for kind, rows in kinds.items() if len(rows) > 3], key=lambda pair: -len(pair[0]))
    said = [f"like row {rows[0] + 1}: {len(rows)} rows{_range(numbers.get(kind, []))}" for rows, kind in many[:_FOLDS]]
    if len(many) > len(said):
        said.append(f"{len(many) - len(said)} other kinds: {sum(len(rows) for rows, _ in many[_FOLDS:])} rows")
    stays = {row for rows in kinds.values() for row in (*rows[:2], rows[-1])}
    return stays, [f"[errors {', '.join(said)}]"] if said else []


def _range(numbers: list[list[str]]) -> str:
    """Say between which numbers errors of one kind differ."""
    for values in zip(*numbers, strict=False):
        if len(set(values)) > 1 and all(len(value) < 19 for value in values):
            whole = list(map(int, values))
            return f" with {min(whole)} to {max(whole)}"
    return ""


def choose(
    items: list[Any],
    columns: list[Column],
    question: str,
    least: int,
    most: int,
    *,
    names: list[str] | None = None,
    fold: int = 0,
) -> tuple[list[int], set[int], list[str]]:
    """Return the rows that stay, in order, those of them kept for an error, and what to say of errors folded.

    Of 1,000 items, ``least`` places are given out when they are alike, ``most`` when each is new; errors and strong
    outliers come on top. ``names`` are the keys of the items when they are entries of an object; ``fold`` is the number
    of errors above which those that differ only in numbers are one kind (0: never).
    """
    count = len(items)
    fields = fields_of(items)
    if names:
        fields.append(Field("", frozenset(), range(count), list(names), pooled=True))
    stays, folded = _folded(errors_of(fields), fold)
    strong: dict[int, float] = {}
    weak: dict[int, float] = {}
    turns: set[int] = set()
    for column in columns:
        _outliers(column, strong, weak, turns)
        _rare(column, strong, weak, turns)
    strong.update(dict.fromkeys(scarce(fields, count), 1e6))
    if question.strip():
        told = list(zip(names, items, strict=True)) if names else items
        strong.update(dict.fromkeys(_asked(question, told), 1e9))
    kept = set(stays)
    kept.update(sorted(strong, key=lambda row: (-strong[row], row))[:MOST_STRONG])
    kept.update(range(min(FIRST, count)))
    kept.update(range(max(0, count - LAST), count))
    kept.update(turns)
    # Of 1,000 items; of more the square root more: 10,000 items get about three times as many places.
    scale = max(1.0, count / 1000) ** 0.5
    novelty = _novelty(items, columns)
    share = 0.0 if novelty < 0.05 else min(1.0, 0.2 + 3 * novelty)
    places = round(scale * (least + (most - least) * share))
    spare = max(0, min(MOST_WEAK, places // 3))
    kept.update(sorted(weak, key=lambda row: (-weak[row], row))[:spare])
    spread = places - len(kept)
    if spread > 0:
        free = [row for row in range(count) if row not in kept]
        kept.update(free[(2 * i + 1) * len(free) // (2 * spread)] for i in range(min(spread, len(free))))
    return sorted(kept), stays, folded
