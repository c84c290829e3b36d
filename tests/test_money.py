"""Money: what a call cost and what was saved, worked out by hand; and sums that agree to the last billionth."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom_cli import money
from headroom_cli.errors import ConfigError
from headroom_cli.money import prices, sums, usage
from headroom_cli.serve.counts import Counts, Done

TABLE = """
[[price]]
model = "claude-test"
plain = 3.0
cache_read = 0.3
cache_write = 3.75
cache_write_1h = 6.0
output = 15.0

[[price]]
model = "gpt-5.6-test*"
plain = 2
output = 10
cache_read = 0.2
cache_write = 2.5

[[price]]
model = "gpt-5.6-test*"
plain = 4
output = 15
cache_read = 0.4
cache_write = 5
over = 200_000

[[price]]
model = "gpt-4o-test"
plain = 2.5
output = 10

[[price]]
model = "gpt-4o-test"
plain = 1.25
output = 5
from = 2026-06-01

[[price]]
model = "*nova*"
plain = 0.0375
output = 0.15
"""
WHEN = 1_780_000_000  # 2026-05-28
DOLLAR = 10**9


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text(TABLE)
    return prices.Prices(prices._read(str(path)), package=False)


def call(model="claude-test", *, saved=0, tokens=1000, kinds=None, when=WHEN, said=None, shape="anthropic", **more):
    line = {
        "when": when, "verb": "proxy", "format": shape, "model": model, "backend": "anthropic", "hops": 1,
        "status": 200, "tokens": {"before": tokens, "after": tokens - saved}, "kinds": kinds or {}, **more,
    }  # fmt: skip
    return {**line, **({"usage": said} if said else {})}


# --- worked out by hand

BY_HAND = {
    # 100 plain x $3 + 10,000 read x $0.30 + 2,000 written x $3.75 + 500 for an hour x $6 + 400 output x $15 = 300 +
    # 3,000 + 7,500 + 3,000 + 6,000 = 19,800 millionths. 1,000 saved were written, at
    # (2,000 x 3.75 + 500 x 6) / 2,500 = 4.2.
    "Anthropic": (call(saved=1000, tokens=5000, said={
        "input_tokens": 100, "cache_read_input_tokens": 10_000, "cache_creation_input_tokens": 2500,
        "cache_creation.ephemeral_1h_input_tokens": 500, "output_tokens": 400,
    }), 19_800_000, 4_200_000),
    # 12,000 of input hold 8,000 read and 1,000 written: 3,000 x $2 + 8,000 x $0.20 + 1,000 x $2.50 + 100 x $10 = 6,000
    # + 1,600 + 2,500 + 1,000 = 11,100. 2,000 saved would have been written at $2.50.
    "OpenAI Responses": (call("gpt-5.6-test-1", saved=2000, tokens=9000, shape="responses", said={
        "input_tokens": 12_000, "input_tokens_details.cached_tokens": 8000,
        "input_tokens_details.cache_write_tokens": 1000, "output_tokens": 100,
    }), 11_100_000, 5_000_000),
    # Above 200,000 tokens of input: 250,000 x $4 + 1,000 x $15.
    "OpenAI, long": (call("gpt-5.6-test", shape="responses", said={"input_tokens": 250_000, "output_tokens": 1000}),
                     1_015_000_000, 0),
    # The cache's price is not in the table: half, by the rules of GPT-4o. 1,000 x $2.50 + 2,000 x $1.25 + 100 x $10.
    "OpenAI Chat": (call("gpt-4o-test", saved=100, shape="openai", said={
        "prompt_tokens": 3000, "prompt_tokens_details.cached_tokens": 2000, "completion_tokens": 100,
    }), 6_000_000, 125_000),  # no conversation, and the cache was read: 100 at the cache's price
    "OpenAI Chat, later": (call("gpt-4o-test", when=WHEN + 40 * 86_400, shape="openai",
                                said={"prompt_tokens": 3000, "completion_tokens": 100}), 4_250_000, 0),
    # Bedrock's names of models; no rules are known: what came from a cache is as dear as plain input.
    "Bedrock": (call("eu.amazon.nova-lite-v1:0", saved=1000, said={
        "input_tokens": 1000, "cache_read_input_tokens": 1000, "output_tokens": 1000,
    }), 225_000, 37_500),
}  # fmt: skip


@pytest.mark.parametrize(("line", "cost", "saved"), BY_HAND.values(), ids=BY_HAND)
def test_a_call_costs_what_it_costs_by_hand(line, cost, saved, table):
    if line["model"] == "claude-test":
        line = {**line, "conversation": "a"}  # its first request: nothing of it was in the cache
    if line["model"] == "gpt-5.6-test-1":
        line = {**line, "conversation": "b"}
    found = money.report([line], table)["all"]["money"]
    assert (found["cost"], found["saved"]) == (cost, saved)
    assert found["net"] == saved


@pytest.mark.parametrize(("said", "shape"), [
    ({"prompt_tokens": 100, "prompt_tokens_details.cached_tokens": 60, "cache_read_input_tokens": 0}, "openai"),
    ({"input_tokens": 100, "input_tokens_details.cached_tokens": 60, "cache_read_input_tokens": 0}, "responses"),
    ({"prompt_tokens": 100, "prompt_cache_hit_tokens": 60, "prompt_cache_miss_tokens": 40}, "openai"),
    ({"input_tokens": 40, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 0}, "openai"),
], ids=("LiteLLM", "LiteLLM, Responses", "DeepSeek", "Anthropic behind Chat"))  # fmt: skip
def test_a_count_under_several_names_is_counted_once(said, shape):
    assert list(usage.parts(said, shape).values()) == [40, 60, 0, 0, 0]


def test_what_was_saved_before_would_have_come_from_the_cache(table):
    first = call(saved=1000, tokens=2000, conversation="a", said={
        "input_tokens": 5, "cache_creation_input_tokens": 1000, "output_tokens": 1})  # fmt: skip
    later = call(saved=1500, tokens=2600, conversation="a", when=WHEN + 60, said={
        "input_tokens": 5, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 100, "output_tokens": 1,
    })  # fmt: skip
    whole = money.report([first, later], table)["all"]["money"]
    assert whole["saved"] == 1000 * 3750 + 1000 * 300 + 500 * 3750
    # What came before the time that was asked for counts in nothing, but tells what the cache held.
    assert money.report([first, later], table, since=WHEN + 1)["all"]["money"]["saved"] == 1000 * 300 + 500 * 3750
    assert money.report([later], table)["all"]["money"]["saved"] == 1500 * 3750
    assert money.report([first, later], table, since=WHEN)["all"]["runs"] == 2  # the time itself is part of it


def test_what_every_request_adds_is_read_from_the_cache_too():
    said = {"input_tokens": 5, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 100, "output_tokens": 1}
    lines = [call("claude-opus-5", saved=-100, conversation="a", said=said) for _ in range(3)]
    assert money.report(lines)["all"]["money"]["saved"] == -100 * 1250 - 2 * 100 * 100


def test_what_is_ours_is_counted_against_us(table):
    line = call(
        saved=1000, tokens=3000, conversation="a", hops=3, overhead={
            "markers": 40, "tool": 200,
            "hops": {"input_tokens": 20, "cache_read_input_tokens": 4000, "output_tokens": 100},
        }, said={
            "input_tokens": 120, "cache_read_input_tokens": 4000, "cache_creation_input_tokens": 2000,
            "output_tokens": 300,
        },
    )  # fmt: skip
    whole = money.report([line], table)["all"]
    # First 100 plain, 2,000 written, 200 output; then 20 plain, 4,000 read, 100 output.
    again = 20 * 3000 + 4000 * 300 + 100 * 15_000
    assert whole["money"]["hops"] == again
    assert whole["money"]["cost"] == 100 * 3000 + 2000 * 3750 + 200 * 15_000 + again
    assert whole["money"]["tool"] == 200 * 300  # the cache was read, and tools stand at its head
    assert whole["money"]["net"] == 1000 * 3750 - 200 * 300 - again
    assert whole["overhead"] == {"markers": 40, "tool": 200, "hops": 2}


def test_pipes_and_refused_requests_cost_nothing(table):
    pipe = {"when": WHEN, "verb": "crush", "model": "claude-test", "tokens": {"before": 100, "after": 40}}
    refused = call(saved=500, status=429)
    unanswered = {**call(saved=500), "hops": 0, "status": 0}
    left = {**unanswered, "hops": 1}  # the client went away before the answer
    found = money.report([pipe, refused, unanswered, left], table)["all"]
    assert found["runs"] == 4
    assert found["saved"] == 60
    assert found["uncalled"]["saved"] == 60
    assert found["money"] == dict.fromkeys(found["money"], 0)


def test_what_has_no_price_is_not_guessed(table):
    lines = [call("mystery-1", saved=30, said={"input_tokens": 70, "output_tokens": 9}), call("mystery-2")]
    for known in (table, None):
        found = money.report(lines, known)
        assert found["all"]["unpriced"] == {"requests": 1, "input": 70, "output": 9, "saved": 30}
        assert found["all"]["money"]["cost"] == 0
        assert found["prices"] == {}


def test_without_prices_money_is_in_plain_input_as_the_proxy_counts_it():
    said = {"input_tokens": 5, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 100, "output_tokens": 7}
    lines = [call("claude-opus-5", saved=saved, conversation="a", said=said) for saved in (300, 700, -150, -40)]
    found = money.report(lines)
    counts = Counts()
    for line in lines:
        done = Done("/v1/messages", "anthropic")
        done.model, done.status, done.usage, done.conversation = "claude-opus-5", 200, said, "a"
        done.before, done.after = line["tokens"]["before"], line["tokens"]["after"]
        counts.add(done)
    assert found["currency"]["unit"] == "plain"
    assert found["all"]["money"]["cost"] == counts.price * 1000
    assert found["all"]["money"]["saved"] == counts.saving * 1000
    assert found["prices"]["claude-opus-5"]["cache_read"] == 0.1


def test_a_kind_has_its_share_of_the_money(table):
    kinds = {
        "log": {"blocks": 2, "before": 900, "after": 200}, "json": {"blocks": 1, "before": 200, "after": 0},
        "code": {"blocks": 1, "before": 100, "after": 100},
    }  # fmt: skip
    line = call(saved=1000, tokens=2000, kinds=kinds, tools={"Bash": kinds["log"]}, conversation="a", said={
        "input_tokens": 1000, "output_tokens": 1})  # fmt: skip
    found = money.report([line], table)
    assert found["all"]["money"]["saved"] == 1000 * 3000
    assert {name: row["money"]["saved"] for name, row in found["kind"].items()} == {
        "log": 700 * 3000, "json": 200 * 3000, "code": 0,
    }  # fmt: skip
    assert (found["rest"]["kind"]["saved"], found["rest"]["kind"]["money"]["saved"]) == (100, 100 * 3000)
    assert found["tool"]["Bash"]["money"]["saved"] == 700 * 3000
    assert found["rest"]["tool"]["blocks"] == 2


# --- the table and the package

WRONG = {
    "no TOML": "[[price]", "nothing": "", "no rows": "price = 3", "another table": "[[prices]]\nmodel = 'x'",
    "no model": "[[price]]\nplain = 1\noutput = 1", "no output": "[[price]]\nmodel = 'x'\nplain = 1",
    "below zero": "[[price]]\nmodel = 'x'\nplain = -1\noutput = 1",
    "no number": "[[price]]\nmodel = 'x'\nplain = nan\noutput = 1",
    "endless": "[[price]]\nmodel = 'x'\nplain = inf\noutput = 1",
    "a word": "[[price]]\nmodel = 'x'\nplain = '1'\noutput = 1",
    "a truth": "[[price]]\nmodel = 'x'\nplain = true\noutput = 1",
    "a mistake": "[[price]]\nmodel = 'x'\nplain = 1\noutput = 1\ncached = 1",
    "no date": "[[price]]\nmodel = 'x'\nplain = 1\noutput = 1\nfrom = '2026-01-01'",
    "no tokens": "[[price]]\nmodel = 'x'\nplain = 1\noutput = 1\nover = -3",
    "too deep": "price = " + "[" * 3000, "too large": "#" * 1_000_001,
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_table_that_cannot_be_used_is_refused(text, tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"prices\.toml"):
        prices.load(str(path))


def test_a_table_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        prices.load(str(tmp_path / "none.toml"))
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError):
        prices.load(str(tmp_path / "bytes.toml"))


def test_the_last_row_that_fits_counts(table):
    assert table.find("claude-test", "", WHEN).units(10**9) == (3_000_000, 300_000, 3_750_000, 6_000_000, 15_000_000)
    assert table.find("CLAUDE-TEST", "", WHEN) is not None
    assert table.find("claude-test-2", "", WHEN) is None
    bracketed = prices.Prices([{"model": "claude-*[1m]", "plain": 6, "output": 22}], package=False)
    found = [bracketed.find(name, "", WHEN) is not None for name in ("claude-x[1m]", "claude-x1")]
    assert found == [True, False]  # names have brackets; sets of letters are no part of a pattern
    long = table.find("gpt-5.6-test-mini", "", WHEN)
    assert [long.units(sent)[0] for sent in (0, 200_000, 200_001)] == [2_000_000, 2_000_000, 4_000_000]
    assert long.shown["long"] == 200_000
    assert long.shown["assumed"] == ["cache_write_1h"]
    day = 1_780_272_000  # 2026-06-01
    assert [table.find("gpt-4o-test", "", when).units(1)[0] for when in (day - 1, day)] == [2_500_000, 1_250_000]
    assert table.find("gpt-4o-test", "", day).shown["date"] == "2026-06-01"


def test_prices_of_the_package_are_those_that_it_counts_with():
    genai = pytest.importorskip("genai_prices")
    from datetime import UTC, datetime

    known = prices.Prices()
    count = 100_003
    for model, seller in (("claude-sonnet-4-5-20250929", "anthropic"), ("gpt-5", "openai"), ("gpt-4o", ""),
                          ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock"),
                          ("anthropic/claude-sonnet-4.5", "openrouter")):  # fmt: skip
        price = known.find(model, seller, WHEN)
        for sent in (count, 400_000):
            units = price.units(sent)
            theirs = genai.calc_price(
                genai.Usage(input_tokens=sent, cache_read_tokens=sent // 2, output_tokens=777), model,
                provider_id={"bedrock": "aws"}.get(seller, seller or None),
                genai_request_timestamp=datetime.fromtimestamp(WHEN, UTC),
            )  # fmt: skip
            ours = (sent - sent // 2) * units[0] + sent // 2 * units[1] + 777 * units[4]
            assert ours / 10**12 == pytest.approx(float(theirs.total_price), rel=1e-12), model
        assert price.shown["source"].startswith("genai-prices ")
    assert known.find("mystery-1", "", WHEN) is None
    assert known.find("claude-opus-99", "anthropic", WHEN) is None
    assert known.find("claude-sonnet-4-5", "openrouter", WHEN) is None  # sold there under another name
    assert known.find("", "openai", WHEN) is None


def test_what_the_package_does_not_price_is_told_as_assumed():
    pytest.importorskip("genai_prices")
    price = prices.Prices().find("gpt-4o", "openai", WHEN)
    assert {"cache_write"} <= set(price.shown["assumed"])
    assert price.units(1)[2] == price.units(1)[0]  # the rules of GPT-4o: writing costs nothing more


def test_the_table_goes_before_the_package(tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text("[[price]]\nmodel = 'gpt-4o'\nplain = 1\noutput = 1\n")
    known = prices.load(str(path))
    assert known.find("gpt-4o", "openai", WHEN).shown["source"] == prices.OWN
    assert known.currency["source"] == prices.OWN  # nothing else was asked for
    assert known.find("gpt-5", "openai", WHEN) is not None
    assert known.currency["source"].startswith(f"{prices.OWN}, genai-prices ")


# --- sums that agree

SOMETHING = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(), st.text(max_size=5),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip
NUMBER = st.one_of(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), SOMETHING)
PART = st.one_of(st.fixed_dictionaries({"blocks": NUMBER, "before": NUMBER, "after": NUMBER}), SOMETHING)
PARTS = st.one_of(
    st.dictionaries(st.sampled_from(("log", "json", "code", "none")), PART, max_size=4), SOMETHING
)  # fmt: skip
NAMES = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens", "prompt_tokens",
         "completion_tokens", "cache_creation.ephemeral_1h_input_tokens")  # fmt: skip
USED = st.one_of(st.dictionaries(st.sampled_from(NAMES), NUMBER, max_size=5), SOMETHING)
LINES = st.lists(
    st.fixed_dictionaries({}, optional={
        "when": st.one_of(st.floats(0, 4e9), st.integers(0, 4 * 10**9), SOMETHING),
        "verb": st.one_of(st.sampled_from(("crush", "proxy", "send")), SOMETHING),
        "model": st.one_of(st.sampled_from(("claude-test", "gpt-4o-test", "mystery")), SOMETHING),
        "project": st.one_of(st.sampled_from(("shop", "")), SOMETHING), "backend": SOMETHING, "ms": NUMBER,
        "format": st.one_of(st.sampled_from(("anthropic", "openai")), SOMETHING), "hops": NUMBER, "status": NUMBER,
        "conversation": st.one_of(st.sampled_from(("a", "b")), SOMETHING),
        "tokens": PART, "kinds": PARTS, "tools": PARTS, "usage": USED,
        "overhead": st.one_of(st.fixed_dictionaries({"markers": NUMBER, "tool": NUMBER, "hops": USED}), SOMETHING),
    }), max_size=12,
)  # fmt: skip


def leaves(value, path=()):
    """Yield every number of a sum with its place."""
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from leaves(inner, (*path, name))
        else:
            yield (*path, name), inner


def added(rows):
    totals = {}
    for row in rows:
        for place, number in leaves(row):
            totals[place] = totals.get(place, 0) + number
    return totals


def check_agrees(found):
    whole = dict(leaves(found["all"]))
    for group in sums.GROUPS:
        for place, number in added(found[group].values()).items():
            if place == ("ms",):
                assert number == pytest.approx(whole[place])
            else:
                assert number == whole[place], (group, place)
    for group in sums.PARTED:
        totals = added([*found[group].values(), found["rest"][group]])
        for place, number in totals.items():
            if place not in {("runs",), ("ms",)}:
                assert number == whole[place], (group, place)
    money_, tokens = found["all"]["money"], found["all"]
    assert money_["net"] == money_["saved"] - money_["tool"] - money_["hops"]
    assert tokens["saved"] == tokens["before"] - tokens["after"]
    assert tokens["saved"] == money_["tokens"] + tokens["unpriced"]["saved"] + tokens["uncalled"]["saved"]
    parts = [tokens["usage"][name] for name in usage.PARTS[:-1]]
    assert tokens["usage"]["input"] == sum(parts)
    assert 0 <= money_["hops"] <= money_["cost"]


def strict(text):
    raise AssertionError(f"{text} is no JSON")


@settings(max_examples=150, deadline=None)
@given(lines=LINES, priced=st.booleans(), since=st.one_of(st.none(), st.integers(0, 4 * 10**9)))
def test_whatever_the_lines_hold_all_sums_agree(lines, priced, since):
    rows = [{"model": "claude-test", "plain": 3, "output": 15}, {"model": "gpt-4o-*", "plain": 1, "output": 2}]
    found = money.report(lines, prices.Prices(rows, package=False) if priced else None, since)
    check_agrees(found)
    if since is None:
        assert found["all"]["runs"] == len(lines)
    assert json.loads(json.dumps(found, allow_nan=False), parse_constant=strict) == found


def test_lines_of_an_older_version_count_as_far_as_they_go(table):
    old = [
        {"when": WHEN, "verb": "crush", "ms": 4.5, "kinds": {"log": {"blocks": 2, "before": 1000, "after": 200}}},
        {"when": WHEN + 86_400, "verb": "route", "ms": 1, "tokens": {"before": 50, "after": 40}},
        {"when": WHEN, "verb": "proxy", "format": "openai", "model": "gpt-4o-test", "ms": 1.0,
         "tokens": {"before": 90, "after": 80}, "kinds": {"json": {"blocks": 1, "before": 90, "after": 80, "kept": 0}},
         "usage": {"prompt_tokens": 1000, "completion_tokens": 10}, "conversation": "0123456789ab"},
    ]  # fmt: skip
    found = money.report(old, table)
    check_agrees(found)
    assert [found["all"][name] for name in ("runs", "before", "after", "ms")] == [3, 1140, 320, 6.5]
    assert found["all"]["money"]["cost"] == 1000 * 2500 + 10 * 10_000
    assert {name: row["runs"] for name, row in found["day"].items()} == {"2026-05-28": 2, "2026-05-29": 1}
    assert found["kind"]["log"]["saved"] == 800
    assert found["rest"]["kind"]["saved"] == 10
    assert found["project"][""]["runs"] == 3


def test_numbers_that_cannot_be_are_left_out():
    odd = [
        {"when": math.nan, "tokens": {"before": math.inf, "after": -3}, "usage": {"input_tokens": 10**40}},
        {"when": -5, "tokens": {"before": 10**17, "after": "9"}, "ms": math.nan, "kinds": [1], "verb": None},
    ]
    found = money.report(odd)
    assert found["all"]["before"] == found["all"]["after"] == found["all"]["ms"] == 0
    assert found["all"]["usage"]["input"] == 0
    assert set(found["day"]) == {"1970-01-01"}
    check_agrees(found)


def test_names_from_outside_cannot_grow_the_sums():
    lines = (
        {"when": number * 86_400, "verb": f"v{number}", "model": f"claude-{number}", "project": f"p{number}", "hops": 1,
         "kinds": {f"k{number}": {"blocks": 1, "before": 9, "after": 3}}, "tools": {"x" * 500: {"blocks": 1}},
         "conversation": f"{number}"}
        for number in range(3000)
    )  # fmt: skip
    found = money.report(lines)
    assert all(len(found[group]) <= 1001 for group in ("verb", "model", "project", "kind", "tool"))
    assert found["kind"]["other"]["runs"] == 2000
    assert max(map(len, found["tool"])) == 100
    check_agrees(found)


def test_nothing_sums_up_to_nothing(table):
    found = money.report([], table)
    assert found["first"] is found["last"] is None
    assert found["all"] == money.report([call(when=WHEN - 5)], table, since=WHEN)["all"]
    assert all(not number for _, number in leaves(found["all"]))


def test_worth_lies_between_the_cheapest_and_the_dearest_price():
    units = usage.by_rules(usage.rules("claude-opus-5"))
    part = {"plain": 3, "cache_read": 10, "cache_write": 7, "cache_write_1h": 2, "output": 1}
    for saved in (0, 1, 7, 10**12):
        for old in (0, saved // 2, saved, 2 * saved):
            assert 100 * saved <= usage.worth(saved, old, part, units) <= 2000 * saved
    assert usage.worth(-10, 5, part, units) < 0  # what was added costs
