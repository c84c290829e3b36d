"""A raw blob that reads as a prompt is aligned as one. Of an output, a log above all, no line may move."""

from __future__ import annotations

import re

from headroom_cli.align import _births, notice
from headroom_cli.align._head import Place
from headroom_cli.align.result import Aligned, rows_of
from headroom_cli.formats._edits import Edit
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.formats import Document

_HEAD = 6_000  # characters that are looked at
_ADDRESSED = pattern(
    r"\b(?:[Yy]ou are|[Yy]our (?:task|job|role|goal)|[Yy]ou (?:must|should|will|can|have)|[Aa]ssistant|SETTING:|<env>)"
)
_WORDS = pattern(r"[A-Za-z\u00c0-\u00ff']{2,24}[,;:]? ")
_STAMP = pattern(r"^\W?\d{2,4}[-:/]\d\d", re.MULTILINE)


def is_prompt(text: str) -> bool:
    """Tell a prompt, or prose, from a command's output and from data."""
    start = text.lstrip()[:1]
    if start in ("", "{", "[", "<") and not text.lstrip().startswith(("<env", "<role", "<system", "<instructions")):
        return False
    head = text[:_HEAD]
    lines = [line for line in head.split("\n") if line.strip()]
    stamped = len(_STAMP.findall(head))
    if stamped * 4 > len(lines):
        return False
    if _ADDRESSED.search(head):
        return True
    spoken = sum(len(_WORDS.findall(line)) >= 4 for line in lines)
    return spoken * 5 >= len(lines) * 2


def aligned(document: Document) -> Aligned:
    """Align a raw blob that reads as a prompt: its values go to a block at its end."""
    text = document.text
    if any(f"{head}\n" in text for head in notice.HEADS):
        return Aligned(why="already aligned")
    if not is_prompt(text):
        return Aligned(why="not a prompt")
    found = _births.searched([Place("raw", (), text)])
    if not found:
        return Aligned(why="no volatile values")
    held = found[0]
    template, end = held.template(), "\n" if text.endswith("\n") else ""
    made = Aligned([Edit.text((), f"{template.rstrip(chr(10))}\n\n{notice.block(held.values())}{end}")])
    made.moved = rows_of([held])
    return made
