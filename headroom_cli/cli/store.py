"""``headroom store``: check, clean up, list and forget what the store keeps."""

from __future__ import annotations

import json
import time

from headroom_cli.cli import filters, io, report
from headroom_cli.cli.options import REPORTING, Argument, Verb
from headroom_cli.cli.retrieve import HANDLE
from headroom_cli.errors import NotFoundError, UsageError
from headroom_cli.settings import Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from headroom_cli.settings import Settings
    from headroom_cli.store import Store


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Do one of ACTIONS."""
    action, handle = own.get("action", ""), own.get("handle", "")
    if action not in (*ACTIONS, "copy"):
        raise UsageError(f"unknown action {action[:40]!r}; use {', '.join((*ACTIONS, 'copy'))}")
    if bool(handle) != (action == "forget") and action != "copy":
        what = "name the handle to forget" if action == "forget" else f"{action} takes no handle"
        raise UsageError(f"store {action}: {what}; see headroom store --help")
    if action != "gc" and (own.get("days") or own.get("bytes")):
        raise UsageError(f"--days and --bytes belong to store gc, not to store {action}; leave them out")
    if action == "copy":
        return _copy(handle, own.get("target", ""), settings)
    if own.get("target"):
        raise UsageError(f"store {action} takes no second place; see headroom store --help")
    return ACTIONS[action](filters.open_store(settings), settings, {**own, "handle": handle})


def _copy(source: str, target: str, settings: Settings) -> int:
    """Copy one store into another; 1 when something of it is not there afterwards."""
    from headroom_cli.settings import resolve
    from headroom_cli.store import copying, named

    if not target:
        raise UsageError("store copy: name the store to copy from and the one to copy to")
    stores = [named(resolve({"store": name}).store) for name in (source, target)]
    if stores[0].name == stores[1].name:
        raise UsageError("store copy: both places are the same store")
    if "://" not in stores[0].name:
        with stores[0].open():  # a directory that is no store is refused, and not made one
            pass

    def tell(done: int) -> None:
        if settings.verbose and not settings.quiet:
            io.tell(f"{done:,} originals")

    done = copying.copy(stores[0], stores[1], tell)
    if settings.json:
        _object({
            "originals": done.originals, "bytes": done.bytes, "records": done.records,
            "troubles": [{"handle": handle, "why": why} for handle, why in done.troubles],
        })  # fmt: skip
    else:
        lines = [f"{handle}: {report.clean(why)}\n" for handle, why in done.troubles]
        lines.append(
            f"copied {done.originals:,} originals ({done.bytes:,} bytes) and {done.records:,} records "
            f"to {report.clean(stores[1].where())}\n"
        )
        io.write("".join(lines).encode())
    return 1 if done.troubles else 0


def _where(store: Store, settings: Settings, _own: Mapping[str, str]) -> int:
    """Print the store's directory as it is, so that it can be used in a command."""
    if settings.json:
        _object({"store": store.where()})
    else:
        import os

        io.write(os.fsencode(store.where()) + b"\n")
    return 0


def _list(store: Store, settings: Settings, _own: Mapping[str, str]) -> int:
    """List every handle, the newest last."""
    rows = []
    for grant in sorted(store.grants(), key=lambda grant: grant.when):
        if settings.json:
            _object({
                "handle": grant.handle, "when": grant.when, "kind": grant.kind, "bytes": grant.size,
                "command": grant.command, "sha256": grant.digest,
            })  # fmt: skip
        else:
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(grant.when))
            rows.append((grant.handle, when, grant.kind or "-", f"{grant.size:,}", grant.command[:100] or "-"))
    if not settings.json:
        report.show(rows, ("handle", "when", "kind", "bytes", "command"), frozenset({3}), settings)
    return 0


def _verify(store: Store, settings: Settings, _own: Mapping[str, str]) -> int:
    """Check every byte that is kept; 1 when something is damaged."""
    found = store.upkeep().verify(store)
    troubles = [("damaged", *trouble) for trouble in found.damaged] + [
        ("missing", *trouble) for trouble in found.missing
    ]
    if settings.json:
        _object({
            "clean": found.clean, "objects": found.objects, "bytes": found.bytes, "torn_lines": found.torn,
            "quarantined": found.quarantined, "leftovers": found.leftovers,
            "troubles": [{"what": what, "name": name, "why": why} for what, name, why in troubles],
        })  # fmt: skip
    else:
        lines = [f"{what}: {report.clean(name)}: {report.clean(why)}\n" for what, name, why in troubles]
        lines.append(
            f"{found.objects:,} originals, {found.bytes:,} bytes: {'all sound' if found.clean else 'damage found'}; "
            f"{found.torn:,} torn lines, {found.quarantined:,} in quarantine, {found.leftovers:,} unfinished\n"
        )
        io.write("".join(lines).encode())
    return 0 if found.clean else NotFoundError.status


def _gc(store: Store, settings: Settings, own: Mapping[str, str]) -> int:
    """Remove what has not been used for long, then what no live grant names until the rest fits."""
    from headroom_cli.store import KEEP_DAYS

    days, budget = _whole("--days", own.get("days")), _whole("--bytes", own.get("bytes"))
    gone = store.upkeep().gc(store, days=KEEP_DAYS if days is None else days, budget=budget)
    if settings.json:
        _object({
            "removed": gone.removed, "bytes": gone.bytes, "kept": gone.kept, "kept_bytes": gone.kept_bytes,
            "records": gone.records, "leftovers": gone.leftovers,
        })  # fmt: skip
    else:
        io.write(
            f"removed {gone.removed:,} originals ({gone.bytes:,} bytes), {gone.records:,} records, "
            f"{gone.leftovers:,} unfinished; kept {gone.kept:,} ({gone.kept_bytes:,} bytes)\n".encode()
        )
    return 0


def _forget(store: Store, settings: Settings, own: Mapping[str, str]) -> int:
    """Remove one original with all its handles and records."""
    if not HANDLE.fullmatch(own["handle"]):
        raise UsageError(f"{own['handle'][:60]!r} is not a handle; see headroom store list")
    gone = store.upkeep().forget(store, own["handle"])
    if settings.json:
        _object({"sha256": gone.digest, "handles": gone.handles, "bytes": gone.bytes, "records": gone.records})
    else:
        io.write(f"forgot {', '.join(gone.handles)}: {gone.bytes:,} bytes, {gone.records:,} records\n".encode())
    return 0


def _whole(flag: str, text: str | None) -> int | None:
    """Return a whole number from 0 on, None when none was given. Raise UsageError."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 15:
        return int(text)
    raise UsageError(f"{flag}: {text[:40]!r} is not a whole number; use digits alone")


ACTIONS: dict[str, Callable[[Store, Settings, Mapping[str, str]], int]] = {
    "where": _where, "list": _list, "verify": _verify, "gc": _gc, "forget": _forget,
}  # fmt: skip


def _object(fields: Mapping[str, object]) -> None:
    """Write one JSON object on a line."""
    io.write(json.dumps({"v": 1, **fields}).encode() + b"\n")


VERB = Verb(
    "store",
    run,
    about="check, clean up, list, copy and forget what the store keeps",
    text="""
        where prints the store's directory or URL. list prints every handle with its time, kind, size in bytes and the
        command behind it. verify reads every original and compares it with its name. gc removes originals that were
        not used for 30 days and then, from the longest unused on, those that no live handle names until 5 GiB are
        left. forget removes one original, every handle of it and every record of it. copy FROM TO copies originals,
        handles, renderings and the key into another store, checks them, and goes on where it was cut off.

        A store is a directory or a URL, for machines that share it: redis://[USER:PASSWORD@]HOST:PORT/DB, rediss://,
        s3://BUCKET/PREFIX, gs://, az://. HEADROOM_STORE may hold one with a password; where shows it without. Options
        follow a question mark: local=DIR (what stays at hand on this machine), cache=MIB, wait=SECONDS (for one
        request), and for Redis replicas=N, prefix=NAME, volatile=yes (accept a server that may lose the last seconds,
        or all, when it ends), for object stores endpoint=URL and conditions=no (accept one without conditional writes,
        where machines may undo each other's records).

        Every original in a directory is one zstd frame named by its SHA-256, so `zstd -dc FILE | sha256sum`
        checks it without headroom.
    """,
    arguments=(
        Argument("action", "what to do", required=True, choices=(*ACTIONS, "copy")),
        Argument("handle", "forget: the original; copy: the store to copy from"),
        Argument("target", "copy: the store to copy to"),
    ),
    flags=REPORTING,
    own=(
        Setting("days", ("--days",), "", "text", "N", "gc: remove what was not used for so many days [default: 30]"),
        Setting("bytes", ("--bytes",), "", "text", "N", "gc: the bytes to get down to [default: 5 GiB]"),
    ),
    examples=(
        ("headroom store list", "see what is kept"),
        ("headroom store verify", "check that nothing was damaged"),
        ("headroom store gc --days 7", "remove what was not used for a week"),
        ("headroom store copy redis://cache:6379/0 ./kept", "copy a shared store into a directory"),
    ),
    statuses=((1, "damage found, or no such handle"),),
)  # fmt: skip
