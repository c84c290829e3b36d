"""Conversations whose turns had hidden hops go on, whatever became of the client or of a worker in between."""

import http.client
import json
import time
import urllib.parse

import pytest
from provider import Provider, Reply, call, text
from proxies import Running
from proxy_cases import KEYS, body_of, path_of
from talks import handle_of

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


def plain(value):
    """Return a value without marks for a cache, which move from one request to the next."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key != "cache_control"}
    return [plain(item) for item in value] if isinstance(value, list) else value


def asked(proxy, name, body, enough=b"", *, key=""):
    """Send a request; return the answer, read no further than the bytes that are ``enough``."""
    place = urllib.parse.urlsplit(proxy.url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    headers = {"content-type": "application/json", **dict(KEYS[name]), **({"x-api-key": key} if key else {})}
    connection.request("POST", path_of(name, streaming=True), json.dumps(body), headers)
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


def test_a_credential_renewed_after_a_rewind_keeps_hidden_turns(proxy, provider):
    """What the branch that was left held is in nobody's hands any more, and stands in no turn of this one."""

    def log(name):
        lines = (f"2026-01-01T00:{at // 60:02d}:{at % 60:02d}Z INFO {name} {at} took {at * 37}\n" for at in range(900))
        return "".join(lines) + f"2026-01-01T00:15:00Z ERROR {name}: disk full\n"

    def look(number, output):
        used = {"type": "tool_use", "id": f"toolu_{number}", "name": "Bash", "input": {"command": "make"}}
        result = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": output}
        return [{"role": "assistant", "content": [used]}, {"role": "user", "content": [result]}]

    body = body_of("anthropic", "rewinds", tools=True)
    for number in (1, 2):
        provider.script(Reply([call(f"toolu_{number}", "Bash", {"command": "make"})]))
        asked(proxy, "anthropic", body)
    provider.script(Reply([text("Seen.")]))
    asked(proxy, "anthropic", {**body, "messages": [*body["messages"], *look(1, log("worker"))]})
    assert f"<<headroom:{handle_of(log('worker'))} " in provider.requests[-1].body.decode()

    here = [*body["messages"], *look(2, log("runner"))]
    provider.script(
        Reply([text("I look. "), call("toolu_ours", OURS, {"handle": handle_of(log("runner")), "lines": "3:5"})]),
        Reply([text("The disk is full.")]),
    )
    asked(proxy, "anthropic", {**body, "messages": here})
    hop = provider.requests[-1].json["messages"]
    assert "runner 3 took" in json.dumps(hop[-1])
    here += [{"role": "assistant", "content": "I look. The disk is full."}, {"role": "user", "content": "sure?"}]
    provider.script(Reply([text("yes")]))
    asked(proxy, "anthropic", {**body, "messages": here}, key="renewed")
    assert plain(provider.requests[-1].json["messages"])[: len(hop)] == plain(hop)
