"""Fold settings: YAML, TOML, INI and lockfiles whose blocks repeat each other line by line.

Blocks side by side that consist of the same lines but for their values are said as one block with holes, then a row
of values for each. Nothing of YAML's or TOML's meaning is needed for it: what a row fills in gives the very lines back.

    [rows fill each ? of these lines:]
    [[package]]
    name = "?"
    version = "?"
    source = "registry"
    [rows below, a blank line between blocks]
    autocfg 1.1.0
    libc 0.2.150

A line that most blocks hold with the same value is said with it; a row of another value has it in brackets behind
("[source=git]"). Lines that only one block has stand whole below its row, with their place where it is not the end.
"""

from __future__ import annotations

from headroom_cli.compressors.tables import template
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Want

_LEAST_LINES = 8
_SAMPLE = 120  # lines looked at from the start and from the middle
_SHARE = 0.85  # of them look like settings
_GAIN = 0.9  # of the tokens may stay at most
_WORTH = 0.9  # of what a faithful text takes may stay where something is left out
_CLEAR = 0.7  # of the characters may stay for that not to be in doubt
_MANY = 20_000  # lines from which they must hold something
_TINY = 6  # characters of a line on average
_DEEP = 24  # levels of blocks inside blocks that are looked into
_SETTING = pattern(
    r"[ \t]*(?:- )*(?:[\"'\w./@$%*~{}^<>|-][^:=()\n]{0,120}?(?::$|: |=| = |: [|>]))|[ \t]*- |[ \t]*[#;]"
    r"|\[[^\]]{1,200}\]\]?$|---|[ \t]*[\])}\"'{]|[ \t]+[\w\"@./-]{1,80} \"?[\w.^~*<>=\"-]"
)
_DIGEST = pattern(
    r"(?<=sha512-)[A-Za-z0-9+/]{80,90}={0,2}|(?<=sha1-)[A-Za-z0-9+/]{27}="
    r"|(?<![0-9a-zA-Z])[0-9a-f]{64}(?![0-9a-zA-Z])|(?<=#)[0-9a-f]{40}(?![0-9a-zA-Z])"
)
_KEPT = 10  # characters of a checksum
_FEW = 4  # checksums below which a marker costs more than they do


def read(lines: list[str], want: Want) -> tuple[list[str], str] | None:
    """Return settings with their repeated blocks folded and what is missing; None when there is little to gain."""
    if len(lines) < _LEAST_LINES or not is_settings(lines):
        return None
    missing: list[str] = []
    source = lines
    if not want.lossless and (want.level != "safe" or want.budget is not None):
        lines = _without_managed(lines, missing)
        lines = _short_digests(lines, missing)
    folded = fold(lines)
    if missing:
        folded = folded or lines
        whole = fold(source)
        # What goes must be worth its marker.
        if whole is not None and _size(whole) * _WORTH <= _size(folded):
            folded, missing = whole, []
    if folded is None:
        return None
    if want.spent():
        return None
    before, after = "\n".join(source), "\n".join(folded)
    # Counting twice costs as much as folding: where so much went, tokens cannot tell otherwise.
    if len(after) > _CLEAR * len(before) and want.count(after) > _GAIN * want.count(before):
        return None
    return folded, ", ".join(missing)


def _size(lines: list[str]) -> int:
    return sum(map(len, lines)) + len(lines)


def is_settings(lines: list[str]) -> bool:
    """Return whether lines are settings: keys and values in blocks that indentation, headers or blank lines make."""
    middle = max(_SAMPLE, len(lines) // 2)
    sample = [line for line in [*lines[:_SAMPLE], *lines[middle : middle + _SAMPLE]] if line and not line.isspace()]
    if len(sample) < _LEAST_LINES // 2:
        return False
    good = sum([_SETTING.match(line) is not None for line in sample])
    if good < _SHARE * len(sample):
        return False
    nested = sum([line[0] in " \t" or line[:2] == "- " or line[0] == "[" for line in sample])
    return nested * 10 >= len(sample) or sum(["=" in line for line in sample]) * 10 >= 9 * len(sample)


def fold(lines: list[str], most: float = template.PAYS) -> list[str] | None:
    """Return lines with their repeated blocks as rows, None when there are none; see ``template.write`` for "most"."""
    text = "".join(lines)
    if "\0" in text or (len(lines) > _MANY and len(text) < _TINY * len(lines)):
        return None  # our own sign for a line that is missing; a flood of lines that say nothing
    pairs, indents = template.splits(lines)
    found: list[tuple[int, int, list[str]]] = []
    stack = [(0, len(lines), 0)]
    while stack:
        start, end, depth = stack.pop()
        starts = _starts(lines, indents, start, end, depth)
        if not starts:
            continue
        bounds = [*starts, end]
        at = 0
        while at < len(starts):
            if bounds[at + 1] - bounds[at] == 1:
                at += 1
                continue
            stop = template.similar(lines, pairs, bounds, at)
            body = None
            if stop - at >= template.LEAST:
                last = bounds[stop]
                while indents[last - 1] < 0:
                    last -= 1
                body = template.write(lines, pairs, [*bounds[at:stop], last], most)
                if body is not None:
                    if last == len(lines):
                        body.pop()  # nothing follows that the rows could be mixed up with
                    found.append((bounds[at], last, body))
            if body is None and depth < _DEEP:
                stack += [
                    (bounds[i] + 1, bounds[i + 1], depth + 1) for i in range(at, stop) if bounds[i + 1] - bounds[i] > 6
                ]
            at = stop
    if not found:
        return None
    found.sort()
    out: list[str] = []
    at = 0
    for first, last, body in found:
        out += lines[at:first]
        out += body
        at = last
    out += lines[at:]
    return out


def _starts(lines: list[str], indents: list[int], start: int, end: int, depth: int) -> list[int]:
    """Return the lines on which the blocks of a region begin, from the mark that parts them."""
    if depth == 0:
        for is_start in (_opens_document, _opens_section):
            found = [at for at in range(start, end) if is_start(lines[at])]
            if len(found) >= template.LEAST:
                return found
    base = min([indent for indent in indents[start:end] if indent >= 0], default=-1)
    if base < 0:
        return []
    level = [at for at in range(start, end) if indents[at] == base and lines[at][base] not in "#;]})"]
    if depth == 0 and len(level) > 0.9 * (end - start - indents[start:end].count(-1)):
        # Nothing is indented: blank lines part the records, as in what `systemctl show` prints.
        found = [at for at in level if at == start or indents[at - 1] < 0]
        return found if "=" in lines[level[0]] else []
    keys = [at for at in level if lines[at][base : base + 2] not in ("- ", "-")]
    return keys or level


def _opens_document(line: str) -> bool:
    return line[:3] == "---" and (len(line) == 3 or line[3] == " ")


def _opens_section(line: str) -> bool:
    return line[:1] == "[" and line.rstrip().endswith("]") and "," not in line


def _without_managed(lines: list[str], missing: list[str]) -> list[str]:
    """Leave out what kubectl tells of who set which field; note each stretch with its lines."""
    out: list[str] = []
    at = 0
    gone = 0
    while at < len(lines):
        line = lines[at]
        if not line.endswith("managedFields:") or line.strip(" ") != "managedFields:":
            out.append(line)
            at += 1
            continue
        indent = len(line) - 14
        end = at + 1
        inside = " " * indent
        while end < len(lines) and lines[end].startswith((inside + " ", inside + "- ")):
            end += 1
        out += [line, f"[... {end - at - 1} lines: managedFields]"] if end - at > 2 else lines[at:end]
        gone += end - at - 1 if end - at > 2 else 0
        at = end
    if gone:
        missing.append(f"{gone} lines of managedFields")
        return out
    return lines


def _short_digests(lines: list[str], missing: list[str]) -> list[str]:
    """Cut the checksums of a lockfile to their beginnings."""
    text = "\n".join(lines)
    if "sha" not in text and "checksum" not in text and "hash" not in text:
        return lines
    found = list(_DIGEST.finditer(text))
    if len(found) < _FEW:
        return lines
    out: list[str] = []
    at = 0
    for match in found:
        out.append(text[at : match.start() + _KEPT])
        out.append("...")
        at = match.end()
    out.append(text[at:])
    missing.append(f"all but {_KEPT} characters of {len(found)} checksums")
    return "".join(out).split("\n")
