"""How much of a prompt stays the same from one conversation to the next: what stands before its first volatile byte.

Looked at are the tools and the system prompt; what comes behind is the conversation itself, which only grows.
"""

from __future__ import annotations

from headroom_cli.census import place
from headroom_cli.census.parts import MARKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from headroom_cli.census import Meter
    from headroom_cli.census.place import Step
    from headroom_cli.census.wire import Prompt

_AROUND = 32  # characters of the excerpt on each side
_ASIDE = ("type", "name", "description")


class Volatile:
    """The first volatile value of a prompt.

    ``tokens``  before it, in wire order
    ``path``    of the string that it is in
    ``line``, ``column``  of its first byte, counted from 1
    """

    __slots__ = ("after", "before", "column", "kind", "line", "path", "text", "tokens")

    def __init__(self, kind: str, tokens: int, path: str) -> None:
        """Leave the place to be found."""
        self.kind = kind
        self.tokens = tokens
        self.path = path
        self.line = self.column = 0
        self.before = self.text = self.after = ""


def first_volatile(prompt: Prompt, sizes: list[int], meter: Meter) -> Volatile | None:
    """Return the first volatile value of the tools and the system prompt, None when there is none."""
    from headroom_cli.align import find

    tokens = 0
    for part, size in zip(prompt.parts, sizes, strict=True):
        if part.region not in ("tools", "system"):
            tokens += size
            continue
        inside = 0
        for steps, text in _strings(part.value):
            values = find(text)
            if not values:
                inside += meter(text)
                continue
            value = min(values, key=lambda value: value.start)
            inside = min(inside + (meter(text[: value.start]) if value.start else 0), size)
            path = ".".join(filter(None, (part.path, *map(str, steps))))
            found = Volatile(str(value.kind), tokens + inside, path)
            start = place.locate(prompt.text, part.start, steps)
            at = start + value.start if prompt.format == "raw" else place.inside(prompt.text, start, value.start)
            found.line, found.column = place.line_and_column(prompt.text, at, prompt.first_line)
            found.before = text[max(0, value.start - _AROUND) : value.start]
            found.text = text[value.start : value.end]
            found.after = text[value.end : value.end + _AROUND]
            return found
        tokens += size
    return None


def _strings(value: Any) -> Iterator[tuple[list[Step], str]]:
    """Yield the strings of a value in the order in which they are rendered, with the steps that lead to them."""
    waiting: list[tuple[list[Step], Any]] = [([], value)]
    while waiting:
        steps, inner = waiting.pop()
        if isinstance(inner, str):
            yield steps, inner
        elif isinstance(inner, dict):
            keys = [key for key in dict.fromkeys((*_ASIDE, *inner)) if key in inner and key not in MARKS]
            waiting += [([*steps, key], inner[key]) for key in reversed(keys)]
        elif isinstance(inner, list):
            waiting += [([*steps, i], item) for i, item in reversed(list(enumerate(inner)))]
