"""The table of specialists: one row per kind family, one file each, imported only when a block needs it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Compressor

# name -> kinds it handles. The module of the same name holds the COMPRESSOR record.
COMPRESSORS: dict[str, tuple[str, ...]] = {
    "records": ("json",),
    "logs": ("log", "test-log"),
    "listings": ("listing",),
    "diffs": ("diff",),
    "search": ("search",),
    "pages": ("html",),
    "code": ("code",),
    "prose": ("prose",),
    "tables": ("table",),
}


def load(name: str) -> Compressor:
    """Return the record of a specialist, importing its file. Raise KeyError for a name not in the table."""
    if name not in COMPRESSORS:
        raise KeyError(name)
    module = __import__(f"headroom_cli.compressors.{name}", fromlist=["COMPRESSOR"])
    compressor: Compressor = module.COMPRESSOR
    return compressor


def for_kind(kind: str) -> str:
    """Return the name of the specialist for a kind, or "" when it has none yet."""
    for name, kinds in COMPRESSORS.items():
        if kind in kinds:
            return name
    return ""
