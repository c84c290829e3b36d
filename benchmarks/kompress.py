"""Race a model that rates words against the cover of sentences: needles, gold answers, facts verbatim, speed.

    python benchmarks/kompress.py [--model FOLDER] [--ratios 0.7,0.5,0.4,0.25] [--sets prose,xquad-long,nq20]
    python benchmarks/kompress.py --deletion FILE [--all-rows]   # token F1 on sentences with a shorter wording
    python benchmarks/kompress.py --speed                        # KB/s, size, first use in a fresh process

Systems: head/tail; bm25, plain sentence BM25 (with a question only); cover, what ships; model, the model alone inside
all sentences; matched, the cover at the tokens that the model alone came to; both, the cover to a looser target and the
model inside what stays, as --kompress does; weighed, the model's ratings of a sentence's words added to its worth in
the cover, and unweighed, the same without them. Each has the same tokens to spend. Needles are the facts of the outside
prose samples that stay readable in place; detail is up to 60 ordinary line beginnings of each, drawn at random; gold is
the share of answers that stay readable, with the question known (asked) and not known. Tokens are exact when rs-bpe is
installed. Samples that the shipped model's labels were made from are left out with --unseen; --texts races on a folder
of one's own, with facts of each text drawn by their looks.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "training"))

from _kompress_systems import SYSTEMS, Rated
from inputs import CORPUS, WHY_NO_CORPUS
from prose import counter, plain

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "headroom_cli" / "models" / "kompress"
BLIND = ("head/tail", "model", "matched", "weighed", "unweighed")  # systems that take no notice of a question
FACT = re.compile(
    r"`[^`\n]{2,60}`|https?://[^\s)>\]]{6,120}|(?<!\w)--[a-z][\w-]{2,30}"
    r"|\b\d[\d.,]{0,12} ?(?:%|ms|seconds?|minutes?|hours?|days?|bytes?|[KMGT]i?B|years?|times)\b"
    r"|[A-Z][a-z]{2,20}(?: [A-Z][a-z]{2,20}){1,3}|\b[a-z]{2,20}(?:_[a-z]{2,20}){1,4}\b"
)


def detail(text, seed):
    """Return up to 60 ordinary line beginnings of a text."""
    found = sorted({line.strip()[:60].strip() for line in text.splitlines() if len(line.strip()) >= 12})
    return random.Random(seed).sample(found, min(60, len(found)))


def facts_of(text, seed):
    """Return up to 40 facts of a text by their looks: code, addresses, options, amounts, names of several words."""
    found = sorted({match.strip().rstrip(".,;:)") for match in FACT.findall(text)})
    return random.Random(seed).sample(found, min(40, len(found)))


def samples(options):
    """Yield (name, text, needles) of the corpus' prose, or of the files in a folder of one's own."""
    if options.texts:
        for path in sorted(Path(options.texts).iterdir())[:: options.every]:
            text = path.read_text(encoding="utf-8", errors="replace")
            yield path.name, text, facts_of(text, path.name)
        return
    for row in prose_rows(options.unseen)[:: options.every]:
        facts = json.loads((CORPUS / "needles" / f"{row['id']}.json").read_text())
        yield row["id"], (CORPUS / row["path"]).read_text(errors="replace"), [fact["text"] for fact in facts]


def prose_rows(unseen):
    """Return the manifest rows of prose with needles; only those no label was made from, if ``unseen``."""
    rows = [json.loads(line) for line in (CORPUS / "MANIFEST.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["kind"] == "prose" and row.get("needles")]
    if unseen:
        from kompress_data import licensed

        rows = [row for row in rows if not licensed(row)]
    return rows


def race_prose(names, ratios, count, model, found):
    """Print needles, detail and tokens of each system at each ratio; ``found`` as ``samples`` gives it."""
    found = list(found)
    for ratio in ratios:
        for name in names:
            if name == "bm25":
                continue
            wanted = kept = facts = stayed = before = after = size = 0
            start = time.perf_counter()
            for title, text, needles in found:
                tokens = count(text)
                short = SYSTEMS[name](text, "", ratio * tokens, count, model)
                hay = plain(short)
                wanted += len(needles)
                kept += sum(plain(fact).strip() in hay for fact in needles)
                ordinary = detail(text, title)
                facts += len(ordinary)
                stayed += sum(plain(fact) in hay for fact in ordinary)
                before, after, size = before + tokens, after + count(short), size + len(text)
            seconds = time.perf_counter() - start
            print(
                f"prose        {ratio:.2f} {name:10} tokens {after / before:.3f}",
                f" needles {kept / wanted:.3f} of {wanted}  detail {stayed / facts:.3f}",
                f"{size / seconds / 1e3:8.0f} KB/s",
                flush=True,
            )


def race_answers(name_of_set, names, ratios, count, model, *, limit):
    """Print the share of gold answers of each system at each ratio, with the question known and not known."""
    path = CORPUS / "qa" / f"qa-{name_of_set}-dev.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()][: limit or None]
    for ratio in ratios:
        for name in names:
            for asked in (True, False):
                if asked if name in BLIND else (name == "bm25" and not asked):
                    continue  # the question changes nothing, or there is nothing to go by
                found = total = before = after = 0
                same = {}
                for row in rows:
                    text = row["context"]
                    pairs = row["qas"] if isinstance(row["qas"], list) else ast.literal_eval(row["qas"])
                    whole = plain(text)
                    for pair in pairs:
                        gold = [plain(answer) for answer in pair["answers"] if plain(answer) in whole]
                        if not gold:
                            continue
                        question = pair["question"] if asked else ""
                        key = (row["id"], question)
                        if key not in same:
                            tokens = count(text)
                            same[key] = SYSTEMS[name](text, question, ratio * tokens, count, model), tokens
                        short, tokens = same[key]
                        total += 1
                        found += any(answer in plain(short) for answer in gold)
                        before, after = before + tokens, after + count(short)
                print(
                    f"{name_of_set:12} {ratio:.2f} {name:10} {'asked    ' if asked else 'not asked'}"
                    f" gold {found / total:.3f} of {total}, tokens {after / before:.3f}",
                    flush=True,
                )


def deletion(path, model, *, all_rows):
    """Print token F1 at the global label share."""
    import kompress_deletion

    rows = kompress_deletion.read(path)
    rows = rows if all_rows else kompress_deletion.split(rows)[1]
    scores = [model.scores(words) for words, _ in rows]
    share = sum(map(sum, (keep for _, keep in rows))) / sum(len(words) for words, _ in rows)
    print(
        f"deletion     {len(rows)} sentences, label share {share:.3f},"
        f" token F1 {kompress_deletion.f1_at_share(scores, rows):.4f}"
    )


def speed(folder):
    """Print the size, the speed on prose, and the first use in a fresh process (imports, loading, 300 words)."""
    folder = Path(folder)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"size         model {(folder / 'model.onnx').stat().st_size:,} bytes, folder {size:,} bytes")
    model = Rated(folder)
    row = next(row for row in prose_rows(unseen=True) if row["bytes"] > 40_000)
    words = (CORPUS / row["path"]).read_text(errors="replace").split()[:7000]
    model.scores(words[:350])
    start = time.process_time()
    model.scores(words)
    seconds = time.process_time() - start
    print(f"speed        {len(' '.join(words)) / 1e3 / seconds:.0f} KB/s of processor time on one thread")
    code = (
        f"import sys,time;s=time.perf_counter();sys.path.insert(0,{str(ROOT / 'benchmarks')!r})\n"
        "import numpy,onnxruntime,tokenizers;a=time.perf_counter()\n"
        f"o=onnxruntime.SessionOptions();o.intra_op_num_threads=1\n"
        f"m=onnxruntime.InferenceSession({str(folder / 'model.onnx')!r},o);"
        f"t=tokenizers.Tokenizer.from_file({str(folder / 'tokenizer.json')!r});b=time.perf_counter()\n"
        "e=t.encode(['word']*300,is_pretokenized=True);i=numpy.array([e.ids],numpy.int64)\n"
        "m.run(None,{'input_ids':i,'attention_mask':numpy.ones_like(i)});c=time.perf_counter()\n"
        "print(f'{1e3*(a-s):.0f} {1e3*(b-a):.0f} {1e3*(c-b):.0f} {1e3*(c-s):.0f}')"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(5)]
    best = min((tuple(map(int, run.stdout.split())) for run in runs), key=lambda times: times[3])
    print("first use    imports {} ms, loading {} ms, 300 words {} ms, in all {} ms (best of 5)".format(*best))


def main():
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(FOLDER), help="folder with model.onnx and tokenizer.json")
    parser.add_argument("--ratios", default="0.7,0.5,0.4,0.25")
    parser.add_argument("--sets", default="prose,xquad-long,nq20")
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--limit", type=int, default=0, help="texts of each set of questions")
    parser.add_argument("--unseen", action="store_true", help="only prose that no label was made from")
    parser.add_argument("--texts", help="folder of plain texts to race on instead of the corpus' prose")
    parser.add_argument("--every", type=int, default=1, help="take every n-th prose sample")
    parser.add_argument("--deletion", help="JSON Lines with tokens and keep")
    parser.add_argument("--all-rows", action="store_true", help="all sentences, not only those held back")
    parser.add_argument("--speed", action="store_true")
    options = parser.parse_args()
    if not CORPUS.exists():
        sys.exit(WHY_NO_CORPUS)
    if options.speed:
        return speed(options.model)
    model = Rated(options.model)
    if options.deletion:
        return deletion(options.deletion, model, all_rows=options.all_rows)
    count, how = counter()
    print(f"# tokens: {how}; model {options.model}")
    ratios = [float(ratio) for ratio in options.ratios.split(",")]
    names = options.systems.split(",")
    for name in filter(None, options.sets.split(",")):
        if name == "prose":
            race_prose(names, ratios, count, model, samples(options))
        else:
            race_answers(name, names, ratios, count, model, limit=options.limit)
    return None


if __name__ == "__main__":
    main()
