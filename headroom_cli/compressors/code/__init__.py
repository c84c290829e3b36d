"""Source files: imports, types, signatures and small functions verbatim; long bodies, comments and documentation by note.

A gap note stands at the end of the header that it belongs to (``...120-188: cache options update``): the rows that are
missing, and the rare words among them. Every line that stays is byte for byte the file's own, so that an edit made from
it still matches. What the question names keeps its body.
"""

from __future__ import annotations

from headroom_cli.compressors import _numbered
from headroom_cli.compressors.code import language as languages
from headroom_cli.compressors.code.asked import Asked
from headroom_cli.compressors.code.plan import Thrift, plan
from headroom_cli.compressors.code.render import NOTE, render
from headroom_cli.model import FAITHFUL, LOSSY, Compressor, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.code.shape import Shape
    from headroom_cli.model import Hint, Want

_MAX_PARSED = 1 << 20  # bytes; larger files are read by indentation
_SECONDS = 2.0  # for one parse
BALANCED = Thrift(3, nested=True, docs=1, comments=2, words=12)


def shape_of(lines: list[str], language: str) -> Shape:
    """Return a file's shape by its grammar, or by indentation where there is none or it stumbles."""
    from headroom_cli.compressors.code import grammars
    from headroom_cli.compressors.code.outline import outline
    from headroom_cli.compressors.code.shape import parsed

    if language in grammars.GRAMMARS or language in grammars.EXTRA:
        data = "\n".join(lines).encode("utf-8", "replace")
        if len(data) <= _MAX_PARSED:
            found = grammars.captures(language, data, _SECONDS)
            if found is not None:
                shape = parsed(*found, lines, data)
                if shape.doubt < 0.2:
                    return shape
    return outline(lines, language)


def compress(text: str, want: Want) -> Draft | None:
    """Return the outline of a source file, or None when it is none, is short, or only a part was asked for."""
    if len(text) < 200:
        return None
    lines = text.split("\n")
    numbered = _numbered.strip(lines)
    rows_text = numbered.lines if numbered is not None else lines
    source = languages.identify(rows_text, want.hint, "")
    if not source.language or (source.part and not want.asked):
        return None
    if sum(1 for line in lines if "..." in line and NOTE.search(line[-420:])) * 40 > len(lines):
        return None
    shape = shape_of(rows_text, source.language)
    asked = Asked(want.question, want.hint.command, source.path)
    asked.look(shape, want.question)
    rows, gone = plan(rows_text, shape, BALANCED, asked)
    made, left_out = render(rows_text, rows, BALANCED.words, numbered)
    if not left_out:
        return None
    return Draft(made, LOSSY, f"{left_out} of {len(lines)} lines: bodies of {gone} functions, comments")


def sniff(text: str, hint: Hint) -> float:
    """Return how sure it is that a text is a source file."""
    return 0.0


COMPRESSOR = Compressor(
    "code", ("code",), sniff, compress, "source files: headers, types and small functions; long bodies by note"
)
