"""Tell tables and command output from other text."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Hint


def table_score(text: str, _hint: Hint) -> float:
    """Return 0..1: how sure it is that a text is a table."""
    from headroom_cli.compressors.tables import boxes, delimited

    head = [line for line in text[:8000].split("\n")[:-1] or [text[:8000]] if line.strip()][:60]
    if len(head) < 3:
        return 0.0
    if boxes.is_table(head):
        return 0.9
    return 0.8 if delimited.delimiter(head) else 0.0
