"""Where two values first differ, and where that is in the bytes of their files."""

from __future__ import annotations

import json
from json.decoder import scanstring  # type: ignore[attr-defined]

from headroom_cli.census.parts import MARKS, elements, normal
from headroom_cli.formats._tree import scan_once, skip_space
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Step = str | int

_ESCAPE = pattern(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)")
# What comes first where a provider writes an object anew, as far as one can know: not sorted, but by sense.
_FIRST = ("type", "role", "name", "description", "text")


class Difference:
    """The first difference of two values.

    ``steps``   keys and indexes that lead to it in each of the two
    ``offset``  characters of the two strings there that are equal, -1 when they are not both strings
    ``order``   nothing differs but the order of the keys of an object
    """

    __slots__ = ("offset", "order", "steps")

    def __init__(self, steps: tuple[list[Step], list[Step]], offset: int = -1, *, order: bool = False) -> None:
        """Hold one."""
        self.steps = steps
        self.offset = offset
        self.order = order


def difference(one: Any, other: Any) -> Difference:
    """Return the first difference of two JSON values that are rendered differently."""
    steps: tuple[list[Step], list[Step]] = ([], [])
    while True:
        if isinstance(one, str) and isinstance(other, str):
            return Difference(steps, shared(one, other))
        one, other = _opened(one, other, steps[0]), _opened(other, one, steps[1])
        step: Step | None
        if isinstance(one, dict) and isinstance(other, dict):
            step = next((key for key in _keys(one, other) if not _same(key, one, other)), None)
            if step is None:
                return Difference(steps, order=True)
        elif isinstance(one, list) and isinstance(other, list):
            both = min(len(one), len(other))
            step = next((i for i in range(both) if _text(one[i]) != _text(other[i])), both)
        else:
            return Difference(steps)
        steps[0].append(step)
        steps[1].append(step)
        if not (_has(one, step) and _has(other, step)):
            return Difference(steps)
        one, other = one[step], other[step]


def _opened(value: Any, other: Any, steps: list[Step]) -> Any:
    """Return a block of text as its text when it stands beside a plain string, which is short for one."""
    if isinstance(other, str):
        alone = isinstance(value, list) and len(value) == 1
        block = value[0] if alone else value
        if isinstance(block, dict) and isinstance(block.get("text"), str):
            steps += [0, "text"] if alone else ["text"]
            return block["text"]
    return value


def _keys(one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    names = [*(key for key in _FIRST if key in one or key in other), *one, *other]
    return (key for key in dict.fromkeys(names) if key not in MARKS)


def child(value: Any, step: Step) -> Any:
    """Return what a step leads to, None where it leads nowhere."""
    if isinstance(value, dict):
        return value.get(step)
    return value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else None


def _has(value: Any, step: Any) -> bool:
    return step in value if isinstance(value, dict) else step < len(value)


def _same(key: str, one: dict[str, Any], other: dict[str, Any]) -> bool:
    if key not in one or key not in other:
        return False
    if key in ("content", "output"):
        return _text(normal(one[key])) == _text(normal(other[key]))
    return _text(one[key]) == _text(other[key])


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)  # tells 1 from 1.0 and from true, and takes NaN for equal to NaN


def shared(one: str, other: str) -> int:
    """Return how many characters two strings begin with in common."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one.startswith(other[low:middle], low) else (low, middle - 1)
    return low


def locate(text: str, at: int, steps: list[Step]) -> int:
    """Return where the value is written that ``steps`` lead to from the value at ``at``.

    Where a step leads nowhere, that is the end of the last container on the way.
    """
    for step in steps:
        found, opening = -1, text[at]
        if opening == "[" and isinstance(step, int):
            found = next((start for i, (_, start) in enumerate(elements(text, at)) if i == step), -1)
        elif opening == "{":
            for key, start in members(text, at):  # of a key that is there twice, the last one counts
                found = start if key == step else found
        if found < 0:
            return scan_once(text, at)[1] - 1 if opening in "[{" else at
        at = found
    return at


def members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """Yield each key of the object at ``at`` and where its value starts."""
    at = skip_space(text, at + 1)
    while text[at : at + 1] == '"':
        key, at = scanstring(text, at + 1, True)  # noqa: FBT003 - positional in the C function
        at = skip_space(text, skip_space(text, at) + 1)
        yield key, at
        at = skip_space(text, scan_once(text, at)[1])
        if text[at : at + 1] == ",":
            at = skip_space(text, at + 1)


def inside(text: str, at: int, offset: int) -> int:
    """Return where character ``offset`` of the string is written whose literal starts at ``at``."""
    at += 1
    decoded = 0  # characters before ``at``
    for escape in _ESCAPE.finditer(text, at):
        if decoded + escape.start() - at >= offset:
            break
        decoded += escape.start() - at + 1
        at = escape.end()
    return at + offset - decoded


def line_and_column(text: str, at: int, first_line: int = 1) -> tuple[int, int]:
    """Return the line and column of a character, both counted from 1."""
    return first_line + text.count("\n", 0, at), at - text.rfind("\n", 0, at)
