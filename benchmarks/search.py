"""Measure what search results keep: definitions, files, rows, tokens: python benchmarks/search.py [level].

Over the outside corpus (``HEADROOM_CORPUS``). A definition is what the pattern below says, which is not the one that
the specialist judges by. A row counts as kept when its number and its text stand in one line of the rendering (its
first 80 characters for a line that was cropped), a file when its path does.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from inputs import corpus

from headroom_cli import compressors
from headroom_cli.model import Hint, Want
from headroom_cli.tokens import count

PLACE = re.compile(r"(?m)^((?:HEAD:)?[^:\n]{1,300}):(\d+):(.*)$")
DEFINES = re.compile(
    r"\s*(?:(?:export|pub(?:\(\w+\))?|public|private|protected|static|async|default|abstract|final|unsafe)\s+)*"
    r"(?:(?:def|class|func|fn|struct|interface|enum|trait|impl|type|function|const|#define|namespace|fun|module)\s+[\w(]|#define\s)"
)


def main() -> None:
    level = sys.argv[1] if len(sys.argv) > 1 else "balanced"
    search = compressors.load("search")
    before = after = samples = lossy = 0
    rows, definitions, files = [0, 0], [0, 0], [0, 0]
    for name, command, data in corpus("search"):
        text = data.decode("utf-8", "replace")
        found = PLACE.findall(text)
        draft = search.compress(text, Want(count, level=level, hint=Hint(command)))
        if draft is None or not found:
            continue
        samples += 1
        lossy += draft.degree == "lossy"
        before += count(text)
        after += count(draft.text)
        shown: dict[str, set[str]] = {}
        path = ""
        for line in draft.text.split("\n"):
            row = re.match(r"(\d+(?:,\d+)*)[ :](.*)", line)
            if row is None:
                path = line or path
                continue
            for number in row[1].split(","):
                shown.setdefault(path, set()).add(f"{number}:{row[2][:80]}")
        for path, number, line in found:
            kept = f"{number}:{line[:80]}" in shown.get(path, ())
            rows[0] += kept
            rows[1] += 1
            if DEFINES.match(line):
                definitions[0] += kept
                definitions[1] += 1
                if not kept:
                    print("definition gone:", name, path, number, line[:90])
        for path in {path for path, _, _ in found}:
            files[0] += path in draft.text
            files[1] += 1
    print(f"{samples} samples with places, {lossy} of them cut, tokens {after / max(before, 1):.3f}")
    for said, (kept, total) in (("definitions", definitions), ("rows", rows), ("files", files)):
        print(f"{said} kept: {kept} of {total} ({kept / max(total, 1):.4f})")


if __name__ == "__main__":
    main()
