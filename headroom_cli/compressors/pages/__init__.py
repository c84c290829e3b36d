"""Pages: the text that a reader sees, with its structure; markup, scripts, styles and drawings go.

HTML is walked once (`walk`), other XML becomes an outline in which names and attributes stay (`outline`). In
conversations only scripts, styles, drawings and comments are taken out in place (`trim`): the markup may be what is
worked on.
"""

from __future__ import annotations

from headroom_cli.compressors.pages.read import rendered
from headroom_cli.compressors.pages.shape import is_page, sniff
from headroom_cli.compressors.pages.trim import squeezed, trimmed
from headroom_cli.model import Compressor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Draft, Want


def compress(text: str, want: Want) -> Draft | None:
    """Return the page as text, or None when there is nothing to gain, it is no page, or the time is over."""
    if want.lossless:
        return squeezed(text)
    if not (want.asked or is_page(text)):
        return None
    if want.level == "safe" and want.budget is None:
        return trimmed(text, want)
    draft = rendered(text, want)
    return draft if draft is not None and len(draft.text) < len(text) else None


COMPRESSOR = Compressor(
    "pages",
    ("html",),
    sniff,
    compress,
    "web pages and XML: all readable text with headings, lists, tables and code; markup, scripts and styles go",
)
