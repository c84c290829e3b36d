"""The ledger: one line per run, whatever happens to the file."""

import json
import os
import random
import stat
import subprocess
import sys
import time

import pytest

from headroom_cli import ledger
from headroom_cli.errors import StoreError, StoreRefusedError


@pytest.fixture
def root(tmp_path):
    return str(tmp_path / "store")


def run(verb="crush", when=1.7e9, **kinds):
    return {"when": when, "verb": verb, "ms": 4.5, "kinds": kinds}


def part(blocks, before, after):
    return {"blocks": blocks, "before": before, "after": after, "kept": {}}


def test_what_is_appended_is_read_in_order_of_the_months(root, tmp_path):
    lines = [run(when=when) for when in (1.7e9, 1.71e9, 1.7e9 + 5)]
    for line in lines:
        ledger.append(root, line)
    assert list(ledger.read(root)) == [lines[0], lines[2], lines[1]]
    assert list(ledger.read(root, since=1.7e9 + 1)) == [lines[2], lines[1]]
    assert [path.name for path in sorted((tmp_path / "store" / "ledger").iterdir())] == ["202311.jsonl", "202403.jsonl"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "store" / "ledger").iterdir()} == {0o600}


def test_the_time_is_added_and_the_callers_line_is_left_alone(root):
    line = {"verb": "crush"}
    ledger.append(root, line)
    assert line == {"verb": "crush"}
    (read,) = ledger.read(root)
    assert abs(read["when"] - time.time()) < 5


def test_no_store_has_no_runs_and_reading_makes_none(root, tmp_path):
    assert list(ledger.read(root)) == []
    assert list(tmp_path.iterdir()) == []


def test_damaged_lines_are_skipped(root, tmp_path):
    for number in range(20):
        ledger.append(root, run(when=1.7e9 + number))
    path = tmp_path / "store" / "ledger" / "202311.jsonl"
    whole = path.read_bytes()
    rng = random.Random(1)
    for _ in range(200):
        at = rng.randrange(len(whole))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1 :])
        lines = list(ledger.read(root))
        assert 18 <= len(lines) <= 20
        ledger.summary(lines)
    path.write_bytes(whole + b"[" * 200_000 + b"\n1\nnull\n\xff\n{}\n")
    assert len(list(ledger.read(root))) == 21


def test_a_line_after_a_torn_one_stands_alone(root, tmp_path):
    ledger.append(root, run())
    path = tmp_path / "store" / "ledger" / "202311.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    ledger.append(root, run("route"))
    assert [line["verb"] for line in ledger.read(root)] == ["route"]


def test_many_processes_lose_no_line(root):
    script = (
        "import sys; from headroom_cli import ledger\n"
        "for number in range(200):\n"
        "    ledger.append(sys.argv[1], {'when': 1.7e9, 'verb': sys.argv[2], 'pad': 'x' * number})"
    )
    running = [subprocess.Popen([sys.executable, "-c", script, root, str(number)]) for number in range(6)]
    assert [process.wait() for process in running] == [0] * 6
    assert {name: total["runs"] for name, total in ledger.summary(ledger.read(root))["verb"].items()} == {
        str(number): 200 for number in range(6)
    }


def test_failures_are_store_errors(root, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreRefusedError):
        ledger.append(str(tmp_path / "file"), run())
    with pytest.raises(StoreError, match="left out"):
        ledger.append(root, {"pad": "x" * 100_000})
    ledger.append(root, run())
    path = tmp_path / "store" / "ledger" / "202311.jsonl"
    path.unlink()
    os.symlink(tmp_path / "file", path)
    with pytest.raises(StoreRefusedError):
        ledger.append(root, run())
    assert (tmp_path / "file").read_text() == "mine"


def test_summary_adds_up_by_verb_kind_and_day():
    lines = [
        run("crush", 1.7e9, log=part(2, 1_000, 200), json=part(1, 500, 100)),
        run("crush", 1.7e9 + 86_400, log=part(1, 10, 5)),
        {"when": 1.7e9, "verb": "route", "ms": 1, "tokens": {"before": 50, "after": 40}},
    ]
    total = ledger.summary(lines)
    assert total["all"] == {"runs": 3, "blocks": 4, "before": 1_560, "after": 345, "saved": 1_215, "ms": 10.0}
    assert total["verb"]["route"] == {"runs": 1, "blocks": 0, "before": 50, "after": 40, "saved": 10, "ms": 1}
    assert total["kind"]["log"] == {"runs": 2, "blocks": 3, "before": 1_010, "after": 205, "saved": 805, "ms": 0}
    assert {day: entry["runs"] for day, entry in total["day"].items()} == {"2023-11-14": 2, "2023-11-15": 1}
    assert sum(entry["saved"] for entry in total["verb"].values()) == total["all"]["saved"]
    assert json.loads(json.dumps(total)) == total


def test_summary_of_nothing_and_of_nonsense_is_zero():
    empty = ledger.summary([])
    assert empty["all"]["runs"] == 0
    nonsense = [
        {"when": "x", "kinds": [1], "ms": float("nan"), "tokens": 3, "verb": None},
        {"kinds": {"log": 1, "x": {"before": "y"}}},
    ]
    total = ledger.summary(nonsense)
    assert total["all"] == {"runs": 2, "blocks": 0, "before": 0, "after": 0, "saved": 0, "ms": 0}
