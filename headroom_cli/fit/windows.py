"""How much a model takes in: only what its vendor documents, for models whose name tells it."""

from __future__ import annotations

# The longest name that a model's begins with decides; provider prefixes and dates do not matter. Sources: the models
# pages of the vendors' documentation (platform.claude.com/docs/en/about-claude/models, platform.openai.com/docs/models,
# ai.google.dev/gemini-api/docs/models), read in November 2026. Larger windows that must be asked for by a header are
# not assumed. What is not here has no window that we know of, and nothing is left out for its sake.
_WINDOWS = {
    "claude-3": 200_000,
    "claude-haiku-4": 200_000,
    "claude-sonnet-4": 200_000,
    "claude-opus-4": 200_000,
    "gpt-3.5-turbo": 16_385,
    "gpt-4": 8_192,
    "gpt-4-32k": 32_768,
    "gpt-4-turbo": 128_000,
    "gpt-4o": 128_000,
    "gpt-4.1": 1_047_576,
    "gpt-5": 400_000,
    "o1": 200_000,
    "o1-mini": 128_000,
    "o3": 200_000,
    "o4-mini": 200_000,
    "gemini-1.5-pro": 2_097_152,
    "gemini-1.5-flash": 1_048_576,
    "gemini-2.0-flash": 1_048_576,
    "gemini-2.5": 1_048_576,
}


def window(model: str) -> int | None:
    """Return the tokens that a model takes in, None when that is not known."""
    name = model.lower().rpartition("/")[2]
    # Bedrock and regional names: "us.anthropic.claude-sonnet-4-20250514-v1:0"
    _, found, behind = name.partition("claude-")
    name = found + behind if found else name
    best = ""
    for prefix in _WINDOWS:
        rest = name[len(prefix) :]
        if name.startswith(prefix) and rest[:1] in ("", "-", ".", ":", "@") and len(prefix) > len(best):
            best = prefix
    # "gpt-4" is one model, "gpt-4-1106-preview" another with another window.
    if best == "gpt-4" and name[5:] not in ("", "-0314", "-0613"):
        return None
    return _WINDOWS.get(best)
