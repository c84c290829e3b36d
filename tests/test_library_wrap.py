"""Clients of the official SDKs that are wrapped: their callers see no difference, their providers see less."""

import asyncio
import json
import os
import re
import threading

import pytest
from clients import run_client
from conftest import ROOT
from pictures import part, screenshot
from provider import Fault, Provider, Reply, call, text, thinking
from scenarios import TABLE, scripted
from scenarios_play import play
from talks import LOG, OURS, Talk, handle_of
from test_proxy_clients import Pair
from wrapped import MODES, Speaker, asked, wrapping

import headroom_cli
from headroom_cli.library import going

HANDLE = handle_of(LOG)
SHAPES = ("anthropic", "openai", "responses")
ORIGINAL = "2026-01-01T00:01:17Z INFO worker 77 took batch 2849\n"


class Address:
    """Where a proxy would be: the provider itself."""

    def __init__(self, url):
        self.url = url


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    store = str(tmp_path_factory.mktemp("wrap") / "store")
    with Provider() as direct, Provider() as behind:
        direct.script(scripted({}))
        behind.script(scripted({}))
        made = Pair(direct, behind, Address(behind.url))
        made.clients = wrapping(store)
        yield made


@pytest.fixture
def provider():
    with Provider() as made:
        yield made


@pytest.fixture
def speaker(provider, tmp_path):
    """Make speakers of wrapped clients, which are closed in the end."""
    made = []

    def make(shape, mode="whole", key="sk-test", store=tmp_path / "store", wrapped=None, **more):
        def wrap(client):
            return headroom_cli.wrap(client, store=str(store), **(wrapped or {}))

        made.append(Speaker(shape, mode, provider.url, wrap, key=key, **more))
        return made[-1]

    make.store = tmp_path / "store"
    yield make
    for one in made:
        one.close()


def begun(speaker, provider, output=LOG):
    """A conversation whose first output was long: the model has called Bash, and its result goes out next."""
    talk = Talk(speaker.shape).says("why does the build fail?")
    provider.script(Reply([thinking("let me see"), text("I look."), call("toolu_1", "Bash", {"command": "make"})]))
    message = speaker.ask(talk)
    assert talk.calls(message) == [("toolu_1", "Bash")]
    return talk.heard(message).result("toolu_1", output)


def fetches(*more):
    """A model that asks for the original, and says something afterwards."""
    asks = Reply([text("Fetching. "), call("r1", OURS, {"handle": HANDLE, "grep": "worker 77 "})])
    return asks, *(more or [Reply([text("It took batch 2849.")])])


# What is no conversation passes a wrapped client as the object that it is: of those, a few are enough at each commit.
EVERY = [
    pytest.param(name, marks=() if made.body != "same" or number % 3 == 0 else pytest.mark.long)
    for number, (name, made) in enumerate(TABLE.items())
]


@pytest.mark.parametrize("name", EVERY)
def test_the_callers_of_wrapped_clients_see_no_difference(pair, name):
    direct = play(name, pair.direct.url, "newest")
    wrapped = play(name, pair.behind.url, "newest", pair.clients)
    pair.compare(name, "newest", {"direct": direct, "proxy": wrapped})


@pytest.mark.long
@pytest.mark.parametrize("name", TABLE)
def test_nor_do_they_when_somebody_is_told_of_every_answer(pair, name, tmp_path):
    seen = []
    clients = wrapping(str(tmp_path / "store"), on_pipeline_event=lambda event: seen.append(event.stage))
    direct = play(name, pair.direct.url, "told")
    if name == "gpt_streaming_response":  # what was read for somebody is handed on decoded
        direct[1].remove(["content-encoding", "gzip"])
    wrapped = play(name, pair.behind.url, "told", clients)
    pair.compare(name, "told", {"direct": direct, "proxy": wrapped})
    assert seen[:1] in ([], ["setup"])


OLDER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from scenarios import TABLE
from scenarios_play import play
from wrapped import wrapping
direct, behind, store = sys.argv[2:5]
clients = wrapping(store)
print(json.dumps([
    [name, play(name, direct, "older"), play(name, behind, "older", clients)]
    for name, made in TABLE.items() if made.older
]))
"""


@pytest.mark.long
def test_the_callers_of_older_sdks_see_no_difference(tmp_path):
    with Provider() as direct, Provider() as behind:
        direct.script(scripted({}))
        behind.script(scripted({}))
        pair = Pair(direct, behind, Address(behind.url))
        seen = run_client(OLDER, ROOT / "tests", direct.url, behind.url, tmp_path / "store", home=tmp_path)
        for name, first, second in seen:
            pair.compare(name, "older", {"direct": first, "proxy": second})
        assert len(seen) >= 40


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", SHAPES)
def test_an_original_is_fetched_within_one_turn(shape, mode, speaker, provider):
    one = speaker(shape, mode)
    talk = begun(one, provider)
    assert talk.declared(provider.requests[-1].json) == ["Bash", OURS]
    one = speaker(shape, mode)  # another client of the same program: nothing is held in the first
    provider.script(*fetches(Reply([text("Worker 77. "), call("toolu_2", "Bash", {"command": "df"})])))
    before = len(provider.requests)
    message = one.ask(talk)
    assert len(provider.requests) == before + 2
    assert talk.texts(message) == "Fetching. Worker 77. "
    assert talk.calls(message) == [("toolu_2", "Bash")]
    assert talk.stopped(message) in {True, None}
    assert talk.output_tokens(message) == 14  # of both hops
    first, second = (record.json for record in provider.requests[-2:])
    assert f"<<headroom:{HANDLE} " in talk.results(first)["toolu_1"]
    assert talk.turns(second)[: len(talk.turns(first))] == talk.turns(first)
    assert talk.results(second)["r1"] == ORIGINAL
    assert second["tools"] == first["tools"]
    # The client goes on with what it saw; the provider gets what it said and was told.
    provider.script(Reply([text("Done.")]))
    talk.heard(message).result("toolu_2", "overlay 100%")
    speaker(shape, mode).ask(talk)
    third = provider.requests[-1].json
    assert talk.turns(third)[: len(talk.turns(second))] == talk.turns(second)
    assert third["tools"] == first["tools"]


OLDER_TALK = """
import json, sys
sys.path.insert(0, sys.argv[1])
import headroom_cli
from talks import Talk
from wrapped import MODES, Speaker
url, store, log = sys.argv[2:5]
seen = []
for shape in ("anthropic", "openai", "responses"):
    for mode in MODES:
        if (shape, mode) == ("openai", "async stream"):
            continue  # that helper takes strict tools alone
        talk = Talk(shape).says("why does the build fail?")
        def ask():
            return Speaker(shape, mode, url, lambda client: headroom_cli.wrap(client, store=store)).ask(talk)
        talk.heard(ask()).result("toolu_1", open(log).read())
        message = ask()
        seen.append([shape, mode, talk.texts(message), talk.calls(message)])
print(json.dumps(seen))
"""


@pytest.mark.long
def test_older_sdks_are_served_originals_too(provider, tmp_path):
    (tmp_path / "log").write_text(LOG)
    asks = Reply([text("I look."), call("toolu_1", "Bash", {"command": "make"})])
    provider.script(*[reply for _ in range(17) for reply in (asks, *fetches())])
    seen = run_client(
        OLDER_TALK, ROOT / "tests", provider.url, tmp_path / "store", tmp_path / "log", home=tmp_path
    )  # fmt: skip
    assert len(seen) == 17
    assert all(said == "Fetching. It took batch 2849." and not calls for _, _, said, calls in seen)
    assert len(provider.requests) == 51


def test_the_client_is_the_same_object_and_so_is_its_bytes_where_nothing_is_to_be_done(provider, tmp_path):
    import anthropic

    with anthropic.DefaultHttpxClient(verify=False, trust_env=False) as pool:
        client = anthropic.Anthropic(base_url=provider.url, api_key="k", http_client=pool)
        assert headroom_cli.wrap(client, store=str(tmp_path / "s")) is client
        assert isinstance(client, anthropic.Anthropic)
        assert headroom_cli.wrap(client) is client  # once is enough
        ask = {"model": "claude-opus-4-8", "max_tokens": 9, "messages": [{"role": "user", "content": "h\u00fc \u2028"}]}
        client.messages.create(**ask)
        client.models.list()
        other = headroom_cli.unwrap(client)
        assert other is client
        assert client._client is pool
        client.messages.create(**ask)
        first, _, second = provider.requests
        assert first.body == second.body
        kept = [(name.lower(), value) for name, value in first.headers]
        assert kept == [(name.lower(), value) for name, value in second.headers]


@pytest.mark.parametrize("value", [None, 3, "client", Provider, {"_client": 1}], ids=str)
def test_other_objects_are_refused(value):
    with pytest.raises(TypeError, match="anthropic or openai"):
        headroom_cli.wrap(value)
    assert headroom_cli.unwrap(value) is value


@pytest.mark.parametrize("shape", SHAPES)
def test_another_key_is_given_nothing(shape, speaker, provider):
    talk = begun(speaker(shape), provider)
    provider.script(*fetches())
    speaker(shape).ask(talk)
    # The same words from somebody else, without the output: its marker in a text of his is only text.
    other = Talk(shape).says("why does the build fail?")
    provider.script(Reply([text("I look."), call("toolu_1", "Bash", {"command": "make"})]))
    other.heard(speaker(shape, key="sk-other").ask(other)).result("toolu_1", f"<<headroom:{HANDLE} 9 of 10 lines>>")
    provider.script(*fetches(), Reply([text("So be it.")]))
    speaker(shape, key="sk-other").ask(other)
    sent = json.dumps([record.json for record in provider.requests if "sk-other" in str(record.headers)])
    assert "stands for nothing in this conversation" in sent
    assert "worker 77 took" not in sent


@pytest.mark.parametrize("mode", ["whole", "stream", "async stream"])
def test_a_conversation_that_began_without_the_tool_never_gets_it(mode, speaker, provider):
    one = speaker("anthropic", mode)
    talk = Talk("anthropic").says("why?")
    talk.items.append({"role": "assistant", "content": [
        {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "make"}}]})  # fmt: skip
    talk.result("t1", LOG)
    provider.script(Reply([text("ok")]))
    one.ask(talk)
    sent = provider.requests[-1].json
    assert talk.declared(sent) == ["Bash"]
    assert "<<headroom" not in json.dumps(sent)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_sdk_retries_as_it_does_and_sends_the_same_again(shape, speaker, provider):
    talk = begun(speaker(shape), provider)
    busy = Reply(status=529, headers={"retry-after-ms": "1", "retry-after": "0.001"})
    provider.script(busy, *fetches())
    message = speaker(shape, max_retries=2).ask(talk)
    assert talk.texts(message) == "Fetching. It took batch 2849."
    assert len(provider.requests) == 4
    assert provider.requests[1].body == provider.requests[2].body
    assert provider.requests[1].header("x-stainless-retry-count") == "0"
    assert provider.requests[2].header("x-stainless-retry-count") == "1"


@pytest.mark.parametrize("mode", MODES)
def test_a_later_hop_that_is_refused_is_an_error_of_the_sdk(mode, speaker, provider):
    import anthropic

    one = speaker("anthropic", mode)
    talk = begun(one, provider)
    provider.script(*fetches(Reply(status=529)))
    with pytest.raises(anthropic.APIStatusError):
        speaker("anthropic", mode).ask(talk)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fault", [Fault("reset", size=90), Fault("close", size=60)], ids=["reset", "close"])
def test_a_later_hop_that_breaks_off_is_an_error_of_the_sdk(fault, mode, speaker, provider):
    import anthropic
    import httpx2

    one = speaker("anthropic", mode)
    talk = begun(one, provider)
    provider.script(*fetches(Reply([text("It took batch 2849. " * 9)], fault=fault)))
    with pytest.raises((anthropic.APIError, httpx2.TransportError)):
        speaker("anthropic", mode).ask(talk)


def test_whatever_fails_the_request_goes_as_it_came(speaker, provider, tmp_path, monkeypatch, caplog):
    talk = begun(speaker("anthropic"), provider)
    provider.script(Reply([text("ok")]))

    def broken(*_, **__):
        raise ZeroDivisionError("a text of the user's")

    monkeypatch.setattr(going.send, "ready", broken)
    speaker("anthropic").ask(talk)
    assert provider.requests[-1].json["messages"] == talk.request["messages"]
    assert "a request was not shortened: shortening failed (ZeroDivisionError)" in caplog.text
    assert "a text of the user's" not in caplog.text
    monkeypatch.undo()
    # A store that cannot be made.
    (tmp_path / "file").write_text("")
    speaker("anthropic", store=tmp_path / "file" / "store").ask(talk)
    sent = provider.requests[-1].json
    assert talk.results(sent)["toolu_1"] == LOG


@pytest.mark.parametrize(
    "header", [("x-headroom-bypass", "true"), ("content-digest", "sha-256=:AA==:"), ("authorization", "AWS4-HMAC x")]
)
def test_a_request_that_says_so_or_is_signed_is_left_alone(header, speaker, provider):
    one = speaker("anthropic")
    talk = begun(one, provider)
    one.client = one.client.with_options(default_headers=dict([header]))
    one.ask(talk)
    sent = provider.requests[-1]
    assert talk.results(sent.json)["toolu_1"] == LOG
    names = {name.lower() for name, _ in sent.headers}
    assert (header[0] in names) == (not header[0].startswith("x-headroom"))


def test_what_names_a_session_is_for_this_program_alone(speaker, provider):
    one = speaker("anthropic")
    one.client = one.client.with_options(default_headers={"x-headroom-session-id": "mine", "x-other": "kept"})
    talk = begun(one, provider)
    one.ask(talk)
    sent = provider.requests[-1]
    assert "<<headroom" in json.dumps(sent.json)
    names = {name.lower() for name, _ in sent.headers}
    assert "x-other" in names
    assert not any(name.startswith("x-headroom") for name in names)


def test_no_markers_where_none_are_wanted(speaker, provider):
    one = speaker("anthropic", wrapped={"policy": {"redeem": "none"}})
    talk = begun(one, provider)
    one.ask(talk)
    sent = provider.requests[-1].json
    assert talk.declared(sent) == ["Bash"]
    assert "<<headroom" not in json.dumps(sent)


@pytest.mark.parametrize("mode", ["whole", "stream", "async"])
def test_what_is_told_of_a_request(mode, speaker, provider):
    stages = []

    def told(event):
        stages.append((event.stage, event.outcome, (event.response or {}).get("hops")))

    talk = begun(speaker("anthropic"), provider)
    provider.script(*fetches())
    speaker("anthropic", mode, wrapped={"on_pipeline_event": told}).ask(talk)
    names = [stage for stage, _, _ in stages if stage not in {"setup", "pre_start", "post_start"}]
    assert names == [
        "input_received", "input_cached", "input_routed", "input_compressed", "input_remembered", "pre_send",
        "post_send", "post_send", "response_received",
    ]  # fmt: skip
    assert stages[-1] == ("response_received", "answered", 2)


@pytest.mark.parametrize("mode", ["whole", "stream", "async stream"])
def test_what_is_told_where_no_tool_is_and_where_the_provider_refuses(mode, speaker, provider):
    import anthropic

    seen = []

    def told(event):
        if event.stage in {"post_send", "response_received"}:
            usage = (event.response or {}).get("usage") or {}
            seen.append((event.stage, event.outcome, (event.response or {}).get("status"), usage.get("output_tokens")))

    plain = Talk("anthropic", tools=()).says("hello")
    provider.script(Reply([text("ok")]), Reply(status=400))
    wrapped = {"on_pipeline_event": told}
    speaker("anthropic", mode, wrapped=wrapped).ask(plain)
    with pytest.raises(anthropic.BadRequestError):
        speaker("anthropic", mode, wrapped=wrapped).ask(plain)
    assert seen == [
        ("post_send", "", None, None), ("response_received", "answered", 200, 7),
        ("post_send", "", None, None), ("response_received", "refused", 400, None),
    ]  # fmt: skip


def test_a_header_that_a_plugin_adds_goes_out(speaker, provider):
    def told(event):
        if event.stage == "pre_send":
            event.headers["anthropic-beta"] = "a-beta-2026-01-01"
            return event
        return None

    begun(speaker("anthropic", wrapped={"on_pipeline_event": told}), provider)
    assert provider.requests[-1].header("anthropic-beta") == "a-beta-2026-01-01"


def test_many_threads_share_one_client(speaker, provider):
    one = speaker("anthropic")
    provider.script(Reply([text("ok")]))
    failed = []

    def ask(number):
        try:
            for turn in range(4):
                talk = Talk("anthropic").says(f"{number} {turn}?")
                assert talk.texts(one.ask(talk)) == "ok"
        except Exception as error:  # noqa: BLE001 (told below)
            failed.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(provider.requests) == 32


def test_a_stream_that_is_left_closes_its_connection(speaker, provider):
    one = speaker("anthropic")
    talk = begun(one, provider)
    provider.script(Reply([text("word " * 2000)], pieces=1))
    with one.client.messages.create(**{**asked(talk), "stream": True}) as stream:
        next(iter(stream))
    assert provider.wait_gone(count=1).phase in {"head", "body"}


def test_a_forked_child_uses_a_client_of_its_own(speaker, provider):
    one = speaker("anthropic")
    talk = begun(one, provider)
    provider.script(Reply([text("ok")]))
    child = os.fork()
    if not child:
        status = 1
        try:
            other = speaker("anthropic")
            status = 0 if talk.texts(other.ask(talk)) == "ok" else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert f"<<headroom:{HANDLE} " in talk.results(provider.requests[-1].json)["toolu_1"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["whole", "stream"])
def test_connections_are_used_again_as_they_are_without(shape, mode, speaker, provider):
    ports = []
    for one in (Speaker(shape, mode, provider.url), speaker(shape, mode)):
        provider.script(Reply([text("ok")]))
        before = provider.ports
        for number in range(3):
            one.ask(Talk(shape).says(f"{number}?"))
        ports.append(provider.ports - before)
        one.close()
    assert ports[0] == ports[1]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_client_that_leaves_at_the_last_event_may_go_on(shape, speaker, provider):
    one = speaker(shape)
    talk = begun(one, provider)
    provider.script(*fetches(Reply([text("Done.")])))
    create = one.part(one.client).create
    with create(**{**asked(talk), "stream": True}) as stream:
        for event in stream:
            done = event.choices[0].finish_reason if shape == "openai" else event.type
            if done in {"message_stop", "stop", "response.completed"}:
                break
    said = {
        "anthropic": {"content": [{"type": "text", "text": "Fetching. "}, {"type": "text", "text": "Done."}]},
        "openai": {"choices": [{"message": {"role": "assistant", "content": "Fetching. Done."}}]},
        "responses": None,
    }[shape]
    if said is None:
        said = event.response.to_dict()
    provider.script(Reply([text("ok")]))
    one.ask(talk.heard(said).says("and now?"))
    assert talk.results(provider.requests[-1].json)["r1"] == ORIGINAL


def test_keys_are_written_nowhere(speaker, provider, tmp_path):
    key = "sk-canary-5d1f0a77"
    for shape in SHAPES:
        provider.script(*fetches())
        talk = begun(speaker(shape, key=key), provider)
        provider.script(*fetches())
        speaker(shape, key=key).ask(talk)
    assert all(key in str(record.headers) for record in provider.requests)
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert len(files) > 3
    assert not any(key.encode() in path.read_bytes() for path in files)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_model_that_asks_again_and_again_is_told_to_stop(shape, speaker, provider):
    talk = begun(speaker(shape), provider)
    provider.script(Reply([text("Fetching. "), call("r1", OURS, {"handle": "a" * 12})]))
    before = len(provider.requests)
    message = speaker(shape).ask(talk)
    assert len(provider.requests) - before <= 4
    assert not talk.calls(message)
    assert "stands for nothing in this conversation" in json.dumps(provider.requests[-1].json)


@pytest.mark.parametrize("shape", SHAPES)
def test_pictures_go_out_smaller_and_come_back_whole(shape, speaker, provider):
    pytest.importorskip("PIL")
    data = screenshot(size=(2400, 1600))
    talk = begun(speaker(shape), provider, output=[part(shape, data)])
    provider.script(Reply([text("ok")]))
    speaker(shape).ask(talk)
    sent = provider.requests[-1]
    assert len(sent.body) < 0.9 * len(json.dumps(talk.request))
    handle = re.search(r"<<headroom:(\w+) ", sent.body.decode())[1]
    assert headroom_cli.retrieve(handle, store=str(speaker.store)) == data


@pytest.mark.parametrize("mode", ["whole", "raw", "async"])
def test_an_answer_that_only_its_client_can_read_reaches_it(mode, speaker, provider, monkeypatch):
    talk = begun(speaker("anthropic", mode), provider)
    provider.script(Reply([text("ok")]))

    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("headroom_cli.relay.Relay.end", broken)
    assert talk.texts(speaker("anthropic", mode).ask(talk)) == "ok"


@pytest.mark.parametrize("mode", ["whole", "stream", "async", "async stream"])
def test_answers_that_are_compressed_are_read(mode, speaker, provider):
    talk = begun(speaker("anthropic", mode), provider)
    asks, says = fetches()
    for reply in (asks, says):
        reply.encoding = "gzip"
    provider.script(asks, says)
    message = speaker("anthropic", mode).ask(talk)
    assert talk.texts(message) == "Fetching. It took batch 2849."


def test_what_a_raw_response_says_of_itself(speaker, provider):
    one = speaker("anthropic")
    talk = begun(one, provider)
    provider.script(*fetches())
    raw = one.client.messages.with_raw_response.create(**asked(talk))
    assert raw.status_code == 200
    assert raw.elapsed.total_seconds() > 0
    assert raw.http_response.http_version == "HTTP/1.1"
    assert int(raw.headers["content-length"]) == len(raw.http_response.content)
    assert raw.http_request.url.path == "/v1/messages"


def test_an_asynchronous_stream_that_is_cancelled_closes_its_connection(provider, tmp_path):
    talk = Talk("anthropic").says("hello")
    provider.script(Reply([text("word " * 500)], pieces=1, fault=Fault("stall", events=20)))

    async def run():
        one = Speaker(
            "anthropic", "async", provider.url, lambda client: headroom_cli.wrap(client, store=str(tmp_path / "s"))
        )

        async def read():
            async for _ in await one.client.messages.create(**{**asked(talk), "stream": True}):
                pass

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(read(), 1.0)
        await one.client.close()

    asyncio.run(run())
    assert provider.wait_gone(count=1).phase in {"head", "body"}
