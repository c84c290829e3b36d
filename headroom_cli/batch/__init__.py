"""Stored conversations by the million: rows of files in, the same rows in shards out.

    places    the files that are read, and the parts they are cut into
    shards    one part: read, compressed, written whole or not at all
    tables    ``compress_batch``: a table of rows in, the same table out
    rows      one row
    gathering the store that waits until the end of a table
    engines   who does the parts, and in which order: this machine's processes, Ray or Dask
    job       what is asked for

A row is compressed as ``headroom crush`` would compress it alone in a new store, whatever stands beside it: so neither
the number of workers nor their order shows in the result.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.batch.tables import compress_batch

__all__ = ["compress_batch"]


def __getattr__(name: str) -> Any:
    """Import what is asked for: pyarrow takes a tenth of a second."""
    if name == "compress_batch":
        from headroom_cli.batch.tables import compress_batch

        return compress_batch
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
