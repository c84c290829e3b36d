"""What plugins hear of requests that pass a proxy; they run in its worker processes.

A worker process tells of ``setup`` and of the stages up to ``pre_send`` while it makes a request ready. What comes
later happens elsewhere, and is told by the job ``told`` with the facts that came back with the request.
"""

from __future__ import annotations

import sys

from headroom_cli.events import Plugins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli import send
    from headroom_cli.serve.options import Serving
    from headroom_cli.serve.work import State

_loaded: dict[tuple[str, ...], Plugins] = {}


def plugins(serving: Serving) -> Plugins | None:
    """Return the plugins of this process, None where there are none. Raise ConfigError.

    Called before a proxy listens it finds out whether all that are named can be used, and ``pre_start`` and
    ``post_start`` are told of these.
    """
    if not serving.plugins:
        return None
    names = tuple(serving.plugins)
    if names not in _loaded:
        _loaded[names] = Plugins.load(names, operation="proxy", tell=_tell)
        _loaded[names].begin(starts=False)
    return _loaded[names]


def _tell(sentence: str) -> None:
    sys.stderr.write(f"headroom: {sentence}\n")


def facts(ready: send.Ready) -> dict[str, Any] | None:
    """Return what later events say of a request, as plain values; None where nobody is to be told."""
    telling = ready.telling
    if telling is None:
        return None
    return {
        "request_id": telling.request_id, "provider": telling.provider, "model": telling.model,
        "headers": telling.headers, "metadata": telling.metadata,
    }  # fmt: skip


def told(state: State, known: dict[str, Any], stage: str, more: dict[str, Any]) -> None:
    """Tell of ``post_send`` or ``response_received``; ``more`` are further members of the event (a job)."""
    several = plugins(state.serving)
    if several is not None:
        metadata = {**known["metadata"], **more.pop("metadata", {})}
        several.emit(stage, **{**known, **more, "metadata": metadata})
