"""Other providers behind the proxy: Bedrock's own routes, and requests in one form that another API answers."""

import asyncio
import base64
import contextlib
import json
import re
import types

import anthropic
import httpx
import openai
import pytest
from provider import Provider, Reply, call, text
from proxies import Running
from test_proxy import LOG, first, then

from headroom_cli.model import KINDS
from headroom_cli.serve import messages
from headroom_cli.serve.engines import EngineError
from headroom_cli.serve.jobs import Ask, Made

AWS = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1")
AWS_KEYS = {"AWS_ACCESS_KEY_ID": AWS[0], "AWS_SECRET_ACCESS_KEY": AWS[1], "AWS_REGION": AWS[2]}
MODEL = "us.anthropic.claude-opus-4-8-v1:0"


@contextlib.contextmanager
def running(tmp_path, *flags, aws=None, environment=None, **addresses):
    with Provider(aws=aws) as provider, Running(
        tmp_path / "store", provider.url, *[flag.format(url=provider.url) for flag in flags],
        environment=environment, addresses=addresses,
    ) as proxy:  # fmt: skip
        yield proxy, provider


def test_bedrocks_own_requests_are_signed_anew(tmp_path):
    pytest.importorskip("botocore")
    from botocore.eventstream import EventStreamBuffer

    from headroom_cli.backends import Call, _sigv4

    keys = dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), AWS[:2], strict=True))
    with running(tmp_path, aws=AWS, environment=AWS_KEYS) as (proxy, provider):

        def post(request, verb):
            body = json.dumps({**request, "anthropic_version": "bedrock-2023-05-31"}).encode()
            url = f"{proxy.url}/model/{MODEL.replace(':', '%3A')}/{verb}"
            signed = _sigv4.sign(Call(url, (("content-type", "application/json"),), body), keys, AWS[2])
            answer = httpx.post(url, content=body, headers=list(signed.headers))
            assert answer.status_code == 200, answer.text
            return answer

        provider.script(Reply([call("t1", "Bash", {"command": "cat worker.log"})]))
        request = {name: value for name, value in first("look").items() if name != "model"}
        assert post(request, "invoke").json()["content"][0]["name"] == "Bash"
        provider.script(_fetches_once)
        answer = post(then(request), "invoke")
        assert [part["text"] for part in answer.json()["content"]] == ["seen"]
        answer = post(then(request), "invoke-with-response-stream")
        frames = EventStreamBuffer()
        frames.add_data(answer.content)
        events = [json.loads(base64.b64decode(json.loads(event.payload)["bytes"])) for event in frames]
        assert [event["delta"]["text"] for event in events if event["type"] == "content_block_delta"] == ["seen"]
        assert events[-1]["type"] == "message_stop"


def test_bedrock_with_a_bearer_key_passes(tmp_path):
    with running(tmp_path) as (proxy, provider):
        provider.script(Reply([text("hello")]))
        body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9,
                "messages": [{"role": "user", "content": "x"}]}  # fmt: skip
        url = f"{proxy.url}/model/{MODEL.replace(':', '%3A')}/invoke"
        answer = httpx.post(url, json=body, headers={"authorization": "Bearer k"})
        assert answer.json()["content"][0]["text"] == "hello"
        assert provider.requests[-1].header("authorization") == "Bearer k"


def test_a_signature_that_cannot_be_made_is_said(tmp_path):
    with running(tmp_path, environment={"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}) as (proxy, _):
        signed = "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/bedrock/aws4_request, Signature=0"
        answer = httpx.post(f"{proxy.url}/model/m/invoke", json={"messages": []}, headers={"authorization": signed})
        assert answer.status_code == 403
        assert "cannot be signed anew" in answer.json()["message"]


def _fetches_once(record):
    """Answer as a model that asks for one line of an original first."""
    handle = re.search(rb"<<headroom:([a-z2-7]+) [0-9]", record.body)[1].decode()
    if b"rr1" not in record.body:
        return Reply([call("rr1", "retrieve_original_content", {"handle": handle, "lines": "1:1"})])
    return Reply([text("seen")])


def conversation(client, provider):
    """Run a conversation in Anthropic's form with one original fetched in between; return the last request's body."""
    provider.script(Reply([call("t1", "Bash", {"command": "cat worker.log"})]))
    request = {**first("look into it"), "model": "claude-opus-4-8"}
    client.messages.create(**request)

    provider.script(_fetches_once)
    with client.messages.stream(**then(request)) as stream:
        final = stream.get_final_message()
    assert [block.text for block in final.content] == ["seen"]
    body = provider.requests[-1].body
    assert LOG.splitlines()[0].encode() in body
    assert LOG.splitlines()[50].encode() not in body
    return body


@pytest.mark.parametrize(
    ("flags", "environment"),
    [
        (("--backend", "openrouter", "--base-url", "{url}/api/v1"), {"OPENROUTER_API_KEY": "sk-or"}),
        (("--backend", "openai", "--base-url", "{url}/v1"), {"OPENAI_API_KEY": "sk-o"}),
        (("--backend", "litellm", "--base-url", "{url}"), {"LITELLM_API_KEY": "sk-l"}),
    ],
    ids=["openrouter", "openai", "litellm"],
)
def test_a_client_of_anthropic_answered_by_another(tmp_path, flags, environment):
    with running(tmp_path, *flags, environment=environment) as (proxy, provider):
        with anthropic.Anthropic(api_key="of no use there", base_url=proxy.url, max_retries=0) as client:
            conversation(client, provider)
        assert provider.requests[-1].header("authorization") == f"Bearer {next(iter(environment.values()))}"
        assert "of no use there" not in str(provider.requests[-1].headers)


def test_clients_answered_by_bedrock(tmp_path):
    pytest.importorskip("botocore")
    with running(tmp_path, "--backend", "bedrock", aws=AWS, environment=AWS_KEYS) as (proxy, provider):
        with anthropic.Anthropic(api_key="k", base_url=proxy.url, max_retries=0) as client:
            conversation(client, provider)
        with openai.OpenAI(api_key="k", base_url=proxy.url + "/v1", max_retries=0) as client:
            provider.script(Reply([text("from far")]))
            chat = {"model": MODEL, "messages": [{"role": "user", "content": "hello"}]}
            assert client.chat.completions.create(**chat).choices[0].message.content == "from far"
            streamed = [chunk for chunk in client.chat.completions.create(**chat, stream=True) if chunk.choices]
            assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed) == "from far"
        answer = httpx.post(f"{proxy.url}/v1/messages/count_tokens", json=first("x"))
        assert answer.status_code == 404
        assert httpx.get(f"{proxy.url}/v1/models").status_code == 404


def test_errors_of_another_come_in_the_clients_form(tmp_path):
    flags = ("--backend", "openai", "--base-url", "{url}/v1")
    with running(tmp_path, *flags, environment={"OPENAI_API_KEY": "sk-o"}) as (proxy, provider):
        provider.script(Reply(status=429, headers={"retry-after": "3"}))
        with anthropic.Anthropic(api_key="k", base_url=proxy.url, max_retries=0) as client:
            with pytest.raises(anthropic.RateLimitError) as caught:
                client.messages.create(**first("x"))
            assert caught.value.response.headers["retry-after"] == "3"
            assert caught.value.body["type"] == "error"


def test_a_key_that_is_missing_is_said(tmp_path):
    with running(tmp_path, "--backend", "openrouter") as (proxy, provider):
        answer = httpx.post(f"{proxy.url}/v1/messages", json=first("x"))
        assert answer.status_code == 401
        assert "OPENROUTER_API_KEY" in answer.json()["error"]["message"]
        assert provider.requests == []


def test_a_request_may_be_left_as_it_is_on_its_way_to_another(tmp_path):
    flags = ("--backend", "openai", "--base-url", "{url}/v1")
    with running(tmp_path, *flags, environment={"OPENAI_API_KEY": "sk-o"}) as (proxy, provider):
        provider.script(Reply([text("hello")]))
        for headers in ({"x-headroom-bypass": "true"}, {"x-headroom-mode": "off"}):
            answer = httpx.post(f"{proxy.url}/v1/messages", json=then(first("look")), headers=headers)
            assert answer.json()["content"][0]["text"] == "hello"
            assert answer.headers["x-headroom-why-not"] == "switched off for this request"
            assert LOG in json.loads(provider.requests[-1].body)["messages"][-1]["content"]
            assert b"retrieve_original_content" not in provider.requests[-1].body


def test_a_body_that_cannot_be_decoded_is_refused_where_it_has_to_be_read(tmp_path):
    flags = ("--backend", "openai", "--base-url", "{url}/v1")
    with running(tmp_path, *flags, environment={"OPENAI_API_KEY": "sk-o"}) as (proxy, provider):
        answer = httpx.post(f"{proxy.url}/v1/messages", content=b"no", headers={"content-encoding": "gzip"})
        assert answer.status_code == 400
        assert "encoding" in answer.json()["error"]["message"]
        assert provider.requests == []


def test_what_a_request_holds_breaks_no_header_of_its_refusal(tmp_path):
    flags = ("--backend", "openai", "--base-url", "{url}/v1")
    with running(tmp_path, *flags, environment={"OPENAI_API_KEY": "sk-o"}) as (proxy, _):
        odd = {"role": "user", "content": [{"type": "a\r\nset-cookie: b=1"}]}
        answer = httpx.post(f"{proxy.url}/v1/messages", json={**first("x"), "messages": [odd]})
        assert answer.status_code == 400
        assert "set-cookie" not in answer.headers
        assert "has no place" in answer.json()["error"]["message"]


def test_a_request_that_cannot_be_shortened_goes_as_it_is():
    class Engines:
        def __init__(self):
            self.asked = []

        async def do(self, job, ask):
            self.asked.append((job, ask.what, ask.policy))
            if len(self.asked) == 1:
                raise EngineError("took too long")
            return Made(ask.shape, b"written for the backend")

    said = []
    serving, engines = types.SimpleNamespace(backend="openai"), Engines()
    app = types.SimpleNamespace(engines=engines, holding=engines, serving=serving, told=said.append)
    ask = Ask("anthropic", b"as it came")
    made = asyncio.run(messages._made(app, ask, Made(ask.shape, ask.body)))
    assert (made.body, made.why) == (b"written for the backend", "the worker took too long")
    assert [what for _, what, _ in app.engines.asked] == ["messages", "off"]
    assert app.engines.asked[1][2]["skip"] == frozenset(KINDS)
    assert "took too long" in said[0]


def test_an_error_of_bedrock_comes_in_the_clients_form(tmp_path):
    environment = {"AWS_BEARER_TOKEN_BEDROCK": "k"}
    with running(tmp_path, "--backend", "bedrock", "--base-url", "{url}", environment=environment) as (proxy, provider):
        provider.script(Reply(status=429, headers={"retry-after": "3"}))
        answer = httpx.post(f"{proxy.url}/v1/messages", json=first("x"))
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
        assert answer.json()["error"] == {"type": "rate_limit_error", "message": "Too many requests"}
        answer = httpx.post(f"{proxy.url}/model/m/invoke", json=first("x"))
        assert answer.json() == {"message": "Too many requests"}


@pytest.mark.parametrize(
    ("backend", "key", "base"), [("anthropic", "ANTHROPIC_API_KEY", "{url}"), ("openai", "OPENAI_API_KEY", "{url}/v1")]
)
def test_bedrocks_clients_answered_by_another(tmp_path, backend, key, base):
    pytest.importorskip("botocore")
    from botocore.eventstream import EventStreamBuffer

    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    flags = ("--backend", backend, "--base-url", base)
    with running(tmp_path, *flags, environment={key: "k"}) as (proxy, provider):
        provider.script(Reply([text("hello")]))
        answer = httpx.post(f"{proxy.url}/model/claude%3Ax/invoke", json=body)
        assert answer.json()["content"][0]["text"] == "hello"
        assert json.loads(provider.requests[-1].body)["model"] == "claude:x"
        answer = httpx.post(f"{proxy.url}/model/claude%3Ax/invoke-with-response-stream", json=body)
        assert answer.headers["content-type"] == "application/vnd.amazon.eventstream"
        frames = EventStreamBuffer()
        frames.add_data(answer.content)
        events = [json.loads(base64.b64decode(json.loads(event.payload)["bytes"])) for event in frames]
        assert (events[0]["type"], events[-1]["type"]) == ("message_start", "message_stop")
        provider.script(Reply(status=400))
        answer = httpx.post(f"{proxy.url}/model/m/invoke", json=body)
        assert (answer.status_code, list(answer.json())) == (400, ["message"])
