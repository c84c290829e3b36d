"""A crowd on one store, for the fault tests: writers, readers and gc as processes of one group, until killed.

    python store_crowd.py ROOT ACKS SEED SPEED

Every acknowledged put is one line ``handle number begun`` in ACKS, every wrong answer a line ``BAD ...``, every gc that
removed something a line ``GC count``. SPEED makes the store's days pass faster (1 for real time). Original number N is
``content(N)``.
"""

import os
import random
import signal
import sys
import time

from headroom_cli.errors import HeadroomError, StoreError
from headroom_cli.store import Entry, Store, upkeep

# Seconds after which the crowd ends by itself: more than any test lets it run.
LONGEST = 1_200


def content(seed):
    rng = random.Random(seed)
    kind = seed % 4
    size = rng.choice((0, 1, 300, 4_000, 70_000)) if kind else 200
    return b"%d " % seed + (rng.randbytes(size) if kind < 2 else b"line %d\n" % seed * (size // 8))


def make_store(root, speed):
    return Store(root) if speed == 1 else Store(root, uptime=lambda: ("crowd", time.monotonic() * speed))


def note(acks, text):
    os.write(acks, text.encode() + b"\n")


def write(store, acks, seed):
    rng = random.Random(seed)
    while True:
        numbers = [rng.randrange(1 << 30) for _ in range(rng.choice((1, 1, 2, 9)))]
        if rng.random() < 0.3:
            numbers = [rng.randrange(40) for _ in numbers]  # the same originals again and again
        begun = time.monotonic()
        try:
            handles = store.put([Entry(content(number), "log", f"cat {number}") for number in numbers])
        except StoreError as error:
            note(acks, f"BAD put {error}")
            continue
        for handle, number in zip(handles, numbers, strict=True):
            note(acks, f"{handle} {number} {begun}")


def read(store, acks, path, seed, speed):
    rng = random.Random(seed)
    while True:
        with open(path, "rb") as file:
            lines = file.read().split(b"\n")[:-1]
        live = []
        for line in lines[-400:]:
            if not line[:1].isupper():
                handle, number, begun = line.decode().split(" ")
                if (time.monotonic() - float(begun)) * speed < 15 * 86_400:
                    live.append((handle, int(number)))
        if not live:
            time.sleep(0.002)
            continue
        handle, number = rng.choice(live)
        try:
            if store.fetch(handle) != content(number):
                note(acks, f"BAD content {handle}")
        except HeadroomError as error:
            note(acks, f"BAD fetch {handle} {error}")


def collect(store, acks, pause):
    while True:
        try:
            report = upkeep.gc(store, patience=0.5)
            if report.removed:
                note(acks, f"GC {report.removed}")
        except StoreError as error:
            if "try again later" not in str(error):
                note(acks, f"BAD gc {error}")
        except HeadroomError:
            pass  # no store yet
        time.sleep(pause)


def main():
    root, path, seed, speed = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    acks = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    jobs = [lambda n=n: write(make_store(root, speed), acks, seed * 10 + n) for n in range(4)]
    jobs += [lambda n=n: read(make_store(root, speed), acks, path, seed * 10 + n, speed) for n in range(2)]
    jobs += [lambda: collect(make_store(root, speed), acks, 0.05)]
    pids = []
    for job in jobs:
        pid = os.fork()
        if pid == 0:
            try:
                signal.alarm(LONGEST)  # whoever started the crowd may be killed before ending it
                job()
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
                note(acks, f"BAD died {error!r}")
            os._exit(1)
        pids.append(pid)
    print(*pids, flush=True)
    os.wait()


if __name__ == "__main__":
    main()
