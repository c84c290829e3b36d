"""Bytes in, lines out, within limits."""

from __future__ import annotations

import os
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 1 << 18


def pieces(descriptor: int) -> Iterator[bytes]:
    """Give what comes as it comes, until the end. An error of the other side is an end."""
    while True:
        try:
            piece = os.read(descriptor, PIECE)
        except BlockingIOError:  # whoever holds the other end made the pipe so
            import select

            select.select([descriptor], [], [])
            continue
        except OSError:
            return
        if not piece:
            return
        yield piece


class Lines:
    """The lines of a descriptor without their newlines; None for one of more than ``most`` bytes, which is dropped."""

    __slots__ = ("_descriptor", "_most")

    def __init__(self, descriptor: int, most: int) -> None:
        """Read nothing yet."""
        self._descriptor = descriptor
        self._most = most

    def __iter__(self) -> Iterator[bytes | None]:
        """Give line by line."""
        held: list[bytes] = []
        size = 0
        for piece in pieces(self._descriptor):
            rest = piece
            while True:
                line, newline, rest = rest.partition(b"\n")
                size += len(line)
                if size <= self._most:
                    held.append(line)
                else:
                    held.clear()
                if not newline:
                    break
                yield b"".join(held) if size <= self._most else None
                held, size = [], 0
        if size:
            yield b"".join(held) if size <= self._most else None


class Through:
    """Cuts a stream into lines that are handed over whole, and longer ones that go through piece by piece."""

    __slots__ = ("_held", "_most", "_passing", "_size")

    def __init__(self, most: int) -> None:
        """Hold no line of more than ``most`` bytes, its newline included."""
        self._most = most
        self._held: list[bytes] = []
        self._size = 0
        self._passing = False  # within a line that was too long

    def feed(self, piece: bytes) -> Iterator[tuple[bytes, bool]]:
        """Give (bytes, whether they are one whole line with its newline), in their order."""
        at = 0
        while at < len(piece):
            end = piece.find(b"\n", at) + 1
            part = piece[at : end or len(piece)]
            at += len(part)
            if self._passing:
                self._passing = not end
                yield part, False
                continue
            self._held.append(part)
            self._size += len(part)
            if self._size > self._most:
                self._passing = not end
                yield self.rest(), False
            elif end:
                yield self.rest(), True

    def rest(self) -> bytes:
        """Return what is held, and hold it no longer."""
        held, self._held, self._size = b"".join(self._held), [], 0
        return held


class Outlet:
    """A descriptor that any thread writes lines to, and one of them long lines in pieces: nothing comes in between."""

    __slots__ = ("_descriptor", "_lock", "_within")

    def __init__(self, descriptor: int) -> None:
        """Write nothing yet."""
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._within = False  # within a line that comes in pieces; the lock is held

    def line(self, data: bytes) -> None:
        """Write whole lines. Raise OSError."""
        with self._lock:
            write_all(self._descriptor, data)

    def piece(self, data: bytes) -> None:
        """Write a part of a line, which is over with its newline; always from the same thread. Raise OSError."""
        if not self._within:
            self._lock.acquire()
        self._within = True
        try:
            write_all(self._descriptor, data)
        except OSError:
            self.end()
            raise
        if data.endswith(b"\n"):
            self.end()

    def end(self) -> None:
        """Note that a line in pieces is over, also without a newline."""
        if self._within:
            self._within = False
            self._lock.release()


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it. Raise OSError."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:  # whoever holds the other end made the pipe so
            import select

            select.select([], [descriptor], [])
