"""Our server on standard input and output: one JSON-RPC message on each line, and nothing else.

Standard output is put out of reach first: what any library prints goes to standard error. A thread reads, because
standard input may be a file; lines have a limit, and one that is no message is answered as JSON-RPC has it. At the end
of the input what was asked for is still answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

from headroom_cli.errors import OutputError, ReaderGoneError
from headroom_cli.serve.engines import Engines
from headroom_cli.serve.mcp.lines import Lines, write_all

if TYPE_CHECKING:
    import anyio

    from headroom_cli.serve.options import Serving

JOBS = "headroom_cli.serve.mcp.jobs"
MOST_LINE = 26 << 20  # bytes: the largest content with every character escaped, and what is around it
# Bytes of requests whose answers are not written yet: beyond them nothing more is read, so that neither many large
# texts at once nor a client that never reads fills the memory.
_MOST_HELD = 64 << 20
_LEAST = 1 << 10  # that any request counts for
_LAST_SECONDS = 30.0  # that answers may take once the input has ended
_PARSE_ERROR, _INVALID_REQUEST = -32_700, -32_600


def run(serving: Serving) -> int:
    """Serve until the input ends or a signal comes; return the exit status. Raise ReaderGoneError, OutputError."""
    return asyncio.run(_serve(serving))


async def _serve(serving: Serving) -> int:
    wire = Wire()
    engines = Engines(serving, jobs=JOBS)
    await engines.start()  # it gets ready while the SDK is imported, which takes as long
    ended: list[int] = []
    try:
        from headroom_cli.serve.mcp.server import Tools

        served = Tools(engines).server()
        serving_task = asyncio.ensure_future(wire.serve(served))
        loop = asyncio.get_running_loop()

        def end(number: int) -> None:
            ended.append(number)
            serving_task.cancel()

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, end, number)
        try:
            await serving_task
        except asyncio.CancelledError:
            if not ended:
                raise
    finally:
        await engines.close()
    wire.check()
    return 130 if ended[:1] == [signal.SIGINT] else 0


class Wire:
    """Standard input and output, claimed for messages."""

    def __init__(self) -> None:
        """Take the two over: from now on descriptor 0 is empty and descriptor 1 is standard error."""
        self._in, self._out = os.dup(0), os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        self._failure: OSError | None = None
        self._asked: dict[Any, int] = {}  # ids that wait for their answers, and the bytes that they stand for
        self._held = 0  # the sum of these bytes
        self._quiet = asyncio.Event()  # set while no id waits
        self._quiet.set()
        self._room = asyncio.Event()  # set while more may be read
        self._room.set()
        self._writing = asyncio.Lock()

    def check(self) -> None:
        """Raise ReaderGoneError or OutputError when the output could not be written."""
        if isinstance(self._failure, BrokenPipeError):
            raise ReaderGoneError("the reader of standard output is gone") from self._failure
        if self._failure is not None:
            reason = self._failure.strerror or "input/output error"
            raise OutputError(f"standard output: {reason}; start it anew") from self._failure

    async def serve(self, served: Any) -> None:
        """Serve until the input has ended and all is answered, or the output cannot be written."""
        import anyio

        asked, ask = anyio.create_memory_object_stream[Any](0)
        answers, answer = anyio.create_memory_object_stream[Any](0)
        loop = asyncio.get_running_loop()

        def read() -> None:
            for line in Lines(self._in, MOST_LINE):
                asyncio.run_coroutine_threadsafe(self._take(line, asked), loop).result()
            asyncio.run_coroutine_threadsafe(self._end(asked), loop).result()

        def reading() -> None:
            with contextlib.suppress(Exception):  # the loop is over
                read()

        threading.Thread(target=reading, daemon=True).start()
        writer = asyncio.ensure_future(self._write(answer, asked))
        try:
            await served.run(ask, answers, served.create_initialization_options())
            await writer
        finally:
            writer.cancel()

    async def _take(self, line: bytes | None, asked: anyio.abc.ObjectSendStream[Any]) -> None:
        """Hand a line to the server, or say what is wrong with it. None stands for one that was too long."""
        from mcp.shared.message import SessionMessage
        from mcp_types import jsonrpc_message_adapter

        await self._room.wait()
        if line is None:
            await self._refuse(_INVALID_REQUEST, f"a message has more than {MOST_LINE:,} bytes")
            return
        if not line.strip():
            return
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            await self._refuse(_PARSE_ERROR, "this line is no JSON")
            return
        # Several in one, as the revision 2025-03-26 has it; each is answered on a line of its own.
        for one in value if isinstance(value, list) and value else [value]:
            try:
                message = jsonrpc_message_adapter.validate_python(one, by_name=False)
            except ValueError:
                known = one.get("id") if isinstance(one, dict) else None
                await self._refuse(
                    _INVALID_REQUEST, "this is no JSON-RPC 2.0 message", known if type(known) in {int, str} else None
                )
                continue
            self._note(one, len(line))
            with contextlib.suppress(Exception):  # the server has ended
                await asked.send(SessionMessage(message))

    def _note(self, value: dict[str, Any], size: int) -> None:
        """Remember what waits for an answer, and the bytes of its line."""
        known = value.get("id")
        if "method" in value and type(known) in {int, str}:
            self._answered(known)  # an id that comes twice
            self._asked[known] = max(size, _LEAST)
            self._held += self._asked[known]
            self._tell()
        elif value.get("method") == "notifications/cancelled" and isinstance(value.get("params"), dict):
            gone = value["params"].get("requestId")
            self._answered(gone if type(gone) in {int, str} else None)

    def _answered(self, known: Any) -> None:
        self._held -= self._asked.pop(known, 0)
        self._tell()

    def _tell(self) -> None:
        """Set the events by what is held."""
        for event, holds in ((self._quiet, not self._asked), (self._room, self._held < _MOST_HELD)):
            if holds:
                event.set()
            else:
                event.clear()

    async def _end(self, asked: anyio.abc.ObjectSendStream[Any]) -> None:
        """Close the input once everything is answered."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), _LAST_SECONDS)
        await asked.aclose()

    async def _refuse(self, code: int, sentence: str, known: Any = None) -> None:
        error = {"jsonrpc": "2.0", "id": known, "error": {"code": code, "message": sentence}}
        await self._line(json.dumps(error).encode())

    async def _write(self, answers: Any, asked: anyio.abc.ObjectSendStream[Any]) -> None:
        """Write what the server answers; where that fails, let it end."""
        async for session_message in answers:
            message = session_message.message
            await self._line(message.model_dump_json(by_alias=True, exclude_unset=True).encode())
            if not hasattr(message, "method"):
                self._answered(message.id)
            if self._failure is not None:
                self._asked.clear()
                self._held = 0
                self._tell()
                await asked.aclose()

    async def _line(self, line: bytes) -> None:
        """Write a line in a thread, so that a slow reader does not hold up anything else."""
        async with self._writing:
            if self._failure is None:
                self._failure = await _written(self._out, line + b"\n")


async def _written(descriptor: int, data: bytes) -> OSError | None:
    """Write all of it in a thread that keeps no process alive: who reads may never read on. Return what failed."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[OSError | None] = loop.create_future()

    def tell(failure: OSError | None) -> None:
        if not done.done():
            done.set_result(failure)

    def write() -> None:
        failure = None
        try:
            write_all(descriptor, data)
        except OSError as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is over
            loop.call_soon_threadsafe(tell, failure)

    threading.Thread(target=write, daemon=True).start()
    return await done
