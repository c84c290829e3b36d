"""The hops of a turn, one after the other over httpx or a library: for programs that wait for their answer."""

from __future__ import annotations

import json

from headroom_cli.errors import KeyMissingError, UnreachableError, UpstreamError
from headroom_cli.wire._events import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from headroom_cli.backends import Backend, Call, Target
    from headroom_cli.relay import Relay
    from headroom_cli.upstream import Upstream
    from headroom_cli.wire._events import Event


def answer(
    relay: Relay,
    backend: Backend,
    target: Target,
    tell: Callable[[str], None] = lambda _sentence: None,
    watch: Callable[[Call], None] = lambda _call: None,
    *,
    sent: Callable[[], None] = lambda: None,
) -> Iterator[list[Event]]:
    """Send, and give the events of the answer as they arrive; of a whole answer nothing, ``relay.body()`` is it.

    ``watch`` sees each call as it is about to go out, ``sent`` is told of each that went. Raise UpstreamError and its
    kin. Closing the generator closes the provider's connection.
    """
    if backend.library is not None:
        yield from _from_library(relay, backend, target, sent)
        return
    from headroom_cli.upstream import Upstream

    with Upstream(target.timeout, tell, watch) as upstream:
        _authorise(upstream, backend, target)
        while relay.more:
            reply = upstream.send(relay.call)
            sent()
            try:
                if reply.status >= 300:
                    raise relay.refused(reply.status, reply.headers, reply.error())
                relay.begin(reply.headers.get("content-type", ""))
                for chunk in reply.chunks():
                    yield relay.feed(chunk)
                    if relay.ended:
                        break
                yield relay.end()
            finally:
                reply.close()


def _from_library(relay: Relay, backend: Backend, target: Target, sent: Callable[[], None]) -> Iterator[list[Event]]:
    """Do the same with a library that sends by itself."""
    from headroom_cli.wire._events import Event

    if backend.library is None:
        return
    while relay.more:
        outgoing = relay.outgoing()
        chunks = backend.library(outgoing, target)
        begun = False
        try:
            for chunk in chunks:
                if not begun:
                    sent()
                    relay.begin("text/event-stream" if outgoing.stream else "application/json")
                    begun = True
                if outgoing.stream:
                    yield relay.take([Event.of(chunk)])
                else:
                    relay.feed(written(chunk))
            if not begun:
                raise UnreachableError(f"{backend.name} gave no answer; send the request again")
            if outgoing.stream:
                yield relay.take([Event(b"data: [DONE]\n\n", "", "[DONE]")])
            yield relay.end()
        except UpstreamError as error:
            raise relay.told(error) from None
        finally:
            if hasattr(chunks, "close"):
                chunks.close()


def _authorise(upstream: Upstream, backend: Backend, target: Target) -> None:
    """Get the access token that some gateways want first. Raise KeyMissingError, UnreachableError."""
    call = backend.token(target)
    if call is None:
        return
    reply = upstream.send(lambda: call)
    body = reply.error()
    reply.close()
    try:
        token = json.loads(body)["access_token"]
    except (ValueError, KeyError, TypeError, RecursionError):
        token = ""
    if reply.status >= 300 or not isinstance(token, str) or not token:
        raise KeyMissingError(
            f"the token endpoint gave no token (HTTP {reply.status}); check the client's id and secret"
        )
    target.token = token
