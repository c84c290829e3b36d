"""What a reader still finds in shortened prose, beside the plain ways to shorten it, at the same tokens.

    python benchmarks/prose.py [--ratios 0.7,0.5,0.4,0.25] [--sets xquad-long,nq20,...] [--every 4] [--missed]

One table: the cover that ships, the head and the tail of the text, and the sentences that plain BM25 ranks highest.
Needles are the facts of the outside prose samples that stand in the rendering when nothing is asked. Answers are the
questions of the outside sets, each asked of its own text ("asked") or kept back ("not asked"): one counts when one of
its accepted wordings stands in the rendering. The row "default" gives no budget: the text decides. Below the table:
questions that are not about prose, a key of a JSON object and a function of a list, through the whole engine with the
question known. Tokens are exact when rs-bpe is installed, estimates otherwise; MB/s do not contain the counting.
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

from headroom_cli import engine, tokens
from headroom_cli.compressors.prose import compress
from headroom_cli.compressors.prose.sentences import split
from headroom_cli.model import Policy, Want
from headroom_cli.rank import bm25

MEGABYTE = 1_000_000
SETS = "xquad-long,nq20,xquad-en,nq-oracle"


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


class Clock:
    """A counter of tokens that leaves its own time out of what is measured around it."""

    def __init__(self, count):
        """Wrap a counter."""
        self.inner = count
        self.spent = 0.0

    def count(self, text):
        """Return the tokens of a text."""
        began = time.perf_counter()
        found = self.inner(text)
        self.spent += time.perf_counter() - began
        return found


def cover(text, question, target, clock):
    """Return what ships; without a target at the level's own."""
    draft = compress(text, Want(clock.count, question=question, budget=target, asked=True))
    return text if draft is None else draft.text


def sentences(text):
    """Return the sentences of a text."""
    starts = split(text, 0, len(text))
    return [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


def kept_in_order(parts, order, target, clock):
    """Return the parts that fit into the target in the given order, in the order of the text."""
    room, kept = target, set()
    for at in order:
        size = clock.count(parts[at])
        if size <= room:
            kept.add(at)
            room -= size
    return "".join(part for at, part in enumerate(parts) if at in kept)


def head_and_tail(text, _question, target, clock):
    """Return as many sentences of the beginning as of the end."""
    parts = sentences(text)
    order = [at for pair in zip(range(len(parts)), reversed(range(len(parts))), strict=True) for at in pair]
    return kept_in_order(parts, dict.fromkeys(order), target, clock)


def sentence_bm25(text, question, target, clock):
    """Return the sentences that a question ranks highest."""
    parts = sentences(text)
    ranks = bm25(question, parts)
    return kept_in_order(parts, sorted(range(len(parts)), key=lambda at: -ranks[at]), target, clock)


SYSTEMS = {"cover": cover, "head/tail": head_and_tail, "sentence BM25": sentence_bm25}


def questions(name, every):
    """Yield (id, text, question, accepted wordings) of the questions whose answer stands in the text."""
    path = next((CORPUS / "qa").glob(f"qa-{name}-*.jsonl"))
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    found = []
    for row in rows:
        pairs = row["qas"] if isinstance(row["qas"], list) else ast.literal_eval(row["qas"])
        whole = plain(row["context"])
        for pair in pairs:
            gold = [plain(answer) for answer in pair["answers"]]
            if any(answer in whole for answer in gold):  # else worded otherwise in the text itself
                found.append((row["id"], row["context"], pair["question"], gold))
    return found[::every]


class Tally:
    """What a system left of a set at a ratio."""

    def __init__(self):
        """Begin at nothing."""
        self.kept = self.wanted = self.before = self.after = self.size = 0
        self.seconds = 0.0

    def add(self, system, text, question, ratio, clock):
        """Shorten a text and return what is left, with single blanks."""
        whole = clock.inner(text)
        began, counted = time.perf_counter(), clock.spent
        short = system(text, question, None if ratio is None else int(ratio * whole), clock)
        self.seconds += time.perf_counter() - began - (clock.spent - counted)
        self.before += whole
        self.after += clock.inner(short)
        self.size += len(text.encode("utf-8", "replace"))
        return plain(short)

    def __str__(self):
        """Return the share of what was wanted, and of the tokens."""
        return f"{self.kept / max(1, self.wanted):.3f} at {self.after / max(1, self.before):.3f}"


def needles(system, ratio, clock):
    """Return the tally of the facts of the prose samples when nothing is asked."""
    tally = Tally()
    for line in (CORPUS / "MANIFEST.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["kind"] != "prose" or not row.get("needles"):
            continue
        text = (CORPUS / row["path"]).read_text(errors="replace")
        short = tally.add(system, text, "", ratio, clock)
        facts = json.loads((CORPUS / "needles" / f"{row['id']}.json").read_text())
        tally.wanted += len(facts)
        tally.kept += sum(plain(fact["text"]).strip() in short for fact in facts)
    return tally


def answers(system, ratio, rows, clock, *, asked, missed=None):
    """Return the tally of the answers of a set."""
    tally = Tally()
    for name, text, question, gold in rows:
        short = tally.add(system, text, question if asked else "", ratio, clock)
        hit = any(answer in short for answer in gold)
        tally.wanted += 1
        tally.kept += hit
        if missed is not None and not hit:
            missed.append((name, question, gold[0]))
    return tally


def table(options, count):
    """Print a line per ratio, system, and whether the question is known."""
    sets = {name: questions(name, options.every) for name in filter(None, options.sets.split(","))}
    clock = Clock(count)
    print(
        f"{'ratio':7} {'system':14} {'question':9} {'needles':>14}" + "".join(f" {name:>14}" for name in sets), "  MB/s"
    )
    for ratio in [*map(float, filter(None, options.ratios.split(","))), None]:
        for name, system in SYSTEMS.items():
            if ratio is None and name != "cover":
                continue
            for asked in (False, True):
                if (name == "sentence BM25" and not asked) or (name == "head/tail" and asked):
                    continue  # the one has nothing to go by, the other takes no notice
                missed = [] if options.missed and asked and name == "cover" else None
                found = [] if asked else [needles(system, ratio, clock)]
                by_set = [answers(system, ratio, rows, clock, asked=asked, missed=missed) for rows in sets.values()]
                tallies = [*found, *by_set]
                speed = sum(t.size for t in tallies) / MEGABYTE / max(1e-9, sum(t.seconds for t in tallies))
                cells = [*(map(str, found) if found else ["-"]), *map(str, by_set)]
                said = "default" if ratio is None else f"{ratio:.2f}"
                line = "".join(f" {cell:>14}" for cell in cells)
                print(f"{said:7} {name:14} {'asked' if asked else 'not asked':9}{line} {speed:6.1f}", flush=True)
                for row in missed or ():
                    print("   ", *row)


def others(options, count):
    """Print what stays of JSON when the question is known: the value of a key, the name of the right function."""
    keys = [(text, question, gold) for _, text, question, gold in questions("kv-retrieval", options.every)]
    calls = [json.loads(line) for line in (CORPUS / "qa" / "qa-bfcl-dev.jsonl").read_text().splitlines()]
    functions = [
        (json.dumps(row["tools"], indent=2), row["messages"][-1]["content"], [next(iter(row["gold"][0]))])
        for row in calls[:: options.every]
        if row["gold"] and isinstance(row["gold"][0], dict) and len(row["tools"]) > 1
    ]
    for name, rows in (("key of 75", keys), ("function of 2 to 4", functions)):
        for share in (None, 0.4):
            kept = before = after = 0
            for text, question, gold in rows:
                budget = None if share is None else int(share * count(text))
                policy = Policy(level="balanced", query=question, budget=budget)
                short = engine.crush(text.encode(), policy, None, form="raw", dry=True).data.decode()
                kept += any(answer in short for answer in gold)
                before += count(text)
                after += count(short)
            said = "default" if share is None else f"budget {share}"
            share_kept, left = kept / max(1, len(rows)), after / max(1, before)
            print(f"{name:18} {said:10} asked {share_kept:.3f} of {len(rows)} at {left:.3f}")


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratios", default="0.7,0.5,0.4,0.25", help="shares of the tokens")
    parser.add_argument("--sets", default=SETS, help="question sets; empty for none")
    parser.add_argument("--every", type=int, default=1, help="every so many questions only")
    parser.add_argument("--missed", action="store_true", help="print the questions whose answer is gone")
    options = parser.parse_args()
    if not CORPUS.exists():
        sys.exit(WHY_NO_CORPUS)
    count, how = counter()
    print(f"# kept at tokens left; tokens: {how}")
    table(options, count)
    others(options, count)


if __name__ == "__main__":
    main()
