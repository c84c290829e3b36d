"""What benchmarks/kompress.py races: each system takes (text, question, target, count, model) and returns a text."""

from __future__ import annotations

import re
from bisect import bisect_left
from heapq import heapify, heappop, heapreplace

from headroom_cli.compressors.prose import compress
from headroom_cli.compressors.prose.blocks import ITEM, TEXT
from headroom_cli.compressors.prose.choose import NOTE_COST, sizes
from headroom_cli.compressors.prose.facts import Facts
from headroom_cli.compressors.prose.render import Rendering
from headroom_cli.compressors.prose.units import FIXED, Units
from headroom_cli.kompress.choose import order
from headroom_cli.kompress.runtime import Model
from headroom_cli.model import Want
from headroom_cli.rank import bm25 as bm25_scores

NOTE = "\n[...{} words]"
PART = 350 * 50  # words of a text that the package would leave to the cover are rated in parts
WORTH = 0.03  # of a word that the model rates 1, beside the cover's own worths
_WORD = re.compile(r"\S+")


class Rated:
    """A model that rates each text once."""

    def __init__(self, folder):
        """Load the model in a folder."""
        self.model = Model(str(folder))
        self.model.load()
        self.known = {}

    def scores(self, words):
        """Return one score per word."""
        key = hash(tuple(words))
        if key not in self.known:
            parts = [words[at : at + PART] for at in range(0, len(words), PART)]
            self.known[key] = [score for part in parts for score in self.model.scores(part)]
        return self.known[key]


class Words:
    """The words of a text's sentences: where they are, which begin a sentence, and what the model says of them."""

    def __init__(self, text, model):
        """Cut a text; everything outside sentences and list items is left alone."""
        self.text = text
        units = Units(text)
        self.spans, starts, self.unit = [], [], []
        for unit, (begin, end, kind) in enumerate(zip(units.begin, units.end, units.kind, strict=True)):
            if kind not in (TEXT, ITEM):
                continue
            starts.append(len(self.spans))
            for match in _WORD.finditer(text, begin, end):
                self.spans.append(match.span())
                self.unit.append(unit)
        self.words = [text[begin:end] for begin, end in self.spans]
        starts = [at for at in starts if at < len(self.words)]
        self.scores = model.scores(self.words) if self.words else []
        self.steps = order(self.words, self.scores, starts) if self.words else []

    def without(self, steps):
        """Return the text after the first ``steps`` steps, with a note of how many words went."""
        gone = sorted({at for taken in self.steps[:steps] for at in taken})
        out, at = [], 0
        for word in gone:
            begin, end = self.spans[word]
            out.append(self.text[at:begin])
            at = end
            while at < len(self.text) and self.text[at] in " \t":
                at += 1
        out.append(self.text[at:])
        return "".join(out) + (NOTE.format(len(gone)) if gone else "")

    def to(self, target, count):
        """Return the text after as few steps as bring it to ``target`` tokens, or after all of them."""
        fewest = bisect_left(range(len(self.steps)), 1, key=lambda n: count(self.without(n)) <= target)
        return self.without(fewest)


def sentences(text):
    """Return the spans of the sentences and other units of a text."""
    units = Units(text)
    return list(zip(units.begin, units.end, strict=True))


def in_order(text, spans, ranked, target, count):
    """Return the best-ranked spans that fit ``target`` tokens, in the order of the text."""
    taken, spent = [], 0
    for at in ranked:
        cost = count(text[spans[at][0] : spans[at][1]]) + 1
        if spent + cost <= target:
            taken.append(at)
            spent += cost
    return "\n".join(text[spans[at][0] : spans[at][1]].strip() for at in sorted(taken))


def head_tail(text, _, target, count, __):
    """Keep the beginning and the end, half of the target each, cut between words."""
    words = re.findall(r"\S+\s*", text)
    low, high = 0, len(words) // 2
    while low < high:
        middle = (low + high + 1) // 2
        if count("".join(words[:middle]) + "\n[...]\n" + "".join(words[-middle:])) <= target:
            low = middle
        else:
            high = middle - 1
    return "".join(words[:low]) + "\n[...]\n" + "".join(words[len(words) - low :])


def bm25(text, question, target, count, _):
    """Keep the sentences that plain BM25 ranks highest for the question."""
    spans = sentences(text)
    scores = bm25_scores(question, [text[begin:end] for begin, end in spans])
    return in_order(text, spans, sorted(range(len(spans)), key=lambda at: -scores[at]), target, count)


def cover(text, question, target, count, _):
    """Shorten as the package does."""
    draft = compress(text, Want(count, question=question, budget=int(target), asked=True))
    return text if draft is None else draft.text


def alone(text, _, target, count, model):
    """Delete words everywhere."""
    return Words(text, model).to(target, count)


def matched(text, question, target, count, model):
    """Shorten as the package does, to the tokens that the model alone comes to: it may not reach the target."""
    return cover(text, question, count(alone(text, question, target, count, model)), count, model)


def both(text, question, target, count, model):
    """Shorten as the package does with a model: sentences by the cover, then words inside those that stay."""
    draft = compress(text, Want(count, question=question, budget=int(target), asked=True, kompress=model.scores))
    return text if draft is None else draft.text


def weighed(text, question, target, count, model):
    """Choose sentences as the cover does, with the model's ratings of their words as a part of their worth."""
    return cover(text, question, target, count, model) if question else _greedy(text, target, count, model, WORTH)


def unweighed(text, question, target, count, model):
    """Do the same with the ratings worth nothing: what they bring is the difference."""
    return cover(text, question, target, count, model) if question else _greedy(text, target, count, model, 0.0)


def _greedy(text, target, count, model, worth):
    units, facts = Units(text), Facts()
    words = Words(text, model)
    extra = [0.0] * len(units)
    for unit, score in zip(words.unit, words.scores, strict=True):
        extra[unit] += worth * max(0.0, score - 0.5)
    costs = [cost + NOTE_COST for cost in sizes(units)]
    keys = [facts.of(text[begin:end]) for begin, end in zip(units.begin, units.end, strict=True)]
    fixed = [unit for unit, kind in enumerate(units.kind) if units.failed[unit] or kind in FIXED]
    chosen, covered = list(fixed), set().union(*(keys[unit] for unit in fixed))
    heap = [(-1e9, unit) for unit in set(range(len(units))) - set(fixed)]
    heapify(heap)
    while heap:
        value, unit = heap[0]
        fresh = sum(facts.worth[key] for key in keys[unit] - covered) + extra[unit]
        if -fresh / costs[unit] > value + 1e-12:  # worth only falls: look again when its turn comes
            heapreplace(heap, (-fresh / costs[unit], unit))
            continue
        heappop(heap)
        chosen.append(unit)
        covered |= keys[unit]
    best = bisect_left(range(len(chosen) + 1), 1, key=lambda n: count(_render(units, chosen[:n])) > target)
    return _render(units, chosen[: max(0, best - 1)])


def _render(units, chosen):
    kept = bytearray(len(units))
    for unit in chosen:
        kept[unit] = 1
    return Rendering(units, kept).text


SYSTEMS = {
    "head/tail": head_tail,
    "bm25": bm25,
    "cover": cover,
    "model": alone,
    "matched": matched,
    "both": both,
    "weighed": weighed,
    "unweighed": unweighed,
}
