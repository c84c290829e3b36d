"""``headroom count``: the number of `stats`, alone where a script wants it, of one input or of several."""

import json
import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT, clean_environment
from inputs import EXAMPLES
from test_cli import LOG, TRACE, request

TRACES = {
    "a conversation": (EXAMPLES / "trace.json").read_bytes(),
    "one result": TRACE,
    "requests by lines": (TRACE + b"\n") * 2,
    "messages by lines": b"".join(json.dumps(message).encode() + b"\n" for message in request()["messages"]),
    "items": json.dumps({"model": "gpt-5", "input": [
        {"role": "user", "content": "why?"},
        {"type": "function_call", "call_id": "c", "name": "shell", "arguments": '{"command": "cat app.log"}'},
        {"type": "function_call_output", "call_id": "c", "output": LOG.decode()},
    ]}).encode(),
    "a log": LOG,
    "nothing": b"",
}  # fmt: skip


def test_the_number_stands_alone_in_quiet(headroom):
    done = headroom("count", "-q", stdin=LOG)
    assert (done.returncode, done.stderr) == (0, b"")
    assert re.fullmatch(rb"\d+\n", done.stdout)


@pytest.mark.parametrize("name", TRACES)
def test_it_is_the_number_of_stats(headroom, name):
    counted = json.loads(headroom("count", "--json", stdin=TRACES[name]).stdout)
    shown = json.loads(headroom("stats", "--json", "-", stdin=TRACES[name]).stdout)
    assert counted["tokens"] == shown["tokens"]
    assert counted["format"] in {shown["format"], "jsonl"}
    assert counted["estimated"] is True
    roles = {}
    for part in shown["parts"]:
        roles[part["role"]] = roles.get(part["role"], 0) + part["tokens"]
    if shown["format"] != "raw":
        assert {role: row["tokens"] for role, row in counted["roles"].items()} == roles
        assert sum(row["tokens"] for row in counted["roles"].values()) == counted["tokens"]


@pytest.mark.parametrize("shape", ["anthropic", "openai", "responses"])
def test_pictures_count_by_their_size(headroom, shape):
    pytest.importorskip("PIL")
    import pictures

    asked = pictures.request(shape, pictures.screenshot(size=(600, 400)), pictures.screenshot(size=(300, 200)))
    data = json.dumps(asked).encode()
    counted = json.loads(headroom("count", "--json", stdin=data).stdout)
    shown = json.loads(headroom("stats", "--json", "-", stdin=data).stdout)
    assert counted["tokens"] == shown["tokens"] > 200
    assert counted["uncounted_media"] == shown["uncounted_media"] == 0


def test_of_a_conversation_the_roles_follow_and_all_of_it_is_labelled(headroom):
    done = headroom("count", stdin=TRACES["a conversation"])
    first, heading, *rows = done.stdout.decode().splitlines()
    assert re.fullmatch(r"\d+ tokens, estimated", first)
    assert heading.split() == ["role", "blocks", "tokens", "share"]
    assert sum(int(row.split()[2]) for row in rows) == int(first.split()[0])
    assert headroom("count", stdin=LOG).stdout.count(b"\n") == 1


def test_several_files_have_a_total(headroom, tmp_path):
    (tmp_path / "a").write_bytes(LOG)
    (tmp_path / "b").write_bytes(TRACE)
    done = headroom("count", "-q", "a", "b", "-", stdin=b"some words\n")
    rows = [line.split() for line in done.stdout.decode().splitlines()]
    assert [name for _, name in rows] == ["a", "b", "-", "total"]
    assert sum(int(size) for size, _ in rows[:-1]) == int(rows[-1][0])
    assert headroom("count", "a", "b").stdout.splitlines()[0] == b"tokens, estimated  file"
    last = json.loads(headroom("count", "--json", "a", "b").stdout.splitlines()[-1])
    assert (last["files"], last["estimated"]) == (2, True)


def test_a_missing_file_among_several_is_named_and_the_others_count(headroom, tmp_path):
    (tmp_path / "a").write_bytes(LOG)
    done = headroom("count", "-q", "a", "none")
    assert done.returncode == 66
    assert done.stderr == b"headroom: none: no such file or directory; name a file that can be read\n"
    assert [line.split()[1] for line in done.stdout.splitlines()] == [b"a", b"total"]


def test_what_is_wrong_ends_in_one_line(headroom):
    assert headroom("count", "-", "-").returncode == 2
    assert headroom("count", "--from", "anthropic", stdin=LOG).returncode == 65
    assert headroom("count", "none").returncode == 66


def test_streams_may_be_closed_or_full(tmp_path):
    program = f'"{sys.executable}" -m headroom_cli count -q'
    lines = {
        f"{program} <&-": 66, f"echo words | {program} >&-": 74, f"echo words | {program} >/dev/full": 74,
        f"echo words | {program} 2>/dev/full": 0,
    }  # fmt: skip
    for line, status in lines.items():
        done = subprocess.run(["sh", "-c", line], capture_output=True, cwd=ROOT, env=clean_environment(tmp_path))
        assert done.returncode == status, line
        assert b"Traceback" not in done.stderr


def test_bytes_that_are_no_text_are_counted_with_a_warning(headroom):
    done = headroom("count", stdin=b"some words \xff" + b"and more of them\n" * 20)
    assert done.returncode == 0
    assert 60 <= int(done.stdout.split()[0]) <= 140
    assert done.stderr == b"headroom: input is not UTF-8 text (byte 11); the rest is counted\n"


def test_nothing_is_stored(headroom, tmp_path):
    headroom("count", stdin=TRACE)
    assert not (tmp_path / ".local").exists()


def test_one_file_is_counted_without_typer(tmp_path):
    program = "import sys; from headroom_cli.cli.main import main; main(['count', '-q']); print('typer' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], input=LOG, capture_output=True, cwd=ROOT, env=clean_environment(tmp_path)
    )
    assert done.stdout.split()[-1] == b"False"


def test_memory_stays_within_three_times_the_input(tmp_path):
    size = 24_000_000
    (tmp_path / "large").write_bytes((LOG * (size // len(LOG) + 1))[:size])
    peak = {}
    for name, words in (("nothing", ["/dev/null"]), ("large", [str(tmp_path / "large")])):
        process = subprocess.Popen(
            [sys.executable, "-m", "headroom_cli", "count", "-q", *words], stdout=subprocess.DEVNULL, cwd=ROOT,
            env=clean_environment(tmp_path),
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        peak[name] = used.ru_maxrss * (1 if sys.platform == "darwin" else 1_024)
    assert peak["large"] - peak["nothing"] <= 3 * size
