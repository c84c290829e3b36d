"""Parts of an original: ranges, rows, grep and query, and what cannot be read."""

from __future__ import annotations

import time

import pytest

from headroom_cli.errors import UsageError
from headroom_cli.slices import cut

LINES = b"".join(f"line {i}\n".encode() for i in range(1, 11))
ARRAY = b'{"kind": "List", "items": [ {"a": 1.10}, "x,y", [1, 2] ], "n": 3}'


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ("2:3", [2, 3]),
        ("9:", [9, 10]),
        (":2", [1, 2]),
        ("4", [4]),
        (":", range(1, 11)),
        ("8:99", [8, 9, 10]),
        ("5:4", []),
    ],
)
def test_lines_are_counted_from_one_and_ends_may_be_open(asked: str, numbers: list[int]) -> None:
    assert cut(LINES, lines=asked) == b"".join(f"line {i}\n".encode() for i in numbers)


@pytest.mark.parametrize("asked", ["0:2", "a:b", "1-2", "-1", "1:2:3", "9" * 13])
def test_what_is_not_a_range_is_an_error(asked: str) -> None:
    with pytest.raises(UsageError, match="--lines"):
        cut(LINES, lines=asked)


def test_rows_are_elements_of_the_array_or_lines() -> None:
    assert cut(ARRAY, rows="1:2") == b'{"a": 1.10}\n"x,y"\n'
    assert cut(b"[1,2,3]", rows="2:") == b"2\n3\n"
    assert cut(LINES, rows="2") == b"line 2\n"
    assert cut(b"[1,2", rows="1") == b"[1,2"


def test_grep_gives_source_lines() -> None:
    assert cut(LINES, grep="1$|line 10") == b"line 1\nline 10\n"
    assert cut(b"\xff one\ntwo\n", grep="one") == b"\xff one\n"


@pytest.mark.parametrize("pattern", ["(", "(" * 5000, "a{99999999999}", "[[:alpha:]]", "*"])
def test_a_pattern_that_cannot_be_read_is_an_error(pattern: str) -> None:
    with pytest.raises(UsageError, match="--grep"):
        cut(LINES, grep=pattern)


def test_a_pattern_that_runs_away_is_stopped() -> None:
    start = time.monotonic()
    with pytest.raises(UsageError, match="ran longer"):
        cut(b"a" * 5000 + b"!", grep="(a+)+$")
    assert time.monotonic() - start < 10


def test_a_question_gives_the_passages_that_bear_on_it() -> None:
    text = (
        b"".join(f"filler number {i}\n".encode() for i in range(500)) + b"the disk is full\n" + b"more filler\n" * 300
    )
    found = cut(text, query="why is the disk full?")
    assert b"the disk is full\n" in found
    assert len(found) < len(text) / 5


def test_asks_narrow_one_after_the_other() -> None:
    assert cut(LINES, lines="1:9", grep="1") == b"line 1\n"
