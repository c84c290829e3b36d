"""How long a small `headroom crush` takes from start to exit, beside `jq -c .`: the target is 2x, the aim 1x.

`--help` may take 5x.

python benchmarks/startup.py [--runs 60] [--headroom PATH] [--wheel]

The commands take turns, so that a noisy moment hits all of them; the ratio is of medians. What counts is an installed
wheel with its .pyc files: --wheel makes one in a temporary environment; otherwise the `headroom` beside this Python is
measured, and it is said when that is an editable installation (slower: it runs a .pth file).
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent


def inputs() -> dict[str, bytes]:
    """Return 1 KB in the shapes that a small input has."""
    rows = json.dumps([{"id": i, "name": f"worker-{i}", "state": "ready", "zone": "eu-1a"} for i in range(16)])
    call = {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "cat app.log"}}
    log = "".join(f"2026-01-01T00:00:{i:02d}Z INFO worker-{i % 4} ready\n" for i in range(16))
    turns = [
        {"role": "user", "content": "what happened?"},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": log}]},
    ]
    unique = json.dumps({"path": [f"{i * 7919 % 10007:x}-{i * 104729 % 99991:x}" for i in range(60)]})
    return {"records": rows.encode(), "conversation": json.dumps(turns).encode(), "nothing to gain": unique.encode()}


def install() -> tuple[str, tempfile.TemporaryDirectory]:
    """Install this checkout's wheel into an environment of its own."""
    folder = tempfile.TemporaryDirectory()
    subprocess.run([sys.executable, "-m", "venv", folder.name], check=True)
    python = f"{folder.name}/bin/python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", str(ROOT)], check=True)
    # pip keeps setuptools in a fresh environment of older Pythons; its .pth file costs every start.
    subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", "setuptools"], check=False, capture_output=True)
    return f"{folder.name}/bin/headroom", folder


def once(command: list[str], given: str, environment: dict[str, str]) -> tuple[float, float]:
    """Return the milliseconds of one run: on the wall and on the processor."""
    with open(given, "rb") as stdin:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        elapsed = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command}: status {process.returncode}")
    return elapsed * 1000, (used.ru_utime + used.ru_stime) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--headroom", default=str(Path(sys.executable).with_name("headroom")))
    parser.add_argument("--wheel", action="store_true")
    asked = parser.parse_args()
    headroom, folder = install() if asked.wheel else (asked.headroom, None)
    python = str(Path(headroom).with_name("python"))
    place = subprocess.run(
        [python, "-c", "import headroom_cli; print(headroom_cli.__file__)"],
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    ).stdout
    if "site-packages" not in place:
        print("note: an editable installation is measured; --wheel measures what users get")
    samples = inputs()
    with tempfile.TemporaryDirectory() as home:
        files = {"": os.devnull}
        for name, data in samples.items():
            files[name] = f"{home}/{name}"
            Path(files[name]).write_bytes(data)
        environment = {**os.environ, "HOME": home, "HEADROOM_STORE": f"{home}/store"}
        rows = {
            "python -c pass": ([python, "-c", "pass"], ""),
            "python -c 'import json'": ([python, "-c", "import json"], ""),
        }
        if shutil.which("jq"):
            rows = {"jq -c .": (["jq", "-c", "."], "records"), **rows}
        rows |= {f"crush: {name}": ([headroom, "crush", "-q"], name) for name in samples}
        handle = handle_of(headroom, environment)
        rows |= {
            "crush --lossless: records": ([headroom, "crush", "-q", "--lossless"], "records"),
            "retrieve HANDLE": ([headroom, "retrieve", handle], ""),
            "count": ([headroom, "count", "-q"], "records"),
            "--version": ([headroom, "--version"], ""),
            "--help": ([headroom, "--help"], ""),
            "crush --help": ([headroom, "crush", "--help"], ""),
            "config path (typer)": ([headroom, "config", "path"], ""),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in rows}
        for _ in range(asked.runs + 3):
            for name, (command, given) in rows.items():
                taken[name].append(once(command, files[given], environment))
    peer = next(iter(rows))
    print(f"{'1 KB, start to exit':28}   min ms   p50 ms   p90 ms   cpu ms {'x ' + peer:>11}  x cpu")
    middles = {}
    for name, times in taken.items():
        wall, cpu = (sorted(column) for column in zip(*times[3:], strict=True))  # the first rounds warm the caches
        middles[name] = statistics.median(wall), statistics.median(cpu)
        ratios = [mine / theirs for mine, theirs in zip(middles[name], middles[peer], strict=True)]
        print(
            f"{name:28} {wall[0]:8.1f} {middles[name][0]:8.1f} {wall[int(len(wall) * 0.9)]:8.1f} "
            f"{middles[name][1]:8.1f} {ratios[0]:11.2f} {ratios[1]:6.2f}"
        )
    if folder is not None:
        folder.cleanup()


def handle_of(headroom: str, environment: dict[str, str]) -> str:
    """Store something and return its handle."""
    log = b"".join(b"2026-01-01T00:00:00Z INFO request %d served in %d ms\n" % (i, i * 7 % 90) for i in range(500))
    subprocess.run(
        [headroom, "crush", "-q", "--level", "max"], input=log, capture_output=True, env=environment, check=False
    )
    listed = subprocess.run(
        [headroom, "store", "list", "--json"], capture_output=True, env=environment, check=False
    ).stdout
    return json.loads(listed.splitlines()[0])["handle"] if listed else "a" * 12


if __name__ == "__main__":
    main()
