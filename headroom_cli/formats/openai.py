"""OpenAI Chat request: tool results are messages of role ``tool`` (or ``function``)."""

from __future__ import annotations

from headroom_cli.formats._calls import describe
from headroom_cli.formats._turns import Turns, texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.formats._tree import Node
    from headroom_cli.model import Block

NAME = "openai"


def recognise(root: Node) -> bool:
    """Tell whether this is an object with a list of messages."""
    messages = root.child("messages")
    if not root.is_object() or messages is None or not messages.opened or isinstance(messages.value, dict):
        return False
    return all(isinstance(message.get("role"), str) for message in messages.items())


def walk(root: Node) -> list[Block]:
    """List the blocks of a request."""
    turns = Turns()
    messages = root.child("messages")
    if messages is not None:
        walk_messages(messages.items(), "messages.", turns)
    return turns.blocks


def walk_messages(messages: list[Node], prefix: str, turns: Turns) -> None:
    """List the blocks of a list of messages."""
    for i, message in enumerate(messages):
        role = message.get("role")
        if not isinstance(role, str):
            continue
        path = f"{prefix}{i}.content"
        leaves = texts(message.child("content"), path)
        if role in ("tool", "function"):
            for leaf, at in leaves:
                turns.result(leaf, at, message.get("tool_call_id"), tool=message.get("name"))
        else:
            for k, (leaf, at) in enumerate(leaves):
                turns.said(leaf, at, role, first_part=k == 0)
        calls = message.child("tool_calls")
        for call in calls.items() if calls is not None else ():
            function = call.child("function")
            if function is not None and function.is_object():
                name = str(function.get("name") or "")
                turns.call(call.get("id"), describe(name, function.get("arguments")))
