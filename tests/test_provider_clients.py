"""The fake provider is read by clients that live apart: older official SDKs, boto3, LiteLLM, any-llm."""

import pytest
from clients import run_client
from provider import Provider, Reply, call, text, thinking

PARTS = [
    thinking("I think first.", signature="c2ln"),
    text("Hello there, in two pieces"),
    call("call_1", "look", {"a": 1}),
    call("call_2", "look", {"a": 2}),
]


@pytest.fixture
def provider():
    with Provider(Reply(PARTS)) as made:
        yield made


OLDER = """
import json, sys, anthropic, openai
url, model = sys.argv[1:]
ask = {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
claude = anthropic.Anthropic(base_url=url, api_key="sk-ant-test", max_retries=0)
whole = claude.messages.create(**ask)
with claude.messages.stream(**ask) as stream:
    final = stream.get_final_message()
keys = {"aws_access_key": "AKIDEXAMPLE", "aws_secret_key": "secret", "aws_region": "eu-central-1"}
bedrock = anthropic.AnthropicBedrock(base_url=url, max_retries=0, **keys)
signed = bedrock.messages.create(**ask)
events = list(bedrock.messages.create(**ask, stream=True))
gpt = openai.OpenAI(base_url=url + "/v1", api_key="sk-test", max_retries=0)
chat = gpt.chat.completions.create(model="m", messages=ask["messages"])
with gpt.responses.stream(model="m", input="hi") as stream:
    response = stream.until_done().get_final_response()
print(json.dumps({
    "versions": [anthropic.__version__, openai.__version__],
    "kinds": [[block.type for block in message.content] for message in (whole, final, signed)],
    "frames": "".join(getattr(event.delta, "text", "") for event in events if event.type == "content_block_delta"),
    "chat": [made.id for made in chat.choices[0].message.tool_calls],
    "response": [item.type for item in response.output],
}))
"""


def test_older_official_sdks_read_it(provider):
    provider.aws = ("AKIDEXAMPLE", "secret", "eu-central-1")
    model = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
    seen = run_client(OLDER, provider.url, model)
    assert seen["versions"][0].startswith("0.")
    assert seen["versions"][1].startswith("2.")
    assert seen["kinds"] == [["thinking", "text", "tool_use", "tool_use"]] * 3
    assert seen["frames"] == PARTS[1].value
    assert seen["chat"] == ["call_1", "call_2"]
    assert seen["response"] == ["reasoning", "message", "function_call", "function_call"]
    assert provider.requests[0].header("anthropic-version") == "2023-06-01"
    assert provider.requests[0].header("x-api-key") == "sk-ant-test"
    assert provider.requests[2].header("authorization").startswith("AWS4-HMAC-SHA256 ")
    assert provider.accepted == 6


LITELLM = """
import json, sys, litellm
url = sys.argv[1]
look = {"name": "look", "description": "d", "parameters": {"type": "object", "properties": {}}}
ask = {"messages": [{"role": "user", "content": "hi"}], "tools": [{"type": "function", "function": look}]}
ask |= {"max_tokens": 9, "api_key": "k"}
litellm.suppress_debug_info = True
# With tools it wants a module that it does not install, to run tools of its own.
ask["_skip_mcp_handler"] = True
seen = []
for model, base in (("openai/m", url + "/v1"), ("anthropic/m", url), ("openrouter/m", url + "/api/v1")):
    whole = litellm.completion(model=model, api_base=base, **ask)
    chunks = list(litellm.completion(model=model, api_base=base, stream=True, **ask))
    built = litellm.stream_chunk_builder(chunks)
    for made in (whole, built):
        message = made.choices[0].message
        calls = [[one.id, json.loads(one.function.arguments)] for one in message.tool_calls]
        seen.append([message.content, calls, made.choices[0].finish_reason])
thought = litellm.completion(model="anthropic/m", api_base=url, **ask).choices[0].message
print(json.dumps({"seen": seen, "thought": thought.reasoning_content}))
"""


def test_litellm_reads_it(provider):
    seen = run_client(LITELLM, provider.url)
    said = [PARTS[1].value, [["call_1", {"a": 1}], ["call_2", {"a": 2}]], "tool_calls"]
    assert seen == {"seen": [said] * 6, "thought": "I think first."}
    assert [record.shape for record in provider.asked] == [
        "chat", "chat", "anthropic", "anthropic", "openrouter", "openrouter", "anthropic",
    ]  # fmt: skip


ANYLLM = """
import json, sys, any_llm
url = sys.argv[1]
look = {"name": "look", "description": "d", "parameters": {"type": "object", "properties": {}}}
ask = {"messages": [{"role": "user", "content": "hi"}], "tools": [{"type": "function", "function": look}]}
ask |= {"model": "m", "max_tokens": 9, "api_key": "k"}
seen = []
for provider, base in (("openai", url + "/v1"), ("anthropic", url)):
    whole = any_llm.completion(provider=provider, api_base=base, **ask)
    message = whole.choices[0].message
    seen.append([message.content, [one.id for one in message.tool_calls], whole.choices[0].finish_reason])
    chunks = list(any_llm.completion(provider=provider, api_base=base, stream=True, **ask))
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    ids = [one.id for delta in deltas for one in delta.tool_calls or () if one.id]
    finish = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason]
    seen.append(["".join(delta.content or "" for delta in deltas), ids, finish[-1]])
print(json.dumps(seen))
"""


def test_any_llm_reads_it(provider):
    assert run_client(ANYLLM, provider.url) == [[PARTS[1].value, ["call_1", "call_2"], "tool_calls"]] * 4
    assert provider.accepted == 4


def test_a_client_that_fails_is_not_taken_for_an_answer():
    with pytest.raises(AssertionError, match="ended with 3"):
        run_client("raise SystemExit(3)")
