"""What the events of a passing stream say about the whole answer: its usage, its end, an error in it.

Deltas are many and are never parsed: a few words are looked for, which stand in quotes and so cannot be the model's own
(in its text the quotes would be escaped). Only an event that has one of them is read.
"""

from __future__ import annotations

import base64
import json
import re

from headroom_cli import wire
from headroom_cli.wire._sse import Stream
from headroom_cli.wire._usage import flat, is_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from headroom_cli.wire._events import Event

# JSON that is parsed where everybody waits for it: a millisecond. Longer ones are searched.
_PARSED_MOST = 131_072
_USAGE = re.compile(rb'"usage"\s*:\s*\{')
_NUMBER = re.compile(rb'"sequence_number"\s*:\s*(\d{1,15})')
_FINISHED = re.compile(rb'"finish_reason"\s*:\s*"')
_TYPE = re.compile(rb'"type"\s*:\s*"([a-z_.]+)"')
_NAME = re.compile(rb"^event: ?([a-z_.]+)\s*$", re.MULTILINE)
_ERROR_TYPE = re.compile(rb'"type"\s*:\s*"error"')
_ERROR = re.compile(rb'"error"\s*:\s*[{"]')
_SEARCHED = json.JSONDecoder()
# shape -> words of which one stands in every event that matters
_WORDS: dict[str, tuple[bytes, ...]] = {
    "anthropic": (b'"message_stop"', b'"message_start"', b'"message_delta"'),
    "openai": (b"[DONE]",),
    "responses": (b'"response.completed"', b'"response.failed"', b'"response.incomplete"'),
}
# Many events have these members, and null in them.
_PATTERNS: dict[str, tuple[re.Pattern[bytes], ...]] = {
    "anthropic": (_ERROR_TYPE,),
    "openai": (_USAGE, _FINISHED, _ERROR),
    "responses": (_ERROR_TYPE,),
}
_LAST = {
    "anthropic": frozenset(("message_stop", "error")),
    "responses": frozenset(("response.completed", "response.failed", "response.incomplete", "error")),
}
_FAILED = frozenset(("response.failed", "error"))
# One of these is in every usage, in whatever API.
_COUNTS = frozenset(("input_tokens", "output_tokens", "prompt_tokens", "completion_tokens", "total_tokens"))
_METRICS = "amazon-bedrock-invocationMetrics"
_METRIC_NAMES = {
    "inputTokenCount": "input_tokens", "outputTokenCount": "output_tokens", "inputTokens": "input_tokens",
    "outputTokens": "output_tokens", "cacheReadInputTokenCount": "cache_read_input_tokens",
    "cacheWriteInputTokenCount": "cache_creation_input_tokens", "cacheReadInputTokens": "cache_read_input_tokens",
    "cacheWriteInputTokens": "cache_creation_input_tokens",
}  # fmt: skip


class Signs:
    """What is known of an answer by now.

    ``usage``   flat whole numbers; later ones of the same name count
    ``ended``   its last event came; ``failed`` an error came inside it
    ``blind``   nothing can be known: an encoding or a shape that is not ours
    """

    __slots__ = ("_latest", "_patterns", "_shape", "_words", "blind", "ended", "failed", "usage")

    def __init__(self, shape: str) -> None:
        """``shape`` is a row of wire.WIRES, "" where nothing is known."""
        self._shape = shape if shape in _WORDS else ""
        self._words = _WORDS.get(shape, ())
        self._patterns = _PATTERNS.get(shape, ())
        self._latest = b""  # events that came last: the number of one of ours follows theirs
        self.usage: dict[str, int] = {}
        self.ended = False
        self.failed = False
        self.blind = not self._shape

    def read(self, events: bytes) -> None:
        """Read whole server-sent events."""
        self._latest = events
        if self._says(events):
            whole = b"\r" in events  # rare: then events cannot be told apart so simply
            for part in (events,) if whole else events.split(b"\n\n"):
                if whole or self._says(part):
                    for event in Stream().feed(part + b"\n\n"):
                        self._read_one(event)

    def _read_one(self, event: Event) -> None:
        if not event.data:
            return
        if len(event.data) > _PARSED_MOST:
            self.read_long(event.raw[:4096], event.raw[-16_384:])
        elif event.data == "[DONE]":
            self.ended = self.ended or self._shape == "openai"
        elif self._says(event.raw):
            self._take(event.value)

    def read_long(self, head: bytes, tail: bytes) -> None:
        """Read an event that is too long to be held, by its head and its tail."""
        named = _NAME.search(head) or _TYPE.search(head)
        if self._shape == "openai":
            self.ended = self.ended or any(_FINISHED.search(part) for part in (head, tail))
        elif self._shape and named is not None:
            name = named[1].decode()
            self.ended = self.ended or name in _LAST[self._shape]
            self.failed = self.failed or name in _FAILED
            if name not in _LAST[self._shape]:
                return
        self._search(tail)

    def read_frame(self, headers: bytes, payload: bytes) -> None:
        """Read a whole frame of AWS: its headers and its payload, packed."""
        if b"exception" in headers or b":error-code" in headers:
            self.ended = self.failed = True
            return
        if len(payload) > _PARSED_MOST:
            return
        carrier = _object(payload)
        inner = carrier.get("bytes")
        if isinstance(inner, str):
            try:
                data = base64.b64decode(inner)
            except ValueError:
                return
            if self._says(data) or b"invocationMetrics" in data:
                value = _object(data)
                self._take(value)
                self._metrics(value.get(_METRICS))
        elif isinstance(carrier.get("usage"), dict):  # the last event of Converse
            self._metrics(carrier["usage"])

    def read_message(self, data: bytes) -> None:
        """Read an event that came by itself, as over a WebSocket."""
        if len(data) > _PARSED_MOST:
            self.read_long(data[:4096], data[-16_384:])
        elif self._says(data):
            self._take(_object(data))

    def ended_by(self, rest: bytes) -> bool:
        """Tell whether half an event at a clean end says that this was all: some leave out the last blank line."""
        return self._shape == "openai" and rest.strip() == b"data: [DONE]"

    def of_body(self, data: bytes, whole: bool) -> None:  # noqa: FBT001 - a pair, as it is kept
        """Read an answer in one piece, or the end of a long one."""
        if not whole or len(data) > _PARSED_MOST:
            self._search(data)
            return
        value = _object(data)
        self.failed = self.failed or bool(value.get("error"))
        self._count(value.get("usage"))
        if not self.usage and "input_tokens" in value:  # a count of tokens is its own answer
            self._count(value)

    def error(self, kind: str, message: str) -> bytes:
        """Return the event that says that a stream broke off, in the API's form; OpenAI's where none is known."""
        raw: bytes = wire.load(self._shape or "openai").Turn((), streaming=True).error(kind, message).raw
        if self._shape == "responses" and (numbers := _NUMBER.findall(self._latest)):
            raw = raw.replace(b'"sequence_number":0', b'"sequence_number":%d' % (int(numbers[-1]) + 1))
        return raw

    def _says(self, data: bytes) -> bool:
        """Tell whether something in ``data`` matters."""
        for word in self._words:
            if word in data:
                return True
        return any(pattern.search(data) for pattern in self._patterns)

    def _take(self, value: dict[str, Any]) -> None:
        """Take one event."""
        if self._shape == "openai":
            self._take_chunk(value)
            return
        name = value.get("type")
        if name in _LAST[self._shape]:
            self.ended = True
            self.failed = self.failed or name in _FAILED
        carrier = value.get("message") if name == "message_start" else value.get("response")
        self._count((carrier if isinstance(carrier, dict) else value).get("usage"))

    def _take_chunk(self, value: dict[str, Any]) -> None:
        if value.get("error"):
            self.ended = self.failed = True
        choices = value.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and choice.get("finish_reason"):
                self.ended = True  # some providers leave it at that; usage and [DONE] may follow
        self._count(value.get("usage"))

    def _count(self, usage: Any) -> None:
        if isinstance(usage, dict):
            flat(usage, self.usage)

    def _metrics(self, metrics: Any) -> None:
        """Take what AWS counted, where the model itself said nothing."""
        if isinstance(metrics, dict):
            self.ended = True
            for name, known in _METRIC_NAMES.items():
                if is_count(metrics.get(name)):
                    self.usage.setdefault(known, metrics[name])

    def _search(self, data: bytes) -> None:
        """Take the last usage in a piece of JSON that is not parsed."""
        for at in _backwards(data, b'"usage"'):
            found = _USAGE.match(data, at)
            if found is not None:
                try:
                    usage, _ = _SEARCHED.raw_decode(data[found.end() - 1 :].decode("utf-8", "replace"))
                except (ValueError, RecursionError):
                    continue
                if not _COUNTS.isdisjoint(usage):
                    self._count(usage)
                    return


def _backwards(data: bytes, word: bytes) -> Iterable[int]:
    """Yield where a word stands, from the last, and not many."""
    at = len(data)
    for _ in range(20):
        at = data.rfind(word, 0, at)
        if at < 0:
            return
        yield at


def _object(data: bytes) -> dict[str, Any]:
    """Read a JSON object, {} for anything else."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
