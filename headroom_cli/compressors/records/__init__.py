"""SmartCrusher: JSON arrays, objects, JSON Lines and JSON inside other text.

First without loss: tables with the keys said once (``tables``). When that is not enough and the caller allows
it, the items that tell least go too (``cut``), with notes and a summary where they stood.
"""

from __future__ import annotations

import re

from headroom_cli.compressors.records.spans import UnfitError, find, parse
from headroom_cli.lazy import pattern
from headroom_cli.model import FAITHFUL, LOSSY, Compressor, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.records.cut import Scissors
    from headroom_cli.compressors.records.spans import Part
    from headroom_cli.model import Hint, Want

_LEAST = 60  # characters; nothing shorter is worth the look
_WORTH_CUTTING = 1_500  # characters; in less there is nothing whose absence pays for a marker
_GAIN = 0.97  # a rendering has to be smaller than this share of the text
_PAYS = 0.95  # leaving things out has to save this much more than the form without loss
_HARDEST = 6  # times that everything is halved on the way to a budget
_STEPPED = 400_000  # characters up to which each of those steps is tried
_MARKER = 20  # tokens, about
_TABLE_DEPTH = 64  # deeper documents are only minified
_COUNTED = 400_000  # characters up to which candidates are compared by tokens, above by length
# What our own renderings hold: shortened text is not shortened again.
_OURS = pattern(r"\[JSON as tables, |\[\.\.\. \d+ (?:characters |items )?left out")
_LINE_OF_LOG = pattern(r'"(?:level|severity|lvl|levelname|log\.level)"\s{0,4}:')
_TIME_OF_LOG = pattern(r'"(?:@?timestamp|time|ts|t|asctime|date)"\s{0,4}:')


def sniff(text: str, _hint: Hint) -> float:
    """Return how sure it is that a text is JSON, JSON Lines, or holds a large JSON part."""
    head = text[:2000].lstrip("\ufeff \t\r\n")
    tail = text[-200:].rstrip()
    if head[:1] in ("{", "[") and tail[-1:] in ("}", "]"):
        if head[0] == "{" and "\n" in text.strip():
            first, _, rest = head.partition("\n")
            second = rest.lstrip()
            if first.rstrip().endswith("}") and second.startswith("{"):
                if _LINE_OF_LOG.search(first) and _TIME_OF_LOG.search(first):
                    return 0.5  # a logger's lines: the log specialist knows more of them
                return 0.4 if first.startswith('{"type":"begin","data":') else 0.95  # rg --json
        return 0.95 if re.match(r'\{\s*["}]|\[\s*["{\[\]\d\-tfn]', head) else 0.3
    if text.count("{") + text.count("[") < 4 or '"' not in text:
        return 0.0
    try:
        covered = sum(part.end - part.start for part in find(text))
    except UnfitError:
        return 0.0
    share = covered / max(1, len(text))
    return 0.85 if share > 0.8 else 0.6 if share > 0.5 else 0.3 if share > 0.2 else 0.0


def compress(text: str, want: Want) -> Draft | None:
    """Return the JSON of a text as tables, cut where the level allows it; None when it does not get smaller."""
    if len(text) < _LEAST or not ("{" in text or "[" in text) or _OURS.search(text):
        return None
    try:
        return _compress(text, want)
    except UnfitError:
        return None


def _parts(text: str) -> list[Part]:
    if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
        try:
            return [parse(text)]
        except UnfitError as error:
            if not isinstance(error.__cause__, ValueError):
                raise
    return find(text)


def _compress(text: str, want: Want) -> Draft | None:
    parts = _parts(text)
    if not parts or want.spent():
        return None
    plain = _Plain(text, parts, want)
    # Notes and a marker between JSON Lines would be lines that their reader does not expect.
    several = want.keep_json and any(len(part.values) > 1 for part in parts)
    if not want.lossless and not several and (len(text) >= _WORTH_CUTTING or want.budget is not None):
        cut, missing = _lossy(text, parts, plain, want)
        if missing:
            return Draft(cut, LOSSY, missing) if len(cut) < len(text) * _GAIN else None
    whole = plain.whole()
    small = len(whole) < len(text) and _size(whole, want) < _size(text, want) * _GAIN
    return Draft(whole, FAITHFUL) if small else None


class _Plain:
    """The parts without loss, each worked out when it is first asked for."""

    __slots__ = ("parts", "text", "texts", "want")

    def __init__(self, text: str, parts: list[Part], want: Want) -> None:
        self.text = text
        self.parts = parts
        self.want = want
        self.texts: list[str | None] = [None] * len(parts)

    def part(self, at: int) -> str:
        """Return one part as a table, or without blanks."""
        done = self.texts[at]
        if done is None:
            part = self.parts[at]
            done = self.texts[at] = _lossless(self.text[part.start : part.end], part, self.want)
        return done

    def whole(self) -> str:
        """Return the text with all its parts in that form."""
        return _joined(self.text, self.parts, [self.part(at) for at in range(len(self.parts))])


def _size(text: str, want: Want) -> int:
    return want.count(text) if len(text) <= _COUNTED else len(text) // 3


def _joined(text: str, parts: list[Part], texts: list[str]) -> str:
    """Return the text with each part replaced; a part that became several lines starts on a line of its own."""
    out: list[str] = []
    at = 0
    for part, new in zip(parts, texts, strict=True):
        before = text[at : part.start]
        out.append(before)
        if "\n" in new and before.strip(" \t") and not before.rstrip(" \t").endswith("\n"):
            out.append("\n")
        out.append(new)
        at = part.end
        if "\n" in new and text[at : at + 1] not in ("", "\n", "\r"):
            out.append("\n")
    out.append(text[at:])
    return "".join(out)


def _lossless(source: str, part: Part, want: Want) -> str:
    """Return the smaller of the table form and the source without blanks."""
    from headroom_cli.compressors.records.tables import encode
    from headroom_cli.compressors.records.text import minify

    plain = minify(source) if len(part.values) == 1 else "\n".join(_lines(source, part))
    if want.keep_json or part.depth > _TABLE_DEPTH:
        return plain
    table = encode(part.values, whole=len(part.values) == 1)
    return table if _size(table, want) < _size(plain, want) else plain


def _lines(source: str, part: Part) -> list[str]:
    from headroom_cli.compressors.records.text import minify, write

    lines = source.splitlines()
    return (
        [minify(line) for line in lines] if len(lines) == len(part.values) else [write(value) for value in part.values]
    )


def _scissors(want: Want, *, hard: int = 0) -> Scissors:
    from headroom_cli.compressors.records.cut import Scissors
    from headroom_cli.model import Hint

    question = want.question[:2000]

    def part(text: str) -> Draft | None:
        return None if want.spent() else want.part(text, Hint())

    if hard:  # only towards an explicit budget
        least = max(3, 50 >> hard)
        return Scissors(least, least, least, max(100, 400 >> hard), question, fold=max(6, 60 >> hard), part=part)
    if want.level == "safe" and want.budget is None:
        return Scissors(100, 200, 200, 1000, question, big=16_000, entries=False, part=part)
    if want.level == "max" or want.budget is not None:
        return Scissors(50, 50, 50, 300, question, fold=200, part=part)
    # Arrays up to 200 items stay whole: cutting them at 50 saves 1.2 points of tokens and costs 5 of detail.
    return Scissors(50, 200, 200, 500, question, fold=200, part=part)


def _lossy(text: str, parts: list[Part], plain: _Plain, want: Want) -> tuple[str, str]:
    """Return the text with items and strings left out, and what is missing; "" when that does not pay."""
    best = ("", "")
    last = 0
    # Each step reads everything again: large texts take fewer of them.
    for hard in range(0, _HARDEST + 1, 1 if len(text) < _STEPPED else 3):
        scissors = _scissors(want, hard=hard)
        after = _cut(text, parts, plain, scissors, want)
        missing = scissors.missing()
        # Shorter pieces are not always smaller: strings cut short can no longer be told from each other's columns.
        if missing and (not best[1] or len(after) < len(best[0])) and _pays(after, plain, want):
            best = (after, missing)
        if want.budget is None or _size(after, want) <= want.budget or want.spent():
            break
        if hard > 2 and len(after) > last * 0.97:
            break  # what is left cannot be cut
        last = len(after)
    return best


def _pays(after: str, plain: _Plain, want: Want) -> bool:
    """Tell whether leaving things out saves enough over the form without loss, marker counted."""
    if len(plain.text) > _COUNTED and len(after) < len(plain.text) // 10:
        return True  # no table is that small: spare the work
    return _size(after, want) + _MARKER < _size(plain.whole(), want) * _PAYS


def _cut(text: str, parts: list[Part], plain: _Plain, scissors: Scissors, want: Want) -> str:
    from headroom_cli.compressors.records.tables import encode
    from headroom_cli.compressors.records.text import noted, write

    texts: list[str] = []
    for at, part in enumerate(parts):
        values = part.values
        before = scissors.cuts()
        if part.depth > _TABLE_DEPTH:
            cut = values
        elif len(values) > max(1, scissors.whole) and (not scissors.big or part.end - part.start > scissors.big):
            cut = scissors.items(values, unit="values")
        else:
            cut = [scissors.value(value, inside=False) for value in values]
        if before == scissors.cuts():
            texts.append(plain.part(at))
        elif want.keep_json:
            texts.append("\n".join([write(value) for value in noted(cut)]))
        else:
            texts.append(encode(cut, whole=len(values) == 1))
    return _joined(text, parts, texts)


COMPRESSOR = Compressor(
    "records",
    ("json",),
    sniff,
    compress,
    "JSON as tables without loss; then the items of long arrays that tell least are left out",
)
