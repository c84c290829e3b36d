"""Which words may go by themselves, which with their clause, and which never, whatever a model says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_kompress import PROSE

from headroom_cli.kompress.choose import keep, order
from headroom_cli.kompress.protect import FREE, NEVER, bare, protected, reads_as_english

KEPT = [
    ("it waits 30 seconds at the end", ["30", "seconds"]),
    ("it listens on port 8080 for the rest", ["port", "8080"]),
    ("see the file src/app.py and more", ["src/app.py"]),
    ("the call foo_bar goes to parseInt and x.y here", ["foo_bar", "parseInt", "x.y"]),
    ("look at https://example.com/a for the rest", ["https://example.com/a"]),
    ("pass the flag --dry-run with it", ["--dry-run"]),
    ("the work of Ada Lovelace was the first", ["Ada", "Lovelace"]),
    ("it does not delete the files", ["not", "delete"]),
    ("it has never been tested on that", ["never", "been", "tested"]),
    ("you must not ever remove the lock", ["must", "not", "ever", "remove"]),
    ("it can't be undone by the user", ["can't", "be", "undone"]),
    ("it may be slow when the disk is", ["may", "be", "slow", "when"]),
    ("run `rm -rf the dir` as the user", ["`rm", "-rf", "the", "dir`"]),
    ('he said "go on with the work" to them', ['"go', "on", "with", "the", 'work"']),
    ("the \u201cother way of it\u201d is the one", ["\u201cother", "way", "of", "it\u201d"]),
    ("see [the long guide](http://a.b/c) of it", ["[the", "long", "guide](http://a.b/c)"]),
    ("it is **a very important** thing of theirs", ["**a", "very", "important**"]),
    ("the HTTP API of them", ["HTTP", "API"]),
    ("it costs three coins at least to them", ["three", "least"]),
    ("the caf\u00e9 na\u00efve of it", ["caf\u00e9", "na\u00efve"]),
    ("an array<int> x=1 of it", ["array<int>", "x=1"]),
    ("it ends with this.", ["this."]),
    ("it waits ten seconds at the end", ["ten", "seconds"]),
    ("data older than thirty days is there in it", ["older", "than", "thirty", "days"]),
    ("it is as long as the lease is", ["as", "long", "as"]),
    ("we have to restart the service of it", ["have", "to", "restart"]),
    ("you should always carefully check the output of it", ["should", "always", "carefully", "check"]),
    ("the call is rejected by the server of it", ["rejected", "by", "the", "server"]),
    ("he called it 'the old way of things' in a talk", ["'the", "old", "way", "of", "things'"]),
    ("it is \u2018the old way of it\u2019 to them all", ["\u2018the", "old", "way", "of", "it\u2019"]),
    ("it is a _large and slow thing_ of theirs", ["_large", "and", "slow", "thing_"]),
    ('set name="John of the hill" in it', ['name="John', "of", "the", 'hill"']),
    ("say (\u201cgo on with it\u201d) to them", ["(\u201cgo", "on", "with", "it\u201d)"]),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "kept"), KEPT, ids=[sentence for sentence, _ in KEPT])
def test_protected_words_never_go(sentence, kept):
    words = sentence.split()
    held = protected(words, [0])
    assert [word for word, how in zip(words, held, strict=True) if how == NEVER and word in kept] == kept
    assert FREE in held
    mask = keep(words, [0.0] * len(words), [0], share=0.0)
    assert [word for word, stays in zip(words, mask, strict=True) if stays and word in kept] == kept


WORDS = st.lists(
    st.one_of(
        st.sampled_from(PROSE.split()),
        st.sampled_from(["not", "must", "3", "MB,", "(the", "it),", "\u2014", '"a', 'b"']),
        st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=6),
    ),
    min_size=1, max_size=60,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(WORDS, st.randoms(use_true_random=False))
def test_steps_take_only_words_that_may_go(words, rnd):
    starts = sorted({0, *(rnd.randrange(len(words)) for _ in range(3))})
    scores = [rnd.random() for _ in words]
    held = protected(words, starts)
    for taken in order(words, scores, starts):
        assert all(held[at] != NEVER for at in taken)
        # A word with a comma or a bracket goes with its clause alone.
        assert len(taken) > 1 or held[taken[0]] == FREE or words[taken[0]].endswith(",")
    for share in (0.0, 0.5, 1.0):
        mask = keep(words, scores, starts, share=share)
        assert len(mask) == len(words)
        assert all(mask[at] for at in range(len(words)) if held[at] == NEVER)
        assert sum(mask) >= share * len(words) - 12
    assert keep(words, [1.0] * len(words), starts) == b"\1" * len(words)


def test_the_least_worth_goes_first():
    words = ["the", "cat", "sat", "on", "the", "mat", "of", "the", "other", "house", "near", "the", "river", "there"]
    scores = [at / 20 for at in range(len(words))]
    assert [taken for taken in order(words, scores, [0]) if len(taken) == 1][:2] == [(0,), (3,)]


def test_what_an_article_or_a_preposition_needs_stays_with_it():
    words = [
        "in",
        "our",
        "usual",
        "old",
        "way",
        "of",
        "the",
        "things",
        "every",
        "client",
        "does",
        "on",
        "most",
        "large",
        "machines",
    ]
    alone = {words[at] for taken in order(words, [0.1] * len(words), [0]) if len(taken) == 1 for at in taken}
    assert not alone & {"usual", "way", "things", "client", "machines"}
    words = ["it", "is", "the", "old", "large", "queue"]
    assert order(words, [0.1] * len(words), [0]) != []


def test_clauses_go_as_a_whole_with_their_comma():
    sentence = "In the general case, the parser (as it stands here) reads the input well."
    words = sentence.split()
    scores = [0.1] * 4 + [0.9] * 2 + [0.2] * 4 + [0.9] * 4
    steps = [taken for taken in order(words, scores, [0]) if len(taken) > 1]
    assert steps == [(0, 1, 2, 3), (6, 7, 8, 9)]


def test_no_subject_with_its_verb_goes_for_its_comma_and_no_thing_of_several():
    words = ["The", "parser", "reads", "files,", "large", "folders,", "and", "sockets", "of", "that", "machine."]
    assert all(len(taken) == 1 for taken in order(words, [0.1] * len(words), [0]))
    assert not {3, 5} & {at for taken in order(words, [0.1] * len(words), [0]) for at in taken}


def test_english_is_told_from_other_texts():
    assert reads_as_english(PROSE.split())
    german = "der Hund ist nicht in dem Haus und die Katze auch nicht"
    assert not reads_as_english(german.split())
    assert not reads_as_english(["int", "main", "void", "return", "x", "y", "z"])
    assert bare('"(The"') == "the"
