"""Which project a request is of: the header x-headroom-project, the prefix /p/NAME of its path, or the proxy's own."""

from __future__ import annotations

from urllib.parse import unquote

from headroom_cli import ledger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.serve.replies import Scope

HEADER = b"x-headroom-project"
_PREFIX = b"/p/"
_NAME = 300  # bytes of a name in a path, encoded


def labelled(scope: Scope, usual: str) -> Scope:
    """Return a request's scope with the member ``headroom.project`` and without the prefix, which is for us alone.

    A prefix without a name, or without a path behind it, stays: it is nobody's path.
    """
    if scope["type"] not in {"http", "websocket"}:
        return scope
    given = next((value for name, value in scope["headers"] if name == HEADER), b"")
    name = given.decode("utf-8", "replace")
    raw: bytes = scope["raw_path"]
    if raw.startswith(_PREFIX):
        label, slash, rest = raw[len(_PREFIX) :].partition(b"/")
        if slash and 0 < len(label) <= _NAME:
            path = b"/" + rest
            name = name or unquote(label.decode("latin-1"))
            scope = {**scope, "raw_path": path, "path": unquote(path.decode("latin-1"))}
    scope["headroom.project"] = ledger.named(name) or ledger.named(usual)
    return scope
