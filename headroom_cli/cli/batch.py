"""``headroom batch``: stored conversations by the million, from files into a folder of shards."""

from __future__ import annotations

import json
import time

from headroom_cli.cli import filters, io, report
from headroom_cli.cli.options import Argument, Verb
from headroom_cli.errors import ConfigError, FailedOpenError, UsageError
from headroom_cli.settings import Setting, convert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Any

    from headroom_cli.batch.run import Sums
    from headroom_cli.settings import Settings

ENGINES = ("local", "ray", "dask")
_SHOWN = 5  # bad rows that are shown; all are in _errors.jsonl


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Compress files into a folder; what an earlier run finished is not done again."""
    *words, out = own.get("path", "").split("\0")
    if not words or not out:
        raise UsageError("name what to read, then the folder to write into; see headroom batch --help")
    try:
        import pyarrow as pa
    except ImportError as error:
        raise ConfigError("headroom batch needs headroom-cli[batch]; install that") from error
    from headroom_cli.batch import engines
    from headroom_cli.batch import run as batch
    from headroom_cli.batch.job import Job

    engine = engines.ENGINES[str(convert(ENGINE, own.get("engine", "local"), "--engine", UsageError))]
    workers = convert(WORKERS, own["workers"], "--workers", UsageError) if "workers" in own else 0
    job = Job(
        filters.policy_of(settings), settings.store, model=settings.model, ranks=settings.ranks,
        column=own.get("column", ""), counts=own.get("counts") == "true",
    )  # fmt: skip
    del pa  # asked for now, so that its absence is said before any file is looked at
    started = time.perf_counter()
    with _Bar(settings) as bar:
        sums = batch.run(words, out, job, engine, int(str(workers)), own.get("address", ""), bar.tell)
    milliseconds = (time.perf_counter() - started) * 1000
    _log(settings, sums, milliseconds)
    for sentence in sums.failed:
        report.error(sentence)
    if sums.failed:
        left = sums.total - sums.shards
        report.error(f"{left:,} of {sums.total:,} shards are not there; run it again to go on")
        return sums.status
    bad = batch.first_errors(out, _SHOWN) if sums.bad else []
    if settings.json:
        io.write(json.dumps(_object(sums, milliseconds)).encode() + b"\n")
    elif not settings.quiet:
        io.write(_told(sums, bad, milliseconds, out).encode("utf-8", "backslashreplace"))
    return FailedOpenError.status if sums.bad and settings.strict else 0


def _told(sums: Sums, bad: list[dict[str, Any]], milliseconds: float, out: str) -> str:
    """Return what is said at the end to a person."""
    from headroom_cli import tokens

    counted = "tokens" if tokens.is_exact() else "tokens (estimated)"
    less = f", {100 * (1 - sums.after / sums.before):.1f} % less" if sums.before else ""
    earlier = f" ({sums.there:,} by an earlier run)" if sums.there else ""
    lines = [
        f"{_counted(sums.rows, 'row')}, {sums.changed:,} shorter, in {_counted(sums.shards, 'shard')}{earlier}",
        f"{sums.before:,} -> {sums.after:,} {counted}{less}; {milliseconds:.0f} ms",
    ]
    if sums.bad:
        lines.append(f"not as it should be: {_counted(sums.bad, 'row')}, see _errors.jsonl in {report.clean(out)}")
        lines += [f"  {report.clean(one['shard'])}, row {one['row']}: {report.clean(one['error'])}" for one in bad]
        lines += ["  ..."] if sums.bad > len(bad) else []
    return "".join(f"{line}\n" for line in lines)


def _counted(number: int, noun: str) -> str:
    """Return "1 row", "12 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _object(sums: Sums, milliseconds: float) -> dict[str, object]:
    """Return the same for a program."""
    from headroom_cli import tokens

    return {
        "v": 1, "verb": "batch", "shards": sums.shards, "shards_from_before": sums.there, "rows": sums.rows,
        "changed": sums.changed, "bad": sums.bad, "tokens_before": sums.before, "tokens_after": sums.after,
        "estimated": not tokens.is_exact(), "ms": round(milliseconds, 1),
        "kinds": {
            kind: {"blocks": row["blocks"], "tokens_before": row["before"], "tokens_after": row["after"]}
            for kind, row in sorted(sums.kinds.items())
        },
    }  # fmt: skip


def _log(settings: Settings, sums: Sums, milliseconds: float) -> None:
    """Keep the ledger: one line for the batch, and none where everything was there before."""
    if sums.shards == sums.there:
        return
    tally = report.Tally()
    tally.format, tally.level = "jsonl", settings.level
    tally.before, tally.after, tally.kinds = sums.before, sums.after, sums.kinds
    report.log("batch", settings, tally, milliseconds)
    for warning in tally.warnings:
        report.warn(warning, settings)


class _Bar:
    """A progress bar where a person sees standard error; nothing anywhere else."""

    def __init__(self, settings: Settings) -> None:
        self._shown = io.is_terminal(io.STDERR) and not settings.quiet and not settings.json
        self._plain = settings.no_color
        self._drawn: Any = None
        self._task: Any = None

    def __enter__(self) -> _Bar:  # noqa: PYI034 - Self is in typing, which costs 8 ms
        """Draw nothing before the first shard is told of."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state on the screen."""
        if self._drawn is not None:
            self._drawn.stop()

    @property
    def tell(self) -> Callable[[Sums], object]:
        """What is told of the sums after each shard."""
        return self._show if self._shown else _nobody

    def _show(self, sums: Sums) -> None:
        if self._drawn is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._drawn = Progress(
                TextColumn("headroom batch"), BarColumn(), MofNCompleteColumn(), TextColumn("shards"),
                TextColumn("{task.description}"), TimeRemainingColumn(),
                console=Console(stderr=True, no_color=self._plain),
            )  # fmt: skip
            self._task = self._drawn.add_task("", total=sums.total, start=True)
            self._drawn.start()
        bad = f", {sums.bad:,} bad" if sums.bad else ""
        self._drawn.update(self._task, completed=sums.shards, description=f"{sums.rows:,} rows{bad}")


def _nobody(_sums: Sums) -> None:
    """Take no notice."""


ENGINE = Setting(
    "engine", ("--engine",), "", "choice", "ENGINE", "who does the work", choices=ENGINES, shown="local",
)  # fmt: skip
WORKERS = Setting("workers", ("--workers",), "", "number", "N", "processes at a time", shown="one per core")
COLUMN = Setting(
    "column", ("--column",), "", "text", "NAME", "the column, or member of a line's object, with the conversation",
    shown="messages, request, conversation or text",
)  # fmt: skip
COUNTS = Setting(
    "counts", ("--counts",), "", "switch", "",
    "add headroom_tokens_before, headroom_tokens_after and headroom_error to each row",
)  # fmt: skip
ADDRESS = Setting(
    "address", ("--address",), "", "text", "ADDRESS", "the cluster of ray or dask to use", shown="this machine alone",
)  # fmt: skip

VERB = Verb(
    "batch",
    run,
    about="compress stored conversations, from files into a folder of shards",
    text="""
        Reads JSON Lines (.jsonl, .ndjson, .json; also with .gz or .zst) and Parquet, one conversation in each row, and
        writes the same rows in the same order into OUT, a folder of shards in the format of their input. IN is a file,
        a folder with such files, or a pattern; IN and OUT are paths, or URLs with s3, gs or abfs.

        A line is a request or a list of messages, or an object with it, or a text, in one member; a row of Parquet has
        it in one column, as JSON, as text or as a list of messages. Everything else in a row stays as it is. Each row
        is compressed as headroom crush would compress it alone, whatever stands beside it, so that neither workers nor
        their order show in the result. Originals are in the store before a row is written; what this verb rendered is
        not replayed by others, as those may have promised other bytes.

        What is interrupted, or killed, goes on where it was when it is started again: a shard that has its name is
        whole, and is not done again unless its file, the settings or this program changed. A row that cannot be
        compressed stays as it is and is named in OUT/_errors.jsonl; OUT/_manifest.json lists the shards in the order
        of the input.

        With --engine ray or dask the same work is mapped by Ray Data or a bag of Dask, also on a cluster; its machines
        have to reach IN, OUT and the store, which is to be one with a URL then.

        With --json, one object: shards, shards_from_before, rows, changed, bad, tokens_before, tokens_after, estimated,
        ms, kinds.
    """,
    arguments=(
        Argument(
            "path", "what to read, and as the last word the folder to write into", required=True, several=True,
            shown="IN... OUT",
        ),
    ),
    flags=(
        "model", "ranks", "store", "query", "level", "budget", "lossless", "keep_json", "redeem", "kompress", "only",
        "skip", "only_tool", "protect_tool", "as_kind", "project", "strict", "json", "quiet", "no_color",
    ),
    own=(ENGINE, WORKERS, COLUMN, COUNTS, ADDRESS),
    examples=(
        ("headroom batch traces/*.jsonl small/", "compress files of requests, one a line"),
        ("headroom batch --column messages --counts train.parquet shorter/", "compress one column, with its numbers"),
        ("headroom batch --store s3://bucket/originals s3://bucket/traces s3://bucket/small", "do it in a bucket"),
        ("headroom batch --engine ray --address auto s3://bucket/traces s3://bucket/small", "do it on a cluster"),
    ),
    statuses=(
        (65, "a file cannot be read to its end; all others are done"),
        (70, "with --strict, a row is not as it should be"),
    ),
)  # fmt: skip
