"""``compress_batch``: a table of conversations in, the same rows in the same order out.

It depends on nothing but its arguments and returns when the originals are safe in the store: engines that map a
function over Arrow tables (``map_batches`` of Ray Data, Dask) may call it anywhere and repeat it.
"""

from __future__ import annotations

from headroom_cli.batch import rows
from headroom_cli.batch.gathering import Gathering
from headroom_cli.batch.job import Job
from headroom_cli.errors import StoreError, UsageError
from headroom_cli.model import Policy
from headroom_cli.settings import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from headroom_cli.batch.rows import Row
    from headroom_cli.store import Store

LINE = "line"  # the one column of a table that was read from JSON Lines
_TRIES = 4


class Made:
    """What became of the rows of one table: kinds are sums as in the ledger, ``troubles`` what is wrong with rows."""

    __slots__ = ("after", "before", "changed", "kinds", "rows", "troubles")

    def __init__(self) -> None:
        """Start at nothing."""
        self.rows = 0
        self.changed = 0
        self.before = 0
        self.after = 0
        self.kinds: dict[str, dict[str, int]] = {}
        self.troubles: list[tuple[int, str]] = []  # row of the table, from 0; what

    def add(self, number: int, row: Row) -> None:
        """Count a row in."""
        self.rows += 1
        self.changed += row.changed
        self.before += row.before
        self.after += row.after
        if row.error:
            self.troubles.append((number, row.error))
        for block in row.blocks:
            sums = self.kinds.setdefault(block.kind or "none", {"blocks": 0, "before": 0, "after": 0, "kept": 0})
            sums["blocks"] += 1
            sums["before"] += block.before
            sums["after"] += block.after
            sums["kept"] += bool(block.kept)


def compress_batch(
    table: Any, column: str = "", *, store: str = "", policy: Policy | None = None, model: str = "",
    counts: bool = False,
) -> Any:  # fmt: skip
    """Return a table whose conversations say the same in fewer tokens; rows, order and all other columns as they came.

    ``table`` is a pyarrow Table or RecordBatch; ``column`` holds the conversations, as text, bytes, or lists of
    messages, and is found among ``rows.COLUMNS`` where it is "". ``store`` is the name of the store, "" the user's own
    (HEADROOM_STORE). With ``counts`` there are three columns more: headroom_tokens_before, headroom_tokens_after and
    headroom_error, which is null where nothing is wrong. A row that cannot be compressed stays as it is.

    Raise UsageError when there is no such column, StoreError when the originals cannot be kept: nothing is returned.
    """
    settings = resolve({})
    # A policy of the caller's own stays as it is; a job changes its own.
    job = Job(
        (policy or Policy()).redeemed((policy or Policy()).redeem), store or settings.store, model=model,
        ranks=settings.ranks, column=column, counts=counts,
    )  # fmt: skip
    return compress_table(table, job, job.open_store())[0]


def column_of(schema: Any, column: str) -> str:
    """Return the name of the column with the conversations. Raise UsageError."""
    names = list(schema.names)
    for name in (column,) if column else rows.COLUMNS:
        if names.count(name) == 1:
            return name
    there = ", ".join(names[:10])
    raise UsageError(f"there is no column {column or '/'.join(rows.COLUMNS)} among {there}; name it with --column")


def compress_table(
    table: Any, job: Job, store: Store, *, told: Callable[[int], object] | None = None, left: Collection[int] = (),
    lines: bool = False,
) -> tuple[Any, Made]:  # fmt: skip
    """Return the table and what became of its rows, once the store has their originals.

    ``told`` is told the number of each row before it is begun; rows in ``left`` are left as they are; ``lines``: the
    column holds lines of JSON Lines. Raise UsageError, StoreError.
    """
    import pyarrow as pa

    table = pa.table(table) if isinstance(table, pa.RecordBatch) else table
    name = LINE if lines else column_of(table.schema, job.column)
    place = table.schema.get_field_index(name)
    cells = table.column(place).to_pylist()
    compress = rows.of_line if lines else rows.of_cell
    gathering = Gathering(store)
    for _ in range(_TRIES):
        found: list[Row] = []
        for number, cell in enumerate(cells):
            gathering.begin(number)
            if told is not None:
                told(number)
            if number in left:
                found.append(rows.Row(cell, "the process that compressed it ended; it stays as it is"))
            else:
                found.append(compress(cell, job, gathering))
        column = None if lines else _column(table.column(place), found)
        if gathering.commit():
            break
    else:
        raise StoreError("the store gives other handles each time; run `headroom store verify`")
    made = Made()
    for number, row in enumerate(found):
        if number in gathering.double and not row.error:
            row.error = "compressed, but it reads as another row does: `retrieve --expand` gives the original of that"
        made.add(number, row)
    if lines:
        # Bytes that a table holds cannot be told from its own: it is made anew.
        return pa.table({LINE: pa.array([row.value for row in found], pa.large_binary())}), made
    if made.changed:
        table = table.set_column(place, table.schema.field(place), column)
    return (_counted(table, found) if job.counts else table), made


def _column(old: Any, found: list[Row]) -> Any:
    """Return the cells as a column of the type that it had; a value that this type cannot hold stays as it came."""
    import pyarrow as pa

    if not any(row.changed for row in found):
        return old
    kind = old.type
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    nested = pa.types.is_nested(plain)
    came = old.to_pylist() if nested else []
    for number, row in enumerate(found):
        if row.changed and nested:
            try:
                same = pa.scalar(row.value, plain).as_py() == row.value
            except (pa.ArrowException, TypeError, ValueError):
                same = False
            if not same:
                row.value, row.changed, row.after = came[number], False, row.before
                row.error = "what it became does not fit the column's type; it stays as it is"
    made = pa.array([row.value for row in found], plain)
    return made.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else made


def _counted(table: Any, found: list[Row]) -> Any:
    """Return the table with the columns of numbers behind its own."""
    import pyarrow as pa

    before, after, error = rows.COUNTS
    for name, values, kind in (
        (before, [row.before for row in found], pa.int64()),
        (after, [row.after for row in found], pa.int64()),
        (error, [row.error or None for row in found], pa.string()),
    ):
        field, column = pa.field(name, kind), pa.array(values, kind)
        at = table.schema.get_field_index(name)
        table = table.append_column(field, column) if at < 0 else table.set_column(at, field, column)
    return table
