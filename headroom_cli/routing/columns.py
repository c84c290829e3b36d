"""Whether lines are a table: as many fields in each, columns that line up, names and values."""

from __future__ import annotations

from headroom_cli.routing import patterns


def share(count: float, total: int) -> float:
    """Return a part of the lines, 0 when there are none."""
    return count / total if total else 0.0


def table(full: list[str], said: list[str], log: float) -> float:
    """Score lines as a table; ``said`` are their letters, ``log`` the score that they are a log."""
    total = len(full)
    header = said[0] in ("", "N") and full[0][0] != "\t"
    if total < 2:
        return 0.1
    drawn = sum(1 for line in full if (line[0] in "|+:=-" or line[0].isspace()) and patterns.RULER.match(line))
    barred = sum(1 for line in full if "|" in line)
    if drawn and barred + drawn >= 0.75 * total and total >= 4:
        return 0.95
    delimited = 0.0
    # Paragraphs of one contract or list have as many commas as each other, but sentences end within them.
    ended = (line for line in full if ". " in line or "! " in line or "? " in line)
    spoken = 2 * sum(1 for line in ended if patterns.WITHIN.search(line)) > total
    timed = (line for line in full if line[0] in "*/,-" or line[0].isdecimal())
    best = 0.8 if patterns.REPORT.match(full[0]) or sum(1 for line in timed if patterns.CRON.match(line)) > 1 else 0.0
    if sum(1 for line in full if "(" in line and patterns.BLAMED.match(line)) > 0.8 * total:
        return 0.95
    if total >= 4 and " " not in "".join(full) and all(map(patterns.COLONS.match, full)):
        best = 0.85 if len({line.count(":") for line in full}) == 1 else best
    joined = "".join(full)
    if total >= 4 and " " not in joined:
        for mark in "\t,;":
            if full[0].count(mark) > 1 and len({line.count(mark) for line in full[:-1]}) == 1:
                return 0.95  # rows of as many fields and no space: what the first one holds does not matter
    for mark in "\t,;|:":
        if mark == ",":
            counts = [(patterns.QUOTED.sub("", line) if '"' in line else line).count(mark) for line in full]
        elif mark == "\t":
            counts = [line.strip().count(mark) for line in full]  # an indent is no column
        else:
            counts = [line.count(mark) for line in full]
        usual = max(set(counts), key=counts.count)
        if mark == "," and usual == 1 and total >= 5 and counts.count(1) == total and " " not in "".join(full):
            best = max(best, 0.85)
        if usual >= (1 if mark == "\t" else 4 if mark == ":" else 2):
            same = share(counts.count(usual), total)
            delimited = max(delimited, same * (0.95 if mark in "\t|" else 0.9) if total >= 3 else 0.4 * same)
            if spoken and mark in ",;:":
                delimited = min(delimited, 0.3)
            elif same > 0.95 and total >= 4 and mark in "\t,;" and header:
                return 0.95  # a header and rows of as many fields
    best = max(best, delimited)
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    aligned = 0
    for line in full:
        if "  " not in line and "\t" not in line:
            continue
        spans = [m.span() for m in patterns.COLUMN.finditer(line)]
        aligned += bool(spans)
        for end, start in spans:
            starts[start] = starts.get(start, 0) + 1
            ends[end] = ends.get(end, 0) + 1  # numbers are set to the right
    least = max(2, 0.25 * total)
    repeated = max(sum(n for n in places.values() if n >= least) for places in (starts, ends))
    if aligned > 0.4 * total and repeated:
        if aligned > 0.6 * total and _are_numbers(full):
            return 0.95
        best = max(best, min(0.92, 0.4 * share(aligned, total) + 0.6 * min(1.0, share(repeated, total))))
    named = (line for line in full if (":" in line or "=" in line) and line[-1] not in "{;")
    keyed = share(sum(1 for line in named if patterns.KEYED.match(line)), total)
    if keyed > 0.5:
        best = max(best, 0.75 * keyed)
    hashed = share(sum(1 for line in full if line[0] in "^0123456789abcdef" and patterns.HASH.match(line)), total)
    best = max(best, 0.9 * hashed if hashed > 0.7 else 0.0, 0.0 if spoken else evenly(full))
    return best * (1 - 0.7 * max(0.0, log - 0.3))


def _are_numbers(full: list[str]) -> bool:
    """Return whether most words below the first line are numbers."""
    words = [word for line in full[1:30] for word in line.split()]
    return len(words) > 8 and sum(1 for word in words if word[0].isdigit() or word[-1].isdigit()) > 0.65 * len(words)


def evenly(full: list[str]) -> float:
    """Score lines of as many words each, or of a name, a sign and a value each."""
    total = len(full)
    if total < 4:
        return 0.0
    counts = [len(line.split()) for line in full]
    usual = max(set(counts), key=counts.count)
    same = share(counts.count(usual), total)
    if usual >= 2 and same > 0.85 and not any(line.endswith(("{", ";", ",", "(")) for line in full):
        return (0.86 if total > 5 else 0.7) * same
    pairs = share(sum(1 for line in full if "=" in line and patterns.PAIR.match(line)), total)
    return 0.85 * pairs if pairs > 0.85 else 0.0
