"""--diff: what a filter would change, block by block; applied to the blocks before it gives the blocks after."""

import json
import os
import pty
import re
import subprocess
import sys

import pytest
from conftest import ROOT, clean_environment
from hypothesis import given
from hypothesis import strategies as st
from inputs import EXAMPLES
from test_cli import LOG, TRACE

from headroom_cli import formats
from headroom_cli.cli import diff


def applied(before, lines):
    """Return what a unified diff makes of some lines; every line that it names must be where it says."""
    made, at = [], 0
    for line in lines:
        if line.startswith("@@"):
            start, _, length = re.match(r"@@ -(\d+)(,(\d+))? ", line).groups()
            begin = int(start) - (length != "0")
            made += before[at:begin]
            at = begin
        elif line[:1] == "+":
            made.append(line[1:])
        else:
            assert before[at] == line[1:]
            made += [line[1:]] if line[:1] == " " else []
            at += 1
    return made + before[at:]


LINES = st.lists(st.sampled_from(["a", "b", "c", "", "d e", "-x", "+y", "@@"]), max_size=40)


@given(LINES, LINES)
def test_hunks_lead_from_one_text_to_the_other(before, after):
    assert applied(before, list(diff.hunks(before, after))) == after


@given(LINES, LINES)
def test_so_do_those_that_are_found_in_one_pass(before, after):
    most, diff.MOST_PAIRS = diff.MOST_PAIRS, -1
    try:
        assert applied(before, list(diff.hunks(before, after))) == after
    finally:
        diff.MOST_PAIRS = most


def test_equal_lines_by_the_thousand_take_no_more_than_one_pass():
    before = [f"line {i % 150}" for i in range(40_000)]
    after = before[::7]
    assert before.count("line 0") * after.count("line 0") * 150 > diff.MOST_PAIRS
    assert applied(before, list(diff.hunks(before, after))) == after


@pytest.mark.parametrize("verb", [("crush",), ("route",)])
def test_applied_to_the_blocks_it_gives_those_of_the_output(headroom, verb):
    data = (EXAMPLES / "trace.json").read_bytes()
    rows = [json.loads(line) for line in headroom(*verb, "--diff", "--json", stdin=data).stdout.splitlines()]
    made = headroom(*verb, "--store", "another", stdin=data).stdout
    texts = {block.path: block.text for block in formats.parse(data).blocks}
    after = {block.path: block.text for block in formats.parse(made).blocks}
    for row in rows:
        before = texts[row["path_before"]].removesuffix("\n").split("\n")
        texts[row["path_after"]] = "\n".join(applied(before, row["diff"].split("\n")))
    assert {path: text.removesuffix("\n") for path, text in texts.items()} == {
        path: text.removesuffix("\n") for path, text in after.items()
    }
    assert all(row["tokens_after"] < row["tokens_before"] and row["kind"] for row in rows)
    assert rows


def test_a_value_that_align_moves_is_shown_where_it_was_and_where_it_goes(headroom):
    turns = [{"role": "user", "content": "what now?"}]
    asked = {"model": "claude-sonnet-4-5", "system": "Be brief. Today is 2026-11-21.", "messages": turns}
    shown = headroom("align", "--diff", stdin=json.dumps(asked).encode()).stdout.decode()
    assert re.search(r"^-Be brief\. Today is 2026-11-21\.$", shown, re.MULTILINE)
    assert re.search(r"^\+Be brief\. Today is \{.*\}\.$", shown, re.MULTILINE)
    assert re.search(r"^--- /dev/null\t.*\n\+\+\+ messages\.0\.content", shown, re.MULTILINE)
    assert shown.count("2026-11-21") == 2


def test_sections_name_path_kind_and_tokens(headroom):
    done = headroom("crush", "--diff", stdin=TRACE)
    first, second, hunk, *rest = done.stdout.decode().splitlines()
    assert re.fullmatch(r"--- messages\.2\.content\.0\.content\tlog, [\d,]+ tokens", first)
    assert re.fullmatch(r"\+\+\+ messages\.2\.content\.0\.content\tlog, [\d,]+ tokens", second)
    assert re.fullmatch(r"@@ -\d+,59\d \+\d+,\d+ @@", hunk)
    assert rest[-1].startswith("+<<headroom:")
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_text_of_its_own_is_called_input_and_lines_have_their_numbers(headroom):
    assert headroom("crush", "--diff", stdin=LOG).stdout.startswith(b"--- input\tlog, ")
    places = re.findall(rb"^--- (\S+)", headroom("crush", "--diff", stdin=(TRACE + b"\n") * 2).stdout, re.MULTILINE)
    assert places == [b"1:messages.2.content.0.content", b"2:messages.2.content.0.content"]


def test_turns_that_go_and_notes_that_come_are_sections(headroom):
    turns = [{"role": "user", "content": "why?"}]
    for i in range(12):
        text = f"step {i}: " + " ".join(f"word{i * 31 + j}" for j in range(120))
        turns += [{"role": "assistant", "content": text}, {"role": "user", "content": f"go on {i}"}]
    done = headroom("fit", "--budget", "900", "--diff", stdin=json.dumps(turns).encode())
    assert re.search(
        rb"^--- \d+\.content\tfit, [\d,]+ tokens\n\+\+\+ /dev/null\tfit, 0 tokens\n", done.stdout, re.MULTILINE
    )
    assert b"\n+<<headroom:" in done.stdout


def test_nothing_is_stored_and_nothing_is_noted(headroom, tmp_path):
    assert headroom("crush", "--diff", stdin=TRACE).stdout
    assert not (tmp_path / ".local").exists()


def test_nothing_to_change_is_nothing(headroom):
    for data in (b"", b"short\n", b"\xff\xfe"):
        done = headroom("crush", "--diff", "-q", stdin=data)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert b"0 changes, 0 -> 0" in headroom("crush", "--diff", "-v", stdin=b"short\n").stderr


def test_no_line_of_the_input_drives_a_terminal(headroom):
    data = b"".join(b"INFO \x1b]52;c;ZXZpbA==\x07 worker %d\tdone\r\n" % i for i in range(600))
    shown = headroom("crush", "--diff", stdin=data).stdout
    assert shown
    assert b"\x1b" not in shown
    assert b"\tdone" in shown


def on_a_terminal(tmp_path, *words, **more):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "headroom_cli", *words], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
        cwd=ROOT, env=clean_environment(tmp_path, **more),
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65_536)
        except OSError:  # the terminal's way to say that nobody writes any more
            break
        if not piece:
            break
        shown += piece
    process.wait(30)
    os.close(ours)
    return shown


def test_it_is_coloured_on_a_terminal_alone(tmp_path):
    (tmp_path / "log").write_bytes(LOG)
    file = str(tmp_path / "log")
    shown = on_a_terminal(tmp_path, "crush", "--diff", file)
    assert b"\x1b[31m-2026" in shown
    assert b"\x1b[32m+" in shown
    for more in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"HEADROOM_NO_COLOR": "1"}):
        assert b"\x1b" not in on_a_terminal(tmp_path, "crush", "--diff", file, **more)


COMMANDS = (
    ("--help",), ("crush", "--help"), ("stats", "examples/trace.json"), ("count", "examples/trace.json"),
    ("config", "show"), ("doctor", "--port", "1"), ("store", "list"), ("models", "list"), ("crush", "-v", "README.md"),
    ("route", "--explain", "examples/trace.json"), ("no-such-verb",), ("stats", "--bogus"),
)  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_verb_colours_where_that_is_not_wanted(tmp_path, words):
    shown = on_a_terminal(tmp_path, *words, NO_COLOR="1")
    assert shown
    assert b"\x1b" not in shown
