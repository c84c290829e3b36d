"""WebSockets through the proxy: every message both ways, unchanged and in order, and why a connection ended."""

import asyncio
import contextlib
import json
import socket
import threading
import time

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("uvicorn")
pytest.importorskip("websockets")

import aiohttp
import uvicorn
from aiohttp import web
from provider import Provider, Reply, text
from proxies import Running
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI
from websockets.sync.client import connect

from headroom_cli.serve import websocket
from headroom_cli.serve.counts import Counts
from headroom_cli.serve.engines import EngineError
from headroom_cli.serve.jobs import Made
from headroom_cli.serve.options import Limits, Serving
from headroom_cli.serve.replies import RefusedError
from headroom_cli.serve.room import Room
from headroom_cli.serve.upstream import Upstream

CREATE = {"type": "response.create", "model": "m", "input": [{"role": "user", "content": "hello"}]}


class Engines:
    """Shortens by a rule, in the test's own words."""

    def __init__(self):
        self.asked = []
        self.rule = None

    async def do(self, job, ask):
        assert job == "prepare"
        self.asked.append(ask)
        made = Made(ask.shape, ask.body)
        if self.rule is not None:
            made.body = await self.rule(ask.body)
        return made


class App:
    """As much of the proxy as a WebSocket needs."""

    def __init__(self, address, **limits):
        self.serving = Serving("", addresses={"openai": address}, limits=Limits(**limits))
        self.engines = self.holding = Engines()
        self.room = Room(self.serving.limits)
        self.identity = self
        self.counts = Counts()
        self.upstream = None
        self.refused = None
        self.counted = []
        self.said = []

    def scope(self, headers):
        return "scope"

    def told(self, sentence):
        self.said.append(sentence)

    def account(self, exchange):
        self.counted.append(exchange.done)

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            self.upstream = Upstream(self.serving.limits)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self.upstream.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await websocket.relay(self, scope, receive, send, self.refused)


class Both:
    """A provider in a loop of its own, whose handler is a coroutine of the test, and the proxy before it."""

    def __init__(self, handler, **limits):
        self.handler = handler
        self.requests = []
        self.closed = []  # (code, reason, seconds) as the provider saw them
        self.loop = asyncio.new_event_loop()
        self.app = None
        self.limits = limits

    def __enter__(self):
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(10)
        self.app = App(f"http://127.0.0.1:{self.port}", **self.limits)
        config = uvicorn.Config(
            self.app, port=0, ws="websockets-sansio", log_config=None, lifespan="on", ws_max_size=1 << 24,
            ws_per_message_deflate=False,
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        self.serving = threading.Thread(target=self.server.run, daemon=True)
        self.serving.start()
        wait(lambda: self.server.started)
        self.proxy = f"ws://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"
        self.url = self.proxy + "/v1/responses"
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.serving.join(10)
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(10)
        assert not self.serving.is_alive()
        assert not self.thread.is_alive()

    def _run(self, ready):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._serve(ready))
        self.loop.close()

    async def _serve(self, ready):
        self.stop = asyncio.Event()
        server = web.Server(self._handle)
        runner = web.ServerRunner(server, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        ready.set()
        await self.stop.wait()
        await runner.cleanup()

    async def _handle(self, request):
        self.requests.append(request)
        answer = await self.handler(request)
        if isinstance(answer, web.WebSocketResponse):
            self.closed.append((answer.close_code, time.monotonic()))
        return answer


def wait(what, seconds=10.0):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.005)


async def opened(request, **options):
    made = web.WebSocketResponse(max_msg_size=0, **options)
    made.headers["x-request-id"] = "req_1"
    await made.prepare(request)
    return made


async def echo(request):
    talk = await opened(request)
    async for message in talk:
        if message.type is aiohttp.WSMsgType.TEXT:
            await talk.send_str(message.data)
        else:
            await talk.send_bytes(message.data)
    return talk


@pytest.fixture(scope="module")
def echoing():
    with Both(echo) as both:
        yield both


def test_messages_pass_both_ways_unchanged_and_in_order(echoing):
    said = ["", "x", '{"type":"ping"}', "é日🎉\u2028\0", " " * 70_000, b"", b"\0\xff", bytes(range(256)) * 300]
    with connect(echoing.url, max_size=None) as client:
        for message in said:
            client.send(message)
        assert [client.recv(timeout=10) for _ in said] == said
        large = "y" * 3_000_000
        client.send(large)
        assert client.recv(timeout=20) == large
        client.ping().wait(5)


def test_a_message_in_fragments_is_one_message(echoing):
    with connect(echoing.url) as client:
        client.send(iter(["one ", "", "two"]))
        client.send(iter([b"a", b"b"]))
        assert [client.recv(timeout=10), client.recv(timeout=10)] == ["one two", b"ab"]


def test_a_thousand_messages_stay_in_order_with_shortening_among_them(echoing):
    async def rule(body):
        number = json.loads(body)["number"]
        await asyncio.sleep(0.02 if number % 50 == 0 else 0)
        return json.dumps({"short": number}).encode()

    echoing.app.engines.rule = rule
    seen = []
    with connect(echoing.url) as client:
        reader = threading.Thread(target=lambda: seen.extend(client.recv(timeout=20) for _ in range(1000)))
        reader.start()
        for number in range(1000):
            value = {**CREATE, "number": number} if number % 10 == 0 else {"number": number}
            client.send(json.dumps(value))
        reader.join(30)
    assert seen == [json.dumps({"short": n} if n % 10 == 0 else {"number": n}) for n in range(1000)]
    echoing.app.engines.rule = None


def test_headers_are_the_clients_but_for_those_of_one_connection(echoing):
    headers = {
        "authorization": "Bearer k", "openai-beta": "responses_websockets=2026-02-04", "x-headroom-session-id": "s",
        "x-headroom-token": "t", "te": "trailers", "x-other": "\xc3\xa9",
    }  # fmt: skip
    with connect(echoing.url + "?a=%20b&c", additional_headers=headers, user_agent_header="codex/1") as client:
        assert client.response.headers["x-request-id"] == "req_1"
        got = echoing.requests[-1]
    assert got.raw_path == "/v1/responses?a=%20b&c"
    names = [name.lower() for name, _ in got.raw_headers]
    assert len(names) == len(set(names))
    assert (got.headers["authorization"], got.headers["openai-beta"]) == ("Bearer k", headers["openai-beta"])
    assert got.headers["user-agent"] == "codex/1"
    assert dict(got.raw_headers)[b"x-other"] == "é".encode()
    assert got.headers["host"] == f"127.0.0.1:{echoing.port}"
    assert not [name for name in names if name.startswith(b"x-headroom") or name in (b"te", b"accept", b"origin")]
    assert got.headers["sec-websocket-key"] != client.request.headers["sec-websocket-key"]


def test_a_subprotocol_is_the_one_that_the_provider_chose():
    async def handler(request):
        return await opened(request, protocols=("realtime", "other"))

    with Both(handler) as both:
        with connect(both.url, subprotocols=["unknown", "realtime"]) as client:
            assert client.subprotocol == "realtime"
        assert both.requests[-1].headers["sec-websocket-protocol"].replace(" ", "") == "unknown,realtime"
        with connect(both.url) as client:
            assert client.subprotocol is None


def test_the_providers_close_is_the_clients():
    async def handler(request):
        talk = await opened(request)
        code, reason = closes[len(both.requests) - 1]
        await talk.send_str("last words")
        await talk.close(code=code, message=reason.encode())
        return talk

    closes = [(1000, ""), (1001, "away"), (1008, "policy é"), (4321, "own " * 30)]
    with Both(handler) as both:
        for code, reason in closes:
            with connect(both.url) as client:
                assert client.recv(timeout=10) == "last words"
                with pytest.raises(ConnectionClosed) as caught:
                    client.recv(timeout=10)
                assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (code, reason)


def test_the_clients_close_is_the_providers():
    seen = []

    async def handler(request):
        talk = await opened(request, autoclose=False)
        message = await talk.receive()
        seen.append((message.type, message.data, message.extra, time.monotonic()))
        await talk.close()
        return talk

    with Both(handler) as both:
        for code, reason in ((1000, "bye"), (4000, "own é")):
            with connect(both.url) as client:
                client.close(code, reason)
                wait(lambda: seen)
            assert seen.pop()[:3] == (aiohttp.WSMsgType.CLOSE, code, reason)
        with connect(both.url) as client:  # gone without a word
            client.socket.shutdown(2)
            wait(lambda: seen)
        assert seen.pop()[0] is aiohttp.WSMsgType.CLOSE


def test_a_provider_that_breaks_off_is_no_clean_end():
    async def handler(request):
        talk = await opened(request)
        await talk.send_str('{"type":"response.created"}')
        await talk.receive()
        request.transport.abort()
        return talk

    with Both(handler) as both, connect(both.url) as client:
        client.recv(timeout=10)
        client.send("go")
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(timeout=10)
        assert caught.value.rcvd.code == 1011


def test_a_refused_handshake_keeps_its_status_its_headers_and_its_body():
    async def handler(request):
        status = int(request.query["status"])
        headers = {"retry-after": "7", "x-request-id": "r"}
        if status == 302:
            headers["location"] = "http://127.0.0.1:9/elsewhere"
        return web.json_response({"error": {"message": "no", "code": status}}, status=status, headers=headers)

    statuses = [401, 403, 404, 426, 429, 500, 503]
    with Both(handler) as both:
        for status in statuses:
            with pytest.raises(InvalidStatus) as caught, connect(f"{both.url}?status={status}"):
                pass
            answer = caught.value.response
            assert answer.status_code == status
            assert json.loads(answer.body)["error"] == {"message": "no", "code": status}
            assert (answer.headers["retry-after"], answer.headers["x-request-id"]) == ("7", "r")
            assert answer.headers.get_all("content-length") == [str(len(answer.body))]
        assert len(both.requests) == len(statuses)  # nothing is tried again
        assert [done.status for done in both.app.counted] == statuses
        # Whether one is followed is the client's decision; this client tries, and does not like the address.
        with pytest.raises(InvalidURI, match=r"127\.0\.0\.1:9/elsewhere"), connect(both.url + "?status=302"):
            pass
        assert len(both.requests) == len(statuses) + 1


def test_what_cannot_be_opened_is_said():
    async def handler(_request):
        return web.Response(text="no socket here")

    with Both(handler) as both:
        for prepare, path, status in (
            (lambda: None, "/v1/responses", 200),  # what the provider said, for what it is worth
            (lambda: None, "/stats", 404),
            (lambda: None, "/nobody", 404),
            (lambda: setattr(both.app, "refused", RefusedError(421, "not this host")), "/v1/responses", 421),
            (lambda: both.app.serving.__setattr__("addresses", {"openai": "http://127.0.0.1:1"}), "/v1/responses", 502),
            (lambda: both.app.serving.__setattr__("addresses", {}), "/v1/responses", 404),
            (lambda: both.app.serving.__setattr__("backend", "bedrock"), "/v1/responses", 404),
        ):
            both.app.refused = None
            prepare()
            with pytest.raises(InvalidStatus) as caught, connect(both.proxy + path):
                pass
            assert caught.value.response.status_code == status
            if status != 200:
                assert caught.value.response.headers["x-headroom-error"]
                assert json.loads(caught.value.response.body)["error"]["message"].startswith("headroom: ")


def test_without_the_extension_a_refusal_is_a_close():
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "websocket", "raw_path": b"/v1/responses", "headers": [], "extensions": {}}
    asyncio.run(websocket.relay(App(""), scope, receive, send, RefusedError(403, "no")))
    assert sent == [{"type": "websocket.close", "code": 1011}]


# --- shortening


def test_messages_that_begin_a_response_are_shortened_and_counted():
    async def handler(request):
        talk = await opened(request)
        async for message in talk:
            await talk.send_str(json.dumps({"type": "response.created", "got": json.loads(message.data)}))
            usage = {"input_tokens": 5, "output_tokens": 6, "input_tokens_details": {"cached_tokens": 4}}
            await talk.send_str(json.dumps({"type": "response.completed", "response": {"usage": usage}}))
        return talk

    async def rule(body):
        return json.dumps({**json.loads(body), "input": "short"}).encode()

    with Both(handler) as both:
        both.app.engines.rule = rule
        with connect(both.url, additional_headers={"authorization": "Bearer k"}) as client:
            for value, got in ((CREATE, "short"), ({"type": "other", "input": "long"}, "long"), (CREATE, "short")):
                client.send(json.dumps(value, separators=(",", " : ")))
                assert json.loads(client.recv(timeout=10))["got"]["input"] == got
                client.recv(timeout=10)
            client.send(json.dumps(CREATE).encode())  # binary: nobody's business
            assert json.loads(client.recv(timeout=10))["got"] == CREATE
        assert [ask.body for ask in both.app.engines.asked] == [
            json.dumps(CREATE, separators=(",", " : ")).encode()
        ] * 2
        assert {(ask.shape, ask.what, ask.scope) for ask in both.app.engines.asked} == {
            ("responses", "socket", "scope")
        }
        handshake, *responses = both.app.counted
        assert handshake.status == 101
        usage = {"input_tokens": 5, "output_tokens": 6, "input_tokens_details.cached_tokens": 4}
        assert [(done.status, done.usage, done.hops) for done in responses] == [(200, usage, 1)] * 2


def test_what_cannot_be_shortened_goes_as_it_came():
    async def crashes(_body):
        raise EngineError("crashed")

    async def hangs(_body):
        await asyncio.Event().wait()

    with Both(echo, job_seconds=0.2) as both:
        for rule in (crashes, hangs):
            both.app.engines.rule = rule
            with connect(both.url) as client:
                client.send(json.dumps(CREATE))
                client.send("after")
                assert [client.recv(timeout=10) for _ in range(2)] == [json.dumps(CREATE), "after"]
        assert len(both.app.said) == 2
        both.app.engines.rule = crashes
        for headers in ({"x-headroom-bypass": "true"}, {"x-headroom-mode": "off"}):
            with connect(both.url, additional_headers=headers) as client:
                client.send(json.dumps(CREATE))
                assert client.recv(timeout=10) == json.dumps(CREATE)
        assert len(both.app.engines.asked) == 2


def test_a_client_that_goes_while_its_message_is_shortened_stops_it():
    stopped = []

    async def hangs(_body):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.append(1)
            raise

    with Both(echo) as both:
        both.app.engines.rule = hangs
        with connect(both.url) as client:
            client.send(json.dumps(CREATE))
            wait(lambda: both.app.engines.asked)
            client.socket.shutdown(2)
            wait(lambda: stopped and both.closed, 4)  # far below the time that a job may take
        wait(lambda: both.app.counted[-1].error)


def test_a_client_that_goes_before_the_provider_has_answered_is_noticed():
    async def handler(_request):
        await asyncio.sleep(30)
        return web.Response()

    with Both(handler) as both:
        with socket.create_connection(("127.0.0.1", int(both.proxy.rpartition(":")[2]))) as connection:
            connection.sendall(
                b"GET /v1/responses HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            wait(lambda: both.requests)
            assert both.app.upstream.session.connector._acquired
        wait(lambda: not both.app.upstream.session.connector._acquired, 5)


def test_messages_above_the_cap_close_the_connection():
    with Both(echo, body=10_000) as both:
        with connect(both.url) as client:
            client.send("x" * 10_000)
            assert client.recv(timeout=10) == "x" * 10_000
            client.send("x" * 10_001)
            with pytest.raises(ConnectionClosed) as caught:
                client.recv(timeout=10)
            assert caught.value.rcvd.code == 1009
        wait(lambda: both.closed)


def test_who_does_not_read_is_waited_for():
    sent = []

    async def handler(request):
        talk = await opened(request)
        for number in range(400):
            await talk.send_bytes(bytes(65_536))
            sent.append(number)
        await talk.close()
        return talk

    with Both(handler) as both, connect(both.url, max_queue=1, max_size=None) as client:
        client.recv(timeout=10)
        before = -1
        while before != len(sent):  # until nothing more goes out
            before = len(sent)
            time.sleep(0.3)
        assert len(sent) < 390
        count = 1
        with contextlib.suppress(ConnectionClosed):
            while True:
                assert len(client.recv(timeout=20)) == 65_536
                count += 1
        assert count == 400


# --- the real thing


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Provider(Reply([text("hello")])) as provider, Running(tmp_path_factory.mktemp("store"), provider.url) as proxy:
        yield provider, proxy


@pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager:DeprecationWarning")  # the SDK's own
def test_the_official_client_reads_a_response_over_the_proxy(running):
    provider, proxy = running
    import openai

    rows = json.dumps([{"number": n, "name": f"file_{n}.py", "state": "unchanged", "owner": n % 7} for n in range(900)])
    turns = [
        {"role": "user", "content": "run it"},
        {"type": "function_call", "call_id": "c1", "name": "Bash", "arguments": '{"command":"./run"}'},
        {"type": "function_call_output", "call_id": "c1", "output": rows},
    ]
    client = openai.OpenAI(api_key="k", base_url=proxy.url + "/v1", max_retries=0)
    with client, client.responses.connect() as connection:
        connection.response.create(model="gpt-5.2", input=turns)
        kinds = []
        for event in connection:
            kinds.append(event.type)
            if event.type in ("response.completed", "error"):
                break
    assert kinds[-1] == "response.completed"
    assert "response.output_text.delta" in kinds
    sent = provider.asked[-1].json
    assert sent["type"] == "response.create"
    assert sent["input"][:2] == turns[:2]
    assert 100 < len(sent["input"][2]["output"]) < len(rows) * 0.7
    assert "<<headroom:" not in sent["input"][2]["output"]  # nobody there could redeem it
