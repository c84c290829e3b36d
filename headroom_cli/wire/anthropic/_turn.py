"""What a client sees of a model's turn in the Messages API, over any number of hops (see wire/__init__.py)."""

from __future__ import annotations

import json

from headroom_cli.wire._events import Event
from headroom_cli.wire._usage import summed
from headroom_cli.wire.anthropic._blocks import Shown
from headroom_cli.wire.anthropic._hop import Hop, results
from headroom_cli.wire.anthropic._usage import counts, updated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from headroom_cli.wire._events import Call, Image

# The many; with no tool of ours there is nothing in them that must be known.
_PLAIN = frozenset(("content_block_start", "content_block_delta", "content_block_stop", "ping"))


class Turn:
    """One turn. The methods and properties are those of the contract in wire/__init__.py."""

    __slots__ = (
        "_before", "_bodies", "_content", "_first", "_hidden", "_hop", "_next", "_ours", "_seen", "_shown", "_turns",
        "failure", "streaming",
    )  # fmt: skip

    def __init__(self, ours: Iterable[str] = (), *, streaming: bool) -> None:
        """``ours`` are the names of our tools."""
        self._ours = frozenset(ours)
        self.streaming = streaming
        self.failure: tuple[str, str] | None = None
        self._hop = Hop(self._ours)
        self._before: dict[str, Any] = {}  # usage of the hops before
        self._hidden: list[Any] = []  # the turns of the hops before
        self._seen: list[str] = []  # their texts
        self._turns: list[Any] = []  # the turns of this hop, once it was answered
        self._shown = Shown()
        self._next = 0  # the index of the client's next block
        self._first = True
        self._bodies: list[tuple[bytes, dict[str, Any]]] = []  # not streaming: the first answer and the newest
        self._content: list[Any] = []  # not streaming: what the client sees of the hops before

    @property
    def ended(self) -> bool:
        """Whether the hop has come to its proper end."""
        return self._hop.ended

    @property
    def stopped(self) -> bool:
        """Whether the hop has said why it ends: no block follows."""
        return bool(self._hop.stop)

    @property
    def calls(self) -> list[Call]:
        """The hop's calls of our tools, in order; none where the model was stopped in its course."""
        return self._hop.calls()

    @property
    def others(self) -> bool:
        """Whether the hop calls tools of the client as well."""
        return self._hop.others

    @property
    def whole(self) -> bool:
        """Whether the hop was kept, so that another can quote it."""
        return self._hop.whole

    @property
    def usage(self) -> dict[str, Any]:
        """Usage over all hops, as far as they have said."""
        found: dict[str, Any] = summed(self._before, self._hop.usage)
        return found

    def key(self) -> str:
        """Return what the client will show of this turn, as a digest."""
        return self._shown.digest()

    # --- streaming

    def take(self, event: Event) -> list[Event]:
        """Take an event of the provider's stream; return what the client sees now."""
        if event.data is None or (not self._ours and event.name in _PLAIN):
            return [event]
        value = event.value
        kind = str(value.get("type"))
        if kind in _PLAIN and kind != "ping":
            return self._of_block(event, value, kind)
        if kind == "message_start":
            message = value.get("message")
            self._hop.usage = updated(self._hop.usage, message.get("usage") if isinstance(message, dict) else None)
            return [event] if self._first else []
        if kind == "message_delta":
            delta = value.get("delta")
            self._hop.end(delta if isinstance(delta, dict) else {})
            self._hop.usage = updated(self._hop.usage, value.get("usage"))
            return self._hold([event if self._first else self._summed(event)])
        if kind == "message_stop":
            self._hop.ended = True
            return self._hold([event])
        if kind == "error":
            error = value.get("error")
            told = error if isinstance(error, dict) else {}
            self.failure = (str(told.get("type") or "api_error"), str(told.get("message") or ""))
        return [event]

    def _of_block(self, event: Event, value: dict[str, Any], kind: str) -> list[Event]:
        hop, index = self._hop, value.get("index")
        if not isinstance(index, int):
            return [event]
        size = len(event.data or "")
        if kind == "content_block_start":
            block = value.get("content_block")
            block = block if isinstance(block, dict) else {}
            if hop.start(index, block, size):
                return []
            hop.places[index] = hop.base + index - hop.hidden
            self._next = max(self._next, hop.places[index] + 1)
            self._shown.start(hop.places[index], block)
        elif kind == "content_block_delta":
            delta = value.get("delta")
            delta = delta if isinstance(delta, dict) else {}
            hop.add(index, delta, size)
            if index in hop.places and delta.get("type") == "text_delta":
                self._shown.text(hop.places[index], str(delta.get("text") or ""))
        elif index in hop.places:
            self._shown.stop(hop.places[index])
        if hop.is_hidden(index):
            return []
        place = hop.places.get(index, index)
        return [event] if place == index else [Event.of({**value, "index": place}, event.name)]

    def _hold(self, events: list[Event]) -> list[Event]:
        if not self._hop.calls_ours:
            return events
        self._hop.held += events
        return []

    def _summed(self, event: Event) -> Event:
        """Return a message_delta that tells the usage of all hops."""
        said = event.value.get("usage")
        usage = {**(said if isinstance(said, dict) else {}), **counts(self.usage)}
        return Event.of({**event.value, "usage": usage}, event.name)

    def finish(self, note: str) -> list[Event]:
        """Return the rest of a turn that is over: of a hop that calls our tool. One that broke off has none."""
        if not self._hop.ended or not self._hop.held:
            return []
        events = self._noted(note) if note else []
        for event in self._hop.held:
            value = event.value
            delta = value.get("delta")
            if value.get("type") == "message_delta" and isinstance(delta, dict) and "stop_reason" in delta:
                stop = self._stop(delta["stop_reason"])
                if stop != delta["stop_reason"]:
                    event = Event.of({**value, "delta": {**delta, "stop_reason": stop}}, event.name)  # noqa: PLW2901 - the rewritten one stands for it
            events.append(event)
        self._hop.held = []
        return events

    def _noted(self, note: str) -> list[Event]:
        """Return a text of ours as one more block."""
        at = self._next
        self._next += 1
        self._shown.whole(at, {"type": "text", "text": note})
        start = {"type": "content_block_start", "index": at, "content_block": {"type": "text", "text": ""}}
        delta = {"type": "content_block_delta", "index": at, "delta": {"type": "text_delta", "text": note}}
        stop = {"type": "content_block_stop", "index": at}
        return [Event.of(value, str(value["type"])) for value in (start, delta, stop)]

    def _stop(self, reason: Any) -> Any:
        """Return the stop_reason for the client: it must not look for a call that it cannot see."""
        return "end_turn" if reason == "tool_use" and not self._hop.others and self._hop.calls_ours else reason

    def error(self, kind: str, message: str) -> Event:
        """Write an error event."""
        return Event.of({"type": "error", "error": {"type": kind, "message": message}}, "error")

    # --- not streaming

    def take_body(self, data: bytes) -> None:
        """Take the whole answer of a hop."""
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            value = None
        value = value if isinstance(value, dict) else {}
        self._bodies = [*self._bodies[:1], (data, value)]
        if value.get("type") == "error":
            error = value.get("error")
            told = error if isinstance(error, dict) else {}
            self.failure = (str(told.get("type") or "api_error"), str(told.get("message") or ""))
        elif value:
            self._hop.take_body(value, len(data) if self._ours else 0)
            for block in self._visible(value):
                if isinstance(block, dict):
                    self._shown.whole(self._next, block)
                    self._next += 1

    def _visible(self, value: dict[str, Any]) -> list[Any]:
        content = value.get("content")
        blocks = content if isinstance(content, list) else []
        return [block for index, block in enumerate(blocks) if not self._hop.is_hidden(index)]

    def body(self, note: str) -> bytes:
        """Return the whole answer of a turn that is over; b"" when none came."""
        if not self._bodies:
            return b""
        data, value = self._bodies[-1]
        if self.failure or not value or (self._first and not self._hop.calls_ours):
            return data
        content = [*self._content, *self._visible(value)]
        if note and self._hop.calls_ours:
            content.append({"type": "text", "text": note})
            self._shown.whole(self._next, content[-1])
        first = self._bodies[0][1]
        made: dict[str, Any] = {
            **value,
            **{name: first[name] for name in ("id", "model") if name in first},
            "content": content,
            "stop_reason": self._stop(value.get("stop_reason")),
            "usage": self.usage,
        }
        return json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")

    # --- hops

    def turns(self, answers: Sequence[str | Image]) -> list[Any]:
        """Return the model's turn as it came and the results, for the next hop's request; [] when it was not kept."""
        if not self._hop.whole:
            return []
        self._turns = [
            {"role": "assistant", "content": self._hop.content()},
            {"role": "user", "content": results(self._hop.calls(), answers)},
        ]
        return self._turns

    def go_on(self) -> None:
        """Begin the next hop; what ``turns`` returned last is hidden from the client."""
        self._before = self.usage
        self._hidden += self._turns
        self._seen.append(self._hop.seen())
        if self._bodies:
            self._content += self._visible(self._bodies[-1][1])
        self._turns = []
        self._first = False
        self._hop = Hop(self._ours, self._next)

    def past(self, answers: Sequence[str | Image]) -> dict[str, Any] | None:
        """Return what ``restore`` needs; ``answers`` are the results of this hop's calls beside the client's own."""
        calls = self._hop.calls() if self._hop.others and self._hop.whole else []
        mixed = bool(calls) and len(answers) == len(calls)
        if not self._hidden and not mixed:
            return None
        last = self._hop.seen()
        return {
            "turns": self._hidden,
            "seen": "".join(self._seen),
            "lead": last[: len(last) - len(last.lstrip())],
            "own": self._hop.own() if mixed else [],
            "results": results(calls, answers) if mixed else [],
        }
