"""Write an Anthropic Messages request."""

from __future__ import annotations

import base64
import binascii

from headroom_cli.convert._parts import (
    Call,
    Choice,
    File,
    Form,
    Image,
    Job,
    Refusal,
    Result,
    Talk,
    Text,
    Thinking,
    Turn,
)
from headroom_cli.convert._shared import NO_PARAMETERS, arguments_object, identifier, runs
from headroom_cli.convert._tables import MAX_TOKENS
from headroom_cli.errors import CannotCarryError
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MEDIA = ("image/jpeg", "image/png", "image/gif", "image/webp")
_ASCII = 256  # re.ASCII
_NAME = pattern(r"[a-zA-Z0-9_-]{1,128}\Z", _ASCII)
_EFFORTS = {"minimal": "low"}


def write(job: Job, talk: Talk) -> dict[str, Any]:
    """Return the request. Raise CannotCarryError."""
    made: dict[str, Any] = {} if talk.model is None else {"model": talk.model}
    made["max_tokens"] = MAX_TOKENS if talk.max_tokens is None else talk.max_tokens
    head, rest = _split(talk.turns)
    system = [block for turn in head for block in _blocks(job, turn)]
    if system:
        made["system"] = _content(system)
    made["messages"] = _messages(job, rest)
    if talk.tools:
        made["tools"] = [_tool(job, tool) for tool in talk.tools]
    choice = _choice(talk)
    if choice:
        made["tool_choice"] = choice
    if isinstance(talk.temperature, (int, float)) and talk.temperature > 1:
        raise CannotCarryError(
            f"temperature: {talk.temperature} is more than 1, the most that Anthropic Messages takes"
        )
    rows = (
        ("temperature", talk.temperature),
        ("top_p", talk.top_p),
        ("stream", talk.stream),
        ("cache_control", talk.mark),
    )
    made.update({name: value for name, value in rows if value is not None})
    if talk.stop:
        made["stop_sequences"] = list(talk.stop)
    _effort(talk, made)
    return made


def _split(turns: list[Turn]) -> tuple[list[Turn], list[Turn]]:
    """Part the instructions at the beginning from the conversation."""
    count = next((index for index, turn in enumerate(turns) if turn.role not in {"system", "developer"}), len(turns))
    return turns[:count], turns[count:]


def _messages(job: Job, turns: list[Turn]) -> list[dict[str, Any]]:
    """Write the conversation: it begins with the user, and instructions stand between a user's and a model's message.

    Instructions in front of a user's message go behind it: that is the only place the API has for them.
    """
    made: list[dict[str, Any]] = []
    users: list[Any] = []
    waiting: list[Turn] = []

    def close(before: str) -> None:
        if users:
            users.sort(key=lambda block: block["type"] != "tool_result")  # results answer the calls right before them
            made.append({"role": "user", "content": _content(users.copy())})
            users.clear()
        told = [block for turn in waiting for block in _blocks(job, turn)]
        if told:
            if not made or made[-1]["role"] != "user":
                raise CannotCarryError(
                    f"{waiting[0].path}: Anthropic Messages takes a {waiting[0].role} message within a conversation "
                    "only where a user's message comes before it, or follows it; move it there"
                )
            made.append({"role": "system", "content": _content(told)})
        waiting.clear()
        if not made:
            raise CannotCarryError(f"{before}: Anthropic Messages wants a user's message first; add one")

    for run in runs(turns):
        role = run[0].role
        if role == "user":
            users += [block for turn in run for block in _blocks(job, turn)]
        elif role in {"system", "developer"}:
            waiting += run
        else:
            blocks = [block for turn in run for block in _blocks(job, turn)]
            if not blocks:
                continue
            close(run[0].path)
            if made[-1]["role"] == "assistant":
                before = made[-1]["content"]
                blocks = [*([{"type": "text", "text": before}] if isinstance(before, str) else before), *blocks]
                made.pop()
            made.append({"role": "assistant", "content": _content(blocks)})
    last = made[-1] if made and not users and not waiting else None
    if last is not None and last["role"] == "assistant":  # the API would go on with it, OpenAI's answer it
        raise job.refusal(turns[-1].path, "a last message of the model")
    close("messages" if job.source == "openai" else "input")
    return made


def _content(blocks: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Write a single plain text as such."""
    if len(blocks) == 1 and set(blocks[0]) == {"type", "text"}:
        text: str = blocks[0]["text"]
        return text
    return blocks


def _blocks(job: Job, turn: Turn) -> list[dict[str, Any]]:
    made = []
    for part in turn.parts:
        if isinstance(part, Thinking):
            made.append(dict(part.block))
        elif isinstance(part, Call):
            block = {"type": "tool_use", "id": identifier(job.target, part.identifier), "name": part.name}
            made.append(_marked({**block, "input": arguments_object(part)}, part.mark))
        elif isinstance(part, Result):
            block = {"type": "tool_result", "tool_use_id": identifier(job.target, part.identifier)}
            inner = [piece for piece in map(_piece, part.parts) if piece]
            made.append(_marked({**block, "content": _content(inner) if inner else ""}, part.mark))
        elif not isinstance(part, (Text, Refusal)) or part.text.strip():  # the API refuses a text of white space alone
            made.append(_piece(part))
    return made


def _piece(part: Text | Refusal | Image | File) -> dict[str, Any]:
    """Write one block, {} for an empty text, which the API refuses."""
    if isinstance(part, Refusal):
        return {"type": "text", "text": part.text} if part.text else {}
    if isinstance(part, Text):
        return _marked({"type": "text", "text": part.text}, part.mark) if part.text else {}
    if isinstance(part, Image):
        if part.media and part.media not in _MEDIA:
            raise CannotCarryError(f"{part.path}: Anthropic Messages takes no {part.media} images; send PNG or JPEG")
        source = {"type": "url", "url": part.url}
        if part.url.startswith("data:"):
            raise CannotCarryError(f"{part.path}: Anthropic Messages takes image data in base64 alone; encode it so")
        if part.media:
            source = {"type": "base64", "media_type": part.media, "data": part.data}
        return _marked({"type": "image", "source": source}, part.mark)
    named = {"title": part.name} if part.name else {}
    return _marked({"type": "document", "source": _source(part), **named}, part.mark)


def _source(part: File) -> dict[str, Any]:
    if part.url:
        return {"type": "url", "url": part.url}
    if part.media == "application/pdf":
        return {"type": "base64", "media_type": part.media, "data": part.data}
    if part.media.startswith("text/"):
        try:
            text = base64.b64decode(part.data).decode()
        except (binascii.Error, ValueError):
            raise CannotCarryError(
                f"{part.path}: this file is no base64 of UTF-8 text; it cannot be converted"
            ) from None
        return {"type": "text", "media_type": "text/plain", "data": text}
    raise CannotCarryError(f"{part.path}: Anthropic Messages takes no {part.media} files; send PDF or text")


def _marked(block: dict[str, Any], mark: Any) -> dict[str, Any]:
    return block if mark is None else {**block, "cache_control": mark}


def _tool(job: Job, tool: Any) -> dict[str, Any]:
    if not _NAME.match(tool.name):
        raise job.refusal(tool.path, "a name of anything but 1 to 128 letters, digits, _ and -")
    made: dict[str, Any] = {"name": tool.name}
    if tool.description:
        made["description"] = tool.description
    schema = tool.schema or NO_PARAMETERS
    made["input_schema"] = schema if "type" in schema else {"type": "object", **schema}
    if tool.strict is True:
        made["strict"] = True
    return _marked(made, tool.mark)


def _choice(talk: Talk) -> dict[str, Any]:
    choice = talk.choice
    single = talk.parallel is False and bool(talk.tools)
    if choice is None:
        choice = Choice("auto") if single else None
    if choice is None or (not talk.tools and choice.kind in {"auto", "none"}):
        return {}
    made: dict[str, Any] = {"type": choice.kind}
    if choice.kind == "tool":
        made["name"] = choice.names[0][0]
    if single and choice.kind != "none":
        made["disable_parallel_tool_use"] = True
    return made


def _effort(talk: Talk, made: dict[str, Any]) -> None:
    """Write how hard to think. Effort above none comes with leave to think, which the API may not take as given.

    Not where a call is forced, though: the API refuses the two together.
    """
    forced = talk.choice is not None and talk.choice.kind in {"any", "tool"}
    config: dict[str, Any] = {}
    if talk.effort == "none":
        made["thinking"] = {"type": "disabled"}
    elif talk.effort or talk.shown:
        if not forced:
            made["thinking"] = {"type": "adaptive", **({"display": "summarized"} if talk.shown else {})}
        if talk.effort:
            config["effort"] = _EFFORTS.get(talk.effort, talk.effort)
    if talk.form is not None:
        config["format"] = {"type": "json_schema", "schema": _schema(talk.form)}
    if config:
        made["output_config"] = config


def _schema(form: Form) -> dict[str, Any]:
    schema = form.schema or {}
    return {"description": form.description, **schema} if form.description else schema
