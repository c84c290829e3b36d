"""Write blocks of the same lines as one block with holes and a row of values for each."""

from __future__ import annotations

from collections import Counter

from headroom_cli.compressors.tables.grid import OPENING
from headroom_cli.lazy import pattern

LEAST = 3  # blocks
PAYS = 0.86  # of the characters may stay at most; else the blocks inside are tried
_HOLES = ("?", "_", "@", "%", "&", "~")
_ABSENT = ("-", "~", "(none)")
_MARKS = ("* ", "> ", "@ ")
_JOINTS = (" ", " | ", " ; ", " || ")
# Names stay whole in their rows: only what stands around them is said once.
_BEFORE = "\"'([{ "
_AFTER = "\"')]}, "
_PATH = 12  # characters of a directory or address that is said once
_USUAL = 0.6  # of the blocks hold a value that is said for all
_NAMED = 5  # holes from which their names stand above the rows, as those of a table do
_LONG = 400  # lines of a block from which its like is not looked for
# What comes before a value: indentation, dashes of lists, a key and its sign; or a first word, as in yarn.lock.
_KEY = r"(?:[^\s:=\"'#;\[\]{}]+|\"[^\"]*\"|'[^']*')"
_HEAD = pattern(rf"[ \t]*(?:(?:- )*{_KEY}(?:: +| *= ?|:$)|(?:- )+|{_KEY} +)")
_MISSING = "\0"  # stands for a line that a block has not


def splits(lines: list[str]) -> tuple[list[tuple[str, str]], list[int]]:
    """Return for each line what comes before its value and the value, and its indentation.

    A comment or a text is all before. The indentation is -1 for an empty line and a note of ours.
    """
    known: dict[str, tuple[tuple[str, str], int]] = {}
    pairs, indents = [], []
    for line in lines:
        found = known.get(line)
        if found is None:
            match = _HEAD.match(line)
            end = match.end() if match is not None else len(line)
            bare = line.lstrip(" ")
            indent = -1 if not bare or bare.isspace() or line[:5] == "[... " else len(line) - len(bare)
            known[line] = found = ((line[:end], line[end:]), indent)
        pairs.append(found[0])
        indents.append(found[1])
    return pairs, indents


def similar(lines: list[str], pairs: list[tuple[str, str]], bounds: list[int], first: int) -> int:
    """Return the number of the block where the ones like the first end."""
    if bounds[first + 1] - bounds[first] > _LONG:
        return first + 1
    opening = _opening(lines[bounds[first]], pairs[bounds[first]])[0]
    before = {pair[0] for pair in pairs[bounds[first] + 1 : bounds[first + 1]]}
    at = first + 1
    while at < len(bounds) - 1:
        begin, end = bounds[at], bounds[at + 1]
        if end - begin == 1 or end - begin > _LONG or _opening(lines[begin], pairs[begin])[0] != opening:
            break
        own = {pair[0] for pair in pairs[begin + 1 : end]}
        if len(own & before) * 2 < min(len(own), len(before)):
            break
        before = own
        at += 1
    return at


def _opening(line: str, pair: tuple[str, str]) -> tuple[str, str]:
    """Return the first line of a block as what all such lines share and what tells this one from others."""
    if line[:1] == "[":
        return ("[[", line[2:]) if line[:2] == "[[" else ("[", line[1:])
    body = line.lstrip(" ")
    if body[:2] != "- " and body.endswith(":"):
        return line[: len(line) - len(body)], body
    return pair


def _name(head: str) -> str:
    """Return the key of what comes before a value."""
    return head.lstrip(" \t-").rstrip(" :=")


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _beginning(one: str, other: str) -> str:
    """Return what two values begin with, up to where a name starts."""
    at = _alike(one, other)
    while at and one[at - 1] not in _BEFORE and not (one[at - 1] == "/" and at > _PATH):
        if one[at - 1] == "-" and one[max(0, at - 7) : at] == "sha512-":
            break
        at -= 1
    return one[:at]


def _ending(one: str, other: str) -> str:
    """Return what two values, both turned round, end with, from where a name is over."""
    at = _alike(one, other)
    while at > 1 and one[at - 1] not in _AFTER:
        at -= 1
    return one[:at][::-1] if at and (one[at - 1] in _AFTER or one[:at] == ":") else ""


class _Column:
    """A line of the block with what the blocks hold there.

    ``head``     what comes before the value
    ``label``    the key in it, ``title`` what it is called above the rows
    ``values``   the value of each block
    ``usual``    the value said for all, None where rows give it
    ``pre``, ``suf``  what all values begin and end with
    """

    __slots__ = ("head", "label", "pre", "suf", "title", "usual", "values")

    def __init__(self, head: str, values: list[str]) -> None:
        """Rows give the value, until it is known that one serves most."""
        self.head = head
        self.label = _name(head) if _HEAD.fullmatch(head) is not None else ""
        self.title = self.label.replace(" ", "_") or "(text)"
        self.values = values
        self.usual: str | None = None
        self.pre = self.suf = ""

    def choose(self, *, is_label: bool) -> None:
        """Say a value for all where that is shorter; ``is_label``: the line may be named behind a row."""
        times = Counter(self.values)
        value, often = times.most_common(1)[0]
        if often == len(self.values) and value != _MISSING:
            self.usual = value
            return
        if value == _MISSING and len(times) > 1:
            value, often = times.most_common(2)[1]
        if is_label and often >= _USUAL * len(self.values):
            others = [other for other in times if other != value]
            cost = sum([(len(other) + len(self.label) + 4) * times[other] for other in others]) + len(value)
            if cost < sum([(len(other) + 1) * n for other, n in times.items()]) and not any(
                "; " in other or OPENING.strip() in other for other in others
            ):
                self.usual = value
                return
        self.open()

    def open(self) -> None:
        """Let rows give the value, but for what all values begin and end with."""
        self.usual = None
        times = dict.fromkeys(self.values)
        told = [other for other in times if other != _MISSING]
        if len(told) > 1:
            pre = _beginning(min(told), max(told))
            ends = [other[len(pre) :][::-1] for other in told]
            suf = _ending(min(ends), max(ends))
            self.pre, self.suf = pre, suf

    def cell(self, row: int, absent: str) -> str:
        """Return what a row gives for this line."""
        value = self.values[row]
        return absent if value == _MISSING else value[len(self.pre) : len(value) - len(self.suf)]

    def line(self, hole: str) -> str:
        """Return the line of the block."""
        return self.head + (f"{self.pre}{hole}{self.suf}" if self.usual is None else self.usual)


def write(lines: list[str], pairs: list[tuple[str, str]], bounds: list[int], most: float = PAYS) -> list[str] | None:
    """Return blocks ("bounds": where each begins, and the end) as rows, the last line the end.

    None unless at most a share ("most") of their characters stays.
    """
    rows = len(bounds) - 1
    blank = _blank_between(lines, bounds)
    blocks = []
    for at in range(rows):
        begin = bounds[at]
        end = bounds[at + 1] - (1 if blank and at < rows - 1 else 0)
        blocks.append([_opening(lines[begin], pairs[begin]), *pairs[begin + 1 : end]])
    times = _times(blocks)
    freed = _freed(blocks, times)
    heads = _heads(freed, times if freed is blocks else _times(freed))
    blocks = freed
    columns, extras = _aligned(blocks, heads)
    labels = Counter([column.label for column in columns])
    columns[0].title = columns[0].label or "block"
    for column in columns:
        name = column.label
        fit = labels[name] == 1 and name and not any(sign in name for sign in ("=", "; ", "["))
        column.choose(is_label=bool(fit) and column is not columns[0])
    if not _keep_apart(columns):
        return None
    absent, joint, hole, mark = _signs(columns, extras)
    if not hole or not joint or not absent or mark is None:
        return None
    holes = [column for column in columns if column.usual is None]
    said = [column for column in columns if column.usual is not None]
    places = Counter([place for odd in extras for place, _ in odd])
    place = max(places, key=places.__getitem__, default=len(heads))
    names = [
        f"after {column.label if column.label and labels[column.label] == 1 else f'line {at + 1}'}"
        for at, column in enumerate(columns)
    ]
    names.append("at the end")
    body: list[str] = []
    for row in range(rows):
        text = joint.join([column.cell(row, absent) for column in holes])
        odd = [
            f"{column.label}={absent if column.values[row] == _MISSING else column.values[row]}"
            for column in said
            if column.values[row] != column.usual
        ]
        body.append(f"{mark}{text} [{'; '.join(odd)}]" if odd else mark + text)
        _add_extras(body, extras[row], place, names)
    is_missing = any(_MISSING in column.values for column in columns)
    out = [f"{OPENING}fill each {hole} of these lines:]", *[column.line(hole) for column in columns]]
    told = [f"{OPENING}below"]
    if joint.strip():
        told.append(f"values apart by {joint.strip()}")
    if mark:
        told.append(f"each row behind {mark.strip()}")
        if place < len(heads):
            told.append(f"others {names[place]}")
    if is_missing:
        told.append(f"{absent} where the line is missing")
    if blank:
        told.append("a blank line between blocks")
    if len(holes) >= _NAMED:
        out.append(f"{OPENING}hold: {(joint if joint.strip() else ' ').join([column.title for column in holes])}]")
    out.append(f"{', '.join(told)}]")
    out += body
    out.append(f"{OPENING}end]")
    before = sum(map(len, lines[bounds[0] : bounds[-1]])) + bounds[-1] - bounds[0]
    return out if sum(map(len, out)) + len(out) < most * before else None


def _keep_apart(columns: list[_Column]) -> bool:
    """Let rows give each value where a cell could be taken for what stands in brackets behind a row.

    Return False where even that does not help.
    """
    said = [column for column in columns if column.usual is not None]
    text = "\n".join([value for column in columns if column.usual is None for value in column.values])
    if "[" not in text:
        return True
    odd = [column for column in said if set(column.values) != {column.usual}]
    for column in said:
        found = _HEAD.match(column.line(""))
        if found is not None and f"[{_name(found[0])}=" in text:
            for other in odd:
                other.open()
            return bool(odd)
    return True


def _blank_between(lines: list[str], bounds: list[int]) -> bool:
    """Return whether one empty line and no more ends each block but the last."""
    return all(lines[at - 1] == "" and lines[at - 2] != "" for at in bounds[1:-1])


def _times(blocks: list[list[tuple[str, str]]]) -> Counter[str]:
    """Return how many blocks have each head."""
    return Counter([head for block in blocks for head in {pair[0] for pair in block}])


def _freed(blocks: list[list[tuple[str, str]]], times: Counter[str]) -> list[list[tuple[str, str]]]:
    """Return blocks whose comments, words and requirements that few share are lines of any text, to be told in rows."""
    free = {
        head: len(head) - len(head.lstrip(" \t"))
        for head, often in times.items()
        if often * 2 < len(blocks) and (_HEAD.fullmatch(head) is None or _is_loose(head))
    }
    if not free:
        return blocks
    return [
        [(head[: free[head]], head[free[head] :] + value) if head in free else (head, value) for head, value in block]
        for block in blocks
    ]


def _is_loose(head: str) -> bool:
    """Return whether a head is no key: words, or "flake8>="."""
    bare = head.rstrip(" =")
    return (bare[-1:] in "<>~!^" or (head[-1:] == " " and "=" not in head and bare[-1:] != ":")) and bare[-1:] != "-"


def _heads(blocks: list[list[tuple[str, str]]], times: Counter[str]) -> list[str]:
    """Return the heads of the commonest block without its odd ones, the longest of equally common ones."""
    half = {head for head, often in times.items() if often * 2 >= len(blocks)}
    shapes = Counter([tuple([pair[0] for pair in block if pair[0] in half]) for block in blocks])
    return list(max(shapes.items(), key=lambda pair: (pair[1], len(pair[0])))[0])


def _aligned(
    blocks: list[list[tuple[str, str]]], heads: list[str]
) -> tuple[list[_Column], list[list[tuple[int, list[str]]]]]:
    """Return the lines of all blocks as columns, and for each block the lines in no column behind their places."""
    places: dict[str, list[int]] = {}
    for at, head in enumerate(heads):
        places.setdefault(head, []).append(at)
    table: list[list[str]] = []
    extras: list[list[tuple[int, list[str]]]] = []
    for block in blocks:
        cells = [_MISSING] * len(heads)
        odd: list[tuple[int, list[str]]] = []
        last = -1
        for head, value in block:
            for place in places.get(head, ()):
                if place > last:
                    cells[place] = value
                    last = place
                    break
            else:
                if not odd or odd[-1][0] != last:
                    odd.append((last, []))
                odd[-1][1].append(head + value)
        if odd and odd[-1][0] == last:
            odd[-1] = (len(heads), odd[-1][1])
        table.append(cells)
        extras.append(odd)
    columns = [_Column(head, list(values)) for head, values in zip(heads, zip(*table, strict=True), strict=True)]
    return columns, extras


def _signs(columns: list[_Column], extras: list[list[tuple[int, list[str]]]]) -> tuple[str, str, str, str | None]:
    """Return the signs for a line that is missing, between cells, for a hole and before a row; "" or None if taken."""
    values = {value for column in columns for value in column.values}
    holes = [column for column in columns if column.usual is None]
    cells = {
        value[len(column.pre) : len(value) - len(column.suf)]
        for column in holes
        for value in column.values
        if value != _MISSING
    }
    text = "\n".join(cells)
    if OPENING.strip() in text or not holes:
        return "", "", "", None
    absent = next((sign for sign in _ABSENT if sign not in values and sign not in cells), "")
    joint = next((sign for sign in _JOINTS if len(holes) == 1 or _parts(sign, cells, text)), "")
    block = "\n".join([column.line("") for column in columns])
    hole = next((sign for sign in _HOLES if sign not in block), "")
    own = [line for odd in extras for _, group in odd for line in group]
    mark = next((sign for sign in _MARKS if not any(line.startswith(sign) for line in own)), None) if own else ""
    return absent, joint, hole, mark


def _parts(sign: str, cells: set[str], text: str) -> bool:
    """Return whether a sign between cells can only be read as that."""
    if sign == " ":
        return " " not in text and "" not in cells
    return sign.strip(" ") not in text and not any(cell[:1] == " " or cell[-1:] == " " for cell in cells)


def _add_extras(body: list[str], odd: list[tuple[int, list[str]]], usual: int, names: list[str]) -> None:
    """Put below a row the lines that are in no column: those at the usual place, the others behind theirs."""
    for place, group in odd:
        if place == usual:
            body += group
    for place, group in odd:
        if place != usual:
            body.append(f"{OPENING}{names[place]}]")
            body += group
