"""Gateways that want an access token first: got once, kept, got anew when it is refused."""

import asyncio
import contextlib
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from provider import Provider, Reply, text
from proxies import Running

from headroom_cli.serve import access
from headroom_cli.serve.options import Serving
from headroom_cli.serve.replies import RefusedError

CLIENT = ("sb-1!b2|aicore!b3", "s3cret")
REQUEST = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}


@contextlib.contextmanager
def running(tmp_path, client=CLIENT, **more):
    with Provider(Reply([text("hello")]), client=CLIENT) as provider:
        address = provider.url + "/v2/inference/deployments/d1"
        keys = {"AICORE_CLIENT_ID": client[0], "AICORE_CLIENT_SECRET": client[1], "AICORE_AUTH_URL": provider.url}
        flags = ("--backend", "bedrock", "--base-url", address)
        with Running(tmp_path / "store", "", *flags, environment={**keys, **more}) as proxy:
            yield proxy, provider


def tokens(provider):
    return [record for record in provider.requests if record.what == "token"]


def ask(proxy, **more):
    return httpx.post(proxy.url + "/v1/messages", json={**REQUEST, **more}, timeout=30)


def test_one_token_serves_all_until_it_is_refused(tmp_path):
    with running(tmp_path) as (proxy, provider):
        with ThreadPoolExecutor(8) as several:
            assert {answer.status_code for answer in several.map(lambda _: ask(proxy), range(8))} == {200}
        assert len(tokens(provider)) == 1
        provider.tokens[0] = "taken back"
        assert ask(proxy).json()["content"][0]["text"] == "hello"
        assert ask(proxy).status_code == 200
        assert len(tokens(provider)) == 2
        assert provider.requests[-1].header("authorization") == "Bearer token-1"
        assert access.PLACE not in str([record.headers for record in provider.requests])


def test_a_wrong_secret_is_said_and_nothing_is_asked(tmp_path):
    with running(tmp_path, client=(CLIENT[0], "wrong")) as (proxy, provider):
        answer = ask(proxy)
        assert answer.status_code == 401
        assert "client's id and secret" in answer.json()["error"]["message"]
        assert "wrong" not in str(answer.headers) + answer.text + str(proxy.said)
        assert provider.asked == []


def test_an_issuer_that_cannot_be_reached_is_said(tmp_path):
    with running(tmp_path, AICORE_AUTH_URL="http://127.0.0.1:1") as (proxy, provider):
        answer = ask(proxy)
        assert answer.status_code == 502
        assert "no access token was got" in answer.json()["error"]["message"]
        assert provider.asked == []


class _Issuer:
    """Gives what it was told to give."""

    def __init__(self, *bodies, status=200):
        self.bodies, self.status, self.asked, self.waits = list(bodies), status, 0, None

    async def send(self, *_):
        self.asked += 1
        if self.waits is not None:
            await self.waits.wait()
        return self

    @property
    def content(self):
        return self

    async def iter_any(self):
        yield self.bodies.pop(0)

    def close(self):
        pass


def _serving(tmp_path):
    keys = {"BEDROCK_OAUTH_CLIENT_ID": "a", "BEDROCK_OAUTH_CLIENT_SECRET": "b", "BEDROCK_OAUTH_TOKEN_URL": "http://i"}
    return Serving(str(tmp_path), backend="bedrock", base_url="http://g", secrets=keys)


def _given(tmp_path, issuer, *times):
    async def go():
        held = access.Access(_serving(tmp_path), issuer)
        found = []
        for now in times:
            held_until = held._until
            held._until = held_until - now
            found.append(await held.token())
        return found

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("ends", "asked"),
    [(3600, 1), ("3600", 1), (None, 1), (True, 1), ("never", 1), (0, 3), (-1, 1), (1e308, 1), ([1], 1)],
)
def test_how_long_a_token_is_kept(tmp_path, ends, asked):
    bodies = [json.dumps({"access_token": f"t{number}", "expires_in": ends}).encode() for number in range(3)]
    issuer = _Issuer(*bodies)
    _given(tmp_path, issuer, 0, 0, 0)
    assert issuer.asked == asked


def test_a_token_is_got_anew_before_it_ends(tmp_path):
    issuer = _Issuer(b'{"access_token":"a","expires_in":3600}', b'{"access_token":"b","expires_in":3600}')
    assert _given(tmp_path, issuer, 0, 3500, 41) == ["a", "a", "b"]


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b"{}", 401), (200, b"[]", 401), (200, b"no", 401), (200, b'{"access_token":5}', 401),
        (200, b'{"access_token":"a\\r\\nb"}', 502), (500, b"{}", 503), (429, b"", 503), (302, b"", 401),
    ],
)  # fmt: skip
def test_answers_without_a_token(tmp_path, status, body, code):
    with pytest.raises(RefusedError) as caught:
        _given(tmp_path, _Issuer(body, status=status), 0)
    assert caught.value.status == code


def test_who_leaves_takes_the_token_from_nobody(tmp_path):
    async def go():
        issuer = _Issuer(b'{"access_token":"a"}')
        issuer.waits = asyncio.Event()
        held = access.Access(_serving(tmp_path), issuer)
        leaves, stays = asyncio.ensure_future(held.token()), asyncio.ensure_future(held.token())
        await asyncio.sleep(0)
        leaves.cancel()
        await asyncio.sleep(0)
        issuer.waits.set()
        return await stays, issuer.asked

    assert asyncio.run(go()) == ("a", 1)
