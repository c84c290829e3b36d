"""``headroom stats FILE``: where a document's tokens are, what of it stays in a cache, and what it costs."""

from __future__ import annotations

import json

from headroom_cli import tokens
from headroom_cli.cli import filters, io, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.census import Census, Price
    from headroom_cli.census.prefix import Volatile
    from headroom_cli.model import Result
    from headroom_cli.settings import Settings

MOST_ROWS = 24  # of the map on a terminal; --json has all
NAME = 18  # characters of a tool's name on a terminal


def show(data: bytes, settings: Settings) -> int:
    """Report on a document. Raise FormatError when it is not what ``--from`` said."""
    from headroom_cli import census

    # The map is of the document as it is: where align moves a value to, and what fit leaves out, is not asked here.
    result = filters.preview(data, settings, stages=("route",))
    held = census.documents(data, settings.format)
    if held:
        counted = census.take(held, result.blocks, settings.model)
        volatile = _volatile(counted)
        write = _write_json if settings.json else _write
        write(counted, volatile, result, settings)
    else:
        _raw(result, settings)
    for warning in result.warnings:
        report.warn(warning, settings)
    return 0


def _volatile(counted: Census) -> Volatile | None:
    """Return the first volatile value of the document's first request."""
    from headroom_cli.census import Meter, prefix

    return prefix.first_volatile(counted.prompts[0], counted.sizes, Meter(counted.model))


# --- for programs


def _write_json(counted: Census, volatile: Volatile | None, result: Result, settings: Settings) -> None:
    stable: dict[str, Any] = {"tokens": sum(counted.sizes) if volatile is None else volatile.tokens, "volatile": None}
    if volatile is not None:
        stable["volatile"] = {
            "kind": volatile.kind, "path": volatile.path, "line": volatile.line, "column": volatile.column,
            "text": volatile.text[:200],
        }  # fmt: skip
    whole = {
        "v": 1, "format": result.format, "model": counted.model, "level": result.level,
        "estimated": not tokens.is_exact(), "tokens": counted.before, "crushed": counted.after,
        "observations": {"tokens": counted.observed_before, "crushed": counted.observed_after},
        "stable_prefix": stable,
        "uncounted_media": counted.media,
        "parts": [
            {"role": role, "kind": kind, "tool": tool, "blocks": row.blocks, "tokens": row.before, "crushed": row.after}
            for (role, kind, tool), row in counted.ordered()
        ],
        "requests": counted.requests, "own_rules": counted.own_rules(),
        "breakpoints": counted.marks,
        "prices": [_price_json(price) for price in counted.prices],
        "warnings": counted.warnings(),
    }  # fmt: skip
    del settings
    io.write(json.dumps(whole).encode() + b"\n")


def _price_json(price: Price) -> dict[str, Any]:
    raw, crushed = price.before, price.after
    return {
        "rules": price.rules.name, "about": price.rules.about, "minimum_prefix": price.minimum,
        "minimum_known": price.known, "sent": raw.sent, "read": raw.read, "written": raw.written, "plain": raw.plain,
        "broken": raw.broken, "price": round(raw.price, 2), "price_crushed": round(crushed.price, 2),
        "ratio": _ratio(crushed.price, raw.price),
        "price_observations": round(price.observed_before, 2),
        "price_observations_crushed": round(price.observed_after, 2),
        "ratio_observations": _ratio(price.observed_after, price.observed_before),
    }  # fmt: skip


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


# --- for people


def _write(counted: Census, volatile: Volatile | None, result: Result, settings: Settings) -> None:
    rows, rest = counted.ordered(), [0, 0, 0, 0]
    shown = []
    for (role, kind, tool), row in rows[: MOST_ROWS if len(rows) > MOST_ROWS + 1 else len(rows)]:
        shown.append((role, kind, short(tool, NAME), f"{row.blocks:,}", f"{row.before:,}",
                      share(row.before, counted.before), f"{row.after:,}"))  # fmt: skip
    for _, row in rows[len(shown) :]:
        rest = [rest[0] + 1, rest[1] + row.blocks, rest[2] + row.before, rest[3] + row.after]
    if rest[0]:
        shown.append((f"{rest[0]} more", "", "", f"{rest[1]:,}", f"{rest[2]:,}", share(rest[2], counted.before),
                      f"{rest[3]:,}"))  # fmt: skip
    blocks = sum(row.blocks for _, row in rows)
    shown.append(("all", result.format, "", f"{blocks:,}", f"{counted.before:,}", share(1, 1), f"{counted.after:,}"))
    heading = ("role", "kind", "tool", "blocks", "tokens", "share", f"at {result.level}")
    report.show(shown, heading, frozenset({3, 4, 5, 6}), settings)
    counting = "Tokens are counted." if tokens.is_exact() else "Tokens are estimated."
    own = counted.own_rules()
    price = counted.own_price()
    observed = (
        f"Outputs of tools, all that may be shortened: {counted.observed_before:,} -> {counted.observed_after:,} tokens"
        f" ({share(counted.observed_after, counted.observed_before)});"
        f" they are {share(price.observed_before, price.before.price)} of the price."
    ).replace(" %", "%")  # a number and its sign stay on one line
    title = f"Price of {numbered(counted.requests, 'request')}, in tokens of plain input. {counting}"
    lines = ["", observed, *_stable(counted, volatile), *counted.warnings(), "", title]
    say(lines)
    prices = [
        (("* " if price.rules.name == own else "  ") + price.rules.name,
         *map(large, (price.before.read, price.before.written, price.before.plain, price.before.price,
                      price.after.price)),
         decimal(price.after.price, price.before.price), decimal(price.observed_after, price.observed_before))
        for price in counted.prices
    ]  # fmt: skip
    columns = ("  rules", "read", "written", "plain", "price", f"at {result.level}", "ratio", "outputs")
    report.show(prices, columns, frozenset(range(1, 8)), settings)


def _stable(counted: Census, volatile: Volatile | None) -> list[str]:
    whole = f"{sum(counted.sizes):,} tokens"
    if volatile is None:
        return [f"Stable prefix: all {whole}; no volatile value in tools or system prompt."]
    place = f"line {volatile.line:,}, column {volatile.column:,}"
    excerpt = f"{volatile.before[-20:]}>{short(volatile.text, 30)}<{volatile.after[:12]}"
    return [
        f"Stable prefix: {volatile.tokens:,} of {whole}. First volatile byte: {place}",
        f"  {volatile.path or 'input'}, {volatile.kind}: {excerpt}",
    ]


def _raw(result: Result, settings: Settings) -> None:
    """Report the tokens of a raw blob, which is no request and has no price."""
    parts: dict[tuple[str, str], list[int]] = {}
    for block in result.blocks:
        part = parts.setdefault((block.role, block.kind or "-"), [0, 0, 0])
        for i, number in enumerate((1, block.before, block.after)):
            part[i] += number
    ordered = sorted(parts.items(), key=lambda item: -item[1][1])
    if settings.json:
        whole = {
            "v": 1, "format": result.format, "level": result.level, "estimated": not tokens.is_exact(),
            "tokens": result.before, "crushed": result.after,
            "parts": [
                {"role": role, "kind": kind, "tool": "", "blocks": blocks, "tokens": before, "crushed": after}
                for (role, kind), (blocks, before, after) in ordered
            ],
        }  # fmt: skip
        io.write(json.dumps(whole).encode() + b"\n")
        return
    rows = [
        (role, kind, f"{blocks:,}", f"{before:,}", share(before, result.before), f"{after:,}")
        for (role, kind), (blocks, before, after) in ordered
    ]
    rows.append(("all", result.format, f"{len(result.blocks):,}", f"{result.before:,}", share(1, 1),
                 f"{result.after:,}"))  # fmt: skip
    heading = ("role", "kind", "blocks", "tokens", "share", f"at {result.level}")
    report.show(rows, heading, frozenset({2, 3, 4, 5}), settings)


def say(lines: list[str]) -> None:
    """Write sentences to standard output, wrapped; a line that is indented stays as it is."""
    import textwrap

    for line in lines:
        told = report.clean(line)
        wrapped = [told] if told.startswith(" ") else textwrap.wrap(told, 80, break_on_hyphens=False) or [""]
        io.write("".join(part + "\n" for part in wrapped).encode("utf-8", "backslashreplace"))


def large(number: float) -> str:
    """Return a number that fits its column."""
    return (
        f"{number:,.0f}"
        if number < 999_999.5
        else f"{number / 1e6:,.3g} M"
        if number < 999.5e6
        else f"{number / 1e6:,.0f} M"
    )


def share(part: float, whole: float) -> str:
    """Return a percentage, "-" of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else "-"


def decimal(part: float, whole: float) -> str:
    """Return a ratio, "-" of nothing."""
    return f"{part / whole:.3f}" if whole else "-"


def short(text: str, most: int) -> str:
    """Return a text with its middle left out when it is too long for its column."""
    return text if len(text) <= most else f"{text[: most // 2 - 1]}..{text[-(most - most // 2 - 1) :]}"


def numbered(number: int, noun: str) -> str:
    """Return "1 block", "12 blocks"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
