"""A file's shape without a grammar: headers by their words, bodies by indentation, comments by how their lines begin.

For languages that have no grammar here, slices whose first line stands inside something, and files past the cap.
"""

from __future__ import annotations

from headroom_cli.compressors.code.shape import Function, Shape, holds, name_in, weights_before
from headroom_cli.lazy import pattern

# A line that opens a function, by its first words; everything bounded.
_HEADER = pattern(
    r"\s{0,100}(?:(?:export|default|public|private|protected|internal|static|final|abstract|override|virtual|async"
    r"|pub(?:\(\w{1,20}\))?"
    r"|unsafe|const|extern|inline|suspend|open|local|partial|sealed|synchronized|native|fileprivate|mutating"
    r"|tailrec) ){0,6}"
    r"(?:def|fn|func|fun|function\*?|sub|proc|method|constructor|init|deinit|procedure|defp|defmacro|task|subroutine"
    r"|operator"
    r"|macro_rules!)(?:\b|(?<=!))(?![\s]{0,3}[=:.;,)])"
)
_CONTROL = pattern(
    r"\s{0,100}(?:\}\s{0,3})?(?:if|else|for|foreach|while|switch|do|try|catch|finally|case|return|throw|match|loop"
    r"|unless|until|elif|elsif|with"
    r"|except|when|select|using|lock|class|struct|enum|interface|trait|impl|namespace|module|union|record|object"
    r"|protocol|extension"
    r"|typedef|type|import|from|package|new|await|yield|assert|raise|guard|defer|go|let|var|#)\b"
)
_LINE_COMMENTS = {
    "python": ("#",), "ruby": ("#",), "bash": ("#",), "perl": ("#",), "r": ("#",), "julia": ("#",), "elixir": ("#",),
    "nim": ("#",), "fish": ("#",), "powershell": ("#",), "awk": ("#",), "tcl": ("#",), "graphql": ("#",),
    "lua": ("--",), "haskell": ("--",), "vhdl": ("--",), "erlang": ("%",), "clojure": (";",), "fortran": ("!",),
    "basic": ("'",), "php": ("//", "#"),
}  # fmt: skip
_ALONE = frozenset(("end", "fi", "done", "esac", "end,", "end)"))
_SHORTEST = 4  # characters; no shorter line opens a function or a type
_OPERATORS = frozenset("=+-/%|;{}\"'`?#")
_PARAMETERS = 30  # rows
_TYPE = pattern(
    r"\s{0,100}(?:(?:export|default|public|private|protected|internal|static|final|abstract|data|sealed|pub|open"
    r"|declare) ){0,4}"
    r"(?:class|struct|enum|interface|trait|type|protocol|record|object|module|defmodule|union) [A-Za-z_]"
)
_LABEL = pattern(r"[A-Za-z_]\w{0,60}:\s{0,4}$")
_TAB = 4  # columns
_LONG = 600  # characters; a longer line is data


def _indent(line: str) -> int:
    """Return the width of a line's indentation; a tab counts as four columns."""
    bare = line.lstrip(" \t")
    lead = line[: len(line) - len(bare)]
    return len(lead) + (_TAB - 1) * lead.count("\t")


def outline(lines: list[str], language: str) -> Shape:
    """Return the shape of source that no grammar reads. Linear: each row is looked at a fixed number of times."""
    shape = Shape()
    marks = _LINE_COMMENTS.get(language, ("//",))
    bares = list(map(str.strip, lines))
    before = weights_before(bares)
    _comments(bares, marks, shape)
    # What a preprocessor reads, and labels, stand at the margin inside bodies too.
    slashes = "//" in marks
    indents = [
        -1
        if not bare or (slashes and (line[0] == "#" or (bare[-1] == ":" and _LABEL.match(line))))
        else 0
        if line[0] not in " \t"
        else _indent(line)
        for line, bare in zip(lines, bares, strict=True)
    ]
    hidden = bytearray(len(lines))
    for first, last in shape.comments:
        hidden[first : last + 1] = b"\1" * (last + 1 - first)
    # Headers that are still open, innermost last: (indentation, row, row of the brace).
    open_headers: list[tuple[int, int, int]] = []
    last_full = -1
    for row, indent in enumerate(indents):
        if indent < 0 or hidden[row]:
            continue
        bare = bares[row]
        alone = bare[0] in ")]}{" or bare in _ALONE
        while open_headers and indent <= open_headers[-1][0]:
            level, head, brace = open_headers[-1]
            if indent == level and bare == "{" and brace < 0 and last_full == head:
                open_headers[-1] = (level, head, row)
                break
            if indent == level and brace < 0 and bare[0] == ")" and bare[-1] in "{:":
                open_headers[-1] = (level, head, row)  # parameters on lines of their own
                break
            open_headers.pop()
            closes = indent == level and alone and bare[0] != "{" and len(bare) <= 4
            _close(shape, lines, before, (head, brace), row if closes else last_full)
        else:
            if alone or len(bare) >= _LONG or len(bare) < _SHORTEST:
                pass
            elif _TYPE.match(lines[row]):
                shape.types.append((row, row))
            elif _is_header(lines[row], bare):
                open_headers.append((indent, row, -1))
        last_full = row
    while open_headers:
        level, head, brace = open_headers.pop()
        _close(shape, lines, before, (head, brace), last_full)
    shape.functions.sort(key=lambda function: (function.first, -function.last))
    shape.types.sort()
    _tables(bares, indents, shape)
    return shape


def _tables(bares: list[str], indents: list[int], shape: Shape) -> None:
    """Find long literals: rows of one indentation that all end with a comma."""
    start = -1
    for row, (indent, bare) in enumerate(zip(indents, bares, strict=True)):
        listed = bare[-1:] == ","
        if start >= 0 and (not listed or indent != indents[start]):
            if row - start > 3:
                shape.data.append((max(0, start - 1), row))
            start = -1
        if listed and start < 0 and indent > 0:
            start = row


def _is_header(line: str, bare: str) -> bool:
    """Return whether a line opens a function: by its first word, or as name(parameters) that ends open."""
    if _HEADER.match(line):
        return True
    opening = bare.find("(")
    if opening < 1 or not bare.endswith(("{", ")", "do", "|", "(")) or _CONTROL.match(line):
        return False
    before = bare[:opening].split()
    if bare.endswith("{") and "=>" in bare:
        return len(before) <= 6
    # `static int name(`: words and type marks, no operator or text before the parenthesis
    return len(before) <= 8 and _OPERATORS.isdisjoint("".join(before))


def _close(shape: Shape, lines: list[str], before: list[int], begin: tuple[int, int], last: int) -> None:
    """Add the function that began at ``begin`` (header, brace) and ends with row ``last``, unless it holds others."""
    head, brace = begin
    if lines[head].rstrip().endswith("("):
        # Parameters on rows of their own: the body begins below the row that closes them.
        for row in range(head + 1, min(last, head + _PARAMETERS)):
            if lines[row].rstrip().endswith(("{", "):")) or ") ->" in lines[row]:
                brace = row
                break
        else:
            return
    first = (brace if brace > head and lines[brace].strip() == "{" else brace + 1) if brace > head else head + 1
    if holds(lines[head]):
        shape.types.append((head, head))
        return
    if last < first:
        return
    function = Function(head, first, last, name_in(lines[head]), told=2)
    function.inside = before[last + 1] - before[first]
    shape.functions.append(function)


def _comments(bares: list[str], marks: tuple[str, ...], shape: Shape) -> None:
    """Find comments that fill whole lines: line comments, and blocks of /* */ whose ends stand alone."""
    slashes = "//" in marks
    start = -1
    for row, bare in enumerate(bares):
        if start >= 0:
            if "*/" in bare:
                if bare.endswith("*/"):
                    shape.comments.append((start, row))
                start = -1
        elif bare.startswith(marks) and not bare.startswith(
            ("#include", "#define", "#if", "#e", "#!", "#[", "#pragma")
        ):
            shape.comments.append((row, row))
        elif slashes and bare.startswith("/*"):
            end = bare.find("*/", 2)
            if end < 0:
                start = row
            elif end == len(bare) - 2:
                shape.comments.append((row, row))
