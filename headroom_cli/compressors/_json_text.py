"""Write JSON values as the shortest JSON text: numbers as they were, no blanks, no needless escapes."""

from __future__ import annotations

import re
from json.encoder import encode_basestring as quote

from headroom_cli.compressors._json_spans import Number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["atom", "minify", "noted", "quote", "write"]

_CONSTANTS = {True: "true", False: "false", None: "null"}
_BLANKS = re.compile(r'("[^"\\]*+(?:\\.[^"\\]*+)*+")|[ \t\r\n]++')


def minify(source: str) -> str:
    """Return a JSON source without the blanks outside of its strings; every other character is the source's own."""
    return _BLANKS.sub(r"\1", source)


def atom(value: Any) -> str:
    """Return the JSON text of a string, number, true, false or null."""
    kind = type(value)
    if kind is str:
        return quote(value)
    if kind is Number:
        return str.__str__(value)
    if kind is int:
        return int.__repr__(value)
    return _CONSTANTS[value]


def noted(items: list[Any]) -> list[Any]:
    """Return the items of an array, with a note in each gap when some were cut (``_json_cut.Cut``)."""
    if type(items) is list:
        return items
    with_notes: list[Any] = items.noted()  # type: ignore[attr-defined]
    return with_notes


def write(value: Any) -> str:
    """Return the JSON text of a value of any depth. A loop, not a recursion."""
    if not isinstance(value, (dict, list)):
        return atom(value)
    out: list[str] = []
    put = out.append
    # One entry per open container: its iterator, its closing bracket.
    stack: list[tuple[Iterator[Any], str]] = []
    here: Any = value
    step: Any
    while True:
        if isinstance(here, dict):
            put("{")
            stack.append((iter(here.items()), "}"))
        elif isinstance(here, list):
            put("[")
            stack.append((iter(noted(here)), "]"))
        else:
            put(atom(here))
        while stack:
            walk, closing = stack[-1]
            step = next(walk, stack)
            if step is not stack:
                break
            stack.pop()
            put(closing)
        else:
            return "".join(out)
        if out[-1] not in ("{", "["):
            put(",")
        if closing == "}":
            put(quote(step[0]) + ":")
            here = step[1]
        else:
            here = step
