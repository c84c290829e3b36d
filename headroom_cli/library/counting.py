"""Lines of the ledger for what a program does by the library: numbers alone, and never worth an error.

Written at once: it takes 50 microseconds, and a thread of its own would have to be ended before a folder is removed.
Where nothing was ever stored there is no store, and no ledger is begun.
"""

from __future__ import annotations

import contextlib
import os

from headroom_cli import ledger
from headroom_cli.errors import HeadroomError
from headroom_cli.send.overhead import overhead
from headroom_cli.settings import resolve
from headroom_cli.wire._usage import flat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.library.result import Compressed
    from headroom_cli.model import Report
    from headroom_cli.relay import Relay
    from headroom_cli.send import Ready

VERB = "library"
_projects: dict[str, str] = {}  # working directory -> project: looking takes as long as writing the line


def compressed(root: str, model: str, made: Compressed[Any], project: str | None = None) -> None:
    """Note what ``compress`` did; ``root`` is the store's directory. ``project`` None is this process's own."""
    if made.blocks:
        tokens = {"before": made.tokens_before, "after": made.tokens_after}
        named = _project() if project is None else project
        _append(root, made.blocks, {"tokens": tokens, "model": model, "project": named})


def answered(root: str, ready: Ready, relay: Relay | None, status: int, *, by_proxy: bool = False) -> None:
    """Note a request that a wrapped client sent, and its usage where the answer was read (``relay``).

    ``status`` is that of its answer, 0 where nobody looked. Where a proxy of ours answered, the usage is on its lines:
    on both it would be paid for twice.
    """
    result, request = ready.result, ready.request
    hops, usage, later = (relay.hops, flat(relay.usage), relay.later()) if relay is not None else (0, {}, {})
    if by_proxy:
        usage, later = {}, {}
    _append(root, result.blocks, {
        "format": request.shape, "level": result.level, "model": request.model,
        "tokens": {"before": result.before, "after": result.after}, "conversation": ledger.conversation(request.value),
        "backend": "anthropic" if request.shape == "anthropic" else "openai", "hops": hops, "usage": usage,
        "project": _project(), "status": status, "overhead": {**overhead(ready), **({"hops": later} if later else {})},
    })  # fmt: skip


def _append(root: str, blocks: list[Report], more: dict[str, Any]) -> None:
    if not os.path.isdir(root):
        return
    kinds: dict[str, dict[str, int]] = {}
    for block in blocks:
        row = kinds.setdefault(block.kind or "none", {"blocks": 0, "before": 0, "after": 0, "kept": 0})
        row["blocks"] += 1
        row["before"] += block.before
        row["after"] += block.after
        row["kept"] += bool(block.kept)
    line = {"verb": VERB, "kinds": kinds, "tools": ledger.tools(blocks), **more}
    line["model"] = more["model"][:100]
    with contextlib.suppress(HeadroomError, OSError, ValueError):
        ledger.append(root, {name: value for name, value in line.items() if value})


def _project() -> str:
    try:
        place = os.getcwd()
    except OSError:
        return ""
    if place not in _projects:
        if len(_projects) >= 100:
            _projects.clear()
        with contextlib.suppress(HeadroomError, OSError, ValueError):
            _projects[place] = ledger.project(resolve({}).project)
    return _projects.get(place, "")
