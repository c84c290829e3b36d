"""Say how fast logs are compressed, and whether time stays linear on hostile text.

Usage: python benchmarks/logs.py [--quick]
Prints MB/s for 10 MB logs of several families on one core, and milliseconds for 1 MiB of hostile text with the ratio
time(2n)/time(n), in CPU time: other work on the machine does not count. Everything is generated here from a fixed seed.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from typing import TYPE_CHECKING

from headroom_cli.compressors.logs import COMPRESSOR
from headroom_cli.model import Want

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20


def _want(level: str = "balanced") -> Want:
    return Want(lambda text: len(text) // 4, level=level)


def service(rng: random.Random, size: int) -> str:
    out, got, at = [], 0, 0
    verbs = ("fetched", "stored", "expired", "scheduled", "acknowledged", "replayed")
    while got < size:
        at += rng.randrange(1, 900)
        day, hour, minute = 1 + at // 86_400_000 % 28, at // 3_600_000 % 24, at // 60_000 % 60
        clock = f"2026-03-{day:02d} {hour:02d}:{minute:02d}:{at // 1000 % 60:02d},{at % 1000:03d}"
        head = f"[worker-{rng.randrange(16)}] com.example.jobs.Runner -"
        if rng.random() < 0.004:
            line = f"{clock} ERROR {head} job {rng.randrange(10**6)} failed: disk quota exceeded"
        else:
            line = f"{clock} INFO  {head} {rng.choice(verbs)} batch {rng.randrange(10**6)} in {rng.randrange(900)} ms"
        out.append(line)
        got += len(line) + 1
    return "\n".join(out) + "\n"


def access(rng: random.Random, size: int) -> str:
    out, got = [], 0
    while got < size:
        status = rng.choices((200, 304, 404, 500), (90, 6, 3.7, 0.3))[0]
        line = (
            f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)} - - "
            f"[05/Mar/2026:10:{rng.randrange(60):02d}:{rng.randrange(60):02d} +0000] "
            f'"GET /api/v1/items/{rng.randrange(10**5)} HTTP/1.1" {status} {rng.randrange(9999)} "-" "Mozilla/5.0"'
        )
        out.append(line)
        got += len(line) + 1
    return "\n".join(out) + "\n"


def json_lines(rng: random.Random, size: int) -> str:
    out, got = [], 0
    while got < size:
        line = (
            f'{{"level":"info","ts":17{rng.randrange(10**8)}.{rng.randrange(10**6)},'
            f'"caller":"api/server.go:{rng.randrange(400)}","msg":"request done",'
            f'"trace":"{rng.getrandbits(128):032x}","user":"u{rng.randrange(9999)}","ms":{rng.randrange(500)}}}'
        )
        out.append(line)
        got += len(line) + 1
    return "\n".join(out) + "\n"


def tests(rng: random.Random, size: int) -> str:
    out, got = [], 0
    words = ("parse", "render", "merge", "split", "store", "fetch", "route", "align")
    while got < size:
        ending = "FAILED" if rng.random() < 0.003 else "PASSED"
        name = f"test_{rng.choice(words)}_{rng.choice(words)}_{rng.randrange(999)}"
        line = f"tests/test_{rng.choice(words)}.py::{name} {ending} [ {rng.randrange(99):2d}%]"
        out.append(line)
        got += len(line) + 1
    return "\n".join(out) + "\n"


def denials(rng: random.Random, size: int) -> str:
    """Nearly every line tells of trouble, of one wording with many values."""
    out, got = [], 0
    while got < size:
        line = (
            f"12:{rng.randrange(60):02d}:{rng.randrange(60):02d}.{rng.randrange(999):03d} [worker-{rng.randrange(9)}] "
            f"cannot open shard {rng.randrange(40)}, id {rng.randrange(10**6, 10**7)} after {rng.randrange(900)} ms"
        )
        out.append(line)
        got += len(line) + 1
    return "\n".join(out) + "\n"


def words(rng: random.Random, size: int) -> str:
    """Every line another one: nothing to share between keys."""
    out, got = [], 0
    letters = "abcdefghijklmnopqrstuvwxyz"
    while got < size:
        line = f"12:00:{rng.randrange(60):02d} INFO " + " ".join("".join(rng.choices(letters, k=6)) for _ in range(11))
        out.append(line)
        got += len(line) + 1
    return "\n".join(out) + "\n"


HOSTILE: dict[str, Callable[[int], str]] = {
    "one line": lambda n: "a" * n,
    "newlines": lambda n: "\n" * n,
    "a space": lambda n: "a " * (n // 2),
    "parens": lambda n: "(" * n,
    "carriage returns": lambda n: "\r" * n,
    "escapes": lambda n: "\x1b" * n,
    "open csi": lambda n: "\x1b[" * (n // 2),
    "open osc": lambda n: "\x1b]0;" * (n // 4),
    "backspaces": lambda n: "x\b" * (n // 2),
    "growing redraws": lambda n: "\r".join("#" * (i % 700) for i in range(n // 350)),
    "errors": lambda n: "error " * (n // 6),
    "error lines": lambda n: "".join(f"ERROR {i}\n" for i in range(n // 13)),
    "short lines": lambda n: "".join(f"{i}\n" for i in range(n // 7)),
    "frames": lambda n: "    at f(a.js:1)\n    at g(b.js:2)\n" * (n // 34),
    "dots": lambda n: "." * (n - 1) + "Q",
    "spaces": lambda n: " " * n,
    "digits": lambda n: "1" * n,
    "equals": lambda n: "= " * (n // 2),
    "quotes": lambda n: '"level":' * (n // 8),
    "indent stairs": lambda n: "".join(" " * (i % 400) + "x\n" for i in range(n // 202)),
    "wide": lambda n: "\u4e16\u754c 12:00:00 INFO\n" * (n // 18),
    "stamped noise": lambda n: "".join(
        f"12:00:00 INFO {chr(97 + i % 26) * (1 + i % 23)} {i * 7919 % 104729:x}\n" for i in range(n // 32)
    ),
}


def clock(text: str, level: str = "balanced", rounds: int = 3) -> float:
    best = 1e9
    for _ in range(rounds):
        start = time.process_time()
        COMPRESSOR.compress(text, _want(level))
        best = min(best, time.process_time() - start)
    return best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1 MB logs instead of 10 MB")
    quick = parser.parse_args().quick
    size = 1_000_000 if quick else 10_000_000
    worst = 0.0
    print(f"{'log family':18} {'MB/s':>7} {'bytes left':>10}")
    for make in (service, access, json_lines, tests, denials, words):
        text = make(random.Random(7), size)
        taken = clock(text, rounds=2)
        draft = COMPRESSOR.compress(text, _want())
        left = len(draft.text) / len(text) if draft else 1.0
        print(f"{make.__name__:18} {len(text) / 1e6 / taken:7.1f} {left:10.3f}", flush=True)
    print(f"\n{'1 MiB of':18} {'ms':>7} {'t(2n)/t(n)':>10}")
    for name, make in HOSTILE.items():
        once, twice = clock(make(MIB)), clock(make(2 * MIB))
        worst = max(worst, once)
        print(f"{name:18} {once * 1e3:7.1f} {twice / max(once, 1e-4):10.2f}", flush=True)
    print(f"worst {worst * 1e3:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
