"""Where a request's head and body end, and what may not stand in them: bytes in, bytes out, no connection.

A head is read here first and given on written anew (one space, no folded lines, a path instead of a whole address), so
that the parser behind it and the provider behind that cannot read it in another way. RFC 9112 says what is right; where
it lets a server be lenient, this one is not: one way to write a thing, or 400.
"""

from __future__ import annotations

import re

from headroom_cli.serve.replies import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.serve.options import Limits

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# What no head may hold anywhere: NUL and other control bytes, a CR without LF or a LF without CR.
_WRONG = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?=[^\n])|(?<!\r)\n")
_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])")
_FIELD = re.compile(rb"(" + _TOKEN + rb"):([\t\x20-\x7e\x80-\xff]*)")
_ABSOLUTE = re.compile(rb"https?://([^/?]*)(.*)", re.IGNORECASE | re.DOTALL)
_DIGITS = re.compile(rb"[0-9]{1,15}")
# RFC 9112 7.1.1, without the spaces that it calls bad itself.
_CHUNK = re.compile(
    rb"([0-9A-Fa-f]{1,8})(?:;"
    + _TOKEN
    + rb"(?:=(?:"
    + _TOKEN
    + rb'|"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\t\x20-\x7e])*"))?)*'
)
_CHUNK_LINE = 256  # bytes; nobody needs extensions, and each one costs us what a chunk's data should
# Who could name these after the body could change where it ended, whom it was for, or who asked.
_NOT_TRAILERS = frozenset((
    b"authorization", b"connection", b"content-encoding", b"content-length", b"content-type", b"cookie", b"expect",
    b"host", b"origin", b"proxy-authorization", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"x-api-key",
))  # fmt: skip


def bad(sentence: str, status: int = 400) -> RefusedError:
    """Return what ends a connection."""
    return RefusedError(status, sentence, close=True)


def head_end(buffer: bytearray, since: int, limits: Limits) -> int:
    """Return where the head in ``buffer`` ends, behind its blank line; -1 while it is not whole.

    ``since``  bytes that were there, and looked at, in the call before.
    Raise RefusedError as soon as what is there can be no head, or is too large for one: nobody waits for the rest.
    """
    found = buffer.find(b"\r\n\r\n", max(0, since - 3))
    end = found + 4 if found >= 0 else len(buffer)
    # A CR at the very end is looked at again: its LF may come.
    if _WRONG.search(buffer, max(0, since - 1), end):
        raise bad("a control byte, or a line that does not end in CR LF, in the head of the request")
    if end > limits.head:
        raise bad(f"the head of the request is longer than {limits.head} bytes", 431)
    return end if found >= 0 else -1


class Head:
    """The line and fields of one request.

    ``wire``     the head as it is given on
    ``length``   bytes of the body, 0 for none; ``chunked``: it comes in chunks instead
    ``socket``   asks to become a WebSocket
    """

    __slots__ = ("chunked", "length", "socket", "wire")

    def __init__(self, raw: bytes, limits: Limits) -> None:
        """Read a whole head, blank line included; raise RefusedError for one that may not come in."""
        lines = raw[:-4].split(b"\r\n")
        if len(lines) - 1 > limits.head_fields:
            raise bad(f"more than {limits.head_fields} header fields", 431)
        line = _LINE.fullmatch(lines[0])
        if line is None:
            raise bad("the first line is not METHOD TARGET HTTP/1.1")
        method, target, major, minor = line.groups()
        if major != b"1" or minor not in b"01":
            raise bad("an HTTP version other than 1.0 and 1.1")
        fields = [_field(line) for line in lines[1:]]
        only = _only(fields)
        path = _path(method, target, only.get(b"host"))
        old = minor == b"0"
        if not old and b"host" not in only:
            raise bad("no Host")
        self._frame(only, old=old)
        self.socket = _asks_for_socket(method, fields, old=old)
        if self.socket and (self.length or self.chunked):
            raise bad("a request for a WebSocket that has a body")
        wire = [b"%s %s HTTP/1.%s\r\n" % (method, path, minor)]
        for name, value in fields:
            # Any other upgrade is not made, and the request goes on without it: RFC 9110 7.8 lets a server ignore it.
            if self.socket or name.lower() != b"upgrade":
                wire.append(b"%s: %s\r\n" % (name, value))
        wire.append(b"\r\n")
        self.wire = b"".join(wire)

    def _frame(self, only: dict[bytes, bytes], *, old: bool) -> None:
        """Find how the body is delimited."""
        length = only.get(b"content-length")
        coding = only.get(b"transfer-encoding")
        self.length = 0
        self.chunked = coding is not None
        if coding is not None:
            if length is not None:
                raise bad("both Content-Length and Transfer-Encoding")
            if old or coding.lower() != b"chunked":
                raise bad("a Transfer-Encoding other than chunked")
        elif length is not None:
            if not _DIGITS.fullmatch(length):
                raise bad("a Content-Length that is no number")
            self.length = int(length)


def _field(line: bytes) -> tuple[bytes, bytes]:
    match = _FIELD.fullmatch(line)
    if match is None:
        raise bad("a header field that is not NAME: VALUE on one line")
    name, value = match.groups()
    return name, value.strip(b" \t")


def _only(fields: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return the fields that say where a request goes and ends; each may be there once."""
    only: dict[bytes, bytes] = {}
    for name, value in fields:
        lower = name.lower()
        if lower in (b"host", b"content-length", b"transfer-encoding"):
            if lower in only:
                raise bad(f"more than one {name.decode('ascii').title()}")
            only[lower] = value
    return only


def _path(method: bytes, target: bytes, host: bytes | None) -> bytes:
    """Return the path and query that a request's target names."""
    if method == b"CONNECT":
        raise bad("CONNECT: this is no forward proxy")
    if b"#" in target:
        raise bad("a target with a fragment")
    if target.startswith(b"/"):
        return target
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        raise bad("a target that is no path")
    authority, path = absolute.groups()
    if host is None or authority.lower() != host.lower():
        raise bad("a target for another host than Host says")
    return path if path.startswith(b"/") else b"/" + path


def _asks_for_socket(method: bytes, fields: list[tuple[bytes, bytes]], *, old: bool) -> bool:
    """Whether this is RFC 6455's opening handshake as far as HTTP goes."""
    upgrades = [value.lower() for name, value in fields if name.lower() == b"upgrade"]
    if upgrades != [b"websocket"] or method != b"GET" or old:
        return False
    named = b",".join(value for name, value in fields if name.lower() == b"connection")
    return b"upgrade" in [part.strip(b" \t").lower() for part in named.split(b",")]


class Chunks:
    """The chunks of one body: framing in as it comes, out as it should be, without extensions and trailers."""

    __slots__ = ("_left", "_line", "_spent", "_state", "limits", "size")

    def __init__(self, limits: Limits) -> None:
        """Start before the first chunk."""
        self.limits = limits
        self.size = 0  # bytes of data so far
        self._state = "size"
        self._line = bytearray()
        self._left = 0
        self._spent = 0  # bytes of extensions and trailers

    def take(self, data: bytes) -> tuple[bytes, int]:
        """Return (what to give on, how many bytes of ``data`` belong to this body); ``over`` says whether it ended."""
        out: list[bytes] = []
        at = 0
        while at < len(data) and self._state != "over":
            if self._state == "data":
                piece = data[at : at + self._left]
                out.append(piece)
                at += len(piece)
                self.size += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._state = "end"
                continue
            feed = data.find(b"\n", at)
            stop = feed + 1 if feed >= 0 else len(data)
            self._line += data[at:stop]
            at = stop
            if len(self._line) > (self.limits.head if self._state == "trailer" else _CHUNK_LINE):
                raise bad("a chunk's line that is too long")
            if feed >= 0:
                line = bytes(self._line)
                self._line.clear()
                if not line.endswith(b"\r\n"):
                    raise bad("a line in a chunked body that does not end in CR LF")
                out.append(self._step(line[:-2]))
        return b"".join(out), at

    @property
    def over(self) -> bool:
        """Whether the last chunk and its blank line have come."""
        return self._state == "over"

    def _step(self, line: bytes) -> bytes:
        """Read one line between the data; return what to give on for it."""
        if self._state == "end":
            if line:
                raise bad("a chunk that is longer than its size")
            self._state = "size"
            return b"\r\n"
        if self._state == "size":
            match = _CHUNK.fullmatch(line)
            if match is None:
                raise bad("a chunk's size that is no number, or wrong extensions")
            self._spend(len(line) - len(match[1]))
            self._left = int(match[1], 16)
            self._state = "data" if self._left else "trailer"
            return b"%x\r\n" % self._left
        if line:
            name, _ = _field(line)
            if name.lower() in _NOT_TRAILERS:
                raise bad("a field behind the body that may only stand before it")
            self._spend(len(line))
            return b""
        self._state = "over"
        return b"\r\n"

    def _spend(self, size: int) -> None:
        """Count what is neither data nor a size: together no more than a head may have."""
        self._spent += size
        if self._spent > self.limits.head:
            raise bad("extensions and trailers that are longer than a head may be", 431)
