"""Where a text speaks of values without meaning them: fences, examples, schemas; and the words before a place.

"e.g. 2024-01-15T10:00:00Z" shows a form; "Session started: 2024-01-15T10:00:00Z" says something about this request.
Moving the former would cost sense and win nothing, as it never changes.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_FENCE = pattern(r"^[ \t>]{0,12}(```+|~~~+)[^\n`]{0,80}$", re.MULTILINE)
_EXAMPLE_TAG = pattern(r"<(/?)((?:[a-z]{1,10}[_-])?examples?|samples?|format|schema|template)(?:[ \t][^<>\n]{0,80})?>")
# What makes the rest of a line, or the lines under it, an illustration.
_EXAMPLE = pattern(
    r"\b(?:e\.g\b|eg\.|i\.e\b|for example|for instance|examples?\b(?!\.\w)|sample\b|such as|looks? like"
    r"|formatted\b|format\b"
    r"|iso[ -]?8601|rfc[ -]?[23]\d{3}|yyyy|placeholder|dummy|fictional|like this|zum beispiel|z\. ?b\.|par exemple)"
    r"|例如"
)
_KEY = pattern(r"[\"'](?:default|examples?|const|enum|pattern|format|type)[\"'][ \t]*:[ \t]*\[?[^\n]{0,80}$")
# Who speaks on a line of an example conversation; behind some of these a name or an id of one may stand by itself.
_SPEAKER = pattern(
    r"^[ \t>*_#-]{0,8}(?:(?P<n>[Uu]ser|[Aa]ssistant|Customer|Client|Agent|Bot|AI)"
    r"|[Hh]uman|[Qq]uestion|[Aa]nswer|[QA])(?: ?\d{1,3})?[*_]{0,3}:[*_]{0,3}[ \t]{1,4}(?=[^\s])",
    re.MULTILINE,
)
# A statement or a command on a line that its indentation sets off: a call, a string that is assigned, an option.
_STATEMENT = pattern(
    r"\w\((?!s\))|[\w\])][ \t]{0,2}(?::?=|={2,3}|!=)[ \t]{0,2}[rbfu]?[\"'`]|\$[\w{(]|[ \t]--?[a-z]"
    r"|^[ \t]*(?:return|const|let|var|assert|export|echo|curl|print|yield|throw|raise)[ \t]"
)
_PAIR = pattern(r"[\"'](?P<key>[\w. -]{1,40})[\"'][ \t]?:[ \t]{0,2}[\"']?$")
_LEAD = pattern(r":[ \t\"'*]{1,8}(?=[A-Za-z])|\\[nrt]")  # an end of a line may be escaped, in a prompt that is JSON
_BRACE = pattern(r"[{}]|\n[ \t]*\n")
# An object behind these words is one that the model shall make.
_ORDER = pattern(
    r"\b(?:reply|respond|answer|return|output|emit|produce|print|response|replies|answers|responses|outputs|returns"
    r"|schema|antworte|responde|r\u00e9ponds)\b"
)
_LONGEST_OBJECT = 600  # characters in front of a value in which the object it is in must begin
_CODE = pattern(r"[(\[{$\"`]|//|--|\w[ \t]+=|=[ \t]")
MOST_HITS = 4_000
_WIDEST = 160  # characters in front of a value that can say what it is
_WORD = pattern(
    r"[A-Z]?[a-z\u00df-\u00ff]{1,24}(?:['\u2019][a-z]{1,3})?|[A-Z]{2,24}|[\u3400-\u9fff\uac00-\ud7af]{1,12}"
)
_END = pattern(r"(?<![eEiI]\.[gGeE])[.!?][ \t\"')\]`]{1,3}(?=[^a-z])|\u3002")
_BREAK = pattern(r"[.!?;][ \t\"')\]]|[|,][ \t\"']|\u3002|\uff0c")
QUOTES = "\"'`"


class Shade:
    """One text and what must be known of it around a place; each part is read when it is first asked for."""

    __slots__ = ("_edges", "_regions", "text")

    def __init__(self, text: str) -> None:
        """Read nothing yet."""
        self.text = text
        self._regions: tuple[tuple[list[int], list[int]], ...] | None = None
        self._edges: tuple[int, int] | None = None

    def covers(self, at: int) -> bool:
        """Tell whether a place is in a fence, or between example tags."""
        return self._in(0, at) or self.shown(at)

    def shown(self, at: int) -> bool:
        """Tell whether a place is between tags that say that what is there is an example."""
        return self._in(1, at)

    def _in(self, which: int, at: int) -> bool:
        """Tell whether a place is in a fence (0), an element named example (1), or a line of an example talk (2)."""
        if self._regions is None:
            self._regions = _joined(_fences(self.text)), _joined(_examples(self.text)), _joined(_talk(self.text))
        starts, ends = self._regions[which]
        i = bisect_right(starts, at) - 1
        return i >= 0 and at < ends[i]

    def line(self, at: int) -> str:
        """Return what stands before a place on its line, at most _WIDEST characters."""
        return self.text[self.text.rfind("\n", max(0, at - _WIDEST), at) + 1 or max(0, at - _WIDEST) : at]

    def starts_line(self, at: int) -> bool:
        """Tell whether nothing but markup stands before a place on its line."""
        start = self.text.rfind("\n", max(0, at - 12), at)
        return (start >= 0 or at <= 12) and not self.text[start + 1 : at].strip(" \t#>*_-+`\"'([{|<\u2022")

    def heading(self, at: int) -> str:
        """Return the last line before the line of a place that is not blank, when it ends like a heading."""
        end = self.text.rfind("\n", max(0, at - 2 * _WIDEST), at)
        above = self.text[max(0, end - _WIDEST) : end].rstrip() if end > 0 else ""
        line = above.rpartition("\n")[2]
        return line if line.rstrip("*_`").endswith(":") or line.startswith(("#", "**")) else ""

    def alone(self, start: int, end: int) -> bool:
        """Tell whether a place is the first or the last line of the whole text, by itself."""
        if self._edges is None:
            self._edges = len(self.text) - len(self.text.lstrip()), len(self.text.rstrip())
        first, last = self._edges
        alone = (start <= first + 12 and not self.text[first:start].strip(" #>*_-")) or end + 4 > last
        return alone and self.starts_line(start) and self.text[end : end + 1] in ("", "\n", "*", "_")

    def example(self, at: int) -> bool:
        """Tell whether the words before a place, or the line above, make it an illustration."""
        return self._shows(at) or _EXAMPLE.search(self.heading(at).lower()) is not None

    def _shows(self, at: int) -> bool:
        line = self.line(at)
        if _EXAMPLE.search(_sentence(line).lower()) is not None or _KEY.search(line) is not None or self._in(2, at):
            return True
        return (self.indented(at) and _STATEMENT.search(_sentence(line)) is not None) or self._ordered(at, line)

    def nearest(self, at: int) -> list[str]:
        """Return the words before a place that name it alone: its JSON key, or what the last colon leads to."""
        line = self.line(at)
        pair = _PAIR.search(line)
        if pair is not None:
            return _words(pair["key"]) or self.words(at)
        last = 0
        for match in _LEAD.finditer(line):
            last = match.end()
        own = _words(line[last:])
        return own if last and len(own) > 1 else self.words(at)

    def _ordered(self, at: int, line: str) -> bool:
        """Tell whether a place is in a JSON object that the text asks the model for: "Reply as {"date": ...}"."""
        if _PAIR.search(line) is None:
            return False
        first = max(0, at - _LONGEST_OBJECT)
        opened: list[int] = []
        for match in _BRACE.finditer(self.text, first, at):
            if match[0] == "{":
                opened.append(match.start())
            elif match[0] == "}":
                del opened[-1:]
            else:
                opened.clear()
        if not opened:
            return False
        front = self.line(opened[0])
        lead = _sentence(front) if front.strip(" \t-*>`") else self.heading(opened[0])
        return _ORDER.search(lead.lower()) is not None

    def quoted(self, start: int, end: int) -> bool:
        """Tell whether a value stands in quotes or backticks."""
        return start > 0 and self.text[start - 1] in QUOTES and self.text.startswith(tuple(QUOTES), end)

    def indented(self, at: int) -> bool:
        """Tell whether the line of a place is set off as code by its indentation."""
        return self.line(at).startswith(("    ", "\t"))

    def speaks(self, start: int, end: int) -> bool:
        """Tell whether what names a value that stands at ``start`` speaks of this request.

        In a fence it does when the label is plain text: a quoted value there is code, or a sample of data.
        """
        if self._shows(start) or self.shown(start):
            return False
        return not self._in(0, start) or not (self.quoted(start, end) or _CODE.search(self.line(start)))

    def words(self, at: int) -> list[str]:
        """Return the words before a place in its sentence, lower case, nearest last; of a heading when it has none."""
        line = self.line(at)
        found = _words(line)
        return found if found or line.strip(" \t-*>\"'`") else _words(self.heading(at))


def hits(lower: str, word: str, *, inside: bool = False) -> Iterator[int]:
    """Yield the places of a word, those within other words only if ``inside``; a text full of it is data."""
    at, left = lower.find(word), MOST_HITS
    while at >= 0 and left:
        if inside or not lower[at - 1 : at].isalnum():
            yield at
        left -= 1
        at = lower.find(word, at + len(word))


def _words(line: str) -> list[str]:
    return [word.lower().replace("\u2019", "'") for word in _WORD.findall(_sentence(line, _BREAK))][-8:]


def _sentence(line: str, ends: re.Pattern[str] = _END) -> str:
    last = 0
    for match in ends.finditer(line):
        last = match.end()
    return line[last:]


def _fences(text: str) -> list[tuple[int, int]]:
    """Return the spans of fences; what is never closed counts for nothing."""
    spans = []
    opened, mark = -1, ""
    if "```" in text or "~~~" in text:
        for match in _FENCE.finditer(text):
            if opened < 0:
                opened, mark = match.start(), match[1]
            elif match[1].startswith(mark) and not match[0].strip(" \t>`~"):
                spans.append((opened, match.end()))
                opened = -1
    return spans


def _examples(text: str) -> list[tuple[int, int]]:
    """Return the spans of elements that show something; what is never closed counts for nothing."""
    spans = []
    inside: dict[str, int] = {}
    for match in _EXAMPLE_TAG.finditer(text):
        if not match[1]:
            inside[match[2]] = match.start()  # one that is only named before is no element
        elif match[2] in inside:
            spans.append((inside.pop(match[2]), match.end()))
    return spans


def _talk(text: str) -> list[tuple[int, int]]:
    """Return the spans of lines that begin with who speaks; a single one is no conversation."""
    spans = []
    for match in _SPEAKER.finditer(text) if ":" in text else ():
        end = text.find("\n", match.end())
        end = len(text) if end < 0 else end
        # "User: 48213" names who is there, "User: my number is 48213" was said.
        spans.append((match.end() + 1 if match["n"] else match.end(), end))
    return spans if len(spans) > 1 else []


def _joined(spans: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Return the starts and the ends of spans, overlapping ones as one."""
    starts: list[int] = []
    ends: list[int] = []
    for start, end in sorted(spans):
        if ends and start < ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return starts, ends
