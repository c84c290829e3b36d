"""A light tree over JSON that remembers where each string literal stands.

Only the containers on the way to message texts are opened (OPENED); everything else is stepped over at C speed by the
standard scanner, so that a body with 100 KB of tool schemas costs one scan. The same nodes are made from Python
objects, where a span has no meaning and is (0, 0).
"""

from __future__ import annotations

import json
from json.decoder import WHITESPACE  # type: ignore[attr-defined]

from headroom_cli.nesting import depth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_DEPTH = 100  # deeper documents pass through: the C scanner recurses on the machine stack

# Keys whose containers are opened. "input" is opened at the top only: inside a tool call it holds arguments.
OPENED = frozenset(("content", "output", "tool_calls", "function"))
OPENED_AT_TOP = frozenset(("messages", "input"))

_skip_space = WHITESPACE.match
scan_once: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
_scan_string = json.decoder.scanstring  # type: ignore[attr-defined]


class Node:
    """A value and the span of its text. ``value`` is dict[str, Node], list[Node] or a plain JSON value."""

    __slots__ = ("end", "opened", "start", "value")

    def __init__(self, value: Any, start: int, end: int, *, opened: bool) -> None:
        """Tell by ``opened`` a dict or list of nodes from a plain value."""
        self.value = value
        self.start = start
        self.end = end
        self.opened = opened

    def get(self, key: str) -> Any:
        """Return the plain value under a key of an opened object, None when absent or opened."""
        child = self.child(key)
        return None if child is None or child.opened else child.value

    def word(self, key: str) -> str:
        """Return the string under a key of an opened object, "" for anything else."""
        value = self.get(key)
        return value if isinstance(value, str) else ""

    def child(self, key: str) -> Node | None:
        """Return the node under a key of an opened object."""
        if self.opened and isinstance(self.value, dict):
            node: Node | None = self.value.get(key)
            return node
        return None

    def items(self) -> list[Node]:
        """Return the elements of an opened array, [] for anything else."""
        return self.value if self.opened and isinstance(self.value, list) else []

    def is_object(self) -> bool:
        """Tell whether this is an opened object."""
        return self.opened and isinstance(self.value, dict)


class ShapeError(ValueError):
    """The text is not JSON that a lens can stand on (syntax, duplicate keys on the path)."""


def too_deep(data: bytes) -> bool:
    """Tell whether JSON text nests deeper than MAX_DEPTH."""
    return data.count(b"[") + data.count(b"{") > MAX_DEPTH and depth(data) > MAX_DEPTH


def from_text(text: str, start: int = 0) -> Node:
    """Open the JSON value at ``start``. Raise ShapeError when it is not JSON (callers check ``too_deep`` first)."""
    try:
        return _open(text, _skip_space(text, start).end(), 0)
    except StopIteration as stop:
        raise ShapeError(f"no JSON value at character {stop.value}") from None
    except (ValueError, IndexError, RecursionError) as error:
        raise ShapeError(str(error)) from None


def skip_space(text: str, at: int) -> int:
    """Return the index of the first character at or after ``at`` that is not JSON white space."""
    end: int = _skip_space(text, at).end()
    return end


def _open(text: str, at: int, level: int) -> Node:
    """Open a container whose children follow the OPENED policy. Depth is bounded by the policy (at most 8)."""
    opening = text[at : at + 1]
    if opening == "{":
        return _open_object(text, at, level)
    if opening == "[":
        return _open_array(text, at, level)
    value, end = scan_once(text, at)
    return Node(value, at, end, opened=False)


def _open_object(text: str, at: int, level: int) -> Node:
    members: dict[str, Node] = {}
    i = _skip_space(text, at + 1).end()
    if text[i : i + 1] == "}":
        return Node(members, at, i + 1, opened=True)
    while True:
        if text[i : i + 1] != '"':
            raise ShapeError(f"no key at character {i}")
        key, i = _scan_string(text, i + 1, True)  # noqa: FBT003 - positional in the C function
        i = _skip_space(text, i).end()
        if text[i : i + 1] != ":":
            raise ShapeError(f"no colon at character {i}")
        i = _skip_space(text, i + 1).end()
        if text[i : i + 1] in ("{", "[") and level < 8 and (key in OPENED or (level == 0 and key in OPENED_AT_TOP)):
            child = _open(text, i, level + 1)
        else:
            value, end = scan_once(text, i)
            child = Node(value, i, end, opened=False)
        if key in members:
            raise ShapeError(f"duplicate key at character {i}")
        members[key] = child
        i = _skip_space(text, child.end).end()
        closing = text[i : i + 1]
        if closing == "}":
            return Node(members, at, i + 1, opened=True)
        if closing != ",":
            raise ShapeError(f"no comma at character {i}")
        i = _skip_space(text, i + 1).end()


def _open_array(text: str, at: int, level: int) -> Node:
    elements: list[Node] = []
    i = _skip_space(text, at + 1).end()
    if text[i : i + 1] == "]":
        return Node(elements, at, i + 1, opened=True)
    while True:
        if text[i : i + 1] == "{" and level < 8:
            element = _open_object(text, i, level + 1)
        else:
            value, end = scan_once(text, i)
            element = Node(value, i, end, opened=False)
        elements.append(element)
        i = _skip_space(text, element.end).end()
        closing = text[i : i + 1]
        if closing == "]":
            return Node(elements, at, i + 1, opened=True)
        if closing != ",":
            raise ShapeError(f"no comma at character {i}")
        i = _skip_space(text, i + 1).end()


def from_object(value: Any, level: int = 0, key: str = "") -> Node:
    """Make the same tree from Python values (dicts, lists, strings), opened by the same policy."""
    if isinstance(value, dict) and level < 8 and (level == 0 or key in OPENED or key == "[]"):
        members = {
            k: from_object(v, level + 1, k if k not in OPENED_AT_TOP or level == 0 else "") for k, v in value.items()
        }
        return Node(members, 0, 0, opened=True)
    if isinstance(value, list) and level < 8 and (level == 0 or key in OPENED or key in OPENED_AT_TOP):
        return Node([from_object(v, level + 1, "[]") for v in value], 0, 0, opened=True)
    return Node(value, 0, 0, opened=False)
