"""Read an Anthropic Messages request."""

from __future__ import annotations

from headroom_cli.convert._parts import (
    Call,
    Choice,
    File,
    Form,
    Image,
    Job,
    Result,
    Talk,
    Text,
    Thinking,
    Tool,
    Turn,
    inside,
)
from headroom_cli.errors import CannotCarryError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_REQUEST = (
    "model", "messages", "system", "max_tokens", "temperature", "top_p", "stop_sequences", "stream", "tools",
    "tool_choice", "thinking", "output_config", "cache_control", "context_management",
)  # fmt: skip
# Tokens of thinking up to which a budget means this much effort.
_EFFORTS = ((4_096, "low"), (16_384, "medium"))


def read(job: Job, request: dict[str, Any]) -> Talk:
    """Return what the request says. Raise CannotCarryError."""
    talk = Talk()
    job.check(request, "", "request", _REQUEST)
    talk.model = request.get("model")
    talk.max_tokens = request.get("max_tokens")
    if talk.max_tokens == 0:
        raise job.refusal("max_tokens", "0, which fills the cache without an answer,")
    talk.temperature = request.get("temperature")
    talk.top_p = request.get("top_p")
    talk.stream = request.get("stream")
    talk.mark = request.get("cache_control")
    stops = job.list(request.get("stop_sequences") or [], "stop_sequences")
    talk.stop = tuple(job.text(stop, f"stop_sequences.{index}") for index, stop in enumerate(stops))
    _edits(job, request.get("context_management"))
    for index, tool in enumerate(job.list(request.get("tools") or [], "tools")):
        talk.tools.append(_tool(job, job.object(tool, f"tools.{index}"), f"tools.{index}"))
    _choice(job, talk, request.get("tool_choice"))
    _effort(job, talk, request)
    system = _texts(job, request.get("system") or [], "system")
    if system:
        talk.turns.append(Turn("system", "system", list(system)))
    messages = job.list(request.get("messages"), "messages")
    for index, message in enumerate(messages):
        talk.turns.append(_turn(job, job.object(message, f"messages.{index}"), f"messages.{index}"))
    if talk.turns and talk.turns[-1].role == "assistant":
        raise job.refusal(talk.turns[-1].path, "an assistant message at the end, which the model is to continue,")
    return talk


def _turn(job: Job, message: dict[str, Any], path: str) -> Turn:
    job.check(message, path, "message", ("role", "content"))
    role, content = job.kind(message, path, "role"), message.get("content")
    at = inside(path, "content")
    if role == "system":
        return Turn(path, "system", list(_texts(job, content, at)))
    if role not in {"user", "assistant"}:
        raise job.refusal(inside(path, "role"), f"the role `{str(role)[:40]}`")
    if isinstance(content, str):
        return Turn(path, role, [Text(at, content)])
    parts: list[Any] = []
    for index, block in enumerate(job.list(content, at)):
        place = f"{at}.{index}"
        parts += _part(job, role, job.object(block, place), place)
    return Turn(path, role, parts)


def _part(job: Job, role: str, block: dict[str, Any], path: str) -> list[Any]:
    kind = job.kind(block, path)
    if kind in {"thinking", "redacted_thinking"} and role == "assistant":
        job.check(block, path, kind, ("type", "thinking", "signature", "data"))
        if job.keep and (block.get("signature") or block.get("data")):
            return [Thinking(path, block)]  # a gateway that hands it back to the model that made it
        if job.ignores(kind):
            return []
    if kind == "tool_use" and role == "assistant":
        job.check(block, path, "tool_use", ("type", "id", "name", "input", "cache_control"))
        name = job.text(block.get("name"), inside(path, "name"))
        identifier = job.text(block.get("id"), inside(path, "id"))
        held = job.object(block.get("input"), inside(path, "input"))
        return [Call(path, identifier, name, held, mark=block.get("cache_control"))]
    if kind == "tool_result" and role == "user":
        job.check(block, path, "tool_result", ("type", "tool_use_id", "content", "is_error", "cache_control"))
        identifier = job.text(block.get("tool_use_id"), inside(path, "tool_use_id"))
        inner = _content(job, block.get("content") or [], inside(path, "content"))
        return [Result(path, identifier, inner, error=block.get("is_error") is True, mark=block.get("cache_control"))]
    if role == "assistant" and kind != "text":
        raise job.refusal(path, f"a `{str(kind)[:60]}` block of the model")
    return _piece(job, block, path)


def _content(job: Job, content: Any, path: str) -> list[Any]:
    """Read a text, or a list of texts, pictures and documents."""
    if isinstance(content, str):
        return [Text(path, content)]
    parts: list[Any] = []
    for index, block in enumerate(job.list(content, path)):
        parts += _piece(job, job.object(block, f"{path}.{index}"), f"{path}.{index}")
    return parts


def _piece(job: Job, block: dict[str, Any], path: str) -> list[Any]:
    kind, mark = job.kind(block, path), block.get("cache_control")
    if kind == "text":
        job.check(block, path, "text", ("type", "text", "cache_control"))
        return [Text(path, job.text(block.get("text"), inside(path, "text")), mark)]
    if kind == "image":
        job.check(block, path, "image", ("type", "source", "cache_control"))
        return [_image(job, block, path)]
    if kind == "document":
        job.check(block, path, "document", ("type", "source", "title", "context", "cache_control"))
        return _document(job, block, path)
    if kind == "search_result":
        job.check(block, path, "search_result", ("type", "title", "source", "content", "cache_control"))
        title, place = (job.text(block.get(name), inside(path, name)) for name in ("title", "source"))
        body = _texts(job, block.get("content"), inside(path, "content"))
        return _marked([Text(path, f"[search result: {title}, {place}]"), *body], mark)
    raise job.refusal(path, f"a `{str(kind)[:60]}` block")


def _image(job: Job, block: dict[str, Any], path: str) -> Image:
    at = inside(path, "source")
    source, mark = job.object(block.get("source"), at), block.get("cache_control")
    if source.get("type") == "base64":
        job.check(source, at, "source", ("type", "media_type", "data"))
        media, data = (job.text(source.get(name), inside(at, name)) for name in ("media_type", "data"))
        return Image(path, media=media, data=data, mark=mark)
    if source.get("type") == "url":
        job.check(source, at, "source", ("type", "url"))
        return Image(path, url=job.text(source.get("url"), inside(at, "url")), mark=mark)
    raise job.refusal(at, f"an image from a `{str(source.get('type'))[:60]}` source")


def _document(job: Job, block: dict[str, Any], path: str) -> list[Any]:
    at = inside(path, "source")
    source, mark = job.object(block.get("source"), at), block.get("cache_control")
    title = job.text(block.get("title") or "", inside(path, "title"))
    context = job.text(block.get("context") or "", inside(path, "context"))
    told = [Text(path, context)] if context else []
    kind = job.kind(source, at)
    if kind == "base64" and source.get("media_type") == "application/pdf":
        job.check(source, at, "source", ("type", "media_type", "data"))
        data = job.text(source.get("data"), inside(at, "data"))
        return [*told, File(path, media="application/pdf", data=data, name=title, mark=mark)]
    if kind == "url":
        job.check(source, at, "source", ("type", "url"))
        return [*told, File(path, url=job.text(source.get("url"), inside(at, "url")), name=title, mark=mark)]
    named = [Text(path, f"[document: {title}]")] if title else []
    if kind == "text":
        job.check(source, at, "source", ("type", "media_type", "data"))
        return _marked([*named, *told, Text(path, job.text(source.get("data"), inside(at, "data")))], mark)
    if kind == "content":
        job.check(source, at, "source", ("type", "content"))
        return _marked([*named, *told, *_content(job, source.get("content"), inside(at, "content"))], mark)
    raise job.refusal(at, f"a document from a `{str(kind)[:60]}` source")


def _marked(parts: list[Any], mark: Any) -> list[Any]:
    """Put the mark of a block on the last part that it became."""
    if parts and mark is not None:
        parts[-1].mark = mark
    return parts


def _texts(job: Job, content: Any, path: str) -> list[Text]:
    if isinstance(content, str):
        return [Text(path, content)]
    made = []
    for index, block in enumerate(job.list(content, path)):
        place = f"{path}.{index}"
        if job.object(block, place).get("type") != "text":
            raise job.refusal(place, f"a `{str(block.get('type'))[:60]}` block")
        made += _piece(job, block, place)
    return made


def _tool(job: Job, tool: dict[str, Any], path: str) -> Tool:
    kind = job.kind(tool, path)
    if kind not in {None, "custom"}:
        raise job.refusal(path, f"a `{str(kind)[:60]}` tool")
    known = ("type", "name", "description", "input_schema", "strict", "cache_control")
    job.check(tool, path, "tool", known)
    return Tool(
        path,
        job.text(tool.get("name"), inside(path, "name")),
        description=job.text(tool.get("description") or "", inside(path, "description")),
        schema=job.object(tool.get("input_schema"), inside(path, "input_schema")),
        strict=tool.get("strict"),
        mark=tool.get("cache_control"),
    )


def _choice(job: Job, talk: Talk, choice: Any) -> None:
    if choice is None:
        return
    job.check(job.object(choice, "tool_choice"), "tool_choice", "choice", ("type", "name", "disable_parallel_tool_use"))
    kind = job.kind(choice, "tool_choice")
    if kind not in {"auto", "any", "none", "tool"}:
        raise job.refusal("tool_choice", f"the choice `{str(kind)[:60]}`")
    named = ((job.text(choice.get("name"), "tool_choice.name"), False),) if kind == "tool" else ()
    talk.choice = Choice(kind, named)
    if choice.get("disable_parallel_tool_use") is True:
        talk.parallel = False


def _effort(job: Job, talk: Talk, request: dict[str, Any]) -> None:
    thinking = job.object(request.get("thinking") or {}, "thinking")
    job.check(thinking, "thinking", "thinking", ("type", "budget_tokens", "display"))
    kind, budget = job.kind(thinking, "thinking"), thinking.get("budget_tokens")
    if kind not in {None, "adaptive", "enabled", "disabled"}:
        raise job.refusal("thinking", f"thinking of the kind `{str(kind)[:60]}`")
    config = job.object(request.get("output_config") or {}, "output_config")
    job.check(config, "output_config", "output_config", ("effort", "format"))
    talk.thinks = None if kind is None else kind != "disabled"
    talk.shown = thinking.get("display") == "summarized"
    talk.effort = job.text(config.get("effort") or "", "output_config.effort")
    if kind == "disabled":
        talk.effort = "none"
    elif not talk.effort and isinstance(budget, int):
        talk.effort = next((name for most, name in _EFFORTS if budget <= most), "high")
    form = config.get("format")
    if form is not None:
        at = "output_config.format"
        job.check(job.object(form, at), at, "format", ("type", "schema"))
        if form.get("type") != "json_schema":
            raise job.refusal(at, f"a format `{str(form.get('type'))[:60]}`")
        talk.form = Form(job.object(form.get("schema"), f"{at}.schema"))


def _edits(job: Job, management: Any) -> None:
    """Let pass the edits of a context that concern thinking alone; refuse the others."""
    if management is None:
        return
    at = "context_management"
    job.check(job.object(management, at), at, "management", ("edits",))
    for index, edit in enumerate(job.list(management.get("edits") or [], f"{at}.edits")):
        kind = str(job.object(edit, f"{at}.edits.{index}").get("type"))
        if not (kind.startswith("clear_thinking_") and job.ignores("edit.clear_thinking")):
            raise CannotCarryError(str(job.refusal(f"{at}.edits.{index}", f"a `{kind[:60]}` edit")))
