"""One request against what is remembered of its conversation: a birth, or a replay."""

from __future__ import annotations

import json

from headroom_cli.align import _births, notice
from headroom_cli.align._choice import Choice, has_same_tools
from headroom_cli.align._head import may_be_held_elsewhere
from headroom_cli.align._signs import Signs
from headroom_cli.harness import is_ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from headroom_cli.align._births import Birth, Held
    from headroom_cli.align._choice import Fit
    from headroom_cli.align._head import Head
    from headroom_cli.align._memory import Memory
    from headroom_cli.align._plan import Plan
    from headroom_cli.formats import Document


_LATE = "the conversation began without headroom"
_NO_VALUES: Mapping[str, str] = {}
_MOST_ANSWERS = 128
_LOOKED_AT = 8  # older first requests
_MOST_VERSIONS = 8  # of one text


class Run:
    """One request against what is remembered."""

    __slots__ = (
        "_document", "_head", "_live", "_memory", "_plan", "_signs", "_sums", "_value", "birth", "changed", "is_birth",
        "why",
    )  # fmt: skip

    def __init__(self, document: Document, value: Any, head: Head, plan: Plan, memory: Memory, *, live: bool) -> None:
        self._document = document
        self._value = value
        self._head = head
        self._plan = plan
        self._memory = memory
        self._live = live
        self._signs = Signs(head, value)
        self._sums: list[str] = []
        self.birth: Birth | None = None
        self.is_birth = False
        self.changed = False
        self.why = ""

    def values(self) -> list[Held]:
        """Plan what happens to values; return the texts of the head with those that are replaced."""
        head, signs, memory = self._head, self._signs, self._memory
        if head.answered < 0:
            return self._born()
        fit = Choice(head, memory, signs, self._sum).best()
        if fit is not None:
            self.birth = fit.birth
            if not fit.is_bound:
                self.birth = memory.bind(fit.birth, signs, self._grown())
                self.changed = True
            return self._replay(fit)
        # Where births were crowded out it may have begun with us: the same values make the same bytes again.
        if (self._live or head.signed) and not memory.index["lost"]:
            self.birth, self.changed, self.is_birth = self._blank(late=True), True, True
            self.why = _LATE
            return []
        return self._born()

    def remember(self) -> None:
        """Note the birth."""
        birth = self.birth
        if birth is None:
            return
        if self.is_birth and self._head.answered < 0:
            self._memory.open(birth, _answers(self._value))
        elif self.is_birth:
            self.birth = birth = self._memory.bind(birth, self._signs, self._grown())
        if self.changed:
            self._memory.save(birth)

    def _grown(self) -> tuple[int, str]:
        end = len(self._head.turns) - 1
        return end, self._sum(end)

    # --- the first request

    def _born(self) -> list[Held]:
        head, values = self._head, dict[str, str]()
        ours = head.first >= 0 and any(is_ours(text) for text in notice.texts_of(head.turns[head.first]))
        if ours:
            self.why = "already aligned"
            return []
        self.is_birth = True
        helds: list[Held] = []
        if may_be_held_elsewhere(head, self._value):
            self.why = "the provider may hold the history: only with store false is it all sent again"
        elif head.first >= 0:
            helds = _births.searched(head.places)
        for held in helds:
            values |= held.values()
            self._plan.texts[held.place.path] = held.template()
        if values:
            self._plan.added[head.first] = [notice.block(values)]
        self.why = self.why or ("" if values else "no volatile values")
        birth = self._blank(helds, values)
        known = self._memory.birth(birth["id"])
        self.birth = known or birth
        self.changed = known is None
        if known is None and (older := self._alike()):
            birth["tools"] = older
        return helds

    def _blank(
        self, helds: Iterable[Held] = (), values: Mapping[str, str] = _NO_VALUES, *, late: bool = False
    ) -> Birth:
        """Return a new birth; ``late``: of a conversation that began without us, whose values stay."""
        signs = self._signs
        texts = {held.place.key: [held.record()] for held in helds}
        shape = [f"{key} {records[0]['d']}" for key, records in texts.items()]
        scope = self._memory.scope
        return {
            "id": _births.digest(
                signs.session, signs.plain, *shape, json.dumps(values), str(late), *([scope] if scope else ())
            ),
            "texts": texts,
            "values": values,
            "first": notice.block(values) if values else "",
            "after": [],
            "plain": signs.plain,
            "session": signs.session,
            "answer": "",
            "late": late,
            **({"scope": scope} if scope else {}),
        }

    def _alike(self) -> str:
        """Return the name of the note about the tools of the newest conversation that had the same ones, "" for none.

        Which order tools first had is not known of a conversation whose birth is lost, or whose values changed before
        its first request was tried again; that of another is as good as any.
        """
        for name, _, _ in self._memory.index["open"][: -_LOOKED_AT - 1 : -1]:
            birth = self._memory.birth(name)
            if birth is not None and has_same_tools(self._memory.tools(birth), self._signs.tools):
                return str(birth["tools"])
        return ""

    # --- later ones

    def _replay(self, fit: Fit) -> list[Held]:
        head, birth = self._head, fit.birth if self.birth is None else self.birth
        helds = [*fit.helds, *self._searched_anew(fit, birth)]
        for held in helds:
            template = held.template()
            if template != held.place.text:
                self._plan.texts[held.place.path] = template
        if not birth["first"]:
            self.why = _LATE if birth["late"] else "no volatile values"
            return helds
        self._add(head.first, birth["first"])
        state = dict(birth["values"])
        for turn, kind, sum_, values in birth["after"]:
            if turn < len(head.turns) and self._sum(turn) == sum_:
                text = notice.block(values, changed=True)
                if kind == "part":
                    self._add(turn, text)
                elif turn + 1 >= len(head.turns) or text not in notice.texts_of(head.turns[turn + 1]):
                    self._plan.new.setdefault(turn, []).append(text)
                state |= values
        now: dict[str, str] = {}
        for held in helds:
            now |= held.values()
        other = {name: value for name, value in now.items() if value not in (state.get(name), name)}
        turn, kind = self._newest()
        if other and kind:
            text = notice.block(other, changed=True)
            if kind == "part":
                self._add(turn, text)
            else:
                self._plan.new.setdefault(turn, []).append(text)
            birth["after"].append([turn, kind, self._sum(turn), other])
            self.changed = True
        return helds

    def _searched_anew(self, fit: Fit, birth: Birth) -> list[Held]:
        """Find the values of texts that were edited since: the rest of the head stays as it went upstream.

        What stood behind such a text is sent anew in any case. Where the newest turn has no room to say what the names
        stand for, the text stays as it is, also later.
        """
        changed = [place for place in fit.changed if not any(name in place.text for name in fit.state)]
        if not changed:
            return []
        room = bool(self._newest()[1]) and bool(birth["first"])
        taken = [place.text for place in self._head.places]
        taken += (name for held in fit.helds for name in held.names)
        helds = _births.searched(changed, taken) if room else []
        found = {held.place.key for held in helds}
        stay = [_births.Held(place, [], [], [], []) for place in changed if place.key not in found]
        for held in (*helds, *stay):
            birth["texts"][held.place.key] = [*birth["texts"][held.place.key], held.record()][-_MOST_VERSIONS:]
        self.changed = True
        return helds

    def _add(self, turn: int, text: str) -> None:
        """Add a block of ours to a turn, unless it stands there."""
        if text not in notice.texts_of(self._head.turns[turn]):
            self._plan.added.setdefault(turn, []).append(text)

    def _newest(self) -> tuple[int, str]:
        """Return where a block can go that no request has sent yet: (turn, "part" or "new"), kind "" for nowhere."""
        head = self._head
        for i in range(len(head.turns) - 1, head.last, -1):
            turn = head.turns[i]
            if isinstance(turn, dict) and turn.get("role") == "user" and isinstance(turn.get("content"), (str, list)):
                return i, "part"
        end = len(head.turns) - 1
        turn = head.turns[end] if isinstance(head.turns[end], dict) else {}
        is_result = turn.get("role") in ("tool", "function") or str(turn.get("type")).endswith("_output")
        return (end, "new") if is_result and end > head.last else (end, "")

    def _sum(self, turn: int) -> str:
        """Return a digest of the texts from the first answer through a turn: where a later block stands."""
        if not self._sums:
            texts: list[list[str]] = [[] for _ in self._head.turns]
            for block in self._document.blocks:
                at = self._document.turn_of(block)
                if at >= self._head.answered and not is_ours(block.text):
                    texts[at].append(block.text)
            before = ""
            for number, some in enumerate(texts):
                before = _births.digest(before, str(number), *some)
                self._sums.append(before)
        return self._sums[turn]


def _answers(value: Any) -> int:
    """Return how many answers a request asks for."""
    number = value.get("n") if isinstance(value, dict) else None
    return number if isinstance(number, int) and 1 <= number <= _MOST_ANSWERS else 1
