"""One request as plugins are told of it, and what they change put into its own bytes.

Elements that a plugin left alone keep the client's bytes (law 3); what undoes its changes is recorded as for any other
edit of a request that goes out.
"""

from __future__ import annotations

import json

from headroom_cli import formats
from headroom_cli.events import NotAllowedError
from headroom_cli.formats._edits import Edit, EditError, rebuilt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from headroom_cli.backends import Headers
    from headroom_cli.events import PipelineEvent, Plugins, Source
    from headroom_cli.formats._edits import Path
    from headroom_cli.model import Result

# The members in which the three APIs keep the turns.
_TURNS = ("messages", "input")


class Telling:
    """What plugins are told of one request; a view of it, made anew for each."""

    __slots__ = ("_plugins", "_told", "headers", "metadata", "model", "provider", "request_id")

    def __init__(
        self, plugins: Plugins, *, request_id: str = "", provider: str = "", model: str = "", headers: Headers = ()
    ) -> None:
        """``request_id`` is made up when the caller has none."""
        import os

        self._plugins = plugins
        self._told: set[str] = set()
        self.request_id = request_id or os.urandom(8).hex()
        self.provider = provider
        self.model = model
        self.headers = headers
        self.metadata: dict[str, Any] = {}  # that all events have from here on

    def tell(
        self, stage: str, source: Source | None = None, *, make: Callable[[PipelineEvent], None] | None = None,
        **facts: Any,
    ) -> PipelineEvent:  # fmt: skip
        """Tell of a stage; ``facts`` are further members of the event. See Plugins.emit."""
        metadata = {**self.metadata, **facts.pop("metadata", {})}
        return self._plugins.emit(
            stage, make=make, request_id=self.request_id, provider=self.provider, model=self.model,
            headers=self.headers, metadata=metadata, source=source, **facts,
        )  # fmt: skip

    def received(self, data: bytes, value: Any) -> bytes:
        """Tell that a request came; return its bytes with what plugins changed. ``value`` is None for a text.

        A plugin's model stands in ``model``, and in the request where that names one.
        """
        if value is None:
            self.model = self.tell("input_received").model
            return data
        made = [data]

        def make(event: PipelineEvent) -> None:
            made[0] = _changed(data, edits_for(value, event), lines=isinstance(value, list))

        event = self.tell("input_received", source_of(lambda: json.loads(json.dumps(value))), make=make)
        self.model = event.model
        return made[0]

    def received_value(self, value: Any) -> Any:
        """Do the same for a request, or a list of turns, given as a Python value; what did not change is shared."""
        made = [value]

        def make(event: PipelineEvent) -> None:
            made[0] = rebuilt(value, edits_for(value, event))

        event = self.tell("input_received", source_of(lambda: json.loads(json.dumps(value))), make=make)
        self.model = event.model
        return made[0]

    def watch(self, stage: str, result: Result, shown: Callable[[], Any]) -> None:
        """Tell of a stage of the engine, once: a run that starts again after a failure says nothing new."""
        if stage in self._told:
            return
        self._told.add(stage)
        blocks = result.blocks
        if stage == "input_cached":
            facts: dict[str, Any] = {"moved": len(result.moved)}
        else:
            self.metadata.update(
                tokens_before=sum(block.before for block in blocks), tokens_after=sum(block.after for block in blocks)
            )
            kinds: dict[str, int] = {}
            for block in blocks:
                kinds[block.kind or "none"] = kinds.get(block.kind or "none", 0) + 1
            facts = {"blocks": len(blocks), "shortened": sum(bool(block.degree) for block in blocks), "kinds": kinds}
        self.tell(stage, source_of(shown), metadata=facts)

    def leaves(self, body: bytes, kept: Iterable[str] = ()) -> bytes:
        """Tell that a request is about to go out; return its bytes with what plugins changed.

        ``kept`` are names of tools that must stay: markers in the request count on them. The headers that it is to have
        stand in ``headers`` from then on.
        """
        made = [body]

        def make(event: PipelineEvent) -> None:
            value = json.loads(body)
            if not _names(value.get("tools")).intersection(kept) <= _names(event.tools):
                raise NotAllowedError("it took a tool of this program's out of the request")
            made[0] = _changed(body, edits_for(value, event))

        event = self.tell("pre_send", source_of(lambda: json.loads(body)), make=make)
        if "headers" in event.changed:
            self.headers = _headers(self.headers, event.headers)
        return made[0]


def source_of(value: Callable[[], Any]) -> Source:
    """Return what gives the turns and the tools of a request or a list of turns, which is read when that is called."""

    def source() -> tuple[Any, Any]:
        found = value()
        if isinstance(found, list):
            return found, None
        if not isinstance(found, dict):
            return None, None
        return next((found[name] for name in _TURNS if name in found), None), found.get("tools")

    return source


def edits_for(value: Any, event: PipelineEvent) -> list[Edit]:
    """Return the edits that make of a request what an event says. Raise NotAllowedError."""
    edits: list[Edit] = []
    if "messages" in event.changed:
        path: Path = () if isinstance(value, list) else (next(name for name in _TURNS if name in value),)
        edits += _edits(path, value[path[0]] if path else value, event.messages)
    if "tools" in event.changed:
        if isinstance(value, list):
            raise NotAllowedError("a list of messages has no tools")
        if event.tools is None:
            edits.append(Edit.remove((), "tools"))
        elif isinstance(value.get("tools"), list):
            edits += _edits(("tools",), value["tools"], event.tools)
        else:
            edits.append(Edit.member((), "tools", event.tools))
    if "model" in event.changed and isinstance(value, dict) and isinstance(value.get("model"), str):
        edits.append(Edit.put(("model",), event.model))
    return edits


def _edits(path: Path, old: Any, new: Any) -> list[Edit]:
    """Return the edits that make one list of another: what both begin and end with stays as it is written."""
    if not (isinstance(old, list) and isinstance(new, list)):
        return [Edit.put(path, new)]
    was, now = ([json.dumps(one) for one in several] for several in (old, new))
    head, most = 0, min(len(was), len(now))
    while head < most and was[head] == now[head]:
        head += 1
    tail = 0
    while tail < most - head and was[-1 - tail] == now[-1 - tail]:
        tail += 1
    if len(was) == len(now):
        return [Edit.put((*path, i), new[i]) for i in range(head, len(new) - tail) if was[i] != now[i]]
    gone = [Edit.drop(path, i) for i in range(head, len(was) - tail)]
    return [*gone, *(Edit.insert(path, len(was) - tail, one) for one in new[head : len(now) - tail])]


def _changed(data: bytes, edits: list[Edit], *, lines: bool = False) -> bytes:
    """Return a request's bytes after edits; ``lines``: it may have one turn a line. Raise NotAllowedError."""
    if not edits:
        return data
    try:
        if lines and data.lstrip()[:1] == b"{":
            return formats.parse(data, "jsonl").edited(edits)[0].text.encode()
        return formats.spliced(data, edits)
    except (EditError, UnicodeError):
        raise NotAllowedError("the request cannot be changed there: it holds a key twice") from None


def _headers(old: Headers, new: dict[str, str]) -> Headers:
    """Return headers as a plugin left them: those that are as before as they were written, then the others."""
    from headroom_cli.events import OPEN_HEADERS, shown

    before = shown(old)
    kept = tuple((name, value) for name, value in old if before[name.lower()] == new.get(name.lower()))
    return (*kept, *((n, v) for n, v in new.items() if n in OPEN_HEADERS and before.get(n) != v))


def _names(tools: Any) -> set[str]:
    """Return the names of tools in any shape."""
    functions = [tool.get("function", tool) for tool in tools or () if isinstance(tool, dict)]
    return {str(function.get("name")) for function in functions if isinstance(function, dict)}
