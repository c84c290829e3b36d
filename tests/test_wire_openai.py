"""Chat answers: what the client sees over several hops, as the official SDK puts it together, and what comes back."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from headroom_cli import formats, wire
from headroom_cli.wire import _events, openai
from headroom_cli.wire._events import Event
from headroom_cli.wire.openai import Message, Turn
from headroom_cli.wire.openai._past import key_of

OURS = frozenset(("retrieve_original_content", "headroom_retrieve"))
THEIRS = ("bash", "retrieve", "read_file")  # the second is how one of ours begins
DONE = "[DONE]"
PROPERTY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def event(value, spaced=False):
    data = value if isinstance(value, str) else json.dumps(value, separators=(", ", ": ") if spaced else (",", ":"))
    return Event(f"data: {data}\n\n".encode(), "", data)


def comment(text=b": OPENROUTER PROCESSING\n\n"):
    return Event(text)


def chunk(delta=None, finish=None, *, hop=0, **members):
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    head = {"id": f"gen-{hop}", "object": "chat.completion.chunk", "created": 100 + hop, "model": "m"}
    return {**head, "choices": choices, **members}


def piece(index, **members):
    name, identifier = members.pop("name", None), members.pop("id", None)
    function = {**({"name": name} if name is not None else {}), **members}
    return {"index": index, **({"id": identifier, "type": "function"} if identifier else {}), "function": function}


def calling(index, name, identifier, arguments="{}"):
    return {"tool_calls": [piece(index, name=name, id=identifier, arguments=arguments)]}


def take(turn, events):
    return [seen for one in events for seen in turn.take(one)]


def accumulated(events):
    """What the official SDK makes of a stream."""
    state = ChatCompletionStreamState()
    for one in events:
        if one.data and one.data != DONE:
            list(state.handle_chunk(ChatCompletionChunk.model_validate(json.loads(one.data))))
    return state.current_completion_snapshot.to_dict()


def put_together(events):
    message = Message()
    for one in events:
        message.take(one)
    return message.value()


def raw(events):
    return b"".join(one.raw for one in events)


# --- scripts: what a model says in each hop


class Hop:
    """Texts, calls and details in order, and the chunks that say so."""

    def __init__(self, number, items, chunks):
        self.number, self.items, self.chunks = number, items, chunks

    def of(self, kind):
        return [item[1] for item in self.items if item[0] == kind]

    @property
    def text(self):
        return "".join(self.of("text"))

    def calls(self, ours):
        return [call for call in self.of("call") if (call["function"]["name"] in OURS) == ours]

    @property
    def details(self):
        return self.of("detail")

    def message(self, calls=None):
        calls = self.of("call") if calls is None else calls
        made = {"role": "assistant", "content": self.text or None}
        made |= {"reasoning_details": self.details} if self.details else {}
        return {**made, **({"tool_calls": calls} if calls else {})}


TEXT = st.text(st.sampled_from('ab \n"\\é😀'), min_size=1, max_size=6)


@st.composite
def hops(draw, kind):
    """Draw the hops of a turn; ``kind`` of the last: "plain", "mixed" or "note" (ours alone, and no further hop)."""
    count = draw(st.integers(0 if kind != "plain" else 1, 2)) + 1
    return [draw(hop(number, kind if number == count - 1 else "ours")) for number in range(count)]


@st.composite
def hop(draw, number, kind):
    names = {
        "plain": st.sampled_from(THEIRS), "mixed": st.sampled_from((*THEIRS, *OURS)),
        "note": st.sampled_from(tuple(OURS)),
        "ours": st.sampled_from(tuple(OURS)),
    }[kind]  # fmt: skip
    called = [draw(names) for _ in range(draw(st.integers(0 if kind == "plain" else 1, 4)))]
    if kind == "mixed":
        called.insert(draw(st.integers(0, len(called))), "bash")
        called.insert(draw(st.integers(0, len(called))), "headroom_retrieve")
    items = [("text", draw(TEXT)) for _ in range(draw(st.integers(0, 3)))]
    places = sorted(draw(st.integers(0, len(items))) for _ in called)
    for n, (place, name) in reversed(list(enumerate(zip(places, called, strict=True)))):
        arguments = json.dumps({"handle": draw(TEXT)})
        call = {"id": f"c{number}{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
        items.insert(place, ("call", call))
    details = [
        {"type": "reasoning.text", "text": draw(TEXT), "signature": f"s{number}{i}", "format": "f", "index": i}
        for i in range(draw(st.integers(0, 2)))
    ]
    items = [("detail", detail) for detail in details] + items
    return Hop(number, items, draw(chunks(number, items, bool(called))))


@st.composite
def chunks(draw, number, items, calls):
    """Draw a stream that says these items."""
    deltas = [{"role": "assistant", "content": draw(st.sampled_from((None, "")))}]
    index = 0
    for kind, item in items:
        if kind == "text":
            cut = draw(st.integers(0, len(item)))
            deltas += [{"content": text} for text in (item[:cut], item[cut:]) if text]
        elif kind == "detail":
            cut = draw(st.integers(0, len(item["text"])))
            rest = {key: value for key, value in item.items() if key not in ("text", "signature")}
            deltas += [
                {"reasoning_details": [{**rest, "text": item["text"][:cut]}]},
                {"reasoning_details": [{**rest, "text": item["text"][cut:], "signature": item["signature"]}]},
            ]
        else:
            function = item["function"]
            cut = draw(st.integers(0, len(function["arguments"])))
            pieces = [piece(index, id=item["id"], name=function["name"], arguments=function["arguments"][:cut])]
            if draw(st.booleans()):  # the name comes behind the id
                pieces = [
                    piece(index, id=item["id"]),
                    piece(index, name=function["name"], arguments=function["arguments"][:cut]),
                ]
            pieces.append(piece(index, arguments=function["arguments"][cut:]))
            deltas += [{"tool_calls": [one]} for one in pieces]
            index += 1
    made = [deltas[0]]
    for delta in deltas[1:]:  # some say several things at once
        if not set(delta) & set(made[-1]) and draw(st.booleans()):
            made[-1] = {**made[-1], **delta}
        else:
            made.append(delta)
    events = [chunk(delta, hop=number) for delta in made]
    finish = "tool_calls" if calls else "stop"
    if draw(st.booleans()):
        events[-1]["choices"][0]["finish_reason"] = finish
    else:
        events.append(chunk({}, finish, hop=number))
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 3,
        "total_tokens": 13,
        "prompt_tokens_details": {"cached_tokens": 4},
        "cost": 0.5,
    }
    where = draw(st.sampled_from(("alone", "with a choice", "with the end")))
    if where == "with the end":
        events[-1]["usage"] = usage
    else:
        events.append(
            chunk({"role": "assistant", "content": ""} if where != "alone" else None, hop=number, usage=usage)
        )
    return [*events, *([DONE] if draw(st.booleans()) else [])]


def answers_of(one):
    return [f"original {call['id']}" for call in one.calls(ours=True)]


def results_of(one):
    return [
        {"role": "tool", "tool_call_id": call["id"], "content": answer}
        for call, answer in zip(one.calls(ours=True), answers_of(one), strict=True)
    ]


def play(script, note="", spaced=False):
    """Run a turn; return it, its events, and the history that the provider has seen."""
    turn = Turn(OURS, streaming=True)
    seen, history = [], []
    for one in script:
        if one.number:
            turn.go_on()
        seen += take(turn, [event(value, spaced) for value in one.chunks])
        assert turn.ended
        assert [call.identifier for call in turn.calls] == [call["id"] for call in one.calls(ours=True)]
        assert turn.others == bool(one.calls(ours=False))
        if one is not script[-1]:
            made = turn.turns(answers_of(one))
            assert made == [one.message(), *results_of(one)]
            history += made
    return turn, seen + turn.finish(note), history


def client_message(completion, parts=False):
    """The assistant message as a client sends it back."""
    message = completion["choices"][0]["message"]
    made = {"role": "assistant", "content": message.get("content") or None}
    if parts and made["content"]:
        half = len(made["content"]) // 2
        texts = [text for text in (made["content"][:half], made["content"][half:]) if text]
        made["content"] = [{"type": "text", "text": text} for text in texts]
    return {**made, **({"tool_calls": message["tool_calls"]} if message.get("tool_calls") else {})}


def without_index(calls):
    """Without what a stream and the SDK add to a call."""
    plain = [{key: value for key, value in call.items() if key != "index"} for call in calls]
    return [{**call, "function": {k: v for k, v in call["function"].items() if "parsed" not in k}} for call in plain]


# --- what the client sees


@PROPERTY
@given(st.sampled_from(("plain", "mixed", "note")).flatmap(lambda kind: st.tuples(st.just(kind), hops(kind))))
def test_the_official_sdk_puts_one_turn_together(drawn):
    kind, script = drawn
    note = "Enough." if kind == "note" else ""
    turn, seen, _ = play(script, note)
    found = accumulated(seen)
    message = found["choices"][0]["message"]
    first = [one["choices"][0]["delta"] for one in script[0].chunks if one != DONE and one["choices"]]
    roles = sum("role" in delta for delta in first) if len(script) == 1 else 1  # the SDK joins them
    assert message["role"] == "assistant" * roles
    assert (message.get("content") or "") == "".join(one.text for one in script) + note
    theirs = script[-1].calls(ours=False)
    assert without_index(message.get("tool_calls") or []) == theirs
    assert [call["index"] for call in message.get("tool_calls") or []] == list(range(len(theirs)))
    assert found["choices"][0]["finish_reason"] == ("tool_calls" if theirs else "stop")
    assert (found["id"], found["created"]) == ("gen-0", 100)
    assert found["usage"]["prompt_tokens"] == 10 * len(script) == turn.usage["prompt_tokens"]
    assert found["usage"]["prompt_tokens_details"] == {"cached_tokens": 4 * len(script)}
    assert found["usage"]["cost"] == 0.5 * len(script)
    signatures = [detail["signature"] for detail in message.get("reasoning_details") or []]
    assert signatures == [detail["signature"] for one in script for detail in one.details]
    assert sum(one.data == DONE for one in seen) == (script[-1].chunks[-1] == DONE)
    assert "original" not in raw(seen).decode()


@PROPERTY
@given(st.sampled_from(("plain", "mixed")).flatmap(hops))
def test_our_own_final_object_says_the_same(script):
    _, seen, _ = play(script)
    made, found = put_together(seen), accumulated(seen)
    ChatCompletion.model_validate(made)
    assert made["usage"] == found["usage"]
    assert (made["id"], made["object"], made["model"]) == ("gen-0", "chat.completion", "m")
    ours, theirs = made["choices"][0], found["choices"][0]
    assert ours["finish_reason"] == theirs["finish_reason"]
    assert (ours["message"]["content"] or "") == (theirs["message"].get("content") or "")
    assert ours["message"].get("tool_calls", []) == without_index(theirs["message"].get("tool_calls") or [])
    assert "".join(openai.text_of(one) for one in seen) == openai.text_of_body(made)


@PROPERTY
@given(hop(0, "plain"), st.booleans(), st.booleans())
def test_with_nothing_hidden_the_bytes_are_the_providers(one, spaced, ours):
    events = [comment(), *(event(value, spaced) for value in one.chunks), comment(b"\n")]
    turn = Turn(OURS if ours else (), streaming=True)
    assert raw(take(turn, events) + turn.finish("")) == raw(events)
    assert turn.ended
    assert not turn.calls
    assert turn.past([]) is None
    assert turn.key() == key_of(client_message(accumulated([event(value) for value in one.chunks])))


def test_text_passes_at_once_and_only_the_end_is_held():
    turn = Turn(OURS, streaming=True)
    first = [event(chunk({"role": "assistant", "content": ""})), comment(), event(chunk({"content": "Hm."}))]
    for one in first:
        assert turn.take(one) == [one]
    assert turn.take(event(chunk(calling(0, "headroom_retrieve", "c0", "")))) == []
    assert turn.take(event(chunk({"tool_calls": [piece(0, arguments='{"handle":"x"}')]}))) == []
    more = event(chunk({"content": " And"}))
    assert turn.take(more) == [more]
    assert turn.take(comment())
    (last,) = turn.take(event(chunk({"content": " more"}, "tool_calls", usage={"n": 1})))
    assert last.value["choices"] == [{"index": 0, "delta": {"content": " more"}, "finish_reason": None}]
    assert last.value["usage"] is None
    assert not turn.done
    assert turn.take(event(DONE)) == []
    assert turn.done
    assert turn.calls[0].arguments == {"handle": "x"}


def test_a_call_waits_for_its_name_and_takes_everything_behind_it_along():
    begun = event(chunk({"tool_calls": [{"index": 0, "id": "c0", "type": "function", "function": {}}]}))
    beside = event(chunk({"content": "x"}))
    named = event(chunk({"tool_calls": [piece(0, name="bash", arguments="{}")]}))
    turn = Turn(OURS)
    assert turn.take(begun) == turn.take(beside) == []
    assert turn.take(named) == [begun, beside, named]
    turn = Turn(OURS)
    short = event(chunk(calling(0, "retrieve", "c0", "")))  # how a name of ours begins
    assert turn.take(short) == []
    rest = event(chunk({"tool_calls": [piece(0, arguments="{}")]}))
    assert turn.take(rest) == [short, rest]
    turn = Turn(OURS)
    assert take(turn, [short, event(chunk({"tool_calls": [piece(0, name="_original_content")]}))]) == []
    assert turn.take(event(chunk({}, "tool_calls"))) == []
    assert turn.calls[0].name == "retrieve_original_content"


def test_a_call_without_a_name_is_the_clients_in_the_end():
    nameless = event(chunk({"tool_calls": [{"index": 0, "id": "c0", "function": {"arguments": "{}"}}]}))
    end = event(chunk({}, "tool_calls"))
    turn = Turn(OURS)
    assert turn.take(nameless) == []
    assert turn.take(end) == [nameless, end]
    turn = Turn(OURS)
    assert turn.take(nameless) == []
    assert turn.finish("") == [nameless]
    many = [event(chunk({"tool_calls": [piece(0, arguments="1")]})) for _ in range(1200)]
    assert raw(take(Turn(OURS), many)) == raw(many)


def test_a_chunk_that_mixes_is_rewritten_without_our_call():
    turn = Turn(OURS)
    pieces = [piece(0, name="headroom_retrieve", id="c0", arguments="{}"), piece(1, name="bash", id="c1", arguments="")]
    delta = {"role": "assistant", "content": "a", "tool_calls": pieces, "more": 1}
    (seen,) = turn.take(event(chunk(delta, system_fingerprint="f")))
    expected = {"role": "assistant", "content": "a", "more": 1, "tool_calls": [{**pieces[1], "index": 0}]}
    assert seen.value == chunk(expected, system_fingerprint="f")
    assert turn.others


@pytest.mark.parametrize("index", [0, None])
def test_calls_that_share_an_index_are_told_apart_by_their_ids(index):
    pieces = [piece(index, name="headroom_retrieve", id="c0", arguments="{}"), piece(index, name="bash", id="c1")]
    turn = Turn(OURS)
    (seen,) = take(turn, [event(chunk({"content": "a", "tool_calls": [one]})) for one in pieces])[1:]
    assert seen.value == chunk({"content": "a", "tool_calls": [pieces[1]]})
    assert [call.identifier for call in turn.calls] == ["c0"]


def test_a_repeated_name_is_one_name_and_empty_arguments_are_none():
    turn = Turn(OURS)
    take(turn, [event(chunk(calling(0, "headroom_retrieve", "c0", ""))) for _ in range(3)])
    (call,) = turn.calls
    assert (call.name, call.identifier, call.arguments) == ("headroom_retrieve", "c0", {})


@pytest.mark.parametrize("text", ["{", "[1]", "null", "[" * 100_000])
def test_arguments_that_are_no_object_are_none(text):
    turn = Turn(OURS)
    take(turn, [event(chunk(calling(0, "headroom_retrieve", "c0", text))), event(chunk({}, "tool_calls"))])
    assert turn.calls[0].arguments is None
    assert turn.turns(["no"])[0]["tool_calls"][0]["function"]["arguments"] == text


def test_a_call_that_the_limit_of_length_cut_off_is_not_served():
    turn = Turn(OURS)
    end = event(chunk({}, "length"))
    assert take(turn, [event(chunk(calling(0, "headroom_retrieve", "c0", '{"ha'))), end]) == []
    assert turn.calls == []
    assert turn.finish("") == [end]


def test_older_calls_and_custom_tools_are_the_clients():
    older = [event(chunk({"function_call": {"name": "headroom_retrieve", "arguments": "{}"}}, "function_call"))]
    custom = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "headroom_retrieve", "input": "x"}}
    for events in (older, [event(chunk({"tool_calls": [custom]}, "tool_calls"))]):
        turn = Turn(OURS)
        assert take(turn, events) == events
        assert turn.others
        assert not turn.calls
    assert put_together(events)["choices"][0]["message"]["tool_calls"][0]["custom"] == {
        "name": "headroom_retrieve",
        "input": "x",
    }


def test_several_choices_pass_with_everything_in_them():
    events = [
        event(chunk({"role": "assistant"})),
        event(chunk(calling(0, "headroom_retrieve", "c0"))),
        event(chunk(calling(1, "bash", "c1"))),
        event(chunk({}, "tool_calls")),
        event({**chunk(), "choices": [{"index": 1, "delta": {"content": "b"}, "finish_reason": None}]}),
        event({**chunk(), "choices": [{"index": 1, "delta": {}, "finish_reason": "stop"}]}),
        event(DONE),
    ]
    turn = Turn(OURS)
    seen = take(turn, events) + turn.finish("")
    calls = put_together(seen)["choices"][0]["message"]["tool_calls"]
    assert {call["function"]["name"] for call in calls} == {"headroom_retrieve", "bash"}
    assert sorted(one.data for one in seen if "tool_calls" not in one.data) == sorted(
        one.data for one in events if "tool_calls" not in one.data
    )
    assert turn.calls == []
    assert turn.past([]) is None
    turn = Turn(OURS)
    assert raw(take(turn, events[4:] + events[:4])) == raw(events[4:] + events[:4])


def test_what_ends_a_hop():
    turn = Turn(OURS)
    take(turn, [event(chunk({"content": "a"}))])
    assert not turn.ended
    take(turn, [event(chunk({}, "stop"))])
    assert turn.ended
    assert not turn.done
    take(turn, [event(DONE)])
    assert turn.done
    turn = Turn(())
    assert not turn.ended
    take(
        turn, [event({"choices": [{"index": i, "delta": {}, "finish_reason": "stop" if i else None}]}) for i in (0, 1)]
    )
    assert not turn.ended


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": 502, "message": "gone"}, ("502", "gone")),
        ({"type": "server_error", "code": None, "message": "m"}, ("server_error", "m")),
        ("text", ("error", "text")),
        ({"metadata": {}}, ("error", "")),
        (None, None),
    ],
)
def test_an_error_inside_an_answer(error, expected):
    value = {**chunk({"content": ""}, "error" if error else None), "error": error}
    for calls in ([], [event(chunk(calling(0, "headroom_retrieve", "c0")))]):
        turn = Turn(OURS)
        assert take(turn, [*calls, event(value)])[-1].value == value
        assert turn.failure == expected
    turn = Turn(OURS, streaming=False)
    data = json.dumps({"error": error}).encode()
    turn.take_body(data)
    assert turn.failure == expected
    assert turn.body("") == data


@pytest.mark.parametrize(
    "data", ["no json", "[1]", "{", '{"choices":5}', '{"choices":[5,{"delta":7}]}', "", '{"usage":3}']
)
def test_events_that_nobody_knows_pass(data):
    turn = Turn(OURS)
    for one in (event(data), Event(f"event: new\ndata: {data}\n\n".encode(), "new", data)):
        assert turn.take(one) == [one]
    odd = {"index": 0, "delta": {"tool_calls": [None, 3, {"index": "x"}, {"index": 0, "function": None}]}}
    strange = event({"choices": [odd]})
    assert take(turn, [strange, event(DONE)])[0] == strange


def test_a_later_hop_keeps_its_own_members_and_loses_only_its_head():
    turn = Turn(OURS)
    begun = event(chunk({"role": "assistant", **calling(0, "headroom_retrieve", "c0")}))
    seen = take(turn, [begun, event(chunk({}, "tool_calls"))])
    assert [one.value for one in seen] == [chunk({"role": "assistant"})]
    turn.turns(["x"])
    turn.go_on()
    head = chunk({"role": "assistant", "content": "", "refusal": None}, hop=1)
    assert turn.take(event(head)) == []
    body = chunk({"role": "assistant", "content": "a", "new": [1]}, hop=1, provider="P", obfuscation="zz")
    (seen,) = turn.take(event(body))
    assert seen.value == {
        **body,
        "choices": chunk({"content": "a", "new": [1]})["choices"],
        "id": "gen-0",
        "created": 100,
    }
    same = event(chunk({"content": "b"}))  # nothing to change: its own bytes
    assert turn.take(same) == [same]
    unnamed = event({"choices": [], "prompt_filter_results": [], "id": "", "created": 0})
    assert turn.take(unnamed) == [unnamed]
    assert turn.take(event(DONE))[0].data == DONE


def test_usage_that_runs_along_counts_once_in_each_hop():
    turn = Turn(OURS)
    take(turn, [event(chunk({"content": "a"}, usage={"n": 1})), event(chunk({"content": "b"}, usage={"n": 2}))])
    take(turn, [event(chunk(calling(0, "headroom_retrieve", "c0"), "tool_calls", usage={"n": 3}))])
    turn.turns(["x"])
    turn.go_on()
    seen = take(
        turn, [event(chunk({"content": "c"}, hop=1, usage={"n": n, "of": "x", "none": None})) for n in (10, 20)]
    )
    assert [one.value["usage"] for one in seen] == [{"n": n, "of": "x", "none": None} for n in (13, 23)]
    assert turn.usage == seen[-1].value["usage"]


def test_a_pair_of_surrogates_may_be_split_between_chunks():
    high, low = "\ud83d", "\ude00"
    data = [
        '{"choices":[{"index":0,"delta":{"content":"%s"%s}}]}' % (half, more)  # noqa: UP031 - braces
        for half, more in (
            ("\\ud83d", ""),
            ("\\ude00", ',"tool_calls":[{"index":0,"function":{"name":"headroom_retrieve"}}]'),
        )
    ]
    turn = Turn(OURS)
    seen = take(turn, [event(one) for one in data])
    assert seen[1].raw.decode() == 'data: {"choices":[{"index":0,"delta":{"content":"\\ude00"}}]}\n\n'
    assert turn.turns(["x"])[0]["content"] == "😀"
    assert turn.key() == key_of({"content": "😀"}) == key_of({"content": high + low})


def test_an_answer_that_is_too_long_is_not_kept(monkeypatch):
    monkeypatch.setattr("headroom_cli.wire.openai._hop.KEPT_MOST", 1000)
    assert _events.KEPT_MOST > 1000
    turn = Turn(OURS)
    events = [event(chunk({"content": "a" * 300})) for _ in range(5)]
    assert take(turn, events) == events
    assert not turn.whole
    assert take(turn, [event(chunk(calling(0, "headroom_retrieve", "c0"))), event(chunk({}, "tool_calls"))]) == []
    assert [call.identifier for call in turn.calls] == ["c0"]
    seen = turn.finish("Too long.")
    assert [openai.text_of(one) for one in seen] == ["Too long.", ""]
    assert seen[-1].value["choices"][0]["finish_reason"] == "stop"
    assert turn.past([]) is None
    assert turn.key() == key_of({"content": "a" * 1500 + "Too long."})


# --- whole answers


def completion(one, hop):
    message = {**one.message(), "refusal": None, "annotations": []}
    usage = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
    finish = "tool_calls" if "tool_calls" in message else "stop"
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    head = {
        "id": f"gen-{hop}",
        "object": "chat.completion",
        "created": 100 + hop,
        "model": "m",
        "lane": f"t{hop}",
    }
    return {**head, "choices": [choice], "usage": usage}


@PROPERTY
@given(st.sampled_from(("plain", "mixed", "note")).flatmap(lambda kind: st.tuples(st.just(kind), hops(kind))))
def test_whole_answers_say_what_the_stream_says(drawn):
    kind, script = drawn
    note = "Enough." if kind == "note" else ""
    turn = Turn(OURS, streaming=False)
    for one in script:
        if one.number:
            turn.go_on()
        turn.take_body(json.dumps(completion(one, one.number)).encode())
        assert turn.ended
        assert turn.others == bool(one.calls(ours=False))
        assert [call.identifier for call in turn.calls] == [call["id"] for call in one.calls(ours=True)]
        if one is not script[-1]:
            assert turn.turns(answers_of(one)) == [one.message(), *results_of(one)]
    body = json.loads(turn.body(note))
    ChatCompletion.model_validate(body)
    streamed, seen, _ = play(script, note)
    expected = put_together(seen)
    found, wanted = body["choices"][0], expected["choices"][0]
    assert (found["message"]["content"] or "") == (wanted["message"]["content"] or "")
    for key in ("tool_calls", "reasoning_details"):
        assert found["message"].get(key) == wanted["message"].get(key)
    assert found["finish_reason"] == wanted["finish_reason"]
    assert (body["id"], body["lane"]) == ("gen-0", f"t{len(script) - 1}")
    assert body["usage"] == turn.usage
    assert body["usage"]["total_tokens"] == 13 * len(script)
    assert openai.text_of_body(body) == openai.text_of_body(expected)
    assert turn.key() == streamed.key()
    assert turn.past(answers_of(script[-1])) == streamed.past(answers_of(script[-1]))


@PROPERTY
@given(hop(0, "plain"), st.booleans())
def test_a_whole_answer_with_nothing_hidden_is_its_own_bytes(one, ours):
    data = json.dumps(completion(one, 0), indent=1).encode()
    turn = Turn(OURS if ours else (), streaming=False)
    turn.take_body(data)
    assert turn.body("") == data
    assert turn.past([]) is None
    several = {**completion(one, 0), "choices": [completion(one, 0)["choices"][0], {"index": 1, "message": {}}]}
    several["choices"][0]["message"].update(calling(0, "headroom_retrieve", "c0"))
    turn = Turn(OURS, streaming=False)
    turn.take_body(json.dumps(several).encode())
    assert turn.calls == []
    assert json.loads(turn.body("")) == several


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"[]", b"\xff", b"{", b"[" * 100_000, b'{"choices":[]}', b'{"choices":[{"message":3}]}']
)
def test_odd_bodies_pass(data):
    turn = Turn(OURS, streaming=False)
    turn.take_body(data)
    assert turn.body("") == data
    assert turn.ended == data.startswith(b'{"')


# --- later requests


def restored(request, pasts):
    """Apply the edits to the request's bytes."""
    data = json.dumps(request, ensure_ascii=False).encode()
    return json.loads(formats.spliced(data, openai.restore(json.loads(data), pasts.get)))


@PROPERTY
@given(
    st.lists(
        st.sampled_from(("plain", "mixed", "note")).flatmap(lambda kind: st.tuples(st.just(kind), hops(kind))),
        min_size=1,
        max_size=2,
    ),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_the_next_request_gets_the_true_history_back(turns, parts, strip, keep_details):
    client, true, pasts = [{"role": "user", "content": "q"}], [{"role": "user", "content": "q"}], {}
    for k, (kind, script) in enumerate(turns):
        note = "Enough." if kind == "note" else ""
        turn, seen, history = play(script, note)
        last = script[-1]
        past = turn.past(answers_of(last) if kind == "mixed" else [])
        assert (past is None) == (len(script) == 1 and kind != "mixed")
        completion = put_together(seen)
        message = client_message(completion, parts)
        if strip and isinstance(message["content"], str):
            message["content"] = message["content"].strip() or None
        if keep_details and "reasoning_details" in completion["choices"][0]["message"]:
            message["reasoning_details"] = completion["choices"][0]["message"]["reasoning_details"]
        pasts[f"{k} {turn.key()}"] = json.loads(json.dumps(past))
        shown = message.get("tool_calls", [])
        tools = [{"role": "tool", "tool_call_id": call["id"], "content": "r"} for call in shown]
        client += [message, *tools, {"role": "user", "content": "next"}]
        final = {**last.message(None if kind == "mixed" else last.calls(ours=False))}
        final["content"] = ((final["content"] or "") + note) or None
        if not keep_details:
            final.pop("reasoning_details", None)
        if not shown and not (final["content"] or "").strip():  # nothing would remain
            true += [message]
        else:
            true += [*history, final, *(results_of(last) if kind == "mixed" else []), *tools]
        true += [{"role": "user", "content": "next"}]
    request = {"model": "m", "messages": client}
    before = copy.deepcopy(request)
    found = restored(request, pasts)
    assert request == before
    assert normal(found["messages"], strip) == normal(true, strip)
    document = formats.of_value(request)
    edits = openai.restore(request, pasts.get)
    assert (document.edited(edits)[0].value() if edits else request) == found


def normal(messages, strip):
    made = []
    for message in messages:
        content = message.get("content")
        if isinstance(content, list):
            content = "".join(part["text"] for part in content)
        content = content.strip() if strip and content and message["role"] == "assistant" else content
        made.append({**message, "content": content or None})
    return made


def two_hops():
    turn = Turn(OURS)
    take(
        turn,
        [
            event(chunk({"role": "assistant", "content": "Let me look. "})),
            event(chunk(calling(0, "headroom_retrieve", "c0"), "tool_calls")),
        ],
    )
    made = turn.turns(["the original"])
    turn.go_on()
    take(turn, [event(chunk({"content": "Found."}, hop=1)), event(chunk({}, "stop", hop=1)), event(DONE)])
    turn.finish("")
    return turn, made


def test_what_is_put_back_is_the_same_in_every_later_request():
    turn, made = two_hops()
    pasts = {f"0 {turn.key()}": turn.past([])}
    talk = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "Let me look. Found.", "x": 1.10}]
    first = formats.spliced(json.dumps({"messages": talk}).encode(), openai.restore({"messages": talk}, pasts.get))
    longer = [*talk, {"role": "user", "content": "more"}, {"role": "assistant", "content": "Let me look. Found."}]
    second = formats.spliced(json.dumps({"messages": longer}).encode(), openai.restore({"messages": longer}, pasts.get))
    assert second.startswith(first.removesuffix(b"]}"))
    assert json.loads(first)["messages"] == [talk[0], *made, {"role": "assistant", "content": "Found.", "x": 1.1}]
    assert json.loads(second)["messages"][-1] == longer[-1]  # another turn, although it says the same


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": "Let me look."},
        {"role": "assistant", "content": "Let me look. Found!"},
        {"role": "assistant", "content": None},
        {"role": "assistant"},
        {"role": "assistant", "content": "Let me look. Found.", "tool_calls": [{"id": "c0"}]},
        {"role": "user", "content": "Let me look. Found."},
        "text", None,
    ],
)  # fmt: skip
def test_a_message_that_is_not_as_it_was_seen_stays(message):
    turn, _ = two_hops()
    pasts = {f"0 {turn.key()}": turn.past([])}
    request = {"messages": [{"role": "user", "content": "q"}, message]}
    assert openai.restore(request, pasts.get) == []
    assert openai.restore({"messages": message}, pasts.get) == openai.restore({}, pasts.get) == []


def test_only_a_known_past_is_put_back():
    turn, _ = two_hops()
    request = {"messages": [{"role": "assistant", "content": "Let me look. Found."}]}
    asked = []
    assert openai.restore(request, asked.append) == []
    assert asked == [f"0 {turn.key()}"]
    assert openai.restore(request, lambda key: {"before": []}) == openai.restore(request, lambda key: "x") == []


def test_a_turn_whose_last_hop_says_nothing_stays_as_the_client_has_it():
    turn = Turn(OURS)
    take(turn, [event(chunk({"content": "Look."})), event(chunk(calling(0, "headroom_retrieve", "c0"), "tool_calls"))])
    turn.turns(["x"])
    turn.go_on()
    take(turn, [event(chunk({}, "stop", hop=1))])
    pasts = {f"0 {turn.key()}": turn.past([])}
    for content in ("Look.", [{"type": "text", "text": "Look."}]):
        assert openai.restore({"messages": [{"role": "assistant", "content": content}]}, pasts.get) == []


def test_reasoning_of_hidden_hops_leaves_the_last_message():
    turn = Turn(OURS)
    said = {"reasoning": "r1", "reasoning_content": "c1", "thinking_blocks": [{"type": "thinking", "thinking": "t"}]}
    signed = {"thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "s"}], "refusal": None}
    calls = calling(0, "headroom_retrieve", "c0")
    calls["tool_calls"][0]["extra_content"] = {"google": {"thought_signature": "g"}}
    take(turn, [event(chunk({**said, "content": "A"})), event(chunk(signed)), event(chunk(calls, "tool_calls"))])
    made = turn.turns(["x"])
    block = {"type": "thinking", "thinking": "t", "signature": "s"}
    fields = {"reasoning_content": "c1", "reasoning": "r1", "thinking_blocks": [block]}
    assert made[0] == {"role": "assistant", "content": "A", **fields, **without(calls)}
    turn.go_on()
    seen = take(turn, [event(chunk({"reasoning": "r2", "content": "B"}, hop=1)), event(chunk({}, "stop", hop=1))])
    assert seen[0].value["choices"][0]["delta"] == {"reasoning": "r2", "content": "B"}
    pasts = {f"0 {turn.key()}": turn.past([])}
    shown = {
        "reasoning": "r1r2",
        "reasoning_content": "c1",
        "thinking_blocks": [*said["thinking_blocks"], *signed["thinking_blocks"]],
    }
    found = restored({"messages": [{"role": "assistant", "content": "AB", **shown}]}, pasts)
    assert found["messages"] == [*made, {"role": "assistant", "content": "B", "reasoning": "r2"}]
    other = {**shown, "reasoning": "r1", "thinking_blocks": [block, block]}
    found = restored({"messages": [{"role": "assistant", "content": "AB", **other}]}, pasts)
    kept = {"reasoning": "r1", "thinking_blocks": [block, block]}
    assert found["messages"] == [*made, {"role": "assistant", "content": "B", **kept}]


def without(delta):
    return {"tool_calls": without_index(delta["tool_calls"])}


def test_contents_of_parts_go_back_as_parts():
    parts = [[{"type": "thinking", "thinking": []}], [{"type": "text", "text": "a"}], [{"type": "text", "text": "b"}]]
    turn = Turn(OURS)
    take(turn, [event(chunk({"content": part})) for part in parts])
    take(turn, [event(chunk(calling(0, "headroom_retrieve", "c0"), "tool_calls"))])
    assert turn.turns(["x"])[0]["content"] == [{"type": "thinking", "thinking": []}, {"type": "text", "text": "ab"}]
    assert turn.key() == key_of({"content": "ab"})


# --- the rest of the row


def test_the_row_has_what_the_table_promises():
    row = wire.load("openai")
    schema = {"type": "object", "properties": {}}
    made = row.tool("n", "d", schema)
    assert made == {"type": "function", "function": {"name": "n", "description": "d", "parameters": schema}}
    failed = Turn(OURS).error("overloaded", "later")
    assert json.loads(failed.data) == {"error": {"message": "later", "type": "overloaded", "param": None, "code": None}}
    assert failed.raw == f"data: {failed.data}\n\n".encode()
    assert row.text_of(event(chunk({"content": "a"}))) == "a"
    assert row.text_of(event({"choices": [{"index": 1, "delta": {"content": "b"}}]})) == ""
    assert row.text_of(comment()) == row.text_of(event(DONE)) == row.text_of_body({}) == ""


def test_the_final_object_keeps_what_a_stream_says_besides():
    first = {"id": "", "created": 0, "choices": [], "prompt_filter_results": [1], "model": ""}
    logs = [{"content": [{"token": text}], "refusal": None} for text in "ab"]
    texts = [chunk({"content": text, "annotations": [text]}) for text in "ab"]
    for one, log in zip(texts, logs, strict=True):
        one["choices"][0]["logprobs"] = log
    audio = [chunk({"audio": {"id": "au", "data": "x"}}), chunk({"audio": {"data": "y", "expires_at": 5}})]
    older = [
        chunk({"function_call": {"name": "f", "arguments": "{"}}),
        chunk({"function_call": {"arguments": "}"}}, "function_call"),
    ]
    made = put_together([event(one) for one in (first, *texts, *audio, *older)])
    assert (made["id"], made["created"], made["prompt_filter_results"]) == ("gen-0", 100, [1])
    choice = made["choices"][0]
    assert choice["logprobs"] == {"content": [{"token": "a"}, {"token": "b"}], "refusal": None}
    assert choice["message"]["annotations"] == ["a", "b"]
    assert choice["message"]["audio"] == {"id": "au", "data": "xy", "expires_at": 5}
    assert choice["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert Message().value() == {"object": "chat.completion", "choices": []}


# --- what no provider should send

ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | st.sampled_from(("", "headroom_retrieve")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ("index", "id", "name", "function", "tool_calls", "content", "text", "type", "delta", "message", "arguments",
         "role", "reasoning_details", "finish_reason")
    ), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@st.composite
def odd(draw, value):
    """Put something else into one place of a value, at any depth."""
    if isinstance(value, (dict, list)) and value and draw(st.integers(0, 6)):
        made = copy.copy(value)
        place = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
        made[place] = draw(odd(value[place]))
        return made
    return draw(ODD)


WHOLE = chunk(
    {
        "role": "assistant", "content": [{"type": "text", "text": "a"}],
        "reasoning_details": [{"index": 0, "text": "t"}],
        "thinking_blocks": [{"type": "thinking", "thinking": "t"}], "tool_calls": [
            piece(0, name="headroom_retrieve", id="c0", arguments='{"handle":1}'), piece(1, name="bash", id="c1"),
        ],
    }, "tool_calls", usage={"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 2}},
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(odd(WHOLE), min_size=1, max_size=3))
def test_odd_chunks_raise_nothing(values):
    turn, message = Turn(OURS), Message()
    events = [event(value) for value in values]
    for _ in range(2):
        seen = take(turn, [*events, event(DONE)])
        turn.turns(["x" for _ in turn.calls])
        turn.go_on()
    take(turn, [event(WHOLE), *events])
    seen += turn.finish("note")
    for one in [*events, *seen]:
        message.take(one)
        openai.text_of(one)
    json.dumps([message.value(), turn.usage, turn.past(["x"]), turn.key()])


@settings(max_examples=200, deadline=None)
@given(odd({**chunk({}), "choices": [{"index": 0, "message": WHOLE["choices"][0]["delta"], "finish_reason": "stop"}]}))
def test_odd_bodies_and_messages_raise_nothing(value):
    data = json.dumps(value).encode()
    turn = Turn(OURS, streaming=False)
    turn.take_body(data)
    turn.turns(["x" for _ in turn.calls])
    turn.go_on()
    turn.take_body(data)
    made = json.loads(turn.body("note"))
    openai.text_of_body(made if isinstance(made, dict) else {})
    request = {"messages": [value, {"role": "assistant", "content": value, "tool_calls": value}, {"role": value}]}
    request["messages"].append(
        {**WHOLE["choices"][0]["delta"], "content": value if isinstance(value, list) else [value]}
    )
    past = {"before": [], "shown": "", "calls": [], "after": [], "fields": {"reasoning": ["x", None]}}
    formats.spliced(json.dumps(request).encode(), openai.restore(request, lambda key: past))
