"""Span dedup: lines of an output that can be read further up become one short reference to that copy.

Lines are compared without the numbers of a view. A reference stands for lines that stand, in the same order and one
behind the other, in what is sent: never for something left out, and never for another reference. It is a matter of
text: put the lines it names in its place, and what was there before reads again. All that is known of a conversation is
in one ``Seen``, which only ever grows, block by block: what a reference says depends on what stood before (law 2).
"""

from __future__ import annotations

from bisect import bisect_right

from headroom_cli.dedup import views, words
from headroom_cli.dedup.lines import BREAK, Lines
from headroom_cli.dedup.spans import Spans
from headroom_cli.dedup.views import unpadded
from headroom_cli.dedup.words import REFERENCE
from headroom_cli.model import RANGED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Block, Hint

__all__ = ["REFERENCE", "Seen", "unpadded"]

# Lines of one block, and of a conversation, that are remembered; later ones are still compared.
MOST_OF_BLOCK = 50_000
MOST = 400_000


class _Place:
    """A run of remembered lines: the block they are counted to, the file that their numbers are of, the numbers."""

    __slots__ = ("file", "name", "numbers", "ordinal")

    def __init__(self, ordinal: int, file: int, name: str, numbers: list[int] | None) -> None:
        """``file`` is below 0 where it is not known; ``numbers`` has one entry per line, 0 for none, or is None."""
        self.ordinal = ordinal
        self.file = file
        self.name = name
        self.numbers = numbers


class Seen:
    """What can be read in a conversation so far.

    ``lines`` holds every line that stands in what is sent; blocks are told apart by their ordinal, which is the number
    of blocks passed before.
    """

    __slots__ = ("_called", "_files", "_places", "_starts", "lines", "ordinal")

    def __init__(self) -> None:
        """Start before the first block."""
        self.ordinal = 0  # of the block that comes next
        self.lines = Lines()
        self._called: Hint | None = None  # the call whose texts are remembered already
        self._files: dict[str, list[tuple[str, int]]] = {}  # last name -> the spellings seen and their files
        self._places: list[_Place] = []
        self._starts: list[int] = []

    def passed(self, block: Block, shown: str) -> None:
        """Remember what stands in the place of the next block, without its marker."""
        self._call(block)
        self._remember(shown, block if block.role == "tool" else None)
        self.ordinal += 1

    def shorten(self, block: Block, text: str, *, within: bool = True) -> tuple[str, tuple[int, ...]] | None:
        """Return a text with references, and the ordinals they point at; None when nothing was seen before.

        ``text`` is the output of the next block or a rendering of it. ``within`` also looks in the text itself. An
        ordinal may be the block's own: its call carried the lines.
        """
        self._call(block)
        view = views.view(text)
        name = views.file_of(block.text, block.hint) if view.numbers is not None else ""
        return Spans(self, view, self._file(name), within=within, asked=block.kept == RANGED).shortened()

    def place(self, at: int) -> tuple[_Place, int]:
        """Return the run that a remembered line is in, and its index there."""
        i = bisect_right(self._starts, at) - 1
        return self._places[i], at - self._starts[i]

    def _call(self, block: Block) -> None:
        """Remember the texts of the call that a block answers: they stand before it, and are counted to it."""
        if block.hint.written and block.hint is not self._called:
            self._called = block.hint
            for text in block.hint.written:
                self._remember(text)

    def _remember(self, text: str, block: Block | None = None) -> None:
        """Add the lines of a text; the numbers of an output are of the file that its block shows."""
        if self.lines.end > MOST:
            return
        view = views.view(text, MOST_OF_BLOCK)
        keys: list[str | None] = list(view.keys)
        for i in words.notation(view.rows):
            keys[i] = BREAK
        keys.append(BREAK)
        start = self.lines.add(keys)
        name = views.file_of(block.text, block.hint) if block is not None and view.numbers is not None else ""
        file = self._file(name)
        self._starts.append(start)
        self._places.append(_Place(self.ordinal, file, name, view.numbers))
        if file >= 0 and view.numbers is not None:
            shown = zip(view.numbers, keys, strict=False)
            self.lines.number(
                file, {number: at for at, (number, key) in enumerate(shown, start) if number and key is not BREAK}
            )

    def _file(self, name: str) -> int:
        """Return the number of a file: two names are of one file when one of them ends with the other."""
        name = name.removeprefix("./")
        if not name:
            return -1
        spelled = self._files.setdefault(name.rpartition("/")[2], [])
        for other, file in spelled:
            if other == name or other.endswith("/" + name) or name.endswith("/" + other):
                if other != name:
                    spelled.append((name, file))
                return file
        file = sum(map(len, self._files.values()))
        spelled.append((name, file))
        return file
