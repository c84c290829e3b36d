"""Take the colours off a diff, but not where they alone tell old words from new ones."""

from __future__ import annotations

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.diffs.parse import Section

# Colours and "erase to the end of the line", as git and diff write them.
_COLOUR = pattern(r"\x1b\[[0-9;]{0,40}[mK]")


def plain(text: str) -> str:
    """Return a text without colours; lines stay lines."""
    return _COLOUR.sub("", text)


def trusted(found: list[Section], raw: list[str]) -> list[Section]:
    """Return the sections whose changed lines are coloured from their first column on, as in a diff by lines.

    With ``--color-words`` a line that looks changed is a list item or an option, and its colour comes later.
    """
    kept = []
    for section in found:
        changed = [
            raw[hunk.start + at] for hunk in section.hunks for at, kind in enumerate(hunk.kinds) if kind in ("+", "-")
        ]
        if all(line[:1] == "\x1b" for line in changed):
            kept.append(section)
    return kept


def readable(raw: list[str], lines: list[str], found: list[Section], dropped: list[Section]) -> list[str]:
    """Return the lines without colours, with them where a diff is not surely one by lines."""
    made = list(lines)
    for section in dropped:
        made[section.start : section.end] = raw[section.start : section.end]
    for section in found:
        if not section.certain:
            start = section.hunks[-1].end if section.hunks else section.body
            made[start : section.end] = raw[start : section.end]
    return made
