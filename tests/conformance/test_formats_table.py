"""Every format of the table against the laws of splicing; a new row is picked up without a line here."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import ODD, hostile_files

from headroom_cli import engine, formats
from headroom_cli.errors import FormatError
from headroom_cli.model import Policy
from headroom_cli.store import Store

NAMES = list(formats.FORMATS)
VALUES = [data for name, data in hostile_files() if name.startswith(("y_", "i_"))] or [
    b"1.10", b"1E400", b"-0", b'{"a":1,"a":2}', b'"\\u00e9\\/"', b"123456789012345678901234567890", b'["\\ud800"]',
]  # fmt: skip


def test_rows_are_whole() -> None:
    for name, about in formats.FORMATS.items():
        assert about
        if name not in ("raw", "jsonl"):
            assert callable(formats.module(name).walk)
            assert name == formats.module(name).NAME


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ODD)
def test_odd_texts_are_the_format_or_an_error(name: str, text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    try:
        document = formats.parse(data, name)
    except (FormatError, UnicodeDecodeError):
        return
    assert document.format == name or document.warning
    assert document.splice([]) == data
    for block in document.blocks:
        assert 0 <= block.start < block.end <= len(document.text)


def test_unknown_values_in_a_request_stay_byte_for_byte() -> None:
    for value in VALUES:
        try:
            value.decode()
        except UnicodeDecodeError:
            continue
        data = b'{"x":' + value + b',"messages":[{"role":"tool","content":"a","y":' + value + b"}]}"
        document = formats.parse(data)
        assert document.splice([]) == data
        if document.format == "openai":
            (block,) = document.blocks
            assert document.splice([(block, '"b"')]) == data.replace(b'"content":"a"', b'"content":"b"')


texts = st.text(max_size=60)
contents = st.one_of(
    texts,
    st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": texts}), max_size=3),
    st.none(),
    st.integers(),
)
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "tool", "system", "x"]), "content": contents},
        optional={"tool_call_id": texts, "tool_calls": st.lists(st.dictionaries(texts, texts, max_size=2), max_size=2)},
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=200)
@given(messages, st.sampled_from([None, 1, 4]), st.booleans())
def test_any_messages_are_listed_where_they_stand(value: list[object], indent: int | None, ascii_only: bool) -> None:
    for whole in (value, {"messages": value}, {"system": "s", "messages": value}):
        text = json.dumps(whole, indent=indent, ensure_ascii=ascii_only)
        data = text.encode("utf-8", "surrogatepass")
        try:
            document = formats.parse(data)
        except UnicodeDecodeError:
            continue
        assert document.splice([]) == data
        if not document.has_turns:
            continue
        at = 0
        for block in document.blocks:
            assert at <= block.start < block.end
            assert json.loads(document.text[block.start : block.end]) == block.text
            at = block.end
        literals = [(block, formats.encode_like("u", "", "new")) for block in document.blocks]
        spliced = json.loads(document.splice(literals))
        of_value = formats.of_value(json.loads(text))
        of_value.splice([(block, "new") for block in of_value.blocks])
        assert spliced == of_value.made


def test_hostile_files_pass_through_every_format(tmp_path: object) -> None:
    store = Store(f"{tmp_path}/store")
    for _, data in hostile_files():
        for name in ("", *NAMES):
            try:
                result = engine.crush(data, Policy(), store, form=name)
            except FormatError:
                continue
            assert len(result.data) <= len(data)
            assert engine.expand(result.data, store, form=name) == (data, [])
