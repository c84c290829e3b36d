"""Tell tables and command output from other text."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Hint


def table_score(text: str, _hint: Hint) -> float:
    """Return 0..1: how sure it is that a text is a table."""
    from headroom_cli.compressors.tables import boxes, delimited, fixed, git

    head = [line for line in text[:8000].split("\n")[:-1] or [text[:8000]] if line.strip()][:60]
    if len(head) < 3:
        return 0.0
    if boxes.is_table(head):
        return 0.9
    if delimited.delimiter(head):
        return 0.8
    if git.is_git(text):
        return 0.75
    # A header alone is not enough: its columns must hold the rows.
    first = text[:8000].split("\n\n", 1)[0].split("\n")[:60]
    return 0.75 if len(first) > 3 and fixed.header_of(first) >= 0 and fixed.read(first) is not None else 0.0
