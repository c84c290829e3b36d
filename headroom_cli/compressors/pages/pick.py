"""Which lines of a page stay when a budget, or the level max, asks for less than its text.

Headings cost little and say where things are: they go last, and what tells of trouble with them. Menus go first.
What is between is chosen by the question, or without one whole sentences first, from the beginning of each section on.
"""

from __future__ import annotations

from headroom_cli.compressors.pages.items import CLOSE, FIELD, HEAD, NAV, OPEN, ROW, VERBATIM, Item
from headroom_cli.lazy import pattern
from headroom_cli.rank import bm25

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Want

_TROUBLE = pattern(
    r"(?i)\b(?:errors?|exceptions?|fail(?:ed|ure|ures|s)?|fatal|denied|refused|forbidden|unauthori[sz]ed|not found"
    r"|timed? ?out|invalid|deprecated|warning|panic|traceback|critical|alert|breaking|incident|outage"
    r"|vulnerab\w{0,8})\b"
)
_LINKED = pattern(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")
_SHARE = 0.6  # of the tokens at level max, when no budget says how many
_CHARACTERS = 4.0  # per token, roughly; scaled by the counter
_NOTE = 8  # tokens of a gap note
_SENTENCE = 120  # characters; shorter lines are captions, buttons, names
_FAR = 0.25  # of a line's relevance that its neighbours get


def within(made: list[list[str]], items: list[Item], want: Want, *, links: bool) -> tuple[list[list[str]], int]:
    """Return the lines of each item with gap notes for those that do not fit, and how many lines went.

    ``items`` belong to the first of the made lines; ``links`` tells a page whose links are its content.
    """
    body = "\n".join([line for item in made for line in item])
    tokens = want.count(body)
    target = want.budget if want.budget is not None else int(tokens * _SHARE)
    if tokens <= target or not body:
        return made, 0
    per_character = tokens / len(body)
    costs = [max(1, int(per_character * sum(len(line) + 1 for line in item))) if item else 0 for item in made]
    order = sorted(range(len(made)), key=_values(made, items, want, links=links).__getitem__, reverse=True)
    keep = bytearray(len(made))
    left = target
    heads = _heads(items)
    for at in order:
        # A line next to a kept one needs no note of its own; one alone does.
        alone = not ((at and keep[at - 1]) or (at + 1 < len(made) and keep[at + 1]))
        cost = costs[at] + (_NOTE if alone else 0)
        head = heads.get(at, at)
        if not keep[head] and head != at:  # a row says little without the names of its columns
            cost += costs[head]
        if cost <= left and not keep[at]:
            keep[at] = keep[head] = 1
            left -= cost
    return _noted(made, keep)


def _heads(items: list[Item]) -> dict[int, int]:
    """Return row of a table -> the row that names its columns."""
    heads: dict[int, int] = {}
    head = -1
    for at, (kind, _, number) in enumerate(items):
        if kind != ROW:
            head = -1
        elif number:
            head = at
        elif head >= 0:
            heads[at] = head
    return heads


def _values(made: list[list[str]], items: list[Item], want: Want, *, links: bool) -> list[float]:
    """Return what each item is worth; items of a class are worth more than all of the class below."""
    texts = [" ".join(item) for item in made]
    scores = bm25(want.question, texts) if want.question else [0.0] * len(texts)
    best = max(scores, default=0.0) or 1.0
    values = []
    place = 0  # within its section
    for at, text in enumerate(texts):
        kind = items[at][0] if at < len(items) else -1
        place = 0 if kind == HEAD else place + 1
        near = max(scores[at - 1] if at else 0.0, scores[at + 1] if at + 1 < len(scores) else 0.0)
        value = (scores[at] + _FAR * near) / best * 2 + 1 / (2 + place) + min(len(text), _SENTENCE) / _SENTENCE
        if kind == HEAD:
            value += 20 - items[at][2]
        elif len(text) < 400 and _TROUBLE.search(text):
            value += 10
        elif kind == NAV or (not links and at < len(items) and kind not in (FIELD, VERBATIM) and _menu(items[at][1])):
            value -= 5
        values.append(value)
    return values


def _menu(text: str) -> bool:
    """Tell whether a line is nothing but links."""
    if OPEN not in text:
        return False
    linked = sum(map(len, _LINKED.findall(text)))
    return linked * 10 >= (len(text) - 4 * text.count(OPEN)) * 8


def _noted(made: list[list[str]], keep: bytearray) -> tuple[list[list[str]], int]:
    out: list[list[str]] = []
    gone = total = 0
    for at, item in enumerate(made):
        if keep[at] or not item:
            if gone and item:
                out.append([f"[... {gone:,} line{'s' if gone > 1 else ''}]"])
                gone = 0
            out.append(item)
        else:
            gone += len(item)
            total += len(item)
    if gone:
        out.append([f"[... {gone:,} line{'s' if gone > 1 else ''}]"])
    return out, total
