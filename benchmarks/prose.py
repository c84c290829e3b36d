"""What a reader still finds in shortened prose: gold answers with the question known, needles without one.

    python benchmarks/prose.py [--ratios 0.3,0.4,0.5,0.7] [--sets xquad-long,nq20]

Answers: each question of the outside sets ``qa-xquad-long`` and ``qa-nq20`` is asked of its own text at 0.4 of the
text's tokens; an answer counts when one of its accepted wordings stands in the rendering. Needles: the facts of the
outside prose samples that stand in the rendering when nothing is asked, at several ratios. Tokens are exact when
rs-bpe is installed, estimates otherwise.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from inputs import CORPUS, WHY_NO_CORPUS

from headroom_cli import tokens
from headroom_cli.compressors.prose import compress
from headroom_cli.model import Want

RATIO = 0.4


def counter():
    """Return an exact counter, or the estimate."""
    try:
        from rs_bpe.bpe import openai
    except ImportError:
        return tokens.count, "estimated"
    return openai.o200k_base().count, "o200k_base"


def plain(text):
    """Return a text with every run of blanks as one space."""
    return re.sub(r"\s+", " ", text)


def shortened(text, ratio, question, count):
    """Return the rendering at a share of the tokens, the text itself when there is none."""
    draft = compress(text, Want(count, question=question, budget=int(ratio * count(text)), asked=True))
    return text if draft is None else draft.text


def answers(name, ratio, count):
    """Print how many gold answers stay readable in place, and how many tokens are left."""
    rows = [json.loads(line) for line in (CORPUS / "qa" / f"qa-{name}-dev.jsonl").read_text().splitlines()]
    asked = found = before = after = 0
    missed = []
    start = time.perf_counter()
    for row in rows:
        text = row["context"]
        pairs = row["qas"] if isinstance(row["qas"], list) else ast.literal_eval(row["qas"])
        whole = plain(text)
        for pair in pairs:
            gold = [plain(answer) for answer in pair["answers"]]
            if not any(answer in whole for answer in gold):
                continue  # worded otherwise in the text itself
            short = shortened(text, ratio, pair["question"], count)
            hay = plain(short)
            hit = any(answer in hay for answer in gold)
            asked += 1
            found += hit
            before += count(text)
            after += count(short)
            if not hit:
                missed.append((row["id"], pair["question"], pair["answers"][0]))
    seconds = time.perf_counter() - start
    share = found / max(1, asked)
    print(f"{name:12} answers {share:.3f} of {asked}, tokens {after / max(1, before):.3f}, {seconds:.1f} s")
    return missed


def needles(ratios, count):
    """Print the share of needles that stay readable in place, by ratio."""
    rows = [json.loads(line) for line in (CORPUS / "MANIFEST.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["kind"] == "prose" and row.get("needles")]
    for ratio in ratios:
        wanted = kept = before = after = 0
        for row in rows:
            text = (CORPUS / row["path"]).read_text(errors="replace")
            short = shortened(text, ratio, "", count)
            hay = plain(short)
            facts = json.loads((CORPUS / "needles" / f"{row['id']}.json").read_text())
            wanted += len(facts)
            kept += sum(plain(fact["text"]).strip() in hay for fact in facts)
            before += count(text)
            after += count(short)
        share = kept / max(1, wanted)
        print(f"ratio {ratio:.2f}   needles {share:.3f} of {wanted}, tokens {after / max(1, before):.3f}")


def main():
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratios", default="0.7,0.5,0.4", help="ratios for the needles; empty for none")
    parser.add_argument("--sets", default="xquad-long,nq20", help="question sets; empty for none")
    parser.add_argument("--missed", action="store_true", help="print the questions whose answer is gone")
    options = parser.parse_args()
    if not CORPUS.exists():
        sys.exit(WHY_NO_CORPUS)
    count, how = counter()
    print(f"# tokens: {how}")
    for name in filter(None, options.sets.split(",")):
        missed = answers(name, RATIO, count)
        if options.missed:
            for row in missed:
                print("  ", *row)
    needles([float(ratio) for ratio in options.ratios.split(",") if ratio], count)


if __name__ == "__main__":
    main()
