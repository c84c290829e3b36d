"""What the tests of time rest on: growth.py says no to what grows too fast, and runs no more than it must."""

import itertools

import pytest
from growth import within


def taking(*seconds):
    """Return a function that took so long each time it was called, the last again and again, and its calls."""
    calls = []
    turns = itertools.chain(seconds, itertools.repeat(seconds[-1]))

    def run():
        calls.append(next(turns))
        return calls[-1]

    return run, calls


@pytest.mark.parametrize(("large", "small", "allowed", "runs"), [
    ((0.4,), (9.0,), True, (1, 0)),  # less than the slack
    ((4.0,), (1.0,), True, (1, 3)),
    ((9.0, 9.0, 4.0), (1.0,), True, (3, 3)),
    ((4.0,), (9.0, 1.0, 9.0), True, (1, 3)),
    ((16.0,), (1.0,), False, (3, 3)),
    ((4.0,), (2.0, 2.0, 0.5), False, (3, 3)),
    ((9.0, 9.0, 9.0, 0.1), (1.0,), False, (3, 3)),
])  # fmt: skip
def test_growth(large, small, allowed, runs):
    one, larges = taking(*large)
    other, smalls = taking(*small)
    assert within(one, other, factor=6, slack=0.5) is allowed
    assert (len(larges), len(smalls)) == runs


def test_a_limit_alone():
    assert within(taking(2.0, 0.9)[0], slack=1)
    assert not within(taking(2.0, 2.0, 2.0, 0.9)[0], slack=1)
