"""What may come in over HTTP/1.1: one request in is at most one out, whatever its bytes are."""

import random
import re

import pytest
from conftest import ROOT
from raw_http import Served, everything, statuses, wait_for

from headroom_cli.serve.framing import Chunks, Head, head_end
from headroom_cli.serve.options import Limits
from headroom_cli.serve.replies import RefusedError

EVIL = b"GET /evil HTTP/1.1\r\nHost: x\r\n\r\n"
VECTORS = ROOT.parent / "shared/hostile/llhttp/test/request"


def get(*fields, line=b"GET /a HTTP/1.1"):
    return b"\r\n".join((line, *fields)) + b"\r\n\r\n"


def chunked(body, *fields):
    return get(b"Host: x", b"Transfer-Encoding: chunked", *fields, line=b"POST /a HTTP/1.1") + body


def sized(*fields, body=b""):
    return get(b"Host: x", *fields, line=b"POST /a HTTP/1.1") + body


# Nothing of these reaches the application as a whole request; each is answered with 400 and the connection ends.
REFUSED = {
    "bare LF everywhere": b"GET /a HTTP/1.1\nHost: x\n\n",
    "bare LF after the line": b"GET /a HTTP/1.1\nHost: x\r\n\r\n",
    "bare LF after a field": b"GET /a HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    "bare LF at the end": b"GET /a HTTP/1.1\r\nHost: x\r\n\n",
    "bare LF first": b"\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "bare CR after the line": b"GET /a HTTP/1.1\rHost: x\r\n\r\n",
    "bare CR in a value": b"GET /a HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
    "bare CR before the end": b"GET /a HTTP/1.1\r\nHost: x\r\n\r\r\n\r\n",
    "CR CR LF": b"GET /a HTTP/1.1\r\r\nHost: x\r\n\r\n",
    "bare CR first": b"\rGET /a HTTP/1.1\r\nHost: x\r\n\r\n",
    "folded with a space": get(b"Host: x", b"A: b", b" c"),
    "folded with a tab": get(b"Host: x", b"A: b", b"\tc"),
    "folded length": get(b"Host: x", b"Content-Length:", b" 5", line=b"POST /a HTTP/1.1") + b"12345",
    "folded first field": get(b" Host: x"),
    "NUL in the target": get(b"Host: x", line=b"GET /a\x00b HTTP/1.1"),
    "NUL in a name": get(b"Host: x", b"A\x00: b"),
    "NUL in a value": get(b"Host: x", b"A: b\x00c"),
    "control byte in a value": get(b"Host: x", b"A: b\x01c"),
    "backspace in a value": get(b"Host: x", b"A: \x08"),
    "escape in a value": get(b"Host: x", b"A: \x1b[2J"),
    "DEL in a value": get(b"Host: x", b"A: \x7f"),
    "vertical tab for a space": get(b"Host: x", line=b"GET\x0b/a\x0bHTTP/1.1"),
    "two lengths": sized(b"Content-Length: 3", b"Content-Length: 4", body=b"abcd"),
    "two equal lengths": sized(b"Content-Length: 3", b"Content-Length: 3", body=b"abc"),
    "a list of lengths": sized(b"Content-Length: 3, 3", body=b"abc"),
    "a length with a plus": sized(b"Content-Length: +3", body=b"abc"),
    "a negative length": sized(b"Content-Length: -1"),
    "a length in hex": sized(b"Content-Length: 0x3", body=b"abc"),
    "a length with a point": sized(b"Content-Length: 3.0", body=b"abc"),
    "a length with an underscore": sized(b"Content-Length: 1_0", body=b"0123456789"),
    "a length in words": sized(b"Content-Length: three", body=b"abc"),
    "a length with a space inside": sized(b"Content-Length: 3 0", body=b"abc"),
    "no length": sized(b"Content-Length:"),
    "a length of other digits": sized(b"Content-Length: \xd9\xa3", body=b"abc"),
    "a length too large": sized(b"Content-Length: 18446744073709551619", body=b"abc"),
    "length and chunks": chunked(b"0\r\n\r\n", b"Content-Length: 3"),
    "length before chunks": sized(b"Content-Length: 6", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + EVIL),
    "length 0 and chunks": chunked(b"0\r\n\r\n", b"Content-Length: 0"),
    "two codings": chunked(b"0\r\n\r\n", b"Transfer-Encoding: chunked"),
    "a coding before chunked": sized(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    "a coding after chunked": sized(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
    "identity": sized(b"Transfer-Encoding: identity", body=b""),
    "chunked in quotes": sized(b'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"),
    "chunked with a parameter": sized(b"Transfer-Encoding: chunked;a=b", body=b"0\r\n\r\n"),
    "xchunked": sized(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "chunked with a vertical tab": sized(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
    "chunked with a no-break space": sized(b"Transfer-Encoding: \xa0chunked", body=b"0\r\n\r\n"),
    "an empty coding": sized(b"Transfer-Encoding:", body=b"0\r\n\r\n"),
    "chunks in HTTP/1.0": get(b"Host: x", b"Transfer-Encoding: chunked", line=b"POST /a HTTP/1.0") + b"0\r\n\r\n",
    "two hosts": get(b"Host: x", b"Host: x"),
    "two hosts, other case": get(b"Host: x", b"hOST: y"),
    "no host": get(b"A: b"),
    "no fields": b"GET /a HTTP/1.1\r\n\r\n",
    "space before a colon": get(b"Host : x"),
    "tab before a colon": get(b"Host: x", b"Content-Length\t: 3"),
    "space before the coding's colon": sized(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"),
    "no colon": get(b"Host: x", b"nothing"),
    "no name": get(b"Host: x", b": b"),
    "a name with a space": get(b"Host: x", b"A B: c"),
    "a name with a slash": get(b"Host: x", b"A/B: c"),
    "a name with a letter outside ASCII": get(b"Host: x", b"\xc3\x84: c"),
    "HTTP/2.0": get(b"Host: x", line=b"GET /a HTTP/2.0"),
    "HTTP/1.2": get(b"Host: x", line=b"GET /a HTTP/1.2"),
    "HTTP/0.9": get(b"Host: x", line=b"GET /a HTTP/0.9"),
    "HTTP/1.10": get(b"Host: x", line=b"GET /a HTTP/1.10"),
    "HTTP/01.1": get(b"Host: x", line=b"GET /a HTTP/01.1"),
    "http/1.1": get(b"Host: x", line=b"GET /a http/1.1"),
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a version with a space behind": get(b"Host: x", line=b"GET /a HTTP/1.1 "),
    "no version": get(b"Host: x", line=b"GET /a"),
    "two spaces": get(b"Host: x", line=b"GET  /a HTTP/1.1"),
    "a tab": get(b"Host: x", line=b"GET\t/a HTTP/1.1"),
    "a space in the target": get(b"Host: x", line=b"GET /a b HTTP/1.1"),
    "a space first": get(b"Host: x", line=b" GET /a HTTP/1.1"),
    "a target outside ASCII": get(b"Host: x", line=b"GET /\xc3\xa4 HTTP/1.1"),
    "a fragment": get(b"Host: x", line=b"GET /a#b HTTP/1.1"),
    "an asterisk": get(b"Host: x", line=b"OPTIONS * HTTP/1.1"),
    "a target that is no path": get(b"Host: x", line=b"GET a HTTP/1.1"),
    "a target with another scheme": get(b"Host: x", line=b"GET file:///etc/passwd HTTP/1.1"),
    "another authority": get(b"Host: x", line=b"GET http://y/a HTTP/1.1"),
    "another port": get(b"Host: x:1", line=b"GET http://x:2/a HTTP/1.1"),
    "a user before the authority": get(b"Host: x", line=b"GET http://y@x/a HTTP/1.1"),
    "a backslash in the authority": get(b"Host: x", line=b"GET http://x\\y/a HTTP/1.1"),
    "CONNECT": get(b"Host: x:443", line=b"CONNECT x:443 HTTP/1.1"),
    "CONNECT to a path": get(b"Host: x", line=b"CONNECT /a HTTP/1.1"),
    "an unknown method": get(b"Host: x", line=b"SMUGGLE /a HTTP/1.1"),
    "a method in small letters": get(b"Host: x", line=b"get /a HTTP/1.1"),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "a chunk in words": chunked(b"five\r\nhello\r\n0\r\n\r\n"),
    "a chunk with 0x": chunked(b"0x5\r\nhello\r\n0\r\n\r\n"),
    "a chunk with a minus": chunked(b"-5\r\nhello\r\n0\r\n\r\n"),
    "a chunk with a plus": chunked(b"+5\r\nhello\r\n0\r\n\r\n"),
    "a chunk with a space": chunked(b"5 \r\nhello\r\n0\r\n\r\n"),
    "a chunk with a space first": chunked(b" 5\r\nhello\r\n0\r\n\r\n"),
    "a chunk without a size": chunked(b"\r\nhello\r\n0\r\n\r\n"),
    "a chunk with LF": chunked(b"5\nhello\r\n0\r\n\r\n"),
    "a chunk with CR": chunked(b"5\rhello\r\n0\r\n\r\n"),
    "a chunk too long": chunked(b"4\r\nhello\r\n0\r\n\r\n"),
    "a chunk that ends in LF": chunked(b"5\r\nhello\n0\r\n\r\n"),
    "a chunk that ends in two other bytes": chunked(b"5\r\nhelloXX0\r\n\r\n"),
    "a chunk as large as memory": chunked(b"fffffffffffffff0\r\nhello\r\n0\r\n\r\n"),
    "a chunk that wraps around": chunked(b"100000000000000005\r\nhello\r\n0\r\n\r\n"),
    "an extension with LF": chunked(b"5;a\nhello\r\n0\r\n\r\n" + EVIL),
    "an extension without a name": chunked(b"5;\r\nhello\r\n0\r\n\r\n"),
    "an extension without a value": chunked(b"5;a=\r\nhello\r\n0\r\n\r\n"),
    "an extension with an open quote": chunked(b'5;a="b\r\nhello\r\n0\r\n\r\n'),
    "an extension with a space": chunked(b"5 ;a=b\r\nhello\r\n0\r\n\r\n"),
    "an extension that is too long": chunked(b"5;" + b"a" * 300 + b"\r\nhello\r\n0\r\n\r\n"),
    "a trailer without a colon": chunked(b"0\r\nnothing\r\n\r\n"),
    "a trailer that is folded": chunked(b"0\r\nA: b\r\n c\r\n\r\n"),
    "a trailer with LF": chunked(b"0\r\nA: b\n\r\n"),
    "a trailer with a control byte": chunked(b"0\r\nA: \x00\r\n\r\n"),
    "a length in the trailer": chunked(b"0\r\nContent-Length: 5\r\n\r\n"),
    "a coding in the trailer": chunked(b"0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "a host in the trailer": chunked(b"0\r\nHost: y\r\n\r\n"),
    "a token in the trailer": chunked(b"0\r\nX-API-Key: y\r\n\r\n"),
    "an end with LF": chunked(b"0\r\n\n"),
    "a body for a WebSocket": get(
        b"Host: x", b"Connection: Upgrade", b"Upgrade: websocket", b"Content-Length: %d" % len(EVIL)
    ),
}  # fmt: skip

# These are requests; what reaches the application is (method, path, query, body).
TAKEN = {
    "a GET": (get(b"Host: x"), ("GET", "/a", b"", b"")),
    "empty lines first": (b"\r\n\r\n" + get(b"Host: x"), ("GET", "/a", b"", b"")),
    "an absolute target": (get(b"Host: x", line=b"GET http://X/a?b HTTP/1.1"), ("GET", "/a", b"b", b"")),
    "an absolute target without a path": (get(b"Host: x", line=b"GET http://x HTTP/1.1"), ("GET", "/", b"", b"")),
    "an absolute target with a query": (get(b"Host: x", line=b"GET http://x?b HTTP/1.1"), ("GET", "/", b"b", b"")),
    "two slashes": (get(b"Host: x", line=b"GET //y/a HTTP/1.1"), ("GET", "//y/a", b"", b"")),
    "a length": (sized(b"Content-Length: 3", body=b"abc"), ("POST", "/a", b"", b"abc")),
    "a length with zeros": (sized(b"Content-Length: 003", body=b"abc"), ("POST", "/a", b"", b"abc")),
    "a length of 0": (sized(b"Content-Length: 0"), ("POST", "/a", b"", b"")),
    "a body that looks like a request": (
        sized(b"Content-Length: %d" % len(EVIL), body=EVIL), ("POST", "/a", b"", EVIL)),
    "a GET with a body": (get(b"Host: x", b"Content-Length: %d" % len(EVIL)) + EVIL, ("GET", "/a", b"", EVIL)),
    "chunks": (chunked(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), ("POST", "/a", b"", b"hello world")),
    "chunks in capitals": (
        get(b"HOST: x", b"TRANSFER-ENCODING: CHUNKED", line=b"POST /a HTTP/1.1") + b"A\r\n0123456789\r\n0\r\n\r\n",
        ("POST", "/a", b"", b"0123456789")),
    "extensions": (
        chunked(b'5;a;b=c;d="e;f\\"\t"\r\nhello\r\n0;z\r\n\r\n'), ("POST", "/a", b"", b"hello")),
    "zeros in a chunk": (chunked(b"00000005\r\nhello\r\n000\r\n\r\n"), ("POST", "/a", b"", b"hello")),
    "a trailer": (chunked(b"0\r\nA: b\r\nDigest: c\r\n\r\n"), ("POST", "/a", b"", b"")),
    "a chunk that looks like the end": (chunked(b"5\r\n0\r\n\r\n\r\n0\r\n\r\n"), ("POST", "/a", b"", b"0\r\n\r\n")),
    "another upgrade": (
        get(b"Host: x", b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Length: %d" % len(EVIL)) + EVIL,
        ("GET", "/a", b"", EVIL)),
    "two upgrades": (
        get(b"Host: x", b"Connection: Upgrade", b"Upgrade: websocket, h2c", b"Content-Length: 3") + b"abc",
        ("GET", "/a", b"", b"abc")),
    "a WebSocket by POST": (
        sized(b"Connection: Upgrade", b"Upgrade: websocket", b"Content-Length: 3", body=b"abc"),
        ("POST", "/a", b"", b"abc")),
    "a value outside ASCII": (get(b"Host: x", b"A: \xc3\xa4"), ("GET", "/a", b"", b"")),
    "an empty value": (get(b"Host: x", b"A:"), ("GET", "/a", b"", b"")),
}  # fmt: skip


@pytest.fixture(scope="module")
def served():
    with Served() as server:
        yield server


def arrived(served):
    """Return what the connection that spoke last sent: what came whole, and the paths of all that came."""
    whole = [
        (seen.method, seen.path, seen.query, seen.body) for seen in served.whole if seen.client == served.last
    ]  # fmt: skip
    return whole, [seen.path for seen in served.requests if seen.client == served.last]


@pytest.mark.parametrize("how", ["at once", "byte by byte"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_answered_once_and_goes_nowhere(served, name, how):
    raw = REFUSED[name] + EVIL
    pieces = [raw] if how == "at once" else [raw[at : at + 1] for at in range(len(raw))]
    answer = served.say(*pieces)
    whole, paths = arrived(served)
    assert (whole, served.sockets) == ([], [])
    assert len(paths) <= 1
    assert "/evil" not in paths
    assert statuses(answer) == [400], answer
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\nconnection: close" in head
    assert b"content-length: %d\r\n" % len(body) in head + b"\r\n"
    assert body.startswith(b'{"error": {')


def test_there_are_enough_shapes():
    assert len(REFUSED) >= 60


@pytest.mark.parametrize("how", ["at once", "byte by byte", "before another"])
@pytest.mark.parametrize("name", TAKEN)
def test_what_is_right_arrives_once_and_as_it_was_meant(served, name, how):
    raw, expected = TAKEN[name]
    last = get(b"Host: x", b"Connection: close", line=b"GET /last HTTP/1.1")
    if how == "before another":
        raw += raw
    pieces = [raw + last] if how != "byte by byte" else [bytes([byte]) for byte in raw + last]
    answer = served.say(*pieces)
    whole, _ = arrived(served)
    times = 2 if how == "before another" else 1
    assert whole == [expected] * times + [("GET", "/last", b"", b"")]
    assert statuses(answer) == [200] * (times + 1)


def test_an_upgrade_that_is_not_made_is_not_seen(served):
    served.say(get(b"Host: x", b"Connection: close, Upgrade", b"Upgrade: h2c", b"A:  b \t"))
    seen = served.requests[-1]
    assert seen.get(b"upgrade") == []
    assert seen.get(b"a") == [b"b"]


def test_trailers_do_not_become_headers(served):
    served.say(chunked(b"0\r\nX-Late: y\r\n\r\n" + get(b"Host: x", b"Connection: close")))
    seen = next(seen for seen in served.requests if seen.client == served.last)
    assert seen.method == "POST"
    assert seen.get(b"x-late") == []


def test_nothing_counts_behind_a_request_that_closes(served):
    for line, field in ((b"GET /a HTTP/1.1", b"Connection: close"), (b"GET /a HTTP/1.0", b"A: b")):
        answer = served.say(get(b"Host: x", field, line=line) + EVIL)
        _, paths = arrived(served)
        assert paths == ["/a"]
        assert statuses(answer) == [200]


def test_http_1_0_needs_no_host_here(served):
    assert statuses(served.say(b"GET /a HTTP/1.0\r\n\r\n")) == [200]


def test_what_is_wrong_behind_an_answer_in_the_works_waits_for_it():
    with Served() as served, served.connect() as connection:
        connection.sendall(get(b"Host: x", line=b"GET /slow HTTP/1.1") + b"NONSENSE\r\n\r\n" + EVIL)
        begun = everything(connection, until=b"begin ")
        assert statuses(begun) == [200]
        served.release.set()
        rest = everything(connection)
        first, _, second = rest.partition(b"0\r\n\r\n")
        assert first == b"\r\n3\r\nend\r\n" or first.endswith(b"3\r\nend\r\n")
        assert statuses(second) == [400]
        assert [seen.path for seen in served.requests] == ["/slow"]


def test_a_body_that_turns_wrong_ends_its_own_answer():
    with Served() as served, served.connect() as connection:
        connection.sendall(chunked(b"5\r\nhello\r\n"))
        wait_for(lambda: served.requests)
        connection.sendall(b"nonsense\r\n")
        assert statuses(everything(connection)) == [400]
        assert served.whole == []


def test_a_thousand_requests_at_once_get_their_own_answers():
    with Served() as served, served.connect() as connection:
        shapes = (
            lambda n: get(b"Host: x", line=b"GET /%d HTTP/1.1" % n),
            lambda n: get(b"Host: x", b"Content-Length: 4", line=b"POST /%d HTTP/1.1" % n) + b"%04d" % n,
            lambda n: get(b"Host: x", b"Transfer-Encoding: chunked", line=b"POST /%d HTTP/1.1" % n)
            + b"4\r\n%04d\r\n0\r\n\r\n" % n,
        )  # fmt: skip
        choose = random.Random(7)
        raw = b"".join(choose.choice(shapes)(n) for n in range(1000))
        raw += get(b"Host: x", b"Connection: close", line=b"GET /last HTTP/1.1")
        at = 0
        while at < len(raw):
            size = choose.choice((1, 10, 1000, 50000))
            connection.sendall(raw[at : at + size])
            at += size
        answer = everything(connection)
        paths = re.findall(rb"\r\n\r\n/(\d+) (\d*)HTTP", answer)
        assert [int(path) for path, _ in paths] == list(range(1000))
        assert all(body in (b"", b"%04d" % int(path)) for path, body in paths)
        assert len(served.whole) == 1001


# --- every split, without a network


def cut(raw, splits, limits):
    """Read one request that comes in pieces; return (head as given on, body as given on, what is left)."""
    buffer, seen, head, body, at = bytearray(), 0, None, b"", 0
    chunks = None
    for stop in (*splits, len(raw)):
        buffer += raw[at:stop]
        at = stop
        if head is None:
            end = head_end(buffer, seen, limits)
            seen = len(buffer)
            if end < 0:
                continue
            head = Head(bytes(buffer[:end]), limits)
            del buffer[:end]
            chunks = Chunks(limits) if head.chunked else None
        if chunks is not None and not chunks.over:
            wire, taken = chunks.take(bytes(buffer))
            body += wire
            del buffer[:taken]
        elif chunks is None:
            want = head.length - len(body)
            body += buffer[:want]
            del buffer[:want]
    return (head.wire, body, bytes(buffer)) if head is not None else None


def outcome(raw, splits, limits):
    try:
        return cut(raw, splits, limits)
    except RefusedError as error:
        return error.status


@pytest.mark.parametrize("name", [*REFUSED, *TAKEN])
def test_where_the_bytes_are_split_changes_nothing(name):
    limits = Limits()
    raw = (REFUSED[name] if name in REFUSED else TAKEN[name][0]).lstrip(b"\r\n" if name in TAKEN else b"")
    expected = outcome(raw, (), limits)
    assert expected is not None
    for first in range(1, len(raw)):
        assert outcome(raw, (first,), limits) == expected, first
    assert outcome(raw, range(1, len(raw)), limits) == expected


# --- the vectors of llhttp


def vectors():
    """Return (name, bytes, whether it is about a lenient mode, the events that are expected) of each."""
    found = []
    for path in sorted(VECTORS.glob("*.md")):
        for section in re.split(r"^##+ ", path.read_text(), flags=re.MULTILINE)[1:]:
            title = section.partition("\n")[0]
            pattern = r"<!-- meta=([^\n]*) -->\s*^```http\n(.*?)\n```\n.*?^```log\n(.*?)```"
            case = re.search(pattern, section, re.DOTALL | re.MULTILINE)
            if case is None:
                assert "```http" not in section, title
                continue
            meta, source, log = case.groups()
            raw = re.sub(r"\\\n", "", source).replace("\n", "\r\n")
            raw = raw.replace("\\r", "\r").replace("\\n", "\n").replace("\\t", "\t").replace("\\f", "\f")
            raw = re.sub(r"\\x([0-9a-fA-F]{2})", lambda match: chr(int(match[1], 16)), raw)
            found.append((f"{path.stem}: {title}", raw.encode("latin-1", "replace"), "lenient" in meta, log))
    return found


@pytest.mark.skipif(not VECTORS.is_dir(), reason="no corpus beside this checkout")
def test_the_vectors_of_llhttp_never_become_more_requests_than_they_are():
    cases = []
    for name, raw, lenient, log in vectors():
        whole = log.split("error code")[0].count("message complete")
        cases.append((name, raw, lenient, log, whole))
        first, line_end, rest = raw.partition(b"\r\n")
        if b"\nhost:" not in raw.lower():  # most have none, and would be refused for that alone
            cases.append((name + " (with a host)", first + line_end + b"Host: x\r\n" + rest, lenient, log, whole))
    assert len([case for case in cases if "(with a host)" not in case[0]]) >= 150
    taken = refused = 0
    with Served(Limits(head_seconds=2.0), timeout_keep_alive=1) as served:
        connections = [served.connect() for _ in cases]
        for connection, (_, raw, *_) in zip(connections, cases, strict=True):
            connection.sendall(raw)
        ports = [connection.getsockname()[1] for connection in connections]
        answers = [everything(connection) for connection in connections]
        for connection in connections:
            connection.close()
        for port, answer, (name, _, lenient, log, expected) in zip(ports, answers, cases, strict=True):
            came = [seen for seen in served.whole if seen.client == port]
            assert len(came) <= expected, (name, [seen.path for seen in came])
            assert set(statuses(answer)) <= {100, 200, 400, 408}, (name, answer)
            assert len([status for status in statuses(answer) if status >= 400]) <= 1, (name, answer)
            if "error code" in log and not lenient:
                assert len(came) == 0 or expected, name
                refused += 400 in statuses(answer)
            for seen in came:
                assert seen.method in re.findall(r'span\[method\]="([^"]*)"', log), name
            taken += bool(came)
    # Neither is nothing tested: many of both kinds went the way they should.
    assert taken >= 40, taken
    assert refused >= 60, refused
