"""Go on down to a number of tokens: whole hunks of least worth first, then words of notes, then names."""

from __future__ import annotations

from headroom_cli import rank
from headroom_cli.compressors.diffs import notes, paths, render, write
from headroom_cli.compressors.diffs.trim import pieces
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.diffs.choose import Plan
    from headroom_cli.model import Want

# What the level max aims at, of what balanced leaves: about what the hunks of least worth take in a usual commit.
SHARE = 0.6
# Tokens left free for the notes that stand for what goes.
_ROOM = 0.96
_ROUNDS = 5
# The fewest lines of a hunk's beginning that are worth keeping.
_LEAST = 3
# Tokens that a hunk's note and brackets cost.
_NOTE = 10
# Characters of a hunk that are compared with the question, and of all.
_READ = 4000
_READ_IN_ALL = 2_000_000
# Of a budget, what notes may take before names take their place.
_NOTES = 0.67
# Tokens of a budget from which on it is not for names alone.
_HUNKS = 150
# Lines of a commit's message that the last step leaves.
_MESSAGE = 6

_TEST = pattern(r"(?i)(?:^|/)(?:tests?|spec|specs|__tests__|e2e|testing)/|(?:^|[/_.-])(?:test|spec)s?[_.-]|_test\.")
_PROSE = pattern(r"(?i)\.(?:md|rst|txt|adoc)$|(?:^|/)(?:docs?|changelog|changes|history)(?:[/.]|$)")


def fit(made: list[Plan], lines: list[str], raw: list[str], want: Want, newline: str) -> tuple[list[str], write.Tally]:
    """Return the lines of the rendering that meets ``want.budget``, or nearly so, and what it leaves out.

    The plans are changed in place. Without a budget the target is a share of what they leave as they are, and is missed
    rather than that no hunk stays.
    """
    out, tally = _write(made, lines, raw, numbers=True)
    total = want.count(newline.join(out))
    limit = want.budget if want.budget is not None else int(SHARE * total)
    if total <= limit or want.spent():
        return out, tally
    rate = total / max(1, sum(map(len, out)) + len(out))
    if want.budget is not None:
        out, tally = _write(made, lines, raw, numbers=False)
        total = want.count(newline.join(out))
        if total <= limit:
            return out, tally
    choice = _Choice(made, lines, want.question, rate)
    if not choice.order:
        return (out, tally) if want.budget is None else _names(made, lines, raw, limit, want=want, newline=newline)
    choice.keep(0, least=False)
    floor = want.count(newline.join(_write(made, lines, raw, numbers=False)[0]))
    best: tuple[list[str], write.Tally] | None = None
    most, room = 0, float(_ROOM * limit - floor)
    if want.budget is None:
        room = max(room, _ROOM * limit / 2)
    for _ in range(_ROUNDS):
        if room <= 0 or want.spent():
            break
        choice.keep(room, least=want.budget is None)
        out, tally = _write(made, lines, raw, numbers=False)
        total = want.count(newline.join(out))
        if most < total <= limit or (best is None and want.budget is None):
            best, most = (out, tally), total
        if _ROOM * _ROOM * limit <= total <= limit:
            break
        room += _ROOM * limit - total
    if best is not None and (want.budget is None or floor <= limit * _NOTES):
        return best
    if want.budget is None:
        choice.keep(0, least=True)
        return _write(made, lines, raw, numbers=False)
    # The notes leave too little: names, and below them what is worth most.
    return _names(made, lines, raw, limit, want=want, newline=newline, choice=choice)


class _Choice:
    """Which hunks stay, those of most worth first."""

    def __init__(self, made: list[Plan], lines: list[str], question: str, rate: float) -> None:
        """``rate`` is tokens per character."""
        self.order = _ranked(made, lines, question)
        self._costs = [rate * _size(plan, number, lines) for plan, number in self.order]
        self._before = [(plan, plan.how, plan.kind, dict(plan.left_out), dict(plan.cut)) for plan in made]
        self._standing = {id(plan): 0 for plan in made}
        for plan, _ in self.order:
            self._standing[id(plan)] += 1

    def keep(self, room: float, *, least: bool) -> list[Plan]:
        """Leave out all hunks but those that fit into ``room`` tokens; return the plans of which some stay.

        With ``least`` the first is cut to its beginning rather than left out, however little room there is.
        """
        for plan, how, kind, left_out, cut in self._before:
            plan.how, plan.kind, plan.left_out, plan.cut = how, kind, dict(left_out), dict(cut)
        begun: dict[int, int] = {}
        kept: list[Plan] = []
        for (plan, number), cost in zip(self.order, self._costs, strict=True):
            hunk = plan.section.hunks[number]
            known = id(plan) in begun
            need = cost + (_NOTE if known else 2 * _NOTE)
            size = min(hunk.end - hunk.start, plan.cut.get(number, hunk.end - hunk.start))
            if need > room:
                plan.how = "part"
                for other, there in plan.referred.get(number, ()):
                    other.left_out[there] = ""  # what it was said to be the same as goes too
                stays = int(size * (room - 3 * _NOTE) / max(1.0, cost))
                if least and not kept:
                    stays = max(stays, _LEAST, len(hunk.kinds) - len(hunk.kinds.lstrip(" \n")) + 2)
                # Cut inside its changes: context alone says nothing.
                stays = min(stays, size)
                if stays < _LEAST or not hunk.kinds[:stays].strip(" \n\\"):
                    plan.cut.pop(number, None)
                    plan.left_out[number] = ""
                    continue
                if stays < hunk.end - hunk.start:
                    plan.cut[number] = stays
                room = 0.0
            else:
                room -= need
            if not known:
                kept.append(plan)
            begun[id(plan)] = begun.get(id(plan), 0) + 1
        for plan, *_ in self._before:
            if self._standing[id(plan)] and id(plan) not in begun and len(plan.left_out) == len(plan.section.hunks):
                plan.how = "note"
                plan.kind = plan.kind if plan.kind != paths.DATA else paths.SOURCE
        return kept


def _shown(kept: list[Plan], lines: list[str], tally: write.Tally) -> list[str]:
    """Return files of which hunks stay, behind a list of names; take what they show off ``tally``."""
    out = ["@@ -0,0 +0,0 @@"]  # names and counts alone are no patch: git refuses a range without a file
    for plan in kept:
        section = plan.section
        total = sum([hunk.end - hunk.start for hunk in section.hunks])
        gone = sum(notes.changed(section))
        here = write.Tally()
        if plan.how == "part":
            write.part(
                section,
                lines,
                out,
                here,
                left_out=plan.left_out,
                cut=plan.cut,
                longest=plan.longest,
                numbers=False,
            )
        else:
            write.patch(section, write.header(section, lines), lines, out, here, old_numbers=False)
        tally.lines -= gone - here.lines
        tally.context -= total - gone - here.context
        tally.summarised -= 1 - here.summarised
    return out


def _size(plan: Plan, number: int, lines: list[str]) -> int:
    """Return about how many characters a hunk takes once its context is trimmed."""
    hunk = plan.section.hunks[number]
    if number in plan.cut:
        end = min(hunk.end, hunk.start + plan.cut[number])
        return sum(map(len, lines[hunk.start : end])) + end - hunk.start
    size = 0
    for header, start, end in pieces(hunk, lines, old_numbers=False):
        size += len(header) + 1 + sum(map(len, lines[start:end])) + end - start
    return min(size, plan.longest * (hunk.end - hunk.start)) if plan.longest else size


def _write(made: list[Plan], lines: list[str], raw: list[str], *, numbers: bool) -> tuple[list[str], write.Tally]:
    tally = write.Tally()
    return render.render(made, lines, raw, tally, numbers=numbers, short_ids=True), tally


def _ranked(made: list[Plan], lines: list[str], question: str) -> list[tuple[Plan, int]]:
    """Return the hunks that still stand, those of least worth last."""
    units = [
        (plan, number)
        for plan in made
        if plan.how in ("patch", "part") and plan.section.certain
        for number in range(len(plan.section.hunks))
        if number not in plan.left_out
    ]
    near = [0.0] * len(units)
    if question:
        texts = []
        read = min(_READ, _READ_IN_ALL // max(1, len(units)))
        for plan, number in units:
            hunk = plan.section.hunks[number]
            body = "\n".join([line[:200] for line in lines[hunk.head : min(hunk.end, hunk.start + 200)]])
            texts.append(f"{plan.section.path}\n{body[:read]}")
        near = rank.bm25(question, texts)
    most = max((*near, 0.0)) or 1.0
    worth = [_worth(plan) + 2 * max(0.0, score) / most for (plan, _), score in zip(units, near, strict=True)]
    # Of equal worth the later ones go first: what a diff begins with is the most likely to be what it is about.
    return [units[at] for at in sorted(range(len(units)), key=lambda at: (-worth[at], at))]


def _worth(plan: Plan) -> float:
    path = plan.section.path
    state = notes.what_it_is(plan.section)
    if plan.kind != paths.SOURCE:
        return 0.1
    if state == "deleted":
        return 0.2
    worth = 0.7 if state == "new" else 1.0
    return worth * (0.6 if _TEST.search(path) or _PROSE.search(path) else 1.0)


def _names(
    made: list[Plan],
    lines: list[str],
    raw: list[str],
    limit: int,
    *,
    want: Want,
    newline: str,
    choice: _Choice | None = None,
) -> tuple[list[str], write.Tally]:
    """Return the names of the files with their counts, of long lists of them only the sums, and then a few hunks."""
    tally = write.Tally()
    head = _message(raw[: made[0].section.start])
    said = []
    plus = minus = 0
    for plan in made:
        more, less = notes.changed(plan.section)
        plus, minus = plus + more, minus + less
        said.append(f"{plan.section.path} +{more} -{less}")
    tally.lines, tally.summarised = plus + minus, len(made)
    tally.context = sum([hunk.end - hunk.start for plan in made for hunk in plan.section.hunks]) - plus - minus
    tally.headers = len(raw) - len(head) - plus - minus - tally.context
    sums = (
        f"[... {notes.counted(plus + minus, 'changed line')} of {notes.counted(len(made), 'file')}: +{plus} -{minus}]"
    )
    out = [*head, sums, *said]
    # Of a budget for more than the names of a few files, a part is for what was changed.
    most = limit if choice is None or limit < _HUNKS else int(limit * _NOTES)
    spare = most - want.count(newline.join(out))
    while spare < 0 and said:
        # By halves: a list of thousands is not counted thousands of times.
        said = said[: len(said) // 2]
        out = [*head, sums, *said, f"[... {notes.counted(len(made) - len(said), 'more file')}]"]
        spare = most - want.count(newline.join(out))
    if spare < 0:
        return [sums], tally
    if choice is not None and limit >= _HUNKS:
        spare += limit - most
        for share in (0.9, 0.75, 0.6, 0.45):
            kept = {id(plan) for plan in choice.keep(share * spare, least=False)}
            rest = write.Tally()
            rest.lines, rest.context, rest.headers, rest.summarised = (
                tally.lines,
                tally.context,
                tally.headers,
                tally.summarised,
            )
            shown = _shown([plan for plan in made if id(plan) in kept], lines, rest)
            if kept and want.count(newline.join(shown)) <= spare:
                return [*out, *shown], rest
    return out, tally


def _message(lines: list[str]) -> list[str]:
    """Return the first lines of the text above a diff."""
    if len(lines) <= _MESSAGE:
        return lines
    return [*lines[:_MESSAGE], f"[... {notes.counted(len(lines) - _MESSAGE, 'line')}]"]
