"""What a provider's usage means in one form for all APIs, and what it costs.

Two kinds of numbers that are never added up: *usage* is what the provider counted; *estimates* are tokens of ours.
"""

from __future__ import annotations

from collections import OrderedDict

from headroom_cli import pricing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from headroom_cli.pricing import Rules

    Units = tuple[int, int, int, int, int]  # what one token of each of PARTS costs, in thousandths of the money below

# Input by what is paid for it, and output.
PARTS = ("plain", "cache_read", "cache_write", "cache_write_1h", "output")
_HOUR = pricing.PROVIDERS["anthropic 1h"].write


def parts(usage: Mapping[str, int], shape: str) -> dict[str, int]:
    """Return a flat usage (nested names with dots) as PARTS; {} when it does not say what came in.

    Anthropic's ``input_tokens`` is what was neither read from the cache nor written to it. OpenAI's holds both.
    Gateways write the same count under several names, under some of them 0: the largest is it.
    """

    def count(*names: str) -> int:
        return max(0, *(usage.get(name, 0) for name in names))

    if "prompt_tokens" in usage or "input_tokens" in usage:
        apart = usage.keys().isdisjoint(("prompt_tokens", "input_tokens_details.cached_tokens")) and (
            "cache_read_input_tokens" in usage or "cache_creation_input_tokens" in usage
            or shape not in {"openai", "responses"}
        )  # fmt: skip
        whole = count("prompt_tokens", "input_tokens")
        read = count(
            "cache_read_input_tokens", "prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens",
            "prompt_cache_hit_tokens",
        )  # fmt: skip
        write = count(
            "cache_creation_input_tokens", "prompt_tokens_details.cache_write_tokens",
            "input_tokens_details.cache_write_tokens",
        )  # fmt: skip
        hour = min(write, count("cache_creation.ephemeral_1h_input_tokens"))
        plain = whole if apart else max(0, whole - read - write)
        return {
            "plain": plain, "cache_read": read, "cache_write": write - hour, "cache_write_1h": hour,
            "output": count("completion_tokens", "output_tokens"),
        }  # fmt: skip
    return {}


def rules(model: str) -> Rules | None:
    """Return the rules that a model is sold under, None when its name does not tell."""
    name = pricing.for_model(model)
    return pricing.PROVIDERS[name] if name else None


def by_rules(by: Rules) -> Units:
    """Return prices in millionths of a token of plain input; output has none, it costs what it cost before."""
    return 1_000_000, round(1e6 * by.read), round(1e6 * by.write), round(1e6 * _HOUR), 0


def cost(part: Mapping[str, int], units: Units) -> int:
    """Return what PARTS cost, in whole units of money.

    They are billionths of a dollar or thousandths of a token of plain input, as ``units`` say.
    """
    return (sum(unit * part[name] for name, unit in zip(PARTS, units, strict=True)) + 500) // 1000


def worth(saved: int, old: int, part: Mapping[str, int], units: Units) -> int:
    """Return what ``saved`` estimated tokens would have cost, in whole units of money.

    ``old`` of them are in blocks that an earlier request of the conversation held: the cache would have had them. They
    count at its price where this request was read from the cache at all, or where nothing is known (``part`` is {}).
    The others would have been written to it, where something was written, or would have been plain input. The same
    holds below zero, for what was added.
    """
    plain, read, write, hour, _ = units
    written = part["cache_write"] + part["cache_write_1h"] if part else 0
    fresh = write * part["cache_write"] + hour * part["cache_write_1h"] if written else plain
    each = written or 1  # fresh is the price of so many tokens
    known = sorted((0, old, saved))[1] if not part or part["cache_read"] else 0
    return (known * read * each + (saved - known) * fresh + 500 * each) // (1000 * each)


def price(part: Mapping[str, int], by: Rules) -> float:
    """Return what the input of PARTS costs, in tokens of plain input."""
    return cost(part, by_rules(by)) / 1000


def saving(saved: int, old: int, part: Mapping[str, int], by: Rules) -> float:
    """Return what ``worth`` says, in tokens of plain input."""
    return worth(saved, old, part, by_rules(by)) / 1000


class Conversations:
    """What was saved in the last request of each conversation, of the newest ones."""

    __slots__ = ("_most", "_saved")

    def __init__(self, most: int) -> None:
        """Remember so many conversations."""
        self._most = most
        self._saved: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._saved)

    def known(self, conversation: str, saved: int, part: Mapping[str, int]) -> int:
        """Return how much of what was saved is in blocks that the conversation's last request held already."""
        if not conversation:
            # Nobody can tell what was sent before: the cheaper price is taken wherever the cache was read.
            return saved if part and part["cache_read"] else 0
        old = self._saved.pop(conversation, 0)
        self._saved[conversation] = saved
        if len(self._saved) > self._most:
            self._saved.popitem(last=False)
        return old
