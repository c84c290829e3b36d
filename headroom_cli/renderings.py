"""What the store remembers of a document's renderings: (context, rendering) -> original, literal style.

A record is one line of JSON: ``o`` the digest of the original, ``s`` the style of its literal, ``l`` the digest of the
literal where no style gives it back, ``m`` when the rendering carries notation of ours, which nobody else writes,
``i`` when the same text came later as somebody's own and stands for itself.
"""

from __future__ import annotations

import json

from headroom_cli import context, formats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.formats import Document
    from headroom_cli.model import Block
    from headroom_cli.store import Store

    Record = dict[str, str]

# How a rendering begins that needs no marker and that no other program writes.
LEGEND = "[JSON as tables"


class Renderings:
    """The records of one document, read from the journal that they are in and written back in one go."""

    __slots__ = ("_document", "_new", "_old", "_store")

    def __init__(self, document: Document, store: Store | None) -> None:
        """Read nothing yet; without a store nothing is known."""
        self._document = document
        self._store = store
        self._new: dict[str, list[tuple[str, str]]] = {}
        self._old: dict[str, dict[str, str]] = {}

    def find(self, here: bytes, digest: str) -> Record | None:
        """Return the record of a text (by its digest) as a rendering in this context. Raise StoreError."""
        if self._store is None:
            return None
        shard = context.shard(self._document, digest)
        if shard not in self._old:
            self._old[shard] = self._store.recall(shard)
        value = self._old[shard].get(context.key(here, digest))
        if value is None:
            return None
        record: Record = json.loads(value)
        return record

    def along(self, blocks: list[Block], digests: list[str]) -> list[Record | None]:
        """Return the record of each block, where the blocks before it stand for the originals of theirs."""
        here, found = context.START, []
        for block, digest in zip(blocks, digests, strict=True):
            record = self.find(here, digest)
            found.append(record)
            here = context.advance(here, block, stands_for(record, digest))
        return found

    def taken(self, here: bytes, rendering: str, original: str) -> bool:
        """Tell whether this rendering already stands for another original in this context."""
        record = self.find(here, context.digest(rendering))
        return record is not None and record["o"] != original

    def claim(self, here: bytes, digest: str, record: Record) -> None:
        """Record that a text, known as a rendering, came as somebody's own and stands for itself from now on."""
        if "i" not in record:
            self._add(here, digest, {**record, "i": "1"})

    def add(self, here: bytes, block: Block, rendering: str, *, marked: bool) -> None:
        """Record a rendering and what restores its literal. Raise StoreError."""
        style = self._document.style(block)
        record = {"o": context.digest(block.text), "s": style}
        if style == formats.OTHER_STYLE and self._store is not None:
            from headroom_cli.store import Entry

            literal = self._document.literal(block)
            self._store.put([Entry(literal.encode("utf-8"), "literal", "")])
            record["l"] = context.digest(literal)
        if marked or rendering.startswith(LEGEND):
            record["m"] = "1"
        self._add(here, context.digest(rendering), record)

    def _add(self, here: bytes, digest: str, record: Record) -> None:
        pair = (context.key(here, digest), json.dumps(record, separators=(",", ":")))
        self._new.setdefault(context.shard(self._document, digest), []).append(pair)

    def remember(self) -> None:
        """Write the new records. Raise StoreError; then nothing may change."""
        if self._store is not None:
            for shard, pairs in self._new.items():
                self._store.remember(shard, pairs)


def stands_for(record: Record | None, digest: str) -> str:
    """Return the digest of the original that a text with this record and digest stands for."""
    return digest if record is None or "i" in record else record["o"]


def literal_of(store: Store, record: Record) -> str:
    """Return the literal that a rendering replaced. Raise NotFoundError, CorruptError, StoreError."""
    if record["s"] == formats.OTHER_STYLE:
        return store.get(record["l"]).decode("utf-8")
    return formats.encode_like(record["s"], "", store.get(record["o"]).decode("utf-8"))
