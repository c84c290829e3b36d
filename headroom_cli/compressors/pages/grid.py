"""One table: rows whose cells stay under their columns, or the contents of a layout in order."""

from __future__ import annotations

from headroom_cli.compressors.pages.items import HEAD, ROW, VERBATIM, Item
from headroom_cli.compressors.pages.scan import attribute

# Tables in tables: deeper ones are read as plain text, so that rows are handed up a bounded number of times.
DEEPEST = 6
_WIDEST = 20  # columns that spans may claim
_TALLEST = 2000  # rows that they may
_PARTS = frozenset((HEAD, ROW, VERBATIM))
_AGAIN = 40  # characters of a cell that is said again in each row that it covers
_BLOCKS = 8  # a cell of more blocks is a part of a layout, not a value


class Grid:
    """An open table."""

    __slots__ = ("_above", "_cells", "_header", "_headers", "_out", "_plain", "_spans", "_wide", "inside")

    def __init__(self) -> None:
        """Start without rows."""
        self._out: list[Item] = []
        self._cells: list[list[Item]] = []
        self._wide = 0  # columns after the open cell that it covers too
        self._plain = True  # no cell of the open row holds a heading, rows or verbatim text
        self._headers = 0  # header cells of the open row
        self._header = False  # a header row was seen
        self._spans: dict[int, int] = {}  # column -> rows below that a cell above still covers
        self._above: dict[int, list[Item]] = {}  # column -> that cell
        self.inside = False

    def add(self, item: Item) -> None:
        """Take an item into the open cell, or between the rows."""
        if self.inside:
            self._cells[-1].append(item)
            if item[0] in _PARTS:
                self._plain = False
        else:
            if self._cells:
                self.end_row()  # text between cells: what stood before it comes first
            self._out.append(item)

    def extend(self, items: list[Item]) -> None:
        """Take the rows of a table that stood in this one."""
        if self.inside:
            self._cells[-1].extend(items)
            self._plain = False
        else:
            if self._cells:
                self.end_row()
            self._out.extend(items)

    def cell(self, said: str, *, header: bool) -> None:
        """Open a cell; ``said`` is the text of its tag."""
        if self._spans:
            self._cover()
        column = len(self._cells)
        self._cells.append([])
        self._headers += header
        self.inside = True
        if "span" in said:
            wide = _number(attribute(said, "colspan"), _WIDEST)
            tall = _number(attribute(said, "rowspan"), _TALLEST)
            if tall > 1 and column < _WIDEST:
                for covered in range(column, column + wide):
                    self._spans[covered] = tall - 1
                self._above[column] = self._cells[-1]
            self._wide = wide - 1
        else:
            self._wide = 0

    def _cover(self) -> None:
        """Fill the places that cells above cover."""
        while self._spans.get(len(self._cells), 0) > 0:
            column = len(self._cells)
            self._spans[column] -= 1
            above = self._above.get(column, [])
            # Said again: a row is read, and kept, for itself.
            short = len(above) == 1 and above[0][0] not in _PARTS and len(above[0][1]) <= _AGAIN
            self._cells.append([above[0]] if short else [])

    def end_cell(self) -> None:
        """Close the open cell."""
        if self.inside:
            self.inside = False
            if self._wide:
                self._cells.extend([] for _ in range(self._wide))

    def end_row(self) -> None:
        """Close the open row: one line when it holds values, else what its cells hold, in order."""
        self.end_cell()
        if self._spans and self._cells:
            self._cover()
        cells, headers = self._cells, self._headers
        self._cells, self._headers = [], 0
        if not cells:
            return
        filled = sum(map(bool, cells))
        if not filled:
            return
        plain = self._plain and max(map(len, cells)) <= _BLOCKS
        self._plain = True
        if not plain or (filled == 1 and not self._header):
            for cell in cells:
                self._out.extend(cell)
            return
        while not cells[-1]:
            cells.pop()
        row = " | ".join([" ".join([item[1] for item in cell]) for cell in cells])
        first = headers >= filled and len(cells) > 1 and not self._header
        self._header = self._header or first
        self._out.append((ROW, row, int(first)))

    def close(self) -> list[Item]:
        """Return the items of the table."""
        self.end_row()
        return self._out


def _number(said: str, most: int) -> int:
    return min(int(said), most) if said.isascii() and said.isdigit() and len(said) < 6 and int(said) else 1
