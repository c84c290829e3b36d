"""Find out how a listing is written, and read it into runs of names under directories."""

from __future__ import annotations

from itertools import pairwise

from headroom_cli.compressors.listings import columns, layout, paths, ranges, recursive, rows, trees
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.listings.layout import Run

_ENOUGH = 0.6  # of the lines with something on them must be of the list
_HEAD = 200  # lines that are looked at to tell the forms apart
_SOME = 20  # of them are tried as rows of every tool
# Names are longer than that; a flood of single letters has nothing to give and would cost the most time.
_MANY, _SHORT = 20_000, 6
_REPEATS = 12  # entries that must share the count before them, or its legend costs more
_COUNT = pattern(r"\d[\d.,]*[KMGTPEB]?(?:iB)?$")
# They complain of one directory at a time, in between.
_TOOLS = ("find: ", "ls: ", "du: ", "tree: ", "fd: ", "bfs: ", "rg: ", "wc: ", "gfind: ", "gls: ")
STICKY = "[a size holds for the names behind it on its line]"
STATES = "[a dot in a state stands for a blank]"


class Reading:
    """A listing that was understood.

    ``form``    rows, columns, tree, levels, recursive, counted, states or paths
    ``runs``    what stands where, in order
    ``total``   how many lines were entries
    ``legend``  a line of ours that says how entries are written, "" when they are as they were
    ``mark``    what stands between two names of a line; "" when nothing can
    """

    __slots__ = ("form", "legend", "mark", "runs", "total")

    def __init__(self, form: str, runs: list[Run], total: int, legend: str = "", *, blanks: bool | None = None) -> None:
        """``blanks`` tells whether a name holds a blank; None when the runs hold bare names."""
        self.form = form
        self.runs = runs
        self.total = total
        self.legend = legend
        entries, folders = paths.entries(runs)
        if blanks is None:
            blanks = " " in entries
        self.mark = layout.mark_for(entries + folders, blanks=blanks or " " in folders)
        if self.is_bare and "{" not in entries:
            self.runs = [(folder, names if folder is None else ranges.ranged(names)) for folder, names in runs]

    @property
    def is_bare(self) -> bool:
        """Return whether an entry is a name and nothing else."""
        return self.form in ("tree", "recursive", "paths")


def read(lines: list[str], slash: str) -> Reading | None:
    """Return what a text's lines list, or None when they are no list. A long list of lines may be empty afterwards."""
    head = lines[:_HEAD]
    if len(lines) > _MANY and sum(map(len, lines)) < _SHORT * len(lines):
        return None
    if sum(map(bool, head)) < 2:
        return Reading("paths", paths.grouped(lines, slash), 1) if len(lines) == 1 and lines[0] else None
    filled = sum(map(bool, lines)) if "" in lines else len(lines)
    reading = _as_form(lines, head, slash)
    if reading is None or not reading.mark:
        return None
    if reading.total < _ENOUGH * filled and reading.total < _ENOUGH * (filled - _complaints(reading)):
        return None
    if reading.form != "levels" and not paths.are_safe(reading.runs):
        return None
    return reading


def _complaints(reading: Reading) -> int:
    """Return how many lines are what the tool itself could not read: they are no part of the list."""
    return sum([line.startswith(_TOOLS) for folder, names in reading.runs if folder is None for line in names])


def _as_form(lines: list[str], head: list[str], slash: str) -> Reading | None:
    if sum(line[:1] in ("-", "d", "l") and rows.parse(line) is not None for line in head) >= min(rows.LEAST, len(head)):
        runs, total, legend, blanks = rows.read(lines, slash)
        return Reading("rows", runs, total, legend, blanks=blanks) if legend else None
    if shape := columns.shape_of(head[:_SOME] + head[-_SOME:]):
        runs, total, legend, blanks = columns.read(lines, slash, shape)
        return Reading("columns", runs, total, legend, blanks=blanks) if legend else None
    if trees.is_drawn(head):
        runs, total = trees.drawn(lines)
        return Reading("tree", runs, total) if total else Reading("levels", *trees.levels(lines), blanks=True)
    if trees.is_marked(head):
        return Reading("tree", *trees.marked(lines))
    if sum(map(recursive.is_heading, head)) > 1 or (head and recursive.is_heading(head[0])):
        runs, total = recursive.read(lines, slash)
        if total:
            return Reading("recursive", paths.merged(runs, slash), total)
    some = [line for line in head if line]
    if sum(paths.is_counted(line) for line in some) >= _ENOUGH * len(some):
        return _counted(lines, slash)
    if sum(paths.has_state(line) for line in some) >= _ENOUGH * len(some):
        runs, total = paths.states(lines, slash)
        dots = any(" " in line[:2] for line in lines if paths.has_state(line))
        return Reading("states", runs, total, STATES if dots else "", blanks=False)
    if _are_paths(lines):
        total = len(lines)
        runs = paths.grouped(lines, slash)
    else:
        runs, total = paths.plain(lines, slash)
    runs = paths.merged(runs, slash)
    reading = Reading("paths", runs, total)
    if not reading.mark or (reading.mark != layout.MARKS[0] and total > _SOME):
        others = paths.apart(runs)
        if others is not None and len(others) <= len(runs) + total // 10:
            reading = Reading("paths", others, total)
    return reading


def _are_paths(lines: list[str]) -> bool:
    """Return whether no line can be anything but a path."""
    said = "\n".join(lines)
    return lines[0][:1] not in ("<", "[", "(") and not any(mark in said for mark in (" ", "\t", ":\n", "\n\n", "\n<"))


def _counted(lines: list[str], slash: str) -> Reading:
    runs, total = paths.counted(lines, slash)
    names = _names(runs)
    blanks = any(" " in name for name in names)
    # A name that looks like a size would be taken for one.
    often = _repeats(runs) >= _REPEATS and not blanks and not any(map(_COUNT.match, names))
    return Reading("counted", runs, total, STICKY if often else "", blanks=blanks)


def _repeats(runs: list[Run]) -> int:
    """Return how many of the first entries have the count of the entry before them."""
    some = [(folder, name) for folder, names in runs[:_HEAD] if folder is not None for name in names[:_HEAD]]
    return sum(
        one[0] == other[0] and one[1].partition(" ")[0] == other[1].partition(" ")[0] for one, other in pairwise(some)
    )


def _names(runs: list[Run]) -> list[str]:
    """Return the names behind the counts."""
    return [name.partition(" ")[2] for folder, names in runs if folder is not None for name in names]
