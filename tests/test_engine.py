"""The engine: what changes comes back, the rest is untouched, markers are honest, failures pass through."""

from __future__ import annotations

import gc
import json
import os
import random
from typing import TYPE_CHECKING

import pytest

from headroom_cli import compress, compressors, engine, retrieve
from headroom_cli.errors import ConfigError, FormatError, NotFoundError, StoreError
from headroom_cli.model import LOSSY, Compressor, Draft, Policy
from headroom_cli.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def log(lines: int = 400, seed: int = 1, errors: int = 2) -> str:
    rng = random.Random(seed)
    made = [
        f"2026-11-18 09:{i // 60:02d}:{i % 60:02d} INFO worker {rng.randrange(99)} stored order {rng.randrange(9999)}"
        for i in range(lines)
    ]
    for k in range(errors):
        made[lines // 3 + k * 7] = f"2026-11-18 09:10:0{k} ERROR disk {k} failed: no space left on device"
    return "\n".join(made) + "\n"


def records(rows: int = 300, *, indent: int | None = None) -> str:
    return json.dumps(
        [{"id": i, "name": f"item {i}", "state": "ok" if i % 50 else "failed"} for i in range(rows)], indent=indent
    )


def chat(*outputs: str, question: str = "why does it fail?") -> list[dict[str, object]]:
    messages: list[dict[str, object]] = [{"role": "user", "content": question}]
    for i, output in enumerate(outputs):
        call = {"id": f"c{i}", "type": "function", "function": {"name": "bash", "arguments": '{"command": "cat it"}'}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{i}", "content": output})
    return messages


BALANCED = Policy(level="balanced")


@pytest.mark.parametrize("text", [log(), records(), records(indent=2)])
def test_a_blob_shrinks_and_comes_back(text: str, store: Store) -> None:
    data = text.encode()
    result = engine.crush(data, Policy(), store)
    assert len(result.data) < len(data) * 0.7
    assert result.after < result.before * 0.97
    assert engine.expand(result.data, store) == (data, [])
    (report,) = result.blocks
    assert engine.fetch(store, report.handle) == data


@pytest.mark.parametrize("dump", [{}, {"indent": 1}, {"ensure_ascii": False}, {"separators": (",", ":")}])
def test_a_conversation_keeps_every_byte_outside_the_replaced_strings(dump: dict[str, object], store: Store) -> None:
    request = {"temperature": 1, "messages": chat(log(), "ok é", records(), log(seed=2)), "z": [1.0, {"y": None}]}
    data = json.dumps(request, **dump).replace("1.0", "1.10").encode()
    result = engine.crush(data, BALANCED, store)
    assert len(result.data) < len(data) * 0.6
    before, after = json.loads(data), json.loads(result.data)
    for old, new in zip(before["messages"], after["messages"], strict=True):
        assert old == new or old["role"] == "tool"
    assert b"1.10" in result.data
    assert engine.expand(result.data, store) == (data, [])


def test_literals_that_no_encoder_writes_come_back(store: Store) -> None:
    literal = json.dumps(log()).replace("INFO", "\\u0049NFO")
    data = ('[{"role":"user","content":"q"},{"role":"tool","content":' + literal + "}]").encode()
    result = engine.crush(data, BALANCED, store)
    assert result.data != data
    assert engine.expand(result.data, store) == (data, [])


def test_markers_are_last_and_name_the_original(store: Store) -> None:
    text = log()
    result = engine.crush(text.encode(), BALANCED, store)
    last = result.data.decode().splitlines()[-1]
    found = engine.MARKER.fullmatch(last)
    assert found
    assert store.fetch(found[1]) == text.encode()
    assert result.data.decode().count("<<headroom:") == 1
    assert result.data.endswith(b"\n")


def test_twice_is_once(store: Store) -> None:
    data = json.dumps({"messages": chat(log(), records(), log(seed=3))}).encode()
    once = engine.crush(data, BALANCED, store)
    twice = engine.crush(once.data, BALANCED, store)
    assert twice.data == once.data
    assert engine.crush(data, BALANCED, store).data == once.data
    assert engine.expand(once.data, store) == (data, [])


def test_other_stores_give_the_same_bytes(store: Store, tmp_path: Path) -> None:
    data = json.dumps({"messages": chat(log(), records())}).encode()
    other = Store(str(tmp_path / "other"))
    assert engine.crush(data, BALANCED, store).data == engine.crush(data, BALANCED, other).data


@pytest.mark.parametrize("level", ["safe", "balanced", "max"])
def test_what_comes_later_changes_nothing_before(level: str, tmp_path: Path) -> None:
    messages = chat(log(), records(), log(seed=2), records(40), log(seed=1))
    whole = compress(messages, level=level, store=str(tmp_path / "whole")).messages
    for k in range(1, len(messages) + 1):
        part = compress(messages[:k], level=level, store=str(tmp_path / f"{k}")).messages
        assert part == whole[:k]


def test_two_originals_with_one_rendering_stay_apart(store: Store) -> None:
    first, second = records(indent=1).encode(), records(indent=4).encode()
    lossless = Policy(lossless=True)
    one, two = engine.crush(first, lossless, store), engine.crush(second, lossless, store)
    assert engine.expand(one.data, store) == (first, [])
    assert engine.expand(two.data, store) == (second, [])


def test_lossless_and_unredeemable_renderings_carry_no_marker(store: Store) -> None:
    for policy in (Policy(lossless=True), Policy(redeem="none")):
        for text in (log(), records()):
            assert b"<<headroom:" not in engine.crush(text.encode(), policy, store).data


def test_without_a_store_nothing_changes() -> None:
    data = log().encode()
    result = engine.crush(data, BALANCED, None)
    assert result.data == data
    assert result.blocks[0].kept == "no store"


class FullStore(Store):
    def put(self, entries: object) -> list[str]:
        raise StoreError("the store is full; free some space")


def test_a_store_that_fails_leaves_the_input(tmp_path: Path) -> None:
    store = FullStore(str(tmp_path / "s"))
    data = json.dumps(chat(log())).encode()
    result = engine.crush(data, BALANCED, store)
    assert result.data == data
    assert "the store is full" in result.warnings[0]
    assert isinstance(result.failure, StoreError)
    assert result.before == result.after
    assert compress(chat(log()), store=store).messages == chat(log())


@pytest.fixture
def broken_logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def explode(_text: str, _want: object) -> Draft | None:
        raise ValueError("boom")

    monkeypatch.setattr(compressors, "load", lambda name: Compressor(name, (), lambda *_: 0.0, explode, ""))
    return


@pytest.mark.usefixtures("broken_logs")
def test_a_specialist_that_raises_leaves_the_input(store: Store) -> None:
    data = log().encode()
    result = engine.crush(data, BALANCED, store)
    assert result.data == data
    assert result.failure is not None
    assert "passed through" in result.warnings[0]


def test_drafts_that_grow_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def grow(text: str, _want: object) -> Draft | None:
        return Draft(text[: int(len(text) * 0.99)], LOSSY, "1 of 100 lines")

    monkeypatch.setattr(compressors, "load", lambda name: Compressor(name, (), lambda *_: 0.0, grow, ""))
    data = log().encode()
    result = engine.crush(data, BALANCED, store)
    assert result.data == data
    assert result.blocks[0].kept == "nothing to gain"
    assert not os.path.exists(store.where()) or not os.listdir(os.path.join(store.where(), "objects"))


def test_markers_in_texts_are_text(store: Store) -> None:
    theirs = "see <<headroom:aaaaaaaaaaaa 950 of 1000 items>>"
    data = json.dumps({"messages": [{"role": "user", "content": theirs}, *chat(log())]}).encode()
    result = engine.crush(data, BALANCED, store)
    assert theirs in json.loads(result.data)["messages"][0]["content"]
    assert engine.expand(result.data, store) == (data, [])


def test_unknown_handles_are_named(store: Store) -> None:
    data = json.dumps(chat("x\n<<headroom:aaaaaaaaaaaa 9 of 10 lines>>")).encode()
    assert engine.expand(data, store) == (data, ["aaaaaaaaaaaa"])
    with pytest.raises(NotFoundError):
        engine.fetch(store, "aaaaaaaaaaaa")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"\xff\xfe\x00", b"a\0b", b"{", b"[1,2", b'{"a":1,"a":2}' * 3, b"[NaN]", b'"\\ud800"',
        b"[" * 200_000,
        b"1" * 100_000, b"\r\n" * 1000, b'[{"role":"tool","content":"\\ud800"}]',
    ],
)  # fmt: skip
def test_odd_input_passes_through(data: bytes, store: Store) -> None:
    result = engine.crush(data, Policy(), store)
    assert result.data == data or engine.expand(result.data, store) == (data, [])


def test_lone_surrogates_stay(store: Store) -> None:
    data = json.dumps(chat(log() + "\ud800")).encode()
    result = engine.crush(data, BALANCED, store)
    assert result.data == data
    assert result.blocks[-1].kept == "lone surrogate"


def test_lines_of_requests_are_documents_of_their_own(store: Store) -> None:
    one = json.dumps({"messages": chat(log())})
    two = json.dumps({"messages": chat(records(), log(seed=5))})
    data = f"{one}\r\nnot a request\n{two}".encode()
    data = f"{one}\n{two}\nnot a request\n{two}".encode()
    result = engine.crush(data, BALANCED, store)
    assert result.format == "jsonl"
    assert result.data.count(b"\n") == data.count(b"\n")
    assert len(result.data) < len(data) * 0.7
    assert engine.expand(result.data, store) == (data, [])
    alone = engine.crush(two.encode(), BALANCED, store)
    assert result.data.splitlines()[1] == alone.data


def test_kinds_can_be_chosen(store: Store) -> None:
    data = json.dumps(chat(log(), records())).encode()
    only = engine.crush(data, Policy(level="balanced", only=frozenset(["json"])), store, dry=True)
    skip = engine.crush(data, Policy(level="balanced", skip=frozenset(["log"])), store, dry=True)
    for result in (only, skip):
        kinds = {report.kind: report.after < report.before for report in result.blocks if report.role == "tool"}
        assert kinds == {"log": False, "json": True}
    with pytest.raises(ConfigError):
        Policy(level="huge")
    with pytest.raises(ConfigError):
        Policy(only=frozenset(["yaml"]))


def test_dry_runs_store_nothing_and_weigh_the_same(store: Store) -> None:
    data = json.dumps(chat(log(), records())).encode()
    dry = engine.crush(data, BALANCED, store, dry=True)
    assert dry.data == data
    assert not os.path.exists(store.where())
    assert dry.after == engine.crush(data, BALANCED, store).after


def test_kept_json_parses_and_comes_back(store: Store) -> None:
    for text in (records(2000, indent=2), json.dumps({"items": json.loads(records(2000))}, indent=1)):
        result = engine.crush(text.encode(), Policy(keep_json=True), store)
        json.loads(result.data)
        assert len(result.data) < len(text)
        assert engine.expand(result.data, store) == (text.encode(), [])


def test_retrieved_text_is_never_compressed_again(store: Store) -> None:
    messages = chat(log())
    messages[1]["tool_calls"][0]["function"]["arguments"] = '{"command": "headroom retrieve k3f5a2m7qx4c"}'  # type: ignore[index]
    data = json.dumps(messages).encode()
    assert engine.crush(data, BALANCED, store).data == data


def test_the_library_call(tmp_path: Path) -> None:
    where = str(tmp_path / "s")
    messages = chat(log(), records())
    before = json.dumps(messages)
    result = compress(messages, model="claude-sonnet-4-5", level="balanced", store=where)
    assert json.dumps(messages) == before
    assert result.tokens_saved == result.tokens_before - result.tokens_after > 0
    assert result.reason == ""
    assert retrieve(result.handles[0], store=where).decode() == messages[2]["content"]
    first = retrieve(result.handles[0], lines="2:3", store=where).decode().splitlines()
    assert first == str(messages[2]["content"]).splitlines()[1:3]
    dumped = json.dumps(result.messages).encode()
    assert engine.expand(dumped, Store(where)) == (json.dumps(messages, ensure_ascii=False).encode(), [])
    assert compress([{"role": "user", "content": "hi"}], store=where).reason == "no tool output in these messages"


def test_a_named_format_is_demanded(store: Store) -> None:
    with pytest.raises(FormatError):
        engine.crush(b"words", Policy(), store, form="anthropic")
    with pytest.raises(FormatError):
        engine.expand(b"words", store, form="anthropic")


def same_value(indent: int) -> bytes:
    return records(60, indent=indent).encode()


@pytest.mark.parametrize("conversation", [False, True])
def test_a_second_crush_is_undone_with_the_first(store: Store, *, conversation: bool) -> None:
    data = log().encode()
    if conversation:
        data = json.dumps(chat(records(60), log(), records(60, indent=2), "\x1b[1mok\x1b[0m " * 200)).encode()
    once = engine.crush(data, BALANCED, store).data
    twice = engine.crush(once, BALANCED, store).data
    assert twice == once
    assert engine.expand(twice, store) == (data, [])
    assert engine.crush(data, BALANCED, store).data == once


def test_a_text_that_equals_a_rendering_stands_for_itself(store: Store) -> None:
    coloured = "".join(f"\x1b[32mstep {i} of the build is done\x1b[0m\n" for i in range(40)).encode()
    lossless = Policy(lossless=True, as_kind="log")
    plain = engine.crush(coloured, lossless, store).data
    assert plain != coloured
    assert b"\x1b" not in plain
    assert engine.expand(plain, store) == (coloured, [])
    assert engine.crush(plain, lossless, store).data == plain  # now it comes as somebody's own
    assert engine.expand(plain, store) == (plain, [])
    assert engine.crush(coloured, lossless, store).data == plain
    assert engine.expand(plain, store) == (coloured, [])


def test_a_shared_rendering_is_marked_only_where_that_is_allowed(tmp_path: Path) -> None:
    free, bound = Store(str(tmp_path / "free")), Store(str(tmp_path / "bound"))
    assert engine.crush(same_value(1), Policy(), free).data == engine.crush(same_value(1), Policy(), bound).data
    marked = engine.crush(same_value(4), Policy(), free).data
    assert b"source formatting>>" in marked
    assert engine.expand(marked, free) == (same_value(4), [])
    for policy in (Policy(lossless=True), Policy(redeem="none")):
        result = engine.crush(same_value(4), policy, bound)
        assert result.data == same_value(4)
        assert result.blocks[0].kept == "another original reads the same"
        assert result.blocks[0].after == result.blocks[0].before


@pytest.mark.parametrize("between", [b"\n\n", b"\n# a note\n", b"\r\n\r\n", b"\n  "])
@pytest.mark.parametrize("head", [b"", b"\n", b" ", b"\xef\xbb\xbf"])
def test_lines_of_requests_survive_odd_lines(between: bytes, head: bytes, store: Store) -> None:
    request = json.dumps({"messages": chat(log(), question="the user's own words " * 30)}).encode()
    data = head + request + between + request + b"\n"
    result = engine.crush(data, BALANCED, store)
    assert result.format == "jsonl"
    assert result.data.count(b"the user's own words " * 30) == 2
    assert len(result.data) < len(data) * 0.5
    assert engine.expand(result.data, store) == (data, [])


def test_an_escaped_key_is_a_key(store: Store) -> None:
    data = json.dumps({"messages": chat(log())}).replace('"messages"', '"mess\\u0061ges"').encode()
    result = engine.crush(data, BALANCED, store)
    assert result.format == "openai"
    assert engine.expand(result.data, store) == (data, [])


def test_kept_json_never_bends_other_text(store: Store) -> None:
    text = log() + "done [ok]"
    out = engine.crush(text.encode(), Policy(keep_json=True), store).data.decode()
    assert "done [ok]\n<<headroom:" in out
    data = json.dumps(chat(records(3000))).encode()
    result = engine.crush(data, Policy(level="balanced", keep_json=True), store)
    assert engine.expand(result.data, store) == (data, [])


def test_a_rendering_is_never_empty(store: Store) -> None:
    data = b"\x1b[31m" * 5000
    result = engine.crush(data, Policy(), store)
    assert result.data
    assert engine.expand(result.data, store) == (data, [])


def test_records_with_roles_are_records(store: Store) -> None:
    data = json.dumps([{"id": i, "name": f"n{i}", "role": "admin"} for i in range(300)]).encode()
    result = engine.crush(data, Policy(), store)
    assert result.format == "raw"
    assert len(result.data) < len(data) * 0.6


def test_observations_come_back_when_their_wrapper_went(store: Store) -> None:
    turns: list[dict[str, object]] = [{"role": "user", "content": "fix it"}]
    for i in range(4):
        turns.append({"role": "assistant", "content": f"I look.\n\n```bash\ncat {i}.log\n```"})
        turns.append({"role": "user", "content": f"<returncode>0</returncode>\n<output>\n{log(seed=i)}</output>"})
    data = json.dumps(turns).encode()
    for level in ("safe", "balanced", "max"):
        result = engine.crush(data, Policy(level=level), store)
        assert len(result.data) < len(data) * 0.5
        assert engine.expand(result.data, store) == (data, [])
        assert engine.crush(result.data, Policy(level=level), store).data == result.data
        assert engine.expand(result.data, store) == (data, [])


def test_parts_of_mixed_output_are_chosen_by_their_own_kind(store: Store) -> None:
    session = f"$ cat app.log\n{log(200)}$ curl -s http://localhost/items\n{records(200, indent=1)}\n"
    data = session.encode()

    def left(**chosen: frozenset[str]) -> int:
        return engine.crush(data, Policy(as_kind="mixed", **chosen), store, dry=True).after

    both, only, skip = left(), left(only=frozenset(["json"])), left(skip=frozenset(["json"]))
    assert both < only < engine.crush(data, Policy(), None).before
    assert both < skip < engine.crush(data, Policy(), None).before
    assert engine.crush(data, Policy(as_kind="mixed", skip=frozenset(["mixed"])), store).data == data
    result = engine.crush(data, Policy(as_kind="mixed"), store)
    assert engine.expand(result.data, store) == (data, [])


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_is_put_back_whatever_a_specialist_does(collecting, monkeypatch):
    seen = []

    def fails(_text, _want):
        seen.append(gc.isenabled())
        raise ValueError("no")

    failing = Compressor("logs", ("log",), lambda _text, _hint: 1.0, fails, "fails")
    monkeypatch.setattr(compressors, "load", lambda _name: failing)
    before = gc.isenabled()
    (gc.enable if collecting else gc.disable)()
    try:
        result = engine.crush(b"2026-01-01 INFO a\n" * 40, Policy(as_kind="log"), None, form="raw", dry=True)
        assert gc.isenabled() is collecting
    finally:
        (gc.enable if before else gc.disable)()
    assert seen == [False]
    assert result.blocks[0].failure == "ValueError: no"
