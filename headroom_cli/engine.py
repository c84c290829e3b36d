"""The sketch of the whole program: document in, smaller document out, and back again.

    crush  = align -> route -> fit
    align  = volatile values out of the prefix             (align/)
    route  = (dedup -> draft, or replay) for each block    (replay.py, drafting.py)
    fit    = whole turns left out, down to a budget        (fit/)
    expand = undo fit -> recall each block -> undo align

``emit`` (emit.py) is the only place where an original gives way: it stores the original, waits until it is on disk, and
only then builds the marker. Stages and compressors propose; they can neither store nor mark.
"""

from __future__ import annotations

from headroom_cli import context, formats
from headroom_cli.emit import MARKER, emit, handle_of
from headroom_cli.errors import CorruptError, FailedOpenError, FormatError, NotFoundError, StoreError
from headroom_cli.model import Policy, Result
from headroom_cli.renderings import Renderings, before_edits, literal_of
from headroom_cli.stages import STAGES, Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from headroom_cli.formats import Document
    from headroom_cli.model import Block
    from headroom_cli.renderings import Notes
    from headroom_cli.stages import Prepared
    from headroom_cli.store import Store

    # (stage, result so far, what gives the document as a value)
    Watch = Callable[[str, Result, Callable[[], Any]], None]

# Runs that stand behind a document, at most, when it is expanded.
MOST_PASSES = 8

__all__ = ["MARKER", "STAGES", "crush", "crush_lines", "crush_value", "emit", "expand", "fetch"]


def crush(
    data: bytes,
    policy: Policy,
    store: Store | None,
    *,
    form: str = "",
    model: str = "",
    dry: bool = False,
    stages: tuple[str, ...] = STAGES,
    prepare: Callable[[Document, Notes], Prepared] | None = None,
    watch: Watch | None = None,
    document: Document | None = None,
) -> Result:
    """Return the same document, smaller; the bytes given when nothing is to be gained or something fails.

    ``document`` is what ``data`` was opened as, if it was. ``dry`` weighs every block as if it were stored and stores
    nothing: for ``--explain`` and for previews.
    ``prepare`` is for whoever sends the document on as a request: see ``stages.Prepared``. ``watch`` is told of stages
    (events.STAGES) that are done, with the result so far and what gives the document as it is by then.
    Without a store nothing changes (law 1). Raise FormatError only when ``form`` names a format that the data has not.
    """
    if document is None and form in ("", "jsonl") and formats.are_request_lines(data):
        lines = data.splitlines(keepends=True)
        return _joined(list(crush_lines(lines, policy, store, model=model, dry=dry, stages=stages)))
    try:
        document = document or formats.parse(data, form)
    except UnicodeDecodeError as error:
        return _untouched(data, policy, f"input is not UTF-8 text (byte {error.start:,}); passed through")
    return _staged(document, data, policy, store, model, dry=dry, stages=stages, prepare=prepare, watch=watch)[1]


def crush_value(
    value: Any, policy: Policy, store: Store | None, *, model: str = "", watch: Watch | None = None
) -> tuple[Any, Result]:
    """Crush a request or a list of messages given as Python values; return a copy that shares what did not change."""
    document, result = _staged(formats.of_value(value), b"", policy, store, model, watch=watch)
    return document.value(), result


def _staged(
    document: Document,
    data: bytes,
    policy: Policy,
    store: Store | None,
    model: str,
    *,
    dry: bool = False,
    stages: tuple[str, ...] = STAGES,
    prepare: Callable[[Document, Notes], Prepared] | None = None,
    watch: Watch | None = None,
) -> tuple[Document, Result]:
    """Run the stages; return the document as it is sent and the result. After a failure of the store: as it came."""

    def through(*, frozen: bool) -> Run:
        run = Run(document, data, policy, None if dry else store, model, usable=store is not None or dry, frozen=frozen)
        try:
            _run(run, document, stages, prepare, watch or _nobody)
        except StoreError as error:
            run.give_up(error)
        return run

    run = through(frozen=False)
    failure = run.result.failure
    if prepare is not None and isinstance(failure, StoreError):
        # A request under way: what was sent before is to be sent again also when nothing new can be stored. Edits of
        # its structure cannot be noted then, so a filter, whose output must lead back to its input, passes it whole.
        again = through(frozen=True)
        if again.repeats and not isinstance(again.result.failure, StoreError):
            run = again
            run.result.warnings.append(f"nothing new was compressed: {failure}")
            run.result.failure = failure
    result = run.result
    if document.warning and all(report.kind == "json" and not report.degree for report in result.blocks):
        result.warnings.append(f"{document.warning}; passed through")
        result.failure = FailedOpenError(result.warnings[-1])
    return run.document, result


def _nobody(_stage: str, _result: Result, _shown: Callable[[], Any]) -> None:
    """Take no notice."""


def _run(
    run: Run,
    document: Document,
    stages: tuple[str, ...],
    prepare: Callable[[Document, Notes], Prepared] | None,
    watch: Watch,
) -> None:
    """Do what the stages do. Raise StoreError."""
    if prepare is not None:
        run.enter(prepare)
    if run.alone:
        stages = ()
    if "fit" in stages and run.was_fitted():
        stages = ()
    # A raw blob is output to be read, unless somebody says by the verb that it is a prompt.
    if "align" in stages and (document.has_turns or "route" not in stages):
        run.align()
    watch("input_cached", run.result, run.shown())
    if "route" in stages:
        run.route()
    watch("input_routed", run.result, run.shown())
    if "fit" in stages:
        run.fit()
    watch("input_compressed", run.result, run.shown())
    run.accept()
    watch("input_remembered", run.result, run.shown())


def crush_lines(
    lines: Iterable[bytes],
    policy: Policy,
    store: Store | None,
    *,
    model: str = "",
    dry: bool = False,
    stages: tuple[str, ...] = STAGES,
) -> Iterator[Result]:
    """Crush JSON Lines of requests as they come: each line is a document, one line out per line in."""
    for line in lines:
        body = line.rstrip(b"\r\n")
        document = formats.request_line(body)
        if document is None:
            yield _untouched(line, policy, "")
            continue
        _, result = _staged(document, body, policy, store, model, dry=dry, stages=stages)
        result.data += line[len(body) :]
        yield result


def fetch(
    store: Store, handle: str, *, lines: str = "", rows: str = "", grep: str = "", query: str = "", area: str = ""
) -> bytes:
    """Return an original by its handle, or the parts of it that were asked for (see slices.cut).

    Raise NotFoundError, CorruptError, StoreError, UsageError.
    """
    data = store.fetch(handle)
    if lines or rows or grep or query or area:
        from headroom_cli.slices import cut

        data = cut(data, lines=lines, rows=rows, grep=grep, query=query, area=area)
    return data


def expand(data: bytes, store: Store, *, form: str = "") -> tuple[bytes, list[str]]:
    """Return the document as it was before compression, and the handles that could not be resolved.

    A block is given back only if its whole text is a recorded rendering in this place; other text stays, and so do
    markers in it. Edits of a document's structure are undone before that and after it: fit comes after route, align
    before it. Stages that ran in another order, or twice, are undone in further passes. Raise FormatError as ``crush``
    does.
    """
    if form in ("", "jsonl") and formats.are_request_lines(data):
        parts = []
        for line in data.splitlines(keepends=True):
            body = line.rstrip(b"\r\n")
            whole, missing = expand(body, store)
            parts.append((whole + line[len(body) :], missing))
        return b"".join(part for part, _ in parts), [handle for _, unknown in parts for handle in unknown]
    unknown: list[str] = []
    try:
        for _ in range(MOST_PASSES):
            unknown = []
            made, has_turns = _before(data, store, form, unknown)
            changed, data = made != data, made
            if not (changed and has_turns):
                break
    except UnicodeDecodeError:
        return data, []
    return data, unknown


def given(data: bytes, store: Store, *, form: str = "") -> set[str]:
    """Return the handles of the markers that runs put into a document.

    What others wrote is no marker, whatever it looks like: a marker counts where its whole text is a recorded rendering
    in this place, or where recorded edits of the document put it. Raise StoreError.
    """
    handles: set[str] = set()
    try:
        for _ in range(MOST_PASSES):
            made, has_turns = _before(data, store, form, [], handles)
            changed, data = made != data, made
            if not (changed and has_turns):
                break
    except (UnicodeDecodeError, FormatError):
        pass  # no document, no marker
    return handles - {""}


def note(data: bytes, store: Store, stage: str, notes: dict[str, Any], *, form: str = "") -> None:
    """Note something of the conversation that a document is of (see ``renderings.Notes``). Raise StoreError."""
    known = Renderings(formats.parse(data, form), store)
    for name, value in notes.items():
        known.set_note(stage, name, value)
    known.remember()


def note_edits(after: bytes, before: bytes, store: Store) -> None:
    """Record that the document ``after`` was made of ``before``, as one edit. Raise StoreError."""
    try:
        new, old = after.decode("utf-8"), before.decode("utf-8")
    except UnicodeDecodeError:
        return
    if new == old:
        return
    head = _shared(new, old)
    tail = _shared(new[head:][::-1], old[head:][::-1])
    known = Renderings(formats.parse(after), store)
    known.add_undo(new, [[(head, len(new) - tail, old[head : len(old) - tail])]])
    known.remember()


def _shared(one: str, other: str) -> int:
    """Return how many characters two texts begin with in common."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def _before(
    data: bytes, store: Store, form: str, unknown: list[str], handles: set[str] | None = None
) -> tuple[bytes, bool]:
    """Return a document as it was before a run, and whether it has turns.

    Add what could not be resolved to ``unknown``, and to ``handles`` those of the markers that the run made.
    """
    found: set[str] = set() if handles is None else handles
    data = _without_edits(data, store, unknown, found)
    document = formats.parse(data, form)
    known = Renderings(document, store)
    digests = [context.digest(block.text) for block in document.blocks]
    literals: list[tuple[Block, str]] = []
    for block, record in zip(document.blocks, known.along(document.blocks, digests), strict=True):
        if record is not None and "i" not in record:
            found.add(handle_of(block))
            try:
                literals.append((block, literal_of(store, record)))
            except (NotFoundError, CorruptError) as error:
                unknown.append(handle_of(block) or str(error))
        elif record is None and (handle := handle_of(block)) and not _resolves(store, handle):
            unknown.append(handle)
    data = document.splice(literals) if literals else data
    return _without_edits(data, store, unknown, found), document.has_turns


def _without_edits(data: bytes, store: Store, unknown: list[str], found: set[str]) -> bytes:
    """Return a document's bytes before the edits of its structure that made it."""
    text = data.decode("utf-8")
    try:
        before = before_edits(store, text)
        if before != text:
            found.update({handle for handle, _ in MARKER.findall(text)} - {h for h, _ in MARKER.findall(before)})
        return before.encode("utf-8")
    except (NotFoundError, CorruptError) as error:
        unknown.append(str(error))
        return data


def _resolves(store: Store, handle: str) -> bool:
    try:
        store.resolve(handle)
    except (NotFoundError, StoreError):
        return False
    return True


# --- JSON Lines of requests


def _joined(results: list[Result]) -> Result:
    """Make one result of many lines; paths get their line number."""
    whole = Result(b"".join(result.data for result in results), "jsonl", results[0].level)
    for number, result in enumerate(results, 1):
        for report in result.blocks:
            report.path = f"{number}:{report.path}"
        whole.blocks += result.blocks
        whole.before += result.before
        whole.after += result.after
        whole.warnings += [warning for warning in result.warnings if warning not in whole.warnings]
        whole.failure = whole.failure or result.failure
    return whole


def _untouched(data: bytes, policy: Policy, warning: str) -> Result:
    result = Result(data, "raw", policy.level_for(turns=False))
    if warning:
        result.warnings.append(warning)
        result.failure = FailedOpenError(warning)
    return result
