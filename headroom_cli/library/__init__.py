"""The library: the calls that a program makes instead of running the command."""

from __future__ import annotations

from headroom_cli import engine, tokens
from headroom_cli.model import Policy
from headroom_cli.settings import resolve
from headroom_cli.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from headroom_cli.events import Plugins
    from headroom_cli.model import Report, Result


class Compressed:
    """What ``compress`` returns.

    ``messages``       the value given, smaller; what did not change is shared with it, never copied or edited
    ``tokens_before``, ``tokens_after``, ``tokens_saved``  of all texts; estimates unless a tokenizer is there
    ``blocks``         one report per text: path, kind, tokens before and after, reason when it stayed
    ``handles``        the handles of the originals that markers in ``messages`` name
    ``reason``         why nothing changed, "" when something did
    ``warnings``       what could not be done, in words
    """

    __slots__ = ("blocks", "handles", "messages", "reason", "tokens_after", "tokens_before", "warnings")

    def __init__(self, messages: Any, result: Result) -> None:
        """Read the figures from the engine's result."""
        self.messages = messages
        self.tokens_before = result.before
        self.tokens_after = result.after
        self.blocks: list[Report] = result.blocks
        self.warnings = [*result.warnings, *([result.unfit] if result.unfit else ())]
        self.handles = [report.handle for report in result.blocks if report.degree == "lossy" and report.handle]
        self.reason = reason(result)

    @property
    def tokens_saved(self) -> int:
        """Tokens before minus tokens after."""
        return self.tokens_before - self.tokens_after


def compress(
    messages: Any,
    model: str = "",
    level: str | None = None,
    query: str | None = None,
    store: str | Store | None = None,
    *,
    lossless: bool = False,
    redeem: str = "shell",
    budget: int | None = None,
    live: bool = False,
    fresh: bool = False,
    plugins: Iterable[str | Any] | Plugins = (),
    kompress: str = "",
) -> Compressed:
    """Return a conversation that says the same in fewer tokens.

    ``messages`` is a list of messages or a whole request (Anthropic Messages, OpenAI Chat, OpenAI Responses) as Python
    values; it is not modified. ``store`` is a directory or a Store; None means the user's own (HEADROOM_STORE).
    ``budget`` is in tokens: whole turns are left out until the rest fits; without it the window of ``model`` counts,
    where it is known. ``live`` is for a request that goes out next:
    what stands before its last assistant turn went out before, and is left as it went out. ``fresh`` renders anew what
    was rendered before. ``plugins`` are names of plugins or objects with ``on_pipeline_event``, in their order: they
    are told of the stages up to input_remembered, and may change the messages first (docs/plugins.md). ``kompress`` is
    a model that deletes words from prose at levels balanced and max: "embedded", the name of one that was pulled, or a
    folder; it needs headroom-cli[ml].

    Raise TypeError for other values and ConfigError for a level, a plugin or a model that does not exist; whatever else
    fails leaves the messages as they are, with the reason in ``warnings``.
    """
    policy = Policy(
        level=level or "", query=query or "", lossless=lossless, redeem=redeem, budget=budget, live=live, fresh=fresh,
        kompress=kompress,
    )  # fmt: skip
    if kompress:
        from headroom_cli.kompress.find import find

        find(kompress)
    if not tokens.is_exact() and (ranks := resolve({}).ranks):
        tokens.use_exact(ranks)
    if not plugins:
        return Compressed(*engine.crush_value(messages, policy, _store(store), model=model))
    from headroom_cli.events import plugins_for
    from headroom_cli.plugins import Telling

    several = plugins_for(plugins, "compress")
    known = dict(several.faults)
    several.begin()
    telling = Telling(several, model=model)
    messages = telling.received_value(messages)
    made = Compressed(*engine.crush_value(messages, policy, _store(store), model=telling.model, watch=telling.watch))
    failed = [name for name, count in several.faults.items() if count > known.get(name, 0)]
    made.warnings += [f"the plugin {name} failed; what it did does not count" for name in failed]
    return made


def retrieve(
    handle: str,
    *,
    lines: str = "",
    rows: str = "",
    grep: str = "",
    query: str = "",
    area: str = "",
    store: str | Store | None = None,
) -> bytes:
    """Return an original, byte for byte, or the parts asked for ("40:80", 1-based and inclusive).

    ``area`` is left,top,width,height of a picture, in its own pixels.

    Raise NotFoundError for a handle that was never given, CorruptError for a damaged original, UsageError for a slice
    that cannot be read.
    """
    return engine.fetch(_store(store), handle, lines=lines, rows=rows, grep=grep, query=query, area=area)


def _store(store: str | Store | None) -> Store:
    return store if isinstance(store, Store) else Store(store or resolve({}).store)


def reason(result: Result) -> str:
    """Return why a run changed nothing, "" when it changed something."""
    if any(report.degree for report in result.blocks):
        return ""
    if result.warnings:
        return result.warnings[0]
    kept = [report.kept for report in result.blocks if report.role == "tool" and report.kept]
    return max(set(kept), key=kept.count) if kept else "no tool output in these messages"
