"""``headroom stats --diff PREVIOUS NEXT``: where the prefix of two requests breaks, what that costs, what to do."""

from __future__ import annotations

import json

from headroom_cli import tokens
from headroom_cli.cli import io, report
from headroom_cli.cli.stats_map import large, numbered, say
from headroom_cli.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.census.causes import Break, Side
    from headroom_cli.census.doctor import Cost, Diagnosis
    from headroom_cli.census.wire import Prompt
    from headroom_cli.settings import Settings

_VERDICTS = {
    "identical": "the two requests are the same",
    "extended": "the second only adds to the first",
    "shortened": "the second is the beginning of the first",
}


def show(previous: str, following: str, settings: Settings) -> int:
    """Compare two requests; return 0 when the prefix is intact, 1 when it is broken.

    Raise FormatError when one of them is neither a request nor a list of messages, unless both are plain texts.
    """
    from headroom_cli.census import doctor

    names = ["standard input" if name == "-" else name for name in (previous, following)]
    read = [io.Source(name).read() for name in (previous, following)]
    notes: list[str] = []
    prompts = [
        _prompt(name, data, settings, notes, last=i == 0)
        for i, (name, data) in enumerate(zip(names, read, strict=True))
    ]
    raw = [prompt.format == "raw" for prompt in prompts]
    if raw[0] != raw[1]:
        raise FormatError(
            f"{names[raw.index(True)]} is no request and no list of messages; name what was sent to the model"
        )
    found = doctor.compare(prompts[0], prompts[1], settings.model)
    found.notes = notes + found.notes
    if settings.json:
        io.write(json.dumps(_json(found, names)).encode() + b"\n")
    else:
        _write(found, names, settings)
    return 0 if found.intact else 1


def _prompt(name: str, data: bytes, settings: Settings, notes: list[str], *, last: bool) -> Prompt:
    """Open one side. Of JSON Lines of requests the last one is taken before, the first one after."""
    from headroom_cli import census, formats
    from headroom_cli.census import wire

    if not data.strip():
        raise FormatError(f"{name} is empty; name what was sent to the model")
    held = census.documents(data, settings.format)
    if held:
        if len(held) > 1:
            notes.append(f"{name} holds {len(held):,} requests: the {'last' if last else 'first'} one is compared")
        return wire.read(*held[-1 if last else 0])
    try:
        return wire.read(formats.parse(data, settings.format))
    except UnicodeDecodeError as error:
        raise FormatError(f"{name} is not UTF-8 text (byte {error.start:,}); name what was sent to the model") from None


# --- for programs


def _json(found: Diagnosis, names: list[str]) -> dict[str, Any]:
    return {
        "v": 1, "intact": found.intact, "verdict": found.verdict, "model": found.model,
        "estimated": not tokens.is_exact(), "previous_tokens": found.tokens[0], "next_tokens": found.tokens[1],
        "shared_tokens": found.shared, "own_rules": found.own,
        "break": None if found.broken is None else _break_json(found.broken, names),
        "costs": [_cost_json(cost) for cost in found.costs], "warnings": found.notes,
    }  # fmt: skip


def _break_json(broken: Break, names: list[str]) -> dict[str, Any]:
    sides = {
        side: {"file": name, "path": place.path, "line": place.line or None, "column": place.column or None,
               "before": place.before, "after": place.after}
        for side, name, place in zip(("previous", "next"), names, (broken.previous, broken.next), strict=True)
    }  # fmt: skip
    return {
        "cause": broken.cause, "what": broken.what, "advice": broken.advice, "region": broken.region,
        "volatile": broken.volatile or None, "signed_blocks_behind": broken.signed, **sides,
    }  # fmt: skip


def _cost_json(cost: Cost) -> dict[str, Any]:
    return {
        "rules": cost.rules.name, "minimum_prefix": cost.minimum, "minimum_known": cost.known, "read": cost.read,
        "written": cost.written, "plain": cost.plain, "price": round(cost.price, 2), "lost": cost.lost,
        "extra_price": round(cost.extra, 2),
    }  # fmt: skip


# --- for people


def _write(found: Diagnosis, names: list[str], settings: Settings) -> None:
    broken = found.broken
    if broken is None:
        added = f", {found.tokens[1] - found.tokens[0]:,} tokens" if found.verdict == "extended" else ""
        say([f"Prefix intact: {_VERDICTS[found.verdict]}{added}."])
    else:
        say([f"Prefix broken in {_REGIONS[broken.region]}: {broken.what}."])
        for name, side in zip(names, (broken.previous, broken.next), strict=True):
            _write_side(name, side)
        if broken.volatile:
            say([f"What changed is volatile: {broken.volatile}."])
        say([f"What to do: {broken.advice}."])
        if broken.signed:
            behind = numbered(broken.signed, "signed block")
            risk = "models that bind thinking to what came before drop it or refuse the request (status 400)"
            say([f"{behind} of thinking behind the break: {risk}, which is more than money."])
    for note in found.notes:
        report.warn(note, settings)
    counted = "counted" if tokens.is_exact() else "estimated"
    say([
        "",
        f"In common: {found.shared:,} of {found.tokens[0]:,} tokens ({counted}). What the second request costs:",
    ])  # fmt: skip
    own = found.own
    rows = [
        (("* " if cost.rules.name == own else "  ") + cost.rules.name,
         *map(large, (cost.read, cost.written, cost.plain, cost.price, cost.lost, cost.extra)))
        for cost in found.costs
    ]  # fmt: skip
    heading = ("  rules", "read", "written", "plain", "price", "lost", "extra")
    report.show(rows, heading, frozenset(range(1, 7)), settings)
    price = next((cost for cost in found.costs if cost.rules.name == own), found.costs[0])
    if not price.read and not price.written:
        known = "" if price.known else " (assumed: nothing is known of this model)"
        say([f"Nothing is cached: prefixes below {price.minimum:,} tokens are not kept{known}."])
    if broken is not None and any(cost.lost for cost in found.costs):
        say(["lost: tokens that could have been read; extra: what that adds to the price, in tokens of plain input"])
    if broken is None and any(cost.lost for cost in found.costs):
        say(["lost: in the cache, and out of reach: no breakpoint within 20 blocks; put one every 15 blocks or so"])


_REGIONS = {"tools": "the tools", "system": "the system prompt", "messages": "the messages", "settings": "the settings"}


def _write_side(name: str, side: Side) -> None:
    """Write where one side differs, with a sign under the first byte that does."""
    place = f"line {side.line:,}, column {side.column:,}" if side.line else "not there"
    say([f"  {name}, {place}" + (f": {side.path}" if side.path else "")])
    if not side.line:
        return
    before, after = side.before, side.after
    while len(report.clean(before)) > 30:
        before = before[1:]
    while len(report.clean(after)) > 45:
        after = after[:-1]
    before, after = report.clean(before), report.clean(after)
    say([f"    {before}{after}", f"    {' ' * len(before)}^"])
