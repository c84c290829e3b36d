"""Simulated fleets of conversations with known effects: totals with heavy tails, turns that are alike within one.

A conversation has a number of turns (Poisson around a lognormal), a length of its own (lognormal) and one of each turn
(lognormal around that). First a model is drawn for it, then its arm. The truth is a ratio of expectations, known in
closed form.
"""

import math

from headroom_cli.trial.verdict import ENOUGH, Sums, evidence

MODELS = (("claude-opus", 0.5, 1.0), ("claude-sonnet", 0.3, 0.6), ("gpt-mini", 0.2, 0.25))  # name, share, length
TURNS = 8.0


class Regime:
    """What a fleet is like.

    ``output``, ``turns``  factors of the treated: tokens of a turn, number of turns behind the first
    ``tail``    of the number of turns: the deviation of its logarithm
    ``models``  three of different lengths, which are strata, or one
    ``uneven``  the effect is half as large for all models but the first
    ``mixed``   the effect is twice as large in half of the conversations, by chance, and nothing in the others
    ``change``  the share of conversations that go on, from some turn on, with a model that says half as much and of
                which the effect is half as large; they stay in their arm and stratum
    """

    def __init__(
        self, *, output=1.0, turns=1.0, tail=0.9, models=True, uneven=False, mixed=False, change=0.0
    ):  # fmt: skip
        self.output, self.turns, self.tail, self.change = output, turns, tail, change
        self.models = MODELS if models else (("claude-opus", 1.0, 1.0),)
        self.uneven, self.mixed = uneven, mixed

    def factor(self, model):
        """Return the factor of the output of a turn of the treated, by model."""
        return (1 + self.output) / 2 if self.uneven and model != MODELS[0][0] else self.output

    @property
    def of_request(self):
        """Return the share of output that is saved by request."""
        whole = part = 0.0
        for name, share, length in self.models:
            factor = self.factor(name)
            changed = 0.5 * factor + 0.5 * 0.5 * (1 + factor) / 2
            part += share * length * ((1 - self.change) * factor + self.change * changed)
            whole += share * length * ((1 - self.change) + self.change * 0.75)
        return 1 - part / whole

    @property
    def truth(self):
        """Return the share of output that is saved by conversation."""
        return 1 - (1 - self.of_request) * (1 + TURNS * self.turns) / (1 + TURNS)

    def talk(self, draw, *, treated):
        """Return (stratum, tokens of output, turns) of one conversation; ``draw`` is a random.Random."""
        at = draw.random()
        name, _, length = self.models[-1]
        for row in self.models:
            at -= row[1]
            if at < 0:
                name, _, length = row
                break
        mean = TURNS * (self.turns if treated else 1.0) * math.exp(draw.gauss(-(self.tail**2) / 2, self.tail))
        turns = 1 + poisson(draw, mean)
        factor = self.factor(name) if treated else 1.0
        if treated and self.mixed:
            factor = 1.0 if draw.random() < 0.5 else 2 * factor - 1
        if draw.random() < self.change:
            later = draw.random()
            factor = (1 - later) * factor + later * 0.5 * (1 + factor) / 2
        own = 400 * length * draw.lognormvariate(0.0, 0.7)
        return f"{name}|ask|s|tools", sum(draw.lognormvariate(0.0, 1.0) for _ in range(turns)) * own * factor, turns

    def fleet(self, draw, treated, control):
        """Return (treated, control): as many conversations as said, as (stratum, tokens of output, turns)."""
        return [
            [self.talk(draw, treated=arm) for _ in range(count)] for arm, count in ((True, treated), (False, control))
        ]


def poisson(draw, mean):
    """Return a Poisson number, by products of uniforms, in parts that do not underflow."""
    count = 0
    while mean > 30:
        count += poisson(draw, 30)
        mean -= 30
    end, product = math.exp(-mean), draw.random()
    while product > end:
        count += 1
        product *= draw.random()
    return count


def life(draw, share, *, cost=1.0, turns=1.0, tail=0.9, most=4000, every=5, decide=None):
    """Return after how many conversations a trial of compression was ended, 0 for never within ``most``.

    ``share`` of them are left alone; the treated cost ``cost`` times as much for their size, and have ``turns`` times
    as many turns. A look is taken ``every`` so many. Their size grows with the square of the turns, as each request
    holds what came before; most of it is read from a cache, which one in twenty misses.
    """
    decide = decide or (lambda treated, control: (shown := evidence(treated, control)) and shown.value >= ENOUGH)
    treated, control = Sums(), Sums()
    for number in range(1, most + 1):
        alone = draw.random() < share
        mean = TURNS * (1.0 if alone else turns)
        count = 1 + int(mean * math.exp(draw.gauss(-(tail**2) / 2, tail)))
        size = count * draw.lognormvariate(9.0, 0.7) + count * (count - 1) / 2 * 2000 * draw.lognormvariate(0.0, 0.5)
        rate = 1.25 if draw.random() < 0.05 else (0.1 + 1.1 / count) * draw.lognormvariate(0.0, 0.35)
        (control if alone else treated).add(size * rate * (1.0 if alone else cost), size, count)
        if number % every == 0 and decide(treated, control):
            return number
    return 0
