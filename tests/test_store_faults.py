"""The store under kills, full disks, damage, planted files, other users: it never lies and loses nothing it acked."""

import contextlib
import errno
import hashlib
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest
import store_crowd

from headroom_cli.errors import (
    CorruptError,
    HeadroomError,
    NotFoundError,
    StoreError,
    StoreFullError,
    StoreRefusedError,
)
from headroom_cli.store import Entry, Store, set_aside, upkeep

SHARED = Path(os.environ.get("HEADROOM_CORPUS", Path(__file__).parents[2] / "shared" / "corpus")).parent
CROWD = Path(__file__).with_name("store_crowd.py")
NOBODY = 65_534


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


def entries(*data):
    return [Entry(item, "log", "cat log") for item in data]


def python(script, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, **options
    )


# --- S3, S8: kills and gc


class Crowd:
    """Four writers, two readers and a gc on one store, until the end of the with block, which kills them all."""

    def __init__(self, root, acks, seed, speed=1):
        self.root, self.acks = root, acks
        command = [sys.executable, CROWD, root, acks, str(seed), str(speed)]
        self.process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE)
        self.pids = [int(pid) for pid in self.process.stdout.readline().split()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


def acked(path):
    """Return handle -> number of every acknowledged put, and the lines that say something went wrong."""
    found, bad = {}, []
    for line in path.read_text().split("\n")[:-1]:
        if line.startswith("BAD"):
            bad.append(line)
        elif not line.startswith("GC"):
            handle, number, _ = line.split(" ")
            found[handle] = int(number)
    return found, bad


def kill_rounds(tmp_path, rounds):
    root, path = tmp_path / "store", tmp_path / "acks"
    path.touch()
    rng = random.Random(rounds)
    for seed in range(rounds):
        with Crowd(root, path, seed):
            time.sleep(rng.uniform(0.002, 0.12))
        begun = time.monotonic()
        store = Store(str(root))
        (handle,) = store.put(entries(b"after %d" % seed))
        assert store.fetch(handle) == b"after %d" % seed
        assert time.monotonic() - begun < 1.0
    found, bad = acked(path)
    assert bad == []
    assert len(found) > rounds * 2
    for handle, number in found.items():
        assert store.fetch(handle) == store_crowd.content(number)
    report = upkeep.verify(store)
    assert (report.damaged, report.missing, report.torn) == ([], [], 0)
    later = Store(str(root), clock=lambda: time.time() + 25 * 3_600)
    upkeep.gc(later)
    assert list((root / "tmp").iterdir()) == []
    print(f"{rounds} kills, {len(found)} acknowledged, {report.leftovers} leftovers removed")


def test_fifty_kills_lose_nothing(tmp_path):
    kill_rounds(tmp_path, 50)


@pytest.mark.long
def test_a_thousand_kills_lose_nothing(tmp_path):
    kill_rounds(tmp_path, 1_000)


def stress(tmp_path, seconds):
    """Days pass five a second, so that originals die while their neighbours are being read, put and put again."""
    root, path, speed = tmp_path / "store", tmp_path / "acks", 5 * 86_400
    path.touch()
    with Crowd(root, path, 1, speed=speed) as crowd:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(seconds / 10)
            stopped = crowd.pids[0]
            os.kill(stopped, signal.SIGSTOP)  # wherever it is: mostly in the middle of a put
            size, until = path.stat().st_size, time.monotonic() + 4
            time.sleep(0.7)
            while path.stat().st_size == size:  # a disk may be slow, but gc does not wait for a stopped writer
                assert time.monotonic() < until, "a stopped writer stops the others"
                time.sleep(0.05)
            os.kill(stopped, signal.SIGCONT)
        # Where a put takes longer than the crowd's own gc waits for, one that waits longer comes to its turn.
        patient, removed, until = store_crowd.make_store(str(root), speed), 0, time.monotonic() + 60
        while not (removed := removed + removed_by_gc(path)) and time.monotonic() < until:
            with contextlib.suppress(StoreError):
                removed = upkeep.gc(patient, patience=4).removed
    found, bad = acked(path)
    assert bad == []
    assert removed > 0, "gc never came to remove anything"
    print(f"{seconds} s: {len(found)} acknowledged, {removed} removed by gc, 0 misses of live handles")


def removed_by_gc(path):
    return sum(int(line.split()[1]) for line in path.read_text().split("\n")[:-1] if line.startswith("GC"))


def test_gc_under_load_removes_nothing_live(tmp_path):
    stress(tmp_path, 10)


@pytest.mark.long
def test_gc_under_load_removes_nothing_live_for_ten_minutes(tmp_path):
    stress(tmp_path, 600)


# --- S2, S4, S6: what reaches the disk, and when

PUT = (
    "import sys, os; from headroom_cli.store import Entry, Store; from headroom_cli.errors import StoreError\n"
    "store = Store(sys.argv[1]); number = int(sys.argv[2]); os.write(2, b'BEGIN\\n')\n"
    "try: handles = store.put([Entry(b'%d of %d' % (n, number)) for n in range(number)])\n"
    "except StoreError as error: print('StoreError', error); sys.exit(74)\n"
    "os.write(1, ' '.join(handles).encode() + b'\\n')\n"
)


def traceable():
    if not shutil.which("strace"):
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode == 0


needs_strace = pytest.mark.skipif(not traceable(), reason="strace is missing or may not trace")


@needs_strace
@pytest.mark.parametrize("number", [1, 100])
def test_a_put_acknowledges_after_every_barrier(store, tmp_path, number):
    store.put(entries(b"the store is there already"))
    trace = tmp_path / "trace"
    calls = "trace=openat,write,rename,renameat,renameat2,fsync,close,unlinkat"
    command = ["strace", "-f", "-y", "-o", trace, "-e", calls, sys.executable, "-c", PUT, store.root, str(number)]
    handles = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert len(handles) == number
    events = []
    for line in trace.read_text(errors="replace").split("BEGIN")[-1].split("\n"):
        call = re.match(r"\d+ +(?:<\.\.\. )?(\w+)(.*)", line)
        if call and store.root in line:
            where = re.search(rf"{re.escape(store.root)}/?([a-z]*)", line)[1]
            events.append((call[1], where, call[2]))
        elif call and call[1] == "write" and handles[0] in line:
            events.append(("write", "stdout", call[2]))
    created = [
        at for at, (name, where, rest) in enumerate(events) if name == "openat" and where == "tmp" and "O_CREAT" in rest
    ]
    assert len(created) == number
    assert all(flag in events[at][2] for at in created for flag in ("O_EXCL", "O_NOFOLLOW", "O_CLOEXEC", "0600"))
    first_name = min(at for at, (name, *_) in enumerate(events) if name.startswith("rename"))
    last_name = max(at for at, (name, *_) in enumerate(events) if name.startswith("rename"))
    synced = [at for at, (name, where, _) in enumerate(events) if name == "fsync" and where == "tmp"]
    grant = next(at for at, (name, where, _) in enumerate(events) if name == "write" and where == "grants")
    barriers = {where: at for at, (name, where, _) in enumerate(events) if name == "fsync" and where != "tmp"}
    told = next(at for at, (name, where, _) in enumerate(events) if where == "stdout")
    assert len(synced) == number
    assert max(created) < min(first_name, told)
    assert max(synced) < first_name
    assert last_name < barriers["objects"] < told
    assert grant < barriers["grants"] < told
    assert sum(name == "write" and where == "grants" for name, where, _ in events) == 1


ERRNOS = [
    ("write", "ENOSPC"),
    ("write", "EDQUOT"),
    ("write", "EIO"),
    ("fsync", "EIO"),
    ("openat", "EMFILE"),
    ("openat", "EROFS"),
]
ERRNOS += [("renameat", "ENOSPC"), ("renameat", "EIO"), ("pread64", "EIO"), ("flock", "ENOLCK"), ("mkdirat", "EDQUOT")]


def inject(store, call, what, when):
    """Run a put of three whose n-th call of a kind fails; return its result once that call is inside the put."""
    # Calls on paths below the store only (-P): the interpreter's own start is left alone.
    paths = [
        option
        for name in ("", *("objects", "grants", "tmp", "lock", "gate", "version", "clock", "usage"))
        for option in ("-P", f"{store.root}/{name}".rstrip("/"))
    ]
    calls = {"renameat": "rename,renameat,renameat2"}.get(call, call)
    command = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        *paths,
        "-e",
        f"trace={calls}",
        "-e",
        f"inject={calls}:{what}:when={when}",
    ]
    return subprocess.run([*command, sys.executable, "-c", PUT, store.root, "3"], capture_output=True, text=True)


@needs_strace
@pytest.mark.parametrize(("call", "number"), ERRNOS)
def test_a_failing_call_gives_an_error_and_no_handle(store, call, number):
    (earlier,) = store.put(entries(b"earlier"))
    failures = 0
    for when in range(1, 40, 3):
        ran = inject(store, call, f"error={number}", when)
        assert ran.returncode in (0, 74), ran.stderr
        failures += ran.returncode == 74
        if ran.returncode == 74:
            assert ran.stdout.startswith("StoreError ")
            assert "; " in ran.stdout
            assert ran.stdout.count("\n") == 1
        else:
            assert [store.fetch(handle) for handle in ran.stdout.split()] == [b"%d of 3" % n for n in range(3)]
        if ran.returncode == 0:
            break
        shutil.rmtree(f"{store.root}/objects/none", ignore_errors=True)
    assert store.fetch(earlier) == b"earlier"
    assert upkeep.verify(store).damaged == []
    # The same process-independent store works as soon as the fault is gone.
    assert store.fetch(store.put(entries(b"later"))[0]) == b"later"
    assert failures or call in ("mkdirat", "pread64")


@pytest.mark.long
@needs_strace
@pytest.mark.parametrize(
    "call", ["openat", "write", "fsync", "renameat", "pread64", "utimensat", "fchmod", "close", "flock"]
)
def test_a_kill_at_every_call_leaves_a_valid_store(store, call):
    (earlier,) = store.put(entries(b"earlier"))
    for when in range(1, 200):
        ran = inject(store, call, "signal=KILL", when)
        if ran.returncode == 0:
            break
        handles = ran.stdout.split()
        assert [store.fetch(handle) for handle in handles] == [b"%d of 3" % n for n in range(len(handles))]
        assert store.fetch(earlier) == b"earlier"
        assert upkeep.verify(store).damaged == []
    else:
        pytest.fail("the put never came through")


TMPFS = """
import os, sys
from headroom_cli.store import upkeep
from headroom_cli.errors import StoreFullError
from headroom_cli.store import Entry, Store
mount = sys.argv[1]
store, kept, refused = Store(mount + "/store"), {}, 0
for number in range(600):
    data = os.urandom(16_384)
    try:
        (handle,) = store.put([Entry(data, "log", "x")])
        kept[handle] = data
    except StoreFullError as error:
        refused += 1
        assert "; " in str(error)
assert refused > 400 and len(kept) > 80, (refused, len(kept))
assert os.listdir(mount + "/store/tmp") == []
assert all(store.fetch(handle) == data for handle, data in kept.items())
try:
    store.remember("ab", [("k", "x" * 200_000)])
    raise SystemExit("a full disk took 200 kB")
except StoreFullError:
    pass
upkeep.forget(store, next(iter(kept)))
kept.pop(next(iter(kept)))
(handle,) = store.put([Entry(b"space is back", "log", "x")])
assert store.fetch(handle) == b"space is back"
assert all(store.fetch(handle) == data for handle, data in kept.items())
assert not upkeep.verify(store).damaged and not upkeep.verify(store).missing
print(len(kept), refused)
"""


def test_a_full_disk_gives_no_dead_handle_and_works_again_afterwards(tmp_path):
    (tmp_path / "disk").mkdir()
    command = 'mount -t tmpfs -o size=2m tmpfs "$1" && exec "$2" -c "$3" "$1"'
    shell = ["sh", "-c", command, "sh", tmp_path / "disk", sys.executable, TMPFS]
    for enter in (["unshare", "-rm"], ["unshare", "-m"]):
        if (
            not shutil.which("unshare")
            or subprocess.run(
                [*enter, "mount", "-t", "tmpfs", "none", tmp_path / "disk"], capture_output=True
            ).returncode
        ):
            continue
        ran = subprocess.run([*enter, *shell], capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr + ran.stdout
        return
    pytest.skip("a tmpfs cannot be mounted here (unshare is missing or not allowed)")


def test_too_many_open_files_is_an_error_and_passes(tmp_path):
    script = (
        "import os, resource, sys\n"
        "from headroom_cli.errors import StoreError\n"
        "from headroom_cli.store import Entry, Store\n"
        "store = Store(sys.argv[1]); (handle,) = store.put([Entry(b'x')])\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))\n"
        "try: store.put([Entry(b'%d' % n) for n in range(200)]); sys.exit('no error')\n"
        "except StoreError as error: assert 'ulimit -n' in str(error), error\n"
        "assert os.listdir(sys.argv[1] + '/tmp') == []\n"
        "assert store.fetch(handle) == b'x'\n"
        "(other,) = store.put([Entry(b'y')]); assert store.fetch(other) == b'y'\n"
    )
    ran = python(script, tmp_path / "store")
    assert ran.returncode == 0, ran.stderr


# --- S7: damage


def flips(tmp_path, rounds):
    root = tmp_path / "store"
    store = Store(str(root))
    rng = random.Random(rounds)
    data = {}
    for number in range(60):
        item = (b"line %d\n" % number) * rng.randrange(1, 400) if number % 2 else rng.randbytes(rng.randrange(1, 9_000))
        data[hashlib.sha256(item).hexdigest()] = item
    store.put(entries(*data.values()))
    names = list(data)
    objects = root / "objects"

    def spoil(digest, whole, kind):
        if kind < rounds:
            at = rng.randrange(len(whole))
            return whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1 :]
        if kind % 3 == 0:
            return whole[: rng.randrange(len(whole))]
        if kind % 3 == 1:
            at = rng.randrange(len(whole))
            zeroed = whole[:at] + bytes(min(4_096, len(whole) - at)) + whole[at + 4_096 :]
            return zeroed if zeroed != whole else bytes(len(whole))
        return (objects / rng.choice([name for name in names if name != digest])).read_bytes()

    harmless = 0
    for kind in range(rounds + rounds // 4):
        digest = rng.choice(names)
        whole = (objects / digest).read_bytes()
        damaged = spoil(digest, whole, kind)
        if damaged == whole:
            continue
        (objects / digest).write_bytes(damaged)
        try:
            assert store.get(digest) == data[digest]  # a bit that no decoder looks at
            harmless += 1
            (objects / digest).write_bytes(whole)
        except CorruptError:
            assert not store.has(digest)
            with pytest.raises(NotFoundError):
                store.get(digest)
            moved = [path for path in (root / "quarantine").iterdir() if path.name.startswith(digest)]
            assert damaged in [path.read_bytes() for path in moved]
            for name in rng.sample([name for name in names if name != digest], 3):
                assert store.get(name) == data[name]
            (objects / digest).write_bytes(whole)
    assert all(store.get(name) == item for name, item in data.items())
    assert harmless <= rounds // 20
    print(f"{rounds} flips and {rounds // 4} other damages: 0 wrong contents, {harmless} without effect")


def test_five_hundred_bit_flips_never_give_a_wrong_content(tmp_path):
    flips(tmp_path, 500)


@pytest.mark.long
def test_ten_thousand_bit_flips_never_give_a_wrong_content(tmp_path):
    flips(tmp_path, 10_000)


def test_flipped_grants_never_lead_to_another_original(store, tmp_path):
    data = {}
    for number in range(30):
        data[store.put(entries(b"%d" % number))[0]] = b"%d" % number
    journal = next((tmp_path / "store" / "grants").iterdir())
    whole = journal.read_bytes()
    rng = random.Random(4)
    for _ in range(300):
        at = rng.randrange(len(whole))
        journal.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1 :])
        missing = 0
        for handle, item in data.items():
            try:
                assert store.fetch(handle) == item
            except NotFoundError:
                missing += 1
        assert missing <= 2
    journal.write_bytes(whole)
    assert all(store.fetch(handle) == item for handle, item in data.items())


def test_a_reader_who_saw_damage_does_not_set_the_healed_object_aside(store, tmp_path):
    (handle,) = store.put(entries(b"healed meanwhile"))
    digest = store.resolve(handle)
    path = tmp_path / "store" / "objects" / digest
    good = path.read_bytes()
    path.write_bytes(b"damaged")
    with store.open() as place, path.open("rb") as seen:
        (tmp_path / "new").write_bytes(good)
        (tmp_path / "new").replace(path)
        set_aside(place, digest, seen.fileno())
        set_aside(place, digest, None)
        assert store.fetch(handle) == b"healed meanwhile"
        assert list((tmp_path / "store" / "quarantine").iterdir()) == []


# --- S12: a store that cannot be used


def as_nobody(function):
    """Run a function in a child that is not root (root may write everywhere); return what it returned, as text."""
    if os.geteuid() != 0:
        return function()
    reading, writing = os.pipe()
    with warnings.catch_warnings():  # 3.12 warns of threads, which a parallel test runner has
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        try:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            text = str(function())
        except BaseException as error:  # noqa: BLE001 - told to the parent
            text = f"raised {error!r}"
        os.write(writing, text.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(pid, 0)
    return text


@pytest.fixture
def open_place(tmp_path):
    """Give a directory that nobody can reach: pytest's own is closed to others."""
    place = Path(f"/tmp/headroom-test-{os.getpid()}-{tmp_path.name}")
    place.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(place, NOBODY, NOBODY)
    yield place
    for path in (place, *place.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(place)


def test_a_read_only_store_is_read_and_not_written(open_place):
    root = open_place / "store"

    def use():
        store = Store(str(root))
        (handle,) = store.put(entries(b"x"))
        for path in (root, *root.rglob("*")):
            path.chmod(0o500 if path.is_dir() else 0o400)
        assert store.fetch(handle) == b"x"
        late = Store(str(root), clock=lambda: time.time() + 7_200)
        assert late.fetch(handle) == b"x"
        assert store.recall("ab") == {}
        assert len(list(store.grants())) == 1
        assert upkeep.verify(store).clean
        for write in (
            lambda: store.put(entries(b"y")),
            lambda: store.remember("ab", [("k", "1")]),
            lambda: upkeep.gc(store),
        ):
            with pytest.raises(StoreError, match="; name another with --store"):
                write()
        return "done"

    assert as_nobody(use) == "done"


def test_a_missing_parent_is_made_and_one_that_cannot_be_is_an_error(open_place):
    def use():
        assert Store(str(open_place / "a" / "b" / "store")).put(entries(b"x"))
        assert stat.S_IMODE((open_place / "a").stat().st_mode) == 0o700
        (open_place / "a").chmod(0o500)
        with pytest.raises(StoreError, match="cannot be written"):
            Store(str(open_place / "a" / "c" / "store")).put(entries(b"x"))
        return "done"

    assert as_nobody(use) == "done"


@pytest.mark.parametrize("path", ["file", "file/below"])
def test_a_store_that_is_a_file_is_an_error(tmp_path, path):
    (tmp_path / "file").write_text("mine")
    store = Store(str(tmp_path / path))
    for use in (lambda: store.put(entries(b"x")), lambda: store.get("0" * 64), lambda: upkeep.gc(store)):
        with pytest.raises(StoreError, match="not a directory"):
            use()
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_a_path_that_is_none_is_refused(path):
    with pytest.raises(StoreRefusedError, match="; name a directory"):
        Store(path)


def test_a_store_that_others_may_write_is_refused(store, tmp_path):
    store.put(entries(b"x"))
    for folder in ("", "objects", "grants", "tmp"):
        path = tmp_path / "store" / folder
        for mode in (0o770, 0o702):
            path.chmod(mode)
            with pytest.raises(StoreRefusedError, match="chmod go-w"):
                store.put(entries(b"new for %b %o" % (folder.encode(), mode)))
        path.chmod(0o700)
    assert store.put(entries(b"y"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_store_of_another_user_is_refused(store, tmp_path):
    (handle,) = store.put(entries(b"x"))
    os.chown(tmp_path / "store", NOBODY, NOBODY)
    for use in (lambda: store.put(entries(b"y")), lambda: store.fetch(handle)):
        with pytest.raises(StoreRefusedError, match="belongs to another user"):
            use()
    os.chown(tmp_path / "store", 0, 0)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "store")
    assert Store(str(link)).fetch(handle) == b"x"  # one's own link to another disk is fine
    os.lchown(link, NOBODY, NOBODY)
    with pytest.raises(StoreRefusedError, match="belongs to another user"):
        Store(str(link)).fetch(handle)


def test_a_message_shows_no_control_characters(tmp_path):
    store = Store(str(tmp_path / "a\x1b[31m\nb"))
    with pytest.raises(NotFoundError) as caught:
        store.fetch("a" * 12)
    assert str(caught.value).isprintable()


# --- I9: planted files


def snapshot(folder):
    return {
        path: (path.lstat().st_mode, path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in folder.rglob("*")
        if not path.is_fifo()
    }


NAMES = [
    "version",
    "lock",
    "gate",
    "clock",
    "usage",
    "objects",
    "grants",
    "renderings",
    "tmp",
    "quarantine",
    "OBJECT",
    "GRANTS",
    "SHARD",
]


@pytest.mark.parametrize("kind", ["file link", "dangling link", "directory link", "hard link", "fifo", "directory"])
@pytest.mark.parametrize("name", NAMES)
def test_planted_files_lead_nowhere(tmp_path, name, kind):
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    (outside / "file").write_text("precious\n")
    (outside / "folder").mkdir(mode=0o700)
    (outside / "folder" / "precious").write_text("more\n")
    root = tmp_path / "store"
    store = Store(str(root))
    (handle,) = store.put(entries(b"first"))
    store.remember("ab", [("k", "1")])
    digest = store.resolve(handle)
    grants = next((root / "grants").iterdir()).name
    path = root / {"OBJECT": f"objects/{digest}", "GRANTS": f"grants/{grants}", "SHARD": "renderings/ab.log"}.get(
        name, name
    )
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    plant = {
        "file link": lambda: path.symlink_to(outside / "file"),
        "dangling link": lambda: path.symlink_to(outside / "new"),
        "directory link": lambda: path.symlink_to(outside / "folder"),
        "hard link": lambda: path.hardlink_to(outside / "file"),
        "fifo": lambda: os.mkfifo(path),
        "directory": lambda: path.mkdir(0o700),
    }
    plant[kind]()
    before = snapshot(outside)
    limit = threading.Timer(20, os.kill, (os.getpid(), signal.SIGINT))  # a FIFO that is waited for
    limit.start()
    said = []
    try:
        for use in (
            lambda: store.put(entries(b"first", b"second")),
            lambda: store.fetch(handle),
            lambda: store.get(digest),
            lambda: store.remember("ab", [("k", "2")]),
            lambda: store.recall("ab"),
            lambda: list(store.grants()),
            lambda: upkeep.verify(store),
            lambda: upkeep.gc(store, budget=0, patience=0.1),
            lambda: upkeep.forget(store, handle, patience=0.1),
        ):
            try:
                use()
            except HeadroomError as error:
                said.append(str(error))
    finally:
        limit.cancel()
    assert snapshot(outside) == before
    assert all("; " in sentence for sentence in said)


def test_an_object_swapped_for_a_link_while_it_is_read_is_never_followed(store, tmp_path):
    """A thousand renames race with puts and reads of the same name."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"not of the store")
    before = secret.stat()
    (handle,) = store.put(entries(b"raced"))
    path = tmp_path / "store" / "objects" / store.resolve(handle)
    stop = threading.Event()

    def plant():
        for number in range(1_000):
            link = tmp_path / f"link{number}"
            link.symlink_to(secret)
            os.replace(link, path)
            time.sleep(0)
        stop.set()

    thread = threading.Thread(target=plant)
    thread.start()
    while not stop.is_set():
        try:
            assert store.put(entries(b"raced")) == [handle]
            assert store.fetch(handle) == b"raced"
        except (NotFoundError, StoreError):
            continue
    thread.join()
    after = secret.stat()
    assert (after.st_mtime_ns, after.st_mode, after.st_nlink) == (before.st_mtime_ns, before.st_mode, before.st_nlink)
    assert secret.read_bytes() == b"not of the store"


# --- I10: names from outside

NAMES_FROM_OUTSIDE = [
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "%2e%2e%2f",
    "..\\..",
    "objects",
    "a/b",
    "a\0b",
    "\r\nX: y",
    "~",
    "-rf",
]


def traversals():
    found = list(NAMES_FROM_OUTSIDE)
    for folder in ("Directory Traversal", "File Inclusion", "CRLF Injection"):
        for path in (SHARED / "hostile" / "payloads" / folder).rglob("*.txt"):
            found += path.read_text(errors="surrogateescape").splitlines()
    return found


def test_names_from_outside_open_nothing(store):
    store.put(entries(b"x"))
    names = traversals()
    opened = []
    recording = [True]
    sys.addaudithook(lambda event, details: opened.append(details[0]) if event == "open" and recording[0] else None)
    try:
        for name in names:
            for ask in (store.fetch, store.resolve, store.get):
                with pytest.raises(NotFoundError):
                    ask(name)
            assert not store.has(name)
            assert store.missing({name}) == {name}
            with pytest.raises(ValueError, match="shard"):
                store.recall(name)
            with pytest.raises(ValueError, match="shard"):
                store.remember(name, [("k", "1")])
            with pytest.raises(NotFoundError):
                upkeep.forget(store, name)
    finally:
        recording[0] = False
    assert opened == []


def test_errno_texts_say_what_to_do(tmp_path):
    from headroom_cli.store import files

    for number in errno.errorcode:
        error = files.failure(OSError(number, "x"), "/store")
        assert re.fullmatch(r"[^;\n]+; [^;\n]+", str(error))
        assert isinstance(error, StoreFullError) == (number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
