"""CacheAligner: volatile values leave the prefix of a conversation, so that what stands in front stays the same."""

from __future__ import annotations

from headroom_cli.align.values import Value, find

__all__ = ["Value", "find"]
