"""What only the whole report of a test runner tells: suites and their tests, and why a test was skipped."""

from __future__ import annotations

from headroom_cli.compressors.logs.lines import GLUE, PASSED, PLAIN, SKIPPED
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.logs.pick import Log

_DASHED = pattern(r"\s{2,40}[-\u2026] \S")  # mocha, Pest: "  - name", Pest: "  \u2026 name" for one to be written
_GO_SKIPPED = pattern(r"\s*--- SKIP: ")
_GO_SAID = pattern(r"\s+\S{1,300}\.go:\d{1,7}: ")
_TIME = pattern(r" \([\d.]+ ?m?s\)$")
_REASONS = 60  # distinct ones that stay
_DIGITS = str.maketrans("", "", "0123456789")


def tell_apart(log: Log, keys: list[bytes]) -> None:
    """Correct the classes of lines that a runner writes for skipped tests and suites where others tell."""
    heads = [key.strip() for key in keys]
    if b"pending" in heads or any(head.startswith(b"Tests:") and b" skipped" in head for head in heads):
        ends = {
            number
            for number, head in enumerate(heads)
            if head in (b"pending", b"passing", b"passing (s)", b"passing (ms)") or head.startswith(b"Tests:")
        }
        for row, text in enumerate(log.texts):
            if log.rows[row] in ends:
                break  # what follows are failures, with dashes of their own
            if log.classes[row] == PLAIN and _DASHED.match(text):
                log.classes[row] = SKIPPED
    mark = "\u25b6 "
    if any(head.startswith(mark.encode()) for head in heads):  # node's reporter closes a suite as it does a test
        names = {text.strip()[2:] for text in log.texts if text.lstrip().startswith(mark)}
        for row, text in enumerate(log.texts):
            if log.classes[row] == PASSED and _TIME.sub("", text.strip())[2:] in names:
                log.classes[row] = PLAIN


def headings(log: Log, stays: bytearray) -> None:
    """Let the heading of a suite go with its tests when all of them passed and went."""
    texts, classes = log.texts, log.classes
    open_row = -1
    depth = 0
    gone = False
    for row, text in enumerate(texts):
        kind = classes[row]
        if kind == GLUE:
            continue
        indent = len(text) - len(text.lstrip(" "))
        if open_row >= 0 and indent > depth and kind == PASSED:
            gone = gone or not stays[row]
            if stays[row]:
                open_row = -1
            continue
        if open_row >= 0 and gone and indent <= depth:
            stays[open_row] = 0
        open_row = row if kind == PLAIN and indent and row else -1
        depth = indent
        gone = False
    if open_row >= 0 and gone:
        stays[open_row] = 0


def reasons_of_go(log: Log, stays: bytearray) -> None:
    """Keep why a Go test was skipped, once for each reason: the line stands beside the verdict, above or below it."""
    texts, classes = log.texts, log.classes
    told: set[str] = set()
    for row, kind in enumerate(classes):
        if kind != SKIPPED or not _GO_SKIPPED.match(texts[row]):
            continue
        for near in (row - 1, row + 1):
            if 0 <= near < len(texts) and _GO_SAID.match(texts[near]):
                said = texts[near].translate(_DIGITS)
                if said not in told and len(told) < _REASONS:
                    told.add(said)
                    stays[near] = stays[row] = 1
