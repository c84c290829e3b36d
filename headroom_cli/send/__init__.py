"""A request on its way to a provider: the stages, our tool, what was hidden of earlier turns, and afterwards the notes.

ready(data, ...)  -> Ready       the request as it goes out, and the means to answer the model's calls
answer(relay, ..) -> Iterator    the events of the answer as they arrive
Ready.remember(relay)            what the next request of the conversation needs to know
"""

from __future__ import annotations

import json

from headroom_cli import engine, formats, retrieval, wire
from headroom_cli.errors import (
    CannotCarryError,
    FailedOpenError,
    FormatError,
    KeyMissingError,
    UnreachableError,
    UpstreamError,
    UsageError,
)
from headroom_cli.formats._edits import KEPT, Edit
from headroom_cli.model import LOSSY, Result
from headroom_cli.relay import Relay, Request
from headroom_cli.retrieval import Desk
from headroom_cli.send import scopes
from headroom_cli.send.options import Options
from headroom_cli.send.shapes import (
    DEFAULT_MAX_TOKENS,
    asked_to_stream,
    names,
    shape_of,
    unread,
    value_of,
    wrapped,
)
from headroom_cli.send.way import GIVEN, OPEN, Way, mark, past
from headroom_cli.wire._events import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from headroom_cli.backends import Backend, Call, Headers, Target
    from headroom_cli.model import Policy
    from headroom_cli.plugins import Telling
    from headroom_cli.relay import Turned
    from headroom_cli.store import Store
    from headroom_cli.upstream import Upstream
    from headroom_cli.wire._events import Event

__all__ = ["Options", "Ready", "Relay", "answer", "reads_as", "ready"]


# Backends that take Anthropic's marks for the cache in Chat as well, and hand them on to its models.
KEEP_MARKS = ("openrouter", "litellm")


class Ready:
    """A request that can go out, and what is to be remembered of its answer.

    ``request``  see relay.Request
    ``result``   what the stages did
    ``telling``  who tells plugins of it, None where there are none
    """

    __slots__ = ("_client", "_store", "_way", "came", "request", "result", "telling")

    def __init__(self, request: Request, result: Result, store: Store | None, way: Way | None, client: bytes) -> None:
        """``way`` is what was found out on the way in; ``client`` the request as it came, in the provider's shape."""
        self.request = request
        self.result = result
        self._store = store
        self._way = way
        self._client = client
        self.came = client  # the input itself, before it was wrapped or converted
        self.telling: Telling | None = None

    @property
    def turns(self) -> int:
        """Turns of the model that the client's own request holds."""
        return 0 if self._way is None else self._way.turns

    @property
    def notes(self) -> bool:
        """Whether something of the answer is to be remembered even when nothing of it is hidden."""
        way = self._way
        return way is not None and way.tool is not None and (way.first or not self._handles() <= way.given)

    def desk(self) -> Desk | None:
        """Return who answers the model's calls of our tool, None when it has none.

        A scope is given originals that it sent itself, in this request or in an earlier one of the conversation.
        """
        store = self._store
        if store is None or not self.request.ours:
            return None
        if self._way is not None and self._way.scope:
            return Desk(store, self._handles)

        def given() -> set[str]:
            # Those of this document in both of its states: another headroom may stand in front of this one.
            return {*self._handles(), *engine.given(self._client, store), *engine.given(self.result.data, store)}

        return Desk(store, given)

    def grant(self) -> None:
        """Note that the asker's scope was given the handles of this request: it may fetch them. Raise StoreError."""
        if self._store is not None and self._way is not None and self._way.scope:
            scopes.grant(self._store, self._way.scope, self._handles())

    def _handles(self) -> set[str]:
        now = {report.handle for report in self.result.blocks if report.degree == LOSSY and report.handle}
        return now if self._way is None else now | self._way.held | self._way.given

    def record(self, body: bytes) -> None:
        """Record what leads from the bytes that go out back to the input, for ``retrieve --expand``. Raise StoreError.

        What an API's own address or headers take out of a body, and what conversion made of it, is no stage's doing.
        """
        if self._store is not None:
            engine.note_edits(body, self.result.data, self._store)
            engine.note_edits(self._client, self.came, self._store)

    def begin(self) -> None:
        """Note that a first answer begins to be shown: whoever ends us now may go on from there. Raise StoreError."""
        way = self._way
        if self._store is not None and way is not None and way.first and way.tool is not None:
            engine.note(self._client, self._store, "send", {f"{OPEN} {self.request.shape}": {"tool": way.tool}})

    def remember(self, relay: Relay | Turned) -> None:
        """Note what the conversation's next request needs: what was hidden, and that it has the tool. Raise StoreError.

        Of a turn that broke off only what was hidden: who saw a part of it may go on from there.
        """
        store, way, shape = self._store, self._way, self.request.shape
        if store is None or way is None or way.notes is None or not relay.hops:
            return
        key, hidden = relay.hidden()
        notes: dict[str, Any] = {}
        name = past(shape, f"{way.turns} {key}")
        mine = scopes.own(name, way.scope)
        if hidden is not None:
            notes[mine] = hidden
            if way.scope and (originals := self._originals(store)) is not None:
                notes[scopes.by(name)] = scopes.held_also(name, way.scope, originals, way.notes)
        elif relay.finished and (way.notes.get(mine) or (way.scope and way.notes.get(scopes.by(name)))):
            notes[mine] = False if way.scope else None  # of two turns that look the same the latest counts
        if relay.finished:
            if way.first and (way.tool is not None or not way.declared):
                notes[mark(shape, f"0 {key}", way.declared)] = {"tool": way.tool}
                notes[f"{OPEN} {shape}"] = None
            if way.tool is not None and not self._handles() <= way.given:
                notes[scopes.own(GIVEN, way.scope)] = sorted(self._handles())
        if notes:
            engine.note(self._client, store, "send", notes)
        if relay.finished and way.tool is not None:
            way.keep_held((*relay.held(), *([way.server] if way.server else ())), self._handles(), hidden)

    def _originals(self, store: Store) -> set[str] | None:
        """Return the digests of all originals that can stand in a hidden turn, None where one is lost."""
        handles = self._handles()
        owners = store.owners(handles)
        return set(owners.values()) if len(owners) == len(handles) else None


def ready(
    data: bytes, policy: Policy, store: Store | None, backend: Backend, options: Options, *, form: str = ""
) -> Ready:
    """Return the request that ``data`` is, as it goes to the backend.

    ``data`` is a request in any shape, a list of messages, or a text, which becomes the user's words. Raise FormatError
    for what cannot be read, UsageError for what is missing, CannotCarryError for what the backend has no place for.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    read_as, value, opened = _opened(data, form)
    came = data
    if options.plugins:
        from headroom_cli.send import told

        data, options = told.received(data, value, backend, options, opened=opened)
        if data is not came:
            read_as, value, opened = _opened(data, form)
    made = _made(data, read_as, value, policy, store, backend, options, form=form, opened=opened)
    made.telling = options.telling
    if value is not None:
        made.came = came
    return made


def _made(  # noqa: PLR0917 - what was found out of the input, then what ``ready`` has
    data: bytes, read_as: str, value: Any, policy: Policy, store: Store | None, backend: Backend, options: Options,
    *, form: str, opened: bool,
) -> Ready:  # fmt: skip
    """Do what ``ready`` does with an input that was opened."""
    if value is None:
        return _ready_text(data, policy, store, backend, options)
    shape = shape_of(value, read_as, form, backend)
    if options.prompt or (options.max_tokens and not isinstance(value, list)):
        raise UsageError("--prompt and --max-tokens are for texts; a request says both itself")
    if not opened:
        return _unopened(data, value, shape, backend, options)
    seen_as, include_usage = shape, _includes_usage(value)
    if isinstance(value, list):
        data = wrapped(value, shape, data if read_as == "bare" else b"", options)
    data = asked_to_stream(data, options)
    if shape not in backend.shapes:
        from headroom_cli import convert

        marks = backend.name in KEEP_MARKS and "claude" in (options.model or str(json.loads(data).get("model")))
        value = convert.request(shape, backend.shapes[0], json.loads(data), keep_cache_control=marks)
        shape, data = backend.shapes[0], _as_json(value)
    return _staged(data, policy, store, options, shape=shape, seen_as=seen_as, include_usage=include_usage)


def _unopened(data: bytes, value: dict[str, Any], shape: str, backend: Backend, options: Options) -> Ready:
    """Send a request as it came that the stages cannot open. Raise FormatError where the backend needs to know more."""
    if shape not in backend.shapes or backend.name == "bedrock" or options.model or options.stream:
        raise FormatError(
            "the input cannot be opened (too deep, or no UTF-8), so nothing in it can be changed; mend it"
        )
    result = Result(data, shape, "safe")
    result.warnings.append("the input cannot be opened (too deep, or no UTF-8); sent as it came")
    result.failure = FailedOpenError(result.warnings[-1])
    return Ready(
        Request(shape, data, model=options.model, headers=options.headers, value=value), result, None, None, data
    )


def _as_json(value: dict[str, Any]) -> bytes:
    """Return a converted request as bytes. Raise CannotCarryError for a number that only the client's own can hold."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise CannotCarryError(
            "this request holds a number that is too large to be converted; write it as text"
        ) from None
    return written(value)


def _includes_usage(value: Any) -> bool:
    """Tell whether a client asked for the usage in its stream of Chat."""
    found = value.get("stream_options") if isinstance(value, dict) else None
    return isinstance(found, dict) and found.get("include_usage") is True


def reads_as(data: bytes, backend: Backend, form: str = "") -> str:
    """Return the shape in which an input is written, as this backend would take it; "" for a text or what is none."""
    try:
        read_as, value, _ = _opened(data.removeprefix(b"\xef\xbb\xbf"), form)
    except FormatError:
        return ""
    return "" if value is None else shape_of(value, read_as, form, backend)


def _opened(data: bytes, form: str) -> tuple[str, Any, bool]:
    """Open an input: (its format, the request or list of turns that it is or None for a text, whether it was opened).

    A plain request shows no trace of its shape, so whoever names one is believed where there are turns at all. Raise
    FormatError.
    """
    try:
        document = formats.parse(data, "" if form in wire.WIRES else form)
        read_as, value = document.format, None if form == "raw" else value_of(data, document)
    except UnicodeDecodeError as error:
        read_as, value = "", unread(data)
        if value is None:
            raise FormatError(f"the input is not text (byte {error.start:,}); send UTF-8 text or a request") from None
        return read_as, value, False
    if value is None and form != "raw" and (value := unread(data)) is not None:
        return read_as, value, False
    if form in wire.WIRES and value is None:
        raise FormatError(f"the input is no request for {wire.WIRES[form]}; leave --from out to have it recognised")
    return read_as, value, True


def _staged(
    data: bytes, policy: Policy, store: Store | None, options: Options, *, shape: str, seen_as: str, include_usage: bool
) -> Ready:
    """Run the stages over a request in its final shape."""
    value = json.loads(data)
    way = Way(shape, options, store)
    if isinstance(value.get("input"), str) and names(value.get("tools")):
        # The one text of a first request: as the list that it stands for it can be taken up in the next one.
        data = formats.spliced(data, [Edit.put(("input",), [{"type": "message", "role": "user", "content": KEPT}])])
    if options.plain or formats.parse(data).format not in {"anthropic", "openai", "responses"}:
        result = Result(data, shape, policy.level_for(turns=True))  # nothing in it that the stages know
    else:
        result = engine.crush(
            data, policy, store, model=options.model or str(value.get("model") or ""),
            stages=engine.STAGES if policy.budget else engine.STAGES[:2], prepare=way.prepare,
            watch=options.telling.watch if options.telling else None,
        )  # fmt: skip
    ours = way.ours if result.entered else frozenset[str]()
    body, headers = _leaving(result.data, options, ours)
    request = Request(
        shape, body, model=options.model, seen_as=seen_as, headers=headers, ours=ours, include_usage=include_usage,
    )  # fmt: skip
    # Where the store failed the request goes as it came, and nothing can be noted of it.
    return Ready(request, result, store, way if result.entered else None, data)


def _leaving(body: bytes, options: Options, ours: frozenset[str]) -> tuple[bytes, Headers]:
    """Return what goes out, and its headers, with what plugins change at last; tools of ours stay."""
    telling = options.telling
    return (body, options.headers) if telling is None else (telling.leaves(body, ours), telling.headers)


def _ready_text(data: bytes, policy: Policy, store: Store | None, backend: Backend, options: Options) -> Ready:
    """Make a request of a text: the prompt first, then the text, shortened; our tool when something is missing."""
    model = options.model or options.usual
    if not model:
        raise UsageError("a text has no model of its own; name one with --model")
    if not data.strip() and not options.prompt:
        raise UsageError("the input is empty; pipe a request or a text in, or ask with --prompt")
    way = options.redeem if options.redeem in {"shell", "none"} else "tool"
    policy = policy.redeemed(way)
    policy.query = policy.query or options.prompt  # the question is known, and nothing comes after it
    watch = options.telling.watch if options.telling else None
    result = engine.crush(data, policy, store, form="raw", model=model, watch=watch)
    shape = backend.shapes[0]
    text = result.data.decode("utf-8")
    said = [part for part in (options.prompt, text) if part]
    value: dict[str, Any] = {"model": model}
    if shape == "anthropic":
        value["max_tokens"] = options.max_tokens or DEFAULT_MAX_TOKENS
    elif options.max_tokens:
        value["max_completion_tokens"] = options.max_tokens
    value["messages"] = [{"role": "user", "content": [{"type": "text", "text": part} for part in said]}]
    marked = way == "tool" and any(report.degree == LOSSY and report.handle for report in result.blocks)
    if marked:
        value["tools"] = [wire.load(shape).tool(retrieval.NAME, retrieval.DESCRIPTION, retrieval.SCHEMA)]
    if options.stream:
        value["stream"] = True
    body = written(value)
    ours = retrieval.NAMES if marked else frozenset[str]()
    result.data = body
    left, headers = _leaving(body, options, frozenset((retrieval.NAME,)) if marked else frozenset())
    return Ready(Request(shape, left, headers=headers, ours=ours), result, store, None, body)


def answer(
    relay: Relay,
    backend: Backend,
    target: Target,
    tell: Callable[[str], None] = lambda _sentence: None,
    watch: Callable[[Call], None] = lambda _call: None,
    *,
    sent: Callable[[], None] = lambda: None,
) -> Iterator[list[Event]]:
    """Send, and give the events of the answer as they arrive; of a whole answer nothing, ``relay.body()`` is it.

    ``watch`` sees each call as it is about to go out, ``sent`` is told of each that went. Raise UpstreamError and its
    kin. Closing the generator closes the provider's connection.
    """
    if backend.library is not None:
        yield from _from_library(relay, backend, target, sent)
        return
    from headroom_cli.upstream import Upstream

    with Upstream(target.timeout, tell, watch) as upstream:
        _authorise(upstream, backend, target)
        while relay.more:
            reply = upstream.send(relay.call)
            sent()
            try:
                if reply.status >= 300:
                    raise relay.refused(reply.status, reply.headers, reply.error())
                relay.begin(reply.headers.get("content-type", ""))
                for chunk in reply.chunks():
                    yield relay.feed(chunk)
                    if relay.ended:
                        break
                yield relay.end()
            finally:
                reply.close()


def _from_library(relay: Relay, backend: Backend, target: Target, sent: Callable[[], None]) -> Iterator[list[Event]]:
    """Do the same with a library that sends by itself."""
    from headroom_cli.wire._events import Event

    if backend.library is None:
        return
    while relay.more:
        outgoing = relay.outgoing()
        chunks = backend.library(outgoing, target)
        begun = False
        try:
            for chunk in chunks:
                if not begun:
                    sent()
                    relay.begin("text/event-stream" if outgoing.stream else "application/json")
                    begun = True
                if outgoing.stream:
                    yield relay.take([Event.of(chunk)])
                else:
                    relay.feed(written(chunk))
            if not begun:
                raise UnreachableError(f"{backend.name} gave no answer; send the request again")
            if outgoing.stream:
                yield relay.take([Event(b"data: [DONE]\n\n", "", "[DONE]")])
            yield relay.end()
        except UpstreamError as error:
            raise relay.told(error) from None
        finally:
            if hasattr(chunks, "close"):
                chunks.close()


def _authorise(upstream: Upstream, backend: Backend, target: Target) -> None:
    """Get the access token that some gateways want first. Raise KeyMissingError, UnreachableError."""
    call = backend.token(target)
    if call is None:
        return
    reply = upstream.send(lambda: call)
    body = reply.error()
    reply.close()
    try:
        token = json.loads(body)["access_token"]
    except (ValueError, KeyError, TypeError, RecursionError):
        token = ""
    if reply.status >= 300 or not isinstance(token, str) or not token:
        raise KeyMissingError(
            f"the token endpoint gave no token (HTTP {reply.status}); check the client's id and secret"
        )
    target.token = token
