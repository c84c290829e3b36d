"""How fast is SmartCrusher, on a large array and on hostile text? Prints MB/s, and seconds with their growth.

Usage: python benchmarks/records.py [MEGABYTES]
"""

import json
import random
import sys
import time

from headroom_cli.compressors import records
from headroom_cli.model import Want


def count(text):
    """Stand in for the estimator: what is measured here is the compressor."""
    return len(text) // 4


def users(rows):
    rng = random.Random(1)
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]
    return [
        {
            "id": i,
            "name": f"{rng.choice(words)} {rng.choice(words)} {i}",
            "email": f"user{i}@example.com",
            "score": rng.randrange(10**6) / 1000,
            "active": rng.random() < 0.9,
            "tags": rng.sample(words, 2),
            "place": {"city": rng.choice(words), "x": rng.randrange(100), "y": rng.randrange(100)},
            "note": " ".join(rng.choices(words, k=8)),
        }
        for i in range(rows)
    ]


HOSTILE = {
    "[ * n": lambda n: "[" * n,
    '{"a": * n': lambda n: '{"a":' * (n // 5),
    "one string": lambda n: '["' + "x" * n + '"]',
    "open string": lambda n: '{"' + "x" * n,
    "small numbers": lambda n: "[" + "1," * (n // 2) + "1]",
    "empty objects": lambda n: "[" + "{}," * (n // 3) + "{}]",
    "empty arrays": lambda n: "[" + "[]," * (n // 3) + "[]]",
    "many keys": lambda n: "{" + ",".join(f'"key{i}":{i}' for i in range(n // 16)) + "}",
    "keys of objects": lambda n: "{" + ",".join(f'"k{i}":{{"a":{i}}}' for i in range(n // 18)) + "}",
    "escaped quotes": lambda n: '["' + '\\"' * (n // 2) + '"]',
    "backslashes": lambda n: '{"a":"' + "\\" * n,
    "long number": lambda n: "[" + "9" * n + "]",
    "false starts": lambda n: '[{"' * (n // 3),
    "objects in text": lambda n: 'x {"a": 1}\n' * (n // 11),
    "quotes and brackets": lambda n: '{"a" [' * (n // 6),
    "odd shapes": lambda n: "[" + ",".join(f'{{"k{i}":{i},"z":1}}' for i in range(n // 18)) + "]",
    "error words": lambda n: json.dumps({"log": "error at line one\n" * (n // 18)}),
    "error rows": lambda n: json.dumps([{"id": i, "error": f"failed {i}"} for i in range(n // 32)]),
    "grid": lambda n: "[" + ",".join(f"[{i},{i}.5]" for i in range(n // 15)) + "]",
    "nested arrays": lambda n: "[" + ("[" * 60 + "]" * 60 + ",") * (n // 121) + "1]",
    "wide rows": lambda n: json.dumps([{f"c{i}": f"v{i}{j}" for i in range(300)} for j in range(n // 4500)]),
    "long texts": lambda n: json.dumps([{"a": "x" * 5000, "b": f"{i}" + "x" * 5000} for i in range(n // 10000)]),
    "unicode escapes": lambda n: '["' + "\\u00e9" * (n // 6) + '"]',
}


def timed(text, **options):
    best = 99.0
    for _ in range(2):
        start = time.process_time()
        draft = records.compress(text, Want(count, **options))
        best = min(best, time.process_time() - start)
    return best, draft


def main():
    size = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    text = json.dumps(users(int(size * 4300)))
    lines = "\n".join(json.dumps(row) for row in users(int(size * 4300)))
    print(f"{len(text) / 1e6:.1f} MB array of objects, one core, parsing included")
    for name, source in (("array", text), ("lines", lines)):
        for options in (
            {},
            {"level": "safe"},
            {"level": "max"},
            {"lossless": True},
            {"question": "user 777?"},
        ):
            seconds, draft = timed(source, **options)
            left = len(draft.text) / len(source) if draft else 1
            speed = len(source) / 1e6 / seconds
            print(f"  {name} {options or 'balanced'}: {speed:.1f} MB/s, {left:.3f} of the bytes left")
    print("hostile text, 1 MiB: seconds, growth when doubled (0.3 s and 2.3 are the limits)")
    for name, make in HOSTILE.items():
        for options in ({}, {"lossless": True}):
            one, _ = timed(make(1 << 20), **options)
            two, _ = timed(make(2 << 20), **options)
            growth = two / max(one, 0.005)
            flag = "  <--" if one > 0.3 or growth > 2.3 else ""
            print(f"  {name:20} {'lossless' if options else 'balanced':8} {one:6.3f} s  x{growth:.2f}{flag}")


if __name__ == "__main__":
    main()
