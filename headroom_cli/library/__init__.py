"""The library: the calls that a program makes instead of running the command.

calls.py        compress, retrieve, tool
headroom.py     Headroom: the same with a store, a policy and plugins that stay
many.py         compress_many: batches, in processes of their own (worker.py)
objects.py      message objects of the official SDKs, as plain values and back
result.py       what the calls return
wrap.py         wrap, unwrap: an SDK's client whose requests are smaller (going.py, turns.py;
                transports.py, streams.py, exchanges.py for what is httpx's)
"""

from __future__ import annotations

from headroom_cli.library.calls import compress, retrieve, tool
from headroom_cli.library.result import Compressed, reason

__all__ = ["Compressed", "compress", "reason", "retrieve", "tool"]
