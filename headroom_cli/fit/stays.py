"""What never goes, and what stays for now: each unit with the reason why."""

from __future__ import annotations

from headroom_cli.fit import actions
from headroom_cli.fit.scores import asked, strongly
from headroom_cli.harness import LEFT_OUT
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.fit.scores import Reader
    from headroom_cli.fit.turns import Turn
    from headroom_cli.fit.units import Unit

_READ = 10_000  # characters of the user's words; behind them stands what was pasted
NEWEST = 2  # units at the end that always stay
_PINNED = pattern(
    r"(?i)\b(?:remember|always|never|important(?:ly)?|from now on|keep in mind|do(?: not|n't) forget|make sure|must"
    r"|whatever you do|niemals|nie wieder|wichtig|immer|merk dir|jamais|toujours|n'oublie|nunca|siempre|importante)\b"
    r"|\u8bb0\u4f4f|\u603b\u662f|\u6c38\u8fdc|\u91cd\u8981|\u5fc5\u987b|\u899a\u3048\u3066|\u5fc5\u305a|\u5fd8\u308c\u306a\u3044"
)


def reasons(
    whole: list[Unit], gone: list[bool], reader: Reader, *, explicit: bool, query: str, lenient: bool
) -> list[str]:
    """Say for each unit why it has to stay, "" when it may go.

    ``lenient`` lets go of what failed and was not mended, which only an ``explicit`` budget may.
    """
    stays = [unit.fixed for unit in whole]
    for k in range(max(0, len(whole) - NEWEST), len(whole)):
        stays[k] = stays[k] or "newest"
    newest_words = True
    plans: set[str] = set()
    for k in range(len(whole) - 1, -1, -1):
        unit = whole[k]
        if gone[k] or unit.kind == "head":
            continue
        turns = reader.turns[unit.first : unit.last + 1]
        if unit.kind == "words" and any(LEFT_OUT.match(turn.said) for turn in turns if turn.role == "user"):
            stays[k] = stays[k] or "a note of ours"
            continue
        own = [turn.own for turn in turns if turn.own]
        if own and newest_words:
            stays[k] = stays[k] or "newest words"
            newest_words = False
        if any(_PINNED.search(text, 0, _READ) for text in own):
            stays[k] = stays[k] or "pinned"
        for _, tool, _ in (call for turn in turns for call in turn.calls):
            if actions.is_plan(tool) and tool not in plans:
                plans.add(tool)
                stays[k] = stays[k] or "newest plan"
    if query:
        for k in strongly(asked(query, reader, whole)):
            stays[k] = stays[k] or "asked for"
    if not explicit:
        _bind(whole, gone, reader.turns, stays)
    if not (lenient and explicit):
        _unresolved(whole, gone, reader, stays, explicit=explicit)
    return stays


def newest_question(turns: list[Turn]) -> str:
    """Return the newest words of the user's."""
    return next((turn.own for turn in reversed(turns) if turn.own), "")


def _bind(whole: list[Unit], gone: list[bool], turns: list[Turn], stays: list[str]) -> None:
    """Keep everything in front of a signature: it holds for that text alone."""
    bound = False
    for k in range(len(whole) - 1, -1, -1):
        if bound:
            stays[k] = stays[k] or "before a signature"
        elif not gone[k]:
            bound = any(turn.signed for turn in turns[whole[k].first : whole[k].last + 1])


def _unresolved(whole: list[Unit], gone: list[bool], reader: Reader, stays: list[str], *, explicit: bool) -> None:
    """Keep what failed until something of the kind works; unless the budget was asked for, any distinct error."""
    working: set[str] = set()
    for k in range(len(whole) - 1, -1, -1):
        span = slice(whole[k].first, whole[k].last + 1)
        programs = set().union(*reader.programs[span])
        lines = any(reader.errors[span])
        if lines or any(reader.failed[span]):
            if not gone[k] and ((lines and not explicit) or not programs <= working):
                stays[k] = stays[k] or "error"
        else:
            working |= programs
