"""What align will do to a document, and the rows that explain it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.align._births import Held
    from headroom_cli.formats._edits import Edit


class Moved:
    """A value that left the prefix.

    ``path``         where it stood, with points
    ``kind``, ``label``  as ``find`` says
    ``text``         the value in this request
    ``placeholder``  what stands there instead
    ``behind``       the text between it and the next value, or the text's end: what it alone kept out of a cache
    """

    __slots__ = ("behind", "kind", "label", "path", "placeholder", "text")

    def __init__(self, path: str, kind: str, label: str, text: str, placeholder: str, behind: str) -> None:  # noqa: PLR0917 - a row
        """Hold one row of ``align --explain``."""
        self.path = path
        self.kind = kind
        self.label = label
        self.text = text
        self.placeholder = placeholder
        self.behind = behind


class Aligned:
    """What is to be done to a document.

    ``edits``        for Document.edited
    ``moved``        the values that leave the prefix
    ``breakpoints``  dotted paths of the parts that get a cache breakpoint
    ``why``          why nothing moves, "" when something does
    """

    __slots__ = ("breakpoints", "edits", "moved", "why")

    def __init__(self, edits: list[Edit] | None = None, why: str = "") -> None:
        """Begin with what is known."""
        self.edits = edits or []
        self.moved: list[Moved] = []
        self.breakpoints: list[str] = []
        self.why = why


def rows_of(helds: list[Held]) -> list[Moved]:
    """Return a row for each value that is replaced, in the order of the prompt."""
    rows = []
    for held in helds:
        text = held.place.text
        ends = [*(start for start, _ in held.spans[1:]), len(text)]
        path = ".".join(map(str, held.place.path))
        for (start, end), name, kind, label, stop in zip(
            held.spans, held.names, held.kinds, held.labels, ends, strict=False
        ):
            rows.append(Moved(path, kind, label, text[start:end], name, text[end:stop]))
    return rows
