"""Pages whose markup stays: only what nobody reads is taken out of its place."""

from __future__ import annotations

from headroom_cli.compressors import _blobs
from headroom_cli.compressors.pages.scan import tags
from headroom_cli.compressors.pages.shape import is_xml
from headroom_cli.model import FAITHFUL, LOSSY, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Want

# Tokens; smaller pages are what somebody is writing.
_LEAST = 2000
_SURELY = 40_000  # characters that are more tokens than that without counting
# Characters that a note must be worth.
_PART = 160
# Characters of text below which a page is filled in by its scripts.
_BARE = 500
_BLANK = " \t"
# Text in a drawing, and what stands outside any drawing: a page that forgot </svg> goes on here.
_NOT_DRAWN = frozenset(("text", "foreignobject", "div", "p", "body", "ul", "li", "table", "h1", "h2", "h3", "section"))


def squeezed(text: str) -> Draft | None:
    """Return the text without trailing blanks and with one blank line for each run of them."""
    if "\n" not in text:
        return None
    out = []
    blank = False
    for line in text.split("\n"):
        end = "\r" if line.endswith("\r") else ""
        ended = line[: len(line) - len(end)].rstrip(_BLANK)
        if ended or not blank:
            out.append(ended + end)
        blank = not ended
    made = "\n".join(out)
    return Draft(made, FAITHFUL) if len(made) < len(text) else None


def trimmed(text: str, want: Want) -> Draft | None:
    """Return a page with notes instead of its scripts, styles, drawings, long comments and data URIs."""
    if (len(text) < _SURELY and want.count(text) < _LEAST) or is_xml(text):
        return squeezed(text)
    cuts = _cuts(text)
    if want.spent():
        return None
    out: list[str] = []
    at = gone = 0
    kinds: dict[str, int] = {}
    for start, end, what in cuts:
        out.extend((text[at:start], f"[... {end - start:,} characters: {what}]"))
        kinds[what] = kinds.get(what, 0) + 1
        gone += end - start
        at = end
    out.append(text[at:])
    made, blobs = _blobs.cut("".join(out))
    if not gone and not blobs:
        return squeezed(text)
    if blobs:
        count, characters = (int(word.replace(",", "")) for word in blobs.split() if word[0].isdigit())
        kinds["blob"] = count
        gone += characters
    said = [f"{count:,} {what}{'s' if count > 1 else ''}" for what, count in kinds.items()]
    return Draft(made, LOSSY, ", ".join((*said, f"{gone:,} characters")))


def _cuts(text: str) -> list[tuple[int, int, str]]:
    """Return what nobody reads, in order: start, end, what it is."""
    found: list[tuple[int, int, str]] = []
    data: list[tuple[int, int, str]] = []  # JSON in scripts: what a page without text of its own shows
    visible = at = 0
    drawing = -1
    words = False  # the open drawing shows text
    raw = said = ""
    for start, end, name, after in tags(text):
        if raw:
            if start - at >= _PART:
                (data if "json" in said else found).append((at, start, raw))
            raw = ""
        elif drawing < 0 and visible < _BARE:
            visible += len(text[at:start].strip())
        if name in ("script", "style"):
            raw, said = name, text[after:end].lower()
        elif name == "!--":
            # Also conditional comments: what an old browser would have shown.
            if end - 3 - after >= _PART and text.startswith("-->", end - 3):
                found.append((after, end - 3, "comment"))
        elif name == "svg":
            if drawing < 0 and text[end - 2] != "/":
                drawing, words = end, False
        elif name == "/svg":
            if 0 <= drawing <= start - _PART and not words:
                while found and found[-1][0] >= drawing:
                    found.pop()
                found.append((drawing, start, "drawing"))
            drawing = -1
        elif drawing >= 0 and name in _NOT_DRAWN:
            words = words or name in ("text", "foreignobject")
            drawing = drawing if words and name in ("text", "foreignobject") else -1
        at = end
    if raw and len(text) - at >= _PART:
        found.append((at, len(text), raw))
    return sorted((*found, *data)) if visible >= _BARE else found
