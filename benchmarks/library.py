"""What the library costs a program: a wrapped client beside a plain one, and a batch in processes beside one here.

    python benchmarks/library.py [--traces FOLDER]

The SDK's client has a transport that answers at once, so what is measured is the client and what stands below it.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

import anthropic
import httpx2

import headroom_cli

ANSWER = {
    "id": "m", "type": "message", "role": "assistant", "model": "x", "content": [{"type": "text", "text": "ok"}],
    "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1},
}  # fmt: skip
TOOLS = [{"name": "Bash", "description": "runs", "input_schema": {"type": "object"}}]
ROUNDS = 40


def conversation(size, turns=8, number=0):
    """Return a conversation of about ``size`` characters of tool output."""
    lines = [f"2026-01-01T00:{i // 60 % 60:02d}:{i % 60:02d}Z INFO worker {i} took batch {i * 37}" for i in range(9000)]
    messages = [{"role": "user", "content": f"why does the build fail? {number}"}]
    for turn in range(turns):
        call = {"type": "tool_use", "id": f"t{turn}", "name": "Bash", "input": {"command": f"make part{turn}"}}
        output = "\n".join(lines[turn * 1000 :])[: size // turns]
        result = {"type": "tool_result", "tool_use_id": f"t{turn}", "content": output}
        messages += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    return messages


def client(sent, messages):
    """Return a client whose provider says what the conversation has next."""

    def answer(request):
        sent.append(len(request.content))
        said = len(json.loads(request.content)["messages"])
        content = messages[said]["content"] if said < len(messages) else ANSWER["content"]
        return httpx2.Response(200, json={**ANSWER, "content": content})

    pool = httpx2.Client(transport=httpx2.MockTransport(answer))
    return anthropic.Anthropic(api_key="k", http_client=pool)


def ask(one, messages):
    began = time.perf_counter()
    one.messages.create(model="claude-opus-4-8", max_tokens=9, tools=TOOLS, messages=messages)
    return (time.perf_counter() - began) * 1000


def wrapping():
    """Print what a wrapped client adds to a request, the two asked in turn."""
    for size in (1_000, 100_000, 1_000_000):
        with tempfile.TemporaryDirectory() as store:
            plain_sent, sent = [], []
            messages = conversation(size)
            plain, wrapped = client(plain_sent, messages), headroom_cli.wrap(client(sent, messages), store=store)
            # As it grows: what went out before stays as it went out.
            first = max(ask(wrapped, messages[:turns]) for turns in range(1, len(messages) + 1, 2))
            pairs = [(ask(plain, messages), ask(wrapped, messages)) for _ in range(ROUNDS)]
            one, other = (statistics.median(column) for column in zip(*pairs, strict=True))
            print(
                f"wrap {size:>9,} characters: plain {one:6.2f} ms, wrapped {other:6.2f} ms "
                f"(a turn's first {first:6.1f} ms), bytes sent {sent[-1] / plain_sent[-1]:.2f}"
            )


def waiting():
    """Print the longest that an event loop waited while conversations were shortened beside it."""
    with tempfile.TemporaryDirectory() as store, headroom_cli.Headroom(store=store) as headroom:

        async def main():
            longest, last = 0.0, time.perf_counter()
            many = [asyncio.create_task(headroom.acompress(conversation(100_000, number=n))) for n in range(8)]
            while not all(one.done() for one in many):
                await asyncio.sleep(0.001)
                longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
            return longest * 1000

        print(f"acompress, 8 at once: the loop waited {asyncio.run(main()):.0f} ms at most")


def batches(batch, name):
    """Print how long a batch takes here and in processes, and whether they agree."""
    with tempfile.TemporaryDirectory() as here, tempfile.TemporaryDirectory() as there:
        began = time.perf_counter()
        alone = headroom_cli.compress_many(batch, store=here, workers=0)
        middle = time.perf_counter()
        together = headroom_cli.compress_many(batch, store=there, workers=2)
        end = time.perf_counter()
    same = [one.messages for one in alone] == [one.messages for one in together]
    before, after = sum(one.tokens_before for one in alone), sum(one.tokens_after for one in alone)
    failed = [one.reason for one in (*alone, *together) if "failed" in one.reason or "process" in one.reason]
    print(
        f"batch of {len(batch)} {name}: here {middle - began:.1f} s, 2 workers {end - middle:.1f} s, the same: {same}; "
        f"{before:,} -> {after:,} tokens ({1 - after / max(before, 1):.0%} less); failed: {failed}"
    )


def traces(folder):
    """Return every conversation below a folder."""
    found = []
    for path in sorted(folder.rglob("*.json")):
        try:
            value = json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            continue
        turns = value.get("messages", value.get("input")) if isinstance(value, dict) else value
        if isinstance(turns, list) and turns and all(isinstance(turn, dict) for turn in turns):
            found.append(value)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--traces", type=Path)
    given = parser.parse_args()
    wrapping()
    waiting()
    batches([conversation(100_000, number=n) for n in range(24)], "logs")
    if given.traces:
        batches(traces(given.traces), "traces")
