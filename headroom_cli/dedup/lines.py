"""The lines that can be read so far, and where a line, its first words or its number stood last."""

from __future__ import annotations

from headroom_cli.dedup import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Between lines that are next to each other in the list and not in what is sent.
BREAK = None
NOWHERE = -1
_NONE: dict[int, int] = {}


class Lines:
    """A list of lines that only grows. A place is an index into it.

    One list may stand behind another: then places go on where those of the one before end, and what is asked of it
    and not found is asked of that one. So a text is read against itself without touching what was seen before.
    """

    __slots__ = ("_before", "_behind", "_heads", "_heads_before", "_lines", "_newest", "_numbers", "start")

    def __init__(self, behind: Lines | None = None) -> None:
        """Start empty, after ``behind``."""
        self._behind = behind
        self.start = 0 if behind is None else behind.end
        self._lines: list[str | None] = []
        self._newest: dict[str, int] = {}
        self._before: list[int] = []  # the place before where the same line stood
        self._heads: dict[str, int] = {}
        self._heads_before: list[int] = []  # the same for lines that begin with the same words
        self._numbers: dict[int, dict[int, int]] = {}

    @property
    def end(self) -> int:
        """Return the place that the next line will have."""
        return self.start + len(self._lines)

    def add(self, keys: Sequence[str | None]) -> int:
        """Append lines (and breaks), and return the place of the first."""
        at = first = self.end
        newest, heads, head_of = self._newest, self._heads, words.anchor
        before, heads_before = self._before.append, self._heads_before.append
        last, last_head = newest.get, heads.get
        for key in keys:
            if key:
                before(last(key, NOWHERE))
                newest[key] = at
                head = head_of(key)
                heads_before(last_head(head, NOWHERE))
                heads[head] = at
            else:
                before(NOWHERE)
                heads_before(NOWHERE)
            at += 1
        self._lines += keys
        return first

    def number(self, file: int, places: dict[int, int]) -> None:
        """Note which places the lines of a file had last, by their numbers."""
        self._numbers.setdefault(file, {}).update(places)

    def line(self, at: int) -> str | None:
        """Return the line at a place, BREAK behind the last."""
        if at < self.start:
            return self._behind.line(at) if self._behind is not None else BREAK
        at -= self.start
        return self._lines[at] if at < len(self._lines) else BREAK

    def run(self, at: int) -> tuple[list[str | None], int]:
        """Return a list that holds the lines from a place on, and the index at which they begin."""
        if at < self.start and self._behind is not None:
            return self._behind.run(at)
        return self._lines, at - self.start

    def newest(self, key: str) -> int:
        """Return the last place of a line, NOWHERE when it has none."""
        at = self._newest.get(key, NOWHERE)
        return at if at >= 0 or self._behind is None else self._behind.newest(key)

    def earlier(self, at: int, key: str) -> int:
        """Return the place before this one where the same line stood."""
        if at < self.start:
            return self._behind.earlier(at, key) if self._behind is not None else NOWHERE
        found = self._before[at - self.start]
        return found if found >= 0 or self._behind is None else self._behind.newest(key)

    def newest_head(self, head: str) -> int:
        """Return the last place of a line that begins with these words."""
        at = self._heads.get(head, NOWHERE)
        return at if at >= 0 or self._behind is None else self._behind.newest_head(head)

    def earlier_head(self, at: int, head: str) -> int:
        """Return the place before this one where a line began with these words."""
        if at < self.start:
            return self._behind.earlier_head(at, head) if self._behind is not None else NOWHERE
        found = self._heads_before[at - self.start]
        return found if found >= 0 or self._behind is None else self._behind.newest_head(head)

    def numbered(self, file: int, number: int) -> int:
        """Return the last place of the line of a file that had this number."""
        return self._numbers.get(file, _NONE).get(number, NOWHERE)
