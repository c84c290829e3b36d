"""Faithful steps: blank ends of lines, long runs of blank lines, overstruck letters and colours of man pages."""

from __future__ import annotations

from headroom_cli.lazy import pattern

_BLANK_RUN = pattern(r"\n{4,}")  # three blank lines and more
_BLANK_RUN_CRLF = pattern(r"(?:\r\n){4,}")
_BOLD = pattern("([^\n\x08])(?:\x08\\1)+")
_UNDERLINED = pattern("_\x08([^\n\x08_])")
_COLOUR = pattern("\x1b\\[[0-9;]{0,20}m")


def tidy(text: str) -> str:
    """Return the text without what nobody sees; every visible character stays, in order."""
    if "\x08" in text:
        text = _UNDERLINED.sub(r"\1", _BOLD.sub(r"\1", text))
    if "\x1b[" in text:
        text = _COLOUR.sub("", text)
    newline = "\r\n" if "\r\n" in text and text.count("\r\n") == text.count("\n") else "\n"
    if f" {newline}" in text or f"\t{newline}" in text:
        text = newline.join([line.rstrip(" \t") for line in text.split(newline)])
    if newline * 4 in text:
        text = (_BLANK_RUN if newline == "\n" else _BLANK_RUN_CRLF).sub(newline * 2, text)
    return text
