"""Which of many short texts a question is about: BM25 Okapi, scored once, without an index.

A filter asks one question of one list and ends, so building postings is wasted work: counting only the question's
own terms takes about a tenth of the time that an index of the same list takes to build, and needs no numpy.
The formula is that of rank-bm25's BM25Okapi (k1 1.5, b 0.75, epsilon 0.25), negative-idf floor included.
"""

from __future__ import annotations

from itertools import chain
from math import log

from headroom_cli.lazy import pattern

K1 = 1.5  # how fast a repeated term stops counting
B = 0.75  # how much a long document is held against it
EPSILON = 0.25  # terms in more than half of the documents weigh this share of the average idf

_WORD = pattern(r"\w+")
# Pieces of one ASCII word: ACRONYM before Capitalised, Capitalised or lower, ACRONYM, digits.
_PIECE = pattern(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_WIDE = pattern("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_LONG = 64  # characters; a longer word is a blob (base64, a hash chain): it is kept whole, its pieces mean nothing


def _split(word: str) -> tuple[str, ...]:
    """Return a word lower-cased and, when it is built of several pieces, those pieces behind it."""
    whole = word.lower()
    if len(word) > _LONG or (word.isascii() and word.isalpha() and (word.islower() or word.isupper())):
        return (whole,)
    if word.isascii():
        pieces = [piece.lower() for piece in _PIECE.findall(word)]
    elif _WIDE.search(word):
        # Scripts without spaces: pairs of characters are the usual stand-in for words.
        pieces = [whole[i : i + 2] for i in range(len(whole) - 1)]
    else:
        pieces = [piece for piece in whole.split("_") if piece]
    return (whole,) if len(pieces) < 2 else (whole, *pieces)


class _Splits(dict[str, tuple[str, ...]]):
    """Words already split: the items of one list share most of their words."""

    def __missing__(self, word: str) -> tuple[str, ...]:
        split = self[word] = _split(word)
        return split


def terms(text: str) -> list[str]:
    """Return the words of a text in order, lower-cased; ``getUserName`` gives getusername, get, user, name."""
    return list(chain.from_iterable(map(_Splits().__getitem__, _WORD.findall(text))))


def bm25(query: str, documents: list[str]) -> list[float]:
    """Return the score of each document for a question, in order; [] for no documents, zeros for an empty question."""
    split = _Splits().__getitem__
    find = _WORD.findall
    split_documents = [list(chain.from_iterable(map(split, find(text)))) for text in documents]
    return bm25_terms(terms(query), split_documents)


def bm25_terms(query_terms: list[str], documents_terms: list[list[str]]) -> list[float]:
    """Score documents that are already split. A term that stands twice in the question counts twice."""
    total = len(documents_terms)
    scores = [0.0] * total
    lengths = [len(document) for document in documents_terms]
    words = sum(lengths)
    if not words or not query_terms:
        return scores
    average = words / total
    floor: float | None = None
    norms = [K1 * (1 - B + B * length / average) for length in lengths]
    repeats = {term: query_terms.count(term) for term in query_terms}
    for term, weight in repeats.items():
        found = [(i, document.count(term)) for i, document in enumerate(documents_terms) if term in document]
        if not found:
            continue
        idf = log(total - len(found) + 0.5) - log(len(found) + 0.5)
        if idf < 0:
            if floor is None:
                floor = _floor(documents_terms)
            idf = floor
        idf *= weight * (K1 + 1)
        for i, frequency in found:
            scores[i] += idf * frequency / (frequency + norms[i])
    return scores


def _floor(documents_terms: list[list[str]]) -> float:
    """Return epsilon x the average idf over the whole vocabulary: the weight of terms found in most documents."""
    holders: dict[str, int] = {}
    for document in documents_terms:
        for term in set(document):
            holders[term] = holders.get(term, 0) + 1
    total = len(documents_terms)
    idfs = (log(total - count + 0.5) - log(count + 0.5) for count in holders.values())
    return EPSILON * sum(idfs) / len(holders)
