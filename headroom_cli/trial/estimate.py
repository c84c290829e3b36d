"""What shaping does to the output of conversations, with a 95 % interval.

The estimand is ``1 - E[Y | shaped] / E[Y | left alone]``, where Y is the output of a whole conversation in tokens: the
share of output that shaping saves, turns that it adds or spares included. Conversations that were drawn for shaping
count as such whatever happened afterwards (a change of model, more or fewer turns). Beside it stands the same for a
request, by ``E[Y] / E[N]`` with the number N of them: it is known sooner and says nothing of turns.

The conversation is the unit: requests of one are as good as copies of each other, and took part in one draw only. They
are compared within strata that were known at their first request; kind of turn and size of later requests are effects.

Totals of conversations have heavy tails: the interval of a normal or t distribution covers the truth in 88 to 94 % of
fleets of some hundred (benchmarks/trial.py). So the logarithm of the ratio, divided by its own standard error, is
compared with what it would be if the arms had been drawn otherwise: under a shaping that scales every conversation
alike this is all but exact for every distribution and number of conversations, and else it holds for many (A. Janssen,
Studentized permutation tests for non-i.i.d. hypotheses, 1997; E. Chung and J. P. Romano, Exact and asymptotically
robust permutation tests, 2013).
"""

from __future__ import annotations

import math
import random

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from headroom_cli.trial.talks import Groups, Talk

    Point = tuple[float, float]  # value and size of a conversation
    Sample = Sequence[tuple[str, float, float]]  # its stratum before them
    Sums = tuple[float, float, float, float, float]

MEASURED = "measured"
ESTIMATED = "estimated"
NOT_ENOUGH = "not enough data"
# Conversations that each arm needs. From here on the interval covers the truth in 93 to 97 % of simulated fleets of all
# regimes, effects that are not the same for all conversations among them (benchmarks/trial.py).
MINIMUM = 30
# Conversations that each arm of a stratum needs to be one; those of smaller strata are compared together.
LEAST = 5
_OTHERS = "others"
_DRAWS = 1999  # ways to draw the arms that are tried,
_FEWEST = 199
_WORK = 1_000_000  # conversations looked at in all of them
_MANY = 20_000  # conversations in the smaller arms from where on the normal distribution is as good
_NORMAL = 1.959964


class Estimate:
    """A ratio of means with its interval, as shares saved: 0.3 is 30 % less, -0.1 is 10 % more.

    ``saved``, ``low``, ``high``  shares; ``treated``, ``control``  conversations
    ``mean_treated``, ``mean_control``  of the value, weighted alike by strata
    ``log``, ``error``  logarithm of the ratio and its standard error
    """

    __slots__ = ("control", "error", "high", "log", "low", "mean_control", "mean_treated", "saved", "treated")

    def __init__(
        self, means: tuple[float, float], counts: tuple[int, int], error: float, ends: tuple[float, float]
    ) -> None:
        """Hold what was found; ``ends`` are those of the interval of the logarithm."""
        self.mean_treated, self.mean_control = means
        self.treated, self.control = counts
        self.log = math.log(means[0] / means[1])
        self.error = error
        self.saved = -math.expm1(self.log)
        self.low, self.high = -math.expm1(ends[1]), -math.expm1(ends[0])

    def widened(self, by: float) -> None:
        """Move both ends out by ``by`` on the scale of logarithms."""
        self.low = 1 - (1 - self.low) * math.exp(by)
        self.high = 1 - (1 - self.high) * math.exp(-by)


def compare(treated: Sample, control: Sample, *, draws: int = 0) -> Estimate | None:
    """Return what treating did to the mean value, None where one arm has nothing to compare.

    The mean is ``sum of values / sum of sizes`` over conversations, strata weighted alike in both arms: of a whole
    conversation where all sizes are 1, of a request where they are numbers of requests.

    ``draws`` ways of drawing the arms are tried, as many as take about a second unless given. The result is the same
    for the same conversations: what is drawn hangs on a fixed seed.
    """
    strata = list(_strata(treated, control).values())
    if not strata or any(min(map(len, arms)) < 2 for arms in strata):
        return None
    counts = len(treated), len(control)
    weights = [sum(map(len, arms)) / sum(counts) for arms in strata]
    own, others = _Mean(), _Mean()
    for weight, arms in zip(weights, strata, strict=True):
        for mean, points in zip((own, others), arms, strict=True):
            mean.add(weight, len(points), _sums(points))
    if not (own.usable and others.usable):
        return None
    log, error = math.log(own.ratio / others.ratio), math.sqrt(own.variance + others.variance)
    smaller = sum(min(map(len, arms)) for arms in strata)
    if smaller >= _MANY:
        low, high = -_NORMAL, _NORMAL
    else:
        tried = draws or _affordable(smaller)
        # An end of the interval is an effect with which these data would just be likely enough: the arms are drawn
        # anew among values from which about that effect was taken.
        high = _quantiles(_pools(strata, weights, math.exp(2 * error - log)), tried)[1]
        low = _quantiles(_pools(strata, weights, math.exp(-2 * error - log)), tried)[0]
    return Estimate((own.ratio, others.ratio), counts, error, (log - high * error, log - low * error))


def _affordable(smaller: int) -> int:
    """Return how many ways to draw the arms are tried where the smaller ones have so many conversations together."""
    return max(_FEWEST, min(_DRAWS, _WORK // max(1, smaller)))


def _pools(
    strata: list[tuple[list[Point], list[Point]]], weights: list[float], factor: float
) -> list[tuple[list[Point], int, float]]:
    """Return by stratum the points of both arms, those of the treated times ``factor``; how many these are; weight."""
    return [
        ([*((value * factor, size) for value, size in mine), *theirs], len(mine), weight)
        for weight, (mine, theirs) in zip(weights, strata, strict=True)
    ]


def _sums(points: Iterable[Point]) -> Sums:
    """Return the sums of values, sizes, their squares and products."""
    value = size = values = sizes = both = 0.0
    for v, s in points:
        value += v
        size += s
        values += v * v
        sizes += s * s
        both += v * s
    return value, size, values, sizes, both


class _Mean:
    """The mean of one arm over its strata, and the variance of its logarithm by linearisation."""

    __slots__ = ("both", "size", "sizes", "value", "values")

    def __init__(self) -> None:
        self.value = self.size = self.values = self.sizes = self.both = 0.0

    def add(self, weight: float, count: int, sums: Sums) -> None:
        """Add a stratum from its number of conversations and their sums."""
        value, size = sums[0] / count, sums[1] / count
        self.value += weight * value
        self.size += weight * size
        scale = weight * weight / (count - 1)
        self.values += scale * (sums[2] / count - value * value)
        self.sizes += scale * (sums[3] / count - size * size)
        self.both += scale * (sums[4] / count - value * size)

    @property
    def usable(self) -> bool:
        return self.value > 0 < self.size

    @property
    def ratio(self) -> float:
        return self.value / self.size

    @property
    def variance(self) -> float:
        """Variance of the logarithm of the ratio."""
        found = self.values / self.value**2 - 2 * self.both / (self.value * self.size) + self.sizes / self.size**2
        return max(0.0, found)


def _strata(treated: Sample, control: Sample) -> dict[str, tuple[list[Point], list[Point]]]:
    """Return (treated, control) points by stratum; those with fewer than LEAST in an arm are put together.

    Which strata are put together hangs on numbers of conversations alone, never on values.
    """
    found: dict[str, tuple[list[Point], list[Point]]] = {}
    for side, sample in enumerate((treated, control)):
        for stratum, value, size in sample:
            found.setdefault(stratum, ([], []))[side].append((value, size))
    thin = [name for name, arms in found.items() if min(map(len, arms)) < LEAST]
    if thin:
        others: tuple[list[Point], list[Point]] = ([], [])
        for name in thin:
            own = found.pop(name)
            for side in (0, 1):
                others[side].extend(own[side])
        if min(map(len, others)) < LEAST and found:  # still too few: they go with the smallest that is large enough
            smallest = found[min(found, key=lambda name: (sum(map(len, found[name])), name))]
            for side in (0, 1):
                smallest[side].extend(others[side])
        else:
            found[_OTHERS] = others
    return dict(sorted(found.items()))


def _quantiles(pools: list[tuple[list[Point], int, float]], draws: int) -> tuple[float, float]:
    """Return the 2.5 % and 97.5 % quantiles of the studentised logarithm over other draws of the arms.

    ``pools`` are as ``_pools`` makes them.
    """
    known = [(pool, weight, len(pool), own, min(own, len(pool) - own), _sums(pool)) for pool, own, weight in pools]
    uniform = random.Random(20_261_121).random  # noqa: S311 - draws of a test, no secret
    found = []
    for _ in range(draws):
        means = _Mean(), _Mean()
        for pool, weight, size, own, taken, whole in known:
            for i in range(taken):  # the beginning of a shuffle, which goes on from the last one
                j = i + int(uniform() * (size - i))
                pool[i], pool[j] = pool[j], pool[i]
            part = _sums(pool[:taken])
            rest = whole[0] - part[0], whole[1] - part[1], whole[2] - part[2], whole[3] - part[3], whole[4] - part[4]
            first = own > taken  # the smaller arm is what is taken
            means[first].add(weight, taken, part)
            means[not first].add(weight, size - taken, rest)
        treated, control = means
        spread = math.sqrt(treated.variance + control.variance) if treated.usable and control.usable else 0.0
        found.append(math.log(treated.ratio / control.ratio) / spread if spread else 0.0)
    found.sort()
    end = max(1, int(0.025 * (draws + 1)))
    return found[end - 1], found[-end]


def outputs(talks: Iterable[Talk], *, by_request: bool = False) -> list[tuple[str, float, float]]:
    """Return (stratum, tokens of output, 1 or the number of requests) of conversations."""
    return [(talk.stratum, float(talk.output), float(talk.requests) if by_request else 1.0) for talk in talks]


def _of_the_same_strata(treated: Iterable[Talk], control: Iterable[Talk]) -> tuple[list[Talk], list[Talk]]:
    """Return the conversations of strata that both have, in the order in which they began.

    No draw put the others on one side: titles that a client asks for are never shaped, and would be half a baseline.
    """
    both = sorted(treated, key=lambda talk: talk.began), sorted(control, key=lambda talk: talk.began)
    common = {talk.stratum for talk in both[0]} & {talk.stratum for talk in both[1]}
    one, other = ([talk for talk in talks if talk.stratum in common] for talks in both)
    return one, other


class Reduction:
    """What is known of the reduction of output.

    ``tier``      MEASURED, ESTIMATED or NOT_ENOUGH; ``whole``  the Estimate, None when there is not enough
    ``request``   the Estimate for a request instead of a conversation: turns that are added or spared stay out of it
    ``strata``    [(stratum, Estimate)]: each by itself, where it has enough of its own
    ``missing``   (conversations shaped, conversations left alone) that are still needed to measure
    ``drift``     by how much a baseline that was not drawn moved by itself, on the scale of logarithms
    """

    __slots__ = ("drift", "groups", "missing", "request", "strata", "tier", "whole")

    def __init__(self, groups: Groups) -> None:
        """Start with nothing known."""
        self.groups = groups
        self.tier = NOT_ENOUGH
        self.whole: Estimate | None = None
        self.request: Estimate | None = None
        self.strata: list[tuple[str, Estimate]] = []
        self.missing = max(0, MINIMUM - len(groups.treated)), max(0, MINIMUM - len(groups.control))
        self.drift = 0.0


def reduction(groups: Groups, *, draws: int = 0) -> Reduction:
    """Return what shaping did to output.

    Measured: both arms of the trial have MINIMUM conversations, and next to none had to be excluded. Only what was
    drawn counts. Otherwise estimated, when so many shaped and so many unshaped conversations were had at any time, of
    first requests of the same strata: they were not drawn, so both ends of the interval go out by as much as the first
    and the second half of the unshaped ones differ. It is no 95 % interval then: what else changed when shaping was
    turned on, nobody knows.
    """
    found = Reduction(groups)
    treated, control = groups.treated, groups.control
    if not any(found.missing) and groups.sound:
        found.whole = compare(outputs(treated), outputs(control), draws=draws)
        found.tier = MEASURED if found.whole else NOT_ENOUGH
    else:
        treated, control = _of_the_same_strata([*treated, *groups.chosen], [*groups.baseline, *control])
        if min(len(treated), len(control)) < MINIMUM:
            return found
        half = len(control) // 2
        moved = compare(outputs(control[half:]), outputs(control[:half]), draws=_FEWEST)
        if moved is None:
            return found
        found.whole = compare(outputs(treated), outputs(control), draws=draws)
        found.tier = ESTIMATED if found.whole else NOT_ENOUGH
        found.drift = abs(moved.log)
    if found.whole is None:
        return found
    found.request = compare(outputs(treated, by_request=True), outputs(control, by_request=True), draws=draws)
    draws = draws or _affordable(min(len(treated), len(control)))  # all strata together cost as much as the whole
    for stratum in sorted({talk.stratum for talk in treated}):
        pair = [[talk for talk in arm if talk.stratum == stratum] for arm in (treated, control)]
        if min(map(len, pair)) >= 2 * LEAST and (own := compare(*map(outputs, pair), draws=draws)) is not None:
            found.strata.append((stratum, own))
    for one in (found.whole, found.request, *(own for _, own in found.strata)):
        if one is not None:
            one.widened(found.drift)
    return found
