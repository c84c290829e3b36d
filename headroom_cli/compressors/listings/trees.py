"""Read drawn trees (`tree`, `eza --tree`, `tree /A`) and indented lists ("- src/", "  - main.py")."""

from __future__ import annotations

from headroom_cli.compressors.listings import layout
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.listings.layout import Run

# What a line of a tree starts with: the bars of the levels above, then its own branch.
_DRAWN = pattern(r"([│┃|\xa0 ]*)(?:├──|└──|╰──|├─┬|└─┬|├─|└─|╰─|\|--|`--|\+--|\\--)-?[ \xa0]?(?=\S)")
_MARKED = pattern(r"( *)([-*+•] )(?=\S)")
LEAST = 5  # lines


def is_drawn(lines: list[str]) -> bool:
    """Return whether most of some lines are branches of a drawn tree."""
    some = [line for line in lines[:200] if line]
    return len(some) >= LEAST and sum(_DRAWN.match(line) is not None for line in some) >= 0.6 * len(some)


def is_marked(lines: list[str]) -> bool:
    """Return whether most of some lines are an indented list of files: "- a/", "  - b.py"."""
    some = [line for line in lines[:200] if line]
    found = [match for line in some if (match := _MARKED.match(line))]
    if len(some) < LEAST or len(found) < 0.8 * len(some):
        return False
    names = [match.string[match.end() :] for match in found]
    folders = [name for name in names if name.endswith("/")]
    return bool(folders) and any(len(match.group(1)) > 0 for match in found) and sum(" " in name for name in names) == 0


def _built(depths: list[int], names: list[str], rest: list[str]) -> list[Run]:
    """Return runs for lines with a depth (-1: the line is in ``rest`` and stays)."""
    runs: list[Run] = []
    path: list[str] = []  # folders above, each with its slash; path[k] belongs to depth k
    total = len(depths)
    current: list[str] | None = None
    at_folder = ""
    folder = ""  # of the open levels
    for at, depth in enumerate(depths):
        if depth < 0:
            layout.stay(runs, rest[at])
            current = None
            continue
        if depth < len(path):
            del path[depth:]
            folder = "".join(path)
        name = names[at]
        if at + 1 < total and depths[at + 1] > depth:
            inner = name if name.endswith("/") else name + "/"
            path.append(inner)
            current = []
            at_folder = folder = folder + inner
            runs.append((at_folder, current))
            continue
        if current is None or folder != at_folder:
            current = []
            at_folder = folder
            runs.append((folder, current))
        current.append(name)
    return runs


def drawn(lines: list[str]) -> tuple[list[Run], int]:
    """Return runs for a drawn tree, and how many lines were branches; ([], 0) when its levels do not add up."""
    match_of = _DRAWN.match
    found = [match_of(line) for line in lines]
    width = min([bars for match in found if match and (bars := match.end(1))], default=4)
    depths: list[int] = []
    names: list[str] = []
    before = 0
    for at, line in enumerate(lines):
        match = found[at]
        depth = -1
        name = ""
        if match:
            bars = match.end(1)
            depth = bars // width + 1
            name = line[match.end() :]
            # A jump of more than one level, or a slash in a name, is not what `tree` draws.
            slashed = "/" in name and "/" in name[:-1].partition(" -> ")[0]
            if bars % width or depth > before + 1 or slashed or "\\" in name:
                return [], 0
        elif line and at + 1 < len(lines) and (after := found[at + 1]) and not after.group(1):
            depth, name = 0, line  # the root is the line above the first branch
        depths.append(depth)
        names.append(name)
        before = max(0, depth)
    if 0 not in depths:
        depths = [depth - 1 if depth > 0 else depth for depth in depths]
    return _built(depths, names, lines), sum(match is not None for match in found)


def levels(lines: list[str]) -> tuple[list[Run], int]:
    """Return the lines of a drawn tree with one space per level, each still a line; ([], 0) when they do not add up.

    For trees of packages (`npm ls`, `cargo tree`, `gradle dependencies`), whose names hold slashes and remarks.
    """
    found = [_DRAWN.match(line) for line in lines]
    width = min((len(match.group(1)) for match in found if match and match.group(1)), default=4)
    written: list[str] = []
    before = 0
    for line, match in zip(lines, found, strict=True):
        if match is None:
            if line[:1] == " ":
                return [], 0
            written.append(line)
            before = 0
            continue
        bars = len(match.group(1))
        # Aligned columns behind the names (`findmnt`, `lsblk`) are a table's.
        if bars % width or bars // width > before + (1 if written else 0) or "   " in line[match.end() :]:
            return [], 0
        before = bars // width + 1
        written.append(" " * before + line[match.end() :])
    return [(None, written)], sum(match is not None for match in found)


def marked(lines: list[str]) -> tuple[list[Run], int]:
    """Return runs for an indented list, and how many lines were entries."""
    depths: list[int] = []
    names: list[str] = []
    total = 0
    unit = 0
    for line in lines:
        found = _MARKED.match(line)
        if found is None:
            depths.append(-1)
            names.append("")
            continue
        indent = len(found.group(1))
        if indent and not unit:
            unit = indent
        depth = indent // unit if unit else 0
        if (unit and indent % unit) or depth > (depths[-1] if depths and depths[-1] >= 0 else 0) + 1:
            return [], 0
        # Only what is written as a directory may hold something.
        if depth and not (depths and depths[-1] >= depth) and not names[-1].endswith("/"):
            return [], 0
        depths.append(depth)
        names.append(line[found.end() :])
        total += 1
    return _built(depths, names, lines), total
