"""Which lines of a log stay, and what the gaps say."""

from __future__ import annotations

from headroom_cli.compressors._logs_clean import written
from headroom_cli.compressors._logs_lines import (
    ERROR,
    FRAME,
    GLUE,
    LEVEL,
    OURS,
    PASSED,
    PLAIN,
    SUMMARY,
    TROUBLE,
    WARNING,
)
from headroom_cli.compressors._logs_templates import merge
from headroom_cli.compressors._logs_traces import cycles, extend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Want

_CROPS = {ERROR: (1400, 500)}  # head and tail that stay of a very long line, in characters
_CROP = (400, 100)
_NOTE = 28  # characters: what a gap note costs; a gap that is cheaper is not cut


class Policy:
    """How many lines of a template stay: the first ``head`` and the last ``tail`` for each class."""

    __slots__ = ("heads", "shortest", "tails")

    def __init__(self, heads: dict[int, int], tails: dict[int, int], shortest: int) -> None:
        """``shortest`` is the number of lines below which a gap is not cut."""
        self.heads = heads
        self.tails = tails
        self.shortest = shortest


POLICIES = {
    "safe": Policy({PLAIN: 8, WARNING: 12, SUMMARY: 20, PASSED: 1}, {PLAIN: 2, WARNING: 2, SUMMARY: 4}, 8),
    "balanced": Policy({PLAIN: 2, WARNING: 3, SUMMARY: 6, PASSED: 1}, {PLAIN: 1, WARNING: 1, SUMMARY: 2}, 1),
    "max": Policy({PLAIN: 1, WARNING: 2, SUMMARY: 4, PASSED: 1}, {SUMMARY: 2}, 1),
}


def _choose(texts: list[str], classes: bytearray, rows: list[int], templates: list[int], policy: Policy) -> bytearray:
    """Return 1 for each line that its template's head or tail, its class or its newness keeps."""
    total = len(texts)
    stays = bytearray(total)
    heads = [0] * 8
    tails = [0] * 8
    for kind, count in policy.heads.items():
        heads[kind] = count
    for kind, count in policy.tails.items():
        tails[kind] = count
    seen: dict[int, int] = {}
    told: set[str] = set()
    wordings: set[int] = set()
    for row in range(total):
        kind = classes[row]
        if kind == GLUE or kind == FRAME:
            stays[row] = 1
        elif kind == ERROR:
            text = texts[row]
            if text not in told:
                told.add(text)
                stays[row] = 1
        elif kind == TROUBLE:
            if rows[row] not in wordings:
                wordings.add(rows[row])
                stays[row] = 1
        else:
            template = templates[row]
            count = seen.get(template, 0)
            if count < heads[kind]:
                text = texts[row]
                if text not in told:
                    told.add(text)
                    stays[row] = 1
                    seen[template] = count + 1
                elif OURS.match(text):
                    stays[row] = 1
    if any(tails):
        seen = {}
        for row in range(total - 1, -1, -1):
            kind = classes[row]
            if tails[kind] and not stays[row]:
                template = templates[row]
                count = seen.get(template, 0)
                if count < tails[kind]:
                    seen[template] = count + 1
                    if texts[row] not in told:
                        told.add(texts[row])
                        stays[row] = 1
    return stays


def _fold_traces(texts: list[str], classes: bytearray, stays: bytearray) -> bytearray:
    """Take out traces that were told before and the inner rounds of recursion; return which rows these are."""
    again = bytearray(len(texts))
    known: set[str] = set()
    for start, end in extend(texts, classes):
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
            if 0 <= row < len(texts) and classes[row] == ERROR:
                stays[row] = 1
        for first, last, _ in cycles(texts, start, end):
            for row in range(first, last):
                stays[row] = 0
                again[row] = 1
    return again


def _settle(texts: list[str], classes: bytearray, stays: bytearray, shortest: int) -> None:
    """Let lines follow what they belong to: continuation lines their head, rules and blanks their neighbours."""
    total = len(texts)
    head_stays = 1
    for row in range(total):
        text = texts[row]
        kind = classes[row]
        if not text:
            continue
        if text[0] not in " \t|":
            head_stays = stays[row] or kind == GLUE
        elif kind == PLAIN and not head_stays:
            stays[row] = 0
    row = 0
    while row < total:
        if classes[row] != GLUE:
            row += 1
            continue
        start = row
        while row < total and classes[row] == GLUE:
            row += 1
        before = start > 0 and not stays[start - 1]
        after = row < total and not stays[row]
        if before:
            for at in range(start, row):
                stays[at] = 0
        elif after:
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
        if size <= _NOTE or row - start < shortest:
            for at in range(start, row):
                stays[at] = 1


def _crop(text: str, kind: int) -> str:
    """Return a line without its middle when it is far too long; errors are cut above 2,000 characters only."""
    head, tail = _CROPS.get(kind, _CROP)
    if len(text) <= head + tail + 100:
        return text
    return f"{text[:head]}[... {len(text) - head - tail} characters]{text[-tail:]}"


def _label(text: str, kind: int) -> str:
    """Return the word under which a dropped line is counted, "" for none."""
    if kind == PASSED:
        return "passed"
    found = LEVEL.search(text[:200])
    return (found.group(1) or found.group(2)).upper() if found else ""


def _render(
    texts: list[str],
    counts: list[int],
    classes: bytearray,
    rows: list[int],
    stays: bytearray,
    again: bytearray,
    *,
    crop: bool,
) -> tuple[list[str], int]:
    """Return the kept lines with their gap notes, and how many lines were left out."""
    out: list[str] = []
    labels: dict[int, str] = {}
    total = len(texts)
    dropped = 0
    row = 0
    while row < total:
        if stays[row]:
            text = texts[row]
            if crop and len(text) > 600:
                text = _crop(text, classes[row])
            out.append(written(text, counts[row]))
            row += 1
            continue
        lines = 0
        held: dict[str, int] = {}
        while row < total and not stays[row]:
            count = counts[row]
            lines += count
            kind = classes[row]
            if again[row]:
                label = "trace repeated"
            elif kind == ERROR:
                label = "repeated"
            elif kind == GLUE:
                label = ""
            else:
                key = rows[row]
                found = labels.get(key)
                label = labels[key] = _label(texts[row], kind) if found is None else found
            if label:
                held[label] = held.get(label, 0) + count
            row += 1
        dropped += lines
        said = ", ".join(f"{count} {label}" for label, count in sorted(held.items(), key=lambda pair: -pair[1])[:4])
        unit = "line" if lines == 1 else "lines"
        out.append(f"[... {lines} {unit}: {said}]" if said and lines > 3 else f"[... {lines} {unit}]")
    return out, dropped


def pick(
    texts: list[str], counts: list[int], classes: bytearray, keys: list[bytes], rows: list[int], want: Want
) -> tuple[list[str], int] | None:
    """Return the lines of the rendering and how many lines it leaves out; None when the time is over."""
    policy = POLICIES[want.level]
    kinds = [0] * len(keys)
    for row, key in enumerate(rows):
        kinds[key] = classes[row]
    numbers = merge(keys, kinds)
    if want.spent():
        return None
    numbers = [-1 if kind == PASSED else number for kind, number in zip(kinds, numbers, strict=True)]
    templates = list(map(numbers.__getitem__, rows))
    stays = _choose(texts, classes, rows, templates, policy)
    again = _fold_traces(texts, classes, stays)
    stays[0] = stays[-1] = 1
    _settle(texts, classes, stays, policy.shortest)
    if want.spent():
        return None
    return _render(texts, counts, classes, rows, stays, again, crop=want.level != "safe")
