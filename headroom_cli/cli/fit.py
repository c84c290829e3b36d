"""``headroom fit``: whole turns out of a conversation until it fits; ``--explain`` says which and why."""

from __future__ import annotations

from headroom_cli.cli import filters, io, report
from headroom_cli.cli.options import DIFF, FILE, OUTPUT, SHARED, Verb
from headroom_cli.settings import Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from headroom_cli.fit.scores import Score
    from headroom_cli.fit.walk import Plan, Row, Step
    from headroom_cli.settings import Settings

# What says how texts are shortened: turns go as a whole.
NOT_OURS = frozenset((
    "level", "lossless", "keep_json", "kompress", "only", "skip", "only_tool", "protect_tool", "as_kind",
))  # fmt: skip
# The parts of a score, in the order of the table: what would be lost with a unit.
PARTS = ("used", "unused", "errors", "asked", "recent", "kind")


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Leave turns out, or explain which would be."""
    if own.get("explain") == "true":
        return _explain(settings, own.get("file", "-"))
    return filters.run(VERB, settings, own)


def _explain(settings: Settings, file: str) -> int:
    """Write one line per unit and one per step to standard output; store and change nothing."""
    if status := filters.refuse_terminal(VERB, file):
        return status
    result = filters.preview(io.Source(file).read(), settings, stages=VERB.stages)
    plan = result.plan
    for warning in (*result.warnings, *([result.unfit] if result.unfit else ())):
        report.warn(warning, settings)
    if plan is None:
        report.warn("nothing to fit: name a --budget, or a --model whose window is known", settings)
        return 0
    if settings.json:
        import json

        rows = [_unit(row) for row in plan.rows] + [_step(n, step) for n, step in enumerate(plan.steps, 1)]
        io.write("".join(json.dumps(row) + "\n" for row in rows).encode())
    else:
        io.write(_table(plan).encode("utf-8", "backslashreplace"))
    return 0 if plan.fits else 1


def _unit(row: Row) -> dict[str, object]:
    """Return a unit as an object of the JSON report."""
    from headroom_cli.fit.scores import WHOLE

    found: dict[str, object] = {"v": 1, "turns": [row.first, row.last], "kind": row.kind, "tokens": row.tokens}
    found["score"] = (
        {part: round(getattr(row.score, part) / WHOLE, 2) for part in PARTS} if row.score is not None else None
    )
    found["kept" if not row.step else "left_out_at_step"] = row.step or row.kept
    return found


def _step(number: int, step: Step) -> dict[str, object]:
    """Return a step as an object of the JSON report."""
    return {
        "v": 1, "step": number, "turn": step.turn, "units": step.units, "tokens_before": step.before,
        "tokens_after": step.after, "tokens_rewritten": step.rewritten, "cost": step.cost,
    }  # fmt: skip


def _table(plan: Plan) -> str:
    rows = [
        (
            f"{row.first}-{row.last}" if row.last > row.first else f"{row.first}", row.kind, f"{row.tokens:,}",
            _scored(row.score), f"left out at step {row.step}" if row.step else f"kept: {row.kept}",
        )
        for row in plan.rows
    ]  # fmt: skip
    text = report.table(rows, ("turns", "kind", "tokens", "would be lost", "outcome"), right=frozenset({2}))
    for number, step in enumerate(plan.steps, 1):
        text += (
            f"step {number} at turn {step.turn}: {step.units} units, {step.before:,} -> {step.after:,} tokens; "
            f"{step.rewritten:,} of them are cached again, which costs as much as {step.cost:,} tokens of input\n"
        )
    return text


def _scored(score: Score | None) -> str:
    """Return the parts of a score that are not nothing."""
    if score is None:
        return "-"
    from headroom_cli.fit.scores import WHOLE

    parts = [(part, getattr(score, part) / WHOLE) for part in PARTS]
    return ", ".join(f"{part} {lost:.1f}" for part, lost in parts if lost >= 0.05) or "nothing"


VERB = Verb(
    "fit",
    run,
    about="leave whole turns out of a conversation until it fits a budget",
    text="""
        Reads a conversation and writes it with at most --budget tokens (estimates, or exact ones with --ranks). What
        goes are whole units, a tool call always with all its results: first what is missed least, judged by the names,
        paths and errors that only it holds, by what later turns used, by the newest question and by age. System
        prompts, the first words, the newest turns, what the user asked to keep in mind, the newest plan and errors
        that nothing has mended since stay. In the place of each group stands one note that says what was done there,
        with a marker; `headroom retrieve HANDLE` prints the turns.

        Units go at the turn that passes the budget, down to 70 % of it, and stay out from then on, so that the prefix
        that providers cache changes rarely; -v says what each change costs. Without --budget the window of --model
        counts, where it is known; then nothing goes that holds an error or stands in front of a signature.

        When what has to stay exceeds the budget, the output is the input and the exit status 1.
    """,
    arguments=(FILE,),
    flags=tuple(name for name in SHARED if name not in NOT_OURS),
    own=(
        Setting(
            "explain", ("--explain",), "", "switch", "",
            "write one line per unit and step instead of the document; JSON Lines with --json",
        ),
        DIFF,
        OUTPUT,
    ),
    examples=(
        ("headroom fit --budget 50000 trace.json", "make a conversation fit"),
        ("headroom fit --budget 50000 --explain trace.json", "see what would go, and why"),
        ("headroom align trace.json | headroom route | headroom fit --budget 50000", "do what crush does, in stages"),
    ),
    statuses=((1, "what has to stay exceeds the budget"), (65, "the input is not what --from said")),
    stages=("fit",),
)  # fmt: skip
