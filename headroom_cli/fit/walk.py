"""When turns are left out, and which: the walk over a conversation, and what it comes to.

The walk goes from turn to turn. Where the running total first passes the budget, units are left out down to 70 % of it,
judged by what stood up to that turn alone; from there on they are out, and the walk goes on. So what is decided for the
first k turns is what is decided for them within the whole, and the prefix changes rarely.
"""

from __future__ import annotations

from headroom_cli.fit import LOW, words
from headroom_cli.fit.scores import Reader, Table
from headroom_cli.fit.stays import NEWEST, newest_question, reasons
from headroom_cli.fit.turns import FRAME
from headroom_cli.fit.units import units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from headroom_cli.fit.scores import Score, Weights
    from headroom_cli.fit.turns import Turn
    from headroom_cli.fit.units import Unit

WRITE = 1.25  # what a token costs that is written to a cache again, in tokens of input
# Reasons that pass: a later turn may free what stays for them.
_PASSING = frozenset(("newest", "newest words", "newest plan", "a call without its result", "error", "referred to"))
# Of these, what was true of a unit at a step and is not any more where the conversation went on.
_OVER = _PASSING - {"error", "newest plan", "referred to"}


class Group:
    """Turns ``first`` to ``last`` (inclusive) that are left out, and the words that stand there instead."""

    __slots__ = ("first", "last", "missing", "note", "tokens")

    def __init__(self, first: int, last: int, missing: str, note: str, tokens: int) -> None:
        """``missing`` goes into the marker; ``note`` is without it; ``tokens`` is what both cost together."""
        self.first = first
        self.last = last
        self.missing = missing
        self.note = note
        self.tokens = tokens


class Step:
    """One time that turns were left out: at turn ``turn``, from ``before`` to ``after`` tokens.

    ``rewritten`` tokens stand behind the first turn that changed, and have to be written to the provider's cache again;
    ``cost`` is their price in tokens of input.
    """

    __slots__ = ("after", "before", "cost", "rewritten", "turn", "units")

    def __init__(self, turn: int, before: int, after: int, rewritten: int, left_out: int) -> None:
        """``left_out`` units went in this step."""
        self.turn = turn
        self.before = before
        self.after = after
        self.rewritten = rewritten
        self.cost = round(WRITE * rewritten)
        self.units = left_out


class Row:
    """What became of one unit: a line of ``fit --explain``.

    ``kept`` says why it stays: it has to, or would be missed more than what went, or came later than the last step.
    ``step`` tells which step left it out, 1 for the first, 0 for none.
    """

    __slots__ = ("first", "kept", "kind", "last", "score", "step", "tokens")

    def __init__(self, unit: Unit, score: Score | None, kept: str, step: int) -> None:
        """``score`` is that of the last step that weighed the unit, None when there was none."""
        self.first = unit.first
        self.last = unit.last
        self.kind = unit.kind
        self.tokens = unit.tokens
        self.score = score
        self.kept = kept
        self.step = step


class Plan:
    """What is left out of a conversation, and when it was.

    ``fits`` is false when what must stay exceeds the budget: then nothing is to be left out, and ``stay`` is the
    least budget that would do.
    ``adrift`` are the ordinals of blocks that stay but refer to a block that was left out before they came: they must
    be sent without that reference. ``signed`` counts the turns with signatures behind the first that changed.
    """

    __slots__ = ("adrift", "after", "before", "fits", "groups", "rows", "signed", "stay", "steps")

    def __init__(self, before: int) -> None:
        """Start with a conversation that is left as it is."""
        self.before = before
        self.after = before
        self.fits = True
        self.stay = 0
        self.signed = 0
        self.groups: list[Group] = []
        self.steps: list[Step] = []
        self.rows: list[Row] = []
        self.adrift: tuple[int, ...] = ()


class Walk:
    """The state of the walk: what is out, what stands in its place, what it all costs."""

    def __init__(
        self,
        turns: list[Turn],
        outside: int,
        budget: int,
        count: Callable[[str], int],
        *,
        explicit: bool,
        query: str,
        refers: dict[int, tuple[int, ...]],
        turn_of: Callable[[int], int],
        restored: Callable[[int], int],
        weights: Weights,
        alternates: bool,
    ) -> None:
        """``turn_of`` gives the turn of a block's ordinal, ``restored`` the tokens that its original costs more.

        ``alternates`` tells the format that wants user and assistant in turn.
        """
        self.turns = turns
        self.outside = outside
        self.budget = budget
        self.explicit = explicit
        self.query = query
        self.out = [0] * len(turns)  # the number of the step that left a turn out, 0 when it stands
        self.groups: list[Group] = []
        self.steps: list[Step] = []
        self.scores: dict[int, Score] = {}
        self.why: dict[int, str] = {}
        self.hopeless = False
        self.fresh: list[list[Group]] = []  # for each step the groups that it made
        self.reader = Reader(turns)
        # A bare list shows that it is in that format's shape by its first call.
        self._alternates = 0 if alternates else next((i for i, turn in enumerate(turns) if turn.parts), len(turns))
        self._count = count
        self._weights = weights
        self.adrift: list[int] = []
        self._restored = restored
        self._refers: dict[int, list[tuple[int, list[int]]]] = {}
        for block, sources in sorted(refers.items()):
            self._refers.setdefault(turn_of(block), []).append((block, [turn_of(source) for source in sources]))
        self._leans: list[tuple[int, int]] = sorted(
            {(turn_of(block), turn_of(source)) for block, sources in refers.items() for source in sources}
        )

    def total(self, end: int) -> int:
        """Return what the conversation up to turn ``end`` (not included) costs now."""
        standing = sum(turn.tokens for turn, out in zip(self.turns[:end], self.out, strict=False) if not out)
        return self.outside + standing + sum(group.tokens for group in self.groups)

    def come(self, i: int) -> int:
        """Return what a turn costs that comes now: what refers to something left out has to say it itself."""
        for block, sources in self._refers.get(i, ()):
            if any(source >= 0 and self.out[source] for source in sources):
                self.adrift.append(block)
                self.turns[i].tokens += self._restored(block)
        return self.turns[i].tokens

    def units(self, end: int) -> list[Unit]:
        """Return the units of the turns before ``end``."""
        return units(self.turns[:end], alternates=self._alternates < end)

    def step(self, end: int, total: int) -> int | None:
        """Leave units out at turn ``end - 1``; return the new total, None when what must stay exceeds the budget."""
        whole = self.units(end)
        gone = [bool(self.out[unit.first]) for unit in whole]
        self.reader.upto(end)
        question = newest_question(self.turns[:end])
        # What failed and does not work yet stays as long as there is another way.
        for lenient in (False, True):
            stays = self._stays(whole, gone, lenient=lenient)
            last = lenient or not self.explicit
            if last and self._standing(whole, gone, stays) > self.budget:
                self.hopeless = (
                    self._standing(whole, gone, ["" if why in _PASSING else why for why in stays]) > self.budget
                )
                return None
            table = Table(whole, self.reader, stays, list(gone), weights=self._weights, question=question)
            table.leans = self._leaning(whole, end)
            for k in self._referred(table):
                stays[k] = "referred to"
            chosen: list[int] = []
            reached, wanted = total, self._wanted(whole, stays)
            while reached > wanted:
                more, saved = table.leave_out(reached - wanted)
                if not more:
                    break
                chosen += more
                reached -= saved
            groups = self._grouped(whole, chosen) if chosen else []
            after = self._total_with(whole, chosen, groups)
            if chosen and after <= self.budget:
                break
            if last:
                return None
        self._take(whole, chosen, groups, table)
        return after

    def _standing(self, whole: list[Unit], gone: list[bool], stays: list[str]) -> int:
        """Return what has to stay costs."""
        return self.outside + sum(
            unit.tokens for unit, out, why in zip(whole, gone, stays, strict=True) if why and not out
        )

    def least(self) -> int:
        """Return the least that the whole conversation can be brought down to."""
        end = len(self.turns)
        whole = self.units(end)
        gone = [bool(self.out[unit.first]) for unit in whole]
        self.reader.upto(end)
        table = Table(
            whole, self.reader, self._stays(whole, gone, lenient=True), gone, weights=self._weights, question=""
        )
        table.leans = self._leaning(whole, end)
        for k in self._referred(table):
            table.stays[k] = "referred to"
        chosen: list[int] = []
        while more := table.leave_out(self.total(end))[0]:
            chosen += more
        return self._total_with(whole, chosen, self._grouped(whole, chosen))

    def rows(self) -> list[Row]:
        """Return what became of each unit."""
        whole = self.units(len(self.turns))
        words_left = True
        found: list[Row] = []
        for k in range(len(whole) - 1, -1, -1):
            unit = whole[k]
            step, score = self.out[unit.first], self.scores.get(unit.first)
            reason = unit.fixed or self.why.get(unit.first, "")
            if k >= len(whole) - NEWEST:
                reason = unit.fixed or "newest"
            elif words_left and self._has_words(unit) and not step:
                reason = unit.fixed or "newest words"
            elif reason in _OVER:
                reason = ""
            words_left = words_left and not (self._has_words(unit) and not step)
            if not reason:
                reason = "missed more" if score else "came later" if self.steps else "fits"
            found.append(Row(unit, score, "" if step else reason, step))
        return found[::-1]

    def _has_words(self, unit: Unit) -> bool:
        return unit.kind != "head" and any(turn.own for turn in self.turns[unit.first : unit.last + 1])

    def _wanted(self, whole: list[Unit], stays: list[str]) -> int:
        """Return what a step should leave: 70 % of the budget.

        Newest turns that take more than the rest of it will go soon enough: for their sake not everything else has to.
        """
        newest = sum(unit.tokens for unit, why in zip(whole, stays, strict=True) if why.startswith("newest"))
        if newest <= (1 - LOW) * self.budget or newest >= self.budget:
            return int(LOW * self.budget)
        return int(newest + LOW * (self.budget - newest))

    def _take(self, whole: list[Unit], chosen: list[int], groups: list[Group], table: Table) -> None:
        """Make a step's choice the state."""
        end = whole[-1].last + 1
        before = self.total(end)
        number = len(self.steps) + 1
        for k in chosen:
            unit = whole[k]
            self.out[unit.first : unit.last + 1] = [number] * (unit.last + 1 - unit.first)
        self.fresh.append([group for group in groups if group not in self.groups])
        self.groups = groups
        self.note_step(end - 1, before, min(whole[k].first for k in chosen), len(chosen))
        for k, unit in enumerate(whole):
            if not table.gone[k] or k in chosen:
                self.scores[unit.first] = table.scores[k]
            self.why[unit.first] = table.stays[k]

    def note_step(self, turn: int, before: int, first: int, left_out: int) -> None:
        """Write a step down: at ``turn``, with the first change at turn ``first``."""
        end = turn + 1
        standing = sum(self.turns[i].tokens for i in range(first, end) if not self.out[i])
        rewritten = standing + sum(group.tokens for group in self.groups if group.last >= first)
        self.steps.append(Step(turn, before, self.total(end), rewritten, left_out))

    def price(self, note: str) -> int:
        """Return what a note costs with its marker."""
        return self._count(note) + words.MARKER + words.SLACK + FRAME

    def _total_with(self, whole: list[Unit], chosen: list[int], groups: list[Group]) -> int:
        end = whole[-1].last + 1
        gone = {i for k in chosen for i in range(whole[k].first, whole[k].last + 1)}
        standing = sum(self.turns[i].tokens for i in range(end) if not self.out[i] and i not in gone)
        return self.outside + standing + sum(group.tokens for group in groups or self.groups)

    def _grouped(self, whole: list[Unit], chosen: list[int]) -> list[Group]:
        """Return all groups after a step; one that did not change keeps its words."""
        end = whole[-1].last + 1
        gone = [bool(out) for out in self.out[:end]]
        for k in chosen:
            unit = whole[k]
            gone[unit.first : unit.last + 1] = [True] * (unit.last + 1 - unit.first)
        known = {(group.first, group.last): group for group in self.groups}
        used = set(self.reader.used)
        standing: set[str] = set()
        for i in range(end):
            if not gone[i]:
                standing |= self.reader.facts[i] & used
                standing.update(self.reader.errors[i])
        groups = []
        i = 0
        while i < end:
            if not gone[i]:
                i += 1
                continue
            last = i
            while last + 1 < end and gone[last + 1]:
                last += 1
            groups.append(known.get((i, last)) or self._group(i, last, used - standing, standing))
            i = last + 1
        return groups

    def _group(self, first: int, last: int, lost: set[str], standing: set[str]) -> Group:
        """Find the words for turns that are left out: ``lost`` are facts that were used and are read nowhere else."""
        turns, reader = self.turns[first : last + 1], self.reader
        span = slice(first, last + 1)
        found: set[str] = set()
        for facts in reader.facts[span]:
            found |= facts & lost
        names = sorted(found, key=lambda fact: (-min(reader.used[fact], 4), len(fact), fact))
        failures = list(dict.fromkeys(line for lines in reader.errors[span] for line in lines if line not in standing))
        note = words.note(turns, [action for made in reader.actions[span] for action in made], names, failures)
        return Group(first, last, words.missing(turns, len(failures)), note, self.price(note))

    def _stays(self, whole: list[Unit], gone: list[bool], *, lenient: bool) -> list[str]:
        return reasons(whole, gone, self.reader, explicit=self.explicit, query=self.query, lenient=lenient)

    # --- references

    def _leaning(self, whole: list[Unit], end: int) -> dict[int, set[int]]:
        """Return for each unit that refers to others which ones they are."""
        leans: dict[int, set[int]] = {}
        if self._leans:
            number = [k for k, unit in enumerate(whole) for _ in range(unit.first, unit.last + 1)]
            for turn, source in self._leans:
                if (
                    0 <= source < end
                    and not self.out[source]
                    and 0 <= turn < end
                    and number[turn] != number[source]
                    and not self.out[turn]
                ):
                    leans.setdefault(number[turn], set()).add(number[source])
        return leans

    @staticmethod
    def _referred(table: Table) -> list[int]:
        """Return the units that something that stays refers to, directly or not."""
        waiting = [k for k, reason in enumerate(table.stays) if reason and not table.gone[k]]
        found: set[int] = set()
        while waiting:
            for source in table.leans.get(waiting.pop(), ()):
                if source not in found and not table.stays[source]:
                    found.add(source)
                    waiting.append(source)
        return sorted(found)
