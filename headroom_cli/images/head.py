"""What the first bytes of a picture say: type, size, orientation, whether it moves. No pixel is decoded."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_PIXELS = 50_000_000  # larger ones are refused: 50 Mpx are 150 MB when decoded
_STEPS = 4096  # chunks or segments looked at: pictures have a few dozen before their pixels
_BLOCKS = 1 << 17  # sub-blocks of a GIF looked at: 32 MB in blocks of the usual 255 bytes
_TURNED = frozenset((5, 6, 7, 8))  # orientations that swap width and height
_ORIENTATION = 0x0112
_SHORT = 3


class Head:
    """What a picture says of itself: width and height in pixels as stored, frames 1 or 2 ("several")."""

    __slots__ = ("frames", "height", "media_type", "orientation", "width")

    def __init__(self, media_type: str, width: int, height: int, frames: int = 1, orientation: int = 1) -> None:
        """Take a media type such as "image/png", and the EXIF orientation 1 to 8."""
        self.media_type = media_type
        self.width = width
        self.height = height
        self.frames = frames
        self.orientation = orientation

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height as a viewer shows them."""
        if self.orientation in _TURNED:
            return self.height, self.width
        return self.width, self.height


def is_lossy(head: Head, data: bytes) -> bool:
    """Tell whether a picture was encoded with loss: every JPEG, and a WebP that holds no lossless one."""
    if head.media_type == "image/webp":
        return all(name != b"VP8L" for name, _ in _riff(data))
    return head.media_type == "image/jpeg"


def read(data: bytes) -> Head | None:
    """Return what a PNG, JPEG, GIF or WebP says of itself, None for anything else and for damaged heads."""
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        head = _png(data)
    elif data[:3] == b"\xff\xd8\xff":
        head = _jpeg(data)
    elif data[:6] in (b"GIF87a", b"GIF89a"):
        head = _gif(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        head = _webp(data)
    else:
        return None
    return head if head is not None and head.width > 0 and head.height > 0 else None


def of_original(data: bytes) -> Head | None:
    """Return the same of an original in the store, which may be a text that begins as a GIF or a WebP does."""
    head = read(data)
    if head is None or data[:1] > b"\x7f":
        return head
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return head
    return None


def too_large(head: Head) -> bool:
    """Tell whether a picture must not be decoded: a few KB can hold gigapixels."""
    return head.width * head.height > MOST_PIXELS


def _png(data: bytes) -> Head | None:
    """Read IHDR, then the chunks before the pixels: acTL says that it moves, eXIf how it is turned."""
    if data[8:16] != b"\x00\x00\x00\rIHDR" or len(data) < 33:
        return None
    head = Head("image/png", int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))
    at = 33
    for _ in range(_STEPS):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if name == b"acTL":
            head.frames = 2 if int.from_bytes(data[at + 8 : at + 12], "big") > 1 else 1
        elif name == b"eXIf":
            head.orientation = _orientation(data[at + 8 : at + 8 + min(size, 65_536)])
        elif name in (b"IDAT", b"IEND", b""):
            break
        at += size + 12
    return head


def _jpeg(data: bytes) -> Head | None:
    """Walk the segments up to the frame's header (ITU-T T.81, B.1.1.3); the first Exif segment turns it."""
    orientation = 0
    at = 2
    for _ in range(_STEPS):
        if data[at : at + 2] == b"\xff\xff":
            at += 1  # a fill byte
            continue
        if at + 9 > len(data) or data[at] != 0xFF:
            return None
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
            return Head("image/jpeg", width, height, 1, orientation or 1)
        if marker == 0xE1 and not orientation and data[at + 4 : at + 10] == b"Exif\x00\x00":
            orientation = _orientation(data[at + 10 : at + 2 + size])
        if size < 2 or marker in (0xD9, 0xDA):
            return None
        at += 2 + size
    return None


def _gif(data: bytes) -> Head | None:
    """Read the logical screen, then count image blocks up to the second; what has too many sub-blocks moves, we say."""
    if len(data) < 13:
        return None
    head = Head("image/gif", int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little"))
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    pictures = blocks = 0
    while at < len(data):
        kind = data[at]
        if kind == 0x2C and at + 10 < len(data):
            pictures += 1
            if pictures > 1:
                head.frames = 2
                break
            flags = data[at + 9]
            at += 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        elif kind == 0x21:
            at += 2
        else:
            break
        while at < len(data) and data[at] and blocks < _BLOCKS:  # sub-blocks, each with its length in front
            at += data[at] + 1
            blocks += 1
        if blocks == _BLOCKS:
            head.frames = 2
            break
        at += 1
    return head


def _webp(data: bytes) -> Head | None:
    """Read the first chunk (RFC 9649); in the extended form also the one with the orientation."""
    name = data[12:16]
    if name == b"VP8X" and len(data) >= 30:
        flags = data[20]
        head = Head(
            "image/webp",
            int.from_bytes(data[24:27], "little") + 1,
            int.from_bytes(data[27:30], "little") + 1,
            2 if flags & 0x02 else 1,
        )
        if flags & 0x08:
            head.orientation = next((_orientation(body) for kind, body in _riff(data) if kind == b"EXIF"), 1)
        return head
    if name == b"VP8 " and data[23:26] == b"\x9d\x01\x2a" and len(data) >= 30:
        width, height = int.from_bytes(data[26:28], "little"), int.from_bytes(data[28:30], "little")
        return Head("image/webp", width & 0x3FFF, height & 0x3FFF)
    if name == b"VP8L" and data[20:21] == b"\x2f" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return Head("image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    return None


def _riff(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and at most 64 KiB of the body of each chunk."""
    at = 12
    for _ in range(_STEPS):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if len(name) < 4:
            return
        yield name, data[at + 8 : at + 8 + min(size, 65_536)]
        at += 8 + size + size % 2


def _orientation(exif: bytes) -> int:
    """Return the orientation of the first directory of an Exif block, 1 when it says none (TIFF 6.0, section 2)."""
    exif = exif.removeprefix(b"Exif\x00\x00")
    if exif[:2] == b"II":
        order: str = "little"
    elif exif[:2] == b"MM":
        order = "big"
    else:
        return 1
    start = int.from_bytes(exif[4:8], order)  # type: ignore[arg-type]
    count = int.from_bytes(exif[start : start + 2], order)  # type: ignore[arg-type]
    for i in range(min(count, 256)):
        entry = exif[start + 2 + 12 * i : start + 14 + 12 * i]
        if int.from_bytes(entry[:2], order) == _ORIENTATION:  # type: ignore[arg-type]
            value = int.from_bytes(entry[8:10], order)  # type: ignore[arg-type]
            return value if 1 <= value <= 8 else 1
    return 1
