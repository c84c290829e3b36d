"""The document: the user's own bytes with the spans of the texts inside them, or a request held as values."""

from __future__ import annotations

import json

from headroom_cli.errors import FormatError
from headroom_cli.formats import _tree
from headroom_cli.formats._literals import RAW_STYLE, encode_like, style_of, written_like

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from headroom_cli.formats._edits import Edit, Path, Splice
    from headroom_cli.model import Block

# Where the list of turns stands; a bare list and JSON Lines are that list.
_TURNS: dict[str, Path] = {"anthropic": ("messages",), "openai": ("messages",), "responses": ("input",)}
# How parts with pictures call themselves.
_PICTURES = ('"image', '"input_image', '"computer_screenshot')
_VALUE_KEPT = 2_000_000  # characters of a document whose value is kept when it was read


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
        from headroom_cli import formats
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
                document = formats.parse(text.encode("utf-8"), self.format)
            except (FormatError, UnicodeError) as error:
                raise _edits.EditError(f"the edited document would not be {self.format}: {error}") from None
        return document, undo

    def _splices(self, edits: list[Edit]) -> list[Splice]:
        from headroom_cli.formats import _edits

        literal = written_like
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
        return style_of(self.text[block.start : block.end], block.text)

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
        from headroom_cli import formats
        from headroom_cli.formats import _edits

        every = list(edits)
        made = _edits.rebuilt(self.made, [e for e in every if e.kind != "order"])
        made = _edits.rebuilt(made, [e for e in every if e.kind == "order"])
        return formats.of_value(made), []

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


def _replaced(value: Any, path: list[str], text: str) -> Any:
    if not path:
        return text
    copy = value.copy()
    step: Any = int(path[0]) if isinstance(value, list) else path[0]
    copy[step] = _replaced(value[step], path[1:], text)
    return copy
