"""Server-sent events: the standard's rules, any split, and every byte given back."""

import itertools
import json
import time

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom_cli.wire._sse import Stream

SHARED = ROOT.parent / "shared" / "hostile" / "own-generated" / "sse_vectors.json"

# name: (bytes, [(event's name or "message", data)])
VECTORS = {
    "nothing": (b"", []),
    "line ends of all three kinds": (b"data: 1\n\ndata: 2\r\n\r\ndata: 3\r\r", [("", "1"), ("", "2"), ("", "3")]),
    "kinds mixed in one event": (b"event: e\rdata: 1\r\ndata: 2\ndata: 3\r\r\n", [("e", "1\n2\n3")]),
    "a mark at the start alone": (b"\xef\xbb\xbfdata: 1\n\n\xef\xbb\xbfdata: 2\n\n", [("", "1")]),
    "comments": (b": one\n\n: two\ndata: 1\n:\n\n:\n", [("", "1")]),
    "one space goes, the second stays": (b"data:1\n\ndata: 2\n\ndata:  3\n\n", [("", "1"), ("", "2"), ("", " 3")]),
    "a field without a colon": (b"data\n\ndata\ndata\n\n", [("", ""), ("", "\n")]),
    "a name without data is forgotten": (b"event: lost\n\ndata: 1\n\n", [("", "1")]),
    "the last name holds": (b"event: a\nevent: b\ndata: 1\n\n", [("b", "1")]),
    "ids and retries": (b"id: 7\nretry: 10\ndata: 1\n\nid\n\nretry: x\n\n", [("", "1")]),
    "unknown fields, and fields in capitals": (b"DATA: 1\ndate: 2\ndata : 3\ndata: 4\n\n", [("", "4")]),
    "an unfinished event is none": (b"data: 1\n\ndata: 2\n", [("", "1")]),
    "blank lines": (b"\n\n\r\n\rdata: 1\n\n\n\n", [("", "1")]),
    "characters of several bytes": ("data: é日🎉\n\nevent: ü\ndata: \n\n".encode(), [("", "é日🎉"), ("ü", "")]),
    "bytes that are no text": (b"data: a\xff\xe6\x97b\n\n", [("", "a��b")]),
    "other line separators are none": ("data: 1\x0b2\x0c3\x1c4\x1d5\x1e6\x857\u20288\n\n".encode(), [
        ("", "1\x0b2\x0c3\x1c4\x1d5\x1e6\x857\u20288")]),
    "zero bytes": (b"data: a\x00b\n\n", [("", "a\x00b")]),
    "not JSON": (b"data: [DONE]\n\n", [("", "[DONE]")]),
    "a long line": (b"data: " + b"x" * 3000 + b"\n\n", [("", "x" * 3000)]),
}  # fmt: skip


def read(*pieces):
    """Feed pieces; return the events that have data, after checking that no byte is lost or moved."""
    stream = Stream()
    events = [event for piece in pieces for event in stream.feed(piece)]
    assert b"".join(event.raw for event in events) + stream.end() == b"".join(pieces)
    return [(event.name, event.data) for event in events if event.data is not None]


def every_split(data):
    yield (data,)
    yield tuple(data[i : i + 1] for i in range(len(data)))
    yield from ((data[:i], b"", data[i:]) for i in range(0, len(data) + 1, 1 if len(data) < 5000 else len(data) // 97))


@pytest.mark.parametrize(("data", "events"), VECTORS.values(), ids=VECTORS)
def test_events_are_those_of_the_standard_however_the_bytes_come(data, events):
    for pieces in every_split(data):
        assert read(*pieces) == events


def test_all_shared_vectors_hold():
    if not SHARED.exists():
        pytest.skip("the shared vectors are not beside this checkout")
    vectors = json.loads(SHARED.read_text())
    assert len(vectors) == 28
    for vector in vectors:
        if vector["hex"] is None:
            assert vector["name"] == "1MiB_line"
            data, events = b"data: " + b"x" * 2**20 + b"\n\n", [("", "x" * 2**20)]
        else:
            data = bytes.fromhex(vector["hex"])
            events = [("" if name == "message" else name, text) for name, text, _ in vector["events"]]
        for pieces in every_split(data):
            assert read(*pieces) == events, vector["name"]


def by_the_standard(data):
    """Read a whole stream the plain way."""
    text = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    found, name, lines = [], b"", []
    for line in text.split(b"\n")[:-1]:
        if line:
            field, _, value = line.partition(b":")
            value = value[1:] if value[:1] == b" " else value
            name = value if field == b"event" else name
            lines += [value] if field == b"data" else []
        else:
            if lines:
                found.append((name.decode("utf-8", "replace"), b"\n".join(lines).decode("utf-8", "replace")))
            name, lines = b"", []
    return found


PARTS = (
    b"data",
    b"event",
    b":",
    b" ",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"x",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\0",
    b"id",
    b"{}",
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=40).map(b"".join), st.lists(st.integers(0, 120), max_size=5))
def test_any_bytes_in_any_pieces(data, cuts):
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    assert read(*(data[a:b] for a, b in itertools.pairwise(places))) == by_the_standard(data)


def test_an_event_goes_out_with_its_last_byte():
    stream = Stream()
    assert stream.feed(b"data: 1\n") == []
    assert [event.data for event in stream.feed(b"\n")] == ["1"]
    # A lone CR may end a line: whether an LF follows is not waited for, and it does not wait either.
    assert [event.data for event in stream.feed(b"data: 2\r\n\r")] == ["2"]
    assert [(event.raw, event.data) for event in stream.feed(b"\n")] == [(b"\n", None)]
    assert stream.end() == b""


def test_comments_are_events_without_data():
    events = Stream().feed(b": OPENROUTER PROCESSING\n\nevent: ping\n\n")
    assert [(event.raw, event.data) for event in events] == [
        (b": OPENROUTER PROCESSING\n\n", None),
        (b"event: ping\n\n", None),
    ]
    assert events[1].name == "ping"


def test_time_is_linear_in_the_bytes():
    began = time.monotonic()
    many = b"event: e\ndata: 0123456789\n\n" * 8_000
    assert len(read(*(many[i : i + 1] for i in range(len(many))))) == 8_000
    piece = b"x" * 65536
    stream = Stream()
    assert not stream.feed(b"data: ")
    for _ in range(16 * 24):
        assert not stream.feed(piece)
    (event,) = stream.feed(b"\n\n")
    assert len(event.data) == 24 << 20
    one_byte_each = b"data: " + b"x" * 500_000 + b"\n\n"
    assert read(*(one_byte_each[i : i + 1] for i in range(len(one_byte_each)))) == [("", "x" * 500_000)]
    assert time.monotonic() - began < 20  # seconds; quadratic would be minutes
