"""What worker processes are asked to do, and what they answer: plain values that travel through a pipe."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.backends import Headers

# What a worker process writes where an access token belongs: only the loop knows whether one is still good.
PLACE = "to-be-got"


class Ask:
    """One request to be shortened.

    ``shape``    a row of wire.WIRES: how the client wrote it
    ``body``     its bytes, decoded
    ``what``     "messages", "count" (as it will be sent, but nothing begins), "socket" (no tool) or "off" (no tool, and
                 nothing is shortened)
    ``headers``  the client's own that belong to the API; never credentials
    ``scope``    who asks, as a digest: credential and session (see identity.py)
    ``policy``   keywords of model.Policy that differ for this request
    ``model``    the model's name where it stands in the path
    ``number``   the request's number in this proxy
    ``stream``   a stream is asked for by the path
    """

    __slots__ = ("body", "headers", "model", "number", "policy", "scope", "shape", "stream", "what")

    def __init__(
        self, shape: str, body: bytes, *, what: str = "messages", headers: Headers = (), scope: str = "",
        policy: dict[str, Any] | None = None, model: str = "", number: int = 0, stream: bool = False,
    ) -> None:  # fmt: skip
        """Only the shape and the body are needed."""
        self.shape = shape
        self.body = body
        self.what = what
        self.headers = headers
        self.scope = scope
        self.policy = policy or {}
        self.model = model
        self.number = number
        self.stream = stream


class Made:
    """The request as it goes out, and what became of its blocks.

    ``body``       the bytes to send; from a worker b"" where nothing changed: they need not travel back
    ``call``       (url, headers) for a backend with keys of its own, None for a direct call
    ``shape``, ``stream``, ``model``, ``ours``, ``include_usage``, ``conversation``   see relay.Request
    ``before``, ``after``   tokens, estimates
    ``kinds``      kind -> {"blocks", "before", "after", "kept": {reason: blocks}}, as in the ledger
    ``slow``       the slowest and the largest kept blocks: [{"path", "kind", "before", "after", "kept", "ms"}]
    ``marked``     blocks with a marker
    ``turns``      turns of the model so far
    ``digest``     of the first turn of the user: names the conversation
    ``why``        why nothing changed, "" when something did
    ``warnings``   what could not be done
    ``headers``    what plugins made of the client's API headers, None where they stay
    ``told``       what plugins are to be told of later, None for nobody
    ``refused``    (status, sentence) when it cannot be sent at all, None when it can
    ``notes``      its answer is to be remembered, whatever comes
    ``ms``         milliseconds that it took
    ``trial``      the arms of trials that it is in, as in the ledger; {} for none
    ``tools``      tool's name -> {"blocks", "before", "after"}, as in the ledger
    ``overhead``   tokens of ours in the request, as in the ledger
    """

    __slots__ = (
        "after", "before", "body", "call", "conversation", "digest", "headers", "include_usage", "kinds", "marked",
        "model", "ms", "notes", "ours", "overhead", "refused", "shape", "slow", "stream", "told", "tools", "trial",
        "turns", "warnings", "why",
    )  # fmt: skip

    def __init__(self, shape: str, body: bytes, *, why: str = "") -> None:
        """Start as a request that goes as it came."""
        self.shape = shape
        self.body = body
        self.why = why
        self.call: tuple[str, Headers] | None = None
        self.stream = False
        self.model = ""
        self.ours: frozenset[str] = frozenset()
        self.include_usage = False
        self.conversation = False
        self.before = 0
        self.after = 0
        self.kinds: dict[str, Any] = {}
        self.slow: list[dict[str, Any]] = []
        self.marked = 0
        self.turns = 0
        self.digest = ""
        self.warnings: list[str] = []
        self.notes = False
        self.refused: tuple[int, str] | None = None
        self.headers: Headers | None = None
        self.told: dict[str, Any] | None = None
        self.ms = 0.0
        self.trial: dict[str, Any] = {}
        self.tools: dict[str, Any] = {}
        self.overhead: dict[str, int] = {}
