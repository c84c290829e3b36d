"""One turn of a model on its way back to an SDK's client: bytes in, bytes out, and what is to be remembered of it."""

from __future__ import annotations

import contextlib

from headroom_cli.errors import HeadroomError, StoreError
from headroom_cli.formats._edits import EditError
from headroom_cli.library import counting
from headroom_cli.send import told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from headroom_cli.relay import Relay
    from headroom_cli.send import Ready


class Turn:
    """One turn over one or more hops.

    ``more``  another hop is to be sent: ``body`` is its request
    ``due``   something is to be written to the store before what ``feed`` returned is shown: call ``note``
    """

    __slots__ = ("_began", "_by_proxy", "_kept", "_over", "_ready", "_relay", "_root", "_status", "_tell", "due")

    def __init__(self, ready: Ready, relay: Relay, tell: Callable[[str], None], root: str) -> None:
        """``tell`` is given sentences about what could not be done; ``root`` is the store's directory."""
        self._root = root
        self._status = 200
        self._ready = ready
        self._relay = relay
        self._tell = tell
        self._began = not (ready.notes and ready.turns == 0)  # whether it is noted that an answer begins
        self._kept = False  # what was hidden before this hop is on the disk
        self._over = False
        self._by_proxy = False  # a proxy of ours answered, which counts the usage itself
        self.due = False

    @property
    def more(self) -> bool:
        """Tell whether another hop is to be sent."""
        return self._relay.more

    @property
    def hops(self) -> int:
        """How many answers have begun."""
        return self._relay.hops

    @property
    def ended(self) -> bool:
        """Tell whether the last event of a stream has come."""
        return self._relay.ended

    def body(self) -> bytes:
        """Return the request of this hop. Raise EditError."""
        return self._relay.appended(self._relay.extra)

    def begin(self, headers: Mapping[str, str]) -> None:
        """Take note that the head of a good answer came. Raise UnreachableError."""
        told.posted(self._ready.telling, self._relay.hops + 1)
        self._by_proxy = "x-headroom-request" in headers
        self._relay.begin(headers.get("content-type", ""))
        self._kept = False

    def feed(self, data: bytes) -> bytes:
        """Take bytes of an answer; return what the client sees of them now."""
        relay = self._relay
        shown = b"".join(event.raw for event in relay.feed(data))
        self.due = (bool(shown) and not self._began) or (relay.stopped and not self._kept)
        return shown

    def note(self) -> None:
        """Write what a client may rely on as soon as it sees what came."""
        self.due = False
        if not self._began:
            self._began = True
            self._noted(self._ready.begin)
        if self._relay.stopped and not self._kept:
            self._kept = True
            if self._relay.hidden()[1] is not None:
                self._noted(lambda: self._ready.remember(self._relay))

    def end(self) -> bytes:
        """Close a hop that has arrived, its calls answered; return what the client sees now.

        When the turn is over, what the next request needs to know is in the store afterwards. Raise UpstreamError.
        """
        relay = self._relay
        shown = b"".join(event.raw for event in relay.end())
        if relay.more:
            return shown
        if not relay.streaming:
            shown += relay.body()
        if not self._began:
            self.note()
        self._remember()
        self._tell_end(relay.failure)
        return shown

    def broke(self, error: HeadroomError | None = None, *, stopped: bool = False) -> None:
        """Take note that the turn ended before its end, or that its client left; never raise."""
        if not self._over:
            with contextlib.suppress(Exception):
                self._remember()
            self._tell_end(error or HeadroomError("broken off"), stopped=stopped)

    def rejected(self, status: int) -> None:
        """Take note that a hop was answered with a status that is no answer, which the client sees as it came."""
        self._status = status
        if self._relay.hops:
            self.broke(self._relay.refused(status, {}, b""))
        else:
            told.posted(self._ready.telling, 1)
            self._tell_end(self._relay.refused(status, {}, b""))

    def refused(self, status: int, body: bytes) -> bytes:
        """Return the end of a stream whose next hop was refused."""
        return self.broken(self._relay.refused(status, {}, body))

    def broken(self, error: HeadroomError) -> bytes:
        """Return the end of a stream that broke off after something of it was shown; b"" where none can be told."""
        self.broke(error)
        return b"".join(event.raw for event in self._relay.broken("api_error", str(error)))

    def _remember(self) -> None:
        relay, ready = self._relay, self._ready
        if not relay.hops or not ready.request.ours:
            return
        turned = relay.turned()
        if ready.notes or turned.hops > 1 or turned.hidden()[1] is not None or turned.held():
            self._noted(lambda: ready.remember(relay))

    def _noted(self, note: Callable[[], None]) -> None:
        try:
            note()
        except (StoreError, EditError) as error:
            self._tell(f"a turn is not remembered: {error}")

    def _tell_end(self, failure: HeadroomError | None, *, stopped: bool = False) -> None:
        self._over = True
        try:
            counting.answered(self._root, self._ready, self._relay, self._status, by_proxy=self._by_proxy)
        except Exception as error:  # noqa: BLE001 - a lost statistic; the answer is worth more
            self._tell(f"an answer is not in the ledger ({type(error).__name__})")
        told.answered(self._ready.telling, self._relay, failure, stopped=stopped)
