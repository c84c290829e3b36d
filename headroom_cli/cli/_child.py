"""A command that runs below us: started as a shell would start it, told of our signals once, and waited for.

It stays in our process group, so a terminal's own signals (Ctrl-C, Ctrl-Z, a changed size, a hangup) reach it without
us, and it may ask the terminal for a password. What somebody sends to us alone is passed on. That tells the two apart:
the system says who sent a signal, where Python can ask for it (sigwaitinfo).
"""

from __future__ import annotations

import errno
import os
import signal

from headroom_cli.errors import CommandMissingError, CommandRefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

_PASSED = (
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH,
    signal.SIGTSTP, signal.SIGCONT,
)  # fmt: skip
_ENDING = frozenset((signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT))
_OF_A_TERMINAL = frozenset((signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGWINCH, signal.SIGHUP))
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
_DEEPEST = 64  # steps from a process to its ancestors that are looked at


def replace(words: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Become the command. Raise CommandMissingError or CommandRefusedError when it cannot be run."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores these, and its children would too
        signal.signal(number, signal.SIG_DFL)
    try:
        _execute(words, environment)
    except (OSError, ValueError) as error:
        raise _cannot(words[0], error) from error


def start(
    words: Sequence[str],
    environment: Mapping[str, str],
    files: Mapping[int, int],
    mask: set[signal.Signals] | set[int] | None = None,
    *,
    apart: bool = False,
    ends_with_us: signal.Signals = signal.SIGTERM,
) -> int:
    """Start a command with ``files`` (its descriptor -> one of ours) and signals blocked by ``mask`` alone.

    ``apart`` gives it a session of its own: no terminal's signal reaches it. ``ends_with_us`` is sent to it when this
    process dies, whatever the reason, where the system can do that. Return its process id. Raise CommandMissingError,
    CommandRefusedError.
    """
    told, tell = os.pipe()  # closed by a start that succeeds
    parent = os.getpid()
    pid = os.fork()
    if pid:
        os.close(tell)
        said = os.read(told, 16)
        os.close(told)
        if said:
            os.waitpid(pid, 0)
            raise _cannot(words[0], OSError(int(said), os.strerror(int(said))))
        return pid
    number = errno.EIO
    try:
        for descriptor, source in files.items():
            os.dup2(source, descriptor)
        if apart:
            os.setsid()
        _end_with(parent, ends_with_us)
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask or ())
        _execute(words, environment)
    except OSError as error:
        number = error.errno or errno.EIO
    except ValueError:  # a NUL in a word
        number = errno.EINVAL
    finally:
        os.write(tell, b"%d" % number)
        os._exit(127)


def _execute(words: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Become the command, a script without its interpreter's name by the shell, as every shell does it."""
    try:
        os.execvpe(words[0], list(words), environment)  # noqa: S606 - no shell is what was asked for
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
    from shutil import which

    path = which(words[0], path=environment.get("PATH")) or words[0]
    os.execve("/bin/sh", ["sh", path, *words[1:]], environment)  # noqa: S606 - as above


def _cannot(name: str, error: OSError | ValueError) -> CommandRefusedError:
    """Return the error for a command that could not be started."""
    number = error.errno if isinstance(error, OSError) else errno.EINVAL
    if not name or number in {errno.ENOENT, errno.ENOTDIR}:
        return CommandMissingError(f"{name or repr(name)}: there is no such command; check its name and PATH")
    return CommandRefusedError(f"{name}: {os.strerror(number or errno.EIO).lower()}; check that it can be run")


def _end_with(parent: int, number: signal.Signals) -> None:
    """Have the system send ``number`` to this process when its parent dies. Linux can; elsewhere nothing is done."""
    import sys

    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, int(number), 0, 0, 0)
    if os.getppid() != parent:  # it died before
        os.kill(os.getpid(), number)


def guard(pid: int, environment: Mapping[str, str]) -> tuple[int, int]:
    """Start a shell that ends process ``pid`` when this one dies, whatever the reason, where the system does not.

    Return its process id and the descriptor that it watches: kill it before the process is ended otherwise.
    """
    reader, writer = os.pipe()
    try:
        line = 'cat > /dev/null; kill "$1"'
        return start(["sh", "-c", line, "sh", str(pid)], environment, {0: reader}, apart=True), writer
    finally:
        os.close(reader)


class Child:
    """A command in our process group. Only one at a time: the signals of this process are its signals."""

    def __init__(
        self, words: Sequence[str], environment: Mapping[str, str], files: Mapping[int, int] | None = None
    ) -> None:
        """Start it. Raise CommandMissingError, CommandRefusedError."""
        self.status: int | None = None
        # One that is ignored stays ignored, in the command as well: that is what nohup is.
        numbers = {number for number in _PASSED if signal.getsignal(number) != signal.SIG_IGN}
        # Blocked before there is a child, so that none is lost; _pass_on asks for them.
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        try:
            self.pid = start(words, environment, files or {}, self._mask)
        except BaseException:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
            raise
        import _thread  # and not threading, which takes a millisecond to import

        # A terminal stops us and the command at once. Both are told of, and we are to stop once.
        self._stopping = _thread.allocate_lock()
        self._stops = 0
        _thread.start_new_thread(self._pass_on, (numbers,))

    def _pass_on(self, numbers: set[signal.Signals]) -> None:
        """Pass signals on, each once, for ever."""
        asked = getattr(signal, "sigwaitinfo", None)
        while True:
            before = self._stops
            if asked is not None:
                said = asked(numbers)
                number, from_kernel = signal.Signals(said.si_signo), said.si_code > 0
                has_it = from_kernel or self._is_below(said.si_pid)
            else:  # macOS: whoever stands in front at a terminal gets these from there
                number = signal.Signals(signal.sigwait(numbers))
                has_it = number in _OF_A_TERMINAL and _is_in_front()
            if not has_it:
                if number in _ENDING and self._is_over():
                    os._exit(128 + number)  # it is gone; this is for what is left of us: a write that nobody reads
                self._send(number)
            if number == signal.SIGTSTP:
                with self._stopping:
                    if self._stops == before:
                        self._stops += 1
                        stop()

    def _is_over(self) -> bool:
        """Tell whether it has ended, also before anybody has waited for it."""
        if self.status is not None:
            return True
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def _is_below(self, pid: int) -> bool:
        """Tell a sender that is the command or below it: it speaks to its whole group, itself included."""
        for _ in range(_DEEPEST):
            if pid == self.pid:
                return True
            try:
                with open(f"/proc/{pid}/stat", "rb") as stream:
                    pid = int(stream.read().rpartition(b")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                return False
            if pid <= 1:
                return False
        return False

    def _is_stopped(self) -> bool:
        """Tell whether it is stopped now, where the system says so: not any more, if we have been continued with it."""
        try:
            with open(f"/proc/{self.pid}/stat", "rb") as stream:
                return stream.read().rpartition(b")")[2].split()[0] == b"T"
        except (OSError, IndexError):
            return False

    def _send(self, number: signal.Signals) -> None:
        if self.status is not None:  # its number may be another's by now
            return
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return  # it has ended, and is waited for

    def ended(self) -> bool:
        """Tell whether it has ended, without waiting; when it was stopped, stop as well."""
        return self._look(os.WNOHANG)

    def wait(self) -> int:
        """Wait for its end; return its exit status, or the number of the signal that killed it, negative."""
        while not self._look(0):
            pass
        assert self.status is not None
        return self.status

    def _look(self, flags: int) -> bool:
        if self.status is not None:
            return True
        before = self._stops
        pid, status = os.waitpid(self.pid, flags | os.WUNTRACED)
        if pid and os.WIFSTOPPED(status):
            # Whoever started us waits for us, not for it: a shell must see that the job has stopped.
            with self._stopping:
                if self._stops == before or self._is_stopped():
                    self._stops += 1
                    stop(signal.Signals(os.WSTOPSIG(status)))
            self._send(signal.SIGCONT)
        elif pid:
            self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def let_go(self) -> None:
        """Take signals as before, in a process that was forked from ours.

        Not in ours: one that the command got as well may still wait here, and would kill us for it.
        """
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)


def _is_in_front() -> bool:
    """Tell whether our process group is the one that its terminal speaks to."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def stop(number: signal.Signals = signal.SIGTSTP) -> None:
    """Stop this process until somebody continues it."""
    if number == signal.SIGSTOP:
        os.kill(os.getpid(), number)
        return
    if taken := getattr(signal, "sigtimedwait", None):
        taken({number}, 0)  # one that is there already would stop us a second time
    before = signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_as(status: int) -> int:
    """Return an exit status; die of the signal that killed the command, so that whoever waits for us sees the same."""
    if status >= 0:
        return status
    import resource

    number = signal.Signals(-status) if -status in set(signal.Signals) else None
    # One core dump is enough.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if number is not None:
        if number not in {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
    return 128 - status  # a signal that this process cannot die of
