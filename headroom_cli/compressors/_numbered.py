"""Views of a file with a number before each line, as ``cat -n``, ``nl``, ``bat`` and editors print them.

Shared by the specialists that read files: the lines without their numbers, and the numbers.
"""

from __future__ import annotations

from headroom_cli.lazy import pattern

# "     1<tab>", "1<tab>", "  12 | ", "12|", "12: ", "12:", "12 -> " with an arrow, "   12  " (nl -s, less -N), "L12: "
_PREFIX = pattern(r"[ ]{0,9}L?(\d{1,7})(\t|\u2192|[ ]?[|\u2502][ ]?|:[ \t]?|[ ]{2})")
_SAMPLE = 40  # lines that decide which separator the view has


class Numbered:
    """A numbered view taken apart: ``prefixes[i] + lines[i]`` is line i, whose number is ``numbers[i]``.

    A line without a number (``nl`` gives blank lines none) has the number -1 and an empty prefix.
    """

    __slots__ = ("lines", "numbers", "prefixes")

    def __init__(self, lines: list[str], numbers: list[int], prefixes: list[str]) -> None:
        """All three have one entry per line of the text."""
        self.lines = lines
        self.numbers = numbers
        self.prefixes = prefixes


def strip(rows: list[str]) -> Numbered | None:
    """Take the numbers off the lines of a text, or return None when it is no numbered view.

    The numbers must rise by one from line to line, but for gaps that the view itself shows (``nl`` skips blank lines).
    """
    match = _PREFIX.match
    separator = ""
    seen = 0
    for row in rows[:_SAMPLE]:
        found = match(row)
        if found is None:
            if row.strip():
                return None
            continue
        mark = found.group(2)
        if not separator:
            separator = mark
        elif mark != separator and mark.strip() != separator.strip():
            return None
        seen += 1
    if not seen or (seen < 2 and len(rows) > 2):
        return None
    # "12: " before a blank line may stand as "12:"; otherwise one separator for all: code keeps its indentation.
    full = separator
    bare = separator.rstrip(" ")
    lines: list[str] = []
    numbers: list[int] = []
    prefixes: list[str] = []
    before = -1
    for row in rows:
        found = match(row)
        number = int(found.group(1)) if found is not None else -1
        if found is None or (before >= 0 and number != before + 1):
            if row.strip():
                return None
            lines.append(row)
            numbers.append(-1)
            prefixes.append("")
            continue
        before = number
        end = found.end(1)
        if row.startswith(full, end):
            end += len(full)
        elif bare and row.startswith(bare, end):
            end += len(bare)
        else:
            return None
        lines.append(row[end:])
        numbers.append(number)
        prefixes.append(row[:end])
    return Numbered(lines, numbers, prefixes)
