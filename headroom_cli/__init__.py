"""headroom: shrink what LLM agents read, keep every original, give it back byte for byte.

    from headroom_cli import compress, retrieve
    result = compress(messages, model="claude-sonnet-4-5")
    result.messages, result.tokens_before, result.tokens_after, result.tokens_saved, result.blocks

Importing this costs nothing: the engine is loaded by the first call.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.library import Compressed, compress, retrieve

__version__ = "0.1.0"
__all__ = ["Compressed", "__version__", "compress", "retrieve"]


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    if name in ("Compressed", "compress", "retrieve"):
        from headroom_cli import library

        return getattr(library, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
