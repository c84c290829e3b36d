"""Cache breakpoints of Anthropic requests, where the client left room for them.

A request carries at most four; each ends a prefix that is kept and looks at most 20 content blocks back for one that
was. Marks may move from request to request: they are no part of the prefix.
"""

from __future__ import annotations

from headroom_cli.pricing import PROVIDERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.align._head import Head, Path
    from headroom_cli.align._plan import Plan

_MOST = 4
_LOOKBACK = 20
_MARK = {"type": "ephemeral"}
_MARKABLE = ("text", "tool_result", "image", "document")
_CHARACTERS = 4  # of a token, about: a mark that is set in vain costs nothing


def place(head: Head, value: Any, plan: Plan, *, late: bool) -> list[Path]:
    """Add breakpoints to the plan; return the paths of the parts that get one.

    ``late``: signed thinking is bound to what went upstream without us, so a system prompt stays the string it is.
    """
    if head.shape != "anthropic" or not isinstance(value, dict) or "cache_control" in value or not head.turns:
        return []
    if not (value.get("tools") or head.last >= 0) or not all(isinstance(turn, dict) for turn in head.turns):
        return []
    before = dict(plan.marks)
    marks = _marks(value)
    if not marks:
        _first(head, value, plan, late=late)
    if len(marks) + len(plan.marks) < _MOST:
        _between(head, plan)
    return [path for path in plan.marks if path not in before]


def _marks(value: dict[str, Any]) -> list[Any]:
    """Return every cache_control of a request, in the order of the prompt."""
    found = []
    stack: list[Any] = [value.get("messages"), value.get("system"), value.get("tools")]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack += reversed(node)
        elif isinstance(node, dict):
            if node.get("cache_control"):
                found.append(node["cache_control"])
            if isinstance(node.get("content"), list):
                stack.append(node["content"])
    return found


def _first(head: Head, value: dict[str, Any], plan: Plan, *, late: bool) -> None:
    """Mark the end of tools and system, and the end of the newest turn of the user."""
    least = PROVIDERS["anthropic 5m"].minimum(str(value.get("model") or ""))[0] * _CHARACTERS
    system, tools = value.get("system"), value.get("tools")
    size = _size([system, tools], least)
    if size >= least:
        if isinstance(system, str) and system.strip() and not late:
            plan.marks["system",] = _MARK
        elif isinstance(system, list) and system and _markable(system[-1]):
            plan.marks["system", len(system) - 1] = _MARK
        elif (late or not system) and tools and isinstance(tools, list) and isinstance(tools[-1], dict):
            plan.marks["tools", len(tools) - 1] = _MARK
    newest = next((i for i in range(len(head.turns) - 1, -1, -1) if head.turns[i].get("role") == "user"), -1)
    if newest > head.last and size + _size(head.turns, least) >= least:
        path = _last_part(head, newest, plan)
        if path:
            plan.marks[path] = _MARK


def _last_part(head: Head, turn: int, plan: Plan) -> Path:
    """Return the path of the last part of a user's turn that may be marked, () when there is none."""
    if plan.added.get(turn):
        return (turn, len(plan.added[turn]) - 1)
    path = (*head.path, turn, "content")
    content = head.turns[turn].get("content")
    if isinstance(content, str):
        return path if content.strip() else ()
    if isinstance(content, list) and content and _markable(content[-1]):
        return (*path, len(content) - 1)
    return ()


def _between(head: Head, plan: Plan) -> None:
    """Mark a part in between where the newest turns are longer than what a breakpoint looks back.

    The prefix kept last ended with the last turn of the user before the newest answer. A mark at most 20 blocks behind
    that finds it, and the mark behind that one finds this.
    """
    start = next((i for i in range(head.last - 1, -1, -1) if head.turns[i].get("role") == "user"), -1)
    if start < 0:
        return
    blocks: list[tuple[Path, Any]] = []
    for i in range(start + 1, len(head.turns)):
        content = head.turns[i].get("content")
        mine = head.turns[i].get("role") == "user"
        for j, part in enumerate(content if isinstance(content, list) else [content]):
            path: Path = (*head.path, i, "content", j) if isinstance(content, list) else ()
            blocks.append((path if mine and path and _markable(part) else (), part))
    reached = blocks[: _LOOKBACK - 1]
    end = next((i for i in range(len(blocks) - 1, -1, -1) if _is_marked(blocks[i], plan)), -1)
    if end < _LOOKBACK or any(_is_marked(block, plan) for block in reached):
        return
    path = next((path for path, _ in reversed(reached) if path), ())
    if path:
        part = blocks[end][1]
        plan.marks[path] = dict(part["cache_control"]) if "cache_control" in part else _MARK


def _is_marked(block: tuple[Path, Any], plan: Plan) -> bool:
    path, part = block
    return (isinstance(part, dict) and bool(part.get("cache_control"))) or (bool(path) and path in plan.marks)


def _markable(part: Any) -> bool:
    if not isinstance(part, dict) or part.get("type") not in _MARKABLE or "cache_control" in part:
        return False
    return part["type"] != "text" or bool(str(part.get("text", "")).strip())


def _size(node: Any, enough: int) -> int:
    """Return the characters of the texts in a value, or some number above ``enough``."""
    total = 0
    stack = [node]
    while stack and total < enough:
        node = stack.pop()
        if isinstance(node, str):
            total += len(node)
        elif isinstance(node, dict):
            stack += node.values()
        elif isinstance(node, list):
            stack += node
    return total
