"""The proxy for as long and as often as a night has room for: every break, every leaving, slow readers, a soak."""

import asyncio
import socket
import sys
import time

import pytest
from byte_lines import Client, Upstream, ask, chunk, request, stream_head
from conftest import ROOT, clean_environment
from proxies import Running
from proxy_cases import anything, clients, complaints, events_of, family, request_of, resident
from test_proxy_faults import breaks, broken
from test_proxy_lifetime import leave, leavings

pytestmark = pytest.mark.long


@pytest.fixture
def place():
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        yield listener


@pytest.fixture
def at(place):
    return f"http://127.0.0.1:{place.getsockname()[1]}"


def test_every_break_is_told(place, at, tmp_path):
    with Running(tmp_path / "store", at, "--timeout", "10") as proxy:
        cases = list(breaks())
        assert len(cases) > 6000
        wrong, asked, _ = asyncio.run(broken(proxy, place, cases))
        print(f"{len(cases) - len(wrong)} of {len(cases)} breaks told")
        assert not wrong, (len(wrong), wrong[:10])
        assert len(asked) == len(set(asked)) == len(cases)
        assert not complaints(proxy)


def test_three_hundred_who_leave(place, at, tmp_path):
    with Running(tmp_path / "store", at) as proxy:
        waited = asyncio.run(leave(proxy, place, list(leavings(50))))
        soon = sum(seconds <= 0.5 for seconds in waited)
        print(f"{soon} of {len(waited)} calls ended within 0.5 s, longest {waited[-1]:.3f} s")
        assert (soon, len(waited)) == (300, 300)
        assert not complaints(proxy)


def test_clients_that_never_read_cost_little(place, at, tmp_path):
    event = events_of("anthropic", "word " * 200, 1, size=10_000)[2]
    head = b"".join(map(chunk, events_of("anthropic")[:2]))
    sent = [0]

    async def serve(asked, line):
        if asked.nonce != "endless":
            return await anything(asked, line)
        await line.write(stream_head() + head)
        while True:
            await line.write(chunk(event) * 20)
            sent[0] += 20 * len(event)
            await asyncio.sleep(0)

    async def times(proxy, count):
        found = []
        async with await Client.open(proxy.url) as client:
            for _ in range(count):
                before = time.perf_counter()
                assert (await client.ask(request_of("anthropic", streaming=False))).status == 200
                found.append(time.perf_counter() - before)
                await asyncio.sleep(0.01)
        return sorted(found)[int(count * 0.99)] * 1000

    async def run(proxy):
        async with Upstream(serve, place.dup()):
            before_ms = await times(proxy, 500)
            before = sum(map(resident, family(proxy.pid)))
            deaf = [await Client.open(proxy.url, limit=1024) for _ in range(100)]
            for number, client in enumerate(deaf):
                client.writer.transport.pause_reading()
                await client.send(request_of("anthropic", "endless", tools=bool(number % 2)))
            await asyncio.sleep(10)
            during_ms = await times(proxy, 500)
            await asyncio.sleep(40)
            growth = sum(map(resident, family(proxy.pid))) - before
            for client in deaf:
                client.writer.transport.abort()
            return before_ms, during_ms, growth

    with Running(tmp_path / "store", at) as proxy:
        before_ms, during_ms, growth = asyncio.run(run(proxy))
        print(f"100 who never read, {sent[0] / 1e6:.0f} MB offered: {growth / 1e6:.1f} MB more; "
              f"p99 of others {before_ms:.1f} -> {during_ms:.1f} ms")  # fmt: skip
        assert growth <= 100 * 65_536 + 16_000_000
        assert during_ms < before_ms * 1.2 + 5
        assert not complaints(proxy)


def test_ten_minutes_of_two_hundred_streams(tmp_path):
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import _proxy_stacks as stacks
        import proxy as benchmark
        import uvloop
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    upstream = stacks.Upstream()
    try:
        with Running(tmp_path / "store", upstream.url, environment=clean_environment(tmp_path)) as proxy:
            stack = stacks.Stack("headroom", proxy.url)
            stack.process = proxy.process
            found = uvloop.run(benchmark.soaked(stack, 600))
            print(f"{found.sums}, {found.growth:+.1f} MB, descriptors {found.before} -> {found.after}, "
                  f"p99 {benchmark.percentile(found.late, 0.99):.1f} ms")  # fmt: skip
            assert found.sums["wrong"] == 0
            assert min(found.sums[name] for name in ("whole", "left", "broken and told")) > 100
            assert found.growth < 20
            assert found.after <= found.before + 2
            assert benchmark.percentile(found.late, 0.99) < 50
            assert not complaints(proxy)
    finally:
        upstream.close()


def test_five_hundred_half_open_connections_hold_up_nobody(place, at, tmp_path):
    async def run(proxy):
        async with Upstream(anything, place.dup()):
            lines = await clients(proxy.url, 500)
            for line in lines:
                await line.send(b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le")
            worst = 0.0
            for _ in range(200):
                before = time.perf_counter()
                assert (await ask(proxy.url, request("GET", "/livez"))).status == 200
                worst = max(worst, time.perf_counter() - before)
                await asyncio.sleep(0.04)
            answers = await asyncio.gather(*(line.receive() for line in lines))
            for line in lines:
                await line.close()
            return worst, answers

    with Running(tmp_path / "store", at) as proxy:
        worst, answers = asyncio.run(run(proxy))
        print(f"500 half-open connections: the longest answer took {worst * 1000:.1f} ms")
        assert {got.status for got in answers} == {408}
        assert worst < 1
        assert not complaints(proxy)
