"""Write groups of rows: the path once as a heading, then ``12 text``; rows of equal text in one, ``12,15 text``.

The form reads back. A heading is a line in front of a row; a row begins with its number (with a blank where the output
has no numbers); every other line ends a group. Where context stands between the matches, or where the output had such
rows itself, a match is ``12:text``, the context ``12 text`` and the name of the enclosing function ``12=text``. What
could be misread is not written at all.
"""

from __future__ import annotations

from headroom_cli.compressors.search.rows import CONTEXT, FUNCTION, MATCH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.search.rows import Found, Group

_MARKS = {MATCH: ":", CONTEXT: " ", FUNCTION: "="}
_DIGITS = frozenset("0123456789")


class UnreadableError(Exception):
    """The grouped form of this output could be read as something else."""


def _rows(found: Found, group: Group) -> list[str]:
    """Return the rows of a group as they are written."""
    if not found.numbered:
        return [f" {text}" for text in group.texts]
    if found.context:
        return [
            f"{label}{_MARKS[mark]}{text}"
            for label, mark, text in zip(group.labels, group.marks, group.texts, strict=True)
        ]
    mark = ":" if found.headed else " "
    return [f"{label}{mark}{text}" for label, text in zip(group.labels, group.texts, strict=True)]


def size(found: Found) -> int:
    """Return about how many characters `write` makes, without making them."""
    out = 0
    for item in found.items:
        if isinstance(item, str):
            out += len(item) + 1
        else:
            out += len(item.path) + 2 + 2 * len(item.texts)
            out += sum(map(len, item.labels)) + sum(map(len, item.texts))
    return out


def write(found: Found) -> list[str]:
    """Return the lines of the grouped form. Raise UnreadableError when a reader could take one thing for another."""
    out: list[str] = []
    single = not any(group.path for group in found.groups())
    first = _DIGITS if found.numbered else frozenset(" ")
    plain = True  # the last line was blank, or a line like a row that belongs to no heading
    for item in found.items:
        if isinstance(item, str):
            like_row = item[:1] in first
            if like_row and (single or not plain):
                raise UnreadableError
            plain = like_row or not item
            out.append(item)
            continue
        if not single:
            if out and out[-1] and not found.headed:
                out.append("")
            if not item.path or item.path[0] in first or item.path.isspace():
                raise UnreadableError
            out.append(item.path)
        out += _rows(found, item)
        if item.note:
            out.append(item.note)
        plain = False
    return out
