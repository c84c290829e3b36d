"""What is remembered of a conversation's first request: where values stood in its head, and what they were.

A later request is compared with the constant texts between the values, not searched again: what moved at birth moves
for ever, also when a later version of this program would find other values.
"""

from __future__ import annotations

from headroom_cli.align._names import Names
from headroom_cli.align._words import words
from headroom_cli.align.values import MOST, Value, find
from headroom_cli.hashing import sha256
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.align._head import Head, Place

    # texts: key -> Held.record; values: placeholder -> text; first: our first block; after: later blocks, each with
    # its place; bound: the first answer; session: the client's own name for the conversation.
    Birth = dict[str, Any]

_ANCHOR = 24  # characters behind a value that tell where it ends
_MOST_BIRTHS = 24
_WORD = pattern(r"(?<!\S)[A-Za-z]{3,20}(?=[\s.,:;!?]|$)")
_DATED = words(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december mon tue wed thu fri sat sun jan feb mar apr jun jul aug sep oct nov dec "
    "utc gmt est edt cet cest pst pdt"
)
_FIRST_WORDS = 12
_BETWEEN = "\n.\n\n"


def digest(*texts: str) -> str:
    """Return a short digest of some texts in order."""
    return sha256("\0".join(texts).encode("utf-8", "surrogatepass"))[:24]


def name(head: Head) -> str:
    """Return the name that a conversation's births are noted under.

    Several conversations may begin with the same first user turn: side requests of a harness, or the same task given
    twice. Of the system prompt the first plain words tell them apart, which no date or id is among.
    """
    first = head.places[0].text[:2000] if head.places else ""
    plain = [word for word in _WORD.findall(first) if word.lower() not in _DATED][:_FIRST_WORDS]
    return f"births {digest(' '.join(plain), head.own)}"


class Held:
    """A text of the head with values in it: their places, their names, and the constant texts around them."""

    __slots__ = ("names", "place", "spans")

    def __init__(self, place: Place, spans: list[tuple[int, int]], names: list[str]) -> None:
        """``spans`` ascend and do not overlap; ``names`` are their placeholders."""
        self.place = place
        self.spans = spans
        self.names = names

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
        for start, end in self.spans:
            lengths.append(start - at)
            anchors.append(text[end : end + _ANCHOR])
            at = end
        whole = digest(text)
        return {
            "g": lengths,
            "a": anchors,
            "n": self.names,
            "d": digest(*self.constants()),
            "w": whole,
            "s": self.spans,
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
    text = place.text[: place.end]
    if digest(text) == record["w"]:
        return Held(place, [(start, end) for start, end in record["s"]], record["n"])
    spans: list[tuple[int, int]] = []
    at = 0
    for length, anchor in zip(record["g"], record["a"], strict=True):
        start = at + length
        end = text.find(anchor, start) if anchor else len(text)
        if end < 0:
            break
        spans.append((start, end))
        at = end
    held = Held(place, spans, record["n"])
    if len(spans) == len(record["n"]) and digest(*held.constants()) == record["d"]:
        return held
    # The text behind a value may also stand inside it: then the shapes of values tell.
    found = [value for value in find(text) if value.end <= place.end]
    held = Held(place, [(value.start, value.end) for value in found], record["n"])
    same = len(found) == len(record["n"]) and digest(*held.constants()) == record["d"]
    return held if same else None


class Found:
    """A text with values, and of each value its kind and label."""

    __slots__ = ("held", "kinds", "labels")

    def __init__(self, held: Held, kinds: list[str], labels: list[str]) -> None:
        """Three lists of one length, the names among them."""
        self.held = held
        self.kinds = kinds
        self.labels = labels


def searched(places: list[Place]) -> list[Found]:
    """Find the values of a head; return each text that has some. [] when there are more than MOST."""
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
    names = Names([place.text for place in places])
    found = []
    for place, some in zip(places, values, strict=True):
        if some:
            given = [names.name(value, place.text[value.start : value.end]) for value in some]
            held = Held(place, [(value.start, value.end) for value in some], given)
            found.append(Found(held, [value.kind for value in some], [value.label for value in some]))
    return found


def best(births: list[Birth], bound: str, session: str, current: list[dict[str, str] | None]) -> int:
    """Return the index of the birth that a later request belongs to, -1 when none fits.

    ``current`` holds the values of the request read by each birth's own places, None where the template differs.
    Known by the first answer; else by the client's session id, by the values that agree, and by being the newest.
    """
    ranked = []
    for i, (birth, values) in enumerate(zip(births, current, strict=True)):
        if values is not None:
            known = 2 if birth["bound"] == bound else int(not birth["bound"])
            agree = sum(birth["values"].get(placeholder) == value for placeholder, value in values.items())
            ranked.append((known, bool(session) and birth["session"] == session, bool(values), agree, i))
    return max(ranked)[-1] if ranked else -1


def trimmed(births: list[Birth]) -> list[Birth]:
    """Return the newest births, oldest first."""
    return births[-_MOST_BIRTHS:]
