"""Where a block stands: a digest of everything before it, so that equal texts in other places are told apart.

context(i) = SHA-256(context(i-1), role, SHA-256 of the block's original text), over the texts of messages. System
prompts, tools, ids and cache marks do not enter: they may move without changing what a rendering depends on.
"""

from __future__ import annotations

from headroom_cli.harness import words
from headroom_cli.hashing import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.formats import Document
    from headroom_cli.model import Block, Hint

START = b"headroom context 1"
# Turns that are no part of a context.
SYSTEM = ("system", "developer")


def digest(text: str) -> str:
    """Return the SHA-256 of a text in hex; lone surrogates are hashed as they are."""
    return sha256(text.encode("utf-8", "surrogatepass"))


def advance(context: bytes, block: Block, original: str) -> bytes:
    """Return the context after a block whose original text has this digest."""
    if block.turn in SYSTEM:
        return context
    name = sha256(b"\n".join((context, block.turn.encode("utf-8", "replace"), original.encode("ascii"))))
    return bytes.fromhex(name)


def called(replay: bytes, here: bytes, hint: Hint) -> bytes:
    """Return the context of replays behind ``replay``: what a block becomes also depends on the calls so far.

    ``here`` is the context behind the block, or nothing in front of a block whose own call counts already.
    """
    parts = [replay, here]
    parts += [text.encode("utf-8", "surrogatepass") for text in (hint.command, hint.tool, hint.path, *hint.written)]
    return bytes.fromhex(sha256(b"\0\n".join(parts)))


def key(context: bytes, rendered: str) -> str:
    """Return the name of the record of a rendering (by its digest) in a context."""
    return sha256(context + rendered.encode("ascii"))[:40]


def replay_key(context: bytes, policy: str, original: str) -> str:
    """Return the name of the record of what became of an original (by its digest) in a context under a policy."""
    return sha256(b"\n".join((b"replay", context, policy.encode("utf-8", "replace"), original.encode("ascii"))))[:40]


def note_key(stage: str, name: str) -> str:
    """Return the name of the record of what a stage keeps for a conversation."""
    return sha256(b"\n".join((b"note", stage.encode("ascii"), name.encode("utf-8", "replace"))))[:40]


def replay_shard(document: Document, original: str) -> str:
    """Return the journal of replays: the conversation's own; for a raw blob one for each original."""
    return shard(document, original) if document.has_turns else original[:16]


def shard(document: Document, text_digest: str) -> str:
    """Return the journal that holds a document's records: one per conversation, one of 256 for raw blobs.

    A conversation is known by the user's first own words, which are never shortened and which hold no date of a
    harness; a raw blob only by the text at hand.
    """
    if not document.has_turns:
        return text_digest[:2]
    first = ""
    for block in document.blocks:
        if block.turn == "user":
            own = words(block.text).strip()
            if own:
                return digest(own)[:16]
            first = first or block.text
        elif first or block.turn not in SYSTEM:
            break
    return digest(first)[:16] if first else "00000000"
