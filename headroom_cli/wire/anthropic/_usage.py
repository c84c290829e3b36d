"""Usage: what one answer says of it, event by event."""

from __future__ import annotations

from headroom_cli.wire._usage import is_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def updated(old: dict[str, Any], new: Any) -> dict[str, Any]:
    """Return usage after a later event of the same answer: its counts are totals and replace; null says nothing."""
    if not isinstance(new, dict):
        return old
    return {**old, **{key: value for key, value in new.items() if value is not None or key not in old}}


def counts(usage: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers alone, nested ones too: what a ``message_delta`` says besides its own members."""
    return {key: value for key, value in usage.items() if is_number(value) or isinstance(value, dict)}
