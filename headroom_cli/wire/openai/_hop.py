"""One hop: what an answer of the provider holds so far."""

from __future__ import annotations

from headroom_cli.wire._events import KEPT_MOST
from headroom_cli.wire._events import Call as OurCall
from headroom_cli.wire.openai import _chunk
from headroom_cli.wire.openai._gather import Gathered, joined
from headroom_cli.wire.openai._past import FIELDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.wire.openai._gather import Called


class Hop:
    """What one answer holds so far. Of a stream only what another hop would need is kept, and not without limit.

    ``done``     ``[DONE]`` came
    ``several``  the request asked for more than one choice
    ``reason``   the first choice's finish_reason, "" for none yet
    ``mine``     a call of ours has begun
    ``others``   a call of the client's tools has begun
    ``top``      the highest index among reasoning_details, -1 for none
    ``whole``    False when there was too much to be kept
    """

    __slots__ = (
        "_begun", "_finished", "_gathered", "_ours", "_size", "_unsure", "done", "failure", "mine", "others", "reason",
        "several", "top", "usage", "whole",
    )  # fmt: skip

    def __init__(self, ours: frozenset[str]) -> None:
        """Begin with nothing."""
        self._ours = ours
        self._gathered = Gathered()
        self._unsure: list[Called] = []
        self._begun: set[int] = set()
        self._finished: set[int] = set()  # OpenRouter's usage comes behind that, with the choice once more
        self._size = 0
        self.done = False
        self.several = False
        self.reason = ""
        self.mine = False
        self.others = False
        self.top = -1
        self.whole = True
        self.usage: dict[str, Any] = {}
        self.failure: tuple[str, str] | None = None

    @property
    def ended(self) -> bool:
        """Tell whether the answer came to its end: ``[DONE]``, or a reason to finish, which some leave it at."""
        return self.done or (bool(self._begun) and self._begun == self._finished)

    @property
    def unsure(self) -> bool:
        """Tell whether a call has begun whose name has not come yet."""
        return bool(self._unsure)

    @property
    def calls(self) -> list[Called]:
        """The calls of the first choice, in order."""
        return self._gathered.calls

    def note(self, value: dict[str, Any], name: str = "delta") -> list[Called | None]:
        """Take a chunk (or with "message" an answer); return whose each piece of a call in its first choice is."""
        self.failure = _chunk.failure_of(value) or self.failure
        if isinstance(value.get("usage"), dict):
            self.usage = value["usage"]
        listed = _chunk.choices(value)
        for index, choice in listed:
            self.several = self.several or index != 0
            self._begun.add(index)
            if choice.get("finish_reason"):
                self._finished.add(index)
        return self._first(next((choice for index, choice in listed if index == 0), None), name)

    def _first(self, choice: dict[str, Any] | None, name: str) -> list[Called | None]:
        delta = _chunk.part(choice, name)
        if choice is not None and choice.get("finish_reason"):
            self.reason = str(choice["finish_reason"])
        if delta.get("function_call"):  # the older form, which is always the client's
            self.others = True
        for item in delta["reasoning_details"] if isinstance(delta.get("reasoning_details"), list) else ():
            index = item.get("index") if isinstance(item, dict) else None
            self.top = max(self.top, index if isinstance(index, int) else -1)
        if name == "message" and isinstance(delta.get("tool_calls"), list):  # whole calls, without indices
            delta = {**delta, "tool_calls": _numbered(delta["tool_calls"])}
        called = self._gathered.called(delta)
        self._unsure = [call for call in dict.fromkeys((*self._unsure, *called)) if call is not None]
        self.decide(last=self.ended)
        if self._ours and self.whole:
            self._keep(delta)
        elif not self.whole:
            for call in dict.fromkeys(called):
                if call is not None:
                    call.forget()
        return called

    def decide(self, *, last: bool = False) -> None:
        """Tell our calls from the client's, as far as their names have come; ``last``: nothing follows."""
        unsure = []
        for call in self._unsure:
            call.decide(self._ours if not self.several else frozenset(), last=last)
            self.mine = self.mine or call.mine is True
            self.others = self.others or call.mine is False
            if call.mine is None:
                unsure.append(call)
        self._unsure = unsure

    def _keep(self, delta: dict[str, Any]) -> None:
        self._size += _chunk.weight(delta)
        self._gathered.take(delta)
        if self._size > KEPT_MOST:
            self.whole = False
            self._gathered.fields.clear()
            for call in self.calls:
                call.forget()

    def served(self) -> list[OurCall]:
        """Return the calls of our tools. What a limit of length cut off is none."""
        mine = [OurCall(call.identifier, call.name, call.arguments()) for call in self.calls if call.mine]
        cut = self.reason == "length" and any(call.arguments is None for call in mine)
        return [] if cut or self.several else mine

    def text(self) -> str:
        """Return the text that was kept."""
        return _chunk.text_in(joined("content", self._gathered.fields.get("content", [])))

    def fields(self) -> dict[str, Any]:
        """Return what the model wants back besides text and calls."""
        found = {key: joined(key, self._gathered.fields.get(key, [])) for key in FIELDS}
        return {key: value for key, value in found.items() if value}

    def message(self) -> dict[str, Any]:
        """Return the assistant message as it goes back. ``reasoning`` says the same as ``reasoning_details``."""
        fields = self.fields()
        if "reasoning_details" in fields:
            fields.pop("reasoning", None)
        content = joined("content", self._gathered.fields.get("content", []))
        calls = [call.value() for call in self.calls if call.mine]
        return {"role": "assistant", "content": content or None, **fields, "tool_calls": calls}


def _numbered(calls: list[Any]) -> list[Any]:
    return [{**call, "index": i} if isinstance(call, dict) else call for i, call in enumerate(calls)]
