"""Read and write the pieces that Chat answers are made of.

A stream is chunks ``{id, created, choices: [{index, delta, finish_reason}], usage}`` and ``[DONE]`` (types of the
official openai SDK, 3.52). OpenRouter and others add members of their own, which stay.
"""

from __future__ import annotations

import json

from headroom_cli.wire._events import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

DONE = "[DONE]"
# Reasons to end that say: now it is the client's turn to run tools.
CALLING = ("tool_calls", "function_call")


def encoded(value: dict[str, Any]) -> str:
    """Write JSON without spaces; half a surrogate pair, which UTF-8 cannot hold, makes all of it ASCII."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def written(value: dict[str, Any], name: str = "") -> Event:
    """Write a chunk of our own, or one that is not as it came."""
    data = encoded(value)
    head = f"event: {name}\n" if name else ""
    return Event(f"{head}data: {data}\n\n".encode(), name, data)


def sound(text: str) -> str:
    """Join surrogate pairs that a stream split between two chunks; a half that stays alone becomes U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def choices(value: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """Return the choices of a chunk or an answer, each with its index (0 when it has none)."""
    listed = value.get("choices")
    if not isinstance(listed, list):
        return []
    found = []
    for choice in listed:
        if isinstance(choice, dict):
            index = choice.get("index")
            found.append((index if isinstance(index, int) else 0, choice))
    return found


def first(value: dict[str, Any]) -> dict[str, Any] | None:
    """Return the choice with index 0, None when there is none."""
    return next((choice for index, choice in choices(value) if index == 0), None)


def with_first(value: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return a copy of a chunk or an answer whose first choice has these members."""
    old = first(value)
    if old is None:
        return value
    return {**value, "choices": [{**old, **members} if choice is old else choice for choice in value["choices"]]}


def part(choice: dict[str, Any] | None, name: str = "delta") -> dict[str, Any]:
    """Return a choice's delta (or message), {} when there is none."""
    found = choice.get(name) if choice is not None else None
    return found if isinstance(found, dict) else {}


def text_in(content: Any) -> str:
    """Return the text of a content: a string, or a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "".join(text for item in content for text in (text_part(item),) if text is not None)


def text_part(item: Any) -> str | None:
    """Return the text of a part of a content, None for another part."""
    text = item.get("text") if isinstance(item, dict) and item.get("type") == "text" else None
    return text if isinstance(text, str) else None


def adds(delta: dict[str, Any]) -> bool:
    """Tell whether a delta says anything besides whose turn it is."""
    return any(key != "role" and value not in (None, "", [], {}) for key, value in delta.items())


def parted(value: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Part a chunk of the hop's end: what it says, which the client sees now (None for nothing), and the end itself."""
    choice = first(value)
    if choice is None or not (adds(part(choice)) or choice.get("logprobs")):
        return None, value
    still = {key: None for key in ("finish_reason", "native_finish_reason") if key in choice}
    now = with_first(value, **still)
    if "usage" in now:
        now["usage"] = None
    said = {"logprobs": None} if "logprobs" in choice else {}
    return now, with_first(value, delta={}, **said)


def failure_of(value: dict[str, Any]) -> tuple[str, str] | None:
    """Return (type, message) of an error inside an answer, None for none.

    OpenRouter gives ``{code: number, message}`` once the model has begun, OpenAI ``{type, code, message}``.
    """
    error = value.get("error")
    if not error:
        return None
    if not isinstance(error, dict):
        return "error", str(error)
    kind = next((error[key] for key in ("type", "code") if error.get(key) not in (None, "")), "error")
    if error.get("code") == "server_is_overloaded":  # its type is that of any fault
        kind = error["code"]
    return str(kind), str(error.get("message") or "")


def weight(value: Any) -> int:
    """Return the characters of the texts in a value."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(weight(item) for item in value.values())
    return sum(weight(item) for item in value) if isinstance(value, list) else 0


def shifted(details: Iterable[Any], offset: int) -> list[Any]:
    """Return ``reasoning_details`` with other indices: clients merge those of one index, whatever the hop."""
    return [
        {**item, "index": item["index"] + offset}
        if offset and isinstance(item, dict) and isinstance(item.get("index"), int)
        else item
        for item in details
    ]
