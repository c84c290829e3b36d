"""What stands in the place of pictures: originals stored, markers made, edits of the document, and notes.

The choice is made in ``images/``; here is what it takes to keep it: the original picture is an object of its own under
the handle of the marker, so that whoever asks gets its bytes, and what was sent is another one, so that it is sent
again byte for byte whatever library of pictures is installed by then.
"""

from __future__ import annotations

from headroom_cli.emit import emit
from headroom_cli.errors import CorruptError, NotFoundError
from headroom_cli.hashing import sha256
from headroom_cli.renderings import Notes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.formats import Document
    from headroom_cli.formats._edits import Edit
    from headroom_cli.images.stage import Change
    from headroom_cli.model import Policy, Report
    from headroom_cli.renderings import Renderings
    from headroom_cli.store import Store

# base64 of pictures that were sent, by their digest: a process that serves a conversation needs them at every turn.
_MOST_HELD = 32_000_000  # characters
_sent: dict[str, tuple[bytes, str]] = {}


class Looked:
    """What came of a document's pictures.

    Edits to be made, rows of the report, base64 -> digest of what is stored, and the texts that the edits put in.
    """

    __slots__ = ("edits", "reports", "stored", "texts")

    def __init__(self) -> None:
        """Start with nothing changed."""
        self.edits: list[Edit] = []
        self.reports: list[Report] = []
        self.stored: dict[str, str] = {}
        self.texts: list[str] = []


def look(
    document: Document, policy: Policy, store: Store | None, known: Renderings, model: str, *, usable: bool,
    frozen: bool,
) -> Looked:  # fmt: skip
    """Choose what becomes of a document's pictures, and store the originals of those that change. Raise StoreError."""
    from headroom_cli.formats import _pictures

    looked = Looked()
    found = _pictures.find(document)
    if not found:
        return looked
    from headroom_cli.images import stage

    notes = Notes(known, stage.NAME)
    walk = stage.Walk(
        document, policy, notes, lambda digest: _stored(store, digest), usable=usable, frozen=frozen
    )  # fmt: skip
    walk.through(found, model or _named(document))
    looked.reports = walk.reports
    if store is None or not walk.changes:
        return looked
    if not frozen:
        _keep(walk.changes, store, notes)
    for change in walk.changes:
        looked.edits += change.edits(_encoded(change.data))
        looked.stored[change.picture.data] = change.record["o"]
        looked.texts.append(change.note)
    return looked


def _keep(changes: list[Change], store: Store, notes: Notes) -> None:
    """Store what is new, and note again what was noted long ago or has gone meanwhile."""
    from headroom_cli.images import stage
    from headroom_cli.store import Entry

    gone = store.missing({change.record["o"] for change in changes if change.draft is None})
    fresh = [change for change in changes if change.draft is not None]
    old = [
        change for change in changes if change.draft is None and (change.record["o"] in gone or notes.worn(change.name))
    ]
    made = emit(
        store,
        [Entry(change.original, "image", "") for change in fresh],
        [draft for change in fresh if (draft := change.draft) is not None],
    )
    for change, (handle, text) in zip(fresh, made, strict=True):
        change.note, change.report.handle = text.strip("\n"), handle
        change.record.update(
            o=sha256(change.original), w=change.note, h=handle, a=change.report.after, d=change.report.degree,
        )  # fmt: skip
        if change.data:
            change.record.update(r=sha256(change.data), m=change.media)
    again = [Entry(data, "image", "") for change in old if (data := stage.decoded(change.picture)) is not None]
    sent = [Entry(change.data, "image", "") for change in (*fresh, *old) if change.data]
    handles = store.put([*again, *sent])[: len(again)]  # one batch: each waits for the disk
    for change, handle in zip(old, handles, strict=True):
        if handle != change.record["h"]:  # forgotten meanwhile, and another took its name
            change.note = change.note.replace(f"<<headroom:{change.record['h']} ", f"<<headroom:{handle} ")
            change.report.handle = change.record["h"] = handle
            change.record["w"] = change.note
    for change in (*fresh, *old):
        notes.set(change.name, change.record)


def _stored(store: Store | None, digest: str) -> bytes | None:
    """Return a picture that was sent before."""
    held = _sent.get(digest)
    if held is not None:
        return held[0]
    if store is None:
        return None
    try:
        return store.get(digest)
    except (NotFoundError, CorruptError):
        return None


def _encoded(data: bytes) -> str:
    """Return the base64 of what is sent, and hold it for the next turn."""
    if not data:
        return ""
    from headroom_cli.images import stage

    digest = sha256(data)
    held = _sent.pop(digest, None) or (data, stage.encoded(data))
    _sent[digest] = held
    over = sum(len(text) for _, text in list(_sent.values())) - _MOST_HELD  # copied: other threads may come in between
    for name in list(_sent) if over > 0 else ():
        over -= len(_sent.pop(name, (b"", ""))[1])
        if over <= 0:
            break
    return held[1]


def _named(document: Document) -> str:
    value = document.value()
    model = value.get("model") if isinstance(value, dict) else ""
    return model if isinstance(model, str) else ""
