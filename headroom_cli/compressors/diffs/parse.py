"""Cut a text with diffs in it into sections of hunks; what is not surely understood stays text.

A hunk is believed only when its lines add up to the counts of its header and no further changed line follows. Lines are
looked at through one string that holds the first character of each, so that counting is done in C.
"""

from __future__ import annotations

from headroom_cli.lazy import pattern

# A blank context line whose trailing blank some editor took away; stands for "" in the string of first characters.
BLANK = "\n"

_HUNK = pattern(r"@@ -(\d{1,10})(?:,(\d{1,10}))? \+(\d{1,10})(?:,(\d{1,10}))? @@")
_COMBINED = pattern(r"(@{3,17})((?: -\d{1,10}(?:,\d{1,10})?)+) \+(\d{1,10})(?:,(\d{1,10}))? (@{3,17})")
_GIT = ("diff --git ", "diff --cc ", "diff --combined ")
# The lines that git may put between "diff --git" and the first hunk.
_EXTENDED = (
    "index ", "old mode ", "new mode ", "deleted file mode ", "new file mode ", "copy from ", "copy to ",
    "rename from ", "rename to ", "similarity index ", "dissimilarity index ", "mode ",
)  # fmt: skip
# The prefixes of both names: usual, of index, work tree, commit and object (diff.mnemonicPrefix), reversed by -R.
_PREFIXES = frozenset(("ab", "ba", "iw", "wi", "ci", "ic", "cw", "wc", "co", "oc", "ow", "wo", "12", "21"))
# A line that starts like a changed one but follows a whole hunk.
_AFTER = ("--- ", "-- ", "---")


class Hunk:
    r"""One hunk: ``head`` numbers its header line, ``start`` to ``end`` are its body, ``kinds`` has a character a line.

    ``kinds`` holds "+", "-", " ", "\\" or BLANK; of a combined diff, "+" stands for any line that some parent lacks.
    ``olds`` and ``new`` are first line numbers; ``tail`` is where the header's text after the numbers begins.
    """

    __slots__ = ("end", "head", "kinds", "new", "olds", "start", "tail")

    def __init__(self, head: int, end: int, kinds: str, *, olds: tuple[int, ...], new: int, tail: int) -> None:
        """``olds`` has one number for each parent."""
        self.head = head
        self.start = head + 1
        self.end = end
        self.kinds = kinds
        self.olds = olds
        self.new = new
        self.tail = tail


class Section:
    """What a diff says of one file: header lines ``start`` to ``body``, hunks, and doubtful lines up to ``end``.

    ``git`` is "diff --git", "diff --cc" and the like, "" for a plain header. ``old`` and ``new`` are the names as they
    stand, prefix included ("/dev/null" for none). ``certain`` is false when lines follow that are no whole hunk;
    ``prefixed`` is true when the names begin with git's "a/" and "b/" or their like.
    """

    __slots__ = ("binary", "body", "certain", "end", "fields", "git", "hunks", "new", "old", "prefixed", "start")

    def __init__(self, start: int, git: str) -> None:
        """Begin with a header of one line."""
        self.start = start
        self.body = start + 1
        self.end = start + 1
        self.git = git
        self.old = ""
        self.new = ""
        self.fields: dict[str, str] = {}  # extended header: "rename from" -> name
        self.hunks: list[Hunk] = []
        self.binary = False
        self.certain = True
        self.prefixed = False

    @property
    def path(self) -> str:
        """The name of the file after the change, or before it when it is gone; without git's prefix."""
        name = self.fields.get("rename to") or self.fields.get("copy to")
        if name is None:
            name = self.old if self.new == "/dev/null" else self.new or self.old
            if self.prefixed:
                name = name[2:]
        return name or "one file"


def firsts_of(lines: list[str]) -> str:
    """Return the first character of each line, BLANK for an empty one."""
    return "".join([line[:1] or BLANK for line in lines])


def sections(lines: list[str], firsts: str) -> list[Section]:
    """Return the sections in order; lines between them are other text."""
    found: list[Section] = []
    total = len(lines)
    at = 0
    candidates = pattern(r"[-d@]").search
    while at < total:
        match = candidates(firsts, at)
        if match is None:
            break
        at = match.start()
        section = _section(lines, firsts, at)
        if section is None:
            at += 1
            continue
        found.append(section)
        at = section.end
    return found


def _section(lines: list[str], firsts: str, at: int) -> Section | None:
    line = lines[at]
    if firsts[at] == "d":
        for git in _GIT:
            if line.startswith(git):
                section = Section(at, git[:-1])
                _git_header(lines, section)
                break
        else:
            return None
    elif line.startswith("--- ") and at + 2 < len(lines) and lines[at + 1].startswith("+++ "):
        if not lines[at + 2].startswith("@@ -"):
            return None
        section = Section(at, "")
        section.old, section.new = name_of(line), name_of(lines[at + 1])
        section.prefixed = _prefixed(section.old, section.new)
        section.body = section.end = at + 2
    elif line.startswith(("@@ -", "@@@ -")):
        section = Section(at, "")  # as services send the change of one file: hunks without its name
        section.body = section.end = at
    else:
        return None
    if section.binary:
        return section
    _hunks(lines, firsts, section)
    if section.hunks or section.fields or not section.certain:
        return section
    return None


def name_of(line: str) -> str:
    """Return the name in a "--- " or "+++ " line, without time stamp and quotes."""
    name = line[4:].partition("\t")[0].rstrip("\r")
    if name[:1] == '"' and name[-1:] == '"' and len(name) > 1:
        return name[1:-1]
    return name


def _prefixed(old: str, new: str) -> bool:
    """Tell names with git's prefixes from names that only have a short folder."""
    if old == "/dev/null":
        return new[:2] in ("b/", "a/", "w/", "i/")
    if new == "/dev/null":
        return old[:2] in ("a/", "b/", "i/", "c/")
    return old[1:2] == new[1:2] == "/" and old[:1] + new[:1] in _PREFIXES


def _git_header(lines: list[str], section: Section) -> None:
    at, total = section.start + 1, len(lines)
    while at < total:
        line = lines[at]
        if not line.startswith(_EXTENDED):
            break
        key, value = _field(line)
        section.fields[key] = value
        at += 1
    if at + 1 < total and lines[at].startswith("--- ") and lines[at + 1].startswith("+++ "):
        section.old, section.new = pair = name_of(lines[at]), name_of(lines[at + 1])
        if "/dev/null" in pair:
            pair = _names(lines[section.start], section)
        at += 2
    elif at == section.start + 1 and (at == total or not lines[at].startswith(("@@", "Binary files ", "GIT binary "))):
        return  # a name and nothing said of it
    else:
        section.old, section.new = pair = _names(lines[section.start], section)
        if at < total and lines[at].startswith("Binary files ") and lines[at].endswith(" differ"):
            section.binary = True
            at += 1
        elif at < total and lines[at] == "GIT binary patch":
            section.binary = True
            at = _binary_patch(lines, at + 1)
    section.prefixed = section.git == "diff --git" and _prefixed(*pair)
    section.body = section.end = at


def _field(line: str) -> tuple[str, str]:
    """Cut "rename from x" into ("rename from", "x")."""
    for key in _EXTENDED:
        if line.startswith(key):
            return key[:-1], line[len(key) :]
    return line, ""


def _names(line: str, section: Section) -> tuple[str, str]:
    """Return the two names of a "diff --git" line; where blanks make them unsure, the whole rest twice."""
    rest = line[len(section.git) + 1 :].rstrip("\r")
    if section.git != "diff --git":
        return rest, rest
    half = len(rest) // 2
    if rest[half : half + 1] == " " and rest[:half].partition("/")[2] == rest[half + 1 :].partition("/")[2]:
        return rest[:half], rest[half + 1 :]
    old, _, new = rest.partition(" ")
    return (old, new) if " " not in new else (rest, rest)


def _binary_patch(lines: list[str], at: int) -> int:
    """Return the line after the blocks of a binary patch, each ended by an empty line."""
    total = len(lines)
    while at < total and lines[at].startswith(("literal ", "delta ")):
        while at < total and lines[at]:
            at += 1
        if at < total:
            at += 1
    return at


def _hunks(lines: list[str], firsts: str, section: Section) -> None:
    at, total = section.body, len(lines)
    while at < total and firsts[at] == "@":
        hunk = _hunk(lines, firsts, at)
        if hunk is None:
            section.certain = False
            break
        section.hunks.append(hunk)
        at = hunk.end
    if not section.certain and section.body == section.start and not section.hunks:
        section.certain = True  # only a line that looks like a hunk's header: nothing begins here
    if not section.certain:
        # Up to where the next file, commit or message surely begins.
        at += 1
        while at < total and not (firsts[at] in "dc-" and _begins(lines, at)):
            at += 1
    section.end = at


def _begins(lines: list[str], at: int) -> bool:
    line = lines[at]
    if line.startswith((*_GIT, "diff -", "commit ")):
        return True
    return (
        line.startswith("--- ")
        and at + 2 < len(lines)
        and lines[at + 1].startswith("+++ ")
        and lines[at + 2].startswith("@@ -")
    )


def _hunk(lines: list[str], firsts: str, at: int) -> Hunk | None:
    line = lines[at]
    match = _HUNK.match(line)
    if match is None:
        return _combined(lines, at) if line.startswith(("@@@ -", "@@@@")) else None
    old, old_count, new, new_count = match.groups()
    end = _end(firsts, at + 1, 1 if old_count is None else int(old_count), 1 if new_count is None else int(new_count))
    if end < 0:
        return None
    kinds = firsts[at + 1 : end]
    if "+" not in kinds and "-" not in kinds:
        return None
    if firsts[end : end + 1] in ("+", "-", " ", "\\") and not lines[end].startswith(_AFTER):
        return None  # more lines than the header announced: somebody edited it
    return Hunk(at, end, kinds, olds=(int(old),), new=int(new), tail=match.end())


def _end(firsts: str, at: int, old: int, new: int) -> int:
    """Return the line after a body of ``old`` and ``new`` lines, -1 when it is not whole."""
    step = 256  # a header may announce millions of lines that are not there: never look far beyond what is
    while old > 0 or new > 0:
        kinds = firsts[at : at + min(step, max(old, new))]
        step *= 2
        context, minus, plus = kinds.count(" "), kinds.count("-"), kinds.count("+")
        if context + minus + plus != len(kinds):
            context += kinds.count(BLANK)
            if context + minus + plus + kinds.count("\\") != len(kinds):
                return -1
        elif not kinds:
            return -1
        old -= context + minus
        new -= context + plus
        at += len(kinds)
        if old < 0 or new < 0:
            return -1
    return at + (firsts[at : at + 1] == "\\")


# The columns of a line -> its kind ("@" for none), the parents that have it, 1 when the result has it. There are few.
_MARKS: dict[str, tuple[str, tuple[int, ...], int]] = {}


def _mark(mark: str, width: int) -> tuple[str, tuple[int, ...], int]:
    """Read the columns of a line of a merge: a line counts for those parents that have it."""
    known: tuple[str, tuple[int, ...], int] = ("@", (), 0)
    if mark[:1] == "\\":
        known = ("\\", (), 0)
    elif len(mark) == width and not mark.strip("+- ") and not ("+" in mark and "-" in mark):
        gone = "-" in mark
        parents = tuple(parent for parent, char in enumerate(mark) if char == ("-" if gone else " "))
        known = ("+" if mark.strip() else " ", parents, 0 if gone else 1)
        if width <= 4:
            _MARKS[mark] = known
    return known


def _combined(lines: list[str], at: int) -> Hunk | None:
    """Read a hunk of a merge, of which each line has a column for each parent."""
    match = _COMBINED.match(lines[at])
    if match is None or match.group(1) != match.group(5):
        return None
    ranges = [part[1:].partition(",") for part in match.group(2).split()]
    width = len(match.group(1)) - 1
    if len(ranges) != width:
        return None
    left = [int(count) if comma else 1 for _, comma, count in ranges]
    new = int(match.group(4)) if match.group(4) is not None else 1
    kinds = []
    end = at + 1
    rest = new + sum(left)
    while rest > 0 and end < len(lines):
        mark = lines[end][:width]
        known = _MARKS.get(mark)
        if known is None:
            known = _mark(mark, width)
        kind, parents, fresh = known
        if kind == "@":
            return None
        new -= fresh
        for parent in parents:
            left[parent] -= 1
        rest -= fresh + len(parents)
        kinds.append(kind)
        end += 1
    if new or any(left) or "+" not in kinds:
        return None
    if end < len(lines) and lines[end][:1] == "\\":
        kinds.append("\\")
        end += 1
    olds = tuple(int(start) for start, _, _ in ranges)
    return Hunk(at, end, "".join(kinds), olds=olds, new=int(match.group(3)), tail=match.end())


def columns(hunk: Hunk, lines: list[str], start: int, end: int) -> tuple[list[int], int]:
    """Return how many of the body's lines ``start`` to ``end`` each parent has, and how many the result has."""
    if len(hunk.olds) == 1:
        kinds = hunk.kinds
        size = end - start - kinds.count("\\", start, end)
        return [size - kinds.count("+", start, end)], size - kinds.count("-", start, end)
    width = len(hunk.olds)
    olds, new = [0] * width, 0
    for line in lines[hunk.start + start : hunk.start + end]:
        if line[:1] == "\\":
            continue
        mark = line[:width]
        gone = "-" in mark
        new += not gone
        for parent, char in enumerate(mark):
            olds[parent] += char == ("-" if gone else " ")
    return olds, new
