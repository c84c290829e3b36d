"""rank.py: the same scores as rank-bm25, sensible words, linear time."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom_cli.rank import bm25, bm25_terms, terms


def oracle(query, documents):
    rank_bm25 = pytest.importorskip("rank_bm25")
    return rank_bm25.BM25Okapi(documents).get_scores(query)


def random_documents(seed, count, vocabulary, shortest=0):
    rng = random.Random(seed)
    words = [f"w{i}" for i in range(vocabulary)]
    documents = [[words[int(rng.paretovariate(0.7)) % vocabulary] for _ in range(rng.randint(shortest, 40))]
                 for _ in range(count)]  # fmt: skip
    documents[0] = documents[0] or ["w1"]
    return documents, words


@pytest.mark.parametrize("vocabulary", [3, 50, 5000])
@pytest.mark.parametrize("count", [1, 2, 7, 300])
def test_equals_rank_bm25(count, vocabulary):
    documents, words = random_documents(count * vocabulary, count, vocabulary)
    rng = random.Random(1)
    for size in (1, 3, 9):
        query = [rng.choice(words) for _ in range(size)] + ["w1", "never-there"]
        ours = bm25_terms(query, documents)
        for left, right in zip(ours, oracle(query, documents), strict=True):
            assert left == pytest.approx(right, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcdef"), max_size=8), min_size=1, max_size=12),
    st.lists(st.sampled_from("abcdefg"), max_size=5),
)
def test_equals_rank_bm25_on_anything(documents, query):
    if not any(documents):
        assert bm25_terms(query, documents) == [0.0] * len(documents)
        return
    for left, right in zip(bm25_terms(query, documents), oracle(query, documents), strict=True):
        assert left == pytest.approx(right, abs=1e-9)


def test_nothing_to_rank():
    assert bm25_terms(["a"], []) == []
    assert bm25("", ["a", "b"]) == [0.0, 0.0]
    assert bm25("a", ["", ""]) == [0.0, 0.0]
    assert bm25("!?", ["a"]) == [0.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Which pods are failing?", ["which", "pods", "are", "failing"]),
        ("getUserName", ["getusername", "get", "user", "name"]),
        ("HTTPServer2", ["httpserver2", "http", "server", "2"]),
        ("max_retry_count", ["max_retry_count", "max", "retry", "count"]),
        ("ERROR", ["error"]),
        ("a-b.c/d", ["a", "b", "c", "d"]),
        ("naïve Straße", ["naïve", "straße"]),
        ("日本語", ["日本語", "日本", "本語"]),
        ("", []),
    ],
)
def test_terms(text, expected):
    assert terms(text) == expected


def test_a_blob_is_one_term():
    assert terms("aB3" * 100) == ["ab3" * 100]


def test_the_right_item_wins():
    items = [f'{{"name": "web-{i}", "status": "Running"}}' for i in range(50)]
    items[31] = '{"name": "db-0", "status": "CrashLoopBackOff"}'
    scores = bm25("why is crash loop seen on the db pod", items)
    assert max(range(50), key=scores.__getitem__) == 31


def test_linear_time():
    def once(count):
        documents, _ = random_documents(1, count, 2000, 40)
        start = time.process_time()
        bm25_terms(["w3", "w17", "w1999"], documents)
        return time.process_time() - start

    once(100)
    small = min(once(2000) for _ in range(3))
    large = min(once(8000) for _ in range(3))
    assert large < small * 4 * 1.6 + 0.005
    assert small < 0.05
