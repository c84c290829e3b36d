"""Read an output of rg, grep, git grep, ag, ack and of editors' search tools into groups of rows.

Whatever a path or a text holds, ``path + mark + number + mark + text`` is the line again: a wrong guess about where a
path ends costs a good heading, never a character.
"""

from __future__ import annotations

from headroom_cli.compressors.search.forms import (
    CONTEXT_NUMBER,
    HEADING,
    LINE,
    MATCH_TAG,
    NUMBER,
    PLAIN,
    SINGLE,
    TAGS,
    TOOL_ROW,
    is_path,
)
from headroom_cli.compressors.search.rows import CONTEXT, FUNCTION, MATCH, Found, Group
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

_ESCAPE = pattern(r"\x1b(?:\[[0-?]{0,40}[ -/]{0,4}[@-~]|\][^\x07\x1b\n]{0,4000}(?:\x07|\x1b\\)|[()][A-Z0-9])")
_COLUMN = pattern(r"\d{1,7}:")
# ``path:12:`` at the start of a line, and all rows of one file from there on; bounded, as their parts are held at once.
_PATH = r"([^\n](?:[^\n:]++|(?!:[0-9]{1,9}:):)*+):[0-9]{1,9}:"
_FIRST = pattern(_PATH)
_RUN = pattern(rf"{_PATH}[^\n]*+(?:\n\1:[0-9]{{1,9}}:[^\n]*+){{0,2000}}+")
_NUMBERED = pattern(r"[0-9]{1,9}:[^\n]*+(?:\n[0-9]{1,9}:[^\n]*+){0,2000}+")
_TAGGED = 50  # lines of one match
_MARKS = frozenset((MATCH, CONTEXT, FUNCTION))
_PATH_CHARS = 600  # a number further right belongs to the text


def plainly(text: str) -> str:
    """Return a text without colours and links; the NUL behind a path (``-0``, ``-Z``) becomes a colon again."""
    if "\x1b" in text:
        text = _ESCAPE.sub("", text)
    if "\0" in text and text.count("\0") <= text.count("\n") + 1:
        lines = text.split("\n")
        if all(line.count("\0") <= 1 for line in lines):
            text = text.replace("\0", ":")
    return text


def read(text: str, form: str) -> Found | None:
    """Return the groups of an output in one of the text forms; None when there is no row at all.

    ``text`` has its lines ended by newlines alone; the last may lack its own.
    """
    stop = len(text) - text.endswith("\n")
    if form == LINE:
        items = _line_form(text, stop)
    elif form in (HEADING, SINGLE):
        items = _heading_form(text, stop, single=form == SINGLE)
    elif form == PLAIN:
        items = _plain_form(text[:stop].split("\n"))
    elif form == TAGS:
        items = _tag_form(text[:stop].split("\n"))
    else:
        return None
    found = Found(items, numbered=form != PLAIN, headed=form == HEADING)
    if found.context:
        found.items = _joined(found.items)
    elif form == LINE:
        _columns(found.items)
    return found if any(not isinstance(item, str) for item in found.items) else None


def _number(text: str) -> bool:
    return len(text) < 10 and text.isdigit() and text.isascii()


def _line_form(text: str, stop: int) -> list[Group | str]:
    items: list[Group | str] = []
    group: Group | None = None
    prefix = "\n"  # stands in no line
    between = "\n"
    # All files have a line 12: one string for each number is 10 MB less for 200,000 rows.
    same = dict[str, str]().setdefault
    length = 0
    known: set[str] | None = None
    at = 0
    while at <= stop:
        end = text.find("\n", at, stop)
        if end < 0:
            end = stop
        if group is not None and text.startswith(between, at - 1) and text.startswith(between, end):
            first = _FIRST.match(text, at, stop)
            rows = _RUN.match(text, at, stop) if first is not None and first.end(1) == at + length else None
            if rows is not None:
                # Matches of one file stand together: one match of ours takes them all.
                parts = [row.partition(MATCH) for row in rows.group()[length + 1 :].split(between)]
                group.labels += [same(part[0], part[0]) for part in parts]
                group.marks += [MATCH] * len(parts)
                group.texts += [part[2] for part in parts]
                at = rows.end() + 1
                continue
        line = text[at:end]
        at += len(line) + 1
        if line.startswith(prefix):
            mark = line[length : length + 1]
            number, separator, said = line[length + 1 :].partition(mark or MATCH)
            if separator and mark in _MARKS and number.isdigit() and len(number) < 10 and number.isascii():
                if group is None:
                    group = Group(prefix)
                    items.append(group)
                    add_label, add_mark, add_text = group.adders()
                add_label(number)
                add_mark(mark)
                add_text(said)
                continue
        if line == "--":
            items.append(line)
            group = None  # the next chunk may be of the same file
            continue
        mark = MATCH
        match = NUMBER.search(line, 1, _PATH_CHARS)
        path = "" if match is None else line[: match.start()]
        dashed = "-" in path or "=" in path
        if match is None or not is_path(path) or (dashed and CONTEXT_NUMBER.search(line, 1, match.start())):
            if known is None and CONTEXT_NUMBER.search(line, 1, _PATH_CHARS):
                known = _paths(text, stop)
            other = _context_of(line, known) if known else None
            if other is not None:
                match = other
                mark = line[match.start()]
            elif match is not None and not is_path(path):
                match = None
        if match is None:
            items.append(line)
            prefix = between = "\n"
            group = None
            continue
        prefix = line[: match.start()]
        length = len(prefix)
        between = f"\n{prefix}:"
        group = Group(prefix)
        items.append(group)
        add_label, add_mark, add_text = group.adders()
        add_label(match[1])
        add_mark(mark)
        add_text(line[match.end() :])
    return items


def _paths(text: str, stop: int) -> set[str]:
    """Return all that stands before a ``:12:``, the only sure sign of where a path ends."""
    search = NUMBER.search
    found = [search(line, 1, _PATH_CHARS) for line in text[:stop].split("\n") if ":" in line]
    return {match.string[: match.start()] for match in found if match is not None}


def _context_of(line: str, known: set[str]) -> re.Match[str] | None:
    """Return the ``-12-`` behind a known path at the start of a context line."""
    at = 1
    for _ in range(12):
        match = CONTEXT_NUMBER.search(line, at, _PATH_CHARS)
        if match is None:
            return None
        if line[match.start()] == line[match.end() - 1] and line[: match.start()] in known:
            return match
        at = match.start() + 1
    return None


def _heading_form(text: str, stop: int, *, single: bool) -> list[Group | str]:
    items: list[Group | str] = []
    group = Group("") if single else None
    path = None if group is None else ""
    if group is not None:
        items.append(group)
    same = dict[str, str]().setdefault
    at = 0
    while at <= stop:
        run = _NUMBERED.match(text, at, stop) if group is not None else None
        if run is not None and group is not None:
            parts = [row.partition(MATCH) for row in run.group().split("\n")]
            group.labels += [same(part[0], part[0]) for part in parts]
            group.marks += [MATCH] * len(parts)
            group.texts += [part[2] for part in parts]
            at = run.end() + 1
            continue
        end = text.find("\n", at, stop)
        line = text[at : end if end >= 0 else stop]
        at += len(line) + 1
        number, mark, said = line.partition(MATCH)
        if not (mark and number.isdigit() and len(number) < 10 and number.isascii()):
            number, mark, said = _other_row(line)
        if not mark:
            items.append(line)  # a heading, if a row comes next
            path = path if line == "--" else "" if single else None
            group = None
            continue
        if group is None:
            last = items[-1] if items else ""
            if single:
                group = Group("")
            elif path is not None:
                group = Group(path)  # goes on behind "--"
            elif isinstance(last, str) and last and last != "--" and not last.isspace():
                items.pop()
                group = Group(last)
                path = last
            else:
                items.append(line)  # no heading tells whose row it is: it stays as it is
                continue
            items.append(group)
        group.labels.append(number)
        group.marks.append(mark)
        group.texts.append(said)
    return [item for item in items if isinstance(item, str) or item.labels]


def _other_row(line: str) -> tuple[str, str, str]:
    """Return number, mark and text of a row under a heading that is not ``12:text``; empty for any other line."""
    if line[:1].isdigit():
        for mark in (CONTEXT, FUNCTION):
            number, found, _ = line[:12].partition(mark)
            if found and _number(number):
                return number, mark, line[len(number) + 1 :]
    match = TOOL_ROW.match(line)
    return (match[1] or match[3], match[2] or match[4], line[match.end() :]) if match else ("", "", "")


def _plain_form(lines: list[str]) -> list[Group | str]:
    items: list[Group | str] = []
    prefix = "\n"  # stands in no line
    for line in lines:
        if not line.startswith(prefix):
            at = line.find(MATCH, 2 if line[1:3] in (":\\", ":/") else 0, _PATH_CHARS)
            if at < 1 or " " in line[:at] or not is_path(line[:at]):
                items.append(line)
                prefix = "\n"
                continue
            prefix = line[: at + 1]
            group = Group(line[:at])
            items.append(group)
            add = group.texts.append
            length = len(prefix)
        add(line[length:])
    for item in items:
        if not isinstance(item, str):
            item.labels = [""] * len(item.texts)
            item.marks = [MATCH] * len(item.texts)
    return items


def _tag_form(lines: list[str]) -> list[Group | str]:
    """Read ``<match path="src/a.ts" line=12>``, the lines of the text, ``</match>``."""
    items: list[Group | str] = []
    at = 0
    while at < len(lines):
        match = MATCH_TAG.match(lines[at])
        end = at + 1
        while match and end < len(lines) and end - at < _TAGGED and lines[end] != "</match>":
            end += 1
        if match is None or end == at + 1 or end >= len(lines) or lines[end] != "</match>":
            items.append(lines[at])
            at += 1
            continue
        group = items[-1] if items else ""
        if isinstance(group, str) or group.path != match[1]:
            group = Group(match[1])
            items.append(group)
        for number, line in enumerate(lines[at + 1 : end], int(match[2])):
            group.labels.append(str(number))
            group.marks.append(MATCH)
            group.texts.append(line)
        at = end + 1
    return [item for item in items if isinstance(item, str) or item.labels]


def _joined(items: list[Group | str]) -> list[Group | str]:
    """Leave out the ``--`` that a gap in the line numbers or another heading tells as well, and join what it parted."""
    out: list[Group | str] = []
    for at, item in enumerate(items):
        before = out[-1] if out else None
        after = items[at + 1] if at + 1 < len(items) else None
        if item == "--" and isinstance(before, Group) and (after is None or isinstance(after, Group)):
            if after is None or before.path != after.path:
                continue
            if int(after.labels[0]) > int(before.labels[-1]) + 1:
                continue
        if (
            isinstance(item, Group)
            and isinstance(before, Group)
            and item.path == before.path
            and int(item.labels[0]) > int(before.labels[-1])
        ):
            before.labels += item.labels
            before.marks += item.marks
            before.texts += item.texts
            continue
        out.append(item)
    return out


def _columns(items: list[Group | str]) -> None:
    """Move the columns of ``--column`` and ``--vimgrep`` from the texts to the numbers when every row has one."""
    groups = [item for item in items if isinstance(item, Group)]
    match = _COLUMN.match
    if not groups or not all(match(text) for group in groups for text in group.texts):
        return
    for group in groups:
        for at, text in enumerate(group.texts):
            column, _, rest = text.partition(":")
            group.labels[at] += ":" + column
            group.texts[at] = rest
