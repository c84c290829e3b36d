"""What stands in the place of the blocks that change: told apart, stored, marked, and written as literals."""

from __future__ import annotations

from headroom_cli import replay
from headroom_cli.emit import emit
from headroom_cli.model import LOSSY, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.drafting import Drafter
    from headroom_cli.formats import Document
    from headroom_cli.model import Block, Policy, Result
    from headroom_cli.renderings import Renderings
    from headroom_cli.replay import Change
    from headroom_cli.store import Entry, Store


def keep_all(result: Result, why: str) -> None:
    """Report every block as it was."""
    for report in result.blocks:
        report.after, report.kept, report.degree, report.handle = report.before, report.kept or why, "", ""


def told_apart(changes: list[Change], drafter: Drafter, known: Renderings) -> list[Change]:
    """Return the changes whose rendering is theirs alone.

    Two originals may have one faithful rendering (two indentations of one JSON value): a marker tells them apart where
    one is allowed and pays; else the later original stays as it is. What was rendered before was told apart then.
    """
    apart = []
    for change in changes:
        here = change.held.before.context
        if change.held.past is None and known.taken(here, change.draft.text, change.held.digest):
            change.draft = Draft(change.draft.text, LOSSY, "source formatting", change.draft.refers)
            if drafter.lossless or not drafter.accepts(change.block.text, change.draft, change.report):
                change.report.after, change.report.degree = change.report.before, ""
                change.report.kept = "another original reads the same"
                replay.settle(change, None, known)
                continue
        apart.append(change)
    return apart


def emitted(
    document: Document, changes: list[Change], store: Store, policy: Policy, known: Renderings
) -> list[tuple[Block, str]]:
    """Store and mark; return the new literals, with their records ready to be written.

    What was rendered before is sent as it was: its original must still be there, and be noted again after a day.
    """
    held = {change.held.past.original for change in changes if change.held.past is not None}
    gone = store.missing(held)
    to_put = [change for change in changes if (past := change.held.past) is None or past.stale or past.original in gone]
    made = emit(
        store, [_entry(change) for change in to_put], [change.draft for change in to_put], keep_json=policy.keep_json
    )
    emitted = {id(change): pair for change, pair in zip(to_put, made, strict=True)}
    literals = []
    for change in changes:
        handle, rendering = emitted.get(id(change), ("", ""))
        past = change.held.past
        if past is not None and past.rendering is not None:
            renamed = handle and past.handle and handle != past.handle  # forgotten meanwhile, and another took its name
            rendering = past.rendering.replace(past.handle, handle) if renamed else past.rendering
        change.report.handle = handle or change.report.handle
        replay.settle(change, rendering, known, marked=change.draft.degree == LOSSY)
        block = change.block
        literals.append((block, document.encode(document.style(block), document.literal(block), rendering)))
    return literals


def repeated(document: Document, changes: list[Change]) -> list[tuple[Block, str]]:
    """Return the literals of what was sent before, as it was, without a word in the records."""
    return [
        (change.block, document.encode(document.style(change.block), document.literal(change.block), past.rendering))
        for change in changes
        if (past := change.held.past) is not None and past.rendering is not None
    ]


def _entry(change: Change) -> Entry:
    from headroom_cli.store import Entry

    command = change.block.hint.command
    return Entry(change.block.text.encode("utf-8"), change.report.kind, _note(command))


def _note(command: str) -> str:
    if not command:
        return ""
    from headroom_cli.redact import redact

    return redact(command)
