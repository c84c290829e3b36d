"""What happens to a request on its way, in eleven stages, and the plugins that are told of it.

A plugin is any object with ``on_pipeline_event(event) -> PipelineEvent | None``. It is told of every stage in order and
may return an event with other members where a stage allows that (CHANGEABLE); None keeps the event. Nothing that a
plugin does wrong reaches a request: the event stays as it was, and the fault is counted and told once, by the name of
its type alone, because its message may quote a conversation.

Plugins are found by name among the entry points of GROUP, and imported only when they are named. docs/plugins.md is
their manual.
"""

from __future__ import annotations

import json
from _thread import RLock

from headroom_cli.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    # What gives the messages and the tools of a request, each time as new values that may be changed.
    Source = Callable[[], tuple[Any, Any]]

GROUP = "headroom.plugins.v1"
STAGES = (
    "setup", "pre_start", "post_start", "input_received", "input_cached", "input_routed", "input_compressed",
    "input_remembered", "pre_send", "post_send", "response_received",
)  # fmt: skip
# stage -> the members of its event that a plugin may change; in all others it looks on.
CHANGEABLE = {
    "input_received": ("messages", "tools", "model"),
    "pre_send": ("messages", "tools", "headers"),
}
# Headers that plugins see and may change: they belong to the APIs and open nothing.
OPEN_HEADERS = frozenset(
    ("ai-resource-group", "anthropic-beta", "anthropic-version", "http-referer", "openai-beta", "openai-organization",
     "openai-project", "x-title")
)  # fmt: skip
# What plugins see of all others, whose values nobody knows to be harmless.
REDACTED = "[redacted]"
_MOST_SETS = 16  # of plugins that stay set up between calls of the library


class PipelineEvent:
    """One stage of one request, or of the program itself.

    ``stage``       one of STAGES
    ``operation``   "compress", "send" or "proxy"
    ``request_id``  the same in all events of one request, "" for the program's own
    ``provider``    who will answer, "" when nobody will
    ``model``       the model's name, "" where it is not known
    ``messages``    the turns as the request holds them at this stage (in the Responses API its ``input``, which may be
                    one text); None for a text that is no request
    ``tools``       the tools, likewise
    ``headers``     name, in lower case -> value, REDACTED for all but OPEN_HEADERS
    ``response``    at response_received {"status", "hops", "usage"}, else None
    ``outcome``     there "answered", "refused", "broken" or "stopped", else ""
    ``metadata``    what else is known: tokens, blocks, the number of a hop

    Messages and tools are read from the request when they are first looked at: whoever does not look waits for nothing.
    """

    __slots__ = (
        "_held", "_source", "changed", "headers", "metadata", "model", "operation", "outcome", "provider", "request_id",
        "response", "stage",
    )  # fmt: skip

    def __init__(
        self, stage: str, *, operation: str = "", request_id: str = "", provider: str = "", model: str = "",
        messages: Any = None, tools: Any = None, headers: dict[str, str] | None = None,
        response: dict[str, Any] | None = None, outcome: str = "", metadata: dict[str, Any] | None = None,
        source: Source | None = None,
    ) -> None:  # fmt: skip
        """``source`` gives messages and tools when they are asked for."""
        self.stage = stage
        self.operation = operation
        self.request_id = request_id
        self.provider = provider
        self.model = model
        self.headers = {} if headers is None else headers
        self.response = response
        self.outcome = outcome
        self.metadata = {} if metadata is None else metadata
        self.changed: frozenset[str] = frozenset()  # names of members that plugins gave other values
        self._source = source
        self._held: tuple[Any, Any] | None = None if source is not None else (messages, tools)

    def _both(self) -> tuple[Any, Any]:
        if self._held is None:
            assert self._source is not None
            self._held = self._source()
        return self._held

    @property
    def messages(self) -> Any:
        """The turns of the request."""
        return self._both()[0]

    @messages.setter
    def messages(self, value: Any) -> None:
        self._held, self._source = (value, self._both()[1]), None

    @property
    def tools(self) -> Any:
        """The tools of the request."""
        return self._both()[1]

    @tools.setter
    def tools(self, value: Any) -> None:
        self._held, self._source = (self._both()[0], value), None

    @property
    def looked_at(self) -> bool:
        """Whether somebody asked for messages or tools."""
        return self._held is not None

    def copy(self) -> PipelineEvent:
        """Return an event of the same values, of which nothing is shared that could be changed."""
        source = self._source
        if source is None:
            written = _written(self._both())

            def source() -> tuple[Any, Any]:
                messages, tools = json.loads(written)
                return messages, tools

        other = PipelineEvent(
            self.stage, operation=self.operation, request_id=self.request_id, provider=self.provider, model=self.model,
            headers=dict(self.headers), response=_apart(self.response), outcome=self.outcome,
            metadata=_apart(self.metadata), source=source,
        )  # fmt: skip
        other.changed = self.changed
        return other


class Plugins:
    """Plugins in their order, and what went wrong with them."""

    __slots__ = ("_done", "_lock", "_named", "_tell", "faults", "operation")

    def __init__(
        self, named: Iterable[tuple[str, Any]] = (), *, operation: str = "", tell: Callable[[str], None] | None = None
    ) -> None:
        """Take (name, plugin) pairs; ``tell`` is given a sentence about the first fault of each."""
        self._named = tuple(named)
        self._tell = tell
        self._lock = RLock()
        self._done: set[str] = set()  # stages of the program itself that were told
        self.operation = operation
        self.faults: dict[str, int] = {}  # name -> how often it failed

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self._named)

    @classmethod
    def load(
        cls, chosen: Iterable[str | Any], *, operation: str = "", tell: Callable[[str], None] | None = None
    ) -> Plugins:
        """Import what is named and take objects as they are. Raise ConfigError for what is no plugin."""
        return cls([_plugin(one) for one in chosen], operation=operation, tell=tell)

    def begin(self, *, starts: bool = True) -> None:
        """Tell of the program's own first stages, once; ``starts`` False tells of setup alone."""
        with self._lock:  # who comes second waits until plugins are set up
            for stage in STAGES[: 3 if starts else 1]:
                if stage not in self._done:
                    self._done.add(stage)
                    self.emit(stage)

    def emit(self, stage: str, *, make: Callable[[PipelineEvent], None] | None = None, **facts: Any) -> PipelineEvent:
        """Tell every plugin of a stage, each of what those before it made of it; return what they made of it.

        ``make`` is given each event that a plugin changed, to change the request by it; what it raises is taken for a
        fault of that plugin, and the event before it stands. ``facts`` are members of the event; ``headers`` may be
        pairs.
        """
        if stage not in STAGES:
            raise ValueError(f"{stage} is no stage")
        facts["headers"] = shown(facts.get("headers") or {})
        event = PipelineEvent(stage, operation=self.operation, **facts)
        for name, plugin in self._named:
            mine = event.copy()
            try:
                answer = plugin.on_pipeline_event(mine)
                merged = event if answer is None else _merged(event, answer)
                if merged is not event and merged.changed:
                    if make is not None:
                        make(merged)
                    event = merged
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin's fault costs no request
                self._fail(name, stage, error)
        return event

    def renew_lock(self) -> None:
        """Take a new lock; for ``renew_locks``."""
        self._lock = RLock()

    def _fail(self, name: str, stage: str, error: BaseException) -> None:
        with self._lock:
            count = self.faults[name] = self.faults.get(name, 0) + 1
        if count == 1 and self._tell is not None:
            what = str(error) if isinstance(error, NotAllowedError) else type(error).__name__
            self._tell(f"the plugin {name} failed at {stage} ({what}); what it did there does not count")


class NotAllowedError(Exception):
    """A plugin answered something that no plugin may; the sentence holds nothing of a conversation."""


def plugins_for(chosen: Iterable[str | Any] | Plugins, operation: str) -> Plugins:
    """Return plugins that were set up by an earlier call with the same ones, or set up now. Raise ConfigError."""
    if isinstance(chosen, Plugins):
        return chosen
    several = (chosen,) if isinstance(chosen, str) else tuple(chosen)
    key = (operation, *(one if isinstance(one, str) else id(one) for one in several))
    with _lock:
        held = _sets.pop(key, None) or Plugins.load(several, operation=operation)
        _sets[key] = held  # it holds its plugins, so that no other object gets the id of one
        if len(_sets) > _MOST_SETS:
            del _sets[next(iter(_sets))]
    return held


_sets: dict[tuple[Any, ...], Plugins] = {}
_lock = RLock()


def renew_locks() -> None:
    """Take new locks, in a forked child: a thread that is gone there may have held the old ones."""
    global _lock  # noqa: PLW0603 - there is one for the process
    _lock = RLock()
    for several in _sets.values():
        several.renew_lock()


def names() -> list[str]:
    """Return the names of the plugins that are installed."""
    from importlib.metadata import entry_points

    return sorted({point.name for point in entry_points(group=GROUP)})


def shown(headers: Any) -> dict[str, str]:
    """Return headers, pairs or a mapping, as plugins see them."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    found: dict[str, str] = {}
    for name, value in pairs:
        lower = name.lower()
        if lower not in OPEN_HEADERS:
            found[lower] = REDACTED
        else:  # betas may come in several headers
            found[lower] = f"{found[lower]},{value}" if lower in found else value
    return found


def _plugin(one: str | Any) -> tuple[str, Any]:
    """Return the name and the object of a plugin. Raise ConfigError."""
    if not isinstance(one, str):
        name, found = type(one).__name__, one
    else:
        name, found = one, _loaded(one)
    if isinstance(found, type):
        name = found.__name__ if not isinstance(one, str) else name
        try:
            found = found()
        except Exception as error:
            raise ConfigError(
                f"the plugin {name[:80]} cannot be made ({_said(error)}); mend it or leave it out"
            ) from error
    if not callable(getattr(found, "on_pipeline_event", None)):
        raise ConfigError(f"{name[:80]} is no plugin: it has no on_pipeline_event; see docs/plugins.md")
    return name, found


def _loaded(name: str) -> Any:
    """Import the plugin of this name. Raise ConfigError."""
    from importlib.metadata import entry_points

    found = {
        (point.value, point.dist.name if point.dist else ""): point for point in entry_points(group=GROUP, name=name)
    }
    if not found:
        there = ", ".join(names()) or "none"
        raise ConfigError(f"there is no plugin {name[:80]!r}; installed are: {there}")
    if len(found) > 1:
        packages = ", ".join(sorted({package for _, package in found}))
        raise ConfigError(f"several packages have a plugin {name[:80]!r} ({packages}); uninstall all but one")
    try:
        return next(iter(found.values())).load()
    except (Exception, SystemExit) as error:
        raise ConfigError(
            f"the plugin {name[:80]} cannot be loaded ({_said(error)}); mend it or leave it out"
        ) from error


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}" if str(error) else type(error).__name__


def _merged(event: PipelineEvent, answer: Any) -> PipelineEvent:
    """Return the event with what a plugin changed of it. Raise NotAllowedError, TypeError, ValueError."""
    if not isinstance(answer, PipelineEvent):
        if hasattr(answer, "close"):
            answer.close()  # a coroutine that nobody awaits
        raise NotAllowedError(f"it returned a {type(answer).__name__} and no event")
    allowed = CHANGEABLE.get(event.stage, ())
    made, changed = event.copy(), set(event.changed)
    if answer.looked_at and ("messages" in allowed or "tools" in allowed):
        both = made.messages, made.tools
        for name, old, new in zip(("messages", "tools"), both, (answer.messages, answer.tools), strict=True):
            if _written(old) != _written(new):
                _check(name, old, new)
                changed.add(name)
        if not changed.isdisjoint(("messages", "tools")):
            made.messages, made.tools = json.loads(_written((answer.messages, answer.tools)))
    if "model" in allowed and answer.model != made.model:
        if not isinstance(answer.model, str) or not answer.model:
            raise NotAllowedError("it gave the model no name")
        made.model = answer.model
        changed.add("model")
    if "headers" in allowed and answer.headers != made.headers:
        made.headers = _headers(made.headers, answer.headers)
        changed.add("headers")
    made.changed = frozenset(changed)
    return made


def _check(name: str, old: Any, new: Any) -> None:
    """Raise NotAllowedError for messages or tools that no request can have."""
    turns = isinstance(new, list) and all(isinstance(turn, dict) for turn in new)
    if name == "messages" and not (turns and new) and not (isinstance(old, str) and isinstance(new, str)):
        raise NotAllowedError("its messages are no list of turns")
    if name == "tools" and not (turns or new is None):
        raise NotAllowedError("its tools are no list of tools")
    if name == "messages" and old is None:
        raise NotAllowedError("it gave messages to a text")


def _headers(old: dict[str, str], new: Any) -> dict[str, str]:
    """Return headers with what a plugin may change of them changed. Raise NotAllowedError."""
    if not isinstance(new, dict) or not all(isinstance(part, str) for pair in new.items() for part in pair):
        raise NotAllowedError("its headers are no mapping of texts")
    lower = {name.lower(): value for name, value in new.items()}
    if any(lower.get(name) != old.get(name) for name in {*lower, *old} - OPEN_HEADERS):
        raise NotAllowedError("it changed a header that is not a plugin's")
    if not all(value.isascii() and value.isprintable() and value for value in lower.values()):
        raise NotAllowedError("a header of its is no line of plain text")
    return lower


def _written(value: Any) -> str:
    """Return a value as JSON, which tells values apart that Python takes for equal. Raise TypeError, ValueError."""
    return json.dumps(value, allow_nan=False)


def _apart(value: Any) -> Any:
    """Return a copy of plain values."""
    if isinstance(value, dict):
        return {key: _apart(item) for key, item in value.items()}
    return [_apart(item) for item in value] if isinstance(value, list) else value
