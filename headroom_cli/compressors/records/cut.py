"""Leave out what costs most and says least: items of long arrays, the middle of long strings. Counts what went."""

from __future__ import annotations

from headroom_cli.compressors.records.cuts import Cut, CutKeys
from headroom_cli.compressors.records.faults import ERROR_WORDS, TEXT_FIELDS, says_error, words_of
from headroom_cli.compressors.records.select import Column, choose, columns_of
from headroom_cli.compressors.records.spans import UnfitError, parse
from headroom_cli.compressors.records.summary import summarize
from headroom_cli.compressors.records.text import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from headroom_cli.model import Draft

ERROR_TEXT = 4000  # characters; the strings of an item kept for its error, and those that say why, stay whole up to it
_AROUND = 300  # characters kept of a line on each side of its error word
_PART_SHARE = 4  # of a text's length: a specialist that leaves more of it is no better than its head and tail
_LOG_LINES = 20  # a string of so many lines is handed to the specialist of its own kind


class Scissors:
    """How much to leave, and the count of what was cut.

    ``least``, ``most``  items kept of a long array: of alike items, of items that each are new
    ``whole``            an array up to this many items is not cut
    ``text``             characters up to which a string is not cut
    ``big``              characters, about, from which an array may be cut
    ``entries``          whether the entries of large objects may be left out too
    ``fold``             error items above which those that differ only in numbers are one kind, 0 for never
    ``part``             hands a text to the specialist of its kind
    """

    __slots__ = (
        "big", "dropped", "entries", "fold", "least", "most", "notes", "part", "question", "strings", "text", "total",
        "whole",
    )  # fmt: skip

    def __init__(
        self,
        least: int,
        most: int,
        whole: int,
        text: int,
        question: str = "",
        *,
        big: int = 0,
        entries: bool = True,
        fold: int = 0,
        part: Callable[[str], Draft | None] = lambda _text: None,
    ) -> None:
        """Start with nothing cut."""
        self.fold = fold
        self.part = part
        self.notes: list[str] = []
        self.big = big
        self.entries = entries
        self.least = least
        self.most = most
        self.whole = whole
        self.text = text
        self.question = question
        self.dropped = 0
        self.total = 0
        self.strings = 0

    def missing(self) -> str:
        """Return what was cut in the source's own unit, "" when nothing was."""
        said = [f"{self.dropped} of {self.total} items"] if self.dropped else []
        if self.strings:
            said.append(f"parts of {self.strings} long string{'s' if self.strings > 1 else ''}")
        if len(self.notes) == 1 and len(self.notes[0]) < 30:
            said += self.notes
        elif self.notes:
            said.append(f"parts of {len(self.notes)} text{'s' if len(self.notes) > 1 else ''}")
        return ", ".join(said)

    def cuts(self) -> tuple[int, int, int]:
        """Return a value that changes when something more is cut."""
        return self.dropped, self.strings, len(self.notes)

    def value(self, value: Any, text: int = 0, *, inside: bool = True) -> Any:
        """Return a value with its long parts cut; ``text`` overrides the limit of strings.

        Only an object ``inside`` of another may lose keys: one at the top or in an array has columns, not entries.
        """
        limit = text or self.text
        kind = type(value)
        if kind is str:
            return self.string(value, limit) if len(value) > limit else value
        if kind is dict:
            if len(value) > self.whole and inside and self.entries:
                return self.keys(value, text)
            return {
                key: self.value(one, self._limit(key, one, text)) if type(one) in _LONG else one
                for key, one in value.items()
            }
        if kind is list:
            if len(value) > self.whole and self._is_big(value):
                return self.items(value, text)
            return [self.value(one, text, inside=False) if type(one) in _LONG else one for one in value]
        return value

    def items(self, items: list[Any], text: int = 0, unit: str = "rows") -> Any:
        """Return an array with only the items that tell most."""
        columns = columns_of(items)
        rows, errors, folded = choose(items, columns, self.question, self.least, self.most, fold=self.fold)
        if len(rows) >= len(items) * 9 // 10:
            return [self.value(one, text, inside=False) for one in items]
        self.dropped += len(items) - len(rows)
        self.total += len(items)
        kept = [self.value(items[row], max(text, ERROR_TEXT) if row in errors else text, inside=False) for row in rows]
        summary = [*folded, *summarize(columns, len(items), unit)]
        return Cut(kept, [row + 1 for row in rows], len(items), summary)

    def _is_big(self, items: list[Any]) -> bool:
        """Tell from a few items whether an array is large enough to be cut."""
        if not self.big:
            return True
        step = max(1, len(items) // 20)
        sample = items[::step]
        return sum([len(str(item)) for item in sample]) * step >= self.big

    def keys(self, value: dict[str, Any], text: int) -> Any:
        """Return a large object whose values are alike with only the entries that tell most."""
        inner = list(value.values())
        kinds = set(map(type, inner))
        if len(kinds) == 1 and kinds != {list}:
            columns = [*columns_of(inner), Column("", list(value))]
            rows, errors, folded = choose(
                inner, columns, self.question, self.least, self.most, names=list(value), fold=self.fold
            )
            if len(rows) < len(inner) * 9 // 10:
                self.dropped += len(inner) - len(rows)
                self.total += len(inner)
                names = columns.pop().values
                kept = {
                    names[row]: self.value(inner[row], max(text, ERROR_TEXT) if row in errors else text) for row in rows
                }
                numbers = [row + 1 for row in rows]
                return CutKeys(kept, numbers, len(inner), [*folded, *summarize(columns, len(inner), "keys")])
        return {
            key: self.value(one, self._limit(key, one, text)) if type(one) in _LONG else one
            for key, one in value.items()
        }

    def _limit(self, key: str, value: Any, text: int) -> int:
        """Return the limit of strings for what stands under a key: what says why something failed stays whole."""
        if type(value) is str and len(value) <= (text or self.text):
            return text
        words = words_of(key)
        if words & TEXT_FIELDS:
            return max(text, ERROR_TEXT)
        if type(value) is str and len(value) <= ERROR_TEXT and words & {"message", "msg"} and says_error(value):
            return ERROR_TEXT
        return text

    def _inner(self, text: str) -> str:
        """Return a string that is itself JSON with its long parts cut, or "" when it is not or none was."""
        try:
            part = parse(text)
        except UnfitError:
            return ""
        before = self.cuts()
        if part.depth > 64:
            return ""
        cut = "\n".join([write(self.value(value, inside=False)) for value in part.values])
        return cut if before != self.cuts() else ""

    def string(self, text: str, limit: int) -> str:
        """Return head and tail of a long string with a note between them; lines about errors stay in their place."""
        if text.lstrip()[:1] in ("{", "[") and (inner := self._inner(text)):
            return inner
        if text.count("\n", 0, 20_000) >= _LOG_LINES:
            draft = self.part(text)
            # A log comes back as its errors; half of a page of prose is still a page inside a table's cell.
            if draft is not None and draft.missing and len(draft.text) <= max(2 * limit, len(text) // _PART_SHARE):
                self.notes.append(draft.missing)
                return draft.text
        head = limit * 6 // 10
        tail = limit * 2 // 10
        spans: list[tuple[int, int]] = [(0, head)]
        seen: set[str] = set()
        stop = len(text) - tail
        at = head
        while at < stop:
            found = ERROR_WORDS.search(text, at, stop)
            if not found:
                break
            start = max(text.rfind("\n", max(0, found.start() - _AROUND), found.start()) + 1, found.start() - _AROUND)
            end = text.find("\n", found.end(), found.end() + _AROUND)
            end = min(stop, found.end() + _AROUND) if end < 0 else min(end, stop)
            at = max(end, found.end())
            line = text[start:end]
            if line not in seen:
                seen.add(line)
                spans.append((max(start, spans[-1][1]), end))
        spans.append((stop, len(text)))
        kept: list[str] = []
        last = 0
        gone = 0
        for start, end in spans:
            if start - last > 40:
                kept.append(f"[... {start - last} characters left out]")
                gone += start - last
            else:
                kept.append(text[last:start])
            kept.append(text[start:end])
            last = end
        if gone < len(text) // 10:
            return text
        self.strings += 1
        return "".join(kept)


_LONG = frozenset((str, dict, list))
