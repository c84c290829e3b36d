"""What the shapes of the fake provider's answers share: errors, and the words for why an answer ended."""

from provider_replies import USAGE

CREATED = 1_790_000_000

STOPS = {
    "anthropic": {
        "end": "end_turn", "calls": "tool_use", "length": "max_tokens", "sequence": "stop_sequence",
        "pause": "pause_turn", "window": "model_context_window_exceeded",
    },
    "chat": {
        "end": "stop", "calls": "tool_calls", "sequence": "stop", "refusal": "content_filter", "pause": "stop",
        "window": "length",
    },
    "responses": {"length": "max_output_tokens", "refusal": "content_filter", "window": "max_output_tokens"},
}  # fmt: skip

# status -> (Anthropic's type, OpenAI's type and code, Bedrock's exception, sentence)
ERRORS = {
    400: ("invalid_request_error", "invalid_request_error", None, "ValidationException", "The request is not valid"),
    401: ("authentication_error", "invalid_request_error", "invalid_api_key", "UnrecognizedClientException", "Bad key"),
    402: ("billing_error", "insufficient_quota", "insufficient_quota", "AccessDeniedException", "No credits left"),
    403: ("permission_error", "invalid_request_error", None, "AccessDeniedException", "Not allowed"),
    404: ("not_found_error", "invalid_request_error", "model_not_found", "ResourceNotFoundException", "No such model"),
    408: ("timeout_error", "timeout", None, "ModelTimeoutException", "Took too long"),
    409: ("conflict_error", "conflict", None, "ConflictException", "In conflict with another request"),
    413: ("request_too_large", "invalid_request_error", "request_too_large", "ValidationException", "Too large"),
    429: ("rate_limit_error", "requests", "rate_limit_exceeded", "ThrottlingException", "Too many requests"),
    500: ("api_error", "server_error", None, "InternalServerException", "Something broke"),
    502: ("api_error", "server_error", None, "InternalServerException", "Bad gateway"),
    503: ("api_error", "server_error", None, "ServiceUnavailableException", "Not available"),
    504: ("timeout_error", "server_error", None, "ModelTimeoutException", "Took too long"),
    529: ("overloaded_error", "server_error", "overloaded", "ServiceUnavailableException", "Overloaded"),
}


def error_of(reply, status=0):
    """Return (Anthropic's type, OpenAI's type, code, Bedrock's exception, sentence) of a reply that is an error."""
    known = ERRORS.get(status or reply.status) or ERRORS[500 if (status or reply.status) >= 500 else 400]
    if not reply.error:
        return known
    kind, sentence = reply.error
    exception = kind if kind.endswith("Exception") else known[3]
    return kind, kind, known[2], exception, sentence


def error_inside(shape, reply, sequence):
    """Return the event of an error that comes after HTTP status 200."""
    anthropic, openai, code, _, sentence = error_of(reply, 529)
    if shape == "anthropic":
        return "data", "error", {"type": "error", "error": {"type": anthropic, "message": sentence}}
    if shape == "responses":
        value = {"type": "error", "code": code or openai, "message": sentence, "param": None}
        return "data", "error", {**value, "sequence_number": sequence}
    if shape == "openrouter":
        choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error", "native_finish_reason": "error"}
        error = {"code": openai if reply.error else 502, "message": sentence}
        head = {"id": "gen-0000", "object": "chat.completion.chunk", "created": CREATED, "model": "fake"}
        return "data", "", {**head, "provider": "Fake", "error": error, "choices": [choice]}
    return "data", "", {"error": {"message": sentence, "type": openai, "param": None, "code": code}}


def others(usage):
    """Return the members of a usage that are not ours: they go through as they are."""
    return {name: value for name, value in usage.items() if name not in USAGE}
