"""The final object of a stream, and the text that a person reads."""

from __future__ import annotations

from headroom_cli.wire.openai import _chunk
from headroom_cli.wire.openai._gather import Gathered, joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.wire._events import Event

_MADE = ("choices", "object", "obfuscation")  # of the stream alone, or put together here
_FIRST = ("id", "created", "model")


class _Choice:
    """One choice of an answer."""

    __slots__ = ("logprobs", "members", "message")

    def __init__(self) -> None:
        self.message = Gathered()
        self.logprobs: list[Any] = []
        self.members: dict[str, Any] = {"finish_reason": None}

    def take(self, choice: dict[str, Any]) -> None:
        delta = _chunk.part(choice)
        self.message.take(delta)
        self.message.called(delta)
        if choice.get("logprobs") is not None:
            self.logprobs.append(choice["logprobs"])
        for key, value in choice.items():
            if key not in ("index", "delta", "logprobs") and (value is not None or key not in self.members):
                self.members[key] = value

    def value(self, index: int) -> dict[str, Any]:
        message = {"role": "assistant", "content": None, **self.message.value()}
        return {"index": index, "message": message, "logprobs": joined("logprobs", self.logprobs), **self.members}


class Message:
    """Puts a ``chat.completion`` object together from the events of a stream."""

    __slots__ = ("_choices", "_members")

    def __init__(self) -> None:
        """Begin with nothing."""
        self._members: dict[str, Any] = {}
        self._choices: dict[int, _Choice] = {}

    def take(self, event: Event) -> None:
        """Take the next event. Of id, time and model the first that is not empty counts: Azure begins with empty."""
        value = event.value
        for key, item in value.items():
            settled = key in _MADE or (key in _FIRST and self._members.get(key))
            if not settled and (item is not None or key not in self._members):
                self._members[key] = item
        for index, choice in _chunk.choices(value):
            self._choices.setdefault(index, _Choice()).take(choice)

    def value(self) -> dict[str, Any]:
        """Return the object so far."""
        named = {key: self._members[key] for key in _FIRST if key in self._members}
        listed = [self._choices[index].value(index) for index in sorted(self._choices)]
        return {**named, "object": "chat.completion", "choices": listed, **self._members}


def text_of(event: Event) -> str:
    """Return the text that an event adds to the first choice."""
    return _chunk.text_in(_chunk.part(_chunk.first(event.value)).get("content"))


def text_of_body(value: dict[str, Any]) -> str:
    """Return the text of a whole answer's first choice."""
    return _chunk.text_in(_chunk.part(_chunk.first(value), "message").get("content"))
