"""Scenarios of OpenAI's APIs: see scenarios.py."""

import asyncio
import warnings

from provider_replies import Fault, Reply, call, refusal, text, thinking
from scenarios import LOG, SAID, SCHEMA, heads, scenario

MODEL = "gpt-5.5"
HI = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "hi \u00fc \U0001f600"}]
ASK = {"model": MODEL, "messages": HI}
RESPOND = {"model": MODEL, "input": "hi \u00fc \U0001f600"}
FUNCTION = {"name": "shell", "description": "runs", "parameters": SCHEMA}
TOOLS = [{"type": "function", "function": FUNCTION}]
RESPOND_TOOLS = [{"type": "function", "strict": False, **FUNCTION}]
TWO_CALLS = [
    text("I look."),
    call("call_1", "shell", {"command": "make"}),
    call("call_2", "shell", {"command": "\u00fc"}),
]
LIMITS = {"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-tokens": "6m0s", "openai-processing-ms": "12"}
AT_ONCE = {"retry-after-ms": "2", "retry-after": "0.002"}
PIXEL = "data:image/png;base64,iVBORw0KGgo="


def chat_helper(stream):
    """Return all that the streaming helper of Chat Completions shows."""
    with stream as made:
        return {"events": list(made), "final": made.get_final_completion()}


def response_helper(stream):
    """Return all that the streaming helper of Responses shows."""
    with stream as made:
        return {"events": list(made), "final": made.get_final_response()}


@scenario()
def chat_text(clients):
    return clients.gpt().chat.completions.create(**ASK, temperature=0.1, seed=7)


@scenario()
def chat_stream(clients):
    return list(clients.gpt().chat.completions.create(**ASK, stream=True))


@scenario(Reply([text(SAID)], pieces=1))
def chat_stream_with_usage(clients):
    return list(clients.gpt().chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True}))


@scenario()
def chat_stream_helper(clients):
    return chat_helper(clients.gpt().chat.completions.stream(**ASK))


@scenario()
def chat_two_choices(clients):
    made = clients.gpt().chat.completions
    return [made.create(**ASK, n=2), list(made.create(**ASK, n=2, stream=True))]


@scenario(Reply(TWO_CALLS), body="tool")
def chat_calls(clients):
    return clients.gpt().chat.completions.create(**ASK, tools=TOOLS, parallel_tool_calls=True)


@scenario(Reply(TWO_CALLS, pieces=1, interleave=True), body="tool")
def chat_calls_streamed_in_turn(clients):
    return list(clients.gpt().chat.completions.create(**ASK, tools=TOOLS, stream=True))


@scenario(Reply(TWO_CALLS, together=True), body="tool")
def chat_calls_stream_helper(clients):
    return chat_helper(clients.gpt().chat.completions.stream(**ASK, tools=TOOLS))


@scenario(Reply(TWO_CALLS), body="tool")
def chat_calls_streamed_with_usage(clients):
    more = {"tools": TOOLS, "stream": True, "stream_options": {"include_usage": True}}
    return list(clients.gpt().chat.completions.create(**ASK, **more))


@scenario(Reply(TWO_CALLS), Reply([text("It is the disk.")]), body="less")
def chat_results(clients):
    gpt = clients.gpt().chat.completions
    first = gpt.create(**ASK, tools=TOOLS)
    message = first.choices[0].message
    told = [
        {"role": "tool", "tool_call_id": made.id, "content": content}
        for made, content in zip(message.tool_calls, (LOG, [{"type": "text", "text": LOG}]), strict=True)
    ]
    kept = message.model_dump(mode="json", exclude_none=True, exclude={"annotations"})
    return [first, gpt.create(**{**ASK, "messages": [*HI, kept, *told]}, tools=TOOLS)]


@scenario(Reply([refusal("I cannot help with that.")]))
def chat_refusal(clients):
    gpt = clients.gpt().chat.completions
    return [gpt.create(**ASK), list(gpt.create(**ASK, stream=True))]


@scenario(Reply([text("cut")], stop="length"), Reply([text("I")], stop="refusal"), Reply([]))
def chat_reasons_to_stop(clients):
    gpt = clients.gpt().chat.completions
    return [gpt.create(**ASK) for _ in range(3)]


@scenario()
def chat_image(clients):
    content = [{"type": "text", "text": "what is it?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    return clients.gpt().chat.completions.create(model=MODEL, messages=[{"role": "user", "content": content}])


@scenario(Reply([text(SAID), call("call_1", "shell", {"command": "x"})], extras=True))
def chat_members_of_tomorrow(clients):
    gpt = clients.gpt().chat.completions
    return [gpt.create(**ASK), list(gpt.create(**ASK, stream=True))]


@scenario(Reply([text(SAID, 9)], error=("server_error", "Something broke")))
def chat_error_within_a_stream(clients):
    seen = []
    try:
        seen.extend(clients.gpt().chat.completions.create(**ASK, stream=True))
    except Exception as error:  # noqa: BLE001 (each version has its own class, and both ways must have the same)
        seen.append({"class": type(error).__name__, "said": str(error), "body": error.body})
    return seen


def refused(status):
    """Make a scenario of answers that are errors."""

    def run(clients):
        if status % 2:
            return clients.gpt().responses.create(**RESPOND)
        return clients.gpt().chat.completions.create(**ASK)

    run.__name__ = f"gpt_status_{status}"
    scenario(Reply(status=status, headers={**LIMITS, "retry-after": "7"}))(run)


for _status in (400, 401, 403, 404, 413, 429, 500, 503):
    refused(_status)


@scenario(Reply(status=503, headers=AT_ONCE), Reply(status=429, headers=AT_ONCE), Reply([text(SAID)]))
def gpt_retries_of_the_sdk(clients):
    return chat_helper(clients.gpt(max_retries=2).chat.completions.stream(**ASK))


@scenario(Reply(status=429, headers=AT_ONCE))
def gpt_retries_given_up(clients):
    return clients.gpt(max_retries=2).responses.create(**RESPOND)


@scenario(Reply(fault=Fault("stall", at="head")), left=True)
def gpt_timeout(clients):
    return clients.gpt(timeout=0.4).responses.create(**RESPOND)


@scenario(Reply([text(SAID, 9)], fault=Fault("stall", events=7)), left=True)
def gpt_cancel(clients):
    seen = []
    with clients.gpt().responses.create(**RESPOND, stream=True) as stream:
        for event in stream:
            seen.append(event)
            if len(seen) == 5:
                break
    return seen


@scenario()
def responses_text(clients):
    return clients.gpt().responses.create(**RESPOND, instructions="Be brief.", store=False)


@scenario(Reply([thinking("hm", signature="c2ln"), text(SAID)]))
def responses_items(clients):
    given = [
        {"role": "user", "content": "hi"},
        {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": PIXEL, "detail": "auto"}]},
    ]
    return clients.gpt().responses.create(model=MODEL, input=given, include=["reasoning.encrypted_content"])


@scenario()
def responses_that_go_on(clients):
    gpt = clients.gpt().responses
    first = gpt.create(**RESPOND)
    return [first, gpt.create(**RESPOND, previous_response_id=first.id)]


@scenario(Reply([thinking("hm", signature="c2ln"), text(SAID)], pieces=1))
def responses_stream(clients):
    return list(clients.gpt().responses.create(**RESPOND, stream=True))


@scenario(Reply([thinking("hm", signature="c2ln"), text(SAID)]))
def responses_stream_helper(clients):
    return response_helper(clients.gpt().responses.stream(**RESPOND))


@scenario(Reply(TWO_CALLS), body="tool")
def responses_calls(clients):
    return clients.gpt().responses.create(**RESPOND, tools=RESPOND_TOOLS)


@scenario(Reply(TWO_CALLS, interleave=True), body="tool")
def responses_calls_streamed(clients):
    return response_helper(clients.gpt().responses.stream(**RESPOND, tools=RESPOND_TOOLS))


@scenario(Reply([thinking("hm", signature="c2ln"), *TWO_CALLS]), Reply([text("It is the disk.")]), body="less")
def responses_results_streamed(clients):
    gpt = clients.gpt().responses
    items = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "why?"}]}]
    more = {"model": MODEL, "tools": RESPOND_TOOLS, "include": ["reasoning.encrypted_content"], "store": False}
    with gpt.stream(**more, input=items) as stream:
        first = stream.get_final_response()
    kept = [item.model_dump(mode="json", exclude_none=True, exclude={"parsed_arguments"}) for item in first.output]
    told = [
        {"type": "function_call_output", "call_id": item.call_id, "output": LOG}
        for item in first.output
        if item.type == "function_call"
    ]
    with gpt.stream(**more, input=[*items, *kept, *told]) as stream:
        return [first, stream.get_final_response()]


@scenario(Reply([text("cut")], stop="length"), Reply([], stop="failed"), Reply([refusal("No.")]))
def responses_reasons_to_stop(clients):
    gpt = clients.gpt().responses
    return [gpt.create(**RESPOND) for _ in range(3)]


@scenario(Reply([text("cut")], stop="length"), Reply([text("x")], stop="failed"))
def responses_streams_that_fail(clients):
    gpt = clients.gpt().responses
    return [list(gpt.create(**RESPOND, stream=True)) for _ in range(2)]


@scenario()
def responses_that_are_kept(clients):
    gpt = clients.gpt().responses
    gpt.delete("resp_1")
    return [gpt.retrieve("resp_1"), gpt.cancel("resp_1"), list(gpt.input_items.list("resp_1"))]


@scenario()
def responses_count_tokens(clients):
    return clients.gpt().responses.input_tokens.count(**RESPOND)


@scenario(Reply([text(SAID)]), Reply(TWO_CALLS), Reply(status=400, error=("invalid_request_error", "No.")))
def responses_websocket(clients):
    seen = []
    # It calls the library for WebSockets in a way that the newest one of these will not have any more.
    quiet = warnings.catch_warnings(action="ignore", category=DeprecationWarning)
    with quiet, clients.gpt().responses.connect(extra_headers={"x-scenario": clients.label}) as connection:
        for _ in range(3):
            connection.response.create(**RESPOND)
            for event in connection:
                seen.append(event)
                if event.type in ("response.completed", "error"):
                    break
    return seen


@scenario()
def gpt_embeddings(clients):
    gpt = clients.gpt()
    return [gpt.embeddings.create(model=MODEL, input=["a", "bc"]), gpt.embeddings.create(model=MODEL, input=[1, 2])]


@scenario()
def gpt_moderations(clients):
    return clients.gpt().moderations.create(input=["x", LOG])


@scenario()
def gpt_models(clients):
    models = clients.gpt().models
    return [list(models.list()), models.retrieve("ft:gpt:org::id"), models.delete("ft:gpt:org::id")]


@scenario()
def gpt_files(clients):
    files = clients.gpt().files
    made = files.create(file=("lines.jsonl", LOG.encode()), purpose="batch")
    return [made, files.retrieve(made.id), list(files.list()), files.content(made.id).read(), files.delete(made.id)]


@scenario()
def gpt_batches(clients):
    batches = clients.gpt().batches
    made = batches.create(input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h")
    return [made, batches.retrieve(made.id), batches.cancel(made.id)]


@scenario()
def gpt_image_speech_and_completion(clients):
    gpt = clients.gpt()
    speech = gpt.audio.speech.create(model="tts", voice="alloy", input="x")
    completion = gpt.completions.create(model=MODEL, prompt="once")
    return [gpt.images.generate(model="image", prompt="x"), speech.read(), completion]


@scenario(Reply([text(SAID)], headers=LIMITS))
def gpt_raw_response(clients):
    made = clients.gpt().chat.completions.with_raw_response.create(**ASK)
    return [made.status_code, heads(made.headers), made.text, made.parse()]


@scenario(Reply([text(SAID)], encoding="gzip"))
def gpt_streaming_response(clients):
    with clients.gpt().responses.with_streaming_response.create(**RESPOND, stream=True) as made:
        return [made.status_code, heads(made.headers), b"".join(made.iter_bytes())]


@scenario()
async def async_chat_text(clients):
    async with clients.async_gpt() as gpt:
        return await gpt.chat.completions.create(**ASK)


@scenario(Reply(TWO_CALLS), body="tool")
async def async_responses_calls_streamed(clients):
    async with clients.async_gpt() as gpt, gpt.responses.stream(**RESPOND, tools=RESPOND_TOOLS) as stream:
        seen = [event async for event in stream]
        return [seen, await stream.get_final_response()]


@scenario(Reply([text("all say the same")]))
async def async_chat_many_at_a_time(clients):
    async with clients.async_gpt() as gpt:
        made = await asyncio.gather(*(gpt.chat.completions.create(**ASK) for _ in range(8)))
        return [completion.choices for completion in made]
