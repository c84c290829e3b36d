"""Whether the interval of `stats --output` covers the truth, and how often a trial turns a thing off, right or wrong.

python benchmarks/trial.py [FLEETS] [intervals] [lives]     (1,000 of each row unless given: 20 minutes on two cores)
intervals: fleets with a known effect (tests/fleets.py); how many 95 % intervals hold the truth, by conversation
and by request, its median width, and for comparison that of the t interval of the logarithm.
lives: whole lives of a trial of compression, looked at after every fifth conversation.
"""

import math
import random
import statistics
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from fleets import Regime, life

from headroom_cli.trial import estimate

REGIMES = {
    "no effect": {},
    "30 % less, heavier tail": {"output": 0.7, "tail": 1.2},
    "25 % more turns, 20 % less": {"output": 0.8, "turns": 1.25},
    "10 % less": {"output": 0.9},
    "model changes in 3 of 10": {"output": 0.7, "change": 0.3},
    "uneven by model, 40 % less": {"output": 0.6, "uneven": True},
    "30 % less": {"output": 0.7},
    "30 % less, light tail": {"output": 0.7, "tail": 0.6},
    "one model, 30 % less": {"output": 0.7, "models": False},
    "20 % fewer turns, 30 % less": {"output": 0.7, "turns": 0.8},
    "all in half of them, 30 % less": {"output": 0.7, "mixed": True},
}
# Conversations shaped and left alone, into how few of the fleets asked for, and how many regimes of the table above:
# rows that are slow, or beside the point, are fewer.
ARMS = (
    ((30, 30), 1, len(REGIMES)), ((270, 30), 1, len(REGIMES)), ((100, 100), 1, 6), ((450, 50), 1, 6), ((20, 20), 2, 6),
    ((10, 10), 2, 6), ((500, 500), 5, 4),
)  # fmt: skip
LIVES = (
    ("no loss", {}), ("10 % loss", {"cost": 1.1}), ("25 % loss", {"cost": 1.25}), ("20 % more turns", {"turns": 1.2}),
    ("10 % gain", {"cost": 0.9}),
)  # fmt: skip


def student(found):
    """Return the t interval of the logarithm as shares saved, for comparison (its quantile approximated)."""
    half = (1.96 + 2.4 / (min(found.treated, found.control) - 1)) * found.error
    return -math.expm1(found.log + half), -math.expm1(found.log - half)


def cover(job):
    """Return a row of intervals."""
    name, (treated, control), fleets = job
    regime, draw = Regime(**REGIMES[name]), random.Random(f"{name} {treated} {control}")
    hits, by_request, usual, widths, none = 0, 0, 0, [], 0
    for _ in range(fleets):
        arms = regime.fleet(draw, treated, control)
        found = estimate.compare(*([(stratum, value, 1.0) for stratum, value, _ in arm] for arm in arms), draws=199)
        request = estimate.compare(*arms, draws=199)
        if found is None or request is None:
            none += 1
            continue
        hits += found.low <= regime.truth <= found.high
        by_request += request.low <= regime.of_request <= request.high
        low, high = student(found)
        usual += low <= regime.truth <= high
        widths.append((found.high - found.low, request.high - request.low))
    valid = fleets - none
    wide = [100 * statistics.median(width[i] for width in widths) for i in (0, 1)]
    return (
        f"{name:32} {treated:4} {control:4} {fleets:6} {100 * regime.truth:6.1f} {100 * hits / valid:7.1f} "
        f"{100 * by_request / valid:7.1f} {100 * usual / valid:7.1f} {wide[0]:7.0f} {wide[1]:7.0f} {none:5}"
    )


def live(job):
    """Return a row of lives."""
    name, given, share, tail, lives = job
    draw = random.Random(f"{name} {share} {tail}")
    ends = [life(draw, share, tail=tail, **given) for _ in range(lives)]
    hits = sorted(end for end in ends if end)
    median = sorted(end or 10**9 for end in ends)[len(ends) // 2]
    return (
        f"{name:16} {share:4} {tail:4} {lives:6} {100 * len(hits) / lives:7.1f} "
        f"{median if median < 10**9 else '> 4000':>8}"
    )


def lives(pool, fleets):
    print("trials ended within 4,000 conversations, in %; looked at after every fifth")
    print(f"{'trial':16} {'left':>4} {'tail':>4} {'lives':>6} {'ended':>7} {'median':>8}")
    jobs = [
        (name, given, share, tail, fleets if not given else max(1, fleets // 5))
        for name, given in LIVES for share in (0.1, 0.5) for tail in (0.6, 0.9, 1.2)
    ]  # fmt: skip
    for row in pool.map(live, jobs):
        print(row, flush=True)


def intervals(pool, fleets):
    jobs = [(name, arms, max(1, fleets // part)) for arms, part, rows in ARMS for name in list(REGIMES)[:rows]]
    print("fleets whose 95 % interval holds the truth, in %; widths in points (median)")
    print(
        f"{'effect':32} {'shap':>4} {'left':>4} {'fleets':>6} {'truth':>6} {'covers':>7} {'request':>7} "
        f"{'t':>7} {'width':>7} {'request':>7} {'none':>5}"
    )
    for row in pool.map(cover, jobs):
        print(row, flush=True)


def main() -> None:
    fleets = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    parts = {"intervals": intervals, "lives": lives}
    with ProcessPoolExecutor(2) as pool:
        for name in sys.argv[2:] or parts:
            parts[name](pool, fleets)


if __name__ == "__main__":
    main()
