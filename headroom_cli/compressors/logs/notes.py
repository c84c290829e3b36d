"""Write the lines that stay, and say in each gap how many lines it held and what they were."""

from __future__ import annotations

from headroom_cli.compressors.logs.clean import written
from headroom_cli.compressors.logs.lines import ERROR, GLUE, LEVEL, NOTED, PASSED, TROUBLE
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


_DOTS = pattern(r"(?:^|\s)[.sx]{2,200}(?: +\[ *\d+%\])?$")


def _crop(text: str, kind: int) -> tuple[str, int]:
    """Return a line without its middle when it is far too long, and how many characters that takes out."""
    head, tail = _ERROR_CROP if kind in (ERROR, TROUBLE) else _CROP
    if len(text) <= head + tail + 100:
        return text, 0
    cut = len(text) - head - tail
    return f"{text[:head]}[... {cut} characters]{text[-tail:]}", cut


def _label(text: str, kind: int) -> str:
    """Return the word under which a dropped line is counted, "" for none."""
    if kind == PASSED:  # a line of dots is a line, not one test
        return "of passed tests" if _DOTS.search(text) else "passed"
    found = LEVEL.search(text[:200])
    return (found.group(1) or found.group(2)).upper() if found else ""


def render(log: Log, stays: bytearray, *, crop: bool = True) -> Rendering:
    """Write a log under a choice of lines."""
    texts, counts, classes, rows, again = log.texts, log.counts, log.classes, log.rows, log.again
    made = Rendering()
    out = made.lines
    labels: dict[int, str] = {}
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
            elif kind == GLUE:
                label = ""
            else:
                key = rows[row]
                known = labels.get(key)
                if known is None:
                    known = labels[key] = _label(texts[row], kind)
                label = known
            if label:
                held[label] = held.get(label, 0) + count
            row += 1
        said = ", ".join(f"{count} {label}" for label, count in sorted(held.items(), key=lambda pair: -pair[1])[:4])
        unit = "line" if lines == 1 else "lines"
        out.append(f"[... {lines} {unit}: {said}]" if said and lines > 3 else f"[... {lines} {unit}]")
    return made
