"""align over a conversation's requests where more happens than a turn: what the client left as it was stays."""

import copy
import itertools
import json
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_align_turns import Notes, aligned

from headroom_cli import harness

NEW = {"name": "New", "description": "Something new.", "input_schema": {"type": "object"}}


def tool(name, text=""):
    return {"name": name, "description": f"The tool {name}. {text}", "input_schema": {"type": "object"}}


def parts(request):
    """Return a request's parts in the order of the wire: (its place, its JSON, whether it is a note of ours)."""
    found = [(("tools",), json.dumps(one), False) for one in request.get("tools") or []]
    system = request.get("system") or []
    texts = [system] if isinstance(system, str) else [part["text"] for part in system]
    found += [(("system",), text, False) for text in texts]
    for turn in request["messages"]:
        content = turn.get("content")
        for part in content if isinstance(content, list) else [{"type": "text", "text": content}]:
            kept = {key: value for key, value in part.items() if key != "cache_control"}
            note = harness.is_ours(kept.get("text"))
            found.append(((turn["role"],), json.dumps(kept, sort_keys=True), note))
    return found


def kept(before, after):
    """Return how many parts of a client's request stand in the next one; tools count when none went or moved."""
    old, new = parts(before), parts(after)
    tools, later = before.get("tools") or [], after.get("tools") or []
    if later[: len(tools)] != tools:
        return 0
    if len(later) != len(tools):
        return len(tools)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


def reached(request, number):
    """Return the parts of what was sent through the client's ``number``-th."""
    seen, found = 0, []
    for part in parts(request):
        if seen == number and not part[2]:
            break
        found.append(part)
        seen += not part[2]
    return found


def assert_stays(before, after, was, now):
    """Assert that what a client left as it was went upstream as before."""
    number = kept(before, after)
    mine, next_ = reached(was, number), reached(now, number)
    if number < len(parts(before)):  # a note behind the last part that stayed may be new
        while mine and mine[-1][2]:
            mine.pop()
    assert next_[: len(mine)] == mine


def check(requests, notes=None, **how):
    notes = notes or Notes()
    sent = [aligned(request, notes, **how) for request in requests]
    for i in range(1, len(requests)):
        assert_stays(requests[i - 1], requests[i], sent[i - 1], sent[i])
    return sent


class Talk:
    """A client's side of a conversation."""

    def __init__(self, which, form, *, own_ids, signed, session):
        self.which, self.form, self.own_ids, self.signed = which, form, own_ids, signed
        self.day, self.minute, self.edits, self.turns, self.count = 10 + which, which, 0, [], 0
        self.session = str(uuid.UUID(int=which + 77)) if session else ""
        self.tools = [] if form == "no tools" else [tool("A", f"Today is 2026-11-{self.day}."), tool("B"), tool("C")]

    def system(self):
        if self.form == "no system":
            return {}
        told = f"You are a helper.{' Be careful.' * self.edits}\nToday's date: 2026-11-{self.day}\n"
        told += f"Session ID: {self.session}\n" if self.session else ""
        clock = f"The current time is 2026-11-{self.day} 14:{self.minute:02}:22.\nHelp the user."
        if self.form == "parts":
            return {"system": [{"type": "text", "text": clock}, {"type": "text", "text": told}]}
        return {"system": told + clock}

    def request(self):
        first = {"role": "user", "content": "Solve the task"}
        tools = {"tools": copy.deepcopy(self.tools)} if self.tools else {}
        return {"model": "claude-sonnet-4-5", **tools, **self.system(), "messages": [first, *self.turns]}

    def grow(self):
        self.count += 1
        name = f"toolu_{self.which:04}_{self.count:08}" if self.own_ids else f"t{self.count}"
        thought = {"type": "thinking", "thinking": "hm", "signature": f"s{self.which}.{self.count}"}
        call = {"type": "tool_use", "id": name, "name": "A", "input": {}}
        self.turns += [
            {"role": "assistant", "content": [thought, call] if self.signed else [call]},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": name, "content": f"ok {self.which}.{self.count}"}],
            },
        ]

    def happen(self, event):
        if event == "day":
            self.day += 1
        elif event == "minute":
            self.minute = (self.minute + 7) % 60
        elif event == "edit" and self.form != "no system":
            self.edits += 1
        elif event == "back":
            self.edits = 0
        elif self.tools and event == "in front":
            self.tools = [NEW, *(one for one in self.tools if one["name"] != "New")]
        elif self.tools and event == "behind":
            self.tools = [*(one for one in self.tools if one["name"] != "B"), tool("B")]
        elif event == "less" and len(self.tools) > 1:
            self.tools = self.tools[1:]
        elif event == "turned":
            self.tools = self.tools[::-1]


EVENTS = ["day", "minute", "edit", "back", "in front", "behind", "less", "turned", "retry"]
STEPS = st.lists(st.tuples(st.integers(0, 1), st.lists(st.sampled_from(EVENTS), max_size=3)), min_size=2, max_size=14)


@given(
    steps=STEPS,
    form=st.sampled_from(["text", "parts", "no system", "no tools"]),
    kind=st.fixed_dictionaries({"own_ids": st.booleans(), "signed": st.booleans(), "session": st.booleans()}),
    live=st.booleans(),
)
@settings(max_examples=300, deadline=None, derandomize=True)  # among equal talks a guess may be wrong
def test_whatever_happens_what_the_client_left_stays(steps, form, kind, live):
    notes = Notes()
    talks = [Talk(i, form, **kind) for i in range(2)]
    before = [None, None]
    for which, events in steps:
        talk = talks[which]
        if before[which] is not None:  # while a first request is tried again nothing tells whose it is
            talk.grow()
            # Where no id and no session tells two talks of the same words apart, the first answer is all there is.
            told_apart = kind["own_ids"] or kind["session"] or talk.count > 1
            for event in events if told_apart else ():
                talk.happen(event)
        request = talk.request()
        for _ in range(1 + ("retry" in events)):
            sent = aligned(request, notes, live=live)
            if before[which] is not None:
                assert_stays(before[which][0], request, before[which][1], sent)
            before[which] = (request, sent)
        if kind["session"] and form != "no system":
            told = json.dumps(sent)
            assert talk.session in told
            assert talks[1 - which].session not in told


def steps_of(count, tools, **more):
    """Return requests with 0, 1, ... answers, and with these tools."""
    made = []
    for i in range(count):
        talk = Talk(0, "text", own_ids=True, signed=False, session=False)
        for _ in range(i):
            talk.grow()
        request = {**talk.request(), **more, "tools": tools[i]}
        if more.get("system", "-") is None:
            del request["system"]
        made.append(request)
    return made


def test_without_a_system_prompt_tools_keep_their_order_too():
    some = [tool("A"), tool("B"), tool("C")]
    orders = [some, [some[1], some[0], some[2]], some[::-1], [NEW, *some], [*some, NEW]]
    sent = check(steps_of(5, orders, system=None))
    names = [[one["name"] for one in request["tools"]] for request in sent]
    assert names == [["A", "B", "C"]] * 3 + [["A", "B", "C", "New"]] * 2


@pytest.mark.parametrize("told", ["Session ID: {}", "Working directory: /tmp/job/{}", "The trace id is {}."])
def test_many_conversations_at_a_time_keep_their_own_values(told):
    def request(which, count):
        talk = Talk(0, "text", own_ids=False, signed=False, session=False)
        for _ in range(count):
            talk.grow()
        return {**talk.request(), "system": f"You are a helper.\n{told.format(which)}\nHelp the user with care."}

    notes = Notes()
    every = [str(uuid.UUID(int=77 << 96 | i << 64 | 5)) for i in range(60)]
    first = {which: aligned(request(which, 0), notes) for which in every}
    for count in (1, 2):
        for which in every:
            sent = aligned(request(which, count), notes)
            assert_stays(request(which, 0), request(which, count), first[which], sent)
            assert sum(other in json.dumps(sent) for other in every) == 1


def test_samples_of_one_request_share_its_bytes_though_the_clock_goes_on():
    notes = Notes()
    talks = [Talk(0, "text", own_ids=True, signed=False, session=False) for _ in range(4)]
    first = [aligned(talk.request(), notes) for talk in talks]
    for i, talk in enumerate(talks):
        before = talk.request()
        talk.which, talk.minute = i, i
        talk.grow()
        assert_stays(before, talk.request(), first[i], aligned(talk.request(), notes, live=True))
        assert parts(aligned(talk.request(), notes))[: len(parts(first[i]))] == parts(first[i])


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_an_edited_system_prompt_leaves_the_tools_in_front_of_it(signed, live):
    talk, requests = Talk(0, "text", own_ids=True, signed=signed, session=True), []
    for event in ("retry", "turned", "edit", "retry", "day"):
        talk.happen(event)
        requests.append(talk.request())
        talk.grow()
    sent = check(requests, live=live)
    assert len({json.dumps(request["tools"]) for request in sent}) == 1
    assert "{current date}" in json.dumps(sent[0]["tools"])
    assert "Be careful.\nToday's date: {today's date}\n" in sent[2]["system"]
    assert sent[2]["system"] == sent[4]["system"]
    said = [part[1] for part in parts(sent[4]) if part[2]]
    assert len(said) == 2  # the values at birth, and the new day: what an edit left is not said again
    assert "2026-11-11" in said[1]
    assert talk.session not in said[1]


def test_an_edit_that_brings_a_value_has_it_said_behind_the_newest_turn():
    talk, requests = Talk(0, "text", own_ids=True, signed=False, session=False), []
    for i in range(3):
        requests.append(talk.request())
        if i:
            requests[i]["system"] = requests[i]["system"].replace("Help", f"Session ID: {uuid.UUID(int=5)}\nHelp")
        talk.grow()
    sent = check(requests)
    assert "Session ID: {session id}\nHelp" in sent[1]["system"]
    assert (
        sent[1]["messages"][-1]["content"][-1]["text"] == f"{harness.NEW_VALUES}\n{{session id}} = {uuid.UUID(int=5)}"
    )
    assert sent[2]["messages"][: len(sent[1]["messages"]) - 1] == sent[1]["messages"][:-1]


def test_a_side_request_with_the_same_words_is_another_conversation():
    notes = Notes()
    talk = Talk(0, "text", own_ids=False, signed=False, session=False)
    side = {**talk.request(), "system": "Give this chat a short title.\nToday's date: 2026-11-28", "tools": []}
    aligned(side, notes)
    talk.grow()
    request = talk.request()
    assert aligned(request, notes, live=True) == request
    assert "2026-11-28" not in json.dumps(aligned(request, notes))


def test_thinking_that_the_client_leaves_out_later_does_not_hide_the_conversation():
    talk = Talk(0, "text", own_ids=True, signed=True, session=False)
    notes, before = Notes(), aligned(talk.request(), Notes())
    assert aligned(talk.request(), notes) == before
    talk.grow()
    aligned(talk.request(), notes)
    talk.day += 1
    talk.grow()
    request = talk.request()
    request["messages"][1]["content"].pop(0)
    assert parts(aligned(request, notes))[: len(parts(before))] == parts(before)


@pytest.mark.parametrize("member", [{}, {"store": True}])
def test_a_request_whose_history_the_provider_may_hold_keeps_its_values(member):
    request = {"model": "gpt-5.6", "instructions": "Be kind.\nToday's date: 2026-11-21\n", "input": "hi", **member}
    notes, turns = Notes(), [{"role": "user", "content": "hi"}]
    later = [{"type": "function_call", "call_id": "c1", "name": "a", "arguments": "{}"},
             {"type": "function_call_output", "call_id": "c1", "output": "1"}]  # fmt: skip
    assert aligned({**request, "input": turns}, notes) == {**request, "input": turns}
    assert aligned({**request, "input": [*turns, *later]}, notes) == {**request, "input": [*turns, *later]}
    sent = aligned({**request, "input": turns, "store": False}, Notes())
    assert "{today's date}" in sent["instructions"]


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_tools_keep_the_order_that_they_had_when_a_conversation_came_late(signed, live):
    talk, requests = Talk(0, "text", own_ids=True, signed=signed, session=False), []
    talk.grow()
    for event in ("turned", "turned", "in front", "turned"):
        requests.append(talk.request())
        talk.grow()
        talk.happen(event)
    sent = check(requests, live=live)
    names = [[one["name"] for one in request["tools"]] for request in sent]
    assert names == [["A", "B", "C"]] * 3 + [["A", "B", "C", "New"]]
    assert (sent[0] == requests[0]) == (signed or live)


def test_a_text_that_was_answered_alike_on_another_day_is_another_conversation():
    def request(day, *turns):
        said = [{"role": ("user", "assistant")[i % 2], "content": turn} for i, turn in enumerate(("hi", *turns))]
        return {
            "model": "gpt-5.6",
            "messages": [{"role": "system", "content": f"Be kind.\nToday's date: {day}"}, *said],
        }

    notes, days = Notes(), ("2026-11-21", "2026-11-22")
    turns = [["hello!", f"tell me of {day}", "so it is", "more"] for day in days]
    first = []
    for day, some in zip(days, turns, strict=True):
        first.append(aligned(request(day), notes))
        aligned(request(day, *some[:2]), notes)
    sent = aligned(request(days[1], *turns[0]), notes)  # the first one goes on over night
    assert parts(sent)[: len(parts(first[0]))] == parts(first[0])
    assert "{today's date} = 2026-11-22" in json.dumps(sent["messages"][-1])
