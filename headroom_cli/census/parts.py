"""The parts of a prompt: what each holds, how its tokens divide, and its digest.

A part is what caches count in: a tool, a block of the system prompt, a content block of a message. Its digest is equal
to another's exactly when the provider renders the same: cache marks do not enter it, nor spacing, nor the order of keys
where the provider writes the JSON anew.
"""

from __future__ import annotations

import json

from headroom_cli.census.names import program
from headroom_cli.formats._calls import describe
from headroom_cli.formats._tree import scan_once, skip_space
from headroom_cli.hashing import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# Put on blocks by clients to say where an entry of the cache ends; moving one is no change of the prompt.
MARKS = frozenset(("cache_control", "prompt_cache_breakpoint"))
TEXTS = frozenset(("text", "input_text", "output_text"))
MEDIA = frozenset(("image", "input_image", "image_url", "document", "input_file", "file", "input_audio", "audio"))
CALLS = frozenset(
    ("tool_use", "server_tool_use", "mcp_tool_use", "function_call", "custom_tool_call", "local_shell_call",
     "web_search_call", "file_search_call", "computer_call", "mcp_call")
)  # fmt: skip
_RESULTS = frozenset(("tool_result", "function_call_output", "custom_tool_call_output", "local_shell_call_output"))
THOUGHTS = frozenset(("thinking", "redacted_thinking", "reasoning"))
SYSTEM = ("system", "developer")
_IN_ORDER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_SORTED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


class Piece:
    """Tokens of one sort inside a part: a text of the document (``path`` names its block), or what stands around it.

    ``role``, ``kind``, ``tool`` are its row of the map; ``kind`` is "" where the router decides.
    """

    __slots__ = ("kind", "path", "role", "text", "tool")

    def __init__(self, role: str, text: str, *, kind: str = "", tool: str = "", path: str = "") -> None:
        """Hold one piece."""
        self.role = role
        self.text = text
        self.kind = kind
        self.tool = tool
        self.path = path


class Part:
    """One part of the prompt.

    ``region``  tools, system, messages, or settings: what is no text but must be equal for a prefix to be found
    ``path``    names the place for a person: "tools.3", "system.0", "messages.4.content.1", "model"
    ``name``    of a tool, or of a setting
    ``role``    of the message it is in, "" elsewhere
    ``value``   what it holds, plainly
    ``start``   where ``value`` is written in the document's text, -1 for what is not written in one piece
    ``outer``   where its message is written, for the first part of one
    ``opens``   what its message says besides its content, "" when it is not the first part of one
    ``answer``  the model wrote it
    ``signed``  the provider checks that what came before it is unchanged
    ``media``   how many pictures and files it holds; of those that can be read, a run's report has the tokens
    """

    __slots__ = (
        "answer", "digest", "kind", "mark", "media", "name", "opens", "outer", "path", "pieces", "region", "role",
        "signed", "start", "value",
    )  # fmt: skip

    def __init__(
        self, region: str, path: str, value: Any, start: int, *, role: str = "", name: str = "", digest: str = ""
    ) -> None:
        """Start without pieces."""
        self.region = region
        self.path = path
        self.value = value
        self.start = start
        self.outer = -1
        self.role = role
        self.name = name
        self.kind = str(value.get("type", "")) if isinstance(value, dict) else ""
        self.digest = digest
        self.pieces: list[Piece] = []
        self.opens = ""
        self.answer = False
        self.signed = False
        self.media = 0
        self.mark = isinstance(value, dict) and any(value.get(mark) is not None for mark in MARKS)

    def around(self, text: str) -> None:
        """Add JSON that stands around the texts: one piece for all of it."""
        if self.pieces and self.pieces[-1].role == "structure":
            self.pieces[-1].text += text
        else:
            self.pieces.append(Piece("structure", text))


def filled(part: Part, role: str, shown: str, *, tool: str = "", hints: dict[str, str] | None = None) -> Part:
    """Give a part its pieces and its digest and return it. ``hints`` is call id -> the name shown for its result."""
    hints = {} if hints is None else hints
    value, path, kind = part.value, part.path, part.kind
    around: Any = ""
    if isinstance(value, str):
        part.pieces.append(Piece(shown, value, path=path, tool=tool))
        value = {"text": value, "type": "text"}  # a string is short for one block of text
        digest = value
    elif isinstance(value, dict):
        around = {key: inner for key, inner in value.items() if key not in MARKS}
        digest = dict(sorted(around.items()))
        if kind in THOUGHTS:
            part.signed = any(value.get(key) for key in ("signature", "data", "encrypted_content"))
            part.pieces.append(Piece("assistant", dump(around), kind="thinking"))
            around = ""
        elif kind in CALLS or "function" in value:
            name, label, around = _call(value, around, hints)
            part.name = name
            part.pieces.append(Piece("assistant", label[1], kind="call", tool=label[0]))
        elif kind in _RESULTS:
            key = "content" if kind == "tool_result" else "output"
            identifier = value.get("tool_use_id") or value.get("call_id") or value.get("id")
            tool = hints.get(str(identifier), "")
            digest[key] = normal(value.get(key))
            around[key] = _contents(part, value.get(key), "tool", f"{path}.{key}", tool)
        elif kind in TEXTS | {""} and isinstance(value.get("text"), str):
            part.pieces.append(Piece(shown, value["text"], path=f"{path}.text", tool=tool))
            around["text"] = ""
            digest["type"] = "text"
        else:
            around = _contents(part, around, shown, path, tool)
    else:
        digest = value
    part.digest = sha256(f"{role}\n{dump(digest)}".encode("utf-8", "surrogatepass"))
    if around != "":
        part.around(dump(around))
    return part


def _call(value: dict[str, Any], around: dict[str, Any], hints: dict[str, str]) -> tuple[str, tuple[str, str], Any]:
    """Return a call's tool, the (name, text) of its piece, and what stands around it; remember it for its result."""
    inner = value.get("function")
    holder = inner if isinstance(inner, dict) else value
    name = str(holder.get("name") or value.get("name") or value.get("type") or "")
    key = next((key for key in ("input", "arguments", "action") if key in holder), "")
    given = holder.get(key)
    if value.get("type") == "custom_tool_call" and isinstance(given, str):
        given = {"command": given}
    shown = program(describe(name, given).hint)
    for identifier in (value.get("id"), value.get("call_id")):
        if isinstance(identifier, str):
            hints[identifier] = shown
    written = holder.get(key, "")
    text = name + " " + (written if isinstance(written, str) else dump(written))
    rest = {k: v for k, v in around.items() if k not in (key, "name", "function")}
    return name, (shown, text), rest


def _contents(part: Part, value: Any, shown: str, path: str, tool: str) -> Any:
    """Add the texts of a result's content, or of an unknown block; return what stands around them."""
    if isinstance(value, str):
        part.pieces.append(Piece(shown, value, path=path, tool=tool))
        return ""
    if isinstance(value, list):
        return [_contents(part, inner, shown, f"{path}.{i}", tool) for i, inner in enumerate(value)]
    if not isinstance(value, dict):
        return value
    kind = str(value.get("type"))  # of a broken request it may be anything
    if kind in TEXTS and isinstance(value.get("text"), str):
        part.pieces.append(Piece(shown, value["text"], path=f"{path}.text", tool=tool))
        return {**{k: v for k, v in value.items() if k not in MARKS}, "text": ""}
    if kind in MEDIA:
        part.media += 1
        part.pieces.append(Piece(shown, "", kind="image", path=path, tool=tool))
        return {"type": kind}  # its tokens follow from pixels and pages, not from its base64
    part.pieces.append(Piece(shown, dump(value), kind="other", tool=tool))
    return ""


def normal(content: Any) -> Any:
    """Return a result's content with strings as blocks and without marks: what the provider sees."""
    if isinstance(content, str):
        return [{"text": content, "type": "text"}]
    if isinstance(content, list):
        return [dict(sorted(without_marks(part).items())) if isinstance(part, dict) else part for part in content]
    return content


def without_marks(value: Any) -> Any:
    """Return an object without the breakpoints on it."""
    return {k: v for k, v in value.items() if k not in MARKS} if isinstance(value, dict) else value


def dump(value: Any, *, ordered: bool = True) -> str:
    """Return compact JSON; with its keys sorted where their order says nothing."""
    return (_IN_ORDER if ordered else _SORTED)(value)


def elements(text: str, at: int) -> Iterator[tuple[Any, int]]:
    """Yield each element of the array at ``at`` and where it starts."""
    at = skip_space(text, at + 1)
    while text[at : at + 1] != "]":
        value, end = scan_once(text, at)
        yield value, at
        at = skip_space(text, end)
        if text[at : at + 1] == ",":
            at = skip_space(text, at + 1)
