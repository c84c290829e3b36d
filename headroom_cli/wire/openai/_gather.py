"""Put a message together from the deltas of a stream."""

from __future__ import annotations

import json

from headroom_cli.wire.openai._chunk import sound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# The texts of a call, which come in pieces; every other member comes whole.
_TEXTS = ("arguments", "input")
_DETAILS = ("text", "summary", "data")


class Called:
    """A call of a tool, put together from its pieces.

    ``index``  the provider's, None for none
    ``mine``   whether it calls a tool of ours; None as long as that cannot be told
    ``shown``  the index that the client sees, None as long as it has seen none
    """

    __slots__ = ("_inner", "_members", "_texts", "identifier", "index", "keep", "kind", "mine", "name", "shown")

    def __init__(self, index: int | None) -> None:
        """Begin with nothing known."""
        self.index = index
        self.identifier = ""
        self.name = ""
        self.kind = "function"
        self.mine: bool | None = None
        self.shown: int | None = None
        self.keep = True
        self._members: dict[str, Any] = {}
        self._inner: dict[str, Any] = {}
        self._texts: list[str] = []

    def add(self, piece: dict[str, Any]) -> None:
        """Take a piece. Only texts are joined: some providers repeat id, type and name with every piece."""
        if isinstance(piece.get("id"), str):
            self.identifier = piece["id"] or self.identifier
        for key, item in piece.items():
            if key in ("function", "custom") and isinstance(item, dict):
                self.kind = key
                self._add_inner(item)
            elif key not in ("id", "index", "type") and self.keep and (item is not None or key not in self._members):
                self._members[key] = item

    def _add_inner(self, item: dict[str, Any]) -> None:
        for key, value in item.items():
            if key == "name":
                if isinstance(value, str) and value != self.name:
                    self.name += value
            elif not self.keep:
                continue
            elif key in _TEXTS and isinstance(value, str):
                self._texts.append(value)
            elif value is not None or key not in self._inner:
                self._inner[key] = value

    def decide(self, ours: frozenset[str], *, last: bool = False) -> None:
        """Tell whether this is a call of ours, as soon as its name says so; ``last``: no further piece comes."""
        if self.mine is not None:
            return
        if self.kind == "function" and self.name in ours:
            self.mine = True
        elif last or (self.name and any(self._texts)) or not any(name.startswith(self.name) for name in ours):
            self.mine = False
            self.forget()

    def forget(self) -> None:
        """Keep no more than id and name: arguments may be long."""
        self.keep = False
        self._texts.clear()
        self._inner.clear()
        self._members.clear()

    def arguments(self) -> dict[str, Any] | None:
        """Return the arguments, None when they are no JSON object. No text at all is a call without arguments."""
        if not self.keep:
            return None
        found = self._inner.get("arguments")
        if found is None:
            try:
                found = json.loads("".join(self._texts).strip() or "{}")
            except (ValueError, RecursionError):
                return None
        return found if isinstance(found, dict) else None

    def value(self) -> dict[str, Any]:
        """Return the call as it stands in a message, its arguments as the model wrote them."""
        name = "input" if self.kind == "custom" else "arguments"
        inner = {"name": self.name, name: sound("".join(self._texts)), **self._inner}
        return {"id": self.identifier, "type": self.kind, self.kind: inner, **self._members}


class Gathered:
    """One choice's message, put together from its deltas."""

    __slots__ = ("_at", "calls", "fields")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.calls: list[Called] = []
        self.fields: dict[str, list[Any]] = {}
        self._at: dict[int | None, Called] = {}

    def take(self, delta: dict[str, Any]) -> None:
        """Take everything of a delta but its calls."""
        for key, piece in delta.items():
            if key != "tool_calls":
                pieces = self.fields.setdefault(key, [])
                if piece is not None:
                    pieces.append(piece)

    def called(self, delta: dict[str, Any]) -> list[Called | None]:
        """Take a delta's pieces of calls; return the call that each is of, None for what is no piece."""
        pieces = delta.get("tool_calls")
        if not isinstance(pieces, list):
            return []
        return [self._called(piece) if isinstance(piece, dict) else None for piece in pieces]

    def _called(self, piece: dict[str, Any]) -> Called:
        index = piece.get("index") if isinstance(piece.get("index"), int) else None
        call = self._at.get(index)
        other = piece.get("id")
        inner = piece.get("function") or piece.get("custom")
        # Some gateways give each of several calls the index 0, or none: there a new id with a name begins a new one.
        named = isinstance(inner, dict) and bool(inner.get("name"))
        if call is None or (named and other and call.identifier and other != call.identifier):
            call = self._at[index] = Called(index)
            self.calls.append(call)
        call.add(piece)
        return call

    def value(self) -> dict[str, Any]:
        """Return the message."""
        made = {key: joined(key, pieces) for key, pieces in self.fields.items()}
        if self.calls:
            made["tool_calls"] = [call.value() for call in self.calls]
        return made


def joined(key: str, pieces: list[Any]) -> Any:
    """Return what the pieces of a member make together, None when there was none."""
    if not pieces:
        return None
    if key == "role":
        return pieces[0]
    if all(isinstance(piece, str) for piece in pieces):
        return sound("".join(pieces))
    if all(isinstance(piece, (list, str)) for piece in pieces):
        items = [item for piece in pieces for item in _listed(piece)]
        return _MERGES.get(key, list)(items)
    if all(isinstance(piece, dict) for piece in pieces):
        keys = dict.fromkeys(name for piece in pieces for name in piece)
        return {name: _member(name, [piece[name] for piece in pieces if piece.get(name) is not None]) for name in keys}
    return pieces[-1]


def _member(name: str, pieces: list[Any]) -> Any:
    """Return what the pieces of a member's member make: of ``audio`` and ``function_call`` alone ids come whole."""
    return pieces[-1] if name == "id" and pieces else joined(name, pieces)


def _listed(piece: Any) -> list[Any]:
    if isinstance(piece, list):
        return piece
    return [{"type": "text", "text": piece}] if piece else []


def _merged_parts(items: Iterable[Any]) -> list[Any]:
    """Join texts that follow each other: a content of parts comes in pieces as well (Mistral)."""
    made: list[Any] = []
    for item in items:
        if made and _plain_text(item) and _plain_text(made[-1]):
            made[-1] = {"type": "text", "text": made[-1]["text"] + item["text"]}
        else:
            made.append(item)
    return made


def _plain_text(item: Any) -> bool:
    return isinstance(item, dict) and item.keys() == {"type", "text"} and isinstance(item["text"], str)


def merged_details(items: Iterable[Any]) -> list[Any]:
    """Join the pieces of each of OpenRouter's ``reasoning_details``.

    Pieces of one detail follow each other with the same type and index, its signature often in a last one without
    text; sent back in pieces they are refused, because the signature is of the whole (agno-agi/agno#8794).
    """
    groups: list[list[Any]] = []
    for item in items:
        last: Any = groups[-1][-1] if groups else None
        both = isinstance(item, dict) and isinstance(last, dict)
        if (
            both
            and isinstance(item.get("index"), int)
            and all(item.get(key) == last.get(key) for key in ("index", "type"))
        ):
            groups[-1].append(item)
        else:
            groups.append([item])
    return [_one(group, _DETAILS) if len(group) > 1 else group[0] for group in groups]


def merged_thinking(items: Iterable[Any]) -> list[Any]:
    """Join the pieces of each of LiteLLM's ``thinking_blocks``: a signature ends a block."""
    groups: list[list[Any]] = []
    for item in items:
        last: Any = groups[-1][-1] if groups else None
        both = isinstance(item, dict) and isinstance(last, dict)
        if both and item.get("type") == last.get("type") == "thinking" and not last.get("signature"):
            groups[-1].append(item)
        else:
            groups.append([item])
    return [_one(group, ("thinking",)) if len(group) > 1 else group[0] for group in groups]


def _one(pieces: list[dict[str, Any]], texts: tuple[str, ...]) -> dict[str, Any]:
    """Return one object of its pieces: of ``texts`` all, of any other member the last that says something."""
    made: dict[str, Any] = {}
    for piece in pieces:
        for key, value in piece.items():
            if value not in (None, "") or key not in made:
                made[key] = value
    for name in texts:
        said = [piece[name] for piece in pieces if isinstance(piece.get(name), str)]
        if said:
            made[name] = sound("".join(said))
    return made


_MERGES = {"reasoning_details": merged_details, "thinking_blocks": merged_thinking, "content": _merged_parts}
