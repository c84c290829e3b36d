"""A model's turn over any number of hops, as the client sees it."""

from __future__ import annotations

import json

from headroom_cli.wire._events import Event
from headroom_cli.wire._usage import summed
from headroom_cli.wire.responses._hop import Hop
from headroom_cli.wire.responses._items import digest, held_by_calls, held_by_id, key_of, sign
from headroom_cli.wire.responses._message import BEGINS, ENDS, type_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any

    from headroom_cli.wire._events import Call, Image

    Item = dict[str, Any]


class Turn:
    """One turn.

    The last hop's id is the one that a later request has to name when the provider keeps the history, so the final
    object carries it. With ``store`` false nobody can name it, and then the first hop's id stays: the official SDK's
    stream helper (openai 3.52) refuses an id that differs from that of ``response.created``. With ``same_id`` it stays
    in any case; ``restore`` then names the last hop for the client, which needs the past under the names of ``held``.
    """

    __slots__ = (
        "_data", "_first", "_held", "_hop", "_known", "_later", "_latest", "_next", "_note", "_ours", "_results",
        "_run", "_same_id", "_seen", "_served", "_shown", "_tools", "calls", "ended", "failure", "others", "usage",
    )  # fmt: skip

    def __init__(
        self, ours: Collection[str], *, streaming: bool = True, served: bool = False, same_id: bool = False
    ) -> None:
        """Begin; ``served``: the provider keeps the items (``conversation``), so another hop sends results alone."""
        del streaming  # the first call tells
        self._ours = frozenset(ours)
        self._served = served
        self._same_id = same_id
        self._first = self._shown = ""  # the first hop's id, and the one that the client ends with
        self._later = False  # this is not the first hop
        self._latest: Event | None = None  # the event before, where none is looked at
        self._next = 0  # the next sequence_number
        self._note: Item | None = None
        self._seen: list[Any] = []  # items of earlier hops that the client saw
        self._known: list[list[str]] = []  # the signs of those
        self._run: list[list[Any]] = []  # what ``past`` tells of earlier hops
        self._tools: Item = {}  # ``tool_usage`` over all hops
        self.usage: Item = {}
        self._begin(Hop(self._ours, 0, 0))

    def _begin(self, hop: Hop) -> None:
        self._hop = hop
        self._held: list[Event] = []
        self._results: list[str | Image] = []
        self._data = b""
        self.ended = False
        self.others = False
        self.failure: tuple[str, str] | None = None
        self.calls: list[Call] = []

    @property
    def stopped(self) -> bool:
        """Tell whether the hop has said why it ends: that is its last event."""
        return self.ended

    @property
    def whole(self) -> bool:
        """Tell whether the hop is kept, so that another one can follow."""
        return self._hop.whole

    # --- streaming

    def take(self, event: Event) -> list[Event]:
        """Return what the client sees of an event now."""
        if event.data is None:
            return [event]
        if not self._ours:
            self._latest = event
            if event.name and event.name != "error" and event.name not in ENDS:
                return [event]
        value = event.value
        kind = type_of(event)
        if self._held:  # what comes behind a held end stays behind it
            self._held.append(event)
            return []
        if kind == "error":
            self.failure = _failure(value)
        elif kind in ENDS:
            self._close(kind.removeprefix("response."), value.get("response"), len(event.data))
        if not self._ours:
            return [event]
        if self._hop.delta is None and _is_index(value.get("sequence_number")):
            self._hop.delta = self._next - int(value["sequence_number"])
        if kind in ENDS:
            return self._end(event)
        if kind in BEGINS:
            self._first = self._first or _id_of(value.get("response"))
            return self._swallowed(event) if self._later else [self._passed(event)]
        return self._of_item(event, kind)

    def _of_item(self, event: Event, kind: str) -> list[Event]:
        """Sort an event of an item, or of none."""
        value, hop = event.value, self._hop
        index: Any = value.get("output_index")
        if not _is_index(index):
            name = value.get("item_id")
            hidden = isinstance(name, str) and name in hop.ids
            return self._swallowed(event) if hidden else [self._passed(event)]
        hidden = hop.hides(index, value.get("item"))
        if kind == "response.output_item.done":
            hop.keep(index, value.get("item"), len(event.data or ""))
        return self._swallowed(event) if hidden else [self._passed(event, index)]

    def _number(self, event: Event, more: int = 0) -> Item:
        """Return the member with the event's number as the client sees it, {} when it has none."""
        number: Any = event.value.get("sequence_number")
        if not _is_index(number):
            return {}
        seen = int(number) + (self._hop.delta or 0) + more
        self._next = seen + 1
        return {"sequence_number": seen}

    def _swallowed(self, event: Event) -> list[Event]:
        if self._hop.delta is not None and _is_index(event.value.get("sequence_number")):
            self._hop.delta -= 1
        return []

    def _passed(self, event: Event, index: int | None = None, more: int = 0) -> Event:
        """Return an event as it came, or with its numbers changed."""
        changed = self._number(event, more)
        if index is not None:
            changed["output_index"] = self._hop.place(index)
        response: Any = event.value.get("response")
        if self._repeats_ours(response):
            changed["response"] = self._without_ours(response)
        if all(event.value[name] == new for name, new in changed.items()):
            return event
        return Event.of({**event.value, **changed}, event.name)

    def _end(self, event: Event, more: int = 0) -> list[Event]:
        """Hold the end of a hop that calls us; pass it otherwise."""
        if self.calls and not self._held:
            self._held.append(event)
            return []
        if not (self._later or self._hop.hidden) or not isinstance(event.value.get("response"), dict):
            return [self._passed(event, more=more)]
        same = self._same_id or self._hop.response.get("store") is False or type_of(event) not in _GOOD
        final = self._final(same=same)
        return [Event.of({**event.value, **self._number(event, more), "response": final}, event.name)]

    def finish(self, note: str = "") -> list[Event]:
        """Return what was held back of the end, behind the note."""
        if not self._held:
            return []
        end, *rest = self._held
        noted = self._add(note)
        made = self._noted(noted, end) if noted else []
        made += self._end(end, len(made))
        made += [self._passed(event, more=len(made) - 1) for event in rest]
        self._held = []
        return made

    def _noted(self, item: Item, end: Event) -> list[Event]:
        """Return the events that tell of the note, numbered from the held end's number on if that has one."""
        place: Item = {"item_id": item["id"], "output_index": self._hop.end, "content_index": 0}
        part = item["content"][0]
        begun: Item = {**item, "status": "in_progress", "content": []}
        values: tuple[tuple[str, Item], ...] = (
            ("response.output_item.added", {"output_index": self._hop.end, "item": begun}),
            ("response.content_part.added", {**place, "part": {**part, "text": ""}}),
            ("response.output_text.delta", {**place, "delta": part["text"], "logprobs": []}),
            ("response.output_text.done", {**place, "text": part["text"], "logprobs": []}),
            ("response.content_part.done", {**place, "part": part}),
            ("response.output_item.done", {"output_index": self._hop.end, "item": item}),
        )
        return [
            Event.of({"type": kind, **self._number(end, number), **value}, kind)
            for number, (kind, value) in enumerate(values)
        ]

    def error(self, kind: str, message: str) -> Event:
        """Return an error event."""
        if self._latest is not None:
            self._number(self._latest)
        value = {"type": "error", "code": kind, "message": message, "param": None, "sequence_number": self._next}
        return Event.of(value, "error")

    # --- not streaming

    def take_body(self, data: bytes) -> None:
        """Take a hop's whole answer; one that is no JSON object has not come to its end."""
        self._data = data
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict):
            self._close(value.get("status"), value, len(data))
            if isinstance(value.get("error"), dict):
                self.failure = _failure(value)

    def body(self, note: str = "") -> bytes:
        """Return the whole answer."""
        self._add(note)
        if not (self._later or self._hop.hidden or self._note or self._repeats_ours(self._hop.response)):
            return self._data
        made = json.dumps(self._final(same=False), ensure_ascii=False, separators=(",", ":"))
        return made.encode("utf-8", "surrogatepass")

    # --- the end of a hop, and of the turn

    def _close(self, status: Any, response: Any, size: int) -> None:
        """Take the object that ends a hop. One that was cut off calls nothing: the arguments may be half."""
        self.ended = True
        if not isinstance(response, dict):
            return
        self._shown = _id_of(response)
        self._first = self._first or self._shown
        self.usage = summed(self.usage, response.get("usage"))
        self._tools = summed(self._tools, response.get("tool_usage"))
        self._hop.close(response, size)
        if status == "failed":
            self.failure = _failure(response)
        elif status == "completed":
            self.calls = self._hop.calls()
            self.others = bool(self._hop.waiting)

    def _repeats_ours(self, response: Any) -> bool:
        """Tell whether a response repeats the request's tools with ours among them, which the client never sent."""
        tools = response.get("tools") if isinstance(response, dict) and self._ours else None
        return isinstance(tools, list) and any(self._is_ours(tool) for tool in tools)

    def _without_ours(self, response: Item) -> Item:
        if not self._repeats_ours(response):
            return response
        return {**response, "tools": [tool for tool in response["tools"] if not self._is_ours(tool)]}

    def _is_ours(self, tool: Any) -> bool:
        return isinstance(tool, dict) and tool.get("name") in self._ours

    def _add(self, note: str) -> Item | None:
        """Make the note an item."""
        if note:
            part = {"type": "output_text", "text": note, "annotations": [], "logprobs": []}
            name = f"msg_{digest([self._first, note])[:48]}"
            self._note = {"id": name, "type": "message", "status": "completed", "role": "assistant", "content": [part]}
        return self._note

    def _final(self, *, same: bool) -> Item:
        """Return the last hop's object with the items and the usage of all hops."""
        final = {**self._without_ours(self._hop.response), "output": [*self._seen, *self._hop.visible()]}
        if self._note:
            final["output"].append(self._note)
            final["status"] = "completed"
        if same and self._first:
            self._shown = final["id"] = self._first
        if self.usage:
            final["usage"] = self.usage
        if self._tools:
            final["tool_usage"] = self._tools
        return final

    def turns(self, answers: Sequence[str | Image]) -> list[Any]:
        """Return the items that the next request has besides: the hop's, and the results."""
        self._results = list(answers)
        return [*([] if self._served else self._hop.turn()), *self._hop.outputs(self._results)]

    def go_on(self) -> None:
        """Begin the next hop."""
        hop = self._hop
        self._run += hop.entries(self._results)
        self._seen += hop.visible()
        self._known += [hop.signs[index] for index in sorted(hop.signs)]
        self._later = True
        self._begin(Hop(self._ours, hop.end, None))

    # --- for later requests

    def past(self, answers: Sequence[str | Image] = ()) -> Item | None:
        """Return {"run": the turn's entries, "open": results that the provider still waits for, "id": the last hop's}.

        Give ``answers`` also for a turn that a note ended: a provider that keeps the history refuses to go on without.
        """
        results = list(answers)
        run = self._run + self._hop.entries(results)
        if not any(what == "put" for what, _ in run):
            return None
        if self._note:
            run.append(["seen", sign(self._note)])
        return {"run": run, "open": self._hop.outputs(results), "id": _id_of(self._hop.response)}

    def key(self) -> str:
        """Return the digest of the texts and calls that the client saw. Ask when the turn is over."""
        hop = self._hop
        note = [sign(self._note)] if self._note else []
        return key_of([*self._known, *(hop.signs[index] for index in sorted(hop.signs)), *note])

    def held(self) -> tuple[str, ...]:
        """Return the names to keep the past under besides, as they are, for history that the provider keeps.

        Such a request shows of this turn its id alone, or with ``conversation`` no more than the results of its calls.
        """
        names = (held_by_id(self._shown),) if self._shown else ()
        return (*names, held_by_calls(self._hop.waiting)) if self.others else names


_GOOD = ("response.completed", "response.incomplete")


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _id_of(response: Any) -> str:
    found = response.get("id") if isinstance(response, dict) else None
    return found if isinstance(found, str) else ""


def _failure(value: Item) -> tuple[str, str]:
    """Return (code, message) of an error event, or of an object with ``error``."""
    found = value["error"] if isinstance(value.get("error"), dict) else value
    return str(found.get("code") or found.get("type") or "error"), str(found.get("message") or "")
