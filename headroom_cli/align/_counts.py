"""Counters: the turn a conversation is at, what is used and what remains of a budget."""

from __future__ import annotations

from headroom_cli.align import _words
from headroom_cli.align._dates import label
from headroom_cli.align._shade import hits
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from headroom_cli.align._dates import Found
    from headroom_cli.align._shade import Shade

_NUMBER = (
    r"(?:\d{1,3}(?::\d\d){1,2}|"
    r"[$\u20ac\u00a3~]?\d[\d,._]{0,14}"
    r"(?: ?[km%]\b|%| ?(?:ms|s|sec|seconds|min|minutes|m|h|hours|d|days)\b)?(?: ?\d{1,2} ?[ms]\b)?)"
)
_PAIR = rf"{_NUMBER}(?: ?(?:/|of|out of) ?{_NUMBER})?"
_UNITS = (
    r"(?:tokens?|turns?|requests?|steps?|calls?|messages?|attempts?|iterations?|credits?|characters?|words?|minutes?"
    r"|seconds?|hours?|days?|retries|actions?|rounds?|queries|searches|dollars?|usd|tool (?:calls?|uses?)|api calls?)"
)
_WHAT = (
    r"(?:tokens?|budget|turns?|time|requests?|steps?|calls?|context|credits?|quota|cost|attempts?|messages?|iterations?"
    r"|memory|disk|space|so far|today|window|retries|actions?)"
)
_SEP = r"(?:[\"'`*)]{0,3}[ \t]?[:=>][ \t]{0,4}[\"'`*]{0,3}|[ \t](?:is|are|was|of)[ \t](?:now )?)"
_VERB = pattern(r" (?:is|are|was) ")
_SPENT = (
    "remaining", "used", "elapsed", "left", "spent", "consumed", "usage", "available", "so far", "balance", "battery",
    "unread",
)  # fmt: skip
_AFTER = pattern(
    rf"(?:{'|'.join(_SPENT)})(?P<w>[ _-]{_WHAT}){{0,2}}(?: \([\w ]{{1,20}}\))?"
    rf"(?:{_SEP}| (?={_NUMBER} (?:of|out of) \d))(?P<v>{_PAIR}(?: {_UNITS})?(?: \([\d.]{{1,6}}%\))?)(?![\w-])",
)
_BEFORE = pattern(
    rf"(?P<v>{_PAIR}) (?:more |total |input |output )?(?:{_UNITS}|of (?:the |your )?{_WHAT})(?: (?:are|is|were))? $",
)
_PLACES = ("turn", "round", "iteration", "attempt", "message", "step", "request", "try")
_PLACE = pattern(
    r"(?:turn|round|iteration|attempt|message|step|request|try)s?(?:[ _-]?(?:number|no\.?|count|counter|index))?"
    r"(?P<p>[\"'`*]{0,3}[ \t]?(?:[:=#>]|is)[ \t]{0,3}[\"'`*]{0,3}|[ \t])"
    r"(?P<v>\d[\d,]{0,9}(?P<o>[ \t]?(?:/|of|out of)[ \t]?\d[\d,]{0,9})?)(?!\w|-|[.:]\d)",
)


def counters(shade: Shade, lower: str) -> Iterator[Found]:
    """Yield numbers that change from request to request, told by the words around them."""
    text = shade.text
    for word in _SPENT:
        for at in hits(lower, word, inside=True):
            match = _AFTER.match(lower, at)
            if match is not None and (match["w"] or not _VERB.search(text, at, match.start("v"))):
                yield from _told(shade, at, match.start("v"), _end(text, match))
            else:
                front = lower[max(0, at - 60) : at].rpartition("\n")[2]
                match = _BEFORE.search(front) if front[-1:] == " " and any(c.isdigit() for c in front) else None
                if match is not None and _ends_clause(text, at + len(word)):
                    offset = at - len(front)
                    start, end = offset + match.start("v"), offset + match.end("v")
                    for told in _told(shade, start, start, end):
                        yield (*told[:3], _counted(lower[end : at + len(word)]))
    for word in _PLACES:
        found = []
        for at in hits(lower, word):
            match = _PLACE.match(lower, at)
            if match is not None and _is_place(shade, match, at):
                found.append(match)
        # "Step 1 of 3 ... Step 2 of 3" is a recipe.
        if len(found) <= 2:
            for match in found:
                yield from _told(shade, match.start(), match.start("v"), match.end("v"))


def _counted(behind: str) -> str:
    """Return the words behind a number that name it: "turns left" of "You have 23 turns left"."""
    words = behind.replace("_", " ").split()
    return " ".join(word for word in words if not (word in _words.FILLERS or word in _words.JOINTS or word == "are"))


def _end(text: str, match: re.Match[str]) -> int:
    end = match.end("v")
    while text[end - 1] in ",._":
        end -= 1
    return end


def _ends_clause(text: str, at: int) -> bool:
    """Tell "23 turns left." from "5 steps left of the door"."""
    rest = text[at : at + 12]
    return not rest[:1].isalnum() and (not rest.strip() or rest.lstrip()[0] in ".,;:)!]\n" or rest.startswith(
        ("\n", " in ", " so far", " out of", " of ", " for ", " before", " until", " today", " this", " and ")
    ))  # fmt: skip


def _is_place(shade: Shade, match: re.Match[str], at: int) -> bool:
    """Tell a counter from a numbered heading or a sentence about numbers."""
    if match["o"]:
        return True
    if not match["p"].strip():
        end = match.end()
        alone = shade.text[end : end + 1] in ("", "\n", ")", "]")
        words = shade.words(at)[-3:]
        if words[-1:] == ["on"] or words[-2:] == ["this", "is"]:
            return True
        return alone and shade.starts_line(at) and shade.text[at].isupper() and "current" in shade.words(at)
    return shade.starts_line(at) or "current" in shade.words(at)[-2:]


def _told(shade: Shade, at: int, start: int, end: int) -> Iterator[Found]:
    words = shade.words(at)
    if _words.LIMITS.isdisjoint(words[-3:]) and shade.speaks(start, end):
        yield start, end, "counter", label(shade, start)
