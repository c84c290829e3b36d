"""A request on its way to a provider: the stages, our tool, what was hidden of earlier turns, and afterwards the notes.

ready(data, ...)  -> Ready       the request as it goes out, and the means to answer the model's calls
answer(relay, ..) -> Iterator    the events of the answer as they arrive
Ready.remember(relay)            what the next request of the conversation needs to know
"""

from __future__ import annotations

import json

from headroom_cli import engine, formats, retrieval, tokens, wire
from headroom_cli.errors import CannotCarryError, FailedOpenError, FormatError, UsageError
from headroom_cli.formats._edits import KEPT, Edit, rebuilt
from headroom_cli.model import LOSSY, Result
from headroom_cli.relay import Relay, Request
from headroom_cli.send.hops import answer
from headroom_cli.send.options import Options
from headroom_cli.send.request import Ready
from headroom_cli.send.shapes import (
    DEFAULT_MAX_TOKENS,
    asked_to_stream,
    names,
    shape_of,
    unread,
    value_of,
    wrapped,
)
from headroom_cli.send.way import Way
from headroom_cli.shaping.talk import Talk
from headroom_cli.wire._events import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.backends import Backend, Headers
    from headroom_cli.formats import Document
    from headroom_cli.model import Policy
    from headroom_cli.store import Store

__all__ = ["Options", "Ready", "Relay", "answer", "reads_as", "ready"]


# Backends that take Anthropic's marks for the cache in Chat as well, and hand them on to its models.
KEEP_MARKS = ("openrouter", "litellm")


def ready(
    data: bytes, policy: Policy, store: Store | None, backend: Backend, options: Options, *, form: str = ""
) -> Ready:
    """Return the request that ``data`` is, as it goes to the backend.

    ``data`` is a request in any shape, a list of messages, or a text, which becomes the user's words. Raise FormatError
    for what cannot be read, UsageError for what is missing, CannotCarryError for what the backend has no place for.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    read = _opened(data, form)
    came = data
    if options.plugins:
        from headroom_cli.send import told

        data, options = told.received(data, read.value, backend, options, opened=read.document is not None)
        if data is not came:
            read = _opened(data, form)
    made = _made(data, read, policy, store, backend, options, form=form)
    made.telling = options.telling
    if read.value is not None:
        made.came = came
    return made


class _Read:
    """An input that was read: its format, the request or list of turns that it is (None for a text), its document.

    There is no document where the stages cannot open it.
    """

    __slots__ = ("document", "read_as", "value")

    def __init__(self, read_as: str, value: Any, document: Document | None) -> None:
        self.read_as = read_as
        self.value = value
        self.document = document


def _made(  # noqa: PLR0917 - what was found out of the input, then what ``ready`` has
    data: bytes, read: _Read, policy: Policy, store: Store | None, backend: Backend, options: Options, *, form: str
) -> Ready:
    """Do what ``ready`` does with an input that was read."""
    came, read_as, value = data, read.read_as, read.value
    if value is None:
        return _ready_text(data, policy, store, backend, options)
    shape = shape_of(value, read_as, form, backend)
    if options.prompt or (options.max_tokens and not isinstance(value, list)):
        raise UsageError("--prompt and --max-tokens are for texts; a request says both itself")
    if read.document is None:
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
    # Reading a conversation is most of what a request costs that was sent before: what was read is not read again.
    document = read.document if data is came and read_as in wire.WIRES else formats.parse(data)
    return _staged(data, document, policy, store, options, shape=shape, seen_as=seen_as, include_usage=include_usage)


def _unopened(data: bytes, value: dict[str, Any], shape: str, backend: Backend, options: Options) -> Ready:
    """Send a request as it came that the stages cannot open. Raise FormatError where the backend needs to know more."""
    if shape not in backend.shapes or backend.name == "bedrock" or options.model or options.stream:
        raise FormatError(
            "the input cannot be opened (too deep, or no UTF-8), so nothing in it can be changed; mend it"
        )
    result = Result(data, shape, "safe")
    result.warnings.append("the input cannot be opened (too deep, or no UTF-8); sent as it came")
    result.failure = FailedOpenError(result.warnings[-1])
    request = Request(shape, data, model=options.model, headers=options.headers, value=value)
    ready = Ready(request, result, None, None, data)
    talk = Talk(None, shape, value, options.scope, tools=bool(names(value.get("tools"))))
    ready.trial = talk.trial(value, request.model, 0, entered=False)
    return ready


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
        read = _opened(data.removeprefix(b"\xef\xbb\xbf"), form)
    except FormatError:
        return ""
    return "" if read.value is None else shape_of(read.value, read.read_as, form, backend)


def _opened(data: bytes, form: str) -> _Read:
    """Open an input.

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
        return _Read(read_as, value, None)
    if value is None and form != "raw" and (value := unread(data)) is not None:
        return _Read(read_as, value, None)
    if form in wire.WIRES and value is None:
        raise FormatError(f"the input is no request for {wire.WIRES[form]}; leave --from out to have it recognised")
    return _Read(read_as, value, document)


def _staged(
    data: bytes, document: Document, policy: Policy, store: Store | None, options: Options, *, shape: str, seen_as: str,
    include_usage: bool,
) -> Ready:  # fmt: skip
    """Run the stages over a request in its final shape."""
    value = document.value() if document.format in wire.WIRES else json.loads(data)
    talk = Talk(options.shaping, shape, value, options.scope, tools=bool(names(value.get("tools"))))
    way = Way(shape, options, store, talk)
    came = data
    if isinstance(value.get("input"), str) and names(value.get("tools")):
        # The one text of a first request: as the list that it stands for it can be taken up in the next one.
        data = formats.spliced(data, [Edit.put(("input",), [{"type": "message", "role": "user", "content": KEPT}])])
        document = formats.parse(data)
    if options.plain or document.format not in wire.WIRES:
        result = Result(data, shape, policy.level_for(turns=True))  # nothing in it that the stages know
    else:
        result = engine.crush(
            data, policy, store, model=options.model or str(value.get("model") or ""),
            stages=engine.STAGES if policy.budget else engine.STAGES[:2], prepare=way.prepare,
            watch=options.telling.watch if options.telling else None, document=document,
        )  # fmt: skip
    if talk.alone and result.data == data:  # who is left alone keeps that text as it came
        result.data = came
    ours = way.ours if result.entered else frozenset[str]()
    body, headers = _leaving(result.data, options, ours)
    request = Request(
        shape, body, model=options.model, seen_as=seen_as, headers=headers, ours=ours, include_usage=include_usage,
    )  # fmt: skip
    # Where the store failed the request goes as it came, and nothing can be noted of it.
    ready = Ready(request, result, store, way if result.entered else None, data)
    ready.trial = talk.trial(
        request.value, request.model or options.usual, result.before, entered=result.entered
    )  # fmt: skip
    if result.entered:
        result.warnings += talk.warnings
        ready.why = talk.why
    return ready


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
    talk = Talk(options.shaping, shape, value, options.scope, tools=marked)
    if store is not None:
        talk.begin(None, store.root, model, alone=False)
        edits, texts = talk.edits(bool)
        value = rebuilt(value, edits) if edits else value
        result.after += sum(tokens.count(text, model) for text in texts)
        result.warnings += talk.warnings
    body = written(value)
    ours = retrieval.NAMES if marked else frozenset[str]()
    result.data = body
    left, headers = _leaving(body, options, frozenset((retrieval.NAME,)) if marked else frozenset())
    ready = Ready(Request(shape, left, headers=headers, ours=ours), result, store, None, body)
    ready.trial = talk.trial(ready.request.value, model, result.before, entered=True)
    return ready
