"""Anthropic Messages request: texts of tool results stand in user turns, inside ``tool_result`` blocks."""

from __future__ import annotations

from headroom_cli.formats._calls import describe
from headroom_cli.formats._turns import Turns, texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.formats._tree import Node
    from headroom_cli.model import Block

NAME = "anthropic"
_OWN_PARTS = frozenset(
    ("tool_use", "tool_result", "thinking", "redacted_thinking", "server_tool_use", "image", "document")
)


def recognise(root: Node) -> bool:
    """Tell a Messages request from a Chat request by what only the former has."""
    messages = root.child("messages")
    if not root.is_object() or messages is None or not messages.opened:
        return False
    if root.child("system") is not None or root.child("anthropic_version") is not None:
        return True
    tools = root.get("tools")
    if isinstance(tools, list) and any(isinstance(tool, dict) and "input_schema" in tool for tool in tools):
        return True
    return has_own_parts(messages.items())


def has_own_parts(messages: list[Node]) -> bool:
    """Tell whether a list of messages holds parts that only this API has."""
    for message in messages:
        content = message.child("content")
        for part in content.items() if content is not None else ():
            if part.is_object() and part.word("type") in _OWN_PARTS:
                return True
    return False


def walk(root: Node) -> list[Block]:
    """List the blocks of a request."""
    turns = Turns()
    for leaf, path in texts(root.child("system"), "system"):
        turns.said(leaf, path, "system")
    messages = root.child("messages")
    if messages is not None:
        walk_messages(messages.items(), "messages.", turns)
    return turns.blocks


def walk_messages(messages: list[Node], prefix: str, turns: Turns) -> None:
    """List the blocks of a list of messages; unknown parts and roles are stepped over."""
    for i, message in enumerate(messages):
        role, content = message.get("role"), message.child("content")
        if not isinstance(role, str) or content is None:
            continue
        path = f"{prefix}{i}.content"
        if not content.opened:
            if isinstance(content.value, str):
                turns.said(content, path, role)
            continue
        first = True
        for j, part in enumerate(content.items()):
            if not part.is_object():
                continue
            kind = part.get("type")
            if kind == "tool_use":
                turns.call(part.get("id"), describe(str(part.get("name") or ""), part.get("input")))
            elif kind == "tool_result":
                error = part.get("is_error") is True
                for leaf, at in texts(part.child("content"), f"{path}.{j}.content"):
                    turns.result(leaf, at, part.get("tool_use_id"), error=error)
            elif kind == "text":
                leaf_node = part.child("text")
                if leaf_node is not None and isinstance(leaf_node.value, str):
                    turns.said(leaf_node, f"{path}.{j}.text", role, first_part=first)
                    first = False
