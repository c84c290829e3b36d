"""Read listings with columns before each path: archives, object lists, Windows directories.

Each tool's line is one pattern whose groups are the columns. A column that is the same on (nearly) every line is said
once, in a legend; where it differs, the line says so in parentheses; the other columns stay before the name.
"""

from __future__ import annotations

from collections import Counter
from operator import itemgetter

from headroom_cli.compressors.listings import layout
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

    from headroom_cli.compressors.listings.layout import Run

_DATE = r"\d{4}[-/]\d\d[-/]\d\d"
_DAY = rf"(?:{_DATE}|\d\d[-/.]\d\d[-/.]\d{{2,4}})"
_UNIX = r"[A-Z][a-z]{2} +\d{1,2} +(?:\d\d:\d\d|\d{4})"
_MODE = r"[-bcdhlpsD?][rwxsStTl?-]{9}[.+@]?"
SHAPES: dict[str, re.Pattern[str]] = {
    "zipinfo": pattern(
        rf"({_MODE}) +(\d\.\d) (\w{{3}}) +(\d+) ([bBtTuU][-lxX]) (\w{{4}}) (\d\d-\w{{3}}-\d\d \d\d:\d\d) (?=\S)"
    ),
    "unzip": pattern(rf" *(\d+)  ({_DAY}) (\d\d:\d\d)   (?=\S)"),
    "unzip -v": pattern(rf" *(\d+)  (\w{{4,8}}(?::\w)?) +(\d+) +(-?\d+%) ({_DAY}) (\d\d:\d\d) ([0-9a-f]{{8}})  (?=\S)"),
    "tar": pattern(rf"({_MODE}) (\S+/\S+) +(\d+(?:,\d+)?) ({_DATE} \d\d:\d\d(?::\d\d)?) (?=\S)"),
    "jar": pattern(r" *(\d+) (\w{3} \w{3} \d\d \d\d:\d\d:\d\d \w{2,5} \d{4}) (?=\S)"),
    "long": pattern(
        rf"({_MODE}) +(\d+) (\S+) +(\S+) +(\d[\d.,]*[KMGTPE]?) +"
        rf"({_UNIX}|{_DATE} \d\d:\d\d(?::\d\d)?) (?=\S)"
    ),
    "find": pattern(rf" *(\d+) +(\d+) ({_MODE}) +(\d+) (\S+) +(\S+) +(\d+) ({_UNIX}) (?=\S)"),
    "ls-tree": pattern(r"(\d{6}) (blob|tree|commit) ([0-9a-f]{7,64})\t(?=\S)"),
    "ls-tree -l": pattern(r"(\d{6}) (blob|tree|commit) ([0-9a-f]{7,64}) +(\d+|-)\t(?=\S)"),
    "ls-files -s": pattern(r"(\d{6}) ([0-9a-f]{7,64}) (\d)\t(?=\S)"),
    "objects": pattern(rf"({_DATE}) (\d\d:\d\d:\d\d) +(\d+) (?=\S)"),
    "rsync": pattern(rf"({_MODE}) +([\d,]+) ({_DATE} \d\d:\d\d:\d\d) (?=\S)"),
    "dir": pattern(rf"({_DAY})  +(\d\d:\d\d(?: [AP]M)?) +(<DIR>|<JUNCTION>|<SYMLINKD?>|[\d.,]+) +(?=\S)"),
    "powershell": pattern(
        r"([dlarhs-]{5,7}) +(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}) +(\d{1,2}:\d\d(?: [AP]M)?) +(?:(\d+) )?(?=\S)"
    ),
}
LEAST = 6  # rows
_USUAL = 0.75  # of the rows must agree for a column to be said once
_BLANKS = pattern(r" {2,}")


def shape_of(head: list[str]) -> str:
    """Return the tool whose lines most of some lines are, "" for none."""
    some = [line for line in head if line.strip()]
    if len(some) < LEAST:
        return ""
    for name, shape in SHAPES.items():
        if 2 * sum(shape.match(line) is not None for line in some) >= len(some):
            return name
    return ""


def read(lines: list[str], slash: str, name: str) -> tuple[list[Run], int, str, bool]:
    """Return runs of written rows, how many lines were rows, what they share, and whether a path holds a blank.

    ("", so nothing to gain, when no column is usual.) Rows are written as `rows.settled` reads them.
    """
    match = SHAPES[name].match
    found = [match(line) for line in lines]
    rows = [one.groups("") for one in found if one]
    if len(rows) < LEAST:
        return [], 0, "", False
    usual: list[str | None] = []
    constant: list[bool] = []
    for column in zip(*rows, strict=True):
        held = Counter(column)
        best = max(held, key=held.__getitem__)
        usual.append(best if held[best] >= _USUAL * len(rows) else None)
        constant.append(held[best] == len(rows))
    if not any(value for value in usual):
        return [], 0, "", False
    kept = [at for at, value in enumerate(usual) if value is None]
    varying = [at for at, value in enumerate(usual) if value is not None and not constant[at]]
    pick = itemgetter(*varying) if varying else len
    common = pick(usual)
    runs: list[Run] = []
    names: list[str] = []
    last: str | None = None
    blanks = False
    following = iter(rows)
    for line, one in zip(lines, found, strict=True):
        groups = next(following) if one else ()
        path = line[one.end() :] if one else ""
        held_apart = [groups[at] for at in kept] if one else []
        # What could be read back as something else stays as it was.
        if one is None or path[-1] == " " or path[0] == "(" or "" in held_apart:
            layout.stay(runs, line.strip(" "))
            last = None
            continue
        cut = path.rfind(slash, 0, -1) + 1
        folder = path[:cut]
        if folder != last:
            names = []
            runs.append((folder, names))
            last = folder
        blanks = blanks or " " in path
        said = "" if pick(groups) == common else " ".join(_BLANKS.sub(" ", groups[at]) or "-" for at in varying)
        values = " ".join(held_apart)
        if "  " in values:
            values = _BLANKS.sub(" ", values)
        names.append(f"({said}) {values}{' ' if kept else ''}{path[cut:]}")
    shown = " ".join(_BLANKS.sub(" ", value) or "-" if value is not None else "*" for value in usual)
    legend = f"[each: {shown} NAME; only * NAME below"
    if varying:
        also = " ".join(_BLANKS.sub(" ", usual[at] or "-") for at in varying)
        legend += f"; another in () in place of {also}, until the next ()"
    return runs, len(rows), f"{legend}]", blanks
