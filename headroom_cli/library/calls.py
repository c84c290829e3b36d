"""The calls of the library that need no object: compress, retrieve, tool."""

from __future__ import annotations

from headroom_cli import engine, tokens
from headroom_cli.errors import HeadroomError
from headroom_cli.library import counting
from headroom_cli.library.objects import Opened
from headroom_cli.library.result import Compressed
from headroom_cli.model import Policy
from headroom_cli.settings import resolve
from headroom_cli.store import Store, named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from headroom_cli.events import Plugins
    from headroom_cli.library.result import M
    from headroom_cli.model import Result


def compress(
    messages: M,
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
    plugins: Iterable[str | object] | Plugins = (),
    kompress: str = "",
) -> Compressed[M]:
    """Return a conversation that says the same in fewer tokens.

    ``messages`` is a list of messages or a whole request (Anthropic Messages, OpenAI Chat, OpenAI Responses) as Python
    values; message objects of the official SDKs may stand anywhere in it. It is not modified: what did not change comes
    back as the same objects, what did as plain values. ``store`` is a directory or a Store; None means the user's own
    (HEADROOM_STORE). ``budget`` is in tokens: whole turns are left out until the rest fits; without it the window of
    ``model`` counts, where it is known. ``live`` is for a request that goes out next:
    what stands before its last assistant turn went out before, and is left as it went out. ``fresh`` renders anew what
    was rendered before. ``plugins`` are names of plugins or objects with ``on_pipeline_event``, in their order: they
    are told of the stages up to input_remembered, and may change the messages first (docs/plugins.md). ``kompress`` is
    a model that deletes words from prose at levels balanced and max: "embedded", the name of one that was pulled, or a
    folder; it needs headroom-cli[ml].

    Raise TypeError for other values and ConfigError for a level, a plugin or a model that does not exist; whatever else
    fails leaves the messages as they are, and says why in ``reason`` and ``warnings``.
    """
    policy = Policy(
        level=level or "", query=query or "", lossless=lossless, redeem=redeem, budget=budget, live=live, fresh=fresh,
        kompress=kompress,
    )  # fmt: skip
    check(policy)
    return shortened(messages, policy, store, model, told_by(plugins, "compress"))


def retrieve(
    handle: str,
    *,
    lines: str = "",
    rows: str = "",
    grep: str = "",
    query: str = "",
    store: str | Store | None = None,
) -> bytes:
    """Return an original, byte for byte, or the parts asked for ("40:80", 1-based and inclusive).

    Raise NotFoundError for a handle that was never given, CorruptError for a damaged original, UsageError for a slice
    that cannot be read.
    """
    return engine.fetch(store_of(store), handle, lines=lines, rows=rows, grep=grep, query=query)


def tool(shape: str = "anthropic") -> dict[str, object]:
    """Return the definition of the tool by which a model asks for originals, for requests of this shape.

    For programs that answer its calls themselves, with ``retrieve``: ``shape`` is "anthropic", "openai" or "responses".
    Raise ValueError for another.
    """
    from headroom_cli import retrieval, wire

    if shape not in wire.WIRES:
        raise ValueError(f"unknown shape {shape!r}; use one of {', '.join(wire.WIRES)}")
    definition: dict[str, object] = wire.load(shape).tool(retrieval.NAME, retrieval.DESCRIPTION, retrieval.SCHEMA)
    return definition


def check(policy: Policy) -> None:
    """Raise ConfigError for a model that is not there, and count in the way that the user's settings say."""
    if policy.kompress:
        from headroom_cli.kompress.find import find

        find(policy.kompress)
    count()


def count() -> None:
    """Count tokens exactly from here on, where a rank file is configured. Raise ConfigError."""
    if not tokens.is_exact() and (ranks := resolve({}).ranks):
        tokens.use_exact(ranks)


def told_by(plugins: Iterable[str | object] | Plugins, operation: str) -> Plugins | None:
    """Return plugins that are ready to be told, None for none. Raise ConfigError."""
    if not plugins:
        return None
    from headroom_cli.events import plugins_for

    several = plugins_for(plugins, operation)
    several.begin()
    return several


def shortened(
    messages: M, policy: Policy, store: str | Store | None, model: str, several: Plugins | None
) -> Compressed[M]:
    """Do what ``compress`` does; whatever fails leaves the messages as they are. Raise TypeError for other values."""
    opened = Opened(messages)
    if not isinstance(opened.value, (dict, list)):
        raise TypeError("compress() takes a list of messages or a request as a dict; use the command for other text")
    try:
        opened_store = store_of(store)
        value, made = run(opened.value, policy, opened_store, model, several)
        made.messages = opened.back(value)
    except Exception as error:  # noqa: BLE001 - a request is worth more than what shortening it would save
        return Compressed.untouched(messages, why(error))
    counting.compressed(opened_store.root, model, made)
    return made


def why(error: Exception) -> str:
    """Return the sentence of an error; of one that nobody foresaw only its kind: its message may quote a text."""
    if isinstance(error, HeadroomError):
        return str(error)
    return f"shortening failed ({type(error).__name__}); the messages are as they came"


def run(
    value: Any, policy: Policy, store: str | Store | None, model: str, several: Plugins | None
) -> tuple[Any, Compressed[Any]]:
    """Shorten a plain value; return it and the report. Raise HeadroomError, and whatever a specialist's bug raises."""
    result: Result
    if several is None:
        value, result = engine.crush_value(value, policy, store_of(store), model=model)
        return value, Compressed.of(value, result)
    from headroom_cli.plugins import Telling

    known = dict(several.faults)
    telling = Telling(several, model=model)
    value = telling.received_value(value)
    value, result = engine.crush_value(value, policy, store_of(store), model=telling.model, watch=telling.watch)
    made = Compressed.of(value, result)
    failed = [name for name, times in several.faults.items() if times > known.get(name, 0)]
    made.warnings += [f"the plugin {name} failed; what it did does not count" for name in failed]
    return value, made


def store_of(store: str | Store | None) -> Store:
    """Return a store: the one given, the one with this name, or the user's own. Raise StoreError, ConfigError."""
    return store if isinstance(store, Store) else named(store or resolve({}).store)
