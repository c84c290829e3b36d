"""The ledger: one line per run, whatever happens to the file."""

import os
import random
import stat
import subprocess
import sys
import time

import pytest

from headroom_cli import ledger, money
from headroom_cli.errors import StoreError, StoreRefusedError
from headroom_cli.model import Report


@pytest.fixture
def root(tmp_path):
    return str(tmp_path / "store")


def run(verb="crush", when=1.7e9, **kinds):
    return {"when": when, "verb": verb, "ms": 4.5, "kinds": kinds}


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
        assert money.report(lines)["all"]["runs"] == len(lines)
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
    assert {name: total["runs"] for name, total in money.report(ledger.read(root))["verb"].items()} == {
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


def test_a_long_ledger_is_read_in_pieces(root, tmp_path):
    ledger.append(root, run())
    path = tmp_path / "store" / "ledger" / "202311.jsonl"
    line = path.read_bytes()
    path.write_bytes(line * 40_000 + b"{" * 300_000 + b"\n" + line + line[:-1])
    assert sum(1 for _ in ledger.read(root)) == 40_002
    (tmp_path / "store" / "ledger" / "202401.jsonl").mkdir()
    assert sum(1 for _ in ledger.read(root, since=1.7e9)) == 40_002
    assert not list(ledger.read(root, since=1.75e9))


def test_tools_are_summed_up_and_bounded():
    reports = []
    for number in range(100):
        report = Report("", "tool", f"tool {number % 50}\n" if number else "")
        report.before, report.after = 10, 4
        reports.append(report)
    sums = ledger.tools(reports)
    assert len(sums) == 32
    assert sum(row["blocks"] for row in sums.values()) == 99  # one was made by no tool
    assert sums["tool 1"] == {"blocks": 2, "before": 20, "after": 8}
    assert sums["other"]["blocks"] == 99 - sum(row["blocks"] for name, row in sums.items() if name != "other")
    assert ledger.tools(reports, sums) is sums
    assert sums["tool 1"]["blocks"] == 4


def test_a_project_is_named_by_the_setting_or_by_the_working_tree(tmp_path, monkeypatch):
    tree = tmp_path / "shop"
    (tree / "src" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tree / "src" / "deep")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tree / ".git").write_text("gitdir: elsewhere\n")  # as in a worktree
    assert ledger.project() == "shop"
    assert ledger.project(" my\x1b[31m work " + "x" * 500) == "my[31m work " + "x" * 86
    monkeypatch.setenv("HOME", str(tree))
    assert ledger.project() == ""  # the name of a person's home is no work's
    (tmp_path / "me").symlink_to(tree)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert ledger.project() == ""


def test_a_conversation_is_named_by_its_first_words():
    asked = {"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": "fix it"}]}
    longer = {"messages": [*asked["messages"], {"role": "assistant", "content": "on it"}], "model": "other"}
    assert ledger.conversation(asked) == ledger.conversation(longer) != ""
    assert ledger.conversation({"input": "fix it"}) != ledger.conversation({"input": "fix that"})
    marked = {"type": "text", "text": "fix it", "cache_control": {"type": "ephemeral"}}
    said = ("fix it", [{"role": "user", "content": "fix it"}], [{"role": "user", "content": [marked]}])
    assert len({ledger.conversation({"input": turns}) for turns in said}) == 1
    assert ledger.conversation({"messages": 3}) == ledger.conversation({}) == ""
