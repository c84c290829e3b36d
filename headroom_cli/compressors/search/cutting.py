"""Choose which rows stay when an output is long: by what they are first, then by what they tell anew.

Every file stays named, and what goes is counted where it stood. Definitions and reported errors stay.
"""

from __future__ import annotations

from itertools import accumulate

from headroom_cli.compressors.search.lines import (
    DEFINITION_LINE,
    error_key,
    extension,
    says_nothing,
    telling,
)
from headroom_cli.compressors.search.rows import CONTEXT, FUNCTION, MATCH, Found, Group
from headroom_cli.lazy import pattern
from headroom_cli.rank import bm25

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Want

    _Row = tuple[int, int, int]  # rank, number of the group, place in it: a row that may go
    _Rest = list[list[tuple[int, list[int]]]]  # of each rank: number of the group, places in it

# (up to tokens, share of them that stays): a long list tells less with every line.
_SHARES = ((20_000, 0.55), (100_000, 0.30), (1 << 62, 0.02))
_MAX_SHARES = ((1_000, 0.40), (4_000, 0.25), (1 << 62, 0.05))
# Tokens; a smaller output costs less than asking for what was left out of it.
SMALL = 600
_FIRST = 3  # matches of each file that stay first
_DEFINITIONS = 6  # of each file, when a budget forces definitions out as well
_NOTE = 24  # characters of a gap note
_WEIGHED = 6_000  # rows beyond this many are not weighed against each other: the first of each file are
_WORD = pattern(r"[^\W\d_]{2,}")

# What a row is worth before its own words are looked at; the least goes first.
_BLANK, _FAR, _NEAR, _MORE, _EARLY = range(5)


def target(tokens: int, want: Want) -> int:
    """Return how many tokens an output of so many should keep at this level."""
    if want.budget is not None:
        return want.budget
    shares = _MAX_SHARES if want.level == "max" else _SHARES
    kept = 0.0
    below = 0
    for limit, share in shares:
        kept += (min(tokens, limit) - below) * share
        if tokens <= limit:
            break
        below = limit
    return int(kept)


def cut(found: Found, want: Want, size: int, tokens: int, goal: int) -> tuple[int, int]:
    """Leave out rows of ``found`` until about ``goal`` of ``tokens`` tokens stay; return (matches, context lines) cut.

    ``size`` is the length of the grouped form in characters.
    """
    groups = found.groups()
    forced = want.budget is not None or want.level == "max"
    rows, rest = _judged(groups, forced=forced)
    if want.spent():
        return 0, 0
    scored = _scored(rows, groups, want)
    surplus = (tokens - goal) / tokens * size
    gone: dict[int, list[int]] = {}  # no place twice; as sets they would take ten times the memory
    for rank in range(_EARLY + 1):
        for number, behind in reversed(rest[rank]):
            if surplus <= 0:
                break
            texts, labels = groups[number].texts, groups[number].labels
            taken = behind
            cost = sum(map(len, map(texts.__getitem__, behind))) + sum(map(len, map(labels.__getitem__, behind)))
            cost += 2 * len(behind)
            surplus += 0 if number in gone else _NOTE
            if cost > surplus:
                costs = [len(texts[at]) + len(labels[at]) + 2 for at in reversed(behind)]
                many, cost = next(found for found in enumerate(accumulate(costs), 1) if found[1] >= surplus)
                taken = behind[-many:]
            surplus -= cost
            gone.setdefault(number, []).extend(taken)
        for _, number, at, cost in scored[rank]:
            if surplus <= 0:
                break
            if number not in gone:
                gone[number] = []
                surplus += _NOTE
            gone[number].append(at)
            surplus -= cost
    matches = context = 0
    for number, places in gone.items():
        group = groups[number]
        labels, marks = group.labels, group.marks
        if not forced and len(places) < _NOTE and sum(len(group.texts[at]) for at in places) < 3 * _NOTE:
            continue  # the note would cost as much
        if found.context:
            aside = sum([marks[at] != MATCH for at in places])
            lost = len(places) - aside
        else:
            aside = 0
            lost = len(places) + "".join(map(labels.__getitem__, places)).count(",")
        group.note = note(lost, aside)
        group.keep(sorted(set(range(len(marks))).difference(places)))
        matches += lost
        context += aside
    return matches, context


def note(matches: int, context: int) -> str:
    """Return the gap note for rows of one file."""
    said = []
    if matches:
        said.append(f"{matches} {'match' if matches == 1 else 'matches'}")
    if context:
        said.append(f"{context} context {'line' if context == 1 else 'lines'}")
    return f"[... {', '.join(said)}]"


def _judged(groups: list[Group], *, forced: bool) -> tuple[list[_Row], _Rest]:
    """Return the rows that may go: those to be weighed, in order, and of each rank what stands behind them in its file.

    In a large output only the first of each file are weighed against each other. The rest go before them.
    """
    rows: list[_Row] = []
    rest: _Rest = [[] for _ in range(_EARLY + 1)]
    total = sum([len(group.texts) for group in groups])
    each = total if total <= _WEIGHED else max(1, _WEIGHED // len(groups))
    seen_errors: set[str] = set()
    known: dict[str, int] = {}
    for number, group in enumerate(groups):
        texts = group.texts
        distances = _distances(group)
        if not forced and not distances and len(texts) <= _FIRST:
            continue
        told = telling(texts, extension(group.path), known)
        if not forced and not distances:
            stay = [at for at, what in told if what == DEFINITION_LINE or _is_new(texts[at], seen_errors)]
            more = list(range(len(texts))) if not stay else sorted(set(range(len(texts))).difference(stay))
            rows += [(_MORE, number, at) for at in more[_FIRST : _FIRST + each]]
            if len(more) > _FIRST + each:
                rest[_MORE].append((number, more[_FIRST + each :]))
            continue
        judged = dict(told)
        definitions = early = 0
        last = len(rows) + each
        behind: list[list[int]] = [[] for _ in range(_EARLY + 1)]
        for at, text in enumerate(texts):
            what = judged.get(at)
            if what == DEFINITION_LINE:
                definitions += 1
                if definitions <= _DEFINITIONS or not forced:
                    continue
                rank = _EARLY
            elif what is not None and _is_new(text, seen_errors):
                continue
            elif distances and distances[at]:
                rank = _BLANK if says_nothing(text) else _NEAR if distances[at] < 2 else _FAR
            elif early < _FIRST:
                early += 1
                if early == 1 or not forced:
                    continue
                rank = _EARLY
            else:
                rank = _MORE
            if len(rows) < last:
                rows.append((rank, number, at))
            else:
                behind[rank].append(at)
        for rank, places in enumerate(behind):
            if places:
                rest[rank].append((number, places))
    return rows, rest


def _is_new(text: str, seen: set[str]) -> bool:
    """Return whether an error was not reported before."""
    key = error_key(text)
    if key in seen:
        return False
    seen.add(key)
    return True


def _distances(group: Group) -> list[int]:
    """Return of each row 0 for a match, 1 beside one and 2 further away; [] when all are matches."""
    if CONTEXT not in group.marks and FUNCTION not in group.marks:
        return []
    marks = "".join(group.marks)
    beside = zip(marks, f" {marks}", f"{marks[1:]} ", strict=False)
    return [0 if own == MATCH else 1 if MATCH in (above, below) else 2 for own, above, below in beside]


def _scored(rows: list[_Row], groups: list[Group], want: Want) -> list[list[tuple[float, int, int, int]]]:
    """Return of each rank (score, group, row, characters), the least first.

    The score is what a row tells anew for its length, and how much it is about the question.
    """
    texts = [groups[number].texts[at][:400] for _, number, at in rows]
    asked = bm25(want.question[-4000:], texts) if want.question else [0.0] * len(texts)
    seen: set[str] = set()
    scored: list[list[tuple[float, int, int, int]]] = [[] for _ in range(_EARLY + 1)]
    for (rank, number, at), text, relevance in zip(rows, texts, asked, strict=True):
        words = set(_WORD.findall(text))
        new = len(words - seen)
        seen |= words
        cost = len(groups[number].texts[at]) + len(groups[number].labels[at]) + 2
        scored[rank].append(((new + 1) / (cost + 20) + relevance, number, at, cost))
    for ranked in scored:
        ranked.sort()
    return scored
