"""Which units can be done without: what would be lost with each, for the tokens that it costs.

What counts is what nobody else in the conversation says. A fact (a name, a path, an id, an error) is lost with the last
unit that holds it, so units go one by one, the cheapest loss per token first, and each time the facts of the unit that
went weigh on the one that is left holding them alone. A fact that the assistant used after it had seen it weighs a
whole point, one that nobody used yet a fraction that fades with its distance; what stays anyway says its facts for
nothing. Everything is linear in the text: an index from facts to their units, no comparison of units.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from math import log

from headroom_cli import rank
from headroom_cli.fit.actions import describe, program
from headroom_cli.fit.facts import Facts, errors, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.fit.turns import Turn
    from headroom_cli.fit.units import Unit

# Tokens of the note and the marker that stand for units that go: beside one that went they are there already.
NOTE = 80
NEVER = float("inf")
WHOLE = 1_000_000  # what losing a fact that was used once counts
_ASKED_TERMS = 30
_ASKED_LENGTH = 2_000  # characters of a question: behind them stands what was pasted
_STRONG = 0.6  # of the best score: what an explicit question hits as hard as this stays


class Weights:
    """What a loss is worth, in facts that were used.

    Searched on every second conversation of the outside corpus, checked on the others (benchmarks/fit.py --search).
    """

    __slots__ = ("again", "asked", "error", "half", "recent", "unused", "words")

    def __init__(
        self,
        *,
        again: float = 0.3,
        unused: float = 0.12,
        half: float = 20.0,
        recent: float = 0.5,
        words: float = 3.0,
        error: float = 2.0,
        asked: float = 1.0,
    ) -> None:
        """Take the defaults, but for what is named."""
        self.again = again  # each further use of a fact, three at most
        self.unused = unused  # a fact that nobody used yet
        self.half = half  # units in which the chance of a late use halves
        self.recent = recent  # a unit of tools as such, fading in the same way
        self.words = words  # the user's words, or an answer to them
        self.error = error  # a distinct error line
        self.asked = asked  # being what the newest question is about


class Score:
    """What would be lost with a unit, in the parts that ``fit --explain`` prints; in parts of WHOLE.

    Whole numbers: sums of them are the same in whatever order facts come out of a set.
    """

    __slots__ = ("asked", "errors", "kind", "recent", "unused", "used")

    def __init__(self) -> None:
        """Start at nothing."""
        self.used = 0
        self.unused = 0
        self.errors = 0
        self.recent = 0
        self.asked = 0
        self.kind = 0

    def total(self) -> int:
        """Return the sum of the parts."""
        return self.used + self.unused + self.errors + self.recent + self.asked + self.kind


class Reader:
    """The facts, errors and actions of turns, read once each and not before they are needed."""

    __slots__ = ("_counts", "_read", "_seen", "actions", "errors", "facts", "failed", "programs", "shared", "turns",
                 "used")  # fmt: skip

    def __init__(self, turns: list[Turn]) -> None:
        """Nothing is read yet."""
        self.turns = turns
        self.facts: list[set[str]] = []
        self.errors: list[tuple[str, ...]] = []
        self.failed: list[bool] = []  # by a mark of its own or of its harness
        self.actions: list[list[tuple[str, str]]] = []  # a verb and its object for each call
        self.programs: list[set[str]] = []  # what its calls have in common with later ones
        self.used: dict[str, int] = {}  # in how many turns the assistant said a fact that stood in an earlier turn
        self.shared: set[str] = set()  # facts that more than one turn holds
        self._counts: dict[tuple[str, ...], list[list[int]]] = {}
        self._read = Facts()
        self._seen: set[str] = set()

    def upto(self, end: int) -> None:
        """Read the turns before ``end`` that were not read yet."""
        for turn in self.turns[len(self.facts) : end]:
            said = self._read.of(turn.said)
            facts = said | self._read.of(turn.shown)
            again = facts & self._seen
            if turn.role == "assistant":
                for fact in said & again:
                    self.used[fact] = self.used.get(fact, 0) + 1
            self.shared |= again
            self._seen |= facts
            self.facts.append(facts)
            self.errors.append(errors(turn.shown))
            self.failed.append(turn.failed or failed(turn.shown))
            self.actions.append([describe(tool, about) for tool, about in turn.done if tool or about])
            self.programs.append({program(tool, about) for tool, about in turn.done})

    def counts(self, terms: tuple[str, ...], end: int) -> list[list[int]]:
        """Return how often each term stands in each turn before ``end`` (as part of a word, too)."""
        rows = self._counts.setdefault(terms, [])
        for turn in self.turns[len(rows) : end]:
            text = f"{turn.said}\n{turn.shown}".lower()
            rows.append([text.count(term) for term in terms])
        return rows[:end]

    def of(self, unit: Unit) -> tuple[set[str], int, set[str]]:
        """Return the facts of a unit that other turns hold too, how many it holds alone, and its errors."""
        span = slice(unit.first, unit.last + 1)
        held = [facts & self.shared for facts in self.facts[span]]
        alone = sum(map(len, self.facts[span])) - sum(map(len, held))
        return set().union(*held), alone, set().union(*self.errors[span])


class Table:
    """The units of a conversation up to a turn, with what each would be missed for."""

    __slots__ = ("_facts", "_holders", "_left", "_reader", "_weights", "_worth", "errors", "gone", "leans", "scores",
                 "stays", "units")  # fmt: skip

    def __init__(
        self, units: list[Unit], reader: Reader, stays: list[str], gone: list[bool], *, weights: Weights, question: str
    ) -> None:
        """``stays`` says why a unit cannot go ("" when it can), ``gone`` which units went before.

        ``leans`` may be set afterwards: for each unit the units before it that it refers to.
        """
        self.units = units
        self.stays = stays
        self.gone = gone
        self.leans: dict[int, set[int]] = {}
        self.scores = [Score() for _ in units]
        self.errors: set[str] = set()
        self._reader = reader
        self._weights = weights
        self._holders: dict[str, list[int]] = {}
        self._worth: dict[str, int] = {}
        self._facts: list[set[str]] = []
        self._read()
        self._left = {fact: len(holders) for fact, holders in self._holders.items()}
        for fact, holders in self._holders.items():
            if len(holders) == 1:
                self._charge(fact, holders[0])
        for k, unit in enumerate(units):
            if unit.kind in ("words", "said"):
                self.scores[k].kind = round(WHOLE * weights.words)
            else:
                self.scores[k].recent = round(WHOLE * weights.recent * self._fading(k))
        if question and weights.asked:
            for score, share in zip(self.scores, asked(question, reader, units), strict=True):
                score.asked = round(WHOLE * weights.asked * share)

    def _fading(self, k: int) -> float:
        """Return how likely a unit is still to be needed, for its distance alone."""
        return float(0.5 ** ((len(self.units) - k) / self._weights.half))

    def _read(self) -> None:
        """Fill the index of the facts that could be lost, with what each is worth."""
        holders, weights = self._holders, self._weights
        standing: set[str] = set()
        for k, unit in enumerate(self.units):
            if self.gone[k]:
                self._facts.append(set())
                continue
            facts, alone, lines = self._reader.of(unit)
            # What one turn holds alone nobody has used: a fact is used where it is said again.
            self.scores[k].unused = alone * round(WHOLE * weights.unused * self._fading(k))
            self.errors |= lines
            facts |= lines
            self._facts.append(facts)
            if self.stays[k]:
                standing |= facts
            else:
                for fact in facts:
                    holders.setdefault(fact, []).append(k)
        for fact in standing & holders.keys():
            del holders[fact]
        used = self._reader.used
        for fact, where in holders.items():
            if fact in self.errors:
                worth = weights.error
            elif fact in used:
                worth = 1 + weights.again * (min(used[fact], 4) - 1)
            else:
                worth = weights.unused * self._fading(where[-1])
            self._worth[fact] = round(WHOLE * worth)

    def _charge(self, fact: str, k: int) -> None:
        """Let a unit answer for a fact that it holds alone."""
        score = self.scores[k]
        if fact in self.errors:
            score.errors += self._worth[fact]
        elif fact in self._reader.used:
            score.used += self._worth[fact]
        else:
            score.unused += self._worth[fact]

    def _leaning(self) -> dict[int, int]:
        """Return for each unit how many units that are still here refer to it."""
        leaning: dict[int, int] = {}
        for k, sources in self.leans.items():
            if not self.gone[k]:
                for source in sources:
                    leaning[source] = leaning.get(source, 0) + 1
        return leaning

    def gain(self, k: int) -> int:
        """Return the tokens that leaving a unit out saves, its note counted."""
        before = k > 0 and self.gone[k - 1]
        after = k + 1 < len(self.units) and self.gone[k + 1]
        return self.units[k].tokens - NOTE * (1 - before - after)

    def leave_out(self, tokens: int) -> tuple[list[int], int]:
        """Take units out until so many tokens are saved, or none is left; return their numbers and what they saved."""
        version = [0] * len(self.units)
        open_to = [not stays and not gone for stays, gone in zip(self.stays, self.gone, strict=True)]
        leaning = self._leaning()

        def priority(k: int) -> float:
            gain = self.gain(k)
            return self.scores[k].total() / gain if gain > 0 else NEVER

        heap = [(priority(k), k, 0) for k, free in enumerate(open_to) if free and not leaning.get(k)]
        heapify(heap)
        out: list[int] = []
        saved = 0
        while heap and saved < tokens:
            _, k, made = heappop(heap)
            if made != version[k] or not open_to[k]:
                continue
            open_to[k] = False
            saved += self.gain(k)
            self.gone[k] = True
            out.append(k)
            changed = {near for near in (k - 1, k + 1) if 0 <= near < len(open_to) and open_to[near]}
            for fact in self._facts[k]:
                left = self._left.get(fact, 0) - 1
                self._left[fact] = left
                if left == 1:
                    last = next(holder for holder in self._holders[fact] if not self.gone[holder])
                    self._charge(fact, last)
                    changed.add(last)
            for source in self.leans.get(k, ()):
                leaning[source] -= 1
                if open_to[source]:
                    changed.add(source)
            for other in changed:
                if leaning.get(other):
                    continue
                version[other] += 1
                heappush(heap, (priority(other), other, version[other]))
        return out, saved


def asked(question: str, reader: Reader, units: list[Unit]) -> list[float]:
    """Return for each unit how much it is about a question, the best of them 1.0; zeros when none is."""
    terms = tuple(dict.fromkeys(term for term in rank.terms(question[:_ASKED_LENGTH]) if len(term) > 2))[:_ASKED_TERMS]
    counts = reader.counts(terms, units[-1].last + 1)
    rows = [[sum(column) for column in zip(*counts[unit.first : unit.last + 1], strict=True)] for unit in units]
    total = len(units)
    mean = sum(unit.tokens for unit in units) / total or 1.0
    scores = [0.0] * total
    for i in range(len(terms)):
        holders = [k for k, row in enumerate(rows) if row[i]]
        idf = log(total - len(holders) + 0.5) - log(len(holders) + 0.5)
        if not holders or idf <= 0:  # a term that stands in half of the units tells nothing
            continue
        for k in holders:
            norm = rank.K1 * (1 - rank.B + rank.B * units[k].tokens / mean)
            scores[k] += idf * rows[k][i] * (rank.K1 + 1) / (rows[k][i] + norm)
    best = max(scores, default=0.0)
    return [score / best for score in scores] if best > 0 else scores


def strongly(shares: list[float]) -> list[int]:
    """Return the numbers of the units that a question hits hard."""
    return [k for k, share in enumerate(shares) if share >= _STRONG]
