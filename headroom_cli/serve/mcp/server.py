"""Calls of our tools, answered by the SDK's server, which knows which revision of the protocol a client speaks.

What a call does runs in a worker process. If that comes to nothing, the answer says so and the text stays where it was.
"""

from __future__ import annotations

import logging
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import mcp_types as types
from mcp.server.caching import CacheHint
from mcp.server.lowlevel import Server

from headroom_cli.identity import session_of
from headroom_cli.serve.engines import EngineError
from headroom_cli.serve.mcp import tools

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from headroom_cli.identity import Identity
    from headroom_cli.serve.engines import Engines

_HOUR = 3_600_000  # milliseconds


class Session:
    """What was asked for and saved since this process started."""

    __slots__ = ("after", "before", "compressed", "kept", "retrieved")

    def __init__(self) -> None:
        """Start with nothing."""
        self.compressed = self.kept = self.retrieved = self.before = self.after = 0

    def note(self, tool: str, answer: dict[str, Any]) -> None:
        """Count one answer."""
        facts = answer.get("structuredContent", {})
        if tool == tools.COMPRESS and facts.get("shortened"):
            self.compressed += 1
            self.before += facts["tokens_before"]
            self.after += facts["tokens_after"]
        elif tool == tools.COMPRESS:
            self.kept += 1
        elif tool == tools.RETRIEVE and not answer.get("isError"):
            self.retrieved += 1

    def facts(self) -> dict[str, int]:
        """Return the counts."""
        return {
            "compressed": self.compressed, "not_shortened": self.kept, "retrieved": self.retrieved,
            "tokens_before": self.before, "tokens_after": self.after, "tokens_saved": self.before - self.after,
        }  # fmt: skip


class Tools:
    """The tools, behind whatever transport. ``identity`` tells askers apart; None: there is one, who owns the store."""

    def __init__(self, engines: Engines, identity: Identity | None = None) -> None:
        """Start no process; ``engines`` do the jobs of jobs.py."""
        self._engines = engines
        self._identity = identity
        self.session = Session()

    def server(self) -> Server[Any]:
        """Return the SDK's server with our tools."""
        logger = logging.getLogger("mcp")
        logger.propagate = False  # what it logs quotes what strangers sent
        logger.addHandler(logging.NullHandler())
        made: Server[Any] = Server(
            "headroom", version=version("headroom-cli"),
            cache_hints={"tools/list": CacheHint(ttl_ms=_HOUR, scope="public")},
            on_list_tools=self._listed, on_call_tool=self._called,
        )  # fmt: skip
        made.middleware.clear()  # traces for telemetry
        return made

    async def _listed(
        self, _context: ServerRequestContext[Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult.model_validate({"tools": list(tools.TOOLS)})

    async def _called(
        self, context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        tool = tools.ALIASES.get(params.name, params.name)
        try:
            answer = await self.answer(tool, params.arguments, self._headers(context))
        except tools.ArgumentError as error:
            answer = failed(str(error))
        except EngineError as error:
            answer = failed(
                f"{tool} came to nothing: the work {error.reason}. "
                + ("Use the text as you have it." if tool == tools.COMPRESS else "It may be asked for once more.")
            )
        return types.CallToolResult.model_validate(answer)

    @staticmethod
    def _headers(context: ServerRequestContext[Any]) -> list[tuple[bytes, bytes]]:
        """Return the headers of the HTTP request behind a call, [] where there is none."""
        request = context.request
        return [] if request is None else list(request.scope["headers"])

    async def answer(
        self, tool: str, arguments: dict[str, Any] | None, headers: list[tuple[bytes, bytes]]
    ) -> dict[str, Any]:
        """Return the result of a call. Raise ArgumentError, EngineError."""
        if tool not in {tools.COMPRESS, tools.RETRIEVE, tools.STATS}:
            raise tools.ArgumentError(f"{tool[:60]!a} is no tool of this server")
        found = tools.words(tool, arguments)
        identity = self._identity
        pairs = named(headers)
        if tool == tools.COMPRESS:
            content = tools.content_of(found)
            who = identity.scope(pairs) if identity is not None else None
            answer = await self._engines.do("compress", content, found.get("query", ""), found.get("kind", ""), who)
        elif tool == tools.RETRIEVE:
            scopes = identity.scopes(pairs) if identity is not None else None
            answer = await self._engines.do("retrieve", found, scopes)
        else:
            answer = await self._engines.do("stats", self.session.facts() if identity is None else None)
        self.session.note(tool, answer)
        return dict(answer)


def named(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return headers in which the protocol's own session counts as the client's, where the client names none."""
    if session_of(headers):
        return headers
    return [*headers, *((b"x-headroom-session-id", value) for name, value in headers if name == b"mcp-session-id")]


def failed(sentence: str) -> dict[str, Any]:
    """Return a result that is an error which a model can read."""
    return {"content": [{"type": "text", "text": sentence}], "isError": True}
