"""``headroom stats --output``: what trials showed of shaping and of compression, and ``--reset-trial``."""

from __future__ import annotations

import json
import time

from headroom_cli import ledger
from headroom_cli.cli import io, report
from headroom_cli.errors import NotFoundError, StoreError
from headroom_cli.money import prices
from headroom_cli.store import url
from headroom_cli.trial import estimate, talks, verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.settings import Settings
    from headroom_cli.trial.estimate import Estimate, Reduction
    from headroom_cli.trial.talks import Groups
    from headroom_cli.trial.verdict import Verdict


def reset(settings: Settings) -> int:
    """Turn on again what a trial turned off; only conversations that begin from now on count. Raise StoreError."""
    before = verdict.standing(settings.store)
    after = verdict.reset(settings.store)
    if settings.json:
        report_of = {"compression": before.compression, "output": before.output}
        io.write(json.dumps({"v": 1, "since": after.since, "before": report_of}).encode() + b"\n")
        return 0
    off = [name for name, state in (("compression", before.compression), ("output shaping", before.output))
           if state == verdict.OFF]  # fmt: skip
    said = f"{' and '.join(off)} on again; " if off else ""
    io.write(f"{said}trials begin anew: conversations from now on count\n".encode())
    return 0


def show(settings: Settings, since: float | None = None) -> int:
    """Report on the trials, of conversations that began at or after ``since``. Raise NotFoundError, StoreError."""
    lines = 0

    def counted() -> Any:
        nonlocal lines
        for line in ledger.read(settings.store):
            lines += 1
            yield line

    # Read from its beginning: whether a conversation began before --since stands in the lines before it.
    gathered = talks.gather(counted(), prices.load(settings.prices))
    if not lines:
        raise NotFoundError("the ledger is empty; run headroom send or proxy first, or name another store with --store")
    standing = _renewed(settings, gathered)
    output = estimate.reduction(talks.output_trial(gathered, since or standing.since, unshaped_since=since or 0.0))
    compression = talks.compression_trial(gathered, since or standing.since)
    cost, unit = _cost(compression)
    if settings.json:
        found = {
            "v": 1, "store": url.shown(settings.store), "since": since, "output": _output_json(output),
            "compression": _compression_json(compression, cost, unit), "standing": _standing_json(standing),
        }  # fmt: skip
        io.write(json.dumps(found).encode() + b"\n")
        return 0
    if output.strata:
        rows = [_row(name, own) for name, own in output.strata]
        if len(rows) > 1 and output.whole is not None:
            rows.append(_row("all", output.whole))
        heading = ("first request", "shaped", "left alone", "output each", "left alone", "saved", "95 % interval")
        report.show(rows, heading, frozenset(range(1, 7)), settings)
    said = [*_output_words(output), *_compression_words(compression, cost, unit)]
    if standing.sentence:
        said.append(standing.sentence)
    io.write("".join(f"{report.clean(line)}\n" for line in said).encode("utf-8", "backslashreplace"))
    return 0


def _renewed(settings: Settings, gathered: list[talks.Talk]) -> Verdict:
    """Return what stands, after a look at these conversations; a store that cannot be written costs a warning."""
    try:
        return verdict.renew(settings.store, gathered=gathered)
    except StoreError as error:
        report.warn(f"the verdict is not kept: {error}", settings)
        return verdict.standing(settings.store)


def notice(settings: Settings) -> None:
    """Look at trials that go on, if nobody did within a day, and say what is off; no report depends on it."""
    try:
        if settings.holdout or settings.output_holdout:
            verdict.renew_if_older(settings.store, verdict.DAY)
        if sentence := verdict.standing(settings.store).sentence:
            report.warn(sentence, settings)
    except StoreError as error:
        report.warn(f"the verdict of the trial is not kept: {error}", settings)


def _cost(groups: Groups) -> tuple[Estimate | None, str]:
    """Return what compression did to the price of a conversation's input, None without enough of them, and the unit.

    That is "USD" where the price of all requests is known, else "plain", for tokens of plain input.
    """
    arms = groups.treated, groups.control
    unit = "USD" if all(talk.dollars is not None for arm in arms for talk in arm) else "plain"
    if min(map(len, arms)) < estimate.MINIMUM:
        return None, unit
    samples = (
        [(talk.stratum, talk.price if unit == "plain" else talk.dollars or 0.0, 1.0) for talk in arm] for arm in arms
    )
    return estimate.compare(*samples), unit


# --- in words


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _interval(found: Estimate, *, said: bool = True) -> str:
    """Return both ends; where more is ``said`` instead of fewer, as shares more."""
    ends = (-found.high, -found.low) if said and found.saved < 0 else (found.low, found.high)
    return f"{_percent(ends[0])} to {_percent(ends[1])}"


def _row(name: str, found: Estimate) -> tuple[str, ...]:
    return (
        name.replace("|", " "), f"{found.treated:,}", f"{found.control:,}", f"{found.mean_treated:,.0f}",
        f"{found.mean_control:,.0f}", f"{_percent(found.saved)} %", _interval(found, said=False),
    )  # fmt: skip


def _less(found: Estimate, few: str, many: str) -> str:
    """Return "31.7 % fewer", or "4.0 % more" of what is a loss."""
    return f"{_percent(abs(found.saved))} % {few if found.saved >= 0 else many}"


def _unclear(found: Estimate) -> str:
    return "; it may be chance" if found.low <= 0 <= found.high else ""


def _talks(count: int) -> str:
    return f"{count:,} conversation{'s' if count != 1 else ''}"


def _output_words(found: Reduction) -> list[str]:
    whole, groups = found.whole, found.groups
    if whole is None:
        said = [f"output: {estimate.NOT_ENOUGH}, {_wanting(found)}"]
    elif found.tier == estimate.MEASURED:
        label = f"{found.tier}, {_talks(whole.treated + whole.control)}, {whole.control:,} left alone{_unclear(whole)}"
        said = [f"{_less(whole, 'fewer', 'more')} output tokens (95 % CI {_interval(whole)}) [{label}]"]
    else:
        label = f"{found.tier}, {_talks(whole.treated)} beside {whole.control:,} unshaped{_unclear(whole)}"
        said = [
            f"{_less(whole, 'fewer', 'more')} output tokens ({_interval(whole)}; not drawn by chance) [{label}]",
            f"output: not measured, {_wanting(found)}",
        ]
    if found.request is not None:
        said.append(f"by request: {_less(found.request, 'fewer', 'more')} ({_interval(found.request)})")
    wrong = sum(groups.excluded.values())
    if wrong:
        said.append(f"output: {_talks(wrong)} left out, in which shaping was not what their arm says")
    return said


def _wanting(found: Reduction) -> str:
    """Say what is missing for a measurement."""
    shaped, alone = found.missing
    if not shaped and not alone:
        return "what was left out is more than one in twenty: see why shaping does not reach all requests"
    wanted = [f"{shaped:,} more shaped"] if shaped else []
    wanted += [f"{alone:,} more left alone"] if alone else []
    return f"{' and '.join(wanted)} conversations needed (HEADROOM_OUTPUT_SHAPER=1 HEADROOM_OUTPUT_HOLDOUT=0.1)"


def _compression_words(groups: Groups, cost: Estimate | None, unit: str) -> list[str]:
    counts = len(groups.treated), len(groups.control)
    if cost is not None:
        label = f"{estimate.MEASURED}, {_talks(sum(counts))}, {counts[1]:,} left alone{_unclear(cost)}"
        each = (
            f"${cost.mean_treated:,.4f} instead of ${cost.mean_control:,.4f}" if unit == "USD"
            else f"{cost.mean_treated:,.0f} instead of {cost.mean_control:,.0f} tokens of plain input"
        )  # fmt: skip
        return [f"{_less(cost, 'less', 'more')} input cost (95 % CI {_interval(cost)}), {each} each [{label}]"]
    if not any(counts):
        return ["compression: no trial; HEADROOM_HOLDOUT=0.1 leaves one conversation in ten alone"]
    missing = [max(0, estimate.MINIMUM - count) for count in counts]
    wanted = f"{missing[0]:,} more compressed and {missing[1]:,} more left alone"
    return [f"compression: {estimate.NOT_ENOUGH}, {wanted} conversations needed"]


# --- as JSON


def _estimate_json(found: Estimate | None) -> dict[str, Any]:
    if found is None:
        return {"saved": None, "low": None, "high": None}
    return {
        "saved": round(found.saved, 6), "low": round(found.low, 6), "high": round(found.high, 6),
        "mean_treated": round(found.mean_treated, 6), "mean_control": round(found.mean_control, 6),
    }  # fmt: skip


def _output_json(found: Reduction) -> dict[str, Any]:
    groups = found.groups
    return {
        "tier": found.tier, **_estimate_json(found.whole), "by_request": _estimate_json(found.request),
        "treated": len(groups.treated), "control": len(groups.control),
        "chosen": len(groups.chosen), "baseline": len(groups.baseline), "excluded": groups.excluded,
        "missing": {"treated": found.missing[0], "control": found.missing[1]}, "drift": round(found.drift, 6),
        "levels": sorted(set().union(*(talk.levels for talk in groups.treated))),
        "strata": [
            {"stratum": name, "treated": own.treated, "control": own.control, **_estimate_json(own)}
            for name, own in found.strata
        ],
    }  # fmt: skip


def _compression_json(groups: Groups, cost: Estimate | None, unit: str) -> dict[str, Any]:
    return {
        "tier": estimate.MEASURED if cost else estimate.NOT_ENOUGH, **_estimate_json(cost), "unit": unit,
        "treated": len(groups.treated), "control": len(groups.control), "excluded": groups.excluded,
    }  # fmt: skip


def _standing_json(standing: Verdict) -> dict[str, Any]:
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(standing.when))
    return {
        "compression": standing.compression, "output": standing.output, "sentence": standing.sentence, "when": when,
        "since": standing.since, "found": standing.found,
    }  # fmt: skip
