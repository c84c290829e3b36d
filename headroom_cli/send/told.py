"""What plugins hear of a request that is sent, and where what they change goes in."""

from __future__ import annotations

from headroom_cli import events, plugins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.backends import Backend
    from headroom_cli.errors import HeadroomError
    from headroom_cli.plugins import Telling
    from headroom_cli.relay import Relay
    from headroom_cli.send.options import Options


def received(data: bytes, value: Any, backend: Backend, options: Options, *, opened: bool) -> tuple[bytes, Options]:
    """Tell that a request came; return it, and what was asked for, with what plugins changed.

    ``value`` is None for a text; of what cannot be opened nothing can be shown, nor changed.
    """
    several = events.plugins_for(options.plugins, "send")
    several.begin(starts=False)
    own = value.get("model") if isinstance(value, dict) else None
    telling = plugins.Telling(
        several, request_id=options.request_id, provider=backend.name, headers=options.headers,
        model=options.model or (own if isinstance(own, str) else options.usual),
    )  # fmt: skip
    asked = options.copy()
    asked.telling = telling
    model = telling.model
    data = telling.received(data, value if opened else None)
    if not opened:
        telling.model = model
    elif telling.model != model and (options.model or not isinstance(own, str)):
        asked.model = telling.model
    return data, asked


def posted(telling: Telling | None, hop: int) -> None:
    """Tell that a request left; ``hop`` counts from 1."""
    if telling is not None:
        telling.tell("post_send", metadata={"hop": hop})


def answered(telling: Telling | None, relay: Relay, failure: HeadroomError | None, *, stopped: bool = False) -> None:
    """Tell how a request ended: the provider's HTTP status (0 for none), its hops, and what it counted."""
    if telling is None:
        return
    code = getattr(failure, "code", 0)
    outcome = "stopped" if stopped else "answered" if failure is None else "refused" if code else "broken"
    response = {"status": code or (200 if relay.hops else 0), "hops": relay.hops, "usage": relay.usage}
    telling.tell("response_received", response=response, outcome=outcome)
