"""Conversations whose answers are shaped: what they began with holds, whatever is asked for later; and the arms."""

import itertools
import json

import pytest
from shaped import ASTRA, Line, system_of
from talks import LOG, OURS, Talk

from headroom_cli import engine, ledger
from headroom_cli.errors import StoreError
from headroom_cli.shaping import words
from headroom_cli.shaping.asked import Shaping
from headroom_cli.shaping.talk import Talk as Shaped
from headroom_cli.store import Store
from headroom_cli.trial import arms

SHAPES = ("anthropic", "openai", "responses")


def begun(shape, first="why does the build fail?"):
    """A conversation of three requests: each call gives the next one."""
    talk = Talk(shape).says(first)

    def request():
        return {**talk.request, **({"store": False} if shape == "responses" else {})}

    yield request()
    talk.heard(answer_of(shape, "c1")).result("c1", LOG)
    yield request()
    talk.heard(answer_of(shape, "c2")).result("c2", LOG.replace("worker", "runner"))
    yield request()
    talk.heard(answer_of(shape, "")).says("thanks")
    yield request()


def answer_of(shape, call):
    if shape == "anthropic":
        block = (
            {"type": "tool_use", "id": call, "name": "Bash", "input": {}} if call else {"type": "text", "text": "So."}
        )
        return {"content": [block]}
    if shape == "openai":
        called = {"id": call, "type": "function", "function": {"name": "Bash", "arguments": "{}"}}
        said = {"content": None, "tool_calls": [called]} if call else {"content": "So."}
        return {"choices": [{"message": {"role": "assistant", **said}}]}
    if call:
        return {"output": [{"type": "function_call", "call_id": call, "name": "Bash", "arguments": "{}"}]}
    return {"output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "So."}]}]}


def keys(scope=""):
    """First words of a conversation in each arm of a trial at one half."""
    found = {}
    for number in range(1_000):
        text = f"question {number}"
        arm = found.setdefault(arms.arm("output", key_of(text, scope), 0.5), text)
        if len(found) == 2:
            return found
    raise AssertionError(arm)


def key_of(text, scope=""):
    return arms.key(scope, ledger.conversation({"messages": [{"role": "user", "content": text}]}))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("later", [{"on": False}, {"on": True, "level": 4}, None], ids=["off", "other level", "gone"])
def test_a_conversation_keeps_the_block_it_began_with(tmp_path, shape, later, monkeypatch):
    line = Line(tmp_path, on=True, level=3)
    block = words.text(3)
    sent = []
    for number, request in enumerate(begun(shape)):
        ready = line.ready(shape, request)
        sent.append(ready.request.value["input" if shape == "responses" else "messages"])
        assert system_of(shape, ready.request.value).endswith(block)
        assert (ready.trial["level"], ready.trial["shape"]) == (3, "chosen")
        assert engine.expand(ready.request.body, line.store, form=shape) == (json.dumps(request).encode(), [])
        if number == 0:
            line.asked = later or {}
            monkeypatch.setattr(words, "_HEAD", "Another version says it otherwise.")
    for one, two in itertools.pairwise(sent):
        assert plain(two[: len(one)]) == plain(one)


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key != "cache_control"}
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("shape", SHAPES)
def test_a_conversation_that_began_without_never_gets_one(tmp_path, shape):
    line = Line(tmp_path)
    for number, request in enumerate(begun(shape)):
        ready = line.ready(shape, request)
        assert words.OPEN not in system_of(shape, ready.request.value)
        assert ready.trial["level"] == 0
        assert "shape" not in ready.trial
        if number == 0:
            line.asked = {"on": True}
    # Its first request once more: whoever asks again gets what is asked for now.
    assert words.OPEN in system_of(shape, line.sent(shape, next(begun(shape))))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_conversation_that_began_elsewhere_gets_none(tmp_path, shape):
    line = Line(tmp_path, on=True)
    _, request, *_ = begun(shape)
    assert words.OPEN not in system_of(shape, line.sent(shape, request))
    # Neither does one that is long under way, where another one began with the same words.
    first, _, third, _ = begun(shape)
    line.sent(shape, first)
    assert words.OPEN not in system_of(shape, line.sent(shape, third))


def test_two_proxies_on_one_store_and_a_new_credential_send_the_same(tmp_path):
    one, two = Line(tmp_path, "scope one", on=True), Line(tmp_path, "scope two")
    requests = list(begun("anthropic"))
    one.sent("anthropic", requests[0])
    for number, request in enumerate(requests[1:]):
        assert words.OPEN in system_of("anthropic", (one, two)[number % 2].sent("anthropic", request))


def test_branches_with_other_first_answers_keep_what_each_began_with(tmp_path):
    shaped, plain_ = Line(tmp_path, on=True), Line(tmp_path)

    def second(call):
        talk = Talk("anthropic").says("why?").heard(answer_of("anthropic", call))
        return talk.result(call, "ok").request

    first = Talk("anthropic").says("why?").request
    shaped.sent("anthropic", first)
    shaped.sent("anthropic", second("a1"))
    plain_.sent("anthropic", first)
    assert words.OPEN not in system_of("anthropic", plain_.sent("anthropic", second("b1")))
    assert words.OPEN in system_of("anthropic", plain_.sent("anthropic", second("a1")))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_count_is_of_what_would_be_sent_and_begins_nothing(tmp_path, shape):
    line = Line(tmp_path, on=True)
    first, second, *_ = begun(shape)
    assert words.OPEN in system_of(shape, line.sent(shape, first, counting=True))
    assert words.OPEN not in system_of(shape, line.sent(shape, second))
    line.sent(shape, first)
    assert words.OPEN in system_of(shape, line.sent(shape, second, counting=True))


def test_without_a_store_nothing_is_shaped(tmp_path):
    line = Line(tmp_path, on=True)
    line.store = None
    ready = line.ready("anthropic", next(begun("anthropic")))
    assert words.OPEN not in ready.request.body.decode()
    assert ready.trial["level"] == 0
    assert "shape" not in ready.trial


@pytest.mark.parametrize("shape", SHAPES)
def test_a_store_that_cannot_be_written_any_more_takes_no_block_away_and_begins_none(tmp_path, shape):
    class Full(Store):
        def put(self, *_args, **_more):
            raise StoreError("no space left on device")

        remember = put

    line = Line(tmp_path, on=True)
    first, *later = begun(shape)
    line.ready(shape, first)
    line.store = Full(str(tmp_path))
    for request in later[:1]:
        ready = line.ready(shape, request, level=2)
        assert words.OPEN in system_of(shape, ready.request.value)
        assert ready.trial["shape"] == "chosen"
    other = line.ready(shape, next(begun(shape, "another one")), level=2)
    assert words.OPEN not in system_of(shape, other.request.value)
    assert other.request.body == json.dumps(next(begun(shape, "another one"))).encode()
    assert "shape" not in other.trial


def test_what_a_plugin_takes_out_again_does_not_count(tmp_path):
    line = Line(tmp_path, on=True)
    ready = line.ready("anthropic", next(begun("anthropic")))
    assert ready.trial["shape"] == "chosen"
    talk = Shaped(Shaping(on=True), "anthropic", ready.request.value, "", tools=True)
    talk.begin(None, str(tmp_path), "claude-sonnet-4-5")
    assert talk.pin.shape == ""  # it stands there already: another's
    talk.pin.text, talk.pin.shape = words.text(2), "treated"
    gone = talk.trial({**ready.request.value, "system": "short"}, "claude", 10, entered=True)
    assert (gone["shape"], gone["level"]) == ("treated", 0)  # the estimate leaves it out, and says how many it left out


def test_a_history_that_the_provider_may_hold_is_shaped_only_where_its_name_is_read(tmp_path):
    line = Line(tmp_path, on=True)
    with_tools = Talk("responses").says("why?").request
    assert words.OPEN in system_of("responses", line.sent("responses", with_tools))
    without = {name: value for name, value in with_tools.items() if name != "tools"}
    assert words.OPEN not in system_of("responses", line.sent("responses", without))
    assert words.OPEN in system_of("responses", line.sent("responses", {**without, "store": False}))


# --- arms


def test_a_share_of_conversations_is_left_unshaped_and_stays_so(tmp_path):
    line = Line(tmp_path, on=True, output_holdout=0.5)
    seen = set()
    for arm, first in keys().items():
        for number, request in enumerate(begun("anthropic", first)):
            line.asked = {"on": True, "output_holdout": 0.5 if number == 0 else 0.0 if arm == "control" else 1.0}
            ready = line.ready("anthropic", request)
            assert ready.trial["shape"] == arm
            assert (words.OPEN in ready.request.body.decode()) is (arm == "treated")
            assert ready.trial["key"] == key_of(first)
            seen.add(ready.trial["stratum"])
    assert {name.split("|")[1] for name in seen} == {"ask", "resume"}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_held_out_goes_as_it_came_and_stays_so(tmp_path, shape):
    line = Line(tmp_path, holdout=1.0)
    for request in begun(shape):
        ready = line.ready(shape, request)
        assert ready.request.body == json.dumps(request).encode()
        assert ready.trial["compress"] == "control"
        assert ready.request.ours == frozenset()
        assert "holdout" in ready.why
        line.asked = {"holdout": 0.0}
    assert OURS not in ready.request.body.decode()
    # Others are compressed, and those that began before the trial are in none.
    line.asked = {"holdout": 0.000001}
    treated = [line.ready(shape, request) for request in begun(shape, "another one")]
    assert {ready.trial["compress"] for ready in treated} == {"treated"}
    assert len(treated[1].request.body) < len(LOG)
    early = list(begun(shape, "earlier"))
    line.asked = {}
    line.ready(shape, early[0])
    line.asked = {"holdout": 1.0}
    ready = line.ready(shape, early[1])
    assert "compress" not in ready.trial
    assert len(ready.request.body) < len(LOG)


def test_a_conversation_may_be_shaped_and_left_uncompressed(tmp_path):
    line = Line(tmp_path, on=True, holdout=1.0)
    requests = list(begun("anthropic"))
    readies = [line.ready("anthropic", request) for request in requests]
    for request, ready in zip(requests, readies, strict=True):
        value = ready.request.value
        assert value["messages"] == request["messages"]
        assert value.pop("system")[-1]["text"] == words.text(2)
        assert value == request
        assert (ready.trial["compress"], ready.trial["shape"]) == ("control", "chosen")


@pytest.mark.parametrize("what", ["compression", "output"])
def test_a_verdict_stops_new_conversations_with_one_notice(tmp_path, monkeypatch, what):
    from headroom_cli.trial import verdict

    line = Line(tmp_path, on=True, output_holdout=0.000001, holdout=0.000001)
    before = list(begun("anthropic", "before"))
    line.ready("anthropic", before[0])

    class Found:
        compression = "off" if what == "compression" else "on"
        output = "off" if what == "output" else "on"

    monkeypatch.setattr(verdict, "standing", lambda _store: Found)
    requests = list(begun("anthropic"))
    first, second = line.ready("anthropic", requests[0]), line.ready("anthropic", requests[1])
    assert sum("found to cost more" in warning for warning in first.result.warnings) == 1
    assert not any("found to cost more" in warning for warning in second.result.warnings)
    for ready in (first, second):
        assert ("compress" in ready.trial, "shape" in ready.trial) == (what == "output", what == "compression")
        assert (words.OPEN in ready.request.body.decode()) is (what == "compression")
    assert (len(second.request.body) > len(LOG)) is (what == "compression")
    assert ("found to cost more" in second.why) is (what == "compression")
    # Who makes the first request ready once more, to answer it in another process, makes the same of it.
    again = line.ready("anthropic", before[0], again=True)
    assert again.trial["shape"] == again.trial["compress"] == "treated"
    # What has begun goes on, also after the verdict is gone.
    going = line.ready("anthropic", before[1])
    assert going.trial["shape"] == going.trial["compress"] == "treated"
    monkeypatch.undo()
    third = line.ready("anthropic", requests[2])
    assert ("compress" in third.trial, "shape" in third.trial) == (what == "output", what == "compression")


def test_a_request_that_is_not_shaped_still_has_its_place_in_the_baseline(tmp_path):
    line = Line(tmp_path)
    told = [line.ready("openai", request).trial for request in begun("openai")]
    assert len({trial["key"] for trial in told}) == 1
    assert [trial["stratum"].split("|")[1] for trial in told] == ["ask", "resume", "resume", "ask"]
    assert all(set(trial) == {"key", "stratum", "level", "effort"} for trial in told)
    assert told[0]["stratum"].startswith("claude-sonnet|")


def test_effort_alone_counts_where_it_can_be_routed(tmp_path):
    line = Line(tmp_path, on=True, level=0)
    talk = Talk("responses").says("why?")
    request = {**talk.request, "model": ASTRA, "store": False, "reasoning": {"effort": "high"}}
    assert line.ready("responses", request).trial["shape"] == "chosen"
    assert "shape" not in line.ready("responses", {**request, "model": "gpt-5.6"}).trial
