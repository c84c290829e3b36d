"""The cheapest picture that shows the same: never larger, never an exception, the same bytes each time."""

import io
import json
import subprocess
import sys
from functools import cache

import pytest

Image = pytest.importorskip("PIL.Image")

from drawn import bomb, page, photo, png_chunk, saved  # noqa: E402
from PIL import ImageCms, ImageDraw, ImageFont  # noqa: E402

from headroom_cli.images import cost, head, measure, pixels  # noqa: E402
from headroom_cli.images.shrink import shrink  # noqa: E402

LEVELS = ("safe", "balanced", "max")


@cache
def screen():
    return page(scale=2, size=(600, 420), lines=12)


@cache
def stored(name="PNG"):
    """The bytes of a screen, or of a photo for "photo"."""
    if name == "photo":
        return saved(photo(1000, 750), "JPEG", quality=92)
    return saved(screen().quantize(64) if name == "GIF" else screen(), name)


def opened(small):
    picture = Image.open(io.BytesIO(small.data))
    picture.load()
    return picture


def check(data, small, family):
    """What holds for everything that comes back."""
    told = head.read(data)
    assert small.tokens_before == cost.tokens(*told.upright, family)
    assert small.tokens_after == cost.tokens(small.width, small.height, family) <= 0.97 * small.tokens_before
    assert len(small.data) < len(data)
    again = head.read(small.data)
    assert (again.media_type, again.upright) == (small.media_type, (small.width, small.height))
    assert (again.orientation, again.frames) == (1, 1)
    assert small.kind in measure.KINDS
    assert small.why
    picture = opened(small)
    assert picture.size == (small.width, small.height)
    assert not picture.getexif()
    assert not {"icc_profile", "exif", "comment", "xmp"} & set(picture.info)


@pytest.mark.parametrize(
    "family", ["anthropic", "anthropic-large", "openai-tiles", "openai-patches", "openai-patches-original"]
)
@pytest.mark.parametrize("level", LEVELS)
def test_screens_and_photos_get_cheaper(level, family):
    for data, kinds in ((stored(), {"screenshot", "diagram", "plot"}), (stored("photo"), {"photo"})):
        small = shrink(data, family, level)
        if level != "safe":
            assert small is not None
        if small is not None:
            check(data, small, family)
            assert small.kind in kinds


def test_levels_go_further():
    for data in (stored(), stored("photo")):
        costs = [
            small.tokens_after if small else 1 << 30 for small in (shrink(data, "anthropic", level) for level in LEVELS)
        ]
        assert costs == sorted(costs, reverse=True)
        assert costs[2] < costs[0]


def test_the_same_bytes_each_time():
    assert shrink(stored(), "anthropic", "max").data == shrink(stored(), "anthropic", "max").data


def test_small_text_is_left_alone():
    assert shrink(saved(page(letters=11, lines=34)), "anthropic", "balanced") is None


def test_one_word_of_small_text_on_an_empty_screen_stays_readable():
    picture = page(lines=1, letters=13, size=(1300, 900))
    ImageDraw.Draw(picture).rectangle((0, 0, 1300, 64), fill="white")
    small = shrink(saved(picture), "anthropic", "balanced")
    assert small is None or small.width > 0.75 * picture.width


def test_one_line_below_large_text_stays_readable():
    widths = []
    for foot in (
        "",
        "Terms of the offer 2291 apply until the 17th of the month, see the page of the worker 4417 there",
    ):
        picture = page(letters=20, lines=20, size=(1100, 900))
        draw = ImageDraw.Draw(picture)
        draw.rectangle((0, 780, 1100, 900), fill="white")
        draw.text((20, 820), foot, fill="black", font=ImageFont.load_default(size=9))
        widths.append(shrink(saved(picture, compress_level=1), "anthropic", "safe").width)
    assert widths[1] > 1.2 * widths[0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_goes_into_the_pixels(orientation):
    picture = photo(900, 600)
    picture.paste("red", (0, 0, 300, 200))  # top left as stored
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(picture, "JPEG", exif=exif, quality=95)
    small = shrink(data, "anthropic", "max")
    check(data, small, "anthropic")
    wide, high = small.width, small.height
    assert (wide > high) == (orientation < 5)
    corner = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}[orientation]
    red, green, _ = opened(small).convert("RGB").getpixel((10 + corner[0] * (wide - 20), 10 + corner[1] * (high - 20)))
    assert red > 180
    assert green < 90


def ghost(picture):
    """The same picture, half of it half transparent."""
    picture.putalpha(Image.new("L", picture.size, 255))
    picture.paste(picture.crop((0, 0, 400, 400)), (0, 0), Image.new("L", (400, 400), 128))
    alpha = picture.getchannel("A")
    alpha.paste(128, (0, 0, 400, 400))
    picture.putalpha(alpha)
    return picture


METADATA = {"comment": b"x" * 60_000, "exif": b"Exif\0\0" + b"II*\0\x08\0\0\0\0\0" + bytes(60_000)}
# The same screen in the ways that files store pixels.
MODES = {
    "grey": lambda: saved(screen().convert("L")),
    "grey and alpha": lambda: saved(ghost(photo(900, 600)).convert("LA")),
    "alpha": lambda: saved(ghost(photo(900, 600))),
    "palette": lambda: saved(screen().quantize(200)),
    "transparent palette": lambda: saved(screen().quantize(200), transparency=0),
    "one bit": lambda: saved(screen().convert("1")),
    "sixteen bits": lambda: saved(screen().convert("I").point(lambda value: value * 257).convert("I;16")),
    "grey jpeg": lambda: saved(screen().convert("L"), "JPEG"),
    "cmyk jpeg": lambda: saved(screen().convert("CMYK"), "JPEG"),
    "progressive jpeg": lambda: saved(screen(), "JPEG", progressive=True),
    "gif": lambda: saved(screen().quantize(200), "GIF"),
    "webp": lambda: saved(screen(), "WEBP", lossless=True),
    "transparent webp": lambda: saved(ghost(photo(900, 600)), "WEBP", lossless=True),
    "metadata": lambda: saved(screen(), "JPEG", **METADATA),
    "several pictures in one": lambda: saved(photo(900, 600), "MPO", save_all=True, append_images=[photo(80, 60)]),
}


@pytest.mark.parametrize("name", MODES)
def test_every_way_to_store_pixels(name):
    data = MODES[name]()
    small = shrink(data, "anthropic", "max")
    if small is None:  # nothing but too many bytes may be the reason: law 4
        assert name in {"one bit", "palette", "transparent palette", "gif", "webp"}
        return
    check(data, small, "anthropic")
    was = pixels.opaque(pixels.decode(data, head.read(data), head.read(data).upright)).resize(
        (64, 64), Image.Resampling.BOX
    )
    now = pixels.opaque(opened(small).convert("RGBA")).resize((64, 64), Image.Resampling.BOX)
    different = [abs(a - b) for a, b in zip(was.tobytes(), now.tobytes(), strict=True)]
    assert sum(different) / len(different) < 4


def test_transparency_is_kept():
    picture = Image.new("RGBA", (800, 600), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((200, 150, 600, 450), fill=(200, 30, 30, 255))
    noisy = Image.merge("RGBA", (*photo(800, 600).split(), picture.getchannel("A")))
    small = shrink(saved(noisy), "anthropic", "max")
    check(saved(noisy), small, "anthropic")
    alpha = opened(small).convert("RGBA").getchannel("A")
    assert alpha.getextrema() == (0, 255)
    assert alpha.getpixel((small.width // 2, small.height // 2)) == 255
    assert alpha.getpixel((2, 2)) == 0


def test_white_text_on_nothing_is_text():
    shape = page(theme="dark").convert("L").point(lambda value: 255 if value > 90 else 0)
    ghost = Image.new("RGBA", shape.size, (255, 255, 255, 0))
    ghost.putalpha(shape)
    small = shrink(saved(ghost), "anthropic", "balanced")
    assert small is None or small.kind != "icon"


def test_profiles_become_srgb():
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()  # does not fit RGB: left aside
    for profile in (ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), swapped, b"\0" * 3000, b"no"):
        data = saved(photo(900, 600), "JPEG", icc_profile=profile)
        check(data, shrink(data, "anthropic", "max"), "anthropic")


@pytest.mark.parametrize("name", ["PNG", "GIF", "WEBP"])
def test_what_moves_is_left_alone(name):
    assert (
        shrink(
            saved(screen(), name, save_all=True, append_images=[Image.new("RGB", screen().size)]), "anthropic", "max"
        )
        is None
    )


NOTHING = {
    "nothing": lambda: b"",
    "text": lambda: b"no picture",
    "drawing": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "bomb": bomb,
    "few bytes for many pixels": lambda: bomb(7_000, 7_000),
    "signatures": lambda: b"\x89PNG\r\n\x1a\n" * 9,
    "zeros": lambda: b"\xff\xd8\xff\xe0" + bytes(5_000),
    "bitmap": lambda: saved(screen(), "BMP"),
    "tiff": lambda: saved(screen(), "TIFF"),
    "another size in the head": lambda: stored()[:16] + b"\0\0\x20\0\0\0\x10\0" + stored()[24:],
    "small": lambda: saved(Image.new("RGB", (9, 9))),
    "high": lambda: saved(Image.new("RGB", (1, 9_000))),
    "wide": lambda: saved(Image.new("RGB", (9_000, 1))),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_is_no_picture_or_has_nothing_to_give_is_none(name):
    data = NOTHING[name]()
    for level in LEVELS:
        assert shrink(data, "anthropic", level) is None


@pytest.mark.parametrize("name", ["PNG", "photo", "WEBP", "GIF"])
def test_damage_is_none_or_a_picture(name):
    data = stored(name)
    for end in range(0, len(data), len(data) // 5):
        cut = data[:end]
        assert shrink(cut, "anthropic", "max") is None or end > 0.9 * len(data)
        turned = bytearray(data)
        for at in range(end, min(end + 40, len(data)), 7):
            turned[at] ^= 0x5A
        small = shrink(bytes(turned), "anthropic", "max")
        if small is not None:
            check(bytes(turned), small, "anthropic")


def test_text_chunks_of_a_png_that_unpack_to_megabytes():
    import zlib

    chunk = png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(80_000_000)))
    data = stored()[:33] + chunk + stored()[33:]
    small = shrink(data, "anthropic", "max")
    assert small is None or small.width < screen().width


def test_a_jpeg_of_countless_scans_is_not_decoded():
    data = saved(Image.new("L", (900, 600), 90), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    assert shrink(data[:-2] + last * 50 + b"\xff\xd9", "anthropic", "max") is not None
    assert shrink(data[:-2] + last * 200 + b"\xff\xd9", "anthropic", "max") is None


def test_unknown_levels_and_families_are_errors():
    for arguments in (("anthropic", "tiny"), ("kodak", "max")):
        with pytest.raises(ValueError, match="unknown"):
            shrink(stored(), *arguments)


PROGRAM = """
import sys, json
if sys.argv[1] == "without":
    sys.modules["PIL"] = None
from headroom_cli.images.shrink import shrink
from headroom_cli.images.alike import fingerprint
data = sys.stdin.buffer.read()
out = [shrink(data, "anthropic", "max") is None, fingerprint(data) is None]
print(json.dumps([*out, sys.modules.get("PIL") is not None, "numpy" in sys.modules]))
"""


@pytest.mark.parametrize(("way", "made", "expected"), [
    ("with", bomb, [True, True, False, False]),  # refused before a decoder is loaded
    ("without", stored, [True, True, False, False]),
    ("with", stored, [False, False, True, False]),
])  # fmt: skip
def test_what_is_imported(way, made, expected):
    done = subprocess.run([sys.executable, "-c", PROGRAM, way], input=made(), capture_output=True, timeout=60)
    assert json.loads(done.stdout) == expected


def test_a_rare_colour_is_kept():
    picture = page(scale=2, size=(600, 420), lines=12)
    for i in range(200):  # so many colours that a palette has none to spare
        picture.paste((i, 255 - i // 2, (i * 7) % 256), (20 + i * 5, 780, 25 + i * 5, 800))
    ImageDraw.Draw(picture).ellipse((1100, 300, 1111, 311), fill=(255, 0, 0))
    small = shrink(saved(picture, compress_level=0), "anthropic", "balanced")
    shown = opened(small).convert("RGB")
    x, y = round(1105 * small.width / 1200), round(305 * small.height / 840)
    red, green, blue = shown.getpixel((x, y))
    assert red > 200
    assert max(green, blue) < 80


def test_text_on_a_photo_stays_readable():
    picture = photo(1200, 900)
    lines = page(size=(500, 160), letters=15, lines=3, theme="dark")
    picture.paste(lines, (350, 300))
    assert measure.kind_of(measure.features(picture)) == "screenshot"
    small = shrink(saved(picture, "JPEG", quality=92), "anthropic", "balanced")
    assert small is None or small.width > 0.8 * picture.width


@pytest.mark.parametrize("seed", range(4))
def test_a_photo_is_no_text(seed):
    assert measure.kind_of(measure.features(photo(900, 700, seed))) == "photo"
