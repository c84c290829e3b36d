"""What happened, in numbers: totals since the start, and the last requests. In memory; the ledger is what lasts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Done:
    """One request that was answered, as it is counted.

    ``when``      Unix seconds; ``route`` the row of routes.TABLE; ``shape``, ``model``, ``provider``
    ``status``    what the client got; ``error`` in words, "" for none
    ``why``       why nothing was saved, "" when something was
    ``before``, ``after``  tokens, estimates; ``kinds`` and ``slow`` as in jobs.Made
    ``usage``     the provider's own numbers, flat
    ``engine_ms``, ``first_ms``, ``total_ms``  shortening; until the first byte to the client; all of it
    ``hops``      calls to the provider; ``marked`` blocks with a marker; ``served`` originals given to the model
    ``conversation`` a digest; ``bodies`` (before, after) for the dashboard, None when nothing changed
    """

    __slots__ = (
        "after", "before", "bodies", "conversation", "engine_ms", "error", "first_ms", "hops", "kinds", "marked",
        "model", "number", "provider", "route", "served", "shape", "slow", "status", "total_ms", "usage", "when", "why",
    )  # fmt: skip

    def __init__(self, route: str, shape: str) -> None:
        """Start as a request of which nothing is known."""
        self.number = 0
        self.when = 0.0
        self.route = route
        self.shape = shape
        self.model = ""
        self.provider = ""
        self.status = 0
        self.error = ""
        self.why = ""
        self.before = 0
        self.after = 0
        self.kinds: dict[str, Any] = {}
        self.slow: list[dict[str, Any]] = []
        self.usage: dict[str, int] = {}
        self.engine_ms = 0.0
        self.first_ms = 0.0
        self.total_ms = 0.0
        self.hops = 0
        self.marked = 0
        self.served = 0
        self.conversation = ""
        self.bodies: tuple[bytes, bytes] | None = None


class Counts:
    """Totals and the last requests of one serving process."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        """Start at zero."""
        self.last: list[Done] = []

    def add(self, done: Done) -> None:
        """Count a request that has ended."""
        self.last.append(done)
