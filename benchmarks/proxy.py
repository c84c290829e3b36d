"""What a proxy adds: time to the first byte, processor time, lateness of streams, memory, and how it starts and ends.

python benchmarks/proxy.py [--rounds 10] [--peer PATH] [--litellm PATH] [--only NAME,...] [--soak SECONDS]

All stacks answer from the same provider (benchmarks/_proxy_upstream.py, a process of its own) and take turns round by
round: nothing in between ("direct"), this proxy, the proxy of the PyPI package ``headroom-ai``, and LiteLLM's gateway.
A peer whose program is not given is left out. "Added" is the median over the rounds of a round's figure, less that of
direct. Requests: ``fresh`` is a conversation whose second turn brings 100 KB of new logs; ``turn`` one of 100 KB that
grew by 10 KB; ``warm`` one of 100 KB that was there before; ``user`` 100 KB of the user's own words; ``small`` 1 KB of
them; ``other`` 100 KB for a path whose requests are never read. Processor time is that of all processes of a stack.
"""

import argparse
import asyncio
import datetime as dt
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time

import _proxy_load as load
import _proxy_stacks as stacks
import uvloop

STREAMS = 200
EVENTS = 250  # 5 seconds


def percentile(values: list[float], part: float) -> float:
    """Return the value below which that part of all lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def row(name: str, *columns: str) -> None:
    print(f"{name:14}" + "".join(f"{column:>14}" for column in columns), flush=True)


def cases(number: int, each: int) -> dict[str, list[list[bytes]]]:
    """Return what is sent in one round: of each list the last request is measured, those before it lead there."""
    salts = [f"r{number}n{at}" for at in range(each)]
    warm = load.grown("warm")
    return {
        "fresh": [load.at_once(f"a{salt}") for salt in salts],
        "turn": [load.grown(f"g{salt}")[:: 10 if number < 0 else 1] for salt in salts],
        "warm": [warm, *([warm[-1]] for _ in salts)],
        "user": [[load.post(load.plain(salt))] for salt in salts],
        "small": [[load.post(load.plain("s", 1000))]] * (each * 5),
        "other": [[load.post(load.plain(salt), "/v1/embeddings")] for salt in salts],
    }


class Sums:
    """What was found of one request and one stack: ms of each round, seconds of processor time, bytes sent on."""

    def __init__(self) -> None:
        """Start at nothing."""
        self.rounds: list[list[float]] = []
        self.spent = 0.0
        self.size = 0


def measured(stack: stacks.Stack, upstream: str, given: list[list[bytes]], sums: Sums, *, counts: bool) -> None:
    """Send the requests of one kind in one round."""
    line = load.Line(stack.url)
    for requests in given:
        for data in requests[:-1]:
            line.ask(data)
    time.sleep(0.1)  # what a stack does after its answers is not of those that are measured
    before = stacks.cpu(stack.pids)
    times = [line.ask(requests[-1])[0] * 1000 for requests in given]
    time.sleep(0.1)
    if counts:  # nobody pays for the first time
        sums.rounds.append(times)
        sums.spent += stacks.cpu(stack.pids) - before
    _, sums.size = uvloop.run(load.seen(upstream))
    line.close()


def first_byte(chosen: list[stacks.Stack], upstream: str, rounds: int, each: int) -> None:
    """Measure the time to the first byte and the processor time of single requests, one after the other."""
    found: dict[str, dict[str, Sums]] = {}
    for number in range(-1, rounds):
        for name, given in cases(number, each).items():
            for stack in chosen:
                sums = found.setdefault(name, {}).setdefault(stack.name, Sums())
                try:
                    measured(stack, upstream, given, sums, counts=number >= 0)
                except ValueError:
                    continue  # it does not answer such requests
    print(f"\nto the first byte, {rounds} rounds of {each} requests each, ms; processor time for each request, us")
    row("request", "stack", "p50", "p99", "added p50", "added p99", "CPU us", "KB sent on")
    for name, table in found.items():
        base = table["direct"].rounds
        of_direct = percentile([value for times in base for value in times], 0.99)
        for stack, sums in table.items():
            if not sums.rounds:
                row(name, stack, *(["-"] * 6))
                continue
            middles = [statistics.median(times) for times in sums.rounds]
            added = statistics.median(
                mine - statistics.median(theirs) for mine, theirs in zip(middles, base, strict=True)
            )
            every = [value for times in sums.rounds for value in times]
            last = percentile(every, 0.99)
            more = (f"{added:+.2f}", f"{last - of_direct:+.2f}", f"{sums.spent / len(every) * 1e6:,.0f}")
            columns = more if stack != "direct" else ("", "", "")
            row(name, stack, f"{statistics.median(middles):.2f}", f"{last:.2f}", *columns, f"{sums.size / 1000:.1f}")


def streams(chosen: list[stacks.Stack], rounds: int) -> None:
    """Measure how late events come when many streams are read at once."""
    found: dict[str, list[tuple[float, float]]] = {}
    whole: dict[str, int] = {}
    spent: dict[str, float] = {}
    for _ in range(rounds):
        for stack in chosen:
            before = stacks.cpu(stack.pids)
            readers = uvloop.run(load.read_streams(stack.url, STREAMS, EVENTS))
            spent[stack.name] = spent.get(stack.name, 0) + stacks.cpu(stack.pids) - before
            late = [value * 1000 for reader in readers for value in reader.late]
            found.setdefault(stack.name, []).append((percentile(late, 0.5), percentile(late, 0.99)))
            good = sum(reader.stopped and len(reader.late) == EVENTS for reader in readers)
            whole[stack.name] = whole.get(stack.name, 0) + good
    print(f"\n{STREAMS} streams at once, 50 events a second each, {rounds} rounds of {EVENTS} events: ms from "
          "provider to client")  # fmt: skip
    row("", "p50", "p99", "added p50", "added p99", "whole", "CPU us/event")
    base = found["direct"]
    for stack in chosen:
        rows = found[stack.name]
        added = [
            statistics.median(mine[at] - theirs[at] for mine, theirs in zip(rows, base, strict=True)) for at in (0, 1)
        ]
        bare = stack.name == "direct"
        row(stack.name, *(f"{statistics.median(pair[at] for pair in rows):.2f}" for at in (0, 1)),
            *("" if bare else f"{value:+.2f}" for value in added), f"{whole[stack.name]}/{STREAMS * rounds}",
            "" if bare else f"{spent[stack.name] / (rounds * STREAMS * EVENTS) * 1e6:.1f}")  # fmt: skip


def starts(chosen: list[stacks.Stack], log: str, runs: int) -> None:
    """Measure the time from the start of a process to its first good answer, and what it holds when idle."""
    print("\nfrom the start to the first answer, s; idle memory of all processes, MB (shared pages counted once)")
    row("", "median", "best", "processes", "MB", "MB shared once")
    data = load.post(load.plain("start", 1000))
    for stack in chosen:
        if not stack.command:
            continue
        found, held = [], (0.0, 0.0)
        for _ in range(runs if stack.name == "headroom" else 1):
            stack.start(log)
            found.append(stacks.answers(stack.url, data, 120))
            time.sleep(2)
            held, count = stacks.memory(stack.pids), len(stack.pids)
            stack.stop()
        row(stack.name, f"{statistics.median(found):.2f}", f"{min(found):.2f}", str(count),
            f"{held[0]:.0f}", f"{held[1]:.0f}")  # fmt: skip


def leaving(chosen: list[stacks.Stack], upstream: str, times: int) -> None:
    """Measure how soon the provider is told that nobody waits any more."""
    print(f"\n{times * 6} clients that go (before the head, before the first token, in the middle; streams and not): "
          "s until the provider's connection is closed")  # fmt: skip
    row("", "seen", "within 0.5 s", "p50", "longest")
    for stack in chosen:
        waits = uvloop.run(load.leave(stack.url, upstream, times))
        seen = [wait for wait in waits if wait is not None]
        row(stack.name, f"{len(seen)}/{len(waits)}", str(sum(wait <= 0.5 for wait in seen)),
            *(f"{value:.3f}" for value in ((percentile(seen, 0.5), max(seen)) if seen else (0, 0))))  # fmt: skip


def blocking(chosen: list[stacks.Stack]) -> None:
    """Measure how long others wait while big conversations come in."""
    print("\nwhile conversations of 10 MB are sent: ms that GET /livez takes on another connection")
    row("", "p50", "p99", "longest")
    words = "".join(f"2026-01-01 INFO worker {at} took batch {at * 7}\n" for at in range(240_000))
    turns = [
        {"role": "user", "content": "look"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "x"}}]},
    ]
    body = [
        load.post(json.dumps({"model": "m", "max_tokens": 9, "messages": [
            *turns,
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": words + str(at)}]},
        ]}).encode())
        for at in range(6)
    ]  # fmt: skip

    async def run(url: str) -> list[float]:
        watching = load.Longest(url)
        await asyncio.sleep(0.5)
        line = await asyncio.to_thread(load.Line, url)
        for data in body:
            await asyncio.to_thread(line.ask, data)
        line.close()
        return await watching.stop()

    for stack in chosen:
        if stack.name == "headroom":
            waits = [value * 1000 for value in uvloop.run(run(stack.url))]
            row(stack.name, *(f"{percentile(waits, part):.2f}" for part in (0.5, 0.99)), f"{waits[-1]:.2f}")


class Soaked:
    """What came of streams that were kept going for long.

    ``sums``  answers that were whole, left by their client, broken and told so, and those that were wrong
    ``late``  ms from provider to client, of every tenth event
    ``rows``  (seconds, MB, descriptors) every five seconds; ``before`` and ``after``: descriptors
    """

    def __init__(self) -> None:
        """Start at nothing."""
        self.sums = dict.fromkeys(("whole", "left", "broken and told", "wrong"), 0)
        self.late: list[float] = []
        self.rows: list[tuple[float, float, int]] = []
        self.before = self.after = 0

    @property
    def growth(self) -> float:
        """MB that came to it once settled (two minutes, or a third of the time): last fifth less first fifth."""
        last = self.rows[-1][0]
        settled = [size for at, size, _ in self.rows if at >= min(120, last / 3)]
        fifth = max(1, len(settled) // 5)
        return statistics.median(settled[-fifth:]) - statistics.median(settled[:fifth])


async def soaked(stack: stacks.Stack, seconds: float, count: int = STREAMS) -> Soaked:
    """Keep streams going; 1 in 10 clients leaves, 1 in 20 answers breaks off."""
    loop, port = asyncio.get_running_loop(), int(stack.url.rpartition(":")[2])
    end = loop.time() + seconds
    found = Soaked()
    sums = found.sums
    chosen = random.Random(6)

    async def one() -> None:
        while loop.time() < end:
            kind = chosen.random()
            data = load.post(load.stream(EVENTS, "please-reset" if kind < 0.05 else "hello"))
            leave = EVENTS // 3 if 0.05 <= kind < 0.15 else 0
            _, reader = await loop.create_connection(lambda d=data, n=leave: load.Reader(d, n), "127.0.0.1", port)
            await asyncio.wait_for(reader.ended, 60)
            found.late.extend(value * 1000 for value in reader.late[::10])
            if kind < 0.05:
                sums["broken and told" if reader.error and not reader.stopped else "wrong"] += 1
            elif leave:
                sums["left" if reader.left else "wrong"] += 1
            else:
                sums["whole" if reader.stopped and len(reader.late) == EVENTS and not reader.error else "wrong"] += 1

    found.before = stacks.descriptors(stack.pids)
    work = [asyncio.ensure_future(one()) for _ in range(count)]
    while loop.time() < end:
        await asyncio.sleep(min(5, max(0.1, end - loop.time())))
        found.rows.append((seconds - (end - loop.time()), stacks.memory(stack.pids)[0], stacks.descriptors(stack.pids)))
    await asyncio.gather(*work)
    await asyncio.sleep(35)  # idle connections to the provider end after 15, when they are looked at next
    found.after = stacks.descriptors(stack.pids)
    return found


def soak(chosen: list[stacks.Stack], seconds: float) -> None:
    """Keep a proxy busy for long."""
    print(f"\n{STREAMS} streams at once for {seconds:.0f} s, 10 % of the clients leave, 5 % of the answers break off")
    for stack in chosen:
        if stack.name == "headroom":
            found = uvloop.run(soaked(stack, seconds))
            most = max(count for _, _, count in found.rows)
            print(f"{stack.name}: {found.sums}")
            print(f"lateness p50 {percentile(found.late, 0.5):.2f} ms, p99 {percentile(found.late, 0.99):.2f} ms")
            print(f"memory {found.rows[0][1]:.0f} -> {found.rows[-1][1]:.0f} MB, {found.growth:+.1f} MB once settled")
            print(f"descriptors {found.before} -> {most} -> {found.after}")


def heading(chosen: list[stacks.Stack], arguments: argparse.Namespace) -> None:
    """Say what was measured where, and when."""
    import headroom_cli

    names = {
        "headroom": getattr(headroom_cli, "__version__", "?"),
        "headroom-ai": stacks.version(arguments.peer, "headroom-ai") if arguments.peer else "left out: no --peer",
        "litellm": stacks.version(arguments.litellm, "litellm") if arguments.litellm else "left out: no --litellm",
    }
    load_now = os.getloadavg()[0]
    print(f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, {platform.machine()}, {os.cpu_count()} cores, "
          f"load {load_now:.1f} at the start, Python {platform.python_version()}")  # fmt: skip
    print(", ".join(f"{name} {value}" for name, value in names.items()))
    print("stacks:", ", ".join(stack.name for stack in chosen))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--each", type=int, default=20, help="requests of a kind in a round")
    parser.add_argument("--headroom", default=os.path.join(os.path.dirname(sys.executable), "headroom"))
    parser.add_argument("--peer", default="", help="path of headroom-ai's program, in an environment of its own")
    parser.add_argument("--litellm", default="", help="path of litellm's program, with litellm[proxy]")
    parser.add_argument("--only", default="", help="start, first, streams, leave, block")
    parser.add_argument("--soak", type=float, default=0, help="also keep 200 streams going for so many seconds")
    arguments = parser.parse_args()
    only = set(arguments.only.split(",")) - {""}

    def wanted(name: str) -> bool:
        return not only or name in only

    with tempfile.TemporaryDirectory() as home:
        upstream = stacks.Upstream()
        chosen = stacks.stacks(upstream.url, arguments.headroom, arguments.peer, arguments.litellm, home)
        log = os.path.join(home, "log")
        heading(chosen, arguments)
        try:
            if wanted("start"):
                starts(chosen, log, 5)
            for stack in chosen:
                stack.start(log)
            data = load.post(load.plain("start", 1000))
            for stack in chosen:
                stacks.answers(stack.url, data, 120)
            if wanted("first"):
                first_byte(chosen, upstream.url, arguments.rounds, arguments.each)
            if wanted("streams"):
                streams(chosen, max(1, arguments.rounds // 3))
            if wanted("leave"):
                leaving(chosen, upstream.url, 50)
            if wanted("block"):
                blocking(chosen)
            if arguments.soak:
                soak(chosen, arguments.soak)
        except (TimeoutError, OSError, ValueError) as error:
            with open(log, "rb") as file:
                sys.exit(f"{type(error).__name__}: {error}\n{file.read()[-2000:].decode(errors='replace')}")
        finally:
            for stack in chosen:
                stack.stop()
            upstream.close()


if __name__ == "__main__":
    main()
