"""Write the rows that stay, with a gap note where others stood."""

from __future__ import annotations

from headroom_cli.compressors.code import words
from headroom_cli.compressors.code.plan import BODY
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.code.view import View

# A gap note of ours, at the end of a line or alone: ` ...120-188: cache options`.
NOTE = pattern(r"(?:^|[ \t])\.\.\.\d{1,7}(?:-\d{1,7}| lines?)?(?:: [^\n]{1,600})?\r?$")
_HIDDEN = pattern(rb"[\1\2]+")  # of plan's rows: BODY and COMMENT
_LONG = 1000  # characters; of a longer line only the head stays
_HEAD = 160  # characters
_WORTH = {True: 24, False: 16}  # characters; a smaller gap (of code; of comments) costs less than its note


def is_ours(rows: list[str]) -> bool:
    """Return whether a text is a rendering of ours already: one row in forty carries a gap note."""
    return sum(1 for row in rows if "..." in row and NOTE.search(row[-640:])) * 40 > len(rows)


def gaps(lines: list[str], rows: bytearray) -> list[tuple[int, int, bool]]:
    """Return (first, last, whether code is in it) of each run of hidden rows; blank rows between them join them."""
    runs: list[tuple[int, int]] = []
    for run in _HIDDEN.finditer(rows):
        first, last = run.start(), run.end() - 1
        if runs and runs[-1][1] == first - 2 and not lines[first - 1].strip():
            runs[-1] = (runs[-1][0], last)
        else:
            runs.append((first, last))
    found: list[tuple[int, int, bool]] = []
    for first, last in runs:
        body = rows.find(BODY, first, last + 1) >= 0
        if last - first > 3 or sum([len(line.strip()) for line in lines[first : last + 1]]) >= _WORTH[body]:
            found.append((first, last, body))
    return found


def render(view: View, rows: bytearray, most: int) -> tuple[str, int]:
    """Return the rendering and the number of rows left out. ``most`` is the number of rare words of a gap."""
    lines = view.lines
    holes = gaps(lines, rows)
    shown = shown_rows(view)
    kept: list[str] = []
    at = 0
    for first, last, _ in holes:
        kept += lines[at:first]
        at = last + 1
    kept += lines[at:]
    seen = words.visible("\n".join(kept))
    out: list[str] = []
    left_out = 0
    at = 0
    for first, last, body in holes:
        out += shown[at:first]
        at = last + 1
        begin = first
        own = not out or not out[-1].strip() or not (body or _is_comment(lines[first - 1]))
        if own and out and first and not lines[first - 1].strip() and not out[-1].strip():
            out.pop()  # the blank row above joins the gap
            begin -= 1
        left_out += last - begin + 1
        hidden = [lines[row] for row in range(first, last + 1) if rows[row] == BODY] if body and most else []
        named = words.rare(hidden, seen, min(most, 3 + len(hidden) // 2)) if hidden else []
        note = f"...{span(view, begin, last)}" + (f": {' '.join(named)}" if named else "")
        ending = "\r" if lines[last].endswith("\r") else ""
        if own:
            out.append(note + ending)
        else:
            out[-1] = f"{out[-1].rstrip()} {note}{ending}"
    out += shown[at:]
    cropped = 0
    for row, line in enumerate(out):
        if len(line) > _LONG and not NOTE.search(line[-640:]):
            out[row] = f"{line[:_HEAD]} [... {len(line) - _HEAD} characters]" + ("\r" if line.endswith("\r") else "")
            cropped += 1
    return "\n".join(out), left_out + cropped


def shown_rows(view: View) -> list[str]:
    """Return the rows as they are written: numbers without their padding."""
    if view.numbered is None:
        return view.lines
    return [prefix.lstrip(" ") + line for prefix, line in zip(view.numbered.prefixes, view.lines, strict=True)]


def span(view: View, first: int, last: int) -> str:
    """Return the rows' numbers in the file: the view's own where it has some, else counted from 1.

    Behind a place where a harness left lines out their numbers are not known: there it is how many rows they are.
    """
    one, two = first + 1, last + 1
    if last >= view.cut:
        return f"{two - one + 1} line{'s' if two > one else ''}"
    if view.numbered is not None:
        given = [number for number in view.numbered.numbers[first : last + 1] if number >= 0]
        if given:
            one, two = given[0], given[-1]
    return f"{one}" if one == two else f"{one}-{two}"


def _is_comment(line: str) -> bool:
    """Return whether the rest of a comment or a documentation string goes on behind this row's text."""
    bare = line.lstrip()
    return (
        bare.startswith(("//", "/*", "*", "--"))
        or '"""' in bare
        or "'''" in bare
        or (bare.startswith("#") and not bare.startswith(("#include", "#define", "#if", "#e", "#pragma", "#[")))
    )
