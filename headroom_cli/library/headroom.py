"""The library as an object: a store, a policy and plugins that stay from call to call."""

from __future__ import annotations

import os
import weakref
from _thread import RLock

from headroom_cli.errors import ConfigError
from headroom_cli.library import calls
from headroom_cli.model import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Any

    from headroom_cli.events import PipelineEvent, Plugins
    from headroom_cli.library.many import Crew
    from headroom_cli.library.result import Compressed, M
    from headroom_cli.store import Store

    # What may be said of a policy: a Policy, the name of a level, or keywords of Policy.
    Allowed = Policy | str | Mapping[str, object] | None
    Told = Callable[[PipelineEvent], PipelineEvent | None]


class Headroom:
    """Shortens many conversations in the same way; may be used by any number of threads at once.

    It holds no file and no connection open; only a batch starts processes, and ``close``, or the end of a ``with``,
    ends those. A process that is forked can go on using it.
    """

    __slots__ = ("__weakref__", "_crew", "_lock", "_plugins", "named", "policy", "store")

    def __init__(
        self, *, store: str | Store | None = None, policy: Allowed = None, on_pipeline_event: Told | None = None,
        plugins: Iterable[str | object] = (),
    ) -> None:  # fmt: skip
        """``store`` is a directory or a Store, None the user's own; ``policy`` a Policy, a level, or Policy's keywords.

        ``on_pipeline_event`` is told of each stage of each call and may change the messages first (docs/plugins.md);
        ``plugins`` are told before it. Raise ConfigError for what does not exist.
        """
        self.policy = policy_of(policy)
        calls.check(self.policy)
        self.store = calls.store_of(store)
        self.named = several(plugins, on_pipeline_event)
        self._lock = RLock()
        self._crew: Crew | None = None
        self._plugins = plugins_of(self.named, "compress")
        renewed(self)

    def __enter__(self) -> Headroom:  # noqa: PYI034 - Self would be known to type checkers alone
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do ``close``."""
        self.close()

    def close(self) -> None:
        """End the processes that batches started; a later call starts others."""
        with self._lock:
            crew, self._crew = self._crew, None
        if crew is not None:
            crew.close()

    def compress(self, messages: M, model: str = "", *, policy: Allowed = None) -> Compressed[M]:
        """Return a conversation that says the same in fewer tokens; see ``headroom_cli.compress``.

        ``policy`` counts instead of the object's own. Raise TypeError for what is no request or list of messages,
        ConfigError for a policy that does not exist; whatever else fails leaves the messages as they are.
        """
        return calls.shortened(messages, self._policy(policy), self.store, model, self._plugins)

    async def acompress(self, messages: M, model: str = "", *, policy: Allowed = None) -> Compressed[M]:
        """Do the same in a thread, so that an event loop goes on meanwhile.

        A task that is cancelled stops waiting; the thread comes to its end by itself.
        """
        import asyncio

        return await asyncio.to_thread(self.compress, messages, model, policy=policy)

    def compress_many(
        self, batch: Iterable[M], model: str = "", *, policy: Allowed = None, workers: int | None = None,
        progress: Callable[[int, int | None], object] | None = None, seconds: float = 120.0,
    ) -> list[Compressed[M]]:  # fmt: skip
        """Shorten many conversations in processes of their own; see ``headroom_cli.compress_many``.

        The processes stay for the next batch. Plugins that are objects cannot be told there: with one, or with
        ``on_pipeline_event``, all is done in this process.
        """
        from headroom_cli.library import many

        chosen = self._policy(policy)
        if workers == 0 or not all(isinstance(one, str) for one in self.named):
            return many.here(
                batch, lambda messages: calls.shortened(messages, chosen, self.store, model, self._plugins), progress
            )
        with self._lock:
            crew = self._crew = self._crew or many.Crew(self.store, self.named)
        return crew.work(batch, chosen, model, workers=workers, progress=progress, seconds=seconds)

    def retrieve(
        self, handle: str, *, lines: str = "", rows: str = "", grep: str = "", query: str = ""
    ) -> bytes:  # fmt: skip
        """Return an original, or the parts of it that were asked for; see ``headroom_cli.retrieve``."""
        return calls.retrieve(handle, lines=lines, rows=rows, grep=grep, query=query, store=self.store)

    def _policy(self, given: Allowed) -> Policy:
        if given is None:
            return self.policy
        policy = policy_of(given)
        calls.check(policy)
        return policy

    def renew(self) -> None:
        """Take new locks in a forked child, and leave the parent's processes to the parent."""
        self._lock = RLock()
        if self._plugins is not None:
            self._plugins.renew_lock()
        crew, self._crew = self._crew, None
        if crew is not None:
            crew.forget()


def policy_of(given: Allowed, **usual: Any) -> Policy:
    """Return a policy for what a caller gave; ``usual`` are keywords that count where he says nothing.

    Raise ConfigError, TypeError.
    """
    if isinstance(given, Policy):
        return given
    if given is None or isinstance(given, str):
        return Policy(**usual, level=given or "")
    try:
        return Policy(**{**usual, **given})
    except TypeError:
        raise ConfigError(f"a policy has no {', '.join(sorted(map(str, given)))[:200]}; see Policy") from None


class _Function:
    """A function as a plugin."""

    __slots__ = ("on_pipeline_event",)

    def __init__(self, told: Told) -> None:
        """Take what is told."""
        self.on_pipeline_event = told


def several(plugins: Iterable[str | object], told: Told | None) -> tuple[str | object, ...]:
    """Return plugins, and the function that is told after them."""
    chosen = (plugins,) if isinstance(plugins, str) else tuple(plugins)
    return chosen if told is None else (*chosen, _Function(told))


def plugins_of(named: tuple[str | object, ...], operation: str) -> Plugins | None:
    """Return plugins of their own, set up; None for none. Raise ConfigError."""
    if not named:
        return None
    from headroom_cli.events import Plugins

    made = Plugins.load(named, operation=operation)
    made.begin()
    return made


_all: weakref.WeakSet[Any] = weakref.WeakSet()


def renewed(one: Any) -> None:
    """Have ``one.renew()`` called in forked children: a thread that is gone there may have held its locks."""
    _all.add(one)


def _renew_all() -> None:
    from headroom_cli import events

    events.renew_locks()
    for one in tuple(_all):
        one.renew()


os.register_at_fork(after_in_child=_renew_all)
