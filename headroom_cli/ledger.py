"""The ledger: one JSON line per run under the store's ``ledger/``, never a text or a command.

A line holds numbers and short names only. What is not known is left out::

    when, verb, format, level, model, project, ms
    tokens        {before, after}: estimates of the whole request
    kinds         kind -> {blocks, before, after, kept}; what tokens hold beyond their sum stands in no block
    tools         tool's name -> {blocks, before, after}, at most 32 of them
    conversation  a digest of its first turn
    backend, hops, status, usage   of a call: who answered, calls within the turn, the provider's own numbers, flat
    overhead      {markers, tool, hops}: tokens of ours (markers stand in tokens, our tool's definition does not), and
                  the usage of calls beyond the first, which is part of usage
    trial         {key, stratum, compress, shape, level, effort, cut}: arms of trials and what was really active; cut
                  where the answer did not come to its end; key "" where nobody can tell the conversation

It is not synced: a lost line is a lost statistic.
"""

from __future__ import annotations

import json
import os
import time

from headroom_cli.errors import StoreError
from headroom_cli.hashing import sha256
from headroom_cli.store import files
from headroom_cli.store.place import Place, local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from headroom_cli.model import Report

LAST_SECOND = 253_402_300_799  # of the last year that is written in four digits
TORN = 1 << 17  # bytes without a line feed, from where on they are no line: the ledger's are half of that at most
_LINE_MAX = 65_536  # bytes: one append stays one write
_PIECE = 1 << 20
_TOOLS = 32
_NAME = 100  # characters
_TEXTS = ("text", "input_text")  # values of a client may be lists, which no set takes


def append(store_root: str, line: dict[str, Any]) -> None:
    """Append one run; ``when`` is added unless it is there. Raise StoreError: whoever meets it warns and goes on."""
    at = line.get("when")
    if not isinstance(at, int | float):
        at = time.time()
        line = {"when": round(at, 3), **line}
    text = json.dumps(line, separators=(",", ":")).encode("ascii")
    if len(text) > _LINE_MAX:
        raise StoreError(f"a ledger line of {len(text)} bytes was left out; report it")
    month = time.strftime("%Y%m", time.gmtime(min(max(at, 0), LAST_SECOND)))
    path = local(store_root)
    try:
        with Place(path, create=True) as place:
            folder = place.directory("ledger", create=True)
            name = f"{month}.jsonl"
            fd = files.open_private(name, folder, files.APPEND | os.O_CREAT, f"{path}/ledger/{name}")
            try:
                # The line feed in front ends a line that a crash or a full disk tore.
                if os.write(fd, b"\n%b\n" % text if _torn(fd) else text + b"\n") <= len(text):
                    raise StoreError("no space left for the ledger; the run is not in `headroom stats`")
            finally:
                os.close(fd)
    except OSError as error:
        raise files.failure(error, path) from error


def tools(reports: Iterable[Report], sums: dict[str, dict[str, int]] | None = None) -> dict[str, dict[str, int]]:
    """Return what became of blocks by the tools that made them; blocks that no tool made are left out.

    ``sums`` of other documents are gone on with. Beyond so many names all are "other".
    """
    sums = {} if sums is None else sums
    for report in reports:
        if not report.tool:
            continue
        name = named(report.tool)
        if name not in sums and len(sums) >= _TOOLS - 1:
            name = "other"
        row = sums.setdefault(name, {"blocks": 0, "before": 0, "after": 0})
        row["blocks"] += 1
        row["before"] += report.before
        row["after"] += report.after
    return sums


def named(name: str) -> str:
    """Return a name from outside as a line may hold it: printable, without blanks around it, not too long."""
    name = name[:_NAME].strip()
    return name if name.isprintable() else "".join(letter for letter in name if letter.isprintable())


def conversation(request: Mapping[str, Any]) -> str:
    """Return a digest of the first turn of the user in a request, which names a conversation; "" for none.

    It is the same in all forms that a client gives this turn in later requests.
    """
    turns = request.get("messages", request.get("input"))
    if isinstance(turns, str):
        turns = [{"role": "user", "content": turns}]
    for turn in turns if isinstance(turns, list) else ():
        if isinstance(turn, dict) and turn.get("role") == "user":
            return sha256(json.dumps(_bare(turn.get("content"))).encode())[:12]
    return ""


def _bare(content: Any) -> Any:
    """Return a content without marks for the cache, which move, and one text as the text that it is."""
    if not isinstance(content, list):
        return content
    parts = [
        {key: value for key, value in part.items() if key not in {"cache_control", "prompt_cache_breakpoint"}}
        if isinstance(part, dict) else part for part in content
    ]  # fmt: skip
    alone = parts[0] if len(parts) == 1 and isinstance(parts[0], dict) else {}
    plain = alone.keys() == {"type", "text"} and alone["type"] in _TEXTS
    return alone["text"] if plain else parts


def project(chosen: str = "") -> str:
    """Return ``chosen``, else the name of the git working tree around the working directory; "" for none.

    One that is the home directory names a person and no work.
    """
    if chosen:
        return named(chosen)
    try:
        place = os.getcwd()
        home = os.path.expanduser("~")
        while not os.path.lexists(os.path.join(place, ".git")):
            place, known = os.path.dirname(place), place
            if place == known:
                return ""
        return "" if place == os.path.realpath(home) else named(os.path.basename(place))
    except OSError:  # the working directory is gone
        return ""


def _torn(fd: int) -> bool:
    size = os.fstat(fd).st_size
    return size > 0 and os.pread(fd, 1, size - 1) != b"\n"


def read(store_root: str, since: float | None = None) -> Iterator[dict[str, Any]]:
    """Yield the runs, oldest month first, from ``since`` (Unix seconds) on; damaged lines are skipped.

    Files are read piece by piece, so any number of runs fits in memory. A store without a ledger, or no store at all,
    has none. Raise StoreError when it cannot be read.
    """
    path = local(store_root)
    first = "" if since is None else time.strftime("%Y%m", time.gmtime(min(max(since, 0), LAST_SECOND)))
    try:
        with Place(path, create=False) as place:
            folder = place.existing("ledger")
            if folder is None:
                return
            for name in sorted(filter(is_month, os.listdir(folder))):
                if name[:6] >= first:
                    yield from _month(name, folder, since)
    except FileNotFoundError:
        return
    except OSError as error:
        raise files.failure(error, path) from error


def is_month(name: str) -> bool:
    """Tell the name of one of the ledger's files."""
    return len(name) == 12 and name.endswith(".jsonl") and name[:6].isdigit()


def _month(name: str, folder: int, since: float | None) -> Iterator[dict[str, Any]]:
    try:
        fd = files.open_plain(name, folder)
    except FileNotFoundError:  # since it was listed; or it is no file of ours
        return
    try:
        begun = b""
        while piece := os.read(fd, _PIECE):
            *ended, begun = (begun + piece).split(b"\n")
            if len(begun) > TORN:
                begun = b"\0"  # no JSON: what follows up to the next line feed is skipped with it
            for text in ended:
                yield from _since(text, since)
        yield from _since(begun, since)
    finally:
        os.close(fd)


def _since(text: bytes, since: float | None) -> Iterator[dict[str, Any]]:
    line = parsed(text)
    if line is not None and (since is None or when(line) >= since):
        yield line


def parsed(text: bytes) -> dict[str, Any] | None:
    """Return a run, None for a line that is damaged."""
    try:
        line = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) else None


def when(line: Mapping[str, Any]) -> float:
    """Return when a run was, in Unix seconds; 0 for what no clock shows."""
    said = line.get("when")
    if isinstance(said, int | float) and not isinstance(said, bool) and 0 <= said <= LAST_SECOND:
        return said
    return 0.0
