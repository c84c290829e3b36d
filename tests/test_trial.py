"""Trials: what counts as a conversation, what is measured, and that the interval holds the truth."""

import json
import math
import random

import pytest
from fleets import Regime

from headroom_cli import ledger
from headroom_cli.trial import arms, estimate, talks

STRATUM = "claude-opus|ask|s|tools"


def line(key, when=1.0, *, output=100, stratum=STRATUM, shape="treated", level=2, effort="", **more):
    trial = {"key": key, "stratum": stratum, "level": level, "effort": effort}
    if shape:
        trial["shape"] = shape
    if "compress" in more:
        trial["compress"] = more.pop("compress")
    return {
        "when": when, "verb": "proxy", "format": "anthropic", "model": "claude-opus-4-8",
        "tokens": {"before": 1000, "after": 800}, "trial": trial,
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 1000, "cache_creation_input_tokens": 100,
                  "output_tokens": output},
        **more,
    }  # fmt: skip


def fleet(treated, control, factor=0.7, seed=1):
    """Lines of so many conversations of three requests each, with a known effect."""
    draw = random.Random(seed)
    for number in range(treated + control):
        shaped = number < treated
        own = draw.lognormvariate(6.0, 0.8) * (factor if shaped else 1.0)
        for turn in range(3):
            yield line(
                f"{number:016x}", number * 10.0 + turn, output=int(own * draw.lognormvariate(0, 0.5)) + 1,
                shape="treated" if shaped else "control", level=2 if shaped else 0,
            )  # fmt: skip


# --- conversations


def test_a_conversation_is_the_sum_of_its_requests_under_the_stratum_of_its_first():
    later = line("a", 20.0, output=7, stratum="claude-opus|resume|l|tools")
    found = talks.gather([later, line("a", 10.0, output=5), line("b", 15.0)])
    assert [(talk.key, talk.stratum, talk.output, talk.requests) for talk in found] == [
        ("a", STRATUM, 12, 2), ("b", STRATUM, 100, 1),
    ]  # fmt: skip
    assert found[0].price == pytest.approx(2 * (10 + 0.1 * 1000 + 1.25 * 100))
    assert found[0].before == 2000


def test_lines_without_a_usage_or_a_key_and_odd_ones_are_passed_over():
    good = line("a")
    odd = [
        {}, {"trial": {}}, {**good, "trial": {**good["trial"], "cut": True}},
        {**good, "usage": {}}, {**good, "usage": None}, {**good, "trial": []},
        {**good, "trial": {"key": 5, "stratum": STRATUM}}, {**good, "trial": {"key": "", "stratum": STRATUM}},
        {**good, "usage": {"input_tokens": "5", "output_tokens": 10}}, {**good, "trial": {"key": "b"}},
    ]  # fmt: skip
    assert [talk.key for talk in talks.gather([*odd, good])] == ["a"]
    strange = {**good, "when": float("nan"), "tokens": {"before": True}, "format": 5, "model": ["x"]}
    (talk,) = talks.gather([strange])
    assert (talk.began, talk.before) == (0.0, 0.0)
    assert talk.price > 0


def test_what_is_not_as_its_arm_says_is_left_out_and_counted():
    groups = talks.output_trial(talks.gather([
        line("shaped"), line("blocked", level=0), line("half"), line("half", level=0),
        line("effort", level=0, effort="medium->low"), line("effort", level=0),
        line("alone", shape="control", level=0), line("leaked", shape="control", level=2),
        line("both"), line("both", shape="control", level=0), line("late", shape="", level=0), line("late"),
        line("before", shape="", level=0),
    ]))  # fmt: skip
    assert [talk.key for talk in groups.treated] == ["effort", "shaped"]
    assert [talk.key for talk in groups.control] == ["alone"]
    assert [talk.key for talk in groups.baseline] == ["before"]
    assert groups.excluded == {"treated": 2, "control": 1, "chosen": 0, "mixed": 2}
    assert not groups.sound


def test_a_conversation_counts_from_its_first_request():
    gathered = talks.gather([line("a", 10.0), line("a", 30.0), line("b", 30.0)])
    assert [talk.key for talk in talks.output_trial(gathered, since=20.0).treated] == ["b"]


def test_the_arms_of_compression_are_their_own():
    gathered = talks.gather([
        line("a", compress="treated", shape="control", level=0), line("b", compress="control"), line("c"),
        line("d", compress="control"), line("d", compress="treated"),
    ])  # fmt: skip
    groups = talks.compression_trial(gathered)
    assert ([talk.key for talk in groups.treated], [talk.key for talk in groups.control]) == (["a"], ["b"])
    assert groups.excluded["mixed"] == 1


def test_arms_are_drawn_with_the_share_asked_for_and_apart_from_each_other():
    keys = [arms.key("scope", str(number)) for number in range(4000)]
    alone = {name: {key for key in keys if arms.arm(name, key, 0.1) == arms.CONTROL} for name in ("output", "x")}
    assert all(330 < len(found) < 470 for found in alone.values())  # 400 and 3.7 deviations
    assert len(alone["output"] & alone["x"]) < 75
    assert alone["output"] < {key for key in keys if arms.arm("output", key, 0.3) == arms.CONTROL}
    assert arms.arm("output", keys[0], 0.0) == arms.CHOSEN
    assert arms.arm("output", keys[0], 1.0) == arms.CONTROL


# --- the estimate


def sample(values, stratum="s"):
    return [(stratum, float(value), 1.0) for value in values]


def test_the_estimate_is_the_ratio_of_the_means():
    found = estimate.compare(sample([10, 20, 30]), sample([40, 20, 60]), draws=199)
    assert found.saved == pytest.approx(0.5)
    assert found.low < 0.5 < found.high
    assert (found.treated, found.control, found.mean_treated, found.mean_control) == (3, 3, 20.0, 40.0)


def test_strata_are_weighted_alike_in_both_arms():
    # Shaping does nothing, but it met more of the long conversations: means over all would say 50 % more.
    long, short = [900, 1000, 1100] * 4, [90, 100, 110] * 4
    treated = sample(long * 2, "long") + sample(short, "short")
    control = sample(long, "long") + sample(short * 2, "short")
    assert estimate.compare(treated, control, draws=199).saved == pytest.approx(0.0)


def test_thin_strata_are_put_together_by_their_numbers_alone():
    thin = [("a", float(value), 1.0) for value in range(1, 4)] + [("b", float(value), 1.0) for value in range(1, 4)]
    big = sample(range(1, 21), "big")
    assert set(estimate._strata(big + thin, big + thin)) == {"big", "others"}
    assert set(estimate._strata(big + thin[:2], big + thin[3:])) == {"big"}
    assert set(estimate._strata(thin, thin)) == {"others"}
    assert sum(map(len, estimate._strata(big + thin[:2], big + thin[3:])["big"])) == 45


@pytest.mark.parametrize("arms_given", [([], []), ([1.0], [1, 2, 3]), ([1, 2], [3]), ([0, 0, 0], [1, 2, 3])])
def test_what_cannot_be_compared_is_not(arms_given):
    treated, control = arms_given
    assert estimate.compare(sample(treated), sample(control)) is None


def test_units_do_not_matter_and_the_arms_are_treated_alike():
    draw = random.Random(5)
    treated, control = ([draw.lognormvariate(0, 1) for _ in range(count)] for count in (40, 25))
    found = estimate.compare(sample(treated), sample(control), draws=999)
    scaled = estimate.compare(sample(v * 1e6 for v in treated), sample(v * 1e6 for v in control), draws=999)
    assert (found.low, found.high) == pytest.approx((scaled.low, scaled.high))
    turned = estimate.compare(sample(control), sample(treated), draws=999)
    assert turned.log == pytest.approx(-found.log)
    assert (math.log1p(-turned.low), math.log1p(-turned.high)) == pytest.approx(
        (-math.log1p(-found.high), -math.log1p(-found.low)), abs=0.1
    )


def test_by_request_turns_that_are_added_stay_out():
    treated = [("s", 10.0 * turns, float(turns)) for turns in range(2, 12)]
    control = [("s", 10.0 * turns, float(turns)) for turns in range(1, 11)]
    assert estimate.compare(treated, control, draws=199).saved == pytest.approx(0.0)
    assert estimate.compare(sample(v for _, v, _ in treated), sample(v for _, v, _ in control), draws=199).saved < 0


def test_the_interval_holds_the_truth_in_93_to_97_of_100_fleets():
    regime, draw = Regime(output=0.7, tail=1.2, models=False), random.Random(20261121)
    fleets, hits, usual = 1000, 0, 0
    for _ in range(fleets):
        arms_drawn = regime.fleet(draw, 60, 30)
        found = estimate.compare(*([(name, value, 1.0) for name, value, _ in arm] for arm in arms_drawn), draws=199)
        hits += found.low <= regime.truth <= found.high
        log = math.log1p(-regime.truth)
        usual += abs(found.log - log) <= 2.045 * found.error  # Student's t, 29 degrees of freedom
    assert 0.93 <= hits / fleets <= 0.97
    assert usual / fleets < 0.93  # so the fleets are hard enough to tell


# --- what is said of it


def reduced(lines):
    return estimate.reduction(talks.output_trial(talks.gather(lines)), draws=199)


def test_measured_with_enough_conversations_of_both_arms():
    found = reduced(fleet(120, 40))
    assert found.tier == estimate.MEASURED
    assert found.whole.low < 0.3 < found.whole.high
    assert (found.whole.treated, found.whole.control) == (120, 40)
    assert [name for name, _ in found.strata] == [STRATUM]


def test_too_few_conversations_say_how_many_are_missing():
    found = reduced(fleet(12, 4))
    assert (found.tier, found.whole, found.missing) == (estimate.NOT_ENOUGH, None, (18, 26))
    assert reduced([]).missing == (30, 30)


def test_requests_are_not_conversations():
    one = [line("a", float(when), shape="control", level=0) for when in range(500)]
    two = [line("b", float(when)) for when in range(500)]
    assert reduced(one + two).missing == (29, 29)


def test_a_baseline_that_was_not_drawn_gives_an_estimate_with_a_wider_interval():
    before = [
        {**one, "when": one["when"] - 1e6, "trial": {**{k: v for k, v in one["trial"].items() if k != "shape"},
         "key": "b" + one["trial"]["key"][1:]}}
        for one in fleet(0, 60, seed=3)
    ]  # fmt: skip
    found = reduced([*fleet(60, 0), *before])
    assert found.tier == estimate.ESTIMATED
    assert found.drift > 0
    drawn = reduced([*fleet(60, 0), *({**one, "trial": {**one["trial"], "shape": "control"}} for one in before)])
    assert drawn.tier == estimate.MEASURED
    assert drawn.whole.saved == pytest.approx(found.whole.saved)
    assert found.whole.low < drawn.whole.low
    assert drawn.whole.high < found.whole.high


def test_what_was_not_drawn_is_never_measured_and_titles_are_no_baseline():
    # Shaped without a share, in an easier time, before one was left alone: no part of what is measured.
    easier = [line(f"easier {number}", number - 1e6, shape="chosen", output=10) for number in range(200)]
    drawn = reduced([*easier, *fleet(60, 40)])
    assert (drawn.tier, drawn.whole.treated, len(drawn.groups.chosen)) == (estimate.MEASURED, 60, 200)
    # Small requests of a client that are not shaped anyway: nothing that shaped ones are compared with.
    before = [line(f"before {number}", number - 2e6, shape="", level=0, output=10) for number in range(40)]
    titles = [line(f"title {number}", number, shape="", level=0, output=1, stratum="x") for number in range(500)]
    found = reduced([*easier, *before, *titles])
    assert (found.tier, found.whole.treated, found.whole.control) == (estimate.ESTIMATED, 200, 40)
    assert found.whole.saved == pytest.approx(0.0)
    assert reduced([*easier, *titles]).tier == estimate.NOT_ENOUGH


def test_a_shaper_that_was_blocked_is_not_measured():
    blocked = [{**one, "trial": {**one["trial"], "level": 0}} for one in fleet(100, 40)]
    found = reduced(blocked)
    assert found.tier == estimate.NOT_ENOUGH
    assert found.groups.excluded["treated"] == 100
    some = [one if int(one["trial"]["key"], 16) % 10 else {**one, "trial": {**one["trial"], "level": 0}}
            for one in fleet(100, 40)]  # fmt: skip
    assert reduced(some).tier == estimate.ESTIMATED  # one in ten is too many: something else made the arms


# --- the verb


def kept(tmp_path, lines):
    for one in lines:
        ledger.append(str(tmp_path / "store"), one)


def test_stats_output_reports_both_trials(headroom, tmp_path):
    kept(tmp_path, ({**one, "trial": {**one["trial"], "compress": one["trial"]["shape"]}} for one in fleet(120, 40)))
    store = {"HEADROOM_STORE": str(tmp_path / "store")}
    done = headroom("stats", "--output", env=store)
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode()
    assert "% fewer output tokens (95 % CI" in said
    assert "[measured, 160 conversations, 40 left alone]" in said
    assert "input cost (95 % CI" in said
    found = json.loads(headroom("stats", "--output", "--json", env=store).stdout)
    assert found["output"]["tier"] == found["compression"]["tier"] == "measured"
    assert found["output"]["low"] < found["output"]["saved"] < found["output"]["high"]
    assert found["output"]["by_request"]["saved"] == pytest.approx(found["output"]["saved"], abs=1e-6)
    assert found["standing"]["compression"] == "on"
    later = json.loads(headroom("stats", "--output", "--json", "--since", "1970-01-01T00:16:40", env=store).stdout)
    assert later["output"]["tier"] == "not enough data"
    assert later["output"]["treated"] + later["output"]["control"] == 60


def test_stats_output_of_an_empty_ledger_and_with_a_document(headroom):
    assert headroom("stats", "--output").returncode == 1
    done = headroom("stats", "--output", "-", stdin=b"{}")
    assert (done.returncode, done.stdout) == (2, b"")


def test_dollars_where_the_prices_of_all_requests_are_known(headroom, tmp_path):
    kept(tmp_path, ({**one, "trial": {**one["trial"], "compress": one["trial"]["shape"]}} for one in fleet(60, 40)))
    table = tmp_path / "prices.toml"
    table.write_text('[[price]]\nmodel = "claude-opus-4-8"\nplain = 5.0\noutput = 25.0\n')
    store = {"HEADROOM_STORE": str(tmp_path / "store"), "HEADROOM_PRICES": str(table)}
    found = json.loads(headroom("stats", "--output", "--json", env=store).stdout)["compression"]
    assert found["unit"] == "USD"
    assert found["mean_treated"] == pytest.approx(3 * 5.0 / 1e6 * (10 + 0.1 * 1000 + 1.25 * 100), abs=1e-6)
    assert b"$0.0035 instead of $0.0035 each" in headroom("stats", "--output", env=store).stdout
