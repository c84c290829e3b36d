"""Cut a text into blocks of lines, read each as what it is, and write it shorter where that is certain."""

from __future__ import annotations

from headroom_cli.compressors.tables import boxes, delimited, fixed, git, pairs, tokens
from headroom_cli.compressors.tables.grid import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Want

_LEAST_LINES = 3


def encode(text: str, want: Want) -> tuple[list[str], str]:
    """Return the lines of the shorter text, and what is missing ("" when nothing is)."""
    missing = ""
    if not want.lossless and (want.level != "safe" or want.budget is not None):
        text, missing = git.short_ids(text)
    lines = text.split("\n")
    whole = git.blame(lines)
    if whole is not None:
        return whole, ""
    sign = delimited.delimiter([line for line in lines[:60] if line])
    if sign:
        grid = delimited.read(lines, sign)
        body = write(grid, want.count) if grid is not None else None
        if body is not None:
            return body, missing
    out: list[str] = []
    start = 0
    blank = False
    for at, line in enumerate([*lines, ""]):
        if line and not line.isspace():
            continue
        if at > start:
            if blank and out:
                out.append("")
            out += block(lines[start:at], want)
            blank = False
        blank = blank or at < len(lines)
        start = at + 1
    return out, missing


def block(lines: list[str], want: Want) -> list[str]:
    """Return the lines of one block, shorter where they could be read."""
    out: list[str] = []
    start = 0
    while start < len(lines):
        rest = lines[start:]
        plain = [line.rstrip(" \t") for line in rest]
        found = _read(rest, want) if len(rest) >= _LEAST_LINES else None
        if found is None:
            out += plain
            break
        body, end = found
        better = body != plain[:end] and _size(body) < _size(plain[:end])
        if out and better:
            out.append("")  # the headings above reach to the next blank line
        out += body if better else plain[:end]
        start += end
        if start < len(lines) and better:
            out.append("")
    return out


def _size(lines: list[str]) -> int:
    return sum(map(len, lines)) + len(lines)


def _read(lines: list[str], want: Want) -> tuple[list[str], int] | None:
    """Return a table at the start of a block and the number of lines it took, None when there is none."""
    if boxes.is_table(lines):
        grid = boxes.read(lines)
        body = write(grid, want.count) if grid is not None else None
        return None if body is None else (body, len(lines))
    found = fixed.read(lines)
    if found is not None:
        at, end, grid = found
        body = write(grid, want.count)
        return None if body is None else ([*(line.rstrip(" \t") for line in lines[:at]), *body], end)
    headed = fixed.header_of(lines)
    if headed >= 0:
        end = fixed.next_header(lines, headed, headed + 1)
        return None if end == len(lines) else ([line.rstrip(" \t") for line in lines[:end]], end)
    grid = tokens.read(lines)
    body = write(grid, want.count) if grid is not None else None
    other = pairs.squeeze([line.rstrip(" \t") for line in lines])
    if other is not None and (body is None or want.count("\n".join(other)) <= want.count("\n".join(body))):
        body = other
    return None if body is None else (body, len(lines))
