"""What is asked for, in a form that travels to other processes and machines."""

from __future__ import annotations

import json
import os

from headroom_cli import tokens
from headroom_cli.hashing import sha256
from headroom_cli.store import named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Policy
    from headroom_cli.store import Store

# A table has about so many bytes, and the originals of a table share their barriers.
TABLE = 8 << 20
# A row above this stays as it is: compressing takes three times its size in memory.
LARGEST_ROW = 12 << 20


class Job:
    """How rows are compressed.

    ``policy``  as for the other verbs, with ``fresh``: no row knows of another
    ``store``   the name of the store that keeps the originals
    ``model``, ``ranks``  how tokens are counted
    ``column``  where the conversation of a row is, "" where that is to be found
    ``counts``  rows get three columns more: tokens before and after, and what is wrong with the row
    """

    __slots__ = ("column", "counts", "model", "policy", "ranks", "store")

    def __init__(
        self, policy: Policy, store: str, *, model: str = "", ranks: str = "", column: str = "", counts: bool = False
    ) -> None:
        """Take the policy over: ``fresh`` is set in it."""
        policy.fresh = True
        self.policy = policy
        self.store = store if "://" in store else os.path.abspath(store)  # a worker may stand in another folder
        self.model = model
        self.ranks = ranks
        self.column = column
        self.counts = counts

    def identity(self) -> str:
        """Return a digest of all that the rows depend on, this version of the program with it."""
        version = __import__("headroom_cli").__version__  # the package stands above its layers, its version does not
        policy = self.policy
        told = [
            version, policy.identity(turns=True), policy.identity(turns=False), policy.redeem, policy.budget,
            self.model, self.ranks, self.column, self.counts, LARGEST_ROW,
        ]  # fmt: skip
        return sha256(json.dumps(told).encode())

    def open_store(self) -> Store:
        """Return the store, and count tokens as asked from here on. Raise StoreError, ConfigError."""
        if self.ranks and not tokens.is_exact():
            tokens.use_exact(self.ranks)
        return named(self.store)
