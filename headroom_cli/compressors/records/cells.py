"""Write the columns of a table: header items, and cells that stay readable without quotes.

A cell without quotes is JSON where it reads as JSON (42, true, null), else the string itself.
"""

from __future__ import annotations

import re
from collections import Counter

from headroom_cli.compressors.records.columns import Leaf, Lists, Optional, derive
from headroom_cli.compressors.records.faults import says_error
from headroom_cli.compressors.records.spans import MISSING, Missing, Number
from headroom_cli.compressors.records.text import atom, quote
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from headroom_cli.compressors.records.columns import Column

# Strings that have to be quoted in a cell: blank edges, control characters, the signs that open another kind of cell.
_UNSAFE = pattern(r'\A(?:\Z|[\s"\[{~(]|@\d)|[\x00-\x1f]|\s\Z')
_UNSAFE_LINES = pattern(r'^(?:$|[\s"\[{~(]|@\d)|[\x00-\x09\x0b-\x1f]|\s$', re.MULTILINE)
_READS = pattern(r"\A(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\Z")
_READS_LINES = pattern(r"^(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$", re.MULTILINE)
_INNER = pattern(r'[",()\[\]{}]')  # and these where cells stand between commas
_LONG_SHARED = 200  # characters; a longer shared value is not worth reading past in the header


class Written:
    """A column on paper: its header item, and its cells, or None when the header says it all."""

    __slots__ = ("cells", "head")

    def __init__(self, head: str, cells: list[str] | None) -> None:
        """``cells`` has one text per row of the table."""
        self.head = head
        self.cells = cells


class Pen:
    """Write columns, remembering which signs of the notation were used (for the legend).

    ``nested(value)`` writes an object or array inside a cell.
    """

    __slots__ = ("nested", "signs")

    def __init__(self, nested: Callable[[Any], str]) -> None:
        """Start with no sign used."""
        self.nested = nested
        self.signs: set[str] = set()

    def cell(self, value: Any, *, inner: bool = False, text: bool = False) -> str:
        """Return one value as a cell; ``text``: in a column that holds only strings."""
        kind = type(value)
        if kind is str:
            if _UNSAFE.search(value) or (not text and _READS.match(value)) or (inner and _INNER.search(value)):
                return quote(value)
            return str(value)
        if value is MISSING:
            return ""
        if isinstance(value, (dict, list)):
            return self.nested(value)
        return atom(value)

    def columns(self, columns: list[Column], rows: int, *, inner: bool = False) -> list[Written]:
        """Return the columns of one context, in order, each with ``rows`` cells."""
        derive(_leaves(columns))
        written: list[Written] = []
        for column in columns:
            if isinstance(column, Leaf):
                written.append(self._leaf(column, inner=inner))
            elif isinstance(column, Lists):
                written.append(self._lists(column))
            else:
                written += self._optional(column, rows)
        return written

    def column(self, name: str, values: list[Any]) -> Written:
        """Return a column that no other column explains and whose values all stand in it."""
        return self._plain(name, values, inner=False)

    def _leaf(self, leaf: Leaf, *, inner: bool) -> Written:
        values = leaf.values
        name = leaf.name
        if leaf.formula is not None:
            self.signs.update(("=", "{}"))
            formula = leaf.formula
            return (
                Written(f"{name}={formula}", None)
                if not inner or not _formula_unsafe(formula)
                else self._plain(name, values, inner=inner)
            )
        if leaf.carry:
            self.signs.add("?")
            # Never marked as text: a null in it has to stand out.
            return Written(name, [self.cell(value, inner=inner) for value in values])
        kinds = set(map(type, values))
        if Missing in kinds:
            self.signs.add("")
            return self._plain(name, values, inner=inner)
        if kinds <= {str, int, Number, bool, type(None)}:
            # Keyed with the type: 1, true and a number "1" are different values.
            shared, count = Counter(zip(map(type, values), values, strict=True)).most_common(1)[0]
            if count == len(values):
                self.signs.add("=")
                return Written(f"{name}={self._fixed(shared[1], inner=inner)}", None)
            if count >= max(3, len(values) * 6 // 10) and (shared[0] is not str or _may_go_unsaid(shared[1])):
                self.signs.add("()")
                plain = self._plain(name, values, inner=inner)
                blank = self.cell(shared[1], inner=True)
                cells = plain.cells or []
                kind, value = shared
                texts = [
                    "" if type(one) is kind and one == value else text for one, text in zip(values, cells, strict=True)
                ]
                return Written(f"{plain.head}({blank})", texts)
            return self._plain(name, values, inner=inner)
        texts = [self.cell(value, inner=inner) for value in values]
        if len(set(texts)) == 1 and "@" not in texts[0]:
            self.signs.add("=")
            return Written(f"{name}={texts[0]}", None)
        return Written(name, texts)

    def _fixed(self, value: Any, *, inner: bool) -> str:
        """Return a value for the header: braces there mean a formula."""
        if type(value) is str and ("{" in value or "}" in value):
            return quote(value)
        return self.cell(value, inner=inner)

    def _plain(self, name: str, values: list[Any], *, inner: bool) -> Written:
        """Return a column with its cells; one of strings that often look like numbers is marked as text instead."""
        kinds = set(map(type, values))
        if kinds == {int}:
            return Written(name, list(map(str, values)))
        if kinds == {str} and not inner:
            joined = "\n".join(values)
            if joined.count("\n") == len(values) - 1 and not _UNSAFE_LINES.search(joined):
                if not _READS_LINES.search(joined):
                    return Written(name, values)
                self.signs.add(":text")
                return Written(f"{name}:text", values)
        if kinds <= {str, Missing} and sum(1 for v in values if v is not MISSING and _READS.match(v)) > 3:
            self.signs.add(":text")
            return Written(f"{name}:text", [self.cell(value, inner=inner, text=True) for value in values])
        return Written(name, [self.cell(value, inner=inner) for value in values])

    def _lists(self, lists: Lists) -> Written:
        total = sum(len(value) for value in lists.values if type(value) is list)
        columns = self.columns(list(lists.columns), total, inner=True)
        self.signs.add("[]")
        cells = [column.cells for column in columns if column.cells is not None]
        tuples = (
            ["(" + ",".join(row).rstrip(",") + ")" for row in zip(*cells, strict=True)] if cells else ["()"] * total
        )
        texts: list[str] = []
        at = 0
        for value in lists.values:
            if type(value) is list and value:
                texts.append("".join(tuples[at : at + len(value)]))
                at += len(value)
            else:
                if value is MISSING:
                    self.signs.add("")
                texts.append(self.cell(value))
        return Written(f"{lists.name}[{','.join(column.head for column in columns)}]", texts)

    def _optional(self, column: Optional, rows: int) -> list[Written]:
        inside = self.columns(column.columns, len(column.rows))
        carry = next(leaf for leaf in column.columns if isinstance(leaf, Leaf) and leaf.carry)
        spread: list[Written] = []
        for written in inside:
            if written.cells is None:
                spread.append(written)
                continue
            texts = [""] * rows
            for row, text in zip(column.rows, written.cells, strict=True):
                texts[row] = text
            if written.head == carry.name:
                for row, value in enumerate(column.values):
                    if value is None:
                        texts[row] = "null"
            spread.append(Written(written.head, texts))
        return spread


def _may_go_unsaid(text: str) -> bool:
    """Tell whether an empty cell may stand for a text: an error has to be read in its own row."""
    return len(text) <= _LONG_SHARED and not says_error(text)


def _leaves(columns: list[Column]) -> list[Leaf]:
    return [column for column in columns if isinstance(column, Leaf)]


def _formula_unsafe(formula: str) -> bool:
    return any(c in formula for c in '",()[]')
