"""Say what a text is: block -> kind, and a text of several kinds -> its segments.

Two witnesses are heard: the text (``signatures.py``) and the command, tool or file name behind it (``commands.py``).
Content beats the command when they disagree strongly: ``cat x.json | head`` may not be JSON, and a test runner may
print nothing but a compiler's error. Where no signature stands out, a trained classifier weighs what both say with the
text's shape (``shape.py``). Where all are weak the likeliest kind comes with a low confidence.
"""

from __future__ import annotations

import sys

from headroom_cli.model import FENCE, Hint
from headroom_cli.routing import json_head, parts, wrappers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from headroom_cli.routing.runtime import Runtime

    Ask = Callable[[str, str, float, dict[str, float]], list[int]]

# A kind that has a grammar is never believed from a command alone: the text must look like it at least this much.
_LEAST = {"json": 0.5, "diff": 0.3, "html": 0.25, "search": 0.3, "table": 0.15, "test-log": 0.02}
_TRUST = 0.45  # what a command that is always right adds to its kind's score
_CLOSE = {  # kinds that a command tells apart better than the text does
    "log": ("test-log", "table", "prose", "code"),
    "test-log": ("log", "table", "prose", "code"),
    "listing": ("search", "table", "prose", "code", "log"),
    "search": ("listing", "code", "table", "log", "prose", "html"),
    "code": ("prose", "table", "log", "search", "html", "listing", "test-log"),
    "prose": ("code", "table", "log", "listing"),
    "table": ("listing", "log", "code", "prose", "search"),
}
# A signature as high as this, that far above the next, is sure: the classifier is not asked.
_SURE, _AHEAD = 0.9, 0.2
_STRICT = ("json", "diff", "html")  # kinds that are nothing without their grammar
_SHAPED = {**_LEAST, "listing": 0.1}  # what a kind chosen by its shape needs as well, or a clear lead
_LEAD = 40  # a lead of the classifier's that stands for a grammar not seen: e to 1, as shape.scores counts
_SHORTEST = 400  # characters of a single line that has a shape
_NAMES = {"command": "the command", "file name": "the file's name", "tool": "the tool"}


class Route:
    """What a text is, how sure that is (0..1), and the reason in a few words."""

    __slots__ = ("confidence", "kind", "why")

    def __init__(self, kind: str, confidence: float, why: str) -> None:
        """``kind`` is one of ``model.KINDS``."""
        self.kind = kind
        self.confidence = confidence
        self.why = why

    def __repr__(self) -> str:
        """Show all three."""
        return f"Route({self.kind!r}, {self.confidence:.2f}, {self.why!r})"


class Segment:
    """A part of a text, ``text[start:end]``, with its kind and what is known of it.

    ``why`` is wrapper, prompt, fence or text; wrapper and prompt lines are not for a compressor.
    """

    __slots__ = ("confidence", "end", "hint", "kind", "start", "why")

    def __init__(self, start: int, end: int, kind: str, confidence: float, hint: Hint, *, why: str = "text") -> None:
        """Take a part of a text and what is known of it."""
        self.start = start
        self.end = end
        self.kind = kind
        self.confidence = confidence
        self.hint = hint
        self.why = why

    def __repr__(self) -> str:
        """Show the span and the kind."""
        return f"Segment({self.start}, {self.end}, {self.kind!r}, {self.confidence:.2f}, {self.why!r})"


def route(text: str, hint: Hint) -> Route:
    """Return the kind of a text. Only a bounded sample is read, whatever the size."""
    start, end = wrappers.unwrap(text)
    if start >= end:
        return Route("prose", 0.0, "empty")
    prompts = parts.prompts(text, start, end)
    judged = _judge(text[start:end], hint) if prompts >= 2 and not parts.begins(text, start) else None
    if prompts >= 2 and (judged is None or judged.kind != "prose"):
        return Route("mixed", 0.9, f"{prompts} shell prompts")
    echoed = "echo " in hint.command or "printf " in hint.command
    named = parts.banners(text, start, end, echoed=echoed)
    if named >= 2:
        return Route("mixed", 0.85, f"{named} named outputs")
    if start and not hint.path:
        hint = Hint(hint.command, hint.tool, parts.named(text, start))
    # The sample functions read from both ends: only what the wrapper holds is judged.
    return judged if judged is not None and not start else _judge(text[start:end], hint)


def _scores(text: str) -> dict[str, float]:
    """Return a score for each kind; the patterns for lines are only compiled for a text that is not JSON."""
    score = json_head.json_score(text)
    if score >= 0.8:
        # rg --json writes JSON Lines of its own
        found = '{"type":"begin"' in text[:200] or '{"type":"match"' in text[:400]
        return {"json": score, "search": 0.99} if found else {"json": score}
    from headroom_cli.routing import signatures

    return {"json": score, **signatures.scores(text)}


def _judge(text: str, hint: Hint) -> Route:
    """Weigh the text against what its hint promises."""
    signs = _scores(text)
    told, trust, source = "", 0.0, ""
    if hint.command or hint.path or hint.tool:
        from headroom_cli.routing.commands import from_hint

        told, trust, source = from_hint(hint)
    return settle(text, signs, (told, trust, source), _marks)


def settle(text: str, signs: dict[str, float], promise: tuple[str, float, str], ask: Ask) -> Route:
    """Return the route of a text from the scores of its signatures and what its command promises: (kind, trust, what).

    ``ask(text, kind, trust, signs)`` gives the classifier's marks; it is called where the signatures are unsure.
    """
    told, trust, source = promise
    route = _weigh(text, signs, told, trust, source)
    if _is_sure(signs, route.kind) or (len(text) < _SHORTEST and "\n" not in text.strip()):
        return route
    if told == "search" == route.kind and trust > 0.7:
        return route  # the lines that a search found have any shape
    return _chosen(ask(text, told, trust, signs), signs, route)


def _is_sure(signs: dict[str, float], kind: str) -> bool:
    """Return whether the signatures decide: a grammar was seen, or one of them stands out and was chosen."""
    if "prose" not in signs:
        return True  # none but the one was looked for
    first, second = sorted(signs.values())[-1:-3:-1]
    return first >= _SURE and first - second >= _AHEAD and signs.get(kind) == first


def _marks(text: str, told: str, trust: float, signs: dict[str, float]) -> list[int]:
    """Ask the classifier, which knows what the signatures and the command say."""
    from headroom_cli.routing import shape

    buckets = shape.features(text, told, trust, signs)
    if _held and "onnxruntime" in sys.modules:
        return _held[0].scores([buckets])[0]
    return shape.scores(buckets)


_held: list[Runtime] = []


def stay() -> None:
    """Say that this process will judge many texts: the classifier runs in onnxruntime once that is loaded for a model.

    It is never loaded for this alone: importing it costs what 3,600 texts save. The scores are the same numbers.
    """
    from headroom_cli.routing.runtime import Runtime

    _held[:] = [Runtime()]


def _chosen(marks: list[int], signs: dict[str, float], route: Route) -> Route:
    """Return the classifier's choice among kinds whose grammar was seen, or by a clear lead; else ``route``."""
    from headroom_cli.routing.shape import SHAPES

    of = dict(zip(SHAPES, marks, strict=True))
    order = sorted(of, key=of.__getitem__, reverse=True)
    seen = next((kind for kind in order if signs.get(kind, 0.0) >= _SHAPED.get(kind, 0.0)), route.kind)
    kind = order[0] if order[0] not in _STRICT and of[order[0]] - of[seen] >= _LEAD else seen
    if kind == route.kind or of[kind] < of[route.kind]:
        return route
    lead = of[kind] - of[order[1] if kind == order[0] else order[0]]
    return Route(kind, max(0.3, min(0.95, 0.5 + lead / 160)), "its shape")


def _weigh(text: str, signs: dict[str, float], told: str, trust: float, source: str) -> Route:
    """Weigh the scores of a text against what its hint promises, by rules."""
    found = {kind: score for kind, score in signs.items() if score >= _LEAST.get(kind, 0.0)}
    best = max(found, key=found.__getitem__, default="prose")
    score = found.get(best, 0.0)
    if score < 0.12:
        best = "prose"  # nothing speaks: words are the likeliest
    if best == "log" and found.get("test-log", 0.0) > 0.75 * score:
        best, score = "test-log", max(score, found["test-log"])
    if not told or told == best:
        why = "its text" if not told else f"its text and {_NAMES[source]}"
        return Route(best, min(0.99, score + (0.2 * trust if told else 0.0)), why)
    own = found.get(told, 0.0)
    plainly = best in ("code", "prose", "html", "listing") or (best == "table" and score < 0.85)
    if told == "search" and trust > 0.7 and plainly and not _whole_page(text):
        # Lines without a path or a number are a search's all the same: each stands for itself.
        own = max(own, score if best != "listing" else 0.3)
    allowed = (own > 0.0 or told not in _LEAST) and (best in _CLOSE.get(told, ()) or own > 0.4)
    strong = best in ("json", "diff", "html") and score >= 0.9 and own < score
    # A source file's comments are a writer's words: there its name knows better.
    weight = 0.6 if (told, best) == ("code", "prose") else _TRUST
    if allowed and not strong and own + weight * trust >= score:
        return Route(told, min(0.95, 0.35 + 0.4 * trust + 0.25 * own), _NAMES[source])
    if score < 0.25 and told not in ("json", "diff", "html"):
        return Route(told, 0.3 * trust, f"{_NAMES[source]}; its text says little")
    return Route(best, max(0.1, score - 0.15 * trust), f"its text, against {_NAMES[source]}")


def _whole_page(text: str) -> bool:
    """Return whether a text begins as an HTML page does."""
    return text[:200].lstrip("\ufeff \t\r\n").lower().startswith(("<!doctype", "<html"))


def segments(text: str, hint: Hint) -> list[Segment]:
    """Cut a text where its kind changes: wrapper lines, prompts, fences, JSON or a diff inside other text.

    One segment is the common answer. The segments cover the text exactly and in order.
    """
    cuts = parts.cut(text)
    found: list[Segment] = []
    for start, end, why, command in cuts:
        if start >= end:
            continue
        if why in ("wrapper", "prompt"):
            found.append(Segment(start, end, "prose", 0.0, hint, why=why))
            continue
        own = hint if not command else Hint(command, hint.tool, hint.path if why == "text" else "")
        if why == "fence":
            own = Hint("", FENCE, command)
        judged = _judge(text[start:end], own)
        found.append(Segment(start, end, judged.kind, judged.confidence, own, why=why))
    return found or [Segment(0, len(text), "prose", 0.0, hint)]
