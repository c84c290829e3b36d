"""What a summary says of a file: how many lines it stands for, what they are, and where they were."""

from __future__ import annotations

from headroom_cli.compressors.diffs import paths
from headroom_cli.compressors.diffs.packages import changed_packages
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.diffs.parse import Hunk, Section

_BEGINS = 70  # characters of a new file's first lines
_NAMES = 12  # definitions of a deleted file

# A definition in most languages: at the start of a line, behind at most three modifiers.
_DEFINED = pattern(
    r"[+-](?:(?:export|default|public|private|protected|static|final|abstract|async|pub|pub\(crate\)|internal|unsafe)"
    r" ){0,3}"
    r"(?:def|class|fn|func|function|struct|enum|trait|interface|type|impl|module|namespace|record|object|macro_rules!)"
    r" (?:\([^()\n]{1,80}\) )?([A-Za-z_$][\w$:.]{0,80})"
)
_HEADING = pattern(r"[+-]#{1,4} (\S[^\n]{0,80})")


def counted(number: int, unit: str) -> str:
    """Return "1 line", "2 lines"."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}{'es' if unit.endswith('h') else 's'}"


def changed(section: Section) -> tuple[int, int]:
    """Return how many lines a section adds and removes."""
    plus = minus = 0
    for hunk in section.hunks:
        plus += hunk.kinds.count("+")
        minus += hunk.kinds.count("-")
    return plus, minus


def places(hunks: list[Hunk], lines: list[str]) -> str:
    """Return the numbers of hunks, "@@ -1,29 +0,0 @@ -40,3 +12,4 @@": where the lines that a note stands for were."""
    said: list[str] = []
    for hunk in hunks:
        header = lines[hunk.head][: hunk.tail]
        said.append(header.lstrip("@") if said else header)
    return "".join(said)


def what_it_is(section: Section) -> str:
    """Return "new", "deleted", "renamed from x" or ""."""
    if section.old == "/dev/null" or "new file mode" in section.fields:
        return "new"
    if section.new == "/dev/null" or "deleted file mode" in section.fields:
        return "deleted"
    before = section.fields.get("rename from")
    if before is not None:
        return f"renamed from {before}"
    before = section.fields.get("copy from")
    return "" if before is None else f"copied from {before}"


def summary(section: Section, lines: list[str], kind: str, *, numbers: bool = True) -> str:
    """Return the note that stands for a whole section."""
    plus, minus = changed(section)
    state = what_it_is(section)
    said = kind if kind not in (paths.SOURCE, paths.DATA) else ""
    count = f"{plus + minus} changed lines" if plus and minus else counted(plus + minus, "line")
    signs = f"+{plus} -{minus}" if plus and minus else ""
    facts = ", ".join([fact for fact in (state, said, signs) if fact])
    text = f"[... {count} of {section.path}"
    if facts:
        text += f" ({facts})"
    about = ""
    if kind == paths.LOCK:
        about = changed_packages(section, lines)
    elif kind == paths.DATA and not minus:
        about = _begin(section, lines)
    elif kind == paths.SOURCE:
        about = definitions([line for hunk in section.hunks for line in lines[hunk.start : hunk.end]])
    if about:
        text += f": {about}"
    return f"{text}; {places(section.hunks, lines)}]" if numbers else text + "]"


def _begin(section: Section, lines: list[str]) -> str:
    """Return the first words of a new file."""
    hunk = section.hunks[0]
    begin = ""
    for line in lines[hunk.start : hunk.end]:
        begin = f"{begin} {line[1 : 4 * _BEGINS].strip()}" if begin else line[1 : 4 * _BEGINS].strip()
        if len(begin) > _BEGINS:
            break
    return f"begins {begin[:_BEGINS].rstrip()}" if begin else ""


def definitions(changed_lines: list[str]) -> str:
    """Return the names that changed lines define, or their headings."""
    names: dict[str, None] = {}
    for line in changed_lines:
        match = _DEFINED.match(line) or _HEADING.match(line)
        if match:
            names[match.group(1)] = None
    said = list(names)
    more = f" and {len(said) - _NAMES} more" if len(said) > _NAMES else ""
    return ", ".join(said[:_NAMES]) + more
