"""One part of the input made one shard of the output: written beside it, and named when all of it is there.

Two files come of a part: the shard, and before it what became of its rows (``_done/SHARD.json``), so that whoever goes
on later knows without reading it. A shard that has its name is whole, and its originals are in the store: tables are
written only after that.
"""

from __future__ import annotations

import json
import os

from headroom_cli.batch import lines, places, tables
from headroom_cli.batch.job import TABLE
from headroom_cli.errors import FormatError, HeadroomError, InputMissingError, OutputError, StoreError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from typing import Any

    from headroom_cli.batch.job import Job
    from headroom_cli.batch.places import Part
    from headroom_cli.batch.tables import Made
    from headroom_cli.store import Store

    Told = Callable[[int], object] | None

DONE = "_done"  # what became of each shard's rows
TEMPORARY = "_tmp"
SHOWN = 1_000  # rows of a shard whose troubles are told one by one
_MOST_ROWS = 8_192  # in a table


def attempt(part: Part, job: Job, out: str, left: Collection[int] = (), told: Told = None) -> dict[str, Any]:
    """Do a part and return what became of it; where it cannot be done, why, as ``failed`` with an exit ``status``.

    Nothing is raised: what engines make of exceptions differs.
    """
    begun = {"shard": part.shard, "input": part.input}
    try:
        return do(part, job, out, left, told)
    except HeadroomError as error:
        return {**begun, "failed": str(error), "status": error.status, "store": isinstance(error, StoreError)}
    except Exception as error:  # noqa: BLE001 - one part of many; it is told at the end, and can be done again
        kind = type(error).__name__
        return {**begun, "failed": f"{part.input}: internal error ({kind}); please report it", "status": 70}


def do(part: Part, job: Job, out: str, left: Collection[int] = (), told: Told = None) -> dict[str, Any]:
    """Do a part, write its shard and return what became of its rows.

    ``left`` are rows that stay as they are, ``told`` is told of each before it is begun. Raise HeadroomError.
    """
    system, folder = places.opened(out)
    name = f"{folder}/{TEMPORARY}/{part.shard}.{os.getpid()}-{os.urandom(4).hex()}"
    sums: dict[str, Any] = {
        "shard": part.shard, "input": part.input, "rows": 0, "changed": 0, "bad": 0,
        "tokens": {"before": 0, "after": 0}, "kinds": {}, "troubles": [],
    }  # fmt: skip
    write = _lines if part.form == "lines" else _parquet
    try:
        try:
            write(system, name, part, job, _Rows(sums, left, told))
            _on_the_disk(out, name)
        except OSError as error:
            raise OutputError(f"{out}: {_why(error)}; make room, or check the rights, and run it again") from error
        _note(system, f"{folder}/{DONE}/{part.shard}.json", f"{name}.json", sums)
        system.move(name, f"{folder}/{part.shard}")
        _on_the_disk(out, folder)
    except BaseException:
        _remove(system, name)
        raise
    return sums


class _Rows:
    """The rows of a part as they go by: which of them to leave, and what became of them."""

    def __init__(self, sums: dict[str, Any], left: Collection[int], told: Told) -> None:
        self.sums = sums
        self._left = left
        self._told = told

    def compressed(self, table: Any, job: Job, store: Store, *, lines: bool) -> Any:
        """Return a table compressed. Raise StoreError."""
        before = self.sums["rows"]
        left = {row - before for row in self._left}
        told = self._told
        tell = None if told is None else (lambda number: told(before + number))
        table, made = tables.compress_table(table, job, store, told=tell, left=left, lines=lines)
        self.add(made)
        return table

    def add(self, made: Made) -> None:
        """Count the rows of a table in."""
        sums = self.sums
        for number, what in made.troubles:
            sums["bad"] += 1
            if len(sums["troubles"]) < SHOWN:
                sums["troubles"].append([sums["rows"] + number + 1, what])
        sums["rows"] += made.rows
        sums["changed"] += made.changed
        sums["tokens"]["before"] += made.before
        sums["tokens"]["after"] += made.after
        for kind, row in made.kinds.items():
            into = sums["kinds"].setdefault(kind, dict.fromkeys(row, 0))
            for name, value in row.items():
                into[name] += value

    def pass_long(self) -> None:
        """Count a row that is too long to be looked at."""
        made = tables.Made()
        made.rows, made.troubles = 1, [(0, "the row is too long; it stays as it is")]
        self.add(made)


def _lines(system: Any, name: str, part: Part, job: Job, rows: _Rows) -> None:
    """Read JSON Lines and write them."""
    import pyarrow as pa

    store = job.open_store()
    with system.open_output_stream(name, compression=part.codec or None) as output:
        for some in _read_lines(part):
            if isinstance(some, bytes):
                output.write(some)
                if some.endswith(b"\n"):
                    rows.pass_long()
                continue
            table = pa.table({tables.LINE: pa.array(some, pa.large_binary())})
            made = rows.compressed(table, job, store, lines=True)
            output.write(b"".join(made.column(tables.LINE).to_pylist()))


def _read_lines(part: Part) -> Iterator[list[bytes] | bytes]:
    import pyarrow as pa

    try:
        system, path = places.opened(part.input)
        if part.codec:
            with system.open_input_stream(path, compression=part.codec) as stream:
                yield from lines.tables(stream, 0, -1)
            return
        with system.open_input_file(path) as file:
            file.seek(max(part.start - 1, 0))
            yield from lines.tables(file, part.start, part.end)
    except FileNotFoundError as error:
        raise InputMissingError(f"{part.input}: it is gone; run it again with what is there") from error
    except (pa.ArrowException, OSError) as error:
        raise FormatError(f"{part.input}: it cannot be read to its end ({_why(error)}); check the file") from error


def _parquet(system: Any, name: str, part: Part, job: Job, rows: _Rows) -> None:
    """Read row groups and write them, with the codec they had."""
    import pyarrow as pa
    from pyarrow import parquet

    store = job.open_store()
    writer = None
    try:
        there, path = places.opened(part.input)
        with there.open_input_file(path) as stream, parquet.ParquetFile(stream) as file:
            tables.column_of(file.schema_arrow, job.column)
            for batch in _batches(file, part):
                table = rows.compressed(pa.table(batch), job, store, lines=False)
                if writer is None:
                    writer = parquet.ParquetWriter(name, table.schema, filesystem=system, compression=_codec(file))
                writer.write_table(table)
            if writer is None:  # no rows
                table = rows.compressed(file.schema_arrow.empty_table(), job, store, lines=False)
                writer = parquet.ParquetWriter(name, table.schema, filesystem=system, compression=_codec(file))
    except UsageError as error:
        raise UsageError(f"{part.input}: {error}") from error
    except FileNotFoundError as error:
        raise InputMissingError(f"{part.input}: it is gone; run it again with what is there") from error
    except pa.ArrowException as error:
        raise FormatError(f"{part.input}: it cannot be read to its end ({_why(error)}); check the file") from error
    finally:
        if writer is not None:
            writer.close()


def _batches(file: Any, part: Part) -> Iterator[Any]:
    """Yield the rows of a part in record batches of about TABLE bytes."""
    groups = list(range(part.start, part.end))
    size = sum(file.metadata.row_group(group).total_byte_size for group in groups)
    count = sum(file.metadata.row_group(group).num_rows for group in groups)
    each = max(1, min(_MOST_ROWS, TABLE * count // max(size, 1)))
    for batch in file.iter_batches(batch_size=each, row_groups=groups):
        # Dictionaries make a column small in the file: what it is now counts.
        step = max(1, batch.num_rows * TABLE // max(batch.nbytes, 1)) if batch.nbytes > 2 * TABLE else batch.num_rows
        for start in range(0, batch.num_rows, max(step, 1)):
            yield batch.slice(start, step)


def _codec(file: Any) -> str:
    """Return the codec of a file's first column, under the name that a writer knows it by."""
    metadata = file.metadata
    if not metadata.num_row_groups or not metadata.num_columns:
        return "zstd"
    codec = metadata.row_group(0).column(0).compression.lower()
    if codec == "uncompressed":
        return "none"
    return codec if codec in {"snappy", "gzip", "brotli", "lz4", "zstd"} else "zstd"


def _note(system: Any, path: str, temporary: str, sums: dict[str, Any]) -> None:
    with system.open_output_stream(temporary) as stream:
        stream.write(json.dumps(sums, separators=(",", ":")).encode("utf-8", "backslashreplace"))
    system.move(temporary, path)


def _on_the_disk(out: str, path: str) -> None:
    """Pass a barrier for a file or folder of this machine; an object store has what it acknowledged."""
    if "://" in out:
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(system: Any, name: str) -> None:
    try:
        system.delete_file(name)
    except OSError:
        return  # it was not made yet; the next run removes what is left


def _why(error: Exception) -> str:
    """Return what an error is, without its text, which may hold a URL with a key."""
    return os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else type(error).__name__
