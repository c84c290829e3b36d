"""Answers of one API in the shape of another (headroom_cli/convert/answers), read back by the official SDKs."""

import contextlib
import json
import random
import sys
import tracemalloc
import typing
import warnings

import anthropic
import openai
import pytest
from answer_sources import (
    BODIES,
    STREAMS,
    anthropic_body,
    anthropic_stream,
    chat_body,
    chat_stream,
    responses_body,
    responses_stream,
)
from anthropic.types import ContentBlock as AnthropicBlock
from anthropic.types import Message, MessageDeltaUsage, RawContentBlockDelta, TextCitation
from anthropic.types import Usage as AnthropicUsage
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessage
from openai.types.completion_usage import CompletionTokensDetails, PromptTokensDetails
from openai.types.responses import Response, ResponseOutputItem, ResponseStreamEvent
from pydantic import TypeAdapter

from headroom_cli import convert
from headroom_cli.convert import answers
from headroom_cli.convert.answers._neutral import Balance
from headroom_cli.errors import AnsweredError
from headroom_cli.wire import load as load_wire
from headroom_cli.wire._events import Event

SHAPES = ("anthropic", "openai", "responses")
PAIRS = [(a, b) for a in SHAPES for b in SHAPES if a != b]
NOW = 1_750_000_000


def events(values):
    return [
        Event(b"data: [DONE]\n\n", "", "[DONE]") if value == "[DONE]" else Event.of(value, value.get("type", ""))
        for value in values
    ]


def run(source, target, values, *, include_usage=True):
    """Convert a stream; return the bytes that the client reads."""
    converter = answers.converter(source, target, streaming=True, include_usage=include_usage, now=NOW)
    out = [event for each in events(values) for event in converter.take(each)] + converter.end()
    return b"".join(event.raw for event in out)


def whole(source, target, body):
    converter = answers.converter(source, target, streaming=False, now=NOW)
    return json.loads(converter.body(json.dumps(body).encode()))


# Targets: what an official SDK makes of it, over a transport that answers with our bytes.


class Wire:
    """The SDKs' clients, which read what ``data`` holds."""

    def __init__(self):
        self.data = b""
        self.anthropic = self.client(anthropic, anthropic.Anthropic)
        self.openai = self.client(openai, openai.OpenAI)

    def client(self, package, kind):
        base = package.DefaultHttpxClient.__mro__[1]
        library = sys.modules[base.__module__.partition(".")[0]]  # httpx or its successor, by the SDK's version

        def answer(_request):
            return library.Response(200, headers={"content-type": "text/event-stream"}, content=self.data)

        return kind(api_key="k", http_client=library.Client(transport=library.MockTransport(answer)), max_retries=0)

    def read(self, target, data):
        """Return what the SDK's own accumulator makes of a stream, as a plain object."""
        self.data = data
        ask = {"model": "m"}
        if target == "anthropic":
            with self.anthropic.messages.stream(max_tokens=9, messages=[{"role": "user", "content": "x"}], **ask) as s:
                return s.get_final_message().to_dict()
        if target == "openai":
            with self.openai.chat.completions.stream(messages=[{"role": "user", "content": "x"}], **ask) as s:
                return s.get_final_completion().to_dict()
        with self.openai.responses.stream(input="x", **ask) as s:
            return s.get_final_response().to_dict()


@pytest.fixture(scope="module")
def wire():
    return Wire()


TYPES = {"anthropic": Message, "openai": ChatCompletion, "responses": Response}


def plain(value):
    """Leave out what an SDK adds or leaves in: indexes of pieces, parsed values, members that are null."""
    if isinstance(value, dict):
        kept = {
            name: plain(each)
            for name, each in value.items()
            if name not in {"parsed", "parsed_arguments", "parsed_output"}
        }
        if "function" in kept or kept.get("type") in {"thinking", "redacted_thinking"}:
            kept.pop("index", None)
        if isinstance(kept.get("arguments"), str):  # spaces between members are the model's own in a stream
            kept["arguments"] = json.loads(kept["arguments"])
        return {name: each for name, each in kept.items() if each is not None}
    return [plain(each) for each in value] if isinstance(value, list) else value


WORDS = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=30)
INPUT = st.dictionaries(
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=6),
    st.one_of(WORDS, st.integers(-9, 9), st.booleans(), st.lists(WORDS, max_size=2)),
    max_size=3,
)


def parts_of(source):
    texts = st.builds(lambda text: {"kind": "text", "text": text}, WORDS)
    thoughts = st.builds(
        lambda text, sign: {"kind": "thinking", "text": text, "signature": sign}, WORDS, st.just("c2ln")
    )
    calls = st.builds(
        lambda name, value: {"kind": "call", "name": name, "input": value}, st.sampled_from(["f", "look_up"]), INPUT
    )
    kinds = [texts, thoughts, calls]
    if source == "anthropic":
        kinds.append(st.just({"kind": "redacted", "signature": "ZGF0YQ=="}))
        kinds.append(st.just({"kind": "thinking", "text": "", "signature": "b25seQ=="}))
    else:
        kinds.append(st.builds(lambda text: {"kind": "refusal", "text": text}, WORDS))

    def number(parts):
        return [{**part, "id": f"call_{index}"} if part["kind"] == "call" else part for index, part in enumerate(parts)]

    return st.lists(st.one_of(kinds), max_size=6).map(number)


@pytest.mark.parametrize(("source", "target"), PAIRS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), seed=st.integers(0, 10**6))
def test_a_stream_gives_the_sdk_what_the_whole_answer_gives(wire, source, target, data, seed):
    parts = data.draw(parts_of(source))
    body = BODIES[source](parts)
    streamed = wire.read(target, run(source, target, STREAMS[source](body, random.Random(seed))))
    converted = whole(source, target, body)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        TYPES[target].model_validate(converted)
    assert plain(streamed) == plain(converted)


@pytest.mark.parametrize("target", ["anthropic", "responses"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(inputs=st.lists(INPUT, min_size=2, max_size=4), seed=st.integers(0, 10**6))
def test_pieces_of_parallel_calls_may_come_in_any_order(wire, target, inputs, seed):
    calls = [{"kind": "call", "id": f"call_{i}", "name": f"f{i}", "input": each} for i, each in enumerate(inputs)]
    stream = chat_stream(chat_body(calls), random.Random(seed), mixed=True)
    made = wire.read(target, run("openai", target, stream))
    found = made["content"] if target == "anthropic" else made["output"]
    by_id = {
        each.get("call_id", each["id"]): each.get("input", None) or json.loads(each.get("arguments", "{}"))
        for each in found
    }
    assert by_id == {each["id"]: each["input"] for each in calls}


def test_calls_that_come_one_after_the_other_are_blocks_one_after_the_other():
    parts = [{"kind": "text", "text": "I look."}]
    parts += [{"kind": "call", "id": f"c{i}", "name": "f", "input": {"a": '}"{', "b": [i]}} for i in range(3)]
    stream = chat_stream(chat_body(parts), random.Random(5))
    marks = [
        (value["type"][14:], value["index"])
        for value in sent(run("openai", "anthropic", stream))
        if value["type"] in {"content_block_start", "content_block_stop"}
    ]
    assert marks == [(what, index) for index in range(4) for what in ("start", "stop")]


def sent(data):
    """Return the JSON values of a stream's events."""
    lines = [line[6:] for line in data.decode().split("\n") if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


EVENTS = {
    "anthropic": TypeAdapter(anthropic.types.RawMessageStreamEvent),
    "openai": TypeAdapter(ChatCompletionChunk),
    "responses": TypeAdapter(ResponseStreamEvent),
}
FULL = {
    "anthropic": anthropic_body(
        [
            {"kind": "thinking", "text": "hm", "signature": "c2ln"},
            {"kind": "redacted", "signature": "ZGF0YQ=="},
            {"kind": "text", "text": "I look."},
            {"kind": "call", "id": "toolu_1", "name": "f", "input": {"a": 1}},
            {"kind": "call", "id": "toolu_2", "name": "g", "input": {}},
        ],
        "tool_use",
    ),
    "openai": chat_body(
        [
            {"kind": "thinking", "text": "hm"},
            {"kind": "text", "text": "I look."},
            {"kind": "refusal", "text": "But no."},
            {"kind": "call", "id": "call_1", "name": "f", "input": {"a": 1}},
            {"kind": "call", "id": "call_2", "name": "g", "input": {}},
        ]
    ),
    "responses": responses_body(
        [
            {"kind": "thinking", "text": "hm", "signature": "gAAA"},
            {"kind": "text", "text": "I look."},
            {"kind": "refusal", "text": "But no."},
            {"kind": "call", "id": "call_1", "name": "f", "input": {"a": 1}},
        ]
    ),
}


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_every_event_has_what_the_api_says_it_has(source, target):
    data = run(source, target, STREAMS[source](FULL[source], random.Random(1)))
    values = sent(data)
    for value in values:
        EVENTS[target].validate_python(value)
    names = [line[7:] for line in data.decode().split("\n") if line.startswith("event: ")]
    assert names == ([] if target == "openai" else [value["type"] for value in values])
    assert data.endswith(b"data: [DONE]\n\n") == (target == "openai")
    if target == "responses":
        assert [value["sequence_number"] for value in values] == list(range(len(values)))
        assert plain(values[-1]["response"]) == plain(whole(source, target, FULL[source]))


def test_a_responses_stream_has_its_events_in_the_order_of_the_api():
    parts = [{"kind": "thinking", "text": "a", "signature": "s"}, {"kind": "text", "text": "b"}]
    parts.append({"kind": "call", "id": "c", "name": "f", "input": {}})
    stream = anthropic_stream(anthropic_body(parts, "tool_use"), random.Random(0))
    kinds = [value["type"].removeprefix("response.") for value in sent(run("anthropic", "responses", stream))]
    assert kinds == [
        "created", "in_progress",
        "output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta",
        "reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done",
        "output_item.added", "content_part.added", "output_text.delta", "output_text.done", "content_part.done",
        "output_item.done",
        "output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done",
        "completed",
    ]  # fmt: skip


# There and back.


def merged(blocks):
    """Texts that follow each other as one: Chat has one text."""
    texts = "".join(block["text"] for block in blocks if block["type"] == "text")
    return [block for block in blocks if block["type"] != "text"], texts


@settings(max_examples=60, deadline=None)
@given(parts=parts_of("anthropic"), seed=st.integers(0, 10**6), middle=st.sampled_from(["openai", "responses"]))
def test_an_answer_comes_back_from_another_api_as_it_was(parts, seed, middle):
    usage = {"input_tokens": 7, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 400, "output_tokens": 5,
             "output_tokens_details": {"thinking_tokens": 3}}  # fmt: skip
    reason = "tool_use" if any(part["kind"] == "call" for part in parts) else "end_turn"
    body = anthropic_body(parts, reason, usage)
    back = whole(middle, "anthropic", whole("anthropic", middle, body))
    order = ("thinking", "redacted_thinking", "tool_use")
    if middle == "openai":
        assert merged(back["content"])[1] == merged(body["content"])[1]
        for kinds in (order[:2], order[2:]):
            found = [[block for block in each["content"] if block["type"] in kinds] for each in (back, body)]
            assert found[0] == found[1]
    else:
        assert back["content"] == body["content"]
    assert {name: each for name, each in back.items() if name != "content"} == {
        name: each for name, each in body.items() if name != "content"
    }
    streamed = [
        block for event in sent(run(middle, "anthropic", sent_back("anthropic", middle, body, seed)))
        if event["type"] == "content_block_start" and (block := event["content_block"])["type"] == "tool_use"
    ]  # fmt: skip
    assert [block["id"] for block in streamed] == [part["id"] for part in parts if part["kind"] == "call"]


def sent_back(source, middle, body, seed):
    values = sent(run(source, middle, STREAMS[source](body, random.Random(seed))))
    return [*values, "[DONE]"] if middle == "openai" else values


@pytest.mark.parametrize("middle", ["openai", "responses"])
def test_signatures_come_back_in_a_stream_too(wire, middle):
    parts = [{"kind": "thinking", "text": "one two", "signature": "c2ln"}, {"kind": "redacted", "signature": "ZA=="}]
    parts += [{"kind": "thinking", "text": "three", "signature": "b25l"}, {"kind": "text", "text": "four"}]
    body = anthropic_body(parts)
    made = wire.read("anthropic", run(middle, "anthropic", sent_back("anthropic", middle, body, 3)))
    assert made["content"] == body["content"]


@pytest.mark.parametrize(("source", "target"), [("openai", "responses"), ("responses", "openai")])
def test_openai_counts_are_carried_as_they_are(source, target):
    names = {"openai": ("prompt", "completion"), "responses": ("input", "output")}

    def usage(shape):
        before, after = names[shape]
        return {
            f"{before}_tokens": 1000, f"{before}_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 300},
            f"{after}_tokens": 50, f"{after}_tokens_details": {"reasoning_tokens": 20}, "total_tokens": 1050,
        }  # fmt: skip

    body = BODIES[source]([{"kind": "text", "text": "x"}], usage=usage(source))
    assert whole(source, target, body)["usage"] == usage(target)


def test_cached_input_is_counted_inside_by_openai_and_outside_by_anthropic():
    usage = {"input_tokens": 7, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 400, "output_tokens": 5}
    body = anthropic_body([{"kind": "text", "text": "x"}], usage=usage)
    assert whole("anthropic", "openai", body)["usage"] == {
        "prompt_tokens": 437, "completion_tokens": 5, "total_tokens": 442,
        "prompt_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 30},
    }  # fmt: skip
    assert whole("anthropic", "responses", body)["usage"] == {
        "input_tokens": 437, "input_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 30},
        "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 442,
    }  # fmt: skip
    more = {"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 12}}
    found = whole("openai", "anthropic", chat_body([{"kind": "text", "text": "x"}], usage=more))["usage"]
    assert found == {"input_tokens": 0, "cache_read_input_tokens": 12, "output_tokens": 2}


def test_the_usage_chunk_comes_only_when_it_was_asked_for():
    def values(*, asked):
        stream = anthropic_stream(FULL["anthropic"], random.Random(1))
        return sent(run("anthropic", "openai", stream, include_usage=asked))

    asked = values(asked=True)
    assert asked[-1]["choices"] == []
    assert asked[-1]["usage"]["total_tokens"] == 12
    assert all(value["usage"] is None for value in asked[:-1])
    assert all("usage" not in value and value["choices"] for value in values(asked=False))


REASONS = [
    ("anthropic", "end_turn", "stop", "completed"), ("anthropic", "stop_sequence", "stop", "completed"),
    ("anthropic", "max_tokens", "length", "max_output_tokens"), ("anthropic", "pause_turn", "stop", "completed"),
    ("anthropic", "model_context_window_exceeded", "length", "max_output_tokens"),
    ("anthropic", "refusal", "content_filter", "content_filter"), ("anthropic", "tool_use", "tool_calls", "completed"),
    ("anthropic", "sudden_silence", "stop", "completed"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "reason", "chat", "status"), REASONS)
def test_reasons_to_stop_become_the_nearest(source, reason, chat, status):
    body = anthropic_body([{"kind": "text", "text": "x"}], reason)
    made = whole(source, "openai", body)
    assert made["choices"][0]["finish_reason"] == chat
    response = whole(source, "responses", body)
    assert (response["incomplete_details"] or {"reason": response["status"]})["reason"] == status
    back = whole("openai", "anthropic", made)["stop_reason"]
    assert back == {"sudden_silence": "end_turn", "tool_use": "tool_use"}.get(reason, reason)


@pytest.mark.parametrize(
    ("finish", "reason"),
    [("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "refusal"), ("new_reason", "end_turn")],
)
def test_reasons_of_chat_become_the_nearest(finish, reason):
    body = chat_body([{"kind": "text", "text": "x"}], finish)
    assert whole("openai", "anthropic", body)["stop_reason"] == reason


def test_an_answer_that_calls_stops_to_call_whatever_the_server_says():
    body = chat_body([{"kind": "call", "id": "c", "name": "f", "input": {}}], "stop")
    assert whole("openai", "anthropic", body)["stop_reason"] == "tool_use"
    body = responses_body([{"kind": "call", "id": "c", "name": "f", "input": {}}])
    assert whole("responses", "openai", body)["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("cut_by", "reason"),
    [("max_output_tokens", "max_tokens"), ("content_filter", "refusal"), ("steered", "max_tokens")],
)
def test_reasons_of_responses_become_the_nearest(cut_by, reason):
    body = responses_body([{"kind": "text", "text": "x"}], cut_by)
    assert whole("responses", "anthropic", body)["stop_reason"] == reason


def test_names_times_and_ids_come_from_the_source():
    chat = whole("anthropic", "openai", FULL["anthropic"])
    assert (chat["id"], chat["model"], chat["created"]) == ("chatcmpl-01abc", "claude-opus-5-5", NOW)
    assert [call["id"] for call in chat["choices"][0]["message"]["tool_calls"]] == ["toolu_1", "toolu_2"]
    response = whole("openai", "responses", FULL["openai"])
    assert (response["id"], response["created_at"]) == ("resp_9xyz", 1_740_000_000)
    nameless = {**FULL["openai"], "model": "", "id": None}
    made = json.loads(
        answers.converter("openai", "anthropic", streaming=False, model="m").body(json.dumps(nameless).encode())
    )
    assert (made["id"], made["model"]) == ("msg_0", "m")
    assert whole("openai", "responses", FULL["openai"]) == response


# Refusals and citations.


def test_a_refusal_is_shown_and_is_why_the_turn_stops():
    refused = chat_body([{"kind": "refusal", "text": "I cannot."}])
    made = whole("openai", "anthropic", refused)
    assert (made["content"], made["stop_reason"]) == ([{"type": "text", "text": "I cannot."}], "refusal")
    assert whole("openai", "responses", refused)["output"][0]["content"] == [
        {"type": "refusal", "refusal": "I cannot."}
    ]
    body = anthropic_body([{"kind": "text", "text": "Well"}], "refusal")
    body["stop_details"] = {"type": "refusal", "category": "cyber", "explanation": "It was stopped."}
    chat = whole("anthropic", "openai", body)["choices"][0]
    assert (chat["message"]["refusal"], chat["finish_reason"]) == ("It was stopped.", "content_filter")


def test_citations_keep_their_place(wire):
    note = {"type": "url_citation", "start_index": 1, "end_index": 4, "title": "T", "url": "https://a.example"}
    body = responses_body(
        [{"kind": "text", "text": "Before. "}, {"kind": "text", "text": "A text.", "annotations": [note]}]
    )
    for made in (
        whole("responses", "openai", body),
        wire.read("openai", run("responses", "openai", responses_stream(body, random.Random(2)))),
    ):
        found = made["choices"][0]["message"]["annotations"]
        assert found == [{"type": "url_citation", "url_citation": {
            "start_index": 9, "end_index": 12, "title": "T", "url": "https://a.example"}}]  # fmt: skip
    back = whole("openai", "responses", whole("responses", "openai", body))
    assert back["output"][0]["content"][0]["annotations"] == [{**note, "start_index": 9, "end_index": 12}]
    converter = answers.converter("responses", "anthropic", streaming=False)
    assert json.loads(converter.body(json.dumps(body).encode()))["content"][1] == {"type": "text", "text": "A text."}
    assert list(converter.left_out) == ["url_citation"]


def test_a_citation_of_anthropics_search_covers_its_block(wire):
    found = {
        "type": "web_search_result_location",
        "url": "https://a.example",
        "title": "T",
        "cited_text": "x",
        "encrypted_index": "e",
    }
    body = anthropic_body([{"kind": "text", "text": "One. "}, {"kind": "text", "text": "Two."}])
    body["content"][1]["citations"] = [found, {"type": "char_location", "cited_text": "x"}]
    made = whole("anthropic", "openai", body)
    streamed = wire.read("openai", run("anthropic", "openai", anthropic_stream(body, random.Random(0))))
    assert plain(made) == plain(streamed)
    place = made["choices"][0]["message"]["annotations"][0]["url_citation"]
    assert (place["start_index"], place["end_index"]) == (5, 9)
    response = whole("anthropic", "responses", body)
    assert response["output"][0]["content"][1]["annotations"][0]["end_index"] == 4
    converter = answers.converter("anthropic", "openai", streaming=False)
    converter.body(json.dumps(body).encode())
    assert set(converter.left_out) == {"char_location", "web_search_result_location.encrypted_index"}


# Chat as gateways write it.


def chunks(*deltas, finish="stop"):
    head = {"id": "gen-1", "object": "chat.completion.chunk", "created": 5, "model": "m"}
    values = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    return [*values, {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}, "[DONE]"]


THOUGHT = {"type": "thinking", "thinking": "ab", "signature": "s"}
DIALECTS = {
    "reasoning_content": ([{"reasoning_content": "a"}, {"reasoning_content": "b"}, {"content": "x"}], ""),
    "reasoning": ([{"reasoning": "a", "content": ""}, {"reasoning": "b"}, {"content": "x"}], ""),
    "thinking_blocks in pieces": (
        [
            {"reasoning_content": "a", "thinking_blocks": [{"type": "thinking", "thinking": "a", "signature": None}]},
            {"reasoning_content": "b", "thinking_blocks": [{"type": "thinking", "thinking": "b"}]},
            {"reasoning_content": "", "thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "s"}]},
            {"content": "x"},
        ],
        "s",
    ),
    "thinking_blocks alone": (
        [
            {"thinking_blocks": [{"type": "thinking", "thinking": "a"}]},
            {"thinking_blocks": [{"type": "thinking", "thinking": "b", "signature": "s"}]},
            {"content": "x"},
        ],
        "s",
    ),
    "thinking_blocks whole": (
        [{"reasoning_content": "a"}, {"reasoning_content": "b"}, {"thinking_blocks": [THOUGHT]}, {"content": "x"}],
        "s",
    ),
    "reasoning_details": (
        [
            {"reasoning": "a", "reasoning_details": [{"type": "reasoning.text", "text": "a", "index": 0}]},
            {"reasoning": "b", "reasoning_details": [{"type": "reasoning.summary", "summary": "b", "index": 0}]},
            {"reasoning_details": [{"type": "reasoning.text", "signature": "s", "index": 0}]},
            {"content": "x"},
        ],
        "s",
    ),
    "reasoning_details of OpenAI": (
        [
            {"reasoning_details": [{"type": "reasoning.summary", "summary": "ab"}]},
            {"reasoning_details": [{"type": "reasoning.encrypted", "data": "s", "format": "openai-responses-v1"}]},
            {"content": "x"},
        ],
        "s",
    ),
    "content list": (
        [
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "ab"}]}]},
            {"content": [{"type": "text", "text": "x"}]},
        ],
        "",
    ),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_reasoning_counts_once_in_every_dialect(wire, dialect):
    deltas, signature = DIALECTS[dialect]
    made = wire.read("anthropic", run("openai", "anthropic", chunks(*deltas)))
    assert made["content"] == [
        {"type": "thinking", "thinking": "ab", "signature": signature},
        {"type": "text", "text": "x"},
    ]
    assert made["id"] == "msg_1"


def test_redacted_reasoning_of_openrouter_is_redacted_thinking():
    detail = {"type": "reasoning.encrypted", "data": "ZA==", "format": "anthropic-claude-v1"}
    body = chat_body([{"kind": "text", "text": "x"}])
    body["choices"][0]["message"]["reasoning_details"] = [detail]
    assert whole("openai", "anthropic", body)["content"][0] == {"type": "redacted_thinking", "data": "ZA=="}


def call(identifier, arguments, **more):
    return {"id": identifier, "type": "function", "function": {"name": "f", "arguments": arguments}, **more}


CALLS = {
    "always index 0": [
        {"tool_calls": [call("a", '{"x":1}', index=0)]},
        {"tool_calls": [call("b", '{"x":2}', index=0)]},
    ],
    "no index": [
        {"tool_calls": [call("a", '{"x"')]},
        {"tool_calls": [{"function": {"arguments": ":1}"}}]},
        {"tool_calls": [call("b", '{"x":2}')]},
    ],
    "both at once": [{"tool_calls": [call("a", '{"x":1}', index=0), call("b", '{"x":2}', index=1)]}],
    "objects": [{"tool_calls": [call("a", {"x": 1}, index=0), call("b", {"x": 2}, index=1)]}],
    "space behind": [
        {"tool_calls": [call("a", '{"x":1}', index=0)]},
        {"tool_calls": [call("b", '{"x":2}', index=1)]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "\n"}}]},
    ],
}


@pytest.mark.parametrize("dialect", CALLS)
@pytest.mark.parametrize("target", ["anthropic", "responses"])
def test_calls_are_told_apart_in_every_dialect(wire, dialect, target):
    made = wire.read(target, run("openai", target, chunks(*CALLS[dialect], finish="tool_calls")))
    if target == "anthropic":
        assert [(each["id"], each["input"]) for each in made["content"]] == [("a", {"x": 1}), ("b", {"x": 2})]
    else:
        assert [(each["call_id"], json.loads(each["arguments"])) for each in made["output"]] == [
            ("a", {"x": 1}),
            ("b", {"x": 2}),
        ]


def test_calls_without_ids_get_some():
    body = chat_body(
        [{"kind": "call", "id": "", "name": "f", "input": {}}, {"kind": "call", "id": "", "name": "g", "input": {}}]
    )
    found = [block["id"] for block in whole("openai", "anthropic", body)["content"]]
    assert found == ["call_9xyz_0", "call_9xyz_1"]


def test_a_first_chunk_without_choices_does_not_name_the_answer():
    azure = {"id": "", "model": "", "choices": [], "prompt_filter_results": [{}]}
    values = sent(run("openai", "anthropic", [azure, *chunks({"content": "x"})]))
    assert values[0]["message"]["id"] == "msg_1"


@pytest.mark.parametrize("text", ["", "{", '{"a": ', "[1]", "1"])
def test_arguments_that_are_no_object_are_not_lost(text):
    body = chat_body([{"kind": "call", "id": "c", "name": "f", "input": {}}])
    body["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] = text
    assert whole("openai", "anthropic", body)["content"][0]["input"] == ({"INVALID_JSON": text} if text else {})


def test_a_call_with_plain_text_is_carried(wire):
    item = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "patch", "input": 'say "hi"\n'}
    body = {**responses_body([]), "output": [item]}
    chat = whole("responses", "openai", body)
    assert chat["choices"][0]["message"]["tool_calls"] == [
        {"id": "c", "type": "custom", "custom": {"name": "patch", "input": 'say "hi"\n'}}
    ]
    assert whole("openai", "responses", chat)["output"] == [{**item, "id": "ctc_77_0"}]
    assert whole("responses", "anthropic", body)["content"][0]["input"] == {"input": 'say "hi"\n'}
    start = {"type": "response.output_item.added", "output_index": 0, "item": {**item, "input": ""}}
    pieces = [
        {"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": piece}
        for piece in ('say "', 'hi"\n')
    ]
    end = [
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": body},
    ]
    made = wire.read("anthropic", run("responses", "anthropic", [start, *pieces, *end]))
    assert made["content"][0]["input"] == {"input": 'say "hi"\n'}
    again = sent(run("responses", "openai", [start, *pieces, *end]))
    typed = "".join(
        value["choices"][0]["delta"].get("tool_calls", [{}])[0].get("custom", {}).get("input", "")
        for value in again
        if value["choices"]
    )
    assert typed == 'say "hi"\n'


# Streams: at once, flat, and never a clean end that the source did not have.


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_text_is_passed_on_in_the_call_that_brings_it(source, target):
    words = ["alpha ", "beta ", "gamma"]
    body = BODIES[source]([{"kind": "text", "text": "".join(words)}])
    converter = answers.converter(source, target, streaming=True)
    seen = 0
    for event in events(STREAMS[source](body, random.Random(4))):
        before = event.data
        out = b"".join(each.raw for each in converter.take(event)).decode()
        delta = event.value.get("delta") or (event.value.get("choices") or [{}])[0].get("delta") or {}
        piece = delta if isinstance(delta, str) else delta.get("text") or delta.get("content")
        if piece:
            seen += 1
            assert json.dumps(piece)[1:-1] in out, before
    assert seen


TERMINAL = {"anthropic": b"message_stop", "openai": b"[DONE]", "responses": b"response.completed"}


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_stream_that_breaks_off_has_no_end(source, target):
    values = list(STREAMS[source](FULL[source], random.Random(1)))
    last = -1 if source != "openai" else -3  # Chat has said why it stopped three events before the end
    for count in range(len(values) + last + 1):
        data = run(source, target, values[:count])
        assert TERMINAL[target] not in data
        assert b"message_delta" not in data
        assert b'"finish_reason":"' not in data
    assert TERMINAL[target] in run(source, target, values)


def test_chat_may_leave_out_its_last_word():
    values = list(chat_stream(FULL["openai"], random.Random(1)))
    assert run("openai", "anthropic", values[:-1]) == run("openai", "anthropic", values)


FAILURES = {
    "anthropic": {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    "openai": {"error": {"message": "Overloaded", "type": "server_error", "code": "server_is_overloaded"}},
    "responses": {
        "type": "error",
        "code": "server_is_overloaded",
        "message": "Overloaded",
        "param": None,
        "sequence_number": 3,
    },
}


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("at", [0, 3])
def test_an_error_inside_a_stream_is_an_error_for_the_client(wire, source, target, at):
    values = list(STREAMS[source](FULL[source], random.Random(1)))
    values.insert(at, FAILURES[source])
    data = run(source, target, values)
    assert TERMINAL[target] not in data
    if target == "responses":
        found = sent(data)
        error = found[-1 if at == 0 else -2]
        assert (error["type"], error["code"], error["message"]) == ("error", "server_is_overloaded", "Overloaded")
        if at:
            assert found[-1]["type"] == "response.failed"
            response = found[-1]["response"]
            assert (response["status"], response["error"]["code"]) == ("failed", "server_is_overloaded")
            # The SDK's list of codes is older than this one.
            Response.model_validate({**response, "error": {**response["error"], "code": "server_error"}})
    else:
        library = anthropic if target == "anthropic" else openai
        with pytest.raises(library.APIError, match="Overloaded"):
            wire.read(target, data)
    if target == "anthropic":
        assert sent(data)[-1]["error"]["type"] == "overloaded_error"


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_an_error_of_our_own_ends_a_stream_that_broke_off(source, target):
    converter = answers.converter(source, target, streaming=True)
    values = events(STREAMS[source](FULL[source], random.Random(1)))
    for event in values[:4]:
        converter.take(event)
    out = converter.error(Event.of(FAILURES[source]))
    assert b"Overloaded" in b"".join(event.raw for event in out)
    assert [converter.take(event) for event in values[4:]] == [[]] * len(values[4:])
    assert converter.end() == converter.error(Event.of(FAILURES[source])) == []


def test_a_failed_response_is_an_error():
    error = {"code": "rate_limit_exceeded", "message": "Slow down"}
    body = {**responses_body([]), "status": "failed", "error": error}
    failed = {"type": "response.failed", "response": body}
    found = sent(run("responses", "anthropic", [failed]))
    assert found == [
        {
            "type": "error",
            "error": {"type": "rate_limit_error", "message": "Slow down", "details": {"code": "rate_limit_exceeded"}},
        }
    ]
    assert whole("responses", "anthropic", body) == found[0]
    assert whole("responses", "openai", body)["error"]["code"] == "rate_limit_exceeded"


def test_an_error_that_comes_as_an_answer_is_one():
    error = {"error": {"code": 502, "message": "Provider is down", "metadata": {"provider_name": "X"}}}
    assert whole("openai", "anthropic", error) == {
        "type": "error",
        "error": {"type": "api_error", "message": "Provider is down", "details": {"metadata": {"provider_name": "X"}}},
    }


LONG = {
    ("anthropic", "text"): (
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        lambda piece: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}},
    ),
    ("anthropic", "call"): (
        {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "c", "name": "f"}},
        lambda piece: {"type": "content_block_delta", "index": 0,
                       "delta": {"type": "input_json_delta", "partial_json": piece}},
    ),
    ("openai", "text"): (
        {"choices": [{"delta": {"role": "assistant"}}]}, lambda piece: {"choices": [{"delta": {"content": piece}}]},
    ),
    ("openai", "call"): (
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]}}]},
        lambda piece: {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("source", "kind"), LONG)
def test_memory_is_flat_in_a_long_answer(source, kind):
    first, piece = LONG[source, kind]
    converter = answers.converter(source, "openai" if source == "anthropic" else "anthropic", streaming=True)
    converter.take(Event.of(first))
    fat = json.dumps(piece("y" * 20_000))
    tracemalloc.start()
    size = 0
    for _ in range(1_000):
        size += sum(len(event.raw) for event in converter.take(Event(b"", "", fat)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 20_000_000
    assert peak < 1_000_000


def test_half_a_character_is_not_broken_utf_8():
    halves = [
        Event(b"", "", json.dumps({"id": "c", "choices": [{"index": 0, "delta": {"content": half}}]}))
        for half in ("\ud83d", "\ude00")
    ]
    converter = answers.converter("openai", "anthropic", streaming=True)
    raw = b"".join(event.raw for half in halves for event in converter.take(half))
    assert "\\ud83d" in raw.decode()
    assert "\\ude00" in raw.decode()


# Bad input.

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@pytest.mark.parametrize(("source", "target"), PAIRS)
@settings(max_examples=60, deadline=None)
@given(data=st.data(), seed=st.integers(0, 10**6))
def test_nothing_that_a_provider_sends_raises(source, target, data, seed):
    rng = random.Random(seed)
    values = list(STREAMS[source](FULL[source], rng))
    for _ in range(3):
        index = rng.randrange(len(values))
        if isinstance(values[index], dict):
            values[index] = json.loads(json.dumps(values[index]))
            spoil(values[index], rng, data.draw(JSON))
    if rng.random() < 0.3:
        rng.shuffle(values)
    run(source, target, values)
    body = json.loads(json.dumps(FULL[source]))
    spoil(body, rng, data.draw(JSON))
    with contextlib.suppress(AnsweredError):  # what is no answer is refused
        whole(source, target, body)


def spoil(value, rng, junk):
    """Put junk in one place of a value."""
    while True:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        if not keys:
            return
        key = rng.choice(keys)
        if isinstance(value[key], (dict, list)) and value[key] and rng.random() < 0.8:
            value = value[key]
        else:
            value[key] = junk
            return


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"[]", b"{}", b'{"a":1}', b"[" * 100_000, b'{"choices":' + b"[" * 5_000]
)
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_what_is_no_answer_is_refused_with_its_bytes(source, target, data):
    with pytest.raises(AnsweredError, match="cannot be converted") as caught:
        answers.converter(source, target, streaming=False).body(data)
    assert caught.value.body == data


@pytest.mark.parametrize("shape", SHAPES)
def test_one_shape_passes_as_it_came(shape):
    converter = answers.converter(shape, shape, streaming=True)
    event = Event(b": comment\n\n")
    assert converter.take(event) == converter.error(event) == [event]
    assert converter.end() == []
    assert converter.body(b"not json") == b"not json"
    assert converter.left_out == {}


# Errors instead of an answer.


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request_error"), (401, "authentication_error"), (403, "permission_error"), (404, "not_found_error"),
     (413, "request_too_large"), (418, "invalid_request_error"), (429, "rate_limit_error"), (500, "api_error"),
     (502, "api_error"), (529, "overloaded_error")],
)  # fmt: skip
def test_the_type_of_an_error_follows_its_status(status, kind):
    body = json.dumps({"error": {"message": "No.", "type": "odd", "param": "x", "code": "c", "more": 1}}).encode()
    made = json.loads(answers.error("openai", "anthropic", status, body))
    assert made == {"type": "error", "error": {
        "type": kind, "message": "No.", "details": {"more": 1, "type": "odd", "code": "c", "param": "x"}}}  # fmt: skip


def test_errors_of_anthropic_for_openai_clients():
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Busy","details":{"a":1}},"request_id":"r"}'
    for target in ("openai", "responses"):
        assert json.loads(answers.error("anthropic", target, 529, body)) == {"error": {
            "message": "Busy", "type": "server_error", "param": None, "code": "server_is_overloaded",
            "details": {"request_id": "r", "a": 1, "type": "overloaded_error"}}}  # fmt: skip
    limit = b'{"type":"error","error":{"type":"rate_limit_error","message":"Slow"}}'
    made = json.loads(answers.error("anthropic", "openai", 429, limit))["error"]
    assert made == {"message": "Slow", "type": "rate_limit_error", "param": None, "code": "rate_limit_exceeded"}
    assert answers.error("openai", "responses", 400, b"x") == b"x"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the provider answered with status 502"),
        (b"<h1>Bad gateway</h1>", "<h1>Bad gateway</h1>"),
        (b'{"message":"m"}', "m"),
        (b'{"detail":"d"}', "d"),
        (b'{"error":"e"}', "e"),
        (b'[{"error":{"message":"g"}}]', "g"),
        (b"[" * 300_000, "[" * 300_000),
        (b"\xff", "\ufffd"),
        (b'{"error":{"type":"t"}}', "t"),
    ],
)
@pytest.mark.parametrize("target", ["anthropic", "openai"])
def test_errors_in_any_form_keep_their_message(body, message, target):
    source = "openai" if target == "anthropic" else "anthropic"
    assert json.loads(answers.error(source, target, 502, body))["error"]["message"] == message


# Nothing is dropped that is not in the table.

CARRIED = {
    "anthropic": {
        "text",
        "thinking",
        "redacted_thinking",
        "tool_use",
        "text_delta",
        "input_json_delta",
        "thinking_delta",
        "signature_delta",
        "citations_delta",
        "web_search_result_location",
    },
    "openai": {"function", "custom", "url_citation"},
    "responses": {
        "message",
        "reasoning",
        "function_call",
        "custom_tool_call",
        "output_text",
        "refusal",
        "url_citation",
    },
}


def kinds(union):
    """Return the values of ``type`` of all members of a union of an SDK's models."""
    members = typing.get_args(union)
    if members and typing.get_origin(union) is typing.Annotated:
        return kinds(members[0])
    if members:
        return set().union(*(kinds(member) for member in members if member is not type(None)))
    found = union.model_fields["type"].annotation
    return set(typing.get_args(found)) or set().union(*(set(typing.get_args(each)) for each in typing.get_args(found)))


@pytest.mark.parametrize(
    ("shape", "union"),
    [("anthropic", AnthropicBlock), ("anthropic", RawContentBlockDelta), ("anthropic", TextCitation),
     ("responses", ResponseOutputItem), ("responses", openai.types.responses.response_output_message.Content),
     ("responses", openai.types.responses.response_output_text.Annotation),
     ("openai", openai.types.chat.ChatCompletionMessageToolCallUnion)],
)  # fmt: skip
def test_every_type_that_an_sdk_knows_is_carried_or_in_the_table(shape, union):
    found = kinds(union)
    assert len(found) > 1
    assert found - CARRIED[shape] <= set(answers.LEFT_OUT[shape]), found


MEMBERS = [
    # model, members that are carried or that only say what kind of thing this is, and how the table names the others
    ("anthropic", Message, "id content model role stop_details stop_reason type usage", ""),
    (
        "anthropic",
        AnthropicUsage,
        "cache_creation_input_tokens cache_read_input_tokens input_tokens output_tokens output_tokens_details",
        "usage.",
    ),
    (
        "anthropic",
        MessageDeltaUsage,
        "cache_creation_input_tokens cache_read_input_tokens input_tokens output_tokens output_tokens_details",
        "usage.",
    ),
    ("anthropic", anthropic.types.ToolUseBlock, "id input name type", "tool_use."),
    ("openai", ChatCompletion, "id choices created model object usage", ""),
    ("openai", ChatCompletionChunk, "id choices created model object usage obfuscation", ""),
    ("openai", ChatCompletionMessage, "content refusal role annotations function_call tool_calls", ""),
    ("openai", openai.types.chat.chat_completion.Choice, "finish_reason index message", ""),
    ("responses", openai.types.responses.ResponseOutputMessage, "id content role status type", "message."),
    (
        "responses",
        openai.types.responses.ResponseFunctionToolCall,
        "id arguments call_id name type status",
        "function_call.",
    ),
]


@pytest.mark.parametrize(("shape", "model", "carried", "prefix"), MEMBERS)
def test_every_member_of_an_answer_is_carried_or_in_the_table(shape, model, carried, prefix):
    names = {field.alias or name for name, field in model.model_fields.items()} - set(carried.split())
    assert {prefix + name for name in names} <= set(answers.LEFT_OUT[shape])


# Members of a response that repeat its request.
REPEATED = (
    "instructions metadata parallel_tool_calls temperature tool_choice tools top_p background max_output_tokens "
    "max_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention reasoning "
    "safety_identifier text top_logprobs truncation user access_programs image completed_at"
)


def test_every_member_of_a_response_is_carried_repeats_the_request_or_is_in_the_table():
    carried = {
        *REPEATED.split(),
        *["id", "created_at", "error", "incomplete_details", "model", "object", "output", "status", "usage"],
    }
    assert set(Response.model_fields) - carried <= set(answers.LEFT_OUT["responses"])
    details = {"cached_tokens", "cache_write_tokens", "reasoning_tokens"}
    others = {*PromptTokensDetails.model_fields, *CompletionTokensDetails.model_fields} - details
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": dict.fromkeys(sorted(others), 1)}
    converter = answers.converter("openai", "anthropic", streaming=False)
    converter.body(json.dumps(chat_body([{"kind": "text", "text": "x"}], usage=usage)).encode())
    assert list(converter.left_out) == ["usage details"]


@pytest.mark.parametrize(
    ("source", "target", "body", "names"),
    [
        (
            "anthropic",
            "openai",
            {
                **anthropic_body([], "pause_turn"),
                "container": {"id": "c"},
                "content": [
                    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
                    {"type": "brand_new"},
                ],
            },
            {"server_tool_use", "brand_new", "container"},
        ),
        ("anthropic", "responses", anthropic_body([], "pause_turn"), {"pause_turn"}),
        ("anthropic", "openai", anthropic_body([], "stop_sequence"), {"stop_sequence"}),
        (
            "responses",
            "openai",
            {
                **responses_body([]),
                "output": [
                    {"type": "mcp_call"},
                    {"type": "reasoning", "summary": []},
                    {"type": "message", "phase": "commentary", "content": [{"type": "sound"}]},
                ],
            },
            {"mcp_call", "reasoning without content", "message.phase", "content part"},
        ),
        (
            "openai",
            "responses",
            {
                **chat_body([]),
                "choices": [
                    {"index": 0, "message": {"content": "x", "audio": {"id": "a"}}, "finish_reason": "stop"},
                    {"index": 1, "message": {"content": "y"}, "finish_reason": "stop"},
                ],
            },
            {"audio", "choices beyond the first"},
        ),
    ],
)
def test_a_converter_says_what_it_left_out(source, target, body, names):
    converter = answers.converter(source, target, streaming=False)
    converter.body(json.dumps(body).encode())
    assert set(converter.left_out) == names
    assert all(reason for reason in converter.left_out.values())


def test_the_page_lists_what_is_left_out():
    page = (ROOT / "docs" / "conversion-answers.md").read_text()
    names = {"anthropic": "Messages", "openai": "Chat", "responses": "Responses"}
    for source, rows in answers.LEFT_OUT.items():
        for what, (targets, reason) in rows.items():
            line = f"| {names[source]} | {what} | {', '.join(names[target] for target in targets)} | {reason} |"
            assert line in page, line
    table = page.split("| source | what | has no place in | reason |\n| --- | --- | --- | --- |\n")[1]
    assert len(table.splitlines()) == sum(map(len, answers.LEFT_OUT.values()))


@pytest.mark.parametrize("target", ["openai", "responses"])
def test_a_call_may_come_whole_with_its_start(wire, target):
    block = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": [1]}}
    for pieces in ((), ('{"a"', ": [1]}")):
        values = list(anthropic_stream(anthropic_body([]), random.Random(0)))
        values[2:2] = [
            {"type": "content_block_start", "index": 0, "content_block": block},
            *({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}}
              for piece in pieces),
            {"type": "content_block_stop", "index": 0},
        ]  # fmt: skip
        made = wire.read(target, run("anthropic", target, values))
        found = made["choices"][0]["message"]["tool_calls"][0]["function"] if target == "openai" else made["output"][0]
        assert json.loads(found["arguments"]) == {"a": [1]}


def test_a_citation_behind_other_texts_counts_from_its_own():
    note = {"url": "https://a.example", "title": "", "start_index": 6, "end_index": 8}
    deltas = [{"content": "abc"}, {"reasoning": "hm"}, {"content": "defgh"}]
    deltas.append({"annotations": [{"type": "url_citation", "url_citation": note}]})
    response = sent(run("openai", "responses", chunks(*deltas)))[-1]["response"]
    assert [item["type"] for item in response["output"]] == ["message", "reasoning", "message"]
    found = response["output"][2]["content"][0]["annotations"][0]
    assert (found["start_index"], found["end_index"]) == (3, 5)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_comments_pass_and_keep_the_connection_alive(source, target):
    converter = answers.converter(source, target, streaming=True)
    comment = Event(b": PROCESSING\n\n")
    assert converter.take(comment) == [comment]
    assert converter.take(Event(b"id: 3\n\n")) == converter.take(Event(b"data: \n\n", "", "")) == []
    for event in events(STREAMS[source](FULL[source], random.Random(1))):
        converter.take(event)
    assert converter.take(comment) == []


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("data", ['{"type": "content_bl', '{"a":' * 5_000])
def test_an_event_cut_short_is_an_error_and_no_end(source, target, data):
    values = events(STREAMS[source](FULL[source], random.Random(1)))
    converter = answers.converter(source, target, streaming=True)
    converter.take(values[0])
    made = converter.take(Event(b"", "", data))
    assert "not to be read" in made[0].data
    assert [converter.take(event) for event in values[1:]] == [[]] * (len(values) - 1)


def test_a_deep_input_raises_nothing():
    deep = json.loads('{"a":' * 700 + "1" + "}" * 700)
    block = {"type": "tool_use", "id": "t", "name": "f", "input": deep}
    body = anthropic_body([])
    body["content"] = [block]
    with pytest.raises(AnsweredError):
        whole("anthropic", "openai", body)
    start = Event(b"", "", json.dumps({"type": "content_block_start", "index": 0, "content_block": block}))
    converter = answers.converter("anthropic", "openai", streaming=True)
    assert converter.take(start)


def test_an_end_by_an_error_is_one():
    found = sent(run("openai", "anthropic", chunks({"content": "x"}, finish="error")))
    assert found[-1]["type"] == "error"


# What a client gives back in its next request.


def asked_again(shape, answer):
    """Return a client's next request: the answer as its SDK holds it, and results of its calls."""
    head = {"model": "m", "max_tokens": 9}
    start = {"role": "user", "content": "hi"}
    if shape == "openai":
        message = answer["choices"][0]["message"]
        results = [{"role": "tool", "tool_call_id": each["id"], "content": "r"} for each in message["tool_calls"]]
        tools = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in "fg"]
        return {**head, "messages": [start, message, *results], "tools": tools}
    if shape == "responses":
        calls = [each["call_id"] for each in answer["output"] if each["type"] == "function_call"]
        results = [{"type": "function_call_output", "call_id": each, "output": "r"} for each in calls]
        tools = [{"type": "function", "name": name, "parameters": {"type": "object"}} for name in "fg"]
        return {"model": "m", "max_output_tokens": 9, "input": [start, *answer["output"], *results], "tools": tools}
    calls = [each["id"] for each in answer["content"] if each["type"] == "tool_use"]
    results = [{"type": "tool_result", "tool_use_id": each, "content": "r"} for each in calls]
    tools = [{"name": name, "input_schema": {"type": "object"}} for name in "fg"]
    turns = [start, {"role": "assistant", "content": answer["content"]}, {"role": "user", "content": results}]
    return {**head, "messages": turns, "tools": tools}


@pytest.mark.parametrize("client", ["openai", "responses"])
def test_an_answer_given_back_is_what_anthropic_had_sent(wire, client):
    parts = [
        {"kind": "thinking", "text": "one", "signature": "c2ln"},
        {"kind": "redacted", "signature": "ZA=="},
        {"kind": "thinking", "text": "two", "signature": "b25l"},
        {"kind": "text", "text": "I look."},
        {"kind": "call", "id": "toolu_1", "name": "f", "input": {"a": [1.5]}},
        {"kind": "call", "id": "toolu_2", "name": "g", "input": {}},
    ]
    body = anthropic_body(parts, "tool_use")
    streamed = wire.read(client, run("anthropic", client, anthropic_stream(body, random.Random(8))))
    for answer in (whole("anthropic", client, body), streamed):
        again = convert.request(client, "anthropic", asked_again(client, answer))
        assert again["messages"][1] == {"role": "assistant", "content": body["content"]}


@pytest.mark.parametrize(("client", "provider"), [pair for pair in PAIRS if pair[1] != "anthropic"])
def test_texts_and_calls_given_back_are_what_openai_had_sent(wire, client, provider):
    parts = [{"kind": "text", "text": "I look."}, {"kind": "call", "id": "call_1", "name": "f", "input": {"a": [1.5]}}]
    parts.append({"kind": "call", "id": "call_2", "name": "g", "input": {}})
    body = BODIES[provider](parts)
    streamed = wire.read(client, run(provider, client, STREAMS[provider](body, random.Random(8))))
    for answer in (whole(provider, client, body), streamed):
        again = convert.request(client, provider, asked_again(client, answer))
        if provider == "openai":
            sent_before = body["choices"][0]["message"]
            calls = [
                (each["id"], json.loads(each["function"]["arguments"])) for each in again["messages"][1]["tool_calls"]
            ]
            assert (again["messages"][1]["content"], calls) == (
                sent_before["content"],
                [("call_1", {"a": [1.5]}), ("call_2", {})],
            )
        else:
            calls = [each for each in again["input"] if each["type"] == "function_call"]
            assert again["input"][1]["content"] in ("I look.", [{"type": "output_text", "text": "I look."}])
            assert [(each["call_id"], json.loads(each["arguments"])) for each in calls] == [
                ("call_1", {"a": [1.5]}),
                ("call_2", {}),
            ]


def test_a_number_beyond_all_is_never_written():
    body = chat_body([{"kind": "call", "id": "c", "name": "f", "input": {}}])
    body["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] = '{"a": 1e999}'
    assert whole("openai", "anthropic", body)["content"][0]["input"] == {"INVALID_JSON": '{"a": 1e999}'}
    block = b'{"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1e999}}'
    with pytest.raises(AnsweredError, match="number"):
        answers.converter("anthropic", "openai", streaming=False).body(b'{"content": [%b]}' % block)
    start = Event(b"", "", '{"type": "content_block_start", "index": 0, "content_block": %s}' % block.decode())  # noqa: UP031 - braces all over
    converter = answers.converter("anthropic", "openai", streaming=True)
    converter.take(start)
    end = converter.take(Event.of({"type": "content_block_stop", "index": 0}))
    assert b"Infinity" not in b"".join(event.raw for event in end)
    made = json.loads(answers.error("openai", "anthropic", 400, b'{"error": {"message": "m", "n": 1e999}}'))
    assert made["error"]["message"] == '{"error": {"message": "m", "n": 1e999}}'


def test_the_parts_of_a_summary_are_paragraphs(wire):
    body = responses_body([{"kind": "thinking", "text": "one", "signature": "gAAA"}])
    body["output"][0]["summary"].append({"type": "summary_text", "text": "two"})
    thought = {"type": "thinking", "thinking": "one\n\ntwo", "signature": "gAAA"}
    assert whole("responses", "anthropic", body)["content"] == [thought]
    streamed = run("responses", "anthropic", responses_stream(body, random.Random(9)))
    assert wire.read("anthropic", streamed)["content"] == [thought]
    body["output"][0] |= {"summary": [], "content": [{"type": "reasoning_text", "text": "raw"}]}
    assert whole("responses", "openai", body)["choices"][0]["message"]["reasoning_content"] == "raw"


def test_a_message_that_was_cut_short_is_incomplete():
    body = anthropic_body(
        [{"kind": "thinking", "text": "a", "signature": "s"}, {"kind": "text", "text": "b"}], "max_tokens"
    )
    made = whole("anthropic", "responses", body)
    assert (made["status"], made["output"][1]["status"]) == ("incomplete", "incomplete")
    values = sent(run("anthropic", "responses", anthropic_stream(body, random.Random(9))))
    assert [value["item"]["status"] for value in values[-2:-1]] == ["incomplete"]
    assert (values[-1]["type"], values[-1]["response"]) == ("response.incomplete", made)
    body["content"].append({"type": "tool_use", "id": "t", "name": "f", "input": {}})
    assert [item.get("status") for item in whole("anthropic", "responses", body)["output"]] == [
        None,
        "completed",
        "completed",
    ]


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("whole_stream", [True, False])
def test_it_works_behind_the_turn_that_serves_our_own_tools(wire, source, target, whole_stream):
    turn = load_wire(source).Turn(("retrieve_original_content",), streaming=True)
    converter = answers.converter(source, target, streaming=True, include_usage=True, now=NOW)
    out = []
    values = events(STREAMS[source](FULL[source], random.Random(3)))
    for event in values if whole_stream else values[:5]:
        out += [made for seen in turn.take(event) for made in converter.take(seen)]
    if whole_stream:
        out += [made for seen in turn.finish("") for made in converter.take(seen)] + converter.end()
        made = wire.read(target, b"".join(event.raw for event in out))
        assert plain(made) == plain(whole(source, target, FULL[source]))
    else:
        assert not turn.ended
        error = converter.error(turn.error("overloaded_error", "It broke off."))[0].value
        inner = error if target == "responses" else error["error"]
        assert inner["message"] == "It broke off."
        assert inner["type" if target == "anthropic" else "code"] == (
            "overloaded_error" if target == "anthropic" else "server_is_overloaded"
        )
        assert converter.end() == []


@given(
    value=st.dictionaries(st.text('\\"{}[]a\n', max_size=4), st.text('\\"{}[]a\n', max_size=6), max_size=3),
    data=st.data(),
)
def test_an_object_in_pieces_is_complete_at_its_end_and_not_before(value, data):
    written = json.dumps(value)
    balance = Balance()
    at = 0
    while at < len(written):
        assert not balance.complete
        size = data.draw(st.integers(1, 3))
        balance.feed(written[at : at + size])
        balance.feed("")
        at += size
    assert balance.complete
