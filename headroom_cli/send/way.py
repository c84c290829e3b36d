"""A conversation on its way in: what was hidden of its earlier turns goes back in, and our tool where it belongs.

The tool is part of a conversation from its first request on or not at all, and a conversation that began without it
gets renderings without markers: a tool that comes later would change all that the provider has cached.
"""

from __future__ import annotations

import json

from headroom_cli import retrieval, wire
from headroom_cli.context import note_key
from headroom_cli.formats._edits import Edit
from headroom_cli.hashing import sha256
from headroom_cli.send import scopes
from headroom_cli.send.shapes import names
from headroom_cli.stages import Prepared
from headroom_cli.wire.responses._items import made_by_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from headroom_cli.formats import Document
    from headroom_cli.renderings import Notes
    from headroom_cli.send.options import Options
    from headroom_cli.shaping.talk import Talk
    from headroom_cli.store import Store

# The model may choose what to call; one answer. Values of a client may be lists, which no set takes: these are tuples.
_FREE = (None, "auto", "any", "required")
_ONE = (None, 1)
# Members by which a request names a history that the provider holds.
HELD = ("previous_response_id", "conversation", "thread")


# The note of a first request whose answer has not come to its end: an interrupted turn may be gone on with.
OPEN = "begun open"
# The note of the handles that this conversation was given: a model may ask for one whose output is gone by now.
GIVEN = "given"
# What is known to all scopes of a history that the provider holds: no text of anybody's.
_ANYBODY = "anybody"


def mark(shape: str, first: str, declared: frozenset[str]) -> str:
    """Return the name of the note that a conversation began here, by its first answer ("0 DIGEST").

    A client may go on with another provider: its API wants another definition, and knows nothing of hidden hops.
    """
    return f"begun {shape} {'with' if declared else 'without'} tools {first}"


def past(shape: str, key: str) -> str:
    """Return the name of the note of what was hidden of a turn ("NUMBER DIGEST")."""
    return f"past {shape} {key}"


class Way:
    """What is found out about a conversation on its way in; ``prepare`` is called by the engine."""

    __slots__ = (
        "_known", "_options", "_shape", "_store", "declared", "first", "given", "held", "notes", "ours", "scope",
        "server", "talk", "tool", "turns",
    )  # fmt: skip

    def __init__(self, shape: str, options: Options, store: Store | None, talk: Talk) -> None:
        """``shape`` is the row of wire.WIRES in which the request is written by now; ``talk`` shapes its answer."""
        self.talk = talk
        self._shape = shape
        self._options = options
        self._store = store
        self.scope = options.scope
        self.first = False  # no turn of the model has been
        self.turns = 0  # turns of the model in the client's own request
        self.tool: Any = None  # the definition of our tool that is in the request
        self.ours: frozenset[str] = frozenset()
        self.held: frozenset[str] = frozenset()  # handles that the provider's own history holds
        self.given: frozenset[str] = frozenset()  # handles that earlier requests of this conversation had
        self.notes: Notes | None = None  # of the conversation, as they were on the way in
        self.server = ""  # the name of that history
        self.declared: frozenset[str] = frozenset()  # the names of the client's own tools
        self._known: dict[str, Any] = {}  # what is kept of it

    def prepare(self, document: Document, notes: Notes) -> Prepared:
        """Put hidden turns back and our tool in. Raise StoreError."""
        row = wire.load(self._shape)
        request: dict[str, Any] = document.value()
        asked: list[str] = []

        def find(key: str) -> Any:
            if key.startswith("held "):
                return self._known_of(key).get("past")
            asked.append(key)
            name = past(self._shape, key)
            kept = notes.get(scopes.own(name, self.scope))
            if kept is None and self.scope:
                kept = scopes.taken_over(name, self.scope, notes, request, document)
            return kept or None

        edits: list[Edit] = row.restore(request, find)
        self.turns = len(dict.fromkeys(asked))
        declared = names(request.get("tools"))
        self.declared = declared
        self.given = frozenset(notes.get(scopes.own(GIVEN, self.scope)) or ())
        self.notes = notes
        begun = None
        if asked:
            begun = notes.get(mark(self._shape, asked[0], declared)) or notes.get(f"{OPEN} {self._shape}")
        live = begun is None and self.turns > 0 and _is_signed(document.text)
        fresh = not asked and not any(request.get(name) for name in HELD)
        self._decide(request, asked, notes, fresh=fresh)
        way = self._options.redeem
        if self.talk.alone:
            way = "none"
        elif way in {"tool", "auto"} and not declared.isdisjoint(retrieval.NAMES):
            way = "tool"  # the client runs our tool itself, and answers its calls
        elif way in {"tool", "auto"}:
            way = self._offer(begun, request, row, edits, first=fresh)
        held = self._shape == "responses" and request.get("store") is not False and self.tool is None
        if held and (fresh or not self.talk.counts):
            # The next request may name this one to the provider instead of bringing it, and only a desk reads its name.
            self.talk.stay_plain()
        shaped, texts = self.talk.edits(made_by_model)
        self.talk.note(notes, asked)
        return Prepared(
            # What was hidden of a turn comes behind what the request before it ended with.
            [*shaped, *edits], way, live=live, scope=self.scope, alone=self.talk.alone, texts=texts,
            begins=fresh and (self.tool is not None or self.talk.counts),
        )  # fmt: skip

    def _decide(self, request: dict[str, Any], asked: list[str], notes: Notes, *, fresh: bool) -> None:
        """Find out what holds for the conversation, or decide it where it begins. Raise StoreError."""
        if fresh:
            model = self._options.model or str(request.get("model") or "")
            self.talk.begin(notes, "" if self._store is None else self._store.root, model)
        else:
            if not asked and (server := server_of(request)):
                self._known_of(server)
            self.talk.go_on(notes, asked, self._known.get("pin"))

    def _offer(self, begun: Any, request: dict[str, Any], row: Any, edits: list[Edit], *, first: bool) -> str:
        """Put our tool in where it belongs; return how originals can be asked for. Raise StoreError."""
        self.server = server_of(request)
        self.first = first
        definition = self._definition(begun, request, row) if self.declared else None
        if definition is None:
            return "none"
        self.tool = definition
        self.ours = retrieval.NAMES - self.declared
        edits.append(Edit.insert(("tools",), len(request.get("tools") or ()), definition))
        return "tool"

    def _definition(self, begun: Any, request: dict[str, Any], row: Any) -> Any:
        """Return the definition of the tool that this conversation has or gets, None for none. Raise StoreError."""
        if self.first:
            return row.tool(retrieval.NAME, retrieval.DESCRIPTION, retrieval.SCHEMA) if _may_call(request) else None
        if self.server:
            self._known_of(self.server)
        return self._known.get("tool") or (begun["tool"] if begun is not None else None)

    def _known_of(self, name: str) -> dict[str, Any]:
        """Return what is kept of a history that the provider holds under this name. Raise StoreError."""
        if self._store is not None:
            for who in (self.scope, *((_ANYBODY,) if self.scope else ())):
                shard, record = held_by(name, who)
                kept = self._store.recall(shard).get(record)
                if kept is not None:
                    self._known = json.loads(kept)
                    self.held = frozenset(self._known["handles"])
                    return self._known
        return {}

    def keep_held(self, names: Iterable[str], handles: Iterable[str], hidden: Any) -> None:
        """Keep what is known of a history that the provider holds under these names. Raise StoreError.

        Whoever names it to the provider from another scope is given the tool, and the id to go on from, which are
        nobody's text; originals are not put into his requests.
        """
        if self._store is None:
            return
        pin = self.talk.pin
        began = {} if pin is None else {"pin": pin.record()}
        kept = {self.scope: {"tool": self.tool, "handles": sorted(handles), "past": hidden, **began}}
        if self.scope:
            last = {"id": hidden["id"]} if isinstance(hidden, dict) and "id" in hidden else None
            kept[_ANYBODY] = {"tool": self.tool, "handles": [], "past": last, **began}
        for name in names:
            for who, known in kept.items():
                shard, record = held_by(name, who)
                self._store.remember(shard, [(record, json.dumps(known))])


def server_of(request: dict[str, Any]) -> str:
    """Return the name under which a provider goes on with a history that it keeps, "" for none."""
    found = request.get("conversation")
    found = found.get("id") if isinstance(found, dict) else found
    return f"conversation {found}" if isinstance(found, str) and found else ""


def _may_call(request: dict[str, Any]) -> bool:
    """Tell whether the model may choose what to call: else a conversation does not begin with our tool."""
    choice = request.get("tool_choice")
    kind = choice.get("type") if isinstance(choice, dict) else choice
    # Several answers at once, or one that the client fetches by itself later, leave nobody to serve a call.
    alone = request.get("n") in _ONE and not request.get("background")
    return kind in _FREE and alone and not request.get("functions")


def _is_signed(text: str) -> bool:
    """Tell whether turns of the model are bound to what stands before them, by what only such turns hold."""
    return '"signature"' in text or '"redacted_thinking"' in text or '"encrypted_content"' in text


def held_by(name: str, scope: str = "") -> tuple[str, str]:
    """Return the journal and the key of what a scope knows of a history that the provider holds under this name."""
    return sha256(name.encode("utf-8", "replace"))[:2], note_key("send", scopes.own(name, scope))
