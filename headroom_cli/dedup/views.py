"""Lines as they are compared: without the number that a view puts before them, and of which file the numbers are."""

from __future__ import annotations

import json

from headroom_cli.dedup import words
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from headroom_cli.model import Hint

# `cat -n` and `nl` (a tab), editors (`12:`, an arrow, `12|`, `12 | `), `grep -C` (`12-` around the matches `12:`).
_NUMBER = pattern(r"[ ]{0,9}L?(\d{1,7})(\t|\u2192|[ ][|\u2502][ ]?|[|\u2502]|:|-)")
_HIDDEN = pattern(r"\[(\d{1,7})(?:-(\d{1,7}))? (?:as above|= )")  # a reference of ours to numbered lines
_PADDED = pattern(r"[ ]{1,9}\d{1,7}[\t\u2192:]")  # columns of a table, drawn with bars, stay
_SAMPLE = 24  # lines, evenly spread, one of which must look numbered before every line is asked
# What an output says of the file that it shows: the head of SWE-agent's window, and what edit tools echo.
_FILE = pattern(r"\[File: ([^()\]\n]{1,300}) \(")
_SNIPPET = pattern(r"The file ([^\n]{1,300}?) has been |`cat -n` on (?:a snippet of )?(?!a snippet)([^\n:]{1,300}):")
_HEAD = 2000  # characters that are searched for such a head
_PATH = pattern(r"(?<![\w./~@+-])[\w./~@+-]{0,200}[\w-]\.[A-Za-z]\w{0,9}(?![\w./-])")
_COMMAND = 600  # characters of a command that are searched for a path
# What says that a run failed or how it ended. Looked for near the end of an output only.
_VERDICT = pattern(
    r"(?i)error|fail|exception|assert|fatal|panic|abort|denied|not found|no such|cannot|timed? ?out|killed|\bexit\b"
    r"|passed|\bok$|warnings? in|interrupt|\brefused\b|invalid|undefined"
)
_LAST = 12  # lines from the end among which the verdict stands
# A table's place in our own rendering of JSON, and its heading: they mean what stands below in the same text.
_TABLE = pattern(r"(?:^|[:,\[])@\d")
# A line of JSON is compared member by member: an answer that comes again has one member changed.
_scan: Callable[[str, int], tuple[object, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
_LEAST_JSON = {"{": 100, "[": 100, '"': 20}  # characters; what is left of a value behind a reference may be short
_OPENS = frozenset(_LEAST_JSON)
_MOST_JSON = 50_000


class View:
    """A text's lines: ``rows`` as they stand, ``keys`` as they are compared, ``numbers`` (0: none) or None.

    A row that is in ``glued`` goes on the line of the row before it: both are members of one JSON value.
    """

    __slots__ = ("glued", "held", "keys", "numbers", "rows")

    def __init__(
        self,
        rows: list[str],
        keys: list[str],
        numbers: list[int] | None = None,
        held: frozenset[int] = frozenset(),
        glued: frozenset[int] = frozenset(),
    ) -> None:
        """``held`` are the indexes of the lines that must stay where they are."""
        self.rows = rows
        self.keys = keys
        self.numbers = numbers
        self.held = held
        self.glued = glued


def view(text: str, most: int = -1) -> View:
    """Take the numbers off the lines that have one: only where the line before or behind has the number next to it.

    In the output of ``grep -C`` the lines that matched are held: there the sign after the number says that they did.
    With ``most`` only so many lines are read.
    """
    rows = text.split("\n") if most < 0 else text.split("\n", most)[:most]
    match = _NUMBER.match
    step = max(1, len(rows) // _SAMPLE)
    if not any(map(match, rows[::step])) and not any(map(match, rows[:8])):
        return _members(rows) if '":' in text else View(rows, rows)
    found = [match(row) for row in rows]
    firsts = [int(number[1]) if number is not None else 0 for number in found]
    lasts = firsts
    for i in words.notation(rows):
        if (hidden := _HIDDEN.match(rows[i])) is not None:
            lasts = list(firsts) if lasts is firsts else lasts
            firsts[i], lasts[i] = int(hidden[1]), int(hidden[2] or hidden[1])
    end = len(rows) - 1
    keys = list(rows)
    kept = [0] * len(rows)
    signs: dict[str, list[int]] = {":": [], "-": []}
    for i, number in enumerate(found):
        if number is None:
            continue
        n = firsts[i]
        if not ((i and lasts[i - 1] == n - 1) or (i < end and firsts[i + 1] == n + 1)):
            continue
        keys[i] = rows[i][number.end() :]
        kept[i] = n
        if number[2] in signs:
            signs[number[2]].append(i)
    if not any(kept):
        return _members(rows) if '":' in text else View(rows, rows)
    return View(rows, keys, kept, frozenset(signs[":"]) if signs["-"] else frozenset())


def _members(rows: list[str]) -> View:
    """Cut the lines that are JSON into the members of the value, each with its comma."""
    long = [i for i, row in enumerate(rows) if row[:1] in _OPENS and _LEAST_JSON[row[0]] <= len(row) <= _MOST_JSON]
    if not long:
        return View(rows, rows)
    parts: list[str] = []
    glued: list[int] = []
    done = 0
    for i in long:
        parts += rows[done:i]
        parts += (cut := _cut(rows[i]))
        glued += range(len(parts) - len(cut) + 1, len(parts))
        done = i + 1
    parts += rows[done:]
    keys = [part.rstrip(" ") for part in parts] if glued else parts
    inner = frozenset(glued)
    # The first member says what the value is about: it stays.
    return View(parts, keys, held=frozenset([i - 1 for i in glued if i - 1 not in inner]), glued=inner)


def _cut(row: str) -> list[str]:
    """Return a line of JSON member by member, the line itself when it has none or is not JSON."""
    if '":' not in row:
        return [row]
    keyed = row[0] != "["
    start = at = 0
    parts = []
    at += row[0] != '"'
    try:
        while True:
            if keyed:
                _, at = _scan(row, at)
                at = row.index(":", at) + 1
                at += row[at] == " "
            _, at = _scan(row, at)
            if row[at] != ",":
                break
            at += 1
            at += row[at] == " "
            parts.append(row[start:at])
            start = at
    except (StopIteration, ValueError, IndexError, RecursionError):
        pass  # cut off, or no JSON from here on: what is left stays in one piece
    if start < len(row):
        parts.append(row[start:])
    return parts


def unpadded(text: str) -> str:
    """Return a numbered view without the blanks before its numbers: a token of every line."""
    seen = view(text)
    if seen.numbers is None:
        return text
    return "\n".join(
        [
            row.lstrip(" ") if number and row[:1] == " " and _PADDED.match(row) else row
            for row, number in zip(seen.rows, seen.numbers, strict=True)
        ]
    )


def own_signs(rows: list[str]) -> list[int]:
    """Return the indexes of the lines of a rendering of JSON that point into that rendering."""
    legend = next((i for i, row in enumerate(rows) if row.startswith("[JSON as tables")), len(rows))
    return [i for i in range(legend, len(rows)) if "@" in rows[i] and _TABLE.search(rows[i])]


def verdict(rows: list[str]) -> int:
    """Return the index of the line near the end that says how a run ended, -1 when none does.

    Whoever reads that the same failure came again must read right there that it failed.
    """
    seen = 0
    for i in range(len(rows) - 1, -1, -1):
        if rows[i] and not rows[i].isspace():
            if _VERDICT.search(rows[i][:400]):
                return i
            seen += 1
            if seen == _LAST:
                break
    return -1


def file_of(text: str, hint: Hint) -> str:
    """Return the one file whose lines an output shows, "" when that is not known or several are named."""
    found = _FILE.search(text, 0, _HEAD)
    if found is not None:
        return found[1].strip()
    if hint.path:
        return hint.path
    found = _SNIPPET.search(text, 0, _HEAD)
    if found is not None:
        return (found[1] or found[2]).strip()
    paths = set(_PATH.findall(hint.command[:_COMMAND]))
    return paths.pop() if len(paths) == 1 else ""
