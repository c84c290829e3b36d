"""The order in which sentences are worth their place: by the question, else by what only they say, per cost."""

from __future__ import annotations

from heapq import heapify, heappop, heappush, heapreplace

from headroom_cli.compressors.prose.blocks import CODE, HEAD, TABLE
from headroom_cli.compressors.prose.facts import Facts
from headroom_cli.compressors.prose.units import FIXED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.prose.units import Units

NOTE_COST = 20  # bytes; a sentence alone among gaps brings another note
ENOUGH = 0.85  # of the worth of the facts; docs/decisions/0019-enough.md has the figures
FACT = 0.5  # what a key is worth at least to be a fact
_FIRST = (0.0, 0.3, 0.8, 4.0)  # of a block, of a section, of the text
_ALERT = (0.0, 0.5, 4.0)  # an obligation or a restriction, a warning
_NAMED = 1e3  # terms and headings before all sentences


def sizes(units: Units) -> list[int]:
    """Return the bytes of each unit: in any script nearer to its tokens than the characters are."""
    text = units.text
    if text.isascii():
        costs = [end - begin for begin, end in zip(units.begin, units.end, strict=True)]
    else:
        spans = zip(units.begin, units.end, strict=True)
        costs = [len(text[begin:end].encode("utf-8", "replace")) for begin, end in spans]
    for block, part in units.parts.items():
        costs[units.of_block[block]] = len(part.encode("utf-8", "replace"))
    return costs


def order(
    units: Units, costs: list[int], relevance: list[float], limit: float, *, everything: bool
) -> tuple[list[int], int]:
    """Return units in the order of their worth, until they cost ``limit`` bytes; and how many of them are enough.

    With ``everything``, headings, code and tables compete as well; otherwise they come first, whatever they cost.
    ``relevance`` has a score per unit, or is empty when there is no question. Enough are those that hold ``ENOUGH`` of
    what the names, numbers, code and addresses of the text are worth, and from which on no unit brings much for its
    length; when never so many are taken, all.
    """
    facts = Facts()
    text = units.text
    keys = [facts.of(text[begin:end]) for begin, end in zip(units.begin, units.end, strict=True)]
    worth = facts.worth
    missing = ENOUGH * sum(filter(FACT.__le__, worth))
    covered: set[int] = set()
    chosen: list[int] = []
    taken = bytearray(len(costs) + 1)  # one more, so that the first and the last have neighbours
    for unit, kind in enumerate(units.kind):
        if units.failed[unit] or kind in FIXED:
            taken[unit] = 1
            covered |= keys[unit]
            chosen.append(unit)
    missing -= sum(filter(FACT.__le__, map(worth.__getitem__, covered)))
    spent = 0.0
    if everything:
        chosen.sort(key=lambda unit: (not units.failed[unit], units.kind[unit] != HEAD))
        spent = float(sum(costs[unit] for unit in chosen))
    enough = 0
    bonus = [_FIRST[first] + _ALERT[alert] for first, alert in zip(units.first, units.alert, strict=True)]
    if relevance:
        best = max(relevance) or 1.0
        for unit, score in enumerate(relevance):
            bonus[unit] += _NAMED * score / best * (costs[unit] + NOTE_COST)
    # What a sentence weighs when its worth is held against it: a listing says less per word.
    weights = [cost * _LISTING if kind in (CODE, TABLE) else cost for cost, kind in zip(costs, units.kind, strict=True)]
    notes = (2 * NOTE_COST, NOTE_COST, _BESIDE)

    def density(unit: int) -> float:
        fresh = keys[unit] - covered
        note = notes[1 if relevance else taken[unit - 1] + taken[unit + 1]]
        return -(bonus[unit] + sum(map(worth.__getitem__, fresh))) / max(1, weights[unit] + note)

    heap = [(density(unit), unit) for unit in range(len(costs)) if not taken[unit]]
    heapify(heap)
    tries = bytearray(len(costs))
    while heap and spent < limit:
        value, unit = heap[0]
        if taken[unit]:
            heappop(heap)
            continue
        now = density(unit)
        # Without new neighbours worth only falls: what still leads after a fresh look is the best.
        # A unit is looked at a few times only.
        if now > value and tries[unit] < _LOOKS:
            tries[unit] += 1
            heapreplace(heap, (now, unit))
            continue
        if not (now or everything or relevance):
            break  # what is left says nothing that was not said
        heappop(heap)
        taken[unit] = 1
        if costs[unit] > _LARGE * limit and costs[unit] > limit - spent:
            taken[unit] = 0  # one that does not fit any more must not keep smaller ones out
            continue
        while unit >= 0:  # a list item without what it is an item of would be one of another
            taken[unit] = 1
            chosen.append(unit)
            fresh = keys[unit] - covered
            missing -= sum(filter(FACT.__le__, map(worth.__getitem__, fresh)))
            covered |= fresh
            spent += costs[unit]
            for beside in (unit - 1, unit + 1):
                if 0 <= beside < len(costs) and not taken[beside]:
                    heappush(heap, (density(beside), beside))
            unit = units.lead[unit]
            if unit >= 0 and taken[unit]:
                break
        if missing <= 0 and not enough and -now < _DENSE:
            enough = len(chosen)
    return chosen, enough or len(chosen)


_DENSE = 0.014  # worth per byte; what leads to more than that is worth its place however much there is already
_LOOKS = 12
_BESIDE = 0  # a sentence between two that stay brings no note and takes one away
_LISTING = 2.0
_LARGE = 0.05  # of the room
