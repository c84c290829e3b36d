"""What of a request is ours: the markers that stand in what was shortened, and the definition of our tool."""

from __future__ import annotations

import json
from functools import lru_cache

from headroom_cli import retrieval, tokens
from headroom_cli.emit import MARKER
from headroom_cli.model import LOSSY
from headroom_cli.send.shapes import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.send.request import Ready


def overhead(ready: Ready) -> dict[str, int]:
    """Return estimates of tokens: ``markers``, which blocks hold already, and ``tool``, which no block does.

    The block that asks for shorter answers is text of the request: what was added there is part of its tokens.
    """
    found = {"markers": _markers(ready), "tool": _tool(ready.request.value.get("tools")) if ready.request.ours else 0}
    return {name: count for name, count in found.items() if count}


def _markers(ready: Ready) -> int:
    given = {report.handle for report in ready.result.blocks if report.degree == LOSSY and report.handle}
    if not given:
        return 0
    text = ready.result.data.decode("utf-8", "replace")
    return sum(_count(found[0]) for found in MARKER.finditer(text) if found[1] in given)


@lru_cache(maxsize=4096)  # a conversation sends the same markers again and again
def _count(text: str) -> int:
    return tokens.count(text)


def _tool(tools: Any) -> int:
    """Return the tokens of our tool among those of a request."""
    ours = [tool for tool in tools if not names([tool]).isdisjoint(retrieval.NAMES)] if isinstance(tools, list) else []
    return sum(_count(json.dumps(tool, separators=(",", ":"))) for tool in ours)
