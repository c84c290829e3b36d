"""The table of formats, and the document: the user's own bytes with the spans of the texts inside them.

A format is a lens: it lists blocks, it never converts. Writing is splicing: only the spans of replaced texts change.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring, encode_basestring_ascii

from headroom_cli.errors import FormatError
from headroom_cli.formats import _tree
from headroom_cli.model import Block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType
    from typing import Any

    from headroom_cli.formats._edits import Edit, Path, Splice

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
# Where the list of turns stands; a bare list and JSON Lines are that list.
_TURNS: dict[str, Path] = {"anthropic": ("messages",), "openai": ("messages",), "responses": ("input",)}

# How parts with pictures call themselves.
_PICTURES = ('"image', '"input_image', '"computer_screenshot')

# How encoders write the same string. A literal that none of these gives back is kept as it was (see Document.style).
_GO = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def _slashed(text: str) -> str:
    return str(encode_basestring(text)).replace("/", "\\/")


def _ascii_slashed(text: str) -> str:
    return str(encode_basestring_ascii(text)).replace("/", "\\/")


def _html_safe(text: str) -> str:
    return str(encode_basestring(text)).translate(_GO)


STYLES: dict[str, Callable[[str], str]] = {
    "u": encode_basestring,  # JSON.stringify, serde, Jackson
    "a": encode_basestring_ascii,  # Python's default
    "u/": _slashed,
    "a/": _ascii_slashed,  # PHP's default
    "g": _html_safe,  # Go's default
}
RAW_STYLE = "r"  # a raw blob: the text is its own literal
_VALUE_KEPT = 2_000_000  # characters of a document whose value is kept when it was read
OTHER_STYLE = "x"  # no encoder above wrote this literal


class Document:
    """What stdin or a request holds."""

    __slots__ = ("_value", "blocks", "format", "text", "warning")

    def __init__(self, form: str, text: str, blocks: list[Block], warning: str = "") -> None:
        """``text`` is the whole input; ``blocks`` are in document order with ascending spans."""
        self._value: Any = None
        self.format = form
        self.text = text
        self.blocks = blocks
        self.warning = warning

    @property
    def has_turns(self) -> bool:
        """Tell a conversation from a raw blob."""
        return self.format != "raw"

    @property
    def has_pictures(self) -> bool:
        """Tell whether pictures may be in it: no look at most documents costs less."""
        return self.has_turns and any(sign in self.text for sign in _PICTURES)

    @property
    def turns(self) -> Path:
        """The path of the list of messages or items."""
        return _TURNS.get(self.format, ())

    @property
    def size(self) -> int:
        """The characters of the document, about."""
        return len(self.text)

    def turn_of(self, block: Block) -> int:
        """Return the index of the turn that a block is of, -1 for a system prompt outside the list of turns."""
        steps = block.path.split(".", 2)
        own = self.turns
        if own and steps[0] != own[0]:
            return -1
        step = steps[len(own)] if len(steps) > len(own) else ""
        return int(step) if step.isdigit() else -1

    def value(self) -> Any:
        """Return the document as a plain Python value: a list for JSON Lines, its text for a raw blob.

        Not to be modified.
        """
        if not self.has_turns:
            return self.text
        if self._value is not None:
            return self._value
        if self.format == "jsonl":
            return [_tree.scan_once(self.text, start)[0] for start, _ in self._lines()]
        value = _tree.scan_once(self.text, _tree.skip_space(self.text, self._start()))[0]
        if len(self.text) <= _VALUE_KEPT:  # a request is asked for it by several; a large file must not lie there twice
            self._value = value
        return value

    def source(self, path: Path) -> str:
        """Return the client's own JSON text of the value at a path. Raise EditError when there is none."""
        from headroom_cli.formats import _edits

        if self.format == "jsonl" and path:
            index = path[0]
            spans = self._lines()
            if not isinstance(index, int) or index >= len(spans):
                raise _edits.EditError("there is no such line")
            return self.text[slice(*_edits.find(self.text, spans[index][0], path[1:]))]
        return self.text[slice(*_edits.find(self.text, self._start(), path))]

    def edited(self, edits: Iterable[Edit]) -> tuple[Document, list[list[Splice]]]:
        """Return the document after edits of its structure, and what undoes them (see ``undone``). Raise EditError."""
        from headroom_cli.formats import _edits

        undo: list[list[Splice]] = []
        document: Document = self
        every = list(edits)
        # An order moves whole elements, so what changes inside them comes first.
        for batch in ([e for e in every if e.kind != "order"], [e for e in every if e.kind == "order"]):
            if not batch:
                continue
            splices = document._splices(batch)
            text, back = _edits.apply(document.text, splices)
            undo.insert(0, back)
            try:
                document = parse(text.encode("utf-8"), self.format)
            except (FormatError, UnicodeError) as error:
                raise _edits.EditError(f"the edited document would not be {self.format}: {error}") from None
        return document, undo

    def _splices(self, edits: list[Edit]) -> list[Splice]:
        from headroom_cli.formats import _edits

        literal = _written_like
        if not self.has_turns:  # one text, and no place in it
            if len(edits) != 1 or edits[0].kind != "text" or edits[0].path:
                raise _edits.EditError("a raw blob is replaced as a whole")
            return [(0, len(self.text), edits[0].value)]
        if self.format == "jsonl":
            return _edits.splices_of_lines(self.text, self._lines(), edits, literal)
        return _edits.splices_of(self.text, self._start(), edits, literal)

    def _start(self) -> int:
        return 1 if self.text.startswith("\ufeff") else 0

    def _lines(self) -> list[tuple[int, int]]:
        """Return the spans of the values of JSON Lines."""
        spans, at = [], _tree.skip_space(self.text, self._start())
        while at < len(self.text):
            spans.append((at, _tree.scan_once(self.text, at)[1]))
            at = _tree.skip_space(self.text, spans[-1][1])
        return spans

    def style(self, block: Block) -> str:
        """Return the name of the encoding that gives the block's literal back, OTHER_STYLE when none does."""
        if not self.has_turns:
            return RAW_STYLE
        return _style_of(self.text[block.start : block.end], block.text)

    def literal(self, block: Block) -> str:
        """Return the block's literal as the client wrote it."""
        return self.text[block.start : block.end]

    def encode(self, style: str, literal: str, text: str) -> str:
        """Write a text as a literal of this document."""
        return encode_like(style, literal, text)

    def splice(self, literals: Iterable[tuple[Block, str]]) -> bytes:
        """Return the document's bytes with only the given blocks' literals replaced."""
        pieces: list[str] = []
        at = 0
        for block, literal in literals:
            pieces += (self.text[at : block.start], literal)
            at = block.end
        pieces.append(self.text[at:])
        return "".join(pieces).encode("utf-8")


class ValueDocument(Document):
    """A request held as Python values. ``made`` is the copy with the replaced texts; untouched parts are shared."""

    __slots__ = ("made",)

    def __init__(self, form: str, value: Any, blocks: list[Block]) -> None:
        """``made`` is the value itself until something is replaced."""
        super().__init__(form, "", blocks)
        self.made = value

    @property
    def has_pictures(self) -> bool:
        """Values are looked through when they are asked for."""
        return True

    @property
    def size(self) -> int:
        """The characters of the document as JSON, about."""
        total, waiting = 0, [self.made]
        while waiting:
            value = waiting.pop()
            total += len(value) + 2 if isinstance(value, str) else 8
            if isinstance(value, dict):
                total += sum(len(str(key)) for key in value)
                waiting += value.values()
            elif isinstance(value, list):
                waiting += value
        return total

    def value(self) -> Any:
        """Return the value itself."""
        return self.made

    def source(self, path: Path) -> str:
        """Return the value at a path as JSON text. Raise EditError when there is none."""
        from headroom_cli.formats import _edits

        value = self.made
        try:
            for step in path:
                value = value[step]
            return json.dumps(value, ensure_ascii=False)
        except (LookupError, TypeError, ValueError) as error:
            raise _edits.EditError(f"not there, or not JSON: {error}") from None

    def edited(self, edits: Iterable[Edit]) -> tuple[Document, list[list[Splice]]]:
        """Return a document of copies; values have no bytes, so there is nothing to undo. Raise EditError."""
        from headroom_cli.formats import _edits

        every = list(edits)
        made = _edits.rebuilt(self.made, [e for e in every if e.kind != "order"])
        made = _edits.rebuilt(made, [e for e in every if e.kind == "order"])
        return of_value(made), []

    def style(self, block: Block) -> str:  # noqa: ARG002 - values have no literals
        """Return the style that a JSON encoder would most likely use for this value later."""
        return "u"

    def encode(self, style: str, literal: str, text: str) -> str:  # noqa: ARG002
        """Return the text: values are not encoded."""
        return text

    def splice(self, literals: Iterable[tuple[Block, str]]) -> bytes:
        """Put the new texts into copies of the containers on their paths. The bytes returned are empty."""
        for block, text in literals:
            self.made = _replaced(self.made, block.path.split("."), text)
        return b""


def path_of(block: Block) -> Path:
    """Return the path of a block's text as keys and indices."""
    return tuple(int(step) if step.isdigit() else step for step in block.path.split("."))


def undone(text: str, undo: Iterable[Iterable[Splice]]) -> str:
    """Return the text of a document before the edits that ``undo`` undoes."""
    for splices in undo:
        pieces: list[str] = []
        at = 0
        for start, end, old in splices:
            pieces += (text[at:start], old)
            at = end
        text = "".join((*pieces, text[at:]))
    return text


def spliced(data: bytes, edits: Iterable[Edit]) -> bytes:
    """Return the bytes of a JSON value after edits, all else as it was. Raise EditError."""
    from headroom_cli.formats import _edits

    text = data.decode("utf-8")
    start = 1 if text.startswith("\ufeff") else 0
    return _edits.apply(text, _edits.splices_of(text, start, edits, _written_like))[0].encode("utf-8")


def _style_of(literal: str, text: str | None = None) -> str:
    """Return the name of the encoding that gives a literal back, OTHER_STYLE when none does."""
    if text is None:
        text = str(_tree.scan_once(literal, 0)[0])
    for name, encode in STYLES.items():
        if encode(text) == literal:
            return name
    return OTHER_STYLE


def _replaced(value: Any, path: list[str], text: str) -> Any:
    if not path:
        return text
    copy = value.copy()
    step: Any = int(path[0]) if isinstance(value, list) else path[0]
    copy[step] = _replaced(value[step], path[1:], text)
    return copy


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


def encode_like(style: str, literal: str, text: str) -> str:
    """Write a new text in the style that the old literal had; an unknown style falls back to a safe one."""
    if style == RAW_STYLE:
        return text
    if style in STYLES:
        return STYLES[style](text)
    return STYLES["a" if literal.isascii() else "u"](text)


def _written_like(old: str, text: str) -> str:
    """Write a text in the style of the literal that it replaces."""
    return encode_like(_style_of(old), old, text)


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
