"""Requests of an SDK's client on their way out: which are conversations, and what becomes of them.

The same engine as the proxy's, without a socket: ``send.ready`` makes a request smaller, ``relay.Relay`` shows its
caller one turn over any number of hops. The laws are the proxy's, too: our tool only from a conversation's first
request on, renderings replayed, originals only for the credential and the conversation that they were given to.
"""

from __future__ import annotations

import logging

from headroom_cli import backends, send
from headroom_cli.errors import StoreError
from headroom_cli.events import OPEN_HEADERS
from headroom_cli.identity import Identity
from headroom_cli.library import calls, counting
from headroom_cli.library.headroom import plugins_of, renewed
from headroom_cli.library.turns import Turn
from headroom_cli.relay import Relay
from headroom_cli.settings import resolve
from headroom_cli.shaping.asked import Shaping, of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.backends import Headers
    from headroom_cli.library.headroom import Headroom
    from headroom_cli.model import Policy

    Pairs = list[tuple[bytes, bytes]]

# The end of a path -> the row of wire.WIRES, the row of backends.BACKENDS that speaks it, whether it is answered by a
# turn of a model (else by a number of tokens).
ROWS = {
    "/v1/messages": ("anthropic", "anthropic", True),
    "/v1/messages/count_tokens": ("anthropic", "anthropic", False),
    "/chat/completions": ("openai", "openai", True),
    "/responses": ("responses", "openai", True),
}
_MOST = 64 << 20  # bytes of a body; a larger one goes as it is
# Of a request whose body is signed, or named by a digest, above the connection: another body would make these wrong.
_SIGNS = frozenset((b"content-digest", b"content-md5", b"digest", b"signature", b"x-amz-content-sha256"))
_OFF = frozenset((b"1", b"true", b"yes", b"on"))
_TOLD = 100  # different sentences that are written to the log

_log = logging.getLogger("headroom_cli")


class Wrapping:
    """What all requests of a wrapped client have in common; may be used by any number of threads at once."""

    __slots__ = ("__weakref__", "_identity", "_plugins", "_policy", "_redeem", "_said", "_shaping", "_store")

    def __init__(self, headroom: Headroom, *, output_shaper: bool | None = None) -> None:
        """Take store, policy and plugins; ``output_shaper`` None means as the settings say. Raise ConfigError."""
        self._shaping = {**of(resolve({})), "output_holdout": 0.0, "holdout": 0.0}
        if output_shaper is not None:
            self._shaping["on"] = output_shaper
        self._store = headroom.store
        # A client that answers calls of the tool itself needs no other way; one that wants no markers says so.
        self._redeem = "none" if headroom.policy.redeem == "none" else "tool"
        self._policy = headroom.policy
        self._plugins = plugins_of(headroom.named, "send")
        self._identity: Identity | None = None
        self._said: set[str] = set()
        renewed(self)

    def row(self, method: str, path: str, headers: Pairs) -> tuple[str, str, bool] | None:
        """Return the row of ROWS that a request is of; None for one that goes as it is.

        Those are bodies that are no plain JSON, bodies that a signature covers, and requests that ask for it by the
        header x-headroom-bypass, as they may ask a proxy.
        """
        if method != "POST":
            return None
        path = path.rstrip("/")
        found = next((row for end, row in ROWS.items() if path.endswith(end)), None)
        if found is None:
            return None
        fields = {name.lower(): value.lower() for name, value in headers}
        plain = b"json" in fields.get(b"content-type", b"") and b"content-encoding" not in fields
        signed = fields.get(b"authorization", b"").startswith(b"aws4-") or not _SIGNS.isdisjoint(fields)
        off = signed or fields.get(b"x-headroom-bypass") in _OFF
        return found if plain and not off else None

    def prepared(self, row: tuple[str, str, bool], body: bytes, headers: Pairs) -> Going | None:
        """Return the request as it goes out; None when it goes as it came, whatever the reason."""
        if len(body) > _MOST:
            return None
        try:
            return self._prepared(row, body, headers)
        except Exception as error:  # noqa: BLE001 - a request is worth more than what shortening it would save
            self.tell(f"a request was not shortened: {calls.why(error)}")
            return None

    def _prepared(self, row: tuple[str, str, bool], body: bytes, headers: Pairs) -> Going:
        shape, name, is_turn = row
        backend = backends.load(name)[0]
        if self._identity is None:
            self._identity = Identity(self._store.name)
        own = api_headers(headers)
        options = send.Options(
            headers=own, redeem=self._redeem, scope=self._identity.scope(headers), plugins=self._plugins,
            shaping=Shaping(**self._shaping, counting=not is_turn),
        )  # fmt: skip
        ready = send.ready(body, self._asked(), self._store, backend, options, form=shape)
        for warning in ready.result.warnings:
            self.tell(warning)
        if any(report.handle for report in ready.result.blocks):
            try:
                ready.grant()
            except StoreError as error:
                self.tell(f"what was left out cannot be fetched elsewhere: {error}")
        going = Going(ready.request.body, None if ready.request.headers == own else ready.request.headers)
        if is_turn and (ready.request.ours or ready.telling is not None):
            relay = Relay(ready.request, backend, backends.Target(), ready.desk())
            going.turn = Turn(ready, relay, self.tell, self._store.root)
        elif is_turn:
            counting.answered(self._store.root, ready, None, 0)
        going.stream = ready.request.stream
        return going

    def _asked(self) -> Policy:
        policy = self._policy.redeemed(self._redeem)
        policy.live = True
        return policy

    def tell(self, sentence: str) -> None:
        """Write what could not be done to the log of this package, once."""
        if sentence not in self._said and len(self._said) < _TOLD:
            self._said.add(sentence)
            _log.warning("%s", sentence)

    def renew(self) -> None:
        """Take a new lock in a forked child."""
        if self._plugins is not None:
            self._plugins.renew_lock()


class Going:
    """A request on its way out.

    ``body``     what goes out
    ``headers``  those that belong to the API, when a plugin changed them; None when they are the client's
    ``turn``     who shows the client one turn, and tells plugins of it; None where the answer passes as it is
    ``stream``   whether a stream was asked for
    """

    __slots__ = ("body", "headers", "stream", "turn")

    def __init__(self, body: bytes, headers: Headers | None) -> None:
        """Start as a request whose answer passes as it is."""
        self.body = body
        self.headers = headers
        self.turn: Turn | None = None
        self.stream = False


def api_headers(headers: Pairs) -> Headers:
    """Return those of a client's headers that belong to its API, and open nothing."""
    pairs = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
    return tuple((name, value) for name, value in pairs if name in OPEN_HEADERS)


def sent_headers(headers: Pairs, body: bytes, api: Headers | None, *, again: bool) -> Pairs:
    """Return the headers with which a body goes out; ``again``: it is another hop of a request that was answered.

    A key by which a provider knows a request again must not come with another body.
    """
    made: Pairs = []
    for name, value in headers:
        low = name.lower()
        if low == b"content-length":
            made.append((name, b"%d" % len(body)))
        elif not (
            low == b"transfer-encoding"
            or (again and low == b"idempotency-key")
            or (api is not None and low.decode("latin-1") in OPEN_HEADERS)
        ):
            made.append((name, value))
    return made + [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in api or ()]
