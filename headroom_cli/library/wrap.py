"""The official SDKs' clients, with smaller requests: the same object, of the same class, with every helper it has."""

from __future__ import annotations

from typing import TypeVar

from headroom_cli.library.headroom import Headroom

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from headroom_cli.library.going import Wrapping
    from headroom_cli.library.headroom import Allowed, Told
    from headroom_cli.store import Store

C = TypeVar("C")


def wrap(
    client: C, *, store: str | Store | None = None, policy: Allowed = None, on_pipeline_event: Told | None = None,
    plugins: Iterable[str | object] = (), output_shaper: bool | None = None,
) -> C:  # fmt: skip
    """Make the requests of an SDK's client smaller, and return that client.

    ``client`` is an ``anthropic.Anthropic``, ``openai.OpenAI``, one of their asynchronous forms, or what is derived
    from these. Its conversations (Messages, Chat Completions, Responses) go out shortened; what was left out the model
    gets by a tool of this program's, whose calls are answered here. Copies by ``with_options`` are wrapped, too. A
    client that is wrapped already stays as it is. What cannot be shortened goes out as it came; the reason is logged
    by the logger "headroom_cli".

    ``store``, ``policy``, ``on_pipeline_event`` and ``plugins`` as in Headroom; markers stand only where the tool is,
    whatever the policy says of that, and with ``redeem="none"`` there are none. ``output_shaper`` asks models for
    shorter answers (docs/shaping.md), None leaves that to HEADROOM_OUTPUT_SHAPER; HEADROOM_VERBOSITY and
    HEADROOM_EFFORT say how. Nothing is held out here, since nobody would count it. Raise TypeError for another object,
    ConfigError for what does not exist.
    """
    from headroom_cli.library.going import Wrapping

    inner: Any = getattr(client, "_client", None)
    if isinstance(client, type) or not all(hasattr(inner, name) for name in ("_transport", "_mounts", "build_request")):
        raise TypeError("wrap() takes a client of the anthropic or openai package, such as anthropic.Anthropic()")
    if _is_wrapped(inner):
        return client
    headroom = Headroom(store=store, policy=policy, on_pipeline_event=on_pipeline_event, plugins=plugins)
    _replace(client, _around(inner, Wrapping(headroom, output_shaper=output_shaper)))
    return client


def unwrap(client: C) -> C:
    """Give an SDK's client its own HTTP client back, and return that client; one that is not wrapped stays.

    Copies of it that were made meanwhile stay wrapped.
    """
    inner: Any = getattr(client, "_client", None)
    if _is_wrapped(inner):
        _replace(client, inner._transport.client)  # noqa: SLF001 - httpx has no public name for it
    return client


def _around(inner: Any, wrapping: Wrapping) -> Any:
    """Return an HTTP client like this one, over the same connections.

    It is another object, for the client may be shared with others, who did not ask for this; but it has the same state,
    and whatever is set of one (hooks, timeouts, whether it is closed) holds for both. The connections end with the one
    that was given: the SDKs' own clients close theirs when nobody holds them any more.
    """
    from headroom_cli.library.transports import AsyncTransport, Transport

    kind = AsyncTransport if hasattr(inner, "aclose") else Transport
    other: Any = object.__new__(_second(type(inner)))
    other.__dict__ = inner.__dict__
    other.own_transport = kind(inner._transport, wrapping, inner)  # noqa: SLF001
    other.own_mounts = {
        pattern: None if own is None else kind(own, wrapping, inner)
        for pattern, own in inner._mounts.items()  # noqa: SLF001
    }
    return other


_seconds: dict[type, type] = {}  # the class of an HTTP client -> that of those in front of one


def _second(base: type) -> type:
    """Return the class of clients that share another's state, but for the way that their requests take."""
    if base not in _seconds:
        members = {
            "__module__": base.__module__,
            "__slots__": ("own_mounts", "own_transport"),
            "__del__": _gone,
            "_transport": property(lambda client: client.own_transport),
            "_mounts": property(lambda client: client.own_mounts),
        }
        _seconds[base] = type(base.__name__, (base,), members)
    return _seconds[base]


def _gone(_: Any) -> None:
    """Close nothing: the client that was given may be in use."""


def _is_wrapped(inner: Any) -> bool:
    from headroom_cli.library.transports import AsyncTransport, Transport

    return isinstance(getattr(inner, "_transport", None), (Transport, AsyncTransport))


def _replace(client: Any, inner: Any) -> None:
    client._client = inner  # noqa: SLF001 - the SDKs have no public name for it; copies are given the same
