"""Write an OpenAI Chat Completions request."""

from __future__ import annotations

from headroom_cli.convert._parts import Call, File, Image, Job, Refusal, Result, Talk, Text, Thinking, Tool, Turn
from headroom_cli.convert._shared import (
    NO_PARAMETERS,
    arguments_text,
    file_name,
    identifier,
    is_strict,
    noun,
    result_parts,
    runs,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CHOICES = {"auto": "auto", "any": "required", "none": "none"}
# Limits of the API.
_STOPS = 4
_NAME = 64


def write(job: Job, talk: Talk) -> dict[str, Any]:
    """Return the request. Raise CannotCarryError."""
    made: dict[str, Any] = {} if talk.model is None else {"model": talk.model}
    made["messages"] = _messages(job, talk)
    rows = (
        ("max_completion_tokens", talk.max_tokens), ("temperature", talk.temperature), ("top_p", talk.top_p),
        ("stream", talk.stream), ("cache_control", talk.mark if job.keep else None),
    )  # fmt: skip
    made.update({name: value for name, value in rows if value is not None})
    if talk.stream is True:  # the other APIs always tell the usage
        made["stream_options"] = {"include_usage": True}
    if len(talk.stop) > _STOPS:
        raise job.refusal("stop_sequences", f"a list of more than {_STOPS}")
    if talk.stop:
        made["stop"] = list(talk.stop)
    if talk.tools:
        made["tools"] = [_tool(job, tool) for tool in talk.tools]
    _choice(talk, made)
    if talk.effort:
        made["reasoning_effort"] = talk.effort
    _form(job, talk, made)
    for name, value in talk.same.items():
        made[name] = {**made.get(name, {}), **value} if name == "stream_options" else value
    if talk.stream is not True:
        made.pop("stream_options", None)
    return made


def _messages(job: Job, talk: Talk) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    every = list(runs(talk.turns))
    answered = 0  # the run up to which results are written
    for number, run in enumerate(every):
        if run[0].role in {"system", "developer"} and number and every[number - 1][0].role == "assistant":
            # Results come right behind their calls, whoever speaks in between.
            answered = number + 1
            made += _results(job, every[answered]) if answered < len(every) else []
        if run[0].role == "user" and (number != answered or not number):
            made += _results(job, run)
        if run[0].role == "assistant":
            made += _answer(job, run)
            continue
        for turn in run:
            pieces = [_piece(job, part) for part in turn.parts if not isinstance(part, Result)]
            content = _content([piece for piece in pieces if piece])
            if content:
                made.append({"role": turn.role, "content": content})
    return made


def _results(job: Job, run: list[Turn]) -> list[dict[str, Any]]:
    """Write the results of a user's turns, and behind all of them what a tool message cannot hold."""
    made: list[dict[str, Any]] = []
    rest: list[dict[str, Any]] = []
    for result in (part for turn in run for part in turn.parts if isinstance(part, Result)):
        call = identifier(job.target, result.identifier)
        pieces: list[dict[str, Any]] = []
        counts: dict[str, int] = {}
        for part in result_parts(result):
            if isinstance(part, Text):
                pieces.append(_piece(job, part))
                continue
            kind = noun(part)
            counts[kind] = counts.get(kind, 0) + 1
            label = f"{kind} {counts[kind]}"
            pieces.append({"type": "text", "text": f"[{label}: in the next user message]"})
            rest += ({"type": "text", "text": f"[{label} of the result of call {call}]"}, _piece(job, part))
        if job.keep and result.mark is not None and pieces:
            pieces[-1] = {**pieces[-1], "cache_control": result.mark}
        made.append({"role": "tool", "tool_call_id": call, "content": _content(pieces) or ""})
    if rest:
        made.append({"role": "user", "content": rest})
    return made


def _answer(job: Job, run: list[Turn]) -> list[dict[str, Any]]:
    """Write the model's turns as one message: its calls have to stand together."""
    pieces: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    thoughts: list[dict[str, Any]] = []
    for part in (part for turn in run for part in turn.parts):
        if isinstance(part, Thinking):
            thoughts.append(part.block)
        elif isinstance(part, Call):
            calls.append(_call(job, part))
        else:
            pieces += [piece for piece in (_piece(job, part),) if piece]
    if not pieces and not calls:
        return []
    made: dict[str, Any] = {"role": "assistant", "content": _content(pieces) or None}
    if thoughts:
        made["thinking_blocks"] = thoughts  # the convention of LiteLLM
    if calls:
        made["tool_calls"] = calls
    return [made]


def _call(job: Job, call: Call) -> dict[str, Any]:
    head = {"id": identifier(job.target, call.identifier)}
    if call.custom:
        return {**head, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    return {**head, "type": "function", "function": {"name": call.name, "arguments": arguments_text(call)}}


def _content(pieces: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Write a single plain text as such, which every server of this API takes."""
    if len(pieces) == 1 and set(pieces[0]) == {"type", "text"}:
        text: str = pieces[0]["text"]
        return text
    return pieces


def _piece(job: Job, part: Text | Refusal | Image | File) -> dict[str, Any]:
    """Write one part, {} for an empty text."""
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    made: dict[str, Any]
    if isinstance(part, Text):
        if not part.text:
            return {}
        made = {"type": "text", "text": part.text}
    elif isinstance(part, Image):
        detail = {"detail": part.detail} if part.detail else {}
        made = {"type": "image_url", "image_url": {"url": part.address(), **detail}}
    else:
        if part.url:
            raise job.refusal(part.path, "a document by its URL")
        held = {"filename": file_name(part.media, part.name), "file_data": f"data:{part.media};base64,{part.data}"}
        made = {"type": "file", "file": held}
    if job.keep and part.mark is not None:
        made["cache_control"] = part.mark
    if part.point is not None:
        made["prompt_cache_breakpoint"] = part.point
    return made


def _tool(job: Job, tool: Tool) -> dict[str, Any]:
    if len(tool.name) > _NAME:
        raise job.refusal(tool.path, f"a name of more than {_NAME} characters")
    held: dict[str, Any] = {"name": tool.name}
    if tool.description:
        held["description"] = tool.description
    if tool.schema is None:
        form = tool.form
        if isinstance(form, dict) and form.get("type") == "grammar":
            form = {"type": "grammar", "grammar": {name: value for name, value in form.items() if name != "type"}}
        return {"type": "custom", "custom": {**held, **({} if form is None else {"format": form})}}
    held["parameters"] = tool.schema or NO_PARAMETERS
    if tool.strict is not None:
        held["strict"] = tool.strict
    made: dict[str, Any] = {"type": "function", "function": held}
    if job.keep and tool.mark is not None:
        made["cache_control"] = tool.mark
    return made


def _choice(talk: Talk, made: dict[str, Any]) -> None:
    choice = talk.choice
    if talk.parallel is not None and talk.tools:
        made["parallel_tool_calls"] = talk.parallel
    if choice is None or (not talk.tools and choice.kind in {"auto", "none"}):
        return
    named = [
        {"type": (kind := "custom" if custom else "function"), kind: {"name": name}} for name, custom in choice.names
    ]
    if choice.kind == "tool":
        made["tool_choice"] = named[0]
    elif choice.kind == "allowed":
        made["tool_choice"] = {
            "type": "allowed_tools",
            "allowed_tools": {"mode": _CHOICES[choice.mode], "tools": named},
        }
    else:
        made["tool_choice"] = _CHOICES[choice.kind]


def _form(job: Job, talk: Talk, made: dict[str, Any]) -> None:
    form = talk.form
    if form is None:
        return
    if form.schema is None:
        made["response_format"] = {"type": "json_object"}
        return
    strict = is_strict(form.schema) if job.source == "anthropic" else form.strict
    rows = (("description", form.description or None), ("schema", form.schema), ("strict", strict))
    held = {"name": form.name or "answer", **{name: value for name, value in rows if value is not None}}
    made["response_format"] = {"type": "json_schema", "json_schema": held}
