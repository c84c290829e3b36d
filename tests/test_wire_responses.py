"""Answers of the Responses API: what a client sees of several hops, by the official SDK, and how they go back."""

import itertools
import json

import httpx
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.types.responses import FunctionToolParam, ResponseOutputItem
from pydantic import TypeAdapter

from headroom_cli import formats
from headroom_cli.formats import _edits
from headroom_cli.wire import WIRES, load
from headroom_cli.wire._events import Event
from headroom_cli.wire.responses import Message, Turn, _hop, restore, text_of, text_of_body, tool

OURS = ("retrieve_original_content", "headroom_retrieve")
ITEMS = TypeAdapter(ResponseOutputItem)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 0},
    "output_tokens": 10,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 110,
}


# --- a provider's events, written by hand so that our own writer is told apart (spaces behind commas and colons)


def wire(value, name=None):
    name = value["type"] if name is None else name
    data = json.dumps(value)
    head = f"event: {name}\n" if name else ""
    return Event(f"{head}data: {data}\n\n".encode(), name, data)


def response(identifier, status="in_progress", output=(), **more):
    return {
        "id": identifier, "object": "response", "created_at": 1, "status": status, "error": None,
        "incomplete_details": None, "instructions": None, "model": "gpt-5.6", "output": list(output),
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "store": False, "usage": None, **more,
    }  # fmt: skip


def message(identifier, *texts, refusal=""):
    parts = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []} for text in texts]
    parts += [{"type": "refusal", "refusal": refusal}] if refusal else []
    return {"id": identifier, "type": "message", "status": "completed", "role": "assistant", "content": parts}


def call(identifier, name, arguments="{}", **more):
    return {
        "id": f"fc_{identifier}", "type": "function_call", "status": "completed", "arguments": arguments,
        "call_id": f"call_{identifier}", "name": name, **more,
    }  # fmt: skip


def ours(identifier, arguments='{"handle": "abcdefghijkl"}'):
    return call(identifier, OURS[0], arguments)


def reasoning(identifier, **more):
    sealed = {"encrypted_content": f"sealed {identifier}"}
    return {"id": identifier, "type": "reasoning", "summary": [], **sealed, **more}


def custom(identifier):
    return {
        "id": f"ctc_{identifier}", "type": "custom_tool_call", "status": "completed", "call_id": f"call_{identifier}",
        "name": "apply_patch", "input": "*** Begin Patch",
    }  # fmt: skip


def search(identifier):
    action = {"type": "search", "query": "x", "queries": ["x"]}
    return {"id": f"ws_{identifier}", "type": "web_search_call", "status": "completed", "action": action}


def events_of_item(index, item):
    """Yield the events that tell of an item, without their numbers."""
    at = {"output_index": index}
    inside = {"item_id": item.get("id"), **at}
    begun = {**item, "status": "in_progress"} if "status" in item else item
    if item["type"] == "message":
        yield {"type": "response.output_item.added", **at, "item": {**begun, "content": []}}
        for number, part in enumerate(item["content"]):
            place = {**inside, "content_index": number}
            kind = "text" if "text" in part else "refusal"
            event = "response.output_text" if kind == "text" else "response.refusal"
            more = {"logprobs": []} if kind == "text" else {}
            yield {"type": "response.content_part.added", **place, "part": {**part, kind: ""}}
            for piece in (part[kind][:3], part[kind][3:]):
                yield {"type": f"{event}.delta", **place, "delta": piece, "obfuscation": "aK3", **more}
            yield {"type": f"{event}.done", **place, kind: part[kind], **more}
            yield {"type": "response.content_part.done", **place, "part": part}
    elif item["type"] == "function_call":
        yield {"type": "response.output_item.added", **at, "item": {**begun, "arguments": ""}}
        for piece in (item["arguments"][:5], item["arguments"][5:]):
            yield {"type": "response.function_call_arguments.delta", **inside, "delta": piece}
        yield {"type": "response.function_call_arguments.done", **inside, "arguments": item["arguments"]}
    else:
        yield {"type": "response.output_item.added", **at, "item": begun}
        yield {"type": f"response.{item['type']}.something_new", **inside}
    yield {"type": "response.output_item.done", **at, "item": item}


def stream(identifier, items, *, status="completed", order=None, end=None, **more):
    """Return the events of an answer; ``order`` picks whose event comes next (items of a real answer may overlap)."""
    queues = [list(events_of_item(index, item)) for index, item in enumerate(items)]
    values = []
    begun = 0
    while any(queues):
        open_ones = [index for index in range(begun) if queues[index]]
        choices = [*open_ones, *([begun] if begun < len(queues) else [])]
        chosen = choices[order(len(choices)) if order else 0]
        begun = max(begun, chosen + 1)
        values.append(queues[chosen].pop(0))
    started = response(identifier, **more)
    done = end or response(identifier, status, items, **{"usage": USAGE, **more})
    values = [
        {"type": "response.created", "response": started},
        {"type": "response.in_progress", "response": started},
        *values,
        {"type": f"response.{status}", "response": done},
    ]
    return [wire({"type": value["type"], "sequence_number": n, **value}) for n, value in enumerate(values)]


# --- the part that a caller plays


def play(turn, hops, answer="the original"):
    """Run hops through a turn as a caller does; return what the client sees, and the items of every next request."""
    seen, requests, true = [], [], []
    for number, events in enumerate(hops):
        for event in events:
            seen += turn.take(event)
        assert turn.ended
        if number + 1 < len(hops):
            assert turn.calls
            assert not turn.others
            true += turn.turns([f"{answer} {call.identifier}" for call in turn.calls])
            requests.append(list(true))
            turn.go_on()
    return seen, requests


def raw(events):
    return b"".join(event.raw for event in events)


def by_sdk(events, **request):
    """Return what the official SDK's helper makes of the bytes: (final object, the events it gave)."""
    with sdk(events).responses.stream(model="gpt-5.6", input="x", **request) as found:
        every = list(found)
        return found.get_final_response(), every


def sdk(events):
    head = {"content-type": "text/event-stream"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=head, content=raw(events)))
    return openai.OpenAI(api_key="k", base_url="http://p/v1", http_client=httpx.Client(transport=transport))


def is_ours(item):
    return item["type"] == "function_call" and item["name"] in OURS


def check_numbers(events):
    numbers = [event.value["sequence_number"] for event in events if event.data]
    assert numbers == list(range(len(numbers)))
    added = [event.value["output_index"] for event in events if event.name == "response.output_item.added"]
    assert added == list(range(len(added)))


def test_row_is_in_table():
    row = load("responses")
    assert "responses" in WIRES
    for name in ("Turn", "Message", "text_of", "text_of_body", "tool", "restore"):
        assert hasattr(row, name), name


# --- one hop


def hop_of_everything():
    return stream("resp_1", [reasoning("rs_1"), message("msg_1", "Hello", " you"), search("1"), custom("2"),
                             call("3", "shell", '{"command": "ls"}')])  # fmt: skip


@pytest.mark.parametrize("names", [(), OURS])
@pytest.mark.parametrize("status", ["completed", "incomplete", "failed", "cancelled"])
def test_bytes_pass_where_nothing_is_hidden(names, status):
    more = {"error": {"code": "server_error", "message": "No."}} if status == "failed" else {}
    events = stream("resp_1", [reasoning("rs_1"), message("msg_1", "Hi", refusal="no"), custom("2")], status=status,
                    **more)  # fmt: skip
    events.insert(3, Event(b": keep-alive\n\n"))
    events.insert(4, wire({"type": "response.brand_new", "sequence_number": 900, "x": [1]}))
    events.append(Event(b"data: [DONE]\n\n", "", "[DONE]"))
    turn = Turn(names, streaming=True)
    seen = []
    for event in events:
        given = turn.take(event)
        assert given == [event]  # at once
        seen += given
    assert raw(seen) == raw(events)
    assert turn.ended
    assert turn.calls == []
    assert turn.finish("") == []
    assert turn.past([]) is None
    assert turn.usage == USAGE
    assert turn.failure == (("server_error", "No.") if status == "failed" else None)


def test_stream_without_our_tool_is_looked_at_as_little_as_possible():
    turn = Turn(())
    event = Event(b"", "response.output_text.delta", "{")
    assert turn.take(event) == [event]
    assert event._value is None
    done = wire(hop_of_everything()[-1].value, name="")  # some servers give no event field
    turn.take(done)
    assert turn.ended


def test_provider_that_does_not_number_its_events_gets_none():
    events = [wire({k: v for k, v in event.value.items() if k != "sequence_number"})
              for event in stream("resp_1", [ours("1"), message("msg_1", "a")])]  # fmt: skip
    turn = Turn(OURS)
    seen = [given for event in events for given in turn.take(event)]
    seen += turn.finish("stop")
    assert not any("sequence_number" in event.value for event in seen)
    assert [event.value["output_index"] for event in seen if event.name.endswith("item.added")] == [0, 1]


def test_broken_stream_has_no_end():
    turn = Turn(OURS)
    events = hop_of_everything()[:-1]
    for event in events:
        turn.take(event)
    assert not turn.ended
    assert turn.finish("x") == []
    last = turn.error("overloaded_error", "It broke off.")
    assert last.name == "error"
    assert last.value == {"type": "error", "code": "overloaded_error", "message": "It broke off.", "param": None,
                          "sequence_number": len(events)}  # fmt: skip
    given = list(sdk([*events, last]).responses.create(model="m", input="x", stream=True))
    assert (given[-1].type, given[-1].message) == ("error", "It broke off.")
    blind = Turn(())
    for event in events:
        blind.take(event)
    assert blind.error("a", "b").value["sequence_number"] == len(events)


@pytest.mark.parametrize("event", [
    {"type": "error", "code": "rate_limit_exceeded", "message": "Slow down.", "param": None, "sequence_number": 2},
    {"type": "error", "error": {"type": "rate_limit_exceeded", "message": "Slow down."}, "sequence_number": 2},
])  # fmt: skip
def test_error_inside_passes_and_is_known(event):
    turn = Turn(OURS)
    for before in hop_of_everything()[:2]:
        turn.take(before)
    assert raw(turn.take(wire(event))) == wire(event).raw
    assert turn.failure == ("rate_limit_exceeded", "Slow down.")


# --- our calls


def test_call_of_ours_is_hidden_and_the_next_hop_goes_on_where_the_client_is():
    items = [reasoning("rs_1"), message("msg_1", "Let me look."), ours("1"), ours("2", "[1]"), ours("3", "{")]
    turn = Turn(OURS)
    seen, (sent,) = play(
        turn, [stream("resp_1", items), stream("resp_2", [reasoning("rs_2"), message("msg_2", "Yes")])]
    )
    check_numbers(seen)
    assert OURS[0].encode() not in raw(seen)
    results = [{"type": "function_call_output", "call_id": f"call_{n}", "output": f"the original call_{n}"}
               for n in (1, 2, 3)]  # fmt: skip
    assert sent == [*items, *results]
    final, _ = by_sdk(seen)
    shown = [items[0], items[1], reasoning("rs_2"), message("msg_2", "Yes")]
    assert seen[-1].value["response"]["output"] == shown
    assert final.output_text == "Let me look.Yes"
    assert seen[-1].value["response"]["usage"] == turn.usage == {
        "input_tokens": 200, "input_tokens_details": {"cached_tokens": 128, "cache_write_tokens": 0},
        "output_tokens": 20, "output_tokens_details": {"reasoning_tokens": 6}, "total_tokens": 220,
    }  # fmt: skip


def test_arguments_are_read_or_none():
    turn = Turn(OURS)
    texts = ['{"handle": "a"}', "", "[1]", "{", '{"a": ' * 5000]
    for event in stream("resp_1", [ours(str(n), text) for n, text in enumerate(texts)]):
        turn.take(event)
    assert [call.arguments for call in turn.calls] == [{"handle": "a"}, {}, None, None, None]
    assert [call.identifier for call in turn.calls] == [f"call_{n}" for n in range(5)]
    assert {call.name for call in turn.calls} == {OURS[0]}


def test_tool_of_the_same_name_in_a_namespace_is_not_ours():
    events = stream("resp_1", [call("1", OURS[0], namespace="other")])
    turn = Turn(OURS)
    assert raw(event for given in map(turn.take, events) for event in given) == raw(events)
    assert turn.calls == []
    assert turn.others


@pytest.mark.parametrize(("item", "others"), [
    (search("1"), False),
    (custom("1"), True),
    (call("1", "shell"), True),
    ({"type": "local_shell_call", "id": "l", "call_id": "c", "action": {}, "status": "completed"}, True),
    ({"type": "computer_call", "id": "l", "call_id": "c", "status": "completed"}, True),
    ({"type": "mcp_call", "id": "m", "name": "x", "arguments": "{}", "server_label": "s"}, False),
    ({"type": "mcp_approval_request", "id": "m", "name": "x", "arguments": "{}", "server_label": "s"}, True),
    ({"type": "tool_search_call", "id": "t", "execution": "server", "arguments": {}}, False),
    ({"type": "tool_search_call", "id": "t", "execution": "client", "arguments": {}}, True),
    ({"type": "brand_new_call", "id": "t"}, True),
    ({"type": "compaction", "id": "t", "encrypted_content": "x"}, False),
])  # fmt: skip
def test_calls_that_wait_for_the_client(item, others):
    turn = Turn(OURS)
    for event in stream("resp_1", [ours("1"), item]):
        turn.take(event)
    assert turn.others is others


def test_call_that_the_provider_ran_itself_does_not_wait():
    turn = Turn(OURS)
    done = {"type": "shell_call_output", "id": "o", "call_id": "c", "output": []}
    for event in stream("resp_1", [{"type": "shell_call", "id": "s", "call_id": "c"}, done, ours("1")]):
        turn.take(event)
    assert not turn.others


def test_mixed_hop_ends_with_the_callers_calls():
    items = [ours("1"), call("2", "shell", '{"command": "ls"}'), ours("3"), custom("4")]
    turn = Turn(OURS)
    seen = [given for event in stream("resp_1", items) for given in turn.take(event)]
    assert turn.others
    assert seen[-1].name != "response.completed"
    seen += turn.finish("")
    assert turn.finish("") == []
    check_numbers(seen)
    final, _ = by_sdk(seen)
    assert [item.call_id for item in final.output] == ["call_2", "call_4"]
    assert final.status == "completed"


def test_note_ends_a_turn_that_may_not_go_on():
    turn = Turn(OURS)
    held = [*stream("resp_1", [message("msg_1", "I look. "), ours("1")]), Event(b"data: [DONE]\n\n", "", "[DONE]")]
    seen = [given for event in held for given in turn.take(event)]
    seen += turn.finish("No more originals.")
    check_numbers([event for event in seen if event.data != "[DONE]"])
    assert seen[-1].data == "[DONE]"
    final, given = by_sdk(seen[:-1])
    assert final.output_text == "I look. No more originals."
    assert "".join(e.delta for e in given if e.type == "response.output_text.delta") == final.output_text
    assert final.status == "completed"
    assert final.output[-1].id.startswith("msg_")


def test_answer_that_was_cut_off_calls_nothing():
    turn = Turn(OURS)
    items = [message("msg_1", "I look"), {**ours("1", '{"han'), "status": "incomplete"}]
    details = {"incomplete_details": {"reason": "max_output_tokens"}}
    seen = [given for event in stream("resp_1", items, status="incomplete", **details) for given in turn.take(event)]
    assert turn.ended
    assert turn.calls == []
    assert seen[-1].name == "response.incomplete"
    assert seen[-1].value["response"]["output"] == items[:1]
    assert seen[-1].value["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    check_numbers(seen)
    assert turn.finish("") == []
    assert turn.past([]) is None


def test_later_hop_that_fails_keeps_what_the_client_saw():
    turn = Turn(OURS)
    more = {"error": {"code": "server_error", "message": "No."}, "store": True}
    seen, _ = play(turn, [stream("resp_1", [message("msg_1", "a"), ours("1")], store=True),
                          stream("resp_2", [message("msg_2", "b")], status="failed", **more)])  # fmt: skip
    assert turn.failure == ("server_error", "No.")
    check_numbers(seen)
    with sdk(seen).responses.stream(model="m", input="x") as found:
        last = list(found)[-1]
    assert last.type == "response.failed"
    assert [item.id for item in last.response.output] == ["msg_1", "msg_2"]


def test_call_told_of_at_the_end_only_is_served_too():
    items = [message("msg_1", "a"), ours("1")]
    events = stream("resp_1", items)
    for kept in (events[:2], events[:-2]):  # no events of items at all; no last event of ours
        turn = Turn(OURS)
        seen = [given for event in [*kept, events[-1]] for given in turn.take(event)]
        assert [call.identifier for call in turn.calls] == ["call_1"]
        assert turn.turns(["x"]) == [*items, {"type": "function_call_output", "call_id": "call_1", "output": "x"}]
        seen += turn.finish("No more.")
        assert seen[-1].value["response"]["output"][:-1] == items[:1]
        assert seen[-7].name == "response.output_item.added"
        assert seen[-7].value["output_index"] == 1  # its place in the final list


def test_provider_that_counts_items_from_one():
    def moved(event):
        index = event.value.get("output_index")
        return event if index is None else wire({**event.value, "output_index": index + 1})

    turn = Turn(OURS)
    for event in stream("resp_1", [reasoning("rs_1"), message("msg_1", "a"), ours("1"), ours("2")]):
        turn.take(moved(event))
    assert [call.identifier for call in turn.calls] == ["call_1", "call_2"]
    assert [item.get("call_id") for item in turn.turns(["x", "y"])] == [
        None,
        None,
        "call_1",
        "call_2",
        "call_1",
        "call_2",
    ]


def test_events_that_name_only_the_item():
    events = stream("resp_1", [ours("1"), message("msg_1", "a")])
    events.insert(3, wire({"type": "response.brand_new", "item_id": "fc_1", "sequence_number": 3}))
    turn = Turn(OURS)
    seen = [given for event in events for given in turn.take(event)]
    assert "response.brand_new" not in [event.name for event in seen]


def test_items_of_nonsense_pass_or_end_without_a_traceback():
    items = [
        None,
        3,
        {"type": ["x"]},
        {"type": "function_call", "name": ["x"]},
        {"type": "message", "content": [1, {}]},
    ]
    values = [{"type": "response.output_item.done", "output_index": n, "item": item} for n, item in enumerate(items)]
    values += [{"type": "response.output_item.added", "output_index": "x", "item_id": []}, {"type": 3}, {},
               {"type": "response.output_item.done", "output_index": -1},
               {"type": "response.completed", "response": {"output": [*items, ours("1")], "usage": 3}}]  # fmt: skip
    turn = Turn(OURS)
    seen = [given for value in values for given in turn.take(wire(value, ""))]
    assert len(seen) == len(values) - 1  # the end is held for the call in it
    assert turn.ended
    turn.finish("x")
    turn.key()
    for data in (b"", b"\xff", b"[]", b"{}", b'{"output": 3, "status": []}', b"[" * 100_000):
        turn = Turn(OURS, streaming=False)
        turn.take_body(data)
        assert turn.body() == data
        assert turn.calls == []
        assert turn.ended is (data[:1] == b"{")


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["", "x", OURS[0], "completed"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["type", "id", "call_id", "name", "content", "output", "arguments", "error", "usage", "text"]),
        inner, max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip


MEMBERS = ["type", "item", "output_index", "sequence_number", "item_id", "delta", "response", "error"]


@given(st.lists(st.dictionaries(st.sampled_from(MEMBERS), JUNK), max_size=6), JUNK, st.data())
@QUICK
def test_nothing_that_a_provider_or_a_client_sends_makes_a_traceback(values, value, data):
    kinds = ["response.created", "response.output_item.added", "response.output_item.done", "response.completed",
             "response.failed", "error", "response.output_text.delta"]  # fmt: skip
    items = data.draw(st.lists(st.sampled_from([ours("1"), message("m", "a"), None, {"type": "function_call"}])))
    turn, final = Turn(OURS), Message()
    for junk in [*values, {"type": "response.completed", "response": {"output": [*items, value]}}]:
        event = wire({"type": data.draw(st.sampled_from(kinds)), **junk}, "")
        for given_on in turn.take(event):
            final.take(given_on)
            text_of(given_on)
    past = turn.past([str(n) for n in turn.calls])
    turn.finish("x")
    turn.error("a", "b")
    assert isinstance(final.value(), dict)
    body = Turn(OURS, streaming=False)
    body.take_body(json.dumps(value).encode())
    json.loads(body.body("x"))
    request = {"input": value, "previous_response_id": value, "conversation": value}
    assert isinstance(rebuilt(request, {f"0 {turn.key()}": past}), dict)
    assert isinstance(restore({"input": [value, *items], "conversation": "c"}, lambda _: value), list)


def test_long_answer_is_not_kept(monkeypatch):
    monkeypatch.setattr(_hop, "KEPT_MOST", 400)
    turn = Turn(OURS)
    items = [message("msg_1", "x" * 500), ours("1"), message("msg_2", "y")]
    seen = [given for event in stream("resp_1", items) for given in turn.take(event)]
    assert not turn.whole
    assert [call.identifier for call in turn.calls] == ["call_1"]
    assert turn._hop.items.keys() == {1}
    seen += turn.finish("Too long.")
    final, _ = by_sdk(seen)
    assert final.output_text == "x" * 500 + "y" + "Too long."
    body = Turn(OURS, streaming=False)
    body.take_body(json.dumps(response("resp_1", "completed", items)).encode())
    assert not body.whole


# --- ids, and history that the provider keeps


def two_hops(**more):
    return [
        stream("resp_1", [message("msg_1", "a"), ours("1")], **more),
        stream("resp_2", [message("msg_2", "b")], **more),
    ]


def test_final_id_is_the_last_hops_when_a_later_request_can_name_it():
    seen, _ = play(Turn(OURS), two_hops(store=True))
    assert seen[-1].value["response"]["id"] == "resp_2"
    given = list(sdk(seen).responses.create(model="m", input="x", stream=True))
    assert given[-1].response.id == "resp_2"
    with pytest.raises(RuntimeError, match="identity changed"):  # why there is ``same_id``
        by_sdk(seen)


def test_final_id_stays_where_nobody_can_name_it_or_restore_does():
    seen, _ = play(Turn(OURS), two_hops(store=False))
    assert by_sdk(seen)[0].id == "resp_1"
    turn = Turn(OURS, same_id=True)
    seen, _ = play(turn, two_hops(store=True))
    assert by_sdk(seen)[0].id == "resp_1"
    kept = dict.fromkeys(turn.held(), json.loads(json.dumps(turn.past())))
    request = {"previous_response_id": "resp_1", "input": "And then?"}
    assert rebuilt(request, kept) == {"previous_response_id": "resp_2", "input": "And then?"}
    assert rebuilt({**request, "previous_response_id": "resp_9"}, kept)["previous_response_id"] == "resp_9"


@pytest.mark.parametrize("more", [{"previous_response_id": "resp_1"}, {"conversation": "conv_1"},
                                  {"conversation": {"id": "conv_1"}}])  # fmt: skip
def test_open_result_goes_before_the_callers_own_where_the_provider_keeps_history(more):
    turn = Turn(OURS)
    play(turn, [stream("resp_1", [ours("1"), call("2", "shell"), call("3", "shell")], store=True)])
    turn.finish("")
    kept = dict.fromkeys(turn.held(), json.loads(json.dumps(turn.past(["the original"]))))
    results = [{"type": "function_call_output", "call_id": f"call_{n}", "output": "x"} for n in (3, 2)]
    wanted = [{"type": "function_call_output", "call_id": "call_1", "output": "the original"}, *results]
    assert rebuilt({**more, "input": results}, kept)["input"] == wanted
    if "conversation" in more:
        assert rebuilt({**more, "input": results[:1]}, kept)["input"] == results[:1]


def test_call_that_a_note_ended_is_answered_where_the_provider_keeps_history():
    turn = Turn(OURS)
    play(turn, [stream("resp_1", [ours("1")], store=True)])
    turn.finish("No more originals.")
    kept = dict.fromkeys(turn.held(), json.loads(json.dumps(turn.past(["Not given."]))))
    output = {"type": "function_call_output", "call_id": "call_1", "output": "Not given."}
    request = {"previous_response_id": "resp_1", "input": [USER]}
    assert rebuilt(request, kept) == {**request, "input": [output, USER]}
    assert rebuilt({**request, "input": "Why?"}, kept)["input"] == [output, {"role": "user", "content": "Why?"}]
    assert len(restore(request, kept.get)) == 1  # the id is the last hop's already


def test_results_alone_go_to_a_provider_that_keeps_the_items():
    turn = Turn(OURS, served=True)
    _, (sent,) = play(turn, two_hops(store=True))
    assert sent == [{"type": "function_call_output", "call_id": "call_1", "output": "the original call_1"}]


def test_reasoning_that_is_only_a_reference_is_left_out_where_nothing_is_stored():
    bare = {"id": "rs_1", "type": "reasoning", "summary": []}
    told = {"id": "rs_2", "type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "x"}]}
    for stored, first in ((True, [bare, told]), (False, [told])):
        turn = Turn(OURS)
        for event in stream("resp_1", [bare, told, ours("1")], store=stored):
            turn.take(event)
        assert turn.turns(["x"])[:-2] == first


# --- not streaming


def test_body_passes_byte_for_byte_where_nothing_is_hidden():
    data = b' {"id": "resp_1",  "status":"completed","output": [], "usage": {"input_tokens": 1e2}}\n'
    turn = Turn(OURS, streaming=False)
    turn.take_body(data)
    assert turn.ended
    assert turn.body() == data


def test_body_of_several_hops():
    turn = Turn(OURS, streaming=False)
    searched = {"tool_usage": {"web_search": {"num_requests": 2}}, "usage": {**USAGE, "cost": 0.25}}
    first = response("resp_1", "completed", [reasoning("rs_1"), ours("1")], **searched, store=True)
    turn.take_body(json.dumps(first).encode())
    sent = turn.turns(["x"])
    assert sent[:2] == first["output"]
    turn.go_on()
    last = response(
        "resp_2", "completed", [message("msg_2", "é"), call("2", "shell"), ours("3")], **searched, brand_new=1
    )
    turn.take_body(json.dumps(last).encode())
    assert turn.others
    made = json.loads(turn.body())
    shown = [reasoning("rs_1"), message("msg_2", "é"), call("2", "shell")]
    twice = {"web_search": {"num_requests": 4}}
    assert made == {**last, "output": shown, "usage": turn.usage, "tool_usage": twice}
    assert made["usage"]["cost"] == 0.5
    assert made["usage"]["total_tokens"] == 220
    assert text_of_body(made) == "é"
    past = turn.past(["y"])
    again = rebuilt({"input": [*shown, result("2")]}, {f"0 {turn.key()}": past})["input"]
    assert again == [
        *sent,
        *last["output"],
        {"type": "function_call_output", "call_id": "call_3", "output": "y"},
        result("2"),
    ]


def test_body_with_a_note_and_with_an_error():
    turn = Turn(OURS, streaming=False)
    turn.take_body(json.dumps(response("resp_1", "completed", [ours("1")], usage=USAGE)).encode())
    made = json.loads(turn.body("No more."))
    assert text_of_body(made) == "No more."
    assert made["status"] == "completed"
    turn = Turn(OURS, streaming=False)
    turn.take_body(b'{"error": {"message": "Too much.", "type": "server_error", "code": null}}')
    assert turn.failure == ("server_error", "Too much.")


# --- the other members of the row


def test_text_of_events_and_bodies():
    events = stream("resp_1", [message("msg_1", "Hello ", "you. ", refusal="I will not."), custom("2")])
    assert "".join(map(text_of, events)) == "Hello you. I will not."
    assert text_of(wire(events[5].value, "")) == text_of(events[5]) != ""
    assert text_of_body(events[-1].value["response"]) == "Hello you. I will not."
    assert text_of_body({"output": [{"type": "message", "role": "assistant", "content": "x"}, 3]}) == "x"
    assert text_of_body({"output": None}) == ""


def test_message_is_the_final_object():
    for events, output in ((hop_of_everything(), 5), (hop_of_everything()[:-1], 5), (hop_of_everything()[:2], 0)):
        found = Message()
        for event in events:
            found.take(event)
        assert found.value()["id"] == "resp_1"
        assert len(found.value()["output"]) == output
    bare = stream("resp_1", [message("msg_1", "a")], end={"id": "resp_1", "status": "completed", "output": []})
    found = Message()
    for event in bare:
        found.take(event)
    assert found.value()["output"] == [message("msg_1", "a")]
    assert Message().value() == {}


def test_tool_has_the_shape_of_the_official_type():
    made = tool("retrieve_original_content", "Gives it back.", {"type": "object", "properties": {}})
    assert TypeAdapter(FunctionToolParam).validate_python(made, strict=True) == made


# --- later requests


def result(name):
    return {"type": "function_call_output", "call_id": f"call_{name}", "output": f"result {name}"}


def rebuilt(request, kept):
    return _edits.rebuilt(request, restore(request, kept.get))


USER = {"role": "user", "content": "What is in it?"}


def pick(draw, ours_too, others_too, names):
    """Draw items of a hop."""
    text = st.text("abc é\n", max_size=6)
    found = []
    for _ in range(draw(st.integers(0, 4))):
        name = next(names)
        kinds = ["message", "refusal", "reasoning", "search", "compaction"]
        kinds += ["ours"] * 2 if ours_too else []
        kinds += ["call", "custom"] if others_too else []
        kind = draw(st.sampled_from(kinds))
        if kind == "message":
            found.append(message(f"msg_{name}", *draw(st.lists(text, max_size=2))))
        elif kind == "refusal":
            found.append(message(f"msg_{name}", refusal=draw(text)))
        elif kind == "compaction":
            found.append({"id": f"cmp_{name}", "type": "compaction", "encrypted_content": f"sealed {name}"})
        else:
            makers = {"reasoning": lambda n: reasoning(f"rs_{n}"), "search": search, "ours": ours, "custom": custom}
            found.append(makers.get(kind, lambda n: call(n, "shell"))(name))
    return found


@st.composite
def talks(draw):
    """Draw turns, each a list of hops, each a list of items. A hop before the last calls us and nobody else."""
    names = map(str, itertools.count(1))
    turns = []
    for _ in range(draw(st.integers(1, 3))):
        hops = []
        for _ in range(draw(st.integers(0, 3))):
            hop = pick(draw, ours_too=True, others_too=False, names=names)
            hop.insert(draw(st.integers(0, len(hop))), ours(next(names)))
            hops.append(hop)
        last = pick(draw, ours_too=draw(st.booleans()), others_too=True, names=names)
        if not any(map(shown_firmly, itertools.chain(*hops, last))):
            last.append(message(f"msg_{next(names)}", "Done."))
        turns.append([*hops, last])
    return turns


def shown_firmly(item):
    return text_of_body({"output": [item]}).strip() or waits(item)


def waits(item):
    return item["type"] in ("function_call", "custom_tool_call") and not is_ours(item)


def answered(item):
    return {"type": "function_call_output", "call_id": item["call_id"], "output": f"the original {item['call_id']}"}


def kept(item):
    return item


def without_ids(item):
    return {key: value for key, value in item.items() if key not in ("id", "status")}


def as_sdk_dumps(item):
    return sdk_item(item).model_dump(exclude_none=True)


def as_easy_message(item):
    if item["type"] != "message":
        return item
    texts = [{"type": "input_text", "text": part.get("text", part.get("refusal"))} for part in item["content"]]
    return {"role": "assistant", "content": texts}


def without_reasoning(item):
    return None if item["type"] == "reasoning" else item


def texts_and_calls_alone(item):
    return without_ids(item) if shown_firmly(item) else None


CLIENTS = [kept, without_ids, as_sdk_dumps, as_easy_message, without_reasoning, texts_and_calls_alone]


@pytest.mark.parametrize("streaming", [True, False])
@given(data=st.data())
@QUICK
def test_hidden_hops_go_back_to_their_places(streaming, data):
    """Random turns: the client sees one answer, and its next requests become what the provider saw."""
    client = data.draw(st.sampled_from(CLIENTS))
    talk = data.draw(talks())
    order = data.draw(st.randoms(use_true_random=False))
    past, history, true = {}, [USER], [USER]
    for number, hops in enumerate(talk):
        turn = Turn(OURS, streaming=streaming)
        seen, sent = [], []
        for k, items in enumerate(hops):
            name = f"resp_{number}_{k}"
            if streaming:
                seen += [e for event in stream(name, items, order=order.randrange) for e in turn.take(event)]
            else:
                turn.take_body(json.dumps(response(name, "completed", items, usage=USAGE)).encode())
            mine = [item for item in items if is_ours(item)]
            assert [call.identifier for call in turn.calls] == [item["call_id"] for item in mine]
            assert turn.others == any(map(waits, items))
            if k + 1 < len(hops):
                assert turn.turns([f"the original {item['call_id']}" for item in mine]) == [
                    *items,
                    *map(answered, mine),
                ]
                sent += [*items, *map(answered, mine)]
                turn.go_on()
        mine = [item for item in hops[-1] if is_ours(item)]
        note = "Enough." if mine and not turn.others else ""
        if streaming:
            seen += turn.finish(note)
            check_numbers(seen)
            output = seen[-1].value["response"]["output"]
            if number == 0:
                check_by_sdk(seen, output)
        else:
            output = json.loads(turn.body(note))["output"]
        shown = [item for hop in hops for item in hop if not is_ours(item)]
        assert output[: len(shown)] == shown
        assert [text_of_body({"output": [item]}) for item in output[len(shown) :]] == ([note] if note else [])
        assert turn.usage["total_tokens"] == 110 * len(hops)

        results = [f"the original {item['call_id']}" for item in mine]
        kept_past = json.loads(json.dumps(turn.past(results)))
        past[f"{number} {turn.key()}"] = kept_past
        assert (kept_past is None) == (not any(is_ours(item) for hop in hops for item in hop))
        sent += [*hops[-1], *map(answered, mine), *([output[-1]] if note else [])]

        back = [made for item in output if (made := client(item)) is not None]
        bare = any(i["type"] == "reasoning" for i in output) and not any(i.get("type") == "reasoning" for i in back)
        theirs = [result(item["call_id"].removeprefix("call_")) for item in output if waits(item)]
        history += [*back, *(theirs or [USER])]
        for item in sent:
            if not is_ours(item):
                item = item if item["type"].endswith("_output") else client(item)  # noqa: PLW2901 - the same item
            elif bare:
                item = {key: value for key, value in item.items() if key != "id"}  # noqa: PLW2901 - the same item
            true += [item] if item is not None else []
        true += theirs or [USER]
        request = {"model": "m", "input": history}
        assert rebuilt(request, past) == {"model": "m", "input": true}


def check_by_sdk(seen, output):
    final, given = by_sdk(seen)
    assert without_parsed([item.model_dump(exclude_unset=True) for item in final.output]) == [
        sdk_item(item).model_dump(exclude_unset=True) for item in output
    ]
    deltas = "".join(e.delta for e in given if e.type in ("response.output_text.delta", "response.refusal.delta"))
    assert sorted(deltas) == sorted(text_of_body({"output": output}))


def without_parsed(value):
    """Leave out what the helper adds."""
    if isinstance(value, list):
        return [without_parsed(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: without_parsed(item) for key, item in value.items() if key not in ("parsed", "parsed_arguments")}


def sdk_item(item):
    return ITEMS.validate_python(item)


def one_turn(items, last, **more):
    turn = Turn(OURS)
    seen, (sent,) = play(turn, [stream("resp_1", items, **more), stream("resp_2", last, **more)])
    return seen[-1].value["response"]["output"], sent, {f"0 {turn.key()}": turn.past()}


def test_bytes_of_the_client_stay_and_what_goes_in_is_the_same_in_every_request():
    output, sent, past = one_turn(
        [reasoning("rs_1"), ours("1", '{"handle": "ü"}')], [reasoning("rs_2"), message("m", "a")]
    )
    odd = [json.dumps(item, separators=(" ,", " : ")) for item in output]
    found = []
    for more in ("", ', {"role":"user","content":"\\u00fc"}'):
        data = f'{{"input": [ {json.dumps(USER)}, {", ".join(odd)}{more}] , "x":1.0}}'
        document = formats.parse(data.encode(), "responses")
        made, _ = document.edited(restore(json.loads(data), past.get))
        assert json.loads(made.text)["input"][: len(sent) + 3] == [USER, *sent, *output[1:]]
        assert all(item in made.text for item in odd)
        found.append(made.text[: made.text.index(odd[1])])
    assert found[0] == found[1]


def test_items_that_cannot_be_told_apart_are_left_alone():
    searches = [search("1"), ours("2"), search("3")]
    output, _, past = one_turn(searches, [message("m", "a")])
    assert len(restore({"input": output}, past.get)) == 2
    del output[0]["id"]
    assert restore({"input": [output[0], output[2]]}, past.get) == []  # which of the two searches is it?
    both = [without_ids(item) for item in output]
    assert len(restore({"input": both}, past.get)) == 2
    strange = {"type": "compaction", "encrypted_content": "of another answer"}
    assert restore({"input": [strange, *both]}, past.get) == []


def test_run_that_is_not_what_was_shown_is_left_alone():
    output, _, past = one_turn([message("m", "a"), ours("1")], [message("n", "b"), custom("2")])
    assert len(restore({"input": output}, past.get)) == 2
    assert restore({"input": "a string"}, past.get) == []
    assert restore({}, past.get) == []
    assert restore({"input": [USER, None, 3, {"type": []}, *output[:1]]}, past.get) == []
    merged = [{"role": "assistant", "content": "ab"}, output[2]]
    assert restore({"input": merged}, lambda _: next(iter(past.values()))) == []
    for wrong in (3, [], {}, {"run": 3}, {"run": [3]}, {"run": [["x", 1]]}):
        assert restore({"input": output}, lambda _, wrong=wrong: wrong) == []


def test_runs_are_counted_from_zero_and_asked_for_once():
    asked = []
    items = [USER, message("m", "a"), USER, reasoning("rs"), custom("1"), result("1"), message("n", "c"), USER]
    restore({"input": items}, asked.append)
    assert [key.split()[0] for key in asked] == ["0", "1", "2"]
    assert len(set(asked)) == 3
