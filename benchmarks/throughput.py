"""MB/s of the whole engine (parse, route, compress, weigh) on 10 MB of JSON and of logs, one core, no store.

python benchmarks/throughput.py        targets: json >= 20 (aim 40), logs >= 10 (aim 30)
Inputs are synthetic, and real ones repeated with fresh numbers when the outside corpus is there.
"""

import json
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from inputs import corpus

from headroom_cli import engine
from headroom_cli.model import Policy

SIZE = 10_000_000


def records() -> str:
    rng = random.Random(1)
    states = ("active", "paused", "closed")
    made, size = [], 0
    while size < SIZE:
        i = len(made)
        item = {
            "id": i,
            "name": f"customer {rng.randrange(10**6)}",
            "state": rng.choice(states),
            "balance": round(rng.gauss(500, 120), 2),
            "address": {"city": rng.choice(("Lyon", "Oslo", "Porto")), "zip": f"{rng.randrange(10**5):05d}"},
            "tags": rng.sample(("new", "vip", "late", "eu"), 2),
            "error": None if i % 997 else "payment refused: card expired",
        }
        made.append(item)
        size += len(json.dumps(item)) + 2
    return json.dumps(made)


def log() -> str:
    rng = random.Random(2)
    made, size = [], 0
    while size < SIZE:
        i = len(made)
        line = (
            f"2026-11-18T09:{i // 3000 % 60:02d}:{i // 50 % 60:02d}.{i % 1000:03d}Z INFO  [worker-{rng.randrange(16)}] "
            + rng.choice(("GET /api/items/{} 200 {} ms", "stored order {} with {} items", "cache hit key={} age={}"))
        ).format(rng.randrange(10**6), rng.randrange(90))
        if i % 5003 == 0:
            line = line.replace("INFO ", "ERROR") + f" failed: timeout after {rng.randrange(9000)} ms"
        made.append(line)
        size += len(line) + 1
    return "\n".join(made) + "\n"


def real(kind: str) -> str:
    """Return real samples of a kind joined to about 10 MB: one array for JSON, one file for logs."""
    samples = [data.decode("utf-8", "replace") for _, _, data in corpus(kind)]
    if not samples:
        return ""
    if kind == "json":
        values = []
        for sample in samples:
            try:
                value = json.loads(sample)
            except ValueError:
                continue
            values += value if isinstance(value, list) else [value]
        return json.dumps(values * max(1, SIZE // len(json.dumps(values))))
    text = "\n".join(samples)
    return text * max(1, SIZE // len(text))


def main() -> None:
    print(f"{'input':16} {'MB':>6} {'level':>9} {'MB/s':>7} {'tokens left':>12}")
    for name, text in (
        ("json", records()),
        ("logs", log()),
        ("json, real", real("json")),
        ("logs, real", real("logs")),
    ):
        data = text.encode()
        if not data:
            continue
        for policy in (Policy(level="balanced"), Policy(level="balanced", lossless=True)):
            times, result = [], None
            for _ in range(3):
                start = time.perf_counter()
                result = engine.crush(data, policy, None, form="raw", dry=True)
                times.append(time.perf_counter() - start)
            speed = len(data) / 1e6 / min(times)
            level = "lossless" if policy.lossless else policy.level
            left = result.after / result.before
            print(f"{name:16} {len(data) / 1e6:6.1f} {level:>9} {speed:7.1f} {left:12.3f}", flush=True)


if __name__ == "__main__":
    main()
