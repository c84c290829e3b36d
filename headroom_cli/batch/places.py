"""Where rows come from and go to: files of this machine or of an object store, and the parts they are cut into.

pyarrow's file systems read and write both: a path, or a URL with s3, gs, abfs or hdfs. A part is what one worker does
at a time and what one shard holds: a range of bytes of plain JSON Lines, some row groups of Parquet, a whole file of
compressed JSON Lines. How a file is cut depends on the file alone, and a shard's name says which file as it was then,
which part, and what was asked for.
"""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase

from headroom_cli.errors import ConfigError, InputMissingError, UsageError
from headroom_cli.hashing import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# Bytes of a part: a file has about 64 of them, so that the workers end together, as long as none is too small for its
# barriers or so large that little is done when a run is cut off.
LEAST, MOST = 4 << 20, 64 << 20
_PARTS = 64
LINES = (".jsonl", ".ndjson", ".json")
PARQUET = (".parquet", ".pq")
CODECS = {".gz": "gzip", ".zst": "zstd"}
_WILD = re.compile(r"[*?\[]")
_ODD = re.compile(r"[^A-Za-z0-9._-]+")


class Input:
    """One file: where it is, how it is written, and what tells whether it changed."""

    __slots__ = ("codec", "form", "name", "size", "time")

    def __init__(self, name: str, size: int, time: int) -> None:
        """``name`` is a path or URL, ``size`` in bytes, ``time`` of its last change in ns. Raise UsageError."""
        self.name = name
        self.size = size
        self.time = time
        self.form, self.codec = form_of(name)

    @property
    def ending(self) -> str:
        """What the names of its shards end with."""
        if self.form == "parquet":
            return ".parquet"
        return ".jsonl" + next((end for end, codec in CODECS.items() if codec == self.codec), "")


class Part:
    """A piece of a file and the name of its shard; ``start`` and ``end`` are bytes, or numbers of row groups."""

    __slots__ = ("codec", "end", "form", "input", "shard", "start")

    def __init__(self, source: Input, start: int, end: int, shard: str) -> None:
        """``end`` is behind the last one."""
        self.input = source.name
        self.form = source.form
        self.codec = source.codec
        self.start = start
        self.end = end
        self.shard = shard


def form_of(name: str) -> tuple[str, str]:
    """Return "lines" or "parquet", and the codec that a file's name says ("" for none). Raise UsageError."""
    low = (name.partition("?")[0] if "://" in name else name).lower()
    codec = next((codec for end, codec in CODECS.items() if low.endswith(end)), "")
    stem = low.rpartition(".")[0] if codec else low
    if stem.endswith(PARQUET):
        if codec:
            raise UsageError(f"{name}: a Parquet file is compressed inside; name one that ends with .parquet")
        return "parquet", ""
    if stem.endswith(LINES):
        return "lines", codec
    ends = ", ".join((*LINES, *PARQUET))
    raise UsageError(f"{name}: what it holds is told by its name; one of {ends}, with .gz or .zst behind JSON Lines")


def opened(name: str) -> tuple[Any, str]:
    """Return pyarrow's file system for a path or URL, and the path there. Raise ConfigError."""
    import pyarrow as pa
    from pyarrow import fs

    if "://" not in name:
        return fs.LocalFileSystem(), os.path.abspath(name)
    try:
        system, path = fs.FileSystem.from_uri(name)
    except (pa.ArrowException, OSError, ValueError) as error:
        scheme = name.partition("://")[0][:20]
        raise ConfigError(
            f"nothing can be read at a URL with {scheme}://; use a path, s3://, gs:// or abfs://"
        ) from error
    return system, path


def inputs(words: Iterable[str]) -> list[Input]:
    """Return the files that words name: files, folders (all that is in them, whose names we know), and patterns.

    Each file once; those of a folder by name. Raise InputMissingError, UsageError, ConfigError.
    """
    found: dict[str, Input] = {}
    for word in words:
        if word == "-":
            raise UsageError("headroom batch reads files, not standard input; see headroom crush")
        for one in _of_word(word):
            found.setdefault(one.name, one)
    return list(found.values())


def _of_word(word: str) -> list[Input]:
    from pyarrow import fs

    url = "://" in word
    system, path = opened(word)
    head, mark, options = word.partition("?") if url else (word, "", "")

    def named(path: str) -> str:
        return f"{head.partition('://')[0]}://{path}{mark}{options}" if url else path

    try:
        info = system.get_file_info(path)
        if info.type == fs.FileType.File:
            return [Input(word if url else path, info.size, info.mtime_ns or 0)]
        wild = _WILD.search(path)
        if info.type == fs.FileType.NotFound and not wild:
            raise InputMissingError(f"{word}: there is no such file; name one, a folder or a pattern")
        top = path if info.type == fs.FileType.Directory else path[: wild.start() if wild else 0].rpartition("/")[0]
        listed = system.get_file_info(fs.FileSelector(top or "/", recursive=True, allow_not_found=True))
    except (OSError, ValueError) as error:
        raise InputMissingError(f"{word}: it cannot be looked at ({_kind(error)}); check name and rights") from error
    files = []
    for one in sorted(listed, key=lambda one: one.path):
        inside = one.path[len(top) :].lstrip("/").split("/")
        hidden = any(part.startswith(("_", ".")) for part in inside)  # what Arrow and Spark leave out too
        if one.type != fs.FileType.File or hidden:
            continue
        if wild and info.type == fs.FileType.NotFound:
            if not fnmatchcase(one.path, path) or one.path.count("/") != path.count("/"):
                continue
        elif not _is_ours(one.path):
            continue
        files.append(Input(named(one.path), one.size, one.mtime_ns or 0))
    if not files:
        raise InputMissingError(f"{word}: no JSON Lines and no Parquet in there; name files that end with .jsonl")
    return files


def _is_ours(path: str) -> bool:
    try:
        form_of(path)
    except UsageError:
        return False
    return not path.lower().endswith((".json", ".json.gz", ".json.zst"))  # in a folder that is seldom JSON Lines


def parts(source: Input, identity: str) -> list[Part]:
    """Return the parts of a file; ``identity`` is what was asked for (Job.identity). Raise InputMissingError."""
    base = source.name.partition("?")[0].rstrip("/").rpartition("/")[2]
    stem = _ODD.sub("-", base[: -len(source.ending)] if base.lower().endswith(source.ending) else base)[:80]
    told = f"{source.name}\n{source.size}\n{source.time}\n{LEAST} {MOST} {_PARTS}\n{identity}"
    stem = f"{stem.lstrip('_.') or 'rows'}-{sha256(told.encode('utf-8', 'surrogateescape'))[:12]}"
    return [
        Part(source, start, end, f"{stem}-{number:05d}{source.ending}")
        for number, (start, end) in enumerate(_cuts(source))
    ]


def _cuts(source: Input) -> list[tuple[int, int]]:
    if source.form == "parquet":
        return _row_groups(source)
    if source.codec:
        return [(0, source.size)]
    each = size_of_parts(source.size)
    return [(start, min(start + each, source.size)) for start in range(0, source.size, each)] or [(0, 0)]


def size_of_parts(size: int) -> int:
    """Return about how many bytes a part of a file of this size has."""
    return max(LEAST, min(MOST, size // _PARTS))


def _row_groups(source: Input) -> list[tuple[int, int]]:
    """Return runs of row groups, together of about the size of a part."""
    import pyarrow as pa
    from pyarrow import parquet

    system, path = opened(source.name)
    try:
        with system.open_input_file(path) as stream, parquet.ParquetFile(stream) as file:
            sizes = [file.metadata.row_group(at).total_byte_size for at in range(file.metadata.num_row_groups)]
    except (pa.ArrowException, OSError) as error:
        raise InputMissingError(f"{source.name}: it cannot be read as Parquet ({_kind(error)}); check it") from error
    cuts, start, held = [], 0, 0
    each = size_of_parts(sum(sizes))
    for number, size in enumerate(sizes):
        if held and held + size > each:
            cuts.append((start, number))
            start, held = number, 0
        held += size
    return [*cuts, (start, len(sizes))]


def _kind(error: Exception) -> str:
    """Return what an error is, without its text, which may hold a URL with a key."""
    return os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else type(error).__name__
