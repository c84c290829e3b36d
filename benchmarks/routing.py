"""How often is a text's kind found? Confusion per kind over a labelled corpus, with and without the command known.

python benchmarks/routing.py [--errors] [--limit N]

Corpus: a folder with MANIFEST.jsonl named by HEADROOM_CORPUS, ../shared/corpus by default. log and test-log count as
one kind; lists of files count as listing or search; other command output (cmdout) may be any of table, listing, log,
code or prose. File names are never shown to the router. toolout has weak labels made from commands, so only its
figures without the command mean something.
"""

import collections
import json
import os
import sys
import time

from headroom_cli.model import Hint
from headroom_cli.routing import route

CORPUS = os.environ.get("HEADROOM_CORPUS", "../shared/corpus")
LOGS = {"log", "test-log"}
TRUTH = {
    "json": {"json"}, "logs": LOGS, "search": {"search"}, "diff": {"diff"}, "code": {"code"},
    "prose": {"prose", "mixed"},
    "html": {"html"}, "cmdout": {"table", "listing", "log", "code", "prose"},
}  # fmt: skip
WEAK = {"code": {"code"}, "search": {"search", "listing"}, "listing": {"listing"}, "test-log": LOGS, "log": LOGS,
        "traceback": LOGS, "diff": {"diff"}, "json-object": {"json"}, "json-array": {"json"}, "html": {"html"},
        "prose": {"prose"}, "markdown": {"prose"}}  # fmt: skip


def texts():
    with open(f"{CORPUS}/MANIFEST.jsonl", encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            path = f"{CORPUS}/{entry['path']}"
            if not os.path.exists(path):
                continue
            if entry["kind"] == "toolout":
                with open(path, encoding="utf-8") as stream:
                    for item in map(json.loads, stream):
                        truth = WEAK.get((item["label"] or "").partition(":")[0])
                        if truth:
                            yield "toolout " + item["label"], item["id"], item["text"], item["command"] or "", truth
            if entry["kind"] not in TRUTH:
                continue
            truth = TRUTH[entry["kind"]]
            if entry["kind"] == "search" and ("listing" in entry["sub"] or "-l/-c" in entry["sub"]):
                truth = {"search", "listing", "table"} if "wcl" in entry["sub"] else {"search", "listing"}
            if entry["label"] == "csv":
                truth = {"table"}
            with open(path, encoding="utf-8", errors="replace") as stream:
                yield entry["kind"], entry["id"], stream.read(), entry.get("command") or "", truth


def main():
    limit = int(sys.argv[sys.argv.index("--limit") + 1]) if "--limit" in sys.argv else 0
    seen = collections.Counter()
    took = []
    for known in (False, True):
        answers = collections.defaultdict(collections.Counter)
        right = collections.Counter()
        seen.clear()
        for kind, name, text, command, truth in texts():
            seen[kind] += 1
            if (limit and seen[kind] > limit) or (known and not command):
                continue
            start = time.process_time()
            found = route(text, Hint(command if known else ""))
            took.append(time.process_time() - start)
            answers[kind][found.kind] += 1
            right[kind] += found.kind in truth
            if "--errors" in sys.argv and found.kind not in truth:
                print(f"  {name}: {found} wanted {sorted(truth)} | {command[:80]!r}")
        print("command known" if known else "text alone")
        for kind, counts in answers.items():
            total = sum(counts.values())
            print(f"  {kind:22s} {right[kind] / total:7.1%} of {total:5d}  {dict(counts.most_common())}")
    took.sort()
    high = took[len(took) * 95 // 100]
    print(f"{len(took)} texts: median {took[len(took) // 2] * 1e3:.2f} ms, p95 {high * 1e3:.2f} ms, "
          f"max {took[-1] * 1e3:.2f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
