"""Fit the rates of letters of other scripts than Latin, and write headroom_cli/models/letter_weights.py.

    python training/letters.py WHEEL... --held WHEEL_OR_FOLDER...    # error on sources that the fit has not seen
    python training/letters.py WHEEL... --write                      # fit on everything named and write the rates

Needs numpy and rs-bpe. A wheel gives the translations in its message catalogues (.po); a folder is one of translated
manual pages (/usr/share/man). What remains of a text without those letters is estimated with the shipped weights of
training/tokens.py, which this fit leaves as they are. Only rates leave this script.

The fit: chunks of 128 bytes to 4 KB, the same number of each language, a tenth of them mixed with code; columns for
letters, scripts and runs, ridge regression on relative errors, reweighted towards absolute ones.
"""

import ast
import base64
import collections
import glob
import gzip
import os
import random
import re
import sys
import textwrap
import zipfile

import numpy as np
from rs_bpe.bpe import openai

from headroom_cli import tokens
from headroom_cli.models import token_weights

COUNT = openai.o200k_base().count
CATALOGUE = re.compile(r"/locale/([a-z]{2,3})(?:[-_][A-Za-z]+)*/LC_MESSAGES/[^/]+\.po$")
SEEN = 8  # chunks; a letter in fewer has the rate of its script
UNIT = 2  # hundredths of a token: signed bytes then reach 2.54 tokens
SCRIPTS = 68
OFTEN = {"ru": 5, "ar": 2, "fa": 2, "hi": 2, "ta": 2, "uk": 2}  # times more chunks: letters shared with others


def translations(catalogue):
    """Return the translated messages of a .po text, its header left out."""
    found, inside = [], False
    for line in catalogue.splitlines():
        if line.startswith("msgstr"):
            found.append("")
            inside = True
        elif not line.startswith('"'):
            inside = False
        if inside and '"' in line:
            found[-1] += ast.literal_eval(line[line.index('"') :])
    return [message for message in found[1:] if message]


def documents(sources):
    """Return (language, text) of every catalogue and manual page whose letters are mostly of other scripts."""
    by_source = collections.defaultdict(list)
    for source in sources:
        if os.path.isdir(source):
            for path in sorted(glob.glob(f"{source}/*/man?/*")):
                with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as stream:
                    text = stream.read().decode("utf-8", "replace")
                by_source[path[len(source) :].split("/")[1][:2], path].append(text)
            continue
        with zipfile.ZipFile(source) as wheel:
            for name in wheel.namelist():
                match = CATALOGUE.search(name)
                if match and "/dist/" not in name:
                    by_source[match[1], source] += translations(wheel.read(name).decode("utf-8", "replace"))
    found = []
    for (language, _), messages in by_source.items():
        text = "\n".join(dict.fromkeys(messages))
        others = sum(map(len, tokens.other_scripts(text)[1]))
        if others >= 200 and others >= 0.3 * sum(map(str.isalpha, text)):
            found.append((language, text))
    return found


def chunks(texts, each, rng, longest, *, often=False):
    """Return (language, text) chunks, the same number of each language; a tenth of them as comments among code."""
    with open(textwrap.__file__, encoding="utf-8") as stream:
        code = stream.read().splitlines()
    by_language = collections.defaultdict(list)
    for language, text in texts:
        by_language[language].append(text)
    found = []
    for language, members in sorted(by_language.items()):
        sizes = [len(text) ** 0.5 for text in members]
        for turn in range(each * (OFTEN.get(language, 1) if often else 1)):
            text = rng.choices(members, sizes)[0]
            size = int(2 ** rng.uniform(7, longest))
            start = rng.randrange(max(1, len(text) - size))
            text = text[start : start + size]
            if turn % 10 == 0:
                text = "\n".join(f"{rng.choice(code)}\n    # {line}" for line in text.splitlines())
            found.append((language, text))
    return found


def columns_of(text):
    """Return the counts of letters, scripts and run starts, and the estimate of the rest in tokens."""
    rest, runs = tokens.other_scripts(text)
    found = collections.Counter()
    for letter, count in collections.Counter("".join(runs)).items():
        found[letter] += count
        found["script", tokens.script(ord(letter))] += count
    found.update(("start", tokens.script(ord(run[0]))) for run in runs)
    return found, tokens._sum(rest, token_weights.load()) / 100  # noqa: SLF001 - the fit knows the model's insides


def fit(samples):
    """Return (rate by letter, rate by script, rate of a run by script) in units, fitted to (language, text) samples."""
    measured = [(*columns_of(text), COUNT(text)) for _, text in samples]
    seen = collections.Counter()
    for found, _, _ in measured:
        seen.update(found.keys())
    kept = [n for n in sorted(seen, key=str) if isinstance(n, tuple) or (seen[n] >= SEEN and ord(n) < 0x10000)]
    names = {name: i for i, name in enumerate(kept)}
    penalty = np.array([1.0 if isinstance(n, str) else 0.02 if n[0] == "script" else 0.1 for n in names])
    matrix = np.zeros((len(measured), len(names)))
    for line, (found, _, _) in zip(matrix, measured, strict=True):
        for name, count in found.items():
            if name in names:
                line[names[name]] = count
    rest = np.array([r for _, r, _ in measured])
    exact = np.array([n for _, _, n in measured], float)
    weight = 1 / (exact + 10)
    factor = np.ones_like(weight)
    solution = np.zeros(len(names))
    for _ in range(3):
        scaled = matrix * (weight * factor)[:, None] / np.sqrt(penalty)
        normal = scaled.T @ scaled
        normal[np.diag_indices(len(normal))] += 0.01
        solution = np.linalg.solve(normal, scaled.T @ ((exact - rest) * weight * factor)) / np.sqrt(penalty)
        factor = 1 / np.sqrt(np.maximum(np.abs(matrix @ solution + rest - exact) * weight, 0.02))
        factor /= factor.mean()
    rate = lambda name: solution[names[name]] if name in names else 0.0  # noqa: E731
    unit = lambda value: int(max(-127, min(127, round(value * 100 / UNIT))))  # noqa: E731
    kinds = [rate(("script", i)) for i in range(SCRIPTS)]
    known = [kind for kind in kinds if kind]
    letters = {n: unit(rate(n) + kinds[tokens.script(ord(n))]) for n in sorted(n for n in names if isinstance(n, str))}
    # A script that no source writes costs what a letter of the dearer ones does: most have no tokens of their own.
    unknown = float(np.percentile(known, 80))
    return letters, [unit(kind or unknown) for kind in kinds], [unit(rate(("start", i))) for i in range(SCRIPTS)]


def write(fitted, path="headroom_cli/models/letter_weights.py"):
    letters, scripts, starts = fitted
    pack = lambda values: base64.b64encode(bytes(v & 255 for v in values)).decode()  # noqa: E731
    packed = {
        "LETTERS": base64.b64encode("".join(letters).encode("utf-16-le")).decode(),
        "WEIGHTS": pack(letters.values()),
        "SCRIPTS": pack(scripts),
        "STARTS": pack(starts),
    }
    with open("training/letter_weights.template", encoding="utf-8") as stream:
        body = stream.read()
    for name, text in packed.items():
        lines = "\n".join(f'    "{text[i : i + 110]}"' for i in range(0, len(text), 110))
        body = body.replace(f"    @{name}@", lines).replace(f"@{name}@", f'"{text}"')
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(body.replace("@UNIT@", str(UNIT)))


def figures(samples, fitted):
    """Print the error per language, before (bytes alone) and after."""
    letters, scripts, starts = fitted
    errors = collections.defaultdict(list)
    for language, text in samples:
        found, rest = columns_of(text)
        exact = COUNT(text)
        cost = sum(n * (letters.get(c, scripts[tokens.script(ord(c))]) if isinstance(c, str) else starts[c[1]])
                   for c, n in found.items() if isinstance(c, str) or c[0] == "start")  # fmt: skip
        after = max(1.0, rest + cost * UNIT / 100)
        before = max(1.0, tokens._sum(text, token_weights.load()) / 100)  # noqa: SLF001
        for name in (language, "all"):
            errors[name].append((abs(before / exact - 1) * 100, abs(after / exact - 1) * 100))
    for language, pairs in sorted(errors.items()):
        before, after = np.array(pairs).T
        print(f"{language:4s} n={len(pairs):5d} before: median {np.median(before):5.1f} %   after: median "
              f"{np.median(after):5.1f} % p95 {np.percentile(after, 95):5.1f} % max {after.max():5.1f} %")  # fmt: skip


def main():
    arguments = sys.argv[1:]
    held = arguments.index("--held") if "--held" in arguments else len(arguments)
    rng = random.Random(5)
    fitted = fit(chunks(documents([a for a in arguments[:held] if not a.startswith("--")]), 220, rng, 12, often=True))
    print(len(fitted[0]), "letters")
    if held < len(arguments):
        figures(chunks(documents(arguments[held + 1 :]), 120, rng, 12), fitted)
    if "--write" in arguments[:held]:
        write(fitted)


if __name__ == "__main__":
    main()
