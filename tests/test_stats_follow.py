"""``headroom stats --follow``: every run of every process, once, whatever happens to the ledger's files."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest
from conftest import clean_environment

from headroom_cli import ledger
from headroom_cli.cli import stats_follow

WHEN = 1.7e9  # November 2023
NEXT_MONTH = 1.702e9


def run(before=1000, after=400, when=WHEN, verb="crush", **more):
    return {"when": when, "verb": verb, "ms": 12.5, "tokens": {"before": before, "after": after}, "kinds": {}, **more}


@pytest.fixture
def root(tmp_path):
    return str(tmp_path / "store")


class Following:
    """The command as a process, its lines read as they come."""

    def __init__(self, folder, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "headroom_cli", "stats", "--follow", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            cwd=folder, env=clean_environment(folder),
        )  # fmt: skip
        self.timer = threading.Timer(60, self.process.kill)
        self.timer.start()

    def line(self):
        return self.process.stdout.readline().decode()

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        rest, errors = self.process.communicate()
        self.timer.cancel()
        return self.process.returncode, rest, errors

    def close(self):
        self.timer.cancel()
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def follow(tmp_path):
    with contextlib.ExitStack() as stack:

        def start(*arguments):
            following = Following(tmp_path, "--store", str(tmp_path / "store"), *arguments)
            stack.callback(following.close)
            return following

        yield start


def test_the_sum_comes_first_and_then_each_run(follow, root):
    ledger.append(root, run())
    ledger.append(root, run(2000, 1000))
    following = follow()
    assert following.line() == "2 runs so far, 3,000 -> 1,400 tokens, 53 % saved; waiting for more\n"
    usage = {"input_tokens": 10, "cache_read_input_tokens": 80, "cache_creation_input_tokens": 10, "output_tokens": 5}
    ledger.append(root, run(verb="proxy", model="claude-opus-5", format="anthropic", usage=usage, when=WHEN + 61))
    line = following.line()
    assert line.split() == [
        "22:14:21", "proxy", "claude-opus-5", "1,000", "->", "400", "-60", "%", "12", "ms", "cache", "80", "%",
    ]  # fmt: skip
    ledger.append(root, run(500, 500))
    assert following.line().split() == ["22:13:20", "crush", "-", "500", "->", "500", "0", "%", "12", "ms"]
    assert following.end() == (130, b"", b"")


def test_with_json_every_line_is_an_object(follow, root):
    following = follow("--json")
    total = json.loads(following.line())
    assert (total["v"], total["store"], total["total"]["runs"]) == (1, root, 0)
    usage = {"prompt_tokens": 200, "prompt_tokens_details.cached_tokens": 50, "completion_tokens": 9}
    ledger.append(root, run(model="gpt-5.6", format="openai", usage=usage))
    assert json.loads(following.line()) == {
        "v": 1, "when": WHEN, "verb": "crush", "model": "gpt-5.6", "tokens": {"before": 1000, "after": 400},
        "saved": 600, "ms": 12.5, "cache_share": 0.25,
    }  # fmt: skip
    assert following.end(signal.SIGINT)[0] == 130


def test_it_waits_for_a_store_that_is_not_there_yet_and_sees_other_processes(follow, headroom, root):
    following = follow()
    assert following.line() == "nothing in the ledger yet; waiting for runs\n"
    assert not os.path.exists(root)
    data = json.dumps([{"id": i, "name": f"name {i % 3}", "state": "ready"} for i in range(200)]).encode()
    for _ in range(2):
        assert headroom("crush", "--store", root, stdin=data).returncode == 0
        line = following.line().split()
        assert (line[1], line[6].startswith("-")) == ("crush", True)
    assert following.end()[0] == 130


def test_a_reader_that_goes_away_ends_it_also_while_nothing_comes(follow, root):
    following = follow()
    assert following.line()
    following.process.stdout.close()
    assert following.process.wait(30) == 141
    assert following.process.stderr.read() == b""


def test_it_follows_nothing_but_the_ledger(headroom):
    for arguments in (("trace.json",), ("--diff", "a", "b")):
        done = headroom("stats", "--follow", *arguments)
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"leave out FILE and --diff" in done.stderr


def test_quiet_leaves_out_the_sum(follow, root):
    following = follow("--quiet")
    told = threading.Event()

    def work():
        while not told.wait(0.1):  # what is there when it begins is in the sum, which is left out
            ledger.append(root, run(7, 3))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        assert following.line().split()[3:6] == ["7", "->", "3"]
    finally:
        told.set()
        worker.join()


# --- what happens to the files


def numbers(tail):
    return [line["tokens"]["before"] for line in tail.lines()]


def test_every_line_comes_once_over_the_change_of_the_month(root):
    tail = stats_follow.Tail(root)
    assert numbers(tail) == []
    for i in range(5):
        ledger.append(root, run(i))
    assert numbers(tail) == [0, 1, 2, 3, 4]
    assert numbers(tail) == []
    ledger.append(root, run(5))
    ledger.append(root, run(6, when=NEXT_MONTH))
    ledger.append(root, run(7))  # a slow one of the old month
    assert numbers(tail) == [5, 7, 6]
    assert numbers(tail) == []


def path_of(root):
    (name,) = os.listdir(f"{root}/ledger")
    return f"{root}/ledger/{name}"


def test_a_line_that_is_written_in_pieces_comes_when_it_is_whole(root):
    ledger.append(root, run(1))
    tail = stats_follow.Tail(root)
    assert numbers(tail) == [1]
    text = json.dumps(run(2)).encode() + b"\n"
    with open(path_of(root), "ab", buffering=0) as file:
        for i in range(len(text) - 1):
            file.write(text[i : i + 1])
            if i % 20 == 0:
                assert numbers(tail) == []
        file.write(text[-1:])
    assert numbers(tail) == [2]


def test_a_torn_line_is_skipped_and_costs_no_other(root):
    ledger.append(root, run(1))
    tail = stats_follow.Tail(root)
    assert numbers(tail) == [1]
    with open(path_of(root), "ab") as file:
        file.write(b'{"when": 17000')
    assert numbers(tail) == []
    ledger.append(root, run(2))
    assert numbers(tail) == [2]
    with open(path_of(root), "ab") as file:
        file.write(b'\n\n[1]\n"x"\n\xff\xfe\nnull\n{"a": NaN}\n' + b"[" * 5000 + b"\n")
    assert [line for line in tail.lines() if "a" not in line] == []
    with open(path_of(root), "ab") as file:
        file.write(b"\0" * 300_000)
    assert numbers(tail) == []
    assert len(next(iter(tail._read.values()))[2]) <= 1
    ledger.append(root, run(3))
    assert numbers(tail) == [3]


def test_a_file_that_was_cut_replaced_or_removed_tells_its_new_runs_once(root):
    for i in range(3):
        ledger.append(root, run(i))
    tail = stats_follow.Tail(root)
    assert numbers(tail) == [0, 1, 2]
    path = path_of(root)
    with open(path, "r+b") as file:
        file.truncate(len(file.read()) // 2)
    assert numbers(tail) == []
    ledger.append(root, run(9, when=WHEN + 1))
    assert numbers(tail) == [9]
    # Rewritten and put in its place, with a run that came meanwhile.
    with open(path, "rb") as file, open(f"{path}.new", "wb") as new:
        new.write(file.read() + json.dumps(run(10, when=WHEN + 2)).encode() + b"\n")
    os.chmod(f"{path}.new", 0o600)
    os.replace(f"{path}.new", path)
    assert numbers(tail) == [10]
    # A store that was removed and begins again.
    shutil.rmtree(root)
    assert numbers(tail) == []
    ledger.append(root, run(11))
    assert numbers(tail) == [11]


def test_what_is_no_file_of_the_ledger_is_not_read(root, tmp_path):
    ledger.append(root, run(1))
    for name in ("202312.jsonl.bak", "notes.jsonl", "2023.jsonl"):
        (tmp_path / "store" / "ledger" / name).write_text(json.dumps(run(5)) + "\n")
    (tmp_path / "store" / "ledger" / "202312.jsonl").mkdir()
    (tmp_path / "store" / "ledger" / "202401.jsonl").symlink_to("202312.jsonl.bak")
    assert numbers(stats_follow.Tail(root)) == [1]


def test_many_writers_and_one_follower_agree(root):
    tail = stats_follow.Tail(root)
    writers = [
        threading.Thread(target=lambda k=k: [ledger.append(root, run(1000 * k + i)) for i in range(60)])
        for k in range(4)
    ]
    for writer in writers:
        writer.start()
    seen = []
    while any(writer.is_alive() for writer in writers):
        seen += numbers(tail)
    seen += numbers(tail)
    assert sorted(seen) == sorted(1000 * k + i for k in range(4) for i in range(60))


ODD = [
    {}, {"when": "x", "verb": 5, "model": ["m"], "tokens": 7, "ms": "1", "usage": []}, {"when": -1}, {"when": 1e300},
    {"when": float("nan")}, {"when": True, "tokens": {"before": "a", "after": None}},
    {"usage": {"input_tokens": -5, "prompt_tokens": "7", "cache_read_input_tokens": True}},
    {"usage": {"prompt_tokens": 0}}, {"kinds": {"json": {"before": 5, "after": 2}}},
    {"verb": "a\x1b[31m\n", "model": "\u202e\x9b" * 90},
]  # fmt: skip


@pytest.mark.parametrize("line", ODD, ids=str)
def test_odd_lines_are_a_line_all_the_same(line):
    known = stats_follow.facts(line)
    assert stats_follow.row(known).isprintable()
    assert "\n" not in json.dumps(known)
    assert (known["cache_share"] is None) or 0 <= known["cache_share"] <= 1
