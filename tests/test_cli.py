"""What a user types: the contract of arguments, streams and exit statuses, each with real processes."""

import base64
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib

import pytest
from conftest import ROOT, clean_environment

from headroom_cli import settings
from headroom_cli.cli import main

LOG = b"".join(
    b"2026-01-01T00:%02d:%02dZ INFO worker-%d GET /api/cart/%d 200 %d ms\n" % (i // 60, i % 60, i % 4, 1000 + i, i % 30)
    for i in range(600)
)
ROWS = json.dumps([{"id": i, "name": f"row {i}", "state": "ok", "zone": "eu-1"} for i in range(300)]).encode()


CALL = {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "cat app.log"}}


def request():
    """Return an Anthropic request with one tool result."""
    return {
        "model": "claude-sonnet-4-5",
        "messages": [
            {"role": "user", "content": "what happened?"},
            {"role": "assistant", "content": [CALL]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": LOG.decode()}]},
        ],
    }  # fmt: skip


TRACE = json.dumps(request()).encode()
FILTERS = (("crush",), ("route",))
# What a terminal would obey: C0 but tab and newline, DEL, C1, bidi and zero-width controls, line separators.
DANGEROUS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def one_line(stderr):
    """Assert that an error is one line of ours and return it."""
    text = stderr.decode()
    assert text.startswith("headroom: ")
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert not DANGEROUS.search(text)
    assert "Traceback" not in text
    return text


def command(*arguments):
    return [sys.executable, "-m", "headroom_cli", *arguments]


# --- help


@pytest.mark.parametrize("verb", ["", "crush", "align", "route", "fit", "retrieve", "stats", "store"])
def test_help_is_on_stdout(headroom, verb):
    done = headroom(*([verb] if verb else []), "--help")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Usage: headroom" in done.stdout


def test_version(headroom):
    done = headroom("--version")
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert done.stdout.decode() == f"headroom {stated}\n"
    assert (done.returncode, done.stderr) == (0, b"")


def test_no_verb_shows_the_help_and_is_a_usage_error(headroom):
    done = headroom()
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"crush" in done.stderr


# --- statuses


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("crush", "--bogus"), 2), (("crush", "a", "b"), 2), (("nonsense",), 2), (("crush", "--level"), 2),
        (("crush", "--level", "9"), 2), (("crush", "--budget", "0"), 2), (("crush", "--budget", "x"), 2),
        (("crush", "--only", "log,poem"), 2), (("crush", "--from", "xml"), 2), (("crush", "--redeem", "god"), 2),
        (("crush", "missing.json"), 66), (("crush", "."), 66), (("route", "--explain", "missing.json"), 66),
        (("crush", "--from", "anthropic"), 65), (("route", "--from", "openai"), 65),
        (("retrieve", "--expand", "--from", "anthropic"), 65),
        (("retrieve", "aaaaaaaaaaaa"), 1), (("retrieve", "AAAAAAAAAAAA"), 2), (("retrieve", "short"), 2),
        (("retrieve", "../../../etc/passwd"), 2), (("retrieve", "aaaaaaaaaaaa\n"), 2), (("retrieve", "a" * 53), 2),
        (("retrieve", "--lines", "1:2"), 2), (("stats",), 1), (("stats", "missing.json"), 66),
        (("store",), 2), (("store", "burn"), 2), (("store", "forget"), 2), (("store", "list", "aaaaaaaaaaaa"), 2),
        (("store", "forget", "aaaaaaaaaaaa"), 1), (("store", "forget", "../x"), 2),
        (("store", "where", "--days", "1"), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)  # fmt: skip
def test_an_error_is_one_line_with_its_status_and_nothing_on_stdout(headroom, arguments, status):
    done = headroom(*arguments, stdin=LOG)
    assert done.returncode == status, done.stderr
    assert done.stdout == b""
    assert ";" in one_line(done.stderr), "says what, then what to do"


def test_q_does_not_silence_errors(headroom):
    assert one_line(headroom("crush", "-q", "missing.json").stderr)


@pytest.mark.parametrize(
    "name", ["a\x1b[31mb", "x\ny", "\u202egnp.exe", "\x9b31m", "\udc80", "a\rb", "\u2028", "\x7f", "\u200b"]
)
def test_no_words_of_others_drive_the_terminal(headroom, name):
    raw = os.fsencode(name) if "\udc80" in name else name
    for arguments in (
        ("crush", raw),
        ("crush", "--level", raw),
        ("retrieve", raw),
        ("crush", "--from", raw),
        ("store", raw),
    ):
        done = headroom(*arguments, stdin=b"x")
        assert done.returncode in {2, 66}
        one_line(done.stderr)


def test_a_directory_in_place_of_a_config_file_is_an_error(headroom, tmp_path):
    (tmp_path / ".config/headroom/config.toml").mkdir(parents=True)
    done = headroom("crush", stdin=LOG)
    assert done.returncode == 78
    one_line(done.stderr)


# --- filters


@pytest.mark.parametrize("verb", FILTERS)
@pytest.mark.parametrize("data", [TRACE, ROWS, LOG, json.dumps(request()["messages"], indent=1).encode()])
def test_what_is_compressed_comes_back_byte_for_byte(headroom, verb, data):
    small = headroom(*verb, stdin=data)
    assert (small.returncode, small.stderr) == (0, b"")
    assert len(small.stdout) < len(data) / 2
    back = headroom("retrieve", "--expand", stdin=small.stdout)
    assert (back.returncode, back.stderr) == (0, b"")
    assert back.stdout == data
    assert headroom("retrieve", stdin=small.stdout).stdout == data, "retrieve without a handle expands"


@pytest.mark.parametrize("verb", [("align",), ("fit", "--budget", "4000"), ("crush", "--budget", "4000")], ids=" ".join)
@pytest.mark.parametrize("data", [TRACE, json.dumps(request()["messages"], indent=1).encode()])
def test_what_a_stage_does_can_be_undone(headroom, verb, data):
    done = headroom(*verb, stdin=data)
    assert done.returncode in {0, 1}
    assert headroom("retrieve", "--expand", stdin=done.stdout).stdout == data


def test_a_file_and_standard_input_are_the_same(headroom, tmp_path):
    (tmp_path / "trace.json").write_bytes(TRACE)
    outputs = {
        headroom("crush", *where, stdin=TRACE).stdout for where in ([], ["-"], ["trace.json"], ["--", "trace.json"])
    }
    assert len(outputs) == 1


def test_a_handle_gives_the_original_and_parts_of_it(headroom):
    small = headroom("crush", "--level", "max", stdin=LOG).stdout
    handle = re.search(rb"<<headroom:([a-z2-7]+) ", small)[1].decode()
    assert headroom("retrieve", handle).stdout == LOG
    assert headroom("retrieve", handle, "--lines", "2:3").stdout == b"".join(LOG.splitlines(keepends=True)[1:3])
    assert headroom("retrieve", handle, "--grep", "cart/1234").stdout.count(b"\n") == 1
    nothing = headroom("retrieve", handle, "--grep", "no such thing")
    assert (nothing.returncode, nothing.stdout) == (1, b"")
    assert headroom("retrieve", handle, "--grep", "(").returncode == 2
    assert headroom("retrieve", handle, "--lines", "x").returncode == 2
    # A question for crush in the environment must not cut what retrieve prints.
    assert headroom("retrieve", handle, env={"HEADROOM_QUERY": "worker"}).stdout == LOG


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"x", b"\xff\xfe\x00", b"\x00" * 100, b'{"a": 1}', b"{", b"[[[[", b'"\\ud800"', b"\r\n" * 9]
)
@pytest.mark.parametrize("verb", [*FILTERS, ("align",), ("fit", "--budget", "9")], ids=" ".join)
def test_what_cannot_be_compressed_goes_through(headroom, verb, data):
    done = headroom(*verb, "-q", stdin=data)
    assert (done.returncode, done.stdout, done.stderr) == (0, data, b"")


def test_expand_with_an_unknown_handle_says_so_and_gives_back_what_it_can(headroom):
    data = b"first line\n<<headroom:aaaaaaaaaaaa 3 of 4 lines>>\n"
    done = headroom("retrieve", "--expand", stdin=data)
    assert (done.returncode, done.stdout) == (1, data)
    assert "aaaaaaaaaaaa" in one_line(done.stderr)


def test_requests_on_lines_are_answered_line_by_line(tmp_path):
    with subprocess.Popen(
        command("crush"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path, env=clean_environment(tmp_path)
    ) as process:
        for question in ("one", "two"):
            line = json.dumps({**request(), "system": question}).encode() + b"\n"
            process.stdin.write(line)
            process.stdin.flush()
            assert select.select([process.stdout], [], [], 20)[0], "the answer waits for more input"
            answer = process.stdout.readline()
            assert json.loads(answer)["system"] == question
            assert len(answer) < len(line)
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait(20) == 0


def test_lines_and_whole_give_the_same_bytes(headroom):
    lines = b"".join(json.dumps({**request(), "system": word}).encode() + b"\n" for word in ("a", "b")) + b"not json\n"
    whole = headroom("crush", "--from", "jsonl", stdin=lines)
    assert headroom("crush", stdin=lines).stdout == whole.stdout
    assert whole.stdout.endswith(b"not json\n")
    assert headroom("retrieve", stdin=whole.stdout).stdout == lines
    assert headroom("crush", stdin=lines[:-1]).stdout == whole.stdout[:-1]


def test_a_request_with_and_without_its_newline_gives_the_same(headroom):
    assert headroom("crush", stdin=TRACE + b"\n").stdout == headroom("crush", stdin=TRACE).stdout + b"\n"


# --- failing open


def broken(headroom_env, tmp_path, program, *arguments, stdin=LOG):
    """Run a filter with a fault in it."""
    program += "\nimport sys\nfrom headroom_cli.__main__ import main\nmain()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], input=stdin, capture_output=True, cwd=tmp_path, timeout=60,
        env=clean_environment(tmp_path, **headroom_env),
    )  # fmt: skip


BUG = """
from headroom_cli import engine
def fail(*a, **k): raise KeyError('\\x1b[2J')
engine.crush = engine.expand = fail
"""
BUG_IN_LINES = (
    "from headroom_cli import engine\nwhole = engine.crush_lines\n"
    "def fail(lines, *a, **k):\n"
    "    for n, line in enumerate(lines):\n"
    "        yield from whole([line], *a, **k)\n"
    "        if n: raise KeyError('gone')\n"
    "engine.crush_lines = fail"
)


def test_a_bug_of_ours_costs_the_savings_and_not_the_input(tmp_path):
    done = broken({}, tmp_path, BUG, "crush")
    assert (done.returncode, done.stdout) == (0, LOG)
    assert "HEADROOM_DEBUG=1" in one_line(done.stderr)
    assert broken({}, tmp_path, BUG, "crush", "--strict").returncode == 70
    told = broken({"HEADROOM_DEBUG": "1"}, tmp_path, BUG, "crush").stderr.decode()
    assert "Traceback" in told
    assert not DANGEROUS.search(told)


def test_a_bug_while_expanding_is_not_hidden(tmp_path):
    done = broken({}, tmp_path, BUG, "retrieve")
    assert (done.returncode, done.stdout) == (70, LOG)


def test_a_bug_in_the_middle_of_lines_loses_none(tmp_path):
    lines = b"".join(json.dumps({**request(), "system": str(i)}).encode() + b"\n" for i in range(4))
    done = broken({}, tmp_path, BUG_IN_LINES, "crush", stdin=lines)
    assert done.returncode == 0
    assert [json.loads(line)["system"] for line in done.stdout.splitlines()] == ["0", "1", "2", "3"]
    assert done.stdout.splitlines(keepends=True)[2:] == lines.splitlines(keepends=True)[2:]
    one_line(done.stderr)


def test_a_bug_before_anything_is_one_line(tmp_path):
    done = broken(
        {},
        tmp_path,
        "from headroom_cli.cli import main\ndef fail(*a): raise KeyError('x')\nmain._dispatch = fail",
        "stats",
    )
    assert done.returncode == 70
    one_line(done.stderr)


@pytest.mark.parametrize("place", ["file", "/proc/nowhere", "newer"])
def test_a_store_that_cannot_be_used_costs_one_warning(headroom, tmp_path, place):
    (tmp_path / "file").write_text("not a directory")
    (tmp_path / "newer").mkdir(mode=0o700)
    (tmp_path / "newer/version").write_text("headroom store 99\n")
    done = headroom("crush", "--store", place, stdin=LOG)
    assert (done.returncode, done.stdout) == (0, LOG)
    one_line(done.stderr)
    strict = headroom("crush", "--store", place, "--strict", stdin=LOG)
    assert (strict.returncode, strict.stdout) == (74 if place == "/proc/nowhere" else 78, LOG)
    quiet = headroom("crush", "--store", place, "-q", stdin=LOG)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, LOG, b"")


# --- streams


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("arguments", [("crush",), ("route", "--explain"), ("store", "where"), ("--version",)])
def test_a_full_output_is_status_74(tmp_path, arguments):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command(*arguments), input=LOG, stdout=full, stderr=subprocess.PIPE, cwd=tmp_path,
            env=clean_environment(tmp_path), timeout=60,
        )  # fmt: skip
    assert done.returncode == 74
    assert "no space" in one_line(done.stderr)


@pytest.mark.parametrize("arguments", [("crush",), ("route", "--explain"), ("store", "where"), ("crush", "--help")])
def test_a_reader_that_leaves_is_silent(tmp_path, arguments):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command(*arguments), input=LOG * 20, stdout=writer, stderr=subprocess.PIPE, cwd=tmp_path,
        env=clean_environment(tmp_path), timeout=60,
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def shell(tmp_path, line):
    script = f"headroom() {{ '{sys.executable}' -m headroom_cli \"$@\"; }}\n{line}"
    return subprocess.run(
        ["sh", "-c", script], capture_output=True, cwd=tmp_path, env=clean_environment(tmp_path), timeout=60
    )


def test_closed_streams_are_errors_and_never_files_of_the_store(tmp_path):
    (tmp_path / "app.log").write_bytes(LOG)
    done = shell(tmp_path, "headroom crush app.log >&-")
    assert done.returncode == 74
    one_line(done.stderr)
    done = shell(tmp_path, "headroom crush <&-")
    assert done.returncode == 66
    one_line(done.stderr)
    done = shell(tmp_path, "headroom crush app.log 2>&-")
    assert done.returncode == 0
    assert 0 < len(done.stdout) < len(LOG)
    assert shell(tmp_path, "headroom store verify").returncode == 0


def test_a_pipe_that_does_not_block_is_read_and_written_whole(tmp_path):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETFL, fcntl.fcntl(writer, fcntl.F_GETFL) | os.O_NONBLOCK)
    data = os.urandom(1 << 20)
    with subprocess.Popen(
        command("crush", "-q"), stdin=subprocess.PIPE, stdout=writer, cwd=tmp_path, env=clean_environment(tmp_path)
    ) as process:
        os.close(writer)
        process.stdin.write(data)
        process.stdin.close()
        time.sleep(0.3)  # let the pipe fill
        with open(reader, "rb") as stream:
            assert stream.read() == data
        assert process.wait(20) == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_signal_ends_the_run_at_once(tmp_path, number, status):
    with subprocess.Popen(
        command("crush"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path,
        env=clean_environment(tmp_path),
    ) as process:  # fmt: skip
        process.stdin.write(b"half a li")
        process.stdin.flush()
        time.sleep(0.7)  # past start-up, waiting for more
        process.send_signal(number)
        assert process.wait(20) == status
        assert process.stdout.read() == b""
        assert process.stderr.read() == b""


def on_terminal(tmp_path, *arguments, stdin=None, stdout=None):
    """Run with a terminal wherever no stream is given; return (status, what the terminal showed)."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        command(*arguments), stdin=stdin or slave, stdout=stdout or slave, stderr=slave, cwd=tmp_path,
        env=clean_environment(tmp_path), start_new_session=True,
    ) as process:  # fmt: skip
        os.close(slave)
        shown = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:  # EIO: the last one closed it
                break
            if not piece:
                break
            shown += piece
        status = process.wait(20)
    os.close(master)
    return status, shown.decode()


@pytest.mark.parametrize("verb", ["crush", "route", "retrieve"])
def test_a_person_at_the_keyboard_gets_a_short_help(tmp_path, verb):
    status, shown = on_terminal(tmp_path, verb)
    assert status == 2
    assert f"headroom {verb} --help" in shown


def test_a_terminal_gets_a_summary_and_a_pipe_does_not(headroom, tmp_path):
    (tmp_path / "trace.json").write_bytes(TRACE)
    status, shown = on_terminal(tmp_path, "crush", "trace.json", stdout=subprocess.DEVNULL)
    assert status == 0
    assert re.fullmatch(
        r"headroom crush: 2 blocks, [\d,]+ -> [\d,]+ tokens \(estimated\), \d+ ms; level safe"
        r"(; balanced would give [\d,]+)?\s+",
        shown,
    )
    assert on_terminal(tmp_path, "crush", "-q", "trace.json", stdout=subprocess.DEVNULL) == (0, "")
    assert headroom("crush", "trace.json").stderr == b""
    assert headroom("crush", "-v", "trace.json").stderr.startswith(b"headroom crush: 2 blocks, ")


def test_a_table_on_a_terminal_and_plain_text_in_a_pipe(headroom, tmp_path):
    headroom("crush", stdin=LOG)
    _, shown = on_terminal(tmp_path, "store", "list")
    assert "\x1b[" in shown
    for arguments, env in ((("--no-color",), {}), ((), {"NO_COLOR": "1"})):
        assert b"\x1b" not in headroom("store", "list", *arguments, env=env).stdout
    _, plain = on_terminal(tmp_path, "store", "list", "--no-color")
    assert "\x1b[" not in plain


# --- reports


def test_json_reports_carry_their_version(headroom, tmp_path):
    (tmp_path / "trace.json").write_bytes(TRACE)
    done = headroom("crush", "--json", "trace.json")
    report = json.loads(done.stderr)
    assert (report["v"], report["verb"], report["format"], report["level"]) == (1, "crush", "anthropic", "safe")
    assert report["tokens_before"] > report["tokens_after"] > 0
    for arguments in (
        ("stats",),
        ("stats", "trace.json"),
        ("store", "list"),
        ("store", "verify"),
        ("store", "where"),
        ("store", "gc"),
    ):
        for line in headroom(*arguments, "--json").stdout.splitlines():
            assert json.loads(line)["v"] == 1
    blocks = [json.loads(line) for line in headroom("route", "--explain", "--json", "trace.json").stdout.splitlines()]
    assert [block["path"] for block in blocks if block["role"] == "tool"] == ["messages.2.content.0.content"]


def test_explain_stores_nothing(headroom, tmp_path):
    done = headroom("route", "--explain", stdin=TRACE)
    assert done.stdout.splitlines()[0].split() == [
        b"path",
        b"kind",
        b"confidence",
        b"compressor",
        b"before",
        b"after",
        b"reason",
    ]
    assert not (tmp_path / ".local").exists()


def test_explain_does_not_let_the_input_write_to_the_terminal(headroom):
    hostile = {
        **request(),
        "messages": [{"role": "user", "content": [{"type": "\x1b[31m\u202e\n", "text": "x"}]}, *request()["messages"]],
    }
    done = headroom("route", "--explain", stdin=json.dumps(hostile).encode())
    assert not DANGEROUS.search(done.stdout.decode())


def test_stats_sums_up_the_ledger(headroom):
    for _ in range(2):
        headroom("crush", stdin=LOG)
    totals = json.loads(headroom("stats", "--json").stdout)
    assert totals["all"]["runs"] == 2
    assert totals["all"]["saved"] > 0
    assert b"crush" in headroom("stats").stdout


def test_the_store_is_listed_checked_and_forgotten(headroom, tmp_path):
    headroom("crush", stdin=TRACE)
    (row,) = (json.loads(line) for line in headroom("store", "list", "--json").stdout.splitlines())
    assert row["command"] == "cat app.log"
    assert row["bytes"] == len(LOG)
    assert headroom("retrieve", row["handle"]).stdout == LOG
    assert headroom("store", "verify").returncode == 0
    (victim,) = (tmp_path / ".local/share/headroom/store/objects").rglob(row["sha256"] + "*")
    sound = victim.read_bytes()
    victim.chmod(0o600)
    victim.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    assert headroom("store", "verify").returncode == 1
    victim.write_bytes(sound)
    assert headroom("store", "verify").returncode == 0
    assert headroom("store", "forget", row["handle"]).returncode == 0
    assert headroom("retrieve", row["handle"]).returncode == 1


def test_where_prints_a_path_that_a_script_can_use(headroom, tmp_path):
    assert headroom("store", "where").stdout.decode() == f"{tmp_path}/.local/share/headroom/store\n"
    assert headroom("store", "where", env={"XDG_DATA_HOME": "/data"}).stdout == b"/data/headroom/store\n"
    assert headroom("store", "where", env={"XDG_DATA_HOME": "relative"}).stdout.startswith(os.fsencode(tmp_path))
    assert headroom("store", "where", env={"HEADROOM_STORE": "/v"}).stdout == b"/v\n"
    assert headroom("store", "where", "--store", "/f", env={"HEADROOM_STORE": "/v"}).stdout == b"/f\n"


# --- settings


def level_of(headroom, *arguments, **options):
    done = headroom("crush", "--json", *arguments, stdin=LOG, **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stderr)["level"]


def test_flag_then_variable_then_file_then_default(headroom, tmp_path):
    assert level_of(headroom) == "balanced"
    folder = tmp_path / ".config/headroom"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('level = "max"\nonly = ["log", "json"]\nstrict = false\n')
    assert level_of(headroom) == "max"
    assert level_of(headroom, env={"HEADROOM_LEVEL": "balanced"}) == "balanced"
    assert level_of(headroom, "--level", "safe", env={"HEADROOM_LEVEL": "balanced"}) == "safe"
    assert level_of(headroom, env={"XDG_CONFIG_HOME": str(tmp_path / "elsewhere")}) == "balanced"


@pytest.mark.parametrize(
    "text", ["lvl = 1", "level = 3", 'level = "no"', "= broken", "level", 'budget = "many"', "\udcff"]
)
def test_a_config_file_that_cannot_be_used_is_status_78(headroom, tmp_path, text):
    folder = tmp_path / ".config/headroom"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(text, errors="surrogateescape")
    done = headroom("crush", stdin=LOG)
    assert (done.returncode, done.stdout) == (78, b"")
    assert "config.toml" in one_line(done.stderr)


@pytest.mark.parametrize(
    "pair", ["HEADROOM_LEVEL=9", "HEADROOM_BUDGET=-1", "HEADROOM_STRICT=perhaps", "HEADROOM_ONLY=x"]
)
def test_a_variable_that_cannot_be_used_is_status_78(headroom, pair):
    name, value = pair.split("=")
    done = headroom("crush", stdin=LOG, env={name: value})
    assert (done.returncode, done.stdout) == (78, b"")
    assert name in one_line(done.stderr)


def test_an_empty_variable_is_no_setting(headroom):
    assert level_of(headroom, env={"HEADROOM_LEVEL": "", "HEADROOM_STRICT": "", "HEADROOM_BUDGET": ""}) == "balanced"


def test_only_and_skip_choose_kinds(headroom):
    assert headroom("crush", "--skip", "json", stdin=ROWS).stdout == ROWS
    assert headroom("crush", "--only", "log", stdin=ROWS).stdout == ROWS
    assert headroom("crush", "--only", "log,json", stdin=ROWS).stdout != ROWS


# --- what outside names can reach


def test_a_handle_never_becomes_a_path(tmp_path):
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    for handle in ("../../../../etc/passwd", "/etc/passwd", "aaaaaaaaaaaa"):
        done = subprocess.run(
            ["strace", "-f", "-e", "trace=%file", "-o", tmp_path / "calls", *command("retrieve", "--", handle)],
            capture_output=True, cwd=tmp_path, env=clean_environment(tmp_path), timeout=60,
        )  # fmt: skip
        if b"PTRACE" in done.stderr:
            pytest.skip("strace may not trace here")
        assert done.returncode in {1, 2}
        opened = (tmp_path / "calls").read_text()
        _, _, ours = opened.partition("execve(")
        assert not re.search(rf'(open|stat)[a-z0-9]*\([^"]*"[^"]*{re.escape(handle)}', ours)


def test_a_rank_file_makes_counts_exact(headroom, tmp_path):
    pytest.importorskip("tiktoken", reason="tiktoken is not installed")
    ranks = tmp_path / "bytes.ranks"
    ranks.write_bytes(b"".join(base64.b64encode(bytes([i])) + b" %d\n" % i for i in range(256)))
    data = (ROOT / "examples/app.log").read_bytes()
    done = headroom("crush", "-v", "--ranks", str(ranks), stdin=data)
    assert f"{len(data):,} -> ".encode() in done.stderr
    assert b"estimated" not in done.stderr
    missing = headroom("crush", "--ranks", str(tmp_path / "none"), stdin=data)
    assert missing.returncode == 78
    assert missing.stdout == b""


def test_ctrl_c_while_a_class_is_made_is_an_interrupt(monkeypatch, capfd):
    def loading(_words):
        raise RuntimeError("Error calling __set_name__") from KeyboardInterrupt()

    monkeypatch.setattr(main, "_dispatch", loading)
    assert main.main(["stats"]) == main.INTERRUPTED
    assert capfd.readouterr() == ("", "")


def test_a_settings_file_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "config.toml")
    reader = threading.Thread(target=settings.values_in, args=(str(tmp_path / "config.toml"),), daemon=True)
    reader.start()
    reader.join(20)
    assert not reader.is_alive()
