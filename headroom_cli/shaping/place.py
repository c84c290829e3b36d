"""Where the block stands in a request: at the end of what the client tells the model, behind all of its own words.

What the client wrote keeps its bytes, and so does what the provider has cached of it. In Anthropic's API the block is
one more part of the system prompt, behind the client's last breakpoint: the client's prefix stays the one that it is in
conversations without the block, and the breakpoint of the newest turn covers the block too.
"""

from __future__ import annotations

from headroom_cli.formats._edits import KEPT, Edit
from headroom_cli.shaping.words import found_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Path = tuple[str | int, ...]

_LEADING = ("system", "developer")
_GAP = "\n\n"


def edits(shape: str, request: dict[str, Any], text: str) -> list[Edit] | None:
    """Return the edits that put a block into a request, None where it has no place for one."""
    if shape == "anthropic":
        return _anthropic(request.get("system"), text)
    if shape == "openai":
        return _chat(request.get("messages"), text)
    return _responses(request, text)


def _anthropic(system: Any, text: str) -> list[Edit] | None:
    block = {"type": "text", "text": text}
    if system is None:
        return [Edit.member((), "system", [block])]
    if isinstance(system, str):
        # An empty text is no block of its own.
        return [Edit.put(("system",), [{"type": "text", "text": KEPT}, block] if system.strip() else [block])]
    return [Edit.insert(("system",), len(system), block)] if isinstance(system, list) else None


def _chat(turns: Any, text: str) -> list[Edit] | None:
    if not isinstance(turns, list):
        return None
    last = leading(turns) - 1
    if last < 0:
        return [Edit.insert(("messages",), 0, {"role": "system", "content": text})]
    content = turns[last].get("content")
    path = ("messages", last, "content")
    if isinstance(content, str):
        return [Edit.append(path, _GAP + text if content else text)]
    return [Edit.insert(path, len(content), {"type": "text", "text": text})] if isinstance(content, list) else None


def _responses(request: dict[str, Any], text: str) -> list[Edit] | None:
    own = request.get("instructions")
    if own is None:
        return [Edit.member((), "instructions", text)]
    return [Edit.append(("instructions",), _GAP + text if own else text)] if isinstance(own, str) else None


def leading(turns: list[Any]) -> int:
    """Return how many turns at the start of a Chat request are the client's instructions."""
    for number, turn in enumerate(turns):
        if not isinstance(turn, dict) or turn.get("role") not in _LEADING:
            return number
    return len(turns)


def standing(shape: str, request: dict[str, Any]) -> str:
    """Return the block that stands in the instructions of a request, "" for none."""
    return next((block for text in _instructions(shape, request) if (block := found_in(text))), "")


def _instructions(shape: str, request: dict[str, Any]) -> Iterator[str]:
    if shape == "anthropic":
        yield from _texts(request.get("system"))
    elif shape == "openai":
        turns = request.get("messages")
        for turn in turns[: leading(turns)] if isinstance(turns, list) else ():
            yield from _texts(turn.get("content"))
    else:
        yield from _texts(request.get("instructions"))


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of a content in either of its forms."""
    if isinstance(value, str):
        yield value
    for part in value if isinstance(value, list) else ():
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield part["text"]
