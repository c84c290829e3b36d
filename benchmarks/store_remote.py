"""What a shared store costs, beside a directory: the calls of one turn, failure, kills. Prints tables.

    python benchmarks/store_remote.py [ROUNDS]

Needs redis-server, and headroom-cli[redis,objects]; what speaks S3's protocol is moto, a server in Python whose times
say nothing of a real one, so its column counts requests. All on this machine, over loopback: a network adds its round
trip to each round trip counted here. Variants run in turn in one process; compare rows of one run.
"""

import os
import random
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from shared_stores import KEYS, BadNetwork, Bucket, RedisServer

from headroom_cli.errors import StoreError
from headroom_cli.store import Entry, Store, named
from headroom_cli.store.backends.objects import Objects
from headroom_cli.store.shared import Shared
from headroom_cli.store.url import Url

TALK = "0123456789abcdef"


def small(number):
    """Return an original like a short tool result: 700 bytes, half of them compressible."""
    return random.Random(number).randbytes(350) + b"line %d\n" % number * 40


def times(rounds, work):
    """Return p50 and max of a call in milliseconds."""
    took = []
    for number in range(rounds):
        begun = time.perf_counter()
        work(number)
        took.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(took), max(took)


def calls(name, one, other, rounds):
    """Print the calls of one turn of a conversation."""
    base = hash(name) % 10**6 * 10**4
    records = [(f"k{number}", '{"t":"' + "x" * 400 + '"}') for number in range(100)]
    one.remember(TALK, records)
    handles = one.put([Entry(small(base + number)) for number in range(100)])
    digests = set(one.owners(set(handles)).values())
    rows = {
        "put 1 new": lambda n: one.put([Entry(small(base + 1_000 + n))]),
        "put 10 new": lambda n: one.put([Entry(small(base + 2_000 + 10 * n + i)) for i in range(10)]),
        "put 10 again": lambda _: one.put([Entry(small(base + i)) for i in range(10)]),
        "missing, 100 originals": lambda _: one.missing(digests),
        "recall 100 records": lambda _: one.recall(TALK),
        "remember 2 of 100": lambda n: one.remember(TALK, [(f"n{n}", "1"), (f"m{n}", "1")], settled={f"n{n}"}),
        "fetch, at hand": lambda n: one.fetch(handles[n % 100]),
        "fetch, first on a machine": lambda n: other.fetch(handles[n % 100]),
    }
    for label, work in rows.items():
        middle, most = times(rounds, work)
        print(f"{name:10} {label:28} {middle:8.2f} {most:8.2f}", flush=True)


class Counting(Objects):
    """Counts requests."""

    count = 0

    def _do(self, work):
        Counting.count += 1
        return super()._do(work)

    def _get(self, name):
        found = super()._get(name)
        Counting.count -= found is not None  # the request, and the reading of its body
        return found


def kills(folder, rounds, *options):
    """Kill a server while originals are put; return how many were acknowledged and how many of them are gone."""
    acknowledged = gone = 0
    for number in range(rounds):
        place = Path(folder) / f"kill{number}{options[-1]}"
        place.mkdir()
        server = RedisServer(place, *options)
        store = named(server.url(place / "local", 0, volatile="yes"))
        handles = []
        until = time.monotonic() + 0.5 + random.Random(number).random()
        while time.monotonic() < until:
            handles += store.put([Entry(small(number * 10_000 + len(handles)))])
        server.stop(signal.SIGKILL)
        server.start()
        there = named(server.url(place / "other", 0, volatile="yes")).owners(set(handles))
        acknowledged += len(handles)
        gone += len(handles) - len(there)
        server.stop()
    return acknowledged, gone


def main():
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    os.environ.update(KEYS)
    with tempfile.TemporaryDirectory() as folder:
        print("store      call                         p50 ms   max ms")
        calls("directory", Store(f"{folder}/dir"), Store(f"{folder}/dir"), rounds)
        (Path(folder) / "redis").mkdir()
        server = RedisServer(Path(folder) / "redis")
        calls("redis", *(named(server.url(f"{folder}/r{i}", 0)) for i in range(2)), rounds)
        with server.client() as client:
            client.config_set("appendfsync", "everysec")
        calls("everysec", *(named(server.url(f"{folder}/e{i}", 1, volatile="yes")) for i in range(2)), rounds)
        with server.client() as client:
            client.config_set("appendfsync", "always")

        from obstore.store import MemoryStore

        memory = MemoryStore()
        calls(
            "memory",
            *(Shared(Url(f"s3://bucket/x?local={folder}/m{i}"), backend=Objects(memory, "memory")) for i in range(2)),
            rounds,
        )

        bucket = Bucket()
        url = Url(bucket.url(f"{folder}/s", "x"))
        from headroom_cli.store.backends.objects_client import client as client_of

        store = Shared(url, backend=Counting(client_of(url), "s3"))
        store.put([Entry(b"warm")])
        for label, work in (
            ("put 1 new", lambda: store.put([Entry(small(1))])),
            ("put 1 again", lambda: store.put([Entry(small(1))])),
            ("recall", lambda: store.recall(TALK)),
            ("remember", lambda: store.remember(TALK, [("k", "1")])),
            ("resolve", lambda: store.owners({"a" * 12})),
        ):
            Counting.count = 0
            work()
            print(f"s3         {label:28} {Counting.count} requests")
        bucket.stop()

        network = BadNetwork(server.port)
        store = named(f"redis://127.0.0.1:{network.port}/3?local={folder}/bad")
        store.put([Entry(b"before")])
        network.stalled = True
        waits = []
        for _ in range(200):
            store.hurry(0.25)
            begun = time.perf_counter()
            try:
                store.put([Entry(b"during")])
            except StoreError:
                waits.append((time.perf_counter() - begun) * 1e3)
            time.sleep(0.02)
        seconds = 0.02 * len(waits) + sum(waits) / 1e3
        waited = sum(wait > 100 for wait in waits)
        print(
            f"stalled server, {len(waits)} requests in {seconds:.1f} s: "
            f"p50 {statistics.median(waits):.2f} ms, max {max(waits):.0f} ms, {waited} of them waited"
        )
        network.close()
        server.stop()
        for synced in ("always", "everysec"):
            acknowledged, gone = kills(folder, 12, "--appendfsync", synced)
            print(f"12 kills, appendfsync {synced}: {acknowledged:,} acknowledged, {gone:,} gone")


if __name__ == "__main__":
    main()
