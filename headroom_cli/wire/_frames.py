"""Read a stream in AWS frames (``application/vnd.amazon.eventstream``) as the server-sent events it stands for.

A frame is: total length, length of the headers, CRC-32 of those eight bytes, headers, payload, CRC-32 of all before.
Every number has four bytes, big end first. Bedrock's data frames hold ``{"bytes": BASE64, "p": PADDING}``, and the
bytes are the JSON of one event of Anthropic's API. So that what is written does not depend on the framing, each frame
becomes the event that Anthropic itself would have sent: ``event: TYPE``, ``data: JSON``.
"""

from __future__ import annotations

import base64
import json
import struct

from headroom_cli.errors import ConfigError, UnreachableError
from headroom_cli.wire._events import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from headroom_cli.wire._sse import Stream

PRELUDE = 12  # bytes: both lengths and their checksum
AROUND = 16  # bytes of a frame besides headers and payload: the prelude and the last checksum
# The limits of the AWS libraries: 128 KiB of headers and 24 MiB of payload (botocore.eventstream, 16 MiB in old ones).
LONGEST = 24 * 2**20 + 128 * 2**10 + AROUND

# What AWS calls a failure -> what Anthropic's API calls it; "api_error" for every other. The first are those of
# InvokeModelWithResponseStream (docs.aws.amazon.com/bedrock, API_runtime_ResponseStream), then the common ones.
KINDS = {
    "throttlingexception": "rate_limit_error",
    "modeltimeoutexception": "overloaded_error",
    "serviceunavailableexception": "overloaded_error",
    "validationexception": "invalid_request_error",
    "internalserverexception": "api_error",
    "modelstreamerrorexception": "api_error",
    "modelnotreadyexception": "overloaded_error",
    "servicequotaexceededexception": "rate_limit_error",
    "accessdeniedexception": "permission_error",
    "resourcenotfoundexception": "not_found_error",
    "expiredtokenexception": "authentication_error",
    "unrecognizedclientexception": "authentication_error",
}


class Messages:
    """Cut a stream into frames, at any split of its bytes. Both checksums of each are compared."""

    __slots__ = ("_decoder", "_held", "_total")

    def __init__(self) -> None:
        """Raise ConfigError when botocore is missing."""
        try:
            from botocore.eventstream import EventStreamBuffer  # 25 ms: only for who reads such a stream
        except ImportError:
            raise ConfigError("botocore is missing; run: pip install 'headroom-cli[bedrock]'") from None
        # It sees one frame at a time: fed with what the network gives, it would copy all the rest for every frame.
        self._decoder = EventStreamBuffer()
        self._held = bytearray()
        self._total = 0  # of the frame whose prelude was read, 0 for none

    def feed(self, data: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Yield the (headers, payload) of each frame that is now whole; raise UnreachableError for damage."""
        from botocore.eventstream import ParserError

        self._held += data
        try:
            while (message := self._next()) is not None:
                yield message.headers, message.payload
        except KeyError as error:
            raise damaged(f"a header of the unknown type {error}") from error
        except (ParserError, struct.error, ValueError) as error:
            raise damaged(str(error)) from error

    def end(self) -> None:
        """Raise UnreachableError when the stream ended inside a frame."""
        if self._held:
            raise damaged(f"it ends {len(self._held)} bytes into a frame")

    def _next(self) -> Any:
        """Return the next message, None when too little of it is there."""
        held = self._held
        if not self._total:
            if len(held) < PRELUDE:
                return None
            total, headers = struct.unpack_from("!II", held)
            self._decoder.add_data(bytes(held[:PRELUDE]))
            # The checksum is compared here. A frame that the decoder finds whole by now claims an impossible length.
            if next(self._decoder, None) is not None or not headers + AROUND <= total <= LONGEST:
                raise ValueError(f"a frame of {total} bytes with {headers} bytes of headers")
            self._total = total
        if len(held) < self._total:
            return None
        self._decoder.add_data(bytes(held[PRELUDE : self._total]))
        del held[: self._total]
        self._total = 0
        return next(self._decoder)


class Frames:
    """Give the events of a stream of frames.

    A gateway that is shaped like Bedrock may write server-sent events under the same address, as SAP AI Core does. The
    first byte tells: a frame begins with 0 or 1, the highest byte of its length, and no text does.
    """

    __slots__ = ("_messages", "_text", "_wrong")

    def __init__(self) -> None:
        """Begin a stream."""
        self._messages: Messages | None = None
        self._text: Stream | None = None
        self._wrong: UnreachableError | None = None

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that are now whole.

        Raise UnreachableError for damage; what came whole before it is returned first, and then the next call raises.
        """
        if self._wrong is not None:
            raise self._wrong
        if self._messages is None and self._text is None and data:
            if data[0] > 1:
                from headroom_cli.wire._sse import Stream

                self._text = Stream()
            else:
                self._messages = Messages()
        if self._text is not None:
            return self._text.feed(data)
        events: list[Event] = []
        try:
            for headers, payload in self._messages.feed(data) if self._messages is not None else ():
                event = event_of(headers, payload)
                if event is not None:
                    events.append(event)
        except UnreachableError as error:
            self._wrong = error
            if not events:
                raise
        return events

    def end(self) -> bytes:
        """Return the unfinished rest of a text, b"" for frames; raise UnreachableError for damage or half a frame."""
        if self._wrong is not None:
            raise self._wrong
        if self._text is not None:
            return self._text.end()
        if self._messages is not None:
            self._messages.end()
        return b""


def damaged(what: str) -> UnreachableError:
    """Return the error of a stream that cannot be trusted any more."""
    return UnreachableError(f"the stream is damaged: {what}; send the request again")


def event_of(headers: dict[str, Any], payload: bytes) -> Event | None:
    """Return the event of one frame, None for one that says nothing."""
    kind = headers.get(":message-type")
    if kind == "exception":
        return _failure(str(headers.get(":exception-type", "exception")), _message(payload))
    if kind == "error":
        return _failure(str(headers.get(":error-code", "error")), str(headers.get(":error-message", "")))
    if not payload:
        return None
    carrier = _object(payload)
    inner = carrier.get("bytes")
    try:
        data = base64.b64decode(inner, validate=True) if isinstance(inner, str) else payload
    except ValueError as error:
        raise damaged(f"an event is no base64 ({error})") from error
    lines = data.splitlines()  # of bytes: at LF, CR and CRLF alone, as server-sent events
    if not lines:
        return None
    name = (_object(data) if data is not payload else carrier).get("type")
    if not isinstance(name, str):
        name = headers.get(":event-type")
        name = name if isinstance(name, str) and name != "chunk" else ""
    name = name if name.isprintable() else ""  # a line break in it would begin another field
    head = f"event: {name}\n".encode() if name else b""
    raw = head + b"".join(b"data: " + line + b"\n" for line in lines) + b"\n"
    return Event(raw, name, b"\n".join(lines).decode("utf-8", "replace"))


def _failure(name: str, message: str) -> Event:
    """Return an error event in the form of Anthropic's API; the name that AWS gave stays in the message."""
    said = f"{message} ({name})" if message else name
    kind = KINDS.get(name.lower(), "api_error")
    return Event.of({"type": "error", "error": {"type": kind, "message": said}}, "error")


def _message(payload: bytes) -> str:
    """Return the sentence of an exception's payload, the payload itself when it has none."""
    found = _object(payload)
    for key in ("message", "Message"):
        if isinstance(found.get(key), str):
            return str(found[key])
    return payload.decode("utf-8", "replace")


def _object(data: bytes) -> dict[str, Any]:
    """Read a JSON object, {} for anything else."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
