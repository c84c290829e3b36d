"""Whether lines are a program or a writer's words: how files begin, how lines of code end, sentences and titles."""

from __future__ import annotations

from itertools import pairwise

from headroom_cli.routing import patterns
from headroom_cli.routing.columns import share

# How source files begin; `import x` and its like are a pattern of their own.
_OPENINGS = (
    '"""', "'''", 'r"""', "/*", "//", "#!", "#include", "#define", "#pragma", "#if", "#compdef", "# -*-", "<?php",
    "'use strict", '"use strict', "export ", "const ", "(ns ", ";;", "<script", "<template", "@import", "syntax = ",
    "apiVersion:", "#[", "# Distributed under", "# Copyright (", "# SPDX-", "# This file", "# vim:", "cmake_minimum",
)  # fmt: skip


def opening(full: list[str]) -> bool:
    """Return whether a text begins as source files do."""
    first = full[0].rstrip()
    if first.startswith(_OPENINGS) or patterns.IMPORT.match(first):
        return True
    word, _, rest = first.partition(" ")
    if word in ("def", "class", "namespace", "module"):
        return rest.endswith(("{", ":", ";", "where", ")")) or (word != "class" and " " not in rest)
    return word == "FROM" and rest.count(" ") in (0, 2)


def outside_quotes(lines: list[str]) -> list[str]:
    """Return the lines outside doc strings and block comments."""
    outside: list[str] = []
    inside = False
    for line in lines:
        quotes = line.count('"""') + line.count("'''")
        opens, closes = "/*" in line, "*/" in line
        if not inside and not quotes and not opens:
            outside.append(line)
        if quotes % 2:
            inside = not inside
        elif opens or closes:
            inside = opens and not closes
    return outside


def code(full: list[str], total: int, *, numbered: bool, opening: bool) -> float:
    """Score lines that are no messages, against all ``total`` lines."""
    starts = ends = assigns = indented = 0.0
    remarked = any("/*" in line for line in full)
    for line in full:
        if line.startswith("* ") and not remarked:
            continue  # a writer's list
        if patterns.IMPORT.match(line):
            starts += 1
            continue
        last = line[-1]
        if not numbered and last not in "{};,([\\" and patterns.SENTENCE.search(line) and _spoken(line):
            continue
        if last == ":" and line[0].isupper() and _spoken(line[:-1]):
            continue
        if patterns.CODE_START.match(line):
            starts += 1
        elif last in "{;}" or last in ",([\\":
            ends += 1
        elif last in ")]:":
            at = line.find("(")
            ends += 1 if "=" in line or (at > 0 and (line[at - 1].isalnum() or line[at - 1] in "_.)")) else 0.3
        elif patterns.ASSIGN.match(line):
            assigns += 1
        elif line[0] in " \t":
            indented += 1
    remarks = sum(1 for line in full if line[0] == "#" and line[:2] != "##")
    if remarks > 7 and remarks > 0.5 * total:
        return 0.85  # settings among remarks: nobody writes so many headings
    if opening or (full and full[0].startswith(("<?xml", "---\n"))):
        starts += total // 4 + 1
    if total >= 3 and not opening and _is_yaml(full, total):
        return 0.8
    if starts + ends < 0.12 * total:
        indented = 0.0  # the indent of what?
    score = 1.25 * share(starts + 0.8 * ends + 0.5 * assigns + 0.3 * indented, total)
    return min(0.97, score + (0.35 if numbered and score > 0.25 else 0.0))


def _is_yaml(full: list[str], total: int) -> bool:
    """Return whether settings stand below names, as YAML writes them."""
    if sum(1 for line in full if patterns.YAML.match(line)) < 0.85 * total:
        return False
    return any(a[-1] == ":" and b.lstrip("- ") != b and ":" in b for a, b in pairwise(full))


def _spoken(line: str) -> bool:
    """Return whether a line is words, not symbols, and no comment."""
    body = line.lstrip()
    if body.startswith(("//", "#", "/*", "*", "--", "%", ";", '"', "'")):
        return body.startswith(("# ", "* ")) and len(body) > 60
    return patterns.spoken(body) > 0.9 * len(body)


def prose(full: list[str], total: int, *, opening: bool) -> tuple[float, int]:
    """Score lines that no program printed, against all ``total`` lines; and count its long ones."""
    sentences = marks = wordy = paragraphs = links = 0
    for line in full:
        if patterns.IMPORT.match(line):
            continue
        if patterns.SENTENCE.search(line) or (not line.isascii() and len(line) > 12 and _spoken(line)):
            sentences += 1
            paragraphs += line[0] not in " \t#/*-" and len(line) > 70 and line[-1] not in "{};,)("
        elif patterns.MARKDOWN.match(line.lstrip()):
            marks += 1
        links += "](" in line
        if line.count(" ", 0, 120) >= 3 and patterns.spoken(line[:120]) > 0.88 * min(len(line), 120):
            wordy += 1
    score = min(0.95, 0.75 * share(sentences, total) + 0.35 * share(wordy, total) + 0.3 * share(marks, total))
    if opening or not full:
        return 0.75 * score, 0
    if links >= 3 and links > 0.08 * total:
        score = max(score, 0.75 if links < 0.3 * total else 0.92)
    for number, line in enumerate(full[:30]):
        if patterns.WRITTEN.match(line):
            score = max(score, 0.88 if number else 0.92)
            break
    return score, paragraphs


def is_title(line: str) -> bool:
    """Return whether a line is a few words in a row, such as a writer begins with."""
    if (
        line[0] in " \t#/*-<"
        or patterns.HASH.match(line)
        or line.count(" ") < 2
        or "  " in line
        or line[-1] in "{};,(:"
    ):
        return False
    if patterns.ASSIGN.match(line) or (patterns.KEYED.match(line) and not patterns.ASKED.match(line)):
        return False
    return patterns.spoken(line) > 0.75 * len(line) and bool(patterns.TITLE_WORD.match(line.partition(" ")[0]))


def has_front_matter(full: list[str]) -> bool:
    """Return whether a text begins with a few settings between rulers, and words behind them."""
    if full[0].rstrip() != "---":
        return False
    end = next((i for i, line in enumerate(full[1:20], 1) if line.rstrip() == "---"), 0)
    rest = full[end + 1 :]
    return end > 1 and len(rest) > 1 and not any(patterns.KEYED.match(line) for line in rest[:2])
