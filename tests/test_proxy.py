"""The proxy as a process: what goes upstream, what comes back, what it says of itself."""

import contextlib
import gzip
import http.client
import json
import re
import time

import httpx
import pytest
import zstandard
from provider import Fault, Provider, Reply, call, text
from proxies import Running

LOG = "".join(f"2026-01-01 00:{i // 60:02d}:{i % 60:02d} INFO worker {i} processed batch {i * 3}\n" for i in range(900))
LOG += "2026-01-01 01:00:00 ERROR worker 7: disk full\n"
ANTHROPIC = {"x-api-key": "sk-ant-a", "anthropic-version": "2023-06-01"}
OPENAI = {"authorization": "Bearer sk-o"}
MARKED = re.compile(rb"<<headroom:[a-z2-7]{12,} [0-9]")
BASH = {"name": "Bash", "description": "run", "input_schema": {"type": "object"}}


@pytest.fixture(scope="module")
def provider():
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def proxy(provider, tmp_path_factory):
    with Running(
        tmp_path_factory.mktemp("proxy") / "store", provider.url, environment={"HEADROOM_DEBUG": "1"}
    ) as running:
        yield running
    assert not [line for line in running.said if "Traceback" in line or "fault" in line]


@pytest.fixture
def client(proxy):
    with httpx.Client(base_url=proxy.url, timeout=30) as opened:
        yield opened


def first(words, **more):
    """The first request of a conversation of an agent."""
    return {
        "model": "claude-opus-4-8", "max_tokens": 100, "messages": [{"role": "user", "content": words}],
        "tools": [BASH], **more,
    }  # fmt: skip


def then(request, output=LOG, number=1, command="cat worker.log"):
    """The request after the model called Bash and the client ran it."""
    turns = [
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {"command": command}},
        ]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"t{number}", "content": output}]},
    ]  # fmt: skip
    return {**request, "messages": [*request["messages"], *turns]}


def begin(client, provider, words, headers=ANTHROPIC, **more):
    """Have the first request answered by a call of Bash; return it."""
    provider.script(Reply([call("t1", "Bash", {"command": "cat worker.log"})]))
    request = first(words, **more)
    answer = client.post("/v1/messages", json=request, headers=headers)
    assert answer.status_code == 200
    return request


def sent(provider):
    return json.loads(provider.requests[-1].body)


def test_a_conversation_gets_smaller_and_says_so(client, provider):
    request = begin(client, provider, "what does the log say")
    assert [tool["name"] for tool in sent(provider)["tools"]] == ["Bash", "retrieve_original_content"]
    provider.script(Reply([text("disk full")]))
    answer = client.post("/v1/messages", json=then(request), headers=ANTHROPIC)
    assert answer.json()["content"] == [{"type": "text", "text": "disk full"}]
    shown = sent(provider)["messages"][2]["content"][0]["content"]
    assert len(shown) < len(LOG) / 10
    assert "ERROR worker 7: disk full" in shown
    assert re.search(r"<<headroom:[a-z2-7]{12,} \d+ of 901 lines>>", shown)
    before, after, saved = (int(answer.headers[f"x-headroom-tokens-{name}"]) for name in ("before", "after", "saved"))
    assert before - after == saved > before * 0.9


def test_what_was_sent_once_is_sent_again(client, provider):
    request = begin(client, provider, "read it again and again")
    provider.script(Reply([call("t2", "Bash", {"command": "cat other.log"})]))
    second = then(request)
    client.post("/v1/messages", json=second, headers=ANTHROPIC)
    one = sent(provider)
    third = then(second, LOG.replace("batch", "parcel"), 2, "cat other.log")
    client.post("/v1/messages", json=third, headers=ANTHROPIC)
    two = sent(provider)

    def plain(messages):
        return json.loads(json.dumps(messages).replace(', "cache_control": {"type": "ephemeral"}', ""))

    assert plain(two["messages"])[:3] == plain(one["messages"])
    assert two["tools"] == one["tools"]
    assert len(json.dumps(two)) < len(LOG) / 4


@pytest.mark.parametrize("stream", [False, True])
def test_an_original_is_given_to_the_model_and_the_client_sees_one_turn(client, provider, stream):
    request = begin(client, provider, f"fetch what is missing {stream}", stream=stream)

    def answers(record):
        messages = json.loads(record.body)["messages"]
        if len(messages) == 3:
            handle = re.search(rb"<<headroom:([a-z2-7]+) ", record.body)[1].decode()
            return Reply([text("let me see. "), call("r1", "retrieve_original_content", {"handle": handle})])
        return Reply([text("I saw it")])

    provider.script(answers)
    count = len(provider.requests)
    answer = client.post("/v1/messages", json=then(request), headers=ANTHROPIC)
    assert len(provider.requests) == count + 2
    assert "retrieve_original_content" not in answer.text
    assert "I saw it" in answer.text
    given = sent(provider)["messages"][-1]["content"][0]
    assert given["content"] == LOG
    hidden = provider.requests[-1].body
    # The next request of the client knows nothing of that; upstream it is all there again.
    provider.script(Reply([text("bye")]))
    said = [{"type": "text", "text": "let me see. "}, {"type": "text", "text": "I saw it"}]
    later = then(request)
    later["messages"] += [{"role": "assistant", "content": said}, {"role": "user", "content": "thanks"}]
    client.post("/v1/messages", json=later, headers=ANTHROPIC)
    kept = json.loads(hidden)["messages"]
    assert len(sent(provider)["messages"]) == len(kept) + 2
    assert sent(provider)["messages"][3] == kept[3]
    assert sent(provider)["messages"][4]["content"][0]["content"] == LOG


def test_the_count_of_tokens_is_that_of_what_is_sent(client, provider):
    request = begin(client, provider, "count it")
    counted = {name: value for name, value in then(request).items() if name != "max_tokens"}
    provider.script(Reply([text("x")]))
    answer = client.post("/v1/messages/count_tokens", json=counted, headers=ANTHROPIC)
    assert answer.status_code == 200
    one = sent(provider)
    client.post("/v1/messages", json=then(request), headers=ANTHROPIC)
    assert one["messages"][2]["content"][0]["content"] == sent(provider)["messages"][2]["content"][0]["content"]
    assert one["tools"] == sent(provider)["tools"]


def test_a_body_that_is_left_alone_goes_byte_for_byte(client, provider):
    body = b'{ "model":"c", "max_tokens":1.0e2,"n":1.10,"x":1E400,"messages":[{"role":"user","content":"\\u00e9"}]}'
    provider.script(Reply([text("x")]))
    client.post("/v1/messages?beta=true", content=body, headers={**ANTHROPIC, "content-type": "application/json"})
    assert provider.requests[-1].body == body
    assert provider.requests[-1].path.endswith("?beta=true")


@pytest.mark.parametrize("headers", [{"x-headroom-bypass": "true"}, {"x-headroom-mode": "off"}])
def test_a_request_can_switch_it_off(client, provider, headers):
    request = json.dumps(then(begin(client, provider, f"off {headers}"))).encode()
    provider.script(Reply([text("x")]))
    sent_as = {**ANTHROPIC, **headers, "content-type": "application/json"}
    answer = client.post("/v1/messages", content=request, headers=sent_as)
    assert provider.requests[-1].body == request
    assert answer.headers["x-headroom-why-not"] == "switched off for this request"
    assert not [name for name, _ in provider.requests[-1].headers if name.lower().startswith("x-headroom")]


def test_a_mode_changes_one_request(client, provider):
    request = then(begin(client, provider, "nothing may be lost"))
    provider.script(Reply([text("x")]))
    client.post("/v1/messages", json=request, headers={**ANTHROPIC, "x-headroom-mode": "lossless"})
    assert not MARKED.search(provider.requests[-1].body)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_encoded_bodies_are_read(client, provider, encoding):
    request = json.dumps(then(begin(client, provider, f"packed {encoding}"))).encode()
    packed = gzip.compress(request) if encoding == "gzip" else zstandard.compress(request)
    provider.script(Reply([text("x")]))
    sent_as = {**ANTHROPIC, "content-type": "application/json", "content-encoding": encoding}
    answer = client.post("/v1/messages", content=packed, headers=sent_as)
    assert answer.status_code == 200
    assert MARKED.search(provider.requests[-1].body)
    assert "content-encoding" not in {name.lower() for name, _ in provider.requests[-1].headers}


def test_other_shapes(client, provider):
    chat = {"model": "gpt-5", "messages": [{"role": "user", "content": "chat"}],
            "tools": [{"type": "function", "function": {"name": "Bash", "parameters": {}}}]}  # fmt: skip
    provider.script(Reply([call("c1", "Bash", {"command": "cat x"})]))
    assert client.post("/v1/chat/completions", json=chat, headers=OPENAI).status_code == 200
    asked = {"id": "c1", "type": "function", "function": {"name": "Bash", "arguments": '{"command":"cat x"}'}}
    chat["messages"] += [
        {"role": "assistant", "content": None, "tool_calls": [asked]},
        {"role": "tool", "tool_call_id": "c1", "content": LOG},
    ]
    provider.script(Reply([text("done")]))
    answer = client.post("/openai/v1/chat/completions", json=chat, headers=OPENAI)
    assert answer.json()["choices"][0]["message"]["content"] == "done"
    assert MARKED.search(provider.requests[-1].body)
    tool = {"type": "function", "name": "Bash", "parameters": {"type": "object"}}
    asked = {"model": "gpt-5", "input": [{"role": "user", "content": "responses"}], "tools": [tool]}
    provider.script(Reply([call("c1", "Bash", {"command": "cat x"})]))
    assert client.post("/v1/responses", json=asked, headers=OPENAI).status_code == 200
    asked["input"] += [
        {"type": "function_call", "call_id": "c1", "name": "Bash", "arguments": '{"command":"cat x"}'},
        {"type": "function_call_output", "call_id": "c1", "output": LOG},
    ]
    provider.script(Reply([text("done")]))
    with client.stream("POST", "/v1/responses", json={**asked, "stream": True}, headers=OPENAI) as answer:
        events = "".join(answer.iter_text())
    assert "response.completed" in events
    assert MARKED.search(provider.requests[-1].body)


def test_what_the_provider_refuses_comes_back_as_it_is(client, provider):
    provider.script(Reply(status=529, headers={"retry-after": "7"}))
    count = len(provider.requests)
    answer = client.post("/v1/messages", json=first("busy"), headers=ANTHROPIC)
    assert (answer.status_code, answer.headers["retry-after"]) == (529, "7")
    assert answer.json()["type"] == "error"
    assert len(provider.requests) == count + 1


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
def test_a_provider_that_is_not_there_is_an_error_in_its_form(tmp_path, path):
    nobody = "http://127.0.0.1:9"
    with Running(tmp_path / "store", nobody) as proxy:
        answer = httpx.post(proxy.url + path, json=first("hello"), headers=ANTHROPIC, timeout=30)
    assert answer.status_code == 502
    assert "cannot be reached" in answer.headers["x-headroom-error"]
    assert ("type" in answer.json()) == (path == "/v1/messages")
    assert "cannot be reached" in answer.json()["error"]["message"]


def test_paths_that_are_nobodys(client, provider):
    count = len(provider.requests)
    for path in ("/etc/passwd", "/v2/x", "/anthropicx/v1/messages", "/v1/../stats", "/v1/%2e%2e/livez", "/V1/messages"):
        connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", path)  # as it is: other clients walk such a path by themselves
            assert connection.getresponse().status == 404, path
    assert len(provider.requests) == count


def test_the_rest_passes(client, provider):
    provider.script(Reply([text("x")]))
    assert client.get("/v1/models", headers=ANTHROPIC).json()["data"]
    assert client.head("/").status_code in {200, 404}


def test_a_stream_that_breaks_is_seen_to_break(client, provider):
    for tools in ([], [BASH]):
        request = {**first("break", stream=True), "tools": tools}
        provider.script(Reply([text("a long answer " * 90)], fault=Fault("close", size=900)))
        got = b""
        with client.stream("POST", "/v1/messages", json=request, headers=ANTHROPIC) as answer:
            pieces = answer.iter_raw()
            with pytest.raises(httpx.HTTPError):  # noqa: PT012 - the error comes while reading
                while True:
                    got += next(pieces)
        assert b"event: error" in got
        assert b"message_stop" not in got


def test_what_failed_open_says_why(tmp_path, provider):
    store = tmp_path / "store"
    store.write_text("not a directory")
    provider.script(Reply([text("x")]))
    with Running(store, provider.url) as proxy:
        request = json.dumps(then(first("no store"))).encode()
        sent_as = {**ANTHROPIC, "content-type": "application/json"}
        answer = httpx.post(proxy.url + "/v1/messages", content=request, headers=sent_as, timeout=30)
        assert answer.status_code == 200
        assert provider.requests[-1].body == request
        assert "nothing was compressed" in answer.headers["x-headroom-why-not"]
        proxy.wait_said("nothing new is shortened: ")  # at the start, before anybody asks


def test_a_restart_changes_nothing(tmp_path, provider):
    bodies = []
    for _ in range(2):
        with Running(tmp_path / "store", provider.url) as proxy, httpx.Client(base_url=proxy.url) as client:
            request = begin(client, provider, "restart")
            provider.script(Reply([text("x")]))
            client.post("/v1/messages", json=then(request), headers=ANTHROPIC)
            bodies.append(provider.requests[-1].body)
    assert bodies[0] == bodies[1]
    assert MARKED.search(bodies[0])


def test_it_keeps_the_ledger_and_counts(tmp_path, provider):
    with Running(tmp_path / "store", provider.url) as proxy:
        with httpx.Client(base_url=proxy.url) as client:
            request = begin(client, provider, "ledger")
            provider.script(Reply([text("x")]))
            client.post("/v1/messages", json=then(request), headers=ANTHROPIC)
        until = time.monotonic() + 10  # a request is counted when its answer has gone out
        while (stats := proxy.stats())["requests"]["total"] < 2:
            assert time.monotonic() < until
        assert stats["tokens"]["saved"] > 1000
    texts = [path.read_text() for path in (tmp_path / "store" / "ledger").iterdir()]
    lines = [json.loads(line) for text in texts for line in text.splitlines()]
    assert [line["verb"] for line in lines] == ["proxy", "proxy"]
    assert lines[1]["tokens"]["before"] > lines[1]["tokens"]["after"]
    assert lines[1]["usage"]
    assert "sk-ant" not in json.dumps(lines)
