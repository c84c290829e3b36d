"""What a text looks like: a score for each kind from a bounded sample of its lines.

Every test looks at one line (its first 200 characters) with string methods or an anchored pattern whose gaps are
bounded, so the cost is linear in the sample and the sample has a fixed size.
"""

from __future__ import annotations

import re
from itertools import pairwise

from headroom_cli.routing import patterns

_WIDTH = 200  # characters of a line that are looked at
_HEAD, _MIDDLE, _TAIL = 50, 6, 20  # lines


def lines_of(text: str) -> list[str]:
    """Return a bounded sample of a text's lines: the head, five places in the middle, the tail; each cut to 200."""
    size = len(text)
    if size <= 24_000:
        lines = text.split("\n")
        if len(lines) > 100:
            step = len(lines) // 6
            middle = [line for i in range(1, 6) for line in lines[i * step : i * step + _MIDDLE]]
            lines = lines[:_HEAD] + middle + lines[-_TAIL:]
    else:
        lines = text[:16_000].split("\n")[:_HEAD]
        for i in range(1, 6):
            start = i * size // 6
            # The first and the last line of a window are cut; they say something wrong.
            lines += text[start : start + 2000].split("\n")[1:-1][:_MIDDLE]
        lines += text[-4000:].split("\n")[1:][-_TAIL:]
    # What a progress bar wrote before its last carriage return was never meant to stay.
    return [(line.rstrip("\r").rpartition("\r")[2] if "\r" in line else line)[:_WIDTH] for line in lines]


def is_numbered(lines: list[str]) -> bool:
    """Return whether most lines begin with a line number that grows: the view of a file."""
    numbers = [int(m.group().strip(" \t\u2192:|")) for line in lines[:60] if (m := patterns.NUMBERED.match(line))]
    if (
        len(numbers) < 3
        or not patterns.NUMBERED.match(lines[0])
        or len(numbers) < 0.8 * len([line for line in lines[:60] if line.strip()])
    ):
        return False
    return sum(1 for a, b in pairwise(numbers) if b == a + 1) >= 0.8 * (len(numbers) - 1)


def _share(count: float, total: int) -> float:
    return count / total if total else 0.0


def scores(text: str) -> dict[str, float]:
    """Return a score (0..1) for each kind that a text may be; kinds that are not there score 0."""
    lines = lines_of(text)
    full = [line for line in lines if line.strip()]
    total = len(full)
    if not total:
        return {"prose": 0.1}
    found: dict[str, float] = {}
    coloured = 1.0
    if any("\x1b[" in line for line in full):
        full = [plain for line in full if (plain := patterns.ANSI.sub("", line)).strip()] or ["-"]
        total = len(full)
        found["log"] = 0.5
        coloured = 0.7
    numbered = is_numbered(full)
    if numbered:
        full = [line for line in (patterns.NUMBERED.sub("", line, count=1) for line in full) if line.strip()] or full
        total = len(full)
    outside = _outside_fences(full)
    full = [line for line in full if not _is_fence(line)] or full
    total = len(full)
    found["diff"] = _diff(full)
    found["html"] = _html(text, full)
    if found["diff"] >= 0.95 or found["html"] >= 0.98:
        return found  # a grammar of its own: nothing else comes near
    found["search"] = 0.6 * _search(lines) if numbered else _search(full)
    found["listing"] = 0.0 if numbered else _listing(full)
    log, test = _log(full)
    found["log"] = max(found.get("log", 0.0), log)
    found["test-log"] = test
    said = {line: _is_logged(line) for line in set(full)}
    told = [line for line in full if not said[line]]
    # Markdown quotes code in fences: what stands outside says what the text is.
    found["code"] = coloured * _code(told, total, numbered=numbered)
    if len(outside) < total and patterns.CODE_START.match(full[0]) and full[0].lstrip()[0] not in "#>*-":
        outside = full  # a source file whose comments hold fences
    found["prose"] = _prose([line for line in outside if not said.get(line) and not _is_printed(line)], len(outside))
    if len(outside) < total and not numbered:
        found["prose"] = max(found["prose"], 0.6)
        for kind in ("code", "log", "test-log", "search"):
            found[kind] *= 0.6
    found["table"] = 0.0 if numbered else _table(full) * (1 - 0.7 * max(0.0, log - 0.3))
    if found["search"] >= 0.5:
        found["code"] = min(found["code"], 0.85)  # what a search found is code, too
    if found["html"] < 0.98 and patterns.CODE_START.match(full[0]) and not full[0].lstrip().startswith(("<", "#")):
        found["html"] = min(found["html"], 0.45)  # markup inside a script
    if found["listing"] >= 0.85:
        found["table"] = min(found["table"], 0.8)
    return found


_SAID = (
    "error", "warning", "ERROR", "WARN", "Error:", "note:", "Traceback", "fatal:", "make", "npm ", "Caused by",
)  # fmt: skip


def _is_logged(line: str) -> bool:
    """Return whether a line is one of a program's messages rather than of a file."""
    return bool(
        line.lstrip().startswith(_SAID)
        or patterns.STAMP.match(line)
        or patterns.BRACKETED.match(line)
        or patterns.TEST_TAIL.search(line)
        or patterns.COMPILER.match(line)
        or patterns.SNIPPET.match(line)
        or _is_diagnostic(line)
    )


def _is_diagnostic(line: str) -> bool:
    """Return whether a line names a place in a file and says something of it, unlike a search's match."""
    return bool(patterns.DIAGNOSTIC.match(line)) and (
        not patterns.SEARCH.match(line) or bool(patterns.MESSAGE.search(line, 0, 260))
    )


def _is_printed(line: str) -> bool:
    """Return whether a line that is no message is likelier a program's report than a writer's."""
    return bool(patterns.BUILD.match(line) or patterns.TEST.match(line) or patterns.DIAGNOSTIC.match(line))


def _is_fence(line: str) -> bool:
    """Return whether a line opens or closes a fenced block."""
    return line.lstrip().startswith(("```", "~~~"))


def _outside_fences(full: list[str]) -> list[str]:
    """Return the lines outside fenced blocks; all of them when there is no pair of fences."""
    outside: list[str] = []
    open_fence = False
    fences = 0
    for line in full:
        if _is_fence(line):
            open_fence = not open_fence
            fences += 1
        elif not open_fence:
            outside.append(line)
    return outside if fences >= 2 and outside else full


def _diff(full: list[str]) -> float:
    git = hunks = signed = names = 0
    for line in full:
        first = line[0]
        if first == "d":
            git += line.startswith(("diff --git ", "diff --cc ", "diff --combined ", "diff -"))
        elif first == "@":
            hunks += line.startswith(("@@ -", "@@@ -"))
        elif first in "+-":
            names += line.startswith(("--- ", "+++ "))
            signed += 1
        elif first == " ":
            signed += 1
    if git and (hunks or names or git >= 2 or "similarity index" in " ".join(full[:20])):
        return 0.98
    if hunks and _share(signed, len(full)) > 0.4:
        return 0.95
    if git:
        return 0.85
    return 0.6 if hunks >= 2 else 0.0


def _html(text: str, full: list[str]) -> float:
    head = text[:400].lstrip("\ufeff \t\r\n").lower()
    if head.startswith(("<!doctype html", "<html")):
        return 0.98
    if not any("<" in line for line in full):
        return 0.0
    sample = text[:8000] if len(text) < 40_000 else text[:4000] + text[len(text) // 2 : len(text) // 2 + 4000]
    tags = len(patterns.TAG.findall(sample))
    rate = tags * 1000 / max(len(sample), 200)
    led = _share(sum(1 for line in full if line.lstrip().startswith("<")), len(full))
    return min(0.95, rate / 12) if led > 0.4 or rate > 12 else min(0.5, rate / 30)


def _search(full: list[str]) -> float:
    total = len(full)
    if patterns.HARNESS.match(full[0]):
        return 0.9 if "atch" in full[0] and total > 1 and full[1].startswith(("Line ", "/", "./")) else 0.4
    direct = plain = numbered = paths = 0
    names: dict[str, int] = {}
    after_path = False
    for line in full:
        if line == "--":
            direct += 1
            continue
        match = patterns.SEARCH.match(line)
        if match and ("/" in match.group() or "." in match.group()) and not patterns.STAMP.match(line):
            name = match.group()
            if " " not in name.strip() or "/" in name:
                direct += 1
                continue
        match = patterns.PLAIN_MATCH.match(line)
        if match:
            plain += 1
            names[match.group()] = names.get(match.group(), 0) + 1
            continue
        match = patterns.NUMBERED_MATCH.match(line)
        if match:
            numbered += 1
            after_path = after_path or match.group()[-1] == ":"
        elif patterns.PATH.match(line):
            paths += 1
    compiler = sum(1 for line in full if patterns.COMPILER.match(line) or patterns.MESSAGE.search(line, 0, 260))
    share = _share(direct, total)
    if share > 0.5 and compiler < 0.3 * direct:
        return min(0.97, 0.5 + share / 2)
    if paths and after_path and _share(numbered + paths, total) > 0.7 and numbered >= paths * 0.5:
        return 0.93  # rg --heading
    if after_path and _share(numbered, total) > 0.85:
        numbers = [int(m.group()[:-1]) for line in full if (m := patterns.NUMBERED_MATCH.match(line))]
        return (0.85 if total > 2 else 0.6) if numbers == sorted(numbers) else 0.5
    if _share(plain + direct, total) > 0.7 and compiler < 0.3 * total:
        return 0.85 if len(names) >= 2 or plain >= 3 else 0.5
    return 0.35 * share


def _listing(full: list[str]) -> float:
    total = len(full)
    paths = modes = trees = states = 0
    for line in full:
        if patterns.TREE.match(line):
            trees += 1
        elif patterns.MODE.match(line):
            modes += 1
        elif patterns.PATH.match(line):
            paths += 1
        elif patterns.STATUS.match(line):
            states += 1
    deep = sum(1 for line in full if "/" in line or "\\" in line)
    dotted = sum(1 for line in full if "." in line.strip()[1:])
    if patterns.HARNESS.match(full[0]) and total > 1 and paths >= 0.5 * (total - 1):
        return 0.95
    if _share(trees, total) > 0.6:
        return 0.95
    if _share(modes + paths, total) > 0.85 and modes >= 0.3 * total:
        return 0.96
    if _share(paths, total) > 0.85:
        return 0.95 if _share(deep, total) > 0.5 else 0.8 if _share(dotted, total) > 0.4 else 0.5
    return 0.8 * _share(paths + modes + states + trees, total)


_TROUBLES = (
    "warning", "error", "failed", "failure", "exception", "not found", "no such file", "undefined", "deprecated",
)  # fmt: skip


def _is_noted(line: str) -> bool:
    """Return whether a line speaks of trouble."""
    low = line.lower()
    return any(trouble in low for trouble in _TROUBLES)


def _log(full: list[str]) -> tuple[float, float]:
    total = len(full)
    stamps = levels = builds = tests = strong = noted = 0
    late = 0.0
    for line in full:
        if patterns.TEST.match(line) or patterns.TEST_TAIL.search(line):
            tests += 1
            strong += not line.startswith(("---", "==="))
        elif patterns.STAMP.match(line):
            stamps += 1
        elif patterns.LEVEL.search(line, 0, 160):
            levels += 1
        elif patterns.BUILD.match(line) or patterns.COMPILER.match(line) or patterns.BRACKETED.match(line):
            builds += 1
        elif line.count(":", 0, 90) > 1 and patterns.LATE_STAMP.search(line, 0, 90):
            late += 1
        elif patterns.SNIPPET.match(line):
            builds += 1
        elif _is_diagnostic(line):
            late += 1.6 + 0.6 * _is_noted(line)
        elif _is_noted(line):
            noted += 1
    traced = sum(1 for line in full if line.startswith(('  File "', "    at ", "\tat ", "Traceback (most")))
    signs = stamps + levels + 0.8 * builds + 0.5 * late + 0.5 * noted + 0.7 * traced
    log = min(0.97, 1.15 * _share(signs, total))
    if stamps > 0.5 * total:
        log = max(log, 0.92)
    if traced >= 3 or (traced and full[0].startswith("Traceback")):
        log = max(log, 0.75)
    test = min(0.97, 1.2 * _share(tests + 0.5 * signs, total)) if strong else 0.0
    marks = "\n".join(full[:3] + full[-12:])
    if "test session starts" in marks or " in 0." in marks or "short test summary" in marks:
        test = max(test, 0.93 if "=====" in marks else 0.4)
    if re.search(
        r"^(?:Ran \d+ tests? in|test result: |Tests? (?:Suites|Files)|Tests: |--- FAIL|FAILED \()", marks, re.MULTILINE
    ):
        test = max(test, 0.93)
    return log, test


_CODE_ENDS = tuple("{};:,()[]\\")


def _code(full: list[str], total: int, *, numbered: bool) -> float:
    """Score lines that are no messages, against all ``total`` lines."""
    starts = ends = assigns = indented = 0
    for line in full:
        if not numbered and line[-1] not in "{};:,()[]\\" and patterns.SENTENCE.search(line) and _spoken(line):
            continue
        if line[-1] == ":" and line[0].isupper() and _spoken(line[:-1]):
            continue
        if patterns.CODE_START.match(line):
            starts += 1
        elif line.endswith(_CODE_ENDS):
            ends += 1
        elif patterns.ASSIGN.match(line):
            assigns += 1
        elif line[0] in " \t":
            indented += 1
    if full and full[0].startswith(("#!", "<?php", "<?xml", "package ", "---\n")):
        starts += total // 4 + 1
    score = 1.25 * _share(starts + 0.8 * ends + 0.5 * assigns + 0.35 * indented, total)
    return min(0.97, score + (0.35 if numbered and score > 0.25 else 0.0))


def _spoken(line: str) -> bool:
    """Return whether a line is words, not symbols, and no comment."""
    body = line.lstrip()
    if body.startswith(("//", "#", "/*", "*", "--", "%", ";", '"', "'")):
        return body.startswith(("# ", "* ")) and len(body) > 60
    return sum(map(str.isalpha, body)) + body.count(" ") > 0.9 * len(body)


def _prose(full: list[str], total: int) -> float:
    """Score lines that no program printed, against all ``total`` lines."""
    sentences = marks = wordy = 0
    for line in full:
        if patterns.SENTENCE.search(line) or (not line.isascii() and len(line) > 12 and _spoken(line)):
            sentences += 1
        elif patterns.MARKDOWN.match(line.lstrip()):
            marks += 1
        letters = sum(map(str.isalpha, line[:120]))
        spaces = line.count(" ", 0, 120)
        if spaces >= 3 and letters + spaces > 0.88 * min(len(line), 120):
            wordy += 1
    return min(0.95, 0.75 * _share(sentences, total) + 0.35 * _share(wordy, total) + 0.3 * _share(marks, total))


def _table(full: list[str]) -> float:
    total = len(full)
    if total < 2:
        return 0.1
    best = 0.0
    for mark in "\t,;|:":
        counts = [line.count(mark) for line in full]
        usual = max(set(counts), key=counts.count)
        if mark == "," and usual == 1 and total >= 5 and counts.count(1) == total and " " not in "".join(full):
            best = max(best, 0.85)
        if usual >= (1 if mark == "\t" else 4 if mark == ":" else 2):
            same = _share(counts.count(usual), total)
            best = max(best, same * (0.95 if mark in "\t|" else 0.9) if total >= 3 else 0.4 * same)
    starts: dict[int, int] = {}
    aligned = 0
    for line in full:
        columns = [m.end() for m in patterns.COLUMN.finditer(line)]
        aligned += bool(columns)
        for column in columns:
            starts[column] = starts.get(column, 0) + 1
    repeated = sum(n for n in starts.values() if n >= max(2, 0.25 * total))
    if aligned > 0.4 * total and repeated:
        best = max(best, min(0.92, 0.4 * _share(aligned, total) + 0.6 * min(1.0, _share(repeated, total))))
    keyed = _share(sum(1 for line in full if patterns.KEYED.match(line) and not line.endswith(("{", ";"))), total)
    if keyed > 0.5:
        best = max(best, 0.75 * keyed)
    hashed = _share(sum(1 for line in full if patterns.HASH.match(line)), total)
    return max(best, 0.85 * hashed if hashed > 0.7 else 0.0)
