"""Decide what becomes of each section, and write them all."""

from __future__ import annotations

from itertools import compress

from headroom_cli.compressors.diffs import notes, paths, write
from headroom_cli.compressors.diffs.paths import SOURCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.diffs.parse import Section

# Characters in a changed line, on average, from which on what browsers read is minified.
_DENSE = 400
_WEB = (".js", ".mjs", ".cjs", ".css", ".html", ".htm", ".json", ".svg", ".xml")
# What a section is called whose lines differ in line ends and tabs only.
BLANKS = "only line ends or tabs differ"
_TABS = (4, 8, 2)
# Lines in which a generator says so.
_HEAD = 8


def kind_of(section: Section, lines: list[str]) -> str:
    """Return what a section's file is, by its path and then by its text."""
    kind = paths.what(section.path)
    if kind != SOURCE or not section.hunks:
        return kind
    first = section.hunks[0]
    if first.new <= 3 and first.olds[0] <= 3:
        head = "\n".join([line[:200] for line in lines[first.start : first.start + _HEAD]])
        if paths.claims_generated(head):
            return paths.GENERATED
    if section.path.endswith(".txt") and paths.is_compiled(section.path, "\n".join(lines[section.start : section.end])):
        return paths.LOCK
    if section.path.endswith(_WEB) and write.size_of(section, lines) > 4 * _DENSE:
        dense = [line for hunk in section.hunks for line in lines[hunk.start : hunk.end] if line[:1] in ("+", "-")]
        if sum(map(len, dense)) > _DENSE * len(dense):
            return paths.MINIFIED
    if notes.what_it_is(section) == "new" and paths.is_bulk(section.path):
        return paths.DATA if write.size_of(section, lines) > write.BULK else kind
    return kind


class Plan:
    """What becomes of one section: ``how`` is "stay", "patch", "note" or "part"."""

    __slots__ = ("cut", "how", "kind", "left_out", "longest", "referred", "section")

    def __init__(self, section: Section) -> None:
        """Stay as it is."""
        self.section = section
        self.how = "stay"
        self.kind = SOURCE
        self.left_out: dict[int, str] = {}
        self.cut: dict[int, int] = {}
        self.referred: dict[int, list[tuple[Plan, int]]] = {}  # number of a hunk -> the hunks told by reference to it
        self.longest = 0


def plans(sections: list[Section], lines: list[str]) -> list[Plan]:
    """Return what becomes of each section at the level balanced."""
    made = []
    longest = max(map(len, lines), default=0)
    for section in sections:
        plan = Plan(section)
        made.append(plan)
        if section.git not in ("", "diff --git"):
            plan.how = "patch"
            continue
        if not section.hunks:
            plan.how = "patch" if section.certain else "stay"
            continue
        plan.how = "patch"
        if not section.certain:
            continue
        kind = plan.kind = kind_of(section, lines)
        state = notes.what_it_is(section)
        if write.size_of(section, lines) < write.SMALL or _changed_size(section, lines) < write.SMALL // 2:
            continue
        if kind == SOURCE:
            if state == "deleted":
                if len(section.hunks[0].kinds) > write.DELETED:
                    plan.how, plan.cut[0] = "part", write.DELETED_HEAD
            elif _only_blanks(section, lines):
                plan.how, plan.kind = "note", BLANKS
            elif longest > write.LONG and _has_long(section, lines, write.LONG):
                plan.how, plan.longest = "part", write.LONG
        elif kind != paths.DATA or state in ("new", "deleted"):
            plan.how = "note"
        else:
            _shorten(plan, lines)
    _refer(made, lines, longest)
    return made


def _only_blanks(section: Section, lines: list[str]) -> bool:
    """Tell whether old and new lines differ in line ends and tabs only; depth of indentation is a change of its own."""
    old: list[str] = []
    new: list[str] = []
    for hunk in section.hunks:
        kinds = hunk.kinds
        if kinds.count("-") != kinds.count("+"):
            return False
        for at, kind in enumerate(kinds, hunk.start):
            if kind in "+-":
                (old if kind == "-" else new).append(lines[at])
        # Most sections end here, at their first hunk.
        if old[0][1:].split() != new[0][1:].split():
            return False
    return any(
        list(map(_bare, old)) == [_bare(line, width) for line in new]
        or [_bare(line, width) for line in old] == list(map(_bare, new))
        for width in _TABS
    )


def _bare(line: str, width: int = 0) -> str:
    """Return a changed line without its sign and line end, with tabs as ``width`` blanks when that is not 0."""
    text = line[1:].rstrip()
    return text.expandtabs(width) if width else text


def _changed_size(section: Section, lines: list[str]) -> int:
    """Return the characters of a section's changed lines, or a number past SMALL."""
    size = 0
    for hunk in section.hunks:
        for line in lines[hunk.start : hunk.end]:
            if line[:1] in ("+", "-"):
                size += len(line)
        if size > write.SMALL:
            break
    return size


def _has_long(section: Section, lines: list[str], longest: int) -> bool:
    return any(max(map(len, lines[hunk.start : hunk.end])) > longest for hunk in section.hunks)


def _shorten(plan: Plan, lines: list[str]) -> None:
    """Keep the first hunks of changed data, and of each line what shows its kind."""
    shown = 0
    section = plan.section
    for number, hunk in enumerate(section.hunks):
        size = sum([min(len(line), 400) for line in lines[hunk.start : hunk.end] if line[:1] in ("+", "-")])
        if (shown and shown + size > write.SHOWN) or (not shown and size > 3 * write.SHOWN):
            plan.left_out[number] = ""
        else:
            shown += size
    if len(plan.left_out) == len(section.hunks):
        plan.how = "note"
    elif plan.left_out or _has_long(section, lines, 400):
        plan.how, plan.longest = "part", 400


def _refer(made: list[Plan], lines: list[str], longest: int) -> None:
    """Tell hunks whose changed lines already stood in another file by reference to it; no line is over ``longest``."""
    alike: dict[tuple[str, int, int], list[tuple[Plan, int]]] = {}
    for plan in made:
        if plan.how not in ("patch", "part"):
            continue
        for number, hunk in enumerate(plan.section.hunks):
            if number in plan.left_out or number in plan.cut or len(hunk.olds) > 1:
                continue
            kinds = hunk.kinds
            plus, minus = kinds.count("+"), kinds.count("-")
            if (plus + minus) * (longest + 1) < write.REPEATED:
                continue
            first = len(kinds) - len(kinds.lstrip(" \n"))
            key = lines[hunk.start + first], plus, minus
            alike.setdefault(key, []).append((plan, number))
    for group in alike.values():
        if len(group) > 1:
            _refer_group(group, lines)


def _refer_group(group: list[tuple[Plan, int]], lines: list[str]) -> None:
    seen: dict[str, tuple[Plan, int]] = {}
    for plan, number in group:
        section = plan.section
        hunk = section.hunks[number]
        text = "\n".join(compress(lines[hunk.start : hunk.end], map("+-".__contains__, hunk.kinds)))
        if len(text) < write.REPEATED:
            continue
        first, there = seen.setdefault(text, (plan, number))
        # The first stays where it is; of doubtful sections nothing is taken.
        if first is not plan and section.certain:
            plan.how = "part"
            plan.left_out[number] = f", the same as in {first.section.path} above"
            first.referred.setdefault(there, []).append((plan, number))
