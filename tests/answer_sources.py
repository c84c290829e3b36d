"""Answers as the three providers give them, from a list of parts: whole, and as the stream of the same answer."""

import json


def cut(text, rng):
    """Return a text in pieces, as a model gives it."""
    if not text:
        return []
    points = sorted(rng.sample(range(1, len(text)), min(len(text) - 1, rng.randrange(4)))) if len(text) > 1 else []
    return [text[a:b] for a, b in zip([0, *points], [*points, len(text)], strict=True)]


def anthropic_block(part):
    kind = part["kind"]
    if kind == "text":
        return {"type": "text", "text": part["text"]}
    if kind == "thinking":
        return {"type": "thinking", "thinking": part["text"], "signature": part["signature"]}
    if kind == "redacted":
        return {"type": "redacted_thinking", "data": part["signature"]}
    return {"type": "tool_use", "id": part["id"], "name": part["name"], "input": part["input"]}


def anthropic_body(parts, reason="end_turn", usage=None):
    return {
        "id": "msg_01abc", "type": "message", "role": "assistant", "model": "claude-opus-5-5",
        "content": [anthropic_block(part) for part in parts], "stop_reason": reason,
        "stop_sequence": "END" if reason == "stop_sequence" else None,
        "usage": usage or {"input_tokens": 7, "output_tokens": 5},
    }  # fmt: skip


def anthropic_stream(body, rng):
    usage = body["usage"]
    head = {**body, "content": [], "stop_reason": None, "stop_sequence": None, "usage": {**usage, "output_tokens": 1}}
    yield {"type": "message_start", "message": head}
    yield {"type": "ping"}
    for index, block in enumerate(body["content"]):
        at = {"index": index}
        kind = block["type"]
        deltas = []
        if kind == "text":
            first = {"type": "text", "text": ""}
            deltas = [{"type": "text_delta", "text": piece} for piece in cut(block["text"], rng)]
            deltas += [{"type": "citations_delta", "citation": citation} for citation in block.get("citations", [])]
        elif kind == "thinking":
            first = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in cut(block["thinking"], rng)]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        elif kind == "tool_use":
            first = {**block, "input": {}}
            pieces = cut(json.dumps(block["input"]), rng) if block["input"] else [""]
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        else:
            first = block
        yield {"type": "content_block_start", **at, "content_block": first}
        for delta in deltas:
            yield {"type": "content_block_delta", **at, "delta": delta}
        yield {"type": "content_block_stop", **at}
    delta = {"stop_reason": body["stop_reason"], "stop_sequence": body["stop_sequence"]}
    if "stop_details" in body:
        delta["stop_details"] = body["stop_details"]
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": usage["output_tokens"]}}
    yield {"type": "message_stop"}


def chat_body(parts, reason=None, usage=None):
    message = {"role": "assistant", "content": "".join(p["text"] for p in parts if p["kind"] == "text") or None}
    message["refusal"] = "".join(p["text"] for p in parts if p["kind"] == "refusal") or None
    thought = "".join(p["text"] for p in parts if p["kind"] == "thinking")
    if thought:
        message["reasoning_content"] = thought
    calls = [
        {"id": p["id"], "type": "function", "function": {"name": p["name"], "arguments": json.dumps(p["input"])}}
        for p in parts if p["kind"] == "call"
    ]  # fmt: skip
    if calls:
        message["tool_calls"] = calls
    return {
        "id": "chatcmpl-9xyz", "object": "chat.completion", "created": 1_740_000_000, "model": "gpt-6-astra",
        "choices": [{
            "index": 0, "message": message, "logprobs": None,
            "finish_reason": reason or ("tool_calls" if calls else "stop"),
        }],
        "usage": usage or {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
    }  # fmt: skip


def chat_stream(body, rng, *, mixed=False):
    head = {name: body[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    choice = body["choices"][0]
    message = choice["message"]

    def chunk(delta, reason=None):
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], "usage": None}

    yield chunk({"role": "assistant", "content": ""})
    for name in ("reasoning_content", "content", "refusal"):
        for piece in cut(message.get(name) or "", rng):
            yield chunk({name: piece})
    queues = []
    for index, call in enumerate(message.get("tool_calls", [])):
        first = {**call, "index": index, "function": {**call["function"], "arguments": ""}}
        pieces = cut(call["function"]["arguments"], rng)
        queues.append([first] + [{"index": index, "function": {"arguments": piece}} for piece in pieces])
    while any(queues):
        first = next(queue for queue in queues if queue)
        queue = rng.choice([queue for queue in queues if queue]) if mixed else first
        piece = queue.pop(0)
        yield chunk({"tool_calls": [piece]})
    yield chunk({}, choice["finish_reason"])
    yield {**head, "choices": [], "usage": body["usage"]}
    yield "[DONE]"


def responses_body(parts, cut_by=None, usage=None):
    output = []
    for part in parts:
        kind, at = part["kind"], len(output)
        if kind in {"text", "refusal"}:
            piece = (
                {"type": "output_text", "text": part["text"], "annotations": part.get("annotations", [])}
                if kind == "text" else {"type": "refusal", "refusal": part["text"]}
            )  # fmt: skip
            output.append({"id": f"m{at}", "type": "message", "role": "assistant", "status": "completed",
                           "content": [piece]})  # fmt: skip
        elif kind == "thinking":
            output.append(
                {
                    "id": f"r{at}",
                    "type": "reasoning",
                    "encrypted_content": part["signature"],
                    "summary": [{"type": "summary_text", "text": part["text"]}] if part["text"] else [],
                }
            )
        elif kind == "call":
            output.append({"id": f"f{at}", "type": "function_call", "call_id": part["id"], "name": part["name"],
                           "arguments": json.dumps(part["input"]), "status": "completed"})  # fmt: skip
    return {
        "id": "resp_77", "object": "response", "created_at": 1_741_000_000, "model": "gpt-6-astra", "error": None,
        "status": "incomplete" if cut_by else "completed", "incomplete_details": {"reason": cut_by} if cut_by else None,
        "output": output, "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
        "usage": usage or {
            "input_tokens": 9, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 4, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 13,
        },
    }  # fmt: skip


def responses_stream(body, rng):
    number = 0

    def event(kind, **members):
        nonlocal number
        number += 1
        return {"type": f"response.{kind}", "sequence_number": number - 1, **members}

    empty = {**body, "output": [], "usage": None, "status": "in_progress", "incomplete_details": None}
    yield event("created", response=empty)
    yield event("in_progress", response=empty)
    for index, item in enumerate(body["output"]):
        at = {"item_id": item["id"], "output_index": index}
        if item["type"] == "message":
            yield event("output_item.added", output_index=index, item={**item, "content": [], "status": "in_progress"})
            for place, part in enumerate(item["content"]):
                here = {**at, "content_index": place}
                name = "text" if part["type"] == "output_text" else "refusal"
                kind = "output_text" if name == "text" else "refusal"
                yield event("content_part.added", **here, part={**part, name: ""} | (
                    {"annotations": []} if name == "text" else {}))  # fmt: skip
                for piece in cut(part[name], rng):
                    yield event(f"{kind}.delta", **here, delta=piece)
                for found, annotation in enumerate(part.get("annotations", [])):
                    yield event("output_text.annotation.added", **here, annotation_index=found, annotation=annotation)
                yield event(f"{kind}.done", **here, **{name: part[name]})
                yield event("content_part.done", **here, part=part)
        elif item["type"] == "reasoning":
            yield event(
                "output_item.added", output_index=index, item={"id": item["id"], "type": "reasoning", "summary": []}
            )
            for place, part in enumerate(item["summary"]):
                here = {**at, "summary_index": place}
                yield event("reasoning_summary_part.added", **here, part={**part, "text": ""})
                for piece in cut(part["text"], rng):
                    yield event("reasoning_summary_text.delta", **here, delta=piece)
                yield event("reasoning_summary_text.done", **here, text=part["text"])
                yield event("reasoning_summary_part.done", **here, part=part)
        else:
            added = {**item, "arguments": "", "status": "in_progress"}
            yield event("output_item.added", output_index=index, item=added)
            for piece in cut(item["arguments"], rng):
                yield event("function_call_arguments.delta", **at, delta=piece)
            yield event("function_call_arguments.done", **at, arguments=item["arguments"])
        yield event("output_item.done", output_index=index, item=item)
    yield event(body["status"], response=body)


BODIES = {"anthropic": anthropic_body, "openai": chat_body, "responses": responses_body}
STREAMS = {"anthropic": anthropic_stream, "openai": chat_stream, "responses": responses_stream}
