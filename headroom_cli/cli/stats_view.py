"""What ``headroom stats --plot`` and ``--html`` show of the report of ``money.sums``: rows in order, names, numbers."""

from __future__ import annotations

import datetime as dt

from headroom_cli.cli import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

_NAME_MAX = 80  # characters: names come from outside


class Group:
    """One part of the report by which it is shown, with what its names are called where they are none."""

    __slots__ = ("about", "empty", "name", "parted", "rest", "title")

    def __init__(self, name: str, title: str, about: str, empty: str, rest: str = "") -> None:
        """``rest`` is what stands in none of its rows; only parts of requests have one."""
        self.name = name
        self.title = title
        self.about = about
        self.empty = empty
        self.rest = rest
        self.parted = bool(rest)  # its numbers are of parts of requests, and calls are not


GROUPS = (
    Group("kind", "Kind", "what tool results and texts were", "other text", "in no block"),
    Group("model", "Model", "the models that the runs were for", "no model named"),
    Group("tool", "Tool", "the tools whose results were read", "no tool named", "of no tool"),
    Group("project", "Project", "the working trees that the runs were made in", "no project named"),
)


class Row:
    """One line of numbers: ``cost``, ``saved`` and ``net`` are money, None where a part of a request has none."""

    __slots__ = (
        "after",
        "before",
        "blocks",
        "cost",
        "input",
        "name",
        "net",
        "output",
        "priced",
        "read",
        "runs",
        "worth",
    )

    def __init__(self, name: str, sums: Mapping[str, Any]) -> None:
        """Take the sums (T or K of money.sums) of one name."""
        self.name = name
        self.runs: int = sums["runs"]
        self.blocks: int = sums["blocks"]
        self.before: int = sums["before"]
        self.after: int = sums["after"]
        money = sums["money"]
        self.worth: int = money["saved"]  # estimated: what the saved tokens would have cost
        called = "cost" in money
        usage = sums["usage"] if called else {}
        self.cost: int | None = money["cost"] if called else None
        self.net: int | None = money["net"] if called else None
        self.priced: bool = called and money["requests"] > 0  # there is a cost at all
        self.input: int | None = usage.get("input")
        self.read: int | None = usage.get("cache_read")
        self.output: int | None = usage.get("output")

    @property
    def saved(self) -> int:
        """Estimated tokens; below zero where more was added than saved."""
        return self.before - self.after


_ADDED = ("runs", "blocks", "before", "after", "worth", "cost", "net", "input", "read", "output")


def together(name: str, rows: Sequence[Row]) -> Row:
    """Return the sum of some rows."""
    first, *others = rows
    whole = object.__new__(Row)
    whole.name = name
    whole.priced = any(row.priced for row in rows)
    for member in _ADDED:
        value = getattr(first, member)
        setattr(whole, member, None if value is None else value + sum(getattr(row, member) for row in others))
    return whole


def named(name: str) -> str:
    """Return a name on one line, without what drives a terminal or turns text around, cut to a length."""
    shown = report.clean(name[: _NAME_MAX + 1])
    return shown if len(shown) <= _NAME_MAX else shown[: _NAME_MAX - 1] + "\u2026"


def called(name: str, group: Group) -> str:
    """Return what a row of a group is called."""
    return group.empty if not name or (group.name == "kind" and name == "none") else named(name)


def rows(sums: Mapping[str, Any], group: Group, most: int) -> list[Row]:
    """Return the rows of a group, those with most tokens first; beyond ``most`` they are one row, and so is the rest.

    Their sum is the report's total, whatever is left out.
    """
    named = sorted(sums[group.name].items(), key=lambda pair: (-pair[1]["before"], -pair[1]["runs"], pair[0]))
    shown = [Row(called(name, group), part) for name, part in named]
    if len(shown) > most:
        left = shown[most - 1 :]
        shown[most - 1 :] = [together(f"{len(left):,} more", left)]
    if group.parted:
        rest = sums["rest"][group.name]
        if any(rest[member] for member in ("blocks", "before", "after")) or rest["money"]["saved"]:
            shown.append(Row(group.rest, rest))
    return shown


def days(sums: Mapping[str, Any], most: int) -> tuple[list[Row], Row | None]:
    """Return the last ``most`` days up to the last run, oldest first, days without runs too; and all days before."""
    by, dated = sums["day"], _dates(sums)
    if not dated:
        return [], None
    last = dt.date.fromisoformat(dated[-1]).toordinal()
    first = max(dt.date.fromisoformat(dated[0]).toordinal(), last - most + 1)
    none = _nothing(sums["all"])
    names = [dt.date.fromordinal(number).isoformat() for number in range(first, last + 1)]
    earlier = [Row(name, part) for name, part in by.items() if not names[0] <= name <= names[-1]]
    return [Row(name, by.get(name, none)) for name in names], together("before", earlier) if earlier else None


def _nothing(sums: Mapping[str, Any]) -> dict[str, Any]:
    """Return sums of the same members, all of them 0."""
    return {name: _nothing(value) if isinstance(value, dict) else 0 for name, value in sums.items()}


def _dates(sums: Mapping[str, Any]) -> list[str]:
    """Return the days of a report in order, without the name of those beyond its bound."""
    return sorted(name for name in sums["day"] if name[0].isdigit())


def span(sums: Mapping[str, Any]) -> str:
    """Return the first and the last day."""
    dated = _dates(sums) or [""]
    return dated[0] if dated[0] == dated[-1] else f"{dated[0]} to {dated[-1]}"


def count(number: float) -> str:
    """Return a whole number with its thousands apart."""
    return f"{number:,.0f}" if isinstance(number, float) else f"{number:,}"


def counted(number: int, noun: str) -> str:
    """Return "1 run", "12 runs"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def share(part: int, whole: int) -> str:
    """Return a percentage, "-" of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else "-"


def money(currency: Mapping[str, Any]) -> Callable[[int], str]:
    """Return what writes money of a report: dollars, with more digits below one, or tokens of plain input."""
    scale: int = currency["scale"]

    def rounded(value: int, digits: int) -> int:
        shifted: int = abs(value) * 10**digits  # whole numbers: none is too large
        return (2 * shifted + scale) // (2 * scale)

    def write(value: int) -> str:
        sign = "-" if value < 0 else ""
        if currency["unit"] != "USD":
            whole = rounded(value, 0)
            return f"{sign if whole else ''}{whole:,}"
        digits = 2 if abs(value) >= scale or not value else 4
        whole = rounded(value, digits)
        return f"{sign if whole else ''}${whole // 10**digits:,}.{whole % 10**digits:0{digits}}"

    return write


def unit(currency: Mapping[str, Any]) -> str:
    """Return what money is in, for a heading."""
    return "dollars" if currency["unit"] == "USD" else "tokens of plain input"


def notes(sums: Mapping[str, Any]) -> list[str]:
    """Return what else is to be known about the money, in sentences."""
    whole = sums["all"]
    said = []
    called = whole["money"]["requests"] or whole["money"]["tokens"] or whole["unpriced"]["requests"]
    if called and sums["currency"]["unit"] == "USD":
        said.append(f"Prices: {report.clean(str(sums['currency']['source']))[:300]}.")
    elif called:
        said.append(
            "Money is in tokens of plain input, by the providers' caching rules; for dollars install "
            "headroom-cli[prices], or name a table of your own with --prices."
        )
    unpriced, uncalled = whole["unpriced"], whole["uncalled"]
    if unpriced["requests"]:
        said.append(
            f"Not priced: {counted(unpriced['requests'], 'request')} of models without a known price, with "
            f"{count(unpriced['input'])} tokens of input and {count(unpriced['output'])} of output (measured), and "
            f"{count(unpriced['saved'])} saved (estimated)."
        )
    if uncalled["runs"]:
        said.append(
            f"No calls: {counted(uncalled['runs'], 'run')} in pipes; what their {count(uncalled['saved'])} saved "
            "tokens (estimated) would have cost depends on where the output went."
        )
    return said
