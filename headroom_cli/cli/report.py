"""What a run says about itself on standard error: the summary, warnings, errors. Nothing here reaches standard output.

Everything that may hold words of the input goes through ``clean``: a terminal must never obey what it reads from us.
"""

from __future__ import annotations

from headroom_cli.cli import io

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from headroom_cli.errors import HeadroomError
    from headroom_cli.model import Result
    from headroom_cli.settings import Settings


_ALWAYS = frozenset(("verb", "format", "level", "ms", "tokens", "kinds"))  # of a line, also when there is nothing in it


def clean(text: str) -> str:
    r"""Return ``text`` on one line with everything that does not print written as an escape.

    ``str.isprintable`` is false for C0, C1, ESC, line and paragraph separators, bidi and zero-width controls, and lone
    surrogates, which covers all that can drive a terminal or forge a log line.

    >>> clean("a\x1b[31m\nb")
    'a\\x1b[31m\\nb'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def error(text: str) -> None:
    """Write an error: always, whatever the flags."""
    io.tell(f"headroom: {clean(text)}")


def warn(text: str, settings: Settings) -> None:
    """Write a warning, unless ``-q``."""
    if not settings.quiet:
        io.tell(f"headroom: {clean(text)}")


def bug(error: BaseException, consequence: str = "") -> None:
    """Write one line about a fault of our own, and with HEADROOM_DEBUG=1 its traceback."""
    from headroom_cli.settings import debugging

    told = f"{type(error).__name__}: {str(error)[:200]}" if str(error) else type(error).__name__
    consequence = f", {consequence}" if consequence else ""
    hint = "please report it" if debugging() else "set HEADROOM_DEBUG=1 to see where and report it"
    io.tell(clean(f"headroom: internal error ({told}){consequence}; {hint}"))
    if debugging():
        import traceback

        for part in traceback.format_exception(error):
            for line in part.splitlines():
                io.tell(clean(line))


def wants_summary(settings: Settings) -> bool:
    """Tell whether the summary will be read: a terminal, ``-v`` or ``--json``, and not ``-q``."""
    return not settings.quiet and (settings.json or settings.verbose or io.is_terminal(io.STDERR))


class Tally:
    """The sums of one run over all its results: JSON Lines have one per line."""

    __slots__ = (
        "after", "before", "blocks", "changed", "documents", "failure", "format", "kinds", "left_out", "level", "moved",
        "rewritten", "steps", "tools", "unfit", "warnings",
    )  # fmt: skip

    def __init__(self) -> None:
        """Start at nothing."""
        self.documents = 0
        self.blocks = 0
        self.changed = 0
        self.before = 0
        self.after = 0
        self.format = ""
        self.level = ""
        self.warnings: list[str] = []
        self.failure: HeadroomError | None = None  # the first thing that failed open, for --strict
        self.kinds: dict[str, dict[str, int]] = {}
        self.tools: dict[str, dict[str, int]] = {}  # as in the ledger
        self.moved = 0  # values that align took out of the prefix
        self.left_out = 0  # turns that fit left out,
        self.steps = 0  # in so many steps, behind which
        self.rewritten = 0  # so many tokens were to be written to the provider's cache again
        self.unfit = ""  # why a budget could not be met

    def add(self, result: Result) -> None:
        """Count one result in."""
        self.documents += 1
        self.before += result.before
        self.after += result.after
        self.format = result.format
        self.level = result.level
        for block in result.blocks:
            self.blocks += 1
            self.changed += not block.kept
            sums = self.kinds.setdefault(block.kind or "none", {"blocks": 0, "before": 0, "after": 0, "kept": 0})
            sums["blocks"] += 1
            sums["before"] += block.before
            sums["after"] += block.after
            sums["kept"] += bool(block.kept)
        from headroom_cli import ledger  # which every run ends with

        ledger.tools(result.blocks, self.tools)
        self.moved += len(result.moved)
        if result.plan is not None and result.plan.fits:
            self.left_out += sum(group.last - group.first + 1 for group in result.plan.groups)
            self.steps += len(result.plan.steps)
            self.rewritten += sum(step.rewritten for step in result.plan.steps)
        if result.unfit and not self.unfit:
            self.unfit = result.unfit
            self.warnings.append(result.unfit)
        self.failure = self.failure or result.failure
        # A warning that every line of a long JSON Lines input repeats is said once.
        self.warnings += [warning for warning in dict.fromkeys(result.warnings) if warning not in self.warnings]

    def fail(self, error: HeadroomError) -> None:
        """Note that a whole input went through because of ``error``."""
        self.failure = self.failure or error
        self.warnings.append(f"nothing was compressed: {error}")


def log(
    verb: str, settings: Settings, tally: Tally, milliseconds: float, more: Mapping[str, object] | None = None
) -> None:
    """Add the run to the ledger, with ``more`` members in its line.

    Failing costs one warning, unless the store has already been warned of.
    """
    from headroom_cli import ledger
    from headroom_cli.errors import StoreError

    line: dict[str, object] = {
        "verb": verb, "format": tally.format, "level": tally.level, "ms": round(milliseconds, 1),
        "tokens": {"before": tally.before, "after": tally.after}, "kinds": tally.kinds,
        "model": settings.model[:100], "project": ledger.project(settings.project), "tools": tally.tools,
        **(more or {}),
    }  # fmt: skip
    line = {name: value for name, value in line.items() if value or name in _ALWAYS}
    try:
        ledger.append(settings.store, line)
    except StoreError as error:
        if tally.failure is None:
            tally.warnings.append(f"the run is not in the ledger: {error}")
    except Exception as error:  # noqa: BLE001 - a lost statistic; the output is already out
        bug(error, "so the run is not in the ledger")


def summary(
    verb: str,
    tally: Tally,
    milliseconds: float,
    following: tuple[str, int] | None,
    more: Mapping[str, object] | None = None,
) -> str:
    """Return the one line for a person; ``following`` is the next level and the tokens it would give.

    ``more`` is what else the ledger's line says, of a call: who answered and the usage.
    """
    from headroom_cli import tokens

    counted = "tokens" if tokens.is_exact() else "tokens (estimated)"
    line = (
        f"headroom {verb}: {_counted(tally.blocks, 'block')}, {tally.before:,} -> {tally.after:,} {counted}, "
        f"{milliseconds:.0f} ms; level {tally.level}"
    )
    if tally.documents != 1:
        line = line.replace(": ", f": {_counted(tally.documents, 'document')}, ", 1)
    if tally.moved:
        line += f"; {_counted(tally.moved, 'value')} moved out of the prefix"
    if tally.left_out:
        line += f"; {_counted(tally.left_out, 'turn')} left out in {_counted(tally.steps, 'step')}"
        line += f", {tally.rewritten:,} tokens to be cached again"
    if following:
        line += f"; {following[0]} would give {following[1]:,}"
    if more:
        line += f"; {more['backend']} answered"
        if isinstance(hops := more.get("hops"), int) and hops > 1:
            line += f" after {_counted(hops - 1, 'fetch of originals')}"
        if isinstance(usage := more.get("usage"), dict):
            line += ": " + ", ".join(f"{name} {count:,}" for name, count in usage.items() if count)
    return line


def summary_json(
    verb: str,
    tally: Tally,
    milliseconds: float,
    following: tuple[str, int] | None,
    more: Mapping[str, object] | None = None,
) -> str:
    """Return the summary as one JSON object."""
    import json

    from headroom_cli import tokens

    report: dict[str, object] = {
        "v": 1,
        "verb": verb,
        "format": tally.format,
        "level": tally.level,
        "documents": tally.documents,
        "blocks": tally.blocks,
        "changed": tally.changed,
        "tokens_before": tally.before,
        "tokens_after": tally.after,
        "estimated": not tokens.is_exact(),
        "ms": round(milliseconds, 1),
        "kinds": {
            kind: {"blocks": sums["blocks"], "tokens_before": sums["before"], "tokens_after": sums["after"]}
            for kind, sums in tally.kinds.items()
        },
        "warnings": tally.warnings,
    }
    if tally.moved:
        report["moved"] = tally.moved
    if tally.left_out:
        report["left_out"] = {"turns": tally.left_out, "steps": tally.steps, "tokens_rewritten": tally.rewritten}
    if following:
        report["next_level"] = {"level": following[0], "tokens_after": following[1]}
    return json.dumps({**report, **(more or {})})


def table(rows: Iterable[tuple[str, ...]], heading: tuple[str, ...], right: frozenset[int] = frozenset()) -> str:
    """Return rows as aligned text; the columns in ``right`` are numbers and stand to the right."""
    cells = [heading, *(tuple(clean(cell) for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heading))]
    lines = []
    for row in cells:
        aligned = (
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join(aligned).rstrip() + "\n")
    return "".join(lines)


def show(rows: Iterable[tuple[str, ...]], heading: tuple[str, ...], right: frozenset[int], settings: Settings) -> None:
    """Write a table to standard output: with rich when a person reads it in colour, as aligned text otherwise."""
    if settings.no_color or not io.is_terminal(io.STDOUT):
        io.write(table(rows, heading, right).encode("utf-8", "backslashreplace"))
        return
    import sys

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for column, name in enumerate(heading):
        drawn.add_column(Text(name), justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(clean(cell)) for cell in row))
    console = Console(file=sys.__stdout__)
    with console.capture() as drawing:
        console.print(drawn)
    io.write(drawing.get().encode("utf-8", "backslashreplace"))


def _counted(number: int, noun: str) -> str:
    """Return "1 block", "12 blocks", "2 fetches of originals"."""
    if number != 1:
        head, space, rest = noun.partition(" ")
        noun = head + ("es" if head.endswith("ch") else "s") + space + rest
    return f"{number:,} {noun}"
