"""What an answer is made of on its way: events with the bytes they came in, calls of tools, and one turn of a model.

A *hop* is one request to the provider and its answer. A *turn* is what the client sees: one hop, or several when the
model asked for originals in between and got them without the client's doing.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Characters of an answer that are kept so that another hop can quote it. A longer answer is no longer kept, and a call
# in it ends the turn.
KEPT_MOST = 8_000_000


class Event:
    """One event of a stream.

    ``raw``   its bytes as they arrived, the blank line included: the events' bytes joined are the stream
    ``name``  the ``event:`` field, "" for none
    ``data``  the ``data:`` lines joined, None for a comment or another event without data
    """

    __slots__ = ("_value", "data", "name", "raw")

    def __init__(self, raw: bytes, name: str = "", data: str | None = None) -> None:
        """Hold one event as it came."""
        self.raw = raw
        self.name = name
        self.data = data
        self._value: dict[str, Any] | None = None

    @classmethod
    def of(cls, value: dict[str, Any], name: str = "") -> Event:
        """Write an event of our own."""
        data = written(value)
        head = f"event: {name}\n".encode() if name else b""
        event = cls(b"%bdata: %b\n\n" % (head, data), name, data.decode("utf-8"))
        event._value = value
        return event

    @property
    def value(self) -> dict[str, Any]:
        """The data as a JSON object, {} for anything else. Not to be modified."""
        if self._value is None:
            try:
                read = json.loads(self.data) if self.data else {}
            except (ValueError, RecursionError):
                read = {}
            self._value = read if isinstance(read, dict) else {}
        return self._value


def written(value: Any) -> bytes:
    """Return a JSON value as UTF-8, half surrogates as escapes: there is no other way to write those."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode("ascii")


class Image:
    """An answer to a call that is a picture: its media type, and its bytes in base64."""

    __slots__ = ("data", "media")

    def __init__(self, media: str, data: str) -> None:
        """Hold one picture."""
        self.media = media
        self.data = data

    @property
    def address(self) -> str:
        """The picture as an address that holds it."""
        return f"data:{self.media};base64,{self.data}"


class Call:
    """A model's call of one of our tools: id, name, and arguments (None when they are no JSON object)."""

    __slots__ = ("arguments", "identifier", "name")

    def __init__(self, identifier: str, name: str, arguments: dict[str, Any] | None) -> None:
        """Hold one call."""
        self.identifier = identifier
        self.name = name
        self.arguments = arguments
