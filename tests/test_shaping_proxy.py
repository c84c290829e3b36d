"""Shaping where it is used: through a proxy that is started anew with other settings, by send, in wrapped clients."""

import contextlib
import json
import os
import time

import httpx
import pytest
from provider import Fault, Provider, Reply, call, text
from proxies import Running
from talks import LOG, OURS, Talk, environment, handle_of
from test_shaping_talks import answer_of
from wrapped import Speaker

import headroom_cli
from headroom_cli import engine, ledger
from headroom_cli.shaping import words
from headroom_cli.store import Store

HANDLE = handle_of(LOG)
PATHS = {"anthropic": "/v1/messages", "openai": "/v1/chat/completions", "responses": "/v1/responses"}
HEADERS = {"authorization": "Bearer sk-test", "anthropic-version": "2023-06-01", "x-claude-code-session-id": "s1"}


@pytest.fixture
def provider():
    with Provider() as made:
        yield made


@pytest.fixture(scope="module")
def shaping(tmp_path_factory):
    """A provider and a proxy that shapes, for what needs no store of its own."""
    with (
        Provider() as made,
        Running(tmp_path_factory.mktemp("shaping") / "store", made.url, "--output-shaper") as proxy,
    ):
        yield made, proxy


def ask(proxy, talk, **more):
    request = {**talk.request, **more}
    if talk.shape == "responses" and "previous_response_id" not in more:
        request.setdefault("store", False)
    answer = httpx.post(proxy.url + PATHS[talk.shape], json=request, headers=HEADERS, timeout=30, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()


def head_of(request, shape):
    """What stands in front of the conversation, without marks for the cache."""
    tools = request.get("tools")
    if shape == "openai":
        leading = [turn for turn in request["messages"] if turn["role"] == "system"]
        return json.dumps([tools, leading])
    found = [tools, request.get("system"), request.get("instructions")]
    return json.dumps(found).replace(', "cache_control": {"type": "ephemeral"}', "")


def trials(store):
    return [line["trial"] for line in ledger.read(str(store)) if "trial" in line]


def test_one_head_over_ten_turns_and_three_proxies_with_other_settings(provider, tmp_path):
    store = tmp_path / "store"
    talks = {shape: Talk(shape).says("why does the build fail?") for shape in PATHS}
    flags = (["--output-shaper", "--verbosity", "3"], [], ["--output-shaper", "--verbosity", "1", "--effort", "keep"])
    turn = 0
    for chosen in flags:
        with Running(store, provider.url, *chosen) as proxy:
            for _ in range(4 if chosen else 2):
                turn += 1
                for talk in talks.values():
                    name = f"{talk.shape}{turn}"
                    hop = [Reply([call("r1", OURS, {"handle": HANDLE, "lines": "1"})])] if turn == 2 else []
                    provider.script(*hop, Reply([call(name, "Bash", {"command": "make"})]))
                    talk.heard(ask(proxy, talk)).result(name, LOG if turn == 1 else f"step {turn} done")
    assert turn == 10
    for shape, talk in talks.items():
        sent = [record for record in provider.asked if record.path.endswith(PATHS[shape])]
        assert len(sent) == 11, shape  # one more for the hop
        heads = {head_of(record.json, shape) for record in sent}
        assert len(heads) == 1, shape
        assert json.dumps(words.text(3))[1:-1] in heads.pop()
        before = []
        for record in sent:
            now = talk.turns(record.json)
            assert now[: len(before)] == before, shape
            before = now
    lines = trials(store)
    assert len(lines) == 30
    assert {(trial["level"], trial["shape"]) for trial in lines} == {(3, "chosen")}
    assert len({trial["key"] for trial in lines}) == 1  # the same first words of the same asker
    assert all("compress" not in trial for trial in lines)


def test_a_history_that_the_provider_holds_keeps_its_block(shaping):
    provider, proxy = shaping
    talk = Talk("responses").says("why?")
    answer = ask(proxy, talk, store=True)
    first = provider.asked[-1].json
    talk.items = []
    ask(proxy, talk.says("and?"), store=True, previous_response_id=answer["id"])
    second = provider.asked[-1].json
    assert first["instructions"] == second["instructions"] == words.text(2)
    assert second["previous_response_id"] == answer["id"]


def test_counts_and_bedrock_are_shaped_as_well(shaping):
    provider, proxy = shaping
    talk = Talk("anthropic").says("what does a count count?")
    path = "/v1/messages/count_tokens"
    counted = {name: value for name, value in talk.request.items() if name != "max_tokens"}
    httpx.post(proxy.url + path, json=counted, headers=HEADERS, timeout=30, trust_env=False)
    assert provider.requests[-1].json["system"][-1]["text"] == words.text(2)
    request = {name: value for name, value in talk.request.items() if name != "model"}
    request["anthropic_version"] = "bedrock-2023-05-31"
    path = "/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke"
    answer = httpx.post(proxy.url + path, json=request, headers=HEADERS, timeout=30, trust_env=False)
    assert answer.status_code == 200, answer.text
    assert provider.asked[-1].json["system"][-1]["text"] == words.text(2)
    until = time.monotonic() + 20
    while not (found := [line for line in ledger.read(str(proxy.store)) if line.get("model", "").startswith("eu.")]):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert found[0]["trial"]["stratum"].startswith("claude-sonnet|ask|")
    assert not any("trial" in line for line in ledger.read(str(proxy.store)) if not line.get("usage"))


def test_an_answer_that_is_cut_off_is_no_short_one(shaping):
    """Anthropic's streams begin with a usage of one token of output."""
    provider, proxy = shaping
    provider.script(Reply([text("word " * 400)], fault=Fault("reset", events=5)))
    for tools in ((), ("Bash",)):
        talk = Talk("anthropic", streaming=True, tools=tools).says("a question of its own")
        with contextlib.suppress(httpx.RemoteProtocolError):
            httpx.post(
                proxy.url + PATHS["anthropic"], json=talk.request, headers=HEADERS, timeout=30, trust_env=False
            )  # fmt: skip
    until = time.monotonic() + 20
    while len(found := [trial for trial in trials(proxy.store) if trial.get("cut")]) < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert {trial["stratum"].split("|")[3] for trial in found} == {"plain", "tools"}


def test_a_share_goes_as_it_came_and_says_why(provider, tmp_path):
    store = tmp_path / "store"
    talk = Talk("anthropic").says("why?").heard(answer_of("anthropic", "c1")).result("c1", LOG)
    with Running(store, provider.url, "--holdout", "1") as proxy:
        for items in (talk.items[:1], talk.items):
            request = {**talk.request, "messages": items}
            body = json.dumps(request, indent=1).encode()
            answer = httpx.post(
                proxy.url + PATHS["anthropic"], content=body, timeout=30, trust_env=False,
                headers={**HEADERS, "content-type": "application/json"},
            )  # fmt: skip
            assert provider.asked[-1].body == body
            assert "--holdout" in answer.headers["x-headroom-why-not"]
    assert [trial["compress"] for trial in trials(store)] == ["control", "control"]


def test_send_goes_on_where_a_proxy_began_and_can_be_undone(headroom, shaping, tmp_path):
    provider, proxy = shaping
    store = str(proxy.store)
    talk = Talk("anthropic").says("why does the build fail?")
    provider.script(Reply([call("c1", "Bash", {"command": "make"})]))
    talk.heard(ask(proxy, talk)).result("c1", LOG)
    provider.script(Reply([text("So.")]))
    data = json.dumps(talk.request).encode()
    saved = tmp_path / "sent.json"
    done = headroom("send", "--store", store, "--save", str(saved), stdin=data, env=environment(provider))
    assert done.returncode == 0, done.stderr
    assert provider.asked[-1].json["system"][-1]["text"] == words.text(2)
    assert engine.expand(saved.read_bytes(), Store(store)) == (data, [])
    assert next(line for line in ledger.read(store) if line["verb"] == "send")["trial"]["level"] == 2


def test_send_shapes_a_text_too(headroom, provider, tmp_path):
    store = tmp_path / "store"
    given = ("send", "--store", str(store), "--output-shaper", "--prompt", "what fails?", "--text")
    done = headroom(*given, "--model", "claude-sonnet-4-5", stdin=LOG.encode(), env=environment(provider))
    assert done.returncode == 0, done.stderr
    assert provider.asked[-1].json["system"][-1]["text"] == words.text(2)
    assert trials(store)[-1]["shape"] == "chosen"
    plain = headroom(
        "send", "--store", str(store), "--prompt", "hi", "--model", "claude-sonnet-4-5", env=environment(provider)
    )
    assert plain.returncode == 0, plain.stderr
    assert "system" not in provider.asked[-1].json


@pytest.mark.parametrize("shape", ["anthropic", "openai", "responses"])
def test_wrapped_clients_shape_where_that_is_asked_for(provider, tmp_path, shape, monkeypatch):
    def wrapped(**more):
        return lambda client: headroom_cli.wrap(client, store=str(tmp_path / "store"), **more)

    def asked(**more):
        talk = Talk(shape).says(f"why? {len(provider.asked)}")
        speaker = Speaker(shape, "whole", provider.url, wrapped(**more))
        speaker.ask(talk)
        speaker.close()
        return words.text(2).split("\n")[1] in provider.asked[-1].body.decode()

    assert asked(output_shaper=True)
    assert not asked()
    monkeypatch.setitem(os.environ, "HEADROOM_OUTPUT_SHAPER", "1")
    assert asked()
    assert not asked(output_shaper=False)
