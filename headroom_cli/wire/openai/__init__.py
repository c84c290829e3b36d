"""OpenAI Chat Completions, as OpenAI, OpenRouter and many gateways write it."""

from __future__ import annotations

from headroom_cli.wire.openai._message import Message, text_of, text_of_body
from headroom_cli.wire.openai._past import restore
from headroom_cli.wire.openai._turn import Turn, error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Message", "Turn", "error", "restore", "text_of", "text_of_body", "tool"]


def tool(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return our tool as this API wants it."""
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}
