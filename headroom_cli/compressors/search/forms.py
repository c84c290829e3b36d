"""Which form an output of a search tool has; judged on a bounded sample."""

from __future__ import annotations

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Hint

LINE, HEADING, SINGLE, PLAIN, JSON, TAGS = "line", "heading", "single", "plain", "json", "tags"

_SAMPLE = 24_000  # characters read from the head; a search looks alike from beginning to end
_LINES = 300

# ``:12:`` behind a path; read from the second character on, so that a path has at least one.
NUMBER = pattern(r":(\d{1,9}):")
_NUMBER_END = pattern(r":(\d{1,9})$")
CONTEXT_NUMBER = pattern(r"[-=](\d{1,9})[-=]")
# A row under a heading as editors' and agents' tools write it: "  Line 12: x", "L12: x", "  12:x", "  13-y".
TOOL_ROW = pattern(r"[ \t]{0,8}(?:Line |line |L)(\d{1,9})(:) ?|[ \t]{1,8}(\d{1,9})([:-])")
MATCH_TAG = pattern(
    r"<match path=\"([^\"\n]{1,400})\" line=\"?(\d{1,9})\"?>$"
)  # VS Code's; the text follows, then </match>
_PLAIN_PATH = pattern(
    r"(?:[A-Za-z]:[\\/])?(?:[\w.@+~,=%#$\[\]\\-]{0,120}/){0,40}[\w.@+~,=%#$\[\]\\-]{0,120}"
    r"(?:\.\w{1,12}|/[\w.@+~,=%#$\[\]-]{1,120}|(?:Makefile|Dockerfile|Rakefile|Gemfile|LICENSE|README)):"
)
_COUNT = pattern(r"[^\n]{1,400}[:\0]\d{1,9}$")
_MESSAGE_HEAD = pattern(r'\{"type": ?"(?:begin|match|context|end|summary)", ?"data": ?\{')
_MESSAGE = pattern(r":\d{1,9}(?::\d{1,6})?: ?(?:fatal )?(?:error|warning|note|remark|[A-Z]{1,4}\d{2,5}\b)")
_CLOCK = pattern(r"(?:^|[T \[(,])\d\d$")  # 12 of 12:30:45
_COMMAND = pattern(r"(?:^|[|;&( ])(?:(?:git(?: -\w+ \S+)* )?grep|[efz]grep|rg|ripgrep|ag|ack|ugrep|pt|findstr)\b")
_TOOLS = frozenset(("grep", "grep_search", "search_files", "search_file_content", "search", "search_dir", "search_file",
                    "codebase_search", "ripgrep", "rg"))  # fmt: skip


_RULES = frozenset(("--", "---", "----"))  # between chunks and files


def is_path(path: str) -> bool:
    """Return whether what stands before ``:12:`` can name a file."""
    if not path or len(path) > 400 or path[0] in " \t" or path[-1] in " \t" or path.isdigit():
        return False
    if '"' in path or "|" in path or (path[-2:].isdigit() and _CLOCK.search(path, max(0, len(path) - 3))):
        return False
    return "/" in path or "\\" in path or "." in path or " " not in path


def _row(line: str) -> tuple[int, str]:
    """Return number and mark of a row under a heading, ``12:text`` or ``12-text``; (-1, "") for any other line."""
    if line[0].isdigit():
        for mark in (":", "-", "="):
            number, found, _ = line[:10].partition(mark)
            if found and number.isdigit() and number.isascii():
                return int(number), mark
    return -1, ""


def by_search(hint: Hint) -> bool:
    """Return whether the command or tool behind a text is a search."""
    return hint.tool.lower() in _TOOLS or bool(hint.command and _COMMAND.search(hint.command))


class _Tally:
    """How many lines of a sample look like what."""

    __slots__ = (
        "apart",
        "backwards",
        "context",
        "direct",
        "headings",
        "messages",
        "plain",
        "rows",
        "stuck",
        "total",
        "under",
    )

    def __init__(self, lines: list[str]) -> None:
        """Count the lines, none of them blank."""
        self.direct = 0  # path:12:text
        self.messages = 0  # of these, a compiler's or linter's
        self.context = 0  # path-12-text
        self.rows = 0  # 12:text, 12-text, Line 12: text
        self.under = 0  # of these, no context
        self.backwards = 0  # rows whose number is smaller than the one before
        self.stuck = 0  # rows whose number is that of the one before: clock times, or several matches of one line
        self.plain = 0  # path:text
        self.headings = 0  # anything else at the start of a line
        self.apart = 0  # path:3
        self.total = 0
        last = -1
        for line in lines:
            if line in _RULES:
                continue
            self.total += 1
            last = self._add(line[:600].rstrip("\r"), last)  # the rest of a long line says nothing of the form

    def _add(self, line: str, last: int) -> int:
        """Count a line; return its number if it is a row, else -1."""
        number, mark = _row(line)
        found = NUMBER.search(line, 1)
        direct = found is not None and is_path(line[: found.start()])
        if mark == ":" or (mark and not direct):
            self.rows += 1
            self.under += mark == ":"
            self.backwards += number < last
            self.stuck += number == last
            return number
        if found is not None and direct:
            self.direct += 1
            self.messages += _MESSAGE.match(line, found.start()) is not None
        elif TOOL_ROW.match(line):
            self.rows += 1
            self.under += 1
        elif (found := CONTEXT_NUMBER.search(line, 1)) and is_path(line[: found.start()]):
            self.context += 1
        elif _COUNT.match(line):
            self.apart += 1
        elif _PLAIN_PATH.match(line):
            self.plain += 1
        elif not line[0].isspace():
            self.headings += 1
        return -1


def form_of(text: str, hint: Hint) -> tuple[str, float]:
    """Return the form of an output and how sure that is (0..1); ("", 0) for lists of names and for other texts."""
    lines = [line for line in text[:_SAMPLE].split("\n")[:_LINES] if line and not line.isspace()]
    if len(text) > _SAMPLE and len(lines) > 1:
        lines.pop()  # cut in two by the sample
    if not lines:
        return "", 0.0
    if sum(_MESSAGE_HEAD.match(line) is not None for line in lines) * 2 > len(lines):
        return JSON, 0.99
    tags = sum(MATCH_TAG.match(line) is not None for line in lines)
    if tags and tags == sum(line == "</match>" for line in lines):
        return TAGS, 0.95
    known = 0.15 if by_search(hint) else 0.0
    tally = _Tally(lines)
    total, rows, headings = tally.total, tally.rows, tally.headings
    if not total or (tally.messages * 10 >= 3 * total and not known):
        return "", 0.0
    # Context lines count only beside matches of the same form.
    direct = tally.direct + (tally.context if tally.direct else 0)
    if direct * 2 >= total:
        return LINE, min(0.97, 0.5 + 0.4 * direct / total + known)
    if tally.under and rows * 5 >= 2 * total and not tally.backwards and (known or 2 * tally.stuck <= rows):
        if headings + tally.apart + tally.plain and rows + headings + tally.apart + tally.plain >= 0.7 * total:
            return HEADING, min(0.95, 0.4 + 0.45 * (rows + headings) / total + known)
        if rows >= 0.85 * total:
            return SINGLE, min(0.9, 0.45 * rows / total + 2 * known)
    if tally.plain >= 0.7 * total and (tally.plain >= 3 or known):
        return PLAIN, min(0.85, 0.5 + 0.3 * tally.plain / total + known)
    return "", 0.0


def sniff(text: str, hint: Hint) -> float:
    """Return how sure it is that a text is what a search printed."""
    from headroom_cli.compressors.search.reading import plainly

    return form_of(plainly(text[: 2 * _SAMPLE]), hint)[1]
