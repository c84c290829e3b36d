"""Store originals, then build what stands in their place: the only maker of markers."""

from __future__ import annotations

from headroom_cli.lazy import pattern
from headroom_cli.model import LOSSY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Block, Draft
    from headroom_cli.store import Entry, Store

MARKER = pattern(r"<<headroom:([a-z2-7]{12,52}) ([ -;=?-~]{1,80})>>")


def emit(
    store: Store, originals: list[Entry], drafts: list[Draft], *, keep_json: bool = False
) -> list[tuple[str, str]]:
    """Put the originals on disk, then build the renderings: (handle, rendering) each. The only maker of markers.

    The store's ``put`` returns only after every original is written, synced, renamed and read back equal; no marker
    exists before that. Raise StoreError; then nothing may change.
    """
    made = []
    for handle, entry, draft in zip(store.put(originals), originals, drafts, strict=True):
        marker = f"<<headroom:{handle} {draft.missing}>>"
        made.append((handle, _render(draft, marker, entry.data, keep_json=keep_json)))
    return made


def _render(draft: Draft, marker: str, original: bytes, *, keep_json: bool) -> str:
    """Return the draft's text, with the marker as its last line when something is missing."""
    if draft.degree != LOSSY:
        return draft.text
    if keep_json and _is_one_value(draft.text):
        body = draft.text.rstrip()
        item = f'"{marker}"' if body.endswith("]") else f'"headroom":"{marker}"'
        inner = body[:-1].rstrip()
        # Inside the outermost array or object, so that the text still parses.
        return f"{inner}{'' if inner[-1:] in ('[', '{') else ','}{item}{body[-1]}" + draft.text[len(body) :]
    newline = "" if draft.text.endswith("\n") or not draft.text else "\n"
    return f"{draft.text}{newline}{marker}" + ("\n" if original.endswith(b"\n") else "")


def _is_one_value(text: str) -> bool:
    """Tell whether a text is one JSON array or object, so that a marker may go inside."""
    if text.lstrip()[:1] not in ("[", "{"):
        return False
    import json

    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def handle_of(block: Block) -> str:
    """Return the handle of the marker that ends a tool output, "" when there is none."""
    if block.role != "tool" or not block.text.rstrip()[-2:].startswith((">>", '"]', '"}')):
        return ""
    last = block.text.rstrip()[-160:].rpartition("\n")[2]
    found = MARKER.search(last)
    return found[1] if found and found.end() >= len(last) - 2 else ""
