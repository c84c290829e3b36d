"""Who asks, as digests: a credential is never kept, only what the install's key makes of it.

``fingerprint``  of the credential that a request shows
``scope``        of the credential and the client's own name for its session: what is given in one is given in no other
"""

from __future__ import annotations

import os

from headroom_cli.errors import StoreError
from headroom_cli.store import named, secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Pairs = Iterable[tuple[bytes, bytes]]

# The first of these that a request has is its credential.
CREDENTIALS = (b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key")
# The first of these that a request has names its session.
SESSIONS = (b"x-headroom-session-id", b"x-claude-code-session-id", b"session-id", b"session_id", b"thread-id")


class Identity:
    """Tells those who ask apart, by the install's key."""

    __slots__ = ("_key", "is_lasting")

    def __init__(self, store: str = "", *, key: bytes = b"") -> None:
        """``store`` names the store with the install's key; ``key`` counts instead where it is given.

        Without a store that can be written: a key of this process, so that nothing given ends up with others, and
        grants end with it. Raise ConfigError for a key that others can read.
        """
        kept = key or _of_install(store)
        self._key = kept or os.urandom(secret.SIZE)
        self.is_lasting = bool(kept) or not store  # not a key that another one should take the place of

    def derived(self, purpose: str) -> str:
        """Return a key for one purpose, in hex: it tells nothing of the install's own."""
        return self._digest(b"for", purpose.encode())

    def fingerprint(self, headers: Pairs) -> str:
        """Return the digest of the credential of a request, of there being none when it shows none."""
        values: dict[bytes, list[bytes]] = {}
        for name, value in headers:
            if name.lower() in CREDENTIALS:
                values.setdefault(name.lower(), []).append(value)
        for name in CREDENTIALS:
            plain = _plain if name == b"authorization" else bytes.strip
            shown = [plain(value) for value in values.get(name, ()) if value.strip()]
            if shown:
                return self._digest(b"credential", *shown)
        return self._digest(b"no credential")

    def scope(self, headers: Pairs, *, session: bool = True) -> str:
        """Return the digest of who asks in which session; without ``session``, of who asks alone."""
        pairs = list(headers)
        named = session_of(pairs) if session else b""
        return self._digest(b"scope", self.fingerprint(pairs).encode(), *([named] if named else ()))

    def scopes(self, headers: Pairs) -> tuple[str, ...]:
        """Return the scopes whose grants count for a request: its session's, and that of no session."""
        pairs = list(headers)
        return tuple(dict.fromkeys((self.scope(pairs), self.scope(pairs, session=False))))

    def _digest(self, *parts: bytes) -> str:
        import hmac

        # Each part with its length: no two lists of parts read the same.
        told = b"".join(b"%d:%b" % (len(part), part) for part in parts)
        return hmac.new(self._key, told, "sha256").hexdigest()


def _of_install(store: str) -> bytes:
    """Return the key of the install, b"" where there is no store to keep it in. Raise ConfigError."""
    try:
        return secret.key(named(store)) if store else b""
    except StoreError:
        return b""


def session_of(headers: Pairs) -> bytes:
    """Return the client's own name for its session, b"" when it gives none."""
    values = {name.lower(): value.strip() for name, value in headers if name.lower() in SESSIONS}
    return next((values[name] for name in SESSIONS if values.get(name)), b"")


def _plain(value: bytes) -> bytes:
    """Return an Authorization header's value with its scheme in lower case and one space behind it."""
    scheme, _, rest = value.strip().partition(b" ")
    return b"%b %b" % (scheme.lower(), rest.strip()) if rest.strip() else value.strip()
