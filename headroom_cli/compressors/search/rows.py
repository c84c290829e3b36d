"""What a search found, as groups of rows: one group for each run of lines of one file, and the lines between them."""

from __future__ import annotations

from operator import lt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MATCH, CONTEXT, FUNCTION = ":", "-", "="  # as grep, rg and git grep mark a line: match, context, enclosing function

_UNTOLD: list[tuple[int, int]] = []  # shared by all groups whose output told no spans; never added to


class Group:
    """Rows of one file that stand together.

    ``path``    the heading, verbatim; "" when the output names no file (a search of one file)
    ``labels``  of each row its line number as written, with ":COLUMN" when the output has columns; "" without numbers;
                after `fold` the numbers of all rows of equal text, joined by commas
    ``marks``   of each row MATCH, CONTEXT or FUNCTION, one character each
    ``texts``   of each row the line that was found
    ``spans``   of each row where in its text the match stands, (start, end) in characters; [] when nobody told
    ``note``    what was left out here, "" when nothing
    """

    __slots__ = ("labels", "marks", "note", "path", "spans", "texts")

    def __init__(self, path: str) -> None:
        """Start without rows."""
        self.path = path
        self.labels: list[str] = []
        self.marks: list[str] = []
        self.texts: list[str] = []
        self.spans: list[tuple[int, int]] = _UNTOLD
        self.note = ""

    def adders(self) -> tuple[Callable[[str], None], Callable[[str], None], Callable[[str], None]]:
        """Return what appends a label, a mark and a text: bound once, as an output has a hundred thousand rows."""
        return self.labels.append, self.marks.append, self.texts.append

    def keep(self, places: list[int]) -> None:
        """Leave out all rows but these."""
        self.labels = [self.labels[at] for at in places]
        self.marks = [self.marks[at] for at in places]
        self.texts = [self.texts[at] for at in places]


class Found:
    """A whole output: ``items`` are groups and, as plain strings, the lines that belong to none, all in order.

    ``numbered``  rows carry line numbers
    ``headed``    the output has headings of its own: its rows stay as they are written, ``12:text``
    ``context``   some rows are not matches, so a row must say which it is
    ``untold``    what the grouped form of this output does not say, "" when it says all
    """

    __slots__ = ("context", "headed", "items", "numbered", "untold")

    def __init__(
        self, items: list[Group | str], *, numbered: bool = True, headed: bool = False, untold: str = ""
    ) -> None:
        """Take the items and look whether any row is context."""
        self.items = items
        self.numbered = numbered
        self.headed = headed
        self.untold = untold
        self.context = any(CONTEXT in group.marks or FUNCTION in group.marks for group in self.groups())

    def groups(self) -> list[Group]:
        """Return the groups, in order."""
        return [item for item in self.items if isinstance(item, Group)]


def fold(found: Found) -> None:
    """Join rows of one group that have the same text where their numbers alone tell the order of all.

    Context would no longer stand beside what it explains, so an output with context is left as it is.
    """
    if found.context or not found.numbered:
        return
    for group in found.groups():
        texts = group.texts
        if len(texts) < 2 or len(set(texts)) == len(texts) or not _rising(group.labels):
            continue
        places: dict[str, list[str]] = {}
        for label, text in zip(group.labels, texts, strict=True):
            if text in places:
                places[text].append(label)
            else:
                places[text] = [label]
        if group.spans:
            first = dict(zip(reversed(texts), reversed(group.spans), strict=True))
            group.spans = [first[text] for text in places]
        group.texts = list(places)
        group.labels = [",".join(labels) for labels in places.values()]
        group.marks = [MATCH] * len(places)


def _rising(labels: list[str]) -> bool:
    """Return whether the numbers (with their columns) grow from row to row."""
    if ":" in labels[0]:
        places = [tuple(map(int, label.split(":"))) for label in labels]
        return all(map(lt, places, places[1:]))
    numbers = list(map(int, labels))
    return all(map(lt, numbers, numbers[1:]))
