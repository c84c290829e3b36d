"""``headroom stats``: what was saved so far, or where the tokens of a document are."""

from __future__ import annotations

import json

from headroom_cli.cli import filters, io, report
from headroom_cli.cli.options import REPORTING, Argument, Verb
from headroom_cli.errors import NotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from headroom_cli.settings import Settings


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Report on the ledger, or on the document that was named."""
    if own.get("file"):
        return _map(settings, own["file"])
    from headroom_cli import ledger

    totals = ledger.summary(ledger.read(settings.store))
    if not totals["all"]["runs"]:
        raise NotFoundError("the ledger is empty; run headroom crush first, or name another store with --store")
    if settings.json:
        io.write(json.dumps({"v": 1, "store": settings.store, **totals}).encode() + b"\n")
        return 0
    rows = [_total("all", totals["all"])]
    for part in ("verb", "kind"):
        rows += [_total(name, total) for name, total in sorted(totals[part].items())]
    # The latest fortnight; --json has every day.
    rows += [_total(day, total) for day, total in sorted(totals["day"].items())[-14:]]
    heading = ("", "runs", "blocks", "tokens before", "after", "saved", "")
    report.show(rows, heading, frozenset(range(1, 7)), settings)
    return 0


def _total(name: str, total: Mapping[str, float]) -> tuple[str, ...]:
    """Return one line of sums."""
    return (name, *(f"{total[key]:,.0f}" for key in ("runs", "blocks", "before", "after", "saved")),
            _share(total["saved"], total["before"]))  # fmt: skip


def _map(settings: Settings, file: str) -> int:
    """Report the tokens of a document by role and kind, largest first."""
    if status := filters.refuse_terminal(VERB, file):
        return status
    result = filters.preview(io.Source(file).read(), settings)
    parts: dict[tuple[str, str], dict[str, Any]] = {}
    for block in result.blocks:
        part = parts.setdefault((block.role, block.kind or "-"), {"blocks": 0, "before": 0, "after": 0})
        part["blocks"] += 1
        part["before"] += block.before
        part["after"] += block.after
    ordered = sorted(parts.items(), key=lambda item: -item[1]["before"])
    if settings.json:
        listed = [
            {"role": role, "kind": kind, "blocks": part["blocks"], "tokens": part["before"], "crushed": part["after"]}
            for (role, kind), part in ordered
        ]
        whole = {
            "v": 1,
            "format": result.format,
            "tokens": result.before,
            "crushed": result.after,
            "level": result.level,
        }
        io.write(json.dumps({**whole, "parts": listed}).encode() + b"\n")
    else:
        rows = [
            (role, kind, f"{part['blocks']:,}", f"{part['before']:,}", _share(part["before"], result.before),
             f"{part['after']:,}")
            for (role, kind), part in ordered
        ]  # fmt: skip
        blocks = f"{len(result.blocks):,}"
        rows.append(("all", result.format, blocks, f"{result.before:,}", _share(1, 1), f"{result.after:,}"))
        heading = ("role", "kind", "blocks", "tokens", "share", f"at {result.level}")
        report.show(rows, heading, frozenset({2, 3, 4, 5}), settings)
    for warning in result.warnings:
        report.warn(warning, settings)
    return 0


def _share(part: float, whole: float) -> str:
    """Return a percentage, "-" of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else "-"


VERB = Verb(
    "stats",
    run,
    about="show what was saved so far, or where a document's tokens are",
    text="""
        Without FILE, sums up the ledger, in which every run of crush and route leaves one line of numbers: by verb,
        by kind and by day. It never holds any of your text.

        With FILE, or - for standard input, shows the document's tokens by role and kind, and what crush would leave.
        Token numbers are estimates.
    """,
    arguments=(Argument("file", "a document to look into; - is standard input"),),
    flags=("format", "model", "level", *REPORTING),
    examples=(
        ("headroom stats", "show what was saved so far"),
        ("headroom stats trace.json", "show where the tokens of a document are"),
    ),
    statuses=((1, "the ledger is empty"),),
)
