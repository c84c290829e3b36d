"""Server-sent events: bytes in any pieces to Events, as the WHATWG HTML standard parses them (section 9.2.6).

An event ends at a blank line, and is given out the moment that line is complete. Lines end in LF, CR or CRLF.
"""

from __future__ import annotations

from headroom_cli.wire._events import Event

_MARK = b"\xef\xbb\xbf"  # a byte order mark: allowed once, at the very start


class Stream:
    """Cuts a stream into events. The events' ``raw`` and then ``end()`` are the bytes that were fed, in order.

    ``id`` and ``retry`` fields are for readers that connect again: they stay in ``raw`` alone.
    """

    __slots__ = ("_after_cr", "_begun", "_data", "_line", "_name", "_raw")

    def __init__(self) -> None:
        """Start before the first byte."""
        self._raw = bytearray()  # the unfinished event
        self._line = 0  # where its last line begins
        self._data: list[bytes] = []
        self._name = b""
        self._begun = False
        self._after_cr = False  # the last byte was a CR: an LF that follows belongs to it

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; return the events that they complete. Each byte is looked at once."""
        events: list[Event] = []
        if self._after_cr and data:
            self._after_cr = False
            if data[:1] == b"\n":
                data = data[1:]
                if self._raw:
                    self._raw += b"\n"
                    self._line = len(self._raw)
                else:  # the event went out at its CR; whoever waits for CRLF must not wait for the next event
                    events.append(Event(b"\n"))
        for piece in data.splitlines(keepends=True):  # of bytes: at LF, CR and CRLF alone
            self._raw += piece
            if piece[-1:] in (b"\n", b"\r"):
                self._end_line(events)
        self._after_cr = data[-1:] == b"\r" or (self._after_cr and not data)
        return events

    def end(self) -> bytes:
        """Return what came after the last event: an unfinished one is none."""
        return bytes(self._raw)

    def _end_line(self, events: list[Event]) -> None:
        line = bytes(self._raw[self._line :]).rstrip(b"\r\n")
        self._line = len(self._raw)
        if not self._begun:
            line = line.removeprefix(_MARK)
            self._begun = True
        if line:
            field, _, value = line.partition(b":")  # a comment is a field without a name
            if field == b"data":
                self._data.append(value.removeprefix(b" "))
            elif field == b"event":
                self._name = value.removeprefix(b" ")
            return
        data = b"\n".join(self._data).decode("utf-8", "replace") if self._data else None
        events.append(Event(bytes(self._raw), self._name.decode("utf-8", "replace"), data))
        self._raw = bytearray()
        self._line = 0
        self._data = []
        self._name = b""
