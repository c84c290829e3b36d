"""The conversations of trials, put together from the ledger's lines: one unit of a trial each, never a request."""

from __future__ import annotations

from headroom_cli import ledger
from headroom_cli.money import usage as money
from headroom_cli.trial.arms import CHOSEN, CONTROL, TREATED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from headroom_cli.money.prices import Prices
    from headroom_cli.pricing import Rules

_ARMS = (TREATED, CONTROL, CHOSEN)
# What prices the input of a model whose name tells no rules, by the API: both arms are counted alike.
_ASSUMED = {"anthropic": "claude-sonnet-4-5", "bedrock": "claude-sonnet-4-5"}
_OTHERWISE = "gpt-5.6"


class Talk:
    """One conversation: what was known at its first request, and the sums of all its requests.

    ``key``       its name in trials; ``began``  Unix seconds of its first request
    ``stratum``   that of its first request: every later one may be an effect of what is tried
    ``compress``, ``shape``  its arm (of arms), "" for in no trial, "mixed" for more than one
    ``requests``  those that the provider answered with a usage
    ``output``    tokens, the provider's count
    ``price``     of its input, in tokens of plain input
    ``dollars``   the same in US dollars, None where the price of a request is not known
    ``before``    estimated tokens of its requests as the client wrote them
    ``active``, ``idle``  requests in which shaping stood, and in which it did not
    ``levels``    verbosity levels that stood in them
    """

    __slots__ = (
        "active", "before", "began", "compress", "dollars", "idle", "key", "levels", "output", "price", "requests",
        "shape", "stratum",
    )  # fmt: skip

    def __init__(self, key: str, stratum: str, began: float) -> None:
        """Start without a request."""
        self.key = key
        self.stratum = stratum
        self.began = began
        self.compress: str | None = None
        self.shape: str | None = None
        self.requests = 0
        self.output = 0
        self.price = 0.0
        self.dollars: float | None = 0.0
        self.before = 0.0
        self.active = 0
        self.idle = 0
        self.levels: set[int] = set()

    def add(
        self, line: dict[str, Any], trial: dict[str, Any], part: dict[str, int], prices: Prices | None
    ) -> None:  # fmt: skip
        """Count one answered request."""
        self.compress = _joined(self.compress, trial.get("compress"))
        self.shape = _joined(self.shape, trial.get("shape"))
        level = trial.get("level")
        level = level if type(level) is int else 0
        if level > 0 or trial.get("effort"):
            self.active += 1
            self.levels.add(level)
        else:
            self.idle += 1
        self.requests += 1
        self.output += part["output"]
        self.price += money.price(part, _rules(line))
        dollars = None if prices is None else _dollars(line, part, prices)
        self.dollars = None if self.dollars is None or dollars is None else self.dollars + dollars
        tokens = line.get("tokens")
        if isinstance(tokens, dict):
            self.before += _number(tokens.get("before"))


def gather(lines: Iterable[dict[str, Any]], prices: Prices | None = None) -> list[Talk]:
    """Return the conversations of the ledger's lines in the order in which they began; odd lines are passed over.

    Without ``prices`` nobody knows what they cost in dollars.

    A request without a usage, or with a part of one (it failed, or its client went away) is in no sum: nobody knows
    what it cost.
    """
    found: dict[str, Talk] = {}
    for line in lines:
        trial, usage = line.get("trial"), line.get("usage")
        if not isinstance(trial, dict) or not isinstance(usage, dict):
            continue
        key, stratum = trial.get("key"), trial.get("stratum")
        if not isinstance(key, str) or not key or not isinstance(stratum, str) or trial.get("cut"):
            continue
        counts = {name: count for name, count in usage.items() if type(count) is int}
        part = money.parts(counts, _word(line, "format"))
        if not part:
            continue
        when = _number(line.get("when"))
        talk = found.get(key)
        if talk is None:
            talk = found[key] = Talk(key, stratum, when)
        elif when < talk.began:  # lines of several processes need not stand in order
            talk.began, talk.stratum = when, stratum
        talk.add(line, trial, part, prices)
    return sorted(found.values(), key=lambda talk: (talk.began, talk.key))


class Groups:
    """The conversations of one trial.

    ``treated``, ``control``  by their arm
    ``chosen``, ``baseline``  shaped without a draw, and in no trial and untouched: for an estimate
    ``excluded``  arm, or "mixed" -> how many: what was done to them is not what their arm says
    """

    __slots__ = ("baseline", "chosen", "control", "excluded", "treated")

    def __init__(self) -> None:
        """Start empty."""
        self.treated: list[Talk] = []
        self.control: list[Talk] = []
        self.chosen: list[Talk] = []
        self.baseline: list[Talk] = []
        self.excluded = {TREATED: 0, CONTROL: 0, CHOSEN: 0, "mixed": 0}

    @property
    def sound(self) -> bool:
        """Tell whether few enough were excluded (one in twenty of each arm) that chance still made the arms."""
        kept = {TREATED: len(self.treated), CONTROL: len(self.control)}
        return all(20 * self.excluded[arm] <= self.excluded[arm] + kept[arm] for arm in kept)


def output_trial(talks: Iterable[Talk], since: float = 0.0, *, unshaped_since: float | None = None) -> Groups:
    """Sort conversations that began at or after ``since`` (Unix seconds) by the trial of output shaping.

    The baseline may begin earlier, at ``unshaped_since``.

    A treated conversation counts only where shaping stood in every one of its requests, or, without a verbosity level,
    where effort was lowered in some; one left alone only where nothing stood in any. A shaper that was blocked would
    else be measured as one that does nothing, or worse: whatever blocked it differs from the rest in other ways too.
    """
    groups = Groups()
    for talk in talks:
        if talk.shape == "":
            if not talk.active and talk.began >= (since if unshaped_since is None else unshaped_since):
                groups.baseline.append(talk)
        elif talk.began < since:
            continue
        elif talk.shape == CONTROL:
            _keep(groups, groups.control, talk, CONTROL, right=not talk.active)
        elif talk.shape in {TREATED, CHOSEN}:
            right = bool(talk.active) and (talk.levels == {0} or not talk.idle)
            _keep(groups, groups.treated if talk.shape == TREATED else groups.chosen, talk, talk.shape, right=right)
        else:
            groups.excluded["mixed"] += 1
    return groups


def compression_trial(talks: Iterable[Talk], since: float = 0.0) -> Groups:
    """Sort conversations that began at or after ``since`` (Unix seconds) by the trial of compression."""
    groups = Groups()
    for talk in talks:
        if talk.began < since or not talk.compress:
            continue
        if talk.compress == CONTROL:
            groups.control.append(talk)
        elif talk.compress == TREATED:
            groups.treated.append(talk)
        else:
            groups.excluded["mixed"] += 1
    return groups


def _keep(groups: Groups, of: list[Talk], talk: Talk, arm: str, *, right: bool) -> None:
    if right:
        of.append(talk)
    else:
        groups.excluded[arm] += 1


def _joined(known: str | None, said: object) -> str:
    """Return the arm of a conversation with one more request: None is for none so far, "mixed" for two arms."""
    arm = said if isinstance(said, str) and said in _ARMS else ""
    return arm if known is None or known == arm else "mixed"


def _rules(line: dict[str, Any]) -> Rules:
    by = money.rules(_word(line, "model")) or money.rules(_ASSUMED.get(_word(line, "format"), _OTHERWISE))
    if by is None:
        raise AssertionError("the models that stand for unknown ones have rules")
    return by


def _dollars(line: dict[str, Any], part: dict[str, int], prices: Prices) -> float | None:
    """Return what the input of a request cost, None where nobody knows."""
    from headroom_cli.money.prices import SCALE

    sent = {**part, "output": 0}
    known = prices.find(_word(line, "model"), _word(line, "backend"), ledger.when(line))
    calls = line.get("hops")
    each = sum(sent.values()) // max(1, calls if type(calls) is int else 1)
    return None if known is None else money.cost(sent, known.units(each)) / SCALE


def _word(line: dict[str, Any], name: str) -> str:
    said = line.get(name)
    return said if isinstance(said, str) else ""


def _number(value: Any) -> float:
    return float(value) if type(value) in {int, float} and 0 <= value < 1e15 else 0.0
