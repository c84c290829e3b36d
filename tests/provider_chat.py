"""How Chat Completions, OpenAI's and OpenRouter's, writes the fake provider's replies."""

import itertools

from provider_replies import round_robin
from provider_words import CREATED, STOPS, error_inside, others


def _chat_usage(reply):
    """Return the usage object: what a cache read or wrote is part of the prompt's tokens."""
    usage = reply.usage
    prompt = usage["input"] + usage["cached"] + usage["written"]
    return {
        "prompt_tokens": prompt,
        "completion_tokens": usage["output"],
        "total_tokens": prompt + usage["output"],
        "prompt_tokens_details": {
            "cached_tokens": usage["cached"], "cache_write_tokens": usage["written"], "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage["thinking"], "audio_tokens": 0, "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
        **others(usage),
    }  # fmt: skip


def _reasoning(part, index, *, text=None):
    """Return what OpenRouter shows of thinking in ``reasoning_details``."""
    head = {"format": "anthropic-claude-v1", "index": index, "id": None}
    if part.kind == "redacted":
        return {"type": "reasoning.encrypted", "data": part.value, **head}
    if text is None:
        return {"type": "reasoning.text", "text": part.whole, "signature": part.more["signature"], **head}
    return {"type": "reasoning.text", "text": text, **head}


def _chat_call(part, **function):
    """Return one call, whole or its first piece."""
    function = {"name": part.more["name"], **function}
    return {"id": part.more["identifier"], "type": "function", "function": function, **part.more["extra"]}


def body(shape, reply, model, number):
    """Return a whole completion."""
    said = "".join(part.whole for part in reply.parts if part.kind == "text")
    calls = [_chat_call(part, arguments=part.arguments) for part in reply.parts if part.kind == "call"]
    refused = "".join(part.whole for part in reply.parts if part.kind == "refusal")
    message = {"role": "assistant", "content": said or (None if calls or refused else ""), "refusal": refused or None}
    if calls:
        message["tool_calls"] = calls
    thoughts = [part for part in reply.parts if part.kind in ("thinking", "redacted")]
    if shape == "openrouter":
        message["reasoning"] = "".join(part.whole for part in thoughts if part.kind == "thinking") or None
        if thoughts:
            message["reasoning_details"] = [_reasoning(part, index) for index, part in enumerate(thoughts)]
    else:
        message["annotations"] = []
    for part in reply.parts:
        if part.kind == "raw":
            message.update(part.value)
    finish = STOPS["chat"].get(reply.stop, reply.stop)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    head = _chat_head(shape, model, number, "chat.completion")
    if reply.extras:
        choice["future_member"] = head["future_member"] = {"is": ["unknown", 1]}
    return {**head, "choices": [choice], "usage": _chat_usage(reply)}


def _chat_head(shape, model, number, kind):
    """Return the members that each chunk, and a whole completion, begin with."""
    if shape == "openrouter":
        return {"id": f"gen-{number:04d}", "provider": "Fake", "model": model, "object": kind, "created": CREATED}
    head = {"id": f"chatcmpl-{number:04d}", "object": kind, "created": CREATED, "model": model}
    return {**head, "service_tier": "default", "system_fingerprint": "fp_fake"}


def events(shape, request, reply, model, number):
    """Yield chunks, at the end ``[DONE]``."""
    options = request.get("stream_options") or {}
    router = shape == "openrouter"
    head = _chat_head(shape, model, number, "chat.completion.chunk")

    def chunk(delta, finish=None):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        value = {**head, "choices": [choice]}
        if reply.extras:
            choice["future_member"] = value["future_member"] = {"is": ["unknown", 1]}
        if router:
            choice["native_finish_reason"] = finish
        elif options.get("include_obfuscation") is not False:
            value["obfuscation"] = "x" * (7 - len(str(delta)) % 7)
        if options.get("include_usage"):
            value["usage"] = None
        return "data", "", value

    deltas = _chat_deltas(shape, reply)
    first = next(deltas, {})
    # The role comes with the first piece of a call, and with an empty text before anything else.
    if "tool_calls" in first:
        yield chunk({"role": "assistant", "content": None, **first})
    else:
        yield chunk({"role": "assistant", "content": "", **({} if router else {"refusal": None})})
        yield chunk(first)
    for delta in deltas:
        yield chunk(delta)
    if reply.error:
        yield error_inside(shape, reply, 0)
        if router:
            yield "done", "", None
        return
    yield chunk({"role": "assistant", "content": ""} if router else {}, STOPS["chat"].get(reply.stop, reply.stop))
    if router:
        last = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
        yield "data", "", {**head, "choices": [last], "usage": {**_chat_usage(reply), "cost": 0.0001}}
    elif options.get("include_usage"):
        yield "data", "", {**head, "choices": [], "usage": _chat_usage(reply), "obfuscation": ""}
    yield "done", "", None


def _chat_deltas(shape, reply):
    """Yield the deltas of all parts. Calls are keyed by index; only the first piece of each has its id and name."""
    index = itertools.count()
    thought = itertools.count()
    together = None
    for called, group in itertools.groupby(reply.parts, lambda part: part.kind == "call"):
        if called:
            rows = [_call_deltas(part, next(index), reply.size) for part in group]
            deltas = round_robin(rows) if reply.interleave else itertools.chain(*rows)
            if together is not None:
                yield {"content": together, **next(deltas)}
                together = None
            yield from deltas
            continue
        for part in group:
            if part.kind == "text":
                pieces = part.pieces(reply.size)
                if not reply.together:
                    yield from ({"content": piece} for piece in pieces)
                    continue
                for piece in pieces:
                    if together is not None:
                        yield {"content": together}
                    together = piece
            elif part.kind == "refusal":
                yield from ({"refusal": piece} for piece in part.pieces(reply.size))
            elif part.kind == "raw":
                yield part.value
            elif shape == "openrouter":
                yield from _thought_deltas(part, next(thought), reply.size)
    if together is not None:
        yield {"content": together}


def _call_deltas(part, index, size):
    """Yield the pieces of one call."""
    yield {"tool_calls": [{"index": index, **_chat_call(part, arguments="")}]}
    for start in range(0, len(part.arguments), size):
        piece = part.arguments[start : start + size]
        yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _thought_deltas(part, index, size):
    """Yield OpenRouter's pieces of thinking; the signature comes last, with no text."""
    if part.kind == "redacted":
        yield {"content": "", "reasoning": None, "reasoning_details": [_reasoning(part, index)]}
        return
    for piece in part.pieces(size):
        yield {"content": "", "reasoning": piece, "reasoning_details": [_reasoning(part, index, text=piece)]}
    end = {"type": "reasoning.text", "signature": part.more["signature"]}
    end |= {"format": "anthropic-claude-v1", "index": index}
    yield {"content": "", "reasoning": None, "reasoning_details": [end]}
