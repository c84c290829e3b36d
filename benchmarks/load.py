"""How much proxies carry: real HTTP from one connection to 256, at one, two and three replicas on one Redis.

python benchmarks/load.py [--replicas 1,2,3] [--clients 1,2,...,256] [--seconds 8] [--plot FILE.svg] [--csv FILE.csv]

A client sends its next request when the last one is answered, each to the next replica. The provider is a process of
its own that costs next to nothing (_proxy_upstream.py). Of ten requests

    warm    4   100 KB that were there before
    new     3   a conversation that grew by 10 KB, up to 100 KB
    pass    2   100 KB for a path whose requests are never read
    stream  1   25 events, 50 a second; only the time until it begins counts

Milliseconds are those until the first byte. "as it came" counts conversations that went through unshortened because no
worker process became free in time or the store did not answer. Processor time is that of a replica's processes, the
store's aside; "others" is what Redis, the provider and this program took of the same cores.
"""

import argparse
import asyncio
import csv
import datetime as dt
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import _load_plot
import _proxy_load as load
import _proxy_stacks as stacks
import uvloop

MIX = ("warm",) * 4 + ("new",) * 3 + ("pass",) * 2 + ("stream",)
WARM = 8  # conversations
EVENTS = 25
TRIES = 600
FIELDS = (
    "replicas", "clients", "requests_s", "p50_ms", "p99_ms", "warm_p50_ms", "warm_p99_ms", "new_p50_ms", "new_p99_ms",
    "pass_p50_ms", "stream_p50_ms", "cpu_ms", "cores", "redis_cores", "other_cores", "rss_mb", "shared_once_mb",
    "as_it_came", "errors",
)  # fmt: skip


def percentile(values: list[float], part: float) -> float:
    """Return the value below which that part of all lies, in ms."""
    ordered = sorted(values) or [0.0]
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000


class Fleet:
    """Replicas on one Redis, and a provider, each a process of its own."""

    def __init__(self, count: int, folder: Path, headroom: list[str]) -> None:
        """Start all of it."""
        here = Path(__file__).parent
        self.started: list[subprocess.Popen] = []
        self.provider = self._start([sys.executable, str(here / "_proxy_upstream.py")], stdout=subprocess.PIPE)
        assert self.provider.stdout is not None
        upstream = self.provider.stdout.readline().decode().strip()
        port = stacks.free_port()
        server = shutil.which("redis-server") or sys.exit("redis-server is not installed")
        options = ["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--bind", "127.0.0.1"]
        self.redis = self._start([server, "--port", str(port), "--dir", str(folder), *options])
        self.replicas = []
        self.urls = []
        for number in range(count):
            home = folder / f"home{number}"
            home.mkdir()
            listening = stacks.free_port()
            environment = {
                **stacks.clean(str(home)), "HEADROOM_STORE": f"redis://127.0.0.1:{port}/0?local={home}/shared",
                "ANTHROPIC_TARGET_API_URL": upstream, "OPENAI_TARGET_API_URL": upstream,
            }  # fmt: skip
            self.replicas.append(self._start([*headroom, "proxy", "--port", str(listening)], env=environment))
            self.urls.append(f"http://127.0.0.1:{listening}")

    def _start(self, command: list[str], **more: object) -> subprocess.Popen:
        said = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **more}
        started = subprocess.Popen(command, stdin=subprocess.PIPE, **said)  # type: ignore[call-overload]
        self.started.append(started)
        return started

    def pids(self) -> list[int]:
        """All processes of all replicas."""
        return [pid for replica in self.replicas for pid in stacks.family(replica.pid)]

    def stop(self) -> None:
        """End all of it."""
        for one in reversed(self.started):
            one.terminate()
        for one in reversed(self.started):
            try:
                one.wait(40)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()


class Client:
    """Sends one request after the other, each to the next replica."""

    def __init__(self, number: int, urls: list[str], warm: list[bytes], sums: "Sums") -> None:
        """Connect to nobody yet."""
        self.number = number
        self.ports = [int(url.rpartition(":")[2]) for url in urls]
        self.lines: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
        self.warm = warm
        self.sums = sums
        self.chance = random.Random(number)
        self.turn = number
        self.calls = 99
        self.salt = ""

    def request(self, kind: str) -> bytes:
        """Return a request of that kind."""
        if kind == "warm":
            return self.chance.choice(self.warm)
        if kind == "stream":
            return load.post(load.stream(EVENTS))
        if kind == "pass":
            return self.sums.plain
        if self.calls > 10:
            self.calls, self.salt = 0, f"{self.number}x{self.chance.randrange(1 << 40)}"
        self.calls += 1
        return load.post(load.conversation(self.salt, self.calls - 1))

    async def run(self, end: float) -> None:
        """Send requests until then."""
        while time.perf_counter() < end:
            kind = self.chance.choice(MIX)
            self.turn = (self.turn + 1) % len(self.ports)
            data = self.request(kind)
            try:
                if self.turn not in self.lines:
                    self.lines[self.turn] = await asyncio.open_connection("127.0.0.1", self.ports[self.turn])
                await self.ask(kind, data, *self.lines[self.turn])
            except (OSError, ValueError, asyncio.IncompleteReadError):
                self.sums.errors += 1
                if line := self.lines.pop(self.turn, None):
                    line[1].close()
        for _, writer in self.lines.values():
            writer.close()

    async def ask(self, kind: str, data: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Send one request and read its answer. Raise ValueError for one without 200."""
        began = time.perf_counter()
        writer.write(data)
        head = await reader.readuntil(b"\r\n\r\n")
        first = time.perf_counter() - began
        low = head.lower()
        if not head.startswith(b"HTTP/1.1 200"):
            raise ValueError(head)
        if b"content-length:" in low:
            await reader.readexactly(int(low.partition(b"content-length:")[2].split(b"\r\n")[0]))
        else:
            while (size := int(await reader.readline(), 16)) or await reader.readexactly(2) != b"\r\n":
                await reader.readexactly(size + 2)
        if self.sums.counts:
            self.sums.first[kind].append(first)
            why = low.partition(b"x-headroom-why-not: ")[2].split(b"\r\n")[0]
            self.sums.raw += b"worker" in why or b"store" in why


class Sums:
    """What was found at one level."""

    def __init__(self, plain: bytes) -> None:
        """Start at nothing."""
        self.first: dict[str, list[float]] = {kind: [] for kind in MIX}
        self.errors = 0
        self.raw = 0
        self.counts = False
        self.plain = plain


async def level(fleet: Fleet, clients: int, seconds: float, warm: list[bytes], plain: bytes) -> dict[str, float]:
    """Measure one number of clients."""
    sums = Sums(plain)
    end = time.perf_counter() + 1.5 + seconds
    running = [
        asyncio.ensure_future(Client(number + clients * 1000, fleet.urls, warm, sums).run(end))
        for number in range(clients)
    ]
    await asyncio.sleep(1.5)
    pids, others = fleet.pids(), [fleet.provider.pid, os.getpid()]
    spent = [stacks.cpu(pids), stacks.cpu([fleet.redis.pid]), stacks.cpu(others)]
    sums.counts = True
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    sums.counts = False
    took = time.perf_counter() - began
    used = [now - then for now, then in zip(
        (stacks.cpu(pids), stacks.cpu([fleet.redis.pid]), stacks.cpu(others)), spent, strict=True
    )]  # fmt: skip
    resident, once = stacks.memory(fleet.pids())
    await asyncio.gather(*running)
    all_first = [one for kind in ("warm", "new", "pass") for one in sums.first[kind]]
    count = sum(map(len, sums.first.values()))
    row = {
        "clients": clients, "requests_s": count / took, "p50_ms": percentile(all_first, 0.5),
        "p99_ms": percentile(all_first, 0.99), "cpu_ms": used[0] / max(count, 1) * 1000, "cores": used[0] / took,
        "redis_cores": used[1] / took, "other_cores": used[2] / took, "rss_mb": resident, "shared_once_mb": once,
        "as_it_came": sums.raw, "errors": sums.errors,
    }  # fmt: skip
    for kind in ("warm", "new", "pass", "stream"):
        row[f"{kind}_p50_ms"] = percentile(sums.first[kind], 0.5)
        row[f"{kind}_p99_ms"] = percentile(sums.first[kind], 0.99)
    return row


async def ready(fleet: Fleet, warm: list[list[bytes]]) -> None:
    """Wait for all replicas, and let them see the warm conversations as these grew."""
    for url in fleet.urls:
        for _ in range(TRIES):
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
            except OSError:
                await asyncio.sleep(0.1)
                continue
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            said = await reader.read()
            writer.close()
            if said.startswith(b"HTTP/1.1 200") and b'"degraded": false' in said:
                break
            await asyncio.sleep(0.1)
        else:
            sys.exit("a replica does not become ready")
    sums = Sums(b"")
    client = Client(0, fleet.urls, [], sums)
    for talk in warm:
        for data in talk:
            client.turn = (client.turn + 1) % len(client.ports)
            if client.turn not in client.lines:
                client.lines[client.turn] = await asyncio.open_connection("127.0.0.1", client.ports[client.turn])
            await client.ask("warm", data, *client.lines[client.turn])
    for _, writer in client.lines.values():
        writer.close()


HEADS = ("replicas", "clients", "req/s", "p50", "p99", "warm", "new", "pass", "stream", "CPU ms", "cores", "Redis",
         "others", "RSS MB", "once", "as came", "errors")  # fmt: skip
SHOWN = (
    ("replicas", "d"), ("clients", "d"), ("requests_s", ".1f"), ("p50_ms", ".1f"), ("p99_ms", ".0f"),
    ("warm_p50_ms", ".1f"), ("new_p50_ms", ".1f"), ("pass_p50_ms", ".1f"), ("stream_p50_ms", ".1f"), ("cpu_ms", ".1f"),
    ("cores", ".2f"), ("redis_cores", ".2f"), ("other_cores", ".2f"), ("rss_mb", ".0f"), ("shared_once_mb", ".0f"),
    ("as_it_came", "d"), ("errors", "d"),
)  # fmt: skip


def asked() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicas", default="1,2,3")
    parser.add_argument("--clients", default="1,2,4,8,16,32,64,128,256")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--headroom", default=f"{sys.executable} -m headroom_cli")
    parser.add_argument("--plot")
    parser.add_argument("--csv")
    return parser.parse_args()


async def sweep(chosen: argparse.Namespace) -> list[dict[str, float]]:
    """Measure all levels and print a row for each."""
    now = dt.datetime.now(dt.UTC)
    print(
        f"{now:%Y-%m-%d %H:%M} UTC, {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the "
        f"start, Python {platform.python_version()}; two worker processes a replica; {chosen.seconds:g} s a row"
    )
    print("".join(f"{name:>9}" for name in HEADS), flush=True)
    rows = []
    plain = load.post(load.plain("p"), "/v1/embeddings")
    talks = [load.grown(f"w{number}") for number in range(WARM)]
    warm = [talk[-1] for talk in talks]
    for count in map(int, chosen.replicas.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            fleet = Fleet(count, Path(folder), chosen.headroom.split())
            try:
                await ready(fleet, talks)
                for clients in map(int, chosen.clients.split(",")):
                    row = {"replicas": count, **await level(fleet, clients, chosen.seconds, warm, plain)}
                    rows.append(row)
                    print("".join(f"{format(row[name], form):>9}" for name, form in SHOWN), flush=True)
            finally:
                fleet.stop()
    return rows


def main() -> None:
    """Measure, print, plot."""
    chosen = asked()
    rows = uvloop.run(sweep(chosen))
    for count in sorted({row["replicas"] for row in rows}):
        most = max((row for row in rows if row["replicas"] == count), key=lambda row: row["requests_s"])
        name = "replica" if count == 1 else "replicas"
        print(f"{count} {name}: at most {most['requests_s']:.0f} requests a second, with {most['clients']} clients")
    if chosen.csv:
        with open(chosen.csv, "w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, FIELDS, extrasaction="ignore", lineterminator="\n")
            table.writeheader()
            table.writerows({name: round(row[name], 3) for name in FIELDS} for row in rows)
    if chosen.plot:
        Path(chosen.plot).write_text(_load_plot.svg(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
