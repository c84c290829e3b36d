"""The routing classifier: the same numbers in both runtimes, asked only where the signatures are unsure, bounded."""

import hashlib
import json
import random
import time
from pathlib import Path

import pytest
from inputs import CORPUS, FLOODS, WHY_NO_CORPUS

from headroom_cli import routing
from headroom_cli.model import Hint
from headroom_cli.models import routing_weights
from headroom_cli.routing import json_head, messages, patterns, route, shape

MODELS = Path(routing_weights.__file__).parent
SHOWN = (Path(__file__).parent / "routing_texts.txt").read_text(encoding="utf-8")
TEXTS = [part.partition("\n")[2].replace("\u21e5", "\t").replace("\u241b", "\x1b") for part in SHOWN.split("#### ")[1:]]


def many(count):
    """Return texts of every kind: those of many tools, their heads and tails, two in one, floods, and odd ones."""
    rng = random.Random(7)
    found = [*TEXTS, "", " ", "\n", "\x00", "\ud800", "\u00a0\n" * 9, " " * 500 + "x\n" + " " * 500, "x" * 100_000]
    found += [make(20_000) for make in FLOODS.values()]
    while len(found) < count:
        lines = rng.choice(TEXTS).split("\n")
        cut = rng.randrange(len(lines) + 1)
        found += ["\n".join(lines[:cut]), "\n".join(lines[cut:]) + rng.choice(TEXTS)]
    return found


def promise(number):
    return ("", 0.0) if number % 3 == 0 else (shape.SHAPES[number % len(shape.SHAPES)], (0.3, 0.6, 0.9)[number % 3])


def buckets_of(texts):
    return [
        shape.features(text, *promise(number), {"log": 0.4, "code": 0.61} if number % 2 else None)
        for number, text in enumerate(texts)
    ]


def test_both_runtimes_give_the_same_numbers():
    pytest.importorskip("onnxruntime")
    from headroom_cli.routing.runtime import Runtime

    rows = buckets_of(many(1200))
    assert len(rows) >= 1200
    runtime = Runtime()
    expected = [shape.scores(row) for row in rows]
    assert runtime.scores(rows) == expected
    assert [runtime.scores([row])[0] for row in rows[:50]] == expected[:50]
    assert runtime.scores([]) == []


def test_a_process_that_stays_decides_the_same(monkeypatch):
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(routing, "_held", [])
    plain = [(found.kind, found.confidence) for found in map(route, TEXTS, [Hint()] * len(TEXTS))]
    routing.stay()
    asked = []
    run = routing._held[0].scores
    monkeypatch.setattr(
        routing, "_held", [type("Counted", (), {"scores": lambda _, rows: asked.append(1) or run(rows)})()]
    )
    assert [(found.kind, found.confidence) for found in map(route, TEXTS, [Hint()] * len(TEXTS))] == plain
    assert len(asked) > 20


def test_the_card_names_the_weights():
    rows, bias = routing_weights.load()
    digest = hashlib.sha256(b"".join(rows)).hexdigest()
    assert digest == routing_weights.DIGEST
    assert digest in (MODELS / "routing_weights.md").read_text(encoding="utf-8")
    assert len(rows) == len(bias) == len(shape.SHAPES)
    assert {len(row) for row in rows} == {shape.BUCKETS}
    assert {row[0] for row in rows} == {128}  # bucket 0 fills short rows: it must weigh nothing
    assert sum((MODELS / name).stat().st_size for name in ("routing_weights.py", "routing.onnx")) <= 300_000


def test_features_are_distinct_buckets():
    for row in buckets_of(many(600)):
        assert row == sorted(set(row))
        assert row[0] > 0
        assert row[-1] < shape.BUCKETS
        assert len(row) < 5000  # 5000 x 128 stays far below what a float32 counts exactly


def test_a_sample_is_bounded_whatever_the_size():
    for name, make in FLOODS.items():
        lines = shape.sample(make(1 << 20))
        assert len(lines) <= 36, name
        assert max(map(len, lines), default=0) <= 4 * 120, name


@pytest.mark.parametrize("seed", ["words", "newlines", "one line", "paths", "wide characters", "quotes in lines"])
def test_features_cost_the_same_for_any_size(seed):
    def once(size):
        text = FLOODS[seed](size)
        start = time.process_time()
        for _ in range(5):
            shape.features(text)
        return time.process_time() - start

    once(1 << 14)
    assert min(once(1 << 20) for _ in range(3)) <= 6 * min(once(1 << 16) for _ in range(3)) + 0.05


def test_no_line_that_a_pattern_matches_is_spared_it():
    lines = {line for text in many(300) for line in text.split("\n") if line.strip()}
    tests = {line.lstrip()[0] for line in lines if patterns.TEST.match(line)}
    assert len(tests) > 12
    assert all(first in messages._TEST_STARTS or first.isdecimal() for first in tests)
    assert all(
        not "a" <= line[0] <= "z"
        for line in lines | {f"{one}{line}" for line in lines for one in "az"}
        if patterns.STAMP.match(line)
    )
    for line in ("word and word", "\u00e4\u00df 1", "\t\u200d|", "\ud800 a", ""):
        assert patterns.spoken(line) == sum(map(str.isalpha, line)) + line.count(" ")


def never(*_):
    pytest.fail("the classifier was asked")


SURE = [
    json.dumps([{"id": i, "name": f"n{i}"} for i in range(9)], indent=1),
    "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n+b\n c\n",
    "<!DOCTYPE html>\n<html><body><p>Hi</p></body></html>\n",
    "".join(f"2026-02-11T10:00:{i:02d}Z INFO worker {i} did its work\n" for i in range(20)),
]


@pytest.mark.parametrize("text", SURE)
def test_a_sure_signature_is_not_asked_about(text, monkeypatch):
    monkeypatch.setattr(routing, "_marks", never)
    assert route(text, Hint()).why == "its text"


@pytest.mark.parametrize("text", ["", "ok", "1", "done.", "3 files\n"])
def test_few_words_have_no_shape(text, monkeypatch):
    monkeypatch.setattr(routing, "_marks", never)
    route(text, Hint())


# What a program says in remarks, blame, parts of diffs, numbered rows, what a search found in comments.
SHAPED = [
    ("log", "".join(f"# cleanup[2] removing shop.part{i}\n# destroy shop.part{i}._impl\n" for i in range(12))),
    ("table", "".join(f"^{i:07x} (Ann Example 2026-03-{i + 1:02d} 10:00:00 +0000 {i + 1:3d}) " +
              ("return add(a, b);\n" if i % 2 else "int f(void) {\n") for i in range(12))),
    ("diff", """80,82c80,82
<     "cart": "^4.0.1",
<     "shop": "^7.0.2",
---
>     "cart": "^4.4.1",
>     "shop": "^7.0.3",
84c84
<     "till": "^1",
---
>     "till": "^2",
"""),
    ("table", "".join(f"{i:6d}\t{name},{i * 3},{i / 7:.3f},{i * 11}\n" for i, name in enumerate(
        ["name", "Lyon", "Oslo", "Bern", "Rome", "Kyiv", "Riga", "Graz", "Turku"], 1))),
    ("table", "".join(f"2026-06-08T{hour:02d}:00:00,1017.{hour},17.{hour},4.0\n" for hour in range(12))),
    ("table", "".join(f"{6027 + 2 * row}\t.{row + 90}\n" for row in range(20))),
    ("html", """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x">
<pre>int f(int a);
int g(int b);
int h(int c);</pre>
"""),
    ("diff", """From 281658fb3e335f99f036b424b4baa8fce58f589b Mon Sep 17 00:00:00 2001
From: Ann Example <ann@example.org>
Subject: Count the till twice

The sum was wrong when the till was open. This counts it again at night.
"""),
    ("json", '{\n  "width": 87,\n  "values": [\n' + "".join(f"    {number},\n" for number in range(30))),
    ("search", "".join(f"lib/shop/part{i}.js:{i + 2}: * Copyright (c) 2019 The Shop Authors\n" for i in range(8))),
    # Checksums are no times
    ("table", "".join(f"{(i * 1234567891) % 4294967296} {i * 377 + 9} ./src/part{i}.c\n" for i in range(1, 14))),
    ("diff", """*** 15,20 ****
      read(buffer);
! \twrite(buffer, 1);
! \twrite(buffer, 2);
      close(buffer);
***************
*** 40,42 ****
--- 39,41 ----
      return first;
! }
  """),
    ("diff", "".join(f"{i}c{i}\n< \tlet part{i} = shop.part({i});\n---\n> \tlet part{i} = shop.part({i}, now);\n"
                     for i in range(10, 400, 7))),
    ("log", "".join(f"::error title=lint (D10{i}),file=/src/shop/part{i}.py,line={i},col=7::src/shop/part{i}.py:{i}:7: "
                    f"D10{i} Missing words\n" for i in range(9))),
    ("log", """npm verbose stack To see a list of scripts, run:
npm verbose stack   npm run
npm verbose stack     at #run (/usr/lib/npm/lib/commands/run.js:115:13)
npm verbose stack     at async Run.exec (/usr/lib/npm/lib/commands/run.js:44:7)
npm verbose stack     at async Npm.exec (/usr/lib/npm/lib/npm.js:193:9)
npm verbose stack     at async module.exports (/usr/lib/npm/lib/cli/entry.js:67:5)
"""),
    ("json", '[\n    {\n        "land": "Norge",\n        "height": null\n    },\n    {\n        "land": "Suomi",\n'),
    ("prose", ("RM(1)                    \u30e6\u30fc\u30b6\u30fc\u30b3\u30de\u30f3\u30c9                     RM(1)\n\n"
              "\u540d\u524d\n       rm - \u30d5\u30a1\u30a4\u30eb\u306e\u524a\u9664\u3092\u884c\u3046\n\n\u66f8\u5f0f\n"
              "       rm [\u30aa\u30d7\u30b7\u30e7\u30f3]... [\u30d5\u30a1\u30a4\u30eb]...\n")),
    ("prose", "     1\t# Languages\n     2\t\n     3\tThese are there:\n     4\t\n" + "".join(
        f"{i:6d}\t*  l{i} - [Language {i}](https://example.org/tree/po/l{i})\n" for i in range(5, 30))),
    ("code", """'''
A lexer that knows where it is
==============================

This example shows what a lexer can do that knows where it is, by reading a
small language of settings. The names `WORD` and `VALUE` overlap: they may
stand for the same text. A plain lexer would take one of them by chance, and
that would end in an error that nobody understands.

A lexer that knows where it is takes the names that the grammar allows here.
It never tries the others, so they cannot stand in the way of each other.
'''

from shop import Lexer

lexer = Lexer("start: line+")
print(lexer.read("a = b"))
"""),
]  # fmt: skip


def test_a_programs_names_are_no_words_that_a_sample_cut():
    text = '{"first": 1, "second": 2, "third": '
    assert json_head.json_score(f"{text}tr") >= 0.7
    assert json_head.json_score(f"{text}names[3]}}") == 0.0


def test_a_list_of_files_needs_names_or_a_clear_lead():
    before = routing.Route("log", 0.2, "its text")
    signs = {"log": 0.2, "listing": 0.0}
    marks = dict.fromkeys(shape.SHAPES, 0)
    assert routing._chosen([*{**marks, "listing": 30, "log": 1}.values()], signs, before).kind == "log"
    assert routing._chosen([*{**marks, "listing": 50, "log": 1}.values()], signs, before).kind == "listing"


def test_words_that_quote_prompts_are_judged_once(monkeypatch):
    asked = []
    scores = routing._scores
    monkeypatch.setattr(routing, "_scores", lambda text: asked.append(text) or scores(text))
    told = "Then we told the shop to open its doors, and this is what it answered to all of us.\n\n"
    text = f"{told * 4}$ shop open\n\nAfter that we closed it again, as one does here.\n\n$ shop close\n\n{told * 2}"
    assert route(text, Hint()).kind == "prose"
    assert asked == [text]


@pytest.mark.parametrize("name", ["one string", "escaped quotes"])
def test_a_long_string_is_not_read_to_its_end(name):
    def once(size):
        text = FLOODS[name](size)
        start = time.process_time()
        assert route(text, Hint()).kind == "json"
        return time.process_time() - start

    once(1 << 14)
    assert min(once(1 << 23) for _ in range(3)) <= 6 * min(once(1 << 17) for _ in range(3)) + 0.02


@pytest.mark.parametrize(("kind", "text"), SHAPED)
def test_texts_that_rules_alone_mistook(kind, text):
    assert route(text, Hint()).kind == kind


@pytest.mark.parametrize("command", ["", "jq .", "git diff", "curl https://example.org", "python x.py"])
def test_a_kind_with_a_grammar_is_never_a_matter_of_shape(command):
    for text in many(500):
        found = route(text, Hint(command))
        if found.why == "its shape" and found.kind in ("json", "diff", "html"):
            assert routing._scores(text)[found.kind] >= routing._LEAST[found.kind]


def test_the_classifier_needs_a_lead_over_the_rules():
    before = routing.Route("code", 0.6, "its text")
    signs = {"code": 0.6, "prose": 0.5, "json": 0.0, "table": 0.05}
    level = [0] * len(shape.SHAPES)

    def decided(**marks):
        return routing._chosen([marks.get(kind, 0) for kind in shape.SHAPES], signs, before).kind

    assert routing._chosen([*level[:5], 1, *level[6:]], signs, before) is before
    assert decided(prose=1) == "prose"
    assert decided(json=500, prose=1) == "prose"  # no grammar
    assert decided(table=39, code=1) == "code"  # hardly a column, and no clear lead
    assert decided(table=60, code=1) == "table"


@pytest.mark.skipif(not CORPUS.exists(), reason=WHY_NO_CORPUS)
def test_the_corpus_is_routed_as_it_is_labelled():
    kinds = {"json": ("json",), "diff": ("diff",), "code": ("code",), "prose": ("prose", "mixed"), "html": ("html",),
             "logs": ("log", "test-log"), "search": ("search", "listing", "table")}  # fmt: skip
    seen, right = 0, 0
    with (CORPUS / "MANIFEST.jsonl").open(encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["kind"] in kinds and row["label"] != "csv"]
    for row in rows[::3]:
        text = (CORPUS / row["path"]).read_text(encoding="utf-8", errors="replace")
        seen += 1
        right += route(text, Hint()).kind in kinds[row["kind"]]
    assert seen > 300
    assert right / seen >= 0.99
