"""Where the model reads an original, the official SDKs see one answer, whole and well formed, and no word of it."""

import json
import re

import anthropic
import openai
import pytest
from provider import Provider, Reply, call, text, thinking
from proxies import Running
from scenarios import LOG, Clients
from scenarios_claude import ASK, HI, TOOLS, result
from scenarios_gpt import ASK as CHAT
from scenarios_gpt import HI as CHAT_HI
from scenarios_gpt import MODEL, RESPOND_TOOLS
from scenarios_gpt import TOOLS as CHAT_TOOLS
from scenarios_play import plain

OURS = "retrieve_original_content"
HANDLE = re.compile(r"<<headroom:([a-z2-7]{12,}) ")


def claude(clients, seen, *, streaming):
    """Return the answer behind a tool result, as its caller has it at last; events go to ``seen``."""
    made = clients.claude().messages
    first = made.create(**ASK, tools=TOOLS)
    kept = [block.model_dump(mode="json", exclude_none=True) for block in first.content]
    told = [result(block.id, LOG) for block in first.content if block.type == "tool_use"]
    ask = {
        **ASK,
        "tools": TOOLS,
        "messages": [*HI, {"role": "assistant", "content": kept}, {"role": "user", "content": told}],
    }
    if not streaming:
        return made.create(**ask)
    with made.stream(**ask) as stream:
        seen.extend(stream)
        return stream.get_final_message()


def chat(clients, seen, *, streaming):
    made = clients.gpt().chat.completions
    message = made.create(**CHAT, tools=CHAT_TOOLS).choices[0].message
    kept = message.model_dump(mode="json", exclude_none=True, exclude={"annotations"})
    told = [{"role": "tool", "tool_call_id": one.id, "content": LOG} for one in message.tool_calls]
    ask = {**CHAT, "tools": CHAT_TOOLS, "messages": [*CHAT_HI, kept, *told]}
    if not streaming:
        return made.create(**ask)
    with made.stream(**ask) as stream:
        seen.extend(stream)
        return stream.get_final_completion()


def responses(clients, seen, *, streaming):
    made = clients.gpt().responses
    more = {"model": MODEL, "tools": RESPOND_TOOLS, "include": ["reasoning.encrypted_content"], "store": False}
    items = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "why?"}]}]
    output = made.create(**more, input=items).output
    kept = [item.model_dump(mode="json", exclude_none=True) for item in output]
    told = [
        {"type": "function_call_output", "call_id": item.call_id, "output": LOG}
        for item in output
        if item.type == "function_call"
    ]
    ask = {**more, "input": [*items, *kept, *told]}
    if not streaming:
        return made.create(**ask)
    with made.stream(**ask) as stream:
        seen.extend(stream)
        return stream.get_final_response()


def said(name, message):
    """Return (texts, names of called tools, why it ended) of a whole answer."""
    if name == "claude":
        texts = [block["text"] for block in message["content"] if block["type"] == "text"]
        return (
            texts,
            [block["name"] for block in message["content"] if block["type"] == "tool_use"],
            message["stop_reason"],
        )
    if name == "chat":
        choice = message["choices"][0]
        names = [made["function"]["name"] for made in choice["message"]["tool_calls"] or ()]
        return [choice["message"]["content"]], names, choice["finish_reason"]
    texts = [part["text"] for item in message["output"] if item["type"] == "message" for part in item["content"]]
    return texts, [item["name"] for item in message["output"] if item["type"] == "function_call"], message["status"]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Provider() as provider, Running(tmp_path_factory.mktemp("hidden") / "store", provider.url) as proxy:
        yield provider, proxy


def reads(*more):
    """Return a turn of a model that reads the first original that a marker names."""

    def reply(record):
        handle = HANDLE.search(record.body.decode())[1]
        return Reply(
            [thinking("Which line?"), text("I read it. "), call("toolu_ours", OURS, {"handle": handle}), *more]
        )

    return reply


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("client", [claude, chat, responses])
def test_an_original_is_read_between_two_parts_of_one_answer(running, client, streaming):
    provider, proxy = running
    tool = "Bash" if client is claude else "shell"
    looks = Reply([text("I look."), call("toolu_1", tool, {"command": "make"})])
    last = Reply([text("It is the disk."), call("toolu_2", tool, {"command": "df"})])
    provider.script(looks, reads(), last)
    before = provider.accepted
    seen = []
    message = plain(client(Clients(proxy.url, "hidden"), seen, streaming=streaming))
    events = plain(seen)
    assert provider.accepted == before + 3
    assert json.dumps(LOG[2000:2060])[1:-1] in provider.requests[-1].body.decode()
    texts, names, stop = said(client.__name__, message)
    assert "".join(texts) == "I read it. It is the disk."
    assert names == [tool]
    assert stop in ("tool_use", "tool_calls", "completed")
    words = json.dumps([events, message])
    assert OURS not in words
    assert "toolu_ours" not in words
    assert bool(events) == streaming
    numbers = [event["sequence_number"] for event in events if event.get("sequence_number") is not None]
    assert numbers == list(range(len(numbers)))
    opened = [event["index"] for event in events if event.get("type") == "content_block_start"]
    assert opened == list(range(len(opened)))


@pytest.mark.parametrize("client", [claude, chat, responses])
def test_an_error_behind_what_was_said_is_an_error(running, client):
    provider, proxy = running
    tool = "Bash" if client is claude else "shell"
    looks = Reply([call("toolu_1", tool, {"command": "make"})])
    provider.script(looks, reads(), Reply(status=429, headers={"retry-after": "3"}))
    seen = []
    with pytest.raises((anthropic.APIError, openai.APIError)) as caught:
        client(Clients(proxy.url, "hidden"), seen, streaming=True)
    # Those of Responses come to the caller as events, before the connection breaks off.
    words = json.dumps(plain(seen)) + str(caught.value)
    assert "I read it. " in words
    assert "Too many requests" in words
    assert OURS not in words
    assert not any(getattr(event, "type", "") in ("message_stop", "response.completed") for event in seen)
