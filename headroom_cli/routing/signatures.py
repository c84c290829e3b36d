"""What a text looks like: a score for each kind from a bounded sample of its lines.

Every test looks at one line (its first 200 characters) with string methods or an anchored pattern whose gaps are
bounded, so the cost is linear in the sample and the sample has a fixed size.
"""

from __future__ import annotations

from itertools import pairwise

from headroom_cli.routing import messages, patterns, writing
from headroom_cli.routing.columns import evenly, share, table
from headroom_cli.routing.findings import ANNOUNCED, listing, search

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
    numbers = _numbers(lines)
    if len(numbers) < 3 or not patterns.NUMBERED.match(lines[0]):
        return False
    if len(numbers) < 0.8 * len([line for line in lines[:60] if line.strip()]):
        return False
    return sum(1 for a, b in pairwise(numbers) if b == a + 1) >= 0.8 * (len(numbers) - 1)


def _numbers(lines: list[str]) -> list[int]:
    return [int(m.group().strip(" \t\u2192:|")) for line in lines[:60] if (m := patterns.NUMBERED.match(line))]


def _is_picked(full: list[str]) -> bool:
    """Return whether the lines are some of a numbered view's: their numbers grow by more than one."""
    if not patterns.VIEWED.match(full[0]):
        return False
    marked = full.count("--")
    if sum(1 for line in full[:60] if patterns.VIEWED.match(line)) < 0.9 * (min(len(full), 60) - marked):
        return False
    numbers = _numbers(full)
    gaps = sum(1 for a, b in pairwise(numbers) if b > a + 1)
    grown = all(b > a for a, b in pairwise(numbers))
    return grown and (marked > 0 or gaps > 0.4 * len(numbers))


_LEVELS = ("INFO", "DEBUG", "WARN", "ERROR", "TRACE", "NOTICE", "info", "debug", "warn", "error", "notice", "level=")


def _is_service_log(full: list[str]) -> bool:
    """Return whether nearly every line has a time and most a level: then twenty patterns need not be compiled."""
    if not full[0][:1].isdigit() and full[0][:1] not in "[(":
        return False
    if "\t" in full[0] or "|" in full[0] or ("," in full[0] and len({line.count(",") for line in full}) == 1):
        return False
    levels = sum(1 for line in full if any(map(line.__contains__, _LEVELS)))
    if 2 * levels < len(full):
        return False
    return sum(1 for line in full if patterns.STAMP.match(line)) >= 0.95 * len(full)


def scores(text: str) -> dict[str, float]:
    """Return a score (0..1) for each kind that a text may be; kinds that are not there score 0."""
    lines = lines_of(text)
    full = [line for line in lines if line.strip()]
    if not full:
        return {"prose": 0.1}
    coloured = any("\x1b[" in line for line in full)
    if coloured:
        full = [plain for line in full if (plain := patterns.ANSI.sub("", line)).strip()] or ["-"]
    found = {"diff": _diff(full), "html": _html(text, full)}
    if found["diff"] >= 0.95 or found["html"] >= 0.98:
        return found  # a grammar of its own: nothing else comes near
    if _is_service_log(full):
        return {**found, "log": 0.95}
    picked = _is_picked(full) and any(map(str.isalpha, "".join(full)))
    numbered = not picked and is_numbered(full)
    if numbered or picked:
        full = [line for line in (patterns.NUMBERED.sub("", line, count=1) for line in full) if line.strip()] or full
    outside = _outside_fences(full)
    fenced = len(outside) < len(full)
    full = [line for line in full if not _is_fence(line)] or full
    total = len(full)
    said = messages.letters(full)
    loud = {line for line, letter in zip(full, said, strict=True) if letter in _SAID}
    told = [line for line in full if line not in loud]
    opening = writing.opening(full)
    if fenced and opening:
        outside, fenced = full, False  # a source file whose comments hold fences
    written = [line for line in outside if line not in loud]
    if opening:
        found["html"] = min(found["html"], 0.25)  # markup inside a program
        written = writing.outside_quotes(written)
    prose, paragraphs = writing.prose(written, len(outside), opening=opening)
    titled = paragraphs > 0 and not opening and said[0] in ("", "N") and writing.is_title(full[0])
    titled = titled and not any(
        messages.marks(full[:3] + (full[-3:] if not patterns.SENTENCE.search(full[-1]) else []))
    )
    if not opening and writing.has_front_matter(full):
        prose = max(prose, 0.75)
    found["prose"] = prose
    found["search"] = 0.93 if picked else 0.6 * search(lines, said) if numbered else search(full, said)
    found["listing"] = 0.0 if numbered or picked else listing(full)
    # Markdown quotes code in fences: what stands outside says what the text is.
    found["code"] = (0.7 if coloured else 1.0) * writing.code(told, total, numbered=numbered or picked, opening=opening)
    if opening and found["code"] >= 0.3 and not full[0].startswith(("<script", "<template")):
        # What begins as a program is one: of 1,249 such texts 9 are not. Its writer's words are remarks.
        found["code"], found["prose"] = max(found["code"], 0.92), min(prose, 0.7)
    found["log"], found["test-log"] = _log(full, said, prose, found["code"])
    rows = table(full, said, found["log"]) if not picked else 0.0
    # A numbered view is a file's: code is in columns by chance, rows of fields are not.
    found["table"] = rows if not numbered or (rows >= 0.9 and full[0].count(",") + full[0].count("\t") > 1) else 0.0
    if coloured:
        found["log"] = max(found["log"], 0.5)
    _settle(found, full, said, fenced=fenced, numbered=numbered, titled=titled)
    return found


# Lines with these letters are neither code nor a writer's words.
_SAID = frozenset("TtSFBDQd")
_WITNESSES = frozenset("TSFBDQ")


def _settle(
    found: dict[str, float], full: list[str], said: list[str], *, fenced: bool, numbered: bool, titled: bool
) -> None:
    """Let the kinds that are surer of themselves lower the others."""
    total = len(full)
    if fenced and not numbered:
        found["prose"] = max(found["prose"], 0.6)
        for kind in ("code", "log", "test-log", "search", "table", "listing"):
            found[kind] *= 0.6
    elif titled and found["prose"] > 0.06 and found["table"] < 0.8:
        # A title and a paragraph: somebody writes about the code or the run that follows.
        quoted = sum(1 for letter in said if letter in ("F", "Q"))
        found["prose"] = max(found["prose"], 0.62)
        found["code"] *= 0.6
        found["test-log"] *= 0.6
        found["table"] *= 0.6
        if quoted > 0.4 * sum(1 for letter in said if letter):
            found["log"] *= 0.6
    if found["code"] >= 0.85 and full[0][0] == "#" and sum(1 for line in full if line[0] == "#") > 0.5 * total:
        found["prose"] = min(found["prose"], 0.7)
    if found["search"] == ANNOUNCED:
        found["log"] = max(found["log"], 0.82)
        found["prose"] = min(found["prose"], 0.6)
    if found["search"] >= 0.8:
        found["table"] = min(found["table"], 0.75)
        found["prose"] = min(found["prose"], 0.75)  # words that a search found
    if found["search"] >= 0.5:
        found["code"] = min(found["code"], 0.85)  # what a search found is code, too
    if patterns.CODE_START.match(full[0]) and not full[0].lstrip().startswith(("<", "#")):
        found["html"] = min(found["html"], 0.35)
    if "--" in full:
        found["html"] *= 0.5  # lines of a page that a search found
    if found["listing"] >= 0.85:
        found["table"] = min(found["table"], 0.8)
    if found["table"] >= 0.7 and (found["table"] >= 0.85 or evenly(full) >= 0.7):
        found["prose"] = min(found["prose"], 0.68)
        found["code"] = min(found["code"], 0.9)
    if found["log"] >= 0.6 or found["test-log"] >= 0.6:
        found["code"] *= 0.7
    if found["table"] >= 0.95:
        found["log"] = min(found["log"], 0.7)
        return
    if said.count("S") > 0.4 * total:
        found["table"] *= 0.75
    witnesses = sum(1 for letter in said if letter in _WITNESSES)
    if witnesses > 0.5 * total:
        found["table"] *= 0.85


def _is_fence(line: str) -> bool:
    """Return whether a line opens or closes a fenced block."""
    return ("```" in line or "~~~" in line) and bool(patterns.FENCE.match(line))


def _outside_fences(full: list[str]) -> list[str]:
    """Return the lines outside fenced blocks; all of them when there is no pair of fences."""
    outside: list[str] = []
    open_fence = False
    fences = 0
    for line in full:
        if _is_fence(line):
            fences += 1 + (not open_fence and line.strip("`~ \t").isalpha())  # a fence that names a language
            open_fence = not open_fence
        elif not open_fence:
            outside.append(line)
    return outside if fences >= 2 and outside else full


_CONTEXT = "*" * 15  # above each change of a diff that shows both sides apart
_DIFF_HEADS = ("diff ", "--- ", "Index: ", "commit ", "From ", "@@ ", "index ", "*** ")


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
    changes = sum(1 for line in full if line[0].isdecimal() and patterns.PLACE.match(line))
    heads = ("< ", "> ", "---", "diff ", "Only in ", "\\ No newline")
    if changes and sum(1 for line in full if line.startswith(heads)) + changes >= 0.98 * len(full):
        return 0.95
    if any(line[0] == "*" and line.rstrip() == _CONTEXT for line in full) and any(map(patterns.SPAN.match, full)):
        return 0.95
    if (git or hunks) and any(line.startswith("```") for line in full) and not full[0].startswith(_DIFF_HEADS):
        return 0.3  # quoted by a writer
    if git and (hunks or names or git >= 2 or "similarity index" in " ".join(full[:20])):
        return 0.98
    if hunks and share(signed, len(full)) > 0.4:
        return 0.95
    # The date that git writes above every change that it mails
    if full[0].startswith("From ") and full[0].endswith(" Mon Sep 17 00:00:00 2001"):
        return 0.95
    pairs = sum(1 for a, b in pairwise(full) if b.startswith("+++ ") and a.startswith("--- "))
    if pairs and not any(line.startswith("```") for line in full):
        return 0.95 if share(signed, len(full)) > 0.3 else 0.7
    if git:
        return 0.85
    if hunks >= 2:
        return 0.6
    return 0.9 if _is_inside(full) else 0.0


def _is_inside(full: list[str]) -> bool:
    """Return whether all lines are those of a change, as a part of a diff without its heads shows them."""
    # Every line has its sign, lines that were removed and added stand side by side, and a list's dashes come alone.
    if len(full) < 5 or any(line[0] not in "+- \\" for line in full):
        return False
    added = sum(1 for line in full if line[0] == "+")
    taken = sum(1 for line in full if line[0] == "-" and line[1:2] != " ")
    return added >= 2 and taken + added >= 4 and (taken >= 1 or added > 0.8 * len(full))


def _html(text: str, full: list[str]) -> float:
    head = text[:400].lstrip("\ufeff \t\r\n").lower()
    if head.startswith(("<!doctype html", "<html")) or (head.startswith("<?xml") and "<!doctype html" in head):
        return 0.98
    if not any("<" in line for line in full):
        return 0.0
    if head.startswith(("<template", "<script")):
        return 0.3  # a component: markup beside its program
    sample = text[:8000] if len(text) < 40_000 else text[:4000] + text[len(text) // 2 : len(text) // 2 + 4000]
    tags = len(patterns.TAG.findall(sample))
    rate = tags * 1000 / max(len(sample), 200)
    led = share(sum(1 for line in full if line.lstrip().startswith("<")), len(full))
    return min(0.95, rate / 12) if led > 0.4 or rate > 12 else min(0.5, rate / 30)


def _log(full: list[str], said: list[str], prose: float, code: float) -> tuple[float, float]:
    total = len(full)
    count = {letter: said.count(letter) for letter in set(said)}.get
    stamps = count("S", 0)
    strong = count("S", 0) + count("L", 0) + 0.8 * (count("B", 0) + count("Q", 0)) + 0.95 * count("D", 0)
    signs = strong + 0.5 * count("l", 0) + 0.7 * count("d", 0) + 0.5 * count("N", 0) + 0.8 * count("F", 0)
    log = min(0.97, 1.15 * share(signs, total))
    if stamps > 0.5 * total:
        log = max(log, 0.92)
    if count("F", 0) >= 3 and (said[0] in ("F", "D", "S", "L") or count("F", 0) > 0.4 * total):
        log = max(log, 0.75)
    tests = count("T", 0) + count("t", 0)
    test = min(0.97, 1.2 * share(tests + 0.5 * signs, total)) if count("T", 0) else 0.0
    if code > 0.85 and not tests and log < 0.3:
        return log, test  # a program: no need to look for a tool's first and last words
    ran, built = messages.marks(full)
    if prose < 0.45 or log > 0.5 or (built > 1 and prose < 0.6):
        if ran:
            test = max(test, 0.93 if ran > 1 else 0.8)
        elif built:
            log = max(log, 0.85 if built > 1 else 0.7 if log > 0.15 else 0.5)
    if _is_prefixed(full):
        log = max(log, 0.87)
    return log, test


def _is_prefixed(full: list[str]) -> bool:
    """Return whether each line begins with the name of who says it, as ``docker compose logs`` prints them."""
    if len(full) < 4:
        return False
    for mark in (" | ", ": "):
        names = [line.partition(mark)[0].rstrip() for line in full if mark in line[:40]]
        if len(names) < 0.95 * len(full) or any(not name or " " in name or name[0] in "|'\"-#" for name in names):
            continue
        if mark == ": ":
            return len(set(names)) == 1 and not any(sign in names[0] for sign in './\\=<>("')
        if len(set(names)) <= 0.7 * len(full):
            return all(line.count("|") < 3 for line in full[:4]) and not any("RECORD" in line for line in full)
    return False
