"""Which birth a later request belongs to. Another conversation's is never taken: none is better than a wrong one."""

from __future__ import annotations

from headroom_cli.align import _births, notice
from headroom_cli.align._head import tool_name
from headroom_cli.align.values import SAME
from headroom_cli.harness import is_ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from headroom_cli.align._births import Birth, Held
    from headroom_cli.align._head import Head, Place
    from headroom_cli.align._memory import Memory
    from headroom_cli.align._signs import Signs

_SESSIONS = frozenset(("session", "conversation", "thread", "chat", "run", "job", "task"))
_LONG_VALUE = 6  # characters that stand nowhere by chance
_SURE = 6.0
_SAME_TOOLS = 0.5  # of the names


class Fit:
    """A birth beside a request, text by text.

    ``helds``    the texts whose constants are as they were
    ``changed``  the texts that are others now
    ``now``      the values of the request in ``helds``, and those of the birth that still stand in ``changed``
    ``is_named``  an id or a path is among the latter
    ``state``    what the request's conversation was told last
    """

    __slots__ = ("birth", "changed", "helds", "is_bound", "is_named", "now", "state", "times")

    def __init__(self, birth: Birth, helds: list[Held], changed: list[Place], *, times: int, is_bound: bool) -> None:
        """Hold how often the first request was sent and has not come back, and whether this birth has an answer."""
        self.birth = birth
        self.helds = helds
        self.changed = changed
        self.times = times
        self.is_bound = is_bound
        self.now: dict[str, str] = {}
        for held in helds:
            self.now |= held.values()
        self.state: dict[str, str] = dict(birth["values"])
        for *_, values in birth["after"]:
            self.state |= values
        self.is_named = False
        for place in changed:  # of a text that is another now it can only be asked whether a value still stands in it
            record = birth["texts"][place.key][-1]
            for name, kind in zip(record["n"], record["k"], strict=True):
                value = self.state.get(name, "")
                self.now[name] = value if len(value) >= _LONG_VALUE and value in place.text else ""
                self.is_named = self.is_named or bool(self.now[name] and kind in SAME)

    def agrees(self, values: dict[str, str]) -> float:
        """Return the part of some values that the request has too, 1.0 when there are none."""
        equal = sum(self.now.get(name) in (value, name) for name, value in values.items())
        return equal / len(values) if values else 1.0

    def sessions(self, session: str) -> int:
        """Return 1 where a session's id says that it is this conversation, -1 that it is not, 0 where none does."""
        theirs = self.birth["session"]
        if session and theirs:
            return 1 if session == theirs else -1
        told = [
            value == self.state[name]
            for name, value in self.now.items()
            if value != name and name in self.state and name.endswith(" id}") and not _SESSIONS.isdisjoint(
                name[1:].split()
            )
        ]  # fmt: skip
        return 0 if not told else 1 if all(told) else -1

    def is_elsewhere(self) -> bool:
        """Tell whether every path is another one: the same task in another directory."""
        paths = [
            text in (self.state.get(name), name)
            for held in self.helds
            for name, kind in zip(held.names, held.kinds, strict=True)
            if kind == "path" and (text := self.now[name])
        ]
        return bool(paths) and not any(paths)


class Choice:
    """Compares a request with births."""

    __slots__ = ("_head", "_memory", "_places", "_read", "_signs", "_sum")

    def __init__(self, head: Head, memory: Memory, signs: Signs, sum_of: Callable[[int], str]) -> None:
        """``signs`` are those of the request; ``sum_of`` gives a digest of its texts through a turn."""
        self._sum = sum_of
        self._head = head
        self._memory = memory
        self._signs = signs
        self._places = {place.key: place for place in head.places}
        self._read: dict[tuple[str, str, str], Held | None] = {}

    def best(self) -> Fit | None:
        """Return the birth that the request belongs to, None when there is none."""
        memory, signs = self._memory, self._signs
        mine = memory.bound("answer", signs.bound)
        ranked: list[tuple[tuple[float, ...], int, Fit]] = [
            (self._rank_bound(fit), i, fit) for i, fit in enumerate(self._fits(mine))
        ]
        is_sure = any(rank[:1] == (_SURE,) for rank, *_ in ranked)
        for i, (name, session, times) in enumerate(() if is_sure else memory.index["open"]):
            if signs.session and session and session != signs.session:
                continue
            birth = memory.birth(name)
            if birth is not None:
                fit = self._fit(birth, times=times, is_bound=False)
                ranked.append((self._rank_open(fit), i, fit))
        if not any(rank for rank, *_ in ranked):  # its turns were summed up, perhaps
            session = memory.bound("session", signs.session)
            for i, fit in enumerate(self._fits(session)):
                ranked.append(((1,) if self._is_kin(fit) and fit.agrees(fit.state) >= 1.0 else (), i, fit))
        sent = self._sent()
        if sent:  # what went upstream comes back: it says itself which one it is
            ranked = [row for row in ranked if row[2].birth["first"] in sent]
        surest = max(ranked, key=lambda row: row[:2], default=None)
        return surest[2] if surest is not None and surest[0] else None

    def _sent(self) -> list[str]:
        """Return our own texts in the user's first turn."""
        turn = self._head.turns[self._head.first] if self._head.first >= 0 else None
        return [text for text in notice.texts_of(turn) if is_ours(text)]

    def _fits(self, births: list[Birth]) -> list[Fit]:
        return [self._fit(birth, times=0, is_bound=True) for birth in births]

    def _rank_bound(self, fit: Fit) -> tuple[float, ...]:
        """Return how surely a conversation with this first answer is the request's; () for not at all."""
        signs, told = self._signs, fit.sessions(self._signs.session)
        same = fit.birth["answer"] == signs.answer
        if told < 0:  # taken up again under another session, or another one that was answered alike
            return (4, fit.agrees(fit.state), same) if signs.is_own else ()
        if signs.is_own:
            return (_SURE, same, told, fit.agrees(fit.state))
        turn, sum_ = fit.birth["grown"]
        goes_on = turn < len(self._head.turns) and self._sum(turn) == sum_
        if goes_on and not signs.is_second:
            tier = _SURE
        elif told:
            tier = 5.0
        elif signs.is_second:
            tier = 3.0 if goes_on else 2.5  # tried again, or another one that was answered alike
        else:
            tier = 4.0
        if tier < 3 and not self._is_kin(fit):  # not the history that it was, nor the head
            return ()
        return (tier, fit.agrees(fit.state), not fit.changed, same, 1)

    def _rank_open(self, fit: Fit) -> tuple[float, ...]:
        """Return how surely a first request without an answer yet is the request's; () for not at all."""
        told = fit.sessions(self._signs.session)
        if told < 0 or not self._is_kin(fit) or (not told and fit.is_elsewhere()):
            return ()
        agrees = fit.agrees(fit.birth["values"])
        if fit.times > 0:
            return (5 if told else 3 if agrees else 2.6, agrees, not fit.changed, 0, 0)
        # Every time it was sent it was answered otherwise: with the same values the same bytes went upstream.
        return (2.7, agrees, True, 0, 0) if agrees >= 1.0 and not fit.changed else ()

    def _is_kin(self, fit: Fit) -> bool:
        """Tell whether a birth has the request's head, though perhaps in an older version."""
        if (
            fit.is_named
            or fit.birth["plain"] == self._signs.plain
            or any(not held.place.key.startswith("tool.") for held in fit.helds)
        ):
            return True
        return has_same_tools(self._memory.tools(fit.birth), self._signs.tools)

    def _fit(self, birth: Birth, *, times: int, is_bound: bool) -> Fit:
        helds: list[Held] = []
        left: list[str] = []
        for key, records in birth["texts"].items():
            place = self._places.get(key)
            held = self._any(place, records) if place is not None else None
            if held is not None:
                helds.append(held)
            else:
                left.append(key)
        taken = {held.place.key for held in helds}
        changed: list[Place] = []
        for key in left:
            place = self._places.get(key)
            if not key.startswith("tool."):  # a part in front of it moves a part's number
                others = (other for other in self._head.places if other.key not in taken and other.key[:5] != "tool.")
                held = next((held for other in others if (held := self._any(other, birth["texts"][key]))), None)
                if held is not None:
                    helds.append(held)
                    taken.add(held.place.key)
                    continue
            if place is not None:
                changed.append(place)
        changed = [place for place in changed if place.key not in taken]
        return Fit(birth, helds, changed, times=times, is_bound=is_bound)

    def _any(self, place: Place, records: list[dict[str, Any]]) -> Held | None:
        """Find the values of the newest version of a text that this one is."""
        for record in reversed(records):
            name = (place.key, record["d"], record["w"])
            if name not in self._read:
                self._read[name] = _births.again(place, record)
            if (held := self._read[name]) is not None:
                return held
        return None


def has_same_tools(known: Any, names: list[str]) -> bool:
    """Tell whether at least half of a request's tools are those that are remembered."""
    order = known["order"] if known else []
    shared = len(set(order) & set(names))
    return bool(shared) and shared >= _SAME_TOOLS * min(len(order), len(names))


def names_of(value: Any) -> list[str]:
    """Return the names of a request's tools."""
    tools = value.get("tools") if isinstance(value, dict) else None
    return [name for tool in tools if (name := tool_name(tool))] if isinstance(tools, list) else []
