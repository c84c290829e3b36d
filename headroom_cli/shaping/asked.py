"""What was asked for: whether and how answers are shaped, and which share of conversations is left alone to compare."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.settings import Settings


class Shaping:
    """What holds for conversations that begin; those that have begun keep what they began with.

    ``on``       answers are shaped
    ``level``    of verbosity, 0 to 4
    ``effort``   effort may be routed
    ``output_holdout``, ``holdout``  shares (0 to 1) that are not shaped, and that are not compressed
    ``again``    the request was made ready before: what was noted of it then holds, whatever a trial shows by now
    ``counting`` the request asks for a number of tokens: it is written as it would be sent, and nothing is noted
    """

    __slots__ = ("again", "counting", "effort", "holdout", "level", "on", "output_holdout")

    def __init__(
        self, *, on: bool = False, level: int = 2, effort: bool = True, output_holdout: float = 0.0,
        holdout: float = 0.0, counting: bool = False, again: bool = False,
    ) -> None:  # fmt: skip
        """Nothing is asked for unless it is named."""
        self.on = on
        self.level = level
        self.effort = effort
        self.output_holdout = output_holdout
        self.holdout = holdout
        self.counting = counting
        self.again = again


def of(settings: Settings) -> dict[str, Any]:
    """Return the keywords of Shaping that the settings ask for."""
    return {
        "on": settings.output_shaper, "level": int(settings.verbosity or 2), "effort": settings.effort != "keep",
        "output_holdout": settings.output_holdout, "holdout": settings.holdout,
    }  # fmt: skip
