"""Text in small pictures is still read by an OCR engine, word for word."""

import collections
import io
import os
import re
import shutil
import subprocess

import pytest

Image = pytest.importorskip("PIL.Image")

from drawn import page, plot, saved, table  # noqa: E402

from headroom_cli.images import cost  # noqa: E402
from headroom_cli.images.pixels import resized  # noqa: E402
from headroom_cli.images.shrink import shrink  # noqa: E402

pytestmark = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
LEAST = 0.97  # of the words that are read before

# A screen of twice as many pixels as points is the usual one; what is small on a plain screen stays as it is.
SCREENS = {
    "terminal": lambda: page(11, scale=2, theme="dark", mono=True, size=(460, 230), letters=14, lines=6),
    "web page": lambda: page(12, scale=2, size=(500, 230), letters=15, lines=6),
    "table": lambda: table(scale=2).crop((0, 0, 1800, 384)),
}
MORE = {
    "dark web page": lambda: page(13, scale=2, theme="dark", size=(700, 500), letters=16, lines=14),
    "editor": lambda: page(14, scale=3, mono=True, size=(560, 400), letters=13, lines=12),
    "dark table": lambda: table(theme="dark"),
    "large": lambda: page(15, scale=3, size=(1000, 700), letters=16, lines=22),
    "plain screen": lambda: page(16, size=(1000, 700), letters=18, lines=18),
    "plot": plot,
}


def words(picture, times, layout, texts):
    """The words of some texts that tesseract reads; layout 6 is a page, 11 scattered words."""
    shown = picture.resize((picture.width * times, picture.height * times), Image.Resampling.BICUBIC)
    done = subprocess.run(
        ["tesseract", "-", "-", "--psm", layout],
        input=saved(shown, compress_level=1), capture_output=True, timeout=120,
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found, real = (
        collections.Counter(re.findall(r"[a-z]{3,}|\d{2,}", text.lower()))
        for text in (done.stdout.decode(), " ".join(texts))
    )
    return sum((found & real).values())


def check(name, level, times, *, must=False):
    picture = (SCREENS | MORE)[name]()
    layout = "6" if "page" in name or name == "terminal" else "11"  # 6 is lost among the rules of a table
    data = saved(picture, compress_level=1)
    small = shrink(data, "anthropic", level)
    assert small is not None or not must
    if small is None:
        return
    sent = resized(picture, cost.sent(*picture.size, "anthropic"))
    shown = Image.open(io.BytesIO(small.data)).convert("RGB")
    before, after = (words(each, times, layout, picture.info["texts"]) for each in (sent, shown))
    assert before >= 10
    assert after >= LEAST * before


@pytest.mark.parametrize("name", SCREENS)
def test_screens_can_still_be_read(name):
    check(name, "balanced", 2, must=True)


@pytest.mark.long
@pytest.mark.parametrize("level", ["safe", "balanced"])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("name", [*SCREENS, *MORE])
def test_more_screens_can_still_be_read(name, level, times):
    check(name, level, times)
