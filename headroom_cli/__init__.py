"""headroom: shrink what LLM agents read, keep every original, give it back byte for byte.

    from headroom_cli import compress, retrieve
    result = compress(messages, model="claude-sonnet-4-5")
    result.messages, result.tokens_before, result.tokens_after, result.tokens_saved, result.blocks

docs/library.md is the manual. Importing this costs nothing: the engine is loaded by the first call.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.events import PipelineEvent
    from headroom_cli.library.calls import compress, retrieve, tool
    from headroom_cli.library.headroom import Headroom
    from headroom_cli.library.many import compress_many
    from headroom_cli.library.result import Compressed
    from headroom_cli.library.wrap import unwrap, wrap
    from headroom_cli.model import Policy, Report
    from headroom_cli.store import Store

__version__ = "0.1.0"
__all__ = [
    "Compressed", "Headroom", "PipelineEvent", "Policy", "Report", "Store", "__version__", "compress", "compress_many",
    "retrieve", "tool", "unwrap", "wrap",
]  # fmt: skip
# name -> where it stands
_PLACES = {
    "Compressed": "library.result", "Headroom": "library.headroom", "PipelineEvent": "events", "Policy": "model",
    "Report": "model", "Store": "store", "compress": "library.calls", "compress_many": "library.many",
    "retrieve": "library.calls", "tool": "library.calls", "unwrap": "library.wrap", "wrap": "library.wrap",
}  # fmt: skip


if not TYPE_CHECKING:  # with it in sight, type checkers take any name for one that is here

    def __getattr__(name: str) -> object:
        """Load a public name on first use (PEP 562)."""
        place = _PLACES.get(name)
        if place is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found: object = getattr(__import__(f"headroom_cli.{place}", fromlist=[name]), name)
        return found


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
