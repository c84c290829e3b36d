"""A middleware for ASGI applications that take requests of chat APIs: the application sees smaller conversations.

    from headroom_cli.asgi import CompressMiddleware
    app = CompressMiddleware(app)        # in Starlette and FastAPI: app.add_middleware(CompressMiddleware)

It needs nothing installed besides this package.
"""

from __future__ import annotations

import json

from headroom_cli import engine
from headroom_cli.library import calls
from headroom_cli.library.headroom import policy_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping
    from typing import Any

    from headroom_cli.library.headroom import Allowed
    from headroom_cli.store import Store

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

PATHS = ("/v1/messages", "/v1/chat/completions", "/v1/responses")


class CompressMiddleware:
    """Makes the JSON bodies of chat requests smaller before an application reads them.

    Bytes outside the texts that changed stay the client's. A body that is no request, is encoded, is too large, or
    cannot be shortened reaches the application as it came. Without the application's help nobody redeems a marker, so
    by default there are none: what changes can be read in place. The server runs on asyncio.
    """

    def __init__(
        self, app: App, *, paths: Iterable[str] = PATHS, policy: Allowed = None, store: str | Store | None = None,
        most: int = 32 << 20,
    ) -> None:  # fmt: skip
        """``paths`` are those of POST requests that hold conversations; ``most`` bytes a body may have to be looked at.

        ``policy`` as in Headroom; where it says nothing of it, ``redeem`` is "none". Raise ConfigError, StoreError.
        """
        self.app = app
        self.paths = frozenset(paths)
        self.most = most
        self.policy = policy_of(policy, redeem="none", live=True)
        calls.check(self.policy)
        self.store = calls.store_of(store)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request by the application."""
        if not self._is_chat(scope):
            await self.app(scope, receive, send)
            return
        came: list[Message] = []
        size, more = 0, True
        while more and size <= self.most:
            message = await receive()
            came.append(message)
            size += len(message.get("body", b""))
            more = message["type"] == "http.request" and bool(message.get("more_body"))
        if not more and size <= self.most and came[-1]["type"] == "http.request":
            import asyncio

            body = b"".join(message.get("body", b"") for message in came)
            made = await asyncio.to_thread(self.smaller, body)
            if made != body:
                scope = {**scope, "headers": _sized(scope["headers"], len(made))}
                came = [{"type": "http.request", "body": made, "more_body": False}]
        left = iter(came)

        async def again() -> Message:
            for message in left:
                return message
            return await receive()

        await self.app(scope, again, send)

    def smaller(self, body: bytes) -> bytes:
        """Return a request in fewer tokens; the bytes given where that cannot be done."""
        try:
            value = json.loads(body)
            if not isinstance(value, dict):
                return body
            model = value.get("model")
            return engine.crush(body, self.policy, self.store, model=model if isinstance(model, str) else "").data
        except Exception:  # noqa: BLE001 - the application decides what a body is that nobody can read
            return body

    def _is_chat(self, scope: MutableMapping[str, Any]) -> bool:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in self.paths:
            return False
        fields = {bytes(name).lower(): bytes(value).lower() for name, value in scope["headers"]}
        return b"json" in fields.get(b"content-type", b"") and b"content-encoding" not in fields


def _sized(headers: Iterable[tuple[bytes, bytes]], size: int) -> list[tuple[bytes, bytes]]:
    """Return headers with the length of another body."""
    return [(name, b"%d" % size if name.lower() == b"content-length" else value) for name, value in headers]
