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


def parts(result: dict[str, Any], *, text: bool) -> list[Any]:
    """Return the parts of a call's result that may be shortened, [] for one that stays.

    A structured result stays: clients check it against its schema, and programs read it. ``text``: it is
    {"result": TEXT} by its schema, which libraries make of a tool that returns a text; then it says what the content
    says, and may become what the content becomes.
    """
    content = result.get("content")
    if not isinstance(content, list) or not any(map(_is_long, content)):
        return []
    structured = result.get("structuredContent")
    if structured is None or (text and _says_the_same(structured, content)):
        return content
    return []


def _says_the_same(structured: Any, content: list[Any]) -> bool:
    return len(content) == 1 and content[0].get("type") == "text" and structured == {"result": content[0].get("text")}


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
        if "structuredContent" in result and "text" in own:
            edits.append(Edit.text((*place, "result", "structuredContent", "result"), own["text"]))
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
