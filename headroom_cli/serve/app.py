"""One request after the other: who may ask, what it is, who answers it; and the accounts afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
import traceback
from collections import Counter

from headroom_cli import ledger
from headroom_cli.errors import StoreError
from headroom_cli.identity import Identity
from headroom_cli.serve import access, messages, own, pages, passing, projects, routes, upstream
from headroom_cli.serve import body as bodies
from headroom_cli.serve.counts import Counts
from headroom_cli.serve.engines import EngineError, Engines
from headroom_cli.serve.exchange import Exchange
from headroom_cli.serve.gate import Gate
from headroom_cli.serve.holding import Holding
from headroom_cli.serve.replies import RefusedError, parting, refuse
from headroom_cli.serve.room import Room
from headroom_cli.serve.said import Said
from headroom_cli.settings import debugging
from headroom_cli.trial import verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from headroom_cli.serve.access import Access
    from headroom_cli.serve.options import Serving
    from headroom_cli.serve.replies import Receive, Scope, Send

_LEDGER_SECONDS = 1.0
_STORE_TURNS = 10
_ASK_AGAIN = 0.5  # seconds between two tries to get the key from a store that is away
_TRIAL_TURNS = 60


class App:
    """The proxy as an ASGI application, with all that its requests share."""

    def __init__(self, serving: Serving, tell: Callable[[str], None] | None = None) -> None:
        """``tell`` hears one line for each thing that went wrong."""
        self.serving = serving
        self.counts = Counts()
        self.identity = Identity(serving.store)
        self.gate = Gate(serving)
        self.engines = Engines(serving)
        self.holding = Holding(serving.store, self.engines)
        self.room = Room(serving.limits)
        self.upstream: upstream.Upstream = None  # type: ignore[assignment] # made when a loop runs
        self.access: Access | None = None  # what gets tokens, where the backend wants them
        self._said_so = Said()
        self._tell = tell or self._said_so
        self._said: Counter[str] = Counter()
        self._lines: list[dict[str, Any]] = []
        self._tried = False  # requests of a trial were answered since the last look at what it shows
        self._tasks: set[asyncio.Future[None]] = set()
        self._knowing = asyncio.Lock()
        self._unknown = -_ASK_AGAIN  # when the key that tells askers apart was last asked for in vain (monotonic)
        self._trouble = ""  # what keeps the store from being written
        self.draining = False  # it is about to end: others should be asked
        self._writer: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the worker processes and what connects to providers."""
        self.upstream = upstream.Upstream(self.serving.limits)
        if access.wants(self.serving):
            self.access = access.Access(self.serving, self.upstream)
        await self.engines.start()
        # What was loaded stays: looking through all of it again and again would hold the loop for tens of milliseconds,
        # or, since that is put off until much has come up, leave the rings of thousands of connections in memory.
        gc.collect()
        gc.freeze()
        self._writer = asyncio.create_task(self._keep_house())

    def drain(self) -> None:
        """Answer as before, but ask everybody to go elsewhere: /readyz says so, and no connection is kept."""
        self.draining = True

    async def stop(self) -> None:
        """End all of it."""
        if self._writer is not None:
            self._writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._writer
        await self._flush()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)
        await self.holding.close()
        await self.engines.close()
        await self.upstream.close()
        await asyncio.to_thread(self._said_so.end)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if self.draining:
            send = parting(send)
        scope = projects.labelled(scope, self.serving.project)
        refused = self.gate.check(scope)
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send, refused)
            return
        head = scope["method"] == "HEAD"
        if refused is not None:
            await refuse(send, refused, head=head)
            return
        path = scope["raw_path"].decode("latin-1")
        route = routes.find(scope["method"], path, scope["headers"])
        if route is None:
            await refuse(send, RefusedError(404, "no provider has this path"), head=head)
        elif route.what == routes.OWN:
            await self._own(scope, receive, send)
        else:
            await self._exchange(Exchange(self, route, scope, receive, send))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _own(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is ours; what no handler knows is 404."""
        path = scope["path"]
        head = scope["method"] == "HEAD"
        try:
            if path == "/v1/compress":
                await self._know()
                await own.compress(self, scope, receive, send)
            elif path == "/v1/retrieve" or path.startswith("/v1/retrieve/"):
                await self._know()
                await own.retrieve(self, scope, receive, send)
            elif not await pages.handle(self, scope, receive, send):
                await refuse(send, RefusedError(404, "there is no such page"), head=head)
        except RefusedError as error:
            await refuse(send, error, head=head)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send, refused: RefusedError | None) -> None:
        if refused is None and routes.find("POST", scope["path"], scope["headers"]) is None:
            refused = RefusedError(404, "no provider has this path")
        from headroom_cli.serve import websocket  # most proxies never see one

        if refused is None:
            await self._know()
        await websocket.relay(self, scope, receive, send, refused)

    async def _exchange(self, exchange: Exchange) -> None:
        """Answer a request that a provider answers; end at once when the client goes away."""
        handler = passing.plain if exchange.route.what == routes.PASS else messages.handle
        work = asyncio.ensure_future(self._answered(exchange, handler))
        gone = asyncio.ensure_future(exchange.gone())
        try:
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                exchange.done.error = "the client went away"
                work.cancel()
            await asyncio.wait((work,))
        finally:
            gone.cancel()
            work.cancel()
            exchange.share.shrink(0)
            self.account(exchange)
        if not work.cancelled() and (error := work.exception()) is not None:
            raise error

    async def _answered(self, exchange: Exchange, handler: Any) -> None:
        try:
            if handler is messages.handle:
                await self._know()
            await handler(exchange)
        except RefusedError as error:
            exchange.done.error = error.sentence
            if exchange.started:
                await exchange.breaks(b"", error.sentence)
            else:
                exchange.done.status = error.status
                await refuse(exchange.send, error, exchange.error_shape, head=exchange.method == "HEAD")
        except bodies.GoneError:
            exchange.done.error = "the client went away"
        except Exception as error:  # noqa: BLE001 - the edge: a fault of ours is a 500 in the API's form, and no traceback
            exchange.done.error = f"a fault of headroom ({type(error).__name__})"
            if debugging():
                traceback.print_exc()
            self.told(exchange.done.error)
            if exchange.started:
                await exchange.breaks(b"", exchange.done.error)
            else:
                exchange.done.status = 500
                await refuse(exchange.send, RefusedError(500, exchange.done.error), exchange.error_shape)

    # --- afterwards

    def account(self, exchange: Exchange) -> None:
        """Count a request that has ended, and put it down for the ledger."""
        done = exchange.done
        if exchange.made is not None and exchange.made.told is not None:
            self._tell_plugins(exchange, exchange.made.told)
        done.total_ms = (time.perf_counter() - exchange.began) * 1000
        self.counts.add(done)
        if exchange.made is None or not done.billed:
            return
        line: dict[str, Any] = {
            "when": round(done.when, 3), "verb": "proxy", "format": done.shape, "model": done.model[:100],
            "ms": round(done.engine_ms, 1), "tokens": {"before": done.before, "after": done.after},
            "kinds": {
                kind: {**sums, "kept": sum(sums["kept"].values())} for kind, sums in done.kinds.items()
            },
        }  # fmt: skip
        more = {
            "backend": self.serving.backend or done.provider, "hops": done.hops, "usage": done.usage,
            "conversation": done.conversation, "status": done.status, "project": done.project,
            "tools": done.tools, "overhead": done.overhead, "trial": done.trial,
        }  # fmt: skip
        line.update({name: value for name, value in more.items() if value})
        self._lines.append(line)
        self._tried = self._tried or "compress" in done.trial or "shape" in done.trial

    def _tell_plugins(self, exchange: Exchange, told: dict[str, Any]) -> None:
        """Have plugins told what became of a request, by a worker process, when there is time."""
        done = exchange.done
        outcome = {"status": done.status, "usage": done.usage, "hops": done.hops, "error": done.error}

        async def tell() -> None:
            try:
                if done.hops:
                    await self.engines.do("told", told, "post_send", {})
                await self.engines.do("told", told, "response_received", {"outcome": outcome})
            except EngineError as error:
                self.told(f"a plugin was not told of an answer: the worker {error.reason}")

        task = asyncio.ensure_future(tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _know(self) -> None:
        """Get the key that tells askers apart, where the store was away at the start.

        By a key of this process alone nothing would be found that other proxies noted of an asker's conversation: so
        what depends on it waits as long for the store as any request does.
        """
        if self.identity.is_lasting:
            return
        async with self._knowing:
            for waits in (False, True):
                if self.identity.is_lasting or time.monotonic() - self._unknown < _ASK_AGAIN:
                    return
                if waits:
                    await self.holding.back()
                found = await asyncio.to_thread(Identity, self.serving.store)
                if found.is_lasting:
                    self.identity = found
            self._unknown = time.monotonic()

    async def _keep_house(self) -> None:
        """Write the ledger every second, and look after the store now and then."""
        turn = 0
        while True:
            if turn % _STORE_TURNS == 0:
                with contextlib.suppress(EngineError):
                    found: str = await self.engines.do("usable")
                    if found != self._trouble:
                        self.told(f"nothing new is shortened: {found}" if found else "the store can be written again")
                    self._trouble = found
                if not self._trouble:
                    await self._know()
            turn += 1
            if turn % _STORE_TURNS == 0:
                gc.collect()  # by itself it comes too rarely: rings of closed connections pile up, 0.4 MB a second
            await asyncio.sleep(_LEDGER_SECONDS)
            await self._flush()
            if self._tried and turn % _TRIAL_TURNS == 0:
                await self._look()

    async def _look(self) -> None:
        """Look at what trials show, at most hourly, off the loop; say what that turned off."""
        self._tried = False
        try:
            said = await asyncio.to_thread(verdict.renew_if_older, self.serving.store, verdict.HOUR)
        except StoreError as error:
            said = f"the verdict of the trial is not kept: {error}"
        if said:
            self.told(said)

    def store_ok(self) -> str:
        """Return what keeps the store from being written, "" when nothing does."""
        return self._trouble

    async def _flush(self) -> None:
        """Write down the runs that have ended, off the loop."""
        lines, self._lines = self._lines, []
        if lines:
            try:
                await asyncio.to_thread(self._append, lines)
            except StoreError as error:
                self.told(f"runs are not in the ledger: {error}")

    def _append(self, lines: list[dict[str, Any]]) -> None:
        failure = None
        for line in lines:
            try:
                ledger.append(self.serving.store, line)
            except StoreError as error:  # no reason to lose the others as well
                failure = error
        if failure is not None:
            raise failure

    def told(self, sentence: str) -> None:
        """Say what went wrong, once each ten times it doubles: a fault that repeats must not fill a disk."""
        self._said[sentence] += 1
        times = self._said[sentence]
        if times & (times - 1) == 0:
            self._tell(sentence if times == 1 else f"{sentence} ({times} times)")
        if len(self._said) > 1000:
            self._said.clear()
