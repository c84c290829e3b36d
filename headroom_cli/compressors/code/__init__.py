"""Source files: imports, types, headers and small functions verbatim; long bodies, comments, documentation by note.

A gap note stands at the end of the header that it belongs to (``...120-188: cache options update``): the rows that are
missing, and the rare words among them. Every line that stays is byte for byte the file's own, so that an edit made from
it still matches. What the question names keeps its body.
"""

from __future__ import annotations

from headroom_cli.compressors.code import language as languages
from headroom_cli.compressors.code.asked import Asked
from headroom_cli.compressors.code.guess import guessed
from headroom_cli.compressors.code.plan import Thrift, plan
from headroom_cli.compressors.code.render import is_ours, render, shown_rows
from headroom_cli.compressors.code.view import View
from headroom_cli.model import FAITHFUL, FENCE, LOSSY, Compressor, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from headroom_cli.compressors.code.shape import Shape
    from headroom_cli.model import Hint, Want

_MAX_PARSED = 1 << 20  # bytes; larger files are read by indentation
_DOUBT = 0.2  # share of rows that a grammar may stumble over before indentation is believed instead
_MANY = 20_000  # rows; functions of shorter files are all read
_PART = 300  # rows
_SMALL = 200  # characters; nothing to gain below
_LARGE = 2_000  # tokens; smaller views keep their documentation inside conversations: what they hold is used later
_ALL = 1 << 30
_LINE = 10  # characters on average at least, in a line; source files have 25 to 45
_SLACK = 20_000  # characters; small texts may be as they like

# How much of a file stays; measured by benchmarks/sources.py.
_GENTLE = Thrift(12, nested=True, docs=3, comments=12, table=60, words=12)
BALANCED = Thrift(3, nested=True, docs=1, comments=2, table=20, words=10)
_THRIFTY = Thrift(1, nested=True, docs=1, comments=0, table=8, words=5)
_SIGNATURES = Thrift(-1, nested=False, docs=0, comments=0, table=4, words=3)
_BARE = Thrift(-1, nested=False, docs=0, comments=0, table=1, words=0)
_DOCUMENTATION = Thrift(_ALL, nested=False, docs=1, comments=_ALL, table=_ALL, words=0)


def shape_of(lines: list[str], language: str, spent: Callable[[], bool]) -> Shape:
    """Return a file's shape by its grammar, or by indentation where there is none or it stumbles."""
    from headroom_cli.compressors.code import grammars
    from headroom_cli.compressors.code.outline import outline
    from headroom_cli.compressors.code.shape import parsed

    if language in grammars.GRAMMARS or language in grammars.EXTRA:
        data = "\n".join(lines).encode("utf-8", "replace")
        if len(data) <= _MAX_PARSED:
            found = grammars.captures(language, data, spent)
            if found is not None:
                shape = parsed(*found, lines, data)
                if shape.doubt < _DOUBT:
                    return shape
    return outline(lines, language)


def compress(text: str, want: Want) -> Draft | None:
    """Return the shorter file, or None when nothing is gained, it is no source, or only a part of it was asked for."""
    if len(text) < _SMALL:
        return None
    if text.count("\n") * _LINE > len(text) + _SLACK:
        return None  # lines of a few letters, a great many of them: no source
    rows = text.split("\n")
    view = View(rows)
    if want.hint.tool == FENCE and view.numbered is None:
        view.cut = 0
    source = languages.identify(view.lines, want.hint, view.path)
    if not source.language and not want.asked:
        return None
    if (source.part or view.part) and not want.asked and want.budget is None:
        return None  # the agent asked for exactly these lines
    head = "".join(row + "\n" for row in rows[: view.start])
    tail = "".join("\n" + row for row in rows[view.end :])
    squeezed = head + "\n".join(_squeezed(view, text)) + tail
    faithful = Draft(squeezed, FAITHFUL) if len(squeezed) < len(text) else None
    if want.lossless:
        return faithful
    safe = want.level == "safe" and want.budget is None
    if (safe and want.count(text) < _LARGE) or is_ours(rows) or want.spent():
        return faithful
    if want.budget is not None and faithful is not None and want.count(squeezed) <= want.budget:
        return faithful
    if want.budget is None and want.level != "max" and _is_all_headers(view.lines, source.language):
        return faithful
    shape = shape_of(view.lines, source.language, want.spent)
    if want.spent():
        return None
    made = _made(view, shape, _stages(want, safe=safe), source, want)
    if made is None:
        return faithful
    short, left_out, what = made
    return Draft(head + short + tail, LOSSY, f"{left_out} of {len(view.lines)} lines: {what}")


def _is_all_headers(lines: list[str], language: str) -> bool:
    """Tell from a part of a very long file whether its functions are too short to give anything."""
    from headroom_cli.compressors.code.outline import outline

    if len(lines) < _MANY:
        return False
    middle = len(lines) // 2
    part = [*lines[_PART : 2 * _PART], *lines[middle : middle + _PART], *lines[-2 * _PART : -_PART]]
    functions = outline(part, language).functions
    short = sum(1 for function in functions if function.inside <= BALANCED.whole)
    return len(functions) * 4 > len(part) and short * 20 > len(functions) * 19


def _squeezed(view: View, text: str) -> list[str]:
    """Return the rows without the padding of their numbers, and without a third empty row in a row."""
    shown = shown_rows(view)
    if view.numbered is not None or not ("\n\n\n\n" in text or "\n\r\n\r\n\r\n" in text):
        return shown
    out: list[str] = []
    empty = 0
    for row in shown:
        empty = empty + 1 if not row.strip() else 0
        if empty <= 2:
            out.append(row)
    return out


def _stages(want: Want, *, safe: bool) -> tuple[Thrift, ...]:
    """Return the degrees of thrift to try, the first that fits being taken."""
    if want.budget is not None:
        return (_GENTLE, BALANCED, _THRIFTY, _SIGNATURES, _BARE)
    if want.level == "max":
        return (_SIGNATURES,)
    return (_DOCUMENTATION,) if safe else (BALANCED,)


def _made(
    view: View, shape: Shape, stages: tuple[Thrift, ...], source: languages.Source, want: Want
) -> tuple[str, int, str] | None:
    """Return (text, rows left out, what they are) at the first degree within the budget."""
    asked = Asked(want.question, want.hint.command, source.path)
    asked.look(shape, want.question)
    for thrift in stages:
        rows, gone = plan(view.lines, shape, thrift, asked)
        short, left_out = render(view, rows, thrift.words)
        if want.budget is None or want.count(short) <= want.budget:
            what = f"bodies of {gone} functions, comments" if gone else "comments" if rows.count(2) else "long literals"
            return (short, left_out, what) if left_out else None
        if want.spent():
            return None
    from headroom_cli.compressors.code.headers import headers

    short, left_out = headers(view, shape, asked, want.budget or 0, want.count)
    return (short, left_out, "all but headers") if left_out else None


def sniff(text: str, hint: Hint) -> float:
    """Return how sure it is that a text is a source file."""
    head = text[:20_000].split("\n")
    view = View(head)
    named, part = languages.from_command(hint.command) if hint.command else ("", False)
    told = languages.from_path(hint.path or named or view.path)
    if languages.spoken(view.lines):
        return 0.8
    guess, hits = guessed(view.lines)
    if told:
        return 0.75 if guess and not part else 0.5
    return min(0.7, 0.02 * hits + (0.3 if view.numbered is not None else 0.1)) if guess else 0.0


COMPRESSOR = Compressor(
    "code", ("code",), sniff, compress, "source files: imports, types, headers and small functions; long bodies by note"
)
