"""Pictures drawn for tests, and conversations that hold them."""

import base64
import io
import json

from PIL import Image, ImageDraw, ImageFont

LINES = tuple(f"{i:02d} worker {i * 37} took batch {i * 991} of the long run" for i in range(26))


def screenshot(lines=LINES, size=(1400, 900), name="PNG", **options):
    """A page of text as a file of a picture."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=22)
    for i, line in enumerate(lines):
        draw.text((20, 20 + i * 32), line, fill="black", font=font)
    return saved(picture, name, **options)


def saved(picture, name="PNG", **options):
    made = io.BytesIO()
    picture.save(made, name, **options)
    return made.getvalue()


def changed(row=5, text="05 worker 185 failed"):
    """The same page with another line."""
    return screenshot((*LINES[:row], text, *LINES[row + 1 :]))


def size_of(data):
    with Image.open(io.BytesIO(data)) as picture:
        return picture.size


def b64(data):
    return base64.b64encode(data).decode()


def media_of(data):
    return {b"\x89PN": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIF": "image/webp", b"GIF": "image/gif"}[data[:3]]


def part(shape, data, media="", **more):
    """A picture as a part of an output or a turn."""
    media = media or media_of(data)
    if shape == "anthropic":
        return {"type": "image", "source": {"type": "base64", "media_type": media, "data": b64(data)}, **more}
    if shape == "mcp":
        return {"type": "image", "data": b64(data), "mimeType": media, **more}
    address = f"data:{media};base64,{b64(data)}"
    if shape == "openai":
        return {"type": "image_url", "image_url": {"url": address, **more}}
    return {"type": "input_image", "image_url": address, **more}


def read(part):
    """The bytes and the media type of a picture in a part, or the part's text."""
    if "text" in part:
        return part["text"]
    if "source" in part:
        return base64.b64decode(part["source"]["data"]), part["source"]["media_type"]
    if "data" in part:
        return base64.b64decode(part["data"]), part["mimeType"]
    address = part["image_url"] if isinstance(part["image_url"], str) else part["image_url"]["url"]
    head, _, data = address.partition(";base64,")
    return base64.b64decode(data), head.removeprefix("data:")


def call(shape, number, path, tool="screenshot"):
    arguments = {"path": path}
    if shape in {"anthropic", "mcp"}:
        content = [{"type": "tool_use", "id": f"t{number}", "name": tool, "input": arguments}]
        return {"role": "assistant", "content": content}
    if shape == "responses":
        return {"type": "function_call", "call_id": f"t{number}", "name": tool, "arguments": json.dumps(arguments)}
    function = {"name": tool, "arguments": json.dumps(arguments)}
    calls = [{"id": f"t{number}", "type": "function", "function": function}]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(shape, number, *parts):
    if shape in {"anthropic", "mcp"}:
        return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"t{number}", "content": [*parts]}]}
    if shape == "responses":
        return {"type": "function_call_output", "call_id": f"t{number}", "output": [*parts]}
    return {"role": "tool", "tool_call_id": f"t{number}", "content": [*parts]}


def request(shape, *pictures, tools=True, **more):
    """A request whose conversation has one call and one picture for each of ``pictures``."""
    turns = [{"role": "user", "content": "what does the page say?"}]
    for number, data in enumerate(pictures):
        turns += [call(shape, number, f"page{number}.png"), result(shape, number, part(shape, data, **more))]
    if shape in {"anthropic", "mcp"}:
        tool = {"name": "screenshot", "input_schema": {"type": "object", "properties": {}}}
        return {"model": "claude-sonnet-4-5", "max_tokens": 9, "tools": [tool] if tools else [], "messages": turns}
    function = {"name": "screenshot", "parameters": {"type": "object", "properties": {}}}
    if shape == "responses":
        return {"model": "gpt-4o", "tools": [{"type": "function", **function}], "input": turns, "store": False}
    return {"model": "gpt-4o", "tools": [{"type": "function", "function": function}], "messages": turns}


def outputs(body, shape):
    """What stands in each output: lists of (bytes, media type) and texts."""
    found = []
    for turn in body["input" if shape == "responses" else "messages"]:
        content = turn.get("output") or turn.get("content")
        if isinstance(content, list) and content and content[0].get("type") == "tool_result":
            content = content[0]["content"]
        if turn.get("type") == "function_call_output" or turn.get("role") in {"tool", "user"}:
            found.append(content if isinstance(content, str) else [read(one) for one in content])
    return found[1:]
