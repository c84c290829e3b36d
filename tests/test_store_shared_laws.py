"""A shared store that refuses, forgets, answers late or holds what nobody of ours wrote: what was sent stands."""

import json
import signal
import threading
import time

import pytest
from shared_stores import BadNetwork, RedisServer
from test_store_remote import LOG, TALK, log, sent

from headroom_cli import replay
from headroom_cli.errors import ConfigError, NotFoundError, StoreError, StoreFullError, StoreRefusedError
from headroom_cli.store import Entry, Store, named, secret, url
from headroom_cli.store.backends import objects
from headroom_cli.store.backends.objects import Objects
from headroom_cli.store.patience import AwayError
from headroom_cli.store.shared import Shared
from headroom_cli.store.url import Url

DAY = 86_400.0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = RedisServer(tmp_path_factory.mktemp("redis"))
    yield running
    running.stop(signal.SIGKILL)


@pytest.fixture(autouse=True)
def _no_memory():
    replay.forget_all()
    yield
    replay.forget_all()


def outputs(result):
    return [item["content"] for item in json.loads(result.data) if item["role"] == "tool"]


def test_the_key_lives_as_long_as_it_is_used_and_comes_back_from_what_is_at_hand(server, tmp_path):
    here = lambda: named(server.url(tmp_path / "one", prefix="key"))  # noqa: E731
    key = secret.key(here())
    with server.client() as client:
        for use in (lambda: secret.key(here()), lambda: here().ping()):
            client.expire("key:secret", 1_000)
            use()
            assert client.ttl("key:secret") > 29 * DAY
        for use in (lambda: secret.key(here()), lambda: here().ping()):
            client.delete("key:secret")
            use()
            assert secret.key(named(server.url(tmp_path / "other", prefix="key"))) == key


def test_the_key_is_shared_also_where_nothing_can_be_kept_at_hand(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    nowhere = lambda: named(server.url(tmp_path / "file", prefix="key2"))  # noqa: E731
    assert secret.key(nowhere()) == secret.key(nowhere()) == secret.key(named(server.url(tmp_path, prefix="key2")))


def test_what_is_about_to_expire_when_it_is_put_again_does_not(server, tmp_path):
    address = server.url(tmp_path, prefix="moment")
    (handle,) = named(address).put([Entry(b"x" * 99)])
    with server.client() as client:
        client.expire(f"moment:grants/{handle}", 1_000)
        named(address).put([Entry(b"x" * 99)])
        assert client.ttl(f"moment:grants/{handle}") > 29 * DAY


def test_looking_through_a_store_is_no_use_of_what_is_in_it(server, tmp_path):
    store = named(server.url(tmp_path / "local", prefix="look"))
    store.put([Entry(b"x" * 99)])
    store.remember(TALK, [("k", "1")])
    with server.client() as client:
        names = [name for folder in ("objects", "grants", "renderings") for name in client.keys(f"look:{folder}/*")]
        for name in names:
            client.expire(name, 1_000)
        other = named(server.url(tmp_path / "other", prefix="look"))
        assert len(names) == len([*other.grants(), *other.records()]) + 1 == 3
        assert other.upkeep().verify(other).clean
        other.upkeep().gc(other)
        assert all(client.ttl(name) <= 1_000 for name in names)


def test_what_was_sent_is_sent_again_while_the_server_refuses(server, tmp_path):
    address = server.url(tmp_path / "local", prefix="refuse")
    before = outputs(sent(named(address), LOG))
    assert before != [LOG]
    with server.client() as client:
        for option, wrong, right in (("requirepass", "hunter2", ""), ("replica-serve-stale-data", "no", "yes")):
            try:
                if not right:
                    client.config_set(option, wrong)
                else:
                    client.config_set(option, wrong)
                    client.replicaof("127.0.0.1", "1")
                made = sent(named(address), LOG, log(1))
                assert outputs(made) == [*before, log(1)]
                assert len(made.warnings) == 1
            finally:
                client.config_set(option, right)
                client.replicaof("NO", "ONE")


def test_a_run_whose_records_cannot_all_be_written_leaves_none(server, tmp_path, monkeypatch):
    remember, calls = Shared.remember, []

    def full(store, shard, pairs, **options):
        calls.append(shard)
        if len(calls) == 2:
            raise StoreFullError("full")
        return remember(store, shard, pairs, **options)

    store = named(server.url(tmp_path / "local", prefix="all"))
    monkeypatch.setattr(Shared, "remember", full)
    sent(store, LOG)
    conversation = [shard for shard in calls if len(shard) == 16]
    assert len(conversation) == len([*store.records()]) == 1
    assert calls[-1] == conversation[0]


def test_what_was_given_up_before_it_was_written_is_not_written_later(server, tmp_path):
    network = BadNetwork(server.port)
    store = named(f"redis://127.0.0.1:{network.port}/0?prefix=late&local={tmp_path}/one")
    store.remember(TALK, [("before", "1")])
    answered, update = threading.Event(), store.backend.update

    def noting(shard, decide):
        update(shard, decide)
        answered.set()

    store.backend.update = noting
    network.stalled = True
    store.hurry(0.25)
    with pytest.raises(AwayError):
        store.remember(TALK, [("late", "2")], settled={"late"})
    network.stalled = False
    assert answered.wait(20)
    assert named(server.url(tmp_path / "other", prefix="late")).recall(TALK) == {"before": "1"}
    network.close()


def test_records_that_nobody_of_ours_wrote_harm_nothing(server, tmp_path):
    sent(named(server.url(tmp_path / "a", 1)), LOG)
    with server.client() as client:
        client.select(1)
        (shard,) = client.keys("headroom:renderings/*")
        whole = client.hgetall(shard)
        for number, odd in enumerate((None, b"9 [1]", b'9 {"o":5,"t":[]}', b"9 7", b'9 {"k":{}}', b"\xff")):
            for key, held in whole.items():
                if odd is None or b'"o":' in held:
                    client.hset(shard, key, held[: len(held) // 2] if odd is None else odd)
            replay.forget_all()
            assert outputs(sent(named(server.url(tmp_path / f"b{number}", 1)), LOG))
        client.rpush("headroom:objects/list", "x")
        client.set("headroom:objects/text", "x")
        store = named(server.url(tmp_path / "c", 1))
        assert [name for name, _ in store.upkeep().verify(store).damaged] == ["text"]


def test_a_handle_leads_to_no_other_original_whatever_its_record_says(server, tmp_path):
    store = named(server.url(tmp_path / "a", prefix="forged"))
    mine, other = store.put([Entry(b"mine"), Entry(b"other")])
    with server.client() as client:
        forged = client.get(f"forged:grants/{other}").replace(other.encode(), mine.encode())
        client.set(f"forged:grants/{mine}", forged)
    with pytest.raises(NotFoundError):
        store.fetch(mine)
    assert store.fetch(other) == b"other"


def test_servers_that_do_not_sync_or_are_replicas_are_refused(server, tmp_path):
    store = lambda: named(server.url(tmp_path / "local", 2))  # noqa: E731
    with server.client() as client:
        try:
            client.config_set("no-appendfsync-on-rewrite", "yes")
            with pytest.raises(StoreRefusedError, match="no-appendfsync-on-rewrite"):
                store().put([Entry(b"x")])
            client.config_set("no-appendfsync-on-rewrite", "no")
            client.config_set("replica-read-only", "no")
            client.replicaof("127.0.0.1", "1")
            with pytest.raises(StoreError, match="replica"):
                store().put([Entry(b"x")])
        finally:
            client.config_set("no-appendfsync-on-rewrite", "no")
            client.config_set("replica-read-only", "yes")
            client.replicaof("NO", "ONE")


@pytest.mark.parametrize("ahead", [400 * DAY, -400 * DAY])
def test_a_machine_whose_clock_is_wrong_lets_nothing_die(server, tmp_path, ahead):
    prefix = f"clock{ahead:.0f}"
    wrong = Shared(Url(server.url(tmp_path / "a", prefix=prefix)), clock=lambda: time.time() + ahead)
    (handle,) = wrong.put([Entry(b"x" * 99)])
    wrong.remember(TALK, [("k", "1")])
    right = named(server.url(tmp_path / "b", prefix=prefix))
    assert right.recall_dated(TALK) == {"k": ("1", True)}
    with server.client() as client:
        client.expire(f"{prefix}:grants/{handle}", 1_000)
        assert right.put([Entry(b"x" * 99)]) == [handle]
        assert client.ttl(f"{prefix}:grants/{handle}") > 29 * DAY
    right.remember(TALK, [("k", "1")])
    assert right.recall_dated(TALK) == {"k": ("1", False)}


def test_an_object_that_is_too_long_is_not_loaded(tmp_path, monkeypatch):
    from obstore.store import MemoryStore

    store = Shared(Url(f"s3://bucket/x?local={tmp_path}/a"), backend=Objects(MemoryStore(), "memory"))
    (handle,) = store.put([Entry(b"x" * 99)])
    monkeypatch.setattr(objects, "_LONGEST", 10)
    assert store.backend.read([f"objects/{next(iter(store.noted))}"]) == [b""]
    monkeypatch.undo()
    assert store.fetch(handle) == b"x" * 99


def test_what_was_forgotten_elsewhere_leaves_the_records_at_hand_once(server, tmp_path):
    one, other = (named(server.url(tmp_path / name, prefix="forget")) for name in ("one", "other"))
    (handle,) = one.put([Entry(b"nonce " * 20)])
    digest = one.resolve(handle)
    one.remember(TALK, [("k", f'{{"o":"{digest}","t":"excerpt"}}'), ("stays", "1")])
    assert set(other.recall(TALK)) == {"k", "stays"}
    other.fetch(handle)
    one.upkeep().forget(one, handle)
    forgotten = {digest: other.backend.fields("forgotten")[digest].split()[0].decode()}
    other.front.tidy(forgotten)
    assert not [path for path in (tmp_path / "other").rglob("*") if path.is_file() and b"excerpt" in path.read_bytes()]
    assert not list((tmp_path / "other").rglob(f"objects/{digest}"))
    assert set(other.front.records(TALK)) == {"stays"}
    other.put([Entry(b"nonce " * 20)])  # it came by again
    other.front.tidy(forgotten)
    assert list((tmp_path / "other").rglob(f"objects/{digest}"))


@pytest.mark.parametrize(
    "text",
    ["redis://u:12/34@h/0", "redis://u:12#34@h/0", "redis://u:12?34@h/0", "redis://u:ab/34@h/0", "redis://:12/3@h"],
)
def test_a_password_that_is_no_url_is_not_shown(text, tmp_path):
    with pytest.raises(ConfigError) as caught:
        named(text)
    assert caught.value.__suppress_context__
    assert not {"12", "34", "ab"} & set(url.shown(text).replace("/", " ").replace(":", " ").split())
    assert "34" not in str(caught.value)
    with pytest.raises(ConfigError, match="decode_responses"):
        named(f"redis://h/0?decode_responses=true&local={tmp_path}")
    assert named(f"redis://h/0?ssl_cert_reqs=none&local={tmp_path}/a@b").where() == "redis://h/0"


def test_many_handles_at_hand_are_found(tmp_path):
    from headroom_cli.store.front import Front

    front = Front(Store(str(tmp_path / "front")), 1 << 20)
    given = {f"{chr(97 + number % 26)}{'b' * 11}{chr(97 + number // 26)}": f"{number:064x}" for number in range(90)}
    front.handles(given)
    assert {handle: front.resolve(handle) for handle in given} == given
    assert len(list((tmp_path / "front" / "renderings").iterdir())) > 8  # none of them long
