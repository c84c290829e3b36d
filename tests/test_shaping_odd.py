"""Requests that no client should send: shaping them raises nothing, is the same twice, and can be undone."""

import json
import random

import pytest
from shaped import ASTRA, Line

from headroom_cli import engine
from headroom_cli.shaping import words

MEMBERS = ("system", "instructions", "tools", "tool_choice", "text", "output_config", "store", "reasoning", "prompt",
           "context_management", "truncation", "n", "max_tokens")  # fmt: skip
KEYS = ("type", "text", "role", "content", "effort", "output", "cache_control", "mode")
ITEMS = (
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
    {"type": "function_call", "call_id": "c", "name": "x", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "fine"},
    {"type": "configuration_update", "reasoning": {"effort": "max"}},
    {"type": "compaction", "encrypted_content": "x"},
    {"type": "reasoning", "summary": []},
)


def junk(draw, depth=0):
    kind = draw.randrange(8)
    if kind == 0 and depth < 3:
        return [junk(draw, depth + 1) for _ in range(draw.randrange(3))]
    if kind == 1 and depth < 3:
        return {draw.choice(KEYS): junk(draw, depth + 1) for _ in range(draw.randrange(3))}
    return draw.choice([
        None, "", "some words", words.OPEN, words.text(2), 5, 0.5, True, [{"type": "text", "text": "hello"}],
        {"type": "tool_result", "tool_use_id": "t", "content": "Error: b"}, {"type": "json_schema"},
    ])  # fmt: skip


def turn(draw, shape):
    if draw.random() < 0.12:
        return junk(draw)
    if shape == "responses":
        item = draw.choice([*ITEMS, {"type": "message", "role": "user", "content": junk(draw)}])
        return {**item, "output": junk(draw)} if draw.random() < 0.1 else item
    result = [{"type": "tool_result", "tool_use_id": "t", "content": junk(draw)}]
    role = draw.choice(["user", "assistant", "system", "developer", "tool"])
    return {"role": role, "content": draw.choice([junk(draw), "hi", result])}


@pytest.mark.parametrize("seed", range(3))
def test_odd_requests(tmp_path, seed):
    draw = random.Random(seed)
    line = Line(tmp_path, on=True, output_holdout=0.2, holdout=0.2)
    for _ in range(60):
        shape = draw.choice(["anthropic", "openai", "responses"])
        turns = [turn(draw, shape) for _ in range(draw.randrange(1, 7))]
        value = {"model": ASTRA if shape == "responses" else "claude", "store": False, "reasoning": {"effort": "high"}}
        value["input" if shape == "responses" else "messages"] = turns
        if draw.random() < 0.5:
            own = {"input_schema": {}} if shape == "anthropic" else {"type": "function", "parameters": {}}
            value["tools"] = [{"name": "Bash", **own}]
        value |= {name: junk(draw) for name in MEMBERS if draw.random() < 0.15}
        data = json.dumps(value).encode()
        body = line.ready(shape, data).request.body
        assert engine.expand(body, line.store)[0] == data
        assert line.ready(shape, data).request.body == body
