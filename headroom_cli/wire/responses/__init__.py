"""Answers of the OpenAI Responses API: typed items, and events that name their item by ``output_index``.

Field names and events as in the official SDK's types (openai 3.52). A turn of several hops ends with one
``response.completed`` that holds the items of all of them. Which id it has is a choice, see ``Turn``.
"""

from __future__ import annotations

from headroom_cli.wire.responses._items import text_of_item
from headroom_cli.wire.responses._message import Message, type_of
from headroom_cli.wire.responses._past import restore
from headroom_cli.wire.responses._turn import Turn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.wire._events import Event

__all__ = ["Message", "Turn", "restore", "text_of", "text_of_body", "tool"]

_TEXTS = frozenset(("response.output_text.delta", "response.refusal.delta"))


def text_of(event: Event) -> str:
    """Return the text that an event adds, as a person reads it."""
    if event.name and event.name not in _TEXTS:
        return ""
    delta = event.value.get("delta")
    return delta if isinstance(delta, str) and type_of(event) in _TEXTS else ""


def text_of_body(value: dict[str, Any]) -> str:
    """Return the text of a whole answer."""
    output = value.get("output")
    return "".join(text_of_item(item) for item in output) if isinstance(output, list) else ""


def tool(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return our tool as an entry of a request's ``tools``; strict schemas have no optional arguments."""
    return {"type": "function", "name": name, "description": description, "parameters": schema, "strict": False}
