"""Read answers of Anthropic Messages: a message, or the events that it comes in, block by block."""

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
    Citation,
    Part,
    Usage,
    count,
    dump,
    rows,
    table,
    text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.convert.answers._neutral import Writer

REASONS = {
    "end_turn": END, "max_tokens": LENGTH, "stop_sequence": SEQUENCE, "tool_use": CALLS, "pause_turn": PAUSE,
    "refusal": REFUSAL, "model_context_window_exceeded": WINDOW, "compaction": PAUSE,
}  # fmt: skip
_USED = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
# What is read of an answer and of its usage; of other members a note is made.
_KNOWN = frozenset(("id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "stop_details", "usage"))
_KNOWN_USAGE = frozenset((*_USED, "output_tokens_details"))
_CALL = ("caller", "toolset_name")


class Reader:
    """Tells a writer what events, or a whole answer, say."""

    def __init__(self, writer: Writer) -> None:
        """Tell ``writer``."""
        self._to = writer
        self._parts: dict[Any, Part] = {}
        self._used: dict[str, Any] = {}
        self._started = False
        self._stop: tuple[str, str | None] = (END, None)
        self._inputs: dict[Part, str] = {}  # arguments that came whole with the block's start

    def take(self, value: dict[str, Any], _data: str | None) -> None:
        """Take one event."""
        kind = value.get("type")
        if kind == "content_block_delta":
            part = self._parts.get(self._index(value))
            if part is not None:
                self._delta(part, table(value.get("delta")))
        elif kind == "content_block_start":
            self._start({})
            block = table(value.get("content_block"))
            whole = block.get("input") if block.get("type") == "tool_use" else None
            part = self._block({**block, "input": None} if whole else block)
            if part is not None:
                if whole:  # some gateways; others send the pieces as well
                    self._inputs[part] = dump(whole)
                self._parts[self._index(value)] = part
        elif kind == "content_block_stop":
            part = self._parts.pop(self._index(value), None)
            if part is not None:
                self._shut(part)
        elif kind == "message_start":
            self._start(table(value.get("message")))
        elif kind == "message_delta":
            self._start({})
            self._more(table(value.get("delta")))
            self._to.unknown(table(value.get("delta")), _KNOWN)
            self._to.unknown(value, _KNOWN | {"delta"})
            self._usage(table(value.get("usage")))
        elif kind == "message_stop":
            self._start({})
            self._to.unknown(value, _KNOWN)
            self._finish()
        elif kind == "error":
            self._to.fail(_faults.read(value))
        elif kind != "ping":
            self._to.note("event")

    def body(self, value: dict[str, Any]) -> None:
        """Take a whole answer."""
        if value.get("type") == "error" or ("content" not in value and value.get("error")):
            self._to.fail(_faults.read(value))
            return
        self._start(value)
        for block in rows(value.get("content")):
            part = self._block(block)
            if part is not None:
                self._to.shut(part)
        self._more(value)
        self._finish()

    def end(self) -> None:
        """Do nothing: the stream's own last event ends it."""

    def _finish(self) -> None:
        for part in self._parts.values():
            self._shut(part)
        self._parts.clear()
        self._to.stop(*self._stop)
        self._to.finish()

    def _shut(self, part: Part) -> None:
        if part in self._inputs and not part.size:
            self._to.add(part, self._inputs[part])
        self._to.shut(part)

    @staticmethod
    def _index(value: dict[str, Any]) -> int:
        return count(value.get("index")) or 0

    def _start(self, message: dict[str, Any]) -> None:
        if self._started:
            return
        self._started = True
        self._to.unknown(message, _KNOWN)
        self._to.start(text(message.get("id")), text(message.get("model")), None)
        self._usage(table(message.get("usage")))

    def _more(self, said: dict[str, Any]) -> None:
        """Take what ``message_delta`` adds, which a whole answer has among its members."""
        reason = said.get("stop_reason")
        if not isinstance(reason, str):
            return
        if reason not in REASONS:
            self._to.note("stop_reason")
        if reason == "pause_turn":
            self._to.note("pause_turn")
        sequence = said.get("stop_sequence")
        if sequence:
            self._to.note("stop_sequence")
        self._stop = (REASONS.get(reason, END), sequence if isinstance(sequence, str) else None)
        details = table(said.get("stop_details"))
        if text(details.get("explanation")):
            part = Part("refusal")
            self._to.open(part)
            self._to.add(part, details["explanation"])
            self._to.shut(part)
        if details.get("category"):
            self._to.note("stop_details.category")

    def _block(self, block: dict[str, Any]) -> Part | None:
        """Open the part that a block is, with what it already holds; None for one that is left out."""
        kind = block.get("type")
        if kind == "text":
            part = Part("text")
            self._to.open(part)
            self._add(part, block.get("text"))
            for citation in rows(block.get("citations")):
                self._cite(part, citation)
        elif kind == "thinking":
            part = Part("thinking")
            self._to.open(part)
            self._add(part, block.get("thinking"))
            if text(block.get("signature")):
                self._to.sign(part, block["signature"])
        elif kind == "redacted_thinking":
            part = Part("redacted", signature=text(block.get("data")))
            self._to.open(part)
        elif kind == "tool_use":
            part = Part("call", identifier=text(block.get("id")), name=text(block.get("name")))
            self._to.open(part)
            if block.get("input"):  # {} at the start of a stream
                self._add(part, dump(block["input"]))
            for name in _CALL:
                if block.get(name) and table(block[name]).get("type") != "direct":
                    self._to.note(f"tool_use.{name}")
        else:
            self._to.note(text(kind) or "block")
            return None
        return part

    def _delta(self, part: Part, delta: dict[str, Any]) -> None:
        kind = delta.get("type")
        if kind == "text_delta":
            self._add(part, delta.get("text"))
        elif kind == "input_json_delta":
            self._add(part, delta.get("partial_json"))
        elif kind == "thinking_delta":
            self._add(part, delta.get("thinking"))
        elif kind == "signature_delta":
            self._to.sign(part, text(delta.get("signature")))
        elif kind == "citations_delta":
            self._cite(part, table(delta.get("citation")))
        else:
            self._to.note("delta")

    def _add(self, part: Part, piece: Any) -> None:
        if isinstance(piece, str) and piece:
            self._to.add(part, piece)

    def _cite(self, part: Part, citation: dict[str, Any]) -> None:
        kind = text(citation.get("type"))
        if kind == "web_search_result_location" and text(citation.get("url")):
            self._to.cite(part, Citation(citation["url"], text(citation.get("title"))))
            self._to.note("web_search_result_location.encrypted_index")
        else:
            self._to.note(kind or "citation")

    def _usage(self, said: dict[str, Any]) -> None:
        """Take counts, which are cumulative: input is what the cache had no part in."""
        self._used |= {name: number for name in _USED if (number := count(said.get(name))) is not None}
        self._to.unknown(said, _KNOWN_USAGE, "usage.")
        thinking = count(table(said.get("output_tokens_details")).get("thinking_tokens"))
        if thinking is not None:
            self._used["thinking"] = thinking
        fresh, written, read, output = (self._used.get(name) for name in _USED)
        total = None if fresh is None else fresh + (written or 0) + (read or 0)
        self._to.usage(Usage(total, read, written, output, self._used.get("thinking")))
