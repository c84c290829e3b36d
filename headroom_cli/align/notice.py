"""Our own texts in a conversation: the block that says what placeholders stand for, and those that say what changed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# The first line of a block of ours, whole: a text part that begins with one of these and a line feed is no question.
HEADS = (
    "[headroom: the names in braces above stand for these values]",
    "[headroom: from here on these names in braces stand for other values]",
)


def block(values: Mapping[str, str], *, changed: bool = False) -> str:
    """Return the block for some placeholders and their values; values of many lines come last."""
    short = [f"{name} = {value}" for name, value in values.items() if "\n" not in value]
    long = [f"{name} =\n{value}" for name, value in values.items() if "\n" in value]
    return "\n".join((HEADS[changed], *short, *long))


def is_ours(text: Any) -> bool:
    """Tell whether a text is a block of ours."""
    return isinstance(text, str) and text.startswith("[headroom: ") and text.partition("\n")[0] in HEADS


def texts_of(turn: Any) -> list[str]:
    """Return the texts of a turn's content."""
    content = turn.get("content") if isinstance(turn, dict) else None
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else []
    return [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
