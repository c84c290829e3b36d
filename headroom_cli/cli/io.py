"""Bytes in and out of the process: whole or line by line, and what can go wrong with either.

File descriptors and not ``sys.stdin``: bytes are never decoded, an error is seen where it happens, and nothing is
left in a buffer when the process ends.
"""

from __future__ import annotations

import errno
import os

from headroom_cli.errors import InputMissingError, OutputError, ReaderGoneError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

STDIN, STDOUT, STDERR = 0, 1, 2
CHUNK = 1 << 20
_output_name = "standard output"


def name_output(name: str) -> None:
    """Call the output by another name in messages: it has been turned into a file."""
    global _output_name  # noqa: PLW0603 - there is one standard output, as there is one descriptor of it
    _output_name = name


def guard_descriptors() -> None:
    """Fill closed standard descriptors, or the next file to be opened (an object of the store) would be our output."""
    for descriptor in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(descriptor)
        except OSError:
            # Opened so that the use the descriptor has fails: reading 0 and writing 1 or 2 give EBADF, as when closed.
            os.open(os.devnull, os.O_WRONLY if descriptor == STDIN else os.O_RDONLY)


def is_terminal(descriptor: int) -> bool:
    """Tell whether a person is at the other end."""
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


class Source:
    """The input: standard input or a file, read as a whole or by lines, never twice."""

    __slots__ = ("_buffer", "_descriptor", "_ended", "name")

    def __init__(self, file: str) -> None:
        """Open ``file`` ("-" is standard input). Raise InputMissingError when it cannot be read."""
        self.name = "standard input" if file == "-" else file
        self._buffer = b""
        self._ended = False
        if file == "-":
            self._descriptor = STDIN
            return
        try:
            self._descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise InputMissingError(f"{file or repr(file)}: {reason(error)}; name a file that can be read") from error
        except ValueError as error:  # an embedded NUL
            raise InputMissingError(f"{file}: {error}; name a file that can be read") from error

    def _more(self) -> bytes:
        """Return the next bytes, b"" at the end."""
        while not self._ended:
            try:
                chunk = os.read(self._descriptor, CHUNK)
            except BlockingIOError:
                _wait(self._descriptor, writing=False)
                continue
            except OSError as error:
                advice = "name a file" if error.errno == errno.EISDIR else "check where the input comes from"
                raise InputMissingError(f"{self.name}: {reason(error)}; {advice}") from error
            self._ended = not chunk
            return chunk
        return b""

    def read(self) -> bytes:
        """Return all that is left."""
        pieces = [self._buffer]
        self._buffer = b""
        while chunk := self._more():
            pieces.append(chunk)
        return b"".join(pieces)

    def first_line(self) -> bytes:
        """Return the first line with its newline and without taking it, or b"" when the input ends before one."""
        pieces = [self._buffer]
        while b"\n" not in pieces[-1]:
            chunk = self._more()
            if not chunk:
                break
            pieces.append(chunk)
        self._buffer = b"".join(pieces)
        return self._buffer[: self._buffer.find(b"\n") + 1]

    def ended_with(self, line: bytes) -> bool:
        """Tell whether ``line`` is all there is, without waiting for a writer that is still there."""
        import select

        if len(line) < len(self._buffer):
            return False
        if not self._ended and select.select([self._descriptor], [], [], 0)[0]:
            self._buffer += self._more()
        return self._ended

    def lines(self) -> Iterator[bytes]:
        """Give what is left line by line, each as soon as it has arrived; the last may lack its newline."""
        pieces: list[bytes] = []  # of the line that has not ended yet: joining once keeps one 100 MB line linear
        chunk, self._buffer = self._buffer, b""
        while True:
            start = 0
            while (end := chunk.find(b"\n", start)) >= 0:
                pieces.append(chunk[start : end + 1])
                yield b"".join(pieces)
                pieces = []
                start = end + 1
            pieces.append(chunk[start:])
            chunk = self._more()
            if not chunk:
                break
        if last := b"".join(pieces):
            yield last


def check_output() -> None:
    """Raise OutputError when standard output was closed before we began: nothing can ever be written."""
    try:
        os.write(STDOUT, b"")
    except BlockingIOError:
        return
    except OSError as error:
        raise OutputError(f"{_output_name}: {reason(error)}; write elsewhere") from error


def write(data: bytes) -> None:
    """Write all of ``data`` to standard output. Raise ReaderGoneError or OutputError."""
    view = memoryview(data)
    while view:
        try:
            # At most 1 MiB at once: a signal can then end a large write.
            view = view[os.write(STDOUT, view[:CHUNK]) :]
        except BlockingIOError:  # a parent made the pipe non-blocking
            _wait(STDOUT, writing=True)
        except BrokenPipeError as error:
            raise ReaderGoneError(f"the reader of {_output_name} is gone") from error
        except OSError as error:
            raise OutputError(
                f"{_output_name}: {reason(error)}; make room or write elsewhere"
                if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
                else f"{_output_name}: {reason(error)}; write elsewhere"
            ) from error


def release_output() -> None:
    """Let go of standard output, so that the next stage of the pipe sees its end. Nothing can be written after this."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, STDOUT)
        os.close(null)
    except OSError:
        return  # it ends with the process then


def tell(line: str) -> None:
    """Write one line to standard error. Nobody can be told when that fails, so it may fail."""
    data = memoryview((line + "\n").encode("utf-8", "backslashreplace"))
    while data:
        try:
            data = data[os.write(STDERR, data) :]
        except BlockingIOError:
            _wait(STDERR, writing=True)
        except OSError:
            return


def _wait(descriptor: int, *, writing: bool) -> None:
    """Sleep until a non-blocking descriptor is ready."""
    import select

    select.select([] if writing else [descriptor], [descriptor] if writing else [], [])


def reason(error: OSError) -> str:
    """Return the system's words for an error, without the path that Python adds."""
    return (error.strerror or "input/output error").lower()
