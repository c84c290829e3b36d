"""The middleware for ASGI and the callback for LiteLLM, in the real packages."""

import asyncio
import importlib
import json
import sys

import httpx
import pytest
from clients import run_client
from provider import Provider, Reply, text
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from talks import LOG, Talk

from headroom_cli import asgi

PAIRS = [
    {"id": number, "name": f"{number * 7919 % 1000:x} {number**3}", "state": "ready", "zone": "eu-1a"}
    for number in range(200)
]
RECORDS = json.dumps(PAIRS, indent=2)


def talk(shape, output=RECORDS):
    """A conversation whose last turn is the result of a command."""
    made = Talk(shape).says("why does the build fail?")
    if shape == "anthropic":
        made.heard({"content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "make"}}]})
    elif shape == "openai":
        call = {"id": "t1", "type": "function", "function": {"name": "Bash", "arguments": '{"command": "make"}'}}
        made.heard({"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [call]}}]})
    else:
        item = {"type": "function_call", "call_id": "t1", "name": "Bash", "arguments": '{"command": "make"}'}
        made.heard({"output": [item]})
    return made.result("t1", output)


async def echo(request):
    """Answer with what came."""
    body = await request.body()
    return Response(body, headers={"x-length": request.headers.get("content-length", "")})


async def parts(request):
    """Answer with how a body came, and what comes after it."""
    pieces = [len(piece) async for piece in request.stream()]
    return JSONResponse({"pieces": pieces, "left": await request.is_disconnected()})


PATHS = (*asgi.PATHS, "/other", "/parts")


@pytest.fixture
def post(tmp_path):
    def run(path, content, kind="application/json", headers=(), **more):
        middleware = Middleware(asgi.CompressMiddleware, **{"store": str(tmp_path / "store"), **more})
        routes = [Route(at, parts if at == "/parts" else echo, methods=["POST", "PUT"]) for at in PATHS]
        app = Starlette(routes=routes, middleware=[middleware])

        async def ask():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
                return await client.post(path, content=content, headers={"content-type": kind, **dict(headers)})

        return asyncio.run(ask())

    return run


@pytest.mark.parametrize(
    ("shape", "path"), list(zip(("anthropic", "openai", "responses"), asgi.PATHS, strict=True)), ids=lambda value: value
)
def test_an_application_sees_a_smaller_conversation(shape, path, post):
    one = talk(shape)
    sent = json.dumps(one.request, indent=1).encode()
    came = post(path, sent)
    assert came.headers["x-length"] == str(len(came.content))
    assert len(came.content) < 0.6 * len(sent)
    result = one.results(came.json())["t1"]
    assert "<<headroom" not in result  # nobody would redeem it
    assert all(pair["name"] in result for pair in PAIRS)
    head = sent.index(b'"why does the build fail?"')
    assert came.content[:head] == sent[:head]  # the client's own bytes


def test_markers_where_the_application_wants_them(post, tmp_path):
    one = talk("anthropic", LOG)
    assert "<<headroom:" not in post("/v1/messages", json.dumps(one.request)).text
    # In another store: a conversation keeps the way in which it began.
    shown = post("/v1/messages", json.dumps(one.request), policy={"redeem": "shell"}, store=str(tmp_path / "other"))
    assert "<<headroom:" in one.results(shown.json())["t1"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b'{"messages": 3}', b'{"model": 1, "messages": []}',
     b"[" * 100_000, b'{"messages": [{"role": "user", "content": "hi"}]}\n'],
    ids=lambda value: value[:20].decode("latin-1"),
)  # fmt: skip
def test_whatever_is_no_long_conversation_comes_as_it_is(content, post):
    assert post("/v1/messages", content).content == content


def test_what_is_not_asked_for_is_left_alone(post):
    sent = json.dumps(talk("anthropic").request).encode()
    assert post("/other", sent).content == sent
    assert post("/other", sent, paths=["/other"]).content != sent
    assert post("/v1/messages", sent, kind="text/plain").content == sent
    assert post("/v1/messages", sent, headers={"content-encoding": "gzip"}).content == sent
    assert post("/v1/messages", sent, most=1000).content == sent
    assert post("/v1/messages", sent, store="/dev/null/store").content == sent


def test_a_body_that_comes_in_one_piece_has_the_same_limit(tmp_path):
    sent = json.dumps(talk("anthropic").request).encode()
    came = []

    async def app(_scope, receive, _send):
        came.append((await receive())["body"])

    async def receive():
        return {"type": "http.request", "body": sent, "more_body": False}

    scope = {
        "type": "http", "method": "POST", "path": "/v1/messages", "headers": [(b"content-type", b"application/json")],
    }  # fmt: skip
    for most in (len(sent), len(sent) - 1):
        made = asgi.CompressMiddleware(app, most=most, store=str(tmp_path / "store"))
        asyncio.run(made(scope, receive, None))
    assert len(came[0]) < len(came[1]) == len(sent)


def test_pieces_of_a_large_body_reach_an_application_in_their_order():
    sent = [b'{"messages": [', b'{"role": "user", "content": "', b"x" * 3000, b'"}]}']
    came = []

    async def app(_scope, receive, _send):
        while True:
            message = await receive()
            came.append(message)
            if not message.get("more_body"):
                break
        came.append(await receive())

    async def run(most):
        came.clear()
        left = [{"type": "http.request", "body": piece, "more_body": piece is not sent[-1]} for piece in sent]
        left.append({"type": "http.disconnect"})

        async def receive():
            return left.pop(0)

        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": headers}
        await asgi.CompressMiddleware(app, most=most, store="/dev/null/x")(scope, receive, None)
        assert came[-1]["type"] == "http.disconnect"
        assert b"".join(message.get("body", b"") for message in came) == b"".join(sent)

    for most in (10, 100, 1 << 20):
        asyncio.run(run(most))


def test_a_client_that_leaves_in_the_middle_is_told_to_the_application():
    seen = []

    async def app(_scope, receive, _send):
        seen.extend([await receive(), await receive()])

    left = [{"type": "http.request", "body": b'{"mess', "more_body": True}, {"type": "http.disconnect"}]
    told = list(left)

    async def receive():
        return left.pop(0)

    scope = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": [(b"content-type", b"x/json")]}
    asyncio.run(asgi.CompressMiddleware(app)(scope, receive, None))
    assert seen == told


FASTAPI = """
import asyncio, json, sys
import httpx
from fastapi import FastAPI, Request
from headroom_cli.asgi import CompressMiddleware

app = FastAPI()
app.add_middleware(CompressMiddleware, store=sys.argv[1])

@app.post("/v1/messages")
async def answer(asked: dict) -> dict:
    return asked

async def main():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
        return (await client.post("/v1/messages", json=json.load(open(sys.argv[2])))).json()

print(json.dumps(asyncio.run(main())))
"""


def test_fastapi_reads_the_smaller_body(tmp_path):
    one = talk("anthropic")
    (tmp_path / "request.json").write_text(json.dumps(one.request))
    came = run_client(FASTAPI, tmp_path / "store", tmp_path / "request.json", home=tmp_path)
    assert len(one.results(came)["t1"]) < 0.6 * len(RECORDS)


LITELLM = """
import asyncio, json, sys, warnings
warnings.simplefilter("ignore")
import litellm
from litellm.proxy.types_utils.utils import get_instance_fn
from headroom_cli.litellm import HeadroomCallback

url, store, path = sys.argv[1:4]
asks = json.load(open(path))
callback = HeadroomCallback(store=store)
litellm.callbacks = [callback]
litellm.telemetry = False
logged = []

class Log(litellm.integrations.custom_logger.CustomLogger):
    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        logged.append(len(json.dumps(kwargs["messages"])))

litellm.callbacks.append(Log())

async def main():
    before = json.dumps(asks)
    await litellm.acompletion(
        model="openai/gpt-5", messages=asks["openai"]["messages"],
        api_base=url + "/v1", api_key="k",
    )
    await litellm.anthropic_messages(
        model="anthropic/claude-sonnet-4-5", messages=asks["anthropic"]["messages"], max_tokens=9, api_base=url,
        api_key="k",
    )
    await asyncio.sleep(0.2)
    data = {"model": "m", "messages": asks["openai"]["messages"], "metadata": {"a": 1}}
    made = await callback.async_pre_call_hook(None, None, data, "completion")
    responses = {"model": "m", "input": asks["responses"]["input"]}
    items = await callback.async_pre_call_hook(None, None, responses, "aresponses")
    kept = await callback.async_pre_call_hook(None, None, {"input": ["x" * 9999], "model": "m"}, "aembedding")
    assert before == json.dumps(asks), "edited in place"
    return {
        "logged": logged, "hook": len(json.dumps(made["messages"])),
        "items": len(json.dumps(items["input"])), "rest": made["metadata"], "kept": kept["input"],
        "loaded": type(get_instance_fn("headroom_cli.litellm.callback")).__name__,
    }

print(json.dumps(asyncio.run(main())))
"""


@pytest.mark.long
def test_litellm_sends_smaller_calls(tmp_path):
    asks = {shape: talk(shape).request for shape in ("anthropic", "openai", "responses")}
    (tmp_path / "asks.json").write_text(json.dumps(asks))
    with Provider(Reply([text("ok")])) as provider:
        seen = run_client(
            LITELLM, provider.url, tmp_path / "store", tmp_path / "asks.json", home=tmp_path,
            HEADROOM_STORE=str(tmp_path / "own"),
        )  # fmt: skip
        records = [record for record in provider.requests if record.what == "answer"]
    assert len(records) == 2
    for record in records:
        (result,) = talk("openai" if record.shape == "chat" else record.shape).results(record.json).values()
        assert len(result) < 0.6 * len(RECORDS), record.path
        assert "<<headroom" not in result
    assert seen["loaded"] == "HeadroomCallback"
    assert seen["kept"] == ["x" * 9999]
    assert seen["rest"] == {"a": 1}
    whole = len(json.dumps(asks["openai"]["messages"]))
    assert seen["hook"] < 0.6 * whole
    assert seen["items"] < 0.6 * len(json.dumps(asks["responses"]["input"]))
    assert len(seen["logged"]) == 2  # other callbacks are told as ever


def test_without_litellm_the_callback_says_what_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "litellm", None)
    monkeypatch.delitem(sys.modules, "headroom_cli.litellm", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'headroom-cli\[litellm\]'"):
        importlib.import_module("headroom_cli.litellm")
