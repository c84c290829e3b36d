"""Content blocks: put together from the pieces of a stream, told apart, and made known by a digest.

Events and deltas are those of the official SDK's types (RawMessageStreamEvent, RawContentBlockDelta and their betas).
"""

from __future__ import annotations

import json
import math
from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Deltas whose text is appended: type -> (its member, the block's member).
_APPENDED = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "input_json_delta": ("partial_json", "input"),
}
_TEXTS = frozenset(_APPENDED)


class Block:
    """One block of an answer as it grows. ``strange``: a delta of an unknown type came, so it may not be whole."""

    __slots__ = ("_pieces", "_value", "strange")

    def __init__(self, value: dict[str, Any]) -> None:
        """Begin with what ``content_block_start`` says; unknown members stay."""
        self._value = dict(value)
        self._pieces: dict[str, list[str]] = {}
        self.strange = False

    def take(self, delta: dict[str, Any]) -> None:
        """Add a delta."""
        kind = delta.get("type")
        if isinstance(kind, str) and kind in _TEXTS:
            member, goal = _APPENDED[kind]
            piece = delta.get(member)
            if isinstance(piece, str):
                self._pieces.setdefault(goal, []).append(piece)
        elif kind == "signature_delta":
            self._value["signature"] = delta.get("signature")
        elif kind == "citations_delta":
            self._value["citations"] = [*(self._value.get("citations") or ()), delta.get("citation")]
        else:
            self.strange |= kind != "compaction_delta"
            self._value.update({key: part for key, part in delta.items() if key != "type"})

    def value(self) -> dict[str, Any]:
        """Return the block as the API would have given it whole; ``input`` is {} when its text is no JSON object."""
        made = dict(self._value)
        for goal, pieces in self._pieces.items():
            text = paired("".join(pieces))
            if goal == "input":
                if text.strip():
                    made[goal] = self._object(text) or {}
            else:
                made[goal] = str(made.get(goal) or "") + text
        return made

    def arguments(self) -> dict[str, Any] | None:
        """Return the ``input`` of a call, None when its text is no JSON object."""
        text = "".join(self._pieces.get("input", ()))
        if text.strip():
            return self._object(text)
        whole = self._value.get("input", {})
        return whole if isinstance(whole, dict) else None

    @staticmethod
    def _object(text: str) -> dict[str, Any] | None:
        try:
            read = json.loads(text, parse_float=_finite, parse_constant=_finite)
        except (ValueError, RecursionError):
            return None
        return read if isinstance(read, dict) else None


def _finite(text: str) -> float:
    """Read a number that can be written as JSON again. Raise ValueError."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a number that JSON has")
    return number


def paired(text: str) -> str:
    """Join halves of a character that came as two escapes in two pieces."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text


def squeezed(text: str) -> str:
    """Leave out all white space: clients trim texts, and leave blank ones out because the API refuses those."""
    return "".join(text.split())


def text_in(block: Any) -> str | None:
    """Return the text of a text block, None for any other block."""
    if isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str):
        text: str = block["text"]
        return text
    return None


def is_blank(block: Any) -> bool:
    """Tell a text block that the API would refuse: "text content blocks must contain non-whitespace text"."""
    text = text_in(block)
    return text is not None and not text.strip()


def identity(block: dict[str, Any]) -> str:
    """Return a short digest of what makes a block other than text itself, however a client writes it again."""
    kind = str(block.get("type"))
    known = {"thinking": ("signature", "thinking"), "redacted_thinking": ("data",)}.get(kind, ("id", "tool_use_id"))
    for member in known:
        mark = block.get(member)
        if isinstance(mark, str) and mark:
            break
    else:
        mark = json.dumps({key: part for key, part in block.items() if key != "cache_control"}, sort_keys=True)
    return sha256(f"{kind} {mark}".encode("utf-16-le", "surrogatepass")).hexdigest()[:32]


class Shown:
    """The digest of a turn as a client shows it: its text without white space, and the ids of its own calls.

    Kept as it grows, so that an answer of any length costs no memory. In UTF-16 the halves of a character are the same
    bytes whether they came in one piece or two.
    """

    __slots__ = ("_closed", "_hash", "_identifiers", "_open")

    def __init__(self) -> None:
        """Start with nothing shown."""
        self._hash = sha256()
        self._identifiers: list[str] = []
        # Texts in the order they stand in, by index. The first is hashed at once, the others wait for it to end.
        self._open: dict[int, list[str]] = {}
        self._closed: set[int] = set()

    def start(self, index: int, block: dict[str, Any]) -> None:
        """Begin a block."""
        if block.get("type") == "tool_use":
            self._identifiers.append(str(block.get("id")))
        elif block.get("type") == "text":
            self._open[index] = []
            self.text(index, str(block.get("text") or ""))

    def text(self, index: int, text: str) -> None:
        """Add to a text."""
        if index not in self._open:
            return
        if index == next(iter(self._open)):
            self._add(text)
        else:
            self._open[index].append(text)

    def stop(self, index: int) -> None:
        """End a block."""
        if index in self._open:
            self._closed.add(index)
        while self._open and next(iter(self._open)) in self._closed:
            self._open.pop(next(iter(self._open)))
            if self._open:
                first = next(iter(self._open))
                self._add("".join(self._open[first]))
                self._open[first] = []

    def whole(self, index: int, block: dict[str, Any]) -> None:
        """Add a whole block."""
        self.start(index, block)
        self.stop(index)

    def digest(self) -> str:
        """Return it in hexadecimal digits."""
        made = self._hash.copy()
        for waiting in self._open.values():
            made.update(squeezed("".join(waiting)).encode("utf-16-le", "surrogatepass"))
        for identifier in self._identifiers:
            made.update(f"\0{identifier}".encode("utf-16-le", "surrogatepass"))
        return made.hexdigest()

    def _add(self, text: str) -> None:
        self._hash.update(squeezed(text).encode("utf-16-le", "surrogatepass"))
