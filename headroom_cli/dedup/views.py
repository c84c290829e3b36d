"""Lines as they are compared: without the number that a view puts before them, and of which file the numbers are."""

from __future__ import annotations

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Hint

# `cat -n` and `nl` (a tab), editors (`12:`, an arrow, `12|`, `12 | `), `grep -C` (`12-` around the matches `12:`).
_NUMBER = pattern(r"[ ]{0,9}L?(\d{1,7})(\t|\u2192|[ ]?[|\u2502][ ]?|:|-)")
_SAMPLE = 24  # lines, evenly spread, one of which must look numbered before every line is asked
# What an output says of the file that it shows: SWE-agent's and aider's heads, and what edit tools echo.
_HEADS = (
    pattern(r"\[File: ([^()\]\n]{1,300}) \("),
    pattern(r"(?:running|result of) `cat -n` on (?:a snippet of )?([^\n:]{1,300}):"),
    pattern(r"The file ([^\n]{1,300}) has been (?:edited|updated)"),
)
_HEAD = 2000  # characters that are searched for such a head
_PATH = pattern(r"(?<![\w./~@+-])[\w./~@+-]{0,200}[\w-]\.[A-Za-z]\w{0,9}(?![\w./-])")
_COMMAND = 600  # characters of a command that are searched for a path
# What says that a run failed or how it ended. Looked for near the end of an output only.
_VERDICT = pattern(
    r"(?i)error|fail|exception|assert|fatal|panic|abort|denied|not found|no such|cannot|timed? ?out|killed|\bexit\b"
    r"|passed|\bok$|warnings? in|interrupt|\brefused\b|invalid|undefined"
)
_LAST = 12  # lines from the end among which the verdict stands


class View:
    """A text's lines: ``rows`` as they stand, ``keys`` as they are compared, ``numbers`` (0: none) or None."""

    __slots__ = ("held", "keys", "numbers", "rows")

    def __init__(self, rows: list[str], keys: list[str], numbers: list[int] | None, held: frozenset[int]) -> None:
        """``held`` are the indexes of the lines that must stay where they are."""
        self.rows = rows
        self.keys = keys
        self.numbers = numbers
        self.held = held


def view(rows: list[str]) -> View:
    """Take the numbers off the lines that have one: only where the next or the last line has the next or last number.

    In the output of ``grep -C`` the lines that matched are held: there the sign after the number says that they did.
    """
    match = _NUMBER.match
    step = max(1, len(rows) // _SAMPLE)
    if not any(map(match, rows[::step])) and not any(map(match, rows[:8])):
        return View(rows, rows, None, frozenset())
    found = [match(row) for row in rows]
    numbers = [int(number[1]) if number is not None else 0 for number in found]
    last = len(rows) - 1
    keys = list(rows)
    kept = [0] * len(rows)
    signs: dict[str, list[int]] = {":": [], "-": []}
    for i, number in enumerate(found):
        if number is None:
            continue
        n = numbers[i]
        if not ((i and numbers[i - 1] == n - 1) or (i < last and numbers[i + 1] == n + 1)):
            continue
        keys[i] = rows[i][number.end() :]
        kept[i] = n
        if number[2] in signs:
            signs[number[2]].append(i)
    if not any(kept):
        return View(rows, rows, None, frozenset())
    return View(rows, keys, kept, frozenset(signs[":"]) if signs["-"] else frozenset())


def unpadded(text: str) -> str:
    """Return a numbered view without the blanks before its numbers: a token of every line."""
    rows = text.split("\n")
    seen = view(rows)
    if seen.numbers is None:
        return text
    return "\n".join(
        [row.lstrip(" ") if number and row[:1] == " " else row for row, number in zip(rows, seen.numbers, strict=True)]
    )


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
    for head in _HEADS:
        found = head.search(text, 0, _HEAD)
        if found is not None:
            return found[1].strip()
    if hint.path:
        return hint.path
    paths = set(_PATH.findall(hint.command[:_COMMAND]))
    return paths.pop() if len(paths) == 1 else ""
