"""Sockets, processes, signals: a proxy from its start to its end.

One process serves by itself. With several, the first one only watches: it holds the listening socket that the others
share, starts one anew that died, and ends them all. What a dead one had under way breaks, and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time

import uvicorn

from headroom_cli.serve.listening import bind, may_bind
from headroom_cli.serve.protocol import protocol_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from typing import Any

    from headroom_cli.serve.options import Limits, Serving

    Drain = Callable[[], None]

_BACKLOG = 2_048
_AGAIN_SECONDS = 1.0  # a process that died sooner than this after its start is started again only after as long


def run(
    serving: Serving, listening: Callable[[str], None], app: Callable[[Serving], Any] | None = None, sockets: str = ""
) -> int:
    """Serve until told to end; return the exit status.

    ``listening`` is called with the address once requests are answered. ``app`` makes what is served, the proxy unless
    given, and ``sockets`` names uvicorn's protocol for WebSockets. Raise ConfigError for an address that may not be
    bound, OSError for one that cannot.
    """
    if app is None:
        _import_proxy()
    may_bind(serving)
    listeners = bind(serving)
    try:
        where = _where(serving, listeners[0])
        if serving.workers > 1:
            return _Crew(serving, listeners).run(lambda: listening(where))
        return _serve(serving, listeners, lambda: listening(where), app=app, sockets=sockets)
    finally:
        if serving.unix:  # before it is closed: a successor may take the path at once
            with contextlib.suppress(FileNotFoundError):
                os.unlink(serving.unix)
        for listener in listeners:
            listener.close()


def _import_proxy() -> Callable[[Serving], Any]:
    """Return the proxy itself. It imports aiohttp, which other servers do without."""
    from headroom_cli.serve.app import App

    return App


def _where(serving: Serving, listener: socket.socket) -> str:
    """Return the address as a client needs it."""
    if serving.unix:
        return f"unix:{serving.unix}"
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """Uvicorn's server, ended by a signal with the status of a program that did as it was told."""

    def __init__(
        self, config: uvicorn.Config, started: Callable[[], None], watched: int, limits: Limits, drain: Drain | None
    ) -> None:
        super().__init__(config)
        self._started = started
        self._watched = watched
        self._drain_seconds = limits.drain_seconds
        self._drain = drain
        self._told = False  # a signal has come
        self.interrupted = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self._started()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on signals: at the first when all that is under way has ended, at a second at once.

        At SIGTERM first the time goes by in which load balancers find out. The end of the process that watches is a
        signal, too.
        """
        loop = asyncio.get_running_loop()
        numbers = _ending()
        for number in numbers:
            loop.add_signal_handler(number, self._end, number)
        if self._watched >= 0:
            loop.add_reader(self._watched, self._alone)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)
            if self._watched >= 0:
                loop.remove_reader(self._watched)

    def _alone(self) -> None:
        asyncio.get_running_loop().remove_reader(self._watched)
        self._end(signal.SIGHUP)  # not to go on: who starts us anew wants the address

    def _end(self, number: signal.Signals) -> None:
        self.interrupted = self.interrupted or number == signal.SIGINT
        self.force_exit = self._told
        if number == signal.SIGTERM and not self._told and self._drain is not None and self._drain_seconds:
            self._drain()
            asyncio.get_running_loop().call_later(self._drain_seconds, self._leave)
        else:
            self.should_exit = True
        self._told = True

    def _leave(self) -> None:
        """Listen no longer."""
        self.should_exit = True


def _ending() -> tuple[signal.Signals, ...]:
    """Return the signals that end a proxy: a terminal that closes (SIGHUP) is none for who is to outlive it (nohup)."""
    stays = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    return (signal.SIGTERM, signal.SIGINT, *(() if stays else (signal.SIGHUP,)))


def _serve(
    serving: Serving, listeners: list[socket.socket], started: Callable[[], None], watched: int = -1, *,
    app: Callable[[Serving], Any] | None = None, sockets: str = "",
) -> int:  # fmt: skip
    """Serve in this process; until ``watched`` comes to its end, where one is given."""
    limits = serving.limits
    served = (app or _import_proxy())(serving)
    config = uvicorn.Config(
        served, loop="uvloop", http=protocol_for(limits), ws=sockets or "websockets-sansio",
        lifespan="on", log_config=None, log_level="critical", access_log=False, proxy_headers=False,
        server_header=False, date_header=False,
        timeout_keep_alive=int(limits.idle_seconds), timeout_graceful_shutdown=int(limits.shutdown_seconds),
        ws_max_size=int(limits.body), ws_per_message_deflate=False, backlog=_BACKLOG,
    )  # fmt: skip
    server = _Server(config, started, watched, limits, getattr(served, "drain", None))
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=listeners))
    if not server.started:
        return 70
    return 130 if server.interrupted else 0


class _Crew:
    """Several processes that serve the same sockets."""

    def __init__(self, serving: Serving, listeners: list[socket.socket]) -> None:
        self._serving = serving
        self._listeners = listeners
        self._pids: dict[int, float] = {}
        self._ended = 0  # the signal that ends them all
        self._watched, self._held = os.pipe()  # comes to its end with this process, however that ends

    def run(self, listening: Callable[[], None]) -> int:
        """Start them, keep their number, and end them."""
        for number in _ending():
            signal.signal(number, self._end)
        for _ in range(self._serving.workers):
            self._start()
        listening()
        status = 0
        while self._pids:
            try:
                pid, code = os.wait()
            except InterruptedError:
                continue
            began = self._pids.pop(pid, None)
            if began is None:
                continue
            if self._ended:
                status = max(status, 0 if os.WIFSIGNALED(code) else os.waitstatus_to_exitcode(code))
                continue
            if time.monotonic() - began < _AGAIN_SECONDS:
                time.sleep(_AGAIN_SECONDS)
            if not self._ended:
                self._start()
        return 130 if self._ended == signal.SIGINT else status

    def _start(self) -> None:
        # A signal must not meet the new process while it still has our handlers, nor us before we know of it.
        numbers = _ending()
        signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        pid = os.fork()
        if pid:
            self._pids[pid] = time.monotonic()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
            return
        status = 70
        try:
            os.close(self._held)
            for number in numbers:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
            status = _serve(self._serving, self._listeners, lambda: None, self._watched)
        finally:
            os._exit(status if status != 130 else 0)

    def _end(self, number: int, _frame: object) -> None:
        self._ended = self._ended or number
        for pid in self._pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
