"""How OpenAI's Responses API writes the fake provider's replies."""

import itertools

from provider_replies import round_robin
from provider_words import CREATED, STOPS, error_inside, error_of, others


def _responses_usage(reply):
    """Return the usage object."""
    usage = reply.usage
    read = usage["input"] + usage["cached"] + usage["written"]
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": usage["cached"], "cache_write_tokens": usage["written"]},
        "output_tokens": usage["output"],
        "output_tokens_details": {"reasoning_tokens": usage["thinking"]},
        "total_tokens": read + usage["output"],
        **others(usage),
    }


def _item(request, part, number, index):
    """Return the whole output item of a part."""
    name = f"{number:04d}{index:02d}"
    if part.kind in ("thinking", "redacted"):
        shown = part.kind == "thinking" and part.value
        summary = [{"type": "summary_text", "text": part.whole}] if shown else []
        item = {"id": f"rs_{name}", "type": "reasoning", "summary": summary}
        if "reasoning.encrypted_content" in (request.get("include") or ()):
            item["encrypted_content"] = part.more.get("signature") or part.value
        return item
    if part.kind == "call":
        more = part.more
        item = {"id": f"fc_{name}", "type": "function_call", "status": "completed", "arguments": part.arguments}
        return {**item, "call_id": more["identifier"], "name": more["name"], **more["extra"]}
    if part.kind == "raw":
        return part.value
    content = {"type": "output_text", "annotations": [], "logprobs": [], "text": part.whole}
    if part.kind == "refusal":
        content = {"type": "refusal", "refusal": part.whole}
    return {"id": f"msg_{name}", "type": "message", "status": "completed", "content": [content], "role": "assistant"}


def _items(request, reply, number):
    """Return all output items."""
    return [_item(request, part, number, index) for index, part in enumerate(reply.parts)]


def body(request, reply, model, number):
    """Return a whole response."""
    return _response(request, reply, model, number, output=_items(request, reply, number), stop=reply.stop)


def _response(request, reply, model, number, *, output, stop):
    """Return the response object in one of its states: in_progress (stop ""), completed, incomplete, failed."""
    reason = STOPS["responses"].get(stop)
    status = "in_progress" if not stop else "failed" if stop == "failed" else "incomplete" if reason else "completed"
    _, openai, code, _, sentence = error_of(reply, 500)
    error = {"code": code or (openai if reply.error else "server_error"), "message": sentence}
    made = {
        "id": f"resp_{number:04d}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": False,
        "error": error if status == "failed" else None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": request.get("instructions"),
        "max_output_tokens": request.get("max_output_tokens"),
        "model": model,
        "output": output,
        "parallel_tool_calls": request.get("parallel_tool_calls", True),
        "previous_response_id": request.get("previous_response_id"),
        "reasoning": request.get("reasoning") or {"effort": None, "summary": None},
        "store": request.get("store", True),
        "temperature": request.get("temperature", 1.0),
        "text": request.get("text") or {"format": {"type": "text"}},
        "tool_choice": request.get("tool_choice", "auto"),
        "tools": request.get("tools", []),
        "top_p": request.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": _responses_usage(reply) if stop else None,
        "user": None,
        "metadata": request.get("metadata") or {},
    }
    if reply.extras:
        made["future_member"] = {"is": ["unknown", 1]}
    return made


def events(request, reply, model, number):
    """Yield typed events with their sequence numbers."""
    sequence = itertools.count()

    def event(kind, **value):
        if reply.extras:
            value["future_member"] = kind
        return "data", kind, {"type": kind, "sequence_number": next(sequence), **value}

    def whole(stop, output):
        return _response(request, reply, model, number, output=output, stop=stop)

    yield event("response.created", response=whole("", []))
    yield event("response.in_progress", response=whole("", []))
    if reply.extras:
        yield event("response.future_event", said="nobody knows this type")
    rows = [
        _responses_item(event, index, part, _item(request, part, number, index), reply)
        for index, part in enumerate(reply.parts)
    ]
    yield from round_robin(rows) if reply.interleave else itertools.chain(*rows)
    if reply.error and reply.stop != "failed":
        yield error_inside("responses", reply, next(sequence))
        return
    response = whole(reply.stop, _items(request, reply, number))
    yield event(f"response.{response['status']}", response=response)


def _responses_item(event, index, part, item, reply):
    """Yield the events of one output item, from added to done."""
    place = {"item_id": item.get("id"), "output_index": index}
    empty = {"message": {"content": []}, "function_call": {"arguments": ""}, "reasoning": {"summary": []}}
    started = {**item, **(empty.get(item.get("type"), {}) if part.kind != "raw" else {})}
    if "status" in started:
        started["status"] = "in_progress"
    yield event("response.output_item.added", output_index=index, item=started)
    if part.kind == "thinking" and item["summary"]:
        at = {**place, "summary_index": 0}
        full = item["summary"][0]
        yield event("response.reasoning_summary_part.added", **at, part={**full, "text": ""})
        for piece in part.pieces(reply.size):
            yield event("response.reasoning_summary_text.delta", **at, delta=piece)
        yield event("response.reasoning_summary_text.done", **at, text=full["text"])
        yield event("response.reasoning_summary_part.done", **at, part=full)
    elif part.kind == "call":
        for start in range(0, len(part.arguments), reply.size):
            piece = part.arguments[start : start + reply.size]
            yield event("response.function_call_arguments.delta", **place, delta=piece, obfuscation="x" * (start % 5))
        yield event("response.function_call_arguments.done", **place, arguments=part.arguments)
    elif part.kind in ("text", "refusal"):
        at = {**place, "content_index": 0}
        full = item["content"][0]
        member = "refusal" if part.kind == "refusal" else "text"
        kind = "response.refusal" if part.kind == "refusal" else "response.output_text"
        more = {} if part.kind == "refusal" else {"logprobs": []}
        yield event("response.content_part.added", **at, part={**full, member: ""})
        for piece in part.pieces(reply.size):
            yield event(f"{kind}.delta", **at, delta=piece, **more)
        yield event(f"{kind}.done", **at, **{member: full[member]}, **more)
        yield event("response.content_part.done", **at, part=full)
    yield event("response.output_item.done", output_index=index, item=item)
