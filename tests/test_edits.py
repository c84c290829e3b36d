"""Edits of a document's structure: the same on bytes and on values, each untouched element byte for byte, undoable."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom_cli import formats
from headroom_cli.formats import KEPT, Edit, EditError

CHAT = (
    '{ "model" : "m", "messages":[ {"role":"system","content":"a\\/b"} ,\n\t{"role":"user","content":"\\u00e9 x"},'
    '{"role":"assistant","content":"ok","n":1.10} ], "tools":[{"name":"b"},{"name":"a", "x":1E400}] }'
)


def edited(text, *edits, form=""):
    document = formats.parse(text.encode(), form)
    made, undo = document.edited(edits)
    assert formats.undone(made.text, undo) == text
    return made.text


def test_each_edit_changes_its_own_place_alone():
    path = ("messages", 1, "content")
    assert edited(CHAT, Edit.text(path, "é y")) == CHAT.replace("\\u00e9 x", "\\u00e9 y")
    assert edited(CHAT, Edit.text(("messages", 0, "content"), "a/c")) == CHAT.replace("a\\/b", "a\\/c")
    wrapped = edited(CHAT, Edit.put(path, [{"type": "text", "text": KEPT}, {"type": "text", "text": "z"}]))
    assert wrapped == CHAT.replace('"\\u00e9 x"', '[{"type":"text","text":"\\u00e9 x"},{"type":"text","text":"z"}]')
    assert edited(CHAT, Edit.drop(("messages",), 1)) == CHAT.replace(
        ',\n\t{"role":"user","content":"\\u00e9 x"}', ""
    ).replace('"} ,{', '"},{').replace('b"},{"role":"assistant"', 'b"},{"role":"assistant"')
    assert edited(CHAT, Edit.order(("tools",), [1, 0])).endswith('"tools":[{"name":"a", "x":1E400},{"name":"b"}] }')
    assert edited(CHAT, Edit.member(("tools", 0), "k", [1])).endswith(
        '[{"name":"b","k":[1]},{"name":"a", "x":1E400}] }'
    )
    assert '"content":"no","n":1.10' in edited(CHAT, Edit.member(("messages", 2), "content", "no"))


def test_members_leave_an_object_with_their_commas():
    for keys in (("model",), ("tools",), ("model", "messages"), ("messages", "tools"), ("model", "messages", "tools")):
        made = formats.spliced(CHAT.encode(), [Edit.remove((), key) for key in (*keys, "absent")])
        left = json.loads(CHAT)
        for key in keys:
            del left[key]
        assert json.loads(made) == left
        made = formats.spliced(CHAT.encode(), [*(Edit.remove((), key) for key in keys), Edit.member((), "new", 1)])
        assert json.loads(made) == {**left, "new": 1}
        values = formats.of_value(json.loads(CHAT)).edited([Edit.remove((), key) for key in keys if key != "messages"])
        assert values[0].value() == {
            **left,
            **({"messages": json.loads(CHAT)["messages"]} if "messages" in keys else {}),
        }
    assert formats.spliced(CHAT.encode(), [Edit.remove((), "model")]).endswith(b'"x":1E400}] }')
    with pytest.raises(EditError):
        formats.spliced(CHAT.encode(), [Edit.remove((), "model"), Edit.member((), "model", "m")])
    with pytest.raises(EditError):
        formats.spliced(CHAT.encode(), [Edit.remove(("messages",), "model")])


def test_elements_come_in_before_and_behind_others():
    new = {"role": "user", "content": "n"}
    assert json.loads(edited(CHAT, Edit.insert(("messages",), 0, new)))["messages"][0] == new
    assert json.loads(edited(CHAT, Edit.insert(("messages",), 3, new)))["messages"][3] == new
    both = edited(CHAT, Edit.insert(("messages",), 1, new), Edit.drop(("messages",), 1), Edit.drop(("messages",), 2))
    assert [turn["role"] for turn in json.loads(both)["messages"]] == ["system", "user"]
    assert json.loads(edited(CHAT, *(Edit.drop(("tools",), i) for i in (0, 1))))["tools"] == []


def test_an_order_moves_elements_as_edited():
    made = edited(CHAT, Edit.order(("tools",), [1, 0]), Edit.text(("tools", 0, "name"), "c"))
    assert made.endswith('[{"name":"a", "x":1E400},{"name":"c"}] }')


def test_json_lines_and_a_byte_order_mark_keep_their_form():
    lines = (
        '\ufeff{"role":"user","content":"a"}\n\n{"role":"assistant","content":"b"}\r\n{"role":"user","content":"c"}\n'
    )
    made = edited(lines, Edit.insert((), 1, {"role": "user", "content": "n"}), Edit.text((2, "content"), "d"))
    assert [json.loads(line)["content"] for line in made[1:].split("\n") if line.strip()] == ["a", "n", "b", "d"]
    assert edited(lines, Edit.drop((), 2)).endswith('"b"}\n')
    assert formats.parse(lines.encode()).source((1, "content")) == '"b"'


def test_sources_are_the_bytes_of_the_client():
    document = formats.parse(CHAT.encode())
    assert document.source(("tools", 1)) == '{"name":"a", "x":1E400}'
    assert document.source(("messages", 2, "n")) == "1.10"
    assert [document.turn_of(block) for block in document.blocks] == [0, 1, 2]
    for path in (("messages", 9), ("nothing",), ("model", 0), ("messages", "0")):
        with pytest.raises(EditError):
            document.source(path)


@pytest.mark.parametrize(
    "edits",
    [
        [Edit.text(("messages", 7, "content"), "x")],
        [Edit.text(("messages", 0), "x")],
        [Edit.text(("no",), "x")],
        [Edit.drop(("messages",), 3)],
        [Edit.drop(("model",), 0)],
        [Edit.order(("tools",), [0])],
        [Edit.order(("tools",), [1, 0]), Edit.drop(("tools",), 0)],
        [Edit.drop(("messages",), 0), Edit.text(("messages", 0, "content"), "x")],
        [Edit.put(("model",), "x"), Edit.text(("model", 0), "x")],
        [Edit.put(("messages",), 7)],
    ],
    ids=lambda edits: edits[0].kind,
)
def test_what_cannot_be_edited_is_refused(edits):
    with pytest.raises(EditError):
        formats.parse(CHAT.encode()).edited(edits)


def test_a_key_that_stands_twice_is_no_place():
    with pytest.raises(EditError):
        formats.parse(b'{"messages":[{"role":"user","content":"a"}],"x":{"k":1,"k":2}}').edited(
            [Edit.text(("x", "k"), "v")]
        )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def lists_and_edits(draw):
    count = draw(st.integers(0, 5))
    turns = [{"role": "user", "content": draw(st.text(max_size=5)), "x": draw(VALUES)} for _ in range(count)]
    edits = []
    for i in range(count + 1):
        if draw(st.booleans()):
            edits.append(Edit.insert(("messages",), i, {"role": "user", "content": "new", "v": draw(VALUES)}))
        if i < count:
            action = draw(st.sampled_from(("", "", "drop", "text", "put", "kept", "member", "over")))
            if action == "drop":
                edits.append(Edit.drop(("messages",), i))
            elif action == "text":
                edits.append(Edit.text(("messages", i, "content"), draw(st.text(max_size=5))))
            elif action in {"put", "kept"}:
                kept = [KEPT] if action == "kept" else draw(VALUES)
                edits.append(Edit.put(("messages", i, "x"), {"a": kept}))
            elif action:
                edits.append(Edit.member(("messages", i), "y" if action == "member" else "x", draw(VALUES)))
    return turns, edits


@given(lists_and_edits(), st.sampled_from([None, 1]), st.booleans())
def test_bytes_and_values_are_edited_alike(case, indent, ascii_only):
    turns, edits = case
    request = {"model": "m", "messages": turns}
    text = json.dumps(request, indent=indent, ensure_ascii=ascii_only)
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    document = formats.parse(text.encode(), "openai")
    made, undo = document.edited(edits)
    assert formats.undone(made.text, undo) == text
    value, _ = formats.ValueDocument("openai", request, []).edited(edits)
    assert json.loads(made.text) == value.made
    assert request == {"model": "m", "messages": turns}
