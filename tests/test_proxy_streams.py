"""What passes through the proxy is not touched: bodies, streams at any split, their pace, and whose answer is whose."""

import asyncio
import hashlib
import json
import random
import socket

import pytest
from byte_lines import LAST, Client, Upstream, answer, ask, chunk, request, stream_head
from inputs import HOSTILE
from proxies import Running
from proxy_cases import (
    KINDS,
    NAMES,
    PATHS,
    anything,
    body_of,
    complaints,
    events_of,
    family,
    frames,
    gathered,
    inner,
    path_of,
    request_of,
    until,
)

OURS = b"retrieve_original_content"
WHY_NOT = "no hostile inputs beside this checkout"


@pytest.fixture(scope="module")
def place():
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        yield listener


@pytest.fixture(scope="module")
def proxy(place, tmp_path_factory):
    """One proxy for the tests here; each of them has a provider of its own at the same address."""
    url = f"http://127.0.0.1:{place.getsockname()[1]}"
    with Running(tmp_path_factory.mktemp("store") / "store", url) as running:
        yield running


# --- bodies

ODD = [
    '{"b":1,"a":2}', "1.10", "1E400", "-0", "-0.0", "1e-400", "123456789012345678901234567890", "0.1000", "1E+2",
    r'"\u0041\u00e9"', r'"\/"', r'"\ud83d\ude00"', r'"\ud800"', '"é 漢 😀"', '{"a":1,"a":2}', '{"a":{"a":1},"a":3}',
    "[ ]", "{ }", "[1 ,2]", '{"x" : 1 }', "[\t1,\r\n2 ]", '"\\u0000"', '"\u2028"', '{"":0}', '{"__proto__":1}',
    "[[[[[[[[]]]]]]]]", "true", "null", '"<<headroom:abcdefghijkl 5 of 9 lines>>"', '"hash=abcdef012345"',
]  # fmt: skip


def odd_bodies():
    """Yield (API, body): requests in which nothing is to be shortened, each odd in another way."""
    for at, value in enumerate(ODD):
        for name in ("anthropic", "openai", "responses"):
            said = json.dumps(body_of(name, f"{name}{at}", streaming=False))
            yield name, f'{said[:-1]},"metadata":{{"odd":{value}}}}}'.encode("utf-8", "surrogatepass")
    for at, (before, after) in enumerate((("\n", "\n\n"), (" ", ""), ("", " \t\r\n"), ("\ufeff", ""))):
        said = json.dumps(body_of("anthropic", f"space{at}"), indent=at, ensure_ascii=False)
        yield "anthropic", f"{before}{said}{after}".encode()
    for seed in range(76):
        name = ("anthropic", "openai", "responses")[seed % 3]
        value = body_of(name, f"seed{seed}", streaming=bool(seed % 2), more={"future": seed, "temperature": 0.10})
        keys = list(value)
        random.Random(seed).shuffle(keys)
        separators = ((",", ":"), (", ", ": "), (" ,", " :"))[seed % 3]
        ordered = {key: value[key] for key in keys}
        yield name, json.dumps(ordered, ensure_ascii=bool(seed % 2), separators=separators).encode()


def suite_bodies():
    """Yield (API, body) with every value of JSONTestSuite that a parser must, or may, read."""
    for at, path in enumerate(sorted((HOSTILE / "JSONTestSuite" / "test_parsing").glob("[yi]_*.json"))):
        name = ("anthropic", "openai", "responses")[at % 3]
        said = json.dumps(body_of(name, f"suite{at}", streaming=False)).encode()
        yield name, said[:-1] + b',"metadata":{"odd":' + path.read_bytes() + b"}}"


def seen_upstream(proxy, place, bodies):
    """Send bodies through the proxy; return (SHA-256 as it left, as it came, status) of each."""

    async def run():
        async with Upstream(anything, place.dup()) as upstream:
            found = []
            async with await Client.open(proxy.url) as client:
                for name, body in bodies:
                    got = await client.ask(request("POST", PATHS[name], body, [("x-api-key", "k")]))
                    came = upstream.asked.pop().body if upstream.asked else b""
                    found.append((hashlib.sha256(body).hexdigest(), hashlib.sha256(came).hexdigest(), got.status))
            return found

    return asyncio.run(run())


def test_a_body_in_which_nothing_is_shortened_goes_as_it_came(proxy, place):
    bodies = list(odd_bodies())
    assert len(bodies) == 170
    wrong = [bodies[at] for at, (left, came, status) in enumerate(seen_upstream(proxy, place, bodies))
             if left != came or status != 200]  # fmt: skip
    assert not wrong


def test_bodies_with_every_json_value_go_as_they_came(proxy, place):
    bodies = list(suite_bodies())
    if not bodies:
        pytest.skip(WHY_NOT)
    assert len(bodies) == 130
    wrong = [bodies[at] for at, (left, came, status) in enumerate(seen_upstream(proxy, place, bodies))
             if left != came or status != 200]  # fmt: skip
    assert not wrong


def test_of_a_body_that_is_shortened_only_the_string_changes(proxy, place):
    records = json.dumps([{"id": n, "name": f"item {n}", "state": "ready", "size": n * 7} for n in range(400)])
    before = (
        b' {"cache_control":{"type":"ephemeral"},"metadata" :{"odd":[1E400,1.10,"\\u0041\\/"], "odd":0},'
        b'"model":"m","max_tokens":9 ,"messages":['
        b'{"role":"user","content":"list them"},'
        b'{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"List","input":{}}]},'
        b'{"content":[{"tool_use_id":"t1","type":"tool_result","content":'
    )
    after = b' , "is_error":false}],"role":"user"}  ]}\n'
    body = before + json.dumps(records).encode() + after

    async def run():
        async with Upstream(anything, place.dup()) as upstream:
            got = await ask(proxy.url, request("POST", "/v1/messages", body))
            return got, upstream.asked[0].body

    got, came = asyncio.run(run())
    assert got.status == 200
    assert came.startswith(before)
    assert came.endswith(after)
    middle = came[len(before) : len(came) - len(after)]
    assert isinstance(json.loads(middle), str)  # exactly one string literal stands where the other was
    assert len(middle) < len(json.dumps(records)) * 0.8
    assert int(got.header("x-headroom-tokens-saved")) > 0
    assert int(got.header("x-headroom-tokens-before")) > int(got.header("x-headroom-tokens-after"))


# --- streams


def splits(data, seed):
    """Cut data at one, two, or every place."""
    chosen = random.Random(seed)
    ways = [[data], [data[at : at + 1] for at in range(len(data))] if len(data) < 400 else [data[:1], data[1:]]]
    for _ in range(2):
        at = sorted(chosen.sample(range(len(data) + 1), min(2, len(data))))
        ways.append([data[: at[0]], data[at[0] : at[-1]], data[at[-1] :]])
    return ways


def stream_cases(*, vectors=True):
    """Yield (API, pieces): the vectors of the SSE grammar, and streams of every API with calls, cut in many ways."""
    grammar = HOSTILE / "own-generated" / "sse_vectors.json"
    if vectors and grammar.exists():
        for at, vector in enumerate(json.loads(grammar.read_text())):
            data = bytes.fromhex(vector["hex"] or "61" * 100_000)
            for pieces in splits(data + b"\n\ndata: [DONE]\n\n", at):
                yield "openai", pieces
    comment = b": OPENROUTER PROCESSING\n\n"
    for name in NAMES:
        events = events_of(name, "All work 漢 😀 no play.\n", 8, calls=True)
        whole = b"".join(events)
        yield name, events
        yield name, [whole.replace(b"\n", b"\r\n")] if name != "bedrock" else [whole]
        if name == "openai":
            yield name, [comment, whole[:50], whole[50:] + comment]
        for seed in range(8):
            for pieces in splits(whole, seed)[1:]:
                yield name, pieces
        yield name, [whole[at : at + 1] for at in range(600)] + [whole[600:]]


async def passed(proxy, place, cases, *, tools=False):
    """Return (bytes that the provider sent, what the client got) of each case."""
    table = {str(at): case for at, case in enumerate(cases)}

    async def serve(asked, line):
        name, pieces = table[asked.nonce]
        await line.write(stream_head(KINDS[name]))
        for at, piece in enumerate(pieces):
            await line.write(chunk(piece) if piece else b"")
            if at % 50 < 3:
                await asyncio.sleep(0.001)  # on its way before the next
        await line.write(LAST)

    async def several(numbers):
        found, client = [], await Client.open(proxy.url)
        for at in numbers:
            found.append((at, await client.ask(request_of(table[at][0], at, tools=tools))))
            if found[-1][1].ended != "whole":
                await client.close()
                client = await Client.open(proxy.url)
        await client.close()
        return found

    async with Upstream(serve, place.dup()):
        found = [pair for part in await gathered(several(list(table)[at::8]) for at in range(8)) for pair in part]
    return [(b"".join(table[at][1]), got) for at, got in found]


def test_streams_pass_as_bytes_however_they_are_cut(proxy, place):
    cases = list(stream_cases())
    assert len(cases) > (200 if HOSTILE.exists() else 90)
    found = asyncio.run(passed(proxy, place, cases))
    assert len(found) == len(cases)
    for sent, got in found:
        assert (got.status, got.ended) == (200, "whole"), (sent[:300], got)
        assert got.body == sent


@pytest.mark.parametrize("name", ["anthropic", "openai", "responses"])
def test_events_too_long_to_be_held_do_not_hide_the_end(proxy, place, name):
    data = b"".join(events_of(name, "x" * 100_000, 2, calls=True, size=1_000_000))
    cases = [
        (name, [data[at : at + size] for at in range(0, len(data), size)]) for size in (997, 4096, 65_536, 100_000)
    ]
    for sent, got in asyncio.run(passed(proxy, place, cases)):
        assert (got.status, got.ended) == (200, "whole"), got
        assert got.body == sent


def test_a_stream_with_our_tool_in_its_request_says_the_same(proxy, place):
    cases = list(stream_cases(vectors=False))[::2]
    found = asyncio.run(passed(proxy, place, cases, tools=True))
    assert len(found) > 40
    for sent, got in found:
        assert (got.status, got.ended) == (200, "whole"), (sent, got.headers, got.body)
        if got.header("content-type") == KINDS["bedrock"]:  # frames are made anew; what they hold is not
            assert inner(got.body) == inner(sent)
        else:
            assert got.body == sent


@pytest.mark.parametrize("tools", [False, True], ids=["plain", "with our tool"])
@pytest.mark.parametrize("name", NAMES)
def test_an_event_is_there_before_the_next_is_made(proxy, place, name, tools):
    """No clock: the provider makes no event before the client has the one before it."""
    events = events_of(name, "word ", 40)
    have = {"events": 0}
    count = (lambda data: len(frames(data))) if name == "bedrock" else (lambda data: data.count(b"\n\n"))

    async def serve(asked, line):
        assert asked.path == path_of(name, streaming=True)
        assert (OURS in asked.body) == tools
        await line.write(stream_head(KINDS[name]))
        for number, event in enumerate(events):
            await line.write(chunk(event))
            await until(lambda number=number: have["events"] > number, what="an event")
        await line.write(LAST)

    async def run():
        async with Upstream(serve, place.dup()):
            got = await ask(
                proxy.url, request_of(name, "pace", tools=tools), lambda got: have.update(events=count(got.body))
            )
        assert got.ended == "whole"
        assert got.framing == "chunked"
        assert got.header("content-type") == KINDS[name]
        assert count(got.body) == len(events)

    asyncio.run(run())


# --- whose answer is whose


def mixed(count):
    """Yield (request, what its answer must hold): many kinds in turn, each with its own nonce."""
    names = ("anthropic", "openai", "responses")
    for at in range(count):
        name, nonce = names[at % 3], f"n{at}"
        kind = at % 10
        if kind < 4:
            yield request_of(name, nonce, streaming=False), nonce
        elif kind < 6:
            yield request_of(name, nonce), nonce
        elif kind == 6:
            yield request("POST", "/v1/embeddings", {"model": "m", "input": f"nonce-{nonce}-end"}), nonce
        elif kind == 7:
            yield request_of(name, nonce, said="word " * 5000, streaming=False), nonce
        elif kind == 8:
            yield request("GET", "/livez"), None
        else:
            yield request("POST", "/v1/messages/count_tokens", body_of("anthropic", nonce, streaming=False)), nonce


def test_a_thousand_requests_on_one_connection_get_their_own_answers(proxy, place):
    cases = list(mixed(1000))

    async def run():
        async with Upstream(anything, place.dup()) as upstream:
            client = await Client.open(proxy.url)
            for at, (data, nonce) in enumerate(cases):
                got = await client.ask(data)
                assert (got.status, got.ended) == (200, "whole"), (at, got)
                if nonce:
                    assert got.header("x-nonce") == nonce
                if at % 100 == 50:
                    # The provider closes what is idle; the next request must not meet that.
                    for line in list(upstream.lines):
                        await line.end("close")
                    await until(lambda: not upstream.lines, what="the end of idle connections")
            await client.close()
            assert upstream.opened <= 30

    asyncio.run(run())


def test_requests_sent_before_the_answer_came_are_answered_in_order(proxy, place):
    cases = [case for case in mixed(220) if case[1]]

    async def run():
        async with Upstream(anything, place.dup()), await Client.open(proxy.url) as client:
            for start in range(0, len(cases), 20):
                batch = cases[start : start + 20]

                async def answers(batch=batch):
                    return [await client.receive() for _ in batch]

                found, _ = await asyncio.gather(answers(), client.send(b"".join(data for data, _ in batch)))
                assert [got.header("x-nonce") for got in found] == [nonce for _, nonce in batch]
                assert all((got.status, got.ended) == (200, "whole") for got in found)

    asyncio.run(run())


def test_no_answer_is_given_twice(proxy, place):
    given = []

    async def serve(_asked, line):
        given.append(len(given))
        await line.write(answer(b'{"content":[],"number":%d}' % given[-1], headers=[("cache-control", "max-age=999")]))

    async def run():
        async with Upstream(serve, place.dup()):
            same = request_of("anthropic", "same", streaming=False)
            told = [(await ask(proxy.url, same)).json["number"] for _ in range(5)]
            models = [(await ask(proxy.url, request("GET", "/v1/models"))).json["number"] for _ in range(3)]
        assert told + models == list(range(8))

    asyncio.run(run())


def test_nothing_went_wrong_in_the_proxy(proxy):
    """Runs last: whatever the tests above met, no exception was written."""
    assert len(family(proxy.pid)) >= 2
    assert not complaints(proxy)
