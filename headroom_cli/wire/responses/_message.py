"""The final object of a stream."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.wire._events import Event

BEGINS = frozenset(("response.created", "response.queued", "response.in_progress"))
ENDS = frozenset(("response.completed", "response.incomplete", "response.failed", "response.cancelled"))


def type_of(event: Event) -> str:
    """Return an event's type; some servers give no ``event:`` field, so the data's own counts."""
    kind = event.value.get("type")
    return kind if isinstance(kind, str) else event.name


class Message:
    """Takes the events that a client sees; the last one normally holds the whole object already."""

    __slots__ = ("_items", "_response")

    def __init__(self) -> None:
        """Start with nothing."""
        self._response: dict[str, Any] = {}
        self._items: dict[int, Any] = {}

    def take(self, event: Event) -> None:
        """Take the next event."""
        kind = type_of(event)
        if kind in BEGINS or kind in ENDS:
            response = event.value.get("response")
            if isinstance(response, dict):
                self._response = response
        elif kind == "response.output_item.done":
            index = event.value.get("output_index")
            self._items[index if isinstance(index, int) else len(self._items)] = event.value.get("item")

    def value(self) -> dict[str, Any]:
        """Return the ``response`` object; of a stream that broke off, with the items that were whole."""
        listed = self._response.get("output")
        if self._response and not listed and (self._items or listed is None):
            return {**self._response, "output": [self._items[index] for index in sorted(self._items)]}
        return self._response
