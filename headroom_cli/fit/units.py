"""What goes or stays as one: a call with everything that answers it, a user's words with the answer to them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.fit.turns import Turn


class Unit:
    """Consecutive turns ``first`` to ``last`` (inclusive).

    ``kind`` is head (system prompts, and the user's turns before the first answer), tools (a call and its results),
    words (a user's own turn, with the answer when that calls nothing), said (an assistant's words alone).
    ``fixed`` says why the unit never goes, "" when it may.
    """

    __slots__ = ("first", "fixed", "kind", "last", "tokens")

    def __init__(self, first: int, last: int, kind: str, tokens: int, fixed: str = "") -> None:
        """``tokens`` is what its turns cost together."""
        self.first = first
        self.last = last
        self.kind = kind
        self.tokens = tokens
        self.fixed = fixed


def units(turns: list[Turn], *, alternates: bool = False) -> list[Unit]:
    """Cut a conversation into units; together they are all turns, in order.

    Where user and assistant have to ``alternate``, the user's words go with the answer before them instead of the one
    behind: then every unit begins with an assistant's turn and ends with a user's, and whatever goes, the rest is in
    turn.
    """
    ends, halves = _bound(turns)
    found: list[Unit] = []
    i = 0
    while i < len(turns):
        last = ends[i]
        if len(found) < 2 and last == i and _opens(turns[i]) and (not found or found[0].kind == "head"):
            if not found:
                found.append(Unit(i, i, "head", 0, "head"))
            found[0].last = i
            found[0].tokens += turns[i].tokens
            i += 1
            continue
        kind = _kind(turns, i, last)
        # The answer belongs to the question when nothing is called in between.
        if kind == "said" and alternates and last + 1 < len(turns) and _asks(turns[last + 1]):
            last, kind = last + 1, "words"
        elif kind == "words" and not alternates:
            while last + 1 < len(turns) and _plain(turns[last + 1]) and ends[last + 1] == last + 1:
                last += 1
        found.append(Unit(i, last, kind, sum(turn.tokens for turn in turns[i : last + 1])))
        i = last + 1
    _fix(found, turns, halves)
    return found


def _opens(turn: Turn) -> bool:
    """Tell whether a turn at the start is part of what everything else is about."""
    return turn.role in ("system", "user") and not turn.answers and turn.heard is None


def _asks(turn: Turn) -> bool:
    """Tell whether a turn is the user's own."""
    return turn.role == "user" and not turn.answers and turn.heard is None and not turn.standing


def _plain(turn: Turn) -> bool:
    """Tell whether a turn is an answer in words alone."""
    return turn.role == "assistant" and not turn.calls and not turn.standing


def _kind(turns: list[Turn], first: int, last: int) -> str:
    if any(turns[i].answers or turns[i].done for i in range(first, last + 1)):
        return "tools"
    return "words" if turns[first].role == "user" else "system" if turns[first].role == "system" else "said"


def _bound(turns: list[Turn]) -> tuple[list[int], dict[int, str]]:
    """Return for each turn the last one that it stands or falls with, and which turns lost their other half.

    Ranges do not overlap: what reaches into what follows takes that with it.
    """
    ends = list(range(len(turns)))
    waiting: dict[str, list[int]] = {}
    halves: dict[int, str] = {}
    for i, turn in enumerate(turns):
        if turn.heard is not None:
            ends[i - 1] = i
        for name in turn.answers:
            callers = waiting.get(name)
            if callers:
                # Some harnesses number their calls anew in every turn: the newest open one is meant.
                ends[callers[-1]] = i
                callers.pop()
            else:
                halves[i] = "a result without its call"
        for name, _, _ in turn.calls:
            waiting.setdefault(name, []).append(i)
        # Reasoning, and a call beside another one, go with the call that follows: one answer of the model.
        if (
            i
            and turn.role == turns[i - 1].role == "assistant"
            and (turns[i - 1].signed or turns[i - 1].calls or turn.calls)
        ):
            ends[i - 1] = max(ends[i - 1], i)
    for callers in waiting.values():
        for i in callers:
            halves[i] = "a call without its result"
    i = 0
    while i < len(turns):
        reach, j = ends[i], i
        while j < reach:
            j += 1
            reach = max(reach, ends[j])
        ends[i : reach + 1] = [reach] * (reach + 1 - i)
        i = reach + 1
    return ends, halves


def _fix(found: list[Unit], turns: list[Turn], halves: dict[int, str]) -> None:
    """Say which units never go: what is not understood, what lost its other half, what others lean on."""
    for number, unit in enumerate(found):
        for i in range(unit.first, unit.last + 1):
            if i in halves:
                unit.fixed = unit.fixed or halves[i]
            elif turns[i].standing:
                unit.fixed = unit.fixed or "not understood"
            elif turns[i].role == "system" and unit.kind != "head":
                unit.fixed = unit.fixed or "system"
                # Such a message has to stand behind a user turn and in front of an answer.
                for near in (number - 1, number + 1):
                    if 0 < near < len(found):
                        found[near].fixed = found[near].fixed or "beside a system turn"
