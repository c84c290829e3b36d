"""What a client sees of a turn, over any number of hops."""

from __future__ import annotations

import json

from headroom_cli.harness import ORIGINAL
from headroom_cli.wire._usage import summed
from headroom_cli.wire.openai import _chunk
from headroom_cli.wire.openai._hop import Hop
from headroom_cli.wire.openai._past import Digest, field_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from headroom_cli.wire._events import Call, Event, Image
    from headroom_cli.wire.openai._gather import Called

    Whose = list[Called | None]  # the call that each piece of a chunk's tool_calls is of

_NOT_HEAD = ("choices", "obfuscation", "usage")
_LONGEST_WAIT = 1000  # events held back until a call's name comes: it comes in the first or second piece
# What stands in a tool's message, which holds texts alone, for an original that is a picture.
_NEXT = "This original is a picture: it stands in the next message."
_NOT_HERE = "This original is a picture, which cannot be given beside the results of other calls. Ask for it alone."
_SAME = ("id", "created")  # what the first hop says of the answer as a whole


def error(kind: str, message: str) -> Event:
    """Return the event that says that a stream broke off."""
    return _chunk.written({"error": {"message": message, "type": kind, "param": None, "code": None}})


def _shown_beside(answers: Iterable[str | Image]) -> list[dict[str, Any]]:
    """Return the message that shows pictures that were asked for, [] when there are none."""
    parts: list[dict[str, Any]] = []
    for answer in answers:
        if not isinstance(answer, str):
            parts.append({"type": "text", "text": ORIGINAL})
            parts.append({"type": "image_url", "image_url": {"url": answer.address, "detail": "high"}})
    return [{"role": "user", "content": parts}] if parts else []


class Turn:
    """See headroom_cli.wire. With several choices (``n``) nothing of ours is served: calls of our tools pass as well.

    ``ended`` is True from finish_reason on, because some providers leave it at that; usage and ``[DONE]`` may follow,
    and ``done`` tells that nothing does.
    """

    __slots__ = (
        "_before", "_digest", "_earlier", "_first", "_held", "_hidden", "_hop", "_number", "_offset", "_ours", "_plain",
        "_raw", "_role", "_streaming", "_turned", "_value", "_waiting", "_whose", "_withheld",
    )  # fmt: skip

    def __init__(self, ours: Iterable[str] = (), *, streaming: bool = True) -> None:
        """``ours`` are the names of our tools; with none everything passes as it came."""
        self._ours = frozenset(ours)
        self._plain = not self._ours
        self._streaming = streaming
        self._hop = Hop(self._ours)
        self._number = 0  # of this hop, from 0
        self._first: dict[str, Any] = {}
        self._role = False  # the client knows whose turn it is
        self._digest = Digest()
        self._before: dict[str, Any] = {}  # usage of earlier hops
        self._offset = 0  # of indices among reasoning_details
        self._earlier: list[tuple[str, dict[str, Any]]] = []  # text and fields of earlier hops, as the client sees them
        self._hidden: list[dict[str, Any]] = []  # messages of earlier hops
        self._turned: list[dict[str, Any]] = []
        self._waiting: list[tuple[Event, Whose]] = []  # until a call's name comes
        self._withheld: list[tuple[dict[str, Any], list[Called]]] = []  # pieces of our calls
        self._held: list[tuple[Event, dict[str, Any]]] = []  # the end of a hop with a call of ours
        self._raw = b""
        self._whose: Whose = []
        self._value: dict[str, Any] = {}

    # --- what came

    @property
    def ended(self) -> bool:
        """Tell whether the hop has come to its proper end."""
        return self._hop.ended

    @property
    def stopped(self) -> bool:
        """Tell whether the hop has said why it ends: no text and no call follows."""
        return self._hop.ended

    @property
    def done(self) -> bool:
        """Tell whether nothing follows in this hop."""
        return self._hop.done

    @property
    def failure(self) -> tuple[str, str] | None:
        """Return (type, message) of an error inside the answer."""
        return self._hop.failure

    @property
    def calls(self) -> list[Call]:
        """Return the hop's calls of our tools."""
        return self._hop.served()

    @property
    def others(self) -> bool:
        """Tell whether the hop calls tools of the client as well."""
        return self._hop.others

    @property
    def whole(self) -> bool:
        """Tell whether the hop could be kept."""
        return self._hop.whole

    @property
    def usage(self) -> dict[str, Any]:
        """Return usage over all hops."""
        found: dict[str, Any] = summed(self._before, self._hop.usage)
        return found

    error = staticmethod(error)

    # --- a stream

    def take(self, event: Event) -> list[Event]:
        """Take an event; return what the client sees now."""
        hop = self._hop
        if event.data is not None and event.data.strip() == _chunk.DONE:
            hop.done = True
            hop.decide(last=True)
        value = event.value
        called = hop.note(value) if value else []
        if value:
            self._digest.add(_chunk.text_in(_chunk.part(_chunk.first(value)).get("content")))
            if self._number == 0:
                self._first.update({key: value[key] for key in _SAME if value.get(key) and key not in self._first})
        if self._plain:
            return [event]
        self._waiting.append((event, called))
        if hop.several and self._number == 0:
            return self._given_back()
        if hop.unsure and len(self._waiting) < _LONGEST_WAIT:
            return []
        hop.decide(last=True)
        return self._flushed()

    def _flushed(self) -> list[Event]:
        """Show what waited for the name of a call."""
        waiting, self._waiting = self._waiting, []
        return [seen for event, called in waiting for seen in self._shown(event, called)]

    def _given_back(self) -> list[Event]:
        """Show everything that was held back, and all that follows: there are several choices."""
        self._plain = True
        self._hop.mine = False
        calls = self._hop.calls
        top = max((call.shown for call in calls if call.shown is not None), default=-1)
        for call in calls:
            if call.mine:
                call.mine = False
                top += 1
                call.shown = top
        seen = []
        for value, called in self._withheld:
            delta = self._delta(_chunk.part(_chunk.first(value)), called)
            seen.append(_chunk.written(_chunk.with_first(value, delta=delta)))
        seen += [event for event, _ in self._held]
        seen += [event for event, _ in self._waiting]
        self._withheld, self._held, self._waiting = [], [], []
        return seen

    def _shown(self, event: Event, called: Whose) -> list[Event]:
        """Return what the client sees of an event: the event itself unless something in it must not be seen."""
        value = event.value
        if not value:
            if self._hop.mine and self._hop.done and event.data is not None:
                self._held.append((event, value))
                return []
            return [event]
        if _chunk.failure_of(value):
            return [event]
        made = self._made(value, called)
        if made is None:
            return []
        now: dict[str, Any] | None = made
        if self._hop.mine and self._is_end(made):
            now, end = _chunk.parted(made)
            self._held.append((event, end))
        if now is None:
            return []
        self._role = self._role or "role" in _chunk.part(_chunk.first(now))
        return [event if now is value else _chunk.written(now, event.name)]

    def _made(self, value: dict[str, Any], called: Whose) -> dict[str, Any] | None:
        """Return a chunk without our calls and as one of the first hop's answer; None when nothing is left of it."""
        changes: dict[str, Any] = {}
        counted = isinstance(value.get("usage"), dict)
        if self._number:
            for key in _SAME:
                if value.get(key) and value[key] != self._first.get(key, value[key]):
                    changes[key] = self._first[key]
            if counted:
                changes["usage"] = summed(self._before, value["usage"])
        choice = _chunk.first(value)
        delta = _chunk.part(choice)
        new = self._delta(delta, called)
        if choice is not None and new is not delta:
            news = "role" in new and not self._role
            if not (_chunk.adds(new) or news or counted or choice.get("finish_reason") or choice.get("logprobs")):
                return None
            changes["choices"] = _chunk.with_first(value, delta=new)["choices"]
        return {**value, **changes} if changes else value

    def _delta(self, delta: dict[str, Any], called: Sequence[Called | None]) -> dict[str, Any]:
        """Return a delta without our calls, the others numbered without a gap; itself when nothing changes."""
        new = delta
        if called:
            kept, taken = [], []
            for piece, call in zip(delta["tool_calls"], called, strict=True):
                if call is None or not call.mine:
                    kept.append(self._numbered(piece, call))
                else:
                    taken.append(piece)
            if taken:
                self._withhold(taken, [call for call in called if call is not None and call.mine])
            if taken or any(one is not other for one, other in zip(kept, delta["tool_calls"], strict=True)):
                new = {key: value for key, value in delta.items() if key != "tool_calls"}
                if kept:
                    new["tool_calls"] = kept
        if self._number and self._role and "role" in new:  # accumulators join texts, so it must not come twice
            new = {key: value for key, value in new.items() if key != "role"}
        if self._offset and isinstance(new.get("reasoning_details"), list):
            new = {**new, "reasoning_details": _chunk.shifted(new["reasoning_details"], self._offset)}
        return new

    def _numbered(self, piece: Any, call: Called | None) -> Any:
        """Return a piece of the client's call with the index that it has without ours."""
        if call is None or call.index is None:
            return piece
        if call.shown is None:
            hidden = {other.index for other in self._hop.calls if other.mine and other.index is not None}
            call.shown = call.index - sum(index < call.index for index in hidden)
        return piece if call.shown == piece["index"] else {**piece, "index": call.shown}

    def _withhold(self, pieces: list[Any], called: list[Called]) -> None:
        """Remember pieces of our calls for as long as it may turn out that there are several choices."""
        if self._number == 0 and self._hop.whole:
            choice = {"index": 0, "delta": {"tool_calls": pieces}, "finish_reason": None}
            head = {"object": "chat.completion.chunk", **self._first}
            self._withheld.append(({**head, "choices": [choice]}, called))

    def _is_end(self, value: dict[str, Any]) -> bool:
        choice = _chunk.first(value)
        reason = choice is not None and bool(choice.get("finish_reason"))
        return reason or bool(self._held) or (isinstance(value.get("usage"), dict) and not value.get("choices"))

    def finish(self, note: str = "") -> list[Event]:
        """End the turn; return what was held back of the end, with ``note`` as text of the model before it."""
        self._hop.decide(last=True)
        seen = self._flushed()
        held, self._held = self._held, []
        ends = [value for _, value in held if value]
        if note and self._hop.mine:
            self._digest.add(note)
            chosen = {"index": 0, "delta": {"content": note}, "finish_reason": None}
            head = {key: value for key, value in (ends or [self._first])[0].items() if key not in _NOT_HEAD}
            seen.append(_chunk.written({"object": "chat.completion.chunk", **head, "choices": [chosen]}))
        for event, value in held:
            made = self._closed(value, note) if value else value
            seen.append(event if made is event.value else _chunk.written(made, event.name))
        return seen

    def _closed(self, value: dict[str, Any], note: str) -> dict[str, Any]:
        """Return a chunk or an answer that ends the turn: with no call of the client's in it, it ends as plain text."""
        choice = _chunk.first(value)
        reason = choice.get("finish_reason") if choice is not None else None
        if not reason or self.others or reason == "stop" or not (note or reason in _chunk.CALLING):
            return value
        return _chunk.with_first(value, finish_reason="stop")

    # --- a whole answer

    def take_body(self, data: bytes) -> None:
        """Take the whole answer of a hop."""
        self._raw = data
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            value = None
        self._value = value if isinstance(value, dict) else {}
        hop = self._hop
        self._whose = hop.note(self._value, "message")
        hop.done = isinstance(value, dict)
        hop.decide(last=True)
        self._digest.add(_chunk.text_in(self._message().get("content")))
        if self._number == 0:
            self._first = {key: self._value[key] for key in _SAME if self._value.get(key)}
            if hop.several:
                self._given_back()

    def _message(self) -> dict[str, Any]:
        return _chunk.part(_chunk.first(self._value), "message")

    def body(self, note: str = "") -> bytes:
        """End the turn; return the whole answer, in the bytes that came when nothing was hidden."""
        value = self._value
        choice = _chunk.first(value)
        if self._plain or choice is None or not (self._number or self._hop.mine):
            return self._raw
        if note:
            self._digest.add(note)
        made = _chunk.with_first(self._closed(value, note), message=self._merged(note))
        if self._number:
            made |= self._first
        if self.usage:
            made["usage"] = self.usage
        return _chunk.encoded(made).encode()

    def _merged(self, note: str) -> dict[str, Any]:
        """Return the message of all hops, without our calls."""
        message = dict(self._message())
        texts = [text for text, _ in self._earlier]
        content = message.get("content")
        if isinstance(content, list):
            front, behind = ([{"type": "text", "text": text}] if text else [] for text in ("".join(texts), note))
            message["content"] = front + content + behind
        else:
            message["content"] = "".join((*texts, _chunk.text_in(content), note)) or content
        if isinstance(message.get("tool_calls"), list):
            pairs = zip(message["tool_calls"], self._whose, strict=True)
            kept = [item for item, call in pairs if call is None or not call.mine]
            message["tool_calls"] = kept
            if not kept:
                del message["tool_calls"]
        return message | self._shown_fields()

    # --- hops

    def turns(self, answers: list[str | Image]) -> list[dict[str, Any]]:
        """Return the model's turn and the answers to our calls in it, as messages. ``answers`` in the calls' order."""
        self._turned = [self._hop.message(), *self._answered(answers), *_shown_beside(answers)]
        return self._turned

    def _answered(self, answers: list[str | Image], picture: str = _NEXT) -> list[dict[str, Any]]:
        """Return the messages of the tool; a picture cannot stand in one, so ``picture`` says where it is."""
        pairs = zip(self.calls, answers, strict=True)
        return [
            {"role": "tool", "tool_call_id": call.identifier, "content": answer if isinstance(answer, str) else picture}
            for call, answer in pairs
        ]

    def go_on(self) -> None:
        """Begin the next hop: of the end of this one the client sees nothing."""
        hop = self._hop
        self._hidden += self._turned
        self._earlier.append((hop.text(), self._own_fields()))
        self._before = self.usage
        self._offset += hop.top + 1
        self._number += 1
        self._hop = Hop(self._ours)
        self._turned, self._held, self._waiting, self._withheld = [], [], [], []

    def _own_fields(self) -> dict[str, Any]:
        """Return this hop's fields as the client sees them."""
        fields = self._hop.fields()
        if isinstance(fields.get("reasoning_details"), list):
            fields["reasoning_details"] = _chunk.shifted(fields["reasoning_details"], self._offset)
        return fields

    def _shown_fields(self) -> dict[str, Any]:
        """Return the fields in which earlier hops stand, over all hops."""
        made: dict[str, Any] = {}
        keys = {key: None for _, fields in self._earlier for key in fields}
        every = [*(fields for _, fields in self._earlier), self._own_fields()]
        for key in keys:
            values = [fields[key] for fields in every if key in fields]
            if all(isinstance(value, str) for value in values):
                made[key] = "".join(values)
            elif all(isinstance(value, list) for value in values):
                made[key] = [item for value in values for item in value]
        return made

    # --- later requests

    def past(self, answers: Iterable[str | Image] = ()) -> dict[str, Any] | None:
        """Return what ``restore`` needs; ``answers`` to calls that stand beside the client's own. None for nothing."""
        hop = self._hop
        told = list(answers)
        beside = bool(told) and hop.others and hop.whole and len(told) == len(self.calls)
        if not self._hidden and not beside:
            return None
        own = hop.fields()
        shown = self._shown_fields() if hop.whole else {}
        calls: list[list[Any]] = []
        theirs = 0
        for call in hop.calls:
            if call.mine and beside:
                calls.append([theirs, call.value()])
            theirs += not call.mine
        return {
            "before": self._hidden,
            "shown": "".join(text for text, _ in self._earlier),
            "calls": calls,
            "after": self._answered(told, _NOT_HERE) if beside else [],
            "fields": {key: [field_digest(key, value), own.get(key)] for key, value in shown.items()},
        }

    def key(self) -> str:
        """Return the digest of what the client will show of this turn."""
        return self._digest.of(call.identifier for call in self._hop.calls if not call.mine)
