"""What a provider's usage means in one form for all APIs, and what it costs in tokens of plain input.

Two kinds of numbers that are never added up: *usage* is what the provider counted; *estimates* are tokens of ours.
"""

from __future__ import annotations

from headroom_cli import pricing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from headroom_cli.pricing import Rules

# Input by what is paid for it, and output. Output has no price here: it costs the same with and without this program.
PARTS = ("plain", "cache_read", "cache_write", "cache_write_1h", "output")
_HOUR = pricing.PROVIDERS["anthropic 1h"].write


def parts(usage: Mapping[str, int], shape: str) -> dict[str, int]:
    """Return a flat usage (nested names with dots) as PARTS; {} when it does not say what came in.

    Anthropic's ``input_tokens`` is what was neither read from the cache nor written to it. OpenAI's holds both.
    """

    def count(*names: str) -> int:
        return next((max(0, usage[name]) for name in names if name in usage), 0)

    if "prompt_tokens" in usage or "input_tokens" in usage:
        ours = "prompt_tokens" not in usage and (
            "cache_read_input_tokens" in usage or "cache_creation_input_tokens" in usage
            or (shape not in {"openai", "responses"} and "input_tokens_details.cached_tokens" not in usage)
        )  # fmt: skip
        whole = count("prompt_tokens", "input_tokens")
        read = count(
            "cache_read_input_tokens", "prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens"
        )
        write = count(
            "cache_creation_input_tokens", "prompt_tokens_details.cache_write_tokens",
            "input_tokens_details.cache_write_tokens",
        )  # fmt: skip
        hour = min(write, count("cache_creation.ephemeral_1h_input_tokens"))
        plain = whole if ours else max(0, whole - read - write)
        return {
            "plain": plain, "cache_read": read, "cache_write": write - hour, "cache_write_1h": hour,
            "output": count("completion_tokens", "output_tokens"),
        }  # fmt: skip
    return {}


def rules(model: str) -> Rules | None:
    """Return the rules that a model is sold under, None when its name does not tell."""
    name = pricing.for_model(model)
    return pricing.PROVIDERS[name] if name else None


def price(part: Mapping[str, int], by: Rules) -> float:
    """Return what the input of PARTS costs, in tokens of plain input."""
    return (
        part["plain"] + by.read * part["cache_read"] + by.write * part["cache_write"] + _HOUR * part["cache_write_1h"]
    )


def saving(saved: int, old: int, part: Mapping[str, int], by: Rules) -> float:
    """Return what ``saved`` estimated tokens would have cost, in tokens of plain input.

    ``old`` of them are in blocks that an earlier request of the conversation held: the cache would have had them. They
    count at its price where this request was read from the cache at all, or where nothing is known (``part`` is {}).
    The others would have been written to it, where something was written, or would have been plain input.
    """
    written = part["cache_write"] + part["cache_write_1h"] if part else 0
    fresh = (by.write * part["cache_write"] + _HOUR * part["cache_write_1h"]) / written if written else 1.0
    known = min(old, saved)
    return known * (by.read if not part or part["cache_read"] else fresh) + (saved - known) * fresh
