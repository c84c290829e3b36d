"""Answers of the Messages API: what a client sees of turns in which calls of our tool were served, and what it need
not know when it goes on. The official SDK reads every stream made here."""

import copy
import http.server
import itertools
import json
import re
import threading

import anthropic
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from headroom_cli import formats, wire
from headroom_cli.wire import _events
from headroom_cli.wire._sse import Stream
from headroom_cli.wire.anthropic import Message, Turn, _hop, restore, text_of, text_of_body, tool

OURS = frozenset(("retrieve_original_content", "headroom_retrieve"))
QUESTION = {"role": "user", "content": "Why?"}


# --- answers as the API writes them


def events_of(blocks, size=3, interleaved=False):
    """Return the events of content blocks, two at a time when interleaved."""
    per_block = []
    for index, block in enumerate(blocks):
        start, deltas = dict(block), []
        if block["type"] == "text":
            start["text"] = ""
            deltas = [{"type": "text_delta", "text": piece} for piece in cut(block["text"], size)]
            if block.get("citations"):
                start["citations"] = []
                deltas += [{"type": "citations_delta", "citation": citation} for citation in block["citations"]]
        elif block["type"] == "thinking":
            start.update(thinking="", signature="")
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in cut(block["thinking"], size)]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        elif block["type"] in ("tool_use", "server_tool_use"):
            start["input"] = {}
            text = json.dumps(block["input"]) if block["input"] else ""
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *cut(text, size))]
        per_block.append([
            {"type": "content_block_start", "index": index, "content_block": start},
            *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": index},
        ])  # fmt: skip
    if not interleaved:
        return [event for events in per_block for event in events]
    mixed = []
    for at in range(0, len(per_block), 2):
        pair = per_block[at : at + 2]
        for step in range(max(len(events) for events in pair)):
            mixed += [events[step] for events in pair if step < len(events)]
    return mixed


def cut(text, size):
    return [text[i : i + size] for i in range(0, len(text), size)]


def usage_of(number):
    """Return (usage in message_start, in message_delta) of a hop."""
    return (
        {"input_tokens": 10 * number, "cache_read_input_tokens": 3, "cache_creation_input_tokens": None,
         "cache_creation": {"ephemeral_5m_input_tokens": number, "ephemeral_1h_input_tokens": 0},
         "output_tokens": 1, "service_tier": "standard"},
        {"output_tokens": 7 + number, "output_tokens_details": {"thinking_tokens": number},
         "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0}},
    )  # fmt: skip


def stop_of(blocks):
    return "tool_use" if any(block["type"] == "tool_use" for block in blocks) else "end_turn"


def stream_of(blocks, number=1, stop=None, **how):
    start, end = usage_of(number)
    head = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": f"m-{number}", "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": start}  # fmt: skip
    delta = {"stop_reason": stop or stop_of(blocks), "stop_sequence": None}
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
        for event in (
            {"type": "message_start", "message": head},
            {"type": "ping"},
            *events_of(blocks, **how),
            {"type": "message_delta", "delta": delta, "usage": end},
            {"type": "message_stop"},
        )
    )


def body_of(blocks, number=1, stop=None):
    start, end = usage_of(number)
    return json.dumps(
        {"model": f"m-{number}", "id": f"msg_{number}", "type": "message", "role": "assistant", "content": blocks,
         "stop_reason": stop or stop_of(blocks), "stop_sequence": None, "usage": {**start, **end}, "new": number},
        indent=1,
    ).encode()  # fmt: skip


def text(words):
    return {"type": "text", "text": words}


def thinking(words, signature):
    return {"type": "thinking", "thinking": words, "signature": signature}


def ours(number, **arguments):
    name = sorted(OURS)[number % 2]
    return {"type": "tool_use", "id": f"toolu_own{number}", "name": name, "input": arguments or {"handle": "abc"}}


def theirs(number):
    return {"type": "tool_use", "id": f"toolu_{number}", "name": "Bash", "input": {"command": "ls é\n", "n": [1, 2.5]}}


def is_ours(block):
    return block["type"] == "tool_use" and block["name"] in OURS


def is_blank(block):
    return block["type"] == "text" and not block["text"].strip()


# --- a turn


class Played:
    """A turn of several hops as the client saw it, and as it was.

    ``hidden``  the turns that the client did not see
    ``last``    the blocks of the last hop, and ``results`` those of our calls in it
    """

    def __init__(self, hops, *, streaming=True, note="", size=3, interleaved=False, piece=None):
        self.turn = Turn(OURS, streaming=streaming)
        self.hidden, self.results, answers = [], [], []
        seen = []
        for number, blocks in enumerate(hops, 1):
            if streaming:
                data, stream = stream_of(blocks, number, size=size, interleaved=interleaved), Stream()
                for at in range(0, len(data), piece or len(data)):
                    for event in stream.feed(data[at : at + (piece or len(data))]):
                        seen += self.turn.take(event)
            else:
                self.turn.take_body(body_of(blocks, number))
            mine = [block for block in blocks if is_ours(block)]
            answers = [f"original {number} {block['id']}" for block in mine]
            assert self.turn.ended
            assert self.turn.whole
            assert self.turn.failure is None
            assert [(call.identifier, call.name, call.arguments) for call in self.turn.calls] == [
                (block["id"], block["name"], block["input"]) for block in mine
            ]
            results = [
                {"type": "tool_result", "tool_use_id": block["id"], "content": answer}
                for block, answer in zip(mine, answers, strict=True)
            ]
            if number < len(hops):
                made = [
                    {"role": "assistant", "content": [block for block in blocks if not is_blank(block)]},
                    {"role": "user", "content": results},
                ]
                assert self.turn.turns(answers) == made
                self.hidden += made
                self.turn.go_on()
        self.last = hops[-1]
        mixed = self.turn.others and bool(mine)
        self.results = results if mixed else []
        note = "" if mixed else note
        self.whole = b"" if streaming else self.turn.body(note)
        self.raw = b"".join(event.raw for event in (*seen, *self.turn.finish(note)))
        self.past = json.loads(json.dumps(self.turn.past(answers if mixed else [])))
        self.shown = [block for blocks in hops for block in blocks if not is_ours(block)]
        self.note = note if mine and not mixed else ""
        self.shown += [text(self.note)] if self.note else []
        self.true_last = [block for block in self.last if mixed or not is_ours(block)]
        self.true_last += [text(self.note)] if self.note else []
        self.stop = "tool_use" if self.turn.others else "end_turn"

    def usage(self, hops):
        start, end = usage_of(sum(range(1, len(hops) + 1)))
        return {
            **start, **end, "cache_read_input_tokens": 3 * len(hops),
            "output_tokens": sum(8 + n for n in range(len(hops))),
            "server_tool_use": {"web_search_requests": len(hops), "web_fetch_requests": 0},
        }  # fmt: skip


class Reader:
    """Lets the official SDK read bytes over loopback."""

    def __init__(self):
        reader = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet: two would wait for each other

            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.send_header("content-type", reader.kind)
                self.send_header("content-length", str(len(reader.data)))
                self.end_headers()
                self.wfile.write(reader.data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.client = anthropic.Anthropic(
            api_key="sk-ant-test", base_url=f"http://127.0.0.1:{self.server.server_port}", max_retries=0
        )
        self.request = {"model": "m", "max_tokens": 9, "messages": [QUESTION]}

    def stream(self, data):
        self.data, self.kind = data, "text/event-stream"
        with self.client.messages.stream(**self.request) as stream:
            return stream.get_final_message().to_dict()

    def body(self, data):
        self.data, self.kind = data, "application/json"
        return self.client.messages.create(**self.request).to_dict()

    def close(self):
        self.client.close()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def sdk():
    reader = Reader()
    yield reader
    reader.close()


# --- scripts

WORDS = st.text(alphabet="ab \n\té🎉", max_size=7)
KINDS = ("text", "text", "text", "thinking", "omitted", "redacted", "cited", "search", "ours")


@st.composite
def scripts(draw, most=2):
    """Draw the blocks of each hop: all but the last call our tool alone."""
    count, number, hops = draw(st.integers(0, most)), 0, []
    for at in range(count + 1):
        last = at == count
        kinds = draw(st.lists(st.sampled_from((*KINDS, "theirs") if last else KINDS), max_size=6))
        if not last and "ours" not in kinds:
            kinds.insert(draw(st.integers(0, len(kinds))), "ours")
        blocks = []
        for kind in kinds:
            number += 1
            if kind == "text":
                blocks.append(text(draw(WORDS)))
            elif kind == "thinking":
                blocks.append(thinking(draw(WORDS), f"sig{number}=="))
            elif kind == "omitted":
                blocks.append(thinking("", f"sig{number}=="))
            elif kind == "redacted":
                blocks.append({"type": "redacted_thinking", "data": f"data{number}"})
            elif kind == "cited":
                place = {"type": "char_location", "cited_text": "c", "document_index": 0, "document_title": None,
                         "start_char_index": 0, "end_char_index": number}  # fmt: skip
                blocks.append({**text(f"cited {number}"), "citations": [place, place]})
            elif kind == "search":
                name = {"type": "server_tool_use", "id": f"srvtoolu_{number}", "name": "web_search"}
                found = {
                    "type": "web_search_result",
                    "url": "u",
                    "title": "t",
                    "encrypted_content": "e",
                    "page_age": None,
                }
                blocks.append({**name, "input": {"query": "q"}})
                blocks.append({"type": "web_search_tool_result", "tool_use_id": name["id"], "content": [found]})
            else:
                blocks.append(ours(number, handle=draw(WORDS)) if kind == "ours" else theirs(number))
        hops.append(blocks)
    return hops


ways = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


CUTS = st.fixed_dictionaries({
    "size": st.integers(1, 9), "interleaved": st.booleans(), "piece": st.sampled_from([None, 1, 7, 100]),
    "note": st.sampled_from(["", "No."]),
})  # fmt: skip


@ways
@given(scripts(), CUTS)
def test_the_client_sees_one_turn(sdk, hops, cuts):
    played = Played(hops, **cuts)
    message = sdk.stream(played.raw)
    assert message["content"] == played.shown
    assert (message["id"], message["model"], message["stop_reason"]) == ("msg_1", "m-1", played.stop)
    wanted = played.usage(hops)
    assert played.turn.usage == wanted
    first = wanted.pop("cache_creation")  # the SDK takes this from message_start alone
    assert message["usage"].pop("cache_creation") == usage_of(1)[0]["cache_creation"]
    assert message["usage"] == wanted
    own, events = Message(), Stream().feed(played.raw)
    for event in events:
        own.take(event)
    assert own.value()["content"] == played.shown
    assert own.value()["stop_reason"] == played.stop
    assert own.value()["usage"] == {
        **wanted,
        "cache_creation": first if len(hops) > 1 else usage_of(1)[0]["cache_creation"],
    }
    words = "".join(block["text"] for block in played.shown if block["type"] == "text")
    assert text_of_body(own.value()) == words
    assert played.turn.key() == Played(hops, note=cuts["note"], size=100).turn.key()
    if not cuts["interleaved"]:
        assert "".join(text_of(event) for event in events) == words


@ways
@given(scripts(), st.sampled_from(["", "No."]))
def test_a_whole_answer_is_the_same_as_a_streamed_one(sdk, hops, note):
    played, streamed = Played(hops, streaming=False, note=note), Played(hops, note=note)
    message = sdk.body(played.whole)
    assert message["content"] == played.shown
    assert (message["id"], message["model"], message["stop_reason"]) == ("msg_1", "m-1", played.stop)
    assert message["usage"] == played.turn.usage == played.usage(hops)
    assert message["new"] == len(hops)
    assert text_of_body(message) == "".join(block.get("text", "") for block in played.shown)
    assert played.raw == b""
    assert (played.turn.key(), played.past) == (streamed.turn.key(), streamed.past)
    if len(hops) == 1 and not any(is_ours(block) for block in hops[0]):
        assert played.whole == body_of(hops[0])


STRANGE = (
    b": OPENROUTER PROCESSING\n\n",
    b'event: ping\ndata: {"type": "ping"}\n\n',
    b'event: new_event\ndata: {"type": "new_event", "index": 3}\r\n\r\n',
    b"data: not JSON\n\n",
    b"data: [1]\n\n",
    b'data: {"type":"content_block_start","index":90,"content_block":{"type":"new"}}\n\n',
    b'event: content_block_start\ndata: {"type":"content_block_start","content_block":7}\n\n',
    b'event: content_block_start\ndata: {"type":"content_block_start","index":91,"content_block":null}\n\n',
    b'data: {"type":"content_block_delta","index":90,"delta":{"type":"new_delta","x":1.10}}\n\n',
    b'data: {"type":"content_block_delta","index":95,"delta":{"type":"text_delta","text":3}}\n\n',
    b'data: {"type":"content_block_stop","index":95}\n\n',
    b'data: {"type":"message_delta","usage":7}\n\n',
    b'data: {"type":"message_delta","delta":{"stop_reason":"new"},"usage":{"output_tokens":1}}\n\n',
    b'data: {"type":"message_start","message":null}\n\n',
    b'data: {"type":{}}\n\n',
    b"data: " + b"[" * 5000 + b"\n\n",
)  # fmt: skip


@ways
@given(scripts(0), st.lists(st.tuples(st.integers(0, 60), st.sampled_from(STRANGE)), max_size=6), st.booleans())
def test_with_nothing_hidden_every_byte_passes(hops, strange, tools):
    blocks = [block for block in hops[0] if not is_ours(block)] if tools else hops[0]
    pieces = [event.raw for event in Stream().feed(stream_of(blocks, stop="pause_turn"))]
    for at, piece in strange:
        pieces.insert(at, piece)
    turn, message, seen = Turn(OURS if tools else (), streaming=True), Message(), b""
    for event in Stream().feed(b"".join(pieces)):
        passed = turn.take(event)
        assert len(passed) == 1, "at once"
        seen += passed[0].raw
        message.take(event)
        text_of(event)
    assert seen == b"".join(pieces)
    assert turn.finish("") == []
    assert (turn.calls, turn.past([])) == ([], None)
    assert turn.ended
    assert isinstance(message.value(), dict)


# --- the client goes on


def as_it_is(blocks):
    return blocks


def thinking_left_out(blocks):
    return [block for block in blocks if "thinking" not in block["type"]]


def texts_joined(blocks):
    made = []
    for block in blocks:
        if made and made[-1]["type"] == block["type"] == "text":
            made[-1] = text(made[-1]["text"] + block["text"])
        else:
            made.append(text(block["text"]) if block["type"] == "text" else block)
    return made


def texts_joined_without_thinking(blocks):
    return texts_joined(thinking_left_out(blocks))


def marked(blocks):
    return [*blocks[:-1], {**blocks[-1], "cache_control": {"type": "ephemeral"}}] if blocks else []


def nulls_added(blocks):
    return [{**block, "citations": block.get("citations")} if block["type"] == "text" else block for block in blocks]


def thinking_first_texts_joined(blocks):
    return texts_joined([*(b for b in blocks if "thinking" in b["type"]), *thinking_left_out(blocks)])


WAYS = (
    as_it_is, thinking_left_out, texts_joined, texts_joined_without_thinking, thinking_first_texts_joined, marked,
    nulls_added,
)  # fmt: skip


def without_blanks(blocks):
    return [block for block in blocks if not is_blank(block)]


def content_of(blocks, way):
    """Return what a client sends of the blocks it saw; blank texts are refused by the API, so none sends them."""
    return without_blanks(way(blocks)) if "joined" in way.__name__ else way(without_blanks(blocks))


def results_of(blocks):
    return [
        {"type": "tool_result", "tool_use_id": block["id"], "content": "done"}
        for block in blocks
        if block["type"] == "tool_use" and not is_ours(block)
    ]


def next_turn(played):
    return {"role": "user", "content": [*results_of(played.shown), text("Go on.")]}


def restored(messages, pasts, **how):
    """Return the messages after the edits, made in the client's own JSON."""
    request = {"model": "m", "max_tokens": 9, "system": "s", "messages": messages}
    before = copy.deepcopy(request)
    edits = restore(request, pasts.get)
    assert request == before
    document, undo = formats.parse(json.dumps(request, **how).encode(), "anthropic").edited(edits)
    assert formats.undone(document.text, undo) == json.dumps(request, **how)
    return document.value()["messages"]


def unmarked(blocks):
    return [{key: part for key, part in block.items() if key != "cache_control"} for block in blocks]


def joined_again(blocks):
    """Let texts that the client joined stand as one, to compare; its extra members do not count."""
    return [
        {key: part for key, part in block.items() if part is not None or key != "citations"}
        for block in texts_joined(unmarked(blocks))
    ]


def check(messages):
    """Check the rules of the API for messages."""
    for at, message in enumerate(messages):
        assert message["role"] == ("user", "assistant")[at % 2]
        content = message["content"]
        assert content
        if isinstance(content, str):
            continue
        assert not any(is_blank(block) for block in content)
        answered = [block["tool_use_id"] for block in content if block["type"] == "tool_result"]
        assert [block["type"] for block in content[: len(answered)]] == ["tool_result"] * len(answered)
        called = [block["id"] for block in messages[at - 1]["content"] if message["role"] == "user" and at
                  and not isinstance(messages[at - 1]["content"], str) and block["type"] == "tool_use"]  # fmt: skip
        assert sorted(answered) == sorted(called)


def is_thought(block):
    return block["type"] in {"thinking", "redacted_thinking"}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scripts(3), st.sampled_from(WAYS), st.booleans(), st.sampled_from(["", "No."]))
# A blank text of a hidden hop that the client leaves out, before a text that begins with the same blank.
@example(hops=[[ours(1)], [ours(2), text(" ")], [text(" a")]], way=as_it_is, plain=False, note="")
def test_a_later_request_gets_its_true_history_back(hops, way, plain, note):
    played = Played(hops, note=note)
    content = content_of(played.shown, way)
    messages = [QUESTION, {"role": "assistant", "content": content}, next_turn(played)]
    pasts = {f"0 {played.turn.key()}": played.past}
    found = restored(messages, pasts, ensure_ascii=plain)
    last = content_of(played.true_last, way)
    if not without_blanks(content_of([block for block in played.true_last if not is_ours(block)], way)):
        assert found == messages  # nothing of the last hop came back: there would be an empty turn
        return
    answer = {"role": "user", "content": [*played.results, *next_turn(played)["content"]]}
    assert found[:-2] == [QUESTION, *played.hidden]
    made = found[-2]["content"]
    if "thinking_first" in way.__name__ and not isinstance(made, str):
        # A client that moves thinking to the front leaves open on which side of it our call stands.
        made, last = (
            [*filter(is_thought, blocks), *itertools.filterfalse(is_thought, blocks)] for blocks in (made, last)
        )
    assert joined_again(made) == joined_again(last)
    if "joined" not in way.__name__:
        assert unmarked(made) == unmarked(last)
    assert found[-1] == answer
    check(found)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(scripts(), min_size=1, max_size=3), st.sampled_from(WAYS))
def test_what_was_put_back_stays_the_same_in_every_later_request(conversation, way):
    messages, pasts, before = [QUESTION], {}, [QUESTION]
    for number, hops in enumerate(conversation):
        # Ids and signatures are those of this turn alone.
        own = re.sub(r'"(toolu_|srvtoolu_|sig|data)(\w*\d)', rf'"\g<1>{number}_\2', json.dumps(hops))
        played = Played(json.loads(own))
        content = content_of(played.shown, way)
        if not content:
            return
        messages += [{"role": "assistant", "content": content}, next_turn(played)]
        pasts[f"{number} {played.turn.key()}"] = played.past
        found = restored(messages, pasts)
        assert found[: len(before)] == before
        before = found


SIMPLE = [
    [thinking("a", "s1"), text("Let me look. "), ours(1)],
    [thinking("b", "s2"), text("\n\nIt is 7."), theirs(2)],
]


def simple(blocks, answer=None, hops=SIMPLE):
    played = Played(hops)
    messages = [QUESTION, {"role": "assistant", "content": blocks}, answer or next_turn(played)]
    return messages, restored(messages, {f"0 {played.turn.key()}": played.past}), played


def test_content_that_is_one_text_is_cut():
    hops = [[text("Let me look. "), ours(1)], [thinking("b", "s2"), text("\n\nIt is 7.")]]
    _, found, played = simple("Let me look. \n\nIt is 7.", hops=hops)
    assert found[1:-1] == [*played.hidden, {"role": "assistant", "content": "\n\nIt is 7."}]
    # White space that a client trims, or puts between, makes no difference.
    _, found, played = simple("Let me look.\nIt is 7. ", hops=hops)
    assert found[1:-1] == [*played.hidden, {"role": "assistant", "content": "It is 7. "}]


def test_a_client_that_trims_each_text():
    _, found, played = simple([text("Let me look."), text("It is 7."), theirs(2)])
    assert found[1:-1] == [*played.hidden, {"role": "assistant", "content": [text("It is 7."), theirs(2)]}]


def test_a_client_that_leaves_blank_texts_out():
    hops = [[text("A"), text("\n\n"), ours(1)], [text(" B")]]
    _, found, played = simple([text("A"), text(" B")], hops=hops)
    assert found[1:-1] == [*played.hidden, {"role": "assistant", "content": [text(" B")]}]


def test_a_client_that_puts_all_thinking_first():
    blocks = [thinking("a", "s1"), thinking("b", "s2"), text("Let me look. \n\nIt is 7."), theirs(2)]
    swapped = [text("Let me look. "), thinking("b", "s2"), thinking("a", "s1"), text("\n\nIt is 7."), theirs(2)]
    for shown in (blocks, blocks[1:], swapped):
        _, found, played = simple(shown)
        assert found[1:-1] == [*played.hidden, {"role": "assistant", "content": SIMPLE[1]}]


def test_a_call_of_ours_between_texts_that_were_joined():
    hops = [[text("One "), ours(1), text("two "), ours(2), theirs(3), text(" three"), ours(4)]]
    messages, found, played = simple([text("One two "), theirs(3), text(" three")], hops=hops)
    assert found[1]["content"] == hops[0]
    assert found[2]["content"] == [*played.results, *messages[2]["content"]]
    assert [result["tool_use_id"] for result in played.results] == ["toolu_own1", "toolu_own2", "toolu_own4"]


@pytest.mark.parametrize(
    "blocks",
    [
        [text("Let me look. It is 8."), theirs(2)],
        [text("Let me look. \n\nIt is 7.")],
        [text("It is 7."), theirs(2)],
        [text("Let me look. "), theirs(2), thinking("a", "s1"), text("\n\nIt is 7.")],
        [text("Let me look. \n\nIt is 7."), theirs(2), "text"],
        None,
        7,
        [],
    ],
    ids=["words", "no call", "a part", "thinking behind", "no block", "null", "number", "empty"],
)
def test_a_turn_that_differs_is_left_alone(blocks):
    played = Played(SIMPLE)
    messages = [QUESTION, {"role": "assistant", "content": blocks}, next_turn(played)]
    assert restore({"messages": messages}, {f"0 {played.turn.key()}": played.past}.get) == []


def test_a_turn_is_found_by_its_number_too():
    played = Played(SIMPLE)
    messages = [QUESTION, {"role": "assistant", "content": played.shown}, next_turn(played)]
    for number, edits in ((0, True), (1, False)):
        assert bool(restore({"messages": messages}, {f"{number} {played.turn.key()}": played.past}.get)) is edits


def test_our_results_need_the_turn_of_the_client_s_results():
    hops = [[text("Look. "), ours(1)], [ours(2), theirs(3)]]
    played = Played(hops)
    pasts = {f"0 {played.turn.key()}": played.past}
    said = {"role": "assistant", "content": played.shown}
    for rest in ([], [{"role": "user", "content": "no"}], [said], [None]):
        assert restore({"messages": [QUESTION, said, *rest]}, pasts.get) == []
    found = restored([QUESTION, said, next_turn(played)], pasts)
    check(found)
    assert found[3]["content"] == hops[1]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scripts(), st.sampled_from(WAYS), st.data())
def test_whatever_a_client_does_to_a_turn_nothing_of_it_is_lost(hops, way, data):
    played = Played(hops)
    content = list(content_of(played.shown, way))
    for _ in range(data.draw(st.integers(0, 3))):
        if content:
            block = content.pop(data.draw(st.integers(0, len(content) - 1)))
            if data.draw(st.booleans()):
                content.insert(data.draw(st.integers(0, len(content))), block)
    messages = [QUESTION, {"role": "assistant", "content": content}, next_turn(played)]
    request = {"messages": messages}
    edits = restore(request, lambda _: played.past)  # as if the digest were the same
    found = formats.of_value(request).edited(edits)[0].value()["messages"]
    if edits:
        blocks = [block for turn in found if turn["role"] == "assistant" for block in turn["content"]]
        words = ["".join(text_of_body({"content": some}).split()) for some in (blocks, content)]
        assert words[0] == words[1]
        for block in content:
            assert block["type"] == "text" or block in blocks or unmarked([block])[0] in blocks
        assert all(turn["content"] and not any(map(is_blank, turn["content"])) for turn in found[1:])
        assert not any(is_ours(block) for block in found[-2]["content"]) or played.results


@pytest.mark.parametrize("request_", [{}, {"messages": None}, {"messages": "x"}, {"messages": [None, 3, "x", [], {}]}])
def test_a_request_of_another_shape_is_left_alone(request_):
    assert restore(request_, lambda _: pytest.fail("nothing to find")) == []


def test_a_past_of_another_shape_is_left_alone():
    messages = [QUESTION, {"role": "assistant", "content": "x"}]
    for past in (None, [], "x", {}, {"turns": []}):
        assert restore({"messages": messages}, lambda _, past=past: past) == []


# --- the rest of the contract


def fed(turn, data):
    return b"".join(event.raw for piece in Stream().feed(data) for event in turn.take(piece))


def test_indices_go_on_behind_the_highest():
    turn, seen = Turn(OURS, streaming=True), []
    first = [{"type": "content_block_start", "index": i, "content_block": text("")} for i in (1, 0)]
    last = {"type": "content_block_start", "index": 2, "content_block": ours(1)}
    for event in (*first, last):
        seen += turn.take(_events.Event.of(event))
    turn.turns(["r"])
    turn.go_on()
    seen += turn.take(_events.Event.of({**first[1], "new": 1.5}))
    assert [event.value["index"] for event in seen] == [1, 0, 2]
    assert seen[-1].value["new"] == 1.5


def test_text_passes_at_once_and_only_the_end_of_a_hop_with_our_call_is_held():
    turn, seen = Turn(OURS, streaming=True), []
    for event in Stream().feed(stream_of([text("abc"), ours(1), text("d")])):
        seen += [(given.value["type"], given.value.get("index")) for given in turn.take(event)]
    block = ["content_block_start", "content_block_delta", "content_block_stop"]
    head = [("message_start", None), ("ping", None)]
    assert seen == [*head, *((name, 0) for name in block), *((name, 1) for name in block)]
    assert turn.ended


def test_one_hop_of_both_kinds_of_calls_ends_in_its_own_bytes():
    blocks = [theirs(1), ours(2)]
    data = stream_of(blocks)
    turn = Turn(OURS, streaming=True)
    seen = fed(turn, data) + b"".join(event.raw for event in turn.finish(""))
    start = data.index(b'event: content_block_start\ndata: {"type": "content_block_start", "index": 1')
    assert seen == data[:start] + data[data.index(b"event: message_delta") :]
    assert turn.others


def test_a_model_that_was_stopped_gets_no_answer():
    for stop in ("max_tokens", "refusal", "pause_turn", "model_context_window_exceeded"):
        turn = Turn(OURS, streaming=True)
        seen = fed(turn, stream_of([text("a"), ours(1)], stop=stop))
        assert turn.calls == []
        assert f'"stop_reason": "{stop}"'.encode() in seen + b"".join(event.raw for event in turn.finish(""))


def test_arguments_that_are_no_object():
    for written in ('{"handle": "a', "[1]", '{"a": NaN}', '{"a": 1e999}', "[" * 5000):
        turn, block = Turn(OURS, streaming=True), {**ours(1), "input": {}, "caller": {"type": "direct"}}
        events = [
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": written}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}},
            {"type": "message_stop"},
        ]  # fmt: skip
        for event in events:
            assert turn.take(_events.Event.of(event, event["type"])) == []
        (call,) = turn.calls
        assert call.arguments is None
        assert turn.turns(["r"])[0]["content"] == [block]


def test_an_error_inside_the_stream():
    turn = Turn(OURS, streaming=True)
    error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    data = stream_of([text("a")])
    data = data[: data.index(b"event: message_delta")] + error
    assert fed(turn, data) == data
    assert turn.failure == ("overloaded_error", "Overloaded")
    assert not turn.ended
    assert turn.finish("note") == []
    for odd in (b'data: {"type":"error"}\n\n', b'data: {"type":"error","error":"x"}\n\n'):
        turn = Turn((), streaming=True)
        assert fed(turn, odd) == odd
        assert turn.failure == ("api_error", "")
    turn = Turn((), streaming=False)
    turn.take_body(b'{"type":"error","error":{"type":"api_error","message":"m"}}')
    assert (turn.failure, turn.ended) == (("api_error", "m"), False)
    assert turn.body("") == b'{"type":"error","error":{"type":"api_error","message":"m"}}'


def test_a_broken_stream_gets_no_end():
    turn = Turn(OURS, streaming=True)
    data = stream_of([text("a"), ours(1)])
    fed(turn, data[: data.index(b"event: message_stop")])
    assert not turn.ended
    assert turn.finish("") == []
    assert turn.finish("note") == []


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b"null", b"{}", b"[" * 5000, b"\xff"])
def test_an_answer_of_another_shape_passes(data):
    turn = Turn(OURS, streaming=False)
    turn.take_body(data)
    assert turn.body("note") == data
    assert (turn.calls, turn.ended, turn.past([])) == ([], False, None)


def test_odd_content_of_a_whole_answer_passes():
    body = {"type": "message", "content": [None, 7, text("a"), ours(1), {}, {"type": "new"}], "stop_reason": "tool_use"}
    turn = Turn(OURS, streaming=False)
    turn.take_body(json.dumps(body).encode())
    assert json.loads(turn.body("n")) == {
        **body, "content": [None, 7, text("a"), {}, {"type": "new"}, text("n")], "stop_reason": "end_turn", "usage": {},
    }  # fmt: skip


def test_an_answer_that_is_too_long_is_not_kept_and_loses_nothing(monkeypatch):
    monkeypatch.setattr(_hop, "KEPT_MOST", 2_000)
    blocks = [text("x" * 5_000), ours(1), theirs(2), ours(3)]
    turn = Turn(OURS, streaming=True)
    seen = fed(turn, stream_of(blocks, size=50))
    assert not turn.whole
    assert [(call.identifier, call.arguments) for call in turn.calls] == [("toolu_own1", None), ("toolu_own3", None)]
    assert turn.turns(["a", "b"]) == []
    assert turn.past(["a", "b"]) is None
    message = Message()
    for event in (*Stream().feed(seen), *turn.finish("")):
        message.take(event)
    assert message.value()["content"] == [blocks[0], blocks[2]]
    whole = Turn(OURS, streaming=False)
    whole.take_body(body_of(blocks))
    assert not whole.whole
    assert json.loads(whole.body(""))["content"] == [blocks[0], blocks[2]]
    assert whole.key() == turn.key()


def test_a_block_with_a_delta_of_an_unknown_type_is_not_quoted():
    turn = Turn(OURS, streaming=True)
    data = stream_of([text("ab"), ours(1)]).replace(b'"text_delta", "text"', b'"new_delta", "text"')
    fed(turn, data)
    assert not turn.whole
    assert len(turn.calls) == 1


def test_compaction_blocks_are_quoted():
    turn = Turn(OURS, streaming=True)
    events = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "compaction", "content": None}},
        {"type": "content_block_delta", "index": 0,
         "delta": {"type": "compaction_delta", "content": "Summary", "encrypted_content": "e"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": ours(1)},
        {"type": "content_block_stop", "index": 1},
    ]  # fmt: skip
    for event in events:
        turn.take(_events.Event.of(event))
    assert turn.whole
    assert turn.turns(["r"])[0]["content"] == [
        {"type": "compaction", "content": "Summary", "encrypted_content": "e"}, ours(1),
    ]  # fmt: skip


def test_halves_of_a_character_are_joined():
    turn = Turn(OURS, streaming=True)
    data = stream_of([text("ab"), ours(1)], size=1).replace(b'"a"', b'"\\ud83c"').replace(b'"b"', b'"\\udf89"')
    fed(turn, data)
    assert turn.turns(["r"])[0]["content"][0] == text("🎉")
    other = Turn(OURS, streaming=True)
    fed(other, stream_of([text("🎉"), ours(1)]))
    assert turn.key() == other.key()


def test_usage_of_gateways_is_summed_too():
    turn = Turn(OURS, streaming=False)
    usage = {"input_tokens": 1, "cost": 0.25, "is_byok": True, "speed": "fast", "iterations": [1], "gone": None}
    for _ in range(2):
        turn.take_body(json.dumps({"type": "message", "content": [ours(1)], "usage": usage}).encode())
        turn.turns(["r"])
        turn.go_on()
    assert turn.usage == {**usage, "input_tokens": 2, "cost": 0.5}


def test_null_in_a_later_count_says_nothing():
    turn, message = Turn(OURS, streaming=True), Message()
    usage = {"input_tokens": 10, "output_tokens": 1, "server_tool_use": None}
    for event in (
        {"type": "message_start", "message": {"id": "m", "content": [], "usage": usage}},
        {"type": "message_delta", "delta": {}, "usage": {"input_tokens": None, "output_tokens": 5, "new": None}},
    ):
        turn.take(_events.Event.of(event))
        message.take(_events.Event.of(event))
    wanted = {"input_tokens": 10, "output_tokens": 5, "server_tool_use": None, "new": None}
    assert turn.usage == message.value()["usage"] == wanted


def test_the_row_is_in_its_table():
    row = wire.load("anthropic")
    for name in ("Turn", "Message", "text_of", "text_of_body", "tool", "restore"):
        assert hasattr(row, name)
    schema = {"type": "object", "properties": {}}
    assert tool("n", "d", schema) == {"name": "n", "description": "d", "input_schema": schema}
    event = Turn((), streaming=True).error("api_error", "ü")
    assert event.raw == 'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"ü"}}\n\n'.encode()


def test_the_sdk_raises_our_error(sdk):
    data = stream_of([text("a")])
    data = data[: data.index(b"event: message_delta")] + Turn((), streaming=True).error("overloaded_error", "m").raw
    with pytest.raises(anthropic.APIStatusError, match="m"):
        sdk.stream(data)
