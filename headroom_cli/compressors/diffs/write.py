"""Write the sections of a diff again: as whole patches with less context, in part, or as a note.

A section is a patch as a whole or not at all: what git would apply must be the file's whole change. A section of which
something is missing keeps no line that begins with "@@ " or "--- ".
"""

from __future__ import annotations

from headroom_cli.compressors.diffs import notes
from headroom_cli.compressors.diffs.crop import crop
from headroom_cli.compressors.diffs.trim import pieces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.diffs.parse import Hunk, Section

# Characters of changed lines below which a note saves too little to lose the lines for it.
SMALL = 320
# Lines of a deleted file that stay whole, and of a longer one that stay at its beginning.
DELETED = 100
DELETED_HEAD = 60
# Characters of changed lines shown of a recorded file that was changed; the other hunks are counted.
SHOWN = 1600
# Characters of a new JSON or text file outside of tests from which on it is data.
BULK = 6000
# Characters of a line from which on nobody reads it: minified, encoded.
LONG = 3000
# Characters of one hunk's changed lines from which on a repetition is told by reference.
REPEATED = 400
# Files renamed without a change from which on they are listed.
MOVED = 5

_PLAIN_MODE = ("100644", "100644\r")


class Tally:
    """What the rendering leaves out, for the marker."""

    __slots__ = ("context", "headers", "lines", "summarised")

    def __init__(self) -> None:
        """Start with nothing."""
        self.context = 0
        self.headers = 0
        self.lines = 0
        self.summarised = 0

    def missing(self) -> str:
        """Return the marker's words, "" when nothing is missing."""
        said = []
        if self.lines:
            said.append(f"{notes.counted(self.lines, 'changed line')} in {notes.counted(self.summarised, 'file')}")
        if self.context or self.headers:
            said.append(notes.counted(self.context + self.headers, "context and header line"))
        return ", ".join(said)


def size_of(section: Section, lines: list[str]) -> int:
    """Return the characters of a section's hunks."""
    return sum([sum(map(len, lines[hunk.start : hunk.end])) for hunk in section.hunks])


def header(section: Section, lines: list[str]) -> list[str]:
    """Return the lines that git needs of a section's header, the names once."""
    given = lines[section.start : section.body]
    fields = section.fields
    if section.git == "diff --git" and section.hunks and not given[-1].startswith("+++ "):
        return given  # no names but those of the first line
    if section.git == "diff --git":
        kept = [line for line in given if not line.startswith(("similarity index ", "dissimilarity index "))]
        index = fields.get("index", "")
        if index.partition(" ")[2].rstrip("\r") in ("", "100644", "100755") and "GIT binary patch" not in given:
            kept = [line for line in kept if not line.startswith("index ")]
        if not section.hunks:
            return kept
        mode = fields.get("new file mode") or fields.get("deleted file mode")
        special = fields.keys() - {"index", "new file mode", "deleted file mode"}
        special |= {line for line in kept if line.startswith("index ")}
        if not special and (mode is None or mode in _PLAIN_MODE):
            whole = section.hunks[0]
            emptied = (
                " " not in whole.kinds
                and len(section.hunks) == 1
                and ("-" not in whole.kinds or "+" not in whole.kinds)
            )
            if mode is not None or not emptied:
                return given[-2:]
        if "rename from" in fields or "copy from" in fields:
            return kept[:-2]
        return kept
    if section.git:  # a merge: its first line has the name
        return [line for line in given if not line.startswith(("index ", "--- a/", "+++ b/"))]
    return given


def body(
    hunk: Hunk, lines: list[str], out: list[str], tally: Tally, *, old_numbers: bool, bracket: bool = False
) -> None:
    """Write a hunk with less context."""
    kept = 0
    for text, start, end in pieces(hunk, lines, old_numbers=old_numbers):
        out.append(f"[{text}]" if bracket else text)
        out += lines[start:end]
        kept += end - start
    tally.context += hunk.end - hunk.start - kept


def patch(
    section: Section, given: list[str], lines: list[str], out: list[str], tally: Tally, *, old_numbers: bool
) -> None:
    """Write a section that git still takes: the short header ``given``, hunks with true numbers."""
    tally.headers += section.body - section.start - len(given)
    out += given
    for hunk in section.hunks:
        body(hunk, lines, out, tally, old_numbers=old_numbers)


def note(section: Section, lines: list[str], out: list[str], tally: Tally, kind: str, *, numbers: bool) -> None:
    """Write one line for a whole section."""
    tally.lines += sum(notes.changed(section))
    tally.summarised += 1
    out.append(notes.summary(section, lines, kind, numbers=numbers))


def part(
    section: Section,
    lines: list[str],
    out: list[str],
    tally: Tally,
    *,
    left_out: dict[int, str],
    cut: dict[int, int],
    longest: int,
    numbers: bool,
) -> None:
    """Write a section of which hunks are told by a note, cut short, or have their lines cropped.

    ``left_out`` maps numbers of hunks to words for their note, ``cut`` to how many of their lines stay.
    """
    state = notes.what_it_is(section)
    same = set(left_out.values())
    if len(left_out) == len(section.hunks) and len(same) == 1:
        tally.summarised += 1
        gone = sum(notes.changed(section))
        tally.lines += gone
        where = f"; {notes.places(section.hunks, lines)}" if numbers else ""
        out.append(f"[... {notes.counted(gone, 'changed line')} of {section.path}{same.pop()}{where}]")
        return
    out.append(f"[... not all of the changes of {section.path}{f' ({state})' if state else ''}:]")
    tally.summarised += 1
    waiting: list[Hunk] = []
    words = ""
    for number, hunk in enumerate([*section.hunks, None]):
        said = left_out.get(number, "")
        if waiting and (hunk is None or number not in left_out or said != words):
            gone = sum([h.kinds.count("+") + h.kinds.count("-") for h in waiting])
            tally.lines += gone
            where = f"; {notes.places(waiting, lines)}" if numbers else ""
            out.append(f"[... {notes.counted(gone, 'changed line')}{words}{where}]")
            waiting = []
        words = said
        if hunk is None:
            break
        if number in left_out:
            waiting.append(hunk)
            continue
        if number in cut:
            _begin(hunk, lines, out, tally, cut[number])
            continue
        start = len(out)
        body(hunk, lines, out, tally, old_numbers=numbers, bracket=True)
        if longest:
            shown = out[start:]
            tally.lines += crop(shown, longest)
            out[start:] = shown


def _begin(hunk: Hunk, lines: list[str], out: list[str], tally: Tally, kept: int) -> None:
    """Write the first lines of a hunk and what the others define."""
    middle = hunk.start + kept
    rest = hunk.kinds[kept:]
    gone = rest.count("+") + rest.count("-")
    tally.lines += gone
    tally.context += len(rest) - gone
    out.append(f"[{lines[hunk.head]}]")
    out += lines[hunk.start : middle]
    about = notes.definitions(lines[middle : hunk.end])
    out.append(f"[... {notes.counted(len(rest), 'line')}{': ' if about else ''}{about}]")
