"""Prose with a model: whole sentences go by the cover, then words of those that stay, by the scores of the model.

A question that the text has to do with decides better than a model that does not know it: then the cover alone answers.
Words go inside paragraphs and list items of the text alone: what is a heading, a listing, a table or a note is not
touched, and neither is a sentence that the cover has not left as the text had it. Wherever the model has nothing to
say, cannot say it, or does no better than the cover, the cover's draft is the answer. docs/decisions/0017-kompress.md
has the figures behind MODE.
"""

from __future__ import annotations

from headroom_cli.compressors.prose.blocks import ITEM, TEXT
from headroom_cli.compressors.prose.clean import tidy
from headroom_cli.compressors.prose.layout import unwrapped
from headroom_cli.compressors.prose.relevance import scores as relevance
from headroom_cli.compressors.prose.units import NOTE, OURS, Units
from headroom_cli.errors import NotUsableError
from headroom_cli.kompress.choose import THRESHOLD, order
from headroom_cli.kompress.protect import reads_as_english
from headroom_cli.lazy import pattern
from headroom_cli.model import FAITHFUL, LOSSY, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from headroom_cli.model import Want

BOTH = "both"  # sentences by the cover, at one of STRETCHES of its target, then words down to the target
ALONE = "alone"  # words of the whole text
MODE = BOTH
STRETCHES = (1.2, 1.1, 1.05)  # the first from which the words that may go lead down to the target
_LEAST = 64  # words; fewer are not worth a model
_SURE = 0.95  # of the words above the threshold: the model has nothing against this text
_FLAT = 1e-3  # scores that differ by no more say nothing
_ROUNDS = 5  # renderings to find how many words go
_LONGEST = 80  # characters that a marker may say
_NOTED = 24  # words that go before they are noted, at a paragraph's end
_BEFORE_OTHER = 8  # likewise where something else than words follows: a heading, a listing
_SPOKEN = {TEXT: 5, ITEM: 8}  # words of a sentence at least; shorter ones are labels, shorter items facts
_COLUMNS = pattern(r"\S(?:\t| {3})\s*\S")
_WORD = pattern(r"\S+")
_BLANK = " \t\r\n\u00a0\u3000"


def compress(text: str, want: Want, cover: Callable[..., Draft | None], mode: str = MODE) -> Draft | None:
    """Return the shorter text. ``cover(text, want, stretch=1.0)`` makes it of whole sentences."""
    plain: Draft | None = cover(text, want)
    if plain is None or plain.degree != LOSSY or want.kompress is None or want.spent():
        return plain  # the text is no prose, too short, or nothing may be left out
    target = want.count(plain.text)
    source = Units(unwrapped(tidy(text)))
    if want.question and relevance(source, want.question):
        return plain  # the model does not know the question: it would take words out of the very answers
    scores: dict[str, list[float]] = {}
    for stretch in STRETCHES if mode == BOTH else (0.0,):
        began: Draft | None = cover(text, want, stretch) if stretch else Draft(source.text, FAITHFUL)
        if began is None or want.count(began.text) <= target:
            continue
        words = _Words(began.text, source)
        if not scores:  # the longest text has all the sentences of the others, but for a few
            try:
                scores = _rated(words, want.kompress)
            except NotUsableError:
                return plain
            if not scores:
                return plain
        made = _fit(words, words.order(scores), target, want)
        if made is not None:
            shorter, gone = made
            said = f"{gone} of {len(_WORD.findall(text))} words"
            missing = f"{began.missing}, {said}" if began.missing else said
            return Draft(shorter, LOSSY, missing if len(missing) <= _LONGEST else said)
    return plain


def _rated(words: _Words, rate: Callable[[list[str]], list[float]]) -> dict[str, list[float]]:
    """Return the scores of each sentence's words, {} where the model has nothing to say. Raise NotUsableError."""
    if len(words.texts) < _LEAST or not reads_as_english(words.texts):
        return {}
    scores = rate(words.texts)
    if len(scores) != len(words.texts) or _is_unsure(scores):
        return {}
    ends = [*words.starts[1:], len(words.texts)]
    return {" ".join(words.texts[start:end]): scores[start:end] for start, end in zip(words.starts, ends, strict=True)}


def _is_unsure(scores: list[float]) -> bool:
    """Tell whether a model would keep all but everything, or rates all words alike."""
    high = sum(score > THRESHOLD for score in scores)
    return high > _SURE * len(scores) or max(scores) - min(scores) < _FLAT


def _fit(words: _Words, steps: list[tuple[int, ...]], target: int, want: Want) -> tuple[str, int] | None:
    """Return the longest text within ``target`` tokens and how many words it lacks, None when there is none."""
    low, high = 1, len(steps)
    best: tuple[str, int] | None = None
    whole = want.count(words.text)
    if not steps or want.count(words.without(steps)[0]) > target:
        return None  # too little of it may go
    guess = max(1, round((whole - target) / whole * len(words.texts)))
    for _ in range(_ROUNDS):
        guess = min(high, max(low, guess))
        made = words.without(steps[:guess])
        size = want.count(made[0])
        if size <= target:
            best, high = made, guess - 1
        else:
            low = guess + 1
        if low > high or want.spent():
            break
        per_step = max(0.2, (whole - size) / guess)
        step = round((size - target) / per_step)
        guess += step or (1 if size > target else -1)
    return best


class _Words:
    """The words of a text that may go: ``texts``, and ``starts``, the numbers of those that begin a sentence."""

    __slots__ = ("_ends", "_spans", "starts", "text", "texts")

    def __init__(self, text: str, source: Units) -> None:
        """Take the sentences of ``text`` that stand in ``source`` word for word, and hold no note of ours.

        Where lines of theirs end makes no difference.
        """
        self.text = text
        self.texts: list[str] = []
        self.starts: list[int] = []
        self._spans: list[tuple[int, int]] = []
        # Of each paragraph: how many words stand before its end, that place, whether something else comes before it.
        self._ends: list[tuple[int, int, bool]] = []
        units = Units(text)
        known = {
            " ".join(source.text[begin:end].split())
            for begin, end, kind in zip(source.begin, source.end, source.kind, strict=True)
            if kind in (TEXT, ITEM)
        }
        other = False
        for block, (kind, _, _, stop, _) in enumerate(units.blocks):
            if kind not in (TEXT, ITEM):
                other = True
                continue
            for unit in range(units.of_block[block], units.of_block[block + 1]):
                begin, end = units.begin[unit], units.end[unit]
                sentence = text[begin:end]
                noted = NOTE.match(sentence)
                if noted is not None:  # a gap before it: the sentence itself begins behind the note
                    begin += noted.end()
                if units.failed[unit] or units.alert[unit] or OURS.search(text, begin, end):
                    continue
                words = text[begin:end].split()
                if len(words) < _SPOKEN[kind] or " ".join(words) not in known or _COLUMNS.search(text, begin, end):
                    continue
                self.starts.append(len(self.texts))
                for word in _WORD.finditer(text, begin, end):
                    self.texts.append(word.group())
                    self._spans.append(word.span())
                if self.starts[-1] == len(self.texts):
                    self.starts.pop()
            self._ends.append((len(self.texts), stop, other))
            other = False

    def order(self, scores: dict[str, list[float]]) -> list[tuple[int, ...]]:
        """Return which words may go, the least worth first; sentences that no model has rated stay whole."""
        if not self.starts:
            return []
        ends = [*self.starts[1:], len(self.texts)]
        rated: list[float] = []
        for start, end in zip(self.starts, ends, strict=True):
            rated += scores.get(" ".join(self.texts[start:end])) or [1.0] * (end - start)
        return [taken for taken in order(self.texts, rated, self.starts) if min(rated[at] for at in taken) < 1]

    def without(self, steps: list[tuple[int, ...]]) -> tuple[str, int]:
        """Return the text without some words, with notes of how many, and their number."""
        gone = bytearray(len(self.texts))
        for taken in steps:
            for at in taken:
                gone[at] = 1
        text, out = self.text, []
        at = before = 0  # what of the text, and which word, comes next
        pending = total = 0
        last = len(self._ends) - 1
        for number, (stop_word, stop, _) in enumerate(self._ends):
            for word in range(before, stop_word):
                if not gone[word]:
                    continue
                start, end = self._spans[word]
                out.append(text[at:start])
                at = _closed(text, end, out)
                pending += 1
            before = stop_word
            due = 1 if number == last else _BEFORE_OTHER if self._ends[number + 1][2] else _NOTED
            if pending >= due:
                body = text[at:stop]
                out += (body.rstrip(_BLANK), f" [...{pending} words]", body[len(body.rstrip(_BLANK)) :])
                at = stop
                total += pending
                pending = 0
        out.append(text[at:])
        return "".join(out), total


def _closed(text: str, end: int, out: list[str]) -> int:
    """Return where the text goes on behind a word that went: no blank stays at a line's end, and no line empty."""
    while text[end : end + 1] in (" ", "\t"):
        end += 1
    if text[end : end + 1] not in ("", "\r", "\n"):
        return end
    before = len(out) - 1
    while before > 0 and not out[before].strip(" \t"):
        before -= 1
    kept = out[before].rstrip(" \t")
    if kept[-1:] != "\n":
        out[before:] = [kept]
        return end
    following = end + (2 if text[end : end + 2] == "\r\n" else 1)
    if text[end : end + 1] and text[following : following + 1] not in ("", "\r", "\n"):
        out[before:] = [kept]  # the line had no other word: the next one takes its place
        return following
    out[before:] = [kept.rstrip("\r\n")]  # the last line of a paragraph goes with its break
    return end
