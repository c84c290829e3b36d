"""Cut a text down to a budget in whole units: the commits of a log, records, else lines.

What is kept stays verbatim and in order; a note stands for each gap. Commits stay from the newest on, records and
lines from both ends; before them what speaks of an error and what the question is about.
"""

from __future__ import annotations

import re
from itertools import pairwise

from headroom_cli.compressors.tables import boxes, delimited, expanded, fixed, git
from headroom_cli.compressors.tables.grid import OPENING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Want

_NOTE = 9  # tokens of a gap note
_FRAME = 45  # tokens of a marker and its line
_TRIES = 5
_ASKED = 15  # units kept because of the question before all others
_COMMON = 50  # a word in more than one of so many units tells nothing of any
_TABLE = 300  # lines in which a table's header is looked for


def cut(lines: list[str], want: Want) -> tuple[list[str], str] | None:
    """Return the lines that the budget holds and what is missing; None when there are too few units to choose from."""
    name, starts = _units(lines)
    if len(starts) < 3:
        return None
    bounds = [*starts, len(lines)]
    sizes = [sum(map(len, lines[one:other])) + other - one for one, other in pairwise(bounds)]
    text = "\n".join(lines)
    per = want.count(text) / max(1, len(text))  # tokens of a character
    order = _ranked(lines, bounds, want.question, newest=name == "commit")
    head = lines[: starts[0]]
    room = max(1, (want.budget or 0) - _FRAME)
    made: list[str] = []
    gone = 0
    for _ in range(_TRIES):
        kept = _taken(order, sizes, (room / max(per, 1e-9)) - sum(map(len, head)), _NOTE / max(per, 1e-9))
        made, gone = _written(lines, bounds, head, kept, name)
        size = want.count("\n".join(made)) + _FRAME - _NOTE
        if size <= (want.budget or 0) or len(kept) == 1:
            break
        room = min(room * 4 // 5, room * (want.budget or 0) * 19 // (20 * size))
    return (made, f"{gone} of {len(starts)} {name}s") if gone else None


def _units(lines: list[str]) -> tuple[str, list[int]]:
    """Return what the text consists of and where each of them begins."""
    first = next((at for at, line in enumerate(lines) if line.strip() and not line.startswith(OPENING)), 0)
    if git.opens_commit(lines[first]):
        return "commit", [at for at, line in enumerate(lines) if line[:7] == "commit " and git.opens_commit(line)]
    if expanded.heading(lines[first]):
        return "record", [at for at, line in enumerate(lines) if line[:2] in ("-[", "**") and expanded.heading(line)]
    return "line", list(range(_header(lines, first), len(lines)))


def _header(lines: list[str], first: int) -> int:
    """Return where the lines begin that may go: below a table's header."""
    top = lines[first : first + _TABLE]
    if boxes.is_table(top):
        rule = next((at for at, line in enumerate(top) if at and boxes.is_rule(line)), 0)
        return first + rule + 1
    if delimited.delimiter(top):
        return first + 1
    at = fixed.header_of(top) if len(top) > 2 else -1
    return first if at < 0 else first + at + 1 + fixed.is_rule(top[at + 1])


def _ranked(lines: list[str], bounds: list[int], question: str, *, newest: bool) -> list[int]:
    """Return the units by their worth, the best first."""
    total = len(bounds) - 1
    texts = ["\n".join(lines[bounds[at] : bounds[at + 1]]) for at in range(total)]
    first = _asked(texts, question) if question.strip() else []
    if newest:
        return list(dict.fromkeys([*first, *range(total)]))
    from headroom_cli.compressors.tables.select import speaks_of_error

    # Each half as far from its end as the other; the last line is a total.
    ends = [at for pair in zip(range(total), range(total - 1, -1, -1), strict=True) for at in pair]
    return list(dict.fromkeys([*first, 0, total - 1, *speaks_of_error(texts), *ends]))


def _asked(texts: list[str], question: str) -> list[int]:
    """Return the few units that hold the rarest words of the question."""
    from headroom_cli.rank import terms

    lowered = [text.lower() for text in texts]
    worth: dict[int, float] = {}
    for term in dict.fromkeys(term for term in terms(question[:2000]) if len(term) > 2):
        whole = re.compile(rf"(?<![0-9a-z]){re.escape(term)}{'(?![0-9a-z])' if term[-1].isdigit() else ''}").search
        found = [at for at, text in enumerate(lowered) if term in text and whole(text) is not None]
        if len(found) <= max(_ASKED, len(texts) // _COMMON):
            for at in found:
                worth[at] = worth.get(at, 0.0) + 1 / len(found) + 1
    return sorted(worth, key=lambda at: (-worth[at], at))[:_ASKED]


def _taken(order: list[int], sizes: list[int], room: float, note: float) -> set[int]:
    """Return as many of the best units as there is room for, in characters; at least one."""
    kept: set[int] = set()
    for at in order:
        # A unit beside one that stays needs no note of its own.
        size = sizes[at] + (0 if at - 1 in kept or at + 1 in kept else note)
        if kept and size > room:
            if room < note:
                break
            continue
        kept.add(at)
        room -= size
    return kept


def _written(lines: list[str], bounds: list[int], head: list[str], kept: set[int], name: str) -> tuple[list[str], int]:
    """Return the kept units with a note for each gap, and how many went."""
    out = list(head)
    gone = 0
    last = -1
    for at in [*sorted(kept), len(bounds) - 1]:
        gap = at - last - 1
        if gap:
            gone += gap
            out.append(f"[... {gap} {name}{'s' if gap > 1 else ''}]")
            if name == "commit" and at < len(bounds) - 1:
                out.append("")
        out += lines[bounds[at] : bounds[at + 1]] if at < len(bounds) - 1 else []
        last = at
    return out, gone
