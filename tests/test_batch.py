"""Rows of files and tables, compressed: each as if it were alone, in its own bytes, and none lost."""

import io
import json
import re

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs import CORPUS, FLOODS, WHY_NO_CORPUS

from headroom_cli import engine
from headroom_cli.batch import compress_batch, lines, places, rows, shards, tables
from headroom_cli.batch import run as batch
from headroom_cli.batch.gathering import Gathering
from headroom_cli.batch.job import Job
from headroom_cli.errors import InputMissingError, StoreError, StoreFullError, UsageError
from headroom_cli.model import Policy
from headroom_cli.store import Entry, Store

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
from pyarrow import parquet  # noqa: E402 - only where it is there

TRACE = json.loads((ROOT / "examples/trace.json").read_bytes())
LOG = "".join(f"2026-01-0{i % 9 + 1} INFO worker {i} done in {i * 7} ms\n" for i in range(400)) + "ERROR disk full\n"


def talk(number, text=LOG):
    """Return a conversation with one long tool result, unlike that of any other number."""
    return [
        {"role": "user", "content": f"What happened in run {number}?"},
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": "a", "name": "Bash", "input": {"command": f"cat run-{number}.log"}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": text.replace("worker", f"worker-{number}")}]},
    ]  # fmt: skip


def request(number, **more):
    return {"model": "claude-sonnet-4-5", "max_tokens": 9, **more, "messages": talk(number)}


def alone(line, folder, policy=None):
    """Return a line as ``crush`` writes it into a new store."""
    return engine.crush(line, policy or Policy(), Store(str(folder))).data


def job(tmp_path, **more):
    return Job(Policy(), str(tmp_path / "store"), **more)


def serial(parts, job, out, _workers, _address):
    """Do the parts here, one after the other."""
    for part in parts:
        yield shards.attempt(part, job, out)


def batched(words, out, job, engine=serial, workers=0):
    return batch.run([str(word) for word in words], str(out), job, engine, workers, "", lambda _sums: None)


def made_of(out):
    """Return the shards in the order of the input, as one text."""
    manifest = json.loads((out / batch.MANIFEST).read_bytes())
    return b"".join((out / row["shard"]).read_bytes() for row in manifest["shards"])


LINES = [
    json.dumps(request(1)),
    json.dumps(talk(2)),
    json.dumps({"id": 7, "messages": talk(3), "note": "\u00e9", "n": 1e400 and 1}),
    '{ "id" : 1.50, "conversation":' + json.dumps(talk(4)) + ' , "id":2}',
    json.dumps({"text": LOG, "z": None}),
    json.dumps({"text": json.dumps(request(5))}, ensure_ascii=False),
    json.dumps({"request": request(6), "text": "no"}),
]
BAD = ["{bad", '{"id":1}', "7", '"text"', '{"messages":3}', '{"text":"a"} {"text":"b"}', "[" * 300, '{"text":nul}']


def test_each_line_is_what_crush_makes_of_it_alone(tmp_path):
    table = pa.table({"line": pa.array([line.encode() for line in LINES], pa.large_binary())})
    made, told = tables.compress_table(table, job(tmp_path), Store(str(tmp_path / "store")), lines=True)
    found = made.column("line").to_pylist()
    assert told.changed == len(LINES)
    assert not told.troubles
    for number in (0, 1, 2):
        assert found[number] == alone(LINES[number].encode(), tmp_path / f"s{number}")
    inner = alone(json.dumps(talk(4)).encode(), tmp_path / "s4").decode()
    assert found[3].decode() == f'{{ "id" : 1.50, "conversation":{inner} , "id":2}}'
    assert json.loads(found[4]) == {"text": alone(LOG.encode(), tmp_path / "s5").decode(), "z": None}
    assert json.loads(found[5])["text"].encode() == alone(json.dumps(request(5)).encode(), tmp_path / "s6")
    assert json.loads(found[6])["text"] == "no"


def test_what_was_there_before_and_beside_makes_no_difference(tmp_path):
    # The second conversation begins with the same words and has its tools in another order, which align would keep.
    tools = [{"name": name, "input_schema": {}} for name in ("b", "a")]
    pair = [request(1, tools=tools), request(1, tools=tools[::-1]), request(1, tools=tools, system="Today is Monday.")]
    lines_ = [json.dumps(one).encode() for one in pair]
    store = Store(str(tmp_path / "store"))
    for line in lines_:
        engine.crush(line, Policy(), store)
    for turn, order in enumerate((lines_, lines_[::-1])):
        table = pa.table({"line": pa.array(order, pa.large_binary())})
        made = tables.compress_table(table, job(tmp_path), store, lines=True)[0].column("line").to_pylist()
        assert made == [alone(line, tmp_path / f"{turn}{number}") for number, line in enumerate(order)]


def test_every_row_expands_to_its_own_bytes(tmp_path):
    data = [line.encode() for line in LINES[:3]]
    table = pa.table({"line": pa.array(data, pa.large_binary())})
    store = Store(str(tmp_path / "store"))
    made = tables.compress_table(table, job(tmp_path), store, lines=True)[0].column("line").to_pylist()
    assert [engine.expand(line, store) for line in made] == [(line, []) for line in data]


def test_what_a_proxy_sent_is_not_changed_by_a_batch(tmp_path):
    store, line = Store(str(tmp_path / "store")), json.dumps(request(1)).encode()
    engine.crush(line, Policy(), store)
    before = dict(store.records())
    tables.compress_table(pa.table({"line": [line]}), job(tmp_path), store, lines=True)
    assert dict(store.records()) == before


def test_two_rows_that_read_the_same_are_told_of(tmp_path):
    value = [{"name": f"n{i}", "size": i, "kind": "x"} for i in range(200)]
    texts = [json.dumps(value, indent=indent) for indent in (1, 2)]
    policy = Policy(lossless=True)
    store = Store(str(tmp_path / "store"))
    table = pa.table({"text": texts})
    made, told = tables.compress_table(table, Job(policy, store.name), store)
    found = made.column("text").to_pylist()
    assert found == [alone(text.encode(), tmp_path / f"s{n}", Policy(lossless=True)).decode()
                     for n, text in enumerate(texts)]  # fmt: skip
    assert found[0] == found[1]
    assert [number for number, _ in told.troubles] == [1]
    assert engine.expand(found[0].encode(), store)[0].decode() == texts[0]
    again = tables.compress_table(table.slice(1), Job(policy, store.name), store)[1]
    assert [number for number, _ in again.troubles] == [0]  # also where the other one came in an earlier table


def test_bad_rows_stay_and_are_told_of(tmp_path):
    source = tmp_path / "in.jsonl"
    text = "".join(f"{line}\n" for one, other in zip(BAD, LINES, strict=False) for line in (one, other)) + "\n\xff\n"
    source.write_bytes(text.encode("latin-1"))
    sums = batched([source], tmp_path / "out", job(tmp_path))
    came = source.read_bytes().splitlines(keepends=True)
    went = made_of(tmp_path / "out").splitlines(keepends=True)
    assert went[0::2][:7] == came[0::2][:7]
    assert all(len(one) < len(other) for one, other in zip(went[1::2][:7], came[1::2][:7], strict=True))
    told = [json.loads(line) for line in (tmp_path / "out" / batch.ERRORS).read_bytes().splitlines()]
    assert [row["row"] for row in told] == [1, 3, 5, 7, 9, 11, 13, 16]
    assert all(row["error"] and row["input"] == str(source) for row in told)
    assert (sums.rows, sums.bad, sums.changed) == (16, 8, 7)


def test_line_ends_and_marks_stay(tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_bytes(b"\xef\xbb\xbf" + f"{LINES[0]}\r\n\n{LINES[1]}\r\n{LINES[2]}".encode())
    batched([source], tmp_path / "out", job(tmp_path))
    made = made_of(tmp_path / "out").split(b"\n")
    assert made[0].startswith(b"\xef\xbb\xbf{")
    assert [line[-1:] for line in made] == [b"\r", b"", b"\r", b"}"]


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.integers(0, 40), max_size=12), st.booleans(), st.integers(1, 30),
    st.tuples(st.integers(1, 30), st.integers(8, 30), st.integers(1, 20)),
)  # fmt: skip
def test_parts_hold_every_line_once(sizes, ended, each, bounds):
    most, longest, piece = bounds
    data = b"\n".join(b"%c" % (97 + number) * size for number, size in enumerate(sizes)) + (b"\n" if ended else b"")
    found, whole = b"", []
    for start in range(0, len(data), each):
        stream = io.BytesIO(data)
        stream.seek(max(start - 1, 0))
        for some in lines.tables(stream, start, min(start + each, len(data)), most=most, longest=longest, piece=piece):
            found += some if isinstance(some, bytes) else b"".join(some)
            whole += [] if isinstance(some, bytes) else some
    assert found == data
    assert all(line.count(b"\n") <= 1 for line in whole)
    assert {line for line in data.splitlines(keepends=True) if len(line) <= longest} <= set(whole)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=4), inside, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(st.text(max_size=6).filter(lambda name: name not in rows.COLUMNS), ODD, max_size=4), st.booleans(),
    st.sampled_from([(", ", ": "), (",", ":"), (" ,", " :\t")]), st.integers(0, 4),
)  # fmt: skip
def test_of_an_object_one_literal_is_exchanged(members, ascii_only, separators, place):
    items = list(members.items())
    items.insert(min(place, len(items)), ("text", LOG))
    line = json.dumps(dict(items), ensure_ascii=ascii_only, separators=separators).encode("utf-8", "surrogatepass")
    made = rows.of_line(line, Job(Policy(), "store"), Gathering(Store("store")))
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:  # half a character outside ASCII: no JSON text that can be read
        assert made.value == line
        assert made.error
        return
    old, new = (json.dumps(json.loads(one)["text"]).encode() for one in (line, made.value))
    assert len(new) < len(old)
    assert line.count(old) == made.value.count(new) == 1
    assert made.value.replace(new, old) == line


def test_whatever_breaks_text_tools_is_a_row_too():
    gathering, asked = Gathering(Store("store")), Job(Policy(), "store")
    for name, flood in FLOODS.items():
        text = flood(4_000)
        for line in (json.dumps({"text": text}).encode(), *text.encode().splitlines(keepends=True)[:3]):
            made = rows.of_line(line, asked, gathering)
            assert made.changed or made.value == line, name
            if line.startswith(b'{"text"'):
                assert not made.error or "nested deeper" in made.error, name
                assert len(json.loads(made.value)["text"]) <= len(text), name
    wrong = (
        b"\x00",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'{"text":1e999}',
        b'{"messages":[]}',
        b'"',
        b'{"text":"\\ud800"}',
    )
    for line in wrong:
        assert rows.of_line(line, asked, gathering).value == line


def test_a_row_that_is_too_long_goes_through(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "LARGEST_ROW", 3_000)
    made = rows.of_line(LINES[0].encode(), job(tmp_path), Gathering(Store(str(tmp_path / "s"))))
    assert made.value == LINES[0].encode()
    assert "MiB" in made.error


def test_counts_are_members_of_the_line_and_columns_of_the_table(tmp_path):
    asked = job(tmp_path, counts=True)
    store = Store(asked.store)
    data = [LINES[2].encode(), b"{bad", b"{}", LINES[1].encode()]
    made, told = tables.compress_table(pa.table({"line": data}), asked, store, lines=True)
    first, bad, empty, listed = made.column("line").to_pylist()
    value = json.loads(first)
    assert list(value)[-3:] == list(rows.COUNTS)
    assert value["headroom_tokens_before"] > value["headroom_tokens_after"] > 0
    assert value["headroom_error"] is None
    assert bad == b"{bad"
    assert json.loads(empty)["headroom_error"].startswith("the line is no conversation")
    assert isinstance(json.loads(listed), list)
    table = tables.compress_table(pa.table({"text": [LOG, None, ""]}), asked, store)[0]
    assert table.column_names == ["text", *rows.COUNTS]
    assert table.column("headroom_tokens_after").to_pylist()[1:] == [0, 0]
    assert told.rows == 4


@pytest.mark.parametrize("kind", ["string", "large_string", "binary", "dictionary"])
def test_a_column_keeps_its_type_and_all_others_stay(tmp_path, kind):
    types = {"string": pa.string(), "large_string": pa.large_string(), "binary": pa.binary(),
             "dictionary": pa.dictionary(pa.int32(), pa.string())}  # fmt: skip
    texts = [json.dumps(talk(1)), None, "short", json.dumps(talk(2))]
    values = [None if text is None else text.encode() for text in texts] if kind == "binary" else texts
    column = pa.array(values, pa.string() if kind == "dictionary" else types[kind])
    column = column.dictionary_encode().cast(types[kind]) if kind == "dictionary" else column
    table = pa.table({"id": pa.array([1, 2, 3, None]), "request": column, "w": [[1], [], None, [2]]})
    table = table.replace_schema_metadata({"a": "b"})
    made = compress_batch(table, store=str(tmp_path / "store"))
    assert made.schema.equals(table.schema, check_metadata=True)
    assert made.column("id").equals(table.column("id"))
    assert made.column("w").equals(table.column("w"))
    found = made.column("request").to_pylist()
    assert found[1:3] == values[1:3]
    for number, text in ((0, texts[0]), (3, texts[3])):
        went = found[number] if kind == "binary" else found[number].encode()
        assert went == alone(text.encode(), tmp_path / f"s{number}")


def test_messages_as_values_are_compressed_as_values(tmp_path):
    called = {"id": "a", "type": "function", "function": {"name": "sh", "arguments": '{"command":"cat log"}'}}
    openai = [
        [
            {"role": "user", "content": f"run {number}?"},
            {"role": "assistant", "content": None, "tool_calls": [called]},
            {"role": "tool", "tool_call_id": "a", "content": LOG.replace("worker", f"w{number}")},
        ]
        for number in (1, 2)
    ]
    table = pa.table({"messages": openai, "n": [1, 2]})
    made = compress_batch(table.to_batches()[0], store=str(tmp_path / "store"))
    assert made.schema == table.schema
    for came, went in zip(table.to_pylist(), made.to_pylist(), strict=True):
        assert came["n"] == went["n"]
        assert came["messages"][:2] == went["messages"][:2]
        assert len(went["messages"][2]["content"]) < len(came["messages"][2]["content"])
        handle = re.search(r"<<headroom:([a-z2-7]+) ", went["messages"][2]["content"])[1]
        assert Store(str(tmp_path / "store")).fetch(handle).decode() == came["messages"][2]["content"]


def test_a_table_without_the_column_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--column"):
        compress_batch(pa.table({"a": ["x"]}), store=str(tmp_path / "s"))
    with pytest.raises(UsageError, match="column b"):
        compress_batch(pa.table({"a": ["x"]}), "b", store=str(tmp_path / "s"))


def test_a_policy_of_the_callers_own_stays_as_it_is(tmp_path):
    policy = Policy(level="max")
    compress_batch(pa.table({"text": [LOG]}), store=str(tmp_path / "s"), policy=policy)
    assert not policy.fresh


def test_handles_that_are_taken_are_found_out_before_anything_is_written(tmp_path):
    # Handles of one character: almost all collide.
    store = Store(str(tmp_path / "store"), handle_length=1)
    store.put([Entry(b"%d" % number) for number in range(40)])
    texts = [LOG.replace("worker", f"w{number}") for number in range(12)]
    made, told = tables.compress_table(pa.table({"text": texts}), Job(Policy(), store.name), store)
    for came, went in zip(texts, made.column("text").to_pylist(), strict=True):
        handle = re.search(r"<<headroom:([a-z2-7]+) ", went)[1]
        assert store.fetch(handle).decode() == came
    assert told.changed == 12


class _Full(Store):
    def put(self, entries):
        raise StoreFullError("no room")


def test_without_room_in_the_store_nothing_is_written(tmp_path, monkeypatch):
    source = tmp_path / "in.jsonl"
    source.write_text(LINES[0] + "\n")
    with pytest.raises(StoreError):
        tables.compress_table(pa.table({"text": [LOG]}), job(tmp_path), _Full(str(tmp_path / "s")))
    monkeypatch.setattr(Job, "open_store", lambda job: _Full(job.store))
    sums = batched([source], tmp_path / "out", job(tmp_path))
    assert sums.status == StoreError.status
    assert sums.shards == 0
    assert not [path for path in (tmp_path / "out").iterdir() if not path.name.startswith("_")]
    assert not list((tmp_path / "out/_tmp").iterdir())
    monkeypatch.undo()
    assert batched([source], tmp_path / "out", job(tmp_path)).shards == 1


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".ndjson.zst"])
def test_lines_are_read_and_written_with_their_codec(tmp_path, ending):
    import gzip

    import zstandard

    data = "".join(f"{line}\n" for line in LINES).encode()
    packed = {"gz": gzip.compress, "zst": zstandard.ZstdCompressor().compress}.get(ending.rpartition(".")[2], bytes)
    # Two members, as `cat a.gz b.gz` makes them.
    (tmp_path / f"in{ending}").write_bytes(packed(data) + packed(data))
    batched([tmp_path / f"in{ending}"], tmp_path / "out", job(tmp_path))
    (shard,) = [path for path in (tmp_path / "out").iterdir() if not path.name.startswith("_")]
    assert shard.name.endswith(ending.replace("ndjson", "jsonl"))
    unpacked = {
        "gz": gzip.decompress,
        "zst": lambda data: pa.CompressedInputStream(pa.BufferReader(data), "zstd").read(),
    }
    went = unpacked.get(ending.rpartition(".")[2], bytes)(shard.read_bytes()).splitlines()
    assert went[:7] == went[7:]
    assert went[0] == alone(LINES[0].encode(), tmp_path / "alone")


def test_parquet_is_cut_by_row_groups_and_keeps_rows_and_codec(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "LEAST", 1)
    source = tmp_path / "in.parquet"
    table = pa.table({"n": list(range(40)), "messages": [json.dumps(talk(n % 7)) for n in range(40)]})
    parquet.write_table(table, source, row_group_size=9, compression="gzip")
    batched([source], tmp_path / "out", job(tmp_path))
    manifest = json.loads((tmp_path / "out" / batch.MANIFEST).read_bytes())
    assert [row["rows"] for row in manifest["shards"]] == [9, 9, 9, 9, 4]
    read = [parquet.read_table(tmp_path / "out" / row["shard"]) for row in manifest["shards"]]
    made = pa.concat_tables(read)
    assert made.schema == table.schema
    assert made.column("n").to_pylist() == list(range(40))
    assert made.column("messages")[5].as_py().encode() == alone(json.dumps(talk(5)).encode(), tmp_path / "alone")
    file = parquet.ParquetFile(tmp_path / "out" / manifest["shards"][0]["shard"])
    assert file.metadata.row_group(0).column(0).compression == "GZIP"


def test_what_is_done_is_not_done_again_and_what_changed_is_refused(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.jsonl").write_text(LINES[0] + "\n")
    out, asked = tmp_path / "out", job(tmp_path)
    begun = []

    def once(parts, *more):
        begun.append(len(parts))
        yield next(serial(parts, *more))

    batch.run([str(tmp_path / "a.jsonl")], str(out), asked, serial, 0, "", lambda _: None)
    first = {path.name: path.stat().st_mtime_ns for path in out.glob("[!_]*.jsonl")}
    sums = batch.run([str(tmp_path / "*.jsonl")], str(out), asked, once, 0, "", lambda _: None)
    assert (begun, sums.there, sums.shards, sums.rows) == ([1], 1, 2, 2)
    assert first.items() <= {path.name: path.stat().st_mtime_ns for path in out.glob("*.jsonl")}.items()
    with pytest.raises(UsageError, match="another folder"):
        batched([tmp_path / "a.jsonl"], out, job(tmp_path, counts=True))
    (tmp_path / "a.jsonl").write_text(LINES[1] + "\n")
    with pytest.raises(UsageError, match="another folder"):
        batched([tmp_path / "*.jsonl"], out, asked)


def test_a_damaged_file_costs_its_own_shard_alone(tmp_path):
    import gzip

    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress((LINES[0] + "\n").encode() * 50)[:-20])
    (tmp_path / "b.jsonl").write_text(LINES[0] + "\n")
    (tmp_path / "c.jsonl.gz").write_bytes(b"no gzip at all")
    sums = batched([tmp_path / "*.jsonl*"], tmp_path / "out", job(tmp_path))
    assert (sums.shards, sums.total, sums.status, len(sums.failed)) == (1, 3, 65, 2)
    assert not (tmp_path / "out" / batch.MANIFEST).exists()


def test_folders_and_patterns_name_files(tmp_path):
    for name in ("x/b.jsonl", "x/a.parquet", "x/deep/c.ndjson.gz", "x/notes.txt", "x/_done/a.jsonl", "x/.h/a.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = [one.name[len(str(tmp_path)) :] for one in places.inputs([str(tmp_path / "x")])]
    assert found == ["/x/a.parquet", "/x/b.jsonl", "/x/deep/c.ndjson.gz"]
    both = [str(tmp_path / "x/*.jsonl"), str(tmp_path / "x/b.jsonl")]
    assert [one.name[len(str(tmp_path)) :] for one in places.inputs(both)] == ["/x/b.jsonl"]
    for word in ("nothing.jsonl", "*.nothing", "x/*.pq"):
        with pytest.raises(InputMissingError):
            places.inputs([str(tmp_path / word)])
    for word in ("x/notes.txt", "-"):
        with pytest.raises(UsageError):
            places.inputs([str(tmp_path / word) if word != "-" else word])


def test_an_empty_file_gives_an_empty_shard(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"")
    parquet.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "b.parquet")
    sums = batched([tmp_path / "a.jsonl", tmp_path / "b.parquet"], tmp_path / "out", job(tmp_path))
    assert (sums.rows, sums.shards, sums.failed) == (0, 2, [])


@pytest.mark.skipif(not (CORPUS / "traces_norm").is_dir(), reason=WHY_NO_CORPUS)
def test_conversations_of_agents_come_out_as_crush_writes_them(tmp_path):
    names = sorted((CORPUS / "traces_norm").glob("*.json"))[::13]
    data = [json.dumps(json.loads(name.read_bytes())).encode() for name in names]
    made, told = tables.compress_table(pa.table({"line": data}), job(tmp_path), Store(str(tmp_path / "s")), lines=True)
    found = made.column("line").to_pylist()
    assert told.changed > len(data) / 2
    for number, (came, went) in enumerate(zip(data, found, strict=True)):
        assert went == alone(came, tmp_path / f"a{number}"), names[number].name
        assert engine.expand(went, Store(str(tmp_path / "s"))) == (came, [])
