"""What plugins are told of a request and may change in it: in the library, in `send`, by name on the command line."""

import itertools
import json
import os
import subprocess
import sys
import threading

import pytest
from conftest import ROOT, clean_environment
from hypothesis import given, settings
from hypothesis import strategies as st
from provider import Fault, Provider, Reply, call, text
from talks import LOG, MODEL, OURS, Talk, environment, handle_of

from headroom_cli import backends, compress, engine, events, send
from headroom_cli.errors import ConfigError
from headroom_cli.events import REDACTED, STAGES, PipelineEvent, Plugins
from headroom_cli.model import Policy
from headroom_cli.plugins import Telling
from headroom_cli.store import Store

SHAPES = ("anthropic", "openai", "responses")
CANARY = "sk-ant-canary-7f3a"


class Spy:
    """Keeps what it is told; looks at the messages when asked to."""

    def __init__(self, *, looks=False):
        self.events, self.looks, self.seen = [], looks, []

    def on_pipeline_event(self, event):
        self.events.append(event)
        if self.looks:
            self.seen.append((event.stage, event.messages, event.tools))

    @property
    def stages(self):
        return [event.stage for event in self.events]


class Does:
    """Does something to the events of one stage and returns what that returns."""

    def __init__(self, stage, act):
        self.stage, self.act = stage, act

    def on_pipeline_event(self, event):
        return self.act(event) if event.stage == self.stage else None


def shouting(event):
    """Change the user's words, as a plugin that takes names out of them would."""
    for turn in event.messages:
        if turn.get("role") == "user" and isinstance(turn["content"], str):
            turn["content"] = turn["content"].replace("Ada", "NAME")
    return event


def conversation(shape="anthropic", **more):
    talk = Talk(shape, **more).says("why, Ada?")
    if shape == "anthropic":
        called = {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "Bash", "input": {}}]}
    elif shape == "openai":
        calls = [{"id": "c1", "type": "function", "function": {"name": "Bash", "arguments": "{}"}}]
        called = {"role": "assistant", "content": None, "tool_calls": calls}
    else:
        called = {"type": "function_call", "call_id": "c1", "name": "Bash", "arguments": "{}"}
    talk.items.append(called)
    return talk.result("c1", LOG)


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


@pytest.fixture
def provider():
    with Provider() as made:
        yield made


# --- events


def test_the_eleven_stages():
    assert STAGES == (
        "setup", "pre_start", "post_start", "input_received", "input_cached", "input_routed", "input_compressed",
        "input_remembered", "pre_send", "post_send", "response_received",
    )  # fmt: skip
    with pytest.raises(ValueError, match="is no stage"):
        Plugins().emit("input")


def test_whoever_does_not_look_waits_for_nothing():
    asked = []

    def source():
        asked.append(1)
        return [{"role": "user", "content": "hi"}], None

    observer, looker = Spy(), Spy(looks=True)
    Plugins.load([observer, observer]).emit("input_received", source=source)
    assert asked == []
    Plugins.load([observer, looker, looker]).emit("input_received", source=source)
    assert len(asked) == 2  # each has its own
    assert looker.seen[0] == ("input_received", [{"role": "user", "content": "hi"}], None)


def test_what_is_done_to_an_event_counts_only_when_it_is_returned():
    def source():
        return [{"role": "user", "content": "hi"}], [{"name": "a"}]

    def spoils(event):
        event.messages[0]["content"] = "gone"
        event.tools.clear()
        event.headers["anthropic-beta"] = "gone"
        event.metadata["n"]["m"] = 2
        event.model = "gone"

    spy = Spy(looks=True)
    told = Plugins.load([Does("input_received", spoils), spy])
    event = told.emit(
        "input_received", source=source, headers={"anthropic-beta": "b"}, metadata={"n": {"m": 1}}, model="m"
    )
    assert event.changed == frozenset()
    assert spy.seen == [("input_received", *source())]
    seen = spy.events[0]
    assert (seen.headers, seen.metadata, seen.model) == ({"anthropic-beta": "b"}, {"n": {"m": 1}}, "m")
    assert told.faults == {}


def test_each_plugin_gets_what_those_before_it_made():
    def adds(word):
        def act(event):
            event.messages = [*event.messages, {"role": "user", "content": word}]
            return event

        return Does("pre_send", act)

    spy, event = Spy(looks=True), None
    event = Plugins.load([adds("a"), adds("b"), spy]).emit("pre_send", source=lambda: ([{"role": "user"}], None))
    assert [turn.get("content") for turn in event.messages] == [None, "a", "b"]
    assert spy.seen[0][1] == event.messages
    assert event.changed == {"messages"}


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage not in events.CHANGEABLE])
def test_other_stages_are_looked_on(stage):
    def act(event):
        event.messages, event.model = [{"role": "user", "content": "x"}], "x"
        event.headers["anthropic-beta"] = "x"
        return event

    made = Plugins.load([Does(stage, act)]).emit(stage, messages=[{"role": "user"}], model="m")
    assert (made.messages, made.model, made.headers, made.changed) == ([{"role": "user"}], "m", {}, frozenset())


def raises(error):
    def act(_event):
        raise error

    return act


def sets(**members):
    def act(event):
        for name, value in members.items():
            setattr(event, name, value)
        return event

    return act


async def later(event):
    return event


class OddError(Exception):
    pass


CYCLE = []
CYCLE.append(CYCLE)
WRONG = {
    "raises": (raises(ValueError(CANARY)), "ValueError"),
    "an error of its own": (raises(OddError(CANARY)), "OddError"),
    "exits": (raises(SystemExit(CANARY)), "SystemExit"),
    "a dict": (lambda _: {"messages": CANARY}, "it returned a dict and no event"),
    "true": (lambda _: True, "it returned a bool and no event"),
    "async": (later, "it returned a coroutine and no event"),
    "no list": (sets(messages=CANARY), "its messages are no list of turns"),
    "no turns": (sets(messages=[]), "its messages are no list of turns"),
    "texts for turns": (sets(messages=[CANARY]), "its messages are no list of turns"),
    "no tools": (sets(tools={CANARY: 1}), "its tools are no list of tools"),
    "not JSON": (sets(messages=[{"role": {CANARY}}]), "TypeError"),
    "no number": (sets(messages=[{"role": float("nan")}]), "ValueError"),
    "a cycle": (sets(messages=[{"role": CYCLE}]), "ValueError"),
    "a key": (sets(headers={"x-api-key": CANARY}), "it changed a header that is not a plugin's"),
    "a new key": (sets(headers={"x-api-key": REDACTED, "authorization": CANARY}), "it changed a header that is not"),
    "two headers": (sets(headers={"x-api-key": REDACTED, "x-title": f"a\r\nx: {CANARY}"}), "a header of its is no"),
    "headers of numbers": (sets(headers={"x-title": 1}), "its headers are no mapping of texts"),
}  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("what", WRONG)
def test_a_fault_costs_no_request_and_is_told_once(what):
    act, reason = WRONG[what]
    said, spy = [], Spy(looks=True)
    told = Plugins.load([Does("pre_send", act), spy], tell=said.append)
    messages = [{"role": "user", "content": "hi"}]
    for _ in range(3):
        event = told.emit("pre_send", messages=messages, tools=None, headers={"X-Api-Key": CANARY})
        assert event.changed == frozenset()
        assert (event.messages, event.tools) == (messages, None)
    assert told.faults == {"Does": 3}
    assert len(spy.events) == 3
    assert len(said) == 1
    assert said[0].startswith("the plugin Does failed at pre_send (")
    assert reason in said[0]
    assert CANARY not in said[0]
    assert all(CANARY not in str(event.headers) for event in spy.events)


def test_headers_show_and_take_only_what_opens_nothing():
    given = (("Authorization", f"Bearer {CANARY}"), ("anthropic-beta", "a"), ("Anthropic-Beta", "b"), ("X-Odd", CANARY))
    spy = Spy()

    def act(event):
        event.headers = {**event.headers, "anthropic-beta": "a,c", "x-title": "t"}
        return event

    telling = Telling(Plugins.load([spy, Does("pre_send", act), spy]), headers=given)
    body = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
    assert telling.leaves(body) == body
    assert spy.events[0].headers == {"authorization": REDACTED, "anthropic-beta": "a,b", "x-odd": REDACTED}
    assert spy.events[1].headers == {**spy.events[0].headers, "anthropic-beta": "a,c", "x-title": "t"}
    assert telling.headers == (given[0], given[3], ("anthropic-beta", "a,c"), ("x-title", "t"))


# --- in a request's own bytes

ODD = b'{ "messages":[ {"role":"user","content":"hi\\u0020Ada"} ,{"content":"a\\/b","role":"assistant", "n":1.10},\n'
ODD += (
    b'{"role":"user","content":"x"}], "tools" : [{"name":"a","input_schema":{ }},{"name":"b"}],"model":"m","n":1E400}'
)


def made_of(data, act, stage="input_received"):
    told = Plugins.load([Does(stage, act)])
    telling = Telling(told, model="m")
    if stage == "pre_send":
        return telling.leaves(data), told.faults
    return telling.received(data, json.loads(data)), told.faults


def edit(event, **members):
    for name, value in members.items():
        setattr(event, name, value)
    return event


TURN = {"role": "user", "content": "new"}
EDITS = {
    "one turn": (lambda e: edit(e, messages=[TURN, *e.messages[1:]]),
                 ODD.replace(b'{"role":"user","content":"hi\\u0020Ada"}', b'{"role":"user","content":"new"}')),
    "a turn more": (lambda e: edit(e, messages=[*e.messages, TURN]),
                    ODD.replace(b'"x"}]', b'"x"} ,{"role":"user","content":"new"}]')),
    "a turn less": (lambda e: edit(e, messages=e.messages[:1] + e.messages[2:]),
                    ODD.replace(b' ,{"content":"a\\/b","role":"assistant", "n":1.10}', b"")),
    "a tool less": (lambda e: edit(e, tools=e.tools[:1]), ODD.replace(b',{"name":"b"}', b"")),
    "all tools": (lambda e: edit(e, tools=[]),
                  ODD.replace(b'[{"name":"a","input_schema":{ }},{"name":"b"}]', b"[]")),
    "no tools": (lambda e: edit(e, tools=None),
                 ODD.replace(b', "tools" : [{"name":"a","input_schema":{ }},{"name":"b"}]', b"")),
    "the model": (lambda e: edit(e, model="other"), ODD.replace(b'"model":"m"', b'"model":"other"')),
    "nothing": (lambda e: e, ODD),
    "read and returned": (lambda e: e.messages and e.tools and e, ODD),
}  # fmt: skip


@pytest.mark.parametrize("what", EDITS)
def test_what_is_left_alone_keeps_the_clients_bytes(what):
    act, wanted = EDITS[what]
    assert made_of(ODD, act) == (wanted, {})


def test_number_and_truth_are_told_apart():
    data = b'{"messages": [{"role": "user", "n": 1}], "model": "m"}'

    def act(event):
        event.messages[0]["n"] = True
        return event

    assert made_of(data, act)[0] == data.replace(b'"n": 1', b'"n": true')


SMALL = st.lists(
    st.sampled_from([{"role": "user", "n": n} for n in (0, 1, 1.0, True, "1", None)]), min_size=1, max_size=7
)


@settings(max_examples=150, deadline=None)
@given(SMALL, SMALL, st.sampled_from([b"", b" ", b"\n\t"]))
def test_any_list_becomes_any_other(old, new, space):
    written = (b"," + space).join(json.dumps(turn).encode() for turn in old)
    data = b'{"a":1.0,"messages":[' + space + written + space + b'],"model":"m"}'
    made, faults = made_of(data, lambda e: edit(e, messages=new))
    assert faults == {}
    assert json.dumps(json.loads(made)) == json.dumps({"a": 1.0, "messages": new, "model": "m"})
    if json.dumps(old) == json.dumps(new):
        assert made == data
    value = {"messages": old}
    telling = Telling(Plugins.load([Does("input_received", lambda e: edit(e, messages=new))]))
    assert json.dumps(telling.received_value(value)["messages"]) == json.dumps(new)
    assert json.dumps(value["messages"]) == json.dumps(old)


def test_a_request_that_holds_a_key_twice_on_the_way_is_left_as_it_is():
    data = b'{"messages": [{"role": "user"}], "model": "m", "messages": [{"role": "user", "content": "Ada"}]}'
    assert made_of(data, shouting) == (data, {"Does": 1})


def test_turns_one_a_line():
    data = b'{"role": "user", "content": "Ada"}\n{"role":"assistant","content":"\\u0041da"}\n'
    telling = Telling(Plugins.load([Does("input_received", shouting)]))
    value = [json.loads(line) for line in data.splitlines()]
    assert telling.received(data, value) == data.replace(b'"Ada"', b'"NAME"')


def test_a_tool_of_ours_stays():
    data = json.dumps({"model": "m", "messages": [TURN], "tools": [{"name": "Bash"}, {"name": OURS}]}).encode()
    told = Plugins.load([Does("pre_send", lambda e: edit(e, tools=e.tools[:1]))])
    assert Telling(told).leaves(data, {OURS}) == data
    assert told.faults == {"Does": 1}
    told = Plugins.load([Does("pre_send", lambda e: edit(e, tools=e.tools[1:]))])
    assert json.loads(Telling(told).leaves(data, {OURS}))["tools"] == [{"name": OURS}]


# --- the library


@pytest.mark.parametrize("shape", SHAPES)
def test_the_library_tells_of_its_stages(store, shape):
    spy, talk = Spy(looks=True), conversation(shape)
    made = compress(talk.request, model=MODEL, level="balanced", store=store, plugins=[spy])
    assert spy.stages == list(STAGES[:8])
    inside = spy.events[3:]
    assert {event.operation for event in spy.events} == {"compress"}
    assert len({event.request_id for event in inside}) == 1
    assert len(inside[0].request_id) == 16
    assert inside[0].model == MODEL
    turns = {stage: messages for stage, messages, _ in spy.seen}
    assert turns["setup"] is None
    assert turns["input_received"] == talk.items
    key = "input" if shape == "responses" else "messages"
    assert turns["input_remembered"] == made.messages[key]
    assert LOG in json.dumps(turns["input_cached"]).encode().decode("unicode_escape")
    assert LOG not in json.dumps(turns["input_compressed"]).encode().decode("unicode_escape")
    assert spy.seen[4][2] == talk.tools
    last = inside[-1].metadata
    assert (last["tokens_before"], last["tokens_after"]) == (made.tokens_before, made.tokens_after)
    assert last["shortened"] == 1
    assert last["kinds"]["log"] == 1
    # Set up once, with the same plugins.
    compress(talk.request, store=store, plugins=[spy])
    assert spy.stages[8:] == list(STAGES[3:8])
    assert spy.events[8].request_id != inside[0].request_id


def test_the_library_takes_changes_and_leaves_the_callers_values_alone(store):
    request = conversation().request
    before = json.dumps(request)
    made = compress(request, level="balanced", store=store, plugins=[Does("input_received", shouting)])
    assert json.dumps(request) == before
    assert made.messages["messages"][0]["content"].startswith("why, NAME?")
    assert made.messages["messages"][1] is request["messages"][1]
    assert made.messages["tools"] is request["tools"]
    assert made.handles == [handle_of(LOG)]
    bare = compress(request["messages"], store=store, plugins=[Does("input_received", shouting)])
    assert bare.messages[0]["content"].startswith("why, NAME?")


def test_threads_set_plugins_up_once(store):
    spy, seen = Spy(), []
    waiting = threading.Barrier(8)

    def work():
        waiting.wait(10)
        seen.append(compress([{"role": "user", "content": "hi"}], store=store, plugins=[spy]))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(seen) == 8
    assert spy.stages[:3] == list(STAGES[:3])
    assert sorted(spy.stages[3:]) == sorted(STAGES[3:8] * 8)


def test_faults_of_plugins_in_the_library_are_warnings(store):
    broken = Does("input_received", raises(ValueError(CANARY)))
    made = compress(conversation().request, level="balanced", store=store, plugins=[broken, Spy()])
    assert made.warnings == ["the plugin Does failed; what it did does not count"]
    assert made.reason == ""
    assert made.tokens_saved > 0
    plain = compress(conversation().request, level="balanced", store=store)
    assert plain.messages == made.messages
    # Values that are no JSON cannot be shown; they are compressed all the same.
    odd = [*conversation().items, {"role": "user", "content": "x", "n": {1, 2}}]
    made = compress(odd, level="balanced", store=store, plugins=[Spy(looks=True)])
    assert made.warnings == ["the plugin Spy failed; what it did does not count"]
    assert made.tokens_saved > 0


def test_a_store_that_fails_is_not_told_as_remembered(tmp_path):
    (tmp_path / "store").write_text("no directory")
    spy = Spy()
    made = compress(conversation().request, level="balanced", store=str(tmp_path / "store"), plugins=[spy])
    assert made.warnings
    assert "input_remembered" not in spy.stages
    assert len(set(spy.stages)) == len(spy.stages)


def test_what_is_no_plugin_is_refused(store):
    for wrong in (object(), 7, Spy(), type("Broken", (), {"__init__": lambda self: 1 / 0})):
        if not isinstance(wrong, Spy):
            with pytest.raises(ConfigError, match=r"is no plugin|cannot be made"):
                compress([], store=store, plugins=[wrong])
    with pytest.raises(ConfigError, match="there is no plugin 'nobody'; installed are: "):
        compress([], store=store, plugins="nobody")
    assert [name for name, _ in Plugins.load([Spy])._named] == ["Spy"]  # a class is made


# --- send, in process: what goes out


def ready(store, data, act, stage, *, name="anthropic", options=None):
    options = send.Options() if options is None else options
    told = Plugins.load([Does(stage, act)], operation="send")
    options.plugins = told
    backend, _ = backends.load({"responses": "openai"}.get(name, name))
    made = send.ready(data, Policy(redeem="tool"), store, backend, options)
    assert told.faults == {}
    return made


@pytest.mark.parametrize("stage", ["input_received", "pre_send"])
@pytest.mark.parametrize("shape", SHAPES)
def test_what_goes_out_leads_back_to_what_came(store, shape, stage):
    def act(event):
        for turn in event.messages:
            if turn.get("role") == "user" and "Ada" in json.dumps(turn):
                turn["content"] = json.loads(json.dumps(turn["content"]).replace("Ada", "NAME"))
        return event

    data = json.dumps(conversation(shape).request).encode()
    made = ready(store, data, act, stage, name=shape, options=send.Options(redeem="shell"))
    assert b"NAME" in made.request.body
    assert b"Ada" not in made.request.body
    assert len(made.request.body) < len(data) / 10
    made.record(made.request.body)
    assert engine.expand(made.request.body, store)[0] == data


def test_requests_lists_and_texts(store):
    def model(event):
        return edit(event, model="claude-other")

    items = conversation().items
    assert ready(
        store, json.dumps({"model": "m", "messages": items}).encode(), model, "input_received"
    ).request.model == ("claude-other")
    asked = send.Options(model="m")
    made = ready(store, json.dumps(items).encode(), model, "input_received", options=asked)
    assert (made.request.model, made.request.value["model"], asked.model) == ("claude-other", "claude-other", "m")
    made = ready(store, LOG.encode(), model, "input_received", options=send.Options(model="m", prompt="why?"))
    assert made.request.value["model"] == "claude-other"
    added = {"role": "assistant", "content": "Hm."}
    made = ready(
        store,
        LOG.encode(),
        lambda e: edit(e, messages=[*e.messages, added]),
        "pre_send",
        options=send.Options(model="m"),
    )
    assert made.request.value["messages"][-1] == added
    assert made.request.ours


def test_the_same_requests_give_the_same_bytes_with_a_plugin_that_does(store):
    # Law 2 with a plugin: what it makes of a prefix does not depend on what follows.
    talk = Talk("anthropic").says("why, Ada?")
    bodies = []
    for step in range(3):
        bodies.append(ready(store, json.dumps(talk.request).encode(), shouting, "input_received").request.value)
        talk.items.append(
            {"role": "assistant", "content": [{"type": "tool_use", "id": f"c{step}", "name": "Bash", "input": {}}]}
        )
        talk.result(f"c{step}", LOG.replace("worker", f"worker {step}"))
    for before, after in itertools.pairwise(bodies):
        assert talk.turns(after)[: len(talk.turns(before))] == talk.turns(before)
    again = ready(store, json.dumps(talk.request).encode(), shouting, "input_received").request.body
    assert ready(store, json.dumps(talk.request).encode(), shouting, "input_received").request.body == again


# --- on the command line, by name

SPY = """
import json, os
from pathlib import Path
class Spy:
    def __init__(self):
        Path(os.environ["SPY"] + ".loaded").touch()
    def on_pipeline_event(self, event):
        row = {name: getattr(event, name) for name in (
            "stage", "operation", "request_id", "provider", "model", "headers", "response", "outcome", "metadata",
            "messages", "tools")}
        with open(os.environ["SPY"], "a") as out:
            out.write(json.dumps(row) + "\\n")
        print("what a plugin prints")
"""
ACTS = """
class Marks:
    def __init__(self, word="first"):
        self.word = word
    def on_pipeline_event(self, event):
        if event.stage == "input_received":
            event.messages[0]["content"] += " " + self.word
        elif event.stage == "pre_send":
            event.headers["anthropic-beta"] = event.headers.get("anthropic-beta", "") + self.word
        else:
            return None
        return event
second = Marks("second")
class Fails:
    def on_pipeline_event(self, event):
        raise ValueError("CANARY of a conversation")
nothing = 7
def __getattr__(name):
    raise RuntimeError("no such thing")
"""
MODULE = """
def on_pipeline_event(event):
    if event.stage == "pre_send":
        event.messages[0]["content"] += " whole"
        return event
"""
POINTS = (
    "spy = spying:Spy", "first = acting:Marks", "second = acting:second", "fails = acting:Fails",
    "nothing = acting:nothing", "missing = absent:Thing", "broken = acting:gone", "whole = module",
)  # fmt: skip


def install(target, package, points, **modules):
    """Lay out what pip would: the modules, and a folder that names the plugins in them."""
    target.mkdir(exist_ok=True)
    for name, source in modules.items():
        (target / f"{name}.py").write_text(source)
    info = target / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[headroom.plugins.v1]\n" + "".join(f"{point}\n" for point in points))


@pytest.fixture
def plugged(headroom, provider, tmp_path):
    install(tmp_path / "site", "some_plugins", POINTS, spying=SPY, acting=ACTS, module=MODULE)

    path = os.pathsep.join((str(ROOT), str(tmp_path / "site")))
    plain = {"PYTHONPATH": path, "SPY": str(tmp_path / "spied"), **environment(provider)}

    def run(*arguments, stdin=None, env=None):
        stdin = json.dumps(conversation().request).encode() if stdin is None else stdin
        return headroom(*arguments, stdin=stdin, env={**plain, **(env or {})})

    run.env = clean_environment(tmp_path, **plain)
    run.spied = lambda: [json.loads(line) for line in (tmp_path / "spied").read_text().splitlines()]
    return run


def test_send_tells_of_all_stages(plugged, provider):
    done = plugged("send", "--plugin", "spy", "-H", "anthropic-beta: b1", "-H", "X-Odd: o", "--text")
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b"ok\n"  # what a plugin prints is no part of it
    assert b"what a plugin prints" in done.stderr
    rows = plugged.spied()
    assert [row["stage"] for row in rows] == list(STAGES)
    assert {row["operation"] for row in rows} == {"send"}
    inside = rows[3:]
    assert len({row["request_id"] for row in inside}) == 1
    assert {(row["provider"], row["model"]) for row in inside} == {("anthropic", MODEL)}
    assert all(row["headers"] == {"anthropic-beta": "b1", "x-odd": REDACTED} for row in inside)
    assert inside[0]["messages"] == conversation().items
    assert rows[8]["messages"] == provider.requests[-1].json["messages"]
    assert rows[9]["metadata"]["hop"] == 1
    last = rows[10]
    assert last["outcome"] == "answered"
    assert last["response"]["status"] == 200
    assert last["response"]["hops"] == 1
    assert last["response"]["usage"]["output_tokens"] > 0
    assert last["metadata"]["tokens_before"] >= last["metadata"]["tokens_after"] > 0
    assert "sk-ant-test" not in json.dumps(rows)
    assert provider.requests[-1].header("anthropic-beta") == "b1"
    assert provider.requests[-1].header("x-odd") == "o"


def test_each_hop_is_told(plugged, provider):
    talk = Talk("anthropic").says("why?")
    provider.script(Reply([call("c1", "Bash", {"command": "make"})]))
    message = json.loads(plugged("send", "--message", stdin=json.dumps(talk.request).encode()).stdout)
    talk.heard(message).result("c1", LOG)
    provider.script(Reply([call("r1", OURS, {"handle": handle_of(LOG), "lines": "1:2"})]), Reply([text("done")]))
    done = plugged("send", "--plugin=spy", "--text", stdin=json.dumps(talk.request).encode())
    assert done.stdout == b"done\n"
    rows = plugged.spied()
    assert [row["metadata"]["hop"] for row in rows if row["stage"] == "post_send"] == [1, 2]
    assert [row["stage"] for row in rows].count("pre_send") == 1
    assert rows[-1]["response"]["hops"] == 2


def test_changes_go_out_in_the_order_named(plugged, provider, tmp_path):
    flags = ("--plugin", "first", "--plugin", "second", "--save", "sent.json")
    done = plugged("send", *flags, "-H", "anthropic-beta: b1,")
    assert done.returncode == 0, done.stderr.decode()
    sent = provider.requests[-1]
    assert sent.json["messages"][0]["content"] == "why, Ada? first second"
    assert sent.header("anthropic-beta") == "b1,firstsecond"
    assert sent.header("x-api-key") == "sk-ant-test"
    saved = (tmp_path / "sent.json").read_bytes()
    assert saved == sent.body
    expanded = plugged("retrieve", "--expand", stdin=saved)
    assert json.loads(expanded.stdout) == conversation().request
    plugged("send", "--plugin", "second,first", "--plugin", "whole")
    assert provider.requests[-1].json["messages"][0]["content"] == "why, Ada? second first whole"


def test_by_variable_and_by_file(plugged, provider, tmp_path):
    plugged("send", env={"HEADROOM_PLUGINS": "second, first"})
    assert provider.requests[-1].json["messages"][0]["content"] == "why, Ada? second first"
    config = tmp_path / ".config/headroom/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('plugin = ["first", "second"]\n')
    plugged("send")
    assert provider.requests[-1].json["messages"][0]["content"] == "why, Ada? first second"
    # Filters have no plugins, whatever is set.
    assert plugged("crush", env={"HEADROOM_PLUGINS": "nobody"}).returncode == 0


def test_nothing_is_imported_that_is_not_named(plugged, tmp_path):
    assert plugged("send").returncode == 0
    assert plugged("send", "--plugin", "first").returncode == 0
    assert not (tmp_path / "spied.loaded").exists()
    assert plugged("send", "--plugin", "spy").returncode == 0
    assert (tmp_path / "spied.loaded").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "nobody",
            "there is no plugin 'nobody'; installed are: broken, fails, first, missing, nothing, second, spy, whole",
        ),
        ("spy,\x1b[31m", "there is no plugin '\\x1b[31m'"),
        ("missing", "the plugin missing cannot be loaded (ModuleNotFoundError: No module named 'absent'); mend it"),
        ("broken", "the plugin broken cannot be loaded (RuntimeError: no such thing); mend it"),
        ("nothing", "nothing is no plugin: it has no on_pipeline_event; see docs/plugins.md"),
    ],
)
def test_names_that_cannot_be_used(plugged, provider, name, said):
    done = plugged("send", "--plugin", name)
    assert done.returncode == 78
    assert done.stdout == b""
    assert done.stderr.decode().startswith(f"headroom: {said}")
    assert done.stderr.count(b"\n") == 1
    assert provider.requests == []


def test_a_name_of_two_packages_is_refused(plugged, tmp_path):
    install(tmp_path / "site", "other_plugins", ["spy = acting:Marks"])
    done = plugged("send", "--plugin", "spy")
    assert done.returncode == 78
    assert b"several packages have a plugin 'spy' (other_plugins, some_plugins)" in done.stderr


def test_a_plugin_that_fails_costs_nothing(plugged, provider):
    plain = plugged("send", "--dry-run").stdout
    done = plugged("send", "--plugin", "fails", "--plugin", "spy", "--text")
    assert (done.returncode, done.stdout) == (0, b"ok\n")
    assert provider.requests[-1].body == plain
    assert done.stderr.count(b"the plugin fails failed at setup (ValueError)") == 1
    assert done.stderr.count(b"fails failed") == 1
    assert b"CANARY" not in done.stderr
    assert [row["stage"] for row in plugged.spied()] == list(STAGES)


ENDS = {
    "refused": (Reply(status=400, error=("invalid_request_error", "no")), 400, 76),
    "no key": (Reply(status=401, error=("authentication_error", "no")), 401, 77),
    "broken": (Reply([text("a b c")], fault=Fault("close", events=3)), 200, 69),
}


@pytest.mark.parametrize("what", ENDS)
def test_how_it_ended_is_told(plugged, provider, what):
    reply, status, exited = ENDS[what]
    provider.script(reply)
    talk = conversation(streaming=what == "broken")
    done = plugged("send", "--plugin", "spy", stdin=json.dumps(talk.request).encode())
    assert done.returncode == exited, done.stderr.decode()
    last = plugged.spied()[-1]
    outcome = "broken" if what == "broken" else "refused"
    assert (last["stage"], last["outcome"], last["response"]["status"]) == ("response_received", outcome, status)


def test_a_reader_that_goes_away_is_told(plugged, provider):
    provider.script(Reply([text("word " * 4000)], delay=0.001))
    command = [sys.executable, "-m", "headroom_cli", "send", "--plugin", "spy"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=plugged.env, **pipes) as process:
        process.stdin.write(json.dumps(conversation(streaming=True).request).encode())
        process.stdin.close()
        assert process.stdout.read(1)
        process.stdout.close()
        assert process.wait(30) == 141
    assert plugged.spied()[-1]["outcome"] == "stopped"


# --- in a worker process of the proxy


def test_a_worker_process_tells_of_the_requests_it_makes_ready(store, tmp_path, monkeypatch, capsys):
    from headroom_cli.serve import work, work_told
    from headroom_cli.serve.jobs import Ask
    from headroom_cli.serve.options import Serving

    install(tmp_path / "site", "some_plugins", POINTS, spying_here=SPY, acting=ACTS)
    install(tmp_path / "site", "more_plugins", ["spy-here = spying_here:Spy"])
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("SPY", str(tmp_path / "spied"))
    serving = Serving(store.root, plugins=("fails", "first", "spy-here"))
    state = work.State(serving)
    data = json.dumps(conversation().request).encode()
    ask = Ask("anthropic", data, headers=(("anthropic-beta", "b1"),))
    ready = state.ready(ask)
    assert ready.request.value["messages"][0]["content"] == "why, Ada? first"
    assert ready.request.headers == (("anthropic-beta", "b1first"),)
    known = work_told.facts(ready)
    assert json.loads(json.dumps(known)) == {**known, "headers": [["anthropic-beta", "b1first"]]}  # it can travel
    response = {"status": 200, "hops": 1, "usage": {"output_tokens": 3}}
    work.JOBS["told"](state, known, "post_send", {"metadata": {"hop": 1}})
    work.JOBS["told"](state, known, "response_received", {"response": response, "outcome": "answered"})
    rows = [json.loads(line) for line in (tmp_path / "spied").read_text().splitlines()]
    assert [row["stage"] for row in rows] == ["setup", *STAGES[3:]]
    assert {row["operation"] for row in rows} == {"proxy"}
    assert len({row["request_id"] for row in rows[1:]}) == 1
    assert rows[-1]["response"] == response
    assert rows[-1]["metadata"]["tokens_before"] > 0
    assert capsys.readouterr().err.count("the plugin fails failed at setup (ValueError)") == 1
    assert work_told.plugins(Serving(store.root)) is None


# --- the example


def test_the_example_plugin_as_pip_installs_it(headroom, provider, tmp_path):
    pytest.importorskip("hatchling", reason="the example's build backend is not installed")
    made = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps",
         "--no-build-isolation", "--target", str(tmp_path / "site"), str(ROOT / "examples/plugin")],
        capture_output=True, env=clean_environment(tmp_path, PYTHONPATH=""), timeout=60, cwd=tmp_path,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr.decode()
    log = tmp_path / "requests.jsonl"
    path = os.pathsep.join((str(ROOT), str(tmp_path / "site")))
    env = {**environment(provider), "PYTHONPATH": path, "REQUEST_LOG": str(log)}
    for shape in ("anthropic", "openai"):
        data = json.dumps(conversation(shape).request).encode()
        done = headroom("send", "--plugin", "request-log", "--redeem", "shell", "--text", stdin=data, env=env)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"ok\n", b"")
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(row["provider"], row["model"], row["outcome"]) for row in rows] == [
        ("anthropic", MODEL, "answered"), ("openai", MODEL, "answered"),
    ]  # fmt: skip
    assert all(row["before"] > 5 * row["after"] > 0 and row["usage"] for row in rows)
    assert LOG[:60] not in log.read_text()
    source = (ROOT / "examples/plugin/headroom_request_log.py").read_text()
    assert len(source.splitlines()) <= 30
    assert source in (ROOT / "docs/plugins.md").read_text()  # the manual shows it as it is


def test_an_event_can_be_made_by_hand():
    event = PipelineEvent("pre_send", messages=[TURN], model="m")
    assert (event.messages, event.tools, event.headers, event.metadata) == ([TURN], None, {}, {})
    event.tools = [{"name": "a"}]
    other = event.copy()
    other.messages.append(TURN)
    assert (event.messages, other.tools, len(other.messages)) == ([TURN], [{"name": "a"}], 2)
