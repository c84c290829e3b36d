"""Redis, or a server that speaks its protocol, as a shared store.

Originals, grants and single things are strings, a shard of renderings is a hash. Everything has a time to live of 30
days, set anew by every use. "The server has it" means: it answered a read of what was written with the same bytes, it
keeps an append-only file that is synced before it answers (or the URL says ``volatile=yes``), ``replicas=N`` of its
replicas said that they have it, and it never gives up originals to make room: with a limit of memory its policy is
``noeviction``.
"""

from __future__ import annotations

import time

from headroom_cli.errors import ConfigError, StoreError, StoreFullError, StoreRefusedError
from headroom_cli.store.backends import KEEP, TRIES, Backend, Item
from headroom_cli.store.patience import AwayError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, TypeVar

    from headroom_cli.store.url import Url

    _T = TypeVar("_T")

_AT_ONCE = 4 << 20  # bytes in one round trip
_SEVERAL = 500  # names in one round trip
_LOOK_AGAIN = 15.0  # seconds after which the server's limits are looked at again
_SOCKET = 10.0  # seconds; whoever waits gives up sooner (patience.py)
_STEP = 86_400  # seconds: a use within a day of the last one is not noted
_NONE = -2  # what TTL answers for what is not there
_REPLICAS = 200  # milliseconds that replicas are waited for


class Redis(Backend):
    """One server, or what stands for one. Nothing is connected before the first call."""

    WAIT = 0.25
    GRACE = False

    def __init__(self, url: Url) -> None:
        """Raise ConfigError when the library is missing or the URL cannot be used."""
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError as error:
            raise ConfigError("a store in Redis needs headroom-cli[redis]; install that") from error
        self._library: Any = redis.exceptions
        self._shown = url.shown
        self._head = f"{url.options.get('prefix') or 'headroom'}:"
        self._replicas = int(url.number("replicas", 0))
        self._volatile = url.options.get("volatile") == "yes"
        self._looked = float("-inf")
        self._about = ""
        try:
            self._client: Any = redis.Redis.from_url(
                url.plain, socket_timeout=_SOCKET, socket_connect_timeout=_SOCKET, protocol=2,
                # A connection that the server closed meanwhile is opened again; all calls may be repeated.
                retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
            )  # fmt: skip
        except (ValueError, redis.RedisError) as error:
            raise ConfigError(f"the store {url.shown} cannot be used: no such address; check the URL") from error

    def check(self) -> None:
        """Look whether the server is there and may be trusted with originals."""
        self._looked = float("-inf")
        self._trust()

    def about(self) -> str:
        """Return what a power cut of the server would leave."""
        self._trust()
        return self._about

    def now(self) -> float:
        """Return the server's time."""
        seconds, micros = self._do(self._client.time)
        return float(seconds) + float(micros) / 1e6

    def _do(self, work: Callable[[], _T]) -> _T:
        """Do the work; raise errors of the store for the library's, which may hold the URL."""
        redis = self._library
        try:
            return work()
        except redis.AuthenticationError as error:
            raise StoreRefusedError(
                f"the store {self._shown} refused user or password; check HEADROOM_STORE"
            ) from error
        except redis.OutOfMemoryError as error:
            raise StoreFullError(f"the store {self._shown} is at its maxmemory; raise it, or run gc") from error
        except redis.NoPermissionError as error:
            raise StoreRefusedError(f"the user of {self._shown} may not do what a store does; check its ACL") from error
        # A connection that is cut while keys are watched is a WatchError; a server that has just become a replica of
        # another answers READONLY until its clients have found the other one.
        except (
            redis.ConnectionError, redis.TimeoutError, redis.WatchError, redis.ReadOnlyError, OSError,
        ) as error:  # fmt: skip
            kind = type(error).__name__
            raise AwayError(f"the store {self._shown} cannot be reached ({kind}); check the server") from error
        except redis.RedisError as error:
            said = type(error).__name__
            if said == "ResponseError":
                said = str(error).rpartition("caused error: ")[2].partition(" ")[0][:20]
            raise StoreError(f"the store {self._shown} answered {said}; check the server's log") from error

    def _trust(self) -> None:
        """Raise StoreRefusedError for a server that would give originals up, or lose all at its end."""
        if time.monotonic() - self._looked < _LOOK_AGAIN:
            return
        told = self._do(self._client.info)
        limit, policy = int(told.get("maxmemory", 0)), str(told.get("maxmemory_policy", "noeviction"))
        if limit and policy != "noeviction":
            raise StoreRefusedError(
                f"the store {self._shown} would evict originals to make room (maxmemory-policy {policy}); "
                "set it to noeviction"
            )
        if told.get("role", "master") != "master":
            # One that can be written loses that when it is synced with its master again.
            raise AwayError(f"the store {self._shown} is a replica of another server; name that one")
        if told.get("aof_enabled") != 1:
            self._about = "what was written since its last snapshot is lost when it ends"
        elif (synced := self._synced()) != "always":
            # Redis answers before it writes while it is still syncing what came before: up to two seconds are at stake.
            self._about = f"what was written in the last seconds may be lost (appendfsync {synced})"
        else:
            self._about = "in an append-only file on the disk when it is acknowledged"
            self._looked = time.monotonic()
            return
        if not self._volatile:
            raise StoreRefusedError(
                f"the store {self._shown} could lose originals: {self._about}; "
                "set appendonly to yes, appendfsync to always and no-appendfsync-on-rewrite to no there, "
                "or accept that with ?volatile=yes"
            )
        self._looked = time.monotonic()

    def _synced(self) -> str:
        """Return when the server passes its append-only file to the disk, "unknown" where it does not say."""
        try:
            told = self._do(lambda: self._client.config_get("*appendfsync*"))
        except AwayError:
            raise
        except StoreError:  # a server run by others lets nobody ask
            return "unknown"
        if told.get("no-appendfsync-on-rewrite") == "yes":
            return "not while it rewrites its file, no-appendfsync-on-rewrite"
        return str(told.get("appendfsync", "unknown"))

    def _pipeline(self, fill: Callable[[Any], None], *, refused: bool = False) -> list[Any]:
        """Send several commands at once and return their answers; ``refused``: also of those that were refused."""
        with self._client.pipeline(transaction=False) as pipe:
            fill(pipe)
            answers: list[Any] = self._do(lambda: pipe.execute(raise_on_error=not refused))
        return answers

    def read(self, names: list[str], *, use: bool = True) -> list[bytes | None]:
        """Return what is kept under each name."""
        found: list[bytes | None] = []
        for start in range(0, len(names), _SEVERAL):
            some = names[start : start + _SEVERAL]

            def fill(pipe: Any, some: list[str] = some) -> None:
                for name in some:
                    pipe.get(self._head + name)
                    pipe.ttl(self._head + name)

            answers = self._pipeline(fill)
            if use:
                self._tell_use(some, answers[1::2])
            found += answers[::2]
        return found

    def known(self, names: list[str], *, now: bool = True) -> set[str]:  # noqa: ARG002 - one round trip either way
        """Return which are kept: those that have time left, or whose time could be set anew."""
        found: set[str] = set()
        for start in range(0, len(names), _SEVERAL):
            some = names[start : start + _SEVERAL]

            def fill(pipe: Any, some: list[str] = some) -> None:
                for name in some:
                    pipe.ttl(self._head + name)

            found |= self._used(some, self._pipeline(fill))
        return found

    def _used(self, names: list[str], left: list[int]) -> set[str]:
        """Note the use of what is there, given the seconds that each has left; return which of them are there.

        What was used within a day is left alone: a server that syncs every change would be kept waiting by readers.
        """
        there = {name for name, seconds in zip(names, left, strict=True) if seconds > KEEP - _STEP}
        old = [name for name, seconds in zip(names, left, strict=True) if seconds != _NONE and name not in there]
        if old:

            def fill(pipe: Any) -> None:
                for name in old:
                    pipe.expire(self._head + name, KEEP)

            there.update(name for name, answer in zip(old, self._pipeline(fill), strict=True) if answer)
        return there

    def _tell_use(self, names: list[str], left: list[int]) -> None:
        """Note the use of what was read where that can be done: a replica, or a server whose disk is full, can not."""
        try:
            self._used(names, left)
        except AwayError:
            raise
        except StoreError:
            return

    def write(self, items: dict[str, bytes]) -> None:
        """Write and read back, a few MiB at a time."""
        self._trust()
        waiting = list(items)
        while waiting:
            some: list[str] = []
            size = 0
            while waiting and (not some or size + len(items[waiting[-1]]) <= _AT_ONCE):
                some.append(waiting.pop())
                size += len(items[some[-1]])
            self._write(some, items)

    def _write(self, some: list[str], items: dict[str, bytes]) -> None:
        def fill(pipe: Any) -> None:
            for name in some:
                pipe.set(self._head + name, items[name], ex=KEEP)
            if self._replicas:
                pipe.execute_command("WAIT", self._replicas, _REPLICAS)
            for name in some:
                pipe.get(self._head + name)

        answers = self._pipeline(fill)
        if self._replicas and int(answers[len(some)]) < self._replicas:
            raise StoreError(f"only {answers[len(some)]} of {self._replicas} replicas of {self._shown} answered")
        if answers[-len(some) :] != [items[name] for name in some]:
            raise StoreError(f"what was written to {self._shown} reads back otherwise; check the server")

    def create(self, items: dict[str, bytes]) -> dict[str, bytes]:
        """Keep what nobody else kept under these names."""
        self._trust()

        def fill(pipe: Any) -> None:
            for name, data in items.items():
                pipe.set(self._head + name, data, ex=KEEP, nx=True)
                pipe.expire(self._head + name, KEEP)  # what stands there is used, and may have a moment left
            if self._replicas:
                pipe.execute_command("WAIT", self._replicas, _REPLICAS)
            for name in items:
                pipe.get(self._head + name)

        standing = self._pipeline(fill)[-len(items) :]
        if None in standing:
            raise StoreError(f"what was written to {self._shown} is gone; check the server")
        return {name: held for name, held in zip(items, standing, strict=True) if held != items[name]}

    def fields(self, shard: str, *, use: bool = True) -> dict[str, bytes]:
        """Return a hash."""
        name = f"{self._head}renderings/{shard}"

        def fill(pipe: Any) -> None:
            pipe.hgetall(name)
            pipe.ttl(name)

        held, left = self._pipeline(fill)
        if use:
            self._tell_use([f"renderings/{shard}"], [left])
        return {key.decode("ascii", "replace"): value for key, value in held.items()}

    def update(self, shard: str, decide: Callable[[dict[str, bytes]], dict[str, bytes]]) -> None:
        """Change a hash in a transaction that fails when somebody else changes it meanwhile."""
        self._trust()
        name = f"{self._head}renderings/{shard}"

        def once() -> bool:
            with self._client.pipeline() as pipe:
                pipe.watch(name)
                held = {key.decode("ascii", "replace"): value for key, value in pipe.hgetall(name).items()}
                fresh = decide(held)
                if not fresh:
                    return True
                pipe.multi()
                pipe.hset(name, mapping=fresh)
                pipe.expire(name, KEEP)
                try:
                    pipe.execute()
                except self._library.WatchError:
                    return False
                if self._replicas and int(pipe.wait(self._replicas, _REPLICAS)) < self._replicas:
                    raise StoreError(f"too few replicas of {self._shown} answered; check them, or lower replicas=")
                return True

        if not any(self._do(once) for _ in range(TRIES)):
            raise StoreError(f"the store {self._shown} is busy; try again")

    def drop(self, shard: str, keys: Iterable[str]) -> None:
        """Remove fields of a hash."""
        gone = list(keys)
        if gone:
            self._do(lambda: self._client.hdel(f"{self._head}renderings/{shard}", *gone))

    def scan(self, folder: str) -> Iterator[Item]:
        """Go through the keys of a folder; the time that is left of each tells its last use."""
        now, cursor, seen = self.now(), 0, set[bytes]()
        head = self._head.encode()
        shape = b"".join(b"\\" + bytes([c]) if c in b"*?[]\\^-" else bytes([c]) for c in head) + f"{folder}/*".encode()
        while True:
            cursor, keys = self._do(lambda at=cursor: self._client.scan(at, match=shape, count=1000))  # type: ignore[misc]
            fresh = [key for key in keys if key not in seen]
            seen.update(fresh)

            def fill(pipe: Any, fresh: list[bytes] = fresh) -> None:
                for key in fresh:
                    pipe.ttl(key)
                    pipe.execute_command("MEMORY", "USAGE", key) if folder == "renderings" else pipe.strlen(key)

            answers = self._pipeline(fill, refused=True) if fresh else []
            for key, left, size in zip(fresh, answers[::2], answers[1::2], strict=True):
                if isinstance(size, int) and left != _NONE:  # no size: others keep something of another type there
                    used = now if left < 0 else now - (KEEP - left)
                    yield Item(key[len(head) :].decode("ascii", "replace"), int(size), used)
            if not cursor:
                return

    def remove(self, names: Iterable[str]) -> None:
        """Remove keys."""
        waiting = [self._head + name for name in names]
        for start in range(0, len(waiting), _SEVERAL):
            some = waiting[start : start + _SEVERAL]
            self._do(lambda some=some: self._client.delete(*some))  # type: ignore[misc]

    def remove_unused(self, name: str, before: float) -> bool:
        """Remove a key in a transaction that fails when it is used or changed meanwhile."""
        key, now = self._head + name, self.now()

        def once() -> bool:
            with self._client.pipeline() as pipe:
                pipe.watch(key)
                left = pipe.ttl(key)
                if left < 0 or now - (KEEP - left) >= before:
                    return False
                pipe.multi()
                pipe.delete(key)
                try:
                    return bool(pipe.execute()[0])
                except self._library.WatchError:
                    return False

        return self._do(once)
