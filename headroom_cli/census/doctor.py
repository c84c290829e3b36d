"""Why a prompt is not read from the cache: the first byte where two requests diverge, what that costs, what to do.

Requests are compared as the provider renders them, part by part; what a cache does not see (breakpoints, spacing, the
order of a tool schema's keys, the order of fields) is no difference.
"""

from __future__ import annotations

from headroom_cli import pricing, tokens
from headroom_cli.census import Meter, key, lengths, marks_of, place, segments, settled, sizes, wire
from headroom_cli.census.causes import Break, cause
from headroom_cli.census.parts import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from headroom_cli.census.causes import Side
    from headroom_cli.census.parts import Part
    from headroom_cli.census.wire import Prompt
    from headroom_cli.pricing import Rules, Segment

_BEFORE, _AFTER = 24, 40  # characters of an excerpt
_WHOLE = frozenset(("message left out", "message put in", "thinking left out"))
_IDS = frozenset(("id", "call_id", "tool_call_id", "tool_use_id"))
_WINDOW = 20_000  # characters around a difference in which it is told what kind of value it is in


class Cost:
    """What the second request costs under one provider's rules.

    ``read``, ``written``, ``plain``  its tokens
    ``lost``   tokens that an unbroken prefix would have let it read
    ``extra``  what that adds to the price, in tokens of plain input
    """

    __slots__ = ("extra", "known", "lost", "minimum", "plain", "price", "read", "rules", "written")

    def __init__(self, rules: Rules, model: str) -> None:
        """Start at nothing."""
        self.rules = rules
        self.minimum, self.known = rules.minimum(model)
        self.read = self.written = self.plain = self.lost = 0
        self.price = self.extra = 0.0


class Diagnosis:
    """What became of a prefix.

    ``verdict``  identical, extended (the second only adds), shortened (it is the beginning of the first), broken
    ``shared``   tokens that the two begin with in common
    ``own``      the rules that the model is sold under, "" when its name does not tell
    """

    __slots__ = ("broken", "costs", "model", "notes", "own", "shared", "tokens", "verdict")

    def __init__(self, verdict: str) -> None:
        """Start without costs."""
        self.verdict = verdict
        self.shared = 0
        self.tokens = 0, 0
        self.model = ""
        self.own = ""
        self.broken: Break | None = None
        self.costs: list[Cost] = []
        self.notes: list[str] = []

    @property
    def intact(self) -> bool:
        """Tell whether all of the first request stands at the beginning of the second, or the other way round."""
        return self.broken is None


def compare(one: Prompt, other: Prompt, model: str = "") -> Diagnosis:
    """Compare a request with the one that followed it."""
    notes = _comparable(one, other)
    # Anthropic joins neighbours of one role. A short request of theirs looks like one of Chat, so either side may tell.
    joined = "anthropic" in (one.format, other.format)
    keys = [[key(part, joined=joined) for part in prompt.parts] for prompt in (one, other)]
    both = min(len(keys[0]), len(keys[1]))
    at = next((i for i in range(both) if keys[0][i] != keys[1][i]), both)
    if at < both:
        made = Diagnosis("broken")
    else:
        same = len(keys[0]) == len(keys[1])
        made = Diagnosis("identical" if same else "extended" if both == len(keys[0]) else "shortened")
    made.notes = notes
    made.model = model or other.model or one.model
    made.own = other.rules(made.model)
    meter = Meter(made.model)
    first = sizes(one, meter)
    counted = {part.digest: size for part, size in zip(one.parts, first, strict=True)}
    columns = [first, sizes(other, meter, counted)]
    made.tokens = sum(columns[0]), sum(columns[1])
    head = 0
    if made.verdict == "broken":
        made.broken = _break(one, other, at)
        head = _common(one.parts[at], other.parts[at], columns[0][at], columns[1][at])
        if made.broken.region != "settings":  # thinking is bound to tools, system prompt and messages
            made.broken.signed = sum(part.signed for part in other.parts[at:])
    made.shared = sum(columns[0][:at]) + head
    made.notes += _order_notes(one, other, at)
    # Where one of the two says where entries end, neither has any by assumption.
    assumed = all(marks_of([prompt]) == "assumed" for prompt in (one, other))
    made.costs = [
        _cost(Cost(rules, made.model), (one, other), columns, (at, head, assumed), joined=joined)
        for rules in pricing.PROVIDERS.values()
    ]
    return made


def _comparable(one: Prompt, other: Prompt) -> list[str]:
    """Leave out of both what one of them cannot say; return notes about that."""
    notes = []
    bare = [prompt.format in ("bare", "jsonl") for prompt in (one, other)]
    if bare[0] != bare[1]:
        notes.append("one side is a list of messages without a request around it: tools and settings are not compared")
        kept = {"system", "messages"}
        for prompt in (one, other):  # a system prompt that stands among the messages stays
            prompt.parts = [
                part for part in prompt.parts if part.region in kept and not part.path.startswith(("system", "instr"))
            ]
        if not all(any(part.region == "system" for part in prompt.parts) for prompt in (one, other)):
            for prompt in (one, other):
                prompt.parts = [part for part in prompt.parts if part.region == "messages"]
    # What a request does not say at all is not there on either side; what one of them says is a difference.
    # A request that names no model was cut out of its envelope (Bedrock has it in the address): nothing is known then.
    names = [
        {part.name for part in prompt.parts if part.region == "settings" and (part.name != "model" or part.value)}
        for prompt in (one, other)
    ]
    for prompt in (one, other):
        prompt.parts = [
            part for part in prompt.parts if part.region != "settings" or part.name in names[0] & names[1]
        ]  # fmt: skip
    return notes


def _order_notes(one: Prompt, other: Prompt, at: int) -> list[str]:
    """Say where tools that stay the same are written with their keys in another order."""
    for before, after in zip(one.parts[:at], other.parts[:at], strict=True):
        if before.region == "tools" and before.digest == after.digest and before.pieces[0].text != after.pieces[0].text:
            note = f"the keys of the tool {after.name} stand in another order: providers render schemas anew, "
            return [f"{note}gateways and local servers may not"]
    return []


# --- where


def _break(one: Prompt, other: Prompt, at: int) -> Break:
    """Describe the divergence at part ``at``."""
    before, after = one.parts[at], other.parts[at]
    found = cause(one, other, at)
    regions = before.region, after.region
    found.region = next((region for region in ("tools", "system", "settings") if region in regions), before.region)
    texts = _point(found, one, other, before, after)
    if found.region == "messages" and found.next.path.rpartition(".")[2] in _IDS:
        found.cause = "id changed"
        found.what = "the id of a call, already sent, was changed"
        found.advice = "send ids back as they came: they are part of the prompt"
    found.volatile = _volatile(*texts) if texts else ""
    if found.volatile and found.region in ("tools", "system"):
        found.advice = "headroom align moves it behind the prefix that stays"
    return found


def _point(found: Break, one: Prompt, other: Prompt, before: Part, after: Part) -> tuple[str, str, int] | None:
    """Fill in both sides; return the two strings that differ, and where, if they are strings."""
    whole = before.region != after.region or found.cause in _WHOLE
    if whole or (before.region == "tools" and before.name != after.name):
        for side, prompt, part in ((found.previous, one, before), (found.next, other, after)):
            if part.region == found.region:
                side.path = part.path
                _fill(side, prompt, part.start, -1, part.value)
        return None
    values, starts, paths = [before.value, after.value], [before.start, after.start], [before.path, after.path]
    if before.digest == after.digest and min(before.outer, after.outer) >= 0:  # what is around the content differs
        values = [wire.around(one, before), wire.around(other, after)]
        starts, paths = [before.outer, after.outer], [wire.message_path(path) for path in paths]
    difference = place.difference(values[0], values[1])
    ends = []
    for i, (side, prompt) in enumerate(((found.previous, one), (found.next, other))):
        steps, value = difference.steps[i], values[i]
        side.path = ".".join(filter(None, (paths[i], *map(str, steps))))
        for step in steps:
            value = place.child(value, step)
        start = -1 if starts[i] < 0 else place.locate(prompt.text, starts[i], steps)
        _fill(side, prompt, start, difference.offset, value)
        ends.append(value)
    if difference.offset < 0:
        return None
    return ends[0], ends[1], difference.offset


def _fill(side: Side, prompt: Prompt, start: int, offset: int, value: object) -> None:
    """Give a side its place and its excerpt."""
    shown, at = (value, max(offset, 0)) if isinstance(value, str) else (dump(value), 0)
    side.before = ("..." if at > _BEFORE else "") + shown[max(0, at - _BEFORE) : at]
    side.after = shown[at : at + _AFTER] + ("..." if len(shown) > at + _AFTER else "")
    if start < 0:
        return
    if offset >= 0:
        start = start + offset if prompt.format == "raw" else place.inside(prompt.text, start, offset)
    side.line, side.column = place.line_and_column(prompt.text, start, prompt.first_line)


def _volatile(one: str, other: str, at: int) -> str:
    """Return what kind of volatile value the two strings differ in, "" when it is none."""
    from headroom_cli.align import find

    start = max(0, at - _WINDOW)
    for text in (other, one):
        for value in find(text[start : at + _WINDOW]):
            if value.start <= at - start < value.end:
                return str(value.kind)
    return ""


# --- what it costs


def _common(before: Part, after: Part, size: int, other_size: int) -> int:
    """Return about how many tokens two parts have in common before their first difference."""
    if "settings" in (before.region, after.region) or before.digest == after.digest:
        return 0
    texts = ["\n".join(piece.text for piece in part.pieces) for part in (before, after)]
    at = place.shared(texts[0], texts[1])
    return min(tokens.count(texts[0][:at]), size, other_size) if at else 0


def _cost(
    cost: Cost,
    prompts: tuple[Prompt, Prompt],
    columns: Sequence[Sequence[int]],
    same: tuple[int, int, bool],
    *,
    joined: bool,
) -> Cost:
    """Price the second request after the first, and after one that it would have extended.

    ``same`` is how many parts the two begin with in common, about how many tokens of the next one, and whether
    breakpoints are assumed.
    """
    rules, (at, head, assumed) = cost.rules, same
    listed = []
    sent = []
    names = pricing.Names()
    for i, (prompt, column) in enumerate(zip(prompts, columns, strict=True)):
        fixed, last = settled(prompt, assumed=assumed)
        parts = segments(prompt, column, joined=joined)
        whole = len(parts)
        cuts = [*lengths(prompt), whole] if i == 0 else [whole]
        if rules.implicit and head:  # such a cache keeps what the two parts begin with, too
            parts = _split(parts, at, head)
            cuts = [cut + (cut > at) for cut in cuts]
        listed.append(parts)
        sent += pricing.replay(parts, dict.fromkeys(cuts), fixed, last=last, names=names)
    cached = pricing.spans(sent, rules, cost.minimum)
    bill = pricing.bill(sent[-1:], cached[-1:], rules)
    cost.read, cost.written, cost.plain, cost.price = bill.read, bill.written, bill.plain, bill.price
    readable = sent[-2].sums[cached[-2][1]]
    cost.lost = max(0, min(readable, bill.sent) - bill.read)
    again = min(cost.lost, bill.written)
    cost.extra = again * rules.write + (cost.lost - again) - cost.lost * rules.read
    return cost


def _split(parts: list[Segment], at: int, head: int) -> list[Segment]:
    """Return the segments with the one at ``at`` in two: what the other request has too, and the rest."""
    part = parts[at]
    rest = pricing.Segment(part.digest, part.tokens - head, mark=part.mark, block=part.block)
    return [*parts[:at], pricing.Segment("the same in both", head, block=False), rest, *parts[at + 1 :]]
