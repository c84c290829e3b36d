"""Where somebody else has cut a text before: behind such a notice, counted lines are no longer the file's lines."""

from __future__ import annotations

from headroom_cli.lazy import pattern

_WORDS = ("truncated", "elided", "omitted", "clipped", "TRUNCATED")
_NOTICE = pattern(
    r"[ \t]{0,8}[\[<(.\u2026*-]{1,8}[^\n]{0,80}?\b(?:truncated|elided|omitted|clipped|TRUNCATED)\b[^\n]{0,160}$"
)


def notice(text: str) -> int:
    """Return the offset of the first line that says that lines are missing there, -1 when there is none.

    Such a line begins with a bracket or dots: ``[18909 characters elided]``, ``... [312 lines truncated] ...``,
    ``<response clipped>``.
    """
    if not any(word in text for word in _WORDS):
        return -1
    best = -1
    for word in _WORDS:
        at = text.find(word)
        while at >= 0 and (best < 0 or at < best):
            start = text.rfind("\n", 0, at) + 1
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            # The words stand near the start of such a line; looking no further keeps the search linear.
            if at - start < 100 and end - start < 300 and _NOTICE.match(text[start:end]):
                best = start
                break
            at = text.find(word, at + 1)
    return best
