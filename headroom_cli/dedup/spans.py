"""Read one text from top to bottom, and find the spans of it that can be read further up."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate
from math import inf

from headroom_cli.dedup import views, words
from headroom_cli.dedup.lines import BREAK, NOWHERE, Lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.dedup import Seen
    from headroom_cli.dedup.views import View

    Named = tuple[str, frozenset[int]]  # the words, and the ordinals that they point at

# Characters without indentation, about 16 tokens: 12 to 24 tokens make no difference in the bill.
LEAST = 52
# The same within one output, where a hole in what is read costs more than a look further up.
LEAST_HERE = 120
# The same where exactly these lines were asked for and their words, not their numbers, name them: whoever looks again
# at the ten lines that were just changed wants to see them.
LEAST_IN_WORDS = 120
# What a reference must save besides its own length, for it costs a reader a look back.
GAIN = 16
DENSER = 1.4  # a reference's characters hold so many more tokens than a line's
# Letters that the first words of a span must have: braces and `else:` stand everywhere.
TELLING = 6
# Earlier places of one line that are tried, and lines that begin with the same words that are passed over.
TRIED = 6
WALKED = 64
# Lines of a text that are looked for, places where a span is tried, and lines looked at for that: what comes then
# stays. No output of a real conversation comes near it.
MOST = 30_000
TRIES = 4_000
STEPS = 200_000


class _Span:
    """Rows that become a reference: the first, how many, the name, and the place that was named.

    ``at`` is NOWHERE for lines with the numbers that they had before, wherever each of them stood last.
    """

    __slots__ = ("at", "lines", "named", "row")

    def __init__(self, row: int, lines: int, named: Named, at: int) -> None:
        """``named`` is the words and the ordinals that they point at."""
        self.row = row
        self.lines = lines
        self.named = named
        self.at = at


class Spans:
    """One text being read: what was seen before it, and what it says itself so far."""

    __slots__ = (
        "_ends", "_file", "_glue", "_held", "_least_here", "_least_in_words", "_lines", "_out", "_refers", "_seen",
        "_stays", "_steps", "_view", "_weights",
    )  # fmt: skip

    def __init__(self, seen: Seen, view: View, file: int, *, within: bool, asked: bool) -> None:
        """``file`` is the number that ``seen`` knows the text's file by, below 0 when it is not known."""
        self._seen = seen
        self._view = view
        self._file = file
        self._lines = Lines(seen.lines)
        self._out: list[str] = []
        self._glue = True  # what was written last is a row of the text
        self._refers: set[int] = set()
        self._steps = STEPS
        self._least_here = LEAST_HERE if within else inf
        self._least_in_words = LEAST_IN_WORDS if asked else 0
        # Of a span that cannot be named the next line is tried: how far it goes is known then. Offset -> end.
        self._ends: dict[int, int] = {}
        notation = words.notation(view.rows)
        self._held = set(view.held | notation)
        self._stays: list[str | None] = list(view.keys)
        for i in notation:
            self._stays[i] = BREAK
        if not view.keys[-1]:
            self._held.add(len(view.keys) - 1)  # what follows the last newline
        if view.numbers is None:
            self._held.add(views.verdict(view.rows))
        self._held.update(views.own_signs(view.rows))
        self._weights = [0, *accumulate([len(key.strip()) for key in view.keys[:MOST]])]

    def shortened(self) -> tuple[str, tuple[int, ...]] | None:
        """Return the text with references and the ordinals they point at; None when none was found."""
        tried = done = 0
        found_any = False
        for i in self._known():
            if i < done:
                continue
            weak = self._weak_before(i, done)
            self._stay(done, weak)
            done = weak
            tried += 1
            if tried > TRIES or self._steps < 0:
                break
            span = self._span(i)
            if span is None:
                continue
            span = self._drawn_back(span, weak)
            found_any = True
            self._stay(weak, span.row)
            self._refer(span)
            done = span.row + span.lines
        if not found_any:
            return None
        self._stay(done, len(self._view.rows))
        return "".join(self._out), tuple(sorted(self._refers))

    def _weak_before(self, i: int, done: int) -> int:
        """Return the first of the rows right before ``i`` that may be part of a span and not begin one."""
        if self._view.numbers is None:
            return i
        keys, held = self._view.keys, self._held
        while i > done and i - 1 not in held and len(words.anchor(keys[i - 1])) < TELLING:
            i -= 1
        return i

    def _refer(self, span: _Span) -> None:
        """Write a reference for a span."""
        ending = "\r" if self._view.rows[span.row].endswith("\r") else ""
        self._out += ("\n" if span.row else "", span.named[0], ending)
        self._glue = False
        self._refers |= span.named[1]
        self._lines.add((BREAK,))

    def _known(self) -> list[int]:
        """Return the rows that may begin a span: they stood further up, here or before, and say something."""
        keys, held = self._view.keys[:MOST], self._held
        count, newest, head_of = Counter(keys), self._lines.newest, words.anchor
        seen = {key for key, times in count.items() if key and (times > 1 or newest(key) >= 0)}
        seen = {key for key in seen if len(head_of(key)) >= TELLING}
        return [i for i, key in enumerate(keys) if key in seen and i not in held]

    def _stay(self, start: int, end: int) -> None:
        """Leave rows as they are."""
        view = self._view
        for i in range(start, end):
            if i and not (self._glue and i in view.glued):
                self._out.append("\n")
            self._out.append(view.rows[i])
            self._glue = True
        keys = self._stays[start:end]
        at = self._lines.add(keys)
        if self._file >= 0 and view.numbers is not None:
            shown = zip(view.numbers[start:end], keys, strict=True)
            self._lines.number(
                self._file,
                {number: place for place, (number, key) in enumerate(shown, at) if number and key is not BREAK},
            )

    def _span(self, i: int) -> _Span | None:
        """Return the longest span from row ``i`` on that can be named."""
        best, most = None, LEAST - 1
        numbers = self._view.numbers
        if self._file >= 0 and numbers is not None and numbers[i]:
            lines = self._same_numbers(i)
            if self._weight(i, lines) > most and (named := self._worth(i, lines, self._by_own_numbers(i, lines))):
                best, most = _Span(i, lines, named, NOWHERE), self._weight(i, lines)
        key = self._view.keys[i]
        at = self._lines.newest(key)
        for _ in range(TRIED):
            if at < 0:
                break
            lines = self._extent(i, at)
            if self._weight(i, lines) > most and (named := self._worth(i, lines, self._named(i, lines, at))):
                best, most = _Span(i, lines, named, at), self._weight(i, lines)
            at = self._lines.earlier(at, key)
        return best

    def _drawn_back(self, span: _Span, first: int) -> _Span:
        """Begin a span that is named by numbers earlier, over rows that could not begin one."""
        keys, numbers, i, at = self._view.keys, self._view.numbers, span.row, span.at
        if numbers is None or first == i:
            return span
        line, back = self._lines.line, 0
        while i - back > first and numbers[i - back - 1] and numbers[i - back - 1] == numbers[i] - back - 1:
            place = at - back - 1 if at >= 0 else self._seen.lines.numbered(self._file, numbers[i] - back - 1)
            if place < 0 or line(place) != keys[i - back - 1]:
                break
            back += 1
        i, lines = i - back, span.lines + back
        if at < 0:
            named = self._by_own_numbers(i, lines)
        else:
            named = self._by_numbers(words.span(numbers[i], numbers[i + lines - 1]), lines, at - back)
        return span if named is None or not back else _Span(i, lines, named, at - back)

    def _weight(self, i: int, lines: int) -> int:
        return self._weights[i + lines] - self._weights[i]

    def _worth(self, i: int, lines: int, named: Named | None) -> Named | None:
        """Return the name when it is short enough for what it stands for."""
        if named is None:
            return None
        weight, least = self._weight(i, lines), DENSER * len(named[0]) + GAIN
        if not named[1]:
            least = self._least_here
        elif ": " in named[0]:
            least = max(least, self._least_in_words)
        return named if weight >= least else None

    # --- how far a span goes

    def _extent(self, i: int, at: int) -> int:
        """Return how many rows from ``i`` stand from a place on; in a numbered view, as long as the numbers go on."""
        end = self._ends.get(at - i, -1)
        if end > i:
            return end - i
        keys, numbers, held = self._view.keys, self._view.numbers, self._held
        source, start = self._lines.run(at)
        stop = min(len(self._weights) - 1 - i, len(source) - start)
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
        while n < len(self._weights) - 1 and n not in self._held and numbers[n] and numbers[n] == numbers[i] + n - i:
            at = self._seen.lines.numbered(self._file, numbers[n])
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
        places = [self._seen.lines.numbered(self._file, number) for number in numbers[i : i + lines]]
        return words.by_number(own, own, ""), self._ordinals(places)

    def _named(self, i: int, lines: int, at: int) -> Named | None:
        """Name the lines from a place on by their numbers or their words; None when both would name others."""
        numbers = self._view.numbers
        own = words.span(numbers[i], numbers[i + lines - 1]) if numbers is not None and numbers[i] else ""
        best = self._by_numbers(own, lines, at)
        keys = self._view.keys
        head, last = words.anchor(keys[i]), ""
        if words.ELLIPSIS in head:
            return best
        if self._lines.newest_head(head) != at:
            last = keys[i + lines - 1]
            if not self._leads_to(head, lines, words.tail(last), at):
                return best
        unit = "fields" if i + lines - 1 in self._view.glued else "lines"
        said = words.by_words(own, lines, unit, keys[i], last)
        return (said, self._ordinals([at])) if best is None or len(said) < len(best[0]) else best

    def _by_numbers(self, own: str, lines: int, at: int) -> Named | None:
        if at >= self._lines.start:
            return None
        place, index = self._seen.place(at)
        there = place.numbers[index : index + lines] if place.numbers is not None and place.file >= 0 else [0]
        if not there[0] or there[-1] != there[0] + lines - 1:
            return None
        self._steps -= lines
        line = self._seen.lines.line
        places = [self._seen.lines.numbered(place.file, number) for number in there]
        if any(line(newest) != line(known) for newest, known in zip(places, range(at, at + lines), strict=True)):
            return None  # another copy of these numbers is newer
        name = "" if own and place.file == self._file else place.name
        return words.by_number(own, words.span(there[0], there[-1]), name), self._ordinals(places)

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
            self._steps -= 1
        return False

    def _ordinals(self, places: list[int]) -> frozenset[int]:
        """Return the ordinals of the blocks that places are in; this text's own have none."""
        return frozenset([self._seen.place(at)[0].ordinal for at in places if at < self._lines.start])
