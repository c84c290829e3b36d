"""Who goes away is noticed: clients, the proxy that is told to stop, a worker that dies. What stays goes on whole."""

import asyncio
import os
import signal
import socket
import time

import pytest
from byte_lines import LAST, Client, Upstream, ask, chunk, request, stream_head
from proxies import Running
from proxy_cases import (
    KINDS,
    anything,
    clients,
    complaints,
    descriptors,
    events_of,
    family,
    gathered,
    request_of,
    sockets,
    until,
)

PHASES = ("head", "token", "middle")


@pytest.fixture
def place():
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        yield listener


@pytest.fixture
def at(place):
    """Where the provider of a test is."""
    return f"http://127.0.0.1:{place.getsockname()[1]}"


# --- clients that go


async def leave(proxy, place, cases):
    """Let a client go in each case (name, phase, streaming, tools, how); return the seconds until its call ended."""
    table = {str(number): case for number, case in enumerate(cases)}
    reached = {number: asyncio.Event() for number in table}
    left, closed = {}, {}

    async def serve(asked, line):
        if asked.nonce not in table:
            return await anything(asked, line)
        name, phase, streaming, _, _ = table[asked.nonce]
        if phase != "head":
            if streaming:
                await line.write(stream_head(KINDS[name]))
            else:
                await line.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n")
        if phase == "middle":
            for event in events_of(name)[:4] if streaming else [b'{"content":[']:
                await line.write(chunk(event) if streaming else event)
        reached[asked.nonce].set()
        await asyncio.wait_for(line.gone.wait(), 30)
        closed[asked.nonce] = line.gone_at
        return None

    async def go(number):
        name, phase, streaming, tools, how = table[number]
        client = await Client.open(proxy.url)
        await client.send(request_of(name, number, streaming=streaming, tools=tools))
        await reached[number].wait()
        if phase == "middle" and streaming:
            got = await client.head()
            async for _ in client.pieces(got):
                break
        else:
            await asyncio.sleep(0.01)
        left[number] = time.monotonic()
        if how == "reset":
            client.reset()
        else:
            await client.close()
        await until(lambda: number in closed, what="the end of a call that nobody waits for")

    async with Upstream(serve, place.dup()) as upstream:
        for _ in range(3):
            assert (await ask(proxy.url, request_of("anthropic", streaming=False))).status == 200
        await until(lambda: True)
        start = descriptors(proxy.pid)
        for number in table:
            await go(number)
        await until(lambda: descriptors(proxy.pid) <= start, what="the end of what was opened")
        assert (await ask(proxy.url, request_of("anthropic"))).status == 200
        assert upstream.opened <= 4 + len(cases)
    return sorted(closed[number] - left[number] for number in table)


def leavings(times):
    """Yield every phase in and out of a stream, with and without our tool in the request, so many times."""
    names = ("anthropic", "openai", "responses", "bedrock")
    for number in range(times):
        for phase in PHASES:
            for streaming in (True, False):
                tools, how = bool(number % 2), ("close", "reset")[number // 2 % 2]
                yield names[number % 4], phase, streaming, tools, how


def test_a_call_that_nobody_waits_for_is_ended(place, at, tmp_path):
    cases = list(leavings(5))
    with Running(tmp_path / "store", at) as proxy:
        waited = asyncio.run(leave(proxy, place, cases))
        assert len(waited) == 30
        print(f"{len(waited)} calls ended, median {waited[15] * 1000:.0f} ms, longest {waited[-1] * 1000:.0f} ms")
        assert not complaints(proxy)


# --- stopping


async def streams(proxy, place, count, then):
    """Begin streams, call ``then(lines, upstream, release)`` when all are under way, and return the answers."""
    events = events_of("anthropic", "word ", 60)
    release = asyncio.Event()

    async def serve(asked, line):
        if not asked.nonce.startswith("s"):
            return await anything(asked, line)
        await line.write(stream_head() + b"".join(map(chunk, events[:20])))
        await release.wait()
        for event in events[20:]:
            await line.write(chunk(event))
            await asyncio.sleep(0.001)
        await line.write(LAST)
        return None

    async with Upstream(serve, place.dup()) as upstream:
        opened = await clients(proxy.url, count)
        for number, client in enumerate(opened):
            await client.send(request_of("anthropic", f"s{number}", tools=bool(number % 2)))
        have = [0] * count

        async def read(number):
            def note(got):
                have[number] = len(got.body)

            got = await opened[number].receive(note)
            await opened[number].close()
            return got

        reading = [asyncio.ensure_future(read(number)) for number in range(count)]
        await until(lambda: all(size > 100 for size in have), what="the beginning of every stream")
        await then(opened, upstream, release)
        found = await asyncio.gather(*reading)
    return found, b"".join(events)


def test_who_is_told_to_stop_finishes_what_it_began(place, at, tmp_path):
    with Running(tmp_path / "store", at) as proxy:
        idle = []

        async def stop(_opened, _upstream, release):
            idle.append(await Client.open(proxy.url))
            assert (await idle[0].ask(request("GET", "/livez"))).status == 200
            os.kill(proxy.pid, signal.SIGTERM)
            end = time.monotonic() + 20
            while time.monotonic() < end:  # until nobody new is let in
                try:
                    got = await ask(proxy.url, request_of("anthropic", streaming=False))
                except ConnectionError:
                    break
                if got.status in {0, 503}:
                    break
                await asyncio.sleep(0.02)
            else:
                raise AssertionError("still taking on new requests")
            got = await idle[0].ask(request_of("anthropic", streaming=False))
            assert got.status in {0, 503}
            await idle[0].close()
            release.set()

        found, whole = asyncio.run(streams(proxy, place, 10, stop))
        assert [(got.ended, got.body) for got in found] == [("whole", whole)] * 10
        assert proxy.process.wait(20) == 0
        assert not complaints(proxy)


def test_a_second_signal_does_not_wait(place, at, tmp_path):
    with Running(tmp_path / "store", at) as proxy:

        async def stop(_opened, _upstream, release):
            os.kill(proxy.pid, signal.SIGTERM)
            await asyncio.sleep(0.2)
            os.kill(proxy.pid, signal.SIGTERM)
            proxy.process.wait(20)
            release.set()

        found, _ = asyncio.run(streams(proxy, place, 2, stop))
        assert all(got.ended != "whole" for got in found)
        assert not complaints(proxy)


def test_nothing_is_left_behind(place, at, tmp_path):
    with Running(tmp_path / "store", at) as proxy:

        async def one():
            async with Upstream(anything, place.dup()):
                assert (await ask(proxy.url, request_of("anthropic"))).status == 200

        asyncio.run(one())
        started = family(proxy.pid)
        assert len(started) >= 2  # the one that serves, and those that shorten
        os.kill(proxy.pid, signal.SIGTERM)
        assert proxy.process.wait(20) == 0
        end = time.monotonic() + 10
        while any(map(_runs, started[1:])):
            assert time.monotonic() < end, "a process outlived the proxy"
            time.sleep(0.02)


def _runs(pid):
    """Tell whether a process is there and has not ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


# --- a worker that dies


def owners(pids, ports, port):
    """Return which of the processes has each connection, by the port of its client."""
    inodes = {}
    with open("/proc/net/tcp", encoding="ascii") as file:
        for row in list(file)[1:]:
            columns = row.split()
            mine, theirs = (int(columns[at].rpartition(":")[2], 16) for at in (1, 2))
            if mine == port:
                inodes[int(columns[9])] = theirs
    held = {pid: {inodes[inode] for inode in sockets(pid) if inode in inodes} for pid in pids}
    return {one: next((pid for pid in pids if one in held[pid]), 0) for one in ports}


def test_a_worker_that_dies_takes_only_its_own_streams(place, at, tmp_path):
    with Running(tmp_path / "store", at, "--workers", "2") as proxy:
        fate = []
        port = int(proxy.url.rpartition(":")[2])

        async def kill(opened, _upstream, release):
            ports = [client.port for client in opened]
            of = owners(family(proxy.pid), ports, port)
            assert all(of.values())
            victim = of[ports[0]]
            assert victim != proxy.pid  # the parent only watches
            os.kill(victim, signal.SIGKILL)
            fate.extend(of[one] == victim for one in ports)
            release.set()
            # The other, or a new one, serves on.
            found = await gathered((ask(proxy.url, request_of("anthropic", streaming=False)) for _ in range(20)), 4)
            assert all(got.status in {0, 200} for got in found)
            await until(lambda: len(family(proxy.pid)) >= 3, what="another worker")
            await asyncio.sleep(0.2)
            assert (await ask(proxy.url, request_of("anthropic", streaming=False))).status == 200

        found, whole = asyncio.run(streams(proxy, place, 24, kill))
        for dead, got in zip(fate, found, strict=True):
            assert (got.ended != "whole") == dead
            if not dead:
                assert got.body == whole
        os.kill(proxy.pid, signal.SIGTERM)
        assert proxy.process.wait(30) == 0
