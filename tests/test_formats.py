"""The lenses: what they recognise, which blocks they list, and that writing is splicing."""

from __future__ import annotations

import json

import pytest

from headroom_cli import formats
from headroom_cli.errors import FormatError
from headroom_cli.formats import _calls, _tree

LONG = "line of output\n" * 40


def anthropic_request(content: object = LONG, **extra: object) -> dict[str, object]:
    return {
        "model": "m",
        "system": "be brief",
        "messages": [
            {"role": "user", "content": "why does it fail?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "pytest -q"}},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": content, **extra}]},
        ],
    }


def chat_request() -> dict[str, object]:
    call = {"id": "c1", "type": "function", "function": {"name": "bash", "arguments": '{"command": "rg -n foo"}'}}
    return {
        "model": "m",
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "find foo"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": LONG},
        ],
    }


def responses_request() -> dict[str, object]:
    return {
        "model": "m",
        "instructions": "be brief",
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "look"}]},
            {"type": "reasoning", "encrypted_content": "x", "summary": []},
            {
                "type": "function_call",
                "call_id": "f1",
                "name": "shell",
                "arguments": '{"command":["bash","-lc","ls -R"]}',
            },
            {"type": "function_call_output", "call_id": "f1", "output": LONG},
        ],
    }


def in_scope(document: formats.Document) -> list[formats.Block]:
    return [block for block in document.blocks if not block.kept]


@pytest.mark.parametrize(
    ("value", "name", "path", "command"),
    [
        (anthropic_request(), "anthropic", "messages.2.content.0.content", "pytest -q"),
        (
            anthropic_request([{"type": "text", "text": LONG}]),
            "anthropic",
            "messages.2.content.0.content.0.text",
            "pytest -q",
        ),
        (chat_request(), "openai", "messages.3.content", "rg -n foo"),
        (responses_request(), "responses", "input.3.output", "ls -R"),
        (chat_request()["messages"], "bare", "3.content", "rg -n foo"),
        (anthropic_request()["messages"], "bare", "2.content.0.content", "pytest -q"),
        (responses_request()["input"], "bare", "3.output", "ls -R"),
    ],
)
def test_tool_results_are_found_in_every_shape(value: object, name: str, path: str, command: str) -> None:
    for dumped in (json.dumps(value), json.dumps(value, indent=2), json.dumps(value, ensure_ascii=False)):
        document = formats.parse(dumped.encode())
        assert document.format == name
        (block,) = in_scope(document)
        assert (block.path, block.hint.command, block.text) == (path, command, LONG)
        assert dumped[block.start : block.end] == json.dumps(LONG)
        assert block.question
    of_value = formats.of_value(value)
    assert [block.path for block in in_scope(of_value)] == [path]


def test_every_text_is_listed_and_only_tool_output_is_in_scope() -> None:
    document = formats.parse(json.dumps(anthropic_request()).encode())
    assert [(block.role, block.kept) for block in document.blocks] == [
        ("system", "system prompt"),
        ("user", "user's words"),
        ("tool", ""),
    ]


def test_splice_changes_nothing_else() -> None:
    message = '{"role":"tool","x":1.10,"big":123456789012345678901234567890,"content":"a\\u00e9\\/b"}'
    text = '{ "messages":[ ' + message + ' ] , "y":1E400}'
    document = formats.parse(text.encode())
    (block,) = document.blocks
    assert block.text == "aé/b"
    assert document.style(block) == "a/"
    assert document.splice([(block, '"z"')]) == text.replace('"a\\u00e9\\/b"', '"z"').encode()
    assert document.splice([]) == text.encode()


@pytest.mark.parametrize("name", list(formats.STYLES))
def test_styles_give_their_literal_back(name: str) -> None:
    text = 'é/<>&\u2028\x01"\\ü'
    literal = formats.STYLES[name](text)
    data = f'[{{"role":"tool","content":{literal}}}]'.encode()
    document = formats.parse(data)
    (block,) = document.blocks
    assert formats.encode_like(document.style(block), literal, block.text) == literal


def test_a_literal_of_unknown_style_is_said_to_be_one() -> None:
    document = formats.parse(b'[{"role":"tool","content":"\\u0041b"}]')
    assert document.style(document.blocks[0]) == formats.OTHER_STYLE


def test_json_lines_of_messages_are_one_conversation() -> None:
    messages = chat_request()["messages"]
    assert isinstance(messages, list)
    data = "".join(json.dumps(message) + "\n" for message in messages).encode()
    document = formats.parse(data)
    assert document.format == "jsonl"
    assert [block.path for block in in_scope(document)] == ["3.content"]
    assert document.splice([]) == data


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "{}", "[]", "[1,2]", '{"a":1}', '{"messages":1}', '{"messages":[]}x', '[{"role":"user"', "plain words",
        '{"messages":[{"role":"user","content":"a","content":"b"}]}', '[{"id":1},{"id":2}]', '{"a":1}\n{"a":2}\n',
        '[{"role":"admin","user":"kim"},{"user":"ann"}]',
    ],
)  # fmt: skip
def test_anything_else_is_a_raw_blob(text: str) -> None:
    document = formats.parse(text.encode())
    assert document.format in ("raw", "openai")
    assert not in_scope(document) or document.format == "raw"
    assert document.splice([]) == text.encode()


def test_a_named_format_is_demanded() -> None:
    for name in ("anthropic", "openai", "responses", "bare", "jsonl"):
        with pytest.raises(FormatError, match="not"):
            formats.parse(b"plain words", name)
    with pytest.raises(FormatError, match="unknown format"):
        formats.parse(b"{}", "yaml")
    assert formats.parse(b'{"messages":[]}', "raw").format == "raw"


def test_nesting_is_bounded_without_recursion() -> None:
    assert _tree.too_deep(b"[" * 1_000_000)
    assert _tree.too_deep(b"[" * 1_000 + b"]" * 1_000)
    assert not _tree.too_deep(b"[" * 90 + b"]" * 90)
    assert not _tree.too_deep(b'["[[[[", "\\"[", {"a":"]"}]' * 200)
    document = formats.parse(b'{"messages":' + b"[" * 5_000 + b"]" * 5_000 + b"}")
    assert document.format == "raw"
    assert "nested deeper" in document.warning
    assert document.blocks[0].text == document.text


def test_a_byte_order_mark_stays() -> None:
    data = b"\xef\xbb\xbf" + json.dumps(chat_request()).encode()
    document = formats.parse(data)
    assert document.format == "openai"
    assert document.splice([]) == data


@pytest.mark.parametrize(
    ("tool", "arguments", "kept"),
    [
        ("Read", {"file_path": "a.py"}, ""),
        ("Read", {"file_path": "a.py", "offset": 10, "limit": 5}, "ranged read"),
        ("str_replace_editor", {"command": "view", "path": "a.py", "view_range": [1, 20]}, "ranged read"),
        ("bash", {"command": "sed -n '10,20p' a.py"}, "ranged read"),
        ("bash", {"command": "sed '10,20!d' a.py"}, "ranged read"),
        ("bash", {"command": "awk 'NR>=10 && NR<=20' a.py"}, "ranged read"),
        ("bash", {"command": "awk 'NR==10,NR==20' a.py"}, "ranged read"),
        ("bash", {"command": "perl -ne 'print if 10..20' a.py"}, "ranged read"),
        ("bash", {"command": "awk '{print $1}' a.txt"}, ""),
        ("bash", {"command": "sed 's/a/b/' a.py"}, ""),
        ("bash", {"command": "headroom retrieve k3f5a2m7qx4c"}, "retrieved text"),
        ("bash", {"command": "sh -c 'headroom retrieve k3f5a2m7qx4c'"}, "retrieved text"),
        ("bash", {"command": "timeout 5 ~/.local/bin/headroom retrieve k3f5a2m7qx4c"}, "retrieved text"),
        ("bash", {"command": "x=$(python -m headroom_cli retrieve k3f5a2m7qx4c); echo"}, "retrieved text"),
        ("mcp__headroom__headroom_retrieve", {"hash": "k3f5a2m7qx4c"}, "retrieved text"),
        ("bash", {"command": "grep headroom retrieve.txt"}, ""),
        ("bash", '{"command": "ls"}', ""),
        ("bash", "not json", ""),
        ("bash", None, ""),
    ],
)
def test_calls_say_what_must_stay(tool: str, arguments: object, kept: str) -> None:
    assert _calls.describe(tool, arguments).kept == kept


def test_observations_in_user_turns_need_a_command_and_a_wrapper() -> None:
    def messages(reply: str, turn: str) -> bytes:
        return json.dumps(
            [
                {"role": "user", "content": "fix it"},
                {"role": "assistant", "content": reply},
                {"role": "user", "content": turn},
            ]
        ).encode()

    command = "I look.\n\n```bash\ncat app.log\n```"
    wrapped = "<returncode>0</returncode>\n<output>\n" + LONG + "</output>"
    (block,) = in_scope(formats.parse(messages(command, wrapped)))
    assert block.hint.command == "cat app.log"
    assert block.question == "fix it"
    assert not in_scope(formats.parse(messages("I look.", wrapped)))
    assert not in_scope(formats.parse(messages(command, "Please stop.\n" + LONG)))
    first = json.dumps([{"role": "user", "content": wrapped}]).encode()
    assert not in_scope(formats.parse(first))


def test_errors_and_unknown_parts_stay() -> None:
    assert not in_scope(formats.parse(json.dumps(anthropic_request(is_error=True)).encode()))
    parts = [
        {"type": "tool_reference", "tool_name": "x"},
        {"type": "image", "source": {}},
        {"type": "new", "text": LONG},
    ]
    assert not in_scope(formats.parse(json.dumps(anthropic_request(parts)).encode()))


def test_values_are_replaced_in_copies() -> None:
    request = anthropic_request()
    before = json.dumps(request)
    document = formats.of_value(request)
    (block,) = in_scope(document)
    document.splice([(block, "short")])
    assert json.dumps(request) == before
    assert document.made["messages"][2]["content"][0]["content"] == "short"
    assert document.made["messages"][0] is request["messages"][0]  # type: ignore[index]
    with pytest.raises(TypeError, match="takes a list"):
        formats.of_value("text")


@pytest.mark.parametrize(
    "text",
    [
        '{"input":[{"type":["a"]}]}', '{"input":[{"type":{"a":1}},{"role":"user","content":"x"}]}',
        '{"messages":[{"role":"user","content":[{"type":[1],"text":"x"}]}],"tools":true}',
        '{"messages":[{"role":"user","content":"x"}],"tools":1.5}', '[{"type":["message"],"role":["user"]}]',
        '{"type":[],"content":"x"}\n{"type":[],"content":"y"}',
        '{"messages":[{"role":"tool","tool_call_id":[],"content":"x"}]}',
    ],
)  # fmt: skip
def test_values_of_another_type_than_expected_are_no_reason_to_fail(text):
    document = formats.parse(text.encode())
    assert document.splice([]) == text.encode()
