"""Jobs for the tests of the pool: what a worker process may run into. Imported by engines, by name."""

import ctypes
import gc
import os
import signal
import sys
import time

from headroom_cli.serve.jobs import Made


class State:
    def __init__(self, serving):
        self.serving = serving
        self.kept = []


def open(serving):  # noqa: A001 - the name that a module of jobs has
    return State(serving)


class Odd:
    """A value of a class that answers may not have."""


def echo(state, value):
    return value


def made(state, body):
    return Made("anthropic", body, why="test")


def pid(state):
    return os.getpid()


def raises(state):
    raise ValueError("the text of a conversation")


def leaves(state):
    sys.exit(3)


def spins(state, path=""):
    note(state, path)
    while True:
        pass


def sleeps(state, seconds, path=""):
    note(state, path)
    time.sleep(seconds)
    return os.getpid()


def note(state, path, text="x"):
    if path:
        line = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(line, text.encode())
        os.close(line)


def holds_the_interpreter(state, path):
    note(state, path)
    return pow(7, 10**9, 10**400_000)  # one call of C, for minutes


def eats(state, how_much):
    return len(bytearray(how_much))


def eats_slowly(state):
    pieces = []
    while True:
        pieces.append("x" * 1_000_000 + str(len(pieces)))


def killed_once(state, path):
    if os.path.exists(path):
        return "done"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    os.kill(os.getpid(), signal.SIGKILL)
    return None


def segfaults(state):
    ctypes.string_at(0)


def exits(state):
    os._exit(0)


def big(state, size):
    return b"r" * size


def writes(state):
    print("to standard output" * 1000, flush=True)
    print("to standard error" * 1000, file=sys.stderr, flush=True)
    os.write(1, b"\0\0\0")
    os.write(2, b"\0\0\0")
    return "written"


def alarm(state):
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    return "set"


def keeps(state, size):
    state.kept.append(b"k" * size)
    return os.getpid()


def odd(state):
    return Odd()


def unpicklable(state):
    return lambda: None


class Evil:
    def __reduce__(self):
        return os.mkdir, ("/nowhere",)


def evil(state):
    return Evil()


def goes_mad(state):
    os.write(int(sys.argv[1]), b"\xff" * 16)
    time.sleep(60)


def secrets(state):
    serving = state.serving
    return dict(serving.secrets), serving.token, dict(serving.policy)


def environment(state):
    return dict(os.environ)


def limits(state):
    import resource

    return resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_CORE)


def collecting(state):
    return gc.isenabled()


JOBS = {
    name: value for name, value in list(globals().items())
    if callable(value) and not isinstance(value, type) and name != "open"
}  # fmt: skip
