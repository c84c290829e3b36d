"""What one turn of a conversation says, shows, calls and answers, read from any of the wire formats."""

from __future__ import annotations

import binascii
import json

from headroom_cli import harness
from headroom_cli.formats._calls import describe, from_prose, is_observation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from headroom_cli.formats import Document
    from headroom_cli.model import Block

# What a picture costs where nobody can say how large it is: both APIs charge by area, a screenshot about this.
IMAGE = 1_500  # tokens
_HEAD = 1 << 20  # characters of base64 in which a picture says its size
FRAME = 4  # tokens that a message costs besides its texts
_IMAGES = frozenset(("image", "input_image", "image_url", "computer_screenshot", "image_generation_call"))
# Keys of a part whose strings are no words: names of things, and bytes.
_SILENT = frozenset(
    ("type", "id", "call_id", "tool_use_id", "tool_call_id", "status", "cache_control", "signature", "file_data")
)
# What a later request cannot do without, or what binds itself to everything before it.
_SIGNED = frozenset(("thinking", "redacted_thinking"))
_STANDING = frozenset(
    ("item_reference", "compaction", "additional_tools", "configuration_update", "mcp_list_tools",
     "mcp_approval_request", "mcp_approval_response", "container_upload")
)  # fmt: skip
# How harnesses answer a turn that they cannot act on.
_REPROACHES = (
    "Please always provide EXACTLY ONE action", "The last command <command>", "Your output could not be parsed",
    "Your output was not formatted correctly", "Your command ran successfully and did not produce any output",
    "Your proposed edit has introduced new syntax error", "The edit was not applied", "[ERROR] You did not use a tool",
    "Your last output", "No tool calls found", "Your response did not contain", "FORMAT ERROR", "Format error:",
    "Tool call error:", "EXECUTION TIMED OUT", "COMMAND TIMED OUT", "The command '",
    "The SEARCH/REPLACE block", "# 1 SEARCH/REPLACE block failed", "I ran this command:",
)  # fmt: skip


class Turn:
    """One message or item, in the terms of this stage.

    ``role``     system, user, assistant or tool; a Responses item has the role of whoever made it
    ``said``     the words of the user or the assistant, calls and their arguments among them
    ``own``      of these, the user's own, without what a harness put around them
    ``shown``    the output of tools, observations in user turns included
    ``calls``    the calls made: (id, tool name, what it was called with: a command, a path or "")
    ``answers``  the ids of the calls answered here
    ``heard``    for the output of a command that the turn before gave in words: the tool, and the command or path
    ``tokens``   what the turn costs
    ``failed``   a result here says by its own mark that it is an error
    ``parts``    calls or answers in the way that only the Anthropic API has
    ``signed``   holds a signature over everything before it
    ``standing`` of a shape that is not understood, or that others depend on: it never goes
    """

    __slots__ = (
        "answers",
        "calls",
        "failed",
        "heard",
        "own",
        "parts",
        "role",
        "said",
        "shown",
        "signed",
        "standing",
        "tokens",
    )

    def __init__(self, role: str) -> None:
        """Start a turn that says nothing."""
        self.role = role
        self.said = ""
        self.own = ""
        self.shown = ""
        self.calls: list[tuple[str, str, str]] = []
        self.answers: list[str] = []
        self.heard: tuple[str, str] | None = None
        self.tokens = 0
        self.failed = False
        self.parts = False
        self.signed = False
        self.standing = False

    @property
    def done(self) -> list[tuple[str, str]]:
        """What was called: here, or in words by the turn before whose output this is."""
        return [(tool, about) for _, tool, about in self.calls] + ([self.heard] if self.heard is not None else [])


def read(document: Document, count: Callable[[str], int], original: Callable[[int], str] | None = None) -> list[Turn]:
    """Read every turn of a document; observations are told from the user's words as its format tells them.

    ``original`` gives the text that a block (by its ordinal) had before it was rendered: a rendering has lost the
    harness's words around an output that tell it from the user's.
    """
    value: Any = document.value()
    for key in document.turns:
        value = value[key]
    told: dict[int, Block] = {}
    texts: dict[int, str] = {}
    for number, block in enumerate(document.blocks):
        if block.turn == "user" and (i := document.turn_of(block)) not in texts:
            texts[i] = block.text if original is None or block.role == "tool" else original(number)
            if block.role == "tool" or texts[i] != block.text:  # the user's own words are never rendered
                told[i] = block
    turns: list[Turn] = []
    for i, item in enumerate(value):
        answers = bool(turns) and turns[-1].role == "assistant" and not turns[-1].calls
        observed = answers and (i in told or _is_harness(texts.get(i, "")))
        turn = _turn(item, observed=observed, count=count)
        if observed:
            # Kept here, not with the command: what a turn is must not depend on the one behind it.
            hint = from_prose(turns[-1].said).hint
            turn.heard = (hint.tool, hint.command or hint.path)
        turns.append(turn)
    return turns


def _is_harness(text: str) -> bool:
    """Tell an observation, or a harness's reproach for a turn without one command, from the user's words."""
    return text.startswith(_REPROACHES) or is_observation(text)


def outside(document: Document, count: Callable[[str], int]) -> int:
    """Return the tokens of what a request holds besides its turns: tools, a system prompt, instructions."""
    value = document.value()
    if not document.turns or not isinstance(value, dict):
        return 0
    total = 0
    for key in ("system", "instructions"):
        total += sum(count(text) for text in strings(value.get(key)))
    if value.get("tools"):
        total += count(json.dumps(value["tools"], ensure_ascii=False))
    return total


def strings(value: Any, silent: frozenset[str] = _SILENT) -> list[str]:
    """Return the strings in a JSON value that somebody wrote, in order; ids and bytes of pictures and files aside."""
    found: list[str] = []
    stack = [value]
    while stack:
        here = stack.pop()
        if isinstance(here, str):
            found.append(here)
        elif isinstance(here, dict):
            if here.get("type") in _IMAGES or here.get("type") == "base64":
                continue
            stack.extend(v for k, v in reversed(here.items()) if k not in silent)
        elif isinstance(here, list):
            stack.extend(reversed(here))
    return found


def _turn(item: Any, *, observed: bool, count: Callable[[str], int]) -> Turn:
    if not isinstance(item, dict):
        turn = Turn("user")
        turn.standing = True
        turn.tokens = FRAME + count(json.dumps(item))
        return turn
    turn = Turn(_role(item))
    said: list[str] = []
    shown: list[str] = []
    pictures = _content(item.get("content"), turn, said, shown, observed=observed)
    if "role" not in item or item.get("type") not in (None, "message"):
        _item(item, turn, said, shown)
    for call in item.get("tool_calls") or ():
        if isinstance(call, dict):
            _call(call, call.get("function") or call.get("custom") or {}, turn, said)
    if isinstance(item.get("function_call"), dict):  # the API's first form: its results have a name only
        _call({"id": f"function {item['function_call'].get('name')}"}, item["function_call"], turn, said)
    if turn.role == "tool":
        answered = item.get("tool_call_id") or item.get("call_id")
        if answered is None and item.get("role") == "function":
            answered = f"function {item.get('name')}"
        if isinstance(answered, str):
            turn.answers.append(answered)
    said += [item[key] for key in ("reasoning_content", "reasoning", "refusal") if isinstance(item.get(key), str)]
    turn.said = "\n".join(said)
    turn.shown = "\n".join(shown)
    turn.tokens = FRAME + count(turn.said) + count(turn.shown) + pictures + _pictures(item.get("output"))
    encrypted = item.get("encrypted_content")
    if isinstance(encrypted, str):
        turn.signed = True
        turn.tokens += len(encrypted) // 4
    return turn


def _role(item: dict[str, Any]) -> str:
    role, kind = item.get("role"), item.get("type")
    if role in ("system", "developer"):
        return "system"
    if role in ("tool", "function") or (isinstance(kind, str) and kind.endswith("_output")):
        return "tool"
    if role == "user":
        return "user"
    return "assistant"


def _content(content: Any, turn: Turn, said: list[str], shown: list[str], *, observed: bool) -> int:
    """Sort a message's parts into words and outputs; return what the pictures among them cost."""
    outputs = turn.role == "tool" or observed
    if isinstance(content, str):
        (shown if outputs else said).append(content)
        if turn.role == "user" and not outputs:
            _own(content, turn)
        return 0
    pictures = 0
    for part in content if isinstance(content, list) else ():
        if not isinstance(part, dict):
            if isinstance(part, str):
                (shown if outputs else said).append(part)
            continue
        kind = part.get("type")
        if kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
            turn.parts = True
            if kind == "tool_use":  # the others are answered within the turn
                turn.calls.append((str(part.get("id")), str(part.get("name") or ""), _object_of(part.get("input"))))
            said.append(str(part.get("name") or ""))
            said += strings(part.get("input"), frozenset())
        elif kind == "tool_result":
            turn.parts = True
            turn.answers.append(str(part.get("tool_use_id")))
            turn.failed = turn.failed or part.get("is_error") is True
            shown += strings(part.get("content"))
            pictures += _pictures(part.get("content"))
        elif kind in _SIGNED:
            turn.signed = turn.signed or bool(part.get("signature") or part.get("data"))
            said += strings(part.get("thinking"))
        elif kind in _IMAGES:
            pictures += _pictures([part])
        elif isinstance(kind, str) and kind.endswith("_tool_result"):
            shown += strings(part.get("content"))
        else:
            texts = strings({k: v for k, v in part.items() if k not in _SILENT})
            (shown if outputs else said).extend(texts)
            if turn.role == "user" and not outputs:
                for text in texts:
                    _own(text, turn)
    return pictures


def _own(text: str, turn: Turn) -> None:
    """Take note of what a text of a user's turn says of the user's own; what align put there is not to go."""
    turn.standing = turn.standing or harness.is_ours(text)
    words = harness.words(text).strip()
    turn.own = f"{turn.own}\n{words}".strip() if words else turn.own


def _pictures(content: Any) -> int:
    """Return what the pictures of a list of parts, or a screen that stands alone, cost in tokens."""
    parts = content if isinstance(content, list) else [content]
    return sum(_cost(part) for part in parts if isinstance(part, dict) and str(part.get("type")) in _IMAGES)


def _cost(part: dict[str, Any]) -> int:
    from headroom_cli.formats._pictures import Picture
    from headroom_cli.images import cost, head

    data = Picture(part, (), "", None).data[:_HEAD]
    try:
        first = head.read(binascii.a2b_base64(data[: len(data) // 4 * 4]))
    except (binascii.Error, ValueError):
        first = None
    return IMAGE if first is None else cost.tokens(*first.upright, "anthropic")


def _item(item: dict[str, Any], turn: Turn, said: list[str], shown: list[str]) -> None:
    """Read a Responses item that is no message."""
    kind = item.get("type")
    if turn.role == "tool":
        shown += strings(item.get("output"))
        return
    identifier = item.get("call_id")
    if kind in _STANDING or not isinstance(kind, str):
        turn.standing = True
    elif isinstance(identifier, str) and kind.endswith("_call"):
        given = item.get("arguments") if kind == "function_call" else item.get("input") or item.get("action")
        turn.calls.append((identifier, str(item.get("name") or kind[:-5]), _object_of(given)))
    elif kind != "reasoning" and not kind.endswith("_call"):
        turn.standing = True
    said += strings({k: v for k, v in item.items() if k not in ("encrypted_content", "role", "content")})


def _call(call: dict[str, Any], function: Any, turn: Turn, said: list[str]) -> None:
    """Read a call of the Chat API."""
    name = function.get("name") if isinstance(function, dict) else ""
    given = (function.get("arguments") or function.get("input")) if isinstance(function, dict) else None
    turn.calls.append((str(call.get("id")), str(name or ""), _object_of(given)))
    said.append(str(name or ""))
    said += strings(given)


def _object_of(given: Any) -> str:
    """Return what a call is about: its command or its path, "" when it has neither."""
    if isinstance(given, str) and given[:1] not in ("{", "["):
        return given
    hint = describe("", given).hint
    return hint.path or hint.command
