"""Values of many lines: the state of a repository, an environment element, a run of log lines."""

from __future__ import annotations

import re

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from headroom_cli.align._dates import Found
    from headroom_cli.align._shade import Shade

# Elements that harnesses fill in anew for each session: name -> kind of what stands inside.
ELEMENTS = {
    "env": "environment", "environment": "environment", "environment_context": "environment",
    "environment_details": "environment", "environment_info": "environment", "user_info": "user info",
    "system_info": "environment", "system_information": "environment", "runtime_information": "environment",
    "git_status": "git status", "gitstatus": "git status", "current_time": "time", "current_date": "date",
    "open_files": "open files", "recently_viewed_files": "open files", "session_info": "session",
    "session_context": "session", "project_layout": "project layout",
}  # fmt: skip
_OPEN = pattern(rf"^[ \t]*<({'|'.join(ELEMENTS)})(?: [^<>\n]{{0,80}})?>", re.MULTILINE | re.IGNORECASE)
_LONGEST = 60_000  # characters of one element
_BRANCH = pattern(
    r"^[ \t]*(?:\*{0,2}(?:Current |Git )?[Bb]ranch(?: name)?\*{0,2}: ?\S|On branch \S|HEAD detached )", re.MULTILINE
)
_STATE = pattern(
    r"[ \t]*(?:\*{0,2}(?:(?:Current|Main|Git|Default)? ?[Bb]ranch|Status|Git status|Recent commits|Git user|Remote"
    r"|Last commit|Upstream|HEAD)\b[^\n:]{0,60}\*{0,2}:|On branch |HEAD detached |Your branch |Untracked files"
    r"|Changes (?:not staged|to be committed)|nothing to commit|nothing added|no changes added|\(clean\)|\(use \"git"
    r"|and have \d|## \S|[MADRCUT?! ]{1,2} [^\s]|(?:- )?[0-9a-f]{7,40} |\t|  \(use"
    r"|- (?:Modified|Untracked|Staged|Branch|Status))"
)
_ON = pattern(r"On branch [\w./-]{1,120}[ \t]*$", re.MULTILINE)
_COMMITS = pattern(r"^[ \t]*(?:#{1,4} )?(?:Recent|Latest|Last) commits(?: \([^)\n]{1,30}\))?:[ \t]*\n", re.MULTILINE)
_COMMIT = pattern(r"[ \t]*(?:[-*] )?`?[0-9a-f]{7,40}`?[ :]")
_FIRST_STATUS = pattern(r"^(?:#{1,4} )?(?:Git [Ss]tatus|Status):[ \t]*\n(?=[MADRCUT?! ]{2} ?\S)", re.MULTILINE)
_STAMPED = pattern(
    r"^[\[(]?(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d|\d\d:\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
    r"|\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d)[^\n]{0,2000}", re.MULTILINE,
)  # fmt: skip
_LOG_LINES = 3
_FRESH = pattern(r"(?i:\b(?:latest|recent|current|last|live|tail of|today's)\b)")


def blocks(shade: Shade) -> Iterator[Found]:
    """Yield the values of many lines. They begin and end with a line."""
    text = shade.text
    yield from _elements(shade)
    for first, sign in ((_BRANCH, "ranch"), (_BRANCH, "HEAD det"), (_FIRST_STATUS, "tatus:"), (_COMMITS, "commits")):
        done = 0
        for match in first.finditer(text) if sign in text else ():
            if match.start() < done:
                continue
            start = match.start() if first is _BRANCH else match.end()
            end = done = _extent(text, start, _COMMIT if first is _COMMITS else _STATE)
            many = first is not _BRANCH or "\n" in text[start:end] or _ON.match(text, start) is not None
            stands = shade.example(start) or (shade.covers(start) and text.startswith(("On b", "HEAD"), start))
            if end > start and many and not stands:
                yield start, end, "git status" if first is not _COMMITS else "recent commits", ""
    yield from _logs(shade)


def _elements(shade: Shade) -> Iterator[Found]:
    text = shade.text
    done = 0
    closed: dict[str, int] = {}  # where an element of this name ends next
    for match in _OPEN.finditer(text):
        if match.start() < done:
            continue
        name = match[1]
        if closed.get(name, 0) < match.end():
            stop = text.find(f"</{name}>", match.end())
            closed[name] = stop if stop >= 0 else len(text) + _LONGEST
        stop = closed[name]
        if stop - match.end() >= _LONGEST:
            continue
        done = stop
        start, end = match.end(), stop
        while start < end and text[start] in "\r\n":
            start += 1
        while end > start and text[end - 1] in " \t\r\n":
            end -= 1
        if end > start and not shade.shown(start):
            yield start, end, ELEMENTS[name.lower()], ""


def _extent(text: str, start: int, shape: re.Pattern[str]) -> int:
    """Return the end of the lines of a shape from ``start`` on, blank lines between them included."""
    at = end = start
    while at < len(text) and at - start < _LONGEST:
        stop = text.find("\n", at)
        stop = len(text) if stop < 0 else stop
        if shape.match(text, at) and text[at:stop].strip():
            end = stop
        elif text[at:stop].strip():
            break
        at = stop + 1
    return end


def _logs(shade: Shade) -> Iterator[Found]:
    """Yield runs of lines that each begin with a clock."""
    start = end = -1
    count = 0
    for match in _STAMPED.finditer(shade.text):
        if match.start() == end + 1:
            count, end = count + 1, match.end()
            continue
        if count >= _LOG_LINES and _is_fresh(shade, start):
            yield start, end, "log", ""
        start, end, count = match.start(), match.end(), 1
    if count >= _LOG_LINES and _is_fresh(shade, start):
        yield start, end, "log", ""


def _is_fresh(shade: Shade, start: int) -> bool:
    """Tell a log of now from a sample of one: in a fence it must be said to be of now."""
    if shade.covers(start):
        above = shade.text[max(0, start - 300) : start].rstrip("`~ \n").splitlines()[-2:]
        return any(_FRESH.search(line) for line in above)
    return not shade.example(start)
