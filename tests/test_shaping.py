"""What asks a model to write less: the block, its place in each API, and what kind of turn a request is."""

import copy
import itertools
import json

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from shaped import ASTRA, Line, system_of
from talks import LOG, Talk

from headroom_cli import engine, formats, tokens
from headroom_cli.shaping import efforts, place, turns, words
from headroom_cli.shaping.talk import suits
from headroom_cli.wire.responses._items import made_by_model

SHAPES = ("anthropic", "openai", "responses")
TOOLS = {shape: Talk(shape).tools for shape in SHAPES}
USER = {"role": "user", "content": "why does the build fail?"}
# Instructions as clients write them, by shape: members of a request.
HEADS = {
    "anthropic": [
        {},
        {"system": "You are  an agent.\u2028\n"},
        {"system": ""},
        {"system": []},
        {
            "system": [
                {"type": "text", "text": "one"},
                {"type": "text", "text": "t", "cache_control": {"type": "ephemeral"}},
            ]
        },
    ],
    "openai": [
        [],
        [{"role": "system", "content": "You are an agent."}],
        [{"role": "system", "content": "one"}, {"role": "developer", "content": [{"type": "text", "text": "two"}]}],
        [{"role": "developer", "content": ""}],
    ],
    "responses": [{}, {"instructions": "You are Codex."}, {"instructions": None}, {"instructions": ""}],
}
CASES = [(shape, number) for shape in SHAPES for number in range(len(HEADS[shape]))]


def request_of(shape, number, **more):
    head = HEADS[shape][number]
    value = {"model": "claude-sonnet-4-5" if shape == "anthropic" else "gpt-5.6", "tools": TOOLS[shape]}
    if shape == "anthropic":
        value |= {"max_tokens": 4096, **head, "messages": [USER]}
    elif shape == "openai":
        value |= {"messages": [*head, USER]}
    else:
        value |= {**head, "store": False, "input": [{"type": "message", **USER}]}
    return {**value, **more}


def written_oddly(value):
    """The same request in bytes that no encoder of ours writes: other escapes, other spacing, a number kept as text."""
    text = json.dumps(value, ensure_ascii=True, indent=1).replace("agent", "a\\u0067ent").replace("4096", "4.096e3")
    return text.replace('"two"', '"\\u0074wo"').encode()


def test_a_level_is_one_constant_block_that_holds_the_ones_below():
    assert words.text(0) == ""
    blocks = [words.text(level) for level in range(1, 5)]
    for lower, higher in itertools.pairwise(blocks):
        assert set(lower.split("\n")) < set(higher.split("\n"))
    for block in blocks:
        assert block.isascii()
        assert block.startswith(words.OPEN)
        assert block.endswith(words.CLOSE)
        assert words.found_in(f"before\n{block}\nbehind") == block
        assert len(block) < 1_200
    assert "path:line" in words.text(3)
    assert "exactly" not in words.text(4)
    # What is not known to be so, and what tempts to do less than the task, stands in none.
    assert not any(
        word in words.text(4) for word in ("reader has", "reader's screen", "small edit", "smallest", "brief")
    )
    assert "instructions above ask for" in words.text(1)
    with pytest.raises(ValueError, match="no level"):
        words.text(5)


def test_what_the_page_says_of_its_tokens_is_so():
    page = (ROOT / "docs" / "shaping.md").read_text()
    first, last = (tokens.count(words.text(level)) for level in (1, 4))
    assert f"The block has {first} tokens at\nlevel 1 and {last} at level 4" in page


@pytest.mark.parametrize(("shape", "number"), CASES)
def test_the_block_ends_the_instructions_and_what_the_client_wrote_keeps_its_bytes(tmp_path, shape, number):
    data = written_oddly(request_of(shape, number))
    line = Line(tmp_path, on=True)
    ready = line.ready(shape, data)
    sent = ready.request.value
    assert system_of(shape, sent).endswith(words.text(2))
    assert system_of(shape, sent).count(words.OPEN) == 1
    plain = Line(tmp_path / "plain").ready(shape, data).request.body.decode()
    # The bytes of the plain request are those of the shaped one with one piece, or the two ends of a list, left out.
    body = ready.request.body.decode()
    rest = iter(body)
    emptied = number in {2, 3} and shape != "openai"  # "", [] and null give way to the block
    assert emptied or all(letter in rest for letter in plain)
    assert "a\\u0067ent" in body or b"a\\u0067ent" not in data
    assert "\\u0074wo" in body or b"\\u0074wo" not in data
    assert engine.expand(ready.request.body, line.store, form=shape) == (data, [])


@pytest.mark.parametrize("shape", SHAPES)
def test_the_breakpoints_of_the_client_stay_where_they_are(tmp_path, shape):
    request = request_of(shape, len(HEADS[shape]) - 1)
    sent = Line(tmp_path, on=True).sent(shape, request)
    if shape == "anthropic":
        assert sent["system"][:-1] == request["system"]
        assert "cache_control" not in sent["system"][-1]


@pytest.mark.parametrize("shape", SHAPES)
def test_one_block_is_enough(tmp_path, shape):
    once = Line(tmp_path / "one", on=True).ready(shape, request_of(shape, 1)).request.body
    twice = Line(tmp_path / "two", on=True, level=4).ready(shape, once)
    assert system_of(shape, twice.request.value).count(words.OPEN) == 1
    assert (twice.trial["level"], "shape" in twice.trial) == (0, False)  # another's: not ours to count


@pytest.mark.parametrize("shape", SHAPES)
def test_the_result_is_what_the_official_sdk_takes(tmp_path, shape):
    from typing import get_type_hints

    from pydantic import TypeAdapter

    if shape == "anthropic":
        from anthropic.types.message_create_params import MessageCreateParamsNonStreaming as Params
    elif shape == "openai":
        from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming as Params
    else:
        from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming as Params
    hints = get_type_hints(Params, include_extras=True)
    for number in range(len(HEADS[shape])):
        sent = Line(tmp_path / str(number), on=True).sent(shape, request_of(shape, number))
        for name in {"anthropic": ("system",), "openai": ("messages",), "responses": ("instructions", "input")}[shape]:
            kind = hints[name]
            kind = getattr(kind, "__args__", (kind,))[0] if "Required" in str(kind)[:40] else kind
            TypeAdapter(kind).validate_python(sent[name])


def test_who_is_not_asked_to_write_less():
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}
    for shape, more in (
        ("anthropic", {"output_config": {"format": {"type": "json_schema", "schema": {}}}}),
        ("anthropic", {"tool_choice": {"type": "tool", "name": "Bash"}}),
        ("openai", {"response_format": schema}),
        ("openai", {"tool_choice": {"type": "function", "function": {"name": "Bash"}}}),
        ("responses", {"text": {"format": schema}}),
        ("responses", {"prompt": {"id": "pmpt_1"}}),
    ):
        assert not suits(shape, request_of(shape, 0, **more), tools=True), more
    assert suits(
        "responses", request_of("responses", 0, text={"verbosity": "low", "format": {"type": "text"}}), tools=True
    )
    for most, wanted in ((1, False), (512, False), (4096, True)):
        assert suits("anthropic", request_of("anthropic", 0, max_tokens=most), tools=False) is wanted
        assert suits("anthropic", request_of("anthropic", 0, max_tokens=most), tools=True)
    assert suits("openai", request_of("openai", 0), tools=False)
    assert not suits("openai", request_of("openai", 0), tools=False, counting=True)


# --- the kind of a turn


def told(shape, *, output="ok", error=False, words_="", reminder=False):
    """A request whose newest turn is a result, and words where there are any."""
    talk = Talk(shape).says("why?")
    if shape == "anthropic":
        call = {"type": "tool_use", "id": "c1", "name": "Bash", "input": {"command": "ls"}}
        talk.heard({"content": [call]}).result("c1", output)
        if error:
            talk.items[-1]["content"][0]["is_error"] = True
        if words_ or reminder:
            text = words_ or "<system-reminder>be quick</system-reminder>"
            talk.items[-1]["content"].append({"type": "text", "text": text})
    elif shape == "openai":
        call = {"id": "c1", "type": "function", "function": {"name": "Bash", "arguments": "{}"}}
        talk.items.append({"role": "assistant", "content": None, "tool_calls": [call]})
        talk.result("c1", output)
    else:
        talk.items.append({"type": "function_call", "call_id": "c1", "name": "Bash", "arguments": "{}"})
        talk.result("c1", output)
    if shape != "anthropic" and words_:
        talk.says(words_)
    return talk


@pytest.mark.parametrize("shape", SHAPES)
def test_a_turn_resumes_where_nothing_but_results_is_new(shape):
    assert turns.kind(shape, Talk(shape).says("why?").request) == "ask"
    assert turns.kind(shape, told(shape).request) == "resume"
    assert turns.kind(shape, told(shape, words_="and now?").request) == "ask"
    assert turns.kind(shape, {"input": "why?"}) == "ask"
    assert turns.kind(shape, {}) == "ask"


def test_what_a_harness_says_is_no_question():
    assert turns.kind("anthropic", told("anthropic", reminder=True).request) == "resume"


@pytest.mark.parametrize(
    "text",
    [
        "Exit code: 1\nbuild stopped", "exited with code 127", '{"exit_code":2,"output":""}',
        "Error: no such key", "  fatal: bad",
        "src/a.py:12:4: error: Incompatible types", "ValueError: empty", "Traceback (most recent call last):\n  x",
        "====== 3 failed, 2 passed in 0.1s ======", "bash: foo: command not found",
        "thread 'main' panicked at src/m.rs:1",
        "cannot open file", "npm ERR! code E404", '{"error": "denied"}', "x" * 50_000 + "\nProcess exited with code 1",
    ],
    ids=range(15),
)  # fmt: skip
def test_signs_of_an_error_are_seen(text):
    assert not turns.is_routine(text)
    assert not turns.is_routine([{"type": "input_text", "text": text}])


@pytest.mark.parametrize(
    "text",
    [
        "", "ok", "Exit code: 0\nDone", "5 passed in 0.1s", "def f(error):\n    return error",
        LOG[:9_000].replace("ERROR", "INFO"),
        "0 errors, 0 warnings", '{"exit_code":0,"error":null}', "README.md\nerrors.py\n",
    ],
    ids=range(9),
)  # fmt: skip
def test_routine_results_are_routine(text):
    assert turns.is_routine(text)


# --- effort


def astra(effort="high", **more):
    talk = Talk("responses").says("why?")
    return talk, lambda: {
        **talk.request, "model": ASTRA, "store": False, "reasoning": {"effort": effort}, "instructions": "go", **more,
    }  # fmt: skip


def called(talk, name, output, *then):
    talk.items.append({"type": "function_call", "call_id": name, "name": "Bash", "arguments": "{}"})
    talk.result(name, output)
    for text in then:
        talk.says(text)
    return talk


def test_effort_goes_down_for_routine_results_and_up_for_everything_else(tmp_path):
    line = Line(tmp_path, on=True)
    talk, request = astra()
    seen, told_ = [], []
    for step in (
        lambda: None,
        lambda: called(talk, "c1", "README.md"),
        lambda: called(talk, "c2", "src"),
        lambda: called(talk, "c3", "Exit code: 1"),
        lambda: called(talk, "c4", "fine"),
        lambda: talk.items.append(
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "so"}]}
        ),
        lambda: talk.says("and now?"),
        lambda: called(talk, "c5", "fine"),
    ):
        step()
        if talk.items[-1].get("role") == "assistant":
            continue
        ready = line.ready("responses", request())
        seen.append(ready.request.value["input"])
        told_.append(ready.trial["effort"])
        assert ready.request.value["reasoning"] == {"effort": "high"}
    assert told_ == ["", "high->low", "high->low", "", "high->low", "", "high->low"]
    for earlier, later in itertools.pairwise(seen):
        assert later[: len(earlier)] == earlier
    kinds = [item["type"] for item in seen[-1]]
    assert not any(a == b == efforts.UPDATE for a, b in itertools.pairwise(kinds))
    # New words come behind the update that gives them the full effort.
    last = [item for item in seen[-2] if item["type"] == efforts.UPDATE or item.get("role") == "user"]
    assert [item["type"] for item in last[-2:]] == [efforts.UPDATE, "message"]
    assert last[-2]["reasoning"]["effort"] == "high"


@pytest.mark.parametrize(
    "more",
    [
        {"model": "gpt-5.6"}, {"model": "gpt-6-astra-pro"}, {"model": "my-deployment"}, {"store": True},
        {"reasoning": {"effort": "low"}}, {"reasoning": {}}, {"reasoning": {"effort": "high", "mode": "pro"}},
        {"context_management": [{"type": "compaction"}]}, {"truncation": "auto"}, {"input": "why?"},
        {"reasoning": {"effort": "huge"}}, {"background": True},
    ],
    ids=str,
)  # fmt: skip
def test_effort_stays_where_a_change_is_refused_or_not_known_to_keep_the_cache(tmp_path, more):
    line = Line(tmp_path, on=True)
    talk, request = astra(effort="high")
    line.ready("responses", {**request(), **more})
    called(talk, "c1", "fine")
    later = {name: value for name, value in more.items() if name != "input"}
    sent = line.sent("responses", {**request(), **later})
    assert efforts.UPDATE not in json.dumps(sent["input"])
    assert sent.get("reasoning") == {**request(), **later}.get("reasoning")


@pytest.mark.parametrize("shape", ["anthropic", "openai"])
def test_effort_stays_in_the_other_apis(tmp_path, shape):
    own = {"output_config": {"effort": "high"}} if shape == "anthropic" else {"reasoning_effort": "high"}
    line = Line(tmp_path, on=True)
    talk = told(shape)
    line.ready(shape, {**talk.request, **own, "messages": talk.items[:1]})
    sent = line.sent(shape, {**talk.request, **own})
    assert {name: sent[name] for name in own} == own
    assert len(talk.turns(sent)) == len(talk.items) + (shape == "openai")


def test_effort_stays_when_that_is_asked_for(tmp_path):
    line = Line(tmp_path, on=True, effort=False)
    talk, request = astra()
    line.ready("responses", request())
    called(talk, "c1", "fine")
    assert efforts.UPDATE not in json.dumps(line.sent("responses", request()))


def test_a_client_that_changes_its_effort_gets_what_it_asks_for(tmp_path):
    line = Line(tmp_path, on=True)
    talk, request = astra()
    line.ready("responses", request())
    called(talk, "c1", "fine")
    before = line.sent("responses", request())["input"]
    called(talk, "c2", "fine", "think harder")
    changed = {**request(), "reasoning": {"effort": "xhigh"}}
    after = line.sent("responses", changed)["input"]
    assert after[: len(before)] == before
    updates = [item["reasoning"]["effort"] for item in after if item["type"] == efforts.UPDATE]
    assert updates == ["low", "xhigh"]
    called(talk, "c3", "fine")
    later = line.sent("responses", {**request(), "reasoning": {"effort": "xhigh"}})["input"]
    assert later[: len(after)] == after


def test_a_client_that_sends_updates_itself_is_not_contradicted(tmp_path):
    line = Line(tmp_path, on=True)
    talk, request = astra()
    line.ready("responses", request())
    called(talk, "c1", "fine")
    line.ready("responses", request())
    called(talk, "c2", "fine")
    talk.items.append({"type": efforts.UPDATE, "reasoning": {"effort": "max"}})
    talk.says("think")
    sent = line.sent("responses", request())["input"]
    assert [item["reasoning"]["effort"] for item in sent if item["type"] == efforts.UPDATE] == ["low", "max"]
    called(talk, "c3", "Exit code: 1")
    assert line.sent("responses", request())["input"][: len(sent)] == sent
    called(talk, "c4", "fine")
    kinds = [item["type"] for item in line.sent("responses", request())["input"]]
    assert kinds.count(efforts.UPDATE) == 3


STEPS = st.lists(st.sampled_from(["fine", "Exit code: 1", "words", "two", "both"]), max_size=12)


@settings(max_examples=60)
@given(STEPS)
def test_updates_are_a_function_of_what_stands_in_front_of_them(steps):
    talk, request = astra()
    ends = [1]
    for number, step in enumerate(steps):
        name = f"c{number}"
        if step == "words":
            talk.items.append({"type": "message", "role": "assistant", "content": []})
            talk.says("and?")
        elif step == "two":
            for more in ("a", "b"):
                talk.items.append({"type": "function_call", "call_id": name + more, "name": "Bash", "arguments": "{}"})
            talk.result(name + "a", "fine").result(name + "b", "fine")
        else:
            called(talk, name, "fine" if step == "both" else step, *(["and this"] if step == "both" else []))
        ends.append(len(talk.items))
    whole = None
    for end in reversed(ends):
        value = {**request(), "input": talk.items[:end]}
        moves = efforts.Moves(value, [[0, "high"]], made_by_model)
        data = json.dumps(value).encode()
        made = json.loads(formats.spliced(data, moves.edits))["input"] if moves.edits else value["input"]
        assert whole is None or whole[: len(made)] == made
        kinds = [item["type"] for item in made]
        assert not any(a == b == efforts.UPDATE for a, b in itertools.pairwise(kinds))
        assert [item for item in made if item["type"] != efforts.UPDATE] == value["input"]
        whole = made


HEAD = st.sampled_from(CASES)


@settings(max_examples=40)
@given(HEAD, st.integers(1, 4), st.text(max_size=30))
def test_a_block_is_found_where_it_was_put_and_changes_nothing_else(case, level, text):
    shape, number = case
    request = request_of(shape, number)
    request["metadata"] = {"note": text}
    edits = place.edits(shape, request, words.text(level))
    before = copy.deepcopy(request)
    made = json.loads(formats.spliced(json.dumps(request).encode(), edits))
    assert place.standing(shape, made) == words.text(level)
    assert request == before
    name = {"anthropic": "system", "openai": "messages", "responses": "instructions"}[shape]
    assert {key: value for key, value in made.items() if key != name} == {
        key: value for key, value in request.items() if key != name
    }


@pytest.mark.parametrize("shape", SHAPES)
def test_the_block_is_counted_against_us_and_nothing_else_changes(tmp_path, shape):
    from headroom_cli import tokens

    for number in range(len(HEADS[shape])):
        plain = Line(tmp_path / f"plain{number}", on=False).ready(shape, request_of(shape, number))
        shaped = Line(tmp_path / f"shaped{number}", on=True).ready(shape, request_of(shape, number))
        if shaped.trial["level"]:
            cost = shaped.result.after - plain.result.after
            assert shaped.result.before == plain.result.before
            assert abs(cost - tokens.count(words.text(2))) <= 8, number
