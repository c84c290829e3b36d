"""What the store remembers of a document's renderings, both ways, and what a stage notes of a conversation.

Back, (context, rendering) -> original, one line of JSON: ``o`` the digest of the original, ``s`` the style of its
literal, ``l`` the digest of the literal where no style gives it back, ``m`` when the rendering carries notation of
ours, which nobody else writes, ``i`` when the same text came later as somebody's own and stands for itself, ``r`` the
ordinals of the blocks that its references point at.

Forth, (context, policy, original) -> what became of it: see ``Past``. Neither names a version of this program, so that
an upgrade sends what was sent before.
"""

from __future__ import annotations

import json

from headroom_cli import context, formats
from headroom_cli.hashing import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from headroom_cli.formats import Document
    from headroom_cli.model import Block, Report
    from headroom_cli.store import Store

    Record = dict[str, Any]

# How a rendering begins that needs no marker and that no other program writes.
LEGEND = "[JSON as tables"
# Edits that fit into this are kept in the record itself.
LONGEST_INSIDE = 4_000  # characters
_SHORT = 4_000  # characters around a picture's base64
# A rendering above this is made anew each time: it is more than any model reads in one turn.
LONGEST_KEPT = 1 << 20  # characters


class Past:
    """What became of a block when it was met first.

    ``rendering`` is None when it stayed; ``original`` is the digest of what it stands for, "" of what stayed. The rest
    is what its report said; ``stale`` tells that the record was not noted for a day.
    """

    __slots__ = (
        "after", "before", "compressor", "degree", "exact", "handle", "kept", "kind", "original", "refers",
        "rendering", "stale",
    )  # fmt: skip

    def __init__(
        self,
        report: Report,
        rendering: str | None = None,
        original: str = "",
        refers: tuple[int, ...] = (),
        *,
        exact: bool = False,
    ) -> None:
        """``exact`` tells counted tokens from estimated ones."""
        self.rendering = rendering
        self.original = original
        self.refers = refers
        self.exact = exact
        self.stale = False
        self.before, self.after = report.before, report.after
        self.kind, self.compressor = report.kind, report.compressor
        self.degree, self.handle, self.kept = report.degree, report.handle, report.kept

    def tell(self, report: Report) -> None:
        """Fill in a report with what the first one said."""
        report.before, report.after = self.before, self.after
        report.kind, report.compressor, report.why = self.kind, self.compressor, "as before"
        report.degree, report.handle, report.kept = self.degree, self.handle, self.kept

    @property
    def shown(self) -> str:
        """The rendering without the marker that ends it, which is no text to refer to."""
        text = self.rendering or ""
        return text.rpartition("\n<<headroom:")[0] if self.degree == "lossy" and "\n<<headroom:" in text else text


class Renderings:
    """The records of one document, read from the journals that they are in and written back in one go."""

    __slots__ = ("_document", "_new", "_old", "_own", "_policy", "_settled", "_store")

    def __init__(self, document: Document, store: Store | None, policy: str = "") -> None:
        """Read nothing yet; without a store nothing is known. ``policy`` is the policy's identity."""
        self._document = document
        self._store = store
        self._policy = policy
        self._own: list[Record | None] | None = None  # of the document's blocks
        self._new: dict[str, list[tuple[str, str]]] = {}
        self._old: dict[str, dict[str, tuple[str, bool]]] = {}
        self._settled: set[str] = set()  # keys that were not there when this run looked: what becomes of them is new

    def _get(self, shard: str, key: str) -> tuple[Any, bool] | None:
        """Return a record's value and whether it is stale. Raise StoreError."""
        if self._store is None:
            return None
        if shard not in self._old:
            self._old[shard] = self._store.recall_dated(shard)
        held = self._old[shard].get(key)
        try:
            return None if held is None else (json.loads(held[0]), held[1])
        except ValueError:  # a shared store's records have no checksum of ours
            return None

    # Back: from a rendering to its original.

    def find(self, here: bytes, digest: str) -> Record | None:
        """Return the record of a text (by its digest) as a rendering in this context. Raise StoreError."""
        held = self._get(context.shard(self._document, digest), context.key(here, digest))
        if held is None or not isinstance(held[0], dict) or not isinstance(held[0].get("o"), str):
            return None
        record: Record = held[0]
        return record

    def along(self, blocks: list[Block], digests: list[str], here: bytes = context.START) -> list[Record | None]:
        """Return the record of each block from ``here`` on, where those before it stand for the originals of theirs."""
        found = []
        for block, digest in zip(blocks, digests, strict=True):
            record = self.find(here, digest)
            found.append(record)
            here = context.advance(here, block, stands_for(record, digest))
        return found

    def taken(self, here: bytes, rendering: str, original: str) -> bool:
        """Tell whether this rendering already stands for another original in this context."""
        record = self.find(here, context.digest(rendering))
        return record is not None and record["o"] != original

    def leads_back(self, here: bytes, rendering: str, original: str) -> bool:
        """Tell whether this rendering is known to stand for this original in this context. Raise StoreError."""
        record = self.find(here, context.digest(rendering))
        return record is not None and record["o"] == original and "i" not in record

    def claim(self, here: bytes, digest: str, record: Record) -> None:
        """Record that a text, known as a rendering, came as somebody's own and stands for itself from now on."""
        if "i" not in record:
            self._add(context.shard(self._document, digest), context.key(here, digest), {**record, "i": "1"})

    def add(self, here: bytes, block: Block, rendering: str, *, marked: bool, refers: tuple[int, ...] = ()) -> None:
        """Record a rendering and what restores its literal. Raise StoreError."""
        style = self._document.style(block)
        record: Record = {"o": context.digest(block.text), "s": style}
        if refers:
            record["r"] = list(refers)
        if style == formats.OTHER_STYLE and self._store is not None:
            from headroom_cli.store import Entry

            literal = self._document.literal(block)
            self._store.put([Entry(literal.encode("utf-8"), "literal", "")])
            record["l"] = context.digest(literal)
        if marked or rendering.startswith(LEGEND):
            record["m"] = "1"
        digest = context.digest(rendering)
        self._add(context.shard(self._document, digest), context.key(here, digest), record)

    # Forth: from an original to what was sent for it.

    def past(self, here: bytes, digest: str) -> Past | None:
        """Return what became of a text (by its digest) in this context of replays. Raise StoreError."""
        shard = context.replay_shard(self._document, digest)
        held = self._get(shard, context.replay_key(here, self._policy, digest))
        return None if held is None else _past_of(*held)

    def keep(self, here: bytes, digest: str, past: Past) -> None:
        """Record what became of a text. A raw blob that stayed is not recorded: nothing was sent in its place."""
        if past.rendering is None:
            if not self._document.has_turns:
                return
        elif len(past.rendering) > LONGEST_KEPT:
            return
        shard, key = context.replay_shard(self._document, digest), context.replay_key(here, self._policy, digest)
        if shard in self._old and key not in self._old[shard]:
            self._settled.add(key)
        self._add(shard, key, _record_of(past))

    def _records(self) -> list[Record | None]:
        if self._own is None:
            blocks = self._document.blocks
            self._own = self.along(blocks, [context.digest(block.text) for block in blocks])
        return self._own

    def refers(self) -> dict[int, tuple[int, ...]]:
        """Return, for each block of the document that refers to earlier ones, their ordinals. Raise StoreError."""
        return {
            number: tuple(record["r"])
            for number, record in enumerate(self._records())
            if record is not None and "r" in record and "i" not in record
        }

    def original(self, number: int) -> str:
        """Return the original of the block with this ordinal, its own text when it is none. Raise StoreError."""
        record = self._records()[number]
        if record is None or "i" in record or self._store is None:
            return self._document.blocks[number].text
        return self._store.get(record["o"]).decode("utf-8")

    # What undoes the edits of a whole document.

    def add_undo(
        self, output: str, undo: Any, originals: Iterable[str] = (), stored: Mapping[str, str] | None = None
    ) -> None:
        """Record what undoes the edits that made this output; ``originals`` are digests of texts that are in it.

        ``stored`` are the base64 of pictures that were there, with the digest under which each is stored: a record
        names them, or every request of a conversation would hold them all again. Raise StoreError.
        """
        if self._store is None or not any(undo):
            return
        if stored:
            undo = [[(start, end, _short(old, stored)) for start, end, old in one] for one in undo]
        text = json.dumps(undo, separators=(",", ":"))
        digest = _name_of(output)
        record: Record = {"e": undo, "p": self._policy}
        if len(text) > LONGEST_INSIDE:
            from headroom_cli.store import Entry

            data = text.encode("ascii")
            self._store.put([Entry(data, "edits", "")])
            record = {"u": sha256(data), "o": list(originals), "p": self._policy}
        self._add(digest[:2], context.note_key("undo", digest), record)

    def is_output(self, text: str) -> bool:
        """Tell whether edits under this policy made this text. Raise StoreError."""
        digest = _name_of(text)
        held = self._get(digest[:2], context.note_key("undo", digest))
        return held is not None and held[0].get("p") == self._policy

    # What a stage notes.

    def note(self, stage: str, name: str) -> Any:
        """Return what a stage noted of this conversation under a name, None when it did not. Raise StoreError."""
        if not self._document.has_turns:
            return None
        held = self._get(context.shard(self._document, ""), context.note_key(stage, name))
        return None if held is None else held[0]

    def note_is_worn(self, stage: str, name: str) -> bool:
        """Tell whether a note is to be written again, so that it is not forgotten while it is used."""
        held = self._get(context.shard(self._document, ""), context.note_key(stage, name))
        return held is not None and held[1]

    def set_note(self, stage: str, name: str, value: Any, *, first: bool = False) -> None:
        """Note a JSON value; written with the rest. ``first``: nothing was noted, and of several at once one stands."""
        if self._document.has_turns:
            shard, key = context.shard(self._document, ""), context.note_key(stage, name)
            if first:
                self._settled.add(key)
            self._add(shard, key, value)
            # A stage may ask again in the same run.
            self._old.setdefault(shard, {})[key] = (json.dumps(value), False)

    def _add(self, shard: str, key: str, record: Any) -> None:
        self._new.setdefault(shard, []).append((key, json.dumps(record, separators=(",", ":"))))

    def remember(self) -> None:
        """Write the new records. Raise StoreError; then nothing may change."""
        remember_all([self])

    def collect(self, shards: dict[str, list[tuple[str, str]]], settled: set[str]) -> tuple[Store | None, bool]:
        """Add the new records to ``shards`` and ``settled``; return their store, and whether they are of turns."""
        for shard, pairs in self._new.items():
            shards.setdefault(shard, []).extend(pairs)
        settled |= self._settled
        return self._store, self._document.has_turns


def remember_all(several: list[Renderings]) -> None:
    """Write the new records of all stages of a run. Raise StoreError; then nothing may change.

    What a conversation's next request looks up first is one shard, written last and at once: a run whose request goes
    as it came, because one write failed, leaves no record of what it would have sent.
    """
    shards: dict[str, list[tuple[str, str]]] = {}
    settled: set[str] = set()
    store, turns = None, False
    for one in several:
        store, turns = one.collect(shards, settled)
    if store is not None:
        for shard in sorted(shards, key=len):
            # What a raw blob became is no promise to anybody's cache: it need not survive a power cut.
            store.remember(shard, shards[shard], durable=turns or len(shard) == 2, settled=settled)


class Notes:
    """What one stage keeps of a conversation: a view of its records."""

    __slots__ = ("_renderings", "_stage")

    def __init__(self, renderings: Renderings, stage: str) -> None:
        """``stage`` is the stage's name."""
        self._renderings = renderings
        self._stage = stage

    def get(self, name: str) -> Any:
        """Return a JSON value, None when there is none. Raise StoreError."""
        return self._renderings.note(self._stage, name)

    def worn(self, name: str) -> bool:
        """Tell whether what was noted is to be noted again. Raise StoreError."""
        return self._renderings.note_is_worn(self._stage, name)

    def set(self, name: str, value: Any, *, first: bool = False) -> None:
        """Note a JSON value; it is written when the run's output is accepted. ``first`` as in Renderings.set_note."""
        self._renderings.set_note(self._stage, name, value, first=first)


def _record_of(past: Past) -> dict[str, Any]:
    """Return the record of a past: ``k`` why it stayed, or ``o`` the original, ``t`` the packed rendering and more."""
    record: dict[str, Any] = {"n": past.kind, "b": past.before}
    if past.exact:
        record["x"] = 1
    if past.rendering is None:
        return {**record, "k": past.kept}
    import binascii

    from headroom_cli.store import frames

    packed = binascii.b2a_base64(frames.pack(past.rendering.encode("utf-8")), newline=False).decode("ascii")
    record.update(o=past.original, t=packed, a=past.after, c=past.compressor, d=past.degree, h=past.handle)
    if past.refers:
        record["r"] = list(past.refers)
    return record


def _past_of(record: Any, stale: bool) -> Past | None:  # noqa: FBT001 - the two halves of what is held
    """Read a record back; one that cannot be read is as good as none."""
    from headroom_cli.model import Report

    report = Report("", "")
    try:
        rendering, original = None, ""
        if "t" in record:
            import binascii

            from headroom_cli.store import frames

            packed = binascii.a2b_base64(record["t"])
            if frames.stated_size(packed[:18], len(packed)) > 4 * LONGEST_KEPT:
                return None
            rendering, original = frames.unpack(packed).decode("utf-8"), record["o"]
            report.degree, report.handle = record["d"], record["h"]
            report.compressor, report.after = record["c"], record["a"]
        else:
            report.kept, report.after = record["k"], record["b"]
        report.kind, report.before = record["n"], record["b"]
        past = Past(report, rendering, original, tuple(record.get("r", ())), exact="x" in record)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    past.stale = stale
    return past


def _name_of(output: str) -> str:
    """Return the digest of an output; a document may stand on a line of its own, or be the last of several lines."""
    return context.digest(output.rstrip("\r\n"))


def before_edits(store: Store, text: str) -> str:
    """Return a document's text before the edits that made it, the text itself when none did.

    Raise StoreError, NotFoundError, CorruptError.
    """
    digest = _name_of(text)
    held = store.recall(digest[:2]).get(context.note_key("undo", digest))
    if held is None:
        return text
    record = json.loads(held)
    undo = record["e"] if "e" in record else json.loads(store.get(record["u"]))
    return formats.undone(text, [[(start, end, _written(old, store)) for start, end, old in one] for one in undo])


def _short(old: str, stored: Mapping[str, str]) -> Any:
    """Return what stood somewhere with the base64 of a stored picture left out: what is before it, digest, behind."""
    if len(old) > _SHORT:
        for text, digest in stored.items():
            if 0 <= len(old) - len(text) < _SHORT and (at := old.find(text)) >= 0:
                return [old[:at], digest, old[at + len(text) :]]
    return old


def _written(old: Any, store: Store) -> str:
    """Return what stood somewhere. Raise NotFoundError, CorruptError, StoreError."""
    if isinstance(old, str):
        return old
    import binascii

    before, digest, behind = old
    return f"{before}{binascii.b2a_base64(store.get(digest), newline=False).decode('ascii')}{behind}"


def stands_for(record: Record | None, digest: str) -> str:
    """Return the digest of the original that a text with this record and digest stands for."""
    return digest if record is None or "i" in record else record["o"]


def literal_of(store: Store, record: Record) -> str:
    """Return the literal that a rendering replaced. Raise NotFoundError, CorruptError, StoreError."""
    if record["s"] == formats.OTHER_STYLE:
        return store.get(record["l"]).decode("utf-8")
    return formats.encode_like(record["s"], "", store.get(record["o"]).decode("utf-8"))
