"""What the writers of requests have in common."""

from __future__ import annotations

import json

from headroom_cli.convert._parts import Call, Image, Result, Text, Turn
from headroom_cli.errors import CannotCarryError
from headroom_cli.hashing import sha256
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

# Where Anthropic's documents on streamed arguments say to put arguments that are no JSON, for the model to see them.
INVALID = "INVALID_JSON"
_ASCII = 256  # re.ASCII
_PLAIN = pattern(r"[a-zA-Z0-9_-]+\Z", _ASCII)
# What an API takes as the id of a call: (most characters, whether these alone: letters, digits, _ and -).
_IDENTIFIERS = {"anthropic": (0, True), "openai": (40, False), "responses": (64, False)}
NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


def identifier(target: str, given: str) -> str:
    """Return the id of a call as the target takes it: itself, or one made of its digest, the same every time."""
    most, plain = _IDENTIFIERS[target]
    if given and (not most or len(given) <= most) and (not plain or _PLAIN.match(given)):
        return given
    return "call_" + sha256(given.encode("utf-8", "surrogatepass"))[:32]


def arguments_text(call: Call) -> str:
    """Return the arguments of a call as text: as the model wrote them, or as compact JSON. Raise CannotCarryError."""
    if isinstance(call.arguments, str):
        return call.arguments
    held = call.arguments
    if set(held) == {INVALID} and isinstance(held[INVALID], str):
        written: str = held[INVALID]
        return written
    try:
        return json.dumps(held, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise CannotCarryError(f"{call.path}: its arguments cannot be written as JSON: {error}") from None


def arguments_object(call: Call) -> dict[str, Any]:
    """Return the arguments of a call as an object. Text that is none stands in a member INVALID_JSON."""
    if not isinstance(call.arguments, str):
        held: dict[str, Any] = call.arguments
        return held
    if not call.arguments.strip():
        return {}
    try:
        read = json.loads(call.arguments)
        json.dumps(read, allow_nan=False)  # neither NaN nor a number beyond what JSON can say
    except (ValueError, RecursionError):
        read = None
    return read if isinstance(read, dict) else {INVALID: call.arguments}


def result_parts(result: Result) -> list[Any]:
    """Return the parts of a result for an API without a flag for errors: its text is made to say that it is one."""
    parts = [part for part in result.parts if not isinstance(part, Text) or part.text]
    if not result.error:
        return parts
    first = parts[0] if parts and isinstance(parts[0], Text) else None
    if first is None:
        return [Text(result.path, "[error]"), *parts]
    if "error" in first.text.partition("\n")[0].lower():
        return parts
    return [Text(first.path, f"[error] {first.text}", first.mark, first.point), *parts[1:]]


def runs(turns: Iterable[Turn]) -> Iterator[list[Turn]]:
    """Yield the turns of one side that follow each other."""
    held: list[Turn] = []
    for turn in turns:
        if held and held[-1].role != turn.role:
            yield held
            held = []
        held.append(turn)
    if held:
        yield held


def noun(part: Any) -> str:
    """Name a part that is not text."""
    return "image" if isinstance(part, Image) else "file"


def file_name(media: str, name: str) -> str:
    """Return the name that OpenAI wants for a file."""
    return name or ("document.pdf" if media == "application/pdf" else "document.txt")


def is_strict(schema: Any) -> bool:
    """Tell whether a schema fulfils OpenAI's rules for strict mode: closed objects, every property required."""
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            properties = value.get("properties")
            if value.get("type") == "object" or isinstance(properties, dict):
                required = value.get("required")
                names = set(properties) if isinstance(properties, dict) else set()
                listed = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
                if value.get("additionalProperties") is not False or names != listed:
                    return False
            waiting += value.values()
    return True
