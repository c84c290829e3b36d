"""--output FILE: it holds all of the new content or all of the old, whatever happens, and nothing is left over."""

import json
import os
import pty
import resource
import signal
import stat
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT, clean_environment
from test_cli import LOG, TRACE

OLD = b"what was there\n"


def leftovers(folder):
    return [name for name in os.listdir(folder) if name.startswith(".headroom-")]


def test_a_new_file_holds_what_standard_output_would_and_has_the_mode_of_the_umask(headroom, tmp_path):
    shown = headroom("crush", stdin=LOG).stdout
    done = headroom("crush", "-o", "out", stdin=LOG, umask=0o027)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "out").read_bytes() == shown != LOG
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o640
    assert not leftovers(tmp_path)


def test_the_input_may_be_the_output_and_comes_back(headroom, tmp_path):
    file = tmp_path / "trace.json"
    file.write_bytes(TRACE)
    file.chmod(0o604)
    assert headroom("crush", "--output=trace.json", "trace.json").returncode == 0
    assert len(file.read_bytes()) < len(TRACE)
    assert stat.S_IMODE(file.stat().st_mode) == 0o604
    assert headroom("retrieve", "--expand", "trace.json", "-o", "trace.json").returncode == 0
    assert file.read_bytes() == TRACE


def test_lines_that_stream_may_replace_their_own_file(headroom, tmp_path):
    lines = (TRACE + b"\n") * 3
    (tmp_path / "lines").write_bytes(lines)
    shown = headroom("crush", "lines").stdout
    assert headroom("crush", "-o", "lines", "lines").returncode == 0
    assert (tmp_path / "lines").read_bytes() == shown != lines


@pytest.mark.parametrize("words", [("align",), ("route",), ("fit", "--budget", "900"), ("route", "--explain")])
def test_every_filter_writes_there_what_it_would_show(headroom, tmp_path, words):
    shown = headroom(*words, stdin=TRACE)
    done = headroom(*words, "-o", "out", stdin=TRACE)
    assert (done.returncode, done.stdout) == (shown.returncode, b"")
    assert (tmp_path / "out").read_bytes() == shown.stdout


def test_links_are_followed(headroom, tmp_path):
    (tmp_path / "file").write_bytes(OLD)
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "to-nothing").symlink_to("made")
    for name, behind in (("link", "file"), ("to-nothing", "made")):
        assert headroom("crush", "-o", name, stdin=b"new\n").returncode == 0
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / behind).read_bytes() == b"new\n"


def test_dash_is_standard_output(headroom, tmp_path):
    assert headroom("crush", "-o", "-", stdin=b"new\n").stdout == b"new\n"
    assert not (tmp_path / "-").exists()


def test_devices_and_pipes_are_written_to_as_they_are(headroom, tmp_path):
    assert headroom("crush", "-o", "/dev/stdout", stdin=b"new\n").stdout == b"new\n"
    full = headroom("crush", "-o", "/dev/full", stdin=b"new\n")
    assert (full.returncode, full.stderr) == (
        74, b"headroom: /dev/full: no space left on device; make room or write elsewhere\n",
    )  # fmt: skip
    os.mkfifo(tmp_path / "pipe")
    heard = []
    reader = threading.Thread(target=lambda: heard.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    assert headroom("crush", "-o", "pipe", stdin=b"new\n").returncode == 0
    reader.join(30)
    assert heard == [b"new\n"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.parametrize(("name", "status", "said"), [
    ("", 2, b"headroom: --output: the name is empty; name a file, or - for standard output\n"),
    (".", 74, b"headroom: .: this is a directory; name a file\n"),
    ("new/", 74, b"headroom: new/: this names a directory; name a file\n"),
    ("none/out", 74, b"headroom: none/out: no such file or directory; name a file that can be written\n"),
    ("loop", 74, b"headroom: loop: too many levels of symbolic links; name a file that can be written\n"),
    ("old/out", 74, b"headroom: old/out: not a directory; name a file that can be written\n"),
])  # fmt: skip
def test_what_can_be_no_file_is_said_before_anything_is_read(headroom, tmp_path, name, status, said):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "old").write_bytes(OLD)
    done = headroom("crush", "-o", name, stdin=LOG)
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", said)
    assert not (tmp_path / ".local").exists()


@pytest.mark.parametrize(("words", "status"), [
    (("crush", "--from", "anthropic"), 65),
    (("crush", "missing"), 66),
    (("retrieve", "aaaaaaaaaaaa"), 1),
    (("crush", "--level", "none"), 2),
])  # fmt: skip
def test_an_error_leaves_the_file_as_it_was(headroom, tmp_path, words, status):
    (tmp_path / "out").write_bytes(OLD)
    done = headroom(*words, "-o", "out", stdin=LOG)
    assert (done.returncode, done.stdout) == (status, b"")
    assert (tmp_path / "out").read_bytes() == OLD
    assert not leftovers(tmp_path)


def test_an_unknown_marker_leaves_the_file_as_it_was(headroom, tmp_path):
    file = tmp_path / "out"
    file.write_bytes(headroom("crush", stdin=LOG).stdout)
    before = file.read_bytes()
    assert headroom("retrieve", "--expand", "--store", "another", "-o", "out", "out").returncode == 1
    assert file.read_bytes() == before


def test_a_full_disk_leaves_the_file_as_it_was(headroom, tmp_path):
    (tmp_path / "out").write_bytes(OLD)
    limit = 1_024  # bytes of any file: the store fails as well, so all of the input would be written

    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = headroom("crush", "-q", "-o", "out", stdin=LOG, preexec_fn=little_room)
    assert (done.returncode, done.stdout) == (74, b"")
    assert done.stderr == b"headroom: out: file too large; make room or write elsewhere\n"
    assert (tmp_path / "out").read_bytes() == OLD
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_a_signal_leaves_the_file_as_it_was(tmp_path, number):
    (tmp_path / "out").write_bytes(OLD)
    process = subprocess.Popen(
        [sys.executable, "-m", "headroom_cli", "crush", "-o", "out"], stdin=subprocess.PIPE, cwd=tmp_path,
        env=clean_environment(tmp_path),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - a shell's & ignores it
    )  # fmt: skip
    process.stdin.write(TRACE + b"\n")
    process.stdin.flush()
    until = time.monotonic() + 30
    while not any((tmp_path / name).stat().st_size for name in leftovers(tmp_path)) and time.monotonic() < until:
        time.sleep(0.01)
    assert leftovers(tmp_path)  # the first line has been answered
    process.send_signal(number)
    process.wait(30)
    process.stdin.close()
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    assert (tmp_path / "out").read_bytes() == OLD
    assert number == signal.SIGKILL or not leftovers(tmp_path)


def test_standard_output_may_be_closed(tmp_path):
    line = f'"{sys.executable}" -m headroom_cli crush -o out >&- 2>&-'
    done = subprocess.run(["sh", "-c", line], input=LOG, cwd=tmp_path, env=clean_environment(tmp_path), timeout=60)
    assert done.returncode == 0
    assert 0 < len((tmp_path / "out").read_bytes()) < len(LOG)


def test_a_terminal_in_the_place_of_a_document_makes_no_file(tmp_path):
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "headroom_cli", "crush", "-o", "out"], stdin=theirs, cwd=tmp_path, capture_output=True,
        env=clean_environment(tmp_path), timeout=60,
    )  # fmt: skip
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 2
    assert not (tmp_path / "out").exists()
    assert not leftovers(tmp_path)


def test_it_is_no_part_of_what_a_filter_without_it_imports(tmp_path):
    program = (
        "import sys; from headroom_cli.cli.main import main; main(['crush', '-q', *sys.argv[1:]]);"
        "print(*sorted({'headroom_cli.cli.output', 'headroom_cli.cli.diff', 'typer', 'signal'} & set(sys.modules)))"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", program, *words], input=b"", capture_output=True, cwd=ROOT, check=True,
            env=clean_environment(tmp_path),
        ).stdout.split()
        for words in ([], ["-o", str(tmp_path / "out")])
    ]  # fmt: skip
    assert found == [[], [b"headroom_cli.cli.output", b"signal"]]


def test_json_of_an_explanation_goes_there_too(headroom, tmp_path):
    assert headroom("route", "--explain", "--json", "-o", "rows", stdin=TRACE).returncode == 0
    assert all(json.loads(line)["v"] == 1 for line in (tmp_path / "rows").read_text().splitlines())
