"""Which rows of a file go, at each degree of thrift."""

from __future__ import annotations

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.code.asked import Asked
    from headroom_cli.compressors.code.shape import Shape

KEPT, BODY, COMMENT = 0, 1, 2  # what becomes of a row
ASKED = 3  # a row that the question is about: kept, whatever else it is
_SETTLED = bytes((KEPT, BODY, COMMENT, KEPT)) + bytes(252)

# Comments that tools or readers act on stay as they are.
_DIRECTIVE = pattern(
    r"#!|(?:#|//|/\*|--|;)\s{0,2}(?:-\*-|go:|\+build|region|endregion|pragma|type:|noqa|pylint:|mypy:|ruff:|isort:"
    r"|fmt:|flake8|pyright:"
    r"|nosec|coverage:|eslint|@ts-|prettier|jshint|global |istanbul|c8 |biome-|tslint|NOLINT|clang-format|rubocop:"
    r"|frozen_string_literal"
    r"|encoding|coding[:=]|vim?:|nolint|@flow|@jsx|swiftlint|shellcheck|phpcs|@phpstan|ktlint|sourceMappingURL"
    r"|<reference|@generated"
    r"|noinspection|cgo|#cgo|\s{0,3}MARK:)",
)
_NOTABLE = pattern(r"\b(?:TODO|FIXME|HACK|XXX|BUG|SAFETY|WARNING|DANGER|DEPRECATED|@deprecated)\b")
_MARKS = "/*#-;%!' \t"  # what comments and documentation are drawn with
_LOCAL_TYPE = 12  # rows of a type declared inside an elided body that stays whole
_TABLE_HEAD = 4  # rows of a folded literal that stay
_MIN_NOTED = 40  # characters; fewer than this cost no more than the note that would stand for them


class Thrift:
    """How far a rendering goes.

    ``whole``    rows of the longest body kept whole (-1: no body stays)
    ``nested``   headers of functions and types inside elided bodies stay
    ``docs``     rows of documentation that stay
    ``comments`` rows of the longest other comment that stays
    ``table``    rows of the longest literal that stays
    ``words``    most rare words of a gap
    """

    __slots__ = ("comments", "docs", "nested", "table", "whole", "words")

    def __init__(self, whole: int, *, nested: bool, docs: int, comments: int, table: int, words: int) -> None:
        """See the class."""
        self.whole = whole
        self.nested = nested
        self.docs = docs
        self.comments = comments
        self.table = table
        self.words = words


def plan(lines: list[str], shape: Shape, thrift: Thrift, asked: Asked) -> tuple[bytearray, int]:
    """Return what becomes of each row, and how many bodies were elided."""
    rows = bytearray(len(lines))
    gone = _bodies(rows, shape, thrift, asked)
    _data(rows, shape, thrift)
    _comments(lines, rows, shape, thrift)
    _documentation(lines, rows, shape, thrift)
    return rows.translate(_SETTLED), gone


def _bodies(rows: bytearray, shape: Shape, thrift: Thrift, asked: Asked) -> int:
    gone = 0
    wanted_until = hidden_until = -1
    # A file's functions come sorted: outer before inner.
    types = iter(shape.types)
    kind = next(types, None)
    for function in shape.functions:
        first, last = function.first, function.last
        if first <= wanted_until:
            continue
        if asked.wants(function):
            wanted_until = last
            rows[function.head : last + 1] = bytes((ASKED,)) * (last + 1 - function.head)
            continue
        if first <= hidden_until:
            if thrift.nested and function.told:
                _keep(rows, function.head, min(first, function.head + 12))
            continue
        if function.inside <= thrift.whole:
            continue
        rows[first : last + 1] = bytes((BODY,)) * (last + 1 - first)
        gone += 1
        hidden_until = last
    if thrift.nested:
        while kind is not None:
            start, end = kind
            if rows[start] == BODY:
                _keep(rows, start, end + 1 if end - start < _LOCAL_TYPE else start + 1)
            kind = next(types, None)
    return gone


def _data(rows: bytearray, shape: Shape, thrift: Thrift) -> None:
    """Hide the middle of long tables: the first rows tell what it is, the last closes it."""
    until = -1
    for first, last in shape.data:
        if first > until and rows[first] == KEPT and last - first - 1 > thrift.table:
            until = last
            begin = first + 1 + min(thrift.table, _TABLE_HEAD)
            rows[begin:last] = bytes((BODY,)) * (last - begin)


def _keep(rows: bytearray, first: int, stop: int) -> None:
    rows[first:stop] = bytes(stop - first)


def _comments(lines: list[str], rows: bytearray, shape: Shape, thrift: Thrift) -> None:
    """Hide comments that fill lines; what documents a declaration keeps its first words."""
    groups: list[tuple[int, int]] = []
    for first, last in shape.comments:
        if groups and groups[-1][1] == first - 1 and lines[first][:1].isspace() == lines[groups[-1][0]][:1].isspace():
            groups[-1] = (groups[-1][0], last)
        else:
            groups.append((first, last))
    declared = {function.head for function in shape.functions}
    declared.update(start for start, _ in shape.types)
    total = len(lines)
    for first, last in groups:
        if rows[first] == BODY:
            for row in range(first, last + 1):
                if rows[row] == BODY:
                    rows[row] = COMMENT  # its words are not the code's
            continue
        if rows[first] != KEPT or (first == 0 and lines[0].startswith("#!") and first == last):
            continue
        below = last + 1
        while (
            below < total
            and lines[below].lstrip().startswith(("@", "#[", "[", "template", "export", "pub"))
            and below not in declared
            and below < last + 6
        ):
            below += 1
        documents = below in declared
        size = last - first + 1
        keep = 0
        if documents:
            keep = thrift.docs
        elif size <= thrift.comments:
            continue
        _trim(lines, rows, first, last, keep)


def _trim(lines: list[str], rows: bytearray, first: int, last: int, keep: int) -> None:
    """Hide a comment but for ``keep`` rows of text, directives and notable rows."""
    kept = 0
    spent = 0
    for row in range(first, last + 1):
        bare = lines[row].strip()
        text = bare.strip(_MARKS)
        if kept < keep:
            kept += len(text) > 2
            continue
        if bare[:1] in "#/-;" and _DIRECTIVE.match(bare):
            continue
        if _NOTABLE.search(bare[:200]):
            continue
        rows[row] = COMMENT
        spent += len(bare)
    if spent < _MIN_NOTED:
        for row in range(first, last + 1):
            if rows[row] == COMMENT:
                rows[row] = KEPT


def _documentation(lines: list[str], rows: bytearray, shape: Shape, thrift: Thrift) -> None:
    """Keep the first words of documentation strings, also those at the head of elided bodies."""
    for first, last in shape.docs:
        if rows[first] == ASKED:
            continue
        kept = 0
        spent = 0
        for row in range(first, last + 1):
            if kept < thrift.docs and rows[row] in (KEPT, BODY):
                rows[row] = KEPT
                kept += len(lines[row].strip().strip("\"'rRuUbB")) > 2
                continue
            if rows[row] == KEPT:
                rows[row] = COMMENT
                spent += len(lines[row].strip())
        if 0 < spent < _MIN_NOTED:
            for row in range(first, last + 1):
                if rows[row] == COMMENT:
                    rows[row] = KEPT
