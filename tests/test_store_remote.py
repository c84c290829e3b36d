"""A shared store that fails: stopped, killed, slow, full, unsafe; what people see; machines agree on renderings."""

import json
import random
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_stores import BadNetwork, RedisServer

from headroom_cli import drafting, engine, replay
from headroom_cli.errors import ConfigError, NotFoundError, StoreError, StoreFullError, StoreRefusedError
from headroom_cli.model import Policy
from headroom_cli.settings import resolve
from headroom_cli.stages import Prepared
from headroom_cli.store import Entry, Store, named, url
from headroom_cli.store.backends.objects import Objects
from headroom_cli.store.patience import AwayError, Patience
from headroom_cli.store.place import local
from headroom_cli.store.shared import ConflictError, Shared
from headroom_cli.store.url import Url

LOG = "\n".join(f"2026-01-01T00:{i // 60:02d}:{i % 60:02d}Z INFO worker {i % 7} is ready" for i in range(400)) + "\n"
TALK = "0123456789abcdef"


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "redis"
    folder.mkdir()
    running = RedisServer(folder)
    yield running
    running.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def steady(tmp_path_factory):
    running = RedisServer(tmp_path_factory.mktemp("redis"))
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _no_memory():
    replay.forget_all()
    yield
    replay.forget_all()


def chat(*outputs):
    turns = [{"role": "user", "content": "why does the build fail?"}]
    for i, text in enumerate(outputs):
        call = {"id": f"c{i}", "type": "function", "function": {"name": "bash", "arguments": '{"command":"make"}'}}
        turns += [{"role": "assistant", "content": f"Step {i}.", "tool_calls": [call]},
                  {"role": "tool", "tool_call_id": f"c{i}", "content": text}]  # fmt: skip
    return json.dumps(turns).encode()


def sent(store, *outputs, level="balanced"):
    """Return the result of a request that goes out, on a machine that remembers nothing."""
    replay.forget_all()
    return engine.crush(
        chat(*outputs),
        Policy(live=True, level=level),
        store,
        prepare=lambda _document, _notes: Prepared([], "shell"),
    )


def log(number):
    return LOG.replace("worker", f"thread {number}")


# --- machines agree


def test_a_conversation_goes_on_on_any_machine_with_the_same_bytes(steady, tmp_path):
    machines = [named(steady.url(tmp_path / f"m{i}", 1)) for i in range(3)]
    outputs, before = [], []
    for turn in range(6):
        outputs.append(log(turn))
        made = sent(machines[turn % 3], *outputs)
        assert not made.warnings
        bodies = [item["content"] for item in json.loads(made.data) if item["role"] == "tool"]
        assert bodies[:-1] == before
        assert len(bodies[-1]) < len(LOG) / 4
        before = bodies
    assert engine.expand(made.data, machines[0])[0] == chat(*outputs)


def test_the_later_of_two_machines_sends_what_the_first_recorded(steady, tmp_path, monkeypatch):
    one, other = (named(steady.url(tmp_path / f"m{i}", 2)) for i in range(2))
    recall, remember, draft = Shared.recall_dated, Shared.remember, drafting.Drafter.draft
    first, gave_up, conflicts = [], [], []

    def before_the_first_wrote(store, shard):
        if store is other and not conflicts:
            if not first:
                first.append(sent(one, LOG).data)  # while this machine makes up its mind
            return {}
        return recall(store, shard)

    def noting_conflicts(store, shard, pairs, **options):
        try:
            remember(store, shard, pairs, **options)
        except ConflictError:
            conflicts.append(shard)
            raise

    def out_of_time(drafter, block, report):
        if first:
            gave_up.append(block)
            return None
        return draft(drafter, block, report)

    monkeypatch.setattr(Shared, "recall_dated", before_the_first_wrote)
    monkeypatch.setattr(Shared, "remember", noting_conflicts)
    monkeypatch.setattr(drafting.Drafter, "draft", out_of_time)
    made = sent(other, LOG)
    assert conflicts
    assert gave_up  # it would have left the block as it is
    assert made.data == first[0] != chat(LOG)
    assert "another machine" in " ".join(made.warnings)


def test_two_machines_with_other_settings_begin_a_conversation_alike(steady, tmp_path, monkeypatch):
    one, other = (named(steady.url(tmp_path / f"m{i}", 5)) for i in range(2))
    remember, first = Shared.remember, []

    def after_the_first(store, shard, pairs, **options):
        if store is other and not first:
            first.append(sent(one, LOG, level="balanced").data)  # while this machine made up its mind
        return remember(store, shard, pairs, **options)

    monkeypatch.setattr(Shared, "remember", after_the_first)
    assert sent(other, LOG, level="max").data == first[0] != chat(LOG)
    before = json.loads(first[0])
    assert [json.loads(sent(one, LOG, log(1), level=level).data)[:3] for level in ("max", "safe")] == [before] * 2


# --- away, slow, killed, full


def test_a_stopped_server_costs_nothing_but_compression(server, tmp_path):
    store = named(server.url(tmp_path / "local"))
    (handle,) = store.put([Entry(LOG.encode())])
    first = sent(store, LOG)
    assert first.data != chat(LOG)
    server.stop()
    before = time.monotonic()
    store.hurry()
    second = sent(store, LOG, log(1))
    assert time.monotonic() - before < 5  # no timeout of a client library
    bodies = [item["content"] for item in json.loads(second.data) if item["role"] == "tool"]
    assert bodies == [json.loads(first.data)[-1]["content"], log(1)]  # the prefix stands, the new block goes as it came
    assert len(second.warnings) == 1
    filtered = engine.crush(chat(log(2)), Policy(level="balanced"), store)
    assert filtered.data == chat(log(2))
    assert filtered.warnings
    assert store.fetch(handle) == LOG.encode()  # at hand
    with pytest.raises(StoreError):
        store.resolve("a" * 12)
    with pytest.raises(StoreError):
        store.put([Entry(b"new")])
    server.start()
    time.sleep(0.6)
    store.hurry(0)
    fresh = named(server.url(tmp_path / "other"))
    assert fresh.fetch(handle) == LOG.encode()
    until = time.monotonic() + 20
    while True:
        try:
            assert fresh.fetch(*store.put([Entry(b"new")])) == b"new"
            break
        except AwayError:
            assert time.monotonic() < until
            time.sleep(0.1)


def test_what_was_acknowledged_outlives_the_server_s_death(server, tmp_path):
    store = named(server.url(tmp_path / "local"))
    handles = {}
    for number in range(40):
        (handle,) = store.put([Entry(b"%d" % number * 99)])
        handles[handle] = b"%d" % number * 99
    store.remember(TALK, [("k", "1")])
    server.stop(signal.SIGKILL)
    server.start()
    fresh = named(server.url(tmp_path / "other"))
    assert {handle: fresh.fetch(handle) for handle in handles} == handles
    assert fresh.recall(TALK) == {"k": "1"}
    assert fresh.upkeep().verify(fresh).clean


def test_a_server_that_stalls_is_waited_for_once(server, tmp_path):
    network = BadNetwork(server.port)
    store = named(f"redis://127.0.0.1:{network.port}/0?local={tmp_path}/local")
    store.put([Entry(b"before")])
    network.stalled = True
    waits = []
    for _ in range(20):
        store.hurry(0.25)
        began = time.monotonic()
        with pytest.raises(AwayError):
            store.put([Entry(b"during")])
        waits.append(time.monotonic() - began)
    assert sorted(waits)[10] < 0.1  # most do not wait at all
    assert sum(waits) < 5
    assert store.recall_dated(TALK) == {}
    network.close()


def test_what_may_have_been_written_after_its_request_went_out_is_taken_back(server, tmp_path):
    network = BadNetwork(server.port)
    store = named(f"redis://127.0.0.1:{network.port}/0?local={tmp_path}/local")
    store.remember(TALK, [("before", "1")])
    network.stalled = True
    store.hurry(0.25)
    with pytest.raises(AwayError):
        store.remember(TALK, [("late", "2")], settled={"late"})
    assert store.recall(TALK) == {"before": "1"}
    network.stalled = False  # now it arrives
    other = named(server.url(tmp_path / "other"))
    time.sleep(0.7)
    store.hurry(0)
    store.ping()
    until = time.monotonic() + 10
    while other.recall(TALK) != {"before": "1"}:
        assert time.monotonic() < until
        time.sleep(0.1)
        store.ping()
    network.close()


def test_patience_counts_what_several_calls_take():
    patience = Patience("somewhere", 5.0)
    patience.begin(1.0)
    patience.call(lambda: time.sleep(0.05))
    with pytest.raises(AwayError):
        patience.call(lambda: time.sleep(2))
    patience.begin(0)
    assert patience.is_away
    with pytest.raises(AwayError):
        patience.call(lambda: 1)
    time.sleep(0.55)
    assert patience.call(lambda: 1) == 1


def test_full_memory_refuses_and_loses_nothing(server, tmp_path):
    with server.client() as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"] + (2 << 20))
    store = named(server.url(tmp_path / "local"))
    kept = {}

    def fill():
        for number in range(500):
            data = random.Random(number).randbytes(40_000)
            (handle,) = store.put([Entry(data)])
            kept[handle] = data

    with pytest.raises(StoreFullError, match="maxmemory"):
        fill()
    assert len(kept) > 2
    fresh = named(server.url(tmp_path / "other"))
    assert all(fresh.fetch(handle) == data for handle, data in kept.items())
    made = engine.crush(chat(LOG), Policy(level="balanced"), fresh)
    assert made.data == chat(LOG)


def test_servers_that_would_lose_originals_are_refused(steady, tmp_path):
    store = lambda: named(steady.url(tmp_path / "local", 3))  # noqa: E731
    with steady.client() as client:
        try:
            client.config_set("maxmemory", "64mb")
            for policy in ("allkeys-lru", "volatile-lru", "volatile-ttl"):
                client.config_set("maxmemory-policy", policy)
                with pytest.raises(StoreRefusedError, match="noeviction"):
                    store().put([Entry(b"x")])
            client.config_set("maxmemory-policy", "noeviction")
            assert store().put([Entry(b"x")])
            client.config_set("appendfsync", "everysec")
            with pytest.raises(StoreRefusedError, match="appendfsync"):
                store().put([Entry(b"y")])
            client.config_set("appendfsync", "always")
            client.config_set("appendonly", "no")
            with pytest.raises(StoreRefusedError, match="appendonly"):
                store().put([Entry(b"y")])
            accepting = named(steady.url(tmp_path / "local", 3, volatile="yes"))
            assert accepting.fetch(*accepting.put([Entry(b"y")])) == b"y"
            assert "lost" in accepting.about()
        finally:
            client.config_set("maxmemory", "0")
            client.config_set("appendfsync", "always")
            client.config_set("appendonly", "yes")
    with pytest.raises(StoreError, match="replicas"):
        named(steady.url(tmp_path / "local", 3, replicas=1)).put([Entry(b"z")])


def test_everything_has_a_time_to_live_that_use_sets_anew(steady, tmp_path):
    store = named(steady.url(tmp_path / "local", 0, prefix="ttl"))
    (handle,) = store.put([Entry(b"x" * 99)])
    store.remember(TALK, [("k", "1")])
    digest = store.resolve(handle)
    names = [f"ttl:objects/{digest}", f"ttl:grants/{handle}", f"ttl:renderings/{TALK}"]
    with steady.client() as client:
        assert all(0 < client.ttl(name) <= 30 * 86_400 for name in client.scan_iter("ttl:*"))
        for name in names:
            client.expire(name, 1_000)
        named(steady.url(tmp_path / "other", 0, prefix="ttl")).fetch(handle)
        store.recall(TALK)
        assert all(client.ttl(name) > 29 * 86_400 for name in names)


def test_an_object_store_that_ignores_conditions_is_refused(tmp_path):
    from obstore.store import MemoryStore

    class Careless(Objects):
        def _put(self, name, data, mode="overwrite"):
            return super()._put(name, data, "overwrite" if mode else mode)

    store = Shared(Url(f"s3://bucket/x?local={tmp_path}"), backend=Careless(MemoryStore(), "s3://bucket/x"))
    with pytest.raises(StoreRefusedError, match="If-None-Match"):
        store.put([Entry(b"x")])


def test_what_stays_at_hand_is_bounded_and_never_needed(tmp_path):
    from obstore.store import MemoryStore

    memory = MemoryStore()
    texts = [random.Random(number).randbytes(100_000) for number in range(30)]
    for cache in (0, 1):
        url = Url(f"s3://bucket/x?local={tmp_path}/{cache}&cache={cache}")
        store = Shared(url, backend=Objects(memory, "memory"))
        handles = [handle for text in texts for handle in store.put([Entry(text)])]
        kept = [path for path in (tmp_path / str(cache)).rglob("objects/*") if path.is_file()]
        assert sum(path.stat().st_size for path in kept) <= cache << 20
        assert bool(kept) == bool(cache)
        assert [store.fetch(handle) for handle in handles] == texts
    folder = tmp_path / "file"
    folder.write_text("in the way")
    nowhere = Shared(Url(f"s3://bucket/x?local={folder}"), backend=Objects(memory, "memory"))
    assert nowhere.put([Entry(texts[0])]) == handles[:1]
    assert nowhere.fetch(handles[1]) == texts[1]
    assert nowhere.front.trouble


FORKING = """
import os, sys
from headroom_cli.store import Entry, named
store = named(sys.argv[1])
handle = store.put([Entry(b"parent")])
child = os.fork()
if not child:
    code = 1
    try:
        code = 0 if store.fetch(*store.put([Entry(b"child")])) == b"child" else 2
    finally:
        os._exit(code)
assert os.waitpid(child, 0)[1] == 0
assert store.fetch(*handle) == b"parent"
"""


def test_a_process_may_fork_with_a_store_in_redis(steady, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FORKING, steady.url(tmp_path / "local", 4)], capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


# --- what people see


def test_no_password_is_ever_shown(steady, tmp_path, headroom):
    address = steady.url(tmp_path / "local", 0, secret="user:hunter2@")
    with pytest.raises(StoreError) as caught:
        named(address).put([Entry(b"x")])
    assert "hunter2" not in str(caught.value)
    for arguments in (("store", "where", "--json"), ("store", "verify"), ("stats", "--json"), ("doctor",),
                      ("crush", "--strict"), ("retrieve", "a" * 12)):  # fmt: skip
        done = headroom(*arguments, stdin=LOG.encode(), env={"HEADROOM_STORE": address, "HEADROOM_DEBUG": "1"})
        assert b"hunter2" not in done.stdout + done.stderr, arguments
        assert b"Traceback" not in done.stderr
    done = headroom("crush", stdin=LOG.encode(), env={"HEADROOM_STORE": address})
    assert (done.returncode, done.stdout) == (0, LOG.encode())
    assert done.stderr.count(b"\n") == 1
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]


def test_the_command_uses_a_shared_store_from_end_to_end(steady, tmp_path, headroom):
    address = steady.url(tmp_path / "local", 0, prefix="cli")
    made = headroom("crush", "--level", "balanced", stdin=LOG.encode(), env={"HEADROOM_STORE": address})
    assert len(made.stdout) < len(LOG) / 4
    handle = made.stdout.rpartition(b"<<headroom:")[2].split()[0].decode()
    elsewhere = {"HEADROOM_STORE": steady.url(tmp_path / "elsewhere", 0, prefix="cli")}
    assert headroom("retrieve", handle, env=elsewhere).stdout == LOG.encode()
    assert headroom("retrieve", "--expand", stdin=made.stdout, env=elsewhere).stdout == LOG.encode()
    assert handle.encode() in headroom("store", "list", env=elsewhere).stdout
    assert headroom("store", "verify", env=elsewhere).returncode == 0
    where = headroom("store", "where", env=elsewhere)
    assert where.stdout == f"redis://127.0.0.1:{steady.port}/0\n".encode()
    copied = headroom("store", "copy", elsewhere["HEADROOM_STORE"], str(tmp_path / "kept"), "--json")
    assert json.loads(copied.stdout)["troubles"] == []
    assert headroom("retrieve", handle, "--store", str(tmp_path / "kept")).stdout == LOG.encode()
    assert headroom("stats", env={"HEADROOM_STORE": address}).returncode == 0  # the ledger is this machine's
    assert headroom("store", "forget", handle, env=elsewhere).returncode == 0
    assert headroom("retrieve", handle, env={"HEADROOM_STORE": address}).returncode == 1


@pytest.mark.parametrize(
    "text",
    ["http://x/y", "redis://", "redis://h:99999/0", "s3:///x", "s3://b/x?colour=red", "gs://", "az://", "memory://x",
     "redis://user:pa@ss:w@h:x/0", "redis://h/0?wait=soon", "://x"],
)  # fmt: skip
def test_urls_that_cannot_be_are_refused_in_one_sentence(text, tmp_path):
    with pytest.raises((ConfigError, StoreRefusedError)) as caught:
        named(text + ("&" if "?" in text else "?") + f"local={tmp_path}").put([Entry(b"x")])
    assert "pa@ss" not in str(caught.value)
    assert not list(tmp_path.iterdir())
    with pytest.raises(StoreRefusedError):
        Store(text)


@settings(max_examples=40)
@given(user=st.text(min_size=1), password=st.text(min_size=9))
def test_what_is_shown_of_a_url_holds_no_secret(user, password):
    from urllib.parse import quote

    whole = f"redis://{quote(user, safe='')}:{quote(password, safe='')}@host.example:6379/0?local=/x&token={password}"
    assert url.shown(whole) == "redis://host.example:6379/0"
    raw = f"redis://{user}:{password}@host.example/0"
    if not set("/?#[]\\@") & set(user + password) and raw.isprintable():
        assert password not in url.shown(raw)


def test_the_ledger_of_a_shared_store_stays_here(tmp_path):
    environment = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    chosen = resolve({"store": "redis://u:secret@h:1/0"}, environment).store
    assert local(chosen).startswith(str(tmp_path / "data" / "headroom" / "shared"))
    other = resolve({"store": "redis://u:changed@h:1/0"}, environment).store
    assert local(other) == local(chosen)  # a new password is no new store
    assert local(resolve({"store": "redis://h:1/1"}, environment).store) != local(chosen)
    assert local(str(tmp_path)) == str(tmp_path)


def test_all_schemes_have_a_client(tmp_path, monkeypatch):
    pytest.importorskip("obstore")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "someone")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    for name, kind in (
        ("s3://bucket/team/one", "S3Store"),
        ("gs://bucket/one", "GCSStore"),
        ("az://box/one", "AzureStore"),
    ):
        made = named(f"{name}?local={tmp_path}")
        assert type(made.backend._client).__name__ == kind
        assert made.where() == name
    with pytest.raises(NotFoundError):
        made.resolve("not a handle")
