"""Whether lines are what a search found, or a list of files."""

from __future__ import annotations

from headroom_cli.routing import patterns
from headroom_cli.routing.columns import share

ANNOUNCED = 0.61  # the score of lines that look like a search's, but speak like a compiler


def search(full: list[str], said: list[str]) -> float:
    """Score lines as a search's; ``said`` are their letters."""
    total = len(full)
    if total == 1 and patterns.FOUND_LINE.match(full[0]):
        return 0.9
    if patterns.HARNESS.match(full[0]):
        return 0.9 if "atch" in full[0] and total > 1 and full[1].startswith(("Line ", "/", "./")) else 0.4
    direct = plain = numbered = paths = parted = 0
    names: dict[str, int] = {}
    after_path = False
    stepped = 2 * sum(1 for letter in said if letter in ("B", "F")) > len(said)  # a path in a message is no place
    for line in full:
        if line == "--" or line.startswith(("grep: ", "rg: ")):
            direct += 1
            parted += 1
            continue
        colon = ":" in line
        match = patterns.SEARCH.match(line) if colon or "-" in line else None
        if match and ("/" in match.group() or "." in match.group()) and not patterns.STAMP.match(line):
            name = match.group()
            if (
                (" " not in name.strip() or ("/" in name and not stepped))
                and not patterns.MODE.match(line)
                and not patterns.LATE_STAMP.search(line, 0, 110)
            ):
                direct += 1
                continue
        match = patterns.PLAIN_MATCH.match(line) if colon else None
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
    if sum(1 for letter in said if letter in ("S", "l")) > 0.5 * total:
        return 0.2
    compiler = sum(1 for letter in said if letter in ("D", "d"))
    led = share(direct, total)
    if led > 0.5 and compiler < 0.3 * direct:
        # Code is seldom indented by exactly one space; a compiler's message is.
        spaced = sum(1 for line in full if patterns.SPOKEN_PLACE.match(line))
        return ANNOUNCED if spaced > 0.6 * direct else min(0.97, 0.5 + led / 2)
    if paths and after_path and share(numbered + paths + parted, total) > 0.7 and numbered >= paths * 0.5:
        return 0.93  # rg --heading
    if after_path and share(numbered + parted, total) > 0.85:
        numbers = [int(m.group()[:-1]) for line in full if (m := patterns.NUMBERED_MATCH.match(line))]
        if total <= 2:
            return 0.88 if numbers[0] + 1 < numbers[-1] else 0.6 if numbers[0] > 1 else 0.4
        return 0.85 if numbers == sorted(numbers) else 0.5
    if share(plain + direct, total) > 0.7 and compiler < 0.3 * total:
        return 0.85 if len(names) >= 2 or plain >= 3 or (plain > 1 and all("/" in name for name in names)) else 0.5
    return 0.35 * led


_LISTED = ("On branch ", "Only in ", "HEAD detached ", "Changes not staged", "Changes to be committed",
           "Untracked files:", "Archive: ", "Volume in drive", "Directory of ", "Directory: ")  # fmt: skip


def _is_listed(line: str) -> bool:
    """Return whether a line is one that a list of files begins with."""
    body = line.lstrip()
    return body.startswith(_LISTED) or (body.startswith("Files ") and body.rstrip().endswith(" differ"))


def listing(full: list[str]) -> float:
    """Score lines as a list of files."""
    total = len(full)
    if any(_is_listed(line) for line in full[:6]):
        return 0.9
    paths = modes = trees = states = 0
    for line in full:
        if ("--" in line or "\u2500" in line) and patterns.TREE.match(line):
            trees += 1
        elif patterns.MODE.match(line):
            modes += 1
        elif " " not in line.rstrip() and patterns.PATH.match(line):
            paths += "=" not in line or not patterns.PAIR.match(line)
        elif patterns.STATUS.match(line):
            states += 1
    deep = sum(1 for line in full if "/" in line or "\\" in line)
    dotted = sum(1 for line in full if "." in line.strip()[1:])
    if patterns.HARNESS.match(full[0]) and total > 1 and paths >= 0.5 * (total - 1):
        return 0.95
    if sum(1 for line in full if ("|" in line or " file" in line) and patterns.CHANGED.match(line)) > 0.7 * total:
        return 0.93
    if share(trees, total) > 0.6:
        return 0.95
    if share(modes + paths, total) > 0.85 and modes >= 0.3 * total:
        return 0.96
    if share(paths, total) > 0.85:
        return 0.95 if share(deep, total) > 0.5 else 0.8 if share(dotted, total) > 0.4 else 0.5
    if states > 0.8 * total:
        return 0.92
    score = 0.8 * share(paths + modes + states + trees, total)
    if score < 0.6 and total > 1:
        names = [name for line in full[:40] for name in line.split()]
        if len(names) > 1.5 * min(total, 40) and all(patterns.NAME.match(name) for name in names):
            told = sum(1 for name in names if "." in name[1:] or name[-1] == "/")
            return 0.6 if told > 0.4 * len(names) else score  # ls in columns
    return score
