"""Say what pictures cost after shrinking, whether their text can still be read, and how fast that is.

Usage: python benchmarks/images.py [--level LEVEL] [--family FAMILY] [--no-ocr] [--each] [FOLDER ...]
Pictures are those of the outside samples (when they are beside the checkout) and of the folders; the name of a
picture's folder is its kind. Tokens are counted by the family's rule after the provider's own downscale, and for
Anthropic also by the rule it published before, w * h / 750. Words are read by tesseract, when it is
installed, from the picture as the provider would show it and from the picture as it is: those that it reads twice,
from the picture and from the picture enlarged, for of icons and borders it reads other words each time. Recall is the
share of them that it reads from the small picture, as it is and enlarged to twice its size, because a model, unlike
tesseract, reads letters of six pixels. Counted are the pictures that changed and had eight words; beside it stands
the share over all pictures, where those that did not change lost nothing.
"""

from __future__ import annotations

import argparse
import collections
import io
import json
import math
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image

from headroom_cli.images import cost, head, pixels
from headroom_cli.images.shrink import shrink

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from inputs import CORPUS

SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".webp"}
WORD = re.compile(r"[^\W_]{2,}")
SURE = 60  # of 100: what tesseract says of a word that it read
FEWEST = 8  # words


def samples(folders: list[str]) -> list[tuple[str, str, bytes]]:
    """Return (kind, name, bytes) of all pictures."""
    found = []
    manifest = CORPUS / "MANIFEST.jsonl"
    if manifest.exists() and not folders:
        for line in manifest.read_text().splitlines():
            row = json.loads(line)
            if row["kind"] == "images":
                found.append((row["sub"], row["id"], (CORPUS / row["path"]).read_bytes()))
    for folder in folders:
        paths = [path for path in sorted(Path(folder).rglob("*")) if path.suffix.lower() in SUFFIXES]
        found += [(path.parent.name, path.name, path.read_bytes()) for path in paths]
    return found


def by_area(width: int, height: int) -> float:
    """Return the tokens by Anthropic's older rule: w * h / 750 after scaling to 1568 pixels and 1600 tokens."""
    factor = min(1.0, 1568 / max(width, height), math.sqrt(1600 * 750 / (width * height)))
    return width * height * factor * factor / 750


def words(picture: Image.Image, times: int) -> collections.Counter[str]:
    """Return the words that tesseract reads with confidence."""
    target = io.BytesIO()
    size = (picture.width * times, picture.height * times)
    picture.resize(size, Image.Resampling.BICUBIC).save(target, "PNG", compress_level=1)
    done = subprocess.run(
        ["tesseract", "-", "-", "--psm", "11", "tsv"],
        input=target.getvalue(), capture_output=True, check=True, env={"OMP_THREAD_LIMIT": "1", "PATH": "/usr/bin"},
    )  # fmt: skip
    counted: collections.Counter[str] = collections.Counter()
    for line in done.stdout.decode().splitlines()[1:]:
        columns = line.split("\t")
        if len(columns) == 12 and float(columns[10]) >= SURE:
            counted.update(word.lower() for word in WORD.findall(columns[11]))
    return counted


def decoded(data: bytes) -> Image.Image:
    told = head.read(data)
    picture = told and pixels.decode(data, told, told.upright)
    assert picture is not None
    ground = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")


class Recall:
    """Words of one way to look, summed over pictures."""

    def __init__(self) -> None:
        """Begin with none."""
        self.had = self.kept = self.same = 0
        self.worst: tuple[float, str] = (1.0, "")

    def add(self, name: str, before: collections.Counter[str], after: collections.Counter[str]) -> float:
        """Count the words of one picture; return its recall."""
        had, kept = sum(before.values()), sum((before & after).values())
        if had < FEWEST:
            return 1.0
        self.had += had
        self.kept += kept
        self.worst = min(self.worst, (kept / had, name))
        return kept / had

    def __str__(self) -> str:
        """Say the share, and the worst picture."""
        share, everywhere = self.kept / max(1, self.had), (self.kept + self.same) / max(1, self.had + self.same)
        worst, name = self.worst
        return f"{share:.3f} of {self.had} words, {everywhere:.3f} over all pictures, worst {worst:.2f} {name[-40:]}"


WAYS = ("as sent -> enlarged", "as sent -> small", "as it is -> enlarged", "as it is -> small")


def run(level: str, family: str, folders: list[str], *, ocr: bool, each: bool) -> None:
    totals: dict[str, list[float]] = collections.defaultdict(lambda: [0.0] * 7)
    recalls = {way: Recall() for way in WAYS}
    taken = read = decoded_pixels = larger = 0
    for kind, name, data in samples(folders):
        told = head.read(data)
        if told is None:
            print("not read:", name)
            continue
        start = time.perf_counter()
        small = shrink(data, family, level)
        spent = time.perf_counter() - start
        taken += spent
        read += len(data)
        decoded_pixels += told.width * told.height
        before = cost.tokens(*told.upright, family)
        size = (small.width, small.height) if small else told.upright
        made = small.data if small else data
        larger += len(made) > len(data) or cost.tokens(*size, family) > before
        row = (1, small is not None, before, cost.tokens(*size, family), by_area(*told.upright), by_area(*size))
        for label in (kind, "all"):
            totals[label] = [a + b for a, b in zip(totals[label], (*row, len(made) / len(data)), strict=True)]
        said = ""
        if ocr and small is None and kind != "photo":
            raw = decoded(data)
            same = sum((words(raw, 2) & words(raw, 1)).values()) if max(raw.size) < 2000 else 0
            for recall in recalls.values():
                recall.same += same
        if ocr and small is not None and small.kind != "photo":
            raw, after = decoded(data), decoded(small.data)
            sent = pixels.resized(raw, cost.sent(*raw.size, family))
            twice, once = words(after, 2), words(after, 1)
            shown = words(sent, 2) & words(sent, 1)
            whole = shown
            if raw.size != sent.size:
                whole = words(raw, 1) & words(raw, 2) if max(raw.size) < 2000 else words(raw, 1) & words(sent, 2)
            pairs = (shown, twice), (shown, once), (whole, twice), (whole, once)
            said = " ".join(f"{recalls[way].add(name, *pair):.2f}" for way, pair in zip(WAYS, pairs, strict=True))
        if each:
            what = (
                f"{small.width}x{small.height} {small.tokens_after} {small.media_type[6:]} {small.kind}: {small.why}"
                if small
                else "-"
            )
            print(
                f"{name[-44:]:44} {told.upright[0]}x{told.upright[1]} {before} -> {what} {spent * 1e3:.0f} ms {said}",
                flush=True,
            )
    print(f"{family}, {level}")
    print(f"{'kind':20} {'pictures':>8} {'changed':>7} {'tokens':>7} {'after':>7} {'share':>6} {'w*h':>8} {'bytes':>6}")
    for label, (count, changed, before, after, old_before, old_after, bytes_) in totals.items():
        print(
            f"{label:20} {count:8.0f} {changed:7.0f} {before:7.0f} {after:7.0f} {after / before:6.3f} "
            f"{old_after / old_before:8.3f} {bytes_ / count:6.3f}"
        )
    print(f"larger: {larger}; {read / 1e6 / taken:.1f} MB/s, {taken * 1e9 / decoded_pixels:.0f} ms per Mpx")
    if ocr:
        for way in WAYS:
            print(f"words, {way}: {recalls[way]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--level", default="balanced", choices=("safe", "balanced", "max"))
    parser.add_argument("--family", default="anthropic", choices=cost.FAMILIES)
    parser.add_argument("--no-ocr", action="store_true")
    parser.add_argument("--each", action="store_true", help="a line for each picture")
    args = parser.parse_args()
    ocr = not args.no_ocr and shutil.which("tesseract") is not None
    run(args.level, args.family, args.folders, ocr=ocr, each=args.each)
    return 0


if __name__ == "__main__":
    sys.exit(main())
