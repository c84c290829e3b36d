"""How the fake provider's events are framed: server-sent events, or AWS event-stream frames with two sums each.

A frame is u32 total length, u32 length of the headers, u32 CRC-32 of those eight bytes, headers, payload, u32 CRC-32 of
all before it; numbers are big-endian. A header is u8 length of its name, name, u8 type (7: text), u16 length, value.
"""

import base64
import itertools
import json
import struct
import zlib


def compact(value):
    """Write JSON without spaces, as the APIs do."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def sse(kind, name, value):
    """Write one event of ``provider_shapes.events`` as a server-sent event."""
    if kind == "comment":
        return f": {name}\n\n".encode()
    if kind == "done":
        return b"data: [DONE]\n\n"
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {compact(value)}\n\n".encode("utf-8", "surrogatepass")


def frame(headers, payload, *, broken=False):
    """Write one frame; ``broken`` gives it a wrong sum."""
    packed = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value.encode())) + value.encode()
        for name, value in headers
    )
    prelude = struct.pack(">II", 16 + len(packed) + len(payload), len(packed))
    rest = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + payload
    return rest + struct.pack(">I", zlib.crc32(rest) ^ (1 if broken else 0))


def chunk(value, padding=0, *, broken=False):
    """Write one event of Anthropic's shape as a frame of InvokeModelWithResponseStream."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    inner = base64.b64encode(compact(value).encode("utf-8", "surrogatepass")).decode()
    headers = ((":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event"))
    return frame(headers, compact({"bytes": inner, "p": letters[:padding]}).encode(), broken=broken)


def exception(kind, sentence):
    """Write the frame of an error; AWS begins the type's name small here, and with a capital in a head."""
    kind = kind[:1].lower() + kind[1:]
    headers = ((":exception-type", kind), (":content-type", "application/json"), (":message-type", "exception"))
    return frame(headers, compact({"message": sentence}).encode())


def bedrock(events, reply, kind):
    """Turn Anthropic's events into frames; ``kind`` is the exception that stands for an error event."""
    usage = reply.usage
    metrics = {
        "inputTokenCount": usage["input"],
        "outputTokenCount": usage["output"],
        "invocationLatency": 900,
        "firstByteLatency": 300,
        "cacheReadInputTokenCount": usage["cached"],
        "cacheWriteInputTokenCount": usage["written"],
    }
    padding = itertools.cycle((3, 26, 11, 0, 19))
    if reply.extras:
        headers = ((":event-type", "future-event"), (":content-type", "application/json"), (":message-type", "event"))
        yield frame(headers, b'{"said":"nobody knows this type"}')
    for _, name, value in events:
        if name == "error":
            yield exception(kind, value["error"]["message"])
        elif name != "ping":
            more = {"amazon-bedrock-invocationMetrics": metrics} if name == "message_stop" else {}
            yield chunk({**value, **more}, next(padding))


def break_sum(data):
    """Change the sum at a frame's end."""
    return data[:-1] + bytes([data[-1] ^ 1])
