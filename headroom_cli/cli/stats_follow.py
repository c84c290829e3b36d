"""``headroom stats --follow``: the ledger's new lines as they come, whichever process writes them."""

from __future__ import annotations

import json
import os
import time

from headroom_cli import ledger, money
from headroom_cli.cli import io, report
from headroom_cli.errors import ReaderGoneError
from headroom_cli.store import files, url
from headroom_cli.store.place import Place, local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from headroom_cli.settings import Settings

EVERY = 0.3  # seconds between two looks


def show(settings: Settings) -> int:
    """Write the totals, then a line for each run; end only by a signal. Raise ReaderGoneError when nobody reads."""
    io.check_output()
    tail = Tail(settings.store)
    total = money.report(tail.lines())["all"]
    if not settings.quiet:
        _write({"v": 1, "store": url.shown(settings.store), "total": total} if settings.json else _sum(total))
    while True:
        _wait()
        for line in tail.lines():
            known = facts(line)
            _write({"v": 1, **known} if settings.json else row(known))


def _write(said: dict[str, Any] | str) -> None:
    io.write((json.dumps(said) if isinstance(said, dict) else said).encode("utf-8", "backslashreplace") + b"\n")


def _wait() -> None:
    """Sleep until the next look. Raise ReaderGoneError as soon as the output leads nowhere."""
    import select

    waiting = select.poll()
    waiting.register(io.STDOUT, 0)
    if any(state & (select.POLLERR | select.POLLHUP) for _, state in waiting.poll(EVERY * 1000)):
        raise ReaderGoneError("the reader of standard output is gone")


class Tail:
    """What stands in the ledger's files behind the place up to which they were read."""

    __slots__ = ("_newest", "_read", "_root")

    def __init__(self, store_root: str) -> None:
        """Start at the beginning of a ledger, which need not be there yet."""
        self._root = local(store_root)
        # name -> inode, bytes read, the line that has not ended, the time up to which its lines were seen
        self._read: dict[str, tuple[int, int, bytes, float]] = {}
        self._newest = -1.0  # the time of the newest run that was seen

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield the runs that were added since the last time; damaged lines are skipped.

        Of a file that was cut, or replaced by another, only the runs are new that are younger than all that were seen.
        Raise StoreError when the ledger cannot be read.
        """
        try:
            with Place(self._root, create=False) as place:
                folder = place.existing("ledger")
                names = [] if folder is None else sorted(filter(ledger.is_month, os.listdir(folder)))
                for gone in self._read.keys() - set(names):
                    del self._read[gone]
                for name in names:
                    if folder is not None:
                        yield from self._more(name, folder)
        except FileNotFoundError:
            self._read.clear()  # the store was removed: what comes is new
        except OSError as error:
            raise files.failure(error, self._root) from error

    def _more(self, name: str, folder: int) -> Iterator[dict[str, Any]]:
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:  # since it was listed
            return
        inode, at, begun, seen = self._read.get(name, (status.st_ino, 0, b"", -1.0))
        if status.st_ino != inode or status.st_size < at:
            inode, at, begun, seen = status.st_ino, 0, b"", self._newest
        if status.st_size == at:
            return
        try:
            fd = files.open_plain(name, folder)
        except FileNotFoundError:  # or it is no file of ours
            return
        try:
            while piece := os.pread(fd, io.CHUNK, at):
                at += len(piece)
                *ended, begun = (begun + piece).split(b"\n")
                if len(begun) > ledger.TORN:
                    begun = b"\0"  # no JSON: what follows up to the next line feed is skipped with it
                self._read[name] = (inode, at, begun, seen)
                for text in ended:
                    if (line := ledger.parsed(text)) is not None:
                        when = _time(line) or 0.0
                        if when > seen:
                            self._newest = max(self._newest, when)
                            yield line
        finally:
            os.close(fd)


def facts(line: dict[str, Any]) -> dict[str, Any]:
    """Return what a line of the ledger says of its run: numbers and short names, whatever else it may hold."""
    total = money.report([line])["all"]
    usage = total["usage"]
    return {
        "when": _time(line),
        "verb": _word(line, "verb"), "model": _word(line, "model"),
        "tokens": {"before": total["before"], "after": total["after"]}, "saved": total["saved"], "ms": total["ms"],
        "cache_share": round(usage["cache_read"] / usage["input"], 4) if usage["input"] else None,
    }  # fmt: skip


def _time(line: dict[str, Any]) -> float | None:
    """Return when the run was, in Unix seconds, None for what no clock shows."""
    when = line.get("when")
    return when if isinstance(when, int | float) and 0 <= when < 253_402_300_800 else None


def _word(line: dict[str, Any], name: str) -> str:
    said = line.get(name)
    return said[:100] if isinstance(said, str) else ""


def row(known: dict[str, Any]) -> str:
    """Return a run as a line for a person."""
    when = known["when"]
    tokens = known["tokens"]
    clock = time.strftime("%H:%M:%S", time.localtime(when)) if when is not None else "        "
    share = "" if known["cache_share"] is None else f"  cache {100 * known['cache_share']:.0f} %"
    return (
        f"{clock}  {report.clean(known['verb']):<7} {report.clean(known['model']) or '-':<24} "
        f"{tokens['before']:>11,.0f} -> {tokens['after']:>11,.0f} {_share(known['saved'], tokens['before']):>7} "
        f"{known['ms']:>9,.0f} ms{share}"
    )


def _share(part: float, whole: float) -> str:
    return f"-{100 * part / whole:.0f} %" if whole and part else "0 %"


def _sum(total: dict[str, float]) -> str:
    if not total["runs"]:
        return "nothing in the ledger yet; waiting for runs"
    runs = "1 run" if total["runs"] == 1 else f"{total['runs']:,.0f} runs"
    share = f"{100 * total['saved'] / total['before']:.0f} %" if total["before"] else "nothing"
    return f"{runs} so far, {total['before']:,.0f} -> {total['after']:,.0f} tokens, {share} saved; waiting for more"
