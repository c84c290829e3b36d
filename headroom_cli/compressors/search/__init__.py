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

_LONG = 200  # characters of a line; what is beyond is looked through for the match
_BLOB = 2_000  # the same where only blobs may be cut, and for reported errors
_NOTED = pattern(r"(?m)^\[\.\.\. \d{1,18} (?:match|matches|context lines?)\b")


def compress(text: str, want: Want) -> Draft | None:
    """Return the grouped and, where allowed, shortened result; None when there is nothing to gain."""
    plain = reading.plainly(text)
    form, _ = form_of(plain, want.hint)
    if not form or want.spent():
        return None
    forced = want.level == "max" or want.budget is not None
    if not forced and _NOTED.search(plain):
        return None  # a rendering of ours
    newline = "\r\n" if "\r\n" in plain and plain.count("\r\n") == plain.count("\n") else "\n"
    lines = plain.split(newline)
    end = "" if lines[-1] else newline
    if end:
        lines.pop()
    found = rgjson.read(lines) if form == JSON else reading.read(lines, form)
    if found is None or want.spent():
        return None
    total = sum(len(group.labels) for group in found.groups())
    fold(found)
    missing: list[str] = []
    if found.untold:
        if want.lossless or want.level == "safe":
            return None
        missing.append(found.untold)
    try:
        if not want.lossless:
            characters = _crop(found, want)
            made = newline.join(writing.write(found)) + end
            if want.level != "safe" and not want.spent():
                tokens = want.count(made)
                goal = cutting.target(want.count(plain), want)
                if tokens > goal and (forced or tokens > cutting.SMALL):
                    matches, context = cutting.cut(found, want, len(made), tokens, goal)
                    made = newline.join(writing.write(found)) + end
                    if matches + context:
                        missing.insert(0, f"{matches + context} of {total} lines")
            if characters:
                missing.append(f"{characters} characters of long lines")
        else:
            made = newline.join(writing.write(found)) + end
    except writing.UnreadableError:
        return None
    return Draft(made, LOSSY, ", ".join(missing)) if missing else Draft(made, FAITHFUL)


def _crop(found: Found, want: Want) -> int:
    """Shorten the lines that are far too long; return how many characters went."""
    limit = _BLOB if want.level == "safe" else _LONG
    words: list[str] | None = None
    gone = 0
    for item in found.items:
        if isinstance(item, str):
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
