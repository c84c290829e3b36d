"""What the newest turn of a request is: new words of the user, or results of tools that the model only goes on from."""

from __future__ import annotations

from headroom_cli.harness import words
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

ASK = "ask"
RESUME = "resume"
# Values of a client may be lists, which no set takes: these are tuples.
_TOOLS = ("tool", "function")

# What programs say when something went wrong, wherever it stands in their output.
_STRONG = (
    "Traceback (most recent call last)", "panicked at", "npm ERR!", "error[E", "FAILED", "Segmentation fault",
    "command not found", "No such file or directory", "Permission denied", "timed out",
)  # fmt: skip
# What they say at the start of a line, or about how they ended. Looked for where outputs begin and end.
_SIGN = pattern(
    r"(?im)^[ \t>]*(?:[\w./\\-]{1,200}(?::\d{1,7}){1,2}: )?(?:fatal |uncaught |unhandled |internal )?"
    r"(?:\w{0,40}error|\w{0,40}exception|failed|failure|fatal|panic|denied|aborted|killed|cannot|could not|unable to"
    r"|not found|usage)\b[:!\[ ]"
    r"|\bexit(?:ed)?[ _](?:with )?(?:code|status)[\"']?[ ]?[:=]?[ ]?(?!0\b)-?\d"
    r"|\"(?:error|is_error|isError|stderr)\" ?: ?(?:true|\"[^\"]|\{)"
    r"|\b[1-9]\d{0,6} (?:failed|errors?|failures?)\b"
)
_NEAR = 4_000  # characters at each end of an output


def kind(shape: str, request: dict[str, Any]) -> str:
    """Return RESUME when nothing but results of tools is new in a request, else ASK."""
    turns = request.get("input" if shape == "responses" else "messages")
    if not isinstance(turns, list):
        return ASK
    resumed = False
    for turn in reversed(turns):
        if not isinstance(turn, dict):
            return ASK
        role, name = turn.get("role"), str(turn.get("type") or "")
        if role == "assistant" or (shape == "responses" and role is None and not name.endswith("_output")):
            break
        if role in _TOOLS or name.endswith("_output"):
            resumed = True
        elif role == "user":
            results, own = _of_user(turn.get("content"))
            if own:
                return ASK
            resumed = resumed or results
    return RESUME if resumed else ASK


def _of_user(content: Any) -> tuple[bool, bool]:
    """Tell whether a turn of the user holds results of tools, and whether it holds anything of the user's own."""
    if isinstance(content, str):
        return False, bool(words(content).strip())
    results = own = False
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and str(part.get("type") or "").endswith("tool_result"):
            results = True
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            own = own or bool(words(part["text"]).strip())
        else:
            own = True  # a picture, a file, or what is not known here
    return results, own


def is_routine(output: Any) -> bool:
    """Tell whether the output of a tool, a text or a list of parts, shows no sign of an error."""
    return not any(_fails(text) for text in _texts(output))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in value if isinstance(value, list) else ():
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield part["text"]


def _fails(text: str) -> bool:
    if any(sign in text for sign in _STRONG):
        return True
    ends = (text,) if len(text) <= 2 * _NEAR else (text[:_NEAR], text[-_NEAR:])
    return any(_SIGN.search(part) for part in ends)
