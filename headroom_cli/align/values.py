"""Volatile values: what in a prompt is of this request or this session alone, and so ends what a cache can share."""

from __future__ import annotations

from itertools import islice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from headroom_cli.align._dates import Found

# More than this many is data that somebody put into a prompt, not a prompt with a few values in it.
MOST = 400
MOST_BARE = 8  # times that no words name
# Kinds of which an equal text elsewhere is the same thing and no coincidence.
SAME = frozenset(("uuid", "id", "path"))
_MOST_WORK = 50_000_000  # characters that are looked through for repeats
_SHORTEST_REPEAT = 10
# A text without any of these has no value in it.
_SIGNS = (*"0123456789", "<", "/", "\\", "ranch", "_", "oday", "eek", "urrent", "ession")
_ASCII_LOWER = {code: code + 32 for code in range(65, 91)}


class Value:
    """A volatile value: ``text[start:end]``, what kind it is, and the words of the text that name it ("" if none)."""

    __slots__ = ("end", "kind", "label", "start")

    def __init__(self, start: int, end: int, kind: str, label: str) -> None:
        """Kinds: date, time, uuid, id, counter, path, host, process, port, branch, commit, and blocks of lines."""
        self.start = start
        self.end = end
        self.kind = kind
        self.label = label

    def __repr__(self) -> str:
        """Show it in tests."""
        return f"Value({self.start}, {self.end}, {self.kind!r}, {self.label!r})"


def find(text: str) -> list[Value]:
    """Return the volatile values of a text, ascending, none overlapping; [] when there are more than MOST.

    Which places are found depends on the words and shapes around and of the values, so that two texts that differ only
    in their values are found alike. Time is linear in the text.
    """
    if not any(sign in text for sign in _SIGNS):
        return []
    from headroom_cli.align import _blocks, _counts, _dates, _ids
    from headroom_cli.align._shade import Shade

    shade = Shade(text)
    lower = text.lower()
    if len(lower) != len(text):  # a letter whose lower case is two: the places must not shift
        lower = text.translate(_ASCII_LOWER)
    whole = sorted(_blocks.blocks(shade), key=lambda found: (found[0], -found[1]))
    chosen = _apart([], whole)
    single: list[Found] = []
    for found in (
        _dates.dates(shade), _dates.clocks(shade, lower), _ids.names(shade), _ids.paths(shade, lower),
        _ids.named(shade, lower), _counts.counters(shade, lower),
    ):  # fmt: skip
        single += islice(found, 2 * MOST)
        if len(single) >= 2 * MOST:
            return []
    if sum(found[2] == _dates.BARE for found in single) > MOST_BARE:
        single = [found for found in single if found[2] != _dates.BARE]
    chosen = _apart(chosen, sorted(single, key=lambda found: (found[0], -found[1])))
    chosen = _apart(chosen, _repeats(text, chosen))
    if len(chosen) > MOST:
        return []
    return [Value(start, end, "time" if kind == _dates.BARE else kind, label) for start, end, kind, label in chosen]


def _apart(taken: list[Found], more: Iterable[Found]) -> list[Found]:
    """Return both lists as one, ascending; of ``more`` what overlaps nothing before it."""
    kept: list[Found] = []
    reached = -1
    i = 0
    for found in more:
        while i < len(taken) and taken[i][1] <= found[0]:
            i += 1
        if found[0] < reached or (i < len(taken) and taken[i][0] < found[1]):
            continue
        kept.append(found)
        reached = found[1]
    return sorted(taken + kept)


def _repeats(text: str, chosen: list[Found]) -> list[Found]:
    """Return the other places of ids and paths: a session's directory is named again and again."""
    more: list[Found] = []
    if len(chosen) * len(text) > _MOST_WORK:
        return more
    for value in sorted({(text[found[0] : found[1]], found[2], found[3]) for found in chosen if found[2] in SAME}):
        name, kind, label = value
        if len(name) < _SHORTEST_REPEAT or len(more) > MOST:
            continue
        at = text.find(name)
        while at >= 0:
            end = at + len(name)
            after = text[end : end + 1]
            if not (text[at - 1 : at].isalnum() or after.isalnum() or after in ("_", "-")):
                more.append((at, end, kind, label))
            at = text.find(name, end)
    return sorted(more)
