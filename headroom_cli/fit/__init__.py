"""Leave whole units of a conversation out until it fits a budget: IntelligentContext.

    plan  = turns read -> walk: at each turn that passes the budget, the units that are missed least go
    edits = each group of turns dropped, one text of ours in its place

The engine stores the turns that go, builds the marker, and calls ``edits_for`` with the finished texts.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from headroom_cli.fit.walk import Plan
    from headroom_cli.formats import Document
    from headroom_cli.formats._edits import Edit

LOW = 0.7  # of the budget: what a step leaves, so that the next one is far off


def fit(
    document: Document,
    budget: int,
    count: Callable[[str], int],
    *,
    notes: Any = None,
    refers: dict[int, tuple[int, ...]] | None = None,
    explicit: bool = True,
    query: str = "",
    original: Callable[[int], str] | None = None,
) -> Plan | None:
    """Return what to leave out so that a conversation costs at most ``budget`` tokens; None when it cannot fit.

    ``count`` gives the tokens of a text. ``refers`` names for a block's ordinal the blocks that its references point
    at. ``explicit`` tells a budget that was asked for from a model's window: for a window no distinct error goes, and
    nothing in front of a signature. ``notes`` remembers what was decided, so that it holds for ever. ``original`` gives
    the text that a block had before route rendered it (its own when it did not): where observations stand in user
    turns, only that tells them from the user's words.
    """
    made = plan(document, budget, count, notes=notes, refers=refers, explicit=explicit, query=query, original=original)
    return made if made.fits else None


def plan(
    document: Document,
    budget: int,
    count: Callable[[str], int],
    *,
    notes: Any = None,
    refers: dict[int, tuple[int, ...]] | None = None,
    explicit: bool = True,
    query: str = "",
    original: Callable[[int], str] | None = None,
) -> Plan:
    """Return the same plan with the reasons, also of a conversation that cannot fit (``fits`` is false then)."""
    from headroom_cli.fit.make import make

    return make(
        document, budget, count, notes=notes, refers=refers or {}, explicit=explicit, query=query, original=original
    )


def edits_for(
    document: Document, made: Plan, texts: list[str], originals: Mapping[int, str] | None = None
) -> list[Edit]:
    """Return the edits that put ``texts`` (each group's note with its marker) in the place of the groups' turns.

    ``originals`` are the original texts of the blocks that are adrift, by their ordinals.
    """
    from headroom_cli.fit.edits import edits_for

    return edits_for(document, made.groups, texts, originals or {})


def window(model: str) -> int | None:
    """Return how many tokens a model takes in, None when that is not known."""
    from headroom_cli.fit.windows import window

    return window(model)
