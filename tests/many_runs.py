"""Run the command line on many inputs in forked children: real streams and exits without a start-up for each.

python tests/many_runs.py FOLDER   runs every FOLDER/*.in through the filters and prints one JSON object per run
"""

import gc
import importlib
import json
import os
import pkgutil
import signal
import sys
from pathlib import Path

import headroom_cli
from headroom_cli.cli.main import main

SECONDS = 30


def run(arguments, given, folder):
    """Return the exit status (negative for a signal), the output and the messages of one run."""
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        for descriptor, name, mode in (
            (0, given, os.O_RDONLY),
            (1, folder / "out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
            (2, folder / "err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        ):
            os.dup2(os.open(name, mode), descriptor)
        os._exit(main(arguments))
    _, ended = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(ended), (folder / "out").read_bytes(), (folder / "err").read_bytes()


def everything(given, folder):
    """Yield the facts of each run on one input."""
    data = given.read_bytes()
    for level in ("safe", "max"):
        status, small, told = run(["crush", "-v", "--level", level], given, folder)
        yield {"run": f"crush {level}", "status": status, "err": told.decode(), "larger": len(small) > len(data)}
        (folder / "small").write_bytes(small)
        status, back, told = run(["retrieve", "--expand"], folder / "small", folder)
        unknown = small == data and status == 1  # the input held a marker of its own, which nobody here has given
        yield {"run": f"expand {level}", "status": 0 if unknown else status, "err": told.decode(), "same": back == data}
    status, table, told = run(["route", "--explain"], given, folder)
    yield {"run": "route --explain", "status": status, "err": told.decode(), "shown": table.decode()}
    status, table, told = run(["stats", "-"], given, folder)
    yield {"run": "stats -", "status": status, "err": told.decode(), "shown": table.decode()}
    status, same, told = run(["crush", "-q", "--from", "anthropic"], given, folder)
    ok = (status == 65 and not same) or status == 0
    yield {"run": "crush --from anthropic", "status": 0 if ok else status, "err": told.decode()}


if __name__ == "__main__":
    for module in pkgutil.walk_packages(headroom_cli.__path__, "headroom_cli."):
        # The callback for LiteLLM is of use beside LiteLLM alone.
        if not module.name.endswith(("__main__", ".litellm")):
            importlib.import_module(module.name)  # once, before the forks
    # As the command does. Frozen, because a collection in a child would copy every page of its parent's objects.
    gc.disable()
    gc.collect()
    gc.freeze()
    inputs = Path(sys.argv[1])
    scratch = inputs / "scratch"
    scratch.mkdir()
    for path in sorted(inputs.glob("*.in")):
        for facts in everything(path, scratch):
            print(json.dumps({"input": path.name, **facts}), flush=True)
