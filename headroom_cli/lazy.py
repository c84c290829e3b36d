"""Regular expressions that are compiled when they are first used.

Compiling the hundred patterns of this program takes 25 ms, as long as ``jq`` runs in all; most runs use a few of them.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, AnyStr


class _Lazy:
    """Stands for a compiled pattern; its methods become plain attributes at their first use."""

    def __init__(self, source: Any, flags: int) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        value = getattr(re.compile(self._source, self._flags), name)
        # From now on found in the instance, at the speed of any attribute. `re` keeps the compiled pattern's other
        # methods within reach: it caches by source and flags.
        setattr(self, name, value)
        return value


def pattern(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what behaves as ``re.compile(source, flags)`` and compiles at the first call of a method."""
    return _Lazy(source, flags)  # type: ignore[return-value]
