"""A command behind ``headroom run`` is the command, but for its output in a pipe, which has fewer tokens."""

import contextlib
import json
import os
import pty
import random
import re
import select
import shlex
import signal
import subprocess
import sys
import time

import pytest
from conftest import clean_environment

from headroom_cli.cli import _alone, main, run

PYTHON = sys.executable
LOG = "".join(f"2026-01-01T00:{i // 60:02d}:{i % 60:02d}Z INFO worker {i} took batch {i * 37}\n" for i in range(600))
LOG += "2026-01-01T00:15:00Z ERROR worker 31: no space left on device\n"
TO_COME = 20  # seconds that what must happen may take on a busy machine


@pytest.fixture
def ours(tmp_path):
    """Return the words of a run: ours("-q", "--", "ls")."""
    return lambda *words: [PYTHON, "-m", "headroom_cli", "run", *words]


@pytest.fixture
def started(tmp_path, ours):
    """Start a run with pipes; whatever is left of it is ended with the test."""
    processes = []

    def start(*words, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        more = options.pop("env", {})
        process = subprocess.Popen(ours(*words), cwd=tmp_path, env=clean_environment(tmp_path, **more), **options)
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until(holds, what):
    end = time.monotonic() + TO_COME
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            return stream.read().rpartition(b")")[2].split()[0] not in {b"Z", b"X"}
    except FileNotFoundError:
        return False


def number_in(path):
    until(lambda: path.exists() and path.read_text().strip().isdigit(), f"nothing in {path}")
    return int(path.read_text())


# --- what comes out


def test_output_is_shorter_comes_back_and_keeps_what_matters(headroom, tmp_path):
    (tmp_path / "app.log").write_text(LOG)
    done = headroom("run", "--", "cat", "app.log")
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout) < len(LOG) / 3
    assert b"no space left on device" in done.stdout
    assert headroom("retrieve", "--expand", stdin=done.stdout).stdout == LOG.encode()
    lines = [json.loads(line) for path in tmp_path.rglob("ledger/*.jsonl") for line in path.read_text().splitlines()]
    assert [line["verb"] for line in lines] == ["run"]
    assert "app.log" not in json.dumps(lines)


def test_the_command_is_known(headroom, tmp_path):
    """The same lines are what a search found, a file of code, or a table when nothing is known of them."""
    (tmp_path / "adding.py").write_text("".join(f"    return value + {i}\n" for i in range(60)))
    (tmp_path / "names").write_bytes((tmp_path / "adding.py").read_bytes())
    for words, kind in (("grep -h value names", "search"), ("cat adding.py", "code"), ("cat names", "table")):
        report = json.loads(headroom("run", "--json", "--", *words.split()).stderr)
        assert list(report["kinds"]) == [kind]
    words = ["grep", "-n", "it's", "a b", "", "$x"]
    assert shlex.split(run._quoted(words)) == words


def test_binary_output_comes_byte_for_byte(headroom, tmp_path):
    data = random.Random(5).randbytes(300_000)
    (tmp_path / "data").write_bytes(data)
    done = headroom("run", "cat", "data")
    assert (done.stdout, done.stderr, done.returncode) == (data, b"", 0)


@pytest.mark.parametrize("text", [b"", b"\n", b"one\n", b"no newline", b"a\r\nb\r\n", b"\xef\xbb\xbfx\n", b"a\0b\n"])
def test_small_output_comes_as_it_is(headroom, tmp_path, text):
    (tmp_path / "data").write_bytes(text)
    done = headroom("run", "cat", "data")
    assert (done.stdout, done.stderr) == (text, b"")


def test_without_a_store_output_comes_as_it_is(headroom, tmp_path):
    (tmp_path / "app.log").write_text(LOG)
    (tmp_path / "file").write_text("")
    done = headroom("run", "--store", "file", "--", "sh", "-c", "cat app.log; exit 3")
    assert (done.stdout, done.returncode) == (LOG.encode(), 3)
    assert done.stderr.count(b"\n") == 1
    done = headroom("run", "--strict", "--store", "file", "--", "cat", "app.log")
    assert (done.stdout, done.returncode) == (LOG.encode(), 78)


def test_both_streams_in_one_file_keep_their_order(tmp_path, ours):
    program = "import os\nfor i in range(10_000): os.write(1 + i % 2, b'%s %d\\n' % ((b'out', b'err')[i % 2], i))\n"
    wanted = "".join(f"{('out', 'err')[i % 2]} {i}\n" for i in range(10_000)).encode()
    environment = clean_environment(tmp_path)
    done = subprocess.run(
        ours("-q", "--", PYTHON, "-c", program), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
        cwd=tmp_path,
    )  # fmt: skip
    given_back = subprocess.run(
        [PYTHON, "-m", "headroom_cli", "retrieve", "--expand"], input=done.stdout, capture_output=True, cwd=tmp_path,
        env=environment,
    )  # fmt: skip
    assert given_back.stdout == wanted
    with (tmp_path / "both").open("wb") as both:
        words = ours("--", "sh", "-c", "echo 1; echo 2 >&2; echo 3")
        subprocess.run(words, stdout=both, stderr=both, env=environment, cwd=tmp_path)
    assert (tmp_path / "both").read_text() == "1\n2\n3\n"


def test_standard_error_apart_passes_at_once(started):
    process = started("--", PYTHON, "-c", "import sys; print('out', flush=True); sys.stderr.write('err\\n'); input()",
                      stdin=subprocess.PIPE)  # fmt: skip
    assert process.stderr.readline() == b"err\n"  # the command still runs
    assert process.communicate(b"\n") == (b"out\n", b"")


def test_much_output_passes_as_it_comes_and_nothing_is_lost(tmp_path, started):
    line = b"0123456789abcdef" * 4 + b"\n"
    count = (run.MOST // len(line)) + 100_000
    program = f"import os\nfor i in range({count // 1000}): os.write(1, {line!r} * 1000)\n"
    program += "open('done', 'w').write('1')\ninput()"
    process = started("-q", "--", PYTHON, "-c", program, stdin=subprocess.PIPE)
    seen = 0
    while seen < count // 1000 * 1000 * len(line):  # all of it is here before the command ends
        chunk = os.read(process.stdout.fileno(), 1 << 20)
        assert chunk
        assert set(chunk) <= set(line)
        seen += len(chunk)
    assert number_in(tmp_path / "done") == 1
    assert process.poll() is None
    assert process.communicate(b"\n")[0] == b""
    assert process.returncode == 0


def test_output_is_not_held_for_ever(started, headroom):
    """A command that goes on: each portion is shortened by itself, and the whole comes back."""
    program = f"import sys\nfor i in range(2):\n print({LOG!r}, end='', flush=True)\n sys.stdin.readline()"
    process = started("--wait", "0.3", "--", PYTHON, "-c", program, stdin=subprocess.PIPE)
    written = os.read(process.stdout.fileno(), 1 << 20)
    assert process.poll() is None
    assert len(written) < len(LOG) / 2
    assert b"no space left on device" in written
    process.stdin.write(b"\n")
    process.stdin.flush()
    written += os.read(process.stdout.fileno(), 1 << 20)
    written += process.communicate(b"\n")[0]
    assert headroom("retrieve", "--expand", stdin=written).stdout == LOG.encode() * 2


def test_a_question_is_seen_before_it_is_answered(started):
    process = started("--", PYTHON, "-c", "print('hello'); print(int(input('How many? ')) * 2)", stdin=subprocess.PIPE)
    assert select.select([process.stdout], [], [], TO_COME)[0]
    assert os.read(process.stdout.fileno(), 1 << 16) == b"hello\nHow many? "
    assert process.communicate(b"21\n")[0] == b"42\n"


def test_output_that_something_in_the_background_still_has(tmp_path, ours):
    """Who waits for the command does not wait for it; who reads its output reads all of it."""
    program = "echo first; (sleep 0.2; until test -e go; do sleep 0.05; done; echo last) & exit 5"
    process = subprocess.Popen(
        ours("--", "sh", "-c", program), stdout=subprocess.PIPE, env=clean_environment(tmp_path), cwd=tmp_path
    )
    assert process.wait(TO_COME) == 5
    assert os.read(process.stdout.fileno(), 100) == b"first\n"
    (tmp_path / "go").write_text("")
    assert process.stdout.read() == b"last\n"
    process.stdout.close()


# --- how it ends


@pytest.mark.parametrize(
    "numbers",
    [(0, 1, 2, 77, 127, 128, 130, 255), pytest.param(range(256), marks=pytest.mark.long)],
    ids=["some", "all"],
)
def test_exit_statuses_are_those_of_the_command(tmp_path, ours, numbers):
    program = (
        "import os, sys\nfrom headroom_cli.cli.main import main\n"
        f"for number in {tuple(numbers)}:\n"
        " pid = os.fork()\n"
        " if not pid: os._exit(main(['run', '--', 'sh', '-c', f'exit {number}']))\n"
        " print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)\n"
    )
    done = subprocess.run([PYTHON, "-c", program], capture_output=True, env=clean_environment(tmp_path), cwd=tmp_path)
    assert done.stdout.split() == [b"%d" % number for number in numbers]
    assert done.stderr == b""


@pytest.mark.parametrize("name", ["TERM", "KILL", "SEGV", "INT", "PIPE", "USR1", "ABRT"])
def test_a_signal_that_kills_the_command_kills_us(headroom, name):
    done = headroom("run", "--", "sh", "-c", f"echo before; kill -{name} $$")
    assert (done.stdout, done.stderr) == (b"before\n", b"")
    assert -done.returncode == getattr(signal, f"SIG{name}")


def test_commands_that_cannot_be_run(headroom, tmp_path):
    (tmp_path / "plain").write_text("echo ran as a script $1")
    for words, status in ((("nowhere-to-be-found",), 127), (("./nowhere",), 127), (("./plain",), 126), (("/",), 126),
                          (("",), 127), (("./plain/x",), 127)):  # fmt: skip
        done = headroom("run", "--", *words)
        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (status, b"", 1), words
    (tmp_path / "plain").chmod(0o755)
    assert headroom("run", "./plain", "too").stdout == b"ran as a script too\n"
    for words in ((), ("--",), ("-q",), ("--wait", "x", "ls"), ("--nonsense", "ls")):
        assert headroom("run", *words).returncode == 2, words


def test_words_reach_the_command_as_they_are(headroom):
    program = "import sys, json; print(json.dumps(sys.argv[1:]))"
    words = ["-q", "--level", "--", "", " a  b ", "$HOME", "*", "--help", "é", "\udcff"]
    for first in ([], ["--"]):
        done = headroom("run", *first, PYTHON, "-c", program, *words)
        assert json.loads(done.stdout) == words
    slow = headroom("run", "--no-color", "-q", "-qv", "--", PYTHON, "-c", program, *words)
    assert json.loads(slow.stdout) == words


def test_the_environment_is_untouched(tmp_path, ours):
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": clean_environment(tmp_path)["PYTHONPATH"], "HOME": str(tmp_path)}
    for more in ({}, {"LC_ALL": "C"}, {"LC_CTYPE": "C.UTF-8"}, {"LANG": "C"}):
        plain, run_by_us = (
            subprocess.run(words, env={**given, **more}, capture_output=True, cwd=tmp_path).stdout
            for words in (["env", "-0"], ours("env", "-0"))
        )
        assert sorted(run_by_us.split(b"\0")) == sorted(plain.split(b"\0"))


def test_descriptors_and_signals_are_those_that_a_shell_would_give(tmp_path, ours):
    program = (
        "import os, signal; print(sorted(os.listdir('/proc/self/fd'))[:-1], "
        "[n for n in range(1, 32) if signal.getsignal(n) == signal.SIG_IGN], "
        "[line for line in open('/proc/self/status') if line.startswith(('SigBlk', 'SigIgn'))])"
    )
    plain, behind = (
        subprocess.run(words, env=clean_environment(tmp_path), capture_output=True, cwd=tmp_path).stdout
        for words in ([PYTHON, "-c", program], ours("--", PYTHON, "-c", program))
    )
    assert behind == plain


# --- signals


WAITING = """
import os, signal, sys, time
def told(number, frame):
    os.write(2, b"%d\\n" % number)
    if number == {last}: sys.exit(9)
for name in ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "WINCH", "CONT"):
    signal.signal(getattr(signal, "SIG" + name), told)
print("working", flush=True)
os.write(2, b"ready\\n")
while True: time.sleep(1)
"""


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "WINCH", "CONT"])
def test_a_signal_is_passed_on_once(started, name):
    number = getattr(signal, f"SIG{name}")
    process = started("--", PYTHON, "-c", WAITING.format(last=int(signal.SIGTERM)))
    assert process.stderr.readline() == b"ready\n"
    if name != "TERM":
        process.send_signal(number)
        assert process.stderr.readline() == b"%d\n" % number
    process.terminate()
    out, err = process.communicate(timeout=TO_COME)
    assert (out, err) == (b"working\n", b"%d\n" % signal.SIGTERM)
    assert process.returncode == 9


def test_what_is_ignored_stays_ignored(tmp_path, ours):
    program = "import signal; print(signal.getsignal(signal.SIGHUP))"
    words = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *ours("--", PYTHON, "-c", program)]
    done = subprocess.run(words, capture_output=True, env=clean_environment(tmp_path), cwd=tmp_path)
    assert done.stdout == b"1\n"  # SIG_IGN


def test_the_command_ends_with_us(started, tmp_path):
    process = started("--", "sh", "-c", "echo $$ > pid; exec sleep 600")
    pid = number_in(tmp_path / "pid")
    process.kill()
    until(lambda: not is_running(pid), "the command outlived us")


def test_a_reader_that_goes_ends_the_command(tmp_path, started):
    process = started("--", "sh", "-c", "echo $$ > pid; while :; do echo y; done")
    pid = number_in(tmp_path / "pid")
    process.stdout.close()
    until(lambda: not is_running(pid), "the command goes on for nobody")
    process.stdout = None
    process.wait(TO_COME)
    assert process.stderr.read().count(b"headroom") == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_is_an_error_of_ours(tmp_path, ours):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(ours("--", "echo", "hi"), stdout=full, stderr=subprocess.PIPE, cwd=tmp_path,
                              env=clean_environment(tmp_path))  # fmt: skip
    assert done.returncode == 74
    assert b"no space left" in done.stderr


def test_a_signal_ends_what_is_left_of_us(tmp_path, started):
    """The command has ended, and nobody reads what it wrote."""
    process = started("--", "sh", "-c", "head -c 300000 /dev/urandom; echo $$ > pid")
    pid = number_in(tmp_path / "pid")
    until(lambda: not is_running(pid), "it goes on")
    until(lambda: select.select([process.stdout], [], [], 0)[0], "nothing was written")
    process.terminate()
    assert process.wait(TO_COME) == 128 + signal.SIGTERM


# --- terminals


class Terminal:
    """A shell on a terminal: what is typed, and what is shown."""

    def __init__(self, words, tmp_path):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.chdir(tmp_path)
            os.execvpe(words[0], words, clean_environment(tmp_path, PS1="$ ", ENV=""))
        self.shown = b""
        self._seen = 0

    def type(self, text):
        os.write(self.fd, text)

    def wait_for(self, text):
        """Wait until it is shown after what was waited for last."""
        end = time.monotonic() + TO_COME
        while (found := self.shown.find(text, self._seen)) < 0:
            assert time.monotonic() < end, (text, self.shown, self._seen)
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self.fd, 1 << 16)
                except OSError:  # it has ended
                    assert text in self.shown[self._seen :], (text, self.shown, self._seen)
        self._seen = found + len(text)

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture
def terminal(tmp_path):
    made = []

    def start(*words):
        made.append(Terminal(words, tmp_path))
        return made[-1]

    yield start
    for one in made:
        one.close()


def test_a_terminal_is_the_commands(terminal, ours):
    shown = terminal(
        *ours("--", PYTHON, "-c", "import os; print(os.isatty(0), os.isatty(1), os.getpid() == os.getsid(0))")
    )
    shown.wait_for(b"True True True")  # it has our process: there is nobody in between


@pytest.fixture
def bash(terminal):
    """Return an interactive shell, which gives each job a process group of its own.

    What is typed before its prompt can be lost, as it changes the mode of the terminal first.
    """
    if not os.path.exists("/bin/bash"):
        pytest.skip("no bash")
    shown = terminal(
        "/bin/bash", "--norc", "--noprofile", "--noediting", "-i"
    )  # readline lost a line typed at its prompt
    shown.wait_for(b"$ ")
    shown.type(b"stty -echo\n")
    shown.wait_for(b"stty -echo\r\n")
    shown.wait_for(b"$ ")
    return shown


def test_ctrl_c_reaches_the_command_once(bash, ours, tmp_path):
    (tmp_path / "waiting.py").write_text(WAITING.format(last=int(signal.SIGQUIT)))
    bash.type(f"{shlex.join(ours('--', PYTHON, 'waiting.py'))} > out; echo ended $?\n".encode())
    bash.wait_for(b"ready")
    bash.type(b"\x03")
    bash.wait_for(b"2\r\n")
    bash.type(b"\x1c")
    bash.wait_for(b"ended 9\r\n")
    assert re.findall(rb"(\d+)\r\n", bash.shown) == [b"2", b"3", b"9"]
    assert (tmp_path / "out").read_bytes() == b"working\n"


@pytest.mark.long  # on a busy machine bash loses, once in thirty times, the line with fg that is typed at its prompt
@pytest.mark.parametrize("verb", ["run", "wrap"])
def test_ctrl_z_stops_the_job_once_and_fg_goes_on(bash, ours, tmp_path, verb):
    (tmp_path / "asking.py").write_text("import os\nos.write(2, b'ready\\n')\nprint(input())\n")
    words = [verb if word == "run" else word for word in ours("-q", "--", PYTHON, "asking.py")]
    bash.type(f"{shlex.join(words)} > out\n".encode())
    bash.wait_for(b"ready")
    bash.type(b"\x1a")
    bash.wait_for(b"Stopped")
    bash.wait_for(b"$ ")
    bash.type(b"fg; echo ended $?\n")
    bash.wait_for(b"asking.py > out\r\n")  # what fg says
    bash.type(b"typed\n")
    bash.wait_for(b"ended 0")
    assert (tmp_path / "out").read_bytes() == b"typed\n"


@pytest.mark.parametrize(
    ("line", "alone"),
    [
        ("vim x", True), ("less x", True), ("ssh host", True), ("ssh -p 22 host", True), ("ssh host ls", False),
        ("ssh -p 22 host ls -l", False), ("python3", True), ("python3 x.py", False), ("python3 -c pass", False),
        ("python3 -m pytest", False), ("git rebase -i HEAD~3", True), ("git rebase main", False), ("git add -p", True),
        ("git add .", False), ("git log", False), ("sudo vim x", True), ("env A=1 python3", True), ("make", False),
        ("psql -c 'select 1'", False), ("psql db", True), ("sqlite3 x.db", True), ("sqlite3 x.db .schema", False),
        ("top", True), ("top -b -n 1", False), ("bash", True), ("bash x.sh", False), ("bash -c ls", False),
        ("docker run -it x", True), ("docker run x", False), ("kubectl get pods", False), ("kubectl edit x", True),
        ("redis-cli", True), ("redis-cli -p 1 get x", False), ("/usr/bin/vim x", True), ("crontab -e", True),
        ("crontab -l", False), ("node", True), ("node x.js", False),
    ],
)  # fmt: skip
def test_programs_that_talk_to_a_person(line, alone):
    assert _alone.left_alone(shlex.split(line), at_terminal=True) is alone
    assert not _alone.left_alone(shlex.split(line), at_terminal=False)


def test_an_original_that_was_asked_for_is_not_shortened_again(headroom, tmp_path):
    (tmp_path / "app.log").write_text(LOG)
    small = headroom("run", "cat", "app.log").stdout.decode()
    handle = re.search(r"<<headroom:(\S+) ", small)[1]
    line = [PYTHON, "-m", "headroom_cli", "retrieve", handle]
    for words in (line, ["sh", "-c", shlex.join(line)]):
        assert headroom("run", "--", *words).stdout.decode() == LOG


# --- the command line


def test_the_fast_path_reads_what_typer_reads():
    from headroom_cli.cli import _flags
    from headroom_cli.cli.app import build

    for words in (
        ["ls"], ["--", "ls"], ["ls", "-l", "-q"], ["-q", "ls", "--", "x"], ["--level", "max", "--", "a", "--"],
        ["--wait=3", "-", "x"], ["x", "", "y"],
    ):  # fmt: skip
        context = build().commands["run"].make_context("run", list(words))
        slow = {
            name: "true" if value is True else "\0".join(value) if isinstance(value, (list, tuple)) else value
            for name, value in context.params.items()
            if value is not None and value is not False
        }
        assert main.parse(words, _flags.FLAGS["run"]) == slow, words


def test_a_run_imports_what_a_filter_does(tmp_path):
    from test_startup import FORBIDDEN, imported

    (tmp_path / "app.log").write_text(LOG)
    for words in (("true",), ("cat", "app.log")):
        loaded = imported(tmp_path, "run", "-q", "--", *words, stdin=b"") - {"zstandard.backend_c"}
        assert {name for name in loaded if name in FORBIDDEN or name.split(".")[0] in FORBIDDEN} == set()
