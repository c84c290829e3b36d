"""``headroom stats --csv``: the report of the ledger as one table, a line for each name of each part."""

from __future__ import annotations

import csv
from io import StringIO

from headroom_cli.cli import io, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

_TOKENS = ("runs", "blocks", "before", "after", "saved", "ms")
_USAGE = ("requests", "input", "plain", "cache_read", "cache_write", "cache_write_1h", "output")
_OVERHEAD = ("markers", "tool", "hops")
_AMOUNTS = ("cost", "saved", "tool", "hops", "net")
_COUNTS = ("requests", "tokens")
_UNPRICED = ("requests", "input", "output", "saved")
_UNCALLED = ("runs", "saved")
_FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")  # wide ones too: where people write those, they begin formulas
HEADING = (
    "group", "name", *_TOKENS, *(f"usage_{name}" for name in _USAGE), *(f"overhead_{name}" for name in _OVERHEAD),
    "currency", *(f"money_{name}" for name in (*_COUNTS, *_AMOUNTS)), *(f"unpriced_{name}" for name in _UNPRICED),
    *(f"uncalled_{name}" for name in _UNCALLED),
)  # fmt: skip


def show(sums: Mapping[str, Any], by: Sequence[str]) -> None:
    """Write the table, of the parts in ``by``; the total comes first, and what stands in no kind or tool in group rest.

    Cells that a part has no number for are empty. Money is exact, in the unit of its column ``currency``.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADING)
    writer.writerows(_rows(sums, by))
    io.write(text.getvalue().encode("utf-8", "backslashreplace"))


def _rows(sums: Mapping[str, Any], by: Sequence[str]) -> Iterator[list[object]]:
    yield _row("all", "", sums["all"], sums["currency"])
    for part in by:
        for name, row in sorted(sums[part].items()):
            yield _row(part, _cell(name), row, sums["currency"])
        if part in sums["rest"]:
            yield _row("rest", part, sums["rest"][part], sums["currency"])


def _cell(name: str) -> str:
    """Return a name as a cell. A spreadsheet would take what begins so for a formula, and names come from outside."""
    name = report.clean(name)
    return f"'{name}" if name[:1] in _FORMULA else name


def _row(group: str, name: str, row: Mapping[str, Any], currency: Mapping[str, Any]) -> list[object]:
    def of(member: str, names: Sequence[str]) -> list[object]:
        return [row.get(member, {}).get(key, "") for key in names]

    money = [_exact(row["money"][key], currency["scale"]) if key in row["money"] else "" for key in _AMOUNTS]
    return [
        group, name, *(row[key] for key in _TOKENS), *of("usage", _USAGE), *of("overhead", _OVERHEAD),
        currency["unit"], *of("money", _COUNTS), *money, *of("unpriced", _UNPRICED), *of("uncalled", _UNCALLED),
    ]  # fmt: skip


def _exact(value: int, scale: int) -> str:
    """Return money as a decimal number, without rounding."""
    digits = len(str(scale)) - 1
    whole, part = divmod(abs(value), scale)
    return f"{'-' if value < 0 else ''}{whole}" + (f".{part:0{digits}}".rstrip("0") if part else "")
