"""The verdict of a trial: no loss is found where there is none, however often one looks; a loss is found and told."""

import asyncio
import json
import math
import os
import random
import stat

import pytest
from fleets import life
from provider import Provider
from talks import MODEL, environment

from headroom_cli import ledger
from headroom_cli.errors import StoreError
from headroom_cli.serve.app import App
from headroom_cli.serve.options import Serving
from headroom_cli.trial import verdict

LIVES = 150


@pytest.fixture
def root(tmp_path):
    return str(tmp_path / "store")


def fill(root, *, cost=1.0, output=1.0, talks=160, since=1.7e9):
    """Keep conversations of both trials, every second left alone, the others ``cost`` times as dear."""
    draw = random.Random(7)
    for number in range(talks):
        alone = number % 2 == 0
        arm = "control" if alone else "treated"
        size = draw.lognormvariate(9, 0.5)
        ledger.append(root, {
            "when": since + number, "verb": "proxy", "format": "anthropic", "model": "claude-opus-4-8",
            "tokens": {"before": int(size), "after": int(size)},
            "trial": {"key": f"{since:.0f} {number}", "stratum": "s", "compress": arm, "shape": arm,
                      "level": 0 if alone else 2, "effort": ""},
            "usage": {
                "input_tokens": int(size * draw.lognormvariate(0, 0.2) * (1 if alone else cost)),
                "output_tokens": int(500 * draw.lognormvariate(0, 0.4) * (1 if alone else output)),
            },
        })  # fmt: skip


# --- the rule


def test_without_a_loss_few_lives_end_and_with_an_interval_many_would():
    def interval(treated, control):  # 95 %, looked at again and again: what this rule is there for
        if min(treated.count, control.count) < verdict.MINIMUM:
            return False
        _, log = verdict._of_alike(treated, control)
        return verdict.evidence(treated, control).alike > 0 and log / deviation(treated, control) > 1.645

    def deviation(treated, control):
        spread = (treated.logs[0][0] + control.logs[0][0]) - (treated.logs[0][1] + control.logs[0][1]) ** 2 / (
            treated.logs[1][1] + control.logs[1][1]
        )
        return math.sqrt(spread / (treated.count + control.count) * (1 / treated.count + 1 / control.count))

    ended = sum(life(random.Random(seed), 0.5, most=600) > 0 for seed in range(LIVES))
    usual = sum(life(random.Random(seed), 0.5, most=600, decide=interval) > 0 for seed in range(LIVES))
    assert ended <= 0.05 * LIVES
    assert usual > 0.12 * LIVES


def test_a_loss_is_found():
    ends = sorted(life(random.Random(seed), 0.5, cost=1.1, most=3000) or 3000 for seed in range(30))
    assert ends[15] < 1500
    assert ends[24] < 3000
    assert all(life(random.Random(seed), 0.5, cost=1.3, most=1000) > 0 for seed in range(20))


def test_a_gain_is_no_loss():
    assert not any(life(random.Random(seed), 0.5, cost=0.8, most=600) for seed in range(30))


def sums(costs, sizes=None):
    found = verdict.Sums()
    for number, cost in enumerate(costs):
        found.add(cost, (sizes or [1000.0] * len(costs))[number], 3)
    return found


def test_no_look_before_there_are_enough_conversations():
    draw = random.Random(1)
    costs = [draw.lognormvariate(5, 0.3) for _ in range(29)]
    assert verdict.evidence(sums([cost * 9 for cost in costs]), sums(costs)) is None
    costs.append(100.0)
    assert verdict.evidence(sums([cost * 9 for cost in costs]), sums(costs)).value > verdict.ENOUGH


def test_one_conversation_that_is_most_of_the_cost_is_no_evidence():
    costs = [100.0 + number % 7 for number in range(60)]
    whole, _ = verdict._of_all(sums([*costs, 1e6]), sums([*costs, 100.0]))
    assert whole == 1.0


def test_covariance_takes_size_out():
    draw = random.Random(3)
    sizes = [draw.lognormvariate(8, 1.0) for _ in range(200)]
    costs = [size * draw.lognormvariate(0, 0.1) for size in sizes]
    big = verdict.evidence(sums([cost * 3 for cost in costs], [size * 3 for size in sizes]), sums(costs, sizes))
    assert big.alike == pytest.approx(0.0, abs=0.03)
    assert big.loss == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(("costs", "others"), [([5.0] * 40, [5.0] * 40), ([0.0] * 40, [1.0] * 40), ([], [])])
def test_odd_costs_are_no_evidence(costs, others):
    shown = verdict.evidence(sums(costs), sums(others))
    assert shown is None or shown.value < verdict.ENOUGH


# --- the file


def test_both_are_on_where_nobody_looked(root):
    standing = verdict.standing(root)
    assert (standing.compression, standing.output, standing.sentence, standing.when) == ("on", "on", "", 0.0)
    assert not os.path.exists(root)


def test_a_loss_turns_compression_off_and_says_so_until_it_is_reset(root):
    fill(root, cost=1.5)
    found = verdict.renew(root, now=1.8e9)
    assert (found.compression, found.output) == ("off", "on")
    standing = verdict.standing(root)
    assert (standing.compression, standing.output, standing.when) == ("off", "on", 1.8e9)
    assert "over 160 conversations, 80 left alone" in standing.sentence
    assert "--reset-trial" in standing.sentence
    fill(root, cost=0.5, talks=600, since=1.75e9)
    assert verdict.renew(root).compression == "off"  # and its numbers are those that it was turned off for
    assert verdict.standing(root).sentence == standing.sentence
    verdict.reset(root, now=1.76e9)
    assert verdict.standing(root).compression == "on"
    assert verdict.renew(root).compression == "on"  # what was found before does not count
    assert verdict.standing(root).since == 1.76e9


def test_more_output_turns_shaping_off(root):
    fill(root, output=1.58)
    found = verdict.renew(root)
    assert (found.compression, found.output) == ("on", "off")
    assert "output shaping is off" in found.sentence


def test_a_shaper_that_was_blocked_turns_nothing_off(root):
    fill(root, output=3.0)
    blocked = [{**line, "trial": {**line["trial"], "level": 0}} for line in ledger.read(root)]
    for name in os.listdir(f"{root}/ledger"):
        os.unlink(f"{root}/ledger/{name}")
    for line in blocked:
        ledger.append(root, line)
    assert verdict.renew(root).output == "on"


def test_the_file_is_for_its_owner_and_replaced_whole(root):
    verdict.renew(root)
    path = f"{root}/ledger/verdict.json"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    before = os.stat(path).st_ino
    verdict.renew(root)
    assert os.stat(path).st_ino != before
    assert os.listdir(f"{root}/tmp") == []
    assert list(ledger.read(root)) == []  # it is no line of the ledger


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "[" * 100_000, '{"compression": 5, "found": {"output": 3}}', "\0\xff"],
    ids=["empty", "torn", "list", "deep", "odd", "bytes"],
)  # fmt: skip
def test_a_damaged_file_is_as_none(root, text):
    verdict.renew(root)
    with open(f"{root}/ledger/verdict.json", "w", encoding="latin-1") as stream:
        stream.write(text)
    standing = verdict.standing(root)
    assert (standing.compression, standing.output) == ("on", "on")
    verdict.renew(root)
    with open(f"{root}/ledger/verdict.json", "rb") as stream:
        assert json.load(stream)["v"] == 1


def test_a_link_in_its_place_is_not_followed(root, tmp_path):
    verdict.renew(root)
    target = tmp_path / "target"
    target.write_text('{"compression": "off"}')
    path = f"{root}/ledger/verdict.json"
    os.unlink(path)
    os.symlink(target, path)
    assert verdict.standing(root).compression == "on"
    verdict.renew(root)
    assert target.read_text() == '{"compression": "off"}'
    assert not os.path.islink(path)


def test_a_store_that_cannot_be_written_is_an_error_of_the_store(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        verdict.renew(str(tmp_path / "file"))
    assert verdict.standing(str(tmp_path / "file")).compression == "on"


def test_a_look_is_taken_when_the_last_one_is_old(root):
    fill(root, cost=1.5)
    assert "compression is off" in verdict.renew_if_older(root, verdict.HOUR)
    assert verdict.renew_if_older(root, 0) == ""  # nothing new
    when = verdict.standing(root).when
    assert verdict.renew_if_older(root, verdict.HOUR) == ""
    assert verdict.standing(root).when == when


def test_what_was_reset_while_somebody_looked_stands(root, monkeypatch):
    fill(root, cost=1.5)
    read = ledger.read

    def slow(store):
        yield from read(store)
        verdict.reset(store)

    monkeypatch.setattr(ledger, "read", slow)
    assert verdict.renew(root).compression == verdict.standing(root).compression == "on"
    assert verdict.standing(root).since > 0


def test_a_reset_under_a_clock_that_was_ahead_does_not_end_the_trial(root):
    verdict.reset(root, 1.9e9)
    assert verdict.renew(root, 1.7e9).since == 1.7e9
    fill(root, cost=1.5)
    assert verdict.renew(root, 1.7e9 + 200).compression == "off"


def test_output_from_before_a_reset_is_no_part_of_the_trial(headroom, root):
    fill(root, output=0.5)
    store = {"HEADROOM_STORE": root}
    verdict.reset(root)
    found = json.loads(headroom("stats", "--output", "--json", env=store).stdout)["output"]
    assert (found["tier"], found["treated"], found["control"]) == ("not enough data", 0, 0)


# --- who looks


def test_the_proxy_looks_after_requests_of_a_trial_and_tells(root):
    told = []
    app = App(Serving(root), told.append)
    fill(root, cost=1.5)

    async def keep_house():
        app._tried = True
        await app._look()

    asyncio.run(keep_house())
    assert len(told) == 1
    assert told[0].startswith("compression is off: ")
    assert not app._tried


def test_reset_trial_turns_it_on_again(headroom, root):
    fill(root, cost=1.5)
    store = {"HEADROOM_STORE": root}
    assert b"compression is off" in headroom("stats", "--output", env=store).stdout
    assert b"compression is off" in headroom("stats", env=store).stderr
    done = headroom("stats", "--reset-trial", env=store)
    assert (done.returncode, done.stdout) == (
        0,
        b"compression on again; trials begin anew: conversations from now on count\n",
    )
    assert b"compression is off" not in headroom("stats", "--output", env=store).stdout
    assert b"is off" not in headroom("stats", env=store).stderr


def test_send_looks_once_a_day_after_the_answer(headroom, root):
    fill(root, cost=1.5)
    with Provider() as provider:
        environ = {**environment(provider), "HEADROOM_STORE": root}
        request = {"model": MODEL, "max_tokens": 10, "messages": [{"role": "user", "content": "hello"}]}
        asked = {"stdin": json.dumps(request).encode()}
        assert b"is off" not in headroom("send", "--backend", "anthropic", env=environ, **asked).stderr  # no trial
        environ["HEADROOM_HOLDOUT"] = "0.5"
        done = headroom("send", "--backend", "anthropic", env=environ, **asked)
        assert done.returncode == 0, done.stderr
        assert done.stdout
        assert b"compression is off: over 160 conversations" in done.stderr
        looked = verdict.standing(root).when
        headroom("send", "--backend", "anthropic", env=environ, **asked)
        assert verdict.standing(root).when == looked > 0
