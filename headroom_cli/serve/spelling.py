"""Handles in letters that readers of hex take too: programs that speak /v1/compress look for [a-f0-9]{12,24}.

A handle of 12 characters is spelled in 17, one of 16 in 23, of the twelve characters that a handle and a hex number
may both have. No handle has either length by itself, so a spelled one is read back without any record.
"""

from __future__ import annotations

from headroom_cli.store.grants import is_handle

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_BOTH = "abcdef234567"
_WIDTHS = {12: 17, 16: 23}  # 12**17 > 2**60, 12**23 > 2**80
_LENGTHS = {width: length for length, width in _WIDTHS.items()}


def spelled(handle: str) -> str:
    """Return a handle as a reader of hex takes it; one that is too long for that as it is."""
    width = _WIDTHS.get(len(handle))
    if width is None:
        return handle
    number = 0
    for letter in handle:
        number = number * 32 + _LETTERS.index(letter)
    letters = []
    for _ in range(width):
        number, rest = divmod(number, 12)
        letters.append(_BOTH[rest])
    return "".join(reversed(letters))


def read(text: str) -> str:
    """Return the handle that a text names, "" for none. Nothing that is no handle is looked up anywhere."""
    length = _LENGTHS.get(len(text))
    if length is None or not set(text) <= set(_BOTH):
        return text if is_handle(text) else ""
    number = 0
    for letter in text:
        number = number * 12 + _BOTH.index(letter)
    if number >= 32**length:
        return ""
    return "".join(_LETTERS[number >> 5 * place & 31] for place in reversed(range(length)))
