"""Read answers of Chat Completions, and what gateways add to them.

Reasoning is no part of OpenAI's Chat. Gateways write it as ``reasoning_content`` (DeepSeek, vLLM, LiteLLM) or
``reasoning`` (OpenRouter, Groq), and what the provider wants back of it as ``thinking_blocks`` (LiteLLM: Anthropic's
blocks in pieces or whole) or ``reasoning_details`` (OpenRouter). Where a piece comes in two of these it counts once.
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
    Balance,
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
    "stop": END, "length": LENGTH, "tool_calls": CALLS, "function_call": CALLS, "content_filter": REFUSAL,
}  # fmt: skip
# The model's own reason, as OpenRouter names it beside Chat's; told apart here only where Chat has one word for two.
NATIVE = {
    "stop_sequence": SEQUENCE, "pause_turn": PAUSE, "model_context_window_exceeded": WINDOW, "refusal": REFUSAL,
}  # fmt: skip
_COUNTS = frozenset(("cached_tokens", "cache_write_tokens", "reasoning_tokens"))
# What is read of an answer or chunk, of a choice, and of a message or delta; of other members a note is made.
_KNOWN = frozenset(("id", "object", "created", "model", "choices", "usage", "error", "obfuscation"))
_CHOICE = frozenset(("index", "delta", "message", "finish_reason", "native_finish_reason", "error"))
_MESSAGE = frozenset(
    ("role", "content", "refusal", "annotations", "tool_calls", "function_call", "reasoning_content", "reasoning",
     "reasoning_details", "thinking_blocks")
)  # fmt: skip


class Reader:
    """Tells a writer what chunks, or a whole answer, say."""

    def __init__(self, writer: Writer) -> None:
        """Tell ``writer``."""
        self._to = writer
        self._started = False
        self._identifier = ""
        self._said: Part | None = None  # the open part that is no call
        self._length = 0  # of the content so far
        self._begin = 0  # where in the content the open text begins
        self._repeated = 0  # characters of the open thinking that came outside of thinking_blocks
        self._calls: dict[Any, Part] = {}
        self._open: dict[Part, Balance] = {}
        self._unnamed: list[Part] = []  # calls whose names may go on in later pieces
        self._reason = ""
        self._ended = False

    def take(self, value: dict[str, Any], data: str | None) -> None:
        """Take one chunk, or the ``[DONE]`` behind the last."""
        if data is not None and data.strip() == "[DONE]":
            self.end()
            return
        if value.get("error"):
            self._to.fail(_faults.read({"error": value["error"]}))
            return
        choices = rows(value.get("choices"))
        if choices:  # Azure's first chunk has none, and neither id nor model
            self._start(value)
        for choice in choices:
            self._choice(choice, table(choice.get("delta")))
        self._more(value)

    def body(self, value: dict[str, Any]) -> None:
        """Take a whole answer."""
        choices = rows(value.get("choices"))
        if not choices and value.get("error"):
            self._to.fail(_faults.read({"error": value["error"]}))
            return
        self._start(value)
        for choice in choices:
            if value.get("error") or choice.get("error"):  # OpenRouter: the model had begun
                self._to.fail(_faults.read({"error": value.get("error") or choice["error"]}))
                return
            message = table(choice.get("message"))
            calls = [{"index": index, **call} for index, call in enumerate(rows(message.get("tool_calls")))]
            self._choice(choice, {**message, "tool_calls": calls})
        self._more(value)
        self._reason = self._reason or "stop"
        self.end()

    def end(self) -> None:
        """Come to the proper end; nothing, where no chunk has said why the model stopped."""
        if not self._reason or self._ended:
            return
        self._ended = True
        self._leave()
        for part in list(self._open):
            self._close(part)
        reason = REASONS.get(self._reason) or NATIVE.get(self._reason, END)
        # Some servers say "stop" whatever the model called.
        self._to.stop(CALLS if reason == END and self._calls else reason)
        self._to.finish()

    def _start(self, value: dict[str, Any]) -> None:
        if not self._started:
            self._started = True
            self._to.start(text(value.get("id")), text(value.get("model")), count(value.get("created")))

    def _more(self, value: dict[str, Any]) -> None:
        self._to.unknown(value, _KNOWN)
        used = table(value.get("usage"))
        if used:
            before, after = table(used.get("prompt_tokens_details")), table(used.get("completion_tokens_details"))
            if any(count(number) for name, number in (before | after).items() if name not in _COUNTS):
                self._to.note("usage details")
            self._to.usage(
                Usage(
                    count(used.get("prompt_tokens")),
                    count(before.get("cached_tokens")),
                    count(before.get("cache_write_tokens")),
                    count(used.get("completion_tokens")),
                    count(after.get("reasoning_tokens")),
                )
            )

    def _choice(self, choice: dict[str, Any], said: dict[str, Any]) -> None:
        """Take one choice of a chunk or an answer: ``said`` is its delta or its message."""
        if choice.get("index"):
            self._to.note("choices beyond the first")
            return
        self._thinking(said)
        content = said.get("content")
        if isinstance(content, list):  # Mistral
            content = "".join(self._piece(row) for row in rows(content))
        if isinstance(content, str) and content:
            self._to.add(self._enter("text"), content)
            self._length += len(content)
        if text(said.get("refusal")):
            self._to.add(self._enter("refusal"), said["refusal"])
        for row in rows(said.get("annotations")):
            self._cite(row)
        for call in rows(said.get("tool_calls")):
            self._take_call(call)
        if table(said.get("function_call")):
            self._take_call({"index": 0, "function": said["function_call"]})
        self._to.unknown(said, _MESSAGE)
        self._to.unknown(choice, _CHOICE)
        reason = text(choice.get("finish_reason"))
        if reason == "error":  # OpenRouter, should it say no more
            self._to.fail(_faults.Fault(502, "the model stopped with an error"))
        elif reason:
            native = text(choice.get("native_finish_reason"))
            if reason not in REASONS:
                self._to.note("finish_reason")
            self._reason = native if native in NATIVE and REASONS.get(reason) != CALLS else reason

    def _piece(self, row: dict[str, Any]) -> str:
        """Return the text of a part of a content that is a list."""
        if row.get("type") == "thinking":
            thought = "".join(text(piece.get("text")) for piece in rows(row.get("thinking")))
            if thought:
                self._to.add(self._enter("thinking"), thought)
        elif row.get("type") == "text":
            return text(row.get("text"))
        else:
            self._to.note("content part")
        return ""

    def _enter(self, kind: str) -> Part:
        """Return the open part of this kind; another that is open ends here."""
        part = self._said
        if part is None or part.kind != kind:
            self._leave()
            self._settle()
            part = self._said = Part(kind)
            self._repeated = 0
            self._begin = self._length
            self._to.open(part)
        return part

    def _leave(self) -> None:
        if self._said is not None:
            self._to.shut(self._said)
            self._said = None

    # Reasoning

    def _thinking(self, said: dict[str, Any]) -> None:
        details = rows(said.get("reasoning_details"))
        blocks = rows(said.get("thinking_blocks"))
        for detail in details:
            self._detail(detail)
        # A chunk may have a piece in two of the members. Plain text counts where the others do not repeat it.
        plain = next((said[name] for name in ("reasoning_content", "reasoning") if text(said.get(name))), "")
        if plain and not any(text(row.get("text") or row.get("summary")) for row in details):
            held = "".join(text(block.get("thinking")) for block in blocks)
            if held != plain:
                part = self._enter("thinking")
                self._to.add(part, plain)
                self._repeated += len(plain)
        for block in blocks:
            if block.get("type") == "redacted_thinking":
                self._redacted(text(block.get("data")))
            else:
                self._thought(text(block.get("thinking")), text(block.get("signature")))

    def _detail(self, detail: dict[str, Any]) -> None:
        """Take a piece as OpenRouter writes it; ``format`` names the provider whose form the data has."""
        kind = text(detail.get("type"))
        if kind == "reasoning.encrypted":
            data = text(detail.get("data"))
            if text(detail.get("format")).startswith("anthropic"):
                self._redacted(data)
            elif data:
                self._thought("", data)
        elif kind in {"reasoning.text", "reasoning.summary"}:
            self._thought(text(detail.get("text")) or text(detail.get("summary")), text(detail.get("signature")))
        else:
            self._to.note("reasoning_details")

    def _thought(self, piece: str, signature: str) -> None:
        if not piece and not signature:
            return
        part = self._enter("thinking")
        # A whole block behind the pieces of its text brings only the signature.
        if piece and len(piece) != self._repeated:
            self._to.add(part, piece)
        if signature:
            self._to.sign(part, signature)
            self._leave()

    def _redacted(self, data: str) -> None:
        self._leave()
        self._settle()
        part = Part("redacted", signature=data)
        self._to.open(part)
        self._to.shut(part)

    # Calls

    def _take_call(self, call: dict[str, Any]) -> None:
        """Take a call or a piece of one. Its index says which; without one, a new id begins a call."""
        custom = table(call.get("custom"))
        function = custom or table(call.get("function"))
        identifier = text(call.get("id"))
        key: Any = call.get("index")
        if not isinstance(key, int):
            key = identifier or (next(reversed(self._calls)) if self._calls else 0)
        part = self._calls.get(key)
        if part is None or (identifier and part.identifier and identifier != part.identifier):  # Gemini: always index 0
            self._leave()
            self._settle()
            kind = "custom" if custom or call.get("type") == "custom" else "call"
            part = Part(kind, identifier=identifier, name=text(function.get("name")))
            self._calls[key] = part
            self._open[part] = Balance()
            self._unnamed.append(part)
        elif part in self._unnamed and text(function.get("name")) not in {"", part.name}:
            part.name += text(function.get("name"))
        piece = function.get("input" if part.kind == "custom" else "arguments")
        if isinstance(piece, dict):  # Ollama and others give the object itself
            piece = dump(piece)
        if not isinstance(piece, str) or not piece:
            return
        if part in self._unnamed:
            if not piece.strip():
                return  # no arguments yet, whatever the server sends in their place
            self._named(part)
        if part in self._open:
            self._open[part].feed(piece)
            self._to.add(part, piece)
        elif piece.strip():
            self._to.note("arguments behind their end")

    def _settle(self) -> None:
        """End the calls whose arguments are complete: something else begins. Others go on beside it."""
        for part, balance in list(self._open.items()):
            if balance.complete and part.kind == "call":
                self._close(part)

    def _named(self, last: Part) -> None:
        """Open the calls up to this one: their names are known by now."""
        while last in self._unnamed:
            self._to.open(self._unnamed.pop(0))

    def _close(self, part: Part) -> None:
        self._named(part)
        del self._open[part]
        self._to.shut(part)

    def _cite(self, row: dict[str, Any]) -> None:
        """Take a citation; its place counts from the start of the content."""
        found = table(row.get("url_citation"))
        if not text(found.get("url")) or self._said is None or self._said.kind != "text":
            self._to.note("annotation")
            return
        start = (count(found.get("start_index")) or 0) - self._begin
        end = count(found.get("end_index"))
        place = (max(0, start), None if end is None else max(0, end - self._begin))
        self._to.cite(self._said, Citation(found["url"], text(found.get("title")), *place))
