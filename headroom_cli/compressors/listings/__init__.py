"""Lists of files: every name once, its directory once, in order.

A newline per name and a directory per line are what a listing pays for. All steps but the last are faithful: each
path, size and state reads back from what is written (see `layout`). What is long even then loses names, with
their counts in place (`fold`): those in directories that tools fill, and the deepest ones of a big tree.
"""

from __future__ import annotations

from headroom_cli.compressors.listings import layout, paths, rows
from headroom_cli.compressors.listings.answers import is_answer
from headroom_cli.compressors.listings.reading import STICKY, Reading, read
from headroom_cli.lazy import pattern
from headroom_cli.model import FAITHFUL, LOSSY, Compressor, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.listings.fold import Folded
    from headroom_cli.model import Hint, Want

_COLOURS = pattern(r"\x1b\[[0-9;]{0,24}[mK]")
# Tokens after the faithful step; a shorter list stays whole unless less was asked for.
BIG = 1800
# What a big tree may come down to, as a share of its faithful tokens, before more must be asked for.
_TREE = 0.5
# A list of so many runs is looked at in stretches first; of its lines so many begin a run of their own.
_LONG, _STRETCH, _SCATTERED, _NOTHING = 5000, 400, 0.9, 0.98
# "max" without a budget.
_MOST = 0.4
_LEVELS = 12  # what is deeper goes in one step
# So few paths are what somebody looked for, not a list to look through: they stay whole. In conversations the paths of
# a find are copied into the next command: of 70 facts reused from listings, 6 were paths in lists of 9 to 24.
_FEW = 8
_FEW_IN_TURNS = 24


def sniff(text: str, hint: Hint) -> float:  # noqa: ARG001 - the table's signature
    """Return how sure it is that a text is a list of files; the router knows better, so this stays low."""
    head = text[:8000].split("\n")[:-1][:120] if len(text) > 8000 else text.split("\n")
    if len(head) < 5:
        return 0.0
    reading = read([line.rstrip("\r") for line in head if line], paths.slash_of(text[:8000]))
    return 0.0 if reading is None else min(0.7, 0.7 * reading.total / len(head))


def compress(text: str, want: Want) -> Draft | None:
    """Return the list with each directory written once, or None when there is nothing to gain."""
    body = _COLOURS.sub("", text) if "\x1b" in text else text
    newline = "\r\n" if "\r\n" in body else "\n"
    if newline == "\r\n":
        body = body.replace("\r\n", "\n")
    if "\r" in body or "\x00" in body or "\x1b" in body:
        return None
    end = newline if body.endswith("\n") else ""
    slash = paths.slash_of(body)
    lines = body.removesuffix("\n").split("\n")
    eager = want.level == "max" or want.budget is not None
    answer = is_answer(want.hint.command)
    if answer and not eager:
        return None  # each path is a result of its own, to be used as it stands
    reading = read(lines, slash)
    del lines  # of a long list as much memory as its names take
    if reading is None or want.spent():
        return None
    few = _FEW_IN_TURNS if want.level == "safe" else _FEW
    if reading.form == "paths" and reading.total <= few and not eager and any(folder for folder, _ in reading.runs):
        return None
    if reading.form == "paths" and not eager and _is_scattered(reading, slash):
        return None
    # So few names are worth their directories written out: those are copied into the next command too.
    nest = want.level != "safe" or reading.form != "recursive" or reading.total > few or len(reading.runs) > _FEW
    written = _write(reading, slash, nest=nest)
    ranged = "{" in written and "{" not in body
    if reading.mark not in written and not ranged and reading.form != "levels":
        return None  # nothing was joined, so nothing says how to read a name with blanks
    draft = Draft(written.replace("\n", newline) + end, FAITHFUL)
    if (
        want.lossless
        or want.spent()
        or reading.form == "levels"
        or (answer and want.budget is None)
        or not (eager or reading.is_bare or reading.form in ("rows", "columns"))
    ):
        return draft  # sizes and states are why such a list was made
    tokens = want.count(written)
    if tokens < BIG and not eager:
        return draft
    folded = _fold(reading, want, slash, tokens, len(written))
    if not folded.gone:
        return draft
    short = _write(reading, slash, folded)
    return Draft(short.replace("\n", newline) + end, LOSSY, f"{folded.gone} of {folded.total} names")


def _is_scattered(reading: Reading, slash: str) -> bool:
    """Tell from stretches of a very long list that hardly a name stands beside another of its directory."""
    runs = reading.runs
    if len(runs) < _SCATTERED * reading.total or len(runs) < _LONG:
        return False
    before = after = 0
    for start in (0, len(runs) // 2, len(runs) - _STRETCH):
        part = runs[start : start + _STRETCH]
        before += sum([len(folder or "") * len(names) + sum(map(len, names)) + len(names) for folder, names in part])
        after += len(layout.render(part, reading.mark, slash, whole=True))
    return after > _NOTHING * before


def _fold(reading: Reading, want: Want, slash: str, tokens: int, size: int) -> Folded:
    """Return the runs with as many names counted as the level and the budget ask for."""
    from headroom_cli.compressors.listings import fold

    asked = fold.asked_for(reading.runs, f"{want.question} {want.hint.command}", slash)
    folded = fold.bulk(reading.runs, slash, asked)
    eager = want.level == "max" or want.budget is not None
    if want.budget is not None:
        target = want.budget
    elif want.level == "max":
        target = int(_MOST * tokens)
    elif reading.form in ("recursive", "tree"):
        target = int(_TREE * tokens)
    else:
        return folded
    now = want.count(_write(reading, slash, folded))
    if now <= target:
        return folded
    deeper = fold.deep(folded.runs, slash, asked, spare=int((now - target) * size / max(tokens, 1)), top=not eager)
    folded = fold.Folded(deeper.runs, folded.gone + deeper.gone, folded.total)
    if want.budget is None:
        return folded
    deepest = max((folder.count(slash) for folder, _ in folded.runs if folder is not None), default=0)
    for level in range(min(deepest - 1, _LEVELS), 0, -1):
        if want.spent() or want.count(_write(reading, slash, folded)) <= target:
            break
        pruned = fold.prune(folded.runs, slash, level)
        folded = fold.Folded(pruned.runs, folded.gone + pruned.gone, folded.total)
    return folded


def _write(reading: Reading, slash: str, folded: Folded | None = None, *, nest: bool = True) -> str:
    """Return the reading as text."""
    runs = reading.runs if folded is None else folded.runs
    if reading.form in ("rows", "columns"):
        runs = rows.settled(runs)
    elif reading.legend == STICKY:
        runs = paths.sticky(runs)
    written = layout.render(runs, reading.mark, slash, whole=reading.is_bare, nest=nest)
    return f"{reading.legend}\n{written}" if reading.legend else written


COMPRESSOR = Compressor(
    "listings",
    ("listing",),
    sniff,
    compress,
    "listings: each directory once, its names on one line, what all rows share said once",
)
