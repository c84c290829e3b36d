"""What an input is: a request in one of three shapes, a list of turns, or a text; and requests made of the others."""

from __future__ import annotations

import json

from headroom_cli import formats, wire
from headroom_cli.errors import FormatError, UsageError
from headroom_cli.formats._edits import Edit
from headroom_cli.wire._events import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.backends import Backend
    from headroom_cli.formats import Document
    from headroom_cli.send.options import Options

# What only one of two APIs that share a plain request has. Both have model, messages, stream, tools and more.
_ANTHROPIC_ONLY = frozenset(
    ("system", "stop_sequences", "top_k", "thinking", "output_config", "anthropic_version", "anthropic_beta",
     "context_management", "container", "mcp_servers", "cache_control")
)  # fmt: skip
_CHAT_ONLY = frozenset(
    ("max_completion_tokens", "n", "stop", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "seed",
     "response_format", "stream_options", "reasoning_effort", "modalities", "functions", "function_call", "user",
     "parallel_tool_calls", "top_logprobs", "prediction", "audio", "store", "verbosity", "prompt_cache_key")
)  # fmt: skip
_CHAT_TURN = frozenset(("tool_calls", "tool_call_id", "function_call", "name", "refusal", "audio", "reasoning_content"))
_CHAT_PARTS = frozenset(("text", "image_url", "input_audio", "file", "refusal"))
DEFAULT_MAX_TOKENS = 8_192  # of an answer to a text that came without a request around it


def value_of(data: bytes, document: Document) -> Any:
    """Return the request or the list of turns that the input is, None for a text. Raise FormatError."""
    if formats.are_request_lines(data):
        raise FormatError("these are several requests, one a line; send them one at a time")
    if document.format in {"bare", "jsonl"}:
        return document.value()
    if document.has_turns:
        return document.value()
    if data.lstrip()[:1] != b"{":
        return None
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if "model" in value and ("messages" in value or "input" in value) else None


def unread(data: bytes) -> dict[str, Any] | None:
    """Return what can be told of a request that the stages cannot open, None when it is none.

    It is nested too deep, holds a number of thousands of digits, or bytes that are no UTF-8: the provider decides. What
    cannot be read at all gives an empty value.
    """
    if data.lstrip()[:1] != b"{" or not (b'"messages"' in data or b'"input"' in data):
        return None
    try:
        value = json.loads(
            data.decode("utf-8", "replace"), parse_int=lambda text: text if len(text) > 4000 else int(text)
        )
    except RecursionError:
        return {}
    except ValueError:
        if b'"role"' in data:  # damaged on its way: nobody means to pay for that as a text
            raise FormatError(
                "the input looks like a request and cannot be read as JSON; mend it, or pass it with --from raw"
            ) from None
        return None
    return value if "model" in value and ("messages" in value or "input" in value) else None


def shape_of(value: Any, read_as: str, form: str, backend: Backend) -> str:
    """Return the row of wire.WIRES in which a request or a list is written; ``read_as`` is the document's format.

    A plain request is the same in two APIs. Then it is taken for the one that the backend speaks.
    """
    if form in wire.WIRES:
        return form
    if isinstance(value, list):
        return _shape_of_list(value, backend)
    if read_as in {"anthropic", "responses"}:
        return read_as
    if "messages" not in value:
        return "responses" if value else backend.shapes[0]
    if not _ANTHROPIC_ONLY.isdisjoint(value):
        return "anthropic"
    if "max_tokens" not in value or not _CHAT_ONLY.isdisjoint(value) or names(value.get("tools")):
        return "openai"
    return _shape_of_list(value["messages"], backend)


def _shape_of_list(turns: list[Any], backend: Backend) -> str:
    if any(isinstance(turn, dict) and isinstance(turn.get("type"), str) for turn in turns):
        return "responses"
    parts = _kinds_of_parts(turns)
    if parts - _CHAT_PARTS:
        return "anthropic"
    plain = parts <= {"text"} and all(
        isinstance(turn, dict) and turn.get("role") in {"user", "assistant"} and _CHAT_TURN.isdisjoint(turn)
        for turn in turns
    )
    return "anthropic" if plain and backend.shapes[0] == "anthropic" else "openai"


def _kinds_of_parts(turns: Any) -> set[str]:
    """Return the types of all parts of a list of turns."""
    return {
        str(part.get("type")) for turn in (turns if isinstance(turns, list) else ())
        if isinstance(turn, dict) and isinstance(turn.get("content"), list)
        for part in turn["content"] if isinstance(part, dict)
    }  # fmt: skip


def wrapped(turns: list[Any], shape: str, data: bytes, options: Options) -> bytes:
    """Return a request around a list of turns, which keeps its own bytes when it has some."""
    model = options.model or options.usual
    if not model:
        raise UsageError("a list of messages has no model of its own; name one with --model")
    value: dict[str, Any] = {"model": model}
    if shape == "anthropic":
        value["max_tokens"] = options.max_tokens or DEFAULT_MAX_TOKENS
    elif options.max_tokens:
        value["max_output_tokens" if shape == "responses" else "max_completion_tokens"] = options.max_tokens
    body = data.removeprefix(b"\xef\xbb\xbf").strip() or written(turns)
    name = b"input" if shape == "responses" else b"messages"
    return json.dumps(value).encode()[:-1] + b', "' + name + b'": ' + body + b"}"


def asked_to_stream(data: bytes, options: Options) -> bytes:
    """Return a request that asks for a stream, if the caller wants one."""
    if not options.stream or json.loads(data).get("stream") is True:
        return data
    return formats.spliced(data, [Edit.member((), "stream", value=True)])


def names(tools: Any) -> frozenset[str]:
    """Return the names of the tools that a request declares, in any shape; unknown ones count by their type."""
    if not isinstance(tools, list):
        return frozenset()
    found = set()
    for tool in tools:
        if isinstance(tool, dict):
            function = tool.get("function")
            name = tool.get("name") or (function.get("name") if isinstance(function, dict) else "") or tool.get("type")
            found.add(str(name))
    return frozenset(found)
