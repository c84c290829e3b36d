"""Measure the token estimate: error per kind, whole and by windows, speed, and the ratio between writings.

python benchmarks/tokens.py [--limit N]      (needs rs-bpe for the exact counts)

Corpus: as training/tokens.py. The shipped weights were fitted on this corpus too; for sources that a fit has not seen
run ``python training/tokens.py --held``.
"""

import importlib.util
import os
import random
import statistics
import sys
import time

from headroom_cli import tokens
from headroom_cli.models import token_weights

HERE = os.path.dirname(os.path.abspath(__file__))
SPEC = importlib.util.spec_from_file_location("fit", os.path.join(HERE, "..", "training", "tokens.py"))
FIT = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(FIT)


def line(name, errors):
    errors = sorted(abs(e) for e in errors)
    if errors:
        high = errors[min(len(errors) - 1, len(errors) * 95 // 100)]
        print(f"{name:28s} n={len(errors):5d} median {statistics.median(errors):5.2f} % p95 {high:5.1f} % "
              f"max {errors[-1]:5.1f} %")  # fmt: skip


def main():
    limit = int(sys.argv[sys.argv.index("--limit") + 1]) if "--limit" in sys.argv else 10**9
    rng = random.Random(1)
    texts = FIT.documents()
    rng.shuffle(texts)
    weights = token_weights.load()
    whole, generated, by_kind = {}, {}, {}
    for kind, _, text in texts:
        by_kind.setdefault(kind, []).append(text)
    for kind, members in by_kind.items():
        whole[kind] = [
            (tokens.estimated(text, weights) / n - 1) * 100 for text in members[:limit] if (n := FIT.COUNT(text)) >= 50
        ]
    for kind, _, text in FIT.generated(random.Random(99)):
        if (n := FIT.COUNT(text)) >= 50:
            generated.setdefault(kind, []).append((tokens.estimated(text, weights) / n - 1) * 100)
    print("documents")
    for kind, errors in sorted(whole.items()):
        line(kind, errors)
    line("all", [e for errors in whole.values() for e in errors])
    print("generated blobs")
    for kind, errors in sorted(generated.items()):
        line(kind, errors)

    print("large texts by windows (estimate of 64 KB against the estimate and the count of the whole)")
    for kind, members in sorted(by_kind.items()):
        joined = [t for t in members if len(t) > tokens.WHOLE][:limit]
        if kind != "toolout" and len(joined) < 3:
            joined.append("\n".join(members)[:1_500_000])
        big = [t for t in joined if len(t) > tokens.WHOLE]
        line(
            f"{kind}: windows/whole",
            [(tokens.estimated(t, weights) / tokens.estimate(t, weights) - 1) * 100 for t in big],
        )
        line(f"{kind}: windows/exact", [(tokens.estimated(t, weights) / FIT.COUNT(t) - 1) * 100 for t in big])

    print("ratio after/before of one content: how far the estimated ratio is from the exact one, in % of it")
    ratios = {"minified/pretty": [], "table/pretty": [], "table/minified": []}
    wrong = dict.fromkeys(ratios, 0)
    for text in by_kind.get("json", [])[:limit]:
        written = FIT.writings(text)
        if not written:
            continue
        exact = [FIT.COUNT(t) for t in written]
        ours = [tokens.estimated(t, weights) for t in written]
        for name, after, before in (("minified/pretty", 1, 0), ("table/pretty", 2, 0), ("table/minified", 2, 1)):
            told, true = ours[after] / ours[before], exact[after] / exact[before]
            ratios[name].append((told / true - 1) * 100)
            wrong[name] += told <= 0.97 and true > 1
    for name, errors in ratios.items():
        line(name, errors)
        print(f"{'':28s} told <= 0.97 although larger: {wrong[name]}; worst told too small {min(errors):.1f} %")

    for size in (1000, 10_000, 100_000, 1_000_000):
        for kind in ("json", "logs", "code"):
            text = ("\n".join(by_kind[kind]))[:size]
            best = min(timed(text) for _ in range(5))
            full = min(timed(text, tokens.estimate) for _ in range(3))
            print(f"{kind} {size:8d} characters: {best * 1e3:7.2f} ms; whole {size / full / 1e6:5.1f} MB/s")


def timed(text, measure=tokens.estimated):
    weights = token_weights.load()
    start = time.process_time()
    measure(text, weights)
    return time.process_time() - start


if __name__ == "__main__":
    main()
