"""Fingerprints see one changed digit, and say where it is."""

import pytest

Image = pytest.importorskip("PIL.Image")

from drawn import bomb, font, page, photo, saved  # noqa: E402
from PIL import ImageDraw  # noqa: E402

from headroom_cli.images.alike import alike, fingerprint  # noqa: E402


def counter(number, *, scale=1, colour="black"):
    picture = page(scale=scale)
    ImageDraw.Draw(picture).text((880 * scale, 640 * scale), str(number), font=font(11 * scale), fill=colour)
    return picture


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP"])
def test_one_digit(scale, name):
    for one, other in ((3, 8), (1234, 1235)):
        found = alike(*(fingerprint(saved(counter(value, scale=scale), name)) for value in (one, other)))
        assert found is not None
        assert 1 <= found.cells <= 12
        left, top, wide, high = found.box
        assert left <= 900 * scale <= left + wide
        assert top <= 650 * scale <= top + high
        assert wide * high < 0.02 * found.width * found.height


def test_a_faint_change_is_seen():
    found = alike(*(fingerprint(saved(counter(5, colour=colour))) for colour in ("#808080", "#818181")))
    assert found.cells >= 1


def test_the_same_picture_in_another_file_is_the_same():
    picture = page()
    marks = [
        fingerprint(saved(picture)),
        fingerprint(saved(picture, compress_level=1)),
        fingerprint(saved(picture, "WEBP", lossless=True)),
    ]
    for mark in marks[1:]:
        found = alike(marks[0], mark)
        assert (found.cells, found.box, found.of) == (0, (0, 0, 0, 0), 1024)


def test_other_pages_are_not_alike():
    marks = [fingerprint(saved(page(seed))) for seed in range(6)]
    for i, one in enumerate(marks):
        for other in marks[i + 1 :]:
            assert alike(one, other) is None
    assert alike(marks[0], fingerprint(saved(page(scale=2)))) is None
    assert alike(marks[0], fingerprint(saved(page().rotate(180)))) is None
    assert alike(*(fingerprint(saved(photo(seed=seed), "JPEG")) for seed in (1, 2))) is None


def test_a_scrolled_page_is_another():
    picture = page()
    moved = Image.new("RGB", picture.size, "white")
    moved.paste(picture, (0, -26))
    assert alike(fingerprint(saved(picture)), fingerprint(saved(moved))) is None


def test_small_and_odd_sizes():
    for size in ((1, 1), (3, 50), (31, 33), (1001, 7)):
        one, other = Image.new("RGB", size, "white"), Image.new("RGB", size, "white")
        other.putpixel((size[0] - 1, size[1] - 1), (0, 0, 0))
        found = alike(fingerprint(saved(one)), fingerprint(saved(other)))
        if size == (1, 1):
            assert found is None
            continue
        left, top, wide, high = found.box
        assert (found.cells, left + wide, top + high) == (1, *size)


@pytest.mark.parametrize("data", [b"", b"text", bomb(), saved(page())[:5000], saved(page(), "BMP")])
def test_what_cannot_be_read_has_no_fingerprint(data):
    assert fingerprint(data) is None


def test_what_is_no_fingerprint_is_like_nothing():
    mark = fingerprint(saved(page()))
    for other in (b"", b"c1", mark[:-1], b"c2" + mark[2:], mark + b"x"):
        assert alike(mark, other) is None
        assert alike(other, other) is None
