"""What goes by between a client and a server: which calls wait for their results, and what the client has been shown.

Both directions are read, nothing is changed here. What is no JSON, nests too deep or has another shape is not of
interest: it goes through.
"""

from __future__ import annotations

import json

from headroom_cli.formats import _tree
from headroom_cli.serve.mcp.tools import RETRIEVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Id = tuple[type, Any]  # 1 and "1" are two

LIST, CALL = "list", "call"
ENVELOPE = "io.modelcontextprotocol/protocolVersion"  # in _meta of every request of the stateless revisions
_MOST_WAITING = 10_000
_PLAIN = frozenset(("type", "title", "description"))  # what a schema may say of a text that any text obeys


class Asked:
    """A request under way: ``kind`` is LIST or CALL; the rest is a call's."""

    __slots__ = ("arguments", "first", "kind", "tool")

    def __init__(self, kind: str, tool: str = "", arguments: Any = None, *, first: bool = True) -> None:
        """``first``: of a list, it was asked for from its beginning."""
        self.kind = kind
        self.tool = tool
        self.arguments = arguments
        self.first = first


class Traffic:
    """What is known of one connection.

    ``shown``     the client has been given a list of tools with ours in it
    ``collides``  the server has a tool of our name: ours is not offered
    """

    __slots__ = ("_names", "_texts", "_waiting", "collides", "shown")

    def __init__(self) -> None:
        """Start before the first message."""
        self.shown = False
        self.collides = False
        self._waiting: dict[Id, Asked] = {}
        self._names: set[str] = set()
        self._texts: dict[str, str] = {}  # tools whose structured results are one text: the name of that member

    def is_quiet(self) -> bool:
        """Tell whether no answer of interest is waited for."""
        return not self._waiting

    def asks(self, message: Any) -> bool:
        """Note a message of the client; tell whether it calls our tool."""
        if not isinstance(message, dict):
            return False
        method, params = message.get("method"), message.get("params")
        params = params if isinstance(params, dict) else {}
        if method == "notifications/cancelled":
            self._waiting.pop(key_of(params.get("requestId")), None)
            return False
        key = key_of(message.get("id"))
        if "id" not in message:
            return False
        if method == "tools/list":
            self._wait(key, Asked(LIST, first=params.get("cursor") is None))
        elif method == "tools/call" and isinstance(params.get("name"), str):
            if params["name"] == RETRIEVE and not self.collides:
                return True
            self._wait(key, Asked(CALL, params["name"], params.get("arguments")))
        return False

    def _wait(self, key: Id, asked: Asked) -> None:
        self._waiting[key] = asked
        if len(self._waiting) > _MOST_WAITING:  # a server that never answers
            del self._waiting[next(iter(self._waiting))]

    def answers(self, message: Any) -> Asked | None:
        """Return the request that a message of the server answers, None for one that is not of interest."""
        if not isinstance(message, dict) or "method" in message or "id" not in message:
            return None
        asked = self._waiting.pop(key_of(message["id"]), None)
        return asked if isinstance(message.get("result"), dict) else None

    def forwarded(self, message: dict[str, Any]) -> None:
        """Note a call of our tool's name that the server is to answer after all."""
        self._wait(key_of(message["id"]), Asked(CALL, RETRIEVE, message["params"].get("arguments")))

    def listed(self, asked: Asked, result: dict[str, Any]) -> bool:
        """Note a page of the list of tools; tell whether ours belongs at its end."""
        tools = result.get("tools")
        if not isinstance(tools, list):
            return False
        if asked.first:
            self._names.clear()
            self._texts.clear()
        for tool in tools:
            if isinstance(tool, dict) and isinstance(tool.get("name"), str):
                self._names.add(tool["name"])
                if member := _text_in(tool.get("outputSchema")):
                    self._texts[tool["name"]] = member
        self.collides = RETRIEVE in self._names
        if self.collides:
            self.shown = False
        # A later page may hold the name: ours comes after the last.
        return not self.collides and not result.get("nextCursor")

    def text_member(self, tool: str) -> str:
        """Return the member that a tool's structured result consists of by its own schema, "" unless it is a text."""
        return self._texts.get(tool, "")


def key_of(value: Any) -> Id:
    """Return what an id is told apart by."""
    return type(value), value if isinstance(value, (str, int, float)) else repr(value)


def read(line: bytes) -> Any:
    """Return the JSON value of a line, None for what is none or is not to be read."""
    if _tree.too_deep(line):
        return None
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def is_stateless(message: dict[str, Any]) -> bool:
    """Tell a request of the stateless revisions by its envelope."""
    params = message.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    return isinstance(meta, dict) and ENVELOPE in meta


def _text_in(schema: Any) -> str:
    """Return the one member that a schema allows for, if it may be any text; else ""."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict) or len(properties) != 1:
        return ""
    name, member = next(iter(properties.items()))
    return name if isinstance(member, dict) and member.get("type") == "string" and set(member) <= _PLAIN else ""
