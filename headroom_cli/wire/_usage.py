"""Usage over several hops: what providers count, added up."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LARGEST = 10**15
_NAMES = 64
_NAME = 100  # characters


def summed(one: Any, other: Any) -> Any:
    """Return two usages as one: numbers added, also of nested objects; of anything else what the second says."""
    if isinstance(one, dict):
        if not isinstance(other, dict):
            return one
        return {**one, **{key: summed(one.get(key), value) for key, value in other.items()}}
    if is_number(one) and is_number(other):
        return one + other
    return one if other is None else other


def flat(usage: dict[str, Any], known: dict[str, int] | None = None) -> dict[str, int]:
    """Return the counts of a usage, one level down with dotted names; ``known`` of an earlier one are gone on with.

    What counts no tokens, and names beyond all that APIs write, are left out: sums and lines of the ledger are bounded.
    """
    found = {} if known is None else known

    def take(name: str, value: Any) -> None:
        if is_count(value) and len(name) <= _NAME and name.isascii() and (name in found or len(found) < _NAMES):
            found[name] = value

    for name, value in usage.items():
        take(name, value)
        for inner, number in value.items() if isinstance(value, dict) else ():
            take(f"{name}.{inner}", number)
    return found


def is_count(value: Any) -> bool:
    """Tell a number of tokens that can be."""
    return type(value) is int and 0 <= value <= _LARGEST


def is_number(value: Any) -> bool:
    """Tell a JSON number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
