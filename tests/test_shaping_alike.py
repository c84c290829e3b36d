"""Conversations that look like others, and requests in odd forms: what each began with holds for it, byte for byte."""

import json

import pytest
from shaped import Line, system_of
from talks import Talk
from test_shaping_talks import answer_of

from headroom_cli import backends
from headroom_cli.relay import Relay
from headroom_cli.shaping import words

SHAPES = {"anthropic": "anthropic", "openai": "openai", "responses": "openai"}
BODIES = {
    "anthropic": {"type": "message", "role": "assistant", "stop_reason": "end_turn"},
    "openai": {"object": "chat.completion"},
    "responses": {"object": "response", "id": "resp_1", "status": "completed"},
}


def asked(talk, *, short=False):
    """The next request of a talk, whose answer may be long unless it is ``short``."""
    most = {"anthropic": "max_tokens", "openai": "max_completion_tokens", "responses": "max_output_tokens"}[talk.shape]
    return {**talk.request, most: 200 if short else 4_000, **({"store": False} if talk.shape == "responses" else {})}


def answered(line, talk, *, short=False):
    """Send a talk's request, and give it the answer that all of them get; return whether it had the block."""
    ready = line.ready(talk.shape, asked(talk, short=short))
    relay = Relay(ready.request, backends.load(SHAPES[talk.shape])[0], backends.Target())
    said = answer_of(talk.shape, "")
    relay.begin("application/json")
    relay.feed(json.dumps({**BODIES[talk.shape], **said}).encode())
    relay.end()
    ready.remember(relay)
    talk.heard(said)
    return words.OPEN in system_of(talk.shape, ready.request.value)


@pytest.mark.parametrize("shape", SHAPES)
def test_of_two_conversations_that_look_the_same_the_latest_counts(tmp_path, shape):
    line = Line(tmp_path, on=True)
    one, other = Talk(shape).says("hi"), Talk(shape).says("hi")
    assert answered(line, one)
    line.asked = {"on": False}
    assert not answered(line, other)
    line.asked = {"on": True}
    assert not answered(line, other.says("go on"))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_request_aside_takes_no_block_away_and_gets_none(tmp_path, shape):
    """Agents ask for a title with the words that a conversation begins with, while its first answer is on its way."""
    line = Line(tmp_path, on=True)
    talk, aside = (Talk(shape, tools=()).says("hi") for _ in range(2))
    first, short = asked(talk), asked(aside, short=True)
    assert [words.OPEN in system_of(shape, line.sent(shape, each)) for each in (first, short)] == [True, False]
    for each in (talk, aside):
        each.heard(answer_of(shape, "")).says("go on")
    # Answers of the same text tell nobody which of them is meant; so the conversation goes on in a store of its own.
    assert words.OPEN in system_of(shape, line.sent(shape, asked(talk)))
    other = Line(tmp_path / "other", on=True)
    assert [words.OPEN in system_of(shape, other.sent(shape, each)) for each in (first, short)] == [True, False]
    assert words.OPEN not in system_of(shape, other.sent(shape, asked(aside, short=True)))


def test_what_others_began_with_the_same_words_is_theirs(tmp_path):
    def second():
        return asked(Talk("anthropic", tools=()).says("hi").heard(answer_of("anthropic", "")).says("go on"))

    one, other = Line(tmp_path, "one", on=True), Line(tmp_path, "other", on=True, output_holdout=1.0)
    first = asked(Talk("anthropic", tools=()).says("hi"))
    assert one.ready("anthropic", first).trial["level"] == 2
    assert one.ready("anthropic", second()).trial["level"] == 2
    assert other.ready("anthropic", first).trial["shape"] == "control"
    assert other.ready("anthropic", second()).trial["shape"] == "control"
    assert one.ready("anthropic", second()).trial["level"] == 2


def test_a_history_that_the_provider_holds_is_a_conversation_only_where_it_is_known_again(tmp_path):
    """Else each request of it would be one by itself, and a baseline of those makes shaped ones look long."""
    line = Line(tmp_path)
    for tools, known in ((("Bash",), True), ((), False)):
        talk = Talk("responses", tools=tools).says("why?")
        ready = line.ready("responses", talk.request)
        relay = Relay(ready.request, backends.load("openai")[0], backends.Target(), ready.desk())
        relay.begin("application/json")
        relay.feed(json.dumps({**BODIES["responses"], **answer_of("responses", "")}).encode())
        relay.end()
        ready.remember(relay)
        later = {**Talk("responses", tools=tools).says("and?").request, "previous_response_id": "resp_1"}
        keys = [ready.trial["key"], line.ready("responses", later).trial["key"]]
        assert keys == ([keys[0]] * 2 if known else ["", ""])
        assert bool(keys[0]) is known
    titled = line.ready("anthropic", asked(Talk("anthropic", tools=()).says("hi"), short=True))
    assert titled.trial["stratum"].endswith("|plain|aside")


def test_who_is_left_alone_keeps_a_text_in_a_lists_place(tmp_path):
    talk = Talk("responses").says("why?")
    data = json.dumps({**talk.request, "input": "why?", "store": False}, indent=1).encode() + b"\n"
    ready = Line(tmp_path, holdout=1.0).ready("responses", data)
    assert (ready.request.body, ready.trial["compress"]) == (data, "control")
    treated = Line(tmp_path / "other", holdout=0.000001).ready("responses", data)
    assert isinstance(treated.request.value["input"], list)
    # Its later requests bring that text in a list, and are of the same conversation.
    assert Line(tmp_path).ready("responses", asked(talk)).trial["key"] == ready.trial["key"]
