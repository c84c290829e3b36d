"""The notes of the conversations that begin with the same words of the user: which there are, and which one this is.

A first request is noted in a list, once however often it is sent. When its conversation comes back with an answer, it
gets a note of its own, found by that answer: so a conversation that runs is never crowded out by others, and several
that grew from one request each have their own.
"""

from __future__ import annotations

from headroom_cli.align._births import digest
from headroom_cli.align._words import words
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.align import Notes
    from headroom_cli.align._births import Birth
    from headroom_cli.align._head import Head
    from headroom_cli.align._signs import Signs

_MOST_OPEN = 400  # first requests in the list
_MOST_BOUND = 64  # conversations with one first answer, or one session
_WORD = pattern(r"(?<!\S)[A-Za-z]{3,20}(?=[\s.,:;!?]|$)")
_DATED = words(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december mon tue wed thu fri sat sun jan feb mar apr jun jul aug sep oct nov dec "
    "utc gmt est edt cet cest pst pdt"
)
_FIRST_WORDS = 12
_PLAIN = ("date", "time")  # kinds of values that are nobody's own


def plain(head: Head) -> str:
    """Return a digest of the first plain words of the system prompt, which no date or id is among, "" without one.

    They tell side requests of a harness from the conversation that begins with the same words of the user.
    """
    first = next((place.text[:2000] for place in head.places if not place.key.startswith("tool.")), "")
    said = [word for word in _WORD.findall(first) if word.lower() not in _DATED][:_FIRST_WORDS]
    return digest(*said) if said else ""


class Memory:
    """What is remembered under the user's first words. Notes are read when asked for.

    ``scope`` is who sends the request, "" for the owner of the store. What others noted counts where all that it would
    put into the request stands there already, dates and times aside: a credential changes within a conversation.
    """

    __slots__ = ("_name", "_notes", "_texts", "index", "scope")

    def __init__(self, notes: Notes, head: Head, scope: str = "") -> None:
        """Read the list. ``index``: {"open": [[id, session, times sent and not yet come back], ...], "lost": bool}."""
        self.scope = scope
        self._texts = [place.text for place in head.places]
        self._notes = notes
        self._name = digest(head.own)
        self.index: dict[str, Any] = notes.get(f"begun {self._name}") or {"open": [], "lost": False}

    def birth(self, name: str) -> Birth | None:
        """Return a birth by its id."""
        birth: Birth | None = self._notes.get(f"birth {name}")
        if birth is None or not self.scope or birth.get("scope", "") == self.scope:
            return birth
        mine = digest(name, self.scope)
        own: Birth | None = self._notes.get(f"birth {mine}")
        return own or ({**birth, "id": mine, "scope": self.scope} if self._stands_here(birth) else None)

    def _stands_here(self, birth: Birth) -> bool:
        """Tell whether the request holds every value of a birth that is more than a date or a time.

        A birth without values proves nothing, and without it the same bytes go out.
        """
        if not birth["values"]:
            return False
        records = [record for versions in birth["texts"].values() for record in versions]
        plain = {
            name for record in records for name, kind in zip(record["n"], record["k"], strict=True) if kind in _PLAIN
        }
        told = [birth["values"], *(values for *_, values in birth["after"])]
        return all(
            name in plain or any(value in text for text in self._texts)
            for values in told
            for name, value in values.items()
        )

    def bound(self, sign: str, text: str) -> list[Birth]:
        """Return the births of conversations with this first answer, or of this session; the newest last."""
        names = self._notes.get(f"{sign} {self._name} {text}") if text else None
        return [birth for name in names or () if (birth := self.birth(name)) is not None]

    def tools(self, birth: Birth) -> Any:
        """Return what is remembered of the tools, None when nothing is."""
        return self._notes.get(f"tools {birth['tools']}") if birth.get("tools") else None

    def set_tools(self, birth: Birth, known: Any) -> bool:
        """Remember the tools; tell whether the birth changed. Births share what is equal: it is long."""
        name = digest(repr(known))
        if birth.get("tools") == name:
            return False
        if self._notes.get(f"tools {name}") is None:
            self._notes.set(f"tools {name}", known)
        birth["tools"] = name
        return True

    def open(self, birth: Birth, times: int) -> None:
        """Note a first request that was sent; it goes to the end of the list."""
        rows = self.index["open"]
        times += sum(row[2] for row in rows if row[0] == birth["id"])
        rows = [*(row for row in rows if row[0] != birth["id"]), [birth["id"], birth["session"], times]]
        self.index["lost"] = self.index["lost"] or len(rows) > _MOST_OPEN
        self.index["open"] = rows[-_MOST_OPEN:]
        self._notes.set(f"begun {self._name}", self.index)

    def bind(self, birth: Birth, signs: Signs, grown: tuple[int, str]) -> Birth:
        """Return the birth of the conversation that goes on with this answer; the first request's own stays.

        ``grown`` is the newest turn, and a digest of the texts through it.
        """
        bound, answer = signs.bound, signs.answer
        for row in self.index["open"]:
            if row[0] == birth["id"] and row[2] > 0:
                row[2] -= 1
                self._notes.set(f"begun {self._name}", self.index)
        made = {
            **birth,
            "after": [],
            "id": digest(birth["id"], bound, answer, grown[1]),
            "answer": answer,
            "grown": grown,
        }
        for sign, text in (("answer", bound), ("session", signs.session)):
            if text:
                name = f"{sign} {self._name} {text}"
                names = self._notes.get(name) or []
                if made["id"] not in names:
                    self._notes.set(name, [*names, made["id"]][-_MOST_BOUND:])
        return made

    def save(self, birth: Birth) -> None:
        """Note a birth."""
        self._notes.set(f"birth {birth['id']}", birth)
