"""OpenAI Responses request: typed items in ``input``; tool results are ``*_call_output`` items."""

from __future__ import annotations

from headroom_cli.formats._calls import describe
from headroom_cli.formats._turns import Turns, is_message, texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.formats._tree import Node
    from headroom_cli.model import Block

NAME = "responses"
ITEM_TYPES = frozenset(
    ("message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output",
     "local_shell_call", "local_shell_call_output", "reasoning", "item_reference")
)  # fmt: skip
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
_OUTPUTS = frozenset(("function_call_output", "custom_tool_call_output", "local_shell_call_output"))


def recognise(root: Node) -> bool:
    """Tell whether this is an object with a list of input items."""
    items = root.child("input")
    return root.is_object() and items is not None and items.opened and are_items(items.items())


def are_items(items: list[Node]) -> bool:
    """Tell whether every element is a Responses item (an unknown type may stand among known ones)."""
    if not items or not all(item.is_object() for item in items):
        return False
    known = [is_message(item) or item.word("type") in ITEM_TYPES for item in items]
    return known[0] and all(isinstance(item.get("type"), str) or ok for item, ok in zip(items, known, strict=True))


def walk(root: Node) -> list[Block]:
    """List the blocks of a request."""
    turns = Turns()
    instructions = root.child("instructions")
    if instructions is not None and isinstance(instructions.value, str):
        turns.said(instructions, "instructions", "system")
    items = root.child("input")
    if items is not None:
        walk_items(items.items(), "input.", turns)
    return turns.blocks


def walk_items(items: list[Node], prefix: str, turns: Turns) -> None:
    """List the blocks of a list of items; reasoning and unknown types are stepped over."""
    for i, item in enumerate(items):
        kind, role = item.word("type"), item.get("role")
        path = f"{prefix}{i}"
        if isinstance(role, str) and kind in ("", "message"):
            for k, (leaf, at) in enumerate(texts(item.child("content"), f"{path}.content")):
                turns.said(leaf, at, role, first_part=k == 0)
        elif kind in _CALLS:
            arguments = item.get(_CALLS[kind])
            if kind == "custom_tool_call" and isinstance(arguments, str):
                arguments = {"command": arguments}
            turns.call(item.get("call_id"), describe(str(item.get("name") or ""), arguments))
        elif kind == "local_shell_call":
            turns.call(item.get("call_id"), describe("local_shell", item.get("action")))
        elif kind in _OUTPUTS:
            identifier = item.get("call_id") or item.get("id")
            for leaf, at in texts(item.child("output"), f"{path}.output"):
                turns.result(leaf, at, identifier)
