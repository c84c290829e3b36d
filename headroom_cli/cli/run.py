"""``headroom run``: a command's output, compressed with its command known; its own exit status."""

from __future__ import annotations

import os
import select
import stat
import time

from headroom_cli.cli import _child, filters, io, report
from headroom_cli.cli._alone import left_alone
from headroom_cli.cli.options import Argument, Verb
from headroom_cli.errors import FailedOpenError, HeadroomError, OutputError, ReaderGoneError, StoreError, UsageError
from headroom_cli.settings import Setting, child_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from headroom_cli.model import Result
    from headroom_cli.settings import Settings

MOST = 32 << 20  # bytes of output that are held; more would pass a compressor anyway
WAIT_SECONDS = 30
TINY = 256  # bytes; of less than this nothing is worth the time that loading a compressor takes
_SOON = 0.005  # seconds; a command that is silent for longer leaves us time to load what its output needs
_LOOK = 0.2  # seconds between two looks whether the command has ended and left others with its output
_QUIET = 1.0  # seconds of silence behind what looks like a question
_ENDS_OF_QUESTIONS = b":?>])$#%"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-")


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Run the command; return its exit status, or die of the signal that killed it."""
    if "command" not in own:
        raise UsageError("run needs a command; see headroom run --help")
    words = own["command"].split("\0")
    wait = _seconds(own.get("wait", ""))
    environment = child_environment()
    if io.is_terminal(io.STDOUT) or left_alone(words, at_terminal=io.is_terminal(io.STDIN)):
        _child.replace(words, environment)
    together = _are_one(io.STDOUT, io.STDERR)
    reader, writer = os.pipe()
    child = _child.Child(words, environment, {1: writer, 2: writer} if together else {1: writer})
    os.close(writer)
    output = _Output(settings, words, reader, wait)
    failure: OutputError | None = None
    try:
        output.pass_on(child)
    except OutputError as error:  # the command sees what it would have seen: nobody reads its output any more
        failure = error
        os.close(reader)
    status = child.wait()
    failed = output.close(quiet=together and not settings.verbose)
    if failure is not None and not isinstance(failure, ReaderGoneError):
        raise failure
    return failed if failed and not status else _child.end_as(status)


def _warm_up() -> None:
    """Load what most outputs need while the command runs. What cannot be loaded is met again, and said, later."""
    from contextlib import suppress

    with suppress(ImportError):
        from headroom_cli import engine, formats, routing  # noqa: F401 - to have them


def _seconds(text: str) -> float:
    """Return how long output may be held. Raise UsageError."""
    if not text:
        return WAIT_SECONDS
    if not (text.replace(".", "", 1).isdigit() and text.isascii() and len(text) <= 6):
        raise UsageError(f"--wait {text[:40]!r}: write a number of seconds, such as {WAIT_SECONDS}")
    return float(text)


def _are_one(one: int, other: int) -> bool:
    """Tell whether two descriptors are the same file: what is written to both has one order."""
    first, second = os.fstat(one), os.fstat(other)
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino) and not stat.S_ISCHR(first.st_mode)


def _quoted(words: Sequence[str]) -> str:
    """Return the command line as it would be typed."""
    return " ".join(
        word if word and _PLAIN.issuperset(word) else "'" + word.replace("'", "'\\''") + "'" for word in words
    )


class _Output:
    """What the command writes: held, compressed in portions, written."""

    def __init__(self, settings: Settings, words: Sequence[str], reader: int, wait: float) -> None:
        self._settings = settings
        self._command = _quoted(words)
        self._reader = reader
        self._wait = wait
        self._held: list[bytes] = []
        self._size = 0
        self._since = 0.0  # when the oldest byte that is held came
        self._last = 0.0  # when the newest did
        self._is_live = False  # there is too much of it: the rest goes through as it comes
        self._before: list[bytes] = []  # portions, and what was written for each
        self._after: list[bytes] = []
        self._milliseconds = 0.0
        self._tally = report.Tally()
        self._bugs: list[BaseException] = []
        mode = os.fstat(io.STDIN).st_mode
        self._may_be_asked = io.is_terminal(io.STDIN) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)

    def pass_on(self, child: _child.Child) -> None:
        """Read until the end, and write. Raise ReaderGoneError, OutputError."""
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        poll.register(io.STDOUT, 0)  # that its reader has gone is told at once, and not by the next write
        if not poll.poll(_SOON * 1000):
            _warm_up()
        ended, late = False, 0  # bytes that came since: a pipe holds no more than a chunk, the rest is not its own
        while True:
            ready = dict(poll.poll(0 if ended else self._pause() * 1000))
            if ready.get(io.STDOUT, 0) & select.POLLERR:
                raise ReaderGoneError("the reader of standard output is gone")
            if self._reader in ready and late <= io.CHUNK:
                chunk = os.read(self._reader, io.CHUNK)
                late += len(chunk) * ended
                if not chunk:
                    self._flush()
                    return
                self._take(chunk)
            elif ended:
                self._flush()
                self._leave_behind(child)
                return
            if self._is_due():
                self._flush(whole=False)
            ended = child.ended()  # before the next look at its output: what it wrote last is seen by that

    def _take(self, chunk: bytes) -> None:
        if self._is_live:
            io.write(chunk)
            return
        self._last = time.monotonic()
        if not self._held:
            self._since = self._last
        self._held.append(chunk)
        self._size += len(chunk)
        if self._size > MOST:
            self._is_live = True
            for piece in self._held:
                io.write(piece)
            self._held, self._size = [], 0

    def _pause(self) -> float:
        """Return the seconds until something has to be looked at."""
        if not self._held:
            return _LOOK
        return min(_LOOK, max(0.0, self._since + self._wait - time.monotonic()))

    def _is_due(self) -> bool:
        """Tell whether what is held must go: it is old, or somebody is asked a question and cannot see it."""
        if not self._held:
            return False
        now = time.monotonic()
        if now - self._since >= self._wait:
            return True
        if not self._may_be_asked or now - self._last < _QUIET:
            return False
        return self._held[-1].rstrip(b" ")[-1:] in {bytes((end,)) for end in _ENDS_OF_QUESTIONS}

    def _flush(self, *, whole: bool = True) -> None:
        """Compress and write what is held; without ``whole`` a line that has not ended stays, if there are others."""
        data = b"".join(self._held)
        self._held, self._size, self._since = [], 0, self._last
        if not whole and (end := data.rfind(b"\n") + 1) and not self._asks(data):
            data, rest = data[:end], data[end:]
            self._held, self._size = [rest] * bool(rest), len(rest)
        if not data:
            return
        if len(data) < TINY and not self._before:
            self._before.append(data)
            self._after.append(data)
            io.write(data)
            return
        started = time.perf_counter()
        result = self._crushed(data)
        self._milliseconds += (time.perf_counter() - started) * 1000
        made = data if result is None else result.data
        self._before.append(data)
        self._after.append(made)
        io.write(made)

    def _asks(self, data: bytes) -> bool:
        return self._may_be_asked and data.rstrip(b" ")[-1:] in {bytes((end,)) for end in _ENDS_OF_QUESTIONS}

    def _crushed(self, data: bytes) -> Result | None:
        """Return the engine's result, or None after a failure that the output survives."""
        try:
            from headroom_cli import engine, formats
            from headroom_cli.model import Hint

            document = None
            if not formats.are_request_lines(data):
                try:
                    document = formats.parse(data, "raw" if self._before else "")
                except UnicodeDecodeError:
                    return None  # a picture, an archive: nothing that anybody would want shortened
                if not document.has_turns:
                    for block in document.blocks:
                        block.hint = Hint(command=self._command)
            result = engine.crush(
                data, filters.policy_of(self._settings), filters.open_store(self._settings),
                model=self._settings.model, stages=VERB.stages, document=document,
            )  # fmt: skip
        except HeadroomError as error:
            self._tally.fail(error)
            return None
        except Exception as error:  # noqa: BLE001 - law 1: whatever breaks, the output goes through
            self._bugs.append(error)
            return None
        self._tally.add(result)
        return result

    def _leave_behind(self, child: _child.Child) -> None:
        """Leave the output to whoever still has it after the command has ended: something it started in the background.

        Who reads our output must go on reading theirs, and who waits for us must not wait for them: so a process stays
        that copies, as the output itself would have stayed open.
        """
        if os.fork():
            return
        child.let_go()
        try:
            while chunk := os.read(self._reader, io.CHUNK):
                io.write(chunk)
        finally:
            os._exit(0)

    def close(self, *, quiet: bool) -> int:
        """Note what makes the whole come back, warn, keep the ledger, sum up; return a status of --strict, or 0."""
        tally, settings = self._tally, self._settings
        if self._before != self._after and len(self._before) > 1 and not self._is_live:
            try:
                from headroom_cli import engine

                engine.note_edits(b"".join(self._after), b"".join(self._before), filters.open_store(settings))
            except StoreError as error:
                tally.fail(error)
        if tally.documents:
            report.log(VERB.name, settings, tally, self._milliseconds)
        if not quiet:
            for bug in self._bugs:
                report.bug(bug, "so the output went through unchanged")
            for warning in tally.warnings if not settings.json else ():
                report.warn(warning, settings)
            if report.wants_summary(settings) and tally.documents:
                summed = report.summary_json if settings.json else report.summary
                io.tell(summed(VERB.name, tally, self._milliseconds, None))
        if settings.strict and self._bugs:
            return FailedOpenError.status
        if settings.strict and tally.failure is not None:
            return tally.failure.status
        return 0


VERB = Verb(
    "run",
    run,
    about="run a command and write its output with fewer tokens",
    text="""
        Runs COMMAND, without a shell, and compresses what it prints as crush does, but knowing which command it was.
        All words from the first that is no flag of ours on belong to the command. The exit status is the command's; a
        signal that kills it kills headroom too. Signals are passed on, and its environment is untouched.

        Standard error passes as it comes. When it is the same file as standard output (2>&1), both are compressed as
        one, in the order in which they were written.

        On a terminal nothing is compressed: headroom becomes the command. Editors, pagers, shells and other programs
        that talk to a person are left alone as well when standard input is a terminal.

        Output is held until the command ends, but for no longer than --wait: then what is there is compressed and
        written, and so on. Behind what looks like a question it is written after a second of silence. Above 32 MiB the
        rest goes through as it comes. If headroom is killed (SIGKILL), what it holds is lost with it.
    """,
    arguments=(Argument("command", "the command and its arguments", required=True, verbatim=True),),
    flags=(
        "model", "ranks", "store", "query", "level", "budget", "lossless", "keep_json", "redeem", "kompress", "only",
        "skip", "as_kind", "fresh", "project", "strict", "json", "quiet", "verbose", "no_color",
    ),
    own=(
        Setting("wait", ("--wait",), "", "text", "SECONDS", "how long output may be held", shown=str(WAIT_SECONDS)),
    ),
    examples=(
        ("headroom run -- pytest -q", "run tests, read what matters"),
        ("headroom run --query 'which pods fail' -- kubectl get pods -A", "keep what bears on a question"),
        ("headroom run -- make 2>&1 | tee build.log", "compress standard error as well"),
        ("headroom run -- sh -c 'cd src && cargo build'", "run a line of shell"),
    ),
    statuses=(
        (0, "that of the command, whatever it is; 126 when it cannot be run, 127 when it is not there"),
    ),
    stages=("align", "route", "fit"),
)  # fmt: skip
