"""What a source file is made of, in rows: functions with their bodies, comments, documentation strings, local types.

Read by a grammar (``parsed``); ``outline.py`` reads the same from indentation where there is none.
"""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_CLOSING = frozenset(")]}; ,\t\r")
_ENDS = frozenset(("end", "}", "};", "})", "});", "fi", "done", "end,", "},", "end;", "end)"))
_OPENERS = ("#", "//", "/*", "*", "--", "%", ";", "=begin", "<!--", "'", "{-", "(*")
_CLOSERS = ("*/", "-->", "=end", "-}", "*)")
# The last word before an opening parenthesis, an equals sign or a colon: the name that a header gives.
_NAME = pattern(r"([^\W\d]\w*[?!]?)\s{0,4}(?:\(|=|:|<|$)")
_NAME_IN = pattern(r"([^\W\d]\w*),")
# A function without a name whose line says what it is: it("...", ...), app.get('/x', ...), const f = ..., x: ...
_TOLD = pattern(
    r"\s{0,200}(?:(?:await |return |export |default |const |let |var |val |pub "
    r"|static )*[\w.$\[\]'\"]{1,80}(?:\s{0,2}: ?[\w<>\[\], ]{1,60})?\s{0,2}(?::=|=(?!=)|:(?!:))"
    r"|[\w.$:!?]{1,80}\s{0,1}\(?\s{0,1}(?:[\w.]{1,40}, )?[\"'`])"
)
# Calls whose function holds other functions, not statements: what stands in it is the file's own level.
_HOLDER = pattern(
    r"\s{0,200}(?:[;!+(]{1,3}\s?(?:async )?(?:function|\()|(?:\w{1,20}\.)?(?:describe|context|suite|feature|module"
    r"|define|namespace"
    r"|shared_examples(?:_for)?|included|class_methods|task|group|factory)\b[\w.]{0,20}[ (]|\$\((?:document|function)"
    r"|export default (?:\{|defineComponent)"
    r"|module\.exports\s?=\s?(?:async )?function|return \(?function|\}\)?\(|beforeEach|Describe\()"
)


WIDE = 50  # characters; a line counts once more for each


class Function:
    """A function: its header starts at ``head``; rows ``first`` to ``last`` can go.

    ``told`` is 2 when it has a name, 1 when its header says much all the same; ``inside`` counts the rows that are more
    than a brace, wide ones more than once.
    """

    __slots__ = ("first", "head", "inside", "last", "name", "told")

    def __init__(self, head: int, first: int, last: int, name: str, *, told: int) -> None:
        """Rows count from 0 and are inclusive."""
        self.head = head
        self.first = first
        self.last = last
        self.name = name[max(name.rfind("."), name.rfind(":")) + 1 :]  # M.name, Box::name
        self.told = told
        self.inside = 0


class Shape:
    """The parts of a file by row; ``doubt`` is the share of rows that the grammar could not read (0..1)."""

    __slots__ = ("comments", "data", "docs", "doubt", "functions", "types")

    def __init__(self) -> None:
        """Start with nothing found."""
        self.functions: list[Function] = []
        self.comments: list[tuple[int, int]] = []  # whole lines only
        self.docs: list[tuple[int, int]] = []
        self.data: list[tuple[int, int]] = []  # literals of several rows without functions in them
        self.types: list[tuple[int, int]] = []  # also the first rows of scopes, which stay like a local type's
        self.doubt = 0.0


def name_in(header: str) -> str:
    """Return the name that a header line gives its function, "" when it gives none."""
    found = _NAME.search(header[:400])
    if found is None:
        return ""
    name = found.group(1)
    if header[found.end(1) : found.end(1) + 2] == "!(":  # the macro's first argument: rgtest!(name, ...
        inner = _NAME_IN.match(header, found.end(1) + 2)
        return inner.group(1) if inner is not None else name
    return "" if name in ("function", "fn", "func", "fun", "def", "sub", "if", "for", "while", "return") else name


def is_told(line: str) -> bool:
    """Return whether a line that opens a function without a name says what the function is for."""
    return "function" in line or _TOLD.match(line[:400]) is not None


def holds(line: str) -> bool:
    """Return whether the function that a line opens is a scope for others rather than a body."""
    return _HOLDER.match(line[:400]) is not None


def weights_before(bares: Iterable[str]) -> list[int]:
    """Return for each row, and the end, how much the stripped rows before it hold; braces and blank rows hold nothing.

    Functions inside functions would otherwise be read once for each that is around them.
    """
    return list(
        accumulate(
            (
                1 + len(bare) // WIDE if len(bare) > 3 or (bare and bare not in _ENDS and bare != "{") else 0
                for bare in bares
            ),
            initial=0,
        )
    )


def parsed(found: dict[str, list[Any]], root: Any, lines: list[str], data: bytes) -> Shape:
    """Turn a query's captures into rows. ``root`` tells whether the grammar stumbled."""
    from headroom_cli.compressors.code.grammars import body_of

    shape = Shape()
    total = len(lines)
    scopes: list[tuple[int, int]] = []
    before = weights_before(map(str.strip, lines))
    for kind in ("fn", "lambda", "macro"):
        for node in found.get(kind, ()):
            # A body on the line of its header has nothing to give.
            head = node.start_point.row
            end = node.end_point
            if end.row <= head:
                continue
            body = body_of(node)
            if body is None:
                continue
            start = body.start_point
            if start.row >= total:
                continue
            line = lines[start.row]
            own = len(line) - len(line.lstrip()) >= start.column and start.row > head
            first = start.row if own else start.row + 1
            last = min(end.row, total - 1)
            tail = lines[last].encode()[end.column :].decode("utf-8", "replace") if end.column else "x"
            if last > start.row and not _CLOSING.issuperset(tail):
                last -= 1
            if last < first:
                continue
            header = lines[head]
            if kind == "fn":
                named = node.child_by_field_name("name")
                name = (
                    data[named.start_byte : named.end_byte].decode("utf-8", "replace")
                    if named is not None
                    else _declared(lines, head, first)
                )
                function = Function(head, first, last, name, told=2)
            elif holds(header):
                scopes.append((head, head))
                continue
            else:
                told = 1 if kind == "lambda" and is_told(header) else 0
                function = Function(head, first, last, name_in(header), told=told)
            function.inside = before[last + 1] - before[first]
            shape.functions.append(function)
    shape.functions.sort(key=lambda function: (function.first, -function.last))
    for node in found.get("comment", ()):
        _comment(node, lines, shape.comments)
    shape.comments.sort()
    for node in found.get("doc", ()):
        rows = (node.start_point.row, min(node.end_point.row, total - 1))
        if rows[1] > rows[0] and _CLOSING.issuperset(
            lines[rows[1]].encode()[node.end_point.column :].decode("utf-8", "replace")
        ):
            shape.docs.append(rows)
    shape.docs.sort()
    shape.types = sorted(scopes + [(node.start_point.row, node.end_point.row) for node in found.get("type", ())])
    heads = sorted(function.head for function in shape.functions)
    for node in found.get("data", ()):
        rows = (node.start_point.row, min(node.end_point.row, total - 1))
        if rows[1] - rows[0] > 2 and bisect(heads, rows[1]) == bisect(heads, rows[0]):
            shape.data.append(rows)
    shape.data.sort()
    if root.has_error:
        shape.doubt = sum(
            node.end_point.row - node.start_point.row + 1 for node in root.children if node.type == "ERROR"
        ) / max(1, total)
    return shape


def _declared(lines: list[str], head: int, first: int) -> str:
    """Return the name in a header of C: the last word before the parenthesis of its parameters."""
    for row in range(head, min(first + 1, head + 4, len(lines))):
        at = lines[row].find("(")
        if at > 0:
            found = lines[row][:at].rstrip().replace("*", " ").replace("&", " ").replace("::", " ").split()
            return found[-1] if found else ""
    return ""


def _comment(node: Any, lines: list[str], into: list[tuple[int, int]]) -> None:
    """Add a comment's rows when nothing else stands on them."""
    start, end = node.start_point, node.end_point
    first, last = start.row, end.row
    if end.column == 0 and last > first:
        last -= 1  # a line comment that counts its newline
    if last >= len(lines):
        return
    line = lines[first]
    if len(line) - len(line.lstrip()) < start.column:
        return
    if last > first or line.lstrip().startswith(("/*", "{-", "(*", "<!--")):
        bare = lines[last].rstrip()
        if not bare.endswith(_CLOSERS) and last > first:
            return
        if last == first and not bare.endswith(_CLOSERS):
            return
    into.append((first, last))
