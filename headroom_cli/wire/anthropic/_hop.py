"""One request and its answer, as far as a turn has to know of it."""

from __future__ import annotations

from headroom_cli.wire._events import KEPT_MOST, Call
from headroom_cli.wire.anthropic._blocks import Block, identity, is_blank, text_in
from headroom_cli.wire.anthropic._usage import updated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from headroom_cli.wire._events import Event, Image

# With these the model was stopped: a call that stands there may be cut off, and an answer to it is not what comes next.
_STOPPED = frozenset(("max_tokens", "model_context_window_exceeded", "refusal", "pause_turn"))


class Hop:
    """What has come of one answer.

    ``usage``   of this hop so far
    ``stop``    its stop_reason, "" until it is known
    ``ended``   its message_stop has come, or the whole body
    ``others``  it calls tools of the client
    ``whole``   its blocks are all there, to be quoted in the next request
    ``held``    events that wait, because the hop calls a tool of ours
    """

    __slots__ = (
        "_blocks", "_names", "_ours", "_size", "base", "ended", "held", "others", "places", "stop", "usage", "whole",
    )  # fmt: skip

    def __init__(self, names: frozenset[str], base: int = 0) -> None:
        """``names`` are those of our tools; with none no block is kept. ``base``: the client's index of the first."""
        self._names = names
        self._blocks: dict[int, Block] = {}
        self._ours: list[int] = []
        self._size = 0
        self.base = base
        self.places: dict[int, int] = {}  # index in the hop -> index that the client sees, for blocks that it sees
        self.held: list[Event] = []
        self.usage: dict[str, Any] = {}
        self.stop = ""
        self.ended = False
        self.others = False
        self.whole = True

    @property
    def calls_ours(self) -> bool:
        """Tell whether there is a call of ours, finished or not."""
        return bool(self._ours)

    @property
    def hidden(self) -> int:
        """How many blocks so far the client does not see."""
        return len(self._ours)

    def is_hidden(self, index: object) -> bool:
        """Tell whether a block is a call of ours."""
        return index in self._ours

    def take_body(self, value: dict[str, Any], size: int) -> None:
        """Take a whole answer of ``size`` bytes."""
        content = value.get("content")
        for index, block in enumerate(content if isinstance(content, list) else ()):
            if isinstance(block, dict):
                self.start(index, block, 0)
        self.count(size)
        self.end(value)
        self.usage = updated(self.usage, value.get("usage"))
        self.ended = True

    def end(self, delta: dict[str, Any]) -> None:
        """Take the members that tell how the answer ended."""
        stop = delta.get("stop_reason")
        self.stop = stop if isinstance(stop, str) else self.stop

    def count(self, size: int) -> None:
        """Count what is kept; above KEPT_MOST nothing is."""
        self._size += size
        if self._size > KEPT_MOST:
            self.lose()

    def lose(self) -> None:
        """Keep the hop no longer."""
        self.whole = False
        self._blocks = {index: self._blocks[index] for index in self._ours if index in self._blocks}

    def start(self, index: int, block: dict[str, Any], size: int) -> bool:
        """Begin a block; return whether it is a call of ours."""
        ours = False
        if block.get("type") == "tool_use":
            ours = block.get("name") in self._names
            self.others |= not ours
        if ours and index not in self._ours:
            self._ours.append(index)
        if self._names and (self.whole or ours):
            self._blocks[index] = Block(block)
            self.count(size)
        return ours

    def add(self, index: int, delta: dict[str, Any], size: int) -> None:
        """Add a delta to a block that is kept."""
        block = self._blocks.get(index) if self.whole else None
        if block is None:
            return
        block.take(delta)
        if block.strange:
            self.lose()
        self.count(size)

    def calls(self) -> list[Call]:
        """Return the calls of ours that want an answer."""
        if self.stop in _STOPPED:
            return []
        found = []
        for index in self._ours:
            block = self._blocks[index]
            value = block.value()
            arguments = block.arguments() if self.whole else None
            found.append(Call(str(value.get("id")), str(value.get("name")), arguments))
        return found

    def content(self) -> list[dict[str, Any]]:
        """Return the blocks as they go back to the API; it refuses blank texts."""
        return [value for value in (block.value() for block in self._blocks.values()) if not is_blank(value)]

    def seen(self) -> str:
        """Return the text that the client saw, blank texts with it."""
        return "".join(text_in(block.value()) or "" for block in self._blocks.values())

    def own(self) -> list[dict[str, Any]]:
        """Return each call of ours with what the client saw between it and the one before: text, and other blocks."""
        found: list[dict[str, Any]] = []
        text = ""
        others: list[str] = []
        for index, block in self._blocks.items():
            value = block.value()
            if index in self._ours:
                found.append({"block": value, "text": text, "others": others})
                text, others = "", []
            elif text_in(value) is None:
                others.append(identity(value))
            else:
                text += str(text_in(value))
        return found


def results(calls: Sequence[Call], answers: Sequence[str | Image]) -> list[dict[str, Any]]:
    """Return the tool_result blocks of calls."""
    return [
        {"type": "tool_result", "tool_use_id": call.identifier, "content": _content(answer)}
        for call, answer in zip(calls, answers, strict=True)
    ]


def _content(answer: str | Image) -> str | list[dict[str, Any]]:
    if isinstance(answer, str):
        return answer
    return [{"type": "image", "source": {"type": "base64", "media_type": answer.media, "data": answer.data}}]
