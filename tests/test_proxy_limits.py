"""How large and how slow a request may be, and what becomes of a connection afterwards."""

import base64
import contextlib
import threading
import time

import pytest
from raw_http import Served, everything, statuses, wait_for

from headroom_cli.serve.options import Limits

PLAIN = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
KEY = base64.b64encode(b"sixteen bytes ok").decode()
SOCKET = f"""HTTP/1.1
Host: x
Connection: keep-alive, Upgrade
Upgrade: WebSocket
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: {KEY}

""".replace("\n", "\r\n").encode()


def post(path, *fields):
    return b"\r\n".join((b"POST %s HTTP/1.1" % path, b"Host: x", *fields)) + b"\r\n\r\n"


@pytest.fixture(scope="module")
def served():
    """A server that nothing is too slow for: what ends here was ended for another reason."""
    with Served(Limits(head_seconds=1000.0)) as server:
        yield server


@pytest.fixture
def quick():
    """A server with little patience."""
    with Served(Limits(head_seconds=0.4, body_rate=1000.0), timeout_keep_alive=60) as server:
        yield server


def drip(connection, piece, times=300):
    """Send a piece again and again until the other side has had enough."""
    connection.settimeout(0.03)
    got = b""
    for _ in range(times):
        with contextlib.suppress(TimeoutError):
            try:
                connection.sendall(piece)
                more = connection.recv(65536)
            except (BrokenPipeError, ConnectionResetError):
                break
            got += more
            if not more:
                break
    else:
        pytest.fail("it had endless patience")
    return got


def padded(size):
    """Return a request whose head has that many bytes."""
    start = b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nA: "
    return start + b"a" * (size - len(start) - 4) + b"\r\n\r\n"


@pytest.mark.parametrize("pieces", [1, 7])
def test_a_head_may_have_so_many_bytes(served, pieces):
    limit = Limits().head
    for raw, status in ((padded(limit), 200), (padded(limit + 1), 431)):
        cuts = [raw[len(raw) * at // pieces : len(raw) * (at + 1) // pieces] for at in range(pieces)]
        assert statuses(served.say(*cuts)) == [status]


def test_a_head_that_never_ends_is_not_read_to_its_end(served):
    assert statuses(served.say(b"GET /" + b"a" * 40_000)) == [431]
    assert statuses(served.say(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10_000)) == [431]
    assert statuses(served.say(b"A" * 1_000_000)) == [431]


def test_a_head_may_have_so_many_fields(served):
    for more, status in ((98, 200), (99, 431)):
        fields = b"".join(b"A%d: b\r\n" % n for n in range(more))
        raw = b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + b"\r\n"
        assert statuses(served.say(raw)) == [status]


def test_trailers_and_extensions_are_no_place_for_more(served):
    start = post(b"/a", b"Transfer-Encoding: chunked")
    trailers = b"".join(b"A%d: %b\r\n" % (n, b"b" * 1000) for n in range(40))
    assert statuses(served.say(start + b"0\r\n" + trailers)) == [431]
    assert statuses(served.say(start + b"1;%b\r\na\r\n" % (b"a" * 200) * 400)) == [431]


def test_who_says_nothing_is_hung_up_on(quick):
    with quick.connect() as connection:
        began = time.monotonic()
        assert everything(connection) == b""
        assert time.monotonic() - began >= 0.25


def test_a_slow_head_is_answered_408(quick):
    with quick.connect() as connection:
        began = time.monotonic()
        connection.sendall(b"GET / HTTP/1.1\r\nA: ")
        answer = drip(connection, b"b")
        assert time.monotonic() - began >= 0.25
        assert statuses(answer) == [408]
        assert quick.requests == []


def test_empty_lines_are_no_way_to_stay(quick):
    with quick.connect() as connection:
        assert statuses(drip(connection, b"\r\n")) in ([], [408])
    with quick.connect() as connection:
        connection.sendall(PLAIN)
        everything(connection, until=b"/a ")
        assert statuses(drip(connection, b"\r\n")) in ([], [408])


def test_an_idle_connection_is_closed():
    served = Served(Limits(head_seconds=1000.0), timeout_keep_alive=1)
    with served, served.connect() as first, served.connect() as second, served.connect() as busy:
        busy.sendall(PLAIN + b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        everything(busy, until=b"begin")
        first.sendall(PLAIN)
        second.sendall(post(b"/early", b"Content-Length: 3"))
        everything(second, until=b"early")
        second.sendall(b"abc")  # its answer came before its end
        assert statuses(everything(first)) == [200]
        assert everything(second) == b""
        time.sleep(0.3)
        served.release.set()
        assert b"end" in everything(busy, until=b"end")  # the one with an answer in the works is not idle


@pytest.mark.parametrize("framing", [b"Content-Length: 100000", b"Transfer-Encoding: chunked"])
def test_a_slow_body_is_answered_408(quick, framing):
    with quick.connect() as connection:
        connection.sendall(post(b"/a", framing))
        piece = b"a" if b"Length" in framing else b"1\r\na\r\n"
        assert statuses(drip(connection, piece)) == [408]
    assert quick.whole == []
    wait_for(lambda: quick.gone == ["/a"])


def test_a_body_that_stops_is_answered_408(quick):
    with quick.connect() as connection:
        connection.sendall(post(b"/a", b"Content-Length: 100000") + b"a" * 500)
        assert statuses(everything(connection)) == [408]


def test_a_body_that_we_do_not_read_is_not_slow():
    body = b"a" * 8_000_000
    with Served(Limits(head_seconds=0.3, body_rate=500_000.0)) as served, served.connect() as connection:
        sender = threading.Thread(
            target=connection.sendall, args=(post(b"/unread", b"Content-Length: %d" % len(body)) + body + LAST,)
        )
        sender.start()
        time.sleep(1.2)
        assert sender.is_alive(), "all of it was taken: nothing was tested"
        served.release.set()
        assert statuses(everything(connection)) == [200, 200]
        sender.join()
        assert served.whole[0].body == body


def test_an_old_client_is_not_told_to_go_on(served):
    raw = b"POST /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"
    assert statuses(served.say(raw)) == [200]


def test_what_may_wait_is_not_hurried():
    """Who is idle between requests, who waits for the word to go on, and who has become a WebSocket."""
    from websockets.sync.client import connect

    with Served(Limits(head_seconds=1.2, body_rate=1000.0), timeout_keep_alive=60) as served:
        url = f"ws://127.0.0.1:{served.port}/v1/responses?a=b"
        with served.connect() as idle, served.connect() as asking, connect(url, proxy=None) as client:
            idle.sendall(PLAIN)
            assert everything(idle, until=b"/a ").endswith(b"/a ")
            asking.sendall(post(b"/unread", b"Content-Length: 3", b"Expect: 100-continue"))
            client.send("one")
            assert client.recv() == "heard one"

            time.sleep(1.7)  # more than a head may take, and a body that was asked for

            served.release.set()
            assert statuses(everything(asking, until=b"\r\n\r\n")) == [100]
            asking.sendall(b"abc" + LAST)
            assert statuses(everything(asking)) == [200, 200]
            assert [seen.body for seen in served.whole if seen.path == "/unread"] == [b"abc"]
            client.send("x" * 200_000)
            assert client.recv() == "heard " + "x" * 200_000
            idle.sendall(PLAIN)
            assert everything(idle, until=b"/a ").endswith(b"/a ")
            idle.sendall(b"GET ")  # a later head has no more time than the first
            assert statuses(everything(idle)) == [408]
        (seen,) = served.sockets
        assert (seen.path, seen.query) == ("/v1/responses", b"a=b")
        wait_for(lambda: not served.server.server_state.connections)


# --- answers before the end of the request


def test_a_connection_goes_on_behind_a_body_that_nobody_wanted(served):
    answer = served.say(post(b"/early", b"Content-Length: 100000"), b"a" * 50_000, b"a" * 50_000 + LAST)
    assert statuses(answer) == [200, 200]
    assert answer.endswith(b"/last ")


@pytest.mark.parametrize("framing", [b"Content-Length: 100000000", b"Transfer-Encoding: chunked"])
def test_but_not_behind_one_that_is_too_large(served, framing):
    with served.connect() as connection:
        connection.sendall(post(b"/early", framing))
        answer = everything(connection, until=b"early")
        if b"chunked" in framing:
            drip(connection, b"10000\r\n" + b"a" * 65536 + b"\r\n")
        else:
            assert everything(connection) == b""
        assert statuses(answer) == [200]


def test_nor_where_nobody_knows_whether_it_will_come(served):
    """Who was answered without being told to go on may send its body or its next request."""
    with served.connect() as connection:
        connection.sendall(post(b"/early", b"Content-Length: %d" % len(PLAIN), b"Expect: 100-continue"))
        assert everything(connection, until=b"early").endswith(b"early")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(PLAIN + LAST)
        assert everything(connection) == b""


def test_a_body_that_nobody_wanted_may_not_stop_for_ever(quick):
    with quick.connect() as connection:
        connection.sendall(post(b"/early", b"Content-Length: 1000") + b"a")
        assert statuses(everything(connection)) == [200]


def test_an_answer_that_closes_reaches_who_is_still_sending(served):
    def whole():
        with served.connect() as connection:
            connection.sendall(post(b"/refuse", b"Content-Length: 3000000") + b"a" * 1000)
            assert everything(connection).endswith(b"refused")
            try:
                for _ in range(10):
                    connection.sendall(b"a" * 1000)  # had it been closed, this would break off
                    time.sleep(0.01)
            except (BrokenPipeError, ConnectionResetError):
                return False
            return True

    assert any(whole() for _ in range(5))  # a busy machine may take longer than the second there is


def test_who_goes_away_is_noticed_also_with_more_requests_behind(served):
    with served.connect() as connection:
        connection.sendall(b"GET /watch HTTP/1.1\r\nHost: x\r\n\r\n" + PLAIN * 50)
        wait_for(lambda: any(seen.path == "/watch" for seen in served.requests))
    wait_for(lambda: "/watch" in served.gone)


def test_what_comes_behind_a_request_in_the_works_is_not_hoarded():
    """Were it read, all of it would be taken at once."""
    flood = PLAIN * 1_000_000
    with Served() as served, served.connect() as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.setblocking(False)
        at = 0
        for _ in range(40):
            with contextlib.suppress(BlockingIOError):
                while at < len(flood):
                    at += connection.send(flood[at : at + 1_000_000])
            time.sleep(0.01)
    assert at < len(flood), "it was all taken"


# --- many


def test_half_open_connections_keep_nobody_out_and_end():
    with Served(Limits(head_seconds=1.2)) as served:
        waiting = []
        for half in (b"GET / HTTP/1.1\r\nHost: x\r\n", post(b"/slow", b"Content-Length: 1000")) * 100:
            waiting.append(served.connect())
            waiting[-1].sendall(half)
        for _ in range(20):
            assert statuses(served.say(LAST)) == [200]
        for connection in waiting:
            with connection:
                assert statuses(everything(connection)) == [408]
        wait_for(lambda: not served.server.server_state.connections)
        wait_for(lambda: not served.server.server_state.tasks)


# --- WebSockets


def test_a_websocket_may_come_behind_requests(served):
    with served.connect() as connection:
        connection.sendall(PLAIN + b"GET /socket " + SOCKET)
        answer = everything(connection, until=b"Sec-WebSocket-Accept")
        assert statuses(answer) == [200, 101]
    assert served.sockets[-1].path == "/socket"


def test_a_websocket_that_is_refused_is_no_request_either(served):
    assert statuses(served.say(b"GET /refused " + SOCKET)) == [403]
    assert all(seen.path != "/refused" for seen in served.requests)


def test_nothing_may_come_before_a_websocket_is_open(served):
    before = len(served.sockets)
    assert statuses(served.say(b"GET /socket " + SOCKET + PLAIN)) == [400]
    assert len(served.sockets) == before


def test_connections_leave_nothing_behind(served):
    wait_for(lambda: not served.server.server_state.connections)
    assert not served.server.server_state.tasks
