"""Write the rows that stay, with a gap note where others stood."""

from __future__ import annotations

from headroom_cli.compressors.code import words
from headroom_cli.compressors.code.plan import BODY, COMMENT, KEPT
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors._numbered import Numbered

# A gap note of ours at the end of a line: ` ...120-188: cache options`, or ` ...: cache options` where rows have numbers.
NOTE = pattern(r"(?:^|[ \t])\.\.\.(?:\d{1,7}(?:-\d{1,7})?)(?:: [^\n]{1,400})?\r?$|[^.]\s\.\.\.: [\w $]{2,400}\r?$")


def gaps(lines: list[str], rows: bytearray) -> list[tuple[int, int, bool]]:
    """Return (first, last, whether code is in it) of each run of hidden rows; blank rows around comments join them."""
    found: list[tuple[int, int, bool]] = []
    total = len(rows)
    row = 0
    while row < total:
        if rows[row] == KEPT:
            row += 1
            continue
        first = row
        body = False
        while row < total and (
            rows[row] != KEPT or (not lines[row].strip() and row + 1 < total and rows[row + 1] != KEPT)
        ):
            body = body or rows[row] == BODY
            row += 1
        found.append((first, row - 1, body))
    return found


def size_of(lines: list[str], first: int, last: int) -> int:
    """Return the characters of some rows without their indentation."""
    return sum(len(line.strip()) for line in lines[first : last + 1])


def render(lines: list[str], rows: bytearray, most: int, numbered: Numbered | None) -> tuple[str, int]:
    """Return the rendering and the number of rows left out. ``most`` is the number of rare words of a gap."""
    holes = gaps(lines, rows)
    kept_text = "\n".join([line for line, row in zip(lines, rows, strict=True) if row == KEPT])
    seen = words.visible(kept_text)
    out: list[str] = []
    left_out = 0
    at = 0
    prefixes = numbered.prefixes if numbered is not None else None
    for first, last, body in holes:
        for row in range(at, first):
            out.append(lines[row] if prefixes is None else prefixes[row] + lines[row])
        at = last + 1
        small = size_of(lines, first, last) < (24 if body else 16)
        if small:
            for row in range(first, last + 1):
                out.append(lines[row] if prefixes is None else prefixes[row] + lines[row])
            continue
        left_out += last - first + 1
        named = words.rare(lines[first : last + 1], seen, min(most, 3 + (last - first) // 2)) if body and most else []
        own = not out or not out[-1].strip() or (not body and not _is_comment(out[-1]))
        if own and out and not out[-1].strip() and numbered is None:
            out.pop()  # the blank row above joins the gap
            first -= 1
            left_out += 1
        where = (
            ""
            if numbered is not None and out and not own
            else f"{first + 1}"
            if first == last
            else f"{first + 1}-{last + 1}"
        )
        if numbered is not None and where:
            given = [number for number in numbered.numbers[first : last + 1] if number >= 0]
            where = f"{given[0]}-{given[-1]}" if given else where
        note = f"...{where}" + (f": {' '.join(named)}" if named else "")
        ending = "\r" if lines[first].endswith("\r") else ""
        if own:
            out.append(note + ending)
        else:
            out[-1] = f"{out[-1].rstrip()} {note}{ending}"
    for row in range(at, len(lines)):
        out.append(lines[row] if prefixes is None else prefixes[row] + lines[row])
    return "\n".join(out), left_out


def _is_comment(line: str) -> bool:
    return (
        line.lstrip(" \t0123456789|:").startswith(("#", "//", "/*", "*", '"""', "'''", "--", 'r"""', 'R"""'))
        or '"""' in line
    )


__all__ = ["COMMENT", "NOTE", "gaps", "render"]
