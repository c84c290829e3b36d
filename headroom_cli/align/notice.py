"""Our own texts in a conversation: the block that says what placeholders stand for, and those that say what changed."""

from __future__ import annotations

from headroom_cli import harness

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

HEADS = (harness.VALUES, harness.NEW_VALUES)


def block(values: Mapping[str, str], *, changed: bool = False) -> str:
    """Return the block for some placeholders and their values; values of many lines come last."""
    short = [f"{name} = {value}" for name, value in values.items() if "\n" not in value]
    long = [f"{name} =\n{value}" for name, value in values.items() if "\n" in value]
    return "\n".join((HEADS[changed], *short, *long))


def texts_of(turn: Any) -> list[str]:
    """Return the texts of a turn's content."""
    content = turn.get("content") if isinstance(turn, dict) else None
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else []
    return [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
