"""Charts of ``headroom stats --html``: SVG that stands in the page itself, drawn here, without a script.

A chart has no text in it, so that it can be stretched to any width: what its ends and its highest bar are stands in the
page around it, and every bar has a ``<title>`` to point at. Numbers of any size and sign may come in.
"""

from __future__ import annotations

from html import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 600, 100  # of the drawing's own units, whatever the page makes of them
_WIDEST = 24.0  # units: a single day is a column too, not a wall
_LEAST = 0.8  # units: what is there can be seen, however small it is beside the largest


def columns(series: Sequence[tuple[str, Sequence[float]]], titles: Sequence[str], label: str) -> str:
    """Return one group of columns for each of ``titles``, with a column of each series in it.

    ``series`` is (class of the page's style, values); the values stand in the order of the titles. What is below zero
    hangs below the line, in a class of its own. ``label`` is what a reader that does not see the picture is told.
    """
    every = [value for _, values in series for value in values]
    highest, lowest = max(0.0, *map(float, every), 0.0), min(0.0, *map(float, every), 0.0)
    span = highest - lowest or 1.0
    zero = HEIGHT * highest / span if highest or lowest else HEIGHT - 1.0
    zero = min(max(zero, 1.0), HEIGHT - 1.0)  # the line itself has a place
    slot = WIDTH / max(1, len(titles))
    gap = min(2.0, slot * 0.2)
    each = min(_WIDEST, (slot - gap) / max(1, len(series)))
    side = (slot - each * len(series)) / 2
    drawn = []
    for place, title in enumerate(titles):
        bars = []
        for order, (name, values) in enumerate(series):
            value = float(values[place])
            if not value:
                continue
            room = zero if value > 0 else HEIGHT - zero
            most = highest if value > 0 else -lowest
            height = max(_LEAST, room * (abs(value) / most))
            top = zero - height if value > 0 else zero
            shown = name if value > 0 else "worse"
            bars.append(_rectangle(shown, place * slot + side + order * each, top, each, height))
        # The whole height answers to the pointer, not the bar alone, which may be a hair.
        ground = _rectangle("hit", place * slot, 0, slot, HEIGHT)
        drawn.append(f"<g><title>{escape(title)}</title>{ground}{''.join(bars)}</g>")
    line = _rectangle("zero", 0, zero - 0.5, WIDTH, 1)
    return (
        f'<svg class="columns" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">{"".join(drawn)}{line}</svg>'
    )


def pair(before: float, after: float, most: float) -> str:
    """Return two bars above one another, as parts of ``most``; the words beside them say the same."""
    top = _bar("b", before, most, 0)
    below = _bar("a" if after <= before else "worse", after, most, 5.5)
    return (
        '<svg class="pair" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f"{top}{below}</svg>"
    )


def shares(parts: Sequence[tuple[str, float]], label: str) -> str:
    """Return one bar of parts (class, value) side by side; values below zero count as nothing."""
    whole = sum(max(0.0, float(value)) for _, value in parts) or 1.0
    at = 0.0
    drawn = []
    for name, value in parts:
        width = 100 * max(0.0, float(value)) / whole
        drawn.append(_rectangle(name, at, 0, width, 10))
        at += width
    return (
        f'<svg class="shares" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{escape(label)}">'
        f"{_rectangle('zero', 0, 0, 100, 10)}{''.join(drawn)}</svg>"
    )


def _bar(name: str, value: float, most: float, top: float) -> str:
    width = 100 * max(0.0, min(1.0, float(value) / float(most))) if most > 0 else 0.0
    return _rectangle(name, 0, top, max(0.3, width) if value > 0 else 0.0, 4.5)


def _rectangle(name: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{name}" x="{x:.6g}" y="{y:.6g}" width="{width:.6g}" height="{height:.6g}"/>'
