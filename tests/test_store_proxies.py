"""Proxies that share a store: one conversation hops between them, the store goes away, one of them is killed."""

import json
import signal
import time

import httpx
import pytest
from provider import Provider, Reply, call, text
from proxies import Running
from shared_stores import KEYS, BadNetwork, Bucket, RedisServer

LOG = "".join(f"2026-01-01 00:{i // 60:02d}:{i % 60:02d} INFO worker {i} processed batch {i * 3}\n" for i in range(600))
KEY = {"x-api-key": "sk-ant-a", "anthropic-version": "2023-06-01"}
BASH = {"name": "Bash", "description": "run", "input_schema": {"type": "object"}}


@pytest.fixture(scope="module")
def provider():
    with Provider() as running:
        yield running


@pytest.fixture
def server(tmp_path):
    (tmp_path / "redis").mkdir()
    running = RedisServer(tmp_path / "redis")
    yield running
    running.stop(signal.SIGKILL)


def then(request, number):
    name = f"t{number}"
    output = LOG.replace("batch", f"parcel {number}")
    turns = [
        {"role": "assistant", "content": [{"type": "tool_use", "id": name, "name": "Bash", "input": {"command": "x"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": name, "content": output}]},
    ]
    return {**request, "messages": [*request["messages"], *turns]}


def ask(proxy, provider, request, number):
    """Send a request through a proxy; return the outputs as the provider got them, and the seconds it took."""
    provider.script(Reply([call(f"t{number + 1}", "Bash", {"command": "x"})]))
    began = time.monotonic()
    answer = httpx.post(f"{proxy.url}/v1/messages", json=request, headers=KEY, timeout=30)
    took = time.monotonic() - began
    assert answer.status_code == 200
    messages = json.loads(provider.requests[-1].body)["messages"]
    return [turn["content"][0]["content"] for turn in messages[2::2]], took


def test_a_conversation_hops_between_proxies_and_keeps_its_prefix(provider, server, tmp_path):
    with (
        Running(server.url(tmp_path / "a", wait=20), provider.url) as one,
        Running(server.url(tmp_path / "b", wait=20), provider.url) as two,
    ):
        request = {"model": "claude-opus-4-8", "max_tokens": 9, "tools": [BASH],
                   "messages": [{"role": "user", "content": "what do the logs say"}]}  # fmt: skip
        ask(one, provider, request, 0)
        before = []
        for turn in range(1, 6):
            request = then(request, turn)
            outputs, _ = ask((one, two)[turn % 2], provider, request, turn)
            assert outputs[:-1] == before
            assert len(outputs[-1]) < len(LOG) / 4
            before = outputs
        # What one left out the other gives back.
        handle = before[-1].rpartition("<<headroom:")[2].split()[0]
        provider.script(Reply([call("r1", "retrieve_original_content", {"handle": handle})]), Reply([text("done")]))
        asked = len(provider.requests)
        httpx.post(f"{one.url}/v1/messages", json=then(request, 6), headers=KEY, timeout=30)
        assert json.dumps(LOG.replace("batch", "parcel 5"))[1:-1] in provider.requests[asked + 1].body.decode()
        one.process.kill()
        request = then(request, 7)
        outputs, _ = ask(two, provider, request, 7)
        assert outputs[: len(before)] == before


def test_an_object_store_serves_proxies_too(provider, tmp_path):
    bucket = Bucket()
    try:
        places = [bucket.url(tmp_path / name, "team", wait=20) for name in "ab"]
        with (
            Running(places[0], provider.url, environment=KEYS) as one,
            Running(places[1], provider.url, environment=KEYS) as two,
        ):
            request = {"model": "claude-opus-4-8", "max_tokens": 9, "tools": [BASH],
                       "messages": [{"role": "user", "content": "what do the logs in the bucket say"}]}  # fmt: skip
            ask(one, provider, request, 0)
            before = []
            for turn in range(1, 4):
                request = then(request, turn)
                outputs, _ = ask((one, two)[turn % 2], provider, request, turn)
                assert outputs[:-1] == before
                assert len(outputs[-1]) < len(LOG) / 4
                before = outputs
    finally:
        bucket.stop()


def test_a_store_that_stalls_or_stops_costs_no_request(provider, server, tmp_path):
    network = BadNetwork(server.port)
    place = f"redis://127.0.0.1:{network.port}/0?local={tmp_path}/a&wait=2"
    with Running(place, provider.url) as proxy:
        request = {"model": "claude-opus-4-8", "max_tokens": 9, "tools": [BASH],
                   "messages": [{"role": "user", "content": "what do the logs say now"}]}  # fmt: skip
        ask(proxy, provider, request, 0)
        request = then(request, 1)
        first, _ = ask(proxy, provider, request, 1)
        assert len(first[0]) < len(LOG) / 4
        network.stalled = True
        longest = 0
        for turn in range(2, 8):
            request = then(request, turn)
            outputs, took = ask(proxy, provider, request, turn)
            assert outputs[0] == first[0]  # what was sent before is at hand
            assert outputs[-1] == LOG.replace("batch", f"parcel {turn}")  # what is new goes as it came
            longest = max(longest, took)
        assert longest < 15
        network.stalled = False
        server.stop()
        request = then(request, 8)
        outputs, _ = ask(proxy, provider, request, 8)
        assert outputs[0] == first[0]
    assert not [line for line in proxy.said if "Traceback" in line]
    network.close()
