"""The key of a store that several machines share: all have one, with a copy at hand on each (secret.py)."""

from __future__ import annotations

import os

from headroom_cli.errors import StoreError, StoreVersionError
from headroom_cli.store import secret, shared_put

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.store.shared import Shared


def at_hand(store: Shared) -> bytes | None:
    """Return the copy of the key on this machine, None when there is none. Raise ConfigError for one that is unsafe."""
    try:
        return secret.kept(store)
    except StoreError as error:
        store.front.trouble = str(error)
        return None


def agreed(store: Shared, offered: bytes = b"") -> bytes:
    """Return the key in the shared store; where there is none, what is offered, at hand, or drawn becomes it.

    The copy at hand counts while the shared store is away, so that a restart then changes nobody's scope. Raise
    StoreError, ConfigError.
    """
    kept = at_hand(store)
    made = offered or kept or os.urandom(secret.SIZE)
    records = {"secret": made.hex().encode(), "version": shared_put.VERSION}
    try:
        told = store.call(lambda: store.backend.create(records)).get("secret", records["secret"])
    except StoreVersionError:
        raise
    except StoreError:
        if kept is None:
            raise
        return kept
    try:
        key = bytes.fromhex(told.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != secret.SIZE:
        raise StoreError(f"the secret in {store.where()} is not the one that was made; remove it")
    try:
        secret.keep(store, key)
    except StoreError as error:  # one that cannot be kept at hand is asked for again
        store.front.trouble = str(error)
    return key
