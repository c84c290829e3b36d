"""A bare list: messages without a request around them, in Anthropic, Chat or Responses shape."""

from __future__ import annotations

from headroom_cli.formats import anthropic, openai, responses
from headroom_cli.formats._turns import Turns, is_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.formats._tree import Node
    from headroom_cli.model import Block

NAME = "bare"


def recognise(root: Node) -> bool:
    """Tell whether this is a list whose items all have a role, or are Responses items."""
    items = root.items()
    if not items:
        return False
    return all(is_message(item) for item in items) or responses.are_items(items)


def walk(root: Node) -> list[Block]:
    """List the blocks, in the shape that the items have."""
    items = root.items()
    turns = Turns()
    if any(isinstance(item.get("type"), str) for item in items):
        responses.walk_items(items, "", turns)
    elif anthropic.has_own_parts(items):
        anthropic.walk_messages(items, "", turns)
    else:
        openai.walk_messages(items, "", turns)
    return turns.blocks
