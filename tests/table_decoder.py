"""Read the table notation of headroom_cli/compressors/tables.py back into values. Shares no code with the writer.

A number whose text an int would not give back is a ``Text`` (its text), so that 1.10 and 1.1 differ.
"""

import json
import re

OPENING = "[JSON as tables"
MISSING = object()
_LABEL = re.compile(r"@(\d+) (\d+) (rows(?: in lists of [\d,]+)?|keys|lists|values)(?:, text: ([\d,]+))?")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_STRING_OR_TABLE = re.compile(r'"(?:[^"\\]|\\.)*"|@(\d+)')
_SIGN = "\ue000table "


class Text(str):
    __slots__ = ()


def _whole(text):
    return Text(text) if text == "-0" else int(text)


def read_json(text):
    return json.loads(text, parse_float=Text, parse_int=_whole)


def decode(text):
    """Return the list of values that a text stands for, and whether they are one value (not several in a row)."""
    if not text.startswith(OPENING):
        return [read_json(line) for line in text.split("\n")]
    return _Document(text.split("\n")).values


class _Column:
    """One header item: path, what it says of every row, what an empty cell means, the columns of its list items."""

    def __init__(self, item):
        self.path = []  # components
        self.optional = []  # lengths of the prefixes that may be null or absent, told by this column
        self.text = False
        self.fixed = self.default = self.inner = None
        at = 0
        while True:
            at = self._component(item, at)
            if item[at : at + 2] == "?.":
                self.optional.append(len(self.path))
                at += 2
            elif item[at : at + 1] == ".":
                at += 1
            else:
                break
        rest = item[at:]
        if rest.startswith(":text"):
            self.text = True
            rest = rest[5:]
        if rest.startswith("="):
            self.fixed = rest[1:]
        elif rest.startswith("("):
            assert rest.endswith(")"), item
            self.default = rest[1:-1]
        elif rest.startswith("["):
            assert rest.endswith("]"), item
            self.inner = [_Column(part) for part in _split(rest[1:-1], ",")]
        else:
            assert not rest, item

    def _component(self, item, at):
        if item[at : at + 1] == '"':
            end = re.compile(r'"(?:[^"\\]|\\.)*"').match(item, at).end()
            self.path.append(json.loads(item[at:end]))
            return end
        if item[at : at + 1] == "(":  # (key), (value)
            end = item.index(")", at) + 1
            self.path.append((item[at:end],))  # not a str: a key of that text is quoted
            return end
        end = re.compile(r"[^.?:=(\[\"]+").match(item, at).end()
        self.path.append(item[at:end])
        return end


def _split(text, mark):
    """Cut at a mark that stands outside of strings and brackets."""
    parts, level, start, at = [], 0, 0, 0
    while at < len(text):
        c = text[at]
        if c == '"':
            at = re.compile(r'"(?:[^"\\]|\\.)*"').match(text, at).end()
            continue
        level += (c in "([{") - (c in ")]}")
        if c == mark and level == 0:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return [*parts, text[start:]]


def _tuples(cell):
    """Cut ``(a,b)(c)`` into [[a, b], [c]]."""
    found, level, start, at = [], 0, 0, 0
    while at < len(cell):
        c = cell[at]
        if c == '"':
            at = re.compile(r'"(?:[^"\\]|\\.)*"').match(cell, at).end()
            continue
        if c in "([{":
            if level == 0:
                start = at + 1
            level += 1
        if c in ")]}":
            level -= 1
            if level == 0:
                found.append(_split(cell[start:at], ","))
        at += 1
    return found


class _Document:
    def __init__(self, lines):
        self.lines = lines
        self.tables = {}
        at = 1
        while at < len(lines) and not _LABEL.fullmatch(lines[at]):
            at += 1
        body = lines[1:at]
        units = {}
        while at < len(lines):
            label = _LABEL.fullmatch(lines[at])
            assert label, lines[at]
            number, count, unit = int(label[1]), int(label[2]), label[3]
            units[number] = unit
            at += 1
            header = None
            if unit != "lists":
                header = [_Column(item) for item in lines[at].split("\t")]
                at += 1
                # Nothing to write in any row, and no row written as JSON: the count says it all.
                bare = all(column.fixed is not None for column in header)
                rows = None if bare and not (at < len(lines) and lines[at].startswith("~")) else count
            else:
                rows = count
            taken = ["~"] * count if rows is None else lines[at : at + count]
            assert len(taken) == count
            at += 0 if rows is None else count
            self.tables[number] = (unit, header or {int(place) for place in (label[4] or "0").split(",")}, taken)
        if not body:
            body = ["@1"]
        if body == ["@1"] and units[1] == "values":
            self.values = self.table(1)
        else:
            self.values = [self.json(line) for line in body]

    def json(self, text):
        marked = _STRING_OR_TABLE.sub(lambda m: f'"{_SIGN}{m[1]}"' if m[1] else m[0], text)
        return self._filled(read_json(marked))

    def _filled(self, value):
        if isinstance(value, str) and not isinstance(value, Text) and value.startswith(_SIGN):
            return self.table(int(value[len(_SIGN) :]))
        if isinstance(value, list):
            return [self._filled(one) for one in value]
        if isinstance(value, dict):
            return {key: self._filled(one) for key, one in value.items()}
        return value

    def table(self, number):
        unit, header, lines = self.tables[number]
        if unit == "lists":
            return [
                [self.cell(cell, text=at in header) for at, cell in enumerate(line.split("\t"), 1)] for line in lines
            ]
        if unit == "keys":
            found = {}
            for line in lines:
                row = self.row(header, line.split("\t"))
                key = row.pop(("(key)",))
                assert key not in found
                found[key] = row[("(value)",)] if header[1:] and header[1].path == [("(value)",)] else row
            return found
        rows = [self.json(line[1:]) if len(line) > 1 and line[0] == "~" else self.row(header, line.split("\t"))
                for line in lines]  # fmt: skip
        if " in lists of " not in unit:
            return rows
        sizes = list(map(int, unit.rpartition(" ")[2].split(",")))
        if len(sizes) == 1:
            sizes *= len(rows) // sizes[0]
        return [[rows.pop(0) for _ in range(size)] for size in sizes]

    def cell(self, cell, *, text=False):
        if cell[:1] in ('"', "[", "{") or re.match(r"@\d", cell):
            return self.json(cell)
        if text:
            return cell
        if cell in ("true", "false", "null"):
            return json.loads(cell)
        if _NUMBER.fullmatch(cell):
            return read_json(cell)
        return cell

    def row(self, header, cells):
        if cells == ["~"]:
            cells = [""]
        cells = list(cells)
        values = []  # per column: value, MISSING, or a formula still to be worked out
        for column in header:
            if column.fixed is not None:
                values.append(MISSING)
                continue
            cell = cells.pop(0) if cells else ""
            if cell == "":
                values.append(MISSING if column.default is None else self.cell(column.default))
            elif column.inner is not None and cell[0] == "(":
                values.append([self.row(column.inner, parts) for parts in _tuples(cell)])
            else:
                values.append(self.cell(cell, text=column.text))
        assert not any(cells)
        known = {tuple(column.path): i for i, column in enumerate(header)}

        def value_of(i):
            column = header[i]
            if column.fixed is None:
                return values[i]
            fixed = column.fixed
            if (fixed[:1] in ('"', "[", "{") and not re.match(r'\{[^"}]', fixed)) or re.match(r"@\d+$", fixed):
                return self.json(fixed)
            if "{" not in fixed and "}" not in fixed:
                return self.cell(fixed)
            return re.sub(r"\{\{|\}\}|\{([^{}]*)\}", lambda m: m[0][0] if m[1] is None else refer(column, m[1]), fixed)

        def refer(column, name):
            # A bare name is a sibling; a name with dots is a path from the row.
            sibling = (*column.path[:-1], name)
            i = known[sibling] if sibling in known else known[tuple(name.split("."))]
            value = value_of(i)
            return str(value)

        state = {}
        for i, column in enumerate(header):
            for length in column.optional:
                value = values[i]
                state[tuple(column.path[:length])] = None if value is None else MISSING if value is MISSING else True
        row = {}
        for i, column in enumerate(header):
            closed = next(
                (n for n in range(1, len(column.path)) if state.get(tuple(column.path[:n]), True) is not True), 0
            )
            if closed:
                value = state[tuple(column.path[:closed])]
                self._set(row, column.path[:closed], value)
                continue
            self._set(row, column.path, value_of(i))
        return row

    @staticmethod
    def _set(row, path, value):
        if value is MISSING:
            return
        for key in path[:-1]:
            row = row.setdefault(key, {})
        row[path[-1]] = value


def same(a, b):
    """Tell whether two values are equal in type, key order and number text."""
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b
