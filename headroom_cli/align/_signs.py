"""What tells one conversation from another that begins with the same words."""

from __future__ import annotations

import json

from headroom_cli.align._births import digest
from headroom_cli.align._head import is_answer
from headroom_cli.align._memory import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.align._head import Head

_LONG_ID = 12  # characters of a call's id that no other conversation has
_LONG_ANSWER = 200  # characters of words that no other is likely to have


class Signs:
    """Signs of a request.

    ``bound``      digest of the words and calls of the first answer, "" when there is none
    ``answer``     digest of all of it, thinking too, which clients leave out later
    ``is_own``     nobody else was answered so
    ``is_second``  it is the first request with an answer
    ``session``    digest of the client's own name for the conversation, "" when it gives none
    ``plain``      see _memory.plain
    ``tools``      the names of the tools
    """

    __slots__ = ("answer", "bound", "is_own", "is_second", "plain", "session", "tools")

    def __init__(self, head: Head, value: Any) -> None:
        """Read a request."""
        from headroom_cli.align._choice import names_of

        self.bound = self.answer = ""
        self.is_own = self.is_second = False
        if head.answered >= 0:
            self._read(head)
        self.session = _session(value)
        self.plain = plain(head)
        self.tools = names_of(value)

    def _read(self, head: Head) -> None:
        first = head.turns[head.answered :]
        end = next((i for i, turn in enumerate(first) if not is_answer(turn)), len(first))
        self.is_second = not any(is_answer(turn) for turn in first[end:])
        said, ids = [], []
        for turn in first[:end]:
            words, calls = _said(turn)
            said += words
            ids += calls
            if said or ids:
                break
        self.bound = digest(*said, "", *ids)
        self.answer = digest(json.dumps(_unmarked(first[0]), sort_keys=True, default=repr))
        self.is_own = any(len(name) >= _LONG_ID for name in ids) or sum(map(len, said)) >= _LONG_ANSWER


def _said(turn: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the words of an answer, and the ids of its calls, else their names."""
    content = turn.get("content")
    parts: list[dict[str, Any]] = [{"text": content}]
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict)]
    texts = [text.strip() for part in parts if isinstance(text := part.get("text"), str)]
    said = [text for text in texts if text]
    calls = turn.get("tool_calls")
    nodes = [part for part in parts if part.get("type") == "tool_use"]
    nodes += [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    nodes += [turn] if str(turn.get("type")).endswith("_call") else []
    return said, [str(node.get("call_id") or node.get("id") or node.get("name")) for node in nodes]


def _session(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    metadata = value.get("metadata")
    named = metadata.get("user_id") if isinstance(metadata, dict) else value.get("prompt_cache_key")
    return digest(named) if isinstance(named, str) else ""


def _unmarked(turn: Any) -> Any:
    """Return a turn without its cache marks, which move."""
    content = turn.get("content") if isinstance(turn, dict) else None
    if not isinstance(content, list):
        return turn
    parts = [
        {key: value for key, value in part.items() if key != "cache_control"} if isinstance(part, dict) else part
        for part in content
    ]
    return {**turn, "content": parts}
