# ruff: noqa: RUF001 - sentences of other scripts end with their own marks
"""Prose: whole sentences, verbatim and in order, with true counts in the gaps."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import CORPUS, WHY_NO_CORPUS, corpus

from headroom_cli.compressors.prose import COMPRESSOR, compress
from headroom_cli.compressors.prose.blocks import CODE, HEAD, ITEM, KEEP, TABLE, TERM, TEXT, Scanner
from headroom_cli.compressors.prose.clean import tidy
from headroom_cli.compressors.prose.relevance import asked
from headroom_cli.compressors.prose.sentences import split
from headroom_cli.compressors.prose.shape import is_prose
from headroom_cli.compressors.prose.units import Units
from headroom_cli.model import EXACT, FAITHFUL, LOSSY, Draft, Hint, Want
from headroom_cli.tokens import count

# Every gap note that this specialist writes, and nothing else.
NOTE = re.compile(r" ?\[\.\.\. ?(?:(\d+)(?: sentences?)?)?(?:(?:, |(?<=\.\.\. ))(\d+) lines?)?\] ?")


def want(level="balanced", **more):
    more.setdefault("asked", True)
    return Want(count, level=level, **more)


def sentences(text):
    starts = split(text, 0, len(text))
    return [text[a:b].strip() for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


def words_in_order(short, text):
    """Tell whether every word of a rendering, its notes aside, stands in the text, in order."""
    at = 0
    for word in NOTE.sub(" ", short).split():
        at = text.find(word, at)
        if at < 0:
            return False
        at += len(word)
    return True


ESSAY = "\n\n".join(
    f"The harbour of town {i} was built in {1700 + i}. It is not large and nobody minds. "
    f"Captain Mara Lind{i} brought {i * 13} tons of salt there every spring. "
    "People talked about it for a while, as people do. Then they went home and slept."
    for i in range(12)
)

GUIDE = """---
title: Queue guide
---

# Queue guide

The queue keeps every order until a worker has answered. It was written in 2019 by the storage team.
Most readers will not need this page. It is here because it has always been here.

## Installing

Install it from the package index. This takes a moment and there is nothing to see while it runs.
You can make tea meanwhile. Version 3.4.1 is the newest that still runs on Windows 8.

```python
from queue_keeper import Keeper

keeper = Keeper("orders")
keeper.open()
```

The keeper needs the following things:

- a directory that can be written, by default `/var/lib/keeper`
- some patience, because the first start is slow and prints nothing at all for a while
- the environment variable `KEEPER_HOME`, which must name an existing directory

> [!WARNING]
> Never delete the journal while the keeper runs. Orders would be lost.

## Limits

One keeper takes 12,000 orders per second on a small machine. We have measured this many times and it
is always about the same. There is really not much more to say. Some people find that surprising.
Others do not. It depends on what one expects of a queue, and expectations differ.

| Machine | Orders |
| ------- | ------ |
| small   | 12,000 |
| large   | 88,000 |

## Thanks

Thanks go to everybody who helped. There were many, and all of them were kind. It was a good time.
"""

MANUAL = """KEEPER(1)                        User Commands                       KEEPER(1)

NAME
       keeper - keep orders until they are answered

SYNOPSIS
       keeper [OPTION]... DIRECTORY

DESCRIPTION
       Keep the orders of DIRECTORY.  With no DIRECTORY, the current one is meant.
       This has been so since the first release and nobody has ever complained.

       -a, --all
              do not ignore orders that are starting with a dot.  They are ignored
              otherwise because they are usually not meant to be seen by anybody.

       --depth=LEVEL
              descend at most LEVEL directories.  The default is 3.  More is slow and
              gains little, as the authors found out in a long series of experiments.

       -h, --human-readable  print sizes that people can read.  They are rounded, and
              whoever needs exact ones can leave this out.

       -q     be quiet.  Nothing is printed at all, and there is not much to add to it.

EXIT STATUS
       The status is 0 when all went well.  It is 2 when DIRECTORY cannot be read.
       Other values are not used at present, but that may change at any time.
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Dr. J. R. Smith wrote a.py. Next came version 1.2.3, e.g. for Linux. Done.",
            ["Dr. J. R. Smith wrote a.py.", "Next came version 1.2.3, e.g. for Linux.", "Done."],
        ),
        (
            '"Really?" she asked. He said "Yes." Then he left.',
            ['"Really?" she asked.', 'He said "Yes."', "Then he left."],
        ),
        (
            "See https://a.b/c.d?e=f. It cost $3.50... and more. Yes!",
            ["See https://a.b/c.d?e=f.", "It cost $3.50... and more.", "Yes!"],
        ),
        (
            "Use `foo. Bar` here. Wait (see sec. 3. Then go.) Done.",
            ["Use `foo. Bar` here.", "Wait (see sec. 3. Then go.)", "Done."],
        ),
        ("The answer is no. We met at 5 p.m. Then we ate.", ["The answer is no.", "We met at 5 p.m.", "Then we ate."]),
        ("北京是首都。它很大！你知道吗？是的。", ["北京是首都。", "它很大！", "你知道吗？", "是的。"]),
        (
            "東京は首都です。「本当ですか。」と彼は言った。終わり。",
            ["東京は首都です。", "「本当ですか。」と彼は言った。", "終わり。"],
        ),
        ("दिल्ली राजधानी है। क्या आप जानते हैं? हाँ।", ["दिल्ली राजधानी है।", "क्या आप जानते हैं?", "हाँ।"]),
        ("القاهرة هي عاصمة مصر. هل تعرف ذلك؟ نعم۔", ["القاهرة هي عاصمة مصر.", "هل تعرف ذلك؟", "نعم۔"]),
        ("서울은 수도이다. 정말요? 그렇다.", ["서울은 수도이다.", "정말요?", "그렇다."]),
        (
            "Das gilt z.B. auch hier. Es sind ca. 20 Stück. Ende.",
            ["Das gilt z.B. auch hier.", "Es sind ca. 20 Stück.", "Ende."],
        ),
    ],
)
def test_sentences_end_where_a_reader_says(text, expected):
    assert sentences(text) == expected


def test_thai_is_cut_at_spaces_into_phrases():
    phrase = "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทยและเป็นศูนย์กลางการปกครองของประเทศ"
    text = " ".join([phrase] * 6)
    assert len(sentences(text)) >= 4
    assert " ".join(sentences(text)) == text


def test_wrapped_lines_belong_together_and_listed_lines_do_not():
    wrapped = (
        "The quick brown fox jumps over the lazy dog and then it\nwent home to bed. "
        "Another sentence that is wrapped\nhere. Third."
    )
    assert len(sentences(wrapped)) == 3
    spoken = "00:12 Alice: hello everyone and welcome\n00:15 Bob: we should ship 2.0 now\nCarol Smith: never on Friday"
    assert len(sentences(spoken)) == 3


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=300))
def test_sentences_cover_the_text(text):
    starts = split(text, 0, len(text))
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert all(start <= len(text) for start in starts)


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="ab.# \n-`|=>~:+*1\t\r\u00a0\u3000\f", max_size=200))
def test_blocks_lose_nothing_but_blanks(text):
    at = 0
    for kind, start, words, end, _ in Scanner(text).scan():
        assert kind in (HEAD, TERM, TEXT, ITEM, CODE, TABLE, KEEP)
        assert at <= start <= words <= end <= len(text)
        assert not text[at:start].replace(">", "").strip()  # blank lines of quotes
        at = end
    assert not text[at:].replace(">", "").strip()


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "\f", "\x1f"])
def test_any_blank_indents(blank):
    blocks = Scanner(f"Words and words.\n\n{blank * 4}$ ls {{a}} [b]\n{blank * 4}$ cd\n\nMore words.").scan()
    assert [kind for kind, *_ in blocks] == [TEXT, CODE, TEXT]


def test_a_guide_keeps_its_frame():
    draft = compress(GUIDE, want())
    assert draft is not None
    assert draft.degree == LOSSY
    for line in ("title: Queue guide", "# Queue guide", "## Installing", "## Limits", "## Thanks"):
        assert line in draft.text
    assert "Never delete the journal while the keeper runs." in draft.text
    assert "KEEPER_HOME" in draft.text
    assert "needs the following things:" in draft.text  # the words before a list stay with its items
    assert "as the authors" not in draft.text
    assert count(draft.text) <= 0.7 * count(GUIDE)
    assert words_in_order(draft.text, GUIDE)


def test_a_manual_names_all_options():
    draft = compress(MANUAL, want())
    assert draft is not None
    for name in (
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "EXIT STATUS",
        "-a, --all",
        "--depth=LEVEL",
        "-h, --human-readable",
        "-q",
    ):
        assert name in draft.text
    assert words_in_order(draft.text, MANUAL)


@pytest.mark.parametrize("text", [ESSAY, GUIDE, MANUAL, ESSAY.replace("\n", "\r\n")])
@pytest.mark.parametrize("question", ["", "how many orders does a small machine take per second?"])
def test_gaps_count_what_is_gone(text, question):
    draft = compress(text, want(question=question))
    assert draft is not None
    noted = NOTE.findall(draft.text)
    gone = sum(int(number or 0) for number, _ in noted)
    lines = sum(int(number or 0) for _, number in noted)
    total = int(re.match(r"(\d+) of (\d+) sentences", draft.missing).group(2))
    assert draft.missing.startswith(f"{gone} of ")
    assert (f"{lines} lines of listings" in draft.missing) == bool(lines)
    # What stays and what is noted is all there was.
    kept = 0
    for kind, _, words, end, _ in Scanner(text).scan():
        if kind in (TEXT, ITEM):
            starts = split(text, words, end)
            spans = zip(starts, [*starts[1:], end], strict=True)
            kept += sum(" ".join(text[a:b].split()) in " ".join(draft.text.split()) for a, b in spans)
    assert gone <= total
    assert kept + gone >= total
    assert words_in_order(draft.text, text)


def test_the_question_decides():
    draft = compress(ESSAY, want(question="Who brought salt to town 7?"))
    assert draft is not None
    assert "Captain Mara Lind7 brought 91 tons of salt there every spring." in draft.text
    assert count(draft.text) <= 0.42 * count(ESSAY)


def test_an_order_to_go_on_is_no_question():
    assert not asked("Look at this output and continue.")
    assert not asked("Please read the file and summarize it")
    assert asked("Who brought salt to town 7?") >= {"salt", "town"}
    plain = compress(ESSAY, want())
    ordered = compress(ESSAY, want(question="Look at this output and continue."))
    elsewhere = compress(ESSAY, want(question="kubernetes ingress certificates"))
    assert plain is not None
    assert ordered is not None
    assert elsewhere is not None
    assert plain.text == ordered.text == elsewhere.text


def test_what_went_wrong_stays():
    failure = "The run ended with ConnectionError: host db-7 did not answer."
    text = ESSAY.replace("People talked about it for a while, as people do.", "It was fine.", 1) + "\n\n" + failure
    text += "\n\nAfter that the tool gave up with exit status 3 and nothing else."
    for level in ("balanced", "max"):
        draft = compress(text, want(level))
        assert draft is not None
        assert failure in draft.text
        assert "exit status 3" in draft.text


def test_an_error_inside_a_listing_stays():
    lines = "\n".join(f"{i % 7}: nothing new, and nothing else" for i in range(120))
    error = "OverflowError: signed integer is greater than maximum"
    text = f"{ESSAY}\n\n## Outcome\n\n```\n{lines}\nTraceback (most recent call last):\n{error}\n```\n"
    draft = compress(text, want())
    assert draft is not None
    assert error in draft.text
    assert "lines]" in draft.text


@pytest.mark.parametrize("budget", [60, 120, 250])
def test_a_budget_is_kept(budget):
    draft = compress(ESSAY, want(budget=budget))
    assert draft is not None
    assert count(draft.text) <= budget
    guide = compress(GUIDE, want(budget=budget))
    assert guide is not None
    assert count(guide.text) <= budget
    assert "# Queue guide" in guide.text  # headings go last


def test_max_goes_below_balanced():
    balanced, most = compress(ESSAY, want()), compress(ESSAY, want("max"))
    assert balanced is not None
    assert most is not None
    assert count(most.text) < 0.8 * count(balanced.text)


def test_short_texts_and_other_kinds_stay():
    assert compress("One sentence here. And another one. That is all.", want()) is None
    table = "\n".join(f"{i}  {i * 7 % 13:>4}  0x{i * 99991:08x}  {i / 7:.3f}" for i in range(200))
    code = "\n".join(f"def f{i}(x):\n    return [x[{i}] for _ in range({i})] or {{'a': x}}" for i in range(100))
    log = "\n".join(f"2026-03-01 10:00:{i % 60:02d} INFO the worker has answered order {i} in time" for i in range(200))
    for text in (table, code, log):
        assert not is_prose(text)
        assert compress(text, want(asked=False)) is None
        assert COMPRESSOR.sniff(text, Hint()) < 0.5
    for text in (ESSAY, MANUAL, GUIDE):
        assert is_prose(text)
        assert COMPRESSOR.sniff(text, Hint()) >= 0.5


@pytest.mark.parametrize(
    "sentence",
    ["北京是首都。它位于华北平原的北部，人口超过{}万人！", "दिल्ली राजधानी है। इसकी जनसंख्या लगभग {} करोड़ है।",
     "東京は日本の首都です。人口は約{}万人です。", "القاهرة هي عاصمة مصر. يبلغ عدد سكانها حوالي {} ملايين نسمة؟ ",
     "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย เป็นศูนย์กลางการปกครองและการศึกษา มีประชากรประมาณ {} ล้านคน "],
)  # fmt: skip
def test_other_scripts_are_shortened(sentence):
    text = "\n\n".join(sentence.format(i) * 4 for i in range(1, 31))
    draft = compress(text, want(asked=False))
    assert draft is not None
    assert 0.25 * len(text) < len(draft.text) <= 0.56 * len(text)  # each sentence stands there four times
    assert words_in_order(draft.text, text)


@pytest.mark.parametrize("level", ["balanced", "max"])
@pytest.mark.parametrize("text", [ESSAY, GUIDE, MANUAL])
def test_a_rendering_is_not_shortened_again(text, level):
    draft = compress(text, want(level))
    assert draft is not None
    assert compress(draft.text, want()) is None
    again = compress(draft.text, want(budget=count(draft.text) // 2))
    if again is not None and level == "balanced":
        # A gap that swallows an earlier one stands for both.
        first = sum(int(a or 0) for a, _ in NOTE.findall(draft.text))
        assert sum(int(a or 0) for a, _ in NOTE.findall(again.text)) > first


def visible(text):
    return "".join(text.split())


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="ab \t\n\r.\x1b[0m\u00e9|#", max_size=200), st.sampled_from(["safe", "balanced"]))
def test_faithful_steps_lose_no_character(text, level):
    draft = compress(text, want(level, lossless=True))
    if draft is not None:
        assert draft.degree in (EXACT, FAITHFUL)
        assert len(draft.text) < len(text)
        assert visible(re.sub("\x1b\\[[0-9;]{0,20}m", "", draft.text)) == visible(
            re.sub("\x1b\\[[0-9;]{0,20}m", "", text)
        )


def test_safe_only_tidies():
    assert compress(ESSAY, want("safe")) is None
    draft = compress("A line.   \n\n\n\n\n\nAnother line.\t\n", want("safe"))
    assert draft is not None
    assert (draft.text, draft.degree) == ("A line.\n\nAnother line.\n", FAITHFUL)
    assert tidy("A.  \r\n\r\n\r\n\r\nB.\r\n") == "A.\r\n\r\nB.\r\n"
    assert tidy("N\bNA\bAM\bME\bE and _\bf_\bi_\bl_\be") == "NAME and file"
    assert tidy("\x1b[1mNAME\x1b[0m") == "NAME"


def test_fences_go_to_their_own_specialist():
    seen = []

    def part(text, hint):
        seen.append((text, hint.path))
        return Draft("print(1)\n[... 99 lines]\n", LOSSY, "99 of 100 lines")

    code = "".join(f"print({i})  # one of many\n" for i in range(100))
    text = GUIDE + f"\n## Long\n\n~~~py\n{code}~~~\n\nThe end of it.\n"
    draft = compress(text, want(part=part))
    assert draft is not None
    assert seen == [(code, "x.py")]
    assert "~~~py\nprint(1)\n[... 99 lines]\n~~~" in draft.text
    assert "parts of 1 listing" in draft.missing


def test_crlf_stays():
    draft = compress(GUIDE.replace("\n", "\r\n"), want())
    assert draft is not None
    assert "\r\n## Limits\r\n" in draft.text


def test_time_is_linear():
    def seconds(text):
        start = time.process_time()
        compress(text, want())
        return time.process_time() - start

    seconds(ESSAY)
    small = min(seconds(ESSAY * 60) for _ in range(3))
    assert min(seconds(ESSAY * 240) for _ in range(2)) < 4 * 2.5 * small + 0.5


@pytest.mark.skipif(not CORPUS.exists(), reason=WHY_NO_CORPUS)
def test_outside_prose_keeps_the_contract():
    for name, _, data in corpus("prose", limit=40):
        text = data.decode("utf-8", "replace")
        draft = compress(text, want(asked=False))
        if draft is None or draft.degree != LOSSY:
            continue
        assert count(draft.text) < count(text), name
        again = compress(draft.text, want(asked=False))
        assert again is None or again.degree == FAITHFUL, name


COMMANDS = (
    ("run", "Create and run a new container"), ("exec", "Execute a command"), ("ps", "List containers"),
    ("build", "Build an image from a file"), ("pull", "Download an image"), ("push", "Upload"),
    ("images", "List images"), ("login", "Authenticate to a registry"), ("swarm", "Manage Swarm"),
)  # fmt: skip
PACKAGES = (
    ("arc", "reads many archives"), ("zip", "small library for zip files with a long history"),
    ("brotli", "lossless compression"), ("lz", "fast"),
)  # fmt: skip
MENUS = {
    "commands": "Usage:  tool [OPTIONS] COMMAND\n\nCommands:\n"
    + "".join(f"  {name:12}{about}\n" for name, about in COMMANDS * 4),
    "packages": "".join(f"lib{name}-{i} - {about}\n" for i, (name, about) in enumerate(PACKAGES * 20)),
    "fields": "".join(
        f"Package: tool-{i}\nStatus: install ok installed\nPriority: optional\nInstalled-Size: {i * 37}\n"
        f"Maintainer: A Person\nVersion: 1.{i}\nDescription: a tool for number {i}\n\n"
        for i in range(12)
    ),
    "statements": "".join(
        f"syn match poComment{i} /^#.*$/\nhi def link poComment{i} Comment\nsyn region poId{i} start=x\n"
        for i in range(30)
    ),
    "options": "Options:\n"
    + "".join(f"  -print-{name}-{i}  Print it.\n  -print-{name}-directory-{i} Tell where\n" for i, (name, _) in
              enumerate(COMMANDS * 6)),
}  # fmt: skip


@pytest.mark.parametrize("name", list(MENUS))
def test_lines_that_are_no_sentences_stay(name: str) -> None:
    """A menu, a list of packages, fields and statements are told line by line: none may go as part of a sentence."""
    assert compress(MENUS[name], Want(count)) is None


def test_lines_go_as_lines_when_a_budget_asks() -> None:
    draft = compress(MENUS["commands"] + "\n\n" + "This is a sentence of the manual. " * 40, Want(count, budget=60))
    assert draft is not None
    assert draft.degree == LOSSY
    for line in draft.text.splitlines():
        assert line in MENUS["commands"].splitlines() or "[..." in line or "sentence" in line or not line


@pytest.mark.parametrize("width", [40, 72, 100])
def test_broken_paragraphs_are_sentences(width: int) -> None:
    import textwrap

    words = (
        "The queue keeps every order until a worker has answered. It was built in 2019 by two people who left. Nobody"
        " knows why the limit is 4,000. A lost message costs more than a late one, and a late one costs nothing at all."
    )
    parts = [textwrap.fill(f"{words} Part {i} says no more than that. {words}", width) for i in range(8)]
    text = "\n\n".join(parts) + "\n"
    draft = compress(text, Want(count))
    assert draft is not None
    assert draft.degree == LOSSY


def test_a_great_many_lines_of_a_few_words_stay():
    assert compress("".join(f"ERROR {row} failed\n" for row in range(40_000)), want()) is None


def test_failures_are_found_by_the_words_in_them_wherever_they_stand():
    text = "The queue keeps every order until a worker answers. " * 40
    told = (
        "It exited with status 3 then. Traceback (most recent call last) came up. KeyError: 'name' was raised there. "
    )
    units = Units(f"{text}\n\n{told}{text}\n\n```\nOSError: full\n```\n\n{text}")
    spans = zip(units.begin, units.end, units.failed, strict=True)
    assert [units.text[begin:end].split()[0] for begin, end, failed in spans if failed] == [
        "It", "Traceback", "KeyError:", "OSError:",
    ]  # fmt: skip
    assert units.hidden(0, len(units)) == len(units)


def test_a_note_in_a_sentence_counts_for_what_it_stands_for():
    units = Units("One thing is said here. [...3] Another thing is said. [...2]")
    assert units.hidden(0, len(units)) == 2 + 3 + 2


def test_a_nested_item_keeps_what_it_is_nested_in() -> None:
    text = "# Guide\n\n1. Check that the status is 0.\n\n- [ ] open\n- [x] done item\n  - nested item of 512 MB\n\n"
    text += " ".join(f"Part {i} talks about the general idea of things in the system." for i in range(60)) + "\n"
    draft = compress(text, Want(count))
    assert draft is not None
    lines = draft.text.split("\n")
    nested = next((at for at, line in enumerate(lines) if "512 MB" in line), -1)
    assert nested < 0 or lines[nested - 1].startswith("- [x] done item")


def test_keys_with_sentences_for_values_are_no_prose() -> None:
    text = "".join(
        f"- name: field_{i}\n  type: string\n  description: |-\n    The field number {i} of the record. It is never"
        " empty.\n    Read the manual before it is changed.\n"
        for i in range(20)
    )
    assert compress(text, Want(count)) is None


def test_blank_lines_of_a_quote_are_no_sentences():
    said = [f"The item {number} belongs to station {number * 37} near `unit_{number}`." for number in range(60)]
    quoted = "\n>\n>\n".join(f"> {sentence}" for sentence in said)
    draft = compress(quoted, want(asked=True))
    assert draft is not None
    gone, total = map(int, re.match(r"(\d+) of (\d+) sentences", draft.missing).groups())
    assert total == 60
    assert sum(sentence in draft.text for sentence in said) == total - gone
