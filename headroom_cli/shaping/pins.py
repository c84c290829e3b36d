"""What was decided at a conversation's first request, and holds for all of its later ones.

A provider caches what stands in front, and current models bind what they thought to it. So neither another setting, nor
another share of a trial, nor a later verdict of one, nor another version of this program changes a conversation that
has begun: its decision is noted, the text of the block with it.

Notes, each under the asker's scope and once more for all, since a credential may change within a conversation::

    shaped SHAPE 0 DIGEST      by the first answer, as the client sends it back: certain
    shaped open SHAPE SORT     the latest first request of a sort with these words: until its answer comes back

Of two conversations that look the same the latest counts: one that begins without anything is noted where another one
with its first words has a note.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.renderings import Notes


class Pin:
    """A decision.

    ``key``       the conversation's name in trials
    ``text``      the block, "" for none; ``level`` that it is of
    ``shape``     the arm of the trial of that, "" where it was in none
    ``compress``  the arm of the trial of compressing, "off" where a verdict stopped it, "" where it was in none
    ``efforts``   [number of stretches, effort] where effort is routed (efforts.Moves), else none
    """

    __slots__ = ("compress", "efforts", "key", "level", "shape", "text")

    def __init__(self, key: str) -> None:
        """Start as a conversation that is left as it is without us."""
        self.key = key
        self.text = ""
        self.level = 0
        self.shape = ""
        self.compress = ""
        self.efforts: list[list[Any]] = []

    @property
    def counts(self) -> bool:
        """Whether there is anything to be noted."""
        return bool(self.text or self.shape or self.compress or self.efforts)

    def record(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        members = {"t": self.text, "l": self.level, "s": self.shape, "c": self.compress, "e": self.efforts}
        return {"k": self.key, **{name: value for name, value in members.items() if value}}


def pin_of(record: Any) -> Pin | None:
    """Read a record back; one that cannot be read is as good as none."""
    if not isinstance(record, dict) or not isinstance(record.get("k"), str):
        return None
    pin = Pin(record["k"])
    pin.text, pin.shape, pin.compress = (str(record.get(name) or "") for name in "tsc")
    level, efforts = record.get("l"), record.get("e")
    pin.level = level if isinstance(level, int) else 0
    pin.efforts = efforts if isinstance(efforts, list) else []
    return pin


def bound(shape: str, answer: str) -> str:
    """Return the name of the note of a conversation by its first answer, "0 DIGEST"."""
    return f"shaped {shape} {answer}"


def opened(shape: str, sort: str) -> str:
    """Return the name of the note of a first request whose answer has not come back; ``sort`` is as in Talk."""
    return f"shaped open {shape} {sort}"


def own(name: str, scope: str) -> tuple[str, ...]:
    """Return a note's names: the asker's own, and that for all."""
    return (f"{name} @{scope}", name) if scope else (name,)


def find(notes: Notes, shape: str, scope: str, answers: list[str], sort: str) -> tuple[Pin | None, bool]:
    """Return the decision for a request with these answers of the model, and whether it is to be noted by the first.

    ``sort`` is as in ``opened``. Raise StoreError.
    """
    # All that is the asker's own comes before what others began with the same words, and may have got as an answer.
    names = own(bound(shape, answers[0]), scope), own(opened(shape, sort), scope)
    for certain, latest in zip(*names, strict=True):
        if (pin := pin_of(notes.get(certain))) is not None:
            return pin, notes.worn(certain)
        # Behind a second answer the first had been sent back before: then it did not begin here.
        if len(answers) == 1 and (pin := pin_of(notes.get(latest))) is not None:
            return (pin, True) if pin.counts else (None, False)
    return None, False


def begun(notes: Notes, shape: str, scope: str, sort: str) -> Pin | None:
    """Return the decision of the latest first request with these words, None for none. Raise StoreError."""
    found = (pin_of(notes.get(name)) for name in own(opened(shape, sort), scope))
    return next((pin for pin in found if pin is not None), None)


def note(notes: Notes, name: str, scope: str, pin: Pin) -> None:
    """Note a decision. Raise StoreError."""
    for each in own(name, scope):
        notes.set(each, pin.record())


def begin(notes: Notes, shape: str, scope: str, pin: Pin, sort: str) -> None:
    """Note the decision of a first request; nothing where nothing was decided, now or before. Raise StoreError."""
    name = opened(shape, sort)
    if pin.counts or any(notes.get(each) is not None for each in own(name, scope)):
        note(notes, name, scope, pin)
