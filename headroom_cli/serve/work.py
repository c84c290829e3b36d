"""What a worker process does: requests are made ready, calls of our tool answered, turns remembered.

Each job is a function of the state of its process and of values from the pipe. Jobs of one request may run in different
processes: whatever they need of an earlier one is in the store, or is found out again, which takes milliseconds and
gives the same bytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from urllib.parse import unquote

from headroom_cli import backends, compressors, engine, ledger, routing, send, tokens
from headroom_cli.errors import HeadroomError, KeyMissingError, StoreError
from headroom_cli.formats._edits import EditError
from headroom_cli.model import Policy
from headroom_cli.relay import Relay, Request
from headroom_cli.send.overhead import overhead
from headroom_cli.serve import work_own, work_pages, work_told
from headroom_cli.serve.jobs import PLACE, Made
from headroom_cli.serve.routes import ROWS
from headroom_cli.shaping.asked import Shaping
from headroom_cli.store import named
from headroom_cli.store.place import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from headroom_cli.backends import Backend, Headers, Target
    from headroom_cli.backends import Call as Http
    from headroom_cli.relay import Turned
    from headroom_cli.serve.jobs import Ask
    from headroom_cli.serve.options import Serving
    from headroom_cli.store import Doubt
    from headroom_cli.wire._events import Call

_MARK = b"\xef\xbb\xbf"
# Seconds that a job may wait for a shared store in all; a request that is to go out waits for what its URL says.
_STORE_WAITS = 2.0
_AGAIN_WAITS = 1.0  # of a job that is done again because the store did not answer
_KEPT = 8  # requests that a process remembers having made ready
_KEPT_BYTES = 8 << 20
# What agents read most, so that what shortens it is there before the first request.
_LIKE_A_REQUEST = json.dumps({
    "model": "warm", "max_tokens": 1, "messages": [
        {"role": "user", "content": "look"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "Bash", "input": {"command": "ls"}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": "\n".join(
                f"2026-01-01 00:00:{number:02d} INFO worker: step {number} of 60 done" for number in range(60)
            )},
        ]},
    ],
}).encode()  # fmt: skip
_MOST_SLOW = 12  # rows that say what was kept, and why


class State:
    """What a worker process holds: the store, the policy, and the last requests."""

    __slots__ = ("_ready", "backend", "provider", "serving", "store")

    def __init__(self, serving: Serving) -> None:
        """Open nothing yet."""
        self.serving = serving
        self.store = named(serving.store)
        self._ready: list[tuple[Ask, send.Ready]] = []
        self.backend: Backend | None = None
        self.provider = ""
        if serving.backend:
            self.backend, self.provider = backends.load(serving.backend, gateway=bool(serving.base_url))

    def policy(self, **changes: Any) -> Policy:
        """Return the policy of this proxy with ``changes`` for one request."""
        return Policy(**{"redeem": "tool", **self.serving.policy, "live": True, **changes})

    def answers(self, ask: Ask) -> Backend:
        """Return who answers this request."""
        return self.backend or backends.load(ROWS[ask.shape])[0]

    def target(self) -> Target:
        """Return the address and the keys of the backend."""
        serving = self.serving
        target = backends.Target(
            base=serving.base_url, provider=self.provider, secrets=serving.secrets,
            timeout=serving.limits.silence,
        )  # fmt: skip
        if self.backend is not None and self.backend.token(target) is not None:
            target.token = PLACE
        return target

    def _shaping(self, what: str, *, again: bool) -> Shaping | None:
        """Return how answers are to be shaped: over a WebSocket nothing begins, since a history is not sent again."""
        if what == "messages":
            return Shaping(**self.serving.shaping, again=again)
        if what == "count":
            return Shaping(**{**self.serving.shaping, "counting": True})
        return Shaping(counting=True) if what == "socket" else None

    def _redeem(self, what: str) -> str:
        """Return how originals can be asked for: our tool goes where the whole conversation passes in one request."""
        asked = self.serving.policy.get("redeem", "tool")
        if asked in {"shell", "none"}:
            return str(asked)
        return "tool" if what in {"messages", "count"} else "none"

    def ready(self, ask: Ask, *, known: bool = True) -> send.Ready:
        """Return the request as it goes out; ``known``: it was made ready before, perhaps here."""
        if known:
            for seen, made in self._ready:
                if seen.body == ask.body and seen.scope == ask.scope and seen.policy == ask.policy:
                    return made
        options = send.Options(
            headers=ask.headers, redeem=self._redeem(ask.what), scope=ask.scope,
            plugins=work_told.plugins(self.serving), request_id=str(ask.number),
            # Another backend has the path's words in the body.
            model=unquote(ask.model) if self.backend is not None else "", usual=unquote(ask.model),
            stream=ask.stream and self.backend is not None, shaping=self._shaping(ask.what, again=known),
        )  # fmt: skip
        made = send.ready(ask.body, self.policy(**ask.policy), self.store, self.answers(ask), options, form=ask.shape)
        # What was made without the store is not kept: another process may make the request again, with it, and then the
        # answer to that one is remembered here.
        if ask.what == "messages" and len(ask.body) <= _KEPT_BYTES and not self.store.missed:
            self._ready = [(ask, made), *self._ready[: _KEPT - 1]]
            while sum(len(seen.body) for seen, _ in self._ready) > _KEPT_BYTES:
                self._ready.pop()
        return made


def open(serving: Serving) -> State:  # noqa: A001 - the name that every module of jobs has
    """Start a worker process: what the first request would wait for is imported now."""
    if not tokens.is_exact() and serving.ranks:
        tokens.use_exact(serving.ranks)
    for name in compressors.COMPRESSORS:
        compressors.load(name)
    routing.stay()
    state = State(serving)
    engine.crush(_LIKE_A_REQUEST, state.policy(), None, form="anthropic", dry=True)
    return state


def prepare(state: State, ask: Ask) -> Made:
    """Return the request as it goes out. What cannot be shortened goes as it came."""
    began = time.perf_counter()
    made = Made(ask.shape, ask.body)
    try:
        ready = state.ready(ask, known=False)
        _describe(made, ready, state, ask)
    except HeadroomError as error:
        made.why = str(error)
        if state.backend is not None:  # nobody there takes it as it came
            made.refused = _status(error), str(error)
    if made.body == ask.body:
        made.body = b""  # whoever asked has it
    made.ms = (time.perf_counter() - began) * 1000
    return made


def _status(error: HeadroomError) -> int:
    """Return the HTTP status that says whose fault it is; clients try again at 5xx, which would not help."""
    return 401 if isinstance(error, KeyMissingError) else 400


def _describe(made: Made, ready: send.Ready, state: State, ask: Ask) -> None:
    """Fill in what is known of a request that can go out."""
    from headroom_cli.library import reason

    request, result = ready.request, ready.result
    made.shape, made.body = request.shape, request.body
    if made.body == ask.body.removeprefix(_MARK):
        made.body = ask.body  # a byte order mark is the client's own, too
    made.stream, made.model = request.stream, request.model or unquote(ask.model)
    made.ours, made.include_usage = request.ours, request.include_usage
    made.conversation = bool(request.value.get("conversation"))
    made.before, made.after = result.before, result.after
    made.warnings = result.warnings
    made.headers = None if request.headers == ask.headers else request.headers
    made.told = work_told.facts(ready)
    made.notes = ready.notes
    made.turns, made.digest = ready.turns, ledger.conversation(request.value)
    made.kinds, made.tools = tallied(result.blocks), ledger.tools(result.blocks)
    made.overhead = overhead(ready)
    made.slow = [_row(block) for block in _telling(result.blocks)]
    made.marked = sum(bool(block.handle) for block in result.blocks)
    # Over a WebSocket nothing begins, and most requests do not say of which conversation they are.
    begun = ask.what == "messages" or not ready.trial.keys().isdisjoint(("compress", "shape"))
    made.trial = ready.trial if begun and ask.what != "count" else {}
    made.why = ready.why or (reason(result) if made.body == ask.body or made.after >= made.before else "")
    if made.marked:
        try:
            ready.grant()
        except StoreError as error:
            made.warnings.append(f"what was left out cannot be fetched by /v1/retrieve: {error}")
    if state.backend is not None:
        relay = Relay(request, state.backend, state.target())
        if state.backend.call is None:
            made.body = relay.outgoing().body
        else:
            call = relay.call()
            made.call, made.body = (call.url, call.headers), call.body


def tallied(blocks: list[Any]) -> dict[str, Any]:
    """Return what became of blocks by their kinds, as the ledger has it, with the reasons why some stayed."""
    kinds: dict[str, Any] = {}
    for block in blocks:
        sums = kinds.setdefault(block.kind or "none", {"blocks": 0, "before": 0, "after": 0, "kept": {}})
        sums["blocks"] += 1
        sums["before"] += block.before
        sums["after"] += block.after
        if block.kept:
            sums["kept"][block.kept] = sums["kept"].get(block.kept, 0) + 1
    return kinds


def _telling(blocks: list[Any]) -> list[Any]:
    """Return the outputs worth a row: the largest, and those that took longest. The user's words are nobody's fault."""
    blocks = [block for block in blocks if block.kind or block.role == "tool"]
    slowest = sorted((block for block in blocks if block.ms), key=lambda block: -block.ms)[: _MOST_SLOW // 3]
    largest = [block for block in sorted(blocks, key=lambda block: -block.before) if block not in slowest]
    return [*slowest, *largest][:_MOST_SLOW]


def _row(block: Any) -> dict[str, Any]:
    return {
        "path": block.path, "kind": block.kind or "none", "before": block.before, "after": block.after,
        "kept": block.kept, "ms": round(block.ms, 1),
    }  # fmt: skip


def hop(state: State, ask: Ask, body: bytes, extra: list[Any]) -> tuple[bytes, tuple[str, Headers] | None]:
    """Return the next hop's body, and its address and headers for a backend with keys of its own."""
    if state.backend is None:
        request = Request(ask.shape, body)
        return Relay(request, state.answers(ask), state.target()).appended(extra), None
    relay = Relay(state.ready(ask).request, state.backend, state.target())
    call = relay.call(extra)
    return call.body, (call.url, call.headers)


def answer(state: State, ask: Ask, calls: list[Call], spent: int, unknown: frozenset[str]) -> tuple[Any, ...]:
    """Answer the model's calls of our tool: (texts, bytes spent, what was unknown, stubborn, originals served)."""
    desk = state.ready(ask).desk()
    if desk is None:
        return ["There is nothing to be retrieved in this conversation."] * len(calls), spent, unknown, True, 0
    desk.go_on(spent, unknown)
    texts = [desk.answer(call) for call in calls]
    return texts, *desk.state()


def begin(state: State, ask: Ask) -> str:
    """Note that a first answer begins to be shown; return what failed."""
    return _noted(lambda: state.ready(ask).begin())


def remember(state: State, ask: Ask, turned: Turned) -> str:
    """Note what the conversation's next request needs to know; return what failed."""
    return _noted(lambda: state.ready(ask).remember(turned))


def _noted(note: Callable[[], None]) -> str:
    try:
        note()
    except (StoreError, EditError) as error:
        return str(error)
    return ""


def sign(state: State, call: Http, region: str) -> tuple[Headers, str]:
    """Return a request's headers with a signature of this proxy's AWS credentials, or why there is none."""
    from headroom_cli.backends import _sigv4

    try:
        return _sigv4.sign(call, state.serving.aws, region).headers, ""
    except HeadroomError as error:
        return (), str(error)


def usable(state: State) -> str:
    """Return what keeps the store from being written, "" when nothing does."""
    try:
        with Place(state.store.root, create=True) as place:
            place.directory("tmp", create=True)
            if not place.lock(patience=1.0):
                return "the store is busy"
            folder, name = place.directory("tmp"), place.temporary()
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder))
            os.unlink(name, dir_fd=folder)
        state.store.ping()
    except (OSError, StoreError) as error:
        return str(getattr(error, "strerror", None) or error)
    return ""


def _in_time(job: Callable[..., Any]) -> Callable[..., Any]:
    """Return a job that waits for a shared store no longer than such jobs may."""

    def run(state: State, *arguments: Any) -> Any:
        waits = -1.0 if job is prepare else _AGAIN_WAITS if job is usable else _STORE_WAITS
        state.store.hurry(waits, insist=job is usable)
        return job(state, *arguments)

    return run


def insisting(state: State, name: str, doubts: list[Doubt] | None, *arguments: Any) -> tuple[Any, bool, list[Doubt]]:
    """Return what the job of that name returns, whether a shared store did not answer it, and what is now in doubt.

    ``doubts`` are those of the time before, when it did not answer either: it may have come back by now. What may have
    been written of a request must not stand when that goes out otherwise; what is remembered of an answer may.
    """
    job, again = _WITH_STORE[name], doubts is not None
    state.store.hurry(_AGAIN_WAITS if again else -1.0 if job is prepare else _STORE_WAITS, insist=again)
    state.store.doubts(doubts)
    made = job(state, *arguments)
    left = state.store.doubts()
    return made, state.store.missed, left if name in _GOES_OUT else []


def withdraw(state: State, doubts: list[Doubt]) -> list[Doubt]:
    """Take back what may have been written of requests that went out without it; return what could not be."""
    state.store.hurry(_STORE_WAITS, insist=True)
    state.store.doubts(doubts)
    with contextlib.suppress(StoreError):
        state.store.ping()
    return state.store.doubts()


_WITH_STORE: dict[str, Callable[..., Any]] = {
    "prepare": prepare, "hop": hop, "answer": answer, "begin": begin, "remember": remember, "usable": usable,
    "compress": work_own.compress, "retrieve": work_own.retrieve,
}  # fmt: skip
_GOES_OUT = ("prepare", "compress")  # jobs that write what became of a request
JOBS: dict[str, Callable[..., Any]] = {
    **{name: _in_time(job) for name, job in _WITH_STORE.items()}, "insisting": insisting,
    "withdraw": withdraw,
    "sign": sign, "pairs": work_pages.pairs, "told": work_told.told,
}  # fmt: skip
