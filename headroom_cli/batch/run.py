"""A whole batch: what is to be done, what is done already, the doing, and the sum of it.

OUT holds one shard per part, ``_done/`` what became of the rows of each, and at the end ``_manifest.json`` with the
shards in the order of the input, and ``_errors.jsonl`` with the rows that stayed as they were though they should not.
Names that begin with an underscore are left out by whoever reads a folder of Parquet or JSON Lines.
"""

from __future__ import annotations

import json
import os

from headroom_cli.batch import places, shards
from headroom_cli.errors import FormatError, OutputError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from headroom_cli.batch.job import Job
    from headroom_cli.batch.places import Part

    Engine = Callable[[list[Part], Job, str, int, str], Iterator[dict[str, Any]]]
    Told = Callable[["Sums"], object]

MANIFEST = "_manifest.json"
ERRORS = "_errors.jsonl"
_OURS = (shards.DONE, shards.TEMPORARY, MANIFEST, ERRORS)


class Sums:
    """How far a batch is: shards of all there are, those that were there, rows, and what became of them."""

    __slots__ = ("after", "bad", "before", "changed", "failed", "kinds", "rows", "shards", "status", "there", "total")

    def __init__(self, total: int) -> None:
        """``total`` shards are to be there in the end."""
        self.total = total
        self.shards = 0
        self.there = 0
        self.rows = 0
        self.changed = 0
        self.bad = 0
        self.before = 0
        self.after = 0
        self.kinds: dict[str, dict[str, int]] = {}
        self.failed: list[str] = []
        self.status = 0  # what the worst failure ends with

    def add(self, made: dict[str, Any]) -> None:
        """Count in what became of a part."""
        if "failed" in made:
            if made["failed"] not in self.failed:
                self.failed.append(made["failed"])
            self.status = max(self.status, made["status"])
            return
        self.shards += 1
        self.rows += made["rows"]
        self.changed += made["changed"]
        self.bad += made["bad"]
        self.before += made["tokens"]["before"]
        self.after += made["tokens"]["after"]
        for kind, sums in made["kinds"].items():
            into = self.kinds.setdefault(kind, dict.fromkeys(sums, 0))
            for name, value in sums.items():
                into[name] += value


def run(  # noqa: PLR0917 - what the command line says, in its order
    words: list[str], out: str, job: Job, engine: Engine, workers: int, address: str, told: Told
) -> Sums:
    """Compress all that ``words`` name into the folder ``out``; go on where an earlier run ended.

    ``told`` is told of the sums after each shard. A part that cannot be done is in ``Sums.failed``, and all others are
    done; when it is the store that fails, what is under way ends and the rest is left. Raise HeadroomError.
    """
    # A worker may stand in another folder.
    out = out if "://" in out or not out else os.path.abspath(out)
    found = places.inputs(words)
    identity = job.identity()
    parts = [part for source in found for part in places.parts(source, identity)]
    there = _prepare(out, {part.shard for part in parts})
    sums = Sums(len(parts))
    known: dict[str, dict[str, Any]] = {}
    waiting = []
    for part in parts:
        made = _known(out, part) if part.shard in there else None
        if made is None:
            waiting.append(part)
        else:
            known[part.shard] = made
            sums.add(made)
            sums.there += 1
    told(sums)
    if waiting:
        for made in engine(waiting, job, out, workers, address):
            sums.add(made)
            known[made["shard"]] = made
            told(sums)
    if not sums.failed:
        _conclude(out, parts, known, sums)
    return sums


def _prepare(out: str, wanted: set[str]) -> set[str]:
    """Make the folder and return which shards it holds. Raise UsageError for one with other files, OutputError."""
    from pyarrow import fs

    if "://" not in out and os.path.exists(out) and not os.path.isdir(out):
        raise UsageError(f"{out} is a file; name a folder, new or of an earlier run, as the last word")
    system, folder = places.opened(out)
    try:
        system.create_dir(folder, recursive=True)
        for name in (shards.DONE, shards.TEMPORARY):
            system.create_dir(f"{folder}/{name}", recursive=True)
        listed = system.get_file_info(fs.FileSelector(folder))
        names = {info.base_name for info in listed}
        foreign = sorted(names - wanted - set(_OURS))
        if foreign:
            raise UsageError(
                f"{out} holds {foreign[0][:80]}, which these files and settings do not make; name another folder, "
                "or remove what an earlier run of other ones left"
            )
        # Of runs that were killed. One that is under way now loses its shard and says so; that does no harm.
        old = system.get_file_info(fs.FileSelector(f"{folder}/{shards.TEMPORARY}", allow_not_found=True))
        for info in old:
            if info.type == fs.FileType.File and _is_old(info):
                system.delete_file(info.path)
    except OSError as error:
        raise OutputError(f"{out}: it cannot be written to; check the name and the rights") from error
    return names & wanted


def _is_old(info: Any) -> bool:
    import time

    return bool(info.mtime_ns) and time.time() - info.mtime_ns / 1e9 > 3_600


def _known(out: str, part: Part) -> dict[str, Any] | None:
    """Return what became of the rows of a shard that is there, None when nobody knows: then it is made again."""
    system, folder = places.opened(out)
    try:
        with system.open_input_stream(f"{folder}/{shards.DONE}/{part.shard}.json") as stream:
            made = json.loads(stream.read())
        return made if isinstance(made, dict) and made.get("shard") == part.shard else None
    except (OSError, ValueError):
        return None


def _conclude(out: str, parts: list[Part], known: dict[str, dict[str, Any]], sums: Sums) -> None:
    """Write the manifest and the list of bad rows."""
    system, folder = places.opened(out)
    rows = [known[part.shard] for part in parts]
    manifest = {
        "v": 1, "rows": sums.rows, "changed": sums.changed, "bad": sums.bad,
        "tokens": {"before": sums.before, "after": sums.after},
        "shards": [{"shard": made["shard"], "input": made["input"], "rows": made["rows"]} for made in rows],
    }  # fmt: skip
    try:
        temporary = f"{folder}/{shards.TEMPORARY}/{ERRORS}.{os.getpid()}"
        with system.open_output_stream(temporary) as stream:
            for made in rows:
                for row, what in made["troubles"]:
                    line = {"shard": made["shard"], "row": row, "input": made["input"], "error": what}
                    stream.write(json.dumps(line).encode("ascii") + b"\n")
        system.move(temporary, f"{folder}/{ERRORS}")
        temporary = f"{folder}/{shards.TEMPORARY}/{MANIFEST}.{os.getpid()}"
        with system.open_output_stream(temporary) as stream:
            stream.write(json.dumps(manifest, indent=1).encode("ascii") + b"\n")
        system.move(temporary, f"{folder}/{MANIFEST}")
    except OSError as error:
        raise OutputError(f"{out}: its summary cannot be written; make room, and run it again") from error


def first_errors(out: str, most: int) -> list[dict[str, Any]]:
    """Return the first rows of the list of bad ones. Raise FormatError when it cannot be read."""
    system, folder = places.opened(out)
    try:
        with system.open_input_stream(f"{folder}/{ERRORS}") as stream:
            head = stream.read(1 << 20)
    except OSError as error:
        raise FormatError(f"{out}: {ERRORS} cannot be read") from error
    return [json.loads(line) for line in head.splitlines()[:most]]
