"""A request's body: whole, as it came, and decoded; never more of it in memory than was allowed."""

from __future__ import annotations

import asyncio
import io

from headroom_cli.errors import UnreachableError
from headroom_cli.serve import decoding
from headroom_cli.serve.replies import RefusedError
from headroom_cli.serve.room import SMALL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.serve.decoding import Sink
    from headroom_cli.serve.options import Limits
    from headroom_cli.serve.replies import Pairs, Receive
    from headroom_cli.serve.room import Share

# Bytes that may be decoded where everybody waits for it: a millisecond at most.
_AT_ONCE = 262_144
# Bytes that are gathered in pieces.
_GATHERED_MOST = 4 << 20
# Bytes that one piece of an answer may decode to.
_MOST_OF_A_PIECE = 64 << 20


class GoneError(Exception):
    """The client went away before its request was whole."""


class _FullError(Exception):
    """More bytes than were asked for."""


async def read(receive: Receive, headers: Pairs, limits: Limits, share: Share | None = None) -> bytes:
    """Return the whole body as it came. Raise RefusedError (413) above ``limits.body``, GoneError when nobody waits.

    What is large is read when ``share`` has room for it and for what it may decode to; RefusedError (503) without.
    """
    more = limits.decoded if share is not None and encodings(headers) else 0
    most = limits.body
    for name, value in headers:
        if name.lower() == b"content-length" and value.isdigit():
            most = int(value[:20])
            if most > limits.body:
                raise _too_large(limits.body)
    first = b""
    whole: io.BytesIO | None = None  # its buffer becomes the body: no second copy
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        piece = message.get("body", b"")
        if whole is not None:
            whole.write(piece)
        elif first and piece:
            whole = io.BytesIO()
            whole.write(first)
            whole.write(piece)
            first = b""
        else:
            first = first or piece
        size = whole.tell() if whole is not None else len(first)
        if size > limits.body:
            raise _too_large(limits.body)
        # Not before it is large indeed: who only says that much will come, and sends nothing, must not keep others out.
        if share is not None and size > SMALL:
            await share.take(most + more)
        if not message.get("more_body", False):
            if share is not None:
                share.shrink(size + more)
            return whole.getvalue() if whole is not None else bytes(first)


def decode(data: bytes, encodings: list[str], limits: Limits) -> bytes | None:
    """Return ``data`` without its encodings (in the order they were put on: as Content-Encoding names them).

    None for an encoding that is not known here or is broken, truncated or followed by anything: such a request passes
    as it came. Raise RefusedError (413) where it would be more than ``limits.decoded`` bytes at any step.
    """
    try:
        return _decode(data, encodings, limits.decoded)
    except _FullError:
        raise _too_large(limits.decoded) from None


async def decoded(data: bytes, encodings: list[str], limits: Limits, share: Share | None = None) -> bytes | None:
    """Do what ``decode`` does; what is large is decoded in a thread, so that nobody waits for it.

    A small body may become a large one: then ``share`` must have room first, as in ``read``.
    """
    if not encodings:
        return data
    if len(data) <= _AT_ONCE:
        try:
            return _decode(data, encodings, min(_AT_ONCE, limits.decoded))
        except _FullError:
            pass
    if share is not None:
        await share.take(limits.decoded)
    plain = await asyncio.to_thread(decode, data, encodings, limits)
    if share is not None:
        share.shrink(len(data) + len(plain or b""))
    return plain


def encodings(headers: Pairs) -> list[str]:
    """Return the names in all Content-Encoding fields, in their order, without identity."""
    return decoding.names(value for name, value in headers if name.lower() == b"content-encoding")


def _decode(data: bytes, encodings: list[str], most: int) -> bytes | None:
    encodings = decoding.names(name.encode("latin-1", "replace") for name in encodings)
    if not encodings or not data:
        return data
    pieces: list[bytes] = []
    size = 0

    def count(piece: bytes) -> None:
        nonlocal size
        size += len(piece)
        if size <= _GATHERED_MOST:
            pieces.append(piece)
        else:
            pieces.clear()

    def between(sink: Sink) -> Sink:
        return _limited(sink, most)

    try:
        decoding.unwrap(data, encodings, between(count), between)
        if size <= _GATHERED_MOST:
            return b"".join(pieces)
        # What is large is decoded once more, into memory of its size: a bomb costs none, and nothing is copied.
        whole = io.BytesIO()
        whole.seek(size - 1)
        whole.write(b"\0")
        whole.seek(0)
        decoding.unwrap(data, encodings, between(whole.write), between)
        return whole.getvalue()
    except decoding.BrokenError:
        return None


def _limited(sink: Sink, most: int) -> Sink:
    """Return a sink that takes so many bytes and no more."""
    left = most

    def take(piece: bytes) -> None:
        nonlocal left
        left -= len(piece)
        if left < 0:
            raise _FullError
        sink(piece)

    return take


def _too_large(most: float) -> RefusedError:
    return RefusedError(413, f"the body of this request is larger than {int(most):,} bytes", close=True)


class Decoder:
    """An answer's bytes without their encoding, as they arrive. Raises UnreachableError for what cannot be read."""

    __slots__ = ("_decoders", "_fed", "_found", "_size")

    def __init__(self, header: str) -> None:
        """``header`` is the answer's Content-Encoding."""
        self._found: list[bytes] = []
        self._size = 0
        self._fed = False  # an answer without a body is none that is broken
        try:
            self._decoders = decoding.stack(decoding.names([header.encode("latin-1", "replace")]), self._take)
        except decoding.BrokenError as error:
            raise _unreadable(error) from error

    def feed(self, data: bytes) -> bytes:
        """Return what can be read by now."""
        if not self._decoders or not data:
            return data
        self._fed = True
        try:
            self._decoders[0].feed(data)
        except decoding.BrokenError as error:
            raise _unreadable(error) from error
        return self._given()

    def end(self) -> bytes:
        """Return the rest."""
        try:
            for decoder in self._decoders if self._fed else ():
                decoder.end()
        except decoding.BrokenError as error:
            raise _unreadable(error) from error
        return self._given()

    def _take(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > _MOST_OF_A_PIECE:
            raise decoding.BrokenError("it grows without end")
        self._found.append(piece)

    def _given(self) -> bytes:
        found = b"".join(self._found)
        self._found = []
        self._size = 0
        return found


def _unreadable(error: decoding.BrokenError) -> UnreachableError:
    return UnreachableError(f"the provider's answer cannot be decoded ({error}); send the request again")
