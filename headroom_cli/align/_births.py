"""What is remembered of a conversation's first request: where values stood in its head, and what they were.

A later request is compared with the constant texts between the values, not searched again: what moved at birth moves
for ever, also when a later version of this program would find other values.
"""

from __future__ import annotations

from headroom_cli.align._names import Names
from headroom_cli.align.values import MOST, Value, find
from headroom_cli.hashing import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from headroom_cli.align._head import Place

    # texts: key -> Held.record for each version of the text, the newest last; values: placeholder -> text; first: our
    # first block; after: later blocks, each with its place; plain: the first plain words of the system prompt;
    # session: the client's own name for the conversation; answer: digest of the whole first answer; grown: the newest
    # turn when it came, and a digest of the texts through it; tools: name of
    # the note about the tools; id: name of its own note.
    Birth = dict[str, Any]

_ANCHOR = 24  # characters behind a value that tell where it ends
_BETWEEN = "\n.\n\n"


def digest(*texts: str) -> str:
    """Return a short digest of some texts in order."""
    return sha256("\0".join(texts).encode("utf-8", "surrogatepass"))[:24]


class Held:
    """A text of the head with values in it: their places, their names, and the constant texts around them."""

    __slots__ = ("kinds", "labels", "names", "place", "spans")

    def __init__(
        self, place: Place, spans: list[tuple[int, int]], names: list[str], kinds: list[str], labels: list[str]
    ) -> None:
        """``spans`` ascend and do not overlap; ``names`` are their placeholders. Lists of one length."""
        self.place = place
        self.spans = spans
        self.names = names
        self.kinds = kinds
        self.labels = labels

    def template(self) -> str:
        """Return the text with the placeholders in it."""
        text, at = self.place.text, 0
        pieces: list[str] = []
        for (start, end), placeholder in zip(self.spans, self.names, strict=True):
            pieces += (text[at:start], placeholder)
            at = end
        return "".join([*pieces, text[at:]])

    def values(self) -> dict[str, str]:
        """Return what each placeholder stands for."""
        text = self.place.text
        return {name: text[slice(*span)] for name, span in zip(self.names, self.spans, strict=True)}

    def record(self) -> dict[str, Any]:
        """Return what finds the values again in a text that differs in nothing else."""
        text, at = self.place.text[: self.place.end], 0
        lengths, anchors = [], []
        stops = [*(start for start, _ in self.spans[1:]), len(text)]
        for (start, end), stop in zip(self.spans, stops, strict=False):
            lengths.append(start - at)
            anchors.append(text[end : min(end + _ANCHOR, stop)])
            at = end
        whole = digest(text)
        return {
            "g": lengths,
            "a": anchors,
            "n": self.names,
            "d": digest(*self.constants()),
            "w": whole,
            "s": self.spans,
            "k": self.kinds,
            "l": self.labels,
        }

    def constants(self) -> list[str]:
        """Return the texts around the values."""
        pieces, at, text = [], 0, self.place.text[: self.place.end]
        for start, end in self.spans:
            pieces.append(text[at:start])
            at = end
        return [*pieces, text[at:]]


def again(place: Place, record: dict[str, Any]) -> Held | None:
    """Find the values of a record in a text of a later request; None when anything else in it changed."""

    def held(spans: list[tuple[int, int]]) -> Held:
        return Held(place, spans, record["n"], record["k"], record["l"])

    text = place.text[: place.end]
    if digest(text) == record["w"]:
        return held([(start, end) for start, end in record["s"]])
    spans: list[tuple[int, int]] = []
    at = 0
    for length, anchor in zip(record["g"], record["a"], strict=True):
        start = at + length
        end = text.find(anchor, start) if anchor else len(text)
        if end < 0:
            break
        spans.append((start, end))
        at = end
    if len(spans) == len(record["n"]) and digest(*(made := held(spans)).constants()) == record["d"]:
        return made
    # The text behind a value may also stand inside it: then the shapes of values tell.
    found = [(value.start, value.end) for value in find(text) if value.end <= place.end] if spans else []
    same = len(found) == len(record["n"]) and digest(*held(found).constants()) == record["d"]
    return held(found) if same else None


def searched(places: list[Place], taken: Iterable[str] = ()) -> list[Held]:
    """Find the values of some texts of a head; return each text that has some. [] when there are more than MOST.

    ``taken`` are texts in which no new placeholder may stand, beside those that are searched.
    """
    values: list[list[Value]] = [[] for _ in places]
    numbers: list[int] = []
    for number, place in enumerate(places):
        if place.key.startswith("tool."):
            numbers.append(number)
        else:
            values[number] = find(place.text[: place.end])
    # Hundreds of short descriptions are searched as one text: between two of them stands what ends every sentence.
    every = find(_BETWEEN.join(places[number].text for number in numbers))
    i = at = 0
    for number in numbers:
        end = at + len(places[number].text)
        while i < len(every) and every[i].start < end:
            one = every[i]
            if one.start >= at and one.end <= end:
                values[number].append(Value(one.start - at, one.end - at, one.kind, one.label))
            i += 1
        at = end + len(_BETWEEN)
    if sum(map(len, values)) > MOST:
        return []
    names = Names([*(place.text for place in places), *taken])
    helds = []
    for place, some in zip(places, values, strict=True):
        if some:
            given = [names.name(value, place.text[value.start : value.end]) for value in some]
            spans = [(value.start, value.end) for value in some]
            helds.append(Held(place, spans, given, [value.kind for value in some], [value.label for value in some]))
    return helds
