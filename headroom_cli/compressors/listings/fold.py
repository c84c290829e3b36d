"""Shorten a listing that is long even with each directory written once: say how many names a directory holds."""

from __future__ import annotations

from math import log

from headroom_cli import rank
from headroom_cli.compressors.listings import ranges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.listings.layout import Run

# Directories that tools fill: nobody looks for one of their files in a list of a whole project.
BULK = frozenset(
    (
        "node_modules", "bower_components", "__pycache__", ".git", ".hg", ".svn", "dist", "build", "target", "vendor",
        ".venv", "venv", "site-packages", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".cache",
        ".gradle", ".next", ".nuxt", ".terraform", ".idea", ".vs", "obj", "Pods", "DerivedData", "coverage", "htmlcov",
        ".eggs", "_build", "third_party", ".yarn", ".pnpm", ".dart_tool",
    )
)  # fmt: skip
# Directories beside a project's own code: their insides are the first to be counted.
_BESIDE = frozenset(
    (
        "test", "tests", "testing", "__tests__", "spec", "specs", "testdata", "fixtures", "snapshots", "__snapshots__",
        "doc", "docs", "documentation", "man", "examples", "example", "samples", "demo", "demos", "benchmarks",
        "locale", "locales", "i18n", "lang", "static", "assets", "images", "img", "icons", "fonts", "media",
        "data", "templates", "release", "releases", "changelog", "contrib", "tools", "scripts", "bin",
    )
)  # fmt: skip
_CODE = frozenset(
    (
        "py", "pyi", "pyx", "js", "jsx", "mjs", "ts", "tsx", "vue", "svelte", "go", "rs", "java", "kt", "scala",
        "swift", "c", "h", "cc", "cpp", "cxx", "hpp", "cs", "fs", "rb", "php", "pl", "lua", "r", "jl", "ex", "exs",
        "erl", "hs", "ml", "clj", "dart", "m", "mm", "sql", "zig", "proto",
    )
)  # fmt: skip
_LEAST = 5  # names a directory must lose for its note to pay
_ASKED = 30  # names that stay because of the question
_COMMON = 0.02  # a word in more of the names than this says nothing about any of them


class Folded:
    """Runs with names left out: the runs, how many names went, and how many there were."""

    __slots__ = ("gone", "runs", "total")

    def __init__(self, runs: list[Run], gone: int, total: int) -> None:
        """``gone`` of ``total`` names are counted in notes now."""
        self.runs = runs
        self.gone = gone
        self.total = total


def count_names(runs: list[Run]) -> int:
    """Return how many names the runs hold."""
    return sum(_size(names) for folder, names in runs if folder is not None)


def _size(names: list[str]) -> int:
    """Return how many names a list stands for: ``img_{01..40}.png`` is forty, the total of ``ls -l`` none."""
    braced = [name for name in names if "{" in name]
    totals = sum(map(_is_total, names[:1]))
    return len(names) - totals - len(braced) + sum(map(ranges.count, braced))


def _is_total(name: str) -> bool:
    """Return whether an entry is the line that ``ls -l`` writes above a directory's rows."""
    return name.startswith("total ") and name[6:7].isdigit() and " " not in name[6:]


def asked_for(runs: list[Run], words: str, slash: str) -> set[tuple[str, str]]:
    """Return the folders and names that have to do with some words (the question, the command).

    A word counts by how rare it is among the names and how often it was said; the folder's own name counts half. Only
    the best few pass: a long question has a word in common with half of a project.
    """
    wanted: dict[str, int] = {}
    for term in rank.terms(words):
        if len(term) > 2 and not term.isdigit():
            wanted[term] = wanted.get(term, 0) + 1
    if not wanted:
        return set()
    places = [(folder, name) for folder, names in runs if folder is not None for name in names]
    held: dict[str, int] = {}
    known: dict[str, list[str]] = {}
    for _, name in places:
        if name not in known:
            known[name] = sorted(set(rank.terms(name)) & wanted.keys())
        for term in known[name]:
            held[term] = held.get(term, 0) + 1
    lasts: dict[str, list[str]] = {}
    for folder, _ in runs:
        if folder and folder not in lasts:
            lasts[folder] = sorted(set(rank.terms(folder.rstrip(slash).rpartition(slash)[2])) & wanted.keys())
            for term in lasts[folder]:
                held[term] = held.get(term, 0) + 1
    most = max(3.0, _COMMON * len(places))
    worth = {term: min(wanted[term], 3) * log(1 + len(places) / times) for term, times in held.items() if times <= most}
    own = {name: sum(worth.get(term, 0.0) for term in terms) for name, terms in known.items()}
    folders = {folder: 0.5 * sum(worth.get(term, 0.0) for term in terms) for folder, terms in lasts.items()}
    scored = [(own[name] + folders.get(folder, 0.0), at) for at, (folder, name) in enumerate(places) if own[name]]
    scored += [
        (folders[folder], at) for at, (folder, name) in enumerate(places) if not own[name] and folders.get(folder)
    ]
    scored.sort(key=lambda pair: (-pair[0], pair[1]))
    return {places[at] for _, at in scored[:_ASKED]}


def bulk(runs: list[Run], slash: str, asked: set[tuple[str, str]]) -> Folded:
    """Return the runs with the insides of directories that tools fill counted."""
    found: list[Run] = []
    gone = 0
    open_root = ""
    tally: list[str] = []  # the note's own names list
    hidden = folders = 0
    for folder, names in runs:
        root = _bulk_root(folder, slash) if folder else ""
        if not root or folder is None:
            open_root = ""
            found.append((folder, names))
            continue
        if root != open_root:
            open_root = root
            hidden = folders = 0
            tally = []
            found.append((root, tally))
        kept = [name for name in names if (folder, name) in asked]
        if kept:
            found.append((folder, kept))
        lost = _size(names) - _size(kept)
        hidden += lost
        folders += folder != root
        gone += lost
        if hidden:
            tally[:] = [f"[... {hidden} names in {folders} directories]" if folders else f"[... {hidden} names]"]
    return Folded(found, gone, count_names(runs))


def _bulk_root(folder: str, slash: str) -> str:
    """Return the outermost directory of a path that tools fill, with its slash; "" for none."""
    end = 0
    for part in folder.split(slash)[:-1]:
        end += len(part) + len(slash)
        if part in BULK:
            return folder[:end]
    return ""


def deep(runs: list[Run], slash: str, asked: set[tuple[str, str]], spare: int, *, top: bool) -> Folded:
    """Return the runs with the names of directories counted, until ``spare`` characters went.

    What stands beside the code goes first, then the deepest and the fullest. Directories stay named, and so do names
    that were asked for, and with ``top`` the project's own code and the names of the outermost directories.
    """
    depths = [folder.count(slash) for folder, _ in runs if folder]
    outermost = min(depths, default=0)
    least = _LEAST if top else 2
    order = sorted(
        (
            at
            for at, (folder, names) in enumerate(runs)
            if folder
            and len(names) >= least
            and (not top or (folder.count(slash) > outermost and not _is_source(folder, names, slash)))
        ),
        key=lambda at: (
            _is_source(runs[at][0] or "", runs[at][1], slash),
            -(runs[at][0] or "").count(slash),
            -sum(map(len, runs[at][1])),
            at,
        ),
    )
    found = list(runs)
    gone = 0
    for at in order:
        if spare <= 0:
            break
        folder, names = runs[at]
        kept: list[str] = []
        lost: list[str] = []
        place = -1
        for name in names:
            if name.startswith("[... ") or (folder, name) in asked or (_is_total(name) and not kept and not lost):
                kept.append(name)
            else:
                if place < 0:
                    place = len(kept)
                lost.append(name)
        if len(lost) < least:
            continue
        kept.insert(place, f"[... {_size(lost)} {_of_what(lost)}]")
        found[at] = (folder, kept)
        gone += _size(lost)
        spare -= sum(map(len, lost)) + len(lost) - 12
    return Folded(found, gone, count_names(runs))


def _is_source(folder: str, names: list[str], slash: str) -> bool:
    """Return whether a directory holds a project's own code."""
    if not _BESIDE.isdisjoint(folder.lower().split(slash)):
        return False
    return sum(name.rpartition(".")[2].lower() in _CODE for name in names) * 2 >= len(names)


def prune(runs: list[Run], slash: str, level: int) -> Folded:
    """Return the runs with everything deeper than ``level`` directories counted at the directory that holds it."""
    found: list[Run] = []
    gone = 0
    at_root = ""
    hidden = 0
    below: set[str] = set()
    for folder, names in runs:
        parts = folder.split(slash) if folder else []
        if folder is None or len(parts) - 1 <= level:
            found.append((folder, names))
            at_root = ""
            continue
        root = slash.join(parts[:level]) + slash
        if root != at_root:
            at_root = root
            hidden = 0
            below = set()
            found.append((root, [""]))
        below.add(folder)
        for name in names:
            # A note of an earlier step says how many it stands for.
            lost = int(name.split(" ")[1]) if name.startswith("[... ") else _size([name])
            hidden += lost
            gone += 0 if name.startswith("[... ") else lost
        many = "directories" if len(below) > 1 else "directory"
        found[-1] = (root, [f"[... {hidden} names in {len(below)} {many}]"])
    return Folded(found, gone, count_names(runs))


def _of_what(names: list[str]) -> str:
    """Return the ending that all names share (".py"), else "names"."""
    endings = {name.rpartition(".")[2] if "." in name[1:] else "" for name in names}
    ending = endings.pop() if len(endings) == 1 else ""
    return f".{ending}" if ending.isalnum() and ending.isascii() and len(ending) <= 6 else "names"
