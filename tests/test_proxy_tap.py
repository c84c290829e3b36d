"""Reading along in answers that pass: identical bytes at any split, and what is known when one breaks off."""

import gzip
import itertools
import json
import random
import time
import zlib

import provider_frames
import provider_shapes
import pytest
import zstandard
from conftest import ROOT
from provider_replies import Reply, call, text, thinking

from headroom_cli.serve.tap import HELD_MOST, Tap
from headroom_cli.wire._sse import Stream

try:
    import brotli
except ImportError:
    brotli = None

SHARED = ROOT.parent / "shared" / "hostile" / "own-generated" / "sse_vectors.json"
USAGE = {"input": 1200, "cached": 900, "written": 30, "output": 77, "thinking": 12}
PARTS = (
    thinking('I should look: is there an "error", a message_stop, a [DONE]?'),
    text(
        'The words "usage": {"input_tokens": 5} and "finish_reason": "stop" are only words; event: error too. é日🎉\n\n'
    ),
    call("call_1", "Bash", {"command": "echo message_stop response.completed", "usage": {"input_tokens": 1}}),
)
REQUESTS = {
    "anthropic": {"stream": True},
    "openai": {"stream": True, "stream_options": {"include_usage": True}},
    "responses": {"stream": True},
}
NAMES = {"openai": "chat"}


def events(shape, *parts, row=None, **more):
    """Return the events of a stream of the fake provider, as bytes each."""
    reply = Reply(list(parts or PARTS), usage=USAGE, pieces=40, **more)
    row = row or NAMES.get(shape, shape)
    return [provider_frames.sse(*event) for event in provider_shapes.events(row, REQUESTS[shape], reply, "m", 1)]


def framed(*parts, **more):
    reply = Reply(list(parts or PARTS), usage=USAGE, **more)
    made = provider_shapes.events("anthropic", {"stream": True}, reply, "m", 1)
    return list(provider_frames.bedrock(made, reply, "modelStreamErrorException"))


STREAMS = {
    ("anthropic", "plain"): events("anthropic"),
    ("anthropic", "what nobody knows"): events("anthropic", extras=True),
    ("anthropic", "failed"): events("anthropic", error=("overloaded", "no room")),
    ("anthropic", "openrouter"): [b": OPENROUTER PROCESSING\n\n", *events("anthropic")],
    ("openai", "plain"): events("openai"),
    ("openai", "openrouter"): events("openai", row="openrouter"),
    ("openai", "openrouter failed"): events("openai", row="openrouter", error=("overloaded", "no room")),
    ("openai", "together"): events("openai", together=True, extras=True),
    ("responses", "plain"): events("responses"),
    ("responses", "interleaved"): events("responses", interleave=True, extras=True),
    ("responses", "cut"): events("responses", stop="length"),
    ("responses", "failed"): events("responses", stop="failed"),
    ("responses", "failed inside"): events("responses", error=("overloaded", "no room")),
}
SHAPE_USAGE = {
    "anthropic": {"input_tokens": 1200, "cache_read_input_tokens": 900, "output_tokens": 77},
    "openai": {"prompt_tokens": 2130, "completion_tokens": 77, "prompt_tokens_details.cached_tokens": 900},
    "responses": {"input_tokens": 2130, "output_tokens": 77, "output_tokens_details.reasoning_tokens": 12},
}
LAST = ("message_stop", "[DONE]", "response.completed", "response.failed", "response.incomplete", "error")


def through(tap, *pieces):
    """Feed pieces; return what came out at each, and the rest."""
    return [tap.feed(piece) for piece in pieces], tap.end()


def pieces_of(data, *cuts):
    return [data[a:b] for a, b in itertools.pairwise((0, *cuts, len(data)))]


def whole_events(data):
    """Return the events in data; fail when they are not whole."""
    stream = Stream()
    found = stream.feed(data)
    assert stream.end() == b""
    return found


def check(shape, data, *cuts, **more):
    """Check one split: identical bytes, whole events only, the same knowledge."""
    tap = Tap(shape, streaming=True, **more)
    given, rest = through(tap, *pieces_of(data, *cuts))
    assert b"".join(given) + rest == data, cuts
    return tap


# --- the bytes


def test_all_shared_vectors_pass_unchanged_at_every_split():
    if not SHARED.exists():
        pytest.skip("the shared vectors are not beside this checkout")
    vectors = json.loads(SHARED.read_text())
    assert len(vectors) == 28
    chance = random.Random(3)
    for number, vector in enumerate(vectors):
        hexed = vector["hex"]
        data = b"data: " + b"x" * 2**20 + b"\n\n" if hexed is None else bytes.fromhex(hexed)
        shape = ("anthropic", "openai", "responses", "")[number % 4]
        step = 1 if len(data) < 3000 else len(data) // 40
        check(shape, data)
        check(shape, data, *range(1, len(data), 1 if len(data) < 100_000 else 997))
        for cut in range(0, len(data) + 1, step):
            check(shape, data, cut)
        for _ in range(50 if step == 1 else 10):
            check(shape, data, *sorted(chance.randint(0, len(data)) for _ in range(2)))


def test_fifty_thousand_splits_of_recorded_streams_give_identical_bytes_and_whole_events():
    chance = random.Random(4)
    began = time.process_time()
    count = 0
    streams = [(shape, b"".join(found)) for (shape, _), found in STREAMS.items()]
    streams.sort(key=lambda stream: len(stream[1]))
    del streams[-3:]
    streams += [(shape, data.replace(b"\n", b"\r\n")) for shape, data in streams[:8:4]]
    streams += [(shape, data.replace(b"\n", b"\r")) for shape, data in streams[1:8:4]]
    ends = []
    for _, data in streams:
        places, at = {0}, 0
        for event in Stream().feed(data):
            at += len(event.raw)
            places.add(at)
        ends.append(places | {at - 1 for at in places if data[at - 2 : at] == b"\r\n"})  # half a line end may go
    for (shape, data), places in zip(streams, ends, strict=True):
        known = check(shape, data)
        for cut in range(len(data) + 1):
            tap = Tap(shape, streaming=True)
            first = tap.feed(data[:cut])
            assert len(first) in places, cut
            assert first + tap.feed(data[cut:]) + tap.end() == data
            assert (tap.usage, tap.ended) == (known.usage, known.ended)
            count += 1
    while count < 50_000:
        shape, data = streams[count % len(streams)]
        check(shape, data, *sorted((chance.randint(0, len(data)), chance.randint(0, len(data)))))
        count += 1
    for shape, data in streams:
        check(shape, data, *range(1, len(data)))
    assert time.process_time() - began < 30  # seconds of one core; six at rest


def test_an_event_goes_out_with_its_last_byte_and_not_before():
    tap = Tap("anthropic", streaming=True)
    assert tap.feed(b": ping\n\ndata: 1\n") == b": ping\n\n"
    assert tap.feed(b"\ndata: 2") == b"data: 1\n\n"
    assert tap.feed(b"\r\n\r") == b"data: 2\r\n\r"
    assert tap.feed(b"\n") == b"\n"  # whoever waits for CRLF must not wait for the next event
    assert tap.feed(b"") == b""
    assert tap.feed(b"data: 3\n\ndata: 4\n\n") == b"data: 3\n\ndata: 4\n\n"
    assert tap.end() == b""


def test_a_long_event_is_not_held_for_ever():
    tap = Tap("responses", streaming=True)
    tap.feed(b"data: ")
    given = b"".join(tap.feed(b"x" * 1000) for _ in range(70))
    assert len(given) >= HELD_MOST
    assert tap.feed(b"y") == b"y"
    assert tap.feed(b"\n\ndata: ") == b"\n\n"
    assert tap.feed(b"z") == b""
    assert tap.end() == b"data: z"


# --- what is known


@pytest.mark.parametrize(("shape", "name"), STREAMS)
def test_the_end_is_known_only_when_the_last_event_is_whole(shape, name):
    found = STREAMS[shape, name]
    data = b"".join(found)
    # In Chat the event that says why the model stopped is the end for those who send no [DONE].
    last = len(found) - 1
    if shape == "openai":
        last = max(i for i, event in enumerate(found) if b'"finish_reason":"' in event or b'"error":{' in event)
    end = len(b"".join(found[: last + 1]))
    for cut in sorted({*range(0, len(data), 7), *range(end - 40, len(data) + 1)}):
        tap = Tap(shape, streaming=True)
        tap.feed(data[:cut])
        assert tap.ended == (cut >= end), cut
    assert tap.failed == ("failed" in name)


@pytest.mark.parametrize(("shape", "name"), STREAMS)
def test_usage_is_that_of_the_provider(shape, name):
    tap = check(shape, b"".join(STREAMS[shape, name]))
    if "failed" in name:
        return
    assert {key: tap.usage.get(key) for key in SHAPE_USAGE[shape]} == SHAPE_USAGE[shape]
    assert all(type(value) is int for value in tap.usage.values())


@pytest.mark.parametrize("shape", REQUESTS)
def test_json_in_the_models_words_is_not_taken_for_the_providers(shape):
    tap = Tap(shape, streaming=True)
    for event in events(shape)[:-3]:
        if b"message_start" not in event:
            tap.feed(event)
    assert tap.usage == {}
    assert not tap.failed


def test_usage_that_comes_in_every_chunk_is_that_of_the_last():
    tap = Tap("openai", streaming=True)
    for count in range(5):
        tap.feed(b'data: {"choices":[],"usage" : {"prompt_tokens":9,"completion_tokens":%d,"cost":0.1}}\n\n' % count)
    assert tap.usage == {"prompt_tokens": 9, "completion_tokens": 4}


def test_chat_without_done_has_ended_with_its_reason():
    found = [event for event in events("openai") if b"[DONE]" not in event]
    assert check("openai", b"".join(found)).ended
    assert not check("openai", b"".join(found[:-3])).ended
    for rest in (b"data: [DONE]", b"data: [DONE]\n", b"data: [DONE]\r\n"):
        tap = Tap("openai", streaming=True)
        tap.feed(b'data: {"choices":[]}\n\n' + rest)
        assert tap.ended
        assert tap.end() == rest


def test_a_last_event_too_long_to_be_held_is_read_all_the_same():
    counted = {"input_tokens": 8, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 2}
    output = [{"text": 'say "usage": {"input_tokens": 3}' * 9000}]
    response = {"id": "r", "output": output, "tools": [], "usage": counted, "metadata": {}}
    data = provider_frames.sse("data", "response.completed", {"type": "response.completed", "response": response})
    assert len(data) > 3 * HELD_MOST
    for size in (1 << 20, 65_536, 4096, 77):
        tap = Tap("responses", streaming=True)
        given, rest = through(tap, *(data[i : i + size] for i in range(0, len(data), size)))
        assert b"".join(given) + rest == data
        assert tap.ended
        assert tap.usage == {"input_tokens": 8, "input_tokens_details.cached_tokens": 4, "output_tokens": 2}
    chunk = {"choices": [{"delta": {"content": "x" * 200_000}, "finish_reason": "stop"}]}
    assert check("openai", provider_frames.sse("data", "", chunk), 100_000).ended
    delta = {"type": "content_block_delta", "delta": {"partial_json": '"type":"message_stop"' * 9000}}
    assert not check("anthropic", provider_frames.sse("data", delta["type"], delta), 70_000).ended


def test_nothing_is_known_of_a_shape_that_is_not_ours():
    tap = Tap("", streaming=True)
    assert tap.feed(b"data: 1\n\nda") == b"data: 1\n\n"
    assert tap.ended
    assert tap.usage == {}
    assert json.loads(whole_events(tap.broken("api_error", "gone"))[0].data)["error"]["message"] == "gone"


# --- a broken end


@pytest.mark.parametrize("shape", REQUESTS)
def test_wherever_a_stream_breaks_off_the_client_reads_an_error_and_no_end(shape):
    found = STREAMS[shape, "plain"]
    data = b"".join(found)
    end = len(data) - len(found[-1])
    for cut in range(min(end, 6000)):
        tap = Tap(shape, streaming=True)
        given = tap.feed(data[:cut])
        seen = whole_events(given + tap.broken("api_error", 'the "provider" broke off'))
        assert b"".join(event.raw for event in seen[:-1]) == given
        value = json.loads(seen[-1].data)
        error = value if shape == "responses" else value["error"]
        assert error["message"] == 'the "provider" broke off'
        names = [event.name or event.value.get("type") for event in seen[:-1]]
        assert not {"message_stop", "response.completed"}.intersection(names)
        assert tap.end() == b""
    if shape == "responses":
        before = [event.value["sequence_number"] for event in seen]
        assert before == list(range(len(seen)))


def test_an_error_behind_half_a_long_event_is_an_event_of_its_own():
    tap = Tap("anthropic", streaming=True)
    given = tap.feed(b"event: content_block_delta\ndata: " + b"x" * HELD_MOST)
    assert len(given) > HELD_MOST
    half, error = whole_events(given + tap.broken("api_error", "gone"))
    assert half.value == {}
    assert error.name == "error"
    assert error.value == {"type": "error", "error": {"type": "api_error", "message": "gone"}}


# --- frames of AWS


def test_frames_pass_whole_at_every_split():
    found = framed()
    data = b"".join(found)
    places = set(itertools.accumulate([0, *map(len, found)]))
    for cut in range(len(data) + 1):
        tap = Tap("anthropic", streaming=True, framed=True)
        first = tap.feed(data[:cut])
        assert len(first) in places
        assert tap.ended == (cut == len(data))
        assert first + tap.feed(data[cut:]) + tap.end() == data
        assert tap.ended
        assert tap.usage["output_tokens"] == 77
        assert tap.usage["cache_read_input_tokens"] == 900
    assert check("anthropic", data, *range(1, len(data)), framed=True).ended
    failed = check("anthropic", b"".join(framed(error=("overloaded", "no room"))), framed=True)
    assert failed.ended
    assert failed.failed


def test_a_frame_of_an_error_is_what_botocore_reads():
    eventstream = pytest.importorskip("botocore.eventstream")
    data = b"".join(framed())
    for kind, name in (("api_error", "modelStreamErrorException"), ("overloaded_error", "serviceUnavailableException")):
        for cut in (0, 1, 11, 12, 200, len(data) - 1):
            tap = Tap("anthropic", streaming=True, framed=True)
            buffer = eventstream.EventStreamBuffer()
            buffer.add_data(tap.feed(data[:cut]) + tap.broken(kind, "the é provider"))
            last = list(buffer)[-1]
            assert last.headers[":message-type"] == "exception"
            assert last.headers[":exception-type"] == name
            assert json.loads(last.payload) == {"message": "the é provider"}


def test_what_botocores_service_model_knows_is_what_is_written():
    loaders = pytest.importorskip("botocore.loaders")
    from headroom_cli.serve import frames

    model = loaders.Loader().load_service_model("bedrock-runtime", "service-2")
    known = model["shapes"]["ResponseStream"]["members"]
    assert {*frames._NAMES.values(), "modelStreamErrorException"} <= set(known)


def test_damaged_and_long_frames_pass_and_promise_nothing():
    for data in (b"\0\0\0\1" + b"x" * 100, b"\1\xff\xff\xff" + b"\xff" * 100, b"\0\0\0\x40\0\0\0\x41" + b"x" * 90):
        tap = check("anthropic", data, 3, 40, framed=True)
        assert not tap.ended
        assert tap.broken("api_error", "gone") == b""
    long = provider_frames.chunk({"type": "x", "y": "z" * 200_000})
    tap = Tap("anthropic", streaming=True, framed=True)
    assert tap.feed(long[:60_000]) == b""
    assert len(tap.feed(long[60_000:100_000])) == 100_000
    assert tap.broken("api_error", "gone") == b""
    assert len(check("anthropic", long + b"".join(framed()), 70_000, framed=True).usage) > 2


def test_events_under_the_name_of_frames_are_events():
    data = b"".join(events("anthropic"))
    tap = check("anthropic", data, 0, 1, 500, framed=True)
    assert tap.ended
    assert tap.usage["output_tokens"] == 77
    tap = Tap("anthropic", streaming=True, framed=True)
    tap.feed(data[:900])
    assert whole_events(tap.broken("api_error", "gone"))[-1].name == "error"


def test_what_other_models_of_bedrock_count():
    headers = ((":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event"))
    metrics = {"inputTokenCount": 5, "outputTokenCount": 6, "invocationLatency": 900}
    data = provider_frames.chunk({"generation": "hello"}) + provider_frames.chunk(
        {"generation": "", "stop_reason": "stop", "amazon-bedrock-invocationMetrics": metrics}
    )
    tap = check("anthropic", data, framed=True)
    assert tap.ended
    assert tap.usage == {"input_tokens": 5, "output_tokens": 6}
    last = provider_frames.frame(
        (*headers[1:], (":event-type", "metadata")), b'{"usage":{"inputTokens":3,"outputTokens":4}}'
    )
    assert check("anthropic", last, framed=True).usage == {"input_tokens": 3, "output_tokens": 4}


# --- answers in one piece, and encoded ones


@pytest.mark.parametrize("shape", REQUESTS)
def test_the_usage_of_an_answer_in_one_piece(shape):
    reply = Reply(list(PARTS), usage=USAGE)
    data = json.dumps(provider_shapes.body(NAMES.get(shape, shape), {}, reply, "m", 1)).encode()
    for cuts in ((), (1,), (500, 501), range(1, len(data))):
        tap = Tap(shape, streaming=False)
        given, rest = through(tap, *pieces_of(data, *cuts))
        assert given == pieces_of(data, *cuts)
        assert rest == b""
        assert tap.ended
        assert {key: tap.usage.get(key) for key in SHAPE_USAGE[shape]} == SHAPE_USAGE[shape]
        assert tap.usage == tap.usage
    assert tap.broken("api_error", "gone") == b""


def test_the_usage_of_a_long_answer_stands_at_its_end():
    for size in (200_000, 900_000, 5_000_000):
        body = {
            "content": [{"text": 'its "usage": {"input_tokens": 1} ' + "x" * size}],
            "usage": {"input_tokens": 7},
            "id": "m",
        }
        data = json.dumps(body).encode()
        tap = Tap("anthropic", streaming=False)
        for i in range(0, len(data), 65_536):
            tap.feed(data[i : i + 65_536])
        assert tap.usage == {"input_tokens": 7}


def test_a_usage_is_bounded_whatever_the_provider_writes():
    tap = Tap("anthropic", streaming=True)
    for start in range(0, 300, 30):
        odd = {"input_tokens": start, "big": 10**400, "below": -1, "k" * 101: 1, "\u00e4": 1, "in": {"side": start}}
        odd |= {f"n{start + number}": number for number in range(30)}
        tap.feed(
            b"event: message_delta\ndata: " + json.dumps({"type": "message_delta", "usage": odd}).encode() + b"\n\n"
        )
    assert len(tap.usage) == 64
    assert (tap.usage["input_tokens"], tap.usage["in.side"]) == (270, 270)
    assert not {"big", "below", "k" * 101, "\u00e4"} & tap.usage.keys()


def test_an_error_in_one_piece_and_what_is_no_json():
    tap = Tap("anthropic", streaming=False)
    tap.feed(b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}')
    assert tap.usage == {}
    assert tap.failed
    for data in (b"", b"[]", b"{", b"\xff\xfe", b"null", b'{"usage":[1]}', b"[" * 5000, b'{"usage":null}'):
        tap = Tap("openai", streaming=False)
        tap.feed(data)
        assert tap.usage == {}
    tap = Tap("anthropic", streaming=False)
    tap.feed(b'{"input_tokens": 12}')
    assert tap.usage == {"input_tokens": 12}


ENCODERS = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.ZstdCompressor().compress}
if brotli is not None:
    ENCODERS["br"] = brotli.compress


@pytest.mark.parametrize("encoding", ENCODERS)
def test_encoded_answers_pass_as_they_are_and_are_read_along(encoding):
    for (shape, _), found in list(STREAMS.items())[::3]:
        data = ENCODERS[encoding](b"".join(found))
        for cuts in ((), (1,), (len(data) // 2,), range(1, len(data))):
            tap = Tap(shape, streaming=True, encoding=encoding)
            assert not tap.ended
            given, rest = through(tap, *pieces_of(data, *cuts))
            assert given == pieces_of(data, *cuts)
            assert rest == b""
            assert tap.ended
            assert tap.usage == check(shape, b"".join(found)).usage
            assert tap.broken("api_error", "gone") == b""
    tap = Tap("anthropic", streaming=True, encoding=encoding)
    tap.feed(ENCODERS[encoding](b"".join(events("anthropic"))[:-20]))
    assert not tap.ended
    tap = Tap("anthropic", streaming=False, encoding=encoding.upper())
    tap.feed(ENCODERS[encoding](b'{"usage":{"input_tokens":7}}'))
    assert tap.usage == {"input_tokens": 7}


def test_an_encoding_that_cannot_be_read_passes():
    for encoding, data in (("compress", b"abc"), ("gzip", b"no gzip"), ("gzip,gzip,gzip,gzip", b"x")):
        tap = Tap("anthropic", streaming=True, encoding=encoding)
        assert tap.feed(data) + tap.feed(data) + tap.end() == data + data
        assert tap.ended
        assert tap.usage == {}


def test_an_encoded_answer_without_end_costs_no_memory():
    import tracemalloc

    bomb = gzip.compress(b"data: " + bytes(300 << 20), 1)
    tracemalloc.start()
    try:
        tap = Tap("anthropic", streaming=True, encoding="gzip")
        given = b"".join(tap.feed(bomb[i : i + 65_536]) for i in range(0, len(bomb), 65_536))
        assert given == bomb
        assert tap.ended  # nothing is known of it
        assert tracemalloc.get_traced_memory()[1] < len(bomb) + (4 << 20)
    finally:
        tracemalloc.stop()


def test_time_is_linear_in_the_bytes():
    began = time.process_time()
    tap = Tap("anthropic", streaming=True)
    many = b"event: e\r\ndata: 0123456789\r\n\r\n" * 3000
    assert b"".join(tap.feed(many[i : i + 1]) for i in range(len(many))) == many
    long = b"data: " + b"x" * 600_000 + b"\n\n"
    assert b"".join(tap.feed(long[i : i + 1]) for i in range(len(long))) == long
    frame = provider_frames.chunk({"type": "x", "y": "z" * 400_000})
    tap = Tap("anthropic", streaming=True, framed=True)
    assert b"".join(tap.feed(frame[i : i + 1]) for i in range(len(frame))) == frame
    assert time.process_time() - began < 20  # seconds; quadratic would be minutes
