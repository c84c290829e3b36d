"""Jobs of worker processes for the dashboard: which blocks of a request changed, and how, line by line."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from headroom_cli.formats import Document
    from headroom_cli.model import Block

BLOCKS = 20
CHARACTERS = 20_000  # of one block, before and after each
_LINE = 8_000  # of one line
_PAIRED = 6_000  # lines that are compared; more are not paired
_EXACT = 1_500  # lines that are compared one by one; in more, those that are very frequent are not looked for
_CONTEXT = 3  # equal lines that stay in sight around others
_HEAD, _FOOT = 30, 10  # lines that stay in sight of many that are gone or new
_AHEAD = 200  # characters before the first difference of lines that are too long to show


def pairs(state: Any, before: bytes, after: bytes, shape: str) -> list[dict[str, Any]]:  # noqa: ARG001 - as all jobs are called
    """Return the blocks that differ between the two bodies of a request, at most BLOCKS of them.

    Each is ``{path, role, tool, of, before, after, cut, rows}``: characters of both texts; how many blocks differ in
    all (``of``); whether some of what differs is not shown; and ``rows`` of [sign, left, right]: "=" equal, "~"
    changed, "-" gone, "+" new, "." not shown (left: how many lines, right: "equal", "gone", "new" or "more").
    """
    # What goes out may be in another shape than what came in, so both are recognised for themselves first.
    found = list(_differing(_open(before, ""), _open(after, "")))
    if not found and before != after:
        found = list(_differing(_open(before, shape), _open(after, shape)))
    return [{**_pair(old, new), "of": len(found)} for old, new in found[:BLOCKS]]


def _open(body: bytes, shape: str) -> Document | None:
    """Return the body as the document that it is; None for what is no text."""
    from headroom_cli import formats
    from headroom_cli.errors import FormatError

    try:
        return formats.parse(body, shape if shape in formats.REQUESTS else "")
    except UnicodeDecodeError:
        return None
    except FormatError:
        return formats.parse(body)


def _differing(old: Document | None, new: Document | None) -> Iterator[tuple[Block | None, Block | None]]:
    """Yield the blocks that stand in each other's place with other texts, in order; None where there is none."""
    if old is None or new is None:
        return
    left, right = old.blocks, new.blocks
    if [block.path for block in left] == [block.path for block in right]:
        yield from ((a, b) for a, b in zip(left, right, strict=True) if a.text != b.text)
        return
    # Something was put in or moved: what stands between equal blocks is paired with what came from the same hand.
    for sign, i, end_i, j, end_j in _opcodes([b.text for b in left], [b.text for b in right]):
        if sign != "equal":
            ours, theirs = left[i:end_i], right[j:end_j]
            for inner, k, end_k, m, end_m in _opcodes([_hand(b) for b in ours], [_hand(b) for b in theirs]):
                if inner == "equal":
                    yield from zip(ours[k:end_k], theirs[m:end_m], strict=True)
                else:
                    yield from ((block, None) for block in ours[k:end_k])
                    yield from ((None, block) for block in theirs[m:end_m])


def _opcodes(left: list[Any], right: list[Any]) -> Sequence[tuple[str, int, int, int, int]]:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, left, right, autojunk=max(len(left), len(right)) > _EXACT).get_opcodes()


def _hand(block: Block) -> tuple[str, str]:
    return block.role, block.hint.tool if block.hint else ""


def _pair(old: Block | None, new: Block | None) -> dict[str, Any]:
    left, right = old.text if old else "", new.text if new else ""
    known = old or new
    rows = _shortened(_folded(_compared(left.splitlines(), right.splitlines())))
    return {
        "path": known.path if known else "", "role": known.role if known else "",
        "tool": known.hint.tool if known and known.hint else "", "before": len(left), "after": len(right),
        "cut": any(row[0] == "." and row[2] != "equal" for row in rows), "rows": rows,
    }  # fmt: skip


def _compared(left: list[str], right: list[str]) -> Iterator[list[Any]]:
    """Yield the lines of both texts beside each other."""
    if max(len(left), len(right)) > _PAIRED:
        yield from (["-", line, None] for line in left)
        yield from (["+", None, line] for line in right)
        return
    for sign, i, end_i, j, end_j in _opcodes(left, right):
        both = min(end_i - i, end_j - j)
        yield from (["=" if sign == "equal" else "~", left[i + k], right[j + k]] for k in range(both))
        yield from (["-", line, None] for line in left[i + both : end_i])
        yield from (["+", None, line] for line in right[j + both : end_j])


def _folded(compared: Iterator[list[Any]]) -> Iterator[list[Any]]:
    """Yield the rows with the middle of long runs left out: equal lines far from others, gone or new ones."""
    from itertools import groupby

    runs = [(sign, list(rows)) for sign, rows in groupby(compared, key=lambda row: row[0])]
    for place, (sign, rows) in enumerate(runs):
        head, foot = _HEAD, _FOOT
        if sign == "=":
            head, foot = _CONTEXT if place else 0, _CONTEXT if place < len(runs) - 1 else 0
        hidden = len(rows) - head - foot
        if hidden > 1 and sign != "~":
            yield from rows[:head]
            yield [".", hidden, {"=": "equal", "-": "gone", "+": "new"}[sign]]
            yield from rows[len(rows) - foot :]
        else:
            yield from rows


def _shortened(rows: Iterator[list[Any]]) -> list[list[Any]]:
    """Return as many rows as there is space for, long lines cut."""
    shown: list[list[Any]] = []
    left = right = more = 0
    for row in rows:
        if row[0] == ".":
            shown.append(row)
            continue
        row[1:] = _cut(row[1], row[2])
        left, right = left + len(row[1] or ""), right + len(row[2] or "")
        if max(left, right) > CHARACTERS:
            more += 1
        else:
            shown.append(row)
    return [*shown, [".", more, "more"]] if more else shown


def _cut(left: str | None, right: str | None) -> list[str | None]:
    """Return two lines, of long ones what stands around their first difference."""
    start = 0
    if left and right and max(len(left), len(right)) > _LINE:
        start = max(0, _common(left, right) - _AHEAD)
    return [
        line and ("\u2026" if start else "") + line[start : start + _LINE] + ("\u2026" if line[start + _LINE :] else "")
        for line in (left, right)
    ]


def _common(left: str, right: str) -> int:
    """Return how many characters two texts begin with alike, by halving."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if left[low:middle] == right[low:middle] else (low, middle - 1)
    return low
