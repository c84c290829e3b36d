"""AWS frames as bytes: their lengths, and the one that says that a stream broke off.

A frame is: total length, length of the headers, CRC-32 of those eight bytes, headers, payload, CRC-32 of all before.
Every number has four bytes, big end first. A header is: length of its name, name, type (7: text), length, value.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib

from headroom_cli.wire._frames import AROUND, LONGEST, PRELUDE

__all__ = ["AROUND", "LONGEST", "PRELUDE", "chunk", "exception", "lengths"]

# What Anthropic's API calls an error -> what InvokeModelWithResponseStream calls it.
_NAMES = {
    "rate_limit_error": "throttlingException",
    "overloaded_error": "serviceUnavailableException",
    "timeout_error": "modelTimeoutException",
    "invalid_request_error": "validationException",
}


def lengths(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """Return the lengths of the frame at ``at`` and of its headers."""
    total, headers = struct.unpack_from(">II", data, at)
    return total, headers


def exception(kind: str, message: str) -> bytes:
    """Write the frame of an error."""
    headers = (
        (":exception-type", _NAMES.get(kind, "modelStreamErrorException")),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    )
    return _frame(headers, json.dumps({"message": message}).encode())


def chunk(data: bytes) -> bytes:
    """Write the frame of an event: the JSON that Anthropic's API has in its ``data:`` line."""
    headers = (
        (":event-type", "chunk"),
        (":content-type", "application/json"),
        (":message-type", "event"),
    )
    return _frame(headers, b'{"bytes":"%b"}' % base64.b64encode(data))


def _frame(headers: tuple[tuple[str, str], ...], payload: bytes) -> bytes:
    packed = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in headers
    )
    prelude = struct.pack(">II", AROUND + len(packed) + len(payload), len(packed))
    whole = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + payload
    return whole + struct.pack(">I", zlib.crc32(whole))
