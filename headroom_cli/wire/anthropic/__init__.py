"""Anthropic Messages: a row of WIRES."""

from __future__ import annotations

from headroom_cli.wire.anthropic._blocks import Block, text_in
from headroom_cli.wire.anthropic._past import restore
from headroom_cli.wire.anthropic._turn import Turn
from headroom_cli.wire.anthropic._usage import updated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.wire._events import Event

__all__ = ["Message", "Turn", "restore", "text_of", "text_of_body", "tool"]


class Message:
    """The final message, put together from the events of a stream."""

    __slots__ = ("_blocks", "_value")

    def __init__(self) -> None:
        """Start before the first event."""
        self._value: dict[str, Any] = {}
        self._blocks: dict[int, Block] = {}

    def take(self, event: Event) -> None:
        """Take the next event."""
        if event.data is None:
            return
        value = event.value
        kind, index = value.get("type"), value.get("index")
        block, delta = value.get("content_block"), value.get("delta")
        if kind == "message_start" and isinstance(value.get("message"), dict):
            self._value = dict(value["message"])
        elif kind == "content_block_start" and isinstance(index, int) and isinstance(block, dict):
            self._blocks[index] = Block(block)
        elif kind == "content_block_delta" and index in self._blocks and isinstance(delta, dict):
            self._blocks[index].take(delta)
        elif kind == "message_delta":
            said = {key: part for key, part in value.items() if key not in ("type", "delta", "usage")}
            self._value.update(said)
            self._value.update(delta if isinstance(delta, dict) else {})
            usage = self._value.get("usage")
            self._value["usage"] = updated(usage if isinstance(usage, dict) else {}, value.get("usage"))

    def value(self) -> dict[str, Any]:
        """Return the message so far, {} before its start."""
        if not self._value:
            return {}
        return {**self._value, "content": [block.value() for block in self._blocks.values()]}


def text_of(event: Event) -> str:
    """Return the text that an event adds, "" for none."""
    if event.data is None:
        return ""
    value = event.value
    if value.get("type") == "content_block_delta":
        delta = value.get("delta")
        text = delta.get("text") if isinstance(delta, dict) and delta.get("type") == "text_delta" else ""
        return text if isinstance(text, str) else ""
    return text_in(value.get("content_block")) or "" if value.get("type") == "content_block_start" else ""


def text_of_body(value: Any) -> str:
    """Return the text of a whole answer."""
    content = value.get("content") if isinstance(value, dict) else None
    return "".join(text_in(block) or "" for block in content) if isinstance(content, list) else ""


def tool(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a tool in the form of ``tools``."""
    return {"name": name, "description": description, "input_schema": schema}
