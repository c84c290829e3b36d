"""Span dedup: lines of an output that can be read further up become one short reference to that copy.

Lines are compared without the numbers of a view. A reference stands for lines that stand, in the same order and one
behind the other, in what is sent: never for something left out, and never for another reference. All that is known of a
conversation is in one ``Seen``, which only ever grows, block by block: what a reference says depends on what stood
before (law 2). Everything is linear: every line is looked up once, and a candidate is extended only over lines that
become part of the reference or are few.
"""

from __future__ import annotations

from bisect import bisect_right

from headroom_cli.dedup import views, words
from headroom_cli.dedup.views import unpadded
from headroom_cli.dedup.words import REFERENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from headroom_cli.dedup.views import View
    from headroom_cli.model import Block, Hint

__all__ = ["REFERENCE", "Seen", "unpadded"]

# Characters without indentation, about 16 tokens: 12 to 24 tokens make no difference in the bill.
LEAST = 52
# What a reference must save besides its own length, for it costs a reader a look back.
GAIN = 16
# A line that a span may begin with: shorter ones (braces, `else:`) stand everywhere.
TELLING = 6
# Earlier places of one line that are tried.
TRIED = 6
# Lines that begin with the same words that are looked at to name one of them.
WALKED = 64
# Lines of one block, and of a conversation, that are remembered; later ones are still compared.
MOST_OF_BLOCK = 50_000
MOST = 400_000

# Where lines that are next to each other in the list do not stand next to each other in what is sent.
_BREAK = None
_EMPTY: dict[int, int] = {}


class _Place:
    """A run of remembered lines: the block it is of, the file that its numbers are of, and the numbers."""

    __slots__ = ("file", "name", "numbers", "ordinal")

    def __init__(self, ordinal: int, file: int, name: str, numbers: list[int] | None) -> None:
        """``file`` is -1 where it is not known; ``numbers`` has one entry per line, 0 for none, or is None."""
        self.ordinal = ordinal
        self.file = file
        self.name = name
        self.numbers = numbers


class Seen:
    """What can be read in a conversation so far, line by line."""

    __slots__ = (
        "_before", "_called", "_files", "_heads", "_heads_before", "_lines", "_newest", "_numbers", "_places", "_starts", "ordinal",
    )  # fmt: skip

    def __init__(self) -> None:
        """Start before the first block."""
        self.ordinal = 0  # of the block that comes next
        self._lines: list[str | None] = []
        self._before: list[int] = []  # where the same line stood last before, -1 for nowhere
        self._newest: dict[str, int] = {}
        self._heads: dict[str, int] = {}  # the newest line that begins with these words
        self._heads_before: list[int] = []  # the one before that
        self._numbers: dict[int, dict[int, int]] = {}  # file -> number -> the newest line that had it
        self._files: dict[str, list[tuple[str, int]]] = {}  # last name -> the spellings seen and their files
        self._starts: list[int] = []
        self._places: list[_Place] = []
        self._called: Hint | None = None  # the call whose texts are remembered already

    def passed(self, block: Block, shown: str) -> None:
        """Remember what stands in the place of the next block."""
        self._call(block)
        self._remember(shown, views.file_of(block.text, block.hint) if block.role == "tool" else "")
        self.ordinal += 1

    def _call(self, block: Block) -> None:
        """Remember the texts of the call that a block answers: they stand before it, and are counted to it."""
        if block.hint.written and block.hint is not self._called:
            self._called = block.hint
            for text in block.hint.written:
                self._remember(text, "")

    def _remember(self, text: str, name: str) -> None:
        if len(self._lines) > MOST:
            return
        rows = text.split("\n", MOST_OF_BLOCK)[:MOST_OF_BLOCK]
        view = views.view(rows)
        noted = "[" in text or "..." in text or "<<" in text
        keys: list[str | None] = list(view.keys)
        if noted:
            for i, row in enumerate(rows):
                if row[:1] in "[.< \t" and words.is_notation(row):
                    keys[i] = _BREAK
        keys.append(_BREAK)
        start = len(self._lines)
        file = self._file(name) if name and view.numbers is not None else -1
        self._starts.append(start)
        self._places.append(_Place(self.ordinal, file, name, view.numbers))
        self._lines += keys
        _enter(keys, start, self._newest, self._before)
        _enter([key and words.anchor(key) for key in keys], start, self._heads, self._heads_before)
        if file >= 0 and view.numbers is not None:
            numbers = self._numbers.setdefault(file, {})
            numbers.update({n: at for at, n in enumerate(view.numbers, start) if n and keys[at - start] is not _BREAK})

    def _file(self, name: str) -> int:
        """Return the file of a name: two names are of one file when one of them ends with the other."""
        name = name.removeprefix("./")
        spelled = self._files.setdefault(name.rpartition("/")[2], [])
        for other, file in spelled:
            if other == name or other.endswith("/" + name) or name.endswith("/" + other):
                if other != name:
                    spelled.append((name, file))
                return file
        file = sum(map(len, self._files.values()))
        spelled.append((name, file))
        return file

    def shorten(self, block: Block, text: str) -> tuple[str, tuple[int, ...]] | None:
        """Return a text with references, and the ordinals they point at; None when nothing was seen before.

        ``text`` is the block's output or a rendering of it: either way a reference stands for lines of what is sent.
        """
        self._call(block)
        rows = text.split("\n")
        view = views.view(rows)
        return _Pass(self, view, views.file_of(block.text, block.hint)).run()

    def place(self, at: int) -> tuple[_Place, int]:
        """Return the run that a remembered line is in, and its index there."""
        i = bisect_right(self._starts, at) - 1
        return self._places[i], at - self._starts[i]


def _enter(keys: list[str | None], start: int, newest: dict[str, int], before: list[int]) -> None:
    """Chain lines to their earlier copies."""
    get = newest.get
    for at, key in enumerate(keys, start):
        if key:
            before.append(get(key, -1))
            newest[key] = at
        else:
            before.append(-1)


class _Pass:
    """One text being read from top to bottom: what was seen before, and what it says itself so far."""

    __slots__ = (
        "_base", "_before", "_file", "_heads", "_heads_before", "_name", "_newest", "_numbers", "_out", "_own", "_refers",
        "_seen", "_view",
    )  # fmt: skip

    def __init__(self, seen: Seen, view: View, name: str) -> None:
        """Start at the first line."""
        self._seen = seen
        self._view = view
        self._name = name
        self._file = seen._file(name) if name and view.numbers is not None else -1
        self._out: list[str] = []
        self._refers: set[int] = set()
        # The same as in Seen, for the lines of this text that stay; their places go on behind the others'.
        self._base = len(seen._lines)
        self._own: list[str | None] = []
        self._before: list[int] = []
        self._newest: dict[str, int] = {}
        self._heads: dict[str, int] = {}
        self._heads_before: list[int] = []
        self._numbers: dict[int, int] = {}

    def run(self) -> tuple[str, tuple[int, ...]] | None:
        """Read the text; None when no line of it became a reference."""
        view, rows, keys = self._view, self._view.rows, self._view.keys
        held = set(view.held)
        if view.numbers is None:
            held.add(views.verdict(rows))
        for i, row in enumerate(rows):
            if row[:1] in ("[", ".", "<", " ", "\t") and words.is_notation(row):
                held.add(i)
        i, end, made = 0, len(rows), False
        while i < end:
            found = None if i in held or len(words.anchor(keys[i])) < TELLING else self._find(i, held)
            if found is None:
                self._stay(i)
                i += 1
                continue
            lines, words_, ordinals = found
            made = True
            self._out.append(words_ + ("\r" if rows[i].endswith("\r") else ""))
            self._refers |= ordinals
            self._own.append(_BREAK)
            self._before.append(-1)
            self._heads_before.append(-1)
            i += lines
        if not made:
            return None
        return "\n".join(self._out), tuple(sorted(self._refers))

    def _stay(self, i: int) -> None:
        row, key = self._view.rows[i], self._view.keys[i]
        self._out.append(row)
        at = self._base + len(self._own)
        self._own.append(key)
        _enter([key], at, self._newest, self._before)
        _enter([words.anchor(key)], at, self._heads, self._heads_before)
        if self._view.numbers is not None and self._view.numbers[i]:
            self._numbers[self._view.numbers[i]] = at

    def _find(self, i: int, held: set[int]) -> tuple[int, str, set[int]] | None:
        """Return the longest span from line ``i`` that can be referred to: its lines, the words, the ordinals."""
        best = None
        most = 0
        for lines, make in self._candidates(i, held):
            weight = sum([len(key.strip()) for key in self._view.keys[i : i + lines]])
            if weight <= most or weight < LEAST:
                continue
            made = make(lines)
            if made is not None and weight >= 1.4 * len(made[0]) + GAIN:
                most = weight
                best = (lines, *made)
        return best

    def _candidates(self, i: int, held: set[int]) -> list[tuple[int, Callable[[int], tuple[str, set[int]] | None]]]:
        view = self._view
        key = view.keys[i]
        found: list[tuple[int, Callable[[int], tuple[str, set[int]] | None]]] = []
        if self._file >= 0 and view.numbers is not None and view.numbers[i]:
            lines = self._run_of_numbers(i, held)
            if lines:
                found.append((lines, lambda lines: self._same_numbers(i, lines)))
        at = self._newest.get(key, -1)
        tried = 0
        own = True
        while tried < TRIED:
            if at < 0:
                if not own:
                    break
                own = False
                at = self._seen._newest.get(key, -1)
                continue
            tried += 1
            lines = self._extent(i, at, held)
            found.append((lines, lambda lines, at=at: self._at(i, lines, at)))
            at = self._before[at - self._base] if at >= self._base else self._seen._before[at]
            own = own and at >= 0
        return found

    def _line(self, at: int) -> str | None:
        if at < self._base:
            return self._seen._lines[at]
        return self._own[at - self._base] if at - self._base < len(self._own) else _BREAK

    def _extent(self, i: int, at: int, held: set[int]) -> int:
        """Return how many lines from ``i`` stand from ``at`` on."""
        keys, numbers, end = self._view.keys, self._view.numbers, len(self._view.keys)
        source, start = (self._seen._lines, at) if at < self._base else (self._own, at - self._base)
        stop = min(end - i, len(source) - start)
        n = 0
        while n < stop and keys[i + n] == source[start + n] and i + n not in held:
            if n and numbers is not None and numbers[i + n] != (numbers[i + n - 1] + 1 if numbers[i] else 0):
                break
            n += 1
        return n

    def _newest_of(self, file: int, number: int) -> int:
        if file == self._file:
            at = self._numbers.get(number, -1)
            if at >= 0:
                return at
        return self._seen._numbers.get(file, _EMPTY).get(number, -1)

    def _run_of_numbers(self, i: int, held: set[int]) -> int:
        """Return how many lines from ``i`` say what the newest copies of these numbers said."""
        keys, numbers = self._view.keys, self._view.numbers
        assert numbers is not None
        n = i
        while n < len(keys) and n not in held and numbers[n] and (n == i or numbers[n] == numbers[n - 1] + 1):
            at = self._newest_of(self._file, numbers[n])
            if at < 0 or self._line(at) != keys[n]:
                break
            n += 1
        return n - i

    def _same_numbers(self, i: int, lines: int) -> tuple[str, set[int]]:
        numbers = self._view.numbers
        assert numbers is not None
        own = words.span(numbers[i], numbers[i + lines - 1])
        return words.by_number(own, own, ""), self._ordinals(
            [self._newest_of(self._file, number) for number in numbers[i : i + lines]]
        )

    def _ordinals(self, places: list[int]) -> set[int]:
        return {self._seen.place(at)[0].ordinal for at in places if at < self._base}

    def _at(self, i: int, lines: int, at: int) -> tuple[str, set[int]] | None:
        """Name the lines at a place, None when the words would name others."""
        numbers = self._view.numbers
        own = words.span(numbers[i], numbers[i + lines - 1]) if numbers is not None and numbers[i] else ""
        best = None
        if at < self._base:
            place, index = self._seen.place(at)
            if place.file >= 0 and place.numbers is not None:
                there = place.numbers[index : index + lines]
                if there[0] and there[-1] == there[0] + lines - 1:
                    newest = [self._newest_of(place.file, number) for number in there]
                    if all(self._line(a) == self._line(b) for a, b in zip(newest, range(at, at + lines), strict=True)):
                        name = "" if own and place.file == self._file else place.name
                        best = words.by_number(own, words.span(there[0], there[-1]), name), self._ordinals(newest)
        key = self._view.keys[i]
        head = words.anchor(key)
        made = ""
        if self._heads.get(head, self._seen._heads.get(head, -1)) == at:
            made = words.by_words(own, lines, key)
        elif self._leads_to(head, lines, words.tail(self._view.keys[i + lines - 1]), at):
            made = words.by_words(own, lines, key, self._view.keys[i + lines - 1])
        if made and (best is None or len(made) < len(best[0])):
            best = made, self._ordinals([at])
        return best

    def _leads_to(self, head: str, lines: int, tail: str, at: int) -> bool:
        """Tell whether a place is the newest where these words lead, so many lines on, to those."""
        if not tail:
            return False
        place = self._heads.get(head, self._seen._heads.get(head, -1))
        for _ in range(WALKED):
            if place < 0 or place == at:
                return place == at
            last = self._line(place + lines - 1)
            if last and words.tail(last) == tail:
                return False
            own = place >= self._base
            place = self._heads_before[place - self._base] if own else self._seen._heads_before[place]
            if own and place < 0:
                place = self._seen._heads.get(head, -1)
        return False
