"""What ``headroom stats`` says of the ledger: the total, money in sentences, and tables by verb, model, kind ..."""

from __future__ import annotations

import time

from headroom_cli.cli import io, report, stats
from headroom_cli.cli import stats_view as view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from headroom_cli.cli.stats_view import Row
    from headroom_cli.settings import Settings

USUAL = stats.PARTS[:-1]
_MOST = 10  # rows of a part that was not asked for by name
_DAYS = 14
_GROUPS = {
    **{group.name: group for group in view.GROUPS},
    "verb": view.Group("verb", "Verb", "", "no verb named"),
    "backend": view.Group("backend", "Backend", "", "no call"),
    "day": view.Group("day", "Day (UTC)", "", ""),
}
_HEADING = ("runs", "blocks", "tokens before", "after", "saved", "")


def show(sums: Mapping[str, Any], by: Sequence[str], settings: Settings) -> None:
    """Write the report of ``money.sums``; of the parts in ``by`` all rows, of the usual ones the largest."""
    whole = sums["all"]
    priced = bool(whole["usage"]["requests"] or whole["money"]["tokens"])
    write = view.money(sums["currency"])
    money = ("cost", "saved cost", "net") if priced else ()
    right = frozenset(range(1, 7 + len(money)))

    def cells(row: Row) -> tuple[str, ...]:
        return (
            row.name, *(f"{number:,}" for number in (row.runs, row.blocks, row.before, row.after, row.saved)),
            view.share(row.saved, row.before),
            *(("-" if value is None else write(value)) for value in _money(row) if priced),
        )  # fmt: skip

    _table([cells(view.Row("all", whole))], "", money, right, settings)
    _say(["", *sentences(sums)])
    for part in by or USUAL:
        rows = _rows(sums, part, whole=bool(by))
        if rows and (by or len(sums[part]) > 1 or any(sums[part])):
            _say([""])
            _table([cells(row) for row in rows], _GROUPS[part].title, money, right, settings)


def _money(row: Row) -> tuple[int | None, int | None, int | None]:
    """Return cost, saved cost and net; None where nothing was priced."""
    return row.cost if row.priced else None, row.worth or None, row.net if row.priced or row.net else None


def _rows(sums: Mapping[str, Any], part: str, *, whole: bool) -> list[Row]:
    group = _GROUPS[part]
    if part != "day":
        return view.rows(sums, group, 1_000_000 if whole else _MOST)
    named = sorted(sums["day"].items())
    left = named[: 0 if whole else max(0, len(named) - _DAYS)]
    rows = [view.Row(name, sums) for name, sums in named[len(left) :]]
    return [view.together("before", [view.Row(name, sums) for name, sums in left]), *rows] if left else rows


def _table(
    rows: Sequence[tuple[str, ...]], title: str, money: tuple[str, ...], right: frozenset[int], settings: Settings
) -> None:
    report.show(rows, (title, *_HEADING, *money), right, settings)


def _say(lines: Sequence[str]) -> None:
    io.write("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))


def sentences(sums: Mapping[str, Any]) -> list[str]:
    """Return what was measured and what is estimated, each in a sentence."""
    whole, write = sums["all"], view.money(sums["currency"])
    usage, money, overhead = whole["usage"], whole["money"], whole["overhead"]
    unit = "" if sums["currency"]["unit"] == "USD" else " tokens of plain input"
    said = [f"{_span(sums)} Tokens before, after and saved are estimates."]
    rest = sums["rest"]["kind"]
    if rest["saved"]:
        said.append(f"Outside all blocks: {rest['saved']:,} tokens saved; below zero is what was added, as a note.")
    if usage["requests"]:
        written = usage["cache_write"] + usage["cache_write_1h"]
        said.append(
            f"Usage (measured): {view.counted(usage['requests'], 'request')}, {usage['input']:,} tokens of input "
            f"({usage['cache_read']:,} read from the cache, {written:,} written to it, {usage['plain']:,} plain), "
            f"{usage['output']:,} of output."
        )
    if money["requests"] or money["tokens"]:
        said.append(f"Cost (measured): {write(money['cost'])}{unit}.")
        said.append(
            f"Saved (estimated): {write(money['saved'])}{unit}. Ours: {write(money['tool'])} for our tool in requests "
            f"(estimated), {write(money['hops'])} for {view.counted(overhead['hops'], 'further call')} that fetched "
            f"originals (measured). Net: {write(money['net'])}."
        )
    if usage["requests"] or money["tokens"]:
        said += view.notes(sums)
    if assumed := _assumed(sums):
        said.append(f"By the providers' caching rules, for want of a price: {assumed}.")
    return said


def _span(sums: Mapping[str, Any]) -> str:
    first, last = (time.strftime("%Y-%m-%d %H:%M", time.gmtime(sums[name] or 0)) for name in ("first", "last"))
    return f"{first} to {last} (UTC)."


def _assumed(sums: Mapping[str, Any]) -> str:
    """Return the models of which tokens were counted at prices that no source gives."""
    named = []
    for model, price in sorted(sums["prices"].items()):
        used = sums["model"].get(model, {}).get("usage", {})
        lacking = [part.replace("_", " ") for part in price["assumed"] if used.get(part)]
        if lacking:
            named.append(f"{report.clean(model[:80])} ({', '.join(lacking)})")
    more = f" and {len(named) - 5} more" if len(named) > 5 else ""
    return ", ".join(named[:5]) + more
