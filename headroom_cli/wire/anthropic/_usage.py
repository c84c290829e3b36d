"""Usage: what one answer says of it, and the sum over several."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def updated(old: dict[str, Any], new: Any) -> dict[str, Any]:
    """Return usage after a later event of the same answer: its counts are totals and replace; null says nothing."""
    if not isinstance(new, dict):
        return old
    return {**old, **{key: value for key, value in new.items() if value is not None or key not in old}}


def added(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the usage of two answers: numbers are added, objects alike; of anything else ``other``'s value holds."""
    made = dict(one)
    for key, value in other.items():
        old = made.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            made[key] = added(old, value)
        elif _is_number(old) and _is_number(value):
            made[key] = old + value
        elif value is not None or key not in made:
            made[key] = value
    return made


def counts(usage: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers alone, nested ones too: what a ``message_delta`` says besides its own members."""
    return {key: value for key, value in usage.items() if _is_number(value) or isinstance(value, dict)}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
