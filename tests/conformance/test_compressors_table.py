"""Every specialist of the table against every promise; a new row is picked up without a line here."""

from __future__ import annotations

import json
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import CORPUS, FLOODS, ODD, WHY_NO_CORPUS, corpus, examples, spoiled

from headroom_cli import compressors, engine
from headroom_cli.drafting import weighed
from headroom_cli.model import KINDS, LEVELS, LOSSY, Compressor, Hint, Policy, Want
from headroom_cli.store import Store
from headroom_cli.tokens import count

NAMES = list(compressors.COMPRESSORS)
TEXTS = [(name, data.decode()) for name, data in examples()] + [(f"odd {i}", text) for i, text in enumerate(ODD)]


@pytest.fixture(params=NAMES)
def specialist(request: pytest.FixtureRequest) -> Compressor:
    return compressors.load(request.param)


def wants() -> list[Want]:
    made = [Want(count, level=level, question="what failed and why?") for level in LEVELS]
    return [*made, Want(count, lossless=True), Want(count, budget=200), Want(count, keep_json=True)]


def test_rows_are_whole(specialist: Compressor) -> None:
    assert compressors.COMPRESSORS[specialist.name] == specialist.kinds
    assert set(specialist.kinds) <= set(KINDS)
    assert specialist.about
    assert all(compressors.for_kind(kind) == specialist.name for kind in specialist.kinds)


@pytest.mark.parametrize(("name", "text"), TEXTS, ids=[name for name, _ in TEXTS])
def test_drafts_keep_the_contract(specialist: Compressor, name: str, text: str) -> None:
    assert 0 <= specialist.sniff(text, Hint()) <= 1
    for want in wants():
        draft = specialist.compress(text, want)
        if draft is None:
            continue
        again = specialist.compress(text, want)
        assert again is not None
        assert (again.text, again.degree, again.missing) == (draft.text, draft.degree, draft.missing)
        assert not (want.lossless and draft.degree == LOSSY)
        if draft.degree == LOSSY:
            assert engine.MARKER.fullmatch(f"<<headroom:aaaaaaaaaaaa {draft.missing}>>"), draft.missing
        if want.keep_json and name.endswith(".json"):
            json.loads(draft.text)


@pytest.mark.parametrize("name", list(FLOODS))
def test_floods_take_linear_time(specialist: Compressor, name: str) -> None:
    # The figures are in benchmarks/hostile.py; here only what a quadratic scanner could never reach.
    text = FLOODS[name](1 << 19)
    start = time.perf_counter()
    for want in (Want(count), Want(count, lossless=True)):
        specialist.compress(text, want)
        specialist.sniff(text, Hint())
    assert time.perf_counter() - start < 5


def test_a_small_stack_is_enough(specialist: Compressor) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for name in ("brackets", "bracket pairs", "objects in objects", "tags", "parentheses"):
                specialist.compress(FLOODS[name](100_000), Want(count))
        except BaseException as error:  # noqa: BLE001 - what a thread raises must reach the test
            failures.append(error)

    old = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(old)
    assert not failures


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=400), st.sampled_from(NAMES), st.sampled_from(LEVELS))
def test_any_text_is_taken(text: str, name: str, level: str) -> None:
    draft = compressors.load(name).compress(text, Want(count, level=level))
    assert draft is None or isinstance(weighed(draft), str)


ASKED = [(name, kind) for name in NAMES for kind in compressors.COMPRESSORS[name][:1]]


@pytest.mark.parametrize(("name", "kind"), ASKED)
def test_wrongly_routed_and_spoiled_texts_come_back(name: str, kind: str, tmp_path: object) -> None:
    # A misrouted text may cost savings, never facts: what is not in place is behind a handle.
    store = Store(f"{tmp_path}/store")
    samples = [data for _, data in examples()]
    samples += [
        data for _, _, data in corpus("json", "logs", "code", "diff", "search", "html", "prose", "cmdout", limit=24)
    ]
    for i, data in enumerate(samples):
        for given_data in (data, spoiled(data, i), spoiled(data, i + 1)):
            result = engine.crush(
                given_data, Policy(as_kind=kind), store, form="raw" if b"\0" not in given_data else ""
            )
            assert len(result.data) <= len(given_data)
            assert engine.expand(result.data, store) == (given_data, [])
            for report in result.blocks:
                assert report.after <= report.before
                assert not report.failure, (name, report.failure)


@pytest.mark.skipif(not CORPUS.exists(), reason=WHY_NO_CORPUS)
def test_outside_samples_come_back(tmp_path: object) -> None:
    store = Store(f"{tmp_path}/store")
    changed = 0
    for _, _, data in corpus("json", "logs", limit=60):
        result = engine.crush(data, Policy(), store)
        changed += result.data != data
        assert len(result.data) <= len(data)
        assert engine.expand(result.data, store) == (data, [])
    assert changed > 40
