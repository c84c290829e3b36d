"""Who may be given what: notes that belong to one scope, proof that a text is in somebody's hands, and grants.

A scope is the digest of a credential and of a session; "" is the owner of the store, who may have all that is in it. A
rendering gives nothing that its asker has not sent. What gives more is kept by scope: the handles that a conversation
was given, and what was hidden of its turns.
"""

from __future__ import annotations

import time

from headroom_cli import context
from headroom_cli.hashing import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from headroom_cli.formats import Document
    from headroom_cli.renderings import Notes
    from headroom_cli.store import Store

# What a model thinks: a client that holds it sends it along, one that does not is not given it.
_THOUGHTS = frozenset(
    ("thinking", "signature", "data", "encrypted_content", "reasoning", "reasoning_content", "summary")
)  # fmt: skip
_MOST_HOLDERS = 16  # scopes that hold a past of one name
_MOST_NOTED = 20_000  # grants that a process remembers having written
_NOTE_AGAIN = 43_200.0  # seconds after which it writes them again: a record lives by being noted

# (store, scope, handle) -> when this process noted it (monotonic), the latest last.
_noted: dict[tuple[str, str, str], float] = {}


def own(name: str, scope: str) -> str:
    """Return a note's name for one scope; the owner's are the plain ones."""
    return f"{name} @{scope}" if scope else name


def by(name: str) -> str:
    """Return the name of the note that says who holds a past of this name, and what proves to hold its originals."""
    return f"{name} by"


def held_also(name: str, scope: str, originals: Iterable[str], notes: Notes) -> list[dict[str, Any]]:
    """Return the note ``by(name)`` with one holder more, the newest first; ``originals`` are digests.

    Raise StoreError.
    """
    others = [holder for holder in notes.get(by(name)) or () if holder["scope"] != scope]
    return [{"scope": scope, "originals": sorted(originals)}, *others][:_MOST_HOLDERS]


def taken_over(name: str, scope: str, notes: Notes, request: Any, document: Document) -> Any:
    """Return what another scope's note of this name holds to an asker who proves to hold it already, else None.

    A credential changes within a conversation, and its hidden turns are to be sent again as they were. The asker has
    shown the turn itself by its digest. He is to send every original that can have been served in it, and all that the
    model thought in it. From then on the note is his own. Raise StoreError.
    """
    holders = notes.get(by(name)) or ()
    sent = _sent(document) if holders else set()
    # The one who takes the most proof comes first: what hardly any is needed for may be anybody's.
    for holder in sorted(holders, key=lambda holder: -len(holder["originals"])):
        if sent.issuperset(holder["originals"]):
            kept = notes.get(own(name, holder["scope"]))
            if kept and set(_strings(kept, thoughts=True)) <= set(_strings(request)):
                notes.set(own(name, scope), kept)
                return kept
    return None


def _sent(document: Document) -> set[str]:
    """Return the digests of the texts and pictures that an asker sends."""
    digests = {context.digest(block.text) for block in document.blocks}
    if document.has_pictures:
        from headroom_cli.formats import _pictures
        from headroom_cli.images import stage

        pictures = (stage.decoded(picture) for picture in _pictures.find(document) if picture.data)
        digests.update(sha256(data) for data in pictures if data is not None)
    return digests


def _strings(value: Any, *, thoughts: bool = False) -> Iterator[str]:
    """Yield every text in a JSON value; with ``thoughts`` those alone that a model thought."""
    waiting = [(value, not thoughts)]
    while waiting:
        value, counts = waiting.pop()
        if isinstance(value, str):
            if counts and value:
                yield value
        elif isinstance(value, dict):
            waiting += [(item, counts or key in _THOUGHTS) for key, item in value.items()]
        elif isinstance(value, list):
            waiting += [(item, counts) for item in value]


def grant(store: Store, scope: str, handles: Iterable[str]) -> None:
    """Note that a scope was given these handles. Raise StoreError.

    A grant that a power cut takes is written again with the conversation's next request, so nobody waits for the disk.
    """
    now = time.monotonic()
    fresh = [
        handle
        for handle in handles
        if now - _noted.get((store.root, scope, handle), now - 2 * _NOTE_AGAIN) > _NOTE_AGAIN
    ]
    if not fresh:
        return
    store.remember(_shard(scope), [(handle, "1") for handle in fresh], durable=False)
    for handle in fresh:
        _noted.pop((store.root, scope, handle), None)
        _noted[(store.root, scope, handle)] = now
    while len(_noted) > _MOST_NOTED:
        _noted.pop(next(iter(_noted)))


def is_granted(store: Store, scopes: Iterable[str], handle: str) -> bool:
    """Tell whether one of these scopes was given a handle. Raise StoreError.

    The grants of the scopes are read, whatever the handle is; nothing is looked at that depends on other scopes.
    """
    found = False
    for scope in scopes:
        held = store.recall_dated(_shard(scope)).get(handle)
        if held is not None:
            found = True
            if held[1]:  # in use, so it lives on
                store.remember(_shard(scope), [(handle, "1")], durable=False)
    return found


def _shard(scope: str) -> str:
    return sha256(f"grants {scope}".encode())[:32]
