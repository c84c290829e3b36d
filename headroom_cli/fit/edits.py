"""Put a note in the place of turns that are left out, where each API lets it stand.

Anthropic wants user and assistant in turn, and tool results first in the turn that answers a call: there the note joins
the user turn beside it, behind what that holds. The other formats take a user message of its own, which never comes
between a call and its results, because a unit holds both.
"""

from __future__ import annotations

from headroom_cli.formats import path_of
from headroom_cli.formats._edits import KEPT, Edit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from headroom_cli.fit.walk import Group
    from headroom_cli.formats import Document

_ANTHROPIC_PARTS = frozenset(("tool_use", "tool_result", "thinking", "redacted_thinking"))


def edits_for(document: Document, groups: list[Group], texts: list[str], originals: Mapping[int, str]) -> list[Edit]:
    """Return the edits for groups and their finished texts, one for each.

    ``originals`` are texts that blocks (by their ordinals) get instead of those that refer to what is left out.
    """
    value: Any = document.value()
    for key in document.turns:
        value = value[key]
    edits = [Edit.drop(document.turns, i) for group in groups for i in range(group.first, group.last + 1)]
    left_out = {i for group in groups for i in range(group.first, group.last + 1)}
    alternates = _alternates(document, value)
    front: dict[int, list[str]] = {}
    behind: dict[int, list[str]] = {}
    for group, text in zip(groups, texts, strict=True):
        before, after = group.first - 1, group.last + 1
        if alternates and _is_user(value, before) and before not in left_out:
            behind.setdefault(before, []).append(text)
        elif alternates and _is_user(value, after):
            (behind if _answers(value[after]) else front).setdefault(after, []).append(text)
        else:
            edits.append(Edit.insert(document.turns, group.first, _turn(document, value, text)))
    paths = {path_of(document.blocks[ordinal]): text for ordinal, text in originals.items()}
    for i in sorted(front.keys() | behind.keys()):
        held = paths.pop((*document.turns, i, "content"), KEPT)
        edits += _joined((*document.turns, i, "content"), value[i], front.get(i, []), behind.get(i, []), held)
    return edits + [Edit.text(path, text) for path, text in paths.items()]


def _joined(
    path: tuple[str | int, ...], turn: dict[str, Any], front: list[str], behind: list[str], held: Any
) -> list[Edit]:
    """Return the edits that put texts in front of and behind what a user turn holds; a text becomes ``held``."""
    if isinstance(turn.get("content"), list):
        size = len(turn["content"])
        return [Edit.insert(path, at, _part(text)) for at, texts in ((0, front), (size, behind)) for text in texts]
    kept = {"type": "text", "text": held}
    return [Edit.put(path, [*map(_part, front), kept, *map(_part, behind)])]


def _part(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def _turn(document: Document, value: list[Any], text: str) -> dict[str, Any]:
    """Return a user turn of its own, in the shape that the others have."""
    typed = document.format == "responses" or any(isinstance(item, dict) and "type" in item for item in value)
    return {"type": "message", "role": "user", "content": text} if typed else {"role": "user", "content": text}


def _alternates(document: Document, value: list[Any]) -> bool:
    """Tell whether the API wants user and assistant in turn: Anthropic's, or a list in its shape."""
    if document.format in ("openai", "responses"):
        return False
    return document.format == "anthropic" or any(
        isinstance(part, dict) and part.get("type") in _ANTHROPIC_PARTS
        for item in value
        if isinstance(item, dict) and isinstance(item.get("content"), list)
        for part in item["content"]
    )


def _is_user(value: list[Any], i: int) -> bool:
    return (
        0 <= i < len(value)
        and isinstance(value[i], dict)
        and value[i].get("role") == "user"
        and isinstance(value[i].get("content"), (str, list))
    )


def _answers(turn: dict[str, Any]) -> bool:
    content = turn.get("content")
    return isinstance(content, list) and any(
        isinstance(part, dict) and part.get("type") == "tool_result" for part in content
    )
