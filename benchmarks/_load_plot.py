"""The figures of benchmarks/load.py as one SVG: four panels over the number of clients, a line for each fleet."""

import math

PANELS = (
    ("requests_s", "requests a second"),
    ("p50_ms", "ms to the first byte: half (solid), 99 of 100 (dashed)"),
    ("cpu_ms", "ms of processor time for a request, without Redis"),
    ("shared_once_mb", "MB resident in all replicas, shared pages once"),
)
DASHED = {"p50_ms": "p99_ms"}
COLOURS = ("#0072b2", "#d55e00", "#009e73")  # told apart by colour-blind readers as well
WIDTH, HEIGHT, LEFT, TOP = 420, 260, 56, 40


def svg(rows: list[dict]) -> str:
    """Return the picture."""
    fleets = sorted({row["replicas"] for row in rows})
    size = f"{2 * WIDTH + 20} {2 * HEIGHT + 60}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for number, fleet in enumerate(fleets):
        x, colour = LEFT + number * 120, COLOURS[number % len(COLOURS)]
        parts.append(f'<path d="M{x} 18h24" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{x + 30}" y="22">{fleet} replica{"s" if fleet > 1 else ""}</text>')
    for number, panel in enumerate(PANELS):
        x, y = number % 2 * WIDTH + LEFT, number // 2 * HEIGHT + TOP + 20
        parts += _panel(rows, fleets, *panel, x=x, y=y)
    return "\n".join([*parts, "</svg>", ""])


def _panel(rows: list[dict], fleets: list[int], name: str, title: str, *, x: int, y: int) -> list[str]:
    """Return one panel whose upper left corner of the drawing is at x, y."""
    wide, high = WIDTH - LEFT - 10, HEIGHT - TOP - 30
    names = [name, *([DASHED[name]] if name in DASHED else [])]
    logarithmic = name in DASHED
    values = [row[one] for row in rows for one in names if row[one] > 0]
    top = max(values)
    low = min(values) if logarithmic else 0.0
    clients = sorted({row["clients"] for row in rows})
    last = math.log2(max(clients)) or 1.0

    def across(count: float) -> float:
        return x + math.log2(count) / last * wide

    def down(value: float) -> float:
        if logarithmic:
            span = math.log(top / low) or 1.0
            return y + high - math.log(max(value, low) / low) / span * high
        return y + high - value / top * high

    made = [
        f'<text x="{x}" y="{y - 8}" font-weight="bold">{title}</text>',
        f'<path d="M{x} {y}v{high}h{wide}" fill="none" stroke="#444"/>',
    ]
    made += [
        f'<text x="{across(count):.1f}" y="{y + high + 15}" text-anchor="middle">{count}</text>' for count in clients
    ]
    made.append(f'<text x="{x + wide}" y="{y + high + 28}" text-anchor="end" fill="#666">clients</text>')
    for tick in _ticks(low, top, logarithmic=logarithmic):
        at = down(tick)
        made.append(f'<path d="M{x} {at:.1f}h{wide}" stroke="#ddd"/>')
        made.append(f'<text x="{x - 5}" y="{at + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for number, fleet in enumerate(fleets):
        mine = sorted((row for row in rows if row["replicas"] == fleet), key=lambda row: row["clients"])
        for one in names:
            points = " ".join(f"{across(row['clients']):.1f},{down(row[one]):.1f}" for row in mine)
            dashes = ' stroke-dasharray="5 3"' if one != name else ""
            colour = COLOURS[number % len(COLOURS)]
            made.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
    return made


def _ticks(low: float, top: float, *, logarithmic: bool) -> list[float]:
    """Return round values to mark."""
    if logarithmic:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(top)) + 1)
        return [value for power in powers for value in (10.0**power, 3 * 10.0**power) if low <= value <= top]
    step = 10.0 ** math.floor(math.log10(top))
    step = next(step * part for part in (0.1, 0.2, 0.5, 1.0, 2.0) if top / (step * part) <= 6)
    return [step * number for number in range(1, int(top / step) + 1)]
