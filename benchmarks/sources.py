"""Source files: tokens left, identifiers still readable, edits that still match, and speed.

    python benchmarks/sources.py [--whole 3 5 8] [--limit N] [--language NAME]

Identifiers are those that the grammars find in the original (distinct per file, nodes named ``*identifier`` and the
like), looked for as whole words in the rendering. An edit still matches when a line that the rendering shows whole
stands in the original. Samples are the outside corpus's source files, or this project's own where there is
none.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import tree_sitter
from inputs import CORPUS, corpus

from headroom_cli.compressors import code
from headroom_cli.compressors.code import grammars
from headroom_cli.compressors.code import language as languages
from headroom_cli.compressors.code.render import NOTE
from headroom_cli.drafting import weighed
from headroom_cli.model import Hint, Want

WORD = re.compile(r"\w+")


def counter():
    try:
        from rs_bpe.bpe import openai
    except ImportError:
        from headroom_cli.tokens import count

        return count, "estimated"
    return openai.o200k_base().count, "o200k_base"


def samples(limit: int):
    return [(f"cat {name}", data.decode("utf-8", "replace")) for name, data in _files(limit)]


def _files(limit: int):
    if CORPUS.exists():
        return [(command.split()[-1], data) for _, command, data in corpus("code", limit=limit)]
    root = Path(__file__).resolve().parent.parent
    return [(str(path), path.read_bytes()) for path in sorted(root.rglob("headroom_cli/**/*.py"))]


def identifiers(text: str, language: str) -> set[str]:
    """Return the distinct names that the grammar finds; an iterative walk, slow and sure."""
    loaded = grammars.load(language)
    if loaded is None:
        return set()
    data = text.encode()
    tree = tree_sitter.Parser(loaded[0]).parse(data)
    names: set[str] = set()
    cursor = tree.walk()
    going = True
    while going:
        node = cursor.node
        if node.child_count == 0 and (
            node.type.endswith("identifier") or node.type in ("constant", "name", "variable_name", "instance_variable")
        ):
            names.add(data[node.start_byte : node.end_byte].decode("utf-8", "replace").lstrip("@$"))
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                going = False
                break
    return {name for name in names if WORD.fullmatch(name)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--whole", type=int, nargs="*", default=[code.BALANCED.whole])
    parser.add_argument("--words", type=int, default=code.BALANCED.words)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--language", default="")
    asked = parser.parse_args()
    count, how = counter()
    files = samples(asked.limit)
    print(f"{len(files)} files, tokens by {how}")
    print(f"{'whole':>5} {'language':10} {'n':>4} {'tokens':>7} {'median':>7} {'names':>7} {'edits':>7} {'MB/s':>6}")
    for whole in asked.whole:
        code.BALANCED.whole, code.BALANCED.words = whole, asked.words
        table: dict[str, list[tuple[int, int, int, int, int, int, int, float]]] = {}
        for command, text in files:
            language = languages.identify(text.split("\n"), Hint(command), "").language
            if asked.language and language != asked.language:
                continue
            want = Want(count, hint=Hint(command), question="Look at this output and continue.")
            start = time.perf_counter()
            draft = code.compress(text, want)
            seconds = time.perf_counter() - start
            made = weighed(draft) if draft is not None else text
            before, after = count(text), count(made)
            if after > 0.97 * before:
                made, after = text, before
            names = identifiers(text, language)
            shown = set(WORD.findall(made))
            lines = set(text.split("\n"))
            whole_lines = [line for line in made.split("\n")[:-1] if not NOTE.search(line)]
            table.setdefault(language, []).append((
                before, after, len(names), len(names & shown), len(whole_lines),
                sum(line in lines for line in whole_lines), len(text.encode()), seconds,
            ))  # fmt: skip
        everything = [row for found in table.values() for row in found]
        for language, rows in [*sorted(table.items()), ("all", everything)]:
            total = [sum(column) for column in zip(*rows, strict=True)]
            median = statistics.median(row[1] / max(1, row[0]) for row in rows)
            print(
                f"{whole:5} {language:10} {len(rows):4} {total[1] / total[0]:7.3f} {median:7.3f} "
                f"{total[3] / max(1, total[2]):7.3f} {total[5] / max(1, total[4]):7.3f} "
                f"{total[6] / 1e6 / total[7]:6.2f}"
            )


if __name__ == "__main__":
    main()
