"""Write a list of names under their directories: one line per directory, nested by one space per level.

The grammar, which a reader can undo:

- ``src/core/: a.py b.py`` names of one directory; the next deeper line is relative to the headings above it;
- ``a/ b/: __init__.py`` the same names in each of several directories;
- `` c.py d.py`` (indented, no heading) more names of the heading one level up;
- `` sub/e.py`` one path, relative to the heading one level up;
- ``src/main/java/:`` nothing but the directory that the deeper lines share;
- ``names: a b`` names without a directory; a text of one line is names alone;
- any other line stands for itself.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    # A directory (it ends with its slash; "" for none) and its names in order, or None and lines that stay as they are.
    Run = tuple[str | None, list[str]]

BARE = "names: "
NOTE = "[... "  # how the notes of what was left out begin
# What may stand between two names: the first that no name could be confused with.
MARKS = (" ", ", ", " | ")
# Characters that a heading of its own must spare the lines below it: it costs a line break and its own words.
_SHARED = 4
_ODD = 0.15  # of the paths may be such that they must stand on lines of their own


def mark_for(entries: str, *, blanks: bool) -> str:
    """Return what may join the entries of a text (all of them, one a line), or "" when nothing can.

    ``blanks`` tells that a name itself holds a blank; those between a size and its name read back.
    """
    if not blanks and ",\n" not in entries and " | " not in entries:
        return MARKS[0]
    if " \n" in entries or "\n " in entries or " | " in entries:
        return ""
    if ", " not in entries and ",\n" not in entries and "\n," not in entries:
        return MARKS[1]
    return "" if "|\n" in entries or "\n|" in entries else MARKS[2]


def marks_for_most(paths: Sequence[str]) -> list[str]:
    """Return what may join most of some paths; the others are told apart by ``joins``."""
    return [mark for mark in MARKS if sum([not joins(path, mark) for path in paths]) <= _ODD * len(paths)]


def joins(path: str, mark: str) -> bool:
    """Return whether a path can be read back from a line on which a mark stands between names."""
    if mark == MARKS[0]:
        return " " not in path and path[-1:] != ","
    name = f"/{path}/".replace("\\", "/")
    if "/ " in name or " /" in name or MARKS[2] in path:
        return False
    if mark == MARKS[1]:
        return ", " not in path and "/," not in name and ",/" not in name
    return "/|" not in name and "|/" not in name


def stay(runs: list[Run], line: str) -> None:
    """Add a line that stays as it is."""
    if runs and runs[-1][0] is None:
        runs[-1][1].append(line)
    else:
        runs.append((None, [line]))


def is_own_line(line: str) -> bool:
    """Return whether a line that stays as it is cannot be mistaken for one of ours."""
    return not line.startswith((" ", BARE)) and "/:" not in line and "\\:" not in line


def render(runs: Sequence[Run], mark: str, slash: str, *, whole: bool = True, nest: bool = True) -> str:
    """Return the lines of the runs, joined by newlines.

    ``whole`` tells that an entry is a bare name, so that a lone one may follow its directory as one path.
    Without ``nest`` each heading is a path of its own.
    """
    out: list[str] = []
    stack: list[str] = []  # the headings in force, outermost first
    total = len(runs)
    if total == 1 and runs[0][0] == "":
        return mark.join(runs[0][1])
    at = -1
    while at + 1 < total:
        at += 1
        folder, names = runs[at]
        if folder is None:
            out += names
            stack = []
            continue
        after = runs[at + 1][0] if at + 1 < total else None
        opens = bool(after) and after is not None and after.startswith(folder)
        if nest and not names and opens and after != folder:
            continue  # the directories below it name it
        while stack and not (nest and folder.startswith(stack[-1])):
            stack.pop()
        base = stack[-1] if stack else ""
        if nest and after and not opens:
            shared = _shared(folder, after, slash)
            if len(shared) > len(base) + _SHARED:
                out.append(f"{' ' * len(stack)}{shared[len(base) :]}:")
                stack.append(shared)
                base = shared
        indent = " " * len(stack)
        inner = folder[len(base) :]
        if inner:
            if nest and names and after and not opens:
                # Neighbours that hold the same share a line: "a/ b/: __init__.py".
                last = _last_alike(runs, at, base, slash)
                if last > at:
                    parent = folder[: folder.rfind(slash, 0, -1) + 1]
                    if len(parent) > len(base):
                        out.append(f"{indent}{parent[len(base) :]}:")
                        stack.append(parent)
                        base, indent = parent, indent + " "
                    heads = [folder_[len(base) :] for folder_, _ in runs[at : last + 1] if folder_]
                    said = [f"{name[:-1]} each]" if name.startswith(NOTE) else name for name in names]
                    out.append(f"{indent}{mark.join(heads)}: {mark.join(said)}")
                    at = last
                    continue
            if whole and len(names) == 1 and not opens and not names[0].startswith(NOTE):
                out.append(f"{indent}{inner}{names[0]}")
                continue
            stack.append(folder)
            out.append(f"{indent}{inner}: {mark.join(names)}" if names else f"{indent}{inner}:")
        elif stack:
            out.append(indent + mark.join(names))
        elif len(names) == 1:
            out.append(names[0])
        elif names:
            out.append(BARE + mark.join(names))
    return "\n".join(out)


def _last_alike(runs: Sequence[Run], at: int, base: str, slash: str) -> int:
    """Return the last run of those from ``at`` on that hold the same names, side by side below ``base``."""
    folder, names = runs[at]
    parent = (folder or "")[: (folder or "").rfind(slash, 0, -1) + 1]
    if not parent.startswith(base):
        return at
    first = at
    while at + 1 < len(runs):
        beside, held = runs[at + 1]
        if not beside or held != names or beside[: beside.rfind(slash, 0, -1) + 1] != parent:
            break
        below = runs[at + 2][0] if at + 2 < len(runs) else None
        if below and below.startswith(beside):
            break
        if at == first and any(name.startswith("(") for name in names):
            break
        at += 1
    return at


def _shared(one: str, other: str, slash: str) -> str:
    """Return the directory that two different ones share, with its slash; "" for none."""
    while one and not other.startswith(one):
        one = one[: one.rfind(slash, 0, -1) + 1]
    return one
