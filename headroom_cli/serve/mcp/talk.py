"""A job of wrap.py: the result of somebody's tool, made smaller as in a conversation.

The engine is given what a conversation would hold by then: the call and its result. So the tool's name, the command and
the file in its arguments count as they do everywhere, and the same result of the same call becomes the same bytes
again, in this process and in every later one.
"""

from __future__ import annotations

import contextlib
import json
import re

from headroom_cli import engine, ledger
from headroom_cli.errors import HeadroomError, StoreError
from headroom_cli.lazy import pattern
from headroom_cli.serve import work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A list of files whose lines begin with [FILE] or [DIR], as servers write it, reads like a log and is none: each of its
# names is worth as much as any other.
_NAMES_FILES = pattern(r"dir|folder|files|tree", re.IGNORECASE)
_LOGS = frozenset(("log", "test-log"))
_ID = "call"
_TAG = "headroom_part"  # tells the parts apart when they come back


def shorten(
    state: work.State, call: dict[str, Any], content: list[Any], redeem: str
) -> tuple[list[list[Any] | None], int, int]:
    """Return what stands for each part of a result, None for one that stays, and the tokens before and after.

    A text gives way to a text, a picture to the parts that stand for it. ``call`` has the "tool", its "arguments", and
    whether it "failed". ``redeem`` is "tool" where the client has our tool, else "none".
    """
    parts = [{**part, _TAG: number} for number, part in enumerate(content) if _is_read(part)]
    stays: list[list[Any] | None] = [None] * len(content)
    if not parts:
        return stays, 0, 0
    arguments = call["arguments"] if isinstance(call["arguments"], dict) else {}
    use = {"type": "tool_use", "id": _ID, "name": call["tool"], "input": arguments}
    of_use: dict[str, Any] = {"type": "tool_result", "tool_use_id": _ID, "content": parts}
    if call["failed"]:
        of_use["is_error"] = True
    turns = [
        {"role": "user", "content": ""}, {"role": "assistant", "content": [use]},
        {"role": "user", "content": [of_use]},
    ]  # fmt: skip
    data = json.dumps({"messages": turns}).encode()
    more = {"skip": _LOGS | state.policy().skip} if _NAMES_FILES.search(call["tool"]) else {}
    policy = state.policy(live=False, redeem=redeem, **more)
    try:
        result = engine.crush(data, policy, state.store, form="anthropic", stages=("route",))
    except HeadroomError:
        return stays, 0, 0
    line = {
        "verb": "mcp", "format": "mcp", "level": result.level,
        "tokens": {"before": result.before, "after": result.after}, "kinds": work.tallied(result.blocks),
        "tools": ledger.tools(result.blocks), "project": ledger.project(state.serving.project),
    }  # fmt: skip
    with contextlib.suppress(StoreError):  # a lost statistic
        ledger.append(state.store.root, line)
    if result.data != data:
        _pair(content, json.loads(result.data)["messages"][2]["content"][0]["content"], stays)
    return stays, result.before, result.after


def _is_read(part: Any) -> bool:
    """Tell a text and a picture, as MCP writes them, from parts that stay."""
    if not isinstance(part, dict) or _TAG in part:
        return False
    names = {"text": ("text",), "image": ("data", "mimeType")}.get(str(part.get("type")), ())
    return bool(names) and all(isinstance(part.get(name), str) for name in names)


def _pair(content: list[Any], made: list[Any], stays: list[list[Any] | None]) -> None:
    """Fill in what stands for each part. A new part stands in front of the one it is about, or in its place."""
    sent = [number for number, part in enumerate(content) if _is_read(part)]
    loose: list[Any] = []
    for part in [*made, {_TAG: len(content)}]:
        if _TAG not in part:
            loose.append(part)
            continue
        number = part.pop(_TAG)
        while sent and sent[0] < number:  # given up for the text that came instead
            stays[sent.pop(0)] = [loose.pop(0)]
        if number < len(content):
            sent.pop(0)
            if loose or part != content[number]:
                stays[number] = [*loose, part]
        loose = []
