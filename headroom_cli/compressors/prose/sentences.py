"""Where sentences end: marks of many scripts, without falling for abbreviations, versions, initials or file names.

``split`` is all that other users of sentences need: a model that rates words works inside the same spans.
"""

from __future__ import annotations

from headroom_cli.lazy import pattern

# A mark with closing quotes and brackets behind it, then blank; marks of scripts without spaces need no blank. Bounded,
# so that a run of marks costs no more than its length.
_END = pattern(
    "[.!?\u2026\u0964\u0965\u061f\u06d4\u1362\u104b\u17d4\u0589]{1,8}"
    "[\"'\u201d\u2019\u00bb)\\]*_`]{0,8}(?=[ \t\r\n\u00a0\u3000])"
    "|[\u3002\uff01\uff1f\uff61]{1,8}[\"'\u201d\u2019\u300d\u300f\uff09\u3011\u300b)]{0,8}"
)
_ABBREVIATIONS = frozenset((
    "e.g", "i.e", "cf", "vs", "viz", "approx", "ca", "resp", "incl", "excl", "esp", "fig", "figs", "eq", "eqs",
    "sec", "secs", "ch", "chap", "nos", "vol", "vols", "pp", "ed", "eds", "mr", "mrs", "dr", "prof", "rev", "col",
    "lt", "sgt", "capt", "st", "hon", "gov", "sen", "messrs", "mme", "mlle", "dept", "univ", "jan", "feb", "mar",
    "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "tue", "tues", "wed", "thu", "thurs", "fri",
    "a.k.a", "plur", "nr", "bzw", "ggf", "d.h", "z.b", "u.a", "vgl", "evtl", "inkl", "zzgl", "hrsg", "p.ej", "sra",
    "nº", "env", "ibid",
))  # fmt: skip
# After these a capital letter begins the next sentence: they end sentences, or are words as well ("no.", "max.").
_ENDING = frozenset((
    "etc", "a.m", "p.m", "inc", "ltd", "co", "corp", "jr", "sr", "u.s", "u.k", "u.n", "ph.d", "m.d", "d.c", "usw",
    "al", "no", "p", "ms", "gen", "rep", "mon", "sat", "sun", "ver", "min", "max", "avg", "sing", "art", "abs",
    "str", "tel", "abb", "av", "ex", "op", "ref", "refs", "tab", "app", "int", "ext", "temp", "est", "dist", "misc",
    "rd", "ave", "blvd", "mt", "ft", "seq",
))  # fmt: skip
_OPENERS = "\"'\u201c\u2018\u00ab([*_`\u300c\u300e\u3008\u300a\uff08-\u2013\u2014>\u00bf\u00a1 \t\r\n\u00a0\u3000"
_THAI = pattern("[\u0e00-\u0e7f\u0e80-\u0eff]")  # Thai and Lao end sentences with a space
_SPOKEN = pattern(r"[\[(<]?\d{1,2}:\d\d|[A-Z][\w.'-]{0,20}(?: [A-Z][\w.'-]{0,20}){0,2}: ")  # a clock or a speaker
_NESTED = 600  # characters; a bracket or back-tick left open for longer was never meant to close
_LEAST = 4  # characters; no two sentences fit into less
_PHRASE = 60  # characters of Thai at least in one piece
_WRAP = 140  # characters; longer lines are not wrapped by hand: their ends are ends
_SLACK = 14  # characters by which a wrapped line may stay short of the longest


def split(text: str, start: int, end: int) -> list[int]:
    """Return where the sentences of ``text[start:end]`` begin, ``start`` first; each reaches to the next or to the end.

    Blank space behind a sentence belongs to it. The words must begin at ``start``.
    """
    starts = [start]
    body = text[start:end]
    hard = _line_ends(body) if "\n" in body else ()
    if hard:
        at = 0
        for stop in (*hard, len(body)):
            if at:
                starts.append(start + at)
            if stop - at > _LEAST:
                _marks(body, at, stop, start, starts)
            at = stop
    elif len(body) > _LEAST:
        _marks(body, 0, len(body), start, starts)
    return starts


def _marks(body: str, at: int, stop: int, offset: int, starts: list[int]) -> None:
    """Add the starts of sentences that end with a mark inside ``body[at:stop]``."""
    begin = at
    for match in _END.finditer(body, at, stop):
        mark, close = match.span()
        next_at = close
        while next_at < stop and body[next_at] in " \t\r\n\u00a0\u3000":
            next_at += 1
        if next_at >= stop:
            break
        if next_at - begin < _LEAST and body[mark] < "\u3000":
            continue
        word_at = next_at
        while word_at < stop and word_at < next_at + 8 and body[word_at] in _OPENERS:
            word_at += 1
        following = body[word_at : word_at + 1]
        if body[mark] == ".":
            if close == mark + 1 and _is_abbreviation(body, begin, mark, following):
                continue
            if following.islower() and not (following.isascii() and body[next_at] == "`"):
                continue
        elif following.islower() or (next_at == close and close > mark + 1 and "\u3040" <= following <= "\u309f"):
            continue  # "Really?" she asked; in Japanese a particle goes on behind the closing quote
        if _is_nested(body, begin, close):
            continue
        starts.append(offset + next_at)
        begin = next_at
    if stop - begin > 2 * _PHRASE and _THAI.search(body, begin, min(stop, begin + 400)):
        _phrases(body, begin, stop, offset, starts)


def _is_abbreviation(body: str, begin: int, mark: int, following: str) -> bool:
    """Tell whether the full stop at ``mark`` belongs to its word."""
    word_at = mark
    while word_at > begin and mark - word_at < 12 and body[word_at - 1] not in " \t\n\r([\u00a0":
        word_at -= 1
    word = body[word_at:mark]
    if len(word) == 1:
        # An initial, a bullet, or "Plan B.": a name follows an initial, and nothing tells it from a sentence.
        return (word.isupper() and word != "I") or (word_at == begin and word.isalnum())
    if word.isdigit():
        return word_at == begin and len(word) <= 3
    small = word.lower().lstrip("\"'\u201c*_`")
    if small in _ABBREVIATIONS:
        return True
    if small in _ENDING:
        return not following.isupper()
    # "U.S. Army", "z. B." are settled above; other short words with dots inside and capitals are initials: "J.R.R."
    return len(word) <= 6 and "." in word and word.replace(".", "").isupper() and len(word.split(".")[0]) == 1


def _is_nested(body: str, begin: int, close: int) -> bool:
    """Tell whether a bracket or back-tick of this sentence is still open."""
    if close - begin > _NESTED:
        return False
    ticks = body.count("`", begin, close)
    if ticks & 1:
        return True
    opened = body.count("(", begin, close)
    return opened > 0 and opened > body.count(")", begin, close)


def _phrases(body: str, begin: int, stop: int, offset: int, starts: list[int]) -> None:
    """Add a start behind every space that follows at least one phrase's length of Thai or Lao."""
    at = begin
    while True:
        space = body.find(" ", at + _PHRASE, stop)
        if space < 0 or stop - space < _PHRASE // 2:
            return
        at = space + 1
        while at < stop and body[at] == " ":
            at += 1
        if at >= stop:
            return
        starts.append(offset + at)


def _line_ends(body: str) -> list[int]:
    """Return where lines begin that are no continuation of the one before: its writer did not need to break it."""
    lines = body.split("\n")
    widths = [len(line.rstrip()) for line in lines]
    width = max(widths)
    found = []
    at = 0
    wrapped = width <= _WRAP
    for number in range(1, len(lines)):
        at += len(lines[number - 1]) + 1
        line = lines[number].lstrip("> \t")
        if not line:
            continue
        if not wrapped:
            if widths[number - 1] > 0:
                found.append(at + len(lines[number]) - len(line))
            continue
        if line[0].islower():
            continue
        if _SPOKEN.match(line):
            found.append(at + len(lines[number]) - len(line))
            continue
        word = line.find(" ")
        need = widths[number - 1] + 1 + (word if word >= 0 else len(line))
        if need <= width - _SLACK or (width < 40 and number > 1):
            found.append(at + len(lines[number]) - len(line))
    return found
