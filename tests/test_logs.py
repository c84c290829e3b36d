"""The log compressor: what went wrong stays, what repeats is counted, and the counts are true."""

from __future__ import annotations

import json
import os
import random
import re
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom_cli.compressors.logs import COMPRESSOR, judge
from headroom_cli.compressors.logs.clean import fold, visible, written
from headroom_cli.compressors.logs.lines import ERROR, FRAME, GLUE, PASSED, PLAIN, SUMMARY, TROUBLE, WARNING, classify
from headroom_cli.compressors.logs.templates import keys_of, merge
from headroom_cli.model import FAITHFUL, LOSSY, Hint, Want

NOTE = re.compile(r"\[\.\.\. (\d+) lines?(?:: [^\]]*)?\]$")
CUT = re.compile(r"\[\.\.\. (\d+) characters\]")


def want(level="balanced", **more):
    more.setdefault("hint", Hint(command="cat service.log"))
    return Want(lambda text: (len(text) + 3) // 4, level=level, **more)


def crush(text, level="balanced", **more):
    draft = COMPRESSOR.compress(text, want(level, **more))
    return text if draft is None else draft.text


def replay(original, rendering):
    """Walk a rendering along its original: kept lines verbatim and in order, each gap as long as it says."""
    source = original.replace("\r\n", "\n").split("\n")
    at = 0
    dropped = 0
    for line in rendering.replace("\r\n", "\n").split("\n"):
        note = NOTE.match(line)
        if note:
            at += int(note[1])
            dropped += int(note[1])
            assert at <= len(source), f"{line} is longer than what is left"
            continue
        if not line:
            while at < len(source) and not source[at].strip():
                at += 1
            continue
        cut = CUT.search(line)
        repeated = re.fullmatch(r"(.*) \[x(\d+)\]", line, re.DOTALL)
        times = 1
        here = source[at]
        if here == line:
            pass
        elif cut:
            head, tail = line[: cut.start()], line[cut.end() :]
            assert here.startswith(head)
            assert here.endswith(tail)
            assert len(here) - len(head) - len(tail) == int(cut[1])
        else:
            assert repeated, f"{line!r} is not {here!r}"
            times = int(repeated[2])
            assert source[at : at + times] == [repeated[1]] * times
        at += times
    assert not any(line.strip() for line in source[at:])
    return dropped


def service(lines=3000, seed=1, errors=12):
    rng = random.Random(seed)
    where = set(rng.sample(range(lines), errors))
    out = []
    for at in range(lines):
        clock = f"2026-01-01 {at // 3600:02d}:{at // 60 % 60:02d}:{at % 60:02d}"
        if at in where:
            out.append(f"{clock} ERROR worker {at % 9} failed: shard {at} lost its lease")
        else:
            out.append(f"{clock} INFO worker {at % 9} processed batch {rng.randrange(9999)}")
    return "\n".join(out) + "\n", [line for line in out if " ERROR " in line]


# What the reference system loses


def test_twelve_errors_among_three_thousand_lines_all_stay():
    text, errors = service()
    small = crush(text)
    assert len(errors) == 12
    for line in errors:
        assert f"\n{line}\n" in small
    assert len(small) < 0.05 * len(text)
    assert replay(text, small) > 2900


def test_forty_distinct_errors_all_stay():
    words = [
        f"{a} {b}" for a in ("disk", "lease", "quota", "mutex", "index", "route", "queue", "cache") for b in "abcde"
    ]
    rows = []
    for number, word in enumerate(words):
        rows += [f"10:00:{second:02d} INFO tick {second}" for second in range(50)]
        rows.append(f"10:01:{number:02d} ERROR {word} is gone")
    small = crush("\n".join(rows))
    assert sum(f"ERROR {word} is gone" in small for word in words) == 40


def test_npm_errors_after_two_hundred_warnings_stay():
    rows = [f"npm WARN deprecated package-{n}@1.{n}.0: no longer maintained" for n in range(200)]
    rows += ["npm ERR! code ERESOLVE", "npm ERR! ERESOLVE unable to resolve dependency tree", ""]
    small = crush("\n".join(rows))
    assert "npm ERR! code ERESOLVE\nnpm ERR! ERESOLVE unable to resolve dependency tree" in small
    assert len(small.split("\n")) < 12


PYTEST = """\
============================= test session starts ==============================
platform linux -- Python 3.11.7, pytest-8.3.4, pluggy-1.5.0
collected 60 items

{passed}
tests/test_cart.py::test_total FAILED                                    [100%]

=================================== FAILURES ===================================
__________________________________ test_total __________________________________

    def test_total():
        cart = Cart()
        cart.add("tea", 3)
>       assert cart.total() == 12
E       AssertionError: assert 9 == 12
E        +  where 9 = total()

tests/test_cart.py:14: AssertionError
=========================== short test summary info ============================
FAILED tests/test_cart.py::test_total - AssertionError: assert 9 == 12
========================= 1 failed, 59 passed in 0.31s =========================
""".format(passed="\n".join(f"tests/test_cart.py::test_case_{n} PASSED      [ {n:2d}%]" for n in range(59)))


def test_pytest_keeps_assertion_lines_and_counts_what_passed():
    small = crush(PYTEST)
    for line in PYTEST.split("\n"):
        if line.startswith(("E ", "> ", "FAILED", "tests/test_cart.py:14", "====", "____")) or "FAILED" in line:
            assert line in small.split("\n")
    assert "[... 58 lines: 58 passed]" in small
    replay(PYTEST, small)


# What one line is


@pytest.mark.parametrize(
    "line",
    [
        "npm ERR! code ERESOLVE",
        "error[E0382]: borrow of moved value: `x`",
        "src/main.c:3:5: error: expected ';' before '}' token",
        "src/app.ts(3,7): error TS2322: Type 'string' is not assignable",
        "panic: runtime error: index out of range [3] with length 3",
        "thread 'main' panicked at src/main.rs:2:5:",
        "E       assert 1 == 2",
        ">       assert total() == 2",
        "FAILED tests/test_a.py::test_b - KeyError: 'x'",
        "--- FAIL: TestParse (0.00s)",
        "not ok 3 - parses",
        "  ✗ renders the page",
        "  1) shows a list",
        "##[error]Process completed with exit code 1.",
        "Process exited with code 137",
        "make: *** [Makefile:3: all] Error 2",
        "[ERROR] Failed to execute goal",
        '{"level":"error","msg":"boom"}',
        '{"level":50,"msg":"boom"}',
        'level=error msg="boom"',
        '10.0.0.1 - - [05/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 503 12 "-" "curl"',
        "E0315 12:00:00.000000  1 reflector.go:127] watch of Pod ended",
        "03-17 16:13:38.811  1702  2395 E/ActivityManager: ANR",
        "java.lang.NullPointerException: name",
        "KeyError: 'token'",
        "Warning  BackOff  pod/web-1  Back-off restarting failed container",
        "web-1  0/1  CrashLoopBackOff  7",
        "==123==ERROR: AddressSanitizer: heap-use-after-free on address 0x6020",
        "[  12.345678] Out of memory: Killed process 812 (java)",
        "** (RuntimeError) boom",
        "Segmentation fault (core dumped)",
        "systemd[1]: nginx.service: Main process exited, code=exited, status=1/FAILURE",
        "Tests: 2 failed, 10 passed, 12 total",
        "[Sun Dec 04 04:47:44 2005] [error] child in state 6",
        "fatal: [web1]: UNREACHABLE! => {}",
        "Error: creating EC2 Instance: UnauthorizedOperation",
        "test_parse F",
        "3 errors generated.",
        "The command '/bin/sh -c make' returned a non-zero code: 2",
        "Command terminated by signal 9",
        "connect to 10.0.0.5:993@0 failed: [50] Network is down",
    ],
)
def test_errors_are_seen(line):
    assert classify(line) == ERROR
    # The same in a crowd, where lines are looked at only when they hold a telling word.
    assert judge(["2026-01-01 00:00:00 INFO ready", line])[0][1] == ERROR


@pytest.mark.parametrize(
    "line",
    [
        "Build succeeded: 0 errors, 0 warnings",
        "gcc -Wall -Werror -O2 -c main.c",
        "running criterion benchmarks",
        "Compiling src/error.rs",
        "copying lib/errors.py -> build/lib/errors.py",
        "errors=0 failed=0",
        "no errors found",
        "12 passed, 0 failed",
        "Process exited with code 0",
        "[INFO] Tests run: 5, Failures: 0, Errors: 0, Skipped: 0",
        '{"level":"info","error":null,"msg":"ok"}',
        "stderr is a terminal",
        "INFO failover is armed",
        '10.0.0.1 - - [05/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 12 "-" "curl"',
        "Your branch and 'origin/main' have diverged",
    ],
)
def test_words_that_only_look_like_errors_are_not(line):
    assert classify(line) not in (ERROR, TROUBLE)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("test_error_handling (tests.test_a.TestA) ... ok", PASSED),
        ("tests/test_a.py::test_fail_fast PASSED  [ 10%]", PASSED),
        ("--- PASS: TestError (0.00s)", PASSED),
        ("test parse::tests::errors ... ok", PASSED),
        ("  ✓ throws an error on bad input (3 ms)", PASSED),
        ("[       OK ] Parser.Error (0 ms)", PASSED),
        ("ok 12 - reports errors", PASSED),
        ("    at Object.<anonymous> (src/a.js:3:5)", FRAME),
        ("\tat com.example.App.main(App.java:12)", FRAME),
        ('  File "/app/a.py", line 3, in main', FRAME),
        ("Traceback (most recent call last):", FRAME),
        ("goroutine 1 [running]:", FRAME),
        ("\t/app/main.go:12 +0x1d", FRAME),
        ("Caused by: java.io.IOException: gone", FRAME),
        ("======== 3 passed in 0.10s ========", SUMMARY),
        ("Ran 26 tests in 0.062s", SUMMARY),
        ("BUILD SUCCESSFUL in 3s", SUMMARY),
        ("main.c:3:5: warning: unused variable 'x' [-Wunused-variable]", WARNING),
        ("connect to 10.0.0.1: Connection refused", TROUBLE),
        ("bash: foo: command not found", TROUBLE),
        ("2026-01-01 00:00:00 INFO ready", PLAIN),
        ("----------", GLUE),
        ("        ^", GLUE),
        ("", GLUE),
    ],
)
def test_classes(line, kind):
    assert classify(line) == kind


def test_a_number_decides_line_by_line():
    rows = [f"12:00:{n:02d} shard {n} done with 0 errors" for n in range(50)]
    rows[31] = "12:00:31 shard 31 done with 4 errors"
    small = crush("\n".join(rows))
    assert rows[31] in small.split("\n")
    assert len(small.split("\n")) < 12


def test_status_codes_decide_line_by_line():
    rows = [
        f'10.0.0.{n} - - [05/Mar/2026:10:00:{n:02d} +0000] "GET /a/{n} HTTP/1.1" 200 {n * 7} "-" "curl"'
        for n in range(60)
    ]
    rows[40] = rows[40].replace(" 200 ", " 500 ")
    assert rows[40] in crush("\n".join(rows)).split("\n")


def test_letters_of_hashes_do_not_hide_an_error():
    # Without the letters a to f "filed" and "failed" are one key.
    rows = [f"12:00:{n % 60:02d} INFO claim {n} was filed" for n in range(90)]
    rows[50] = "12:00:50 INFO claim 50 was failed"
    assert rows[50] in crush("\n".join(rows)).split("\n")


# Terminal text


def test_progress_bars_and_colours_go_and_text_stays():
    text = (
        "Fetching\r\x1b[K 10% [#    ]\r\x1b[K 55% [###  ]\r\x1b[K100% [#####]\n\x1b[1;32mok\x1b[0m done\n"
        "|\b/\b-\b\\\b \n"
    )
    assert visible(text) == ["100% [#####]", "ok done", " "]


def test_an_error_that_was_drawn_over_stays():
    assert visible("10%\rERROR: disk full\r20% of the whole") == ["ERROR: disk full", "20% of the whole"]


def test_a_shorter_redraw_leaves_the_tail_as_a_terminal_does():
    assert visible("abcdef\rXY") == ["XYcdef"]


def test_gcc_erases_do_not_wipe_its_message():
    line = "\x1b[01m\x1b[Kmain.c:3:5:\x1b[m\x1b[K \x1b[01;31m\x1b[Kerror: \x1b[m\x1b[Kexpected ';'"
    assert visible(line) == ["main.c:3:5: error: expected ';'"]


def test_hyperlinks_keep_their_text():
    assert visible("see \x1b]8;;https://a.example/x\x1b\\the docs\x1b]8;;\x07 now") == ["see the docs now"]


def test_neighbours_fold_with_their_count():
    texts, counts = fold(["a long enough line"] * 3 + ["", " ", ""] + ["}"] * 2)
    assert [written(*pair) for pair in zip(texts, counts, strict=True)] == ["a long enough line [x3]", "", "}\n}"]


# Levels


def test_lossless_keeps_every_visible_line():
    text, _ = service(400)
    text = text.replace("worker", "\x1b[36mworker\x1b[0m")
    draft = COMPRESSOR.compress(text, want(lossless=True))
    assert draft.degree == FAITHFUL
    assert draft.missing == ""
    assert draft.text == re.sub("\x1b\\[[0-9]*m", "", text)


def test_lossless_has_nothing_to_say_about_plain_lines():
    text, _ = service(50)
    assert COMPRESSOR.compress(text, want(lossless=True)) is None


def test_levels_leave_less_and_less():
    text, errors = service()
    sizes = [len(crush(text, level)) for level in ("safe", "balanced", "max")]
    assert sizes[0] >= sizes[1] >= sizes[2]
    for level in ("safe", "balanced", "max"):
        assert all(line in crush(text, level) for line in errors)


def test_an_explicit_budget_may_take_errors_and_counts_them():
    rows = [f"10:00:00 ERROR {word} {n} is gone" for n in range(30) for word in ("lease", "quota", "shard")]
    draft = COMPRESSOR.compress("\n".join(rows), want("balanced", budget=60))
    assert draft.degree == LOSSY
    assert (len(draft.text) + 3) // 4 <= 60
    gone = sum(row not in draft.text.split("\n") for row in rows)
    assert f"{gone} of 90 lines" in draft.missing
    assert f"{gone} with errors" in draft.missing


def test_a_budget_that_is_met_takes_no_more_than_the_level():
    text, _ = service()
    roomy = COMPRESSOR.compress(text, want("balanced", budget=100_000)).text
    assert len(roomy) >= len(crush(text))


def test_safe_folds_passed_tests_and_long_runs_only():
    rows = [f"tests/test_a.py::test_{n} {'FAILED' if n % 6 == 0 else 'PASSED'} [ {n}%]" for n in range(60)]
    assert crush("\n".join(rows), "safe").count("5 passed]") == 8
    calm = [f"2026-01-01 00:00:{n:02d} INFO batch {n} done" for n in range(14)]
    assert crush("\n".join(calm), "safe") == "\n".join(calm)


def test_missing_tells_lines():
    text, _ = service(300, errors=2)
    draft = COMPRESSOR.compress(text, want())
    assert draft.missing == f"{replay(text, draft.text)} of 300 lines"


def test_the_question_keeps_its_lines():
    rows = [f"2026-01-01 00:{n // 60:02d}:{n % 60:02d} INFO order {n} shipped to depot {n % 7}" for n in range(900)]
    rows[444] = "2026-01-01 00:07:24 INFO order 444 shipped to customs"
    assert rows[444] in crush("\n".join(rows), question="Why did parcel 444 go through customs?")


def test_time_over_gives_none():
    text, _ = service()
    assert COMPRESSOR.compress(text, want(spent=lambda: True)) is None


# Traces

JAVA = "\n".join(["java.io.IOException: gone", *(f"\tat com.example.Step{n}.run(Step.java:{n})" for n in range(30))])


def test_a_trace_stays_whole_and_its_repetition_is_counted():
    rows = [f"10:00:{n:02d} INFO tick {n}" for n in range(40)]
    text = "\n".join([*rows, JAVA, *rows, JAVA, *rows])
    small = crush(text)
    assert JAVA in small
    assert small.count("Step17.run") == 1
    assert "of a trace above" in small
    replay(text, small)


def test_a_new_trace_keeps_its_message_even_when_told_before():
    rows = [f"10:00:{n:02d} INFO tick {n}" for n in range(40)]
    other = JAVA.replace("Step", "Stage")
    small = crush("\n".join([*rows, JAVA, *rows, other, *rows]))
    assert JAVA in small
    assert other in small


def test_recursion_is_counted():
    frames = ["\tat a.B.even(B.java:1)", "\tat a.B.odd(B.java:2)"] * 500
    text = "\n".join(["java.lang.StackOverflowError", *frames, "\tat a.B.main(B.java:9)"])
    small = crush(text)
    assert small.startswith("java.lang.StackOverflowError\n\tat a.B.even")
    assert small.endswith("\tat a.B.main(B.java:9)")
    assert len(small) < 400
    replay(text, small)


def test_what_was_expected_stays_below_each_failure():
    rows = []
    for n in range(8):
        rows += [
            f"thread 'case_{n}' panicked at src/lib.rs:{n}:5:",
            "assertion `left == right` failed",
            "  left: 1",
            " right: 2",
        ]
        rows += [f"test tests::other_{n}_{m} ... ok" for m in range(9)]
    assert crush("\n".join(rows)).count("  left: 1\n right: 2") == 8


def test_python_traces_keep_their_source_lines():
    trace = (
        'Traceback (most recent call last):\n  File "/app/a.py", line 3, in <module>\n    main()\n'
        '  File "/app/a.py", line 2, in main\n    return {}["key"]\n           ~~^^^^^^^\nKeyError: \'key\''
    )
    rows = [f"10:00:{n:02d} INFO tick {n}" for n in range(40)]
    assert trace in crush("\n".join([*rows, trace, *rows]))


# Units: an error and what belongs to it


def calm(count=40):
    return [f"10:00:{n % 60:02d} INFO tick {n}" for n in range(count)]


UNITS = {
    "go": [
        [f"    --- FAIL: TestCalc/case_{n} (0.00s)", f"        calc_test.go:4: Sum({n}) = {3 * n}, want 10"]
        for n in range(12)
    ],
    "jest": [
        [f"  ● cart case {n}", "", "    expect(received).toBe(expected) // Object.is equality", "",
         f"    Expected: {n * 10}", f"    Received: {n * 10 + 3}", "", f"    > {n + 21} |   expect(c.total).toBe(1);",
         "", f"      at Object.toBe (src/cart.test.js:{n + 21}:19)", ""]
        for n in range(10)
    ],
    "pytest": [
        [f"____________ test_sum[{n}] ____________", "", f"n = {n}", "", ">       assert total(n) == n + 1",
         f"E       assert {n * 2} == {n + 1}", f"E        +  where {n * 2} = total({n})", "",
         "tests/test_sum.py:12: AssertionError"]
        for n in range(8)
    ],
    "cargo": [
        [f"---- m::case_{n} stdout ----", f"thread 'm::case_{n}' panicked at src/lib.rs:{40 + n}:5:",
         "assertion `left == right` failed", f"  left: {n * 3}", f" right: {n * 3 + 1}", ""]
        for n in range(6)
    ],
    "javac": [
        [f"[ERROR] /src/A.java:[{n},8] cannot find symbol", f"  symbol:   class Foo{n}"] for n in range(9)
    ],
    "phpunit": [
        [f"{n + 1}) CartTest::testCase{n}", "Failed asserting that two strings are equal.", "--- Expected",
         "+++ Actual", "@@ @@", "-'a'", f"+'b{n}'", "", f"/app/tests/CartTest.php:{30 + n}", ""]
        for n in range(9)
    ],
    "postgres": [
        [f"10:0{n}:00 UTC [91] ERROR:  duplicate key value violates unique constraint",
         f"10:0{n}:00 UTC [91] DETAIL:  Key (email)=(u{n}@x.example) already exists."]
        for n in range(8)
    ],
    "rustc": [
        ["error[E0308]: mismatched types", f" --> src/main.rs:{n}:18", "  |", f'{n} | let x: i32 = "a";',
         f"  |              ^^^ expected `i32`, found `T{n}`", ""]
        for n in range(10, 16)
    ],
    "dotnet": [
        [f"  Failed App.Tests.Cart.T{n} [{n} ms]", "  Error Message:", "   Assert.Equal() Failure: Values differ",
         f"Expected: {n}", f"Actual:   {n + 4}", "  Stack Trace:", f"     at App.Tests.T() in /app/T.cs:line {30 + n}"]
        for n in range(7)
    ],
}  # fmt: skip


def test_what_a_compiler_draws_again_goes_and_every_place_stays():
    blocks = [
        ["error[E0433]: cannot find crate `anyhow`", f"  --> src/flags/m{n}.rs:{n}:9", "   |",
         f"{n} | use anyhow::C{n};",
         "   |     ^^^^^^ unlinked crate `anyhow`", "   |", "   = help: add it to Cargo.toml", ""]
        for n in range(10, 60)
    ]  # fmt: skip
    text = "\n".join(line for block in blocks for line in block)
    small = crush(text, "balanced")
    assert len(small) < len(text) * 0.6
    assert "\n".join(blocks[0]).strip() in small
    for block in blocks:
        assert "\n".join(block[:2]) in small
    replay(text, small)


@pytest.mark.parametrize("family", UNITS)
@pytest.mark.parametrize("level", ["safe", "balanced"])
def test_each_failure_stays_whole(family, level):
    text = "\n".join([*calm(), *(line for unit in UNITS[family] for line in unit), *calm()])
    small = crush(text, level)
    for unit in UNITS[family]:
        assert "\n".join(unit).strip() in small
    replay(text, small)


@pytest.mark.parametrize("family", UNITS)
def test_at_max_each_failure_keeps_its_own_lines(family):
    small = crush("\n".join([*calm(), *(line for unit in UNITS[family] for line in unit), *calm()]), "max")
    kept = small.split("\n")
    for unit in UNITS[family]:
        for line in unit:
            if any(char.isalpha() for char in line) and classify(line) != FRAME:
                assert line in kept


def test_a_failure_that_was_told_goes_with_its_lines():
    unit = ["FAIL src/a.test.js", "    Expected: 1", "    Received: 2"]
    small = crush("\n".join([*calm(), *unit, *calm(), *unit, *calm()]))
    assert small.count("Expected: 1") == small.count("FAIL src/a.test.js") == 1


def test_output_of_a_failed_go_test_stays_under_its_name():
    rows = []
    for n in range(60):
        rows.append(f"=== RUN   TestCalc/case_{n}")
        if n % 10 == 4:
            rows.append(f"    calc_test.go:{n}: Add({n}) = {n}, want {n + 1}")
    rows += [f"    --- {'FAIL' if n % 10 == 4 else 'PASS'}: TestCalc/case_{n} (0.00s)" for n in range(60)]
    text = "\n".join(rows)
    for level in ("safe", "balanced", "max"):
        small = crush(text, level)
        for n in range(4, 60, 10):
            assert f"=== RUN   TestCalc/case_{n}\n    calc_test.go:{n}: Add({n}) = {n}, want {n + 1}\n" in small


def test_an_error_never_stands_under_another_file():
    rows = []
    for n in range(20):
        rows.append(f"/src/part{n}.ts")
        rows += [f"  {n}:{k}  warning  'v{k}' is never used  no-unused-vars" for k in range(4)]
        if n % 3 == 1:
            rows.append(f"  {n}:9  error  'x' is not defined  no-undef")
    for level in ("balanced", "max"):
        head = ""
        for line in crush("\n".join(rows), level).split("\n"):
            if line.startswith("/src/"):
                head = line
            elif "error" in line:
                assert head == f"/src/part{line.split(':')[0].strip()}.ts"


TROUBLES = {
    "hosts": [f"dial tcp 10.0.0.{n}:5432: connect: connection refused" for n in range(1, 9)],
    "shards": [f"could not open /data/shard-{n}/part-{n * 3}.bin: Permission denied" for n in range(1, 9)],
    "symbols": [f"/usr/bin/ld: main.c:(.text+0x{n}a): undefined reference to `vec{n}_add'" for n in range(2, 8)],
    "ports": [f"service on port {n} is unreachable" for n in range(8080, 8090)],
}


@pytest.mark.parametrize("family", TROUBLES)
@pytest.mark.parametrize("level", ["safe", "balanced", "max"])
def test_troubles_that_differ_in_a_number_all_stay(family, level):
    rows = [row for line in TROUBLES[family] for row in (*calm(9), f"10:01:02 {line}")]
    kept = crush("\n".join(rows), level).split("\n")
    assert all(f"10:01:02 {line}" in kept for line in TROUBLES[family])


def test_troubles_that_differ_in_time_and_ids_are_one():
    rows = [
        f"10:{n % 60:02d}:00 app[{n + 100}]: cannot reach peer 3, request {n * 7919 + 10**6} "
        f"trace {n * 2**70 + 10**20 + n:032x} after {n} ms"
        for n in range(90)
    ]
    assert len([row for row in crush("\n".join(rows)).split("\n") if "cannot" in row]) <= 3


def test_hundreds_of_troubles_of_one_wording_fold_with_their_count():
    rows = [f"host {n} is unreachable" for n in range(900)]
    draft = COMPRESSOR.compress("\n".join([*calm(), *rows]), want())
    kept = draft.text.split("\n")
    assert rows[0] in kept
    assert rows[-1] in kept
    gone = sum(row not in kept for row in rows)
    assert f"{gone} with other numbers]" in draft.text
    assert f", {gone} with errors" in draft.missing


HTTP = {
    "haproxy": "lb haproxy[2]: 10.0.0.7:40001 [01/Mar/2026:10:11:12.100] fe be/s{n} 0/0/1/{n}/31 {s} 212 - - ---- "
    '5/5/0/0/0 0/0 "GET /a HTTP/1.1"',
    "uvicorn": 'INFO:     10.0.0.{n}:50001 - "GET /v1/a HTTP/1.1" {s} Reason',
    "envoy": '[2026-03-01T10:11:12.000Z] "GET /p HTTP/1.1" {s} UF,URX up - "-" 0 {n} 3 "-"',
    "morgan": "GET /r/a{n} {s} 12.123 ms - 20",
    "gin": "[GIN] 2026/03/01 - 10:11:12 | {s} |  {n}.2ms | 10.0.0.1 | GET      /a",
    "rails": "Completed {s} Reason in {n}ms (ActiveRecord: 1.0ms)",
}


@pytest.mark.parametrize("family", HTTP)
@pytest.mark.parametrize("level", ["safe", "balanced", "max"])
def test_failed_requests_stay_in_every_access_log(family, level):
    rows = [HTTP[family].format(n=n, s=200) for n in range(80)]
    bad = [HTTP[family].format(n=n, s=status) for n, status in ((81, 500), (82, 502), (83, 503), (84, 504))]
    for at, row in zip((11, 33, 48, 70), bad, strict=True):
        rows.insert(at, row)
    text = "\n".join(rows)
    small = crush(text, level)
    assert len(small) < 0.6 * len(text)
    assert all(row in small.split("\n") for row in bad)


@pytest.mark.parametrize(
    "line",
    [
        "[  301.000002] #PF: supervisor read access in kernel mode",
        "[  301.000003] Oops: 0000 [#1] SMP PTI",
        "[  301.000005] RIP: 0010:nf_conntrack_find+0x1a/0x90 [nf_conntrack]",
        "systemd[1]: foo.service: Main process exited, code=exited, status=203/EXEC",
        "10:00:00 eth0: Network is down",
        "ERROR: cannot install a==1\n    e 3.0 depends on c==1.7",
    ],
)
def test_at_max_these_stay_without_a_budget(line):
    assert line in crush("\n".join([*calm(300), line, *calm(300)]), "max")


def test_a_folded_line_cannot_be_a_line_of_the_log():
    once = "a line that is long enough to fold"
    folded = crush("\n".join([once] * 30), lossless=True)
    assert folded == f"{once} [x30]"
    for other in (f"{once} [x30]", f"{once} [x30]\n" * 3, "\n".join([once] * 30 + [f"{once} [x2]"])):
        assert crush(other, lossless=True) == other


@pytest.mark.parametrize("level", ["balanced", "max"])
def test_the_marker_counts_the_characters_of_the_notes(level):
    rows = [*calm(), "10:00:01 INFO frame " + "xyz " * 400, "10:00:02 ERROR bad frame " + "uvw " * 900, *calm()]
    draft = COMPRESSOR.compress("\n".join(rows), want(level))
    cut = sum(int(found) for found in CUT.findall(draft.text))
    assert cut > 0
    assert f"{cut} characters of long lines" in draft.missing


# Shape


TOOLS = {
    "terraform": [f"aws_instance.web[{n}]: Refreshing state... [id=i-0{n}]" for n in range(40)],
    "plan": [
        row
        for n in range(20)
        for row in (f"  # a.r{n} will be gone", f'  - resource "a" "r{n}" {{', f'      - name = "{n}" -> null', "    }")
    ],
    "eslint": [
        row for n in range(20) for row in (f"/src/p{n}.ts", f"  {n}:3  warning  'a' is never used  no-unused-vars")
    ],
    "dotnet": [f"  Passed App.Tests.Case{n} [{n} ms]" for n in range(40)],
    "rspec": [row for unit in range(8) for row in (
        f"  {unit}) Cart total", "     Failure/Error: expect(a).to eq(b)", "", f"       expected: {unit}",
        "            got: 9", f"     # ./spec/cart_spec.rb:{unit}:in `block'", "")],
    "webpack": [f"asset chunk-{n}.js {n}.1 KiB [emitted]" for n in range(40)],
    "vite": [f"dist/assets/chunk-{n}.js   {n}.10 kB" for n in range(40)],
    "tsc": [f"src/a{n}.ts:{n}:3 - error TS2322: Type 'string' is not assignable to type 'number'." for n in range(40)],
    "events": [f"{n}m  Normal  Pulled  pod/web-{n}  Successfully pulled image" for n in range(40)],
    "morgan": [f"GET /r/a{n} 200 {n}.1 ms - 20" for n in range(40)],
}  # fmt: skip


@pytest.mark.parametrize("family", TOOLS)
def test_output_of_tools_is_a_log_by_its_text_alone(family):
    text = "\n".join(TOOLS[family])
    assert COMPRESSOR.sniff(text, Hint()) >= 0.6


def test_other_kinds_are_not_logs():
    code = "\n".join(
        f"def handle_{n}(error):\n    if error:\n        raise ValueError(error)\n    return {n}\n" for n in range(60)
    )
    prose = "The error budget is what a team may spend. It says nothing about blame.\n\n" * 40
    rows = "id,name,error\n" + "\n".join(f"{n},name {n},0" for n in range(200))
    diff = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n" + "\n".join(f"+x = {n}" for n in range(80))
    document = json.dumps([{"level": "info", "n": n} for n in range(50)], indent=2)
    for text in (code, prose, rows, diff, document):
        assert COMPRESSOR.sniff(text, Hint(command="cat notes.log")) <= 0.5
        assert COMPRESSOR.sniff(text, Hint()) < 0.3
    draft = COMPRESSOR.compress(code, want(hint=Hint(command="cat a.py")))
    assert draft is None or draft.degree == FAITHFUL


def test_logs_are_logs():
    text, _ = service(200)
    assert COMPRESSOR.sniff(text, Hint()) > 0.9
    assert COMPRESSOR.sniff(PYTEST, Hint(command="pytest -v")) > 0.9
    lines = "\n".join(json.dumps({"level": "info", "ts": n, "msg": "done"}) for n in range(50))
    assert COMPRESSOR.sniff(lines, Hint()) > 0.8


FAMILIES = {
    "buildkit": [
        f"#12 {n / 10:.3f} Get:{n} http://deb.example.org bookworm/main amd64 lib{n} [{n} kB]" for n in range(80)
    ]
    + [
        "#12 9.001 E: Unable to locate package libnothere",
        '#12 ERROR: process "/bin/sh -c apt-get" did not complete successfully: exit code: 100',
    ],
    "actions": [f"2026-01-01T00:00:{n % 60:02d}.1234567Z ##[debug]step {n} evaluated" for n in range(80)]
    + ["2026-01-01T00:02:00.1234567Z ##[error]Process completed with exit code 1."],
    "gradle": [f"> Task :module{n}:compileJava UP-TO-DATE" for n in range(80)]
    + ["> Task :app:test FAILED", "* What went wrong:", "Execution failed for task ':app:test'."],
    "terraform": [f"aws_instance.web[{n}]: Still creating... [{n}0s elapsed]" for n in range(80)]
    + [
        "Error: creating EC2 Instance: UnauthorizedOperation",
        "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.",
    ],
    "kernel": [f"[ {n:4d}.{n:06d}] usb 1-{n % 4}: new high-speed USB device number {n}" for n in range(80)]
    + ["[   99.000001] BUG: unable to handle page fault for address: ffff8880", "[   99.000002] Call Trace:"],
    "tap": [f"ok {n} - parses case {n}" for n in range(80)]
    + ["not ok 81 - parses the last case", "# failed 1 of 81 tests"],
    "pods": [f"{n}m  Normal  Pulled  pod/web-{n}  Container image already present" for n in range(80)]
    + ["3m  Warning  BackOff  pod/web-3  Back-off restarting failed container"],
    "cargo": [f"   Compiling crate-{n} v0.{n}.0" for n in range(80)]
    + [
        "error[E0382]: borrow of moved value: `x`",
        " --> src/main.rs:3:20",
        'error: could not compile `app` (bin "app") due to 1 previous error',
    ],
    "zap": [json.dumps({"level": "info", "ts": n, "msg": "reconciled", "name": f"web-{n}"}) for n in range(80)]
    + [json.dumps({"level": "error", "ts": 99, "msg": "reconcile failed", "error": "conflict"})],
}


@pytest.mark.parametrize("family", FAMILIES)
def test_families_keep_what_went_wrong_and_fold_the_rest(family):
    rows = FAMILIES[family]
    text = "\n".join(rows) + "\n"
    small = crush(text, hint=Hint(command="make"))
    kept = small.split("\n")
    for row in rows:
        if classify(row) in (ERROR, TROUBLE):
            assert row in kept
    assert any(classify(row) == ERROR for row in rows)
    assert len(small) < 0.4 * len(text)
    replay(text, small)


# Laws

LINES = st.sampled_from(
    [
        "",
        "  ",
        "}",
        "----",
        "2026-01-01 00:00:00 INFO worker {n} ready",
        "2026-01-01 00:00:0{n} INFO batch {n} of {n} done",
        "ERROR shard {n} failed",
        "tests/test_a.py::test_{n} PASSED",
        "    at f{n} (a.js:{n}:1)",
        "DEBUG cache miss for key {n}",
        "warning: unused variable v{n}",
        "make[{n}]: Entering directory '/src/{n}'",
        "    indented detail {n}",
        "exit code {n}",
        "[... 3 lines: 3 INFO]",
        "plain words without number",
        "Caused by: X{n}: y",
        "x3",
        "done x2",
        "E   assert {n} == 2",
    ]
)
LOGS = st.lists(st.tuples(LINES, st.integers(0, 9), st.integers(1, 6)), max_size=60).map(
    lambda rows: "\n".join(line.replace("{n}", str(n)) for line, n, times in rows for _ in range(times))
)


@settings(max_examples=300, deadline=None)
@given(LOGS, st.sampled_from(["safe", "balanced", "max"]))
def test_counts_are_true_and_kept_lines_verbatim(text, level):
    # A note in the source is a line like any other; here it would be read as one of ours.
    text = text.replace("[... 3", "[.. 3")
    draft = COMPRESSOR.compress(text, want(level))
    if draft is None:
        return
    dropped = replay(text, draft.text)
    assert len(draft.text) < len(text)
    assert (draft.degree == LOSSY) == (dropped > 0)
    if dropped:
        assert draft.missing.startswith(f"{dropped} of {text.count(chr(10)) + (not text.endswith(chr(10)))} lines")
    for line in text.split("\n"):
        if classify(line) == ERROR and level != "max":
            assert line in draft.text


@settings(max_examples=200, deadline=None)
@given(LOGS, st.sampled_from(["safe", "balanced", "max"]))
def test_again_changes_little_and_never_a_note(text, level):
    once = crush(text, level)
    twice = crush(once, level)
    assert crush(text, level) == once
    if level != "max":
        assert len(twice) >= 0.6 * len(once)
    for line in once.split("\n"):
        if NOTE.match(line) and level != "max":
            assert line in twice


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab 0\n\r\b\x1b[K]2;\x07\0\t\u2713\u00e9\ud800"), max_size=300))
def test_any_text_is_survived(text):
    draft = COMPRESSOR.compress(text, want())
    assert draft is None or len(draft.text) < len(text)
    judge(text.split("\n"))


def test_a_gap_that_takes_in_an_older_note_speaks_for_its_lines():
    text, _ = service(600, errors=3)
    once = crush(text)
    twice = crush(once, budget=60)
    assert len(twice) < len(once)
    assert replay(text, twice) > replay(text, once)


def test_crlf_and_the_last_newline_are_kept():
    text, _ = service(300)
    windows = text.replace("\n", "\r\n")
    assert crush(windows) == crush(text).replace("\n", "\r\n")
    assert crush(text).endswith("\n")
    assert not crush(text.rstrip("\n")).endswith("\n")


def test_far_too_long_lines_lose_their_middle_and_say_so():
    rows = [f"10:00:00 INFO tick {n}" for n in range(30)] + [
        "10:00:01 ERROR bad frame " + "xyz " * 5000,
        "10:00:02 INFO done",
    ]
    text = "\n".join(rows)
    small = crush(text)
    assert "10:00:01 ERROR bad frame xyz" in small
    assert "characters]" in small
    replay(text, small)


def test_templates_merge_values_and_not_words():
    keys = keys_of(
        [f"12:00:00 INFO fetched /srv/a/{w} for user {n}" for n, w in enumerate(("tea", "oil", "rye"))]
        + ["12:00:00 INFO shutting down now then ok"]
    )
    numbers = merge(keys, [0] * 4)
    assert numbers[0] == numbers[1] == numbers[2] != numbers[3]


SEEDS = {
    "one line": "a" * (1 << 20),
    "newlines": "\n" * (1 << 20),
    "words": "a " * (1 << 19),
    "parens": "(" * (1 << 20),
    "returns": "\r" * (1 << 20),
    "escapes": "\x1b" * (1 << 20),
    "open escapes": "\x1b]0;" * (1 << 18),
    "error words": "error " * (1 << 17),
    "redraws": "\r".join("#" * (n % 700) for n in range(3000)),
    "dots": "." * (1 << 20) + "Q",
}


@pytest.mark.parametrize("seed", SEEDS)
def test_hostile_text_takes_linear_time(seed):
    start = time.perf_counter()
    COMPRESSOR.compress(SEEDS[seed], want())
    assert time.perf_counter() - start < 3  # ten times the aim: machines that run tests are busy


CORPUS = os.environ.get("HEADROOM_CORPUS") or os.path.join(os.path.dirname(__file__), "..", "..", "shared", "corpus")


@pytest.mark.skipif(not os.path.exists(os.path.join(CORPUS, "MANIFEST.jsonl")), reason="the corpus is not here")
def test_corpus_needles_stay():
    sys.path.insert(0, os.path.join(CORPUS, "..", "tools"))
    corpus = pytest.importorskip("corpus")
    before = after = needles = kept = 0
    for row in corpus.rows("logs")[::3]:
        text = corpus.text(row)
        small = crush(text, hint=Hint(command=f"cat {row['path']}"))
        found = corpus.retention(row, small)
        before, after = before + len(text), after + len(small)
        needles, kept = needles + found["needles"], kept + found["kept"]
    assert kept >= 0.99 * needles
    assert after <= 0.3 * before


def test_nested_bodies_go_the_way_of_their_outermost_head():
    def case(name, want, got):
        return [f"=== RUN   Test{name}", f"    api_test.go:3{got}: ", "        \tError Trace:\t/a/api_test.go:30",
                "        \tError:      \tNot equal: ", f"        \t            \texpected: {want}",
                f"        \t            \tactual  : {got}", f"        \tTest:       \tTest{name}",
                f"--- FAIL: Test{name} (0.00s)"]  # fmt: skip

    calm = [line for n in range(60) for line in (f"=== RUN   TestOk{n}", f"--- PASS: TestOk{n} (0.00s)")]
    text = "\n".join([*calm, *(line for n in range(12) for line in case(f"Bad{n}", 84 + n, 8997 + n)), *calm, "FAIL"])
    for level in ("safe", "balanced"):
        small = crush(text, level)
        for n in range(12):
            assert f"expected: {84 + n}\n" in small
            assert f"actual  : {8997 + n}\n" in small
        replay(text, small)


def test_max_is_never_larger_than_balanced():
    for family, units in UNITS.items():
        text = "\n".join(line for unit in units for line in unit)
        assert len(crush(text, "max")) <= len(crush(text, "balanced")), family


def test_dots_are_counted_as_tests() -> None:
    text = "".join(f"tests/test_{i}.py {'.' * 17}{'s' if i % 5 else 'x'}X. [{i * 5:3d}%]\n" for i in range(20))
    small = crush(text + "=== 380 passed, 16 skipped, 4 xfailed, 20 xpassed in 3.21s ===\n")
    assert "[... 19 lines: 342 passed, 19 xpassed, 16 skipped, 3 xfailed]" in small


def test_passed_tests_are_counted_beside_any_number_of_states() -> None:
    lines = [f"{'.' * 50}{'SIRW'[n % 4]}{'.' * 10} {61 * n + 61} / 610 ( {n}0%)" for n in range(10)]
    small = crush("\n".join(["Runtime:       PHP 8.2.1", "", *lines, "", "Tests: 610, Assertions: 900."]))
    assert ": 540 passed, " in small


def test_a_line_of_dots_with_a_failure_stays() -> None:
    text = "".join(f"tests/test_{i}.py {'.' * 19}{'F' if i in (5, 17) else '.'} [{i * 5:3d}%]\n" for i in range(20))
    small = crush(text + "=== 2 failed, 398 passed in 3.21s ===\n")
    assert "tests/test_5.py ...................F [ 25%]" in small
    assert "tests/test_17.py ...................F [ 85%]" in small
    assert "[... 11 lines: 220 passed]" in small


# Runner -> the line of a passed test, that of a skipped one, the word for it; {} is a number.
RUNNERS = {
    "pytest": ("tests/test_a.py::test_{} PASSED [ 9%]", "tests/test_a.py::test_{} SKIPPED (no net) [ 9%]", "skipped"),
    "pytest xfail": (
        "tests/test_a.py::test_{} PASSED [ 9%]",
        "tests/test_a.py::test_{} XFAIL (known) [ 9%]",
        "xfailed",
    ),
    "xdist": (
        "[gw1] [ 9%] PASSED tests/test_a.py::test_{} ",
        "[gw1] [ 9%] SKIPPED tests/test_a.py::test_{} ",
        "skipped",
    ),
    "unittest": ("test_{} (tests.A.test_{}) ... ok", "test_{} (tests.A.test_{}) ... skipped 'no net'", "skipped"),
    "unittest, expected": ("test_{} (tests.A) ... ok", "test_{} (tests.A) ... expected failure", "xfailed"),
    "cargo": ("test store::t{} ... ok", "test store::t{} ... ignored", "ignored"),
    "go": ("--- PASS: TestX{} (0.00s)", "--- SKIP: TestX{} (0.00s)", "skipped"),
    "jest": ("  \u2713 case {} (2 ms)", "  \u25cb skipped case {}", "skipped"),
    "jest, to be written": ("  \u2713 case {} (2 ms)", "  \u270e todo case {}", "todo"),
    "bun": ("(pass) cart > t{} [0.10ms]", "(todo) cart > t{}", "todo"),
    "playwright": (
        "  \u2713  {} [chromium] \u203a a.spec.ts:5:1 \u203a t (4ms)",
        "  -  {} [chromium] \u203a a.spec.ts:5:1 \u203a t",
        "skipped",
    ),
    "gtest": ("[       OK ] Cart.t{} (0 ms)", "[  SKIPPED ] Cart.t{} (0 ms)", "skipped"),
    "ctest": (
        " 7/60 Test #{}: t{} ........   Passed    0.01 sec",
        " 7/60 Test #{}: t{} ........***Skipped   0.01 sec",
        "skipped",
    ),
    "dotnet": ("  Passed Shop.Tests.T{} [1 ms]", "  Skipped Shop.Tests.T{} [1 ms]", "skipped"),
    "gradle": ("CartTest > t{}() PASSED", "CartTest > t{}() SKIPPED", "skipped"),
    "bazel": ("//shop/cart:t{}   PASSED in 0.3s", "//shop/cart:t{}   SKIPPED", "skipped"),
    "swift": (
        "Test Case '-[A.B t{}]' passed (0.001 seconds).",
        "Test Case '-[A.B t{}]' skipped (0.001 seconds).",
        "skipped",
    ),
    "automake": ("PASS: t{}.sh", "SKIP: t{}.sh", "skipped"),
    "lit": ("PASS: LLVM :: CodeGen/t{}.ll (1 of 40)", "UNSUPPORTED: LLVM :: CodeGen/t{}.ll (1 of 40)", "unsupported"),
    "prove": ("t/{}-cart.t .. ok", "t/{}-cart.t .. skipped: no net", "skipped"),
    "deno": ("t{} ... ok (3ms)", "t{} ... ignored (0ms)", "ignored"),
    "exunit": ("  * test t{} (0.1ms) [L#{}]", "  * test t{} (skipped) [L#{}]", "skipped"),
    "phpunit": (" \u2714 Adds {}", " \u21a9 Adds {}", "skipped"),
    "meson": (
        "{}/40 shop:t{}   OK              0.01s",
        "{}/40 shop:t{}   SKIP            0.01s   exit status 77",
        "skipped",
    ),
}


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("level", ["safe", "balanced", "max"])
def test_a_skipped_test_is_never_counted_as_passed(runner, level):
    passed, skipped, label = RUNNERS[runner]
    lines = [(skipped if n % 9 == 4 else passed).replace("{}", str(100 + n)) for n in range(120)]
    small = crush("\n".join(["running 120 tests", *lines, "all done", ""]), level)
    told = small.split("\n")
    counted = {"passed": 0, label: 0}
    for line in told:
        for count, word in re.findall(r"(\d+) ([a-z ]+)(?=[,\]])", line if NOTE.match(line) and ":" in line else ""):
            counted[word] += int(count)
    small_gaps = sum(int(found[1]) for found in map(NOTE.match, told) if found and ":" not in found[0])
    assert counted[label] + sum(line in lines and lines.index(line) % 9 == 4 for line in told) == 13
    kept = sum(line in lines and lines.index(line) % 9 != 4 for line in told)
    assert counted["passed"] + kept <= 107 <= counted["passed"] + kept + small_gaps
    assert counted["passed"] > 50
    assert replay("\n".join(["running 120 tests", *lines, "all done", ""]), small) > 60


def test_each_reason_of_a_skipped_test_stays() -> None:
    lines = [f"ok {n} - case {n}" for n in range(1, 61)]
    lines[19] += " # SKIP no net"
    lines[29] += " # TODO later"
    lines[39] += " # SKIP no net"
    lines[49] += " # SKIP no disk"
    small = crush("\n".join(["1..60", *lines, ""]))
    assert all(lines[at] in small for at in (19, 29, 49))
    assert lines[39] not in small
    assert "19 lines: 18 ok, 1 skipped]" in small


@pytest.mark.parametrize(
    "line",
    [
        "10:00:03 ERROR upload of part 7 ... skipped",
        "[ERROR] SKIPPED: disk failure",
        "tests/test_a.py F      [ 12%]",
        "tests/test_a.py ..E    [ 12%]",
        "..F.....                     8 / 8 (100%)",
        " 4/9 Test #4: store ......***Not Run   0.00 sec",
        "//shop:store    TIMEOUT in 60.1s",
    ],
)
def test_failures_beside_skipped_tests_are_errors(line):
    assert classify(line) == ERROR


@pytest.mark.parametrize(
    "line", ["DNS", "\u25cb nginx.service - web server", "Previous version: 1.2", "TODO: look into it"]
)
def test_words_that_only_look_like_tests(line):
    assert classify(line) == PLAIN


def test_lines_that_start_or_pause_a_test_are_no_tests() -> None:
    lines = []
    for n in range(40):
        lines += [f"=== RUN   TestX{n}", f"=== PAUSE TestX{n}", f"=== CONT  TestX{n}", f"--- PASS: TestX{n} (0.00s)"]
    small = crush("\n".join([*lines, "PASS", ""]))
    assert "[... 159 lines: 40 passed]" in small


def test_why_a_go_test_was_skipped_stays_beside_its_verdict() -> None:
    lines = []
    for n in range(40):
        said = [f"    db_test.go:{n}: no {'net' if n % 2 else 'db'}", f"--- SKIP: TestX{n} (0.00s)"]
        lines += [f"=== RUN   TestX{n}", *(said if n % 8 in (3, 4) else [f"--- PASS: TestX{n} (0.00s)"])]
    small = crush("\n".join([*lines, "PASS", ""]))
    assert "    db_test.go:3: no net\n--- SKIP: TestX3 (0.00s)" in small
    assert "    db_test.go:4: no db\n--- SKIP: TestX4 (0.00s)" in small


def test_the_tests_of_maven_and_vitest_are_counted_not_their_files() -> None:
    lines = []
    for n in range(20):
        ran = f"[INFO] Tests run: 5, Failures: 0, Errors: 0, Skipped: {n % 2}, Time elapsed: 0.1 s"
        lines += [f"[INFO] Running shop.T{n}", f"{ran} - in shop.T{n}"]
    small = crush("\n".join([*lines, "[INFO] Results:"]))
    assert "[... 36 lines: 81 passed, 18 INFO, 9 skipped]" in small
    lines = [f" \u2713 src/a{n}.test.ts (5 tests{' | 2 skipped' if n % 2 else ''}) 12ms" for n in range(20)]
    assert "75 passed, 20 skipped]" in crush("\n".join([*lines, " Test Files  20 passed (20)", ""]))


def test_a_suite_that_passed_is_no_test() -> None:
    lines = []
    for n in range(20):
        lines += [f"PASS src/t{n}.test.js", f"  \u2713 case {n} (2 ms)", f"  \u25cb skipped case {n}"]
    small = crush("\n".join([*lines, "Tests:       20 skipped, 20 passed, 40 total", ""]))
    assert "[... 57 lines: 19 passed, 19 skipped]" in small
    small = crush("\n".join([f"ok  \tshop/p{n}\t0.{n}s" for n in range(20)] + ["FAIL\tshop/z\t0.1s", ""]))
    assert "19 packages passed]" in small


MOCHA = [
    "",
    "  Cart",
    *(f"    \u2713 adds {n}" for n in range(20)),
    "    - subs",
    "    - pays",
    "",
    "  20 passing (1s)",
]


def test_dashes_are_skipped_tests_where_the_summary_says_so() -> None:
    small = crush("\n".join([*MOCHA, "  2 pending", ""]))
    assert "1 skipped]" in small or "    - subs\n    - pays" in small


def valgrind(records):
    lines = ["==9== Memcheck, a memory error detector", "==9== Command: ./shop", "==9== "]
    for n in range(1, records):
        head = f"{n * 8} (8 direct, {n} indirect) bytes in {n} blocks are definitely lost"
        lines += [f"==9== {head} in loss record {n} of 90",
                  "==9==    at 0x4C2FB0F: malloc (in /usr/lib/valgrind/vgpreload_memcheck-amd64-linux.so)",
                  f"==9==    by 0x10{n:04x}: parse_{n} (p.c:{n * 3})", "==9==    by 0x108700: main (m.c:9)",
                  "==9== "]  # fmt: skip
    for n in range(1, records):
        lines += ["==9== Invalid read of size 4", f"==9==    at 0x1086{n:02x}: read_{n} (a.c:{n})",
                  f"==9==  Address 0x522d{n:03x} is 0 bytes after a block of size {n * 4} alloc'd",
                  "==9==    at 0x4C2FB0F: malloc (in /usr/lib/valgrind/vgpreload_memcheck-amd64-linux.so)",
                  f"==9==    by 0x10{n:04x}: make_{n} (b.c:{n * 7})", "==9== "]  # fmt: skip
    return [*lines, "==9== ERROR SUMMARY: 58 errors from 58 contexts (suppressed: 0 from 0)", ""]


def sanitizers(records):
    lines = ["==8==ERROR: LeakSanitizer: detected memory leaks", ""]
    for n in range(1, records):
        lines += [f"{'Direct' if n % 3 else 'Indirect'} leak of {n * 7} byte(s) in {n} object(s) allocated from:",
                  "    #0 0x4da26f in malloc (/srv/shop+0x4da26f)",
                  f"    #1 0x51{n:04x} in leak_{n} /srv/l.c:{n}:3", ""]  # fmt: skip
    for n in range(1, records):
        lines += ["=" * 18, "WARNING: ThreadSanitizer: data race (pid=1)",
                  f"  Write of size 4 at 0x7b0400{n:04x} by thread T1:",
                  f"    #0 inc_{n} /srv/r.c:{n} (shop+0x4a{n:04x})", "",
                  f"  Previous read of size 4 at 0x7b0400{n:04x} by main thread:",
                  f"    #0 get_{n} /srv/r.c:{n + 100} (shop+0x4c{n:04x})", "", "=" * 18]  # fmt: skip
    return lines


@pytest.mark.parametrize("lines", [valgrind(30), sanitizers(30)], ids=["valgrind", "sanitizers"])
@pytest.mark.parametrize("level", ["safe", "balanced"])
def test_each_record_of_a_memory_checker_keeps_its_head_and_frames(lines, level):
    small = crush("\n".join(lines * 2), level).split("\n")
    at = 0
    for line in lines:
        if re.search(r"bytes in|Invalid|leak of|parse_|read_|make_|leak_|inc_|get_|of size", line):
            at = small.index(line, at) + 1


def test_findings_of_a_linter_stay() -> None:
    lines = [f"app/m{i % 7}.py:{i + 1}:{i % 40 + 1}: F401 [*] `os.path{i}` imported but unused" for i in range(60)]
    draft = COMPRESSOR.compress("\n".join([*lines, "Found 60 errors.", ""]), want(asked=True))
    assert draft is None or all(line in draft.text for line in lines)


def test_a_budget_leaves_no_place_without_its_file() -> None:
    lines = []
    for i in range(12):
        lines += [f"/srv/app/part{i}.tsx", f"  {i + 3}:1  error  Hook {i} has a missing dependency  hooks/deps"]
        lines += [f"  {i + 9}:{n}  warning  Unexpected any  no-explicit-any" for n in range(2, 6)] + [""]
    text = "\n".join([*lines, "60 problems (12 errors, 48 warnings)", ""])
    for budget in (120, 200, 300, 400):
        draft = COMPRESSOR.compress(text, want(asked=True, budget=budget))
        assert draft is not None
        name = ""
        for line in draft.text.split("\n"):
            if line.startswith("/srv"):
                name = line
            elif line.startswith("  ") and "error" in line:
                assert lines.index(line) > 0
                assert name == lines[lines.index(line) - 1]
