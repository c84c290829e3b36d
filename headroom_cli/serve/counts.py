"""What happened, in numbers: totals since the start, and the last requests. In memory; the ledger is what lasts.

One event loop writes and reads this, so nothing is locked; adding a request costs the same however many there were.
Every set of names that comes from outside is bounded: what does not fit is counted as "other".
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque

from headroom_cli.money import usage as prices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    T = TypeVar("T")

LAST = 100  # requests that are remembered one by one
BODIES = 16 << 20  # bytes of their bodies, all together
MODELS = 32
OTHER = "other"
_NAMES = 64  # of anything else
_NAME = 100  # characters of a name
_CONVERSATIONS = 1024
_MINUTES = 60
_LISTED = 12  # blocks of one request

# Upper ends in milliseconds.
ENGINE_MS = (1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000)
WAIT_MS = (25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000)


class Done:
    """One request that was answered, as it is counted.

    ``number``    as the client was told it (Counts.ticket); ``order`` the how-manieth to end
    ``when``      Unix seconds; ``route`` the row of routes.TABLE; ``shape``, ``model``, ``provider``
    ``status``    what the client got; ``error`` in words, "" for none
    ``billed``    a provider charges for such a request; tokens of others (count_tokens) are in no sum
    ``why``       why nothing was saved, "" when something was
    ``before``, ``after``  tokens, estimates; ``kinds`` and ``slow`` as in jobs.Made
    ``usage``     the provider's own numbers, flat
    ``engine_ms``, ``first_ms``, ``total_ms``  shortening; until the first byte to the client; all of it
    ``hops``      calls to the provider; ``marked`` blocks with a marker; ``served`` originals given to the model
    ``conversation`` a digest; ``bodies`` (before, after) for the dashboard, None when nothing changed
    ``project``, ``tools``, ``trial``, ``overhead``  as in the ledger
    """

    __slots__ = (
        "after", "before", "billed", "bodies", "conversation", "engine_ms", "error", "first_ms", "hops", "kinds",
        "marked", "model", "number", "order", "overhead", "project", "provider", "route", "served", "shape", "slow",
        "status", "tools", "total_ms", "trial", "usage", "when", "why",
    )  # fmt: skip

    def __init__(self, route: str, shape: str) -> None:
        """Start as a request of which nothing is known."""
        self.number = 0
        self.order = 0
        self.when = 0.0
        self.route = route
        self.shape = shape
        self.model = ""
        self.provider = ""
        self.status = 0
        self.error = ""
        self.billed = "count_tokens" not in route
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
        self.project = ""
        self.tools: dict[str, Any] = {}
        self.trial: dict[str, Any] = {}
        self.overhead: dict[str, Any] = {}
        self.bodies: tuple[bytes, bytes] | None = None

    def cut(self) -> None:
        """Take note that the answer did not come to its end: what was counted of its output is not all of it."""
        if self.trial:
            self.trial = {**self.trial, "cut": True}


class Histogram:
    """How often a time was within each of some bounds, in milliseconds."""

    __slots__ = ("bounds", "buckets", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """``bounds`` rise; one more bucket holds what is beyond the last."""
        self.bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.sum = 0.0

    @property
    def count(self) -> int:
        """All that was added."""
        return sum(self.buckets)

    def add(self, milliseconds: float) -> None:
        """Count one time."""
        place = next((i for i, bound in enumerate(self.bounds) if milliseconds <= bound), len(self.bounds))
        self.buckets[place] += 1
        self.sum += milliseconds

    def within(self, share: float) -> float | None:
        """Return the bound within which this share of all times is; None when there are none or it is beyond all."""
        wanted, seen = share * self.count, 0
        for bound, count in zip(self.bounds, self.buckets, strict=False):
            seen += count
            if seen and seen >= wanted:
                return bound
        return None


class Model:
    """The sums of one model: estimates (before, after), usage by PARTS, and both as prices in tokens of plain input."""

    __slots__ = ("after", "before", "price", "priced", "requests", "rules", "saving", "usage", "used")

    def __init__(self) -> None:
        """Start at nothing."""
        self.requests = 0
        self.used = 0  # requests with a usage
        self.before = 0
        self.after = 0
        self.usage = dict.fromkeys(prices.PARTS, 0)
        self.rules = ""
        self.price = 0.0
        self.saving = 0.0
        self.priced = True


class Kind:
    """The sums of one kind of block. ``kept``: reason -> blocks that stayed as they were."""

    __slots__ = ("after", "before", "blocks", "kept")

    def __init__(self) -> None:
        """Start at nothing."""
        self.blocks = 0
        self.before = 0
        self.after = 0
        self.kept: dict[str, int] = {}


class Counts:
    """Totals and the last requests of one serving process."""

    def __init__(self) -> None:
        """Start at zero."""
        self.started = time.time()
        self.last: deque[Done] = deque(maxlen=LAST)
        self.requests = 0
        self.shortened = 0
        self.before = 0
        self.after = 0
        self.marked = 0
        self.hops = 0
        self.served = 0
        self.statuses: dict[str, int] = {}
        self.routes: dict[str, int] = {}
        self.providers: dict[str, int] = {}
        self.why: dict[str, int] = {}
        self.errors: dict[str, int] = {}
        self.kinds: dict[str, Kind] = {}
        self.models: dict[str, Model] = {}
        self.used = 0  # requests with a usage
        self.usage = dict.fromkeys(prices.PARTS, 0)
        self.price = 0.0
        self.saving = 0.0
        self.unpriced = {"requests": 0, "input": 0, "saved": 0}  # of models whose name tells no rules
        self.engine = Histogram(ENGINE_MS)
        self.first = Histogram(WAIT_MS)
        self.total = Histogram(WAIT_MS)
        self.minutes: deque[list[int]] = deque(maxlen=_MINUTES)  # [Unix minute, before, after]
        self._bodies: OrderedDict[int, tuple[bytes, bytes, str]] = OrderedDict()
        self._held = 0
        self._saved = prices.Conversations(_CONVERSATIONS)
        self._tickets = 0

    def ticket(self) -> int:
        """Return the number of a request that begins; numbers start at 1."""
        self._tickets += 1
        return self._tickets

    def add(self, done: Done) -> None:
        """Count a request that has ended. Its bodies are taken from it."""
        self.requests += 1
        done.order = self.requests
        done.number = done.number or self.ticket()
        done.when = done.when or time.time()
        done.model, done.why, done.error = plain(done.model), plain(done.why), plain(done.error)
        status = f"{done.status // 100}xx" if 100 <= done.status <= 599 else OTHER
        _bump(self.statuses, status)
        _bump(self.routes, plain(done.route))
        _bump(self.providers, plain(done.provider) or OTHER)
        if done.why:
            _bump(self.why, done.why)
        if done.error:
            _bump(self.errors, done.error)
        self.hops += done.hops
        self.served += done.served
        if done.engine_ms > 0:
            self.engine.add(done.engine_ms)
        if done.first_ms > 0:
            self.first.add(done.first_ms)
        if done.total_ms > 0:
            self.total.add(done.total_ms)
        # A request that was refused, or that nobody charges for, saved nothing: the agent sends it again.
        if done.billed and 100 <= done.status < 400:
            self._add_tokens(done)
        self._keep(done)
        done.slow = [
            {key: plain(said) if isinstance(said, str) else said for key, said in row.items()}
            for row in done.slow[:_LISTED]
        ]
        self.last.append(done)

    def _add_tokens(self, done: Done) -> None:
        saved = done.before - done.after  # below zero where more was added
        self.before += done.before
        self.after += done.after
        self.shortened += saved > 0
        self.marked += done.marked
        minute = int(done.when) // 60
        if not self.minutes or self.minutes[-1][0] < minute:
            self.minutes.append([minute, 0, 0])
        self.minutes[-1][1] += done.before
        self.minutes[-1][2] += done.after
        for name, said in done.kinds.items():
            self._add_kind(_row(self.kinds, plain(name), Kind, _NAMES), said)
        model = _row(self.models, done.model, Model, MODELS) if done.model else None
        if model is not None:
            model.requests += 1
            model.before += done.before
            model.after += done.after
        self._add_money(done, saved, model)

    def _add_money(self, done: Done, saved: int, model: Model | None) -> None:
        part = prices.parts(done.usage, done.shape)
        by = prices.rules(done.model)
        for sums in (self, model):
            if sums is not None and part:
                sums.used += 1
                for name, count in part.items():
                    sums.usage[name] += count
        old = self._saved.known(done.conversation, saved, part)
        if by is None:
            self.unpriced["requests"] += bool(part or saved)
            self.unpriced["input"] += sum(part.values()) - part["output"] if part else 0
            self.unpriced["saved"] += saved
            if model is not None:
                model.priced = False
            return
        for sums in (self, model):
            if sums is not None:
                sums.price += prices.price(part, by) if part else 0
                sums.saving += prices.saving(saved, old, part, by)
        if model is not None:
            model.rules = by.name

    @staticmethod
    def _add_kind(kind: Kind, said: Mapping[str, Any]) -> None:
        kind.blocks += said.get("blocks", 0)
        kind.before += said.get("before", 0)
        kind.after += said.get("after", 0)
        kept = said.get("kept")
        for reason, blocks in kept.items() if isinstance(kept, dict) else ():
            _bump(kind.kept, plain(reason), blocks)

    def _keep(self, done: Done) -> None:
        """Take the bodies into the space that there is, the oldest making room."""
        bodies, done.bodies = done.bodies, None
        if bodies is None:
            return
        size = len(bodies[0]) + len(bodies[1])
        if size > BODIES:
            return
        self._bodies[done.number] = (*bodies, done.shape)
        self._held += size
        while self._held > BODIES or len(self._bodies) > LAST:
            before, after, _ = self._bodies.popitem(last=False)[1]
            self._held -= len(before) + len(after)

    def bodies(self, number: int) -> tuple[bytes, bytes, str] | None:
        """Return (before, after, shape) of a request, None when they are not held (any more)."""
        return self._bodies.get(number)


def plain(text: str) -> str:
    """Return a name on one line, without what drives a terminal, not too long."""
    text = text[:_NAME]
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def _bump(sums: dict[str, int], name: str, by: int = 1) -> None:
    if name not in sums and len(sums) >= _NAMES:
        name = OTHER
    sums[name] = sums.get(name, 0) + by


def _row(rows: dict[str, T], name: str, make: Callable[[], T], most: int) -> T:
    """Return the sums of a name, of "other" when there are too many."""
    if name not in rows:
        if len(rows) >= most:
            name = OTHER
        rows.setdefault(name, make())
    return rows[name]
