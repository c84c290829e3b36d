"""How much a model takes in: only what is the same for every request, for models that a name tells for certain."""

from __future__ import annotations

from headroom_cli.lazy import pattern

# Tokens of input. From public copies of the vendors' tables of models (platform.claude.com, developers.openai.com,
# ai.google.dev), compared in November 2026. Not here: models whose window depends on a header (claude-sonnet-4 to 4-6
# and claude-opus-4-6 take 200,000 or 1,000,000), and models of which these copies differ. What is not here has no
# window that we know of, and nothing is left out of a conversation for its sake.
_WINDOWS = {
    "claude-3-opus": 200_000,
    "claude-3-sonnet": 200_000,
    "claude-3-haiku": 200_000,
    "claude-3-5-sonnet": 200_000,
    "claude-3-5-haiku": 200_000,
    "claude-3-7-sonnet": 200_000,
    "claude-haiku-4-5": 200_000,
    "claude-opus-4": 200_000,
    "claude-opus-4-1": 200_000,
    "claude-opus-4-5": 200_000,
    "gpt-4o": 128_000,
    "gpt-4o-mini": 128_000,
    "gpt-4-turbo": 128_000,
    "gpt-4.1": 1_047_576,
    "gpt-4.1-mini": 1_047_576,
    "gpt-4.1-nano": 1_047_576,
    "gpt-5": 272_000,  # of 400,000, the rest is for the answer
    "gpt-5-mini": 272_000,
    "gpt-5-nano": 272_000,
    "o1": 200_000,
    "o3": 200_000,
    "o3-mini": 200_000,
    "o4-mini": 200_000,
    "gemini-2.0-flash": 1_048_576,
    "gemini-2.5-pro": 1_048_576,
    "gemini-2.5-flash": 1_048_576,
}
# What may follow a name without making it another model: a date, "latest", Bedrock's and Vertex' versions.
_SAME = pattern(r"(?:-latest|[-@]20\d{2}-?\d{2}-?\d{2}|-v\d)?(?:-v\d{1,2})?(?::\d{1,2})?$")


def window(model: str) -> int | None:
    """Return the tokens that a model takes in, None when that is not known."""
    name = model.lower().rpartition("/")[2]
    # "us.anthropic.claude-opus-4-20250514-v1:0"
    name = name[name.find("claude-") :] if "claude-" in name else name
    for known in sorted(_WINDOWS, key=len, reverse=True):
        if name.startswith(known) and _SAME.match(name, len(known)):
            return _WINDOWS[known]
    return None
