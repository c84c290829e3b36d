"""Blobs inside text of any kind: what no reader reads is told by its ends, its length and its digest.

A blob is base64 (also PEM bodies, data URIs and tokens), hexadecimal, bytes written as escapes, a line of minified
code, a hex dump, a long list of UUIDs or hashes, or one pattern over and over. Sentences, statements that are
merely long, JSON and single hashes are none. Each is replaced in place::

    iVBORw0KGgo[... 48,211 base64 characters, sha256 1a2b3c4d5e6f]QmCC

The count is of what is left out, the digest (the first 12 hexadecimal digits of SHA-256) of the whole blob's UTF-8, so
that two blobs can be seen to be equal.
"""

from __future__ import annotations

from itertools import pairwise

from headroom_cli.hashing import sha256
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 400
MINIFIED = 1000  # characters of a line of code before it counts as minified
_HEAD, _TAIL = 40, 12  # characters of a blob in one line that stay
_CODE_HEAD, _CODE_TAIL = 120, 40  # of a minified line
_WINDOW, _MESSAGE = 100, 4000  # characters that are judged as code or message; how long a message may be
_LINES_HEAD, _LINES_TAIL = 2, 1  # lines of a blob of many
_LIST = 24  # lines before UUIDs or hashes are a long list
_DUMP = 8  # lines before offsets and bytes are a hex dump
_WRAPPED = 4  # lines before base64 is a body
_NAME = 100  # characters of a name and an equals sign before a blob
_REPEATED = 5  # a repetition costs a tenth of the tokens of other text
_WIDEST = 16  # characters of a pattern that repeats

# Runs are taken possessively: every character is read once.
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_=-"
_RUN = pattern(r"(?:[A-Za-z0-9+/_=-]++|\\[nr/])++")
_SOLID = pattern(r"(?:[A-Za-z0-9+/_=-]|\\(?=[nr/])){32}")
_ID = pattern(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-|[0-9a-fA-F]{32}")
_TOKEN = pattern(r"\beyJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]++){0,3}")
_ESCAPES = pattern(r"(?<![0-9A-Fa-f])(?:\\x[0-9A-Fa-f]{2})++|(?<![0-9A-Fa-f])(?:0x[0-9A-Fa-f]{1,8},[ \t]?)++")
_DATA = pattern(r"data:[\w.+-]{0,60}/?[\w.+-]{0,60}(?:;[\w.=+-]{1,60}){0,4},[^\s\"'()<>\\]++")
_IDS = pattern(
    r"(?:[\"'\[( ,;]{0,4}(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{64}|[0-9a-fA-F]{40}"
    r"|[0-9a-fA-F]{32})(?![0-9A-Za-z])[\"'\]),;]{0,3})++"
)
_ID_LINE = pattern(
    r"[ \t]*(?:[-*] )?[\"'\[(]{0,2}(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|[0-9a-fA-F]{128}|[0-9a-fA-F]{64}|[0-9a-fA-F]{40}|[0-9a-fA-F]{32})[\"'\]),;]{0,3}\r?"
)
_BODY_LINE = pattern(r"[ \t]*([A-Za-z0-9+/_-]{40,200}={0,2})\r?")
_LAST_LINE = pattern(r"[ \t]*[A-Za-z0-9+/_-]{1,200}={0,2}\r?")
_DUMP_LINE = pattern(
    r"(?:0x)?([0-9a-fA-F]{4,16}):?[ \t]{1,4}((?:(?:0x)?[0-9a-fA-F]{2,16}[ \t]{1,3}){2,64}"
    r"(?:0x)?[0-9a-fA-F]{2,16})(?![\w.:])"
)
_BARE_LINE = pattern(r"[ \t]*(?:[0-9a-fA-F]{2,8}[ \t]{1,3}){7,64}[0-9a-fA-F]{2,8}[ \t]{0,2}\r?")
_HEX = frozenset("0123456789abcdefABCDEF")
_OFFSET = _HEX | {":", " ", "\t"}

Span = tuple[int, int, str]  # start, end, what it is


def cut(text: str, *, longest: int = LONGEST) -> tuple[str, str]:
    """Return the text with its blobs of more than ``longest`` characters cut, and what is missing.

    The second is "" when nothing was cut, else for example ``3 blobs, 48,211 characters``. Lines stay lines; the text
    never gets longer; cutting it again changes nothing. Linear, about 100 MB/s on text without long lines.
    """
    if len(text) <= longest:
        return text, ""
    lines = text.split("\n")
    blobs = gone = 0
    if max(map(len, lines)) > longest:
        for at, line in enumerate(lines):
            if len(line) > longest:
                made, count, characters = _line(line, longest)
                if count:
                    lines[at] = made
                    blobs += count
                    gone += characters
    spans = sorted(
        _bodies(lines, longest) + _dumps(lines, longest) + _bare(lines, longest), key=lambda span: (span[0], -span[1])
    )
    if spans:
        kept: list[str] = []
        at = 0
        for start, end, what in spans:
            if start < at:
                continue
            blob = "\n".join(lines[start:end])
            head, tail = start + _LINES_HEAD, end - _LINES_TAIL
            left = "\n".join(lines[head:tail])
            note = f"[... {tail - head:,} lines: {what}, {len(left):,} characters, sha256 {_digest(blob)}]"
            if len(note) >= len(left):
                continue
            kept.extend((*lines[at:head], note + ("\r" if lines[head].endswith("\r") else "")))
            at = tail
            blobs += 1
            gone += len(left)
        lines = [*kept, *lines[at:]]
    if not blobs:
        return text, ""
    return "\n".join(lines), f"{blobs:,} blob{'s' if blobs > 1 else ''}, {gone:,} characters"


def _digest(blob: str) -> str:
    return sha256(blob.encode("utf-8", "surrogatepass"))[:12]


# Blobs in one line


def _line(line: str, longest: int) -> tuple[str, int, int]:
    """Return a long line with its blobs cut, how many they were, and how many characters went."""
    out: list[str] = []
    at = count = gone = 0
    for start, end, what in _spans(line, longest):
        if start < at:
            continue
        head, tail = (_CODE_HEAD, _CODE_TAIL) if what == "minified code" else (_HEAD, _TAIL)
        left = end - start - head - tail
        note = f"[... {left:,} {what} characters, sha256 {_digest(line[start:end])}]"
        if left <= len(note):
            continue
        out.extend((line[at : start + head], note))
        at = end - tail
        count += 1
        gone += left
    out.append(line[at:])
    return "".join(out), count, gone


def _spans(line: str, longest: int) -> list[Span]:
    """Return the blobs of a long line, by place, the longer first."""
    if "[... " in line and ", sha256 " in line:
        return []  # cut before
    if _minified(line, longest):
        start, end = _code(line)
        return [(start, end, "minified code")] if end - start > longest else []
    found: list[Span] = []
    ids = False
    streak = 0
    # What is longer than `longest` covers one of these places: the others need not be looked at.
    step = max(longest // 3, 4 * _WIDEST)
    run, solid, known = _RUN.match, _SOLID.match, _ID.search
    at = done = 0
    while at < len(line):
        probe = line[at : at + 4 * _WIDEST]
        end = at
        period = _period(probe)
        if period:
            unit = probe[:period]
            start = at
            while start - period >= done and line.startswith(unit, start - period):
                start -= period
            end = _repeated(line, unit, at)
            if end - start > longest * _REPEATED:
                found.append((start, end, f"repeated {unit!a}"))
            else:
                end = at
        if end == at and solid(probe):
            match = run(line, at)
            end = match.end() if match else at + 1
            start = _begin(line, max(done, at - step - 1), at)
            named = line.rfind("=", start, min(start + _NAME, end))
            start = named + 1 if named >= 0 else start  # payload=...
            what = _encoded(line[start:end]) if end - start > longest else ""
            if what:
                found.append((start, end, what))
        elif end == at:
            streak = streak + 1 if known(line, at, at + 160) else 0
            ids = ids or streak * step >= longest  # one hash in a line is no list
        done = max(done, end)
        at = max(at + step, end)
    # A blob inside another is part of it: what covers more comes first.
    if "data:" in line:
        found += [(*m.span(), "data URI") for m in _DATA.finditer(line) if m.end() - m.start() > longest]
    if "eyJ" in line:
        found += [(*m.span(), "token") for m in _TOKEN.finditer(line) if m.end() - m.start() > longest]
    if "\\x" in line or "0x" in line:
        found += [(*m.span(), "byte") for m in _ESCAPES.finditer(line) if m.end() - m.start() > longest]
    if ids:
        found += [(*m.span(), "id") for m in _IDS.finditer(line) if m.end() - m.start() > max(longest, _LIST * 33)]
    found.sort(key=lambda span: (span[0], -span[1]))
    return found


def _begin(line: str, least: int, at: int) -> int:
    """Return where the run of letters, digits and escaped line ends around ``at`` begins, not before ``least``."""
    before = line[least:at]
    while True:
        bare = before.rstrip(_ALPHABET)
        if not bare.endswith("\\") or before[len(bare) : len(bare) + 1] not in ("n", "r", "/"):
            return least + len(bare) + (bare.endswith("\\") and len(before) > len(bare))
        before = bare[:-1]


def _encoded(run: str) -> str:
    """Return what a run of letters and digits without a blank is: hex, base64, base32, or "" for names joined."""
    sample = run if len(run) <= 3000 else run[:1000] + run[len(run) // 2 : len(run) // 2 + 1000] + run[-1000:]
    size = len(sample)
    digits = sum(map(str.isdigit, sample))
    if set(sample) <= _HEX:
        # A number of any length is a number.
        return "hex" if digits < size else ""
    upper = sum(map(str.isupper, sample))
    lower = sum(map(str.islower, sample))
    marks = size - digits - upper - lower
    if marks * 8 > size:
        return ""  # words joined by hyphens, paths
    if upper * 10 >= size and lower * 10 >= size and digits * 33 >= size:
        # Names in camel case change case a few times a dozen letters, random letters at every second.
        changes = sum(1 for one, two in pairwise(sample) if _class(one) != _class(two))
        return "base64" if changes * 3 >= size else ""
    if upper * 3 >= size * 2 and not lower and digits * 20 >= size:
        return "base32"
    return ""


def _class(character: str) -> int:
    return 0 if character.islower() else 1 if character.isupper() else 2


def _minified(line: str, longest: int) -> bool:
    """Tell whether a line is code without blanks: JavaScript or CSS, not JSON, markup, data or prose."""
    size = len(line)
    if size < max(MINIFIED, longest):
        return False
    sample = line if size <= 20_000 else line[:8000] + line[size // 2 : size // 2 + 8000]
    size = len(sample)
    if (
        line.startswith(('{"', "[{"))
        or sample.count(" ") * 8 > size
        or sample.count("{") * 300 < size
        or sample.count("}") * 400 < size
    ):
        return False
    if sample.count('":') * 60 > size or sample.count("<") * 60 > size:
        return False
    return _marks(sample) * 100 > size


def _marks(sample: str) -> int:
    """Count what ends statements and opens blocks; the semicolons of &lt; and &quot; do neither."""
    ends = sample.count(";") - sample.count("&") + 2 * sample.count("&&")
    return ends + sample.count("){") + sample.count("=>") + sample.count(":{")


def _code(line: str) -> tuple[int, int]:
    """Return where code begins and ends in a line: a message around it ("ERROR ... TypeError: ...") is read."""
    start, end = 0, len(line.rstrip("\r"))
    while start < min(end, _MESSAGE) and not _dense(line[start : start + _WINDOW]):
        start += _WINDOW
    least = max(start, end - _MESSAGE)
    while end > least and not _dense(line[max(0, end - _WINDOW) : end]):
        end -= _WINDOW
    return start, max(start, end)


def _dense(window: str) -> bool:
    return window.count(" ") * 8 <= len(window) and _marks(window) >= 2


def _period(probe: str) -> int:
    size = len(probe)
    if size < 4 * _WIDEST:
        return 0
    for period in range(1, _WIDEST + 1):
        if probe[period:] == probe[: size - period]:
            return period
    return 0


def _repeated(line: str, unit: str, at: int) -> int:
    """Return the end of the repetitions of a unit: in growing strides, then in shrinking ones."""
    stride = unit * max(1, 64 // len(unit))
    while line.startswith(stride, at):
        at += len(stride)
        if len(stride) < 65536:
            stride += stride
    while len(stride) > len(unit):
        stride = unit * (len(stride) // len(unit) // 2)
        while line.startswith(stride, at):
            at += len(stride)
    return at


# Blobs of many lines


def _bodies(lines: list[str], longest: int) -> list[Span]:
    """Find lists of UUIDs or hashes, and base64 that is wrapped."""
    solid = [at for at, line in enumerate(lines) if len(line) > 31 and " " not in line[-31:]]
    found: list[Span] = []
    if len(solid) < _WRAPPED:
        return found
    for first, last in _neighbours(solid):
        if last - first >= _WRAPPED - 1:
            found += _lists(lines, first, last, longest)
    return found


def _neighbours(rows: list[int]) -> Iterator[tuple[int, int]]:
    first = before = rows[0]
    for row in rows[1:]:
        if row != before + 1:
            yield first, before
            first = row
        before = row
    yield first, before


def _lists(lines: list[str], first: int, last: int, longest: int) -> list[Span]:
    """Find the bodies among neighbouring lines without blanks (first and last inclusive)."""
    found: list[Span] = []
    id_line, body_line = _ID_LINE.fullmatch, _BODY_LINE.fullmatch
    at = first
    while at <= last:
        begin = at
        while at <= last and id_line(lines[at]):
            at += 1
        if at > begin:
            # Fewer are looked up one by one: a short list of hashes is no blob.
            if at - begin >= _LIST and sum(map(len, lines[begin:at])) > longest:
                found.append((begin, at, "ids"))
            continue
        width = len(lines[at].rstrip("\r"))
        while at <= last and len(lines[at].rstrip("\r")) == width and body_line(lines[at]):
            at += 1
        if at - begin >= _WRAPPED:
            if at < len(lines) and lines[at].strip() and len(lines[at]) <= width and _LAST_LINE.fullmatch(lines[at]):
                at += 1
            body = "".join(map(str.strip, lines[begin:at]))
            what = _encoded(body) if len(body) > longest else ""
            if what:
                found.append((begin, at, what))
        at = max(at, begin + 1)
    return found


def _dumps(lines: list[str], longest: int) -> list[Span]:
    """Find hex dumps: offsets that grow by the same step, and bytes behind them."""
    begins = [at for at, line in enumerate(lines) if line[4:5] in _OFFSET and line[:1] in _HEX and len(line) > 18]
    found: list[Span] = []
    if len(begins) < _DUMP:
        return found
    rows: list[int] = []
    offsets: list[str] = []
    for at in begins:
        match = _DUMP_LINE.match(lines[at])
        # "*" stands for lines like the one before.
        near = bool(rows) and (at == rows[-1] + 1 or (at == rows[-1] + 2 and lines[at - 1].rstrip("\r") == "*"))
        if match is not None and (near or not rows):
            rows.append(at)
            offsets.append(match.group(1))
            continue
        if rows:
            found += _dump(lines, rows, offsets, longest)
        rows, offsets = ([at], [match.group(1)]) if match is not None else ([], [])
    return found + _dump(lines, rows, offsets, longest)


def _dump(lines: list[str], rows: list[int], offsets: list[str], longest: int) -> list[Span]:
    if len(rows) < _DUMP or sum(len(lines[at]) for at in rows) <= longest:
        return []
    for base in (16, 8, 10):
        try:
            places = [int(offset, base) for offset in offsets]
        except ValueError:
            continue
        steps = [two - one for one, two in pairwise(places)]
        step = steps[0]
        if step in (4, 8, 16, 32, 64) and all(s == step or (s > step and s % step == 0) for s in steps):
            return [(rows[0], rows[-1] + 1, "hex dump")]
    return []


def _bare(lines: list[str], longest: int) -> list[Span]:
    """Find hex dumps without offsets, as ``od -An -tx1`` and packet viewers print them."""
    begins = [
        at
        for at, line in enumerate(lines)
        if " " in (line[2:3], line[3:4], line[4:5]) and line[1:2] in _HEX and len(line) > 20
    ]
    found: list[Span] = []
    if len(begins) < _DUMP:
        return found
    full = _BARE_LINE.fullmatch
    for first, last in _neighbours(begins):
        at = first
        while at <= last:
            begin, width = at, len(lines[at])
            while at <= last and len(lines[at]) == width and full(lines[at]):
                at += 1
            rows = lines[begin:at]
            # Columns of decimal numbers hold no letters.
            if at - begin >= _DUMP and sum(map(len, rows)) > longest and 2 * sum(map(_lettered, rows)) > at - begin:
                found.append((begin, at, "hex dump"))
            at = max(at, begin + 1)
    return found


def _lettered(line: str) -> bool:
    return any(map(str.isalpha, line))
