"""Read answers of OpenAI Responses: typed events about output items, and the whole response in the last of them."""

from __future__ import annotations

from headroom_cli.convert.answers import _faults
from headroom_cli.convert.answers._neutral import (
    CALLS,
    END,
    LENGTH,
    REDACTED,
    REFUSAL,
    Citation,
    Part,
    Usage,
    count,
    rows,
    table,
    text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.convert.answers._neutral import Writer

REASONS = {"max_output_tokens": LENGTH, "content_filter": REFUSAL}
_CONTENT = {"output_text": "text", "refusal": "refusal", "reasoning_text": "thinking"}
_CALLS = {"function_call": "call", "custom_tool_call": "custom"}
# Events that begin, end or carry something that another event says as well, or that only tell of progress.
_SILENT = frozenset(
    (
        "response.in_progress",
        "response.queued",
        "response.reasoning_summary_part.done",
        "response.reasoning_summary_text.done",
        "response.reasoning_text.done",
        "keepalive",
    )
)
# What is read of a response, and what only repeats its request; of other members a note is made.
_KNOWN = frozenset(
    (
        "id", "object", "created_at", "completed_at", "status", "error", "incomplete_details", "model", "output",
        "usage", "instructions", "metadata", "parallel_tool_calls", "temperature", "tool_choice", "tools", "top_p",
        "background",
        "max_output_tokens", "max_tool_calls", "previous_response_id", "prompt", "prompt_cache_key",
        "prompt_cache_options", "prompt_cache_retention", "reasoning", "safety_identifier", "store", "text",
        "top_logprobs", "truncation", "user", "access_programs", "image", "frequency_penalty", "presence_penalty",
    )
)  # fmt: skip


class Reader:
    """Tells a writer what events, or a whole answer, say."""

    def __init__(self, writer: Writer) -> None:
        """Tell ``writer``."""
        self._to = writer
        self._parts: dict[Any, Part] = {}  # open: by item and content index, thinking and calls by item alone
        self._summary: dict[Any, Any] = {}  # the part of a summary that its item's thinking is at
        self._started = False
        self._called = False
        self._met: set[Any] = set()  # items whose end has come, or that have begun

    def take(self, value: dict[str, Any], _data: str | None) -> None:
        """Take one event."""
        kind = text(value.get("type"))
        item = value.get("output_index")
        item = item if isinstance(item, int) else text(value.get("item_id"))
        delta = text(value.get("delta"))
        place = (item, count(value.get("content_index")) or 0)
        if kind in {"response.output_text.delta", "response.refusal.delta"}:
            self._add(self._content(place, "text" if "text" in kind else "refusal"), delta)
        elif kind in {"response.function_call_arguments.delta", "response.custom_tool_call_input.delta"}:
            if item in self._parts:
                self._add(self._parts[item], delta)
        elif kind in {"response.reasoning_summary_text.delta", "response.reasoning_text.delta"}:
            index = "summary_index" if "summary" in kind else "content_index"
            self._think(item, (index, value.get(index)), delta)
        elif kind in {"response.output_text.done", "response.refusal.done"}:
            part = self._content(place, "text" if "text" in kind else "refusal")
            self._rest(part, value.get("text") if part.kind == "text" else value.get("refusal"))
        elif kind in {"response.function_call_arguments.done", "response.custom_tool_call_input.done"}:
            if item in self._parts:
                self._rest(self._parts[item], value.get("arguments") or value.get("input"))
        elif kind == "response.output_text.annotation.added":
            self._cite(self._content(place, "text"), table(value.get("annotation")))
        elif kind == "response.output_item.added":
            self._begin(item, table(value.get("item")))
        elif kind == "response.output_item.done":
            self._end(item, table(value.get("item")))
        elif kind == "response.content_part.added":
            self._part_begins(place, table(value.get("part")))
        elif kind == "response.content_part.done":
            self._part_ends(place, table(value.get("part")))
        elif kind == "response.created":
            self._start(table(value.get("response")))
        elif kind in {"response.completed", "response.incomplete"}:
            self._finish(table(value.get("response")))
        elif kind in {"response.failed", "response.cancelled"}:
            self._failed(table(value.get("response")))
        elif kind == "error":
            self._to.fail(_faults.read(value))
        elif kind not in _SILENT and not kind.startswith("response.reasoning_summary_part."):
            # Events about items that are left out: the item itself is in the table.
            self._to.note("event")

    def body(self, value: dict[str, Any]) -> None:
        """Take a whole answer."""
        if text(value.get("status")) in {"failed", "cancelled"} or ("output" not in value and value.get("error")):
            self._failed(value)
        else:
            self._finish(value)

    def end(self) -> None:
        """Do nothing: the last event of a stream has the whole answer in it."""

    def _start(self, response: dict[str, Any]) -> None:
        if not self._started:
            self._started = True
            created = response.get("created_at")
            created = int(created) if isinstance(created, (int, float)) and 0 <= created < 1e15 else None
            self._to.start(text(response.get("id")), text(response.get("model")), created)

    def _failed(self, response: dict[str, Any]) -> None:
        said = response.get("error") or {"message": "the response was cancelled", "code": "cancelled"}
        self._to.fail(_faults.read({"error": said}))

    def _finish(self, response: dict[str, Any]) -> None:
        self._start(response)
        if not self._met:  # a whole answer, or a stream of no more than its end
            for index, item in enumerate(rows(response.get("output"))):
                self._end(index, item)
        for part in self._parts.values():
            self._to.shut(part)
        self._parts.clear()
        self._to.unknown(response, _KNOWN)
        used = table(response.get("usage"))
        before, after = table(used.get("input_tokens_details")), table(used.get("output_tokens_details"))
        if used:
            if table(before.get("cache_write_tokens_details")):
                self._to.note("usage details")
            self._to.usage(
                Usage(
                    count(used.get("input_tokens")),
                    count(before.get("cached_tokens")),
                    count(before.get("cache_write_tokens")),
                    count(used.get("output_tokens")),
                    count(after.get("reasoning_tokens")),
                )
            )
        reason = CALLS if self._called else END
        if response.get("status") == "incomplete":
            said = text(table(response.get("incomplete_details")).get("reason"))
            if said not in REASONS:
                self._to.note("incomplete_details")
            reason = REASONS.get(said, LENGTH)
        self._to.stop(reason)
        self._to.finish()

    # Items

    def _begin(self, item: Any, value: dict[str, Any]) -> None:
        self._start({})
        kind = _CALLS.get(text(value.get("type")))
        if kind is not None and item not in self._parts:
            self._met.add(item)
            self._called = True
            part = Part(kind, identifier=text(value.get("call_id")), name=text(value.get("name")))
            self._to.open(part)
            self._parts[item] = part
            for name in ("caller", "namespace", "async"):
                if value.get(name) and table(value[name]).get("type") != "direct":
                    self._to.note(f"function_call.{name}")

    def _end(self, item: Any, value: dict[str, Any]) -> None:
        """End an item; whatever of it no event has brought comes from the item itself."""
        self._start({})
        kind = text(value.get("type"))
        if kind == "message":
            self._met.add(item)
            if value.get("phase"):
                self._to.note("message.phase")
            for index, piece in enumerate(rows(value.get("content"))):
                self._part_ends((item, index), piece)
        elif kind == "reasoning":
            self._reasoned(item, value)
        elif kind in _CALLS:
            self._begin(item, value)
            part = self._parts.pop(item)
            self._rest(part, value.get("arguments") if part.kind == "call" else value.get("input"))
            self._to.shut(part)
        else:
            self._to.note(kind or "item")

    def _reasoned(self, item: Any, value: dict[str, Any]) -> None:
        signature = text(value.get("encrypted_content"))
        texts = [("summary_index", row.get("text")) for row in rows(value.get("summary"))]
        texts += [("content_index", row.get("text")) for row in rows(value.get("content"))]
        self._met.add(item)
        if item not in self._parts and signature.startswith(REDACTED) and not texts:
            part = Part("redacted", signature=signature[len(REDACTED) :])
            self._to.open(part)
            self._to.shut(part)
            return
        if item not in self._parts:
            for index, (name, piece) in enumerate(texts):
                self._think(item, (name, index), text(piece))
        if signature and item not in self._parts:
            self._open(item, Part("thinking"))
        if item not in self._parts:
            self._to.note("reasoning without content")
            return
        part = self._parts.pop(item)
        if signature:
            self._to.sign(part, signature)
        self._to.shut(part)

    # Parts of items

    def _open(self, key: Any, part: Part) -> Part:
        self._start({})
        self._met.add(key[0] if isinstance(key, tuple) else key)
        self._parts[key] = part
        self._to.open(part)
        return part

    def _content(self, place: Any, kind: str) -> Part:
        """Return the open part of a message at a place."""
        part = self._parts.get(place)
        return self._open(place, Part(kind)) if part is None else part

    def _part_begins(self, place: Any, part: dict[str, Any]) -> None:
        kind = _CONTENT.get(text(part.get("type")))
        if kind in {"text", "refusal"}:
            self._content(place, kind)
        elif kind is None:
            self._to.note("content part")

    def _part_ends(self, place: Any, value: dict[str, Any]) -> None:
        kind = _CONTENT.get(text(value.get("type")))
        if kind is None:
            self._to.note("content part")
        if kind not in {"text", "refusal"} or ("ended", place) in self._met:
            return
        self._met.add(("ended", place))
        part = self._content(place, kind)
        self._rest(part, value.get("text") if kind == "text" else value.get("refusal"))
        if not part.citations:
            for annotation in rows(value.get("annotations")):
                self._cite(part, annotation)
        if value.get("logprobs"):
            self._to.note("logprobs")
        self._to.shut(part)
        del self._parts[place]

    def _think(self, item: Any, at: Any, piece: str) -> None:
        """Add to an item's thinking; the parts of a summary become paragraphs of it."""
        if not piece:
            return
        part = self._parts.get(item)
        if part is None:
            part = self._open(item, Part("thinking"))
        elif self._summary.get(item) != at:
            self._to.add(part, "\n\n")
        self._summary[item] = at
        self._to.add(part, piece)

    def _add(self, part: Part, piece: str) -> None:
        if piece:
            self._to.add(part, piece)

    def _rest(self, part: Part, whole: Any) -> None:
        """Add a text of which no piece has come."""
        if not part.size:
            self._add(part, text(whole))

    def _cite(self, part: Part, annotation: dict[str, Any]) -> None:
        kind = text(annotation.get("type"))
        if kind == "url_citation" and text(annotation.get("url")):
            start, end = count(annotation.get("start_index")) or 0, count(annotation.get("end_index"))
            self._to.cite(part, Citation(annotation["url"], text(annotation.get("title")), start, end))
        else:
            self._to.note(kind or "annotation")
