"""Read one text from top to bottom, and find the spans of it that can be read further up."""

from __future__ import annotations

from headroom_cli.dedup import views, words
from headroom_cli.dedup.lines import BREAK, Lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.dedup import Seen
    from headroom_cli.dedup.views import View

    Named = tuple[str, frozenset[int]]  # the words, and the ordinals that they point at

# Characters without indentation, about 16 tokens: 12 to 24 tokens make no difference in the bill.
LEAST = 52
# The same within one output, where a hole in what is read costs more than a look further up.
LEAST_HERE = 120
# What a reference must save besides its own length, for it costs a reader a look back.
GAIN = 16
DENSER = 1.4  # a reference's characters hold so many more tokens than a line's
# Letters that the first words of a span must have: braces and `else:` stand everywhere.
TELLING = 6
# Earlier places of one line that are tried, and lines that begin with the same words that are passed over.
TRIED = 6
WALKED = 64
# Lines looked at for each line of the text, in all; then the rest of the text stays. No real text came near it.
STEPS = 40


class Spans:
    """One text being read: what was seen before it, and what it says itself so far."""

    __slots__ = (
        "_ends", "_file", "_glue", "_held", "_lines", "_notation", "_out", "_refers", "_rows", "_seen", "_steps",
        "_view", "_weights",
    )  # fmt: skip

    def __init__(self, seen: Seen, view: View, file: int) -> None:
        """``file`` is the number that ``seen`` knows the text's file by, below 0 when it is not known."""
        self._seen = seen
        self._view = view
        self._file = file
        self._lines = Lines(seen.lines)
        self._rows: list[int] = []  # of the lines that stay: which rows of the text they are
        self._out: list[str] = []
        self._glue = True  # what was written last is a row of the text
        self._refers: set[int] = set()
        self._steps = STEPS * (len(view.rows) + 100)
        # Of a span that cannot be named the next line is tried: how far it goes is known then. Offset -> end.
        self._ends: dict[int, int] = {}
        self._notation = words.notation(view.rows)
        self._held = set(view.held | self._notation)
        if view.numbers is None:
            self._held.add(views.verdict(view.rows))
        self._held.update(views.own_signs(view.rows))
        self._weights = [0]
        weight = 0
        for key in view.keys:
            weight += len(key.strip())
            self._weights.append(weight)

    def shortened(self) -> tuple[str, tuple[int, ...]] | None:
        """Return the text with references and the ordinals they point at; None when none was found."""
        keys, held, found_any = self._view.keys, self._held, False
        i, end = 0, len(keys)
        while i < end:
            found = None
            if self._steps > 0 and i not in held and len(words.anchor(keys[i])) >= TELLING:
                found = self._span(i)
            if found is None:
                self._stay(i)
                i += 1
                continue
            lines, (said, ordinals) = found
            found_any = True
            ending = "\r" if self._view.rows[i].endswith("\r") else ""
            self._out += ("\n" if i else "", said, ending)
            self._glue = False
            self._refers |= ordinals
            self._lines.add((BREAK,))
            self._rows.append(-1)
            i += lines
        return ("".join(self._out), tuple(sorted(self._refers))) if found_any else None

    def _stay(self, i: int) -> None:
        view = self._view
        if i and not (self._glue and i in view.glued):
            self._out.append("\n")
        self._out.append(view.rows[i])
        self._glue = True
        at = self._lines.add((BREAK if i in self._notation else view.keys[i],))
        self._rows.append(i)
        if self._file >= 0 and view.numbers is not None and view.numbers[i] and i not in self._notation:
            self._lines.number(self._file, {view.numbers[i]: at})

    def _span(self, i: int) -> tuple[int, Named] | None:
        """Return the longest span from row ``i`` on that can be named: its rows and its name."""
        best, most = None, LEAST - 1
        numbers = self._view.numbers
        if self._file >= 0 and numbers is not None and numbers[i]:
            lines = self._same_numbers(i)
            if self._weight(i, lines) > most and (named := self._worth(i, lines, self._by_own_numbers(i, lines))):
                best, most = (lines, named), self._weight(i, lines)
        key = self._view.keys[i]
        at = self._lines.newest(key)
        for _ in range(TRIED):
            if at < 0:
                break
            lines = self._extent(i, at)
            if self._weight(i, lines) > most and (named := self._worth(i, lines, self._named(i, lines, at))):
                best, most = (lines, named), self._weight(i, lines)
            at = self._lines.earlier(at, key)
        return best

    def _weight(self, i: int, lines: int) -> int:
        return self._weights[i + lines] - self._weights[i]

    def _worth(self, i: int, lines: int, named: Named | None) -> Named | None:
        """Return the name when it is short enough for what it stands for."""
        if named is None:
            return None
        least = DENSER * len(named[0]) + GAIN if named[1] else LEAST_HERE
        return named if self._weight(i, lines) >= least else None

    # --- how far a span goes

    def _extent(self, i: int, at: int) -> int:
        """Return how many rows from ``i`` stand from a place on; in a numbered view, as long as the numbers go on."""
        end = self._ends.get(at - i, -1)
        if end > i:
            return end - i
        keys, numbers, held = self._view.keys, self._view.numbers, self._held
        source, start = self._lines.run(at)
        stop = min(len(keys) - i, len(source) - start)
        first = numbers[i] if numbers is not None else 0
        n = 0
        while n < stop and keys[i + n] == source[start + n] and i + n not in held:
            if numbers is not None and numbers[i + n] != (first + n if first else 0):
                break
            n += 1
        self._steps -= n + 1
        self._ends[at - i] = i + n
        return n

    def _same_numbers(self, i: int) -> int:
        """Return how many rows from ``i`` say what the newest lines of these numbers said."""
        keys, numbers = self._view.keys, self._view.numbers
        if numbers is None:
            return 0
        n = i
        while n < len(keys) and n not in self._held and numbers[n] and numbers[n] == numbers[i] + n - i:
            at = self._lines.numbered(self._file, numbers[n])
            if at < 0 or self._lines.line(at) != keys[n]:
                break
            n += 1
        self._steps -= n - i + 1
        return n - i

    # --- how a span is named

    def _by_own_numbers(self, i: int, lines: int) -> Named | None:
        numbers = self._view.numbers
        if numbers is None or not lines:
            return None
        own = words.span(numbers[i], numbers[i + lines - 1])
        places = [self._lines.numbered(self._file, number) for number in numbers[i : i + lines]]
        return words.by_number(own, own, ""), self._ordinals(places)

    def _named(self, i: int, lines: int, at: int) -> Named | None:
        """Name the lines from a place on by their numbers or their words; None when both would name others."""
        numbers = self._view.numbers
        own = words.span(numbers[i], numbers[i + lines - 1]) if numbers is not None and numbers[i] else ""
        best = self._by_numbers(own, lines, at)
        keys = self._view.keys
        head, last = words.anchor(keys[i]), ""
        if self._lines.newest_head(head) != at:
            last = keys[i + lines - 1]
            if not self._leads_to(head, lines, words.tail(last), at):
                return best
        unit = "fields" if i + lines - 1 in self._view.glued else "lines"
        said = words.by_words(own, lines, unit, keys[i], last)
        return (said, self._ordinals([at])) if best is None or len(said) < len(best[0]) else best

    def _by_numbers(self, own: str, lines: int, at: int) -> Named | None:
        file, name, there = self._numbers_at(at, lines)
        if file < 0 or not there or not there[0] or there[-1] != there[0] + lines - 1:
            return None
        places = [self._lines.numbered(file, number) for number in there]
        self._steps -= lines
        line = self._lines.line
        if any(line(newest) != line(place) for newest, place in zip(places, range(at, at + lines), strict=True)):
            return None  # another copy of these numbers is newer
        name = "" if own and file == self._file else name
        return words.by_number(own, words.span(there[0], there[-1]), name), self._ordinals(places)

    def _numbers_at(self, at: int, lines: int) -> tuple[int, str, list[int]]:
        """Return the file, its name and the numbers of the lines from a place on."""
        if at < self._lines.start:
            place, index = self._seen.place(at)
            return place.file, place.name, place.numbers[index : index + lines] if place.numbers is not None else []
        numbers = self._view.numbers
        rows = self._rows[at - self._lines.start :][:lines] if numbers is not None else []
        return self._file, "", [numbers[row] for row in rows] if numbers is not None else []

    def _leads_to(self, head: str, lines: int, tail: str, at: int) -> bool:
        """Tell whether a place is the newest where these words lead, so many lines on, to those."""
        if not tail:
            return False
        place = self._lines.newest_head(head)
        for _ in range(WALKED):
            if place <= at:
                return place == at
            last = self._lines.line(place + lines - 1)
            if last and words.tail(last) == tail:
                return False
            place = self._lines.earlier_head(place, head)
        return False

    def _ordinals(self, places: list[int]) -> frozenset[int]:
        """Return the ordinals of the blocks that places are in; this text's own have none."""
        return frozenset([self._seen.place(at)[0].ordinal for at in places if at < self._lines.start])
