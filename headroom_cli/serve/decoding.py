"""Content encodings undone piece by piece: no step gives more than a few hundred KiB, whatever the bytes claim.

A decoder is fed bytes and gives what it decodes to a sink, which may raise to say that it has had enough. Decoders are
stacked by making one the sink of another.
"""

from __future__ import annotations

import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Sink = Callable[[bytes], Any]

MOST_STACKED = 3
_STEP = 65_536  # bytes of input at a time: what zlib leaves over is copied at each step
_PIECE = 262_144  # bytes of output at a time
_WINDOW = 23  # log2 of what a stream may look back: 8 MiB, as RFC 9659 has it for zstd
# Comes out as one byte only where everything before it ended with its frame.
_PROBE = b"\x28\xb5\x2f\xfd\x00\x00\x09\x00\x00x"


class BrokenError(ValueError):
    """The bytes are not what their encoding says, or an encoding is not known here."""


def names(fields: Iterable[bytes]) -> list[str]:
    """Return the encodings that values of Content-Encoding name, in the order they were put on; identity is none."""
    words = [word.strip().lower().decode("latin-1") for field in fields for word in field.split(b",")]
    return [word for word in words if word not in {"", "identity"}]


def stack(encodings: list[str], sink: Sink, limit: Callable[[Sink], Sink] | None = None) -> list[Any]:
    """Return the decoders for encodings, the first to be fed first. Raise BrokenError for one that is not known.

    ``limit`` may put something between two of them, which counts what passes.
    """
    if len(encodings) > MOST_STACKED:
        raise BrokenError("too many encodings")
    found: list[Any] = []
    for encoding in encodings:  # the first was put on first: it comes off last
        kind = _KINDS.get(encoding)
        if kind is None:
            raise BrokenError("an encoding that is not known")
        if found:
            sink = limit(found[0].feed) if limit else found[0].feed
        # All of a stack together look back not much further than one alone may.
        found.insert(0, kind(sink, _WINDOW if not found else _WINDOW + 1 - len(encodings)))
    return found


def unwrap(data: bytes, encodings: list[str], sink: Sink, limit: Callable[[Sink], Sink] | None = None) -> None:
    """Give all that ``data`` decodes to, in pieces. Raise BrokenError, and whatever the sink raises."""
    decoders = stack(encodings, sink, limit)
    decoders[0].feed(data)
    for decoder in decoders:
        decoder.end()


def _steps(data: bytes) -> Iterable[bytes]:
    """Cut what is long, without copying it first."""
    if len(data) <= _STEP:
        return (data,)
    view = memoryview(data)
    return (bytes(view[at : at + _STEP]) for at in range(0, len(view), _STEP))


class _Gzip:
    """One or more gzip members; anything else behind them is damage."""

    __slots__ = ("_ended", "_sink", "_zlib")

    def __init__(self, sink: Sink, _window: int) -> None:
        """Begin."""
        self._sink = sink
        self._zlib = zlib.decompressobj(31)
        self._ended = False  # at the end of a member

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        for step in _steps(data):
            self._step(step)

    def _step(self, data: bytes) -> None:
        while data:
            if self._ended:
                self._zlib = zlib.decompressobj(31)
                self._ended = False
            data = _inflate(self._zlib, data, self._sink)
            self._ended = self._zlib.eof

    def end(self) -> None:
        """Raise BrokenError when something is missing."""
        if not self._ended:
            raise BrokenError("it ends too early")


class _Deflate:
    """A zlib stream, as the standard says, or the raw one that some senders take it for."""

    __slots__ = ("_first", "_sink", "_zlib")

    def __init__(self, sink: Sink, _window: int) -> None:
        """Begin."""
        self._sink = sink
        self._first = b""
        self._zlib: Any = None

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._zlib is None:
            data = self._first + data
            if len(data) < 2:
                self._first = data
                return
            is_zlib = data[0] & 15 == 8 and int.from_bytes(data[:2]) % 31 == 0
            self._zlib = zlib.decompressobj(15 if is_zlib else -15)
        for step in _steps(data):
            self._step(step)

    def _step(self, data: bytes) -> None:
        if (self._zlib.eof and data) or _inflate(self._zlib, data, self._sink):
            raise BrokenError("bytes behind the end")

    def end(self) -> None:
        """Raise BrokenError when something is missing."""
        if self._zlib is None or not self._zlib.eof:
            raise BrokenError("it ends too early")


def _inflate(state: Any, data: bytes, sink: Sink) -> bytes:
    """Give what ``data`` inflates to; return what stands behind the stream's end."""
    while True:
        try:
            found = state.decompress(data, _PIECE)
        except zlib.error as error:
            raise BrokenError("damaged") from error
        if found:
            sink(found)
        data = state.unconsumed_tail
        if state.eof or (not data and len(found) < _PIECE):  # a full piece may have more behind it without any input
            return bytes(state.unused_data)


class _Brotli:
    """A brotli stream, where the library is there."""

    __slots__ = ("_begun", "_decoder", "_error", "_sink", "_window")

    def __init__(self, sink: Sink, window: int) -> None:
        """Begin. Raise BrokenError without the library, or with one whose output has no limit."""
        try:
            import brotli
        except ImportError:
            raise BrokenError("brotli is missing") from None
        self._sink = sink
        self._window = window
        self._decoder = brotli.Decompressor()
        self._error = brotli.error
        self._begun = False
        if not hasattr(self._decoder, "can_accept_more_data"):  # before 1.2
            raise BrokenError("brotli is too old")

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if not data:
            return
        if not self._begun:
            self._begun = True
            # RFC 7932, section 9.1: the lowest bits say how far the stream looks back, 1 and three more for 18 to 24.
            first = data[0] & 15
            if first & 1 and 17 + (first >> 1) > self._window:
                raise BrokenError("it looks back too far")
        for step in _steps(data):
            self._step(step)

    def _step(self, data: bytes) -> None:
        if self._decoder.is_finished():
            raise BrokenError("bytes behind the end")
        while True:
            try:
                found = self._decoder.process(data, output_buffer_limit=_PIECE)
            except self._error as error:
                raise BrokenError("damaged") from error
            if found:
                self._sink(found)
            if self._decoder.is_finished() or not (data or found):
                return
            data = b""  # it may have more without any input

    def end(self) -> None:
        """Raise BrokenError when something is missing."""
        if not self._decoder.is_finished():
            raise BrokenError("it ends too early")


class _Zstd:
    """One or more zstd frames."""

    __slots__ = ("_begun", "_error", "_last", "_sink", "_writer")

    def __init__(self, sink: Sink, window: int) -> None:
        """Begin."""
        import zstandard

        self._sink = sink
        self._error = zstandard.ZstdError
        self._begun = False
        self._last = b""
        self._writer = zstandard.ZstdDecompressor(max_window_size=1 << window).stream_writer(
            self,  # type: ignore[arg-type] # all that is asked of it is write
            write_size=_PIECE >> 1,
        )

    def write(self, piece: bytes) -> int:
        """Hand on what was decoded."""
        piece = bytes(piece)
        if self._last == b"end":
            self._last = piece
        else:
            self._sink(piece)
        return len(piece)

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if data:
            self._begun = True
            self._write(data)

    def _write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
        except self._error as error:
            raise BrokenError("damaged") from error

    def end(self) -> None:
        """Raise BrokenError when something is missing: the library does not say, so a frame of our own is asked."""
        if self._begun:
            self._last = b"end"
            # One by one: of a frame that it gets in one piece it forgets the half head that came before.
            for at in range(len(_PROBE)):
                self._write(_PROBE[at : at + 1])
        if self._last != b"x":
            raise BrokenError("it ends too early")


_KINDS: dict[str, Any] = {
    "gzip": _Gzip, "x-gzip": _Gzip, "deflate": _Deflate, "br": _Brotli, "zstd": _Zstd,
}  # fmt: skip
