"""align over the requests of a conversation: what went upstream once never changes."""

import copy
import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import CORPUS

from headroom_cli import formats
from headroom_cli.align import HEADS, align

SESSION = "8f3c2a7e-1b2c-4d5e-9f00-112233445566"


class Notes:
    """What the store remembers, as JSON."""

    def __init__(self):
        self.held = {}

    def get(self, name):
        return json.loads(self.held[name]) if name in self.held else None

    def set(self, name, value):
        self.held[name] = json.dumps(value)


def aligned(request, notes, **how):
    """Return the request as it goes upstream; aligning it twice changes nothing."""
    document = formats.parse(json.dumps(request).encode())
    apart = copy.deepcopy(notes)
    first = align(document, notes, **how)
    made = document.edited(first.edits)[0] if first.edits else document
    again = align(made, notes, **how)
    assert not again.edits, (again.edits[0].path, again.edits[0].value)
    library = formats.of_value(request)
    edits = align(library, apart, **how).edits
    assert (library.edited(edits)[0] if edits else library).value() == json.loads(made.text)
    return json.loads(made.text)


def prompt(request):
    """Return what a provider sees, in its order, without cache marks."""
    if isinstance(request, list):
        return [plain(turn) for turn in request]
    head = [plain(tool) for tool in request.get("tools", [])]
    head.append(plain({"content": request.get("system") or request.get("instructions") or ""}))
    return head + [plain(turn) for turn in request.get("messages") or request.get("input")]


def plain(node):
    if isinstance(node, dict):
        kept = {key: plain(value) for key, value in node.items() if key != "cache_control"}
        if isinstance(kept.get("content"), str) and kept.get("role") != "tool":
            kept["content"] = [{"text": kept["content"]}]
        if kept.get("type") in ("text", "input_text", "message"):
            del kept["type"]
        return kept
    return [plain(value) for value in node] if isinstance(node, list) else node


def marks(node):
    if isinstance(node, dict):
        return ("cache_control" in node) + sum(marks(value) for key, value in node.items() if key != "cache_control")
    return sum(map(marks, node)) if isinstance(node, list) else 0


def system(day, minute=3):
    return (
        f"You are a coding agent.\n<env>\nWorking directory: /home/kim/shop\nToday's date: 2026-11-{day}\n</env>\n"
        f"Session ID: {SESSION}\nThe current time is 2026-11-{day} 14:{minute:02}:22.\n" + "Work with care. " * 500
    )


def tools(day):
    return [
        {"name": "Bash", "description": f"Run a command. Today is 2026-11-{day}.",
         "input_schema": {"type": "object", "properties": {"command": {"type": "string", "description": "what"}}}},
        {"name": "Read", "description": "Read a file.", "input_schema": {"type": "object", "properties": {}}},
    ]  # fmt: skip


def anthropic(turns, day, **more):
    return {"model": "claude-sonnet-4-5", "system": system(day, **more), "tools": tools(day), "messages": turns}


def chat(turns, day, **more):
    told = [{"type": "function", "function": {"name": t["name"], "description": t["description"]}} for t in tools(day)]
    return {"model": "gpt-5.6", "tools": told, "messages": [{"role": "system", "content": system(day, **more)}, *turns]}


def responses(turns, day, **more):
    return {
        "model": "gpt-5.6",
        "instructions": system(day, **more),
        "input": turns,
        "prompt_cache_key": "k1",
        "store": False,
    }


def bare(turns, day, **more):
    return [{"role": "system", "content": system(day, **more)}, *turns]


def calls_anthropic(i):
    return [
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": f"s{i}"},
            {"type": "tool_use", "id": f"t{i}", "name": "Bash", "input": {"command": f"make {i}"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"t{i}", "content": f"done {i}"}]},
    ]  # fmt: skip


def calls_chat(i):
    call = {"id": f"t{i}", "type": "function", "function": {"name": "Bash", "arguments": "{}"}}
    return [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": f"t{i}", "content": f"done {i}"},
    ]


def calls_responses(i):
    return [
        {"type": "reasoning", "id": f"r{i}", "summary": [], "encrypted_content": f"e{i}"},
        {"type": "function_call", "call_id": f"t{i}", "name": "Bash", "arguments": "{}"},
        {"type": "function_call_output", "call_id": f"t{i}", "output": f"done {i}"},
    ]


FIRST = {"role": "user", "content": "<system-reminder>\nToday's date is 2026-11-DD.\n</system-reminder>\nfix the bug"}
SHAPES = {
    "anthropic": (anthropic, calls_anthropic, FIRST),
    "chat": (chat, calls_chat, {"role": "user", "content": "fix the bug"}),
    "responses": (
        responses, calls_responses,
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "fix the bug"}]},
    ),
    "bare": (bare, calls_chat, {"role": "user", "content": [{"type": "text", "text": "fix the bug"}]}),
}  # fmt: skip


def conversation(shape, days):
    """Return one request for each day: a conversation that grows by a call and its result."""
    make, calls, first = SHAPES[shape]
    turns, requests = [], []
    for i, (day, minute) in enumerate(days):
        if i:
            turns += calls(i)
        opening = json.loads(json.dumps(first).replace("DD", str(day)))
        requests.append(make([opening, *turns], day, minute=minute))
    return requests


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "days",
    [[(21, 3)] * 4, [(21, 3), (21, 4), (21, 5), (21, 6), (22, 1)], [(21, 3), (22, 3), (21, 3), (21, 3)]],
    ids=["same values", "a clock", "there and back"],
)
def test_nothing_that_was_sent_changes(shape, days):
    notes = Notes()
    sent = [prompt(aligned(request, notes)) for request in conversation(shape, days)]
    for before, after in itertools.pairwise(sent):
        assert after[: len(before)] == before
    assert json.dumps(sent[-1]).count(HEADS[0]) == 1
    changes = sum(a != b for a, b in itertools.pairwise(days))
    assert json.dumps(sent[-1]).count(HEADS[1]) == changes


@pytest.mark.parametrize("shape", SHAPES)
def test_heads_of_two_conversations_are_equal(shape):
    one, two = (aligned(conversation(shape, [day])[0], Notes()) for day in ((21, 3), (28, 59)))
    assert prompt(one)[:-1] == prompt(two)[:-1]
    text = json.dumps(one)
    assert "2026-11-21 14:03:22" in text.split("[headroom:")[1]
    assert "2026-11" not in text.split("[headroom:")[0].split("fix the bug")[0]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_later_request_says_only_what_changed(shape):
    notes = Notes()
    sent = [aligned(request, notes) for request in conversation(shape, [(21, 3), (21, 4)])]
    last = json.dumps(sent[-1]).rpartition(HEADS[1])[2]
    assert "{current time} = 2026-11-21 14:04:22" in last
    assert SESSION not in last
    assert "Working directory" not in last


def test_notes_survive_an_upgrade_that_finds_other_values(monkeypatch):
    from headroom_cli.align import _births

    notes = Notes()
    requests = conversation("anthropic", [(21, 3), (21, 9), (22, 1)])
    before = prompt(aligned(requests[0], notes))
    monkeypatch.setattr(_births, "find", lambda text: [])
    for request in requests[1:]:
        after = prompt(aligned(request, notes))
        assert after[: len(before)] == before
        before = after


def test_what_was_not_found_at_birth_does_not_move_after_an_upgrade(monkeypatch):
    from headroom_cli.align import _births

    notes = Notes()
    requests = conversation("bare", [(21, 3), (21, 9), (22, 1)])
    with monkeypatch.context() as patched:
        patched.setattr(_births, "find", lambda text: [])
        assert aligned(requests[0], notes, live=True) == requests[0]
    for request in requests[1:]:
        assert aligned(request, notes, live=True) == request


def test_a_prompt_without_values_is_not_remembered():
    notes = Notes()
    turns = [{"role": "system", "content": "You are a clerk."}, {"role": "user", "content": "hi"}]
    assert aligned(turns, notes) == turns
    assert not notes.held


@pytest.mark.parametrize("shape", ["anthropic", "responses"])
def test_a_signed_conversation_that_began_without_us_is_not_touched(shape):
    request = conversation(shape, [(21, 3), (21, 3), (21, 3)])[-1]
    document = formats.parse(json.dumps(request).encode())
    made = align(document, Notes())
    assert not made.moved
    sent = json.loads(document.edited(made.edits)[0].text) if made.edits else request
    assert plain(sent.get("system")) == plain(request.get("system"))
    assert prompt(sent) == prompt(request)


def test_live_leaves_any_conversation_that_began_without_us():
    request = conversation("chat", [(21, 3), (21, 3)])[-1]
    document = formats.parse(json.dumps(request).encode())
    assert not align(document, Notes(), live=True).edits
    assert align(document, Notes()).moved


@pytest.mark.parametrize("shape", SHAPES)
def test_a_whole_trace_begins_as_its_first_request_did(shape):
    requests = conversation(shape, [(21, 3), (21, 3), (21, 3)])
    if shape in ("anthropic", "responses"):
        requests = [json.loads(json.dumps(r).replace('"thinking", "thinking"', '"text", "text"')) for r in requests]
        requests = [drop_reasoning(r) for r in requests]
    whole = prompt(aligned(requests[-1], Notes()))
    first = prompt(aligned(requests[0], Notes()))
    assert whole[: len(first)] == first


def drop_reasoning(request):
    if "input" in request:
        request["input"] = [item for item in request["input"] if item.get("type") != "reasoning"]
    return request


def test_two_conversations_with_one_first_turn_keep_apart():
    notes = Notes()
    first = conversation("anthropic", [(21, 3), (21, 3), (21, 3)])
    second = json.loads(json.dumps(conversation("anthropic", [(25, 8), (25, 8), (25, 8)])).replace("done 1", "failed"))
    second = json.loads(json.dumps(second).replace('"s1"', '"z1"'))
    sent = {0: [], 1: []}
    for step in range(3):
        for which, requests in enumerate((first, second)):
            sent[which].append(prompt(aligned(requests[step], notes)))
    for some in sent.values():
        for before, after in itertools.pairwise(some):
            assert after[: len(before)] == before


def test_the_words_of_the_user_and_of_the_model_are_not_touched():
    words = "Today's date: 2026-11-21, session 8f3c2a7e-1b2c-4d5e-9f00-112233445566"
    turns = [
        {"role": "user", "content": words},
        {"role": "assistant", "content": words},
        {"role": "user", "content": words},
    ]
    sent = aligned({"model": "claude-sonnet-4-5", "system": "You are kind.", "messages": turns}, Notes())
    assert plain(sent["messages"]) == plain(turns)


def test_the_clients_bytes_stay_around_what_moves():
    request = conversation("anthropic", [(21, 3)])[0]
    request["messages"][0]["content"] = "caf\u00e9 / fix"
    data = json.dumps(request, indent=1).replace("\\u00e9", "\\u00E9").replace(" / ", " \\/ ").encode()
    document = formats.parse(data)
    made = document.edited(align(document, Notes()).edits)[0].text
    assert '"caf\\u00E9 \\/ fix"' in made


def test_codex_turns_are_wrappers_before_the_users_words():
    here = "  <cwd>/home/kim/shop</cwd>\n  <current_date>2026-11-21</current_date>"
    turns = [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "<permissions>"}]},
        {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": f"<environment_context>\n{here}\n</environment_context>"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "say ok"}]},
    ]  # fmt: skip
    sent = aligned({"model": "gpt-5.6", "instructions": "You are Codex.", "input": turns, "store": False}, Notes())
    assert sent["input"][1]["content"][0]["text"] == "<environment_context>\n{environment}\n</environment_context>"
    assert [part["text"] for part in sent["input"][2]["content"]] == [
        "say ok", HEADS[0] + "\n{environment} =\n" + here,
    ]  # fmt: skip


# --- tools


def named(request):
    return [tool["name"] for tool in request["tools"]]


def test_tools_keep_the_order_of_the_first_request_and_new_ones_go_last():
    notes = Notes()
    requests = conversation("anthropic", [(21, 3)] * 5)
    extra = {"name": "Aaa", "description": "new", "input_schema": {"type": "object"}}
    requests[1]["tools"].reverse()
    requests[2]["tools"].insert(0, extra)
    requests[3]["tools"] = [requests[3]["tools"][1]]
    requests[4]["tools"] = [extra, *requests[4]["tools"][::-1]]
    sent = [named(aligned(request, notes)) for request in requests]
    assert sent == [["Bash", "Read"], ["Bash", "Read"], ["Bash", "Read", "Aaa"], ["Read"], ["Bash", "Read", "Aaa"]]


def test_a_first_request_sent_twice_keeps_its_order():
    notes = Notes()
    first, second = conversation("anthropic", [(21, 3)]) * 2
    aligned(first, notes)
    second = copy.deepcopy(second)
    second["tools"].reverse()
    assert named(aligned(second, notes)) == ["Bash", "Read"]


def test_a_tool_spelt_otherwise_gets_its_first_bytes():
    notes = Notes()
    requests = conversation("anthropic", [(21, 3)] * 2)
    tool = requests[1]["tools"][1]
    requests[1]["tools"][1] = dict(reversed(tool.items()))
    first, second = (json.dumps(aligned(request, notes)["tools"]) for request in requests)
    assert first == second


def test_tools_with_one_name_stay_as_they_are():
    notes = Notes()
    requests = conversation("anthropic", [(21, 3)] * 2)
    for request in requests:
        request["tools"][1]["name"] = "Bash"
    requests[1]["tools"].reverse()
    aligned(requests[0], notes)
    assert len(aligned(requests[1], notes)["tools"]) == 2


# --- breakpoints


def test_breakpoints_are_set_where_the_client_set_none():
    notes = Notes()
    for request in conversation("anthropic", [(21, 3), (21, 4), (21, 4)]):
        sent = aligned(request, notes)
        assert marks(sent) == 2
        assert sent["system"][-1]["cache_control"] == {"type": "ephemeral"}
        assert "cache_control" in sent["messages"][-1]["content"][-1]


def test_the_clients_own_breakpoints_are_enough():
    request = conversation("anthropic", [(21, 3), (21, 3)])[-1]
    request["messages"][-1]["content"][0]["cache_control"] = {"type": "ephemeral", "ttl": "1h"}
    assert marks(aligned(request, Notes())) == 1


def test_a_top_level_mark_is_enough():
    request = {**conversation("anthropic", [(21, 3)])[0], "cache_control": {"type": "ephemeral"}}
    assert marks(aligned(request, Notes())) == 1


def test_no_breakpoint_below_the_models_least_prefix_or_without_a_second_request():
    short = {"model": "claude-sonnet-4-5", "system": "Be kind.", "messages": [{"role": "user", "content": "hi"}]}
    assert marks(aligned(short, Notes())) == 0
    alone = {**short, "system": "Be kind. " * 2000}
    assert marks(aligned(alone, Notes())) == 0


@pytest.mark.parametrize("own", [0, 1, 2, 3, 4])
def test_a_long_turn_gets_a_breakpoint_in_between_if_a_slot_is_free(own):
    many = range(15)
    turns = [
        {"role": "user", "content": [{"type": "text", "text": "go"}]},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": f"t{i}", "name": "Bash", "input": {}} for i in many],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"t{i}", "content": "ok"} for i in many]},
    ]
    request = {"model": "claude-sonnet-4-5", "system": [{"type": "text", "text": "Be kind. " * 900} for _ in range(3)],
               "tools": tools(21), "messages": turns}  # fmt: skip
    for part in [turns[2]["content"][-1], *request["system"]][:own]:
        part["cache_control"] = (
            {"type": "ephemeral", "ttl": "1h"} if part in request["system"] else {"type": "ephemeral"}
        )
    sent = aligned(request, Notes())
    results = [i for i, part in enumerate(sent["messages"][2]["content"]) if "cache_control" in part]
    assert results == ([14] if own == 4 else [3, 14])
    assert marks(sent) == {0: 3, 4: 4}.get(own, own + 1)


# --- raw blobs


def test_a_raw_prompt_gets_its_values_at_its_end():
    text = "You are a clerk.\nToday's date: 2026-11-21\nBe brief.\n"
    document = formats.parse(text.encode())
    edit = align(document, Notes()).edits[0]
    assert (
        edit.value
        == f"You are a clerk.\nToday's date: {{today's date}}\nBe brief.\n\n{HEADS[0]}\n{{today's date}} = 2026-11-21\n"
    )
    assert not align(formats.parse(edit.value.encode()), Notes()).edits


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21 14:03:22 INFO started\n" * 5,
        '[{"time": "2026-11-21T14:03:22Z"}]',
        "make: *** [all] Error 2\n\nreal 0m1s\n",
    ],
)
def test_an_output_is_no_prompt(text):
    assert not align(formats.parse(text.encode()), Notes()).edits


# --- odd requests


def test_objects_of_an_sdk_in_a_request_do_no_harm():
    class ThinkingBlock:
        type = "thinking"

    request = conversation("anthropic", [(21, 3), (21, 3)])[-1]
    request["messages"][1]["content"] = [ThinkingBlock()]
    request["tools"][0]["input_schema"] = ThinkingBlock
    made = align(formats.of_value(request), Notes())
    assert not made.moved


@pytest.mark.parametrize("member", [{"previous_response_id": "r1"}, {"conversation": "c1"}])
def test_a_history_that_the_provider_holds_is_left(member):
    request = {**conversation("responses", [(21, 3)])[0], **member}
    assert not align(formats.parse(json.dumps(request).encode()), Notes()).edits


ODD_TURNS = (
    [], [{"role": "user"}], [{"role": "user", "content": None}], [{"role": "user", "content": []}],
    [{"role": "user", "content": [None, 7, "text", {"type": "image"}]}], [{"role": "assistant", "content": "hi"}],
    [{"role": "assistant", "content": "hi"}, {"role": "user", "content": "go"}],
    [{"role": "user", "content": {"a": 1}}],
    [{"role": "user", "content": "<system-reminder>"}], [{"role": "user", "content": "<env>x</env>"}],
    [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}], ["text", 5, None],
)  # fmt: skip


@pytest.mark.parametrize("turns", ODD_TURNS)
@pytest.mark.parametrize(
    "member", [{}, {"tools": [None, 3, {}]}, {"tools": {"a": 1}}, {"system": [None, {"type": "text"}, 4]}]
)
def test_odd_requests_go_through(turns, member):
    request = {"model": "claude-sonnet-4-5", "system": system(21), "messages": turns, **member}
    document = formats.parse(json.dumps(request).encode())
    edits = align(document, Notes()).edits
    assert not edits or document.edited(edits)[0].has_turns
    library = formats.of_value(request)
    edits = align(library, Notes()).edits
    assert not edits or library.edited(edits)[0].has_turns


def test_codex_instructions_of_a_project_are_no_words_of_the_user():
    turns = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text":
            "# AGENTS.md instructions for /home/kim/shop\n\n<INSTRUCTIONS>\nToday is 2026-11-21.\n</INSTRUCTIONS>"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "say ok"}]},
    ]  # fmt: skip
    sent = aligned({"model": "gpt-5.6", "instructions": "You are Codex.", "input": turns, "store": False}, Notes())
    assert len(sent["input"][0]["content"]) == 1
    assert sent["input"][1]["content"][1]["text"] == HEADS[0] + "\n{current date} = 2026-11-21"


DAYS = st.lists(st.tuples(st.integers(10, 28), st.integers(0, 59)), min_size=2, max_size=6)


@given(st.sampled_from(sorted(SHAPES)), DAYS)
@settings(max_examples=60, deadline=None)
def test_whatever_the_clock_does_no_prefix_changes(shape, days):
    notes = Notes()
    sent = [prompt(aligned(request, notes)) for request in conversation(shape, days)]
    for before, after in itertools.pairwise(sent):
        assert after[: len(before)] == before


@pytest.mark.skipif(not CORPUS.exists(), reason="no corpus beside this checkout")
def test_corpus_conversations_grow_without_a_change():
    for path in sorted((CORPUS / "traces_norm").glob("*.json"))[::9]:
        turns = json.loads(path.read_bytes())["messages"]
        notes, before = Notes(), []
        for k in range(1, min(len(turns), 24)):
            after = prompt(aligned(turns[:k], notes))
            if turns[k - 1]["role"] in ("user", "tool"):
                assert after[: len(before)] == before, path.name
                before = after
