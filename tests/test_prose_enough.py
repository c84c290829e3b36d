"""Prose without a question: how much stays is a matter of what it names; lines that a formatter broke are joined."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom_cli.compressors.prose import FLOOR, SMALL, compress
from headroom_cli.compressors.prose.choose import order, sizes
from headroom_cli.compressors.prose.layout import unwrapped
from headroom_cli.compressors.prose.shape import is_prose
from headroom_cli.compressors.prose.units import Units
from headroom_cli.model import FAITHFUL, LOSSY, Want
from headroom_cli.tokens import count

TALK = "People talked about it for a while, as people do. Then they went home and slept. "


def want(level="balanced", **more):
    return Want(count, level=level, **more)


def share(text):
    draft = compress(text, want())
    assert draft is not None
    assert draft.degree == LOSSY
    return count(draft.text) / count(text)


def test_a_text_that_names_much_keeps_more_than_one_that_names_little():
    idle = "\n\n".join(TALK * 3 + f"It was the same in house {i}." for i in range(20))
    dense = "\n\n".join(
        f"Captain Mara Lind{i} brought {i * 13} tons to port{i}.example.org with `load --all-{i}`. {TALK}"
        for i in range(20)
    )
    assert share(idle) < 0.55 < share(dense)


def test_the_facts_stay_and_the_talk_goes():
    text = "\n\n".join(f"The limit of queue_{i} is {i * 37} MB. {TALK * 3}" for i in range(20))
    draft = compress(text, want())
    assert draft is not None
    assert sum(f"queue_{i} is {i * 37} MB" in draft.text for i in range(20)) >= 18
    assert draft.text.count("talked about it") <= 2  # what was said once need not be said again


def test_a_restriction_is_worth_its_place():
    plain = "The keeper reads the journal of that order again when the machine has begun anew. "
    told = "The keeper does not read the journal of that order when the machine has begun anew. "
    text = "\n\n".join(plain * 4 + (told if i == 7 else "") for i in range(20))
    draft = compress(text, want())
    assert draft is not None
    assert "does not read the journal" in draft.text


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (
            "what is the full form of cfc's",
            "Older fridges leak CFCs, that is chlorofluorocarbons, when they are scrapped.",
        ),
        ("where does loihi come from", "L\u014d\u02bbihi was made by the hot spot that made the islands."),
        ("which organ has a pace maker", "A pacemaker is put beside the heart."),
    ],
)
def test_a_question_may_be_spelled_otherwise(question, answer):
    text = "\n\n".join(
        [
            *(
                f"The harbour of town {i} was built in {1700 + i}. Captain Mara Lind{i} came back. {TALK}"
                for i in range(20)
            ),
            answer,
        ]
        + [f"The mill of village {i} was built in {1800 + i}. Miller Tom Reed{i} stayed. {TALK}" for i in range(20)]
    )
    draft = compress(text, want(question=question, budget=count(text) // 10))
    assert draft is not None
    assert answer in draft.text
    assert count(draft.text) <= count(text) // 10


def test_a_small_text_keeps_more_with_a_question():
    text = "\n\n".join(f"Town {i} got {i * 13} tons of salt from Reed{i} in a year. {TALK}" for i in range(9))
    draft = compress(text, want(question="which town got salt from Reed5?", asked=True))
    assert draft is not None
    assert 0.85 * SMALL <= count(draft.text) <= SMALL < count(text)


@pytest.mark.parametrize("budget", [30, 45, 60, 90, 140])
def test_a_budget_is_filled_with_what_fits(budget):
    long = "A very long sentence goes on " + "and on " * 60 + "about the salt of Mara Lind."
    text = "\n\n".join([long, *(f"Town {i} got {i * 13} tons of salt from Reed{i}." for i in range(20))])
    draft = compress(text, want(question="who brought salt?", budget=budget, asked=True))
    assert draft is not None
    assert 0.5 * budget <= count(draft.text) <= budget


def test_what_stands_whatever_the_target_says_stands():
    heads = "\n\n".join(
        f"# Heading number {i} of them all\n\nIt says nothing. It is short. It ends." for i in range(60)
    )
    draft = compress(heads, want(asked=True))
    assert draft is not None
    assert all(f"# Heading number {i} of" in draft.text for i in range(60))
    assert draft.text.count("It says nothing.") >= FLOOR * 60 / 3


def test_enough_is_a_part_of_what_is_chosen():
    units = Units("\n\n".join(f"Queue{i} of Mara Lind{i} has {i * 31} MB. {TALK}" for i in range(30)))
    costs = sizes(units)
    chosen, enough = order(units, costs, [], 1e9, everything=False)
    said = [units.text[units.begin[unit] : units.end[unit]] for unit in chosen]
    assert sum(sentence.startswith("Queue") for sentence in said) == 30
    assert len(said) < 40  # the talk says nothing new the second time
    assert 0 < enough < len(chosen)
    everything, _ = order(units, costs, [], 1e9, everything=True)
    assert sorted(everything) == list(range(len(units)))


LINES = (
    "The keeper reads the orders of a directory and keeps them until a worker has answered. This has been so since "
    "the first release in 2019, and nobody has ever complained about it in all those years. Orders of more than 512 MB "
    "are split, because the journal takes no more than that at once; what is left comes with the next one."
)


def manual(width, justify=False):
    """Return a page as a formatter lays it out."""

    def filled(words, blanks):
        lines = textwrap.wrap(words, width - blanks)
        if justify:
            lines = [_padded(line, width - blanks) for line in lines[:-1]] + lines[-1:]
        return textwrap.indent("\n".join(lines), " " * blanks)

    parts = ["KEEPER(1)", "", "DESCRIPTION", filled(LINES, 7), ""]
    for number in range(6):
        parts += [f"       --depth-{number}=LEVEL", filled(f"Level {number}. {LINES}", 14), ""]
    parts += ["EXAMPLES", "           A---B---C topic", "          /", "     D---E---F---G master", ""]
    return "\n".join(parts)


def _padded(line, width):
    words = line.split(" ")
    blanks, more = divmod(width - sum(map(len, words)), max(1, len(words) - 1))
    return "".join(word + " " * (blanks + (at < more)) for at, word in enumerate(words)).rstrip()


@pytest.mark.parametrize("width", [60, 80, 96])
@pytest.mark.parametrize("justify", [False, True])
def test_a_page_gets_its_paragraphs_back(width, justify):
    page = manual(width, justify)
    joined = unwrapped(page)
    assert "".join(joined.split()) == "".join(page.split())
    assert count(joined) < 0.95 * count(page)
    assert f"       {LINES}" in joined.split("\n")
    assert "           A---B---C topic\n          /\n     D---E---F---G master" in joined
    assert unwrapped(joined) == joined


def test_lines_that_people_chose_stay():
    source = "# Guide\n\n" + "\n\n".join([textwrap.fill(LINES, 78)] * 8)
    item = "- " + textwrap.fill(LINES, 76).replace("\n", "\n  ")
    listed = "\n\n".join([item] * 12)
    directive = manual(80) + "\n       .. note::\n"
    rows = "\n".join(f"       {'name' + str(i):24}{'of a thing':30}{i * 977:>12}" for i in range(40))
    code = "\n".join(
        f"    call_{i}(alpha[{i}], beta={{'gamma': {i}}}, delta=lambda x: x + {i}, e=0)" for i in range(40)
    )
    for text in (source, directive, rows, code):
        assert unwrapped(text) == text
    assert "".join(unwrapped(listed).split()) == "".join(listed.split())


def test_a_word_that_was_cut_in_two_is_not_put_together():
    page = manual(80).replace("complained", "com-plained")
    cut = "\n".join(
        [*(["       " + "word " * 13 + "re\u2010", "       turned, and goes on like that for a while."] * 12), page]
    )
    assert "re\u2010\n" in unwrapped(cut)


def test_joining_is_faithful_at_every_level():
    page = manual(80)
    for level in ("safe", "balanced", "max"):
        draft = compress(page, want(level, lossless=True))
        assert draft is not None
        assert draft.degree == FAITHFUL
        assert draft.text == unwrapped(page)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.text(alphabet="ab. -\t\u00a0\u2010`|:", max_size=90), min_size=20, max_size=40), st.integers(0, 9))
def test_joining_loses_no_character(lines, blanks):
    text = "\n".join(" " * blanks + line for line in lines)
    joined = unwrapped(text)
    assert "".join(joined.split()) == "".join(text.split())
    assert len(joined) <= len(text)


def test_a_page_of_words_may_begin_with_a_few_tags():
    words = "\n\n".join(f"Captain Mara Lind{i} brought {i * 13} tons of salt. {TALK}" for i in range(12))
    assert is_prose('<h1 align="center">\n  <img src="a.svg">\n</h1>\n\n' + words)
    assert is_prose("<!-- a comment -->\n" + words)
    assert not is_prose("<!DOCTYPE html>\n" + words)
    assert not is_prose("<html>\n" + words)
    assert not is_prose("\n".join(f"<p>{line}</p>" for line in words.split("\n") if line))


def test_a_manual_that_quotes_a_note_of_ours_in_a_listing_is_no_rendering() -> None:
    names = "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda"
    said = "".join(
        f"Stage {name} reads the file of {name} and writes {number * 37} rows of it, which takes {number} seconds.\n\n"
        for number, name in enumerate(names, 1)
    )
    listing = "```\n[... 70 lines: 70 passed]\nFAILED a\n```"
    text = f"# Manual\n\nWhat is left of a run:\n\n{listing}\n\n{said}{'It is so. ' * 40}\n"
    found = compress(text, Want(count, asked=True))
    assert found is not None
    assert "[... 70 lines: 70 passed]" in found.text
    assert compress(found.text, Want(count, asked=True)) is None
