"""Between a client and any server on standard input and output: what its tools return goes on smaller.

    client -> Wrapped.from_client -> the server's standard input       a call of our tool is answered here
    server -> Wrapped.from_server -> our standard output               results of tools/call shortened, our tool listed

One thread for each direction, so neither waits for the other; the loop in between has the worker process and the
signals. Lines keep their order. A result waits for its own shortening, at most as long as one call may take; when that
comes to nothing, it goes as it came.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING, Any

from headroom_cli.errors import ConfigError, ReaderGoneError
from headroom_cli.serve.engines import EngineError, Engines
from headroom_cli.serve.mcp import results, tools, traffic
from headroom_cli.serve.mcp.lines import Through, pieces
from headroom_cli.serve.mcp.stdio import JOBS, write_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from headroom_cli.formats._edits import Edit, Path
    from headroom_cli.serve.options import Serving

MOST_LINE = 16 << 20  # bytes: longer ones go through as they come
_LAST_SECONDS = 2.0  # that what a server has written may still take once it has ended


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
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            loop.add_signal_handler(number, server.send_signal, number)
    await wrapped.engines.start()

    def wait() -> None:
        server.wait()
        wrapped.reading.join(_LAST_SECONDS)  # a child of the server may hold its output open
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
        self.reading = threading.Thread(target=self._from_server, daemon=True)
        self._loop: asyncio.AbstractEventLoop
        self._traffic = traffic.Traffic()
        self._noting = threading.Lock()  # of the traffic
        self._writing = threading.Lock()  # of the output, for whole lines
        self._out = out
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
        except (RuntimeError, asyncio.CancelledError) as error:  # the loop has ended
            raise EngineError("stopped") from error

    # --- client to server

    def _from_client(self) -> None:
        assert self.server.stdin is not None
        to = self.server.stdin.fileno()
        through = Through(MOST_LINE)
        with contextlib.suppress(OSError):  # the server reads no more: its end comes through the other thread
            for piece in pieces(0):
                for part, whole in through.feed(piece):
                    write_all(to, self._asked(part) if whole else part)
            write_all(to, through.rest())
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
                threading.Thread(target=self._answer, args=(value, line), daemon=True).start()
                return b""
            return line
        with self._noting:
            mine = [index for index, one in enumerate(value) if self._traffic.asks(one)]
        if not mine:
            return line
        from headroom_cli.formats._edits import Edit

        for index in mine:
            alone = json.dumps(value[index]).encode() + b"\n"
            threading.Thread(target=self._answer, args=(value[index], alone), daemon=True).start()
        if len(mine) == len(value):
            return b""
        return results.edited(line, [Edit.drop((), index) for index in mine])

    def _answer(self, request: dict[str, Any], line: bytes) -> None:
        """Answer a call of our tool; one that we never offered and know nothing for is the server's."""
        try:
            found = tools.words(tools.RETRIEVE, request["params"].get("arguments"))
            answer = self._do("retrieve", found, None)
        except (tools.ArgumentError, AttributeError) as error:
            answer = {"content": [{"type": "text", "text": str(error)}], "isError": True}
        except EngineError as error:
            text = f"the original cannot be read now: the work {error.reason}; it may be asked for once more"
            answer = {"content": [{"type": "text", "text": text}], "isError": True}
        if answer.get("isError") and not self._traffic.shown:
            with self._noting:
                self._traffic.forwarded(request)
            assert self.server.stdin is not None
            with contextlib.suppress(OSError, ValueError):
                write_all(self.server.stdin.fileno(), line)
            return
        if traffic.is_stateless(request):
            answer = {"resultType": "complete", **answer}
        message = {"jsonrpc": "2.0", "id": request["id"], "result": answer}
        with self._writing:
            self._write(json.dumps(message).encode() + b"\n")

    # --- server to client

    def _from_server(self) -> None:
        assert self.server.stdout is not None
        through = Through(MOST_LINE)
        long = False  # within a line that goes through piece by piece: nothing may come in between
        for piece in pieces(self.server.stdout.fileno()):
            for part, whole in through.feed(piece):
                if whole:
                    made, shows = self._answered(part)
                    with self._writing:
                        self._write(made)
                    self._traffic.shown = self._traffic.shown or shows
                    continue
                if not long:
                    self._writing.acquire()
                self._write(part)
                long = not part.endswith(b"\n")
                if not long:
                    self._writing.release()
        if not long:
            self._writing.acquire()
        self._write(through.rest())
        self._writing.release()

    def _write(self, data: bytes) -> None:
        """Write to the client; without one, end the server."""
        if self.gone or not data:
            return
        try:
            write_all(self._out, data)
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
