"""Dates and clocks in a text: their shapes, and the words that make one the current one.

A date with a time of day is of this request unless it illustrates something. A date alone needs words or a place that
say so: prompts are full of dates that never change (releases, laws, API versions, a cutoff).
"""

from __future__ import annotations

from itertools import islice

from headroom_cli.align import _words
from headroom_cli.align._shade import MOST_HITS, hits
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from headroom_cli.align._shade import Shade

    Found = tuple[int, int, str, str]  # start, end, kind, label

BARE = "bare time"  # a time that nothing names: many of them are data

_DAY = (
    "(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs?)?|Fri|Sat(?:ur)?|Sun)(?:day)?\\b|Montag|Dienstag|Mittwoch|Donnerstag|Freitag"
    "|Samstag|Sonnabend|Sonntag|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|mi\u00e9rcoles|jueves"
    "|viernes|s\u00e1bado|domingo"
)
_TIME = (
    r"[0-2]?[0-9](?::[0-5][0-9](?::[0-6][0-9](?:[.,][0-9]{1,9})?)?(?:[ \u202f\u00a0]?[AaPp]\.?[Mm]\b\.?)?"
    r"|h[0-5][0-9]\b|[ \u202f]?[AaPp]\.?[Mm]\b\.?)"
)
_NAMED = (
    r"(?:UTC|GMT|[ECMP][SD]T|CES?T|EES?T|WES?T|BST|IST|JST|KST|SGT|HKT|MSK|AC[SD]T|AE[SD]T|AW[SD]T|AK[SD]T|HST|NZ[SD]T"
    r"|BRT|ART|SAST|PKT|ET|PT|CT|MT)\b(?: ?[+-][0-9]{1,2}(?::?[0-9]{2})?\b)?"
)
_PLACE = r"(?:Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific|Etc|US)/[A-Za-z_/+0-9-]{2,30}"
_ZONE = (
    rf"(?:[ \u202f]?(?:Z\b|{_NAMED}|[+-][0-9]{{2}}:?[0-9]{{2}}\b(?! ?[AaPp]m)|Uhr\b|h\b))?"
    rf"(?: ?[\[(](?:{_NAMED}|{_PLACE}|[A-Z][A-Za-z ]{{2,40}} [Tt]ime)[\])]| (?:in )?{_PLACE})?"
)
_DATE = pattern(
    # Most numbers are no dates: one look at what follows the digits tells.
    "[0-9](?=[0-9]{0,7}[-/. a-zT_\u00ba\u5e74\ub144])(?:"
    r"[0-9]{3}(?P<a>[-/.])[0-9]{1,2}(?P=a)[0-9]{1,2}(?![0-9])"
    r"|[0-9]?(?P<b>[-/.])[0-9]{1,2}(?P=b)[0-9]{2}(?:[0-9]{2})?(?![0-9])"
    r"|[0-9]?(?:st|nd|rd|th|er|\.|\u00ba)?[ /-](?:of |de )?(?P<c>[A-Za-z\u00c0-\u00ff]{3,10})\.?,?[ /-](?:del? )?"
    r"[0-9]{4}(?![0-9])"
    r"|[0-9]{3} ?\u5e74 ?[0-9]{1,2} ?\u6708 ?[0-9]{1,2} ?\u65e5"
    r"|[0-9]{3} ?\ub144 ?[0-9]{1,2} ?\uc6d4 ?[0-9]{1,2} ?\uc77c"
    r"|[0-9]{7}[T_-][0-9]{4}(?:[0-9]{2})?Z?(?![0-9])"
    r")"
)
_NAMED_DATE = pattern(
    r"[JFMASOND](?P<c>[a-z]{2,8})\.? (?P<d>[ 0-3]?[0-9])(?:st|nd|rd|th)?(?:,? (?P<y>[0-9]{4}))?(?![0-9])"
)
_CTIME = pattern(r"(?: [0-2][0-9]:[0-5][0-9]:[0-6][0-9](?: [A-Z]{3,5}| [+-][0-9]{4})?)? [12][0-9]{3}(?![0-9])")
_BEFORE = pattern(rf"(?:(?:{_DAY})\.?,? (?:the |den |le |dem )?)$")
# Each of these is in one pattern alone: they are large, and compiled in every run that meets a date.
_TIME_AT = pattern(_TIME)
_ZONE_AT = pattern(_ZONE)
_DAY_AT = pattern(_DAY)
_CLOCK_BEFORE = pattern(rf"{_TIME}(?: ?[A-Z]{{2,4}}\b)?,? (?:on |, |am |le )?$")
_ZONE_STARTS = frozenset(" \u202fZ+-([hU")
_JOIN = pattern(r"T|:|,? {1,2}(?:at |um |\u00e0 |a las |- |\u2013 )?|,\n?")
_DAY_AFTER = pattern(rf",? \(?(?:{_DAY})\)?|,? ?\([A-Z][a-z]{{2,8}}\)|[ (]?\u661f\u671f.\)?")
_MONTH_YEAR = pattern(r"(?:(?P<c>[A-Z][a-z]{2,8}) |Q[1-4] )?[12][0-9]{3}(?![0-9-]|\.[0-9])")
_EPOCH = pattern(r"1[0-9]{9}(?:[0-9]{3}|[0-9]{6}|[0-9]{9}|\.[0-9]{1,9})?(?![0-9A-Za-z])")


def dates(shade: Shade) -> Iterator[Found]:
    """Yield the dates that are of this request."""
    text = shade.text
    if not any(sign in text for sign in ("20", "19", "/")):  # no year, nor a date that may do without
        return
    for match in islice(_DATE.finditer(text), MOST_HITS):
        word = match["c"]
        if word and word.lower() not in _words.MONTHS:
            continue
        if _plausible(match[0]):
            yield from _judged(shade, match.start(), match.end())
    for match in islice(_NAMED_DATE.finditer(text), MOST_HITS):
        if match[0][: 1 + len(match["c"])].lower() not in _words.MONTHS:
            continue
        end = match.end()
        if match["y"] is None:
            rest = _CTIME.match(text, match.end("d"))
            if rest is not None:
                end = rest.end()
            elif not current(shade, _from(text, match.start())):
                continue
        yield from _judged(shade, match.start(), end, timed=text.count(":", match.start(), end) > 1)


def _plausible(date: str) -> bool:
    """Tell a date from three numbers with points or dashes (a version, a telephone number)."""
    if not date[:4].isdigit():
        first, _, rest = date.replace("/", "-").replace(".", "-").partition("-")
        second, _, year = rest.partition("-")
        if not (second.isdigit() and year.isdigit()):
            return True
        return 0 < int(first) <= 31 and 0 < int(second) <= 31 and min(int(first), int(second)) <= 12 and (
            len(year) == 2 or 1900 <= int(year) < 2200
        )  # fmt: skip
    if not 1900 <= int(date[:4]) < 2200:
        return False
    if date[4:5] not in ("-", "/", "."):
        return True
    month, _, day = date[5:].replace("/", "-").replace(".", "-").partition("-")
    return 0 < int(month) <= 12 and 0 < int(day) <= 31


def _judged(shade: Shade, start: int, end: int, *, timed: bool = False) -> Iterator[Found]:
    """Yield the date at this place with its weekday and time of day, if it is of this request."""
    text = shade.text
    before = text[start - 1 : start]
    if before and ((before.isalnum() and before < "\u3400") or before in "-_/.\\@"):
        return
    after = _time_after(text, end)
    timed = timed or after > 0 or text[start:end].rstrip("Z")[-5:].isdigit()
    if after:
        end = after
    elif timed:
        end = _zoned(text, end)
    elif text[end : end + 1] in (" ", ",", "("):
        day = _DAY_AFTER.match(text, end)
        end = _zoned(text, end if day is None else day.end())
    if text[end : end + 1].isalnum() or text[end : end + 1] == "_" or (text[end : end + 1] in ("-", "/") and not timed):
        return
    start = _from(text, start)
    front = text[max(0, start - 40) : start]
    clock = _CLOCK_BEFORE.search(front) if ":" in front or "m" in front.lower() else None
    if clock is not None:
        start, timed = start - len(front) + clock.start(), True
    if current(shade, start) or text.startswith((" today", " now"), end):
        if shade.speaks(start, end):
            yield start, end, "time" if timed else "date", label(shade, start)
    elif timed and not _stands(shade, start):
        if not (shade.covers(start) or shade.example(start) or shade.quoted(start, end) or shade.indented(start)):
            stamp = text[start - 1 : start] == "[" and shade.starts_line(start)  # runs of these are logs, found before
            yield start, end, "time" if stamp else BARE, label(shade, start)
    elif not timed and shade.alone(start, end):
        yield start, end, "date", ""


def _time_after(text: str, at: int) -> int:
    """Return where a time of day that follows a date ends, with its zone; 0 when none follows."""
    join = _JOIN.match(text, at)
    time = _TIME_AT.match(text, join.end()) if join is not None else None
    return _zoned(text, time.end()) if time is not None else 0


def _zoned(text: str, at: int) -> int:
    """Return where a time zone at this place ends, the place itself when there is none."""
    zone = _ZONE_AT.match(text, at) if text[at : at + 1] in _ZONE_STARTS else None
    return zone.end() if zone is not None else at


def _from(text: str, start: int) -> int:
    """Return where the weekday before a date begins, else its own start."""
    at = max(0, start - 20)
    near = text[start - 2 : start - 1]
    day = _BEFORE.search(text[at:start]) if near.isalpha() or near in (",", ".") else None
    return at + day.start() if day is not None else start


def _stands(shade: Shade, start: int) -> bool:
    return not _words.STANDING.isdisjoint(shade.words(start)[-4:])


def current(shade: Shade, start: int) -> bool:
    """Tell whether the words before a place name what follows as being of now."""
    words = shade.words(start)
    while words and words[-1] in _words.FILLERS:
        if words[-1] == "of" and words[-2:-1] == ["as"]:
            return len(words) < 3 or _words.STANDING.isdisjoint(words[-4:])
        words.pop()
    for word in reversed(words[-5:]):
        if word in _words.STANDING:
            return False
        if word in _words.CURRENT or (word[0] > "\u3400" and any(now in word for now in _words.CURRENT_CJK)):
            return True
    if not words:
        return False
    if words[-1] in _words.EVENTS or (words[-2:-1] and words[-2] in _words.EVENTS):
        return not _words.HAPPENING.isdisjoint(words) or len(words) == 1
    if shade.text[start - 1 : start] in ('"', "'") and start:  # {"time": "..."} is a sample of data
        return False
    return not _words.NOUNS.isdisjoint(words[-3:]) and _words.PLAIN.issuperset(words)


def label(shade: Shade, start: int) -> str:
    """Return the words that name what follows, without the fillers at their ends; "" when there are none."""
    words = shade.nearest(start)
    while words and (words[-1] in _words.FILLERS or words[-1] in _words.JOINTS):
        words.pop()
    words = words[-3:]
    while words and (words[0] in _words.FILLERS or words[0] in _words.JOINTS):
        words.pop(0)
    return " ".join(words)


# Where a clock or a part of a date may stand behind a word that says that it is of now.
_ANCHOR = pattern(
    r"(?:[Tt]ime|TIME|[Nn]ow|NOW|[Cc]urrently|[Tt]oday|TODAY|[Dd]ay|[Ww]eek(?:day)?|[Qq]uarter|[Mm]onth|[Yy]ear"
    r"|[Tt]imestamp|TIMESTAMP|[Ee]poch|[Cc]lock|[Uu]hrzeit)"
    r"(?: \([A-Za-z/ +0-9:]{1,20}\)|(?P<in> in [A-Z]\w{2,15}(?: [A-Z]\w{2,15})?(?= is|:))| [a-z]{2,7})?"
    r"(?:[\"'`*]{0,3} ?[:=>][ \t*]{0,4}|,? (?:is|it's|ist|it is)(?: now| currently)? |[ ]{1,2}|,? )[\"'`*]{0,3}"
    r"(?=[0-9A-Z])"
)
_ANCHORS = (
    "time", "now", "currently", "today", "day", "week", "weekday", "quarter", "month", "year", "timestamp", "epoch",
    "clock", "uhrzeit",
)  # fmt: skip


def clocks(shade: Shade, lower: str) -> Iterator[Found]:
    """Yield times of day, epoch seconds, weekdays, months and years that are named as the current ones."""
    text = shade.text
    places: set[tuple[int, bool]] = set()
    for word in _ANCHORS:
        for at in hits(lower, word, inside=True):
            anchor = _ANCHOR.match(text, at)
            if anchor is not None:
                places.add((anchor.end(), anchor["in"] is not None))
    for at, abroad in sorted(places):
        found = _clock_at(text, at)
        if found is None or not (abroad or current(shade, at)) or not shade.speaks(at, found[0]):
            continue
        yield at, found[0], found[1], label(shade, at)


def _clock_at(text: str, at: int) -> tuple[int, str] | None:
    """Return the end and kind of a clock, an epoch, a weekday, a month or a year at this place."""
    kind, end = "time", 0
    if epoch := _EPOCH.match(text, at):
        end = epoch.end()
    elif time := _TIME_AT.match(text, at):
        end = _zoned(text, time.end())
    elif day := _DAY_AT.match(text, at):
        end = _time_after(text, day.end())
        kind, end = ("time", end) if end else ("date", day.end())
    elif part := _MONTH_YEAR.match(text, at):
        kind, end = "date", part.end()
        if part["c"] and part["c"].lower() not in _words.MONTHS:
            return None
    after = text[end : end + 1]
    return (end, kind) if end and not (after.isalnum() or after in ("-", "_")) else None
