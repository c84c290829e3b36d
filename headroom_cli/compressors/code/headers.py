"""The last resort of a budget: what was asked for, and the first lines of types and functions behind their numbers."""

from __future__ import annotations

from headroom_cli.compressors.code.render import shown_rows, span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from headroom_cli.compressors.code.asked import Asked
    from headroom_cli.compressors.code.shape import Shape
    from headroom_cli.compressors.code.view import View

_FRAME = 24  # tokens of the line that says what is missing, and of a span
_LONG = 400  # characters; functions with longer lines are not written out


def headers(view: View, shape: Shape, asked: Asked, budget: int, count: Callable[[str], int]) -> tuple[str, int]:
    """Return as much as the budget holds and the rows that it leaves out: what was asked for, then headers.

    Of the headers outer and public ones go first.
    """
    lines = view.lines
    bodies = _bodies(view, shape, asked, budget - _FRAME, count)
    inside = {row for first, last, _ in bodies for row in range(first, last + 1)}
    ranked: dict[int, tuple[int, int, int]] = {}
    for start, _ in shape.types:
        ranked[start] = (_depth(lines[start]), 0, start)
    for function in shape.functions:
        private = function.name.startswith("_") or "private " in lines[function.head][:120] or function.told < 2
        ranked.setdefault(function.head, (_depth(lines[function.head]), 1 + private, function.head))
    if not ranked:
        ranked = {row: (_depth(line), 0, row) for row, line in enumerate(lines) if line.strip()}
    order = [row for row in sorted(ranked, key=ranked.__getitem__) if row not in inside]
    told = "these headers and bodies" if bodies else "these headers"
    most = len(order)
    while most > 0 or bodies:
        parts = [(row, f"{span(view, row, row)}: {lines[row].strip()[:160]}") for row in order[:most]]
        parts += [(first, text) for first, _, text in bodies]
        left_out = len(lines) - most - len(inside)
        made = "\n".join(
            [f"[... {left_out} of {len(lines)} lines: all but {told}]", *(text for _, text in sorted(parts))]
        )
        size = count(made)
        if size <= budget or most == (0 if bodies else 1):
            return made, left_out
        most = min(most - 1, max(0 if bodies else 1, most * budget // size))
    return "", 0


def _bodies(
    view: View, shape: Shape, asked: Asked, budget: int, count: Callable[[str], int]
) -> list[tuple[int, int, str]]:
    """Return (first row, last row, text) of the functions that the question names, as many as the budget holds."""
    shown = shown_rows(view)
    found = []
    until = -1
    for function in shape.functions:  # outer before inner
        weight = asked.weight(function)
        if weight and (function.first > until or weight > 1):
            found.append((-weight, function.last - function.head, function.head, function.last))
            until = max(until, function.last)
    taken: list[tuple[int, int, str]] = []
    for _, _, first, last in sorted(found):
        rows = shown[first : last + 1]
        if any(first <= end and last >= start for start, end, _ in taken) or max(map(len, rows)) > _LONG:
            continue
        text = "\n".join([f"{span(view, first, last)}:", *rows])
        size = count(text) + 1
        if size <= budget:
            taken.append((first, last, text))
            budget -= size
    return taken


def _depth(line: str) -> int:
    """Return how far a line is indented, in steps that tabs and spaces share roughly."""
    lead = line[: len(line) - len(line.lstrip())]
    return min(9, lead.count("\t") + lead.count(" ") // 2)
