"""MB/s of the whole engine (parse, route, compress, weigh) on 10 MB of each kind, one core, no store.

python benchmarks/throughput.py [KIND ...]
Gates (aims): json 20 (40), logs 10 (30), search 25 (40), diff 20 (40), table 12 (20), html 10, code 3, prose 2 (5).
Inputs are synthetic, and real ones repeated when the outside corpus is there. Code comes as files of at most 1 MB.
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
MEGABYTE = 1_000_000
GATES = {
    "json": 20,
    "logs": 10,
    "search": 25,
    "listing": 25,
    "diff": 20,
    "table": 12,
    "html": 10,
    "code": 3,
    "prose": 2,
}
SENTENCE = (
    "the queue keeps every order until a worker has answered or the limit of retries is reached because a lost message"
    " costs more than a late one and nobody can tell from outside which of the two it was"
)
WORDS = SENTENCE.split()


def until(size: int, make) -> str:
    """Join what ``make(i)`` gives until the size is reached."""
    made, total, i = [], 0, 0
    while total < size:
        piece = make(i)
        made.append(piece)
        total += len(piece)
        i += 1
    return "".join(made)


def records() -> str:
    rng = random.Random(1)
    states = ("active", "paused", "closed")

    def item(i: int) -> str:
        value = {
            "id": i,
            "name": f"customer {rng.randrange(10**6)}",
            "state": rng.choice(states),
            "balance": round(rng.gauss(500, 120), 2),
            "address": {"city": rng.choice(("Lyon", "Oslo", "Porto")), "zip": f"{rng.randrange(10**5):05d}"},
            "tags": rng.sample(("new", "vip", "late", "eu"), 2),
            "error": None if i % 997 else "payment refused: card expired",
        }
        return json.dumps(value) + ", "

    return "[" + until(SIZE, item)[:-2] + "]"


def log() -> str:
    rng = random.Random(2)

    def line(i: int) -> str:
        text = (
            f"2026-11-18T09:{i // 3000 % 60:02d}:{i // 50 % 60:02d}.{i % 1000:03d}Z INFO  [worker-{rng.randrange(16)}] "
            + rng.choice(("GET /api/items/{} 200 {} ms", "stored order {} with {} items", "cache hit key={} age={}"))
        ).format(rng.randrange(10**6), rng.randrange(90))
        if i % 5003 == 0:
            text = text.replace("INFO ", "ERROR") + f" failed: timeout after {rng.randrange(9000)} ms"
        return text + "\n"

    return until(SIZE, line)


def words(rng: random.Random, count: int) -> str:
    return " ".join(rng.choices(WORDS, k=count))


def statement(rng: random.Random) -> str:
    name, other = rng.choice(WORDS), rng.choice(WORDS)
    return rng.choice(
        (f"{name} = self.{other}({rng.randrange(99)})", f"if {name} is None:", f"return {name}.{other}", f"{name} += 1")
    )


def search() -> str:
    rng = random.Random(3)
    return until(
        SIZE,
        lambda i: f"src/{WORDS[i // 400 % len(WORDS)]}/module_{i // 40}.py:{i % 40 * 7 + 1}:    {statement(rng)}\n",
    )


def listing() -> str:
    return until(
        SIZE, lambda i: f"./src/{WORDS[i // 600 % len(WORDS)]}/part_{i // 30}/{WORDS[i % len(WORDS)]}_{i % 30}.py\n"
    )


def diff() -> str:
    rng = random.Random(4)

    def hunk(i: int) -> str:
        name = f"src/module_{i // 4}.py"
        head = (
            f"diff --git a/{name} b/{name}\nindex 12ab34c..56de78f 100644\n--- a/{name}\n+++ b/{name}\n"
            if i % 4 == 0
            else ""
        )
        at = i % 4 * 60 + 10
        body = [f"     {statement(rng)}\n" for _ in range(3)]
        changed = f"-    {statement(rng)}\n+    {statement(rng)}\n+    {statement(rng)}\n"
        after = [f"     {statement(rng)}\n" for _ in range(3)]
        return f"{head}@@ -{at},7 +{at + i % 4},8 @@ def f{i}(self):\n" + "".join(body) + changed + "".join(after)

    return until(SIZE, hunk)


def csv() -> str:
    rng = random.Random(5)
    return "id,name,city,amount,state\n" + until(
        SIZE, lambda i: f"{i},customer {rng.randrange(10**5)},{rng.choice(WORDS)},{rng.random() * 900:.2f},open\n"
    )


def columns() -> str:
    rng = random.Random(6)
    return f"{'NAMESPACE':12}{'NAME':40}{'READY':8}{'STATUS':12}{'RESTARTS':12}AGE\n" + until(
        SIZE,
        lambda i: (
            f"{rng.choice(WORDS):12}{f'api-{i:06d}-{rng.randrange(16**5):05x}':40}{'1/1':8}{'Running':12}"
            f"{rng.randrange(3):<12}{rng.randrange(90)}d\n"
        ),
    )


def html() -> str:
    rng = random.Random(7)
    return "<!doctype html><html><head><title>Orders</title></head><body>" + until(
        SIZE,
        lambda i: (
            f'<div class="card card-{i % 9}" data-id="{i}"><h3><a href="/orders/{i}">Order {i}</a></h3>'
            f'<p class="text">{words(rng, 24)}.</p><ul class="tags"><li>new</li><li>eu</li></ul></div>\n'
        ),
    )


def code() -> str:
    rng = random.Random(8)
    return "import os\n\n\nclass Orders:\n" + until(
        MEGABYTE - 100,
        lambda i: (
            f'    def f{i}(self, order):\n        """{words(rng, 9)}."""\n        # {words(rng, 8)}\n'
            + "".join(f"        {statement(rng).removeprefix('if ').removesuffix(':')}\n" for _ in range(12))
            + "\n"
        ),
    )


def prose() -> str:
    rng = random.Random(9)
    return until(
        SIZE,
        lambda i: (
            (f"## Part {i // 8}\n\n" if i % 8 == 0 else "")
            + " ".join(f"{words(rng, 12).capitalize()} in {rng.randrange(1900, 2026)}." for _ in range(6))
            + "\n\n"
        ),
    )


MADE = {"json": records, "logs": log, "search": search, "listing": listing, "diff": diff, "table": csv, "html": html,
        "code": code, "prose": prose}  # fmt: skip


def real(kind: str) -> list[str]:
    """Return real samples of a kind: about 10 MB in one text, each file by itself for code."""
    samples = [data.decode("utf-8", "replace") for _, _, data in corpus(kind)]
    if kind == "code":
        return [sample for sample in samples if len(sample) <= MEGABYTE]
    if not samples:
        return []
    if kind == "json":
        values = []
        for sample in samples:
            try:
                value = json.loads(sample)
            except ValueError:
                continue
            values += value if isinstance(value, list) else [value]
        return [json.dumps(values * max(1, SIZE // len(json.dumps(values))))]
    if kind in ("html", "search"):  # a page has one end, and a search one form: file by file, as they come
        return samples
    text = "\n".join(samples)
    return [text * max(1, SIZE // len(text))]


def measure(name: str, texts: list[str], gate: float) -> None:
    """Print the best of three runs over all texts, for both degrees."""
    data = [text.encode() for text in texts]
    size = sum(map(len, data)) / MEGABYTE
    if not size:
        return
    for policy in (Policy(level="balanced"), Policy(level="balanced", lossless=True)):
        times, before, after = [], 0, 0
        for _ in range(3):
            start = time.perf_counter()
            results = [engine.crush(one, policy, None, form="raw", dry=True) for one in data]
            times.append(time.perf_counter() - start)
            before, after = sum(r.before for r in results), sum(r.after for r in results)
        level = "lossless" if policy.lossless else policy.level
        kinds = sorted({report.kind for result in results for report in result.blocks})
        print(
            f"{name:16} {size:6.1f} {level:>9} {size / min(times):7.1f} {gate:6} {after / before:12.3f}  "
            f"{' '.join(kinds[:4])}",
            flush=True,
        )


def main() -> None:
    wanted = sys.argv[1:] or list(MADE)
    print(f"{'input':16} {'MB':>6} {'level':>9} {'MB/s':>7} {'gate':>6} {'tokens left':>12}  taken for")
    for kind in wanted:
        measure(kind, [MADE[kind]()], GATES[kind])
        if kind == "table":
            measure("table, columns", [columns()], GATES[kind])
    for kind in wanted:
        if kind not in ("listing", "table"):
            measure(f"{kind}, real", real(kind), GATES[kind])


if __name__ == "__main__":
    main()
