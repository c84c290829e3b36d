"""One hop: a request's answer, as much of it as another hop and later requests need."""

from __future__ import annotations

import json

from headroom_cli.wire._events import KEPT_MOST, Call
from headroom_cli.wire.responses._items import identifier, is_ours, kind_of, sign, waits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.wire._events import Image

    Item = dict[str, Any]


class Hop:
    """What is known of an answer. Whatever has an index is keyed by the provider's own ``output_index``."""

    __slots__ = ("delta", "hidden", "ids", "items", "ours", "places", "response", "signs", "size", "start", "waiting")

    def __init__(self, ours: frozenset[str], start: int, delta: int | None) -> None:
        """``start`` is the first ``output_index`` that the client has not seen yet."""
        self.ours = ours
        self.start = start
        self.delta = delta  # what a sequence_number is off by; None until a later hop's first is seen
        self.items: dict[int, Any] = {}  # as output_item.done gave them
        self.signs: dict[int, list[str]] = {}  # of the items that the client sees
        self.hidden: set[int] = set()  # calls of ours
        self.ids: set[str] = set()  # their item ids, for events that give no index
        self.places: dict[int, int] = {}  # the index that the client sees
        self.waiting: set[str] = set()  # calls that the client is to run
        self.response: Item = {}  # the object of the last event
        self.size = 0  # characters kept

    @property
    def whole(self) -> bool:
        """Tell whether all items are kept."""
        return self.size <= KEPT_MOST

    @property
    def end(self) -> int:
        """Return the first ``output_index`` behind the items that the client saw."""
        return max(self.start + len(self.signs), *(place + 1 for place in self.places.values()), 0)

    def hides(self, index: int, item: Any) -> bool:
        """Tell whether an item is a call of ours, seen now or before."""
        if index not in self.places and is_ours(item, self.ours):
            self.hidden.add(index)
            if isinstance(item.get("id"), str):
                self.ids.add(item["id"])
        return index in self.hidden

    def place(self, index: int) -> int:
        """Return the index that the client sees for an item."""
        if index not in self.places:
            self.places[index] = self.start + index - sum(1 for other in self.hidden if other < index)
        return self.places[index]

    def keep(self, index: int, item: Any, size: int) -> None:
        """Keep a whole item of that many characters; past the limit our calls, and what the others are known by."""
        self.size += size
        if index in self.hidden:
            self.items[index] = item
            return
        self.signs[index] = sign(item)
        if waits(item):
            self.waiting.add(identifier(item))
        elif kind_of(item).endswith("_output"):  # the provider ran that call itself
            self.waiting.discard(identifier(item))
        if self.whole:
            self.items[index] = item
        else:
            self.items = {other: self.items[other] for other in self.items if other in self.hidden}

    def close(self, response: Item, size: int) -> None:
        """Take the object that ends the hop, and the items that no event told of."""
        self.response = response
        listed = response.get("output")
        if not self.ours or not isinstance(listed, list):
            return
        told = bool(self.places or self.hidden)
        known = {identifier(self.items[index]) for index in self.hidden.intersection(self.items)}
        self.size += 0 if told else size
        for index, item in enumerate(listed):
            if not told:
                self.hides(index, item)
                self.keep(index, item, 0)
            elif index not in self.places and is_ours(item, self.ours) and identifier(item) not in known:
                self.hidden.add(index)
                self.items[index] = item

    def calls(self) -> list[Call]:
        """Return the calls of ours."""
        called = [self.items[index] for index in sorted(self.hidden) if index in self.items]
        return [Call(identifier(item), item["name"], _arguments(item)) for item in called]

    def visible(self) -> list[Any]:
        """Return the items that the client sees, as the last event lists them, else as they came."""
        listed = self.response.get("output")
        if isinstance(listed, list) and listed:
            return [item for item in listed if not (self.hidden and is_ours(item, self.ours))]
        return [self.items[index] for index in sorted(self.items) if index not in self.hidden]

    def turn(self) -> list[Any]:
        """Return the items as the next request has to give them back.

        With ``store`` false a reasoning item without its content is a reference to what the provider has not kept, and
        is refused (400, "Items are not persisted when `store` is set to false").
        """
        stored = self.response.get("store") is not False
        items = [self.items[index] for index in sorted(self.items)]
        return [item for item in items if stored or not _is_bare_reasoning(item)]

    def entries(self, answers: list[str | Image]) -> list[list[Any]]:
        """Return the hop for ``restore``: ["seen", sign] or ["put", item] each; calls without answers are left out."""
        found: list[list[Any]] = []
        for index in sorted(self.hidden.union(self.signs)):
            if index not in self.hidden:
                found.append(["seen", self.signs[index]])
            elif answers and index in self.items:
                found.append(["put", self.items[index]])
        return found + [["put", output] for output in self.outputs(answers)]

    def outputs(self, answers: list[str | Image]) -> list[Item]:
        """Return the results of our calls, none for no answers."""
        pairs = zip(self.calls(), answers, strict=True) if answers else ()
        return [
            {"type": "function_call_output", "call_id": call.identifier, "output": _output(answer)}
            for call, answer in pairs
        ]


def _output(answer: str | Image) -> str | list[Item]:
    if isinstance(answer, str):
        return answer
    return [{"type": "input_image", "image_url": answer.address, "detail": "high"}]


def _arguments(item: Item) -> Item | None:
    """Read a call's arguments; None when they are no JSON object."""
    try:
        read = json.loads(item.get("arguments") or "{}")
    except (ValueError, TypeError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _is_bare_reasoning(item: Any) -> bool:
    return kind_of(item) == "reasoning" and not item.get("encrypted_content") and not item.get("content")
