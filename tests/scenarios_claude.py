"""Scenarios of the Messages API: see scenarios.py."""

import asyncio
import base64

from provider_replies import Fault, Reply, call, raw, redacted, text, thinking
from scenarios import LOG, SAID, SCHEMA, heads, scenario

MODEL = "claude-opus-4-8"
HI = [{"role": "user", "content": "hi \u00fc \U0001f600"}]
ASK = {"model": MODEL, "max_tokens": 64, "messages": HI}
TOOLS = [{"name": "Bash", "description": "runs", "input_schema": SCHEMA}]
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()
THOUGHT = [thinking("First I think about it.", signature="c2lnLTE="), redacted("b3BhcXVl"), text(SAID)]
TWO_CALLS = [
    text("I look."),
    call("toolu_1", "Bash", {"command": "make"}),
    call("toolu_2", "Bash", {"command": "\u00fc"}),
]
LIMITS = {"anthropic-ratelimit-requests-remaining": "3", "anthropic-ratelimit-tokens-reset": "2026-01-01T00:00:00Z"}
AT_ONCE = {"retry-after-ms": "2", "retry-after": "0.002"}


def events(stream):
    return list(stream)


def helper(stream):
    """Return all that the streaming helper shows."""
    with stream as made:
        seen = list(made)
        return {"events": seen, "final": made.get_final_message(), "text": made.get_final_text()}


def result(identifier, content, **more):
    return {"type": "tool_result", "tool_use_id": identifier, "content": content, **more}


def conversation(clients, *results, streaming=False, **more):
    """Ask, run the calls of the answer, and tell the results; return both answers."""
    claude = clients.claude()
    ask = {**ASK, "tools": TOOLS, **more}

    def say(messages):
        if not streaming:
            return claude.messages.create(**{**ask, "messages": messages})
        with claude.messages.stream(**{**ask, "messages": messages}) as stream:
            return stream.get_final_message()

    first = say(HI)
    calls = [block.id for block in first.content if block.type == "tool_use"]
    told = [result(name, content) for name, content in zip(calls, results, strict=True)]
    kept = [block.model_dump(mode="json", exclude_none=True) for block in first.content]
    second = say([*HI, {"role": "assistant", "content": kept}, {"role": "user", "content": told}])
    return [first, second]


@scenario()
def claude_text(clients):
    return clients.claude().messages.create(**ASK)


@scenario(Reply([text(SAID, 20_000)]))
def claude_text_of_a_megabyte(clients):
    return clients.claude().messages.create(**ASK)


@scenario()
def claude_stream_of_events(clients):
    return events(clients.claude().messages.create(**ASK, stream=True))


@scenario(Reply([text(SAID, 3)], pieces=1))
def claude_stream_helper(clients):
    return helper(clients.claude().messages.stream(**ASK))


@scenario()
def claude_stream_of_text(clients):
    with clients.claude().messages.stream(**ASK) as stream:
        return list(stream.text_stream)


@scenario()
def claude_system_and_sampling(clients):
    system = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    more = {"system": system, "metadata": {"user_id": "u"}, "service_tier": "auto", "stop_sequences": ["END"]}
    return clients.claude().messages.create(**ASK, **more)


@scenario(Reply(TWO_CALLS), body="tool")
def claude_calls(clients):
    return clients.claude().messages.create(**ASK, tools=TOOLS)


@scenario(Reply(TWO_CALLS, pieces=1), body="tool")
def claude_calls_streamed(clients):
    return helper(clients.claude().messages.stream(**ASK, tools=TOOLS))


@scenario(Reply([call("toolu_1", "Bash", {})]), body="tool")
def claude_call_without_arguments_streamed(clients):
    return events(clients.claude().messages.create(**ASK, tools=TOOLS, stream=True))


@scenario(Reply([call("toolu_1", "Bash", '{"command": "no en')], stop="length"), body="tool")
def claude_call_cut_off_streamed(clients):
    return events(clients.claude().messages.create(**ASK, tools=TOOLS, stream=True))


@scenario(Reply([call("toolu_1", "Bash", {"command": "x"}, caller={"type": "direct"})]), body="any")
def claude_tool_that_is_forced(clients):
    choice = {"type": "tool", "name": "Bash", "disable_parallel_tool_use": True}
    return clients.claude().messages.create(**ASK, tools=TOOLS, tool_choice=choice)


@scenario(Reply(TWO_CALLS), Reply([text("It is the disk.")]), body="less")
def claude_results(clients):
    return conversation(clients, LOG, [{"type": "text", "text": LOG}])


@scenario(Reply([*THOUGHT, *TWO_CALLS]), Reply([thinking("So."), text("It is the disk.")]), body="less")
def claude_results_behind_signed_thinking_streamed(clients):
    return conversation(clients, LOG, "no such file", streaming=True, thinking={"type": "adaptive"})


@scenario(Reply(TWO_CALLS), Reply([text("A picture.")]), body="less")
def claude_results_with_an_image(clients):
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    return conversation(clients, [image, {"type": "text", "text": LOG}], [])


@scenario(Reply(TWO_CALLS[:2]), Reply(TWO_CALLS[2:]), Reply([text("Done.")]), body="less")
def claude_tool_runner(clients):
    import anthropic

    def run(command: str) -> str:
        """Run a command.

        Args:
            command: what to run
        """
        return LOG + command

    tool = anthropic.beta_tool(run, name="Bash")
    return list(clients.claude().beta.messages.tool_runner(**ASK, tools=[tool]))


@scenario(Reply(TWO_CALLS))
def claude_tools_with_bypass(clients):
    return clients.claude(headers={"x-headroom-bypass": "true"}).messages.create(**ASK, tools=TOOLS)


@scenario(Reply(THOUGHT, usage={"input": 100, "cached": 20, "written": 5, "output": 50, "thinking": 9}))
def claude_thinking(clients):
    return clients.claude().messages.create(**ASK, thinking={"type": "adaptive"})


@scenario(Reply(THOUGHT))
def claude_thinking_streamed(clients):
    return helper(clients.claude().messages.stream(**ASK, thinking={"type": "adaptive"}))


@scenario()
def claude_image_and_document(clients):
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": LOG}, "title": "t"}
    content = [image, document, {"type": "text", "text": "what is it?"}]
    return clients.claude().messages.create(**{**ASK, "messages": [{"role": "user", "content": content}]})


PLACE = {
    "type": "char_location", "cited_text": "x", "document_index": 0, "document_title": "t", "start_char_index": 0,
    "end_char_index": 1, "file_id": None,
}  # fmt: skip


@scenario(Reply([text(SAID, citations=[PLACE])]))
def claude_citations_streamed(clients):
    return helper(clients.claude().messages.stream(**ASK))


SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}


@scenario(Reply([raw(SEARCH), text(SAID)], stop="pause"))
def claude_pause_in_a_tool_of_the_server(clients):
    return clients.claude().messages.create(**ASK)


@scenario(
    Reply([text("cut")], stop="length"), Reply([text("until")], stop="sequence"), Reply([text("I")], stop="refusal"),
    Reply([text("full")], stop="window"), Reply([]),
)  # fmt: skip
def claude_reasons_to_stop(clients):
    claude = clients.claude()
    return [claude.messages.create(**ASK) for _ in range(5)]


@scenario(Reply([text("I")], stop="refusal"))
def claude_refusal_streamed(clients):
    return helper(clients.claude().messages.stream(**ASK))


@scenario(Reply([*THOUGHT, call("toolu_1", "Bash", {"command": "x"})], extras=True))
def claude_members_and_events_of_tomorrow(clients):
    claude = clients.claude()
    return [claude.messages.create(**ASK), events(claude.messages.create(**ASK, stream=True))]


def refused(status, kind):
    """Make a scenario of an answer that is an error."""

    def run(clients):
        return clients.claude().messages.create(**ASK)

    run.__name__ = f"claude_status_{status}"
    headers = {**LIMITS, "retry-after": "7", "x-should-retry": "false"}
    scenario(Reply(status=status, error=(kind, f"No: {status}"), headers=headers))(run)


for _status, _kind in (
    (400, "invalid_request_error"), (401, "authentication_error"), (403, "permission_error"), (404, "not_found_error"),
    (413, "request_too_large"), (429, "rate_limit_error"), (500, "api_error"), (529, "overloaded_error"),
):  # fmt: skip
    refused(_status, _kind)


@scenario(Reply(status=502, body=b"<html>bad gateway</html>", kind="text/html"))
def claude_error_that_is_no_json(clients):
    return clients.claude().messages.create(**ASK)


@scenario(Reply(status=529, headers=AT_ONCE), Reply(status=429, headers=AT_ONCE), Reply([text(SAID)]))
def claude_retries_of_the_sdk(clients):
    return helper(clients.claude(max_retries=2).messages.stream(**ASK))


@scenario(Reply(status=529, headers=AT_ONCE))
def claude_retries_given_up(clients):
    return clients.claude(max_retries=2).messages.create(**ASK)


@scenario(Reply(fault=Fault("stall", at="head")), left=True)
def claude_timeout(clients):
    return clients.claude(timeout=0.4).messages.create(**ASK)


@scenario(Reply([text(SAID, 9)], fault=Fault("stall", events=7)), left=True)
def claude_cancel(clients):
    seen = []
    with clients.claude().messages.stream(**ASK) as stream:
        for event in stream:
            seen.append(event)
            if len(seen) == 5:
                break
    return seen


@scenario(Reply([text(SAID, 9)], fault=Fault("error", events=7), error=("overloaded_error", "Overloaded")))
def claude_error_within_a_stream(clients):
    seen = []
    try:
        seen.extend(clients.claude().messages.create(**ASK, stream=True))
    except Exception as error:  # noqa: BLE001 (each version has its own class, and both ways must have the same)
        seen.append({"class": type(error).__name__, "said": str(error), "body": error.body})
    return seen


@scenario(Reply([text(SAID, 50)], encoding="gzip"), Reply([text(SAID, 50)], encoding="deflate"))
def claude_answers_that_are_compressed(clients):
    claude = clients.claude()
    return [claude.messages.create(**ASK), events(claude.messages.create(**ASK, stream=True))]


@scenario()
def claude_count_tokens(clients):
    return clients.claude().messages.count_tokens(model=MODEL, messages=HI)


@scenario()
def claude_batches(clients):
    batches = clients.claude().messages.batches
    made = batches.create(requests=[{"custom_id": name, "params": ASK} for name in "ab"])
    return [
        made, batches.retrieve(made.id), list(batches.list()), batches.cancel(made.id), batches.delete(made.id),
        list(batches.results(made.id)),
    ]  # fmt: skip


@scenario()
def claude_models(clients):
    models = clients.claude().models
    return [list(models.list()), models.retrieve("fake-1")]


@scenario()
def claude_files(clients):
    files = clients.claude().beta.files
    made = files.upload(file=("notes.txt", LOG.encode(), "text/plain"))
    content = files.download(made.id).read()
    return [
        made,
        files.retrieve_metadata(made.id),
        list(files.list()),
        content,
        files.delete(made.id),
    ]


@scenario(Reply([text(SAID)], headers=LIMITS))
def claude_raw_response(clients):
    made = clients.claude().messages.with_raw_response.create(**ASK)
    parsed = made.parse()
    return [made.status_code, heads(made.headers), made.text() if callable(made.text) else made.text, parsed]


@scenario()
def claude_streaming_response(clients):
    with clients.claude().messages.with_streaming_response.create(**ASK, stream=True) as made:
        return [made.status_code, heads(made.headers), b"".join(made.iter_bytes())]


@scenario()
def claude_beta(clients):
    beta = clients.claude().beta.messages
    more = {"betas": ["context-management-2025-06-27", "interleaved-thinking-2025-05-14"]}
    more["context_management"] = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
    return [beta.create(**ASK, **more), helper(beta.stream(**ASK, **more))]


@scenario()
def claude_more_of_everything(clients):
    more = {"extra_headers": {"x-mine": "a, b"}, "extra_query": {"q": "\u00fc &", "r": ["1", "2"]}}
    more["extra_body"] = {"unknown": {"big": 12345678901234567890, "float": 1.5, "null": None}}
    return clients.claude().messages.create(**ASK, **more)


@scenario()
def claude_unknown_path(clients):
    return clients.claude().get("/v1/nothing/here?x=1", cast_to=object)


@scenario()
async def async_claude_text(clients):
    async with clients.async_claude() as claude:
        return await claude.messages.create(**ASK)


@scenario(Reply(TWO_CALLS), body="tool")
async def async_claude_calls_streamed(clients):
    async with clients.async_claude() as claude, claude.messages.stream(**ASK, tools=TOOLS) as stream:
        seen = [event async for event in stream]
        return [seen, await stream.get_final_message()]


@scenario(Reply([text("all say the same")]))
async def async_claude_many_at_a_time(clients):
    async with clients.async_claude() as claude:
        made = await asyncio.gather(*(claude.messages.create(**ASK) for _ in range(8)))
        return [message.content for message in made]


@scenario(Reply([text(SAID, 9)], fault=Fault("stall", events=7)), left=True)
async def async_claude_cancel(clients):
    async with clients.async_claude() as claude:
        heard = asyncio.Event()

        async def listen():
            async with claude.messages.stream(**ASK) as stream:
                async for event in stream:
                    if event.type == "text":
                        heard.set()

        task = asyncio.create_task(listen())
        await asyncio.wait_for(heard.wait(), 20)
        task.cancel()
        return [type(made).__name__ for made in await asyncio.gather(task, return_exceptions=True)]
