"""Read an OpenAI Responses request."""

from __future__ import annotations

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
    Tool,
    Turn,
    data_url,
    inside,
)
from headroom_cli.convert._shared import is_strict
from headroom_cli.convert._tables import SHARED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_REQUEST = (
    "model", "input", "instructions", "max_output_tokens", "temperature", "top_p", "stream", "tools", "tool_choice",
    "parallel_tool_calls", "reasoning", "text", "include",
)  # fmt: skip
_BOTH = (*SHARED, "stream_options", "prompt_cache_options")
_CHOICES = {"auto": "auto", "required": "any", "none": "none"}
# How OpenAI's encrypted reasoning begins. Other text in its place is the signature of another provider's thinking,
# which an answer of theirs got there when it was written as Responses (convert/answers).
_FERNET = "gAAAA"
_REDACTED = "redacted_thinking:"
_ENDINGS = {"pdf": "application/pdf", "txt": "text/plain"}


def read(job: Job, request: dict[str, Any]) -> Talk:
    """Return what the request says. Raise CannotCarryError."""
    talk = Talk()
    both = job.target == "openai"
    job.check(request, "", "request", (*_REQUEST, *(_BOTH if both else ())))
    talk.model = request.get("model")
    talk.max_tokens = request.get("max_output_tokens")
    talk.temperature = request.get("temperature")
    talk.top_p = request.get("top_p")
    talk.stream = request.get("stream")
    talk.parallel = request.get("parallel_tool_calls")
    for index, name in enumerate(job.list(request.get("include") or [], "include")):
        if not job.ignores(f"include.{name}") or name != "reasoning.encrypted_content":
            raise job.refusal(f"include.{index}", f"`{str(name)[:60]}`")
    if both:
        talk.same = {name: request[name] for name in SHARED if request.get(name) is not None}
        options = job.object(request.get("prompt_cache_options") or {}, "prompt_cache_options")
        job.check(options, "prompt_cache_options", "prompt_cache_options", ("mode", "ttl"))
        if options:
            talk.same["prompt_cache_options"] = options
        flow = job.object(request.get("stream_options") or {}, "stream_options")
        job.check(flow, "stream_options", "stream_options", ("include_obfuscation",))
        if flow:
            talk.same["stream_options"] = dict(flow)
    for index, tool in enumerate(job.list(request.get("tools") or [], "tools")):
        talk.tools.append(_tool(job, job.object(tool, f"tools.{index}"), f"tools.{index}"))
    _choice(job, talk, request.get("tool_choice"))
    _reasoning(job, talk, job.object(request.get("reasoning") or {}, "reasoning"))
    _text(job, talk, job.object(request.get("text") or {}, "text"))
    if request.get("instructions"):
        talk.turns.append(
            Turn("instructions", "system", [Text("instructions", job.text(request["instructions"], "instructions"))])
        )
    given = request.get("input")
    if isinstance(given, str):
        talk.turns.append(Turn("input", "user", [Text("input", given)]))
        return talk
    for index, item in enumerate(job.list(given, "input")):
        turn = _item(job, talk, job.object(item, f"input.{index}"), f"input.{index}")
        if turn is not None:
            talk.turns.append(turn)
    return talk


def _item(job: Job, talk: Talk, item: dict[str, Any], path: str) -> Turn | None:
    kind = job.kind(item, path)
    if kind == "message" or (kind is None and "role" in item):
        return _message(job, item, path)
    if kind in {"function_call", "custom_tool_call"} and not (kind != "function_call" and job.target == "anthropic"):
        what = "arguments" if kind == "function_call" else "input"
        job.check(item, path, kind, ("type", "call_id", "name", what))
        identifier, name, held = (job.text(item.get(one), inside(path, one)) for one in ("call_id", "name", what))
        return Turn(path, "assistant", [Call(path, identifier, name, held, custom=what == "input")])
    if kind in {"function_call_output", "custom_tool_call_output"}:
        job.check(item, path, kind, ("type", "call_id", "output"))
        identifier = job.text(item.get("call_id"), inside(path, "call_id"))
        parts = _content(job, item.get("output"), inside(path, "output"), "user")
        return Turn(path, "user", [Result(path, identifier, parts, custom=kind != "function_call_output")])
    if kind == "reasoning":
        return _thinking(job, item, path)
    if kind == "additional_tools":
        job.check(item, path, kind, ("type", "role", "tools"))
        at = inside(path, "tools")
        for index, tool in enumerate(job.list(item.get("tools"), at)):
            talk.tools.append(_tool(job, job.object(tool, f"{at}.{index}"), f"{at}.{index}"))
        return None
    raise job.refusal(path, f"a `{str(kind)[:60]}` item")


def _message(job: Job, item: dict[str, Any], path: str) -> Turn:
    role = job.kind(item, path, "role")
    job.check(item, path, "message", ("type", "role", "content"))
    if role not in {"system", "developer", "user", "assistant"}:
        raise job.refusal(inside(path, "role"), f"the role `{str(role)[:40]}`")
    return Turn(path, role, _content(job, item.get("content"), inside(path, "content"), role))


def _thinking(job: Job, item: dict[str, Any], path: str) -> Turn | None:
    job.check(item, path, "reasoning_item", ("type", "id", "status", "summary", "content", "encrypted_content"))
    signed = item.get("encrypted_content")
    if job.target != "anthropic" or not isinstance(signed, str) or not signed or signed.startswith(_FERNET):
        return None
    if signed.startswith(_REDACTED):
        block = {"type": "redacted_thinking", "data": signed[len(_REDACTED) :]}
    else:
        at = inside(path, "summary")
        parts = (job.object(part, at).get("text") for part in job.list(item.get("summary") or [], at))
        block = {"type": "thinking", "thinking": "".join(job.text(part, at) for part in parts), "signature": signed}
    return Turn(path, "assistant", [Thinking(path, block)])


def _content(job: Job, content: Any, path: str, role: str) -> list[Any]:
    if isinstance(content, str):
        return [Text(path, content)]
    return [
        _piece(job, job.object(part, f"{path}.{index}"), f"{path}.{index}", role)
        for index, part in enumerate(job.list(content, path))
    ]


def _piece(job: Job, part: dict[str, Any], path: str, role: str) -> Any:
    kind, point = job.kind(part, path), part.get("prompt_cache_breakpoint")
    rest = ("type", "prompt_cache_breakpoint")
    # Clients write an assistant's text in either way.
    if kind in {"input_text", "text"} or (kind == "output_text" and role == "assistant"):
        job.check(part, path, "output_text" if kind == "output_text" else "input_text", (*rest, "text"))
        return Text(path, job.text(part.get("text"), inside(path, "text")), None, point)
    if kind == "refusal" and role == "assistant":
        job.check(part, path, "refusal", ("type", "refusal"))
        return Refusal(path, job.text(part.get("refusal"), inside(path, "refusal")))
    if kind == "input_image" and role == "user":
        job.check(part, path, "input_image", (*rest, "image_url", "detail"))
        url = job.text(part.get("image_url"), inside(path, "image_url"))
        media, data = data_url(url)
        detail = part.get("detail") or ""
        return Image(path, media=media, data=data, url="" if media else url, detail=detail, point=point)
    if kind == "input_file" and role == "user":
        job.check(part, path, "input_file", (*rest, "file_data", "file_url", "filename"))
        name = job.text(part.get("filename") or "", inside(path, "filename"))
        if part.get("file_url"):
            return File(path, url=job.text(part["file_url"], inside(path, "file_url")), name=name, point=point)
        held = job.text(part.get("file_data"), inside(path, "file_data"))
        media, data = data_url(held)
        if not media and not held.startswith("data:"):
            media, data = _ENDINGS.get(name.lower().rpartition(".")[2], ""), held
        if not media:
            raise job.refusal(path, "a file of an unknown type")
        return File(path, media=media, data=data, name=name, point=point)
    where = " of the model" if role == "assistant" else ""
    raise job.refusal(path, f"a `{str(kind)[:60]}` part{where}")


def _tool(job: Job, tool: dict[str, Any], path: str) -> Tool:
    kind = job.kind(tool, path)
    if kind == "custom" and job.target != "anthropic":
        job.check(tool, path, "custom", ("type", "name", "description", "format"))
        told = job.text(tool.get("description") or "", inside(path, "description"))
        name = job.text(tool.get("name"), inside(path, "name"))
        return Tool(path, name, description=told, form=tool.get("format"))
    if kind != "function":
        raise job.refusal(path, f"a `{str(kind)[:60]}` tool")
    job.check(tool, path, "function", ("type", "name", "description", "parameters", "strict"))
    schema = job.object(tool.get("parameters") or {}, inside(path, "parameters"))
    # A missing one is true in this API, where the schema can be held to; the others take it for false.
    strict = True if tool.get("strict") is None and is_strict(schema) else tool.get("strict")
    return Tool(
        path,
        job.text(tool.get("name"), inside(path, "name")),
        description=job.text(tool.get("description") or "", inside(path, "description")),
        schema=schema,
        strict=strict,
    )


def _choice(job: Job, talk: Talk, choice: Any) -> None:
    if choice is None:
        return
    if isinstance(choice, str) and choice in _CHOICES:
        talk.choice = Choice(_CHOICES[choice])
        return
    if isinstance(choice, dict):
        kind = job.kind(choice, "tool_choice")
        if kind in {"function", "custom"}:
            talk.choice = Choice("tool", (_named(job, choice, "tool_choice"),))
            return
        if kind == "allowed_tools" and job.target != "anthropic":
            job.check(choice, "tool_choice", "choice", ("type", "mode", "tools"))
            rows = job.list(choice.get("tools"), "tool_choice.tools")
            names = (
                _named(job, job.object(row, "tool_choice.tools"), f"tool_choice.tools.{i}")
                for i, row in enumerate(rows)
            )
            talk.choice = Choice("allowed", tuple(names), _CHOICES.get(str(choice.get("mode")), "auto"))
            return
        choice = kind
    raise job.refusal("tool_choice", f"the choice `{str(choice)[:60]}`")


def _named(job: Job, value: dict[str, Any], path: str) -> tuple[str, bool]:
    kind = job.kind(value, path)
    if kind not in {"function", "custom"} or (kind == "custom" and job.target == "anthropic"):
        raise job.refusal(path, f"the choice of a `{str(kind)[:60]}` tool")
    job.check(value, path, "choice", ("type", "name"))
    return job.text(value.get("name"), f"{path}.name"), kind == "custom"


def _reasoning(job: Job, talk: Talk, reasoning: dict[str, Any]) -> None:
    known = ("effort",) if job.target == "openai" else ("effort", "summary", "generate_summary")
    job.check(reasoning, "reasoning", "reasoning", known)
    talk.effort = job.text(reasoning.get("effort") or "", "reasoning.effort")
    talk.thinks = None if not talk.effort else talk.effort != "none"
    talk.shown = bool(reasoning.get("summary") or reasoning.get("generate_summary"))


def _text(job: Job, talk: Talk, text: dict[str, Any]) -> None:
    if job.target == "openai" and text.get("verbosity") is not None:
        talk.same["verbosity"] = text["verbosity"]
    job.check(text, "text", "text", ("format", "verbosity") if job.target == "openai" else ("format",))
    form, at = text.get("format"), "text.format"
    if form is None:
        return
    kind = job.kind(job.object(form, at), at)
    if kind == "json_schema":
        job.check(form, at, "format", ("type", "name", "description", "schema", "strict"))
        told = job.text(form.get("description") or "", f"{at}.description")
        name = job.text(form.get("name") or "", f"{at}.name")
        schema = job.object(form.get("schema"), f"{at}.schema")
        talk.form = Form(schema, name=name, description=told, strict=form.get("strict"))
    elif kind == "json_object" and job.target != "anthropic":
        job.check(form, at, "format", ("type",))
        talk.form = Form(None)
    elif kind == "text":
        job.check(form, at, "format", ("type",))
    else:
        raise job.refusal(at, f"the format `{str(kind)[:60]}`")
