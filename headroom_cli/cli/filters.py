"""What ``crush`` and ``route`` share: input to engine to output, failing open, and the report afterwards."""

from __future__ import annotations

import time

from headroom_cli.cli import io, report
from headroom_cli.errors import FailedOpenError, FormatError, HeadroomError, OutputError
from headroom_cli.model import LEVELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from headroom_cli.cli.options import Verb
    from headroom_cli.model import Policy, Result
    from headroom_cli.settings import Settings
    from headroom_cli.store import Store

PREVIEW_SECONDS = 1.0  # a run longer than this is not run again only to say what the next level would give
# A one-line document above this is worth a look at whether the input has ended before it is opened as JSON Lines.
PEEK = 1 << 16


def refuse_terminal(verb: Verb, file: str) -> int:
    """Return 2 after a short help when a person sits where a document should come from, else 0."""
    if file != "-" or not io.is_terminal(io.STDIN):
        return 0
    io.tell(f"headroom {verb.name}: {verb.about}")
    for command, does in verb.examples[:2]:
        io.tell(f"  {command}\n      {does}")
    io.tell(f"headroom: standard input is a terminal; pipe a document in or see headroom {verb.name} --help")
    return 2


def run(verb: Verb, settings: Settings, own: Mapping[str, str]) -> int:
    """Compress standard input or FILE to standard output and return the exit status.

    Whatever fails in between, the output is the input. With --diff, show what would change instead.
    Raise FormatError, InputMissingError, OutputError.
    """
    file = own.get("file", "-")
    if status := refuse_terminal(verb, file):
        return status
    source = io.Source(file)
    if own.get("diff") == "true":
        from headroom_cli.cli import diff

        return diff.show(source.read(), verb, settings)
    tally = report.Tally()
    bugs: list[BaseException] = []
    started, data = time.perf_counter(), b""
    if _streams(source, settings):
        _stream(source.lines(), verb, settings, tally, bugs)
        milliseconds = (time.perf_counter() - started) * 1000
    else:
        data = source.read()
        started = time.perf_counter()
        result = _crushed(data, verb, settings, tally, bugs)
        milliseconds = (time.perf_counter() - started) * 1000
        io.write(data if result is None else result.data)
    return _after(verb, settings, tally, bugs, milliseconds=milliseconds, data=data)


def policy_of(settings: Settings, level: str = "") -> Policy:
    """Return the policy that the settings spell out, at another level when one is named."""
    from headroom_cli.model import Policy

    return Policy(
        level=level or settings.level, budget=settings.budget, lossless=settings.lossless,
        keep_json=settings.keep_json, redeem=settings.redeem or "shell", query=settings.query,
        only=settings.only, skip=settings.skip, as_kind=settings.as_kind, live=settings.live, fresh=settings.fresh,
        only_tools=settings.only_tool, protect_tools=settings.protect_tool, kompress=settings.kompress,
    )  # fmt: skip


def open_store(settings: Settings) -> Store:
    """Return the store; nothing is opened or made before its first use."""
    from headroom_cli.store import named

    return named(settings.store)


def preview(
    data: bytes, settings: Settings, level: str = "", stages: tuple[str, ...] = ("align", "route", "fit")
) -> Result:
    """Weigh a document without storing or changing anything."""
    from headroom_cli import engine

    return engine.crush(
        data, policy_of(settings, level), None, form=settings.format, model=settings.model, dry=True, stages=stages
    )


def _streams(source: io.Source, settings: Settings) -> bool:
    """Tell JSON Lines of requests, which are answered line by line as they come, by the first line."""
    if settings.format not in {"", "jsonl"}:
        return False
    line = source.first_line()
    if line[:1] not in {b"{", b"["} or (b'"messages"' not in line and b'"input"' not in line and b'"role"' not in line):
        return False
    if len(line) > PEEK and source.ended_with(line):
        return False  # one document and its newline: opened once, by the engine
    try:
        from headroom_cli import formats

        return formats.is_request_line(line.rstrip(b"\r\n"))
    except Exception:  # noqa: BLE001 - what cannot be told is read as a whole, and fails open there
        return False


def _crushed(
    data: bytes, verb: Verb, settings: Settings, tally: report.Tally, bugs: list[BaseException]
) -> Result | None:
    """Return the engine's result, or None after a failure that the input survives. Raise FormatError."""
    try:
        from headroom_cli import engine

        result = engine.crush(
            data,
            policy_of(settings),
            open_store(settings),
            form=settings.format,
            model=settings.model,
            stages=verb.stages,
        )
    except FormatError:
        raise
    except HeadroomError as error:
        tally.fail(error)
        return None
    except Exception as error:  # noqa: BLE001 - law 1: whatever breaks, the input goes through
        bugs.append(error)
        return None
    tally.add(result)
    return result


def _stream(
    lines: Iterator[bytes], verb: Verb, settings: Settings, tally: report.Tally, bugs: list[BaseException]
) -> None:
    """Answer each line as it comes; after a failure the rest goes through as it is."""
    unanswered: list[bytes] = []

    def watched() -> Iterator[bytes]:
        for line in lines:
            unanswered.append(line)
            yield line

    try:
        from headroom_cli import engine

        results: Iterable[Result] = engine.crush_lines(
            watched(), policy_of(settings), open_store(settings), model=settings.model, stages=verb.stages
        )
        for result in results:
            io.write(result.data)
            unanswered.pop(0)
            tally.add(result)
    except OutputError:
        raise
    except HeadroomError as error:
        tally.fail(error)
    except Exception as error:  # noqa: BLE001 - law 1
        bugs.append(error)
    tally.format = "jsonl"
    for line in unanswered:
        io.write(line)
    for line in lines:
        io.write(line)


def _after(
    verb: Verb, settings: Settings, tally: report.Tally, bugs: list[BaseException], *, milliseconds: float, data: bytes
) -> int:
    """Warn, keep the ledger, sum up, and return the exit status. The output is out: nothing here may hurt it."""
    for bug in bugs:
        report.bug(bug, "so the input went through unchanged")
    if tally.documents:
        report.log(verb.name, settings, tally, milliseconds)
    if not settings.json:
        for warning in tally.warnings:
            report.warn(warning, settings)
    if report.wants_summary(settings) and tally.documents:
        following = None if bugs else _following(data, verb, settings, tally, milliseconds)
        summed = report.summary_json if settings.json else report.summary
        io.tell(summed(verb.name, tally, milliseconds, following))
    if settings.strict and bugs:
        return FailedOpenError.status
    if settings.strict and tally.failure is not None:
        return tally.failure.status
    return 1 if tally.unfit else 0


def _following(
    data: bytes, verb: Verb, settings: Settings, tally: report.Tally, milliseconds: float
) -> tuple[str, int] | None:
    """Return the next level and the tokens it would leave, when that is asked cheaply and differs."""
    if (
        not data
        or "route" not in verb.stages
        or settings.lossless
        or tally.level not in LEVELS[:-1]
        or milliseconds > PREVIEW_SECONDS * 1000
    ):
        return None
    if settings.json and not settings.verbose:  # a program reads it: it did not ask to wait twice
        return None
    io.release_output()  # the next stage of the pipe need not wait for this
    level = LEVELS[LEVELS.index(tally.level) + 1]
    try:
        after = preview(data, settings, level, verb.stages).after
    except Exception:  # noqa: BLE001 - a remark about another level is worth no error
        return None
    return (level, after) if after < tally.after else None
