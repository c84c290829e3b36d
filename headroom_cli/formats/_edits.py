"""Edits of a document's structure: whole elements are moved, put in, left out; each keeps the client's bytes.

All paths and indices of one call mean the document before it. An edit that cannot be made safely (no such place, a key
twice on the way) raises EditError, and nothing has changed.
"""

from __future__ import annotations

import json

from headroom_cli.errors import HeadroomError
from headroom_cli.formats import _tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    Path = tuple[str | int, ...]
    Splice = tuple[int, int, str]  # start, end, what stands there instead

DEEPEST = 64  # keys and indices in a path


class EditError(HeadroomError):
    """An edit's place is not in the document, or cannot be told."""


class _Kept:
    """What stood there before, inside the value of ``Edit.put``."""

    def __repr__(self) -> str:
        return "KEPT"


KEPT: Any = _Kept()


class Edit:
    """One change at a path of keys and indices; made by the methods below."""

    __slots__ = ("detail", "kind", "path", "value")

    def __init__(self, kind: str, path: Path, detail: Any = None, value: Any = None) -> None:
        """``kind`` is text, append, put, insert, drop, order, member or remove."""
        self.kind = kind
        self.path = path
        self.detail = detail
        self.value = value

    @classmethod
    def text(cls, path: Path, text: str) -> Edit:
        """Put another text into the string at ``path``; its literal keeps its style."""
        return cls("text", path, None, text)

    @classmethod
    def append(cls, path: Path, text: str) -> Edit:
        """Put a text behind the one at ``path``, whose literal keeps its bytes."""
        return cls("append", path, None, text)

    @classmethod
    def put(cls, path: Path, value: Any) -> Edit:
        """Put another value there; KEPT inside it (once) stands for the old one, byte for byte."""
        return cls("put", path, None, value)

    @classmethod
    def insert(cls, path: Path, index: int, value: Any) -> Edit:
        """Put a value into the list at ``path`` before element ``index``; its length means behind the last."""
        return cls("insert", path, index, value)

    @classmethod
    def drop(cls, path: Path, index: int) -> Edit:
        """Leave an element out of the list at ``path``."""
        return cls("drop", path, index)

    @classmethod
    def order(cls, path: Path, order: Sequence[int]) -> Edit:
        """Give the list at ``path`` another order: element ``order[i]`` comes to place i."""
        return cls("order", path, list(order))

    @classmethod
    def member(cls, path: Path, key: str, value: Any) -> Edit:
        """Give the object at ``path`` a member, at its end when it has none of that name."""
        return cls("member", path, key, value)

    @classmethod
    def remove(cls, path: Path, key: str) -> Edit:
        """Leave a member out of the object at ``path``; nothing happens when it has none of that name."""
        return cls("remove", path, key)


class _Place:
    """What is to happen at one path, and below it."""

    __slots__ = ("below", "drops", "inserts", "members", "order", "put", "removes", "tail", "text")

    def __init__(self) -> None:
        self.tail: list[str] = []
        self.below: dict[str | int, _Place] = {}
        self.drops: set[int] = set()
        self.inserts: dict[int, list[Any]] = {}
        self.members: dict[str, Any] = {}
        self.removes: set[str] = set()
        self.order: list[int] = []
        self.put: list[Any] = []
        self.text: list[str] = []

    @property
    def changes_list(self) -> bool:
        return bool(self.drops or self.inserts or self.order)

    @property
    def changes_object(self) -> bool:
        return bool(self.members or self.removes)


def _plan(edits: Iterable[Edit]) -> _Place:
    """Arrange edits as a tree of places. Raise EditError for two that contradict each other."""
    root = _Place()
    for edit in edits:
        if len(edit.path) > DEEPEST:
            raise EditError("an edit's path is too long")
        place = root
        for step in edit.path:
            place = place.below.setdefault(step, _Place())
        if edit.kind == "text":
            place.text.append(edit.value)
        elif edit.kind == "append":
            place.tail.append(edit.value)
        elif edit.kind == "put":
            place.put.append(edit.value)
        elif edit.kind == "insert":
            place.inserts.setdefault(edit.detail, []).append(edit.value)
        elif edit.kind == "drop":
            place.drops.add(edit.detail)
        elif edit.kind == "order":
            place.order = edit.detail
        elif edit.kind == "remove":
            place.removes.add(edit.detail)
        else:
            place.members[edit.detail] = edit.value
        if (
            len(place.text) + len(place.put) + len(place.tail) > 1
            or (place.order and (place.drops or place.inserts))
            or not place.removes.isdisjoint((*place.members, *place.below))
        ):
            raise EditError("two edits of one place contradict each other")
    return root


def _check(place: _Place, length: int) -> None:
    """Raise EditError for indices that a list of this length has not."""
    wrong = any(not 0 <= index < length for index in place.drops)
    wrong = wrong or any(not 0 <= index <= length for index in place.inserts)
    if wrong or (place.order and sorted(place.order) != list(range(length))):
        raise EditError("an edit names an element that is not there")


# --- of text


def splices_of(text: str, start: int, edits: Iterable[Edit], literal: Callable[[str, str], str]) -> list[Splice]:
    """Return what to replace in JSON text whose root value begins at ``start``, in ascending order.

    ``literal(old, text)`` writes a text in the style of the literal it replaces.
    """
    writer = _Writer(text, literal)
    try:
        writer.walk(_tree.skip_space(text, start), _plan(edits))
    except (StopIteration, ValueError, IndexError, RecursionError) as error:
        raise EditError(f"not editable: {error}") from None
    return sorted(writer.splices, key=lambda splice: splice[:2])


def splices_of_lines(
    text: str, spans: list[tuple[int, int]], edits: Iterable[Edit], literal: Callable[[str, str], str]
) -> list[Splice]:
    """Do the same for JSON Lines: the root is the list of the values at ``spans``."""
    writer = _Writer(text, literal)
    root = _plan(edits)
    try:
        for index, place in root.below.items():
            if not isinstance(index, int) or not 0 <= index < len(spans):
                raise EditError("an edit names a line that is not there")
            writer.walk(spans[index][0], place)
        first = spans[0][0] if spans else 0
        writer.rearrange(first, spans, spans[-1][1] if spans else 0, root, "\n")
    except (StopIteration, ValueError, IndexError, RecursionError) as error:
        raise EditError(f"not editable: {error}") from None
    return sorted(writer.splices, key=lambda splice: splice[:2])


def find(text: str, start: int, path: Path) -> tuple[int, int]:
    """Return the span of the value at a path in JSON text whose root begins at ``start``. Raise EditError."""
    from json.decoder import scanstring  # type: ignore[attr-defined]

    at = _tree.skip_space(text, start)
    try:
        for step in path:
            opening = text[at : at + 1]
            at = _tree.skip_space(text, at + 1)
            index = 0
            while True:
                if opening == "{" and isinstance(step, str) and text[at : at + 1] == '"':
                    key, at = scanstring(text, at + 1, True)  # noqa: FBT003 - positional in the C function
                    at = _tree.skip_space(text, _tree.skip_space(text, at) + 1)
                    if key == step:
                        break
                elif opening != "[" or not isinstance(step, int) or text[at : at + 1] in ("]", ""):
                    raise EditError("there is nothing at that path")
                elif index == step:
                    break
                at = _tree.skip_space(text, _tree.scan_once(text, at)[1])
                at = _tree.skip_space(text, at + 1) if text[at : at + 1] == "," else at
                index += 1
        return at, _tree.scan_once(text, at)[1]
    except (StopIteration, ValueError, IndexError, RecursionError) as error:
        raise EditError(f"there is nothing at that path: {error}") from None


def apply(text: str, splices: list[Splice]) -> tuple[str, list[Splice]]:
    """Return the text with the splices made, and the splices that undo them."""
    pieces: list[str] = []
    undo: list[Splice] = []
    at = length = 0
    for start, end, new in splices:
        if start < at:
            raise EditError("two edits overlap")
        pieces += (text[at:start], new)
        length += start - at
        undo.append((length, length + len(new), text[start:end]))
        length += len(new)
        at = end
    pieces.append(text[at:])
    return "".join(pieces), undo


class _Writer:
    """Finds the places in JSON text and collects the splices."""

    __slots__ = ("_colon", "_comma", "_literal", "_text", "splices")

    def __init__(self, text: str, literal: Callable[[str, str], str]) -> None:
        self._text = text
        self._literal = literal
        spaced = '": ' in text[:4096]
        self._comma, self._colon = (", ", ": ") if spaced else (",", ":")
        self.splices: list[Splice] = []

    def _written(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=self._text.isascii(), separators=(self._comma, self._colon))

    def walk(self, at: int, place: _Place) -> int:
        """Collect the splices of the value at ``at``; return where it ends."""
        text = self._text
        if place.put or place.text or place.tail:
            _, end = _tree.scan_once(text, at)
            if place.below or place.changes_list or place.changes_object:
                raise EditError("an edit lies inside a value that another one replaces")
            if (place.text or place.tail) and text[at : at + 1] != '"':
                raise EditError("a text is to replace what is no string")
            if place.text:
                self.splices.append((at, end, self._literal(text[at:end], place.text[0])))
            elif place.tail:
                more = json.dumps(place.tail[0], ensure_ascii=text.isascii())
                self.splices.append((end - 1, end - 1, more[1:-1]))
            else:
                self._put(at, end, place.put[0])
            return end
        if text[at : at + 1] == "{":
            return self._object(at, place)
        if text[at : at + 1] == "[":
            return self._list(at, place)
        if place.below or place.changes_list or place.changes_object:
            raise EditError("an edit's path leads into a plain value")
        _, end = _tree.scan_once(text, at)
        return end

    def _put(self, at: int, end: int, value: Any) -> None:
        mark = "\x00kept\x00"
        written = json.dumps(
            value, ensure_ascii=self._text.isascii(), separators=(self._comma, self._colon), default=lambda _: mark
        )
        before, kept, after = written.partition(json.dumps(mark))
        if kept:
            self.splices += ((at, at, before), (end, end, after))
        else:
            self.splices.append((at, end, written))

    def _object(self, at: int, place: _Place) -> int:
        from json.decoder import scanstring  # type: ignore[attr-defined]

        if place.changes_list:
            raise EditError("a list's edit is for an object")
        text = self._text
        seen: set[str] = set()
        spans: list[tuple[int, int, bool]] = []  # start and end of each member, and whether it stays
        last = 0
        i = _tree.skip_space(text, at + 1)
        while text[i : i + 1] == '"':
            start = i
            key, i = scanstring(text, i + 1, True)  # noqa: FBT003 - positional in the C function
            i = _tree.skip_space(text, _tree.skip_space(text, i) + 1)
            wanted = place.below.get(key)
            if key in seen:
                raise EditError("a key stands twice on an edit's path")
            seen.add(key)
            if key in place.members:
                last = _tree.scan_once(text, i)[1]
                self.splices.append((i, last, self._written(place.members[key])))
            else:
                last = self.walk(i, wanted) if wanted is not None else _tree.scan_once(text, i)[1]
            spans.append((start, last, key not in place.removes))
            i = _tree.skip_space(text, last)
            if text[i : i + 1] == ",":
                i = _tree.skip_space(text, i + 1)
        if text[i : i + 1] != "}" or not seen.issuperset(key for key in place.below if key not in place.members):
            raise EditError("an edit's path leads to a key that is not there")
        pairs = ((key, value) for key, value in place.members.items() if key not in seen)
        new = [f"{self._written(key)}{self._colon}{self._written(value)}" for key, value in pairs]
        if new:
            comma = self._comma if any(stays for *_, stays in spans) else ""
            where = last if seen else at + 1
            self.splices.append((where, where, comma + self._comma.join(new)))
        self._remove(spans)
        return i + 1

    def _remove(self, spans: list[tuple[int, int, bool]]) -> None:
        """Collect the splices that leave members out, each with the comma that would be one too many."""
        first = next((number for number, span in enumerate(spans) if span[2]), len(spans))
        for number, (start, end, stays) in enumerate(spans):
            if stays:
                continue
            if number > first:
                self.splices.append((spans[number - 1][1], end, ""))
            else:
                self.splices.append((start, spans[number + 1][0] if number + 1 < len(spans) else end, ""))

    def _list(self, at: int, place: _Place) -> int:
        if place.changes_object:
            raise EditError("a member's edit is for a list")
        text = self._text
        spans: list[tuple[int, int]] = []
        i = _tree.skip_space(text, at + 1)
        while text[i : i + 1] != "]":
            wanted = place.below.get(len(spans))
            end = self.walk(i, wanted) if wanted is not None else _tree.scan_once(text, i)[1]
            spans.append((i, end))
            i = _tree.skip_space(text, end)
            if text[i : i + 1] == ",":
                i = _tree.skip_space(text, i + 1)
        if any(not isinstance(index, int) or not 0 <= index < len(spans) for index in place.below):
            raise EditError("an edit's path leads to an element that is not there")
        self.rearrange(at + 1, spans, i, place, self._comma)
        return i + 1

    def rearrange(self, start: int, spans: list[tuple[int, int]], end: int, place: _Place, comma: str) -> None:
        """Collect the splices of a list's own edits; its elements stand at ``spans`` between ``start`` and ``end``."""
        _check(place, len(spans))
        text = self._text
        for slot, index in enumerate(place.order):
            if slot != index:
                self.splices.append((*spans[slot], text[slice(*spans[index])]))
        if not (place.drops or place.inserts):
            return
        if len(spans) > 1:
            comma = text[spans[0][1] : spans[1][0]]
        lead = text[start : spans[0][0]] if spans else ""
        begun = False
        for i in range(len(spans) + 1):
            new, here = "", spans[i - 1][1] if i else start
            for value in place.inserts.get(i, ()):
                new += (comma if begun else lead) + self._written(value)
                begun = True
            if i == len(spans):
                if new:
                    self.splices.append((here if spans else end, here if spans else end, new))
            elif i in place.drops:
                self.splices.append((here, spans[i][1], new))
            else:
                gap = text[here : spans[i][0]]
                between = (gap if i else comma) if begun else lead
                if new + between != gap:
                    self.splices.append((here, spans[i][0], new + between))
                begun = True


# --- of Python values


def rebuilt(value: Any, edits: Iterable[Edit]) -> Any:
    """Return a copy of a value with the edits made; what lies on none of their paths is shared. Raise EditError."""
    return _rebuilt(value, _plan(edits))


def _rebuilt(value: Any, place: _Place) -> Any:
    if place.text or place.put or place.tail:
        if place.below or place.changes_list or place.changes_object:
            raise EditError("an edit lies inside a value that another one replaces")
        if place.tail:
            if not isinstance(value, str):
                raise EditError("a text is to replace what is no string")
            return value + place.tail[0]
        return place.text[0] if place.text else _filled(place.put[0], value)
    if isinstance(value, dict):
        if place.changes_list or not set(place.below) <= set(value) | set(place.members):
            raise EditError("an edit's path leads to a key that is not there")
        stay = {key: item for key, item in value.items() if key not in place.removes}
        return {
            **{key: _rebuilt(item, place.below[key]) if key in place.below else item for key, item in stay.items()},
            **place.members,
        }
    if not isinstance(value, list):
        raise EditError("an edit's path leads into a plain value")
    _check(place, len(value))
    if place.changes_object or any(not isinstance(index, int) or not 0 <= index < len(value) for index in place.below):
        raise EditError("an edit's path leads to an element that is not there")
    made = [_rebuilt(item, place.below[i]) if i in place.below else item for i, item in enumerate(value)]
    if place.order:
        return [made[i] for i in place.order]
    found: list[Any] = []
    for i in range(len(value) + 1):
        found += place.inserts.get(i, ())
        if i < len(value) and i not in place.drops:
            found.append(made[i])
    return found


def _filled(value: Any, old: Any) -> Any:
    """Return a value with ``old`` where KEPT stands."""
    if value is KEPT:
        return old
    if isinstance(value, list):
        return [_filled(item, old) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, old) for key, item in value.items()}
    return value
