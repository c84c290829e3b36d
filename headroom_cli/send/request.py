"""A request that can go out, and what is to be remembered of its answer."""

from __future__ import annotations

import json

from headroom_cli import engine
from headroom_cli.model import LOSSY
from headroom_cli.retrieval import Desk
from headroom_cli.send import scopes
from headroom_cli.send.way import GIVEN, OPEN, Way, mark, past

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.model import Result
    from headroom_cli.plugins import Telling
    from headroom_cli.relay import Relay, Request, Turned
    from headroom_cli.store import Store


class Ready:
    """A request that can go out, and what is to be remembered of its answer.

    ``request``  see relay.Request
    ``result``   what the stages did
    ``telling``  who tells plugins of it, None where there are none
    ``trial``    the arms of trials that it is in, as in the ledger
    ``why``      why nothing is compressed by design, "" otherwise
    """

    __slots__ = ("_client", "_store", "_way", "came", "request", "result", "telling", "trial", "why")

    def __init__(self, request: Request, result: Result, store: Store | None, way: Way | None, client: bytes) -> None:
        """``way`` is what was found out on the way in; ``client`` the request as it came, in the provider's shape."""
        self.request = request
        self.result = result
        self._store = store
        self._way = way
        self._client = client
        self.came = client  # the input itself, before it was wrapped or converted
        self.telling: Telling | None = None
        self.trial: dict[str, Any] = {}
        self.why = ""

    @property
    def turns(self) -> int:
        """Turns of the model that the client's own request holds."""
        return 0 if self._way is None else self._way.turns

    @property
    def notes(self) -> bool:
        """Whether something of the answer is to be remembered even when nothing of it is hidden."""
        way = self._way
        return way is not None and way.tool is not None and (way.first or not self._handles() <= way.given)

    def desk(self) -> Desk | None:
        """Return who answers the model's calls of our tool, None when it has none.

        A scope is given originals that it sent itself, in this request or in an earlier one of the conversation.
        """
        store = self._store
        if store is None or not self.request.ours:
            return None
        if self._way is not None and self._way.scope:
            return Desk(store, self._handles)

        def given() -> set[str]:
            # Those of this document in both of its states: another headroom may stand in front of this one.
            return {*self._handles(), *engine.given(self._client, store), *engine.given(self.result.data, store)}

        return Desk(store, given)

    def grant(self) -> None:
        """Note that the asker's scope was given the handles of this request: it may fetch them. Raise StoreError."""
        if self._store is not None and self._way is not None and self._way.scope:
            scopes.grant(self._store, self._way.scope, self._handles())

    def _handles(self) -> set[str]:
        now = self._now()
        return now if self._way is None else now | self._way.held | self._way.given

    def _now(self) -> set[str]:
        """Return the handles of markers that stand in this request."""
        return {report.handle for report in self.result.blocks if report.degree == LOSSY and report.handle}

    def record(self, body: bytes) -> None:
        """Record what leads from the bytes that go out back to the input, for ``retrieve --expand``. Raise StoreError.

        What an API's own address or headers take out of a body, and what conversion made of it, is no stage's doing.
        """
        if self._store is not None:
            engine.note_edits(body, self.result.data, self._store)
            engine.note_edits(self._client, self.came, self._store)

    def begin(self) -> None:
        """Note that a first answer begins to be shown: whoever ends us now may go on from there. Raise StoreError."""
        way = self._way
        if self._store is not None and way is not None and way.first and way.tool is not None:
            engine.note(self._client, self._store, "send", {f"{OPEN} {self.request.shape}": {"tool": way.tool}})

    def remember(self, relay: Relay | Turned) -> None:
        """Note what the conversation's next request needs: what was hidden, and that it has the tool. Raise StoreError.

        Of a turn that broke off only what was hidden: who saw a part of it may go on from there.
        """
        store, way, shape = self._store, self._way, self.request.shape
        if store is None or way is None or way.notes is None or not relay.hops:
            return
        key, hidden = relay.hidden()
        notes: dict[str, Any] = {}
        name = past(shape, f"{way.turns} {key}")
        mine = scopes.own(name, way.scope)
        if hidden is not None:
            notes[mine] = hidden
            if way.scope and (originals := self._originals(store, hidden)) is not None:
                notes[scopes.by(name)] = scopes.held_also(name, way.scope, originals, way.notes)
        elif relay.finished and (way.notes.get(mine) or (way.scope and way.notes.get(scopes.by(name)))):
            notes[mine] = False if way.scope else None  # of two turns that look the same the latest counts
        if relay.finished:
            if way.first and (way.tool is not None or not way.declared):
                notes[mark(shape, f"0 {key}", way.declared)] = {"tool": way.tool}
                notes[f"{OPEN} {shape}"] = None
            if not way.turns and key:
                notes.update(way.talk.by_answer(way.notes, f"0 {key}"))
            if way.tool is not None and not self._handles() <= way.given:
                notes[scopes.own(GIVEN, way.scope)] = sorted(self._handles())
        if notes:
            engine.note(self._client, store, "send", notes)
        if relay.finished and way.tool is not None:
            way.keep_held((*relay.held(), *([way.server] if way.server else ())), self._handles(), hidden)

    def _originals(self, store: Store, hidden: Any) -> set[str] | None:
        """Return the digests of all originals that can stand in a hidden turn, None where one is lost.

        Of those that earlier requests had, the ones that it names: others may belong to a branch that was left.
        """
        handles, named = self._handles(), json.dumps(hidden)
        if self._way is not None and "\\u" not in named:  # letters of a name can be written so
            handles -= {handle for handle in self._way.given if handle not in named} - self._now()
        owners = store.owners(handles)
        return set(owners.values()) if len(owners) == len(handles) else None
