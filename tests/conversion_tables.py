"""What becomes of every part of a request that the official SDKs know, and the tables of docs/conversion.md.

``python tests/conversion_tables.py`` writes the tables again.
"""

from __future__ import annotations

import json
import re
import sys
import types
import typing
from pathlib import Path

from anthropic import types as claude
from anthropic.types.message_create_params import MessageCreateParamsBase
from anthropic.types.tool_result_block_param import Content as ResultContent
from openai.types import chat, responses
from openai.types.chat.chat_completion_assistant_message_param import ContentArrayOfContentPart
from openai.types.chat.completion_create_params import CompletionCreateParamsBase
from openai.types.responses.response_create_params import ResponseCreateParamsBase
from openai.types.responses.response_output_message_param import Content as OutputContent

from headroom_cli import convert
from headroom_cli.convert._tables import IGNORED, NAMES
from headroom_cli.errors import CannotCarryError

PAGE = Path(__file__).parent.parent / "docs" / "conversion.md"
# In every sample: what has to arrive.
NEEDLE = "TmVlZGxl"
PDF = {"type": "base64", "media_type": "application/pdf", "data": NEEDLE}
PNG = {"type": "base64", "media_type": "image/png", "data": NEEDLE}
SCHEMA = {"type": "object", "properties": {NEEDLE: {"type": "string"}}}
TOOL = {"name": "look", "input_schema": {"type": "object", "properties": {}}}
CHAT_TOOL = {"type": "function", "function": {"name": "look", "parameters": TOOL["input_schema"]}}
ITEM_TOOL = {"type": "function", "name": "look", "parameters": TOOL["input_schema"], "strict": False}
TEXT = {"type": "text", "text": NEEDLE}


def members(union):
    """Yield the members of a union, however deep."""
    if typing.get_origin(union) is typing.Annotated:
        union = typing.get_args(union)[0]
    if typing.get_origin(union) in {typing.Union, types.UnionType}:
        for one in typing.get_args(union):
            yield from members(one)
    else:
        yield union


def literals(union, field="type"):
    """Return the values that a field takes over a union of typed dictionaries, in order."""
    found = []
    for one in members(union):
        hint = typing.get_type_hints(one)[field]
        for value in members(hint):
            found += [text for text in typing.get_args(value) if isinstance(text, str)]
    return list(dict.fromkeys(found))


def sources(block):
    return literals(typing.get_type_hints(block)["source"])


def anthropic(*messages, **rest):
    return {"model": "m", "max_tokens": 9, "messages": list(messages), **rest}


def claude_user(*blocks):
    return anthropic({"role": "user", "content": [*blocks, {"type": "text", "text": "go on"}]})


def claude_model(*blocks):
    user = {"role": "user", "content": "go"}
    said = [*blocks, {"type": "text", "text": "so"}]
    return anthropic(user, {"role": "assistant", "content": said}, user)


def claude_result(*blocks):
    call = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": list(blocks)}
    user, model = {"role": "user", "content": "go"}, {"role": "assistant", "content": [call]}
    return anthropic(user, model, {"role": "user", "content": [result]})


def chat_request(*messages, **rest):
    return {"model": "m", "messages": [{"role": "user", "content": "go"}, *messages], **rest}


def chat_call(call):
    answer = {"role": "tool", "tool_call_id": "c1", "content": "done"}
    return chat_request({"role": "assistant", "content": None, "tool_calls": [call]}, answer)


def items(*given, **rest):
    return {"model": "m", "input": [{"role": "user", "content": "go"}, *given], **rest}


BLOCKS = {
    "text": TEXT,
    "image": {"type": "image", "source": PNG},
    "document": {"type": "document", "source": PDF},
    "search_result": {"type": "search_result", "title": "t", "source": "s", "content": [TEXT]},
    "thinking": {"type": "thinking", "thinking": NEEDLE, "signature": "s"},
    "redacted_thinking": {"type": "redacted_thinking", "data": NEEDLE},
    "tool_use": {"type": "tool_use", "id": "t1", "name": "look", "input": {"x": NEEDLE}},
    "tool_result": {"type": "tool_result", "tool_use_id": "t1", "content": NEEDLE},
}
IMAGE_SOURCES = {"base64": PNG, "url": {"type": "url", "url": f"https://x.example/{NEEDLE}"}}
DOCUMENT_SOURCES = {
    "base64": PDF,
    "text": {"type": "text", "media_type": "text/plain", "data": NEEDLE},
    "content": {"type": "content", "content": [TEXT]},
    "url": IMAGE_SOURCES["url"],
}
FILE_URL = f"data:application/pdf;base64,{NEEDLE}"
PARTS = {
    "text": TEXT,
    "image_url": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{NEEDLE}"}},
    "file": {"type": "file", "file": {"filename": "a.pdf", "file_data": FILE_URL}},
    "refusal": {"type": "refusal", "refusal": NEEDLE},
}
INPUTS = {
    "input_text": {"type": "input_text", "text": NEEDLE},
    "input_image": {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{NEEDLE}"},
    "input_file": {"type": "input_file", "filename": "a.pdf", "file_data": FILE_URL},
}
OUTPUTS = {
    "output_text": {"type": "output_text", "text": NEEDLE, "annotations": []},
    "refusal": {"type": "refusal", "refusal": NEEDLE},
}
ITEMS = {
    "message": {"type": "message", "role": "user", "content": NEEDLE},
    "function_call": {"type": "function_call", "call_id": "c1", "name": "look", "arguments": f'{{"x":"{NEEDLE}"}}'},
    "function_call_output": {"type": "function_call_output", "call_id": "c1", "output": NEEDLE},
    "custom_tool_call": {"type": "custom_tool_call", "call_id": "c1", "name": "look", "input": NEEDLE},
    "custom_tool_call_output": {"type": "custom_tool_call_output", "call_id": "c1", "output": NEEDLE},
    "reasoning": {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": f"gAAAA{NEEDLE}"},
    "additional_tools": {
        "type": "additional_tools", "role": "developer", "tools": [{**ITEM_TOOL, "parameters": SCHEMA}],
    },
}  # fmt: skip
CUSTOM_CALL = {"id": "c1", "type": "custom", "custom": {"name": "look", "input": NEEDLE}}
CHAT_CALLS = {
    "function": {"id": "c1", "type": "function", "function": {"name": "look", "arguments": f'{{"x":"{NEEDLE}"}}'}},
    "custom": CUSTOM_CALL,
}
CHAT_TOOLS = {
    "function": {"type": "function", "function": {"name": "look", "parameters": SCHEMA}},
    "custom": {"type": "custom", "custom": {"name": "look", "description": NEEDLE}},
}
ITEM_TOOLS = {
    "function": {**ITEM_TOOL, "parameters": SCHEMA},
    "custom": {"type": "custom", "name": "look", "description": NEEDLE},
}


def sample(known, kind):
    """Return a sample of a type; for one that nobody wrote a sample for, no more than its name and the needle."""
    return known.get(kind, {"type": kind, "text": NEEDLE})


def _claude_blocks():
    for kind in literals(claude.ContentBlockParam):
        block = sample(BLOCKS, kind)
        model = kind in {"thinking", "redacted_thinking", "tool_use"}
        yield f"`{kind}`", claude_model(block) if model else claude_user(block)
    for kind in sources(claude.ImageBlockParam):
        yield f"`image` from `{kind}`", claude_user({"type": "image", "source": sample(IMAGE_SOURCES, kind)})
    for kind in sources(claude.DocumentBlockParam):
        yield f"`document` from `{kind}`", claude_user({"type": "document", "source": sample(DOCUMENT_SOURCES, kind)})
    for kind in literals(ResultContent):
        yield f"`{kind}` in a `tool_result`", claude_result(sample(BLOCKS, kind))
    for kind in ("image", "document"):
        yield f"`{kind}` of the model", claude_model(BLOCKS[kind])
    system = {"role": "system", "content": NEEDLE}
    yield "message of the role `system`", anthropic({"role": "user", "content": "go"}, system)
    yield "`system`", anthropic({"role": "user", "content": "go"}, system=[TEXT])
    last = {"role": "assistant", "content": NEEDLE}
    yield "message of the model at the end", anthropic({"role": "user", "content": "go"}, last)
    yield "tool of the client", anthropic({"role": "user", "content": "go"}, tools=[{**TOOL, "input_schema": SCHEMA}])
    for one in members(claude.ToolUnionParam):
        if one is not claude.ToolParam:
            for kind in literals(one):
                yield (
                    f"tool `{kind}`",
                    anthropic({"role": "user", "content": "go"}, tools=[{"type": kind, "name": NEEDLE}]),
                )


def _chat_blocks():
    for kind in literals(chat.ChatCompletionContentPartParam):
        yield f"`{kind}` of the user", chat_request({"role": "user", "content": [sample(PARTS, kind)]})
    for kind in literals(ContentArrayOfContentPart):
        said = {"role": "assistant", "content": [sample(PARTS, kind)]}
        yield f"`{kind}` of the model", chat_request(said)
    for role in literals(chat.ChatCompletionMessageParam, "role"):
        message = {"role": role, "content": NEEDLE}
        if role == "tool":
            message["tool_call_id"] = "c1"
        yield f"message of the role `{role}`", chat_request(message)
    for kind in literals(chat.ChatCompletionMessageToolCallUnionParam):
        yield f"call of a `{kind}` tool", chat_call(sample(CHAT_CALLS, kind))
    for kind in literals(chat.ChatCompletionToolUnionParam):
        yield f"`{kind}` tool", chat_request(tools=[sample(CHAT_TOOLS, kind)])
    block = {"type": "thinking", "thinking": NEEDLE, "signature": "s"}
    yield "`thinking_blocks`", chat_request({"role": "assistant", "content": "so", "thinking_blocks": [block]})
    yield "`reasoning_content`", chat_request({"role": "assistant", "content": "so", "reasoning_content": NEEDLE})
    yield "`name` of a message", chat_request({"role": "user", "name": NEEDLE, "content": "go"})
    yield "`audio` of the model", chat_request({"role": "assistant", "audio": {"id": NEEDLE}})


def _response_blocks():
    for kind in literals(responses.ResponseInputItemParam):
        yield f"`{kind}`", items(sample(ITEMS, kind))
    for kind in literals(responses.ResponseInputContentParam):
        yield f"`{kind}` of the user", items({"role": "user", "content": [sample(INPUTS, kind)]})
        output = {"type": "function_call_output", "call_id": "c1", "output": [sample(INPUTS, kind)]}
        yield f"`{kind}` in an output", items(output)
    for kind in literals(OutputContent):
        yield f"`{kind}` of the model", items({"role": "assistant", "content": [sample(OUTPUTS, kind)]})
    file = {"type": "input_file", "file_url": f"https://x.example/{NEEDLE}"}
    yield "`input_file` by its URL", items({"role": "user", "content": [file]})
    signed = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": f"Er{NEEDLE}"}
    yield "`reasoning` with Anthropic's signature", items(signed)
    for role in ("system", "developer"):
        yield f"message of the role `{role}`", items({"role": role, "content": NEEDLE})
    for kind in literals(responses.ToolParam):
        yield f"`{kind}` tool", items(tools=[sample(ITEM_TOOLS, kind)])


CLAUDE_FIELDS = {
    "model": "other", "max_tokens": 5, "messages": [{"role": "user", "content": NEEDLE}], "system": NEEDLE,
    "temperature": 0.5, "top_p": 0.5, "stop_sequences": ["x"], "stream": True, "tool_choice": {"type": "any"},
    "tools": [{**TOOL, "name": "other"}], "thinking": {"type": "enabled", "budget_tokens": 2_000},
    "output_config": {"effort": "low"}, "metadata": {"user_id": "u"}, "service_tier": "auto", "speed": "fast",
    "cache_control": {"type": "ephemeral"}, "diagnostics": {"previous_message_id": None},
}  # fmt: skip
CHAT_FIELDS = {
    "model": "other", "messages": [{"role": "user", "content": NEEDLE}], "max_tokens": 5, "max_completion_tokens": 5,
    "temperature": 0.5, "top_p": 0.5, "stop": "x", "stream": True, "tools": [CHAT_TOOLS["function"]],
    "tool_choice": "required", "parallel_tool_calls": False, "reasoning_effort": "low",
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}, "verbosity": "low",
    "stream_options": {"include_usage": True}, "prediction": {"type": "content", "content": "x"},
    "prompt_cache_options": {"mode": "implicit"}, "n": 2, "seed": 1, "logprobs": True, "top_logprobs": 2,
    "frequency_penalty": 0.5, "presence_penalty": 0.5, "store": True, "modalities": ["audio"], "user": "u",
}  # fmt: skip
RESPONSE_FIELDS = {
    "model": "other", "input": NEEDLE, "instructions": NEEDLE, "max_output_tokens": 5, "temperature": 0.5,
    "top_p": 0.5, "stream": True, "tools": [ITEM_TOOLS["function"]], "tool_choice": "required",
    "parallel_tool_calls": False, "reasoning": {"effort": "low"}, "text": {"format": {"type": "json_schema",
    "name": "x", "schema": SCHEMA}}, "include": ["reasoning.encrypted_content"], "max_tool_calls": 3, "store": True,
    "stream_options": {"include_obfuscation": False}, "prompt_cache_options": {"mode": "implicit"}, "background": True,
    "truncation": "auto", "top_logprobs": 2, "user": "u",
}  # fmt: skip
_GO = {"role": "user", "content": "go"}
SHAPES = {
    "anthropic": (_claude_blocks, MessageCreateParamsBase, CLAUDE_FIELDS, anthropic(_GO, tools=[TOOL])),
    "openai": (_chat_blocks, CompletionCreateParamsBase, CHAT_FIELDS, chat_request(tools=[CHAT_TOOL])),
    "responses": (_response_blocks, ResponseCreateParamsBase, RESPONSE_FIELDS, items(tools=[ITEM_TOOL])),
}  # fmt: skip


def targets(source):
    return [name for name in NAMES if name != source]


def fate(source, target, request):
    """Tell what becomes of the needle of a request: carried, left out or refused."""
    try:
        made = convert.request(source, target, request)
    except CannotCarryError:
        return "refused"
    return "carried" if NEEDLE in json.dumps(made) else "left out"


def block_rows(source):
    """Yield (part, request, its fates) for everything that the SDK's unions hold."""
    for name, request in SHAPES[source][0]():
        yield name, request, [fate(source, target, request) for target in targets(source)]


def field_rows(source):
    """Yield (member, its fates) for every member of a request that the SDK knows."""
    _, typed, known, base = SHAPES[source]
    for name in [*typing.get_type_hints(typed), "stream"]:
        found = []
        for target in targets(source):
            plain = convert.request(source, target, base)
            extra = {"stream": True} if name == "stream_options" else {}
            if extra:
                plain = convert.request(source, target, {**base, **extra})
            try:
                made = convert.request(source, target, {**base, **extra, name: known.get(name, {NEEDLE: 1})})
            except CannotCarryError:
                found.append("refused")
                continue
            found.append("left out" if made == plain else "carried")
        yield name, found


def grid(head, rows):
    lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def tables():
    """Return the tables of the page by the names of their places."""
    made = {}
    for source, name in NAMES.items():
        others = [f"to {NAMES[target]}" for target in targets(source)]
        made[f"{source} parts"] = grid([name, *others], [[part, *fates] for part, _, fates in block_rows(source)])
        rows = [[f"`{field}`", *fates] for field, fates in field_rows(source)]
        made[f"{source} fields"] = grid([f"Member of a request: {name}", *others], rows)
        rows = [
            [f"`{part}`", ", ".join(NAMES[target] for target in where if target != source), why]
            for part, (where, why) in IGNORED[source].items()
        ]
        made[f"{source} left out"] = grid([f"{name}", "left out towards", "because"], rows)
    return made


PLACE = re.compile(r"(<!-- table: ([a-z ]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def rows_of(table):
    """Return the rows of a table by their first cells."""
    return {line.split(" | ", 1)[0]: line for line in table.splitlines() if line.startswith("|")}


def filled(page):
    """Return the page with its tables written again."""
    made = tables()
    return PLACE.sub(lambda found: f"{found[1]}\n{made[found[2]]}\n\n{found[4]}", page)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
    sys.stdout.write(f"{PAGE}\n")
