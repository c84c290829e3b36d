"""``headroom stats``: what was saved so far, where the tokens of a document are, or why a cache was missed."""

from __future__ import annotations

import json

from headroom_cli.cli import filters, io, report
from headroom_cli.cli.options import REPORTING, Argument, Verb
from headroom_cli.errors import NotFoundError, UsageError
from headroom_cli.settings import Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from headroom_cli.settings import Settings


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Report on the ledger, on the document that was named, or on two requests."""
    if "follow" in own:
        if "diff" in own or own.get("file"):
            raise UsageError("stats --follow shows the ledger alone; leave out FILE and --diff")
        from headroom_cli.cli import stats_follow

        return stats_follow.show(settings)
    if "diff" in own:
        return _diff(settings, own["diff"], own.get("file", ""))
    if own.get("file"):
        if status := filters.refuse_terminal(VERB, own["file"]):
            return status
        from headroom_cli.cli import stats_map

        return stats_map.show(io.Source(own["file"]).read(), settings)
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


def _share(part: float, whole: float) -> str:
    """Return a percentage, "-" of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else "-"


def _diff(settings: Settings, previous: str, following: str) -> int:
    """Compare two requests. Raise UsageError unless there are two, at most one of them on standard input."""
    if not previous or not following:
        raise UsageError("stats --diff compares two requests; write headroom stats --diff PREVIOUS NEXT")
    if previous == following == "-":
        raise UsageError("stats --diff can read one of the two from standard input, not both; name a file")
    if status := filters.refuse_terminal(VERB, "-" if "-" in {previous, following} else previous):
        return status
    from headroom_cli.cli import stats_diff

    return stats_diff.show(previous, following, settings)


VERB = Verb(
    "stats",
    run,
    about="show what was saved so far, where a document's tokens are, or why a cache was missed",
    text="""
        Without FILE, sums up the ledger, in which every run and every request leaves one line of numbers: by verb,
        by kind and by day. It never holds any of your text.

        With --follow, shows the sum and then every run as it is added, by whatever process (crush, send, the proxy):
        time, verb, model, estimated tokens before and after, what was saved, milliseconds, and of a call the share of
        its input that the provider read from its cache. Ctrl-C ends it.

        With FILE, or - for standard input, shows the document's tokens by role, kind and tool (of a shell, the program
        that it ran), and what route would leave. All of it counts: tools, calls, and as "structure" ids and JSON. Then
        the stable prefix, which ends at the first volatile byte of the tools or the system prompt, and the price under
        each provider's caching rules of the requests that a conversation is made of, one for each answer: tokens read
        from the cache, written to it, and plain; the price raw and shortened, in tokens of plain input; the ratio of
        the two, and that of the tools' outputs alone. A * stands at the model's own rules. JSON Lines of requests are
        priced as they are. Token numbers are estimates, unless --ranks names a rank file.

        With --diff, compares a request with the one that followed it, as the provider renders them: tools, system
        prompt, messages. Names the first byte where they diverge by line and column (in characters) in both files,
        what changed, what it costs under each provider's rules, and what to do. Breakpoints, spacing, and the order of
        a schema's keys make no difference. Two plain texts are compared as system prompts.

        With --json, one object; with --follow one for each line: total; then when, verb, model, tokens (before,
        after), saved, ms, cache_share. Of a document: format, model, level, estimated, tokens, crushed, observations
        (tokens, crushed), stable_prefix (tokens, volatile), parts (role, kind, tool, blocks, tokens, crushed),
        requests, breakpoints (client or assumed), prices (rules, minimum_prefix, read, written, plain, price,
        price_crushed, ratio, ratio_observations ...), uncounted_media, warnings. With --diff: intact, verdict
        (identical, extended, shortened, broken), shared_tokens, break (cause, what, advice, region, volatile,
        signed_blocks_behind, previous and next with path, line and column), costs (rules, read, written, plain, price,
        lost, extra_price).
    """,
    arguments=(Argument("file", "a document to look into; - is standard input"),),
    flags=("format", "model", "ranks", "level", *REPORTING),
    own=(
        Setting("follow", ("--follow", "-f"), "", "switch", "", "go on with every new run until interrupted"),
        Setting(
            "diff", ("--diff",), "", "text", "PREVIOUS",
            "the request before FILE: say where the two diverge; - is standard input",
        ),
    ),
    examples=(
        ("headroom stats", "show what was saved so far"),
        ("headroom stats --follow", "watch what is saved"),
        ("headroom stats trace.json", "show where the tokens of a document are, and what it costs"),
        ("headroom stats --diff previous.json next.json", "show why the second was not read from the cache"),
    ),
    statuses=(
        (1, "the ledger is empty; with --diff, the prefix is broken"),
        (65, "the input is not what --from said; with --diff, it is no request"),
    ),
)  # fmt: skip
