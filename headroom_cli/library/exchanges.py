"""Requests and answers of an HTTP library, httpx or httpx2, made from others of the same."""

from __future__ import annotations

import sys

from headroom_cli.errors import HeadroomError
from headroom_cli.formats._edits import EditError
from headroom_cli.library.going import sent_headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.errors import UpstreamError
    from headroom_cli.library.going import Going
    from headroom_cli.library.turns import Turn

# Of an answer's head: they tell of bytes that are decoded here.
_OF_BYTES = frozenset((b"content-length", b"content-encoding", b"transfer-encoding"))


def library_of(request: Any) -> Any:
    """Return the module that a request is of: httpx or httpx2."""
    return sys.modules[type(request).__module__.partition(".")[0]]


def bare(request: Any) -> Any:
    """Return a request without the headers that are for whoever shortens it; its provider has no use for them."""
    for name in [name for name in request.headers if name.lower().startswith("x-headroom-")]:
        del request.headers[name]
    return request


def first_request(request: Any, going: Going) -> Any:
    """Return the request that goes out: the client's own object where nothing changed."""
    if going.headers is None and going.body == request.content:
        return request
    return _request(request, going, going.body, again=False)


def next_request(request: Any, going: Going, turn: Turn) -> Any:
    """Return the request of the next hop. Raise the library's error for one that has no place for an original."""
    try:
        return _request(request, going, turn.body(), again=True)
    except EditError as error:
        sentence = "an original that the model asked for has no place in this request"
        raise library_of(request).RemoteProtocolError(sentence, request=request) from error


def _request(request: Any, going: Going, body: bytes, *, again: bool) -> Any:
    headers = sent_headers(request.headers.raw, body, going.headers, again=again)
    made: Any = type(request)
    return made(request.method, request.url, headers=headers, content=body, extensions=request.extensions)


def answer_of(request: Any, first: Any, stream: Any, length: int | None = None) -> Any:
    """Return an answer with the head of the first hop's and another body."""
    headers = [(name, value) for name, value in first.headers.raw if name.lower() not in _OF_BYTES]
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    made: Any = type(first)
    return made(first.status_code, headers=headers, stream=stream, request=request, extensions=first.extensions)


def unread(request: Any, turn: Turn, data: bytes, error: Exception) -> bytes:
    """Return an answer that is none: the client sees a first one as it came. Raise the library's error for others."""
    turn.broke(error if isinstance(error, HeadroomError) else None)
    if turn.hops == 1:
        return data
    sentence = str(error) if isinstance(error, HeadroomError) else f"the answer cannot be read ({type(error).__name__})"
    raise library_of(request).RemoteProtocolError(sentence, request=request) from error


def cut(turn: Turn, error: UpstreamError) -> bytes:
    """Return the end of a stream that has none of its own.

    A first answer that stops in the middle reaches the client as it came, and what is no stream at all does, too.
    """
    if turn.hops == 1:
        turn.broke(error)
        return error.body
    return turn.broken(error)


async def in_thread(function: Any, *arguments: Any) -> Any:
    """Call a function in a thread, whichever event loop runs: the SDKs run on both that anyio knows."""
    from anyio import to_thread

    return await to_thread.run_sync(function, *arguments)
