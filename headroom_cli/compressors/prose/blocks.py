"""What a text is made of: headings, terms, paragraphs, list items, code, tables; spans of the text, in order.

One pass over the lines, each judged by its first characters: markdown, reStructuredText, AsciiDoc, man pages and plain
text write the same few things in different ways. A span that is taken for the wrong thing costs savings, never text.
"""

from __future__ import annotations

from headroom_cli.compressors.prose.lines import is_list, is_rule, reads_as_sentences
from headroom_cli.lazy import pattern

HEAD = 0  # a heading: stays, and its words count for what stands below it
TERM = 1  # what a definition is of (an option of a man page, `Term` above its text): stays
TEXT = 2  # sentences
ITEM = 3  # a list item: sentences behind a bullet
CODE = 4  # a fence, a literal block: for its own specialist
TABLE = 5
KEEP = 6  # front matter, mail headers, rules, lines that are no sentences: stays as it is

# kind, start of its first line, start of its words (behind indentation and bullet, or the first line of a fence), end
# without the last newline, detail (the language of a fence, "" otherwise)
Block = tuple[int, int, int, int, str]

_BULLET = pattern(
    r"(?:[-*+\u2022\u2023\u25e6\u2013\u00b7]|o(?= {2})|\d{1,3}[.)]|\(?[a-z][.)]"
    r"|\([A-Za-z0-9]{1,3}\))[ \t]+(?=\S)"
)
_HEADING = pattern(r"(?:#{1,6}|={1,6})[ \t]+\S")
_NUMBERED = pattern(r"(?:\d{1,3}\.)+\d{0,3}[ \t]+[^\W\d_]")
_OPTION = pattern(
    r"-{1,2}[^\s,]{1,60}(?:(?:, | \| |,|/| )-{1,2}[^\s,]{1,60})*(?:[ =][A-Z<\[][^\s]{0,40})?(?: {2,}|\t+)(?=\S)"
)
_FENCE = pattern(r"(`{3,12}(?!`)|~{3,12}(?!~))[ \t]*\{?\.?([\w+#-]*)")
_LITERAL = pattern(r"\.\. (?:code-block|code|sourcecode|highlight|parsed-literal|literalinclude)::[ \t]*([\w+#-]*)")
_HEADER = pattern(r"[A-Z][\w-]{1,40}: ?\S")
_SEPARATOR = pattern(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t:-]*)+$")
_MATTER_LINES = 200
_LISTED = 3  # lines; fewer are a paragraph
_SHORT = 100  # characters; longer lines are neither headings nor terms


class Scanner:
    """Cuts one text; the state is the place in its lines."""

    __slots__ = ("_at", "_before", "_flags", "_inset", "_lines", "_open", "_starts", "_text", "found", "listed")

    def __init__(self, text: str) -> None:
        """``found`` fills up in ``scan``."""
        self._text = text
        self._lines = text.split("\n")
        self._starts: list[int] = []
        at = 0
        for line in self._lines:
            self._starts.append(at)
            at += len(line) + 1
        # Where most lines are indented, as in a man page, indentation does not tell code from words.
        self._inset = sum(line[:1] in (" ", "\t") for line in self._lines) * 2 > len(self._lines)
        self._at = 0
        self._before = ""  # the stripped line before the present one
        self._flags = -1  # the indentation of the last option of a command
        self._open: set[str] = set()  # fence marks that nothing closes any more
        self.found: list[Block] = []
        self.listed = 0  # characters on lines that are no sentences: menus, fields, statements

    def scan(self) -> list[Block]:
        """Return the blocks; what is between them is blank."""
        self._front_matter()
        lines = self._lines
        total = len(lines)
        while self._at < total:
            at = self._at
            line = lines[at]
            bare = line.strip()
            if not bare.strip("> \t"):  # blank, or a blank line of a quote: no sentence that could be kept or counted
                self._before = ""
                self._at = at + 1
                continue
            self._one(at, line, bare)
            self._before = lines[self._at - 1].strip()
        return self.found

    def _add(self, kind: int, first: int, stop: int, *, skip: int = 0, after: int = 0, detail: str = "") -> None:
        """Add lines ``first`` to ``stop`` as a block whose words begin ``skip`` characters into the first line.

        The first ``after`` characters are of the block before.
        """
        start = self._starts[first]
        end = self._starts[stop - 1] + len(self._lines[stop - 1].rstrip("\r"))
        self.found.append((kind, start + after, start + skip, end, detail))
        self._at = stop

    def _front_matter(self) -> None:
        lines = self._lines
        mark = lines[0].strip()
        if mark in ("---", "+++"):
            for at in range(1, min(len(lines), _MATTER_LINES)):
                if lines[at].strip() == mark:
                    self._add(KEEP, 0, at + 1)
                    return
        at = 0
        while at < len(lines) and at < _MATTER_LINES and _HEADER.match(lines[at]):
            at += 1
        if at >= 3 and at < len(lines) and not lines[at].strip():
            self._add(KEEP, 0, at)  # the head of a mail

    def _one(self, at: int, line: str, bare: str) -> None:
        """Take the block that begins at a line."""
        first = bare[0]
        indent = len(line) - len(line.lstrip())
        following = self._lines[at + 1] if at + 1 < len(self._lines) else ""
        if not first.isalnum():
            if first in "`~" and self._fence(at, bare):
                return
            if first in "#=" and _HEADING.match(bare):
                self._add(HEAD, at, at + 1, skip=indent)
                return
            if first in "|+" and self._table(at, first):
                return
            if first in "-.+" and self._literal(at, line, bare):
                return
            if is_rule(bare):
                if following.strip() and at + 2 < len(self._lines) and self._lines[at + 2].strip() == bare:
                    self._add(HEAD, at, at + 3)  # a title between two rules
                else:
                    self._add(KEEP, at, at + 1)
                return
            if first == "=" and not bare.strip("= \t"):
                self._simple_table(at)
                return
        underline = following.strip()
        if (
            underline
            and len(bare) <= _SHORT
            and is_rule(underline)
            and not self._before
            and following[:1] == underline[0]
        ):
            self._add(HEAD, at, at + 2, skip=indent)
            return
        if "|" in bare and "-" in underline and _SEPARATOR.match(underline):
            self._rows(at)
            return
        if len(bare) <= _SHORT and self._titled(at, bare, indent, following, underline):
            return
        option = _OPTION.match(bare) if first == "-" else None
        if option:
            self._flags = indent
            if self._is_alone(at, indent):
                self._keep_line(at)  # what it does in one line: the flag without it would say nothing
                return
            # The flag and what it does on one line: two blocks, so that the flag stays whatever becomes of the rest.
            cut = indent + option.end()
            start = self._starts[at]
            flag = indent + len(option.group().rstrip())
            self.found.append((TERM, start, start + indent, start + flag, ""))
            self._paragraph(at, TEXT, cut, flag)
            return
        if first == "-" and indent == self._flags and bare[1:2] not in (" ", "\t", "") and self._is_alone(at, indent):
            self._keep_line(at)
            return
        bullet = _BULLET.match(bare)
        if bullet:
            self._paragraph(at, ITEM, indent + bullet.end())
            return
        if first == ">":
            self._paragraph(at, TEXT, indent + len(bare) - len(bare.lstrip("> \t")))
            return
        if (indent >= 4 or line[0] == "\t") and not self._before and not self._inset and self._indented(at):
            return
        self._paragraph(at, TEXT, indent)

    def _is_alone(self, at: int, indent: int) -> bool:
        """Return whether an option's line is all that is said of it: the next one is blank or not deeper."""
        if at + 1 >= len(self._lines):
            return True
        following = self._lines[at + 1]
        bare = following.lstrip()
        return not bare or len(following) - len(bare) <= indent

    def _keep_line(self, at: int) -> None:
        self.listed += len(self._lines[at])
        self._add(KEEP, at, at + 1)

    def _titled(self, at: int, bare: str, indent: int, following: str, underline: str) -> bool:
        """Take a heading or term that shows by what is around it: nothing before, deeper or nothing below."""
        deeper = bool(underline) and len(following) - len(following.lstrip()) >= indent + 2
        fresh = not self._before or (bool(self.found) and self.found[-1][0] == TERM)
        if not fresh:
            return False
        last = bare[-1]
        if bare[0] == "-" and deeper and len(bare) > 1 and bare[1] not in " \t":
            self._add(TERM, at, at + 1, skip=indent)
            return True
        if bare.startswith(".. ") and "::" in bare:
            self._add(TERM, at, at + 1, skip=indent)
            return True
        if underline.startswith(": "):
            self._add(TERM, at, at + 1, skip=indent)
            return True
        if last in ".,;!?\u3002\uff01\uff1f" or (_BULLET.match(bare) and not _NUMBERED.match(bare)):
            return False
        if not underline or deeper:
            words = bare.count(" ") + 1
            if bare.isupper() and words <= 10 and len(bare) >= 4 and last != ":":
                self._add(HEAD, at, at + 1, skip=indent)
                return True
            if not underline and not self._before and (bare.startswith("**") and bare.endswith("**")):
                self._add(HEAD, at, at + 1, skip=indent)
                return True
            if not underline and indent <= 3 and words <= 12 and _NUMBERED.match(bare) and self._below(at) == "text":
                self._add(HEAD, at, at + 1, skip=indent)
                return True
        if deeper and bare.count(" ") <= 5 and last != ":":
            self._add(TERM, at, at + 1, skip=indent)
            return True
        return False

    def _below(self, at: int) -> str:
        """Return "text" when the next line that is not blank is no list item."""
        for line in self._lines[at + 1 : at + 4]:
            bare = line.strip()
            if bare:
                return "item" if _BULLET.match(bare) else "text"
        return ""

    def _fence(self, at: int, bare: str) -> bool:
        match = _FENCE.match(bare)
        if match is None or match.group(1) in self._open:
            return False
        mark = match.group(1)
        if mark[0] == "`" and "`" in bare[match.end() :]:
            return False
        lines = self._lines
        for stop in range(at + 1, len(lines)):
            line = lines[stop]
            if mark in line:
                closing = line.strip()
                if closing.startswith(mark) and not closing.strip(mark[0]):
                    self._add(CODE, at, stop + 1, skip=len(lines[at]) + 1, detail=match.group(2).lower())
                    return True
        self._open.add(mark)
        return False

    def _literal(self, at: int, line: str, bare: str) -> bool:
        """Take an AsciiDoc listing, or the literal block below a directive."""
        lines = self._lines
        if bare in ("----", "....") and self._before[:1] in ("[", "."):
            if bare in self._open:
                return False
            for stop in range(at + 1, len(lines)):
                if lines[stop].rstrip() == bare:
                    language = self._before[1:-1].partition(",")[2].partition(",")[0].strip()
                    self._add(CODE, at, stop + 1, skip=len(line) + 1, detail=language.lower())
                    return True
            self._open.add(bare)
            return False
        match = _LITERAL.match(bare) if bare.startswith("..") else None
        if match is None:
            return False
        stop = self._deeper(at + 1, len(line) - len(line.lstrip()))
        self._add(CODE, at, stop, skip=len(line) + 1 if stop > at + 1 else 0, detail=match.group(1).lower())
        return True

    def _deeper(self, at: int, indent: int) -> int:
        """Return the line after the last of those that are indented by more than ``indent``."""
        lines = self._lines
        stop = at
        while at < len(lines):
            line = lines[at]
            bare = line.lstrip()
            if bare:
                if len(line) - len(bare) <= indent:
                    break
                stop = at + 1
            at += 1
        return stop

    def _indented(self, at: int) -> bool:
        """Take a run of lines indented by four and more as code when it does not read as sentences."""
        lines = self._lines
        stop = at
        # Any blank, as where it was taken for indented: a line that no block takes would be looked at for ever.
        while stop < len(lines) and lines[stop].strip() and lines[stop][0].isspace():
            stop += 1
        sample = "\n".join(lines[at : min(stop, at + 12)])
        if reads_as_sentences(sample):
            return False
        self._add(CODE, at, stop)
        return True

    def _table(self, at: int, first: str) -> bool:
        lines = self._lines
        if first == "+" and lines[at].strip()[1:2] not in ("-", "="):
            return False
        stop = at
        while stop < len(lines) and lines[stop].lstrip()[:1] in ("|", "+"):
            stop += 1
        if stop - at < 2:
            return False
        self._add(TABLE, at, stop)
        return True

    def _simple_table(self, at: int) -> None:
        lines = self._lines
        stop = at + 1
        while stop < len(lines) and lines[stop].strip():
            stop += 1
        self._add(TABLE, at, stop)

    def _rows(self, at: int) -> None:
        lines = self._lines
        stop = at + 1
        while stop < len(lines) and "|" in lines[stop]:
            stop += 1
        self._add(TABLE, at, stop)

    def _paragraph(self, at: int, kind: int, skip: int, after: int = 0) -> None:
        """Take lines up to a blank one or to one that begins something else."""
        lines = self._lines
        quoted = lines[at].lstrip()[:1] == ">"
        stop = at + 1
        while stop < len(lines):
            bare = lines[stop].lstrip()
            if not bare or bare.isspace():
                break
            first = bare[0]
            if quoted:
                if first != ">" or not bare.strip("> \t\r"):
                    break
            elif (
                not first.isalpha()
                and (
                    (first in "`~" and bare.startswith(("```", "~~~")))
                    or (first == "#" and _HEADING.match(bare))
                    or first in "|>"
                    or _BULLET.match(bare)
                    or (first == "-" and kind != ITEM and (after or _OPTION.match(bare)))
                )
            ) or (first in "o(abc" and kind == ITEM and _BULLET.match(bare)):
                break
            stop += 1
        if kind == TEXT and stop - at >= _LISTED and not after and not quoted and is_list(lines[at:stop]):
            self.listed += sum(map(len, lines[at:stop]))
            self._add(KEEP, at, stop)
            return
        self._add(kind, at, stop, skip=skip, after=after)


def closing(text: str, start: int, words: int, stop: int) -> int:
    """Return where the closing line of a listing begins; ``stop`` when it has none."""
    if words == start or text[start:words].lstrip().startswith(".."):
        return stop
    return max(words, text.rfind("\n", start, stop) + 1)
