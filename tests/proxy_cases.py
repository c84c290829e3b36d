"""What the tests of the proxy share: a request and an answer of each API as bytes, and how an answer may end."""

import asyncio
import json
import os
import struct
import zlib

import provider_frames
import provider_shapes
from byte_lines import LAST, Client, answer, chunk, request, stream_head
from provider import Reply, call, text

PATHS = {
    "anthropic": "/v1/messages",
    "openai": "/v1/chat/completions",
    "responses": "/v1/responses",
    "bedrock": "/model/claude-1/invoke",
}
NAMES = tuple(PATHS)
KEYS = {name: [("authorization", "Bearer key")] for name in PATHS}
KEYS["anthropic"] = [("x-api-key", "key"), ("anthropic-version", "2023-06-01")]
KINDS = dict.fromkeys(NAMES, "text/event-stream; charset=utf-8")
KINDS["bedrock"] = "application/vnd.amazon.eventstream"
TERMINAL = {
    "anthropic": (b"message_stop",), "openai": (b"[DONE]",), "bedrock": (),
    "responses": (b"response.completed", b"response.incomplete"),
}  # fmt: skip
SHAPES = {"anthropic": "anthropic", "bedrock": "anthropic", "openai": "chat", "responses": "responses"}
SCHEMA = {"type": "object", "properties": {"command": {"type": "string"}}}


def path_of(name, *, streaming):
    """Return where a request of an API goes."""
    return PATHS[name] + ("-with-response-stream" if name == "bedrock" and streaming else "")


def body_of(name, nonce="", *, streaming=True, tools=False, said="hello", more=None):
    """Return a request's value; ``tools``: with one of the client's own, so that ours may join it."""
    said = f"{said} nonce-{nonce}-end"
    value = {"model": "some-model"}
    if name == "responses":
        value["input"] = [{"role": "user", "content": said}]
    else:
        value["messages"] = [{"role": "user", "content": said}]
    if SHAPES[name] == "anthropic":
        value["max_tokens"] = 100
    if name == "bedrock":
        del value["model"]
        value["anthropic_version"] = "bedrock-2023-05-31"
    elif streaming:
        value["stream"] = True
    if tools:
        about = {"name": "Bash", "description": "runs"}
        if SHAPES[name] == "anthropic":
            value["tools"] = [{**about, "input_schema": SCHEMA}]
        elif name == "responses":
            value["tools"] = [{"type": "function", **about, "parameters": SCHEMA}]
        else:
            value["tools"] = [{"type": "function", "function": {**about, "parameters": SCHEMA}}]
    return {**value, **(more or {})}


def request_of(name, nonce="", *, streaming=True, tools=False, headers=(), **more):
    """Return a whole request as bytes."""
    body = body_of(name, nonce, streaming=streaming, tools=tools, **more)
    return request("POST", path_of(name, streaming=streaming), body, [*KEYS[name], *headers])


def events_of(name, said="All work and no play makes Jack a dull boy. ", times=2, number=1, *, calls=False, size=20):
    """Return the events of a stream, each as its bytes; ``size`` characters are said in each."""
    parts = [text(said, times)]
    if calls:
        parts.append(call("call_1", "Bash", {"command": "make"}))
    reply = Reply(parts, pieces=size)
    given = {"model": "some-model", "stream": True}
    events = provider_shapes.events(SHAPES[name], given, reply, "some-model", number)
    if name == "bedrock":
        return list(provider_frames.bedrock(events, reply, "modelStreamErrorException"))
    return [provider_frames.sse(*event) for event in events]


def whole_of(name, said="All work and no play makes Jack a dull boy. ", times=2, number=1):
    """Return a whole answer's body."""
    value = provider_shapes.body(
        SHAPES[name], {"model": "some-model"}, Reply([text(said, times)]), "some-model", number
    )
    return provider_frames.compact(value).encode()


def good_answer(name, asked):
    """Return the bytes of a good answer to a request, in a stream where it was asked for one."""
    if asked.path.endswith("-stream") or b'"stream": true' in asked.body or b'"stream":true' in asked.body:
        return stream_head(KINDS[name]) + b"".join(map(chunk, events_of(name))) + LAST
    return answer(whole_of(name))


def name_of(path):
    """Return the API of a path."""
    path = path.partition("?")[0]
    for name, start in PATHS.items():
        if path.startswith(start):
            return name
    return ""


async def anything(asked, line):
    """Answer any request well; the nonce stands in the answer's headers."""
    name = name_of(asked.path)
    data = good_answer(name, asked) if name and asked.method == "POST" else answer(b'{"data":[]}')
    head, found, rest = data.partition(b"\r\n\r\n")
    await line.write(head + b"\r\nx-nonce: " + asked.nonce.encode("latin-1") + found + rest)


# --- how an answer ended


def last_event(data):
    """Return the JSON value of the last whole server-sent event."""
    for event in reversed(data.replace(b"\r\n", b"\n").split(b"\n\n")):
        lines = [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")]
        if lines:
            try:
                return json.loads(b"\n".join(lines))
            except ValueError:
                return None
    return None


def frames(data):
    """Return (headers, payload) of each whole frame of an AWS event stream up to one whose sum is wrong."""
    found, at = [], 0
    while len(data) >= at + 16:
        total, packed = struct.unpack(">II", data[at : at + 8])
        if len(data) < at + total:
            break
        frame = data[at : at + total]
        if struct.unpack(">I", frame[-4:])[0] != zlib.crc32(frame[:-4]):
            break
        headers, place = {}, 12
        while place < 12 + packed:
            size = frame[place]
            name = frame[place + 1 : place + 1 + size].decode()
            length = struct.unpack(">H", frame[place + 2 + size : place + 4 + size])[0]
            headers[name] = frame[place + 4 + size : place + 4 + size + length].decode()
            place += 4 + size + length
        found.append((headers, frame[12 + packed : -4]))
        at += total
    return found


def inner(data):
    """Return what the frames of Bedrock hold: the JSON of each event, whatever padding stands beside it."""
    return [_inner(payload) for _, payload in frames(data)]


def told(name, got):
    """Tell whether the last event of a stream is an error in the form of its API."""
    if name == "bedrock":
        found = frames(got.body)
        return bool(found) and found[-1][0].get(":message-type") in {"exception", "error"}
    value = last_event(got.body)
    if not isinstance(value, dict):
        return False
    if name == "anthropic":
        return value.get("type") == "error" and isinstance(value.get("error"), dict) and "message" in value["error"]
    if name == "openai":
        return isinstance(value.get("error"), dict) and "message" in value["error"]
    return value.get("type") == "error" or (value.get("type") == "response.failed" and bool(value["response"]["error"]))


def terminal(name, got):
    """Tell whether an event of a stream says that the answer is whole."""
    if name == "bedrock":
        return any(
            b"bWVzc2FnZV9zdG9w" in payload or b"message_stop" in _inner(payload) for _, payload in frames(got.body)
        )
    return any(word in got.body for word in TERMINAL[name])


def _inner(payload):
    import base64

    try:
        return base64.b64decode(json.loads(payload)["bytes"])
    except (ValueError, KeyError, TypeError):
        return b""


def error_told(name, got):
    """Tell whether a whole answer is an error in the form of its API."""
    try:
        value = got.json
    except ValueError:
        return False
    if not isinstance(value, dict):
        return False
    if name == "bedrock":
        return isinstance(value.get("message"), str)
    error = value.get("error")
    return isinstance(error, dict) and isinstance(error.get("message"), str)


# --- many at once, and what a process holds


def complaints(proxy):
    """Return the lines of a proxy's log that tell of a fault of its own."""
    words = ("Traceback", "fault of headroom", "never retrieved", "never awaited", "Unclosed", "was destroyed", "Error")
    return [line for line in proxy.said if any(word in line for word in words)]


async def gathered(jobs, most=16):
    """Run coroutines, so many at once; return their results in order."""
    room = asyncio.Semaphore(most)

    async def one(job):
        async with room:
            return await job

    return await asyncio.gather(*(one(job) for job in jobs))


async def until(condition, seconds=20.0, what="it"):
    """Wait until a condition holds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not condition():
        assert loop.time() < end, f"{what} did not come about in {seconds} s"
        await asyncio.sleep(0.002)


def family(pid):
    """Return a process and all that it started, and they."""
    found, rows = [pid], {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    rows[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue
    for parent in found:
        found += [child for child, of in rows.items() if of == parent and child not in found]
    return found


def sockets(pid):
    """Return the inodes of a process' sockets."""
    found = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(int(target[8:-1]))
    return found


def descriptors(pid):
    """Return how many descriptors a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident(pid):
    """Return the bytes of memory that a process has, those that it shares counted once for each of them."""
    with open(f"/proc/{pid}/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def clients(url, count):
    """Open so many connections."""
    return await asyncio.gather(*(Client.open(url) for _ in range(count)))
