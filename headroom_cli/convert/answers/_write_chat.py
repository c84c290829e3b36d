"""Write answers of Chat Completions.

Reasoning is written as LiteLLM does: ``reasoning_content`` as it comes, and for thinking that the provider wants back a
whole ``thinking_blocks`` entry when the block ends. ``native_finish_reason`` is OpenRouter's, and written only where
Chat has no word of its own for why the model stopped.
"""

from __future__ import annotations

from headroom_cli.convert.answers import _faults
from headroom_cli.convert.answers._neutral import (
    CALLS,
    END,
    LENGTH,
    PAUSE,
    REFUSAL,
    SEQUENCE,
    WINDOW,
    Usage,
    Writer,
    event,
)
from headroom_cli.wire._events import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.convert.answers._neutral import Part

_REASONS = {
    END: "stop", LENGTH: "length", CALLS: "tool_calls", SEQUENCE: "stop", REFUSAL: "content_filter", PAUSE: "stop",
    WINDOW: "length",
}  # fmt: skip
_NATIVE = {SEQUENCE: "stop_sequence", PAUSE: "pause_turn", WINDOW: "model_context_window_exceeded"}


def body(answer: Writer) -> dict[str, Any]:
    """Return a whole answer."""
    texts = {kind: _joined(answer, kind) for kind in ("text", "refusal", "thinking")}
    message: dict[str, Any] = {"role": "assistant", "content": texts["text"], "refusal": texts["refusal"]}
    if texts["thinking"]:
        message["reasoning_content"] = texts["thinking"]
    blocks = [block for part in answer.parts if (block := _block(part))]
    if blocks:
        message["thinking_blocks"] = blocks
    calls = [_call(part, part.text) for part in answer.parts if part.kind in {"call", "custom"}]
    if calls:
        message["tool_calls"] = calls
    annotations, start = [], 0
    for part in answer.parts:
        if part.kind == "text":
            annotations += _annotations(part, start)
            start += part.size
    if annotations:
        message["annotations"] = annotations
    return {
        "id": f"chatcmpl-{answer.identifier}",
        "object": "chat.completion",
        "created": answer.created,
        "model": answer.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, **_end(answer)}],
        "usage": _usage(answer.used),
    }


def fault(found: _faults.Fault) -> dict[str, Any]:
    """Return an error instead of an answer."""
    return _faults.openai(found)


def _joined(answer: Writer, kind: str) -> str | None:
    """Return a message's one text of a kind: Chat has no blocks. None where there is no text at all."""
    return "".join(part.text for part in answer.parts if part.kind == kind) or None


def _block(part: Part) -> dict[str, Any] | None:
    """Return thinking that has to go back as it is, None for any other part."""
    if part.kind == "redacted":
        return {"type": "redacted_thinking", "data": part.signature}
    if part.kind == "thinking" and part.signature:
        return {"type": "thinking", "thinking": part.text, "signature": part.signature}
    return None


def _call(part: Part, arguments: str) -> dict[str, Any]:
    if part.kind == "custom":
        return {"id": part.identifier, "type": "custom", "custom": {"name": part.name, "input": arguments}}
    return {"id": part.identifier, "type": "function", "function": {"name": part.name, "arguments": arguments}}


def _annotations(part: Part, start: int) -> list[dict[str, Any]]:
    """Return a text's citations; ``start`` is where it begins in the message's one text."""
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": start + found.start, "end_index": start + (found.end or 0),
                "title": found.title, "url": found.url,
            },
        }
        for found in part.citations
    ]  # fmt: skip


def _end(answer: Writer) -> dict[str, Any]:
    native = _NATIVE.get(answer.reason)
    return {"finish_reason": _REASONS[answer.reason], **({"native_finish_reason": native} if native else {})}


def _usage(used: Usage) -> dict[str, Any]:
    """Count input as OpenAI does: the cache's part is included."""
    total, output = used.total or 0, used.output or 0
    found: dict[str, Any] = {"prompt_tokens": total, "completion_tokens": output, "total_tokens": total + output}
    if used.read is not None or used.written is not None:
        details = {"cached_tokens": used.read, "cache_write_tokens": used.written}
        found["prompt_tokens_details"] = {name: number for name, number in details.items() if number is not None}
    if used.thinking is not None:
        found["completion_tokens_details"] = {"reasoning_tokens": used.thinking}
    return found


class Stream(Writer):
    """Writes chunks as the source's events come. Only thinking is kept, for its block at the end of it."""

    whole = False
    include_usage = False

    def __init__(self, model: str, now: int) -> None:
        """Begin with nothing."""
        super().__init__(model, now)
        self._calls = 0
        self._blocks = 0
        self._length = 0
        self._annotations: list[dict[str, Any]] = []

    def start(self, identifier: str, model: str, created: int | None) -> None:
        """Begin the message."""
        super().start(identifier, model, created)
        self._put({"role": "assistant", "content": None, "refusal": None})

    def open(self, part: Part) -> None:
        """Begin a part: a call is announced, a text is not."""
        super().open(part)
        if part.kind in {"call", "custom"}:
            part.place = self._calls
            self._calls += 1
            self._put({"tool_calls": [{"index": part.place, **_call(part, "")}]})
        elif part.kind == "text":
            part.place = self._length

    def add(self, part: Part, piece: str) -> None:
        """Add to the message."""
        super().add(part, piece)
        if part.kind == "text":
            self._length += len(piece)
            self._put({"content": piece})
        elif part.kind == "refusal":
            self._put({"refusal": piece})
        elif part.kind == "thinking":
            self._put({"reasoning_content": piece})
        elif part.kind == "custom":
            self._put({"tool_calls": [{"index": part.place, "custom": {"input": piece}}]})
        else:
            self._put({"tool_calls": [{"index": part.place, "function": {"arguments": piece}}]})

    def shut(self, part: Part) -> None:
        """End a part: what the provider wants back of it, as a whole. Citations go with the last chunk."""
        super().shut(part)
        if part.kind == "text":
            self._annotations += _annotations(part, part.place)
        block = _block(part)
        if block is not None:
            # OpenAI's SDK puts pieces of a list together by their index, and takes a first list without one as it is.
            self._put({"thinking_blocks": [{"index": self._blocks, **block} if self._blocks else block]})
            self._blocks += 1
        part.pieces.clear()

    def fail(self, fault: _faults.Fault) -> None:
        """Report an error."""
        super().fail(fault)
        self.out.append(event(_faults.openai(fault)))

    def finish(self) -> None:
        """End the message."""
        super().finish()
        if self._annotations:
            self._put({"annotations": self._annotations})
        self._put({}, _end(self))
        if self.include_usage:
            self.out.append(event({**self._head(), "choices": [], "usage": _usage(self.used)}))
        self.out.append(Event(b"data: [DONE]\n\n", "", "[DONE]"))

    def _head(self) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{self.identifier}",
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
        }

    def _put(self, delta: dict[str, Any], end: dict[str, Any] | None = None) -> None:
        choice = {"index": 0, "delta": delta, "logprobs": None, **(end or {"finish_reason": None})}
        usage = {"usage": None} if self.include_usage else {}
        self.out.append(event({**self._head(), "choices": [choice], **usage}))
