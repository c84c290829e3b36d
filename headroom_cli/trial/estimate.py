"""What shaping does to the output of conversations, with a 95 % interval.

The estimand is ``1 - E[Y | shaped] / E[Y | left alone]``, where Y is the output of a whole conversation in tokens: the
share of output that shaping saves, turns that it adds or spares included. Conversations that were drawn for shaping
count as such whatever happened afterwards (a change of model, more or fewer turns).

The conversation is the unit: requests of one are as good as copies of each other, and took part in one draw only. They
are compared within strata that were known at their first request; kind of turn and size of later requests are effects.

Totals of conversations have heavy tails: the interval of a normal or t distribution covers the truth in 87 to 92 % of
fleets (benchmarks/trial.py). So the logarithm of the ratio, divided by its own standard error, is compared with what it
would be if the arms had been drawn otherwise: under a shaping that scales every conversation alike this is exact for
every distribution and number of conversations, and else it holds for many (A. Janssen, Studentized permutation tests
for non-i.i.d. hypotheses, 1997; E. Chung and J. P. Romano, Exact and asymptotically robust permutation tests, 2013).
"""

from __future__ import annotations

import math
import random

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from headroom_cli.trial.talks import Groups, Talk

    Sample = Sequence[tuple[str, float]]  # (stratum, value) of each conversation

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
_WORK = 1_500_000  # conversations looked at in all of them
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
    """Return what treating did to the mean value of a conversation, None where one arm has nothing to compare.

    ``draws`` ways of drawing the arms are tried, as many as take less than a second unless given. The result is the
    same for the same conversations: what is drawn hangs on a fixed seed.
    """
    strata = _strata(treated, control)
    arms = [(own, others) for own, others in strata.values() if len(own) > 1 and len(others) > 1]
    if not arms or len(arms) < len(strata):
        return None
    counts = len(treated), len(control)
    total = sum(counts)
    weights = [(len(own) + len(others)) / total for own, others in arms]
    means, parts = [0.0, 0.0], [0.0, 0.0]
    for weight, pair in zip(weights, arms, strict=True):
        for side, values in enumerate(pair):
            mean, variance = _moments(len(values), math.fsum(values), math.fsum(value * value for value in values))
            means[side] += weight * mean
            parts[side] += weight * weight * variance
    if min(means) <= 0:
        return None
    error = math.sqrt(parts[0] / means[0] ** 2 + parts[1] / means[1] ** 2)
    log = math.log(means[0] / means[1])
    smaller = sum(min(len(own), len(others)) for own, others in arms)
    if smaller >= _MANY:
        low, high = -_NORMAL, _NORMAL
    else:
        tried = draws or max(_FEWEST, min(_DRAWS, _WORK // smaller))
        scaled = [([value * means[1] / means[0] for value in own], others) for own, others in arms]
        low, high = _quantiles(scaled, weights, tried)
    return Estimate((means[0], means[1]), counts, error, (log - high * error, log - low * error))


def _moments(count: int, total: float, squares: float) -> tuple[float, float]:
    """Return mean, and variance of the mean, of values from their number, sum and sum of squares."""
    mean = total / count
    return mean, max(0.0, squares / count - mean * mean) / (count - 1)


def _strata(treated: Sample, control: Sample) -> dict[str, tuple[list[float], list[float]]]:
    """Return (treated, control) values by stratum; those with fewer than LEAST in an arm are put together.

    Which strata are put together hangs on numbers of conversations alone, never on values.
    """
    found: dict[str, tuple[list[float], list[float]]] = {}
    for side, sample in enumerate((treated, control)):
        for stratum, value in sample:
            found.setdefault(stratum, ([], []))[side].append(value)
    thin = [name for name, arms in found.items() if min(map(len, arms)) < LEAST]
    if thin:
        others: tuple[list[float], list[float]] = ([], [])
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


def _quantiles(arms: list[tuple[list[float], list[float]]], weights: list[float], draws: int) -> tuple[float, float]:
    """Return the 2.5 % and 97.5 % quantiles of the studentised logarithm over other draws of the arms.

    ``arms`` are values by stratum as they would be without an effect: (treated, control).
    """
    pools = []
    for weight, (own, others) in zip(weights, arms, strict=True):
        pool = [*own, *others]
        taken = min(len(own), len(others))
        pools.append((
            weight, pool, len(pool), taken, len(own) <= len(others),
            math.fsum(pool), math.fsum(value * value for value in pool),
        ))  # fmt: skip
    uniform = random.Random(20_261_121).random  # noqa: S311 - draws of a test, no secret
    found = []
    for _ in range(draws):
        mean_own = mean_others = part_own = part_others = 0.0
        for weight, pool, size, taken, own_taken, total, squares in pools:
            first = second = 0.0
            for i in range(taken):  # the beginning of a shuffle, which goes on from the last one
                j = i + int(uniform() * (size - i))
                value = pool[j]
                pool[j] = pool[i]
                pool[i] = value
                first += value
                second += value * value
            mean_a, part_a = _moments(taken, first, second)
            mean_b, part_b = _moments(size - taken, total - first, squares - second)
            if not own_taken:
                mean_a, part_a, mean_b, part_b = mean_b, part_b, mean_a, part_a
            mean_own += weight * mean_a
            mean_others += weight * mean_b
            part_own += weight * weight * part_a
            part_others += weight * weight * part_b
        spread = math.sqrt(part_own / mean_own**2 + part_others / mean_others**2) if mean_own > 0 < mean_others else 0.0
        found.append(math.log(mean_own / mean_others) / spread if spread else 0.0)
    found.sort()
    end = max(1, int(0.025 * (draws + 1)))
    return found[end - 1], found[-end]


def outputs(talks: Iterable[Talk]) -> list[tuple[str, float]]:
    """Return (stratum, tokens of output) of conversations."""
    return [(talk.stratum, float(talk.output)) for talk in talks]


class Reduction:
    """What is known of the reduction of output.

    ``tier``      MEASURED, ESTIMATED or NOT_ENOUGH; ``whole``  the Estimate, None when there is not enough
    ``strata``    [(stratum, Estimate)]: each by itself, where it has enough of its own
    ``missing``   (conversations shaped, conversations left alone) that are still needed to measure
    ``drift``     by how much a baseline that was not drawn moved by itself, on the scale of logarithms
    """

    __slots__ = ("drift", "groups", "missing", "strata", "tier", "whole")

    def __init__(self, groups: Groups) -> None:
        """Start with nothing known."""
        self.groups = groups
        self.tier = NOT_ENOUGH
        self.whole: Estimate | None = None
        self.strata: list[tuple[str, Estimate]] = []
        self.missing = max(0, MINIMUM - len(groups.treated)), max(0, MINIMUM - len(groups.control))
        self.drift = 0.0


def reduction(groups: Groups, *, draws: int = 0) -> Reduction:
    """Return what shaping did to output.

    Measured: both arms of the trial have MINIMUM conversations, and next to none had to be excluded. Otherwise
    estimated, when so many unshaped conversations were had before or beside the trial: they were not drawn, so both
    ends of the interval go out by as much as the first and the second half of that baseline differ. It is no 95 %
    interval then: what else changed when shaping was turned on, nobody knows.
    """
    found = Reduction(groups)
    treated = outputs(groups.treated)
    if not any(found.missing) and groups.sound:
        control = outputs(groups.control)
        found.whole = compare(treated, control, draws=draws)
        found.tier = MEASURED if found.whole else NOT_ENOUGH
    elif len(groups.treated) >= MINIMUM:
        alone = sorted([*groups.baseline, *groups.control], key=lambda talk: talk.began)
        control = outputs(alone)
        if len(alone) < MINIMUM:
            return found
        found.whole = compare(treated, control, draws=draws)
        half = len(alone) // 2
        moved = compare(outputs(alone[half:]), outputs(alone[:half]), draws=_FEWEST)
        if found.whole is None or moved is None:
            found.whole = None
            return found
        found.tier = ESTIMATED
        found.drift = abs(moved.log)
        found.whole.widened(found.drift)
    if found.whole is not None:
        for stratum in sorted({name for name, _ in treated}):
            pair = ([one for one in treated if one[0] == stratum], [one for one in control if one[0] == stratum])
            if min(map(len, pair)) >= 2 * LEAST and (own := compare(*pair, draws=draws)) is not None:
                own.widened(found.drift)
                found.strata.append((stratum, own))
    return found
