"""Faithful: put lines together again that a formatter broke, in texts that only a formatter writes.

Where most lines are indented, as in a man page, nobody wrote the lines as they are: a terminal of some width did. A
line that was broken because the next word had no room goes on with that word; every other line end stays. Lines of a
source text stay as their writer broke them: an edit has to match them.
"""

from __future__ import annotations

from re import MULTILINE

from headroom_cli.compressors.prose.lines import reads_as_sentences
from headroom_cli.lazy import pattern

_INDENTED = 0.75  # of the lines, in what a formatter wrote
_LEAST = 20  # lines; fewer say nothing about a width
_NARROW, _WIDE = 50, 140  # characters of a plausible width
_JUSTIFIED = 0.35  # of the long lines end in the same column
_GAP = pattern(r"(?<=\S)(?<![.!?:]) {2,}(?=\S)")  # between columns
_COLUMN = pattern(r"(?<=\S) {4,}(?=\S)")  # no padding of a justified line is so wide
_SOURCE = pattern(r"^[ \t]{0,16}(?:```|~~~|\.\. [\w-]{1,30}::|//|#include|def |class )", MULTILINE)
_PADDING = pattern(r"(?<=\S) {2,3}(?=\S)")


def unwrapped(text: str) -> str:
    """Return the text with its paragraphs on lines of their own; the text itself when people chose its lines.

    Every visible character stays, in order; only blanks go. Linear in the length.
    """
    if "\n  " not in text and "\n\t" not in text:
        return text
    lines = text.split("\n")
    full = [line for line in lines if line and not line.isspace()]
    if len(full) < _LEAST or sum(line[0] in " \t" for line in full) < _INDENTED * len(full):
        return text
    if _SOURCE.search(text):
        return text
    sizes = sorted(map(len, full))
    width = sizes[len(sizes) * 19 // 20]
    if not _NARROW <= width <= _WIDE:
        return text
    long = [size for size in sizes if size * 10 >= width * 7]
    justified = sum(size == width for size in long) >= _JUSTIFIED * len(long)
    apart = _COLUMN.search if justified else _GAP.search
    made: list[str] = []
    paragraph: list[str] = []
    blanks = ""  # the indentation of the paragraph

    def flush() -> None:
        joined = " ".join(paragraph)
        if len(paragraph) > 1 and reads_as_sentences(joined):
            made.append(blanks + (_PADDING.sub(" ", joined) if justified else joined))
        else:
            made.extend([blanks + words for words in paragraph])
        paragraph.clear()

    before = 0  # the length of the line before, 0 when nothing may follow it
    for line in lines:
        words = line.lstrip()
        indent = line[: len(line) - len(words)]
        if (
            paragraph
            and before
            and words
            and indent == blanks
            and before + 1 + len(words.split(None, 1)[0]) > width
            and not apart(words)
        ):
            paragraph.append(words)
        else:
            flush()
            blanks = indent
            paragraph.append(words)
        size = len(line.rstrip())
        goes_on = indent and words and not line.rstrip().endswith(("-", "\u2010")) and not apart(words)
        before = size if goes_on else 0
    flush()
    return "\n".join(made)
