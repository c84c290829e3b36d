"""The ledger: one JSON line per run under the store's ``ledger/``, never a text or a command.

A line holds numbers and short names only. What is not known is left out::

    when, verb, format, level, model, project, ms
    tokens        {before, after}: estimates of the whole request
    kinds         kind -> {blocks, before, after, kept}; what tokens hold beyond their sum stands in no block
    tools         tool's name -> {blocks, before, after}, at most 32 of them
    conversation  a digest of its first turn
    backend, hops, status, usage   of a call: who answered, calls within the turn, the provider's own numbers, flat
    overhead      {markers, tool, hops}: tokens of ours in the request, and the usage of calls beyond the first
    trial         {key, stratum, compress, shape, level, effort}: arms of trials and what was really active

It is not synced: a lost line is a lost statistic.
"""

from __future__ import annotations

import json
import os
import time

from headroom_cli.errors import StoreError
from headroom_cli.store import files
from headroom_cli.store.place import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

_LINE_MAX = 65_536  # bytes: one append stays one write


def append(store_root: str, line: dict[str, Any]) -> None:
    """Append one run; ``when`` is added unless it is there. Raise StoreError: whoever meets it warns and goes on."""
    when = line.get("when")
    if not isinstance(when, int | float):
        when = time.time()
        line = {"when": round(when, 3), **line}
    text = json.dumps(line, separators=(",", ":")).encode("ascii")
    if len(text) > _LINE_MAX:
        raise StoreError(f"a ledger line of {len(text)} bytes was left out; report it")
    month = time.strftime("%Y%m", time.gmtime(min(max(when, 0), 253_402_300_799)))
    path = os.path.abspath(store_root)
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


def _torn(fd: int) -> bool:
    size = os.fstat(fd).st_size
    return size > 0 and os.pread(fd, 1, size - 1) != b"\n"


def read(store_root: str, since: float | None = None) -> Iterator[dict[str, Any]]:
    """Yield the runs, oldest month first, from ``since`` (Unix seconds) on; damaged lines are skipped.

    A store without a ledger, or no store at all, has none. Raise StoreError when it cannot be read.
    """
    path = os.path.abspath(store_root)
    try:
        with Place(path, create=False) as place:
            folder = place.existing("ledger")
            if folder is None:
                return
            for name in sorted(os.listdir(folder)):
                if len(name) == 12 and name.endswith(".jsonl") and name[:6].isdigit():
                    yield from _parse(files.read_file(name, folder), since)
    except FileNotFoundError:
        return
    except OSError as error:
        raise files.failure(error, path) from error


def _parse(data: bytes, since: float | None) -> Iterator[dict[str, Any]]:
    for text in data.split(b"\n"):
        try:
            line = json.loads(text) if text else None
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict) and (since is None or _number(line.get("when")) >= since):
            yield line


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) and value - value == 0 else 0


def _total(of: dict[str, Any], key: str) -> dict[str, float]:
    total: dict[str, float] = of.setdefault(key, {"runs": 0, "blocks": 0, "before": 0, "after": 0, "saved": 0, "ms": 0})
    return total


def summary(lines: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return totals: ``{"all": T, "verb": {name: T}, "kind": {name: T}, "day": {"YYYY-MM-DD": T}}``.

    T is ``{runs, blocks, before, after, saved, ms}``, tokens and milliseconds; ``runs`` of a kind counts the runs in
    which it was met, and its ``ms`` stays 0: runs are not timed by kind. Lines with odd values count as far as they go.
    """
    whole: dict[str, Any] = {}
    verbs: dict[str, Any] = {}
    kinds: dict[str, Any] = {}
    days: dict[str, Any] = {}
    for line in lines:
        per_kind = line.get("kinds")
        parts = (
            {name: part for name, part in per_kind.items() if isinstance(part, dict)}
            if isinstance(per_kind, dict)
            else {}
        )
        tokens = line.get("tokens")
        whole_run = tokens if isinstance(tokens, dict) else {}
        run = {
            "runs": 1.0,
            "blocks": sum(_number(part.get("blocks")) for part in parts.values()),
            "before": _number(whole_run.get("before")) or sum(_number(part.get("before")) for part in parts.values()),
            "after": _number(whole_run.get("after")) or sum(_number(part.get("after")) for part in parts.values()),
            "ms": _number(line.get("ms")),
        }
        day = time.strftime("%Y-%m-%d", time.gmtime(min(max(_number(line.get("when")), 0), 253_402_300_799)))
        for total in (_total(whole, "all"), _total(verbs, str(line.get("verb", ""))), _total(days, day)):
            _add(total, run)
        for name, part in parts.items():
            _add(
                _total(kinds, name),
                {"runs": 1, **{key: _number(part.get(key)) for key in ("blocks", "before", "after")}},
            )
    return {"all": _total(whole, "all"), "verb": verbs, "kind": kinds, "day": days}


def _add(total: dict[str, float], run: dict[str, float]) -> None:
    for key, value in run.items():
        total[key] += int(value) if value == int(value) else value
    total["saved"] = total["before"] - total["after"]
