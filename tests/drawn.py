"""Pictures drawn for tests: screens with text, photos, plots, and bytes that only look like pictures."""

from __future__ import annotations

import io
import random
import struct
import zlib

from PIL import Image, ImageDraw, ImageFilter, ImageFont

FOLDER = "/usr/share/fonts/truetype/dejavu/"
WORDS = """
    request server connection timeout retry worker database migration deploy cluster memory buffer packet invoice
    customer account balance report quarterly revenue forecast engine pressure valve sensor reading measured value
    between morning evening river mountain village bridge garden window kitchen answer question history language
""".split()  # noqa: SIM905 - a list of forty literals reads worse
THEMES = {"light": ("white", "black", "#0550ae"), "dark": ("#1e1e1e", "#d4d4d4", "#9cdcfe")}


def font(size, *, mono=False):
    try:
        return ImageFont.truetype(f"{FOLDER}DejaVuSans{'Mono' if mono else ''}.ttf", size)
    except OSError:
        return ImageFont.load_default(size)


def saved(picture, name="PNG", **options):
    target = io.BytesIO()
    picture.save(target, name, **options)
    return target.getvalue()


def sentence(rng, count=9):
    return " ".join(rng.choice(WORDS) for _ in range(count)) + f" {rng.randrange(100, 9999)}."


def page(seed=1, *, scale=1, theme="light", mono=False, size=(1000, 700), letters=15, lines=24):
    """A screen of text, also in ``info["texts"]``; ``letters`` is the font's size in points of ``scale`` pixels."""
    rng = random.Random(seed)
    ground, ink, accent = THEMES[theme]
    picture = Image.new("RGB", (size[0] * scale, size[1] * scale), ground)
    draw = ImageDraw.Draw(picture)
    face, large = font(letters * scale, mono=mono), font(letters * 2 * scale)
    texts = ["Quarterly report of the cluster", *(sentence(rng) for _ in range(lines))]
    picture.info["texts"] = texts
    draw.text((24 * scale, 16 * scale), texts[0], font=large, fill=ink)
    for i in range(lines):
        top = (70 + int(i * letters * 1.7)) * scale
        draw.text((24 * scale, top), texts[i + 1], font=face, fill=accent if i % 5 == 2 else ink)
    return picture


def table(seed=2, *, scale=2, theme="light"):
    rng = random.Random(seed)
    ground, ink, _ = THEMES[theme]
    picture = Image.new("RGB", (900 * scale, 620 * scale), ground)
    draw = ImageDraw.Draw(picture)
    face = font(14 * scale)
    for row in range(20):
        y = (20 + row * 29) * scale
        draw.line((10 * scale, y + 24 * scale, 890 * scale, y + 24 * scale), fill="#808080", width=scale)
        for column in range(5):
            text = rng.choice(WORDS) if column % 2 == 0 else f"{rng.randrange(1000, 99999)}"
            picture.info["texts"] = [*picture.info.get("texts", ()), text]
            draw.text(((20 + column * 175) * scale, y), text, font=face, fill=ink)
    return picture


def photo(width=1600, height=1200, seed=3):
    """Soft shapes with grain, as a camera sees them."""
    rng = random.Random(seed)
    small = Image.new("RGB", (24, 18))
    small.putdata([tuple(rng.randrange(40, 220) for _ in range(3)) for _ in range(24 * 18)])
    soft = small.resize((width, height), Image.Resampling.BICUBIC)
    grain = Image.frombytes("L", (width, height), rng.randbytes(width * height)).convert("RGB")
    return Image.blend(soft, grain, 0.08).filter(ImageFilter.SMOOTH)


def plot(width=1400, height=900):
    rng = random.Random(4)
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    draw.line((100, 40, 100, height - 90, width - 40, height - 90), fill="black", width=3)
    for i in range(10):
        draw.text((30, 40 + i * (height - 140) // 10), f"{100 - i * 10}", font=font(24), fill="black")
        draw.text((110 + i * (width - 160) // 10, height - 70), f"week {i}", font=font(24), fill="black")
    picture.info["texts"] = [f"week {i} {100 - i * 10}" for i in range(10)]
    points = [(100 + i * (width - 150) // 40, rng.randrange(80, height - 120)) for i in range(41)]
    draw.line(points, fill="#1f77b4", width=4)
    return picture


def png_chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def bomb(width=50_000, height=50_000):
    """A PNG whose head claims gigapixels."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", zlib.compress(bytes(300_000))) + png_chunk(b"IEND", b"")
