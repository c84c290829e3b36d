"""``--diff``: what a filter would change, block by block, as a unified diff.

The stages run one after the other, as in a pipe, in a store that is thrown away: renderings hold the markers that they
would have, and nothing is kept or noted.
"""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher

from headroom_cli import engine, formats, tokens
from headroom_cli.cli import filters, io, report
from headroom_cli.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from difflib import Match

    from headroom_cli.cli.options import Verb
    from headroom_cli.formats import Document
    from headroom_cli.model import Block, Report
    from headroom_cli.settings import Settings
    from headroom_cli.store import Store

CONTEXT = 3  # unchanged lines around a change, as diff -u has them
# Pairs of equal lines that difflib may look at (0.1 s); above, equal lines are found in one pass.
MOST_PAIRS = 300_000
AHEAD = 2_000  # lines within which that pass looks for one that stands several times
_BOLD, _RED, _GREEN, _CYAN, _PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[0m"
_COLORS = {"-": _RED, "+": _GREEN, "@": _CYAN}
_NOWHERE = "/dev/null"


class Change:
    """One block that a stage changes: its place and text before and after, "" for none; ``kind`` may be unknown."""

    __slots__ = ("after", "before", "kind", "lines", "paths", "sizes", "stage")

    def __init__(self, stage: str, old: Block | None, new: Block | None, kind: str) -> None:
        """Hold one change; a block that comes has no ``old``, one that goes no ``new``."""
        self.stage = stage
        self.kind = kind
        self.paths = tuple(_NOWHERE if block is None else block.path or "input" for block in (old, new))
        texts = ["" if block is None else block.text for block in (old, new)]
        self.sizes = tokens.count(texts[0]), tokens.count(texts[1])
        self.lines = list(hunks(*(text.removesuffix("\n").split("\n") if text else [] for text in texts)))


def show(data: bytes, verb: Verb, settings: Settings) -> int:
    """Write what ``verb`` would change to standard output. Raise FormatError, StoreError."""
    import tempfile

    from headroom_cli.store import Store

    try:
        folder = tempfile.TemporaryDirectory(prefix="headroom-")
    except OSError as error:
        raise StoreError(f"no temporary folder can be made ({io.reason(error)}); make room or set TMPDIR") from error
    with folder:
        count = before = after = 0
        for place, document in _documents(data, settings):
            for change in _changes(document, verb, settings, Store(f"{folder.name}/store")):
                count += 1
                before += change.sizes[0]
                after += change.sizes[1]
                _write(change, place, settings)
    if report.wants_summary(settings) and not settings.json:
        counted = "tokens" if tokens.is_exact() else "tokens (estimated)"
        noun = "change" if count == 1 else "changes"
        only = "; of the structure, such as cache breakpoints, nothing is shown" if "align" in verb.stages else ""
        io.tell(f"headroom {verb.name}: {count:,} {noun}, {before:,} -> {after:,} {counted}; nothing was stored{only}")
    return 0


def _documents(data: bytes, settings: Settings) -> Iterator[tuple[str, bytes]]:
    """Yield the documents of the input, each with what its paths begin with."""
    if settings.format in {"", "jsonl"} and formats.are_request_lines(data):
        for number, line in enumerate(data.splitlines(), 1):
            if formats.is_request_line(line):
                yield f"{number}:", line
        return
    yield "", data


def _changes(data: bytes, verb: Verb, settings: Settings, store: Store) -> Iterator[Change]:
    """Run the stages and yield what each of them changes."""
    policy = filters.policy_of(settings)
    for stage in verb.stages:
        try:
            old = formats.parse(data, settings.format)
        except UnicodeDecodeError as error:
            report.warn(f"input is not UTF-8 text (byte {error.start:,}); nothing would change", settings)
            return
        if stage == "align" and not old.has_turns and "route" in verb.stages:
            continue  # to crush, a raw blob is output to be read and no prompt
        result = engine.crush(
            data, policy, store, form=settings.format, model=settings.model, stages=(stage,)
        )  # fmt: skip
        for warning in result.warnings:
            report.warn(warning, settings)
        yield from _pictures(stage, result.blocks)
        if result.data != data:
            new = formats.parse(result.data, settings.format)
            reports = {block.path: block for block in result.blocks}
            yield from (Change(stage, *pair, _kind(pair, reports)) for pair in _pairs(old, new))
            data = result.data


def _pictures(stage: str, blocks: Sequence[Report]) -> Iterator[Change]:
    """Yield the pictures that become smaller: they have tokens and no lines."""
    for block in blocks:
        if block.kind == "image" and block.after != block.before:
            change = Change(stage, None, None, "image")
            change.paths, change.sizes = (block.path, block.path), (block.before, block.after)
            yield change


def _kind(pair: tuple[Block | None, Block | None], reports: dict[str, Report]) -> str:
    """Return the kind that a block was taken for, "" where no stage has asked."""
    block = pair[0] or pair[1]
    told = reports.get(block.path) if block is not None else None
    return told.kind if told is not None else ""


def _pairs(old: Document, new: Document) -> Iterator[tuple[Block | None, Block | None]]:
    """Yield the blocks that differ: both sides, or one where a block comes or goes."""
    before, after = old.blocks, new.blocks
    if [block.path for block in before] == [block.path for block in after]:
        yield from (pair for pair in zip(before, after, strict=True) if pair[0].text != pair[1].text)
        return
    matcher = _matcher([block.text for block in before], [block.text for block in after])
    for what, i, i_end, j, j_end in matcher.get_opcodes():
        if what == "equal":
            continue
        if i_end - i == j_end - j:
            yield from zip(before[i:i_end], after[j:j_end], strict=True)
            continue
        yield from ((block, None) for block in before[i:i_end])
        yield from ((None, block) for block in after[j:j_end])


class _Ahead(SequenceMatcher[str]):
    """Finds equal lines in one pass: renderings keep lines in their order, so the next equal one is mostly the one."""

    def __init__(self, before: Sequence[str], after: Sequence[str]) -> None:
        """Take two texts by lines."""
        super().__init__(None, before, after)
        self._lines = before, after

    def get_matching_blocks(self) -> list[Match]:
        """Return the runs of equal lines, as the base class does."""
        from bisect import bisect_left
        from difflib import Match

        places: dict[str, list[int]] = {}
        before, after = self._lines
        for number, line in enumerate(before):
            places.setdefault(line, []).append(number)
        found: list[tuple[int, int, int]] = []
        at = 0
        for j, line in enumerate(after):
            known = places.get(line, [])
            index = bisect_left(known, at)
            if index == len(known) or (len(known) > 1 and known[index] - at > AHEAD):
                continue
            at = known[index] + 1
            if found and found[-1][0] + found[-1][2] == known[index] and found[-1][1] + found[-1][2] == j:
                found[-1] = (*found[-1][:2], found[-1][2] + 1)
            else:
                found.append((known[index], j, 1))
        return [Match(*run) for run in (*found, (len(before), len(after), 0))]


def _matcher(before: Sequence[str], after: Sequence[str]) -> SequenceMatcher[str]:
    """Return difflib's own matcher where it is quick, and the one that looks ahead otherwise."""
    counts, others = Counter(before), Counter(after)
    pairs = sum(count * others[line] for line, count in counts.items())
    return SequenceMatcher(None, before, after) if pairs <= MOST_PAIRS else _Ahead(before, after)


def hunks(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a unified diff without its two headings."""
    for group in _matcher(before, after).get_grouped_opcodes(CONTEXT):
        first, last = group[0], group[-1]
        yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@"
        for what, i, i_end, j, j_end in group:
            if what == "equal":
                yield from (f" {line}" for line in before[i:i_end])
                continue
            yield from (f"-{line}" for line in before[i:i_end])
            yield from (f"+{line}" for line in after[j:j_end])


def _range(start: int, end: int) -> str:
    """Return a range of lines as unified diffs name it: from 1, with its length unless that is 1."""
    length = end - start
    if length == 1:
        return f"{start + 1}"
    return f"{start + 1 if length else start},{length}"


def _write(change: Change, place: str, settings: Settings) -> None:
    """Write one section: headings with path, kind and tokens, then the hunks."""
    paths = [path if path == _NOWHERE else place + path for path in change.paths]
    if settings.json:
        import json

        row = {
            "v": 1, "stage": change.stage, "kind": change.kind, "path_before": paths[0], "path_after": paths[1],
            "tokens_before": change.sizes[0], "tokens_after": change.sizes[1], "estimated": not tokens.is_exact(),
            "diff": "\n".join(change.lines),
        }  # fmt: skip
        io.write(json.dumps(row).encode() + b"\n")
        return
    colored = not settings.no_color and io.is_terminal(io.STDOUT)
    said = [f"{change.kind or change.stage}, {size:,} tokens" for size in change.sizes]
    lines = [f"--- {paths[0]}\t{said[0]}", f"+++ {paths[1]}\t{said[1]}"]
    shown = [f"{_BOLD}{line}{_PLAIN}" if colored else line for line in map(clean, lines)]
    for line in map(clean, change.lines):
        color = _COLORS.get(line[:1]) if colored else None
        shown.append(f"{color}{line}{_PLAIN}" if color else line)
    io.write("".join(f"{line}\n" for line in shown).encode("utf-8", "backslashreplace"))


def clean(line: str) -> str:
    """Return a line in which nothing drives a terminal; tabs stay."""
    return line if line.isprintable() else "\t".join(map(report.clean, line.split("\t")))
