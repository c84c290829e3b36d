"""``headroom align``: volatile values behind the stable prefix; ``--explain`` says which, and what that saves."""

from __future__ import annotations

from headroom_cli.cli import filters, io, report
from headroom_cli.cli.options import DIFF, FILE, OUTPUT, Verb
from headroom_cli.settings import Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from headroom_cli.align import Aligned, Moved
    from headroom_cli.formats import Document
    from headroom_cli.settings import Settings

SHOWN = 60  # characters of a value: it may be an id that is as good as a key
SAVED = 0.9  # of plain input: what a token costs less where it is read from a cache


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Align, or explain what would be moved."""
    if own.get("explain") == "true":
        return _explain(settings, own.get("file", "-"))
    return filters.run(VERB, settings, own)


def _explain(settings: Settings, file: str) -> int:
    """Write one line per value to standard output; store and change nothing. Raise FormatError."""
    if status := filters.refuse_terminal(VERB, file):
        return status
    from headroom_cli import tokens

    rows: list[tuple[str, ...]] = []
    for line, document in _documents(io.Source(file).read(), settings):
        aligned = _aligned(document, settings)
        if aligned.why and not aligned.moved:
            report.warn(f"{f'line {line}: ' if line else ''}nothing moves: {aligned.why}", settings)
        for moved in aligned.moved:
            size = tokens.count(moved.behind)
            if settings.json:
                _tell(_row(line, moved, size))
            else:
                cells = (_path(line, moved.path), moved.kind, moved.placeholder, f"{size:,}", f"{size * SAVED:,.0f}")
                rows.append((*cells, report.clean(moved.text)[:SHOWN]))
        for path in aligned.breakpoints:
            if settings.json:
                _tell({"v": 1, **({"line": line} if line else {}), "path": path, "kind": "breakpoint"})
            else:
                rows.append((_path(line, path), "breakpoint", "-", "-", "-", "-"))
    if rows:
        heading = ("path", "kind", "placeholder", "tokens behind", "saves", "value")
        io.write(report.table(rows, heading, right=frozenset({3, 4})).encode("utf-8", "backslashreplace"))
    return 0


def _documents(data: bytes, settings: Settings) -> Iterator[tuple[int, Document]]:
    """Yield the documents of the input, with their line if they are lines, 0 if it is one document."""
    from headroom_cli import formats

    if settings.format in ("", "jsonl") and formats.are_request_lines(data):
        for number, line in enumerate(data.splitlines(), 1):
            document = formats.request_line(line)
            if document is not None:
                yield number, document
        return
    try:
        yield 0, formats.parse(data, settings.format)
    except UnicodeDecodeError as error:
        report.warn(f"input is not UTF-8 text (byte {error.start:,})", settings)


def _aligned(document: Document, settings: Settings) -> Aligned:
    """Return what align would do, with what the store remembers of the conversation; nothing is written back."""
    from headroom_cli.align import align
    from headroom_cli.errors import StoreError
    from headroom_cli.renderings import Notes, Renderings

    try:
        return align(document, Notes(Renderings(document, filters.open_store(settings)), "align"), live=settings.live)
    except StoreError as error:
        report.warn(f"{error}; what the store remembers is left out", settings)
        return align(document, Notes(Renderings(document, None), "align"), live=settings.live)


def _row(line: int, moved: Moved, size: int) -> dict[str, object]:
    """Return a value as an object of the JSON report."""
    return {
        "v": 1, **({"line": line} if line else {}), "path": moved.path, "kind": moved.kind, "label": moved.label,
        "placeholder": moved.placeholder, "text": moved.text[:SHOWN], "tokens_behind": size,
        "saves": round(size * SAVED),
    }  # fmt: skip


def _path(line: int, path: str) -> str:
    return f"{line}:{path}" if line else path or "-"


def _tell(row: dict[str, object]) -> None:
    import json

    io.write(json.dumps(row).encode() + b"\n")


VERB = Verb(
    "align",
    run,
    about="move dates, ids and other volatile values behind the prefix that providers cache",
    text="""
        A provider reads a prompt from its cache up to the first byte that differs. At a conversation's first request
        each value that is of this request or session alone (dates, clocks, ids, counters, temporary paths, the state
        of a repository) gives way in system prompts, descriptions of tools and what a harness put before the user's
        words to a placeholder such as {current date}, and one block behind the first turn of the user says what the
        placeholders stand for. Later requests get the same placeholders and the same block; values that are others by
        then are said in a block behind the newest turn, which stays there.

        Tools keep the order and the bytes of the first request. Requests in Anthropic's format get cache breakpoints
        where the client left room for them. The user's words, the model's turns and signed blocks are not touched, and
        nothing moves in a conversation that began elsewhere and holds signed blocks; with --live, in none.

        A raw blob is aligned as a system prompt, its values going to its end, if it reads as one. `headroom retrieve
        --expand` takes everything back. With --explain it writes one line per value instead: path, kind, placeholder,
        the tokens between it and the next value (estimates), what they cost less per request when they are read from
        a cache at a tenth of the price, and the value.
    """,
    arguments=(FILE,),
    own=(
        Setting(
            "explain", ("--explain",), "", "switch", "",
            "write one line per value instead of the document; JSON Lines with --json",
        ),
        DIFF,
        OUTPUT,
    ),
    examples=(
        ("headroom align --explain request.json", "see what ends the prefix, and what moving it saves"),
        ("headroom align request.json | curl -d @- ...", "send a request whose head stays the same"),
        ("headroom align trace.json | headroom route | headroom fit --budget 50000", "do what crush does, in stages"),
    ),
    statuses=((65, "the input is not what --from said"),),
    stages=("align",),
)  # fmt: skip
