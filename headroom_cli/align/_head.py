"""The head of a conversation: the texts in front of the user's first words that harnesses fill in.

System prompts, messages of developers before the first answer, descriptions of tools and of their parameters, and whole
elements of known wrappers that stand in front of the user's own words.
"""

from __future__ import annotations

from headroom_cli import harness
from headroom_cli.harness import is_ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from headroom_cli.formats import Document

    Path = tuple[str | int, ...]

_SIGNED = ("thinking", "redacted_thinking", "reasoning")
# Claude Code's first block: forwarded untouched, Anthropic reads it.
_UNTOUCHED = "x-anthropic-billing-header"
_MOST_NODES = 20_000  # of the schemas of all tools together


class Place:
    """A text of the head: where it stands, what names it from request to request, which part may be searched."""

    __slots__ = ("end", "key", "path", "text")

    def __init__(self, key: str, path: Path, text: str, end: int = -1) -> None:
        """Search ``text[:end]``; a negative end means the whole text."""
        self.key = key
        self.path = path
        self.text = text
        self.end = len(text) if end < 0 else end


class Head:
    """What align must know of a conversation.

    ``shape``     anthropic, openai or responses: how turns are written
    ``turns``     the messages or items, ``path`` where they stand
    ``places``    the texts of the head, in the order of the prompt
    ``first``     the index of the turn with the user's first own words, -1 when there is none
    ``own``       those words
    ``answered``  the index of the first turn of the assistant, -1 when there is none
    ``last``      the index of the last one
    ``signed``    a turn holds thinking that is bound to what stands before it
    """

    __slots__ = ("answered", "first", "last", "own", "path", "places", "shape", "signed", "turns")

    def __init__(self, document: Document, value: Any) -> None:
        """Read the value of a document with turns."""
        self.path: Path = document.turns
        turns = value.get(self.path[0]) if self.path and isinstance(value, dict) else value
        self.turns: list[Any] = turns if isinstance(turns, list) else []
        self.shape = _shape(document.format, self.turns)
        self.first = self.answered = self.last = -1
        self.own = ""
        self.signed = False
        self._roles()
        self.places: list[Place] = []
        if isinstance(value, dict):
            self.places += _texts("system", ("system",), value.get("system"))
            self.places += _texts("instructions", ("instructions",), value.get("instructions"))
        self._add_turns()
        if isinstance(value, dict):
            self.places += _descriptions(value.get("tools"), "tools")
            self.places += _descriptions(value.get("functions"), "functions")

    def _roles(self) -> None:
        users = []
        for i, turn in enumerate(self.turns):
            if is_answer(turn):
                self.answered = i if self.answered < 0 else self.answered
                self.last = i
                self.signed = self.signed or _is_signed(turn)
            elif isinstance(turn, dict) and turn.get("role") == "user" and isinstance(turn.get("content"), (str, list)):
                users.append(i)
        # The first words are sought in the first request alone: what comes later must not change where they are.
        for i in users:
            said = [(text, end) for _, text, end in _user_texts((), self.turns[i]) if not is_ours(text)]
            own = "\n".join(text[end:] for text, end in said).strip()
            if own or not said or 0 <= self.answered < i:
                self.first, self.own = i, own
                return
        self.first = users[0] if users else -1

    def _add_turns(self) -> None:
        """Add the system messages before the first answer, and the wrappers before the user's first own words."""
        stop = self.answered if self.answered >= 0 else len(self.turns)
        for i, turn in enumerate(self.turns[:stop]):
            role = turn.get("role") if isinstance(turn, dict) else None
            if role in ("system", "developer"):
                self.places += _texts(f"turn.{i}", (*self.path, i, "content"), turn.get("content"))
            elif role == "user" and 0 <= i <= self.first:
                for path, text, end in _user_texts((*self.path, i, "content"), turn):
                    if end:
                        self.places.append(Place(".".join(map(str, path)), path, text, end))
                    if end < len(text.rstrip()):
                        break


def is_answer(turn: Any) -> bool:
    """Tell whether a turn is the model's: words, a call or thinking."""
    if not isinstance(turn, dict):
        return False
    if "role" in turn:
        return bool(turn["role"] == "assistant")
    kind = str(turn.get("type"))
    return kind == "reasoning" or kind.endswith("_call")


def _shape(form: str, turns: list[Any]) -> str:
    if form in ("anthropic", "openai", "responses"):
        return form
    if any(isinstance(turn, dict) and isinstance(turn.get("type"), str) for turn in turns):
        return "responses"
    return "openai"


def _is_signed(turn: dict[str, Any]) -> bool:
    if turn.get("type") == "reasoning":
        return True
    content = turn.get("content")
    return isinstance(content, list) and any(_type_of(part) in _SIGNED for part in content)


def _type_of(part: Any) -> Any:
    """Return a part's type; an SDK's user may have put its objects into a request."""
    return part.get("type") if isinstance(part, dict) else getattr(part, "type", None)


def _texts(key: str, path: Path, content: Any) -> Iterator[Place]:
    """Yield the texts of a system prompt or message."""
    if isinstance(content, str):
        if content:
            yield Place(key, path, content)
    elif isinstance(content, list):
        for i, part in enumerate(content):
            text = part.get("text") if isinstance(part, dict) else None
            if isinstance(text, str) and text and not text.startswith(_UNTOUCHED):
                yield Place(f"{key}.{i}", (*path, i, "text"), text)


def _user_texts(path: Path, turn: dict[str, Any]) -> list[tuple[Path, str, int]]:
    """Return the texts of a user's turn with their paths, and where the wrappers in front of each end."""
    content = turn.get("content")
    if isinstance(content, str):
        return [(path, content, harness.wrapped(content))]
    found: list[tuple[Path, str, int]] = []
    for i, part in enumerate(content if isinstance(content, list) else ()):
        text = part.get("text") if isinstance(part, dict) else None
        if isinstance(text, str):
            found.append(((*path, i, "text"), text, harness.wrapped(text)))
    return found


def is_held_elsewhere(value: Any) -> bool:
    """Tell a request that continues a history which the provider holds: what stands before it is not in it."""
    if not isinstance(value, dict):
        return False
    thread = value.get("thread")
    continued = isinstance(thread, dict) and thread.get("type") == "continue"
    return continued or bool(value.get("previous_response_id") or value.get("conversation"))


def may_be_held_elsewhere(head: Head, value: Any) -> bool:
    """Tell a request that a later one may continue without what stands in it: of that nothing could be replayed.

    The provider of the Responses interface keeps each request unless it is told not to.
    """
    return (
        head.shape == "responses" and isinstance(value, dict) and "input" in value and value.get("store") is not False
    )


def tool_name(tool: Any) -> str:
    """Return what names a tool, "" when nothing does."""
    if not isinstance(tool, dict):
        return ""
    function = tool.get("function")
    name = tool.get("name") or (function.get("name") if isinstance(function, dict) else "") or tool.get("type")
    return name if isinstance(name, str) else ""


def _descriptions(tools: Any, key: str) -> Iterator[Place]:
    """Yield the descriptions of tools and, however deep, of their parameters."""
    nodes = 0
    seen: set[str] = set()
    for i, tool in enumerate(tools if isinstance(tools, list) else ()):
        if not isinstance(tool, dict):
            continue
        name = tool_name(tool)
        name = f"{name}#{i}" if name in seen or not name else name
        seen.add(name)
        stack: list[tuple[Path, Any]] = [((key, i), tool)]
        found: list[tuple[Path, str]] = []
        while stack and nodes < _MOST_NODES:
            path, node = stack.pop()
            nodes += 1
            for step, value in node.items() if isinstance(node, dict) else enumerate(node):
                if step == "description" and isinstance(value, str):
                    found.append(((*path, step), value))
                elif isinstance(value, (dict, list)) and step not in ("enum", "default", "examples", "cache_control"):
                    stack.append(((*path, step), value))
        for path, text in sorted(found, key=lambda pair: [str(step) for step in pair[0]]):
            yield Place(f"tool.{name}.{'.'.join(map(str, path[2:]))}", path, text)
