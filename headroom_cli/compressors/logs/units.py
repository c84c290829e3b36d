"""What belongs to an error: the lines below it that say what came, the heads above it that say where.

An error and its lines are one unit: a unit stays whole or goes whole, so that no message and no coordinate ever stands
under the head of another failure.
"""

from __future__ import annotations

from headroom_cli.compressors.logs.lines import (
    BELONGS,
    DETAIL,
    ERROR,
    FAILING,
    FRAME,
    GLUE,
    PASSED,
    SKIPPED,
    SUMMARY,
    TROUBLE,
    WARNING,
)
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.logs.pick import Log

_BODY = 12  # lines that one error may own; what follows is judged line by line
_WALK = 40  # lines looked at below an error, frames and blanks included
_MANY = 200  # distinct lines of one wording that stay, whatever their numbers
_ENDS = 20  # of a wording with more: the first and the last that stay

# What changes from one telling to the next: clocks, process ids, durations, addresses, ids. Hosts, ports, shards,
# paths, symbols and statuses do not match: lines that differ in them are different errors.
_VOLATILE = pattern(
    r"\d{4}[-/.]\d\d[-/.]\d\d|\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?|\[ {0,8}\d{1,9}\.\d{3,6}\]"
    r"|(?<=[A-Za-z])\[\d{1,8}\]|\bpid[ =:]{1,2}\d{1,8}|\b\d{1,9}(?:\.\d{1,9})? ?(?:[num]?s|secs?|seconds?|minutes?)\b"
    r"|\b0x[0-9a-fA-F]{6,16}\b|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|\b(?=[0-9a-f]{0,15}\d)[0-9a-f]{16,64}\b"
)
_NUMBERS = pattern(r"(\d+)")
_LONG = 4_000  # characters; a longer line is taken as it is
_ID = 6  # digits; a number of so many that stands alone is the id of a request
# Clocks at the start of a line. A bare "12:5" is none: linters write line and column so.
_STAMP = pattern(
    r"(?:[\[(] {0,8})?(?:(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6},?"
    r"(?: +\d{1,2}(?= ))?|\d{4}[-/.]\d\d[-/.]\d\dT?|\d{1,2}[-/.]\d{1,2}(?:[-/.]\d{2,4})?(?= +\d\d:)"
    r"|\d{1,2}:\d\d:\d\d(?:[.,:]\d{1,9})?Z?(?:[+-]\d\d:?\d\d)?|\d{10,19}(?:\.\d{1,9})?|\d{1,9}\.\d{3,9}(?=\])"
    r"|\d{4}(?=\]))[\s\])]*)+"
)
_PROCESS = pattern(r"(?<=[A-Za-z])\[\d{1,8}\]")
# A compiler's message, with its place in front or below it, and the drawn source below: "12 | code", "   | ^^^ why".
_DIAGNOSTIC = pattern(
    r"(?:\S{1,300}?[:(]\d{1,7}[:,]\d{1,6}\)?:? )?(?:fatal )?(?:error|warning)(?:\[\w{1,12}\]|(?: TS\d{1,6}))?: "
)
_DRAWN = pattern(r"\s{0,12}(\d{1,7})?\s{0,3}\|")
_EDGE = " \t|\u2502"  # indentation, and the bar that terraform and rustc draw
_RUN = pattern(r"\s*=== (?:RUN|NAME|CONT) +(\S{1,400})$")
_GO_FAILED = pattern(r"\s*--- FAIL: (\S{1,400})")
# Heads that name the place of the error below them: gcc, ld.
_ABOVE = pattern(
    r"In file included from |\S{1,200}: (?:\S{1,200}: )?(?:[Ii]n (?:\w{1,20} ){0,2}function|At (?:global|top))"
)


def unstamped(text: str) -> str:
    """Return a line without the clock at its start and without process ids."""
    found = _STAMP.match(text)
    if found:
        text = text[found.end() :]
    return _PROCESS.sub("[]", text, count=1) if "[" in text[:80] else text


def _indent(text: str) -> int:
    """Return the number of characters before the first word of a line, the bar of a box among them."""
    return len(text) - len(text.lstrip(_EDGE))


def find(log: Log) -> None:
    """Fill ``log.bodies`` (the rows that each error owns) and ``log.owned`` (1 for each owned row)."""
    texts, classes, owned, bodies, keys = log.texts, log.classes, log.owned, log.bodies, log.rows
    total = len(texts)
    heads: dict[int, bool] = {}  # by the number of a line's key: is it the head of a failing test
    parts: dict[int, bool] = {}  # does it belong to an error above it, as deep as that or not
    told: dict[str, set[str]] = {}  # message of a diagnostic -> what its drawings said
    for row in range(total):
        if classes[row] not in (ERROR, TROUBLE) or owned[row]:
            continue
        text = texts[row]
        key = keys[row]
        if key not in heads:
            heads[key] = FAILING.match(text) is not None
        failing = heads[key] and classes[row] == ERROR
        indent = _indent(text) if text[0] in _EDGE else 0
        rows: list[int] = []
        said = _said_before(text, told)
        for at in range(row + 1, min(row + 1 + _WALK, total)):
            below = texts[at]
            if not below:
                if failing:
                    continue
                break
            kind = classes[at]
            deeper = below[0] in _EDGE and _indent(below) > indent
            if kind in (PASSED, SKIPPED) or (kind == SUMMARY and not deeper):
                break
            if kind == GLUE:
                if failing or below[0] in _EDGE:
                    continue
                break
            if kind == FRAME:
                if failing:
                    continue
                break
            key = keys[at]
            if key not in heads:
                heads[key] = FAILING.match(below) is not None
            if heads[key]:
                break
            if not (failing or deeper):
                if key not in parts:
                    parts[key] = bool(BELONGS.match(below) or (kind != ERROR and DETAIL.match(below)))
                if not parts[key]:
                    break
            rows.append(at)
            if len(rows) == _BODY:
                break
        if said is not None:
            rows = _news(rows, texts, said)
        if rows:
            bodies[row] = rows
            for at in rows:
                owned[at] = 1
    if "=== RUN" in "\n".join(texts):
        _runs(log)


def _said_before(text: str, told: dict[str, set[str]]) -> set[str] | None:
    """Return what the drawings below a compiler's message said so far, None where they must stay whole.

    A compiler that misses one crate says so a hundred times; where and what stays, the drawing of it need not.
    """
    found = _DIAGNOSTIC.match(text)
    if found is None:
        return None
    return told.setdefault(text[found.end() :], set())


def _news(rows: list[int], texts: list[str], said: set[str]) -> list[int]:
    """Return the lines of a diagnostic without its drawing, when the drawing says what others of that message said."""
    drawing = set()
    news = False
    for row in rows:
        text = texts[row]
        drawn = _DRAWN.match(text)
        if drawn is not None:
            drawing.add(row)
            rest = "" if drawn[1] else text[drawn.end() :].strip(" ^~+-|_")
        elif text.lstrip().startswith(("= help: ", "= note: ", "help: ", "^", "~")):
            drawing.add(row)
            rest = text.strip(" ^~")
        else:
            continue  # a place or a symbol: it stays
        if rest and rest not in said:
            said.add(rest)
            news = True
    if not said and drawing:
        said.add("drawn without words")
        news = True
    return rows if news else [row for row in rows if row not in drawing]


def _runs(log: Log) -> None:
    """Give the output of failed Go tests to their ``=== RUN`` line: ``go test -v`` prints it before the verdict."""
    texts, owned, bodies = log.texts, log.owned, log.bodies
    failed = {found[1] for found in map(_GO_FAILED.match, texts) if found}
    head = -1
    for row, text in enumerate(texts):
        found = _RUN.match(text)
        if found:
            head = row if found[1] in failed else -1
            continue
        if text.lstrip().startswith(("--- ", "=== ")):
            head = -1
        if head >= 0 and text and not owned[row]:
            rows = bodies.setdefault(head, [])
            if len(rows) < _BODY:
                rows.append(row)
                owned[row] = 1


def _wording(parts: list[str]) -> tuple[str, list[tuple[int, bool]]]:
    """Return a line without its numbers, and its telling numbers: (place in ``parts``, stands alone).

    ``parts`` is a line split at its numbers: text, number, text, number, ..., text.
    """
    text = "".join(parts)
    spans = [found.span() for found in _VOLATILE.finditer(text)]
    telling: list[tuple[int, bool]] = []
    start = span = 0
    for at in range(1, len(parts), 2):
        start += len(parts[at - 1])
        end = start + len(parts[at])
        while span < len(spans) and spans[span][1] <= start:
            span += 1
        if span == len(spans) or spans[span][0] >= end:
            around = text[start - 1 : start] + text[end : end + 1]
            telling.append((at, not any(char.isalnum() or char in "._" for char in around)))
        start = end
    return _NUMBERS.sub("", _VOLATILE.sub("#", text)), telling


def troubles(log: Log, stays: bytearray) -> None:
    """Keep each distinct denial, refusal and absence; of more than a few hundred of one wording the first and last."""
    texts, owned, bodies, folded = log.texts, log.owned, log.bodies, log.folded
    # Lines with the same text around their numbers are of one wording, looked into once: 20 MB/s where masking each
    # line does 6.
    wordings: dict[str, tuple[str, list[tuple[int, bool]]]] = {}
    groups: dict[str, tuple[dict[tuple[str, ...], int], list[int]]] = {}
    split = _NUMBERS.split
    for row, kind in enumerate(log.classes):
        if kind != TROUBLE or owned[row]:
            continue
        # A line of thousands of numbers is one of a kind.
        parts = split(texts[row]) if len(texts[row]) <= _LONG else [texts[row]]
        around = "\0".join(parts[::2])
        known = (around, []) if len(parts) == 1 else wordings.get(around)
        if known is None:
            known = wordings[around] = _wording(parts)
        wording, telling = known
        firsts, members = groups.setdefault(wording, ({}, []))
        members.append(row)
        if len(firsts) > _MANY:
            continue
        said = [parts[at] if len(parts[at]) < _ID or not alone else "#" for at, alone in telling]
        said += map(texts.__getitem__, bodies.get(row, ()))
        firsts.setdefault(tuple(said), row)
    for firsts, members in groups.values():
        chosen = list(firsts.values())
        if len(firsts) > _MANY:
            chosen = [*chosen[:_ENDS], *members[-_ENDS:]]
            for row in members:
                folded[row] = 1
        for row in chosen:
            stays[row] = 1
            folded[row] = 0


def close(log: Log, stays: bytearray) -> None:
    """Let the lines of each unit go the way of its head, and bring the heads that say where an error stands."""
    texts, classes, guards = log.texts, log.classes, log.guards
    for head, rows in sorted(log.bodies.items()):  # bodies nest: a head stands above its rows
        if classes[head] == PASSED:
            stays[head] = 1
            guards[head] = 2
        for row in rows:
            stays[row] = stays[head]
    above: list[tuple[int, int]] = []  # (indentation, row) of the lines that the present one stands under
    for row, text in enumerate(texts):
        kind = classes[row]
        if not text or kind in (GLUE, FRAME, PASSED):
            continue
        if text[0] in _EDGE:
            indent = _indent(text)
            while above and above[-1][0] >= indent:
                above.pop()
        else:
            indent = 0
            above.clear()
        if stays[row] and kind in (ERROR, TROUBLE, WARNING):
            weight = 1 if kind == WARNING else 2
            for _, head in reversed(above):
                if stays[head] and guards[head] >= weight:
                    break
                stays[head] = 1
                guards[head] = max(guards[head], weight)
            if row and not stays[row - 1] and _ABOVE.match(texts[row - 1]):
                stays[row - 1] = 1
        if len(above) < _WALK:
            above.append((indent, row))
