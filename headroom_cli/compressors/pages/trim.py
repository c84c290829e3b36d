"""Pages whose markup stays: only what nobody reads is taken out of its place."""

from __future__ import annotations

from headroom_cli.model import FAITHFUL, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Want


def squeezed(text: str) -> Draft | None:
    """Return the text without trailing blanks and with one blank line for each run of them."""
    if "\n" not in text:
        return None
    out = []
    blank = False
    for line in text.split("\n"):
        ended = line.rstrip(" \t\r")
        if ended or not blank:
            out.append(ended)
        blank = not ended
    made = "\n".join(out)
    return Draft(made, FAITHFUL) if len(made) < len(text) else None


def trimmed(text: str, want: Want) -> Draft | None:
    return squeezed(text)
