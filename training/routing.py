"""Train the routing classifier, and say how often it is right.

OMP_NUM_THREADS=1 python training/routing.py [SAMPLES] [--write] [--held] [--judge] [--alone]

SAMPLES is the file of routing_samples.py, whose rows to learn from are added to the corpus; without it, or with
--alone, the corpus alone is learned from. --write trains and writes headroom_cli/models/routing_weights.py and
routing.onnx; --judge reports on the rows of SAMPLES that judge, by the classifier and with the signatures; --held
trains five times, each without a fifth of the groups, and reports on the corpus groups that were left out. The corpus
is that of HEADROOM_CORPUS, ../shared/corpus by default. Needs numpy, scipy, scikit-learn and, to write, onnx: one
thread, two minutes, 3 GB. The same texts and versions give the same bytes.

The loss is that of a multinomial logistic regression with a quadratic penalty; kinds weigh the same whatever their
number of rows, and groups within a kind by the root of theirs. What the signatures say is left out of a share of the
rows, so that the shape is learned too: they are right too often on texts that they were made with. Weights are rounded
to signed bytes of 1/UNIT.
"""

import base64
import collections
import hashlib
import json
import os
import random
import sys
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import routing_texts
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from headroom_cli import routing
from headroom_cli.model import Hint
from headroom_cli.routing import commands, shape, wrappers

HERE = Path(__file__).parent
CORPUS = Path(os.environ.get("HEADROOM_CORPUS") or HERE.parent.parent / "shared" / "corpus")
MODELS = HERE.parent / "headroom_cli" / "models"
UNIT = 40
_PENALTY = 0.02  # the inverse of the penalty's strength
_STEPS = 60
_LEFT_OUT = 0.3  # the share of rows without what the signatures say


def promised(command):
    return commands.from_hint(Hint(command))[:2] if command else ("", 0.0)


def misled(rng, kind):
    """Return what a command that misleads would promise."""
    return rng.choice([other for other in shape.SHAPES if other != kind]), rng.choice((0.3, 0.6, 0.85))


def sampled(path, part):
    """Return the rows of routing_samples.py of one part."""
    with open(path, encoding="utf-8") as lines:
        return [row for row in map(json.loads, lines) if row["part"] == part and row["kinds"][0] in shape.SHAPES]


def rows(samples=""):
    """Return (text, kind, group, weight, hint) of everything to learn from; each text with and without a hint."""
    rng = random.Random(3)
    made = []
    for row in sampled(samples, "learn") if samples else ():
        told, kind = promised(row["command"]), row["kinds"][0]
        _sampled.add(row["source"])
        made.append((row["text"], kind, row["source"], 1.0, ("", 0.0)))
        made.append((row["text"], kind, row["source"], 1.0, misled(rng, kind) if rng.random() < 0.08 else told))
    for row in routing_texts.texts(CORPUS):
        told = promised(row.command)
        seen = [row.text, *routing_texts.forms(row, rng, 8)]
        if row.weight < 1:
            seen = [rng.choice(seen)]
        for text in seen:
            made.append((text, row.kind, row.group, row.weight / len(seen), ("", 0.0)))
            chance = rng.random()
            if chance < 0.08:
                hint = misled(rng, row.kind)
            elif told[0] and chance < 0.5:
                hint = told
            else:
                hint = row.kind, rng.choice((0.3, 0.6, 0.8, 0.9))
            made.append((text, row.kind, row.group, row.weight / len(seen), hint))
    return made


_seen = {}


def matrix(made, drop=0.0):
    """Return the features of rows, a row each; the signatures are left out of a share ``drop`` of them."""
    rng = random.Random(9)
    places = []
    for text, _, _, _, (told, trust) in made:
        if text not in _seen:
            start, end = wrappers.unwrap(text)
            inner = text[start:end]
            _seen[text] = np.array(sorted(shape.of_text(inner)), np.int32), routing._scores(inner)  # noqa: SLF001
        own, signs = _seen[text]
        places.append(
            np.append(np.array(shape.of_hints(told, trust, None if rng.random() < drop else signs), np.int32), own)
        )
    ends = np.cumsum([0, *map(len, places)])
    every = np.concatenate(places)
    return sparse.csr_matrix((np.ones(len(every), np.float32), every, ends), (len(made), shape.BUCKETS))


def weights_of(made):
    """Return a weight for each row: kinds count the same, and groups of a kind by the root of their rows."""
    groups = collections.Counter()
    for _, kind, group, weight, _ in made:
        groups[kind, group] += weight
    raw = np.array([weight / groups[kind, group] ** 0.5 for _, kind, group, weight, _ in made])
    kinds = np.array([kind for _, kind, _, _, _ in made])
    for kind in shape.SHAPES:
        if raw[kinds == kind].sum():
            raw[kinds == kind] *= 1.0 / raw[kinds == kind].sum()
    return raw * 20_000 / raw.sum()


def train(x, made):
    """Return (rows of bytes, biases): for each kind a byte for each bucket, 128 for nothing."""
    model = LogisticRegression(C=_PENALTY, max_iter=_STEPS, tol=1e-3)
    model.fit(x, [kind for _, kind, _, _, _ in made], sample_weight=weights_of(made))
    order = [list(model.classes_).index(kind) for kind in shape.SHAPES]
    table = np.clip(np.rint(model.coef_[order] * UNIT), -127, 127).astype(np.int64) + 128
    table[:, 0] = 128
    bias = np.rint(model.intercept_[order] * UNIT).astype(np.int64)
    return table.astype(np.uint8), bias


def predict(x, table, bias):
    return x @ (table.astype(np.float64) - 128).T + bias


SAME = {"log": "logs", "test-log": "logs"}  # one specialist


def report(kinds, wanted, title):
    """Print how often kinds are right; ``wanted`` are the kinds that would be."""
    right, total = collections.Counter(), collections.Counter()
    wrong = collections.Counter()
    for kind, wants in zip(kinds, wanted, strict=True):
        good = SAME.get(kind, kind) in {SAME.get(want, want) for want in wants}
        right[wants[0]] += good
        total[wants[0]] += 1
        if not good:
            wrong[wants[0], kind] += 1
    shares = {kind: right[kind] / total[kind] for kind in total}
    overall = sum(right.values()) / sum(total.values())
    print(f"{title}: {overall:.4f} overall, {min(shares.values()):.3f} lowest",
          {kind: round(share, 3) for kind, share in shares.items()})  # fmt: skip
    print("   ", wrong.most_common(9))


def held(x, made, folds=5):
    """Report on groups of the corpus that were left out of training, by each system."""
    groups = sorted({row[2] for row in made})
    random.Random(1).shuffle(groups)
    fold = np.array([groups.index(row[2]) % folds for row in made])
    answers = {}
    for i in range(folds):
        inside, outside = np.flatnonzero(fold != i), np.flatnonzero(fold == i)
        table, bias = train(x[inside], [made[n] for n in inside])
        for n, marks in zip(outside, predict(matrix([made[n] for n in outside], 1.0), table, bias), strict=True):
            answers[n] = [shape.SHAPES[marks.argmax()]]
        for n, marks in zip(outside, predict(matrix([made[n] for n in outside]), table, bias), strict=True):
            text, _, _, _, (told, trust) = made[n]
            start, end = wrappers.unwrap(text)
            promise = told, trust, "command" if told else ""
            answers[n].append(routing._weigh(text[start:end], _seen[text][1], *promise).kind)  # noqa: SLF001
            answers[n].append(settled(made[n], marks))
    for known in (False, True):
        some = [n for n, row in enumerate(made) if bool(row[4][0]) == known and row[2] not in _sampled]
        for number, name in enumerate(("classifier", "signatures", "combined")):
            report([answers[n][number] for n in some], [[made[n][1]] for n in some],
                   f"held-out groups, {'hint' if known else 'text alone'}, {name}")  # fmt: skip


_sampled = set()  # sources of samples, which --held does not report on


def settled(row, marks):
    """Return the kind that signatures, promise and the classifier's marks come to."""
    text, _, _, _, (told, trust) = row
    start, end = wrappers.unwrap(text)
    promise = told, trust, "command" if told else ""
    return routing.settle(text[start:end], _seen[text][1], promise, lambda *_: list(marks)).kind


def judged(path, table, bias):
    found = sampled(path, "judge")
    for known in (False, True):
        made = [
            (row["text"], row["kinds"][0], "", 1, promised(row["command"]) if known else ("", 0.0)) for row in found
        ]
        marks = predict(matrix(made), table, bias)
        wanted, title = [row["kinds"] for row in found], f"independent, {'command known' if known else 'text alone'}"
        report([shape.SHAPES[i] for i in marks.argmax(1)], wanted, f"{title}, classifier")
        report([settled(row, mark) for row, mark in zip(made, marks, strict=True)], wanted, f"{title}, combined")


def write(table, bias):
    data = table.tobytes()
    coded = base64.b64encode(zlib.compress(data, 9)).decode()
    lines = "\n    ".join(f'"{coded[at : at + 200]}"' for at in range(0, len(coded), 200))
    text = (HERE / "routing_weights.template").read_text(encoding="utf-8")
    for name, value in (("DIGEST", hashlib.sha256(data).hexdigest()), ("UNIT", UNIT), ("BUCKETS", shape.BUCKETS),
                        ("BIAS", tuple(int(one) for one in bias)), ("ROWS", lines)):  # fmt: skip
        text = text.replace(f"@{name}@", str(value))
    (MODELS / "routing_weights.py").write_text(text, encoding="utf-8")
    size = network(table, bias)
    print(f"{len(text):,} bytes of Python, {size:,} of ONNX")


def network(table, bias):
    """Write routing.onnx: the rows of the buckets are looked up, summed and added to the bias. Return its size."""
    from onnx import TensorProto, checker, helper, numpy_helper

    weights = (table.astype(np.int16) - 128).astype(np.int8).T.copy()
    nodes = [
        helper.make_node("Gather", ["weights", "buckets"], ["rows"], axis=0),
        helper.make_node("Cast", ["rows"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["numbers", "axes"], ["sums"], keepdims=0),
        helper.make_node("Add", ["sums", "bias"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes, "routing",
        [helper.make_tensor_value_info("buckets", TensorProto.INT64, ["texts", "most"])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["texts", len(shape.SHAPES)])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias.astype(np.float32), "bias"),
         numpy_helper.from_array(np.array([1], np.int64), "axes")],
    )  # fmt: skip
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="headroom"
    )
    checker.check_model(model)
    data = model.SerializeToString(deterministic=True)
    (MODELS / "routing.onnx").write_bytes(data)
    return len(data)


def main():
    path = next((word for word in sys.argv[1:] if not word.startswith("--")), "")
    if "--judge" in sys.argv and not path:
        sys.exit("--judge needs SAMPLES, the file of training/routing_samples.py")
    made = rows("" if "--alone" in sys.argv else path)
    print(len(made), collections.Counter(kind for _, kind, _, _, _ in made))
    x = matrix(made, _LEFT_OUT)
    if "--held" in sys.argv:
        held(x, made)
    if "--write" in sys.argv or "--judge" in sys.argv:
        table, bias = train(x, made)
        if "--judge" in sys.argv:
            judged(path, table, bias)
        if "--write" in sys.argv:
            write(table, bias)


if __name__ == "__main__":
    main()
