"""Train the embedded prose model, and the one it is compared with: one command from a corpus to weights.

    python training/kompress.py shipped                      # writes headroom_cli/models/kompress
    python training/kompress.py comparison --out FOLDER      # never inside the package: its rows state no licence

Needs, in an environment of its own: pip install torch onnx onnxruntime tokenizers numpy zstandard. The CPU is enough:
about six minutes of one thread each. A corpus is a folder with MANIFEST.jsonl (lines with kind, path, group, licence),
named by HEADROOM_CORPUS, ../shared/corpus by default. Seeds are fixed and one thread adds up in one order, so the same
corpus, machine and versions, of this package too, give the same weights. The tokenizer that ships is used as it is: it
was learned when ties among its pieces were still settled by chance (kompress_words.py). --tokenizer "" learns another.

shipped: learns from rows whose licence allows it, by what the texts themselves repeat (kompress_data.py), and by what
their writers set apart as a remark (kompress_asides.py).
comparison: learns from sentences whose shorter wording is known (kompress_deletion.py); its token F1 on the held-back
ones says what this architecture can do, and what labels of that kind would be worth.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from pathlib import Path

try:
    import numpy as np
    import torch
except ImportError as missing:
    sys.exit(f"{missing.name} is missing: pip install torch onnx onnxruntime tokenizers numpy zstandard")

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the package itself, installed or not

import kompress_data
import kompress_deletion
import kompress_net
import kompress_words

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "headroom_cli" / "models" / "kompress"
CORPUS = os.environ.get("HEADROOM_CORPUS") or str(ROOT.parent / "shared" / "corpus")
DELETION = "deletion/dl-google-sentcomp-labels-dev.jsonl"
SEED = 20261121
TOKENS = 2048  # pieces of a batch
HIDDEN_PIECES = {"shipped": 4, "comparison": 12}  # epochs of guessing hidden pieces, before any label
LABELLED = {"shipped": 3, "comparison": 6}  # epochs on labels
KEPT = 0.65  # of the words of held-back prose score above 0.5
SPREAD = 4.0  # what the standard deviation of the logits becomes, so that scores use the whole of 0..1


def ranked(scores, labels, weights):
    """Return how often a wanted word scores above an unwanted one (area under the curve), weighed."""
    order = np.argsort(scores, kind="stable")
    labels, weights = np.asarray(labels)[order] > 0.5, np.asarray(weights)[order]
    below = np.cumsum(weights * ~labels)
    return float((below * weights * labels).sum() / max(1e-9, (weights * labels).sum() * below[-1]))


def word_scores(net, tokenizer, sentences):
    """Return one list of logits per list of words."""
    encoded = [kompress_words.encode(tokenizer, words) for words in sentences]
    found = kompress_net.logits(net, [(ids,) for ids, _ in encoded])
    return [
        kompress_words.by_word(line, of, len(words))
        for line, (_, of), words in zip(found, encoded, sentences, strict=True)
    ]


def digest(path):
    """Return the SHA-256 of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def finish(net, tokenizer, out, sentences, about):
    """Write model.onnx, tokenizer.json and config.json, with 0.5 where KEPT of the words score higher; check them."""
    out.mkdir(parents=True, exist_ok=True)
    flat = np.array([score for line in word_scores(net, tokenizer, sentences) for score in line if np.isfinite(score)])
    shift = float(np.quantile(flat, 1 - KEPT))
    scale = SPREAD / 2 / max(1e-6, float(flat.std()))
    kompress_net.write(net, str(out / "model.onnx"), scale=scale, shift=shift)
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    config = {
        "architecture": "embedding, 3 dilated convolutions, two-way LSTM; int8 weights",
        "chunk_words": 350,
        "max_length": 512,
        "threshold": 0.5,
        **about,
        "sha256": {name: digest(out / name) for name in ("model.onnx", "tokenizer.json")},
    }
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    print(f"{out}: {sum(path.stat().st_size for path in out.iterdir()):,} bytes")
    _compare(net, tokenizer, out, sentences[:40], scale=scale, shift=shift)


def _compare(net, tokenizer, out, sentences, *, scale, shift):
    """Print how far the written int8 model is from the trained one."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(out / "model.onnx"), providers=["CPUExecutionProvider"])
    worst = []
    for words in sentences:
        ids, _ = kompress_words.encode(tokenizer, words)
        feed = {"input_ids": np.array([ids], np.int64), "attention_mask": np.ones((1, len(ids)), np.int64)}
        written = session.run(None, feed)[0][0]
        trained = 1 / (1 + np.exp(-(kompress_net.logits(net, [(ids,)])[0] - shift) * scale))
        worst.append(np.abs(written - trained).mean())
    print(f"int8 against float: mean difference of a score {np.mean(worst):.4f}")


def comparison(corpus, out, seed, _):
    """Train on deletion labels and print token F1 on the held-back sentences after each epoch."""
    training, held = kompress_deletion.split(kompress_deletion.read(Path(corpus) / DELETION))
    tokenizer = kompress_words.learn(" ".join(words) for words, _ in training)
    rows = [kompress_words.row(tokenizer, words, keep) for words, keep in training]
    print(f"comparison: {len(training)} sentences to learn from, {len(held)} held back")

    def figure(net):
        scores = word_scores(net, tokenizer, [words for words, _ in held])
        return f"token F1 {kompress_deletion.f1_at_share(scores, held):.4f}"

    net = learn("comparison", tokenizer, rows, rows, figure=figure, seed=seed)
    finish(net, tokenizer, out, [words for words, _ in held], {"trained_on": "deletion rows, no licence stated"})
    print(figure(net))


def shipped(corpus, out, seed, tokenizer):
    """Train on what licensed texts repeat themselves, and on the remarks that their writers set apart."""
    training, held, used = kompress_data.collect(corpus)
    if tokenizer and Path(tokenizer).exists():
        tokenizer = kompress_words.load(tokenizer)
    else:
        tokenizer = kompress_words.learn(" ".join(words) for words, *_ in training)
    rows = [
        kompress_words.row(tokenizer, w, labels, source, weights=weights) for w, labels, weights, source, _ in training
    ]
    texts = {tuple(row[0]): row[0] for row in training if kompress_data.SOURCES[row[3]] != "aside"}.values()
    plain = [kompress_words.row(tokenizer, words, [0] * len(words)) for words in texts]
    for (kind, licence), count in sorted(used.items()):
        print(f"  {count:4} {kind} {licence}")
    print(f"shipped: {len(training)} paragraphs, {sum(len(r[0]) for r in training)} words; {len(held)} held back")

    def figure(net):
        found = []
        for number, name in enumerate(kompress_data.SOURCES):
            some = [row for row in held if row[3] == number]
            if not some:
                continue
            scores = word_scores(net, tokenizer, [row[0] for row in some])
            flat = [(s, label, weight) for line, row in zip(scores, some, strict=True)
                    for s, label, weight in zip(line, row[1], row[2], strict=True)]  # fmt: skip
            found.append(f"{name} {ranked(*zip(*flat, strict=True)):.3f}")
        return "area under the curve: " + ", ".join(found)

    net = learn("shipped", tokenizer, rows, plain, figure=figure, seed=seed)
    licences = sorted({licence for _, licence in used})
    about = {"trained_on": "licensed rows only", "licences": licences}
    finish(net, tokenizer, out, [row[0] for row in held], about)


def learn(which, tokenizer, rows, plain, *, figure, seed):
    """Return a trained net."""
    torch.manual_seed(seed)
    sources = len(kompress_data.SOURCES) if which == "shipped" else 1
    net = kompress_net.Net(tokenizer.get_vocab_size(), sources)
    print(f"  {sum(p.numel() for p in net.parameters()):,} weights, {sum(len(row[0]) for row in rows):,} pieces")
    start = time.time()
    if HIDDEN_PIECES[which]:
        kompress_net.pretrain(net, plain, epochs=HIDDEN_PIECES[which], tokens=TOKENS, seed=seed)
    kompress_net.train(net, rows, epochs=LABELLED[which], tokens=TOKENS, seed=seed, after=figure)
    print(f"  trained in {time.time() - start:.0f} s")
    return net


def main():
    """Train one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=("shipped", "comparison"))
    parser.add_argument("--out", type=Path, default=PACKAGE)
    parser.add_argument("--corpus", default=CORPUS)
    parser.add_argument("--tokenizer", default=str(PACKAGE / "tokenizer.json"), help="of shipped; empty to learn one")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    if options.which == "comparison" and options.out.resolve().is_relative_to(ROOT):
        sys.exit("training/kompress.py: the comparison does not ship; give --out a folder outside the checkout")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    {"shipped": shipped, "comparison": comparison}[options.which](
        options.corpus, options.out, options.seed, options.tokenizer
    )


if __name__ == "__main__":
    main()
