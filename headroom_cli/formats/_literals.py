"""How strings are written: the styles of JSON encoders, and a new text in the style of the one it replaces."""

from __future__ import annotations

from json.encoder import encode_basestring, encode_basestring_ascii

from headroom_cli.formats import _tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# How encoders write the same string. A literal that none of these gives back is kept as it was (see Document.style).
_GO = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def _slashed(text: str) -> str:
    return str(encode_basestring(text)).replace("/", "\\/")


def _ascii_slashed(text: str) -> str:
    return str(encode_basestring_ascii(text)).replace("/", "\\/")


def _html_safe(text: str) -> str:
    return str(encode_basestring(text)).translate(_GO)


STYLES: dict[str, Callable[[str], str]] = {
    "u": encode_basestring,  # JSON.stringify, serde, Jackson
    "a": encode_basestring_ascii,  # Python's default
    "u/": _slashed,
    "a/": _ascii_slashed,  # PHP's default
    "g": _html_safe,  # Go's default
}
RAW_STYLE = "r"  # a raw blob: the text is its own literal
OTHER_STYLE = "x"  # no encoder above wrote this literal


def style_of(literal: str, text: str | None = None) -> str:
    """Return the name of the encoding that gives a literal back, OTHER_STYLE when none does."""
    if text is None:
        text = str(_tree.scan_once(literal, 0)[0])
    for name, encode in STYLES.items():
        if encode(text) == literal:
            return name
    return OTHER_STYLE


def encode_like(style: str, literal: str, text: str) -> str:
    """Write a new text in the style that the old literal had; an unknown style falls back to a safe one."""
    if style == RAW_STYLE:
        return text
    if style in STYLES:
        return STYLES[style](text)
    return STYLES["a" if literal.isascii() else "u"](text)


def written_like(old: str, text: str) -> str:
    """Write a text in the style of the literal that it replaces."""
    return encode_like(style_of(old), old, text)
