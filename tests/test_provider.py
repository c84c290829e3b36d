"""The fake provider is like the real ones: the official SDKs read it, and each event is what their types say."""

import base64
import contextlib
import http.client
import itertools
import json
import urllib.parse

import anthropic
import botocore.config
import botocore.exceptions
import botocore.session
import httpx2
import openai
import pytest
from anthropic.types import Message, RawMessageStreamEvent
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from provider import Provider, Reply, call, http_date, raw, redacted, refusal, text, thinking
from pydantic import TypeAdapter, ValidationError

SAID = "Hello, this is an answer of more than one piece. \U0001f600 \u00fc"
FULL = [
    thinking("First I think about it, then I say it.", signature="c2lnLTE="),
    redacted("b3BhcXVl"),
    text(SAID),
    call("call_1", "read_file", {"path": "a.py", "lines": [1, 2]}),
    call("call_2", "look", {}),
    call("call_3", "read_file", {"path": "\u00fc.py"}),
]
REPLIES = {
    "text": Reply([text(SAID)]),
    "nothing": Reply([]),
    "full": Reply(FULL, usage={"input": 100, "cached": 20, "written": 5, "output": 50, "thinking": 9}),
    "call": Reply([call("call_1", "look", {"at": "x" * 90})]),
    "together": Reply([text(SAID), call("call_1", "look", {}), call("call_2", "look", {"a": 1})], together=True),
    "interleaved": Reply([call("call_1", "look", {"at": "x" * 90}), call("call_2", "see", {"b": 2})], interleave=True),
    "length": Reply([text("cut of")], stop="length"),
    "refused": Reply([text("I")], stop="refusal"),
    "refusal": Reply([refusal("I cannot help with that.")]),
    "one character": Reply([text(SAID), call("call_1", "look", {"a": "b"})], pieces=1),
    "extras": Reply(FULL, extras=True),
}
every_reply = pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES.keys())


@pytest.fixture
def provider():
    with Provider() as made:
        yield made


@pytest.fixture(scope="module")
def pool():
    """One pool of connections for all: a new one reads this machine's certificates each time, for tens of ms."""
    with httpx2.Client(trust_env=False) as made:
        yield made


@pytest.fixture
def claude(provider, pool):
    return anthropic.Anthropic(base_url=provider.url, api_key="sk-ant-test", max_retries=0, http_client=pool)


@pytest.fixture
def gpt(provider, pool):
    return openai.OpenAI(base_url=f"{provider.url}/v1", api_key="sk-test", max_retries=0, http_client=pool)


ASK = {"model": "m-1", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}
CHAT = {"model": "m-1", "messages": [{"role": "user", "content": "hi"}]}


def data_of(raw_stream):
    """Return the JSON values of a stream of server-sent events."""
    lines = raw_stream.decode().split("\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ") and line != "data: [DONE]"]


def send(provider, path, body, **headers):
    """Send a request by hand; return the status and the whole answer's bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=20)
    headers = {"anthropic-version": "2023-06-01", "content-type": "application/json", **headers}
    with contextlib.closing(connection):
        connection.request("POST", path, body if isinstance(body, bytes) else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def post(provider, path, body, **headers):
    """Send a request that is taken; return the whole answer's bytes."""
    status, data = send(provider, path, body, **headers)
    assert status == 200, data
    return data


# Every event and every body is one that the official types take, without a member missing.


@every_reply
def test_anthropic_events_are_of_the_official_types(provider, reply):
    provider.script(reply)
    types = TypeAdapter(RawMessageStreamEvent)
    for value in data_of(post(provider, "/v1/messages", {**ASK, "stream": True})):
        if value["type"] not in ("ping", "future_event"):
            types.validate_python(value)
    Message.model_validate_json(post(provider, "/v1/messages", ASK))


@every_reply
def test_chat_chunks_are_of_the_official_types(provider, reply):
    provider.script(reply)
    for path in ("/v1/chat/completions", "/api/v1/chat/completions"):
        for value in data_of(post(provider, path, {**CHAT, "stream": True, "stream_options": {"include_usage": True}})):
            ChatCompletionChunk.model_validate(value)
        ChatCompletion.model_validate_json(post(provider, path, CHAT))


@every_reply
def test_responses_events_are_of_the_official_types(provider, reply):
    provider.script(reply)
    types = TypeAdapter(ResponseStreamEvent)
    asked = {"model": "m-1", "input": "hi", "include": ["reasoning.encrypted_content"]}
    events = data_of(post(provider, "/v1/responses", {**asked, "stream": True}))
    assert [value["sequence_number"] for value in events] == list(range(len(events)))
    for value in events:
        if value["type"] != "response.future_event":
            types.validate_python(value)
    Response.model_validate_json(post(provider, "/v1/responses", asked))


@pytest.mark.parametrize(
    ("types", "value"),
    [
        (RawMessageStreamEvent, {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta"}}),
        (ChatCompletionChunk, {"id": "x", "choices": []}),
        (ResponseStreamEvent, {"type": "response.in_progress", "sequence_number": 1}),
        (ResponseStreamEvent, {"type": "response.nonsense", "sequence_number": 1}),
    ],
)
def test_the_official_types_refuse_what_lacks_a_member(types, value):
    with pytest.raises(ValidationError):
        TypeAdapter(types).validate_python(value)


# Anthropic


@every_reply
def test_anthropic_stream_adds_up_to_the_answer_in_one_piece(provider, claude, reply):
    provider.script(reply)
    whole = claude.messages.create(**ASK)
    with claude.messages.stream(**ASK) as stream:
        events = list(stream)
        final = stream.get_final_message()
    same = ("content", "stop_reason", "stop_sequence", "stop_details", "model", "role")
    assert final.model_dump(include=set(same)) == whole.model_dump(include=set(same)) or _parsed(final) == _parsed(
        whole
    )
    assert final.usage.output_tokens == whole.usage.output_tokens
    said = "".join(event.text for event in events if event.type == "text")
    assert said == "".join(part.whole for part in reply.parts if part.kind in ("text", "refusal"))


def _parsed(message):
    """Return a message's members without what the stream's helper adds to its blocks."""
    blocks = [block.model_dump(exclude={"parsed_output"}) for block in message.content]
    return blocks, message.stop_reason, message.stop_details


def test_anthropic_sdk_reads_every_block(provider, claude):
    provider.script(REPLIES["full"])
    message = claude.messages.create(**ASK)
    assert [block.type for block in message.content] == [
        "thinking", "redacted_thinking", "text", "tool_use", "tool_use", "tool_use",
    ]  # fmt: skip
    assert message.content[0].signature == "c2lnLTE="
    assert message.content[3].input == {"path": "a.py", "lines": [1, 2]}
    assert message.stop_reason == "tool_use"
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (100, 20)
    assert message.usage.output_tokens_details.thinking_tokens == 9
    asked = provider.requests[0]
    assert asked.header("anthropic-version") == "2026-10-21"
    assert asked.header("authorization") == "Bearer sk-ant-test"
    assert asked.json == ASK


def test_anthropic_tool_loop_goes_round(provider, claude):
    provider.script(Reply([text("Let me look."), *FULL[3:]]), Reply([text("done")]))
    first = claude.messages.create(**ASK)
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": "x"}
        for block in first.content
        if block.type == "tool_use"
    ]
    said = [*ASK["messages"], first.to_param(), {"role": "user", "content": results}]
    second = claude.messages.create(**{**ASK, "messages": said})
    assert second.content[0].text == "done"
    with pytest.raises(anthropic.BadRequestError, match="without `tool_result`"):
        claude.messages.create(**{**ASK, "messages": [*said[:2], {"role": "user", "content": results[1:]}]})
    assert provider.accepted == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (403, anthropic.PermissionDeniedError),
        (404, anthropic.NotFoundError),
        (413, anthropic.RequestTooLargeError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
        (529, anthropic.OverloadedError),
    ],
)
def test_anthropic_errors_have_their_classes(provider, claude, status, error):
    provider.script(Reply(status=status, error=("some_error", "A sentence")))
    with pytest.raises(error, match="A sentence") as caught:
        claude.messages.create(**ASK)
    assert caught.value.status_code == status
    assert caught.value.request_id == "req_0000"
    assert caught.value.body["error"]["type"] == "some_error"
    assert provider.accepted == 0


def test_an_error_inside_a_stream_reaches_the_sdks(provider, claude, gpt):
    provider.script(Reply([text("half")], error=("overloaded_error", "Overloaded now")))
    with pytest.raises(anthropic.APIStatusError, match="Overloaded now"), claude.messages.stream(**ASK) as stream:
        list(stream)
    with pytest.raises(openai.APIError, match="Overloaded now"):
        list(gpt.chat.completions.create(**CHAT, stream=True))
    events = list(gpt.responses.create(model="m-1", input="hi", stream=True))
    assert events[-1].type == "error"
    assert events[-1].message == "Overloaded now"
    assert provider.accepted == 3


@pytest.mark.parametrize(
    "headers",
    [{"retry-after": "0"}, {"retry-after-ms": "1"}, {"retry-after": http_date(0)}, {"x-should-retry": "true"}],
)
def test_sdks_try_again_as_the_headers_say(provider, claude, gpt, headers):
    busy = Reply(status=429, headers={"retry-after-ms": "1", **headers})
    provider.script(busy, Reply([text("ok")]))
    assert claude.with_options(max_retries=1).messages.create(**ASK).content[0].text == "ok"
    provider.script(busy, Reply([text("ok")]))
    assert gpt.with_options(max_retries=1).chat.completions.create(**CHAT).choices[0].message.content == "ok"
    assert [record.header("x-stainless-retry-count") for record in provider.requests] == ["0", "1", "0", "1"]
    assert provider.accepted == 2


def test_sdks_do_not_try_again_where_a_header_forbids_it(provider, claude, gpt):
    provider.script(Reply(status=529, headers={"x-should-retry": "false"}))
    with pytest.raises(anthropic.OverloadedError):
        claude.with_options(max_retries=2).messages.create(**ASK)
    with pytest.raises(openai.InternalServerError):
        gpt.with_options(max_retries=2).chat.completions.create(**CHAT)
    assert len(provider.requests) == 2


def test_anthropic_counts_and_models(provider, claude):
    assert claude.messages.count_tokens(model="m-1", messages=ASK["messages"]).input_tokens > 0
    assert [model.id for model in claude.models.list()] == ["fake-1"]
    assert provider.accepted == 0


# OpenAI


@every_reply
def test_chat_stream_adds_up_to_the_answer_in_one_piece(provider, gpt, reply):
    provider.script(reply)
    whole = gpt.chat.completions.create(**CHAT)
    with gpt.chat.completions.stream(**CHAT, stream_options={"include_usage": True}) as stream:
        for _ in stream:
            pass
        try:
            final = stream.get_final_completion()
        except (openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError):
            assert reply.stop in ("length", "refusal")
            return
    seen, wanted = final.choices[0], whole.choices[0]
    assert (seen.message.content or None) == (wanted.message.content or None)
    assert seen.message.refusal == wanted.message.refusal
    assert _calls(seen.message) == _calls(wanted.message)
    assert seen.finish_reason == wanted.finish_reason
    assert final.usage == whole.usage


def _calls(message):
    return [(made.id, made.function.name, made.function.arguments) for made in message.tool_calls or ()]


def test_chat_interleaves_parallel_calls_by_index(provider, gpt):
    provider.script(REPLIES["interleaved"])
    chunks = list(gpt.chat.completions.create(**CHAT, stream=True))
    order = [chunk.choices[0].delta.tool_calls[0].index for chunk in chunks if chunk.choices[0].delta.tool_calls]
    assert order != sorted(order)
    assert set(order) == {0, 1}
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    assert chunks[0].model_extra.get("obfuscation") or chunks[0].obfuscation


def test_chat_text_and_call_can_share_a_chunk(provider, gpt):
    provider.script(REPLIES["together"])
    deltas = [chunk.choices[0].delta for chunk in gpt.chat.completions.create(**CHAT, stream=True)]
    assert [delta for delta in deltas if delta.content and delta.tool_calls]
    assert "".join(delta.content or "" for delta in deltas) == SAID


def test_chat_usage_comes_only_where_it_is_asked_for(provider, gpt):
    provider.script(REPLIES["full"])
    quiet = list(gpt.chat.completions.create(**CHAT, stream=True))
    assert [chunk.usage for chunk in quiet] == [None] * len(quiet)
    told = list(gpt.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True}))
    assert told[-1].choices == []
    assert told[-1].usage.prompt_tokens == 125
    assert told[-1].usage.prompt_tokens_details.cached_tokens == 20


def test_chat_tool_loop_goes_round(provider, gpt):
    provider.script(Reply(FULL[3:]), Reply([text("done")]))
    first = gpt.chat.completions.create(**CHAT).choices[0].message
    results = [{"role": "tool", "tool_call_id": made.id, "content": "x"} for made in first.tool_calls]
    said = [*CHAT["messages"], first.model_dump(exclude_none=True), *results]
    assert gpt.chat.completions.create(model="m-1", messages=said).choices[0].message.content == "done"
    with pytest.raises(openai.BadRequestError, match="did not have response messages: call_3"):
        gpt.chat.completions.create(model="m-1", messages=said[:-1])


@every_reply
def test_responses_stream_adds_up_to_the_answer_in_one_piece(provider, gpt, reply):
    provider.script(reply)
    asked = {"model": "m-1", "input": "hi", "include": ["reasoning.encrypted_content"]}
    whole = gpt.responses.create(**asked)
    built = {}
    final = None
    for event in gpt.responses.create(**asked, stream=True):
        if event.type in (
            "response.output_text.delta",
            "response.function_call_arguments.delta",
            "response.refusal.delta",
        ):
            built[event.output_index] = built.get(event.output_index, "") + event.delta
        elif event.type in ("response.completed", "response.incomplete"):
            final = event.response
    assert [_unnamed(item) for item in final.output] == [_unnamed(item) for item in whole.output]
    assert final.output_text == whole.output_text
    assert (final.status, final.incomplete_details, final.usage) == (
        whole.status,
        whole.incomplete_details,
        whole.usage,
    )
    for index, item in enumerate(final.output):
        if item.type == "function_call":
            assert built[index] == item.arguments


def _unnamed(item):
    """Return an output item without its id, which differs from answer to answer."""
    return item.model_dump(exclude={"id"})


def test_responses_helper_reads_reasoning_and_calls(provider, gpt):
    provider.script(REPLIES["full"])
    with gpt.responses.stream(model="m-1", input="hi", include=["reasoning.encrypted_content"]) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert {"response.reasoning_summary_text.delta", "response.content_part.done"} < set(kinds)
    assert [item.type for item in final.output] == [
        "reasoning", "reasoning", "message", "function_call", "function_call", "function_call",
    ]  # fmt: skip
    assert final.output[0].encrypted_content == "c2lnLTE="
    assert final.output[0].summary[0].text.startswith("First I think")
    assert final.usage.input_tokens_details.cached_tokens == 20


def test_responses_interleave_their_items(provider, gpt):
    provider.script(REPLIES["interleaved"])
    events = [
        event for event in gpt.responses.create(model="m-1", input="hi", stream=True) if "arguments.delta" in event.type
    ]
    order = [event.output_index for event in events]
    assert order != sorted(order)


@pytest.mark.parametrize(
    ("stop", "status"), [("failed", "failed"), ("length", "incomplete"), ("refusal", "incomplete")]
)
def test_responses_end_in_every_state(provider, gpt, stop, status):
    provider.script(Reply([text("half")], stop=stop))
    assert gpt.responses.create(model="m-1", input="hi").status == status
    *_, last = gpt.responses.create(model="m-1", input="hi", stream=True)
    assert last.type == f"response.{status}"
    assert bool(last.response.error) == (status == "failed")


def test_responses_tool_loop_goes_round(provider, gpt):
    provider.script(Reply(FULL[3:]), Reply([text("done")]))
    first = gpt.responses.create(model="m-1", input="hi")
    made = [item.model_dump(exclude_none=True) for item in first.output]
    results = [{"type": "function_call_output", "call_id": item["call_id"], "output": "x"} for item in made]
    said = [{"role": "user", "content": "hi"}, *made, *results]
    assert gpt.responses.create(model="m-1", input=said).output_text == "done"
    with pytest.raises(openai.BadRequestError, match="No tool output found for function call call_3"):
        gpt.responses.create(model="m-1", input=said[:-1])


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_openai_errors_have_their_classes(provider, gpt, status, error):
    provider.script(Reply(status=status))
    for ask in (lambda: gpt.chat.completions.create(**CHAT), lambda: gpt.responses.create(model="m-1", input="hi")):
        with pytest.raises(error) as caught:
            ask()
        assert caught.value.status_code == status
        assert caught.value.body["message"]
    assert gpt.models.list().data[0].id == "fake-1"


# OpenRouter


def test_openrouter_streams_comments_reasoning_and_usage(provider, claude, gpt):
    provider.script(REPLIES["full"])
    stream = post(provider, "/api/v1/chat/completions", {**CHAT, "stream": True})
    assert stream.startswith(b": OPENROUTER PROCESSING\n\n")
    client = gpt.with_options(base_url=f"{provider.url}/api/v1")
    chunks = list(client.chat.completions.create(**CHAT, stream=True))
    whole = client.chat.completions.create(**CHAT)
    details = list(itertools.chain(*(getattr(chunk.choices[0].delta, "reasoning_details", ()) for chunk in chunks)))
    assert "".join(detail.get("text", "") for detail in details) == FULL[0].value
    assert [detail["signature"] for detail in details if "signature" in detail] == ["c2lnLTE="]
    assert whole.choices[0].message.reasoning == FULL[0].value
    assert chunks[-1].usage.prompt_tokens == 125
    assert claude.with_options(base_url=f"{provider.url}/api").messages.create(**ASK).content[2].text == SAID


def test_openrouter_tells_errors_inside_the_answer(provider, gpt):
    provider.script(Reply([text("half")], error=("502", "Provider disconnected")))
    value = data_of(post(provider, "/api/v1/chat/completions", {**CHAT, "stream": True}))[-1]
    assert value["error"]["message"] == "Provider disconnected"
    assert value["choices"][0]["finish_reason"] == "error"
    client = gpt.with_options(base_url=f"{provider.url}/api/v1")
    with pytest.raises(openai.APIError, match="Provider disconnected"):
        list(client.chat.completions.create(**CHAT, stream=True))
    provider.script(Reply(status=402))
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(**CHAT)
    assert caught.value.body["code"] == 402


# Bedrock: read by botocore itself, which signs and checks the frames' sums, and by Anthropic's client over it.


@pytest.fixture
def bedrock(provider):
    provider.aws = ("AKIDEXAMPLE", "secret/of+test", "eu-central-1")
    session = botocore.session.Session()
    session.set_credentials("AKIDEXAMPLE", "secret/of+test")
    client = session.create_client(
        "bedrock-runtime",
        region_name="eu-central-1",
        endpoint_url=provider.url,
        config=botocore.config.Config(retries={"max_attempts": 0}),
    )
    yield client
    client.close()


BEDROCK = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": ASK["messages"]}).encode()
MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"


def test_botocore_reads_answers_and_streams(provider, bedrock):
    provider.script(REPLIES["extras"])
    whole = json.loads(bedrock.invoke_model(modelId=MODEL, body=BEDROCK)["body"].read())
    answer = bedrock.invoke_model_with_response_stream(modelId=MODEL, body=BEDROCK)
    chunks = [json.loads(event["chunk"]["bytes"]) for event in answer["body"] if "chunk" in event]
    answer["body"].close()
    assert whole["content"][2]["text"] == SAID
    assert whole["model"] == MODEL
    said = [chunk["delta"]["text"] for chunk in chunks if chunk.get("delta", {}).get("type") == "text_delta"]
    assert "".join(said) == SAID
    assert chunks[-1]["type"] == "message_stop"
    assert chunks[-1]["amazon-bedrock-invocationMetrics"]["outputTokenCount"] == 7
    assert provider.accepted == 2


def test_bedrock_wants_the_right_signature(provider, bedrock):
    provider.aws = ("AKIDEXAMPLE", "another secret", "eu-central-1")
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidSignatureException"):
        bedrock.invoke_model(modelId=MODEL, body=BEDROCK)
    provider.aws = ("AKIDEXAMPLE", "secret/of+test", "us-east-1")
    with pytest.raises(botocore.exceptions.ClientError, match="valid region"):
        bedrock.invoke_model(modelId=MODEL, body=BEDROCK)
    assert provider.accepted == 0


def test_bedrock_tells_errors(provider, bedrock):
    provider.script(Reply(status=429))
    with pytest.raises(bedrock.exceptions.ThrottlingException):
        bedrock.invoke_model(modelId=MODEL, body=BEDROCK)
    provider.script(Reply([text("half")], error=("throttlingException", "Slow down")))
    answer = bedrock.invoke_model_with_response_stream(modelId=MODEL, body=BEDROCK)
    with pytest.raises(botocore.exceptions.EventStreamError, match=r"throttlingException.*Slow down"):
        list(answer["body"])
    answer["body"].close()
    with pytest.raises(bedrock.exceptions.ValidationException, match="Extra inputs"):
        bedrock.invoke_model(modelId=MODEL, body=BEDROCK[:-1] + b', "stream": true}')


def test_anthropic_bedrock_reads_frames_with_a_bearer_key(provider, pool):
    provider.key = "bedrock-api-key"
    provider.script(REPLIES["full"])
    key = {"api_key": "bedrock-api-key", "aws_region": "eu-central-1"}
    client = anthropic.AnthropicBedrock(base_url=provider.url, http_client=pool, max_retries=0, **key)
    asked = {**ASK, "model": MODEL}
    whole = client.messages.create(**asked)
    events = list(client.messages.create(**asked, stream=True))
    provider.script(Reply([text("half")], error=("throttlingException", "Slow down")))
    with pytest.raises(anthropic.APIStatusError, match="Slow down"):
        list(client.messages.create(**asked, stream=True))
    assert whole.content[2].text == SAID
    said = [
        event.delta.text for event in events if event.type == "content_block_delta" and event.delta.type == "text_delta"
    ]
    assert "".join(said) == SAID
    assert provider.requests[1].path.endswith("/invoke-with-response-stream")


def test_deployments_want_a_token_of_client_credentials(provider):
    provider.client = ("sb-clone|xsuaa", "s3cr=t")
    body = json.loads(BEDROCK)
    path = "/v2/inference/deployments/d0123/invoke"
    assert send(provider, path, body)[0] == 401
    form = {"grant_type": "client_credentials"}
    full = {**form, "client_id": provider.client[0], "client_secret": provider.client[1]}
    basic = base64.b64encode(":".join(provider.client).encode()).decode()
    tokens = [
        json.loads(
            post(provider, "/oauth/token", urllib.parse.urlencode(form).encode(), authorization=f"Basic {basic}")
        ),
        json.loads(post(provider, "/oauth/token", urllib.parse.urlencode(full).encode())),
    ]
    assert tokens[0]["expires_in"] > 0
    assert tokens[0]["access_token"] != tokens[1]["access_token"]
    full["client_secret"] = "no"
    status, data = send(provider, "/oauth/token", urllib.parse.urlencode(full).encode())
    assert (status, json.loads(data)["error"]) == (401, "invalid_client")
    for token in tokens:
        key = {"authorization": f"Bearer {token['access_token']}", "AI-Resource-Group": "default"}
        assert json.loads(post(provider, path, body, **key))["content"][0]["text"] == "ok"
        frames = post(provider, f"{path}-with-response-stream", body, **key)
        assert len(frames) > int.from_bytes(frames[:4], "big") > 16
    assert provider.accepted == 4


# Keys and requests


def test_keys_are_asked_for(provider, claude, gpt):
    provider.key = "sk-right"
    with pytest.raises(anthropic.AuthenticationError):
        claude.messages.create(**ASK)
    with pytest.raises(openai.AuthenticationError):
        gpt.chat.completions.create(**CHAT)
    assert claude.with_options(api_key="sk-right").messages.create(**ASK).content[0].text == "ok"
    own = {"x-api-key": "sk-right"}
    assert b'"ok"' in post(provider, "/v1/messages", ASK, **own)
    assert send(provider, "/v1/messages", ASK, **own, authorization="Bearer sk-right")[0] == 401


TOOL_USE = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "x"}
USER = {"role": "user", "content": "hi"}


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("/v1/messages", {"model": "m", "messages": [USER]}, "max_tokens"),
        ("/v1/messages", {**ASK, "messages": []}, "at least one"),
        ("/v1/messages", {**ASK, "messages": ["hi"]}, "right form"),
        ("/v1/messages", {**ASK, "messages": [USER, {"role": "assistant", "content": [TOOL_USE]}]}, "without"),
        ("/v1/messages", {**ASK, "messages": [{"role": "user", "content": [RESULT]}]}, "unexpected"),
        ("/v1/messages", {**ASK, "messages": [{"role": "tool", "content": "x"}]}, "role"),
        ("/v1/chat/completions", {"model": "m", "messages": [{"role": "tool", "tool_call_id": "t"}]}, "preceding"),
        ("/v1/chat/completions", {"messages": [USER]}, "model"),
        ("/v1/responses", {"model": "m", "input": [{"type": "function_call_output", "call_id": "c"}]}, "No tool call"),
        ("/v1/responses", {"model": "m"}, "input"),
        ("/model/m/invoke", {"messages": [USER], "max_tokens": 1}, "anthropic_version"),
        ("/v1/responses", [], "not a JSON object"),
    ],
)
def test_requests_that_do_not_hang_together_are_refused(provider, path, body, sentence):
    status, data = send(provider, path, body)
    assert status == 400
    assert sentence in data.decode()
    assert provider.accepted == 0


def test_sampling_is_refused_under_the_new_version(provider, claude):
    with pytest.raises(anthropic.BadRequestError, match="temperature"):
        claude.messages.create(**ASK, extra_body={"temperature": 1.0})
    assert b'"ok"' in post(provider, "/v1/messages", {**ASK, "temperature": 1.0})


def test_a_block_of_the_apis_own_goes_out_as_it_is(provider):
    block = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}}
    provider.script(Reply([raw(block), text("ok")]))
    assert json.loads(post(provider, "/v1/messages", ASK))["content"][0] == block
    starts = [
        value for value in data_of(post(provider, "/v1/messages", {**ASK, "stream": True})) if "content_block" in value
    ]
    assert starts[0]["content_block"] == block
