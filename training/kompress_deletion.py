"""Sentences with the words that a shorter headline-like wording kept: what models of word deletion are compared on.

The rows state no licence. Nothing trained on them ships.
"""

import hashlib
import json
from pathlib import Path

HELD = 15  # of 100 sentences


def read(path):
    """Return [(words, keep)] of a JSON Lines file with ``tokens`` and ``keep`` in each row."""
    rows = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return [(row["tokens"], row["keep"]) for row in rows]


def held_back(words):
    """Tell whether a sentence is held back from training: decided by its own words, so the same for all models."""
    return int(hashlib.sha256(" ".join(words).encode()).hexdigest()[:8], 16) % 100 < HELD


def split(rows):
    """Return (training rows, held-back rows)."""
    parts = [], []
    for row in rows:
        parts[held_back(row[0])].append(row)
    return parts


def f1_at_share(scores, rows):
    """Return the F1 of the kept words when as many words are kept, over all sentences, as the labels keep.

    ``scores`` has one list of numbers per row. Ties are settled by position, so the share is exact.
    """
    flat = [(score, label) for line, (_, keep) in zip(scores, rows, strict=True)
            for score, label in zip(line, keep, strict=True)]  # fmt: skip
    wanted = sum(label for _, label in flat)
    chosen = sorted(range(len(flat)), key=lambda at: -flat[at][0])[:wanted]
    return sum(flat[at][1] for at in chosen) / max(1, wanted)
