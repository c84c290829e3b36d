"""A picture that was made smaller: the model asks for the original within the turn, and sees it as a picture."""

import hashlib
import http.client
import json
import urllib.parse

import pytest

pytest.importorskip("PIL")

from pictures import media_of, part, read, screenshot, size_of
from provider import Provider, Reply, call, text
from proxies import Running
from proxy_cases import KEYS, path_of
from talks import NAMES, OURS, Talk, environment

from headroom_cli import harness
from headroom_cli.store import grants

PAGE = screenshot()
HANDLE = grants.head(hashlib.sha256(PAGE).hexdigest(), grants.LENGTH)
ASK = call("r1", OURS, {"handle": HANDLE})
CORNER = call("r1", OURS, {"handle": HANDLE, "area": "10,10,400,200"})


@pytest.fixture(scope="module")
def provider():
    with Provider() as made:
        yield made


@pytest.fixture
def send(headroom, provider):
    def run(talk):
        backend = {"responses": "openai"}.get(talk.name, talk.name)
        done = headroom(
            "send", "--backend", backend, "--message", stdin=json.dumps(talk.request).encode(),
            env=environment(provider),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    return run


def shown(name, value):
    """The parts of an output, or of a turn, as they came to the provider."""
    shape = "anthropic" if name == "bedrock" else name
    found = {}
    for turn in value["input" if shape == "responses" else "messages"]:
        if shape == "anthropic" and isinstance(turn["content"], list):
            for block in turn["content"]:
                if block["type"] == "tool_result":
                    found[block["tool_use_id"]] = block["content"]
        elif turn.get("type") == "function_call_output":
            found[turn["call_id"]] = turn["output"]
        elif turn.get("role") == "tool":
            found[turn["tool_call_id"]] = turn["content"]
        elif turn.get("role") == "user" and isinstance(turn["content"], list):
            found["user"] = turn["content"]
    return found


def original(name, value):
    """The original that the model asked for, in the way that its API gives pictures."""
    parts = shown(name, value)
    if name != "openai":
        (picture,) = parts["r1"]
        return read(picture)
    assert parts["r1"] == "This original is a picture: it stands in the next message."
    note, picture = parts["user"]
    assert note["text"] == harness.ORIGINAL
    return read(picture)


def begun(name, streaming, send, provider):
    shape = "anthropic" if name == "bedrock" else name
    talk = Talk(name, streaming=streaming).says("what does the page say?")
    provider.script(Reply([text("I look."), call("toolu_1", "Bash", {"command": "shot page.png"})]))
    talk.heard(send(talk))
    return talk.result("toolu_1", [part(shape, PAGE)])


@pytest.mark.parametrize("streaming", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("name", NAMES)
def test_the_model_sees_the_original_and_later_requests_have_it(name, streaming, send, provider):
    talk = begun(name, streaming, send, provider)
    provider.script(Reply([text("Closer. "), ASK]), Reply([text("It says 991.")]))
    message = send(talk)
    assert talk.texts(message) == "Closer. It says 991."
    first, second = (request.json for request in provider.requests[-2:])
    note, picture = shown(name, first)["toolu_1"]
    assert note["text"].startswith(f"<<headroom:{HANDLE} original of 1400x900 pixels, here ")
    assert size_of(read(picture)[0]) < (1400, 900)
    assert original(name, second) == (PAGE, "image/png")
    assert talk.turns(second)[: len(talk.turns(first))] == talk.turns(first)
    talk.heard(message).says("and the title?")
    provider.script(Reply([text("None.")]))
    send(talk)
    third = provider.requests[-1].json
    assert talk.turns(third)[: len(talk.turns(second))] == talk.turns(second)


@pytest.mark.parametrize("name", ["anthropic", "openai", "responses"])
def test_a_part_of_the_original_is_enough(name, send, provider):
    talk = begun(name, False, send, provider)
    provider.script(Reply([text("Closer. "), CORNER]), Reply([text("It says 991.")]))
    send(talk)
    data, media = original(name, provider.requests[-1].json)
    assert size_of(data) == (400, 200)
    assert media == media_of(data) == "image/png"


def test_lines_of_a_picture_are_refused_in_words(send, provider):
    talk = begun("anthropic", False, send, provider)
    provider.script(Reply([call("r1", OURS, {"handle": HANDLE, "lines": "1:9"})]), Reply([text("ok")]))
    send(talk)
    assert "is a picture" in talk.results(provider.requests[-1].json)["r1"]


def test_beside_calls_of_the_clients_tools_chat_says_to_ask_alone(send, provider):
    talk = begun("openai", False, send, provider)
    provider.script(Reply([text("Both. "), ASK, call("toolu_2", "Bash", {"command": "df"})]))
    message = send(talk)
    assert talk.calls(message) == [("toolu_2", "Bash")]
    talk.heard(message).result("toolu_2", "overlay 100%")
    provider.script(Reply([text("Done.")]))
    send(talk)
    assert "Ask for it alone" in shown("openai", provider.requests[-1].json)["r1"]


@pytest.fixture(scope="module")
def proxy(provider, tmp_path_factory):
    with Running(tmp_path_factory.mktemp("pictures") / "store", provider.url) as running:
        yield running


def through(proxy, name):
    """Send a talk's requests through the proxy."""

    def run(talk):
        place = urllib.parse.urlsplit(proxy.url)
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
        headers = {"content-type": "application/json", **dict(KEYS[name])}
        connection.request("POST", path_of(name, streaming=False), json.dumps(talk.request), headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == 200, body
        run.headers = answer.headers
        return json.loads(body)

    return run


@pytest.mark.parametrize("name", ["anthropic", "openai", "responses"])
def test_the_proxy_does_the_same(name, proxy, provider):
    send = through(proxy, name)
    talk = begun(name, False, send, provider)
    provider.script(Reply([text("Closer. "), ASK]), Reply([text("It says 991.")]))
    message = send(talk)
    assert int(send.headers["x-headroom-tokens-saved"]) > 200
    assert talk.texts(message).endswith("It says 991.")
    first, second = (request.json for request in provider.requests[-2:])
    assert size_of(read(shown(name, first)["toolu_1"][1])[0]) < (1400, 900)
    assert original(name, second) == (PAGE, "image/png")
    talk.heard(message).says("and the title?")
    provider.script(Reply([text("None.")]))
    send(talk)
    third = provider.requests[-1].json
    assert talk.turns(third)[: len(talk.turns(second))] == talk.turns(second)
