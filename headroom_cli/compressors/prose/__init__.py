"""Prose by the sentence: the question decides what stays, else what only this sentence says.

Headings, terms, code and tables stay in their places; between them whole sentences, verbatim and in order, with a note
where some are missing. ``sentences.split`` and ``units.Units`` know where sentences begin and which of them must stay;
a compressor that rates words with a model works on the same spans.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from headroom_cli.compressors.prose.blocks import CODE, ITEM, TABLE, TEXT, Scanner
from headroom_cli.compressors.prose.choose import order, sizes
from headroom_cli.compressors.prose.clean import tidy
from headroom_cli.compressors.prose.layout import unwrapped
from headroom_cli.compressors.prose.parts import listings
from headroom_cli.compressors.prose.relevance import scores
from headroom_cli.compressors.prose.render import Rendering
from headroom_cli.compressors.prose.shape import is_prose, sniff
from headroom_cli.compressors.prose.units import FIXED, OURS, Units
from headroom_cli.model import FAITHFUL, LOSSY, Compressor, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Want

LEAST, FULLEST = 0.38, 0.7  # without a question, by how much the text names; docs/decisions/0019-enough.md
ASKED = 0.4  # with a question that the text has something to do with
SMALL = 200  # tokens that stay at least with a question: in so few sentences its words tell little apart
MOST = 0.3  # at level max without a budget
FLOOR = 0.25  # of the sentences stay at balanced, however much of the text is code
SHORT = 150  # tokens; a text below stays whole
_SHORT = 8 * SHORT  # characters; a text above has more tokens than that in any script
_TINY = 18  # bytes; a gap of so little costs more to note than to fill
_LINE = 24  # characters on average at least, in a line and in a sentence
_SLACK = 20_000  # characters; small texts may be as they like
_NOTES = 40  # a text with a note for so many sentences is a rendering of ours
_ROUNDS = 6  # renderings to find the right number of sentences
_STEP = 0.015  # of the room
_NEAR = 0.97  # of the target is near enough
_NOTE_SHARE = 6  # bytes; about every other sentence brings a note
_NOTED = 11  # the same where few sentences stay, far from each other


def compress(text: str, want: Want) -> Draft | None:
    """Return the shorter text, or None when there is nothing to gain or the time is over."""
    if want.kompress is None:
        return cover(text, want)
    from headroom_cli.compressors.prose import learned

    return learned.compress(text, want, cover)


def cover(text: str, want: Want, stretch: float = 1.0) -> Draft | None:
    """Return the shorter text, made of whole sentences; ``stretch`` times its target is what it may have left."""
    clean = tidy(text)
    shaped = bool(clean.strip()) and (want.asked or is_prose(clean))
    if shaped:
        clean = unwrapped(clean)
    draft = Draft(clean, FAITHFUL) if len(clean) < len(text) and clean.strip() else None
    strict = want.budget is not None or want.level == "max"
    if want.lossless or want.level == "safe" or not clean.strip():
        return draft
    if not (shaped or want.budget is not None):
        return draft
    if not strict and len(clean) < _SHORT and want.count(clean) < SHORT:
        return draft
    if want.budget is not None and want.count(clean) <= want.budget:
        return draft
    if clean.count("\n") * _LINE > len(clean) + _SLACK:
        return draft  # words of a few letters on lines of their own: nothing to gain, and a great many of them
    scanner = Scanner(clean)
    blocks = scanner.scan()
    if not (strict or want.asked):
        spoken = sum(stop - start for kind, start, _, stop, _ in blocks if kind in (TEXT, ITEM))
        if scanner.listed > spoken:
            return draft  # a menu, fields, statements of a language that nobody knew: every line says its own thing
    parts, lost = listings(clean, blocks, want)
    if want.spent():
        return None
    units = Units(clean, blocks, parts)
    if len(units) * _LINE > len(clean) + _SLACK:
        return draft
    sentences = units.kind.count(TEXT) + units.kind.count(ITEM)
    # A note in a listing is quoted, as in a manual of ours.
    spans = ((start, end) for kind, start, _, end, _ in blocks if kind != CODE) if "[..." in clean else ()
    notes = sum(len(OURS.findall(clean, start, end)) for start, end in spans)
    if not strict and notes * _NOTES > sentences:
        return draft  # a rendering of ours already
    if want.spent():
        return None
    relevance = scores(units, want.question) if want.question else []
    exactly = strict or relevance
    rendering = _fit(units, relevance, want, stretch, strict=strict) if exactly else _enough(units, stretch)
    if rendering is None:
        return draft
    missing = rendering.missing(sentences + units.hidden(0, len(units)) - len(units))
    if lost:
        missing = f"{missing}, " * bool(missing) + f"parts of {lost} listing{'s' * (lost != 1)}"
    if not missing or len(rendering.text) >= len(clean):
        return draft
    return Draft(rendering.text, LOSSY, missing)


def _enough(units: Units, stretch: float) -> Rendering:
    """Return the rendering that names enough of what the text names, ``stretch`` times as long as that takes."""
    costs = sizes(units)
    total = sum(costs)
    words = _wordy(units, costs)
    fixed = total - words
    room = max(stretch * FULLEST * total - fixed, FLOOR * words)
    chosen, enough = order(units, costs, [], room, everything=False)
    start = _standing(units, chosen)
    spent = list(accumulate((costs[unit] + _NOTE_SHARE for unit in chosen), initial=0))
    floor = max(LEAST * total, spent[start] + FLOOR * words)
    number = bisect_right(spent, stretch * max(floor, spent[enough])) - 1
    return Rendering(units, _filled(chosen[: max(start, number)], costs))


def _standing(units: Units, chosen: list[int]) -> int:
    """Return how many units stay without a budget, whatever the target says; they come first."""
    return sum(1 for unit in chosen if units.failed[unit] or units.kind[unit] in FIXED)


def _wordy(units: Units, costs: list[int]) -> int:
    """Return the bytes of all that may go without a budget."""
    return sum(cost for cost, kind in zip(costs, units.kind, strict=True) if kind in (TEXT, ITEM, CODE, TABLE))


def _fit(units: Units, relevance: list[float], want: Want, stretch: float, *, strict: bool) -> Rendering | None:
    """Return the rendering nearest to its target from below: the budget, or a share of the text."""
    tokens = want.count(units.text)
    target = want.budget if want.budget is not None else round((MOST if strict else ASKED) * tokens)
    if not strict:
        target = max(target, min(tokens, SMALL))
    target = round(stretch * target)
    costs = sizes(units)
    per_token = max(1, len(units.text.encode("utf-8", "replace"))) / max(1, tokens)
    room = limit = target * per_token
    if not strict:
        words = _wordy(units, costs)
        fixed = sum(costs) - words
        limit = max(limit, fixed + FLOOR * words)
        target = max(target, round(limit / per_token))
        room = limit - fixed
    chosen, _ = order(units, costs, relevance, 1.25 * room, everything=strict)
    if want.spent():
        return None
    # What stays whatever the target says: only an explicit budget may take an error, and only then a heading may go.
    start = 0
    if want.budget is None:
        start = sum(1 for unit in chosen if units.failed[unit] or (not strict and units.kind[unit] in FIXED))
    best: Rendering | None = None
    low, high = 0.0, float(sum(costs) + _NOTED * len(costs))
    for _ in range(_ROUNDS):
        rendering = Rendering(units, _filled(_within(units, chosen, start, costs, room), costs))
        size = want.count(rendering.text)
        if size <= target:
            if best is None or len(rendering.text) > len(best.text):
                best = rendering
            low = room
            if size >= _NEAR * target:
                break
        else:
            high = room
        if high - low < _TINY or want.spent():
            break
        step = (target - size) * per_token
        room += step if step > 0 else min(step, -_STEP * room)  # a few bytes less may leave out nothing
        if not low < room < high:
            room = (low + high) / 2
    if best is None and want.budget is None:
        # An estimate that contradicts itself must not empty a text: then the bytes decide.
        best = Rendering(units, _filled(_within(units, chosen, start, costs, limit), costs))
    return best


def _within(units: Units, chosen: list[int], start: int, costs: list[int], room: float) -> list[int]:
    """Return the first ``start`` units and those behind them that fit into so many bytes, in order of their worth.

    A list item goes with what it is an item of.
    """
    kept = dict.fromkeys(chosen[:start])
    for unit in chosen[start:]:
        line = []
        at = unit
        while at >= 0 and at not in kept:
            line.append(at)
            at = units.lead[at]
        cost = sum(costs[at] + _NOTED for at in line)
        if cost <= room:
            room -= cost
            kept.update(dict.fromkeys(line))
    return list(kept)


def _filled(chosen: list[int], costs: list[int]) -> bytearray:
    """Return a mask of the kept units; a gap that costs more to note than to fill is filled."""
    kept = bytearray(len(costs))
    for unit in chosen:
        kept[unit] = 1
    for unit in range(1, len(costs) - 1):
        if not kept[unit] and costs[unit] <= _TINY and kept[unit - 1] and kept[unit + 1]:
            kept[unit] = 1
    return kept


COMPRESSOR = Compressor(
    "prose",
    ("prose",),
    sniff,
    compress,
    "prose by the sentence: what the question is about, else what only this sentence says; headings and code stay",
)
