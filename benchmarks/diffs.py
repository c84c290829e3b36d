"""Say what diffs keep: changed lines verbatim, patches that git still takes, and how fast.

Usage: python benchmarks/diffs.py [--no-speed] [--each]
Prints, over the outside samples (when they are beside the checkout), the share of changed lines that stand verbatim in
the rendering, for reviewed files (everything but lockfiles, generated, minified, vendored files and data) and for the
rest; how many sections git applies with the same result as the original; then MB/s for a 10 MB diff and milliseconds
for 1 MiB of hostile text with time(2n)/time(n). Files before the change are rebuilt from the diff: its context and
removed lines at their numbers, other lines between.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from headroom_cli.compressors.diffs import COMPRESSOR
from headroom_cli.model import Hint, Want
from headroom_cli.tokens import count

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from inputs import corpus

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20
# A second opinion on what nobody reviews line by line, on purpose not the specialist's own.
TOOLS = re.compile(
    r"(?i)(^|/)(vendor|node_modules|third[-_]?party|dist|singleheader|single_include|generated|fixtures?|testdata"
    r"|test[-_]data|snapshots?|__snapshots__|goldens?|replaydata|cassettes|test-pages|expected)/"
    r"|\.(lock|sum|min\.js|min\.css|map|svg|csv|tsv|jsonl|ndjson|snap|po|pot|out|log|plist|ipynb|pb\.go|dat)$"
    r"|(^|/)(package-lock\.json|pnpm-lock\.yaml|npm-shrinkwrap\.json)$"
    r"|(^|/)(tests?|spec)/(.*/)?[^/]*\.(json|txt|xml|html?|toml|ya?ml)$"
)
CODE_IN_DATA = re.compile(r"\.(py|rs|go|js|ts|java|c|cc|cpp|h|hpp|rb|php|kt|swift|sh|md|rst)$")
HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def reviewed(path: str) -> bool:
    if re.search(r"(?i)(^|/)(vendor|node_modules|third[-_]?party|dist|singleheader|single_include|generated)/", path):
        return False
    return not TOOLS.search(path) or bool(CODE_IN_DATA.search(path))


def parts(text: str) -> list[tuple[str, list[str]]]:
    """Return (path, lines) of each section that starts with "diff --git"."""
    found: list[tuple[str, list[str]]] = []
    for line in text.split("\n"):
        if line.startswith("diff --git "):
            found.append((line.rpartition(" b/")[2], [line]))
        elif found:
            found[-1][1].append(line)
    return found


def changed_lines(lines: list[str]) -> list[str]:
    """Return the changed lines of a section, counted out by its headers."""
    out: list[str] = []
    old = new = 0
    for line in lines:
        match = HUNK.match(line)
        if old <= 0 and new <= 0:
            if match:
                old, new = (1 if match.group(i) is None else int(match.group(i)) for i in (2, 4))
            continue
        old -= line[:1] in ("-", " ", "")
        new -= line[:1] in ("+", " ", "")
        if line[:1] in ("+", "-"):
            out.append(line)
    return out


def images(lines: list[str]) -> tuple[list[str], list[str]] | None:
    """Return a file before and after a section, None when it has no hunks."""
    before: list[str] = []
    after: list[str] = []
    old = new = 0
    hunks = 0
    last: list[list[str]] = []
    for line in lines:
        match = HUNK.match(line) if old <= 0 and new <= 0 else None
        if match:
            hunks += 1
            old, new = (1 if match.group(i) is None else int(match.group(i)) for i in (2, 4))
            start = int(match.group(1)) - (old > 0)
            while len(before) < start:
                before.append(f"line {len(before)} between\n")
                after.append(before[-1])
        elif hunks and line[:1] == "\\" and last:
            for side in last:
                side[-1] = side[-1].rstrip("\n")
        elif old > 0 or new > 0:
            last = [before] if line[:1] == "-" else [after] if line[:1] == "+" else [before, after]
            for side in last:
                side.append(line[1:] + "\n")
            old -= line[:1] in ("-", " ", "")
            new -= line[:1] in ("+", " ", "")
    if not hunks:
        return None
    if before and before[-1].endswith("\n") and not any(line.startswith("new file") for line in lines):
        tail = [] if any(line.startswith("deleted file") for line in lines) else [f"the end {i}\n" for i in range(3)]
        keep_end = _at_end(lines)
        if not keep_end:
            before += tail
            after += tail
    return before, after


def _at_end(lines: list[str]) -> bool:
    """Tell whether the last hunk has less context below than above: then it ends the file."""
    while not lines[-1]:
        lines = lines[:-1]
    body = "".join([line[:1] or " " for line in lines if line[:1] != "\\"])
    head = body.rfind("@")
    hunk = body[head + 1 :]
    return len(hunk) - len(hunk.rstrip(" ")) == 0


def apply_check(text: str) -> tuple[int, int, list[str]]:
    """Return (sections that claim to be patches, those that git applied to the right result, complaints).

    Each commit is rendered and applied by itself, plainly and with --recount: a log changes the same file many times.
    """
    claims = right = 0
    wrong: list[str] = []
    for commit in re.split(r"(?m)^(?=commit [0-9a-f]{40}$)", text):
        # The blank line between commits would be one more line of context for --recount, in the original too.
        chunk = commit.rstrip("\n") + "\n"
        draft = COMPRESSOR.compress(chunk, Want(count))
        if draft is None:
            continue
        before: dict[str, str] = {}
        after: dict[str, str | None] = {}
        for path, lines in parts(chunk):
            pair = images(lines)
            old = next((line[12:] for line in lines if line.startswith("rename from ")), path)
            if pair is None:
                if old != path:
                    before[old] = "renamed\n"
                continue
            if any(line.startswith("copy from ") for line in lines):
                continue
            if not any(line.startswith("new file mode") for line in lines):
                before[old] = "".join(pair[0])
            after[path] = None if any(line.startswith("deleted file mode") for line in lines) else "".join(pair[1])
        claimed = set(re.findall(r"(?m)^\+\+\+ b/(.*?)\t?\n@@ ", draft.text))
        claimed |= set(re.findall(r"(?m)^--- a/(.*?)\t?\n\+\+\+ /dev/null\n@@ ", draft.text))
        claimed |= set(re.findall(r"(?m)^rename to (.*)\n@@ ", draft.text))
        for options in ((), ("--recount",)):
            got, complaint = _applied(before, draft.text, options)
            claims += len(claimed)
            for name in claimed:
                if got.get(name) == after.get(name):
                    right += 1
                else:
                    wrong.append(f"{name}: {complaint[:160]}")
    return claims, right, wrong


def _applied(before: dict[str, str], patch: str, options: tuple[str, ...]) -> tuple[dict[str, str], str]:
    """Return the files after a patch and what git said."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in before.items():
            target = Path(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(data, newline="")
        done = subprocess.run(
            ["git", "apply", *options, "-"], cwd=folder, input=patch.encode(), capture_output=True, check=False
        )
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        return {str(path.relative_to(folder)): path.read_bytes().decode() for path in files}, done.stderr.decode()


def keep(*, each: bool) -> None:
    samples = corpus("diff")
    if not samples:
        print("no outside samples beside this checkout")
        return
    totals = {True: [0, 0], False: [0, 0]}
    claims = right = 0
    complaints: list[str] = []
    for name, command, data in samples:
        text = data.decode("utf-8", "replace")
        draft = COMPRESSOR.compress(text, Want(count, hint=Hint(command=command)))
        kept = set((draft.text if draft else text).split("\n"))
        lost: dict[str, int] = {}
        for path, lines in parts(text):
            changed = changed_lines(lines)
            here = sum(line in kept for line in changed)
            compiled = sum("# via" in line for line in lines) >= 2  # requirements that pip-compile resolved
            seen = reviewed(path) and not compiled
            total = totals[seen]
            total[0] += len(changed)
            total[1] += here
            if seen and here < len(changed):
                lost[path] = len(changed) - here
        if each and lost:
            print(name, lost)
        made, good, wrong = apply_check(text)
        claims += made
        right += good
        complaints += [f"{name} {complaint}" for complaint in wrong]
    for is_reviewed, (total, here) in totals.items():
        label = "reviewed files" if is_reviewed else "tool-written files and data"
        print(f"{label}: {here} of {total} changed lines verbatim = {here / max(total, 1):.4f}")
    print(f"git apply: {right} of {claims} patches (plain and with --recount) give the original's result")
    for complaint in complaints[:20]:
        print("  not applied:", complaint)


def made_diff(size: int) -> str:
    """Return a diff of about ``size`` characters: many files, hunks of usual lengths."""
    rng = random.Random(5)
    words = [
        "value",
        "result",
        "index",
        "cache",
        "config",
        "token",
        "stream",
        "buffer",
        "parse",
        "render",
        "merge",
        "store",
        "fetch",
    ]
    out: list[str] = []
    got = number = 0
    while got < size:
        number += 1
        path = f"src/{rng.choice(words)}/{rng.choice(words)}_{number}.py"
        begin = len(out)
        out += [
            f"diff --git a/{path} b/{path}", f"index {rng.getrandbits(32):08x}..{rng.getrandbits(32):08x} 100644",
            f"--- a/{path}", f"+++ b/{path}",
        ]  # fmt: skip
        at = shift = 0
        for _ in range(rng.randrange(1, 6)):
            at += rng.randrange(10, 90)
            kinds = "   " + "".join(
                rng.choice(("-+", "+", "-", "--++", "+++++", "-+  -+")) for _ in range(rng.randrange(1, 5))
            )
            kinds += "   "
            old = sum(kind != "+" for kind in kinds)
            new = sum(kind != "-" for kind in kinds)
            out.append(f"@@ -{at},{old} +{at + shift},{new} @@ def {rng.choice(words)}(self):")
            out += [
                f"{kind}        {rng.choice(words)}_{rng.randrange(99)} = self.{rng.choice(words)}({rng.choice(words)})"
                for kind in kinds
            ]
            at += old
            shift += new - old
        got += sum(map(len, out[begin:])) + len(out) - begin
    return "\n".join(out) + "\n"


HOSTILE: dict[str, Callable[[int], str]] = {
    "at signs": lambda n: "@@ -" * (n // 4),
    "hunk headers": lambda n: "@@ -1,3 +1,3 @@\n" * (n // 16),
    "bad hunks": lambda n: "@@ -1,9 +1,9 @@ f\n" * (n // 18),
    "bad files": lambda n: "--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\nx\n" * (n // 35),
    "long hunk lines": lambda n: "@@ -1,9 +1,9 @@\n" + "+x\n" * (n // 3),
    "git headers": lambda n: "diff --git a/x b/x\n" * (n // 19),
    "open hunks": lambda n: "--- a/x\n+++ b/x\n@@ -1,999999999 +1,999999999 @@\n+a\n" * (n // 49),
    "alternating": lambda n: f"--- a/x\n+++ b/x\n@@ -1,{n // 6} +1,{n // 6} @@\n" + "-a\n+b\n" * (n // 6),
    "context": lambda n: f"--- a/x\n+++ b/x\n@@ -1,{n // 9 * 2 + 1} +1,{n // 9 * 2 + 1} @@\n" + " a\n b\n-c\n+d\n"
    * (n // 12),
    "dashes": lambda n: "--- a\n" * (n // 6),
    "binary": lambda n: "diff --git a/x b/x\nGIT binary patch\n" + "literal 1\n\n" * (n // 11),
    "combined": lambda n: "diff --cc x\n" + "@@@ -1,2 -1,2 +1,2 @@@\n++a\n--b\n  c\n" * (n // 36),
    "one line": lambda n: "diff --git " + "a" * n,
    "escapes": lambda n: "diff --git a/x b/x\n@@ -1 +1 @@\n" + "\x1b[" * (n // 2),
    "colours": lambda n: "diff --git a/x b/x\n@@ -1 +1 @@\n" + "\x1b[31m" * (n // 5),
    "blanks": lambda n: "diff --git a/x b/x\n@@ -1 +1 @@\n" + "\n" * n,
}  # fmt: skip


def clock(text: str, rounds: int = 3) -> float:
    best = 1e9
    for _ in range(rounds):
        start = time.process_time()
        COMPRESSOR.compress(text, Want(lambda part: len(part) // 4))
        best = min(best, time.process_time() - start)
    return best


def speed() -> None:
    text = made_diff(10_000_000)
    taken = clock(text)
    draft = COMPRESSOR.compress(text, Want(count))
    left = len(draft.text) / len(text) if draft else 1.0
    print(f"10 MB diff: {len(text) / 1e6 / taken:.1f} MB/s, {left:.3f} of its characters left")
    worst = 0.0
    print(f"{'1 MiB of':18} {'ms':>7} {'t(2n)/t(n)':>10}")
    for name, make in HOSTILE.items():
        once, twice = clock(make(MIB)), clock(make(2 * MIB))
        worst = max(worst, once)
        print(f"{name:18} {once * 1e3:7.1f} {twice / max(once, 1e-3):10.2f}", flush=True)
    print(f"worst {worst * 1e3:.0f} ms")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-speed", action="store_true")
    parser.add_argument("--each", action="store_true", help="name the reviewed files that lost lines")
    args = parser.parse_args()
    keep(each=args.each)
    if not args.no_speed:
        speed()
    return 0


if __name__ == "__main__":
    sys.exit(main())
