"""Choose which rows stay when an output is long: by what they are first, then by what they tell anew.

Every file stays named, and what goes is counted where it stood. Definitions and reported errors stay.
"""

from __future__ import annotations

from headroom_cli.compressors.search.lines import error_key, extension, is_definition, is_error, says_nothing
from headroom_cli.compressors.search.rows import CONTEXT, MATCH, Found, Group
from headroom_cli.lazy import pattern
from headroom_cli.rank import bm25

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Want

# (up to tokens, share of them that stays): a long list tells less with every line.
_SHARES = ((4_000, 0.52), (20_000, 0.40), (100_000, 0.20), (1 << 62, 0.02))
_MAX_SHARES = ((1_000, 0.40), (4_000, 0.25), (1 << 62, 0.05))
# Tokens; a smaller output costs less than asking for what was left out of it.
SMALL = 1_000
_FIRST = 3  # matches of each file that stay first
_DEFINITIONS = 6  # of each file, when a budget forces definitions out as well
_NOTE = 24  # characters of a gap note
_WEIGHED = 6_000  # rows beyond this many are not weighed against each other: the first of each file are
_WORD = pattern(r"[^\W\d_]{2,}")

# What a row is worth before its own words are looked at; the least goes first.
_BLANK, _FAR, _NEAR, _MORE, _EARLY, _ERRORS, _DEFINES, _FIRST_ONE = range(8)


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


class _Row:
    """A row that may go: where it stands, what it costs and what it is worth."""

    __slots__ = ("at", "cost", "group", "rank", "score")

    def __init__(self, group: int, at: int, rank: int, cost: int) -> None:
        self.group = group
        self.at = at
        self.rank = rank
        self.cost = cost
        self.score = 0.0


def cut(found: Found, want: Want, size: int, tokens: int, goal: int) -> tuple[int, int]:
    """Leave out rows of ``found`` until about ``goal`` of ``tokens`` tokens stay; return (matches, context lines) cut.

    ``size`` is the length of the grouped form in characters.
    """
    groups = found.groups()
    forced = want.budget is not None or want.level == "max"
    rows = _judged(groups, forced=forced)
    if want.spent():
        return 0, 0
    _score(rows, groups, want)
    surplus = (tokens - goal) / tokens * size
    gone: dict[int, set[int]] = {}
    rows.sort(key=lambda row: (row.rank, row.score))
    for row in rows:
        if surplus <= 0:
            break
        if row.group in gone:
            gone[row.group].add(row.at)
        else:
            gone[row.group] = {row.at}
            surplus += _NOTE
        surplus -= row.cost
    matches = context = 0
    for number, places in gone.items():
        group = groups[number]
        if not forced and sum(len(group.texts[at]) + len(group.labels[at]) for at in places) < 2 * _NOTE:
            continue  # the note would cost as much
        lost = sum(group.labels[at].count(",") + 1 for at in places if group.marks[at] == MATCH)
        aside = sum(group.marks[at] != MATCH for at in places)
        group.note = note(lost, aside)
        group.keep([at not in places for at in range(len(group.texts))])
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
    """Return the rows that may go, each with its rank."""
    rows: list[_Row] = []
    seen_errors: set[str] = set()
    for number, group in enumerate(groups):
        kind = extension(group.path)
        definitions = early = 0
        distances = _distances(group)
        for at, text in enumerate(group.texts):
            cost = len(text) + len(group.labels[at]) + 2
            if group.marks[at] != MATCH:
                if is_definition(text, kind):
                    rank = _DEFINES
                elif says_nothing(text):
                    rank = _BLANK
                else:
                    rank = _NEAR if distances[at] < 2 else _FAR
            elif is_definition(text, kind):
                definitions += 1
                rank = _DEFINES if definitions <= _DEFINITIONS or not forced else _EARLY
            elif is_error(text, kind) and (key := error_key(text)) not in seen_errors:
                seen_errors.add(key)
                rank = _ERRORS
            elif early < _FIRST:
                early += 1
                rank = _FIRST_ONE if early == 1 else _EARLY
            else:
                rank = _MORE
            if rank < (_FIRST_ONE if forced else _EARLY):
                rows.append(_Row(number, at, rank, cost))
    return rows


def _distances(group: Group) -> list[int]:
    """Return how many rows each row stands away from the nearest match; [] when all are matches."""
    if CONTEXT not in group.marks:
        return [0] * len(group.marks)
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


def _score(rows: list[_Row], groups: list[Group], want: Want) -> None:
    """Give each row what it tells anew per character, and more for the words of the question."""
    weighed = rows
    if len(rows) > _WEIGHED:
        each = max(1, _WEIGHED // (rows[-1].group + 1))
        taken: dict[int, int] = {}
        weighed = []
        for row in rows:
            count = taken.get(row.group, 0)
            taken[row.group] = count + 1
            if count < each:
                weighed.append(row)
                row.score = 1e-6
    asked = (
        bm25(want.question[-4000:], [groups[row.group].texts[row.at][:400] for row in weighed]) if want.question else []
    )
    seen: set[str] = set()
    for place, row in enumerate(weighed):
        words = set(_WORD.findall(groups[row.group].texts[row.at], 0, 400))
        new = len(words - seen)
        seen |= words
        row.score += (new + 1) / (row.cost + 20) + (asked[place] if asked else 0.0)
