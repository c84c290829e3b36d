"""What is left of an array or an object after the scissors, and where the gaps are."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _gaps(numbers: list[int], total: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    at = 1
    for number in (*numbers, total + 1):
        if number != at:
            found.append((at, number))
        at = number + 1
    return found


class Cut(list):  # type: ignore[type-arg] # list[Any] would be built at import, which typing would slow
    """The items that are left of an array, the places they had (from 1), and what all of them held."""

    __slots__ = ("numbers", "summary", "total")

    def __init__(self, items: list[Any], numbers: list[int], total: int, summary: list[str]) -> None:
        """``numbers`` are ascending and as many as ``items``."""
        super().__init__(items)
        self.numbers = numbers
        self.total = total
        self.summary = summary

    def gaps(self) -> list[tuple[int, int]]:
        """Return the runs of items left out, as (first, behind the last)."""
        return _gaps(self.numbers, self.total)

    def noted(self) -> list[Any]:
        """Return the items with a note where some were left out, and the summary behind them."""
        items: list[Any] = []
        at = 1
        for number, item in zip(self.numbers, self, strict=True):
            if number != at:
                items.append(f"[... {number - at} left out]")
            items.append(item)
            at = number + 1
        if at <= self.total:
            items.append(f"[... {self.total + 1 - at} left out]")
        return items + self.summary


class CutKeys(dict):  # type: ignore[type-arg] # as above
    """The entries that are left of a large object of like values; see Cut."""

    __slots__ = ("numbers", "summary", "total")

    def __init__(self, entries: dict[str, Any], numbers: list[int], total: int, summary: list[str]) -> None:
        """``numbers`` are the places the entries had, from 1."""
        super().__init__(entries)
        self.numbers = numbers
        self.total = total
        self.summary = summary

    def gaps(self) -> list[tuple[int, int]]:
        """Return the runs of entries left out, as (first, behind the last)."""
        return _gaps(self.numbers, self.total)

    def noted(self) -> dict[str, Any]:
        """Return the entries, with one more that says what was left out."""
        return {**self, f"[... {self.total - len(self)} of {self.total} keys left out]": " ".join(self.summary)}
