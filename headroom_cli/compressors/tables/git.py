"""Shorten what git prints: ids to a prefix that is theirs alone, the lines of a blame under their commit."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from headroom_cli.compressors.tables.grid import OPENING
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT = 10  # characters of an id, more where two begin alike
_FULL = 40
_HEAD = 20_000  # characters in which the first id has to stand
_LEAST = 4  # ids below which a marker costs more than they do
# An id that opens a line of a log or of ls-remote; two blanks or a star after it would be a checksum's list.
_ID = pattern(r"^(?:[*|/\\_ ]{0,40}(?:commit |tree |parent |\^)?)([0-9a-f]{40})(?=$|[\t:]| (?![ *]))", 8)
_BLAME = pattern(
    r"(\^?[0-9a-f]{6,40}) (?:([^()\n]{1,300}?) +)?\((.{1,100}?) +"
    r"(\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?: [-+]\d{4})?)?|\d{9,11} [-+]\d{4}) +(\d{1,9})\)(?: (.*)|)"
)


_COMMIT = pattern(r"commit [0-9a-f]{7,40}(?: .*)?")
_USUAL = 0.6  # of the commits hold a line that is said for all


def opens_commit(line: str) -> bool:
    """Return whether a line opens a commit of a log."""
    return line[:7] == "commit " and _COMMIT.fullmatch(line) is not None


def is_log(lines: list[str]) -> bool:
    """Return whether lines are a log with a heading of several lines per commit."""
    return len(lines) > 3 and opens_commit(lines[0]) and ": " in lines[1] and lines[1][:1] != " "


def log(lines: list[str], other: Callable[[list[str]], list[str]]) -> list[str]:
    """Return a log without padding, its usual author said once; ``other`` shortens what is neither head nor message."""
    authors = Counter([line for line in lines if line[:8] == "Author: "])
    commits = [line for line in lines if line[:7] == "commit " and opens_commit(line)]
    usual, times = authors.most_common(1)[0] if authors else ("", 0)
    if times < max(3, _USUAL * len(commits)) or authors.total() != len(commits) or usual.endswith("]"):
        usual = ""
    out = [f"{OPENING}below, unless they say otherwise: {usual}]"] if usual else []
    rest: list[str] = []
    head = False
    for line in lines:
        if line[:7] == "commit " and opens_commit(line):
            head = True
        elif not line.strip():
            head = False
        if not head and line[:4] != "    " and line.strip():
            rest.append(line)
            continue
        if rest:
            out += other(rest)
            rest = []
        if not head:
            out.append(line.rstrip(" \t"))
        elif line != usual:
            key, sign, value = line.partition(":")
            out.append(f"{key}: {value.strip()}" if sign and " " not in key else line)
    return out + (other(rest) if rest else [])


def is_git(text: str) -> bool:
    """Return whether the first lines are those of a log, a list of refs or a blame."""
    head = text[:2000].split("\n", 3)[:3]
    return len(head) == 3 and (
        _BLAME.fullmatch(head[0]) is not None or all(_ID.match(line) is not None for line in head[:2])
    )


def short_ids(text: str) -> tuple[str, str]:
    """Return a text with its full commit ids cut to unique prefixes, and what is missing; "" when there are few."""
    if _ID.search(text, 0, _HEAD) is None:
        return text, ""
    found = list(_ID.finditer(text))
    if len(found) < _LEAST:
        return text, ""
    names = sorted({match.group(1) for match in found})
    keep = _KEPT
    for one, other in pairwise(names):
        while one[:keep] == other[:keep]:
            keep += 1
    if keep > _FULL * 3 // 4:
        return text, ""
    out: list[str] = []
    at = 0
    for match in found:
        out.append(text[at : match.start(1) + keep])
        at = match.end(1)
    out.append(text[at:])
    return "".join(out), f"{_FULL - keep} of {_FULL} characters of {len(found)} ids"


def blame(lines: list[str]) -> list[str] | None:
    """Return a blame with each commit's file, author and date said once; None when the lines are none."""
    if len(lines) < 3 or _BLAME.fullmatch(lines[0]) is None:
        return None
    found = [_BLAME.fullmatch(line) for line in lines]
    if None in found:
        return None
    rows = [match.groups("") for match in found if match is not None]
    files = [row[1] for row in rows]
    file = max(set(files), key=lambda name: (files.count(name), name))
    out: list[str] = [f"{OPENING}below: {file}]"] if file else []
    told: dict[str, tuple[str, ...]] = {}
    current: tuple[str, ...] = ()
    for row in rows:
        head = row[:4]
        if head != current:
            current = head
            commit, name, author, date = head
            if told.get(commit) == head:
                out.append(f"{OPENING}below: {commit}]")
            else:
                told[commit] = head
                where = f"{name} " if name != file else ""
                out.append(f"{OPENING}below: {commit} {where}({author} {date})]")
        out.append(f"{row[4]}) {row[5]}".rstrip(" \t"))
    return out
