"""How each API writes the fake provider's replies.

``events(shape, request, reply, model, number)`` yields what a stream holds, as (kind, name, value): kind "data" with
its event name and JSON value, "comment" with a text, "done". ``body`` gives the JSON of an answer in one piece.
``error_body`` gives the JSON of an HTTP error. Shapes: "anthropic", "chat", "openrouter" (Chat with its peculiarities),
"responses". The members are those of the types in the official SDKs (anthropic 2.11, openai 3.52).
"""

import provider_anthropic
import provider_chat
import provider_responses
from provider_words import error_inside, error_of


def error_body(shape, reply, number):
    """Return the JSON of an HTTP error in the API's form."""
    anthropic, openai, code, _, sentence = error_of(reply)
    if shape == "anthropic":
        error = {"type": anthropic, "message": sentence}
        return {"type": "error", "error": error, "request_id": f"req_{number:04d}"}
    if shape == "openrouter":
        return {"error": {"code": reply.status, "message": sentence, "metadata": {"provider_name": "Fake"}}}
    if shape == "bedrock":
        return {"message": sentence}
    return {"error": {"message": sentence, "type": openai, "param": None, "code": code}}


def events(shape, request, reply, model, number):
    """Yield the events of a stream."""
    if reply.comments or (reply.comments is None and shape == "openrouter"):
        yield "comment", "OPENROUTER PROCESSING", None
    if shape == "anthropic":
        yield from provider_anthropic.events(request, reply, model, number)
    elif shape == "responses":
        yield from provider_responses.events(request, reply, model, number)
    else:
        for kind, name, value in provider_chat.events(shape, request, reply, model, number):
            for made in _choices(request, value):
                yield kind, name, made


def body(shape, request, reply, model, number):
    """Return the JSON of a whole answer."""
    if reply.error and reply.status < 400:
        return error_inside(shape, reply, 0)[2]
    if shape == "anthropic":
        return provider_anthropic.body(reply, model, number)
    if shape == "responses":
        return provider_responses.body(request, reply, model, number)
    made = provider_chat.body(shape, reply, model, number)
    made["choices"] = [choice for value in _choices(request, made) for choice in value["choices"]]
    return made


def _choices(request, value):
    """Yield a chunk once for each of the ``n`` choices that were asked for: all say the same."""
    if not value or not value.get("choices"):
        yield value
        return
    for index in range(request.get("n") or 1):
        yield {**value, "choices": [{**choice, "index": index} for choice in value["choices"]]}
