"""What a picture costs in tokens, by the rules that the providers publish, and the size that a model is shown.

A family names a rule; behind a colon it may carry the ``detail`` of an OpenAI request ("openai-tiles:low").

Anthropic ("Vision" and "Coordinates and bounding boxes", platform.claude.com/docs/en/build-with-claude, as of 2026):
one token for each 28 x 28 pixels, the edges filled up: ceil(w / 28) * ceil(h / 28). What is larger than 1568 pixels
on a side or 1568 tokens is first scaled down, on models from Opus 4.7 on 2576 pixels or 4784 tokens. Until 2025 the
same page said w * h / 750 and about 1,600 tokens: the same within 5 %, for 28 * 28 is 784.

OpenAI ("Images and vision", developers.openai.com/api/docs/guides, as of March 2026): either tiles of 512 pixels after
scaling into 2048 x 2048 and to 768 on the short side, or patches of 32 pixels up to a budget, times a factor of the
model. Both never enlarge.
"""

from __future__ import annotations

from headroom_cli.lazy import pattern

_PATCH = 28
# long edge in pixels, tokens
_ANTHROPIC = {"anthropic": (1568, 1568), "anthropic-large": (2576, 4784)}
# tokens for the picture as such, tokens for each tile
_TILES = {
    "openai-tiles": (85, 170),  # gpt-4o, gpt-4.1, gpt-4.5
    "openai-tiles-5": (70, 140),  # gpt-5, gpt-5-chat, gpt-5.1
    "openai-tiles-o": (75, 150),  # o1, o1-pro, o3
    "openai-tiles-mini": (2833, 5667),  # gpt-4o-mini: more tokens, each cheaper
    "openai-tiles-computer": (65, 129),  # computer-use-preview
}
# patches, long edge in pixels, factor
_PATCHES = {
    "openai-patches": (1536, 2048, 1.62),  # gpt-4.1-mini, gpt-5-mini
    "openai-patches-nano": (1536, 2048, 2.46),  # gpt-4.1-nano, gpt-5-nano
    "openai-patches-o4": (1536, 2048, 1.72),  # o4-mini
    "openai-patches-5": (1536, 2048, 1.2),  # gpt-5.2, gpt-5.3, the codex models
    "openai-patches-2500": (2500, 2048, 1.2),  # gpt-5.4
    "openai-patches-original": (10_000, 6000, 1.2),  # gpt-5.5 and later take pictures as they are unless told otherwise
}
FAMILIES = (*_ANTHROPIC, *_TILES, *_PATCHES)

# Claude's large pictures began with Opus 4.7; a name without a second number is of the series ".0".
_CLAUDE = pattern(r"claude-(?:(opus|sonnet|haiku|fable|mythos)-)?(\d{1,2})(?:[-.](\d{1,2})(?!\d))?")
_GPT = pattern(r"gpt-(\d)(?:\.(\d{1,2}))?([a-z]?)")
_LARGE_FROM = (4, 7)


def family_of(model: str, format_name: str, detail: str = "") -> str:
    """Return the family of a model, of the format's own provider where the name is empty or unknown.

    Names are taken as clients write them ("us.anthropic.claude-opus-4-8-v1:0", "openai/gpt-4o"). ``detail`` is what an
    OpenAI request says at the picture: "", "auto", "low", "high" or "original".
    """
    name = model.lower()
    if "claude" in name or (format_name == "anthropic" and "gpt" not in name):
        found = _CLAUDE.search(name)
        version = (int(found.group(2)), int(found.group(3) or 0)) if found else (0, 0)
        return "anthropic-large" if version >= _LARGE_FROM else "anthropic"
    if format_name not in {"openai", "responses"} and not _GPT.search(name) and not name.startswith(("o1", "o3", "o4")):
        return "anthropic"
    family = _openai(name.rpartition("/")[2])
    if detail == "low":
        return f"{family}:low"
    if detail == "high" and family == "openai-patches-original":
        return "openai-patches-2500"
    return family


def _openai(name: str) -> str:
    """Return the family of a model of OpenAI; of others that speak its shape we assume patches."""
    if "computer-use" in name:
        return "openai-tiles-computer"
    if name.startswith(("o4-mini", "codex-mini")):
        return "openai-patches-o4"
    if name.startswith(("o1", "o3")):
        return "openai-tiles-o"
    found = _GPT.search(name)
    if found is None:
        return "openai-patches"
    version = (int(found.group(1)), int(found.group(2) or 0))
    if version <= (4, 0) or version in {(4, 1), (4, 5)}:
        if found.group(3) == "o" and "mini" in name:
            return "openai-tiles-mini"
        if "nano" in name:
            return "openai-patches-nano"
        return "openai-patches" if "mini" in name else "openai-tiles"
    if version <= (5, 4) and ("mini" in name or "nano" in name):
        return "openai-patches-nano" if "nano" in name else "openai-patches"
    if version <= (5, 1):
        return "openai-patches-5" if "codex" in name and "mini" in name else "openai-tiles-5"
    if version <= (5, 3):
        return "openai-patches-5"
    return "openai-patches-2500" if version == (5, 4) else "openai-patches-original"


def tokens(width: int, height: int, family: str) -> int:
    """Return what a picture of so many pixels costs; raise ValueError for an unknown family or an empty picture."""
    family, _, detail = family.partition(":")
    if width < 1 or height < 1:
        raise ValueError("a picture has at least one pixel")
    if family in _TILES:
        base, each = _TILES[family]
        if detail == "low":
            return base
        wide, high = _in_tiles(width, height)
        return base + each * -(-wide // 512) * -(-high // 512)
    wide, high = sent(width, height, f"{family}:{detail}" if detail else family)
    if family in _ANTHROPIC:
        return _count(wide, high, _PATCH)
    budget, _, factor = _PATCHES[family]
    return round(min(budget, _count(wide, high, 32)) * factor)


def sent(width: int, height: int, family: str) -> tuple[int, int]:
    """Return the size that the model is shown: the picture's own, or what its provider scales it down to."""
    family, _, detail = family.partition(":")
    if detail == "low" and family not in _ANTHROPIC:
        return _within(width, height, 512)
    if family in _ANTHROPIC:
        return _in_budget(width, height, *_ANTHROPIC[family])
    if family in _TILES:
        return _in_tiles(width, height)
    if family in _PATCHES:
        budget, edge, _ = _PATCHES[family]
        return _in_patches(*_within(width, height, edge), budget)
    raise ValueError(f"unknown family of models: {family}")


def _count(width: int, height: int, patch: int) -> int:
    return -(-width // patch) * -(-height // patch)


def _scaled(width: int, height: int, factor: float) -> tuple[int, int]:
    return max(1, round(width * factor)), max(1, round(height * factor))


def _within(width: int, height: int, edge: int) -> tuple[int, int]:
    return _scaled(width, height, min(1.0, edge / max(width, height)))


def _in_budget(width: int, height: int, edge: int, most: int) -> tuple[int, int]:
    """Return the largest size of the same shape whose filled-up edges and tokens are within the limits."""

    def fits(long: int) -> tuple[int, int] | None:
        wide, high = _scaled(width, height, long / max(width, height))
        small = -(-max(wide, high) // _PATCH) * _PATCH <= edge and _count(wide, high, _PATCH) <= most
        return (wide, high) if small else None

    size = fits(max(width, height))
    if size is not None:
        return width, height
    low, high = 1, max(width, height)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return fits(low) or (1, 1)


def _in_tiles(width: int, height: int) -> tuple[int, int]:
    wide, high = _within(width, height, 2048)
    return _scaled(wide, high, min(1.0, 768 / min(wide, high)))


def _in_patches(width: int, height: int, budget: int) -> tuple[int, int]:
    """Scale into the budget, then so that whole patches fit (the published two steps)."""
    if _count(width, height, 32) <= budget:
        return width, height
    factor = (32 * 32 * budget / (width * height)) ** 0.5
    across, down = width * factor / 32, height * factor / 32
    factor *= min(int(across) / across, int(down) / down) if across >= 1 and down >= 1 else 1.0
    return max(1, int(width * factor + 1e-6)), max(1, int(height * factor + 1e-6))
