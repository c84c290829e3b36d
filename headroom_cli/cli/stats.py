"""``headroom stats``: what was saved so far, where the tokens of a document are, or why a cache was missed."""

from __future__ import annotations

import json

from headroom_cli.cli import filters, io
from headroom_cli.cli.options import REPORTING, Argument, Verb
from headroom_cli.errors import NotFoundError, UsageError
from headroom_cli.settings import Setting
from headroom_cli.store import url

_OF_SUMS = ("since", "by", "csv", "plot", "html")
PARTS = ("verb", "model", "kind", "tool", "project", "day", "backend")
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DAY = 86_400

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from headroom_cli.settings import Settings


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Report on the ledger, on the document that was named, on two requests, or on trials."""
    if "shaping" in own or "reset_trial" in own:
        if own.get("file") or not own.keys() <= {"shaping", "reset_trial", "since", "file"}:
            raise UsageError("stats --output and --reset-trial go with --since and --json alone; leave the others out")
        from headroom_cli.cli import stats_output

        if "reset_trial" in own:
            return stats_output.reset(settings)
        return stats_output.show(settings, _since(own.get("since", "")))
    sums = [f"--{name}" for name in _OF_SUMS if name in own]
    if sums and ("follow" in own or "diff" in own or own.get("file")):
        raise UsageError(f"stats {sums[0]} is for sums of the ledger; leave out FILE, --follow and --diff")
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
    return _sums(settings, own)


def _sums(settings: Settings, own: Mapping[str, str]) -> int:
    """Report on the ledger. Raise NotFoundError when there is nothing in it."""
    from headroom_cli import ledger, money
    from headroom_cli.money import prices

    by, since = _by(own.get("by", "")), _since(own.get("since", ""))
    if sum((settings.json, "csv" in own, "plot" in own, "html" in own)) > 1:
        raise UsageError("--json, --csv, --plot and --html are ways to write the report; use one")
    if by and (settings.json or "plot" in own or "html" in own):
        raise UsageError("--by chooses tables, also of --csv; --json, --plot and --html show all parts: leave it out")
    # What the conversations of the first requests had saved a day before tells what the cache would have held.
    lines = ledger.read(settings.store, since if since is None else since - _DAY)
    sums = money.report(lines, prices.load(settings.prices), since)
    if not sums["all"]["runs"]:
        if since is not None:
            raise NotFoundError("the ledger has nothing from then on; ask for more with --since")
        raise NotFoundError("the ledger is empty; run headroom crush first, or name another store with --store")
    if settings.json:
        io.write(json.dumps({"v": 1, "store": url.shown(settings.store), **sums}).encode() + b"\n")
    elif "csv" in own:
        from headroom_cli.cli import stats_csv

        stats_csv.show(sums, by or PARTS)
    elif "plot" in own:
        from headroom_cli.cli import stats_plot

        stats_plot.show(sums, settings)
    elif "html" in own:
        from headroom_cli.cli import stats_html

        stats_html.show(sums, own["html"], settings)
    else:
        from headroom_cli.cli import stats_ledger

        stats_ledger.show(sums, by, settings)
    from headroom_cli.cli import stats_output

    stats_output.notice(settings)
    return 0


def _by(text: str) -> tuple[str, ...]:
    """Read ``--by``. Raise UsageError."""
    chosen = tuple(dict.fromkeys(word for part in text.split(",") if (word := part.strip())))
    if wrong := [word for word in chosen if word not in PARTS]:
        raise UsageError(f"--by {wrong[0][:40]!r} is unknown; use {', '.join(PARTS)}")
    return chosen


def _since(text: str) -> float | None:
    """Read ``--since``, return Unix seconds, None for all times. Raise UsageError."""
    if not text:
        return None
    number, unit = text[:-1], text[-1]
    if unit in _SECONDS and number.isascii() and number.isdigit() and len(number) <= 6:
        import time

        return time.time() - int(number) * _SECONDS[unit]
    from datetime import UTC, datetime

    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise UsageError(f"--since {text[:40]!r} is no time; write 7d, 24h, 30m, 2w or 2026-11-01 (UTC)") from None


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
        model, kind, tool, project and day. It never holds any of your text. Tokens before and after are estimates of
        ours; a request that was refused counts as a run without tokens. Usage is what providers counted, and cost is
        that at their prices: measured. What was saved is an estimate: saved tokens at the price that they would have
        had, which is the cache's for what the conversation's request before had saved already. Net is less by what our
        tool in requests costs, and by the calls that fetched originals. Runs in pipes have no cost. Days are UTC's.

        Dollars come from a table of prices (--prices) and from the package of headroom-cli[prices], whose data is that
        of the installed version; nothing is downloaded. Without both, money is in tokens of plain input, by the
        providers' caching rules. A model that has no price is listed as not priced. The table is TOML, in dollars for
        a million tokens: under each [[price]] model (a pattern such as claude-sonnet-4-5*), plain and output, and as
        you like cache_read, cache_write, cache_write_1h, from (the first day, such as 2026-01-31) and over (for calls
        with more tokens of input). Of the rows that fit a call the last one counts.

        With --by, shows these parts alone, with all their rows: verb, model, kind, tool, project, day, backend. With
        --csv, one table: group, name, then numbers; money is exact, and cells of a part that has no such number are
        empty. The rows of a group add up to the first row, those of kind and tool together with group rest.

        With --plot, draws the tokens saved in the last 30 days (up to the last run) and by kind, model, tool and
        project what was left of them, as wide as the terminal is; blocks where LC_ALL, LC_CTYPE or LANG say UTF-8,
        otherwise # and -. With --html, writes one page with charts and tables of the same sums, for you alone to read
        (mode 0600), in one step. It loads nothing, runs nothing, and holds the ledger's numbers and names, no text.

        With --output, reports on trials. HEADROOM_OUTPUT_HOLDOUT=0.1 leaves one conversation in ten unshaped,
        HEADROOM_HOLDOUT=0.1 one in ten uncompressed, drawn by chance; the others are compared with them, whole
        conversations, within strata of their first request (model, size, tools). "measured" needs 30 conversations in
        each arm; before that "estimated" compares with conversations from before the trial, which were not drawn, and
        "not enough data" says how many are missing. Conversations in which shaping did not stand as their arm says are
        left out and counted. If conversations turn out to cost more, compression or shaping turns itself off; chance
        alone does that to each in at most one installation of twenty, however often it is looked. --reset-trial turns
        it on again, and only conversations from then on count.

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

        With --json, one object: v, store, days, since, first, last, currency (unit, scale, source), all, verb, day,
        model, project, backend, kind, tool, rest (kind, tool), prices (by model: source, date, from, unit, each part of
        usage, long, assumed). A sum has runs, blocks, before, after, saved, ms, usage (requests, input, plain,
        cache_read, cache_write, cache_write_1h, output), overhead (markers, tool, hops), money (requests, tokens, cost,
        saved, tool, hops, net; whole numbers, scale of them are one unit), unpriced (requests, input, output, saved),
        uncalled (runs, saved); of a kind or tool the first six, and money (saved). With --output: since, output (tier,
        saved, low, high, mean_treated, mean_control, by_request, treated, control, chosen, baseline, excluded, missing,
        drift, levels, strata), compression (likewise; unit is USD where all prices are known, else plain), standing
        (compression, output, sentence, when, since, found). With --follow one for each line: total; then when, verb,
        model, tokens (before, after), saved, ms, cache_share. Of a document: format, model, level, estimated, tokens,
        crushed, observations (tokens, crushed), stable_prefix (tokens, volatile), parts (role, kind, tool, blocks,
        tokens, crushed), requests, breakpoints (client or assumed), prices (rules, minimum_prefix, read, written,
        plain, price, price_crushed, ratio, ratio_observations ...), uncounted_media, warnings. With --diff: intact,
        verdict (identical, extended, shortened, broken), shared_tokens, break (cause, what, advice, region, volatile,
        signed_blocks_behind, previous and next with path, line and column), costs (rules, read, written, plain, price,
        lost, extra_price).
    """,
    arguments=(Argument("file", "a document to look into; - is standard input"),),
    flags=("format", "model", "ranks", "level", "prices", *REPORTING),
    own=(
        Setting(
            "since", ("--since",), "", "text", "WHEN",
            "of the ledger, count what ran from then on: 7d, 24h, 2026-11-01",
        ),
        Setting(
            "by", ("--by",), "", "text", "PART,...", f"show the ledger by these alone: {', '.join(PARTS)}",
            shown="all but backend, their largest rows",
        ),
        Setting("csv", ("--csv",), "", "switch", "", "write the sums of the ledger as one table for programs"),
        Setting("plot", ("--plot",), "", "switch", "", "draw the sums of the ledger as bars, and the last 30 days"),
        Setting(
            "html", ("--html",), "", "text", "FILE", "write the sums of the ledger as a page; - is standard output"
        ),
        Setting("shaping", ("--output",), "", "switch", "", "show what trials say of shaping and compression"),
        Setting(
            "reset_trial", ("--reset-trial",), "", "switch", "", "turn on again what a trial turned off, and begin anew"
        ),
        Setting("follow", ("--follow", "-f"), "", "switch", "", "go on with every new run until interrupted"),
        Setting(
            "diff", ("--diff",), "", "text", "PREVIOUS",
            "the request before FILE: say where the two diverge; - is standard input",
        ),
    ),
    examples=(
        ("headroom stats", "show what was saved so far"),
        ("headroom stats --since 7d --by model,project", "show what a week cost, and what it would have"),
        ("headroom stats --csv > saved.csv", "take the sums to a spreadsheet"),
        ("headroom stats --plot", "see it as bars"),
        ("headroom stats --html saved.html", "make a page to look at, print or send"),
        ("headroom stats --output", "show what output shaping and compression do, by trials"),
        ("headroom stats --follow", "watch what is saved"),
        ("headroom stats trace.json", "show where the tokens of a document are, and what it costs"),
        ("headroom stats --diff previous.json next.json", "show why the second was not read from the cache"),
    ),
    statuses=(
        (1, "the ledger is empty; with --diff, the prefix is broken"),
        (65, "the input is not what --from said; with --diff, it is no request"),
    ),
)  # fmt: skip
