"""Shorten what git prints: ids to a prefix that is theirs alone, the lines of a blame under their commit."""

from __future__ import annotations

from itertools import pairwise

from headroom_cli.compressors.tables.grid import OPENING
from headroom_cli.lazy import pattern

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
