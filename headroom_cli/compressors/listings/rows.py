"""Read `ls -l`: what all rows share is said once, above; a row keeps its size, its name and what is different in it."""

from __future__ import annotations

from collections import Counter

from headroom_cli.compressors.listings import layout
from headroom_cli.compressors.listings.recursive import folder_of, is_heading, keeps_open
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.listings.layout import Run

    # kind (first letter), mode, links, owner and group, size, date, name, target of a link
    Row = tuple[str, str, str, str, str, str, str]

_ROW = pattern(
    r"([bcdlpsD-][rwxsStTl-]{9}[.+@]?) +(\d+) (\S+) +(\S+) +(\d[\d.,]*[KMGTPEk]?) "
    r"((?: *\d{1,2} )?(?: ?[A-Z][a-z]{2}\.? +\d{1,2} +(?:\d{1,2}:\d{2}(?::\d{2})?|\d{4})"
    r"|\d{4}-\d{2}-\d{2} \d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?: [+-]\d{4})?"
    r"|\d{2}-\d{2} \d{2}:\d{2})) (?=\S)"
)
ARROW = " -> "
LEAST = 6  # rows; for fewer the line that says what they share costs more than it saves


def parse(line: str) -> Row | None:
    """Return a row's (mode, links, owner and group, size, date, name, target), or None for another line."""
    found = _ROW.match(line)
    if found is None:
        return None
    mode, links, owner, group, size, date = found.groups()
    name = line[found.end() :]
    target = ""
    if mode[0] == "l":
        name, arrow, target = name.partition(ARROW)
        if not arrow or ARROW in target or target == "->" or not name:
            return None
    elif ARROW in name or mode[0] not in "-d":
        return None
    # What could be read back as something else stays as it was.
    if "/" in name or name[-1] == " " or name[0] == "(" or name == "->" or "(" in owner or "(" in group:
        return None
    if "  " in date or date[0] == " ":
        date = " ".join(date.split())
    return mode, links, f"{owner} {group}", size, date, name, target


def _most(values: list[str]) -> str:
    """Return the commonest value, the first of several, "" when there is none."""
    held = Counter(values)
    return max(held, key=held.__getitem__, default="")


def read(lines: list[str], slash: str) -> tuple[list[Run], int, str, bool]:
    """Return runs of written rows, how many lines were rows, what they share, and whether a name holds a blank.

    A written row is ``SIZE NAME`` for a file, ``LINKS NAME/`` for a directory and ``NAME -> TARGET`` for a link, behind
    what is different in it from what the heading says, in parentheses; ``settled`` leaves out what repeats.
    """
    parsed = [parse(line) if line[:1] in "-dl" else None for line in lines]
    rows = [row for row in parsed if row is not None]
    if len(rows) < LEAST:
        return [], 0, "", False
    kinds = {kind: [row for row in rows if row[0][0] == kind] for kind in "-dl"}
    modes = {kind: _most([row[0] for row in held]) for kind, held in kinds.items()}
    links = {kind: _most([row[1] for row in kinds[kind]]) for kind in "-l"}
    owner = _most([row[2] for row in rows])
    date = _most([row[4] for row in rows])
    size = _most([row[3] for row in kinds["d"]])

    usual = modes["-"], links["-"], owner

    def differs(row: Row) -> str:
        if row[:3] == usual:  # a file as most are
            return "" if row[4] == date else row[4]
        kind = row[0][0]
        said = []
        if row[0] != modes[kind]:
            said.append(row[0])
        if kind != "d" and row[1] != links[kind]:
            said.append(f"{row[1]} links")
        if row[2] != owner:
            said.append(row[2])
        if (kind == "d" and row[3] != size) or (kind == "l" and row[3] != str(len(row[6].encode("utf-8", "replace")))):
            said.append(f"{row[3]} bytes")
        if row[4] != date:
            said.append(row[4])
        return " ".join(said)

    runs: list[Run] = []
    names: list[str] | None = None
    folder = ""
    known: dict[str, Row] = {}  # rows of directories by path: "." and ".." of a directory repeat them
    dropped = 0
    blank = True
    for line, row in zip(lines, parsed, strict=True):
        if row is None:
            if not line:
                blank = True
                names = None
                folder = ""
                continue
            if is_heading(line) and (blank or names is None or slash in line):
                folder = folder_of(line, slash)
                names = []
                runs.append((folder, names))
            elif line.startswith("total ") and names is not None and not names and line.count(" ") == 1:
                names.append(line)
            else:
                # A device or an error between the rows of a directory leaves it open; what a harness cut does not.
                layout.stay(runs, line)
                names = None
                if not keeps_open(line):
                    folder = ""
            blank = False
            continue
        blank = False
        if names is None:
            names = []
            runs.append((folder, names))
        mode, count, _, bytes_, _, name, target = row
        if mode[0] == "d" and folder:
            upper = folder[: folder.rfind(slash, 0, -1) + 1]
            if name == ".":
                if known.get(folder) == _bare(row):
                    dropped += 1
                    continue
                known[folder] = _bare(row)
            elif name == "..":
                if upper and known.get(upper) == _bare(row):
                    dropped += 1
                    continue
            else:
                known[f"{folder}{name}{slash}"] = _bare(row)
        prefix = f"({differs(row)}) "
        if mode[0] == "d":
            names.append(f"{prefix}{count} {name}/")
        elif mode[0] == "l":
            names.append(f"{prefix}{name}{ARROW}{target}")
        else:
            names.append(f"{prefix}{bytes_} {name}")
    head = []
    if modes["-"]:
        head.append(f"{modes['-']} {links['-']}: SIZE NAME")
    if modes["d"]:
        head.append(f"{modes['d']} {size}: LINKS NAME/")
    if modes["l"]:
        head.append(f"{modes['l']} {links['l']}")
    repeats = "; . and .. left out where they repeat their rows above" if dropped else ""
    legend = f"[{'; '.join(head)}; all {owner} {date}; other where in () until the next (){repeats}]"
    return runs, len(rows), legend, any(" " in row[5] or " " in row[6] for row in rows)


def _bare(row: Row) -> Row:
    """Return a row without its name: what "." and ".." have in common with the directory's own row."""
    return (*row[:5], "", "")


def settled(runs: list[Run]) -> list[Run]:
    """Return the runs with what a row differs in said where it changes: it holds until the next parentheses."""
    state = ""
    found: list[Run] = []
    for folder, names in runs:
        if folder is None:
            found.append((folder, names))
            continue
        held = []
        for name in names:
            if name[0] != "(":  # the total of a directory, or a note
                held.append(name)
                continue
            said, _, row = name[1:].partition(") ")
            held.append(row if said == state else f"({said}) {row}")
            state = said
        found.append((folder, held))
    return found
