"""Check that every changed input comes back: outside corpus and hostile files, every level, one store.

python benchmarks/recover.py        target: 100 % of changed inputs, none larger
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from inputs import FLOODS, corpus, examples, hostile_files

from headroom_cli import engine
from headroom_cli.model import LEVELS, Policy
from headroom_cli.store import Store


def main() -> None:
    kinds = ("json", "logs", "search", "diff", "code", "html", "prose", "cmdout", "toolout", "traces_norm")
    inputs = examples() + hostile_files() + [(name, data) for name, _, data in corpus(*kinds)]
    inputs += [(name, flood(1 << 16).encode()) for name, flood in FLOODS.items()]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"{folder}/store")
        for level in (*LEVELS, "lossless"):
            policy = Policy(lossless=True) if level == "lossless" else Policy(level=level)
            runs = changed = back = larger = 0
            for name, data in inputs:
                result = engine.crush(data, policy, store)
                runs += 1
                larger += len(result.data) > len(data)
                if result.data != data:
                    changed += 1
                    if engine.expand(result.data, store) == (data, []):
                        back += 1
                    else:
                        print(f"LOST {level} {name}")
                if any(report.failure for report in result.blocks):
                    print(f"FAILED {level} {name}: {result.failure}")
            print(f"{level}: {runs} runs, {changed} changed, {back} came back, {larger} larger", flush=True)


if __name__ == "__main__":
    main()
