"""Conversations whose turns had hidden hops go on, whatever became of the client or of a worker in between."""

import http.client
import json
import time
import urllib.parse

import pytest
from provider import Provider, Reply, call, text
from proxies import Running
from proxy_cases import KEYS, body_of, path_of

OURS = "retrieve_original_content"
# What tells a client that a turn is over, before the stream itself is.
STOPS = {"openai": b'"finish_reason":"stop"', "anthropic": b'"stop_reason":"end_turn"'}
WAIT = 0.2  # seconds that the provider lets pass before each event


@pytest.fixture(scope="module")
def provider():
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def proxy(provider, tmp_path_factory):
    with Running(tmp_path_factory.mktemp("proxy") / "store", provider.url) as running:
        yield running


def asked(proxy, name, body, enough=b""):
    """Send a request; return the answer, read no further than the bytes that are ``enough``."""
    place = urllib.parse.urlsplit(proxy.url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    connection.request(
        "POST",
        path_of(name, streaming=True),
        json.dumps(body),
        {"content-type": "application/json", **dict(KEYS[name])},
    )
    response = connection.getresponse()
    assert response.status == 200
    got = b""
    while not (enough and enough in got):
        data = response.read1(1 << 16)
        if not data:
            break
        got += data
    response.close()
    connection.close()
    return got


@pytest.mark.parametrize("name", list(STOPS))
def test_a_client_that_leaves_when_the_turn_is_over_may_go_on(proxy, provider, name):
    """Many read no further than why the turn ends; the end of the stream comes later."""
    body = body_of(name, "leaves", tools=True)
    provider.script(
        Reply([text("I look. "), call("toolu_ours", OURS, {"handle": "aaaaaaaaaaaa"})], delay=WAIT / 4),
        Reply([text("The disk is full.")], delay=WAIT),
    )
    got = asked(proxy, name, body, STOPS[name])
    assert STOPS[name] in got
    assert b"message_stop" not in got
    assert b"[DONE]" not in got
    time.sleep(WAIT / 4)  # the provider is not done yet
    said = {"role": "assistant", "content": "I look. The disk is full."}
    later = {**body, "messages": [*body["messages"], said, {"role": "user", "content": "sure?"}]}
    provider.script(Reply([text("yes")]))
    asked(proxy, name, later)
    hop, after = provider.requests[-2].json["messages"], provider.requests[-1].json["messages"]
    assert "toolu_ours" in json.dumps(hop)
    assert after[: len(hop)] == hop
