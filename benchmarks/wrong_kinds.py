"""What does a wrong guess cost? Force every kind on every sample and look for facts that are gone.

python benchmarks/wrong_kinds.py [LIMIT] [KIND ...]        LIMIT samples of each kind (default 12; 0 for all)
A needle is lost when it reads neither in place nor behind a handle: when the output has no marker and lacks it, or when
expanding the output does not give the input back. "left" are the tokens left (estimates), "held" the share of needles
that read in place. Lost must be 0.
"""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from corpus import KINDS as SAMPLES
from corpus import holds, readable
from inputs import CORPUS, corpus

from headroom_cli import compressors, engine
from headroom_cli.model import LOSSY, Policy
from headroom_cli.store import Store


def needles(name: str) -> list[str]:
    path = CORPUS / "needles" / f"{name}.json"
    return [entry["text"] for entry in json.loads(path.read_text())] if path.exists() else []


def main() -> int:
    limit = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    kinds = sys.argv[2:] or [kinds[0] for kinds in compressors.COMPRESSORS.values()]
    samples = [(kind, *sample) for kind in SAMPLES for sample in corpus(kind, limit=limit)]
    print(f"{'as':10} {'samples':>8} {'changed':>8} {'left':>6} {'needles':>8} {'held':>6} {'lost':>5} {'failed':>6}")
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
