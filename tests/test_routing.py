"""routing: every kind from its text, every family of commands, wrappers and segments, bounded time."""

import json
import random
import time
from itertools import pairwise
from pathlib import Path

import pytest

from headroom_cli.model import KINDS, Hint
from headroom_cli.routing import route, segments
from headroom_cli.routing.commands import from_command, from_path

ITEMS = [{"id": i, "name": f"pod-{i}", "phase": "Running", "restarts": i % 3} for i in range(20)]
PYTHON = '''"""Reads settings."""
import os
from typing import Any


class Settings:
    """One value per name."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.values: dict[str, Any] = {}

    def load(self):
        if not os.path.exists(self.path):
            return None
        with open(self.path) as stream:
            for line in stream:
                key, _, value = line.partition("=")
                self.values[key.strip()] = value.strip()
        return self.values
'''
GO = """package main

import "fmt"

// Add returns the sum.
func Add(a, b int) int {
\treturn a + b
}

func main() {
\tfor i := 0; i < 3; i++ {
\t\tfmt.Println(Add(i, 1))
\t}
}
"""
LOG = "".join(
    f"2026-02-11T10:0{i % 10}:{i:02d}.123Z INFO  [pool-{i % 3}] http.Server - GET /items/{i} took {i * 3} ms\n"
    for i in range(30)
)
SYSLOG = "".join(f"Feb 11 10:00:{i:02d} host-1 sshd[{900 + i}]: Accepted key for user{i} port {i}\n" for i in range(20))
BUILD = """   Compiling libc v0.2.150
   Compiling memchr v2.6.4
warning: unused variable: `x`
 --> src/main.rs:4:9
  |
4 |     let x = 5;
  |         ^ help: prefix it with an underscore
  |
error[E0382]: borrow of moved value: `s`
 --> src/main.rs:9:20
error: could not compile `demo` due to previous error
"""
PYTEST = """============================= test session starts ==============================
platform linux -- Python 3.11.7, pytest-8.3.0, pluggy-1.5.0
collected 3 items

tests/test_a.py ..F                                                      [100%]

=================================== FAILURES ===================================
____________________________________ test_c ____________________________________
    def test_c():
>       assert 1 == 2
E       assert 1 == 2

tests/test_a.py:9: AssertionError
=========================== short test summary info ============================
FAILED tests/test_a.py::test_c - assert 1 == 2
========================= 1 failed, 2 passed in 0.03s ==========================
"""
GOTEST = (
    "=== RUN   TestA\n--- PASS: TestA (0.00s)\n"
    "=== RUN   TestB\n    b_test.go:9: got 2\n--- FAIL: TestB (0.00s)\nFAIL\nFAIL\texample.org/x\t0.004s\n"
)
UNITTEST = "".join(f"test_{i} (app.tests.ItemTests.test_{i}) ... ok\n" for i in range(9)) + (
    "\n----------------------------------------------------------------------\nRan 9 tests in 0.010s\n\nOK\n"
)
SEARCH = "".join(f"src/app/item{i}.py:{i * 7 + 3}:    return find_item(self.name, {i})\n" for i in range(12))
HEADING = (
    "src/a.rs\n12:fn find(x: u8) -> u8 {\n40:    find(3);\n\nsrc/b.rs\n7:use crate::find;\n19:    let y = find(2);\n"
)
RG_JSON = (
    '{"type":"begin","data":{"path":{"text":"src/a.rs"}}}\n'
    '{"type":"match","data":{"path":{"text":"src/a.rs"},"lines":{"text":"fn find()\\n"},"line_number":3}}\n'
)
DIFF = """diff --git a/src/a.py b/src/a.py
index 83db48f..bf269f4 100644
--- a/src/a.py
+++ b/src/a.py
@@ -1,4 +1,4 @@
 import os
-x = 1
+x = 2

 print(x)
"""
PS = "USER       PID %CPU COMMAND\n" + "".join(
    f"root      {i:4d}  0.{i % 10} /usr/sbin/daemon-{i}\n" for i in range(20)
)
KUBECTL = "NAME        READY   STATUS             RESTARTS   AGE\n" + "".join(
    f"web-{i:05d}   1/1     Running            {i % 4}          {i}d\n" for i in range(10, 25)
)
CSV = "id,name,price,stock\n" + "".join(f"{i},item {i},{i * 1.5},{i * 2}\n" for i in range(20))
FIND = "".join(f"./src/components/part{i}/index.ts\n" for i in range(20))
LS = "total 48\n" + "".join(f"-rw-r--r-- 1 root root {i * 100} Feb 11 10:00 file{i}.txt\n" for i in range(12))
TREE = ".\n├── src\n│   ├── a.py\n│   └── b.py\n└── tests\n    └── test_a.py\n"
HTML = (
    "<!DOCTYPE html>\n<html><head><title>Shop</title></head><body>"
    + "<div class='x'><p>Hi <a href='#'>there</a></p></div>\n" * 20
)
PROSE = """# Installing

The tool reads its settings from a file in your home directory. When the file is missing, it starts with defaults
and says so once. You can change any of them later.

- Run the installer and follow the steps.
- Open a new terminal so that the path is found.

Most people never need to change anything else, but the next section explains how to do so.
"""
MARKDOWN = (
    PROSE + "\n```python\nimport os\nfor name in os.listdir():\n    print(name)\n```\n\nThat is all you need to know.\n"
)

BY_TEXT = [
    ("json", json.dumps(ITEMS, indent=2)), ("json", json.dumps(ITEMS)), ("json", "\n".join(map(json.dumps, ITEMS))),
    ("json", '{"a": 1}'), ("json", json.dumps(ITEMS * 400)), ("json", json.dumps(ITEMS, indent=2)[:600]),
    ("code", PYTHON), ("code", GO), ("code", '#!/bin/sh\nset -e\nfor f in *.c; do\n  cc -c "$f"\ndone\n'),
    ("code", "".join(f"{i:6d}\t{line}\n" for i, line in enumerate(PYTHON.split("\n"), 1))),
    ("log", LOG), ("log", SYSLOG), ("log", BUILD), ("test-log", PYTEST), ("test-log", GOTEST), ("test-log", UNITTEST),
    ("search", SEARCH), ("search", HEADING), ("search", RG_JSON), ("diff", DIFF), ("diff", "commit 1f2e\n" + DIFF),
    ("table", PS), ("table", KUBECTL), ("table", CSV), ("table", CSV.replace(",", "\t")),
    ("listing", FIND), ("listing", LS), ("listing", TREE), ("html", HTML), ("prose", PROSE), ("prose", MARKDOWN),
    ("mixed", f"$ ls\n{FIND}$ git diff\n{DIFF}$ pytest\n{PYTEST}"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), BY_TEXT)
def test_kind_from_the_text_alone(kind, text):
    found = route(text, Hint())
    assert found.kind == kind
    assert found.confidence >= 0.5
    assert found.why


@pytest.mark.parametrize("lines", [15, 60, 4000])
@pytest.mark.parametrize("shape", ["object", "indented", "array", "lines"])
def test_json_that_holds_a_log_is_json(lines, shape):
    log = "\n".join(f"2026-01-01 10:00:{i % 60:02d} ERROR worker {i} failed: connection refused" for i in range(lines))
    one = {"status": "failed", "log": log}
    text = {
        "object": json.dumps(one), "indented": json.dumps(one, indent=1), "array": json.dumps([log]),
        "lines": f"{json.dumps(one)}\n{json.dumps(one)}\n",
    }[shape]  # fmt: skip
    assert route(text, Hint()).kind == "json"


@pytest.mark.parametrize(
    "text", ['["' + "a b\n" * 3000, '{"a": "' + "x" * 5000, '{"a": "' + "ERROR x\n" * 900 + '" b}']
)
def test_a_long_string_without_json_around_it_is_not_json(text):
    assert route(text, Hint()).kind != "json"


@pytest.mark.parametrize(("kind", "text"), BY_TEXT[:-1])
def test_kind_inside_a_harness(kind, text):
    assert route(f"<returncode>0</returncode>\n<output>\n{text}\n</output>", Hint()).kind == kind
    assert route(f"{text.rstrip()}\nexit code: 0", Hint()).kind == kind


COMMANDS = [
    ("diff", "git diff HEAD~2"),
    ("diff", "git show 1f2e"),
    ("diff", "git log -p -n 3"),
    ("diff", "diff -u a b"),
    ("listing", "git diff --stat"),
    ("listing", "git status"),
    ("listing", "git ls-files | head -50"),
    ("table", "git log --oneline"),
    ("table", "git blame x.py"),
    ("search", "git grep -n foo HEAD"),
    ("code", "git show HEAD:src/a.py"),
    ("search", "rg -n foo src"),
    ("search", "cd x && grep -rn 'a|b' . | head"),
    ("listing", "grep -rl foo src"),
    ("listing", "rg --files"),
    ("listing", "find . -name '*.py' | sort | head -100"),
    ("listing", "fd -e rs"),
    ("listing", "ls -la"),
    ("listing", "tree -L 2"),
    ("listing", "find . | xargs wc -l"),
    ("test-log", "pytest -q 2>&1 | tail -40"),
    ("test-log", "python -m pytest tests"),
    ("test-log", "cargo test"),
    ("test-log", "go test ./..."),
    ("test-log", "npm test"),
    ("test-log", "npx jest --ci"),
    ("test-log", "npm run test:unit"),
    ("test-log", "timeout 60 python3 -m unittest -v"),
    ("test-log", "./gradlew :app:test"),
    ("test-log", "make check"),
    ("test-log", "python manage.py test app"),
    ("test-log", "FOO=1 uv run pytest"),
    ("test-log", "bash -lc 'pytest -x'"),
    ("log", "cargo build 2>&1"),
    ("log", "npm install"),
    ("log", "make -j8"),
    ("log", "docker logs web"),
    ("log", "kubectl logs web-1"),
    ("log", "journalctl -u ssh"),
    ("log", "pip install -e ."),
    ("log", "mvn package"),
    ("log", "tail -n 100 /var/log/app.log"),
    ("code", "cat src/main.rs"),
    ("code", "sed -n '1,80p' a/b.py"),
    ("code", "head -50 lib.go"),
    ("code", "nl -ba x.ts"),
    ("prose", "cat README.md"),
    ("json", "cat package.json"),
    ("table", "head data.csv"),
    ("json", "jq '.items[]' x"),
    ("json", "kubectl get pods -o json"),
    ("json", "aws ec2 describe-instances"),
    ("json", "docker inspect web"),
    ("json", "npm ls --json"),
    ("json", "curl -s https://example.org/api/items"),
    ("table", "kubectl get pods"),
    ("table", "docker ps"),
    ("table", "ps aux"),
    ("table", "df -h"),
    ("table", "pip list"),
    ("prose", "man ls"),
    ("prose", "tar --help"),
    ("html", "curl https://example.org"),
    ("", "cd /tmp"),
    ("", ""),
    ("", "frobnicate"),
    ("", "cat << EOF\ngrep x\nEOF"),
]


@pytest.mark.parametrize(("kind", "command"), COMMANDS)
def test_kind_that_a_command_promises(kind, command):
    assert from_command(command)[0] == kind


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("code", "a/b.py"),
        ("code", "Makefile"),
        ("prose", "README"),
        ("json", "x.JSON"),
        ("log", "a.log"),
        ("", "thing"),
    ],
)
def test_kind_that_a_name_promises(kind, path):
    assert from_path(path) == kind


@pytest.mark.parametrize(
    ("command", "text", "kind"),
    [
        ("cat x.json | head", PYTHON, "code"),
        ("jq . x.json", "jq: error: Could not open file x.json: No such file or directory\n", None),
        ("pytest -q", DIFF, "diff"),
        ("cat app.log", PYTHON, "code"),
        ("tail -50 build.log", json.dumps(ITEMS, indent=1), "json"),
        ("curl https://example.org", json.dumps(ITEMS), "json"),
        ("git diff", "error: Could not access 'HEAD~99'\n", None),
    ],
)
def test_content_beats_the_command(command, text, kind):
    found = route(text, Hint(command))
    if kind:
        assert found.kind == kind
    else:
        assert found.kind not in ("json", "diff", "html")


@pytest.mark.parametrize(
    ("command", "text", "kind"),
    [
        ("grep -n 'class' a.py", "12:class A:\n", "search"),
        ("grep -r 'class Item' .", "./a/b.py:class Item:\n", "search"),
        ("ls", "README\nsrc\ntests\n", "listing"),
        ("pytest -q", "...F..\n1 failed, 5 passed in 0.1s\n", "test-log"),
    ],
)
def test_the_command_decides_short_texts(command, text, kind):
    assert route(text, Hint(command)).kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "{'a': None, 'b': True}", "[INFO] done", "{ not json at all }", "[1] 4242", "[a-z]+", "{{ template }}",
        "{", "[", '{"a": }', '{"a" 1}', "{1: 2}", "[link](http://example.org)", "{}{}{} x",
    ],
)  # fmt: skip
def test_never_json_that_does_not_look_like_it(text):
    for command in ("", "jq .", "cat x.json"):
        assert route(text, Hint(command)).kind != "json"


def tools():
    """Yield (kinds, name, command, text) of routing_texts.txt: what many tools print, a few lines of each.

    A text begins behind ``#### KIND [KIND ...] | NAME [| COMMAND]``; the arrow stands for a tab, the sign for ESC.
    """
    shown = (Path(__file__).parent / "routing_texts.txt").read_text(encoding="utf-8")
    for part in shown.replace("\u21e5", "\t").replace("\u241b", "\x1b").split("#### ")[1:]:
        head, _, text = part.partition("\n")
        kinds, name, *command = head.split(" | ", 2)
        yield pytest.param(kinds.split(), command[0] if command else "", text, id=name)


@pytest.mark.parametrize(("kinds", "command", "text"), list(tools()))
def test_what_many_tools_print(kinds, command, text):
    assert route(text, Hint(command)).kind in kinds
    assert route(text.replace("\n", "\r\n"), Hint(command)).kind in kinds


@pytest.mark.parametrize("text", ["", " ", "\n\n", "ok", "1", "\x00", "\ud800", "é"])
def test_undecidable_texts_have_low_confidence(text):
    found = route(text, Hint())
    assert found.kind in KINDS
    assert found.confidence <= 0.6


def pieces(text, hint=None):
    found = segments(text, hint or Hint())
    assert "".join(text[s.start : s.end] for s in found) == text
    assert all(a.end == b.start for a, b in pairwise(found))
    assert found[0].start == 0
    return found


def test_a_shell_session_is_cut_at_its_prompts():
    text = f"$ ls src\n{FIND}$ git diff\n{DIFF}$ pytest\n{PYTEST}"
    found = pieces(text)
    assert [(s.why, s.kind) for s in found if s.why == "text"] == [
        ("text", "listing"), ("text", "diff"), ("text", "test-log"),
    ]  # fmt: skip
    assert [s.hint.command for s in found if s.why == "text"] == ["ls src", "git diff", "pytest"]


@pytest.mark.parametrize("unit", ["$ ls\n", "$ make\nok\n", "```\nx\n```\n"])
def test_a_flood_of_boundaries_is_one_text(unit):
    text = unit * (2**20 // len(unit))
    start = time.process_time()
    assert len(pieces(text)) == 1
    assert time.process_time() - start < 1.5


def test_fences_are_segments():
    text = PROSE + "\n```json\n" + json.dumps(ITEMS) + "\n```\n\nAnd then:\n\n~~~diff\n" + DIFF + "~~~\n" + PROSE
    assert [(s.why, s.kind) for s in pieces(text)] == [
        ("text", "prose"), ("fence", "json"), ("text", "prose"), ("fence", "diff"), ("text", "prose"),
    ]  # fmt: skip


def test_an_open_fence_is_text():
    assert [s.why for s in pieces(PROSE + "\n```python\n" + PYTHON)] == ["text"]


def test_wrapper_lines_are_segments_of_their_own():
    text = f"<returncode>1</returncode>\n<output>\n{PYTEST}</output>\n"
    assert [(s.why, s.kind) for s in pieces(text, Hint("pytest"))] == [
        ("wrapper", "prose"), ("text", "test-log"), ("wrapper", "prose"),
    ]  # fmt: skip


def test_json_after_log_lines():
    text = LOG + json.dumps(ITEMS, indent=2) + "\n" + LOG
    assert [s.kind for s in pieces(text)] == ["log", "json", "log"]


def test_a_diff_after_a_commit_message():
    text = (
        "commit 1f2e\nAuthor: A <a@example.org>\n\n    Say why\n\n"
        + "    words of a long message, on and on\n" * 8
        + DIFF
    )
    assert pieces(text)[-1].kind == "diff"


@pytest.mark.parametrize("text", ["", "\n", "a", "```", "$ ", "$ x", "<output>", "{\n}\n", "\n{\n\n}"])
def test_small_texts_are_covered(text):
    if text:
        pieces(text)
    else:
        assert len(segments(text, Hint())) == 1


HOSTILE = {
    "spaces": lambda n: " " * n,
    "newlines": lambda n: "\n" * n,
    "letters": lambda n: "a" * n,
    "open": lambda n: "[" * n,
    "braces": lambda n: '{"a":' * (n // 5),
    "quotes": lambda n: '"' * n,
    "backslashes": lambda n: '["' + "\\" * n,
    "fences": lambda n: "```\n" * (n // 4),
    "ticks": lambda n: "`" * n,
    "prompts": lambda n: "$ x\n" * (n // 4),
    "tags": lambda n: "<output>\n" * (n // 9),
    "colons": lambda n: "a:1:" * (n // 4),
    "slashes": lambda n: "a/" * (n // 2),
    "dots": lambda n: "." * n,
    "digits": lambda n: "1" * n,
    "carets": lambda n: "^" * n,
    "pipes": lambda n: "| " * (n // 2),
    "escapes": lambda n: "\x1b[" * (n // 2),
    "nul": lambda n: "\0" * n,
    "plus": lambda n: "+" * n,
    "at": lambda n: "@@ -" * (n // 4),
    "spaced lines": lambda n: (" " * 200 + "\n") * (n // 201),
    "returns": lambda n: "\r" * n,
    "objects": lambda n: "\n{\n" * (n // 3),
    "random": lambda n: "".join(random.Random(1).choices("ab:/.$ \n\t[]{}<>\"'`=-_#@|0", k=n)),
}


@pytest.mark.parametrize("seed", HOSTILE)
def test_hostile_texts_take_linear_time(seed):
    def once(size):
        text = HOSTILE[seed](size)
        start = time.process_time()
        route(text, Hint("grep -n x y"))
        routed = time.process_time() - start
        segments(text, Hint())
        return routed, time.process_time() - start

    once(1 << 10)
    small, large = (min(once(size)[1] for _ in range(2)) for size in (1 << 18, 1 << 20))
    assert large <= 4 * 1.7 * small + 0.05
    assert once(1 << 20)[0] < 0.5  # a bounded sample: the size does not matter
    assert large < 2.5


@pytest.mark.parametrize("command", ["'" * 50_000, "|" * 50_000, "a && " * 20_000, "x=" * 40_000, "git -C " * 9000])
def test_hostile_commands_take_little_time(command):
    start = time.process_time()
    from_command(command)
    assert time.process_time() - start < 1.5  # 0.1 s when measured; what is quadratic takes minutes


def test_rows_between_bars_are_no_diff_statistics():
    rows = "".join(f"| svc-{i:02d} | us-{i % 2} | {i + 3} ms | {i * 7} ms | 0.1% |\n" for i in range(30))
    boxed = " id |  name  | amount | status\n----+--------+--------+--------\n" + "".join(
        f" {i:2d} | user{i:02d} | {i * 13.37:6.2f} | ok\n" for i in range(30)
    )
    assert route("| Service | Region | p50 | p99 | Errors |\n|---|---|---|---|---|\n" + rows, Hint()).kind == "table"
    assert route(boxed, Hint()).kind == "table"
    statistics = "".join(f" src/module_{i}.py | {i + 1:3d} +++\n" for i in range(12)) + " 12 files changed\n"
    assert route(statistics, Hint()).kind == "listing"


def test_paragraphs_with_as_many_commas_are_no_table():
    text = "\n\n".join(
        f"{i}. The Licensee shall distribute more than {i}00 copies. Section {i}.2 applies unless Section {i}.3 says"
        f" otherwise. Notwithstanding the above, the fee is ${i},000.00 per year."
        for i in range(1, 30)
    )
    assert route(text, Hint()).kind == "prose"


def test_outputs_named_between_signs_are_several_without_the_command():
    several = f"=== app.log ===\n{LOG}\n=== data.json ===\n{json.dumps(ITEMS)}\n"
    assert route(several, Hint()).kind == "mixed"
    assert route(f"== Installing ==\n{PROSE}\n== Using ==\n{PROSE}", Hint()).kind == "prose"


@pytest.mark.parametrize(
    "mark", ["... [1200 characters truncated] ...", "[... 40 lines omitted ...]", "\u2026 12 bytes cut"]
)
def test_json_without_its_middle_is_json(mark):
    text = json.dumps(ITEMS, indent=2)
    assert route(f"{text[:703]}\n\n{mark}\n\n{text[-300:]}", Hint()).kind == "json"
    assert route(f"{{\n{mark}\n}}", Hint()).kind != "json"
