"""Read the JSON Lines of ``rg --json`` (and of tools that print the same) into groups of rows."""

from __future__ import annotations

import json

from headroom_cli.compressors.search.rows import CONTEXT, MATCH, Found, Group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What the grouped form leaves out of each message.
UNTOLD = "byte offsets and statistics"


def read(lines: list[str]) -> Found | None:
    """Return the groups of an output, lines that are not such messages as they are; None when there is no row."""
    items: list[Group | str] = []
    group: Group | None = None
    numbered = True
    rows = 0
    for line in lines:
        message = _message(line)
        if message is None:
            if line:
                items.append(line)
                group = None
            continue
        kind, data = message
        if kind not in ("match", "context"):
            if kind == "begin":
                group = None
            notice = _notice(data) if kind == "end" else ""
            if notice:
                items.append(notice)
            continue
        path = _text(data["path"])
        text = _text(data["lines"])
        if path is None or text is None or "\n" in path:
            items.append(line)
            group = None
            continue
        if group is None or group.path != path:
            group = Group(path)
            group.spans = []
            items.append(group)
        number = data.get("line_number")
        numbered = numbered and number is not None
        spans = _spans(data, text)
        start = 0
        for offset, part in enumerate(text.removesuffix("\n").split("\n")):
            group.labels.append("" if number is None else str(number + offset))
            group.marks.append(MATCH if kind == "match" else CONTEXT)
            group.texts.append(part)
            end = start + len(part)
            group.spans.append(next(((a - start, b - start) for a, b in spans if start <= a <= end), (0, 0)))
            start = end + 1
            rows += 1
    return Found(items, numbered=numbered, untold=UNTOLD) if rows else None


def _message(line: str) -> tuple[str, dict[str, Any]] | None:
    """Return type and data of one message, None for any other line."""
    if not line.startswith('{"type":'):
        return None
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None  # cut off, or not JSON at all
    kind, data = message.get("type"), message.get("data")
    if not isinstance(data, dict) or kind not in ("begin", "match", "context", "end", "summary"):
        return None
    if kind in ("match", "context"):
        number = data.get("line_number")
        whole = isinstance(data.get("path"), dict) and isinstance(data.get("lines"), dict)
        if not whole or not (number is None or type(number) is int):
            return None
    return kind, data


def _text(field: dict[str, Any]) -> str | None:
    """Return the text of {"text": ...}; None for {"bytes": ...}, which holds what is not UTF-8."""
    value = field.get("text")
    return value if isinstance(value, str) else None


def _notice(data: dict[str, Any]) -> str:
    """Return what an "end" message tells of a binary file, "" for the usual text file."""
    offset = data.get("binary_offset")
    if offset is None or not isinstance(data.get("path"), dict):
        return ""
    path = _text(data["path"])
    return f'{path}: binary file matches (found "\\0" byte around offset {offset})' if path else ""


def _spans(data: dict[str, Any], text: str) -> list[tuple[int, int]]:
    """Return the matches in characters; the messages count bytes of UTF-8."""
    found = []
    plain = text.isascii()
    raw = b"" if plain else text.encode("utf-8", "surrogatepass")
    for match in data.get("submatches") or ():
        start, end = (match.get("start"), match.get("end")) if isinstance(match, dict) else (None, None)
        if type(start) is int and type(end) is int and 0 <= start <= end:
            if not plain:
                start = len(raw[:start].decode("utf-8", "ignore"))
                end = len(raw[:end].decode("utf-8", "ignore"))
            found.append((start, end))
    return found[:8]
