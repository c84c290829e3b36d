"""Go on down to a number of tokens: whole hunks of least worth first, then words of notes, then names."""

from __future__ import annotations

from headroom_cli import rank
from headroom_cli.compressors.diffs import notes, paths, render, write
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.diffs.choose import Plan
    from headroom_cli.model import Want

# What the level max aims at, of what balanced leaves: about what the hunks of least worth take in a usual commit.
SHARE = 0.6
# Tokens left free for the notes that stand for what goes.
_ROOM = 0.96
_ROUNDS = 4
# Lines from which on a hunk is cut to its beginning instead of left out, and the fewest that are worth keeping.
_CUT, _LEAST = 40, 8
# Tokens that a hunk's note and brackets cost.
_NOTE = 10
# Characters of a hunk that are compared with the question, and of all.
_READ = 4000
_READ_IN_ALL = 2_000_000
# Lines of a commit's message that the last step leaves.
_MESSAGE = 6

_TEST = pattern(r"(?i)(?:^|/)(?:tests?|spec|specs|__tests__|e2e|testing)/|(?:^|[/_.-])(?:test|spec)s?[_.-]|_test\.")
_PROSE = pattern(r"(?i)\.(?:md|rst|txt|adoc)$|(?:^|/)(?:docs?|changelog|changes|history)(?:[/.]|$)")


def fit(made: list[Plan], lines: list[str], raw: list[str], want: Want, newline: str) -> tuple[list[str], write.Tally]:
    """Return the lines of the rendering that meets ``want.budget``, or nearly so, and what it leaves out.

    The plans are changed in place. Without a budget the target is a share of what they leave as they are.
    """
    out, tally = _write(made, lines, raw, numbers=True)
    total = want.count(newline.join(out))
    limit = want.budget if want.budget is not None else int(SHARE * total)
    if total <= limit:
        return out, tally
    order = _ranked(made, lines, want.question)
    rate = total / max(1, sum(map(len, out)) + len(out))
    numbers = True
    for _ in range(_ROUNDS):
        if numbers and want.budget is not None:
            numbers = False
        else:
            _leave_out(order, lines, rate, total - int(_ROOM * limit))
        out, tally = _write(made, lines, raw, numbers=numbers)
        numbers = False
        total = want.count(newline.join(out))
        if total <= limit or want.spent():
            return out, tally
    return _names(made, raw, limit, want, newline)


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


def _leave_out(order: list[tuple[Plan, int]], lines: list[str], rate: float, over: int) -> None:
    """Mark hunks until about ``over`` tokens are saved; take them off the end of ``order``."""
    left = float(over)
    while order and left > 0:
        plan, number = order.pop()
        section = plan.section
        hunk = section.hunks[number]
        size = hunk.end - hunk.start
        stays = min(size, plan.cut.get(number, size))
        tokens = rate * (sum(map(len, lines[hunk.start : hunk.start + stays])) + stays)
        plan.how = "part"
        for other, there in plan.referred.pop(number, ()):
            other.left_out[there] = ""  # what it was said to be the same as goes too
        kept = int(stays * (1 - (left + 3 * _NOTE) / tokens)) if tokens > left else 0
        if size >= _CUT and kept >= _LEAST:
            plan.cut[number] = kept
            left = 0
        else:
            plan.cut.pop(number, None)
            plan.left_out[number] = ""
            left -= tokens - _NOTE
        if len(plan.left_out) == len(section.hunks):
            plan.how = "note"
            plan.kind = plan.kind if plan.kind != paths.DATA else paths.SOURCE


def _names(made: list[Plan], raw: list[str], limit: int, want: Want, newline: str) -> tuple[list[str], write.Tally]:
    """Return the names of the files with their counts, and of long lists of them only the sums."""
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
    spare = limit - want.count(newline.join(out))
    while spare < 0 and said:
        # By halves: a list of thousands is not counted thousands of times.
        said = said[: len(said) // 2]
        out = [*head, sums, *said, f"[... {notes.counted(len(made) - len(said), 'more file')}]"]
        spare = limit - want.count(newline.join(out))
    return (out if spare >= 0 else [sums]), tally


def _message(lines: list[str]) -> list[str]:
    """Return the first lines of the text above a diff."""
    if len(lines) <= _MESSAGE:
        return lines
    return [*lines[:_MESSAGE], f"[... {notes.counted(len(lines) - _MESSAGE, 'line')}]"]
