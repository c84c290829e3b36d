"""Which words go: those that a model rates lowest, never one that is protected, and a clause with its comma as a whole.

What stays is what the text said, word for word and in order. Nothing is joined: a word that ends a sentence or a
clause goes only with all of that clause.
"""

from __future__ import annotations

from headroom_cli.kompress.protect import FREE, NEVER, bare, protected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

THRESHOLD = 0.5  # a word above it stays, as the published models were trained
_LONGEST = 12  # words of a clause that goes as a whole
# Of a clause's words, and how many beside each other, may go one by one: without its verb and what belongs to that, a
# clause says something else.
_SHARE = 0.4
_RUN = 2
# How remarks begin that a sentence can do without. What begins otherwise may be its subject and verb, or one of several
# things in a row.
_ASIDES = frozenset((
    "in", "on", "at", "for", "with", "of", "as", "about", "among", "across", "along", "around", "near", "throughout",
    "towards", "beyond", "besides", "which", "who", "whom", "whose", "where", "such", "so", "thus", "therefore",
    "hence", "moreover", "furthermore", "indeed", "overall", "today", "here", "there", "also", "too", "still", "again",
    "anyway", "meanwhile",
))  # fmt: skip
_DASHES = frozenset(("-", "--", "\u2013", "\u2014", "&", "/", "|", "\u00b7", "\u2022"))


def order(words: list[str], scores: list[float], starts: list[int]) -> list[tuple[int, ...]]:
    """Return what may go, the least worth first: words one by one, and clauses or remarks in brackets as a whole.

    ``words`` are what stands between blanks; ``starts`` the numbers of those that begin a sentence. A step may name
    words that an earlier one has taken already.
    """
    held = protected(words, starts)
    steps: list[tuple[float, tuple[int, ...]]] = []
    for first, last in _clauses(words, starts):
        inside = range(first, last)
        whole = last - first <= _LONGEST and _goes_whole(words, first, last)
        if whole and all(held[at] != NEVER for at in inside):
            steps.append((sum(scores[at] for at in inside) / (last - first), tuple(inside)))
        free = [at for at in inside if held[at] == FREE and "(" not in words[at] and ")" not in words[at]]
        steps += [(scores[at], (at,)) for at in _single(free, scores, int((last - first) * _SHARE))]
    steps.sort()
    return [taken for _, taken in steps]


def _single(free: list[int], scores: list[float], most: int) -> list[int]:
    """Return up to ``most`` of the words that may go one by one, the least worth, with no long gap among them."""
    chosen: set[int] = set()
    for at in sorted(free, key=lambda at: (scores[at], at)):
        if len(chosen) == most:
            break
        before = after = 0
        while at - before - 1 in chosen:
            before += 1
        while at + after + 1 in chosen:
            after += 1
        if before + after < _RUN:
            chosen.add(at)
    return sorted(chosen)


def _goes_whole(words: list[str], first: int, last: int) -> bool:
    """Tell whether a clause is a remark that ends by itself: with its closing bracket or its comma.

    The comma behind a bracket is of the clause around it, and what is one word in brackets is a name or a sign.
    """
    if words[first].startswith("("):
        return last - first > 1 and words[last - 1].endswith(")")
    opening = bare(words[first])
    if opening not in _ASIDES and not opening.endswith("ly"):
        return False
    return words[last - 1].endswith(",") and "(" not in words[last - 1] and ")" not in words[last - 1]


def _clauses(words: list[str], starts: list[int]) -> list[tuple[int, int]]:
    """Return (first, one past the last) of what lies between commas, dashes, brackets and the ends of sentences."""
    begins = set(starts)
    found = []
    first = 0
    for at, word in enumerate(words):
        if at > first and (at in begins or word.startswith("(") or words[at - 1] in _DASHES):
            found.append((first, at))
            first = at
        if word[-1:] in ",;:)" or word in _DASHES or word.endswith((".)", "),")):
            found.append((first, at + 1))
            first = at + 1
    if first < len(words):
        found.append((first, len(words)))
    return found


def keep(
    words: list[str],
    scores: list[float],
    starts: list[int],
    *,
    share: float | None = None,
    threshold: float = THRESHOLD,
    fits: Callable[[bytearray], bool] | None = None,
) -> bytearray:
    """Return 1 for each word that stays.

    With a ``share`` (0..1) words go until that share of them is left, as far as protected ones allow; without, every
    unprotected word at or below the ``threshold``. ``fits``, asked with a mask, ends it earlier.
    """
    kept = bytearray(b"\1") * len(words)
    left = len(words)
    for taken in order(words, scores, starts):
        if share is None and sum(scores[at] for at in taken) / len(taken) > threshold:
            break
        if share is not None and left <= share * len(words):
            break
        for at in taken:
            left -= kept[at]
            kept[at] = 0
        if fits is not None and fits(kept):
            break
    return kept
