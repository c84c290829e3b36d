"""Write answers of Anthropic Messages.

Thinking that came without a signature gets an empty one: the API refuses such a block, so it must not go back to it as
it stands. A refusal that the model wrote is a text block, and the turn then stops as a refusal.
"""

from __future__ import annotations

import json

from headroom_cli.convert._shared import INVALID
from headroom_cli.convert.answers import _faults
from headroom_cli.convert.answers._neutral import (
    CALLS,
    CUT,
    END,
    LENGTH,
    PAUSE,
    REFUSAL,
    SEQUENCE,
    WINDOW,
    Usage,
    Writer,
    dump,
    event,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.convert.answers._neutral import Citation, Part

_REASONS = {
    END: "end_turn", LENGTH: "max_tokens", CALLS: "tool_use", SEQUENCE: "stop_sequence", REFUSAL: "refusal",
    PAUSE: "pause_turn", WINDOW: "model_context_window_exceeded",
}  # fmt: skip


def body(answer: Writer) -> dict[str, Any]:
    """Return a whole answer."""
    if any(part.citations for part in answer.parts):
        answer.note("url_citation")
    return {
        **_head(answer),
        "content": [_block(part) for part in answer.parts],
        "stop_reason": _reason(answer),
        "stop_sequence": answer.sequence,
        "usage": _usage(answer.used),
    }


def fault(found: _faults.Fault) -> dict[str, Any]:
    """Return an error instead of an answer."""
    return _faults.anthropic(found)


def _head(answer: Writer) -> dict[str, Any]:
    return {"id": f"msg_{answer.identifier}", "type": "message", "role": "assistant", "model": answer.model}


def _reason(answer: Writer) -> str:
    refused = answer.refused and answer.reason not in CUT
    return _REASONS[REFUSAL if refused else answer.reason]


def _usage(used: Usage) -> dict[str, Any]:
    """Count input as Anthropic does: ``input_tokens`` is what the cache had no part in. What was not said is 0."""
    found: dict[str, Any] = {"input_tokens": used.plain}
    if used.written is not None:
        found["cache_creation_input_tokens"] = used.written
    if used.read is not None:
        found["cache_read_input_tokens"] = used.read
    found["output_tokens"] = used.output or 0
    if used.thinking is not None:
        found["output_tokens_details"] = {"thinking_tokens": used.thinking}
    return found


def _block(part: Part) -> dict[str, Any]:
    if part.kind in {"text", "refusal"}:
        return {"type": "text", "text": part.text}
    if part.kind == "thinking":
        return {"type": "thinking", "thinking": part.text, "signature": part.signature}
    if part.kind == "redacted":
        return {"type": "redacted_thinking", "data": part.signature}
    return {"type": "tool_use", "id": part.identifier, "name": part.name, "input": _input(part)}


def _input(part: Part) -> dict[str, Any]:
    """Return a call's arguments. Text that spells no object is held in one, as requests hold it."""
    if part.kind == "custom":
        return {"input": part.text}
    try:
        found = json.loads(part.text)
        dump(found)  # a number that Python reads as infinity has to stay text too
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {INVALID: part.text}


class Stream(Writer):
    """Writes events as the source's come. What a call's arguments are is kept in no place: memory is flat."""

    whole = False

    def start(self, identifier: str, model: str, created: int | None) -> None:
        """Begin the message. What the input was is known to some sources only at the end."""
        super().start(identifier, model, created)
        message = {**_head(self), "content": [], "stop_reason": None, "stop_sequence": None, "usage": _usage(self.used)}
        self._put({"type": "message_start", "message": message})

    def open(self, part: Part) -> None:
        """Begin a block."""
        part.place = len(self.parts)
        super().open(part)
        if part.kind in {"call", "custom"}:
            block = {"type": "tool_use", "id": part.identifier, "name": part.name, "input": {}}
        else:
            block = _block(part)
        self._put({"type": "content_block_start", "index": part.place, "content_block": block})
        if part.kind == "custom":
            self._delta(part, {"type": "input_json_delta", "partial_json": '{"input":"'})

    def add(self, part: Part, piece: str) -> None:
        """Add to a block."""
        part.size += len(piece)
        if part.kind == "thinking":
            self._delta(part, {"type": "thinking_delta", "thinking": piece})
        elif part.kind in {"text", "refusal"}:
            self._delta(part, {"type": "text_delta", "text": piece})
        else:
            written = dump(piece)[1:-1] if part.kind == "custom" else piece
            self._delta(part, {"type": "input_json_delta", "partial_json": written})

    def sign(self, part: Part, signature: str) -> None:
        """Add the signature."""
        self._delta(part, {"type": "signature_delta", "signature": signature})

    def cite(self, part: Part, citation: Citation) -> None:
        """Leave a citation out: a block's would need data that only Anthropic's own search gives."""
        _ = part, citation
        self.note("url_citation")

    def shut(self, part: Part) -> None:
        """End a block."""
        super().shut(part)
        if part.kind == "custom":
            self._delta(part, {"type": "input_json_delta", "partial_json": '"}'})
        self._put({"type": "content_block_stop", "index": part.place})

    def fail(self, fault: _faults.Fault) -> None:
        """Report an error."""
        super().fail(fault)
        self._put(_faults.anthropic(fault))

    def finish(self) -> None:
        """End the message."""
        super().finish()
        delta = {"stop_reason": _reason(self), "stop_sequence": self.sequence}
        self._put({"type": "message_delta", "delta": delta, "usage": _usage(self.used)})
        self._put({"type": "message_stop"})

    def _delta(self, part: Part, delta: dict[str, Any]) -> None:
        self._put({"type": "content_block_delta", "index": part.place, "delta": delta})

    def _put(self, value: dict[str, Any]) -> None:
        self.out.append(event(value, value["type"]))
