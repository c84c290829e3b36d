"""The last resort of a budget: nothing but the first lines of types and functions, each behind its number."""

from __future__ import annotations

from headroom_cli.compressors.code.render import span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from headroom_cli.compressors.code.shape import Shape
    from headroom_cli.compressors.code.view import View


def headers(view: View, shape: Shape, budget: int, count: Callable[[str], int]) -> tuple[str, int]:
    """Return as many headers as the budget holds and the rows that they leave out; outer and public ones go first."""
    lines = view.lines
    ranked: dict[int, tuple[int, int, int]] = {}
    for start, _ in shape.types:
        ranked[start] = (_depth(lines[start]), 0, start)
    for function in shape.functions:
        private = function.name.startswith("_") or "private " in lines[function.head][:120] or function.told < 2
        ranked.setdefault(function.head, (_depth(lines[function.head]), 1 + private, function.head))
    if not ranked:
        ranked = {row: (_depth(line), 0, row) for row, line in enumerate(lines) if line.strip()}
    order = sorted(ranked, key=ranked.__getitem__)
    most = len(order)
    while most > 0:
        chosen = sorted(order[:most])
        out = [f"{span(view, row, row)}: {lines[row].strip()[:160]}" for row in chosen]
        left_out = len(lines) - len(out)
        made = "\n".join([f"[... {left_out} of {len(lines)} lines: all but these headers]", *out])
        size = count(made)
        if size <= budget or most == 1:
            return made, left_out
        most = min(most - 1, max(1, most * budget // size))
    return "", 0


def _depth(line: str) -> int:
    """Return how far a line is indented, in steps that tabs and spaces share roughly."""
    lead = line[: len(line) - len(line.lstrip())]
    return min(9, lead.count("\t") + lead.count(" ") // 2)
