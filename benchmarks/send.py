"""What `headroom send` adds to a call: time before the first byte, and memory on a long answer.

python benchmarks/send.py [--runs 20] [--headroom PATH] [--wheel]

The peer is a script of twenty lines that posts the same body with httpx and copies the answer to standard output: what
anybody would write instead. Both talk to tests/provider.py on loopback and take turns. The request is a conversation of
100 KB; a fresh store pays for compressing all of it, a later turn for its new output, a warm one for looking it up.
Target: 30 ms more than the peer. The bare figure of `send --dry-run` and that of the interpreter stand beside it.
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

import startup

ROOT = Path(__file__).parent.parent
PEER = """
import os, sys
import httpx
body = sys.stdin.buffer.read()
headers = {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": "2023-06-01",
           "content-type": "application/json", "accept-encoding": "identity"}
with httpx.Client(timeout=600, verify=False) as client:
    address = os.environ["ANTHROPIC_TARGET_API_URL"] + "/v1/messages"
    with client.stream("POST", address, content=body, headers=headers) as reply:
        for chunk in reply.iter_bytes():
            os.write(1, chunk)
"""
HUGE = 100_000_000  # bytes of the long answer, about


def conversation(calls: int = 10) -> bytes:
    """Return a request: each of ten calls and their results is 10 KB."""
    turns = [{"role": "user", "content": "why does the deployment fail?"}]
    for call in range(calls):
        use = {"type": "tool_use", "id": f"t{call}", "name": "Bash", "input": {"command": f"cat app-{call}.log"}}
        log = "".join(
            f"2026-01-01T00:{i // 60:02d}:{i % 60:02d}Z INFO worker-{i % 7} took {call * 1000 + i} in {i * 7 % 93} ms\n"
            for i in range(178)
        )
        result = {"type": "tool_result", "tool_use_id": f"t{call}", "content": log + f"ERROR no space on disk {call}\n"}
        turns += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    tool = {"name": "Bash", "description": "runs a command", "input_schema": {"type": "object"}}
    value = {"model": "claude-sonnet-4-5", "max_tokens": 1000, "stream": True, "tools": [tool], "messages": turns}
    return json.dumps(value).encode()


class Provider:
    """tests/provider.py as a process of its own."""

    def __init__(self, replies: list) -> None:
        """Start it with these replies."""
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as script:
            json.dump(replies, script)
        command = [sys.executable, str(ROOT / "tests" / "provider.py"), "--script", script.name]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()

    def close(self) -> None:
        """End it."""
        self.process.stdin.close()
        self.process.wait(10)


def first_byte(command: list[str], given: Path, environment: dict[str, str]) -> float:
    """Return the milliseconds from the start of a process to its first byte."""
    with given.open("rb") as stdin:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        os.read(process.stdout.fileno(), 1)
        first = time.perf_counter() - started
        process.stdout.read()
        process.stdout.close()
        if process.wait(30):
            sys.exit(f"{command}: status {process.returncode}")
    return first * 1000


def times(headroom: str, python: str, runs: int) -> None:
    body = conversation()
    provider = Provider([{"parts": [{"text": "It is the disk."}]}])
    base = {**os.environ, "ANTHROPIC_API_KEY": "k", "ANTHROPIC_TARGET_API_URL": provider.url, "NO_PROXY": "*"}
    base.pop("PYTHONDONTWRITEBYTECODE", None)
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder, "request.json")
        given.write_bytes(body)
        warm = {**base, "HEADROOM_STORE": f"{folder}/warm"}
        first_byte([headroom, "send", "-q"], given, warm)
        before = Path(folder, "before.json")
        before.write_bytes(conversation(9))
        first_byte([headroom, "send", "-q"], before, {**base, "HEADROOM_STORE": f"{folder}/before"})
        for run in range(runs):
            fresh = {**base, "HEADROOM_STORE": f"{folder}/fresh{run}"}
            turn = {**base, "HEADROOM_STORE": f"{folder}/turn{run}"}
            shutil.copytree(f"{folder}/before", f"{folder}/turn{run}", symlinks=True)
            for name, command, environment in (
                ("interpreter", [python, "-c", "print()"], base),
                ("peer (httpx)", [python, "-c", PEER], base),
                ("send, one new output", [headroom, "send", "-q"], turn),
                ("send, warm store", [headroom, "send", "-q"], warm),
                ("send, fresh store", [headroom, "send", "-q"], fresh),
                ("send --dry-run, warm", [headroom, "send", "-q", "--dry-run"], warm),
            ):
                found.setdefault(name, []).append(first_byte(command, given, environment))
    provider.close()
    print(f"request of {len(body):,} bytes, medians of {runs} runs that take turns, ms to the first byte")
    peer = statistics.median(found["peer (httpx)"])
    for name, values in found.items():
        middle = statistics.median(values)
        print(f"{name:22} {middle:7.1f}   {middle - peer:+7.1f} against the peer   (best {min(values):.1f})")


def memory(headroom: str) -> None:
    """Measure the peak of a long streamed answer, without and with our tool in the request, and with conversion."""
    print(f"\n{'answer':34} {'MB':>6} {'peak MB':>8} {'s':>6}")
    tool = {"name": "Bash", "description": "runs", "input_schema": {"type": "object"}}
    plain = {"model": "m", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    for size in (1_000_000, HUGE):
        provider = Provider([{"parts": [{"text": "word " * 200, "times": size // 1130}], "pieces": 1000}])
        base = {
            **os.environ, "ANTHROPIC_API_KEY": "k", "ANTHROPIC_TARGET_API_URL": provider.url, "NO_PROXY": "*",
            "OPENAI_API_KEY": "k", "OPENAI_TARGET_API_URL": provider.url,
        }  # fmt: skip
        for name, request, flags in (
            ("as it comes", plain, ()),
            ("with our tool", {**plain, "tools": [tool]}, ()),
            ("--text", plain, ("--text",)),
            ("from OpenAI Chat, converted", plain, ("--backend", "openai", "--from", "anthropic")),
        ):  # fmt: skip
            with tempfile.TemporaryDirectory() as folder:
                given = Path(folder, "in")
                given.write_bytes(json.dumps(request).encode())
                with given.open("rb") as stdin, Path(folder, "out").open("wb") as out:
                    started = time.perf_counter()
                    process = subprocess.Popen(
                        [headroom, "send", "-q", *flags], stdin=stdin, stdout=out,
                        env={**base, "HEADROOM_STORE": f"{folder}/store"},
                    )  # fmt: skip
                    _, status, usage = os.wait4(process.pid, 0)
                    elapsed = time.perf_counter() - started
                if status:
                    sys.exit(f"{name}: status {os.waitstatus_to_exitcode(status)}")
                written = Path(folder, "out").stat().st_size
            peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
            print(f"{name:34} {written / 1e6:6.1f} {peak / 1e6:8.1f} {elapsed:6.1f}")
        provider.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--headroom", default=str(Path(sys.executable).parent / "headroom"))
    parser.add_argument("--wheel", action="store_true", help="install a wheel into a temporary environment first")
    parser.add_argument("--only", choices=["time", "memory"])
    chosen = parser.parse_args()
    folder = None
    if chosen.wheel:
        chosen.headroom, folder = startup.install()
    python = str(Path(chosen.headroom).parent / "python")
    if chosen.only != "memory":
        times(chosen.headroom, python, chosen.runs)
    if chosen.only != "time":
        memory(chosen.headroom)
    if folder is not None:
        folder.cleanup()


if __name__ == "__main__":
    main()
