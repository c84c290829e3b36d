"""Fit the weights of headroom_cli/tokens.py to exact o200k_base counts, and write headroom_cli/models/token_weights.py.

    python training/tokens.py --held    # figures on sources that the fit has not seen
    python training/tokens.py --write   # fit on everything and write the weights

Needs numpy and rs-bpe, and a corpus: a folder with MANIFEST.jsonl (lines with kind, path and group) named by
HEADROOM_CORPUS, ../shared/corpus by default. Message catalogues of the machine (vim's) add other languages; generated
blobs (base64, digits, runs) add what real files hold too little of. Only weights leave this script.

The fit: chunks of 128 bytes to 8 KB, columns for pairs, pair classes, words, word lengths and runs, ridge regression on
relative errors, reweighted once towards absolute relative errors so that odd files do not decide.
"""

import base64
import collections
import gettext
import glob
import hashlib
import json
import os
import random
import sys
import uuid

import numpy as np
from rs_bpe.bpe import openai

from headroom_cli import tokens

COUNT = openai.o200k_base().count
SKIPPED = {"images", "logs_aux", "traces", "deletion", "qa"}
CORPUS = os.environ.get("HEADROOM_CORPUS", "../shared/corpus")
GROUPS = len(tokens._RUN_CHARS) + 4  # noqa: SLF001 - the fit knows the model's insides
LENGTHS = tokens._LENGTHS  # noqa: SLF001
RIDGE = 0.05
WIDE = {"ja", "zh", "ko", "ru"}  # languages whose bytes no English file teaches
WORDS = 2500  # unpacking them must stay under 0.3 ms
WIDTH = 170  # characters of data on a line of the written file


def rows(value, depth=0):
    """Return the longest list of objects inside a JSON value."""
    best = value if isinstance(value, list) and len(value) >= 3 and all(isinstance(v, dict) for v in value) else []
    if depth < 4 and isinstance(value, list | dict):
        for inner in value if isinstance(value, list) else value.values():
            found = rows(inner, depth + 1)
            best = found if len(found) > len(best) else best
    return best


def tab_table(items):
    """Write objects as a table: what a compressor makes of them."""
    keys = list(dict.fromkeys(key for item in items for key in item))
    cell = lambda v: "" if v is None else v if isinstance(v, str) else json.dumps(v, separators=(",", ":"))  # noqa: E731
    return "\n".join(["\t".join(keys), *("\t".join(cell(item.get(key)) for key in keys) for item in items)])


def writings(text):
    """Return one JSON content as pretty JSON, minified JSON and a table; () when it is no list of objects."""
    try:
        items = rows(json.loads(text))
    except ValueError:
        return ()
    if not items:
        return ()
    small = json.dumps(items, separators=(",", ":"), ensure_ascii=False)
    return json.dumps(items, indent=2, ensure_ascii=False), small, tab_table(items)


def documents(corpus=CORPUS):
    """Return (kind, source group, text) of every text of the corpus, JSON also in its other writings."""
    found = []
    with open(f"{corpus}/MANIFEST.jsonl", encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            path = f"{corpus}/{entry['path']}"
            if entry["kind"] in SKIPPED or not os.path.exists(path):
                continue
            with open(path, encoding="utf-8", errors="replace") as stream:
                if entry["kind"] == "toolout":
                    found += [("toolout", item["group"], item["text"]) for item in map(json.loads, stream)]
                    continue
                text = stream.read()
            found.append((entry["kind"], entry["group"], text))
            if entry["kind"] == "json":
                kinds = ("json-pretty", "json-min", "json-table")
                found += [(k, entry["group"], t) for k, t in zip(kinds, writings(text), strict=False)]
    return found


def generated(rng):
    """Return (kind, group, text) of blobs, numbers and runs."""
    pick = lambda letters, n: "".join(rng.choices(letters, k=n))  # noqa: E731
    lower, digits = "abcdefghijklmnopqrstuvwxyz", "0123456789"
    makers = {
        "base64": lambda n: base64.b64encode(rng.randbytes(n)).decode(),
        "base64-lines": lambda n: base64.encodebytes(rng.randbytes(n)).decode(),
        "hex": lambda n: rng.randbytes(n // 2).hex(),
        "hex-upper": lambda n: rng.randbytes(n // 2).hex().upper(),
        "hashes": lambda n: "\n".join(rng.randbytes(rng.choice([4, 8, 16, 20, 32])).hex() for _ in range(n // 40 + 1)),
        "digits": lambda n: pick(digits, n),
        "numbers": lambda n: "\n".join(str(rng.randrange(10 ** rng.randint(1, 12))) for _ in range(n // 8 + 1)),
        "floats": lambda n: rng.choice([" ", ",", ", ", "\t"]).join(
            f"{rng.uniform(-1000, 1000):.{rng.randint(1, 9)}f}" for _ in range(n // 8 + 1)),
        "letters": lambda n: pick(lower, n),
        "nonsense": lambda n: " ".join(pick(lower, rng.randint(3, 12)) for _ in range(n // 8 + 1)),
        "ascii": lambda n: pick([chr(c) for c in range(32, 127)], n),
        "repeated": lambda n: rng.choice("abcxyzAZ0123 =-*#_.~\n\t/+") * n,
        "rules": lambda n: "\n".join(
            rng.choice(" =-*#_.~0aAx") * rng.randint(10, 100) + pick("abcdefgh ", 6) for _ in range(n // 50 + 1)),
        "uuids": lambda n: "\n".join(str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(n // 37 + 1)),
        "cjk": lambda n: "".join(chr(rng.choice([rng.randint(0x4E00, 0x9FA5), rng.randint(0x3041, 0x3096)]))
                                 for _ in range(n // 3 + 1)),
        "emoji": lambda n: "".join(chr(rng.randint(0x1F300, 0x1F64F)) for _ in range(n // 4 + 1)),
    }  # fmt: skip
    return [
        (f"generated {kind}", f"{kind}{i % 5}", make(int(2 ** rng.uniform(5, 12))))
        for kind, make in makers.items()
        for i in range(160 if kind == "repeated" else 70)
    ]


def catalogues():
    """Return (kind, group, text) of the message catalogues of this machine."""
    found = []
    for path in sorted(glob.glob("/usr/share/vim/vim*/lang/*/LC_MESSAGES/vim.mo")):
        language = path.split("/lang/")[1].split("/")[0]
        if language.startswith("en") or ("." in language and not language.endswith("UTF-8")):
            continue
        try:
            with open(path, "rb") as stream:
                catalogue = gettext.GNUTranslations(stream)._catalog  # noqa: SLF001 - no public way to list it
        except UnicodeDecodeError:  # a few declare another encoding than they have
            continue
        text = "\n".join(v for v in catalogue.values() if isinstance(v, str))
        found.append((f"language {language[:2]}", f"language {language[:2]}", text))
    for path in sorted(glob.glob("/usr/share/vim/vim*/tutor/tutor.*utf-8")):
        with open(path, encoding="utf-8") as stream:
            language = path.rpartition("/tutor.")[2][:2]
            found.append((f"language {language}", f"tutor {language}", stream.read()))
    return found


def chunks(texts, rng):
    """Return training chunks: the same number from each kind, cut anywhere."""
    by_kind = collections.defaultdict(list)
    for kind, group, text in texts:
        if len(text) >= 60:
            by_kind[kind].append((group, text))
    found = []
    for kind, members in by_kind.items():
        want = 4500 if kind == "toolout" else 400 if kind[-2:] in WIDE else 90 if kind.startswith("language") else 1500
        for _ in range(want):
            group, text = rng.choice(members)
            size = int(2 ** rng.uniform(7, 12.5))
            start = rng.randrange(max(1, len(text) - size))
            found.append((kind, group, text[start : start + size]))
    return list(dict.fromkeys(found))


def char_class(code):
    return "a" if 97 <= code <= 122 else "A" if 65 <= code <= 90 else "0" if 48 <= code <= 57 else chr(code)


def pair_class(pair):
    return char_class(ord(pair) & 127) + char_class(ord(pair) >> 8)


def fit(samples):
    """Return Weights fitted to (kind, group, text) samples."""
    measured = [(tokens.features(text), COUNT(text)) for _, _, text in samples]
    pair_use, word_use = collections.Counter(), collections.defaultdict(set)
    for (kind, group, _), ((pairs, words, _), _) in zip(samples, measured, strict=True):
        pair_use.update(pairs.keys())
        if not kind.startswith("generated"):
            for word in words:
                word_use[word].add(group)
    columns = {}
    for pair, uses in pair_use.items():
        if uses >= 25:
            columns[pair] = len(columns)
    for name in sorted({pair_class(pair) for pair in pair_use}):
        columns["class", name] = len(columns)
    often = sorted((w for w, groups in word_use.items() if len(groups) >= 7 and 2 <= len(w) <= 20),
                   key=lambda w: (-len(word_use[w]), w))  # fmt: skip
    for word in often[:5000]:
        columns[word] = len(columns)
    for name in [*(("length", i) for i in range(LENGTHS)), *(("run", i) for i in range(GROUPS))]:
        columns[name] = len(columns)
    penalty = np.array(
        [0.02 if isinstance(n, tuple) and n[0] in ("class", "run") else 0.1 if isinstance(n, tuple) else 1.0
         for n in columns], np.float32)  # fmt: skip
    matrix = np.zeros((len(samples), len(columns)), np.float32)
    for line, ((pairs, words, runs), _) in zip(matrix, measured, strict=True):
        for pair, n in pairs.items():
            if pair in columns:
                line[columns[pair]] = n
            line[columns["class", pair_class(pair)]] += n
        for word, n in words.items():
            line[columns.get(word, columns["length", min(len(word), LENGTHS - 1)])] += n
        for group, n in runs.items():
            line[columns["run", group]] = n
    target = np.array([n for _, n in measured], np.float32)
    weight = 1 / (target + 15)
    factor = np.ones_like(weight)
    solution = np.zeros(len(columns))
    for _ in range(2):
        scaled = matrix * (weight * factor)[:, None] / np.sqrt(penalty)[None, :]
        if len(samples) > len(columns):
            normal = (scaled.T @ scaled).astype(np.float64)
            normal[np.diag_indices(len(normal))] += RIDGE
            solution = np.linalg.solve(normal, (scaled.T @ (target * weight * factor)).astype(np.float64))
        else:
            kernel = (scaled @ scaled.T).astype(np.float64)
            kernel[np.diag_indices(len(kernel))] += RIDGE
            solution = scaled.T @ np.linalg.solve(kernel, target * weight * factor)
        del scaled
        solution /= np.sqrt(penalty)
        error = np.abs(matrix @ solution.astype(np.float32) - target) * weight
        factor = 1 / np.sqrt(np.maximum(error, 0.02))
        factor /= factor.mean()
    value = lambda name: float(solution[columns[name]]) if name in columns else 0.0  # noqa: E731
    pair_weights = []
    for code in range(128 * 128):
        pair = chr((code >> 7) + 256 * (code & 127))
        pair_weights.append(round(max(-1.27, min(1.27, value(pair) + value(("class", pair_class(pair))))) * 100))
    lengths = [round(value(("length", i)) * 100) for i in range(LENGTHS)]
    runs = [round(value(("run", i)) * 100) for i in range(GROUPS)]
    # Only words that the sum of pairs and lengths gets wrong are worth a place.
    gain = {
        w: abs(value(w) - lengths[min(len(w), LENGTHS - 1)] / 100) * len(word_use[w])
        for w in columns
        if isinstance(w, bytes)
    }
    worth = sorted(gain, key=lambda w: (-gain[w], w))[:WORDS]
    words = {w: round(max(-1.27, min(1.27, value(w))) * 100) for w in sorted(worth, key=lambda w: (len(w), w))}
    return pair_weights, words, lengths, runs


def write(fitted, path="headroom_cli/models/token_weights.py"):
    pair_weights, words, lengths, runs = fitted
    pack = lambda values: base64.b64encode(bytes(w & 255 for w in values)).decode()  # noqa: E731

    def lines(text):
        return "\n".join(f'    "{text[i : i + WIDTH]}"' for i in range(0, len(text), WIDTH))

    names = b" ".join(words).decode()
    with open("training/token_weights.template", encoding="utf-8") as stream:
        body = stream.read()
    for name, value in (("PAIRS", pack(pair_weights)), ("WORDS", names), ("WORD_WEIGHTS", pack(words.values()))):
        body = body.replace(f"    @{name}@", lines(value))
    body = body.replace("@LENGTHS@", repr(tuple(lengths))).replace("@RUNS@", repr(tuple(runs)))
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(body)


def held(group):
    return hashlib.md5(group.encode()).digest()[0] < 77


def figures(texts, weights):
    by_kind = collections.defaultdict(list)
    for kind, _, text in texts:
        exact = COUNT(text)
        if exact >= 100:
            by_kind[kind.split(" ")[0]].append(abs(tokens.estimated(text, weights) / exact - 1) * 100)
            by_kind["all"].append(by_kind[kind.split(" ")[0]][-1])
    for kind, errors in sorted(by_kind.items()):
        line = f"n={len(errors):5d} median {np.median(errors):5.2f} % p95 {np.percentile(errors, 95):5.1f} %"
        print(f"{kind:12s} {line} max {max(errors):5.1f} %")
    ratios = []
    for _, _, text in (t for t in texts if t[0] == "json"):
        written = writings(text)
        if written:
            exact, ours = [COUNT(t) for t in written], [tokens.estimated(t, weights) for t in written]
            for after, before in ((1, 0), (2, 0), (2, 1)):
                ratios.append((ours[after] / ours[before] / (exact[after] / exact[before]) - 1) * 100)
    if ratios:
        print(f"ratio after/before, n={len(ratios)}: median {np.median(np.abs(ratios)):.2f} %, "
              f"told too small by at most {-min(ratios):.1f} % (p95 {-np.percentile(ratios, 5):.1f} %)")  # fmt: skip


def main():
    rng = random.Random(3)
    texts = documents()
    if "--held" in sys.argv:
        train = [t for t in texts + catalogues() if not held(t[1])]
        weights = fit(chunks(train, rng) + [t for t in generated(rng) if not held(t[1])])
        print("held-out sources, whole documents (large ones by windows)")
        figures([t for t in texts if held(t[1])], weights)
    if "--write" in sys.argv:
        fitted = fit(chunks(texts + catalogues(), rng) + generated(rng))
        write(fitted)
        print(len(fitted[1]), "words")


if __name__ == "__main__":
    main()
