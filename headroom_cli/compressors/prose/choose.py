"""The order in which sentences are worth their place: by the question, else by what only they say, per cost."""

from __future__ import annotations

from heapq import heapify, heappop, heapreplace

from headroom_cli.compressors.prose.blocks import CODE, HEAD, TABLE
from headroom_cli.compressors.prose.facts import Facts
from headroom_cli.compressors.prose.units import FIXED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.prose.units import Units

NOTE_COST = 20  # bytes; a sentence alone among gaps brings another note
_FIRST = (0.0, 0.3, 0.8, 4.0)  # of a block, of a section, of the text
_ALERT = (0.0, 0.6, 4.0)  # an obligation, a warning
_ALWAYS = 1e6  # more than any sentence can be worth
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


def order(units: Units, costs: list[int], relevance: list[float], limit: float, *, everything: bool) -> list[int]:
    """Return units in the order of their worth, until they cost ``limit`` bytes.

    With ``everything``, headings, code and tables compete as well; otherwise they come first, whatever they cost.
    ``relevance`` has a score per unit, or is empty when there is no question.
    """
    facts = Facts()
    text = units.text
    keys = [facts.of(text[begin:end]) for begin, end in zip(units.begin, units.end, strict=True)]
    worth = facts.worth
    covered: set[int] = set()
    chosen: list[int] = []
    taken = bytearray(len(costs))
    for unit, kind in enumerate(units.kind):
        if units.failed[unit] or kind in FIXED:
            taken[unit] = 1
            covered |= keys[unit]
            chosen.append(unit)
    spent = 0.0
    if everything:
        chosen.sort(key=lambda unit: (not units.failed[unit], units.kind[unit] != HEAD))
        spent = float(sum(costs[unit] for unit in chosen))
    bonus = [_FIRST[first] + _ALERT[alert] for first, alert in zip(units.first, units.alert, strict=True)]
    if relevance:
        best = max(relevance) or 1.0
        for unit, score in enumerate(relevance):
            bonus[unit] += _NAMED * score / best * (costs[unit] + NOTE_COST)
    # What a sentence weighs when its worth is held against it: a listing says less per word.
    weights = [
        (cost + NOTE_COST) * (_LISTING if kind in (CODE, TABLE) else 1)
        for cost, kind in zip(costs, units.kind, strict=True)
    ]
    heap = [
        (-(bonus[unit] + sum(map(worth.__getitem__, keys[unit] - covered))) / weights[unit], unit)
        for unit in range(len(costs))
        if not taken[unit]
    ]
    heapify(heap)
    tries = bytearray(len(costs))
    while heap and spent < limit:
        value, unit = heap[0]
        if taken[unit]:
            heappop(heap)
            continue
        fresh = keys[unit] - covered
        density = -(bonus[unit] + sum(map(worth.__getitem__, fresh))) / weights[unit]
        # Worth only falls: what still leads after a fresh look is the best. A unit is looked at a few times only.
        if density > value and tries[unit] < _LOOKS:
            tries[unit] += 1
            heapreplace(heap, (density, unit))
            continue
        heappop(heap)
        taken[unit] = 1
        if costs[unit] > _LARGE * limit and costs[unit] > limit - spent:
            continue  # one that does not fit any more must not keep smaller ones out
        chosen.append(unit)
        covered |= fresh
        spent += costs[unit]
        lead = units.lead[unit]
        while lead >= 0 and not taken[lead]:  # a list item without what it is an item of would be one of another
            taken[lead] = 1
            chosen.append(lead)
            covered |= keys[lead]
            spent += costs[lead]
            lead = units.lead[lead]
    return chosen


_LOOKS = 12
_LISTING = 2.0
_LARGE = 0.05  # of the room
