"""Say what fit keeps of conversations that have to shrink: python benchmarks/fit.py [--half N] [--search] [--types].

Each outside conversation gets a budget of 75 % and of 50 % of its own tokens. A needle (a fact of an output that the
assistant used later, or an error line) counts as kept when it is readable in what is left; one that stood in turns that
went counts as lost unless it stands elsewhere. Three ways are compared with the same units, budget, steps and turns
that have to stay (system, first words, newest turns): fit; fit with notes that name nothing; and the oldest units
first. "at use" asks less kindly: of the facts that came before a step and were first used after it, how many could be
read at that moment. Tokens are exact o200k counts by rs-bpe. --half takes every second conversation, from 0 or from 1;
--search tries other weights on them; --types validates the outputs with the official SDKs, where they are installed.
Then milliseconds for a conversation of 400 KB.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from corpus import holds, normal
from inputs import CORPUS, corpus
from rs_bpe.bpe import openai

from headroom_cli import fit, formats, tokens
from headroom_cli.fit import make, turns
from headroom_cli.fit.scores import Weights
from headroom_cli.fit.walk import Walk

if TYPE_CHECKING:
    from headroom_cli.fit.turns import Turn
    from headroom_cli.fit.walk import Plan

count = openai.o200k_base().count
FULL = 10**9


class Talk:
    """A conversation, read once: its texts, its needles, what it costs."""

    def __init__(self, name: str, data: bytes) -> None:
        """Read a conversation."""
        self.name = name
        self.value = json.loads(data)["messages"]
        self.document = formats.of_value(self.value)
        marked = CORPUS / "needles" / f"{name}.json"
        self.needles = json.loads(marked.read_text()) if marked.exists() else []
        self.turns: list[Turn] = turns.read(self.document, count)
        self.texts = [normal(f"{turn.said}\n{turn.shown}") for turn in self.turns]
        self.tokens = sum(turn.tokens for turn in self.turns)


class Oldest(Walk):
    """The walk of fit, with the oldest units first."""

    def step(self, end: int, total: int) -> int | None:
        """Leave units out from the oldest on; see Walk.step."""
        whole = self.units(end)
        newest = [k for k, unit in enumerate(whole) if unit.kind == "words" and not self.out[unit.first]][-1:]
        left, chosen = total, []
        for k, unit in enumerate(whole[:-2]):
            if left <= self._wanted(whole, [""] * len(whole)):
                break
            if not unit.fixed and not self.out[unit.first] and k not in newest:
                chosen.append(k)
                left -= unit.tokens
        self.reader.upto(end)
        groups = self._grouped(whole, chosen) if chosen else []
        if not chosen or self._total_with(whole, chosen, groups) > self.budget:
            return None
        for k in chosen:
            self.out[whole[k].first : whole[k].last + 1] = [len(self.steps) + 1] * (whole[k].last + 1 - whole[k].first)
        self.groups = groups
        self.note_step(end - 1, total, whole[chosen[0]].first, len(chosen))
        return self.total(end)


def planned(talk: Talk, budget: int, how: str, weights: Weights | None = None) -> Plan:
    make.Walk = Oldest if how == "oldest first" else Walk  # type: ignore[misc]
    return make.make(talk.document, budget, count, notes=None, refers={}, explicit=True, query="", weights=weights)


def kept(talk: Talk, plan: Plan, tally: Counter[str], *, named: bool) -> None:
    """Count the needles of one conversation that can still be read."""
    out = {i: row.step for row in plan.rows for i in range(row.first, row.last + 1) if row.step}
    hay = [text for i, text in enumerate(talk.texts) if i not in out]
    hay += [normal(group.note) for group in plan.groups] if named else []
    whole = ["\n".join(hay)]
    for needle in talk.needles:
        tally["needles"] += 1
        tally["kept"] += holds(whole, needle["text"])
        used = needle.get("used_at")
        if used is None:
            tally["errors"] += 1
            tally["errors kept"] += holds(whole, needle["text"])
        elif any(needle["msg"] <= step.turn < used for step in plan.steps):
            late = {k for k, step in enumerate(plan.steps, 1) if step.turn >= used}
            tally["late"] += 1
            tally["at use"] += holds(
                [text for i, text in enumerate(talk.texts[:used]) if out.get(i, 0) in late | {0}], needle["text"]
            )


def race(talks: list[Talk], share: float, how: str, weights: Weights | None = None) -> tuple[Counter[str], list[Plan]]:
    tally: Counter[str] = Counter()
    plans = []
    for talk in talks:
        plan = planned(talk, int(talk.tokens * share), how, weights)
        if not plan.fits:
            tally["cannot fit"] += 1
            continue
        plans.append(plan)
        tally["conversations"] += 1
        tally["before"] += plan.before
        tally["after"] += plan.after
        tally["steps"] += len(plan.steps)
        tally["groups"] += len(plan.groups)
        tally["cost"] += sum(step.cost for step in plan.steps)
        kept(talk, plan, tally, named=how == "fit")
    return tally, plans


def line(share: float, how: str, t: Counter[str]) -> str:
    return (
        f"{share:.0%} {how:18} conversations {t['conversations']} (cannot fit {t['cannot fit']}) "
        f"tokens {t['after'] / max(1, t['before']):.3f} steps {t['steps']} groups {t['groups']} "
        f"needles {t['needles']} kept {t['kept'] / max(1, t['needles']):.3f} "
        f"errors kept {t['errors kept']}/{t['errors']} at use {t['at use'] / max(1, t['late']):.3f} of {t['late']} "
        f"written again {t['cost'] / max(1, t['before']):.2f}x"
    )


def search(talks: list[Talk]) -> None:
    """Print what is kept with one weight changed at a time."""
    changes: list[dict[str, float]] = [{}]
    changes += [{name: getattr(Weights(), name) * by} for name in Weights.__slots__ for by in (0, 0.5, 2)]
    for change in changes:
        cells = []
        for share in (0.5, 0.75):
            tally, _ = race(talks, share, "plain notes", Weights(**change))
            cells.append(f"{tally['kept'] / tally['needles']:.3f} at use {tally['at use'] / max(1, tally['late']):.3f}")
        print(f"{change!s:28} 50% {cells[0]}   75% {cells[1]}", flush=True)


def speed(talks: list[Talk]) -> None:
    value: list[dict[str, object]] = []
    size = 0
    for talk in talks:
        for message in talk.value[2:] if value else talk.value:
            size += len(json.dumps(message))
            value.append(message)
        if size > 400_000:
            break
    document = formats.parse(json.dumps(value).encode())
    memory: dict[str, int] = {}

    def known(text: str) -> int:  # the engine has counted every block before fit is asked
        if text not in memory:
            memory[text] = tokens.count(text, "")
        return memory[text]

    total = fit.plan(document, FULL, known).before
    for share in (2.0, 0.75, 0.5, 0.25):
        best = {"": 9.0, " with counting": 9.0}
        for name, counter in (("", known), (" with counting", lambda text: tokens.count(text, ""))):
            for _ in range(5):
                start = time.process_time()
                plan = fit.plan(document, int(total * share), counter)
                best[name] = min(best[name], time.process_time() - start)
        said = ", ".join(f"{seconds * 1000:.0f} ms{name}" for name, seconds in best.items())
        print(f"{size / 1000:.0f} KB, {len(value)} turns, budget {share:.0%}: {said}, {len(plan.steps)} steps")


def check_types(talks: list[Talk]) -> None:
    """Validate each output, as a Chat request, with the official SDK's types."""
    from openai.types.chat import completion_create_params as params
    from pydantic import TypeAdapter

    adapter = TypeAdapter(params.CompletionCreateParamsNonStreaming)
    good = 0
    for talk in talks:
        for share in (0.5, 0.75):
            plan = planned(talk, int(talk.tokens * share), "fit")
            if plan.fits and plan.groups:
                made, _ = talk.document.edited(fit.edits_for(talk.document, plan, [g.note for g in plan.groups]))
                checked = adapter.validate_python({"model": "m", "messages": made.value()})
                good += all(isinstance(message, dict) for message in checked["messages"])
    print(f"types: {good} outputs taken")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", type=int, choices=(0, 1))
    parser.add_argument("--search", action="store_true")
    parser.add_argument("--types", action="store_true")
    asked = parser.parse_args()
    talks = [Talk(name, data) for name, _, data in corpus("traces_norm")]
    if not talks:
        print("no samples: the outside corpus is not here")
        return
    chosen = talks if asked.half is None else talks[asked.half :: 2]
    if asked.search:
        search(chosen)
        return
    for share in (0.75, 0.5):
        for how in ("fit", "plain notes", "oldest first"):
            print(line(share, how, race(chosen, share, how)[0]), flush=True)
    if asked.types:
        check_types(chosen)
    speed(talks)


if __name__ == "__main__":
    main()
