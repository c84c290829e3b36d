"""The sketch of the whole program: document in, smaller document out, and back again.

    crush  = parse -> (route -> draft) for each block -> emit -> splice
    expand = parse -> recall for each block -> splice

``emit`` is the only place where a block changes: it stores the original, waits until it is on disk, and only then
builds the marker. Compressors propose drafts; they can neither store nor mark.
"""

from __future__ import annotations

import time

from headroom_cli import context, formats
from headroom_cli.drafting import Drafter
from headroom_cli.errors import CorruptError, FailedOpenError, HeadroomError, NotFoundError, StoreError
from headroom_cli.lazy import pattern
from headroom_cli.model import LOSSY, RANGED, Draft, Policy, Report, Result
from headroom_cli.renderings import Renderings, literal_of, stands_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from headroom_cli.formats import Document
    from headroom_cli.model import Block
    from headroom_cli.store import Store

# Above this a block passes through: memory is promised up to 10 MB of input, time up to a little more.
MAX_BLOCK = 32_000_000  # characters
# The last guard over a whole document; limits proper are counted in input.
SECONDS_PER_DOCUMENT = 60.0

MARKER = pattern(r"<<headroom:([a-z2-7]{12,52}) ([ -;=?-~]{1,80})>>")


class Change:
    """A block, what it may become, where it stands, and its row of the report."""

    __slots__ = ("block", "context", "draft", "report")

    def __init__(self, block: Block, draft: Draft, report: Report, before: bytes) -> None:
        """``before`` is the context in front of the block."""
        self.block = block
        self.draft = draft
        self.report = report
        self.context = before


def crush(
    data: bytes, policy: Policy, store: Store | None, *, form: str = "", model: str = "", dry: bool = False
) -> Result:
    """Return the same document, smaller; the bytes given when nothing is to be gained or something fails.

    ``dry`` weighs every block as if it were stored and stores nothing: for ``--explain`` and for previews.
    Without a store nothing changes (law 1). Raise FormatError only when ``form`` names a format that the data has not.
    """
    if form in ("", "jsonl") and _are_request_lines(data):
        return _joined(list(crush_lines(data.splitlines(keepends=True), policy, store, model=model, dry=dry)))
    try:
        document = formats.parse(data, form)
    except UnicodeDecodeError as error:
        return _untouched(data, policy, f"input is not UTF-8 text (byte {error.start:,}); passed through")
    return _crush(document, data, policy, store, model, dry=dry)


def crush_value(value: Any, policy: Policy, store: Store | None, *, model: str = "") -> tuple[Any, Result]:
    """Crush a request or a list of messages given as Python values; return a copy that shares what did not change."""
    document = formats.of_value(value)
    result = _crush(document, b"", policy, store, model)
    return document.made, result


def _crush(
    document: Document, data: bytes, policy: Policy, store: Store | None, model: str, *, dry: bool = False
) -> Result:
    result = Result(data, document.format, policy.level_for(turns=document.has_turns))
    if policy.budget is not None and document.has_turns:
        result.warnings.append("--budget has no effect on a conversation yet; the level decides")
    drafter = Drafter(
        policy, turns=document.has_turns, model=model, deadline=time.perf_counter() + SECONDS_PER_DOCUMENT
    )
    try:
        known = Renderings(document, store)
        changes = _draft_all(document, drafter, result, known, usable=store is not None or dry)
        if store is not None and not dry:
            literals = _emit_all(document, _told_apart(changes, drafter, known), store, policy, known)
            if not document.has_turns and literals and not _reads_as_raw(document.splice(literals)):
                _keep_all(result, "its rendering reads as another format")
            else:
                known.remember()
                result.data = document.splice(literals) if literals else data
    except StoreError as error:
        _keep_all(result, "not stored")
        result.warnings.append(f"nothing was compressed: {error}")
        result.failure = error
    if document.warning and all(report.kind == "json" and not report.degree for report in result.blocks):
        result.warnings.append(f"{document.warning}; passed through")
        result.failure = FailedOpenError(result.warnings[-1])
    result.before = sum(report.before for report in result.blocks)
    result.after = sum(report.after for report in result.blocks)
    return result


def crush_lines(
    lines: Iterable[bytes], policy: Policy, store: Store | None, *, model: str = "", dry: bool = False
) -> Iterator[Result]:
    """Crush JSON Lines of requests as they come: each line is a document, one line out per line in."""
    for line in lines:
        body = line.rstrip(b"\r\n")
        document = formats.request_line(body)
        if document is None:
            yield _untouched(line, policy, "")
            continue
        result = _crush(document, body, policy, store, model, dry=dry)
        result.data += line[len(body) :]
        yield result


def emit(store: Store, changes: list[Change], *, keep_json: bool = False) -> list[str]:
    """Put the originals on disk, then build the renderings. The only maker of markers.

    The store's ``put`` returns only after every original is written, synced, renamed and read back equal; no marker
    exists before that. Raise StoreError; then nothing may change.
    """
    if not changes:
        return []
    from headroom_cli.store import Entry

    entries = [
        Entry(change.block.text.encode("utf-8"), change.report.kind, _note(change.block.hint.command))
        for change in changes
    ]
    renderings = []
    for change, handle in zip(changes, store.put(entries), strict=True):
        change.report.handle = handle
        kept = keep_json and _is_one_value(change.draft.text)
        renderings.append(_render(change, f"<<headroom:{handle} {change.draft.missing}>>", keep_json=kept))
    return renderings


def _note(command: str) -> str:
    if not command:
        return ""
    from headroom_cli.redact import redact

    return redact(command)


def fetch(store: Store, handle: str, *, lines: str = "", rows: str = "", grep: str = "", query: str = "") -> bytes:
    """Return an original by its handle, or the parts of it that were asked for (see slices.cut).

    Raise NotFoundError, CorruptError, StoreError, UsageError.
    """
    data = store.fetch(handle)
    if lines or rows or grep or query:
        from headroom_cli.slices import cut

        data = cut(data, lines=lines, rows=rows, grep=grep, query=query)
    return data


def expand(data: bytes, store: Store, *, form: str = "") -> tuple[bytes, list[str]]:
    """Return the document as it was before compression, and the handles that could not be resolved.

    A block is given back only if its whole text is a recorded rendering in this place; other text stays, and so do
    markers in it. Raise FormatError as ``crush`` does.
    """
    if form in ("", "jsonl") and _are_request_lines(data):
        parts = [expand(line, store) for line in data.splitlines(keepends=True)]
        return b"".join(part for part, _ in parts), [handle for _, unknown in parts for handle in unknown]
    try:
        document = formats.parse(data, form)
    except UnicodeDecodeError:
        return data, []
    known = Renderings(document, store)
    digests = [context.digest(block.text) for block in document.blocks]
    literals: list[tuple[Block, str]] = []
    unknown: list[str] = []
    for block, record in zip(document.blocks, known.along(document.blocks, digests), strict=True):
        if record is not None and "i" not in record:
            try:
                literals.append((block, literal_of(store, record)))
            except (NotFoundError, CorruptError) as error:
                unknown.append(_handle_of(block) or str(error))
        elif record is None and (handle := _handle_of(block)) and not _resolves(store, handle):
            unknown.append(handle)
    return (document.splice(literals) if literals else data), unknown


# --- crush, step by step


def _keep_all(result: Result, why: str) -> None:
    """Report every block as it was."""
    for report in result.blocks:
        report.after, report.kept, report.degree, report.handle = report.before, report.kept or why, "", ""


def _draft_all(
    document: Document, drafter: Drafter, result: Result, known: Renderings, *, usable: bool
) -> list[Change]:
    """Ask for a draft of every block in scope. What a block depends on stands before it (law 2)."""
    blocks = document.blocks
    digests = [context.digest(block.text) for block in blocks]
    records = known.along(blocks, digests)
    # A document that holds notation of ours came out of an earlier run: what it says is said by the originals, and
    # expanding it goes all the way back. Anybody else's text that equals a rendering stands for itself.
    ours = any(record is not None and "m" in record for record in records)
    here, changes = context.START, []
    for block, digest, along in zip(blocks, digests, records, strict=True):
        report = Report(block.path, block.role)
        result.blocks.append(report)
        report.before = report.after = drafter.count(block.text)
        report.kept = (block.kept if block.kept != RANGED else "") or _out_of_reach(block, usable=usable)
        record = along if ours else known.find(here, digest)
        if record is not None:
            report.kept = report.kept or "already a rendering"
            if not ours:
                known.claim(here, digest, record)
        shown = block.text
        if not report.kept:
            draft = drafter.draft(block, report)
            if draft is not None:
                changes.append(Change(block, draft, report, here))
                shown = draft.text
            if report.failure:
                result.warnings.append(f"{report.path or 'input'}: {report.compressor} failed; passed through")
                result.failure = HeadroomError(f"{report.compressor}: {report.failure}; report it with the input")
        drafter.passed(block, shown)
        here = context.advance(here, block, stands_for(record, digest) if ours else digest)
    return changes


def _told_apart(changes: list[Change], drafter: Drafter, known: Renderings) -> list[Change]:
    """Return the changes whose rendering is theirs alone.

    Two originals may have one faithful rendering (two indentations of one JSON value): a marker tells them apart where
    one is allowed and pays; else the later original stays as it is.
    """
    apart = []
    for change in changes:
        if known.taken(change.context, change.draft.text, context.digest(change.block.text)):
            change.draft = Draft(change.draft.text, LOSSY, "source formatting")
            if drafter.lossless or not drafter.accepts(change.block.text, change.draft, change.report):
                change.report.after, change.report.degree = change.report.before, ""
                change.report.kept = "another original reads the same"
                continue
        apart.append(change)
    return apart


def _emit_all(
    document: Document, changes: list[Change], store: Store, policy: Policy, known: Renderings
) -> list[tuple[Block, str]]:
    """Store and mark; return the new literals, with their records ready to be written."""
    literals = []
    for change, rendering in zip(changes, emit(store, changes, keep_json=policy.keep_json), strict=True):
        block = change.block
        known.add(change.context, block, rendering, marked=change.draft.degree == LOSSY)
        literals.append((block, document.encode(document.style(block), document.literal(block), rendering)))
    return literals


def _reads_as_raw(data: bytes) -> bool:
    """Tell whether a rendering of a raw blob would be opened as one: else it could not be expanded."""
    return data[:1] not in (b"{", b"[") or (not _are_request_lines(data) and formats.parse(data).format == "raw")


def _render(change: Change, marker: str, *, keep_json: bool) -> str:
    """Return the draft's text, with the marker as its last line when something is missing."""
    draft = change.draft
    if draft.degree != LOSSY:
        return draft.text
    if keep_json:
        body = draft.text.rstrip()
        item = f'"{marker}"' if body.endswith("]") else f'"headroom":"{marker}"'
        inner = body[:-1].rstrip()
        # Inside the outermost array or object, so that the text still parses.
        return f"{inner}{'' if inner[-1:] in ('[', '{') else ','}{item}{body[-1]}" + draft.text[len(body) :]
    newline = "" if draft.text.endswith("\n") or not draft.text else "\n"
    return f"{draft.text}{newline}{marker}" + ("\n" if change.block.text.endswith("\n") else "")


def _is_one_value(text: str) -> bool:
    """Tell whether a text is one JSON array or object, so that a marker may go inside."""
    if text.lstrip()[:1] not in ("[", "{"):
        return False
    import json

    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _out_of_reach(block: Block, *, usable: bool) -> str:
    """Say why a block in scope must stay all the same."""
    if not usable:
        return "no store"
    if len(block.text) > MAX_BLOCK:
        return "above 32 MB"
    if _handle_of(block):
        return "already carries a marker"
    try:
        block.text.encode("utf-8")
    except UnicodeEncodeError:
        return "lone surrogate"
    return ""


def _handle_of(block: Block) -> str:
    """Return the handle of the marker that ends a tool output, "" when there is none."""
    if block.role != "tool" or not block.text.rstrip()[-2:].startswith((">>", '"]', '"}')):
        return ""
    last = block.text.rstrip()[-160:].rpartition("\n")[2]
    found = MARKER.search(last)
    return found[1] if found and found.end() >= len(last) - 2 else ""


def _resolves(store: Store, handle: str) -> bool:
    try:
        store.resolve(handle)
    except (NotFoundError, StoreError):
        return False
    return True


# --- JSON Lines of requests


def _are_request_lines(data: bytes) -> bool:
    """Tell JSON Lines of requests by the first line that is not blank; others may be anything and pass through."""
    body = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if body[:1] not in (b"{", b"["):
        return False
    end = body.find(b"\n")
    return end > 0 and bool(body[end:].strip()) and formats.is_request_line(body[:end].rstrip())


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
