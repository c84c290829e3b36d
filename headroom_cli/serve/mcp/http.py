"""Our server over HTTP, on this machine: the proxy's gate before everything, then the SDK's two transports.

A client of the handshake revisions has a session (mcp-session-id), one of the stateless ones has none. A session is for
the credential that opened it, to everybody else it is as if there were none. Handles are given to whoever asks by his
credential and session, as the proxy does it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from headroom_cli.identity import Identity
from headroom_cli.serve.engines import Engines
from headroom_cli.serve.gate import Gate
from headroom_cli.serve.mcp.server import Tools
from headroom_cli.serve.mcp.stdio import JOBS
from headroom_cli.serve.replies import RefusedError, reply

if TYPE_CHECKING:
    from headroom_cli.serve.options import Serving
    from headroom_cli.serve.replies import Receive, Scope, Send

PATH = "/mcp"
_METHODS = frozenset(("GET", "POST", "DELETE"))
# A session's handles are given to that session: it should last as long as somebody may come back to it.
_IDLE_SECONDS = 86_400.0
_MOST_SESSIONS = 2_048  # 60 KB each: more than a day's, as most clients never say that theirs is over


class App:
    """The server as an ASGI application."""

    def __init__(self, serving: Serving) -> None:
        """Raise ConfigError for what cannot be served."""
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        self._gate = Gate(serving)
        self._engines = Engines(serving, jobs=JOBS)
        self._identity = Identity(serving.store)
        tools = Tools(self._engines, self._identity)
        self._manager = StreamableHTTPSessionManager(
            tools.server(), session_idle_timeout=_IDLE_SECONDS, max_sessions=_MOST_SESSIONS,
            max_request_body_size=int(serving.limits.body),
        )  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or live as long as the server does."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._engines.start()
        try:
            async with self._manager.run():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        finally:
            await self._engines.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._gate.check(scope) or _wrong(scope)
        if refused is None:
            await self._manager.handle_request({**scope, "user": self._user(scope)}, receive, send)
            return
        error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32_600, "message": f"headroom: {refused.sentence}"}}
        headers = [(b"allow", b"GET, POST, DELETE")] if refused.status == 405 else []
        await reply(send, refused.status, json.dumps(error).encode(), headers=headers, head=scope["method"] == "HEAD")

    def _user(self, scope: Scope) -> Any:
        """Return who asks, by the credential: the SDK gives nobody a session that another one opened."""
        from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
        from mcp.server.auth.provider import AccessToken

        return AuthenticatedUser(
            AccessToken(token="", client_id=self._identity.fingerprint(scope["headers"]), scopes=[])
        )


def _wrong(scope: Scope) -> RefusedError | None:
    """Return what is wrong with a request that may come in otherwise."""
    if scope["path"] != PATH:
        return RefusedError(404, f"there is nothing here but {PATH}")
    if scope["method"] not in _METHODS:
        return RefusedError(405, "ask with POST, GET or DELETE")
    types = [value for name, value in scope["headers"] if name == b"content-type"]
    plain = len(types) == 1 and types[0].partition(b";")[0].strip().lower() == b"application/json"
    if scope["method"] == "POST" and not plain:
        return RefusedError(415, "the content type must be application/json")
    return None


def run(serving: Serving, listening: Any) -> int:
    """Serve until told to end; return the exit status. Raise ConfigError, OSError."""
    from headroom_cli.serve import server

    return server.run(serving, listening, App, sockets="none")
