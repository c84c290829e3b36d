"""SHA-256 without OpenSSL for small data: importing hashlib costs 3 ms, more than hashing what a small run holds."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SMALL = 16_384  # bytes: the interpreter's own code takes 57 us for these, OpenSSL 9 us once it is loaded
_OWN = "_sha2" if sys.version_info >= (3, 12) else "_sha256"


def sha256(data: bytes) -> str:
    """Return the SHA-256 of the data in lower-case hex."""
    if len(data) <= _SMALL and "hashlib" not in sys.modules:
        try:
            own: Any = __import__(_OWN)
        except ImportError:  # a build without it: hashlib knows where to look
            own = __import__("hashlib")
    else:
        own = __import__("hashlib")
    digest: str = own.sha256(data).hexdigest()
    return digest
