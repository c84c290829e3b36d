"""``headroom route``: each block to the specialist for its kind; ``--explain`` says which and why."""

from __future__ import annotations

from headroom_cli.cli import filters, io, report
from headroom_cli.cli.options import DIFF, FILE, OUTPUT, Verb
from headroom_cli.settings import Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from headroom_cli.model import Report
    from headroom_cli.settings import Settings


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Compress by kind, or explain what would be done."""
    if own.get("explain") == "true":
        return _explain(settings, own.get("file", "-"))
    return filters.run(VERB, settings, own)


def _explain(settings: Settings, file: str) -> int:
    """Write one line per block to standard output; store and change nothing."""
    if status := filters.refuse_terminal(VERB, file):
        return status
    data = io.Source(file).read()
    result = filters.preview(data, settings, stages=VERB.stages)
    if settings.json:
        import json

        for number, block in enumerate(result.blocks, 1):
            row = {"v": 1, "block": number, "path": block.path, "role": block.role, "kind": block.kind}
            row.update(confidence=round(block.confidence, 3), why=block.why, compressor=block.compressor)
            row.update(tokens_before=block.before, tokens_after=block.after, kept=block.kept, degree=block.degree)
            io.write(json.dumps(row).encode() + b"\n")
    else:
        rows = [_row(block) for block in result.blocks]
        heading = ("path", "kind", "confidence", "compressor", "before", "after", "reason")
        io.write(report.table(rows, heading, right=frozenset({2, 4, 5})).encode("utf-8", "backslashreplace"))
    for warning in result.warnings:
        report.warn(warning, settings)
    return 0


def _row(block: Report) -> tuple[str, ...]:
    """Return a block's cells: why it is that kind, then why it stays as it is."""
    reason = "; ".join(part for part in (block.why, f"kept: {block.kept}" if block.kept else "") if part)
    return (
        block.path or "-", block.kind or "-", f"{block.confidence:.2f}" if block.kind else "-",
        block.compressor or "-", f"{block.before:,}", f"{block.after:,}", reason or "-",
    )  # fmt: skip


VERB = Verb(
    "route",
    run,
    about="compress each block by the specialist for its kind, or explain the choice",
    text="""
        Does what crush does between align and fit: what can be read further up becomes a reference, and each block is
        shortened by the specialist for its kind. With --explain it writes one line per block instead: path, kind,
        confidence, compressor, tokens before and after (estimates), and the reason for the kind or for leaving the
        block as it is. Nothing is stored then.
    """,
    arguments=(FILE,),
    own=(
        Setting(
            "explain", ("--explain",), "", "switch", "",
            "write one line per block instead of the document; JSON Lines with --json",
        ),
        DIFF,
        OUTPUT,
    ),
    examples=(
        ("cat trace.json | headroom route --explain", "see what each block is taken for"),
        ("headroom route --only log,json trace.json", "compress logs and JSON alone"),
        ("make 2>&1 | headroom route --as log", "say what the input is"),
    ),
    statuses=((65, "the input is not what --from said"),),
    stages=("route",),
)  # fmt: skip
