"""Write an OpenAI Responses request."""

from __future__ import annotations

from headroom_cli.convert._parts import Call, File, Image, Job, Refusal, Result, Talk, Text, Tool, Turn
from headroom_cli.convert._shared import (
    NO_PARAMETERS,
    arguments_text,
    file_name,
    identifier,
    is_strict,
    result_parts,
    runs,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def write(job: Job, talk: Talk) -> dict[str, Any]:
    """Return the request. Raise CannotCarryError."""
    made: dict[str, Any] = {} if talk.model is None else {"model": talk.model}
    turns = talk.turns
    first = turns[0] if turns else None
    if first is not None and first.path == "system" and len(first.parts) == 1 and first.parts[0].text:
        made["instructions"] = first.parts[0].text
        turns = turns[1:]
    made["input"] = [item for run in runs(turns) for item in _items(job, run)]
    rows = (
        ("max_output_tokens", talk.max_tokens), ("temperature", talk.temperature), ("top_p", talk.top_p),
        ("stream", talk.stream),
    )  # fmt: skip
    made.update({name: value for name, value in rows if value is not None})
    if talk.stop:
        raise job.refusal("stop" if job.source == "openai" else "stop_sequences", "this field")
    made["store"] = False  # the other APIs keep no answers unless they are asked to; this one does
    if talk.tools:
        made["tools"] = [_tool(tool) for tool in talk.tools]
    _choice(talk, made)
    reasoning = {name: value for name, value in (("effort", talk.effort), ("summary", talk.shown and "auto")) if value}
    if reasoning:
        made["reasoning"] = reasoning
    text = {} if talk.form is None else {"format": _form(job, talk)}
    same = dict(talk.same)
    if "verbosity" in same:
        text["verbosity"] = same.pop("verbosity")
    if text:
        made["text"] = text
    if talk.stream is not True:
        same.pop("stream_options", None)
    made.update(same)
    return made


def _items(job: Job, run: list[Turn]) -> list[dict[str, Any]]:
    role = run[0].role
    made: list[dict[str, Any]] = []
    if role == "assistant":
        for part in (part for turn in run for part in turn.parts):
            if isinstance(part, Call):
                made.append(_call(job, part))
            elif part.text:  # an input item of the model's holds plain text, a refusal too
                made.append({"type": "message", "role": role, "content": part.text})
        return made
    for part in (part for turn in run for part in turn.parts if isinstance(part, Result)):
        pieces = [_piece(piece) for piece in result_parts(part)]
        kind = "custom_tool_call_output" if part.custom else "function_call_output"
        call = identifier(job.target, part.identifier)
        made.append({"type": kind, "call_id": call, "output": _plain(pieces)})
    for turn in run:
        pieces = [_piece(part) for part in turn.parts if not isinstance(part, Result)]
        pieces = [piece for piece in pieces if piece]
        if pieces:
            made.append({"type": "message", "role": role, "content": pieces})
    return made


def _call(job: Job, call: Call) -> dict[str, Any]:
    head = {"call_id": identifier(job.target, call.identifier), "name": call.name}
    if call.custom:
        return {"type": "custom_tool_call", **head, "input": call.arguments}
    return {"type": "function_call", **head, "arguments": arguments_text(call)}


def _plain(pieces: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Write a result of a single plain text as such."""
    if not pieces:
        return ""
    if len(pieces) == 1 and set(pieces[0]) == {"type", "text"}:
        text: str = pieces[0]["text"]
        return text
    return pieces


def _piece(part: Text | Refusal | Image | File) -> dict[str, Any]:
    """Write one part, {} for an empty text."""
    made: dict[str, Any]
    if isinstance(part, (Text, Refusal)):
        if not part.text:
            return {}
        made = {"type": "input_text", "text": part.text}
    elif isinstance(part, Image):
        made = {"type": "input_image", "image_url": part.address(), "detail": part.detail or "auto"}
    elif part.url:
        made = {"type": "input_file", "file_url": part.url}
    else:
        data = f"data:{part.media};base64,{part.data}"
        made = {"type": "input_file", "filename": file_name(part.media, part.name), "file_data": data}
    point = None if isinstance(part, Refusal) else part.point
    return made if point is None else {**made, "prompt_cache_breakpoint": point}


def _tool(tool: Tool) -> dict[str, Any]:
    told = {"description": tool.description} if tool.description else {}
    if tool.schema is None:
        return {"type": "custom", "name": tool.name, **told, **({} if tool.form is None else {"format": tool.form})}
    # Without a word this API makes a tool strict, which the others do not.
    strict = tool.strict is True
    made = {"type": "function", "name": tool.name, **told, "parameters": tool.schema or NO_PARAMETERS}
    return {**made, "strict": strict}


def _choice(talk: Talk, made: dict[str, Any]) -> None:
    choice = talk.choice
    if talk.parallel is not None and talk.tools:
        made["parallel_tool_calls"] = talk.parallel
    if choice is None or (not talk.tools and choice.kind in {"auto", "none"}):
        return
    named = [{"type": "custom" if custom else "function", "name": name} for name, custom in choice.names]
    if choice.kind == "tool":
        made["tool_choice"] = named[0]
    elif choice.kind == "allowed":
        made["tool_choice"] = {"type": "allowed_tools", "mode": _CHOICES[choice.mode], "tools": named}
    else:
        made["tool_choice"] = _CHOICES[choice.kind]


def _form(job: Job, talk: Talk) -> dict[str, Any]:
    form = talk.form
    if form is None or form.schema is None:
        return {"type": "json_object"}
    strict = is_strict(form.schema) if job.source == "anthropic" else form.strict
    rows = (("description", form.description or None), ("schema", form.schema), ("strict", strict))
    held = {name: value for name, value in rows if value is not None}
    return {"type": "json_schema", "name": form.name or "answer", **held}
