"""The edits that put hidden hops back into a request of a client that saw one turn where there were several.

The client has its own copy of the turn: written as other JSON, texts joined or trimmed, thinking left out or moved to
the front, a cache_control added. Its blocks are walked in order along what it was shown. Where they do not agree,
nothing is edited.
"""

from __future__ import annotations

from headroom_cli.formats._edits import Edit
from headroom_cli.wire.anthropic._blocks import Shown, identity, is_blank, squeezed, text_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Path = tuple[str | int, ...]
    Cut = tuple[int, int]  # a block's index, and characters of its text: what stands before has been walked

_THINKING = ("thinking", "redacted_thinking")
_MEMBERS = {"turns", "seen", "own", "results"}  # of what Turn.past gives


def restore(request: dict[str, Any], find: Callable[[str], Any]) -> list[Edit]:
    """Return the edits that put hidden hops back. ``find("K DIGEST")`` gives the past of the K-th assistant turn."""
    messages = request.get("messages")
    edits: list[Edit] = []
    number = 0
    for at, message in enumerate(messages if isinstance(messages, list) else ()):
        if not isinstance(message, dict) or message.get("role") != "assistant":
            continue
        blocks = _blocks(message.get("content"))
        if blocks is not None:
            shown = Shown()
            for index, block in enumerate(blocks):
                shown.whole(index, block)
            past = find(f"{number} {shown.digest()}")
            if isinstance(past, dict) and past.keys() >= _MEMBERS:
                edits += _edits(messages, at, blocks, past)
        number += 1
    return edits


def _blocks(content: Any) -> list[dict[str, Any]] | None:
    """Return content as blocks, None when it is not what the API takes."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if isinstance(content, list) and all(isinstance(block, dict) for block in content):
        return content
    return None


def _edits(messages: Any, at: int, blocks: list[dict[str, Any]], past: dict[str, Any]) -> list[Edit]:
    """Return the edits of one turn, [] when anything differs from what the client was shown."""
    turns, own = past["turns"], past["own"]
    walk = _Walk(blocks)
    hidden = [
        identity(block)
        for turn in turns
        if turn["role"] == "assistant"
        for block in turn["content"]
        if text_in(block) is None and block.get("type") != "tool_use"  # calls of ours, which the client never saw
    ]
    if not walk.along(past["seen"], hidden):
        return []
    first = _led(blocks, walk.cut, past.get("lead", ""))  # older notes have none
    cuts: list[tuple[Cut, dict[str, Any]]] = []
    for call in own:
        if not walk.along(call["text"], call["others"]):
            return []
        cuts.append((walk.cut, call["block"]))
    if walk.goes_back():
        return []
    base: Path = ("messages", at, "content")
    if isinstance(messages[at]["content"], str):
        made = _of_text(messages[at]["content"], first, base) if not own else None
    else:
        made = _of_blocks(blocks, first, cuts, walk.kept, base)
    if made is None:
        return []
    if own:
        # The results of the turn's other calls come from the client. Without them there is no place for ours.
        answer = messages[at + 1] if at + 1 < len(messages) else None
        if not isinstance(answer, dict) or answer.get("role") != "user" or not isinstance(answer.get("content"), list):
            return []
        made += [Edit.insert(("messages", at + 1, "content"), 0, result) for result in past["results"]]
    return [*(Edit.insert(("messages",), at, turn) for turn in turns), *made]


def _led(blocks: list[dict[str, Any]], cut: Cut, lead: str) -> Cut:
    """Return a cut moved back to where the last hop's own white space begins.

    A client that leaves out a blank text of a hidden hop, and one that joins it to the text behind it, differ only in
    how much white space stands there.
    """
    at, offset = cut
    text = text_in(blocks[at]) if lead and offset and at < len(blocks) else None
    if text is None:
        return cut
    start = len(text) - len(text[offset:].lstrip()) - len(lead)
    led = 0 <= start < offset and text.startswith(lead, start) and text[start:offset].isspace()
    return (at, start) if led else cut


def _of_text(text: str, first: Cut, path: Path) -> list[Edit] | None:
    """Return the edits of content that is one text, None when nothing would remain of it."""
    rest = text[first[1] :] if first[0] == 0 else ""
    if not rest.strip():
        return None
    return [Edit.text(path, rest)] if first[1] else []


def _of_blocks(
    blocks: list[dict[str, Any]], first: Cut, cuts: list[tuple[Cut, dict[str, Any]]], kept: list[int], path: Path
) -> list[Edit] | None:
    """Return the edits that leave out what stands before ``first``, ``kept`` aside, and put our calls in at their cuts.

    None when nothing would remain.
    """
    edits = [Edit.drop(path, index) for index in range(first[0]) if index not in kept]
    left = bool(cuts or kept)
    for index in range(first[0], len(blocks)):
        text = text_in(blocks[index])
        start = first[1] if index == first[0] else 0
        split = start
        for (_, offset), call in ((cut, call) for cut, call in cuts if cut[0] == index):
            # A client that joins texts joins those on both sides of a call that it was not shown.
            if text is not None and text[split:offset].strip():
                edits.append(Edit.insert(path, index, {"type": "text", "text": text[split:offset]}))
            edits.append(Edit.insert(path, index, call))
            split = max(split, offset)
        if text is not None and split:
            if text[split:].strip():
                edits.append(Edit.text((*path, index, "text"), text[split:]))
                left = True
            else:
                edits.append(Edit.drop(path, index))
        elif not is_blank(blocks[index]):
            left = True
    edits += [Edit.insert(path, len(blocks), call) for cut, call in cuts if cut[0] == len(blocks)]
    return edits if left else None


class _Walk:
    """Goes through a client's blocks along what it was shown.

    ``cut``   how far it has come
    ``kept``  indices before the cut of blocks that belong behind it: some clients put all thinking first
    """

    __slots__ = ("_at", "_blocks", "_gone", "_marks", "_offset", "kept")

    def __init__(self, blocks: list[dict[str, Any]]) -> None:
        self._blocks = blocks
        self._marks = [None if text_in(block) is not None else identity(block) for block in blocks]
        self._at = 0
        self._offset = 0
        self._gone: list[str] = []  # blocks that the client left out, of the thinking mostly
        self.kept: list[int] = []

    @property
    def cut(self) -> Cut:
        return self._at, self._offset

    def along(self, text: str, others: list[str]) -> bool:
        """Go past a text, and past those of the other blocks that the client kept. Tell whether they agree."""
        waiting = list(others)
        rest, exact = text, True
        while self._at < len(self._blocks):
            mark = self._marks[self._at]
            if mark is not None:
                if mark in waiting:
                    waiting.remove(mark)
                elif self._is_ahead(rest, waiting):
                    self.kept.append(self._at)
                else:
                    break
                self._next()
                continue
            here = str(text_in(self._blocks[self._at]))[self._offset :]
            if exact and rest.startswith(here):
                rest = rest[len(here) :]
                self._next()
            elif exact and here.startswith(rest):
                self._offset += len(rest)
                rest = ""
                break
            else:
                # Not as it was shown: some white space is gone, or has come in.
                rest, exact = squeezed(rest), False
                plain = squeezed(here)
                if rest and rest.startswith(plain):
                    rest = rest[len(plain) :]
                    self._next()
                else:
                    if rest and plain.startswith(rest):
                        self._offset += _behind(here, len(rest))
                        rest = ""
                    break
        self._gone += waiting
        return not rest.strip()

    def _is_ahead(self, rest: str, waiting: list[str]) -> bool:
        """Tell thinking that stands before what it should stand behind."""
        if self._blocks[self._at].get("type") not in _THINKING:
            return False
        return bool(rest.strip()) or any(mark in waiting for mark in self._marks[self._at :])

    def goes_back(self) -> bool:
        """Tell whether a block stands behind a place that it should stand before."""
        return any(mark in self._gone for mark in self._marks[self._at :] if mark is not None)

    def _next(self) -> None:
        self._at += 1
        self._offset = 0


def _behind(text: str, count: int) -> int:
    """Return where the character stands that comes after ``count`` others, white space not counted."""
    for at, character in enumerate(text):
        if not character.isspace():
            if count == 0:
                return at
            count -= 1
    return len(text)
