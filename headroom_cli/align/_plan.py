"""What align will do to a document, collected before it becomes edits: several changes may meet in one place."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.align._head import Head, Path
    from headroom_cli.formats._edits import Edit


class Plan:
    """Changes of one document."""

    __slots__ = ("_head", "added", "marks", "new", "texts")

    def __init__(self, head: Head) -> None:
        """``texts``: path -> new text; ``added``: turn -> text parts behind its own; ``new``: turn -> turns behind it;
        ``marks``: path of a part, or (turn, number) of an added one -> cache_control.
        """  # noqa: D205 - one thought
        self._head = head
        self.texts: dict[Path, str] = {}
        self.added: dict[int, list[str]] = {}
        self.new: dict[int, list[str]] = {}
        self.marks: dict[Path, Any] = {}

    def edits(self, value: Any) -> list[Edit]:
        """Return the edits that do it to the document with this value."""
        if not (self.texts or self.added or self.new or self.marks):
            return []
        from headroom_cli.formats._edits import KEPT, Edit

        made: list[Edit] = []
        texts, marks = dict(self.texts), dict(self.marks)
        for turn, some in self.added.items():
            path = (*self._head.path, turn, "content")
            parts = [self._part(text, marks.pop((turn, number), None)) for number, text in enumerate(some)]
            content = self._head.turns[turn]["content"]
            if isinstance(content, str):
                own = self._part(texts.pop(path, KEPT), marks.pop(path, None))
                made.append(Edit.put(path, [own, *parts]))
            else:
                made += [Edit.insert(path, len(content), part) for part in parts]
        for path, mark in marks.items():
            if isinstance(_at(value, path), str):
                made.append(Edit.put(path, [self._part(texts.pop(path, KEPT), mark)]))
            else:
                made.append(Edit.member(path, "cache_control", mark))
        made += [Edit.text(path, text) for path, text in texts.items()]
        for turn, some in self.new.items():
            made += [Edit.insert(self._head.path, turn + 1, self._turn(text)) for text in some]
        return made

    def _part(self, text: Any, mark: Any) -> dict[str, Any]:
        kind = "input_text" if self._head.shape == "responses" else "text"
        return {"type": kind, "text": text, **({"cache_control": mark} if mark else {})}

    def _turn(self, text: str) -> dict[str, Any]:
        if self._head.shape == "responses":
            return {"type": "message", "role": "user", "content": [self._part(text, None)]}
        return {"role": "user", "content": text}


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value
