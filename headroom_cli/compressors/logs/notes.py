"""Write the lines that stay, and say in each gap how many lines it held and what they were."""

from __future__ import annotations

from headroom_cli.compressors.logs.clean import written
from headroom_cli.compressors.logs.lines import ERROR, GLUE, LEVEL, NOTED, PASSED, SKIPPED, TROUBLE
from headroom_cli.compressors.logs.runners import WEIGHTY, passed_labels, skipped_label
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.logs.pick import Log

NOTE = 28  # characters: what a gap note costs; a gap that is cheaper is not cut
_ERROR_CROP = (
    1400,
    500,
)  # head and tail, in characters, that stay of a far too long line; errors below 2,000 stay whole
_CROP = (400, 100)


class Rendering:
    """Kept lines and gap notes, with the true counts of what is not there."""

    __slots__ = ("characters", "dropped", "errors", "lines")

    def __init__(self) -> None:
        """Start empty: ``dropped`` lines, ``errors`` of them told nowhere else, ``characters`` cut out of kept ones."""
        self.lines: list[str] = []
        self.dropped = 0
        self.errors = 0
        self.characters = 0

    def text(self, newline: str) -> str:
        """Return the lines joined, without a newline at the end."""
        return newline.join(self.lines)

    def missing(self, total: int) -> str:
        """Return what is missing, for the marker; "" when nothing is."""
        said = f"{self.dropped} of {total} lines" if self.dropped else ""
        if self.errors:
            said += f", {self.errors} with errors"
        if self.characters:
            said += f"{', ' if said else ''}{self.characters} characters of long lines"
        return said


_SAID = pattern(r"(\d{1,12}) ([a-z ]{2,40}|[A-Z]{4,8})(?=, |\]$)")
_MOST = 4  # labels in a note, but for those that must be said


def _crop(text: str, kind: int) -> tuple[str, int]:
    """Return a line without its middle when it is far too long, and how many characters that takes out."""
    head, tail = _ERROR_CROP if kind in (ERROR, TROUBLE) else _CROP
    if len(text) <= head + tail + 100:
        return text, 0
    cut = len(text) - head - tail
    return f"{text[:head]}[... {cut} characters]{text[-tail:]}", cut


def _labels(text: str, kind: int) -> tuple[list[tuple[str, int]], bool]:
    """Return what a dropped line counts, and whether lines that differ from it in digits count the same."""
    if kind == PASSED:
        return passed_labels(text)
    if kind == SKIPPED:
        return [(skipped_label(text), 1)], True
    found = LEVEL.search(text[:200])
    return ([((found.group(1) or found.group(2)).upper(), 1)] if found else []), True


def _say(lines: int, held: dict[str, int]) -> str:
    """Return the note of a gap: its lines and, where it is worth it, what they were."""
    if "passed" in held or "ok" in held:  # the tests were counted: their suites would count them twice
        held.pop("suites passed", None)
        held.pop("packages passed", None)
    ranked = sorted(((label, count) for label, count in held.items() if count), key=lambda pair: -pair[1])
    weighty = sum(label in WEIGHTY for label, _ in ranked)
    if lines <= 3 and not weighty:
        ranked = []
    room = max(_MOST - weighty, 1)
    parts = []
    for label, count in ranked:
        if label not in WEIGHTY:
            room -= 1
            if room < 0:
                continue
        parts.append(f"{count} {label.replace('s passed', ' passed', 1) if count == 1 else label}")
    unit = "line" if lines == 1 else "lines"
    return f"[... {lines} {unit}: {', '.join(parts)}]" if parts else f"[... {lines} {unit}]"


def render(log: Log, stays: bytearray, *, crop: bool = True) -> Rendering:
    """Write a log under a choice of lines."""
    texts, counts, classes, rows, again = log.texts, log.counts, log.classes, log.rows, log.again
    made = Rendering()
    out = made.lines
    labels: dict[int, list[tuple[str, int]]] = {}
    kept_errors: set[str] | None = None
    total = len(texts)
    row = 0
    while row < total:
        if stays[row]:
            text = texts[row]
            if crop and len(text) > 600:
                text, cut = _crop(text, classes[row])
                made.characters += cut
            out.append(written(text, counts[row]))
            row += 1
            continue
        lines = 0
        held: dict[str, int] = {}
        while row < total and not stays[row]:
            count = counts[row]
            kind = classes[row]
            made.dropped += count
            noted = NOTED.match(texts[row]) if kind == GLUE else None
            # A gap that takes in an older note speaks for the lines of that one too.
            lines += count * int(noted[1]) if noted else count
            if again[row]:
                label = "of a trace above"
            elif kind == ERROR:
                if kept_errors is None:
                    kept_errors = {texts[at] for at in range(total) if stays[at] and classes[at] == ERROR}
                if texts[row] in kept_errors:
                    label = "repeated"
                else:
                    label = "with errors"
                    made.errors += count
            elif kind == TROUBLE:
                label = "with other numbers" if log.folded[row] else "repeated"
                made.errors += count if log.folded[row] else 0
            elif noted:
                # What an older note counted is counted on.
                for found in _SAID.finditer(texts[row]):
                    held[found[2]] = held.get(found[2], 0) + count * int(found[1])
                label = ""
            elif kind == GLUE:
                label = ""
            else:
                label = ""
                key = rows[row]
                counted = labels.get(key)
                if counted is None:
                    counted, alike = _labels(texts[row], kind)
                    if alike:
                        labels[key] = counted
                for said, times in counted:
                    held[said] = held.get(said, 0) + count * times
            if label:
                held[label] = held.get(label, 0) + count
            row += 1
        out.append(_say(lines, held))
    return made
