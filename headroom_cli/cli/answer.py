"""The three ways to write an answer to standard output: as it comes, its text alone, or the final message."""

from __future__ import annotations

from headroom_cli.cli import io, report
from headroom_cli.errors import BusyError, OutputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.errors import UpstreamError
    from headroom_cli.relay import Relay
    from headroom_cli.wire._events import Event


class Answer:
    """One answer on its way out. ``way`` is "" (the provider's bytes), "text" or "message"."""

    __slots__ = ("_half", "_message", "_relay", "_row", "_way")

    def __init__(self, relay: Relay, shape: str, way: str) -> None:
        """``shape`` is the row of wire.WIRES in which the caller reads."""
        from headroom_cli import wire

        self._relay = relay
        self._row: Any = wire.load(shape)
        self._way = way
        self._message: Any = self._row.Message() if way == "message" else None
        self._half = ""  # the first half of a character whose second has not come

    def write(self, events: list[Event]) -> None:
        """Write events of a stream. Raise OutputError."""
        if self._way == "text":
            self._write_text("".join([self._row.text_of(event) for event in events]))
        elif self._message is not None:
            for event in events:
                self._message.take(event)
        elif events:
            io.write(b"".join([event.raw for event in events]))

    def finish(self) -> None:
        """Write what can only be written at the end: a whole answer, or the message that a stream made."""
        from headroom_cli.wire._events import written

        if self._relay.streaming:
            if self._way == "text":
                io.write(b"\n")
            elif self._message is not None and self._relay.failure is None:
                io.write(written(self._message.value()) + b"\n")
            return
        body = self._relay.body()
        if self._way == "text":
            import json

            self._write_text(self._row.text_of_body(json.loads(body)))
            io.write(b"\n")
        else:
            io.write(body + b"\n" if self._way == "message" and not body.endswith(b"\n") else body)

    def fail(self, error: UpstreamError) -> None:
        """Write what the provider said instead of an answer; a stream that broke off ends with an error event."""
        try:
            self._write_said(error)
        except OutputError:
            report.error(str(error))  # the answer to why nothing came must not go with the output
            raise

    def _write_said(self, error: UpstreamError) -> None:
        if self._way == "text":
            io.write(b"\n" if self._relay.streaming else b"")
            return
        events = self._relay.broken("rate_limit_error" if isinstance(error, BusyError) else "api_error", str(error))
        if self._way != "message" and events:
            io.write(b"".join([event.raw for event in events]))
        elif not self._relay.streaming:
            io.write(error.body)

    def _write_text(self, text: str) -> None:
        text = self._half + text
        self._half = text[-1:] if "\ud800" <= text[-1:] < "\udc00" else ""  # its other half comes with the next piece
        text = text[: len(text) - len(self._half)].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        if io.is_terminal(io.STDOUT):
            # What a model writes may hold what a terminal would obey.
            text = "".join(["\N{REPLACEMENT CHARACTER}" if _drives(character) else character for character in text])
        io.write(text.encode("utf-8", "replace"))


def _drives(character: str) -> bool:
    """Tell a character that a terminal obeys or that changes the order of others: controls and bidi marks."""
    code = ord(character)
    control = (code < 32 and character not in "\n\t") or 127 <= code < 160 or code in {0x2028, 0x2029}
    return control or code in {0x200E, 0x200F} or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069
