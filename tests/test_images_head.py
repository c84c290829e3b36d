"""What the first bytes of pictures say, without a decoder."""

import struct

import pytest
from drawn import bomb, png_chunk, saved

Image = pytest.importorskip("PIL.Image")

from headroom_cli.images import head  # noqa: E402

SMALL = Image.new("RGB", (70, 40), "red")
FORMATS = [
    ("PNG", {}),
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("GIF", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
]


@pytest.mark.parametrize(("name", "options"), FORMATS)
def test_size_and_type(name, options):
    told = head.read(saved(SMALL, name, **options))
    assert (told.media_type, told.width, told.height) == (f"image/{name.lower()}", 70, 40)
    assert (told.frames, told.orientation, told.upright) == (1, 1, (70, 40))


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_turns_the_size(name, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    told = head.read(saved(SMALL, name, exif=exif))
    assert told.orientation == orientation
    assert told.upright == ((70, 40) if orientation < 5 else (40, 70))


@pytest.mark.parametrize("name", ["PNG", "GIF", "WEBP"])
def test_what_moves_says_so(name):
    others = [Image.new("RGB", (70, 40), colour) for colour in ("blue", "green")]
    assert head.read(saved(SMALL, name, save_all=True, append_images=others, duration=50)).frames == 2


def test_transparent_and_extended_webp():
    told = head.read(saved(Image.new("RGBA", (70, 40), (1, 2, 3, 90)), "WEBP"))
    assert (told.width, told.height, told.frames) == (70, 40, 1)


def test_metadata_in_front_of_the_size_is_stepped_over():
    data = saved(SMALL, "JPEG")
    filled = data[:2] + b"".join(b"\xff\xe2" + struct.pack(">H", 60_002) + bytes(60_000) for _ in range(9)) + data[2:]
    assert head.read(filled).upright == (70, 40)


def test_a_bomb_is_too_large_and_fifty_megapixels_are_not():
    assert head.too_large(head.read(bomb()))
    assert not head.too_large(head.read(bomb(10_000, 5_000)))


@pytest.mark.parametrize("data", [
    b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP", b"%PDF-1.7", b"<svg/>",
    b"BM" + bytes(60), bomb(0, 5), bomb(5, 0),
    b"RIFF\x1e\0\0\0WEBPVP8 " + bytes(30), b"\xff\xd8\xff\xda" + bytes(40),
    b"\xff\xd8" + b"\xff" * 100_000, b"II*\0" + bytes(50),
])  # fmt: skip
def test_anything_else_is_none(data):
    assert head.read(data) is None


@pytest.mark.parametrize(("name", "options"), FORMATS)
def test_every_prefix_is_read_or_none(name, options):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(SMALL, name, exif=exif, **options) if name != "GIF" else saved(SMALL, name)
    for end in range(len(data)):
        told = head.read(data[:end])
        assert told is None or (told.width, told.height) == (70, 40)


def test_the_exif_of_a_png_before_its_pixels_counts():
    data = saved(SMALL)
    exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x08\0\0\0"
    assert head.read(data[:33] + png_chunk(b"eXIf", exif) + data[33:]).orientation == 8
    assert head.read(data[:33] + png_chunk(b"eXIf", exif[:12]) + data[33:]).orientation == 1


def test_a_text_in_the_store_is_no_picture_whatever_it_begins_with():
    for begin in ("GIF89a\x01\x00\x01\x00", "RIFF\x1e\0\0\0WEBPVP8L\0\0\0\0/"):
        text = (begin + "a line\n" * 30).encode()
        assert head.read(text) is not None
        assert head.of_original(text) is None
    for name, options in FORMATS:
        data = saved(SMALL, name, **options)
        assert head.of_original(data).media_type == head.read(data).media_type


def test_a_gif_of_countless_blocks_is_not_walked_to_its_end():
    data = b"GIF89a" + struct.pack("<HH", 90, 90) + b"\0\0\0!\xfe" + b"\x01a" * 200_000
    assert head.read(data).frames == 2


def test_fill_bytes_before_a_marker_are_stepped_over():
    data = saved(SMALL, "JPEG")
    assert head.read(data[:2] + b"\xff" * 50 + data[2:]).upright == (70, 40)
    assert head.read(data[:2] + b"\xff" * 5_000 + data[2:]) is None
