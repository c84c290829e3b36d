"""Between a client and any server on standard input and output: what its tools return goes on smaller.

    client -> Wrapped.from_client -> the server's standard input       a call of our tool is answered here
    server -> Wrapped.from_server -> our standard output               results of tools/call shortened, our tool listed

One thread for each direction, so neither waits for the other; the loop in between has the worker process and the
signals. Lines keep their order. A result waits for its own shortening, at most as long as one call may take; when that
comes to nothing, it goes as it came.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import json
import math
import os
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

from headroom_cli.errors import ConfigError, ReaderGoneError
from headroom_cli.serve.engines import EngineError, Engines
from headroom_cli.serve.mcp import results, tools, traffic
from headroom_cli.serve.mcp.lines import Outlet, Through, pieces
from headroom_cli.serve.mcp.stdio import JOBS

if TYPE_CHECKING:
    from collections.abc import Callable

    from headroom_cli.formats._edits import Edit, Path
    from headroom_cli.serve.options import Serving

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
_PASSED = (*_ENDING, signal.SIGUSR1, signal.SIGUSR2)
MOST_LINE = 16 << 20  # bytes: longer ones go through as they come
_MOST_ANSWERING = 64  # calls of our tool at a time; the next one waits, and what comes behind it
# Once the server has ended: how long nothing more may come from a child of its that holds its output open, and how long
# a client that was to be ended, too, may take to read on.
_LAST_SECONDS = 2.0


def run(serving: Serving, command: list[str], tell: Callable[[str], None]) -> int:
    """Run a server behind us until it ends; return its exit status, 128 and more for a signal. Raise HeadroomError."""
    try:
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)  # noqa: S603 - the user's own command
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"cannot start {command[0][:200]!a}: {reason}; name a command that runs") from error
    out = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no message
    return asyncio.run(_run(Wrapped(serving, server, out, tell)))


async def _run(wrapped: Wrapped) -> int:
    loop = asyncio.get_running_loop()
    server = wrapped.server
    ended = asyncio.Event()
    signalled = math.inf

    def end(number: int) -> None:
        nonlocal signalled
        if number in _ENDING:
            signalled = time.monotonic()
        server.send_signal(number)

    for number in _PASSED:
        if signal.getsignal(number) != signal.SIG_IGN:
            loop.add_signal_handler(number, end, number)
    await wrapped.engines.start()

    def wait() -> None:
        server.wait()
        over = time.monotonic()
        while wrapped.reading.is_alive():
            since = min(wrapped.idle, signalled)
            if time.monotonic() - max(since, over) > _LAST_SECONDS:
                break
            wrapped.reading.join(0.1)
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(ended.set)

    wrapped.start(loop)
    threading.Thread(target=wait, daemon=True).start()
    try:
        await ended.wait()
    finally:
        await wrapped.engines.close()
    if wrapped.gone:
        raise ReaderGoneError("the reader of standard output is gone")
    status = server.returncode
    return 128 - status if status < 0 else status


class Wrapped:
    """One server and its client."""

    def __init__(
        self, serving: Serving, server: subprocess.Popen[bytes], out: int, tell: Callable[[str], None]
    ) -> None:
        """``out`` is what the client reads; ``tell`` hears what could not be done."""
        self.engines = Engines(serving, jobs=JOBS)
        self.server = server
        self.gone = False  # the client reads no more
        self.idle = math.inf  # since when nothing comes from the server; infinite while something goes on to the client
        self.reading = threading.Thread(target=self._from_server, daemon=True)
        self._loop: asyncio.AbstractEventLoop
        self._traffic = traffic.Traffic()
        self._noting = threading.Lock()  # of the traffic
        assert server.stdin is not None
        self._to_server = Outlet(server.stdin.fileno())
        self._to_client = Outlet(out)
        self._answering: set[threading.Thread] = set()  # calls of our tool
        self._tell = tell
        self._told: set[str] = set()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start both directions."""
        self._loop = loop
        self.reading.start()
        threading.Thread(target=self._from_client, daemon=True).start()

    def _do(self, job: str, *arguments: Any) -> Any:
        """Have a worker do a job, from a thread. Raise EngineError."""
        try:
            return asyncio.run_coroutine_threadsafe(self.engines.do(job, *arguments), self._loop).result()
        except (RuntimeError, concurrent.futures.CancelledError) as error:  # the loop has ended
            raise EngineError("stopped") from error

    # --- client to server

    def _from_client(self) -> None:
        through = Through(MOST_LINE)
        with contextlib.suppress(OSError):  # the server reads no more: its end comes through the other thread
            for piece in pieces(0):
                for part, whole in through.feed(piece):
                    if not whole:
                        self._to_server.piece(part)
                    elif line := self._asked(part):
                        self._to_server.line(line)
            self._to_server.piece(through.rest())
        self._to_server.end()
        for answering in list(self._answering):  # the server would end, and we with it
            answering.join()
        assert self.server.stdin is not None
        with contextlib.suppress(OSError):
            self.server.stdin.close()

    def _asked(self, line: bytes) -> bytes:
        """Return what the server is to get of a line."""
        if b"tools/" not in line and b"cancelled" not in line and b"\\" not in line:
            return line
        value = traffic.read(line)
        if not isinstance(value, list):
            with self._noting:
                ours = self._traffic.asks(value)
            if ours:
                self._answer(value, line)
                return b""
            return line
        with self._noting:
            mine = [index for index, one in enumerate(value) if self._traffic.asks(one)]
        if not mine:
            return line
        from headroom_cli.formats._edits import Edit

        for index in mine:
            alone = json.dumps(value[index]).encode() + b"\n"
            self._answer(value[index], alone)
        if len(mine) == len(value):
            return b""
        return results.edited(line, [Edit.drop((), index) for index in mine])

    def _answer(self, request: dict[str, Any], line: bytes) -> None:
        """Answer a call of our tool in a thread of its own."""

        def work() -> None:
            try:
                with contextlib.suppress(OSError):  # whoever was to read it is gone
                    self._served(request, line)
            finally:
                self._answering.discard(thread)

        if len(self._answering) >= _MOST_ANSWERING:
            for earlier in list(self._answering):
                earlier.join()
        thread = threading.Thread(target=work, daemon=True)
        self._answering.add(thread)
        thread.start()

    def _served(self, request: dict[str, Any], line: bytes) -> None:
        """Answer a call of our tool; one that we never offered and know nothing for is the server's. Raise OSError."""
        try:
            found = tools.words(tools.RETRIEVE, request["params"].get("arguments"))
            answer = self._do("retrieve", found, None)
        except tools.ArgumentError as error:
            answer = {"content": [{"type": "text", "text": str(error)}], "isError": True}
        except EngineError as error:
            text = f"the original cannot be read now: the work {error.reason}; it may be asked for once more"
            answer = {"content": [{"type": "text", "text": text}], "isError": True}
        if answer.get("isError") and not self._traffic.shown:
            with self._noting:
                self._traffic.forwarded(request)
            self._to_server.line(line)
            return
        if traffic.is_stateless(request):
            answer = {"resultType": "complete", **answer}
        message = {"jsonrpc": "2.0", "id": request["id"], "result": answer}
        self._write(self._to_client.line, json.dumps(message).encode() + b"\n")

    # --- server to client

    def _from_server(self) -> None:
        assert self.server.stdout is not None
        through = Through(MOST_LINE)
        self.idle = time.monotonic()
        for piece in pieces(self.server.stdout.fileno()):
            self.idle = math.inf
            for part, whole in through.feed(piece):
                if whole:
                    made, shows = self._answered(part)
                    self._write(self._to_client.line, made)
                    self._traffic.shown = self._traffic.shown or shows
                else:
                    self._write(self._to_client.piece, part)
            self.idle = time.monotonic()
        self.idle = math.inf
        self._write(self._to_client.piece, through.rest())
        self._to_client.end()

    def _write(self, write: Callable[[bytes], None], data: bytes) -> None:
        """Write to the client; without one, end the server."""
        if self.gone or not data:
            return
        try:
            write(data)
        except OSError:
            self.gone = True
            self.server.terminate()

    def _answered(self, line: bytes) -> tuple[bytes, bool]:
        """Return what the client is to get of a line, and whether that shows it our tool."""
        if self._traffic.is_quiet():
            return line, False
        value = traffic.read(line)
        messages: list[tuple[Path, Any]] = [((), value)]
        if isinstance(value, list):
            messages = [((index,), one) for index, one in enumerate(value)]
        edits: list[Edit] = []
        shows = False
        for place, message in messages:
            with self._noting:
                asked = self._traffic.answers(message)
                if asked is not None and asked.kind == traffic.LIST and self._traffic.listed(asked, message["result"]):
                    edits += results.with_tool(place, message["result"])
                    shows = True
            if asked is not None and asked.kind == traffic.CALL:
                edits += self._shortened(place, asked, message["result"])
        made = results.edited(line, edits)
        return made, shows and made is not line

    def _shortened(self, place: Path, asked: traffic.Asked, result: dict[str, Any]) -> list[Edit]:
        """Return the edits that make a result smaller, [] when it stays."""
        content = results.parts(result, self._traffic.text_member(asked.tool))
        if not content:
            return []
        redeem = "tool" if self._traffic.shown else "none"
        call = {"tool": asked.tool, "arguments": asked.arguments, "failed": result.get("isError") is True}
        try:
            made, _, _ = self._do("shorten", call, content, redeem)
        except EngineError as error:
            if error.reason not in self._told:
                self._told.add(error.reason)
                self._tell(f"a result went through as it came: the work {error.reason}")
            return []
        return results.shortened(place, result, made)
