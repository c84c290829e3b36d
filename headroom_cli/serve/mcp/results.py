"""Lines of a server with a few values changed: all other bytes are the server's own."""

from __future__ import annotations

from headroom_cli import formats
from headroom_cli.formats._edits import Edit, EditError
from headroom_cli.serve.mcp.tools import RETRIEVE_TOOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.formats._edits import Path

_WORTH = 200  # characters: below that nothing is gained


def with_tool(place: Path, result: dict[str, Any]) -> list[Edit]:
    """Return the edits that put our tool behind a server's; ``place`` is where the message stands in its line."""
    return [Edit.insert((*place, "result", "tools"), len(result["tools"]), RETRIEVE_TOOL)]


def parts(result: dict[str, Any], member: str) -> list[Any]:
    """Return the parts of a call's result that may be shortened, [] for one that stays.

    A structured result stays: clients check it against its schema, and programs read it. Libraries, though, make one
    of any tool that returns a text, and some clients show it to the model instead of the content. Where its schema
    allows for one ``member`` that is a text, and it is the text of the content, it becomes what the content becomes.
    """
    content = result.get("content")
    if not isinstance(content, list) or not any(map(_is_long, content)):
        return []
    structured = result.get("structuredContent")
    if structured is None or (member and len(content) == 1 and structured == {member: content[0].get("text")}):
        return content
    return []


def _is_long(part: Any) -> bool:
    return isinstance(part, dict) and any(
        isinstance(part.get(name), str) and len(part[name]) > _WORTH for name in ("text", "data")
    )


def shortened(place: Path, result: dict[str, Any], made: list[list[Any] | None]) -> list[Edit]:
    """Return the edits that put what was made in the places of a result's parts, None for each that stays."""
    edits = []
    at = (*place, "result", "content")
    for index, (part, new) in enumerate(zip(result["content"], made, strict=True)):
        if new is None:
            continue
        own = new[-1]
        edits += [Edit.insert(at, index, note) for note in new[:-1]]
        if own.get("type") != part["type"]:
            edits.append(Edit.put((*at, index), own))
            continue
        edits += [
            Edit.text((*at, index, name), own[name])
            for name in ("text", "data", "mimeType")
            if name in own and own[name] != part.get(name)
        ]
        if "text" in own:
            same = result.get("structuredContent") or {}
            edits += [Edit.text((*place, "result", "structuredContent", name), own["text"]) for name in same]
    return edits


def edited(line: bytes, edits: list[Edit]) -> bytes:
    """Return a line after edits, as it came where they cannot be made."""
    body = line.rstrip(b"\r\n")
    if not edits:
        return line
    try:
        made = formats.spliced(body, edits)
    except (EditError, ValueError):
        return line
    return made + line[len(body) :]
