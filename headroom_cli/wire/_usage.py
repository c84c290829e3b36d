"""Usage over several hops: what providers count, added up."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def summed(one: Any, other: Any) -> Any:
    """Return two usages as one: numbers added, also of nested objects; of anything else what the second says."""
    if isinstance(one, dict):
        if not isinstance(other, dict):
            return one
        return {**one, **{key: summed(one.get(key), value) for key, value in other.items()}}
    if is_number(one) and is_number(other):
        return one + other
    return one if other is None else other


def flat(usage: dict[str, Any]) -> dict[str, int]:
    """Return the whole numbers of a usage, one level down with dotted names."""
    found: dict[str, int] = {}
    for name, value in usage.items():
        if type(value) is int:
            found[name] = value
        elif isinstance(value, dict):
            found.update({f"{name}.{inner}": number for inner, number in value.items() if type(number) is int})
    return found


def is_number(value: Any) -> bool:
    """Tell a JSON number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
