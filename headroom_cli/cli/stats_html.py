"""``headroom stats --html FILE``: the sums of the ledger as one page that needs nothing else, now or later.

No script, no address: the page's own policy lets a browser load nothing, and use its one style sheet alone, by digest.
Every name of the ledger goes in as text. What a chart shows stands in the table beneath it too.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import time
from html import escape

from headroom_cli.cli import io, report, stats_file, stats_svg, stats_tables, stats_view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from headroom_cli.settings import Settings

_POLICY = "default-src 'none'; style-src '[digest]'; img-src data:; base-uri 'none'; form-action 'none'"
_VERBS = 6


def show(sums: Mapping[str, Any], file: str, settings: Settings) -> int:
    """Write the page to ``file``, "-" for standard output. Raise OutputError."""
    made = page(sums, time.time()).encode()
    if file == "-":
        io.write(made)
        return 0
    stats_file.save(file, made)
    if report.wants_summary(settings):
        io.tell(f"headroom stats: {report.clean(file)} written, {len(made):,} bytes")
    return 0


def page(sums: Mapping[str, Any], now: float) -> str:
    """Return the page for a report of money.sums, made at ``now`` (Unix seconds)."""
    with open(os.path.join(os.path.dirname(__file__), "stats_page.html"), encoding="utf-8") as template:
        frame = template.read()
    style = frame[frame.index("<style>") + 7 : frame.index("</style>")]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    parts = stats_tables.parts(sums)
    top = f'{_hero(sums)}\n<div class="row">\n{_runs(sums)}\n{_cache(sums)}\n{_money(sums)}\n</div>'
    places = {
        "policy": _POLICY.replace("[digest]", f"sha256-{digest}"),
        "span": escape(stats_view.span(sums)),
        "made": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now)),
        "links": "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title, _ in parts),
        "main": "\n".join((top, *(part for _, _, part in parts))),
    }
    # In one pass: a name that reads like a place of the template stays the text that it is.
    return re.sub(rf"\[({'|'.join(places)})\]", lambda found: places[found[1]], frame)


def _card(name: str, title: str, inside: str) -> str:
    head = f"{name}-head"
    return f'<section class="card" aria-labelledby="{head}">\n<h2 id="{head}">{title}</h2>\n{inside}\n</section>'


def _soft(text: str) -> str:
    return f'<p class="soft">{escape(text)}</p>'


def _hero(sums: Mapping[str, Any]) -> str:
    """Return what was saved in all, and by day."""
    whole = stats_view.Row("all", sums["all"])
    before, after = stats_view.count(whole.before), stats_view.count(whole.after)
    of = _soft(
        f"{stats_view.share(whole.saved, whole.before)} of {before}; {after} were left."
        if whole.saved >= 0
        else f"More was added than saved: {before} before, {after} after."
    )
    return f"""<section class="card hero" aria-labelledby="saved-head">
<div>
<h2 id="saved-head">Tokens saved, estimated</h2>
<p class="big{"" if whole.saved >= 0 else " bad"}" id="saved">{stats_view.count(whole.saved)}</p>
{of}
</div>
{stats_tables.saved_by_day(sums)}
</section>"""


def _runs(sums: Mapping[str, Any]) -> str:
    """Return how many runs there were, and what was ours in them."""
    whole, overhead = sums["all"], sums["all"]["overhead"]
    verbs = sorted(sums["verb"].items(), key=lambda pair: (-pair[1]["runs"], pair[0]))
    by = [f"{report.clean(name[:40]) or 'no verb'} {part['runs']:,}" for name, part in verbs[:_VERBS]]
    if len(verbs) > _VERBS:
        by.append(f"others {sum(part['runs'] for _, part in verbs[_VERBS:]):,}")
    ours = (
        f"Ours in what was sent: {overhead['markers']:,} tokens of markers, {overhead['tool']:,} of our tool and notes "
        f"(estimated). {stats_view.counted(overhead['hops'], 'call')} to fetch originals."
    )
    return _card("runs", "Runs", "\n".join((
        f'<p class="big" id="runs">{whole["runs"]:,}</p>', _soft(", ".join(by)),
        _soft(f"{stats_view.counted(whole['usage']['requests'], 'request')} told a usage (measured)."), _soft(ours),
    )))  # fmt: skip


def _cache(sums: Mapping[str, Any]) -> str:
    """Return how the provider counted the input."""
    usage = sums["all"]["usage"]
    written = usage["cache_write"] + usage["cache_write_1h"]
    parts = (
        ("read", f"read {usage['cache_read']:,}", usage["cache_read"]), ("w", f"written {written:,}", written),
        ("plain", f"plain {usage['plain']:,}", usage["plain"]),
    )  # fmt: skip
    words = ", ".join(told for _, told, _ in parts)
    bar = stats_svg.shares([(name, value) for name, _, value in parts], f"Input tokens: {words}")
    return _card("cache", "Read from the provider's cache, measured", "\n".join((
        f'<p class="big" id="cache-share">{stats_view.share(usage["cache_read"], usage["input"])}</p>',
        bar if usage["input"] else "", stats_tables.key([(name, told) for name, told, _ in parts]),
        _soft(f"of {usage['input']:,} tokens of input; {usage['output']:,} of output."),
    )))  # fmt: skip


def _money(sums: Mapping[str, Any]) -> str:
    """Return what calls cost, what was saved of that, and what is ours."""
    whole, write = sums["all"]["money"], stats_view.money(sums["currency"])
    title, net = f"Money, in {stats_view.unit(sums['currency'])}", whole["net"]
    if not whole["requests"] and not whole["tokens"]:
        return _card("money", title, _soft("No request with a price yet: what it costs is known of calls alone."))
    tone = " good" if net > 0 else " bad" if net < 0 else ""
    facts = (
        ("Cost, measured", "cost", whole["cost"], ""), ("Saved, estimated", "saved", whole["saved"], ""),
        ("Our tool and notes, estimated", "tool", -whole["tool"], ""),
        ("Calls to fetch originals, measured", "hops", -whole["hops"], ""),
        ("Net saving, estimated", "net", net, tone),
    )  # fmt: skip
    listed = "".join(
        f'<div><dt>{name}</dt><dd class="big{tone}" id="money-{key}">{write(value)}</dd></div>'
        for name, key, value, tone in facts
    )
    return _card("money", title, "\n".join((
        f'<dl class="figures">{listed}</dl>',
        _soft(
            f"Of {stats_view.counted(whole['requests'], 'request')} with usage and price. What the cache would have "
            "served counts at the cache's price; markers stand in what was left."
        ),
    )))  # fmt: skip
