"""From a document to its plan: read the turns, replay what was decided before, walk on, write it down."""

from __future__ import annotations

from headroom_cli.fit import LOW
from headroom_cli.fit import turns as reading
from headroom_cli.fit.scores import Weights
from headroom_cli.fit.walk import Group, Plan, Walk
from headroom_cli.hashing import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from headroom_cli.fit.turns import Turn
    from headroom_cli.formats import Document

_MOST_STEPS = 256  # that are remembered per conversation and budget
_MOST_ENDS = 64
_MOST_WORK = 100_000  # turns looked at, by all steps together: about five seconds
_MOST_ATTEMPTS = 200  # that come to nothing, before a conversation is given up


def make(
    document: Document,
    budget: int,
    count: Callable[[str], int],
    *,
    notes: Any,
    refers: dict[int, tuple[int, ...]],
    explicit: bool,
    query: str,
    original: Callable[[int], str] | None = None,
    weights: Weights | None = None,
) -> Plan:
    """Return the plan of a document; see ``fit.plan``."""
    if not document.has_turns:
        return Plan(0)
    turns = reading.read(document, count, original)
    outside = reading.outside(document, count)
    made = Plan(outside + sum(turn.tokens for turn in turns))
    if made.before <= LOW * budget or not turns:
        return made
    blocks = document.blocks

    def restored(ordinal: int) -> int:
        return max(0, count(original(ordinal)) - count(blocks[ordinal].text)) if original is not None else 0

    walk = Walk(
        turns,
        outside,
        budget,
        count,
        explicit=explicit,
        query=query,
        refers=refers,
        turn_of=lambda ordinal: document.turn_of(blocks[ordinal]) if 0 <= ordinal < len(blocks) else -1,
        restored=restored,
        weights=weights or Weights(),
        alternates=document.format == "anthropic",
    )
    name = f"fit {sha256(f'{budget} {explicit} {query}'.encode('utf-8', 'replace'))[:16]}"
    chain = _chain(turns) if notes is not None else []
    known = (notes.get(name) if notes is not None else None) or {}
    known = known if isinstance(known, dict) else {}
    made.fits = _walked(walk, chain, known)
    if notes is not None:
        notes.set(name, _remembered(walk, chain, known))
    _fill(made, walk, document)
    return made


def _walked(walk: Walk, chain: list[str], known: dict[str, Any]) -> bool:
    """Walk to the end; tell whether what is left there fits."""
    steps, ends = known.get("steps") or {}, set(known.get("ends") or ())
    horizon = max((i for i, link in enumerate(chain) if link in steps or link in ends), default=-1)
    total, fits, attempts, work, last = walk.outside, True, 0, 0, len(walk.turns) - 1
    for i in range(len(walk.turns)):
        total += walk.come(i)
        if i <= horizon and chain[i] in steps:
            _replay(walk, i, total, steps[chain[i]])
            total = walk.total(i + 1)
        fits = total <= walk.budget
        # What fitted when it was the newest turn was sent so; but what stands beside the turns may have grown since.
        if fits or (i <= horizon and i < last) or attempts >= _MOST_ATTEMPTS or walk.hopeless:
            continue
        # Each step looks at every turn so far: a budget that is tiny beside the conversation means hundreds of them.
        work += i
        if work > _MOST_WORK:
            return False
        reached = walk.step(i + 1, total)
        if reached is None:
            attempts += 1
        else:
            total, fits = reached, True
    return fits


def _chain(turns: list[Turn]) -> list[str]:
    """Return for each turn a digest of the conversation up to there."""
    here, chain = "", []
    for turn in turns:
        here = sha256(
            f"{here}\n{turn.role}\n{len(turn.said)}\n{turn.said}\n{turn.shown}".encode("utf-8", "surrogatepass")
        )[:24]
        chain.append(here)
    return chain


def _replay(walk: Walk, i: int, before: int, record: Any) -> None:
    """Do again what was done at this turn."""
    groups = []
    for first, last, missing, note in record:
        for k in range(first, last + 1):
            walk.out[k] = walk.out[k] or len(walk.steps) + 1
        groups.append(Group(first, last, missing, note, walk.price(note)))
    walk.groups = sorted(
        [old for old in walk.groups if not any(new.first <= old.first <= new.last for new in groups)] + groups,
        key=lambda group: group.first,
    )
    walk.note_step(i, before, min((group.first for group in groups), default=i), 0)
    walk.fresh.append(groups)


def _remembered(walk: Walk, chain: list[str], known: dict[str, Any]) -> dict[str, Any]:
    """Return what is to be remembered: the steps, each with the groups that it made, and how far the walk came."""
    steps = dict(known.get("steps") or {})
    for step, groups in zip(walk.steps, walk.fresh, strict=True):
        steps.setdefault(chain[step.turn], [[g.first, g.last, g.missing, g.note] for g in groups])
    mine = set(chain)
    ends = [end for end in known.get("ends") or () if end not in mine]
    return {"steps": dict(list(steps.items())[-_MOST_STEPS:]), "ends": [*ends, chain[-1]][-_MOST_ENDS:]}


def _fill(made: Plan, walk: Walk, document: Document) -> None:
    """Say in the plan what the walk came to."""
    made.steps = walk.steps
    made.groups = walk.groups if made.fits else []
    made.after = walk.total(len(walk.turns)) if made.fits else made.before
    made.stay = 0 if made.fits else walk.least()
    made.rows = walk.rows()
    out = walk.out
    if made.groups:
        first = made.groups[0].first
        made.signed = sum(turn.signed for turn, gone in zip(walk.turns[first:], out[first:], strict=True) if not gone)
        made.adrift = tuple(block for block in walk.adrift if not out[document.turn_of(document.blocks[block])])
