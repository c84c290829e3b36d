"""Write JSON values as the shortest JSON text: numbers as they were, no blanks, no needless escapes."""

from __future__ import annotations

from json.encoder import encode_basestring as quote

from headroom_cli.compressors.records.spans import Number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["atom", "minify", "noted", "quote", "write"]

_CONSTANTS = {True: "true", False: "false", None: "null"}


def minify(source: str) -> str:
    """Return a JSON source without the blanks outside of its strings; every other character is the source's own."""
    # Control characters cannot stand in JSON, so three of them can stand for escapes and for cuts. All of it runs at C
    # speed: a regex with a replacement per string takes 0.1 s per MB.
    escaped = "\\" in source
    if escaped:
        source = source.replace("\\\\", "\x01").replace('\\"', "\x02")
    pieces = source.split('"')
    outside = "\0".join(pieces[::2])
    for blank in "\n\r\t ":
        outside = outside.replace(blank, "")
    pieces[::2] = outside.split("\0")
    source = '"'.join(pieces)
    return source.replace("\x02", '\\"').replace("\x01", "\\\\") if escaped else source


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
    """Return the items of an array, with a note in each gap when some were cut (``cuts.Cut``)."""
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
            stack.append((iter((here if type(here) is dict else here.noted()).items()), "}"))  # type: ignore[attr-defined]
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
