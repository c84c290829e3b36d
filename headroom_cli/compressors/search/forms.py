"""Which form an output of a search tool has; judged on a bounded sample."""

from __future__ import annotations

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Hint

LINE, HEADING, SINGLE, PLAIN, JSON = "line", "heading", "single", "plain", "json"

_SAMPLE = 24_000  # characters read from the head; a search looks alike from beginning to end
_LINES = 300

# ``:12:`` behind a path; read from the second character on, so that a path has at least one.
NUMBER = pattern(r":(\d{1,9}):")
_NUMBER_END = pattern(r":(\d{1,9})$")
CONTEXT_NUMBER = pattern(r"[-=](\d{1,9})[-=]")
# A row under a heading: rg, ag, git grep; "Line 12: x", "L12: x" and "12 | x" of editors' and agents' tools.
TOOL_ROW = pattern(r"[ \t]{0,8}(?:(?:Line|line|L) ?(\d{1,9}): ?|(\d{1,9}) ?[|\u2502](?: |$))")
_PLAIN_PATH = pattern(
    r"(?:[A-Za-z]:[\\/])?(?:[\w.@+~,=%#$\[\]\\-]{0,120}/){0,40}[\w.@+~,=%#$\[\]\\-]{0,120}"
    r"(?:\.\w{1,12}|/[\w.@+~,=%#$\[\]-]{1,120}|(?:Makefile|Dockerfile|Rakefile|Gemfile|LICENSE|README)):"
)
_COUNT = pattern(r"[^\n]{1,400}[:\0]\d{1,9}$")
_MESSAGE = pattern(r":\d{1,9}(?::\d{1,6})?: ?(?:fatal )?(?:error|warning|note|remark|[A-Z]{1,4}\d{2,5}\b)")
_CLOCK = pattern(r"(?:\d{4}-\d\d-\d\d[T ]?|\w{3} [ \d]\d )?\d\d$")
_COMMAND = pattern(r"(?:^|[|;&( ])(?:(?:git(?: -\w+ \S+)* )?grep|[efz]grep|rg|ripgrep|ag|ack|ugrep|pt|findstr)\b")
_TOOLS = frozenset(("grep", "grep_search", "search_files", "search_file_content", "search", "search_dir", "search_file",
                    "codebase_search", "ripgrep", "rg"))  # fmt: skip


def is_path(path: str) -> bool:
    """Return whether what stands before ``:12:`` can name a file."""
    if not path or len(path) > 400 or path[0] in " \t" or path[-1] in " \t" or path.isdigit():
        return False
    if _CLOCK.match(path):
        return False
    return "/" in path or "\\" in path or "." in path or " " not in path


def starts_row(line: str) -> bool:
    """Return whether a line under a heading is ``12:text`` or ``12-text``."""
    for separator in (":", "-", "="):
        number = line[:10].partition(separator)
        if number[1] and number[0].isdigit() and number[0].isascii():
            return True
    return False


def by_search(hint: Hint) -> bool:
    """Return whether the command or tool behind a text is a search."""
    return hint.tool.lower() in _TOOLS or bool(hint.command and _COMMAND.search(hint.command))


def form_of(text: str, hint: Hint) -> tuple[str, float]:
    """Return the form of an output and how sure that is (0..1); ("", 0) for lists of names and for other texts."""
    lines = [line for line in text[:_SAMPLE].split("\n")[:_LINES] if line and not line.isspace()]
    if len(text) > _SAMPLE and len(lines) > 1:
        lines.pop()  # cut in two by the sample
    if not lines:
        return "", 0.0
    if lines[0].startswith('{"type":"') and sum(line.startswith('{"type":"') for line in lines) * 2 > len(lines):
        kind = lines[0][9:16]
        return (JSON, 0.99) if kind.startswith(("begin", "match", "context", "end", "summary")) else ("", 0.0)
    direct = context = rows = plain = headings = counts = messages = seps = 0
    under = False
    last = -1
    backwards = 0
    for line in lines:
        line = line[:600].rstrip("\r")  # noqa: PLW2901 - the rest of a long line says nothing of the form
        if line == "--":
            seps += 1
            continue
        if line[0].isdigit() and starts_row(line):
            rows += 1
            under = True
            number = int(
                "0" + "".join(char for char in line[:9].partition(":")[0].partition("-")[0] if char in "0123456789")
            )
            backwards += number < last
            last = number
            continue
        last = -1
        found = NUMBER.search(line, 1)
        if found and is_path(line[: found.start()]):
            direct += 1
            messages += _MESSAGE.match(line, found.start()) is not None
            continue
        if TOOL_ROW.match(line):
            rows += 1
            under = True
            continue
        found = CONTEXT_NUMBER.search(line, 1)
        if found and is_path(line[: found.start()]):
            context += 1
            continue
        if _COUNT.match(line):
            counts += 1
        elif _PLAIN_PATH.match(line):
            plain += 1
        elif not line[0].isspace():
            headings += 1
    total = len(lines) - seps
    if not total:
        return "", 0.0
    known = 0.15 if by_search(hint) else 0.0
    if messages * 10 >= 3 * total and not known:
        return "", 0.0  # a compiler's
    # Context lines count only beside matches of the same form.
    direct += context if direct else 0
    if direct >= 0.5 * total:
        return LINE, min(0.97, 0.5 + 0.4 * direct / total + known)
    if under and rows >= 0.5 * total:
        if headings and rows >= headings and rows + headings + counts + plain >= 0.7 * total:
            return HEADING, min(0.95, 0.4 + 0.45 * (rows + headings) / total + known)
        if rows >= 0.85 * total and not backwards:
            return SINGLE, min(0.9, 0.55 * rows / total + 2 * known)
    if under and headings >= 1 and rows >= headings and rows + headings >= 0.9 * total:
        return HEADING, min(0.9, 0.7 + known)
    if plain >= 0.7 * total and (plain >= 3 or known):
        return PLAIN, min(0.85, 0.5 + 0.3 * plain / total + known)
    return "", 0.0


def sniff(text: str, hint: Hint) -> float:
    """Return how sure it is that a text is what a search printed."""
    from headroom_cli.compressors.search.reading import plainly

    return form_of(plainly(text[: 2 * _SAMPLE]), hint)[1]
