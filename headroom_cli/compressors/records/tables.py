"""Write JSON as tab-separated tables: keys once, what repeats once, everything else in place.

The outer text is JSON in which ``@n`` stands for table n; the tables follow in that order, each with its number of
rows, its header and one row per line. A first line explains the signs that were used. Nothing is lost: the decoder in
the tests gives back equal values, with key order and number text.
"""

from __future__ import annotations

from collections import Counter

from headroom_cli.compressors.records.cells import Pen
from headroom_cli.compressors.records.columns import FILL, lay_out, order_of
from headroom_cli.compressors.records.cuts import Cut, CutKeys
from headroom_cli.compressors.records.text import atom, noted, quote, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.compressors.records.cells import Written

OPENING = "[JSON as tables"
_NESTED_TABLES = 24  # levels of containers in which tables are looked for; deeper ones are written as JSON
_IRREGULAR = 0.4  # of the rows of a table may be written as JSON

_MEANINGS = (
    ("@", "@n: table n below"),
    ("=", "name=x: x in every row"),
    ("{}", "{name}: that column's value"),
    ("()", "name(x): empty cell is x"),
    ("", "other empty cell: key absent"),
    ("?", "a?.b null or empty: so is a itself"),
    ("[]", "a[b,c]: list of objects (b,c)"),
    (":text", "name:text: strings"),
    ("~", "~: row as JSON"),
    ("#", "#: row number"),
)


class Book:
    """The tables of one document."""

    __slots__ = ("cut", "level", "pen", "tables")

    def __init__(self) -> None:
        """Start empty."""
        self.tables: list[str] = []
        self.pen = Pen(self.nested)
        self.level = 0
        self.cut = False  # whether a table has lost rows: then its header speaks of the rows shown

    def nested(self, value: Any) -> str:
        """Return a value as JSON in which ``@n`` stands for table n."""
        if not isinstance(value, (dict, list)):
            return atom(value)
        if not value:
            return "{}" if isinstance(value, dict) else "[]"
        if self.level >= _NESTED_TABLES:
            return write(value)
        self.level += 1
        try:
            if isinstance(value, list):
                label = self._list(value)
                return label or "[" + ",".join([self.nested(one) for one in noted(value)]) + "]"
            label = self._object(value)
            if not label and type(value) is not dict:
                value = value.noted()  # type: ignore[attr-defined] # CutKeys
            return label or "{" + ",".join([f"{quote(key)}:{self.nested(one)}" for key, one in value.items()]) + "}"
        finally:
            self.level -= 1

    def _open(self) -> int:
        """Take the next table number; its text is put there when it is known."""
        self.tables.append("")
        return len(self.tables)

    def _list(self, rows: list[Any]) -> str:
        if isinstance(rows, Cut) and not any(isinstance(row, (dict, list)) for row in rows):
            number = self._open()
            self._put(number, rows, "items", [self.pen.column("", list(rows))], [])
            return f"@{number}"
        if len(rows) < 2 or type(rows[0]) not in (dict, list):
            return ""
        if all(type(row) is list for row in rows):
            return self._chained(rows) or self._grid(rows)
        return self.rows(rows, "rows")

    def _chained(self, lists: list[list[Any]]) -> str:
        """Return the label of one table for all rows of several lists of objects, or ""."""
        if type(lists) is not list or not all(one and type(one[0]) is dict for one in lists):
            return ""
        sizes = list(map(len, lists))
        lengths = str(sizes[0]) if len(set(sizes)) == 1 else ",".join(map(str, sizes))
        return self.rows([row for one in lists for row in one], f"rows in lists of {lengths}")

    def rows(self, rows: list[Any], unit: str) -> str:
        """Return the label of a table of objects, or "" when a table does not suit them."""
        shapes = Counter([tuple(row) for row in rows if type(row) is dict])
        order, taken = order_of(shapes, FILL)
        regular = sum(shapes[shape] for shape in taken)
        if regular < 2 or len(rows) - regular > _IRREGULAR * len(rows) or (regular - 1) * len(order) < 4:
            return ""
        number = self._open()
        fits = [type(row) is dict and tuple(row) in taken for row in rows] if regular < len(rows) else []
        objects = [row for row, fit in zip(rows, fits, strict=True) if fit] if fits else rows
        columns = self.pen.columns(lay_out(objects, order), len(objects))
        odd = [(at, row) for at, row in enumerate(rows) if not fits[at]] if fits else []
        self._put(number, rows, unit, columns, odd)
        return f"@{number}"

    def _object(self, value: dict[str, Any]) -> str:
        """Return the label of a table of an object whose values are alike, or ""."""
        if len(value) < 3:
            return ""
        kinds = Counter(map(type, value.values()))
        if kinds[dict] == len(value):
            inner = list(value.values())
            shapes = Counter(map(tuple, inner))
            order, taken = order_of(shapes, FILL)
            if len(taken) != len(shapes) or len(order) * (len(inner) - 1) < 3:
                return ""
            number = self._open()
            columns = self.pen.columns(lay_out(inner, order), len(inner))
        elif len(value) >= 8 and not any(issubclass(kind, (dict, list)) for kind in kinds):
            number = self._open()
            columns = [self.pen.column("(value)", list(value.values()))]
        else:
            return ""
        keys = self.pen.column("(key)", list(value))
        self._put(number, value, "keys", [keys, *columns], [])
        return f"@{number}"

    def _grid(self, rows: list[list[Any]]) -> str:
        width = len(rows[0])
        if len(rows) < 3 or width < 2 or any(len(row) != width for row in rows):
            return ""
        if any(isinstance(cell, (dict, list)) for row in rows for cell in row):
            return ""
        number = self._open()
        columns = [self.pen.column("", list(cells)) for cells in zip(*rows, strict=True)]
        self._put(number, rows, "lists", columns, [])
        return f"@{number}"

    def _put(
        self,
        number: int,
        rows: list[Any] | dict[str, Any],
        unit: str,
        columns: list[Written],
        odd: list[tuple[int, Any]],
    ) -> None:
        cells = [column.cells for column in columns if column.cells is not None]
        count = len(rows) - len(odd)
        lines: list[str]
        if cells:
            lines = ["\t".join(row).rstrip("\t") or "~" for row in zip(*cells, strict=True)]
        else:
            lines = ["~"] * count if odd else []
        for at, row in odd:
            lines.insert(at, "~" + self.nested(row))
        if odd or "~" in lines:
            self.pen.signs.add("~")
        head = "\t".join([column.head for column in columns])
        label = f"@{number} {len(rows)} {unit}"
        if isinstance(rows, (Cut, CutKeys)):
            self.cut = True
            label = f"@{number} {len(rows)} of {rows.total} {unit}"
        bare = unit in ("lists", "items")  # no header line
        if bare and any(column.head for column in columns):
            places = [str(at) for at, column in enumerate(columns, 1) if column.head]
            label += f", text: {','.join(places)}"
        if isinstance(rows, (Cut, CutKeys)):
            head, lines = self._numbered(rows, head, lines)
            if bare and head.startswith("#"):
                label += ", row number first"
        body = lines if bare else [head, *lines]
        self.tables[number - 1] = "\n".join([label, *body])

    def _numbered(self, rows: Cut | CutKeys, head: str, lines: list[str]) -> tuple[str, list[str]]:
        """Return header and lines with the gaps shown the cheaper way: a row number on each, or a note in each gap."""
        numbers = rows.numbers
        gaps = rows.gaps()
        if not lines:
            lines = ["~"] * len(rows)
        if len(gaps) * 7 > len(rows) * 2:
            self.pen.signs.add("#")
            head = "#\t" + head
            lines = [f"{number}\t{line}" for number, line in zip(numbers, lines, strict=True)]
        else:
            before = {start: f"[... {end - start} left out: rows {start}-{end - 1}]" for start, end in gaps}
            noted: list[str] = []
            at = 1
            for number, line in zip(numbers, lines, strict=True):
                if number != at:
                    noted.append(before[at])
                noted.append(line)
                at = number + 1
            if at <= rows.total:
                noted.append(before[at])
            lines = noted
        return head, [*lines, *rows.summary]


def encode(values: list[Any], *, whole: bool) -> str:
    """Return the text of one value, or with ``whole`` false of several that stood one after the other."""
    book = Book()
    body: list[str] = []
    if whole:
        body = [book.nested(values[0])]
    elif not isinstance(values, Cut) or all(type(value) is dict for value in values):
        body = [label] if (label := book.rows(values, "values")) else []
    if not body:
        body = [book.nested(value) for value in noted(values)]
    if not book.tables:
        return "\n".join(body)
    if body == ["@1"] and len(book.tables) == 1:
        body = []
    else:
        book.pen.signs.add("@")
        body = [] if body == ["@1"] else body
    shown = " shown" if book.cut else ""
    meanings = "; ".join(
        [meaning + (shown if sign == "=" else "") for sign, meaning in _MEANINGS if sign in book.pen.signs]
    )
    return "\n".join([f"{OPENING}, tab-separated{'; ' + meanings if meanings else ''}]", *body, *book.tables])
