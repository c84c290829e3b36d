"""Prices of requests: equal to the plain rule on plain sequences, and to what each provider's rules say on others."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inputs import corpus

from headroom_cli import pricing
from headroom_cli.pricing import PROVIDERS, Segment, price

FIVE = PROVIDERS["anthropic 5m"]
HOUR = PROVIDERS["anthropic 1h"]
OPENAI = PROVIDERS["openai"]


def plain_rule(requests, count):
    """Price lists of messages: what is equal to the previous list's beginning is read at 0.1, the rest costs 1.25."""
    previous, sent, cached, broken = [], 0, 0, 0
    for messages in requests:
        k = 0
        while k < min(len(previous), len(messages)) and previous[k] == messages[k]:
            k += 1
        broken += k < len(previous)
        c = sum(map(count, messages[:k]))
        sent += c + sum(map(count, messages[k:]))
        cached += c
        previous = messages
    return 0.1 * cached + 1.25 * (sent - cached), sent, cached, broken


@st.composite
def conversations(draw):
    """Draw requests that each keep the beginning of the one before and go on with something new."""
    fresh, previous, requests = 0, [], []
    for _ in range(draw(st.integers(1, 12))):
        keep = draw(st.one_of(st.just(len(previous)), st.integers(0, len(previous))))
        new = []
        for _ in range(draw(st.integers(0, 5))):
            fresh += 1
            new.append(f"{fresh} " + "word " * draw(st.integers(0, 40)))
        previous = previous[:keep] + new
        requests.append(previous)
    return requests


def prompts_of(requests, count=len):
    return [[Segment(message, count(message)) for message in messages] for messages in requests]


@given(conversations())
def test_the_price_is_that_of_the_plain_rule(requests):
    expected, sent, cached, broken = plain_rule(requests, len)
    bill = price(prompts_of(requests), OPENAI, minimum=0)
    assert bill.price == expected  # to the last digit
    assert (bill.sent, bill.read, bill.broken, bill.requests) == (sent, cached, broken, len(requests))


def test_real_conversations_cost_what_the_plain_rule_says():
    samples = corpus("traces_norm", limit=6)
    if not samples:
        pytest.skip("no corpus beside this checkout")
    count = pytest.importorskip("rs_bpe.bpe").openai.o200k_base().count
    for _, _, data in samples:
        messages = [json.dumps(message) for message in json.loads(data)["messages"]]
        roles = [message["role"] for message in json.loads(data)["messages"]]
        requests = [messages[:i] for i, role in enumerate(roles) if role == "assistant" and i]
        expected, sent, cached, broken = plain_rule(requests, count)
        for rules in (FIVE, OPENAI):
            bill = price(prompts_of(requests, count), rules, minimum=0)
            within_reach = max((len(b) - len(a) for a, b in pairwise(requests)), default=0) <= 20
            if rules.implicit or within_reach:
                assert (bill.price, bill.sent, bill.read, bill.broken) == (expected, sent, cached, broken)


@given(conversations(), st.sampled_from(list(PROVIDERS.values())), st.integers(0, 300))
def test_every_token_is_paid_for_once(requests, rules, minimum):
    bill = price(prompts_of(requests), rules, minimum=minimum)
    assert bill.read + bill.written + bill.plain == sum(len(m) for messages in requests for m in messages)
    assert min(bill.read, bill.written, bill.plain) >= 0
    assert bill.read <= price(prompts_of(requests), rules, minimum=0).read


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.data())
def test_a_replay_is_the_requests_it_stands_for(tokens, data):
    segments = [Segment(i, n) for i, n in enumerate(tokens)]
    lengths = sorted(data.draw(st.lists(st.integers(1, len(tokens)), min_size=1)))
    fixed = sorted(data.draw(st.sets(st.integers(1, len(tokens)), max_size=2)))
    for rules in PROVIDERS.values():
        replayed = pricing.replay(segments, lengths, fixed, last=True)
        written_out = pricing.requests(
            [Segment(s.digest, s.tokens, mark=i in {*fixed, n}) for i, s in enumerate(segments[:n], 1)] for n in lengths
        )
        bills = [pricing.bill(sent, pricing.spans(sent, rules, 20), rules) for sent in (replayed, written_out)]
        assert bills[0].price == bills[1].price
        assert bills[0].broken == bills[1].broken == 0


def test_a_column_divides_the_bill():
    segments = [Segment(i, 100) for i in range(8)]
    sent = pricing.replay(segments, [3, 5, 8], [], last=True)
    cached = pricing.spans(sent, FIVE, 0)
    parts = [
        [pricing.running(100 * (i % 2 == odd) for i in range(8))] * 3 for odd in (0, 1)
    ]  # the even segments, the odd ones
    shares = [pricing.bill(sent, cached, FIVE, column).price for column in parts]
    assert sum(shares) == pytest.approx(pricing.bill(sent, cached, FIVE).price)


def prompt(*sizes, marks=(), name=""):
    return [Segment(f"{name}{i}", size, mark=i in marks) for i, size in enumerate(sizes, 1)]


def test_an_entry_is_found_only_where_a_breakpoint_was():
    # Explicit caches keep the prefixes that end at a breakpoint and no others.
    first = prompt(1000, 1000, 1000, marks={3})
    changed = [*prompt(1000, 1000), Segment("other", 1000, mark=True)]
    assert price([first, changed], FIVE, minimum=0).read == 0
    assert price([first, changed], OPENAI, minimum=0).read == 2000
    kept = price([prompt(1000, 1000, 1000, marks={2, 3}), changed], FIVE, minimum=0)
    assert kept.read == 2000


def test_what_stands_behind_the_last_breakpoint_is_plain_input():
    bill = price([prompt(500, 500, 500, marks={2})] * 2, FIVE, minimum=0)
    assert (bill.read, bill.written, bill.plain) == (1000, 1000, 1000)
    assert bill.price == 0.1 * 1000 + 1.25 * 1000 + 1000


@pytest.mark.parametrize(("added", "found"), [(1, True), (20, True), (21, False)])
def test_a_breakpoint_looks_back_twenty_blocks(added, found):
    sizes = [10] * (5 + added)
    bill = price([prompt(*sizes[:5], marks={5}), prompt(*sizes, marks={5 + added})], FIVE, minimum=0)
    assert bill.read == (50 if found else 0)


def test_settings_are_no_blocks_to_look_back_over():
    some = [Segment(i, 0, block=False) for i in range(30)]
    bill = price([prompt(10, marks={1}), [*prompt(10), *some, Segment("end", 5, mark=True)]], FIVE, minimum=0)
    assert bill.read == 10


def test_only_the_last_four_breakpoints_count():
    bill = price([prompt(*[10] * 6, marks={1, 2, 3, 4, 5}), prompt(10, marks={1})], FIVE, minimum=0)
    assert bill.read == 0
    bill = price([prompt(*[10] * 6, marks={1, 2, 3, 4}), prompt(10, marks={1})], FIVE, minimum=0)
    assert bill.read == 10


@pytest.mark.parametrize("rules", list(PROVIDERS.values()), ids=list(PROVIDERS))
def test_a_short_prefix_is_not_kept(rules):
    short = price([prompt(1000)] * 3, rules, minimum=1001)
    assert (short.read, short.written, short.plain, short.price) == (0, 0, 3000, 3000)
    long = price([prompt(1000)] * 3, rules, minimum=1000)
    assert (long.read, long.written, long.plain) == (2000, 1000, 0)


def test_it_pays_from_the_second_request_on_and_for_an_hour_from_the_third():
    def ratio(rules, times):
        bill = price([prompt(9000)] * times, rules)
        return bill.price / bill.sent

    assert ratio(FIVE, 1) > 1 > ratio(FIVE, 2)
    assert ratio(HOUR, 2) > 1 > ratio(HOUR, 3)
    assert ratio(PROVIDERS["openai 4o"], 1) == 1 > ratio(PROVIDERS["openai 4o"], 2)


@pytest.mark.parametrize(("model", "minimum", "known"), [
    ("claude-opus-5", 512, True),
    ("claude-opus-5-5", 1024, False),  # another model than opus-5, and not in the table
    ("claude-opus-4-8", 1024, True),
    ("claude-opus-4-7", 2048, True),
    ("claude-opus-4-6", 4096, True),
    ("claude-opus-4-20250514", 1024, True),
    ("claude-opus-4-5-20251101", 4096, True),
    ("us.anthropic.claude-opus-4-5-20251101-v1:0", 4096, True),
    ("claude-haiku-4-5@20251001", 4096, True),
    ("anthropic/claude-haiku-4.5", 4096, True),
    ("claude-3-5-haiku-latest", 2048, True),
    ("Claude-Sonnet-4-6", 1024, True),
    ("claude-sonnet-9", 1024, False),
    ("", 1024, False),
])  # fmt: skip
def test_the_shortest_prefix_depends_on_the_model(model, minimum, known):
    assert FIVE.minimum(model) == (minimum, known)
    assert OPENAI.minimum(model) == (1024, True)


@pytest.mark.parametrize(("model", "rules"), [
    ("claude-sonnet-4-5", "anthropic 5m"), ("us.anthropic.claude-opus-4-8", "anthropic 5m"),
    ("gpt-5.6-codex", "openai"), ("openai/gpt-5-6-mini", "openai"), ("gpt-6", "openai"), ("gpt-5.10", "openai"),
    ("gpt-5", "openai 5.0-5.5"), ("gpt-5-2025-08-07", "openai 5.0-5.5"), ("gpt-5.5-mini", "openai 5.0-5.5"),
    ("gpt-4o", "openai 4o"), ("gpt-4o-2024-11-20", "openai 4o"), ("llama-3", ""), ("", ""),
])  # fmt: skip
def test_a_model_is_sold_under_rules(model, rules):
    assert pricing.for_model(model) == rules
    assert not rules or rules in PROVIDERS


def test_a_long_replay_is_linear():
    segments = [Segment(i, 50) for i in range(40_000)]
    sent = pricing.replay(segments, range(10, 40_000, 10), [3], last=True)
    for rules in PROVIDERS.values():
        bill = pricing.bill(sent, pricing.spans(sent, rules, 1024), rules)
        assert bill.requests == 3999
        assert bill.written == 50 * 39_990
