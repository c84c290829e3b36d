"""Which lines of a log stay."""

from __future__ import annotations

from bisect import bisect_right

from headroom_cli.compressors.logs.lines import (
    ERROR,
    FAILING,
    FRAME,
    GLUE,
    PASSED,
    PLAIN,
    SKIPPED,
    SUMMARY,
    TROUBLE,
    WARNING,
    word_set,
)
from headroom_cli.compressors.logs.notes import NOTE, Rendering, render
from headroom_cli.compressors.logs.runners import reason
from headroom_cli.compressors.logs.suites import headings, reasons_of_go, tell_apart
from headroom_cli.compressors.logs.templates import merge
from headroom_cli.compressors.logs.traces import cycles, extend
from headroom_cli.compressors.logs.units import close, find, troubles, unstamped
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Want

_FLOOR = 200  # tokens: max goes no lower without a budget
_ASKED = 40  # lines that a question may keep
_TAIL_FROM = 5  # lines that a template would lose; below that its last one is not worth a line
_ALL_CLASSES = 9
_REASONS = 60  # distinct reasons of skipped tests that stay; the others are counted


class Policy:
    """How many lines of a template stay: the first ``heads`` and the last ``tails`` of each class."""

    __slots__ = ("heads", "shortest", "stamps", "tails")

    def __init__(self, heads: dict[int, int], tails: dict[int, int], *, shortest: int, stamps: bool = False) -> None:
        """``shortest``: shorter gaps are not cut; ``stamps``: errors that differ in their time only are one."""
        self.heads = [heads.get(kind, 0) for kind in range(_ALL_CLASSES)]
        self.tails = [tails.get(kind, 0) for kind in range(_ALL_CLASSES)]
        self.shortest = shortest
        self.stamps = stamps


POLICIES = {
    "safe": Policy(
        {PLAIN: 8, WARNING: 12, SUMMARY: 20, PASSED: 1, SKIPPED: 8}, {PLAIN: 2, WARNING: 2, SUMMARY: 4}, shortest=8
    ),
    "balanced": Policy({PLAIN: 1, WARNING: 2, SUMMARY: 4, PASSED: 1}, {PLAIN: 1, WARNING: 1, SUMMARY: 2}, shortest=1),
    "max": Policy({PLAIN: 1, WARNING: 2, SUMMARY: 4, PASSED: 1}, {SUMMARY: 2}, shortest=1, stamps=True),
}

_STOP = word_set(
    "about after also and any are but can come could continue did does doing done find fix for from get had has "
    "have help here how into its just know last let like line lines log logs look make need new not now output "
    "please problem run see should show test tests that the their them then there these they this those use user "
    "using want was were what when where which while who why will with would you your error errors fail failed "
    "failing failure happen happened wrong issue"
)


class Log:
    """A judged log: parallel lists over its lines, and what each stands for."""

    __slots__ = (
        "again",
        "bodies",
        "classes",
        "counts",
        "folded",
        "guards",
        "owned",
        "rows",
        "templates",
        "texts",
        "traces",
    )

    def __init__(self, texts: list[str], counts: list[int], classes: bytearray, rows: list[int]) -> None:
        """``rows`` holds the number of each line's key (the line without digits)."""
        self.texts = texts
        self.counts = counts
        self.classes = classes
        self.rows = rows
        self.templates: list[int] = []
        self.traces: list[tuple[int, int]] = []
        self.again = bytearray(len(texts))
        self.bodies: dict[int, list[int]] = {}
        self.owned = bytearray(len(texts))
        self.folded = bytearray(len(texts))
        self.guards = bytearray(len(texts))


def prepare(log: Log, keys: list[bytes]) -> None:
    """Find the templates and traces of a log, and what belongs to its errors."""
    tell_apart(log, keys)
    log.traces = extend(log.texts, log.classes)
    find(log)
    kinds = [0] * len(keys)
    for row, key in enumerate(log.rows):
        kinds[key] = log.classes[row]
    numbers = merge(keys, kinds)
    numbers = [-1 if kind == PASSED else number for kind, number in zip(kinds, numbers, strict=True)]
    log.templates = list(map(numbers.__getitem__, log.rows))


def _choose(log: Log, policy: Policy) -> bytearray:
    """Return 1 for each line that its class, or its place in its template, keeps."""
    texts, classes, templates = log.texts, log.classes, log.templates
    owned, bodies = log.owned, log.bodies
    total = len(texts)
    stays = bytearray(total)
    heads, tails = policy.heads, policy.tails
    seen: dict[int, int] = {}
    told: set[str] = set()
    reasons: set[str] = set()
    owed = False  # a failing test was named, its message not yet
    for row in range(total):
        kind = classes[row]
        if kind in (GLUE, FRAME):
            stays[row] = 1
        elif owned[row] or kind == TROUBLE:
            continue
        elif kind == ERROR:
            text = texts[row]
            body = bodies.get(row)
            if body:
                text = "\n".join([text, *map(texts.__getitem__, body)])
            if policy.stamps:
                text = unstamped(text)
            if text not in told:
                told.add(text)
                stays[row] = 1
                owed = body is None and FAILING.match(text) is not None
            elif owed and (text.startswith("E  ") or text[0] not in " \t>|"):
                stays[row] = 1
                owed = False
        else:
            template = templates[row]
            count = seen.get(template, 0)
            if kind == SKIPPED and len(reasons) < _REASONS:
                why = reason(texts[row])
                if why not in reasons:
                    reasons.add(why)
                    stays[row] = 1
                    continue
            if count < heads[kind]:
                text = texts[row]
                if text not in told:
                    told.add(text)
                    stays[row] = 1
                    seen[template] = count + 1
                    owed = owed or (kind == SUMMARY and FAILING.match(text) is not None)
    troubles(log, stays)
    left: dict[int, int] = {}
    for row in range(total):
        if not stays[row] and not owned[row]:
            left[templates[row]] = left.get(templates[row], 0) + 1
    seen = {}
    for row in range(total - 1, -1, -1):
        kind = classes[row]
        if tails[kind] and not stays[row] and not owned[row]:
            template = templates[row]
            if left[template] < _TAIL_FROM:
                continue
            count = seen.get(template, 0)
            if count < tails[kind]:
                seen[template] = count + 1
                if texts[row] not in told:
                    told.add(texts[row])
                    stays[row] = 1
    return stays


def _fold_traces(log: Log, stays: bytearray) -> None:
    """Take out traces that were told before and the inner rounds of recursion; mark them in ``log.again``."""
    texts, classes, again = log.texts, log.classes, log.again
    known: set[str] = set()
    for start, end in log.traces:
        if end - start < 2 and not texts[start].startswith(("Caused by", "Traceback")):
            continue
        body = "\n".join(texts[start:end])
        if body in known:
            for row in range(start, end):
                stays[row] = 0
                again[row] = 1
            continue
        known.add(body)
        for row in range(start, end):
            stays[row] = 1
        for row in (start - 1, end):
            # A trace is told by its message: it stays beside new frames even when it was told before.
            if 0 <= row < len(texts) and classes[row] == ERROR:
                stays[row] = 1
        for first, last in cycles(texts, start, end):
            for row in range(first, last):
                stays[row] = 0
                again[row] = 1


def _ask(log: Log, stays: bytearray, question: str) -> set[int]:
    """Keep the lines that rare words of the question stand in; return them."""
    from headroom_cli.rank import terms

    words = {word for word in terms(question[-4000:]) if len(word) > 2 and word not in _STOP and not word.isdigit()}
    if not words or len(words) > 200:
        words = set(sorted(words)[:200])
    if not words:
        return set()
    total = len(log.texts)
    scores: dict[int, float] = {}
    low = [text[:2000].lower() for text in log.texts]
    joined = "\n".join(low)
    starts: list[int] = []
    at = 0
    for text in low:
        starts.append(at)
        at += len(text) + 1
    rare = max(8, total // 50)
    for word in sorted(words):
        holders: list[int] = []
        at = joined.find(word)
        while at >= 0 and len(holders) <= rare:
            row = bisect_right(starts, at) - 1
            holders.append(row)
            if row + 1 >= total:
                break
            at = joined.find(word, starts[row + 1])
        if len(holders) > rare:
            continue
        for row in holders:
            scores[row] = scores.get(row, 0.0) + 1.0 / (1 + len(holders))
    best = sorted(scores, key=lambda row: (-scores[row], row))[:_ASKED]
    for row in best:
        stays[row] = 1
    return set(best)


def _near(log: Log, stays: bytearray) -> None:
    """Where errors are few, keep the two lines before each and the one behind it: what led there."""
    rows = [row for row, kind in enumerate(log.classes) if kind == ERROR and stays[row]]
    if not rows or len(rows) * 50 > len(log.texts):
        return
    for row in rows:
        for near in (row - 2, row - 1, row + 1):
            if 0 <= near < len(stays) and not log.again[near]:
                stays[near] = 1


def _settle(log: Log, stays: bytearray, shortest: int) -> None:
    """Let lines follow what they belong to: continuation lines their head, rules and blanks their neighbours."""
    texts, classes = log.texts, log.classes
    total = len(texts)
    row = 0
    while row < total:
        if classes[row] != GLUE:
            row += 1
            continue
        start = row
        while row < total and classes[row] == GLUE:
            row += 1
        if start > 0 and not stays[start - 1]:
            for at in range(start, row):
                stays[at] = 0
        elif row < total and not stays[row]:
            for at in range(row - 1, start - 1, -1):
                if texts[at]:
                    break
                stays[at] = 0
    row = 0
    while row < total:
        if stays[row]:
            row += 1
            continue
        start = row
        size = 0
        while row < total and not stays[row]:
            size += len(texts[row]) + 1
            row += 1
        short = row - start < shortest and any(classes[at] not in (PASSED, GLUE) for at in range(start, row))
        if size <= NOTE or short:
            for at in range(start, row):
                stays[at] = 1


def _follow(log: Log, stays: bytearray) -> None:
    """Let plain indented lines go with the head that they continue."""
    head_stays = 1
    for row, text in enumerate(log.texts):
        if not text:
            continue
        kind = log.classes[row]
        if text[0] not in " \t|":
            head_stays = stays[row] or kind == GLUE
        elif kind == PLAIN and not head_stays:
            stays[row] = 0


def choose(log: Log, policy: Policy, question: str) -> tuple[bytearray, set[int]]:
    """Return which lines stay under a policy, and which of them the question asked for."""
    log.again = bytearray(len(log.texts))
    log.folded = bytearray(len(log.texts))
    log.guards = bytearray(len(log.texts))
    stays = _choose(log, policy)
    _fold_traces(log, stays)
    _follow(log, stays)
    headings(log, stays)
    reasons_of_go(log, stays)
    asked = _ask(log, stays, question) if question else set()
    _near(log, stays)
    close(log, stays)
    stays[0] = stays[-1] = 1
    _settle(log, stays, policy.shortest)
    return stays, asked


_PLACE = pattern(r"[ \t]{1,12}\d{1,7}:\d{1,6}[ \t]")


def _worth(log: Log, stays: bytearray, asked: set[int]) -> list[int]:
    """Return the kept lines that a budget may take, the least missed first; errors stand last."""
    total = len(log.texts)
    base = [0] * _ALL_CLASSES
    base[PASSED], base[GLUE], base[PLAIN], base[WARNING], base[FRAME], base[SUMMARY], base[TROUBLE], base[ERROR] = (
        0, 1, 2, 10, 20, 30, 40, 60,
    )  # fmt: skip
    base[SKIPPED] = base[WARNING]
    values: list[tuple[int, int]] = []
    last_error = -100
    for row in range(total):
        kind = log.classes[row]
        if kind == ERROR:
            last_error = row
        if not stays[row]:
            continue
        value = max(base[kind], 50 if log.owned[row] else (0, 20, 50)[log.guards[row]])
        if row in asked:
            value += 45
        if row - last_error <= 2:
            value += 3
        if total - row <= 12 or row < 3:
            value += 5
        values.append((value, row))
    named = _named(log, stays, {row: value for value, row in values})
    values = [(named.get(row, value), row) for value, row in values]
    values.sort()
    return [row for _, row in values]


def _named(log: Log, stays: bytearray, worth: dict[int, int]) -> dict[int, int]:
    """Return the worth of the lines that name the file of the places below them: a place without its file is no place.

    ESLint, stylelint and rubocop's kind of report: a path alone, then ``  12:3  error ...`` on indented lines.
    """
    found: dict[int, int] = {}
    head = -1
    for row, text in enumerate(log.texts):
        if not text or text[0] not in " \t":
            head = row if text and stays[row] else -1
        elif head >= 0 and stays[row] and _PLACE.match(text):
            found[head] = max(found.get(head, 0), worth.get(row, 0) + 1)
    return found


def _protected(log: Log, row: int) -> bool:
    """Say whether only an explicit budget may take a line out: errors, their causes, the result at the end."""
    kind = log.classes[row]
    if log.owned[row] or log.guards[row] > 1:
        return True
    if kind == FRAME:
        # The first frame says where; all of a trace is what the level saves.
        return (row > 0 and log.classes[row - 1] != FRAME) or "Caused by: " in log.texts[row][:80]
    return kind in (ERROR, TROUBLE) or (kind == SUMMARY and row >= len(log.texts) - 20)


def squeeze(log: Log, stays: bytearray, asked: set[int], want: Want, target: int, *, errors: bool) -> Rendering | None:
    """Take lines out, least missed first, until the rendering counts ``target`` tokens or only errors are left.

    Return None when the time is over. With ``errors`` also those may go; the rendering counts them.
    """
    order = _worth(log, stays, asked)
    if not errors:
        order = [row for row in order if not _protected(log, row)]
    low, high = 0, len(order)
    best: Rendering | None = None
    while low <= high:
        if want.spent():
            return None
        middle = (low + high) // 2
        trial = bytearray(stays)
        for row in order[:middle]:
            trial[row] = 0
        made = render(log, trial)
        if want.count(made.text("\n")) <= target:
            best = made
            high = middle - 1
        else:
            low = middle + 1
            if best is None and middle == len(order):
                best = made
    return best


def pick(log: Log, want: Want) -> Rendering | None:
    """Return the rendering that the level and the budget ask for; None when the time is over."""
    if want.budget is not None:
        made: Rendering | None = None
        for level in ("safe", "balanced", "max"):
            stays, asked = choose(log, POLICIES[level], want.question)
            made = render(log, stays, crop=level != "safe")
            if want.spent():
                return None
            if want.count(made.text("\n")) <= want.budget:
                return made
        return squeeze(log, stays, asked, want, want.budget, errors=True)
    if want.level != "max":
        stays, asked = choose(log, POLICIES[want.level], want.question)
        return None if want.spent() else render(log, stays, crop=want.level != "safe")
    stays, asked = choose(log, POLICIES["balanced"], want.question)
    balanced = render(log, stays)
    size = want.count(balanced.text("\n"))
    target = max(size // 2, _FLOOR)
    stays, asked = choose(log, POLICIES["max"], want.question)
    made = render(log, stays)
    if want.spent():
        return None
    if want.count(made.text("\n")) <= target:
        return made
    squeezed = squeeze(log, stays, asked, want, target, errors=False)
    # Where failures are all there is, every line taken out of them singly costs a note: never more than balanced.
    made = min((found for found in (squeezed, made) if found), key=lambda found: want.count(found.text("\n")))
    return made if want.count(made.text("\n")) <= size else balanced
