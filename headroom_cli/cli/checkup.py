"""What ``headroom doctor`` looks at in this installation: settings, store, counting, a compression and back."""

from __future__ import annotations

import os
import stat

from headroom_cli import origins
from headroom_cli.cli.config import unknown, without_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from headroom_cli.origins import Origins
    from headroom_cli.settings import Settings

OK, NOTE, DO = "ok", "-", "do"
FAR_SECONDS = 5.0
ROOM = 200 << 20  # bytes free below which a store is soon full
NEWEST = 50  # originals that are read, the newest first,
MOST_READ = 64 << 20  # and bytes of them


class Finding:
    """One line of the report: what was looked at, OK or NOTE or DO, what is so, and for DO what to do about it."""

    __slots__ = ("advice", "check", "said", "state")

    def __init__(self, check: str, state: str, said: str, advice: str = "") -> None:
        """``said`` and ``advice`` hold no secret."""
        self.check = check
        self.state = state
        self.said = said
        self.advice = advice


def of_error(check: str, error: Exception) -> Finding:
    """Return what an error of ours says, whose sentence is what, a semicolon, and what to do."""
    said, _, advice = without_user(str(error)).partition("; ")
    return Finding(check, DO, said, advice or "see the manual")


def program() -> Iterator[Finding]:
    """Say which program this is."""
    import platform

    version = __import__("headroom_cli").__version__  # the package stands above its layers, its version does not
    yield Finding(
        "headroom", OK, f"{version}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    )


def configuration(found: Origins) -> Iterator[Finding]:
    """Look at config.toml and the variables."""
    for trouble in found.wrong:
        said, _, advice = without_user(trouble).partition("; ")
        yield Finding("settings", DO, said, advice or "correct it")
    for sentence in unknown(found):
        said, _, advice = without_user(sentence).partition("; ")
        yield Finding("settings", DO, said, advice)
    if not found.wrong and not found.unknown_keys:
        there = "" if os.path.exists(found.file) else ", which is not there"
        set_ = sum(origin.came != origins.DEFAULT for origin in found.rows)
        yield Finding("settings", OK, f"{set_} set; {found.file}{there}")


# --- the store


def store(settings: Settings) -> Iterator[Finding]:
    """Look at the store's directory, its modes, its room, and the newest originals."""
    root = settings.store
    if not root:
        yield Finding("store", DO, "there is no place for it", "name a directory with --store or HEADROOM_STORE")
        return
    if "://" in root:
        yield from _far_store(settings)
        return
    root = os.path.abspath(root)
    try:
        status = os.stat(root)
    except FileNotFoundError:
        yield from _no_store(root)
        return
    except (OSError, ValueError) as error:
        yield Finding("store", DO, f"{root}: {_reason(error)}", "make it yours, or name another with --store")
        return
    yield from _modes(root, status)
    if stat.S_ISDIR(status.st_mode) and os.access(root, os.R_OK | os.X_OK):
        yield from _room(root)
        yield from _contents(settings)


def _far_store(settings: Settings) -> Iterator[Finding]:
    """Ask a store that is no directory of this machine whether it is there; its errors say what to do."""
    from headroom_cli.cli import filters

    held = filters.open_store(settings)
    held.hurry(FAR_SECONDS)
    held.ping()
    yield Finding("store", OK, f"{held.where()} answers: {held.about()}")


def _no_store(root: str) -> Iterator[Finding]:
    """Say whether a store could be made: by a folder that is gone at once."""
    import tempfile

    parent = os.path.dirname(root)
    while not os.path.exists(parent) and parent != os.path.dirname(parent):
        parent = os.path.dirname(parent)
    try:
        os.rmdir(tempfile.mkdtemp(prefix=".headroom-", dir=parent))
    except OSError as error:
        said = f"{root} is not there and cannot be made in {parent}: {_reason(error)}"
        yield Finding("store", DO, said, "name a directory with --store")
        return
    yield Finding("store", OK, f"{root} is made at the first use")
    yield from _room(parent)


def _modes(root: str, status: os.stat_result) -> Iterator[Finding]:
    """Look at owners and modes: originals are nobody else's to read."""
    if not stat.S_ISDIR(status.st_mode):
        yield Finding("store", DO, f"{root} is not a directory", "name one with --store")
        return
    if status.st_uid != os.geteuid():
        yield Finding("store", DO, f"{root} belongs to user {status.st_uid}", "name one of your own with --store")
    open_ = [] if not status.st_mode & 0o077 else [root]
    try:
        with os.scandir(root) as entries:
            open_ += [entry.path for entry in entries if entry.stat(follow_symlinks=False).st_mode & 0o077]
    except OSError as error:
        yield Finding("store", DO, f"{root}: {_reason(error)}", "make it readable for you: chmod 700")
        return
    if open_:
        more = f" and {len(open_) - 1} more" if len(open_) > 1 else ""
        yield Finding("store", DO, f"others may use {open_[0]}{more}", f"run chmod -R go-rwx {root}")
    if not os.access(root, os.W_OK | os.X_OK):
        yield Finding("store", DO, f"{root} cannot be written to", "make it writable; until then nothing is shortened")


def _room(folder: str) -> Iterator[Finding]:
    """Look at the free room of the disk."""
    held = os.statvfs(folder)
    free = held.f_bavail * held.f_frsize
    said = f"{free / 1e9:,.1f} GB free"
    if free < ROOM:
        yield Finding("disk", DO, said, "make room, or run headroom store gc")
    else:
        yield Finding("disk", OK, said)


def _contents(settings: Settings) -> Iterator[Finding]:
    """Open the store as every command does, and read the newest originals."""
    from headroom_cli.errors import NotFoundError, StoreError
    from headroom_cli.store import Store

    try:
        with Store(settings.store).open() as place:
            objects = place.existing("objects")
            quarantine = place.existing("quarantine")
            names, damaged = ([], 0) if objects is None else _newest(objects)
            aside = 0 if quarantine is None else len(os.listdir(quarantine))
    except NotFoundError:
        yield Finding("store", OK, f"{settings.store} is empty so far")
        return
    except StoreError as error:
        yield of_error("store", error)
        return
    read = min(len(names), NEWEST)
    if damaged:
        said = f"{damaged} of the {read} newest originals are damaged"
        advice = "headroom store verify names them; check the disk; each is set aside when it is read next"
        yield Finding("store", DO, said, advice)
        return
    yield Finding("store", OK, f"{settings.store}: {len(names):,} originals, the {read} newest are sound")
    if aside:
        yield Finding("store", NOTE, f"{aside} damaged originals were set aside in quarantine/")


def _newest(objects: int) -> tuple[list[str], int]:
    """Return the names of all originals, the newest first, and how many of the first are damaged."""
    with os.scandir(objects) as entries:
        found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    found.sort(key=lambda item: -item[1].st_mtime)
    damaged = [name for name, status in found[:NEWEST] if not _is_sound(objects, name, status.st_size)]
    return [name for name, _ in found], len(damaged)


def _is_sound(objects: int, name: str, size: int) -> bool:
    """Tell whether an original decodes to what its name says; a very large one is not read."""
    from headroom_cli.hashing import sha256
    from headroom_cli.store import content, files, frames

    if size > MOST_READ // NEWEST * 8:
        return True
    try:
        descriptor = os.open(name, files.READ, dir_fd=objects)
        try:
            return sha256(content(descriptor)) == name
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return True  # removed meanwhile
    except (OSError, frames.FrameError):
        return False


# --- what the program does


def counting(settings: Settings) -> Iterator[Finding]:
    """Count a text, with the rank file if one is named."""
    from headroom_cli import tokens
    from headroom_cli.errors import ConfigError

    sample = "The quick brown fox jumps over the lazy dog.\n" * 8
    try:
        tokens.use_exact(settings.ranks)
    except ConfigError as error:
        yield of_error("tokens", error)
        tokens.use_exact("")
    number = tokens.count(sample)
    how = f"counted with {settings.ranks}" if tokens.is_exact() else "estimated"
    if not 40 <= number <= 160:  # 72 to 80 by any public tokenizer
        yield Finding("tokens", DO, f"{number} for a text of about 80", "install headroom-cli again")
    else:
        yield Finding("tokens", OK, how)


def itself() -> Iterator[Finding]:
    """Shorten a log in a store of its own, and get it back."""
    import tempfile
    import time

    from headroom_cli import engine
    from headroom_cli.model import Policy
    from headroom_cli.store import Store

    lines = [f"2026-01-01T00:{i // 60 % 60:02d}:{i % 60:02d}Z INFO worker-{i % 4} request {i} done" for i in range(400)]
    lines[200] = "2026-01-01T00:03:20Z ERROR worker-0 request 200 failed: connection reset"
    log = "\n".join(lines).encode()
    started = time.perf_counter()
    try:
        folder = tempfile.TemporaryDirectory(prefix="headroom-")
    except OSError as error:
        yield Finding("self-test", DO, f"no temporary folder: {_reason(error)}", "make room, or set TMPDIR")
        return
    with folder:
        held = Store(f"{folder.name}/store")
        result = engine.crush(log, Policy(level="balanced"), held)
        back, missing = engine.expand(result.data, held)
    if result.failure is not None:
        yield of_error("self-test", result.failure)
    elif back != log or missing or result.after >= result.before or b"ERROR" not in result.data:
        yield Finding("self-test", DO, "a log did not come back as it was", "install headroom-cli again and report it")
    else:
        taken = (time.perf_counter() - started) * 1000
        yield Finding(
            "self-test", OK, f"{result.before:,} -> {result.after:,} tokens and back, byte for byte, {taken:.0f} ms"
        )


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
