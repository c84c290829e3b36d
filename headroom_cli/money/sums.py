"""Sums of the ledger in one pass: every line is counted once in each grouping, in integers, so all of them agree.

The report::

    v           1
    days        "UTC": days begin at midnight there
    since       Unix seconds from which lines count, None for all
    first, last Unix seconds of the first and the last line that counts, None for none
    currency    {unit, scale, source}: what all money below is in. unit "USD" where prices are known, "plain" (tokens of
                plain input) otherwise; money is a whole number of 1/scale units; source says where prices are from
    all         T
    verb, day, model, project, backend      name -> T. Their sums are those of ``all``, member by member
    kind, tool  name -> K. Their sums and ``rest`` together are those of ``all``, for the members that K has
    rest        {kind: K, tool: K}: what stands in no block (below zero: what was added to the request)
    prices      model -> {source, date, from, unit, plain, cache_read, cache_write, cache_write_1h, output, long,
                assumed}: what the last line that used it paid, US dollars for a million tokens or tokens of plain input
                for one; date: since when it holds, if known; from: the row it was found in; long: above how many tokens
                of input another price holds, if any; assumed: names of prices that the source lacks

T is::

    runs        lines
    blocks, before, after, saved, ms    estimates of tokens, saved = before - after; milliseconds that shortening took.
                A request that was refused, or got no answer, is a run without tokens
    usage       measured: {requests, input, plain, cache_read, cache_write, cache_write_1h, output}; input is the sum of
                the four behind it; requests that told their usage
    overhead    {markers, tool, hops}: tokens (estimates) of ours in ``after`` and beside it; calls beyond the first
    money       {requests, tokens, cost, saved, tool, hops, net}: requests with usage and price; the saved tokens that
                are priced; cost: measured, usage by price; saved: estimated, what these tokens would have cost; tool:
                estimated, what our tool and other additions cost; hops: measured, the part of cost for calls beyond the
                first; net = saved - tool - hops. Markers stand in ``after``, so saved is less by them already
    unpriced    {requests, input, output, saved}: the same tokens of calls whose model has no known price
    uncalled    {runs, saved}: lines that are no calls (pipes); nobody can tell what their tokens cost

K is {runs, blocks, before, after, saved, ms, money: {saved}}: runs in which it was met; ms is 0, runs are not timed by
kind; money.saved is the request's, shared out by tokens saved.

What a saved token would have cost depends on what the conversation's request before had saved already: usage.worth.
"""

from __future__ import annotations

import time
from operator import add

from headroom_cli import ledger
from headroom_cli.money import usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from headroom_cli.money.prices import Prices
    from headroom_cli.money.usage import Units
    from headroom_cli.pricing import Rules

OTHER = "other"
GROUPS = ("verb", "day", "model", "project", "backend")
PARTED = ("kind", "tool")
PLAIN = {"unit": "plain", "scale": 1000, "source": "caching rules of the providers"}
_NAMES = 1000  # of one grouping; names come from outside
_DAYS = 10_000
_LARGEST = 10**15  # a count beyond is damage
_CONVERSATIONS = 65_536
_HEAD = ("runs", "blocks", "before", "after", "ms")
_SPENT = ("markers", "tool", "hops")
_MONEY = ("requests", "tokens", "cost", "saved", "tool", "hops")
_UNPRICED = ("requests", "input", "output", "saved")
_WIDTH = len(_HEAD) + 1 + len(usage.PARTS) + len(_SPENT) + len(_MONEY) + len(_UNPRICED) + 2


def report(lines: Iterable[dict[str, Any]], prices: Prices | None = None, since: float | None = None) -> dict[str, Any]:
    """Return the sums of some lines, which come in the order of time; see above.

    Lines before ``since`` are not counted: they tell what a conversation had saved before. Without ``prices`` money is
    in tokens of plain input. Whatever a line holds, it counts as far as it makes sense.
    """
    sums = _Sums(prices)
    for line in lines:
        sums.add(line, since)
    return sums.report(since)


def count(value: Any) -> int:
    """Return a number of a line as a count, 0 for what is none."""
    if type(value) is int:
        return value if 0 <= value <= _LARGEST else 0
    return int(value) if isinstance(value, float) and 0 <= value <= _LARGEST else 0


def _name(line: Mapping[str, Any], member: str) -> str:
    said = line.get(member)
    return said[:100] if isinstance(said, str) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


class _Sums:
    """The sums as they grow: one list of whole numbers for each name."""

    def __init__(self, prices: Prices | None) -> None:
        self._prices = prices
        self._all = [0] * _WIDTH
        self._groups: dict[str, dict[str, list[int]]] = {name: {} for name in GROUPS}
        self._parts: dict[str, dict[str, list[int]]] = {name: {} for name in PARTED}
        self._conversations = usage.Conversations(_CONVERSATIONS)
        self._days: dict[int, str] = {}
        self._used: dict[str, dict[str, Any]] = {}
        self._first: float | None = None
        self._last: float | None = None

    def add(self, line: Mapping[str, Any], since: float | None) -> None:
        """Count one line."""
        when = ledger.when(line)
        hops, status = count(line.get("hops")), count(line.get("status"))
        verb, model, backend = _name(line, "verb"), _name(line, "model"), _name(line, "backend")
        part = _usage(line.get("usage"), line)
        # Requests that were refused or never answered saved nothing: the agent sends them again.
        refused = status >= 400 or (verb == "proxy" and not (status or part))
        tokens = {} if refused else _dict(line.get("tokens"))
        parts = {name: {} if refused else _read_parts(line.get(f"{name}s")) for name in PARTED}
        blocks, before, after = map(sum, zip(*parts["kind"].values(), strict=True)) if parts["kind"] else (0, 0, 0)
        before, after = count(tokens.get("before")) or before, count(tokens.get("after")) or after
        overhead = {} if refused and not part else _dict(line.get("overhead"))
        saved = before - after
        called = bool(part or hops)
        old = self._conversations.known(_name(line, "conversation"), saved, part) if called and not refused else 0
        if since is not None and when < since:
            return
        markers, tool = (count(overhead.get(name)) for name in ("markers", "tool"))
        later = _usage(overhead.get("hops"), line)
        units = self._units(model, backend, when, part, hops) if called else None
        money, unpriced, uncalled = [0] * len(_MONEY), [0] * len(_UNPRICED), [0, 0]
        if not called:
            uncalled = [1, saved]
        elif units is None:
            output = part.get("output", 0)
            unpriced = [bool(part or saved), sum(part.values()) - output, output, saved]
        else:
            spent = _less(part, later) if part and later else part
            cost = usage.cost(spent, units) if spent else 0
            again = usage.cost(later, units) if part and later else 0
            money = [
                bool(part), saved, cost + again, usage.worth(saved, old, part, units),
                usage.worth(tool, tool, part, units), again,
            ]  # fmt: skip
        row = [
            1, blocks, before, after, round(10 * min(_float(line.get("ms")), _LARGEST)),
            bool(part), *(part[name] if part else 0 for name in usage.PARTS),
            markers, tool, max(0, hops - 1), *money, *unpriced, *uncalled,
        ]  # fmt: skip
        self._first = when if self._first is None else min(self._first, when)
        self._last = when if self._last is None else max(self._last, when)
        self._all[:] = map(add, self._all, row)
        for group, name in zip(GROUPS, (verb, self._day(when), model, _name(line, "project"), backend), strict=True):
            _into(self._groups[group], name, row, _DAYS if group == "day" else _NAMES)
        for group in PARTED:
            self._share_out(self._parts[group], parts[group], saved, money[3])

    def _units(self, model: str, backend: str, when: float, part: Mapping[str, int], hops: int) -> Units | None:
        """Return the price of a call's tokens, None where it is not known."""
        if self._prices is None:
            by = usage.rules(model)
            if by is None:
                return None
            self._used.setdefault(model, _ruled(by))
            return usage.by_rules(by)
        sent = (sum(part.values()) - part["output"]) // max(1, hops) if part else 0
        price = self._prices.find(model, backend, when)
        if price is None:
            return None
        if model in self._used or len(self._used) < _NAMES:
            self._used[model] = price.shown
        return price.units(sent)

    @staticmethod
    def _share_out(group: dict[str, list[int]], parts: dict[str, list[int]], saved: int, money: int) -> None:
        """Count the blocks of one line by kind or tool."""
        for name, (blocks, before, after) in parts.items():
            share = money * (before - after) // saved if saved else 0
            _into(group, name, [1, blocks, before, after, share], _NAMES)

    def _day(self, when: float) -> str:
        number = int(when) // 86_400
        if number not in self._days:
            if len(self._days) > _DAYS:
                self._days.clear()
            self._days[number] = time.strftime("%Y-%m-%d", time.gmtime(number * 86_400))
        return self._days[number]

    def report(self, since: float | None) -> dict[str, Any]:
        """Return what ``report`` does."""
        groups = {name: {key: _total(row) for key, row in rows.items()} for name, rows in self._groups.items()}
        parts = {name: {key: _part(row) for key, row in rows.items()} for name, rows in self._parts.items()}
        whole = _total(self._all)
        return {
            "v": 1, "days": "UTC", "since": since, "first": self._first, "last": self._last,
            "currency": self._prices.currency if self._prices is not None else PLAIN,
            "all": whole, **groups, **parts,
            "rest": {name: _rest(whole, parts[name]) for name in PARTED},
            "prices": self._used,
        }  # fmt: skip


def _usage(value: Any, line: Mapping[str, Any]) -> dict[str, int]:
    """Return the provider's numbers as PARTS, {} where they do not say what came in."""
    flat = {name: count(said) for name, said in _dict(value).items() if type(said) in {int, float}}
    return usage.parts(flat, _name(line, "format"))


def _float(value: Any) -> float:
    return value if type(value) in {int, float} and 0 <= value <= _LARGEST else 0


def _read_parts(value: Any) -> dict[str, list[int]]:
    """Return blocks, before, after of each kind or tool."""
    return {
        name[:100]: [count(said.get(key)) for key in ("blocks", "before", "after")]
        for name, said in _dict(value).items() if isinstance(said, dict)
    }  # fmt: skip


def _less(part: Mapping[str, int], later: Mapping[str, int]) -> dict[str, int]:
    """Return the usage of the first call: all of it without that of the later ones."""
    return {name: max(0, part[name] - later[name]) for name in usage.PARTS}


def _ruled(by: Rules) -> dict[str, Any]:
    """Return a provider's rules as the report shows prices."""
    prices = {name: unit / 1_000_000 for name, unit in zip(usage.PARTS, usage.by_rules(by), strict=True)}
    return {
        "source": "caching rules", "date": None, "from": by.name, "unit": "plain", **prices, "output": None,
        "long": None, "assumed": [],
    }  # fmt: skip


def _into(group: dict[str, list[int]], name: str, row: list[int], most: int) -> None:
    held = group.get(name)
    if held is None:
        if len(group) >= most:
            name = OTHER
        held = group.setdefault(name, [0] * len(row))
    held[:] = map(add, held, row)


def _total(row: list[int]) -> dict[str, Any]:
    """Return T of a row."""
    numbers = iter(row)

    def named(names: Iterable[str]) -> dict[str, Any]:
        return {name: next(numbers) for name in names}

    head = named(_HEAD)
    counted = named(("requests", *usage.PARTS))
    input_tokens = sum(counted[name] for name in usage.PARTS) - counted["output"]
    overhead, money, unpriced = named(_SPENT), named(_MONEY), named(_UNPRICED)
    uncalled = named(("runs", "saved"))
    ms = head.pop("ms")
    return {
        **head, "saved": head["before"] - head["after"], "ms": ms // 10 if ms % 10 == 0 else ms / 10,
        "usage": {"requests": counted.pop("requests"), "input": input_tokens, **counted},
        "overhead": overhead,
        "money": {**money, "net": money["saved"] - money["tool"] - money["hops"]},
        "unpriced": unpriced, "uncalled": uncalled,
    }  # fmt: skip


def _part(row: list[int]) -> dict[str, Any]:
    """Return K of a row."""
    runs, blocks, before, after, money = row
    return {"runs": runs, "blocks": blocks, "before": before, "after": after, "saved": before - after, "ms": 0,
            "money": {"saved": money}}  # fmt: skip


def _rest(whole: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the parts lack of the whole."""
    rest = {name: whole[name] - sum(part[name] for part in parts.values()) for name in ("blocks", "before", "after")}
    money = whole["money"]["saved"] - sum(part["money"]["saved"] for part in parts.values())
    return {"runs": 0, **rest, "saved": rest["before"] - rest["after"], "ms": 0, "money": {"saved": money}}
