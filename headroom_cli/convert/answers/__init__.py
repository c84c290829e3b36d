"""Answers of one API in the shape of another: streams event by event, whole answers, and errors.

A reader of the source tells a writer of the target what came (``_neutral.Writer``), so there are three of each and not
one for every pair. A text is passed on in the call that brings it. What has no place in the target is in LEFT_OUT.
"""

from __future__ import annotations

import json

from headroom_cli.convert.answers import _faults
from headroom_cli.convert.answers._left_out import LEFT_OUT, left_out
from headroom_cli.convert.answers._neutral import REDACTED, Writer, dump
from headroom_cli.errors import AnsweredError
from headroom_cli.nesting import depth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from headroom_cli.wire._events import Event

__all__ = ["LEFT_OUT", "REDACTED", "Converter", "converter", "error"]

_MODULES = {"anthropic": "anthropic", "openai": "chat", "responses": "responses"}
_HOLDS = {"anthropic": "content", "openai": "choices", "responses": "output"}  # what makes an answer one
_DEEPEST = 200  # parsers and writers of JSON recurse


class Converter:
    """Converts one answer; a new one for each.

    ``take``   streaming: an event of the source, the events of the target that it makes
    ``end``    streaming: the source came to its proper end
    ``error``  streaming: an error event in the source's form, for a stream that broke off
    ``body``   not streaming: the whole answer
    """

    def __init__(self, source: str, target: str, *, model: str, include_usage: bool, now: int) -> None:
        """See ``converter``."""
        self._names = (source, target)
        self._reading = _module("read", source)
        self._writing = _module("write", target)
        self._model = model
        self._now = now
        self._stream: Writer = self._writing.Stream(model, now)
        if target == "openai":
            self._stream.include_usage = include_usage
        self._reader = self._reading.Reader(self._stream)
        self._notes: dict[str, None] = self._stream.notes

    def take(self, event: Event) -> list[Event]:
        """Return what the client sees of an event now. A stream that fails inside ends with the error, and no more."""
        if self._stream.over:
            return []
        if event.data is None:  # a comment, which keeps a connection alive, is one in every API
            return [event] if event.raw.startswith(b":") else []
        broken = not event.value and event.data.lstrip().startswith("{") and event.data.strip() != "{}"
        if not broken:
            try:
                self._reader.take(event.value, event.data)
            except (ValueError, RecursionError):  # a number, or a depth, that cannot be written
                broken = True
        if broken:
            self._stream.fail(_faults.Fault(502, "the provider sent an event that is not to be read"))
        return self._written()

    def end(self) -> list[Event]:
        """Return what is left after the proper end of the source; nothing for a stream that broke off before."""
        if not self._stream.over:
            self._reader.end()
        return self._written()

    def error(self, event: Event) -> list[Event]:
        """Return an error in the target's form; nothing after an answer that has ended."""
        if not self._stream.over:
            self._stream.fail(_faults.read(event.value))
        return self._written()

    def body(self, data: bytes) -> bytes:
        """Return a whole answer, or an error that came in its place. Raise AnsweredError for anything else."""
        source, _ = self._names
        try:
            value = json.loads(data) if depth(data) <= _DEEPEST else None
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise AnsweredError("the provider's answer is no JSON object and cannot be converted", data)
        answer = Writer(self._model, self._now)
        self._notes = answer.notes
        if not value.get("error") and not isinstance(value.get(_HOLDS[source]), list):
            raise AnsweredError(f"the provider's answer has no {_HOLDS[source]!r} and cannot be converted", data)
        try:
            self._reading.Reader(answer).body(value)
            return dump(self._writing.fault(answer.fault) if answer.fault else self._writing.body(answer)).encode()
        except ValueError:
            raise AnsweredError("the provider's answer has a number beyond all and cannot be converted", data) from None

    @property
    def ended(self) -> bool:
        """Tell whether the client has seen the end of the stream, or of what there was of it."""
        return self._stream.over

    @property
    def fault(self) -> str:
        """What was told to have failed inside the stream, "" for nothing."""
        return self._stream.fault.message if self._stream.fault else ""

    @property
    def left_out(self) -> dict[str, str]:
        """What this answer held so far that the target has no place for, with the reason."""
        return left_out(*self._names, self._notes)

    def _written(self) -> list[Event]:
        out = self._stream.out
        self._stream.out = []
        return out


class _Same(Converter):
    """Source and target are the same API: everything passes as it came."""

    def __init__(self) -> None:
        """Nothing is converted."""

    def take(self, event: Event) -> list[Event]:
        return [event]

    def end(self) -> list[Event]:
        return []

    def error(self, event: Event) -> list[Event]:
        return [event]

    def body(self, data: bytes) -> bytes:
        return data

    @property
    def ended(self) -> bool:
        return True

    @property
    def fault(self) -> str:
        return ""

    @property
    def left_out(self) -> dict[str, str]:
        return {}


def converter(
    source: str, target: str, *, streaming: bool, model: str = "", include_usage: bool = False, now: int = 0
) -> Converter:
    """Return what converts one answer of ``source`` for a client that speaks ``target``; both are rows of WIRES.

    ``model``          for an answer that names none
    ``include_usage``  Chat's last chunk with the usage was asked for
    ``now``            seconds since 1970, for an answer that names no time
    """
    _ = streaming  # a converter serves both: nothing is kept for the other
    if source == target:
        return _Same()
    return Converter(source, target, model=model, include_usage=include_usage, now=now)


def error(source: str, target: str, status: int, body: bytes) -> bytes:
    """Return the body of an HTTP error in the target's form.

    The type follows from the status, the message is kept, and so is under ``details`` whatever else was said.
    """
    if source == target or {source, target} == {"openai", "responses"}:  # OpenAI's two APIs have one form
        return body
    return _faults.convert(target, status, body)


def _module(what: str, shape: str) -> ModuleType:
    """Import a reader or a writer."""
    name = f"_{what}_{_MODULES[shape]}"
    return __import__(f"headroom_cli.convert.answers.{name}", fromlist=["Reader"])
