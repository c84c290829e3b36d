"""Whether a trial shows a loss, looked at again and again; what was found turns the thing off until it is reset.

A 95 % interval that is looked at every day finds a loss sooner or later where there is none. So the evidence for one is
an e-value: how much more likely the data are, on average over losses around a sixth, than without any. If there is no
loss it ever reaches 20, over the whole life of a trial, with a probability of 5 % at most (Ville's inequality; the
mixture is H. Robbins', Statistical methods related to the law of the iterated logarithm, 1970; that it holds for means
of values of any distribution, of many conversations: I. Waudby-Smith and others, Time-uniform central limit theory and
asymptotic confidence sequences, 2024). Simulated in benchmarks/trial.py.

Two questions are asked of each trial, and their e-values averaged, which is one again: what all conversations cost, and
what conversations of the same size and number of requests cost. The first also sees turns that are added and is about
the money; the second sees a loss after far fewer conversations. For compression the cost is that of the input by the
provider's usage, in tokens of plain input, for shaping the output in tokens; the size is that of the requests as the
client wrote them, in estimated tokens.

The verdict is a small file beside the ledger. It is read where requests are made, and written only when there is time.
"""

from __future__ import annotations

import json
import math
import os
import time

from headroom_cli import ledger
from headroom_cli.errors import StoreError
from headroom_cli.store import files
from headroom_cli.store.place import Place, local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from headroom_cli.trial.talks import Groups, Talk

ON = "on"
OFF = "off"
COMPRESSION = "compression"
OUTPUT = "output"
ENOUGH = 20.0  # evidence that turns a thing off: 1 / 5 %
MINIMUM = 30  # conversations of each arm before the first look: what is known of means holds for many
_TYPICAL = 0.15  # the loss that is looked for, as a logarithm; others are found later
HOUR = 3600.0  # seconds between two looks of a process that stays,
DAY = 86_400.0  # and of one that does not
_NAME = "verdict.json"
_SIZE_MAX = 65_536  # bytes


class Sums:
    """Cost, size and requests of the conversations of one arm, as sums: one more is added in no time."""

    __slots__ = ("cost", "cost2", "count", "logs", "means")

    def __init__(self) -> None:
        """Start at nothing."""
        self.count = 0
        self.cost = self.cost2 = 0.0
        # Of the logarithms of cost, size and requests: means, and sums of products of the deviations from them.
        self.means = [0.0, 0.0, 0.0]
        self.logs = [[0.0] * 3 for _ in range(3)]

    def add(self, cost: float, size: float, requests: float) -> None:
        """Count one conversation."""
        self.count += 1
        self.cost += cost
        self.cost2 += cost * cost
        logs = (math.log1p(cost), math.log1p(size), math.log1p(requests))
        before = [value - mean for value, mean in zip(logs, self.means, strict=True)]
        for i in range(3):
            self.means[i] += before[i] / self.count
        for i in range(3):
            for j in range(3):
                self.logs[i][j] += before[i] * (logs[j] - self.means[j])

    @property
    def many(self) -> float:
        """How many conversations of one cost would tell as much of the mean as these, of which a few may be it all."""
        return self.cost**2 / self.cost2 if self.cost2 else 0.0


class Evidence:
    """What two arms show: ``value`` the e-value of a loss, ``loss`` and ``alike`` shares lost, -0.1 for 10 % won.

    ``loss`` is that of all conversations together, ``alike`` that of conversations of the same size.
    """

    __slots__ = ("alike", "loss", "value")

    def __init__(self, value: float, loss: float, alike: float) -> None:
        """Hold what was found."""
        self.value = value
        self.loss = loss
        self.alike = alike


def evidence(treated: Sums, control: Sums) -> Evidence | None:
    """Return the evidence that treating costs more, None where there are too few conversations for any."""
    if min(treated.count, control.count) < MINIMUM or min(treated.cost, control.cost) <= 0:
        return None
    whole, loss = _of_all(treated, control)
    alike, rate = _of_alike(treated, control)
    return Evidence((whole + alike) / 2, math.expm1(loss), math.expm1(rate))


def _of_all(treated: Sums, control: Sums) -> tuple[float, float]:
    """Return e-value and logarithm of the ratio of the mean costs.

    The relative spread is taken from both arms together: a small arm that has not met a long conversation yet has both
    a mean and a spread that are too small, and would find a loss where there is none. There is no evidence (1) while a
    few conversations are most of the cost.
    """
    log = math.log(treated.cost / treated.count) - math.log(control.cost / control.count)
    if min(treated.many, control.many) < MINIMUM:
        return 1.0, log
    spread = math.fsum(max(0.0, arm.cost2 * (arm.count / arm.cost) ** 2 - arm.count) for arm in (treated, control))
    return _e_value(log, spread / (treated.count + control.count - 2) * _inverse(treated, control)), log


def _of_alike(treated: Sums, control: Sums) -> tuple[float, float]:
    """Return e-value and logarithm of the ratio of costs of conversations of the same size and number of requests.

    It is the analysis of covariance of the logarithms: one slope for each in both arms, and a distance between them.
    """
    (yy, y1, y2), (_, s11, s12), (_, _, s22) = (
        [treated.logs[i][j] + control.logs[i][j] for j in range(3)] for i in range(3)
    )
    dy, d1, d2 = (one - other for one, other in zip(treated.means, control.means, strict=True))
    determinant = s11 * s22 - s12 * s12
    if determinant > 1e-9 * s11 * s22:
        b1, b2 = (y1 * s22 - y2 * s12) / determinant, (y2 * s11 - y1 * s12) / determinant
        apart = (d1 * d1 * s22 - 2 * d1 * d2 * s12 + d2 * d2 * s11) / determinant
    elif s11 > 0:  # both say the same
        b1, b2, apart = y1 / s11, 0.0, d1 * d1 / s11
    else:
        b1 = b2 = apart = 0.0
    log = dy - b1 * d1 - b2 * d2
    left = max(0.0, yy - b1 * y1 - b2 * y2) / (treated.count + control.count - 4)
    return _e_value(log, left * (_inverse(treated, control) + apart)), log


def _inverse(treated: Sums, control: Sums) -> float:
    return 1 / treated.count + 1 / control.count


def _e_value(log: float, variance: float) -> float:
    """Return the e-value of a loss for an estimate of its logarithm: the mean likelihood ratio over a half-normal."""
    if variance <= 0:
        return 0.0  # conversations that all cost the same: nothing that was seen on a real provider
    prior = _TYPICAL**2 / variance
    z = log / math.sqrt(variance) * math.sqrt(prior / (1 + prior))
    exponent = min(z * z / 2, 700.0)
    return 2 / math.sqrt(1 + prior) * math.exp(exponent) * 0.5 * math.erfc(-z / math.sqrt(2))


# --- the file


class Verdict:
    """What stands now.

    ``compression``, ``output``  "on" or "off"
    ``sentence``  what was measured and what to do, for people; "" while both are on
    ``when``      Unix seconds of the last look at the ledger, 0 for never
    ``since``     Unix seconds from which on conversations count
    ``found``     trial -> what the last look showed
    """

    __slots__ = ("compression", "found", "output", "since", "when")

    def __init__(self) -> None:
        """Start as a trial that nobody has looked at."""
        self.compression = ON
        self.output = ON
        self.when = 0.0
        self.since = 0.0
        self.found: dict[str, dict[str, float]] = {}

    @property
    def sentence(self) -> str:
        """What was measured, and how what is off is turned on again."""
        said = []
        if self.compression == OFF:
            said.append(f"compression is off: {_measured(self.found.get(COMPRESSION, {}), 'input cost')} with it")
        if self.output == OFF:
            said.append(f"output shaping is off: {_measured(self.found.get(OUTPUT, {}), 'there was')} output with it")
        return "; ".join([*said, "`headroom stats --reset-trial` turns it on again"]) if said else ""


def _measured(found: dict[str, float], what: str) -> str:
    """Return the loss in words, by the question that shows more of it."""
    loss = max(found.get("loss", 0.0), found.get("alike", 0.0))
    talks = f"{found.get('treated', 0) + found.get('control', 0):,.0f} conversations"
    return f"over {talks}, {found.get('control', 0):,.0f} left alone, {what} {100 * loss:.0f} % more"


def standing(store_root: str) -> Verdict:
    """Return the verdict that stands; both are on where there is none, or none that can be read."""
    try:
        with Place(local(store_root), create=False) as place:
            folder = place.existing("ledger")
            data = b"" if folder is None else _read(folder)
        return _parsed(data)
    except (OSError, StoreError, ValueError, RecursionError):
        return Verdict()  # the default: whoever did not hear of a loss goes on as asked


def _read(folder: int) -> bytes:
    """Return the beginning of the file: more than that is none of ours."""
    fd = files.open_plain(_NAME, folder)
    try:
        return os.read(fd, _SIZE_MAX)
    finally:
        os.close(fd)


def _parsed(data: bytes) -> Verdict:
    """Return what the file says. Raise ValueError for one that is damaged."""
    said = json.loads(data) if data else {}
    verdict = Verdict()
    if not isinstance(said, dict):
        return verdict
    verdict.compression = OFF if said.get(COMPRESSION) == OFF else ON
    verdict.output = OFF if said.get(OUTPUT) == OFF else ON
    verdict.when, verdict.since = _number(said.get("when")), _number(said.get("since"))
    found = said.get("found")
    for name, row in found.items() if isinstance(found, dict) else ():
        if name in {COMPRESSION, OUTPUT} and isinstance(row, dict):
            verdict.found[name] = {key: _number(value) for key, value in row.items()}
    return verdict


def _number(value: Any) -> float:
    return float(value) if type(value) in {int, float} and -1e15 < value < 1e15 else 0.0


def renew(store_root: str, now: float | None = None, gathered: Sequence[Talk] | None = None) -> Verdict:
    """Look at the ledger, keep what it shows and return it. Raise StoreError.

    ``gathered`` are its conversations, where somebody has read it already.

    What is off stays off: without it there are no more conversations that could tell otherwise.
    """
    from headroom_cli.trial import talks

    if gathered is None:
        gathered = talks.gather(ledger.read(store_root))
    now = time.time() if now is None else now
    verdict = standing(store_root)  # read last: meanwhile others may have looked, or begun anew
    verdict.since = min(verdict.since, now)  # of a reset under a clock that was ahead
    judge(verdict, talks.compression_trial(gathered, verdict.since), talks.output_trial(gathered, verdict.since))
    verdict.when = now
    _write(store_root, verdict)
    return verdict


def renew_if_older(store_root: str, seconds: float) -> str:
    """Renew a verdict that is older; return its sentence if something was turned off by that, "" otherwise.

    Raise StoreError.
    """
    before = standing(store_root)
    if 0 <= time.time() - before.when < seconds:
        return ""
    after = renew(store_root)
    return after.sentence if after.sentence != before.sentence else ""


def reset(store_root: str, now: float | None = None) -> Verdict:
    """Turn both on again; only conversations that begin from now on count. Raise StoreError."""
    verdict = Verdict()
    verdict.since = verdict.when = time.time() if now is None else now
    _write(store_root, verdict)
    return verdict


def judge(verdict: Verdict, compression: Groups, output: Groups) -> None:
    """Put into a verdict what the conversations of both trials show."""
    for name, groups, of in ((COMPRESSION, compression, _input), (OUTPUT, output, _output)):
        if getattr(verdict, name) == OFF:
            continue  # with what it was turned off for
        treated, control = _summed(groups.treated, of), _summed(groups.control, of)
        shown = evidence(treated, control) if groups.sound else None
        verdict.found[name] = {"treated": treated.count, "control": control.count}
        if shown is not None:
            verdict.found[name].update(
                evidence=round(shown.value, 4), loss=round(shown.loss, 6), alike=round(shown.alike, 6)
            )
            if shown.value >= ENOUGH:
                setattr(verdict, name, OFF)


def _input(talk: Talk) -> tuple[float, float, float]:
    return talk.price, talk.before, talk.requests


def _output(talk: Talk) -> tuple[float, float, float]:
    return talk.output, talk.before, talk.requests


def _summed(talks: Iterable[Talk], of: Callable[[Talk], tuple[float, float, float]]) -> Sums:
    sums = Sums()
    for talk in talks:
        sums.add(*of(talk))
    return sums


def _write(store_root: str, verdict: Verdict) -> None:
    """Put the file in the place of the one before, whole. Raise StoreError."""
    text = json.dumps({
        "v": 1, "when": round(verdict.when, 3), "since": round(verdict.since, 3), COMPRESSION: verdict.compression,
        OUTPUT: verdict.output, "found": verdict.found,
    })  # fmt: skip
    path = local(store_root)
    try:
        with Place(path, create=True) as place:
            folder, tmp, name = (
                place.directory("ledger", create=True),
                place.directory("tmp", create=True),
                place.temporary(),
            )
            fd = files.create_file(name, tmp)
            try:
                files.write_all(fd, text.encode("ascii"))
            finally:
                os.close(fd)
            os.rename(name, _NAME, src_dir_fd=tmp, dst_dir_fd=folder)
    except OSError as error:
        raise files.failure(error, path) from error
