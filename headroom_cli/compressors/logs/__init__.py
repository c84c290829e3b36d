"""Logs and test output: keep what went wrong, fold what repeats, say how many lines each gap holds.

Faithful steps first (escape codes, redrawn progress, identical neighbours, blank runs). Then lines are judged raw
(`_logs_lines`), grouped by template (`_logs_templates`), and of each template the first and last stay. Every distinct
error, failure, stack trace and exit status stays where it was; a gap says how many lines it held.
"""

from __future__ import annotations

from headroom_cli.compressors.logs import clean
from headroom_cli.compressors.logs.lines import NOTED, classify, decisive, stemmed
from headroom_cli.compressors.logs.pick import Log, pick, prepare
from headroom_cli.compressors.logs.shape import is_log, sniff
from headroom_cli.compressors.logs.templates import keys_of
from headroom_cli.model import FAITHFUL, LOSSY, Compressor, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from headroom_cli.model import Want

_HEX = b"abcdef"  # capitals stay: they are levels (E/Tag), and pytest writes "E   "
_APART = 255  # no class: lines with this key are judged one by one


def judge(texts: list[str]) -> tuple[bytearray, list[bytes], list[int]]:
    """Return the class of each line, the distinct keys, and the number of the key of each line."""
    keys = keys_of(texts)
    number: dict[bytes, int] = {}
    rows = [number.setdefault(key, len(number)) for key in keys]
    samples = [""] * len(number)
    for row in range(len(texts) - 1, -1, -1):
        samples[rows[row]] = texts[row]
    masks = stemmed(samples)
    # Keys that differ in hexadecimal letters only and hold the same stems are of one class: hashes cost nothing.
    bare = b"\n".join(number).translate(None, _HEX).split(b"\n")
    kinds = bytearray(len(samples))
    memo: dict[tuple[bytes, int], int] = {}
    single: dict[int, tuple[Callable[[str], object], dict[str, int]]] = {}
    apart: dict[tuple[bytes, int], tuple[Callable[[str], object], dict[str, int]]] = {}
    for at, sample in enumerate(samples):
        mask = masks[at]
        look = (bare[at], mask)
        kind = memo.get(look, -1)
        if kind < 0:
            kind = classify(sample, stem=mask != 0)
            numbers = decisive(sample) if mask else None
            if numbers is not None:
                kind = _APART
                apart[look] = (numbers, {})
            memo[look] = kind
        if kind == _APART:
            single[at] = apart[look]
        kinds[at] = kind
    classes = bytearray(map(kinds.__getitem__, rows))
    if single:
        for row, at in enumerate(rows):
            found = single.get(at)
            if found is not None:
                numbers, known = found
                said = str(numbers(texts[row]))
                kind = known.get(said, -1)
                if kind < 0:
                    kind = known[said] = classify(texts[row])
                classes[row] = kind
    return classes, list(number), rows


def compress(text: str, want: Want) -> Draft | None:
    """Return the shorter log, or None when there is nothing to gain or the time is over."""
    total = text.count("\n") + (not text.endswith("\n"))
    if len(text) < 40:
        return None
    newline = "\r\n" if "\r\n" in text and text.count("\r\n") == text.count("\n") else "\n"
    plain = text.replace("\r\n", "\n") if newline == "\r\n" else text
    texts, counts = clean.fold(clean.visible(plain))
    if want.spent():
        return None
    end = newline if text.endswith("\n") else ""
    faithful = newline.join(map(clean.written, texts, counts)) + end
    draft = Draft(faithful, FAITHFUL) if len(faithful) < len(text) else None
    if want.lossless or not texts:
        return draft
    if not (want.asked or is_log(plain, want.hint)):
        return draft
    classes, keys, rows = judge(texts)
    if want.spent():
        return None
    if want.level != "max" and want.budget is None:
        notes = sum(text.startswith("[... ") and NOTED.match(text) is not None for text in texts)
        if notes * 50 >= len(texts):
            return draft  # a rendering of ours already: only an explicit wish for less goes further
    log = Log(texts, counts, classes, rows)
    prepare(log, keys)
    if want.spent():
        return None
    made = pick(log, want)
    if made is None:
        return None
    missing = made.missing(total)
    short = made.text(newline) + end
    if not missing or len(short) >= len(faithful):
        return draft
    return Draft(short, LOSSY, missing)


COMPRESSOR = Compressor(
    "logs",
    ("log", "test-log"),
    sniff,
    compress,
    "logs and test output: errors, failures and traces verbatim, repeats folded, passing tests counted",
)
