"""Put hidden hops back into a later request, where the client shows a turn as it saw it."""

from __future__ import annotations

import json

from headroom_cli import hashing
from headroom_cli.formats._edits import Edit
from headroom_cli.wire.openai._chunk import text_in, text_part
from headroom_cli.wire.openai._gather import joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Path = tuple[str | int, ...]

# What a model wants back with its turn besides text and calls. OpenRouter wants reasoning_details as they came,
# DeepSeek and Moonshot reasoning_content, LiteLLM thinking_blocks for Anthropic's signatures.
FIELDS = ("refusal", "reasoning_content", "reasoning", "reasoning_details", "thinking_blocks")

_PAST = {"before", "shown", "calls", "after", "fields"}  # members of what Turn.past gives


class Digest:
    """What a client shows of a turn: its text, white space around it aside, and the ids of its calls.

    The text goes in piece by piece and is not kept.
    """

    __slots__ = ("_begun", "_blank", "_sum")

    def __init__(self) -> None:
        """Begin with no text."""
        import hashlib  # 3 ms

        self._sum = hashlib.sha256()
        self._begun = False
        self._blank: list[str] = []

    def add(self, text: str) -> None:
        """Take the next piece. UTF-16, because a stream may split a surrogate pair between two pieces."""
        if not self._begun:
            text = text.lstrip()
        if not text:
            return
        self._begun = True
        body = text.rstrip()
        if body:
            self._sum.update("".join((*self._blank, body)).encode("utf-16-le", "surrogatepass"))
            self._blank.clear()
        if len(body) < len(text):
            self._blank.append(text[len(body) :])

    def of(self, identifiers: Iterable[str]) -> str:
        """Return the digest of the text so far with these ids, in hex."""
        made = self._sum.copy()
        for identifier in identifiers:
            made.update(f"\0{identifier}".encode("utf-16-le", "surrogatepass"))
        return made.hexdigest()


def key_of(message: dict[str, Any]) -> str:
    """Return the digest of an assistant message as the client sends it."""
    digest = Digest()
    digest.add(text_in(message.get("content")))
    return digest.of(str(call.get("id") or "") for call in _calls(message) if isinstance(call, dict))


def field_digest(key: str, value: Any) -> str:
    """Return the digest of a member of FIELDS, the same whether a client kept its pieces or joined them."""
    text = json.dumps(joined(key, [value]), sort_keys=True)
    return hashing.sha256(text.encode())


def _calls(message: dict[str, Any]) -> list[Any]:
    calls = message.get("tool_calls")
    return calls if isinstance(calls, list) else []


def restore(request: dict[str, Any], find: Callable[[str], Any]) -> list[Edit]:
    """Return the edits that put hidden hops back into a request.

    ``find("K DIGEST")`` gives what ``Turn.past`` said of the assistant message number K, from 0, None for nothing.
    A message that is not exactly as the client saw it stays as it is.
    """
    messages = request.get("messages")
    edits: list[Edit] = []
    count = 0
    for place, message in enumerate(messages if isinstance(messages, list) else ()):
        if not isinstance(message, dict) or message.get("role") != "assistant":
            continue
        past = find(f"{count} {key_of(message)}")
        count += 1
        if isinstance(past, dict) and past.keys() >= _PAST:
            edits += _edits(place, message, past)
    return edits


def _edits(place: int, message: dict[str, Any], past: dict[str, Any]) -> list[Edit]:
    path: Path = ("messages", place)
    calls = _calls(message)
    content = _content(message, (*path, "content"), past["shown"], calls=bool(calls))
    if content is None or (past["calls"] and not calls):
        return []
    edits = [Edit.insert(("messages",), place, turn) for turn in past["before"]]
    edits += content
    edits += [Edit.insert((*path, "tool_calls"), at, call) for at, call in past["calls"]]
    edits += [Edit.insert(("messages",), place + 1, answer) for answer in past["after"]]
    for key, (digest, own) in past["fields"].items():
        if message.get(key) and field_digest(key, message[key]) == digest:
            edits.append(Edit.member(path, key, own) if own else Edit.remove(path, key))
    return edits


def _content(message: dict[str, Any], path: Path, shown: str, *, calls: bool) -> list[Edit] | None:
    """Return the edits that leave the earlier hops' text out; None when it is not there, or nothing would remain."""
    content = message.get("content")
    text = text_in(content)
    cut = _behind(text, shown)
    if cut is None or not (calls or text[cut:].strip()):
        return None
    if not cut:
        return []
    if isinstance(content, str):
        return [Edit.text(path, content[cut:]) if cut < len(content) else Edit.put(path, None)]
    edits: list[Edit] = []
    parts = content if isinstance(content, list) else []
    for i, part in enumerate(parts):
        said = text_part(part)
        if said is None or not cut:
            continue
        if len(said) <= cut:
            edits.append(Edit.drop(path, i))
        else:
            edits.append(Edit.text((*path, i, "text"), said[cut:]))
        cut -= min(cut, len(said))
    if len(edits) == len(parts) and edits[-1].kind == "drop":
        return [Edit.put(path, None)]
    return edits


def _behind(text: str, shown: str) -> int | None:
    """Return how much of a client's text is the earlier hops'; clients may strip it. None when it does not begin so."""
    for head in (shown, shown.lstrip()):
        if text.startswith(head):
            return len(head)
    return len(text) if text in (shown.rstrip(), shown.strip()) else None
