"""The client side of benchmarks/proxy.py: requests one after the other, and many streams at once, in one loop."""

import asyncio
import contextlib
import json
import random
import socket
import struct
import time


def _output(call: int, salt: str) -> str:
    """Return 10 KB of what tools write: a log, JSON records, a listing, or the progress of an installation."""
    if call % 4 == 0:
        lines = [
            f"2026-01-01T00:{i // 60:02d}:{i % 60:02d}Z INFO worker {i} took {salt} {call}{i:03d}" for i in range(175)
        ]
        return "\n".join([*lines, f"2026-01-01T00:15:00Z ERROR worker 31: no space left on device {call}"])
    if call % 4 == 1:
        return json.dumps(
            [{"id": i, "name": f"{salt} {call} {i}", "state": "ready", "size": i * 7} for i in range(155)]
        )
    if call % 4 == 2:
        return "".join(f"-rw-r--r-- 1 root root {i * 13} Jan  1 00:00 {salt}-{call}-{i}.py\n" for i in range(185))
    return "".join(
        f"npm timing {salt} {call} reify:loadTrees Completed in {i % 13}ms\n"
        if i % 3 else f"npm http fetch GET 200 https://registry/{call}/{i} {i % 50}ms (cache hit)\n"
        for i in range(175)
    )  # fmt: skip


def conversation(salt: str, calls: int = 10) -> bytes:
    """Return a request of so many calls, each with 10 KB behind it; with none, as a conversation begins."""
    turns: list[dict] = [{"role": "user", "content": f"why does the deployment {salt} fail?"}]
    for call in range(calls):
        use = {"type": "tool_use", "id": f"t{call}", "name": "Bash", "input": {"command": f"cat app-{call}.log"}}
        output = _output(call, salt)
        result = {"type": "tool_result", "tool_use_id": f"t{call}", "content": output}
        turns += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    tool = {"name": "Bash", "description": "runs a command", "input_schema": {"type": "object"}}
    return json.dumps({"model": "claude-sonnet-4-5", "max_tokens": 1000, "tools": [tool], "messages": turns}).encode()


def grown(salt: str) -> list[bytes]:
    """Return the requests of a conversation that grows to 100 KB, one call after the other."""
    return [post(conversation(salt, calls)) for calls in range(11)]


def at_once(salt: str) -> list[bytes]:
    """Return the requests of a conversation whose first ten calls came in one turn: 100 KB that nobody has seen."""
    value = json.loads(conversation(salt))
    turns = value["messages"]
    uses = {"role": "assistant", "content": [turn["content"][0] for turn in turns[1::2]]}
    results = {"role": "user", "content": [turn["content"][0] for turn in turns[2::2]]}
    return [post(conversation(salt, 0)), post(json.dumps({**value, "messages": [turns[0], uses, results]}).encode())]


def plain(salt: str, size: int = 100_000) -> bytes:
    """Return a request of ``size`` bytes in which nothing can be made smaller: the user's own words."""
    chosen = random.Random(salt)
    words = " ".join(f"{chosen.randrange(16**6):06x}" for _ in range(size // 7))
    turns = [{"role": "user", "content": f"{salt} {words}"}]
    return json.dumps({"model": "claude-sonnet-4-5", "max_tokens": 1000, "messages": turns}).encode()


def stream(events: int, said: str = "hello") -> bytes:
    """Return a small request for a stream of so many events."""
    turns = [{"role": "user", "content": said}]
    value = {"model": "claude-sonnet-4-5", "max_tokens": events, "stream": True, "messages": turns}
    return json.dumps(value).encode()


def post(body: bytes, path: str = "/v1/messages") -> bytes:
    """Return a request as a client of Anthropic sends it."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nx-api-key: k\r\n"
        f"anthropic-version: 2023-06-01\r\nauthorization: Bearer k\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Line:
    """A connection for one request after the other."""

    def __init__(self, url: str) -> None:
        """Connect."""
        self.socket = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, data: bytes) -> tuple[float, float]:
        """Return the seconds until the first byte of an answer, and until its last. Raise ValueError without 200."""
        began = time.perf_counter()
        self.socket.sendall(data)
        held = self.socket.recv(65536)
        first = time.perf_counter() - began
        while b"\r\n\r\n" not in held:
            held += self.socket.recv(65536)
        head, _, body = held.partition(b"\r\n\r\n")
        low = head.lower()
        if not head.startswith(b"HTTP/1.1 200"):
            raise ValueError(held[:600])
        if b"content-length:" in low:
            size = int(low.partition(b"content-length:")[2].split(b"\r\n")[0])
            while len(body) < size:
                body += self.socket.recv(65536)
        else:
            while not body.endswith(b"0\r\n\r\n"):
                body += self.socket.recv(65536)
        return first, time.perf_counter() - began

    def close(self) -> None:
        """Close it."""
        self.socket.close()


class Reader(asyncio.Protocol):
    """One stream: how late each of its events came, and how it ended."""

    def __init__(self, data: bytes, leave_after: int = 0) -> None:
        """Send ``data``; go away after ``leave_after`` events, 0 for never."""
        self.data = data
        self.leave_after = leave_after
        self.late: list[float] = []
        self.rest = b""
        self.stopped = self.error = self.left = self.refused = False
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.write(self.data)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        data = self.rest + data
        at = 0
        while (found := data.find(b'"t=', at)) >= 0 and len(data) >= found + 20:
            self.late.append(now - float(data[found + 3 : found + 20]))
            at = found + 20
        if not self.refused and data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 200"):
            self.refused = True
        if b"event: error" in data[at:]:
            self.error = True
        if b"message_stop" in data[at:]:
            self.stopped = True
            self.close()
            return
        # What may be cut in the middle: a moment, or the name of an event.
        self.rest = data[max(at, len(data) - 30) :] if found < 0 else data[found:]
        if self.leave_after and len(self.late) >= self.leave_after:
            self.left = True
            given = self.transport.get_extra_info("socket")
            given.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()

    def connection_lost(self, _error: Exception | None) -> None:
        self.close()

    def close(self) -> None:
        self.transport.close()
        if not self.ended.done():
            self.ended.set_result(None)


async def read_streams(url: str, count: int, events: int) -> list[Reader]:
    """Read so many streams at once; return them when all have ended."""
    loop, port = asyncio.get_running_loop(), int(url.rpartition(":")[2])
    readers = []
    for number in range(count):
        data = post(stream(events, f"hello {number}"))
        _, reader = await loop.create_connection(lambda data=data: Reader(data), "127.0.0.1", port)
        readers.append(reader)
    await asyncio.wait_for(asyncio.gather(*(reader.ended for reader in readers)), 60 + events / 25)
    return readers


async def seen(upstream: str) -> tuple[dict[int, float], int]:
    """Return when the provider saw which of the named requests go, and the bytes of the last body that came to it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(upstream.rpartition(":")[2]))
    writer.write(b"GET /gone HTTP/1.1\r\nHost: x\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]))
    writer.close()
    value = json.loads(body)
    return {int(number): at for number, at in value["at"].items()}, value["size"]


async def leave(url: str, upstream: str, times: int, seconds: float = 5.0) -> list[float | None]:
    """Go away in three phases, in and out of a stream, so often each; return the seconds until upstream saw it."""
    left: dict[int, float] = {}
    number = random.randrange(1 << 40)
    port = int(url.rpartition(":")[2])
    for _ in range(times):
        for phase in ("please-wait", "please-stall", "middle"):
            for streaming in (True, False):
                number += 1
                said = f"me-{number}- {phase if phase != 'middle' or streaming else 'please-stall'}"
                value = json.loads(stream(10_000, said))
                if not streaming:
                    del value["stream"]
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(post(json.dumps(value).encode()))
                if phase == "please-wait" or not streaming:
                    await asyncio.sleep(0.05)
                else:
                    # An answer has begun; in the middle a few of its events are there.
                    held = b""
                    with contextlib.suppress(TimeoutError):  # where answers are held back
                        while held.count(b"data:") < (2 if phase == "please-stall" else 5):
                            held += await asyncio.wait_for(reader.read(65536), 2)
                left[number] = time.monotonic()
                writer.transport.abort()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        gone, _ = await seen(upstream)
        if gone.keys() >= left.keys():
            break
        await asyncio.sleep(0.05)
    return [gone[one] - left[one] if one in gone else None for one in left]


class Longest:
    """Ask for /livez again and again while something else goes on: how long its longest answer took."""

    def __init__(self, url: str) -> None:
        """Begin."""
        self.url = url
        self.waits: list[float] = []
        self.task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.url.rpartition(":")[2]))
        try:
            while True:
                began = time.perf_counter()
                writer.write(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]))
                self.waits.append(time.perf_counter() - began)
                await asyncio.sleep(0.002)
        finally:
            writer.close()

    async def stop(self) -> list[float]:
        """End; return how long each answer took."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        return sorted(self.waits)
