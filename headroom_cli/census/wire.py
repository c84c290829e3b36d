"""A document in the order in which a provider renders it: tools, system, messages, each cut into its parts.

Between them stand the settings that a cache is told apart by, each where the prompt stops to be found when it changes.
"""

from __future__ import annotations

from headroom_cli import pricing
from headroom_cli.census import place
from headroom_cli.census.parts import (
    CALLS,
    MARKS,
    SYSTEM,
    THOUGHTS,
    Part,
    Piece,
    dump,
    elements,
    filled,
    without_marks,
)
from headroom_cli.formats import _tree
from headroom_cli.hashing import sha256
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from headroom_cli.formats import Document


# As a literal of a text it would have its quotes escaped.
_HOUR = pattern(r'"ttl"\s{0,9}:\s{0,9}"1h"')


class Prompt:
    """A request as the provider renders it.

    ``first_line``  the line of the file that the document's text starts at, counted from 1
    """

    __slots__ = ("automatic", "first_line", "format", "hour", "model", "parts", "text")

    def __init__(self, text: str, form: str, first_line: int) -> None:
        """Start empty."""
        self.text = text
        self.format = form
        self.first_line = first_line
        self.parts: list[Part] = []
        self.model = ""
        self.automatic = False  # the request asks for a breakpoint behind its last block
        self.hour = False  # an entry is to live an hour

    def rules(self, model: str) -> str:
        """Return the name of the rules that a model is sold under, "" when its name does not tell."""
        return pricing.for_model(model).replace("5m", "1h" if self.hour else "5m")


def read(document: Document, first_line: int = 1) -> Prompt:
    """Return the prompt that a document with turns is."""
    prompt = Prompt(document.text, document.format, first_line)
    form, text = document.format, document.text
    if form == "raw":  # read as a system prompt, as align does
        prompt.parts.append(filled(Part("system", "", text, 0), "system", "system"))
        return prompt
    root = None if form == "jsonl" else _tree.from_text(text, 1 if text.startswith("\ufeff") else 0)
    if root is None or not root.is_object():
        items = list(_line_nodes(text)) if root is None else root.items()
        if any(isinstance(item.get("type"), str) for item in items):
            _items(prompt, items, "")
        else:
            _messages(prompt, items, "")
        return _with_system_first(prompt)
    anthropic = form == "anthropic"
    prompt.model = str(root.get("model") or "")
    prompt.automatic = isinstance(root.get("cache_control"), dict)
    prompt.hour = _HOUR.search(text) is not None
    early, middle, late = _settings(root, text, anthropic=anthropic)
    prompt.parts += early
    for key in ("tools", "functions", "response_format", "text", "output_config"):
        _tools(prompt, root.child(key), key)
    prompt.parts += middle
    _system(prompt, root.child("system"), "system")
    _system(prompt, root.child("instructions"), "instructions")
    at = len(prompt.parts)
    key = "input" if form == "responses" else "messages"
    holder = root.child(key)
    if holder is not None:
        (_items if form == "responses" else _messages)(prompt, holder.items(), f"{key}.")
    _with_system_first(prompt, at)
    while at < len(prompt.parts) and prompt.parts[at].region == "system":
        at += 1
    if anthropic:  # pictures anywhere: whether adding the second is a change too, the reference leaves open
        late.append(_setting("images", "", -1, any(part.media for part in prompt.parts)))
    prompt.parts[at:at] = late
    return prompt


# --- settings: what caches are told apart by besides the text


def _settings(root: _tree.Node, text: str, *, anthropic: bool) -> tuple[list[Part], list[Part], list[Part]]:
    """Return the settings before the tools, before the system prompt and before the messages.

    A setting stands where the prompt stops to be found when it changes (Anthropic: "what survives").
    """

    def those(*names: str) -> list[Part]:
        found = []
        for name in names:
            node = root.child(name)
            value, start, path = (None, -1, name) if node is None else (node.value, node.start, name)
            if name in ("output_config", "reasoning", "text"):
                key = "verbosity" if name == "text" else "effort"
                start = place.locate(text, start, [key]) if isinstance(value, dict) else -1
                value, path = place.child(value, key), f"{name}.{key}"
            found.append(_setting(name, path, start, value))
        return found

    if anthropic:
        return those("model"), those("speed"), those("tool_choice", "thinking", "output_config")
    # How much survives another effort is not documented: the guide says to keep it, here everything is lost.
    return those("model", "reasoning_effort", "reasoning", "verbosity", "text"), [], []


def _setting(name: str, path: str, start: int, value: Any) -> Part:
    return Part("settings", path, value, start, name=name, digest=f"{name}={dump(value, ordered=False)}")


# --- the regions


def _tools(prompt: Prompt, node: _tree.Node | None, key: str) -> None:
    """Add each tool, and what says which form the answer must have, which is rendered beside them."""
    if node is None or not isinstance(node.value, (list, dict)):
        return
    if key in ("tools", "functions"):
        if not isinstance(node.value, list):
            return
        for i, (value, start) in enumerate(elements(prompt.text, node.start)):
            part = Part("tools", f"{key}.{i}", value, start, name=_tool_name(value) or f"number {i + 1}")
            part.digest = sha256(dump(without_marks(value), ordered=False).encode("utf-8", "surrogatepass"))
            part.pieces.append(Piece("tools", dump(without_marks(value)), kind="schema", tool=part.name))
            prompt.parts.append(part)
        return
    schema = node.value.get("format") if key != "response_format" and isinstance(node.value, dict) else node.value
    if isinstance(schema, dict) and len(schema) > 1:  # {"type": "text"} says nothing
        part = Part("tools", key, node.value, node.start, name=key)
        part.digest = sha256(dump(schema, ordered=False).encode("utf-8", "surrogatepass"))
        part.pieces.append(Piece("tools", dump(schema), kind="schema", tool=key))
        prompt.parts.append(part)


def _tool_name(value: Any) -> str:
    """Return the name of a tool's definition in any of the three shapes."""
    if isinstance(value, dict):
        inner = value.get("function")
        for name in (value.get("name"), inner.get("name") if isinstance(inner, dict) else None, value.get("type")):
            if isinstance(name, str) and name:
                return name
    return ""


def _system(prompt: Prompt, node: _tree.Node | None, path: str) -> None:
    """Add the system prompt: a string, or blocks."""
    if node is None or node.value in (None, "", []):
        return
    if isinstance(node.value, list):
        for i, (value, start) in enumerate(elements(prompt.text, node.start)):
            prompt.parts.append(filled(Part("system", f"{path}.{i}", value, start), "system", "system"))
    else:
        prompt.parts.append(filled(Part("system", path, node.value, node.start), "system", "system"))


def _with_system_first(prompt: Prompt, at: int = 0) -> Prompt:
    """Name the messages that a conversation opens with, as long as they are a system's, its system prompt."""
    for part in prompt.parts[at:]:
        if part.role not in SYSTEM:
            break
        part.region = "system"
    return prompt


def _messages(prompt: Prompt, messages: Iterable[_tree.Node], prefix: str) -> None:
    """Add the parts of chat messages, of Anthropic's and OpenAI's alike."""
    hints: dict[str, str] = {}
    for i, message in enumerate(messages):
        path = f"{prefix}{i}"
        if not message.is_object():
            prompt.parts.append(filled(Part("messages", path, message.value, message.start), "", "other"))
            continue
        role = str(message.get("role") or "")
        around = {
            key: _plain(prompt, node)
            for key, node in message.value.items() if key not in ("content", "tool_calls", *MARKS)
        }  # fmt: skip
        shown, at = "tool" if role == "function" else role, len(prompt.parts)
        tool = hints.get(str(around.get("tool_call_id")), "") or (
            str(around.get("name") or "") if shown == "tool" else ""
        )
        content = message.child("content")
        if content is not None and content.opened and not content.is_object():
            for j, node in enumerate(content.items()):
                value = _plain(prompt, node)
                part = Part("messages", f"{path}.content.{j}", value, node.start, role=role)
                prompt.parts.append(filled(part, role, shown, tool=tool, hints=hints))
        elif content is not None and content.value not in (None, ""):
            part = Part("messages", f"{path}.content", _plain(prompt, content), content.start, role=role)
            prompt.parts.append(filled(part, role, shown, tool=tool, hints=hints))
        calls = message.child("tool_calls")
        for j, node in enumerate(calls.items() if calls is not None else ()):
            value = _plain(prompt, node)
            part = Part("messages", f"{path}.tool_calls.{j}", value, node.start, role=role)
            prompt.parts.append(filled(part, role, shown, hints=hints))
        if at == len(prompt.parts):
            prompt.parts.append(Part("messages", path, around, message.start, role=role, digest=role))
        first = prompt.parts[at]
        first.outer = message.start
        first.around(dump(around))
        first.mark = first.mark or any(message.get(mark) is not None for mark in MARKS)
        first.opens = dump({k: v for k, v in around.items() if k != "role"}, ordered=False)
        for part in prompt.parts[at:]:
            part.answer = role == "assistant"


def _items(prompt: Prompt, items: Iterable[_tree.Node], prefix: str) -> None:
    """Add the parts of Responses items: a message's content parts, every other item whole."""
    hints: dict[str, str] = {}
    for i, item in enumerate(items):
        role, at = item.get("role"), len(prompt.parts)
        if isinstance(role, str) and item.get("type") in (None, "message"):
            _messages(prompt, [item], "")
            for part in prompt.parts[at:]:
                part.path = f"{prefix}{i}" + part.path[1:]
                for piece in part.pieces:
                    piece.path = f"{prefix}{i}" + piece.path[1:] if piece.path else ""
            continue
        value = _plain(prompt, item)
        kind = str(value.get("type") or "") if isinstance(value, dict) else ""
        shown = (
            "tools"
            if kind == "additional_tools"
            else "tool"
            if kind.endswith("_output")
            else "assistant"
            if kind in CALLS | THOUGHTS
            else "other"
        )
        part = Part("messages", f"{prefix}{i}", value, item.start, role=shown)
        prompt.parts.append(filled(part, shown, shown, hints=hints))
        part.answer = shown == "assistant"


def _plain(prompt: Prompt, node: _tree.Node) -> Any:
    """Return the value of a node, read again where it was opened."""
    return _tree.scan_once(prompt.text, node.start)[0] if node.opened else node.value


def _line_nodes(text: str) -> Iterator[_tree.Node]:
    at = 1 if text.startswith("\ufeff") else 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if text[at:end].strip():
            yield _tree.from_text(text, at)
        at = end + 1


def around(prompt: Prompt, part: Part) -> dict[str, Any]:
    """Return what the message says besides its content that this part is the first of."""
    value = _tree.scan_once(prompt.text, part.outer)[0]
    return {key: inner for key, inner in value.items() if key not in ("content", "tool_calls", *MARKS)}


def message_path(path: str) -> str:
    """Return the path of the message that a part's path is in."""
    return path.partition(".content")[0].partition(".tool_calls")[0]
