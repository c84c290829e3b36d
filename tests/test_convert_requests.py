"""Requests of one API for another: every part is carried, left out by a rule in a table, or refused by name."""

import copy
import json

import conversion_tables as known
import pytest
from anthropic.types import message_create_params
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params
from pydantic import TypeAdapter

from headroom_cli import convert
from headroom_cli.convert import answers
from headroom_cli.convert._shared import is_strict
from headroom_cli.convert._tables import IGNORED, MAX_TOKENS, NAMES
from headroom_cli.errors import CannotCarryError

PAIRS = [(source, target) for source in NAMES for target in NAMES if source != target]
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
MARK = {"type": "ephemeral"}

CLAUDE = {
    "model": "claude-opus-4-8",
    "max_tokens": 4096,
    "system": [{"type": "text", "text": "You fix code."}, {"type": "text", "text": "Be brief.", "cache_control": MARK}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Why does it fail?"}, {"type": "image", "source": PNG}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "two files", "signature": "EqQB"},
                {"type": "text", "text": "I look at both."},
                {"type": "tool_use", "id": "toolu_01", "name": "read", "input": {"path": "a.py", "lines": [1, 2.5]}},
                {"type": "tool_use", "id": "toolu_02", "name": "read", "input": {"path": "ü.py"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_01", "content": "x = 1"},
                {"type": "tool_result", "tool_use_id": "toolu_02", "is_error": True, "content": "no such file"},
                {"type": "text", "text": "Go on."},
            ],
        },
        {"role": "assistant", "content": "a.py sets x."},
        {"role": "user", "content": "And now?"},
    ],
    "tools": [{"name": "read", "description": "Read a file", "input_schema": SCHEMA, "cache_control": MARK}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "thinking": {"type": "adaptive", "display": "summarized"},
    "output_config": {"effort": "high"},
    "metadata": {"user_id": "u"},
    "stream": True,
}
CALLS = [
    {"id": "call_a", "type": "function", "function": {"name": "read", "arguments": '{"path": "a.py"}'}},
    {"id": "call_b", "type": "function", "function": {"name": "read", "arguments": '{"path": "b.py"}'}},
]
CHAT = {
    "model": "gpt-5.6",
    "messages": [
        {"role": "developer", "content": "You fix code."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Why does it fail?"},
                {"type": "image_url", "image_url": {"url": "https://x.example/a.png", "detail": "high"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
            ],
        },
        {"role": "assistant", "content": None, "tool_calls": CALLS, "refusal": None, "annotations": []},
        {"role": "tool", "tool_call_id": "call_a", "name": "read", "content": "x = 1"},
        {"role": "tool", "tool_call_id": "call_b", "content": [{"type": "text", "text": "y = 2"}]},
        {"role": "assistant", "content": "Both are set."},
        {"role": "user", "content": "And now?"},
        {"role": "system", "content": "Answer in one word."},
    ],
    "tools": [
        {"type": "function", "function": {"name": "read", "description": "Read", "parameters": SCHEMA, "strict": True}}
    ],
    "tool_choice": {"type": "function", "function": {"name": "read"}},
    "parallel_tool_calls": False,
    "reasoning_effort": "minimal",
    "response_format": {"type": "json_schema", "json_schema": {"name": "word", "schema": SCHEMA, "strict": True}},
    "max_completion_tokens": 500,
    "prompt_cache_key": "k",
    "user": "u",
    "n": 1,
    "stream": True,
    "stream_options": {"include_usage": True},
}
ITEMS = {
    "model": "gpt-5.6",
    "instructions": "You fix code.",
    "input": [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be brief."}]},
        {"role": "user", "content": "Why does it fail?"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAABo"},
        {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "phase": "commentary",
         "content": [{"type": "output_text", "text": "I look.", "annotations": []}]},
        {"type": "function_call", "id": "fc_1", "status": "completed", "call_id": "call_a", "name": "read",
         "arguments": '{"path":"a.py"}'},
        {"type": "function_call", "call_id": "call_b", "name": "read", "arguments": '{"path":"b.py"}'},
        {"type": "function_call_output", "call_id": "call_a", "output": "x = 1"},
        {"type": "function_call_output", "call_id": "call_b", "output": [
            {"type": "input_text", "text": "see"},
            {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,iVBORw0KGgo="}]},
        {"role": "user", "content": [{"type": "input_text", "text": "And now?"}]},
    ],
    "tools": [{"type": "function", "name": "read", "description": "Read", "parameters": SCHEMA, "strict": False}],
    "tool_choice": "required",
    "reasoning": {"effort": "high", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "text": {"verbosity": "low", "format": {"type": "text"}},
    "store": False,
    "stream": True,
    "prompt_cache_key": "k",
    "client_metadata": {"x": "y"},
}  # fmt: skip
REAL = {"anthropic": CLAUDE, "openai": CHAT, "responses": ITEMS}
TYPES = {
    "anthropic": message_create_params.MessageCreateParamsBase,
    "openai": completion_create_params.CompletionCreateParamsBase,
    "responses": response_create_params.ResponseCreateParamsBase,
}
ADAPTERS = {name: TypeAdapter(typed) for name, typed in TYPES.items()}


def whole(value):
    """Read what the SDK's types left to be read lazily; reading it is what checks it."""
    if isinstance(value, dict):
        return {name: whole(inner) for name, inner in value.items()}
    return value if value is None or isinstance(value, (str, int, float)) else [whole(inner) for inner in value]


def valid(shape, request):
    """Check a request against the official SDK's types, which drop the members that they do not know."""
    plain = {name: value for name, value in request.items() if name != "stream"}
    assert whole(ADAPTERS[shape].validate_python(plain)) == plain
    return request


def refused(source, target, request):
    with pytest.raises(CannotCarryError) as caught:
        convert.request(source, target, request)
    return str(caught.value)


def claude(*messages, **rest):
    return {"model": "m", "max_tokens": 9, "messages": list(messages), **rest}


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def flat(shape, request):
    """Return the turns as the provider's cache sees them: who says which block, one after the other."""
    made = []
    for turn in request["input" if shape == "responses" else "messages"]:
        if shape == "responses" and turn.get("type") != "message":
            made.append(turn)
            continue
        content = turn["content"] or []
        parts = [{"type": "text", "text": content}] if isinstance(content, str) and turn["role"] != "tool" else content
        if turn["role"] == "tool":
            made.append(turn)
            continue
        made += [(turn["role"], part) for part in parts] + list(turn.get("tool_calls", ()))
    return made


def blocks(request):
    """Return an Anthropic request's turns with texts as blocks."""
    return [
        (role, block if isinstance(block, dict) else {"type": "text", "text": block})
        for role, block in flat("anthropic", request)
    ]


# The whole of it


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_real_requests_become_what_the_official_sdk_sends(source, target):
    before = copy.deepcopy(REAL[source])
    valid(target, convert.request(source, target, REAL[source]))
    assert REAL[source] == before


@pytest.mark.parametrize("shape", NAMES)
def test_the_same_shape_is_the_same_request(shape):
    request = {"anything": object()}
    assert convert.request(shape, shape, request) is request


@pytest.mark.parametrize("source", NAMES)
def test_the_page_says_what_the_code_does(source):
    # Each release of an SDK brings new types. Until the page names them they must be refused, as all that is unknown.
    page = {name: known.rows_of(table) for _, name, table, _ in known.PLACE.findall(known.PAGE.read_text())}
    for name, table in known.tables().items():
        for what, row in known.rows_of(table).items() if name.startswith(source) else ():
            refused_as_unknown = what not in page[name] and "carried" not in row and "left out" not in row
            assert row == page[name].get(what) or refused_as_unknown, f"run `python tests/conversion_tables.py`: {row}"


@pytest.mark.parametrize("source", NAMES)
def test_every_type_of_the_sdk_is_carried_left_out_or_refused_by_name(source):
    rows = list(known.block_rows(source))
    assert len(rows) > 15
    for name, request, fates in rows:
        kind = name.split("`")[1] if "`" in name else ""
        for target, fate in zip(known.targets(source), fates, strict=True):
            if fate == "carried":
                valid(target, convert.request(source, target, request))
            elif fate == "left out":
                assert target in IGNORED[source][kind][0], name
            else:
                said = refused(source, target, request)
                path, _, rest = said.partition(": ")
                assert path.split(".")[0] in request, said
                assert rest.endswith(
                    f"has no place in {NAMES[target]}; send it to a backend that speaks {NAMES[source]}"
                )


@pytest.mark.parametrize("source", NAMES)
def test_a_member_is_left_out_only_where_the_table_says_so(source):
    listed = IGNORED[source]
    for name, fates in known.field_rows(source):
        rows = [
            row
            for part, row in listed.items()
            if part.split(".")[0] == name or part in {f"request.{name}", f"*.{name}"}
        ]
        for target, fate in zip(known.targets(source), fates, strict=True):
            assert fate != "left out" or any(target in row[0] for row in rows), (name, target)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_an_unknown_member_anywhere_is_refused_by_its_path(source, target):
    def spots(value, path):
        if isinstance(value, dict):
            yield value, path
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(inner, (dict, list)) and step not in {
                "properties", "schema", "parameters", "input_schema", "metadata", "cache_control", "client_metadata",
                "annotations", "input" if path else "",
            }:  # fmt: skip
                yield from spots(inner, [*path, str(step)])

    base = copy.deepcopy(REAL[source])
    paths = [path for _, path in spots(base, [])]
    assert len(paths) > 15
    for path in paths:
        if target == "anthropic" and "stream_options" in path:
            continue  # all of it is left out
        request = copy.deepcopy(base)
        at = request
        for step in path:
            at = at[int(step) if isinstance(at, list) else step]
        at["brand_new"] = 1
        said = refused(source, target, request)
        assert said.startswith(".".join([*path, "brand_new"]) + ": "), (said, path)
        at["brand_new"] = None
        convert.request(source, target, request)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_longer_conversation_begins_with_the_shorter_one(source, target):
    turns = "input" if source == "responses" else "messages"
    request = REAL[source]
    full = convert.request(source, target, request)
    cuts = 0
    for count in range(1, len(request[turns]) + 1):
        try:
            part = convert.request(source, target, {**request, turns: request[turns][:count]})
        except CannotCarryError:
            continue  # ends with the model's message, or has no user's yet
        cuts += 1
        assert flat(target, part) == flat(target, full)[: len(flat(target, part))]
        head = {name: value for name, value in full.items() if name not in {"messages", "input"}}
        assert head == {name: value for name, value in part.items() if name not in {"messages", "input"}}
    assert cuts >= 3


@pytest.mark.parametrize("middle", ["openai", "responses"])
def test_there_and_back_keeps_every_block(middle):
    request = copy.deepcopy(CLAUDE)
    back = valid("anthropic", convert.request(middle, "anthropic", convert.request("anthropic", middle, request)))
    expected = [(role, block) for role, block in blocks(request) if block["type"] != "thinking"]
    failed = next(block for _, block in expected if block.get("is_error"))
    failed.update(content="[error] no such file")
    del failed["is_error"]
    assert blocks(back) == expected
    assert back["system"] == [{"type": "text", "text": "You fix code."}, {"type": "text", "text": "Be brief."}]
    assert back["tools"] == [{"name": "read", "description": "Read a file", "input_schema": SCHEMA}]
    for name in ("model", "max_tokens", "tool_choice", "output_config", "stream"):
        assert back[name] == request[name]


@pytest.mark.parametrize("middle", ["anthropic", "responses"])
def test_chat_there_and_back(middle):
    back = valid("openai", convert.request(middle, "openai", convert.request("openai", middle, CHAT)))
    calls = [[call["id"] for call in turn.get("tool_calls", ())] for turn in back["messages"]]
    assert ["call_a", "call_b"] in calls
    texts = json.dumps(back["messages"])
    for text in ("You fix code.", "Why does it fail?", "https://x.example/a.png", "JVBERi0=", "x = 1", "Answer in one"):
        assert text in texts
    assert back["parallel_tool_calls"] is False
    assert back["tool_choice"] == CHAT["tool_choice"]
    assert back["response_format"]["json_schema"]["schema"] == SCHEMA
    assert back["stream_options"] == {"include_usage": True}


texts = st.text(max_size=12)
results = st.one_of(
    texts,
    st.lists(
        st.one_of(texts.map(lambda text: {"type": "text", "text": text}), st.just({"type": "image", "source": PNG}))
    ),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts, lambda some: st.lists(some, max_size=2), max_leaves=4
)


@st.composite
def conversations(draw):
    made = [{"role": "user", "content": draw(texts) + "?"}]
    for _ in range(draw(st.integers(0, 3))):
        names = [f"toolu_{len(made)}_{index}" for index in range(draw(st.integers(0, 3)))]
        calls = [
            {"type": "tool_use", "id": name, "name": "read", "input": draw(st.dictionaries(texts, values, max_size=2))}
            for name in names
        ]
        made.append({"role": "assistant", "content": [{"type": "text", "text": draw(texts) + "."}, *calls]})
        said = [{"type": "tool_result", "tool_use_id": name, "content": draw(results)} for name in names]
        made.append({"role": "user", "content": [*said, {"type": "text", "text": draw(texts) + "!"}]})
    return made


@settings(max_examples=60, deadline=None)
@given(messages=conversations())
def test_any_conversation_survives_and_grows_at_its_end(messages):
    request = claude(*messages)
    for target in ("openai", "responses"):
        made = valid(target, convert.request("anthropic", target, request))
        back = valid("anthropic", convert.request(target, "anthropic", made))
        calls = [block for _, block in blocks(request) if block["type"] == "tool_use"]
        assert [block for _, block in blocks(back) if block["type"] == "tool_use"] == calls
        said = [block["text"] for _, block in blocks(request) if block["type"] == "text"]
        kept = [block["text"] for _, block in blocks(back) if block["type"] == "text"]
        assert [text for text in kept if text in said] == said
        for count in range(1, len(messages), 2):
            part = convert.request("anthropic", target, claude(*messages[:count]))
            assert flat(target, part) == flat(target, made)[: len(flat(target, part))]


ODD = (
    None,
    True,
    1,
    -0.5,
    "x",
    "",
    [],
    [[]],
    {},
    [{}],
    [None],
    {"type": []},
    {"type": "x"},
    [{"type": {}}],
    {"role": 1},
)


def nodes(value, path=()):
    yield path
    for step, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from nodes(inner, (*path, step))


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_wrong_value_anywhere_is_refused_and_never_a_traceback(source, target):
    tried = taken = 0
    for path in nodes(REAL[source]):
        for odd in ODD:
            request = copy.deepcopy({"request": REAL[source]})
            at, steps = request, ("request", *path)
            for step in steps[:-1]:
                at = at[step]
            at[steps[-1]] = odd
            tried += 1
            try:
                json.dumps(convert.request(source, target, request["request"]))
                taken += 1
            except CannotCarryError as error:
                said = str(error)
                assert ": " in said, (path, odd, said)
    assert tried > 1000
    assert taken > 100


# Results


def chat_of(*given, keep=False):
    call = {"type": "tool_use", "id": "t1", "name": "read", "input": {}}
    request = claude(user({"type": "text", "text": "go"}), {"role": "assistant", "content": [call]}, user(*given))
    made = convert.request("anthropic", "openai", request, keep_cache_control=keep)
    return (made if keep else valid("openai", made))["messages"][2:]


def result(content, **rest):
    return {"type": "tool_result", "tool_use_id": "t1", "content": content, **rest}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("boom", "[error] boom"),
        ("Error: boom", "Error: boom"),
        ("boom\nno error here", "[error] boom\nno error here"),
        ("", "[error]"),
        ([], "[error]"),
        ([{"type": "text", "text": "boom"}], "[error] boom"),
    ],
)
def test_a_failed_call_says_so_in_its_text(content, said):
    assert chat_of(result(content, is_error=True)) == [{"role": "tool", "tool_call_id": "t1", "content": said}]


def test_results_come_first_and_pictures_behind_all_of_them():
    picture = {"type": "image", "source": PNG}
    pdf = {"type": "document", "source": {**PNG, "media_type": "application/pdf"}, "title": "a.pdf"}
    second = {"type": "tool_result", "tool_use_id": "t2", "content": "two"}
    tool, other, extra, text = chat_of(
        {"type": "text", "text": "look"}, result([picture, {"type": "text", "text": "one"}, picture, pdf]), second
    )
    assert tool["content"] == [
        {"type": "text", "text": "[image 1: in the next user message]"},
        {"type": "text", "text": "one"},
        {"type": "text", "text": "[image 2: in the next user message]"},
        {"type": "text", "text": "[file 1: in the next user message]"},
    ]
    assert other == {"role": "tool", "tool_call_id": "t2", "content": "two"}
    assert [part["text"] for part in extra["content"][::2]] == [
        "[image 1 of the result of call t1]", "[image 2 of the result of call t1]", "[file 1 of the result of call t1]",
    ]  # fmt: skip
    assert extra["content"][1]["image_url"]["url"] == "data:image/png;base64,iVBORw0KGgo="
    assert extra["content"][5]["file"]["filename"] == "a.pdf"
    assert text == {"role": "user", "content": "look"}


def test_results_come_first_for_anthropic_too():
    said = [*CHAT["messages"][:3], {"role": "user", "content": "so?"}, *CHAT["messages"][3:5]]
    made = convert.request("openai", "anthropic", {**CHAT, "messages": said})
    assert [block["type"] for block in made["messages"][2]["content"]] == ["tool_result", "tool_result", "text"]


def test_results_of_chat_join_the_user_s_next_words():
    made = convert.request(
        "openai", "anthropic", {**CHAT, "messages": [*CHAT["messages"][:5], {"role": "user", "content": "so?"}]}
    )
    assert [turn["role"] for turn in made["messages"]] == ["user", "assistant", "user"]
    assert [block["type"] for block in made["messages"][2]["content"]] == ["tool_result", "tool_result", "text"]


# Calls and ids


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ('{"a": 1}', {"a": 1}),
        ("", {}),
        ("  ", {}),
        ('{"a": ', {"INVALID_JSON": '{"a": '}),
        ("[1]", {"INVALID_JSON": "[1]"}),
        ('{"a": NaN}', {"INVALID_JSON": '{"a": NaN}'}),
        ('{"a": 1e999}', {"INVALID_JSON": '{"a": 1e999}'}),
        ("[" * 50_000, {"INVALID_JSON": "[" * 50_000}),
    ],
)
def test_arguments_are_an_object_whatever_the_model_wrote(text, held):
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": text}}
    chat = {"model": "m", "messages": [{"role": "user", "content": "go"}, {"role": "assistant", "tool_calls": [call]}]}
    chat["messages"].append({"role": "tool", "tool_call_id": "c1", "content": "x"})
    made = convert.request("openai", "anthropic", chat)
    assert made["messages"][1]["content"][0]["input"] == held
    back = convert.request("anthropic", "openai", made)["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert back == (text if "INVALID_JSON" in held else json.dumps(held, separators=(",", ":")))


@pytest.mark.parametrize(
    ("source", "target", "given", "kept"),
    [
        ("openai", "anthropic", "call_1-A", True),
        ("openai", "anthropic", "call:1", False),
        ("openai", "anthropic", "ü", False),
        ("openai", "anthropic", "a\n", False),
        ("responses", "openai", "c" * 40, True),
        ("responses", "openai", "c" * 41, False),
        ("openai", "responses", "c" * 64, True),
        ("openai", "responses", "c" * 65, False),
    ],
)
def test_an_id_that_the_target_refuses_is_another_in_call_and_result_alike(source, target, given, kept):
    if source == "openai":
        call = {"id": given, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        said = [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": given, "content": "x"}]
        request = {"model": "m", "messages": [{"role": "user", "content": "go"}, *said]}
    else:
        said = [{"type": "function_call", "call_id": given, "name": "f", "arguments": "{}"}]
        said.append({"type": "function_call_output", "call_id": given, "output": "x"})
        request = {"model": "m", "input": [{"role": "user", "content": "go"}, *said]}
    found = []

    def look(value):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if name in {"id", "tool_use_id", "tool_call_id", "call_id"}:
                found.append(inner)
            elif isinstance(inner, (dict, list)):
                look(inner)

    look(valid(target, convert.request(source, target, request)))
    assert len(found) == 2
    assert len(set(found)) == 1
    assert (found[0] == given) is kept
    assert len(found[0]) <= 40 or kept


# Instructions


def roles(*names):
    made = convert.request("openai", "anthropic", {"messages": [{"role": role, "content": role[:3]} for role in names]})
    return [made.get("system"), *(turn["role"] for turn in made["messages"])]


def test_instructions_stand_where_anthropic_takes_them():
    assert roles("system", "user") == ["sys", "user"]
    assert roles("user", "system") == [None, "user", "system"]
    assert roles("user", "system", "assistant", "user") == [None, "user", "system", "assistant", "user"]
    assert roles("user", "assistant", "developer", "user") == [None, "user", "assistant", "user", "system"]
    assert roles("user", "system", "user") == [None, "user", "system"]
    assert roles("user", "assistant", "assistant", "user") == [None, "user", "assistant", "user"]
    assert roles("system", "developer", "user")[0] == [{"type": "text", "text": "sys"}, {"type": "text", "text": "dev"}]


@pytest.mark.parametrize("names", [["system"], ["assistant", "user"], ["user", "assistant", "system"], []])
def test_what_anthropic_cannot_begin_or_go_on_with_is_refused(names):
    messages = [{"role": role, "content": "x"} for role in names]
    assert "Anthropic Messages" in refused("openai", "anthropic", {"messages": messages})


@pytest.mark.parametrize("empty", ["", " \n", None, []])
def test_an_empty_message_is_left_out(empty):
    said = [{"role": "user", "content": "a"}, {"role": "assistant", "content": empty}, {"role": "user", "content": "b"}]
    made = convert.request("openai", "anthropic", {"messages": said})
    assert made["messages"] == [user({"type": "text", "text": "a"}, {"type": "text", "text": "b"})]


# Members


@pytest.mark.parametrize(
    ("rest", "effort"),
    [
        ({}, None),
        ({"thinking": {"type": "adaptive"}}, None),
        ({"thinking": {"type": "disabled"}}, "none"),
        ({"thinking": {"type": "enabled", "budget_tokens": 4096}}, "low"),
        ({"thinking": {"type": "enabled", "budget_tokens": 16384}}, "medium"),
        ({"thinking": {"type": "enabled", "budget_tokens": 16385}}, "high"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}, "output_config": {"effort": "max"}}, "max"),
        ({"output_config": {"effort": "xhigh"}}, "xhigh"),
    ],
)
def test_effort_towards_openai(rest, effort):
    request = claude(user({"type": "text", "text": "go"}), **rest)
    assert convert.request("anthropic", "openai", request).get("reasoning_effort") == effort
    assert convert.request("anthropic", "responses", request).get("reasoning", {}).get("effort") == effort


@pytest.mark.parametrize(("source", "request_"), [("anthropic", CLAUDE), ("openai", CHAT)])
def test_responses_keeps_no_copy_unless_it_is_asked_to(source, request_):
    assert convert.request(source, "responses", request_)["store"] is False
    assert source == "anthropic" or convert.request(source, "responses", {**request_, "store": True})["store"] is True


def test_a_wish_to_see_the_thinking_is_carried():
    made = convert.request("anthropic", "responses", CLAUDE)
    assert made["reasoning"] == {"effort": "high", "summary": "auto"}
    back = convert.request("responses", "anthropic", made)
    assert back["thinking"] == {"type": "adaptive", "display": "summarized"}
    forced = convert.request("responses", "anthropic", ITEMS)
    assert ("thinking" in forced, forced["output_config"]) == (False, {"effort": "high"})


def test_how_closely_to_look_is_carried_between_openai_s_apis():
    made = convert.request("openai", "responses", CHAT)
    assert made["input"][1]["content"][1] == {
        "type": "input_image", "image_url": "https://x.example/a.png", "detail": "high",
    }  # fmt: skip
    back = convert.request("responses", "openai", made)
    assert back["messages"][1]["content"][1] == CHAT["messages"][1]["content"][1]


@pytest.mark.parametrize(
    ("given", "thinking", "effort"),
    [
        (None, None, None),
        ("none", {"type": "disabled"}, None),
        ("minimal", {"type": "adaptive"}, "low"),
        ("max", {"type": "adaptive"}, "max"),
    ],
)
def test_effort_towards_anthropic(given, thinking, effort):
    request = {"model": "m", "messages": [{"role": "user", "content": "go"}], "reasoning_effort": given}
    made = convert.request("openai", "anthropic", request)
    assert made.get("thinking") == thinking
    assert made.get("output_config", {}).get("effort") == effort
    assert made["max_tokens"] == MAX_TOKENS


def test_what_only_the_other_knows_is_refused_by_name():
    said = user({"type": "text", "text": "go"})
    chat = {"messages": [{"role": "user", "content": "go"}]}
    assert refused("anthropic", "openai", claude(said, top_k=5)) == (
        "top_k: this field has no place in OpenAI Chat; send it to a backend that speaks Anthropic Messages"
    )
    assert refused("anthropic", "openai", claude(said, max_tokens=0)).startswith("max_tokens: 0, which fills the cache")
    assert refused("anthropic", "openai", claude(said, stop_sequences=list("abcde"))).startswith("stop_sequences: ")
    assert refused("anthropic", "responses", claude(said, stop_sequences=["a"])).startswith("stop_sequences: ")
    assert refused("openai", "responses", {**chat, "stop": "a"}).startswith("stop: ")
    assert refused("openai", "anthropic", {**chat, "temperature": 1.5}).startswith("temperature: 1.5 is more than 1")
    assert refused("openai", "anthropic", {**chat, "n": True}).startswith("n: ")
    assert refused("openai", "anthropic", {**chat, "response_format": {"type": "json_object"}}).startswith(
        "response_format: "
    )
    edits = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
    convert.request("anthropic", "openai", claude(said, context_management=edits))
    edits["edits"].append({"type": "clear_tool_uses_20250919"})
    assert refused("anthropic", "openai", claude(said, context_management=edits)).startswith(
        "context_management.edits.1: "
    )
    cited = {"type": "document", "source": {"type": "text", "data": "x"}, "citations": {"enabled": True}}
    assert refused("anthropic", "openai", claude(user(cited))).startswith("messages.0.content.0.citations: ")
    tool = {"name": "x" * 65, "input_schema": {}}
    assert refused("anthropic", "openai", claude(said, tools=[tool])).startswith("tools.0: a name of more than 64")
    bitmap = {"type": "image_url", "image_url": {"url": "data:image/bmp;base64,QQ=="}}
    assert "image/bmp" in refused("openai", "anthropic", {"messages": [user(bitmap)]})
    held = {"previous_response_id": "resp_1", "input": "go"}
    assert refused("responses", "anthropic", held).startswith("previous_response_id: ")


def test_marks_go_along_to_gateways_alone():
    words = {"type": "text", "text": "go", "cache_control": MARK}
    tool = {"name": "read", "input_schema": SCHEMA, "cache_control": MARK}
    request = claude(user(words), tools=[tool], cache_control=MARK)
    assert "cache_control" not in json.dumps(convert.request("anthropic", "openai", request))
    made = convert.request("anthropic", "openai", request, keep_cache_control=True)
    assert made["messages"][0]["content"] == [words]
    assert made["tools"][0]["cache_control"] == made["cache_control"] == MARK
    back = convert.request("openai", "anthropic", made)
    assert (back["messages"], back["tools"], back["cache_control"]) == (request["messages"], [tool], MARK)
    assert chat_of(result("x", cache_control=MARK), keep=True)[0]["content"][0]["cache_control"] == MARK


def test_signed_thinking_goes_back_to_anthropic_alone():
    blocks = [
        {"type": "thinking", "thinking": "hm", "signature": "Er"},
        {"type": "thinking", "thinking": "a gateway's copy", "signature": ""},
        {"type": "redacted_thinking", "data": "x"},
    ]
    said = {"role": "assistant", "content": "so", "reasoning_content": "hm", "thinking_blocks": blocks}
    chat = {"model": "m", "messages": [{"role": "user", "content": "go"}, said, {"role": "user", "content": "on"}]}
    made = valid("anthropic", convert.request("openai", "anthropic", chat))
    assert made["messages"][1]["content"] == [blocks[0], blocks[2], {"type": "text", "text": "so"}]
    items = [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": "Er",
        },
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "redacted_thinking:x"},
        {"type": "reasoning", "id": "rs_3", "summary": [], "encrypted_content": "gAAAAABo"},
        {"role": "assistant", "content": "so"},
    ]
    made = convert.request(
        "responses",
        "anthropic",
        {"model": "m", "input": [{"role": "user", "content": "go"}, *items, {"role": "user", "content": "on"}]},
    )
    assert made["messages"][1]["content"] == [blocks[0], blocks[2], {"type": "text", "text": "so"}]


def test_a_last_message_of_the_model_is_no_beginning_of_the_next():
    talk = [{"role": "user", "content": "go"}, {"role": "assistant", "content": "so"}]
    for source, request in (("openai", {"messages": talk}), ("responses", {"input": talk})):
        with pytest.raises(CannotCarryError, match=r"^(messages|input)\.1: a last message of the model"):
            convert.request(source, "anthropic", {"model": "m", **request})


def test_a_system_message_between_a_call_and_its_result_goes_behind_it():
    items = [
        {"role": "user", "content": "go"},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"role": "developer", "content": "be brief"},
        {"type": "function_call_output", "call_id": "c1", "output": "x"},
    ]
    made = convert.request("responses", "openai", {"model": "m", "input": items})
    assert [message["role"] for message in made["messages"]] == ["user", "assistant", "tool", "developer"]


def test_thinking_goes_through_a_gateway_that_hands_it_on():
    block = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    said = {"role": "assistant", "content": [block, {"type": "text", "text": "so"}]}
    talk = [{"role": "user", "content": "go"}, said, {"role": "user", "content": "on"}]
    request = {"model": "claude-x", "max_tokens": 9, "messages": talk}
    kept = convert.request("anthropic", "openai", request, keep_cache_control=True)
    assert kept["messages"][1]["thinking_blocks"] == [block]
    assert "thinking_blocks" not in convert.request("anthropic", "openai", request)["messages"][1]


@pytest.mark.parametrize("middle", ["openai", "responses"])
def test_a_client_of_openai_s_gives_claude_its_own_turn_back(middle):
    said = [
        {"type": "thinking", "thinking": "hm\n\nso", "signature": "EqQB"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"path": "a.py"}},
    ]
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": said,
        "stop_sequence": None,
    }
    message |= {"stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1}}
    seen = json.loads(answers.converter("anthropic", middle, streaming=False).body(json.dumps(message).encode()))
    ask = {"role": "user", "content": "go"}
    if middle == "openai":
        answer = {"role": "tool", "tool_call_id": "toolu_1", "content": "x"}
        later = {"model": "m", "messages": [ask, seen["choices"][0]["message"], answer]}
    else:
        answer = {"type": "function_call_output", "call_id": "toolu_1", "output": "x"}
        later = {"model": "m", "input": [ask, *seen["output"], answer]}
    assert convert.request(middle, "anthropic", later)["messages"][1] == {"role": "assistant", "content": said}


def test_tools_among_the_items_are_tools():
    tools = {"type": "additional_tools", "role": "developer", "tools": ITEMS["tools"]}
    made = valid(
        "anthropic", convert.request("responses", "anthropic", {"model": "m", "input": [tools, *ITEMS["input"]]})
    )
    assert [tool["name"] for tool in made["tools"]] == ["read"]


def test_free_text_tools_go_between_openai_s_apis():
    grammar = {"definition": "start: /x/", "syntax": "lark"}
    tool = {"type": "custom", "custom": {"name": "patch", "format": {"type": "grammar", "grammar": grammar}}}
    call = {"id": "c1", "type": "custom", "custom": {"name": "patch", "input": "x"}}
    said = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "ok"},
    ]
    allowed = {"mode": "required", "tools": [{"type": "custom", "custom": {"name": "patch"}}]}
    chat = {"model": "m", "messages": [{"role": "user", "content": "go"}, *said], "tools": [tool]}
    chat["tool_choice"] = {"type": "allowed_tools", "allowed_tools": allowed}
    made = valid("responses", convert.request("openai", "responses", chat))
    assert made["tools"] == [{"type": "custom", "name": "patch", "format": {"type": "grammar", **grammar}}]
    assert [item["type"] for item in made["input"][1:]] == ["custom_tool_call", "custom_tool_call_output"]
    back = valid("openai", convert.request("responses", "openai", made))
    assert {name: back[name] for name in chat} == chat


def test_a_schema_is_strict_where_it_keeps_to_the_rules():
    closed = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    assert is_strict(closed)
    assert not is_strict(SCHEMA)
    assert not is_strict({**closed, "properties": {"a": SCHEMA}})
    for schema in (closed, SCHEMA):
        request = claude(
            user({"type": "text", "text": "go"}), output_config={"format": {"type": "json_schema", "schema": schema}}
        )
        made = valid("openai", convert.request("anthropic", "openai", request))
        assert made["response_format"]["json_schema"] == {
            "name": "answer",
            "schema": schema,
            "strict": schema is closed,
        }
        text = valid("responses", convert.request("anthropic", "responses", request))["text"]
        assert text == {
            "format": {"type": "json_schema", "name": "answer", "schema": schema, "strict": schema is closed}
        }


def test_two_turns_of_the_model_are_one_where_nothing_stands_between_them():
    said = [
        {"role": name, "content": text}
        for name, text in zip(("user", "assistant") * 2, ("a", "b", "", "c"), strict=True)
    ]
    made = convert.request("openai", "anthropic", {"messages": [*said, {"role": "user", "content": "d"}]})
    assert [turn["role"] for turn in made["messages"]] == ["user", "assistant", "user"]
    assert made["messages"][1]["content"] == [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]


def test_tools_as_anthropic_wants_them():
    chat = {"messages": [{"role": "user", "content": "go"}], "parallel_tool_calls": False, "tool_choice": "none"}
    tool = {"type": "function", "function": {"name": "read", "parameters": {"properties": {}}}}
    made = convert.request("openai", "anthropic", {**chat, "tools": [tool]})
    assert made["tools"] == [{"name": "read", "input_schema": {"type": "object", "properties": {}}}]
    assert made["tool_choice"] == {"type": "none"}
    bare = convert.request(
        "openai", "anthropic", {**chat, "tools": [{"type": "function", "function": {"name": "read"}}]}
    )
    assert bare["tools"] == made["tools"]
    assert "tool_choice" not in convert.request("openai", "anthropic", chat)
    dotted = {"type": "function", "function": {"name": "a.b", "parameters": {}}}
    assert refused("openai", "anthropic", {**chat, "tools": [dotted]}).startswith("tools.0: a name of anything but")


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            {"filename": "a.PDF", "file_data": "JVBERi0="},
            {"source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}, "title": "a.PDF"},
        ),
        (
            {"file_data": "data:text/plain;charset=utf-8;base64,w7w="},
            {"source": {"type": "text", "media_type": "text/plain", "data": "ü"}},
        ),
        ({"file_url": "https://x.example/a.pdf"}, {"source": {"type": "url", "url": "https://x.example/a.pdf"}}),
    ],
)
def test_files_of_responses_are_documents(part, block):
    request = {"model": "m", "input": [{"role": "user", "content": [{"type": "input_file", **part}]}]}
    made = valid("anthropic", convert.request("responses", "anthropic", request))
    assert made["messages"] == [user({"type": "document", **block})]


@pytest.mark.parametrize(
    "part", [{"filename": "a.xyz", "file_data": "QQ=="}, {"file_data": "data:text/plain;base64,/w=="}]
)
def test_a_file_that_nobody_can_read_is_refused(part):
    request = {"model": "m", "input": [{"role": "user", "content": [{"type": "input_file", **part}]}]}
    assert refused("responses", "anthropic", request).startswith("input.0.content.0: ")


def test_a_schema_keeps_its_description():
    form = {"type": "json_schema", "json_schema": {"name": "x", "description": "one path", "schema": SCHEMA}}
    made = convert.request(
        "openai", "anthropic", {"messages": [{"role": "user", "content": "go"}], "response_format": form}
    )
    assert made["output_config"]["format"]["schema"] == {"description": "one path", **SCHEMA}


def test_titles_and_sources_are_told():
    found = {"type": "search_result", "title": "T", "source": "S", "content": [{"type": "text", "text": "one"}]}
    source = {"type": "text", "media_type": "text/plain", "data": "two"}
    document = {"type": "document", "title": "D", "context": "C", "source": source}
    made = convert.request("anthropic", "openai", claude(user(found, document)))
    told = [part["text"] for part in made["messages"][0]["content"]]
    assert told == ["[search result: T, S]", "one", "[document: D]", "C", "two"]
