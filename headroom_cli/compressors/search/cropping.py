"""Cut what is far too long out of a line: a match in a minified file, a page in one line, base64."""

from __future__ import annotations

_HEAD = 100  # characters from the start of a line: what it is
_BEFORE, _AFTER = 40, 80  # characters around a match
_LEAST = 80  # characters; what a gap must take out to pay for its note
_WINDOWS = 3


def crop(text: str, limit: int, words: list[str], span: tuple[int, int]) -> tuple[str, int]:
    """Return a line longer than ``limit`` as its head and what is around the matches, and the characters cut out.

    ``span`` is where the match stands, (0, 0) when nobody told; then the first places of ``words`` are taken.
    """
    if len(text) <= limit or (" characters]" in text and "[... " in text):
        return text, 0  # short, or cropped already: the counts in it must stay true
    scale = max(1, limit // 200)
    places = [span] if span[1] else []
    lower = text.lower() if words else ""
    for word in words:
        at = lower.find(word) if len(lower) == len(text) else text.find(word)
        if at >= 0:
            places.append((at, at + len(word)))
        if len(places) >= _WINDOWS:
            break
    keep = [(0, _HEAD * scale if places else 2 * _HEAD * scale)]
    for start, end in sorted(places):
        start, end = max(0, start - _BEFORE * scale), min(end, start + _AFTER * scale) + _AFTER * scale  # noqa: PLW2901
        if start - keep[-1][1] < _LEAST:
            keep[-1] = (keep[-1][0], max(end, keep[-1][1]))
        else:
            keep.append((start, end))
    if len(text) - keep[-1][1] < _LEAST:
        keep[-1] = (keep[-1][0], len(text))
    out: list[str] = []
    cut = 0
    at = 0
    for start, end in keep:
        if start > at:
            out.append(f"[... {start - at} characters]")
            cut += start - at
        out.append(text[start:end])
        at = end
    if at < len(text):
        out.append(f"[... {len(text) - at} characters]")
        cut += len(text) - at
    return "".join(out), cut
