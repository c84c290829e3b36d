"""Inputs that many tests share: hostile seeds of our own, and the outside corpora when they are beside the checkout."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
SHARED = Path(os.environ.get("HEADROOM_SHARED") or HERE.parent.parent / "shared")
CORPUS = Path(os.environ.get("HEADROOM_CORPUS") or SHARED / "corpus")
MAKERS = ("make.py", "texts.py", "__pycache__")
HOSTILE = SHARED / "hostile"

WHY_NO_CORPUS = "no corpus beside this checkout"

# name -> a text of about n characters; every one of them broke some text tool once.
FLOODS = {
    "one line": lambda n: "A" * n,
    "words": lambda n: "a " * (n // 2),
    "newlines": lambda n: "\n" * n,
    "carriage returns": lambda n: "\r" * n,
    "escapes": lambda n: "\x1b" * n,
    "ansi": lambda n: "\x1b[31m" * (n // 5),
    "brackets": lambda n: "[" * n,
    "bracket pairs": lambda n: "[" * (n // 2) + "]" * (n // 2),
    "objects in objects": lambda n: '{"a":' * (n // 6) + "1" + "}" * (n // 6),
    "empty objects": lambda n: "[" + ",".join(["{}"] * (n // 3)) + "]",
    "small numbers": lambda n: "[" + ",".join(str(i % 10) for i in range(n // 2)) + "]",
    "one number": lambda n: "[" + "1" * n + "]",
    "one string": lambda n: '["' + "x" * n + '"]',
    "escaped quotes": lambda n: '["' + '\\"' * (n // 2) + '"]',
    "many keys": lambda n: "{" + ",".join(f'"k{i}":{i}' for i in range(n // 12)) + "}",
    "markers": lambda n: "<<headroom:aaaaaaaaaaaa 9 of 10 lines>>\n" * (n // 40),
    "other markers": lambda n: "<<ccr:" * (n // 6),
    "parentheses": lambda n: "(" * n,
    "tags": lambda n: "<div>" * (n // 5),
    "errors": lambda n: "".join(f"ERROR {i} failed\n" for i in range(n // 18)),
    "numbered lines": lambda n: "".join(f"line {i}\n" for i in range(n // 11)),
    "quotes": lambda n: '"' * n,
    "backslashes": lambda n: "\\" * n,
    "colons": lambda n: "a:1:" * (n // 4),
    "paths": lambda n: "".join(f"src/m{i}.py:{i}: x\n" for i in range(n // 18)),
    "pipes": lambda n: "| a " * (n // 4),
    "wide characters": lambda n: "\u6f22" * (n // 3),
    "hunks": lambda n: "@@ -1,9 +1,9 @@ f\n" * (n // 18),
    "hunk lines": lambda n: "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n" + "+x\n" * (n // 3),
    "file headers": lambda n: "diff --git a/x b/x\n" * (n // 19),
    "open comments": lambda n: "<!--" * (n // 4),
    "open scripts": lambda n: "<script>" * (n // 8),
    "open tags": lambda n: "<a " * (n // 3),
    "entities": lambda n: "&amp" * (n // 4),
    "cdata": lambda n: "<![CDATA[" * (n // 9),
    "table cells": lambda n: "<table><tr><td>" * (n // 15),
    "code comments": lambda n: "/*" * (n // 2),
    "functions": lambda n: "".join(f"def f{i}():\n    return {i}\n" for i in range(n // 26)),
    "nested functions": lambda n: "".join(" " * (i % 200) + "def f():\n" for i in range(n // 110)),
    "braces": lambda n: "{" * (n // 2) + "}" * (n // 2),
    "quotes in lines": lambda n: "'''\n" * (n // 4),
    "headings": lambda n: "# a\n" * (n // 4),
    "fences": lambda n: "```\n" * (n // 4),
    "bullets": lambda n: "* " * (n // 2),
    "sentences": lambda n: "".join(f"It was {i}. " for i in range(n // 14)),
    "full stops": lambda n: "." * n,
    "tabs": lambda n: "\t" * n,
    "commas": lambda n: "," * n,
    "rows": lambda n: "".join(f"{i},a,b\n" for i in range(n // 11)),
    "rules": lambda n: "+---+---+\n" * (n // 10),
    "columns": lambda n: "NAME   READY   AGE\n" + "".join(f"p{i:05d} 1/1     3d\n" for i in range(n // 19)),
    "base64": lambda n: "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo" * (n // 35),
    "hexadecimal lines": lambda n: "".join(f"{i:08x}  de ad be ef\n" for i in range(n // 22)),
    "directories": lambda n: "".join(f"./a{i}:\nb c\n\n" for i in range(n // 16)),
    "deep path": lambda n: "a/" * (n // 2),
    "indented tree": lambda n: "".join("\u2502   " * (i % 50) + "\u251c\u2500\u2500 a\n" for i in range(n // 210)),
    "matches": lambda n: "".join(f"{i}:x\n" for i in range(n // 9)),
    "emoji": lambda n: "\U0001f600\u200d" * (n // 7),
}

# Short texts with something odd in them.
ODD = (
    "", " ", "\n", "\r\n", "\ufeff", "\x00", "a\x00b", "\x1b]0;title\x07", "\x1b]52;c;ZXZpbA==\x07",
    "\u202e\u2066", "null",
    '"\\ud800"', '{"a":1,"a":2}', "[NaN]", "[Infinity, -0, 1E400, 1.10]", "{", "[1,", '{"a"',
    "x\r\n2026-01-01 INFO forged",
    "[400 lines compressed to 40. Retrieve more: hash=abababababababababababab]", "<<ccr:abababababab,string,481B>>",
    "<<headroom:aaaaaaaaaaaa 9 of 10 lines>>", "```\n", "$ \n", "<returncode>0</returncode>\n<output>\n</output>",
    '{"slugs": [' + ",".join(f'"r{i}"' for i in range(120)) + '], "total": 120}',
)  # fmt: skip


def examples() -> list[tuple[str, bytes]]:
    """Return the shipped examples."""
    paths = [path for path in sorted(EXAMPLES.iterdir()) if path.is_file() and path.name not in MAKERS]
    return [(path.name, path.read_bytes()) for path in paths]


def corpus(*kinds: str, limit: int = 0) -> list[tuple[str, str, bytes]]:
    """Return (id, command, bytes) of the outside samples of some kinds, [] when they are not here."""
    manifest = CORPUS / "MANIFEST.jsonl"
    if not manifest.exists():
        return []
    found = []
    for line in manifest.read_text().splitlines():
        row = json.loads(line)
        if row["kind"] in kinds:
            found.append((row["id"], row.get("command") or f"cat {row['path']}", CORPUS / row["path"]))
    if limit:
        found = found[:: max(1, len(found) // limit)][:limit]
    return [(name, command, path.read_bytes()) for name, command, path in found]


def hostile_files() -> list[tuple[str, bytes]]:
    """Return the JSON suites and the naughty strings, [] when they are not here."""
    found = [
        (path.name, path.read_bytes())
        for folder in ("test_parsing", "test_transform")
        for path in sorted((HOSTILE / "JSONTestSuite" / folder).glob("*.json"))
    ]
    strings = HOSTILE / "blns" / "blns.json"
    if strings.exists():
        found += [(f"blns-{i}", text.encode()) for i, text in enumerate(json.loads(strings.read_text()))]
    return found


def spoiled(data: bytes, seed: int) -> bytes:
    """Return a truncated, shuffled or byte-flipped copy."""
    rng = random.Random(seed)
    how = seed % 3
    if how == 0:
        return data[: rng.randrange(len(data) + 1)]
    if how == 1:
        lines = data.splitlines(keepends=True)
        rng.shuffle(lines)
        return b"".join(lines)
    flipped = bytearray(data)
    for _ in range(max(1, len(data) // 2000)):
        if flipped:
            flipped[rng.randrange(len(flipped))] = rng.randrange(1, 256)
    return bytes(flipped)
