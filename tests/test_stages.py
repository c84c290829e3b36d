"""The stages of a run: align | route | fit is crush, everything comes back, and a failure changes nothing."""

import json
import re

import pytest

from headroom_cli import engine, fit, library, replay
from headroom_cli.errors import StoreFullError
from headroom_cli.model import Policy
from headroom_cli.store import Store, upkeep

LOG = "\n".join(f"2026-01-01T00:{i // 60:02d}:{i % 60:02d}Z INFO worker {i % 7} is ready" for i in range(300)) + "\n"
CODE = "\n".join(f"def name_{i}(value):\n    return value * {i}  # number {i}\n" for i in range(120))
SYSTEM = (
    "You are an engineer who works in this repository.\nToday's date: 2026-11-21\n"
    "Session ID: 3f2b8c1e-5d7a-4f0e-9c1b-8a6d5e4f3c2b\nBe brief and careful.\n"
)
OUTPUTS = [LOG, CODE, "ok\n", LOG.replace("worker", "runner"), CODE.replace("def name_7(", "def name_seven("), "done\n"]


def anthropic():
    turns = [{"role": "user", "content": "why does the build fail?"}]
    for i, text in enumerate(OUTPUTS):
        use = {"type": "tool_use", "id": f"t{i}", "name": "Bash", "input": {"command": f"make {i}"}}
        turns += [
            {"role": "assistant", "content": [{"type": "text", "text": f"Step {i}."}, use]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"t{i}", "content": text}]},
        ]
    tools = [{"name": "Bash", "description": "Runs a command.", "input_schema": {"type": "object"}}]
    return {"model": "claude-sonnet-4-5", "max_tokens": 9, "system": SYSTEM, "tools": tools, "messages": turns}


def chat():
    turns = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "why does the build fail?"}]
    for i, text in enumerate(OUTPUTS):
        call = {"id": f"t{i}", "type": "function"}
        call["function"] = {"name": "bash", "arguments": json.dumps({"command": f"make {i}"})}
        turns += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"t{i}", "content": text},
        ]
    return {"model": "gpt-5", "messages": turns}


def responses():
    items = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "why does the build fail?"}]}
    ]
    for i, text in enumerate(OUTPUTS):
        arguments = json.dumps({"command": ["bash", "-lc", f"make {i}"]})
        items += [
            {"type": "function_call", "call_id": f"t{i}", "name": "shell", "arguments": arguments},
            {"type": "function_call_output", "call_id": f"t{i}", "output": text},
        ]
    return {"model": "gpt-5", "instructions": SYSTEM, "store": False, "input": items}


TURNS_MARKER = re.compile(r"<<headroom:\w+ (?=\d+ turns)")

INPUTS = {
    "anthropic": json.dumps(anthropic()),
    "indented": json.dumps(anthropic(), indent=2, ensure_ascii=False) + "\n",
    "chat": json.dumps(chat(), separators=(",", ":")),
    "bare": json.dumps(chat()["messages"]),
    "json lines of turns": "\n".join(json.dumps(turn) for turn in chat()["messages"]) + "\n",
    "json lines of requests": json.dumps(anthropic()) + "\n" + json.dumps(chat()) + "\r\n",
    "responses": json.dumps(responses()),
}


@pytest.fixture(autouse=True)
def _no_memory():
    replay.forget_all()


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


@pytest.mark.parametrize("budget", [None, 2000, 2500], ids=["", "a budget too small", "a budget"])
@pytest.mark.parametrize("name", INPUTS)
def test_the_pipe_is_the_single_command(tmp_path, name, budget):
    data = INPUTS[name].encode()
    policy = Policy(budget=budget)
    whole = Store(str(tmp_path / "whole"))
    single = engine.crush(data, policy, whole).data
    store = Store(str(tmp_path / "pipe"))
    piped = data
    for stage in engine.STAGES:
        replay.forget_all()
        piped = engine.crush(piped, policy, store, stages=(stage,)).data
    assert piped.decode() == single.decode()
    assert len(single) < len(data)
    assert b"2026-11-21\\nSession" not in single
    assert engine.expand(single, whole) == (data, [])
    assert engine.expand(piped, store) == (data, [])


@pytest.mark.parametrize("name", INPUTS)
def test_each_stage_alone_can_be_undone(store, name):
    data = INPUTS[name].encode()
    for stage in engine.STAGES:
        result = engine.crush(data, Policy(budget=2500), store, stages=(stage,))
        assert result.data != data
        assert engine.expand(result.data, store) == (data, []), stage


@pytest.mark.parametrize("order", ["route align fit", "fit align route", "align fit route", "route route align"])
def test_stages_in_any_order_can_be_undone(store, order):
    data = piped = INPUTS["chat"].encode()
    for stage in order.split():
        piped = engine.crush(piped, Policy(budget=2500), store, stages=(stage,)).data
    assert piped != data
    assert engine.expand(piped, store) == (data, [])


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("name", INPUTS)
def test_crushing_an_output_again_leaves_its_way_back(store, name, lossless):
    data = INPUTS[name].encode()
    once = engine.crush(data, Policy(lossless=lossless), store).data
    for _ in range(3):
        replay.forget_all()
        assert engine.crush(once, Policy(lossless=lossless), store).data == once
        assert engine.expand(once, store) == (data, [])


@pytest.mark.parametrize("name", INPUTS)
def test_what_was_crushed_does_not_change_again(store, name):
    once = engine.crush(INPUTS[name].encode(), Policy(budget=2500), store).data
    replay.forget_all()
    assert engine.crush(once, Policy(budget=2500), store).data == once


def test_what_align_adds_is_told(store):
    value = {"model": "m", "max_tokens": 1, "system": SYSTEM, "messages": [{"role": "user", "content": "hello"}]}
    data = json.dumps(value).encode()
    plain = engine.crush(data, Policy(), store, stages=("route",))
    result = engine.crush(data, Policy(), store)
    assert result.before == pytest.approx(plain.before, abs=2)
    assert result.after > result.before + 10
    assert len(result.moved) == 2


def test_values_and_bytes_take_the_same_way(tmp_path):
    for name in ("anthropic", "chat", "responses"):
        value = json.loads(INPUTS[name])
        for budget in (None, 2500):
            store = Store(str(tmp_path / f"{name} {budget}"))
            made = json.dumps(library.compress(value, store=store, budget=budget).messages)
            other = Store(str(tmp_path / f"{name} {budget} bytes"))
            sent = json.dumps(json.loads(engine.crush(INPUTS[name].encode(), Policy(budget=budget), other).data))
            # Turns that are left out are stored as they were written, which values are not.
            assert TURNS_MARKER.sub("", made) == TURNS_MARKER.sub("", sent)
        assert value == json.loads(INPUTS[name])


def test_a_budget_that_cannot_be_met_changes_nothing_and_says_so(store):
    data = INPUTS["anthropic"].encode()
    result = engine.crush(data, Policy(budget=5), store, stages=("fit",))
    assert result.data == data
    assert "must stay" in result.unfit


def test_the_library_says_when_a_budget_cannot_be_met(store):
    result = library.compress(anthropic(), store=store, budget=5)
    assert "must stay" in result.warnings[-1]
    assert "must stay" not in str(library.compress(anthropic(), store=store).warnings)


def test_a_window_is_looked_at_when_a_conversation_comes_near_it(tmp_path, monkeypatch):
    asked = []
    plan = fit.plan
    monkeypatch.setattr(fit, "plan", lambda *given, **named: asked.append(1) or plan(*given, **named))
    for window, looked in ((1_000_000, False), (2_500, True)):
        monkeypatch.setattr(fit, "window", lambda _, window=window: window)
        for name in ("anthropic", "chat", "responses"):
            asked.clear()
            values = library.compress(json.loads(INPUTS[name]), model="m", store=str(tmp_path / f"{name}{window}"))
            assert bool(asked) is looked
            whole = json.loads(INPUTS[name])
            turns = "input" if name == "responses" else "messages"
            assert (len(values.messages[turns]) < len(whole[turns])) is looked
            asked.clear()
            store = Store(str(tmp_path / f"{name}{window} bytes"))
            result = engine.crush(INPUTS[name].encode(), Policy(), store, model="m")
            assert bool(asked) is looked
            assert engine.expand(result.data, store) == (INPUTS[name].encode(), [])


@pytest.mark.parametrize("fails", ["put", "remember", "recall_dated"])
def test_a_store_that_fails_at_any_step_leaves_the_document_as_it_came(tmp_path, monkeypatch, fails):
    data = INPUTS["anthropic"].encode()
    value = anthropic()

    def failing(*_, **__):
        raise StoreFullError("no space left")

    for budget in (None, 2500):
        with monkeypatch.context() as patched:
            patched.setattr(Store, fails, failing)
            store = Store(str(tmp_path / f"{fails} {budget}"))
            result = engine.crush(data, Policy(budget=budget), store)
            assert result.data == data
            assert result.failure is not None
            assert library.compress(value, store=store, budget=budget).messages == anthropic()
        assert engine.crush(data, Policy(budget=budget), store).data != data


def test_without_a_store_nothing_moves():
    data = INPUTS["anthropic"].encode()
    assert engine.crush(data, Policy(budget=2500), None).data == data


def test_a_raw_text_keeps_its_dates_in_crush_and_gives_them_up_to_align(store):
    prompt = (SYSTEM + "Say what you did.\n").encode()
    assert b"2026-11-21" in engine.crush(prompt, Policy(), store).data.partition(b"Be brief")[0]
    aligned = engine.crush(prompt, Policy(), store, stages=("align",)).data
    assert b"2026-11-21" not in aligned.partition(b"Be brief")[0]
    assert b"2026-11-21" in aligned
    assert engine.expand(aligned, store) == (prompt, [])


def test_what_a_reference_points_at_is_not_left_out_from_under_it(store):
    turns = [{"role": "user", "content": "read the module again and again"}]
    for i in range(12):
        command = "cat module.py" if i in {0, 9} else f"make part{i}"
        call = {"id": f"c{i}", "type": "function", "function": {"name": "bash"}}
        call["function"]["arguments"] = json.dumps({"command": command})
        text = CODE if i in {0, 9} else LOG.replace("worker", f"part{i}")
        turns += [
            {"role": "assistant", "content": f"Step {i}.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"c{i}", "content": text},
        ]
    whole = engine.crush(json.dumps(turns).encode(), Policy(), store)
    for share in (0.9, 0.7, 0.5):
        result = engine.crush(json.dumps(turns).encode(), Policy(budget=int(whole.after * share)), store)
        if result.unfit:
            continue
        texts = [turn["content"] for turn in json.loads(result.data)]
        refers = [text for text in texts if isinstance(text, str) and "as above" in text]
        if refers:
            assert any(isinstance(text, str) and "def name_60(" in text for text in texts)
        assert engine.expand(result.data, store)[0] == json.dumps(turns).encode()


def test_forgetting_turns_that_were_left_out_forgets_the_edits_that_hold_them(store):
    turns = chat()["messages"]
    turns[5]["content"] = "the word is mellon\n" + turns[5]["content"]
    result = engine.crush(json.dumps(turns).encode(), Policy(budget=2500), store)
    handle = re.findall(r"<<headroom:(\w+) \d+ turns", result.data.decode())[0]
    assert b"mellon" in store.fetch(handle)
    handles = {row.handle for row in result.blocks if row.degree == "lossy" and row.handle}
    assert handle in handles
    for name in handles:
        upkeep.forget(store, name)
    left = list(store.grants())
    for grant in left:
        assert b"mellon" not in store.get(grant.digest), grant.kind
