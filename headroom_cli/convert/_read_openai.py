"""Read an OpenAI Chat Completions request."""

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
from headroom_cli.convert._tables import SHARED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_REQUEST = (
    "model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "stream", "tools",
    "tool_choice", "parallel_tool_calls", "reasoning_effort", "response_format",
)  # fmt: skip
_CHOICES = {"auto": "auto", "required": "any", "none": "none"}
# What a gateway adds to an assistant message, and whether it is left out is said in the table IGNORED.
_THOUGHTS = ("reasoning_content", "reasoning", "reasoning_details", "thinking_blocks")


def read(job: Job, request: dict[str, Any]) -> Talk:
    """Return what the request says. Raise CannotCarryError."""
    talk = Talk()
    both = job.target == "responses"
    known = (
        *_REQUEST,
        "cache_control",
        *((*SHARED, "stream_options", "prompt_cache_options", "verbosity") if both else ()),
    )
    job.check(request, "", "request", known)
    talk.model = request.get("model")
    talk.max_tokens = request.get("max_completion_tokens")
    if talk.max_tokens is None:
        talk.max_tokens = request.get("max_tokens")
    talk.temperature = request.get("temperature")
    talk.top_p = request.get("top_p")
    talk.stream = request.get("stream")
    talk.mark = request.get("cache_control")
    stop = request.get("stop")
    stops = [stop] if isinstance(stop, str) else job.list(stop or [], "stop")
    talk.stop = tuple(job.text(one, f"stop.{index}") for index, one in enumerate(stops))
    talk.effort = job.text(request.get("reasoning_effort") or "", "reasoning_effort")
    talk.thinks = None if not talk.effort else talk.effort != "none"
    talk.parallel = request.get("parallel_tool_calls")
    if both:
        names = (*SHARED, "prompt_cache_options", "verbosity")
        talk.same = {name: request[name] for name in names if request.get(name) is not None}
        options = job.object(request.get("stream_options") or {}, "stream_options")
        job.check(options, "stream_options", "stream_options", ("include_obfuscation",))
        if options.get("include_obfuscation") is not None:
            talk.same["stream_options"] = {"include_obfuscation": options["include_obfuscation"]}
    for index, tool in enumerate(job.list(request.get("tools") or [], "tools")):
        talk.tools.append(_tool(job, job.object(tool, f"tools.{index}"), f"tools.{index}"))
    _choice(job, talk, request.get("tool_choice"))
    _form(job, talk, request.get("response_format"))
    customs: set[str] = set()
    for index, message in enumerate(job.list(request.get("messages"), "messages")):
        talk.turns.append(_turn(job, job.object(message, f"messages.{index}"), f"messages.{index}", customs))
    return talk


def _turn(job: Job, message: dict[str, Any], path: str, customs: set[str]) -> Turn:
    role, content, at = job.kind(message, path, "role"), message.get("content"), inside(path, "content")
    if role in {"system", "developer", "user"}:
        job.check(message, path, "message", ("role", "content", "cache_control"))
        parts = _content(job, content, at, pictures=role == "user")
        return Turn(path, str(role), _marked(parts, message.get("cache_control")))
    if role == "tool":
        job.check(message, path, "tool_message", ("role", "content", "tool_call_id", "cache_control"))
        identifier = job.text(message.get("tool_call_id"), inside(path, "tool_call_id"))
        parts = _content(job, content, at, pictures=True)
        mark = message.get("cache_control")
        return Turn(path, "user", [Result(path, identifier, parts, custom=identifier in customs, mark=mark)])
    if role == "assistant":
        return _answer(job, message, path, customs)
    raise job.refusal(inside(path, "role"), f"the role `{str(role)[:40]}`")


def _answer(job: Job, message: dict[str, Any], path: str, customs: set[str]) -> Turn:
    known = ["role", "content", "refusal", "tool_calls", "cache_control"]
    kept = job.target == "anthropic"
    if kept:
        known.append("thinking_blocks")
    for name in _THOUGHTS:
        if name not in known and job.ignores(name):
            known.append(name)
    job.check(message, path, "message", tuple(known))
    parts: list[Any] = []
    if kept:
        at = inside(path, "thinking_blocks")
        for index, block in enumerate(job.list(message.get("thinking_blocks") or [], at)):
            parts += _thinking(job, job.object(block, f"{at}.{index}"), f"{at}.{index}")
    content, at = message.get("content"), inside(path, "content")
    parts += _content(job, content, at, pictures=False, refusals=True)
    if message.get("refusal"):
        parts.append(Refusal(path, job.text(message["refusal"], inside(path, "refusal"))))
    _marked(parts, message.get("cache_control"))
    at = inside(path, "tool_calls")
    for index, call in enumerate(job.list(message.get("tool_calls") or [], at)):
        parts.append(_call(job, job.object(call, f"{at}.{index}"), f"{at}.{index}", customs))
    return Turn(path, "assistant", parts)


def _thinking(job: Job, block: dict[str, Any], path: str) -> list[Thinking]:
    """Take a signed block back. One without a signature is a gateway's copy, which the API would refuse."""
    kind = job.kind(block, path)
    if kind == "thinking":
        known = ("type", "thinking", "signature")
        job.check(block, path, "thinking_block", known)
        signed = bool(block.get("signature"))
        return [Thinking(path, {name: block.get(name) or "" for name in known})] if signed else []
    if kind == "redacted_thinking":
        job.check(block, path, "thinking_block", ("type", "data"))
        return [Thinking(path, {"type": kind, "data": job.text(block.get("data"), inside(path, "data"))})]
    raise job.refusal(path, f"a `{str(kind)[:60]}` block")


def _call(job: Job, call: dict[str, Any], path: str, customs: set[str]) -> Call:
    kind = job.kind(call, path) or "function"
    identifier = job.text(call.get("id"), inside(path, "id"))
    if kind not in {"function", "custom"} or (kind == "custom" and job.target == "anthropic"):
        raise job.refusal(path, f"a call of a `{str(kind)[:60]}` tool")
    job.check(call, path, "call", ("id", "type", kind))
    at = inside(path, kind)
    held = job.object(call.get(kind), at)
    what = "arguments" if kind == "function" else "input"
    job.check(held, at, kind, ("name", what))
    if kind == "custom":
        customs.add(identifier)
    name = job.text(held.get("name"), inside(at, "name"))
    return Call(path, identifier, name, job.text(held.get(what), inside(at, what)), custom=kind == "custom")


def _content(job: Job, content: Any, path: str, *, pictures: bool, refusals: bool = False) -> list[Any]:
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(path, content)]
    return [
        _piece(job, job.object(part, f"{path}.{index}"), f"{path}.{index}", pictures=pictures, refusals=refusals)
        for index, part in enumerate(job.list(content, path))
    ]


def _piece(job: Job, part: dict[str, Any], path: str, *, pictures: bool, refusals: bool) -> Any:
    kind, mark, point = job.kind(part, path), part.get("cache_control"), part.get("prompt_cache_breakpoint")
    rest = ("type", "cache_control", "prompt_cache_breakpoint")
    if kind == "text":
        job.check(part, path, "text", (*rest, "text"))
        return Text(path, job.text(part.get("text"), inside(path, "text")), mark, point)
    if kind == "refusal" and refusals:
        job.check(part, path, "refusal", ("type", "refusal"))
        return Refusal(path, job.text(part.get("refusal"), inside(path, "refusal")))
    if kind == "image_url" and pictures:
        job.check(part, path, "image", (*rest, "image_url"))
        at = inside(path, "image_url")
        held = job.object(part.get("image_url"), at)
        job.check(held, at, "image_url", ("url", "detail"))
        url = job.text(held.get("url"), inside(at, "url"))
        media, data = data_url(url)
        detail = held.get("detail") or ""
        return Image(path, media=media, data=data, url="" if media else url, detail=detail, mark=mark, point=point)
    if kind == "file" and pictures:
        job.check(part, path, "file", (*rest, "file"))
        at = inside(path, "file")
        held = job.object(part.get("file"), at)
        job.check(held, at, "file", ("file_data", "filename"))
        media, data = data_url(job.text(held.get("file_data"), inside(at, "file_data")))
        if not media:
            raise job.refusal(at, "a file whose data is no data: URL")
        name = job.text(held.get("filename") or "", inside(at, "filename"))
        return File(path, media=media, data=data, name=name, mark=mark, point=point)
    raise job.refusal(path, f"a `{str(kind)[:60]}` part")


def _marked(parts: list[Any], mark: Any) -> list[Any]:
    """Put the mark of a message on its last part that takes one, as gateways do."""
    able = [part for part in parts if not isinstance(part, (Refusal, Thinking))]
    if able and mark is not None:
        able[-1].mark = mark
    return parts


def _tool(job: Job, tool: dict[str, Any], path: str) -> Tool:
    kind = job.kind(tool, path)
    mark = tool.get("cache_control")
    if kind == "custom" and job.target != "anthropic":
        job.check(tool, path, "tool", ("type", "custom", "cache_control"))
        at = inside(path, "custom")
        held = job.object(tool.get("custom"), at)
        job.check(held, at, "custom", ("name", "description", "format"))
        told = job.text(held.get("description") or "", inside(at, "description"))
        form = _grammar(job, held.get("format"), inside(at, "format"))
        return Tool(path, job.text(held.get("name"), inside(at, "name")), description=told, form=form)
    if kind != "function":
        raise job.refusal(path, f"a `{str(kind)[:60]}` tool")
    job.check(tool, path, "tool", ("type", "function", "cache_control"))
    at = inside(path, "function")
    held = job.object(tool.get("function"), at)
    job.check(held, at, "function", ("name", "description", "parameters", "strict", "cache_control"))
    return Tool(
        path,
        job.text(held.get("name"), inside(at, "name")),
        description=job.text(held.get("description") or "", inside(at, "description")),
        schema=job.object(held.get("parameters") or {}, inside(at, "parameters")),
        strict=held.get("strict"),
        mark=mark if mark is not None else held.get("cache_control"),
    )


def _grammar(job: Job, form: Any, path: str) -> Any:
    """Return the form of free text as Responses writes it: the grammar's members stand beside its type."""
    if form is None or job.object(form, path).get("type") != "grammar":
        return form
    job.check(form, path, "grammar", ("type", "grammar"))
    return {"type": "grammar", **job.object(form.get("grammar"), inside(path, "grammar"))}


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
            job.check(choice, "tool_choice", "choice", ("type", "allowed_tools"))
            at = "tool_choice.allowed_tools"
            held = job.object(choice.get("allowed_tools"), at)
            job.check(held, at, "choice", ("mode", "tools"))
            rows = job.list(held.get("tools"), f"{at}.tools")
            names = (_named(job, job.object(row, at), f"{at}.tools.{index}") for index, row in enumerate(rows))
            talk.choice = Choice("allowed", tuple(names), _CHOICES.get(str(held.get("mode")), "auto"))
            return
        choice = kind
    raise job.refusal("tool_choice", f"the choice `{str(choice)[:60]}`")


def _named(job: Job, value: dict[str, Any], path: str) -> tuple[str, bool]:
    kind = job.kind(value, path)
    if kind not in {"function", "custom"} or (kind == "custom" and job.target == "anthropic"):
        raise job.refusal(path, f"the choice of a `{str(kind)[:60]}` tool")
    job.check(value, path, "choice", ("type", kind))
    held = job.object(value.get(kind), inside(path, kind))
    job.check(held, inside(path, kind), "choice", ("name",))
    return job.text(held.get("name"), f"{path}.{kind}.name"), kind == "custom"


def _form(job: Job, talk: Talk, form: Any) -> None:
    if form is None:
        return
    at = "response_format"
    kind = job.kind(job.object(form, at), at)
    if kind == "text":
        job.check(form, at, "response_format", ("type",))
    elif kind == "json_object" and job.target != "anthropic":
        job.check(form, at, "response_format", ("type",))
        talk.form = Form(None)
    elif kind == "json_schema":
        job.check(form, at, "response_format", ("type", "json_schema"))
        at = "response_format.json_schema"
        held = job.object(form.get("json_schema"), at)
        job.check(held, at, "format", ("name", "description", "schema", "strict"))
        told = job.text(held.get("description") or "", f"{at}.description")
        name = job.text(held.get("name") or "", f"{at}.name")
        schema = job.object(held.get("schema"), f"{at}.schema")
        talk.form = Form(schema, name=name, description=told, strict=held.get("strict"))
    else:
        raise job.refusal(at, f"the format `{str(kind)[:60]}`")
