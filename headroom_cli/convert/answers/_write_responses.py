"""Write answers of OpenAI Responses.

The last event has the whole response in it, so the text is kept until then: the one target where memory grows with the
answer. Thinking becomes a reasoning item, its text the summary and its signature ``encrypted_content``; the data of a
redacted block stands there behind the word ``redacted_thinking:``. What a request has and an answer repeats (tools,
tool_choice, parallel_tool_calls) is not known here and has its default.
"""

from __future__ import annotations

from headroom_cli.convert.answers import _faults
from headroom_cli.convert.answers._neutral import CUT, LENGTH, REDACTED, REFUSAL, WINDOW, Part, Usage, Writer, event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_REASONS = {LENGTH: "max_output_tokens", WINDOW: "max_output_tokens", REFUSAL: "content_filter"}
_MESSAGE = ("text", "refusal")


class Item:
    """One item of the output: texts that follow each other are one message, every other part is an item of its own."""

    __slots__ = ("identifier", "index", "kind", "parts")

    def __init__(self, kind: str, identifier: str, index: int) -> None:
        """Hold one."""
        self.kind = kind
        self.identifier = identifier
        self.index = index
        self.parts: list[Part] = []


def _place(items: list[Item], part: Part, stem: str) -> bool:
    """Give a part its item; tell whether that is a new one."""
    new = part.kind not in _MESSAGE or not items or items[-1].kind != "msg"
    if new:
        kinds = {"call": "fc", "custom": "ctc", "thinking": "rs", "redacted": "rs"}
        kind = kinds.get(part.kind, "msg")
        items.append(Item(kind, f"{kind}_{stem}_{len(items)}", len(items)))
    part.place = (items[-1], len(items[-1].parts))
    items[-1].parts.append(part)
    return new


def body(answer: Writer) -> dict[str, Any]:
    """Return a whole answer."""
    items: list[Item] = []
    for part in answer.parts:
        _place(items, part, answer.identifier)
    return _response(answer, items)


def fault(found: _faults.Fault) -> dict[str, Any]:
    """Return an error instead of an answer."""
    return _faults.openai(found)


def _response(answer: Writer, items: list[Item]) -> dict[str, Any]:
    cut = _REASONS.get(answer.reason)
    last = items[-1] if items else None
    found = _shell(answer, "incomplete" if cut else "completed")
    found["incomplete_details"] = {"reason": cut} if cut else None
    found["output"] = [_item(item, "incomplete" if cut and item is last else "completed") for item in items]
    found["usage"] = _usage(answer.used)
    return found


def _shell(answer: Writer, status: str) -> dict[str, Any]:
    """Return a response without its output."""
    return {
        "id": f"resp_{answer.identifier}",
        "object": "response",
        "created_at": answer.created,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": answer.model,
        "output": [],
        "parallel_tool_calls": True,
        "temperature": None,
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "usage": None,
    }


def _usage(used: Usage) -> dict[str, Any]:
    """Count input as OpenAI does: the cache's part is included. All counts are required; what was not said is 0."""
    total, output = used.total or 0, used.output or 0
    return {
        "input_tokens": total,
        "input_tokens_details": {"cached_tokens": used.read or 0, "cache_write_tokens": used.written or 0},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": used.thinking or 0},
        "total_tokens": total + output,
    }


def _annotations(part: Part) -> list[dict[str, Any]]:
    return [
        {"type": "url_citation", "start_index": found.start, "end_index": found.end or 0,
         "title": found.title, "url": found.url}
        for found in part.citations
    ]  # fmt: skip


def _content(part: Part) -> dict[str, Any]:
    if part.kind == "refusal":
        return {"type": "refusal", "refusal": part.text}
    return {"type": "output_text", "text": part.text, "annotations": _annotations(part), "logprobs": []}


def _item(item: Item, status: str) -> dict[str, Any]:
    """Return an item with all that is in it. Only a message can be cut short: the others end before the answer does."""
    part = item.parts[0] if item.parts else Part("text")
    if item.kind == "msg":
        content = [_content(part) for part in item.parts]
        return {"id": item.identifier, "type": "message", "status": status, "role": "assistant", "content": content}
    if item.kind == "rs":
        found: dict[str, Any] = {"id": item.identifier, "type": "reasoning", "summary": []}
        if part.text:
            found["summary"] = [{"type": "summary_text", "text": part.text}]
        if part.signature:
            found["encrypted_content"] = (REDACTED if part.kind == "redacted" else "") + part.signature
        return found
    head = {"id": item.identifier, "call_id": part.identifier, "name": part.name}
    if item.kind == "ctc":
        return {**head, "type": "custom_tool_call", "input": part.text}
    return {**head, "type": "function_call", "arguments": part.text, "status": "completed"}


class Stream(Writer):
    """Writes typed events as the source's come, each with its number."""

    def __init__(self, model: str, now: int) -> None:
        """Begin with nothing."""
        super().__init__(model, now)
        self._number = 0
        self._begun = False
        self._items: list[Item] = []
        self._message: Item | None = None  # the message that is open

    def start(self, identifier: str, model: str, created: int | None) -> None:
        """Begin the response."""
        super().start(identifier, model, created)
        self._begun = True
        for kind in ("created", "in_progress"):
            self._put(f"response.{kind}", response=_shell(self, "in_progress"))

    def open(self, part: Part) -> None:
        """Begin a part, and the item that it is in."""
        super().open(part)
        if part.kind not in _MESSAGE:
            self._end_message("completed")
        if _place(self._items, part, self.identifier):
            item = self._items[-1]
            self._put("response.output_item.added", output_index=item.index, item=self._empty(item))
            self._message = item if item.kind == "msg" else None
        if part.kind in _MESSAGE:
            self._put("response.content_part.added", **self._at(part), part=_content(part))

    def add(self, part: Part, piece: str) -> None:
        """Add to a part."""
        first = not part.size
        super().add(part, piece)
        if part.kind == "text":
            self._put("response.output_text.delta", **self._at(part), delta=piece, logprobs=[])
        elif part.kind == "refusal":
            self._put("response.refusal.delta", **self._at(part), delta=piece)
        elif part.kind == "thinking":
            at = self._item_at(part) | {"summary_index": 0}
            if first:
                empty = {"type": "summary_text", "text": ""}
                self._put("response.reasoning_summary_part.added", **at, part=empty)
            self._put("response.reasoning_summary_text.delta", **at, delta=piece)
        elif part.kind == "custom":
            self._put("response.custom_tool_call_input.delta", **self._item_at(part), delta=piece)
        else:
            self._put("response.function_call_arguments.delta", **self._item_at(part), delta=piece)

    def shut(self, part: Part) -> None:
        """End a part, and its item when there is no more to come."""
        super().shut(part)
        part.pieces = [part.text]  # it is needed again, whole
        item = part.place[0]
        if part.kind in _MESSAGE:
            self._end_content(part)
            return
        if part.kind == "thinking" and part.size:
            at, whole = self._item_at(part) | {"summary_index": 0}, part.text
            self._put("response.reasoning_summary_text.done", **at, text=whole)
            self._put("response.reasoning_summary_part.done", **at, part={"type": "summary_text", "text": whole})
        elif part.kind == "custom":
            self._put("response.custom_tool_call_input.done", **self._item_at(part), input=part.text)
        elif part.kind == "call":
            at = self._item_at(part)
            self._put("response.function_call_arguments.done", **at, name=part.name, arguments=part.text)
        self._put("response.output_item.done", output_index=item.index, item=_item(item, "completed"))

    def fail(self, fault: _faults.Fault) -> None:
        """Report an error: the event that says so, and for clients that wait for the response's end its failure."""
        super().fail(fault)
        code, message = _faults.code_for(fault) or "server_error", fault.message
        details = {"details": fault.details} if fault.details else {}
        self._put("error", code=code, message=message, param=fault.param, **details)
        if self._begun:
            error = {"code": code, "message": message}
            self._put("response.failed", response={**_shell(self, "failed"), "error": error})

    def finish(self) -> None:
        """End the response."""
        super().finish()
        cut = self.reason in CUT
        last = self._items[-1] if self._items else None
        self._end_message("incomplete" if cut and self._message is last else "completed")
        response = _response(self, self._items)
        self._put(f"response.{response['status']}", response=response)

    def _empty(self, item: Item) -> dict[str, Any]:
        """Return an item as it is announced."""
        parts, item.parts = item.parts, [] if item.kind == "msg" else item.parts
        found = _item(item, "in_progress")
        item.parts = parts
        found.pop("encrypted_content", None)
        return {**found, "status": "in_progress"} if item.kind == "fc" else found

    def _end_content(self, part: Part) -> None:
        at = self._at(part)
        if part.kind == "refusal":
            self._put("response.refusal.done", **at, refusal=part.text)
        else:
            for index, annotation in enumerate(_annotations(part)):
                name = "response.output_text.annotation.added"
                self._put(name, **at, annotation_index=index, annotation=annotation)
            self._put("response.output_text.done", **at, text=part.text, logprobs=[])
        self._put("response.content_part.done", **at, part=_content(part))

    def _end_message(self, status: str) -> None:
        if self._message is not None:
            item = self._message
            self._put("response.output_item.done", output_index=item.index, item=_item(item, status))
            self._message = None

    @staticmethod
    def _item_at(part: Part) -> dict[str, Any]:
        item = part.place[0]
        return {"item_id": item.identifier, "output_index": item.index}

    def _at(self, part: Part) -> dict[str, Any]:
        return {**self._item_at(part), "content_index": part.place[1]}

    def _put(self, kind: str, **members: Any) -> None:
        self.out.append(event({"type": kind, "sequence_number": self._number, **members}, kind))
        self._number += 1
