"""The store gives back what it acknowledged: sizes, handles, records, upkeep, limits, clocks, bombs."""

import base64
import hashlib
import os
import random
import resource
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headroom_cli.errors import CorruptError, NotFoundError, StoreError, StoreFullError, StoreVersionError
from headroom_cli.store import Entry, Store, files, frames, grants, journal, upkeep

SHARED = Path(os.environ.get("HEADROOM_CORPUS", Path(__file__).parents[2] / "shared" / "corpus")).parent
DAY = 86_400.0
NOBODY = 65_534
YEAR = 365.25 * DAY


class World:
    """A wall clock and a machine that a test turns by hand."""

    def __init__(self):
        self.wall = 1.8e9
        self.up = 1_000.0
        self.boot = "first"

    def store(self, root, **options):
        return Store(str(root), clock=lambda: self.wall, uptime=lambda: (self.boot, self.up), **options)

    def pass_days(self, days):
        for _ in range(int(days)):  # the store looks at least once a day
            self.wall += DAY
            self.up += DAY
            yield


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


@pytest.fixture
def quick_root(tmp_path):
    """Give a directory where a barrier costs nothing, for tests of content and not of durability."""
    root = Path("/dev/shm") / f"headroom-test-{os.getpid()}-{tmp_path.name}"
    if not os.access("/dev/shm", os.W_OK):
        root = tmp_path / "quick"
    yield root
    shutil.rmtree(root, ignore_errors=True)


def entries(*data):
    return [Entry(item, "log", "cat log") for item in data]


# --- S1: what goes in comes out


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, (1 << 20) + 1])
def test_sizes_around_the_borders_come_back(store, size):
    for data in (bytes(size), random.Random(size).randbytes(size)):
        (handle,) = store.put(entries(data))
        assert store.fetch(handle) == data
        assert store.get(hashlib.sha256(data).hexdigest()) == data


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batch=st.lists(st.binary(max_size=2_000) | st.text().map(lambda t: t.encode("utf-8", "surrogatepass")), max_size=40)
)
def test_any_bytes_come_back(quick_root, batch):
    store = Store(str(quick_root))
    handles = store.put(entries(*batch))
    assert [store.fetch(handle) for handle in handles] == batch
    assert all(set(handle) <= set("abcdefghijklmnopqrstuvwxyz234567") and len(handle) == 12 for handle in handles)


@pytest.mark.long
@settings(max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=100_000))
def test_any_bytes_come_back_20000_times(quick_root, data):
    store = Store(str(quick_root))
    assert store.fetch(store.put(entries(data))[0]) == data


def test_every_hostile_file_comes_back(quick_root):
    files = [path for path in (SHARED / "hostile").rglob("*") if path.is_file()]
    if not files:
        pytest.skip("no hostile corpus beside the project")
    store = Store(str(quick_root))
    contents = [path.read_bytes() for path in files]
    for handle, data in zip(store.put(entries(*contents)), contents, strict=True):
        assert store.fetch(handle) == data


@pytest.mark.long
def test_a_gibibyte_comes_back(quick_root):
    store = Store(str(quick_root))
    data = bytes(1 << 30)
    assert store.fetch(store.put(entries(data))[0]) == data
    with pytest.raises(StoreError, match="over the store's limit"):
        store.put(entries(data + b"x"))


def test_zstd_and_sha256sum_check_an_object_without_us(store, tmp_path):
    if not shutil.which("zstd") or not shutil.which("sha256sum"):
        pytest.skip("zstd or sha256sum is not installed")
    store.put(entries(b"hello\n" * 1_000, b"", bytes(2 << 20)))
    for path in (tmp_path / "store" / "objects").iterdir():
        told = subprocess.run(f"zstd -dc '{path}' | sha256sum", shell=True, capture_output=True, check=True).stdout
        assert told.split()[0].decode() == path.name
        listed = subprocess.run(["zstd", "-lv", path], stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
        assert "XXH64" in listed


# --- handles


def test_a_handle_is_the_head_of_the_hash_in_base32(store):
    (handle,) = store.put(entries(b"hello"))
    assert base64.b32encode(hashlib.sha256(b"hello").digest()).decode().lower().startswith(handle)
    assert store.resolve(handle) == hashlib.sha256(b"hello").hexdigest()
    for number in range(100):
        digest = hashlib.sha256(b"%d" % number)
        assert grants.head(digest.hexdigest()) == base64.b32encode(digest.digest()).decode().lower().rstrip("=")


@pytest.mark.parametrize("together", [True, False])
def test_a_handle_grows_when_another_original_owns_it(tmp_path, together):
    store = Store(str(tmp_path / "store"), handle_length=1)
    data = [b"%d" % number for number in range(100)]
    handles = store.put(entries(*data)) if together else [store.put(entries(item))[0] for item in data]
    assert len(set(handles)) == 100
    assert {len(handle) for handle in handles} >= {1, 5}
    assert [store.fetch(handle) for handle in handles] == data
    assert store.put(entries(*data)) == handles  # and stays the same for ever


def test_two_who_note_the_same_handle_at_once_end_with_two(tmp_path):
    """The other's record is appended between our look and ours: the store is asked for its journals twice."""

    class Late(Store):
        __slots__ = ("looks",)

        def segments(self, place, seen=None):
            self.looks = getattr(self, "looks", 0) + 1
            found = super().segments(place, seen)
            if self.looks == 1:  # after our look another process notes its own original under our handle
                other = Store(self.root, handle_length=1)
                assert other.put(entries(first)) == ["a"]
            return found

    by_head = {}
    for number in range(10_000):
        data = b"%d" % number
        by_head.setdefault(grants.head(hashlib.sha256(data).hexdigest())[0], []).append(data)
    first, second = by_head["a"][:2]
    late = Late(str(tmp_path / "store"), handle_length=1)
    (handle,) = late.put(entries(second))
    assert len(handle) == 5
    plain = Store(late.root, handle_length=1)
    assert plain.fetch("a") == first
    assert plain.fetch(handle) == second


def test_equal_bytes_are_one_object_and_one_grant(store, tmp_path):
    assert len(set(store.put(entries(b"same", b"same")) + store.put(entries(b"same")))) == 1
    assert len(list((tmp_path / "store" / "objects").iterdir())) == 1
    assert len(list(store.grants())) == 1
    assert len((tmp_path / "store" / "usage").read_bytes().split()) == 2


def test_a_grant_is_not_noted_again_within_a_day(tmp_path):
    world = World()
    store = world.store(tmp_path / "store")
    store.put(entries(b"x"))
    journal = next((tmp_path / "store" / "grants").iterdir())
    size = journal.stat().st_size
    for _ in range(20):
        world.up += DAY / 21
        store.put(entries(b"x"))
    assert journal.stat().st_size == size
    world.up += DAY
    store.put(entries(b"x"))
    assert journal.stat().st_size == pytest.approx(2 * size, abs=2)


def test_grants_tell_what_was_kept(store):
    before = time.time()
    store.put([Entry(b"abc", "test-log", "pytest -k 'a b' \n\x1b[31m é \ud800"), Entry(b"", "", "")])
    first, second = store.grants()
    assert (first.kind, first.command, first.size) == ("test-log", "pytest -k 'a b' \n\x1b[31m é \ud800", 3)
    assert before - 1 <= first.when <= time.time() + 1
    assert (second.kind, second.command, second.size) == ("", "", 0)


@pytest.mark.parametrize(
    "handle", ["", "a", "k3f5a2m7qx4", "K3F5A2M7QX4C", "k3f5a2m7qx41", "k3f5a2m7qx4c\n", "a" * 53, "é" * 12]
)
def test_what_is_no_handle_is_not_found(store, handle):
    store.put(entries(b"x"))
    with pytest.raises(NotFoundError, match="not a handle"):
        store.fetch(handle)


def test_a_handle_is_never_found_by_a_longer_or_shorter_name(store):
    (handle,) = store.put(entries(b"x"))
    full = grants.head(hashlib.sha256(b"x").hexdigest())
    for other in (full[:13], full):
        assert other.startswith(handle)
        with pytest.raises(NotFoundError):
            store.resolve(other)


def test_asking_makes_nothing(tmp_path):
    store = Store(str(tmp_path / "store"))
    assert not store.has("0" * 64)
    assert store.recall("ab") == {}
    assert list(store.grants()) == []
    for ask in (lambda: store.get("0" * 64), lambda: store.fetch("a" * 12), lambda: upkeep.verify(store)):
        with pytest.raises(NotFoundError):
            ask()
    assert store.where() == str(tmp_path / "store")
    assert list(tmp_path.iterdir()) == []


# --- records


def test_renderings_come_back_and_the_newest_wins(store):
    store.remember("ab", [("one", '{"a":1}'), ("two", "2")])
    store.remember("ab", [("one", "3")])
    store.remember("abcd", [("one", "other shard")])
    assert store.recall("ab") == {"one": "3", "two": "2"}
    assert store.recall("cd") == {}
    for bad in ("", "a", "AB", "../ab", "ab/cd", "a" * 65):
        with pytest.raises(ValueError, match="shard"):
            store.recall(bad)
    for pair in (("a b", "1"), ("", "1"), ("é", "1"), ("a", "1\n2"), ("a", "é")):
        with pytest.raises(ValueError, match=r"a key|a value"):
            store.remember("ab", [pair])


def test_remembering_the_same_again_writes_nothing(store, tmp_path):
    store.remember("ab", [("one", "1")])
    size = (tmp_path / "store" / "renderings" / "ab.log").stat().st_size
    store.remember("ab", [("one", "1")])
    assert (tmp_path / "store" / "renderings" / "ab.log").stat().st_size == size


def test_a_damaged_line_damages_itself_only(store, tmp_path):
    path = tmp_path / "store" / "renderings" / "ab.log"
    pairs = [(f"key{number}", str(number)) for number in range(50)]
    for pair in pairs:
        store.remember("ab", [pair])
    whole = path.read_bytes()
    rng = random.Random(7)
    for _ in range(200):
        at, bit = rng.randrange(len(whole)), 1 << rng.randrange(8)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
        left = store.recall("ab")
        assert left.items() <= dict(pairs).items()
        assert len(left) >= 48  # a flipped line feed joins two lines


def test_an_append_after_a_torn_tail_is_a_line_of_its_own(store, tmp_path):
    path = tmp_path / "store" / "renderings" / "ab.log"
    store.remember("ab", [("one", "1"), ("two", "2")])
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        store.remember("ab", [("three", "3")])
        assert store.recall("ab")["three"] == "3"


def test_a_journal_line_with_a_wrong_sum_is_no_payload():
    line = journal.line(b"payload")
    assert journal.payload_of(line[:-1]) == b"payload"
    assert list(journal.payloads(b"\n\n" + line + line[3:] + line[:-3])) == [b"payload"]
    assert journal.damaged(b"\n" + line + line[3:]) == 1


def test_a_compacted_grant_is_written_as_it_was():
    for command in ("", "a b", "\\", "\\n", "\n", "é\ud800", "x" * 5_000, " lead", "trail "):
        grant = grants.Grant("a" * 12, "0" * 64, used=1.0, when=2.0, size=3, kind="test-log", command=command)
        parsed = grants.parse(grant.payload())
        assert parsed.payload() == grant.payload()
        assert parsed.command == command[:4_096]


# --- S9: limits


def test_ten_thousand_originals_come_back(quick_root):
    store = Store(str(quick_root))
    data = [b"original %d " % number + bytes(number % 700) for number in range(10_000)]
    handles = [handle for at in range(0, 10_000, 500) for handle in store.put(entries(*data[at : at + 500]))]
    assert len(set(handles)) == 10_000
    wanted = {grant.handle: grant.digest for grant in store.grants()}
    assert all(store.get(wanted[handle]) == item for handle, item in zip(handles, data, strict=True))
    assert all(store.fetch(handles[number]) == data[number] for number in range(0, 10_000, 501))
    assert upkeep.verify(store, 2).clean


def test_a_put_over_the_budget_is_refused_and_evicts_nothing(tmp_path):
    store = Store(str(tmp_path / "store"), budget=100_000)
    rng = random.Random(1)
    kept = {}
    for _ in range(11):
        data = rng.randbytes(9_000)
        kept[store.put(entries(data))[0]] = data
    with pytest.raises(StoreFullError, match="headroom store gc"):
        store.put(entries(b"small", rng.randbytes(9_000)))
    assert upkeep.gc(store, budget=1).removed == 0  # live grants stay whatever the budget
    assert all(store.fetch(handle) == data for handle, data in kept.items())
    assert list((tmp_path / "store" / "tmp").iterdir()) == []
    (handle,) = store.put(entries(next(iter(kept.values()))))  # what is there already costs nothing
    assert handle in kept


def test_the_running_estimate_is_right_and_survives_being_lost(tmp_path):
    store = Store(str(tmp_path / "store"))
    usage = tmp_path / "store" / "usage"
    rng = random.Random(2)
    for loss in (
        lambda: None,
        usage.unlink,
        lambda: usage.write_bytes(b"12\n\0\0\0"),
        lambda: usage.write_bytes(b"1 " * 20_000),
    ):
        store.put(entries(rng.randbytes(5_000), rng.randbytes(100)))
        loss()
    store.put(entries(b"last"))
    store.put(entries(b"really last"))
    true = sum(path.stat().st_size for path in (tmp_path / "store" / "objects").iterdir())
    assert len(usage.read_bytes()) < 1_000
    upkeep.gc(store)
    assert sum(map(int, usage.read_bytes().split())) == true


# --- S8, S10: gc and clocks


def test_gc_removes_what_nobody_used_for_thirty_days(tmp_path):
    world = World()
    store = world.store(tmp_path / "store")
    used, again, unused = store.put(entries(b"used", b"put again", b"unused"))
    store.remember("ab", [("kept", "1"), ("gone", "2")])
    for day, _ in enumerate(world.pass_days(60)):
        if day % 20 == 0:
            store.fetch(used)
            assert store.put(entries(b"put again")) == [again]
            store.remember("ab", [("kept", "1")])
        report = upkeep.gc(store)
        assert report.removed == (day == 30)
    assert store.fetch(used) == b"used"
    assert store.fetch(again) == b"put again"
    with pytest.raises(NotFoundError):
        store.fetch(unused)
    assert store.recall("ab") == {"kept": "1"}
    assert [grant.handle for grant in store.grants()] == [used, again]
    assert upkeep.verify(store).clean


@pytest.mark.parametrize("boot", ["first", ""], ids=["uptime", "no uptime"])
def test_leaping_clocks_remove_nothing(tmp_path, boot):
    world = World()
    world.boot = boot
    store = world.store(tmp_path / "store")
    true_wall = world.wall
    rng = random.Random(10)
    kept = {}
    for number in range(100):
        world.wall = true_wall + rng.choice((-10, -1, 0, 1, 10)) * YEAR + rng.random()
        world.up += 60
        data = b"%d" % number
        kept[store.put(entries(data))[0]] = data
        store.fetch(rng.choice(list(kept)))
        world.wall = true_wall + rng.choice((-10, 10)) * YEAR
        report = upkeep.gc(store)
        assert (report.removed, report.records) == (0, 0)
    assert all(store.fetch(handle) == data for handle, data in kept.items())


def test_a_reboot_with_a_wrong_clock_ages_by_a_day_at_most(tmp_path):
    world = World()
    store = world.store(tmp_path / "store")
    (handle,) = store.put(entries(b"x"))
    for number in range(29):
        world.boot, world.up = f"boot {number}", 5.0
        world.wall += 10 * YEAR * (-1) ** number
        assert upkeep.gc(store).removed == 0
    assert store.fetch(handle) == b"x"


@pytest.mark.parametrize("damage", [b"", b"\0" * 80, None])
def test_a_lost_clock_starts_again_at_the_newest_object(tmp_path, damage):
    world = World()
    store = world.store(tmp_path / "store")
    (handle,) = store.put(entries(b"x"))
    clock = tmp_path / "store" / "clock"
    clock.unlink() if damage is None else clock.write_bytes(damage)
    world.wall += 10 * YEAR
    assert upkeep.gc(store).removed == 0
    assert store.fetch(handle) == b"x"


def test_insane_clocks_are_survived(tmp_path):
    for wall in (float("nan"), float("inf"), float("-inf"), -1e18, 1e300):
        store = Store(str(tmp_path / "store"), clock=lambda wall=wall: wall, uptime=lambda: ("", 0.0))
        (handle,) = store.put(entries(b"%r" % wall if isinstance(wall, bytes) else repr(wall).encode()))
        assert store.fetch(handle) == repr(wall).encode()
        assert upkeep.gc(store).removed == 0


def test_faketime_removes_nothing(tmp_path):
    if not shutil.which("faketime"):
        pytest.skip("faketime is not installed")
    script = (
        "import sys; from headroom_cli.store import *; from headroom_cli.store import upkeep\n"
        "s = Store(sys.argv[1]); s.put([Entry(sys.argv[2].encode())]); sys.exit(upkeep.gc(s).removed)"
    )
    for number, leap in enumerate(("+10 years", "-10 years", "+10 years", "+0 days", "-10 years", "+10 years")):
        ran = subprocess.run(
            [
                "faketime",
                "-f",
                leap.replace(" years", "y").replace(" days", "d"),
                sys.executable,
                "-c",
                script,
                tmp_path / "store",
                str(number),
            ]
        )
        assert ran.returncode == 0
    assert len(list(Store(str(tmp_path / "store")).grants())) == 6
    assert upkeep.verify(Store(str(tmp_path / "store"))).clean


def test_gc_over_budget_takes_only_what_no_grant_names(tmp_path):
    world = World()
    store = world.store(tmp_path / "store")
    (handle,) = store.put(entries(b"granted"))
    left = tmp_path / "store" / "objects" / hashlib.sha256(b"left by a killed writer").hexdigest()
    left.write_bytes(frames.pack(b"left by a killed writer"))
    os.utime(left, (world.wall, world.wall))
    for _ in world.pass_days(2):
        pass
    assert upkeep.gc(store).removed == 0
    assert upkeep.gc(store, budget=0).removed == 1
    assert store.fetch(handle) == b"granted"


def test_gc_clears_tmp_after_a_day(store, tmp_path):
    store.put(entries(b"x"))
    (tmp_path / "store" / "tmp" / "1-left").write_bytes(b"half")
    assert upkeep.gc(store).leftovers == 0
    later = Store(store.root, clock=lambda: time.time() + 2 * DAY)
    assert upkeep.gc(later).leftovers == 1


def test_gc_drops_damaged_lines_and_keeps_every_handle(tmp_path):
    store = Store(str(tmp_path / "store"))
    handles = store.put(entries(*(b"%d" % number for number in range(50))))
    journal = next((tmp_path / "store" / "grants").iterdir())
    journal.write_bytes(journal.read_bytes() + b"torn li")
    assert not upkeep.verify(store).clean
    upkeep.gc(store)
    assert upkeep.verify(store).clean
    assert [store.fetch(handle) for handle in handles] == [b"%d" % number for number in range(50)]


# --- S13: verify; forget


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_verify_finds_what_its_depth_can_see(store, tmp_path, depth):
    store.put(entries(*(b"%d" % number * 50 for number in range(20))))
    assert upkeep.verify(store, depth).clean
    objects = tmp_path / "store" / "objects"
    paths = sorted(objects.iterdir())

    def spoil(path, data):
        whole = path.read_bytes()
        path.write_bytes(data(whole))
        report = upkeep.verify(store, depth)
        path.write_bytes(whole)
        assert upkeep.verify(store, depth).clean
        return not report.clean

    assert spoil(paths[0], lambda whole: whole[:-1] + bytes([whole[-1] ^ 1])) == (depth == 3)
    assert spoil(paths[0], lambda _: paths[1].read_bytes()) == (depth == 3)
    assert spoil(paths[0], lambda _: b"") == (depth >= 2)
    assert spoil(paths[0], lambda _: frames.pack(b"another length")) == (depth >= 2)
    data = paths[0].read_bytes()
    paths[0].unlink()
    assert [handle for handle, _ in upkeep.verify(store, depth).missing]
    paths[0].write_bytes(data)
    (objects / "stray").write_bytes(b"")
    assert not upkeep.verify(store, depth).clean


def test_verify_stays_unclean_until_the_original_is_back(store, tmp_path):
    (handle,) = store.put(entries(b"precious"))
    path = next((tmp_path / "store" / "objects").iterdir())
    path.write_bytes(b"rubbish")
    with pytest.raises(CorruptError):
        store.fetch(handle)
    for depth in (1, 2, 3):
        report = upkeep.verify(store, depth)
        assert report.missing == [(handle, "its original is not there")]
        assert report.quarantined == 1
    assert store.put(entries(b"precious")) == [handle]
    assert upkeep.verify(store).clean


def test_a_put_heals_a_damaged_object(store, tmp_path):
    (handle,) = store.put(entries(b"precious"))
    path = next((tmp_path / "store" / "objects").iterdir())
    path.write_bytes(frames.pack(b"precioux"))
    assert store.put(entries(b"precious")) == [handle]
    assert store.fetch(handle) == b"precious"
    assert len(list((tmp_path / "store" / "quarantine").iterdir())) == 1


def test_forget_leaves_no_trace(store, tmp_path):
    secret = b"the secret words 1234567890"
    handle, other = store.put([Entry(secret, "log", "cat secret-file"), Entry(b"other", "log", "cat other")])
    digest = hashlib.sha256(secret).hexdigest()
    store.remember("ab", [("r1", f'{{"handle":"{handle}"}}'), ("r2", f'"{digest}"'), ("r3", '"other"')])
    shutil.copy(tmp_path / "store" / "objects" / digest, tmp_path / "store" / "tmp" / "1-left")
    shutil.copy(tmp_path / "store" / "objects" / digest, tmp_path / "store" / "quarantine" / f"{digest}.00")
    report = upkeep.forget(store, handle)
    assert (report.handles, report.files, report.records) == ([handle], 3, 3)
    for path in (tmp_path / "store").rglob("*"):
        assert digest not in path.name
        if path.is_file():
            data = path.read_bytes()
            assert not any(word in data for word in (secret, digest.encode(), handle.encode(), b"secret-file"))
    with pytest.raises(NotFoundError):
        store.fetch(handle)
    with pytest.raises(NotFoundError):
        upkeep.forget(store, handle)
    assert store.fetch(other) == b"other"
    assert store.recall("ab") == {"r3": '"other"'}
    assert upkeep.verify(store).clean


# --- S14: versions


def test_a_newer_store_is_left_alone(store, tmp_path):
    store.put(entries(b"x"))
    (tmp_path / "store" / "version").write_bytes(b"headroom store 2\n")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*")}
    digest = hashlib.sha256(b"x").hexdigest()
    for use in (
        lambda: store.put(entries(b"y")),
        lambda: store.get(digest),
        lambda: store.has(digest),
        lambda: upkeep.gc(store),
    ):
        with pytest.raises(StoreVersionError, match="version 2"):
            use()
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*")} == before
    (tmp_path / "store" / "version").write_bytes(b"\0\xff")
    with pytest.raises(StoreVersionError, match="remove that file"):
        store.put(entries(b"y"))
    (tmp_path / "store" / "version").unlink()
    assert store.get(digest) == b"x"


def test_a_directory_with_other_files_is_not_taken_over(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(StoreError, match=r"holds other files \(thesis.tex\)"):
        Store(str(tmp_path)).put(entries(b"x"))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_modes_are_private_whatever_the_umask(tmp_path):
    for umask in (0, 0o777, 0o022):
        root = tmp_path / f"{umask:o}" / "deep" / "store"
        old = os.umask(umask)
        try:
            (tmp_path / f"{umask:o}").mkdir(0o700)
            (tmp_path / f"{umask:o}").chmod(0o700)
            store = Store(str(root))
            store.put(entries(b"x"))
            store.remember("ab", [("k", "1")])
            upkeep.gc(store)
        finally:
            os.umask(old)
        for path in [root, root.parent, *root.rglob("*")]:
            assert stat.S_IMODE(path.lstat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_umask_that_takes_our_own_bits_away_keeps_no_user_from_a_store(tmp_path):
    place = tmp_path / "place"
    place.mkdir(0o700)
    os.chown(place, NOBODY if os.geteuid() == 0 else -1, -1)
    if (child := os.fork()) == 0:  # root opens every folder: the test is one for a user
        try:
            os.chdir(place)
            if os.geteuid() == 0:
                os.setuid(NOBODY)
            os.umask(0o777)
            for name in ("above", "above/store"):
                os.close(files.open_directory(name, None, name, create=True))
        finally:
            os._exit(0 if sys.exc_info()[0] is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert stat.S_IMODE((place / "above" / "store").stat().st_mode) == 0o700


# --- S15: bombs


def frame(size, blocks, *, window=0x58, checksum=True, single=False):
    """Return a zstd frame by hand: a stated size and RLE blocks of (byte count) each, no valid checksum."""
    descriptor = 0xC0 | (4 if checksum else 0) | (0x20 if single else 0)
    head = b"\x28\xb5\x2f\xfd" + bytes([descriptor]) + (b"" if single else bytes([window])) + size.to_bytes(8, "little")
    body = b"".join(
        ((count << 3) | 2 | (at == len(blocks) - 1)).to_bytes(3, "little") + b"\0" for at, count in enumerate(blocks)
    )
    return head + body + (bytes(4) if checksum else b"")


BOMBS = {
    "10 GiB stated": frame(10 << 30, [131_072] * 2_500),
    "stated 1 KB, decodes to 330 MB": frame(1_000, [131_072] * 250),
    "window of 2 GiB": frame(1_000, [1_000], window=0xA8),
    "one segment of 900 MB": frame(900 << 20, [131_072] * 2_500, single=True),
    "no checksum": frame(1_000, [1_000], checksum=False),
    "size not stated": b"\x28\xb5\x2f\xfd\x04\x58" + frame(0, [131_072] * 2_500)[14:],
    "skippable frame": b"\x50\x2a\x4d\x18" + (100).to_bytes(4, "little") + bytes(100),
    "another format": b"\x1f\x8b" + bytes(100),
    "nothing": b"",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_little_memory(store, tmp_path, name):
    digest = store.resolve(store.put(entries(b"x"))[0])
    path = tmp_path / "store" / "objects" / digest
    path.write_bytes(BOMBS[name])
    assert [damaged for damaged, _ in upkeep.verify(store).damaged] == [digest]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CorruptError):
        store.get(digest)
    assert (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    ) < 32_768  # KiB; the high-water mark of all tests
    assert not path.exists()


def test_a_bomb_is_refused_in_little_memory_from_the_start(store, tmp_path):
    digest = store.resolve(store.put(entries(b"x"))[0])
    script = (
        "import sys, resource; from headroom_cli.store import Store; from headroom_cli.errors import CorruptError\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "try: Store(sys.argv[1]).get(sys.argv[2])\n"
        "except CorruptError: sys.exit(peak() - before > 32768)\n"
        "sys.exit(2)"
    )
    for bomb in BOMBS.values():
        (tmp_path / "store" / "objects" / digest).write_bytes(bomb)
        assert subprocess.run([sys.executable, "-c", script, store.root, digest]).returncode == 0


def test_frames_that_zstd_calls_wrong_are_refused():
    files = list((SHARED / "hostile" / "zstd" / "tests" / "golden-decompression-errors").glob("*.zst"))
    if not files:
        pytest.skip("no zstd test files beside the project")
    assert len(files) == 3
    for path in files:
        with pytest.raises(frames.FrameError):
            frames.unpack(path.read_bytes())


def test_hashing_a_piece_at_a_time_agrees_with_hashing_at_once(tmp_path):
    for data in (b"", b"x", bytes(20 << 20), random.Random(3).randbytes(17 << 20)):
        path = tmp_path / "frame"
        path.write_bytes(frames.pack(data))
        for extra in (b"", b"x"):
            with path.open("ab") as file:
                file.write(extra)
            with path.open("rb") as file:
                if not extra:
                    assert frames.hash_content(file.fileno(), path.stat().st_size) == hashlib.sha256(data).hexdigest()
                    continue
                with pytest.raises(frames.FrameError):
                    frames.hash_content(file.fileno(), path.stat().st_size)


# --- start-up


def test_the_store_imports_nothing_heavy():
    script = (
        "import sys; before = set(sys.modules); import headroom_cli.store, headroom_cli.store.put; "
        "print(*set(sys.modules) - before)"
    )
    loaded = set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )
    heavy = "typing pathlib tempfile threading uuid logging dataclasses platform zstandard re json base64 hashlib"
    assert not loaded & {*heavy.split(), "headroom_cli.store.upkeep"}


def test_the_extension_loaded_directly_is_the_package_itself():
    script = (
        "from headroom_cli.store import frames; import zstandard; "
        "assert zstandard.ZstdCompressor is frames._zstd.ZstdCompressor"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_without_the_extension_the_package_is_imported(tmp_path):
    (tmp_path / "zstandard").mkdir()
    (tmp_path / "zstandard" / "__init__.py").write_text("MARK = 1\n")
    script = (
        "import sys; sys.path[:] = [folder for folder in sys.path if 'site-packages' not in folder]; "
        "from headroom_cli.store import frames; assert frames._zstd.MARK"
    )
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(__file__).parents[1]}"}
    subprocess.run([sys.executable, "-c", script], check=True, env=env)
