"""``headroom stats --plot``: the sums of the ledger as bars and a line of days, in any terminal and in plain text.

Drawn by rich, which knows how wide characters are and what a terminal can show; nothing moves. What stands on a line
is cut to the width before it is printed, so the shape holds from 20 columns on.
"""

from __future__ import annotations

from io import StringIO

from headroom_cli import settings as configuration
from headroom_cli.cli import io, stats_view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from rich.text import Text

    from headroom_cli.cli.stats_view import Group, Row
    from headroom_cli.settings import Settings

_DAYS = 30
_MOST = 10  # rows of a group
_LEAST = 20  # columns
_WIDE = 64  # columns from which on a row's numbers stand beside its bar
_SHORTEST = 10  # columns of a bar that stands beside its numbers
_FULL = 100  # columns: bars that are longer say no more
_BEFORE, _AFTER, _WORSE, _SOFT = "bright_black", "cyan", "red", "bright_black"


class _Signs:
    """What bars are made of: blocks of eighths, or what every terminal and printer has."""

    __slots__ = ("after", "arrow", "before", "cut", "levels", "none", "worse")

    def __init__(self, *, blocks: bool) -> None:
        self.levels = "▁▂▃▄▅▆▇█" if blocks else ".:-=+*%@"
        self.none = " " if blocks else "_"
        self.after = "█" if blocks else "#"
        self.before = "░" if blocks else "-"
        self.worse = "▓" if blocks else "!"
        self.arrow = "→" if blocks else "->"
        self.cut = "…" if blocks else "..."


def show(sums: Mapping[str, Any], settings: Settings) -> int:
    """Write the picture to standard output. Raise ReaderGoneError, OutputError."""
    io.write(drawn(sums, coloured=not settings.no_color and io.is_terminal(io.STDOUT), blocks=_blocks()))
    return 0


def drawn(sums: Mapping[str, Any], *, coloured: bool, blocks: bool, width: int = 0) -> bytes:
    """Return the picture of a report of money.sums: UTF-8 with ``blocks``, otherwise ASCII.

    ``width`` is in columns, 0 for what the terminal says.
    """
    from rich.console import Console

    drawing = StringIO()  # to end a capture, rich writes to its file even then
    console = Console(
        file=drawing, force_terminal=coloured, no_color=not coloured, legacy_windows=False, emoji=False,
        color_system="standard" if coloured else None,
    )  # fmt: skip
    width = max(_LEAST, width or console.width)
    for line in _lines(sums, width, _Signs(blocks=blocks)):
        line.truncate(width)
        line.rstrip()
        console.print(line, soft_wrap=True, highlight=False)
    return drawing.getvalue().encode("utf-8" if blocks else "ascii", "backslashreplace")


def _blocks() -> bool:
    """Tell whether the output is read as UTF-8: what the locale's variables say, as no library is needed for it."""
    environment = configuration.environment()
    named = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := environment.get(name))), "")
    return "utf8" in named.lower().replace("-", "")


def _lines(sums: Mapping[str, Any], width: int, signs: _Signs) -> Iterator[Text]:
    """Give the lines of the picture."""
    from rich.text import Text

    money = stats_view.money(sums["currency"])
    whole = stats_view.Row("all", sums["all"])
    unit = "" if sums["currency"]["unit"] == "USD" else " (tokens of plain input)"
    yield from _folded(
        f"{stats_view.counted(whole.runs, 'run')}, {stats_view.span(sums)} ({sums['days']})", width, "bold"
    )
    verdict = "saved" if whole.saved >= 0 else "added"
    tokens = f"{stats_view.count(abs(whole.saved))} tokens {verdict} ({_share(whole)})"
    yield from _folded(f"{tokens}: {_change(whole, signs)}, estimated", width)
    if whole.priced:
        cost, net = money(whole.cost or 0), money(whole.net or 0)
        yield from _folded(f"cost {cost}{unit}, measured; net saving {net}{unit}, estimated", width)
    yield Text()
    yield from _days(sums, width, signs)
    for group in stats_view.GROUPS:
        rows = stats_view.rows(sums, group, _MOST)
        if any(sums[group.name]) and any(row.before or row.after for row in rows):  # one without a name says nothing
            yield Text()
            yield from _group(group, rows, width, signs, money)
    notes = stats_view.notes(sums)
    if whole.priced:
        notes.insert(0, "Tokens before and after are estimates; cost is measured: the provider's usage, by price.")
    if notes:
        yield Text()
    for note in notes:
        yield from _folded(note, width, _SOFT)


def _folded(text: str, width: int, style: str = "") -> Iterator[Text]:
    """Give a sentence on as many lines as it needs."""
    import textwrap

    from rich.text import Text

    for line in textwrap.wrap(text, width):
        yield Text(line, style=style)


def _days(sums: Mapping[str, Any], width: int, signs: _Signs) -> Iterator[Text]:
    """Give the tokens saved by day: one character a day, the first and the last under it, and the extremes."""
    from rich.text import Text

    rows, _ = stats_view.days(sums, min(_DAYS, width))
    saved = [row.saved for row in rows]
    if not rows:
        return
    each = max(1, min(3, width // len(rows)))  # columns a day
    most, least = max(*saved, 0), min(*saved, 0)
    total = f"{stats_view.count(sum(saved))} in {stats_view.counted(len(rows), 'day')}"
    yield from _folded(f"Saved by day, estimated: {total}", width, "bold")
    line = Text()
    for value in saved:
        line.append(_column(value, most, signs) * each, _WORSE if value < 0 else _AFTER)
    yield line
    first, last = rows[0].name[5:], rows[-1].name[5:]
    room = each * len(rows)
    yield Text(first if len(rows) == 1 else first + last.rjust(max(len(last) + 1, room - len(first))), _SOFT)
    if len(rows) > 1:
        best = rows[saved.index(max(saved))]
        yield from _folded(f"most: {stats_view.count(best.saved)} on {best.name}", width, _SOFT)
    if least < 0:
        worst = rows[saved.index(least)]
        yield from _folded(f"{signs.worse} below zero: {stats_view.count(least)} on {worst.name}", width, _WORSE)


def _column(value: int, most: int, signs: _Signs) -> str:
    """Return the character for a day: nothing of nothing, and its own for a loss."""
    if value < 0:
        return signs.worse
    if not value or not most:
        return signs.none
    return signs.levels[min(len(signs.levels) - 1, value * len(signs.levels) // most)]


def _group(group: Group, rows: list[Row], width: int, signs: _Signs, money: Callable[[int], str]) -> Iterator[Text]:
    """Give the bars of a group: what is left of each row's tokens, and behind it what was saved of them."""
    from rich.cells import cell_len
    from rich.text import Text

    title = Text()
    title.append(f"By {group.title.lower()}", "bold")
    title.append(f"  {signs.after} after {signs.before} saved", _SOFT)
    if any(max(row.before, row.after) < 0 or row.after > row.before for row in rows):
        title.append(f" {signs.worse} added", _WORSE)
    yield title
    names = [_name(row.name, signs) for row in rows]
    numbers = [_numbers(row, signs, money) for row in rows]
    columns = [max(map(cell_len, column)) for column in zip(*numbers, strict=True)]
    most = max(1, *(max(row.before, row.after) for row in rows))
    widest = min(max(map(cell_len, names)), 28)
    room = min(width, _FULL) - widest - sum(columns) - 2 * len([column for column in columns if column]) - 2
    for row, name, cells in zip(rows, names, numbers, strict=True):
        if width >= _WIDE and room >= _SHORTEST:
            line = _padded(name, widest, signs)
            line.append("  ")
            line.append_text(_bar(row, most, room, signs))
            for cell, column in zip(cells, columns, strict=True):
                line.append(f"  {cell:>{column}}" if column else "")
            yield line
        else:
            yield _padded(name, min(width, max(widest, width - 2)), signs)
            bar = Text("  ")
            bar.append_text(_bar(row, most, min(width, _FULL) - 2, signs))
            yield bar
            told = ", ".join(filter(None, cells))
            yield Text(f"  {told}", _SOFT)


def _name(name: str, signs: _Signs) -> str:
    """Return a name in characters that the output has."""
    return name if signs.arrow == "→" else name.replace("\u2026", "...").encode("ascii", "backslashreplace").decode()


def _padded(name: str, width: int, signs: _Signs) -> Text:
    """Return a name in so many columns: characters of two columns count as two."""
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    if cell_len(name) > width:
        name = set_cell_size(name, max(0, width - len(signs.cut))) + signs.cut
    return Text(set_cell_size(name, width))


def _bar(row: Row, most: int, room: int, signs: _Signs) -> Text:
    """Return a bar of at most ``room`` columns, blanks behind it."""
    from rich.text import Text

    before, after = max(0, row.before), max(0, row.after)

    def columns(tokens: int) -> int:
        return max(1, (2 * tokens * room + most) // (2 * most)) if tokens else 0  # what is there can be seen

    whole = columns(max(before, after))
    solid = columns(min(before, after))
    bar = Text()
    bar.append(signs.after * solid, _AFTER)
    lost = after > before
    bar.append((signs.worse if lost else signs.before) * (whole - solid), _WORSE if lost else _BEFORE)
    bar.append(" " * (room - whole))
    return bar


def _numbers(row: Row, signs: _Signs, money: Callable[[int], str]) -> tuple[str, str, str]:
    """Return what a row comes to in words: tokens, the change as a share, and what its calls cost, "" for no cost."""
    return _change(row, signs), _share(row), f"cost {money(row.cost or 0)}" if row.priced else ""


def _change(row: Row, signs: _Signs) -> str:
    return f"{stats_view.count(row.before)} {signs.arrow} {stats_view.count(row.after)}"


def _share(row: Row) -> str:
    """Return the change as a share: "-63 %" for what was saved, "+5 %" for what was added."""
    if not row.before:
        return "-"
    return f"{100 * -row.saved / row.before:+.0f} %" if row.saved else "0 %"
