"""zstd frames for the store: one frame per original, checked before it is decoded.

``import zstandard`` costs 12 ms (it pulls typing, platform and re); its C extension alone costs 1 ms. So the extension
is loaded from its file, and the ordinary import is the fallback when the package is laid out otherwise.
"""

from __future__ import annotations

import os
import sys

from headroom_cli import hashing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

MAX_ORIGINAL = 1 << 30  # bytes of one original; a frame that states more is refused before any of it is decoded
MAX_WINDOW = 8 << 20  # bytes; ours need 2 MiB at most
_AT_ONCE = 16 << 20  # bytes of content that are decoded in one piece
_PIECE = 1 << 10  # bytes of a longer frame decoded at a time: at most 256 blocks that repeat a byte, 32 MiB
_FAST_ABOVE = 1 << 20  # bytes: level 1 is twice as fast as 3 there, for 5 % of the ratio


class FrameError(ValueError):
    """The bytes are not a frame of ours: damaged, truncated, followed by something, or a bomb."""


def _load() -> ModuleType:
    """Return zstandard's C extension, or the package itself where the extension is not found."""
    name = "zstandard.backend_c"
    loaded = sys.modules.get(name) or sys.modules.get("zstandard")
    if loaded is not None:
        return loaded
    import _frozen_importlib_external as external  # what importlib.machinery re-exports, already in memory

    for folder in sys.path:
        for suffix in external.EXTENSION_SUFFIXES:
            path = f"{folder or '.'}/zstandard/backend_c{suffix}"
            if not os.path.isfile(path):
                continue
            try:
                spec: Any = external.spec_from_file_location(name, path)
                module: ModuleType = spec.loader.create_module(spec)
                spec.loader.exec_module(module)
            except (ImportError, AttributeError):
                break  # another build: let the package decide
            if hasattr(module, "ZstdCompressor") and hasattr(module, "get_frame_parameters"):
                sys.modules[name] = module  # a later ``import zstandard`` shares this copy
                return module
    import zstandard

    return zstandard


_zstd = _load()


def pack(data: bytes) -> bytes:
    """Return one frame with content size and checksum; raise FrameError when that cannot be had."""
    level = 1 if len(data) > _FAST_ABOVE else 3
    try:
        compressor = _zstd.ZstdCompressor(level=level, write_checksum=True, write_content_size=True)
        frame: bytes = compressor.compress(data)
    except _zstd.ZstdError as error:
        raise FrameError("zstd failed to compress") from error
    return frame


def stated_size(head: bytes, stored: int) -> int:
    """Return the content size that a frame's header states, in bytes.

    ``head`` is the frame or its first 18 bytes; ``stored`` the frame's length in bytes. Raise FrameError for anything
    that :func:`pack` does not write: no size, no checksum, a dictionary, a size or window over the limits, or a file
    longer than incompressible content would make it.
    """
    try:
        frame = _zstd.get_frame_parameters(head)
        size: int = _zstd.frame_content_size(head)
    except (_zstd.ZstdError, ValueError) as error:
        raise FrameError("not a zstd frame") from error
    if not frame.has_checksum or frame.dict_id:
        raise FrameError("not a frame of this store")
    if size < 0 or size > MAX_ORIGINAL:
        raise FrameError("the stated size is missing or over the limit")
    if frame.window_size > MAX_WINDOW:
        raise FrameError("the window is over the limit")
    if stored > size + (size >> 8) + 64:
        raise FrameError("longer than its content can need")
    return size


def unpack(frame: bytes) -> bytes:
    """Return the content of exactly one frame; raise FrameError for anything else."""
    size = stated_size(frame, len(frame))
    decoder = _zstd.ZstdDecompressor(max_window_size=MAX_WINDOW)
    try:
        if size == 0:  # decompress() takes the header's word for it and looks at nothing else
            empty = decoder.decompressobj()
            data: bytes = empty.decompress(frame)
            if not empty.eof or empty.unused_data:
                raise FrameError("not one whole frame")
        else:
            data = decoder.decompress(frame, allow_extra_data=False)
    except (_zstd.ZstdError, ValueError) as error:
        raise FrameError("the frame does not decode") from error
    if len(data) != size:
        raise FrameError("the content is not as long as stated")
    return data


def hash_content(fd: int, stored: int) -> str:
    """Return the SHA-256 (hex) of the content of a frame in a file of ``stored`` bytes, in little memory.

    Raise FrameError for anything but one whole frame that is within the limits.
    """
    size = stated_size(os.pread(fd, 18, 0), stored)
    if size <= _AT_ONCE:
        return hashing.sha256(unpack(os.pread(fd, stored, 0)))
    from hashlib import sha256

    decoder = _zstd.ZstdDecompressor(max_window_size=MAX_WINDOW).decompressobj()
    digest = sha256()
    done = at = 0
    try:
        while done <= size and not decoder.eof and (part := os.pread(fd, _PIECE, at)):
            at += len(part)
            data = decoder.decompress(part)
            done += len(data)
            digest.update(data)
    except _zstd.ZstdError as error:
        raise FrameError("the frame does not decode") from error
    if not decoder.eof or decoder.unused_data or at != stored or done != size:
        raise FrameError("the content is not as long as stated")
    return digest.hexdigest()
