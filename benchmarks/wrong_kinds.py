"""What does a wrong guess cost? Force every kind on every sample and look for facts that are gone.

python benchmarks/wrong_kinds.py [LIMIT] [KIND ...]        LIMIT samples of each kind (default 12; 0 for all)
python benchmarks/wrong_kinds.py --routed SAMPLES          what misrouted texts lose, of training/routing_samples.py

A needle is lost when it reads neither in place nor behind a handle: when the output has no marker and lacks it, or when
expanding the output does not give the input back. "left" are the tokens left (estimates), "held" the share of needles
that read in place. Lost must be 0. With --routed, each text that the signatures alone or the whole router mistake is
compressed (balanced) as what it was taken for and as what it is; its needles are up to 20 of its rare facts: lines that
speak of trouble, and numbers and names that stand in it once. "right" are the same shares as what it is; +c: with the
command known.
"""

import collections
import json
import random
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from corpus import KINDS as SAMPLES
from corpus import holds, readable
from inputs import CORPUS, corpus

from headroom_cli import compressors, engine
from headroom_cli.model import LOSSY, Policy
from headroom_cli.routing import wrappers
from headroom_cli.store import Store


def needles(name: str) -> list[str]:
    path = CORPUS / "needles" / f"{name}.json"
    return [entry["text"] for entry in json.loads(path.read_text())] if path.exists() else []


TROUBLE = re.compile(r"(?i)\b(?:error|fail(?:ed|ure)?|fatal|exception|warning|denied|refused|not found)\b")
FACT = re.compile(r"[\w.@-]{5,60}")


def facts_of(text: str) -> list[str]:
    start, end = wrappers.unwrap(text)
    text = text[start:end]
    # What a line says, without the place before it: lists of matches say a place once for many lines.
    said = [
        line.rpartition(":")[2].strip()[:80] for line in text.split("\n") if TROUBLE.search(line) and len(line) < 400
    ]
    lines = [line for line in said if len(line) > 12]
    counts = collections.Counter(FACT.findall(text))
    rare = sorted(word for word, count in counts.items() if count == 1 and re.search(r"\d|[_.]\w", word))
    rng = random.Random(len(text))
    return list(dict.fromkeys(lines))[:10] + rng.sample(rare, min(10, len(rare)))


def routed(path: str) -> int:
    from routing import SYSTEMS, samples

    from headroom_cli.model import KINDS as KNOWN
    from headroom_cli.model import Hint

    rows = list(samples(path))
    lost = 0
    names = f"{'facts':>8} {'held':>6} {'right':>6} {'left':>6} {'right':>6} {'lost':>5}"
    print(f"{'system':11} {'texts':>6} {'wrong':>6} {names}")
    for system in ("signatures", "combined"):
        judge = SYSTEMS[system]()
        for known in (False, True):
            wrong = wanted = lost_here = 0
            held, left = [0, 0], [0, 0]
            before = 0
            with tempfile.TemporaryDirectory() as folder:
                store = Store(folder)
                for kind, _, text, command, truth in rows:
                    found = judge(text, Hint(command if known else ""))
                    if found in truth or "mixed" in (kind, found) or found not in KNOWN:
                        continue
                    wrong += 1
                    facts = [fact for fact in facts_of(text) if holds(readable(kind, text), fact)]
                    wanted += len(facts)
                    data = text.encode("utf-8", "surrogatepass")
                    for place, forced in enumerate((found, kind)):
                        result = engine.crush(data, Policy(as_kind=forced, level="balanced"), store)
                        hay = readable(kind, result.data.decode("utf-8", "replace"))
                        gone = [fact for fact in facts if not holds(hay, fact)]
                        held[place] += len(facts) - len(gone)
                        left[place] += result.after
                        before += result.before * (place == 0)
                        marked = any(report.degree == LOSSY for report in result.blocks)
                        if engine.expand(result.data, store) != (data, []) or (gone and not marked):
                            lost_here += 1
                            print("  lost", forced, text[:60], gone[:2])
            title = f"{system[:9]}{'+c' if known else ''}"
            shares = " ".join(f"{number:6.3f}" for number in (
                held[0] / max(wanted, 1), held[1] / max(wanted, 1), left[0] / max(before, 1), left[1] / max(before, 1)
            ))  # fmt: skip
            print(f"{title:11} {len(rows):6} {wrong:6} {wanted:8} {shares} {lost_here:5}", flush=True)
            lost += lost_here
    return 1 if lost else 0


def main() -> int:
    if sys.argv[1:2] == ["--routed"]:
        return routed(sys.argv[2])
    limit = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    kinds = sys.argv[2:] or [kinds[0] for kinds in compressors.COMPRESSORS.values()]
    samples = [(kind, *sample) for kind in SAMPLES for sample in corpus(kind, limit=limit)]
    print(f"{'as':10} {'samples':>8} {'changed':>8} {'left':>6} {'facts':>8} {'held':>6} {'lost':>5} {'failed':>6}")
    total = 0
    with tempfile.TemporaryDirectory() as folder:
        for forced in kinds:
            store = Store(f"{folder}/{forced}")
            changed = before = after = wanted = held = lost = failed = 0
            for kind, name, _, data in samples:
                result = engine.crush(data, Policy(as_kind=forced), store)
                before, after = before + result.before, after + result.after
                changed += result.data != data
                failed += any(report.failure for report in result.blocks)
                facts = [fact for fact in needles(name) if holds(readable(kind, data.decode("utf-8", "replace")), fact)]
                hay = readable(kind, result.data.decode("utf-8", "replace"))
                gone = [fact for fact in facts if not holds(hay, fact)]
                wanted, held = wanted + len(facts), held + len(facts) - len(gone)
                marked = any(report.degree == LOSSY for report in result.blocks)
                back = engine.expand(result.data, store) == (data, [])
                if not back or (gone and not marked):
                    lost += len(gone) or 1
                    print(f"  {name} as {forced}: {'no marker' if back else 'does not come back'}: {gone[:3]}")
            share = f"{held / wanted:6.3f}" if wanted else "-"
            print(
                f"{forced:10} {len(samples):8} {changed:8} {after / max(before, 1):6.3f} {wanted:8} {share:>6} "
                f"{lost:5} {failed:6}",
                flush=True,
            )
            total += lost + failed
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
