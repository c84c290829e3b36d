"""A provider that costs next to nothing, for benchmarks/proxy.py: bytes made once, an event loop in C, one process.

python benchmarks/_proxy_upstream.py        prints its address, serves until its input ends

A POST is answered with 2 KB of JSON; one with "stream": true by ``max_tokens`` events of Anthropic's shape, 50 a
second, each with the moment at which it was written (CLOCK_MONOTONIC, which all processes share). What a request's text
says changes that: "please-stall" sends the head of a stream and one event, "please-wait" nothing at all, "please-reset"
breaks off after half of its events. ``GET /gone`` tells which of the requests that name themselves ("me-N-") were left
and when, and how long the last body was.
"""

import asyncio
import json
import random
import re
import socket
import struct
import sys
import time

import uvloop

RATE = 50  # events a second
_ME = re.compile(rb"me-(\d+)-")
_MOST = re.compile(rb'"max_tokens": ?(\d+)')
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_WORDS = "All work and no play makes Jack a dull boy. " * 40
_BODY = json.dumps(
    {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": _WORDS}], "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 400},
    }
).encode()  # fmt: skip
_WHOLE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"


def _event(value: dict) -> bytes:
    data = f"event: {value['type']}\ndata: {json.dumps(value)}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


_START = _event(
    {
        "type": "message_start",
        "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 9, "output_tokens": 1},
        },
    }
) + _event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})  # fmt: skip
_END = (
    _event({"type": "content_block_stop", "index": 0})
    + _event(
        {
            "type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 99},
        }
    )
    + _event({"type": "message_stop"})
    + b"0\r\n\r\n"
)  # fmt: skip
_DELTA = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"t=%017.6f"}}\n\n'
)
_DELTA_SIZE = len(_DELTA % 0.0)


class Line(asyncio.Protocol):
    """One connection."""

    gone: dict[int, float] = {}  # noqa: RUF012 - one table for the process
    size = 0  # bytes of the last body

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.need = 0
        self.timer: asyncio.TimerHandle | None = None
        self.me = -1
        self.left = self.until = 0

    def connection_lost(self, _error: Exception | None) -> None:
        if self.me >= 0:
            self.gone[self.me] = time.monotonic()
        if self.timer:
            self.timer.cancel()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            if not self.need:
                end = self.buffer.find(b"\r\n\r\n")
                if end < 0:
                    return
                length = _LENGTH.search(self.buffer, 0, end)
                self.need = end + 4 + (int(length[1]) if length else 0)
                self.head = end + 4
            if len(self.buffer) < self.need:
                return
            request = bytes(self.buffer[: self.need])
            del self.buffer[: self.need]
            self.need = 0
            self.answer(request)

    def answer(self, request: bytes) -> None:
        if request.startswith(b"GET /gone"):
            body = json.dumps({"at": self.gone, "size": Line.size}).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
            return
        self.me = -1
        Line.size = len(request) - self.head
        tail = request[-4000:] + request[self.head : self.head + 4000]
        if found := _ME.search(tail):
            self.me = int(found[1])
        if b"please-wait" in tail:
            return
        if b'"stream":true' not in tail and b'"stream": true' not in tail:
            if b"please-stall" in tail:
                self.transport.write(_WHOLE[:200])
                return
            self.me = -1
            self.transport.write(_WHOLE)
            return
        most = int(_MOST.search(tail)[1])
        self.transport.write(_HEAD + _START)
        if b"please-stall" in tail:
            return
        self.left = most
        self.until = most // 2 if b"please-reset" in tail else 0
        # Streams do not begin in step, and neither do their events.
        loop = asyncio.get_running_loop()
        self.next = loop.time() + random.random() / RATE
        self.timer = loop.call_at(self.next, self.tick)

    def tick(self) -> None:
        if self.left <= self.until:
            self.me = -1
            if self.until:
                given = self.transport.get_extra_info("socket")
                given.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.transport.abort()
            else:
                self.transport.write(_END)
            return
        self.left -= 1
        self.transport.write(b"%x\r\n%b\r\n" % (_DELTA_SIZE, _DELTA % time.monotonic()))
        self.next += 1 / RATE
        self.timer = asyncio.get_running_loop().call_at(self.next, self.tick)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Line, "127.0.0.1", 0, backlog=2048)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)


if __name__ == "__main__":
    uvloop.run(main())
