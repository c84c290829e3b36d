"""Choose which rows stay when an output is long: by what they are first, then by what they tell anew.

Every file stays named, and what goes is counted where it stood. Definitions and reported errors stay.
"""

from __future__ import annotations

from itertools import chain

from headroom_cli.compressors.search.lines import (
    DEFINITION_LINE,
    ERROR_LINE,
    error_key,
    extension,
    judging,
    says_nothing,
)
from headroom_cli.compressors.search.rows import CONTEXT, FUNCTION, MATCH, Found, Group
from headroom_cli.lazy import pattern
from headroom_cli.rank import bm25

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from headroom_cli.model import Want

    # Rank, score, number of the group, place in it, characters: a row that may go.
    _Row = tuple[int, float, int, int, int]

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
    rows = _judged(groups, forced=forced)
    if want.spent():
        return 0, 0
    ranked = _scored(rows, groups, want)
    surplus = (tokens - goal) / tokens * size
    gone: dict[int, set[int]] = {}
    for _, _, number, at, cost in ranked:
        if surplus <= 0:
            break
        places = gone.get(number)
        if places is None:
            gone[number] = {at}
            surplus += _NOTE - cost
        else:
            places.add(at)
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
            lost = len(places) + sum([labels[at].count(",") for at in places])
        group.note = note(lost, aside)
        group.keep([at for at in range(len(marks)) if at not in places])
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


def _judged(groups: list[Group], *, forced: bool) -> list[_Row]:
    """Return (rank, 0, group, row, characters) of each row that may go, in order."""
    rows: list[_Row] = []
    seen_errors: set[str] = set()
    judge = judging()
    for number, group in enumerate(groups):
        distances = _distances(group)
        if not forced and not distances and len(group.texts) <= _FIRST:
            continue
        kind = extension(group.path)
        definitions = early = 0
        labels = group.labels
        for at, text in enumerate(group.texts):
            what = judge(text, kind)
            if what == DEFINITION_LINE:
                definitions += 1
                if definitions <= _DEFINITIONS or not forced:
                    continue
                rank = _EARLY
            elif what == ERROR_LINE and (key := error_key(text)) not in seen_errors:
                seen_errors.add(key)
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
            rows.append((rank, 0.0, number, at, len(text) + len(labels[at]) + 2))
    return rows


def _distances(group: Group) -> list[int]:
    """Return how many rows each row stands away from the nearest match; [] when all are matches."""
    if CONTEXT not in group.marks and FUNCTION not in group.marks:
        return []
    far = len(group.marks)
    out = [far] * far
    away = far
    for at, mark in enumerate(group.marks):
        away = 0 if mark == MATCH else away + 1
        out[at] = away
    away = far
    for at in range(far - 1, -1, -1):
        away = 0 if group.marks[at] == MATCH else away + 1
        out[at] = min(out[at], away)
    return out


def _scored(rows: list[_Row], groups: list[Group], want: Want) -> Iterator[_Row]:
    """Return the rows in the order in which they go: by rank, then by what they tell anew and of the question."""
    weighed = rows
    rest: list[list[_Row]] = [[] for _ in range(_EARLY + 1)]
    if len(rows) > _WEIGHED:
        # The first of each file are weighed against each other; those behind them go before, from the end.
        each = max(1, _WEIGHED // len(groups))
        taken = [0] * len(groups)
        weighed = []
        for row in rows:
            count = taken[row[2]]
            if count < each:
                taken[row[2]] = count + 1
                weighed.append(row)
            else:
                rest[row[0]].append(row)
    texts = [groups[row[2]].texts[row[3]][:400] for row in weighed]
    asked = bm25(want.question[-4000:], texts) if want.question else [0.0] * len(texts)
    seen: set[str] = set()
    scored: list[list[_Row]] = [[] for _ in range(_EARLY + 1)]
    for row, text, relevance in zip(weighed, texts, asked, strict=True):
        rank, _, number, at, cost = row
        words = set(_WORD.findall(text))
        new = len(words - seen)
        seen |= words
        scored[rank].append((rank, (new + 1) / (cost + 20) + relevance, number, at, cost))
    return chain.from_iterable(chain(reversed(rest[rank]), sorted(scored[rank])) for rank in range(_EARLY + 1))
