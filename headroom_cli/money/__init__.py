"""What calls cost: the provider's usage in one form, prices with their date and source, sums of the ledger.

Two kinds of numbers that are never added up: what a provider counted (measured) and estimates of ours.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from headroom_cli.money.prices import Prices


def report(lines: Iterable[dict[str, Any]], prices: Prices | None = None, since: float | None = None) -> dict[str, Any]:
    """Return the sums of the ledger's lines, as ``money.sums`` describes them."""
    from headroom_cli.money import sums

    return sums.report(lines, prices, since)
