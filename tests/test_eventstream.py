"""AWS frames as events: any split, any damage, and what the official decoders make of the same bytes."""

import base64
import json
import random
import struct
import sys
import tracemalloc
import zlib

import pytest
from conftest import ROOT
from provider_frames import chunk, compact, exception, frame

pytest.importorskip("botocore")

from headroom_cli.errors import ConfigError, UnreachableError
from headroom_cli.wire._frames import KINDS, LONGEST, Frames, Messages
from headroom_cli.wire._sse import Stream

SHARED = ROOT.parent / "shared" / "hostile" / "botocore-eventstream" / "vectors.json"
VECTORS = json.loads(SHARED.read_text()) if SHARED.is_file() else {"positive": {"none": {}}, "negative": {"none": {}}}
elsewhere = pytest.mark.skipif(not SHARED.is_file(), reason="the vectors lie beside this checkout")

# Written out once, byte by byte, so that no encoder of ours stands between these and the decoder.
PLAIN = "000000100000000005c248eb7d98c8ff"
DATA = (
    "0000004a0000002aacda56570b3a6576656e742d747970650700056368756e6b"
    "0d3a6d6573736167652d747970650700056576656e747b226279746573223a22"
    "6533303d227dae919f38"
)
EVENTS = [
    {"type": "message_start", "message": {"id": "msg_1", "content": [], "usage": {"input_tokens": 3}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "grüße \u2028 \U0001f600\n"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 3}},
]
STREAM = b"".join(chunk(event, padding) for padding, event in enumerate(EVENTS))
SSE = b"".join(f"event: {event['type']}\ndata: {compact(event)}\n\n".encode() for event in EVENTS)
HEADERS = ((":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event"))


def closed(prelude, rest):
    """Close a frame whose lengths are our own, with right sums."""
    whole = prelude + struct.pack(">I", zlib.crc32(prelude)) + rest
    return whole + struct.pack(">I", zlib.crc32(whole))


def decode(pieces):
    frames = Frames()
    events = [event for piece in pieces for event in frames.feed(piece)]
    assert frames.end() == b""
    return events


def messages(pieces):
    decoder = Messages()
    found = [message for piece in pieces for message in decoder.feed(piece)]
    decoder.end()
    return found


def splits(data):
    """Yield a whole, its bytes, and every cut in two."""
    yield [data]
    yield [data[at : at + 1] for at in range(len(data))]
    for at in range(len(data) + 1):
        yield [data[:at], data[at:]]


@elsewhere
def test_there_are_nine_and_six_vectors():
    assert (len(VECTORS["positive"]), len(VECTORS["negative"])) == (9, 6)


@elsewhere
@pytest.mark.parametrize("name", VECTORS["positive"])
def test_good_vectors_at_every_split(name):
    vector = VECTORS["positive"][name]
    headers = {
        key: bytes.fromhex(value["hex"]) if isinstance(value, dict) else value
        for key, value in vector["headers"].items()
    }
    data = bytes.fromhex(vector["encoded_hex"])
    for pieces in splits(data):
        assert messages(pieces) == [(headers, bytes.fromhex(vector["payload_hex"]))]
    for pieces in splits(data + STREAM):
        assert b"".join(event.raw for event in decode(pieces)).endswith(SSE)


@elsewhere
@pytest.mark.parametrize("name", VECTORS["negative"])
def test_bad_vectors_at_every_split(name):
    data = bytes.fromhex(VECTORS["negative"][name]["encoded_hex"])
    for pieces in splits(data):
        decoder = Messages()
        with pytest.raises(UnreachableError, match="the stream is damaged"):  # noqa: PT012 - not always the last one
            for piece in pieces:
                assert list(decoder.feed(piece)) == []
        with pytest.raises(UnreachableError, match="the stream is damaged"):
            decode(pieces)


def test_frames_written_out_by_hand():
    assert messages([bytes.fromhex(PLAIN)]) == [({}, b"")]
    [(headers, payload)] = messages([bytes.fromhex(DATA)])
    assert headers == {":event-type": "chunk", ":message-type": "event"}
    assert payload == b'{"bytes":"e30="}'
    [event] = decode([bytes.fromhex(DATA)])
    assert (event.raw, event.name, event.data) == (b"data: {}\n\n", "", "{}")


def test_a_stream_is_what_anthropics_own_would_have_been():
    text = Stream()
    expected = [(event.raw, event.name, event.data) for event in text.feed(SSE)]
    for pieces in splits(STREAM):
        events = decode(pieces)
        assert [(event.raw, event.name, event.data) for event in events] == expected
        assert [event.value for event in events] == EVENTS
    draw = random.Random(1)
    for _ in range(50):
        cuts = sorted(draw.sample(range(len(STREAM)), 9))
        events = decode([STREAM[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)])
        assert b"".join(event.raw for event in events) == SSE


def test_the_sdk_reads_the_same_from_these_bytes():
    decoder = pytest.importorskip("anthropic.lib.bedrock._stream_decoder").AWSEventStreamDecoder()
    theirs = [(event.event, event.data) for event in decoder.iter_bytes(iter([STREAM[:100], STREAM[100:]]))]
    assert theirs == [(event.name, event.data) for event in decode([STREAM])]


def test_no_changed_byte_passes():
    whole = [event.raw for event in decode([STREAM])]
    for at in range(0, len(STREAM), 3):
        data = bytearray(STREAM)
        data[at] ^= 1 << at % 8
        frames, seen = Frames(), []
        with pytest.raises(UnreachableError):  # noqa: PT012 - which of them raises depends on the place
            for piece in (bytes(data[:1]), bytes(data[1:])) if data[0] < 2 else (bytes(data),):
                seen += frames.feed(piece)
            frames.feed(b"")
            frames.end()
            if data[0] > 1:
                raise UnreachableError("read as text, and no event came of it")
        assert [event.raw for event in seen] == whole[: len(seen)]
        assert len(seen) < len(whole)


def test_no_missing_end_passes():
    ends = {0}
    for padding, event in enumerate(EVENTS):
        ends.add(max(ends) + len(chunk(event, padding)))
    for at in range(len(STREAM)):
        frames = Frames()
        events = frames.feed(STREAM[:at])
        assert len(events) == sum(0 < end <= at for end in ends)
        if at in ends:
            assert frames.end() == b""
        else:
            with pytest.raises(UnreachableError, match="into a frame; send the request again"):
                frames.end()


def test_what_came_before_damage_is_given_out_first():
    frames = Frames()
    assert [event.name for event in frames.feed(STREAM + chunk(EVENTS[0], broken=True) + STREAM)] == [
        event["type"] for event in EVENTS
    ]
    for ask in (lambda: frames.feed(b""), lambda: frames.feed(STREAM), frames.end):
        with pytest.raises(UnreachableError, match="Checksum mismatch"):
            ask()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (closed(struct.pack(">II", LONGEST + 1, 0), b""), "exceeded the maximum"),
        (closed(struct.pack(">II", 2**25 - 1, 20), b""), "exceeded the maximum|a frame of"),
        (closed(struct.pack(">II", 200_000, 150_000), b""), "exceeded the maximum"),
        (closed(struct.pack(">II", 12, 0), b""), "a frame of 12 bytes"),
        (closed(struct.pack(">II", 0, 0), b""), "damaged"),
        (closed(struct.pack(">II", 15, 0), b""), "a frame of 15 bytes"),
        (closed(struct.pack(">II", 40, 30), b"x" * 24), "a frame of 40 bytes with 30"),
        (closed(struct.pack(">II", 19, 3), b"\x01a\x63"), "a header of the unknown type 99"),
        (closed(struct.pack(">II", 18, 2), b"\x01\xff"), "damaged"),
        (closed(struct.pack(">II", 20, 4), b"\x01a\x07\x00"), "damaged"),
        (closed(struct.pack(">II", 24, 8), b"\x01a\x01\x01a\x01\x01b"), "Duplicate|damaged"),
        (frame(HEADERS, b'{"bytes":"%%%"}'), "no base64"),
    ],
)
def test_frames_that_cannot_be(data, said):
    for pieces in ([data], [data[at : at + 1] for at in range(len(data))]):
        with pytest.raises(UnreachableError, match=said):
            decode(pieces)


def test_a_frame_that_claims_too_much_is_refused_before_it_comes():
    with pytest.raises(UnreachableError):
        Frames().feed(closed(struct.pack(">II", 2**25 - 1, 0), b"")[:12])


@pytest.mark.parametrize("name", ["throttlingException", "ThrottlingException", *KINDS, "somethingNewException"])
def test_exceptions_become_errors_of_the_api(name):
    [before, event] = decode([chunk(EVENTS[0]) + exception(name, "Too many tokens")])
    assert before.name == "message_start"
    given = name[:1].lower() + name[1:]
    kind = KINDS.get(name.lower(), "api_error")
    assert event.name == "error"
    assert event.value == {"type": "error", "error": {"type": kind, "message": f"Too many tokens ({given})"}}
    assert event.raw == f"event: error\ndata: {event.data}\n\n".encode()


def test_the_kinds_that_decide_a_status():
    def kind(name):
        return decode([exception(name, "x")])[0].value["error"]["type"]

    assert kind("throttlingException") == "rate_limit_error"
    assert kind("modelTimeoutException") == kind("serviceUnavailableException") == "overloaded_error"
    assert kind("validationException") == "invalid_request_error"
    assert kind("internalServerException") == kind("modelStreamErrorException") == kind("other") == "api_error"


@pytest.mark.parametrize(
    ("headers", "payload", "error"),
    [
        (((":message-type", "error"), (":error-code", "Bad"), (":error-message", "so bad")), b"", "so bad (Bad)"),
        (((":message-type", "error"),), b"", "error"),
        (((":message-type", "exception"),), b"", "exception"),
        (((":message-type", "exception"), (":exception-type", "E")), b'{"Message":"big"}', "big (E)"),
        (((":message-type", "exception"), (":exception-type", "E")), b"no \xff JSON", "no \ufffd JSON (E)"),
        (((":message-type", "exception"), (":exception-type", "E")), b'["list"]', '["list"] (E)'),
    ],
)
def test_errors_of_every_form(headers, payload, error):
    [event] = decode([frame(headers, payload)])
    assert event.value == {"type": "error", "error": {"type": "api_error", "message": error}}


def inner(data):
    return compact({"bytes": base64.b64encode(data).decode()}).encode()


@pytest.mark.parametrize(
    ("headers", "payload", "raw"),
    [
        ((("x", "y"),), b'{"a":1}', b'data: {"a":1}\n\n'),  # no message type: an event
        (HEADERS, b'{"type":"ping"}', b'event: ping\ndata: {"type":"ping"}\n\n'),  # not wrapped
        (((":event-type", "future"),), b'{"said":1}', b'event: future\ndata: {"said":1}\n\n'),
        (((":event-type", "a\nb"),), b'{"said":1}', b'data: {"said":1}\n\n'),
        (HEADERS, inner(b'{"type":"a\\ndata: b"}'), b'data: {"type":"a\\ndata: b"}\n\n'),
        (HEADERS, inner(b'{"type":"\\ud800"}'), b'data: {"type":"\\ud800"}\n\n'),
        (HEADERS, inner(b'{"type":7}'), b'data: {"type":7}\n\n'),
        (HEADERS, inner(b'{\r\n"type":\r"x"\n}'), b'event: x\ndata: {\ndata: "type":\ndata: "x"\ndata: }\n\n'),
        (HEADERS, inner(b"no JSON \xff"), b"data: no JSON \xff\n\n"),
        (HEADERS, inner(b'{"type": "x",  "n":1.50}'), b'event: x\ndata: {"type": "x",  "n":1.50}\n\n'),  # verbatim
        (HEADERS, inner(b"[" * 100_000), b"data: " + b"[" * 100_000 + b"\n\n"),
        (HEADERS, inner(b""), b""),
        (((":event-type", "initial-response"),), b"", b""),
    ],
)
def test_odd_events_pass(headers, payload, raw):
    events = decode([frame(headers, payload)])
    assert b"".join(event.raw for event in events) == raw
    if raw:
        [again] = Stream().feed(raw)
        assert (again.name, again.data) == (events[0].name, events[0].data)


def test_a_gateway_that_writes_server_sent_events():
    for pieces in ([SSE], [SSE[at : at + 1] for at in range(len(SSE))], [b"", SSE[:7], b"", SSE[7:]]):
        assert b"".join(event.raw for event in decode(pieces)) == SSE
    frames = Frames()
    assert frames.feed(b'data: {"type":"ping"}\n\ndata: {"ty')[0].value == {"type": "ping"}
    assert frames.end() == b'data: {"ty'
    assert Frames().end() == b""


def test_without_botocore_there_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "botocore.eventstream", None)
    with pytest.raises(ConfigError, match=r"pip install 'headroom-cli\[bedrock\]'"):
        Frames().feed(STREAM)


def test_memory_stays_flat_over_a_long_stream():
    piece = b"".join(chunk({"type": "content_block_delta", "delta": {"text": "x" * 20_000}}) for _ in range(10))
    frames = Frames()
    tracemalloc.start()
    try:
        for _ in range(50):
            assert sum(len(frames.feed(piece[at : at + 4096])) for at in range(0, len(piece), 4096)) == 10
        assert tracemalloc.get_traced_memory()[1] < 2_000_000  # 13 MB went through
    finally:
        tracemalloc.stop()


def test_a_long_frame_in_small_pieces():
    payload = b'{"type":"x","text":"' + b"y" * (15 * 2**20) + b'"}'  # botocore took up to 16 MiB at first, 24 since
    data = frame(HEADERS, payload)
    [event] = decode([data[at : at + 4096] for at in range(0, len(data), 4096)])
    assert event.data == payload.decode()
