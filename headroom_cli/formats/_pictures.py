"""The pictures of a document: where they stand, whose they are, and how their place is written anew.

Three shapes hold a picture as base64: Anthropic's ``image`` with a ``source``, MCP's ``image`` with ``data``, and the
``data:`` address of Chat's ``image_url`` and of Responses' ``input_image`` and ``computer_screenshot``. A picture
behind a web address is listed too: it stays.
"""

from __future__ import annotations

import json

from headroom_cli.formats._calls import describe
from headroom_cli.formats._edits import Edit
from headroom_cli.harness import ORIGINAL, SMALLER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from headroom_cli.formats import Document
    from headroom_cli.formats._calls import Call
    from headroom_cli.formats._edits import Path

_TYPES = frozenset(("image", "image_url", "input_image", "computer_screenshot"))
_CALLS = {"function_call": "arguments", "custom_tool_call": "input", "computer_call": "action"}
_OUTPUTS = frozenset(("function_call_output", "custom_tool_call_output", "computer_call_output"))
_MODELS_OWN = frozenset((*_CALLS, "reasoning", "local_shell_call"))
# What a call or a tool names when the model points into the picture that it sees.
_POINTS = tuple(
    frozenset(names)
    for names in (
        ("coordinate",), ("coordinates",), ("start_coordinate",), ("loc",), ("x", "y"), ("x1", "y1"),
        ("startX", "startY"), ("start_x", "start_y"),
    )
)  # fmt: skip
_MARKER = 160  # characters of a marker, at most
_LONGEST_POINT = 4_000  # characters of a call's arguments that names a place


class Picture:
    """One picture of a document.

    ``path``      the keys and indices of the part that holds it, which stands in a list unless ``alone``
    ``data``      its base64, "" for one behind an address
    ``media``     the media type that stands beside it, as it is written there
    ``role``      tool, or the role of its turn
    ``call``      the call whose result it is of, None for none
    ``detail``    low, high, auto, or "" where nothing is said
    ``answered``  a turn of the model comes after it: it has been sent before
    ``ours``      a text of ours stands beside it: it was made smaller, or is an original that was asked for
    ``pointed``   the model may point into it: a tool of the request, or a call before it, takes coordinates
    """

    __slots__ = (
        "_base64", "_media", "_text", "alone", "answered", "call", "data", "detail", "media", "ours", "part", "path",
        "pointed", "role",
    )  # fmt: skip

    def __init__(self, part: dict[str, Any], path: Path, role: str, call: Call | None) -> None:
        """Read a part whose type is one of a picture's; what cannot be read counts as one behind an address."""
        self.part = part
        self.path = path
        self.role = role
        self.call = call
        self.answered = self.ours = self.alone = self.pointed = False
        self.data = self.media = self.detail = ""
        self._base64: Path = ()  # below ``path``: the string with the base64,
        self._media: Path = ()  # and the one with the media type, () where both are one address
        self._text = "input_text" if part.get("type") in ("input_image", "computer_screenshot") else "text"
        self._read(part)

    def _read(self, part: dict[str, Any]) -> None:
        source, address = part.get("source"), part.get("image_url")
        if part.get("type") == "image":
            own, at, name = (source, ("source",), "media_type") if isinstance(source, dict) else (part, (), "mimeType")
            data, media = own.get("data"), own.get(name)
            if isinstance(data, str) and isinstance(media, str) and own.get("type") in ("base64", "image"):
                self.data, self.media = data, media
                self._base64, self._media = (*at, "data"), (*at, name)
            return
        inner: Path = ("image_url",)
        holder = part
        if isinstance(address, dict):
            holder, inner, address = address, ("image_url", "url"), address.get("url")
        detail = holder.get("detail")
        self.detail = detail if isinstance(detail, str) else ""
        head, comma, data = address.partition(";base64,") if isinstance(address, str) else ("", "", "")
        if comma and head[:5].lower() == "data:" and len(head) < 60:
            self.data, self.media = data, head[5:]
            self._base64 = inner

    @property
    def prefix(self) -> str:
        """What stands in front of the base64 within its string."""
        return "" if self._media else f"data:{self.media};base64,"

    @property
    def source(self) -> Path:
        """The path of the string that holds the base64."""
        return (*self.path, *self._base64)

    def smaller(self, data: str, media: str, note: str, *, behind: bool) -> list[Edit]:
        """Return the edits that put another picture there, and a text beside it."""
        own = f"data:{media};base64,{data}" if not self._media else data
        edits = [Edit.text(self.source, own)]
        if self._media and media != self.media:
            edits.append(Edit.text((*self.path, *self._media), media))
        return [*edits, Edit.insert(self.path[:-1], self._index + behind, self.text(note))]

    def replaced(self, note: str) -> list[Edit]:
        """Return the edits that put a text in the picture's place; a cache mark stays."""
        mark = {"cache_control": self.part["cache_control"]} if "cache_control" in self.part else {}
        return [Edit.put(self.path, {**self.text(note), **mark})]

    def text(self, note: str) -> dict[str, str]:
        """Return a text in the shape of the parts around it."""
        return {"type": self._text, "text": note}

    @property
    def _index(self) -> int:
        step = self.path[-1]
        return step if isinstance(step, int) else 0


def find(document: Document) -> list[Picture]:
    """Return the pictures of a document with turns, in order."""
    value = document.value()
    path = document.turns
    turns = value.get(path[0]) if path and isinstance(value, dict) else value
    tools = value.get("tools") if isinstance(value, dict) else None
    listed = tools if isinstance(tools, list) else ()
    pointed = any(isinstance(tool, dict) and _takes_coordinates(tool) for tool in listed)
    return _found(turns, path, pointed=pointed) if isinstance(turns, list) else []


def _found(turns: list[Any], path: Path, *, pointed: bool) -> list[Picture]:
    calls: dict[str, Call] = {}
    found: list[Picture] = []
    fresh = 0  # the first picture that no turn of the model has come after yet
    for i, turn in enumerate(turns):
        if not isinstance(turn, dict):
            continue
        for name, tool, arguments in _called(turn):
            calls[name] = describe(tool, arguments)
            pointed = pointed or tool.startswith("computer") or _names_coordinates(arguments)
        if turn.get("role") == "assistant" or turn.get("type") in _MODELS_OWN:
            for picture in found[fresh:]:
                picture.answered = True
            fresh = len(found)
        own = sorted(_of_turn(turn, (*path, i), calls), key=lambda picture: picture.path[len(path) + 2 :])
        for picture in own:
            picture.pointed = pointed
        found += own
    return found


def _of_turn(turn: dict[str, Any], path: Path, calls: dict[str, Call]) -> Iterator[Picture]:
    role = str(turn.get("role") or "")
    if turn.get("type") in _OUTPUTS:
        call = calls.get(str(turn.get("call_id")))
        output = turn.get("output")
        if isinstance(output, dict) and output.get("type") == "computer_screenshot":
            alone = Picture(output, (*path, "output"), "tool", call)
            alone.alone = True
            yield alone
        yield from _of_parts(output, (*path, "output"), "tool", call)
        return
    content = turn.get("content")
    if role in ("tool", "function"):
        yield from _of_parts(content, (*path, "content"), "tool", calls.get(str(turn.get("tool_call_id"))))
        return
    for j, part in enumerate(content if isinstance(content, list) else ()):
        if isinstance(part, dict) and part.get("type") == "tool_result":
            call = calls.get(str(part.get("tool_use_id")))
            yield from _of_parts(part.get("content"), (*path, "content", j, "content"), "tool", call)
    yield from _of_parts(content, (*path, "content"), role, None)


def _of_parts(parts: Any, path: Path, role: str, call: Call | None) -> Iterator[Picture]:
    every = parts if isinstance(parts, list) else []
    for k, part in enumerate(every):
        if not isinstance(part, dict) or not isinstance(part.get("type"), str) or part["type"] not in _TYPES:
            continue
        picture = Picture(part, (*path, k), role, call)
        before, behind = _text(every[k - 1 : k]), _text(every[k + 1 : k + 2])
        marked = before.endswith(">>") and "<<headroom:" in before[-_MARKER:]
        picture.ours = marked or before.startswith(ORIGINAL) or behind.startswith(SMALLER)
        yield picture


def _text(parts: list[Any]) -> str:
    """Return the text of the part that stands beside a picture, "" for another part or none."""
    text = parts[0].get("text") if parts and isinstance(parts[0], dict) else None
    return text if isinstance(text, str) else ""


def _called(turn: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield (id, tool, arguments) of the calls in a turn."""
    kind = turn.get("type")
    if kind in _CALLS:
        yield str(turn.get("call_id")), str(turn.get("name") or kind), turn.get(_CALLS[kind])
    content, called = turn.get("content"), turn.get("tool_calls")
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and part.get("type") == "tool_use":
            yield str(part.get("id")), str(part.get("name") or ""), part.get("input")
    for call in called if isinstance(called, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            yield str(call.get("id")), str(function.get("name") or ""), function.get("arguments")


def _takes_coordinates(tool: dict[str, Any]) -> bool:
    if str(tool.get("type")).startswith("computer"):
        return True
    own = tool.get("function") if isinstance(tool.get("function"), dict) else tool
    schema = own.get("input_schema", own.get("parameters")) if isinstance(own, dict) else None
    named = schema.get("properties") if isinstance(schema, dict) else None
    return isinstance(named, dict) and any(pair <= named.keys() for pair in _POINTS)


def _names_coordinates(arguments: Any) -> bool:
    if isinstance(arguments, str):
        if len(arguments) > _LONGEST_POINT or not any(f'"{name}"' in arguments for pair in _POINTS for name in pair):
            return False
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return False
    return isinstance(arguments, dict) and any(pair <= arguments.keys() for pair in _POINTS)
