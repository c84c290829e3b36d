"""How often is a text's kind found? Accuracy by kind over labelled texts, with and without the command known.

python benchmarks/routing.py [--system NAME ...] [--samples FILE] [--errors] [--limit N]

NAME: combined (what the program does, the default), signatures, classifier, magika (which must be installed; it is no
dependency). Texts are the corpus, a folder with MANIFEST.jsonl named by HEADROOM_CORPUS, ../shared/corpus by default;
or the rows that judge in a FILE of training/routing_samples.py, from sources that no weight was trained on.

log and test-log count as one kind: one specialist serves both. In the corpus lists of files count as listing or
search; other command output (cmdout) may be any of table, listing, log, code or prose. File names are never shown to
the router. toolout has weak labels made from commands, so only its figures without the command mean something. The
corpus is what the weights were trained on: for groups that were left out, see training/routing.py --held.
"""

import argparse
import collections
import json
import os
import time

from headroom_cli import routing
from headroom_cli.model import Hint
from headroom_cli.routing import commands, shape, wrappers

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
# Labels of magika not in its group "code" -> kinds. "txt" counts as right for any kind that it has no label for.
MAGIKA = {
    "json": "json", "jsonl": "json", "ipynb": "json", "html": "html", "diff": "diff", "csv": "table", "tsv": "table",
    "markdown": "prose", "rst": "prose", "latex": "prose", "txt": "prose", "srt": "prose", "rtf": "prose",
    "eml": "prose", "toml": "code", "ini": "code", "yaml": "code", "xml": "code", "svg": "code", "snap": "code",
}  # fmt: skip
_UNNAMED = {"prose", "log", "test-log", "search", "listing", "table", "mixed"}


def samples(path):
    """Yield (kind, name, text, command, truth) of the rows of a file of samples that judge."""
    with open(path, encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["part"] == "judge":
                truth = set(row["kinds"]) | (LOGS if LOGS & set(row["kinds"]) else set())
                yield row["kinds"][0], f"{row['id']} {row['source']} {row['form']}", row["text"], row["command"], truth


def texts():
    """Yield (kind, name, text, command, truth) of the corpus."""
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


def signatures(text, hint):
    """Route without the classifier."""
    chosen, routing._chosen = routing._chosen, lambda _marks, _signs, route: route  # noqa: SLF001
    asked, routing._marks = routing._marks, lambda *_: []  # noqa: SLF001
    try:
        return routing.route(text, hint).kind
    finally:
        routing._chosen, routing._marks = chosen, asked  # noqa: SLF001


def classifier(text, hint):
    """Take the classifier's likeliest kind, with nothing of the signatures."""
    start, end = wrappers.unwrap(text)
    told, trust, _ = commands.from_hint(hint)
    found = shape.scores(shape.features(text[start:end], told, trust))
    return shape.SHAPES[found.index(max(found))]


def by_magika():
    """Return magika as a function like the others."""
    from magika import Magika

    model = Magika()

    def judge(text, _hint):
        start, end = wrappers.unwrap(text)
        label = model.identify_bytes(text[start:end].encode("utf-8", "replace")).output
        return MAGIKA.get(label.label) or ("code" if label.group == "code" else label.label), label.label

    return judge


def race(name, judge, rows, *, known, errors):
    """Print a system's accuracy by kind; return how long each text took, in seconds."""
    answers = collections.defaultdict(collections.Counter)
    right = collections.Counter()
    took = []
    for kind, title, text, command, truth in rows:
        if known and not command:
            continue
        hint = Hint(command if known else "")
        start = time.process_time()
        found = judge(text, hint)
        took.append(time.process_time() - start)
        label = ""
        if isinstance(found, tuple):
            found, label = found
        answers[kind][found] += 1
        good = found in truth or (label == "txt" and bool(truth & _UNNAMED))
        right[kind] += good
        if errors and not good:
            print(f"  {title}: {found} wanted {sorted(truth)} | {command[:80]!r}")
    totals = {kind: counts.total() for kind, counts in answers.items()}
    lowest = min(right[kind] / total for kind, total in totals.items())
    title = f"{name}, {'command known' if known else 'text alone'}"
    print(f"{title}: {right.total() / sum(totals.values()):.4f} of {sum(totals.values())}, lowest {lowest:.3f}")
    for kind, counts in answers.items():
        print(f"  {kind:22s} {right[kind] / totals[kind]:7.1%} of {totals[kind]:5d}  {dict(counts.most_common(6))}")
    return took


SYSTEMS = {
    "combined": lambda: lambda text, hint: routing.route(text, hint).kind,
    "signatures": lambda: signatures, "classifier": lambda: classifier, "magika": by_magika,
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--system", nargs="+", default=["combined"], choices=SYSTEMS)
    parser.add_argument("--samples", default="")
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--errors", action="store_true")
    options = parser.parse_args()
    seen = collections.Counter()
    rows = []
    for row in samples(options.samples) if options.samples else texts():
        seen[row[0]] += 1
        if not options.limit or seen[row[0]] <= options.limit:
            rows.append(row)
    for name in options.system:
        judge = SYSTEMS[name]()
        judge(rows[0][2], Hint(""))
        took = []
        for known in (False, True) if name != "magika" else (False,):
            took += race(name, judge, rows, known=known, errors=options.errors)
        took.sort()
        high = took[len(took) * 95 // 100]
        print(f"{name}: {len(took)} texts: median {took[len(took) // 2] * 1e3:.2f} ms, p95 {high * 1e3:.2f} ms, "
              f"max {took[-1] * 1e3:.2f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
