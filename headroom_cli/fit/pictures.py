"""Lines of ours that name a picture further up say something else once turns between them, or its own, are left out."""

from __future__ import annotations

from headroom_cli.formats import _pictures, path_of
from headroom_cli.harness import NAMED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from re import Match

    from headroom_cli.fit.walk import Group
    from headroom_cli.formats import Document
    from headroom_cli.formats._edits import Path

_MARKER = "\n<<headroom:"
_OF_USER = "[headroom"


def renamed(document: Document, groups: list[Group], ours: frozenset[str]) -> dict[int, str]:
    """Return the texts of blocks, by their ordinals, that name a picture where it is found once groups are left out.

    ``ours`` are the lines that were put in; without a marker any other is somebody's own, whatever it says.
    """
    if not document.has_pictures:
        return {}
    gone = {turn for group in groups for turn in range(group.first, group.last + 1)}
    own = len(document.turns)
    places: list[tuple[Path, int, Match[str] | None]] = [
        (picture.path, -1, None) for picture in _pictures.find(document)
    ]
    for ordinal, block in enumerate(document.blocks):
        found = NAMED.match(block.text) if document.turn_of(block) >= 0 else None
        if found is not None and (block.text in ours or _MARKER in block.text):
            places.append((path_of(block), ordinal, found))
    places.sort(key=lambda place: [(isinstance(step, str), step) for step in place[0]])
    turns: list[int] = []  # of each picture, or of the line that stands for it
    named: list[tuple[int, int, Match[str]]] = []
    for path, ordinal, found in places:
        if found is None or found[2]:
            turns.append(int(path[own]))
        if found is not None:
            beside = not found[2] and not found[1].startswith(_OF_USER)  # in front of what differs
            named.append((len(turns) - 1 + beside, ordinal, found))
    texts: dict[int, str] = {}
    for here, ordinal, found in named:
        source = here - int(found[4] or 1)
        between = range(source + 1, here)
        if found[3].startswith("a ") or source < 0 or here >= len(turns) or turns[here] in gone:
            continue
        back = 1 + sum(turns[number] not in gone for number in between)
        if turns[source] in gone:
            where = "a picture in the turns left out"
        elif back <= len(between):
            where = "the picture before this one" if back == 1 else f"the picture {back} pictures back"
        else:
            continue
        text = document.blocks[ordinal].text
        texts[ordinal] = f"{found[1]}{found[2] or ''}{where}{text[found.start(5) :]}"
    return texts
