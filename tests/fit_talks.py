"""Conversations in the shape of every API, made from one script, for the tests of fit."""

from __future__ import annotations

import json
import random

WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "sigma", "omega")
SHAPES = ("anthropic", "openai", "responses", "bare chat", "bare anthropic", "words", "jsonl")


def output(rng, lines, *, error=""):
    """Return an output of some lines, each with a name of its own."""
    made = [
        f"src/{rng.choice(WORDS)}_{rng.randrange(999)}.py:{i}: {' '.join(rng.choices(WORDS, k=8))}"
        for i in range(lines)
    ]
    return "\n".join([*made, *([error] if error else [])])


def script(seed, units=24):
    """Return a list of ("user", text), ("said", text) or ("calls", thought, [(tool, input, output, is error)])."""
    rng = random.Random(seed)
    steps = [("user", "Fix the crash in src/alpha_1.py. " + " ".join(rng.choices(WORDS, k=40)))]
    shown = ["src/alpha_1.py"]
    for i in range(units):
        kind = rng.random()
        if kind < 0.12:
            steps += [("said", f"I looked at {rng.choice(shown)}."), ("user", " ".join(rng.choices(WORDS, k=12)) + "?")]
            continue
        calls = []
        for _ in range(1 if kind < 0.75 else rng.randrange(2, 5)):
            failed = rng.random() < 0.12
            command = rng.choice((f"cat {rng.choice(shown)}", "pytest -q", f"rg {rng.choice(WORDS)} src", "git diff"))
            text = output(rng, rng.randrange(3, 60), error=f"ValueError: step {i} of {seed}" if failed else "")
            shown += [line.split(":")[0] for line in text.split("\n")[:3] if ":" in line and "/" in line]
            calls.append(("bash", {"command": command}, text, failed))
        steps.append(("calls", f"Now {rng.choice(shown)}.", calls))
    steps.append(("user", "And now?"))
    return steps


def anthropic(steps, *, thinking=False):
    """Return the messages of a Messages request."""
    messages, number = [], 0
    for kind, text, *rest in steps:
        if kind == "user":
            if messages and messages[-1]["role"] == "user":
                messages[-1]["content"].append({"type": "text", "text": text})
            else:
                messages.append({"role": "user", "content": text if number % 2 else [{"type": "text", "text": text}]})
            continue
        if kind == "said":
            messages.append({"role": "assistant", "content": text})
            continue
        parts = [{"type": "text", "text": text}]
        if thinking:
            parts.insert(0, {"type": "thinking", "thinking": "so", "signature": f"s{number}"})
        results = []
        for tool, given, shown, failed in rest[0]:
            number += 1
            parts.append({"type": "tool_use", "id": f"toolu_{number}", "name": tool, "input": given})
            result = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": shown}
            results.append({**result, "is_error": True} if failed else result)
        messages += [{"role": "assistant", "content": parts}, {"role": "user", "content": results}]
    return messages


def chat(steps):
    """Return the messages of a Chat request."""
    messages, number = [], 0
    for kind, text, *rest in steps:
        if kind != "calls":
            messages.append({"role": "user" if kind == "user" else "assistant", "content": text})
            continue
        calls, results = [], []
        for tool, given, shown, _ in rest[0]:
            number += 1
            function = {"name": tool, "arguments": json.dumps(given)}
            calls.append({"id": f"call_{number}", "type": "function", "function": function})
            results.append({"role": "tool", "tool_call_id": f"call_{number}", "content": shown})
        messages += [{"role": "assistant", "content": text, "tool_calls": calls}, *results]
    return messages


def items(steps):
    """Return the items of a Responses request: reasoning, parallel calls, then their outputs."""
    found, number = [], 0
    for kind, text, *rest in steps:
        if kind != "calls":
            found.append({"role": "user" if kind == "user" else "assistant", "content": text})
            continue
        found.append({"type": "reasoning", "id": f"rs_{number}", "summary": [{"type": "summary_text", "text": text}]})
        outputs = []
        for tool, given, shown, _ in rest[0]:
            number += 1
            call = {"type": "function_call", "call_id": f"call_{number}", "name": tool, "arguments": json.dumps(given)}
            found.append(call)
            outputs.append({"type": "function_call_output", "call_id": f"call_{number}", "output": shown})
        found += outputs
    return found


def words(steps):
    """Return a conversation of a harness without tool calls: commands in fences, observations in user turns."""
    messages = []
    for kind, text, *rest in steps:
        if kind != "calls":
            messages.append({"role": "user" if kind == "user" else "assistant", "content": text})
            continue
        for _, given, shown, failed in rest[0]:
            command = f"THOUGHT: {text}\n\n```bash\n{given['command']}\n```"
            seen = f"<returncode>{int(failed)}</returncode>\n<output>\n{shown}\n</output>"
            messages += [{"role": "assistant", "content": command}, {"role": "user", "content": seen}]
    return messages


def talk(shape, seed, units=24):
    """Return the bytes of a document in a shape."""
    steps = script(seed, units)
    if shape == "anthropic":
        value = {"model": "claude", "max_tokens": 9, "system": "You fix bugs.", "messages": anthropic(steps)}
    elif shape == "openai":
        value = {"model": "gpt", "messages": [{"role": "system", "content": "You fix bugs."}, *chat(steps)]}
    elif shape == "responses":
        value = {"model": "gpt", "instructions": "You fix bugs.", "input": items(steps)}
    elif shape == "bare anthropic":
        value = anthropic(steps)
    else:
        value = words(steps) if shape == "words" else chat(steps)
    if shape == "jsonl":
        return "".join(json.dumps(message) + "\n" for message in value).encode()
    return json.dumps(value, indent=1 if seed % 2 else None).encode()
