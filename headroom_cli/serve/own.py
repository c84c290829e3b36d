"""Routes of our own that give texts: POST /v1/compress, GET and POST /v1/retrieve.

Whoever asks is known by his credential and session (identity.py); an original is given only to a scope that its handle
was given to. What these routes answer is for programs, so errors are {"detail": SENTENCE}.
"""

from __future__ import annotations

import asyncio
import json
from urllib.parse import parse_qsl

from headroom_cli.serve import body as bodies
from headroom_cli.serve import work_own
from headroom_cli.serve.engines import EngineError
from headroom_cli.serve.options import Limits
from headroom_cli.serve.replies import RefusedError, reply
from headroom_cli.serve.room import Share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from headroom_cli.identity import Identity
    from headroom_cli.serve.options import Serving
    from headroom_cli.serve.replies import Receive, Scope, Send
    from headroom_cli.serve.room import Room

    class Engines(Protocol):
        """The pool of workers, as far as it is used here."""

        async def do(self, job: str, *arguments: Any) -> Any:
            """Have a job done."""

    class App(Protocol):
        """The proxy, as far as it is used here."""

        @property
        def serving(self) -> Serving:
            """What was asked for at start."""

        @property
        def holding(self) -> Engines:
            """Who does what takes long, and waits for a store that may soon be back."""

        @property
        def room(self) -> Room:
            """The memory that all requests share."""

        @property
        def identity(self) -> Identity:
            """Who tells askers apart."""


_SLICES = ("lines", "rows", "grep", "query", "area")
_MOST_OF_SLICE = 4_096  # characters
_ASK = Limits(body=65_536, decoded=65_536)  # of a body that names one handle
_AT_ONCE = 1 << 20  # bytes of a body that this process may read itself: 20 ms
_ON = frozenset((b"1", b"true", b"yes", b"on"))
_PLAIN = (b"text/plain", b"application/octet-stream")
_NO_STORE = ((b"cache-control", b"no-store"),)


async def compress(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer POST /v1/compress. Raise RefusedError for what is no such request."""
    if scope["method"] != "POST":
        raise RefusedError(405, "send this with POST")
    share = Share(app.room)
    try:
        data = await _body(app.serving.limits, scope, receive, share)
        await _compressed(app, scope, data, send)
    except bodies.GoneError:
        return
    finally:
        share.shrink(0)


async def _compressed(app: App, scope: Scope, data: bytes, send: Send) -> None:
    headers = {name.lower(): value.strip().lower() for name, value in scope["headers"]}
    mode = headers.get(b"x-headroom-mode", b"").decode("latin-1")
    if headers.get(b"x-headroom-bypass", b"") in _ON:
        mode = "off"
    why: tuple[tuple[bytes, bytes], ...] = ()
    try:
        who, project = app.identity.scope(scope["headers"]), scope.get("headroom.project", "")
        status, answer = await app.holding.do("compress", data, who, mode, project)
    except EngineError as error:
        reason = str(error.reason)
        if len(data) > _AT_ONCE:  # to read it in this process would hold up all others, in whatever thread
            raise RefusedError(503, f"these messages could not be shortened: the worker {reason}") from error
        why = ((b"x-headroom-why-not", reason.encode("ascii", "replace")),)
        status, answer = await asyncio.to_thread(work_own.untouched, data, reason)
    await reply(send, status, answer, headers=(*_NO_STORE, *why))


async def retrieve(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer GET /v1/retrieve/HANDLE and POST /v1/retrieve. Raise RefusedError for what is no such request."""
    method = scope["method"]
    path: bytes = scope["raw_path"]
    try:
        if method in {"GET", "HEAD"}:
            asked, slices = path.removeprefix(b"/v1/retrieve").removeprefix(b"/"), _in_query(scope["query_string"])
        elif method == "POST" and path == b"/v1/retrieve":
            asked, slices = _in_body(await _body(_ASK, scope, receive))
        else:
            raise RefusedError(405, "ask with GET /v1/retrieve/HANDLE, or POST /v1/retrieve")
    except bodies.GoneError:
        return
    handle = asked.decode("latin-1")
    accept = next((value for name, value in scope["headers"] if name.lower() == b"accept"), b"").lower()
    plain = accept.split(b";")[0].strip() in _PLAIN
    try:
        status, answer = await app.holding.do(
            "retrieve", handle, slices, app.identity.scopes(scope["headers"]), not plain
        )
    except EngineError as error:
        raise RefusedError(503, f"the original cannot be read now ({error.reason})") from None
    kind = "application/json"
    if status == 200 and plain:
        kind = "application/octet-stream" if b"octet" in accept else "text/plain; charset=utf-8"
    headers = (*_NO_STORE, (b"x-content-type-options", b"nosniff"))
    await reply(send, status, answer, kind, headers, head=method == "HEAD")


async def _body(limits: Limits, scope: Scope, receive: Receive, share: Share | None = None) -> bytes:
    """Return a request's body, decoded. Raise RefusedError, GoneError."""
    data = await bodies.read(receive, scope["headers"], limits, share)
    plain = await bodies.decoded(data, bodies.encodings(scope["headers"]), limits, share)
    if plain is None:
        raise RefusedError(415, "the encoding of this body is unknown or broken")
    return plain


def _in_query(query: bytes) -> dict[str, str]:
    """Return the slices that a query asks for. Raise RefusedError."""
    try:
        pairs = parse_qsl(query.decode("latin-1"), max_num_fields=20, errors="replace")
    except ValueError:
        raise RefusedError(400, "the query has too many parts") from None
    return _sliced(dict(pairs))


def _in_body(data: bytes) -> tuple[bytes, dict[str, str]]:
    """Return the handle and the slices that a body asks for. Raise RefusedError."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise RefusedError(400, "the body is a JSON object with a handle")
    asked = value.get("handle") or value.get("hash")
    if not isinstance(asked, str):
        raise RefusedError(400, "the body is a JSON object with a handle")
    return asked.encode("latin-1", "replace"), _sliced(value)


def _sliced(value: dict[str, Any]) -> dict[str, str]:
    found = {name: str(value[name]) for name in _SLICES if isinstance(value.get(name), str | int) and value[name] != ""}
    if any(len(text) > _MOST_OF_SLICE for text in found.values()):
        raise RefusedError(400, "this part cannot be read: it is asked for in too many words")
    return found
