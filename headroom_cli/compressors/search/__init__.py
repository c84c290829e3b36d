"""Search results: every file once, as a heading, above its numbered lines; then, where allowed, only what tells most.

Faithful steps come first: a heading for each file, rows of equal text in one, no colours (`reading`, `writing`). Lines
that are far too long keep their head and what is around the match (`cropping`). Only then rows go (`cutting`): surplus
context, then repeats and what adds least; definitions, reported errors and the first matches of each file stay, every
file stays named, and what went is counted there.
"""

from __future__ import annotations

from headroom_cli.compressors.search import cutting, reading, rgjson, writing
from headroom_cli.compressors.search.cropping import crop
from headroom_cli.compressors.search.forms import JSON, form_of, sniff
from headroom_cli.compressors.search.lines import extension, is_error
from headroom_cli.compressors.search.pattern import wanted
from headroom_cli.compressors.search.rows import fold
from headroom_cli.lazy import pattern
from headroom_cli.model import FAITHFUL, LOSSY, Compressor, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.search.rows import Found
    from headroom_cli.model import Want

_SURE = 0.5  # below this confidence a text stays, unless the caller named its kind
_LONG = 200  # characters of a line; what is beyond is looked through for the match
_BLOB = 2_000  # the same where only blobs may be cut, and for reported errors
_WORTH = 0.08  # share of the tokens; below it a cut hardly pays for its notes and the marker
_MEASURED = 1 << 18  # characters
_NOTED = pattern(r"(?m)^\[\.\.\. \d{1,18} (?:match|matches|context lines?)\b")


def compress(text: str, want: Want) -> Draft | None:
    """Return the grouped and, where allowed, shortened result; None when there is nothing to gain."""
    plain = reading.plainly(text)
    form, sure = form_of(plain, want.hint)
    if not form or want.spent() or (sure < _SURE and not want.asked) or (form == JSON and want.keep_json):
        return None
    forced = want.level == "max" or want.budget is not None
    if not forced and "\n[... " in plain and _NOTED.search(plain):
        return None  # a rendering of ours
    newline = "\r\n" if "\r\n" in plain and plain.count("\r\n") == plain.count("\n") else "\n"
    body = plain if newline == "\n" else plain.replace("\r\n", "\n")
    end = newline if body.endswith("\n") else ""
    found = rgjson.read(body.removesuffix("\n").split("\n")) if form == JSON else reading.read(body, form)
    del body  # of a large output as much memory as the groups take
    return _shortened(found, want, plain, newline, end)


def _shortened(found: Found | None, want: Want, plain: str, newline: str, end: str) -> Draft | None:
    """Return what was read, written again and, where allowed, shortened; ``end`` is the line end of the last line."""
    if found is None or want.spent() or (found.untold and (want.lossless or want.level == "safe")):
        return None
    total = sum(len(group.labels) for group in found.groups())
    fold(found)
    missing: list[str] = []
    try:
        characters = 0 if want.lossless else _crop(found, want)
        if not want.lossless and want.level != "safe":
            gone = _cut(found, want, plain)
            if gone:
                missing.append(f"{gone} of {total} lines")
        made = newline.join(writing.write(found)) + end
    except writing.UnreadableError:
        return None
    if found.untold:
        missing.append(found.untold)
    if characters:
        missing.append(f"{characters} characters of long lines")
    return Draft(made, LOSSY, ", ".join(missing)) if missing else Draft(made, FAITHFUL)


def _cut(found: Found, want: Want, plain: str) -> int:
    """Leave out rows when there is more than the level wants; return how many. ``plain`` is the text as it was read."""
    before = want.count(plain)
    size = writing.size(found)
    # A large output is taken to be as dense as the text: writing it only to be counted costs 10 ms/MB.
    tokens = before * size // len(plain) if size > _MEASURED else want.count("\n".join(writing.write(found)))
    goal = cutting.target(before, want)
    forced = want.level == "max" or want.budget is not None
    if tokens <= goal or (not forced and (tokens <= cutting.SMALL or tokens - goal < tokens * _WORTH)):
        return 0
    return sum(cutting.cut(found, want, size, tokens, goal))


def _crop(found: Found, want: Want) -> int:
    """Shorten the lines that are far too long; return how many characters went."""
    limit = _BLOB if want.level == "safe" else _LONG
    words: list[str] | None = None
    gone = 0
    for place, item in enumerate(found.items):
        if isinstance(item, str):
            if len(item) > _BLOB:
                found.items[place], cut = crop(item, _BLOB, [], (0, 0))
                gone += cut
            continue
        if max(map(len, item.texts)) <= limit:
            continue
        for at, line in enumerate(item.texts):
            if len(line) <= limit or (len(line) <= _BLOB and is_error(line, extension(item.path))):
                continue
            if words is None:
                literals, asked = wanted(want)
                words = literals + asked
            item.texts[at], cut = crop(line, limit, words, item.spans[at] if item.spans else (0, 0))
            gone += cut
    return gone


COMPRESSOR = Compressor(
    "search",
    ("search",),
    sniff,
    compress,
    "search results: each file once, long lines cropped around the match, definitions kept, what went counted per file",
)
