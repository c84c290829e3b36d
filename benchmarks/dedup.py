"""Measure what references save in conversations, and what remembering them costs: python benchmarks/dedup.py [EVERY].

Over the conversations of the outside corpus (``HEADROOM_CORPUS``), every EVERY-th of them. Each reference is followed
as the tests do, by its words alone. ``index`` is the time to remember 400 KB in 200 outputs, as at the first request
of a long conversation; ``turn`` is the time to look one more output of 2 KB up and to remember it.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from inputs import CORPUS
from test_dedup import REFERENCE, Reader

from headroom_cli import formats
from headroom_cli.dedup import Seen, views
from headroom_cli.drafting import Drafter
from headroom_cli.model import RANGED, Block, Hint, Policy, Report


def form(said: str) -> str:
    """Return which of the forms of a reference this is."""
    if "as above: " in said:
        return "fields by words" if " fields " in said else "lines by words"
    return "same numbers" if said.endswith("as above]") else "other numbers"


def conversation(path: Path, sizes: Counter[str], forms: Counter[str]) -> None:
    """Render one conversation block by block, and follow every reference in it."""
    drafter, reader = Drafter(Policy(), turns=True, model=""), Reader()
    drafter.begin(time.perf_counter() + 600)
    for block in formats.of_value(json.loads(path.read_text())["messages"]).blocks:
        report = Report(block.path, block.role)
        report.before = drafter.count(block.text)
        draft = drafter.draft(block, report) if block.kept in ("", RANGED) else None
        shown = draft.text if draft else block.text
        for written in block.hint.written:
            reader.read(written)
        reader.read(shown, views.file_of(block.text, block.hint) if block.role == "tool" else "")
        drafter.passed(block, shown)
        if block.role == "tool":
            sizes["before"] += report.before
            sizes["after"] += report.after if draft else report.before
            for row in shown.split("\n"):
                if REFERENCE.fullmatch(row.rstrip("\r")):
                    forms[form(row.rstrip("\r"))] += 1
                    sizes["references"] += drafter.count(row)


def cost() -> tuple[float, float]:
    """Return milliseconds to remember 400 KB in 200 outputs, and to look up and remember one more of 2 KB."""
    package = Path(__file__).parent.parent / "headroom_cli"
    text = "\n".join(path.read_text() for path in sorted(package.rglob("*.py")))
    blocks = [Block("", "tool", text[i : i + 2000], 0, 0, hint=Hint("cat it.py")) for i in range(0, 400_000, 2000)]
    best = [1e9, 1e9]
    for _ in range(9):
        seen = Seen()
        start = time.process_time()
        for block in blocks:
            seen.passed(block, block.text)
        best[0] = min(best[0], time.process_time() - start)
        start = time.process_time()
        for block in blocks[:20]:
            seen.shorten(block, block.text)
            seen.passed(block, block.text)
        best[1] = min(best[1], (time.process_time() - start) / 20)
    return best[0] * 1e3, best[1] * 1e3


def main() -> None:
    every = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    sizes: Counter[str] = Counter()
    forms: Counter[str] = Counter()
    paths = sorted((CORPUS / "traces_norm").glob("*.json"))[::every]
    for path in paths:
        conversation(path, sizes, forms)
    if paths:
        print(f"conversations {len(paths)}: outputs {sizes['before']:,} -> {sizes['after']:,} tokens (estimated)")
        print(
            f"references {forms.total()}, all followed, {sizes['references'] / max(forms.total(), 1):.1f} tokens each"
        )
        for name, number in forms.most_common():
            print(f"  {name:16} {number:5}")
    index, turn = cost()
    print(f"index {index:.1f} ms, turn {turn:.2f} ms")


if __name__ == "__main__":
    main()
