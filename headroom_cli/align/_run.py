"""One request against what is remembered of its conversation: a birth, or a replay."""

from __future__ import annotations

import json

from headroom_cli.align import _births, notice
from headroom_cli.harness import is_ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.align._births import Birth, Held
    from headroom_cli.align._head import Head
    from headroom_cli.align._plan import Plan
    from headroom_cli.formats import Document


class Run:
    """One request against what is remembered."""

    __slots__ = (
        "_births", "_document", "_head", "_live", "_plan", "_sums", "_value", "birth", "changed", "is_birth",
        "tools_before", "why",
    )  # fmt: skip

    def __init__(
        self, document: Document, value: Any, head: Head, plan: Plan, births: list[Birth], *, live: bool
    ) -> None:
        self._document = document
        self._value = value
        self._head = head
        self._plan = plan
        self._births = births
        self._live = live
        self._sums: list[str] = []
        self.birth: Birth | None = None
        self.tools_before: Any = None
        self.is_birth = False
        self.changed = False
        self.why = ""

    def values(self) -> list[Held]:
        """Plan what happens to values; return the texts of the head with those that are replaced."""
        head = self._head
        if head.answered >= 0:
            helds = self._known()
            if self.birth is not None:
                return helds
            if self._live or head.signed:
                self.why = "the conversation began without headroom"
                return []
        return self._born()

    # --- the first request

    def _born(self) -> list[Held]:
        head, values = self._head, dict[str, str]()
        ours = head.first >= 0 and any(is_ours(text) for text in notice.texts_of(head.turns[head.first]))
        if ours:
            self.why = "already aligned"
            return []
        self.is_birth = True
        found = _births.searched(head.places) if head.first >= 0 else []
        for one in found:
            values |= one.held.values()
            self._plan.texts[one.held.place.path] = one.held.template()
        if values:
            self._plan.added[head.first] = [notice.block(values)]
        else:
            self.why = "no volatile values"
        birth: Birth = {
            "texts": {
                one.held.place.key: {**one.held.record(), "k": one.kinds, "l": one.labels} for one in found
            },
            "values": values,
            "first": notice.block(values) if values else "",
            "after": [],
            "bound": self._bound(),
            "session": self._session(),
        }  # fmt: skip
        same = [old for old in self._births if old["bound"] == birth["bound"] and old["values"] == values]
        same = [
            old for old in same if old["texts"].keys() == birth["texts"].keys() and old["session"] == birth["session"]
        ]
        if same and same[-1] is self._births[-1]:
            self.birth, self.tools_before = same[-1], same[-1].get("tools")
        else:
            self.birth = birth
            self._births.append(birth)
            self.changed = True
        return [one.held for one in found]

    # --- later ones

    def _known(self) -> list[Held]:
        """Find the birth of this request's conversation and replay it; without one leave ``birth`` None."""
        places = {place.key: place for place in self._head.places}
        read: dict[str, Held | None] = {}
        every: list[list[Held] | None] = []
        for birth in self._births:
            helds: list[Held] | None = []
            for key, record in birth["texts"].items():
                place = places.get(key)
                if place is None and key.startswith("tool."):  # a tool that is gone takes its values along
                    continue
                print_of = f"{key} {record['d']} {record['w']}"
                if place is not None and print_of not in read:
                    read[print_of] = _births.again(place, record)
                held = read.get(print_of)
                if held is None or helds is None:
                    helds = None
                    break
                helds.append(held)
            every.append(helds)
        current = [None if helds is None else _values_of(helds) for helds in every]
        index = _births.best(self._births, self._bound(), self._session(), current)
        if index < 0:
            self.why = "its system prompt has changed" if self._births else ""
            return []
        birth = self.birth = self._births[index]
        self.tools_before = birth.get("tools")
        if not birth["bound"]:
            birth["bound"] = self._bound()
            self.changed = True
        self._replay(birth, current[index] or {}, every[index] or [])
        return every[index] or []

    def _replay(self, birth: Birth, now: dict[str, str], helds: list[Held]) -> None:
        head = self._head
        for held in helds:
            template = held.template()
            if template != held.place.text:
                self._plan.texts[held.place.path] = template
        if not birth["first"]:
            self.why = "no volatile values"
            return
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

    # --- what tells conversations apart

    def _bound(self) -> str:
        """Return a digest of the first answer, "" when there is none."""
        if self._head.answered < 0:
            return ""
        return _births.digest(
            json.dumps(_unmarked(self._head.turns[self._head.answered]), sort_keys=True, default=repr)
        )

    def _session(self) -> str:
        """Return a digest of the client's own name for the conversation, "" when it gives none."""
        value = self._value
        if not isinstance(value, dict):
            return ""
        metadata = value.get("metadata")
        named = metadata.get("user_id") if isinstance(metadata, dict) else value.get("prompt_cache_key")
        return _births.digest(named) if isinstance(named, str) else ""


def _values_of(helds: list[Held]) -> dict[str, str]:
    values: dict[str, str] = {}
    for held in helds:
        values |= held.values()
    return values


def _unmarked(turn: Any) -> Any:
    """Return a turn without its cache marks, which move."""
    content = turn.get("content") if isinstance(turn, dict) else None
    if not isinstance(content, list):
        return turn
    parts = [
        {key: value for key, value in part.items() if key != "cache_control"} if isinstance(part, dict) else part
        for part in content
    ]
    return {**turn, "content": parts}
