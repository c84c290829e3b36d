"""Neighbouring lines of a few known forms that differ in a name: the form once, then the names.

    grep: src/a/one.pyc: binary file matches        [3 lines: grep: src/?.pyc: binary file matches]
    grep: src/a/two.pyc: binary file matches        a/one
    grep: src/b/one.pyc: binary file matches        a/two
                                                    b/one

Two forms may alternate: the lines of the second are behind ``~ ``. The number of lines tells where they end; put each
in the place of the ``?`` and what was there reads again.
"""

from __future__ import annotations

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Forms of a line: what varies is in groups, of which only the last may hold a blank.
_FORMS = (
    pattern(r"(grep: )(\S+)(: binary file matches)$"),
    pattern(r"(Binary file )(\S+)( matches)$"),
    pattern(r"(\S*/\S*)( \()(\d{1,7})( match(?:es)?\))$"),
    pattern(r"(Requirement already satisfied: )(\S+)( in )(\S+)( )(\([^\n]{1,300})$"),
)
# A match without a number, of the same text in one file after the other.
_SAME = pattern(r"([^\s:]{0,300}/[^\s:]{0,200}\.\w{1,10})(:[^\n]{12,400})$")
_ERROR = pattern(r"(?i)error|fail|exception|fatal|panic|denied|not found|no such|cannot|warn")
_STARTS = ("grep: ", "Binary file ", "Requirement already satisfied: ")
_ENDS = (" matches)", " match)")
# Of the form that lists the files of a search, paths are answers: whoever opens one writes it whole.
_WHOLE = 2
_LEAST = 3  # lines
_SHARE = 0.92  # of the characters may stay at most
_HOLE = "?"
_OTHER = "~ "
_MOST = 2_000  # lines of one run

Form = tuple[int, str]  # the number of the form, and what all lines of it must say


def alike(text: str) -> str:
    """Return a text with its runs of such lines written in short."""
    if not any(start in text for start in (*_STARTS, *_ENDS)):
        return text
    rows = text.split("\n")
    forms = list(map(_form, rows))
    out: list[str] = []
    i = 0
    while i < len(rows):
        end = _run(forms, i)
        short = _written(rows[i:end], forms[i:end]) if end - i >= _LEAST else []
        out += short or rows[i : max(end, i + 1)]
        i = max(end, i + 1)
    return "\n".join(out)


def _form(row: str) -> tuple[Form, tuple[str, ...]] | None:
    if row.startswith(_STARTS) or row.endswith(_ENDS):
        for number, form in enumerate(_FORMS):
            if (found := form.match(row)) is not None:
                return (number, ""), found.groups()
    found = _SAME.match(row)
    if found is not None and _ERROR.search(found[2]) is None:
        return (len(_FORMS), found[2]), found.groups()
    return None


def _run(forms: list[tuple[Form, tuple[str, ...]] | None], i: int) -> int:
    """Return where the run ends that begins with a line."""
    known: list[Form] = []
    end = i
    while end < min(len(forms), i + _MOST) and (found := forms[end]) is not None:
        if found[0] not in known:
            if len(known) == 2:  # the first, and the one behind a sign
                break
            known.append(found[0])
        end += 1
    return end


def _written(rows: list[str], forms: list[tuple[Form, tuple[str, ...]] | None]) -> list[str]:
    """Return a run in short, nothing when that does not pay or could be misread."""
    lines: dict[Form, list[tuple[str, ...]]] = {}
    for found in forms:
        if found is not None:
            lines.setdefault(found[0], []).append(found[1])
    said: list[str] = []
    cells: dict[Form, Iterator[str]] = {}
    for form, groups in lines.items():
        if len(groups) < _LEAST:
            return []
        template, held = _template(groups, whole=form[0] == _WHOLE)
        if template.count(_HOLE) == 0 or any(_HOLE in part for part in groups[0]):
            return []
        said.append(template)
        cells[form] = iter(held)
    first = next(iter(lines))
    names = [("" if found[0] == first else _OTHER) + next(cells[found[0]]) for found in forms if found is not None]
    if any(row.startswith(_OTHER) for row in rows):
        return []
    other = f"; behind {_OTHER}lines of: {said[1]}" if len(said) > 1 else ""
    short = [f"[{len(rows)} lines: {said[0]}{other}]", *names]
    return short if sum(map(len, short)) < _SHARE * sum(map(len, rows)) else []


def _template(lines: list[tuple[str, ...]], *, whole: bool) -> tuple[str, list[str]]:
    """Return the form with holes, and of each line what goes into them, ``whole`` or but for common ends."""
    template = ""
    held: list[list[str]] = []
    for column in zip(*lines, strict=True):
        if len(set(column)) == 1:
            template += column[0]
            continue
        before, after = (0, 0) if whole else _ends(column)
        template += column[0][:before] + _HOLE + column[0][len(column[0]) - after :]
        held.append([part[before : len(part) - after] for part in column])
    return template, [" ".join(parts) for parts in zip(*held, strict=True)]


def _ends(column: tuple[str, ...]) -> tuple[int, int]:
    """Return how many characters all parts begin and end with, names whole."""
    low, high = min(column), max(column)
    most = min(map(len, column)) - 1
    before = next((i for i in range(most) if low[i] != high[i]), max(most, 0))
    before = low.rfind("/", 0, before) + 1
    ends = [part[before:][::-1] for part in column]
    low, high = min(ends), max(ends)
    most = min(map(len, ends)) - 1
    after = next((i for i in range(most) if low[i] != high[i]), max(most, 0))
    while after and low[after - 1] not in "/.":
        after -= 1
    return before, after
