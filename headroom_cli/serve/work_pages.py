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
_LINES = 1_500  # beyond it lines are not paired: that takes time with the square of them
_CONTEXT = 3  # equal lines that stay in sight around others
_AHEAD = 200  # characters before the first difference of texts that are too long to show


def pairs(state: Any, before: bytes, after: bytes, shape: str) -> list[dict[str, Any]]:  # noqa: ARG001 - as all jobs are called
    """Return the blocks that differ between the two bodies of a request, at most BLOCKS of them.

    Each is ``{path, role, tool, of, before, after, from, cut, rows}``: characters of both texts; how many blocks
    differ in all (``of``); the first character that is shown; whether some are not; and ``rows`` of [sign, left,
    right]: "=" equal, "~" changed, "-" gone, "+" new, "." left out (left: how many equal lines).
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

    return SequenceMatcher(None, left, right, autojunk=False).get_opcodes()


def _hand(block: Block) -> tuple[str, str]:
    return block.role, block.hint.tool if block.hint else ""


def _pair(old: Block | None, new: Block | None) -> dict[str, Any]:
    left, right = old.text if old else "", new.text if new else ""
    known = old or new
    start = 0
    if max(len(left), len(right)) > CHARACTERS:
        start = max(0, _common(left, right) - _AHEAD)
    shown = left[start : start + CHARACTERS], right[start : start + CHARACTERS]
    return {
        "path": known.path if known else "", "role": known.role if known else "",
        "tool": known.hint.tool if known and known.hint else "", "before": len(left), "after": len(right),
        "from": start, "cut": (len(shown[0]), len(shown[1])) != (len(left), len(right)),
        "rows": _rows(shown[0].splitlines(), shown[1].splitlines()),
    }  # fmt: skip


def _common(left: str, right: str) -> int:
    """Return how many characters two texts begin with alike, by halving."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if left[low:middle] == right[low:middle] else (low, middle - 1)
    return low


def _rows(left: list[str], right: list[str]) -> list[list[Any]]:
    rows: list[list[Any]] = []
    if max(len(left), len(right)) > _LINES:
        return [["-", line, None] for line in left] + [["+", None, line] for line in right]
    for sign, i, end_i, j, end_j in _opcodes(left, right):
        if sign == "equal":
            # Far from any other line, equal ones are only counted.
            head = _CONTEXT if i > 0 else 0
            tail = _CONTEXT if end_i < len(left) or end_j < len(right) else 0
            hidden = end_i - i - head - tail
            if hidden > 1:
                rows += (["=", line, line] for line in left[i : i + head])
                rows.append([".", hidden, None])
                rows += (["=", line, line] for line in left[end_i - tail : end_i])
            else:
                rows += (["=", line, line] for line in left[i:end_i])
            continue
        for k in range(max(end_i - i, end_j - j)):
            a = left[i + k] if i + k < end_i else None
            b = right[j + k] if j + k < end_j else None
            rows.append(["+" if a is None else "-" if b is None else "~", a, b])
    return rows
