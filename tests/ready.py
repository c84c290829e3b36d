"""`headroom send` with its imports done, for tests that start it hundreds of times: each run is a fork of one process.

A run has its own process, pipes, environment, folder and exit; only the interpreter's start and the imports are shared.

python tests/ready.py SOCKET   waits there for runs, until the other end of its standard input is closed
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

SECONDS = 60  # that a run may take
# What `headroom send` imports: every page of memory more makes a fork dearer.
LOADED = ("cli.send", "upstream", "ledger", "compressors.records", "compressors.logs")
PACKAGES = ("align", "dedup", "formats", "send", "shaping", "wire")


class Ready:
    """The waiting process, seen from the tests."""

    def __init__(self, folder, env):
        """Start it with an environment; its socket lies in a folder."""
        self._path = str(folder / "ready")
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env
        )
        assert self._process.stdout.readline() == b"ready\n"

    def close(self):
        """End it; no run is left by then."""
        self._process.stdin.close()
        self._process.wait(SECONDS)
        self._process.stdout.close()

    def run(self, *arguments, stdin, cwd, env):
        """Do what subprocess.run does with the command and these arguments."""
        (theirs, given), (out, their_out), (err, their_err) = pipes = [os.pipe() for _ in range(3)]
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(2 * SECONDS)
                line.connect(self._path)
                told = json.dumps({"arguments": arguments, "cwd": str(cwd), "env": env}).encode()
                socket.send_fds(line, [len(told).to_bytes(8, "big")], [theirs, their_out, their_err])
                line.sendall(told)
                for end in (theirs, their_out, their_err):
                    os.close(end)
                pipes = []
                with open(out, "rb") as output, open(err, "rb") as errors:
                    read = {}
                    others = [
                        threading.Thread(target=lambda: read.update(err=errors.read())),
                        threading.Thread(target=_feed, args=(given, stdin)),
                    ]
                    for other in others:
                        other.start()
                    read["out"] = output.read()
                    for other in others:
                        other.join()
                status = line.recv(4, socket.MSG_WAITALL)
                assert len(status) == 4, "what all runs are forks of has ended"
        finally:
            for end in (end for pair in pipes for end in pair):
                os.close(end)
        return subprocess.CompletedProcess(
            arguments, int.from_bytes(status, "big", signed=True), read["out"], read["err"]
        )


def _feed(end, data):
    # Who reads no further has what it wants, as in subprocess.run.
    with contextlib.suppress(BrokenPipeError), open(end, "wb") as to:
        to.write(data)


def _begin(line):
    """Start the run that the other end of a line asks for; return its process."""
    size, streams, _, _ = socket.recv_fds(line, 8, 3)
    told = json.loads(line.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL))
    child = os.fork()
    if child == 0:
        for descriptor, stream in enumerate(streams):
            os.dup2(stream, descriptor)
        os.closerange(3, 64)  # all that is open here: streams, lines, the listener
        os.chdir(told["cwd"])
        os.environ.clear()
        os.environ.update(told["env"])
        time.tzset()
        sys.argv[1:] = told["arguments"]
        from headroom_cli.__main__ import main

        main()
    for stream in streams:
        os.close(stream)
    return child


def _serve(path):
    """Fork for each run that is asked for, and tell the status of each that ended."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        os.write(1, b"ready\n")
        running = {}
        while True:
            readable, _, _ = select.select([0, listener, *running], [], [], 1)
            if 0 in readable:
                return
            if listener in readable:
                line, _ = listener.accept()
                child = _begin(line)
                running[os.pidfd_open(child)] = child, line, time.monotonic() + SECONDS
            for ended in running.keys() & set(readable):
                child, line, _ = running.pop(ended)
                os.close(ended)
                with line, contextlib.suppress(BrokenPipeError):  # who asked may be gone
                    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                    line.sendall(status.to_bytes(4, "big", signed=True))
            for child, _, latest in running.values():
                if time.monotonic() > latest:  # its status then says what killed it
                    os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    for name in ("httpx", *(f"headroom_cli.{module}" for module in LOADED)):
        importlib.import_module(name)
    for name in PACKAGES:
        package = importlib.import_module(f"headroom_cli.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    gc.disable()  # as the command does; a collection in a child would copy every page of its parent's objects
    gc.collect()
    gc.freeze()
    _serve(Path(sys.argv[1]).as_posix())
