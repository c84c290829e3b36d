"""The table of formats, and the document: the user's own bytes with the spans of the texts inside them.

A format is a lens: it lists blocks, it never converts. Writing is splicing: only the spans of replaced texts change.
"""

from __future__ import annotations

from headroom_cli.errors import FormatError
from headroom_cli.formats import _tree
from headroom_cli.formats._document import Document, ValueDocument, path_of, undone
from headroom_cli.formats._literals import OTHER_STYLE, RAW_STYLE, STYLES, encode_like, written_like
from headroom_cli.model import Block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType
    from typing import Any

    from headroom_cli.formats._edits import Edit

# name -> what it is; the module of the same name holds recognise() and walk(). Order is the order of recognition.
FORMATS: dict[str, str] = {
    "anthropic": "Anthropic Messages request",
    "openai": "OpenAI Chat request",
    "responses": "OpenAI Responses request",
    "bare": "a list of messages or Responses items",
    "jsonl": "JSON Lines: one message a line, or one request a line",
    "raw": "anything else: one text",
}
REQUESTS = ("anthropic", "openai", "responses", "bare")

__all__ = [
    "FORMATS", "OTHER_STYLE", "RAW_STYLE", "REQUESTS", "STYLES", "Document", "ValueDocument", "are_request_lines",
    "encode_like", "is_request_line", "module", "of_value", "parse", "path_of", "request_line", "spliced", "undone",
]  # fmt: skip


def spliced(data: bytes, edits: Iterable[Edit]) -> bytes:
    """Return the bytes of a JSON value after edits, all else as it was. Raise EditError."""
    from headroom_cli.formats import _edits

    text = data.decode("utf-8")
    start = 1 if text.startswith("\ufeff") else 0
    return _edits.apply(text, _edits.splices_of(text, start, edits, written_like))[0].encode("utf-8")


def of_value(value: Any) -> ValueDocument:
    """Open a request or a list of messages given as Python values. Raise TypeError for anything else."""
    if not isinstance(value, (dict, list)):
        raise TypeError("compress() takes a list of messages or a request as a dict; use the command for other text")
    root = _tree.from_object(value)
    for name in REQUESTS:
        form = module(name)
        if form.recognise(root):
            return ValueDocument(name, value, form.walk(root))
    return ValueDocument("bare", value, [])


def __getattr__(name: str) -> Any:
    """Import the edits of a document's structure when a stage asks for them: a filter of one text never does."""
    if name in {"Edit", "EditError", "KEPT"}:
        from headroom_cli.formats import _edits

        return getattr(_edits, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def module(name: str) -> ModuleType:
    """Import the file of a format."""
    found: ModuleType = __import__(f"headroom_cli.formats.{name}", fromlist=["walk"])
    return found


def parse(data: bytes, form: str = "") -> Document:
    """Open a document. With ``form`` raise FormatError when the input is not that; without it, a text that fits no
    format is a raw blob. Bytes that are not UTF-8 text raise UnicodeDecodeError, to be passed through by the caller.
    """  # noqa: D205 - one thought
    if form and form not in FORMATS:
        raise FormatError(f"unknown format {form!r}; use one of {', '.join(FORMATS)}")
    text = data.decode("utf-8")
    if "\0" in text:
        raise UnicodeDecodeError("utf-8", data[:64], 0, 1, "NUL bytes: binary data")
    if form == "raw":
        return _raw(text)
    start = 1 if text.startswith("\ufeff") else 0
    head = text[start : start + 4096].lstrip()[:1]
    wanted = (form,) if form else REQUESTS
    if head in ("{", "["):
        if _tree.too_deep(data):
            if form:
                raise FormatError(f"the input nests too deep to be read as {form}; pass it with --from raw")
            return _raw(text, f"JSON nested deeper than {_tree.MAX_DEPTH}")
        if form != "jsonl" and (form or _may_have_turns(text, start)):
            document = _request(text, start, wanted)
            if document is not None:
                return document
        if form in ("", "jsonl") and head == "{":
            document = _lines(text, start)
            if document is not None:
                return document
    if form:
        raise FormatError(f"the input is not {form} ({FORMATS[form]}); leave --from out to have it recognised")
    return _raw(text)


def request_line(line: bytes) -> Document | None:
    """Open a line of JSON Lines that is a whole request, a document of its own; None for any other line."""
    try:
        document = parse(line)
    except UnicodeDecodeError:
        return None
    return document if document.format in REQUESTS else None


def is_request_line(line: bytes) -> bool:
    """Tell whether a line of JSON Lines is a whole request."""
    return request_line(line) is not None


def are_request_lines(data: bytes) -> bool:
    """Tell JSON Lines of requests by the first line that is not blank; others may be anything and pass through."""
    body = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if body[:1] not in (b"{", b"["):
        return False
    end = body.find(b"\n")
    return end > 0 and bool(body[end:].strip()) and is_request_line(body[:end].rstrip())


def _raw(text: str, warning: str = "") -> Document:
    blocks = [Block("", "tool", text, 0, len(text))] if text else []
    return Document("raw", text, blocks, warning)


def _may_have_turns(text: str, start: int) -> bool:
    """Look at the start only: a 10 MB array of records must not be opened element by element to learn this."""
    i = start
    while text[i : i + 1].isspace():
        i += 1
    if text[i : i + 1] == "{":
        # A key may be written with escapes; then only a scan can tell.
        return '"messages"' in text or '"input"' in text or "\\u" in text
    try:
        head = _tree.from_text(text[:i] + text[i : _first_element(text, i)] + "]")
    except _tree.ShapeError:
        return False
    return any(item.get("role") is not None or item.get("type") is not None for item in head.items())


def _first_element(text: str, i: int) -> int:
    """Return the end of the first element of the array at ``i``, or of the text when it cannot be told."""
    try:
        return _tree.from_text(text, _tree.skip_space(text, i + 1)).end
    except _tree.ShapeError:
        return len(text)


def _request(text: str, start: int, wanted: Iterable[str]) -> Document | None:
    try:
        root = _tree.from_text(text, start)
    except _tree.ShapeError:
        return None
    if text[root.end :].strip():
        return None
    for name in wanted:
        form = module(name)
        if form.recognise(root):
            return Document(name, text, form.walk(root))
    return None


def _lines(text: str, start: int) -> Document | None:
    """Open JSON Lines whose lines are each one message, as one conversation."""
    nodes, at = [], start
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if text[at:end].strip():
            try:
                node = _tree.from_text(text, at)
            except _tree.ShapeError:
                return None
            if node.end > end or text[node.end : end].strip() or not _is_message(node):
                return None
            nodes.append(node)
        at = end + 1
    if len(nodes) < 2:  # a single object is not a list of anything
        return None
    return Document("jsonl", text, module("bare").walk(_tree.Node(nodes, start, len(text), opened=True)))


def _is_message(node: _tree.Node) -> bool:
    if isinstance(node.get("role"), str):
        return node.child("content") is not None
    return node.word("type") in module("responses").ITEM_TYPES
