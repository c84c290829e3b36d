"""Tables and command output: padding and borders go, what rows share is said once above them, no row is lost.

A text is read block by block (``blocks``): box tables, delimited values, fixed-width tables by their header, lists by
their words, trees, pairs of key and value. What cannot be read with certainty stays as it is.
"""

from __future__ import annotations

from headroom_cli.compressors.tables import config
from headroom_cli.compressors.tables.blocks import encode
from headroom_cli.compressors.tables.delimited import delimiter
from headroom_cli.compressors.tables.grid import OPENING
from headroom_cli.lazy import pattern
from headroom_cli.model import FAITHFUL, LOSSY, Compressor, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Hint, Want

_LEAST = 80  # characters; nothing shorter is worth the look
_LINE = 6  # characters on average at least, in a line; shorter ones have no padding worth the look
_SLACK = 20_000  # characters; small texts may be as they like
_COLOUR = pattern(r"\x1b\[[0-9;]{0,20}m")


def sniff(text: str, hint: Hint) -> float:
    """Return how sure it is that a text is a table."""
    from headroom_cli.compressors.tables.shape import table_score

    return table_score(text, hint)


def compress(text: str, want: Want) -> Draft | None:
    """Return the shorter table, or None when there is nothing to gain or the time is over."""
    if len(text) < _LEAST or OPENING in text or "\n[... " in text:
        return None  # a rendering of ours already
    newline = "\r\n" if "\r\n" in text and text.count("\r\n") == text.count("\n") else "\n"
    plain = text.replace("\r\n", "\n") if newline == "\r\n" else text
    if "\x1b[" in plain:
        plain = _COLOUR.sub("", plain)
    if plain.count("\n") * _LINE > len(plain) + _SLACK and not delimiter(plain[:1000].split("\n")[:-1]):
        return None
    end = plain.endswith("\n")
    lines, missing = encode(plain.removesuffix("\n"), want)
    if want.spent():
        return None
    after = newline.join(lines) + (newline if end else "")
    if len(after) >= len(text):
        return None
    return Draft(after, LOSSY, missing) if missing else Draft(after, FAITHFUL)


def compress_settings(text: str, want: Want) -> Draft | None:
    """Return YAML, TOML, INI or a lockfile with its repeated blocks folded; None for anything else."""
    if len(text) < _LEAST or OPENING in text or "\n[... " in text or "\r" in text or "\x1b" in text:
        return None
    found = config.read(text.removesuffix("\n").split("\n"), want)
    if found is None or want.spent():
        return None
    after = "\n".join(found[0]) + ("\n" if text.endswith("\n") else "")
    if len(after) >= len(text):
        return None
    return Draft(after, LOSSY, found[1]) if found[1] else Draft(after, FAITHFUL)


COMPRESSOR = Compressor(
    "tables",
    ("table",),
    sniff,
    compress,
    "tables and command output: padding and borders removed, what rows share said once, all rows kept",
)
