"""CacheAligner: volatile values leave the prefix of a conversation, so that what stands in front stays the same.

At a conversation's first request each value in its head gives way to a placeholder, and one block behind the first
turn of the user says what they stand for. Every later request gets the same placeholders and the same block; values
that are others by then are said in a block behind the newest turn, which stays there from then on.
"""

from __future__ import annotations

from headroom_cli.align.notice import HEADS
from headroom_cli.align.result import Aligned, Moved, rows_of
from headroom_cli.align.values import Value, find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from headroom_cli.align._head import Head, Path
    from headroom_cli.formats import Document
    from headroom_cli.formats._edits import Edit

    class Notes(Protocol):
        """What is remembered of a conversation."""

        def get(self, name: str) -> Any:
            """Return a JSON value, None when there is none."""

        def set(self, name: str, value: Any) -> None:
            """Remember a JSON value."""


__all__ = ["HEADS", "Aligned", "Moved", "Value", "align", "find"]


def align(document: Document, notes: Notes, *, live: bool = False, scope: str = "") -> Aligned:
    """Return the edits that move volatile values out of a document's prefix; ``notes`` are read and added to.

    ``live``: an assistant's turn without notes of ours means that the conversation went upstream without us, so
    nothing in front of it is touched; without it only signed thinking forbids that. ``scope`` is who sends it, "" for
    the owner of the store. Raise StoreError.
    """
    if not document.has_turns:
        from headroom_cli.align import _raw

        return _raw.aligned(document)
    from headroom_cli.align._head import Head, is_held_elsewhere
    from headroom_cli.align._memory import Memory
    from headroom_cli.align._plan import Plan
    from headroom_cli.align._run import Run

    value = document.value()
    if is_held_elsewhere(value):
        return Aligned(why="the provider holds the history")
    head = Head(document, value)
    if not head.turns:
        return Aligned(why="no turns")
    plan = Plan(head)
    memory = Memory(notes, head, scope)
    run = Run(document, value, head, plan, memory, live=live)
    helds = run.values()
    order: list[Edit] = []
    known = memory.tools(run.birth) if run.birth else None
    if isinstance(value, dict) and value.get("tools"):
        from headroom_cli.align import tools

        fixed = frozenset(int(path[1]) for path in plan.texts if path[0] == "tools")
        order, known = tools.arrange(document, value, known, fixed=fixed)
    aligned = Aligned(why=run.why)
    marks: list[Path] = []
    if head.shape == "anthropic":
        from headroom_cli.align import breakpoints

        marks = breakpoints.place(head, value, plan, late=head.signed and (run.birth is None or run.birth["late"]))
    aligned.edits = [*plan.edits(value), *order]
    aligned.moved = rows_of(helds)
    aligned.breakpoints = [".".join(map(str, _dotted(head, path))) for path in marks]
    # Without tools a trace that is read once, and a prompt without values, need no memory: writing it costs more.
    if run.birth is not None and (live or known or run.birth["texts"] or not run.is_birth):
        if known:
            run.changed = memory.set_tools(run.birth, known) or run.changed
        run.remember()
    return aligned


def _dotted(head: Head, path: Path) -> Path:
    """Return a part's path in the document that will be."""
    turn, number = path if len(path) == 2 else ("", "")
    if isinstance(turn, int) and isinstance(number, int):  # an added part
        content = head.turns[turn].get("content")
        return (*head.path, turn, "content", number + (len(content) if isinstance(content, list) else 1))
    return path
