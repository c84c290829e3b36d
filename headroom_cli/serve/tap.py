"""Read along in an answer that passes unchanged: what it cost, and whether it came to its end.

Of a stream only whole events are given to the client, so that an error can be told in its place when the rest of one
never comes. Nothing is parsed but the few events that say something about the whole answer.
"""

from __future__ import annotations

from headroom_cli.serve import decoding, frames
from headroom_cli.serve.signs import Signs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# An event of which so much is there is not held any longer: some are images, or a whole answer.
HELD_MOST = 65_536
# Of an event that was not held: its head tells what it is, its tail what it cost.
_HEAD = 4096
_TAIL = 16_384
_BODY_MOST = 1 << 20  # bytes of an answer that is no stream
# Bytes that are read along in an encoded answer: more in it is nobody's answer.
_DECODED_MOST = 256 << 20


class Tap:
    """One answer on its way to the client.

    ``usage``    what the provider counted so far: whole numbers, nested names with dots
    ``failed``   it holds an error of the provider's own
    """

    __slots__ = ("_cut", "_decoders", "_left", "_signs", "_streaming", "_whole")

    def __init__(self, shape: str, *, streaming: bool, framed: bool = False, encoding: str = "") -> None:
        """``shape`` is a row of wire.WIRES, "" for none; ``framed``: in AWS frames; ``encoding`` as in HTTP."""
        self._streaming = streaming or framed
        self._signs = Signs("anthropic" if framed else shape)
        self._cut: Any = _Text(self._signs)
        if framed:
            self._cut = _Unknown(self._signs)
        self._whole: _Whole | None = None if self._streaming else _Whole()
        self._left = _DECODED_MOST
        self._decoders: list[Any] | None = None  # None: what comes cannot be read
        try:
            self._decoders = decoding.stack(decoding.names([encoding.encode("latin-1", "replace")]), self._read_along)
        except decoding.BrokenError:
            self._signs.blind = True

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the answer; return those that may go to the client now."""
        if self._decoders:
            try:
                self._decoders[0].feed(data)
            except decoding.BrokenError:
                self._decoders = None
                self._signs.blind = True
            return data
        if self._decoders is None:
            return data
        if self._whole is not None:
            self._whole.add(data)
            return data
        given: bytes = self._cut.feed(data)
        return given

    def end(self) -> bytes:
        """Return what is left for the client when the answer has come to its end: half an event, as it came."""
        rest: bytes = b"" if self._decoders != [] else self._cut.rest()
        return rest

    @property
    def ended(self) -> bool:
        """Whether an end of the connection now is the end of the answer: the last event came, or who knows."""
        if self._signs.blind or not self._streaming:
            return True
        return self._signs.ended or self._signs.ended_by(self._cut.peek())

    @property
    def usage(self) -> dict[str, int]:
        """What the provider counted."""
        if self._whole is not None:
            self._signs.of_body(*self._whole.found())
        return self._signs.usage

    @property
    def failed(self) -> bool:
        """Whether an error came inside the answer."""
        return self._signs.failed

    def broken(self, kind: str, message: str) -> bytes:
        """Return the error event that ends an answer that broke off; half an event that was held is forgotten.

        b"" where none can be told: in an answer that is no stream, in an encoded one, inside a frame. Then only the
        connection can tell, which must not be closed as if all were well.
        """
        if self._decoders != [] or not self._streaming:
            return b""
        told: bytes = self._cut.broken(kind, message)
        return told

    def _read_along(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._left < 0:
            raise decoding.BrokenError("too much")
        if self._whole is not None:
            self._whole.add(piece)
        else:
            self._cut.feed(piece)


class _Whole:
    """An answer that is no stream: all of it, or the end of a long one."""

    __slots__ = ("_data", "_size")

    def __init__(self) -> None:
        self._data = bytearray()
        self._size = 0

    def add(self, data: bytes) -> None:
        self._size += len(data)
        self._data += data
        if self._size > _BODY_MOST and len(self._data) > 8 * _TAIL:
            del self._data[:-_TAIL]

    def found(self) -> tuple[bytes, bool]:
        """Return the bytes, and whether they are all."""
        return bytes(self._data), len(self._data) == self._size


class _Text:
    """Server-sent events, cut behind each blank line."""

    __slots__ = ("_head", "_held", "_last", "_open", "_signs", "_tail")

    def __init__(self, signs: Signs) -> None:
        self._signs = signs
        self._held = bytearray()  # of an event that is not whole
        self._last = b"\n"  # the last two bytes: a line's end may be cut in half
        self._open = False  # the client has a part of an event that is not whole
        self._head = b""
        self._tail = bytearray()

    def feed(self, data: bytes) -> bytes:
        if data[-2:] == b"\n\n" and not self._held and not self._open:  # nearly always: whole events
            self._last = b"\n\n"
            self._signs.read(data)
            return data
        if not data:
            return b""
        joined = self._last + data
        cut = _behind_last_event(joined) - len(self._last)
        self._last = joined[-2:]
        given = b""
        if cut > 0:
            self._held += data[:cut]
            given = bytes(self._held)
            if self._open:  # its end, and perhaps more events behind it
                end = _behind_first_event(joined) - (len(joined) - len(data))
                self._pass(given[:end])
                self._signs.read_long(self._head, bytes(self._tail))
                self._signs.read(given[end:])
                self._open = False
            else:
                self._signs.read(given)
            self._held = bytearray(data[cut:])
        else:
            self._held += data
        if self._open or len(self._held) >= HELD_MOST:
            more = bytes(self._held)
            self._held.clear()
            if not self._open:
                self._open = True
                self._head = more[:_HEAD]
                self._tail = bytearray()
            self._pass(more)
            return given + more
        return given

    def _pass(self, data: bytes) -> None:
        """Keep the tail of what is not held."""
        self._tail += data
        if len(self._tail) > 4 * _TAIL:
            del self._tail[:-_TAIL]

    def rest(self) -> bytes:
        rest = bytes(self._held)
        self._held.clear()
        return rest

    def peek(self) -> bytes:
        return bytes(self._held)

    def broken(self, kind: str, message: str) -> bytes:
        self._held.clear()
        # What the client has of an event becomes one, which is no JSON; the error is one of its own in any case.
        return (b"\n\n" if self._open else b"") + self._signs.error(kind, message)


def _behind_first_event(data: bytes) -> int:
    """Return where the first blank line ends; there is one."""
    end = min(at for mark in (b"\n\n", b"\n\r", b"\r\r") if (at := data.find(mark)) >= 0) + 2
    return end + (data[end - 1 : end + 1] == b"\r\n")


def _behind_last_event(data: bytes) -> int:
    """Return where the last blank line ends, 0 for none. Lines end in LF, CR or CRLF."""
    end = data.rfind(b"\n\n") + 2
    if b"\r" in data:
        end = max(end, data.rfind(b"\n\r") + 2, data.rfind(b"\r\r") + 2)
        if end > 1 and data[end - 1 : end + 1] == b"\r\n":
            end += 1
    return end if end > 1 else 0


class _Frames:
    """AWS frames, cut by the lengths they say."""

    __slots__ = ("_held", "_left", "_lost", "_signs")

    def __init__(self, signs: Signs) -> None:
        self._signs = signs
        self._held = bytearray()
        self._left = 0  # bytes of a frame that the client has in part
        self._lost = False  # it is damaged: what follows cannot be told apart

    def feed(self, data: bytes) -> bytes:
        if self._lost:
            return data
        given = b""
        if self._left:
            given = data[: self._left]
            self._left -= len(given)
            data = data[len(given) :]
        self._held += data
        at = 0
        while len(self._held) - at >= frames.PRELUDE:
            total, headers = frames.lengths(self._held, at)
            if not headers + frames.AROUND <= total <= frames.LONGEST:
                self._lost = True
                at = len(self._held)
            elif len(self._held) - at >= total:
                begin = at + frames.PRELUDE
                fields = bytes(self._held[begin : begin + headers])
                self._signs.read_frame(fields, bytes(self._held[begin + headers : at + total - 4]))
                at += total
            elif len(self._held) - at >= HELD_MOST:
                self._left = total - (len(self._held) - at)
                at = len(self._held)
            else:
                break
        given += bytes(self._held[:at])
        del self._held[:at]
        return given

    def rest(self) -> bytes:
        rest = bytes(self._held)
        self._held.clear()
        return rest

    def peek(self) -> bytes:
        return b""

    def broken(self, kind: str, message: str) -> bytes:
        self._held.clear()
        return b"" if self._lost or self._left else frames.exception(kind, message)


class _Unknown:
    """What claims to be frames: some gateways write server-sent events under that name. The first byte tells."""

    __slots__ = ("_found", "_signs")

    def __init__(self, signs: Signs) -> None:
        self._signs = signs
        self._found: Any = None

    def feed(self, data: bytes) -> bytes:
        if self._found is None:
            if not data:
                return b""
            self._found = _Text(self._signs) if data[0] > 1 else _Frames(self._signs)
        given: bytes = self._found.feed(data)
        return given

    def rest(self) -> bytes:
        return self._found.rest() if self._found else b""

    def peek(self) -> bytes:
        return self._found.peek() if self._found else b""

    def broken(self, kind: str, message: str) -> bytes:
        told: bytes = self._found.broken(kind, message) if self._found else frames.exception(kind, message)
        return told
