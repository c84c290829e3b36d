"""The block that asks a model to write less.

It is one constant for each level: nothing of the request, the day or the user enters, so it is cached like the prompt
in front of it. The words avoid two things that were measured to fail in a similar block: telling a model to give code
or errors exactly made its answers 58 % longer, and "name the place" without saying how made it leave the place out.

They also avoid what would be false or harmful somewhere: who reads an agent's answer need not have seen its tools'
output; many clients parse what the model says (edits to be applied, tags, reports), so what they ask for goes first;
and a smaller edit is no aim, only not to write again what stays.
"""

from __future__ import annotations

OPEN = "<headroom_output_shaping>"
CLOSE = "</headroom_output_shaping>"
LEVELS = (0, 1, 2, 3, 4)

_HEAD = (
    "How to word answers in this conversation. It is about prose alone: reasoning, tool calls, tests, code, and"
    " whatever the user or the instructions above ask for (a format, a report, an explanation) stay as complete as they"
    " would be."
)
_ONE = (
    "Start with the substance: no greeting, no restating of the request, no announcement of what comes next.",
    "Stop when it is said: say nothing twice, no offer of more.",
)
_POINT = (
    "Do not print again what code and tool output of this conversation show: point to it by path:line or command, and"
    " quote the few lines that the reader needs."
)
_TWO = (_POINT,)
_KEEP = (
    "Never shorten by dropping what the task needs: findings, risks, failing tests, what was not done or not checked,"
    " and open questions all stay, with path:line where they have a place."
)
_THREE = (
    "Give conclusions and what they rest on; leave out the way to them unless it is asked for.",
    "Change a file by edits where it changes; do not write all of it again to change a part of it.",
    _KEEP,
)
_FOUR = ("Write fragments and short lists instead of sentences wherever the meaning survives it.",)
_RULES = {1: _ONE, 2: (*_ONE, *_TWO), 3: (*_ONE, *_TWO, *_THREE), 4: (*_ONE, *_TWO, *_THREE, *_FOUR)}


def text(level: int) -> str:
    """Return the block of a level, 0 to 4; "" for 0. Raise ValueError for another number."""
    if level not in LEVELS:
        raise ValueError(f"{level} is no level of verbosity; use 0 to 4")
    if level == 0:
        return ""
    return "\n".join((OPEN, _HEAD, *(f"- {rule}" for rule in _RULES[level]), CLOSE))


def found_in(text_: str) -> str:
    """Return the block that stands in a text, whoever wrote it, "" for none."""
    start = text_.find(OPEN)
    end = text_.find(CLOSE, start) if start >= 0 else -1
    return text_[start : end + len(CLOSE)] if end >= 0 else ""
