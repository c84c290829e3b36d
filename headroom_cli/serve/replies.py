"""Answers of our own: small, whole, in the form that the caller's API gives errors."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping
    from typing import Any

    # The three of ASGI (asgi.readthedocs.io).
    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Pairs = Iterable[tuple[bytes, bytes]]

# HTTP status -> how Anthropic's API calls it; others are "api_error".
_KINDS = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    408: "timeout_error", 411: "invalid_request_error", 413: "request_too_large", 415: "invalid_request_error",
    421: "permission_error", 429: "rate_limit_error",
    431: "request_too_large", 503: "overloaded_error", 504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip


class RefusedError(Exception):
    """A request that is answered here with an error, and goes nowhere."""

    def __init__(self, status: int, sentence: str, *, close: bool = False) -> None:
        """``sentence`` holds nothing of the request's own bytes; ``close`` ends the connection."""
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.close = close


async def reply(
    send: Send, status: int, body: bytes, kind: str = "application/json", headers: Pairs = (), *, head: bool = False
) -> None:
    """Send a whole answer; of one to HEAD only the head."""
    fields = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": b"" if head else body})


def parting(send: Send) -> Send:
    """Return what sends answers whose connections end with them."""

    async def sends(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            fields = [(name, value) for name, value in message["headers"] if name.lower() != b"connection"]
            message = {**message, "headers": [*fields, (b"connection", b"close")]}
        await send(message)

    return sends


async def refuse(send: Send, error: RefusedError, shape: str = "", *, head: bool = False) -> None:
    """Answer with an error in the API's form ("" or an OpenAI row: OpenAI's)."""
    said = bytes(byte if 32 <= byte < 127 else 63 for byte in error.sentence.encode("ascii", "replace"))
    headers = [(b"x-headroom-error", said)]
    if error.status == 503:
        headers.append((b"retry-after", b"1"))
    if error.close:
        headers.append((b"connection", b"close"))
    await reply(send, error.status, error_body(shape, error.status, error.sentence), headers=headers, head=head)


def error_body(shape: str, status: int, sentence: str, who: str = "headroom: ") -> bytes:
    """Return an error as the API of ``shape`` writes it; ``who`` says it."""
    kind = _KINDS.get(status, "api_error")
    if shape == "anthropic":
        value: dict[str, Any] = {"type": "error", "error": {"type": kind, "message": who + sentence}}
    elif shape == "bedrock":
        value = {"message": who + sentence}
    else:
        value = {"error": {"message": who + sentence, "type": kind, "param": None, "code": None}}
    return json.dumps(value).encode()
