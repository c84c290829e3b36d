"""Every kind of store behind one interface: the directory, Redis, objects in memory and over S3's protocol."""

import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shared_stores import KEYS, Bucket, RedisServer, Swift

from headroom_cli.errors import CorruptError, NotFoundError, StoreError, StoreRefusedError
from headroom_cli.store import Entry, Store, copying, frames, grants, secret, shared_upkeep, upkeep
from headroom_cli.store.backends.objects import Objects
from headroom_cli.store.shared import ConflictError, Shared
from headroom_cli.store.url import Url

SHARED = ("redis", "memory", "s3", pytest.param("swift", marks=pytest.mark.long))
KINDS = ("directory", *SHARED)
TALK = "0123456789abcdef"  # a conversation's shard
DAY = 86_400.0


class Kind:
    """Opens one store as several machines would: each opening has a directory of its own in front."""

    def __init__(self, kind, tmp_path, servers):
        self.kind = kind
        self.path = tmp_path
        self.servers = servers
        self.count = 0
        if kind == "memory":
            from obstore.store import MemoryStore

            self.memory = MemoryStore()

    def open(self, **options):
        self.count += 1
        local = self.path / f"machine{self.count}"
        if self.kind == "directory":
            return Store(str(self.path / "store"), **options)
        if self.kind == "redis":
            return Shared(Url(self.servers["redis"].url(local, prefix=self.path.name)), **options)
        url = Url(f"s3://bucket/x?local={local}")
        if self.kind == "memory":
            return Shared(url, backend=Objects(self.memory, "s3://memory"), **options)
        more = {"conditions": "no"} if self.kind == "swift" else {}
        return Shared(Url(self.servers[self.kind].url(local, self.path.name, **more)), **options)

    def damage(self, store, digest):
        """Flip a bit of an original where it is kept."""
        if self.kind == "directory":
            path = self.path / "store" / "objects" / digest
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 4
            path.write_bytes(data)
        elif self.kind == "redis":
            client, name = self.servers["redis"].client(), f"{self.path.name}:objects/{digest}"
            with client:
                data = bytearray(client.get(name))
                data[len(data) // 2] ^= 4
                client.set(name, bytes(data))
        else:
            store.backend._put(f"objects/{digest}", bytes([*store.backend._get(f"objects/{digest}")[0][:-1], 0x55]))


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    started = {}

    class Started(dict):
        def __missing__(self, name):
            started = {"redis": RedisServer, "swift": Swift}.get(name)
            self[name] = Bucket() if started is None else started(tmp_path_factory.mktemp(name))
            return self[name]

    started = Started()
    yield started
    for server in started.values():
        server.stop()


@pytest.fixture
def kind(request, tmp_path, servers, monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return Kind(request.param, tmp_path, servers)


every = pytest.mark.parametrize("kind", KINDS, indirect=True)
every_shared = pytest.mark.parametrize("kind", SHARED, indirect=True)


@every
def test_what_goes_in_comes_out_on_another_machine(kind):
    one, other = kind.open(), kind.open()
    texts = [b"", b"\0", b"\xff\xfe" * 9, "zwölf".encode(), b"a" * 65_537, bytes(range(256)) * 40]
    handles = one.put([Entry(text, "log", "make all") for text in texts])
    assert [other.fetch(handle) for handle in handles] == texts
    assert [other.fetch(handle) for handle in handles] == texts  # from what is at hand now
    assert handles == other.put([Entry(text) for text in texts])
    assert other.owners({*handles, "a" * 12, "../../etc"}) == {handle: one.resolve(handle) for handle in handles}
    given_ = {grant.handle: grant for grant in other.grants()}
    assert set(given_) == set(handles)
    assert given_[handles[4]].size == 65_537
    assert given_[handles[4]].kind == "log"
    assert given_[handles[4]].command == "make all"


@pytest.mark.parametrize("kind", ["redis", "memory"], indirect=True)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts=st.lists(st.binary(max_size=400), min_size=1, max_size=6))
def test_any_bytes_come_out_as_they_went_in(kind, texts):
    one, other = kind.pair = getattr(kind, "pair", None) or (kind.open(), kind.open())
    assert [other.fetch(handle) for handle in one.put([Entry(text) for text in texts])] == texts


@every
def test_what_is_not_there(kind):
    store = kind.open()
    store.put([Entry(b"something")])
    nowhere = "0" * 64
    assert not store.has(nowhere)
    assert store.missing({nowhere, "odd"}) == {nowhere, "odd"}
    for ask in (lambda: store.get(nowhere), lambda: store.get("../x"), lambda: store.resolve("a" * 12),
                lambda: store.resolve("A" * 12), lambda: store.fetch("objects/x")):  # fmt: skip
        with pytest.raises(NotFoundError):
            ask()
    assert store.recall(TALK) == {}
    assert store.recall("ab").get("key") is None


@every
def test_two_originals_never_share_a_handle(kind):
    store = kind.open(handle_length=1)
    texts = [b"%d" % number for number in range(70)]  # more than there are letters
    handles = store.put([Entry(text) for text in texts[:40]]) + store.put([Entry(text) for text in texts[40:]])
    assert len(set(handles)) == 70
    assert [kind.open(handle_length=1).fetch(handle) for handle in handles[::9]] == texts[::9]


@every
def test_records_are_remembered_and_the_newest_wins(kind):
    one, other = kind.open(), kind.open()
    for shard in (TALK, "ab", "c" * 32):
        one.remember(shard, [("k1", '{"a":1}'), ("k2", '"x y"')])
        assert other.recall(shard).get("k1") == '{"a":1}'
        assert other.recall_dated(shard).get("k2") == ('"x y"', False)
        other.remember(shard, [("k1", "2")])
        assert one.recall(shard).get("k1") == "2"
        assert one.recall(shard).get("k2") == '"x y"'
    with pytest.raises(ValueError, match="key"):
        one.remember(TALK, [("a b", "1")])
    with pytest.raises(ValueError, match="line"):
        one.remember(TALK, [("a", "1\n2")])
    with pytest.raises(ValueError, match="shard"):
        one.recall("../x")
    found = {}
    for shard, records in other.records():
        found.setdefault(shard, {}).update(records)
    assert found == {shard: {"k1": "2", "k2": '"x y"'} for shard in (TALK, "ab", "c" * 32)}


@every
def test_a_record_is_stale_after_a_day_and_fresh_again_when_noted(kind):
    days = {"now": time.time()}
    store = kind.open(clock=lambda: days["now"])
    if kind.kind == "directory":
        store = kind.open(clock=lambda: days["now"], uptime=lambda: ("", days["now"]))
    store.remember(TALK, [("k", "1")])
    store.remember("ab", [("k", "1")])
    days["now"] += 1.5 * DAY if kind.kind != "directory" else 0.9 * DAY
    if kind.kind == "directory":  # it believes at most a day at a time
        store.remember("ee", [("k", "1")])
        days["now"] += 0.9 * DAY
    assert store.recall_dated(TALK).get("k") == ("1", True)
    assert store.recall_dated("ab").get("k") == ("1", True)
    store.remember(TALK, [("k", "1")])
    assert store.recall_dated(TALK).get("k") == ("1", False)


@every_shared
def test_the_first_rendering_of_a_block_stands(kind):
    one, other = kind.open(), kind.open()
    one.remember(TALK, [("k", "1"), ("n", "1")], settled={"k"})
    with pytest.raises(ConflictError):
        other.remember(TALK, [("n", "2"), ("fresh", "2"), ("k", "2")], settled={"k", "fresh"})
    assert one.recall(TALK) == {"k": "1", "n": "1"}  # all or nothing
    other.remember(TALK, [("k", "1")], settled={"k"})  # the same is no conflict
    other.remember(TALK, [("k", "3")])  # on purpose
    assert one.recall(TALK)["k"] == "3"


@pytest.mark.parametrize("kind", ["swift"], indirect=True)
@pytest.mark.long
def test_a_real_object_store_without_conditional_writes_is_refused(kind):
    store = Shared(Url(kind.servers["swift"].url(kind.path / "local", "refused")))
    with pytest.raises(StoreRefusedError, match="conditions=no"):
        store.put([Entry(b"x")])
    with pytest.raises(StoreRefusedError, match="conditions=no"):
        store.ping()


@pytest.mark.parametrize("kind", ["redis", "memory", "s3"], indirect=True)
def test_many_machines_write_one_shard_and_none_is_lost(kind):
    stores = [kind.open() for _ in range(4)]
    failures, firsts = [], []

    def write(number, store):
        try:
            for turn in range(3):
                store.remember(TALK, [(f"k{number}.{turn}", "1")])
            try:
                store.remember(TALK, [("same", str(number))], settled={"same"})
                firsts.append(str(number))
            except ConflictError:
                pass
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=one) for one in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = stores[0].recall(TALK)
    assert not failures
    assert set(held) == {"same", *(f"k{number}.{turn}" for number in range(4) for turn in range(3))}
    # moto looks and writes in two steps: there two may think that they were first.
    assert held["same"] in firsts
    assert len(firsts) == 1 or kind.kind == "s3"


@every
def test_damage_is_found_never_served_and_healed_by_the_next_put(kind):
    store = kind.open()
    texts = [b"one " * 50, b"two " * 50]
    handles = store.put([Entry(text) for text in texts])
    digest = store.resolve(handles[0])
    kind.damage(store, digest)
    fresh = kind.open()
    report = fresh.upkeep().verify(fresh)
    assert not report.clean
    assert digest in {name for name, _ in report.damaged}
    with pytest.raises(CorruptError):
        fresh.get(digest)
    assert fresh.fetch(handles[1]) == texts[1]
    healer = kind.open()
    assert healer.put([Entry(texts[0])]) == handles[:1]
    assert kind.open().fetch(handles[0]) == texts[0]
    after = kind.open()
    assert not after.upkeep().verify(after).damaged


@every_shared
def test_a_damaged_copy_at_hand_is_not_served(kind, tmp_path):
    store = kind.open()
    (handle,) = store.put([Entry(b"sound " * 99)])
    digest = store.resolve(handle)
    (copy,) = tmp_path.glob(f"machine1/*/objects/{digest}")
    copy.write_bytes(frames.pack(b"other " * 99))
    assert store.get(digest) == b"sound " * 99


@every
def test_forget_removes_it_for_every_machine(kind):
    one, other = kind.open(), kind.open()
    kept, gone = one.put([Entry(b"stays " * 20), Entry(b"nonce-4711 " * 20)])
    digest = one.resolve(gone)
    for shard in (TALK, "ab"):
        one.remember(shard, [("k", f'{{"o":"{digest}"}}'), ("other", "1")])
    assert other.fetch(gone).startswith(b"nonce")
    report = one.upkeep().forget(one, gone)
    assert report.handles == [gone]
    assert report.records >= 2
    with pytest.raises(NotFoundError):
        other.fetch(gone)
    later = kind.open()
    assert later.recall(TALK) == {"other": "1"}
    assert later.recall("ab").get("k") is None
    assert later.fetch(kept).startswith(b"stays")
    with pytest.raises(NotFoundError):
        later.upkeep().forget(later, gone)
    if kind.kind != "directory":
        other._greeted = float("-inf")  # an hour later
        other.has(digest)
        until = time.monotonic() + 20
        while [path for path in kind.path.rglob(f"{digest}*") if "objects" in path.parts] and time.monotonic() < until:
            time.sleep(0.02)
        assert not [path for path in kind.path.rglob(f"{digest}*") if "objects" in path.parts]


@every
def test_gc_removes_what_was_not_used_and_nothing_else(kind, monkeypatch):
    monkeypatch.setattr(shared_upkeep, "_LEAST", 0)
    past = time.time() - 40 * DAY
    old = kind.open(clock=lambda: past) if kind.kind != "directory" else kind.open()
    live = kind.open()
    (gone,) = old.put([Entry(b"old " * 30)])
    if kind.kind == "directory":
        report = upkeep.gc(old)
        assert report.removed == 0
        assert old.fetch(gone)
        return
    time.sleep(1.1)  # servers count in seconds
    (kept,) = live.put([Entry(b"new " * 30)])
    report = shared_upkeep.gc(live, days=0.5 / DAY, patience=0)
    assert report.removed == 1
    assert report.kept == 1
    assert kind.open().fetch(kept) == b"new " * 30
    with pytest.raises(NotFoundError):
        kind.open().fetch(gone)
    assert live.put([Entry(b"old " * 30)]) == [gone]
    assert kind.open().fetch(gone) == b"old " * 30


@pytest.mark.parametrize("kind", ["memory"], indirect=True)
def test_an_object_that_is_old_is_written_again_before_it_is_relied_on(kind, monkeypatch):
    from headroom_cli.store.backends import objects

    store = kind.open()
    (handle,) = store.put([Entry(b"old " * 30)])
    name = f"objects/{store.resolve(handle)}"
    written = store.backend._get(name)[2]
    monkeypatch.setattr(objects, "_FRESH", 0.0)
    monkeypatch.setattr(time, "time", lambda: 0.0)  # this machine's clock has no say
    time.sleep(0.01)
    other = kind.open()
    assert other.put([Entry(b"old " * 30)]) == [handle]
    again = store.backend._get(name)[2]
    assert again > written
    assert kind.open().fetch(handle) == b"old " * 30
    assert store.backend._get(name)[2] > again
    store.remember(TALK, [("k", "1")])
    store.backend.write({"gc": b"1"})  # somebody cleans up: nothing old is taken into use now
    for use in (lambda: kind.open().put([Entry(b"old " * 30)]), lambda: store.remember(TALK, [("k", "2")]),
                lambda: store.backend.write({f"grants/{handle}": b"again"})):  # fmt: skip
        with pytest.raises(StoreError, match="cleaned up"):
            use()
    assert kind.open().fetch(handle) == b"old " * 30
    store.backend.remove(["gc"])
    assert kind.open().put([Entry(b"old " * 30)]) == [handle]


@pytest.mark.parametrize("kind", ["s3"], indirect=True)
def test_a_bucket_that_is_not_there_is_said_to_be_missing(kind, tmp_path):
    address = kind.servers["s3"].url(tmp_path, "x").replace("bucket", "nowhere", 1)
    with pytest.raises(StoreRefusedError, match="no bucket s3://nowhere/x"):
        Shared(Url(address)).put([Entry(b"x")])


@every_shared
def test_gc_refuses_to_touch_what_may_be_in_use(kind):
    from headroom_cli.errors import UsageError

    with pytest.raises(UsageError, match="2 days"):
        shared_upkeep.gc(kind.open(), days=1)


@every_shared
def test_a_store_is_copied_there_and_back(kind, tmp_path):
    store = kind.open()
    texts = [b"text %d " % number * 9 for number in range(70)]
    handles = store.put([Entry(text, "log", "make") for text in texts])
    store.remember(TALK, [("k", '{"t":1}')])
    store.remember("ab", [("k", "7")])
    key = secret.key(store)
    directory = Store(str(tmp_path / "copy"))
    done = copying.copy(store, directory)
    assert (done.originals, done.records, done.troubles) == (70, 2, [])
    assert [directory.fetch(handle) for handle in handles] == texts
    assert directory.recall(TALK) == {"k": '{"t":1}'}
    assert secret.key(directory) == key
    assert upkeep.verify(directory).clean
    again = copying.copy(directory, store)
    assert (again.originals, again.troubles) == (70, [])
    assert [kind.open().fetch(handles[3]), store.recall("ab").get("k")] == [texts[3], "7"]


@every
def test_all_machines_have_one_key(kind):
    keys = {secret.key(kind.open()) for _ in range(3)}
    assert len(keys) == 1
    assert len(keys.pop()) == secret.SIZE


@every
def test_a_place_says_what_it_is_without_secrets(kind):
    store = kind.open()
    store.put([Entry(b"x")])
    store.ping()
    assert store.about()
    assert "secret" not in store.where()
    assert grants.is_handle(store.put([Entry(b"x")])[0])
