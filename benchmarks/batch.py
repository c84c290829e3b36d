"""What `headroom batch` costs: rows a second with one worker and two, CPU a row, memory of a worker, bytes kept.

    python benchmarks/batch.py [--rows N] [--rounds N] [--large N] [--folder FOLDER]

Rows are beginnings of agents' conversations, from the corpus beside the checkout where there is one, with a share of
their numbers drawn anew, so that no two have the same originals. Runs with one worker and with two take turns, each
into a new store and folder; `--large` then does so many rows once, from file to shards. FOLDER must be on the disk to
be measured. Other work on the machine shows in the seconds, and less in the CPU of a row: both are printed.
"""

import argparse
import glob
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
SHARED = os.environ.get("HEADROOM_SHARED") or os.path.join(os.path.dirname(ROOT), "shared")
CORPUS = os.environ.get("HEADROOM_CORPUS") or os.path.join(SHARED, "corpus")
NUMBER = re.compile(r"\d{2,8}")


def sources():
    """Return conversations to begin with: requests without tools."""
    found = []
    for name in sorted(glob.glob(f"{CORPUS}/traces_norm/*.json")) or [f"{ROOT}/examples/trace.json"]:
        with open(name, encoding="utf-8") as stream:
            value = json.load(stream)
        if isinstance(value, dict) and len(value.get("messages", ())) > 4:
            found.append([json.dumps(message) for message in value["messages"]])
    return found


def make(path, count, most):
    """Write so many rows of at most about ``most`` bytes; return the bytes and the messages."""
    draw = random.Random(11)
    found, size, messages = sources(), 0, 0

    def other(match):
        text = match[0]
        return str(draw.randrange(10 ** (len(text) - 1), 10 ** len(text))) if draw.random() < 0.2 else text

    with open(path, "w", encoding="utf-8") as stream:
        for number in range(count):
            source = draw.choice(found)
            head = [source[0].replace('"content": "', f'"content": "case {number}: ', 1)]
            wanted, held = draw.randrange(4, 12), len(head[0])
            for message in source[1:wanted]:
                if held + len(message) > most:
                    break
                head.append(NUMBER.sub(other, message))
                held += len(message)
            line = '{"model": "claude-sonnet-4-5", "messages": [' + ", ".join(head) + "]}\n"
            try:
                json.loads(line)
            except ValueError:  # an escape that a number was part of
                line = '{"model": "claude-sonnet-4-5", "messages": [' + ", ".join(source[: len(head)]) + "]}\n"
            size += stream.write(line)
            messages += len(head)
    return size, messages


class Watched:
    """One run as a process: its seconds, the CPU of all its processes, and the most memory that one of them had.

    ``path`` is the CPU of the first process and of the worker that worked most: the seconds on cores of its own.
    """

    def __init__(self, source, folder, workers):
        """Run to the end."""
        begun = time.perf_counter()
        with open(os.devnull, "wb") as nothing:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "headroom_cli", "batch", "--json", "--workers", str(workers), "--store",
                 f"{folder}/store", source, f"{folder}/out"],
                stdout=subprocess.PIPE, stderr=nothing, env={**os.environ, "PYTHONPATH": ROOT},
            )  # fmt: skip
        self.peak = 0
        self.used = {}
        self.ended = threading.Event()
        watching = threading.Thread(target=self.watch)
        watching.start()
        output = self.process.stdout.read()
        _, status, used = os.wait4(self.process.pid, 0)
        self.seconds = time.perf_counter() - begun
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.ended.set()
        watching.join()
        self.cpu = used.ru_utime + used.ru_stime
        self.told = json.loads(output)
        alone = self.used.pop(str(self.process.pid), 0.0)
        self.path = alone + max(self.used.values(), default=0.0)

    def watch(self):
        """Look at the memory and the CPU of the workers ten times a second."""
        ticks = os.sysconf("SC_CLK_TCK")
        while not self.ended.wait(0.1):
            for name in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{name}/stat", encoding="utf-8") as stream:
                        fields = stream.read().rpartition(")")[2].split()
                    if str(self.process.pid) in {name, fields[1]}:
                        self.used[name] = (int(fields[11]) + int(fields[12])) / ticks
                    if fields[1] == str(self.process.pid):
                        with open(f"/proc/{name}/status", encoding="utf-8") as stream:
                            kb = next((line.split()[1] for line in stream if line.startswith("VmHWM")), "0")
                        self.peak = max(self.peak, int(kb) << 10)
                except OSError:
                    continue


def under(folder):
    """Return files and bytes below a folder, as the disk counts them."""
    files = size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            files += 1
            size += os.stat(os.path.join(place, name)).st_blocks * 512
    return files, size


def one(source, folder, workers):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return Watched(source, folder, workers)


def scaling(source, folder, rounds):
    """Print one worker and two, in turn."""
    runs = {1: [], 2: []}
    print(f"{'workers':>8}{'rows/s':>10}{'CPU ms/row':>12}{'MB a worker':>13}")
    for turn in range(rounds):
        for workers in (1, 2) if turn % 2 else (2, 1):
            run = one(source, f"{folder}/run", workers)
            runs[workers].append(run)
            rows = run.told["rows"]
            print(f"{workers:>8}{rows / run.seconds:>10.1f}{1000 * run.cpu / rows:>12.2f}{run.peak / 1e6:>13.0f}")
    pairs = [one.seconds / (2 * two.seconds) for one, two in zip(runs[1], runs[2], strict=True)]
    work = [one.cpu / two.cpu for one, two in zip(runs[1], runs[2], strict=True)]
    print(f"efficiency of two workers by time: median {statistics.median(pairs):.2f}, best {max(pairs):.2f}")
    path = [one.path / (2 * two.path) for one, two in zip(runs[1], runs[2], strict=True)]
    print(
        f"efficiency by CPU of the worker that worked most: median {statistics.median(path):.2f}, best {max(path):.2f}"
    )
    print(f"CPU of one worker by CPU of two: median {statistics.median(work):.2f}")


def large(folder, count, most):
    """Print one run from file to shards."""
    source = f"{folder}/large.jsonl"
    size, messages = make(source, count, most)
    run = one(source, f"{folder}/run", 2)
    told = run.told
    files, stored = under(f"{folder}/run/store")
    print(f"{count:,} conversations, {messages:,} messages, {size / 1e6:,.0f} MB, two workers")
    print(f"{run.seconds:,.0f} s; {told['rows'] / run.seconds:,.0f} rows/s; {size / 1e6 / run.seconds:.2f} MB/s")
    print(f"CPU {run.cpu:,.0f} s: {1000 * run.cpu / told['rows']:.2f} ms a row, {size / 1e6 / run.cpu:.2f} MB/s a core")
    print(f"memory of the largest worker {run.peak / 1e6:.0f} MB")
    print(f"changed {told['changed']:,}, bad {told['bad']:,}")
    print(f"tokens {told['tokens_before']:,} -> {told['tokens_after']:,}")
    print(f"store: {files:,} files, {stored / 1e6:,.0f} MB on the disk, {stored / told['rows'] / 1000:.1f} KB a row")
    print(f"shards: {under(f'{folder}/run/out')[1] / 1e6:,.0f} MB on the disk")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--large", type=int, default=0)
    parser.add_argument("--most", type=int, default=12_000)
    parser.add_argument("--folder", default="")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder or None) as folder:
        if asked.rounds:
            size, messages = make(f"{folder}/in.jsonl", asked.rows, asked.most)
            print(f"{asked.rows:,} rows, {size / asked.rows:,.0f} bytes and {messages / asked.rows:.1f} messages each")
            scaling(f"{folder}/in.jsonl", folder, asked.rounds)
        if asked.large:
            large(folder, asked.large, asked.most)


if __name__ == "__main__":
    main()
