"""Why a prefix broke, in words: what changed, what that takes along, and what to do about it.

What survives which change is Anthropic's table; OpenAI only says that the prefix must be the same.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from headroom_cli.census.parts import Part
    from headroom_cli.census.wire import Prompt


class Side:
    """One side of the divergence.

    ``path``    of the value that differs, in the file's own keys: "messages.4.content.0.text"
    ``line``, ``column``  of the first byte that differs, counted from 1; 0 where that side holds nothing
    ``before``, ``after``  what stands around it; ``after`` starts with the first difference
    """

    __slots__ = ("after", "before", "column", "line", "path")

    def __init__(self, path: str) -> None:
        """Start at nowhere."""
        self.path = path
        self.line = 0
        self.column = 0
        self.before = ""
        self.after = ""


class Break:
    """The first divergence.

    ``cause``     a stable name: "model", "tools changed", "system changed", "message left out" ...
    ``what``      one sentence
    ``advice``    what to do, one sentence
    ``volatile``  what kind of value changed there ("date", "uuid" ...), "" when it is none
    ``signed``    blocks behind it that the provider only accepts after an unchanged conversation
    """

    __slots__ = ("advice", "cause", "next", "previous", "region", "signed", "volatile", "what")

    def __init__(self, cause: str, what: str, advice: str) -> None:
        """Leave the places to be found."""
        self.cause = cause
        self.what = what
        self.advice = advice
        self.region = ""
        self.volatile = ""
        self.signed = 0
        self.previous = Side("")
        self.next = Side("")


def cause(one: Prompt, other: Prompt, at: int) -> Break:
    """Name what changed and say what to do about it."""
    before, after = one.parts[at], other.parts[at]
    if "tools" in (before.region, after.region):
        return _tool_cause(one, other, after if after.region == "tools" else before)
    if "system" not in (before.region, after.region) and "settings" in (before.region, after.region):
        return _setting_cause(before if before.region == "settings" else after)
    if before.region != after.region:
        return Break(
            "system changed",
            "a part of the system prompt was added or left out",
            "keep the system prompt of a conversation as it was; say what is new in the newest user turn",
        )
    if before.region == "system":
        return Break(
            "system changed",
            "the system prompt changed",
            "keep the system prompt of a conversation as it was; say what is new in the newest user turn",
        )
    return _message_cause(one, other, at)


def _setting_cause(part: Part) -> Break:
    """Say what a setting that changed takes along."""
    if part.name == "model":
        return Break("model", "the model changed: nothing is shared between models", "keep one model in a conversation")
    if part.name == "images":
        return Break(
            "images",
            "pictures came in or went: tools and system prompt are still found, no message is",
            "send pictures from the first request on, or in a conversation of their own",
        )
    if part.name == "tool_choice":
        what = "tool_choice changed: tools and system prompt are still found, no message is"
        return Break("tool_choice", what, "keep tool_choice as it was, and say in words which tool is wanted")
    if part.name == "speed":
        return Break("speed", "speed changed: only the tools are still found", "keep one speed in a conversation")
    name = "effort" if part.name in ("output_config", "reasoning", "reasoning_effort") else part.name
    name = "verbosity" if name == "text" else name
    survives = "; whether tools and system prompt are found depends on the model"
    known = part.name in ("thinking", "output_config")
    return Break(
        name,
        f"{name} changed: no message is found" + (survives if known else ", and what survives is not documented"),
        f"keep {name} as it was for the whole conversation",
    )


def _tool_cause(one: Prompt, other: Prompt, part: Part) -> Break:
    """Tell an order from an addition, a removal and a change."""
    if not part.path.startswith(("tools", "functions")):
        what = "the form that the answer must have changed, which is rendered before everything else"
        return Break("schema", what, f"keep {part.name} as it was for the whole conversation")
    tools = [[tool for tool in prompt.parts if tool.region == "tools"] for prompt in (one, other)]
    names = [[tool.name for tool in side] for side in tools]
    nothing = ": nothing behind it is found, whatever comes later"
    if sorted(tool.digest for tool in tools[0]) == sorted(tool.digest for tool in tools[1]):
        return Break("tools order", f"the tools changed their order{nothing}", "headroom align keeps the first order")
    added = [name for name in names[1] if name not in names[0]]
    removed = [name for name in names[0] if name not in names[1]]
    if added and not removed:
        what = f"a tool came in: {_listed(added)}{nothing}"
        return Break("tools added", what, "offer every tool from the first request on")
    if removed and not added:
        what = f"a tool went: {_listed(removed)}{nothing}"
        return Break("tools removed", what, "offer every tool to the end, and say in words which ones to leave alone")
    if added:
        what = f"tools were exchanged: {_listed(removed)} for {_listed(added)}{nothing}"
        return Break("tools changed", what, "offer every tool from the first request on")
    what = f"the tool {part.name} changed{nothing}"
    return Break("tools changed", what, "keep names, descriptions and schemas as they were in the first request")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


_WHO = {
    "user": "a user turn",
    "assistant": "an assistant turn",
    "tool": "a tool's output",
    "system": "a system message",
}


def _message_cause(one: Prompt, other: Prompt, at: int) -> Break:
    """Tell a rewritten block from ones that were left out or put in before it."""
    before, after = one.parts[at], other.parts[at]
    dropped = _index(one.parts, after.digest, at + 1)
    inserted = _index(other.parts, before.digest, at + 1)
    if dropped and (not inserted or dropped <= inserted):
        count = dropped - at
        what = f"{count} block{'s' if count > 1 else ''} of the conversation were left out"
        if all(part.kind in ("thinking", "redacted_thinking", "reasoning") for part in one.parts[at:dropped]):
            return Break(
                "thinking left out", "thinking that was sent before is not sent any more",
                "send thinking blocks back as they came, or from the beginning not at all",
            )  # fmt: skip
        return Break("message left out", what, "drop turns rarely and in large steps: each step is written anew")
    if inserted:
        count = inserted - at
        what = f"{count} block{'s' if count > 1 else ''} were put in before what was already sent"
        return Break("message put in", what, "add what is new behind everything that was sent")
    behind = {part.digest for part in other.parts[at + 1 :]}
    if len(one.parts) > at + 1 and not any(part.digest in behind for part in one.parts[at + 1 :]):
        return Break(
            "rewritten", "from here on nothing is as it was: the conversation was summarised, cut or is another one",
            "summarise rarely and in large steps: each step is written anew",
        )  # fmt: skip
    who = _WHO.get(before.role, "a part")
    if before.kind in ("tool_result", "function_call_output", "custom_tool_call_output") or before.role == "tool":
        return Break(
            "output changed", "the output of a tool, already sent, was rewritten",
            "shorten an output before it is first sent, and send the same bytes ever after, as headroom crush does",
        )  # fmt: skip
    if before.role != after.role:
        return Break(
            "message changed", f"{who} stands where now {_WHO.get(after.role, 'a part')} stands",
            "send the conversation as it was and add to its end",
        )  # fmt: skip
    if before.answer:
        advice = "send the model's answers back as they came, ids and order of keys too"
        return Break("answer changed", "an answer of the model was changed", advice)
    advice = "leave what was sent as it is, and put what changes at the end"
    return Break("message changed", f"{who}, already sent, was changed", advice)


def _index(parts: Sequence[Part], digest: str, start: int) -> int:
    return next((i for i in range(start, len(parts)) if parts[i].digest == digest), 0)
