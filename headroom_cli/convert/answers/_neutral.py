"""An answer that is in no API's shape: its parts, why it stopped, what it used, and what a writer is told.

A reader of one API calls the methods of a writer of another, in the order in which things arrive. Each part is opened,
added to, and shut; parts may overlap, as pieces of parallel calls do in Chat.
"""

from __future__ import annotations

import json

from headroom_cli.lazy import pattern
from headroom_cli.wire._events import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.convert.answers._faults import Fault

# Why a model stopped. What an API does not tell apart becomes the nearest of these.
END, LENGTH, CALLS, SEQUENCE, REFUSAL, PAUSE, WINDOW = (
    "end",
    "length",
    "calls",
    "sequence",
    "refusal",
    "pause",
    "window",
)
CUT = (LENGTH, WINDOW, REFUSAL)  # the answer is not whole

# In front of the data of a redacted_thinking block where the target has one field for it and for signatures.
REDACTED = "redacted_thinking:"

_NOTES = 100  # names of unknown things come from outside
_PREFIXES = ("msg_", "chatcmpl-", "resp_", "gen-")
_MARKS = pattern(r'\\.?|["{}\[\]]', 16)  # 16 is re.DOTALL: an escape may stand before a line break


def text(value: Any) -> str:
    """Return a string, "" for anything else."""
    return value if isinstance(value, str) else ""


def count(value: Any) -> int | None:
    """Return a number of tokens, None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def table(value: Any) -> dict[str, Any]:
    """Return an object, {} for anything else."""
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list, [] for anything else."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def stem(identifier: str) -> str:
    """Return an answer's id without the prefix that names its API, so that ids survive a way there and back."""
    for prefix in _PREFIXES:
        if identifier.startswith(prefix) and len(identifier) > len(prefix):
            return identifier[len(prefix) :]
    return identifier or "0"


def dump(value: Any) -> str:
    """Write JSON as compact as the APIs do; half a surrogate pair, which is no UTF-8, as an escape.

    Raise ValueError for a number that JSON cannot hold: Python reads 1e999 as infinity.
    """
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        written.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return written


def event(value: dict[str, Any], name: str = "") -> Event:
    """Write an event of a stream."""
    data = dump(value)
    head = f"event: {name}\n" if name else ""
    return Event(f"{head}data: {data}\n\n".encode(), name, data)


class Citation:
    """A place on the web that a text rests on: characters ``start`` to ``end`` of its part, None for its end."""

    __slots__ = ("end", "start", "title", "url")

    def __init__(self, url: str, title: str, start: int = 0, end: int | None = None) -> None:
        """Hold one."""
        self.url = url
        self.title = title
        self.start = start
        self.end = end


class Part:
    """One part of an answer.

    ``kind``        "text", "refusal", "thinking", "redacted", "call" or "custom" (a call whose argument is plain text)
    ``identifier``  a call's id, "" where the source gave none
    ``name``        a call's name
    ``signature``   what the provider wants back with thinking, "" for none; the data of redacted thinking
    ``size``        its characters so far
    ``pieces``      its text, kept by writers that need it again
    ``place``       where the writer put it
    """

    __slots__ = ("citations", "identifier", "kind", "name", "pieces", "place", "signature", "size")

    def __init__(self, kind: str, *, identifier: str = "", name: str = "", signature: str = "") -> None:
        """Make a part with nothing in it."""
        self.kind = kind
        self.identifier = identifier
        self.name = name
        self.signature = signature
        self.size = 0
        self.pieces: list[str] = []
        self.citations: list[Citation] = []
        self.place: Any = None

    @property
    def text(self) -> str:
        """What was kept of its text."""
        return "".join(self.pieces)


class Usage:
    """Tokens. None is what the source did not say.

    ``total``     all input, cached or not
    ``read``      of it: read from the cache
    ``written``   of it: written to the cache
    ``output``    all output
    ``thinking``  of it: reasoning
    """

    __slots__ = ("output", "read", "thinking", "total", "written")

    def __init__(
        self,
        total: int | None = None,
        read: int | None = None,
        written: int | None = None,
        output: int | None = None,
        thinking: int | None = None,
    ) -> None:
        """Hold one count of each."""
        self.total = total
        self.read = read
        self.written = written
        self.output = output
        self.thinking = thinking

    @property
    def plain(self) -> int:
        """Input that the cache had no part in."""
        return max(0, (self.total or 0) - (self.read or 0) - (self.written or 0))


class Writer:
    """What a reader tells; this one keeps it, and so is what an answer in one piece is written from.

    ``whole``  keep the text of every part
    ``notes``  rows of LEFT_OUT that this answer has met
    ``over``   the answer has ended, or failed
    """

    whole = True

    def __init__(self, model: str, now: int) -> None:
        """``model`` and ``now`` are for answers that name no model and no time of their own."""
        self.out: list[Event] = []
        self.parts: list[Part] = []
        self.notes: dict[str, None] = {}
        self.identifier = ""
        self.model = model
        self.created = now
        self.reason = END
        self.sequence: str | None = None
        self.used = Usage()
        self.fault: Fault | None = None
        self.over = False
        self.refused = False

    def start(self, identifier: str, model: str, created: int | None) -> None:
        """Begin the answer; the first thing that is told."""
        self.identifier = stem(identifier)
        self.model = model or self.model
        self.created = self.created if created is None else created

    def open(self, part: Part) -> None:
        """Begin a part."""
        if part.kind in {"call", "custom"}:
            part.identifier = part.identifier or f"call_{self.identifier}_{len(self.parts)}"
        self.refused |= part.kind == "refusal"
        self.parts.append(part)

    def add(self, part: Part, piece: str) -> None:
        """Add text to an open part."""
        part.size += len(piece)
        if self.whole or part.kind == "thinking":
            part.pieces.append(piece)

    def sign(self, part: Part, signature: str) -> None:
        """Add what the provider wants back with thinking."""
        part.signature = signature

    def cite(self, part: Part, citation: Citation) -> None:
        """Add a citation to an open text."""
        part.citations.append(citation)

    def shut(self, part: Part) -> None:
        """End a part: its citations run to its end, and a call without arguments has none of them in JSON too."""
        if part.kind == "call" and not part.size:
            self.add(part, "{}")
        for citation in part.citations:
            citation.end = part.size if citation.end is None else citation.end

    def stop(self, reason: str, sequence: str | None = None) -> None:
        """Say why the model stopped; ``sequence`` is the stop sequence that it met."""
        self.reason = reason
        self.sequence = sequence

    def usage(self, used: Usage) -> None:
        """Say what was used; the last word counts."""
        self.used = used

    def fail(self, fault: Fault) -> None:
        """Report an error inside the answer: nothing follows it."""
        self.fault = fault
        self.over = True

    def finish(self) -> None:
        """End the answer: the source came to its proper end."""
        self.over = True

    def unknown(self, value: dict[str, Any], known: frozenset[str], prefix: str = "") -> None:
        """Note the members that no reader reads, unless they say nothing."""
        for name in value.keys() - known:
            if value[name] not in (None, "", [], {}):
                self.note(prefix + name)

    def note(self, what: str) -> None:
        """Remember that something of the answer is left out; a row of LEFT_OUT."""
        if len(self.notes) < _NOTES:
            self.notes[what[:80]] = None


class Balance:
    """Tell whether a JSON object that comes in pieces is complete, in memory that does not grow."""

    __slots__ = ("_depth", "_escaped", "_inside", "complete")

    def __init__(self) -> None:
        """Nothing has come."""
        self._depth = 0
        self._inside = False
        self._escaped = False
        self.complete = False

    def feed(self, piece: str) -> None:
        """Take the next piece."""
        at = 1 if self._escaped and piece else 0
        self._escaped = self._escaped and not piece
        for found in _MARKS.finditer(piece, at):
            mark = found[0]
            if mark[0] == "\\":
                self._escaped = len(mark) == 1
            elif mark == '"':
                self._inside = not self._inside
            elif not self._inside:
                self._depth += 1 if mark in "{[" else -1
                self.complete = self._depth <= 0
