"""What a conversation costs, raw and crushed; whether what was sent stays sent; what a turn costs in time.

    python benchmarks/conversations.py price [EVERY [LEVEL]]  tokens and price of every EVERY-th outside conversation
    python benchmarks/conversations.py kept [EVERY [LEVEL]]   facts that a later turn uses: can they still be read there
    python benchmarks/conversations.py prefix [EVERY]         every k: the first k turns give the first k of the whole
    python benchmarks/conversations.py turn                   milliseconds per turn of 100 turns, 400 KB

Price: an agent sends its history before each of its turns; a provider reads what it has seen at 0.1 and writes the rest
at 1.25 of the price of input. LEVEL is safe, balanced, max, lossless, or nothing: all outputs of tools deleted,
which is the most that anybody could save there. Tokens are exact o200k counts by rs-bpe of each turn's JSON.
"""

import json
import random
import statistics
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from corpus import holds, normal
from inputs import CORPUS, corpus
from rs_bpe.bpe import openai

from headroom_cli import compress, formats, replay
from headroom_cli.store import Store

TURNS = 100
encoder = openai.o200k_base()


@cache
def tokens(text: str) -> int:
    return encoder.count(text)


def conversations(every: int) -> list[tuple[str, list[dict]]]:
    return [(name, json.loads(data)["messages"]) for name, _, data in corpus("traces_norm")[::every]]


def written(turns: list[dict]) -> list[str]:
    return [json.dumps(turn, sort_keys=True, ensure_ascii=False) for turn in turns]


def cost(requests: list[list[str]]) -> tuple[float, int]:
    """Return the price of requests one after the other, and how many changed what was sent before."""
    price, broken, before = 0.0, 0, []
    for request in requests:
        same = next((i for i, (a, b) in enumerate(zip(before, request, strict=False)) if a != b), len(before))
        same = min(same, len(request))
        broken += same < len(before)
        price += sum(map(tokens, request[:same])) * 0.1 + sum(map(tokens, request[same:])) * 1.25
        before = request
    return price, broken


def emptied(turns: list[dict]) -> list[dict]:
    """Return turns whose outputs of tools are empty."""
    document = formats.parse(json.dumps(turns).encode())
    return json.loads(document.splice([(block, '""') for block in document.blocks if block.role == "tool"]))


def price(every: int, level: str) -> None:
    """Print the price and the tokens at a level, of raw."""
    asked = {"lossless": True} if level == "lossless" else {"level": level}

    def sent_for(turns: list[dict]) -> list[dict]:
        return emptied(turns) if level == "nothing" else compress(turns, store=store, **asked).messages

    raw = sent = 0.0
    broken = requests = 0
    seen, after = [0, 0], [0, 0]  # tokens of everything, of outputs alone
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"{folder}/store")
        for _, turns in conversations(every):
            ends = [i for i, turn in enumerate(turns) if turn["role"] == "assistant" and i]
            one = [written(turns[:end]) for end in ends]
            other = [written(sent_for(turns[:end])) for end in ends]
            raw += cost(one)[0]
            paid, changed = cost(other)
            sent, broken, requests = sent + paid, broken + changed, requests + len(ends)
            whole = sent_for(turns)
            outputs = {formats.of_value(turns).turn_of(b) for b in formats.of_value(turns).blocks if b.role == "tool"}
            for i, (old, new) in enumerate(zip(written(turns), written(whole), strict=True)):
                for place in (0, 1) if i in outputs else (0,):
                    seen[place] += tokens(old)
                    after[place] += tokens(new)
    print(f"price {sent / raw:.3f} of raw over {requests:,} requests, prefix changed in {broken}")
    print(f"tokens {after[0] / seen[0]:.3f}; of outputs alone {after[1] / seen[1]:.3f}, {seen[1] / seen[0]:.0%} of all")


def read(turns: list[dict]) -> list[str]:
    """Return the text of each turn, as it can be searched for facts."""
    document = formats.of_value(turns)
    texts: list[list[str]] = [[] for _ in turns]
    for block in document.blocks:
        texts[document.turn_of(block)].append(block.text)
    return [normal("\n".join(parts)) for parts in texts]


def kept(every: int, level: str) -> None:
    """Print which facts can be read in front of the turn that uses them, and which errors where they were."""
    asked = {"lossless": True} if level == "lossless" else {"level": level}
    facts = found = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, turns in conversations(every):
            marked = CORPUS / "needles" / f"{name}.json"
            needles = json.loads(marked.read_text()) if marked.exists() else []
            sent = emptied(turns) if level == "nothing" else compress(turns, store=f"{folder}/store", **asked).messages
            texts = read(sent)
            for needle in needles:
                end = needle.get("used_at") or needle["msg"] + 1
                facts += 1
                found += holds(["\n".join(texts[:end])], needle["text"])
    print(f"facts that a later turn uses, or errors: {found / max(facts, 1):.3f} of {facts:,} read in place")


def prefix(every: int) -> None:
    asked = wrong = 0
    for name, turns in conversations(every):
        with tempfile.TemporaryDirectory() as folder:
            whole = compress(turns, store=f"{folder}/whole").messages
            first = next(i for i, turn in enumerate(turns) if turn["role"] == "user")  # nobody sends less
            for k in range(first + 1, len(turns)):
                replay.forget_all()
                part = compress(turns[:k], store=f"{folder}/{k}").messages  # a store that knows nothing
                asked += 1
                if part != whole[:k]:
                    wrong += 1
                    at = next(i for i, (a, b) in enumerate(zip(part, whole, strict=False)) if a != b)
                    print(f"{name}: the first {k} turns differ in turn {at}")
    print(f"{asked - wrong:,} of {asked:,} beginnings are the beginning of the whole")


def long_talk() -> list[dict]:
    """Return TURNS turns with one output each, after a system prompt and a task."""
    rng = random.Random(1)
    turns = [
        {"role": "system", "content": "You are a careful engineer. " * 40},
        {"role": "user", "content": "fix the failing build in this repository"},
    ]
    for number in range(TURNS):
        function = {"name": "bash", "arguments": json.dumps({"command": f"cat src/mod_{number}.py"})}
        call = {"id": f"c{number}", "type": "function", "function": function}
        words = f"Let me look at file {number}. " + "What does it mean? " * 24
        turns.append({"role": "assistant", "content": words, "tool_calls": [call]})
        lines = [f"    value_{number}_{j} = compute({rng.randrange(10**6)}, 'abc')" for j in range(60)]
        lines += [f"2026-01-01T00:00:{i:02d}Z INFO worker {i} ready" for i in range(20)]
        turns.append({"role": "tool", "tool_call_id": f"c{number}", "content": "\n".join(lines)})
    return turns


def turn() -> None:
    turns = long_talk()
    for what, forget in (("same process", False), ("from the store", True)):
        times = []
        with tempfile.TemporaryDirectory() as folder:
            for end in range(4, len(turns) + 1, 2):
                if forget:
                    replay.forget_all()
                start = time.perf_counter()
                compress(turns[:end], store=f"{folder}/store")
                times.append((time.perf_counter() - start) * 1000)
        later = sorted(times[1:])
        print(
            f"{len(json.dumps(turns)):,} bytes, {TURNS} turns, {what}: median {statistics.median(later):.1f} ms, "
            f"90 % {later[len(later) * 9 // 10]:.1f}, last {statistics.median(times[-10:]):.1f}, first {times[0]:.1f}"
        )


def main() -> None:
    every = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    level = sys.argv[3] if len(sys.argv) > 3 else "safe"
    {
        "kept": lambda _: kept(every, level),
        "price": lambda _: price(every, level),
        "prefix": prefix,
        "turn": lambda _: turn(),
    }[sys.argv[1]](every)


if __name__ == "__main__":
    main()
