"""How Anthropic's Messages API writes the fake provider's replies; Bedrock has the same events in its own frames."""

from provider_words import STOPS, error_inside, others


def _anthropic_usage(reply):
    """Return the whole usage object: what was read from a cache and written into one stands beside the rest."""
    usage = reply.usage
    made = {
        "input_tokens": usage["input"],
        "cache_creation_input_tokens": usage["written"],
        "cache_read_input_tokens": usage["cached"],
        "cache_creation": {"ephemeral_5m_input_tokens": usage["written"], "ephemeral_1h_input_tokens": 0},
        "output_tokens": usage["output"],
        "service_tier": "standard",
    }
    if usage["thinking"]:
        made["output_tokens_details"] = {"thinking_tokens": usage["thinking"]}
    return {**made, **others(usage)}


def _anthropic_stop(reply):
    """Return stop_reason, stop_sequence and stop_details."""
    reason = STOPS["anthropic"].get(reply.stop, reply.stop)
    details = None
    if reason == "refusal":
        details = {"type": "refusal", "category": "cyber", "explanation": "The request was declined."}
    return {
        "stop_reason": reason,
        "stop_sequence": "END" if reason == "stop_sequence" else None,
        "stop_details": details,
    }


def _anthropic_block(part):
    """Return the whole block of a part."""
    if part.kind in ("text", "refusal"):
        return {"type": "text", "text": part.whole, **part.more}
    if part.kind == "thinking":
        return {"type": "thinking", "thinking": part.whole, "signature": part.more["signature"]}
    if part.kind == "redacted":
        return {"type": "redacted_thinking", "data": part.value}
    if part.kind == "call":
        more = part.more
        block = {"type": "tool_use", "id": more["identifier"], "name": more["name"], "input": part.input}
        return {**block, **more["extra"]}
    return part.value


def _anthropic_message(model, number):
    """Return the members of a message that come first."""
    return {"id": f"msg_{number:04d}", "type": "message", "role": "assistant", "model": model}


def body(reply, model, number):
    """Return a whole message."""
    content = [_anthropic_block(part) for part in reply.parts]
    made = {**_anthropic_message(model, number), "content": content, **_anthropic_stop(reply)}
    made["usage"] = _anthropic_usage(reply)
    if reply.extras:
        made["future_member"] = {"is": ["unknown", 1]}
    return made


def events(request, reply, model, number):
    """Yield a stream of events, each named by its type."""

    def event(kind, **value):
        if reply.extras:
            value["future_member"] = kind
        return "data", kind, {"type": kind, **value}

    nothing = {"stop_reason": None, "stop_sequence": None, "stop_details": None}
    usage = _anthropic_usage(reply)
    message = {**_anthropic_message(model, number), "content": [], **nothing, "usage": {**usage, "output_tokens": 1}}
    yield event("message_start", message=message)
    if reply.extras:
        yield event("future_event", said="nobody knows this type")
    for index, part in enumerate(reply.parts):
        yield from _anthropic_part(event, index, part, reply)
    if reply.error:
        yield error_inside("anthropic", reply, 0)
        return
    spent = {name: usage[name] for name in usage if name not in ("cache_creation", "service_tier")}
    yield event("message_delta", delta=_anthropic_stop(reply), usage=spent)
    yield event("message_stop")


def _anthropic_part(event, index, part, reply):
    """Yield the events of one block."""
    block = _anthropic_block(part) if part.kind in ("redacted", "raw") else None
    if part.kind in ("text", "refusal"):
        block = {"type": "text", "text": ""}
    elif part.kind == "thinking":
        block = {"type": "thinking", "thinking": "", "signature": ""}
    elif part.kind == "call":
        more = part.more
        block = {"type": "tool_use", "id": more["identifier"], "name": more["name"], "input": {}, **more["extra"]}
    yield event("content_block_start", index=index, content_block=block)
    if index == 0:
        yield event("ping")

    def delta(kind, **value):
        return event("content_block_delta", index=index, delta={"type": kind, **value})

    if part.kind in ("text", "refusal"):
        for piece in part.pieces(reply.size):
            yield delta("text_delta", text=piece)
        for citation in part.more.get("citations") or ():
            yield delta("citations_delta", citation=citation)
    elif part.kind == "thinking":
        for piece in part.pieces(reply.size):
            yield delta("thinking_delta", thinking=piece)
        yield delta("signature_delta", signature=part.more["signature"])
    elif part.kind == "call":
        # The first piece is empty; a call without arguments has no other.
        yield delta("input_json_delta", partial_json="")
        if part.arguments != "{}":
            for start in range(0, len(part.arguments), reply.size):
                yield delta("input_json_delta", partial_json=part.arguments[start : start + reply.size])
    yield event("content_block_stop", index=index)
