"""The parts of the page of ``headroom stats --html``: days, groups, prices, sums. Charts, and the same in tables."""

from __future__ import annotations

from html import escape

from headroom_cli.cli import report, stats_svg, stats_view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from headroom_cli.cli.stats_view import Group, Row

_DAYS = 92  # shown one by one; all before them are one row
_MOST = 50  # rows of a table
_BARS = 10  # and of a chart
_EST, _MEASURED = "estimated", "measured"
_PRICED = (
    ("plain", "Plain"), ("cache_read", "Cache read"), ("cache_write", "Cache write"),
    ("cache_write_1h", "Cache write, 1 h"), ("output", "Output"),
)  # fmt: skip


def parts(sums: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the page's parts in their order: where a link leads, what it is called, the part."""
    groups = [(group.name, f"{group.title}s", _group(group, sums)) for group in stats_view.GROUPS]
    return [
        ("days", "Days", _days(sums)), *groups, ("prices", "Prices", _prices(sums)), ("sums", "Sums", _agreement(sums)),
    ]  # fmt: skip


def _card(name: str, title: str, inside: str) -> str:
    return f"""<section class="card" id="{name}" aria-labelledby="{name}-head">
<h2 id="{name}-head">{title}</h2>
{inside}
</section>"""


def key(entries: Iterable[tuple[str, str]], title: str = "") -> str:
    """Return what colours mean: (class of the page's style, words)."""
    items = "".join(f'<li><i class="{name}"></i>{escape(words)}</li>' for name, words in entries)
    return f'<ul class="key soft">{f"<li>{escape(title)}</li>" if title else ""}{items}</ul>'


# --- days


def saved_by_day(sums: Mapping[str, Any]) -> str:
    """Return the chart of tokens saved."""
    shown, _ = stats_view.days(sums, _DAYS)
    return _columns((("a", "saved", [row.saved for row in shown]),), shown, "Tokens saved by day, estimated")


def _days(sums: Mapping[str, Any]) -> str:
    shown, earlier = stats_view.days(sums, _DAYS)
    before, after = [row.before for row in shown], [row.after for row in shown]
    charts = _columns((("b", "before", before), ("a", "after", after)), shown, "Tokens by day, estimated")
    if any(row.priced for row in shown):
        cost, net = [row.cost or 0 for row in shown], [row.net or 0 for row in shown]
        charts += _columns(
            (("w", f"cost, {_MEASURED}", cost), ("a", f"net saving, {_EST}", net)), shown,
            f"Money by day, in {stats_view.unit(sums['currency'])}", stats_view.money(sums["currency"]),
        )  # fmt: skip
    rows = [row for row in reversed(shown) if row.runs]
    if earlier is not None:
        earlier.name = f"before {shown[0].name}"
        rows.append(earlier)
    table = _numbers("day", "Days with runs, in UTC, the newest first", "Day", rows, sums)
    return _card("days", "By day", f'<div class="row two">{charts}</div>\n{table}')


def _columns(
    series: Sequence[tuple[str, str, Sequence[int]]], shown: Sequence[Row], title: str,
    write: Callable[[int], str] = stats_view.count,
) -> str:  # fmt: skip
    """Return a chart by day with its first and last day, its extremes, and what its colours mean.

    ``series`` is (class of the page's style, words, values by day).
    """
    if not shown:
        return ""
    titles = [
        f"{row.name}: " + "; ".join(f"{words} {write(values[place])}" for _, words, values in series)
        for place, row in enumerate(shown)
    ]
    every = [value for _, _, values in series for value in values]
    told = f"{title}, up to {write(max(every))}" if max(every) > 0 or min(every) == 0 else title
    if min(every) < 0:
        told += f", down to {write(min(every))}"
    first, last = shown[0].name, shown[-1].name
    drawn = stats_svg.columns([(name, values) for name, _, values in series], titles, f"{told}, {first} to {last}")
    ends = f"<span>{first}</span>" + (f"<span>{last}</span>" if last != first else "")
    entries = [(name, words) for name, words, _ in series]
    if min(every) < 0:
        entries.append(("worse", "below zero"))
    explained = key(entries, f"{told}:")
    return f"""<figure>
{drawn}
<div class="ends soft">{ends}</div>
<figcaption>{explained}</figcaption>
</figure>"""


# --- kinds, models, tools, projects


def _group(group: Group, sums: Mapping[str, Any]) -> str:
    rows = stats_view.rows(sums, group, _MOST)
    title = f"By {group.title.lower()}"
    if not rows:
        return _card(group.name, title, '<p class="soft">None yet.</p>')
    table = _numbers(group.name, f"{group.title}s: {group.about}", group.title, rows, sums, parted=group.parted)
    return _card(group.name, title, f"{_bars(group, rows)}\n{table}")


def _bars(group: Group, rows: Sequence[Row]) -> str:
    """Return two bars for each of the first rows; the table says the same to who does not see them."""
    shown = [row for row in rows if row.before > 0 or row.after > 0][:_BARS]
    if not shown:
        return ""
    most = max(max(row.before, row.after) for row in shown)
    lines = "".join(
        f'<div><div class="line"><span><bdi>{escape(row.name)}</bdi></span>'
        f'<span class="value">{stats_view.count(row.before)} \u2192 {stats_view.count(row.after)}</span></div>'
        f"{stats_svg.pair(row.before, row.after, most)}</div>"
        for row in shown
    )
    entries = [("b", "before"), ("a", "after")]
    if any(row.after > row.before for row in shown):
        entries.append(("worse", "after, where it is more"))
    explained = key(entries, f"Tokens by {group.title.lower()}, {_EST}:")
    return f'<figure class="bars"><figcaption>{explained}</figcaption>\n<div aria-hidden="true">{lines}</div></figure>'


# --- tables


def _table(
    name: str, caption: str, heads: Sequence[tuple[str, str]], body: str, foot: str = "", *, words: int = 0
) -> str:
    """Return a table that can be scrolled by keyboard. ``heads`` is (title, estimated or measured or "").

    The first column and the last ``words`` are text, the others numbers.
    """
    top = "".join(
        f'<th scope="col"{"" if place == 0 or place >= len(heads) - words else _NUMBER}>{title}'
        f"{f'<small>{label}</small>' if label else ''}</th>"
        for place, (title, label) in enumerate(heads)
    )
    foot = f"\n<tfoot>{foot}</tfoot>" if foot else ""
    called = f"caption-{name}"  # above the part that scrolls: a caption would scroll with it
    return f"""<p class="soft caption" id="{called}">{escape(caption)}</p>
<div class="scroll" role="region" aria-labelledby="{called}" tabindex="0">
<table id="table-{name}" aria-labelledby="{called}">
<thead><tr>{top}</tr></thead>
<tbody>{body}</tbody>{foot}
</table></div>"""


_NUMBER = ' class="n"'


def _line(name: str, numbers: Iterable[str], words: Iterable[str] = ()) -> str:
    """Return a row; names and words go in as text."""
    cells = "".join(f"<td{_NUMBER}>{cell}</td>" for cell in numbers)
    cells += "".join(f"<td>{escape(word)}</td>" for word in words)
    return f'<tr><th scope="row"><bdi>{escape(name)}</bdi></th>{cells}</tr>'


def _numbers(
    name: str, caption: str, title: str, rows: Sequence[Row], sums: Mapping[str, Any], *, parted: bool = False
) -> str:
    """Return the numbers of some rows, and their sum, which is the report's total."""
    money = stats_view.money(sums["currency"])
    unit = "$" if sums["currency"]["unit"] == "USD" else "plain tokens"
    heads = [(title, ""), ("Runs", "")]
    if parted:
        heads.append(("Blocks", ""))
    heads += [("Before", _EST), ("After", _EST), ("Saved", _EST), ("Saved", "share")]
    if parted:
        heads.append((f"Saved, {unit}", _EST))
    else:
        heads += [
            ("Input", _MEASURED), ("From cache", _MEASURED), ("Output", _MEASURED), (f"Cost, {unit}", _MEASURED),
            (f"Saved, {unit}", _EST), (f"Net, {unit}", _EST),
        ]  # fmt: skip

    def line(row: Row, *, runs: bool = True) -> str:
        cells = [stats_view.count(row.runs) if runs else ""]
        if parted:
            cells.append(stats_view.count(row.blocks))
        cells += [stats_view.count(number) for number in (row.before, row.after, row.saved)]
        cells.append(stats_view.share(row.saved, row.before))
        if parted:
            return _line(row.name, [*cells, money(row.worth)])
        told, read = row.input or 0, row.read or 0
        cells += [stats_view.count(told), stats_view.share(read, told), stats_view.count(row.output or 0)]
        spent = (row.cost or 0, row.worth, row.net or 0)
        return _line(row.name, [*cells, *(money(value) if row.priced or any(spent) else "-" for value in spent)])

    # Several kinds are met in one run, so their runs have no sum.
    foot = line(stats_view.Row("total", sums["all"]), runs=not parted)
    return _table(name, caption, heads, "".join(map(line, rows)), foot)


# --- where prices are from, and that all sums agree


def _prices(sums: Mapping[str, Any]) -> str:
    said = "".join(f"<li>{escape(note)}</li>" for note in stats_view.notes(sums))
    named = sorted(sums["prices"].items())
    table = ""
    if named:
        unit = "dollars" if sums["currency"]["unit"] == "USD" else "millions of plain tokens"
        heads = [("Model", ""), *((words, "") for _, words in _PRICED), ("Source", ""), ("Date", ""), ("Notes", "")]
        body = "".join(_price(name, price) for name, price in named[:_MOST])
        caption = f"Prices at the last request that used them, in {unit} for a million tokens"
        table = _table("prices", caption, heads, body, words=3)
    if len(named) > _MOST:
        said += f"<li>{len(named) - _MOST:,} more models are in headroom stats --json.</li>"
    return _card("prices", "Prices", f'{table}\n<ul class="notes soft">{said}</ul>')


def _price(name: str, price: Mapping[str, Any]) -> str:
    scale = 1 if price["unit"] == "USD" else 1_000_000
    numbers = [
        ("-" if price[part] is None else f"{price[part] / scale:.6g}") + ("*" if part in price["assumed"] else "")
        for part, _ in _PRICED
    ]
    told = [f"as {price['from']}"] if price["from"] else []
    if price["assumed"]:
        told.append("* by the provider's caching rules")
    if price["long"] is not None:
        told.append(f"another price above {price['long']:,} tokens of input")
    words = (price["source"], price["date"] or "of its version", "; ".join(told))
    return _line(stats_view.named(name) or "no model named", numbers, [report.clean(str(word))[:200] for word in words])


_COMPARED = ("blocks", "before", "after", "worth", "cost", "net", "input", "read", "output")


def _agreement(sums: Mapping[str, Any]) -> str:
    """Return each way of adding up beside the total: whoever doubts a number can see that none is lost."""
    money = stats_view.money(sums["currency"])
    whole = stats_view.Row("all runs", sums["all"])
    lines = [(whole, "")]
    for name in ("day", "verb", "model", "project", "backend", "kind", "tool"):
        rows = [stats_view.Row(label, part) for label, part in sums[name].items()]
        words = f"all {name}s"
        if name in sums["rest"]:
            rows.append(stats_view.Row("rest", sums["rest"][name]))
            words += ", and what is of none"
        if rows:
            added = stats_view.together(words, rows)
            same = all(getattr(added, member) in {None, getattr(whole, member)} for member in _COMPARED)
            lines.append((added, "the same" if same else "differs: please report it"))
    heads = [
        ("Sum of", ""), ("Before", _EST), ("After", _EST), ("Saved", _EST), ("Cost", _MEASURED),
        ("Saved, as money", _EST), ("Compared", ""),
    ]  # fmt: skip
    body = "".join(
        _line(
            row.name,
            [
                *map(stats_view.count, (row.before, row.after, row.saved)),
                "-" if row.cost is None else money(row.cost), money(row.worth),
            ],
            [verdict],
        )
        for row, verdict in lines
    )  # fmt: skip
    caption = "Sums are made before rounding; each number on this page is rounded by itself"
    return _card("sums", "How the sums agree", _table("sums", caption, heads, body, words=1))
