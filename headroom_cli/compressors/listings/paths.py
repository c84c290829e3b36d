"""Read lists of paths, one a line: bare (`find`, `git ls-files`, `rg -l`, `ls`) or behind a count or a state."""

from __future__ import annotations

from headroom_cli.compressors.listings import layout
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from headroom_cli.compressors.listings.layout import Run

# `du`, `wc -l`, `uniq -c`, `cksum`: a size or count, blanks, the path.
_COUNTED = pattern(r"[ \t]*(\d{1,15}(?:[.,]\d{1,3})?[KMGTPEB]?(?:iB)?)(?:\t| {1,4})(?=\S)")
# `git status --short`, `git diff --name-status`, `svn status`: one or two letters, a blank or a tab, the path.
_STATE = pattern(r"(?:[ MADRCUT?!][ MADRCUT?!] |[MADRCTUXB]\d{0,3}\t)(?=\S)")
_EXTENSION = pattern(r"[\w)}\]]\.\w{1,8}$")
# A line that holds blanks and still is a path, in a list whose other lines hold none.
_WORDS_IN_A_NAME = 6
# Lines that are read at a time: their names and the lines of a list of 10 MB take 50 MB together.
_PART = 20_000


def slash_of(text: str) -> str:
    """Return what separates the directories of a text's paths."""
    return "\\" if "/" not in text and "\\" in text else "/"


def grouped(lines: list[str], slash: str) -> list[Run]:
    """Return bare paths as runs of neighbours in one directory. Of a long list, lines that were read are let go."""
    runs: list[Run] = []
    last: str | None = None
    names: list[str] = []
    for part in _parts(lines):
        for line in part:
            cut = line.rfind(slash) + 1
            if cut == len(line):  # a directory written with its slash: that slash is part of its name
                cut = line.rfind(slash, 0, -1) + 1
            folder = line[:cut]
            if folder != last:
                names = []
                runs.append((folder, names))
                last = folder
            names.append(line[cut:])
    return runs


def apart(runs: list[Run]) -> list[Run] | None:
    """Return runs whose names can be joined, the odd paths on lines of their own; None when that cannot be.

    One name with a blank at its end would else keep a whole list from being joined.
    """
    paths = [folder + name for folder, names in runs if folder is not None for name in names]
    for mark in layout.marks_for_most(paths):
        odd = [path for path in paths if not layout.joins(path, mark)]
        # No line of ours may be mistaken for one of those: a heading, a range of names.
        if all(layout.is_own_line(path) and "{" not in path for path in odd):
            return _without(runs, frozenset(odd))
    return None


def _without(runs: list[Run], odd: frozenset[str]) -> list[Run]:
    """Return the runs with some paths on lines of their own."""
    found: list[Run] = []
    for folder, names in runs:
        if folder is None:
            for line in names:
                layout.stay(found, line)
            continue
        held: list[str] = []
        for name in names:
            if folder + name not in odd:
                held.append(name)
                continue
            if held:
                found.append((folder, held))
                held = []
            layout.stay(found, folder + name)
        if held or not names:
            found.append((folder, held))
    return found


def _parts(lines: list[str]) -> Iterator[list[str]]:
    """Yield the lines part by part; what was yielded is taken off a long list."""
    while len(lines) > _PART:
        part = lines[:_PART]
        del lines[:_PART]
        yield part
    yield lines


def is_said(line: str) -> bool:
    """Return whether a line of a list is likelier a message or a heading than a path."""
    if not line or line[0] in "<([" or line[-1] in ":.>" or line.startswith(("- ", "* ", "$ ", "# ")):
        return line not in (".", "..", "/") and not line.endswith(("/.", "/.."))
    if " " not in line and "\t" not in line:
        return line == "total" or line.endswith("...")
    if ": " in line or "\t" in line or "  " in line or line != line.strip():
        return True
    if line.count(" ") > _WORDS_IN_A_NAME:
        return True
    return not (_EXTENSION.search(line) or ("/" in line and not line.startswith("/ ")))


def plain(lines: list[str], slash: str) -> tuple[list[Run], int]:
    """Return runs for a list with other lines in between, and how many lines are paths."""
    runs: list[Run] = []
    held: list[str] = []
    total = 0
    for line in lines:
        if is_said(line):
            if held:
                total += len(held)
                runs += grouped(held, slash)
                held = []
            layout.stay(runs, line)
        else:
            held.append(line)
    if held:
        total += len(held)
        runs += grouped(held, slash)
    return runs, total


def counted(lines: list[str], slash: str) -> tuple[list[Run], int]:
    """Return runs whose entries are "count name", and how many lines were such."""
    match = _COUNTED.match
    runs: list[Run] = []
    last: str | None = ""
    names: list[str] = []
    total = 0
    for line in lines:
        found = match(line)
        if found is None or (" " in (path := line[found.end() :]) and is_said(path)):
            layout.stay(runs, line)
            last = None
            continue
        cut = path.rfind(slash, 0, -1) + 1
        folder = path[:cut]
        if folder != last or not runs:
            names = []
            runs.append((folder, names))
            last = folder
        names.append(f"{found.group(1)} {path[cut:]}")
        total += 1
    return runs, total


def sticky(runs: list[Run]) -> list[Run]:
    """Return the runs without the counts that the name before it in the same run has too.

    Equal counts come in a row where a list is sorted by them.
    """
    found: list[Run] = []
    for folder, names in runs:
        if folder is None:
            found.append((folder, names))
            continue
        held = []
        before = ""
        for name in names:
            value, _, rest = name.partition(" ")
            held.append(rest if value == before else name)
            before = value
        found.append((folder, held))
    return found


def states(lines: list[str], slash: str) -> tuple[list[Run], int]:
    """Return runs whose entries are "state name" (a dot stands for a blank of the state), and how many there were."""
    match = _STATE.match
    runs: list[Run] = []
    last: str | None = None
    names: list[str] = []
    total = 0
    for line in lines:
        found = match(line)
        path = line[found.end() :] if found else ""
        if found is None or " " in path or "\t" in path or path[0] == '"':
            layout.stay(runs, line)
            last = None
            continue
        cut = path.rfind(slash, 0, -1) + 1
        folder = path[:cut]
        if folder != last:
            names = []
            runs.append((folder, names))
            last = folder
        state = found.group()[:-1]
        names.append(f"{state.replace(' ', '.')} {path[cut:]}")
        total += 1
    return runs, total


def merged(runs: list[Run], slash: str) -> list[Run]:
    """Leave out a directory's own name where its heading follows: right behind it, or (`ls -R`) anywhere below.

    ``find`` writes a directory before what it holds, ``ls -R`` in the list of the directory above.
    """
    headed = {folder for folder, _ in runs if folder}
    # Only in these can a name be that of a directory below; where a name ends with its slash, in any.
    above = {folder[: folder.rfind(slash, 0, -1) + 1] for folder in headed}
    doubled = any(slash + slash in folder for folder in headed)
    found: list[Run] = []
    for folder, names in runs:
        if folder is None or not (doubled or folder in above):
            found.append((folder, names))
            continue
        kept = [name for name in names if f"{folder}{name}{slash}" not in headed]
        if kept or not names:  # what held nothing to begin with is an empty directory
            found.append((folder, kept))
    return found


def entries(runs: list[Run]) -> tuple[str, str]:
    """Return all entries and all directories of the runs, each one a line with a newline at either end."""
    names = "\n".join([name for folder, names in runs if folder is not None for name in names])
    folders = "\n".join([folder for folder, _ in runs if folder])
    return f"\n{names}\n", f"\n{folders}\n"


def are_safe(runs: list[Run]) -> bool:
    """Return whether no line that stays could be read as one of ours, and no directory holds a heading's end."""
    for folder, names in runs:
        if folder is None:
            if not all(map(layout.is_own_line, names)):
                return False
        elif folder and (folder[0] == " " or "/:" in folder or "\\:" in folder or "/ " in folder or "\\ " in folder):
            return False
    return True


def is_counted(line: str) -> bool:
    """Return whether a line is a size or count and a path."""
    found = _COUNTED.match(line)
    return found is not None and (" " not in line[found.end() :] or not is_said(line[found.end() :]))


def has_state(line: str) -> bool:
    """Return whether a line is a state as `git status --short` writes it, and a path."""
    found = _STATE.match(line)
    return found is not None and " " not in line[found.end() :]
