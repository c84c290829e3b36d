"""Less effort for turns that only go on from routine results of tools, where that loses nothing of the cache.

What the APIs document, as of November 2026:

OpenAI     A change of ``reasoning.effort`` can rewrite hidden instructions at the start of the prompt: all of the cache
           is lost. An item ``configuration_update`` in ``input`` changes the effort of the answers behind it and
           keeps the prefix (guides "Prompt caching" and "Reasoning", section "Change reasoning mid-conversation";
           openai 3.52, responses/response_configuration_update_item_param_param.py). It is there for GPT-6 Astra
           in standard, single-agent mode; not with automatic compaction or truncation, not twice in a row. Other
           models refuse it (openai/codex#44751: GPT-5.6 Luna, Terra and Sol).
Anthropic  A change of ``output_config.effort`` always loses the messages that are cached. A system message with
           nothing but an effort keeps them, but counts from the next turn of the user with new input, and a turn
           of tool results alone is none ("Per-message effort"). So the turns that this is about cannot be reached.
Chat       Has no such item.

So effort is routed in the Responses API with GPT-6 Astra, and stays as the client has it everywhere else. Updates are
a function of the items in front of them and of what the client asked for, so each request repeats those of the ones
before it in their places.
"""

from __future__ import annotations

from headroom_cli.formats._edits import Edit
from headroom_cli.lazy import pattern
from headroom_cli.shaping.turns import is_routine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

ORDER = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
LOW = "low"
_ABOVE = ORDER[ORDER.index(LOW) + 1 :]
UPDATE = "configuration_update"
# Models that take updates, by OpenAI's own names; a deployment's name tells nothing.
_TAKES = pattern(r"gpt-6-astra(?:-\d{4}-\d\d-\d\d)?\Z")
# Members that stand for what updates cannot be combined with, or for a history that the provider holds.
_AGAINST = ("context_management", "previous_response_id", "conversation", "prompt", "background", "multi_agent")
# Values of a client may be lists, which no set takes: these are tuples.
_NO_TRUNCATION = (None, "disabled")
_ONE_MODE = (None, "standard")
_COMPACTED = ("compaction", "compaction_summary", "context_compaction")


def asked(request: dict[str, Any]) -> str:
    """Return the effort that a client of the Responses API asks for by itself, "" for none that is known."""
    reasoning = request.get("reasoning")
    found = reasoning.get("effort") if isinstance(reasoning, dict) else None
    return found if isinstance(found, str) and found in ORDER else ""


def may_move(shape: str, request: dict[str, Any], model: str) -> bool:
    """Tell whether a conversation that begins with this request can have its effort routed.

    Only below what the client asked for by itself, and only where all of the history comes with each request.
    """
    if shape != "responses" or not _TAKES.match(model) or asked(request) not in _ABOVE:
        return False
    return request.get("store") is False and not is_barred(request)


def is_barred(request: dict[str, Any]) -> bool:
    """Tell whether a request cannot carry updates: the provider would refuse it."""
    reasoning = request.get("reasoning")
    mode = reasoning.get("mode") if isinstance(reasoning, dict) else None
    return (
        not isinstance(request.get("input"), list)
        or any(request.get(name) for name in _AGAINST)
        or request.get("truncation") not in _NO_TRUNCATION
        or mode not in _ONE_MODE
    )


class Moves:
    """The updates of one request.

    ``edits``    that put them in
    ``now``      the effort of the answer to this request
    ``changes``  [number of stretches, effort]: where the client changed what it asks for, as it is to be noted
    """

    __slots__ = ("changes", "edits", "now")

    def __init__(self, request: dict[str, Any], changes: list[list[Any]], by_model: Callable[[Any], bool]) -> None:
        """Find them; ``changes`` are those that were noted, ``by_model`` tells what items a model made."""
        items = request["input"]
        stretches = list(_stretches(items, by_model))
        wanted, last = asked(request), str(changes[-1][1])
        self.changes = changes if wanted in {"", last} else [*changes, [len(stretches), wanted]]
        self.edits: list[Edit] = []
        began = stretches[0][0] if stretches else len(items)
        said = [_effort_of(item) for item in items[:began] if _type(item) == UPDATE]
        theirs = said[-1] if said else ""  # the effort of the client's own latest update
        self.now = theirs or str(changes[0][1])
        for number, (start, end) in enumerate(stretches, 1):
            stretch = items[start:end]
            if any(_type(item) in _COMPACTED for item in stretch):
                self.now, theirs = wanted or last, ""  # what was set before a compaction does not reach behind it
            if own := [_effort_of(item) for item in stretch if _type(item) == UPDATE]:
                self.now = theirs = own[-1] or theirs  # two in a row would be refused
                continue
            full = theirs or next(str(effort) for since, effort in reversed(self.changes) if since <= number)
            effort = LOW if full in _ABOVE and _is_resumed(stretch) else full
            if effort != self.now:
                at = start + _outputs(stretch)
                self.edits.append(Edit.insert(("input",), at, {"type": UPDATE, "reasoning": {"effort": effort}}))
                self.now = effort


def _is_resumed(stretch: list[Any]) -> bool:
    """Tell whether a stretch is nothing but routine results of tools."""
    return _outputs(stretch) == len(stretch) and all(is_routine(item.get("output")) for item in stretch)


def _stretches(items: list[Any], by_model: Callable[[Any], bool]) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each run of items that a client added behind an answer of the model."""
    start = -1
    seen = False
    for index, item in enumerate(items):
        if by_model(item) and _type(item) not in _COMPACTED:
            if start >= 0:
                yield start, index
            start, seen = -1, True
        elif seen and start < 0:
            start = index
    if start >= 0:
        yield start, len(items)


def _outputs(items: list[Any]) -> int:
    """Return how many items at the start are results of tools: an update goes behind these, and before new words."""
    return next((number for number, item in enumerate(items) if not _type(item).endswith("_output")), len(items))


def _type(item: Any) -> str:
    return str(item.get("type") or "") if isinstance(item, dict) else ""


def standing(request: dict[str, Any]) -> str:
    """Return how the effort of the answer differs from what the request asks for at its top, "high->low" or ""."""
    items = request.get("input")
    updates = [item for item in items if _type(item) == UPDATE] if isinstance(items, list) else []
    before, now = asked(request), _effort_of(updates[-1]) if updates else ""
    return f"{before}->{now}" if before and now and now != before else ""


def _effort_of(update: dict[str, Any]) -> str:
    reasoning = update.get("reasoning")
    found = reasoning.get("effort") if isinstance(reasoning, dict) else None
    return found if isinstance(found, str) and found in ORDER else ""
