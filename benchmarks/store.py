"""What the store costs: durable batches, single puts, reads, verify. Prints one table.

    python benchmarks/store.py [FOLDER]

FOLDER must be on the disk to be measured (default: beside the default store). Variants run in turn in one process,
so compare rows of one run. Files are removed at the end only: ext4 searches long for a free inode after a removal.
"""

import os
import random
import shutil
import statistics
import sys
import time

from headroom_cli.store import Entry, Store, files, frames, upkeep

ROUNDS = 15


def small(number):
    """Return an original like a short tool result: 700 bytes, half of them compressible."""
    rng = random.Random(number)
    return rng.randbytes(350) + b"line %d\n" % number * 40


def timed(function, *arguments):
    begun = time.perf_counter()
    function(*arguments)
    return (time.perf_counter() - begun) * 1e3


def row(name, times, unit="ms"):
    times = sorted(times)
    p99 = times[min(len(times) - 1, len(times) * 99 // 100)]
    print(f"{name:<58} {times[0]:>9.2f} {statistics.median(times):>9.2f} {p99:>9.2f}  {unit}")


def write_batch(folder, frames, workers, *, fan_out=False, shared=True):
    """Keep frames as the store does, without grants: the shapes that the decision was made between."""
    os.makedirs(f"{folder}/tmp", exist_ok=True)
    names = [os.urandom(32).hex() for _ in frames]
    targets = [f"{folder}/objects/{name[:2]}/{name}" if fan_out else f"{folder}/objects/{name}" for name in names]
    for folder_of_target in {os.path.dirname(target) for target in targets}:
        os.makedirs(folder_of_target, exist_ok=True)

    def sync(path):
        fd = os.open(path, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)

    def name_it(name, target):
        os.rename(f"{folder}/tmp/{name}", target)

    fds = []
    for name, target, frame in zip(names, targets, frames, strict=True):
        fd = os.open(f"{folder}/tmp/{name}", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        os.write(fd, frame)
        if shared:
            fds.append(fd)
        else:
            os.fsync(fd)
            os.close(fd)
            name_it(name, target)
            sync(os.path.dirname(target))
    if shared:
        files.barriers(fds, workers)
        for fd in fds:
            os.close(fd)
        for name, target in zip(names, targets, strict=True):
            name_it(name, target)
        for folder_of_target in {os.path.dirname(target) for target in targets}:
            sync(folder_of_target)
    if fan_out:
        sync(f"{folder}/objects")


def layouts(root):
    packed = [frames.pack(small(number)) for number in range(100)]
    variants = {"one after the other, flat: fsync file, rename, fsync folder": {"workers": 1, "shared": False}}
    variants["the same, 2-hex fan-out"] = {"workers": 1, "shared": False, "fan_out": True}
    for workers in (1, 2, 4, 8, 16, 32):
        variants[f"shared barriers, flat, {workers} fsyncs at a time"] = {"workers": workers}
    variants["shared barriers, 2-hex fan-out, 8 fsyncs at a time"] = {"workers": 8, "fan_out": True}
    times = {name: [] for name in variants}
    for number in range(ROUNDS):
        for at, (name, options) in enumerate(variants.items()):
            times[name].append(
                timed(
                    lambda at=at, number=number, options=options: write_batch(
                        f"{root}/{at}/{number}", packed, **options
                    )
                )
            )
    for name in variants:
        row(f"100 small, {name}", times[name])


def puts(root):
    store = Store(f"{root}/store")
    store.put([Entry(b"first")])
    batches = [[Entry(small(1_000 * at + number), "log", "cat log") for number in range(100)] for at in range(ROUNDS)]
    row("Store.put of 100 small originals", [timed(store.put, batch) for batch in batches])
    row("Store.put of the same 100 again", [timed(store.put, batch) for batch in batches])
    singles = [random.Random(number).randbytes(32_768) + bytes(32_768) for number in range(200)]
    row("Store.put of one, 64 KiB", [timed(store.put, [Entry(data, "log", "cat log")]) for data in singles])
    row("Store.put of one, 700 bytes", [timed(store.put, [Entry(small(-number - 1))]) for number in range(200)])
    digests = [grant.digest for grant in store.grants()]
    handles = [grant.handle for grant in store.grants()]
    row("Store.get, 64 KiB", [timed(store.get, digest) for digest in digests[-400:-200]])
    row("Store.fetch, 700 bytes", [timed(store.fetch, handle) for handle in handles[-200:]])
    row(
        "Store.remember of 100",
        [timed(store.remember, "ab", [(f"{at}.{n}", "1" * 200) for n in range(100)]) for at in range(9)],
    )


def many(root):
    store = Store(f"{root}/many")
    data = [small(number) for number in range(10_000)]
    begun = time.perf_counter()
    handles = []
    for at in range(0, 10_000, 100):
        handles += store.put([Entry(item, "log", "cat log") for item in data[at : at + 100]])
    put = time.perf_counter() - begun
    begun = time.perf_counter()
    same = sum(store.get(grant.digest) == item for grant, item in zip(store.grants(), data, strict=True))
    got = time.perf_counter() - begun
    print(f"10,000 originals in batches of 100: put {put:.2f} s, {same} of 10,000 back in {got:.2f} s")
    row(
        "Store.put of one, 700 bytes, with 10,000 grants", [timed(store.put, [Entry(small(-n))]) for n in range(1, 100)]
    )
    row("Store.fetch, 700 bytes, with 10,000 grants", [timed(store.fetch, handles[n * 90]) for n in range(100)])
    row("verify, depth 1 (names), 10,000 objects", [timed(upkeep.verify, store, 1)])
    row("verify, depth 2 (headers), 10,000 objects", [timed(upkeep.verify, store, 2)])
    row("verify, depth 3 (every byte), 10,000 objects", [timed(upkeep.verify, store, 3)])
    row("gc with nothing to remove, 10,000 objects", [timed(upkeep.gc, store)])


def throughput(root):
    store = Store(f"{root}/big")
    rng = random.Random(5)
    words = [b"%x" % rng.randrange(1 << 24) for _ in range(4_000)]
    log = b"\n".join(b" ".join(rng.choices(words, k=9)) for _ in range(70_000))
    pieces = [log[at : at + 200_000] + b"%d" % at for at in range(0, len(log), 20_000)][:200]
    total = sum(map(len, pieces))
    taken = timed(store.put, [Entry(piece) for piece in pieces])
    print(f"Store.put of {total / 1e6:.0f} MB of log in 200 originals: {total / taken / 1e3:.0f} MB/s")
    best = min(timed(upkeep.verify, store, 3) for _ in range(3))
    print(f"verify of every byte: {total / best / 1e3:.0f} MB/s of originals")


def main():
    base = sys.argv[1] if len(sys.argv) > 1 else os.path.expanduser("~/.local/share/headroom")
    root = f"{base}/benchmark-{os.getpid()}"
    os.makedirs(root, mode=0o700)
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {os.uname().sysname} {os.uname().release}")
    print(f"{'':<58} {'min':>9} {'p50':>9} {'p99':>9}")
    try:
        for part in (layouts, puts, many, throughput):
            part(root)
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
