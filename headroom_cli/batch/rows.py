"""One row: where its conversation is, what becomes of it, and how it is written back.

A line of JSON Lines is the conversation itself (a request, a list of messages) or an object with it in one member;
then that member's bytes alone are exchanged. A cell of a table is the bytes of a document, or a value.
"""

from __future__ import annotations

import json
from json.decoder import WHITESPACE  # type: ignore[attr-defined]

from headroom_cli import engine, formats
from headroom_cli.batch.job import LARGEST_ROW
from headroom_cli.errors import HeadroomError
from headroom_cli.formats._literals import written_like
from headroom_cli.nesting import depth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from headroom_cli.batch.job import Job
    from headroom_cli.formats import Document
    from headroom_cli.model import Report, Result
    from headroom_cli.store import Store

# Names under which a row holds its conversation, where none is given; the first that is there.
COLUMNS = ("messages", "request", "conversation", "text")
COUNTS = ("headroom_tokens_before", "headroom_tokens_after", "headroom_error")
_DEEPEST = 200  # brackets; one that nests deeper stays as it is, as it would in `crush`
_skip_space: Callable[..., Any] = WHITESPACE.match
_scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


class Row:
    """What became of a row: ``value`` to stand there (the one that came, where nothing changed), and its numbers.

    ``error`` says why it stayed though it should not have, "" where all is well.
    """

    __slots__ = ("after", "before", "blocks", "changed", "error", "value")

    def __init__(self, value: Any, error: str = "") -> None:
        """Start as a row that stays."""
        self.value = value
        self.error = error
        self.changed = False
        self.before = 0
        self.after = 0
        self.blocks: list[Report] = []

    def tell(self, result: Result) -> None:
        """Take the numbers over, and what went wrong."""
        self.before, self.after, self.blocks = result.before, result.after, result.blocks
        if result.failure is not None:
            self.error = str(result.failure)
        elif result.unfit:
            self.error = result.unfit


class _NoRowError(Exception):
    """A line in which no conversation is found; the sentence says what is there."""


def of_line(line: bytes, job: Job, store: Store) -> Row:
    """Compress a line of JSON Lines, with or without its line feed; one without a conversation stays."""
    body = line.rstrip(b"\r\n")
    if not body.strip():
        return Row(line)
    if len(body) > LARGEST_ROW:
        return Row(line, f"the row has more than {LARGEST_ROW >> 20} MiB")
    row = _guarded(line, lambda: _line(body, job, store))
    if row.changed:
        row.value += line[len(body) :]
    else:
        row.value = line
    if job.counts:
        row.value = _with_counts(row, row.value)
    return row


def of_cell(cell: Any, job: Job, store: Store) -> Row:
    """Compress a cell: text or bytes are a document as ``crush`` reads it, lists and objects one as a value."""
    if cell is None:
        return Row(None)
    if isinstance(cell, (str, bytes)):
        if len(cell) > LARGEST_ROW:
            return Row(cell, f"the row has more than {LARGEST_ROW >> 20} MiB")
        return _guarded(cell, lambda: _text(cell, job, store))
    if isinstance(cell, (dict, list)):
        return _guarded(cell, lambda: _value(cell, job, store))
    return Row(cell, f"a cell of this type ({type(cell).__name__}) holds no conversation")


def _guarded(value: Any, work: Callable[[], Row]) -> Row:
    """Do the work; a row is worth more than what compressing it would save."""
    try:
        return work()
    except _NoRowError as error:
        return Row(value, str(error))
    except HeadroomError as error:
        return Row(value, str(error))
    except Exception as error:  # noqa: BLE001 - it is reported with its row, and may quote the row
        return Row(value, f"compressing failed ({type(error).__name__}); report it with the row")


def _line(body: bytes, job: Job, store: Store) -> Row:
    if not job.column:
        document = formats.request_line(body)
        if document is not None:
            return _document(body, job, store, document)
    text = _decoded(body)
    start, end, value = _member(text, job.column)
    if isinstance(value, str):
        inside = value.encode("utf-8")
    elif isinstance(value, (dict, list)):
        inside = text[start:end].encode("utf-8")
    else:
        raise _NoRowError("the conversation is neither a text nor a list nor an object")
    row = _document(inside, job, store)
    if row.changed:
        new = row.value.decode("utf-8")
        literal = written_like(text[start:end], new) if isinstance(value, str) else new
        row.value = f"{text[:start]}{literal}{text[end:]}".encode()
    return row


def _decoded(body: bytes) -> str:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _NoRowError(f"the line is not UTF-8 text (byte {error.start:,})") from error
    if body.count(b"[") + body.count(b"{") > _DEEPEST and depth(body) > _DEEPEST:
        raise _NoRowError(f"the line nests deeper than {_DEEPEST}")
    return text


def _member(text: str, column: str) -> tuple[int, int, Any]:
    """Return where the value of the member with the conversation stands, and the value. Raise _NoRowError."""
    found = {}
    for name, start, end, value in _members(text):
        if name == column or (not column and name in COLUMNS):
            found[name] = start, end, value  # of equal names the last, which is what parsers take
    if not found:
        what = f"no member {column!r}" if column else f"none of {', '.join(COLUMNS)}"
        raise _NoRowError(f"the line is no conversation and has {what}")
    return found[column or next(name for name in COLUMNS if name in found)]


def _members(text: str) -> list[tuple[str, int, int, Any]]:
    """Return name, start, end and value of the members of the object that a line is. Raise _NoRowError."""
    at = _skip_space(text, 1 if text.startswith("\ufeff") else 0).end()
    if text[at : at + 1] != "{":
        raise _NoRowError("the line is no object and no list of messages")
    members: list[tuple[str, int, int, Any]] = []
    try:
        at = _skip_space(text, at + 1).end()
        if text[at] == "}":
            return members
        while True:
            name, at = _scan(text, at)
            at = _skip_space(text, at).end()
            if not isinstance(name, str) or text[at] != ":":
                raise _NoRowError("the line is not JSON")
            start = _skip_space(text, at + 1).end()
            value, end = _scan(text, start)
            members.append((name, start, end, value))
            at = _skip_space(text, end).end()
            if text[at] == "}":
                break
            if text[at] != ",":
                raise _NoRowError("the line is not JSON")
            at = _skip_space(text, at + 1).end()
    except (ValueError, IndexError, StopIteration, RecursionError) as error:
        raise _NoRowError("the line is not JSON") from error
    if text[at + 1 :].strip():
        raise _NoRowError("the line holds more than one value")
    return members


def _document(data: bytes, job: Job, store: Store, document: Document | None = None) -> Row:
    """Compress a document, already opened or not."""
    row = Row(data)
    result = engine.crush(data, job.policy, store, model=job.model, document=document)
    row.tell(result)
    row.value, row.changed = result.data, result.data != data
    return row


def _text(cell: str | bytes, job: Job, store: Store) -> Row:
    row = _document(cell.encode("utf-8", "surrogatepass") if isinstance(cell, str) else cell, job, store)
    row.value = row.value.decode("utf-8") if isinstance(cell, str) and row.changed else row.value
    if not row.changed:
        row.value = cell
    return row


def _value(cell: Any, job: Job, store: Store) -> Row:
    row = Row(cell)
    value, result = engine.crush_value(cell, job.policy, store, model=job.model)
    row.tell(result)
    row.value, row.changed = value, value != cell
    return row


def _with_counts(row: Row, line: bytes) -> bytes:
    """Return the line with the numbers as its object's last members; a line that is no object stays."""
    end = line.rstrip()
    if not end.endswith(b"}") or not end.lstrip(b"\xef\xbb\xbf \t").startswith(b"{"):
        return line
    before, after, error = (json.dumps(name) for name in COUNTS)
    comma = "" if end[:-1].rstrip().endswith(b"{") else ","
    told = f"{comma}{before}:{row.before},{after}:{row.after},{error}:{json.dumps(row.error or None)}}}"
    return end[:-1] + told.encode("ascii") + line[len(end) :]
