"""The sketch of the whole program: document in, smaller document out, and back again.

    crush  = parse -> (route -> draft) for each block -> emit -> splice
    expand = parse -> recall for each block -> splice

``emit`` is the only place where a block changes: it stores the original, waits until it is on disk, and only then
builds the marker. Compressors propose drafts; they can neither store nor mark.
"""

from __future__ import annotations

import json
import time

from headroom_cli import context, formats, tokens
from headroom_cli.drafting import Drafter
from headroom_cli.errors import CorruptError, FailedOpenError, HeadroomError, NotFoundError, StoreError
from headroom_cli.lazy import pattern
from headroom_cli.model import LOSSY, Draft, Policy, Report, Result

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
    try:
        known = _Known(document, store)
        changes = _draft_all(document, policy, result, known, model, usable=store is not None or dry)
        if store is not None and not dry:
            result.data = _emit_all(document, changes, store, policy, known)
    except StoreError as error:
        for report in result.blocks:
            report.after, report.kept, report.degree = report.before, report.kept or "not stored", ""
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
        if not formats.is_request_line(body):
            yield _untouched(line, policy, "")
            continue
        result = crush(body, policy, store, model=model, dry=dry)
        result.data += line[len(body) :]
        yield result


def emit(store: Store, changes: list[Change], *, keep_json: bool = False) -> list[str]:
    """Put the originals on disk, then build the renderings. The only maker of markers.

    The store's ``put`` returns only after every original is written, synced, renamed and read back equal; no marker
    exists before that. Raise StoreError; then nothing may change.
    """
    from headroom_cli.redact import redact
    from headroom_cli.store import Entry

    entries = [
        Entry(change.block.text.encode("utf-8"), change.report.kind, redact(change.block.hint.command))
        for change in changes
    ]
    renderings = []
    for change, handle in zip(changes, store.put(entries), strict=True):
        change.report.handle = handle
        renderings.append(_render(change, f"<<headroom:{handle} {change.draft.missing}>>", keep_json=keep_json))
    return renderings


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
    known, here = _Known(document, store), context.START
    literals: list[tuple[Block, str]] = []
    unknown: list[str] = []
    for block in document.blocks:
        mine = context.digest(block.text)
        record = known.find(here, block.text)
        original = mine
        if record is not None and record["s"] != _IDENTITY:
            try:
                literals.append((block, _original_literal(store, record)))
                original = record["o"]
            except (NotFoundError, CorruptError) as error:
                unknown.append(_handle_of(block) or str(error))
        elif record is None and (handle := _handle_of(block)) and not _resolves(store, handle):
            unknown.append(handle)
        here = context.advance(here, block, original)
    return (document.splice(literals) if literals else data), unknown


# --- crush, step by step


def _draft_all(
    document: Document, policy: Policy, result: Result, known: _Known, model: str, *, usable: bool
) -> list[Change]:
    """Ask for a draft of every block in scope. What a block depends on stands before it (law 2)."""
    drafter = Drafter(
        policy, turns=document.has_turns, model=model, deadline=time.perf_counter() + SECONDS_PER_DOCUMENT
    )
    own = deep = context.START  # deep: as the document was before an earlier run of ours
    changes = []
    for block in document.blocks:
        report = Report(block.path, block.role)
        result.blocks.append(report)
        report.before = report.after = tokens.count(block.text, model)
        report.kept = block.kept or _out_of_reach(block, usable=usable)
        mine = original = context.digest(block.text)
        record = known.find(deep, block.text)
        if record is not None:
            original = record["o"]
            if not report.kept:
                report.kept = "already a rendering"
            known.claim(own, block.text, mine)
        if not report.kept:
            draft = drafter.draft(block, report)
            if draft is not None:
                changes.append(Change(block, draft, report, own))
            if report.failure:
                result.warnings.append(f"{report.path or 'input'}: {report.compressor} failed; passed through")
                result.failure = HeadroomError(f"{report.compressor}: {report.failure}; report it with the input")
        own = context.advance(own, block, mine)
        deep = context.advance(deep, block, original)
    return changes


def _emit_all(document: Document, changes: list[Change], store: Store, policy: Policy, known: _Known) -> bytes:
    """Store, mark, record and splice."""
    if not changes:
        known.remember()
        return document.splice(())
    for change in changes:
        if known.other_original(change.context, change.draft.text, change.block.text):
            # Two originals, one faithful rendering (two indentations of one JSON value): a marker tells them apart.
            change.draft = Draft(change.draft.text, LOSSY, "source formatting")
    renderings = emit(store, changes, keep_json=policy.keep_json)
    literals = []
    for change, rendering in zip(changes, renderings, strict=True):
        block, style = change.block, document.style(change.block)
        literal = document.literal(block)
        known.add(change, rendering, style, literal)
        literals.append((block, document.encode(style, literal, rendering)))
    known.remember()
    return document.splice(literals)


def _render(change: Change, marker: str, *, keep_json: bool) -> str:
    """Return the draft's text, with the marker as its last line when something is missing."""
    draft = change.draft
    if draft.degree != LOSSY:
        return draft.text
    body = draft.text.rstrip()
    if keep_json and body[-1:] in ("]", "}"):
        # Inside the outermost array or object, so that the text still parses.
        item = f'"{marker}"' if body[-1] == "]" else f'"headroom":"{marker}"'
        inner = body[:-1].rstrip()
        return f"{inner}{'' if inner[-1:] in ('[', '{') else ','}{item}{body[-1]}" + draft.text[len(body) :]
    newline = "" if draft.text.endswith("\n") or not draft.text else "\n"
    return f"{draft.text}{newline}{marker}" + ("\n" if change.block.text.endswith("\n") else "")


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


# --- what the store remembers of renderings

_IDENTITY = "="  # in place of a literal style: the text is its own original here


class _Known:
    """The records of one document's renderings: key in context -> original, style, literal."""

    __slots__ = ("_document", "_new", "_old", "_store")

    def __init__(self, document: Document, store: Store | None) -> None:
        """Read the journal that this document's records are in; raise StoreError when it cannot be read."""
        self._document = document
        self._store = store
        self._new: dict[str, list[tuple[str, str]]] = {}
        self._old: dict[str, dict[str, str]] = {}

    def find(self, here: bytes, text: str) -> dict[str, str] | None:
        """Return the record of ``text`` as a rendering in this context."""
        if self._store is None:
            return None
        digest = context.digest(text)
        shard = context.shard(self._document, digest)
        if shard not in self._old:
            self._old[shard] = self._store.recall(shard)
        value = self._old[shard].get(context.key(here, digest))
        if value is None:
            return None
        record: dict[str, str] = json.loads(value)
        return record

    def other_original(self, here: bytes, rendering: str, text: str) -> bool:
        """Tell whether this rendering already stands for another original in this context."""
        record = self.find(here, rendering)
        return record is not None and record["o"] != context.digest(text)

    def claim(self, here: bytes, text: str, digest: str) -> None:
        """Record that an unchanged text, known as a rendering, is its own original here."""
        self._add(here, text, {"o": digest, "s": _IDENTITY})

    def add(self, change: Change, rendering: str, style: str, literal: str) -> None:
        """Record a rendering and what restores its literal."""
        record = {"o": context.digest(change.block.text), "s": style}
        if style == formats.OTHER_STYLE and self._store is not None:
            from headroom_cli.store import Entry

            self._store.put([Entry(literal.encode("utf-8"), "literal", "")])
            record["l"] = context.digest(literal)
        self._add(change.context, rendering, record)

    def _add(self, here: bytes, text: str, record: dict[str, str]) -> None:
        digest = context.digest(text)
        pair = (context.key(here, digest), json.dumps(record, separators=(",", ":")))
        self._new.setdefault(context.shard(self._document, digest), []).append(pair)

    def remember(self) -> None:
        """Write the new records; raise StoreError, and then nothing may change."""
        if self._store is not None:
            for shard, pairs in self._new.items():
                self._store.remember(shard, pairs)


def _original_literal(store: Store, record: dict[str, str]) -> str:
    if record["s"] == formats.OTHER_STYLE:
        return store.get(record["l"]).decode("utf-8")
    return formats.encode_like(record["s"], "", store.get(record["o"]).decode("utf-8"))


def _resolves(store: Store, handle: str) -> bool:
    try:
        store.resolve(handle)
    except (NotFoundError, StoreError):
        return False
    return True


# --- JSON Lines of requests


def _are_request_lines(data: bytes) -> bool:
    """Tell JSON Lines of requests by the first line; the others may be anything and pass through line by line."""
    end = data.find(b"\n")
    if end <= 0 or data[:1] not in (b"{", b"[") or not data[end:].strip():
        return False
    return data[end + 1 : end + 2] in (b"{", b"[") and formats.is_request_line(data[:end])


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
