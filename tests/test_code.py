"""Source files: what stays, what the notes say, and which reads are left alone."""

from __future__ import annotations

import re
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import FLOODS, WHY_NO_CORPUS, corpus

from headroom_cli.compressors import _numbered, code
from headroom_cli.compressors.code import grammars, guess, language
from headroom_cli.compressors.code.outline import outline
from headroom_cli.compressors.code.render import NOTE
from headroom_cli.compressors.code.shape import WIDE, weights_before
from headroom_cli.model import FAITHFUL, LOSSY, Draft, Hint, Want
from headroom_cli.tokens import count

PYTHON = '''#!/usr/bin/env python3
"""Keep answers for a while.

Everything here is about time.
"""
import os  # noqa: F401
from typing import Any

LIMIT = 100  # entries


# type: ignore


class Cache:
    """A cache of answers.

    It forgets what is old, in the order in which it was
    asked for, and counts what it forgot.
    """

    size: int = 0

    @property
    def full(self) -> bool:
        return self.size >= LIMIT

    def evict_expired(self, now: float) -> int:
        """Forget what is old.

        The oldest goes first, and nobody is told of it at all.
        """
        gone = 0
        for key, entry in list(self.entries.items()):
            # entries carry the moment they were made, in seconds
            if entry.deadline < now:
                del self.entries[key]
                gone += 1

        def report(total: int) -> None:
            logger.info("evicted", total)

        report(gone)
        return gone

    def put(self, key: str, value: Any) -> None:
        if not key:
            raise CacheKeyError("the cachekey may never be empty")
        if self.full:
            self.evict_expired(clock_now())
        self.entries[key] = Entry(value, clock_now() + self.lifetime)
        self.size = len(self.entries)
        self.statistics.record_insertion(key)
'''

# One file per language: its name, then its text. BODYA and BODYB stand for rows like the two that follow the text.
FILES = r"""
==== go a.go
package a

import "fmt"

type Box struct {
	n int
}

func computeTotal(xs []int) int { // sums
BODYA}

func (b *Box) Other(x int) error {
BODYB}
---- 	firstRow := xs[0] + alphaOne(xs)
---- 	secondRow := xs[0] + betaTwo(xs)
==== rust a.rs
use std::io;

pub struct Box { n: u8 }

pub fn computeTotal(xs: &[u8]) -> u8 {
BODYA}

impl Box {
    pub fn other(&self) -> u8 {
BODYB    }
}
----     let first_row = xs[0] + alphaOne(xs);
----         let second_row = self.n + betaTwo(self);
==== java A.java
package a;

import java.util.List;

public class A {
    int n = 1;

    public int computeTotal(List<Integer> xs) {
BODYA    }

    @Override
    public int other() {
BODYB    }
}
----         int firstRow = xs.get(0) + alphaOne(xs);
----         int secondRow = n + betaTwo(n);
==== javascript a.js
import { a } from './a';

const K = 1;

export function computeTotal(xs) {
BODYA}

export const other = async (x) => {
BODYB};
----   const firstRow = xs[0] + alphaOne(xs);
----   const secondRow = x + betaTwo(x);
==== typescript a.ts
import { a } from './a';

interface K { n: number }

export function computeTotal(xs: number[]): number {
BODYA}

class C {
  private other(x: number): number {
BODYB  }
}
----   const firstRow = xs[0] + alphaOne(xs);
----     const secondRow = <number>x + betaTwo(x);
==== tsx a.tsx
import * as React from 'react';

export function computeTotal(xs: Props) {
BODYA}

export const Other = ({ x }: Props) => {
BODYB};
----   const firstRow = useState(alphaOne(xs));
----   const secondRow = <div>{betaTwo(x)}</div>;
==== c a.c
#include <stdio.h>

struct box { int n; };

int computeTotal(const int *xs)
{
BODYA}

static void other(int x) {
BODYB}
---- 	int first_row = xs[0] + alphaOne(xs);
---- 	int second_row = x + betaTwo(x);
==== cpp a.hpp
#include <string>

namespace a {
class Box {
 public:
  int n;
  int computeTotal(int x) const {
BODYA  }
};

int Box::other(int x) {
BODYB}
}  // namespace a
----     auto firstRow = std::move(x) + alphaOne(x);
----   auto secondRow = x + betaTwo(x);
==== csharp A.cs
using System;

namespace A
{
    public class B
    {
        public int N { get; set; }

        public int computeTotal(int x)
        {
BODYA        }

        private void Other(int x)
        {
BODYB        }
    }
}
----             var firstRow = x + alphaOne(x);
----             var secondRow = x + betaTwo(x);
==== ruby a.rb
require 'json'

module A
  class B < C
    LIMIT = 3

    def computeTotal(xs)
BODYA    end

    def self.other(x)
BODYB    end
  end
end
----       first_row = xs[0] + alphaOne(xs)
----       second_row = x + betaTwo(x)
==== php a.php
<?php
namespace A;

class B extends C
{
    const N = 1;

    public function computeTotal($xs)
    {
BODYA    }
}

function other($x)
{
BODYB}
----         $firstRow = $xs[0] + alphaOne($xs);
----     $secondRow = $x + betaTwo($x);
==== kotlin A.kt
package a

import b.C

data class Box(val n: Int)

fun computeTotal(xs: List<Int>): Int {
BODYA}

class D {
    private suspend fun other(x: Int): Int {
BODYB    }
}
----     val firstRow = xs[0] + alphaOne(xs)
----         val secondRow = x + betaTwo(x)
==== swift a.swift
import Foundation

struct Box {
    let n: Int
}

func computeTotal(_ xs: [Int]) -> Int {
BODYA}

extension Box {
    func other(x: Int) throws -> Int {
BODYB    }
}
----     let firstRow = xs[0] + alphaOne(xs)
----         let secondRow = x + betaTwo(x)
==== shell a.sh
#!/bin/bash
set -e

LIMIT=3

computeTotal() {
BODYA}

function other {
BODYB}

computeTotal "$@"
----   first_row=$(alphaOne "$1")
----   second_row=$(betaTwo "$1")
==== lua a.lua
local M = {}

function M.computeTotal(xs)
BODYA  return 1
end

local function other(x)
BODYB  return 2
end

return M
----   local firstRow = xs[1] + alphaOne(xs)
----   local secondRow = x + betaTwo(x)
==== elixir a.ex
defmodule A do
  @limit 3

  def computeTotal(xs) do
BODYA  end

  defp other(x) do
BODYB  end
end
----     first_row = hd(xs) + alphaOne(xs)
----     second_row = x + betaTwo(x)
"""
BODIES = {
    part.split(" ", 1)[0]: (
        part.split("\n", 1)[0].split()[1],
        part.split("\n", 1)[1].split("---- ")[0],
        tuple(part.split("---- ")[1:3]),
    )
    for part in FILES.split("==== ")[1:]
}


def draft(text: str, question: str = "", command: str = "cat a.py", **wants: object) -> Draft | None:
    return code.compress(text, Want(count, question=question, hint=Hint(command), **wants))  # type: ignore[arg-type]


def shown(text: str, question: str = "", command: str = "cat a.py", **wants: object) -> str:
    made = draft(text, question, command, **wants)
    assert made is not None
    return made.text


def source(name: str, rows: int = 9) -> tuple[str, str, tuple[str, str]]:
    path, text, (one, two) = BODIES[name]
    # Rows differ, as in real code; the number stands at the end of the row's first name.
    first = "".join(re.sub(r"(first_?[rR]ow)", rf"\g<1>{i}", one) for i in range(rows))
    second = "".join(re.sub(r"(second_?[rR]ow)", rf"\g<1>{i}", two) for i in range(rows))
    return path, text.replace("BODYA", first).replace("BODYB", second), (first, second)


def kept_lines_are_the_files_own(made: str, text: str) -> None:
    lines = text.split("\n")
    at = 0
    for row in made.split("\n"):
        plain = NOTE.sub("", row)
        if NOTE.search(row) and not plain:
            continue
        while at < len(lines) and lines[at].rstrip() != plain.rstrip():
            at += 1
        assert at < len(lines), row  # in order, and byte for byte
        if not NOTE.search(row):
            assert lines[at] == row
        at += 1


def test_a_file_keeps_its_outline() -> None:
    made = shown(PYTHON)
    for kept in (
        "#!/usr/bin/env python3",
        "import os  # noqa: F401",
        "LIMIT = 100  # entries",
        "# type: ignore",
        "    @property",
    ):
        assert kept in made
    assert "        return self.size >= LIMIT" in made  # a small function stays
    assert "def evict_expired(self, now: float) -> int:" in made
    assert "        def report(total: int) -> None:" in made  # so does the header inside an elided body
    assert '        """Forget what is old.' in made
    assert "The oldest goes first" not in made
    assert "del self.entries[key]" not in made
    kept_lines_are_the_files_own(made, PYTHON)


def test_a_gap_names_its_rows_and_what_is_rare_in_them() -> None:
    made = shown(PYTHON)
    found = re.search(r"def put\(.*\.\.\.(\d+)-(\d+): (.*)", made)
    assert found is not None
    first, last = int(found.group(1)), int(found.group(2))
    lines = PYTHON.split("\n")
    assert lines[first - 2].lstrip().startswith("def put(")
    assert lines[last - 1].strip() == "self.statistics.record_insertion(key)"
    words = found.group(3).split()
    assert "CacheKeyError" in words
    assert "cachekey" in words  # from the error's own text
    assert "record_insertion" in words
    assert "self" not in words
    assert "LIMIT" not in words  # stands elsewhere


def test_counts_in_the_note_are_true() -> None:
    made = draft(PYTHON)
    assert made is not None
    missing = int(made.missing.split()[0])
    gone = 0
    for row in made.text.split("\n"):
        found = re.search(r"\.\.\.(\d+)(?:-(\d+))?(?:: .*)?$", row)
        if found:
            gone += int(found.group(2) or found.group(1)) - int(found.group(1)) + 1
    own = sum(1 for row in made.text.split("\n") if row.startswith("..."))
    assert gone == missing == len(PYTHON.split("\n")) - (len(made.text.split("\n")) - own)


@pytest.mark.parametrize("name", list(BODIES))
def test_a_function_that_the_question_names_keeps_its_body(name: str) -> None:
    path, text, (first, second) = source(name)
    plain = shown(text, "look at this", f"cat {path}")
    assert first not in plain
    assert second not in plain
    assert "alphaOne" in plain  # by note
    assert "betaTwo" in plain
    for question in ("why does computeTotal fail?", "see `computeTotal`", f"{path}: computeTotal()"):
        made = shown(text, question, f"cat {path}")
        assert first in made
        assert second not in made
        kept_lines_are_the_files_own(made, text)


@pytest.mark.parametrize("name", list(BODIES))
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_headers_stay_with_and_without_a_grammar(name: str, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path, text, (first, _) = source(name)
    text = text.replace("\n", ending)
    by_grammar = shown(text, command=f"cat {path}")
    monkeypatch.setattr(grammars, "_loaded", dict.fromkeys((*grammars.GRAMMARS, *grammars.EXTRA)))
    by_indentation = shown(text, command=f"cat {path}")
    for made in (by_grammar, by_indentation):
        assert "computeTotal" in made
        assert first.split("\n")[4] not in made
        kept_lines_are_the_files_own(made, text)
        assert ("\r\n" in made) == (ending == "\r\n")
        assert not re.search(r"(?<!\r)\n", made) or ending == "\n"


def test_a_wheel_that_is_missing_costs_savings_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grammars, "_loaded", {})
    monkeypatch.setitem(sys.modules, "tree_sitter_python", None)
    made = draft(PYTHON)
    assert made is not None
    assert "def evict_expired" in made.text
    assert grammars.load("python") is None
    monkeypatch.setattr(grammars, "_loaded", {})
    monkeypatch.setitem(sys.modules, "tree_sitter", None)
    assert draft(PYTHON) is not None


def test_every_grammar_of_the_table_loads_here() -> None:
    for name in grammars.GRAMMARS:
        assert grammars.load(name) is not None, name


@pytest.mark.parametrize(
    "question",
    [
        "how are expired entries evicted?",
        "fix evict_expired",
        'Traceback:\n  File "/x/a.py", line 38, in f',
        "in a.py:38 it fails",
        'the method "evict_expired" is slow',
    ],
)
def test_the_question_chooses_by_names_words_and_places(question: str) -> None:
    made = shown(PYTHON, question)
    assert "                del self.entries[key]" in made
    assert (
        "            # entries carry the moment they were made, in seconds" in made
    )  # a body is kept with its comments
    assert "record_insertion(key)" not in made


def test_ordinary_words_name_no_function() -> None:
    assert "record_insertion(key)" not in shown(PYTHON, "Please put this output into a list and continue.")
    assert "record_insertion(key)" in shown(PYTHON, "what does `put` do?")
    assert "record_insertion(key)" in shown(PYTHON, "what does put() do?")


@pytest.mark.parametrize(
    "command",
    [
        "sed -n '10,60p' a.py", "sed -n 10,60p a.py", "head -50 a.py", "tail -n 40 a.py", "cat a.py | head -60",
        "cat -n a.py | sed -n '1,80p'", "nl -ba a.py | sed -n '5,99p'", "awk 'NR>=10 && NR<=60' a.py",
        "bat -r 1:60 a.py",
        "sed '60q' a.py", "cat a.py | grep -v import", "Get-Content a.py -TotalCount 50",
    ],
)  # fmt: skip
def test_ranged_reads_stay_raw(command: str) -> None:
    assert draft(PYTHON, command=command) is None


@pytest.mark.parametrize(
    "command",
    ["cat a.py", "cat -n a.py", "nl -ba a.py", "cd /x && cat ./src/a.py", "git show HEAD:src/a.py", "less a.py"],
)
def test_whole_reads_do_not(command: str) -> None:
    assert draft(PYTHON, command=command) is not None


FORMS = {
    "cat -n": "{:6}\t", "nl": "{:>6}\t", "editor": "{}\t", "pipe": "{}|", "spaced pipe": "{:5} | ", "colon": "{}:",
    "arrow": "{:5}\u2192",
    "colon space": "{}: ", "zeros": "{:05}| ",
}  # fmt: skip


@pytest.mark.parametrize("form", list(FORMS))
def test_numbered_views_keep_their_numbers(form: str) -> None:
    view = "\n".join(FORMS[form].format(i + 1) + row for i, row in enumerate(PYTHON.split("\n")))
    made = shown(view)
    assert "del self.entries" not in made
    rows = {row.lstrip() for row in view.split("\n")}
    assert all(row in rows for row in made.split("\n") if not NOTE.search(row))
    found = re.search(r"(\d+)\D+def put\(.*\.\.\.(\d+)-\d+", made)
    assert found is not None
    assert int(found.group(2)) == int(found.group(1)) + 1


def test_a_view_from_the_middle_stays_raw() -> None:
    view = "\n".join(f"{i + 200:6}\t{row}" for i, row in enumerate(PYTHON.split("\n")))
    assert draft(view) is None
    window = f"[File: /x/a.py (400 lines total)]\n(0 more lines above)\n{PYTHON}\n(330 more lines below)"
    assert draft(window) is None


def test_harness_lines_stay() -> None:
    view = f"<returncode>1</returncode>\n<output>\n{PYTHON}</output>"
    made = shown(view)
    assert made.startswith("<returncode>1</returncode>\n<output>\n#!/usr/bin/env python3\n")
    assert made.endswith("</output>")
    view = "Here's the result of running `cat -n` on /x/a.py:\n" + "".join(
        f"{i + 1:6}\t{row}\n" for i, row in enumerate(PYTHON.split("\n"))
    )
    made = shown(view, command="")
    assert made.startswith("Here's the result of running `cat -n` on /x/a.py:\n1\t#!/usr")
    assert "del self.entries" not in made


def test_padding_goes_without_loss() -> None:
    view = "".join(f"{i + 1:6}\t{row}\n" for i, row in enumerate(PYTHON.split("\n")))
    made = draft(view, lossless=True)
    assert made is not None
    assert made.degree == FAITHFUL
    assert [row.lstrip(" ") for row in view.split("\n")] == made.text.split("\n")


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.text(alphabet="ab \t\n\r1:|{}#\"'x\u6f22", max_size=30), max_size=40),
    st.sampled_from(sorted(FORMS)),
    st.booleans(),
)
def test_faithful_drafts_lose_nothing(rows: list[str], form: str, plain: bool) -> None:
    text = "\n".join(row if plain else FORMS[form].format(i + 1) + row for i, row in enumerate(rows)) + "\n" * 220
    made = code.compress(text, Want(count, lossless=True, asked=True))
    if made is not None:
        assert made.degree == FAITHFUL
        assert made.text.split() == text.split()
        full = [row for row in text.split("\n") if row.strip()]
        assert [row.lstrip(" ") for row in made.text.split("\n") if row.strip()] == [
            row.lstrip(" ") for row in full
        ] or [row for row in made.text.split("\n") if row.strip()] == full


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(max_size=40), max_size=30), st.sampled_from(sorted(language.EXTENSIONS)))
def test_any_text_keeps_its_lines(rows: list[str], extension: str) -> None:
    text = "\n".join(rows) + "\n" + PYTHON
    made = code.compress(text, Want(count, hint=Hint(f"cat a.{extension}")))
    if made is not None and made.degree == LOSSY:
        for row in made.text.split("\n"):
            if not NOTE.search(row) and "[... " not in row:
                assert row in text


def test_safe_keeps_code_and_shortens_documentation_of_large_files_only() -> None:
    assert draft(PYTHON, level="safe") is None
    told = "    Long words that tell of it again and again.\n" * 6
    body = "    first = value + NN\n    second = first * 2\n    third = second - 1\n    return third * second\n"
    step = f'\n\ndef step_NN(value: int) -> int:\n    """Do step NN.\n\n{told}    """\n{body}'
    documented = PYTHON + "".join(step.replace("NN", str(i)) for i in range(40))
    made = draft(documented, level="safe")
    assert made is not None
    assert made.degree == LOSSY
    assert "again and again" not in made.text
    assert all(f"    first = value + {i}\n" in made.text and f"Do step {i}." in made.text for i in range(40))
    kept_lines_are_the_files_own(made.text, documented)


@pytest.mark.parametrize("budget", [400, 200, 100, 40, 5])
def test_budgets_are_kept_down_to_the_names(budget: int) -> None:
    made = draft(PYTHON, budget=budget)
    assert made is not None
    assert count(made.text) <= max(budget, 30)
    assert "class Cache" in made.text
    if budget <= 100:
        row = next(row for row in made.text.split("\n") if "class Cache" in row)
        assert row == f"{PYTHON.split(chr(10)).index('class Cache:') + 1}: class Cache:"


def test_max_is_never_larger_than_balanced() -> None:
    for name in BODIES:
        path, text, _ = source(name)
        assert count(shown(text, command=f"cat {path}", level="max")) <= count(shown(text, command=f"cat {path}"))


def test_a_rendering_is_left_as_it_is() -> None:
    for name in BODIES:
        path, text, _ = source(name)
        assert draft(shown(text, command=f"cat {path}"), command=f"cat {path}") is None


def test_comments_that_tools_read_stay() -> None:
    filler = "// plain words that tell a reader what he can see below by himself\n" * 4
    body = "".join(f"\tx{i} := call{i}(a, b)\n" for i in range(9))
    head = f"//go:build linux\n\npackage a\n\n{filler}// TODO: make it faster\n{filler}"
    text = f"{head}\nvar a = 1\n\nfunc F() {{\n{body}}}\n"
    made = shown(text, command="cat a.go")
    assert "//go:build linux\n" in made
    assert "// TODO: make it faster" in made
    assert "plain words" not in made
    text = f"/* eslint-disable no-console */\n{filler}const a = 1;\nfunction f() {{\n{body}}}\n"
    assert "/* eslint-disable no-console */" in shown(text, command="cat a.js")


def test_long_tables_and_long_lines_are_cut_where_they_stand() -> None:
    table = "".join(f"    'key{i}': {i},\n" for i in range(200))
    made = shown(f"A = {{\n{table}}}\n\n\ndef f():\n    return A\n")
    assert "'key0': 0" in made
    assert "'key150': 150" not in made
    assert re.search(r"\.\.\.\d+-201", made)
    assert "def f():\n    return A" in made
    made = shown("import os\nBLOB = '" + "abc def " * 400 + "'\n\n\ndef f():\n    return BLOB\n")
    assert "[... " in made
    assert "characters]" in made


def test_tests_keep_their_names_inside_elided_scopes() -> None:
    body = "".join(f"    expect(run({i})).toBe({i});\n" for i in range(8))
    one = f'  it("reads numbers", async () => {{\n{body}  }});\n'
    two = f'  it("fails on text", function () {{\n{body}  }});\n'
    text = f'describe("parser", () => {{\n  let shared = 1;\n{one}{two}}});\n'
    made = shown(text, command="cat a.test.js")
    assert 'describe("parser", () => {\n  let shared = 1;' in made
    assert 'it("reads numbers", async () => {' in made
    assert 'it("fails on text", function () {' in made
    assert "toBe(3)" not in made


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["#!/usr/bin/env python3", "x = 1"], "python"), (["#!/bin/sh", "x=1"], "bash"),
        (["#!/usr/bin/env -S node", ""], "tsx"),
        (["// -*- mode: c++ -*-", ""], "cpp"), (["# vim: set ft=ruby :", ""], "ruby"), (["<?php", "$a = 1;"], "php"),
    ],
)  # fmt: skip
def test_shebangs_and_modelines_name_the_language(lines: list[str], expected: str) -> None:
    assert language.identify(lines, Hint(), "").language == expected


@pytest.mark.parametrize("name", [name for name in BODIES if name not in ("lua", "elixir", "csharp", "swift")])
def test_content_names_the_language(name: str) -> None:
    path, text, _ = source(name)
    expected = language.from_path(path)
    found = language.identify(text.split("\n"), Hint(), "").language
    assert found == expected or {found, expected} <= {"c", "cpp"} or {found, expected} <= {"tsx", "typescript"}


@pytest.mark.parametrize("path", ["a.yml", "a.toml", "package.json", "a.css", "Makefile", "notes.md", "poetry.lock"])
def test_files_that_are_no_source_are_left_alone(path: str) -> None:
    assert draft(PYTHON.partition("\n")[2], command=f"cat {path}") is None


def test_numbers_are_no_view_when_they_do_not_rise() -> None:
    assert _numbered.strip(["1: a", "5: b", "2: c"]) is None
    assert _numbered.strip(["a", "1: b"]) is None
    assert _numbered.strip(["10:30:12 started", "10:30:13 ended"]) is None
    taken = _numbered.strip(["  9\tx", " 10\t\ty"])
    assert taken is not None
    assert (taken.lines, taken.numbers, taken.prefixes) == (["x", "\ty"], [9, 10], ["  9\t", " 10\t"])


@pytest.mark.parametrize("extension", ["py", "js", "cpp", "rb", "lua"])
def test_floods_under_a_known_name_take_linear_time(extension: str) -> None:
    start = time.perf_counter()
    for name in ("parentheses", "brackets", "quotes", "colons", "tags", "backslashes"):
        code.compress(FLOODS[name](1 << 17), Want(count, hint=Hint(f"cat a.{extension}")))
    assert time.perf_counter() - start < 20


def test_threads_do_not_share_a_parser() -> None:
    texts = [PYTHON.replace("evict", f"evict{i}") * 20 for i in range(6)]
    alone = [shown(text) for text in texts]
    together: dict[int, str] = {}

    def work(i: int) -> None:
        together[i] = shown(texts[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[i] for i in range(len(texts))] == alone


def test_outlines_of_broken_slices_hold() -> None:
    slice_ = PYTHON[PYTHON.index("for key") :]
    shape = outline(slice_.split("\n"), "python")
    assert [function.name for function in shape.functions] == ["report", "put"]


def test_outside_files_keep_their_lines() -> None:
    samples = corpus("code", limit=60)
    if not samples:
        pytest.skip(WHY_NO_CORPUS)
    before = after = 0
    for _, command, data in samples:
        text = data.decode("utf-8", "replace")
        made = code.compress(text, Want(count, hint=Hint(command)))
        before += count(text)
        after += count(made.text) if made is not None else count(text)
        if made is not None:
            lines = set(text.split("\n"))
            assert all(row in lines for row in made.text.split("\n") if not NOTE.search(row) and "[... " not in row)
    assert after < 0.45 * before


def test_lines_behind_somebody_elses_cut_are_counted_not_numbered() -> None:
    body = "".join(f"    value_{i} = compute_something({i})\n" for i in range(12))
    text = f"def before(a):\n{body}    return a\n\n\n[18909 characters elided]\n\n\ndef after(b):\n{body}    return b\n"
    draft = code.compress(text, Want(count, hint=Hint(path="a.py")))
    assert draft is not None
    lines = draft.text.split("\n")
    assert next(line for line in lines if line.startswith("def before")).startswith("def before(a): ...2-14")
    assert next(line for line in lines if line.startswith("def after")).startswith("def after(b): ...13 lines")
    again = code.compress(draft.text, Want(count, hint=Hint(path="a.py")))
    assert again is None or again.text == draft.text


def test_a_great_many_tiny_lines_are_no_source():
    assert code.COMPRESSOR.compress("'\n" * 200_000, Want(count, asked=True)) is None


def test_bodies_inside_bodies_are_weighed_once():
    depth = 120
    deep = "".join(" " * level + f"def f{level}():\n" for level in range(depth)) + " " * depth + "return 1\n"
    before = weights_before(map(str.strip, deep.split("\n")))
    assert before[:3] == [0, 1, 2]
    assert before[-1] == depth + 1  # the empty row at the end holds nothing
    assert weights_before(["}", "", "end", "x = 1", "y" * WIDE]) == [0, 0, 0, 0, 1, 3]


def test_quoted_lines_are_counted_not_numbered() -> None:
    body = "".join(f"    value_{i} = compute_something({i})\n" for i in range(12))
    draft = code.compress(f"def f(a):\n{body}    return a\n", Want(count, hint=Hint(tool="fence", path="x.py")))
    assert draft is not None
    assert draft.text.startswith("def f(a): ...13 lines")


@pytest.mark.parametrize("name", list(BODIES))
def test_words_that_spare_a_search_stand_where_its_shape_does(name: str) -> None:
    text = "\n".join((source(name)[1], PYTHON, *LINES_OF_SHAPES))
    for words, shape in [sign for signs in guess._SIGNS.values() for sign in signs]:
        assert re.search(shape, text, re.MULTILINE) is None or any(word in f"\n{text}\n" for word in words), shape


def test_each_shape_of_a_line_is_found_by_its_words() -> None:
    for line in LINES_OF_SHAPES:
        for words, shape in [sign for signs in guess._SIGNS.values() for sign in signs]:
            assert re.search(shape, line) is None or any(word in f"\n{line}\n" for word in words), (line, shape)


LINES_OF_SHAPES = (
    "    async def f(a, b):", "from a.b import c", "if __name__ == '__main__':", "func (s *S) F(", "if err != nil {",
    "a := 1", "type T struct {", "pub(crate) async fn f", "#[derive(Debug)]", "  let mut a", "import static a.b.*;",
    "  private Map<A, B> f(", "@Override", "public final class A", "  suspend fun f", "var a :", "data class A(",
    "  override func f() {", "guard let a", "  let a: Int", "extension A", "using A.B;", "  protected int f(int a)",
    "{ get; set; }", "std::", "template <", "#include <map>", "  private:", '#include "a.h"', "#ifndef A",
    "static int *f(", "a->b", "  def a?(b)", "  end", "require 'a'", "module A", "a do |b|", "<?php", "$a =",
    "$this->", "  private function ", "import a from 'b'", "export interface A", "  const a: ", "): A => {",
    "require('a')", "  const { a } = ", "a => {", "export default async function", "module.exports", "  });", "  esac",
    "fi", "done", "if [[ ", "set -e", "f() {", "${a",
)  # fmt: skip


def test_a_great_many_functions_of_one_row_have_nothing_to_give_but_at_a_budget() -> None:
    text = "".join(f"def f{row}():\n    return {row}\n" for row in range(15_000))
    assert draft(text) is None
    made = draft(text, budget=5_000)
    assert made is not None
    assert count(made.text) <= 5_000
    body = "".join(f"    value_{row} = compute({row}, 'a long text')\n" for row in range(9))
    assert draft("".join(f"def f{row}():\n{body}\n" for row in range(2_000))) is not None


@pytest.mark.parametrize(
    "question", ["why does evict_oldest fail?", "explain `evict_oldest`", "how are the oldest evicted"]
)
def test_under_a_budget_what_the_question_names_comes_before_other_headers(question: str) -> None:
    body = "\n".join(f"    step_{at} = work_{at}(now, {at})" for at in range(14))
    source = "\n\n\n".join(
        f"def {name}(now: float) -> None:\n{body}\n    return {name}_done(now)"
        for name in ("load_all", "store_one", "evict_oldest", "merge_both", *(f"other_{at}" for at in range(60)))
    )
    lines = source.split("\n")
    draft = code.COMPRESSOR.compress(
        source, Want(count, hint=Hint("cat a.py", path="a.py"), budget=700, question=question)
    )
    assert draft is not None
    assert "return evict_oldest_done(now)" in draft.text
    assert count(draft.text) <= 700
    kept = [line for line in draft.text.split("\n") if line in lines]
    said = re.match(r"\[\.\.\. (\d+) of (\d+) lines", draft.text)
    assert said is not None
    headers = sum(re.match(r"\d+: def ", line) is not None for line in draft.text.split("\n"))
    assert int(said[1]) + headers + len(kept) == int(said[2]) == len(lines)
