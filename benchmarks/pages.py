"""Say how much of a page's visible text stays, how fast pages are read, and whether time is linear on hostile markup.

Usage: python benchmarks/pages.py [--quick] [PAGE.html ...]
For each page given (or generated): tokens left, words of the visible text that stay, tables, verbatim blocks and links
kept. The visible text is found by the standard library's parser, not by ours. Then MB/s on 10 MB pages, and
milliseconds for 1 MiB of hostile markup with time(2n)/time(n), in CPU time.
"""

from __future__ import annotations

import argparse
import html.parser
import random
import sys
import time
from typing import TYPE_CHECKING

from headroom_cli import tokens
from headroom_cli.compressors.pages import COMPRESSOR
from headroom_cli.model import Want

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20
SILENT = frozenset(("script", "style", "svg", "head", "title"))
WORDS = ("the", "page", "of", "every", "reader", "holds", "lines", "that", "say", "what", "it", "is", "about", "where")


class Visible(html.parser.HTMLParser):
    """Words, cells, verbatim blocks and links of a page, read by other code than ours."""

    def __init__(self, text: str) -> None:
        """Read the whole page."""
        super().__init__()
        self.words: list[str] = []
        self.cells: list[str] = []
        self.verbatim: list[str] = []
        self.links: list[str] = []
        self._silent: list[str] = []
        self._in: list[str] = []
        self._part = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a silent element, a cell or a verbatim block; note a link."""
        if tag in SILENT:
            self._silent.append(tag)
        if tag in ("td", "th", "pre"):
            self._in, self._part = [tag], ""
        if tag == "a":
            self.links.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        """Close what is open."""
        if tag in self._silent:
            self._silent.remove(tag)
        if tag in self._in:
            (self.verbatim if tag == "pre" else self.cells).append(" ".join(self._part.split()))
            self._in = []

    def handle_data(self, data: str) -> None:
        """Take what a reader sees."""
        if not self._silent:
            self.words.extend(data.split())
            self._part += data if self._in else ""


def _share(wanted: list[str], said: str) -> str:
    wanted = [text for text in wanted if text]
    return f"{sum(text in said for text in wanted) / len(wanted):8.3f}" if wanted else "       -"


def _want(level: str = "balanced") -> Want:
    return Want(lambda text: tokens.count(text, ""), level=level, asked=True)


def article(rng: random.Random, size: int) -> str:
    out, got = ["<!DOCTYPE html><html><head><title>Generated</title></head><body>"], 0
    while got < size:
        words = " ".join(rng.choices(WORDS, k=40))
        piece = (
            f'<div class="row {rng.getrandbits(64):x}" data-id="{rng.getrandbits(64):x}" style="margin:0 auto"><h2>'
            f"{words[:30]}</h2><p class='text'>{words} <a href=\"/p/{rng.randrange(9999)}\">more</a></p>"
            f"<table><tr><th>a<th>b<tr><td>{rng.randrange(999)}<td>{words[:20]}</table>"
            f"<script>window.x{rng.randrange(99)} = {{a: '{rng.getrandbits(256):x}', b: function() {{ return 1 }}}};"
            f'</script><svg><path d="M{rng.getrandbits(256)} 0"/></svg></div>\n'
        )
        out.append(piece)
        got += len(piece)
    return "".join(out)


def links(rng: random.Random, size: int) -> str:
    out, got = ["<html><body><ul>"], 0
    while got < size:
        name = " ".join(rng.choices(WORDS, k=4))
        piece = f'<li class="item"><a href="/docs/{rng.randrange(10**6)}.html">{name}</a></li>\n'
        out.append(piece)
        got += len(piece)
    return "".join(out)


def report(rng: random.Random, size: int) -> str:
    out, got = ['<?xml version="1.0"?>\n<testsuite name="all">\n'], 0
    while got < size:
        piece = f'  <testcase classname="org.x.T{rng.randrange(99)}" name="case {rng.randrange(9999)}" time="0.01"/>\n'
        out.append(piece)
        got += len(piece)
    return "".join((*out, "</testsuite>\n"))


HOSTILE: dict[str, Callable[[int], str]] = {
    name: lambda n, unit=unit: unit * (n // len(unit))  # type: ignore[misc]
    for name, unit in {
        "open comments": "<!--", "open CDATA": "<![CDATA[", "open scripts": "<script>", "open quotes": '<a b="',
        "quotes over tags": '<a b=">', "tables": "<table><tr><td>x", "cells": "<table><td>x", "divs": "<div>",
        "lists": "<ul><li>x", "links": "<a href=x><div>", "choices": "<select><option>", "drawings": "<svg><text>",
        "angle brackets": "<", "references": "<p>&lt;</p>", "elements": "<q1>", "server code": "<%",
        "headings": "<h1>x",
        "spans": "<table><tr><td colspan=60 rowspan=9999>x",
    }.items()
}  # fmt: skip


def clock(text: str, level: str = "balanced", rounds: int = 3) -> float:
    best = 1e9
    for _ in range(rounds):
        start = time.process_time()
        COMPRESSOR.compress(text, _want(level))
        best = min(best, time.process_time() - start)
    return best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1 MB pages instead of 10 MB")
    parser.add_argument("pages", nargs="*", metavar="PAGE.html")
    said = parser.parse_args()
    size = 1_000_000 if said.quick else 10_000_000
    makers = (article, links, report)
    samples = {make.__name__: make(random.Random(7), 100_000) for make in makers[:2]}
    for path in said.pages:
        with open(path, encoding="utf-8", errors="replace") as file:
            samples[path.rpartition("/")[2]] = file.read()
    print(f"{'page':28} {'tokens':>7} {'words':>8} {'cells':>8} {'pre':>8} {'links':>8}")
    for name, text in samples.items():
        draft = COMPRESSOR.compress(text, _want())
        if draft is None:
            continue
        seen, made = Visible(text), " ".join(draft.text.split())
        have = set(made.split())
        words = sum(word in have for word in seen.words) / max(1, len(seen.words))
        left = tokens.count(draft.text, "") / max(1, tokens.count(text, ""))
        print(
            f"{name[:28]:28} {left:7.3f} {words:8.3f} {_share(seen.cells, made)} {_share(seen.verbatim, made)}"
            f" {_share(seen.links, draft.text)}"
        )
    print(f"\n{'kind of page':18} {'level':>9} {'MB/s':>7}")
    for make in makers:
        text = make(random.Random(7), size)
        for level in ("balanced", "safe"):
            print(f"{make.__name__:18} {level:>9} {len(text) / 1e6 / clock(text, level, 1):7.1f}", flush=True)
    print(f"\n{'1 MiB of':18} {'ms':>7} {'t(2n)/t(n)':>10}")
    for name, flood in HOSTILE.items():
        once, twice = clock(flood(MIB)), clock(flood(2 * MIB))
        print(f"{name:18} {once * 1e3:7.1f} {twice / max(once, 1e-4):10.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
