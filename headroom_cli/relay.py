"""One request of a client and all that it takes upstream: no sockets here, bytes in and events out.

    relay = Relay(request, backend, target, desk)
    while relay.more:
        call = relay.call()                     what to send; whoever has the connection sends it
        relay.begin(content_type)               the head of a good answer came
        relay.feed(bytes) -> [Event]            as they arrive: what the client sees now
        relay.end() -> [Event]                  the answer ended; raises UnreachableError when it was cut off
    relay.body() -> bytes                       the whole answer, when it was no stream

When the model asks for an original, the next round of the loop is another hop: the same request with the model's turn
and the original behind it. The client sees one turn.
"""

from __future__ import annotations

import json
import time

from headroom_cli import formats, retrieval, wire
from headroom_cli.backends import Outgoing
from headroom_cli.errors import (
    AnsweredError,
    BusyError,
    CannotCarryError,
    KeyMissingError,
    UnreachableError,
    UpstreamError,
)
from headroom_cli.formats._edits import KEPT, Edit, EditError
from headroom_cli.wire._usage import flat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.backends import Backend, Headers, Target
    from headroom_cli.backends import Call as Http
    from headroom_cli.retrieval import Desk
    from headroom_cli.wire._events import Call, Event, Image

# Kinds of errors inside an answer that say: later.
_BUSY = (
    "overloaded_error",
    "server_is_overloaded",
    "rate_limit_error",
    "rate_limit_exceeded",
    "server_overloaded",
    "429",
    "503",
    "529",
)


class Request:
    """A request as it goes upstream, but for its address.

    ``shape``     the row of wire.WIRES that ``body`` is written in
    ``seen_as``   the row in which the client wrote, and reads the answer
    ``body``      JSON, in the client's own bytes as far as they are
    ``model``     the model's name
    ``ours``      the names of our tools in it
    ``headers``   the client's own that belong to the API
    """

    __slots__ = ("body", "headers", "include_usage", "model", "ours", "seen_as", "shape", "stream", "value")

    def __init__(
        self, shape: str, body: bytes, *, model: str = "", seen_as: str = "", ours: frozenset[str] = frozenset(),
        headers: Headers = (), include_usage: bool = False, value: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """``value`` is what is known of a body that cannot be read; else it is read, and ValueError raised."""
        self.shape = shape
        self.seen_as = seen_as or shape
        self.body = body
        self.value: dict[str, Any] = json.loads(body) if value is None else value
        self.stream = self.value.get("stream") is True
        own = self.value.get("model")
        self.model = model or (own if isinstance(own, str) else "")
        self.ours = ours
        self.headers = headers
        self.include_usage = include_usage


class Relay:
    """The turn of a model that answers one request, over one or more hops."""

    __slots__ = (
        "_answers", "_backend", "_converter", "_decoder", "_desk", "_done", "_first", "_over", "_pieces", "_request",
        "_said", "_seen", "_target", "_turn", "_undecided", "_whole", "extra", "hops", "more", "streaming",
    )  # fmt: skip

    def __init__(self, request: Request, backend: Backend, target: Target, desk: Desk | None = None) -> None:
        """``desk`` answers calls of our tools; without one nothing is served."""
        self._request = request
        self._backend = backend
        self._target = target
        self._desk = desk
        self._turn: Any = None
        self._converter: Any = None
        self._decoder: Any = None
        self.extra: list[Any] = []  # turns that the next hop's request has behind the client's own
        self._answers: list[str | Image] = []  # to calls in a turn that calls the client's tools as well
        self._pieces: list[bytes] = []
        self._whole = b""
        self._first: dict[str, Any] = {}  # the usage of the first hop, once another follows
        self._done = False  # the stream said so itself
        self._seen = False  # an event that says something
        self._undecided = False  # whether a stream comes or a whole answer
        self._over = False  # the turn came to its end
        self._said = ""  # an error that stands where the answer should
        self.streaming = False
        self.more = True  # there is something to send
        self.hops = 0

    # --- upstream

    def outgoing(self, extra: list[Any] | None = None) -> Outgoing:
        """Return the request of this hop, or of the one with ``extra`` turns.

        Raise CannotCarryError when its body cannot be adapted to the backend.
        """
        request = self._request
        extra = self.extra if extra is None else extra
        put, without = self._backend.adapt(request.shape, request.value, request.model)
        edits = [Edit.member((), key, value) for key, value in put.items()]
        edits += [Edit.remove((), key) for key in without if key not in put]
        try:
            body = formats.spliced(request.body, edits) if edits else request.body
            body = self.appended(extra, body)
        except (EditError, UnicodeDecodeError) as error:
            raise CannotCarryError(f"this request cannot be adapted to {self._backend.name}: {error}") from None
        return Outgoing(request.shape, request.model, body, stream=request.stream, headers=request.headers)

    def call(self, extra: list[Any] | None = None) -> Http:
        """Return the HTTP request of this hop, or of the one with ``extra`` turns.

        Raise KeyMissingError, ConfigError, CannotCarryError.
        """
        if self._backend.call is None:
            raise TypeError(f"{self._backend.name} is a library, not an address")
        return self._backend.call(self.outgoing(extra), self._target)

    def refused(self, status: int, headers: dict[str, str], body: bytes) -> UpstreamError:
        """Return the error for an answer with this status: what happened, and the provider's own body."""
        request = self._request
        said = _message(body)
        if request.seen_as != request.shape:
            from headroom_cli.convert import answers

            body = answers.error(request.shape, request.seen_as, status, body)
        if status in {401, 403}:
            return KeyMissingError(f"the provider refused the key (HTTP {status}): {said}", body, status)
        if status in {429, 503, 529}:
            later = f"; it asks to wait {headers['retry-after']} s" if headers.get("retry-after", "").isdigit() else ""
            return BusyError(f"the provider has no room now (HTTP {status}): {said}{later}", body, status)
        return AnsweredError(f"the provider answered HTTP {status}: {said}", body, status)

    def told(self, error: UpstreamError) -> UpstreamError:
        """Return a library's error with its body in the client's form. Libraries hand on what their provider said."""
        shape = "anthropic" if b'"type":"error"' in error.body.replace(b" ", b"")[:200] else self._request.shape
        if error.body and shape != self._request.seen_as:
            from headroom_cli.convert import answers

            error.body = answers.error(shape, self._request.seen_as, error.code or 500, error.body)
        return error

    def appended(self, extra: list[Any], body: bytes = b"") -> bytes:
        """Return the request's body with turns behind the client's own. Raise EditError."""
        body = body or self._request.body
        return formats.spliced(body, self._appending(extra)) if extra else body

    def _appending(self, extra: list[Any]) -> list[Edit]:
        """Return the edits that put turns behind the client's own."""
        name = "input" if self._request.shape == "responses" else "messages"
        turns = self._request.value.get(name)
        if isinstance(turns, str):  # one text of the user, which the Responses API takes as it is
            first = {"type": "message", "role": "user", "content": KEPT}
            return [Edit.put((name,), [first, *extra])]
        return [Edit.insert((name,), len(turns or ()), turn) for turn in extra]

    # --- downstream

    def begin(self, content_type: str) -> None:
        """Take note that the head of a good answer came, and whether a stream follows. Raise UnreachableError."""
        self.hops += 1
        self._pieces = []
        self._done = False
        kind = content_type.lower()
        framed = "vnd.amazon.eventstream" in kind
        self._undecided = not framed and "event-stream" not in kind and "json" not in kind and self._request.stream
        if not self._undecided:
            self._settle(streaming=framed or "event-stream" in kind, framed=framed)

    def _settle(self, *, streaming: bool, framed: bool) -> None:
        """Open the answer as what it is. Raise UnreachableError when a hop is of another kind than the one before."""
        self._undecided = False
        if self._turn is None:
            self.streaming = streaming
            self._open_turn()
        elif streaming != self.streaming:
            raise UnreachableError("the provider changed between stream and whole answers within one turn; try again")
        if framed:
            from headroom_cli.wire._frames import Frames

            self._decoder = Frames()
        elif streaming:
            from headroom_cli.wire._sse import Stream

            self._decoder = Stream()

    def _settle_anew(self) -> None:
        """Take what was said to be a stream for the one message, or page, that it is."""
        rest = self._decoder.end()
        if _is_whole(rest):
            self._turn = self._converter = self._decoder = None
            self._settle(streaming=False, framed=False)
            self._pieces = [rest]

    def _open_turn(self) -> None:
        request = self._request
        ours = request.ours if self._desk is not None else frozenset()
        more: dict[str, bool] = {}
        if request.shape == "responses":
            # The client keeps the id that it saw first, as the official SDK insists; a later request is put right.
            more = {"served": bool(request.value.get("conversation")), "same_id": True}
        self._turn = wire.load(request.shape).Turn(ours, streaming=self.streaming, **more)
        if request.seen_as != request.shape:
            from headroom_cli.convert import answers

            self._converter = answers.converter(
                request.shape, request.seen_as, streaming=self.streaming, model=request.model,
                include_usage=request.include_usage, now=int(time.time()),
            )  # fmt: skip

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes of the answer; return what the client sees of them now."""
        if self._undecided:  # the head does not say: the first byte of a message in one piece is a brace
            data = b"".join((*self._pieces, data))
            self._pieces = [data]
            if not data.strip():
                return []
            self._settle(streaming=not _is_whole(data), framed=self._backend.framing == "eventstream")
            self._pieces = []
        if not self.streaming:
            self._pieces.append(data)
            return []
        return self.take(self._decoder.feed(data))

    def take(self, events: list[Event]) -> list[Event]:
        """Take events of the answer; return what the client sees of them now."""
        seen: list[Event] = []
        for event in events:
            self._done = self._done or event.data == "[DONE]"
            self._seen = self._seen or bool(event.value)
            seen += self._turn.take(event)
        return self._shown(seen)

    @property
    def ended(self) -> bool:
        """Tell whether the last event of a stream has come: there is nothing more to wait for."""
        if self._turn is None or not self.streaming:
            return False
        if self._turn.failure is not None or self._said:
            return True
        # In Chat the usage may still follow the end of the message.
        return self._done if self._request.shape == "openai" else bool(self._turn.ended)

    @property
    def stopped(self) -> bool:
        """Tell whether all of a stream has come that a client shows of the turn: only what says so, and usage, follow.

        Some clients wait for no more than that.
        """
        return self.streaming and self._turn is not None and bool(self._turn.stopped)

    def arrived(self) -> list[Event]:
        """Take note that the hop's answer is all here; return what the client sees now of its end.

        From here on ``calls`` is known. Raise UnreachableError when the answer was cut off.
        """
        if self._undecided:
            self._settle(streaming=False, framed=False)
        elif self.streaming and self.hops == 1 and not self._seen and self._decoder is not None:
            self._settle_anew()
        turn = self._turn
        shown: list[Event] = []
        if self.streaming:
            shown = self._last()
            if (not turn.ended and turn.failure is None) or not self._seen:
                raise UnreachableError("the answer broke off before its end; send the request again")
        else:
            data = b"".join(self._pieces)
            self._check(data)
            turn.take_body(data)
        return shown

    @property
    def calls(self) -> list[Call]:
        """The hop's calls of our tools, to be answered by the desk in ``close``."""
        return [] if self._turn is None or self._turn.failure is not None else list(self._turn.calls)

    def end(self) -> list[Event]:
        """Do ``arrived`` and ``close``. Raise UnreachableError when the answer was cut off."""
        return self.arrived() + self.close()

    def close(self) -> list[Event]:
        """Close a hop that has arrived; return what the client sees now.

        Afterwards ``more`` tells whether another hop follows.
        """
        turn = self._turn
        shown: list[Event] = []
        self.more = False
        note = ""
        if turn.calls and self._desk is not None and turn.failure is None:
            if turn.others:
                self._answers = [self._desk.answer(call) for call in turn.calls]
            elif self.hops > retrieval.MOST_HOPS or not turn.whole or self._desk.stubborn:
                note = retrieval.limit_note(turn.calls)
                if self._request.shape == "responses":  # a history that the provider holds wants every call answered
                    self._answers = [note] * len(turn.calls)
            else:
                answers = [self._desk.answer(call) for call in turn.calls]
                self.extra += turn.turns(answers)
                self._first = self._first or self.usage
                turn.go_on()
                self.more = True
                return shown
        if not self.streaming:
            self._whole = turn.body(note)
            if self._converter is not None:
                self._whole = self._converter.body(self._whole)
            self._over = True
            return []
        shown += self._shown(turn.finish(note))
        if self._converter is not None and turn.failure is None:
            shown += self._converter.end()
            if not self._converter.ended:
                raise UnreachableError("the answer stopped without saying why; send the request again")
        self._over = True
        return shown

    def _last(self) -> list[Event]:
        """Take an event whose blank line never came: some providers end so."""
        rest = self._decoder.end() if self._decoder is not None else b""
        if not rest or self._turn.ended:
            return []
        from headroom_cli.wire._sse import Stream

        events = Stream().feed(rest + b"\n\n")
        if not all(event.data in {None, "[DONE]"} or event.value for event in events):
            return []  # cut in the middle
        for event in events:
            event.raw, rest = rest, b""
        return self.take(events)

    def _check(self, data: bytes) -> None:
        """Raise AnsweredError for a whole answer that is no message, UnreachableError for one that was cut."""
        try:
            value = json.loads(data, parse_int=len)  # numbers may have more digits than Python reads
        except (ValueError, RecursionError):
            if data.lstrip()[:1] in {b"{", b""}:
                sentence = "the answer broke off before its end; send the request again"
                raise UnreachableError(sentence, data) from None
            raise AnsweredError(f"the provider's answer is no JSON: {_message(data)}", data) from None
        if not isinstance(value, dict):
            raise AnsweredError("the provider's answer is no message; check the address", data)
        choices = value.get("choices")
        first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        if value.get("error") or first.get("error") or first.get("finish_reason") == "error":
            self._said = _message(json.dumps(first).encode() if first.get("error") else data)
        elif value.keys().isdisjoint(("content", "choices", "output")):
            raise AnsweredError("the provider's answer is no message; check the address", data)

    def _shown(self, events: list[Event]) -> list[Event]:
        if self._converter is None:
            return events
        shown: list[Event] = []
        for event in events:
            shown += self._converter.take(event)
        self._said = self._said or self._converter.fault
        return shown

    def body(self) -> bytes:
        """Return the whole answer as the client sees it."""
        return self._whole

    def broken(self, kind: str, message: str) -> list[Event]:
        """Return the events that tell a client that its stream broke off; none when no stream has begun."""
        if self._turn is None or not self.streaming:
            return []
        event = self._turn.error(kind, message)
        return [event] if self._converter is None else list(self._converter.error(event))

    # --- afterwards

    @property
    def finished(self) -> bool:
        """Tell whether the turn came to its proper end."""
        return self._over and self.failure is None

    def turned(self) -> Turned:
        """Return what is to be remembered of the turn."""
        return Turned(self.hops, self.hidden(), self.held(), finished=self.finished)

    @property
    def failure(self) -> AnsweredError | BusyError | None:
        """What to tell of an error that came inside the answer, None when there was none."""
        if self._turn is None or (self._turn.failure is None and not self._said):
            return None
        kind, message = self._turn.failure or ("error", self._said)
        sentence = f"the provider broke the answer off: {kind}: {message}"
        return BusyError(sentence) if kind in _BUSY else AnsweredError(sentence)

    @property
    def usage(self) -> dict[str, Any]:
        """The usage of all hops, in the provider's own names."""
        return {} if self._turn is None else dict(self._turn.usage)

    def later(self) -> dict[str, int]:
        """Return what the hops behind the first used, flat; {} when there were none, or the first did not say."""
        if not self._first:
            return {}
        first, whole = flat(self._first), flat(self.usage)
        return {name: left for name, count in whole.items() if (left := count - first.get(name, 0)) > 0}

    def hidden(self) -> tuple[str, Any]:
        """Return the key of the turn that the client saw, and what was hidden of it (None when nothing was)."""
        return ("", None) if self._turn is None else (self._turn.key(), self._turn.past(self._answers))

    def held(self) -> tuple[str, ...]:
        """Return the names by which a later request may go on with a history that the provider holds."""
        return tuple(self._turn.held()) if self._request.shape == "responses" else ()


class Turned:
    """What came of a turn: what a relay says of itself when it has ended, as a value that travels."""

    __slots__ = ("_held", "_hidden", "finished", "hops")

    def __init__(self, hops: int, hidden: tuple[str, Any], held: tuple[str, ...], *, finished: bool) -> None:
        """Hold what Relay.hidden() and Relay.held() returned."""
        self.hops = hops
        self.finished = finished
        self._hidden = hidden
        self._held = held

    def hidden(self) -> tuple[str, Any]:
        """Return the key of the turn that the client saw, and what was hidden of it (None when nothing was)."""
        return self._hidden

    def held(self) -> tuple[str, ...]:
        """Return the names by which a later request may go on with a history that the provider holds."""
        return self._held


def _is_whole(data: bytes) -> bool:
    """Tell an answer in one piece, or a page, from a stream of events, by its first byte."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"[", b"<"}


def _message(body: bytes) -> str:
    """Return the sentence of an error's body, in whatever form it is; its first words when it has none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    inner = value.get("error", value) if isinstance(value, dict) else value
    if isinstance(inner, dict):
        for name in ("message", "Message", "detail", "error_description"):
            if isinstance(inner.get(name), str):
                return str(inner[name])[:500]
    text = inner if isinstance(inner, str) else body[:300].decode("utf-8", "replace")
    return " ".join(text.split())[:300] or "no reason given"
