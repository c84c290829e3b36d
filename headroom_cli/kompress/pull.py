"""Fetch a model: what the hub states is compared with what came, and with what it stated at the first pull."""

from __future__ import annotations

import os
import time

from headroom_cli.errors import ConfigError, CorruptError, NotFoundError, UnreachableError
from headroom_cli.kompress import manifest
from headroom_cli.kompress.hub import Hub
from headroom_cli.kompress.published import COMMIT, CONFIG_FILE, EMBEDDED, MODEL_FILES, PUBLISHED, TOKENIZER_FILE, named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from headroom_cli.kompress.hub import Stated
    from headroom_cli.kompress.published import Published

_FRUITLESS = 3  # tries in a row that bring nothing, before it is left for later
_PAUSE = 0.5  # seconds before another try, doubled each time
_BESIDE = ("_data", ".data")  # where large models keep their weights in a file of their own


class Wanted:
    """One file to fetch: from which repository and commit, what the hub states of it, and where it belongs."""

    __slots__ = ("commit", "part", "path", "repository", "stated")

    def __init__(self, repository: str, commit: str, stated: Stated, folder: str) -> None:
        """``folder`` is the model's."""
        self.repository = repository
        self.commit = commit
        self.stated = stated
        self.path = os.path.join(folder, stated.path)
        # Named by what it is to become: parts of another version are never gone on with.
        self.part = f"{self.path}.{stated.digest[:16]}.part"

    def recorded(self, digest: str) -> dict[str, Any]:
        """Return what the manifest keeps of it, given its SHA-256."""
        return {
            "size": self.stated.size, "sha256": digest, "stated": self.stated.digest, "repository": self.repository,
            "revision": self.commit,
        }  # fmt: skip


def pull(
    name: str, watch: Callable[[str, int, int], None] = lambda _file, _have, _size: None, pause: float = _PAUSE
) -> tuple[str, dict[str, Any]]:
    """Fetch the files of a model that are not here; return its folder and what is recorded of it.

    ``watch`` is told (file, bytes that are here, bytes in all). A file appears under its name when it is whole and has
    the digest that the hub states. Raise ConfigError for a name that stands for no model, NotFoundError, UpstreamError,
    CorruptError, StoreError.
    """
    published = named(name)
    if published is None or name == EMBEDDED:
        known = ", ".join(PUBLISHED)
        raise ConfigError(f"{name[:100]!r} is not the name of a model to pull; use {known}, or owner/repo[@revision]")
    with manifest.alone() as models, Hub() as hub:
        folder = os.path.join(models, published.folder)
        rows = manifest.read()
        row: dict[str, Any] = dict(rows.get(published.folder, {"name": name, "files": {}}))
        # A branch goes on; what was pulled from it once stays what it was until it is removed.
        pinned = published.revision if COMMIT.fullmatch(published.revision) else ""
        commit = row.get("revision") or pinned or hub.commit(published.repository, published.revision)
        row.update(repository=published.repository, revision=commit)
        wanted = _wanted(hub, published, commit, folder)
        _agree(row["files"], wanted)
        try:
            manifest.private_folder(folder)
            manifest.write({**rows, published.folder: row})  # what was begun is seen, and goes on with the same commit
            for one in wanted:
                if os.path.dirname(one.path) != folder:
                    manifest.private_folder(os.path.dirname(one.path))
                digest = _have(one.path, one.stated) or _fetch(hub, one, watch, pause)
                row["files"][one.stated.path] = one.recorded(digest)
                manifest.write({**rows, published.folder: row})
        except OSError as error:
            raise manifest.trouble(error, models) from error
    return folder, row


def _wanted(hub: Hub, published: Published, commit: str, folder: str) -> list[Wanted]:
    """Return the files that make a model, its tokenizer from where that is pinned. Raise NotFoundError."""
    files = hub.files(published.repository, commit)
    found = [Wanted(published.repository, commit, stated, folder) for stated in _chosen(files, published.repository)]
    if published.tokenizer is not None:
        repository, revision = published.tokenizer
        stated = hub.files(repository, revision).get(TOKENIZER_FILE)
        found = [one for one in found if one.stated.path != TOKENIZER_FILE]
        found += [Wanted(repository, revision, stated, folder)] if stated is not None else []
    if all(one.stated.path != TOKENIZER_FILE for one in found):
        raise NotFoundError(f"{published.repository} has no {TOKENIZER_FILE}; it is no model of this kind")
    return found


def _chosen(files: dict[str, Stated], name: str) -> list[Stated]:
    """Return the first of the files that a model may be in, what lies beside it, the tokenizer and its settings."""
    model = next((path for path in MODEL_FILES if path in files), "")
    if not model:
        single = [path for path in files if path.endswith(".onnx")]
        if len(single) != 1:
            raise NotFoundError(f"{name} has no model.onnx; it is no model of this kind")
        model = single[0]
    beside = [files[path] for path in sorted(files) if path in {model + end for end in _BESIDE}]
    rest = [files[path] for path in (TOKENIZER_FILE, CONFIG_FILE) if path in files]
    return [files[model], *beside, *rest]


def _agree(known: dict[str, Any], wanted: list[Wanted]) -> None:
    """Raise CorruptError when the hub states another digest for a file than at its first pull."""
    for one in wanted:
        before = known.get(one.stated.path)
        if before is not None and before.get("stated") != one.stated.digest:
            raise CorruptError(
                f"{one.repository} states another digest for {one.stated.path} than when it was first pulled; "
                "if you trust that, run `headroom models remove` and pull it again"
            )


def _have(path: str, stated: Stated) -> str:
    """Return the SHA-256 of a file that is here as the hub states it, "" when it is not."""
    try:
        size, plain, blob = manifest.digests(path)
    except OSError:
        return ""
    return plain if size == stated.size and stated.digest in (plain, blob) else ""


def _fetch(hub: Hub, one: Wanted, watch: Callable[[str, int, int], None], pause: float) -> str:
    """Fetch a file from where an earlier try ended, and return its SHA-256.

    Raise UpstreamError, CorruptError, OSError.
    """
    stated = one.stated
    fruitless = 0
    while (have := _size(one.part)) < stated.size:
        try:
            _append(hub, one, have, watch)
            reason = f"the hub ended {stated.path} too early"
        except UnreachableError as error:
            reason = str(error)
        now = _size(one.part)
        if now >= stated.size:
            break
        fruitless = 0 if now > have else fruitless + 1
        if fruitless >= _FRUITLESS:
            raise UnreachableError(f"{reason}; {now:,} of {stated.size:,} bytes are here: run it again and it goes on")
        time.sleep(pause * 2**fruitless)
    with _open(one.part, os.O_APPEND) as stream:  # one of no bytes is made here
        os.fsync(stream.fileno())
    digest = _have(one.part, stated)
    if not digest:
        os.unlink(one.part)
        raise CorruptError(f"{stated.path} is not what the hub states of it, so it was not kept; pull it again")
    os.rename(one.part, one.path)
    return digest


def _append(hub: Hub, one: Wanted, have: int, watch: Callable[[str, int, int], None]) -> None:
    """Add to a part what comes, until that is more than is stated: then it is another file."""
    with _open(one.part, os.O_APPEND) as stream, hub.reading(one.repository, one.commit, one.stated, have) as reading:
        if have and not reading.goes_on:
            stream.truncate(0)
            have = 0
        for piece in reading.pieces():
            rest = memoryview(piece)
            while rest:
                rest = rest[stream.write(rest) :]
            have += len(piece)
            watch(one.stated.path, have, one.stated.size)
            if have > one.stated.size:
                return


def _open(path: str, flag: int) -> Any:
    """Open a file for its owner alone, through no link; written without a buffer, so that Ctrl-C loses nothing."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | flag, 0o600)
    return open(fd, "wb", buffering=0)


def _size(path: str) -> int:
    """Return the bytes of a file, 0 when there is none."""
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
