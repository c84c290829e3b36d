"""Our MCP server as clients meet it: the SDK's client in both eras, raw lines, HTTP as bytes."""

import contextlib
import http.client
import json
import os
import re
import select
import subprocess
import sys
import time

import anyio
import httpx2
from conftest import clean_environment
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

HEADROOM = [sys.executable, "-m", "headroom_cli"]
ERAS = {"handshake": "legacy", "stateless": "2026-07-28"}
LOG = "".join(f"2026-01-01T00:{i // 60:02d}:{i % 60:02d}Z INFO worker {i} took batch {i * 37}\n" for i in range(450))
LOG += "2026-01-01T00:15:00Z ERROR worker 31: no space left on device\n"
HANDLE = re.compile(r"<<headroom:([a-z2-7]{12,}) ")
INITIALIZE = {
    "jsonrpc": "2.0", "id": 0, "method": "initialize",
    "params": {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}},
}  # fmt: skip
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def handle_in(text):
    return HANDLE.search(text)[1]


def text_of(result):
    return "".join(part.text for part in result.content if part.type == "text")


def stdio(home, *words):
    """Return what the SDK's client needs to start a command of ours."""
    environment = {key: value for key, value in clean_environment(home).items() if key != "PWD"}
    return StdioServerParameters(command=HEADROOM[0], args=[*HEADROOM[1:], "mcp", *words], env=environment, cwd=home)


def run(function, *positional, **named):
    """Run an async function of a test, at most a minute."""

    async def limited():
        with anyio.fail_after(60):
            return await function(*positional, **named)

    return anyio.run(limited)


def over_stdio(home, era, use, *words):
    """Let ``use(client)`` talk to a server of ours over standard input and output."""

    async def talk():
        async with Client(stdio(home, *words), mode=ERAS[era]) as client:
            return await use(client)

    return run(talk)


def over_http(url, era, use, headers=None):
    """Let ``use(client)`` talk to a server of ours over HTTP."""

    async def talk():
        async with (
            httpx2.AsyncClient(headers=headers or {}, timeout=60) as http,
            Client(streamable_http_client(url, http_client=http), mode=ERAS[era]) as client,
        ):
            return await use(client)

    return run(talk)


class Raw:
    """A process that speaks JSON-RPC in lines."""

    def __init__(self, home, *words, command=None, **options):
        self.process = subprocess.Popen(
            command or [*HEADROOM, "mcp", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=home,
            env=clean_environment(home),
            **options,
        )
        self._held = b""

    def send(self, *values):
        for value in values:
            line = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def line(self, seconds=30):
        """Return the next line with its newline."""
        end = time.monotonic() + seconds
        while b"\n" not in self._held:
            left = end - time.monotonic()
            assert left > 0, "no line in time"
            assert select.select([self.process.stdout], [], [], left)[0], "no line in time"
            piece = os.read(self.process.stdout.fileno(), 1 << 20)
            assert piece, f"it ended: {self.process.stderr.read()!r}"
            self._held += piece
        line, _, self._held = self._held.partition(b"\n")
        return line + b"\n"

    def value(self):
        return json.loads(self.line())

    def ask(self, value):
        self.send(value)
        return self.value()

    def end(self):
        """Close its input; return (status, the rest of its output, what it said)."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, self._held + out, err

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError):
                stream.close()


class Listening:
    """A server of ours on a port."""

    def __init__(self, home, *words):
        self.raw = Raw(home, "--http", "--port", "0", "--json", *words)
        self.home = home

    def __enter__(self):
        assert select.select([self.raw.process.stderr], [], [], 60)[0]
        line = self.raw.process.stderr.readline()
        self.url = json.loads(line)["listening"]
        self.port = int(self.url.rpartition(":")[2].partition("/")[0])
        return self

    def __exit__(self, *_):
        self.raw.process.terminate()
        self.status = self.raw.process.wait(timeout=30)
        self.raw.__exit__()

    def post(self, body, **headers):
        """Return (status, body) of a request; a header of None is left out."""
        return self.ask("POST", "/mcp", body, **{"Content-Type": "application/json", **headers})

    def ask(self, method, path, body=b"", **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            fields = {
                "Host": f"127.0.0.1:{self.port}", "Accept": "application/json, text/event-stream",
                "Content-Length": str(len(data)),
            }  # fmt: skip
            for name, value in {**fields, **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(data)
            answer = connection.getresponse()
            return answer.status, answer.read()
